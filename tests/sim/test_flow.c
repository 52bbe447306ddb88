/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_flow.c - what a peer sees of UDP and TCP, of its deadline and of a dead or divided
 * network. */
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

/* UDP. */

static void udp_script(PealEnv *env, uint32_t peer, const ToyEvent *event)
{
    if (event->kind == TOY_WOKEN && peer == 0) {
        (void)toy_open(env, 1, PEAL_UDP);
    } else if (event->kind == TOY_UP && event->opened) {
        toy_send(env, event->flow, 1, 1);
        toy_send(env, event->flow, 2, 1);
    } else if (event->kind == TOY_BYTES && peer == 1) {
        toy_send(env, event->flow, 10 + event->number, 1);
    }
}

static void udp_flow_is_up_here_at_once_and_there_with_the_first_datagram(void)
{
    toy_run(udp_script, NULL);
    CU_ASSERT_EQUAL(at_of(TOY_UP, 0, 0), WAKE);
    CU_ASSERT_EQUAL(at_of(TOY_UP, 1, 0), WAKE + 50 * MS);
    CU_ASSERT_FALSE(toy_find(TOY_UP, 1, 0)->opened);
    CU_ASSERT_EQUAL(at_of(TOY_BYTES, 1, 0), WAKE + 50 * MS);
    CU_ASSERT_EQUAL(at_of(TOY_BYTES, 1, 1), WAKE + 50 * MS);
    CU_ASSERT_PTR_NULL(toy_find(TOY_UP, 1, 1)); /* both came on one flow */
    CU_ASSERT_EQUAL(at_of(TOY_BYTES, 0, 0), WAKE + 100 * MS);
    CU_ASSERT_EQUAL(toy_find(TOY_BYTES, 0, 0)->number, 11);
    CU_ASSERT_EQUAL(counter(RECORDER_MESSAGES), 4);
    CU_ASSERT_EQUAL(counter(RECORDER_MESSAGE_BYTES), 400);
    toy_end();
}

static void udp_close_script(PealEnv *env, uint32_t peer, const ToyEvent *event)
{
    if (event->kind == TOY_WOKEN && peer == 0) {
        (void)toy_open(env, 1, PEAL_UDP);
    } else if (event->kind == TOY_UP && event->opened) {
        toy_send(env, event->flow, 1, 1);
    } else if (event->kind == TOY_BYTES && event->number == 1) {
        toy_send(env, event->flow, 2, 1);
    } else if (event->kind == TOY_BYTES && event->number == 2) {
        PealFlow next;

        env->ops->close(env, event->flow);
        next = toy_open(env, 1, PEAL_UDP);
        CU_ASSERT_EQUAL(next.index, event->flow.index); /* the lowest free one */
        CU_ASSERT_NOT_EQUAL(next.generation, event->flow.generation);
        toy_send(env, event->flow, 3, 1); /* on the old one: goes nowhere */
    }
}

static void udp_datagrams_on_a_closed_flow_vanish(void)
{
    toy_run(udp_close_script, NULL);
    CU_ASSERT_PTR_NULL(toy_find(TOY_DOWN, 1, 0)); /* closing says nothing */
    CU_ASSERT_EQUAL(at_of(TOY_UP, 0, 1), WAKE + 100 * MS);
    CU_ASSERT_EQUAL(at_of(TOY_UP, 1, 1),
                    WAKE + 150 * MS); /* its first datagram is number 1 again */
    CU_ASSERT_EQUAL(toy_find(TOY_BYTES, 1, 1)->number, 1);
    toy_end();
}

static void no_reorder_script(PealEnv *env, uint32_t peer, const ToyEvent *event)
{
    if (event->kind == TOY_WOKEN && peer == 0) {
        (void)toy_open(env, 1, toy.scenario->overlay.link);
    } else if (event->kind == TOY_UP && event->opened) {
        for (uint32_t i = 0; i < 500; i++) {
            toy_send(env, event->flow, i, 1);
        }
    }
}

static unsigned count_reordered(void)
{
    unsigned reordered = 0;

    for (unsigned i = 1; toy_find(TOY_BYTES, 1, i) != NULL; i++) {
        reordered += toy_find(TOY_BYTES, 1, i)->number < toy_find(TOY_BYTES, 1, i - 1)->number;
    }
    return reordered;
}

static void jitter_reorders_datagrams_but_no_stream(void)
{
    const char *udp[] = {"network.jitter=exponential:20ms", "overlay.link=udp", NULL};
    const char *tcp[] = {"network.jitter=exponential:20ms", "overlay.link=tcp", NULL};

    toy_run(no_reorder_script, udp);
    CU_ASSERT_EQUAL(counter(RECORDER_MESSAGES), 500);
    CU_ASSERT_TRUE(count_reordered() > 50);
    toy_end();
    toy_run(no_reorder_script, tcp);
    CU_ASSERT_EQUAL(counter(RECORDER_MESSAGES), 500);
    CU_ASSERT_EQUAL(count_reordered(), 0);
    toy_end();
}

static void loss_takes_datagrams_but_nothing_of_a_stream(void)
{
    const char *udp[] = {"network.loss=20%", "overlay.link=udp", NULL};
    const char *tcp[] = {"network.loss=20%", "overlay.link=tcp", NULL};

    toy_run(no_reorder_script, udp);
    CU_ASSERT_TRUE(counter(RECORDER_MESSAGES) > 350 && counter(RECORDER_MESSAGES) < 450);
    CU_ASSERT_EQUAL(counter(RECORDER_MESSAGES) + counter(RECORDER_FRAMES_LOST), 500);
    toy_end();
    toy_run(no_reorder_script, tcp);
    CU_ASSERT_EQUAL(counter(RECORDER_MESSAGES), 500);
    toy_end();
}

/* Every frame five times over, acks between: what counts is the first of them to arrive. */
static void five_times_script(PealEnv *env, uint32_t peer, const ToyEvent *event)
{
    if (event->kind == TOY_WOKEN && peer == 0) {
        (void)toy_open(env, 1, PEAL_UDP);
    } else if (event->kind == TOY_UP && event->opened) {
        for (uint16_t attempt = 1; attempt <= 5; attempt++) {
            for (uint32_t i = 0; i < 1000; i++) {
                toy_send(env, event->flow, i, attempt);
            }
        }
        toy_send(env, event->flow, 5000, 0);
    }
}

static void a_message_counts_once_however_often_it_is_sent(void)
{
    const char *lossy[] = {"network.loss=40%", "network.jitter=exponential:30ms", NULL};
    bool arrived[1000] = {false};
    unsigned distinct = 0;
    unsigned all = 0;

    toy_run(five_times_script, lossy);
    for (guint i = 0; i < toy.log->len; i++) {
        const ToyEvent *event = &g_array_index(toy.log, ToyEvent, i);

        if (event->kind == TOY_BYTES && event->number < 1000) {
            all++;
            distinct += !arrived[event->number];
            arrived[event->number] = true;
        }
    }
    CU_ASSERT_TRUE(distinct > 950 && all > 2500);
    CU_ASSERT_EQUAL(counter(RECORDER_MESSAGES), distinct);
    CU_ASSERT_EQUAL(counter(RECORDER_DUPLICATES), all - distinct);
    CU_ASSERT_EQUAL(counter(RECORDER_LINK_RETRANSMISSIONS), 4000);
    toy_end();
}

/* TCP. */

static void tcp_script(PealEnv *env, uint32_t peer, const ToyEvent *event)
{
    if (event->kind == TOY_WOKEN && peer == 0) {
        (void)toy_open(env, 1, PEAL_TCP);
    } else if (event->kind == TOY_UP && event->opened) {
        toy_send(env, event->flow, 1, 1);
    } else if (event->kind == TOY_UP) {
        toy_send(env, event->flow, 2, 1);
    } else if (event->kind == TOY_BYTES && event->number == 2) {
        env->ops->close(env, event->flow);
    }
}

static void tcp_flow_costs_a_round_trip_and_its_end_is_told(void)
{
    toy_run(tcp_script, NULL);
    CU_ASSERT_EQUAL(at_of(TOY_UP, 0, 0), WAKE + 100 * MS);
    CU_ASSERT_EQUAL(at_of(TOY_UP, 1, 0), WAKE + 150 * MS);
    CU_ASSERT_EQUAL(at_of(TOY_BYTES, 1, 0), WAKE + 150 * MS);
    CU_ASSERT_EQUAL(at_of(TOY_BYTES, 0, 0), WAKE + 200 * MS);
    CU_ASSERT_EQUAL(at_of(TOY_DOWN, 1, 0), WAKE + 250 * MS);
    CU_ASSERT_PTR_NULL(toy_find(TOY_DOWN, 0, 0)); /* who closes is not called back */
    toy_end();
}

static void nobody_script(PealEnv *env, uint32_t peer, const ToyEvent *event)
{
    if (event->kind == TOY_WOKEN && peer == 0) {
        (void)toy_open(env, 2, PEAL_TCP);
    }
}

static void tcp_flow_to_a_peer_that_is_not_up_times_out(void)
{
    const char *late[] = {"event:late.at=15s", "event:late.do=join 1 peers", NULL};

    toy_run(nobody_script, late);
    CU_ASSERT_EQUAL(at_of(TOY_DOWN, 0, 0), WAKE + FLOW_CONNECT_TIMEOUT.ns);
    CU_ASSERT_PTR_NULL(toy_find(TOY_UP, 0, 0));
    toy_end();
}

/* Opens at the first wake, and sends a byte every 100 ms from then on while the flow lasts. */
static void chatter_script(PealEnv *env, uint32_t peer, const ToyEvent *event)
{
    static PealFlow flow;
    static uint32_t number;
    PealTime next = peal_time_add((PealTime){event->at_ns}, peal_ms(100));

    if (event->kind == TOY_WOKEN && event->at_ns == WAKE && peer == 0) {
        flow = toy_open(env, 1, toy.scenario->overlay.link);
        number = 0;
    } else if ((event->kind == TOY_UP && event->opened) ||
               (event->kind == TOY_WOKEN && peer == 0 && event->at_ns > WAKE)) {
        toy_send(env, flow, number++, 1);
        env->ops->wake_at(env, next);
    } else if (event->kind == TOY_DOWN) {
        env->ops->wake_at(env, PEAL_TIME_NEVER);
    }
}

static void tcp_flow_to_a_crashed_machine_goes_down_unacknowledged(void)
{
    int64_t down;

    toy_run_struck(chatter_script, "event:x.do=fail 1 peers");
    down = at_of(TOY_DOWN, 0, 0);
    CU_ASSERT_TRUE(down >= 5000 * MS + FLOW_USER_TIMEOUT.ns);
    CU_ASSERT_TRUE(down <= 5100 * MS + FLOW_USER_TIMEOUT.ns);
    CU_ASSERT_TRUE(counter(RECORDER_FRAMES_LOST) >= 49);
    toy_end();
}

static void tcp_flow_to_a_restarted_peer_is_reset_at_the_next_segment(void)
{
    int64_t down;

    toy_run_struck(chatter_script, "event:x.do=restart 1 peers");
    down = at_of(TOY_DOWN, 0, 0);
    CU_ASSERT_TRUE(down >= 5000 * MS && down <= 5200 * MS);
    CU_ASSERT_PTR_NULL(toy_find(TOY_DOWN, 1, 0)); /* it never had that flow */
    toy_end();
}

static void a_partition_breaks_streams_and_silences_datagrams(void)
{
    const char *tcp[] = {"overlay.link=tcp", "event:a.at=5s",   "event:a.do=partition 50%",
                         "event:b.at=12s",   "event:b.do=heal", NULL};
    const char *udp[] = {"overlay.link=udp", "event:a.at=5s",   "event:a.do=partition 50%",
                         "event:b.at=12s",   "event:b.do=heal", NULL};
    unsigned n = 0;

    toy_run(chatter_script, tcp);
    CU_ASSERT_EQUAL(at_of(TOY_DOWN, 0, 0), 5000 * MS + FLOW_USER_TIMEOUT.ns);
    toy_end();

    toy_run(chatter_script, udp);
    CU_ASSERT_PTR_NULL(toy_find(TOY_DOWN, 0, 0));
    while (toy_find(TOY_BYTES, 1, n) != NULL) {
        int64_t at = at_of(TOY_BYTES, 1, n++);

        CU_ASSERT_TRUE(at < 5050 * MS || at >= 12050 * MS);
    }
    CU_ASSERT_TRUE(n > 100);
    toy_end();
}

/* The rest of the environment. */

static void wake_script(PealEnv *env, uint32_t peer, const ToyEvent *event)
{
    if (peer != 0 || event->kind != TOY_WOKEN) {
        return;
    }
    if (event->at_ns == WAKE) {
        env->ops->wake_at(env, (PealTime){WAKE + 5000 * MS});
        env->ops->wake_at(env, (PealTime){WAKE + 3});
    } else if (event->at_ns == WAKE + 3 && toy_find(TOY_WOKEN, 0, 2) == NULL) {
        env->ops->wake_at(env, (PealTime){0}); /* past: at once */
    }
}

static void only_the_deadline_set_last_comes(void)
{
    toy_run(wake_script, NULL);
    CU_ASSERT_EQUAL(at_of(TOY_WOKEN, 0, 0), WAKE);
    CU_ASSERT_EQUAL(at_of(TOY_WOKEN, 0, 1), WAKE + 3);
    CU_ASSERT_EQUAL(at_of(TOY_WOKEN, 0, 2), WAKE + 3);
    CU_ASSERT_PTR_NULL(toy_find(TOY_WOKEN, 0, 3));
    toy_end();
}

static void memory_script(PealEnv *env, uint32_t peer, const ToyEvent *event)
{
    static const size_t SIZES[] = {1, 16, 100, 5000, 70000, 3000000};

    (void)peer;
    if (event->kind != TOY_WOKEN) {
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(SIZES); i++) {
        uint8_t *first = env->ops->alloc(env, SIZES[i]);
        uint8_t *second = env->ops->alloc(env, SIZES[i]);
        bool zero = true;

        for (size_t k = 0; k < SIZES[i]; k++) {
            zero = zero && first[k] == 0 && second[k] == 0;
        }
        CU_ASSERT_TRUE(zero);
        memset(first, 0xFF, SIZES[i]);
        memset(second, 0xFF, SIZES[i]);
        env->ops->release(env, first, SIZES[i]);
        second = env->ops->alloc(env, SIZES[i]); /* one stays, for the world's end to free */
        CU_ASSERT_TRUE(second[0] == 0 && second[SIZES[i] - 1] == 0);
    }
}

static void memory_is_zero_whatever_was_in_it(void)
{
    toy_run(memory_script, NULL);
    toy_end();
}

static void processor_script(PealEnv *env, uint32_t peer, const ToyEvent *event)
{
    if (event->kind == TOY_WOKEN && peer == 0) {
        (void)toy_open(env, 1, PEAL_UDP);
    } else if (event->kind == TOY_UP && event->opened) {
        for (uint32_t i = 0; i < 10; i++) {
            toy_send(env, event->flow, i, 1);
        }
    }
}

static void a_slow_processor_delays_and_drops(void)
{
    const char *slow[] = {"peer.cpu=constant:7ms", "peer.queue=4", NULL};

    toy_run(processor_script, slow);
    for (unsigned i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(at_of(TOY_BYTES, 1, i), WAKE + (50 + 7 * ((int64_t)i + 1)) * MS);
    }
    CU_ASSERT_PTR_NULL(toy_find(TOY_BYTES, 1, 4));
    CU_ASSERT_EQUAL(toy.world->totals.counter[RECORDER_TURNED_AWAY], 6);
    toy_end();
}

PEAL_TEST_MAIN("sim/flow", PEAL_TEST(udp_flow_is_up_here_at_once_and_there_with_the_first_datagram),
               PEAL_TEST(udp_datagrams_on_a_closed_flow_vanish),
               PEAL_TEST(jitter_reorders_datagrams_but_no_stream),
               PEAL_TEST(loss_takes_datagrams_but_nothing_of_a_stream),
               PEAL_TEST(a_message_counts_once_however_often_it_is_sent),
               PEAL_TEST(tcp_flow_costs_a_round_trip_and_its_end_is_told),
               PEAL_TEST(tcp_flow_to_a_peer_that_is_not_up_times_out),
               PEAL_TEST(tcp_flow_to_a_crashed_machine_goes_down_unacknowledged),
               PEAL_TEST(tcp_flow_to_a_restarted_peer_is_reset_at_the_next_segment),
               PEAL_TEST(a_partition_breaks_streams_and_silences_datagrams),
               PEAL_TEST(only_the_deadline_set_last_comes),
               PEAL_TEST(memory_is_zero_whatever_was_in_it),
               PEAL_TEST(a_slow_processor_delays_and_drops))
