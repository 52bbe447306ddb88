/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * codec_write.c - the writer's primitives: integers, bytes, lengths.
 */
#include "reload/bytes.h"
#include "reload/writer.h"

/* Room for len more bytes, or NULL and the overflow is noted. */
static uint8_t *room(Writer *w, size_t len)
{
    uint8_t *at = w->ptr + w->len;

    if (w->overflow || w->cap - w->len < len) {
        w->overflow = true;
        return NULL;
    }
    w->len += len;
    return at;
}

void put_u8(Writer *w, uint8_t value)
{
    uint8_t *at = room(w, 1);

    if (at != NULL) {
        *at = value;
    }
}

void put_u16(Writer *w, uint16_t value)
{
    uint8_t *at = room(w, 2);

    if (at != NULL) {
        bytes_set_u16(at, value);
    }
}

void put_u24(Writer *w, uint32_t value)
{
    uint8_t *at = room(w, 3);

    if (at != NULL) {
        bytes_set_u24(at, value);
    }
}

void put_u32(Writer *w, uint32_t value)
{
    uint8_t *at = room(w, 4);

    if (at != NULL) {
        bytes_set_u32(at, value);
    }
}

void put_u64(Writer *w, uint64_t value)
{
    uint8_t *at = room(w, 8);

    if (at != NULL) {
        bytes_set_u64(at, value);
    }
}

void put_bytes(Writer *w, PealBytes bytes)
{
    uint8_t *at = bytes.len > 0 ? room(w, bytes.len) : NULL;

    if (at != NULL) {
        memcpy(at, bytes.ptr, bytes.len);
    }
}

void put_id(Writer *w, const PealId *id)
{
    put_bytes(w, (PealBytes){id->bytes, PEAL_ID_LEN});
}

/* Lengths */

static bool length_fits(size_t len, size_t length_bytes)
{
    return (uint64_t)len < UINT64_C(1) << (8 * length_bytes);
}

static void put_opaque(Writer *w, PealBytes bytes, size_t length_bytes)
{
    size_t mark = put_length_begin(w, length_bytes);

    put_bytes(w, bytes);
    put_length_end(w, mark, length_bytes);
}

void put_opaque8(Writer *w, PealBytes bytes)
{
    put_opaque(w, bytes, 1);
}

void put_opaque16(Writer *w, PealBytes bytes)
{
    put_opaque(w, bytes, 2);
}

void put_opaque24(Writer *w, PealBytes bytes)
{
    put_opaque(w, bytes, 3);
}

void put_opaque32(Writer *w, PealBytes bytes)
{
    put_opaque(w, bytes, 4);
}

size_t put_length_begin(Writer *w, size_t length_bytes)
{
    (void)room(w, length_bytes);
    return w->len;
}

void put_length_end(Writer *w, size_t mark, size_t length_bytes)
{
    size_t len = w->len - mark;

    if (w->overflow || !length_fits(len, length_bytes)) {
        w->overflow = true;
        return;
    }
    for (size_t i = 0; i < length_bytes; i++) {
        w->ptr[mark - 1 - i] = (uint8_t)(len >> (8 * i));
    }
}
