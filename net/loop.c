/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * loop.c - one epoll instance as one GSource; see loop.h.
 */
#include "loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
    EVENTS_A_ROUND = 128,
    ROUNDS_A_TURN = 8, /* then other sources of the context have their turn */
    TIMERS_A_ROUND = 256,
    HEAP_STEP = 64
};

struct LoopWatch {
    LoopReady ready; /* NULL: gone */
    void *user;
    int fd;
    uint32_t events;
    LoopWatch *next_gone;
};

typedef struct LoopSource {
    GSource source;
    Loop *loop;
} LoopSource;

typedef struct After {
    LoopTimer timer;
    Loop *loop;
    void (*due)(void *user);
    void *user;
    guint number;
} After;

typedef struct TurnEnd {
    void (*run)(void *user);
    void *user;
} TurnEnd;

struct Loop {
    LoopSource *source;
    GMainContext *context;
    int epoll_fd;
    int timer_fd;
    LoopWatch *timer_watch;
    PealTime now;
    PealTime armed; /* what timer_fd is set to */
    bool running;   /* inside a turn */
    bool turn_needed;
    LoopWatch *gone;  /* freed once no event of this round can name them */
    LoopTimer **heap; /* from 1 on */
    uint32_t heap_len;
    uint32_t heap_cap;
    GHashTable *afters; /* number -> After */
    guint afters_given;
    GArray *turn_ends;
};

PealTime loop_now(const Loop *loop)
{
    return loop->now;
}

void loop_refresh(Loop *loop)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    loop->now = (PealTime){ts.tv_sec * PEAL_NS_PER_S + ts.tv_nsec};
}

GMainContext *loop_context(const Loop *loop)
{
    return loop->context;
}

/* Watches. */

LoopWatch *loop_watch(Loop *loop, int fd, uint32_t events, LoopReady ready, void *user)
{
    LoopWatch *watch = g_new0(LoopWatch, 1);
    struct epoll_event event = {.events = events, .data.ptr = watch};

    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        g_free(watch);
        return NULL;
    }
    *watch = (LoopWatch){.ready = ready, .user = user, .fd = fd, .events = events};
    return watch;
}

void loop_change(Loop *loop, LoopWatch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};

    if (watch->events == events) {
        return;
    }
    watch->events = events;
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) != 0) {
        g_warning("epoll_ctl: %s", g_strerror(errno));
    }
}

void loop_unwatch(Loop *loop, LoopWatch *watch)
{
    if (watch == NULL) {
        return;
    }
    (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->ready = NULL;
    watch->next_gone = loop->gone;
    loop->gone = watch;
}

static void free_gone(Loop *loop)
{
    while (loop->gone != NULL) {
        LoopWatch *watch = loop->gone;

        loop->gone = watch->next_gone;
        g_free(watch);
    }
}

/* Timers: a binary heap whose members know their places. */

static void heap_put(Loop *loop, uint32_t place, LoopTimer *timer)
{
    loop->heap[place] = timer;
    timer->place = place;
}

static void heap_up(Loop *loop, LoopTimer *timer, uint32_t place)
{
    while (place > 1 && timer->at.ns < loop->heap[place / 2]->at.ns) {
        heap_put(loop, place, loop->heap[place / 2]);
        place /= 2;
    }
    heap_put(loop, place, timer);
}

static void heap_down(Loop *loop, LoopTimer *timer, uint32_t place)
{
    while (2 * place <= loop->heap_len) {
        uint32_t child = 2 * place;

        if (child < loop->heap_len && loop->heap[child + 1]->at.ns < loop->heap[child]->at.ns) {
            child++;
        }
        if (timer->at.ns <= loop->heap[child]->at.ns) {
            break;
        }
        heap_put(loop, place, loop->heap[child]);
        place = child;
    }
    heap_put(loop, place, timer);
}

void loop_timer_unset(Loop *loop, LoopTimer *timer)
{
    uint32_t place = timer->place;
    LoopTimer *last;

    if (place == 0) {
        return;
    }
    timer->place = 0;
    last = loop->heap[loop->heap_len--];
    if (last == timer) {
        return;
    }
    if (place > 1 && last->at.ns < loop->heap[place / 2]->at.ns) {
        heap_up(loop, last, place);
    } else {
        heap_down(loop, last, place);
    }
}

/* Has timer_fd fire no later than the earliest timer: too early is put right then. */
static void arm(Loop *loop)
{
    PealTime at = loop->heap_len == 0 ? PEAL_TIME_NEVER : loop->heap[1]->at;
    struct itimerspec spec = {0};

    if (at.ns >= loop->armed.ns) {
        return;
    }
    at.ns = MAX(at.ns, 1); /* 0 would disarm */
    spec.it_value.tv_sec = at.ns / PEAL_NS_PER_S;
    spec.it_value.tv_nsec = at.ns % PEAL_NS_PER_S;
    if (timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL) != 0) {
        g_warning("timerfd_settime: %s", g_strerror(errno));
    }
    loop->armed = at;
}

void loop_timer_set(Loop *loop, LoopTimer *timer, PealTime at)
{
    loop_timer_unset(loop, timer);
    if (at.ns == PEAL_TIME_NEVER.ns) {
        return;
    }
    timer->at = at;
    loop->heap_len++;
    if (loop->heap_len >= loop->heap_cap) {
        loop->heap_cap += HEAP_STEP + loop->heap_cap / 2;
        loop->heap = g_renew(LoopTimer *, loop->heap, loop->heap_cap);
    }
    heap_up(loop, timer, loop->heap_len);
    if (!loop->running) {
        arm(loop);
    }
}

static void on_timer_fd(void *user, uint32_t events)
{
    Loop *loop = user;
    uint64_t count;

    (void)events;
    if (read(loop->timer_fd, &count, sizeof(count)) == sizeof(count)) {
        loop->armed = PEAL_TIME_NEVER;
    }
}

/* What its callbacks set anew, due already, comes in the next round. */
static bool run_timers(Loop *loop)
{
    PealTime until = loop->now;
    unsigned i = 0;

    for (; i < TIMERS_A_ROUND && loop->heap_len > 0 && loop->heap[1]->at.ns <= until.ns; i++) {
        LoopTimer *timer = loop->heap[1];

        loop_timer_unset(loop, timer);
        loop_refresh(loop);
        timer->due(timer->user);
    }
    return i > 0;
}

static void after_due(void *user)
{
    After *after = user;
    void (*due)(void *user) = after->due;
    void *due_user = after->user;

    g_hash_table_remove(after->loop->afters, GUINT_TO_POINTER(after->number));
    due(due_user);
}

guint loop_after(Loop *loop, PealSpan span, void (*due)(void *user), void *user)
{
    After *after = g_new0(After, 1);

    do {
        loop->afters_given++;
    } while (loop->afters_given == 0 ||
             g_hash_table_contains(loop->afters, GUINT_TO_POINTER(loop->afters_given)));
    *after = (After){.loop = loop, .due = due, .user = user, .number = loop->afters_given};
    after->timer.due = after_due;
    after->timer.user = after;
    g_hash_table_insert(loop->afters, GUINT_TO_POINTER(after->number), after);
    loop_refresh(loop);
    loop_timer_set(loop, &after->timer, peal_time_add(loop->now, span));
    return after->number;
}

void loop_cancel(Loop *loop, guint number)
{
    g_hash_table_remove(loop->afters, GUINT_TO_POINTER(number));
}

static void after_free(gpointer data)
{
    After *after = data;

    loop_timer_unset(after->loop, &after->timer);
    g_free(after);
}

/* Turns. */

void loop_at_turn_end(Loop *loop, void (*run)(void *user), void *user)
{
    TurnEnd turn_end = {run, user};

    g_array_append_val(loop->turn_ends, turn_end);
}

void loop_not_at_turn_end(Loop *loop, void (*run)(void *user), const void *user)
{
    for (guint i = 0; i < loop->turn_ends->len; i++) {
        const TurnEnd *turn_end = &g_array_index(loop->turn_ends, TurnEnd, i);

        if (turn_end->run == run && turn_end->user == user) {
            g_array_remove_index(loop->turn_ends, i);
            return;
        }
    }
}

void loop_need_turn(Loop *loop)
{
    loop->turn_needed = true;
}

/* Returns whether there was anything to do. */
static bool run_round(Loop *loop)
{
    struct epoll_event events[EVENTS_A_ROUND];
    int len = epoll_wait(loop->epoll_fd, events, EVENTS_A_ROUND, 0);
    bool worked = len > 0 || loop->turn_needed;

    loop->turn_needed = false;
    for (int i = 0; i < len; i++) {
        LoopWatch *watch = events[i].data.ptr;

        if (watch->ready != NULL) {
            loop_refresh(loop);
            watch->ready(watch->user, events[i].events);
        }
    }
    free_gone(loop);
    loop_refresh(loop);
    worked = run_timers(loop) || worked;
    for (guint i = 0; worked && i < loop->turn_ends->len; i++) {
        const TurnEnd *turn_end = &g_array_index(loop->turn_ends, TurnEnd, i);

        loop_refresh(loop);
        turn_end->run(turn_end->user);
    }
    return worked;
}

static gboolean source_prepare(GSource *source, gint *timeout)
{
    Loop *loop = ((LoopSource *)(void *)source)->loop;

    arm(loop);
    *timeout = -1;
    return loop->turn_needed;
}

static gboolean source_dispatch(GSource *source, GSourceFunc callback, gpointer user)
{
    Loop *loop = ((LoopSource *)(void *)source)->loop;

    (void)callback;
    (void)user;
    loop->running = true;
    for (unsigned i = 0; i < ROUNDS_A_TURN && run_round(loop); i++) {
    }
    loop->running = false;
    arm(loop);
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = {.prepare = source_prepare, .dispatch = source_dispatch};

Loop *loop_new(GMainContext *context, GError **error)
{
    Loop *loop = g_new0(Loop, 1);

    loop->context = context;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    loop->armed = PEAL_TIME_NEVER;
    loop->afters = g_hash_table_new_full(NULL, NULL, NULL, after_free);
    loop->turn_ends = g_array_new(FALSE, FALSE, sizeof(TurnEnd));
    loop_refresh(loop);
    if (loop->epoll_fd >= 0 && loop->timer_fd >= 0) {
        loop->timer_watch = loop_watch(loop, loop->timer_fd, EPOLLIN, on_timer_fd, loop);
    }
    if (loop->timer_watch == NULL) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                    "cannot make an event loop: %s", g_strerror(errno));
        loop_free(loop);
        return NULL;
    }
    loop->source = (LoopSource *)(void *)g_source_new(&source_funcs, sizeof(LoopSource));
    loop->source->loop = loop;
    g_source_add_unix_fd(&loop->source->source, loop->epoll_fd, G_IO_IN);
    g_source_attach(&loop->source->source, context);
    return loop;
}

void loop_free(Loop *loop)
{
    if (loop == NULL) {
        return;
    }
    if (loop->source != NULL) {
        GSource *source = &loop->source->source;

        g_source_destroy(source);
        g_source_unref(source);
    }
    g_hash_table_unref(loop->afters);
    loop_unwatch(loop, loop->timer_watch);
    free_gone(loop);
    g_array_unref(loop->turn_ends);
    if (loop->timer_fd >= 0) {
        close(loop->timer_fd);
    }
    if (loop->epoll_fd >= 0) {
        close(loop->epoll_fd);
    }
    g_free(loop->heap);
    g_free(loop);
}
