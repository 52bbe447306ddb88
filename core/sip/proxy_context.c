/* SPDX-License-Identifier: GPL-3.0-or-later */
/* proxy_context.c - response contexts: their memory, their names and their deadlines. */
#include "sip/proxy_state.h"

enum {
    CONTEXT_GENERATION_MASK = 0xffffff,
    CONTEXT_NUMBER_BITS = 24,
    CONTEXT_NUMBERS = 1 << CONTEXT_NUMBER_BITS,
    CONTEXT_BRANCH_BITS = 8,
    CONTEXT_NOT_IN_HEAP = UINT32_MAX,
    CONTEXT_CAP_FIRST = 16
};

void proxy_init(PealPeer *peer)
{
    peer->sip->proxy = (Proxy){.deadline = PEAL_TIME_NEVER};
}

static void context_release_tables(PealPeer *peer)
{
    Proxy *proxy = &peer->sip->proxy;

    if (proxy->cap > 0) {
        peer_release(peer, proxy->contexts, proxy->cap * sizeof(*proxy->contexts));
        peer_release(peer, proxy->free, proxy->cap * sizeof(*proxy->free));
        peer_release(peer, proxy->heap, proxy->cap * sizeof(*proxy->heap));
    }
    proxy->contexts = NULL;
    proxy->free = NULL;
    proxy->heap = NULL;
    proxy->cap = 0;
}

void proxy_fini(PealPeer *peer)
{
    Proxy *proxy = &peer->sip->proxy;

    for (uint32_t i = 0; proxy->contexts_len > 0 && i < proxy->cap; i++) {
        if (proxy->contexts[i] != NULL) {
            proxy_context_free(peer, proxy->contexts[i]);
        }
    }
    context_release_tables(peer);
    proxy_init(peer);
}

/* Room for one more: the three tables grow together. */
static int context_grow(PealPeer *peer)
{
    Proxy *proxy = &peer->sip->proxy;
    uint32_t cap = proxy->cap;
    uint32_t more = cap == 0 ? CONTEXT_CAP_FIRST : 2 * cap; /* up to CONTEXT_NUMBERS */
    Proxy larger = {.contexts = peer_alloc(peer, more * sizeof(*larger.contexts)),
                    .free = peer_alloc(peer, more * sizeof(*larger.free)),
                    .heap = peer_alloc(peer, more * sizeof(*larger.heap)),
                    .cap = more};

    if (larger.contexts == NULL || larger.free == NULL || larger.heap == NULL) {
        if (larger.contexts != NULL) {
            peer_release(peer, larger.contexts, more * sizeof(*larger.contexts));
        }
        if (larger.free != NULL) {
            peer_release(peer, larger.free, more * sizeof(*larger.free));
        }
        if (larger.heap != NULL) {
            peer_release(peer, larger.heap, more * sizeof(*larger.heap));
        }
        return -PEAL_E_MEMORY;
    }
    if (cap > 0) {
        memcpy(larger.contexts, proxy->contexts, cap * sizeof(*larger.contexts));
        memcpy(larger.heap, proxy->heap, proxy->heap_len * sizeof(*larger.heap));
    }
    for (uint32_t i = cap; i < more; i++) {
        larger.free[more - 1 - i] = i; /* all older ones are taken: the lowest comes first */
    }
    context_release_tables(peer);
    proxy->contexts = larger.contexts;
    proxy->free = larger.free;
    proxy->heap = larger.heap;
    proxy->cap = more;
    return 0;
}

ProxyContext *proxy_context_new(PealPeer *peer, SipTx server, const SipMessage *request,
                                const PealHop *from)
{
    Proxy *proxy = &peer->sip->proxy;
    ProxyContext *context;

    /* A server transaction each has a place already; an ACK has not. */
    if (proxy->contexts_len >=
            (server != 0 ? CONTEXT_NUMBERS : peer->sip->config->transactions_max) ||
        (proxy->contexts_len == proxy->cap && context_grow(peer) != 0)) {
        return NULL;
    }
    context = peer_alloc(peer, sizeof(*context));
    if (context == NULL) {
        return NULL;
    }
    context->request_len = (uint32_t)sip_message_packed_len(request);
    context->request = peer_alloc(peer, context->request_len);
    if (context->request == NULL) {
        peer_release(peer, context, sizeof(*context));
        return NULL;
    }
    sip_message_pack(request, context->request);
    context->number = proxy->free[proxy->cap - proxy->contexts_len - 1];
    proxy->generation = (proxy->generation + 1) & CONTEXT_GENERATION_MASK;
    proxy->generation += proxy->generation == 0; /* a handle is never 0 */
    context->generation = proxy->generation;
    context->server = server;
    context->from = *from;
    context->method = request->code;
    context->deadline = PEAL_TIME_NEVER;
    context->group_at = PEAL_TIME_NEVER;
    context->patience_at = PEAL_TIME_NEVER;
    context->group_q = UINT16_MAX;
    context->heap_at = CONTEXT_NOT_IN_HEAP;
    proxy->contexts[context->number] = context;
    proxy->contexts_len++;
    proxy->invites += context->method == SIP_INVITE;
    return context;
}

static void context_release_branch(PealPeer *peer, ProxyBranch *branch)
{
    proxy_branch_drop_text(peer, branch);
    if (branch->alternatives != NULL) {
        peer_release(peer, branch->alternatives,
                     PROXY_ALTERNATIVES_MAX * sizeof(*branch->alternatives));
        branch->alternatives = NULL;
    }
}

void proxy_context_settle(PealPeer *peer, ProxyContext *context)
{
    for (uint32_t i = 0; i < context->branches_len; i++) {
        context_release_branch(peer, &context->branches[i]);
    }
    if (context->branches_cap > 0) {
        peer_release(peer, context->branches, context->branches_cap * sizeof(*context->branches));
    }
    if (context->request != NULL) {
        peer_release(peer, context->request, context->request_len);
    }
    if (context->best != NULL) {
        peer_release(peer, context->best, context->best_len);
    }
    if (context->challenges != NULL) {
        peer_release(peer, context->challenges, PROXY_CHALLENGES_MAX);
    }
    context->branches = NULL;
    context->branches_len = 0;
    context->branches_cap = 0;
    context->request = NULL;
    context->best = NULL;
    context->challenges = NULL;
    context->group_at = PEAL_TIME_NEVER;
    context->patience_at = PEAL_TIME_NEVER;
    proxy_context_time(peer, context);
}

void proxy_context_free(PealPeer *peer, ProxyContext *context)
{
    Proxy *proxy = &peer->sip->proxy;

    proxy->invites -= context->method == SIP_INVITE && !context->answered;
    proxy_context_settle(peer, context);
    proxy->contexts[context->number] = NULL;
    proxy->contexts_len--;
    proxy->free[proxy->cap - proxy->contexts_len - 1] = context->number;
    peer_release(peer, context, sizeof(*context));
    if (proxy->contexts_len == 0) {
        context_release_tables(peer);
    }
}

/* Names. */

uint64_t proxy_handle(const ProxyContext *context, uint32_t branch)
{
    return (uint64_t)context->generation << (CONTEXT_NUMBER_BITS + CONTEXT_BRANCH_BITS) |
           (uint64_t)context->number << CONTEXT_BRANCH_BITS | branch;
}

ProxyContext *proxy_context_of(PealPeer *peer, uint64_t handle)
{
    const Proxy *proxy = &peer->sip->proxy;
    uint64_t number = handle >> CONTEXT_BRANCH_BITS & ((UINT64_C(1) << CONTEXT_NUMBER_BITS) - 1);
    ProxyContext *context = number < proxy->cap ? proxy->contexts[number] : NULL;

    if (context == NULL ||
        context->generation != handle >> (CONTEXT_NUMBER_BITS + CONTEXT_BRANCH_BITS)) {
        return NULL;
    }
    return context;
}

ProxyBranch *proxy_branch_of(ProxyContext *context, uint64_t handle)
{
    uint64_t index = handle & ((UINT64_C(1) << CONTEXT_BRANCH_BITS) - 1);

    return index < context->branches_len ? &context->branches[index] : NULL;
}

bool proxy_context_request(const ProxyContext *context, SipMessage *ret_request)
{
    if (context->request == NULL) {
        return false;
    }
    sip_message_unpack(context->request, ret_request);
    return true;
}

/* Deadlines: a heap, since thousands of calls may ring. */

static void heap_put(Proxy *proxy, uint32_t at, ProxyContext *context)
{
    proxy->heap[at] = context;
    context->heap_at = at;
}

static void heap_up(Proxy *proxy, uint32_t at)
{
    ProxyContext *context = proxy->heap[at];

    while (at > 0 && proxy->heap[(at - 1) / 2]->deadline.ns > context->deadline.ns) {
        heap_put(proxy, at, proxy->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_put(proxy, at, context);
}

static void heap_down(Proxy *proxy, uint32_t at)
{
    ProxyContext *context = proxy->heap[at];

    for (uint32_t child = 2 * at + 1; child < proxy->heap_len; child = 2 * at + 1) {
        if (child + 1 < proxy->heap_len &&
            proxy->heap[child + 1]->deadline.ns < proxy->heap[child]->deadline.ns) {
            child++;
        }
        if (proxy->heap[child]->deadline.ns >= context->deadline.ns) {
            break;
        }
        heap_put(proxy, at, proxy->heap[child]);
        at = child;
    }
    heap_put(proxy, at, context);
}

static void heap_remove(Proxy *proxy, ProxyContext *context)
{
    uint32_t at = context->heap_at;
    ProxyContext *last = proxy->heap[--proxy->heap_len];

    context->heap_at = CONTEXT_NOT_IN_HEAP;
    if (last != context) {
        heap_put(proxy, at, last);
        heap_up(proxy, at);
        heap_down(proxy, last->heap_at);
    }
}

void proxy_context_time(PealPeer *peer, ProxyContext *context)
{
    Proxy *proxy = &peer->sip->proxy;
    PealTime at = peal_time_min(context->group_at, context->patience_at);

    for (uint32_t i = 0; i < context->branches_len; i++) {
        at = peal_time_min(at, context->branches[i].deadline);
    }
    context->deadline = at;
    if (at.ns == PEAL_TIME_NEVER.ns) {
        if (context->heap_at != CONTEXT_NOT_IN_HEAP) {
            heap_remove(proxy, context);
        }
    } else if (context->heap_at == CONTEXT_NOT_IN_HEAP) {
        heap_put(proxy, proxy->heap_len++, context);
        heap_up(proxy, context->heap_at);
    } else {
        heap_up(proxy, context->heap_at);
        heap_down(proxy, context->heap_at);
    }
    proxy->deadline = proxy->heap_len > 0 ? proxy->heap[0]->deadline : PEAL_TIME_NEVER;
}
