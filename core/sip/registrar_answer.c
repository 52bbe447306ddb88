/* SPDX-License-Identifier: GPL-3.0-or-later */
/* registrar_answer.c - what phones are answered. */
#include "sip/registrar_plan.h"
#include "sip/state.h"

enum {
    HEADERS_FEW = 4096, /* bytes of an answer's own header fields that the stack holds */
    CHALLENGES_MAX = 2 * 512,
    LINE_MAX = 64 /* of a Contact line, what is not the Contact */
};

uint32_t registrar_rest_s(PealTime until, PealTime now)
{
    int64_t rest_ns = peal_time_since(until, now).ns;
    int64_t rest = (rest_ns + PEAL_NS_PER_S - 1) / PEAL_NS_PER_S;

    return rest > UINT32_MAX ? UINT32_MAX : (uint32_t)(rest > 0 ? rest : 0);
}

static void put_contacts(PealPeer *peer, SipText *text, const RegistrarAor *aor)
{
    PealTime now = peer_now(peer);

    for (const Binding *b = aor->bindings; b != NULL; b = b->next) {
        if (!peal_time_due(b->expires_at, now)) {
            sip_put_z(text, "Contact: ");
            sip_put(text, binding_contact(b));
            sip_put_z(text, ";expires=");
            sip_put_u32(text, registrar_rest_s(b->expires_at, now));
            sip_put_z(text, "\r\n");
        }
    }
}

static size_t contacts_len(const RegistrarAor *aor)
{
    size_t len = 0;

    for (const Binding *b = aor != NULL ? aor->bindings : NULL; b != NULL; b = b->next) {
        len += LINE_MAX + (size_t)b->contact_len;
    }
    return len;
}

/* RFC 3327 s.5.3: a phone that knows of Path hears which one was used. */
static void put_path(SipText *text, const SipMessage *request)
{
    if (sip_has(request, SIP_H_PATH) && (sip_has_token(request, SIP_H_SUPPORTED, "path") ||
                                         sip_has_token(request, SIP_H_REQUIRE, "path"))) {
        for (SipCursor at = {0}; sip_next(request, SIP_H_PATH, &at);) {
            sip_put_z(text, "Path: ");
            sip_put(text, at.element);
            sip_put_z(text, "\r\n");
        }
    }
}

bool registrar_next_unsupported(const SipMessage *request, SipCursor *cursor)
{
    while (sip_next(request, SIP_H_REQUIRE, cursor)) {
        if (!sip_is(cursor->element, "path") && !sip_is(cursor->element, "outbound")) {
            return true;
        }
    }
    return false;
}

void registrar_put_unsupported(SipText *text, const SipMessage *request)
{
    for (SipCursor at = {0}; registrar_next_unsupported(request, &at);) {
        sip_put_z(text, "Unsupported: ");
        sip_put(text, at.element);
        sip_put_z(text, "\r\n");
    }
}

/* The header fields that a status needs; `headers` begins with what the caller has of its own. */
static void answer(PealPeer *peer, const RegistrarJob *job, const SipMessage *request,
                   const RegistrarReply *reply, SipText *headers)
{
    const uint64_t draw = peer_random(peer, PEAL_DRAW_SIP);
    char tag[2 * sizeof(draw)];
    SipText tag_text = sip_text_make(tag, sizeof(tag));
    SipAnswer message = {.status = reply->status};

    switch (reply->status) {
    case 420:
        registrar_put_unsupported(headers, request);
        break;
    case 423:
        sip_put_z(headers, "Min-Expires: ");
        sip_put_u32(headers, peer->sip->config->min_expires_s);
        sip_put_z(headers, "\r\n");
        break;
    case 503:
        sip_put_z(headers, "Retry-After: 5\r\n");
        break;
    default:
        break;
    }
    if (headers->overflow) {
        *headers = sip_text_make(headers->ptr, headers->cap); /* the status says it all */
    }
    sip_put_hex(&tag_text, (const uint8_t *)&draw, sizeof(draw));
    message.to_tag = sip_text_view(&tag_text);
    message.headers = sip_text_view(headers);
    if (reply->reason != NULL) {
        message.reason = sip_str(reply->reason);
    }
    /* A transaction that is gone wants no answer. */
    (void)!sip_tx_reply(&peer->sip->transactions, job->tx, request, &job->from, &message);
}

void registrar_refuse(PealPeer *peer, const RegistrarJob *job, const SipMessage *request,
                      const RegistrarReply *reply)
{
    char few[HEADERS_FEW];
    SipText headers = sip_text_make(few, sizeof(few));

    answer(peer, job, request, reply, &headers);
}

/* 10.3 step 8. */
void registrar_accept(PealPeer *peer, const RegistrarJob *job, const SipMessage *request,
                      const RegistrarAor *aor)
{
    const RegistrarReply ok = {.status = 200};
    size_t len = contacts_len(aor) + HEADERS_FEW;
    char few[2 * HEADERS_FEW];
    char *many = NULL;
    SipText headers = sip_text_make(few, sizeof(few));

    if (len > sizeof(few)) {
        many = peer_alloc(peer, len);
        if (many == NULL) {
            registrar_refuse(peer, job, request, &(RegistrarReply){.status = 503});
            return;
        }
        headers = sip_text_make(many, len);
    }
    if (aor != NULL) {
        put_contacts(peer, &headers, aor);
    }
    put_path(&headers, request);
    sip_put_z(&headers, "Supported: path, outbound\r\n");
    if (job->flow) {
        sip_put_z(&headers, "Require: outbound\r\n");
    }
    answer(peer, job, request, &ok, &headers);
    if (many != NULL) {
        peer_release(peer, many, len);
    }
}

void registrar_challenge(PealPeer *peer, const RegistrarJob *job, const SipMessage *request,
                         PealStr realm, bool stale)
{
    const RegistrarReply reply = {.status = 401};
    char bytes[CHALLENGES_MAX];
    SipText headers = sip_text_make(bytes, sizeof(bytes));

    auth_put_challenge(peer, &headers, false, realm, stale);
    answer(peer, job, request, &reply, &headers);
}
