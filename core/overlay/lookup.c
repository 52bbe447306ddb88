/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lookup.c - the lookup driver: what the world asks of the overlay, whatever its topology. RFC 6940
 * s.7.4.2, s.6.5.3. */
#include "peer.h"
#include "reload/codec.h"
#include "storage/copies.h"

static uint16_t count_values(const PealPeer *peer, PealBytes body)
{
    ReloadFetchAns answer;
    ReloadKindData data;
    ReloadStored stored;
    uint16_t count = 0;

    if (reload_fetch_ans_decode(body, &answer) != 0) {
        return 0;
    }
    while (reload_kind_data_next(&answer.kinds, &data)) {
        const PealKind *kind = storage_kind(peer->overlay, data.kind);

        if (kind == NULL || reload_stored_check(data.values, kind->model) != 0) {
            continue;
        }
        while (reload_stored_next(&data.values, kind->model, &stored)) {
            count = (uint16_t)(count + (stored.exists && count < UINT16_MAX));
        }
    }
    return count;
}

static void on_answer(PealPeer *peer, uint64_t token, const RequestResult *result)
{
    PealOutcome outcome = {.status = result->status,
                           .error_code = result->error,
                           .transaction = result->transaction};

    if (result->answer != NULL) {
        outcome.responder = result->answer->signer;
        if (result->status == 0) {
            outcome.body = result->answer->message.body;
            outcome.values = result->answer->message.code == RELOAD_FETCH_ANS
                                 ? count_values(peer, outcome.body)
                                 : 0;
        }
    }
    peer->env->ops->done(peer->env, token, &outcome);
}

static int ask(PealPeer *peer, RequestSpec *spec, uint64_t token)
{
    if (peer->state != PEAL_PEER_JOINED) {
        return -PEAL_E_STATE;
    }
    spec->link = LINK_NONE;
    spec->done = on_answer;
    spec->arg = token;
    return request_send(peer, spec);
}

int peal_peer_fetch(PealPeer *peer, const PealId *resource, uint32_t kind_id, uint64_t token)
{
    if (storage_kind(peer->overlay, kind_id) == NULL) {
        return -PEAL_E_ARG;
    }
    if (peer->state != PEAL_PEER_JOINED) {
        return -PEAL_E_STATE;
    }
    return copies_fetch(peer, resource, kind_id, on_answer, token);
}

int peal_peer_ping(PealPeer *peer, const PealId *to, bool resource, uint64_t token)
{
    uint8_t body[2];
    Writer writer = writer_make(body, sizeof(body));

    put_ping_req(&writer, &(ReloadPingReq){{NULL, 0}});
    return ask(peer,
               &(RequestSpec){.code = RELOAD_PING_REQ,
                              .to = *to,
                              .to_resource = resource,
                              .body = writer_view(&writer)},
               token);
}
