/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_sip_value.c - text, addresses, URIs and other values; the arena they are read in. */
#include "peal_test.h"
#include "sip/arena.h"
#include "sip/value.h"

enum { LONG_LEN = SIP_ARENA_LEN + 64 };

static SipArena arena;

static bool is(PealStr str, const char *z)
{
    return sip_equal(str, sip_str(z));
}

static SipUri uri_of(const char *z)
{
    SipUri uri = {0};

    CU_ASSERT_EQUAL(sip_uri_parse(sip_str(z), &uri), 0);
    return uri;
}

static void enter(void)
{
    sip_arena_setup();
    sip_arena_enter(&arena);
}

static void leave(void)
{
    sip_arena_leave(&arena);
}

static void text_is_written_up_to_its_bound(void)
{
    char bytes[8];
    SipText text = sip_text_make(bytes, sizeof(bytes));

    sip_put_z(&text, "ab");
    sip_put_u32(&text, 4294967295U);
    CU_ASSERT_TRUE(text.overflow);
    text = sip_text_make(bytes, sizeof(bytes));
    sip_put_u32(&text, 0);
    sip_put_hex(&text, (const uint8_t *)"\x0f\xa0", 2);
    CU_ASSERT_FALSE(text.overflow);
    CU_ASSERT_TRUE(is(sip_text_view(&text), "00fa0"));
    sip_put_z(&text, "1234");
    CU_ASSERT_TRUE(text.overflow);
    CU_ASSERT_EQUAL(text.len, 5);
}

static void addresses_are_read_and_written_the_same(void)
{
    static const struct {
        const char *in;
        const char *out;
    } good[] = {{"192.0.2.1", "192.0.2.1"},
                {"[2001:DB8:0:0:0:0:0:1]", "[2001:db8::1]"},
                {"::", "[::]"},
                {"::1", "[::1]"},
                {"1::", "[1::]"},
                {"1:0:0:2:0:0:0:3", "[1:0:0:2::3]"},
                {"1:0:2:3:4:5:6:7", "[1:0:2:3:4:5:6:7]"},
                {"::ffff:192.0.2.1", "[::ffff:192.0.2.1]"},
                {"64:ff9b::192.0.2.33", "[64:ff9b::c000:221]"},
                {"1:2:3:4:5:6:7::", "[1:2:3:4:5:6:7:0]"},
                {"0:0:0:0:0:0:13.1.68.3", "[::d01:4403]"}};
    static const char *const bad[] = {"",
                                      "p2p.test",
                                      "192.0.2",
                                      "192.0.2.256",
                                      "1.2.3.4.5",
                                      ":",
                                      ":::",
                                      "1::2::3",
                                      "1:2:3:4:5:6:7:8:9",
                                      "12345::",
                                      "[::1",
                                      "1:2:3:4:5:6:7:8::",
                                      "::1.2.3",
                                      "1:",
                                      "1:2:3:4:5:6:7:1.2.3.4",
                                      "::g",
                                      "1.2.3.0004"};
    PealAddr addr;

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        char bytes[64];
        SipText text = sip_text_make(bytes, sizeof(bytes));

        CU_ASSERT_EQUAL(sip_addr(sip_str(good[i].in), &addr), 0);
        sip_put_addr(&text, &addr, 0);
        CU_ASSERT_TRUE(is(sip_text_view(&text), good[i].out));
        sip_put_addr(&text, &addr, 5061);
        CU_ASSERT_EQUAL(memcmp(bytes + text.len - 5, ":5061", 5), 0);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        CU_ASSERT_EQUAL(sip_addr(sip_str(bad[i]), &addr), -PEAL_E_VALUE);
    }
}

static void numbers_that_do_not_fit_are_refused(void)
{
    uint32_t value = 7;

    CU_ASSERT_EQUAL(sip_u32(sip_str("0068"), 255, &value), 0);
    CU_ASSERT_EQUAL(value, 68);
    CU_ASSERT_EQUAL(sip_u32(sip_str("4294967295"), UINT32_MAX, &value), 0);
    CU_ASSERT_EQUAL(value, UINT32_MAX);
    CU_ASSERT_EQUAL(sip_u32(sip_str("4294967296"), UINT32_MAX, &value), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(sip_u32(sip_str("99999999999999999999999999"), UINT32_MAX, &value),
                    -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(sip_u32(sip_str(""), 9, &value), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(sip_u32(sip_str("-1"), 9, &value), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(sip_u32(sip_str("1 "), 9, &value), -PEAL_E_VALUE);
}

static void a_uri_keeps_its_escapes(void)
{
    SipUri uri;
    PealStr value;

    enter();
    uri = uri_of("sips:null-%00-null:pw@[2001:db8::1]:5061;transport=tcp;lr?Subject=x");
    CU_ASSERT_EQUAL(uri.scheme, SIP_SCHEME_SIPS);
    CU_ASSERT_TRUE(is(uri.user, "null-%00-null"));
    CU_ASSERT_TRUE(is(uri.host, "[2001:db8::1]"));
    CU_ASSERT_EQUAL(uri.port, 5061);
    CU_ASSERT_TRUE(is(uri.params, ";transport=tcp;lr"));
    CU_ASSERT_TRUE(is(uri.headers, "Subject=x"));
    CU_ASSERT_TRUE(sip_param(uri.params, "Transport", &value) && is(value, "tcp"));
    CU_ASSERT_TRUE(sip_param(uri.params, "lr", &value) && value.len == 0);
    CU_ASSERT_FALSE(sip_param(uri.params, "maddr", &value));
    uri = uri_of("sip:user;par=u%40example.net@example.com");
    CU_ASSERT_TRUE(is(uri.user, "user;par=u%40example.net"));
    CU_ASSERT_TRUE(is(uri.host, "example.com"));
    CU_ASSERT_EQUAL(uri.params.len, 0);
    uri = uri_of("SIP:example.com");
    CU_ASSERT_EQUAL(uri.user.len, 0);
    CU_ASSERT_EQUAL(uri.port, 0);
    uri = uri_of("tel:+1-201-555-0123;phone-context=x");
    CU_ASSERT_EQUAL(uri.scheme, SIP_SCHEME_TEL);
    CU_ASSERT_TRUE(is(uri.user, "+1-201-555-0123"));
    uri = uri_of("soap.beep://192.0.2.103:3002");
    CU_ASSERT_EQUAL(uri.scheme, SIP_SCHEME_OTHER);
    leave();
}

static void bad_uris_are_refused(void)
{
    static const char *const bad[] = {"",
                                      "sip:",
                                      "sip:@h",
                                      "sip:a@",
                                      "sip:a@h:0",
                                      "sip:a@h:65536",
                                      "sip:a@h:x",
                                      "sip:a b@h",
                                      "sip:a@h;;x",
                                      "sip:a%4@h",
                                      "sip:a%zz@h",
                                      "sip:a@[::g]",
                                      "sip:a@h<",
                                      "a@h",
                                      "1sip:a@h",
                                      "sip:a@h@i",
                                      "sip:a@h>",
                                      "sip:\xc3\xa4@h",
                                      "sip:a@h;x=\"y\"",
                                      ":a@h"};
    SipUri uri;

    enter();
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        CU_ASSERT_EQUAL(sip_uri_parse(sip_str(bad[i]), &uri), -PEAL_E_VALUE);
    }
    leave();
}

static void uris_compare_as_rfc_3261_has_it(void)
{
    static const struct {
        const char *a;
        const char *b;
        bool same;
    } pairs[] = {
        {"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp", true},
        {"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true},
        {"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5", true},
        {"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", false},
        {"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
         "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com", true},
        {"sip:alice@atlanta.com?subject=project%20x&priority=urgent",
         "sip:alice@atlanta.com?priority=urgent&subject=project%20x", true},
        {"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false},
        {"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false},
        {"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false},
        {"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false},
        {"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false},
        {"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false},
        {"sip:bob@h", "sips:bob@h", false},
        {"sip:%00@h", "sip:%00%00@h", false},
        {"sip:a%3Ab@h", "sip:a:b@h", false},
        {"sip:a:pw@h", "sip:a@h", false},
        {"sip:h", "sip:a@h", false},
        {"tel:+1;x=1", "TEL:+1;x=1", true},
        {"urn:a", "urn:b", false},
    };

    enter();
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        SipUri a = uri_of(pairs[i].a);
        SipUri b = uri_of(pairs[i].b);

        CU_ASSERT_EQUAL(sip_uri_same(&a, &b), pairs[i].same);
        CU_ASSERT_EQUAL(sip_uri_same(&b, &a), pairs[i].same);
        CU_ASSERT_TRUE(sip_uri_same(&a, &a));
    }
    leave();
}

static void addresses_of_fields_are_read_in_both_forms(void)
{
    SipAddress address = {0};
    PealStr tag;

    enter();
    CU_ASSERT_EQUAL(
        sip_address_parse(sip_str(" \"A. \\\"B\\\" <x>\"\r\n <sip:a@h;lr> ; tag = \"1;2\" ;q"),
                          &address),
        0);
    CU_ASSERT_TRUE(is(address.display, "A. \\\"B\\\" <x>"));
    CU_ASSERT_TRUE(is(address.uri.text, "sip:a@h;lr"));
    CU_ASSERT_TRUE(is(address.uri.params, ";lr"));
    CU_ASSERT_TRUE(sip_param(address.params, "tag", &tag) && is(tag, "1;2"));
    CU_ASSERT_TRUE(sip_param(address.params, "q", &tag) && tag.len == 0);
    CU_ASSERT_EQUAL(sip_address_parse(sip_str("sip:a@h;expires=60"), &address), 0);
    CU_ASSERT_TRUE(is(address.uri.text, "sip:a@h"));
    CU_ASSERT_TRUE(is(address.params, ";expires=60"));
    CU_ASSERT_EQUAL(sip_address_parse(sip_str("caller<sip:a@h>;tag=323"), &address), 0);
    CU_ASSERT_TRUE(is(address.display, "caller"));
    CU_ASSERT_EQUAL(sip_address_parse(sip_str("isbn:2983792873"), &address), 0);
    CU_ASSERT_EQUAL(address.uri.scheme, SIP_SCHEME_OTHER);
    CU_ASSERT_EQUAL(sip_address_parse(sip_str("J\xc3\xb6rg <sip:a@h>;tag=1"), &address), 0);
    CU_ASSERT_TRUE(is(address.display, "J\xc3\xb6rg"));
    CU_ASSERT_EQUAL(sip_address_parse((PealStr){"\"\\\0\" <sip:a@h>;x", 16}, &address), 0);
    CU_ASSERT_TRUE(is(address.params, ";x"));
    CU_ASSERT_EQUAL(sip_address_parse(sip_str("*"), &address), 0);
    CU_ASSERT_TRUE(address.star);
    leave();
}

static void bad_addresses_are_refused(void)
{
    static const char *const bad[] = {
        "",
        "sip:a@h?Route=%3Csip:b%3E", /* must be in brackets */
        "sip:a@h,sip:b@h",
        "< sip:a@h>",
        "<sip:a@h >",
        "<sip:a@h",
        "\"a <sip:a@h>",
        "\"a\" sip:a@h",
        "a, b <sip:a@h>",
        "<sip:a@h>;;x",
        "<sip:a@h> x",
        "<sip:a@h>;x=\"y",
        "\"a\"",
    };
    SipAddress address;

    enter();
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        CU_ASSERT_EQUAL(sip_address_parse(sip_str(bad[i]), &address), -PEAL_E_VALUE);
    }
    leave();
}

static void a_via_is_read_with_white_space_everywhere(void)
{
    SipVia via = {0};

    CU_ASSERT_EQUAL(sip_via_parse(sip_str(
                                      "SIP  / 2.0\r\n /UDP\r\n    192.0.2.2 : 5070 ; branch =\r\n"
                                      " z9hG4bK1 ; rport;received=192.0.2.9"),
                                  &via),
                    0);
    CU_ASSERT_TRUE(is(via.transport, "UDP"));
    CU_ASSERT_TRUE(is(via.host, "192.0.2.2"));
    CU_ASSERT_EQUAL(via.port, 5070);
    CU_ASSERT_TRUE(is(via.branch, "z9hG4bK1"));
    CU_ASSERT_TRUE(is(via.received, "192.0.2.9"));
    CU_ASSERT_TRUE(via.rport_asked);
    CU_ASSERT_EQUAL(sip_via_parse(sip_str("SIP/2.0/TLS [2001:db8::1];rport=4000"), &via), 0);
    CU_ASSERT_TRUE(is(via.host, "[2001:db8::1]"));
    CU_ASSERT_FALSE(via.rport_asked);
    CU_ASSERT_EQUAL(via.rport, 4000);
    CU_ASSERT_EQUAL(via.port, 0);
}

static void a_cseq_is_a_number_and_a_method(void)
{
    SipCSeq cseq = {0};

    CU_ASSERT_EQUAL(sip_cseq_parse(sip_str("0009\r\n  INVITE"), &cseq), 0);
    CU_ASSERT_EQUAL(cseq.number, 9);
    CU_ASSERT_TRUE(is(cseq.method, "INVITE"));
    CU_ASSERT_EQUAL(sip_cseq_parse(sip_str("36893488147419103232 REGISTER"), &cseq), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(sip_cseq_parse(sip_str("1 IN VITE"), &cseq), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(sip_cseq_parse(sip_str("1"), &cseq), -PEAL_E_VALUE);
}

static void credentials_are_read_without_their_quotes(void)
{
    SipDigest digest = {0};

    enter();
    CU_ASSERT_EQUAL(sip_digest_parse(sip_str(
                                         "Digest username=\"bob, jr\",realm=\"p2p.test\",\r\n "
                                         "nonce=\"n==\", uri=\"sip:p2p.test\", response=\"0a\", "
                                         "algorithm=SHA-256, cnonce=\"c\", qop=auth, "
                                         "nc=00000001, opaque=\"o\""),
                                     &digest),
                    0);
    CU_ASSERT_TRUE(is(digest.scheme, "Digest"));
    CU_ASSERT_TRUE(is(digest.username, "bob, jr"));
    CU_ASSERT_TRUE(is(digest.realm, "p2p.test"));
    CU_ASSERT_TRUE(is(digest.nonce, "n=="));
    CU_ASSERT_TRUE(is(digest.uri, "sip:p2p.test"));
    CU_ASSERT_TRUE(is(digest.response, "0a"));
    CU_ASSERT_TRUE(is(digest.algorithm, "SHA-256"));
    CU_ASSERT_TRUE(is(digest.cnonce, "c"));
    CU_ASSERT_TRUE(is(digest.qop, "auth"));
    CU_ASSERT_TRUE(is(digest.nc, "00000001"));
    CU_ASSERT_TRUE(is(digest.opaque, "o"));
    CU_ASSERT_FALSE(digest.stale);
    CU_ASSERT_EQUAL(
        sip_digest_parse(sip_str("Digest realm=\"r\", nonce=\"n\", qop=\"auth\", stale=TRUE"),
                         &digest),
        0);
    CU_ASSERT_TRUE(digest.stale);
    CU_ASSERT_TRUE(is(digest.qop, "auth"));
    CU_ASSERT_EQUAL(sip_digest_parse(sip_str("Digest realm=\"r\", qop=\"auth-int, auth\", "
                                             "nonce=\"n\", algorithm=MD5"),
                                     &digest),
                    0);
    CU_ASSERT_TRUE(is(digest.qop, "auth-int, auth"));
    CU_ASSERT_TRUE(is(digest.nonce, "n"));
    CU_ASSERT_EQUAL(sip_digest_parse(sip_str("NoOneKnowsThisScheme opaque-data=here"), &digest), 0);
    CU_ASSERT_TRUE(is(digest.scheme, "NoOneKnowsThisScheme"));
    CU_ASSERT_EQUAL(sip_digest_parse(sip_str("Digest"), &digest), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(sip_digest_parse(sip_str(""), &digest), -PEAL_E_VALUE);
    leave();
}

/* A text longer than an arena, with this before and that behind it. */
static void fill_long(char ret_text[LONG_LEN + 1], const char *before, const char *behind)
{
    memset(ret_text, 'x', LONG_LEN);
    for (size_t i = 0; before[i] != '\0'; i++) {
        ret_text[i] = before[i];
    }
    for (size_t i = 0; behind[i] != '\0'; i++) {
        ret_text[LONG_LEN - strlen(behind) + i] = behind[i];
    }
    ret_text[LONG_LEN] = '\0';
}

static void arenas_nest_and_a_text_too_long_for_one_is_refused(void)
{
    static SipArena inner;
    static char longer[LONG_LEN + 1];
    SipDigest outer_digest = {0};
    SipDigest digest = {0};
    SipAddress address;

    enter();
    CU_ASSERT_EQUAL(sip_digest_parse(sip_str("Digest realm=\"outer\""), &outer_digest), 0);
    sip_arena_enter(&inner);
    CU_ASSERT_EQUAL(sip_digest_parse(sip_str("Digest realm=\"inner\""), &digest), 0);
    CU_ASSERT_TRUE((const uint8_t *)digest.realm.ptr >= inner.bytes &&
                   (const uint8_t *)digest.realm.ptr < inner.bytes + sizeof(inner.bytes));
    sip_arena_leave(&inner);
    CU_ASSERT_TRUE(is(outer_digest.realm, "outer"));
    fill_long(longer, "sip:", "@h");
    CU_ASSERT_EQUAL(sip_address_parse(sip_str(longer), &address), -PEAL_E_FULL);
    fill_long(longer, "Digest realm=\"", "\"");
    CU_ASSERT_EQUAL(sip_digest_parse(sip_str(longer), &digest), -PEAL_E_FULL);
    /* reading addresses leaves nothing behind, however many there are */
    const size_t used = arena.used;

    for (int i = 0; i < 1000; i++) {
        CU_ASSERT_EQUAL(sip_address_parse(sip_str("\"A\" <sip:a@h;x=y>;q=0.5"), &address), 0);
    }
    CU_ASSERT_EQUAL(arena.used, used);
    leave();
}

PEAL_TEST_MAIN("core/sip_value", PEAL_TEST(text_is_written_up_to_its_bound),
               PEAL_TEST(addresses_are_read_and_written_the_same),
               PEAL_TEST(numbers_that_do_not_fit_are_refused), PEAL_TEST(a_uri_keeps_its_escapes),
               PEAL_TEST(bad_uris_are_refused), PEAL_TEST(uris_compare_as_rfc_3261_has_it),
               PEAL_TEST(addresses_of_fields_are_read_in_both_forms),
               PEAL_TEST(bad_addresses_are_refused),
               PEAL_TEST(a_via_is_read_with_white_space_everywhere),
               PEAL_TEST(a_cseq_is_a_number_and_a_method),
               PEAL_TEST(credentials_are_read_without_their_quotes),
               PEAL_TEST(arenas_nest_and_a_text_too_long_for_one_is_refused))
