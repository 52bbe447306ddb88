/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_timers.c - every deadline comes at its instant, the last one set, and no other. */
#include <glib.h>
#include <peal/random.h>

#include "peal_test.h"
#include "timers.h"

enum { PEERS = 40 };

typedef struct Bench {
    Slab packets;
    Queue queue;
    Timers timers;
    PeerTimer timer[PEERS];
    int64_t expected[PEERS]; /* what each peer asked for, INT64_MAX for none */
    int64_t now;
    uint64_t draws;
} Bench;

static void bench_init(Bench *bench)
{
    memset(bench, 0, sizeof(*bench));
    slab_init(&bench->packets, 6);
    queue_init(&bench->queue, &bench->packets);
    timers_init(&bench->timers, &bench->queue);
    for (unsigned i = 0; i < PEERS; i++) {
        bench->timer[i] = timers_none();
        bench->expected[i] = INT64_MAX;
    }
}

static void bench_fini(Bench *bench)
{
    timers_fini(&bench->timers);
    queue_fini(&bench->queue);
    slab_fini(&bench->packets);
}

static void set(Bench *bench, uint32_t peer, int64_t at)
{
    timers_set(&bench->timers, peer, &bench->timer[peer], at);
    bench->expected[peer] = at;
}

/* Goes on to the next deadline that is due, as the engine does. Returns its peer, or -1 when
 * nothing is left. */
static int next_due(Bench *bench)
{
    for (;;) {
        int64_t start;
        int64_t end;
        Event event;

        while (queue_pop(&bench->queue, INT64_MAX, &event)) {
            CU_ASSERT_TRUE_FATAL(event.at >= bench->now);
            bench->now = event.at;
            if (timers_due(&bench->timers, event.dest, &bench->timer[event.dest], event.at)) {
                CU_ASSERT_EQUAL(bench->expected[event.dest], event.at);
                bench->expected[event.dest] = INT64_MAX;
                return (int)event.dest;
            }
        }
        start = queue_next_start(&bench->queue);
        end = start == INT64_MAX ? start : start + queue_width(&bench->queue);
        if (start == INT64_MAX && bench->timers.next == INT64_MAX) {
            return -1;
        }
        if (bench->timers.next >= end) {
            timers_pass(&bench->timers, end);
            CU_ASSERT_TRUE(queue_open(&bench->queue));
        } else {
            timers_open(&bench->timers);
        }
    }
}

static int64_t draw_ahead(Bench *bench)
{
    static const int64_t REACH[] = {1,
                                    50000,
                                    3000000,
                                    900000000,
                                    INT64_C(30000000000),
                                    INT64_C(3000000000000),
                                    INT64_C(90000000000000)};
    uint64_t reach = (uint64_t)REACH[peal_random_below(peal_random_at(5, 3, bench->draws++), 7)];

    return (int64_t)peal_random_below(peal_random_at(5, 3, bench->draws++), reach);
}

static void timers_fire_at_the_deadline_set_last(void)
{
    Bench bench;
    unsigned fired = 0;

    bench_init(&bench);
    for (uint32_t i = 0; i < PEERS; i++) {
        set(&bench, i, draw_ahead(&bench));
    }
    while (fired < 30000) {
        int due = next_due(&bench);
        uint32_t other = (uint32_t)peal_random_below(peal_random_at(5, 4, fired), PEERS);

        CU_ASSERT_TRUE_FATAL(due >= 0);
        fired++;
        /* Nobody's deadline was passed over. */
        for (unsigned i = 0; i < PEERS; i++) {
            CU_ASSERT_TRUE_FATAL(bench.expected[i] >= bench.now);
        }
        set(&bench, (uint32_t)due, bench.now + draw_ahead(&bench));
        set(&bench, other, bench.now + draw_ahead(&bench));
    }
    bench_fini(&bench);
}

static void timers_fire_at_the_present_instant(void)
{
    Bench bench;

    bench_init(&bench);
    set(&bench, 3, 12345678);
    CU_ASSERT_EQUAL(next_due(&bench), 3);
    set(&bench, 3, bench.now);
    set(&bench, 4, bench.now);
    CU_ASSERT_EQUAL(next_due(&bench), 3);
    CU_ASSERT_EQUAL(next_due(&bench), 4);
    CU_ASSERT_EQUAL(bench.now, 12345678);
    CU_ASSERT_EQUAL(next_due(&bench), -1);
    bench_fini(&bench);
}

static void timers_that_are_taken_back_never_fire(void)
{
    Bench bench;

    bench_init(&bench);
    set(&bench, 1, 1000000000);
    set(&bench, 1, 1000);
    set(&bench, 2, 5000);
    set(&bench, 1, INT64_MAX);
    CU_ASSERT_EQUAL(next_due(&bench), 2);
    CU_ASSERT_EQUAL(next_due(&bench), -1);
    bench_fini(&bench);
}

/* A far deadline behind many near ones must not leave an entry behind at each of them. */
static void timers_with_a_far_deadline_keep_few_entries(void)
{
    const int64_t far = INT64_C(600000000000);
    Bench bench;

    bench_init(&bench);
    set(&bench, 0, far);
    for (unsigned i = 0; i < 150; i++) {
        set(&bench, 0, bench.now + 3000000000);
        CU_ASSERT_EQUAL(next_due(&bench), 0);
        set(&bench, 0, far);
    }
    CU_ASSERT_TRUE(bench.timers.chunks_len <= 3);
    CU_ASSERT_EQUAL(next_due(&bench), 0);
    CU_ASSERT_EQUAL(bench.now, far);
    bench_fini(&bench);
}

PEAL_TEST_MAIN("sim/timers", PEAL_TEST(timers_fire_at_the_deadline_set_last),
               PEAL_TEST(timers_fire_at_the_present_instant),
               PEAL_TEST(timers_that_are_taken_back_never_fire),
               PEAL_TEST(timers_with_a_far_deadline_keep_few_entries))
