/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serve.c - requests that are for this adapter itself (RFC 3261 s.8.2, s.10.3, s.11.2). */
#include "sip/registrar_plan.h"
#include "sip/state.h"

enum { SERVE_HEADERS_MAX = 2048 };

static const char allowed[] = "Allow: OPTIONS, REGISTER\r\n";

void sip_refuse(PealPeer *peer, SipTx tx, const SipMessage *request, const PealHop *from,
                const SipAnswer *answer)
{
    SipAnswer whole = *answer;
    char bytes[SIP_TAG_LEN];
    SipText tag = sip_text_make(bytes, sizeof(bytes));

    sip_put_random(peer, &tag, SIP_TAG_LEN);
    whole.to_tag = sip_text_view(&tag);
    /* A transaction that is gone wants no answer. */
    (void)!sip_tx_reply(&peer->sip->transactions, tx, request, from, &whole);
}

static void serve_options(PealPeer *peer, SipTx tx, const SipMessage *request, const PealHop *from)
{
    static const char abilities[] = "Allow: OPTIONS, REGISTER\r\n"
                                    "Accept: application/sdp\r\n"
                                    "Accept-Encoding: identity\r\n"
                                    "Accept-Language: en\r\n"
                                    "Supported: path, outbound\r\n";
    char bytes[SERVE_HEADERS_MAX];
    SipText headers = sip_text_make(bytes, sizeof(bytes));

    registrar_put_unsupported(&headers, request);
    if (headers.len > 0 || headers.overflow) {
        sip_refuse(peer, tx, request, from,
                   &(SipAnswer){.status = 420,
                                .headers = headers.overflow ? (PealStr){NULL, 0}
                                                            : sip_text_view(&headers)});
        return;
    }
    sip_refuse(peer, tx, request, from,
               &(SipAnswer){.status = 200, .headers = {abilities, sizeof(abilities) - 1}});
}

void sip_serve(PealPeer *peer, SipTx tx, const SipMessage *request, const PealHop *from)
{
    SipUri uri;

    if (request->code == SIP_REGISTER) {
        registrar_on_register(peer, tx, request, from);
    } else if (request->code == SIP_OPTIONS) {
        serve_options(peer, tx, request, from);
    } else if (request->code == SIP_CANCEL) {
        sip_refuse(peer, tx, request, from, &(SipAnswer){.status = 481}); /* 9.2 */
    } else if (sip_uri_parse(request->uri, &uri) == 0 && uri.user.len > 0) {
        sip_refuse(peer, tx, request, from, &(SipAnswer){.status = 404});
    } else {
        sip_refuse(peer, tx, request, from,
                   &(SipAnswer){.status = 405, .headers = {allowed, sizeof(allowed) - 1}});
    }
}
