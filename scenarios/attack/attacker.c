/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * attacker.c - environments that are not honest. See <scenarios/attackers.h>.
 *
 * What must not be forwarded is spoilt when it arrives: the peer acknowledges it on the link, so
 * that its neighbours go on trusting that, and throws it away. What must be answered falsely is
 * diverted to the peer itself, and the answer exchanged when it leaves. A new attack is a row of
 * ATTACKS.
 */
#include "attack/cast.h"

enum { KNOWN_MAX = 2 * PEAL_NEIGHBOURS_MAX + PEAL_FINGERS_MAX, ROOM = 512, LIES = 64 };

/* A Fetch that will be answered falsely. */
typedef struct Lie {
    uint64_t transaction;
    PealId key;
} Lie;

struct Attacker {
    PealEnv env; /* first */
    PealEnvOps ops;
    PealEnv *inner;
    const AttackCast *cast;
    const ScenarioAttack *spec;
    const struct AttackOps *attack;
    const PealOverlay *overlay;
    AttackerCounts *counts;
    uint32_t number; /* of the attack */
    bool spoilt;     /* what the peer drops next is the attacker's doing */
    bool has_self;
    PealId self;
    Lie lies[LIES]; /* the Fetches that came last, round */
    uint32_t lies_next;
};

/* What an attack does. Both take and return a buffer. */
typedef struct AttackOps {
    PealBuf *(*receive)(Attacker *attacker, PealPeer *peer, PealBuf *buf);
    PealBuf *(*send)(Attacker *attacker, PealBuf *buf);
} AttackOps;

static Attacker *attacker_of(PealEnv *env)
{
    return (Attacker *)(void *)env;
}

static bool is_on(Attacker *attacker)
{
    int64_t now = attacker->inner->ops->now(attacker->inner).ns;

    return now >= attacker->spec->from.ns && now < attacker->spec->until.ns;
}

static PealBytes bytes_of(const PealBuf *buf)
{
    return (PealBytes){buf->data, buf->len};
}

static bool read_message(const Attacker *attacker, const PealBuf *buf, PealMessage *ret_message)
{
    return peal_message_read(attacker->overlay, bytes_of(buf), ret_message) == 0;
}

/* Is that id one of this attack's? */
static bool is_accomplice(const Attacker *attacker, const PealId *id)
{
    const AttackHosts *hosts = &attacker->cast->hosts[attacker->number];

    for (uint32_t i = 0; i < hosts->len; i++) {
        PealId other = attack_cast_node_id(attacker->cast, hosts->list[i]);

        if (peal_id_equal(&other, id)) {
            return true;
        }
    }
    return false;
}

static PealBuf *spoil(Attacker *attacker, PealBuf *buf)
{
    if (peal_message_spoil(buf) == 0) {
        attacker->spoilt = true;
        attacker->counts->dropped++;
    }
    return buf;
}

/* Droppers. */

static PealBuf *drop_receive(Attacker *attacker, PealPeer *peer, PealBuf *buf)
{
    AttackDrops drops = attacker->spec->drops;
    PealMessage message;

    if (!peal_message_passes(peer, bytes_of(buf))) {
        return buf;
    }
    if (drops != ATTACK_DROPS_ALL && (!read_message(attacker, buf, &message) ||
                                      message.request != (drops == ATTACK_DROPS_REQUESTS))) {
        return buf;
    }
    return spoil(attacker, buf);
}

/* Wrong answers. */

/* Every Fetch is for this peer. */
static PealBuf *lie_receive(Attacker *attacker, PealPeer *peer, PealBuf *buf)
{
    PealMessage message;

    if (!read_message(attacker, buf, &message) || message.code != PEAL_MESSAGE_FETCH_REQ) {
        return buf;
    }
    attacker->lies[attacker->lies_next++ % LIES] = (Lie){message.transaction, message.to};
    if (peal_message_passes(peer, bytes_of(buf)) &&
        peal_message_divert(buf, &attacker->self) == 0) {
        attacker->counts->diverted++;
    }
    return buf;
}

/* Whom an asker believes is whoever lies next to the key (RFC 6940 s.6.3.4). Without signatures an
 * answer may be anybody's, so it is that of a peer with the key for its Node-ID; with them it can
 * only be the attacker's own. */
static PealId false_signer(const Attacker *attacker, uint64_t transaction)
{
    for (uint32_t i = 0; attacker->overlay->crypto == PEAL_CRYPTO_NONE && i < LIES; i++) {
        if (attacker->lies[i].transaction == transaction) {
            return attacker->lies[i].key;
        }
    }
    return attacker->self;
}

static PealBuf *lie_send(Attacker *attacker, PealBuf *buf)
{
    bool registered = attacker->spec->answer == ATTACK_ANSWER_FALSE;
    uint8_t body[PEAL_MESSAGE_FOUND_MAX];
    PealMessage message;
    PealBuf *made = NULL;
    size_t len;

    if (!attacker->has_self || !read_message(attacker, buf, &message) ||
        message.code != PEAL_MESSAGE_FETCH_ANS ||
        !peal_id_equal(&message.signer, &attacker->self)) {
        return buf;
    }
    len =
        peal_message_put_found(attacker->overlay, registered ? &attacker->self : NULL,
                               attacker->inner->ops->unix_ms(attacker->inner), body, sizeof(body));
    message.body = (PealBytes){body, len};
    message.signer = false_signer(attacker, message.transaction);
    if (len > 0) {
        made = peal_message_rewrite(attacker->inner, attacker->overlay, buf, &message);
    }
    if (made == NULL) {
        return buf;
    }
    attacker->counts->answered++;
    attacker->inner->ops->drop(attacker->inner, buf);
    return made;
}

/* Wrong hops. */

/* The way between two points, whichever way round is the shorter. */
static PealIdHalves gap(const PealId *a, const PealId *b)
{
    PealIdHalves one = peal_id_distance(a, b);
    PealIdHalves other = peal_id_distance(b, a);

    return peal_halves_less(one, other) ? one : other;
}

static bool farthest(const PealPeer *peer, const PealId *from, PealId *ret_id)
{
    PealId known[KNOWN_MAX];
    size_t len = peal_peer_successors(peer, known, PEAL_NEIGHBOURS_MAX);
    PealIdHalves most = {0, 0};

    len += peal_peer_predecessors(peer, known + len, PEAL_NEIGHBOURS_MAX);
    len += peal_peer_fingers(peer, known + len, PEAL_FINGERS_MAX);
    for (size_t i = 0; i < len; i++) {
        PealIdHalves way = gap(&known[i], from);

        if (peal_halves_less(most, way)) {
            most = way;
            *ret_id = known[i];
        }
    }
    return len > 0;
}

static PealBuf *with_room(Attacker *attacker, PealBuf *buf)
{
    PealBuf *larger = attacker->inner->ops->buffer(attacker->inner, (size_t)buf->len + ROOM);

    memcpy(larger->data, buf->data, buf->len);
    larger->len = buf->len;
    larger->serial = buf->serial;
    larger->attempt = buf->attempt;
    attacker->inner->ops->drop(attacker->inner, buf);
    return larger;
}

/* The circle ends at the predecessor's, who sends it back; unless that is how it came. */
static size_t choose_detour(Attacker *attacker, const PealPeer *peer, const PealMessage *message,
                            PealId ret_nodes[2])
{
    if (attacker->spec->hop == ATTACK_HOP_AWAY) {
        return farthest(peer, &message->to, &ret_nodes[0]);
    }
    ret_nodes[1] = attacker->self;
    if (peal_peer_predecessors(peer, ret_nodes, 1) == 0) {
        return 0;
    }
    return peal_id_equal(&message->next, &attacker->self) ? 1 : 2;
}

static PealBuf *hop_receive(Attacker *attacker, PealPeer *peer, PealBuf *buf)
{
    PealMessage message;
    PealId nodes[2];
    size_t len;
    int error;

    if (!peal_message_passes(peer, bytes_of(buf)) || !read_message(attacker, buf, &message) ||
        !message.request) {
        return buf;
    }
    len = choose_detour(attacker, peer, &message, nodes);
    if (len == 0) {
        return buf;
    }
    error = peal_message_detour(buf, nodes, len);
    if (error == -PEAL_E_FULL) {
        buf = with_room(attacker, buf);
        error = peal_message_detour(buf, nodes, len);
    }
    attacker->counts->diverted += error == 0;
    return buf;
}

/* Identities around a key or a peer. They let each other's traffic, and the ring's, pass. */

static PealBuf *then_receive(Attacker *attacker, PealPeer *peer, PealBuf *buf)
{
    PealMessage message;

    if (attacker->spec->then == ATTACK_THEN_LIE) {
        return lie_receive(attacker, peer, buf);
    }
    if (attacker->spec->then == ATTACK_THEN_DROP && read_message(attacker, buf, &message) &&
        (message.code == PEAL_MESSAGE_FETCH_REQ || message.code == PEAL_MESSAGE_STORE_REQ) &&
        !is_accomplice(attacker, &message.signer)) {
        return spoil(attacker, buf);
    }
    return buf;
}

static PealBuf *then_send(Attacker *attacker, PealBuf *buf)
{
    return attacker->spec->then == ATTACK_THEN_LIE ? lie_send(attacker, buf) : buf;
}

/* Of those that only the victim shall know. They hear of nobody but each other, and nobody but the
 * victim may ask them for a link. */
static PealBuf *hide(Attacker *attacker, const PealMessage *message, PealBuf *buf)
{
    PealId victim = attack_cast_key(attacker->cast, attacker->number);
    uint8_t body[PEAL_MESSAGE_UPDATE_MAX];
    PealMessage empty = *message;
    PealBuf *made;

    if (is_accomplice(attacker, &message->signer)) {
        return buf;
    }
    if (message->code == PEAL_MESSAGE_ATTACH_REQ && !peal_id_equal(&message->signer, &victim)) {
        return spoil(attacker, buf);
    }
    if (message->code != PEAL_MESSAGE_UPDATE_REQ) {
        return buf;
    }
    empty.body = (PealBytes){body, peal_message_put_update(NULL, 0, NULL, 0, body, sizeof(body))};
    made = peal_message_rewrite(attacker->inner, attacker->overlay, buf, &empty);
    if (made == NULL) {
        return buf;
    }
    attacker->inner->ops->drop(attacker->inner, buf);
    return made;
}

static bool is_decoy(const Attacker *attacker)
{
    PealId first =
        attack_cast_node_id(attacker->cast, attacker->cast->hosts[attacker->number].list[0]);

    return !peal_id_equal(&first, &attacker->self);
}

static PealBuf *eclipse_receive(Attacker *attacker, PealPeer *peer, PealBuf *buf)
{
    PealMessage message;

    if (is_decoy(attacker) && read_message(attacker, buf, &message) &&
        !peal_message_passes(peer, bytes_of(buf))) {
        buf = hide(attacker, &message, buf);
    }
    return attacker->spoilt ? buf : then_receive(attacker, peer, buf);
}

/* The Updates of accomplices name whom they take for their neighbours: each other. */
static PealBuf *eclipse_send(Attacker *attacker, PealBuf *buf)
{
    PealMessage message;

    if (attacker->has_self && read_message(attacker, buf, &message) &&
        message.code == PEAL_MESSAGE_UPDATE_REQ &&
        peal_id_equal(&message.signer, &attacker->self) && !is_accomplice(attacker, &message.to)) {
        attacker->counts->lies++;
    }
    return then_send(attacker, buf);
}

static const AttackOps ATTACKS[] = {
    [ATTACK_SIP_FLOOD] = {NULL, NULL},
    [ATTACK_LOOKUP_FLOOD] = {NULL, NULL},
    [ATTACK_DROP] = {drop_receive, NULL},
    [ATTACK_WRONG_ANSWER] = {lie_receive, lie_send},
    [ATTACK_WRONG_HOP] = {hop_receive, NULL},
    [ATTACK_SYBIL] = {then_receive, then_send},
    [ATTACK_ECLIPSE] = {eclipse_receive, eclipse_send},
    [ATTACK_STORM] = {NULL, NULL},
};

PealBuf *attacker_receive_take(Attacker *attacker, PealPeer *peer, PealBuf *buf)
{
    attacker->self = *peal_peer_id(peer);
    attacker->has_self = true;
    attacker->spoilt = false;
    if (attacker->attack->receive == NULL || !is_on(attacker)) {
        return buf;
    }
    return attacker->attack->receive(attacker, peer, buf);
}

/* The environment: all but what leaves, and what the peer says of it, is the inner one's. */

static PealTime env_now(PealEnv *env)
{
    return attacker_of(env)->inner->ops->now(attacker_of(env)->inner);
}

static uint64_t env_unix_ms(PealEnv *env)
{
    return attacker_of(env)->inner->ops->unix_ms(attacker_of(env)->inner);
}

static uint64_t env_random(PealEnv *env, PealDraw purpose)
{
    return attacker_of(env)->inner->ops->random(attacker_of(env)->inner, purpose);
}

static size_t env_addresses(PealEnv *env, PealService service, PealAddr *ret_addrs, size_t max)
{
    return attacker_of(env)->inner->ops->addresses(attacker_of(env)->inner, service, ret_addrs,
                                                   max);
}

static int env_open(PealEnv *env, const PealTarget *to, PealFlow *ret_flow)
{
    return attacker_of(env)->inner->ops->open(attacker_of(env)->inner, to, ret_flow);
}

static void env_close(PealEnv *env, PealFlow flow)
{
    attacker_of(env)->inner->ops->close(attacker_of(env)->inner, flow);
}

static PealBuf *env_buffer(PealEnv *env, size_t cap)
{
    return attacker_of(env)->inner->ops->buffer(attacker_of(env)->inner, cap);
}

static void env_drop(PealEnv *env, PealBuf *buf)
{
    attacker_of(env)->inner->ops->drop(attacker_of(env)->inner, buf);
}

static void env_send_take(PealEnv *env, PealFlow flow, PealBuf *buf)
{
    Attacker *attacker = attacker_of(env);

    if (attacker->attack->send != NULL && buf->attempt > 0 && is_on(attacker)) {
        buf = attacker->attack->send(attacker, buf);
    }
    attacker->inner->ops->send_take(attacker->inner, flow, buf);
}

static void env_sip_send_take(PealEnv *env, const PealHop *to, PealBuf *buf)
{
    attacker_of(env)->inner->ops->sip_send_take(attacker_of(env)->inner, to, buf);
}

static void env_sip_close(PealEnv *env, uint32_t conn)
{
    attacker_of(env)->inner->ops->sip_close(attacker_of(env)->inner, conn);
}

static int env_ask(PealEnv *env, const PealAsk *ask)
{
    return attacker_of(env)->inner->ops->ask(attacker_of(env)->inner, ask);
}

static void env_wake_at(PealEnv *env, PealTime at)
{
    attacker_of(env)->inner->ops->wake_at(attacker_of(env)->inner, at);
}

static void env_done(PealEnv *env, uint64_t token, const PealOutcome *outcome)
{
    attacker_of(env)->inner->ops->done(attacker_of(env)->inner, token, outcome);
}

static int env_persist(PealEnv *env, PealSlot slot, const uint8_t *data, size_t len)
{
    return attacker_of(env)->inner->ops->persist(attacker_of(env)->inner, slot, data, len);
}

static void *env_alloc(PealEnv *env, size_t size)
{
    return attacker_of(env)->inner->ops->alloc(attacker_of(env)->inner, size);
}

static void env_release(PealEnv *env, void *ptr, size_t size)
{
    attacker_of(env)->inner->ops->release(attacker_of(env)->inner, ptr, size);
}

static void env_trace(PealEnv *env, const PealTrace *record)
{
    Attacker *attacker = attacker_of(env);

    if (attacker->spoilt && record->kind == PEAL_TRACE_MESSAGE_DROPPED) {
        attacker->spoilt = false; /* counted as an attacker's */
        return;
    }
    attacker->inner->ops->trace(attacker->inner, record);
}

static PealEnvOps ops_around(const PealEnvOps *inner)
{
    return (PealEnvOps){
        .now = env_now,
        .unix_ms = env_unix_ms,
        .random = env_random,
        .addresses = env_addresses,
        .open = env_open,
        .close = env_close,
        .buffer = env_buffer,
        .drop = env_drop,
        .send_take = env_send_take,
        .sip_send_take = env_sip_send_take,
        .sip_close = env_sip_close,
        .ask = env_ask,
        .wake_at = env_wake_at,
        .done = env_done,
        .persist = env_persist,
        .alloc = env_alloc,
        .release = env_release,
        .trace = env_trace,
        .crypto = inner->crypto,
    };
}

Attacker *attacker_new(const AttackCast *cast, uint32_t attack, PealEnv *inner,
                       const PealOverlay *overlay, AttackerCounts *counts)
{
    const ScenarioAttack *spec = &cast->scenario->attacks[attack];
    Attacker *attacker;

    if (ATTACKS[spec->kind].receive == NULL && ATTACKS[spec->kind].send == NULL) {
        return NULL;
    }
    attacker = g_new0(Attacker, 1);
    attacker->ops = ops_around(inner->ops);
    attacker->env.ops = &attacker->ops;
    attacker->inner = inner;
    attacker->cast = cast;
    attacker->spec = spec;
    attacker->attack = &ATTACKS[spec->kind];
    attacker->overlay = overlay;
    attacker->counts = counts;
    attacker->number = attack;
    return attacker;
}

void attacker_free(Attacker *attacker)
{
    g_free(attacker);
}

PealEnv *attacker_env(Attacker *attacker)
{
    return &attacker->env;
}
