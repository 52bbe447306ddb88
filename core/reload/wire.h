/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wire.h - a message edited where it lies: what a forwarding peer reads and writes without decoding
 * it.
 * Source: RFC 6940 s.6.1.2, s.6.3.2.
 * State:  none.   Time: none; a forward costs one wire_check and one memmove.
 *
 * Readers and setters work on a message that wire_check has passed. Editors work on a buffer that
 * holds one data frame (8 bytes) and its message, and keep all lengths true, the frame's too.
 */
#ifndef RELOAD_WIRE_H
#define RELOAD_WIRE_H

#include "reload/frame.h"

enum {
    WIRE_AT_TOKEN = 0,
    WIRE_AT_OVERLAY = 4,
    WIRE_AT_CONFIG = 8,
    WIRE_AT_VERSION = 10,
    WIRE_AT_TTL = 11,
    WIRE_AT_FRAGMENT = 12,
    WIRE_AT_LENGTH = 16,
    WIRE_AT_TRANSACTION = 20,
    WIRE_AT_MAX_RESPONSE = 28,
    WIRE_AT_VIA_LEN = 32,
    WIRE_AT_DEST_LEN = 34,
    WIRE_AT_OPTIONS_LEN = 36,
    WIRE_LIST_MAX = UINT16_MAX
};
#define WIRE_FRAGMENT_HIGH UINT32_C(0x80000000) /* always set */
#define WIRE_FRAGMENT_LAST UINT32_C(0x40000000)
#define WIRE_FRAGMENT_OFFSET UINT32_C(0x00ffffff)

static inline uint8_t *wire_message(PealBuf *buf)
{
    return buf->data + RELOAD_DATA_FRAME_LEN;
}
static inline uint8_t wire_ttl(const uint8_t *message)
{
    return message[WIRE_AT_TTL];
}
static inline void wire_set_ttl(uint8_t *message, uint8_t ttl)
{
    message[WIRE_AT_TTL] = ttl;
}
static inline uint16_t wire_config_sequence(const uint8_t *message)
{
    return bytes_u16(message + WIRE_AT_CONFIG);
}
static inline uint32_t wire_fragment(const uint8_t *message)
{
    return bytes_u32(message + WIRE_AT_FRAGMENT);
}
/* wire_is_whole tells a message from a fragment of one; reserved bits do not matter. */
static inline bool wire_is_whole(const uint8_t *message)
{
    return (wire_fragment(message) & (WIRE_FRAGMENT_LAST | WIRE_FRAGMENT_OFFSET)) ==
           WIRE_FRAGMENT_LAST;
}
static inline uint32_t wire_length(const uint8_t *message)
{
    return bytes_u32(message + WIRE_AT_LENGTH);
}
static inline uint64_t wire_transaction(const uint8_t *message)
{
    return bytes_u64(message + WIRE_AT_TRANSACTION);
}
static inline uint16_t wire_via_len(const uint8_t *message)
{
    return bytes_u16(message + WIRE_AT_VIA_LEN);
}
static inline uint16_t wire_dest_len(const uint8_t *message)
{
    return bytes_u16(message + WIRE_AT_DEST_LEN);
}
static inline uint16_t wire_options_len(const uint8_t *message)
{
    return bytes_u16(message + WIRE_AT_OPTIONS_LEN);
}
/*
 * wire_header_len: the forwarding header with its lists; the contents, or a fragment's piece of
 * them, follow.
 */
static inline uint32_t wire_header_len(const uint8_t *message)
{
    return (uint32_t)RELOAD_HEADER_LEN + wire_via_len(message) + wire_dest_len(message) +
           wire_options_len(message);
}
/* wire_dest is the first entry of the destination list, wire_via of the via list. */
static inline const uint8_t *wire_via(const uint8_t *message)
{
    return message + RELOAD_HEADER_LEN;
}
static inline const uint8_t *wire_dest(const uint8_t *message)
{
    return message + RELOAD_HEADER_LEN + wire_via_len(message);
}

/* The kind of a list's first entry, once it has been checked. */
static inline ReloadDestType wire_entry_type(const uint8_t *entry)
{
    return entry[0] >= 0x80 ? RELOAD_DEST_OPAQUE : (ReloadDestType)entry[0];
}
static inline uint32_t wire_entry_len(const uint8_t *entry)
{
    return entry[0] >= 0x80 ? 2 : UINT32_C(2) + entry[1];
}
/*
 * wire_entry_id reads the id of a node entry, or of a resource entry whose id has 16 bytes; false
 * for others.
 */
static inline bool wire_entry_id(const uint8_t *entry, PealId *ret_id)
{
    if (entry[0] == RELOAD_DEST_NODE) {
        memcpy(ret_id->bytes, entry + 2, PEAL_ID_LEN);
        return true;
    }
    if (entry[0] == RELOAD_DEST_RESOURCE && entry[2] == PEAL_ID_LEN) {
        memcpy(ret_id->bytes, entry + 3, PEAL_ID_LEN);
        return true;
    }
    return false;
}

/*
 * wire_entry_check checks the entry that starts a destination list of list_len bytes.
 * Returns 0, -PEAL_E_TRUNCATED, -PEAL_E_LENGTH, -PEAL_E_UNKNOWN (type) or -PEAL_E_VALUE (an id
 * without bytes, a resource that is not last).
 */
static inline int wire_entry_check(const uint8_t *entry, uint32_t list_len)
{
    if (list_len < 2 || wire_entry_len(entry) > list_len) {
        return -PEAL_E_TRUNCATED;
    }
    if (entry[0] >= 0x80) {
        return 0;
    }
    switch (entry[0]) {
    case RELOAD_DEST_NODE:
        return entry[1] == PEAL_ID_LEN ? 0 : -PEAL_E_LENGTH;
    case RELOAD_DEST_RESOURCE:
    case RELOAD_DEST_OPAQUE:
        if (entry[1] == 0 || entry[1] != entry[2] + 1) {
            return -PEAL_E_LENGTH;
        }
        if (entry[2] == 0) {
            return -PEAL_E_VALUE;
        }
        return entry[0] == RELOAD_DEST_OPAQUE || wire_entry_len(entry) == list_len ? 0
                                                                                   : -PEAL_E_VALUE;
    default:
        return -PEAL_E_UNKNOWN;
    }
}

/*
 * wire_check passes what may be forwarded: the fixed header, that the lists fit, and the first
 * destination entry; the rest is the destination's business.
 * len  bytes of the message, as its frame says
 * Returns 0, -PEAL_E_TRUNCATED, -PEAL_E_TOKEN, -PEAL_E_OVERLAY, -PEAL_E_VERSION, -PEAL_E_LENGTH
 * (length field, or lists that do not fit it), -PEAL_E_VALUE (fragment's high bit unset, empty
 * destination list), -PEAL_E_TOO_LARGE (ttl above initial_ttl: Error_TTL_Exceeded), or what
 * wire_entry_check says.
 */
static inline int wire_check(const uint8_t *message, size_t len, uint32_t overlay_hash,
                             unsigned initial_ttl)
{
    if (len < RELOAD_HEADER_LEN) {
        return -PEAL_E_TRUNCATED;
    }
    if (bytes_u32(message + WIRE_AT_TOKEN) != RELOAD_TOKEN) {
        return -PEAL_E_TOKEN;
    }
    if (message[WIRE_AT_VERSION] != RELOAD_VERSION) {
        return -PEAL_E_VERSION;
    }
    if (bytes_u32(message + WIRE_AT_OVERLAY) != overlay_hash) {
        return -PEAL_E_OVERLAY;
    }
    if ((message[WIRE_AT_FRAGMENT] & 0x80) == 0 || wire_dest_len(message) == 0) {
        return -PEAL_E_VALUE;
    }
    if (wire_length(message) != len || wire_header_len(message) > len) {
        return -PEAL_E_LENGTH;
    }
    if (message[WIRE_AT_TTL] > initial_ttl) {
        return -PEAL_E_TOO_LARGE;
    }
    return wire_entry_check(wire_dest(message), wire_dest_len(message));
}

/* wire_set_len tells frame and header that the buffer's len has changed. */
static inline void wire_set_len(PealBuf *buf, uint32_t len)
{
    buf->len = len;
    bytes_set_u24(buf->data + 5, len - RELOAD_DATA_FRAME_LEN);
    bytes_set_u32(wire_message(buf) + WIRE_AT_LENGTH, len - RELOAD_DATA_FRAME_LEN);
}

/*
 * wire_push_via appends a Node-ID to the via list, 18 bytes.
 * Returns 0, -PEAL_E_FULL (buf->cap is too small: copy to a larger buffer first) or
 * -PEAL_E_TOO_LARGE (list is full); the buffer is then as it was.
 */
static inline int wire_push_via(PealBuf *buf, const PealId *id)
{
    uint8_t *message = wire_message(buf);
    uint32_t via_len = wire_via_len(message);
    uint32_t at = (uint32_t)RELOAD_DATA_FRAME_LEN + RELOAD_HEADER_LEN + via_len;

    if (buf->cap - buf->len < RELOAD_NODE_ENTRY_LEN) {
        return -PEAL_E_FULL;
    }
    if (via_len > (uint32_t)WIRE_LIST_MAX - RELOAD_NODE_ENTRY_LEN ||
        buf->len > (uint32_t)FRAME_MESSAGE_MAX - RELOAD_NODE_ENTRY_LEN) {
        return -PEAL_E_TOO_LARGE;
    }
    memmove(buf->data + at + RELOAD_NODE_ENTRY_LEN, buf->data + at, buf->len - at);
    buf->data[at] = RELOAD_DEST_NODE;
    buf->data[at + 1] = PEAL_ID_LEN;
    memcpy(buf->data + at + 2, id->bytes, PEAL_ID_LEN);
    bytes_set_u16(message + WIRE_AT_VIA_LEN, (uint16_t)(via_len + RELOAD_NODE_ENTRY_LEN));
    wire_set_len(buf, buf->len + RELOAD_NODE_ENTRY_LEN);
    return 0;
}

/* wire_drop_dest removes the first entry of a non-empty, checked destination list. */
static inline void wire_drop_dest(PealBuf *buf)
{
    uint8_t *message = wire_message(buf);
    uint32_t dest_len = wire_dest_len(message);
    uint32_t at = (uint32_t)RELOAD_DATA_FRAME_LEN + RELOAD_HEADER_LEN + wire_via_len(message);
    uint32_t entry_len = wire_entry_len(buf->data + at);

    memmove(buf->data + at, buf->data + at + entry_len, buf->len - at - entry_len);
    bytes_set_u16(message + WIRE_AT_DEST_LEN, (uint16_t)(dest_len - entry_len));
    wire_set_len(buf, buf->len - entry_len);
}

/*
 * wire_code reads the message code of a whole message or a first fragment; 0 when it is not in
 * there.
 */
static inline uint16_t wire_code(const uint8_t *message, size_t len)
{
    uint32_t at = wire_header_len(message);

    if ((wire_fragment(message) & WIRE_FRAGMENT_OFFSET) != 0 || at + 2 > len) {
        return 0;
    }
    return bytes_u16(message + at);
}

#endif
