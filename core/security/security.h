/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * security.h - security blocks and value signatures in the crypto modes `none` and `modelled`.
 * Source: RFC 6940 s.6.3.4, s.7.1; design of the modes: README, "Crypto modes".
 * State:  none.
 * Time:   none; the cost of a modelled signature is the world's to charge.
 *
 * none      identity cert_hash_node_id whose 32-byte hash is the Node-ID, zero-padded; algorithm
 *           {0, 0}; empty value; no certificates.
 * modelled  the same identity, with a sample certificate and a signature value of the size that a
 *           P-256 or RSA-2048 one has.
 */
#ifndef SECURITY_SECURITY_H
#define SECURITY_SECURITY_H

#include "reload/codec.h"

enum { SECURITY_IDENTITY_LEN = 32 };

/*
 * security_fill makes the security block of a message signed by `node`; its `signature` alone is
 * that of a value.
 * identity  scratch that the result borrows
 */
ReloadSecurity security_fill(PealCrypto mode, const PealId *node,
                             uint8_t identity[SECURITY_IDENTITY_LEN]);

/* security_signer reads the Node-ID that a signature names; 0, or -PEAL_E_VALUE when it does not
 * fit the mode. */
int security_signer(PealCrypto mode, const ReloadSignature *signature,
                    PealId *ret_node) PEAL_MUST_USE;

/* security_len is how many bytes a security block takes in this mode. */
size_t security_len(PealCrypto mode);

#endif
