/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_oc.c - overload control: what servers say, what clients make of it, and both ends at an
 * adapter. */
#include "sip/oc.h"

#include <peal/random.h>
#include <stdlib.h>

#include "core/plain_env.h"
#include "core/sip_script.h"
#include "peal_test.h"

#define VIA "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK7"

static const PealAddr server = {.ip = {192, 0, 2, 9}, .port = 5060, .family = 4};

static PealTime at_ms(int64_t ms)
{
    return (PealTime){ms * PEAL_NS_PER_MS};
}

/* A message with this topmost Via. */
static const char *message_of(const char *first, const char *params, const char *to_tag)
{
    static char text[1024];

    snprintf(text, sizeof(text),
             "%s\r\nVia: " VIA "%s\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK8\r\n"
             "From: <sip:a@example.org>;tag=1\r\nTo: <sip:b@example.org>%s\r\nCall-ID: 1\r\n"
             "CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
             first, params, to_tag);
    return text;
}

static SipMessage scan(const char *text)
{
    SipMessage message;

    CU_ASSERT_EQUAL_FATAL(sip_message_scan(sip_str(text), true, &message), 0);
    return message;
}

static SipMessage request(const char *params)
{
    return scan(message_of("INVITE sip:b@example.org SIP/2.0", params, ""));
}

static void client_offers_what_servers_understand(void)
{
    char bytes[64];
    SipText text = sip_text_make(bytes, sizeof(bytes) - 1);
    SipMessage message;

    oc_offer(&text);
    bytes[text.len] = '\0';
    CU_ASSERT_STRING_EQUAL(bytes, ";oc;oc-algo=\"loss\"");
    message = request(bytes);
    CU_ASSERT_TRUE(oc_offered(&message));
    message = request(";oc;oc-algo=\"A, loss\"");
    CU_ASSERT_TRUE(oc_offered(&message));
    message = request(";oc;oc-algo=\"rate\"");
    CU_ASSERT_FALSE(oc_offered(&message));
    message = request(";oc");
    CU_ASSERT_FALSE(oc_offered(&message));
    message = request("");
    CU_ASSERT_FALSE(oc_offered(&message));
}

static void via_is_passed_on_without_the_parameters(void)
{
    char bytes[256];
    SipText text = sip_text_make(bytes, sizeof(bytes) - 1);

    oc_strip(&text, sip_str(VIA ";oc;rport=5;oc-algo=\"loss,A\";oc-seq=1.2;x=y;oc-validity=3"));
    bytes[text.len] = '\0';
    CU_ASSERT_STRING_EQUAL(bytes, VIA ";rport=5;x=y");
}

static void answer_says_what_is_asked_for_and_for_how_long(void)
{
    SipOc oc = {.loss = 0};
    PlainEnv env;
    PealBuf *buf;
    SipMessage message;

    plain_env_init(&env);
    oc_say(&oc, 20, 1282321615782);
    buf = oc_answer(&oc, &env.env,
                    sip_str(message_of("SIP/2.0 180 Ringing",
                                       ";oc;oc-algo=\"loss,A\";received=192.0.2.111", "")));
    CU_ASSERT_PTR_NOT_NULL_FATAL(buf);
    CU_ASSERT_EQUAL(sip_message_scan((PealStr){(const char *)buf->data, buf->len}, true, &message),
                    0);
    CU_ASSERT_TRUE(
        sip_equal(message.via.text, sip_str(VIA ";received=192.0.2.111;oc=20;oc-algo=\"loss\";"
                                                "oc-validity=2000;oc-seq=1282321615.782")));
    env.ops.drop(&env.env, buf);
    oc_say(&oc, 0, 1282321615782); /* a change within the same ms has a higher number */
    buf =
        oc_answer(&oc, &env.env, sip_str(message_of("SIP/2.0 200 OK", ";oc;oc-algo=\"loss\"", "")));
    CU_ASSERT_PTR_NOT_NULL_FATAL(buf);
    (void)!sip_message_scan((PealStr){(const char *)buf->data, buf->len}, true, &message);
    CU_ASSERT_TRUE(
        sip_equal(message.via.text,
                  sip_str(VIA ";oc=0;oc-algo=\"loss\";oc-validity=0;oc-seq=1282321615.783")));
    env.ops.drop(&env.env, buf);
    CU_ASSERT_TRUE(plain_env_clean(&env));
}

static void learn(SipOc *oc, const char *params, PealTime now)
{
    SipMessage message = scan(message_of("SIP/2.0 200 OK", params, ""));

    oc_learn(oc, &server, &message, now);
}

/* How many of a thousand requests go. */
static unsigned go(SipOc *oc, const char *method, const char *to_tag, PealTime now)
{
    char line[64];
    SipMessage message;
    unsigned sent = 0;

    snprintf(line, sizeof(line), "%s sip:b@example.org SIP/2.0", method);
    message = scan(message_of(line, "", to_tag));
    for (uint64_t i = 0; i < 1000; i++) {
        sent += oc_lets_go(oc, &server, &message, now, peal_random_at(5, 5, i));
    }
    return sent;
}

static void client_keeps_back_the_share_that_it_is_asked_for(void)
{
    SipOc oc = {.loss = 0};
    unsigned sent;

    CU_ASSERT_EQUAL(go(&oc, "INVITE", "", at_ms(0)), 1000);
    learn(&oc, ";oc=20;oc-algo=\"loss\";oc-validity=1000;oc-seq=7.1", at_ms(0));
    sent = go(&oc, "INVITE", "", at_ms(999));
    CU_ASSERT_TRUE(sent > 750 && sent < 850);
    CU_ASSERT_EQUAL(go(&oc, "INVITE", "", at_ms(1000)), 1000);
}

static void client_keeps_back_new_requests_before_those_of_dialogs(void)
{
    SipOc oc = {.loss = 0};
    SipMessage invite;
    SipMessage bye;
    static char kept[2][1024];
    unsigned invites = 0;
    unsigned byes = 0;

    snprintf(kept[0], sizeof(kept[0]), "%s", message_of("INVITE sip:b@x SIP/2.0", "", ""));
    snprintf(kept[1], sizeof(kept[1]), "%s", message_of("BYE sip:b@x SIP/2.0", "", ";tag=2"));
    invite = scan(kept[0]);
    bye = scan(kept[1]);
    learn(&oc, ";oc=25;oc-algo=\"loss\";oc-validity=1000;oc-seq=7.1", at_ms(0));
    for (uint64_t i = 0; i < 1000; i++) { /* one of each: half of the first sort makes a quarter */
        invites += oc_lets_go(&oc, &server, &invite, at_ms(1), peal_random_at(5, 5, 2 * i));
        byes += oc_lets_go(&oc, &server, &bye, at_ms(1), peal_random_at(5, 5, 2 * i + 1));
    }
    CU_ASSERT_EQUAL(byes, 1000);
    CU_ASSERT_TRUE(invites > 450 && invites < 550);
    CU_ASSERT_EQUAL(go(&oc, "CANCEL", "", at_ms(1)), 1000);
    CU_ASSERT_EQUAL(go(&oc, "ACK", "", at_ms(1)), 1000);
}

static void word_without_a_time_holds_for_half_a_second(void)
{
    SipOc oc = {.loss = 0};

    learn(&oc, ";oc=100;oc-algo=\"loss\";oc-seq=7.1", at_ms(0));
    CU_ASSERT_EQUAL(go(&oc, "INVITE", "", at_ms(499)), 0);
    CU_ASSERT_EQUAL(go(&oc, "INVITE", "", at_ms(500)), 1000);
}

static void older_word_does_not_count_and_a_newer_ends_it(void)
{
    SipOc oc = {.loss = 0};

    learn(&oc, ";oc=100;oc-algo=\"loss\";oc-validity=5000;oc-seq=7.25", at_ms(0));
    learn(&oc, ";oc=0;oc-algo=\"loss\";oc-validity=0;oc-seq=7.2", at_ms(1));
    CU_ASSERT_EQUAL(go(&oc, "INVITE", "", at_ms(2)), 0);
    learn(&oc, ";oc=0;oc-algo=\"loss\";oc-validity=0;oc-seq=7.3", at_ms(3));
    CU_ASSERT_EQUAL(go(&oc, "INVITE", "", at_ms(4)), 1000);
}

static void number_that_begins_anew_counts(void)
{
    SipOc oc = {.loss = 0};

    learn(&oc, ";oc=100;oc-algo=\"loss\";oc-validity=5000;oc-seq=999999999.1", at_ms(0));
    learn(&oc, ";oc=0;oc-algo=\"loss\";oc-validity=0;oc-seq=3.1", at_ms(1));
    CU_ASSERT_EQUAL(go(&oc, "INVITE", "", at_ms(2)), 1000);
}

static void words_that_make_no_sense_are_not_heard(void)
{
    static const char *const bad[] = {";oc;oc-algo=\"loss\"",
                                      ";oc=100;oc-algo=\"loss\"",
                                      ";oc=101;oc-algo=\"loss\";oc-seq=1.1",
                                      ";oc=100;oc-algo=\"rate\";oc-seq=1.1",
                                      ";oc=100;oc-algo=\"loss\";oc-seq=1",
                                      ";oc=100;oc-algo=\"loss\";oc-seq=1.",
                                      ";oc=100;oc-algo=\"loss\";oc-seq=.1",
                                      ";oc=100;oc-algo=\"loss\";oc-seq=1234567890123.1",
                                      ";oc=100;oc-algo=\"loss\";oc-seq=1.123456",
                                      ";oc=-1;oc-algo=\"loss\";oc-seq=1.1",
                                      ";oc=100;oc-algo=\"loss\";oc-seq=1.1;oc-validity=99999999",
                                      ";oc-validity=1000;oc-seq=1.1"};
    SipOc oc = {.loss = 0};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        learn(&oc, bad[i], at_ms(0));
    }
    CU_ASSERT_EQUAL(go(&oc, "INVITE", "", at_ms(1)), 1000);
}

static void many_servers_take_each_other_s_places(void)
{
    SipOc oc = {.loss = 0};
    SipMessage message = scan(
        message_of("SIP/2.0 200 OK", ";oc=50;oc-algo=\"loss\";oc-validity=5000;oc-seq=7.1", ""));

    for (uint8_t i = 0; i < 200; i++) {
        PealAddr other = {.ip = {10, 0, 0, i}, .port = 5060, .family = 4};

        oc_learn(&oc, &other, &message, at_ms(i));
    }
    learn(&oc, ";oc=100;oc-algo=\"loss\";oc-validity=5000;oc-seq=7.1", at_ms(200));
    CU_ASSERT_EQUAL(go(&oc, "INVITE", "", at_ms(201)), 0);
}

static const char *options(SipPhone *phone, const char *offer, unsigned number)
{
    static char text[1024];

    snprintf(text, sizeof(text),
             "OPTIONS sip:example.org SIP/2.0\r\nVia: SIP/2.0/UDP %s:5070;branch=z9hG4bK%u%s\r\n"
             "From: <sip:a@example.org>;tag=1\r\nTo: <sip:example.org>\r\nCall-ID: %u\r\n"
             "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
             phone->host, number, offer, number);
    return text;
}

static void adapter_says_it_to_those_who_take_part_and_to_no_others(void)
{
    SipWorld *world = sip_world_new(7);
    const SipReceived *answer;
    SipPhone *phone;
    PealHop hop;

    world->mini->overlay.defence.overload_control = true;
    world->mini->overlay.defence.overload_wait = peal_ms(100);
    sip_world_adapters(world, 1);
    phone = sip_phone(world, "10.2.0.9", 5070);
    hop = (PealHop){.addr = phone->addr, .transport = PEAL_UDP};
    sip_phone_send(phone, 0, options(phone, ";oc;oc-algo=\"loss\"", 1));
    answer = script_expect(phone, 200);
    CU_ASSERT_PTR_NOT_NULL_FATAL(answer);
    CU_ASSERT_PTR_NOT_NULL(strstr(answer->text, ";oc=0;oc-algo=\"loss\";oc-validity=0;oc-seq="));
    sip_phone_send(phone, 0, options(phone, "", 2));
    answer = script_expect(phone, 200);
    CU_ASSERT_PTR_NOT_NULL_FATAL(answer);
    CU_ASSERT_PTR_NULL(strstr(answer->text, ";oc"));
    for (unsigned i = 3; i < 6; i++) { /* behind with its work for three looks */
        const char *text = options(phone, ";oc;oc-algo=\"loss\"", i);

        CU_ASSERT_EQUAL(peal_peer_sip_admit(sip_world_peer(world, 0), &hop, (const uint8_t *)text,
                                            strlen(text), peal_ms(200)),
                        PEAL_ADMIT_REFUSE);
        sip_world_run(world, peal_ms(100));
    }
    for (int i = 0; i < 3; i++) {
        answer = script_expect(phone, 503);
        CU_ASSERT_PTR_NOT_NULL_FATAL(answer);
    }
    CU_ASSERT_PTR_NOT_NULL(
        strstr(answer->text, ";oc=30;oc-algo=\"loss\";oc-validity=2000;oc-seq="));
    sip_world_free(world);
}

static void proxy_keeps_back_what_its_server_asks_it_to_and_answers_503(void)
{
    SipWorld *world = sip_world_new(7);
    const SipReceived *invite;
    SipPhone *caller;
    SipPhone *callee;
    char response[2048];

    world->mini->overlay.defence.overload_control = true;
    sip_world_adapters(world, 1);
    caller = sip_phone(world, "10.2.0.9", 5070);
    callee = sip_phone(world, "10.2.0.10", 5070);
    script_register(callee, 0, "bob", NULL);
    script_invite(caller, 0, "alice", "bob");
    invite = script_expect_request(callee, "INVITE");
    CU_ASSERT_PTR_NOT_NULL_FATAL(invite);
    CU_ASSERT_PTR_NOT_NULL(strstr(script_header(invite->text, "Via", 0), ";oc;oc-algo=\"loss\""));
    snprintf(response, sizeof(response),
             "SIP/2.0 486 Busy Here\r\nVia: %s=100;oc-validity=5000;oc-seq=1.1\r\nVia: %s\r\n"
             "From: %s\r\nTo: %s;tag=9\r\nCall-ID: %s\r\nCSeq: %s\r\nContent-Length: 0\r\n\r\n",
             "%s", script_header(invite->text, "Via", 1), script_header(invite->text, "From", 0),
             script_header(invite->text, "To", 0), script_header(invite->text, "Call-ID", 0),
             script_header(invite->text, "CSeq", 0));
    { /* the adapter's Via with its oc filled in */
        char whole[4096];
        char via[512];
        const char *own = script_header(invite->text, "Via", 0);
        const char *oc = strstr(own, ";oc;");

        snprintf(via, sizeof(via), "%.*s;oc-algo=\"loss\";oc", (int)(oc - own), own);
        snprintf(whole, sizeof(whole), response, via);
        sip_phone_send(callee, 0, whole);
    }
    CU_ASSERT_PTR_NOT_NULL(script_expect(caller, 100));
    CU_ASSERT_PTR_NOT_NULL(script_expect(caller, 486));
    CU_ASSERT_PTR_NOT_NULL(script_expect_request(callee, "ACK"));
    script_invite(caller, 0, "alice", "bob");
    CU_ASSERT_PTR_NOT_NULL(script_expect(caller, 100));
    CU_ASSERT_PTR_NOT_NULL(script_expect(caller, 503));
    CU_ASSERT_TRUE(sip_phone_is_quiet(callee, peal_ms(100)));
    sip_world_free(world);
}

PEAL_TEST_MAIN("core/oc", PEAL_TEST(client_offers_what_servers_understand),
               PEAL_TEST(via_is_passed_on_without_the_parameters),
               PEAL_TEST(answer_says_what_is_asked_for_and_for_how_long),
               PEAL_TEST(client_keeps_back_the_share_that_it_is_asked_for),
               PEAL_TEST(client_keeps_back_new_requests_before_those_of_dialogs),
               PEAL_TEST(word_without_a_time_holds_for_half_a_second),
               PEAL_TEST(older_word_does_not_count_and_a_newer_ends_it),
               PEAL_TEST(number_that_begins_anew_counts),
               PEAL_TEST(words_that_make_no_sense_are_not_heard),
               PEAL_TEST(many_servers_take_each_other_s_places),
               PEAL_TEST(adapter_says_it_to_those_who_take_part_and_to_no_others),
               PEAL_TEST(proxy_keeps_back_what_its_server_asks_it_to_and_answers_503))
