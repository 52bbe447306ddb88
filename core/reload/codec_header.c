/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * codec_header.c - whole messages: forwarding header with its lists, contents, security block.
 */
#include "reload/reader.h"
#include "reload/wire.h"
#include "reload/writer.h"

/* Destinations */

void reload_dest_read(Reader *r, ReloadDest *ret)
{
    uint8_t type = reader_u8(r);
    Reader data;

    if ((type & 0x80) != 0) {
        /* s.6.3.2.2: two bytes in all, an opaque id of which this is the first one */
        (void)reader_u8(r);
        ret->type = RELOAD_DEST_OPAQUE;
        ret->opaque = r->error == 0 ? (PealBytes){r->at - 2, 2} : (PealBytes){NULL, 0};
        return;
    }
    data = reader_make(reader_opaque8(r));
    ret->type = (ReloadDestType)type;
    switch (type) {
    case RELOAD_DEST_NODE:
        ret->id = reader_id(&data);
        break;
    case RELOAD_DEST_RESOURCE:
    case RELOAD_DEST_OPAQUE:
        ret->opaque = reader_opaque8(&data);
        if (data.error == 0 && ret->opaque.len == 0) {
            reader_fail(&data, -PEAL_E_VALUE); /* names nothing */
        }
        if (type == RELOAD_DEST_RESOURCE && ret->opaque.len == PEAL_ID_LEN) {
            memcpy(ret->id.bytes, ret->opaque.ptr, PEAL_ID_LEN);
        }
        break;
    default:
        reader_fail(r, -PEAL_E_UNKNOWN);
        break;
    }
    /*
     * A Node-ID of another length is an overlay's with another NodeIdLength: nothing to read here.
     */
    if (type == RELOAD_DEST_NODE && data.error != 0) {
        data.error = -PEAL_E_LENGTH;
    }
    reader_join(r, &data);
}

bool reload_dest_next(PealBytes *list, ReloadDest *ret_dest)
{
    Reader r = reader_make(*list);
    ReloadDest dest;

    if (list->len == 0) {
        return false;
    }
    memset(&dest, 0, sizeof(dest));
    reload_dest_read(&r, &dest);
    if (r.error != 0) {
        return false;
    }
    *list = (PealBytes){r.at, r.left};
    *ret_dest = dest;
    return true;
}

/* s.6.3.2.2: a resource only in the final place of a destination list, and never in a via list. */
int reload_dest_list_check(PealBytes list, bool resource_last)
{
    Reader r = reader_make(list);

    while (r.left > 0 && r.error == 0) {
        ReloadDest dest;

        memset(&dest, 0, sizeof(dest));
        reload_dest_read(&r, &dest);
        if (r.error == 0 && dest.type == RELOAD_DEST_RESOURCE && (!resource_last || r.left > 0)) {
            reader_fail(&r, -PEAL_E_VALUE);
        }
    }
    return r.error;
}

void put_dest_node(Writer *w, const PealId *id)
{
    put_u8(w, RELOAD_DEST_NODE);
    put_u8(w, PEAL_ID_LEN);
    put_id(w, id);
}

void put_dest_resource(Writer *w, const PealId *id)
{
    put_u8(w, RELOAD_DEST_RESOURCE);
    put_u8(w, PEAL_ID_LEN + 1);
    put_opaque8(w, (PealBytes){id->bytes, PEAL_ID_LEN});
}

void put_dest(Writer *w, const ReloadDest *dest)
{
    if (dest->type == RELOAD_DEST_NODE) {
        put_dest_node(w, &dest->id);
    } else if (dest->type == RELOAD_DEST_RESOURCE && dest->opaque.len == 0) {
        put_dest_resource(w, &dest->id);
    } else if (dest->type == RELOAD_DEST_OPAQUE && dest->opaque.len == 2 &&
               dest->opaque.ptr[0] >= 0x80) {
        put_bytes(w, dest->opaque);
    } else {
        size_t mark;

        put_u8(w, (uint8_t)dest->type);
        mark = put_length_begin(w, 1);
        put_opaque8(w, dest->opaque);
        put_length_end(w, mark, 1);
    }
}

/* Options and extensions */

static void read_option(Reader *r, ReloadOption *ret)
{
    ret->type = reader_u8(r);
    ret->flags = reader_u8(r);
    ret->value = reader_opaque16(r);
    if (ret->type == 0) {
        reader_fail(r, -PEAL_E_VALUE);
    }
}

READER_LIST(option, ReloadOption)

void put_option(Writer *w, const ReloadOption *option)
{
    put_u8(w, option->type);
    put_u8(w, option->flags);
    put_opaque16(w, option->value);
}

static void read_extension(Reader *r, ReloadExtension *ret)
{
    ret->type = reader_u16(r);
    ret->critical = reader_bool(r);
    ret->contents = reader_opaque32(r);
    if (ret->type == 0) {
        reader_fail(r, -PEAL_E_VALUE);
    }
}

READER_LIST(extension, ReloadExtension)

void put_extension(Writer *w, const ReloadExtension *extension)
{
    put_u16(w, extension->type);
    put_u8(w, extension->critical);
    put_opaque32(w, extension->contents);
}

/* Forwarding header */

/* The fixed part; the lists' lengths go to lens. */
static void read_fixed(Reader *r, ReloadHeader *ret, uint16_t lens[3])
{
    uint32_t token = reader_u32(r);
    uint8_t version;

    ret->overlay = reader_u32(r);
    ret->config_sequence = reader_u16(r);
    version = reader_u8(r);
    ret->ttl = reader_u8(r);
    ret->fragment = reader_u32(r);
    ret->length = reader_u32(r);
    ret->transaction = reader_u64(r);
    ret->max_response_length = reader_u32(r);
    for (int i = 0; i < 3; i++) {
        lens[i] = reader_u16(r);
    }
    if (r->error != 0) {
        return;
    }
    if (token != RELOAD_TOKEN) {
        reader_fail(r, -PEAL_E_TOKEN);
    } else if (version != RELOAD_VERSION) {
        reader_fail(r, -PEAL_E_VERSION);
    } else if ((ret->fragment & WIRE_FRAGMENT_HIGH) == 0) {
        reader_fail(r, -PEAL_E_VALUE);
    }
}

int reload_header_decode(PealBytes packet, ReloadHeader *ret_header, size_t *ret_len)
{
    Reader r = reader_make(packet);
    ReloadHeader header;
    uint16_t lens[3];

    memset(&header, 0, sizeof(header));
    read_fixed(&r, &header, lens);
    if (r.error == 0 && header.length > packet.len) {
        return -PEAL_E_TRUNCATED;
    }
    if (r.error == 0 && header.length < packet.len) {
        return -PEAL_E_TRAILING;
    }
    header.via = reader_bytes(&r, lens[0]);
    header.dest = reader_bytes(&r, lens[1]);
    header.options = reader_bytes(&r, lens[2]);
    reader_fail(&r, reload_dest_list_check(header.via, false));
    reader_fail(&r, reload_dest_list_check(header.dest, true));
    reader_fail(&r, check_option_list(header.options));
    if (header.dest.len == 0) {
        reader_fail(&r, -PEAL_E_VALUE);
    }
    if (r.error != 0) {
        return r.error;
    }
    *ret_header = header;
    *ret_len = packet.len - r.left;
    return 0;
}

/* Signatures and the security block */

void reload_signature_read(Reader *r, ReloadSignature *ret)
{
    Reader identity;

    ret->hash = reader_u8(r);
    ret->sign = reader_u8(r);
    ret->identity = (ReloadSigner)reader_u8(r);
    identity = reader_make(reader_opaque16(r));
    switch (ret->identity) {
    case RELOAD_SIGNER_CERT_HASH:
    case RELOAD_SIGNER_CERT_HASH_NODE_ID:
        ret->identity_hash = reader_u8(&identity);
        ret->identity_value = reader_opaque8(&identity);
        break;
    case RELOAD_SIGNER_NONE:
        break;
    default:
        reader_fail(r, -PEAL_E_UNKNOWN);
        break;
    }
    reader_join(r, &identity);
    ret->value = reader_opaque16(r);
}

void put_signer(Writer *w, const ReloadSignature *signature)
{
    size_t mark;

    put_u8(w, (uint8_t)signature->identity);
    mark = put_length_begin(w, 2);
    if (signature->identity != RELOAD_SIGNER_NONE) {
        put_u8(w, signature->identity_hash);
        put_opaque8(w, signature->identity_value);
    }
    put_length_end(w, mark, 2);
}

void put_signature(Writer *w, const ReloadSignature *signature)
{
    put_u8(w, signature->hash);
    put_u8(w, signature->sign);
    put_signer(w, signature);
    put_opaque16(w, signature->value);
}

typedef struct Certificate {
    uint8_t type;
    PealBytes bytes;
} Certificate;

static void read_certificate(Reader *r, Certificate *ret)
{
    ret->type = reader_u8(r);
    ret->bytes = reader_opaque16(r);
}

bool reload_certificate_next(PealBytes *list, uint8_t *ret_type, PealBytes *ret_certificate)
{
    Reader r = reader_make(*list);
    Certificate certificate;

    if (list->len == 0) {
        return false;
    }
    read_certificate(&r, &certificate);
    if (r.error != 0) {
        return false;
    }
    *list = (PealBytes){r.at, r.left};
    *ret_type = certificate.type;
    *ret_certificate = certificate.bytes;
    return true;
}

void put_certificate(Writer *w, uint8_t type, PealBytes certificate)
{
    put_u8(w, type);
    put_opaque16(w, certificate);
}

static void read_security(Reader *r, ReloadSecurity *ret)
{
    Reader certificates;

    ret->certificates = reader_opaque16(r);
    certificates = reader_make(ret->certificates);
    while (certificates.left > 0 && certificates.error == 0) {
        Certificate certificate;

        read_certificate(&certificates, &certificate);
    }
    reader_join(r, &certificates);
    reload_signature_read(r, &ret->signature);
}

/* Whole messages */

int reload_message_decode(PealBytes packet, ReloadMessage *ret_message)
{
    ReloadMessage message;
    size_t header_len;
    Reader r;
    int error;

    memset(&message, 0, sizeof(message));
    error = reload_header_decode(packet, &message.header, &header_len);
    if (error != 0) {
        return error;
    }
    if (!wire_is_whole(packet.ptr)) {
        return -PEAL_E_STATE;
    }
    r = reader_make((PealBytes){packet.ptr + header_len, packet.len - header_len});
    message.code = reader_u16(&r);
    message.body = reader_opaque32(&r);
    message.extensions = reader_opaque32(&r);
    if (r.error == 0 && message.code == 0) {
        reader_fail(&r, -PEAL_E_VALUE);
    }
    reader_fail(&r, check_extension_list(message.extensions));
    read_security(&r, &message.security);
    error = reader_end(&r);
    if (error == 0) {
        *ret_message = message;
    }
    return error;
}

ReloadDraft reload_message_begin(Writer *w, const ReloadHeader *header, uint16_t code)
{
    ReloadDraft draft = {.start = w->len};

    if (header->via.len > WIRE_LIST_MAX || header->dest.len > WIRE_LIST_MAX ||
        header->options.len > WIRE_LIST_MAX) {
        w->overflow = true;
        return draft;
    }
    put_u32(w, RELOAD_TOKEN);
    put_u32(w, header->overlay);
    put_u16(w, header->config_sequence);
    put_u8(w, RELOAD_VERSION);
    put_u8(w, header->ttl);
    put_u32(w, RELOAD_FRAGMENT_WHOLE);
    put_u32(w, 0);
    put_u64(w, header->transaction);
    put_u32(w, header->max_response_length);
    put_u16(w, (uint16_t)header->via.len);
    put_u16(w, (uint16_t)header->dest.len);
    put_u16(w, (uint16_t)header->options.len);
    put_bytes(w, header->via);
    put_bytes(w, header->dest);
    put_bytes(w, header->options);
    draft.contents = w->len;
    put_u16(w, code);
    draft.body = put_length_begin(w, 4);
    return draft;
}

PealBytes reload_message_contents(Writer *w, const ReloadDraft *draft, PealBytes extensions)
{
    put_length_end(w, draft->body, 4);
    put_opaque32(w, extensions);
    if (w->overflow) {
        return (PealBytes){NULL, 0};
    }
    return (PealBytes){w->ptr + draft->contents, w->len - draft->contents};
}

void reload_message_security(Writer *w, const ReloadDraft *draft, const ReloadSecurity *security)
{
    put_opaque16(w, security->certificates);
    put_signature(w, &security->signature);
    if (w->overflow || w->len - draft->start > UINT32_MAX) {
        w->overflow = true;
        return;
    }
    bytes_set_u32(w->ptr + draft->start + WIRE_AT_LENGTH, (uint32_t)(w->len - draft->start));
}

/* Codes */

bool reload_code_is_request(uint16_t code)
{
    return code < 0x8000 && (code & 1) != 0;
}

const char *reload_code_name(uint16_t code)
{
    switch (code) {
#define X(name, value, text) \
    case RELOAD_##name:      \
        return text;
        RELOAD_CODES(X)
#undef X
    default:
        return NULL;
    }
}
