/* SPDX-License-Identifier: GPL-3.0-or-later */
/* attack.c - see attack.h. */
#include "attack.h"

#include "world.h"

enum { STATUS_UNAVAILABLE = 503 };

static const ScenarioAttack *attack_at(const World *world, uint32_t number)
{
    return &world->scenario->attacks[number];
}

static Attacker **attacker_at(const World *world, uint32_t number, uint32_t host)
{
    return &world->attacks->attackers[(size_t)number * world->peers_len + host];
}

/* An attacker in two attacks has two environments, one around the other. */
static void make_attackers(World *world)
{
    for (uint32_t number = 0; number < world->scenario->attacks_len; number++) {
        uint32_t len;
        const uint32_t *hosts = attack_cast_hosts(world->attacks->cast, number, &len);

        for (uint32_t i = 0; i < len; i++) {
            SimPeer *peer = world_peer(world, hosts[i]);

            peer->attacker = 1;
            *attacker_at(world, number, hosts[i]) =
                attacker_new(world->attacks->cast, number, attacks_env(world, peer),
                             &world->overlay, &world->attacks->counts.attackers);
        }
    }
}

static void mark_victims(World *world)
{
    for (uint32_t number = 0; number < world->scenario->attacks_len; number++) {
        const AttackTarget *target = &attack_at(world, number)->target;

        /* Who is the owner of a key is seen when the attack begins. */
        if (target->kind != ATTACK_ON_EVERYONE &&
            (attack_at(world, number)->kind == ATTACK_SIP_FLOOD ||
             attack_at(world, number)->kind == ATTACK_ECLIPSE)) {
            uint32_t house =
                world->phones != NULL ? phones_house(world, target->peer) : target->peer;

            world->attacks->is_victim[house] = 1;
        }
    }
}

Attacks *attacks_new(World *world)
{
    AttackCast *cast = attack_cast_new(world->scenario, world->seed, world->ops.crypto);
    Attacks *attacks;

    if (cast == NULL) {
        return NULL;
    }
    attacks = g_new0(Attacks, 1);
    attacks->cast = cast;
    attacks->agenda = attack_agenda_new(cast);
    attacks->attackers =
        g_new0(Attacker *, (size_t)world->scenario->attacks_len * world->peers_len);
    attacks->is_victim = g_new0(uint8_t, world->peers_len);
    world->attacks = attacks;
    make_attackers(world);
    mark_victims(world);
    return attacks;
}

void attacks_free(World *world)
{
    Attacks *attacks = world->attacks;

    if (attacks == NULL) {
        return;
    }
    for (size_t i = 0; i < (size_t)world->scenario->attacks_len * world->peers_len; i++) {
        attacker_free(attacks->attackers[i]);
    }
    g_free(attacks->attackers);
    g_free(attacks->is_victim);
    attack_agenda_free(attacks->agenda);
    attack_cast_free(attacks->cast);
    g_free(attacks);
}

PealId attacks_node_id(const World *world, uint32_t host)
{
    return attack_cast_node_id(world->attacks->cast, host);
}

PealEnv *attacks_env(World *world, SimPeer *peer)
{
    PealEnv *env = &peer->env;

    for (uint32_t i = 0; i < world->scenario->attacks_len; i++) {
        Attacker *attacker = *attacker_at(world, i, peer->index);

        env = attacker != NULL ? attacker_env(attacker) : env;
    }
    return env;
}

PealBuf *attacks_receive_take(World *world, SimPeer *peer, PealBuf *buf)
{
    for (uint32_t i = 0; i < world->scenario->attacks_len; i++) {
        Attacker *attacker = *attacker_at(world, i, peer->index);

        if (attacker != NULL) {
            buf = attacker_receive_take(attacker, sim_peer_core(peer), buf);
        }
    }
    return buf;
}

/* The decoys of an eclipse: a ring of their own, made without a word, which the victim hears of
 * from the one that joins. */

typedef struct Decoy {
    PealIdHalves id;
    uint32_t host;
} Decoy;

typedef struct Decoys {
    World *world;
    Decoy *list; /* clockwise */
    uint32_t len;
    SimPeer *self;
} Decoys;

static int compare_decoys(const void *a, const void *b)
{
    const Decoy *one = a;
    const Decoy *other = b;

    if (peal_halves_less(one->id, other->id)) {
        return -1;
    }
    return peal_halves_less(other->id, one->id);
}

static PealId decoy_member(const PealRingView *view, uint32_t rank)
{
    const Decoys *decoys = view->user;

    return peal_id_from_halves(decoys->list[rank].id);
}

static uint32_t decoy_owner(const PealRingView *view, const PealId *id)
{
    const Decoys *decoys = view->user;
    PealIdHalves key = peal_id_halves(id);

    for (uint32_t i = 0; i < decoys->len; i++) {
        if (!peal_halves_less(decoys->list[i].id, key)) {
            return i;
        }
    }
    return 0;
}

/* A flow between two accomplices, up and identified. */
static bool link_accomplices(World *world, SimPeer *one, SimPeer *other)
{
    PealId one_id = attacks_node_id(world, one->index);
    PealId other_id = attacks_node_id(world, other->index);
    PealFlow here;
    PealFlow there;

    if (flow_between(one, other->index, &here)) {
        return true;
    }
    if (!flow_pair(world, one, other, &here, &there)) {
        return false;
    }
    peal_peer_adopt(sim_peer_core(one), here, &other_id);
    peal_peer_adopt(sim_peer_core(other), there, &one_id);
    return true;
}

static bool decoy_link(PealRingView *view, uint32_t rank)
{
    const Decoys *decoys = view->user;

    return link_accomplices(decoys->world, decoys->self,
                            world_peer(decoys->world, decoys->list[rank].host));
}

static void prepare_decoys(World *world, uint32_t number)
{
    uint32_t len;
    const uint32_t *hosts = attack_cast_hosts(world->attacks->cast, number, &len);
    Decoys decoys = {.world = world, .len = len - 1};
    uint32_t afterwards = world->afterwards_len;

    decoys.list = g_new0(Decoy, len);
    for (uint32_t i = 0; i < decoys.len; i++) {
        PealId id = attacks_node_id(world, hosts[i + 1]);

        decoys.list[i] = (Decoy){peal_id_halves(&id), hosts[i + 1]};
        world_make_peer(world, hosts[i + 1]);
    }
    qsort(decoys.list, decoys.len, sizeof(Decoy), compare_decoys);
    for (uint32_t i = 0; i < decoys.len; i++) {
        PealRingView view = {.members_len = decoys.len,
                             .self_rank = i,
                             .user = &decoys,
                             .member = decoy_member,
                             .owner = decoy_owner,
                             .link = decoy_link};

        decoys.self = world_peer(world, decoys.list[i].host);
        peal_peer_converge(sim_peer_core(decoys.self), &view);
    }
    world->afterwards_len = afterwards; /* they have joined no ring that anybody else knows */
    g_free(decoys.list);
}

void attacks_joined(World *world, uint32_t host)
{
    for (uint32_t number = 0; number < world->scenario->attacks_len; number++) {
        uint32_t len;
        const uint32_t *hosts = attack_cast_hosts(world->attacks->cast, number, &len);

        if (attack_at(world, number)->kind != ATTACK_ECLIPSE || len == 0 || hosts[0] != host) {
            continue;
        }
        for (uint32_t i = 1; i < len; i++) {
            if (world_peer(world, hosts[i])->up) {
                (void)link_accomplices(world, world_peer(world, host), world_peer(world, hosts[i]));
            }
        }
    }
}

/* The agenda. */

static void mark(World *world, uint32_t number, const char *what)
{
    const ScenarioAttack *attack = attack_at(world, number);
    g_autofree char *text = attack_text(attack);
    g_autofree char *line = g_strdup_printf("%s %s: %s", attack->name, what, text);

    recorder_event(world->recorder, world->now, line);
}

/* Who has the work of a key that is asked for all the time, or is to lose it. */
static void mark_owner(World *world, uint32_t number)
{
    const ScenarioAttack *attack = attack_at(world, number);
    uint32_t owner;

    if ((attack->kind == ATTACK_LOOKUP_FLOOD || attack->kind == ATTACK_SYBIL) &&
        attack->target.kind != ATTACK_ON_EVERYONE) {
        PealId key = attack_cast_key(world->attacks->cast, number);

        owner = oracle_owner(&world->oracle, &key);
        if (owner != ORACLE_NONE) {
            world->attacks->is_victim[owner] = 1;
        }
    }
}

static void end_attack(World *world, uint32_t number)
{
    uint32_t len;
    const uint32_t *hosts = attack_cast_hosts(world->attacks->cast, number, &len);

    mark(world, number, "ends");
    for (uint32_t i = 0; attack_at(world, number)->identities > 0 && i < len; i++) {
        world_stop_peer(world, hosts[i], false);
    }
}

static void join(World *world, const AttackAction *action)
{
    uint32_t len;
    const uint32_t *hosts = attack_cast_hosts(world->attacks->cast, action->attack, &len);
    const ScenarioAttack *attack = attack_at(world, action->attack);

    if (attack->kind != ATTACK_ECLIPSE) {
        world_start_peer(world, action->host, world->started);
    } else if (action->host == hosts[0]) {
        world_start_peer_at(world, action->host, attack->target.peer);
    }
}

static void shoot_sip(World *world, const AttackAction *action)
{
    bool phone = attack_at(world, action->attack)->phones > 0;
    uint16_t port = phone ? WORLD_PHONE_PORT : WORLD_SIP_PORT;
    uint32_t to = phones_house(world, attack_shot_peer(world->attacks->cast, action));
    PealAddr from = world_addr(action->host);
    PealHop hop = {.addr = world_addr(to), .transport = PEAL_UDP};
    Packet *packet = packet_new(&world->packets, ATTACK_SHOT_MAX);

    from.port = port;
    hop.addr.port = WORLD_SIP_PORT;
    packet->buf.len = (uint32_t)attack_shot_text(world->attacks->cast, action, &from,
                                                 (char *)packet->buf.data, packet->buf.cap);
    siphop_send_take(world, world_peer(world, action->host), port, &hop, &packet->buf);
    world->attacks->counts.sent++;
}

static void shoot_lookup(World *world, const AttackAction *action)
{
    SimPeer *peer = world_peer(world, action->host);
    PealId key = attack_shot_key(world->attacks->cast, action);

    if (!peer->joined || peer->leaving) {
        return;
    }
    world->attacks->counts.sent++;
    if (peal_peer_fetch(sim_peer_core(peer), &key, PEAL_KIND_SIP_REGISTRATION,
                        token_make(TOKEN_ATTACK, 0)) != 0) {
        world->attacks->counts.failed++;
    }
}

static void shoot(World *world, const AttackAction *action)
{
    bool phone = attack_at(world, action->attack)->phones > 0;

    if (attack_at(world, action->attack)->kind == ATTACK_LOOKUP_FLOOD) {
        shoot_lookup(world, action);
    } else if (phone || world_peer(world, action->host)->up) {
        shoot_sip(world, action);
    }
}

PealTime attacks_peek(const World *world)
{
    return attack_agenda_peek(world->attacks->agenda);
}

void attacks_step(World *world)
{
    AttackAction action = attack_agenda_next(world->attacks->agenda);

    switch (action.step) {
    case ATTACK_BEGINS:
        mark(world, action.attack, "begins");
        mark_owner(world, action.attack);
        if (attack_at(world, action.attack)->kind == ATTACK_ECLIPSE) {
            prepare_decoys(world, action.attack);
        }
        break;
    case ATTACK_ENDS:
        end_attack(world, action.attack);
        break;
    case ATTACK_JOINS:
        join(world, &action);
        break;
    case ATTACK_VANISHES:
        world_stop_peer(world, action.host, false);
        break;
    case ATTACK_SHOOTS:
        shoot(world, &action);
        break;
    }
}

/* Counting. */

static bool in_window(const World *world, PealTime at)
{
    return at.ns >= world->scenario->warmup.ns && at.ns < world->scenario->duration.ns;
}

bool attacks_sip(World *world, SimPeer *peer, Packet *packet)
{
    AttackCounts *counts = &world->attacks->counts;
    unsigned status;

    if (world->attacks->is_victim[peer->index] != 0 && packet->to.index == WORLD_SIP_PORT &&
        in_window(world, world->now)) {
        counts->victim_sip++;
        counts->victim_flood += world_peer(world, packet->source)->attacker;
    }
    if (!peer->attacker) {
        return false;
    }
    if (attack_is_answer((PealBytes){packet->buf.data, packet->buf.len}, &status)) {
        counts->answered += status < 300;
        counts->refused += status == STATUS_UNAVAILABLE;
        counts->failed += status >= 300 && status != STATUS_UNAVAILABLE;
    }
    if (peer->up || packet->to.index == WORLD_SIP_PORT) {
        return false;
    }
    packet_free(&world->packets, packet);
    return true;
}

bool attacks_concern(const World *world, const PlanAction *action)
{
    return world->attacks != NULL &&
           (world_peer(world, action->peer)->attacker ||
            (!action->keyed && world_peer(world, action->target_peer)->attacker));
}

bool attacks_owner_honest(const World *world, const PealId *key)
{
    uint32_t owner = oracle_owner(&world->oracle, key);

    return owner != ORACLE_NONE && !world_peer(world, owner)->attacker;
}

bool attacks_lies(const World *world, uint32_t host)
{
    for (uint32_t i = 0; i < world->scenario->attacks_len; i++) {
        const ScenarioAttack *attack = attack_at(world, i);
        bool lies = attack->kind == ATTACK_WRONG_ANSWER ||
                    (attack->identities > 0 && attack->then == ATTACK_THEN_LIE);

        if (lies && *attacker_at(world, i, host) != NULL && world->now.ns >= attack->from.ns &&
            world->now.ns < attack->until.ns) {
            return true;
        }
    }
    return false;
}

void attacks_fetched(World *world, const PealOutcome *outcome)
{
    if (outcome->status == 0 || outcome->status == -PEAL_E_REFUSED) {
        world->attacks->counts.answered++;
    } else {
        world->attacks->counts.failed++;
    }
}

void attacks_lookup(World *world, const Lookup *lookup, bool succeeded)
{
    if (lookup->honest_owner && in_window(world, lookup->started)) {
        world->attacks->counts.honest_owners++;
        world->attacks->counts.honest_succeeded += succeeded;
    }
}

/* How many of a peer's neighbours are attackers. */
static void add_captured(const World *world, uint32_t victim, AttackCaptured *captured)
{
    PealId ids[2 * PEAL_NEIGHBOURS_MAX];
    const PealPeer *core = sim_peer_core(world_peer(world, victim));
    size_t len = peal_peer_successors(core, ids, PEAL_NEIGHBOURS_MAX);

    len += peal_peer_predecessors(core, ids + len, PEAL_NEIGHBOURS_MAX);
    captured->neighbours += len;
    for (size_t i = 0; i < len; i++) {
        captured->neighbours_taken += attack_cast_is_id(world->attacks->cast, &ids[i]);
    }
}

AttackCaptured attacks_captured(const World *world)
{
    AttackCaptured captured = {0};

    for (uint32_t number = 0; number < world->scenario->attacks_len; number++) {
        const ScenarioAttack *attack = attack_at(world, number);

        if (attack->kind == ATTACK_ECLIPSE && world_peer(world, attack->target.peer)->joined) {
            add_captured(world, attack->target.peer, &captured);
        } else if (attack->kind == ATTACK_SYBIL) {
            PealId key = attack_cast_key(world->attacks->cast, number);

            captured.keys++;
            captured.keys_taken += !attacks_owner_honest(world, &key);
        }
    }
    return captured;
}

/* The busiest of the targets. */
static void add_busy(const World *world, RunOutcome *outcome)
{
    double most = 0;

    for (uint32_t i = 0; i < world->peers_len; i++) {
        if (world->attacks->is_victim[i] != 0) {
            most = MAX(most, processor_busy(&world->processor, i, world->now));
        }
    }
    run_outcome_figure(outcome, "attack.victim_busy", most, RESULTS_MEAN);
}

void attacks_figures(const World *world, RunOutcome *outcome)
{
    const AttackCounts *counts = &world->attacks->counts;
    const RecorderFigures *figures = recorder_figures(world->recorder);
    double window_s = (double)figures->window.ns / 1e9;
    uint64_t hosts = 0;
    uint64_t victim_messages = 0;
    AttackCaptured captured = attacks_captured(world);

    for (uint32_t i = 0; i < world->peers_len; i++) {
        hosts += world_peer(world, i)->attacker;
        victim_messages += world->attacks->is_victim[i] ? world_peer(world, i)->messages : 0;
    }
    run_outcome_figure(outcome, "attack.hosts", (double)hosts, RESULTS_MEAN);
    run_outcome_figure(outcome, "attack.sent", (double)counts->sent, RESULTS_SUM);
    run_outcome_figure(outcome, "attack.answered", (double)counts->answered, RESULTS_SUM);
    run_outcome_figure(outcome, "attack.refused", (double)counts->refused, RESULTS_SUM);
    run_outcome_figure(outcome, "attack.failed", (double)counts->failed, RESULTS_SUM);
    run_outcome_figure(outcome, "attack.dropped", (double)counts->attackers.dropped, RESULTS_SUM);
    run_outcome_figure(outcome, "attack.false_answers", (double)counts->attackers.answered,
                       RESULTS_SUM);
    run_outcome_figure(outcome, "attack.diverted", (double)counts->attackers.diverted, RESULTS_SUM);
    run_outcome_figure(outcome, "attack.lies", (double)counts->attackers.lies, RESULTS_SUM);
    run_outcome_figure(outcome, "attack.victim_messages", (double)victim_messages, RESULTS_SUM);
    run_outcome_figure(outcome, "attack.victim_sip", (double)counts->victim_sip, RESULTS_SUM);
    run_outcome_figure(outcome, "attack.victim_flood", (double)counts->victim_flood, RESULTS_SUM);
    if (!processor_is_infinite(&world->processor)) {
        add_busy(world, outcome);
    }
    run_outcome_figure(outcome, "attack.honest_owner_lookups", (double)counts->honest_owners,
                       RESULTS_SUM);
    run_outcome_rate(outcome, "attack.honest_owner_success_rate", counts->honest_succeeded,
                     counts->honest_owners);
    run_outcome_rate(outcome, "attack.neighbours_captured", captured.neighbours_taken,
                     captured.neighbours);
    run_outcome_rate(outcome, "attack.keys_captured", captured.keys_taken, captured.keys);
    run_outcome_figure(outcome, "goodput.lookups_per_second",
                       window_s > 0 ? (double)figures->correct / window_s : 0, RESULTS_MEAN);
    if (world->phones != NULL) {
        run_outcome_figure(outcome, "goodput.calls_per_second",
                           window_s > 0 ? (double)figures->calls_answered / window_s : 0,
                           RESULTS_MEAN);
        run_outcome_rate(outcome, "goodput.registration_rate", world->counts.registered,
                         world->counts.registered + world->counts.register_failed);
    }
}
