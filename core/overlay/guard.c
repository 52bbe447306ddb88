/* SPDX-License-Identifier: GPL-3.0-or-later */
/* guard.c - checks of neighbours-to-be; see guard.h. */
#include "overlay/guard.h"

#include "overlay/density.h"
#include "peer.h"
#include "security/defence.h"

enum { MILLI = 1000, PLACES_MAX = 2 * PEAL_NEIGHBOURS_MAX + 2 };
#define MINUTE_NS (60 * PEAL_NS_PER_S)

typedef struct GuardSample {
    uint64_t teller; /* top half of the Node-ID */
    uint64_t gap;
} GuardSample;

struct Guard {
    GuardSample samples[GUARD_SAMPLES_MAX]; /* in ring order of age */
    PealTime asked_at;
    PealTime filled_at;
    uint32_t allowance_milli; /* new neighbours that may still come */
    uint8_t samples_len;
    uint8_t next_sample;
    bool owed; /* somebody was refused for the rate */
};

bool guard_wanted(const PealOverlay *overlay)
{
    return overlay->defence.neighbour_check && overlay->topology == PEAL_TOPOLOGY_CHORD;
}

/* The overlay is asked first: see link.c's `admits`. */
static Guard *guard_of(const PealPeer *peer)
{
    return guard_wanted(peer->overlay) && peer->defence != NULL ? peer->defence->guard : NULL;
}

void guard_init(PealPeer *peer)
{
    Guard *guard = peer_alloc(peer, sizeof(*guard));

    if (guard == NULL) {
        return;
    }
    guard->filled_at = peer_now(peer);
    guard->asked_at = (PealTime){guard->filled_at.ns - GUARD_ASK_INTERVAL.ns};
    guard->allowance_milli = peer->overlay->defence.neighbour_rate * MILLI;
    peer->defence->guard = guard;
}

void guard_fini(PealPeer *peer)
{
    if (peer->defence->guard != NULL) {
        peer_release(peer, peer->defence->guard, sizeof(Guard));
        peer->defence->guard = NULL;
    }
}

/* Density. */

/* The neighbours' places in clockwise order, this peer's own among them, as distances from the
 * furthest predecessor. Returns how many. */
typedef struct GuardPlaces {
    uint64_t at[PLACES_MAX];
    size_t len;
    uint64_t origin; /* distance of this peer from the furthest predecessor */
} GuardPlaces;

static void read_places(const PealPeer *peer, GuardPlaces *places)
{
    const Links *links = &peer->links;
    uint64_t before[PEAL_NEIGHBOURS_MAX] = {0}; /* distances to this peer, the nearest first */
    uint64_t after[PEAL_NEIGHBOURS_MAX];
    size_t before_len = 0;
    size_t after_len = 0;
    uint16_t last = 0;

    for (uint16_t place = 0; place < links->index_len; place++) {
        if (after_len < chord_side_max(peer, true) && link_at(links, links->slot[place])->ready) {
            after[after_len++] = links->dist[place];
            last = (uint16_t)(place + 1);
        }
    }
    /* In a small ring the same peers are found on both sides. */
    for (uint16_t place = links->index_len; place > last; place--) {
        if (before_len < chord_side_max(peer, false) &&
            link_at(links, links->slot[place - 1])->ready) {
            before[before_len++] = 0 - links->dist[place - 1];
        }
    }
    places->origin = before_len > 0 ? before[before_len - 1] : 0;
    places->len = 0;
    for (size_t i = before_len; i > 0; i--) {
        places->at[places->len++] = places->origin - before[i - 1];
    }
    places->at[places->len++] = places->origin;
    for (size_t i = 0; i < after_len; i++) {
        places->at[places->len++] = places->origin + after[i];
    }
}

static void sort_gaps(uint64_t *gaps, size_t len)
{
    for (size_t i = 1; i < len; i++) {
        uint64_t gap = gaps[i];
        size_t j = i;

        for (; j > 0 && gaps[j - 1] > gap; j--) {
            gaps[j] = gaps[j - 1];
        }
        gaps[j] = gap;
    }
}

/* By this peer's own neighbours. A peer that has just joined may miss some, so that its outermost
 * ones are far away: the median gap does not mind. That of exponential gaps is ln 2 of their
 * mean. */
static uint64_t own_gap(const PealPeer *peer)
{
    uint64_t gaps[PLACES_MAX];
    GuardPlaces places;
    size_t len;

    read_places(peer, &places);
    len = places.len - 1;
    for (size_t i = 0; i < len; i++) {
        gaps[i] = places.at[i + 1] - places.at[i];
    }
    sort_gaps(gaps, len);
    return len > 0 ? gaps[len / 2] / 9 * 13 : 0;
}

uint64_t guard_gap(const PealPeer *peer)
{
    const Guard *guard = guard_of(peer);
    uint64_t gaps[GUARD_SAMPLES_MAX];
    uint64_t own;

    if (guard->samples_len == 0) {
        return own_gap(peer);
    }
    for (size_t i = 0; i < guard->samples_len; i++) {
        gaps[i] = guard->samples[i].gap;
    }
    sort_gaps(gaps, guard->samples_len);
    if (guard->samples_len >= GUARD_SAMPLES_MIN) {
        return gaps[guard->samples_len / 2];
    }
    own = own_gap(peer);
    return gaps[0] < own ? gaps[0] : own;
}

/* Would the peer crowd this part of the ring? */
static bool is_crowded(const PealPeer *peer, const PealId *id)
{
    uint64_t distance = peal_id_distance(&peer->id, id).high;
    GuardPlaces places;
    uint64_t place;
    size_t at;

    read_places(peer, &places);
    /* Before this peer where that is the nearer way to the furthest predecessor. */
    place = places.origin + distance;
    for (at = 0; at < places.len && places.at[at] < place; at++) {
    }
    memmove(&places.at[at + 1], &places.at[at], (places.len - at) * sizeof(places.at[0]));
    places.at[at] = place;
    return density_suspect(places.at, places.len + 1, at, guard_gap(peer));
}

/* The mean gap of the run that a finger lists: predecessors from its nearest on, then itself, then
 * successors. */
void guard_on_update(PealPeer *peer, const PealId *teller, const ChordUpdate *update)
{
    Guard *guard = guard_of(peer);
    uint16_t link = guard == NULL ? LINK_NONE : link_find(peer, teller);
    size_t count = (update->predecessors.len + update->successors.len) / PEAL_ID_LEN;
    PealId first = *teller;
    PealId last = *teller;
    PealBytes list = update->predecessors;
    GuardSample sample = {.teller = peal_id_halves(teller).high};
    size_t at = 0;

    if (link == LINK_NONE || count < 2 || !link_at(&peer->links, link)->finger) {
        return;
    }
    while (reload_id_next(&list, &first)) {
    }
    list = update->successors;
    while (reload_id_next(&list, &last)) {
    }
    sample.gap = peal_id_distance(&first, &last).high / count;
    if (sample.gap == 0) {
        return;
    }
    while (at < guard->samples_len && guard->samples[at].teller != sample.teller) {
        at++;
    }
    if (at == guard->samples_len) {
        at = guard->next_sample;
        guard->next_sample = (uint8_t)((guard->next_sample + 1) % GUARD_SAMPLES_MAX);
        guard->samples_len = (uint8_t)(guard->samples_len + (at == guard->samples_len));
    }
    guard->samples[at] = sample;
}

void guard_refresh(PealPeer *peer, PealSpan age)
{
    Guard *guard = guard_of(peer);

    if (guard == NULL || peal_time_since(peer_now(peer), guard->asked_at).ns < age.ns) {
        return;
    }
    guard->asked_at = peer_now(peer);
    for (uint16_t slot = 0; slot < peer->links.links_cap; slot++) {
        const Link *link = link_at(&peer->links, slot);

        if (link->indexed && link->finger) {
            chord_ask_update(peer, slot);
        }
    }
}

/* Rate. */

static void refill(PealPeer *peer, Guard *guard)
{
    uint32_t rate = peer->overlay->defence.neighbour_rate;
    int64_t passed_ns = peal_time_since(peer_now(peer), guard->filled_at).ns;
    int64_t milli;

    passed_ns = passed_ns < MINUTE_NS ? passed_ns : MINUTE_NS;
    milli = passed_ns * rate / (MINUTE_NS / MILLI);
    if (milli > 0) {
        guard->filled_at = peer_now(peer);
        guard->allowance_milli = guard->allowance_milli + (uint32_t)milli;
        if (guard->allowance_milli > rate * MILLI) {
            guard->allowance_milli = rate * MILLI;
        }
    }
}

/* May one more come? */
static bool has_allowance(PealPeer *peer, Guard *guard)
{
    uint32_t rate = peer->overlay->defence.neighbour_rate;

    if (rate == 0) {
        return true;
    }
    refill(peer, guard);
    if (guard->allowance_milli >= MILLI) {
        return true;
    }
    guard->owed = true;
    defence_watch(peer, peal_time_add(peer_now(peer), (PealSpan){MINUTE_NS / rate + 1}));
    return false;
}

/* Who was refused has a link, or is told of by the immediate neighbours. */
void guard_on_wake(PealPeer *peer, PealTime now)
{
    Guard *guard = guard_of(peer);
    uint16_t after = chord_ready(peer, 0, true);
    uint16_t before = chord_ready(peer, 0, false);

    (void)now;
    if (!guard->owed || peer->chord.phase != CHORD_JOINED) {
        return;
    }
    guard->owed = false;
    if (after != LINK_NONE) {
        chord_ask_update(peer, after);
    }
    if (before != LINK_NONE && before != after) {
        chord_ask_update(peer, before);
    }
}

/* Both. */

static bool is_judged(const PealPeer *peer, const PealId *id)
{
    return guard_of(peer) != NULL && peer->chord.phase == CHORD_JOINED &&
           chord_would_neighbour(peer, id);
}

static void refuse(PealPeer *peer, const PealId *id, bool crowded)
{
    peer_trace(peer, PEAL_TRACE_NEIGHBOUR_REFUSED, crowded, 0, 0, id);
    if (crowded) { /* the ring may have grown since the fingers told */
        guard_refresh(peer, GUARD_ASK_INTERVAL);
    }
}

bool guard_allows(PealPeer *peer, const PealId *id)
{
    bool crowded;

    if (!is_judged(peer, id)) {
        return true;
    }
    if (guard_of(peer)->samples_len < GUARD_SAMPLES_MIN) {
        guard_refresh(peer, GUARD_ASK_INTERVAL);
    }
    crowded = is_crowded(peer, id);
    if (crowded || !has_allowance(peer, guard_of(peer))) {
        refuse(peer, id, crowded);
        return false;
    }
    return true;
}

bool guard_admits(PealPeer *peer, const PealId *id)
{
    bool judged = is_judged(peer, id);

    if (!guard_allows(peer, id)) {
        return false;
    }
    if (judged && peer->overlay->defence.neighbour_rate > 0) {
        guard_of(peer)->allowance_milli -= MILLI;
    }
    return true;
}
