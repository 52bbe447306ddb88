/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_siphop.c - what an adapter sees of SIP's datagrams and connections, and of its questions. */
#include "peal_test.h"
#include "toy_peer.h"

#define MS PEAL_NS_PER_MS
static const int64_t WAKE = INT64_C(1000) * MS;

static int64_t at_of(ToyKind kind, uint32_t peer, unsigned n)
{
    const ToyEvent *event = toy_find(kind, peer, n);

    return event == NULL ? -1 : event->at_ns;
}

static uint64_t counter(RecorderCounter which)
{
    return toy.world->totals.counter[which];
}

/* Datagrams. */

static void datagram_script(PealEnv *env, uint32_t peer, const ToyEvent *event)
{
    const PealHop there = toy_sip_to(1, PEAL_UDP);

    if (peer == 0 && event->kind == TOY_WOKEN) {
        toy_sip(env, &there, 1);
    } else if (peer == 1 && event->kind == TOY_SIP) {
        toy_sip(env, &event->hop, 2);
    }
}

static void datagrams_travel_by_address(void)
{
    const ToyEvent *first;

    toy_run(datagram_script, NULL);
    first = toy_find(TOY_SIP, 1, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    CU_ASSERT_EQUAL(first->at_ns, WAKE + 50 * MS);
    CU_ASSERT(first->hop.transport == PEAL_UDP && first->hop.conn == 0);
    CU_ASSERT(first->hop.addr.port == WORLD_SIP_PORT && first->hop.addr.ip[3] == 1);
    CU_ASSERT_EQUAL(at_of(TOY_SIP, 0, 0), WAKE + 100 * MS);
    CU_ASSERT_EQUAL(toy_find(TOY_SIP, 0, 0)->number, 2);
    CU_ASSERT_EQUAL(counter(RECORDER_SIP_MESSAGES), 2);
    CU_ASSERT_EQUAL(counter(RECORDER_SIP_BYTES), 200);
    CU_ASSERT_EQUAL(counter(RECORDER_SIP_LOST), 0);
    CU_ASSERT_EQUAL(counter(RECORDER_MESSAGES), 0); /* those are RELOAD's */
    CU_ASSERT_EQUAL(counter(RECORDER_FRAMES_SENT), 0);
    toy_end();
}

static void many_script(PealEnv *env, uint32_t peer, const ToyEvent *event)
{
    const PealHop datagram = toy_sip_to(1, PEAL_UDP);
    const PealHop stream = toy_sip_to(1, PEAL_TCP);

    for (uint32_t i = 0; peer == 0 && event->kind == TOY_WOKEN && i < 500; i++) {
        toy_sip(env, &datagram, i);
        toy_sip(env, &stream, 1000 + i);
    }
}

static void loss_and_jitter_spare_streams(void)
{
    const char *settings[] = {"network.loss=20%", "network.jitter=exponential:20ms", NULL};
    unsigned datagrams = 0;
    unsigned reordered = 0;
    uint32_t next = 1000;
    uint32_t last = 0;

    toy_run(many_script, settings);
    for (unsigned i = 0; toy_find(TOY_SIP, 1, i) != NULL; i++) {
        const ToyEvent *event = toy_find(TOY_SIP, 1, i);

        if (event->number >= 1000) {
            CU_ASSERT_EQUAL(event->number, next++);
        } else {
            datagrams++;
            reordered += event->number < last;
            last = event->number;
        }
    }
    CU_ASSERT_EQUAL(next, 1500);
    CU_ASSERT(datagrams > 350 && datagrams < 450 && reordered > 50);
    CU_ASSERT_EQUAL(counter(RECORDER_SIP_LOST), 500 - datagrams);
    toy_end();
}

static void slow_processor_script(PealEnv *env, uint32_t peer, const ToyEvent *event)
{
    const PealHop there = toy_sip_to(1, PEAL_UDP);

    for (uint32_t i = 0; peer == 0 && event->kind == TOY_WOKEN && i < 4; i++) {
        toy_sip(env, &there, i);
    }
}

static void processor_takes_its_time_for_sip_too(void)
{
    const char *settings[] = {"peer.cpu=constant:10ms", "peer.queue=3", NULL};

    toy_run(slow_processor_script, settings);
    CU_ASSERT_EQUAL(at_of(TOY_SIP, 1, 0), WAKE + 60 * MS);
    CU_ASSERT_EQUAL(at_of(TOY_SIP, 1, 2), WAKE + 80 * MS);
    CU_ASSERT_EQUAL(counter(RECORDER_SIP_MESSAGES) + counter(RECORDER_SIP_LOST), 4);
    CU_ASSERT_EQUAL(toy.world->totals.counter[RECORDER_TURNED_AWAY], counter(RECORDER_SIP_LOST));
    toy_end();
}

/* Connections. */

static void stream_script(PealEnv *env, uint32_t peer, const ToyEvent *event)
{
    const PealHop there = toy_sip_to(1, PEAL_TCP);

    if (peer == 0 && event->kind == TOY_WOKEN) {
        toy_sip(env, &there, 1);
        toy_sip(env, &there, 2);
    } else if (peer == 1 && event->kind == TOY_SIP && event->number == 2) {
        toy_sip(env, &event->hop, 3);
    } else if (peer == 0 && event->kind == TOY_SIP && event->number == 3) {
        toy_sip(env, &event->hop, 4);
        toy_sip(env, &there, 5);
        env->ops->sip_close(env, event->hop.conn);
        toy_sip(env, &event->hop, 6); /* too late */
    }
}

static void connection_costs_a_round_trip_and_serves_both_ways(void)
{
    const ToyEvent *event;
    uint32_t conn;

    toy_run(stream_script, NULL);
    event = toy_find(TOY_SIP, 1, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(event);
    conn = event->hop.conn;
    CU_ASSERT(event->hop.transport == PEAL_TCP && conn != 0);
    CU_ASSERT(event->hop.addr.port >= 49152 && event->hop.addr.ip[3] == 1);
    CU_ASSERT_EQUAL(event->at_ns, WAKE + 150 * MS);
    CU_ASSERT_EQUAL(at_of(TOY_SIP, 1, 1), WAKE + 150 * MS);
    CU_ASSERT_EQUAL(at_of(TOY_SIP, 0, 0), WAKE + 200 * MS);
    CU_ASSERT(toy_find(TOY_SIP, 0, 0)->hop.conn == conn);
    CU_ASSERT_EQUAL(toy_find(TOY_SIP, 0, 0)->hop.addr.port, WORLD_SIP_PORT);
    for (unsigned i = 2; i < 4; i++) {
        CU_ASSERT_EQUAL(at_of(TOY_SIP, 1, i), WAKE + 250 * MS);
        CU_ASSERT_EQUAL(toy_find(TOY_SIP, 1, i)->number, i + 2);
        CU_ASSERT(toy_find(TOY_SIP, 1, i)->hop.conn == conn);
    }
    CU_ASSERT_PTR_NULL(toy_find(TOY_SIP, 1, 4));
    toy_end();
}

static void closed_connection_ends_at_both_ends(void)
{
    const ToyEvent *event;

    toy_run(stream_script, NULL);
    event = toy_find(TOY_SIP_END, 1, 0); /* behind what was sent before */
    CU_ASSERT_PTR_NOT_NULL_FATAL(event);
    CU_ASSERT(event->error == 0 && event->hop.conn == toy_find(TOY_SIP, 1, 0)->hop.conn);
    CU_ASSERT_EQUAL(event->at_ns, WAKE + 250 * MS);
    event = toy_find(TOY_SIP_END, 0, 0); /* of what was sent afterwards */
    CU_ASSERT_PTR_NOT_NULL_FATAL(event);
    CU_ASSERT_EQUAL(event->error, -PEAL_E_UNREACHABLE);
    CU_ASSERT_EQUAL(event->at_ns, WAKE + 200 * MS);
    CU_ASSERT_EQUAL(g_hash_table_size(toy.world->sip_hops.by_number), 0);
    CU_ASSERT_EQUAL(g_hash_table_size(toy.world->sip_hops.by_ends), 0);
    toy_end();
}

/* Both ways every 100 ms: over the same connection as long as it is there. */
static void chatter_script(PealEnv *env, uint32_t peer, const ToyEvent *event)
{
    const PealHop there = toy_sip_to(1, PEAL_TCP);
    static uint32_t number;

    if (peer == 0 && event->kind == TOY_WOKEN) {
        toy_sip(env, &there, number++);
        env->ops->wake_at(env, (PealTime){event->at_ns + 100 * MS});
    } else if (peer == 0 && event->kind == TOY_SIP_END) {
        env->ops->wake_at(env, PEAL_TIME_NEVER);
    }
}

static void crashed_machine_shows_by_silence(void)
{
    const ToyEvent *event;

    toy_run_struck(chatter_script, "event:x.do=fail 1 peers");
    event = toy_find(TOY_SIP_END, 0, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(event);
    CU_ASSERT_EQUAL(event->error, -PEAL_E_TIMEOUT);
    CU_ASSERT_EQUAL(event->hop.addr.port, WORLD_SIP_PORT);
    CU_ASSERT(event->at_ns >= 5000 * MS + FLOW_USER_TIMEOUT.ns);
    CU_ASSERT(event->at_ns <= 5200 * MS + FLOW_USER_TIMEOUT.ns);
    CU_ASSERT(counter(RECORDER_SIP_LOST) >= 49);
    toy_end();
}

static void restarted_peer_refuses_what_it_has_forgotten(void)
{
    const ToyEvent *event;

    toy_run_struck(chatter_script, "event:x.do=restart 1 peers");
    event = toy_find(TOY_SIP_END, 0, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(event);
    CU_ASSERT_EQUAL(event->error, -PEAL_E_REFUSED);
    CU_ASSERT(event->at_ns >= 5000 * MS && event->at_ns <= 5200 * MS);
    CU_ASSERT_PTR_NULL(toy_find(TOY_SIP_END, 1, 0));
    toy_end();
}

static void partition_breaks_connections(void)
{
    const char *settings[] = {"event:a.at=5s", "event:a.do=partition 50%", NULL};
    const ToyEvent *event;

    toy_run(chatter_script, settings);
    event = toy_find(TOY_SIP_END, 0, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(event);
    CU_ASSERT_EQUAL(event->error, -PEAL_E_TIMEOUT);
    CU_ASSERT_EQUAL(event->at_ns, 5000 * MS + FLOW_USER_TIMEOUT.ns);
    toy_end();
}

static void nowhere_script(PealEnv *env, uint32_t peer, const ToyEvent *event)
{
    PealHop nowhere = {.addr = {.ip = {192, 0, 2, 1}, .port = 5060, .family = 4},
                       .transport = PEAL_UDP};

    if (peer == 0 && event->kind == TOY_WOKEN) {
        toy_sip(env, &nowhere, 1);
        nowhere.transport = PEAL_TCP;
        toy_sip(env, &nowhere, 2);
        nowhere.conn = 77;
        toy_sip(env, &nowhere, 3);
        env->ops->sip_close(env, 77);
    }
}

static void what_leads_nowhere_is_told_of_streams_only(void)
{
    toy_run(nowhere_script, NULL);
    for (unsigned i = 0; i < 2; i++) {
        const ToyEvent *event = toy_find(TOY_SIP_END, 0, i);

        CU_ASSERT_PTR_NOT_NULL_FATAL(event);
        CU_ASSERT_EQUAL(event->error, -PEAL_E_UNREACHABLE);
        CU_ASSERT_EQUAL(event->at_ns, WAKE);
        CU_ASSERT_EQUAL(event->hop.conn, i == 0 ? 0 : 77);
        CU_ASSERT_EQUAL(event->hop.addr.ip[0], 192);
    }
    CU_ASSERT_PTR_NULL(toy_find(TOY_SIP_END, 0, 2));
    CU_ASSERT_EQUAL(counter(RECORDER_SIP_LOST), 3);
    toy_end();
}

/* Questions. */

static int ask(PealEnv *env, uint64_t token, PealAskKind kind, const char *name)
{
    return env->ops->ask(env, &(PealAsk){.kind = kind,
                                         .transport = PEAL_TRANSPORT_ANY,
                                         .token = token,
                                         .name = {name, strlen(name)}});
}

static void asking_script(PealEnv *env, uint32_t peer, const ToyEvent *event)
{
    if (peer == 0 && event->kind == TOY_WOKEN) {
        CU_ASSERT_EQUAL(ask(env, 1, PEAL_ASK_RESOLVE, "10.0.0.2"), 0);
        CU_ASSERT_EQUAL(ask(env, 2, PEAL_ASK_RESOLVE, "Example.ORG"), 0);
        CU_ASSERT_EQUAL(ask(env, 3, PEAL_ASK_RESOLVE, "elsewhere.example.net"), 0);
        CU_ASSERT_EQUAL(ask(env, 4, PEAL_ASK_PASSWORD, "u0.p0"), 0);
        CU_ASSERT_PTR_NULL(toy_find(TOY_ANSWER, 0, 0)); /* from a later dispatch */
    }
}

static void questions_are_answered_without_dns(void)
{
    const ToyEvent *answer;

    toy_run(asking_script, NULL);
    for (unsigned i = 0; i < 4; i++) {
        answer = toy_find(TOY_ANSWER, 0, i);
        CU_ASSERT_PTR_NOT_NULL_FATAL(answer);
        CU_ASSERT(answer->number == i + 1 && answer->at_ns == WAKE);
        CU_ASSERT_EQUAL(answer->error, i < 2 ? 0 : -PEAL_E_NOT_FOUND);
        CU_ASSERT_EQUAL(answer->targets_len, i == 0 ? 1 : i == 1 ? 2 : 0);
        CU_ASSERT(i >= 2 || (answer->addr.port == 5060 && answer->addr.ip[3] == 2 - i));
    }
    CU_ASSERT_PTR_NULL(toy_find(TOY_ANSWER, 0, 4));
    toy_end();
}

PEAL_TEST_MAIN("sim/siphop", PEAL_TEST(datagrams_travel_by_address),
               PEAL_TEST(loss_and_jitter_spare_streams),
               PEAL_TEST(processor_takes_its_time_for_sip_too),
               PEAL_TEST(connection_costs_a_round_trip_and_serves_both_ways),
               PEAL_TEST(closed_connection_ends_at_both_ends),
               PEAL_TEST(crashed_machine_shows_by_silence),
               PEAL_TEST(restarted_peer_refuses_what_it_has_forgotten),
               PEAL_TEST(partition_breaks_connections),
               PEAL_TEST(what_leads_nowhere_is_told_of_streams_only),
               PEAL_TEST(questions_are_answered_without_dns))
