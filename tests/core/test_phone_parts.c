/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_phone_parts.c - phones that act a part: callers with patience and their own words, callees
 * that answer late, refuse, ring for ever or hang up; phones that speak to their proxy alone. */
#include "core/phones.h"
#include "peal_test.h"

static const PealPhoneEventKind given_up[2] = {PEAL_PHONE_RINGING, PEAL_PHONE_ENDED};

/* A call to bob with patience of so many ms, that nobody hangs up. */
static int call_for(int64_t patience_ms)
{
    return peal_phone_call_as(phones.users[0].phone,
                              &(PealPhoneWish){.aor = sip_str("sip:bob@example.org"),
                                               .duration = PEAL_PHONE_NO_END,
                                               .patience = peal_ms(patience_ms),
                                               .token = 77});
}

static int call_saying(const char *headers, const char *content_type, const char *body)
{
    return peal_phone_call_as(phones.users[0].phone,
                              &(PealPhoneWish){.aor = sip_str("sip:bob@example.org"),
                                               .duration = peal_seconds(10),
                                               .patience = PEAL_PHONE_NO_END,
                                               .headers = sip_str(headers),
                                               .content_type = sip_str(content_type),
                                               .body = sip_str(body)});
}

static unsigned sent_by_alice(const char *start)
{
    unsigned count = 0;

    for (size_t i = 0; i < phones.users[0].env.sent_len; i++) {
        count += sip_env_says(&phones.users[0].env, i, start);
    }
    return count;
}

static void phone_gives_up_when_its_patience_is_over(void)
{
    phones_setup();
    phones_play(&(PealPhonePart){PEAL_PHONE_NO_END, 200, PEAL_PHONE_NO_END});
    CU_ASSERT_EQUAL(call_for(5000), 0);
    phones_run_to(4999);
    CU_ASSERT_EQUAL(phones.users[0].events_len, 1);
    phones_run_to(5020);
    phones_kinds_are(0, given_up, 2);
    CU_ASSERT_EQUAL(phones.users[0].events[1].status, 487);
    phones_kinds_are(1, (PealPhoneEventKind[]){PEAL_PHONE_INCOMING, PEAL_PHONE_ENDED}, 2);
    CU_ASSERT_EQUAL(phones.users[1].events[1].status, 487);
    phones_run_to(60000);
    phones_finish();
}

static void phone_whose_patience_outlasts_the_ringing_talks(void)
{
    phones_setup();
    CU_ASSERT_EQUAL(call_for(2500), 0); /* bob answers after 2 s */
    phones_run_to(10000);
    CU_ASSERT_EQUAL(phones.users[0].events_len, 2);
    CU_ASSERT_EQUAL(phones.users[0].events[1].kind, PEAL_PHONE_ANSWERED);
    peal_phone_hang_up_all(phones.users[0].phone);
    phones_run_to(60000);
    phones_finish();
}

/* The 2xx has left bob at 2.01 s, and comes at 2.02 s. */
static void phone_whose_cancel_crosses_the_answer_hangs_up(void)
{
    phones_setup();
    CU_ASSERT_EQUAL(call_for(2015), 0);
    phones_run_to(60000);
    phones_kinds_are(0, phones_outgoing, 3);
    const PealPhoneEvent *ended = &phones.users[0].events[2];
    CU_ASSERT(ended->answered && ended->hung_up && !ended->lost);
    CU_ASSERT_EQUAL(ended->status, 200);
    phones_kinds_are(1, phones_incoming, 3);
    phones_finish();
}

static void phone_cancels_no_earlier_than_it_hears_something(void)
{
    phones_setup();
    CU_ASSERT_EQUAL(call_for(1000), 0);
    const char *invite = phones.users[0].env.sent[0].text.ptr;
    phones_wait_to(3000);
    CU_ASSERT_EQUAL(sent_by_alice("CANCEL "), 0); /* 9.1 */
    phones_tell("100 Trying", invite, "");
    CU_ASSERT_EQUAL(sent_by_alice("CANCEL "), 1);
    phones_tell("487 Request Terminated", invite, "");
    phones_kinds_are(0, (PealPhoneEventKind[]){PEAL_PHONE_ENDED}, 1);
    CU_ASSERT_EQUAL(phones.users[0].events[0].status, 487);
    phones_finish();
}

static void phone_whose_impatient_call_nobody_hears_times_out(void)
{
    phones_setup();
    CU_ASSERT_EQUAL(call_for(1000), 0);
    phones_wait_to(60000);
    CU_ASSERT_EQUAL(sent_by_alice("CANCEL "), 0);
    phones_kinds_are(0, (PealPhoneEventKind[]){PEAL_PHONE_ENDED}, 1);
    CU_ASSERT_EQUAL(phones.users[0].events[0].status, 408);
    phones_finish();
}

static void phone_refuses_with_the_status_of_its_part(void)
{
    static const uint16_t statuses[] = {300, 302, 400, 401, 403, 404, 407, 408, 480,
                                        486, 487, 488, 500, 503, 600, 603, 699};

    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        phones_setup_with("secret");
        phones_play(&(PealPhonePart){peal_ms(1500), statuses[i], PEAL_PHONE_NO_END});
        CU_ASSERT_EQUAL(phones_call_bob(10), 0);
        phones_run_to(1519);
        CU_ASSERT_EQUAL(phones.users[0].events_len, 1);
        phones_run_to(1520);
        phones_kinds_are(0, given_up, 2);
        CU_ASSERT_EQUAL(phones.users[0].events[1].status, statuses[i]);
        CU_ASSERT_FALSE(phones.users[0].events[1].answered);
        phones_kinds_are(1, (PealPhoneEventKind[]){PEAL_PHONE_INCOMING, PEAL_PHONE_ENDED}, 2);
        CU_ASSERT_EQUAL(phones.users[1].events[1].status, statuses[i]);
        phones_run_to(60000);
        phones_finish();
    }
}

static void phone_answers_at_once_or_late_as_its_part_says(void)
{
    static const int64_t rings_ms[] = {0, 1, 7000, 59999, 60000, 60001, 400000};

    for (size_t i = 0; i < sizeof(rings_ms) / sizeof(rings_ms[0]); i++) {
        phones_setup();
        phones_play(&(PealPhonePart){peal_ms(rings_ms[i]), 200, PEAL_PHONE_NO_END});
        CU_ASSERT_EQUAL(phones_call_bob(10), 0);
        phones_run_to(500000);
        phones_kinds_are(0, phones_outgoing, 3);
        CU_ASSERT_EQUAL(phones.users[0].events[1].to_answer.ns, peal_ms(rings_ms[i] + 20).ns);
        CU_ASSERT(phones.users[0].events[2].hung_up);
        phones_finish();
    }
}

static void phone_that_rings_on_says_so_every_minute(void)
{
    phones_setup();
    phones_play(&(PealPhonePart){peal_seconds(150), 200, PEAL_PHONE_NO_END});
    CU_ASSERT_EQUAL(phones_call_bob(10), 0);
    phones_run_to(60009);
    CU_ASSERT_EQUAL(phones.sent, 2); /* INVITE, 180 */
    phones_run_to(60010);
    phones_collect();
    CU_ASSERT_EQUAL(phones.sent, 3);
    phones_run_to(149000);
    CU_ASSERT_EQUAL(phones.sent, 4);
    phones_run_to(300000);
    phones_kinds_are(0, phones_outgoing, 3);
    phones_finish();
}

static void phone_that_was_called_hangs_up_when_its_part_says(void)
{
    phones_setup();
    phones_play(&(PealPhonePart){peal_seconds(1), 200, peal_seconds(4)});
    CU_ASSERT_EQUAL(phones_call_bob(-1), 0);
    phones_run_to(5009);
    CU_ASSERT_EQUAL(phones.users[0].events_len, 2);
    phones_run_to(5020);
    phones_kinds_are(0, phones_outgoing, 3);
    CU_ASSERT_FALSE(phones.users[0].events[2].hung_up);
    phones_run_to(60000);
    phones_kinds_are(1, phones_incoming, 3);
    CU_ASSERT(phones.users[1].events[2].hung_up);
    CU_ASSERT_FALSE(phones.users[1].events[2].lost);
    phones_finish();
}

static bool loses_acks_at_first(unsigned phone, const char *text)
{
    (void)phone;
    return strncmp(text, "ACK ", 4) == 0 && phones.counts[0]++ < 4;
}

static void phone_says_no_bye_before_it_has_heard_ack(void)
{
    phones_setup();
    phones.loses = loses_acks_at_first;
    phones_play(&(PealPhonePart){peal_seconds(0), 200, peal_ms(100)});
    CU_ASSERT_EQUAL(phones_call_bob(-1), 0);
    phones_run_to(7000);
    CU_ASSERT_EQUAL(phones.users[0].events_len, 2); /* the fifth 2xx is sent after 7.5 s */
    phones_run_to(8000);
    phones_kinds_are(0, phones_outgoing, 3);
    phones_run_to(60000);
    phones_kinds_are(1, phones_incoming, 3);
    phones_finish();
}

static void phone_plays_no_part_that_there_is_not(void)
{
    PealPhonePart good = {peal_seconds(1), 200, PEAL_PHONE_NO_END};
    PealPhone *bob;
    uint32_t call;

    phones_setup();
    bob = phones.users[1].phone;
    CU_ASSERT_EQUAL(peal_phone_play(bob, 1, &good), -PEAL_E_STATE);
    CU_ASSERT_EQUAL(phones_call_bob(10), 0);
    phones_run_to(100);
    call = phones.users[1].events[0].call;
    CU_ASSERT_EQUAL(peal_phone_play(bob, call + 1, &good), -PEAL_E_STATE);
    CU_ASSERT_EQUAL(peal_phone_play(phones.users[0].phone, 1, &good), -PEAL_E_STATE);
    for (unsigned status = 0; status <= UINT16_MAX; status++) {
        PealPhonePart part = {PEAL_PHONE_NO_END, (uint16_t)status, PEAL_PHONE_NO_END};
        bool may = status == 200 || (status >= 300 && status <= 699);

        CU_ASSERT_EQUAL(peal_phone_play(bob, call, &part), may ? 0 : -PEAL_E_ARG);
    }
    good.ring.ns = -1;
    CU_ASSERT_EQUAL(peal_phone_play(bob, call, &good), -PEAL_E_ARG);
    good = (PealPhonePart){peal_seconds(1), 200, {-1}};
    CU_ASSERT_EQUAL(peal_phone_play(bob, call, &good), -PEAL_E_ARG);
    good.talk = PEAL_PHONE_NO_END;
    CU_ASSERT_EQUAL(peal_phone_play(bob, call, &good), 0);
    phones_run_to(3000);
    CU_ASSERT_EQUAL(peal_phone_play(bob, call, &good), -PEAL_E_STATE);
    phones_run_to(60000);
    phones_kinds_are(0, phones_outgoing, 3);
    phones_finish();
}

static void phone_says_its_callers_own_words(void)
{
    phones_setup();
    CU_ASSERT_EQUAL(call_saying("Subject: lunch\r\nX-Long: one\r\n two\r\nuser-agent : a\r\n",
                                "text/plain", "hello"),
                    0);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(phones_last_sent(0), "\r\nSubject: lunch\r\nX-Long: one\r\n two\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(phones_last_sent(0), "\r\nContent-Type: text/plain\r\n"
                                                       "Content-Length: 5\r\n\r\nhello"));
    CU_ASSERT_PTR_NULL(strstr(phones_last_sent(0), "application/sdp"));
    phones_run_to(60000);
    phones_kinds_are(0, phones_outgoing, 3);
    CU_ASSERT(phones.users[0].env.plain.bytes < 32);
    phones_finish();
}

static void phone_says_them_again_with_its_credentials_and_never_after(void)
{
    phones_setup_with("secret");
    CU_ASSERT_EQUAL(call_saying("Subject: lunch\r\n", "text/plain", "hello"), 0);
    phones_tell("407 Proxy Authentication Required", phones_last_sent(0),
                "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n");
    CU_ASSERT(strncmp(phones_last_sent(0), "INVITE ", 7) == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(phones_last_sent(0), "\r\nProxy-Authorization: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(phones_last_sent(0), "\r\nSubject: lunch\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(phones_last_sent(0), "\r\n\r\nhello"));
    phones_tell("200 OK", phones_last_sent(0), "Contact: <sip:bob@192.0.2.2>\r\n");
    CU_ASSERT(strncmp(phones_last_sent(0), "ACK ", 4) == 0);
    CU_ASSERT_PTR_NULL(strstr(phones_last_sent(0), "Subject"));
    CU_ASSERT_PTR_NULL(strstr(phones_last_sent(0), "hello"));
    phones_finish();
}

static void phone_may_offer_nothing(void)
{
    phones_setup();
    CU_ASSERT_EQUAL(call_saying("", "application/sdp", ""), 0);
    CU_ASSERT_PTR_NULL(strstr(phones_last_sent(0), "Content-Type"));
    CU_ASSERT_PTR_NOT_NULL(strstr(phones_last_sent(0), "\r\nContent-Length: 0\r\n\r\n"));
    phones_run_to(60000);
    phones_kinds_are(0, phones_outgoing, 3); /* bob offers in his 2xx */
    phones_finish();
}

static void phone_refuses_words_that_would_break_its_message(void)
{
    static const char *const bad[] = {"Subject: lunch",
                                      "Subject: lunch\n",
                                      "Subject: lunch\r",
                                      "Subject: lunch\r\r\n",
                                      "Subject: a\nVia: b\r\n",
                                      "Subject: a\rVia: b\r\n",
                                      "\r\n",
                                      "Subject: a\r\n\r\n",
                                      "Subject: a\r\n\r\nbody\r\n",
                                      " folded: from nothing\r\n",
                                      ": nameless\r\n",
                                      "no colon\r\n",
                                      "nocolon\r\n",
                                      "Sub ject: a\r\n",
                                      "Via: SIP/2.0/UDP 192.0.2.1\r\n",
                                      "v: SIP/2.0/UDP 192.0.2.1\r\n",
                                      "Subject: a\r\nvIA : SIP/2.0/UDP 192.0.2.1\r\n",
                                      "From: <sip:a@b>\r\n",
                                      "f: <sip:a@b>\r\n",
                                      "To: <sip:a@b>\r\n",
                                      "t: <sip:a@b>\r\n",
                                      "Call-ID: 1\r\n",
                                      "i: 1\r\n",
                                      "CSeq: 1 INVITE\r\n",
                                      "Contact: *\r\n",
                                      "m: *\r\n",
                                      "Max-Forwards: 1\r\n",
                                      "Route: <sip:a@b>\r\n",
                                      "Record-Route: <sip:a@b>\r\n",
                                      "Authorization: a\r\n",
                                      "Proxy-Authorization: a\r\n",
                                      "Content-Type: a/b\r\n",
                                      "c: a/b\r\n",
                                      "Content-Length: 7\r\n",
                                      "l: 7\r\n"};
    static char large[PEAL_PHONE_TEXT_MAX + 2];
    PealPhoneWish zero = {.aor = sip_str("sip:bob@example.org"), .headers = {"A: \0\r\n", 6}};

    phones_setup();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CU_ASSERT_EQUAL(call_saying(bad[i], "", ""), -PEAL_E_ARG);
    }
    CU_ASSERT_EQUAL(peal_phone_call_as(phones.users[0].phone, &zero), -PEAL_E_ARG);
    CU_ASSERT_EQUAL(call_saying("", "", "body"), -PEAL_E_ARG);
    CU_ASSERT_EQUAL(call_saying("", "text/plain\r\nVia: a", "body"), -PEAL_E_ARG);
    CU_ASSERT_EQUAL(call_saying("", " ", "body"), -PEAL_E_ARG);
    memset(large, 'x', sizeof(large) - 1);
    CU_ASSERT_EQUAL(call_saying("", "text/plain", large), -PEAL_E_ARG);
    CU_ASSERT_EQUAL(call_saying("", "text/plain", large + 1), 0);
    CU_ASSERT_EQUAL(call_for(-1), -PEAL_E_ARG);
    CU_ASSERT_EQUAL(peal_phone_calls(phones.users[0].phone), 1);
    phones_run_to(60000);
    phones_finish();
}

/* All that alice sent went to her proxy. */
static void sent_to_proxy_alone(void)
{
    const PealHop proxy = phones_hop_of(1);
    const SipEnv *env = &phones.users[0].env;

    for (size_t i = 0; i < env->sent_len; i++) {
        CU_ASSERT_EQUAL(env->sent[i].to.addr.family, proxy.addr.family);
        CU_ASSERT_EQUAL(memcmp(env->sent[i].to.addr.ip, proxy.addr.ip, sizeof(proxy.addr.ip)), 0);
        CU_ASSERT_EQUAL(env->sent[i].to.addr.port, proxy.addr.port);
        CU_ASSERT_EQUAL(env->sent[i].to.transport, PEAL_UDP);
    }
}

static void phone_by_its_proxy_sends_nowhere_else(void)
{
    static const char *const ways[] = {
        "Contact: <sip:bob@198.51.100.9:5062>\r\n",
        "Contact: <sip:bob@198.51.100.9;transport=tcp>\r\n",
        "Record-Route: <sip:198.51.100.8;lr>\r\nContact: <sip:bob@198.51.100.9>\r\n",
        ("Record-Route: <sip:198.51.100.8;transport=tcp;lr>, <sip:198.51.100.7>\r\n"
         "Contact: <sip:bob@198.51.100.9>\r\n")};

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        phones_setup();
        phones.config.by_proxy = true;
        CU_ASSERT_EQUAL(phones_call_bob(10), 0);
        phones_tell("200 OK", phones_last_sent(0), ways[i]);
        CU_ASSERT_EQUAL(sent_by_alice("ACK "), 1);
        phones_wait_to(10000);
        CU_ASSERT(sent_by_alice("BYE ") > 0);
        sent_to_proxy_alone();
        phones_tell("200 OK", phones_last_sent(0), "");
        phones_kinds_are(0, (PealPhoneEventKind[]){PEAL_PHONE_ANSWERED, PEAL_PHONE_ENDED}, 2);
        phones_finish();
    }
}

static void phone_by_its_proxy_declines_forks_there(void)
{
    char invite[2048];
    char other[2048];
    PealHop from = phones_hop_of(1);

    phones_setup();
    phones.config.by_proxy = true;
    CU_ASSERT_EQUAL(phones_call_bob(1000), 0);
    snprintf(invite, sizeof(invite), "%s", phones_last_sent(0));
    phones_tell("200 OK", invite, "Contact: <sip:bob@198.51.100.2>\r\n");
    snprintf(other, sizeof(other),
             "SIP/2.0 200 OK\r\n%.*s\r\nFrom: <sip:alice@example.org>;tag=x\r\n"
             "To: <sip:bob@example.org>;tag=another\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"
             "Contact: <sip:bob@198.51.100.7>\r\nContent-Length: 0\r\n\r\n",
             (int)strcspn(strstr(invite, "Via:"), "\r"), strstr(invite, "Via:"));
    phones_give(0, &from, other);
    CU_ASSERT_EQUAL(sent_by_alice("BYE sip:bob@198.51.100.7 "), 1);
    sent_to_proxy_alone();
    phones_finish();
}

/* 12.2.1.1, the last two paragraphs on the route set. */
static void phone_puts_a_strict_router_into_the_request_uri(void)
{
    const SipSent *sent;

    phones_setup();
    CU_ASSERT_EQUAL(phones_call_bob(10), 0);
    phones_tell("200 OK", phones_last_sent(0),
                "Record-Route: <sip:p2.example.org;lr>\r\n"
                "Record-Route: <sip:192.0.2.8:5080;method=BYE;x=y?Subject=a>\r\n"
                "Contact: <sip:bob@192.0.2.2:5062>\r\n");
    sent = &phones.users[0].env.sent[1];
    CU_ASSERT(strncmp(sent->text.ptr, "ACK sip:192.0.2.8:5080;x=y SIP/2.0\r\n", 36) == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(sent->text.ptr, "\r\nRoute: <sip:p2.example.org;lr>\r\n"
                                                  "Route: <sip:bob@192.0.2.2:5062>\r\n"));
    CU_ASSERT_EQUAL(sent->to.addr.ip[3], 8);
    CU_ASSERT_EQUAL(sent->to.addr.port, 5080);
    phones_wait_to(10000);
    CU_ASSERT(strncmp(phones_last_sent(0), "BYE sip:192.0.2.8:5080;x=y ", 27) == 0);
    phones_finish();
}

PEAL_TEST_MAIN("core/phone_parts", PEAL_TEST(phone_gives_up_when_its_patience_is_over),
               PEAL_TEST(phone_whose_patience_outlasts_the_ringing_talks),
               PEAL_TEST(phone_whose_cancel_crosses_the_answer_hangs_up),
               PEAL_TEST(phone_cancels_no_earlier_than_it_hears_something),
               PEAL_TEST(phone_whose_impatient_call_nobody_hears_times_out),
               PEAL_TEST(phone_refuses_with_the_status_of_its_part),
               PEAL_TEST(phone_answers_at_once_or_late_as_its_part_says),
               PEAL_TEST(phone_that_rings_on_says_so_every_minute),
               PEAL_TEST(phone_that_was_called_hangs_up_when_its_part_says),
               PEAL_TEST(phone_says_no_bye_before_it_has_heard_ack),
               PEAL_TEST(phone_plays_no_part_that_there_is_not),
               PEAL_TEST(phone_says_its_callers_own_words),
               PEAL_TEST(phone_says_them_again_with_its_credentials_and_never_after),
               PEAL_TEST(phone_may_offer_nothing),
               PEAL_TEST(phone_refuses_words_that_would_break_its_message),
               PEAL_TEST(phone_by_its_proxy_sends_nowhere_else),
               PEAL_TEST(phone_by_its_proxy_declines_forks_there),
               PEAL_TEST(phone_puts_a_strict_router_into_the_request_uri))
