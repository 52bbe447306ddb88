/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * replay_live.h (internal) - one replay into running peers: its phones, and the steps it takes.
 * Source: <net/replay.h>.
 * State:  one per replay: a phone and a socket a user, a record a call.
 * Time:   what the trace has due is due at `origin` and its time; a late action moves no other.
 *
 * Users register, some at a time; then the trace is played; then calls that nobody ends are hung
 * up, and all bindings taken away. An interruption goes to the third step from either of the first.
 */
#ifndef NET_REPLAY_LIVE_H
#define NET_REPLAY_LIVE_H

#include <net/replay.h>

#include "socket_phone.h"

enum { LIVE_TARGETS_MAX = 4096 };

typedef enum LiveStep {
    LIVE_REGISTERING,
    LIVE_PLAYING,
    LIVE_HANGING_UP,
    LIVE_UNREGISTERING,
    LIVE_OVER
} LiveStep;

typedef struct Live Live;

typedef struct LivePhone {
    Live *live;
    SocketPhone phone;
    uint32_t user;
    bool granted; /* ever */
    bool holds;   /* there may be a binding of it */
} LivePhone;

typedef struct LiveCall {
    RecorderCall record;
    bool heard;   /* the caller has heard of it: it rings, it was answered, it has ended */
    bool told;    /* it has come to something: the recorder knows it */
    bool endless; /* answered, and nobody hangs up before the replay's end */
    bool ended;
} LiveCall;

typedef struct LiveTarget {
    PealAddr addr;
    bool answered; /* somebody was answered there */
} LiveTarget;

typedef struct LiveCounts {
    uint64_t registered; /* registrations that were granted, removals too */
    uint64_t register_failed;
    uint64_t not_made;  /* calls for which their phone had no room */
    uint64_t strangers; /* calls that came in and are none of the trace's: answered 480 */
    uint64_t kept_in;   /* messages that would have gone elsewhere */
    uint64_t left;      /* bindings whose removal nobody confirmed */
    SipCounts sent;
} LiveCounts;

struct Live {
    const ReplayLiveJob *job;
    const Replay *replay;
    ReplayPlay *play;
    Loop *loop;
    PealSipConfig sip;
    PealPhoneConfig config;
    LiveTarget *targets;
    uint32_t targets_len;
    LivePhone *phones; /* by user */
    uint32_t phones_len;
    LiveCall *calls; /* by call */
    LiveStep step;
    uint32_t next_user; /* of those that are yet to register, or to unregister */
    uint32_t asking;    /* users whose answer is awaited */
    uint32_t refused;   /* users whose first registration failed */
    uint32_t next_registration;
    uint32_t next_call;
    uint64_t calls_begun;
    uint64_t calls_heard;
    uint64_t calls_ended;
    uint64_t calls_endless; /* of those under way */
    PealTime origin;        /* time 0 of the trace; while users register, when they began to */
    PealTime ended;         /* when all was played, as the recorder counts */
    PealTime give_up;       /* of the steps at the end */
    PealSpan late;          /* the worst delay of an action */
    LoopTimer due;          /* what the step does next */
    LoopTimer look;         /* round, at the caller's and the recorder's wishes */
    LiveCounts counts;
    bool interrupted;
    bool over;
    GError *error;
};

static inline PealTime live_now(const Live *live)
{
    return (PealTime){peal_time_since(loop_now(live->loop), live->origin).ns};
}

/* live_fail ends the replay with an error, which it takes, as an interruption would. */
void live_fail(Live *live, GError *error);
/* live_step goes on to a step, whose work is due at once. */
void live_step(Live *live, LiveStep step);

/* replay_phones.c */

/* live_phones_make makes everybody's phone. Errors: descriptors or ports do not suffice, and for
 * how many they do; a user that can be nobody's. */
bool live_phones_make(Live *live, GError **error);
void live_phones_free(Live *live);
/* live_ask has a user register for a time, 0 to unregister, as socket_phone_ask. */
void live_ask(Live *live, uint32_t user, uint32_t expires_s);
/* live_phones_on_event is what all phones tell. */
void live_phones_on_event(void *user, PealPhone *core, const PealPhoneEvent *event);

/* live_call_not_made: its phone had no room for a call, which has ended so. */
void live_call_not_made(Live *live, uint32_t call);

/* replay_steps.c: what each step does when it is due. */
void live_on_due(void *user);
/* live_registered: a user has been answered in the first step, or in the last. */
void live_registered(Live *live, LivePhone *phone, uint16_t status);
/* live_call_moved: a call has been heard of, or has ended. */
void live_call_moved(Live *live);

#endif
