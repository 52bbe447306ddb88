/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * config.c - an overlay's configuration: its defaults and the ranges of its fields.
 * Source: RFC 6940 s.10.5, s.10.7, s.11.1; RFC 7904 s.7.
 */
#include <peal/peer.h>

#include "reload/fragment.h"

/* An overlay knows at least these Kinds. 32 adapters of one AOR fit a message of default size. */
static const PealKind default_kinds[] = {
    {.id = PEAL_KIND_SIP_REGISTRATION,
     .model = PEAL_MODEL_DICTIONARY,
     .access = PEAL_ACCESS_USER_NODE_MATCH,
     .count_max = 32,
     .size_max = 1024},
    {.id = PEAL_KIND_SIP_REGISTRATION_COPY,
     .model = PEAL_MODEL_DICTIONARY,
     .access = PEAL_ACCESS_USER_NODE_MULTIPLE,
     .count_max = 32,
     .size_max = 1024,
     .node_multiple = PEAL_NEIGHBOURS_MAX},
};

void peal_overlay_defaults(PealOverlay *ret_overlay)
{
    *ret_overlay = (PealOverlay){
        .config_sequence = 1,
        .initial_ttl = 100,
        .topology = PEAL_TOPOLOGY_CHORD,
        .crypto = PEAL_CRYPTO_NONE,
        .link = PEAL_UDP,
        .link_acks = true,
        .message_max = 5000,
        .datagram_max = 1200,
        .successors = 8,
        .predecessors = 8,
        .fingers = 16,
        .replicas = 2,
        .finger_choice = PEAL_FINGER_RANDOM,
        .maintenance = PEAL_MAINTENANCE_ON,
        .update_to = PEAL_UPDATE_NEIGHBOURS,
        .reactive = true,
        .update_interval = peal_seconds(600),
        .finger_interval = peal_seconds(3600),
        .partition_interval = peal_seconds(600),
        .hold_down = peal_seconds(30),
        .link_rto = peal_ms(500),
        .link_rto_min = peal_ms(100),
        .link_sends = 5,
        .request_timeout = peal_seconds(3),
        .request_lifetime = peal_seconds(15),
        .request_sends = 5,
        .resources_max = 100000,
        .kinds = default_kinds,
        .kinds_len = sizeof(default_kinds) / sizeof(default_kinds[0]),
        .defence = {.redundant_lookups = 1,
                    .puzzle_rate = 1000000,
                    .source_burst = 20,
                    .known_factor = 20,
                    .sources = 4096,
                    .retry_after = peal_seconds(5)},
    };
}

uint32_t peal_overlay_hash(const PealCryptoOps *crypto, PealStr name)
{
    uint8_t digest[PEAL_DIGEST_MAX];
    PealBytes bytes = {(const uint8_t *)name.ptr, name.len};
    size_t len = crypto->digest(PEAL_HASH_SHA1, &bytes, 1, digest);

    return bytes_u32(digest + len - sizeof(uint32_t));
}

typedef struct Range {
    const char *field;
    int64_t value;
    int64_t least;
    int64_t most;
} Range;

int peal_overlay_check(const PealOverlay *o, const char **ret_field)
{
    const int64_t day = 24 * 3600 * PEAL_NS_PER_S;
    const Range ranges[] = {
        {"initial_ttl", o->initial_ttl, 1, 100},
        {"topology", o->topology, PEAL_TOPOLOGY_CHORD, PEAL_TOPOLOGY_CENTRAL},
        {"crypto", o->crypto, PEAL_CRYPTO_NONE, PEAL_CRYPTO_MODELLED_RSA2048},
        {"link", o->link, PEAL_UDP, PEAL_TCP},
        /* The framing header's 24 bits bound a message; RFC 6940 s.11.1 starts at 5000. */
        {"message_max", o->message_max, 1000, 65535},
        {"datagram_max", o->datagram_max, 512, 65507},
        {"successors", o->successors, 1, PEAL_NEIGHBOURS_MAX},
        {"predecessors", o->predecessors, 0, PEAL_NEIGHBOURS_MAX},
        {"fingers", o->fingers, 0, PEAL_FINGERS_MAX},
        {"replicas", o->replicas, 0, o->successors},
        {"finger_choice", o->finger_choice, PEAL_FINGER_RANDOM, PEAL_FINGER_EXACT},
        {"maintenance", o->maintenance, PEAL_MAINTENANCE_ON, PEAL_MAINTENANCE_STABILISE},
        {"update_to", o->update_to, PEAL_UPDATE_NEIGHBOURS, PEAL_UPDATE_IMMEDIATE},
        {"update_spread", o->update_spread, PEAL_SPREAD_NONE, PEAL_SPREAD_EXPONENTIAL},
        {"stabilise_share_ppm", o->stabilise_share_ppm, 0, 1000000},
        {"update_interval", o->update_interval.ns, PEAL_NS_PER_MS, 30 * day},
        {"finger_interval", o->finger_interval.ns, PEAL_NS_PER_MS, 30 * day},
        {"partition_interval", o->partition_interval.ns, PEAL_NS_PER_MS, 30 * day},
        {"hold_down", o->hold_down.ns, 0, day},
        {"link_rto", o->link_rto.ns, PEAL_NS_PER_MS, 60 * PEAL_NS_PER_S},
        {"link_rto_min", o->link_rto_min.ns, PEAL_NS_PER_MS, o->link_rto.ns},
        {"link_sends", o->link_sends, 1, 8},
        {"request_timeout", o->request_timeout.ns, PEAL_NS_PER_MS, day},
        {"request_lifetime", o->request_lifetime.ns, o->request_timeout.ns, day},
        {"request_sends", o->request_sends, 1, 16},
        {"kinds_len", o->kinds_len, 0, 1024},
        {"placement", o->defence.placement, PEAL_PLACEMENT_SUCCESSORS, PEAL_PLACEMENT_BOTH},
        {"puzzle_bits", o->defence.puzzle_bits, 0, PEAL_PUZZLE_BITS_MAX},
        {"puzzle_modelled", o->defence.puzzle_modelled, 0, PEAL_PUZZLE_BITS_MAX},
        {"puzzle_rate", o->defence.puzzle_rate, 1000, 1000000000},
        {"neighbour_rate", o->defence.neighbour_rate, 0, PEAL_NEIGHBOUR_RATE_MAX},
        {"redundant_lookups", o->defence.redundant_lookups, 1, PEAL_REDUNDANT_MAX},
        {"source_burst", o->defence.source_burst, 1, 10000},
        {"known_factor", o->defence.known_factor, 1, 1000},
        {"sources", o->defence.sources, 64, 1 << 20},
        {"source_rate_milli", (int64_t)o->defence.source_rate_milli, 0, INT64_C(3600000000000)},
        {"overload_wait", o->defence.overload_wait.ns, 0, 60 * PEAL_NS_PER_S},
        {"retry_after", o->defence.retry_after.ns, PEAL_NS_PER_S, 3600 * PEAL_NS_PER_S},
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (ranges[i].value < ranges[i].least || ranges[i].value > ranges[i].most) {
            *ret_field = ranges[i].field;
            return -PEAL_E_ARG;
        }
    }
    if (o->kinds == NULL && o->kinds_len > 0) {
        *ret_field = "kinds";
        return -PEAL_E_ARG;
    }
    return 0;
}
