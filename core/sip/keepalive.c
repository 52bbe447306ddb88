/* SPDX-License-Identifier: GPL-3.0-or-later */
/* keepalive.c - answers STUN Binding requests (keepalive.h). */
#include "sip/keepalive.h"

#include "reload/reader.h"
#include "reload/writer.h"

enum {
    STUN_HEADER_LEN = 20,
    STUN_ID_LEN = 12,
    STUN_BINDING_REQUEST = 0x0001,
    STUN_BINDING_SUCCESS = 0x0101,
    STUN_BINDING_ERROR = 0x0111,
    STUN_ERROR_CODE = 0x0009,
    STUN_UNKNOWN_ATTRIBUTES = 0x000a,
    STUN_XOR_MAPPED_ADDRESS = 0x0020,
    STUN_OPTIONAL = 0x8000, /* attributes from here on may be passed over (s.14) */
    STUN_ANSWER_MAX = 64
};
static const uint32_t STUN_COOKIE = 0x2112a442;

bool keepalive_is_stun(PealStr bytes)
{
    Reader r = reader_make((PealBytes){(const uint8_t *)bytes.ptr, bytes.len});

    if (bytes.len < STUN_HEADER_LEN || ((uint8_t)bytes.ptr[0] & 0xc0) != 0) {
        return false;
    }
    (void)reader_u32(&r);
    return reader_u32(&r) == STUN_COOKIE;
}

/* The first attribute that must be understood and is not, 0 for none; -PEAL_E_VALUE: malformed. */
static int stun_unknown(Reader attributes)
{
    while (attributes.error == 0 && attributes.left > 0) {
        uint16_t type = reader_u16(&attributes);
        uint16_t len = reader_u16(&attributes);

        (void)reader_bytes(&attributes, (len + 3U) / 4 * 4);
        if (attributes.error == 0 && type < STUN_OPTIONAL) {
            return type;
        }
    }
    return attributes.error == 0 ? 0 : -PEAL_E_VALUE;
}

static void stun_put_address(Writer *w, const PealHop *from, PealBytes id)
{
    uint8_t mask[16] = {0x21, 0x12, 0xa4, 0x42};
    size_t len = from->addr.family == 4 ? 4 : 16;
    uint8_t ip[16];

    memcpy(mask + sizeof(STUN_COOKIE), id.ptr, STUN_ID_LEN);
    for (size_t i = 0; i < len; i++) {
        ip[i] = from->addr.ip[i] ^ mask[i];
    }
    put_u16(w, STUN_XOR_MAPPED_ADDRESS);
    put_u16(w, (uint16_t)(4 + len));
    put_u8(w, 0);
    put_u8(w, from->addr.family == 4 ? 1 : 2);
    put_u16(w, (uint16_t)(from->addr.port ^ (STUN_COOKIE >> 16)));
    put_bytes(w, (PealBytes){ip, len});
}

static void stun_put_error(Writer *w, uint16_t unknown)
{
    put_u16(w, STUN_ERROR_CODE);
    put_u16(w, 4);
    put_u16(w, 0);
    put_u8(w, 4); /* 420 */
    put_u8(w, 20);
    put_u16(w, STUN_UNKNOWN_ATTRIBUTES);
    put_u16(w, 2);
    put_u16(w, unknown);
    put_u16(w, 0); /* padding */
}

void keepalive_answer(PealEnv *env, const PealHop *from, PealStr bytes)
{
    Reader r = reader_make((PealBytes){(const uint8_t *)bytes.ptr, bytes.len});
    uint16_t type = reader_u16(&r);
    uint16_t len = reader_u16(&r);
    uint8_t body[STUN_ANSWER_MAX];
    Writer attributes = writer_make(body, sizeof(body));
    PealBytes id;
    PealBuf *buf;
    Writer w;
    int unknown;

    (void)reader_u32(&r);
    id = reader_bytes(&r, STUN_ID_LEN);
    unknown = stun_unknown(r);
    if (type != STUN_BINDING_REQUEST || r.error != 0 || len != r.left || unknown < 0) {
        return;
    }
    if (unknown == 0) {
        stun_put_address(&attributes, from, id);
    } else {
        stun_put_error(&attributes, (uint16_t)unknown);
    }
    buf = env->ops->buffer(env, STUN_HEADER_LEN + attributes.len);
    w = writer_make(buf->data, STUN_HEADER_LEN + attributes.len);
    put_u16(&w, unknown == 0 ? STUN_BINDING_SUCCESS : STUN_BINDING_ERROR);
    put_u16(&w, (uint16_t)attributes.len);
    put_u32(&w, STUN_COOKIE);
    put_bytes(&w, id);
    put_bytes(&w, writer_view(&attributes));
    buf->len = (uint32_t)w.len;
    env->ops->sip_send_take(env, from, buf);
}
