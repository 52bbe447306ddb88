/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * transaction_state.h (internal) - what the files of the transaction layer share.
 * Source: RFC 3261 s.17, RFC 6026.   State: SipTransaction.   Time: see transaction.h.
 */
#ifndef SIP_TRANSACTION_STATE_H
#define SIP_TRANSACTION_STATE_H

#include "sip/transaction.h"

enum {
    TRANSACTION_TIMERS_T1 =
        64, /* J, L, M and the wait for an answer to a cancelled INVITE, in T1 */
    TRANSACTION_TIMER_D_S = 32,    /* at least */
    TRANSACTION_TRYING_MS = 200,   /* 17.2.1: a 100 to an INVITE */
    TRANSACTION_RETRY_AFTER_S = 10 /* of the stateless 503 */
};

typedef enum TransactionKind {
    TRANSACTION_INVITE_CLIENT,
    TRANSACTION_CLIENT,
    TRANSACTION_INVITE_SERVER,
    TRANSACTION_SERVER
} TransactionKind;

typedef enum TransactionState {
    TRANSACTION_CALLING, /* an INVITE client's Trying */
    TRANSACTION_TRYING,
    TRANSACTION_PROCEEDING,
    TRANSACTION_COMPLETED,
    TRANSACTION_CONFIRMED,
    TRANSACTION_ACCEPTED,
    TRANSACTION_TERMINATED
} TransactionState;

typedef enum TransactionEvent {
    TRANSACTION_REQUEST, /* a retransmission, or an ACK */
    TRANSACTION_ACK,
    TRANSACTION_1XX, /* responses: received, or to be sent */
    TRANSACTION_2XX,
    TRANSACTION_300_699,
    TRANSACTION_RETRY, /* A, E, G, and the wait before a 100 */
    TRANSACTION_END,   /* every other timer */
    TRANSACTION_ERROR  /* of the transport */
} TransactionEvent;

/* What happens to a transaction. */
typedef struct TransactionInput {
    TransactionEvent event;
    const SipMessage *message; /* received, else NULL */
    const PealHop *from;
    PealStr bytes; /* of a response to be sent */
} TransactionInput;

struct SipTransaction {
    SipTransaction *chain; /* of its match */
    SipTransaction *hop_next;
    SipTransaction **hop_link; /* what points to it in its hop's chain */
    SipTransaction *absorber_before;
    SipTransaction *absorber_next;
    uint64_t match[2];
    /* Hashes of To tags, for requests without the magic cookie: the request's and the answer's. */
    uint64_t old_tag;
    uint64_t reply_tag;
    SipTx name; /* a count above, 32 bits of match below */
    uint64_t arg;
    PealTime retry_at;
    PealTime end_at;
    PealTime due;      /* the earlier one */
    PealSpan interval; /* of retransmission: A, E or G */
    uint8_t *kept;     /* client: its request, then the ACK; server: the request until there is a
                          response, then the last response */
    uint32_t kept_len;
    uint32_t heap_at;
    PealHop hop;  /* where it sends to */
    PealHop from; /* server: where the request came from */
    uint16_t via_port;
    uint16_t sends;  /* of what is kept */
    uint8_t kind;    /* TransactionKind */
    uint8_t state;   /* TransactionState */
    int8_t error;    /* of the transport, not yet acted upon */
    bool replied;    /* server: kept is a response */
    bool cancel;     /* client: to be cancelled when a provisional response comes */
    bool old;        /* without the magic cookie */
    uint8_t absorbs; /* SipAbsorbing + 1, of the queue that it is in; 0: it is in the heap */
    bool leaving;    /* gave way to another */
    bool internal;   /* a CANCEL of this layer: its user does not know of it */
    bool offered;    /* server: its client takes part in overload control */
};
_Static_assert(sizeof(SipTransaction) <= 256, "a transaction");

static inline PealTime transaction_now(const SipTransactions *all)
{
    return all->env->ops->now(all->env);
}
static inline bool transaction_is_server(const SipTransaction *tx)
{
    return tx->kind >= TRANSACTION_INVITE_SERVER;
}
static inline bool transaction_is_reliable(const SipTransaction *tx)
{
    return tx->hop.transport == PEAL_TCP;
}
static inline bool transaction_is_open(const SipTransaction *tx)
{
    return tx->state <= TRANSACTION_PROCEEDING;
}
static inline PealSpan transaction_64_t1(const SipTransactions *all)
{
    return (PealSpan){TRANSACTION_TIMERS_T1 * all->config->t1.ns};
}
static inline TransactionEvent transaction_status_event(unsigned status)
{
    return status < 200 ? TRANSACTION_1XX : status < 300 ? TRANSACTION_2XX : TRANSACTION_300_699;
}

/* transaction_key.c: what a message matches by. */
typedef struct TransactionKey {
    uint64_t match[2];
    uint64_t old_tag; /* RFC 2543: of To */
    bool old;         /* RFC 2543 */
    uint16_t via_port;
} TransactionKey;

/* transaction_method is the method of a request, or of a response's CSeq. */
PealStr transaction_method(const SipMessage *message);
/* Both: 0 or -PEAL_E_VALUE, for a Via that cannot be read. */
int transaction_client_key(const SipTransactions *all, const SipMessage *message,
                           TransactionKey *ret_key) PEAL_MUST_USE;
int transaction_server_key(const SipTransactions *all, const SipMessage *message, PealStr method,
                           TransactionKey *ret_key) PEAL_MUST_USE;
/* transaction_to_tag hashes the tag of a To that is known to be old. */
uint64_t transaction_to_tag(const SipTransactions *all, const SipMessage *message);
uint64_t transaction_hop_hash(const SipTransactions *all, const PealHop *hop);

/* transaction_table.c */
/* transaction_new adds a transaction without timers; NULL without memory. */
SipTransaction *transaction_new(SipTransactions *all, TransactionKind kind,
                                const TransactionKey *key, const PealHop *hop);
void transaction_free(SipTransactions *all, SipTransaction *tx);
SipTransaction *transaction_find(const SipTransactions *all, const uint64_t match[2]);
SipTransaction *transaction_named(const SipTransactions *all, SipTx name);
/* transaction_hops is the first of the transactions whose hop may be this; hop_next leads on. */
SipTransaction *transaction_hops(const SipTransactions *all, const PealHop *hop);
/* transaction_set_hop changes where it sends to. */
void transaction_set_hop(SipTransactions *all, SipTransaction *tx, const PealHop *hop);
/* transaction_timers sets both timers; PEAL_TIME_NEVER for none. What absorbed does no longer. */
void transaction_timers(SipTransactions *all, SipTransaction *tx, PealTime retry_at,
                        PealTime end_at);
/* transaction_absorb: from now on it only absorbs, until end_at: now, or in a time that is every
 * other's of this kind. */
void transaction_absorb(SipTransactions *all, SipTransaction *tx, SipAbsorbing kind,
                        PealTime end_at);
/* transaction_make_room is whether there is room for one more; the longest absorbing one gives
 * way. */
bool transaction_make_room(SipTransactions *all) PEAL_MUST_USE;
SipTransaction *transaction_first(const SipTransactions *all); /* the next that is due; NULL */

/* transaction.c */
/* transaction_keep replaces what is kept by a copy of these bytes, or by nothing. 0 or
 * -PEAL_E_MEMORY: then nothing is kept. */
int transaction_keep(SipTransactions *all, SipTransaction *tx, PealStr bytes);
/* transaction_send sends what is kept, once more. */
void transaction_send(SipTransactions *all, SipTransaction *tx);
/* transaction_kept reads the kept message; whether it could. */
bool transaction_kept(const SipTransaction *tx, SipMessage *ret_message);

/* transaction_client.c, transaction_server.c: the figures. */
void transaction_client_event(SipTransactions *all, SipTransaction *tx, const TransactionInput *in);
int transaction_server_event(SipTransactions *all, SipTransaction *tx, const TransactionInput *in);
/* transaction_begin makes a server transaction of a request and tells of it. */
void transaction_begin(SipTransactions *all, const SipMessage *request, const PealHop *from,
                       const TransactionKey *key);

#endif
