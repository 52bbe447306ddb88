/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_loop.c - descriptors, timers and turns of the loop. */
#include "loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "peal_test.h"

enum { TIMERS = 100, IDLE = 500 };

typedef struct Seen {
    Loop *loop;
    LoopWatch *watch;
    LoopWatch *other;
    int fd;
    int other_fd;
    unsigned calls;
    unsigned turns;
    unsigned order[TIMERS];
    unsigned order_len;
} Seen;

static void run_while(Seen *seen, const unsigned *count, unsigned until)
{
    for (unsigned i = 0; i < 1000 && *count < until; i++) {
        g_main_context_iteration(loop_context(seen->loop), TRUE);
    }
}

static void on_readable(void *user, uint32_t events)
{
    Seen *seen = user;
    uint64_t value;

    CU_ASSERT(events & EPOLLIN);
    CU_ASSERT_EQUAL(read(seen->fd, &value, sizeof(value)), sizeof(value));
    seen->calls++;
}

static void loop_watch_is_called_while_there_is_something_to_read(void)
{
    Seen seen = {.loop = loop_new(NULL, NULL), .fd = eventfd(0, EFD_NONBLOCK)};

    seen.watch = loop_watch(seen.loop, seen.fd, EPOLLIN, on_readable, &seen);
    CU_ASSERT_PTR_NOT_NULL_FATAL(seen.watch);
    g_main_context_iteration(NULL, FALSE);
    CU_ASSERT_EQUAL(seen.calls, 0);
    CU_ASSERT_EQUAL(eventfd_write(seen.fd, 1), 0);
    run_while(&seen, &seen.calls, 1);
    CU_ASSERT_EQUAL(seen.calls, 1);
    loop_change(seen.loop, seen.watch, 0);
    CU_ASSERT_EQUAL(eventfd_write(seen.fd, 1), 0);
    g_main_context_iteration(NULL, FALSE);
    CU_ASSERT_EQUAL(seen.calls, 1);
    loop_change(seen.loop, seen.watch, EPOLLIN);
    run_while(&seen, &seen.calls, 2);
    CU_ASSERT_EQUAL(seen.calls, 2);
    loop_unwatch(seen.loop, seen.watch);
    CU_ASSERT_EQUAL(eventfd_write(seen.fd, 1), 0);
    g_main_context_iteration(NULL, FALSE);
    CU_ASSERT_EQUAL(seen.calls, 2);
    loop_free(seen.loop);
    close(seen.fd);
}

/* Whoever is called first ends both. */
static void on_readable_end(void *user, uint32_t events)
{
    Seen *seen = user;

    (void)events;
    seen->calls++;
    loop_unwatch(seen->loop, seen->watch);
    loop_unwatch(seen->loop, seen->other);
}

static void loop_watch_ended_by_another_of_its_round_is_not_called(void)
{
    Seen seen = {.loop = loop_new(NULL, NULL),
                 .fd = eventfd(1, EFD_NONBLOCK),
                 .other_fd = eventfd(1, EFD_NONBLOCK)};

    seen.watch = loop_watch(seen.loop, seen.fd, EPOLLIN, on_readable_end, &seen);
    seen.other = loop_watch(seen.loop, seen.other_fd, EPOLLIN, on_readable_end, &seen);
    run_while(&seen, &seen.calls, 1);
    g_main_context_iteration(NULL, FALSE);
    CU_ASSERT_EQUAL(seen.calls, 1);
    loop_free(seen.loop);
    close(seen.fd);
    close(seen.other_fd);
}

typedef struct Numbered {
    LoopTimer timer;
    Seen *seen;
    unsigned number;
} Numbered;

static void on_due(void *user)
{
    const Numbered *numbered = user;
    Seen *seen = numbered->seen;

    CU_ASSERT(loop_now(seen->loop).ns >= numbered->timer.at.ns);
    seen->order[seen->order_len++] = numbered->number;
}

static void loop_timers_come_once_in_the_order_of_their_instants(void)
{
    Seen seen = {.loop = loop_new(NULL, NULL)};
    Numbered numbered[TIMERS] = {0};
    PealTime now = loop_now(seen.loop);

    for (unsigned i = 0; i < TIMERS; i++) {
        unsigned place = i * 37 % TIMERS;

        numbered[place].timer.due = on_due;
        numbered[place].timer.user = &numbered[place];
        numbered[place].seen = &seen;
        numbered[place].number = place;
        loop_timer_set(seen.loop, &numbered[place].timer,
                       peal_time_add(now, peal_us(100 * (int64_t)place)));
    }
    loop_timer_unset(seen.loop, &numbered[50].timer);
    loop_timer_set(seen.loop, &numbered[10].timer, peal_time_add(now, peal_ms(20)));
    run_while(&seen, &seen.order_len, TIMERS - 1);
    CU_ASSERT_EQUAL(seen.order_len, TIMERS - 1);
    CU_ASSERT_EQUAL(seen.order[TIMERS - 2], 10);
    for (unsigned i = 1; i < TIMERS - 2; i++) {
        CU_ASSERT(seen.order[i - 1] < seen.order[i]);
        CU_ASSERT_NOT_EQUAL(seen.order[i], 50);
    }
    loop_free(seen.loop);
}

static void count_call(void *user)
{
    ((Seen *)user)->calls++;
}

static void loop_after_comes_once_unless_cancelled(void)
{
    Seen seen = {.loop = loop_new(NULL, NULL)};
    guint number = loop_after(seen.loop, peal_ms(1), count_call, &seen);

    CU_ASSERT_NOT_EQUAL(loop_after(seen.loop, peal_ms(2), count_call, &seen), number);
    loop_cancel(seen.loop, number);
    run_while(&seen, &seen.calls, 1);
    g_main_context_iteration(NULL, FALSE);
    CU_ASSERT_EQUAL(seen.calls, 1);
    loop_after(seen.loop, peal_seconds(100), count_call, &seen);
    loop_free(seen.loop); /* what is outstanding goes with it */
    CU_ASSERT_EQUAL(seen.calls, 1);
}

static void count_turn(void *user)
{
    ((Seen *)user)->turns++;
}

static void loop_turn_ends_are_told_after_callbacks_and_when_asked_for(void)
{
    Seen seen = {.loop = loop_new(NULL, NULL)};

    loop_at_turn_end(seen.loop, count_turn, &seen);
    g_main_context_iteration(NULL, FALSE);
    CU_ASSERT_EQUAL(seen.turns, 0);
    loop_need_turn(seen.loop);
    g_main_context_iteration(NULL, TRUE);
    CU_ASSERT_EQUAL(seen.turns, 1);
    loop_after(seen.loop, peal_us(1), count_call, &seen);
    run_while(&seen, &seen.calls, 1);
    CU_ASSERT(seen.turns >= 2);
    loop_not_at_turn_end(seen.loop, count_turn, &seen);
    seen.turns = 0;
    loop_need_turn(seen.loop);
    g_main_context_iteration(NULL, TRUE);
    CU_ASSERT_EQUAL(seen.turns, 0);
    loop_free(seen.loop);
}

static void loop_idle_descriptors_are_one_source_however_many(void)
{
    Seen seen = {.loop = loop_new(NULL, NULL), .fd = eventfd(0, EFD_NONBLOCK)};
    LoopWatch *watches[IDLE];
    int fds[IDLE];
    GPollFD polled[4];
    gint timeout;

    for (unsigned i = 0; i < IDLE; i++) {
        fds[i] = eventfd(0, EFD_NONBLOCK);
        watches[i] = loop_watch(seen.loop, fds[i], EPOLLIN, on_readable, &seen);
        CU_ASSERT_PTR_NOT_NULL(watches[i]);
    }
    CU_ASSERT_TRUE(g_main_context_acquire(g_main_context_default()));
    g_main_context_prepare(g_main_context_default(), NULL);
    /* The context polls its own wake-up and the loop's epoll instance. */
    CU_ASSERT(g_main_context_query(g_main_context_default(), G_MAXINT, &timeout, polled, 4) <= 2);
    g_main_context_check(g_main_context_default(), G_MAXINT, polled, 0);
    g_main_context_release(g_main_context_default());
    for (unsigned i = 0; i < IDLE; i++) {
        loop_unwatch(seen.loop, watches[i]);
        close(fds[i]);
    }
    loop_free(seen.loop);
    close(seen.fd);
}

PEAL_TEST_MAIN("net/loop", PEAL_TEST(loop_watch_is_called_while_there_is_something_to_read),
               PEAL_TEST(loop_watch_ended_by_another_of_its_round_is_not_called),
               PEAL_TEST(loop_timers_come_once_in_the_order_of_their_instants),
               PEAL_TEST(loop_after_comes_once_unless_cancelled),
               PEAL_TEST(loop_turn_ends_are_told_after_callbacks_and_when_asked_for),
               PEAL_TEST(loop_idle_descriptors_are_one_source_however_many))
