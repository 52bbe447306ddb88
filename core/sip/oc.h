/*
 * oc.h - overload control between SIP neighbours: a server says by what share its clients shall
 *        reduce their requests, and they do.
 * Source: RFC 7339, with its loss-based scheme (s.7).
 * State:  one SipOc per transaction layer that takes part; OC_SERVERS servers that asked for less.
 * Time:   what a server said holds for the time it said with it, 500 ms by default.
 *
 * It works inside the transaction layer, so that adapters and phones do the same: responses to
 * requests that offer it get the parameters in their topmost Via, those that come are read, and
 * requests that are not to be sent end as if they had been answered 503. Both other ends of a
 * proxy's way have a scope of their own: a client's parameters are taken off what is passed on
 * (s.5.6).
 */
#ifndef SIP_OC_H
#define SIP_OC_H

#include <peal/env.h>

#include "sip/message.h"
#include "sip/text.h"

enum {
    OC_SERVERS = 32,
    OC_VALIDITY_MS = 2000,        /* of what is said here */
    OC_VALIDITY_DEFAULT_MS = 500, /* s.4.3 */
    OC_VALIDITY_MAX_MS = 600000,  /* of what others say */
    OC_PARAMS_MAX = 96            /* bytes of the parameters of an answer */
};

/* A server that asked for less. */
typedef struct OcServer {
    PealAddr addr;
    PealTime until;
    uint64_t seq; /* 100,000ths */
    uint8_t loss; /* percent */
} OcServer;

typedef struct SipOc {
    OcServer servers[OC_SERVERS];
    uint32_t requests[2]; /* sent of late: those that may be reduced, and the others */
    uint64_t seq;         /* of what is said here: ms, rising with each change */
    uint8_t loss;         /* what is said here, percent */
} SipOc;

/* oc_say changes what is said to clients from now on. */
void oc_say(SipOc *oc, uint8_t loss, uint64_t unix_ms);

/* oc_offer writes what a client puts behind its own Via (s.4.1, s.4.2). */
void oc_offer(SipText *text);
/* oc_offered: does this request's client take part, by an algorithm that is known here? */
bool oc_offered(const SipMessage *request);
/* oc_strip writes a Via without the parameters of overload control. */
void oc_strip(SipText *text, PealStr via);

/* oc_answer is a copy of a response that says what is said here, in the Via on top; NULL when it
 * cannot. Its client offered it. */
PealBuf *oc_answer(const SipOc *oc, PealEnv *env, PealStr response);

/* oc_learn takes what the server at an address says in a response. */
void oc_learn(SipOc *oc, const PealAddr *server, const SipMessage *response, PealTime now);

/* oc_lets_go: may this request be sent to the server? Those inside a dialog go first (s.5.10.1); an
 * ACK or a CANCEL always goes. draw: a random number. */
bool oc_lets_go(SipOc *oc, const PealAddr *server, const SipMessage *request, PealTime now,
                uint64_t draw);

#endif
