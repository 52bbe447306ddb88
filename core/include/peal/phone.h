/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * phone.h - a SIP phone without a human: registers, calls, answers and hangs up by itself.
 * Source: RFC 3261 s.8, s.10, s.12 to s.15; RFC 3264 (one audio stream); RFC 7616 and RFC 8760.
 * State:  one block of peal_phone_size() bytes and its texts; a few hundred bytes and its messages
 *         for each call. Nothing else is held while nothing is under way.
 * Time:   one deadline, told to env->wake_at at the end of each function that changed it.
 *
 * A phone is no part of a peer: it has an environment of its own, of which it uses now, unix_ms,
 * random (PEAL_DRAW_SIP), sip_send_take, sip_close, wake_at, alloc, release, buffer, drop and
 * crypto. Events come from inside peal_phone_on_sip_take, peal_phone_on_sip_end and
 * peal_phone_on_wake only; from inside them every function here may be called but peal_phone_fini.
 */
#ifndef PEAL_PHONE_H
#define PEAL_PHONE_H

#include <peal/peer.h>

typedef struct PealPhone PealPhone;

enum { PEAL_PHONE_CALLS_MAX = 4096 }; /* of one phone at a time, both ways together */

typedef enum PealPhoneEventKind {
    /*
     * A registration was answered: status and, for a 2xx, expires_s. `refresh` is false exactly
     * once for each peal_phone_register and peal_phone_unregister, true for what the phone does on
     * its own afterwards: refreshing, and trying again after a failure.
     */
    PEAL_PHONE_REGISTERED,
    PEAL_PHONE_INCOMING, /* a call comes in */
    PEAL_PHONE_RINGING,  /* the first 101..199 to a call made here */
    PEAL_PHONE_ANSWERED, /* 2xx to a call made here; ACK for the 2xx of one that came in */
    PEAL_PHONE_ENDED     /* the last word on a call, exactly once */
} PealPhoneEventKind;

typedef struct PealPhoneEvent {
    PealPhoneEventKind kind;
    uint16_t status; /* REGISTERED, ANSWERED, ENDED: the final response's; 408 for none in time, 503
                        where the world could not send; ENDED of an incoming call that its caller
                        gave up: 487 */
    bool refresh;    /* REGISTERED */
    bool incoming;   /* the call came in */
    bool answered;   /* ENDED: there was a 2xx */
    bool hung_up;    /* ENDED after an answer: this phone said BYE, else the other side */
    bool lost;       /* ENDED after an answer: no BYE; no ACK came, or nobody answered ours */
    uint32_t expires_s;
    uint64_t token; /* as given; 0 for an incoming call */
    uint32_t call;  /* names a call of this phone, 0 for REGISTERED */
    /* From the INVITE sent first (a challenged one too) to the first 101..199 and to the 2xx, for
     * calls made here; -1 ns for what did not happen. */
    PealSpan to_ringing;
    PealSpan to_answer;
    PealStr peer;    /* INCOMING: the caller's URI; borrowed for the event */
    PealStr call_id; /* INCOMING: the INVITE's Call-ID; likewise */
} PealPhoneEvent;

/* What phones have in common; shared, and never changed while one of them lives. */
typedef struct PealPhoneConfig {
    const PealSipConfig *sip; /* t1, t2, t4, timer_b, transactions_max (of one phone) */
    PealSpan ring;            /* from an INVITE that comes in to its 200 */
    uint32_t calls_max;       /* 1..PEAL_PHONE_CALLS_MAX; 486 beyond */
    bool by_proxy; /* every request goes to the identity's proxy, and to no address that a Contact
                      or a route names */
    bool overload_control; /* RFC 7339: requests are kept back as the proxy asks; they end 503 */
    void (*event)(void *user, PealPhone *phone, const PealPhoneEvent *event);
} PealPhoneConfig;

/* Who one phone is. Texts are copied. */
typedef struct PealPhoneIdentity {
    PealStr aor;      /* sip:user@domain, 1..PEAL_AOR_MAX bytes */
    PealAddr contact; /* where it is reached, with its port */
    PealHop proxy;    /* registrar and outbound proxy; over TCP conn 0 */
    PealStr username; /* of digest authentication; empty: the AOR's user */
    PealStr password; /* empty: a challenge is a refusal */
} PealPhoneIdentity;

/* Bytes of the block that peal_phone_init wants, a multiple of 16. */
size_t peal_phone_size(void);

/*
 * peal_phone_init makes a phone in the caller's memory.
 * memory  peal_phone_size() zeroed bytes, aligned to 16
 * env, config  borrowed for the phone's life
 * user    handed to config->event
 * Returns 0, -PEAL_E_ARG (no sip: AOR with a user, texts over 255 bytes, no addresses) or
 * -PEAL_E_MEMORY.
 */
int peal_phone_init(void *memory, PealEnv *env, const PealPhoneConfig *config,
                    const PealPhoneIdentity *identity, void *user,
                    PealPhone **ret_phone) PEAL_MUST_USE;

/* peal_phone_fini releases everything, without a word to anybody and without an event. */
void peal_phone_fini(PealPhone *phone);

/* What the world tells the phone; as the peer's functions of these names. on_sip_take takes buf. */
void peal_phone_on_sip_take(PealPhone *phone, const PealHop *from, PealBuf *buf);
void peal_phone_on_sip_end(PealPhone *phone, const PealHop *hop, int error);
void peal_phone_on_wake(PealPhone *phone);

/* peal_phone_move gives the phone another proxy or address, for what it sends from now on; a
 * registration that it keeps is made anew at once. */
void peal_phone_move(PealPhone *phone, const PealAddr *contact, const PealHop *proxy);

/*
 * peal_phone_register registers the phone, and keeps it registered: again at 0.9 of the lifetime
 * granted, and after a failure with back-off from 30 s to 30 min (or Retry-After).
 * expires_s  asked for, > 0
 * Returns 0, then REGISTERED with the token follows; -PEAL_E_ARG, or -PEAL_E_STATE while an earlier
 * call has not been answered. peal_phone_unregister stops that and removes the binding.
 */
int peal_phone_register(PealPhone *phone, uint32_t expires_s, uint64_t token) PEAL_MUST_USE;
int peal_phone_unregister(PealPhone *phone, uint64_t token) PEAL_MUST_USE;

/*
 * peal_phone_call calls an AOR, through the proxy.
 * aor       sip: URI, 1..PEAL_AOR_MAX bytes, borrowed for the call
 * duration  from the answer to this phone's BYE; PEAL_PHONE_NO_END: until someone hangs up
 * Returns 0, then ENDED with the token follows once; -PEAL_E_ARG, -PEAL_E_FULL (calls_max or
 * transactions_max), -PEAL_E_MEMORY.
 */
#define PEAL_PHONE_NO_END ((PealSpan){INT64_MAX})
int peal_phone_call(PealPhone *phone, PealStr aor, PealSpan duration, uint64_t token) PEAL_MUST_USE;

/*
 * A call with more to say about it. peal_phone_call_as copies the texts, and returns what
 * peal_phone_call does; -PEAL_E_ARG too for texts longer than PEAL_PHONE_TEXT_MAX, a content_type
 * longer than PEAL_AOR_MAX or of several lines, a body without content_type, and headers that are
 * not whole lines, or name a header field which the phone writes itself: those of the message's way
 * and dialog, Content-Type and Content-Length, credentials.
 */
enum { PEAL_PHONE_TEXT_MAX = 16384 };
typedef struct PealPhoneWish {
    PealStr aor;
    PealSpan duration;
    PealSpan patience;    /* from the INVITE: without a final response the phone then gives up by
                             CANCEL; PEAL_PHONE_NO_END: it waits */
    PealStr headers;      /* whole lines, of the INVITE; empty for none */
    PealStr content_type; /* of the body, which may be empty: then the INVITE has none; without
                             content_type the phone describes its own session */
    PealStr body;
    uint64_t token;
} PealPhoneWish;
int peal_phone_call_as(PealPhone *phone, const PealPhoneWish *wish) PEAL_MUST_USE;

/* peal_phone_call_id is the Call-ID of the call made here with a token, empty where there is none;
 * borrowed until the phone's next function. */
PealStr peal_phone_call_id(const PealPhone *phone, uint64_t token);

/* How a call that comes in goes. */
typedef struct PealPhonePart {
    PealSpan ring;   /* from now; PEAL_PHONE_NO_END: until its caller gives up */
    uint16_t status; /* 200 answers, 300..699 refuses */
    PealSpan talk;   /* from the 2xx until this phone hangs up; PEAL_PHONE_NO_END: never */
} PealPhonePart;

/* peal_phone_play replaces what the configuration says for one call; from inside its INCOMING
 * event. A phone that rings for long says so once a minute (13.3.1.1). Returns 0, -PEAL_E_ARG, or
 * -PEAL_E_STATE where no such call rings here. */
int peal_phone_play(PealPhone *phone, uint32_t call, const PealPhonePart *part) PEAL_MUST_USE;

/* peal_phone_hang_up_all ends every call, by CANCEL, BYE or, where one rings here, 480. Their ENDED
 * follow. */
void peal_phone_hang_up_all(PealPhone *phone);

/* How many calls there are, and whether a registration stands. */
uint32_t peal_phone_calls(const PealPhone *phone);
bool peal_phone_registered(const PealPhone *phone);

#endif
