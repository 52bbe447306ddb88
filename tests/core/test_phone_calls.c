/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_phone_calls.c - phones that call each other directly, over a network that may lose. */
#include "core/phones.h"
#include "peal_test.h"

static void phone_call_is_answered_and_ended_by_its_caller(void)
{
    phones_setup();
    CU_ASSERT_EQUAL(phones_call_bob(10), 0);
    CU_ASSERT_EQUAL(peal_phone_calls(phones.users[0].phone), 1);
    phones_run_to(60000);
    phones_kinds_are(0, phones_outgoing, 3);
    phones_kinds_are(1, phones_incoming, 3);
    const PealPhoneEvent *ended = &phones.users[0].events[2];
    CU_ASSERT_EQUAL(ended->token, 77);
    CU_ASSERT_EQUAL(ended->status, 200);
    CU_ASSERT(ended->answered && ended->hung_up && !ended->incoming && !ended->lost);
    CU_ASSERT_EQUAL(ended->to_ringing.ns, peal_ms(20).ns);
    CU_ASSERT_EQUAL(ended->to_answer.ns, peal_ms(2020).ns);
    ended = &phones.users[1].events[2];
    CU_ASSERT(ended->answered && !ended->hung_up && ended->incoming && !ended->lost);
    CU_ASSERT_EQUAL(phones.sent, 6); /* INVITE, 180, 200, ACK, BYE, 200 */
    CU_ASSERT_EQUAL(peal_phone_calls(phones.users[0].phone), 0);
    phones_finish();
}

static void phone_holds_nothing_but_its_texts_when_idle(void)
{
    phones_setup();
    CU_ASSERT_EQUAL(phones_call_bob(1), 0);
    phones_run_to(100000);
    for (unsigned i = 0; i < PHONES_LEN; i++) {
        CU_ASSERT(phones.users[i].env.plain.bytes < 32);
        CU_ASSERT_EQUAL(phones.users[i].env.wake_at.ns, PEAL_TIME_NEVER.ns);
    }
    CU_ASSERT(peal_phone_size() <= 400);
    phones_finish();
}

static void phone_hangs_up_calls_that_came_in(void)
{
    phones_setup();
    CU_ASSERT_EQUAL(phones_call_bob(-1), 0);
    phones_run_to(10000);
    peal_phone_hang_up_all(phones.users[1].phone);
    phones_run_to(60000);
    CU_ASSERT(phones.users[1].events[2].hung_up);
    CU_ASSERT_FALSE(phones.users[0].events[2].hung_up);
    phones_kinds_are(0, phones_outgoing, 3);
    phones_finish();
}

static void phone_cancels_a_call_that_rings(void)
{
    phones_setup();
    CU_ASSERT_EQUAL(phones_call_bob(10), 0);
    phones_run_to(1000);
    peal_phone_hang_up_all(phones.users[0].phone);
    phones_run_to(60000);
    phones_kinds_are(0, (PealPhoneEventKind[]){PEAL_PHONE_RINGING, PEAL_PHONE_ENDED}, 2);
    phones_kinds_are(1, (PealPhoneEventKind[]){PEAL_PHONE_INCOMING, PEAL_PHONE_ENDED}, 2);
    CU_ASSERT_EQUAL(phones.users[0].events[1].status, 487);
    CU_ASSERT_EQUAL(phones.users[1].events[1].status, 487);
    CU_ASSERT_FALSE(phones.users[0].events[1].answered);
    phones_finish();
}

static void phone_refuses_a_call_that_rings_when_it_hangs_up(void)
{
    phones_setup();
    CU_ASSERT_EQUAL(phones_call_bob(10), 0);
    phones_run_to(1000);
    peal_phone_hang_up_all(phones.users[1].phone);
    CU_ASSERT_EQUAL(phones.users[1].events_len, 1); /* never from inside */
    phones_run_to(60000);
    CU_ASSERT_EQUAL(phones.users[0].events[1].status, 480);
    CU_ASSERT_EQUAL(phones.users[1].events[1].status, 480);
    phones_finish();
}

static void phone_takes_as_many_calls_as_it_may(void)
{
    phones_setup();
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(phones_call_bob(20), 0);
    }
    CU_ASSERT_EQUAL(phones_call_bob(20), -PEAL_E_FULL);
    phones.users[1].phone->calls_len += 1; /* as if bob were in a call */
    phones_run_to(1000);
    phones.users[1].phone->calls_len -= 1;
    CU_ASSERT_EQUAL(peal_phone_calls(phones.users[1].phone), 3);
    phones_run_to(60000);
    unsigned busy = 0;
    for (unsigned i = 0; i < phones.users[0].events_len; i++) {
        busy += phones.users[0].events[i].kind == PEAL_PHONE_ENDED &&
                phones.users[0].events[i].status == 486;
    }
    CU_ASSERT_EQUAL(busy, 1);
    phones_finish();
}

static bool loses_all(unsigned phone, const char *text)
{
    (void)phone;
    (void)text;
    return true;
}

static void phone_call_that_nobody_hears_ends_with_408(void)
{
    phones_setup();
    phones.loses = loses_all;
    CU_ASSERT_EQUAL(phones_call_bob(10), 0);
    phones_run_to(60000);
    phones_kinds_are(0, (PealPhoneEventKind[]){PEAL_PHONE_ENDED}, 1);
    CU_ASSERT_EQUAL(phones.users[0].events[0].status, 408);
    CU_ASSERT_EQUAL(phones.users[0].events[0].to_ringing.ns, -1);
    phones_finish();
}

static bool loses_two_acks(unsigned phone, const char *text)
{
    (void)phone;
    return strncmp(text, "ACK ", 4) == 0 && phones.counts[0]++ < 2;
}

static void phone_sends_2xx_until_ack_and_ack_for_each_2xx(void)
{
    phones_setup();
    phones.loses = loses_two_acks;
    CU_ASSERT_EQUAL(phones_call_bob(20), 0);
    phones_run_to(90000);
    CU_ASSERT_EQUAL(phones.counts[0], 3);
    phones_kinds_are(0, phones_outgoing, 3);
    phones_kinds_are(1, phones_incoming, 3);
    CU_ASSERT_FALSE(phones.users[1].events[2].lost);
    phones_finish();
}

static bool loses_acks(unsigned phone, const char *text)
{
    (void)phone;
    return strncmp(text, "ACK ", 4) == 0;
}

static void phone_without_ack_hangs_up_after_64_t1(void)
{
    phones_setup();
    phones.loses = loses_acks;
    CU_ASSERT_EQUAL(phones_call_bob(-1), 0);
    phones_run_to(90000);
    const PealPhoneEvent *ended = &phones.users[1].events[1];
    phones_kinds_are(1, (PealPhoneEventKind[]){PEAL_PHONE_INCOMING, PEAL_PHONE_ENDED}, 2);
    CU_ASSERT(ended->lost && ended->hung_up && ended->answered);
    CU_ASSERT_FALSE(phones.users[0].events[2].hung_up);
    phones_finish();
}

static bool loses_every_third(unsigned phone, const char *text)
{
    (void)phone;
    (void)text;
    return phones.counts[0]++ % 3 == 2;
}

static void phone_calls_survive_loss(void)
{
    phones_setup();
    phones.loses = loses_every_third;
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(phones_call_bob(30), 0);
    }
    phones_run_to(200000);
    unsigned good = 0;
    for (unsigned i = 0; i < phones.users[0].events_len; i++) {
        good += phones.users[0].events[i].kind == PEAL_PHONE_ENDED &&
                phones.users[0].events[i].answered && !phones.users[0].events[i].lost;
    }
    CU_ASSERT_EQUAL(good, 4);
    CU_ASSERT_EQUAL(peal_phone_calls(phones.users[1].phone), 0);
    phones_finish();
}

static void phone_follows_the_route_set(void)
{
    const SipSent *sent;

    phones_setup();
    CU_ASSERT_EQUAL(phones_call_bob(10), 0);
    phones_tell("200 OK", phones_last_sent(0),
                "Record-Route: <sip:192.0.2.9:5070;lr>, <sip:p2.example.org;lr>\r\n"
                "Record-Route: <sip:192.0.2.8:5080;transport=tcp;lr>\r\n"
                "Contact: <sip:bob@192.0.2.2:5062>\r\n");
    sent = &phones.users[0].env.sent[1];
    CU_ASSERT(strncmp(sent->text.ptr, "ACK sip:bob@192.0.2.2:5062 ", 27) == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(sent->text.ptr,
                                  "\r\nRoute: <sip:192.0.2.8:5080;transport=tcp;lr>\r\n"
                                  "Route: <sip:p2.example.org;lr>\r\n"
                                  "Route: <sip:192.0.2.9:5070;lr>\r\n"));
    CU_ASSERT_EQUAL(sent->to.addr.ip[3], 8);
    CU_ASSERT_EQUAL(sent->to.addr.port, 5080);
    CU_ASSERT_EQUAL(sent->to.transport, PEAL_TCP);
    CU_ASSERT_PTR_NOT_NULL(strstr(sent->text.ptr, "Via: SIP/2.0/TCP "));
    phones_wait_to(10000);
    CU_ASSERT(strncmp(phones_last_sent(0), "BYE sip:bob@192.0.2.2:5062 ", 27) == 0);
    phones_finish();
}

static void phone_ends_the_other_branches_of_a_forked_call(void)
{
    char invite[2048];
    char other[2048];
    const SipEnv *env = &phones.users[0].env;
    PealHop from = phones_hop_of(1);

    phones_setup();
    CU_ASSERT_EQUAL(phones_call_bob(1000), 0);
    snprintf(invite, sizeof(invite), "%s", phones_last_sent(0));
    phones_tell("200 OK", invite, "Contact: <sip:bob@192.0.2.2:5062>\r\n");
    CU_ASSERT_EQUAL(env->sent_len, 2);
    phones_tell("200 OK", invite, "Contact: <sip:bob@192.0.2.2:5062>\r\n"); /* again */
    CU_ASSERT_EQUAL(env->sent_len, 3);
    CU_ASSERT(sip_env_says(env, 2, "ACK "));
    const char *branch = strstr(invite, "Via:");
    snprintf(other, sizeof(other),
             "SIP/2.0 200 OK\r\n%.*s\r\nFrom: <sip:alice@example.org>;tag=x\r\n"
             "To: <sip:bob@example.org>;tag=another\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"
             "Contact: <sip:bob@192.0.2.7>\r\nContent-Length: 0\r\n\r\n",
             (int)strcspn(branch, "\r"), branch);
    phones_give(0, &from, other);
    CU_ASSERT_EQUAL(env->sent_len, 5);
    CU_ASSERT(sip_env_says(env, 3, "ACK sip:bob@192.0.2.7 "));
    CU_ASSERT(sip_env_says(env, 4, "BYE sip:bob@192.0.2.7 "));
    CU_ASSERT(sip_env_has(env, 4, "tag=another"));
    CU_ASSERT_EQUAL(peal_phone_calls(phones.users[0].phone), 1);
    phones_finish();
}

static void phone_ends_its_call_when_the_world_cannot_send(void)
{
    PealHop proxy = phones_hop_of(1);

    phones_setup();
    CU_ASSERT_EQUAL(phones_call_bob(10), 0);
    peal_phone_on_sip_end(phones.users[0].phone, &proxy, -PEAL_E_REFUSED);
    phones_wait_to(0);
    phones_kinds_are(0, (PealPhoneEventKind[]){PEAL_PHONE_ENDED}, 1);
    CU_ASSERT_EQUAL(phones.users[0].events[0].status, 503);
    phones_finish();
}

static void phone_whose_cancel_comes_too_late_hangs_up(void)
{
    phones_setup();
    CU_ASSERT_EQUAL(phones_call_bob(-1), 0);
    phones_tell("180 Ringing", phones_last_sent(0), "");
    const char *invite = phones.users[0].env.sent[0].text.ptr;
    peal_phone_hang_up_all(phones.users[0].phone);
    CU_ASSERT(strncmp(phones_last_sent(0), "CANCEL ", 7) == 0);
    phones_tell("200 OK", invite, "Contact: <sip:bob@192.0.2.2>\r\n");
    CU_ASSERT(strncmp(phones_last_sent(0), "BYE ", 4) == 0);
    CU_ASSERT(sip_env_says(&phones.users[0].env, 2, "ACK "));
    phones_wait_to(60000); /* nobody answers the BYE */
    phones_kinds_are(0, phones_outgoing, 3);
    const PealPhoneEvent *ended = &phones.users[0].events[2];
    CU_ASSERT(ended->answered && ended->hung_up && ended->lost);
    CU_ASSERT_EQUAL(ended->status, 200);
    phones_finish();
}

static bool loses_one_ack(unsigned phone, const char *text)
{
    (void)phone;
    return strncmp(text, "ACK ", 4) == 0 && phones.counts[0]++ == 0;
}

static void phone_that_waits_for_ack_says_bye_behind_it(void)
{
    phones_setup();
    phones.loses = loses_one_ack;
    CU_ASSERT_EQUAL(phones_call_bob(-1), 0);
    phones_run_to(2100);
    peal_phone_hang_up_all(phones.users[1].phone);
    phones_collect();
    CU_ASSERT_EQUAL(phones.users[1].phone->calls->state, PHONE_UNACKED);
    phones_run_to(60000);
    phones_kinds_are(1, phones_incoming, 3);
    CU_ASSERT(phones.users[1].events[2].hung_up);
    CU_ASSERT_FALSE(phones.users[0].events[2].lost);
    phones_finish();
}

static void phone_without_memory_ends_what_it_began(void)
{
    for (size_t limit = 32; limit < 6000; limit += 40) {
        unsigned calls = 0;
        unsigned ended[PHONES_LEN] = {0};
        unsigned came_in = 0;

        phones_setup();
        for (unsigned i = 0; i < PHONES_LEN; i++) {
            phones.users[i].env.plain.bytes_limit = limit;
        }
        calls += phones_call_bob(10) == 0;
        calls += phones_call_bob(1) == 0;
        (void)!peal_phone_register(phones.users[1].phone, 60, 1);
        phones_run_to(300000);
        for (unsigned i = 0; i < PHONES_LEN; i++) {
            for (unsigned n = 0; n < phones.users[i].events_len; n++) {
                ended[i] += phones.users[i].events[n].kind == PEAL_PHONE_ENDED;
                came_in += phones.users[i].events[n].kind == PEAL_PHONE_INCOMING;
            }
        }
        CU_ASSERT_EQUAL(ended[0], calls);
        /* a BYE that finds no memory is refused, and its call goes on */
        CU_ASSERT_EQUAL(ended[1] + peal_phone_calls(phones.users[1].phone), came_in);
        phones_finish();
    }
}

PEAL_TEST_MAIN("core/phone_calls", PEAL_TEST(phone_call_is_answered_and_ended_by_its_caller),
               PEAL_TEST(phone_holds_nothing_but_its_texts_when_idle),
               PEAL_TEST(phone_hangs_up_calls_that_came_in),
               PEAL_TEST(phone_cancels_a_call_that_rings),
               PEAL_TEST(phone_refuses_a_call_that_rings_when_it_hangs_up),
               PEAL_TEST(phone_takes_as_many_calls_as_it_may),
               PEAL_TEST(phone_call_that_nobody_hears_ends_with_408),
               PEAL_TEST(phone_sends_2xx_until_ack_and_ack_for_each_2xx),
               PEAL_TEST(phone_without_ack_hangs_up_after_64_t1),
               PEAL_TEST(phone_calls_survive_loss), PEAL_TEST(phone_follows_the_route_set),
               PEAL_TEST(phone_ends_the_other_branches_of_a_forked_call),
               PEAL_TEST(phone_ends_its_call_when_the_world_cannot_send),
               PEAL_TEST(phone_whose_cancel_comes_too_late_hangs_up),
               PEAL_TEST(phone_that_waits_for_ack_says_bye_behind_it),
               PEAL_TEST(phone_without_memory_ends_what_it_began))
