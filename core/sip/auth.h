/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * auth.h - digest authentication of phones, as registrar (401) and as proxy (407).
 * Source: RFC 3261 s.22, RFC 7616 as RFC 8760 takes it over.
 * State:  the last AUTH_NONCES_MAX nonces' highest nc (a nonce itself is time and MAC); one entry a
 *         request whose password is asked for.
 * Time:   a nonce lives config->nonce_lifetime, then it is stale.
 */
#ifndef SIP_AUTH_H
#define SIP_AUTH_H

#include <peal/peer.h>

#include "sip/message.h"
#include "sip/text.h"

typedef struct Auth {
    struct AuthNonce *nonces; /* a ring */
    struct AuthCheck *checks; /* passwords asked for */
    uint32_t nonces_len;
    uint32_t nonces_next;
    uint32_t checks_len;
    uint32_t checks_cap;
} Auth;

enum { AUTH_NONCES_MAX = 16384, AUTH_CHECKS_MAX = 65536 };

typedef enum AuthVerdict {
    AUTH_GOOD,      /* ret user is who he says; his AOR is sip:user@realm */
    AUTH_CHALLENGE, /* no, bad or stale credentials: auth_put_challenge writes the headers */
    AUTH_FORBIDDEN, /* a well-formed answer to our challenge with a wrong password too often, or a user
                       that does not exist: 403 */
    AUTH_BUSY       /* nobody can tell now: 503 */
} AuthVerdict;

/* Called once, from auth_check itself when no password is needed, else from a later dispatch.
 * user and stale are meaningful for GOOD and CHALLENGE. */
typedef void (*AuthDone)(PealPeer *peer, uint64_t arg, AuthVerdict verdict, PealStr user,
                         PealStr realm, bool stale);

void auth_init(PealPeer *peer);
void auth_fini(PealPeer *peer);

/*
 * auth_check verifies the credentials of a request for a realm.
 * proxy    Proxy-Authorization, else Authorization
 * realm    one of the configured domains
 * The digest uri need not be the Request-URI, only well-formed (sipp).
 */
void auth_check(PealPeer *peer, const SipMessage *request, bool proxy, PealStr realm, AuthDone done,
                uint64_t arg);

/* auth_on_answer: the world's answer to PEAL_ASK_PASSWORD. Returns whether the token was auth's. */
bool auth_on_answer(PealPeer *peer, const PealAnswer *answer);

/* auth_put_challenge writes one header line for each algorithm, in the configured order. */
void auth_put_challenge(PealPeer *peer, SipText *text, bool proxy, PealStr realm, bool stale);

#endif
