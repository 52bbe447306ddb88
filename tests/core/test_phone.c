/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_phone.c - phones that call each other directly, and one that meets scripted servers. */
#include "core/sip_env.h"
#include "peal_test.h"
#include "sip/arena.h"
#include "sip/phone_state.h"

enum { PHONES = 2, EVENTS_MAX = 64, DELAY_MS = 10, FLYING_MAX = 512 };

typedef struct User {
    SipEnv env; /* first: its phone knows it */
    PealPhone *phone;
    PealPhoneEvent events[EVENTS_MAX];
    unsigned events_len;
    _Alignas(16) uint8_t memory[1024];
} User;

typedef struct Flying {
    PealTime at;
    PealHop from;
    unsigned to;
    char *text;
} Flying;

/* Phone i has the address 192.0.2.(i + 1); messages take DELAY_MS. */
static struct {
    User users[PHONES];
    PealSipConfig sip;
    PealPhoneConfig config;
    PealTime now;
    Flying flying[FLYING_MAX];
    unsigned flying_len;
    unsigned sent;
    /* Whether message number `sent` from this phone is lost. */
    bool (*loses)(unsigned phone, const char *text);
    unsigned counts[8]; /* for `loses` */
    unsigned cseq;      /* for `ask` */
} world;

static void on_event(void *user, PealPhone *phone, const PealPhoneEvent *event)
{
    User *self = user;

    (void)phone;
    CU_ASSERT_FATAL(self->events_len < EVENTS_MAX);
    self->events[self->events_len++] = *event;
}

static PealHop hop_of(unsigned phone)
{
    return sip_env_hop((uint8_t)(phone + 1), 5060, PEAL_UDP, 0);
}

/* Every phone's proxy is the other phone. */
static void setup_with(const char *password)
{
    static const char *const aors[PHONES] = {"sip:alice@example.org", "sip:bob@example.org"};

    memset(&world, 0, sizeof(world));
    world.cseq = 100;
    peal_sip_defaults(&world.sip);
    world.config = (PealPhoneConfig){.sip = &world.sip,
                                     .ring = peal_seconds(2),
                                     .calls_max = 4,
                                     .event = on_event};
    for (unsigned i = 0; i < PHONES; i++) {
        User *user = &world.users[i];
        PealPhoneIdentity identity = {.aor = sip_str(aors[i]),
                                      .contact = hop_of(i).addr,
                                      .proxy = hop_of(1 - i),
                                      .password = sip_str(password)};

        sip_env_init(&user->env);
        user->env.seed = i + 1;
        CU_ASSERT_FATAL(peal_phone_size() <= sizeof(user->memory));
        CU_ASSERT_EQUAL_FATAL(peal_phone_init(user->memory, &user->env.plain.env, &world.config,
                                              &identity, user, &user->phone),
                              0);
    }
}

static void setup(void)
{
    setup_with("");
}

/* What was sent goes on its way, or stays with the test when it goes to no phone. */
static void collect(void)
{
    for (unsigned i = 0; i < PHONES; i++) {
        SipEnv *env = &world.users[i].env;

        for (size_t n = 0; n < env->sent_len; n++) {
            const SipSent *sent = &env->sent[n];
            unsigned to = (unsigned)sent->to.addr.ip[3] - 1;

            if (to >= PHONES || (world.loses != NULL && world.loses(i, sent->text.ptr))) {
                continue;
            }
            CU_ASSERT_FATAL(world.flying_len < FLYING_MAX);
            world.flying[world.flying_len++] = (Flying){peal_time_add(world.now, peal_ms(DELAY_MS)),
                                                        hop_of(i), to, strdup(sent->text.ptr)};
        }
        world.sent += (unsigned)env->sent_len;
        sip_env_forget(env);
    }
}

static void give(unsigned phone, const PealHop *from, const char *text)
{
    User *user = &world.users[phone];
    PealBuf *buf = plain_buffer(&user->env.plain, (const uint8_t *)text, strlen(text), 0);

    peal_phone_on_sip_take(user->phone, from, buf);
}

static PealTime next_time(void)
{
    PealTime at = world.flying_len > 0 ? world.flying[0].at : PEAL_TIME_NEVER;

    for (unsigned i = 0; i < PHONES; i++) {
        at = peal_time_min(at, world.users[i].env.wake_at);
    }
    return at;
}

static void set_now(PealTime now)
{
    world.now = now.ns > world.now.ns ? now : world.now;
    for (unsigned i = 0; i < PHONES; i++) {
        world.users[i].env.now = world.now;
    }
}

/* Lets everything happen until `ms`. */
static void run_to(int64_t ms)
{
    collect();
    while (next_time().ns <= ms * PEAL_NS_PER_MS) {
        set_now(next_time());
        if (world.flying_len > 0 && peal_time_due(world.flying[0].at, world.now)) {
            Flying flying = world.flying[0];

            world.flying_len--;
            memmove(world.flying, world.flying + 1, world.flying_len * sizeof(world.flying[0]));
            give(flying.to, &flying.from, flying.text);
            free(flying.text);
        } else {
            for (unsigned i = 0; i < PHONES; i++) {
                if (peal_time_due(world.users[i].env.wake_at, world.now)) {
                    world.users[i].env.wake_at = PEAL_TIME_NEVER;
                    peal_phone_on_wake(world.users[i].phone);
                }
            }
        }
        collect();
    }
    set_now((PealTime){ms * PEAL_NS_PER_MS});
}

static void finish(void)
{
    for (unsigned i = 0; i < PHONES; i++) {
        peal_phone_fini(world.users[i].phone);
        CU_ASSERT(sip_env_fini(&world.users[i].env));
    }
    for (unsigned i = 0; i < world.flying_len; i++) {
        free(world.flying[i].text);
    }
}

static void kinds_are(unsigned phone, const PealPhoneEventKind *kinds, unsigned len)
{
    const User *user = &world.users[phone];

    CU_ASSERT_EQUAL_FATAL(user->events_len, len);
    for (unsigned i = 0; i < len; i++) {
        CU_ASSERT_EQUAL(user->events[i].kind, kinds[i]);
    }
}

static const PealPhoneEventKind outgoing[] = {PEAL_PHONE_RINGING, PEAL_PHONE_ANSWERED,
                                              PEAL_PHONE_ENDED};
static const PealPhoneEventKind incoming[] = {PEAL_PHONE_INCOMING, PEAL_PHONE_ANSWERED,
                                              PEAL_PHONE_ENDED};

static int call_bob(int64_t duration_s)
{
    return peal_phone_call(world.users[0].phone, sip_str("sip:bob@example.org"),
                           duration_s < 0 ? PEAL_PHONE_NO_END : peal_seconds(duration_s), 77);
}

static void phone_call_is_answered_and_ended_by_its_caller(void)
{
    setup();
    CU_ASSERT_EQUAL(call_bob(10), 0);
    CU_ASSERT_EQUAL(peal_phone_calls(world.users[0].phone), 1);
    run_to(60000);
    kinds_are(0, outgoing, 3);
    kinds_are(1, incoming, 3);
    const PealPhoneEvent *ended = &world.users[0].events[2];
    CU_ASSERT_EQUAL(ended->token, 77);
    CU_ASSERT_EQUAL(ended->status, 200);
    CU_ASSERT(ended->answered && ended->hung_up && !ended->incoming && !ended->lost);
    CU_ASSERT_EQUAL(ended->to_ringing.ns, peal_ms(20).ns);
    CU_ASSERT_EQUAL(ended->to_answer.ns, peal_ms(2020).ns);
    ended = &world.users[1].events[2];
    CU_ASSERT(ended->answered && !ended->hung_up && ended->incoming && !ended->lost);
    CU_ASSERT_EQUAL(world.sent, 6); /* INVITE, 180, 200, ACK, BYE, 200 */
    CU_ASSERT_EQUAL(peal_phone_calls(world.users[0].phone), 0);
    finish();
}

static void phone_holds_nothing_but_its_texts_when_idle(void)
{
    setup();
    CU_ASSERT_EQUAL(call_bob(1), 0);
    run_to(100000);
    for (unsigned i = 0; i < PHONES; i++) {
        CU_ASSERT(world.users[i].env.plain.bytes < 32);
        CU_ASSERT_EQUAL(world.users[i].env.wake_at.ns, PEAL_TIME_NEVER.ns);
    }
    CU_ASSERT(peal_phone_size() <= 400);
    finish();
}

static void phone_hangs_up_calls_that_came_in(void)
{
    setup();
    CU_ASSERT_EQUAL(call_bob(-1), 0);
    run_to(10000);
    peal_phone_hang_up_all(world.users[1].phone);
    run_to(60000);
    CU_ASSERT(world.users[1].events[2].hung_up);
    CU_ASSERT_FALSE(world.users[0].events[2].hung_up);
    kinds_are(0, outgoing, 3);
    finish();
}

static void phone_cancels_a_call_that_rings(void)
{
    setup();
    CU_ASSERT_EQUAL(call_bob(10), 0);
    run_to(1000);
    peal_phone_hang_up_all(world.users[0].phone);
    run_to(60000);
    kinds_are(0, (PealPhoneEventKind[]){PEAL_PHONE_RINGING, PEAL_PHONE_ENDED}, 2);
    kinds_are(1, (PealPhoneEventKind[]){PEAL_PHONE_INCOMING, PEAL_PHONE_ENDED}, 2);
    CU_ASSERT_EQUAL(world.users[0].events[1].status, 487);
    CU_ASSERT_EQUAL(world.users[1].events[1].status, 487);
    CU_ASSERT_FALSE(world.users[0].events[1].answered);
    finish();
}

static void phone_refuses_a_call_that_rings_when_it_hangs_up(void)
{
    setup();
    CU_ASSERT_EQUAL(call_bob(10), 0);
    run_to(1000);
    peal_phone_hang_up_all(world.users[1].phone);
    CU_ASSERT_EQUAL(world.users[1].events_len, 1); /* never from inside */
    run_to(60000);
    CU_ASSERT_EQUAL(world.users[0].events[1].status, 480);
    CU_ASSERT_EQUAL(world.users[1].events[1].status, 480);
    finish();
}

static void phone_takes_as_many_calls_as_it_may(void)
{
    setup();
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(call_bob(20), 0);
    }
    CU_ASSERT_EQUAL(call_bob(20), -PEAL_E_FULL);
    world.users[1].phone->calls_len += 1; /* as if bob were in a call */
    run_to(1000);
    world.users[1].phone->calls_len -= 1;
    CU_ASSERT_EQUAL(peal_phone_calls(world.users[1].phone), 3);
    run_to(60000);
    unsigned busy = 0;
    for (unsigned i = 0; i < world.users[0].events_len; i++) {
        busy += world.users[0].events[i].kind == PEAL_PHONE_ENDED &&
                world.users[0].events[i].status == 486;
    }
    CU_ASSERT_EQUAL(busy, 1);
    finish();
}

static bool loses_all(unsigned phone, const char *text)
{
    (void)phone;
    (void)text;
    return true;
}

static void phone_call_that_nobody_hears_ends_with_408(void)
{
    setup();
    world.loses = loses_all;
    CU_ASSERT_EQUAL(call_bob(10), 0);
    run_to(60000);
    kinds_are(0, (PealPhoneEventKind[]){PEAL_PHONE_ENDED}, 1);
    CU_ASSERT_EQUAL(world.users[0].events[0].status, 408);
    CU_ASSERT_EQUAL(world.users[0].events[0].to_ringing.ns, -1);
    finish();
}

static bool loses_two_acks(unsigned phone, const char *text)
{
    (void)phone;
    return strncmp(text, "ACK ", 4) == 0 && world.counts[0]++ < 2;
}

static void phone_sends_2xx_until_ack_and_ack_for_each_2xx(void)
{
    setup();
    world.loses = loses_two_acks;
    CU_ASSERT_EQUAL(call_bob(20), 0);
    run_to(90000);
    CU_ASSERT_EQUAL(world.counts[0], 3);
    kinds_are(0, outgoing, 3);
    kinds_are(1, incoming, 3);
    CU_ASSERT_FALSE(world.users[1].events[2].lost);
    finish();
}

static bool loses_acks(unsigned phone, const char *text)
{
    (void)phone;
    return strncmp(text, "ACK ", 4) == 0;
}

static void phone_without_ack_hangs_up_after_64_t1(void)
{
    setup();
    world.loses = loses_acks;
    CU_ASSERT_EQUAL(call_bob(-1), 0);
    run_to(90000);
    const PealPhoneEvent *ended = &world.users[1].events[1];
    kinds_are(1, (PealPhoneEventKind[]){PEAL_PHONE_INCOMING, PEAL_PHONE_ENDED}, 2);
    CU_ASSERT(ended->lost && ended->hung_up && ended->answered);
    CU_ASSERT_FALSE(world.users[0].events[2].hung_up);
    finish();
}

static bool loses_every_third(unsigned phone, const char *text)
{
    (void)phone;
    (void)text;
    return world.counts[0]++ % 3 == 2;
}

static void phone_calls_survive_loss(void)
{
    setup();
    world.loses = loses_every_third;
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(call_bob(30), 0);
    }
    run_to(200000);
    unsigned good = 0;
    for (unsigned i = 0; i < world.users[0].events_len; i++) {
        good += world.users[0].events[i].kind == PEAL_PHONE_ENDED &&
                world.users[0].events[i].answered && !world.users[0].events[i].lost;
    }
    CU_ASSERT_EQUAL(good, 4);
    CU_ASSERT_EQUAL(peal_phone_calls(world.users[1].phone), 0);
    finish();
}

/* Servers whose every word is the test's: what phone 0 sends is read and answered by hand. */
static void tell(const char *format, const char *request, const char *more)
{
    char answer[4096];
    char copied[2048] = "";
    const char *at = strstr(request, "\r\n") + 2;
    PealHop from = hop_of(1);

    for (const char *end; (end = strstr(at, "\r\n")) != NULL && end != at; at = end + 2) {
        static const char *const names[] = {"Via:", "From:", "To:", "Call-ID:", "CSeq:"};

        for (size_t i = 0; i < 5; i++) {
            if (strncmp(at, names[i], strlen(names[i])) == 0) {
                strncat(copied, at, (size_t)(end - at));
                strcat(copied, i == 2 && strncmp(format, "100", 3) != 0 ? ";tag=srv\r\n" : "\r\n");
            }
        }
    }
    snprintf(answer, sizeof(answer), "SIP/2.0 %s\r\n%s%sContent-Length: 0\r\n\r\n", format, copied,
             more);
    give(0, &from, answer);
}

static const char *last_sent(unsigned phone)
{
    const SipEnv *env = &world.users[phone].env;

    CU_ASSERT_FATAL(env->sent_len > 0);
    return env->sent[env->sent_len - 1].text.ptr;
}

/* Wakes phone 0 at its deadlines until `ms`. */
static void wait_to(int64_t ms)
{
    SipEnv *env = &world.users[0].env;

    while (env->wake_at.ns <= ms * PEAL_NS_PER_MS) {
        set_now(env->wake_at);
        env->wake_at = PEAL_TIME_NEVER;
        peal_phone_on_wake(world.users[0].phone);
    }
    set_now((PealTime){ms * PEAL_NS_PER_MS});
}

static const char contact_3600[] = "Contact: <sip:alice@192.0.2.1:5060>;expires=3600\r\n";

static void phone_registers_and_refreshes_at_nine_tenths(void)
{
    PealPhone *phone;

    setup();
    phone = world.users[0].phone;
    CU_ASSERT_EQUAL(peal_phone_register(phone, 7200, 5), 0);
    CU_ASSERT_EQUAL(peal_phone_register(phone, 7200, 6), -PEAL_E_STATE);
    CU_ASSERT(strncmp(last_sent(0), "REGISTER sip:example.org SIP/2.0\r\n", 34) == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(last_sent(0), "Expires: 7200\r\n"));
    CU_ASSERT_FALSE(peal_phone_registered(phone));
    tell("200 OK", last_sent(0), contact_3600);
    CU_ASSERT(peal_phone_registered(phone));
    kinds_are(0, (PealPhoneEventKind[]){PEAL_PHONE_REGISTERED}, 1);
    CU_ASSERT_EQUAL(world.users[0].events[0].token, 5);
    CU_ASSERT_EQUAL(world.users[0].events[0].expires_s, 3600);
    CU_ASSERT_FALSE(world.users[0].events[0].refresh);
    wait_to(3239999);
    CU_ASSERT_EQUAL(world.users[0].env.sent_len, 1);
    wait_to(3240000);
    CU_ASSERT_EQUAL(world.users[0].env.sent_len, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(last_sent(0), "CSeq: 2 REGISTER\r\n"));
    tell("200 OK", last_sent(0), contact_3600);
    CU_ASSERT(world.users[0].events[1].refresh);
    CU_ASSERT_EQUAL(peal_phone_unregister(phone, 6), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(last_sent(0), "Expires: 0\r\n"));
    tell("200 OK", last_sent(0), "");
    CU_ASSERT_EQUAL(world.users[0].events[2].token, 6);
    CU_ASSERT_FALSE(peal_phone_registered(phone));
    wait_to(9000000);
    CU_ASSERT_EQUAL(world.users[0].env.sent_len, 3);
    finish();
}

static void phone_tries_again_with_backoff_when_registering_fails(void)
{
    setup();
    CU_ASSERT_EQUAL(peal_phone_register(world.users[0].phone, 3600, 5), 0);
    wait_to(32000);
    CU_ASSERT_EQUAL(world.users[0].events[0].status, 408);
    CU_ASSERT_FALSE(world.users[0].events[0].refresh);
    CU_ASSERT_EQUAL(world.users[0].env.sent_len, 11);
    wait_to(32000 + 15000 - 1);
    CU_ASSERT_EQUAL(world.users[0].env.sent_len, 11);
    wait_to(32000 + 30000);
    CU_ASSERT(world.users[0].env.sent_len > 11);
    tell("503 Busy", last_sent(0), "Retry-After: 100 (soon)\r\n");
    CU_ASSERT_EQUAL(world.users[0].events[1].status, 503);
    CU_ASSERT(world.users[0].events[1].refresh);
    size_t sent = world.users[0].env.sent_len;
    wait_to(62000 + 99999);
    CU_ASSERT_EQUAL(world.users[0].env.sent_len, sent);
    wait_to(62000 + 100000);
    CU_ASSERT_EQUAL(world.users[0].env.sent_len, sent + 1);
    tell("200 OK", last_sent(0), contact_3600);
    CU_ASSERT(peal_phone_registered(world.users[0].phone));
    finish();
}

static void phone_asks_for_longer_when_the_interval_is_too_brief(void)
{
    setup();
    CU_ASSERT_EQUAL(peal_phone_register(world.users[0].phone, 30, 5), 0);
    tell("423 Interval Too Brief", last_sent(0), "Min-Expires: 60\r\n");
    CU_ASSERT_EQUAL(world.users[0].events_len, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(last_sent(0), "Expires: 60\r\n"));
    tell("200 OK", last_sent(0), "Expires: 60\r\n");
    CU_ASSERT_EQUAL(world.users[0].events[0].expires_s, 60);
    finish();
}

/* The credentials of RFC 7616 s.3.9.1 depend on a drawn cnonce, so they are computed anew here. */
static void check_response(const char *request, PealHash hash, const char *method, const char *uri)
{
    char cnonce[64] = "";
    char response[80] = "";
    const char *at = strstr(request, "cnonce=\"");
    char a1[128];
    char a2[128];
    char all[512];
    char hex[3][80];
    const char *texts[3] = {a1, a2, all};

    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    sscanf(at, "cnonce=\"%63[^\"]", cnonce);
    at = strstr(request, "response=\"");
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    sscanf(at, "response=\"%79[^\"]", response);
    snprintf(a1, sizeof(a1), "alice:example.org:secret");
    snprintf(a2, sizeof(a2), "%s:%s", method, uri);
    for (int i = 0; i < 3; i++) {
        uint8_t digest[PEAL_DIGEST_MAX];
        SipText text = sip_text_make(hex[i], sizeof(hex[i]) - 1);

        if (i == 2) {
            snprintf(all, sizeof(all), "%s:n0nce:00000001:%s:auth:%s", hex[0], cnonce, hex[1]);
        }
        size_t len = world.users[0].env.plain.ops.crypto->digest(
            hash, &(PealBytes){(const uint8_t *)texts[i], strlen(texts[i])}, 1, digest);
        sip_put_hex(&text, digest, len);
        hex[i][text.len] = '\0';
    }
    CU_ASSERT_STRING_EQUAL(response, hex[2]);
}

static void phone_answers_a_challenge_by_the_first_algorithm_it_knows(void)
{
    static const char *const challenges[] = {
        "WWW-Authenticate: Digest realm=\"example.org\", nonce=\"n0nce\", algorithm=SHA-512-256, "
        "qop=\"auth\"\r\n"
        "WWW-Authenticate: Digest realm=\"example.org\", nonce=\"n0nce\", algorithm=SHA-256, "
        "qop=\"auth\", opaque=\"o\"\r\n"
        "WWW-Authenticate: Digest realm=\"example.org\", nonce=\"n0nce\", algorithm=MD5, "
        "qop=\"auth\"\r\n",
        "WWW-Authenticate: Digest realm=\"example.org\", nonce=\"n0nce\", "
        "qop=\"auth-int, auth\"\r\n"};
    static const PealHash hashes[] = {PEAL_HASH_SHA256, PEAL_HASH_MD5};

    for (int i = 0; i < 2; i++) {
        setup_with("secret");
        CU_ASSERT_EQUAL(peal_phone_register(world.users[0].phone, 3600, 5), 0);
        tell("401 Unauthorized", last_sent(0), challenges[i]);
        CU_ASSERT_EQUAL(world.users[0].events_len, 0);
        CU_ASSERT_PTR_NOT_NULL(
            strstr(last_sent(0), "\r\nAuthorization: Digest username=\"alice\""));
        check_response(last_sent(0), hashes[i], "REGISTER", "sip:example.org");
        tell("200 OK", last_sent(0), contact_3600);
        CU_ASSERT_EQUAL(world.users[0].events[0].status, 200);
        finish();
    }
}

static void phone_gives_up_when_its_credentials_are_refused(void)
{
    static const char fresh[] =
        "WWW-Authenticate: Digest realm=\"example.org\", nonce=\"n0nce\", qop=\"auth\"\r\n";
    static const char stale[] = "WWW-Authenticate: Digest realm=\"example.org\", nonce=\"n1\", "
                                "qop=\"auth\", stale=true\r\n";

    setup_with("secret");
    CU_ASSERT_EQUAL(peal_phone_register(world.users[0].phone, 3600, 5), 0);
    tell("401 Unauthorized", last_sent(0), fresh);
    tell("401 Unauthorized", last_sent(0), stale);
    CU_ASSERT_EQUAL(world.users[0].events_len, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(last_sent(0), "nonce=\"n1\""));
    tell("401 Unauthorized", last_sent(0), fresh);
    CU_ASSERT_EQUAL(world.users[0].events_len, 1);
    CU_ASSERT_EQUAL(world.users[0].events[0].status, 401);
    finish();
    setup();
    CU_ASSERT_EQUAL(peal_phone_register(world.users[0].phone, 3600, 5), 0);
    tell("401 Unauthorized", last_sent(0), fresh); /* there is no password */
    CU_ASSERT_EQUAL(world.users[0].events[0].status, 401);
    finish();
}

static void phone_authenticates_its_call_and_the_ack(void)
{
    static const char challenge[] =
        "Proxy-Authenticate: Digest realm=\"example.org\", nonce=\"n0nce\", qop=\"auth\"\r\n";

    setup_with("secret");
    CU_ASSERT_EQUAL(call_bob(10), 0);
    tell("407 Proxy Authentication Required", last_sent(0), challenge);
    CU_ASSERT_EQUAL(world.users[0].events_len, 0);
    CU_ASSERT(sip_env_says(&world.users[0].env, 1, "ACK "));
    CU_ASSERT(strncmp(last_sent(0), "INVITE ", 7) == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(last_sent(0), "CSeq: 2 INVITE\r\n"));
    check_response(last_sent(0), PEAL_HASH_MD5, "INVITE", "sip:bob@example.org");
    tell("200 OK", last_sent(0), "Contact: <sip:bob@192.0.2.2:5062>\r\n");
    CU_ASSERT(strncmp(last_sent(0), "ACK sip:bob@192.0.2.2:5062 ", 27) == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(last_sent(0), "CSeq: 2 ACK\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(last_sent(0), "\r\nProxy-Authorization: Digest "));
    finish();
}

static void phone_follows_the_route_set(void)
{
    const SipSent *sent;

    setup();
    CU_ASSERT_EQUAL(call_bob(10), 0);
    tell("200 OK", last_sent(0),
         "Record-Route: <sip:192.0.2.9:5070;lr>, <sip:p2.example.org;lr>\r\n"
         "Record-Route: <sip:192.0.2.8:5080;transport=tcp;lr>\r\n"
         "Contact: <sip:bob@192.0.2.2:5062>\r\n");
    sent = &world.users[0].env.sent[1];
    CU_ASSERT(strncmp(sent->text.ptr, "ACK sip:bob@192.0.2.2:5062 ", 27) == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(sent->text.ptr,
                                  "\r\nRoute: <sip:192.0.2.8:5080;transport=tcp;lr>\r\n"
                                  "Route: <sip:p2.example.org;lr>\r\n"
                                  "Route: <sip:192.0.2.9:5070;lr>\r\n"));
    CU_ASSERT_EQUAL(sent->to.addr.ip[3], 8);
    CU_ASSERT_EQUAL(sent->to.addr.port, 5080);
    CU_ASSERT_EQUAL(sent->to.transport, PEAL_TCP);
    CU_ASSERT_PTR_NOT_NULL(strstr(sent->text.ptr, "Via: SIP/2.0/TCP "));
    wait_to(10000);
    CU_ASSERT(strncmp(last_sent(0), "BYE sip:bob@192.0.2.2:5062 ", 27) == 0);
    finish();
}

static void phone_ends_the_other_branches_of_a_forked_call(void)
{
    char invite[2048];
    char other[2048];
    const SipEnv *env = &world.users[0].env;
    PealHop from = hop_of(1);

    setup();
    CU_ASSERT_EQUAL(call_bob(1000), 0);
    snprintf(invite, sizeof(invite), "%s", last_sent(0));
    tell("200 OK", invite, "Contact: <sip:bob@192.0.2.2:5062>\r\n");
    CU_ASSERT_EQUAL(env->sent_len, 2);
    tell("200 OK", invite, "Contact: <sip:bob@192.0.2.2:5062>\r\n"); /* again */
    CU_ASSERT_EQUAL(env->sent_len, 3);
    CU_ASSERT(sip_env_says(env, 2, "ACK "));
    const char *branch = strstr(invite, "Via:");
    snprintf(other, sizeof(other),
             "SIP/2.0 200 OK\r\n%.*s\r\nFrom: <sip:alice@example.org>;tag=x\r\n"
             "To: <sip:bob@example.org>;tag=another\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"
             "Contact: <sip:bob@192.0.2.7>\r\nContent-Length: 0\r\n\r\n",
             (int)strcspn(branch, "\r"), branch);
    give(0, &from, other);
    CU_ASSERT_EQUAL(env->sent_len, 5);
    CU_ASSERT(sip_env_says(env, 3, "ACK sip:bob@192.0.2.7 "));
    CU_ASSERT(sip_env_says(env, 4, "BYE sip:bob@192.0.2.7 "));
    CU_ASSERT(sip_env_has(env, 4, "tag=another"));
    CU_ASSERT_EQUAL(peal_phone_calls(world.users[0].phone), 1);
    finish();
}

static void ask(const char *method, const char *to_tag, const char *more, const char *body)
{
    char text[4096];
    PealHop from = hop_of(1);
    static unsigned branch;

    snprintf(
        text, sizeof(text),
        "%s sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK%u\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:bob@example.org>;tag=bb\r\n"
        "To: <sip:alice@example.org>%s\r\nCall-ID: call\r\nCSeq: %u %s\r\n"
        "Contact: <sip:bob@192.0.2.2>\r\n%sContent-Length: %zu\r\n\r\n%s",
        method, ++branch, to_tag, world.cseq, method, more, strlen(body), body);
    give(0, &from, text);
}

static void phone_answers_what_is_no_call_as_the_rfc_has_it(void)
{
    const SipEnv *env = &world.users[0].env;

    setup();
    ask("OPTIONS", "", "", "");
    CU_ASSERT(sip_env_says(env, 0, "SIP/2.0 200 "));
    CU_ASSERT(sip_env_has(env, 0, "\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n"));
    ask("BYE", ";tag=none", "", "");
    CU_ASSERT(sip_env_says(env, 1, "SIP/2.0 481 "));
    ask("INVITE", ";tag=none", "", "");
    CU_ASSERT(sip_env_says(env, 2, "SIP/2.0 481 "));
    ask("PUBLISH", "", "", "");
    CU_ASSERT(sip_env_says(env, 3, "SIP/2.0 405 "));
    CU_ASSERT(sip_env_has(env, 3, "\r\nAllow: "));
    ask("CANCEL", "", "", "");
    CU_ASSERT(sip_env_says(env, 4, "SIP/2.0 481 "));
    ask("INVITE", "", "Require: 100rel\r\n", "");
    CU_ASSERT(sip_env_says(env, 5, "SIP/2.0 420 "));
    CU_ASSERT(sip_env_has(env, 5, "\r\nUnsupported: 100rel\r\n"));
    ask("ACK", ";tag=none", "", "");
    CU_ASSERT_EQUAL(env->sent_len, 6);
    CU_ASSERT_EQUAL(world.users[0].events_len, 0);
    finish();
}

static void phone_answers_an_offer_stream_by_stream(void)
{
    const SipEnv *env = &world.users[0].env;

    setup();
    ask("INVITE", "", "Content-Type: application/sdp\r\n",
        "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\n"
        "m=video 4000 RTP/AVP 96\r\nm=audio 4002 RTP/AVP 111 8 0\r\nm=audio 4004 RTP/AVP 0\r\n");
    CU_ASSERT(sip_env_says(env, 0, "SIP/2.0 180 "));
    ask("INVITE", "", "", ""); /* the same call on another way */
    CU_ASSERT(sip_env_says(env, 1, "SIP/2.0 482 "));
    wait_to(2000);
    CU_ASSERT(strncmp(last_sent(0), "SIP/2.0 200 ", 12) == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(last_sent(0), "\r\nContact: <sip:alice@192.0.2.1:5060>\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(last_sent(0),
                                  "m=video 0 RTP/AVP 96\r\nm=audio 9 RTP/AVP 8\r\na=inactive\r\n"
                                  "m=audio 0 RTP/AVP 0\r\n"));
    finish();
}

static void phone_survives_what_is_no_sip(void)
{
    static const char other_version[] =
        "INVITE sip:alice@192.0.2.1 SIP/7.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx\r\n"
        "From: <sip:b@c>;tag=1\r\nTo: <sip:a@c>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n";
    static const char *const texts[] = {
        "",
        "\r\n\r\n",
        "hello",
        "INVITE sip:alice@192.0.2.1 SIP/2.0\r\n\r\n",
        other_version,
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx\r\n\r\n"};
    PealHop from = hop_of(1);

    setup();
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        give(0, &from, texts[i]);
    }
    CU_ASSERT_EQUAL(world.users[0].events_len, 0);
    CU_ASSERT_EQUAL(world.users[0].env.sent_len, 1);
    CU_ASSERT(sip_env_says(&world.users[0].env, 0, "SIP/2.0 505 "));
    finish();
}

static void phone_ends_its_call_when_the_world_cannot_send(void)
{
    PealHop proxy = hop_of(1);

    setup();
    CU_ASSERT_EQUAL(call_bob(10), 0);
    peal_phone_on_sip_end(world.users[0].phone, &proxy, -PEAL_E_REFUSED);
    wait_to(0);
    kinds_are(0, (PealPhoneEventKind[]){PEAL_PHONE_ENDED}, 1);
    CU_ASSERT_EQUAL(world.users[0].events[0].status, 503);
    finish();
}

static void phone_whose_cancel_comes_too_late_hangs_up(void)
{
    setup();
    CU_ASSERT_EQUAL(call_bob(-1), 0);
    tell("180 Ringing", last_sent(0), "");
    const char *invite = world.users[0].env.sent[0].text.ptr;
    peal_phone_hang_up_all(world.users[0].phone);
    CU_ASSERT(strncmp(last_sent(0), "CANCEL ", 7) == 0);
    tell("200 OK", invite, "Contact: <sip:bob@192.0.2.2>\r\n");
    CU_ASSERT(strncmp(last_sent(0), "BYE ", 4) == 0);
    CU_ASSERT(sip_env_says(&world.users[0].env, 2, "ACK "));
    wait_to(60000); /* nobody answers the BYE */
    kinds_are(0, outgoing, 3);
    const PealPhoneEvent *ended = &world.users[0].events[2];
    CU_ASSERT(ended->answered && ended->hung_up && ended->lost);
    CU_ASSERT_EQUAL(ended->status, 200);
    finish();
}

static bool loses_one_ack(unsigned phone, const char *text)
{
    (void)phone;
    return strncmp(text, "ACK ", 4) == 0 && world.counts[0]++ == 0;
}

static void phone_that_waits_for_ack_says_bye_behind_it(void)
{
    setup();
    world.loses = loses_one_ack;
    CU_ASSERT_EQUAL(call_bob(-1), 0);
    run_to(2100);
    peal_phone_hang_up_all(world.users[1].phone);
    collect();
    CU_ASSERT_EQUAL(world.users[1].phone->calls->state, PHONE_UNACKED);
    run_to(60000);
    kinds_are(1, incoming, 3);
    CU_ASSERT(world.users[1].events[2].hung_up);
    CU_ASSERT_FALSE(world.users[0].events[2].lost);
    finish();
}

static void phone_without_memory_ends_what_it_began(void)
{
    for (size_t limit = 32; limit < 6000; limit += 40) {
        unsigned calls = 0;
        unsigned ended[PHONES] = {0};
        unsigned came_in = 0;

        setup();
        for (unsigned i = 0; i < PHONES; i++) {
            world.users[i].env.plain.bytes_limit = limit;
        }
        calls += call_bob(10) == 0;
        calls += call_bob(1) == 0;
        (void)!peal_phone_register(world.users[1].phone, 60, 1);
        run_to(300000);
        for (unsigned i = 0; i < PHONES; i++) {
            for (unsigned n = 0; n < world.users[i].events_len; n++) {
                ended[i] += world.users[i].events[n].kind == PEAL_PHONE_ENDED;
                came_in += world.users[i].events[n].kind == PEAL_PHONE_INCOMING;
            }
        }
        CU_ASSERT_EQUAL(ended[0], calls);
        /* a BYE that finds no memory is refused, and its call goes on */
        CU_ASSERT_EQUAL(ended[1] + peal_phone_calls(world.users[1].phone), came_in);
        finish();
    }
}

static void phone_refuses_what_is_out_of_order_within_a_call(void)
{
    const SipEnv *env = &world.users[0].env;
    char tag[64];

    setup();
    ask("INVITE", "", "", "");
    snprintf(tag, sizeof(tag), ";tag=%.16s", strstr(strstr(last_sent(0), "To:"), ";tag=") + 5);
    wait_to(2000);
    ask("ACK", tag, "", "");
    ask("INVITE", tag, "", "");
    CU_ASSERT(sip_env_says(env, 2, "SIP/2.0 488 "));
    world.cseq = 50;
    ask("BYE", tag, "", "");
    CU_ASSERT(sip_env_says(env, 3, "SIP/2.0 500 "));
    CU_ASSERT_EQUAL(world.users[0].events_len, 2);
    world.cseq = 101;
    ask("BYE", tag, "", "");
    CU_ASSERT(sip_env_says(env, 4, "SIP/2.0 200 "));
    kinds_are(0, incoming, 3);
    finish();
}

static void phone_offers_where_the_invite_did_not(void)
{
    setup();
    ask("INVITE", "", "", "");
    wait_to(2000);
    CU_ASSERT_PTR_NOT_NULL(strstr(last_sent(0), "m=audio 9 RTP/AVP 0 8\r\na=inactive\r\n"));
    finish();
}

/* An AOR as long as may be: two of them make an INVITE longer than 1300 bytes. */
static const char *long_aor(void)
{
    static char aor[PEAL_AOR_MAX + 1];

    snprintf(aor, sizeof(aor), "sip:%0*d@a.b", PEAL_AOR_MAX - 8, 7);
    return aor;
}

static void phone_goes_back_to_datagrams_when_tcp_is_refused(void)
{
    const SipEnv *env = &world.users[0].env;
    PealPhoneIdentity identity = {.aor = sip_str(long_aor()),
                                  .contact = hop_of(0).addr,
                                  .proxy = hop_of(1)};

    setup();
    peal_phone_fini(world.users[0].phone);
    CU_ASSERT_EQUAL_FATAL(peal_phone_init(world.users[0].memory, &world.users[0].env.plain.env,
                                          &world.config, &identity, &world.users[0],
                                          &world.users[0].phone),
                          0);
    CU_ASSERT_EQUAL(peal_phone_call(world.users[0].phone, sip_str(long_aor()), peal_seconds(5), 9),
                    0);
    CU_ASSERT_EQUAL(env->sent[0].to.transport, PEAL_TCP);
    CU_ASSERT(sip_env_has(env, 0, "Via: SIP/2.0/TCP "));
    PealHop tcp = env->sent[0].to;
    peal_phone_on_sip_end(world.users[0].phone, &tcp, -PEAL_E_REFUSED);
    wait_to(0);
    CU_ASSERT_EQUAL(env->sent_len, 2);
    CU_ASSERT_EQUAL(env->sent[1].to.transport, PEAL_UDP);
    CU_ASSERT(env->sent[1].text.len > 1300);
    CU_ASSERT(sip_env_has(env, 1, "Via: SIP/2.0/UDP "));
    CU_ASSERT_EQUAL(world.users[0].events_len, 0);
    tell("486 Busy", last_sent(0), "");
    CU_ASSERT_EQUAL(world.users[0].events[0].status, 486);
    finish();
}

static void phone_over_tcp_reads_messages_in_any_pieces(void)
{
    SipEnv *env = &world.users[0].env;
    PealHop from = sip_env_hop(2, 5060, PEAL_TCP, 7);
    PealHop proxy = sip_env_hop(2, 5060, PEAL_TCP, 0);
    PealAddr contact = hop_of(0).addr;
    static const char text[] =
        "OPTIONS sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.2;branch=z9hG4bKt\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:bob@example.org>;tag=bb\r\nTo: <sip:alice@example.org>\r\n"
        "Call-ID: call\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";

    setup();
    peal_phone_move(world.users[0].phone, &contact, &proxy);
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        CU_ASSERT_EQUAL(env->sent_len, 0);
        peal_phone_on_sip_take(world.users[0].phone, &from,
                               plain_buffer(&env->plain, (const uint8_t *)text + i, 1, 0));
    }
    CU_ASSERT(sip_env_says(env, 0, "SIP/2.0 200 "));
    CU_ASSERT_EQUAL(env->sent[0].to.conn, 7);
    peal_phone_on_sip_end(world.users[0].phone, &from, 0);
    CU_ASSERT_EQUAL(peal_phone_register(world.users[0].phone, 60, 1), 0);
    CU_ASSERT_EQUAL(env->sent[1].to.transport, PEAL_TCP);
    CU_ASSERT(sip_env_has(env, 1, "Contact: <sip:alice@192.0.2.1:5060;transport=tcp>\r\n"));
    finish();
}

static void phone_that_moves_registers_anew(void)
{
    PealHop proxy = sip_env_hop(9, 5060, PEAL_UDP, 0);
    PealAddr contact = sip_env_hop(8, 5060, PEAL_UDP, 0).addr;

    setup();
    CU_ASSERT_EQUAL(peal_phone_register(world.users[0].phone, 3600, 5), 0);
    tell("200 OK", last_sent(0), contact_3600);
    peal_phone_move(world.users[0].phone, &contact, &proxy);
    wait_to(0);
    CU_ASSERT_EQUAL(world.users[0].env.sent_len, 2);
    CU_ASSERT_EQUAL(world.users[0].env.sent[1].to.addr.ip[3], 9);
    CU_ASSERT_PTR_NOT_NULL(strstr(last_sent(0), "Contact: <sip:alice@192.0.2.8:5060>"));
    /* and again while that one is under way */
    peal_phone_move(world.users[0].phone, &contact, &proxy);
    tell("200 OK", last_sent(0), contact_3600);
    CU_ASSERT_EQUAL(world.users[0].events_len, 1);
    wait_to(0);
    CU_ASSERT_EQUAL(world.users[0].env.sent_len, 3);
    finish();
}

static void phone_init_wants_an_aor_and_addresses(void)
{
    static const char *const bad[] = {"",         "bob",        "sip:bob",    "sip:@x",
                                      "sip:bob@", "sips:bob@x", "sip:b ob@x", "sip:b>ob@x"};
    SipEnv *env = &world.users[0].env;
    PealPhone *phone;

    setup();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        PealPhoneIdentity identity = {.aor = sip_str(bad[i]),
                                      .contact = hop_of(0).addr,
                                      .proxy = hop_of(1)};
        static _Alignas(16) uint8_t memory[1024];

        CU_ASSERT_EQUAL(peal_phone_init(memory, &env->plain.env, &world.config, &identity, NULL,
                                        &phone),
                        -PEAL_E_ARG);
        CU_ASSERT_EQUAL(peal_phone_call(world.users[0].phone, sip_str("tel:1"), peal_seconds(1), 0),
                        -PEAL_E_ARG);
    }
    finish();
}

PEAL_TEST_MAIN(
    "core/phone", PEAL_TEST(phone_call_is_answered_and_ended_by_its_caller),
    PEAL_TEST(phone_holds_nothing_but_its_texts_when_idle),
    PEAL_TEST(phone_hangs_up_calls_that_came_in), PEAL_TEST(phone_cancels_a_call_that_rings),
    PEAL_TEST(phone_refuses_a_call_that_rings_when_it_hangs_up),
    PEAL_TEST(phone_takes_as_many_calls_as_it_may),
    PEAL_TEST(phone_call_that_nobody_hears_ends_with_408),
    PEAL_TEST(phone_sends_2xx_until_ack_and_ack_for_each_2xx),
    PEAL_TEST(phone_without_ack_hangs_up_after_64_t1), PEAL_TEST(phone_calls_survive_loss),
    PEAL_TEST(phone_registers_and_refreshes_at_nine_tenths),
    PEAL_TEST(phone_tries_again_with_backoff_when_registering_fails),
    PEAL_TEST(phone_asks_for_longer_when_the_interval_is_too_brief),
    PEAL_TEST(phone_answers_a_challenge_by_the_first_algorithm_it_knows),
    PEAL_TEST(phone_gives_up_when_its_credentials_are_refused),
    PEAL_TEST(phone_authenticates_its_call_and_the_ack), PEAL_TEST(phone_follows_the_route_set),
    PEAL_TEST(phone_ends_the_other_branches_of_a_forked_call),
    PEAL_TEST(phone_answers_what_is_no_call_as_the_rfc_has_it),
    PEAL_TEST(phone_answers_an_offer_stream_by_stream), PEAL_TEST(phone_survives_what_is_no_sip),
    PEAL_TEST(phone_ends_its_call_when_the_world_cannot_send),
    PEAL_TEST(phone_goes_back_to_datagrams_when_tcp_is_refused),
    PEAL_TEST(phone_over_tcp_reads_messages_in_any_pieces),
    PEAL_TEST(phone_that_moves_registers_anew),
    PEAL_TEST(phone_whose_cancel_comes_too_late_hangs_up),
    PEAL_TEST(phone_that_waits_for_ack_says_bye_behind_it),
    PEAL_TEST(phone_without_memory_ends_what_it_began),
    PEAL_TEST(phone_refuses_what_is_out_of_order_within_a_call),
    PEAL_TEST(phone_offers_where_the_invite_did_not),
    PEAL_TEST(phone_init_wants_an_aor_and_addresses))
