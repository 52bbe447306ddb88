/* SPDX-License-Identifier: GPL-3.0-or-later */
/* replay_steps.c - what a replay into running peers does, step by step. */
#include <scenarios/replay_phone.h>
#include <stdio.h>

#include "address.h"
#include "replay_live.h"

enum {
    STEPS_REGISTER_RATE = 500, /* users a second */
    STEPS_ASKING_MAX = 64,     /* users whose answers are awaited, while all register or leave */
    STEPS_SAID_MAX = 10,       /* refused users that are named */
    STEPS_ACTIONS_A_TURN = 32, /* so that what comes in is heard in between */
    STEPS_UNHEARD_MAX = 1024,  /* calls of which nothing has been heard: with more of them the
                                  target is behind, and what is due waits */
    STEPS_LIFETIME_LEAST_S = 60,
    STEPS_LIFETIME_S = 3600
};
#define STEPS_SOON peal_ms(5)
#define STEPS_GRACE peal_seconds(40) /* after the trace's end: beyond timer B's 32 s */
#define STEPS_GOODBYE peal_seconds(5)
/* After an interruption so long for the calls, and so long for the registrations. */
#define STEPS_GOODBYE_CALLS peal_seconds(2)
#define STEPS_GOODBYE_USERS peal_seconds(3)

static void due_in(Live *live, PealSpan span)
{
    loop_timer_set(live->loop, &live->due, peal_time_add(loop_now(live->loop), span));
}

void live_step(Live *live, LiveStep step)
{
    live->step = step;
    live->next_user = 0;
    due_in(live, (PealSpan){0});
}

void live_fail(Live *live, GError *error)
{
    if (live->error == NULL) {
        live->error = error;
        live->interrupted = true;
        live_step(live, LIVE_HANGING_UP);
    } else {
        g_error_free(error);
    }
}

/* Registering. */

static void begin_playing(Live *live)
{
    if (live->refused == live->phones_len && live->phones_len > 0) {
        live_fail(live,
                  g_error_new(G_FILE_ERROR, G_FILE_ERROR_ACCES,
                              "none of the %u users could register; a peer refuses those of a "
                              "domain that it does not serve (--domain gives them another), and "
                              "those whose password it is not given (--credentials)",
                              live->phones_len));
        return;
    }
    live->origin = loop_now(live->loop);
    live_step(live, LIVE_PLAYING);
}

static void register_due(Live *live)
{
    int64_t elapsed_ns = peal_time_since(loop_now(live->loop), live->origin).ns;
    int64_t allowed = 1 + elapsed_ns * STEPS_REGISTER_RATE / PEAL_NS_PER_S;

    while (live->next_user < live->phones_len && live->next_user < allowed &&
           live->asking < STEPS_ASKING_MAX && live->step == LIVE_REGISTERING) {
        uint32_t user = live->next_user++;

        live_ask(live, user,
                 replay_lifetime_s(live->replay, user, STEPS_LIFETIME_LEAST_S, STEPS_LIFETIME_S));
    }
    if (live->step != LIVE_REGISTERING) {
        return; /* it has failed */
    }
    if (live->next_user < live->phones_len) {
        due_in(live, STEPS_SOON);
    } else if (live->asking == 0) {
        begin_playing(live);
    }
}

/* A target of which the first word is that there is none is not there. */
static void fail_absent(Live *live, const LiveTarget *target, uint16_t status)
{
    char text[ADDRESS_TEXT_LEN];

    live_fail(live,
              g_error_new(G_FILE_ERROR, G_FILE_ERROR_NODEV,
                          "--to %s: %s (SIP status %u); is a peer listening for phones "
                          "there, over UDP?",
                          address_text(&target->addr, text),
                          status == 408 ? "nobody answers" : "nobody takes registrations", status));
}

static void say_refused(Live *live, const LivePhone *phone, uint16_t status)
{
    const ReplayUser *user = replay_user(live->replay, phone->user);
    const char *why = (status == 401 || status == 407) && user->password == NULL
                          ? ", a password is asked for: give it with --credentials"
                          : "";

    if (live->refused++ < STEPS_SAID_MAX) {
        fprintf(stderr, "peal replay: %s could not register: SIP status %u%s\n", user->aor, status,
                why);
    } else if (live->refused == STEPS_SAID_MAX + 1) {
        fprintf(stderr, "peal replay: more users could not register\n");
    }
}

void live_registered(Live *live, LivePhone *phone, uint16_t status)
{
    LiveTarget *target = &live->targets[replay_user(live->replay, phone->user)->peer];
    bool absent = status == 408 || status == 503;

    if (live->step == LIVE_REGISTERING) {
        if (absent && !target->answered) {
            fail_absent(live, target, status);
            return;
        }
        target->answered |= !absent;
        if (status / 100 != 2) {
            say_refused(live, phone, status);
        }
        due_in(live, (PealSpan){0});
    } else if (live->step == LIVE_UNREGISTERING) {
        if (!live->interrupted) {
            live->give_up = peal_time_add(loop_now(live->loop), STEPS_GOODBYE);
        }
        due_in(live, (PealSpan){0});
    }
}

/* Playing. */

/* A binding stays as long as the trace calls its user. */
static void play_registration(Live *live)
{
    const ReplayRegistration *registration =
        replay_registration(live->replay, live->next_registration++);

    if (registration->expires_s > 0 ||
        replay_user(live->replay, registration->user)->last_called.ns < registration->at.ns) {
        live_ask(live, registration->user, registration->expires_s);
    }
}

static void play_call(Live *live)
{
    uint32_t number = live->next_call++;
    const ReplayCall *played = replay_call(live->replay, number);
    const ReplayUser *caller = replay_user(live->replay, played->caller);
    const ReplayUser *callee = replay_user(live->replay, played->callee);
    LiveCall *call = &live->calls[number];

    call->record = (RecorderCall){.started = live_now(live),
                                  .caller = caller->peer,
                                  .caller_user = caller->index,
                                  .callee = callee->peer,
                                  .callee_user = callee->index};
    live->calls_begun++;
    replay_play_begin(live->play, number, call->record.started);
    if (replay_phone_call(live->phones[played->caller].phone.core, live->play, live->replay, number,
                          number) != 0) {
        live_call_not_made(live, number);
    }
}

/* The next action: PEAL_TIME_NEVER when there is none. */
static PealTime next_due(const Live *live, bool *ret_call)
{
    PealTime registration = PEAL_TIME_NEVER;
    PealTime call = PEAL_TIME_NEVER;

    if (live->next_registration < live->replay->registrations->len) {
        registration.ns = replay_registration(live->replay, live->next_registration)->at.ns;
    }
    if (live->next_call < live->replay->calls->len) {
        call.ns = replay_call(live->replay, live->next_call)->at.ns;
    }
    *ret_call = call.ns < registration.ns;
    return peal_time_min(call, registration);
}

/* All actions have begun: what else is to come? */
static void play_out(Live *live)
{
    uint64_t open = live->calls_begun - live->calls_ended;
    PealTime now = live_now(live);
    PealTime until = {live->replay->span.ns};

    if (open > live->calls_endless) {
        until = peal_time_add(until, STEPS_GRACE);
    } else if (open == 0) {
        until = now;
    }
    if (until.ns <= now.ns) {
        live->ended = now;
        live_step(live, LIVE_HANGING_UP);
    } else {
        due_in(live, peal_time_since(until, now));
    }
}

static void play_due(Live *live)
{
    bool call;
    PealTime at = next_due(live, &call);
    PealTime now = live_now(live);

    for (unsigned i = 0; i < STEPS_ACTIONS_A_TURN && at.ns <= now.ns; i++) {
        if (call && live->calls_begun - live->calls_heard >= STEPS_UNHEARD_MAX) {
            return; /* live_call_moved goes on */
        }
        live->late.ns = MAX(live->late.ns, now.ns - at.ns);
        if (call) {
            play_call(live);
        } else {
            play_registration(live);
        }
        at = next_due(live, &call);
    }
    if (at.ns == PEAL_TIME_NEVER.ns) {
        play_out(live);
    } else {
        due_in(live, (PealSpan){MAX(at.ns - now.ns, 0)});
    }
}

void live_call_moved(Live *live)
{
    if (live->step == LIVE_PLAYING || live->step == LIVE_HANGING_UP) {
        due_in(live, (PealSpan){0});
    }
}

/* The end. */

static void hang_up_due(Live *live)
{
    PealTime now = loop_now(live->loop);

    if (live->next_user == 0) {
        live->next_user = live->phones_len;
        live->give_up = peal_time_add(now, live->interrupted ? STEPS_GOODBYE_CALLS : STEPS_GOODBYE);
        for (uint32_t i = 0; i < live->next_call; i++) {
            const LiveCall *call = &live->calls[i];

            if (!call->ended) {
                peal_phone_hang_up_all(
                    live->phones[replay_call(live->replay, i)->caller].phone.core);
            }
        }
    }
    if (live->calls_ended == live->calls_begun || live->give_up.ns <= now.ns) {
        live_step(live, LIVE_UNREGISTERING);
        live->give_up = peal_time_add(now, live->interrupted ? STEPS_GOODBYE_USERS : STEPS_GOODBYE);
    } else {
        due_in(live, peal_time_since(live->give_up, now));
    }
}

static void unregister_due(Live *live)
{
    PealTime now = loop_now(live->loop);

    while (live->next_user < live->phones_len && live->asking < STEPS_ASKING_MAX) {
        uint32_t user = live->next_user++;

        if (live->phones[user].holds) {
            live_ask(live, user, 0);
        }
    }
    if ((live->next_user == live->phones_len && live->asking == 0) || live->give_up.ns <= now.ns) {
        live->step = LIVE_OVER;
        live->over = true;
    } else {
        due_in(live, peal_time_since(live->give_up, now));
    }
}

void live_on_due(void *user)
{
    Live *live = user;

    switch (live->step) {
    case LIVE_REGISTERING:
        register_due(live);
        break;
    case LIVE_PLAYING:
        play_due(live);
        break;
    case LIVE_HANGING_UP:
        hang_up_due(live);
        break;
    case LIVE_UNREGISTERING:
        unregister_due(live);
        break;
    case LIVE_OVER:
        break;
    }
}
