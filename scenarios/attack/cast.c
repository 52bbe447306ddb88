/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cast.c - who attacks: members drawn, identities placed. See <scenarios/attackers.h>. */
#include "attack/cast.h"

#include <scenarios/plan.h>

/* Members are drawn from a stream of each attack's own. */
static uint64_t draw(const AttackCast *cast, uint32_t attack, uint32_t number)
{
    return peal_random_at(cast->seed, attack_stream(attack), number);
}

static bool is_target(const ScenarioAttack *attack, uint32_t peer)
{
    return attack->target.kind != ATTACK_ON_EVERYONE && attack->target.peer == peer;
}

/* Selection sampling, as plan_draw_ranks does it; the target is spared. */
static void draw_members(AttackCast *cast, uint32_t number)
{
    const ScenarioAttack *attack = &cast->scenario->attacks[number];
    AttackHosts *hosts = &cast->hosts[number];
    uint32_t total = cast->population;
    uint32_t wanted = hosts->len;
    uint32_t left = total - (attack->target.kind != ATTACK_ON_EVERYONE);
    uint32_t taken = 0;

    for (uint32_t peer = 0; peer < total && taken < wanted; peer++) {
        if (is_target(attack, peer)) {
            continue;
        }
        if (peal_random_below(draw(cast, number, peer), left) < wanted - taken) {
            hosts->list[taken++] = peer;
            cast->is[peer] = 1;
        }
        left--;
    }
    PEAL_ASSERT(taken == wanted);
}

PealId attack_cast_key(const AttackCast *cast, uint32_t attack)
{
    const AttackTarget *target = &cast->scenario->attacks[attack].target;
    char text[PLAN_AOR_MAX];
    PealId key;
    int status;

    if (target->kind != ATTACK_ON_USER) {
        return plan_node_id(cast->seed, target->peer);
    }
    status =
        peal_aor_resource(cast->crypto,
                          scenario_aor(cast->scenario, target->peer, target->user, text), &key);
    PEAL_ASSERT(status == 0);
    return key;
}

/*
 * Identity i of a sybil: the key itself, the id before it, the one behind it, and so on: the owner
 * and the replicas of the key and all that leads there. Of an eclipse, around the peer's own id,
 * which is taken. Others are drawn.
 */
static PealId chosen_id(const AttackCast *cast, uint32_t attack, uint32_t i)
{
    AttackKind kind = cast->scenario->attacks[attack].kind;
    PealId key;

    if (kind != ATTACK_SYBIL && kind != ATTACK_ECLIPSE) {
        return plan_node_id(cast->seed, cast->hosts[attack].list[i]);
    }
    key = attack_cast_key(cast, attack);
    if (kind == ATTACK_ECLIPSE || cast->scenario->attacks[attack].target.kind == ATTACK_ON_PEER) {
        i++;
    }
    if (i % 2 == 0) {
        return peal_id_add(&key, (PealIdHalves){0, i / 2});
    }
    return peal_id_add(&key, peal_halves_sub((PealIdHalves){0, 0}, (PealIdHalves){0, i / 2 + 1}));
}

static void add_extras(AttackCast *cast, uint32_t number, uint32_t *next)
{
    AttackHosts *hosts = &cast->hosts[number];

    for (uint32_t i = 0; i < hosts->len; i++) {
        hosts->list[i] = (*next)++;
        cast->is[hosts->list[i]] = 1;
    }
    for (uint32_t i = 0; i < hosts->len; i++) {
        cast->ids[hosts->list[i] - cast->base] = chosen_id(cast, number, i);
    }
}

AttackCast *attack_cast_new(const Scenario *point, uint64_t seed, const PealCryptoOps *crypto)
{
    AttackCast *cast;
    uint32_t next = scenario_identities(point);

    if (point->attacks_len == 0) {
        return NULL;
    }
    cast = g_new0(AttackCast, 1);
    cast->scenario = point;
    cast->seed = seed;
    cast->crypto = crypto;
    cast->population = attack_population(point);
    cast->base = next;
    cast->len = scenario_hosts(point);
    cast->hosts = g_new0(AttackHosts, point->attacks_len);
    cast->is = g_new0(uint8_t, cast->len);
    cast->ids = g_new0(PealId, MAX(cast->len - cast->base, 1));
    for (guint i = 0; i < point->attacks_len; i++) {
        AttackHosts *hosts = &cast->hosts[i];
        uint32_t extras = attack_extras(&point->attacks[i]);

        hosts->len = extras > 0 ? extras : attack_members(point, &point->attacks[i]);
        hosts->list = g_new0(uint32_t, MAX(hosts->len, 1));
        if (extras > 0) {
            add_extras(cast, i, &next);
        } else {
            draw_members(cast, i);
        }
    }
    return cast;
}

void attack_cast_free(AttackCast *cast)
{
    if (cast == NULL) {
        return;
    }
    for (guint i = 0; i < cast->scenario->attacks_len; i++) {
        g_free(cast->hosts[i].list);
    }
    g_free(cast->hosts);
    g_free(cast->is);
    g_free(cast->ids);
    g_free(cast);
}

const uint32_t *attack_cast_hosts(const AttackCast *cast, uint32_t attack, uint32_t *ret_len)
{
    *ret_len = cast->hosts[attack].len;
    return cast->hosts[attack].list;
}

bool attack_cast_is(const AttackCast *cast, uint32_t host)
{
    return cast->is[host] != 0;
}

bool attack_cast_is_id(const AttackCast *cast, const PealId *id)
{
    for (uint32_t host = 0; host < cast->len; host++) {
        PealId other = attack_cast_node_id(cast, host);

        if (cast->is[host] != 0 && peal_id_equal(&other, id)) {
            return true;
        }
    }
    return false;
}

PealId attack_cast_node_id(const AttackCast *cast, uint32_t host)
{
    return host < cast->base ? plan_node_id(cast->seed, host) : cast->ids[host - cast->base];
}
