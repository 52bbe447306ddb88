/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * security.c - what the crypto modes put into a signature, and what they take for one.
 */
#include "security/security.h"

#include "security/sample.h"

/* SignatureAlgorithm numbers of TLS (RFC 5246 s.7.4.1.4.1). */
enum { SIGN_ANONYMOUS = 0, SIGN_RSA = 1, SIGN_ECDSA = 3 };
enum { RSA2048_SIGNATURE_LEN = 256 };

/* An ECDSA-Sig-Value: two integers, one of which needs a leading zero as half of them do. */
static const uint8_t p256_signature[] = {0x30, 0x45, 0x02, 0x21, 0x00, 0xa5, 0xa5, 0xa5, 0xa5,
                                         0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5,
                                         0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5,
                                         0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5,
                                         0xa5, 0x02, 0x20, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a,
                                         0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a,
                                         0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a,
                                         0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a};
_Static_assert(sizeof(p256_signature) == 71, "the usual length");

static const uint8_t rsa2048_signature[RSA2048_SIGNATURE_LEN] = {0x5a, 0xa5};

typedef struct Mode {
    PealHash hash;
    uint8_t sign;
    PealBytes value;
    PealBytes certificates;
} Mode;

static Mode mode_of(PealCrypto crypto)
{
    switch (crypto) {
    case PEAL_CRYPTO_MODELLED_P256:
        return (Mode){PEAL_HASH_SHA256,
                      SIGN_ECDSA,
                      {p256_signature, sizeof(p256_signature)},
                      SAMPLE_P256_CERTIFICATES};
    case PEAL_CRYPTO_MODELLED_RSA2048:
        return (Mode){PEAL_HASH_SHA256,
                      SIGN_RSA,
                      {rsa2048_signature, sizeof(rsa2048_signature)},
                      SAMPLE_RSA2048_CERTIFICATES};
    case PEAL_CRYPTO_NONE:
        break;
    }
    return (Mode){PEAL_HASH_NONE, SIGN_ANONYMOUS, {NULL, 0}, {NULL, 0}};
}

ReloadSecurity security_fill(PealCrypto mode, const PealId *node,
                             uint8_t identity[SECURITY_IDENTITY_LEN])
{
    Mode fill = mode_of(mode);

    memset(identity, 0, SECURITY_IDENTITY_LEN);
    memcpy(identity, node->bytes, PEAL_ID_LEN);
    return (ReloadSecurity){
        .certificates = fill.certificates,
        .signature = {.hash = (uint8_t)fill.hash,
                      .sign = fill.sign,
                      .identity = RELOAD_SIGNER_CERT_HASH_NODE_ID,
                      .identity_hash = PEAL_HASH_SHA256,
                      .identity_value = {identity, SECURITY_IDENTITY_LEN},
                      .value = fill.value},
    };
}

int security_signer(PealCrypto mode, const ReloadSignature *signature, PealId *ret_node)
{
    static const uint8_t padding[SECURITY_IDENTITY_LEN - PEAL_ID_LEN];
    Mode expected = mode_of(mode);

    if (signature->identity != RELOAD_SIGNER_CERT_HASH_NODE_ID ||
        signature->identity_hash != PEAL_HASH_SHA256 ||
        signature->identity_value.len != SECURITY_IDENTITY_LEN ||
        memcmp(signature->identity_value.ptr + PEAL_ID_LEN, padding, sizeof(padding)) != 0) {
        return -PEAL_E_VALUE;
    }
    if (signature->hash != expected.hash || signature->sign != expected.sign ||
        signature->value.len != expected.value.len) {
        return -PEAL_E_VALUE;
    }
    memcpy(ret_node->bytes, signature->identity_value.ptr, PEAL_ID_LEN);
    return 0;
}

size_t security_len(PealCrypto mode)
{
    Mode fill = mode_of(mode);
    size_t signer_len =
        1 + 2 + 1 + 1 + SECURITY_IDENTITY_LEN; /* type, length, hash, length, hash */

    return 2 + fill.certificates.len + 2 + signer_len + 2 + fill.value.len;
}
