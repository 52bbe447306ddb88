/* SPDX-License-Identifier: GPL-3.0-or-later */
/* redundant.c - several ways for one lookup; see redundant.h. */
#include "reload/redundant.h"

#include "peer.h"

/* An answer, kept: what it says and who says it. */
struct RedundantHeld {
    Inbound inbound;
    int status;
    uint16_t error;
    uint8_t body[];
};

enum { CANDIDATES_MAX = PEAL_REDUNDANT_MAX * 5 }; /* fresh ones for each of the usual five sends */

void redundant_choose(PealPeer *peer, Redundant *redundant, const PealId *to, unsigned turn)
{
    uint16_t links[CANDIDATES_MAX];
    size_t len = peer->topology->first_hops != NULL
                     ? peer->topology->first_hops(peer, to, links, CANDIDATES_MAX)
                     : 0;
    size_t ways = peer->overlay->defence.redundant_lookups;

    redundant->ways = (uint16_t)(ways < len ? ways : len);
    redundant->answered = 0;
    for (size_t i = 0; i < redundant->ways; i++) {
        redundant->through[i] =
            link_at(&peer->links, links[(turn * redundant->ways + i) % len])->id;
    }
}

static size_t held_size(const RedundantHeld *held)
{
    return sizeof(*held) + held->inbound.message.body.len;
}

void redundant_fini(PealPeer *peer, Redundant *redundant)
{
    if (redundant->held != NULL) {
        peer_release(peer, redundant->held, held_size(redundant->held));
        redundant->held = NULL;
    }
}

static void hold(PealPeer *peer, Redundant *redundant, const RequestResult *result)
{
    const Inbound *answer = result->answer;
    PealBytes body = answer->message.body;
    RedundantHeld *held = peer_alloc(peer, sizeof(*held) + body.len);

    if (held == NULL) {
        return;
    }
    if (body.len > 0) {
        memcpy(held->body, body.ptr, body.len);
    }
    held->status = result->status;
    held->error = result->error;
    held->inbound.signer = answer->signer;
    held->inbound.link = answer->link;
    held->inbound.message.code = answer->message.code;
    held->inbound.message.header.transaction = result->transaction;
    held->inbound.message.body = (PealBytes){held->body, body.len};
    redundant_fini(peer, redundant);
    redundant->held = held;
}

static void mark_answered(const PealPeer *peer, Redundant *redundant, uint16_t link)
{
    for (unsigned i = 0; link != LINK_NONE && i < redundant->ways; i++) {
        if (peal_id_equal(&redundant->through[i], &link_at(&peer->links, link)->id)) {
            redundant->answered |= (uint16_t)(1U << i);
        }
    }
}

bool redundant_held(const Redundant *redundant, RequestResult *result)
{
    const RedundantHeld *held = redundant->held;

    if (held == NULL) {
        return false;
    }
    result->status = held->status;
    result->error = held->error;
    result->answer = &held->inbound;
    return true;
}

bool redundant_settles(PealPeer *peer, Redundant *redundant, const PealId *to,
                       RequestResult *result)
{
    const Inbound *answer = result->answer;
    const RedundantHeld *held = redundant->held;

    if (redundant->ways == 0 || (result->status == 0 && redundant->good(peer, to, answer))) {
        return true;
    }
    mark_answered(peer, redundant, answer->link);
    if (held == NULL || peal_halves_less(peal_id_distance(to, &answer->signer),
                                         peal_id_distance(to, &held->inbound.signer))) {
        hold(peer, redundant, result);
    }
    if (redundant->answered != (1U << redundant->ways) - 1) {
        return false;
    }
    (void)redundant_held(redundant, result); /* without memory for it, this answer must do */
    return true;
}
