/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gate.c - see gate.h. */
#include "security/gate.h"

#include "peer.h"
#include "security/defence.h"

enum { GATE_STEPS_MAX = 100, GATE_REDUCE_UP = 10, GATE_REDUCE_DOWN = 1, GATE_REDUCE_MAX = 90 };
#define GATE_GAP_MAX peal_seconds(10)

static const int64_t MILLI_HOUR_NS = INT64_C(3600000) * PEAL_NS_PER_S;

bool gate_wanted(const PealOverlay *overlay)
{
    return peal_defence_admits(overlay);
}

Gate *gate_of(const PealPeer *peer)
{
    return peer->defence != NULL ? peer->defence->gate : NULL;
}

void gate_init(PealPeer *peer)
{
    static const char digits[] = "0123456789abcdef";
    const PealDefence *config = &peer->overlay->defence;
    Gate *gate = gate_wanted(peer->overlay) ? peer_alloc(peer, sizeof(*gate)) : NULL;
    uint64_t tag;

    peer->defence->gate = gate;
    if (gate == NULL) {
        return;
    }
    buckets_init(&gate->buckets, config->sources);
    if (config->source_rate_milli > 0) {
        int64_t token = MILLI_HOUR_NS / (int64_t)config->source_rate_milli;
        int64_t known = token / config->known_factor;

        gate->rate = (BucketRate){{token > 0 ? token : 1}, config->source_burst};
        gate->known_rate = (BucketRate){{known > 0 ? known : 1},
                                        (uint32_t)config->source_burst * config->known_factor};
    }
    gate->key = peer_random(peer, PEAL_DRAW_SIP);
    tag = peer_random(peer, PEAL_DRAW_SIP);
    for (int i = 0; i < GATE_TAG_LEN; i++) {
        gate->tag[i] = digits[tag >> (4 * i) & 15];
    }
}

void gate_fini(PealPeer *peer)
{
    Gate *gate = peer->defence->gate;

    if (gate != NULL) {
        buckets_fini(&gate->buckets, peer->env);
        peer_release(peer, gate, sizeof(*gate));
        peer->defence->gate = NULL;
    }
}

/* Who it is. */

static uint64_t source_of(uint64_t key, uint64_t high, uint64_t low)
{
    uint64_t hash = peal_random_block((PealRandomBlock){{high, low}}, key).word[0];

    return hash != 0 ? hash : 1;
}

uint64_t gate_addr(const Gate *gate, const PealAddr *addr)
{
    uint64_t prefix = 0;

    memcpy(&prefix, addr->ip, addr->family == 4 ? 4 : sizeof(prefix));
    return source_of(gate->key, prefix, addr->family);
}

uint64_t gate_node(const Gate *gate, const PealId *node)
{
    uint64_t halves[2];

    memcpy(halves, node->bytes, sizeof(halves));
    return source_of(~gate->key, halves[0], halves[1]);
}

uint64_t gate_flow(const Gate *gate, PealFlow flow)
{
    return source_of(~gate->key, (uint64_t)flow.index << 32 | flow.generation, UINT64_MAX);
}

void gate_vouch(PealPeer *peer, const PealAddr *addr, PealTime until)
{
    Gate *gate = gate_of(peer);

    if (gate != NULL && addr->family != 0) {
        buckets_vouch(&gate->buckets, peer->env, gate_addr(gate, addr), peer_now(peer), until);
    }
}

bool gate_knows(const PealPeer *peer, uint64_t source)
{
    const Bucket *bucket = buckets_find(&gate_of(peer)->buckets, source);

    return bucket != NULL && bucket->known_until.ns > peer->env->ops->now(peer->env).ns;
}

/* What it may do. */

bool gate_take(PealPeer *peer, const GateCase *item)
{
    Gate *gate = gate_of(peer);
    BucketRate rate = item->known ? gate->known_rate : gate->rate;
    uint64_t source = item->source;

    if (rate.token.ns == 0) {
        return true;
    }
    if (item->urgent) {
        rate.token.ns = rate.token.ns > GATE_URGENT_FACTOR ? rate.token.ns / GATE_URGENT_FACTOR : 1;
        rate.burst *= GATE_URGENT_FACTOR;
        source = source_of(gate->key, source, UINT64_MAX);
    }
    return buckets_take(&gate->buckets, peer->env, source, peer_now(peer), &rate);
}

static void gap_widen(Gate *gate)
{
    int64_t first = 2 * GATE_STEP.ns / (gate->let_in > 0 ? gate->let_in : 1);
    int64_t gap = gate->gap.ns == 0 ? first : 2 * gate->gap.ns;

    gate->gap.ns = gap < GATE_GAP_MAX.ns ? gap : GATE_GAP_MAX.ns;
}

/* Up by large steps while the wait is too long, down by small ones when it is short; never all, for
 * then nobody would hear of the end. */
static void reduction_look(Gate *gate, PealSpan target)
{
    int reduction = gate->status.reduction;

    if (gate->wait.ns > target.ns) {
        reduction = reduction + GATE_REDUCE_UP;
    } else if (gate->wait.ns < target.ns / 2) {
        reduction = reduction - GATE_REDUCE_DOWN;
    }
    reduction = reduction < 0 ? 0 : reduction;
    gate->status.reduction = (uint8_t)(reduction < GATE_REDUCE_MAX ? reduction : GATE_REDUCE_MAX);
}

/* Looks whether GATE_STEP is over. Of many that passed without a message, some count. */
static void gap_look(Gate *gate, PealTime now, PealSpan target)
{
    int64_t steps = peal_time_since(now, gate->step_at).ns / GATE_STEP.ns + 1;

    if (!peal_time_due(gate->step_at, now)) {
        return;
    }
    if (gate->wait.ns > target.ns) {
        gap_widen(gate);
    } else if (peal_time_since(now, gate->kept_out_at).ns > GATE_CALM.ns) {
        gate->gap.ns = 0;
    } else if (gate->wait.ns < target.ns / 2) {
        gate->gap.ns -= gate->gap.ns / 1000 * 3 * (steps < GATE_STEPS_MAX ? steps : GATE_STEPS_MAX);
    }
    reduction_look(gate, target);
    gate->let_in = 0;
    gate->step_at = peal_time_add(now, GATE_STEP);
}

static bool gap_is_over(Gate *gate, PealTime now)
{
    if (gate->gap.ns > 0 && !peal_time_due(gate->next_at, now)) {
        return false;
    }
    gate->next_at = peal_time_add(now, gate->gap);
    return true;
}

bool gate_has_time(PealPeer *peer, const GateCase *item)
{
    Gate *gate = gate_of(peer);
    PealSpan target = peer->overlay->defence.overload_wait;
    int64_t factor = item->known ? GATE_KNOWN_WAIT : item->urgent ? GATE_STRANGER_URGENT_WAIT : 1;
    PealTime now;

    if (target.ns == 0) {
        return true;
    }
    now = peer_now(peer);
    gap_look(gate, now, target);
    if (item->known || item->urgent) {
        return (item->known && item->urgent) || gate->wait.ns <= factor * target.ns;
    }
    if (gate->wait.ns > target.ns || !gap_is_over(gate, now)) {
        gate->kept_out_at = now;
        return false;
    }
    gate->let_in++;
    return true;
}

void peal_peer_gate_status(const PealPeer *peer, PealGateStatus *ret_status)
{
    const Gate *gate = gate_of(peer);

    *ret_status = (PealGateStatus){.refused = 0};
    if (gate != NULL) {
        *ret_status = gate->status;
        ret_status->sources =
            buckets_count(&gate->buckets, peer->env->ops->now(peer->env), &ret_status->known);
    }
}
