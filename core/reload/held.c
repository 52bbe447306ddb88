/* SPDX-License-Identifier: GPL-3.0-or-later */
/* held.c - answers in memory; see held.h. */
#include "reload/held.h"

#include "peer.h"

struct Held {
    Inbound inbound;
    int status;
    uint16_t error;
    uint8_t body[];
};

static size_t held_size(size_t body_len)
{
    return sizeof(Held) + body_len;
}

Held *held_new(PealPeer *peer, const RequestResult *result)
{
    const Inbound *answer = result->answer;
    PealBytes body = answer->message.body;
    Held *held = peer_alloc(peer, held_size(body.len));

    if (held == NULL) {
        return NULL;
    }
    if (body.len > 0) {
        memcpy(held->body, body.ptr, body.len);
    }
    held->status = result->status;
    held->error = result->error;
    held->inbound.signer = answer->signer;
    held->inbound.link = answer->link;
    held->inbound.message.code = answer->message.code;
    held->inbound.message.header.transaction = result->transaction;
    held->inbound.message.body = (PealBytes){held->body, body.len};
    return held;
}

void held_free(PealPeer *peer, Held *held)
{
    if (held != NULL) {
        peer_release(peer, held, held_size(held->inbound.message.body.len));
    }
}

const PealId *held_signer(const Held *held)
{
    return &held->inbound.signer;
}

void held_read(const Held *held, RequestResult *ret_result)
{
    *ret_result = (RequestResult){.status = held->status,
                                  .error = held->error,
                                  .transaction = held->inbound.message.header.transaction,
                                  .answer = &held->inbound};
}
