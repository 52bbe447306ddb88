/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * transaction.h - SIP's transaction layer: retransmission, matching and time-outs, on UDP and TCP.
 * Source: RFC 3261 s.17, s.18.1.1, s.18.2; RFC 6026; RFC 4320. Timer C is the proxy's.
 * State:  under 256 bytes a transaction plus the message it may have to send again; a hash table
 *         over branch, sent-by and method, one over hops; a heap of the deadlines of those not
 *         answered, and queues of the others. Nothing while there is no transaction. Bounded by
 *         config->transactions_max, but for CANCELs: 100,000 answered REGISTERs are about 70 MB.
 * Time:   the environment's; the earliest timer is `deadline`.
 *
 * It knows an environment, not a peer: phones use it too. Callbacks come from inside sip_tx_receive
 * and sip_transactions_on_wake, never from inside the functions that start, cancel or answer; from
 * inside a callback those may be called, receive, on_wake and fini may not. Whoever calls one of
 * them looks at `deadline` afterwards: it may be due at once.
 *
 * A transaction with its final answer only absorbs repetitions, for 5 to 32 s. At the bound such
 * ones give way, the longest answered first: those of requests other than INVITE, then those of
 * INVITEs. So load is refused when transactions_max are unanswered, not when so many began within
 * 32 s. What they would have absorbed is then handled anew:
 * - a REGISTER with the CSeq of the one before is answered 500 and changes nothing (10.3 step 7); a
 *   phone that lost the 200 as often as that registers again with a higher one
 * - a BYE is answered 481 by an end that has left the dialog; other requests reach their target
 *   again
 * - responses are dropped, a 2xx to INVITE too (RFC 6026 s.8.2); an ACK reaches on_ack
 *
 * At 8,000 requests/s a bound of 100,000 keeps them 12 s, which most repetitions fall into.
 */
#ifndef SIP_TRANSACTION_H
#define SIP_TRANSACTION_H

#include <peal/peer.h>

#include "sip/build.h"
#include "sip/message.h"

typedef struct SipTransaction SipTransaction;

/* Names a transaction; 0 is none. A name is not given out again for a long time. */
typedef uint64_t SipTx;

typedef struct SipTransactionUser {
    /*
     * A request that begins a server transaction (any method but ACK), CANCEL too: matched is then
     * the INVITE it cancels, or 0 (sip_tx_answer a CANCEL as any request).
     */
    void (*on_request)(void *user, SipTx tx, const SipMessage *request, const PealHop *from,
                       SipTx matched);
    /* An ACK that no server transaction absorbs: it belongs to a 2xx, and is the proxy's or the
     * phone's to handle. */
    void (*on_ack)(void *user, const SipMessage *ack, const PealHop *from);
    /* A response to a client transaction: provisional, final, or for INVITE each further 2xx
     * (RFC 6026). */
    void (*on_response)(void *user, SipTx tx, uint64_t arg, const SipMessage *response,
                        const PealHop *from);
    /* A client transaction without a final response ends: -PEAL_E_TIMEOUT (B, F),
     * -PEAL_E_UNREACHABLE or -PEAL_E_REFUSED (transport, the world said so), -PEAL_E_FULL (nothing
     * was sent, for the server is overloaded). */
    void (*on_failed)(void *user, SipTx tx, uint64_t arg, int error);
    /* The transaction is gone; its name means nothing from now on. `arg` as set. */
    void (*on_ended)(void *user, SipTx tx, uint64_t arg, bool server);
} SipTransactionUser;

/* Transactions that only absorb, and all for the same time: the longest answered ends first. */
typedef struct SipAbsorbers {
    SipTransaction *first;
    SipTransaction *last;
} SipAbsorbers;

/* By the timer that ends them, in the order in which they give way. */
typedef enum SipAbsorbing {
    SIP_ABSORBING_J,
    SIP_ABSORBING_K,
    SIP_ABSORBING_I,
    SIP_ABSORBING_D,
    SIP_ABSORBING_M, /* and L */
    SIP_ABSORBING_COUNT
} SipAbsorbing;

typedef struct SipTransactions {
    PealEnv *env;
    const PealSipConfig *config; /* t1, t2, t4, timer_b, transactions_max */
    const SipTransactionUser *ops;
    void *user;
    struct SipOc *oc;       /* overload control (oc.h): the user's to set and to free; NULL: none */
    SipTransaction **slots; /* 3 * cap: chains by match, chains by hop, the heap; NULL when empty */
    uint64_t key[2];        /* of the hash; senders choose what is hashed */
    uint32_t cap;           /* a power of two, at least len */
    uint32_t len;
    uint32_t heap_len;
    uint32_t next_name;
    uint32_t leaving; /* gave way, and end at the wake that is due at once */
    PealTime deadline;
    SipAbsorbers absorbers[SIP_ABSORBING_COUNT];
    uint64_t requests; /* server transactions ever begun */
} SipTransactions;

void sip_transactions_init(SipTransactions *all, PealEnv *env, const PealSipConfig *config,
                           const SipTransactionUser *ops, void *user);
/* sip_transactions_fini forgets all, without a callback. */
void sip_transactions_fini(SipTransactions *all);

/*
 * sip_tx_receive hands in a message that passed sip_message_check.
 * from   where it came from; a request's answers go where sip_build_reply_hop says
 * What is a retransmission is answered here, and what is not answered within 200 ms (INVITE,
 * 17.2.1) or 7 T1 (others, RFC 4320 s.4.1) gets a 100. A request other than INVITE that has no
 * final answer after 64 T1 ends without one (RFC 4320 s.4.2). Without room for another transaction,
 * where none can give way, a request is answered 503 with Retry-After, statelessly.
 */
void sip_tx_receive(SipTransactions *all, const SipMessage *message, const PealHop *from);

/*
 * sip_tx_request starts a client transaction and sends the request.
 * request  whole, with its own Via on top (branch z9hG4bK...); borrowed, copied as far as it may be
 *          sent again. Not an ACK.
 * to       over TCP with conn 0 the world finds or opens a connection
 * arg      the caller's, handed back
 * Returns 0, -PEAL_E_FULL or -PEAL_E_MEMORY; then nothing was sent.
 */
int sip_tx_request(SipTransactions *all, const SipMessage *request, const PealHop *to, uint64_t arg,
                   SipTx *ret_tx) PEAL_MUST_USE;

/*
 * sip_tx_cancel asks a client INVITE transaction's other end to give up: at once if a provisional
 * response has come, else when one comes (9.1). Without effect after a final response. If no final
 * response follows within 64 T1, on_failed(-PEAL_E_TIMEOUT) ends it.
 */
void sip_tx_cancel(SipTransactions *all, SipTx name);

/*
 * sip_tx_answer sends a response on a server transaction.
 * response  whole; borrowed; its status decides what it does to the transaction. After a final one
 *           only further 2xx to an INVITE go out (RFC 6026 s.7.1).
 * Returns 0, -PEAL_E_STATE (gone, or answered) or -PEAL_E_MEMORY (sent, but not kept to be sent
 * again).
 */
int sip_tx_answer(SipTransactions *all, SipTx name, uint16_t status,
                  PealStr response) PEAL_MUST_USE;

/* sip_tx_reply builds and sends the answer to a request of a server transaction. Same returns, and
 * -PEAL_E_FULL for an answer longer than a message may be. */
int sip_tx_reply(SipTransactions *all, SipTx name, const SipMessage *request, const PealHop *from,
                 const SipAnswer *answer) PEAL_MUST_USE;

/* sip_tx_set_arg gives a server transaction the caller's arg. */
void sip_tx_set_arg(SipTransactions *all, SipTx name, uint64_t arg);
/* sip_tx_arg is a transaction's arg, 0 when it is gone. */
uint64_t sip_tx_arg(const SipTransactions *all, SipTx name);

/* sip_tx_is_repetition: would this request's transaction absorb it, since it was there before? */
bool sip_tx_is_repetition(const SipTransactions *all, const SipMessage *request);

/* sip_tx_is_live: known, and without a final response so far. */
bool sip_tx_is_live(const SipTransactions *all, SipTx name);

/*
 * sip_tx_on_end: the world's word that a hop does not work (peal_peer_on_sip_end). With an error,
 * the client transactions that wait for an answer from there fail, at the wake that is due at once.
 * A connection that merely closed ends no transaction: what goes to it from now on takes another
 * one, a response to the address in its Via (18.2.2).
 */
void sip_tx_on_end(SipTransactions *all, const PealHop *hop, int error);

void sip_transactions_on_wake(SipTransactions *all, PealTime now);

/*
 * sip_hop_for_size: a request of more than 1300 bytes goes by TCP (18.1.1), unless its hop is that
 * already. Its Via has to say so too; if on_failed then tells -PEAL_E_REFUSED or
 * -PEAL_E_UNREACHABLE the caller may try UDP after all.
 * len   of the whole request
 */
PealHop sip_hop_for_size(const PealHop *hop, size_t len);

/* sip_send sends bytes outside any transaction, copied. */
void sip_send(PealEnv *env, const PealHop *to, PealStr bytes);

#endif
