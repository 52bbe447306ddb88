/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_phone_messages.c - what a phone makes of single messages: offers, what is out of order or no
 * SIP, streams. */
#include "core/phones.h"
#include "peal_test.h"

static void ask(const char *method, const char *to_tag, const char *more, const char *body)
{
    char text[4096];
    PealHop from = phones_hop_of(1);
    static unsigned branch;

    snprintf(
        text, sizeof(text),
        "%s sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK%u\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:bob@example.org>;tag=bb\r\n"
        "To: <sip:alice@example.org>%s\r\nCall-ID: call\r\nCSeq: %u %s\r\n"
        "Contact: <sip:bob@192.0.2.2>\r\n%sContent-Length: %zu\r\n\r\n%s",
        method, ++branch, to_tag, phones.cseq, method, more, strlen(body), body);
    phones_give(0, &from, text);
}

static void phone_answers_what_is_no_call_as_the_rfc_has_it(void)
{
    const SipEnv *env = &phones.users[0].env;

    phones_setup();
    ask("OPTIONS", "", "", "");
    CU_ASSERT(sip_env_says(env, 0, "SIP/2.0 200 "));
    CU_ASSERT(sip_env_has(env, 0, "\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n"));
    ask("BYE", ";tag=none", "", "");
    CU_ASSERT(sip_env_says(env, 1, "SIP/2.0 481 "));
    ask("INVITE", ";tag=none", "", "");
    CU_ASSERT(sip_env_says(env, 2, "SIP/2.0 481 "));
    ask("PUBLISH", "", "", "");
    CU_ASSERT(sip_env_says(env, 3, "SIP/2.0 405 "));
    CU_ASSERT(sip_env_has(env, 3, "\r\nAllow: "));
    ask("CANCEL", "", "", "");
    CU_ASSERT(sip_env_says(env, 4, "SIP/2.0 481 "));
    ask("INVITE", "", "Require: 100rel\r\n", "");
    CU_ASSERT(sip_env_says(env, 5, "SIP/2.0 420 "));
    CU_ASSERT(sip_env_has(env, 5, "\r\nUnsupported: 100rel\r\n"));
    ask("ACK", ";tag=none", "", "");
    CU_ASSERT_EQUAL(env->sent_len, 6);
    CU_ASSERT_EQUAL(phones.users[0].events_len, 0);
    phones_finish();
}

static void phone_answers_an_offer_stream_by_stream(void)
{
    const SipEnv *env = &phones.users[0].env;

    phones_setup();
    ask("INVITE", "", "Content-Type: application/sdp\r\n",
        "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\n"
        "m=video 4000 RTP/AVP 96\r\nm=audio 4002 RTP/AVP 111 8 0\r\nm=audio 4004 RTP/AVP 0\r\n");
    CU_ASSERT(sip_env_says(env, 0, "SIP/2.0 180 "));
    ask("INVITE", "", "", ""); /* the same call on another way */
    CU_ASSERT(sip_env_says(env, 1, "SIP/2.0 482 "));
    phones_wait_to(2000);
    CU_ASSERT(strncmp(phones_last_sent(0), "SIP/2.0 200 ", 12) == 0);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(phones_last_sent(0), "\r\nContact: <sip:alice@192.0.2.1:5060>\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(phones_last_sent(0),
                                  "m=video 0 RTP/AVP 96\r\nm=audio 9 RTP/AVP 8\r\na=inactive\r\n"
                                  "m=audio 0 RTP/AVP 0\r\n"));
    phones_finish();
}

static void phone_offers_where_the_invite_did_not(void)
{
    phones_setup();
    ask("INVITE", "", "", "");
    phones_wait_to(2000);
    CU_ASSERT_PTR_NOT_NULL(strstr(phones_last_sent(0), "m=audio 9 RTP/AVP 0 8\r\na=inactive\r\n"));
    phones_finish();
}

static void phone_refuses_what_is_out_of_order_within_a_call(void)
{
    const SipEnv *env = &phones.users[0].env;
    char tag[64];

    phones_setup();
    ask("INVITE", "", "", "");
    snprintf(tag, sizeof(tag), ";tag=%.16s",
             strstr(strstr(phones_last_sent(0), "To:"), ";tag=") + 5);
    phones_wait_to(2000);
    ask("ACK", tag, "", "");
    ask("INVITE", tag, "", "");
    CU_ASSERT(sip_env_says(env, 2, "SIP/2.0 488 "));
    phones.cseq = 50;
    ask("BYE", tag, "", "");
    CU_ASSERT(sip_env_says(env, 3, "SIP/2.0 500 "));
    CU_ASSERT_EQUAL(phones.users[0].events_len, 2);
    phones.cseq = 101;
    ask("BYE", tag, "", "");
    CU_ASSERT(sip_env_says(env, 4, "SIP/2.0 200 "));
    phones_kinds_are(0, phones_incoming, 3);
    phones_finish();
}

static void phone_survives_what_is_no_sip(void)
{
    static const char other_version[] =
        "INVITE sip:alice@192.0.2.1 SIP/7.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx\r\n"
        "From: <sip:b@c>;tag=1\r\nTo: <sip:a@c>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n";
    static const char *const texts[] = {
        "",
        "\r\n\r\n",
        "hello",
        "INVITE sip:alice@192.0.2.1 SIP/2.0\r\n\r\n",
        other_version,
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx\r\n\r\n"};
    PealHop from = phones_hop_of(1);

    phones_setup();
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        phones_give(0, &from, texts[i]);
    }
    CU_ASSERT_EQUAL(phones.users[0].events_len, 0);
    CU_ASSERT_EQUAL(phones.users[0].env.sent_len, 1);
    CU_ASSERT(sip_env_says(&phones.users[0].env, 0, "SIP/2.0 505 "));
    phones_finish();
}

/* An AOR as long as may be: two of them make an INVITE longer than 1300 bytes. */
static const char *long_aor(void)
{
    static char aor[PEAL_AOR_MAX + 1];

    snprintf(aor, sizeof(aor), "sip:%0*d@a.b", PEAL_AOR_MAX - 8, 7);
    return aor;
}

static void phone_goes_back_to_datagrams_when_tcp_is_refused(void)
{
    const SipEnv *env = &phones.users[0].env;
    PealPhoneIdentity identity = {.aor = sip_str(long_aor()),
                                  .contact = phones_hop_of(0).addr,
                                  .proxy = phones_hop_of(1)};

    phones_setup();
    peal_phone_fini(phones.users[0].phone);
    CU_ASSERT_EQUAL_FATAL(peal_phone_init(phones.users[0].memory, &phones.users[0].env.plain.env,
                                          &phones.config, &identity, &phones.users[0],
                                          &phones.users[0].phone),
                          0);
    CU_ASSERT_EQUAL(peal_phone_call(phones.users[0].phone, sip_str(long_aor()), peal_seconds(5), 9),
                    0);
    CU_ASSERT_EQUAL(env->sent[0].to.transport, PEAL_TCP);
    CU_ASSERT(sip_env_has(env, 0, "Via: SIP/2.0/TCP "));
    PealHop tcp = env->sent[0].to;
    peal_phone_on_sip_end(phones.users[0].phone, &tcp, -PEAL_E_REFUSED);
    phones_wait_to(0);
    CU_ASSERT_EQUAL(env->sent_len, 2);
    CU_ASSERT_EQUAL(env->sent[1].to.transport, PEAL_UDP);
    CU_ASSERT(env->sent[1].text.len > 1300);
    CU_ASSERT(sip_env_has(env, 1, "Via: SIP/2.0/UDP "));
    CU_ASSERT_EQUAL(phones.users[0].events_len, 0);
    phones_tell("486 Busy", phones_last_sent(0), "");
    CU_ASSERT_EQUAL(phones.users[0].events[0].status, 486);
    phones_finish();
}

static void phone_over_tcp_reads_messages_in_any_pieces(void)
{
    SipEnv *env = &phones.users[0].env;
    PealHop from = sip_env_hop(2, 5060, PEAL_TCP, 7);
    PealHop proxy = sip_env_hop(2, 5060, PEAL_TCP, 0);
    PealAddr contact = phones_hop_of(0).addr;
    static const char text[] =
        "OPTIONS sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.2;branch=z9hG4bKt\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:bob@example.org>;tag=bb\r\nTo: <sip:alice@example.org>\r\n"
        "Call-ID: call\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";

    phones_setup();
    peal_phone_move(phones.users[0].phone, &contact, &proxy);
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        CU_ASSERT_EQUAL(env->sent_len, 0);
        peal_phone_on_sip_take(phones.users[0].phone, &from,
                               plain_buffer(&env->plain, (const uint8_t *)text + i, 1, 0));
    }
    CU_ASSERT(sip_env_says(env, 0, "SIP/2.0 200 "));
    CU_ASSERT_EQUAL(env->sent[0].to.conn, 7);
    peal_phone_on_sip_end(phones.users[0].phone, &from, 0);
    CU_ASSERT_EQUAL(peal_phone_register(phones.users[0].phone, 60, 1), 0);
    CU_ASSERT_EQUAL(env->sent[1].to.transport, PEAL_TCP);
    CU_ASSERT(sip_env_has(env, 1, "Contact: <sip:alice@192.0.2.1:5060;transport=tcp>\r\n"));
    phones_finish();
}

PEAL_TEST_MAIN("core/phone_messages", PEAL_TEST(phone_answers_what_is_no_call_as_the_rfc_has_it),
               PEAL_TEST(phone_answers_an_offer_stream_by_stream),
               PEAL_TEST(phone_offers_where_the_invite_did_not),
               PEAL_TEST(phone_refuses_what_is_out_of_order_within_a_call),
               PEAL_TEST(phone_survives_what_is_no_sip),
               PEAL_TEST(phone_goes_back_to_datagrams_when_tcp_is_refused),
               PEAL_TEST(phone_over_tcp_reads_messages_in_any_pieces))
