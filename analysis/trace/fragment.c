/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fragment.c - see fragment.h.
 */
#include "trace/fragment.h"

enum {
    DATAGRAM_LEN_FIRST = 2048,
    /* One packet may begin a few datagrams, each within another's tunnel. */
    DATAGRAMS_SPARE = 16,
    BYTES_SPARE = DATAGRAMS_SPARE * (IP_PAYLOAD_MAX + 1)
};

typedef struct Range {
    uint32_t start;
    uint32_t end;
} Range;

/* Disjoint ranges in their order, which do not touch. */
typedef struct Ranges {
    Range *items;
    uint32_t len;
    uint32_t cap;
} Ranges;

/* What makes fragments those of one datagram. */
typedef struct Key {
    uint8_t from[16];
    uint8_t to[16];
    uint32_t id;
    uint8_t family;
    uint8_t protocol; /* IPv4 alone: RFC 791 s.3.2, RFC 8200 s.4.5 */
    uint16_t depth;
} Key;

typedef struct Datagram {
    Key key;    /* first: the table's key */
    GList link; /* in the queue of those under way, or of those handed out */
    IpHeader ip;
    int64_t first_ns;
    int64_t last_ns;
    unsigned pieces;
    uint32_t total; /* 0 until the last fragment came */
    Ranges seen;    /* bytes that were on the wire, */
    Ranges have;    /* and that the capture has */
    uint8_t *bytes;
    size_t cap;
} Datagram;

struct Fragments {
    GHashTable *table; /* Key -> Datagram */
    GQueue waiting;    /* the oldest first */
    GQueue given;
    size_t bytes; /* of those that wait */
};

static guint hash_key(gconstpointer key)
{
    const uint8_t *bytes = key;
    uint32_t hash = 2166136261U; /* FNV-1a */

    for (size_t i = 0; i < sizeof(Key); i++) {
        hash = (hash ^ bytes[i]) * 16777619U;
    }
    return hash;
}

static gboolean equal_keys(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(Key)) == 0;
}

Fragments *fragments_new(void)
{
    Fragments *fragments = g_new0(Fragments, 1);

    fragments->table = g_hash_table_new(hash_key, equal_keys);
    g_queue_init(&fragments->waiting);
    g_queue_init(&fragments->given);
    return fragments;
}

static void free_all(GQueue *queue)
{
    GList *link;

    while ((link = g_queue_pop_head_link(queue)) != NULL) {
        Datagram *datagram = link->data;

        g_free(datagram->seen.items);
        g_free(datagram->have.items);
        g_free(datagram->bytes);
        g_free(datagram);
    }
}

void fragments_clear(Fragments *fragments)
{
    free_all(&fragments->given);
}

void fragments_free(Fragments *fragments)
{
    if (fragments == NULL) {
        return;
    }
    free_all(&fragments->given);
    free_all(&fragments->waiting);
    g_hash_table_destroy(fragments->table);
    g_free(fragments);
}

/* The first range that ends at `at` or behind it. */
static uint32_t ranges_find(const Ranges *ranges, uint32_t at)
{
    uint32_t low = 0, high = ranges->len;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (ranges->items[middle].end < at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void ranges_add(Ranges *ranges, Range added)
{
    uint32_t first = ranges_find(ranges, added.start), last = first;

    if (added.start == added.end) {
        return;
    }
    while (last < ranges->len && ranges->items[last].start <= added.end) {
        added.start = MIN(added.start, ranges->items[last].start);
        added.end = MAX(added.end, ranges->items[last].end);
        last++;
    }
    if (first == last && ranges->len == ranges->cap) {
        ranges->cap = MAX(8, ranges->cap * 2);
        ranges->items = g_renew(Range, ranges->items, ranges->cap);
    }
    if (ranges->len > last) {
        memmove(&ranges->items[first + 1], &ranges->items[last],
                (ranges->len - last) * sizeof(Range));
    }
    ranges->items[first] = added;
    ranges->len = ranges->len + 1 - (last - first);
}

/* How far they reach from 0 on without a gap. */
static uint32_t ranges_prefix(const Ranges *ranges)
{
    return ranges->len > 0 && ranges->items[0].start == 0 ? ranges->items[0].end : 0;
}

static uint32_t ranges_end(const Ranges *ranges)
{
    return ranges->len > 0 ? ranges->items[ranges->len - 1].end : 0;
}

static Key key_of(const FragmentsPiece *piece)
{
    const IpHeader *ip = piece->ip;
    Key key = {
        .id = ip->id,
        .family = ip->from.family,
        .protocol = ip->from.family == 4 ? ip->protocol : 0,
        .depth = (uint16_t)piece->depth,
    };

    memcpy(key.from, ip->from.ip, sizeof(key.from));
    memcpy(key.to, ip->to.ip, sizeof(key.to));
    return key;
}

static Datagram *datagram_of(Fragments *fragments, const FragmentsPiece *piece)
{
    Key key = key_of(piece);
    Datagram *datagram = g_hash_table_lookup(fragments->table, &key);

    if (datagram != NULL) {
        return datagram;
    }
    datagram = g_new0(Datagram, 1);
    datagram->key = key;
    datagram->link.data = datagram;
    datagram->ip = *piece->ip;
    datagram->first_ns = piece->at_ns;
    g_hash_table_insert(fragments->table, &datagram->key, datagram);
    g_queue_push_tail_link(&fragments->waiting, &datagram->link);
    return datagram;
}

static void make_room(Fragments *fragments, Datagram *datagram, size_t len)
{
    size_t cap = MAX(datagram->cap, DATAGRAM_LEN_FIRST);

    while (cap < len) {
        cap *= 2;
    }
    if (cap > datagram->cap) {
        datagram->bytes = g_realloc(datagram->bytes, cap);
        fragments->bytes += cap - datagram->cap;
        datagram->cap = cap;
    }
}

/* Copies what is new into the gaps; false when what is not new differs. */
static bool fill(Datagram *datagram, Range place, const uint8_t *bytes)
{
    uint32_t at = place.start;
    bool same = true;

    for (uint32_t i = ranges_find(&datagram->have, at); at < place.end; i++) {
        Range there = {place.end, place.end};
        uint32_t gap_end;

        if (i < datagram->have.len && datagram->have.items[i].start < place.end) {
            there = datagram->have.items[i];
            there.end = MIN(there.end, place.end);
        }
        gap_end = MAX(there.start, at);
        memcpy(datagram->bytes + at, bytes + (at - place.start), gap_end - at);
        at = gap_end;
        if (there.end > at) {
            same = same &&
                   memcmp(datagram->bytes + at, bytes + (at - place.start), there.end - at) == 0;
            at = there.end;
        }
    }
    return same;
}

/* Where the datagram ends is what the first fragment says that knows; true when nobody gainsays. */
static bool agree_on_total(Datagram *datagram, Range *place, bool more)
{
    uint32_t end = place->end;

    if (datagram->total == 0) {
        if (!more && end < ranges_end(&datagram->seen)) {
            return false;
        }
        datagram->total = more ? 0 : end;
        return true;
    }
    place->end = MIN(end, datagram->total);
    place->start = MIN(place->start, place->end);
    return end == place->end && (more || end == datagram->total);
}

static void give(Fragments *fragments, Datagram *datagram, FragmentsDatagram *ret_datagram)
{
    g_hash_table_remove(fragments->table, &datagram->key);
    g_queue_unlink(&fragments->waiting, &datagram->link);
    g_queue_push_tail_link(&fragments->given, &datagram->link);
    fragments->bytes -= datagram->cap;
    *ret_datagram = (FragmentsDatagram){
        .ip = datagram->ip,
        .span = {datagram->bytes, ranges_prefix(&datagram->have), ranges_end(&datagram->seen)},
        .at_ns = datagram->last_ns,
        .depth = datagram->key.depth,
        .pieces = datagram->pieces,
    };
    ret_datagram->ip.fragment = false;
}

bool fragments_take(Fragments *fragments, const FragmentsPiece *piece, TraceSkip *ret_skip,
                    FragmentsDatagram *ret_datagram)
{
    const IpHeader *ip = piece->ip;
    Range place = {(uint32_t)ip->offset, 0};
    Datagram *datagram;
    bool agreed, same;

    *ret_skip = TRACE_SKIP_NONE;
    /* RFC 8200 s.4.5: all but the last are of whole eights, and none goes beyond 65,535. */
    if ((ip->more && (piece->span.wire % 8 != 0 || piece->span.wire == 0)) ||
        piece->span.wire > IP_PAYLOAD_MAX - ip->offset) {
        *ret_skip = TRACE_SKIP_BAD_LENGTH;
        return false;
    }
    place.end = (uint32_t)(ip->offset + piece->span.wire);
    datagram = datagram_of(fragments, piece);
    datagram->pieces++;
    datagram->last_ns = piece->at_ns;
    if (ip->offset == 0) { /* RFC 8200 s.4.5: the first one's protocol counts */
        datagram->ip = *ip;
    }
    agreed = agree_on_total(datagram, &place, ip->more);
    make_room(fragments, datagram, place.end);
    ranges_add(&datagram->seen, place);
    place.end = (uint32_t)MIN(place.end, place.start + piece->span.len);
    same = fill(datagram, place, piece->span.ptr);
    ranges_add(&datagram->have, place);
    if (!agreed || !same) {
        *ret_skip = TRACE_SKIP_FRAGMENT_OVERLAP;
    }
    if (datagram->total == 0 || ranges_prefix(&datagram->seen) != datagram->total) {
        return false;
    }
    give(fragments, datagram, ret_datagram);
    return true;
}

bool fragments_give_up(Fragments *fragments, int64_t now_ns, FragmentsDatagram *ret_datagram)
{
    const int64_t wait_ns = FRAGMENTS_WAIT_S * PEAL_NS_PER_S;
    GList *link = g_queue_peek_head_link(&fragments->waiting);
    Datagram *oldest;

    if (link == NULL) {
        return false;
    }
    oldest = link->data;
    if ((now_ns < wait_ns || oldest->first_ns >= now_ns - wait_ns) &&
        g_hash_table_size(fragments->table) <= FRAGMENTS_DATAGRAMS_MAX - DATAGRAMS_SPARE &&
        fragments->bytes <= FRAGMENTS_BYTES_MAX - BYTES_SPARE) {
        return false;
    }
    give(fragments, oldest, ret_datagram);
    return true;
}
