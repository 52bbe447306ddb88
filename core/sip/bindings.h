/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bindings.h - the registrar's memory: AORs by Resource-ID and by their next expiry, and what is
 * bound
 *              to each.
 * Source: RFC 3261 s.10.3, RFC 5626 s.6.
 * State:  80 bytes an AOR and as many a binding plus its texts, and about 24 bytes an AOR for the
 *         hash table and the heap.
 * Time:   an AOR's `due` is never later than the expiry of its first binding to expire.
 */
#ifndef SIP_BINDINGS_H
#define SIP_BINDINGS_H

#include "sip/contact.h"
#include "sip/registrar.h"

typedef enum BindingFlag {
    BINDING_BY_HOP = 1,   /* goes to its hop, whatever its URI says */
    BINDING_OUTBOUND = 2, /* RFC 5626: known by instance and reg-id */
    BINDING_GONE = 4,     /* its flow has failed */
    BINDING_OPERATOR = 8  /* made without a phone */
} BindingFlag;

/* One allocation: the Contact without its expires, the Path, the Call-ID. */
typedef struct Binding {
    struct Binding *next;      /* of its AOR, the oldest first */
    struct Binding *conn_next; /* among those whose connections' numbers fall together */
    PealTime expires_at;
    PealHop hop;
    uint32_t cseq;
    uint32_t reg_id; /* 0 for none */
    uint16_t q_milli;
    uint16_t contact_len;
    uint16_t uri_at; /* in the Contact */
    uint16_t uri_len;
    uint16_t instance_at;
    uint16_t instance_len;
    uint16_t path_len;
    uint16_t call_id_len;
    uint8_t flags;
    char texts[];
} Binding;
_Static_assert(sizeof(Binding) <= 80, "every phone has one");

typedef struct RegistrarJob RegistrarJob;

struct RegistrarAor {
    RegistrarAor *next; /* in its chain */
    PealId resource;
    Binding *bindings;
    RegistrarJob
        *jobs; /* REGISTERs in their order; while there are any, the first is being stored */
    PealTime due;
    PealTime kept_until; /* the overlay may know it so long */
    uint32_t heap_at;
    uint16_t bindings_len;
    uint16_t jobs_len;
    bool stale; /* to be stored anew: the peer has joined again, or removing it failed */
};
_Static_assert(sizeof(RegistrarAor) <= 80, "every user has one");

static inline PealStr binding_contact(const Binding *binding)
{
    return (PealStr){binding->texts, binding->contact_len};
}
static inline PealStr binding_uri(const Binding *binding)
{
    return (PealStr){binding->texts + binding->uri_at, binding->uri_len};
}
static inline PealStr binding_instance(const Binding *binding)
{
    return (PealStr){binding->texts + binding->instance_at, binding->instance_len};
}
static inline PealStr binding_path(const Binding *binding)
{
    return (PealStr){binding->texts + binding->contact_len, binding->path_len};
}
static inline PealStr binding_call_id(const Binding *binding)
{
    return (PealStr){binding->texts + binding->contact_len + binding->path_len,
                     binding->call_id_len};
}

/* binding_new makes room for texts of the lengths in *form, which it copies; NULL without
 * memory. */
Binding *binding_new(PealPeer *peer, const Binding *form);
void binding_free(PealPeer *peer, Binding *binding);

void bindings_init(PealPeer *peer);
void bindings_fini(PealPeer *peer);

RegistrarAor *bindings_aor(const Registrar *registrar, const PealId *resource);
/* bindings_add_aor makes an AOR that is not there; NULL without memory. */
RegistrarAor *bindings_add_aor(PealPeer *peer, const PealId *resource);
/* bindings_remove_aor releases an AOR and its bindings. */
void bindings_remove_aor(PealPeer *peer, RegistrarAor *aor);

/* bindings_same: is this the binding that a Contact is about? Within an arena. Two flows (RFC 5626)
 * are known by instance and reg-id, else it is the URI that counts. */
bool bindings_same(const Binding *binding, const Contact *contact, bool outbound);
/* bindings_find is that binding, or NULL. */
Binding *bindings_find(const RegistrarAor *aor, const Contact *contact, bool outbound);
/* bindings_replace puts `fresh` where `old` is and releases that; either may be NULL: then `fresh`
 * goes to the end, or `old` just goes. */
void bindings_replace(PealPeer *peer, RegistrarAor *aor, Binding *old, Binding *fresh);
/* bindings_next_on_conn: of the bindings that stand on a connection, the one behind `binding`, or
 * the first for NULL; NULL at the end. */
Binding *bindings_next_on_conn(const Registrar *registrar, uint32_t conn, const Binding *binding);
/* bindings_expire drops what has expired. */
void bindings_expire(PealPeer *peer, RegistrarAor *aor, PealTime now);
/* bindings_latest is the longest binding's expiry, bindings_earliest the next one. */
PealTime bindings_latest(const RegistrarAor *aor);
PealTime bindings_earliest(const RegistrarAor *aor);

/* bindings_set_due moves an AOR in the heap; bindings_next_due is the AOR due first, or NULL. */
void bindings_set_due(Registrar *registrar, RegistrarAor *aor, PealTime due);
static inline RegistrarAor *bindings_next_due(const Registrar *registrar)
{
    return registrar->aors > 0 ? registrar->heap[0] : NULL;
}

/* bindings_persist hands a snapshot to the environment; 0, -PEAL_E_MEMORY or the environment's
 * error. bindings_restore takes one up: the adapter's key, and bindings that have not expired. */
int bindings_persist(PealPeer *peer) PEAL_MUST_USE;
void bindings_restore(PealPeer *peer, PealBytes bytes);

#endif
