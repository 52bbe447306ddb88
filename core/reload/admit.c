/* SPDX-License-Identifier: GPL-3.0-or-later */
/* admit.c - RELOAD's frames at the gate; see security/gate.h. */
#include "peer.h"
#include "security/gate.h"

/* An acknowledgement, or a whole answer: its message code is even. Error answers are 0xffff. */
static bool frame_is_urgent(const uint8_t *bytes, size_t len)
{
    PealFrameInfo info;

    return peal_frame_info(bytes, len, &info) == 0 &&
           (!info.data || info.code == RELOAD_ERROR || (info.code != 0 && info.code % 2 == 0));
}

PealAdmit gate_admit_frame(PealPeer *peer, uint16_t slot, const uint8_t *bytes, size_t len)
{
    Gate *gate = gate_of(peer);
    const Link *link = link_at(&peer->links, slot);
    GateCase item = {.known = link->neighbour || link->finger,
                     .urgent = frame_is_urgent(bytes, len)};

    if (peal_id_is_wildcard(&link->id)) {
        item.source = gate_flow(gate, (PealFlow){slot, link->generation});
    } else {
        item.source = gate_node(gate, &link->id);
    }
    if (gate_take(peer, &item)) {
        item.urgent =
            true; /* others wait for what passes through: only a real queue keeps it out */
        if (gate_has_time(peer, &item)) {
            return PEAL_ADMIT_SERVE;
        }
    }
    /* RELOAD has no code for "busy" (RFC 6940 s.14.9), and an answer has to be signed: to say
     * nothing is cheaper, and the link's timers and the sender's slow it down. */
    gate->status.dropped++;
    gate->status.dropped_frames++;
    return PEAL_ADMIT_DROP;
}

PealAdmit peal_peer_admit(PealPeer *peer, PealFlow flow, const uint8_t *bytes, size_t len,
                          PealSpan wait)
{
    Gate *gate = gate_of(peer);

    if (gate == NULL) {
        return PEAL_ADMIT_SERVE;
    }
    gate->wait = wait;
    if (peer->overlay->link != PEAL_UDP || !link_valid(&peer->links, flow)) {
        return PEAL_ADMIT_SERVE; /* link.c judges frames of a stream, when it has found them */
    }
    return gate_admit_frame(peer, flow.index, bytes, len);
}
