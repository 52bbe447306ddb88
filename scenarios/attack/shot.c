/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * shot.c - what a flood's requests are: whom they concern, where they go, how they read.
 * Source: RFC 3261 s.8.1.1, s.10.2, s.11.1, s.13.2.1; RFC 4566.
 */
#include <inttypes.h>
#include <scenarios/replay.h>
#include <stdio.h>

#include "attack/cast.h"

enum { NAMES = 1000, PEERS_TRIED = 64, STATUS_AT = 8 };

/* Every branch of ours begins so, and names the attack and the shot. */
#define BRANCH "z9hG4bKflood"

/* Honest ones, unless luck is against it 64 times. */
static uint32_t some_peer(const AttackCast *cast, const AttackAction *action)
{
    uint64_t drawn = attack_shot_draw(cast, action->attack, action->number, ATTACK_RAW_PEER);
    uint32_t peer = (uint32_t)peal_random_below(drawn, cast->population);

    for (int i = 0; i < PEERS_TRIED && cast->is[peer] != 0; i++) {
        peer = (peer + 1) % cast->population;
    }
    return peer;
}

/* A recorded user of whom the same holds. */
static const ReplayUser *some_user(const AttackCast *cast, uint64_t drawn)
{
    const Replay *replay = cast->scenario->workload.replay;
    uint32_t user = (uint32_t)peal_random_below(drawn, replay->users->len);

    for (int i = 0; i < PEERS_TRIED && cast->is[replay_user(replay, user)->peer] != 0; i++) {
        user = (user + 1) % replay->users->len;
    }
    return replay_user(replay, user);
}

void attack_shot_user(const AttackCast *cast, const AttackAction *action, uint32_t *ret_peer,
                      uint32_t *ret_user)
{
    const AttackTarget *target = &cast->scenario->attacks[action->attack].target;
    uint64_t drawn = attack_shot_draw(cast, action->attack, action->number, ATTACK_RAW_USER);
    uint32_t users = MAX(cast->scenario->workload.users_per_peer, 1);

    if (cast->scenario->workload.replay != NULL && target->kind != ATTACK_ON_USER) {
        *ret_peer = some_user(cast, drawn)->peer;
        *ret_user = some_user(cast, drawn)->index;
        return;
    }
    *ret_peer = target->kind == ATTACK_ON_USER ? target->peer : some_peer(cast, action);
    *ret_user =
        target->kind == ATTACK_ON_USER ? target->user : (uint32_t)peal_random_below(drawn, users);
}

uint32_t attack_shot_peer(const AttackCast *cast, const AttackAction *action)
{
    const AttackTarget *target = &cast->scenario->attacks[action->attack].target;

    return target->kind == ATTACK_ON_PEER ? target->peer : some_peer(cast, action);
}

PealId attack_shot_key(const AttackCast *cast, const AttackAction *action)
{
    if (cast->scenario->attacks[action->attack].target.kind != ATTACK_ON_EVERYONE) {
        return attack_cast_key(cast, action->attack);
    }
    return peal_id_from_halves((PealIdHalves){
        .high = attack_shot_draw(cast, action->attack, action->number, ATTACK_RAW_KEY),
        .low = attack_shot_draw(cast, action->attack, action->number, ATTACK_RAW_KEY_LOW)});
}

static const char *method_name(AttackMethod method)
{
    static const char *const NAMES_OF[] = {
        [ATTACK_REGISTER] = "REGISTER", [ATTACK_INVITE] = "INVITE", [ATTACK_OPTIONS] = "OPTIONS"};

    return NAMES_OF[method];
}

static int put_body(AttackMethod method, const char *host, char *text, size_t cap)
{
    char sdp[160];
    int len;

    if (method != ATTACK_INVITE) {
        return snprintf(text, cap, "Content-Length: 0\r\n\r\n");
    }
    len = snprintf(sdp, sizeof(sdp),
                   "v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n"
                   "m=audio 40000 RTP/AVP 0\r\n",
                   host, host);
    return snprintf(text, cap, "Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", len,
                    sdp);
}

size_t attack_shot_text(const AttackCast *cast, const AttackAction *action, const PealAddr *from,
                        char *ret_text, size_t cap)
{
    AttackMethod method = cast->scenario->attacks[action->attack].method;
    const char *name = method_name(method);
    char own[PLAN_AOR_MAX];
    char request[PEAL_AOR_MAX + 1] = "sip:" PLAN_DOMAIN;
    char to[PLAN_AOR_MAX + 24];
    char host[24];
    uint32_t peer;
    uint32_t user;
    int len;
    int body;

    snprintf(host, sizeof(host), "%u.%u.%u.%u", from->ip[0], from->ip[1], from->ip[2], from->ip[3]);
    snprintf(to, sizeof(to), "sip:f%" PRIu32 "n%" PRIu64 "@" PLAN_DOMAIN, action->host,
             action->number % NAMES);
    if (method == ATTACK_INVITE) {
        PealStr aor;

        attack_shot_user(cast, action, &peer, &user);
        aor = scenario_aor(cast->scenario, peer, user, own);
        snprintf(request, sizeof(request), "%.*s", (int)aor.len, aor.ptr);
    }
    len = snprintf(ret_text, cap,
                   "%s %s SIP/2.0\r\n"
                   "Via: SIP/2.0/UDP %s:%u;branch=" BRANCH "%" PRIu32 ".%" PRIu64 ";rport\r\n"
                   "Max-Forwards: 70\r\n"
                   "From: <%s>;tag=%" PRIx64 "\r\n"
                   "To: <%s>\r\n"
                   "Call-ID: flood%" PRIu32 ".%" PRIu64 "@%s\r\n"
                   "CSeq: 1 %s\r\n"
                   "Contact: <sip:f@%s:%u>\r\n"
                   "%s",
                   name, request, host, from->port, action->attack, action->number, to,
                   action->number + 1, method == ATTACK_REGISTER ? to : request, action->attack,
                   action->number, host, name, host, from->port,
                   method == ATTACK_REGISTER ? "Expires: 3600\r\n" : "");
    if (len < 0 || (size_t)len >= cap) {
        return 0;
    }
    body = put_body(method, host, ret_text + len, cap - (size_t)len);
    return body < 0 || (size_t)body >= cap - (size_t)len ? 0 : (size_t)(len + body);
}

bool attack_is_answer(PealBytes message, unsigned *ret_status)
{
    static const char VERSION[] = "SIP/2.0 ";
    const char *text = (const char *)message.ptr;
    unsigned status = 0;

    if (message.len < STATUS_AT + 3 || memcmp(text, VERSION, STATUS_AT) != 0 ||
        g_strstr_len(text, (gssize)message.len, "branch=" BRANCH) == NULL) {
        return false;
    }
    for (int i = STATUS_AT; i < STATUS_AT + 3; i++) {
        if (!g_ascii_isdigit(text[i])) {
            return false;
        }
        status = status * 10 + (unsigned)(text[i] - '0');
    }
    *ret_status = status;
    return status >= 200;
}
