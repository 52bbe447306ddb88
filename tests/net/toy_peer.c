/* SPDX-License-Identifier: GPL-3.0-or-later */
/* toy_peer.c - stands in for what core's peer is told; see toy_peer.h. */
#include "toy_peer.h"

#include "buffer.h"

enum { PATIENCE_S = 20, SETTLE_MS = 50, FRAME_HEADER_LEN = 8, MESSAGE_HEADER_LEN = 38 };

static const uint8_t TOKEN[] = {0xd2, 'E', 'L', 'O'};

static GArray *events;

PealPeer *toy_peer(uint8_t *memory)
{
    return (PealPeer *)(void *)memory;
}

static void note(ToyEvent event)
{
    if (events == NULL) {
        events = g_array_new(FALSE, FALSE, sizeof(ToyEvent));
    }
    g_array_append_val(events, event);
}

void toy_clear(void)
{
    g_clear_pointer(&events, g_array_unref);
}

size_t toy_count(ToyKind kind, const PealPeer *peer)
{
    size_t count = 0;

    for (guint i = 0; events != NULL && i < events->len; i++) {
        const ToyEvent *event = &g_array_index(events, ToyEvent, i);

        count += event->kind == kind && (peer == NULL || event->peer == peer);
    }
    return count;
}

const ToyEvent *toy_last(ToyKind kind, const PealPeer *peer)
{
    for (guint i = events == NULL ? 0 : events->len; i > 0; i--) {
        const ToyEvent *event = &g_array_index(events, ToyEvent, i - 1);

        if (event->kind == kind && (peer == NULL || event->peer == peer)) {
            return event;
        }
    }
    return NULL;
}

size_t toy_bytes(const PealPeer *peer)
{
    size_t bytes = 0;

    for (guint i = 0; events != NULL && i < events->len; i++) {
        const ToyEvent *event = &g_array_index(events, ToyEvent, i);

        bytes += event->kind == TOY_BYTES && event->peer == peer ? event->len : 0;
    }
    return bytes;
}

static void out_of_patience(void *user)
{
    *(bool *)user = true;
}

bool toy_until(Loop *loop, bool (*holds)(void *user), void *user)
{
    bool over = false;
    guint limit = loop_after(loop, peal_seconds(PATIENCE_S), out_of_patience, &over);

    while (!over && !holds(user)) {
        g_main_context_iteration(loop_context(loop), TRUE);
    }
    loop_cancel(loop, limit);
    return holds(user);
}

typedef struct Wait {
    ToyKind kind;
    const PealPeer *peer;
    size_t n;
} Wait;

static bool enough(void *user)
{
    const Wait *wait = user;

    return toy_count(wait->kind, wait->peer) >= wait->n;
}

bool toy_wait(Loop *loop, ToyKind kind, const PealPeer *peer, size_t n)
{
    Wait wait = {kind, peer, n};

    return toy_until(loop, enough, &wait);
}

static bool is_over(void *user)
{
    return *(const bool *)user;
}

void toy_settle(Loop *loop)
{
    bool over = false;

    loop_after(loop, peal_ms(SETTLE_MS), out_of_patience, &over);
    toy_until(loop, is_over, &over);
}

/* RFC 6940 s.6.6.1: a data frame with as much of a message as tells its kind. */
PealBuf *toy_frame(const char *text)
{
    size_t len = MESSAGE_HEADER_LEN + strlen(text);
    PealBuf *buf = buffer_new(FRAME_HEADER_LEN + len);

    memset(buf->data, 0, FRAME_HEADER_LEN + MESSAGE_HEADER_LEN);
    buf->data[0] = 128;
    buf->data[6] = (uint8_t)(len >> 8);
    buf->data[7] = (uint8_t)len;
    memcpy(buf->data + FRAME_HEADER_LEN, TOKEN, sizeof(TOKEN));
    memcpy(buf->data + FRAME_HEADER_LEN + MESSAGE_HEADER_LEN, text, strlen(text));
    buf->len = (uint32_t)(FRAME_HEADER_LEN + len);
    return buf;
}

PealBuf *toy_text(const char *text)
{
    return buffer_copy((const uint8_t *)text, strlen(text));
}

PealAddr toy_loopback(uint16_t port)
{
    return (PealAddr){.ip = {127, 0, 0, 1}, .port = port, .family = 4};
}

static void put_text(ToyEvent *event, PealBuf *buf)
{
    event->len = buf->len;
    memcpy(event->text, buf->data, MIN(buf->len, sizeof(event->text) - 1));
    buffer_free(buf);
}

/* In place of core's. */

void peal_peer_on_wake(PealPeer *peer)
{
    note((ToyEvent){.kind = TOY_WOKEN, .peer = peer});
}

void peal_peer_on_flow_up(PealPeer *peer, PealFlow flow, bool opened, const PealId *identity)
{
    (void)identity;
    note((ToyEvent){.kind = TOY_UP, .peer = peer, .flow = flow, .opened = opened});
}

void peal_peer_on_flow_down(PealPeer *peer, PealFlow flow)
{
    note((ToyEvent){.kind = TOY_DOWN, .peer = peer, .flow = flow});
}

void peal_peer_on_bytes_take(PealPeer *peer, PealFlow flow, PealBuf *buf)
{
    ToyEvent event = {.kind = TOY_BYTES, .peer = peer, .flow = flow};

    put_text(&event, buf);
    note(event);
}

void peal_peer_on_sip_take(PealPeer *peer, const PealHop *from, PealBuf *buf)
{
    ToyEvent event = {.kind = TOY_SIP, .peer = peer, .hop = *from};

    put_text(&event, buf);
    note(event);
}

static PealSpan waited;

PealSpan toy_waited(void)
{
    return waited;
}

/* Lets nothing in that begins with a `!`. */
static PealAdmit toy_admit(const uint8_t *bytes, size_t len, PealSpan wait)
{
    waited = wait;
    return len > 0 && bytes[0] == '!' ? PEAL_ADMIT_DROP : PEAL_ADMIT_SERVE;
}

PealAdmit peal_peer_admit(PealPeer *peer, PealFlow flow, const uint8_t *bytes, size_t len,
                          PealSpan wait)
{
    (void)peer;
    (void)flow;
    return toy_admit(bytes, len, wait);
}

PealAdmit peal_peer_sip_admit(PealPeer *peer, const PealHop *from, const uint8_t *bytes, size_t len,
                              PealSpan wait)
{
    (void)peer;
    (void)from;
    return toy_admit(bytes, len, wait);
}

void peal_peer_on_sip_end(PealPeer *peer, const PealHop *hop, int error)
{
    note((ToyEvent){.kind = TOY_SIP_END, .peer = peer, .hop = *hop, .error = error});
}

void peal_peer_on_answer(PealPeer *peer, const PealAnswer *answer)
{
    ToyEvent event = {.kind = TOY_ANSWER,
                      .peer = peer,
                      .token = answer->token,
                      .error = answer->status};

    event.targets_len = MIN(answer->targets_len, G_N_ELEMENTS(event.targets));
    for (size_t i = 0; i < event.targets_len; i++) {
        event.targets[i] = answer->targets[i];
    }
    event.len = answer->password.len;
    if (answer->password.len > 0) {
        memcpy(event.text, answer->password.ptr, MIN(answer->password.len, sizeof(event.text) - 1));
    }
    note(event);
}
