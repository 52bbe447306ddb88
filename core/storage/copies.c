/* SPDX-License-Identifier: GPL-3.0-or-later */
/* copies.c - Fetches of a registration's copies; see copies.h. */
#include "storage/copies.h"

#include "peer.h"
#include "reload/held.h"
#include "security/defence.h"

enum { FETCH_BODY_MAX = 64, COPY_SHIFT = 8 };

/* A Fetch by copies. */
struct Copies {
    Copies *next;
    PealId resource; /* of copy 0 */
    uint64_t number; /* requests have it, and the copy below it, as their `arg` */
    uint64_t arg;
    RequestDone done;
    Held *held;   /* the first answer, while none had a value */
    PealTime ask; /* the next copy, however silent the last */
    int status;   /* of the last request that failed without an answer */
    uint8_t asked;
    uint8_t outstanding;
    uint8_t all;
};

bool copies_wanted(const PealOverlay *overlay)
{
    return peal_overlay_copies(overlay) > 0;
}

static int ask(PealPeer *peer, const PealId *resource, uint32_t kind_id, RequestDone done,
               uint64_t arg)
{
    const PealKind *kind = storage_kind(peer->overlay, kind_id);
    uint8_t body[FETCH_BODY_MAX];
    Writer writer = writer_make(body, sizeof(body));

    if (kind == NULL) {
        return -PEAL_E_ARG;
    }
    storage_put_fetch_all(&writer, resource, kind);
    PEAL_ASSERT(!writer.overflow);
    return request_send(peer, &(RequestSpec){.code = RELOAD_FETCH_REQ,
                                             .to = *resource,
                                             .to_resource = true,
                                             .link = LINK_NONE,
                                             .good = storage_fetched_value,
                                             .body = writer_view(&writer),
                                             .done = done,
                                             .arg = arg});
}

static Copies **find(Defence *defence, uint64_t number)
{
    Copies **at = &defence->fetches;

    while (*at != NULL && (*at)->number != number) {
        at = &(*at)->next;
    }
    return at;
}

static void on_answer(PealPeer *peer, uint64_t arg, const RequestResult *result);

/* Takes it off the list, and with it what is still out. */
static void finish(PealPeer *peer, Copies **at, const RequestResult *result)
{
    Copies *copies = *at;

    *at = copies->next;
    for (uint64_t i = 0; i < copies->asked && copies->outstanding > 0; i++) {
        request_cancel(peer, on_answer, copies->number << COPY_SHIFT | i);
    }
    copies->done(peer, copies->arg, result);
    held_free(peer, copies->held);
    peer_release(peer, copies, sizeof(*copies));
}

/* Asks one copy more. Returns 0, or what request_send said. */
static int ask_next(PealPeer *peer, Copies *copies)
{
    unsigned i = copies->asked;
    PealId resource = peal_copy_resource(peer->env->ops->crypto, &copies->resource, i);
    int error = ask(peer, &resource, copies_kind(i), on_answer, copies->number << COPY_SHIFT | i);

    copies->asked++;
    copies->ask = PEAL_TIME_NEVER;
    if (copies->asked < copies->all) {
        copies->ask = peal_time_add(peer_now(peer), peer->overlay->request_timeout);
        defence_watch(peer, copies->ask);
    }
    copies->outstanding = (uint8_t)(copies->outstanding + (error == 0));
    return error;
}

/* Until something is out that can bring an answer; false: nothing is, nor can be. */
static bool go_on(PealPeer *peer, Copies *copies)
{
    while (copies->outstanding == 0 && copies->asked < copies->all) {
        (void)!ask_next(peer, copies);
    }
    return copies->outstanding > 0;
}

static void on_answer(PealPeer *peer, uint64_t arg, const RequestResult *result)
{
    Copies **at = find(peer->defence, arg >> COPY_SHIFT);
    Copies *copies = *at;
    PealId resource;

    if (copies == NULL) {
        return;
    }
    copies->outstanding--;
    resource = peal_copy_resource(peer->env->ops->crypto, &copies->resource,
                                  (unsigned)(arg & ((1U << COPY_SHIFT) - 1)));
    if (result->status == 0 && storage_fetched_value(peer, &resource, result->answer)) {
        finish(peer, at, result);
        return;
    }
    if (result->answer == NULL) {
        copies->status = result->status;
    } else if (copies->held == NULL) {
        copies->held = held_new(peer, result);
    }
    if (!go_on(peer, copies)) {
        RequestResult last = {.status = copies->status, .transaction = result->transaction};

        if (copies->held != NULL) {
            held_read(copies->held, &last);
        } else if (result->answer != NULL) {
            last = *result; /* there was no memory to keep it */
        }
        finish(peer, at, &last);
    }
}

int copies_fetch(PealPeer *peer, const PealId *resource, uint32_t kind, RequestDone done,
                 uint64_t arg)
{
    Copies *copies = NULL;
    int error;

    if (kind == PEAL_KIND_SIP_REGISTRATION && peer->defence != NULL &&
        copies_wanted(peer->overlay)) {
        copies = peer_alloc(peer, sizeof(*copies));
    }
    if (copies == NULL) {
        return ask(peer, resource, kind, done, arg);
    }
    *copies = (Copies){.next = peer->defence->fetches,
                       .resource = *resource,
                       .number = peer->defence->fetches_made++,
                       .arg = arg,
                       .done = done,
                       .status = -PEAL_E_TIMEOUT,
                       .ask = PEAL_TIME_NEVER,
                       .all = (uint8_t)(1 + peal_overlay_copies(peer->overlay))};
    error = ask_next(peer, copies);
    if (error != 0) {
        peer_release(peer, copies, sizeof(*copies));
        return error;
    }
    while (peer->overlay->defence.copies_at_once && copies->asked < copies->all) {
        (void)!ask_next(peer, copies);
    }
    peer->defence->fetches = copies;
    return 0;
}

void copies_fini(PealPeer *peer)
{
    Defence *defence = peer->defence;

    while (defence->fetches != NULL) {
        Copies *copies = defence->fetches;

        defence->fetches = copies->next;
        held_free(peer, copies->held);
        peer_release(peer, copies, sizeof(*copies));
    }
}

void copies_on_wake(PealPeer *peer, PealTime now)
{
    for (Copies *copies = peer->defence->fetches; copies != NULL; copies = copies->next) {
        if (peal_time_due(copies->ask, now)) {
            (void)!ask_next(peer, copies);
        }
        defence_watch(peer, copies->ask);
    }
}
