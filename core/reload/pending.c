/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pending.c - requests out, answers back; see request.h and pending.h. */
#include "reload/pending.h"

#include "peer.h"
#include "reload/codec.h"
#include "reload/forward.h"
#include "reload/redundant.h"
#include "security/puzzle.h"
#include "security/security.h"

/* Body and options stand behind the struct, in the same block; before them a Redundant, where the
 * request goes several ways. */
struct PendingRequest {
    PendingRequest *next;
    uint64_t transaction;
    uint64_t arg;
    RequestDone done;
    PealTime resend_at;
    PealTime ends_at;
    PealId to;
    PealId through;
    PealFlow flow; /* the link it is bound to, when has_link */
    uint32_t body_len;
    uint16_t options_len;
    uint16_t code;
    uint8_t sends;
    bool to_resource : 1;
    bool has_through : 1;
    bool has_link : 1;
    bool redundant : 1;
    _Alignas(8) uint8_t bytes[];
};

enum {
    DEST_LIST_MAX = 2 * RELOAD_RESOURCE_ENTRY_LEN,
    VIA_STEP = RELOAD_NODE_ENTRY_LEN,
    COPIED_OPTIONS_MAX = 1024 /* bytes; an answer that would need more is too large */
};

void pending_init(PealPeer *peer)
{
    peer->pending = (Pending){.deadline = PEAL_TIME_NEVER};
}

static size_t ways_size(bool redundant)
{
    return redundant ? sizeof(Redundant) : 0;
}

static size_t request_size(const PendingRequest *request)
{
    return sizeof(*request) + ways_size(request->redundant) + request->body_len +
           request->options_len;
}

/* Of a request that is redundant. */
static Redundant *redundant_of(PendingRequest *request)
{
    return (Redundant *)(void *)request->bytes;
}

static uint8_t *request_body(PendingRequest *request)
{
    return request->bytes + ways_size(request->redundant);
}

static void request_release(PealPeer *peer, PendingRequest *request)
{
    if (request->redundant) {
        redundant_fini(peer, redundant_of(request));
    }
    peer_release(peer, request, request_size(request));
}

void pending_fini(PealPeer *peer)
{
    Pending *pending = &peer->pending;

    while (pending->first != NULL) {
        PendingRequest *request = pending->first;

        pending->first = request->next;
        request_release(peer, request);
    }
    for (uint16_t i = 0; i < pending->local_len; i++) {
        peer->env->ops->drop(peer->env, pending->local[i]);
    }
    if (pending->local != NULL) {
        peer_release(peer, pending->local, pending->local_cap * sizeof(*pending->local));
    }
    pending_init(peer);
}

PealBuf *pending_compose(PealPeer *peer, const PendingDraft *draft)
{
    const ReloadHeader header = {.overlay = peer->overlay->hash,
                                 .config_sequence = peer->overlay->config_sequence,
                                 .ttl = peer->overlay->initial_ttl,
                                 .transaction = draft->transaction,
                                 .dest = draft->dest,
                                 .options = draft->options};
    uint8_t identity[SECURITY_IDENTITY_LEN];
    ReloadSecurity security = security_fill(peer->overlay->crypto, &peer->id, identity);
    size_t need = (size_t)RELOAD_HEADER_LEN + draft->dest.len + draft->options.len + 10 +
                  draft->body.len + draft->extensions.len + security_len(peer->overlay->crypto);
    PealBuf *buf;
    Writer writer;
    ReloadDraft start;

    if (need > peer->overlay->message_max) {
        return NULL;
    }
    buf = peer->env->ops->buffer(peer->env, RELOAD_DATA_FRAME_LEN + need + FORWARD_VIA_ROOM);
    writer = writer_make(buf->data + RELOAD_DATA_FRAME_LEN, need);
    start = reload_message_begin(&writer, &header, draft->code);
    put_bytes(&writer, draft->body);
    (void)reload_message_contents(&writer, &start, draft->extensions);
    reload_message_security(&writer, &start, &security);
    PEAL_ASSERT(!writer.overflow);
    buf->len = (uint32_t)(RELOAD_DATA_FRAME_LEN + writer.len);
    return buf;
}

/* through  a Node-ID to route it through first, or NULL */
static int transmit_way(PealPeer *peer, PendingRequest *request, const PealId *through)
{
    uint8_t dest[DEST_LIST_MAX];
    uint8_t extension[PUZZLE_EXTENSION_LEN];
    Writer writer = writer_make(dest, sizeof(dest));
    Writer extensions = writer_make(extension, sizeof(extension));
    uint16_t link = LINK_NONE;
    PealBuf *buf;

    if (through != NULL) {
        put_dest_node(&writer, through);
    }
    if (request->to_resource) {
        put_dest_resource(&writer, &request->to);
    } else {
        put_dest_node(&writer, &request->to);
    }
    if (request->has_link) {
        if (!link_valid(&peer->links, request->flow)) {
            return -PEAL_E_UNREACHABLE;
        }
        link = request->flow.index;
    }
    puzzle_put(peer, request->code, &extensions);
    buf = pending_compose(peer, &(PendingDraft){
                                    .transaction = request->transaction,
                                    .code = request->code,
                                    .dest = writer_view(&writer),
                                    .options = {request_body(request) + request->body_len,
                                                request->options_len},
                                    .body = {request_body(request), request->body_len},
                                    .extensions = writer_view(&extensions),
                                });
    if (buf == NULL) {
        return -PEAL_E_TOO_LARGE;
    }
    return forward_own_take(peer, link, buf);
}

/* Sends a request, for the first time or again: routes may have changed since. */
static int transmit(PealPeer *peer, PendingRequest *request)
{
    Redundant *redundant;
    int error = 0;

    if (!request->redundant) {
        return transmit_way(peer, request, request->has_through ? &request->through : NULL);
    }
    redundant = redundant_of(request);
    redundant_choose(peer, redundant, &request->to, request->sends - 1u);
    if (redundant->ways == 0) {
        return transmit_way(peer, request, NULL);
    }
    for (unsigned i = 0; i < redundant->ways && error != -PEAL_E_TOO_LARGE; i++) {
        error = transmit_way(peer, request, &redundant->through[i]);
    }
    return error;
}

static PendingRequest *request_new(PealPeer *peer, const RequestSpec *spec)
{
    bool redundant = spec->good != NULL && peer->overlay->defence.redundant_lookups > 1;
    PendingRequest *request = peer_alloc(peer, sizeof(*request) + ways_size(redundant) +
                                                   spec->body.len + spec->options.len);

    if (request == NULL) {
        return NULL;
    }
    request->redundant = redundant;
    if (redundant) {
        redundant_of(request)->good = spec->good;
    }
    request->code = (uint16_t)spec->code;
    request->to = spec->to;
    request->to_resource = spec->to_resource;
    if (spec->through != NULL) {
        request->has_through = true;
        request->through = *spec->through;
    }
    if (spec->link != LINK_NONE) {
        request->has_link = true;
        request->flow = (PealFlow){spec->link, link_at(&peer->links, spec->link)->generation};
    }
    request->done = spec->done;
    request->arg = spec->arg;
    request->body_len = (uint32_t)spec->body.len;
    request->options_len = (uint16_t)spec->options.len;
    if (spec->body.len > 0) {
        memcpy(request_body(request), spec->body.ptr, spec->body.len);
    }
    if (spec->options.len > 0) {
        memcpy(request_body(request) + spec->body.len, spec->options.ptr, spec->options.len);
    }
    return request;
}

static void watch(PealPeer *peer, PealTime at)
{
    if (at.ns < peer->pending.deadline.ns) {
        peer->pending.deadline = at;
        peer_wake_by(peer, at);
    }
}

static PendingRequest **find(Pending *pending, uint64_t transaction)
{
    PendingRequest **at = &pending->first;

    while (*at != NULL && (*at)->transaction != transaction) {
        at = &(*at)->next;
    }
    return at;
}

static void forget(PealPeer *peer, PendingRequest **at)
{
    PendingRequest *request = *at;

    *at = request->next;
    peer->pending.requests_len--;
    request_release(peer, request);
}

void request_cancel(PealPeer *peer, RequestDone done, uint64_t arg)
{
    PendingRequest **at = &peer->pending.first;

    while (*at != NULL) {
        if ((*at)->done == done && (*at)->arg == arg) {
            forget(peer, at);
        } else {
            at = &(*at)->next;
        }
    }
}

/* The next transmission, or after the last the end. */
static PealTime next_timer(const PealPeer *peer, const PendingRequest *request, PealTime now)
{
    PealTime resend_at = peal_time_add(now, peer->overlay->request_timeout);

    return request->sends < peer->overlay->request_sends
               ? peal_time_min(resend_at, request->ends_at)
               : request->ends_at;
}

/* A request that cannot even be sent now stays: a route may come before its last try. */
int request_send(PealPeer *peer, const RequestSpec *spec)
{
    Pending *pending = &peer->pending;
    PendingRequest *request;

    if (pending->requests_len == PENDING_MAX) {
        return -PEAL_E_FULL;
    }
    if (spec->body.len + spec->options.len >= peer->overlay->message_max) {
        return -PEAL_E_TOO_LARGE;
    }
    request = request_new(peer, spec);
    if (request == NULL) {
        return -PEAL_E_FULL;
    }
    request->transaction = peer_random(peer, PEAL_DRAW_TRANSACTION);
    request->next = pending->first;
    pending->first = request;
    pending->requests_len++;
    request->sends = 1;
    request->ends_at = peal_time_add(peer_now(peer), peer->overlay->request_lifetime);
    request->resend_at = next_timer(peer, request, peer_now(peer));
    watch(peer, request->resend_at);
    peer_trace(peer, PEAL_TRACE_REQUEST_SENT, request->code, 0, request->transaction, &request->to);
    if (transmit(peer, request) == -PEAL_E_TOO_LARGE) {
        forget(peer, find(pending, request->transaction));
        return -PEAL_E_TOO_LARGE;
    }
    return 0;
}

/* Takes a request off the list and says what became of it. */
static void finish(PealPeer *peer, PendingRequest **at, const RequestResult *result)
{
    PendingRequest *request = *at;

    *at = request->next;
    peer->pending.requests_len--;
    if (result->status != 0) {
        peer_trace(peer, PEAL_TRACE_REQUEST_FAILED, request->code, (uint32_t)-result->status,
                   request->transaction, &request->to);
    }
    if (request->done != NULL) {
        request->done(peer, request->arg, result);
    }
    request_release(peer, request);
}

/* The requester cannot know the way, so an error from on the way is one failed try, not an answer
 * (s.6.3.4). */
static bool from_on_the_way(uint16_t error)
{
    return error == RELOAD_ERROR_TTL_EXCEEDED || error == RELOAD_ERROR_MESSAGE_TOO_LARGE ||
           error == RELOAD_ERROR_UNSUPPORTED_FORWARDING_OPTION;
}

/* s.6.3.4: who may answer. */
static bool plausible(const PealPeer *peer, const PendingRequest *request, const PealId *signer)
{
    if (request->to_resource) {
        /* Asked by way of a given link, as a bootstrap peer: its part of the overlay may know
         * nobody nearer than this peer does (s.10.7.4.4). */
        return request->has_link || peer->topology->plausible(peer, &request->to, signer);
    }
    return peal_id_equal(&request->to, signer) || peal_id_is_wildcard(&request->to);
}

void pending_on_answer(PealPeer *peer, const Inbound *answer)
{
    const ReloadMessage *message = &answer->message;
    PendingRequest **at = find(&peer->pending, message->header.transaction);
    RequestResult result = {.transaction = message->header.transaction, .answer = answer};
    ReloadErrorRes error;

    if (*at == NULL) {
        peer_drop(peer, PEAL_DROP_STALE, message->code, message->header.transaction);
        return;
    }
    if (message->code == RELOAD_ERROR) {
        if (reload_error_decode(message->body, &error) != 0) {
            peer_drop(peer, PEAL_DROP_MALFORMED, message->code, message->header.transaction);
            return;
        }
        if (from_on_the_way(error.code)) {
            return;
        }
        result.status = -PEAL_E_REFUSED;
        result.error = error.code;
    } else if (message->code != (*at)->code + 1) {
        peer_drop(peer, PEAL_DROP_MALFORMED, message->code, message->header.transaction);
        return;
    }
    if (!plausible(peer, *at, &answer->signer)) {
        peer_drop(peer, PEAL_DROP_SIGNATURE, message->code, message->header.transaction);
        if ((*at)->to_resource) {
            const PealId resource = (*at)->to;

            peer->topology->doubt(peer, &resource, &answer->signer);
        }
        return;
    }
    if (!(*at)->redundant || redundant_settles(peer, redundant_of(*at), &(*at)->to, &result)) {
        finish(peer, at, &result);
    }
}

/* The destination list of an answer: the node the request came from, then its via list backwards
 * (s.6.2.2). */
static size_t reverse_path(const PealPeer *peer, const Inbound *request, uint8_t *ret_dest,
                           size_t cap)
{
    Writer writer = writer_make(ret_dest, cap);
    PealBytes via = request->message.header.via;
    size_t len;

    if (request->link == LINK_NONE) {
        put_dest_node(&writer, &peer->id);
    } else {
        put_dest_node(&writer, &link_at(&peer->links, request->link)->id);
    }
    len = writer.len + via.len;
    if (writer.overflow || len > cap) {
        return 0;
    }
    /* Entries differ in length, so they are laid down from the back. */
    for (size_t end = len; via.len > 0;) {
        size_t entry = wire_entry_len(via.ptr);

        end -= entry;
        memcpy(ret_dest + end, via.ptr, entry);
        via = (PealBytes){via.ptr + entry, via.len - entry};
    }
    return len;
}

/* s.6.3.2.3: options that ask for it come back in the answer, their flags cleared. */
static void copy_options(Writer *writer, PealBytes options)
{
    ReloadOption option;

    while (reload_option_next(&options, &option)) {
        if ((option.flags & RELOAD_OPTION_RESPONSE_COPY) != 0) {
            option.flags = 0;
            put_option(writer, &option);
        }
    }
}

static void answer_with(PealPeer *peer, const Inbound *request, uint16_t code, PealBytes body)
{
    const ReloadHeader *header = &request->message.header;
    uint8_t dest[(UINT8_MAX + 1) * VIA_STEP];
    uint8_t options[COPIED_OPTIONS_MAX];
    size_t dest_len = reverse_path(peer, request, dest, sizeof(dest));
    Writer copied = writer_make(options, sizeof(options));
    PealBuf *buf = NULL;

    copy_options(&copied, header->options);
    if (dest_len > 0 && !copied.overflow) {
        buf = pending_compose(peer, &(PendingDraft){.transaction = header->transaction,
                                                    .code = code,
                                                    .dest = {dest, dest_len},
                                                    .options = writer_view(&copied),
                                                    .body = body});
    }
    if (buf == NULL || (header->max_response_length != 0 && code != RELOAD_ERROR &&
                        buf->len - RELOAD_DATA_FRAME_LEN > header->max_response_length)) {
        if (buf != NULL) {
            peer->env->ops->drop(peer->env, buf);
        }
        if (code != RELOAD_ERROR) {
            request_refuse(peer, request, RELOAD_ERROR_RESPONSE_TOO_LARGE, (PealBytes){NULL, 0});
        }
        return;
    }
    (void)!forward_own_take(peer, request->link, buf);
}

void request_answer(PealPeer *peer, const Inbound *request, PealBytes body)
{
    answer_with(peer, request, (uint16_t)(request->message.code + 1), body);
}

void request_refuse(PealPeer *peer, const Inbound *request, ReloadErrorCode error, PealBytes info)
{
    const ReloadErrorRes res = {.code = (uint16_t)error, .info = info};
    uint8_t body[1024];
    Writer writer = writer_make(body, sizeof(body));

    put_error(&writer, &res);
    if (!writer.overflow) {
        answer_with(peer, request, RELOAD_ERROR, writer_view(&writer));
    }
}

int pending_local_take(PealPeer *peer, PealBuf *buf)
{
    Pending *pending = &peer->pending;

    if (pending->local_len == PENDING_LOCAL_MAX ||
        peer_grow(peer, &pending->local, &pending->local_cap, pending->local_len + 1u,
                  sizeof(*pending->local)) != 0) {
        peer->env->ops->drop(peer->env, buf);
        return -PEAL_E_FULL;
    }
    pending->local[pending->local_len++] = buf;
    watch(peer, peer_now(peer));
    return 0;
}

/* What these messages cause goes into the next round. */
static void serve_local(PealPeer *peer)
{
    Pending *pending = &peer->pending;
    PealBuf **local = pending->local;
    uint32_t cap = pending->local_cap;
    uint16_t len = pending->local_len;

    if (len == 0) {
        return;
    }
    pending->local = NULL;
    pending->local_cap = 0;
    pending->local_len = 0;
    for (uint16_t i = 0; i < len; i++) {
        forward_local_take(peer, local[i]);
    }
    peer_release(peer, local, cap * sizeof(*local));
}

/* Tries again or gives up. Returns whether the request is still there. */
static bool on_timer(PealPeer *peer, PendingRequest **at, PealTime now)
{
    PendingRequest *request = *at;
    bool bound_to_nothing = request->has_link && !link_valid(&peer->links, request->flow);
    RequestResult held = {.transaction = request->transaction};

    if (request->redundant && redundant_held(redundant_of(request), &held)) {
        finish(peer, at, &held);
        return false;
    }
    if (bound_to_nothing || peal_time_due(request->ends_at, now)) {
        finish(peer, at,
               &(RequestResult){.status = bound_to_nothing ? -PEAL_E_UNREACHABLE : -PEAL_E_TIMEOUT,
                                .transaction = request->transaction});
        return false;
    }
    request->sends++;
    request->resend_at = next_timer(peer, request, now);
    peer_trace(peer, PEAL_TRACE_REQUEST_RESENT, request->code, request->sends, request->transaction,
               &request->to);
    (void)!transmit(peer, request);
    return true;
}

/* `done` may send requests and cancel others, so the walk starts over after each that ended. */
void pending_on_wake(PealPeer *peer, PealTime now)
{
    Pending *pending = &peer->pending;
    PendingRequest **at;

    if (!peal_time_due(pending->deadline, now)) {
        return;
    }
    pending->deadline = PEAL_TIME_NEVER;
    serve_local(peer);
    at = &pending->first;
    while (*at != NULL) {
        if (!peal_time_due((*at)->resend_at, now) || on_timer(peer, at, now)) {
            at = &(*at)->next;
        } else {
            at = &pending->first;
        }
    }
    for (const PendingRequest *request = pending->first; request != NULL; request = request->next) {
        pending->deadline = peal_time_min(pending->deadline, request->resend_at);
    }
    if (pending->local_len > 0) {
        pending->deadline = now;
    }
}
