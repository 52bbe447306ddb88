/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * trace_capture.c - a capture as long as one likes, as a proxy's network card sees it: phones that
 * register and call each other through it, of which every eighth speaks TCP; media; and bulk TCP.
 * usage: trace_capture FILE BYTES [SEED]
 *
 * Of 100 packets about 36 carry SIP; a packet is sent every ms. Of SIP's TCP segments some come
 * twice, some behind the next, and some messages lie across two.
 */
#include "analysis/capture.h"

#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define START_NS (INT64_C(1767225600) * PEAL_NS_PER_S)

enum {
    USERS = 20000,
    TCP_EVERY = 8,
    BULK = 300, /* connections that carry no SIP */
    SEGMENT_MAX = 1448,
    DATAGRAM_COST = 16 + 14 + 20 + 8, /* a record's head, Ethernet, IPv4, UDP */
    SEGMENT_COST = 16 + 14 + 20 + 20
};

typedef enum Kind { ANSWERED, BUSY, CANCELLED, REGISTERED, KINDS } Kind;

typedef struct Step {
    const char *line; /* a method, or a status and its reason */
    unsigned wait_ms; /* since the step before; the mean, where it is long */
    bool callee;      /* on the leg between proxy and callee */
    bool down;        /* from the proxy */
    bool sdp;
    uint8_t cseq;
    const char *method; /* of CSeq */
} Step;

enum { STEPS_MAX = 14 };

/* RFC 3665 s.2.1, 3.2, 3.8, 3.9. */
static const Step scripts[KINDS][STEPS_MAX] = {
    [ANSWERED] = {{"INVITE", 0, false, false, true, 1, "INVITE"},
                  {"100 Trying", 1, false, true, false, 1, "INVITE"},
                  {"INVITE", 1, true, true, true, 1, "INVITE"},
                  {"180 Ringing", 200, true, false, false, 1, "INVITE"},
                  {"180 Ringing", 1, false, true, false, 1, "INVITE"},
                  {"200 OK", 8000, true, false, true, 1, "INVITE"},
                  {"200 OK", 1, false, true, true, 1, "INVITE"},
                  {"ACK", 20, false, false, false, 1, "ACK"},
                  {"ACK", 1, true, true, false, 1, "ACK"},
                  {"BYE", 120000, false, false, false, 2, "BYE"},
                  {"BYE", 1, true, true, false, 2, "BYE"},
                  {"200 OK", 20, true, false, false, 2, "BYE"},
                  {"200 OK", 1, false, true, false, 2, "BYE"}},
    [BUSY] = {{"INVITE", 0, false, false, true, 1, "INVITE"},
              {"100 Trying", 1, false, true, false, 1, "INVITE"},
              {"INVITE", 1, true, true, true, 1, "INVITE"},
              {"486 Busy Here", 30, true, false, false, 1, "INVITE"},
              {"ACK", 1, true, true, false, 1, "ACK"},
              {"486 Busy Here", 1, false, true, false, 1, "INVITE"},
              {"ACK", 20, false, false, false, 1, "ACK"}},
    [CANCELLED] = {{"INVITE", 0, false, false, true, 1, "INVITE"},
                   {"100 Trying", 1, false, true, false, 1, "INVITE"},
                   {"INVITE", 1, true, true, true, 1, "INVITE"},
                   {"180 Ringing", 200, true, false, false, 1, "INVITE"},
                   {"180 Ringing", 1, false, true, false, 1, "INVITE"},
                   {"CANCEL", 15000, false, false, false, 1, "CANCEL"},
                   {"200 OK", 1, false, true, false, 1, "CANCEL"},
                   {"CANCEL", 1, true, true, false, 1, "CANCEL"},
                   {"200 OK", 20, true, false, false, 1, "CANCEL"},
                   {"487 Request Terminated", 1, true, false, false, 1, "INVITE"},
                   {"ACK", 1, true, true, false, 1, "ACK"},
                   {"487 Request Terminated", 1, false, true, false, 1, "INVITE"},
                   {"ACK", 20, false, false, false, 1, "ACK"}},
    [REGISTERED] = {{"REGISTER", 0, false, false, false, 1, "REGISTER"},
                    {"401 Unauthorized", 1, false, true, false, 1, "REGISTER"},
                    {"REGISTER", 20, false, false, false, 2, "REGISTER"},
                    {"200 OK", 1, false, true, false, 2, "REGISTER"}},
};

/* One side of a TCP connection. */
typedef struct Side {
    uint32_t seq;
    uint8_t late[SEGMENT_MAX]; /* a segment that waits for the next to overtake it */
    size_t late_len;
    uint32_t late_seq;
} Side;

typedef struct User {
    PealAddr addr;
    Side *sides; /* up, down; NULL: over UDP */
} User;

typedef struct Act {
    int64_t due_ns;
    uint32_t serial;
    uint32_t users[2];
    uint8_t kind;
    uint8_t step;
} Act;

typedef struct Generator {
    Capture *capture;
    GRand *rand;
    int64_t now_ns;
    uint64_t bytes;
    uint64_t packets;
    uint64_t sip;
    uint64_t sip_tcp;
    PealAddr proxy;
    User users[USERS];
    uint32_t bulk_seq[BULK];
    GPtrArray *acts; /* a heap by due_ns */
    uint32_t serial;
    GString *text;
    GString *body;
} Generator;

static uint32_t draw(Generator *gen, uint32_t below)
{
    return (uint32_t)g_rand_int_range(gen->rand, 0, (gint32)below);
}

/* The heap: acts[i] is due no later than acts[2i + 1] and acts[2i + 2]. */

static Act *heap_at(const Generator *gen, guint i)
{
    return gen->acts->pdata[i];
}

static void heap_swap(Generator *gen, guint i, guint j)
{
    gpointer act = gen->acts->pdata[i];

    gen->acts->pdata[i] = gen->acts->pdata[j];
    gen->acts->pdata[j] = act;
}

static void heap_push(Generator *gen, Act *act)
{
    guint i = gen->acts->len;

    g_ptr_array_add(gen->acts, act);
    while (i > 0 && heap_at(gen, (i - 1) / 2)->due_ns > heap_at(gen, i)->due_ns) {
        heap_swap(gen, i, (i - 1) / 2);
        i = (i - 1) / 2;
    }
}

static Act *heap_pop(Generator *gen)
{
    Act *first = g_ptr_array_steal_index_fast(gen->acts, 0);
    guint i = 0;

    for (;;) {
        guint least = i;

        for (guint child = 2 * i + 1; child <= 2 * i + 2 && child < gen->acts->len; child++) {
            if (heap_at(gen, child)->due_ns < heap_at(gen, least)->due_ns) {
                least = child;
            }
        }
        if (least == i) {
            return first;
        }
        heap_swap(gen, i, least);
        i = least;
    }
}

/* Packets */

static void tick(Generator *gen, size_t len)
{
    gen->now_ns += PEAL_NS_PER_MS;
    gen->packets++;
    gen->bytes += len;
}

static void send_datagram(Generator *gen, const PealAddr *from, const PealAddr *to, PealBytes data)
{
    tick(gen, data.len + DATAGRAM_COST);
    capture_udp(gen->capture, gen->now_ns, from, to, data);
}

static void send_segment(Generator *gen, const PealAddr *from, const PealAddr *to, uint32_t seq,
                         PealBytes data)
{
    CaptureSegment segment = {.from = *from, .to = *to, .seq = seq, .ack = 1, .flags = 16 | 8};

    tick(gen, data.len + SEGMENT_COST);
    segment.at_ns = gen->now_ns;
    capture_tcp(gen->capture, &segment, data);
}

static void send_sip_segment(Generator *gen, const User *user, bool down, PealBytes data)
{
    const PealAddr *from = down ? &gen->proxy : &user->addr;
    const PealAddr *to = down ? &user->addr : &gen->proxy;
    Side *side = &user->sides[down];
    const uint32_t seq = side->seq;

    side->seq += (uint32_t)data.len;
    gen->sip++;
    gen->sip_tcp++;
    if (side->late_len == 0 && draw(gen, 50) == 0) {
        memcpy(side->late, data.ptr, data.len);
        side->late_len = data.len;
        side->late_seq = seq;
        return;
    }
    send_segment(gen, from, to, seq, data);
    if (side->late_len > 0) {
        send_segment(gen, from, to, side->late_seq, (PealBytes){side->late, side->late_len});
        side->late_len = 0;
    }
    if (draw(gen, 50) == 0) {
        send_segment(gen, from, to, seq, data);
    }
}

static void send_sip(Generator *gen, const User *user, bool down)
{
    const PealBytes all = {(const uint8_t *)gen->text->str, gen->text->len};
    size_t first = MIN(all.len, SEGMENT_MAX);

    if (user->sides == NULL) {
        gen->sip++;
        send_datagram(gen, down ? &gen->proxy : &user->addr, down ? &user->addr : &gen->proxy, all);
        return;
    }
    if (draw(gen, 20) == 0) {
        first = 1 + draw(gen, (uint32_t)first - 1);
    }
    for (size_t at = 0; at < all.len;) {
        const size_t len = at == 0 ? first : MIN(all.len - at, SEGMENT_MAX);

        send_sip_segment(gen, user, down, (PealBytes){all.ptr + at, len});
        at += len;
    }
}

/* Messages */

static void write_body(Generator *gen, const User *user, uint32_t serial)
{
    const uint8_t *ip = user->addr.ip;

    g_string_printf(gen->body,
                    "v=0\r\no=- %u %u IN IP4 %u.%u.%u.%u\r\ns=call\r\nc=IN IP4 %u.%u.%u.%u\r\n"
                    "t=0 0\r\nm=audio %u RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\n"
                    "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
                    "a=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n",
                    serial, serial, ip[0], ip[1], ip[2], ip[3], ip[0], ip[1], ip[2], ip[3],
                    16384 + serial % 16384 * 2);
}

/* Whose branch a message has: that of INVITE is also CANCEL's, and that of ACK without a 200. */
static const char *transaction(const Act *act, const Step *step)
{
    const bool own = strcmp(step->method, "INVITE") != 0 && strcmp(step->method, "CANCEL") != 0 &&
                     (strcmp(step->method, "ACK") != 0 || act->kind == ANSWERED);

    return own ? step->method : "INVITE";
}

static void write_vias(Generator *gen, const Act *act, const Step *step)
{
    const User *caller = &gen->users[act->users[0]];
    const uint8_t *ip = caller->addr.ip;

    if (step->callee) {
        g_string_append_printf(gen->text,
                               "Via: SIP/2.0/%s 192.0.2.10:5060;branch=z9hG4bKp%x%s%u\r\n",
                               gen->users[act->users[1]].sides != NULL ? "TCP" : "UDP", act->serial,
                               transaction(act, step), step->cseq);
    }
    g_string_append_printf(gen->text,
                           "Via: SIP/2.0/%s %u.%u.%u.%u:%u;rport;branch=z9hG4bKu%x%s%u\r\n",
                           caller->sides != NULL ? "TCP" : "UDP", ip[0], ip[1], ip[2], ip[3],
                           caller->addr.port, act->serial, transaction(act, step), step->cseq);
}

static void write_message(Generator *gen, const Act *act, const Step *step)
{
    const uint32_t to = act->users[act->kind != REGISTERED];
    const User *talker = &gen->users[act->users[step->callee != step->down ? 1 : 0]];
    const bool response = g_ascii_isdigit(step->line[0]);
    GString *text = gen->text;

    g_string_truncate(gen->body, 0);
    if (step->sdp) {
        write_body(gen, talker, act->serial);
    }
    if (response) {
        g_string_printf(text, "SIP/2.0 %s\r\n", step->line);
    } else if (act->kind == REGISTERED) {
        g_string_assign(text, "REGISTER sip:example.net SIP/2.0\r\n");
    } else {
        g_string_printf(text, "%s sip:user%u@example.net SIP/2.0\r\n", step->line, to);
    }
    write_vias(gen, act, step);
    g_string_append_printf(
        text,
        "Max-Forwards: %d\r\nFrom: \"User %u\" <sip:user%u@example.net>;tag=f%x\r\n"
        "To: <sip:user%u@example.net>",
        step->callee ? 69 : 70, act->users[0], act->users[0], act->serial, to);
    if (act->step > 2) {
        g_string_append_printf(text, ";tag=t%x", act->serial);
    }
    g_string_append_printf(text,
                           "\r\nCall-ID: %08x-%04x@example.net\r\nCSeq: %u %s\r\n"
                           "Contact: <sip:user%u@%u.%u.%u.%u:%u>%s\r\nUser-Agent: Phone/2.7\r\n"
                           "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, REFER\r\n"
                           "Supported: replaces, path\r\n",
                           act->serial * 2654435761U, act->serial & 0xffff, step->cseq,
                           step->method, act->users[0], talker->addr.ip[0], talker->addr.ip[1],
                           talker->addr.ip[2], talker->addr.ip[3], talker->addr.port,
                           act->kind == REGISTERED ? ";expires=600" : "");
    if (act->kind == REGISTERED && step->cseq == 2 && !response) {
        g_string_append_printf(text,
                               "Authorization: Digest username=\"user%u\", realm=\"example.net\", "
                               "nonce=\"%08x\", uri=\"sip:example.net\", "
                               "response=\"6629fae49393a05397450978507c4ef1\"\r\n",
                               act->users[0], act->serial);
    } else if (step->line[0] == '4' && act->kind == REGISTERED) {
        g_string_append_printf(text,
                               "WWW-Authenticate: Digest realm=\"example.net\", nonce=\"%08x\"\r\n",
                               act->serial);
    }
    g_string_append_printf(text, "%sContent-Length: %zu\r\n\r\n%s",
                           step->sdp ? "Content-Type: application/sdp\r\n" : "", gen->body->len,
                           gen->body->str);
}

/* Traffic */

static Act *begin_act(Generator *gen)
{
    static const uint8_t kinds[] = {ANSWERED,   ANSWERED,   ANSWERED,   BUSY,       CANCELLED,
                                    REGISTERED, REGISTERED, REGISTERED, REGISTERED, REGISTERED};
    Act *act = g_new0(Act, 1);

    act->kind = kinds[draw(gen, G_N_ELEMENTS(kinds))];
    act->serial = ++gen->serial;
    act->users[0] = draw(gen, USERS);
    act->users[1] = (act->users[0] + 1 + draw(gen, USERS - 1)) % USERS;
    return act;
}

/* What is due goes on, else something begins. */
static void send_next_sip(Generator *gen)
{
    const bool due = gen->acts->len > 0 && heap_at(gen, 0)->due_ns <= gen->now_ns;
    Act *act = due ? heap_pop(gen) : begin_act(gen);
    const Step *step = &scripts[act->kind][act->step];
    const Step *next = step + 1;

    write_message(gen, act, step);
    send_sip(gen, &gen->users[act->users[step->callee]], step->down);
    act->step++;
    if (act->step == STEPS_MAX || next->line == NULL) {
        g_free(act);
        return;
    }
    act->due_ns = gen->now_ns + next->wait_ms * PEAL_NS_PER_MS;
    if (next->wait_ms >= 1000) {
        act->due_ns = gen->now_ns - (int64_t)((double)(next->wait_ms * PEAL_NS_PER_MS) *
                                              log(1 - g_rand_double(gen->rand)));
    }
    heap_push(gen, act);
}

/* A packet of somebody's media: RTP's header and 160 bytes. */
static void send_media(Generator *gen)
{
    uint8_t rtp[172] = {0x80};
    PealAddr from = gen->users[draw(gen, USERS)].addr;
    PealAddr to = gen->users[draw(gen, USERS)].addr;

    for (size_t i = 2; i < sizeof(rtp); i++) {
        rtp[i] = (uint8_t)draw(gen, 256);
    }
    from.port = (uint16_t)(16384 + draw(gen, 16384) * 2);
    to.port = (uint16_t)(16384 + draw(gen, 16384) * 2);
    send_datagram(gen, &from, &to, (PealBytes){rtp, sizeof(rtp)});
}

static void send_bulk(Generator *gen)
{
    static uint8_t bytes[SEGMENT_MAX];
    const uint32_t one = draw(gen, BULK);
    const size_t len = draw(gen, 3) == 0 ? 0 : 100 + draw(gen, SEGMENT_MAX - 100);
    const PealAddr from = {.ip = {198, 51, 100, (uint8_t)(one % 250)},
                           .port = one % 2 ? 443 : 80,
                           .family = 4};
    const PealAddr to = {.ip = {10, 200, (uint8_t)(one >> 8), (uint8_t)one},
                         .port = (uint16_t)(30000 + one),
                         .family = 4};

    if (bytes[0] == 0) {
        for (size_t i = 0; i < sizeof(bytes); i++) {
            bytes[i] = (uint8_t)(1 + draw(gen, 255));
        }
    }
    send_segment(gen, &from, &to, gen->bulk_seq[one], (PealBytes){bytes + SEGMENT_MAX - len, len});
    gen->bulk_seq[one] += (uint32_t)len;
}

static void generate(Generator *gen, uint64_t bytes)
{
    while (gen->bytes < bytes) {
        const uint32_t what = draw(gen, 100);

        if (what < 36) {
            send_next_sip(gen);
        } else if (what < 78) {
            send_media(gen);
        } else {
            send_bulk(gen);
        }
    }
}

static void free_all(Generator *gen)
{
    for (uint32_t i = 0; i < USERS; i++) {
        g_free(gen->users[i].sides);
    }
    g_ptr_array_free(gen->acts, TRUE);
    g_string_free(gen->text, TRUE);
    g_string_free(gen->body, TRUE);
    g_rand_free(gen->rand);
    g_free(gen);
}

int main(int argc, char **argv)
{
    guint64 bytes = 0;
    guint64 seed = 1;
    Generator *gen;

    if (argc < 3 || argc > 4 ||
        !g_ascii_string_to_unsigned(argv[2], 10, 1, UINT64_C(1) << 40, &bytes, NULL) ||
        (argc == 4 && !g_ascii_string_to_unsigned(argv[3], 10, 0, UINT32_MAX, &seed, NULL))) {
        fprintf(stderr, "usage: trace_capture FILE BYTES [SEED]\n");
        return EXIT_FAILURE;
    }
    gen = g_new0(Generator, 1);
    gen->capture = capture_new(argv[1], &(CaptureForm){.microseconds = true});
    gen->rand = g_rand_new_with_seed((guint32)seed);
    gen->now_ns = START_NS;
    gen->proxy = capture_addr("192.0.2.10", 5060);
    gen->acts = g_ptr_array_new_with_free_func(g_free);
    gen->text = g_string_new(NULL);
    gen->body = g_string_new(NULL);
    for (uint32_t i = 0; i < USERS; i++) {
        gen->users[i].addr = (PealAddr){.ip = {10, 1, (uint8_t)(i >> 8), (uint8_t)i},
                                        .port = (uint16_t)(i % TCP_EVERY == 0 ? 40000 : 5060),
                                        .family = 4};
        gen->users[i].sides = i % TCP_EVERY == 0 ? g_new0(Side, 2) : NULL;
    }
    generate(gen, bytes);
    capture_close(gen->capture);
    printf("%" G_GUINT64_FORMAT " packets, %" G_GUINT64_FORMAT " of SIP, %" G_GUINT64_FORMAT
           " of them over TCP\n",
           gen->packets, gen->sip, gen->sip_tcp);
    free_all(gen);
    return EXIT_SUCCESS;
}
