/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * replay.h - a recorded workload: the users of a trace, what they register and whom they call.
 * Source: a capture (<analysis/history.h>), or a workload file (scenarios/REPLAY.md).
 * State:  some 100 bytes a user, 16 a registration, 80 a call.
 * Time:   spans from the trace's first registration or call, which is 0.
 */
#ifndef SCENARIOS_REPLAY_H
#define SCENARIOS_REPLAY_H

#include <analysis/history.h>

#define REPLAY_NEVER ((PealSpan){-1})

typedef struct ReplayUser {
    char *aor;            /* sip:user@domain, after rewriting: no two users have the same */
    char *was;            /* in the trace; NULL: not known, and no workload file keeps it */
    char *username;       /* of digest authentication, or NULL: the AOR's user */
    char *password;       /* or NULL: a challenge is a refusal */
    PealAddr address;     /* in the trace; family 0: not known */
    uint32_t place;       /* of the map file, else UINT32_MAX */
    uint32_t peer;        /* set by replay_place */
    uint32_t index;       /* among the peer's users; likewise */
    uint32_t expires_s;   /* of its first registration that asks for something; 0: none */
    PealSpan last_called; /* when the last call to it begins; REPLAY_NEVER: none does */
} ReplayUser;

typedef struct ReplayRegistration {
    PealSpan at;
    uint32_t user;
    uint32_t expires_s; /* 0: the binding is taken away */
} ReplayRegistration;

/* What caller and callee do, and how it ended in the trace. */
typedef struct ReplayCall {
    PealSpan at; /* the INVITE */
    uint32_t caller;
    uint32_t callee;
    PealSpan ringing; /* from the INVITE to the first 101..199, in the trace */
    PealSpan final;   /* from the INVITE to the final response: then the callee answers or refuses;
                         REPLAY_NEVER: it rings on */
    PealSpan cancel;  /* from the INVITE to the caller's CANCEL; REPLAY_NEVER: none */
    PealSpan talk;    /* from the answer to the BYE; REPLAY_NEVER: nobody said BYE */
    PealSpan last;    /* from the INVITE to the last message of the call */
    uint16_t status;  /* of the final response, 0 without one */
    uint8_t outcome;  /* HistoryOutcome */
    bool callee_hangs_up;
    char *headers; /* lines of the trace's INVITE to send along, or NULL */
    char *content_type;
    char *body; /* NUL-terminated, or NULL: the phone's own */
} ReplayCall;

/* What of a trace cannot be played, by reason. */
typedef enum ReplayLeftOut {
    REPLAY_OUT_SELF,   /* calls of a user to itself */
    REPLAY_OUT_NOBODY, /* calls and registrations of which a user is not known */
    REPLAY_OUT_QUERY,  /* REGISTERs that ask only */
    REPLAY_OUT_ODD,    /* calls with a status that is none, or without a time for it */
    REPLAY_OUT_REASONS
} ReplayLeftOut;
const char *replay_left_out_name(ReplayLeftOut reason);

typedef struct Replay {
    GArray *users;         /* ReplayUser */
    GArray *registrations; /* ReplayRegistration, by time */
    GArray *calls;         /* ReplayCall, by time */
    PealSpan span;         /* to the end of the last thing that happens */
    char *source;          /* the capture's name, for who reads the results */
    double speed;          /* by which the trace's times were divided, all but `ringing` */
    uint32_t left_out[REPLAY_OUT_REASONS];
    uint32_t strangers;      /* entries of credentials and map files that name no user */
    uint32_t peers;          /* of replay_place; 0 before */
    uint32_t users_per_peer; /* the most that a peer has */
    uint32_t *placed;        /* of replay_place: the users by peer and index ... */
    uint32_t *first;         /* ... and where a peer's begin, peers + 1 of them */
} Replay;

static inline const ReplayUser *replay_user(const Replay *replay, uint32_t i)
{
    return &g_array_index(replay->users, ReplayUser, i);
}
static inline const ReplayRegistration *replay_registration(const Replay *replay, uint32_t i)
{
    return &g_array_index(replay->registrations, ReplayRegistration, i);
}
static inline const ReplayCall *replay_call(const Replay *replay, uint32_t i)
{
    return &g_array_index(replay->calls, ReplayCall, i);
}

typedef struct ReplayOptions {
    const char *domain;      /* of all AORs; at most REPLAY_DOMAIN_MAX bytes */
    const char *credentials; /* see replay_read_credentials; or NULL */
    const char *anonymise;   /* key for the names, headers and bodies; NULL: as they are */
    bool keep_headers;
    bool keep_bodies;
    double speed; /* the trace's times are divided by it; > 0 */
} ReplayOptions;

/*
 * replay_from_history makes the workload of a trace.
 *
 * Users    Every AOR becomes sip:USER@domain. Without a user its host is the user, a tel: number is
 *          one without its separators, and what may not stand in a user is escaped. Where two would
 *          be the same, the later ones get -2, -3 and so on, but never the name of somebody else.
 * Registrations  Each REGISTER of the trace, also one that was refused there; queries are left out.
 *          What they ask for is what the trace granted, else asked for; speed does not change it.
 * Calls    A call to oneself is left out. See ReplayLeftOut for what else is, and the counts.
 * Bodies   An SDP body that is kept leads no media to an address of the trace: c= and o= have
 *          0.0.0.0, as streams on hold, and lines of candidates and of RTCP are gone. Bodies of
 *          several parts, which may hide one, are left out.
 * Anonymous  Users become u and 16 hexadecimal digits of HMAC-SHA-256, so one key makes one name of
 *          one name, in every trace; addresses become others of 10.0.0.0/8. Headers keep their
 *          names and get a digest as value; of an SDP body remain streams, codecs, packet times and
 *          directions; other bodies are left out.
 *
 * Returns NULL with an error: a bad credentials file (file:line), a domain that is too long.
 */
enum { REPLAY_DOMAIN_MAX = 128 };
Replay *replay_from_history(const char *source, const HistoryData *data,
                            const ReplayOptions *options, GError **error);

/* replay_anonymise_aor is what a description says in place of an AOR: sip:uDIGEST@hDIGEST.invalid.
 * Text to g_free. */
char *replay_anonymise_aor(const char *key, const char *aor);

/*
 * replay_read_credentials reads a file of lines `user password` or `aor username password`; a word
 * that begins with # begins a comment. Names are those of the trace or those after rewriting; a
 * user's line is for all that are called so. Those that name nobody are counted (strangers).
 */
bool replay_read_credentials(Replay *replay, const char *path, GError **error);

/* replay_set_domain has all AORs end in another domain. Nothing changes where they do. */
void replay_set_domain(Replay *replay, const char *domain);

/* replay_trace_setup is how long the trace's caller waited for the first 101..199, else for the
 * 2xx, whatever the speed; REPLAY_NEVER: for neither. */
PealSpan replay_trace_setup(const Replay *replay, uint32_t call);

/* A workload file: text, one line each, written and read without loss to the us, but for passwords
 * and what users were called. An error names file and line. replay_is_workload tells by the first
 * line whether a file is one. */
Replay *replay_load(const char *path, GError **error);
bool replay_is_workload(const char *path);
bool replay_save(const Replay *replay, const char *path, GError **error);
void replay_free(Replay *replay);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Replay, replay_free)

/* Where users live. */
typedef enum ReplayPlacing {
    REPLAY_ROUND_ROBIN,
    REPLAY_BY_SOURCE, /* users of one source address share a peer; those without one go round */
    REPLAY_BY_MAP     /* as the map file says, others go round */
} ReplayPlacing;

/* replay_read_map reads a file of `aor-or-user number` lines into the users' places, with names as
 * in replay_read_credentials. */
bool replay_read_map(Replay *replay, const char *path, GError **error);

/* replay_place gives each user one of `peers` peers, and an index among those of its peer. Error: a
 * place that is no peer. */
bool replay_place(Replay *replay, ReplayPlacing placing, uint32_t peers, GError **error);

/* replay_user_at is the number of a peer's user, HISTORY_NOBODY when the peer has no such; after
 * replay_place. */
uint32_t replay_user_at(const Replay *replay, uint32_t peer, uint32_t index);

/* replay_lifetime_s is what a user's first registration asks for: as its first one in the trace
 * that asks for something; else, or where that is under `least`, the fallback. */
uint32_t replay_lifetime_s(const Replay *replay, uint32_t user, uint32_t least, uint32_t fallback);

/*
 * Playing: what became of each call, in either world. A world begins a call when its time has come,
 * tells of each call that comes in at a phone, and of what the caller's phone says.
 */
typedef struct ReplayPlay ReplayPlay;

/* What a callee does with a call that comes in. */
typedef struct ReplayPart {
    PealSpan ring;   /* from the INVITE; REPLAY_NEVER: on and on */
    uint16_t status; /* 200 answers; 300..699 refuses */
    PealSpan talk;   /* the callee hangs up so long after its 2xx; REPLAY_NEVER: the caller does */
} ReplayPart;

/* How a call ended in the overlay. */
typedef struct ReplayEnd {
    bool begun;      /* its caller's phone was there */
    bool ended;      /* false: under way at the end of the run */
    uint8_t outcome; /* HistoryOutcome, of a call that has begun */
    uint16_t status;
    PealTime started;
    PealSpan setup;  /* to the first 101..199, else to the 2xx, that the caller heard; -1: none */
    PealSpan answer; /* to the 2xx; -1: none */
} ReplayEnd;

/* The workload is borrowed for the play's life. */
ReplayPlay *replay_play_new(const Replay *replay);
void replay_play_free(ReplayPlay *play);

void replay_play_begin(ReplayPlay *play, uint32_t call, PealTime at);
/* replay_play_named says by what Call-ID the caller's phone makes a call that has begun. */
void replay_play_named(ReplayPlay *play, uint32_t call, PealStr call_id);
/* replay_play_incoming finds the call of that Call-ID from that caller to this user; where a proxy
 * on the way has given it another one, the oldest call from him to this user that has not come
 * in yet; false: none, then the phone does as it does by itself. */
bool replay_play_incoming(ReplayPlay *play, uint32_t callee, PealStr caller, PealStr call_id,
                          ReplayPart *ret_part);
/* replay_play_event takes what the caller's phone says of a call (RINGING, ANSWERED, ENDED). */
struct PealPhoneEvent;
void replay_play_event(ReplayPlay *play, uint32_t call, const struct PealPhoneEvent *event);
/* replay_play_lost: the caller's phone is gone, and the call with it, which has not ended. */
void replay_play_lost(ReplayPlay *play, uint32_t call);
const ReplayEnd *replay_play_end(const ReplayPlay *play, uint32_t call);

/* replay_patience is how long the caller waits for a final response before it gives up by CANCEL:
 * as it did in the trace; where there was no final response, until the trace's last word of the
 * call. REPLAY_NEVER: it waits. */
PealSpan replay_patience(const Replay *replay, uint32_t call);

#endif
