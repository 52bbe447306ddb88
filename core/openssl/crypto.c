/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * crypto.c - digests and MACs by OpenSSL.
 */
#include <peal_openssl/crypto.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>

enum { MAC_INPUT_FEW = 1024 }; /* tokens and nonces are a few dozen bytes */

/* Fetched once: looking for an implementation takes several times as long as a short digest. */
static EVP_MD *digests[PEAL_HASH_SHA256 + 1];
static pthread_once_t digests_once = PTHREAD_ONCE_INIT;

static void fetch_digests(void)
{
    digests[PEAL_HASH_MD5] = EVP_MD_fetch(NULL, "MD5", NULL);
    digests[PEAL_HASH_SHA1] = EVP_MD_fetch(NULL, "SHA1", NULL);
    digests[PEAL_HASH_SHA256] = EVP_MD_fetch(NULL, "SHA256", NULL);
}

static size_t openssl_digest(PealHash hash, const PealBytes *parts, size_t parts_len,
                             uint8_t ret_digest[PEAL_DIGEST_MAX])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned digest_len = 0;
    bool done;

    pthread_once(&digests_once, fetch_digests);
    done = context != NULL && digests[hash] != NULL &&
           EVP_DigestInit_ex(context, digests[hash], NULL) == 1;
    for (size_t i = 0; i < parts_len && done; i++) {
        done = EVP_DigestUpdate(context, parts[i].ptr, parts[i].len) == 1;
    }
    done = done && EVP_DigestFinal_ex(context, ret_digest, &digest_len) == 1;
    EVP_MD_CTX_free(context);
    /* Fails only for want of memory, or where SHA-1 is forbidden: RELOAD cannot run there. */
    PEAL_ASSERT(done);
    return digest_len;
}

/* What it is of stands in several places; OpenSSL's one-call HMAC wants it in one. */
static void openssl_mac(const uint8_t key[PEAL_MAC_LEN], const PealBytes *parts, size_t parts_len,
                        uint8_t ret_mac[PEAL_MAC_LEN])
{
    uint8_t few[MAC_INPUT_FEW];
    uint8_t *bytes = few;
    unsigned mac_len = 0;
    size_t total = 0;
    size_t len = 0;

    for (size_t i = 0; i < parts_len; i++) {
        total += parts[i].len;
    }
    if (total > sizeof(few)) {
        bytes = OPENSSL_malloc(total);
        PEAL_ASSERT(bytes != NULL);
    }
    for (size_t i = 0; i < parts_len; i++) {
        if (parts[i].len > 0) {
            memcpy(bytes + len, parts[i].ptr, parts[i].len);
        }
        len += parts[i].len;
    }
    PEAL_ASSERT(HMAC(EVP_sha256(), key, PEAL_MAC_LEN, bytes, len, ret_mac, &mac_len) != NULL);
    if (bytes != few) {
        OPENSSL_free(bytes);
    }
}

const PealCryptoOps *peal_openssl_crypto(void)
{
    static const PealCryptoOps ops = {.digest = openssl_digest, .mac = openssl_mac};

    return &ops;
}
