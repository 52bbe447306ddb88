/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reencode.c - the way through every decoder, iterator and encoder.
 */
#include "core/reencode.h"

enum { PART_MAX = 65536, SELECTED_MAX = 64 };

PealModel reencode_model(uint32_t kind)
{
    switch (kind) {
    case 1:     /* SIP-REGISTRATION */
    case 0x104: /* REDIR */
        return PEAL_MODEL_DICTIONARY;
    case 3:    /* CERTIFICATE_BY_NODE */
    case 0x10: /* CERTIFICATE_BY_USER */
        return PEAL_MODEL_ARRAY;
    default:
        return PEAL_MODEL_SINGLE;
    }
}

/* A list is written element by element into a part of its own, which the body then borrows. */
typedef struct Part {
    uint8_t bytes[PART_MAX];
    Writer writer;
} Part;

static Writer *part_open(Part *part)
{
    part->writer = writer_make(part->bytes, sizeof(part->bytes));
    return &part->writer;
}

static PealBytes dests(Part *part, PealBytes list)
{
    Writer *w = part_open(part);
    ReloadDest dest;

    while (reload_dest_next(&list, &dest)) {
        put_dest(w, &dest);
    }
    return writer_view(w);
}

static PealBytes options(Part *part, PealBytes list)
{
    Writer *w = part_open(part);
    ReloadOption option;

    while (reload_option_next(&list, &option)) {
        put_option(w, &option);
    }
    return writer_view(w);
}

static PealBytes extensions(Part *part, PealBytes list)
{
    Writer *w = part_open(part);
    ReloadExtension extension;

    while (reload_extension_next(&list, &extension)) {
        put_extension(w, &extension);
    }
    return writer_view(w);
}

static PealBytes certificates(Part *part, PealBytes list)
{
    Writer *w = part_open(part);
    PealBytes certificate;
    uint8_t type;

    while (reload_certificate_next(&list, &type, &certificate)) {
        put_certificate(w, type, certificate);
    }
    return writer_view(w);
}

static PealBytes candidates(Part *part, PealBytes list)
{
    Writer *w = part_open(part);
    ReloadCandidate candidate;

    while (reload_candidate_next(&list, &candidate)) {
        put_candidate(w, &candidate);
    }
    return writer_view(w);
}

static PealBytes id_list(Part *part, PealBytes list)
{
    Writer *w = part_open(part);
    PealId id;

    while (reload_id_next(&list, &id)) {
        put_id(w, &id);
    }
    return writer_view(w);
}

static PealBytes selector(Part *part, PealModel model, PealBytes bytes)
{
    Writer *w = part_open(part);
    PealBytes elements;
    ReloadRange ranges[SELECTED_MAX];
    PealBytes keys[SELECTED_MAX];
    size_t len = 0;

    if (reload_selector_check(bytes, model, &elements) != 0) {
        return bytes; /* of a Kind with another model: nothing to take apart */
    }
    if (model == PEAL_MODEL_ARRAY) {
        while (len < SELECTED_MAX && reload_range_next(&elements, &ranges[len])) {
            len++;
        }
        put_ranges(w, ranges, len);
    } else if (model == PEAL_MODEL_DICTIONARY) {
        while (len < SELECTED_MAX && reload_key_next(&elements, &keys[len])) {
            len++;
        }
        put_keys(w, keys, len);
    }
    return elements.len == 0 ? writer_view(w) : bytes;
}

int reencode_values(PealBytes values, PealModel model, bool meta, Writer *w)
{
    ReloadStored stored;
    ReloadStoredMeta stored_meta;
    int error = meta ? reload_stored_meta_check(values, model) : reload_stored_check(values, model);

    while (meta && reload_stored_meta_next(&values, model, &stored_meta)) {
        put_stored_meta(w, model, &stored_meta);
    }
    while (!meta && reload_stored_next(&values, model, &stored)) {
        put_stored(w, model, &stored);
    }
    PEAL_ASSERT(error != 0 || values.len == 0);
    return error;
}

static PealBytes kind_list(Part *part, PealBytes list, bool meta)
{
    static _Thread_local Part inner;
    Writer *w = part_open(part);
    ReloadKindData kind;

    while (reload_kind_data_next(&list, &kind)) {
        Writer *values = part_open(&inner);

        if (reencode_values(kind.values, reencode_model(kind.kind), meta, values) == 0) {
            kind.values = writer_view(values);
        }
        put_kind_data(w, &kind);
    }
    return writer_view(w);
}

/* Decodes into `value`, lets `again` rebuild its lists, encodes. */
#define AGAIN(name, Type, again)                          \
    {                                                     \
        Type value;                                       \
        int error = reload_##name##_decode(body, &value); \
                                                          \
        if (error == 0) {                                 \
            again;                                        \
            put_##name(w, &value);                        \
        }                                                 \
        return error;                                     \
    }

static int again_attach(PealBytes body, Writer *w)
{
    static _Thread_local Part part;

    AGAIN(attach, ReloadAttach, value.candidates = candidates(&part, value.candidates))
}

static int again_app_attach(PealBytes body, Writer *w)
{
    static _Thread_local Part part;

    AGAIN(app_attach, ReloadAppAttach, value.candidates = candidates(&part, value.candidates))
}

static int again_probe_ans(PealBytes body, Writer *w)
{
    static _Thread_local Part part;
    ReloadProbeAns value;
    ReloadProbeInfo info;
    int error = reload_probe_ans_decode(body, &value);

    part_open(&part);
    if (error != 0) {
        return error;
    }
    while (reload_probe_info_next(&value.infos, &info)) {
        put_probe_info(&part.writer, &info);
    }
    value.infos = writer_view(&part.writer);
    put_probe_ans(w, &value);
    return 0;
}

static int again_leave(PealBytes body, Writer *w)
{
    static _Thread_local Part ids;
    static _Thread_local Part data;
    ReloadLeaveReq value;
    ChordLeave leave;
    int error = reload_leave_req_decode(body, &value);

    if (error != 0) {
        return error;
    }
    /* What an overlay adds to a Leave is its own business: not every one is Chord's. */
    if (reload_chord_leave_decode(value.data, &leave) == 0) {
        leave.ids = id_list(&ids, leave.ids);
        put_chord_leave(part_open(&data), &leave);
        value.data = writer_view(&data.writer);
    }
    put_leave_req(w, &value);
    return 0;
}

static int again_update(PealBytes body, Writer *w)
{
    static _Thread_local Part parts[3];

    AGAIN(chord_update, ChordUpdate, {
        value.predecessors = id_list(&parts[0], value.predecessors);
        value.successors = id_list(&parts[1], value.successors);
        value.fingers = id_list(&parts[2], value.fingers);
    })
}

static int again_config_update(PealBytes body, Writer *w)
{
    static _Thread_local Part part;
    ReloadConfigUpdateReq value;
    PealBytes description;
    int error = reload_config_update_req_decode(body, &value);

    part_open(&part);
    if (error != 0) {
        return error;
    }
    if (value.type == RELOAD_CONFIG_UPDATE_KIND) {
        while (reload_kind_description_next(&value.data, &description)) {
            put_kind_description(&part.writer, description);
        }
        value.data = writer_view(&part.writer);
    }
    put_config_update_req(w, &value);
    return 0;
}

static int again_store_ans(PealBytes body, Writer *w)
{
    static _Thread_local Part part;
    static _Thread_local Part replicas;
    ReloadStoreAns value;
    ReloadStoreKindAns kind;
    int error = reload_store_ans_decode(body, &value);

    part_open(&part);
    if (error != 0) {
        return error;
    }
    while (reload_store_kind_ans_next(&value.kinds, &kind)) {
        kind.replicas = id_list(&replicas, kind.replicas);
        put_store_kind_ans(&part.writer, &kind);
    }
    value.kinds = writer_view(&part.writer);
    put_store_ans(w, &value);
    return 0;
}

static int again_fetch_req(PealBytes body, Writer *w)
{
    static _Thread_local Part part;
    static _Thread_local Part inner;
    ReloadFetchReq value;
    ReloadSpecifier specifier;
    int error = reload_fetch_req_decode(body, &value);

    part_open(&part);
    if (error != 0) {
        return error;
    }
    while (reload_specifier_next(&value.specifiers, &specifier)) {
        specifier.selector = selector(&inner, reencode_model(specifier.kind), specifier.selector);
        put_specifier(&part.writer, &specifier);
    }
    value.specifiers = writer_view(&part.writer);
    put_fetch_req(w, &value);
    return 0;
}

static int again_find_req(PealBytes body, Writer *w)
{
    static _Thread_local Part part;
    ReloadFindReq value;
    uint32_t kind;
    int error = reload_find_req_decode(body, &value);

    part_open(&part);
    if (error != 0) {
        return error;
    }
    while (reload_u32_next(&value.kinds, &kind)) {
        put_u32(&part.writer, kind);
    }
    value.kinds = writer_view(&part.writer);
    put_find_req(w, &value);
    return 0;
}

static int again_find_ans(PealBytes body, Writer *w)
{
    static _Thread_local Part part;
    ReloadFindAns value;
    ReloadFindResult result;
    int error = reload_find_ans_decode(body, &value);

    part_open(&part);
    if (error != 0) {
        return error;
    }
    while (reload_find_result_next(&value.results, &result)) {
        put_find_result(&part.writer, &result);
    }
    value.results = writer_view(&part.writer);
    put_find_ans(w, &value);
    return 0;
}

static int again_store_req(PealBytes body, Writer *w)
{
    static _Thread_local Part part;

    AGAIN(store_req, ReloadStoreReq, value.kinds = kind_list(&part, value.kinds, false))
}

static int again_fetch_ans(PealBytes body, bool meta, Writer *w)
{
    static _Thread_local Part part;

    AGAIN(fetch_ans, ReloadFetchAns, value.kinds = kind_list(&part, value.kinds, meta))
}

#define PLAIN(name, Type) AGAIN(name, Type, (void)0)

int reencode_body(uint16_t code, PealBytes body, Writer *w)
{
    switch (code) {
    case RELOAD_PROBE_REQ:
        PLAIN(probe_req, ReloadProbeReq)
    case RELOAD_PROBE_ANS:
        return again_probe_ans(body, w);
    case RELOAD_ATTACH_REQ:
    case RELOAD_ATTACH_ANS:
        return again_attach(body, w);
    case RELOAD_STORE_REQ:
        return again_store_req(body, w);
    case RELOAD_STORE_ANS:
        return again_store_ans(body, w);
    case RELOAD_FETCH_REQ:
    case RELOAD_STAT_REQ:
        return again_fetch_req(body, w);
    case RELOAD_FETCH_ANS:
        return again_fetch_ans(body, false, w);
    case RELOAD_STAT_ANS:
        return again_fetch_ans(body, true, w);
    case RELOAD_FIND_REQ:
        return again_find_req(body, w);
    case RELOAD_FIND_ANS:
        return again_find_ans(body, w);
    case RELOAD_JOIN_REQ:
        PLAIN(join_req, ReloadJoinReq)
    case RELOAD_JOIN_ANS:
        PLAIN(join_ans, ReloadJoinAns)
    case RELOAD_LEAVE_REQ:
        return again_leave(body, w);
    case RELOAD_UPDATE_REQ:
        return again_update(body, w);
    case RELOAD_ROUTE_QUERY_REQ:
        PLAIN(route_query_req, ReloadRouteQueryReq)
    case RELOAD_ROUTE_QUERY_ANS:
        PLAIN(chord_route_query_ans, ChordRouteQueryAns)
    case RELOAD_PING_REQ:
        PLAIN(ping_req, ReloadPingReq)
    case RELOAD_PING_ANS:
        PLAIN(ping_ans, ReloadPingAns)
    case RELOAD_APP_ATTACH_REQ:
    case RELOAD_APP_ATTACH_ANS:
        return again_app_attach(body, w);
    case RELOAD_CONFIG_UPDATE_REQ:
        return again_config_update(body, w);
    case RELOAD_ERROR:
        PLAIN(error, ReloadErrorRes)
    case RELOAD_LEAVE_ANS:
    case RELOAD_UPDATE_ANS:
    case RELOAD_CONFIG_UPDATE_ANS:
        return body.len == 0 ? 0 : -PEAL_E_TRAILING;
    default:
        return -PEAL_E_UNKNOWN;
    }
}

int reencode_message(PealBytes packet, Writer *w)
{
    static _Thread_local Part parts[5];
    ReloadMessage message;
    ReloadDraft draft;
    int error = reload_message_decode(packet, &message);

    if (error != 0) {
        return error;
    }
    message.header.via = dests(&parts[0], message.header.via);
    message.header.dest = dests(&parts[1], message.header.dest);
    message.header.options = options(&parts[2], message.header.options);
    draft = reload_message_begin(w, &message.header, message.code);
    error = reencode_body(message.code, message.body, w);
    if (error == -PEAL_E_UNKNOWN && reload_code_name(message.code) == NULL) {
        put_bytes(w, message.body);
        error = 0;
    }
    message.security.certificates = certificates(&parts[4], message.security.certificates);
    (void)reload_message_contents(w, &draft, extensions(&parts[3], message.extensions));
    reload_message_security(w, &draft, &message.security);
    return error;
}
