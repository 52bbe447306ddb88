/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phone_env.c - a phone's way to the network. */
#include "phone_env.h"

#include <errno.h>
#include <peal_openssl/crypto.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "buffer.h"
#include "datagrams.h"
#include "tap.h"

enum { PHONE_FAILED_MAX = 16 }; /* hops that could not be sent to, in one turn */

struct PhoneEnv {
    PealEnv base; /* first: the phone knows it by this */
    Loop *loop;
    Datagrams *datagrams;
    SipCounts *sent;
    PealAddr only;     /* where it may send; family 0: everywhere */
    uint64_t *kept_in; /* what it would have sent elsewhere */
    Shim *shim;        /* NULL: the network is the real one */
    Tap tap;
    LoopTimer timer;  /* the phone's deadline */
    LoopTimer failed; /* to tell what could not be sent */
    PealHop failed_hops[PHONE_FAILED_MAX];
    size_t failed_len;
    PealPhone *phone;
};

static PhoneEnv *phone_env_of(PealEnv *env)
{
    return (PhoneEnv *)(void *)env;
}

/* What the phone asks. */

static PealTime phone_env_now(PealEnv *env)
{
    return loop_now(phone_env_of(env)->loop);
}

static uint64_t phone_env_unix_ms(PealEnv *env)
{
    (void)env;
    return (uint64_t)(g_get_real_time() / 1000);
}

static uint64_t phone_env_random(PealEnv *env, PealDraw purpose)
{
    uint64_t number = 0;

    (void)env;
    (void)purpose;
    PEAL_ASSERT(getrandom(&number, sizeof(number), 0) == (ssize_t)sizeof(number));
    return number;
}

static PealBuf *phone_env_buffer(PealEnv *env, size_t cap)
{
    (void)env;
    return buffer_new(cap);
}

static void phone_env_drop(PealEnv *env, PealBuf *buf)
{
    (void)env;
    buffer_free(buf);
}

static void phone_env_transmit_take(PhoneEnv *env, const PealAddr *to, PealBuf *buf)
{
    datagrams_send_take(env->datagrams, to, NULL, buf);
    loop_need_turn(env->loop);
}

/* A datagram has been under way for its time. */
static void phone_env_arrival_take(void *user, const ShimTo *to, PealBuf *buf)
{
    phone_env_transmit_take(user, &to->hop.addr, buf);
}

/* This phone speaks UDP alone; a message that is too long for it, or wants TCP, goes nowhere. */
static void phone_env_send_take(PealEnv *base, const PealHop *to, PealBuf *buf)
{
    PhoneEnv *env = phone_env_of(base);
    const ShimTo through = {.deliver_take = phone_env_arrival_take, .user = env, .hop = *to};
    ShimPacket packet = {0};
    const bool allowed = env->only.family == 0 || address_equal(&to->addr, &env->only);
    const bool leaves = allowed && to->transport == PEAL_UDP && to->conn == 0;

    if (env->sent != NULL) {
        sip_count(env->sent, buf->len, leaves);
    }
    if (!allowed) {
        ++*env->kept_in;
    }
    if (leaves) {
        if (env->shim != NULL && shim_knows(env->shim, &to->addr, &packet.peer)) {
            (void)shim_send_take(env->shim, &packet, &through, buf);
        } else {
            phone_env_transmit_take(env, &to->addr, buf);
        }
        return;
    }
    buffer_free(buf);
    if (env->failed_len < PHONE_FAILED_MAX) {
        env->failed_hops[env->failed_len++] = *to;
        loop_timer_set(env->loop, &env->failed, loop_now(env->loop));
    }
}

static void phone_env_close(PealEnv *env, uint32_t conn)
{
    (void)env;
    (void)conn; /* there are none */
}

static void phone_env_wake_at(PealEnv *base, PealTime at)
{
    PhoneEnv *env = phone_env_of(base);

    loop_timer_set(env->loop, &env->timer, at);
}

static void *phone_env_alloc(PealEnv *env, size_t size)
{
    (void)env;
    return g_malloc0(size);
}

static void phone_env_release(PealEnv *env, void *ptr, size_t size)
{
    (void)env;
    (void)size;
    g_free(ptr);
}

/* What the world tells it. */

static void phone_env_on_datagram(void *user, const PealAddr *remote, const PealAddr *local,
                                  PealBytes data)
{
    PhoneEnv *env = user;
    const PealHop from = {.addr = *remote, .transport = PEAL_UDP};

    (void)local;
    peal_phone_on_sip_take(env->phone, &from, buffer_copy(data.ptr, data.len));
}

static void phone_env_on_refused(void *user, const PealAddr *remote, int error)
{
    PhoneEnv *env = user;
    const PealHop hop = {.addr = *remote, .transport = PEAL_UDP};

    peal_phone_on_sip_end(env->phone, &hop, error);
}

static void phone_env_on_failed(void *user)
{
    PhoneEnv *env = user;
    PealHop hops[PHONE_FAILED_MAX];
    size_t len = env->failed_len;

    memcpy(hops, env->failed_hops, sizeof(hops));
    env->failed_len = 0;
    for (size_t i = 0; i < len; i++) {
        peal_phone_on_sip_end(env->phone, &hops[i], -PEAL_E_UNREACHABLE);
    }
}

static void phone_env_on_due(void *user)
{
    PhoneEnv *env = user;

    peal_phone_on_wake(env->phone);
}

static void phone_env_flush(void *user)
{
    PhoneEnv *env = user;

    datagrams_flush(env->datagrams);
}

/* Life. */

static const PealEnvOps OPS_WITHOUT_CRYPTO = {
    .now = phone_env_now,
    .unix_ms = phone_env_unix_ms,
    .random = phone_env_random,
    .buffer = phone_env_buffer,
    .drop = phone_env_drop,
    .sip_send_take = phone_env_send_take,
    .sip_close = phone_env_close,
    .wake_at = phone_env_wake_at,
    .alloc = phone_env_alloc,
    .release = phone_env_release,
};

/* Which of this host's addresses leads there? */
static bool phone_env_find_local(const PealAddr *proxy, PealAddr *ret_local)
{
    struct sockaddr_storage system;
    socklen_t len = address_to_system(proxy, &system);
    int fd = socket(system.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool found = fd >= 0 && connect(fd, (struct sockaddr *)&system, len) == 0;
    int why;

    len = sizeof(system);
    found = found && getsockname(fd, (struct sockaddr *)&system, &len) == 0;
    why = errno;
    if (fd >= 0) {
        close(fd);
    }
    if (found) {
        *ret_local = address_from_system(&system);
        ret_local->port = 0;
    }
    errno = why;
    return found;
}

/* What there is of an environment before its socket. */
static PhoneEnv *phone_env_make(Loop *loop, SipCounts *sent)
{
    PhoneEnv *env = g_new0(PhoneEnv, 1);
    PealEnvOps *ops = g_memdup2(&OPS_WITHOUT_CRYPTO, sizeof(OPS_WITHOUT_CRYPTO));

    ops->crypto = peal_openssl_crypto();
    env->base.ops = ops;
    env->loop = loop;
    env->sent = sent;
    env->timer = (LoopTimer){.due = phone_env_on_due, .user = env};
    env->failed = (LoopTimer){.due = phone_env_on_failed, .user = env};
    return env;
}

static void phone_env_discard(PhoneEnv *env)
{
    g_free((PealEnvOps *)(uintptr_t)env->base.ops);
    g_free(env);
}

/* Opens the socket at a local address; within an emulated network a machine that is gone says
 * nothing. Returns env, or NULL with errno and without it. */
static PhoneEnv *phone_env_open_take(PhoneEnv *env, const PealAddr *local)
{
    DatagramsConfig config = {.loop = env->loop,
                              .tap = &env->tap,
                              .local = *local,
                              .remote = env->only,
                              .on_datagram = phone_env_on_datagram,
                              .on_refused = env->shim == NULL ? phone_env_on_refused : NULL,
                              .user = env};

    env->datagrams = datagrams_open(&config);
    if (env->datagrams == NULL) {
        int why = errno;

        phone_env_discard(env);
        errno = why;
        return NULL;
    }
    if (env->only.family == 0) { /* a connected socket holds nothing back */
        loop_at_turn_end(env->loop, phone_env_flush, env);
    }
    return env;
}

PhoneEnv *phone_env_new(Loop *loop, const PealAddr *proxy, SipCounts *sent)
{
    PealAddr local;

    return phone_env_find_local(proxy, &local)
               ? phone_env_open_take(phone_env_make(loop, sent), &local)
               : NULL;
}

PhoneEnv *phone_env_new_kept(Loop *loop, const PealAddr *proxy, SipCounts *sent, uint64_t *kept_in)
{
    PealAddr local;
    PhoneEnv *env;

    if (!phone_env_find_local(proxy, &local)) {
        return NULL;
    }
    env = phone_env_make(loop, sent);
    env->only = *proxy;
    env->kept_in = kept_in;
    return phone_env_open_take(env, &local);
}

PhoneEnv *phone_env_new_in(Loop *loop, Shim *shim, SipCounts *sent)
{
    const PealAddr local = shim_source(shim);
    PhoneEnv *env = phone_env_make(loop, sent);

    env->shim = shim;
    return phone_env_open_take(env, &local);
}

void phone_env_free(PhoneEnv *env)
{
    if (env == NULL) {
        return;
    }
    if (env->shim != NULL) {
        shim_drop(env->shim, env);
    }
    if (env->only.family == 0) {
        loop_not_at_turn_end(env->loop, phone_env_flush, env);
    }
    loop_timer_unset(env->loop, &env->timer);
    loop_timer_unset(env->loop, &env->failed);
    datagrams_close(env->datagrams);
    phone_env_discard(env);
}

PealEnv *phone_env_ops(PhoneEnv *env)
{
    return &env->base;
}

const PealAddr *phone_env_local(const PhoneEnv *env)
{
    return datagrams_local(env->datagrams);
}

void phone_env_serve(PhoneEnv *env, PealPhone *phone)
{
    env->phone = phone;
}
