/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_gate.c - who gets in while there is too much, and what the others are told: at an adapter
 * that phones send to, by way of what a world asks before it hands anything over. */
#include <stdlib.h>

#include "core/sip_script.h"
#include "core/sip_torture.h"
#include "peal_test.h"

static const PealSpan TARGET = {100 * PEAL_NS_PER_MS};

static const char REQUEST[] = "%s sip:bob@example.org SIP/2.0\r\n"
                              "Via: SIP/2.0/UDP 10.2.0.9:5070;branch=z9hG4bK%u;rport\r\n"
                              "From: <sip:eve@example.org>;tag=1\r\n"
                              "To: <sip:bob@example.org>%s\r\n"
                              "Call-ID: %u@10.2.0.9\r\n"
                              "CSeq: 1 %s\r\n"
                              "Max-Forwards: 70\r\n"
                              "Content-Length: 0\r\n\r\n";

typedef struct Gated {
    SipWorld *world;
    PealPeer *peer;
    SipPhone *stranger;
    unsigned number;
} Gated;

static void begin_with(Gated *gated, const PealDefence *defence)
{
    SipWorld *world = sip_world_new(7);
    PealDefence *own = &world->mini->overlay.defence;

    own->source_rate_milli = defence->source_rate_milli;
    own->overload_wait = defence->overload_wait;
    own->overload_control = defence->overload_control;
    own->source_burst = 5;
    own->known_factor = 4;
    sip_world_adapters(world, 1);
    *gated = (Gated){world, sip_world_peer(world, 0), sip_phone(world, "10.2.0.9", 5070), 0};
}

static void begin(Gated *gated)
{
    begin_with(gated, &(PealDefence){.overload_wait = TARGET});
}

static PealAdmit admit(const Gated *gated, const PealAddr *from, const char *text, PealSpan wait)
{
    const PealHop hop = {.addr = *from, .transport = PEAL_UDP};

    return peal_peer_sip_admit(gated->peer, &hop, (const uint8_t *)text, strlen(text), wait);
}

static PealAdmit ask(Gated *gated, const PealAddr *from, const char *method, const char *tag,
                     PealSpan wait)
{
    char text[1024];
    unsigned number = gated->number++;

    snprintf(text, sizeof(text), REQUEST, method, number, tag, number, method);
    return admit(gated, from, text, wait);
}

static PealSpan times(int64_t n)
{
    return (PealSpan){n * TARGET.ns};
}

static void gate_lets_all_in_that_need_not_wait(void)
{
    Gated gated;

    begin(&gated);
    CU_ASSERT_EQUAL(ask(&gated, &gated.stranger->addr, "INVITE", "", TARGET), PEAL_ADMIT_SERVE);
    CU_ASSERT_EQUAL(ask(&gated, &gated.stranger->addr, "REGISTER", "", times(0)), PEAL_ADMIT_SERVE);
    sip_world_free(gated.world);
}

static void peer_without_defences_lets_everything_in(void)
{
    Gated gated;

    begin_with(&gated, &(PealDefence){.source_rate_milli = 0});
    for (int i = 0; i < 1000; i++) {
        CU_ASSERT_EQUAL(ask(&gated, &gated.stranger->addr, "INVITE", "", times(1000)),
                        PEAL_ADMIT_SERVE);
    }
    sip_world_free(gated.world);
}

static void refusal_is_a_503_that_names_a_time_and_makes_the_ack_known(void)
{
    Gated gated;
    const SipReceived *answer;
    const char *invite;
    const char *tag;
    char ack[2048];
    long after;

    begin(&gated);
    CU_ASSERT_EQUAL(ask(&gated, &gated.stranger->addr, "INVITE", "", times(2)), PEAL_ADMIT_REFUSE);
    answer = script_expect(gated.stranger, 503);
    CU_ASSERT_PTR_NOT_NULL_FATAL(answer);
    invite = answer->text;
    CU_ASSERT_PTR_NOT_NULL(strstr(script_header(invite, "Via", 0), "branch=z9hG4bK0"));
    CU_ASSERT_STRING_EQUAL(script_header(invite, "From", 0), "<sip:eve@example.org>;tag=1");
    CU_ASSERT_STRING_EQUAL(script_header(invite, "Call-ID", 0), "0@10.2.0.9");
    CU_ASSERT_STRING_EQUAL(script_header(invite, "CSeq", 0), "1 INVITE");
    tag = script_param(script_header(invite, "To", 0), "tag");
    CU_ASSERT_PTR_NOT_NULL_FATAL(tag);
    after = strtol(script_header(invite, "Retry-After", 0), NULL, 10);
    CU_ASSERT_TRUE(after >= 5 && after <= 10);
    snprintf(ack, sizeof(ack), REQUEST, "ACK", 0, ";tag=", 0, "ACK");
    CU_ASSERT_EQUAL(admit(&gated, &gated.stranger->addr, ack, times(0)), PEAL_ADMIT_SERVE);
    snprintf(ack, sizeof(ack), "ACK sip:bob@example.org SIP/2.0\r\nTo: <sip:bob@x>;tag=%s\r\n\r\n",
             tag);
    CU_ASSERT_EQUAL(admit(&gated, &gated.stranger->addr, ack, times(0)), PEAL_ADMIT_DROP);
    CU_ASSERT_TRUE(sip_phone_is_quiet(gated.stranger, peal_seconds(40))); /* nothing was kept */
    sip_world_free(gated.world);
}

static void what_finishes_work_that_was_begun_gets_in_while_what_begins_some_does_not(void)
{
    static const char *const finish[] = {"ACK", "BYE", "CANCEL", "PRACK"};
    Gated gated;

    begin(&gated);
    for (size_t i = 0; i < sizeof(finish) / sizeof(finish[0]); i++) {
        CU_ASSERT_EQUAL(ask(&gated, &gated.stranger->addr, finish[i], "", times(2)),
                        PEAL_ADMIT_SERVE);
    }
    CU_ASSERT_EQUAL(admit(&gated, &gated.stranger->addr, "SIP/2.0 200 OK\r\n\r\n", times(2)),
                    PEAL_ADMIT_SERVE);
    CU_ASSERT_EQUAL(ask(&gated, &gated.stranger->addr, "INVITE", ";tag=2", times(2)),
                    PEAL_ADMIT_SERVE); /* inside a dialog */
    CU_ASSERT_EQUAL(ask(&gated, &gated.stranger->addr, "OPTIONS", "", times(2)), PEAL_ADMIT_REFUSE);
    sip_world_free(gated.world);
}

static void repetition_of_a_request_that_was_taken_in_gets_in(void)
{
    Gated gated;
    const char *invite;

    begin(&gated);
    script_register(gated.stranger, 0, "bob", NULL);
    sip_world_run(gated.world, peal_seconds(1));
    SipPhone *caller = sip_phone(gated.world, "10.2.0.10", 5070);

    invite = script_invite(caller, 0, "carol", "bob");
    sip_world_run(gated.world, peal_ms(50));
    CU_ASSERT_EQUAL(admit(&gated, &caller->addr, invite, times(2)), PEAL_ADMIT_SERVE);
    CU_ASSERT_EQUAL(ask(&gated, &caller->addr, "INVITE", "", times(2)), PEAL_ADMIT_REFUSE);
    sip_world_free(gated.world);
}

static void registered_source_gets_in_four_times_as_late_and_its_urgent_messages_always(void)
{
    Gated gated;
    SipPhone *known;

    begin(&gated);
    known = sip_phone(gated.world, "10.2.0.10", 5070);
    script_register(known, 0, "bob", NULL);
    CU_ASSERT_EQUAL(ask(&gated, &known->addr, "INVITE", "", times(4)), PEAL_ADMIT_SERVE);
    CU_ASSERT_EQUAL(ask(&gated, &known->addr, "INVITE", "", times(5)), PEAL_ADMIT_REFUSE);
    CU_ASSERT_EQUAL(ask(&gated, &known->addr, "BYE", "", times(500)), PEAL_ADMIT_SERVE);
    CU_ASSERT_EQUAL(ask(&gated, &gated.stranger->addr, "BYE", "", times(3)), PEAL_ADMIT_DROP);
    sip_world_free(gated.world);
}

static void binding_that_has_expired_makes_nobody_known(void)
{
    Gated gated;
    SipPhone *known;

    begin(&gated);
    known = sip_phone(gated.world, "10.2.0.10", 5070);
    script_register(known, 0, "bob", NULL);
    sip_world_run(gated.world, peal_seconds(3601));
    CU_ASSERT_EQUAL(ask(&gated, &known->addr, "INVITE", "", times(4)), PEAL_ADMIT_REFUSE);
    sip_world_free(gated.world);
}

static unsigned served_of(Gated *gated, const PealAddr *from, unsigned count)
{
    unsigned served = 0;

    for (unsigned i = 0; i < count; i++) {
        served += ask(gated, from, "OPTIONS", "", times(0)) == PEAL_ADMIT_SERVE;
    }
    return served;
}

static void stranger_beyond_its_bucket_is_dropped_and_a_known_source_refused(void)
{
    Gated gated;
    SipPhone *known;

    begin_with(&gated, &(PealDefence){.source_rate_milli = 3600000}); /* one a second */
    known = sip_phone(gated.world, "10.2.0.10", 5070);
    script_register(known, 0, "bob", NULL);
    CU_ASSERT_EQUAL(served_of(&gated, &gated.stranger->addr, 100), 5);
    CU_ASSERT_EQUAL(ask(&gated, &gated.stranger->addr, "OPTIONS", "", times(0)), PEAL_ADMIT_DROP);
    CU_ASSERT_EQUAL(ask(&gated, &gated.stranger->addr, "ACK", "", times(0)), PEAL_ADMIT_SERVE);
    CU_ASSERT_EQUAL(served_of(&gated, &known->addr, 100), 20);
    CU_ASSERT_EQUAL(ask(&gated, &known->addr, "OPTIONS", "", times(0)), PEAL_ADMIT_REFUSE);
    sip_world_free(gated.world);
}

static void sources_are_told_apart_by_ipv4_address_and_by_ipv6_prefix(void)
{
    Gated gated;
    PealAddr addr = {.ip = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 9, 9}, .port = 5060, .family = 6};
    PealAddr v4 = {.ip = {10, 3, 0, 1}, .port = 5060, .family = 4};

    begin_with(&gated, &(PealDefence){.source_rate_milli = 3600000});
    CU_ASSERT_EQUAL(served_of(&gated, &addr, 100), 5);
    addr.ip[15] = 77; /* another host of the same network */
    addr.port = 5070;
    CU_ASSERT_EQUAL(served_of(&gated, &addr, 100), 0);
    addr.ip[7] = 2;
    CU_ASSERT_EQUAL(served_of(&gated, &addr, 100), 5);
    CU_ASSERT_EQUAL(served_of(&gated, &v4, 100), 5);
    v4.port = 5070;
    CU_ASSERT_EQUAL(served_of(&gated, &v4, 100), 0);
    v4.ip[3] = 2;
    CU_ASSERT_EQUAL(served_of(&gated, &v4, 100), 5);
    sip_world_free(gated.world);
}

static void gap_between_strangers_widens_under_overload_and_closes_when_there_is_calm(void)
{
    Gated gated;
    unsigned served = 0;

    begin(&gated);
    for (int i = 0; i < 20; i++) { /* two seconds of a wait that is too long */
        CU_ASSERT_EQUAL(ask(&gated, &gated.stranger->addr, "INVITE", "", times(2)),
                        PEAL_ADMIT_REFUSE);
        sip_world_run(gated.world, peal_ms(100));
    }
    for (int i = 0; i < 100; i++) { /* ten seconds without any, a request every tenth */
        served += ask(&gated, &gated.stranger->addr, "INVITE", "", times(0)) == PEAL_ADMIT_SERVE;
        sip_world_run(gated.world, peal_ms(100));
    }
    CU_ASSERT_TRUE(served >= 1 && served <= 3);
    sip_world_run(gated.world, peal_seconds(33));
    CU_ASSERT_EQUAL(served_of(&gated, &gated.stranger->addr, 100), 100);
    sip_world_free(gated.world);
}

static void refusal_of_a_peer_with_overload_control_names_no_time(void)
{
    Gated gated;
    const SipReceived *answer;

    begin_with(&gated, &(PealDefence){.overload_wait = TARGET, .overload_control = true});
    CU_ASSERT_EQUAL(ask(&gated, &gated.stranger->addr, "INVITE", "", times(2)), PEAL_ADMIT_REFUSE);
    answer = script_expect(gated.stranger, 503);
    CU_ASSERT_PTR_NOT_NULL_FATAL(answer);
    CU_ASSERT_PTR_NULL(script_header(answer->text, "Retry-After", 0)); /* RFC 7339 s.5.10.2 */
    sip_world_free(gated.world);
}

/* Whatever comes, whole or cut, is judged; what is refused was answerable. */
static void gate_judges_the_torture_messages_and_their_beginnings(void)
{
    static char bytes[SIP_TORTURE_MAX];
    Gated gated;
    bool there = false;

    begin(&gated);
    for (size_t i = 0; i < SIP_TORTURE_LEN; i++) {
        size_t len = sip_torture_load(&sip_torture[i], bytes, sizeof(bytes));
        const PealHop hop = {.addr = gated.stranger->addr, .transport = PEAL_UDP};

        for (size_t cut = 0; cut <= len; cut += cut < 64 ? 1 : 17) {
            uint8_t *copy = malloc(cut + 1); /* of its size, for the sanitizer */
            PealAdmit verdict;

            memcpy(copy, bytes, cut);
            verdict = peal_peer_sip_admit(gated.peer, &hop, copy, cut, times(2));
            CU_ASSERT_TRUE(verdict <= PEAL_ADMIT_DROP);
            free(copy);
        }
        if (len > 0) {
            PealAdmit verdict =
                peal_peer_sip_admit(gated.peer, &hop, (const uint8_t *)bytes, len, times(2));

            there = true;
            CU_ASSERT_TRUE(verdict != PEAL_ADMIT_REFUSE || sip_torture[i].answerable);
        }
        sip_world_run(gated.world, peal_ms(10));
        gated.stranger->inbox_read = gated.stranger->inbox_len;
    }
    (void)there;
    sip_world_free(gated.world);
}

PEAL_TEST_MAIN(
    "core/gate", PEAL_TEST(gate_lets_all_in_that_need_not_wait),
    PEAL_TEST(peer_without_defences_lets_everything_in),
    PEAL_TEST(refusal_is_a_503_that_names_a_time_and_makes_the_ack_known),
    PEAL_TEST(what_finishes_work_that_was_begun_gets_in_while_what_begins_some_does_not),
    PEAL_TEST(repetition_of_a_request_that_was_taken_in_gets_in),
    PEAL_TEST(registered_source_gets_in_four_times_as_late_and_its_urgent_messages_always),
    PEAL_TEST(binding_that_has_expired_makes_nobody_known),
    PEAL_TEST(stranger_beyond_its_bucket_is_dropped_and_a_known_source_refused),
    PEAL_TEST(sources_are_told_apart_by_ipv4_address_and_by_ipv6_prefix),
    PEAL_TEST(gap_between_strangers_widens_under_overload_and_closes_when_there_is_calm),
    PEAL_TEST(refusal_of_a_peer_with_overload_control_names_no_time),
    PEAL_TEST(gate_judges_the_torture_messages_and_their_beginnings))
