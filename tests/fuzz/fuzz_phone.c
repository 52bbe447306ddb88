/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_phone.c - a phone that registers and calls, and hears anything: it gives every buffer and
 * byte
 *                back, and each of its calls ends once.
 * The input is steps: a byte that tells what happens, a length, and bytes. In these, $H stands for
 * the header fields by which a response matches the last request that the phone sent, $T for the
 * tag of its last response, so that inputs reach what lies behind transactions and dialogs.
 */
#include <peal/phone.h>
#include <stdio.h>

#include "core/sip_env.h"
#include "fuzz/fuzz.h"
#include "sip/text.h"

enum { STEPS_MAX = 64, TEXT_MAX = 16384, WAKES_MAX = 400 };

typedef enum Step { STEP_DATAGRAM, STEP_PIECE, STEP_TIME, STEP_ACT, STEP_END, STEP_COUNT } Step;

typedef struct Fuzz {
    SipEnv env; /* first */
    PealPhone *phone;
    char headers[TEXT_MAX]; /* $H */
    char tag[256];          /* $T */
    unsigned calls;
    unsigned ended;
    PealPhonePart part; /* of calls that come in; status 0: none */
    _Alignas(16) uint8_t memory[1024];
} Fuzz;

static Fuzz fuzz;

static void on_event(void *user, PealPhone *phone, const PealPhoneEvent *event)
{
    (void)user;
    if (event->kind == PEAL_PHONE_INCOMING && fuzz.part.status != 0) {
        PEAL_ASSERT(peal_phone_play(phone, event->call, &fuzz.part) == 0);
    }
    fuzz.calls += event->kind == PEAL_PHONE_INCOMING;
    fuzz.ended += event->kind == PEAL_PHONE_ENDED;
}

static void close_conn(PealEnv *env, uint32_t conn)
{
    (void)env;
    (void)conn;
}

/* Remembers what was sent for $H and $T, and forgets it. */
static void read_sent(void)
{
    static const char *const names[] = {"Via:", "From:", "To:", "Call-ID:", "CSeq:"};

    for (size_t i = 0; i < fuzz.env.sent_len; i++) {
        const char *text = fuzz.env.sent[i].text.ptr;
        const char *tag = strstr(text, "\r\nTo:");
        size_t used = 0;

        if (strncmp(text, "SIP/2.0 ", 8) == 0) {
            tag = tag != NULL ? strstr(tag, ";tag=") : NULL;
            snprintf(fuzz.tag, sizeof(fuzz.tag), "%.*s",
                     tag != NULL ? (int)strcspn(tag + 5, "\r;") : 0, tag != NULL ? tag + 5 : "");
            continue;
        }
        for (const char *line = text; (line = strstr(line, "\r\n")) != NULL && used < TEXT_MAX;) {
            line += 2;
            for (size_t n = 0; n < sizeof(names) / sizeof(names[0]) && used < TEXT_MAX; n++) {
                if (strncmp(line, names[n], strlen(names[n])) == 0) {
                    used += (size_t)snprintf(fuzz.headers + used, TEXT_MAX - used, "%.*s\r\n",
                                             (int)strcspn(line, "\r"), line);
                }
            }
        }
    }
    sip_env_forget(&fuzz.env);
}

static size_t expand(const uint8_t *data, size_t len, char *text)
{
    size_t used = 0;

    for (size_t i = 0; i < len && used < TEXT_MAX; i++) {
        const char *value = NULL;

        if (data[i] == '$' && i + 1 < len) {
            value = data[i + 1] == 'H' ? fuzz.headers : data[i + 1] == 'T' ? fuzz.tag : NULL;
        }
        if (value != NULL) {
            for (; *value != '\0' && used < TEXT_MAX; value++) {
                text[used++] = *value;
            }
            i++;
        } else {
            text[used++] = (char)data[i];
        }
    }
    return used;
}

static void hear(const uint8_t *data, size_t len, PealTransport transport)
{
    static char text[TEXT_MAX];
    PealHop from = sip_env_hop(2, 5060, transport, transport == PEAL_TCP ? 7 : 0);
    size_t text_len = expand(data, len, text);

    peal_phone_on_sip_take(fuzz.phone, &from,
                           plain_buffer(&fuzz.env.plain, (const uint8_t *)text, text_len, 0));
}

static void pass(PealTime until)
{
    for (int i = 0; i < WAKES_MAX && fuzz.env.wake_at.ns <= until.ns; i++) {
        fuzz.env.now = fuzz.env.wake_at.ns > fuzz.env.now.ns ? fuzz.env.wake_at : fuzz.env.now;
        fuzz.env.wake_at = PEAL_TIME_NEVER;
        peal_phone_on_wake(fuzz.phone);
        read_sent();
    }
    if (fuzz.env.wake_at.ns > until.ns) {
        fuzz.env.now = until;
    }
}

static void act(uint8_t what)
{
    PealHop proxy = sip_env_hop(2, 5060, (what & 8) != 0 ? PEAL_TCP : PEAL_UDP, 0);
    PealAddr contact = sip_env_hop(1, 5060, PEAL_UDP, 0).addr;
    PealPhoneWish wish = {.aor = sip_str("sip:bob@example.org"),
                          .duration = PEAL_PHONE_NO_END,
                          .patience = peal_ms(what * 10),
                          .headers = sip_str("Subject: a\r\n b\r\n"),
                          .content_type = sip_str("text/plain"),
                          .body = sip_str("hello"),
                          .token = what};

    switch (what & 7) {
    case 0:
        fuzz.calls += peal_phone_call(fuzz.phone, sip_str("sip:bob@example.org"),
                                      peal_seconds(what), what) == 0;
        break;
    case 1:
        (void)!peal_phone_register(fuzz.phone, (uint32_t)what + 1, what);
        break;
    case 2:
        (void)!peal_phone_unregister(fuzz.phone, what);
        break;
    case 3:
        peal_phone_hang_up_all(fuzz.phone);
        break;
    case 4:
        fuzz.calls += peal_phone_call_as(fuzz.phone, &wish) == 0;
        break;
    case 5:
        fuzz.part = (PealPhonePart){.ring = peal_seconds(what & 0x70),
                                    .status = (what & 8) != 0 ? 200 : (uint16_t)(300 + what),
                                    .talk = peal_seconds(what & 0x70)};
        break;
    default:
        peal_phone_move(fuzz.phone, &contact, &proxy);
        break;
    }
}

static void step(const uint8_t **data, size_t *size)
{
    Step what = (Step)(fuzz_take_u8(data, size) % STEP_COUNT);
    size_t len = (size_t)fuzz_take_u8(data, size) << 8;
    PealHop hop = sip_env_hop(2, 5060, PEAL_UDP, 0);

    len |= fuzz_take_u8(data, size);
    len = len < *size ? len : *size;
    switch (what) {
    case STEP_DATAGRAM:
        hear(*data, len, PEAL_UDP);
        break;
    case STEP_PIECE:
        hear(*data, len, PEAL_TCP);
        break;
    case STEP_TIME:
        pass(peal_time_add(fuzz.env.now, peal_ms((int64_t)len * 10)));
        len = 0;
        break;
    case STEP_ACT:
        act((uint8_t)len);
        len = 0;
        break;
    case STEP_END:
        hop.transport = len % 2 != 0 ? PEAL_TCP : PEAL_UDP;
        hop.conn = len % 4 == 3 ? 7 : 0;
        peal_phone_on_sip_end(fuzz.phone, &hop, len % 8 < 4 ? -PEAL_E_REFUSED : 0);
        len = 0;
        break;
    case STEP_COUNT:
        break;
    }
    *data += len;
    *size -= len;
    read_sent();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static PealSipConfig sip;
    static PealPhoneConfig config;
    PealPhoneIdentity identity = {.aor = sip_str("sip:alice@example.org"),
                                  .contact = sip_env_hop(1, 5060, PEAL_UDP, 0).addr,
                                  .proxy = sip_env_hop(2, 5060, PEAL_UDP, 0),
                                  .password = sip_str("secret")};

    memset(&fuzz, 0, sizeof(fuzz));
    sip_env_init(&fuzz.env);
    fuzz.env.plain.ops.sip_close = close_conn;
    peal_sip_defaults(&sip);
    sip.transactions_max = 32;
    config =
        (PealPhoneConfig){.sip = &sip, .ring = peal_seconds(1), .calls_max = 4, .event = on_event};
    PEAL_ASSERT(peal_phone_init(fuzz.memory, &fuzz.env.plain.env, &config, &identity, NULL,
                                &fuzz.phone) == 0);
    for (int i = 0; i < STEPS_MAX && size > 0; i++) {
        step(&data, &size);
    }
    PEAL_ASSERT(peal_phone_calls(fuzz.phone) + fuzz.ended == fuzz.calls);
    peal_phone_fini(fuzz.phone);
    PEAL_ASSERT(sip_env_fini(&fuzz.env));
    return 0;
}
