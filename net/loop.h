/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * loop.h - the event loop: descriptors, timers and what is to be done at the end of a turn.
 * Source: epoll(7), timerfd_create(2).
 * State:  one GSource in the caller's GMainContext, whatever the number of descriptors; 48 bytes
 *         per descriptor, a heap of timers.
 * Time:   loop_now is CLOCK_MONOTONIC, read before each callback and constant during it.
 *
 * All callbacks run from the main loop, never from inside a call of a loop_* function. Every
 * function may be called from any callback.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <glib.h>
#include <peal/base.h>

typedef struct Loop Loop;
typedef struct LoopWatch LoopWatch;

/* Makes a loop in a context (NULL: the default one). Errors: no descriptor left. */
Loop *loop_new(GMainContext *context, GError **error);
void loop_free(Loop *loop);
GMainContext *loop_context(const Loop *loop);

PealTime loop_now(const Loop *loop);

/* loop_refresh reads the clock anew: for callbacks of other sources of the same context, before
 * they call what wants to know the time. */
void loop_refresh(Loop *loop);

/* events: EPOLLIN, EPOLLOUT and so on, as epoll reports them. */
typedef void (*LoopReady)(void *user, uint32_t events);

/*
 * loop_watch calls `ready` whenever one of the events (or EPOLLERR, EPOLLHUP) holds.
 * fd       stays the caller's, who closes it after loop_unwatch
 * Returns NULL when the system has no room for it.
 */
LoopWatch *loop_watch(Loop *loop, int fd, uint32_t events, LoopReady ready, void *user);
/* Asks for other events; the same ones again cost nothing. */
void loop_change(Loop *loop, LoopWatch *watch, uint32_t events);
/* `ready` is not called again. NULL is allowed. */
void loop_unwatch(Loop *loop, LoopWatch *watch);

/* A timer lies in its owner's memory, zeroed before its first use. */
typedef struct LoopTimer {
    PealTime at;
    void (*due)(void *user);
    void *user;
    uint32_t place; /* in the heap, 0 when it is not set */
} LoopTimer;

/* loop_timer_set calls timer->due once at an instant or soon after; an earlier setting is replaced.
 * PEAL_TIME_NEVER unsets. */
void loop_timer_set(Loop *loop, LoopTimer *timer, PealTime at);
void loop_timer_unset(Loop *loop, LoopTimer *timer);

/* loop_after calls `due` once after a span. Returns a number for loop_cancel, never 0. */
guint loop_after(Loop *loop, PealSpan span, void (*due)(void *user), void *user);
void loop_cancel(Loop *loop, guint number);

/* loop_at_turn_end has `run` called at the end of every turn in which a callback of the loop ran,
 * or which loop_need_turn asked for; in the order of the calls. */
void loop_at_turn_end(Loop *loop, void (*run)(void *user), void *user);
void loop_not_at_turn_end(Loop *loop, void (*run)(void *user), const void *user);
void loop_need_turn(Loop *loop);

#endif
