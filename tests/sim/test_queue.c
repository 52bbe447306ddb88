/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_queue.c - events come out in the total order, whatever comes in when; compared with a sorted
 * list. */
#include <glib.h>
#include <peal/random.h>

#include "peal_test.h"
#include "queue.h"

/* The order that is promised, kept the slow way: a list searched for its least element. */
typedef struct Model {
    GArray *events; /* Event */
    const Slab *packets;
} Model;

typedef struct Bench {
    Slab packets;
    Queue queue;
    Model model;
    uint64_t draws;
    uint32_t sequence;
    int64_t now;
} Bench;

static void bench_init(Bench *bench)
{
    memset(bench, 0, sizeof(*bench));
    slab_init(&bench->packets, 6);
    queue_init(&bench->queue, &bench->packets);
    bench->model = (Model){g_array_new(FALSE, FALSE, sizeof(Event)), &bench->packets};
}

static void bench_fini(Bench *bench)
{
    g_array_unref(bench->model.events);
    queue_fini(&bench->queue);
    slab_fini(&bench->packets);
}

static uint64_t draw(Bench *bench, uint64_t bound)
{
    return peal_random_below(peal_random_at(11, 2, bench->draws++), bound);
}

static int compare(const Model *model, const Event *a, const Event *b)
{
    const Packet *x;
    const Packet *y;

    if (a->at != b->at) {
        return a->at < b->at ? -1 : 1;
    }
    if (a->dest != b->dest) {
        return a->dest < b->dest ? -1 : 1;
    }
    if (a->ref == 0 || b->ref == 0) {
        return (a->ref != 0) - (b->ref != 0);
    }
    x = packet_at(model->packets, a->ref);
    y = packet_at(model->packets, b->ref);
    if (x->source != y->source) {
        return x->source < y->source ? -1 : 1;
    }
    return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

static Event model_pop(Model *model)
{
    guint least = 0;
    Event event;

    for (guint i = 1; i < model->events->len; i++) {
        if (compare(model, &g_array_index(model->events, Event, i),
                    &g_array_index(model->events, Event, least)) < 0) {
            least = i;
        }
    }
    event = g_array_index(model->events, Event, least);
    g_array_remove_index_fast(model->events, least);
    return event;
}

static void push(Bench *bench, int64_t at, uint32_t dest, bool timer)
{
    Event event = {.at = at, .dest = dest};

    if (!timer) {
        Packet *packet = packet_new(&bench->packets, 0);

        packet->source = (uint32_t)draw(bench, 3);
        packet->sequence = bench->sequence++;
        event.ref = packet->ref;
    }
    queue_push(&bench->queue, event);
    g_array_append_val(bench->model.events, event);
}

/* Pops one event of each and compares; false when the queue has none. */
static bool pop_and_compare(Bench *bench)
{
    Event event;
    Event expected;

    while (!queue_pop(&bench->queue, INT64_MAX, &event)) {
        if (queue_next_start(&bench->queue) == INT64_MAX) {
            CU_ASSERT_EQUAL(bench->model.events->len, 0);
            return false;
        }
        CU_ASSERT_TRUE(queue_open(&bench->queue));
    }
    CU_ASSERT_TRUE_FATAL(bench->model.events->len > 0);
    expected = model_pop(&bench->model);
    CU_ASSERT_EQUAL(compare(&bench->model, &event, &expected), 0);
    CU_ASSERT_TRUE(event.at >= bench->now);
    bench->now = event.at;
    if (event.ref != 0) {
        CU_ASSERT_EQUAL(event.ref, expected.ref);
        packet_free(&bench->packets, packet_at(&bench->packets, event.ref));
    }
    return true;
}

static void queue_keeps_the_total_order_of_random_events(void)
{
    /* From the same instant to far beyond the buckets; coarse times make ties. */
    static const int64_t REACH[] = {
        1, 1000, 100000, 5000000, 80000000, INT64_C(20000000000), INT64_C(4000000000000)};
    Bench bench;

    bench_init(&bench);
    for (unsigned i = 0; i < 20000; i++) {
        unsigned pushes = (unsigned)draw(&bench, 3);

        for (unsigned k = 0; k < pushes && bench.model.events->len < 600; k++) {
            int64_t reach = REACH[draw(&bench, G_N_ELEMENTS(REACH))];
            int64_t ahead = (int64_t)draw(&bench, (uint64_t)reach) / 256 * 256;

            push(&bench, bench.now + ahead, (uint32_t)draw(&bench, 4), draw(&bench, 5) == 0);
        }
        (void)!pop_and_compare(&bench);
    }
    while (pop_and_compare(&bench)) {
    }
    bench_fini(&bench);
}

static void queue_sorts_thousands_of_events_of_one_instant(void)
{
    Bench bench;

    bench_init(&bench);
    for (unsigned i = 0; i < 2000; i++) {
        push(&bench, 5000000, (uint32_t)draw(&bench, 1000), false);
    }
    while (pop_and_compare(&bench)) {
    }
    bench_fini(&bench);
}

/* So many events that the buckets change their width, more than once, up and down. */
static void queue_stays_in_order_while_its_buckets_change_width(void)
{
    static const int64_t GAP[] = {100, 5000000, 30};
    unsigned shift_least = 64;
    unsigned shift_most = 0;
    Bench bench;
    Event event;

    bench_init(&bench);
    for (unsigned phase = 0; phase < G_N_ELEMENTS(GAP); phase++) {
        for (unsigned i = 0; i < 150000; i++) {
            int64_t ahead = (int64_t)draw(&bench, (uint64_t)GAP[phase] * 100);

            queue_push(&bench.queue, (Event){bench.now + ahead, 1, 0});
            if (i < 50) {
                continue;
            }
            while (!queue_pop(&bench.queue, INT64_MAX, &event)) {
                (void)queue_next_start(&bench.queue);
                CU_ASSERT_TRUE_FATAL(queue_open(&bench.queue));
            }
            if (event.at < bench.now) {
                CU_FAIL_FATAL("time went back");
            }
            bench.now = event.at;
            shift_least = MIN(shift_least, bench.queue.width_shift);
            shift_most = MAX(shift_most, bench.queue.width_shift);
        }
    }
    CU_ASSERT_TRUE(shift_least + 4 < shift_most);
    bench_fini(&bench);
}

static void queue_gives_nothing_at_or_after_a_limit(void)
{
    Bench bench;
    Event event;

    bench_init(&bench);
    push(&bench, 2000, 1, true);
    push(&bench, 1000, 1, true);
    (void)queue_next_start(&bench.queue);
    CU_ASSERT_TRUE(queue_open(&bench.queue));
    CU_ASSERT_FALSE(queue_pop(&bench.queue, 1000, &event));
    CU_ASSERT_TRUE(queue_pop(&bench.queue, 1001, &event));
    CU_ASSERT_EQUAL(event.at, 1000);
    queue_push(&bench.queue, (Event){1500, 1, 0}); /* into the open bucket */
    CU_ASSERT_FALSE(queue_pop(&bench.queue, 1500, &event));
    CU_ASSERT_TRUE(queue_pop(&bench.queue, 2000, &event));
    CU_ASSERT_EQUAL(event.at, 1500);
    CU_ASSERT_FALSE(queue_pop(&bench.queue, 2000, &event));
    CU_ASSERT_TRUE(queue_pop(&bench.queue, INT64_MAX, &event));
    CU_ASSERT_TRUE(queue_is_drained(&bench.queue));
    bench_fini(&bench);
}

PEAL_TEST_MAIN("sim/queue", PEAL_TEST(queue_keeps_the_total_order_of_random_events),
               PEAL_TEST(queue_sorts_thousands_of_events_of_one_instant),
               PEAL_TEST(queue_stays_in_order_while_its_buckets_change_width),
               PEAL_TEST(queue_gives_nothing_at_or_after_a_limit))
