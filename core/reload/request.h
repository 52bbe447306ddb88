/*
 * request.h - requests this peer originates, and answers to those it serves.
 * Source: RFC 6940 s.6.2, s.6.3.3.1.
 * State:  one Requests per peer; an entry and a copy of the body while a request is outstanding.
 * Time:   a request is sent again, same transaction id, every request_timeout, request_sends times
 * in all.
 */
#ifndef RELOAD_REQUEST_H
#define RELOAD_REQUEST_H

#include "reload/message.h"

#define LINK_NONE UINT16_MAX /* also: this peer itself */

/* A message that is being served here, valid for the call. */
typedef struct Inbound {
    ReloadMessage message;
    PealId signer; /* Node-ID in the security block */
    uint16_t link; /* flow index it came over, LINK_NONE when this peer sent it to itself */
} Inbound;

/* What became of a request.
 * status  0 with answer, -PEAL_E_REFUSED with error and answer, -PEAL_E_TIMEOUT or
 * -PEAL_E_UNREACHABLE without */
typedef struct RequestResult {
    int status;
    uint16_t error; /* ReloadErrorCode when refused */
    uint64_t transaction;
    const Inbound *answer; /* NULL unless one came */
} RequestResult;
typedef void (*RequestDone)(PealPeer *peer, uint64_t arg, const RequestResult *result);

/* Whether an answer to a Resource-ID's request brings what was asked for. */
typedef bool (*RequestGood)(const PealPeer *peer, const PealId *to, const Inbound *answer);

typedef struct RequestSpec {
    ReloadCode code;
    PealId to;
    bool to_resource;      /* `to` is a Resource-ID, else a Node-ID */
    const PealId *through; /* Node-ID to route the request through first, or NULL */
    uint16_t link;         /* hand it to this link whatever the routes say, or LINK_NONE */
    RequestGood good;      /* not NULL: it may go several ways at a time (redundant.h); to_resource,
                          through NULL and link LINK_NONE then */
    PealBytes options;     /* encoded forwarding options, copied */
    PealBytes body;        /* encoded, copied */
    RequestDone done; /* called exactly once, from a later dispatch, unless peer_fini comes first;
                         may be NULL */
    uint64_t arg;
} RequestSpec;

/* request_send returns 0, -PEAL_E_FULL (too many outstanding) or -PEAL_E_TOO_LARGE; then `done` is
 * not called. */
int request_send(PealPeer *peer, const RequestSpec *spec) PEAL_MUST_USE;

/* request_cancel forgets the requests with this `done` and `arg`; `done` is not called for them. */
void request_cancel(PealPeer *peer, RequestDone done, uint64_t arg);

/* request_answer sends the answer that belongs to a request (code + 1); reply to each request once.
 */
void request_answer(PealPeer *peer, const Inbound *request, PealBytes body);

/* request_refuse answers with an error; info as s.6.3.3.1 says, text or the structure the code
 * demands. */
void request_refuse(PealPeer *peer, const Inbound *request, ReloadErrorCode error, PealBytes info);

#endif
