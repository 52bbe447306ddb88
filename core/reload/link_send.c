/* SPDX-License-Identifier: GPL-3.0-or-later */
/* link_send.c - the sending half of a link: sequence numbers, window, retransmission; see
 * link.h. */
#include "peer.h"
#include "reload/forward.h"

enum {
    SENDS_MAX = 8,    /* overlay.link_sends is checked against it */
    WINDOW_START = 4, /* messages */
    WINDOW_MAX = 64,  /* messages */
    ENTRIES_STEP = 4, /* messages */
    SUSPECT_SENDS = 4 /* the third retransmission (s.6.6.3.1) */
};

/* One message until it is acknowledged; every transmission has a sequence number of its own. */
typedef struct Entry {
    PealBuf *buf; /* frame room and message, kept for retransmission */
    PealTime deadline;
    PealTime sent_at[SENDS_MAX];
    uint32_t sequence[SENDS_MAX];
    uint8_t sends;
} Entry;

struct LinkTx {
    LinkTx *next;   /* in links.active */
    Entry *entries; /* oldest first; the first in_flight have been sent */
    uint16_t slot;
    uint16_t len;
    uint16_t cap;
    uint16_t in_flight;
    uint16_t window;
    uint16_t credit;   /* acknowledgements towards the window's next step */
    PealTime acked_at; /* when the last acknowledgement came */
};

static bool reliable(const PealPeer *peer)
{
    return peer->overlay->link == PEAL_UDP || peer->overlay->link_acks;
}

static uint16_t window_max(const PealPeer *peer)
{
    return peer->overlay->stop_and_wait ? 1 : WINDOW_MAX;
}

/* What is outstanding on a link, or NULL. Few links of a peer have anything outstanding at a
 * time. */
static LinkTx *tx_find(const Links *links, uint16_t slot)
{
    LinkTx *tx = links->active;

    while (tx != NULL && tx->slot != slot) {
        tx = tx->next;
    }
    return tx;
}

bool link_is_sending(const PealPeer *peer, uint16_t slot)
{
    return tx_find(&peer->links, slot) != NULL;
}

static LinkTx *tx_open(PealPeer *peer, uint16_t slot)
{
    Links *links = &peer->links;
    LinkTx *tx = tx_find(links, slot);

    if (tx == NULL) {
        tx = peer_alloc(peer, sizeof(*tx));
        if (tx != NULL) {
            tx->slot = slot;
            tx->acked_at = (PealTime){INT64_MIN};
            tx->window = peer->overlay->stop_and_wait ? 1 : WINDOW_START;
            tx->next = links->active;
            links->active = tx;
        }
    }
    return tx;
}

static void tx_close(PealPeer *peer, LinkTx *tx)
{
    LinkTx **at = &peer->links.active;

    while (*at != tx) {
        at = &(*at)->next;
    }
    *at = tx->next;
    if (tx->entries != NULL) {
        peer_release(peer, tx->entries, tx->cap * sizeof(Entry));
    }
    peer_release(peer, tx, sizeof(*tx));
}

static int tx_append(PealPeer *peer, LinkTx *tx, PealBuf *buf)
{
    if (tx->len == LINK_WAITING_MAX) {
        return -PEAL_E_FULL;
    }
    if (tx->len == tx->cap) {
        uint32_t cap = tx->cap;

        if (peer_grow(peer, &tx->entries, &cap, tx->cap + ENTRIES_STEP, sizeof(Entry)) != 0) {
            return -PEAL_E_MEMORY;
        }
        tx->cap = (uint16_t)cap;
    }
    tx->entries[tx->len++] = (Entry){.buf = buf, .deadline = PEAL_TIME_NEVER};
    return 0;
}

static void tx_remove(LinkTx *tx, uint16_t place)
{
    memmove(&tx->entries[place], &tx->entries[place + 1],
            (size_t)(tx->len - place - 1) * sizeof(Entry));
    tx->len--;
    tx->in_flight--;
}

static PealFlow flow_of(const Link *link, uint16_t slot)
{
    return (PealFlow){slot, link->generation};
}

/* Each transmission takes the next sequence number (s.6.6.2); a stream needs no second one. */
static void transmit(PealPeer *peer, Link *link, LinkTx *tx, Entry *entry)
{
    PealTime now = peer_now(peer);
    PealSpan rto = rtt_timeout(&link->rtt, peer->overlay->link_rto, peer->overlay->link_rto_min);

    if (peer->overlay->link == PEAL_UDP || entry->sends == 0) {
        PealBuf *copy = peer->env->ops->buffer(peer->env, entry->buf->len);

        entry->sequence[entry->sends] = link->tx_sequence++;
        frame_write_data(entry->buf->data, entry->sequence[entry->sends],
                         entry->buf->len - RELOAD_DATA_FRAME_LEN);
        memcpy(copy->data, entry->buf->data, entry->buf->len);
        copy->len = entry->buf->len;
        copy->attempt = (uint16_t)(entry->sends + 1);
        copy->serial = entry->sequence[0];
        peer->env->ops->send_take(peer->env, flow_of(link, tx->slot), copy);
    } else {
        entry->sequence[entry->sends] = entry->sequence[0];
    }
    entry->sent_at[entry->sends] = now;
    entry->sends++;
    entry->deadline = peal_time_add(now, rtt_backoff(rto, entry->sends));
    if (entry->deadline.ns < peer->links.deadline.ns) {
        peer->links.deadline = entry->deadline;
        peer_wake_by(peer, entry->deadline);
    }
}

static void fill_window(PealPeer *peer, Link *link, LinkTx *tx)
{
    while (tx->in_flight < tx->len && tx->in_flight < tx->window) {
        transmit(peer, link, tx, &tx->entries[tx->in_flight++]);
    }
}

void link_send_take(PealPeer *peer, uint16_t slot, PealBuf *buf)
{
    Link *link = link_at(&peer->links, slot);
    LinkTx *tx;

    if (!reliable(peer)) {
        buf->serial = link->tx_sequence++;
        buf->attempt = 1;
        frame_write_data(buf->data, buf->serial, buf->len - RELOAD_DATA_FRAME_LEN);
        peer->env->ops->send_take(peer->env, flow_of(link, slot), buf);
        return;
    }
    tx = tx_open(peer, slot);
    if (tx == NULL || tx_append(peer, tx, buf) != 0) {
        peer_drop(peer, PEAL_DROP_FULL, 0, 0);
        peer->env->ops->drop(peer->env, buf);
        return;
    }
    fill_window(peer, link, tx);
}

/* Additive increase: one message more a window's worth of acknowledgements. */
static void window_grow(const PealPeer *peer, LinkTx *tx)
{
    tx->credit++;
    if (tx->credit >= tx->window && tx->window < window_max(peer)) {
        tx->window++;
        tx->credit = 0;
    }
}

void link_sender_ack(PealPeer *peer, uint16_t slot, const Frame *ack)
{
    Link *link = link_at(&peer->links, slot);
    LinkTx *tx = tx_find(&peer->links, slot);
    uint16_t place = 0;

    if (tx == NULL) {
        return;
    }
    tx->acked_at = peer_now(peer);
    while (place < tx->in_flight) {
        Entry *entry = &tx->entries[place];
        bool covered = false;

        for (uint8_t i = 0; i < entry->sends; i++) {
            covered =
                covered || frame_acknowledges(ack->sequence, ack->received, entry->sequence[i]);
            if (entry->sequence[i] == ack->sequence) {
                rtt_sample(&link->rtt, peal_time_since(peer_now(peer), entry->sent_at[i]));
                break;
            }
        }
        if (covered) {
            peer->env->ops->drop(peer->env, entry->buf);
            tx_remove(tx, place);
            window_grow(peer, tx);
        } else {
            place++;
        }
    }
    if (link->phase == LINK_SUSPECT) {
        link_restore(peer, slot);
        link = link_at(&peer->links, slot);
        tx = tx_find(&peer->links, slot);
    }
    if (tx != NULL) {
        fill_window(peer, link, tx);
        if (tx->len == 0) {
            tx_close(peer, tx);
        }
    }
}

void link_sender_drop(PealPeer *peer, uint16_t slot)
{
    PealBuf *bufs[LINK_WAITING_MAX];
    uint16_t len = link_sender_take(peer, slot, bufs);

    for (uint16_t i = 0; i < len; i++) {
        peer->env->ops->drop(peer->env, bufs[i]);
    }
}

uint16_t link_sender_take(PealPeer *peer, uint16_t slot, PealBuf *ret_bufs[LINK_WAITING_MAX])
{
    LinkTx *tx = tx_find(&peer->links, slot);
    uint16_t len = tx == NULL ? 0 : tx->len;

    if (tx == NULL) {
        return 0;
    }
    for (uint16_t i = 0; i < len; i++) {
        ret_bufs[i] = tx->entries[i].buf;
    }
    tx_close(peer, tx);
    return len;
}

/* The oldest message stays behind to probe the link; the others go by another way. The list is
 * taken first, because a reroute may come back to this very link's table. */
void link_sender_reroute(PealPeer *peer, uint16_t slot)
{
    LinkTx *tx = tx_find(&peer->links, slot);
    PealBuf *others[LINK_WAITING_MAX];
    uint16_t others_len = 0;

    if (tx == NULL) {
        return;
    }
    for (uint16_t i = 0; i < tx->len; i++) {
        PealBuf *buf = tx->entries[i].buf;

        if (i == 0) {
            PealBuf *copy = peer->env->ops->buffer(peer->env, buf->len);

            memcpy(copy->data, buf->data, buf->len);
            copy->len = buf->len;
            buf = copy;
        }
        others[others_len++] = buf;
    }
    tx->len = tx->len > 0 ? 1 : 0;
    tx->in_flight = tx->in_flight > 0 ? 1 : 0;
    for (uint16_t i = 0; i < others_len; i++) {
        forward_again_take(peer, slot, others[i]);
    }
}

/* One message's timer ran out. Returns false when the link is to be closed. */
static bool on_timeout(PealPeer *peer, Link *link, LinkTx *tx, Entry *entry)
{
    tx->window = tx->window > 1 ? (uint16_t)(tx->window / 2) : 1;
    tx->credit = 0;
    if (entry->sends >= peer->overlay->link_sends) {
        return false;
    }
    transmit(peer, link, tx, entry);
    peer_trace(peer, PEAL_TRACE_LINK_RESENT, tx->slot, entry->sends, 0, &link->id);
    return true;
}

/* Serves one link's timers. Returns what is to become of the link. */
typedef enum Verdict { LINK_LIVES, LINK_SILENT, LINK_DIES } Verdict;

static Verdict serve_timers(PealPeer *peer, LinkTx *tx, PealTime now)
{
    Link *link = link_at(&peer->links, tx->slot);
    Verdict verdict = LINK_LIVES;

    for (uint16_t i = 0; i < tx->in_flight; i++) {
        Entry *entry = &tx->entries[i];

        if (peal_time_due(entry->deadline, now) && !on_timeout(peer, link, tx, entry)) {
            return LINK_DIES;
        }
        if (entry->sends >= SUSPECT_SENDS && tx->acked_at.ns < entry->sent_at[0].ns) {
            verdict = LINK_SILENT;
        }
    }
    return verdict;
}

static PealTime earliest_timer(const Links *links)
{
    PealTime earliest = PEAL_TIME_NEVER;

    for (const LinkTx *tx = links->active; tx != NULL; tx = tx->next) {
        for (uint16_t i = 0; i < tx->in_flight; i++) {
            earliest = peal_time_min(earliest, tx->entries[i].deadline);
        }
    }
    return earliest;
}

/* A verdict that is carried out changes the list of active links, so the walk starts again. */
void link_on_wake(PealPeer *peer, PealTime now)
{
    Links *links = &peer->links;
    bool again = true;

    if (!peal_time_due(links->deadline, now)) {
        return;
    }
    while (again) {
        again = false;
        for (LinkTx *tx = links->active; tx != NULL; tx = tx->next) {
            uint16_t slot = tx->slot;
            Verdict verdict = serve_timers(peer, tx, now);

            if (verdict == LINK_DIES) {
                link_close(peer, slot, PEAL_DOWN_DEAD);
                again = true;
                break;
            }
            if (verdict == LINK_SILENT && link_at(links, slot)->phase == LINK_UP) {
                link_suspect(peer, slot);
                again = true;
                break;
            }
        }
    }
    links->deadline = earliest_timer(links);
}
