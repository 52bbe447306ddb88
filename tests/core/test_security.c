/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_security.c - crypto modes, digests, and the overlay's configuration.
 */
#include "core/golden.h"
#include "peal_test.h"
#include "security/security.h"

#include <peal_openssl/crypto.h>

static const PealCrypto modes[] = {PEAL_CRYPTO_NONE, PEAL_CRYPTO_MODELLED_P256,
                                   PEAL_CRYPTO_MODELLED_RSA2048};
enum { MODES = 3 };

static void a_signature_names_its_signer_in_its_own_mode_only(void)
{
    for (size_t i = 0; i < MODES; i++) {
        uint8_t identity[SECURITY_IDENTITY_LEN];
        ReloadSecurity security = security_fill(modes[i], &GOLDEN_NODE_C, identity);
        PealId signer;

        for (size_t k = 0; k < MODES; k++) {
            int error = security_signer(modes[k], &security.signature, &signer);

            CU_ASSERT_EQUAL(error, i == k ? 0 : -PEAL_E_VALUE);
        }
        CU_ASSERT_TRUE(peal_id_equal(&signer, &GOLDEN_NODE_C));
    }
}

static void signatures_that_fit_no_mode_are_refused(void)
{
    uint8_t identity[SECURITY_IDENTITY_LEN];
    ReloadSignature good = security_fill(PEAL_CRYPTO_NONE, &GOLDEN_NODE_C, identity).signature;
    ReloadSignature bad;
    PealId signer;

    bad = good;
    bad.identity = RELOAD_SIGNER_NONE;
    CU_ASSERT_EQUAL(security_signer(PEAL_CRYPTO_NONE, &bad, &signer), -PEAL_E_VALUE);
    bad = good;
    bad.identity = RELOAD_SIGNER_CERT_HASH;
    CU_ASSERT_EQUAL(security_signer(PEAL_CRYPTO_NONE, &bad, &signer), -PEAL_E_VALUE);
    bad = good;
    bad.identity_value.len = 31;
    CU_ASSERT_EQUAL(security_signer(PEAL_CRYPTO_NONE, &bad, &signer), -PEAL_E_VALUE);
    bad = good;
    bad.identity_hash = PEAL_HASH_SHA1;
    CU_ASSERT_EQUAL(security_signer(PEAL_CRYPTO_NONE, &bad, &signer), -PEAL_E_VALUE);
    bad = good;
    bad.value = (PealBytes){identity, 1};
    CU_ASSERT_EQUAL(security_signer(PEAL_CRYPTO_NONE, &bad, &signer), -PEAL_E_VALUE);
    identity[31] = 1;
    CU_ASSERT_EQUAL(security_signer(PEAL_CRYPTO_NONE, &good, &signer), -PEAL_E_VALUE);
}

static void a_block_takes_the_room_it_says(void)
{
    static const size_t least[] = {40, 500, 1100};

    for (size_t i = 0; i < MODES; i++) {
        uint8_t identity[SECURITY_IDENTITY_LEN];
        uint8_t bytes[2048];
        ReloadSecurity security = security_fill(modes[i], &GOLDEN_NODE_A, identity);
        Writer w = writer_make(bytes, sizeof(bytes));

        put_u16(&w, (uint16_t)security.certificates.len);
        put_bytes(&w, security.certificates);
        put_signature(&w, &security.signature);
        CU_ASSERT_EQUAL(w.len, security_len(modes[i]));
        CU_ASSERT_TRUE(w.len >= least[i]);
    }
}

static void digests_are_real(void)
{
    const PealCryptoOps *crypto = peal_openssl_crypto();
    const PealBytes parts[] = {{(const uint8_t *)"a", 1}, {NULL, 0}, {(const uint8_t *)"bc", 2}};
    uint8_t digest[PEAL_DIGEST_MAX];
    static const uint8_t sha1_abc[] = {0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81, 0x6a, 0xba, 0x3e,
                                       0x25, 0x71, 0x78, 0x50, 0xc2, 0x6c, 0x9c, 0xd0, 0xd8, 0x9d};
    static const uint8_t sha256_abc_start[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea};

    CU_ASSERT_EQUAL(crypto->digest(PEAL_HASH_SHA1, parts, 3, digest), 20);
    CU_ASSERT_EQUAL(memcmp(digest, sha1_abc, sizeof(sha1_abc)), 0);
    CU_ASSERT_EQUAL(crypto->digest(PEAL_HASH_SHA256, parts, 3, digest), 32);
    CU_ASSERT_EQUAL(memcmp(digest, sha256_abc_start, sizeof(sha256_abc_start)), 0);
}

static void an_overlay_is_known_by_the_last_bytes_of_its_names_digest(void)
{
    PealStr name = {GOLDEN_OVERLAY_NAME, strlen(GOLDEN_OVERLAY_NAME)};

    CU_ASSERT_EQUAL(peal_overlay_hash(peal_openssl_crypto(), name), GOLDEN_OVERLAY_HASH);
}

static void the_defaults_are_those_of_the_rfc_and_pass_the_check(void)
{
    PealOverlay overlay;
    const char *field = NULL;

    peal_overlay_defaults(&overlay);
    CU_ASSERT_EQUAL(peal_overlay_check(&overlay, &field), 0);
    CU_ASSERT_PTR_NULL(field);
    CU_ASSERT_EQUAL(overlay.initial_ttl, 100);
    CU_ASSERT_EQUAL(overlay.message_max, 5000);
    CU_ASSERT_EQUAL(overlay.fingers, 16);
    CU_ASSERT_EQUAL(overlay.replicas, 2);
    CU_ASSERT_EQUAL(overlay.update_interval.ns, 600 * PEAL_NS_PER_S);
    CU_ASSERT_EQUAL(overlay.request_lifetime.ns,
                    overlay.request_sends * overlay.request_timeout.ns);
    CU_ASSERT_EQUAL_FATAL(overlay.kinds_len, 2);
    CU_ASSERT_EQUAL(overlay.kinds[0].id, PEAL_KIND_SIP_REGISTRATION);
    CU_ASSERT_EQUAL(overlay.kinds[0].model, PEAL_MODEL_DICTIONARY);
    CU_ASSERT_EQUAL(overlay.kinds[0].access, PEAL_ACCESS_USER_NODE_MATCH);
    CU_ASSERT_EQUAL(overlay.kinds[1].id, PEAL_KIND_SIP_REGISTRATION_COPY);
    CU_ASSERT_EQUAL(overlay.kinds[1].model, PEAL_MODEL_DICTIONARY);
    CU_ASSERT_EQUAL(overlay.kinds[1].access, PEAL_ACCESS_USER_NODE_MULTIPLE);
}

static void the_check_names_the_field_that_is_out_of_range(void)
{
    PealOverlay overlay;
    const char *field = NULL;

    peal_overlay_defaults(&overlay);
    overlay.successors = 0;
    CU_ASSERT_EQUAL(peal_overlay_check(&overlay, &field), -PEAL_E_ARG);
    CU_ASSERT_STRING_EQUAL(field, "successors");
    peal_overlay_defaults(&overlay);
    overlay.replicas = 9;
    CU_ASSERT_EQUAL(peal_overlay_check(&overlay, &field), -PEAL_E_ARG);
    CU_ASSERT_STRING_EQUAL(field, "replicas");
    peal_overlay_defaults(&overlay);
    overlay.link_rto_min = peal_seconds(1);
    CU_ASSERT_EQUAL(peal_overlay_check(&overlay, &field), -PEAL_E_ARG);
    CU_ASSERT_STRING_EQUAL(field, "link_rto_min");
    peal_overlay_defaults(&overlay);
    overlay.kinds = NULL;
    CU_ASSERT_EQUAL(peal_overlay_check(&overlay, &field), -PEAL_E_ARG);
    CU_ASSERT_STRING_EQUAL(field, "kinds");
}

PEAL_TEST_MAIN("core/security", PEAL_TEST(a_signature_names_its_signer_in_its_own_mode_only),
               PEAL_TEST(signatures_that_fit_no_mode_are_refused),
               PEAL_TEST(a_block_takes_the_room_it_says), PEAL_TEST(digests_are_real),
               PEAL_TEST(an_overlay_is_known_by_the_last_bytes_of_its_names_digest),
               PEAL_TEST(the_defaults_are_those_of_the_rfc_and_pass_the_check),
               PEAL_TEST(the_check_names_the_field_that_is_out_of_range))
