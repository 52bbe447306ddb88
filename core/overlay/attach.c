/* SPDX-License-Identifier: GPL-3.0-or-later */
/* attach.c - asking for links and granting them; see attach.h. */
#include "overlay/attach.h"

#include "peer.h"
#include "reload/codec.h"
#include "security/puzzle.h"

#define ATTACH_PATIENCE peal_seconds(1)

/* RFC 8445 s.5.1.2.1's recommended value for the only candidate of the only component: type
 * preference 126. */
#define HOST_PRIORITY ((UINT32_C(126) << 24) | (UINT32_C(65535) << 8) | 255)

typedef enum AttachPhase { ATTACH_ASKED, ATTACH_ANSWERED, ATTACH_OPENED } AttachPhase;

struct Attach {
    PealId to; /* the answerer once it is known */
    PealAddr addr;
    PealTime deadline; /* PEAL_TIME_NEVER while the request runs */
    uint16_t key;      /* the request's `arg` */
    uint16_t purpose;
    uint8_t phase;
    bool to_resource;
};

void attach_init(PealPeer *peer)
{
    peer->attaches = (Attaches){.deadline = PEAL_TIME_NEVER};
}

void attach_fini(PealPeer *peer)
{
    if (peer->attaches.list != NULL) {
        peer_release(peer, peer->attaches.list, peer->attaches.list_cap * sizeof(Attach));
    }
    attach_init(peer);
}

void attach_put_candidates(PealPeer *peer, PealService service, Writer *w)
{
    static const uint8_t foundations[PEAL_ADDRESSES_MAX] = "12345678";
    PealAddr addrs[PEAL_ADDRESSES_MAX];
    size_t len = peer->env->ops->addresses(peer->env, service, addrs, PEAL_ADDRESSES_MAX);

    for (size_t i = 0; i < len; i++) {
        put_candidate(w, &(ReloadCandidate){.addr = addrs[i],
                                            .link = RELOAD_LINK_EXP,
                                            .foundation = {&foundations[i], 1},
                                            .priority = HOST_PRIORITY - (uint32_t)(i << 8),
                                            .type = RELOAD_CANDIDATE_HOST});
    }
}

static size_t write_attach(PealPeer *peer, bool answer, uint8_t *ret_body, size_t cap)
{
    static const char ufrag[] = "peal";
    static const char password[] = "no-ice";
    const char *role = answer ? "active" : "passive";
    uint8_t candidates[ATTACH_CANDIDATES_LEN];
    Writer list = writer_make(candidates, sizeof(candidates));
    Writer writer = writer_make(ret_body, cap);
    ReloadAttach attach = {.ufrag = {(const uint8_t *)ufrag, sizeof(ufrag) - 1},
                           .password = {(const uint8_t *)password, sizeof(password) - 1},
                           .role = {(const uint8_t *)role, strlen(role)},
                           .send_update = !answer};

    attach_put_candidates(peer, PEAL_SERVICE_RELOAD, &list);
    attach.candidates = writer_view(&list);
    put_attach(&writer, &attach);
    PEAL_ASSERT(!list.overflow && !writer.overflow);
    return writer.len;
}

bool attach_usable_address(PealPeer *peer, PealService service, PealBytes candidates,
                           PealAddr *ret_addr)
{
    PealAddr own[PEAL_ADDRESSES_MAX];
    size_t len = peer->env->ops->addresses(peer->env, service, own, PEAL_ADDRESSES_MAX);
    ReloadCandidate candidate;
    unsigned families = 0;

    for (size_t i = 0; i < len; i++) {
        families |= 1U << own[i].family;
    }
    while (reload_candidate_next(&candidates, &candidate)) {
        if (candidate.link == RELOAD_LINK_EXP && candidate.addr.port != 0 &&
            (families >> candidate.addr.family & 1) != 0) {
            *ret_addr = candidate.addr;
            return true;
        }
    }
    return false;
}

static Attach *by_key(Attaches *attaches, uint64_t key)
{
    for (uint32_t i = 0; i < attaches->list_len; i++) {
        if (attaches->list[i].key == key) {
            return &attaches->list[i];
        }
    }
    return NULL;
}

static void watch(PealPeer *peer, Attach *attach, PealSpan patience)
{
    attach->deadline = peal_time_add(peer_now(peer), patience);
    if (attach->deadline.ns < peer->attaches.deadline.ns) {
        peer->attaches.deadline = attach->deadline;
        peer_wake_by(peer, attach->deadline);
    }
}

static void finish(PealPeer *peer, Attach *attach, bool linked)
{
    Attach ended = *attach;

    *attach = peer->attaches.list[--peer->attaches.list_len];
    peer->topology->on_attached(peer, ended.purpose, &ended.to, linked);
}

static void on_answer(PealPeer *peer, uint64_t key, const RequestResult *result)
{
    Attach *attach = by_key(&peer->attaches, key);
    ReloadAttach body;

    if (attach == NULL) {
        return;
    }
    if (result->status != 0) {
        /* The other side's own Attach goes ahead in place of this one (s.6.5.1.2). */
        if (result->error == RELOAD_ERROR_IN_PROGRESS && !attach->to_resource) {
            attach->phase = ATTACH_OPENED;
            watch(peer, attach, peer->overlay->request_timeout);
            return;
        }
        finish(peer, attach, false);
        return;
    }
    attach->to = result->answer->signer;
    attach->to_resource = false;
    if (peal_id_equal(&attach->to, &peer->id) ||
        reload_attach_decode(result->answer->message.body, &body) != 0 ||
        !attach_usable_address(peer, PEAL_SERVICE_RELOAD, body.candidates, &attach->addr)) {
        finish(peer, attach, false);
        return;
    }
    if (link_find(peer, &attach->to) != LINK_NONE) {
        finish(peer, attach, true);
        return;
    }
    attach->phase = ATTACH_ANSWERED;
    watch(peer, attach, ATTACH_PATIENCE);
}

static int ask(PealPeer *peer, Attach *attach, uint16_t link, const PealId *through)
{
    uint8_t body[ATTACH_BODY_LEN];

    attach->phase = ATTACH_ASKED;
    attach->deadline = PEAL_TIME_NEVER;
    return request_send(peer, &(RequestSpec){.code = RELOAD_ATTACH_REQ,
                                             .to = attach->to,
                                             .to_resource = attach->to_resource,
                                             .through = through,
                                             .link = link,
                                             .body = {body, write_attach(peer, false, body,
                                                                         sizeof(body))},
                                             .done = on_answer,
                                             .arg = attach->key});
}

void attach_begin(PealPeer *peer, const AttachSpec *spec)
{
    Attaches *attaches = &peer->attaches;
    Attach *attach;

    for (uint32_t i = 0; i < attaches->list_len; i++) {
        if (!spec->to_resource && !attaches->list[i].to_resource &&
            peal_id_equal(&attaches->list[i].to, &spec->to)) {
            return;
        }
    }
    if (attaches->list_len == ATTACH_MAX ||
        peer_grow(peer, &attaches->list, &attaches->list_cap, attaches->list_len + 1u,
                  sizeof(Attach)) != 0) {
        return;
    }
    attach = &attaches->list[attaches->list_len++];
    *attach = (Attach){.to = spec->to,
                       .key = attaches->next_key++,
                       .purpose = spec->purpose,
                       .to_resource = spec->to_resource};
    if (ask(peer, attach, spec->link, spec->through) != 0) {
        attaches->list_len--;
    }
}

size_t attach_wanting(const PealPeer *peer, uint16_t purpose)
{
    size_t count = 0;

    for (uint32_t i = 0; i < peer->attaches.list_len; i++) {
        count += peer->attaches.list[i].purpose == purpose;
    }
    return count;
}

void attach_around(const PealPeer *peer, uint16_t purpose, const PealId *id, unsigned *after,
                   unsigned *before)
{
    PealIdHalves distance = peal_id_distance(&peer->id, id);

    for (uint32_t i = 0; i < peer->attaches.list_len; i++) {
        const Attach *attach = &peer->attaches.list[i];

        if (attach->purpose == purpose && !attach->to_resource && !peal_id_equal(&attach->to, id)) {
            bool nearer = peal_halves_less(peal_id_distance(&peer->id, &attach->to), distance);

            *after += nearer;
            *before += !nearer;
        }
    }
}

/* s.6.5.1.2: of two Attaches that cross, the one of the larger Node-ID goes ahead. Returns whether
 * to refuse. */
static bool crosses(PealPeer *peer, const PealId *other)
{
    for (uint32_t i = 0; i < peer->attaches.list_len; i++) {
        Attach *attach = &peer->attaches.list[i];

        if (attach->to_resource || !peal_id_equal(&attach->to, other)) {
            continue;
        }
        if (attach->phase != ATTACH_ASKED || peal_id_compare(&peer->id, other) > 0) {
            return true;
        }
        request_cancel(peer, on_answer, attach->key);
        attach->phase = ATTACH_OPENED;
        watch(peer, attach, peer->overlay->request_timeout);
        return false;
    }
    return false;
}

/* A live link serves as it is. If only this side believes in it, the other opens a new one when it
 * has waited. */
void attach_on_request(PealPeer *peer, const Inbound *request)
{
    uint16_t link = link_find_any(peer, &request->signer);
    ReloadAttach body;
    PealAddr addr;
    uint8_t answer[ATTACH_BODY_LEN];

    if (!puzzle_passes(peer, request)) {
        request_refuse(peer, request, RELOAD_ERROR_FORBIDDEN,
                       (PealBytes){(const uint8_t *)"no proof of work", 16});
        return;
    }
    if (reload_attach_decode(request->message.body, &body) != 0 ||
        !attach_usable_address(peer, PEAL_SERVICE_RELOAD, body.candidates, &addr)) {
        request_refuse(peer, request, RELOAD_ERROR_INVALID_MESSAGE,
                       (PealBytes){(const uint8_t *)"no usable candidate", 19});
        return;
    }
    if (link == LINK_NONE && crosses(peer, &request->signer)) {
        request_refuse(peer, request, RELOAD_ERROR_IN_PROGRESS, (PealBytes){NULL, 0});
        return;
    }
    request_answer(peer, request,
                   (PealBytes){answer, write_attach(peer, true, answer, sizeof(answer))});
    if (peal_id_equal(&request->signer, &peer->id)) {
        return;
    }
    if (link == LINK_NONE && link_open(peer, &addr, &request->signer, &link) != 0) {
        return;
    }
    if (body.send_update) {
        link_at(&peer->links, link)->wants_update = 1;
        peer->topology->on_update_wanted(peer, link);
    }
}

/* The other side did not come, but believed in a link to a former life of this peer: what it sent
 * was the Update that it was asked for. It is asked again over the new link. */
static bool asks_again(PealPeer *peer, Attach *attach, uint16_t slot)
{
    const Link *link = link_at(&peer->links, slot);

    return attach->phase == ATTACH_OPENED && link->opened && !link->ready &&
           ask(peer, attach, slot, NULL) == 0;
}

/* The answer may still be on its longer way: on_answer finds nothing to do then. */
void attach_on_link_up(PealPeer *peer, uint16_t link)
{
    const PealId id = link_at(&peer->links, link)->id;
    uint32_t i = 0;

    while (i < peer->attaches.list_len) {
        Attach *attach = &peer->attaches.list[i];

        if (!attach->to_resource && peal_id_equal(&attach->to, &id) &&
            !asks_again(peer, attach, link)) {
            finish(peer, attach, true);
        } else {
            i++;
        }
    }
}

/* The other side did not come: go to it. Returns false when that was tried before, or cannot be. */
static bool open_instead(PealPeer *peer, Attach *attach)
{
    uint16_t link;

    if (attach->phase != ATTACH_ANSWERED) {
        return false;
    }
    if (link_find_any(peer, &attach->to) == LINK_NONE &&
        link_open(peer, &attach->addr, &attach->to, &link) != 0) {
        return false;
    }
    attach->phase = ATTACH_OPENED;
    watch(peer, attach, peer->overlay->request_timeout);
    return true;
}

void attach_on_wake(PealPeer *peer, PealTime now)
{
    Attaches *attaches = &peer->attaches;
    uint32_t i = 0;

    if (!peal_time_due(attaches->deadline, now)) {
        return;
    }
    while (i < attaches->list_len) {
        Attach *attach = &attaches->list[i];

        if (peal_time_due(attach->deadline, now) && !open_instead(peer, attach)) {
            finish(peer, attach, false);
            i = 0;
        } else {
            i++;
        }
    }
    attaches->deadline = PEAL_TIME_NEVER;
    for (i = 0; i < attaches->list_len; i++) {
        attaches->deadline = peal_time_min(attaches->deadline, attaches->list[i].deadline);
    }
}
