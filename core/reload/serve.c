/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serve.c - which part answers which request, and the answers that need no part. RFC 6940
 * s.6.4.2.5, s.6.5.3. */
#include "peer.h"
#include "reload/codec.h"
#include "sip/adapters.h"

enum { PROBES_MAX = 3, PROBE_INFO_LEN = 6 };

static void answer_ping(PealPeer *peer, const Inbound *request)
{
    ReloadPingReq ping;
    uint8_t body[16];
    Writer writer = writer_make(body, sizeof(body));
    const ReloadPingAns answer = {.response_id = peer_random(peer, PEAL_DRAW_TRANSACTION),
                                  .time_ms = peer->env->ops->unix_ms(peer->env)};

    if (reload_ping_req_decode(request->message.body, &ping) != 0) {
        request_refuse(peer, request, RELOAD_ERROR_INVALID_MESSAGE, (PealBytes){NULL, 0});
        return;
    }
    put_ping_ans(&writer, &answer);
    request_answer(peer, request, writer_view(&writer));
}

/* Each known type once, in the order asked for. */
static void answer_probe(PealPeer *peer, const Inbound *request)
{
    PealTime now = peer_now(peer);
    ReloadProbeReq probe;
    uint8_t infos[PROBES_MAX * PROBE_INFO_LEN];
    uint8_t body[sizeof(infos) + 2];
    Writer list = writer_make(infos, sizeof(infos));
    Writer writer = writer_make(body, sizeof(body));
    unsigned given = 0;

    if (reload_probe_req_decode(request->message.body, &probe) != 0) {
        request_refuse(peer, request, RELOAD_ERROR_INVALID_MESSAGE, (PealBytes){NULL, 0});
        return;
    }
    for (size_t i = 0; i < probe.requested.len; i++) {
        ReloadProbeInfo info = {.type = probe.requested.ptr[i]};

        if (info.type > PROBES_MAX || (given >> info.type & 1) != 0) {
            continue;
        }
        switch (info.type) {
        case RELOAD_PROBE_RESPONSIBLE_SET:
            info.value = peer->topology->responsible_ppb(peer);
            break;
        case RELOAD_PROBE_NUM_RESOURCES:
            info.value = storage_resources(peer);
            break;
        case RELOAD_PROBE_UPTIME:
            info.value = (uint32_t)(peal_time_since(now, peer_started(peer)).ns / PEAL_NS_PER_S);
            break;
        default:
            continue;
        }
        given |= 1u << info.type;
        put_probe_info(&list, &info);
    }
    put_probe_ans(&writer, &(ReloadProbeAns){writer_view(&list)});
    request_answer(peer, request, writer_view(&writer));
}

static void trace_served(PealPeer *peer, const Inbound *request)
{
    const ReloadHeader *header = &request->message.header;
    PealBytes dest = header->dest;
    ReloadDest first = {.id = peer->id};

    (void)reload_dest_next(&dest, &first);
    peer_trace(peer, PEAL_TRACE_REQUEST_SERVED, request->message.code,
               (uint32_t)(peer->overlay->initial_ttl - header->ttl), header->transaction,
               &first.id);
}

void peer_serve(PealPeer *peer, const Inbound *request)
{
    trace_served(peer, request);
    switch (request->message.code) {
    case RELOAD_PING_REQ:
        answer_ping(peer, request);
        break;
    case RELOAD_PROBE_REQ:
        answer_probe(peer, request);
        break;
    case RELOAD_ATTACH_REQ:
        attach_on_request(peer, request);
        break;
    case RELOAD_APP_ATTACH_REQ:
        adapters_on_request(peer, request);
        break;
    case RELOAD_STORE_REQ:
    case RELOAD_FETCH_REQ:
    case RELOAD_STAT_REQ:
    case RELOAD_FIND_REQ:
        storage_on_request(peer, request);
        break;
    case RELOAD_JOIN_REQ:
    case RELOAD_LEAVE_REQ:
    case RELOAD_UPDATE_REQ:
    case RELOAD_ROUTE_QUERY_REQ:
        peer->topology->on_request(peer, request);
        break;
    case RELOAD_CONFIG_UPDATE_REQ:
        /* Configuration signers come with certificates; an unsigned document is never acceptable
         * (s.6.5.4.2). */
        request_refuse(peer, request, RELOAD_ERROR_FORBIDDEN, (PealBytes){NULL, 0});
        break;
    default:
        request_refuse(peer, request, RELOAD_ERROR_INVALID_MESSAGE,
                       (PealBytes){(const uint8_t *)"unknown message code", 20});
        break;
    }
}
