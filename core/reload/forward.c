/* SPDX-License-Identifier: GPL-3.0-or-later */
/* forward.c - symmetric recursive routing; see forward.h. */
#include "reload/forward.h"

#include "peer.h"
#include "reload/codec.h"
#include "security/security.h"

/* What is to become of a message. */
typedef enum Way { WAY_HERE, WAY_ON, WAY_NOWHERE } Way;

typedef struct Decision {
    Way way;
    uint16_t link; /* WAY_ON */
    PealDrop drop; /* WAY_NOWHERE */
} Decision;

static Decision go_on(uint16_t link)
{
    return (Decision){link == LINK_NONE ? WAY_NOWHERE : WAY_ON, link, PEAL_DROP_NO_ROUTE};
}

static Decision nowhere(PealDrop why)
{
    return (Decision){WAY_NOWHERE, LINK_NONE, why};
}

static Decision decide_node(const PealPeer *peer, const PealId *id, uint16_t back)
{
    uint16_t direct = link_find(peer, id);

    if (direct != LINK_NONE) {
        return go_on(direct);
    }
    if (peer->topology->responsible(peer, id)) {
        return nowhere(PEAL_DROP_NOT_MINE);
    }
    return go_on(peer->topology->next_hop(peer, id, back));
}

/* RFC 6940 s.6.1: the first entry decides; entries that name this peer are taken off on the way.
 * back  the link the message came over, or one that has failed: not the way on while there is
 *       another */
static Decision decide(const PealPeer *peer, PealBuf *buf, uint16_t back)
{
    uint8_t *message = wire_message(buf);

    for (;;) {
        const uint8_t *entry = wire_dest(message);
        uint32_t list_len = wire_dest_len(message);
        PealId id;

        if (wire_entry_check(entry, list_len) != 0) {
            return nowhere(PEAL_DROP_MALFORMED);
        }
        if (!wire_entry_id(entry, &id)) {
            return nowhere(PEAL_DROP_STALE); /* an opaque id that this peer never gave out */
        }
        if (wire_entry_type(entry) == RELOAD_DEST_RESOURCE) {
            if (peer->topology->responsible(peer, &id)) {
                return (Decision){.way = WAY_HERE};
            }
            return go_on(peer->topology->next_hop(peer, &id, back));
        }
        if (peal_id_is_wildcard(&id)) {
            return (Decision){.way = WAY_HERE};
        }
        if (!peal_id_equal(&id, &peer->id)) {
            return decide_node(peer, &id, back);
        }
        if (wire_entry_len(entry) == list_len) {
            return (Decision){.way = WAY_HERE};
        }
        wire_drop_dest(buf);
    }
}

/* A naming Ping travels whole, by IP's fragments if need be: before it came there is nobody whose
 * pieces could be put together. */
static bool is_to_wildcard(const uint8_t *message)
{
    PealId id;

    return wire_entry_id(wire_dest(message), &id) && peal_id_is_wildcard(&id);
}

/* Hands a message to a link, in pieces where a datagram would be too large. */
static void transmit_take(PealPeer *peer, uint16_t link, PealBuf *buf)
{
    FragmentPlan plan = {.count = 1};

    if (peer->overlay->link == PEAL_UDP && buf->len > peer->overlay->datagram_max &&
        !is_to_wildcard(wire_message(buf))) {
        plan = fragment_plan(wire_message(buf), buf->len - RELOAD_DATA_FRAME_LEN,
                             peer->overlay->datagram_max);
    }
    if (plan.count == 1) {
        link_send_take(peer, link, buf);
        return;
    }
    for (uint32_t i = 0; i < plan.count; i++) {
        link_send_take(peer, link, fragment_make(peer->env, &plan, wire_message(buf), i));
    }
    peer->env->ops->drop(peer->env, buf);
}

/* The option is known to this peer, or nobody insists on that. */
static bool options_known(const uint8_t *message, uint8_t critical)
{
    PealBytes options = {message + wire_header_len(message) - wire_options_len(message),
                         wire_options_len(message)};
    ReloadOption option;

    while (reload_option_next(&options, &option)) {
        if ((option.flags & critical) != 0 && option.type != RELOAD_OPTION_EXP_FORWARD) {
            return false;
        }
    }
    return true;
}

/* Tells the originator of a request why it goes no further (s.6.3.2). Answers die in silence. */
static void refuse_on_the_way(PealPeer *peer, uint16_t from, PealBuf *buf, ReloadErrorCode error)
{
    PealBytes packet = {wire_message(buf), buf->len - RELOAD_DATA_FRAME_LEN};
    Inbound inbound = {.link = from};
    uint16_t code = wire_code(packet.ptr, packet.len);
    size_t contents;

    if (reload_code_is_request(code) &&
        reload_header_decode(packet, &inbound.message.header, &contents) == 0) {
        inbound.message.code = code;
        request_refuse(peer, &inbound, error, (PealBytes){NULL, 0});
    }
}

static void drop_take(PealPeer *peer, PealDrop why, PealBuf *buf)
{
    const uint8_t *message = wire_message(buf);
    size_t len = buf->len - RELOAD_DATA_FRAME_LEN;

    peer_drop(peer, why, wire_code(message, len), wire_transaction(message));
    peer->env->ops->drop(peer->env, buf);
}

/* A request remembers its way in the via list; answers need none (s.6.1.2). Pieces of a message are
 * all treated as requests: most do not tell, and the first via entry must be the same in all for
 * them to be put together again. */
static PealBuf *append_via_take(PealPeer *peer, uint16_t from, PealBuf *buf)
{
    const PealId *previous = &link_at(&peer->links, from)->id;
    const uint8_t *message = wire_message(buf);
    PealBuf *larger;

    if (wire_is_whole(message) &&
        !reload_code_is_request(wire_code(message, buf->len - RELOAD_DATA_FRAME_LEN))) {
        return buf;
    }
    if (wire_push_via(buf, previous) == 0) {
        return buf;
    }
    larger = peer->env->ops->buffer(peer->env, buf->len + FORWARD_VIA_ROOM);
    memcpy(larger->data, buf->data, buf->len);
    larger->len = buf->len;
    peer->env->ops->drop(peer->env, buf);
    if (wire_push_via(larger, previous) != 0) {
        drop_take(peer, PEAL_DROP_FULL, larger);
        return NULL;
    }
    return larger;
}

static void pass_on_take(PealPeer *peer, uint16_t from, uint16_t link, PealBuf *buf)
{
    uint8_t *message = wire_message(buf);
    uint8_t ttl = wire_ttl(message);

    if (ttl == 0) {
        refuse_on_the_way(peer, from, buf, RELOAD_ERROR_TTL_EXCEEDED);
        drop_take(peer, PEAL_DROP_TTL, buf);
        return;
    }
    if (wire_options_len(message) > 0 && !options_known(message, RELOAD_OPTION_FORWARD_CRITICAL)) {
        refuse_on_the_way(peer, from, buf, RELOAD_ERROR_UNSUPPORTED_FORWARDING_OPTION);
        drop_take(peer, PEAL_DROP_OPTION, buf);
        return;
    }
    buf = append_via_take(peer, from, buf);
    if (buf != NULL) {
        wire_set_ttl(wire_message(buf), (uint8_t)(ttl - 1));
        transmit_take(peer, link, buf);
    }
}

/* The checks of a request that is to be served here; 0 or the error to refuse it with. */
static ReloadErrorCode check_request(const PealPeer *peer, const Inbound *inbound)
{
    PealBytes options = inbound->message.header.options;
    PealBytes extensions = inbound->message.extensions;
    int16_t ahead =
        (int16_t)(inbound->message.header.config_sequence - peer->overlay->config_sequence);
    ReloadOption option;
    ReloadExtension extension;

    if (ahead != 0 && inbound->message.code != RELOAD_CONFIG_UPDATE_REQ) {
        return ahead < 0 ? RELOAD_ERROR_CONFIG_TOO_OLD : RELOAD_ERROR_CONFIG_TOO_NEW;
    }
    while (reload_option_next(&options, &option)) {
        if ((option.flags & RELOAD_OPTION_DESTINATION_CRITICAL) != 0 &&
            option.type != RELOAD_OPTION_EXP_FORWARD) {
            return RELOAD_ERROR_UNSUPPORTED_FORWARDING_OPTION;
        }
    }
    while (reload_extension_next(&extensions, &extension)) {
        if (extension.critical) {
            return RELOAD_ERROR_UNKNOWN_EXTENSION;
        }
    }
    return RELOAD_ERROR_NONE;
}

static void deliver_whole(PealPeer *peer, uint16_t from, PealBytes packet)
{
    Inbound inbound = {.link = from};
    ReloadErrorCode error;

    if (reload_message_decode(packet, &inbound.message) != 0) {
        peer_drop(peer, PEAL_DROP_MALFORMED, 0, wire_transaction(packet.ptr));
        return;
    }
    if (security_signer(peer->overlay->crypto, &inbound.message.security.signature,
                        &inbound.signer) != 0) {
        peer_drop(peer, PEAL_DROP_SIGNATURE, inbound.message.code,
                  inbound.message.header.transaction);
        return;
    }
    if (!reload_code_is_request(inbound.message.code)) {
        pending_on_answer(peer, &inbound);
        return;
    }
    error = check_request(peer, &inbound);
    if (error != RELOAD_ERROR_NONE) {
        request_refuse(peer, &inbound, error, (PealBytes){NULL, 0});
        return;
    }
    peer_serve(peer, &inbound);
}

static void deliver_take(PealPeer *peer, uint16_t from, PealBuf *buf)
{
    PealBytes packet = {wire_message(buf), buf->len - RELOAD_DATA_FRAME_LEN};

    if (!wire_is_whole(packet.ptr)) {
        ReassemblyRules rules = {.now = peer_now(peer),
                                 .from =
                                     from == LINK_NONE ? peer->id : link_at(&peer->links, from)->id,
                                 .message_max = peer->overlay->message_max};
        PealBuf *whole = NULL;

        if (reassembly_add(&peer->reassembly, peer->env, &rules, packet, &whole) != 0) {
            peer_drop(peer, PEAL_DROP_MALFORMED, 0, wire_transaction(packet.ptr));
        }
        peer_wake_by(peer, reassembly_deadline(&peer->reassembly));
        peer->env->ops->drop(peer->env, buf);
        if (whole == NULL) {
            return;
        }
        buf = whole;
        packet = (PealBytes){wire_message(buf), buf->len - RELOAD_DATA_FRAME_LEN};
    }
    deliver_whole(peer, from, packet);
    peer->env->ops->drop(peer->env, buf);
    peer_schedule(peer);
}

static PealDrop drop_reason(int error)
{
    switch (error) {
    case -PEAL_E_TOO_LARGE:
        return PEAL_DROP_TTL;
    case -PEAL_E_OVERLAY:
    case -PEAL_E_VERSION:
    case -PEAL_E_TOKEN:
        return PEAL_DROP_OVERLAY;
    default:
        return PEAL_DROP_MALFORMED;
    }
}

void forward_message_take(PealPeer *peer, uint16_t from, PealBuf *buf)
{
    int error = wire_check(wire_message(buf), buf->len - RELOAD_DATA_FRAME_LEN, peer->overlay->hash,
                           peer->overlay->initial_ttl);
    Decision decision;

    if (error != 0) {
        if (error == -PEAL_E_TOO_LARGE) {
            refuse_on_the_way(peer, from, buf, RELOAD_ERROR_TTL_EXCEEDED);
        }
        peer_drop(peer, drop_reason(error), 0, 0);
        peer->env->ops->drop(peer->env, buf);
        return;
    }
    decision = decide(peer, buf, from);
    switch (decision.way) {
    case WAY_HERE:
        deliver_take(peer, from, buf);
        break;
    case WAY_ON:
        pass_on_take(peer, from, decision.link, buf);
        break;
    case WAY_NOWHERE:
        drop_take(peer, decision.drop, buf);
        break;
    }
}

/* Sends a message that was made here and is for somebody else. */
static int send_own_take(PealPeer *peer, const Decision *decision, PealBuf *buf)
{
    if (decision->way == WAY_NOWHERE) {
        drop_take(peer, decision->drop, buf);
        return -PEAL_E_UNREACHABLE;
    }
    wire_set_ttl(wire_message(buf), (uint8_t)(wire_ttl(wire_message(buf)) - 1));
    transmit_take(peer, decision->link, buf);
    return 0;
}

int forward_own_take(PealPeer *peer, uint16_t link, PealBuf *buf)
{
    Decision decision = link != LINK_NONE ? go_on(link) : decide(peer, buf, LINK_NONE);

    return decision.way == WAY_HERE ? pending_local_take(peer, buf)
                                    : send_own_take(peer, &decision, buf);
}

/* Tables may have changed since it was found to be for this peer. */
void forward_local_take(PealPeer *peer, PealBuf *buf)
{
    Decision decision = decide(peer, buf, LINK_NONE);

    if (decision.way == WAY_HERE) {
        deliver_take(peer, LINK_NONE, buf);
    } else {
        (void)!send_own_take(peer, &decision, buf);
    }
}

void forward_again_take(PealPeer *peer, uint16_t failed, PealBuf *buf)
{
    Decision decision = decide(peer, buf, failed);

    switch (decision.way) {
    case WAY_HERE:
        deliver_take(peer, LINK_NONE, buf);
        break;
    case WAY_ON:
        link_send_take(peer, decision.link, buf);
        break;
    case WAY_NOWHERE:
        drop_take(peer, decision.drop, buf);
        break;
    }
}

/* Where the link itself cannot tell that nobody is there. */
static void on_named(PealPeer *peer, uint64_t arg, const RequestResult *result)
{
    PealFlow flow = {(uint16_t)arg, (uint16_t)(arg >> 16)};

    if (result->status == -PEAL_E_TIMEOUT && link_valid(&peer->links, flow)) {
        link_close(peer, flow.index, PEAL_DOWN_DEAD);
    }
}

void forward_name_link(PealPeer *peer, uint16_t link)
{
    uint8_t options[4 + PEAL_ID_LEN];
    uint8_t body[2];
    Writer options_writer = writer_make(options, sizeof(options));
    Writer body_writer = writer_make(body, sizeof(body));
    const ReloadOption name = {.type = RELOAD_OPTION_EXP_FORWARD,
                               .value = {peer->id.bytes, PEAL_ID_LEN}};
    const ReloadPingReq ping = {{NULL, 0}};

    put_option(&options_writer, &name);
    put_ping_req(&body_writer, &ping);
    link_at(&peer->links, link)->named = 1;
    /* A peer with too much outstanding cannot name itself; the other side will close the link. */
    (void)!request_send(peer,
                        &(RequestSpec){.code = RELOAD_PING_REQ,
                                       .to = PEAL_ID_WILDCARD,
                                       .link = link,
                                       .options = writer_view(&options_writer),
                                       .body = writer_view(&body_writer),
                                       .done = on_named,
                                       .arg =
                                           link | (uint64_t)link_at(&peer->links, link)->generation
                                                      << 16});
}

int forward_read_name(const PealPeer *peer, PealBytes packet, PealId *ret_name)
{
    ReloadMessage message;
    ReloadOption option;
    ReloadDest dest;
    PealId signer;
    int error = wire_check(packet.ptr, packet.len, peer->overlay->hash, peer->overlay->initial_ttl);

    if (error != 0) {
        return error;
    }
    if (reload_message_decode(packet, &message) != 0 || message.code != RELOAD_PING_REQ ||
        !reload_dest_next(&message.header.dest, &dest) || dest.type != RELOAD_DEST_NODE ||
        !peal_id_is_wildcard(&dest.id) ||
        security_signer(peer->overlay->crypto, &message.security.signature, &signer) != 0) {
        return -PEAL_E_VALUE;
    }
    while (reload_option_next(&message.header.options, &option)) {
        if (option.type == RELOAD_OPTION_EXP_FORWARD && option.value.len == PEAL_ID_LEN &&
            memcmp(option.value.ptr, signer.bytes, PEAL_ID_LEN) == 0) {
            *ret_name = signer;
            return 0;
        }
    }
    return -PEAL_E_VALUE;
}
