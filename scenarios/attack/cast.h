/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cast.h - the inside of an AttackCast, and the streams that attacks draw from.
 * Source: none.
 * State:  see <scenarios/attackers.h>.
 * Time:   none.
 */
#ifndef ATTACK_CAST_H
#define ATTACK_CAST_H

#include <scenarios/attackers.h>

typedef struct AttackHosts {
    uint32_t *list;
    uint32_t len;
} AttackHosts;

struct AttackCast {
    const Scenario *scenario;
    const PealCryptoOps *crypto;
    uint64_t seed;
    AttackHosts *hosts;  /* by attack */
    uint8_t *is;         /* by host: it attacks */
    PealId *ids;         /* of hosts from `base` on */
    uint32_t population; /* whom members are drawn from, and what is shot at */
    uint32_t base;       /* the first host that no plan knows */
    uint32_t len;        /* hosts */
};

/* Behind all peers: a stream for whom an attack draws, and one for what its shots are. */
static inline uint64_t attack_stream(uint32_t attack)
{
    return peal_random_stream(UINT32_MAX - 2 * attack, PEAL_DRAW_ATTACK);
}

static inline uint64_t attack_shot_stream(uint32_t attack)
{
    return peal_random_stream(UINT32_MAX - 2 * attack - 1, PEAL_DRAW_ATTACK);
}

/* The raw numbers of a shot in its stream; its interval's come first. */
enum { ATTACK_RAW_HOST = 4, ATTACK_RAW_PEER, ATTACK_RAW_USER, ATTACK_RAW_KEY, ATTACK_RAW_KEY_LOW };

static inline uint64_t attack_shot_draw(const AttackCast *cast, uint32_t attack, uint64_t number,
                                        unsigned raw)
{
    return peal_random_at(cast->seed, attack_shot_stream(attack), number * DIST_RAW_PER_DRAW + raw);
}

#endif
