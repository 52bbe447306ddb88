/* SPDX-License-Identifier: GPL-3.0-or-later */
/* view.c - see <peal/message.h>. */
#include <peal/message.h>

#include "peer.h"
#include "reload/codec.h"
#include "reload/wire.h"
#include "security/security.h"
#include "sip/registration.h"

enum {
    REWRITE_ROOM = 2048, /* security block of any mode */
    VALUE_ROOM = 768,
    ROUTE_ROOM = 64,
    LIFETIME_S = 3600
};

/* The message of a buffer or bytes that are one data frame, with lists that fit it. */
static int find_message(PealBytes frame, Frame *ret_frame)
{
    Frame found;
    int error = frame_parse_datagram(frame.ptr, frame.len, FRAME_MESSAGE_MAX, &found);

    if (error != 0) {
        return error;
    }
    if (!found.data) {
        return -PEAL_E_VALUE;
    }
    if (found.message_len < RELOAD_HEADER_LEN) {
        return -PEAL_E_TRUNCATED;
    }
    if (bytes_u32(found.message + WIRE_AT_TOKEN) != RELOAD_TOKEN ||
        found.message[WIRE_AT_VERSION] != RELOAD_VERSION) {
        return -PEAL_E_TOKEN;
    }
    if (wire_length(found.message) != found.message_len ||
        wire_header_len(found.message) > found.message_len) {
        return -PEAL_E_LENGTH;
    }
    error = wire_entry_check(wire_dest(found.message), wire_dest_len(found.message));
    if (error == 0) {
        *ret_frame = found;
    }
    return error;
}

static PealBytes bytes_of(const PealBuf *buf)
{
    return (PealBytes){buf->data, buf->len};
}

static void read_ends(const ReloadHeader *header, PealMessage *message)
{
    PealBytes dest = header->dest;
    PealBytes via = header->via;
    ReloadDest entry;

    for (bool next = true; reload_dest_next(&dest, &entry); next = false) {
        message->to_resource = entry.type == RELOAD_DEST_RESOURCE;
        if (entry.type == RELOAD_DEST_OPAQUE) {
            message->to = (PealId){{0}};
        } else {
            message->to = entry.id;
        }
        if (next) {
            message->next = message->to;
        }
    }
    if (reload_dest_next(&via, &entry) && entry.type == RELOAD_DEST_NODE) {
        message->first = entry.id;
    }
}

int peal_message_read(const PealOverlay *overlay, PealBytes bytes, PealMessage *ret_message)
{
    PealMessage message = {0};
    ReloadMessage decoded;
    Frame frame;
    int error = find_message(bytes, &frame);

    if (error == 0) {
        error = reload_message_decode((PealBytes){frame.message, frame.message_len}, &decoded);
    }
    if (error != 0) {
        return error;
    }
    message.code = decoded.code;
    message.ttl = decoded.header.ttl;
    message.request = reload_code_is_request(decoded.code);
    message.transaction = decoded.header.transaction;
    message.body = decoded.body;
    read_ends(&decoded.header, &message);
    if (security_signer(overlay->crypto, &decoded.security.signature, &message.signer) != 0) {
        message.signer = (PealId){{0}};
    }
    *ret_message = message;
    return 0;
}

/* As the peer will decide (RFC 6940 s.6.1), but for what it then throws away. */
bool peal_message_passes(const PealPeer *peer, PealBytes bytes)
{
    const uint8_t *entry;
    uint32_t left;
    Frame frame;
    PealId id;

    if (find_message(bytes, &frame) != 0) {
        return false;
    }
    entry = wire_dest(frame.message);
    left = wire_dest_len(frame.message);
    while (wire_entry_check(entry, left) == 0 && wire_entry_id(entry, &id)) {
        uint32_t len = wire_entry_len(entry);

        if (wire_entry_type(entry) == RELOAD_DEST_RESOURCE) {
            return !peer->topology->responsible(peer, &id);
        }
        if (peal_id_is_wildcard(&id)) {
            return false;
        }
        if (!peal_id_equal(&id, &peer->id)) {
            return true;
        }
        entry += len;
        left -= len;
    }
    return false;
}

int peal_message_spoil(PealBuf *buf)
{
    Frame frame;
    int error = find_message(bytes_of(buf), &frame);

    if (error == 0) {
        wire_message(buf)[WIRE_AT_VERSION] = 0;
    }
    return error;
}

int peal_message_detour(PealBuf *buf, const PealId *nodes, size_t len)
{
    uint32_t more = (uint32_t)(len * RELOAD_NODE_ENTRY_LEN);
    Frame frame;
    int error = find_message(bytes_of(buf), &frame);
    uint8_t *at;

    if (error != 0) {
        return error;
    }
    if (len > PEAL_MESSAGE_DETOUR_MAX || wire_dest_len(frame.message) + more > WIRE_LIST_MAX) {
        return -PEAL_E_TOO_LARGE;
    }
    if (buf->cap - buf->len < more) {
        return -PEAL_E_FULL;
    }
    at = buf->data + (wire_dest(frame.message) - buf->data);
    memmove(at + more, at, buf->len - (size_t)(at - buf->data));
    for (size_t i = 0; i < len; i++) {
        Writer entry = writer_make(at + i * RELOAD_NODE_ENTRY_LEN, RELOAD_NODE_ENTRY_LEN);

        put_dest_node(&entry, &nodes[i]);
    }
    bytes_set_u16(wire_message(buf) + WIRE_AT_DEST_LEN,
                  (uint16_t)(wire_dest_len(wire_message(buf)) + more));
    wire_set_len(buf, buf->len + more);
    return 0;
}

int peal_message_divert(PealBuf *buf, const PealId *node)
{
    Frame frame;
    int error = find_message(bytes_of(buf), &frame);
    uint32_t old_len;
    Writer entry;
    uint8_t *at;

    if (error != 0) {
        return error;
    }
    old_len = wire_dest_len(frame.message);
    if (old_len < RELOAD_NODE_ENTRY_LEN) { /* a short opaque id */
        return -PEAL_E_LENGTH;
    }
    at = buf->data + (wire_dest(frame.message) - buf->data);
    entry = writer_make(at, RELOAD_NODE_ENTRY_LEN);
    put_dest_node(&entry, node);
    memmove(at + RELOAD_NODE_ENTRY_LEN, at + old_len,
            buf->len - (size_t)(at - buf->data) - old_len);
    bytes_set_u16(wire_message(buf) + WIRE_AT_DEST_LEN, RELOAD_NODE_ENTRY_LEN);
    wire_set_len(buf, buf->len - (old_len - RELOAD_NODE_ENTRY_LEN));
    return 0;
}

PealBuf *peal_message_rewrite(PealEnv *env, const PealOverlay *overlay, const PealBuf *buf,
                              const PealMessage *message)
{
    uint8_t identity[SECURITY_IDENTITY_LEN];
    ReloadSecurity security = security_fill(overlay->crypto, &message->signer, identity);
    ReloadMessage old;
    ReloadDraft draft;
    PealBuf *made;
    Writer writer;
    Frame frame;

    if (find_message(bytes_of(buf), &frame) != 0 ||
        reload_message_decode((PealBytes){frame.message, frame.message_len}, &old) != 0) {
        return NULL;
    }
    made = env->ops->buffer(env, buf->len + message->body.len + REWRITE_ROOM);
    writer = writer_make(made->data + RELOAD_DATA_FRAME_LEN, made->cap - RELOAD_DATA_FRAME_LEN);
    draft = reload_message_begin(&writer, &old.header, message->code);
    put_bytes(&writer, message->body);
    (void)reload_message_contents(&writer, &draft, old.extensions);
    reload_message_security(&writer, &draft, &security);
    if (writer.overflow) {
        env->ops->drop(env, made);
        return NULL;
    }
    frame_write_data(made->data, frame.sequence, (uint32_t)writer.len);
    made->len = RELOAD_DATA_FRAME_LEN + (uint32_t)writer.len;
    made->serial = buf->serial;
    made->attempt = buf->attempt;
    return made;
}

size_t peal_message_put_found(const PealOverlay *overlay, const PealId *adapter, uint64_t unix_ms,
                              uint8_t *ret_body, size_t cap)
{
    uint8_t route[ROUTE_ROOM];
    uint8_t value[VALUE_ROOM];
    uint8_t kinds[PEAL_MESSAGE_FOUND_MAX];
    uint8_t identity[SECURITY_IDENTITY_LEN];
    Writer route_writer = writer_make(route, sizeof(route));
    Writer values = writer_make(value, sizeof(value));
    Writer list = writer_make(kinds, sizeof(kinds));
    Writer body = writer_make(ret_body, cap);
    ReloadKindData data = {.kind = PEAL_KIND_SIP_REGISTRATION, .generation = adapter != NULL};

    if (adapter != NULL) {
        ReloadStored stored = {.storage_time_ms = unix_ms,
                               .lifetime_s = LIFETIME_S,
                               .key = {adapter->bytes, PEAL_ID_LEN},
                               .exists = true};

        registration_put_route(&route_writer, adapter);
        stored.value = writer_view(&route_writer);
        stored.signature = security_fill(overlay->crypto, adapter, identity).signature;
        put_stored(&values, PEAL_MODEL_DICTIONARY, &stored);
    }
    data.values = writer_view(&values);
    put_kind_data(&list, &data);
    put_fetch_ans(&body, &(ReloadFetchAns){writer_view(&list)});
    return route_writer.overflow || values.overflow || list.overflow || body.overflow ? 0
                                                                                      : body.len;
}

static PealBytes put_ids(Writer *writer, const PealId *ids, size_t len)
{
    size_t start = writer->len;

    for (size_t i = 0; i < len; i++) {
        put_id(writer, &ids[i]);
    }
    return (PealBytes){writer->ptr + start, writer->len - start};
}

size_t peal_message_put_update(const PealId *predecessors, size_t predecessors_len,
                               const PealId *successors, size_t successors_len, uint8_t *ret_body,
                               size_t cap)
{
    uint8_t ids[2 * PEAL_NEIGHBOURS_MAX * PEAL_ID_LEN];
    Writer list = writer_make(ids, sizeof(ids));
    Writer body = writer_make(ret_body, cap);
    ChordUpdate update = {.uptime_s = LIFETIME_S,
                          .type = predecessors_len + successors_len > 0 ? CHORD_UPDATE_NEIGHBORS
                                                                        : CHORD_UPDATE_PEER_READY};

    update.predecessors = put_ids(&list, predecessors, predecessors_len);
    update.successors = put_ids(&list, successors, successors_len);
    put_chord_update(&body, &update);
    return list.overflow || body.overflow ? 0 : body.len;
}
