/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * auth.h - digest authentication of phones, as registrar (401) and as proxy (407).
 * Source: RFC 3261 s.22, RFC 7616 as RFC 8760 takes it over; RFC 2617's form without qop, for MD5.
 * State:  the highest nc of AUTH_NONCES_MAX nonces that somebody has used with the right password
 *         (a nonce itself is time, number and MAC, so challenges cost nothing); one entry a request
 *         whose password is asked for.
 * Time:   a nonce lives config->nonce_lifetime, then it is stale.
 *
 * A wrong password and a user that does not exist look the same from outside: a new challenge, in
 * the same time.
 */
#ifndef SIP_AUTH_H
#define SIP_AUTH_H

#include <peal/peer.h>

#include "sip/message.h"
#include "sip/slots.h"
#include "sip/text.h"

typedef struct Auth {
    struct AuthNonce *nonces; /* AUTH_NONCES_MAX of them, by number; NULL until one is needed */
    Slots checks;             /* passwords asked for */
    uint32_t nonces_next;     /* number of the last nonce given out */
} Auth;

enum { AUTH_NONCES_MAX = 16384, AUTH_CHECKS_MAX = 65536 };

typedef enum AuthVerdict {
    AUTH_GOOD,      /* `user` is who he says; his AOR is sip:user@realm */
    AUTH_CHALLENGE, /* no, bad or stale credentials: auth_put_challenge writes the headers */
    AUTH_FORBIDDEN, /* credentials of a user of another domain, which no challenge will make good:
                       403 */
    AUTH_BUSY       /* nobody can tell now: 503 */
} AuthVerdict;

/* Called once, from auth_check itself when no password is needed, else from a later dispatch.
 * user (without a domain) is meaningful for GOOD, stale for CHALLENGE; texts are borrowed. */
typedef void (*AuthDone)(PealPeer *peer, uint64_t arg, AuthVerdict verdict, PealStr user,
                         PealStr realm, bool stale);

void auth_init(PealPeer *peer);
void auth_fini(PealPeer *peer);

/*
 * auth_check verifies the credentials of a request for a realm; within an arena (arena.h).
 * proxy    Proxy-Authorization, else Authorization
 * realm    one of the configured domains, for as long as the adapter lives
 * The digest uri need not be the Request-URI, only well-formed (sipp). The username may be `user`
 * or `user@realm`. A nonce's nc must be higher than any seen; a client that counts nothing (RFC
 * 2617 without qop) gets one request out of a nonce.
 */
void auth_check(PealPeer *peer, const SipMessage *request, bool proxy, PealStr realm, AuthDone done,
                uint64_t arg);

/* auth_on_answer: the world's answer to PEAL_ASK_PASSWORD. Returns whether the token was auth's. */
bool auth_on_answer(PealPeer *peer, const PealAnswer *answer);

/* auth_owns: is sip:user@realm the AOR of this Resource-ID? What a URI cannot have as it is, is
 * escaped. */
bool auth_owns(PealPeer *peer, PealStr user, PealStr realm, const PealId *resource);

/* auth_put_challenge writes one header line for each algorithm, in the configured order. */
void auth_put_challenge(PealPeer *peer, SipText *text, bool proxy, PealStr realm, bool stale);

#endif
