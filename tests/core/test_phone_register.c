/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_phone_register.c - a phone that registers and proves who it is, with a scripted server. */
#include "core/phones.h"
#include "peal_test.h"

static const char contact_3600[] = "Contact: <sip:alice@192.0.2.1:5060>;expires=3600\r\n";

static void phone_registers_and_refreshes_at_nine_tenths(void)
{
    PealPhone *phone;

    phones_setup();
    phone = phones.users[0].phone;
    CU_ASSERT_EQUAL(peal_phone_register(phone, 7200, 5), 0);
    CU_ASSERT_EQUAL(peal_phone_register(phone, 7200, 6), -PEAL_E_STATE);
    CU_ASSERT(strncmp(phones_last_sent(0), "REGISTER sip:example.org SIP/2.0\r\n", 34) == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(phones_last_sent(0), "Expires: 7200\r\n"));
    CU_ASSERT_FALSE(peal_phone_registered(phone));
    phones_tell("200 OK", phones_last_sent(0), contact_3600);
    CU_ASSERT(peal_phone_registered(phone));
    phones_kinds_are(0, (PealPhoneEventKind[]){PEAL_PHONE_REGISTERED}, 1);
    CU_ASSERT_EQUAL(phones.users[0].events[0].token, 5);
    CU_ASSERT_EQUAL(phones.users[0].events[0].expires_s, 3600);
    CU_ASSERT_FALSE(phones.users[0].events[0].refresh);
    phones_wait_to(3239999);
    CU_ASSERT_EQUAL(phones.users[0].env.sent_len, 1);
    phones_wait_to(3240000);
    CU_ASSERT_EQUAL(phones.users[0].env.sent_len, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(phones_last_sent(0), "CSeq: 2 REGISTER\r\n"));
    phones_tell("200 OK", phones_last_sent(0), contact_3600);
    CU_ASSERT(phones.users[0].events[1].refresh);
    CU_ASSERT_EQUAL(peal_phone_unregister(phone, 6), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(phones_last_sent(0), "Expires: 0\r\n"));
    phones_tell("200 OK", phones_last_sent(0), "");
    CU_ASSERT_EQUAL(phones.users[0].events[2].token, 6);
    CU_ASSERT_FALSE(peal_phone_registered(phone));
    phones_wait_to(9000000);
    CU_ASSERT_EQUAL(phones.users[0].env.sent_len, 3);
    phones_finish();
}

static void phone_tries_again_with_backoff_when_registering_fails(void)
{
    phones_setup();
    CU_ASSERT_EQUAL(peal_phone_register(phones.users[0].phone, 3600, 5), 0);
    phones_wait_to(32000);
    CU_ASSERT_EQUAL(phones.users[0].events[0].status, 408);
    CU_ASSERT_FALSE(phones.users[0].events[0].refresh);
    CU_ASSERT_EQUAL(phones.users[0].env.sent_len, 11);
    phones_wait_to(32000 + 15000 - 1);
    CU_ASSERT_EQUAL(phones.users[0].env.sent_len, 11);
    phones_wait_to(32000 + 30000);
    CU_ASSERT(phones.users[0].env.sent_len > 11);
    phones_tell("503 Busy", phones_last_sent(0), "Retry-After: 100 (soon)\r\n");
    CU_ASSERT_EQUAL(phones.users[0].events[1].status, 503);
    CU_ASSERT(phones.users[0].events[1].refresh);
    size_t sent = phones.users[0].env.sent_len;
    phones_wait_to(62000 + 99999);
    CU_ASSERT_EQUAL(phones.users[0].env.sent_len, sent);
    phones_wait_to(62000 + 100000);
    CU_ASSERT_EQUAL(phones.users[0].env.sent_len, sent + 1);
    phones_tell("200 OK", phones_last_sent(0), contact_3600);
    CU_ASSERT(peal_phone_registered(phones.users[0].phone));
    phones_finish();
}

static void phone_asks_for_longer_when_the_interval_is_too_brief(void)
{
    phones_setup();
    CU_ASSERT_EQUAL(peal_phone_register(phones.users[0].phone, 30, 5), 0);
    phones_tell("423 Interval Too Brief", phones_last_sent(0), "Min-Expires: 60\r\n");
    CU_ASSERT_EQUAL(phones.users[0].events_len, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(phones_last_sent(0), "Expires: 60\r\n"));
    phones_tell("200 OK", phones_last_sent(0), "Expires: 60\r\n");
    CU_ASSERT_EQUAL(phones.users[0].events[0].expires_s, 60);
    phones_finish();
}

/* The credentials of RFC 7616 s.3.9.1 depend on a drawn cnonce, so they are computed anew here. */
static void check_response(const char *request, PealHash hash, const char *method, const char *uri)
{
    char cnonce[64] = "";
    char response[80] = "";
    const char *at = strstr(request, "cnonce=\"");
    char a1[128];
    char a2[128];
    char all[512];
    char hex[3][80];
    const char *texts[3] = {a1, a2, all};

    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    sscanf(at, "cnonce=\"%63[^\"]", cnonce);
    at = strstr(request, "response=\"");
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    sscanf(at, "response=\"%79[^\"]", response);
    snprintf(a1, sizeof(a1), "alice:example.org:secret");
    snprintf(a2, sizeof(a2), "%s:%s", method, uri);
    for (int i = 0; i < 3; i++) {
        uint8_t digest[PEAL_DIGEST_MAX];
        SipText text = sip_text_make(hex[i], sizeof(hex[i]) - 1);

        if (i == 2) {
            snprintf(all, sizeof(all), "%s:n0nce:00000001:%s:auth:%s", hex[0], cnonce, hex[1]);
        }
        size_t len = phones.users[0].env.plain.ops.crypto->digest(
            hash, &(PealBytes){(const uint8_t *)texts[i], strlen(texts[i])}, 1, digest);
        sip_put_hex(&text, digest, len);
        hex[i][text.len] = '\0';
    }
    CU_ASSERT_STRING_EQUAL(response, hex[2]);
}

static void phone_answers_a_challenge_by_the_first_algorithm_it_knows(void)
{
    static const char *const challenges[] = {
        "WWW-Authenticate: Digest realm=\"example.org\", nonce=\"n0nce\", algorithm=SHA-512-256, "
        "qop=\"auth\"\r\n"
        "WWW-Authenticate: Digest realm=\"example.org\", nonce=\"n0nce\", algorithm=SHA-256, "
        "qop=\"auth\", opaque=\"o\"\r\n"
        "WWW-Authenticate: Digest realm=\"example.org\", nonce=\"n0nce\", algorithm=MD5, "
        "qop=\"auth\"\r\n",
        "WWW-Authenticate: Digest realm=\"example.org\", nonce=\"n0nce\", "
        "qop=\"auth-int, auth\"\r\n"};
    static const PealHash hashes[] = {PEAL_HASH_SHA256, PEAL_HASH_MD5};

    for (int i = 0; i < 2; i++) {
        phones_setup_with("secret");
        CU_ASSERT_EQUAL(peal_phone_register(phones.users[0].phone, 3600, 5), 0);
        phones_tell("401 Unauthorized", phones_last_sent(0), challenges[i]);
        CU_ASSERT_EQUAL(phones.users[0].events_len, 0);
        CU_ASSERT_PTR_NOT_NULL(
            strstr(phones_last_sent(0), "\r\nAuthorization: Digest username=\"alice\""));
        check_response(phones_last_sent(0), hashes[i], "REGISTER", "sip:example.org");
        phones_tell("200 OK", phones_last_sent(0), contact_3600);
        CU_ASSERT_EQUAL(phones.users[0].events[0].status, 200);
        phones_finish();
    }
}

static void phone_gives_up_when_its_credentials_are_refused(void)
{
    static const char fresh[] =
        "WWW-Authenticate: Digest realm=\"example.org\", nonce=\"n0nce\", qop=\"auth\"\r\n";
    static const char stale[] = "WWW-Authenticate: Digest realm=\"example.org\", nonce=\"n1\", "
                                "qop=\"auth\", stale=true\r\n";

    phones_setup_with("secret");
    CU_ASSERT_EQUAL(peal_phone_register(phones.users[0].phone, 3600, 5), 0);
    phones_tell("401 Unauthorized", phones_last_sent(0), fresh);
    phones_tell("401 Unauthorized", phones_last_sent(0), stale);
    CU_ASSERT_EQUAL(phones.users[0].events_len, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(phones_last_sent(0), "nonce=\"n1\""));
    phones_tell("401 Unauthorized", phones_last_sent(0), fresh);
    CU_ASSERT_EQUAL(phones.users[0].events_len, 1);
    CU_ASSERT_EQUAL(phones.users[0].events[0].status, 401);
    phones_finish();
    phones_setup();
    CU_ASSERT_EQUAL(peal_phone_register(phones.users[0].phone, 3600, 5), 0);
    phones_tell("401 Unauthorized", phones_last_sent(0), fresh); /* there is no password */
    CU_ASSERT_EQUAL(phones.users[0].events[0].status, 401);
    phones_finish();
}

static void phone_authenticates_its_call_and_the_ack(void)
{
    static const char challenge[] =
        "Proxy-Authenticate: Digest realm=\"example.org\", nonce=\"n0nce\", qop=\"auth\"\r\n";

    phones_setup_with("secret");
    CU_ASSERT_EQUAL(phones_call_bob(10), 0);
    phones_tell("407 Proxy Authentication Required", phones_last_sent(0), challenge);
    CU_ASSERT_EQUAL(phones.users[0].events_len, 0);
    CU_ASSERT(sip_env_says(&phones.users[0].env, 1, "ACK "));
    CU_ASSERT(strncmp(phones_last_sent(0), "INVITE ", 7) == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(phones_last_sent(0), "CSeq: 2 INVITE\r\n"));
    check_response(phones_last_sent(0), PEAL_HASH_MD5, "INVITE", "sip:bob@example.org");
    phones_tell("200 OK", phones_last_sent(0), "Contact: <sip:bob@192.0.2.2:5062>\r\n");
    CU_ASSERT(strncmp(phones_last_sent(0), "ACK sip:bob@192.0.2.2:5062 ", 27) == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(phones_last_sent(0), "CSeq: 2 ACK\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(phones_last_sent(0), "\r\nProxy-Authorization: Digest "));
    phones_finish();
}

static void phone_that_moves_registers_anew(void)
{
    PealHop proxy = sip_env_hop(9, 5060, PEAL_UDP, 0);
    PealAddr contact = sip_env_hop(8, 5060, PEAL_UDP, 0).addr;

    phones_setup();
    CU_ASSERT_EQUAL(peal_phone_register(phones.users[0].phone, 3600, 5), 0);
    phones_tell("200 OK", phones_last_sent(0), contact_3600);
    peal_phone_move(phones.users[0].phone, &contact, &proxy);
    phones_wait_to(0);
    CU_ASSERT_EQUAL(phones.users[0].env.sent_len, 2);
    CU_ASSERT_EQUAL(phones.users[0].env.sent[1].to.addr.ip[3], 9);
    CU_ASSERT_PTR_NOT_NULL(strstr(phones_last_sent(0), "Contact: <sip:alice@192.0.2.8:5060>"));
    /* and again while that one is under way */
    peal_phone_move(phones.users[0].phone, &contact, &proxy);
    phones_tell("200 OK", phones_last_sent(0), contact_3600);
    CU_ASSERT_EQUAL(phones.users[0].events_len, 1);
    phones_wait_to(0);
    CU_ASSERT_EQUAL(phones.users[0].env.sent_len, 3);
    phones_finish();
}

static void phone_init_wants_an_aor_and_addresses(void)
{
    static const char *const bad[] = {"",         "bob",        "sip:bob",    "sip:@x",
                                      "sip:bob@", "sips:bob@x", "sip:b ob@x", "sip:b>ob@x"};
    SipEnv *env = &phones.users[0].env;
    PealPhone *phone;

    phones_setup();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        PealPhoneIdentity identity = {.aor = sip_str(bad[i]),
                                      .contact = phones_hop_of(0).addr,
                                      .proxy = phones_hop_of(1)};
        static _Alignas(16) uint8_t memory[1024];

        CU_ASSERT_EQUAL(peal_phone_init(memory, &env->plain.env, &phones.config, &identity, NULL,
                                        &phone),
                        -PEAL_E_ARG);
        CU_ASSERT_EQUAL(peal_phone_call(phones.users[0].phone, sip_str("tel:1"), peal_seconds(1),
                                        0),
                        -PEAL_E_ARG);
    }
    phones_finish();
}

PEAL_TEST_MAIN("core/phone_register", PEAL_TEST(phone_registers_and_refreshes_at_nine_tenths),
               PEAL_TEST(phone_tries_again_with_backoff_when_registering_fails),
               PEAL_TEST(phone_asks_for_longer_when_the_interval_is_too_brief),
               PEAL_TEST(phone_answers_a_challenge_by_the_first_algorithm_it_knows),
               PEAL_TEST(phone_gives_up_when_its_credentials_are_refused),
               PEAL_TEST(phone_authenticates_its_call_and_the_ack),
               PEAL_TEST(phone_that_moves_registers_anew),
               PEAL_TEST(phone_init_wants_an_aor_and_addresses))
