/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fragment.c - cutting messages and putting them together again.
 */
#include "reload/fragment.h"

/* One fragment's share of the body, in memory of its own size. */
typedef struct Piece {
    struct Piece *next; /* by offset */
    uint32_t offset;
    uint32_t len;
    uint8_t bytes[];
} Piece;

struct ReassemblyMessage {
    ReassemblyMessage *next; /* younger */
    PealTime expires;
    uint64_t transaction;
    PealId origin;
    Piece *pieces;
    uint32_t pieces_len;
    uint32_t total; /* bytes of the body, known once the last fragment came; else 0 */
    uint32_t header_len;
    uint8_t header[]; /* of the fragment that came first */
};

FragmentPlan fragment_plan(const uint8_t *message, size_t len, uint32_t datagram_max)
{
    FragmentPlan plan = {.count = 1, .header_len = wire_header_len(message)};
    uint32_t overhead = plan.header_len + (uint32_t)RELOAD_DATA_FRAME_LEN + FRAGMENT_VIA_ROOM;
    uint32_t count;

    plan.body_len = (uint32_t)len - plan.header_len;
    plan.chunk = plan.body_len;
    if (len + RELOAD_DATA_FRAME_LEN <= datagram_max ||
        datagram_max < overhead + FRAGMENT_BODY_MIN) {
        return plan;
    }
    count = (plan.body_len + (datagram_max - overhead) - 1) / (datagram_max - overhead);
    if (plan.body_len / count < FRAGMENT_BODY_MIN) {
        return plan;
    }
    plan.count = count;
    plan.chunk = (plan.body_len + count - 1) / count;
    return plan;
}

PealBuf *fragment_make(PealEnv *env, const FragmentPlan *plan, const uint8_t *message, uint32_t i)
{
    uint32_t at = i * plan->chunk;
    uint32_t body_len = i + 1 < plan->count ? plan->chunk : plan->body_len - at;
    uint32_t len = (uint32_t)RELOAD_DATA_FRAME_LEN + plan->header_len + body_len;
    PealBuf *buf = env->ops->buffer(env, len + FRAGMENT_VIA_ROOM);
    uint8_t *copy = wire_message(buf);
    uint32_t fragment = wire_fragment(message) + at;

    PEAL_ASSERT(i < plan->count);
    memcpy(copy, message, plan->header_len);
    memcpy(copy + plan->header_len, message + plan->header_len + at, body_len);
    if (i + 1 < plan->count) {
        fragment &= ~WIRE_FRAGMENT_LAST;
    }
    bytes_set_u32(copy + WIRE_AT_FRAGMENT, fragment);
    frame_write_data(buf->data, 0, len - RELOAD_DATA_FRAME_LEN);
    wire_set_len(buf, len);
    return buf;
}

/* Reassembly */

static size_t message_size(const ReassemblyMessage *entry)
{
    return sizeof(*entry) + entry->header_len;
}

static size_t piece_size(const Piece *piece)
{
    return sizeof(*piece) + piece->len;
}

/* Allocates within the peer's share; NULL when that is used up. */
static void *share_alloc(Reassembly *reassembly, PealEnv *env, size_t size)
{
    void *ptr;

    if (size > REASSEMBLY_BYTES_MAX - reassembly->bytes) {
        return NULL;
    }
    ptr = env->ops->alloc(env, size);
    if (ptr != NULL) {
        reassembly->bytes += (uint32_t)size;
    }
    return ptr;
}

static void share_release(Reassembly *reassembly, PealEnv *env, void *ptr, size_t size)
{
    env->ops->release(env, ptr, size);
    reassembly->bytes -= (uint32_t)size;
}

/* Forgets the message that *link points at. */
static void message_drop(Reassembly *reassembly, PealEnv *env, ReassemblyMessage **link)
{
    ReassemblyMessage *entry = *link;

    while (entry->pieces != NULL) {
        Piece *piece = entry->pieces;

        entry->pieces = piece->next;
        share_release(reassembly, env, piece, piece_size(piece));
    }
    *link = entry->next;
    reassembly->messages_len--;
    share_release(reassembly, env, entry, message_size(entry));
}

void reassembly_fini(Reassembly *reassembly, PealEnv *env)
{
    while (reassembly->first != NULL) {
        message_drop(reassembly, env, &reassembly->first);
    }
}

PealTime reassembly_deadline(const Reassembly *reassembly)
{
    /* All live equally long, so that the oldest ends first. */
    return reassembly->first == NULL ? PEAL_TIME_NEVER : reassembly->first->expires;
}

void reassembly_on_wake(Reassembly *reassembly, PealEnv *env, PealTime now)
{
    while (reassembly->first != NULL && peal_time_due(reassembly->first->expires, now)) {
        message_drop(reassembly, env, &reassembly->first);
    }
}

/*
 * Whoever sent the message stands first in its via list, or at the other end of the link. The
 * answer to a request bears the same transaction, but comes from somebody else.
 */
static PealId fragment_origin(const uint8_t *message, const PealId *from)
{
    PealId origin = *from;
    const uint8_t *via = wire_via(message);

    if (wire_via_len(message) >= RELOAD_NODE_ENTRY_LEN && via[0] == RELOAD_DEST_NODE) {
        memcpy(origin.bytes, via + 2, PEAL_ID_LEN);
    }
    return origin;
}

/* Finds or starts the message that a fragment belongs to; *ret_link points at it. */
static int message_find(Reassembly *reassembly, PealEnv *env, const ReassemblyRules *rules,
                        const uint8_t *fragment, ReassemblyMessage ***ret_link)
{
    uint64_t transaction = wire_transaction(fragment);
    PealId origin = fragment_origin(fragment, &rules->from);
    uint32_t header_len = wire_header_len(fragment);
    ReassemblyMessage **link = &reassembly->first;

    for (; *link != NULL; link = &(*link)->next) {
        if ((*link)->transaction == transaction && peal_id_equal(&(*link)->origin, &origin)) {
            *ret_link = link;
            return 0;
        }
    }
    if (reassembly->messages_len == REASSEMBLY_MESSAGES_MAX) {
        return -PEAL_E_FULL;
    }
    *link = share_alloc(reassembly, env, sizeof(**link) + header_len);
    if (*link == NULL) {
        return -PEAL_E_MEMORY;
    }
    (*link)->next = NULL;
    (*link)->expires = peal_time_add(rules->now, (PealSpan){REASSEMBLY_LIFETIME});
    (*link)->transaction = transaction;
    (*link)->origin = origin;
    (*link)->pieces = NULL;
    (*link)->pieces_len = 0;
    (*link)->total = 0;
    (*link)->header_len = header_len;
    memcpy((*link)->header, fragment, header_len);
    reassembly->messages_len++;
    *ret_link = link;
    return 0;
}

/* Do a piece that is here and a new one agree wherever both have bytes? */
static bool pieces_agree(const Piece *piece, uint32_t offset, PealBytes bytes)
{
    uint32_t end = offset + (uint32_t)bytes.len;
    uint32_t piece_end = piece->offset + piece->len;
    uint32_t from = offset > piece->offset ? offset : piece->offset;
    uint32_t upto = end < piece_end ? end : piece_end;

    return from >= upto || memcmp(piece->bytes + (from - piece->offset),
                                  bytes.ptr + (from - offset), upto - from) == 0;
}

/* Puts a fragment's share of the body into its place. */
static int message_add(Reassembly *reassembly, PealEnv *env, ReassemblyMessage *entry,
                       uint32_t offset, PealBytes bytes)
{
    Piece **place = &entry->pieces;
    Piece *added;

    for (Piece *piece = entry->pieces; piece != NULL; piece = piece->next) {
        if (!pieces_agree(piece, offset, bytes)) {
            return -PEAL_E_OVERLAP;
        }
        if (piece->offset <= offset && offset + bytes.len <= piece->offset + piece->len) {
            return 0; /* brings nothing new */
        }
        if (piece->offset < offset) {
            place = &piece->next;
        }
    }
    if (entry->pieces_len == REASSEMBLY_PIECES_MAX) {
        return -PEAL_E_FULL;
    }
    added = share_alloc(reassembly, env, sizeof(*added) + bytes.len);
    if (added == NULL) {
        return -PEAL_E_MEMORY;
    }
    added->next = *place;
    added->offset = offset;
    added->len = (uint32_t)bytes.len;
    memcpy(added->bytes, bytes.ptr, bytes.len);
    *place = added;
    entry->pieces_len++;
    return 0;
}

/* Checks a fragment's place against what is known of the message's length. */
static int message_check(ReassemblyMessage *entry, uint32_t message_max, uint32_t offset,
                         uint32_t end, bool last)
{
    if (entry->header_len + (uint64_t)end > message_max) {
        return -PEAL_E_TOO_LARGE;
    }
    if (end == offset) {
        return -PEAL_E_VALUE;
    }
    if (entry->total != 0 && (end > entry->total || (last && end != entry->total))) {
        return -PEAL_E_OVERLAP;
    }
    if (last) {
        for (const Piece *piece = entry->pieces; piece != NULL; piece = piece->next) {
            if (piece->offset + piece->len > end) {
                return -PEAL_E_OVERLAP;
            }
        }
        entry->total = end;
    }
    return 0;
}

static bool message_complete(const ReassemblyMessage *entry)
{
    uint32_t reach = 0;

    for (const Piece *piece = entry->pieces; piece != NULL && piece->offset <= reach;
         piece = piece->next) {
        uint32_t end = piece->offset + piece->len;

        reach = end > reach ? end : reach;
    }
    return entry->total != 0 && reach == entry->total;
}

static PealBuf *message_assemble(PealEnv *env, const ReassemblyMessage *entry)
{
    uint32_t len = (uint32_t)RELOAD_DATA_FRAME_LEN + entry->header_len + entry->total;
    PealBuf *whole = env->ops->buffer(env, len);
    uint8_t *message = wire_message(whole);

    memcpy(message, entry->header, entry->header_len);
    for (const Piece *piece = entry->pieces; piece != NULL; piece = piece->next) {
        memcpy(message + entry->header_len + piece->offset, piece->bytes, piece->len);
    }
    bytes_set_u32(message + WIRE_AT_FRAGMENT, RELOAD_FRAGMENT_WHOLE);
    frame_write_data(whole->data, 0, len - RELOAD_DATA_FRAME_LEN);
    wire_set_len(whole, len);
    return whole;
}

int reassembly_add(Reassembly *reassembly, PealEnv *env, const ReassemblyRules *rules,
                   PealBytes fragment, PealBuf **ret_whole)
{
    uint32_t field = wire_fragment(fragment.ptr);
    uint32_t header_len = wire_header_len(fragment.ptr);
    uint32_t offset = field & WIRE_FRAGMENT_OFFSET;
    PealBytes bytes = {fragment.ptr + header_len, fragment.len - header_len};
    ReassemblyMessage **link;
    int error = message_find(reassembly, env, rules, fragment.ptr, &link);

    if (error != 0) {
        return error;
    }
    error = message_check(*link, rules->message_max, offset, offset + (uint32_t)bytes.len,
                          (field & WIRE_FRAGMENT_LAST) != 0);
    if (error == 0) {
        error = message_add(reassembly, env, *link, offset, bytes);
    }
    if (error != 0) {
        message_drop(reassembly, env, link);
        return error;
    }
    *ret_whole = NULL;
    if (message_complete(*link)) {
        *ret_whole = message_assemble(env, *link);
        message_drop(reassembly, env, link);
    }
    return 0;
}
