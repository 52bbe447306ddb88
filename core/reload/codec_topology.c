/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * codec_topology.c - bodies of the overlay's upkeep: probe, join, leave, update, route_query, ping,
 * config_update, error.
 */
#include "reload/reader.h"
#include "reload/writer.h"

/* Probe (s.6.4.2.5) */

static void read_probe_req_body(Reader *r, ReloadProbeReq *ret)
{
    ret->requested = reader_opaque8(r);
}

READER_BODY(probe_req, ReloadProbeReq)

void put_probe_req(Writer *w, const ReloadProbeReq *body)
{
    put_opaque8(w, body->requested);
}

/* One element of any type; those that are known have 32-bit values. */
static void read_probe_any(Reader *r, ReloadProbeInfo *ret)
{
    Reader value;

    ret->type = reader_u8(r);
    value = reader_make(reader_opaque8(r));
    switch (ret->type) {
    case RELOAD_PROBE_RESPONSIBLE_SET:
    case RELOAD_PROBE_NUM_RESOURCES:
    case RELOAD_PROBE_UPTIME:
        ret->value = reader_u32(&value);
        if (value.error != 0) {
            value.error = -PEAL_E_LENGTH;
        }
        reader_join(r, &value);
        break;
    default:
        ret->type = 0;
        break;
    }
}

static int check_probe_info_list(PealBytes list)
{
    Reader r = reader_make(list);

    while (r.left > 0 && r.error == 0) {
        ReloadProbeInfo info;

        read_probe_any(&r, &info);
    }
    return r.error;
}

bool reload_probe_info_next(PealBytes *list, ReloadProbeInfo *ret_info)
{
    Reader r = reader_make(*list);
    ReloadProbeInfo info = {0};

    while (r.left > 0 && r.error == 0 && info.type == 0) {
        read_probe_any(&r, &info);
    }
    if (r.error != 0 || info.type == 0) {
        return false;
    }
    *list = (PealBytes){r.at, r.left};
    *ret_info = info;
    return true;
}

void put_probe_info(Writer *w, const ReloadProbeInfo *info)
{
    put_u8(w, info->type);
    put_u8(w, sizeof(uint32_t));
    put_u32(w, info->value);
}

static void read_probe_ans_body(Reader *r, ReloadProbeAns *ret)
{
    ret->infos = reader_opaque16(r);
    reader_fail(r, check_probe_info_list(ret->infos));
}

READER_BODY(probe_ans, ReloadProbeAns)

void put_probe_ans(Writer *w, const ReloadProbeAns *body)
{
    put_opaque16(w, body->infos);
}

/* Join and leave (s.6.4.2.1, s.6.4.2.2, s.10.9) */

static void read_join_req_body(Reader *r, ReloadJoinReq *ret)
{
    ret->joining = reader_id(r);
    ret->data = reader_opaque16(r);
}

READER_BODY(join_req, ReloadJoinReq)

void put_join_req(Writer *w, const ReloadJoinReq *body)
{
    put_id(w, &body->joining);
    put_opaque16(w, body->data);
}

static void read_join_ans_body(Reader *r, ReloadJoinAns *ret)
{
    ret->data = reader_opaque16(r);
}

READER_BODY(join_ans, ReloadJoinAns)

void put_join_ans(Writer *w, const ReloadJoinAns *body)
{
    put_opaque16(w, body->data);
}

static void read_leave_req_body(Reader *r, ReloadLeaveReq *ret)
{
    ret->leaving = reader_id(r);
    ret->data = reader_opaque16(r);
}

READER_BODY(leave_req, ReloadLeaveReq)

void put_leave_req(Writer *w, const ReloadLeaveReq *body)
{
    put_id(w, &body->leaving);
    put_opaque16(w, body->data);
}

static void read_chord_leave_body(Reader *r, ChordLeave *ret)
{
    ret->type = reader_u8(r);
    if (ret->type != CHORD_LEAVE_FROM_SUCC && ret->type != CHORD_LEAVE_FROM_PRED) {
        reader_fail(r, -PEAL_E_UNKNOWN);
    }
    ret->ids = reader_ids(r);
}

READER_BODY(chord_leave, ChordLeave)

void put_chord_leave(Writer *w, const ChordLeave *body)
{
    put_u8(w, body->type);
    put_opaque16(w, body->ids);
}

/* Lists of ids */

bool reload_id_next(PealBytes *list, PealId *ret_id)
{
    Reader r = reader_make(*list);
    PealId id = reader_id(&r);

    if (r.error != 0) {
        return false;
    }
    *list = (PealBytes){r.at, r.left};
    *ret_id = id;
    return true;
}

bool reload_u32_next(PealBytes *list, uint32_t *ret_value)
{
    Reader r = reader_make(*list);
    uint32_t value = reader_u32(&r);

    if (r.error != 0) {
        return false;
    }
    *list = (PealBytes){r.at, r.left};
    *ret_value = value;
    return true;
}

/* Update (s.10.7) */

static void read_chord_update_body(Reader *r, ChordUpdate *ret)
{
    ret->uptime_s = reader_u32(r);
    ret->type = reader_u8(r);
    switch (ret->type) {
    case CHORD_UPDATE_PEER_READY:
        break;
    case CHORD_UPDATE_NEIGHBORS:
        ret->predecessors = reader_ids(r);
        ret->successors = reader_ids(r);
        break;
    case CHORD_UPDATE_FULL:
        ret->predecessors = reader_ids(r);
        ret->successors = reader_ids(r);
        ret->fingers = reader_ids(r);
        break;
    default:
        reader_fail(r, -PEAL_E_UNKNOWN);
        break;
    }
}

READER_BODY(chord_update, ChordUpdate)

void put_chord_update(Writer *w, const ChordUpdate *body)
{
    put_u32(w, body->uptime_s);
    put_u8(w, body->type);
    if (body->type != CHORD_UPDATE_PEER_READY) {
        put_opaque16(w, body->predecessors);
        put_opaque16(w, body->successors);
    }
    if (body->type == CHORD_UPDATE_FULL) {
        put_opaque16(w, body->fingers);
    }
}

/* RouteQuery (s.6.4.2.4, s.10.8) */

static void read_route_query_req_body(Reader *r, ReloadRouteQueryReq *ret)
{
    ret->send_update = reader_bool(r);
    reload_dest_read(r, &ret->dest);
    ret->data = reader_opaque16(r);
}

READER_BODY(route_query_req, ReloadRouteQueryReq)

void put_route_query_req(Writer *w, const ReloadRouteQueryReq *body)
{
    put_u8(w, body->send_update);
    put_dest(w, &body->dest);
    put_opaque16(w, body->data);
}

static void read_chord_route_query_ans_body(Reader *r, ChordRouteQueryAns *ret)
{
    ret->next = reader_id(r);
}

READER_BODY(chord_route_query_ans, ChordRouteQueryAns)

void put_chord_route_query_ans(Writer *w, const ChordRouteQueryAns *body)
{
    put_id(w, &body->next);
}

/* Ping (s.6.5.3) */

static void read_ping_req_body(Reader *r, ReloadPingReq *ret)
{
    ret->padding = reader_opaque16(r);
}

READER_BODY(ping_req, ReloadPingReq)

void put_ping_req(Writer *w, const ReloadPingReq *body)
{
    put_opaque16(w, body->padding);
}

static void read_ping_ans_body(Reader *r, ReloadPingAns *ret)
{
    ret->response_id = reader_u64(r);
    ret->time_ms = reader_u64(r);
}

READER_BODY(ping_ans, ReloadPingAns)

void put_ping_ans(Writer *w, const ReloadPingAns *body)
{
    put_u64(w, body->response_id);
    put_u64(w, body->time_ms);
}

/* ConfigUpdate (s.6.5.4) */

static void read_kind_description(Reader *r, PealBytes *ret)
{
    *ret = reader_opaque16(r);
}

READER_LIST(kind_description, PealBytes)

void put_kind_description(Writer *w, PealBytes description)
{
    put_opaque16(w, description);
}

static void read_config_update_req_body(Reader *r, ReloadConfigUpdateReq *ret)
{
    Reader contents;

    ret->type = reader_u8(r);
    contents = reader_make(reader_opaque32(r));
    switch (ret->type) {
    case RELOAD_CONFIG_UPDATE_CONFIG:
        ret->data = reader_opaque24(&contents);
        break;
    case RELOAD_CONFIG_UPDATE_KIND:
        ret->data = reader_opaque24(&contents);
        reader_fail(&contents, check_kind_description_list(ret->data));
        break;
    default:
        /* The structure allows for content types that are not known. */
        ret->data = reader_rest(&contents);
        break;
    }
    reader_join(r, &contents);
}

READER_BODY(config_update_req, ReloadConfigUpdateReq)

void put_config_update_req(Writer *w, const ReloadConfigUpdateReq *body)
{
    size_t mark;

    put_u8(w, body->type);
    mark = put_length_begin(w, 4);
    if (body->type == RELOAD_CONFIG_UPDATE_CONFIG || body->type == RELOAD_CONFIG_UPDATE_KIND) {
        put_opaque24(w, body->data);
    } else {
        put_bytes(w, body->data);
    }
    put_length_end(w, mark, 4);
}

/* Error (s.6.3.3.1) */

static void read_error_body(Reader *r, ReloadErrorRes *ret)
{
    ret->code = reader_u16(r);
    ret->info = reader_opaque16(r);
}

READER_BODY(error, ReloadErrorRes)

void put_error(Writer *w, const ReloadErrorRes *body)
{
    put_u16(w, body->code);
    put_opaque16(w, body->info);
}
