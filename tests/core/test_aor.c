/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_aor.c - from SIP URIs to Resource-IDs (RFC 7904 s.2, s.7). */
#include <peal/peer.h>

#include "peal_openssl/crypto.h"
#include "peal_test.h"

static int resource_of(const char *uri, PealId *ret_id)
{
    return peal_aor_resource(peal_openssl_crypto(), (PealStr){uri, strlen(uri)}, ret_id);
}

static bool same(const char *a, const char *b)
{
    PealId of_a;
    PealId of_b;

    CU_ASSERT_EQUAL_FATAL(resource_of(a, &of_a), 0);
    CU_ASSERT_EQUAL_FATAL(resource_of(b, &of_b), 0);
    return peal_id_equal(&of_a, &of_b);
}

static void aor_is_hashed_without_scheme_by_sha1_cut_to_128_bits(void)
{
    /* printf 'bob@example.org' | sha1sum */
    char text[PEAL_ID_TEXT_LEN];
    PealId id;

    CU_ASSERT_EQUAL_FATAL(resource_of("sip:bob@example.org", &id), 0);
    peal_id_text(&id, text);
    CU_ASSERT_STRING_EQUAL(text, "97ec78b292ab06a5b64d5cc50140b2a3");
}

static void aor_schemes_give_one_resource(void)
{
    CU_ASSERT(same("sip:bob@example.org", "sips:bob@example.org"));
    CU_ASSERT(same("sip:bob@example.org", "SIP:bob@example.org"));
    CU_ASSERT(same("sip:bob@example.org", "SiPs:bob@example.org"));
}

static void aor_domain_ignores_case_and_user_does_not(void)
{
    CU_ASSERT(same("sip:bob@example.org", "sip:bob@EXAMPLE.Org"));
    CU_ASSERT_FALSE(same("sip:bob@example.org", "sip:Bob@example.org"));
    CU_ASSERT(same("sip:bob@[2001:DB8::1]", "sip:bob@[2001:db8::1]"));
}

static void aor_has_no_port_parameters_or_headers(void)
{
    CU_ASSERT(same("sip:bob@example.org", "sip:bob@example.org:5060"));
    CU_ASSERT(same("sip:bob@example.org", "sip:bob@example.org;transport=tcp;lr"));
    CU_ASSERT(same("sip:bob@example.org", "sip:bob@example.org:5080;user=phone?subject=hi"));
    CU_ASSERT(same("sip:bob@example.org", "sip:bob@example.org?subject=hi"));
    CU_ASSERT(same("sip:bob@example.org", "sip:bob@example.org."));
    CU_ASSERT(same("sip:bob@[::1]", "sip:bob@[::1]:5060"));
}

static void aor_escapes_are_decoded(void)
{
    CU_ASSERT(same("sip:bob@example.org", "sip:b%6Fb@example.org"));
    CU_ASSERT(same("sip:bob@example.org", "sip:%62%6f%62@example.org"));
    CU_ASSERT(same("sip:b%6fb@example.org", "sip:b%6Fb@example.org"));
    CU_ASSERT_FALSE(same("sip:b%256Fb@example.org", "sip:b%6Fb@example.org")); /* once only */
    CU_ASSERT_FALSE(same("sip:a%40b@example.org", "sip:b@example.org"));
}

static void aor_with_a_nul_collides_with_nothing(void)
{
    CU_ASSERT_FALSE(same("sip:bob%00@example.org", "sip:bob@example.org"));
    CU_ASSERT_FALSE(same("sip:bob%00x@example.org", "sip:bob%00y@example.org"));
    CU_ASSERT_FALSE(same("sip:%00@example.org", "sip:%00%00@example.org"));
}

static void aor_user_may_hold_what_looks_like_parameters(void)
{
    CU_ASSERT_FALSE(same("sip:bob;day=monday@example.org", "sip:bob@example.org"));
    CU_ASSERT_FALSE(same("sip:bob?x@example.org", "sip:bob@example.org"));
    CU_ASSERT_FALSE(same("sip:+1-212-555-1212@example.org", "sip:12125551212@example.org"));
}

static void aor_that_is_none_is_an_error(void)
{
    static const char *const bad[] = {"",
                                      "sip",
                                      "sip:",
                                      "sips:",
                                      "bob@example.org",
                                      "tel:+12125551212",
                                      "http://bob@example.org",
                                      "sip:example.org",
                                      "sip:@example.org",
                                      "sip:bob@",
                                      "sip:bob@:5060",
                                      "sip:bob@.",
                                      "sip:bob@.org",
                                      "sip:bob@example..org",
                                      "sip:bob@example.org:",
                                      "sip:bob@example.org:x",
                                      "sip:bob@example.org:123456",
                                      "sip:bob@example.org/path",
                                      "sip:bob@exa mple.org",
                                      "sip:bob@exa%6Dple.org",
                                      "sip:bob@[::1",
                                      "sip:bob@[]",
                                      "sip:bob@::1]",
                                      "sip:bob:secret@example.org",
                                      "sip:bo b@example.org",
                                      "sip:\"bob\"@example.org",
                                      "sip:b%6@example.org",
                                      "sip:b%@example.org",
                                      "sip:b%zz@example.org",
                                      "sip:bob@example.org@example.com",
                                      "sip:b\xc3\xb6@example.org",
                                      "<sip:bob@example.org>"};
    PealId id = {{7}};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CU_ASSERT_EQUAL(resource_of(bad[i], &id), -PEAL_E_VALUE);
    }
    CU_ASSERT_EQUAL(id.bytes[0], 7); /* untouched */
}

static void aor_is_at_most_255_bytes(void)
{
    char uri[PEAL_AOR_MAX + 1];
    PealId id;

    memset(uri, 'a', sizeof(uri));
    for (size_t i = 0; i < 4; i++) {
        uri[i] = "sip:"[i];
    }
    uri[100] = '@';
    CU_ASSERT_EQUAL(peal_aor_resource(peal_openssl_crypto(), (PealStr){uri, PEAL_AOR_MAX}, &id), 0);
    CU_ASSERT_EQUAL(peal_aor_resource(peal_openssl_crypto(), (PealStr){uri, PEAL_AOR_MAX + 1}, &id),
                    -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(peal_aor_resource(peal_openssl_crypto(), (PealStr){uri, 0}, &id),
                    -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(peal_aor_resource(peal_openssl_crypto(), (PealStr){uri, 101}, &id),
                    -PEAL_E_VALUE);
}

PEAL_TEST_MAIN("core/aor", PEAL_TEST(aor_is_hashed_without_scheme_by_sha1_cut_to_128_bits),
               PEAL_TEST(aor_schemes_give_one_resource),
               PEAL_TEST(aor_domain_ignores_case_and_user_does_not),
               PEAL_TEST(aor_has_no_port_parameters_or_headers), PEAL_TEST(aor_escapes_are_decoded),
               PEAL_TEST(aor_with_a_nul_collides_with_nothing),
               PEAL_TEST(aor_user_may_hold_what_looks_like_parameters),
               PEAL_TEST(aor_that_is_none_is_an_error), PEAL_TEST(aor_is_at_most_255_bytes))
