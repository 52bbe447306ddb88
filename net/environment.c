/* SPDX-License-Identifier: GPL-3.0-or-later */
/* environment.c - what a peer on real sockets is handed; see environment.h. */
#include "environment.h"

#include <errno.h>
#include <peal_openssl/crypto.h>
#include <sys/random.h>

#include "buffer.h"

enum { RESOLVING_MAX = 512, ANSWERS_MAX = 65536, CATCH_UP_MAX = 4 };

/* A question to DNS on its way. */
typedef struct Resolving {
    NetEnv *env;
    uint64_t token;
} Resolving;

/* An answer that was known at once. */
typedef struct Answer {
    uint64_t token;
    int status;
    char *password;
} Answer;

static NetEnv *net_env(PealEnv *env)
{
    return (NetEnv *)(void *)env;
}

static PealTime env_now(PealEnv *env)
{
    return loop_now(net_env(env)->config.loop);
}

static uint64_t env_unix_ms(PealEnv *env)
{
    (void)env;
    return (uint64_t)(g_get_real_time() / 1000);
}

/* Chance that nobody can foresee: nonces, tags and transaction ids depend on it. */
static uint64_t draw_chance(NetEnv *env)
{
    uint64_t draw;

    if (env->chance_left < sizeof(draw)) {
        size_t got = 0;

        while (got < sizeof(env->chance)) {
            ssize_t len = getrandom(env->chance + got, sizeof(env->chance) - got, 0);

            PEAL_ASSERT(len >= 0 || errno == EINTR);
            got += len > 0 ? (size_t)len : 0;
        }
        env->chance_left = sizeof(env->chance);
    }
    env->chance_left -= sizeof(draw);
    memcpy(&draw, env->chance + env->chance_left, sizeof(draw));
    memset(env->chance + env->chance_left, 0, sizeof(draw));
    return draw;
}

static uint64_t env_random(PealEnv *base, PealDraw purpose)
{
    NetEnv *env = net_env(base);

    PEAL_ASSERT(purpose < PEAL_DRAW_COUNT);
    if (!env->config.replayed) {
        return draw_chance(env);
    }
    return peal_random_at(env->config.seed, peal_random_stream(env->config.peer, purpose),
                          env->draws[purpose]++);
}

static size_t env_addresses(PealEnv *env, PealService service, PealAddr *ret_addrs, size_t max)
{
    const NetAddresses *addresses = &net_env(env)->addresses[service];
    size_t len = MIN(max, addresses->len);

    memcpy(ret_addrs, addresses->addr, len * sizeof(*ret_addrs));
    return len;
}

static int env_open(PealEnv *env, const PealTarget *to, PealFlow *ret_flow)
{
    return flows_open(net_env(env)->config.flows, to, ret_flow);
}

static void env_close(PealEnv *env, PealFlow flow)
{
    flows_close(net_env(env)->config.flows, flow);
}

static PealBuf *env_buffer(PealEnv *env, size_t cap)
{
    (void)env;
    return buffer_new(cap);
}

static void env_drop(PealEnv *env, PealBuf *buf)
{
    (void)env;
    buffer_free(buf);
}

static void env_send_take(PealEnv *env, PealFlow flow, PealBuf *buf)
{
    flows_send_take(net_env(env)->config.flows, flow, buf);
}

static void env_sip_send_take(PealEnv *env, const PealHop *to, PealBuf *buf)
{
    if (net_env(env)->config.sip == NULL) {
        buffer_free(buf);
        return;
    }
    sip_sockets_send_take(net_env(env)->config.sip, to, buf);
}

static void env_sip_close(PealEnv *env, uint32_t conn)
{
    if (net_env(env)->config.sip != NULL) {
        sip_sockets_close(net_env(env)->config.sip, conn);
    }
}

static void env_wake_at(PealEnv *env, PealTime at)
{
    loop_timer_set(net_env(env)->config.loop, &net_env(env)->deadline, at);
}

static void on_deadline(void *user)
{
    NetEnv *env = user;

    if (env->peer != NULL) {
        peal_peer_on_wake(env->peer);
    }
}

void net_env_catch_up(NetEnv *env)
{
    PealTime now = loop_now(env->config.loop);

    for (int i = 0; i < CATCH_UP_MAX && env->deadline.place != 0 && env->deadline.at.ns <= now.ns;
         i++) {
        loop_timer_unset(env->config.loop, &env->deadline);
        on_deadline(env);
    }
}

/* Questions. */

static void on_resolved(void *user, int status, const PealTarget *targets, size_t len)
{
    Resolving *resolving = user;
    NetEnv *env = resolving->env;
    PealAnswer answer = {.token = resolving->token,
                         .status = status,
                         .targets = targets,
                         .targets_len = len};

    g_hash_table_remove(env->resolving, resolving);
    if (env->peer != NULL) {
        peal_peer_on_answer(env->peer, &answer);
    }
}

static void answer_later(NetEnv *env, uint64_t token, int status, const char *password)
{
    Answer answer = {token, status, g_strdup(password)};

    g_array_append_val(env->answers, answer);
    loop_need_turn(env->config.loop);
}

static int ask_host(NetEnv *env, const PealAsk *ask)
{
    const DnsQuestion question = {.host = ask->name,
                                  .port = ask->port,
                                  .transport = ask->transport};
    Resolving *resolving;

    if (env->config.dns == NULL) {
        answer_later(env, ask->token, -PEAL_E_NOT_FOUND, NULL);
        return 0;
    }
    if (g_hash_table_size(env->resolving) == RESOLVING_MAX) {
        return -PEAL_E_FULL;
    }
    resolving = g_new(Resolving, 1);
    *resolving = (Resolving){env, ask->token};
    if (dns_resolve(env->config.dns, &question, on_resolved, resolving) != 0) {
        g_free(resolving);
        return -PEAL_E_FULL;
    }
    g_hash_table_add(env->resolving, resolving);
    return 0;
}

static int env_ask(PealEnv *base, const PealAsk *ask)
{
    NetEnv *env = net_env(base);
    const char *password = NULL;

    if (ask->kind == PEAL_ASK_RESOLVE) {
        return ask_host(env, ask);
    }
    if (env->answers->len == ANSWERS_MAX) {
        return -PEAL_E_FULL;
    }
    if (env->users != NULL) {
        password = users_password(env->users, ask->name, ask->domain);
    }
    answer_later(env, ask->token, password == NULL ? -PEAL_E_NOT_FOUND : 0, password);
    return 0;
}

static void turn_end(void *user)
{
    NetEnv *env = user;
    guint len = env->answers->len;

    for (guint i = 0; i < len; i++) {
        Answer known = g_array_index(env->answers, Answer, i);
        PealAnswer answer = {.token = known.token, .status = known.status};

        if (known.password != NULL) {
            answer.password = (PealStr){known.password, strlen(known.password)};
        }
        if (env->peer != NULL) {
            peal_peer_on_answer(env->peer, &answer);
        }
        g_free(known.password);
    }
    g_array_remove_range(env->answers, 0, len);
}

/* The rest. */

static void env_done(PealEnv *base, uint64_t token, const PealOutcome *outcome)
{
    const NetEnvConfig *config = &net_env(base)->config;

    if (config->on_done != NULL) {
        config->on_done(config->user, token, outcome);
    }
}

static int env_persist(PealEnv *env, PealSlot slot, const uint8_t *data, size_t len)
{
    State *state = net_env(env)->config.state;

    if (state == NULL) {
        return 0;
    }
    return state_keep(state, slot, (PealBytes){data, len}) ? 0 : -PEAL_E_FULL;
}

static void *env_alloc(PealEnv *base, size_t size)
{
    NetEnv *env = net_env(base);
    void *ptr;

    if (size > env->config.memory_max - env->memory) {
        return NULL;
    }
    ptr = pool_alloc(&env->pool, size);
    if (ptr != NULL) {
        memset(ptr, 0, size);
        env->memory += size;
    }
    return ptr;
}

static void env_release(PealEnv *base, void *ptr, size_t size)
{
    if (ptr != NULL) {
        net_env(base)->memory -= size;
        pool_release(&net_env(base)->pool, ptr, size);
    }
}

static void env_trace(PealEnv *base, const PealTrace *record)
{
    const NetEnvConfig *config = &net_env(base)->config;

    if (record->kind == PEAL_TRACE_LINK_UP) {
        flows_identified(config->flows, record->code);
    }
    if (config->on_trace != NULL) {
        config->on_trace(config->user, record);
    }
}

void net_env_attach(NetEnv *env, PealPeer *peer)
{
    env->peer = peer;
    flows_attach(env->config.flows, peer);
    if (env->config.sip != NULL) {
        sip_sockets_attach(env->config.sip, peer);
    }
    if (peer == NULL) {
        loop_timer_unset(env->config.loop, &env->deadline);
    }
}

NetEnv *net_env_new(const NetEnvConfig *config)
{
    NetEnv *env = g_new0(NetEnv, 1);

    env->config = *config;
    env->ops = (PealEnvOps){
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
        .crypto = peal_openssl_crypto(),
    };
    env->env.ops = &env->ops;
    env->deadline.due = on_deadline;
    env->deadline.user = env;
    env->resolving = g_hash_table_new_full(NULL, NULL, g_free, NULL);
    env->answers = g_array_new(FALSE, FALSE, sizeof(Answer));
    loop_at_turn_end(config->loop, turn_end, env);
    return env;
}

void net_env_free(NetEnv *env)
{
    if (env == NULL) {
        return;
    }
    env->peer = NULL;
    loop_timer_unset(env->config.loop, &env->deadline);
    turn_end(env);
    loop_not_at_turn_end(env->config.loop, turn_end, env);
    g_hash_table_unref(env->resolving); /* none is answered any more */
    g_array_unref(env->answers);
    pool_fini(&env->pool);
    g_free(env);
}
