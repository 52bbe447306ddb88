/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * crypto.h - OpenSSL behind core's crypto operations; the only user of OpenSSL.
 * Source: FIPS 180-4 through OpenSSL 3.   State: none; any thread may call.   Time: none.
 */
#ifndef PEAL_OPENSSL_CRYPTO_H
#define PEAL_OPENSSL_CRYPTO_H

#include <peal/env.h>

/* peal_openssl_crypto gives the operations for env->ops->crypto; valid for ever. */
const PealCryptoOps *peal_openssl_crypto(void);

#endif
