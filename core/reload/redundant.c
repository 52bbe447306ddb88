/* SPDX-License-Identifier: GPL-3.0-or-later */
/* redundant.c - several ways for one lookup; see redundant.h. */
#include "reload/redundant.h"

#include "peer.h"

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

void redundant_fini(PealPeer *peer, Redundant *redundant)
{
    held_free(peer, redundant->held);
    redundant->held = NULL;
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
    if (redundant->held != NULL) {
        held_read(redundant->held, result);
    }
    return redundant->held != NULL;
}

static bool is_truer(const Redundant *redundant, const PealId *to, const PealId *signer)
{
    return redundant->held == NULL ||
           peal_halves_less(peal_id_distance(to, signer),
                            peal_id_distance(to, held_signer(redundant->held)));
}

bool redundant_settles(PealPeer *peer, Redundant *redundant, const PealId *to,
                       RequestResult *result)
{
    const Inbound *answer = result->answer;

    if (redundant->ways == 0 || (result->status == 0 && redundant->good(peer, to, answer))) {
        return true;
    }
    mark_answered(peer, redundant, answer->link);
    if (is_truer(redundant, to, &answer->signer)) {
        Held *held = held_new(peer, result);

        if (held != NULL) {
            redundant_fini(peer, redundant);
            redundant->held = held;
        }
    }
    if (redundant->answered != (1U << redundant->ways) - 1) {
        return false;
    }
    (void)redundant_held(redundant, result); /* without memory for it, this answer must do */
    return true;
}
