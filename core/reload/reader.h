/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reader.h - reads fields off the front of bounded bytes; for the decoders only.
 * Source: RFC 6940 s.6.3.1 (presentation language).
 * State:  the caller's; the first fault sticks and every later read gives zeros.
 * Time:   none.
 */
#ifndef RELOAD_READER_H
#define RELOAD_READER_H

#include "reload/bytes.h"
#include "reload/codec.h"

typedef struct Reader {
    const uint8_t *at;
    size_t left;
    int error; /* 0 or the first fault, -PEAL_E_* */
} Reader;

static inline Reader reader_make(PealBytes bytes)
{
    return (Reader){bytes.ptr, bytes.len, 0};
}

static inline void reader_fail(Reader *r, int error)
{
    if (r->error == 0) {
        r->error = error;
    }
}

/* reader_take gives the next len bytes, or NULL with -PEAL_E_TRUNCATED. */
static inline const uint8_t *reader_take(Reader *r, size_t len)
{
    const uint8_t *taken = r->at;

    if (r->error != 0 || r->left < len) {
        reader_fail(r, -PEAL_E_TRUNCATED);
        return NULL;
    }
    if (len > 0) {
        r->at += len;
        r->left -= len;
    }
    return taken;
}

static inline uint8_t reader_u8(Reader *r)
{
    const uint8_t *at = reader_take(r, 1);

    return at == NULL ? 0 : at[0];
}

static inline uint16_t reader_u16(Reader *r)
{
    const uint8_t *at = reader_take(r, 2);

    return at == NULL ? 0 : bytes_u16(at);
}

static inline uint32_t reader_u24(Reader *r)
{
    const uint8_t *at = reader_take(r, 3);

    return at == NULL ? 0 : bytes_u24(at);
}

static inline uint32_t reader_u32(Reader *r)
{
    const uint8_t *at = reader_take(r, 4);

    return at == NULL ? 0 : bytes_u32(at);
}

static inline uint64_t reader_u64(Reader *r)
{
    const uint8_t *at = reader_take(r, 8);

    return at == NULL ? 0 : bytes_u64(at);
}

/* reader_bool: 0 or 1, nothing else (s.6.3.1.1). */
static inline bool reader_bool(Reader *r)
{
    uint8_t value = reader_u8(r);

    if (value > 1) {
        reader_fail(r, -PEAL_E_VALUE);
    }
    return value == 1;
}

static inline PealId reader_id(Reader *r)
{
    const uint8_t *at = reader_take(r, PEAL_ID_LEN);
    PealId id = {{0}};

    if (at != NULL) {
        memcpy(id.bytes, at, PEAL_ID_LEN);
    }
    return id;
}

static inline PealBytes reader_bytes(Reader *r, size_t len)
{
    const uint8_t *at = reader_take(r, len);

    return r->error != 0 ? (PealBytes){NULL, 0} : (PealBytes){at, len};
}

/* reader_opaqueN: bytes behind a length of N bits, `opaque<0..2^N-1>` or a list. */
static inline PealBytes reader_opaque8(Reader *r)
{
    return reader_bytes(r, reader_u8(r));
}

static inline PealBytes reader_opaque16(Reader *r)
{
    return reader_bytes(r, reader_u16(r));
}

static inline PealBytes reader_opaque24(Reader *r)
{
    return reader_bytes(r, reader_u24(r));
}

static inline PealBytes reader_opaque32(Reader *r)
{
    return reader_bytes(r, reader_u32(r));
}

static inline PealBytes reader_rest(Reader *r)
{
    return reader_bytes(r, r->left);
}

/* reader_ids: a list of Node-IDs behind a 16-bit length. */
static inline PealBytes reader_ids(Reader *r)
{
    PealBytes ids = reader_opaque16(r);

    if (ids.len % PEAL_ID_LEN != 0) {
        reader_fail(r, -PEAL_E_LENGTH);
    }
    return ids;
}

/* reader_join takes over the fault of a part read by itself; a part must be read to its end. */
static inline void reader_join(Reader *r, const Reader *part)
{
    if (part->error != 0) {
        reader_fail(r, part->error);
    } else if (part->left != 0) {
        reader_fail(r, -PEAL_E_LENGTH);
    }
}

/* reader_end: the fault, or -PEAL_E_TRAILING when something is left of the whole. */
static inline int reader_end(const Reader *r)
{
    if (r->error != 0) {
        return r->error;
    }
    return r->left == 0 ? 0 : -PEAL_E_TRAILING;
}

/* reload_dest_read reads a Destination (s.6.3.2.2). */
void reload_dest_read(Reader *r, ReloadDest *ret_dest);

/* reload_signature_read reads a Signature (s.6.3.4). */
void reload_signature_read(Reader *r, ReloadSignature *ret_signature);

/* NOLINTBEGIN(bugprone-macro-parentheses): a type takes none */

/*
 * READER_LIST makes, from `static void read_NAME(Reader *r, Type *ret)`, which reads one element,
 * the iterator reload_NAME_next and check_NAME_list, which walks a list once: 0 or its first fault.
 */
#define READER_LIST(name, Type)                           \
    bool reload_##name##_next(PealBytes *list, Type *ret) \
    {                                                     \
        Reader r = reader_make(*list);                    \
        Type element;                                     \
                                                          \
        if (list->len == 0) {                             \
            return false;                                 \
        }                                                 \
        memset(&element, 0, sizeof(element));             \
        read_##name(&r, &element);                        \
        if (r.error != 0) {                               \
            return false;                                 \
        }                                                 \
        *list = (PealBytes){r.at, r.left};                \
        *ret = element;                                   \
        return true;                                      \
    }                                                     \
    static int check_##name##_list(PealBytes list)        \
    {                                                     \
        Reader r = reader_make(list);                     \
                                                          \
        while (r.left > 0 && r.error == 0) {              \
            Type element;                                 \
                                                          \
            memset(&element, 0, sizeof(element));         \
            read_##name(&r, &element);                    \
        }                                                 \
        return r.error;                                   \
    }

/*
 * READER_BODY makes reload_NAME_decode from `static void read_NAME_body(Reader *r, Type *ret)`.
 */
#define READER_BODY(name, Type)                                \
    int reload_##name##_decode(PealBytes body, Type *ret_body) \
    {                                                          \
        Reader r = reader_make(body);                          \
        Type value;                                            \
        int error;                                             \
                                                               \
        memset(&value, 0, sizeof(value));                      \
        read_##name##_body(&r, &value);                        \
        error = reader_end(&r);                                \
        if (error == 0) {                                      \
            *ret_body = value;                                 \
        }                                                      \
        return error;                                          \
    }

/* NOLINTEND(bugprone-macro-parentheses) */

#endif
