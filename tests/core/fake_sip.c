/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fake_sip.c - see fake_sip.h. */
#include "core/fake_sip.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>

#include "peal_openssl/crypto.h"

static FakeSip *fake_of(const PealPeer *peer)
{
    return (FakeSip *)peer->env;
}

/* Doubles of transaction.c and location.c. */

int sip_tx_reply(SipTransactions *all, SipTx name, const SipMessage *request, const PealHop *from,
                 const SipAnswer *answer)
{
    FakeSip *fake = all->user;
    SipText text = sip_text_make(fake->answer, sizeof(fake->answer) - 1);

    CU_ASSERT_NOT_EQUAL(name, 0);
    sip_build_answer(&text, request, from, answer);
    CU_ASSERT_FALSE_FATAL(text.overflow);
    fake->answer[text.len] = '\0';
    fake->status = answer->status;
    fake->answers++;
    return 0;
}

static int fake_store(PealPeer *peer, FakeStore store)
{
    FakeSip *fake = fake_of(peer);

    if (fake->store_error != 0) {
        return fake->store_error;
    }
    CU_ASSERT_FATAL(fake->stores_len < FAKE_STORES_MAX);
    fake->stores[fake->stores_len++] = store;
    return 0;
}

int location_keep(PealPeer *peer, const PealId *resource, uint32_t expires_s, LocationDone done,
                  uint64_t arg)
{
    CU_ASSERT(expires_s > 0);
    return fake_store(peer, (FakeStore){*resource, expires_s, done, arg, false});
}

int location_drop(PealPeer *peer, const PealId *resource, LocationDone done, uint64_t arg)
{
    return fake_store(peer, (FakeStore){*resource, 0, done, arg, false});
}

/* Environment. */

static PealTime fake_now(PealEnv *env)
{
    return ((FakeSip *)env)->now;
}

static uint64_t fake_unix_ms(PealEnv *env)
{
    return ((FakeSip *)env)->unix_base_ms + (uint64_t)(fake_now(env).ns / PEAL_NS_PER_MS);
}

static uint64_t fake_random(PealEnv *env, PealDraw purpose)
{
    return peal_random_at(7, (uint64_t)purpose, ((FakeSip *)env)->draws++);
}

static void fake_wake_at(PealEnv *env, PealTime at)
{
    ((FakeSip *)env)->wake_at = at;
}

static void fake_done(PealEnv *env, uint64_t token, const PealOutcome *outcome)
{
    FakeSip *fake = (FakeSip *)env;

    fake->token = token;
    fake->outcome = outcome->status;
    fake->outcomes++;
}

static int fake_persist(PealEnv *env, PealSlot slot, const uint8_t *data, size_t len)
{
    FakeSip *fake = (FakeSip *)env;

    CU_ASSERT_EQUAL(slot, PEAL_SLOT_BINDINGS);
    free(fake->kept);
    fake->kept = malloc(len);
    memcpy(fake->kept, data, len);
    fake->kept_len = len;
    fake->kept_times++;
    return 0;
}

static int fake_ask(PealEnv *env, const PealAsk *ask)
{
    FakeSip *fake = (FakeSip *)env;
    FakeAsk *kept = &fake->asks[fake->asks_len];

    if (fake->ask_error != 0) {
        return fake->ask_error;
    }
    CU_ASSERT_FATAL(fake->asks_len < FAKE_ASKS_MAX);
    CU_ASSERT_EQUAL(ask->kind, PEAL_ASK_PASSWORD);
    fake->asks_len++;
    kept->token = ask->token;
    snprintf(kept->user, sizeof(kept->user), "%.*s", (int)ask->name.len, ask->name.ptr);
    snprintf(kept->domain, sizeof(kept->domain), "%.*s", (int)ask->domain.len, ask->domain.ptr);
    return 0;
}

FakeSip *fake_sip_new(void)
{
    FakeSip *fake = calloc(1, sizeof(*fake));

    plain_env_init(&fake->env);
    fake->env.ops.now = fake_now;
    fake->env.ops.unix_ms = fake_unix_ms;
    fake->env.ops.random = fake_random;
    fake->env.ops.wake_at = fake_wake_at;
    fake->env.ops.done = fake_done;
    fake->env.ops.persist = fake_persist;
    fake->env.ops.ask = fake_ask;
    fake->env.ops.crypto = peal_openssl_crypto();
    fake->env.env.ops = &fake->env.ops;
    fake->unix_base_ms = UINT64_C(1700000000000);
    fake->wake_at = PEAL_TIME_NEVER;
    fake->peer.env = &fake->env.env;
    fake->peer.wake_at = PEAL_TIME_NEVER;
    fake->peer.state = PEAL_PEER_JOINED;
    fake->peer.sip = &fake->sip;
    fake->domains[0] = sip_str("example.org");
    fake->domains[1] = sip_str("example.net");
    peal_sip_defaults(&fake->config);
    fake->config.domains = fake->domains;
    fake->config.domains_len = 2;
    fake->sip.config = &fake->config;
    fake->sip.transactions.user = fake;
    memset(fake->sip.key, 0x5a, sizeof(fake->sip.key));
    sip_arena_setup();
    registrar_init(&fake->peer);
    auth_init(&fake->peer);
    return fake;
}

void fake_sip_free(FakeSip *fake)
{
    registrar_fini(&fake->peer);
    auth_fini(&fake->peer);
    CU_ASSERT(plain_env_clean(&fake->env));
    free(fake->kept);
    free(fake);
}

PealHop fake_hop(uint8_t last, uint16_t port)
{
    return (PealHop){.addr = {.ip = {192, 0, 2, last}, .port = port, .family = 4}};
}

PealId fake_resource(const char *aor)
{
    PealId id;

    CU_ASSERT_EQUAL_FATAL(peal_aor_resource(peal_openssl_crypto(), sip_str(aor), &id), 0);
    return id;
}

/* Phones. */

static const char *or_else(const char *text, const char *other)
{
    return text != NULL ? text : other;
}

unsigned fake_send(FakeSip *fake, const FakeRegister *phone)
{
    static char text[65536];
    size_t answers = fake->answers;
    PealHop hop = phone->hop.addr.family != 0 ? phone->hop : fake_hop(1, 5070);
    const char *method = or_else(phone->method, "REGISTER");
    SipMessage message;
    const char *why = NULL;
    int len = snprintf(
        text, sizeof(text),
        "%s %s SIP/2.0\r\nVia: %s\r\nMax-Forwards: 70\r\nFrom: <sip:who@example.org>;tag=1\r\n"
        "To: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n%sContent-Length: 0\r\n\r\n",
        method, or_else(phone->uri, "sip:example.org"),
        or_else(phone->via, "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1"),
        or_else(phone->to, "<sip:alice@example.org>"), or_else(phone->call_id, "call-1"),
        phone->cseq != 0 ? phone->cseq : ++fake->cseq, method, or_else(phone->headers, ""));

    CU_ASSERT_FATAL(len > 0 && (size_t)len < sizeof(text));
    CU_ASSERT_EQUAL_FATAL(sip_message_scan((PealStr){text, (size_t)len}, true, &message), 0);
    CU_ASSERT_EQUAL_FATAL(sip_message_check(&message, &why), 0);
    registrar_on_register(&fake->peer, fake->answers + 1000, &message, &hop);
    memset(text, 'x', sizeof(text)); /* the bytes were lent for the call */
    while (!fake->holds && fake_storing(fake) > 0) {
        fake_stored(fake, 0);
    }
    return fake->answers > answers ? fake->status : 0;
}

unsigned fake_register(FakeSip *fake, const char *headers)
{
    return fake_send(fake, &(FakeRegister){.headers = headers});
}

size_t fake_lines(const FakeSip *fake, const char *start)
{
    size_t count = 0;

    for (const char *at = fake->answer; at != NULL; at = strstr(at, "\r\n")) {
        at += at != fake->answer ? 2 : 0;
        count += strncmp(at, start, strlen(start)) == 0;
    }
    return count;
}

bool fake_has_line(const FakeSip *fake, const char *line)
{
    char whole[4096];

    snprintf(whole, sizeof(whole), "\r\n%s\r\n", line);
    return strstr(fake->answer, whole) != NULL;
}

/* The world. */

size_t fake_storing(const FakeSip *fake)
{
    size_t count = 0;

    for (size_t i = 0; i < fake->stores_len; i++) {
        count += !fake->stores[i].ended;
    }
    return count;
}

void fake_stored(FakeSip *fake, int status)
{
    for (size_t i = 0; i < fake->stores_len; i++) {
        FakeStore *store = &fake->stores[i];

        if (!store->ended) {
            store->ended = true;
            store->done(&fake->peer, store->arg, status);
            return;
        }
    }
    CU_FAIL_FATAL("no Store is out");
}

void fake_sip_run(FakeSip *fake, PealSpan span)
{
    PealTime end = peal_time_add(fake->now, span);
    PealPeer *peer = &fake->peer;

    while (fake->sip.registrar.deadline.ns <= end.ns) {
        PealTime at = fake->sip.registrar.deadline;

        CU_ASSERT(peer->wake_at.ns <= at.ns); /* the world was told */
        fake->now = at.ns > fake->now.ns ? at : fake->now;
        peer->wake_at = PEAL_TIME_NEVER;
        registrar_on_wake(peer, fake->now);
        while (!fake->holds && fake_storing(fake) > 0) {
            fake_stored(fake, 0);
        }
    }
    fake->now = end;
}

FakeSip *fake_sip_restart(FakeSip *fake)
{
    FakeSip *fresh = fake_sip_new();

    /* Its clock starts anew, the calendar does not; nor do random numbers. */
    fresh->unix_base_ms = fake_unix_ms(&fake->env.env);
    fresh->draws = 1000;
    registrar_fini(&fresh->peer);
    registrar_init(&fresh->peer);
    memset(fresh->sip.key, 0xa5, sizeof(fresh->sip.key));
    fresh->cseq = fake->cseq;
    registrar_restore(&fresh->peer, (PealBytes){fake->kept, fake->kept_len});
    fake_sip_free(fake);
    return fresh;
}

size_t fake_targets(FakeSip *fake, RegistrarTarget *ret_targets, size_t max)
{
    const PealId resource = fake_resource(FAKE_ALICE);

    return registrar_targets(&fake->peer, &resource, ret_targets, max);
}

size_t fake_targets_len(FakeSip *fake)
{
    RegistrarTarget list[32];

    return fake_targets(fake, list, 32);
}

const FakeStore *fake_last_store(const FakeSip *fake)
{
    CU_ASSERT_FATAL(fake->stores_len > 0);
    return &fake->stores[fake->stores_len - 1];
}

bool fake_is(PealStr text, const char *z)
{
    return sip_equal(text, sip_str(z));
}
