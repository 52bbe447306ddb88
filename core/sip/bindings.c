/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bindings.c - AORs and bindings in memory. */
#include "sip/bindings.h"

#include "security/gate.h"
#include "sip/raw.h"
#include "sip/state.h"

enum { TABLE_FIRST = 64, HEAP_FIRST = 16, CONNS_FIRST = 16 };

static size_t binding_size(const Binding *binding)
{
    return sizeof(*binding) + binding->contact_len + (size_t)binding->path_len +
           binding->call_id_len;
}

Binding *binding_new(PealPeer *peer, const Binding *form)
{
    Binding *binding = peer_alloc(peer, binding_size(form));

    if (binding != NULL) {
        memcpy(binding, form, sizeof(*binding));
        binding->next = NULL;
    }
    return binding;
}

void binding_free(PealPeer *peer, Binding *binding)
{
    peer_release(peer, binding, binding_size(binding));
}

void bindings_init(PealPeer *peer)
{
    Registrar *registrar = &peer->sip->registrar;

    registrar->table = NULL;
    registrar->heap = NULL;
    registrar->table_len = 0;
    registrar->heap_cap = 0;
    registrar->aors = 0;
    registrar->bindings = 0;
    registrar->conns = NULL;
    registrar->conns_len = 0;
    registrar->on_conns = 0;
}

static void bindings_clear(PealPeer *peer, RegistrarAor *aor)
{
    while (aor->bindings != NULL) {
        bindings_replace(peer, aor, aor->bindings, NULL);
    }
}

void bindings_fini(PealPeer *peer)
{
    Registrar *registrar = &peer->sip->registrar;

    for (uint32_t i = 0; i < registrar->aors; i++) {
        bindings_clear(peer, registrar->heap[i]);
        peer_release(peer, registrar->heap[i], sizeof(RegistrarAor));
    }
    if (registrar->table != NULL) {
        peer_release(peer, registrar->table, registrar->table_len * sizeof(RegistrarAor *));
    }
    if (registrar->heap != NULL) {
        peer_release(peer, registrar->heap, registrar->heap_cap * sizeof(RegistrarAor *));
    }
    bindings_init(peer);
}

/* Bindings by the connection they stand on, so that its end is told to them alone. */

static Binding **conn_slot(const Registrar *registrar, uint32_t conn)
{
    return &registrar->conns[conn & (registrar->conns_len - 1)];
}

static void conns_release(PealPeer *peer)
{
    Registrar *registrar = &peer->sip->registrar;

    if (registrar->conns != NULL) {
        peer_release(peer, registrar->conns, registrar->conns_len * sizeof(Binding *));
    }
    registrar->conns = NULL;
    registrar->conns_len = 0;
}

static void conns_link(Registrar *registrar, Binding *binding)
{
    Binding **slot = conn_slot(registrar, binding->hop.conn);

    binding->conn_next = *slot;
    *slot = binding;
}

static bool conns_grow(PealPeer *peer)
{
    Registrar *registrar = &peer->sip->registrar;
    const Registrar before = *registrar;
    uint32_t fresh_len = before.conns_len == 0 ? CONNS_FIRST : 2 * before.conns_len;
    Binding **fresh;

    if (before.on_conns < before.conns_len) {
        return true;
    }
    fresh = peer_alloc(peer, fresh_len * sizeof(Binding *));
    if (fresh == NULL) {
        return before.conns != NULL;
    }
    registrar->conns = fresh;
    registrar->conns_len = fresh_len;
    for (uint32_t i = 0; i < before.conns_len; i++) {
        for (Binding *binding = before.conns[i], *next; binding != NULL; binding = next) {
            next = binding->conn_next;
            conns_link(registrar, binding);
        }
    }
    if (before.conns != NULL) {
        peer_release(peer, before.conns, before.conns_len * sizeof(Binding *));
    }
    return true;
}

/* Without memory the end of its connection is not noticed before something is sent on it. */
static void conns_add(PealPeer *peer, Binding *binding)
{
    if (binding->hop.conn != 0 && conns_grow(peer)) {
        conns_link(&peer->sip->registrar, binding);
        peer->sip->registrar.on_conns++;
    }
}

static void conns_remove(PealPeer *peer, const Binding *binding)
{
    Registrar *registrar = &peer->sip->registrar;
    Binding **at;

    if (binding->hop.conn == 0 || registrar->conns == NULL) {
        return;
    }
    at = conn_slot(registrar, binding->hop.conn);
    while (*at != NULL && *at != binding) {
        at = &(*at)->conn_next;
    }
    if (*at != NULL) {
        *at = binding->conn_next;
        if (--registrar->on_conns == 0) {
            conns_release(peer);
        }
    }
}

Binding *bindings_next_on_conn(const Registrar *registrar, uint32_t conn, const Binding *binding)
{
    Binding *next = NULL;

    if (binding != NULL) {
        next = binding->conn_next;
    } else if (registrar->conns != NULL) {
        next = *conn_slot(registrar, conn);
    }
    while (next != NULL && next->hop.conn != conn) {
        next = next->conn_next;
    }
    return next;
}

/* The table: a Resource-ID is a hash already. */

static uint32_t table_slot(uint32_t table_len, const PealId *resource)
{
    uint32_t low;

    memcpy(&low, resource->bytes, sizeof(low));
    return low & (table_len - 1);
}

RegistrarAor *bindings_aor(const Registrar *registrar, const PealId *resource)
{
    RegistrarAor *aor = NULL;

    if (registrar->table != NULL) {
        aor = registrar->table[table_slot(registrar->table_len, resource)];
    }
    while (aor != NULL && !peal_id_equal(&aor->resource, resource)) {
        aor = aor->next;
    }
    return aor;
}

static void table_insert(Registrar *registrar, RegistrarAor *aor)
{
    RegistrarAor **slot = &registrar->table[table_slot(registrar->table_len, &aor->resource)];

    aor->next = *slot;
    *slot = aor;
}

/* A chain holds one AOR on average, two at the most before the table grows. */
static bool table_grow(PealPeer *peer)
{
    Registrar *registrar = &peer->sip->registrar;
    uint32_t fresh_len = registrar->table_len == 0 ? TABLE_FIRST : 2 * registrar->table_len;
    RegistrarAor **fresh;

    if (registrar->aors < registrar->table_len) {
        return true;
    }
    fresh = peer_alloc(peer, fresh_len * sizeof(RegistrarAor *));
    if (fresh == NULL) {
        return registrar->table != NULL; /* longer chains will do */
    }
    if (registrar->table != NULL) {
        peer_release(peer, registrar->table, registrar->table_len * sizeof(RegistrarAor *));
    }
    registrar->table = fresh;
    registrar->table_len = fresh_len;
    for (uint32_t i = 0; i < registrar->aors; i++) {
        table_insert(registrar, registrar->heap[i]);
    }
    return true;
}

/* The heap of all AORs, by `due`. */

static bool heap_grow(PealPeer *peer)
{
    Registrar *registrar = &peer->sip->registrar;
    uint32_t fresh_cap = registrar->heap_cap == 0 ? HEAP_FIRST : 2 * registrar->heap_cap;
    RegistrarAor **fresh;

    if (registrar->aors < registrar->heap_cap) {
        return true;
    }
    fresh = peer_alloc(peer, fresh_cap * sizeof(RegistrarAor *));
    if (fresh == NULL) {
        return false;
    }
    if (registrar->heap != NULL) {
        memcpy(fresh, registrar->heap, registrar->aors * sizeof(RegistrarAor *));
        peer_release(peer, registrar->heap, registrar->heap_cap * sizeof(RegistrarAor *));
    }
    registrar->heap = fresh;
    registrar->heap_cap = fresh_cap;
    return true;
}

static void heap_put(Registrar *registrar, uint32_t at, RegistrarAor *aor)
{
    registrar->heap[at] = aor;
    aor->heap_at = at;
}

static void heap_up(Registrar *registrar, RegistrarAor *aor)
{
    uint32_t at = aor->heap_at;

    while (at > 0 && registrar->heap[(at - 1) / 2]->due.ns > aor->due.ns) {
        heap_put(registrar, at, registrar->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_put(registrar, at, aor);
}

static void heap_down(Registrar *registrar, RegistrarAor *aor)
{
    uint32_t at = aor->heap_at;

    for (uint32_t child = 2 * at + 1; child < registrar->aors; child = 2 * at + 1) {
        if (child + 1 < registrar->aors &&
            registrar->heap[child + 1]->due.ns < registrar->heap[child]->due.ns) {
            child++;
        }
        if (registrar->heap[child]->due.ns >= aor->due.ns) {
            break;
        }
        heap_put(registrar, at, registrar->heap[child]);
        at = child;
    }
    heap_put(registrar, at, aor);
}

void bindings_set_due(Registrar *registrar, RegistrarAor *aor, PealTime due)
{
    aor->due = due;
    heap_up(registrar, aor);
    heap_down(registrar, aor);
}

/* AORs. */

RegistrarAor *bindings_add_aor(PealPeer *peer, const PealId *resource)
{
    Registrar *registrar = &peer->sip->registrar;
    bool room = table_grow(peer) && heap_grow(peer);
    RegistrarAor *aor = room ? peer_alloc(peer, sizeof(*aor)) : NULL;

    if (aor == NULL) {
        if (registrar->aors == 0) {
            bindings_fini(peer);
        }
        return NULL;
    }
    aor->resource = *resource;
    aor->due = PEAL_TIME_NEVER;
    table_insert(registrar, aor);
    heap_put(registrar, registrar->aors++, aor);
    return aor;
}

void bindings_remove_aor(PealPeer *peer, RegistrarAor *aor)
{
    Registrar *registrar = &peer->sip->registrar;
    RegistrarAor **at = &registrar->table[table_slot(registrar->table_len, &aor->resource)];
    RegistrarAor *last = registrar->heap[--registrar->aors];

    while (*at != aor) {
        at = &(*at)->next;
    }
    *at = aor->next;
    if (last != aor) {
        heap_put(registrar, aor->heap_at, last);
        bindings_set_due(registrar, last, last->due);
    }
    bindings_clear(peer, aor);
    peer_release(peer, aor, sizeof(*aor));
    if (registrar->aors == 0) {
        bindings_fini(peer);
    }
}

/* Bindings. */

static bool uri_is(const Binding *binding, const Contact *contact)
{
    PealStr text = binding_uri(binding);
    SipUri uri;

    if (sip_equal(text, contact->uri.text)) {
        return true;
    }
    /* Only of SIP URIs is it known when two texts mean the same (19.1.4). */
    return contact->uri.scheme <= SIP_SCHEME_SIPS && raw_uri(text, &uri) == 0 &&
           uri.scheme <= SIP_SCHEME_SIPS && sip_uri_same(&uri, &contact->uri);
}

static bool flow_is(const Binding *binding, const Contact *contact)
{
    return (binding->flags & BINDING_OUTBOUND) != 0 && binding->reg_id == contact->reg_id &&
           sip_same(binding_instance(binding), contact->instance);
}

bool bindings_same(const Binding *binding, const Contact *contact, bool outbound)
{
    if (outbound && (binding->flags & BINDING_OUTBOUND) != 0) {
        return flow_is(binding, contact);
    }
    /* A phone that has begun or ceased to use outbound is not another phone. */
    return uri_is(binding, contact);
}

Binding *bindings_find(const RegistrarAor *aor, const Contact *contact, bool outbound)
{
    Binding *by_uri = NULL;

    for (Binding *binding = aor->bindings; binding != NULL; binding = binding->next) {
        if (outbound && flow_is(binding, contact)) {
            return binding;
        }
        if (by_uri == NULL && bindings_same(binding, contact, outbound)) {
            by_uri = binding;
        }
    }
    return by_uri;
}

void bindings_replace(PealPeer *peer, RegistrarAor *aor, Binding *old, Binding *fresh)
{
    Registrar *registrar = &peer->sip->registrar;
    Binding **at = &aor->bindings;

    while (*at != old) {
        at = &(*at)->next;
    }
    if (fresh != NULL) {
        conns_add(peer, fresh);
        gate_vouch(peer, &fresh->hop.addr, fresh->expires_at);
        fresh->next = old != NULL ? old->next : NULL;
        *at = fresh;
        aor->bindings_len++;
        registrar->bindings++;
    } else if (old != NULL) {
        *at = old->next;
    }
    if (old != NULL) {
        aor->bindings_len--;
        registrar->bindings--;
        conns_remove(peer, old);
        binding_free(peer, old);
    }
}

void bindings_expire(PealPeer *peer, RegistrarAor *aor, PealTime now)
{
    Binding *next;

    for (Binding *binding = aor->bindings; binding != NULL; binding = next) {
        next = binding->next;
        if (peal_time_due(binding->expires_at, now)) {
            bindings_replace(peer, aor, binding, NULL);
        }
    }
}

PealTime bindings_latest(const RegistrarAor *aor)
{
    PealTime latest = {0};

    for (const Binding *binding = aor->bindings; binding != NULL; binding = binding->next) {
        latest.ns = binding->expires_at.ns > latest.ns ? binding->expires_at.ns : latest.ns;
    }
    return latest;
}

PealTime bindings_earliest(const RegistrarAor *aor)
{
    PealTime earliest = PEAL_TIME_NEVER;

    for (const Binding *binding = aor->bindings; binding != NULL; binding = binding->next) {
        earliest = peal_time_min(earliest, binding->expires_at);
    }
    return earliest;
}
