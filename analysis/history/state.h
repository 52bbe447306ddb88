/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * state.h - what a history remembers while it reads: the parts of it, and who calls whom.
 * Source: see <analysis/history.h>.
 * State:  beside the data, some hundred bytes for each call and registration under way, at most
 *         OPEN_CALLS_MAX and OPEN_REGISTRATIONS_MAX of them: beyond, the ones that were silent for
 *         longest are taken for over.
 * Time:   of the capture: `now_ns` is the latest instant seen.
 */
#ifndef ANALYSIS_HISTORY_STATE_H
#define ANALYSIS_HISTORY_STATE_H

#include <analysis/history.h>

#include "history/table.h"

enum {
    OPEN_CALLS_MAX = 1 << 17,
    OPEN_REGISTRATIONS_MAX = 1 << 18,
    SEEN_MAX = 1 << 18, /* of one age of a Seen */
    METHODS_MAX = 64,
    CODECS_MAX = 256,
    LEGS_KEPT = 8,     /* of one call: beyond, each INVITE on a pair unknown counts */
    FORKS_KEPT = 8,    /* likewise */
    BRANCHES_KEPT = 4, /* INVITEs that the caller sends at a time */
    MEDIA_KEPT = 8,    /* addresses */
    NAMES_KEPT = 4     /* texts by which a call is found: Call-IDs, session identifiers */
};
/* 146 years from 1970: instants of a damaged capture are kept within, so that no difference of two
 * overflows. */
#define INSTANT_MAX (INT64_MAX / 2)
#define TEXTS_MAX (UINT64_C(64) << 20)

/* RFC 3261 s.17: 64 T1 = 32 s, after which no transaction sends anything; twice that, since both
 * ends of a relay may. */
#define TRANSACTION_NS (64 * PEAL_NS_PER_S)

/* Keys that were met in the last 64 to 128 s: two tables that take turns. */
typedef struct Seen {
    Table now;
    Table before;
    int64_t turn_ns;
    bool begun;
} Seen;

/* A place in one of several lists that are ordered by the last use. */
typedef struct Queued {
    uint32_t previous;
    uint32_t next;
    int64_t used_ns;
    uint8_t queue;
    bool in_use;
} Queued;

typedef struct Queue {
    uint32_t first;
    uint32_t last;
} Queue;

/* A REGISTER that may be repeated, or answered. */
typedef struct OpenRegistration {
    Queued queued;
    TableKey key; /* of Call-ID and user */
    TableKey contact;
    TableKey branch;     /* of the topmost Via on the leg that was seen first */
    uint32_t number;     /* of the registration */
    uint32_t first_cseq; /* of the attempt's REGISTERs */
    uint32_t cseq;
    uint32_t answered; /* bits of the challenges that a REGISTER followed on */
    uint8_t tries;
    bool credentials; /* the last REGISTER brought some */
    bool stale;       /* its challenge says that only the nonce was old */
    bool counted;     /* among HistoryData.challenged */
    uint16_t far_status;
    int64_t far_ns;
} OpenRegistration;

typedef enum CallQueue { CALL_WAITS, CALL_TALKS, CALL_OVER, CALL_QUEUES } CallQueue;

/* A call that messages may still belong to. */
typedef struct OpenCall {
    Queued queued;
    uint32_t number; /* of the call */
    uint32_t cseq;   /* of the caller's last INVITE, and its From tag */
    TableKey tag;
    PealAddr caller; /* whence the caller's INVITE came */
    PealAddr callee; /* and whither it went */
    TableKey branches[BRANCHES_KEPT];
    uint8_t branches_len;
    uint8_t finals; /* final responses to these */
    uint8_t legs_len;
    uint8_t forks_len;
    uint8_t media_len;
    uint8_t names_len;
    uint8_t codec_rank;
    bool offered; /* the INVITE described a session */
    bool counted; /* among HistoryData.challenged */
    uint16_t far_status;
    int64_t far_ns;
    uint64_t legs[LEGS_KEPT];
    uint64_t forks[FORKS_KEPT];
    TableKey media[MEDIA_KEPT];
    TableKey names[NAMES_KEPT];
} OpenCall;

struct History {
    HistoryConfig config;
    HistoryData data;
    TableKey secret;
    int64_t now_ns;
    bool begun;
    bool finished;

    Table users;  /* by canonical AOR */
    Seen repeats; /* messages, as far as repetitions of them are the same */
    Seen others;  /* requests outside calls and registrations */

    Table registrations; /* open ones by Call-ID and user */
    GArray *open_registrations;
    GArray *free_registrations; /* uint32_t */
    Queue registration_queue;

    Table calls; /* open ones by OpenCall.names */
    GArray *open_calls;
    GArray *free_calls;
    Queue call_queues[CALL_QUEUES];

    Table media; /* open calls by address */
    GHashTable *codecs;
    uint64_t texts;
};

/* Part of a message that several of the files want, worked out once. */
typedef struct Heard {
    const TraceMessage *message;
    const PealSipScan *scan;
    uint32_t from; /* of requests and of all that registers: users, or HISTORY_NOBODY */
    uint32_t to;
    TableKey tag;    /* of the From tag, but for REGISTER */
    TableKey branch; /* of the topmost Via, of INVITE, CANCEL, ACK and REGISTER */
} Heard;

static inline bool str_is(PealStr text, const char *literal)
{
    size_t len = strlen(literal);

    return text.len == len && memcmp(text.ptr, literal, len) == 0;
}

static inline bool addr_equal(const PealAddr *a, const PealAddr *b)
{
    return a->family == b->family && a->port == b->port &&
           memcmp(a->ip, b->ip, a->family == 4 ? 4 : 16) == 0;
}

static inline bool addr_same_host(const PealAddr *a, const PealAddr *b)
{
    return a->family == b->family && memcmp(a->ip, b->ip, a->family == 4 ? 4 : 16) == 0;
}

/* seen.c */
void history_hash(const History *history, TableHash *hash);
TableKey history_key(const History *history, const char *kind, PealStr text);
void history_hash_addr(TableHash *hash, const PealAddr *addr);
/* seen_again adds a key, and says whether it was there. seen_has only asks. */
bool seen_again(Seen *seen, TableKey key, int64_t now_ns);
bool seen_has(const Seen *seen, TableKey key);
void seen_fini(Seen *seen);

/* expiry.c: lists through the Queued that begin the elements of an array. */
void expiry_init(Queue *queue);
void expiry_add(GArray *array, Queue *queue, uint32_t number, int64_t now_ns);
void expiry_remove(GArray *array, Queue *queue, uint32_t number);
/* pool_take gives the number of a zeroed element, a new one or one that pool_give gave back. */
uint32_t pool_take(GArray *array, GArray *free_numbers);
void pool_give(GArray *array, GArray *free_numbers, uint32_t number);

/* users.c. A host without a user is an AOR where it is party to a call or registration only. */
uint32_t users_find(History *history, PealStr value, bool party);
void users_sends(History *history, uint32_t user, const PealAddr *from);

static inline HistoryUser *users_at(History *history, uint32_t user)
{
    return &g_array_index(history->data.users, HistoryUser, user);
}

/* registrations.c */
void registrations_hear(History *history, const Heard *heard);
void registrations_expire(History *history);
void registrations_finish(History *history);

/* calls.c. calls_hear is false for a message that has nothing to do with calls; calls_touch is for
 * repetitions, which say nothing but that the call goes on. */
bool calls_hear(History *history, const Heard *heard);
void calls_touch(History *history, PealStr call_id, int64_t at_ns);
void calls_expire(History *history);
void calls_finish(History *history);

static inline OpenCall *calls_open(History *history, uint32_t number)
{
    return &g_array_index(history->open_calls, OpenCall, number);
}

static inline HistoryCall *calls_data(History *history, const OpenCall *open)
{
    return &g_array_index(history->data.calls, HistoryCall, open->number);
}

/* media.c */
void media_session(History *history, uint32_t number, const Heard *heard);
void media_forget(History *history, uint32_t number);

/* texts.c */
void texts_keep(History *history, HistoryCall *call, const PealSipScan *scan);

#endif
