/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bindings_persist.c - the registrar's memory as bytes that survive a restart.
 *
 * A head, then one record for each AOR, each behind its length and followed by the start of its
 * SHA-256, all numbers big-endian. Times are those of the calendar: the clock of a peer starts anew
 * with it.
 */
#include "reload/reader.h"
#include "reload/writer.h"
#include "sip/bindings.h"
#include "sip/state.h"

static const uint8_t MAGIC[] = {'P', 'e', 'a', 'l', 'S', 'I', 'P', 1}; /* the last is the version */

enum {
    CHECK_LEN = 8,
    HEAD_LEN = sizeof(MAGIC) + PEAL_MAC_LEN,
    AOR_LEN = PEAL_ID_LEN + 2,
    BINDING_LEN = 8 + 24 + 4 + 4 + 8 * 2 + 1, /* without its texts */
    KEPT_FLAGS = BINDING_BY_HOP | BINDING_OUTBOUND | BINDING_GONE | BINDING_OPERATOR
};

static size_t texts_len(const Binding *b)
{
    return (size_t)b->contact_len + b->path_len + b->call_id_len;
}

static size_t record_len(const RegistrarAor *aor)
{
    size_t len = AOR_LEN;

    for (const Binding *b = aor->bindings; b != NULL; b = b->next) {
        len += BINDING_LEN + texts_len(b);
    }
    return len;
}

static void put_check(PealPeer *peer, Writer *w, size_t from)
{
    const PealBytes part = {w->ptr + from, w->len - from};
    uint8_t digest[PEAL_DIGEST_MAX];

    (void)peer->env->ops->crypto->digest(PEAL_HASH_SHA256, &part, 1, digest);
    put_bytes(w, (PealBytes){digest, CHECK_LEN});
}

static void put_binding(Writer *w, const Binding *b, uint64_t now_ms, PealTime now)
{
    int64_t rest_ms = peal_time_since(b->expires_at, now).ns / PEAL_NS_PER_MS;

    put_u64(w, now_ms + (uint64_t)(rest_ms > 0 ? rest_ms : 0));
    put_bytes(w, (PealBytes){b->hop.addr.ip, sizeof(b->hop.addr.ip)});
    put_u16(w, b->hop.addr.port);
    put_u8(w, b->hop.addr.family);
    put_u8(w, b->hop.transport);
    put_u8(w, b->hop.local);
    put_u8(w, b->hop.conn != 0);
    put_u16(w, 0);
    put_u32(w, b->cseq);
    put_u32(w, b->reg_id);
    put_u16(w, b->q_milli);
    put_u16(w, b->contact_len);
    put_u16(w, b->uri_at);
    put_u16(w, b->uri_len);
    put_u16(w, b->instance_at);
    put_u16(w, b->instance_len);
    put_u16(w, b->path_len);
    put_u16(w, b->call_id_len);
    put_u8(w, b->flags);
    put_bytes(w, (PealBytes){(const uint8_t *)b->texts, texts_len(b)});
}

static void put_record(PealPeer *peer, Writer *w, const RegistrarAor *aor)
{
    uint64_t now_ms = peer->env->ops->unix_ms(peer->env);
    PealTime now = peer_now(peer);
    size_t start;

    put_u32(w, (uint32_t)record_len(aor));
    start = w->len;
    put_bytes(w, (PealBytes){aor->resource.bytes, PEAL_ID_LEN});
    put_u16(w, aor->bindings_len);
    for (const Binding *b = aor->bindings; b != NULL; b = b->next) {
        put_binding(w, b, now_ms, now);
    }
    put_check(peer, w, start);
}

int bindings_persist(PealPeer *peer)
{
    const Registrar *registrar = &peer->sip->registrar;
    size_t cap = HEAD_LEN + CHECK_LEN;
    uint8_t *bytes;
    Writer w;
    int error;

    for (uint32_t i = 0; i < registrar->aors; i++) {
        cap += 4 + record_len(registrar->heap[i]) + CHECK_LEN;
    }
    bytes = peer_alloc(peer, cap);
    if (bytes == NULL) {
        return -PEAL_E_MEMORY;
    }
    w = writer_make(bytes, cap);
    put_bytes(&w, (PealBytes){MAGIC, sizeof(MAGIC)});
    put_bytes(&w, (PealBytes){peer->sip->key, PEAL_MAC_LEN});
    put_check(peer, &w, 0);
    for (uint32_t i = 0; i < registrar->aors; i++) {
        put_record(peer, &w, registrar->heap[i]);
    }
    PEAL_ASSERT(!w.overflow && w.len == cap);
    error = peer->env->ops->persist(peer->env, PEAL_SLOT_BINDINGS, bytes, cap);
    peer_release(peer, bytes, cap);
    return error;
}

/* Reading. */

static bool check_is(PealPeer *peer, PealBytes part, PealBytes check)
{
    uint8_t digest[PEAL_DIGEST_MAX];

    if (part.ptr == NULL || check.len != CHECK_LEN) {
        return false;
    }
    (void)peer->env->ops->crypto->digest(PEAL_HASH_SHA256, &part, 1, digest);
    return memcmp(digest, check.ptr, CHECK_LEN) == 0;
}

static PealHop read_hop(Reader *r, bool *ret_connected)
{
    PealBytes ip = reader_bytes(r, sizeof(((PealAddr *)0)->ip));
    PealHop hop = {.conn = 0};

    if (ip.ptr != NULL) {
        memcpy(hop.addr.ip, ip.ptr, ip.len);
    }
    hop.addr.port = reader_u16(r);
    hop.addr.family = reader_u8(r);
    hop.transport = reader_u8(r);
    hop.local = reader_u8(r);
    *ret_connected = reader_bool(r);
    (void)reader_u16(r);
    if ((hop.addr.family != 0 && hop.addr.family != 4 && hop.addr.family != 6) ||
        hop.transport > PEAL_TCP || hop.local >= PEAL_ADDRESSES_MAX) {
        reader_fail(r, -PEAL_E_VALUE);
    }
    return hop;
}

/* The longest that a binding may still live: a clock that was set back does not lengthen it. */
static uint64_t longest_ms(const PealPeer *peer, const Binding *form)
{
    return (form->flags & BINDING_OPERATOR) != 0
               ? (uint64_t)UINT32_MAX * 1000
               : (uint64_t)peer->sip->config->max_expires_s * 1000;
}

/* Reads one binding; its form, its texts and what is left of its life, 0 for nothing. */
static uint64_t read_binding(PealPeer *peer, Reader *r, Binding *form, PealBytes *ret_texts)
{
    uint64_t now_ms = peer->env->ops->unix_ms(peer->env);
    uint64_t until_ms = reader_u64(r);
    bool connected = false;
    uint64_t rest_ms;

    form->hop = read_hop(r, &connected);
    form->cseq = reader_u32(r);
    form->reg_id = reader_u32(r);
    form->q_milli = reader_u16(r);
    form->contact_len = reader_u16(r);
    form->uri_at = reader_u16(r);
    form->uri_len = reader_u16(r);
    form->instance_at = reader_u16(r);
    form->instance_len = reader_u16(r);
    form->path_len = reader_u16(r);
    form->call_id_len = reader_u16(r);
    form->flags = reader_u8(r) & KEPT_FLAGS;
    *ret_texts = reader_bytes(r, texts_len(form));
    if (form->uri_at + (size_t)form->uri_len > form->contact_len || form->uri_len == 0 ||
        form->instance_at + (size_t)form->instance_len > form->contact_len ||
        form->q_milli > 1000) {
        reader_fail(r, -PEAL_E_VALUE);
    }
    if (connected) {
        /* Its connection went with the last life; only without outbound may there be another. */
        form->flags |= (form->flags & BINDING_OUTBOUND) != 0 ? BINDING_GONE : 0;
        form->flags &= (uint8_t)~BINDING_BY_HOP;
    }
    rest_ms = until_ms > now_ms ? until_ms - now_ms : 0;
    return rest_ms < longest_ms(peer, form) ? rest_ms : longest_ms(peer, form);
}

/* A record that is whole by its check: its AOR with what has not expired. */
static void read_record(PealPeer *peer, PealBytes record)
{
    Registrar *registrar = &peer->sip->registrar;
    Reader r = reader_make(record);
    PealId resource = reader_id(&r);
    uint16_t count = reader_u16(&r);
    RegistrarAor *aor;

    if (r.error != 0 || bindings_aor(registrar, &resource) != NULL ||
        registrar->aors >= peer->sip->config->aors_max) {
        return;
    }
    aor = bindings_add_aor(peer, &resource);
    for (uint16_t i = 0; i < count && aor != NULL; i++) {
        Binding form = {.cseq = 0};
        PealBytes texts = {NULL, 0};
        uint64_t rest_ms = read_binding(peer, &r, &form, &texts);
        Binding *binding;

        if (r.error != 0) {
            break;
        }
        form.expires_at = peal_time_add(peer_now(peer), peal_ms((int64_t)rest_ms));
        binding = rest_ms > 0 ? binding_new(peer, &form) : NULL;
        if (binding != NULL) {
            memcpy(binding->texts, texts.ptr, texts.len);
            bindings_replace(peer, aor, NULL, binding);
        }
    }
    if (aor != NULL && aor->bindings == NULL) {
        bindings_remove_aor(peer, aor);
    } else if (aor != NULL) {
        bindings_set_due(registrar, aor, bindings_earliest(aor));
    }
}

static bool read_head(PealPeer *peer, Reader *r, PealBytes *ret_head)
{
    *ret_head = reader_bytes(r, HEAD_LEN);
    return check_is(peer, *ret_head, reader_bytes(r, CHECK_LEN)) &&
           memcmp(ret_head->ptr, MAGIC, sizeof(MAGIC)) == 0;
}

bool peal_peer_bindings_whole(PealPeer *peer, PealBytes bindings)
{
    Reader r = reader_make(bindings);
    PealBytes head;
    bool whole = bindings.len == 0 || read_head(peer, &r, &head);

    while (whole && r.left > 0) {
        PealBytes record = reader_opaque32(&r);

        whole = check_is(peer, record, reader_bytes(&r, CHECK_LEN)) && r.error == 0;
    }
    return whole;
}

void bindings_restore(PealPeer *peer, PealBytes bytes)
{
    Reader r = reader_make(bytes);
    PealBytes head;

    if (!read_head(peer, &r, &head)) {
        return;
    }
    memcpy(peer->sip->key, head.ptr + sizeof(MAGIC), PEAL_MAC_LEN);
    while (r.left > 0 && r.error == 0) {
        PealBytes record = reader_opaque32(&r);

        if (check_is(peer, record, reader_bytes(&r, CHECK_LEN))) {
            read_record(peer, record);
        }
    }
}
