/* SPDX-License-Identifier: GPL-3.0-or-later */
/* proxy_response.c - response processing (RFC 3261 s.16.7, RFC 6026). */
#include "sip/proxy_state.h"

enum { RESPONSE_RANKS = 16, RESPONSE_OWN = 8, RESPONSE_LENGTH_MAX = 32 };

/* Step 6, the lower the better: 6xx, then the lowest class; within 4xx what helps the sender to ask
 * again; what this proxy says by itself only for want of anything else. */
static unsigned response_rank(const ProxyContext *context, unsigned status, bool own)
{
    unsigned rank = status >= 600 ? 0 : (status / 100 - 2) * RESPONSE_RANKS;

    switch (status) {
    case 401:
    case 407:
        break;
    case 415:
    case 420:
    case 484:
        rank += 1;
        break;
    case 487:
        rank += context->cancelled ? 0 : 4;
        break;
    case 408: /* a phone that rang in vain says more than one that was not there */
        rank += 3;
        break;
    case 430:
    case 480:
    case 482:
        rank += 4;
        break;
    case 404:
    case 503:
        rank += own ? 5 : 4;
        break;
    default:
        rank += 2;
        break;
    }
    return own ? rank + RESPONSE_OWN : rank;
}

static bool response_is_challenge(unsigned status)
{
    return status == 401 || status == 407;
}

/* Keeps the challenges of a 401 or 407; beyond the room there is, the later ones are left out. */
static void response_collect(PealPeer *peer, ProxyContext *context, const SipMessage *response)
{
    if (context->challenges == NULL) {
        context->challenges = peer_alloc(peer, PROXY_CHALLENGES_MAX);
    }
    if (context->challenges == NULL) {
        return;
    }
    context->challenges_from++;
    for (size_t i = 0; i < response->fields_len; i++) {
        const SipField *field = &response->fields[i];
        size_t len = (size_t)(field->next - field->at);

        if ((field->header == SIP_H_WWW_AUTHENTICATE ||
             field->header == SIP_H_PROXY_AUTHENTICATE) &&
            context->challenges_len + len <= PROXY_CHALLENGES_MAX) {
            memcpy(context->challenges + context->challenges_len, response->bytes.ptr + field->at,
                   len);
            context->challenges_len += (uint32_t)len;
        }
    }
}

void proxy_candidate(PealPeer *peer, ProxyContext *context, unsigned status,
                     const SipMessage *response)
{
    uint8_t *copy = NULL;

    if (context->answered) {
        return;
    }
    if (response != NULL && response_is_challenge(status)) {
        response_collect(peer, context, response);
    }
    if (context->best_status != 0 &&
        response_rank(context, status, response == NULL) >=
            response_rank(context, context->best_status, context->best == NULL)) {
        return;
    }
    if (response != NULL) {
        copy = peer_alloc(peer, response->bytes.len);
        if (copy == NULL) {
            return;
        }
        memcpy(copy, response->bytes.ptr, response->bytes.len);
    }
    if (context->best != NULL) {
        peer_release(peer, context->best, context->best_len);
    }
    context->best = copy;
    context->best_len = response != NULL ? (uint32_t)response->bytes.len : 0;
    context->best_status = (uint16_t)status;
}

/* Step 7: this response's challenges give way to all that came. */
static void response_merge(SipEdit *edit, const ProxyContext *context)
{
    const SipMessage *response = edit->message;

    for (size_t i = 0; i < response->fields_len; i++) {
        if (response->fields[i].header == SIP_H_WWW_AUTHENTICATE ||
            response->fields[i].header == SIP_H_PROXY_AUTHENTICATE) {
            sip_edit_remove_field(edit, i);
        }
    }
    sip_edit_insert(edit, response->fields_end,
                    (PealStr){context->challenges, context->challenges_len});
}

/* Steps 3, 7 and 9: the response without this proxy's Via; NULL when there is no other. */
static PealBuf *response_cut(PealPeer *peer, const ProxyContext *context,
                             const SipMessage *response, PealStr *ret_bytes)
{
    char length_bytes[RESPONSE_LENGTH_MAX];
    SipText length = sip_text_make(length_bytes, sizeof(length_bytes));
    SipCursor top = {0};
    SipCursor second;
    PealBuf *buf;
    SipEdit edit;
    size_t len;

    if (!sip_next(response, SIP_H_VIA, &top)) {
        return NULL;
    }
    second = top;
    if (!sip_next(response, SIP_H_VIA, &second)) {
        return NULL;
    }
    sip_edit_init(&edit, response);
    sip_edit_remove_element(&edit, &top);
    if (context->from.transport == PEAL_TCP) {
        proxy_put_length(&length, response);
        sip_edit_insert(&edit, response->fields_end, sip_text_view(&length));
    }
    if (context->challenges_from > 1 && response_is_challenge(response->status)) {
        response_merge(&edit, context);
    }
    len = sip_edit_len(&edit);
    buf = peer->env->ops->buffer(peer->env, len);
    if (sip_edit_write(&edit, buf->data, len, &len) != 0) {
        peer->env->ops->drop(peer->env, buf);
        return NULL;
    }
    *ret_bytes = (PealStr){(const char *)buf->data, len};
    return buf;
}

/* Sends a response on, unless its server transaction is gone (RFC 6026 s.8.3). False when it has no
 * Via but this proxy's. */
static bool response_pass(PealPeer *peer, const ProxyContext *context, const SipMessage *response)
{
    PealStr bytes;
    PealBuf *buf = response_cut(peer, context, response, &bytes);

    if (buf == NULL) {
        return false;
    }
    (void)!sip_tx_answer(&peer->sip->transactions, context->server, response->status, bytes);
    peer->env->ops->drop(peer->env, buf);
    return true;
}

static void response_answered(PealPeer *peer, ProxyContext *context)
{
    context->answered = true;
    peer->sip->proxy.invites -= context->method == SIP_INVITE;
    proxy_cancel_branches(peer, context);
    proxy_context_settle(peer, context);
}

void proxy_reply(PealPeer *peer, ProxyContext *context, const SipMessage *request,
                 const SipAnswer *answer)
{
    sip_refuse(peer, context->server, request, &context->from, answer);
    response_answered(peer, context);
}

/* Is it left to the server transaction to end without an answer? RFC 4320 s.4.2: nobody may send a
 * 408 to what is not an INVITE. */
static bool response_is_silence(const ProxyContext *context, unsigned status)
{
    return context->server == 0 || (context->method != SIP_INVITE && status == 408);
}

void proxy_finish(PealPeer *peer, ProxyContext *context, const SipMessage *request)
{
    unsigned status = context->best_status != 0 ? context->best_status : 480;
    const PealStr bytes = {(const char *)context->best, context->best_len};
    SipMessage response;
    bool told;

    if (status == 404 && context->best == NULL && context->unknown && !context->asked_user &&
        peer->sip->config->users && context->server != 0) {
        context->asked_user = true;
        context->asking_user = proxy_ask_user(peer, context, request);
        if (context->asking_user) {
            return;
        }
    }
    if (context->cancelled && context->best == NULL) {
        status = 487;
    }
    told = response_is_silence(context, status) || (status != 503 && context->best != NULL &&
                                                    sip_message_scan(bytes, true, &response) == 0 &&
                                                    response_pass(peer, context, &response));
    if (told) {
        response_answered(peer, context);
        return;
    }
    /* Step 6: a 503 says something about a server further on, not about this one; but for RFC 7339
     * s.5.10, where this one kept the request back. */
    status = status == 503 && !(context->throttled && context->best == NULL) ? 500 : status;
    proxy_reply(peer, context, request, &(SipAnswer){.status = (uint16_t)status});
}

void proxy_user_is(PealPeer *peer, ProxyContext *context, int status)
{
    context->asking_user = false;
    if (status != -PEAL_E_NOT_FOUND && !context->answered) {
        context->best_status = 480; /* listed, but with no phone anywhere */
    }
    (void)peer;
}

/* A final response that is not 2xx. */
static void response_refused(PealPeer *peer, ProxyContext *context, ProxyBranch *branch,
                             const SipMessage *response)
{
    SipMessage request;

    if (!proxy_context_request(context, &request)) {
        return;
    }
    if (response->status == 503 && !branch->cancelled &&
        proxy_branch_next(peer, context, &request, (uint32_t)(branch - context->branches))) {
        return; /* RFC 3263 s.4.3 */
    }
    branch->state = BRANCH_DONE;
    branch->deadline = PEAL_TIME_NEVER;
    if (response->status == 430) {
        proxy_branch_spare(context, branch); /* RFC 5626 s.7 */
    }
    if (response->status == 487 && branch->cancelled && !context->cancelled) {
        proxy_candidate(peer, context, 408, NULL); /* this proxy lost patience, not the sender */
    } else {
        proxy_candidate(peer, context, response->status, response);
    }
    if (response->status >= 600) {
        proxy_cancel_branches(peer, context); /* step 5: held until all have ended */
    }
    proxy_advance(peer, context, &request);
}

static void response_provisional(PealPeer *peer, ProxyContext *context, ProxyBranch *branch,
                                 const SipMessage *response)
{
    branch->provisional = true;
    if (context->method == SIP_INVITE && !branch->cancelled &&
        (response->status > 100 || branch->kind == BRANCH_PEER)) {
        branch->deadline = peal_time_add(peer_now(peer), peer->sip->config->timer_c);
        proxy_context_time(peer, context);
    }
    if (response->status > 100) {
        (void)response_pass(peer, context, response);
    }
}

void proxy_on_response(PealPeer *peer, SipTx tx, uint64_t arg, const SipMessage *response)
{
    ProxyContext *context = proxy_context_of(peer, arg);
    ProxyBranch *branch = context != NULL ? proxy_branch_of(context, arg) : NULL;
    bool success = response->status >= 200 && response->status < 300;

    if (context == NULL) {
        return; /* its server transaction is gone (RFC 6026 s.8.3) */
    }
    if (success && response->code == SIP_INVITE) {
        /* Also the late ones: each is a dialog of its own (RFC 6026 s.8.1). */
        (void)response_pass(peer, context, response);
        if (!context->answered) {
            if (branch != NULL && branch->tx == tx) {
                branch->state = BRANCH_DONE;
            }
            response_answered(peer, context);
        }
    } else if (branch == NULL || branch->tx != tx || branch->state != BRANCH_CALLING) {
        return; /* nobody waits for it */
    } else if (response->status < 200) {
        response_provisional(peer, context, branch, response);
    } else if (success) {
        branch->state = BRANCH_DONE;
        (void)response_pass(peer, context, response);
        response_answered(peer, context);
    } else {
        response_refused(peer, context, branch, response);
    }
}
