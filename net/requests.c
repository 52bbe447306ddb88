/* SPDX-License-Identifier: GPL-3.0-or-later */
/* requests.c - requests of people to the overlay, and whom their outcomes are for; see node.h. */
#include "node_state.h"

struct NodeRequest {
    NodeDone done; /* NULL: forgotten */
    void *user;
    PealTime since;
    uint64_t token; /* its key in node->requests */
    NodeOutcome outcome;
    GByteArray *body;
    GList link; /* in node->outcomes */
};

static void request_free(gpointer data)
{
    NodeRequest *request = data;

    g_clear_pointer(&request->body, g_byte_array_unref);
    g_free(request);
}

/* NULL when the overlay cannot be asked. */
static NodeRequest *request_begin(Node *node, NodeDone done, void *user)
{
    NodeRequest *request;

    if (node->peer == NULL || node->leaving) {
        return NULL;
    }
    loop_refresh(node->loop);
    request = g_new0(NodeRequest, 1);
    request->done = done;
    request->user = user;
    request->since = loop_now(node->loop);
    request->token = ++node->tokens;
    request->link.data = request;
    return request;
}

/* Keeps a request that the peer has taken, or not. */
static int request_keep(Node *node, NodeRequest *request, int status)
{
    if (status != 0) {
        request_free(request);
        return status;
    }
    g_hash_table_insert(node->requests, &request->token, request);
    net_env_catch_up(node->env);
    return 0;
}

void requests_on_done(Node *node, uint64_t token, const PealOutcome *outcome)
{
    NodeRequest *request = g_hash_table_lookup(node->requests, &token);

    if (request == NULL) {
        return;
    }
    request->outcome = (NodeOutcome){.status = outcome->status,
                                     .error_code = outcome->error_code,
                                     .values = outcome->values,
                                     .responder = outcome->responder,
                                     .took = peal_time_since(loop_now(node->loop), request->since)};
    request->body = g_byte_array_new();
    g_byte_array_append(request->body, outcome->body.ptr, (guint)outcome->body.len);
    g_hash_table_remove(node->requests, &token);
    g_queue_push_tail_link(&node->outcomes, &request->link);
    loop_need_turn(node->loop);
}

static void tell(Node *node)
{
    guint len = node->outcomes.length; /* what comes meanwhile is told in the next turn */

    for (guint i = 0; i < len; i++) {
        GList *link = g_queue_pop_head_link(&node->outcomes);
        NodeRequest *request = link->data;

        request->outcome.body = (PealBytes){request->body->data, request->body->len};
        if (request->done != NULL) {
            request->done(request->user, &request->outcome);
        }
        request_free(request);
    }
}

static void turn_end(void *user)
{
    tell(user);
}

void requests_init(Node *node)
{
    /* Requests are freed by hand: they move to the outcomes. */
    node->requests = g_hash_table_new(g_int64_hash, g_int64_equal);
    loop_at_turn_end(node->loop, turn_end, node);
}

void requests_fini(Node *node)
{
    const PealOutcome gone = {.status = -PEAL_E_STATE};
    g_autoptr(GList) tokens = NULL;

    if (node->requests == NULL) {
        return;
    }
    tokens = g_hash_table_get_keys(node->requests);
    for (const GList *token = tokens; token != NULL; token = token->next) {
        requests_on_done(node, *(const uint64_t *)token->data, &gone);
    }
    tell(node);
    loop_not_at_turn_end(node->loop, turn_end, node);
    g_clear_pointer(&node->requests, g_hash_table_unref);
}

int node_fetch(Node *node, const PealId *resource, uint32_t kind, NodeDone done, void *user)
{
    NodeRequest *request = request_begin(node, done, user);

    return request == NULL
               ? -PEAL_E_STATE
               : request_keep(node, request,
                              peal_peer_fetch(node->peer, resource, kind, request->token));
}

int node_store(Node *node, const PealStoreItem *item, NodeDone done, void *user)
{
    NodeRequest *request = request_begin(node, done, user);

    return request == NULL
               ? -PEAL_E_STATE
               : request_keep(node, request, peal_peer_store(node->peer, item, request->token));
}

int node_register(Node *node, PealStr aor, uint32_t expires_s, NodeDone done, void *user)
{
    NodeRequest *request = request_begin(node, done, user);

    return request == NULL
               ? -PEAL_E_STATE
               : request_keep(node, request,
                              peal_peer_register(node->peer, aor, expires_s, request->token));
}

int node_unregister(Node *node, PealStr aor, NodeDone done, void *user)
{
    NodeRequest *request = request_begin(node, done, user);

    return request == NULL
               ? -PEAL_E_STATE
               : request_keep(node, request, peal_peer_unregister(node->peer, aor, request->token));
}

int node_ping(Node *node, const PealId *to, bool resource, NodeDone done, void *user)
{
    NodeRequest *request = request_begin(node, done, user);

    return request == NULL ? -PEAL_E_STATE
                           : request_keep(node, request,
                                          peal_peer_ping(node->peer, to, resource, request->token));
}

void node_forget(Node *node, void *user)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, node->requests);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        NodeRequest *request = value;

        request->done = request->user == user ? NULL : request->done;
    }
    for (GList *link = node->outcomes.head; link != NULL; link = link->next) {
        NodeRequest *request = link->data;

        request->done = request->user == user ? NULL : request->done;
    }
}

int node_bind(Node *node, PealStr aor, PealStr contact, uint32_t expires_s, NodeDone done,
              void *user)
{
    NodeRequest *request = request_begin(node, done, user);

    return request == NULL
               ? -PEAL_E_STATE
               : request_keep(node, request,
                              peal_peer_bind(node->peer, aor, contact, expires_s, request->token));
}
