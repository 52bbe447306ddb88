/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * crypto.c - digests by OpenSSL's EVP.
 */
#include <peal_openssl/crypto.h>

#include <openssl/evp.h>

static size_t openssl_digest(PealHash hash, const PealBytes *parts, size_t parts_len,
                             uint8_t ret_digest[PEAL_DIGEST_MAX])
{
    const EVP_MD *md = hash == PEAL_HASH_SHA1 ? EVP_sha1() : EVP_sha256();
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned digest_len = 0;
    bool done;

    PEAL_ASSERT(hash == PEAL_HASH_SHA1 || hash == PEAL_HASH_SHA256);
    done = context != NULL && EVP_DigestInit_ex(context, md, NULL) == 1;
    for (size_t i = 0; i < parts_len && done; i++) {
        done = EVP_DigestUpdate(context, parts[i].ptr, parts[i].len) == 1;
    }
    done = done && EVP_DigestFinal_ex(context, ret_digest, &digest_len) == 1;
    EVP_MD_CTX_free(context);
    /* Fails only for want of memory, or where SHA-1 is forbidden: RELOAD cannot run there. */
    PEAL_ASSERT(done);
    return digest_len;
}

const PealCryptoOps *peal_openssl_crypto(void)
{
    static const PealCryptoOps ops = {.digest = openssl_digest};

    return &ops;
}
