/* SPDX-License-Identifier: GPL-3.0-or-later */
/* adapters.c - AppAttach, asked and answered; see adapters.h. */
#include "sip/adapters.h"

#include "reload/codec.h"
#include "security/gate.h"
#include "sip/state.h"

enum {
    ADAPTERS_APPLICATION = 5060,
    ADAPTERS_ROUTE_MAX = TOKEN_TEXT_MAX + 64, /* <sip:TOKEN@[IPv6]:port;lr> */
    ADAPTERS_NO_ROUND = 0
};

/* Known while ends_at lies ahead, asked for while it has a round. */
struct Adapter {
    PealId node;
    PealHop hop;
    PealTime ends_at;
    uint32_t round; /* of the AppAttach that is out */
    bool lost;      /* its link died: whoever waits is to hear it */
    uint8_t token_len;
    char token[TOKEN_TEXT_MAX];
};

/* Somebody who waits for the end of an AppAttach. */
struct AdapterWait {
    AdaptersReached reached; /* NULL: told, or cancelled */
    uint64_t arg;
    uint32_t round;
};

typedef struct Adapter Adapter;
typedef struct AdapterWait AdapterWait;

static const PealTime ADAPTERS_UNKNOWN = {INT64_MIN};

void adapters_init(PealPeer *peer)
{
    peer->sip->adapters = (Adapters){.deadline = PEAL_TIME_NEVER};
}

static void adapters_release_list(PealPeer *peer)
{
    Adapters *adapters = &peer->sip->adapters;

    if (adapters->list != NULL) {
        peer_release(peer, adapters->list, adapters->list_cap * sizeof(Adapter));
    }
    adapters->list = NULL;
    adapters->list_cap = 0;
}

static void adapters_release_waits(PealPeer *peer)
{
    Adapters *adapters = &peer->sip->adapters;

    if (adapters->waits != NULL) {
        peer_release(peer, adapters->waits, adapters->waits_cap * sizeof(AdapterWait));
    }
    adapters->waits = NULL;
    adapters->waits_cap = 0;
}

void adapters_fini(PealPeer *peer)
{
    adapters_release_list(peer);
    adapters_release_waits(peer);
    adapters_init(peer);
}

/* The table. */

static uint32_t adapters_at(const Adapters *adapters, const PealId *node)
{
    uint32_t low = 0;
    uint32_t high = adapters->list_len;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (peal_id_compare(&adapters->list[middle].node, node) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static Adapter *adapters_entry(const Adapters *adapters, const PealId *node)
{
    uint32_t at = adapters_at(adapters, node);

    if (at < adapters->list_len && peal_id_equal(&adapters->list[at].node, node)) {
        return &adapters->list[at];
    }
    return NULL;
}

static Adapter *adapters_by_round(const Adapters *adapters, uint32_t round)
{
    for (uint32_t i = 0; i < adapters->list_len; i++) {
        if (adapters->list[i].round == round) {
            return &adapters->list[i];
        }
    }
    return NULL;
}

static void adapters_remove(PealPeer *peer, Adapter *adapter)
{
    Adapters *adapters = &peer->sip->adapters;
    const Adapter *end = adapters->list + adapters->list_len;

    memmove(adapter, adapter + 1, (size_t)(end - (adapter + 1)) * sizeof(*adapter));
    adapters->list_len--;
    if (adapters->list_len == 0) {
        adapters_release_list(peer);
    }
}

/* Makes room by the entry that would end first; those that somebody waits for stay. */
static bool adapters_evict(PealPeer *peer)
{
    Adapters *adapters = &peer->sip->adapters;
    Adapter *first = NULL;

    for (uint32_t i = 0; i < adapters->list_len; i++) {
        Adapter *adapter = &adapters->list[i];

        if (adapter->round == ADAPTERS_NO_ROUND &&
            (first == NULL || adapter->ends_at.ns < first->ends_at.ns)) {
            first = adapter;
        }
    }
    if (first != NULL) {
        adapters_remove(peer, first);
    }
    return first != NULL;
}

/* The node's entry, a new one if need be; NULL when there is no room. */
static Adapter *adapters_add(PealPeer *peer, const PealId *node)
{
    Adapters *adapters = &peer->sip->adapters;
    Adapter *adapter = adapters_entry(adapters, node);
    uint32_t at;

    if (adapter != NULL) {
        return adapter;
    }
    if (adapters->list_len >= ADAPTERS_MAX && !adapters_evict(peer)) {
        return NULL;
    }
    if (peer_grow(peer, &adapters->list, &adapters->list_cap, adapters->list_len + 1,
                  sizeof(*adapter)) != 0) {
        return NULL;
    }
    at = adapters_at(adapters, node);
    adapter = &adapters->list[at];
    memmove(adapter + 1, adapter, (adapters->list_len - at) * sizeof(*adapter));
    adapters->list_len++;
    *adapter = (Adapter){.node = *node, .ends_at = ADAPTERS_UNKNOWN};
    return adapter;
}

static void adapters_watch(PealPeer *peer, PealTime at)
{
    Adapters *adapters = &peer->sip->adapters;

    if (at.ns < adapters->deadline.ns) {
        adapters->deadline = at;
        peer_wake_by(peer, at);
    }
}

/* Who waits. */

static void adapters_compact(PealPeer *peer)
{
    Adapters *adapters = &peer->sip->adapters;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < adapters->waits_len; i++) {
        if (adapters->waits[i].reached != NULL) {
            adapters->waits[kept++] = adapters->waits[i];
        }
    }
    adapters->waits_len = kept;
    if (kept == 0) {
        adapters_release_waits(peer);
    }
}

static void adapters_tell(PealPeer *peer, const Adapter *adapter, AdaptersReached reached,
                          uint64_t arg)
{
    char text[ADAPTERS_ROUTE_MAX];
    SipText route = sip_text_make(text, sizeof(text));

    sip_put_z(&route, "<sip:");
    if (adapter->token_len > 0) {
        sip_put(&route, (PealStr){adapter->token, adapter->token_len});
        sip_put_z(&route, "@");
    }
    sip_put_addr(&route, &adapter->hop.addr, adapter->hop.addr.port);
    sip_put_z(&route, ";lr>");
    PEAL_ASSERT(!route.overflow);
    reached(peer, arg, 0, &adapter->node, &adapter->hop, sip_text_view(&route));
}

/* Tells all who wait for this round. They may come back with new requests or cancel others, so that
 * nothing moves meanwhile, and the entry is a copy. */
static void adapters_settle(PealPeer *peer, Adapter adapter, uint32_t round, int status)
{
    Adapters *adapters = &peer->sip->adapters;

    if (round == ADAPTERS_NO_ROUND) {
        return;
    }
    adapters->settling = true;
    for (uint32_t i = 0; i < adapters->waits_len; i++) {
        const AdapterWait wait = adapters->waits[i];

        if (wait.round != round || wait.reached == NULL) {
            continue;
        }
        adapters->waits[i].reached = NULL;
        if (status == 0) {
            adapters_tell(peer, &adapter, wait.reached, wait.arg);
        } else {
            wait.reached(peer, wait.arg, status, &adapter.node, NULL, (PealStr){NULL, 0});
        }
    }
    adapters->settling = false;
    adapters_compact(peer);
}

void adapters_cancel(PealPeer *peer, uint64_t arg)
{
    Adapters *adapters = &peer->sip->adapters;
    bool any = false;

    for (uint32_t i = 0; i < adapters->waits_len; i++) {
        if (adapters->waits[i].arg == arg) {
            adapters->waits[i].reached = NULL;
            any = true;
        }
    }
    if (any && !adapters->settling) {
        adapters_compact(peer);
    }
}

/* AppAttach. */

static PealBytes adapters_bytes(const char *text)
{
    return (PealBytes){(const uint8_t *)text, strlen(text)};
}

static size_t adapters_write(PealPeer *peer, const PealId *node, const char *role,
                             uint8_t *ret_body, size_t cap)
{
    char password[TOKEN_TEXT_MAX];
    uint8_t candidates[ATTACH_CANDIDATES_LEN];
    SipText token = sip_text_make(password, sizeof(password));
    Writer list = writer_make(candidates, sizeof(candidates));
    Writer body = writer_make(ret_body, cap);
    ReloadAppAttach attach = {.ufrag = adapters_bytes("peal"),
                              .application = ADAPTERS_APPLICATION,
                              .role = adapters_bytes(role)};

    token_put_peer(peer, &token, node);
    attach.password = (PealBytes){(const uint8_t *)token.ptr, token.len};
    attach_put_candidates(peer, PEAL_SERVICE_SIP, &list);
    attach.candidates = writer_view(&list);
    put_app_attach(&body, &attach);
    PEAL_ASSERT(!token.overflow && !list.overflow && !body.overflow);
    return body.len;
}

/* RFC 3261 s.25.1: what a URI's user may hold as it is. */
static bool adapters_fits_user(PealBytes password)
{
    static const char marks[] = "-_.!~*'()&=+$,;?/";

    for (size_t i = 0; i < password.len; i++) {
        uint8_t c = password.ptr[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c != 0 && strchr(marks, c) != NULL))) {
            return false;
        }
    }
    return true;
}

/* What the other side of an AppAttach says about itself. Returns 0, or -PEAL_E_UNREACHABLE for no
 * usable candidate, -PEAL_E_FULL for no room. A password that is none of a token's kind is ICE's,
 * and stays out of the Route. */
static int adapters_learn(PealPeer *peer, const PealId *node, const ReloadAppAttach *body)
{
    PealHop hop = {.transport = PEAL_UDP};
    Adapter *adapter;

    if (!attach_usable_address(peer, PEAL_SERVICE_SIP, body->candidates, &hop.addr) ||
        sip_local(peer, &hop.addr, &hop.local) != 0) {
        return -PEAL_E_UNREACHABLE;
    }
    adapter = adapters_add(peer, node);
    if (adapter == NULL) {
        return -PEAL_E_FULL;
    }
    adapter->hop = hop;
    adapter->token_len = 0;
    if (body->password.len <= sizeof(adapter->token) && adapters_fits_user(body->password)) {
        adapter->token_len = (uint8_t)body->password.len;
        memcpy(adapter->token, body->password.ptr, body->password.len);
    }
    adapter->lost = false;
    adapter->ends_at = peal_time_add(peer_now(peer), ADAPTERS_LIFETIME);
    gate_vouch(peer, &hop.addr, adapter->ends_at);
    adapters_watch(peer, adapter->ends_at);
    return 0;
}

static bool adapters_knows(PealPeer *peer, const Adapter *adapter)
{
    return !peal_time_due(adapter->ends_at, peer_now(peer));
}

/* The round is over without an answer that helps. A request from the other side may have brought
 * what was asked for; else the entry goes. */
static void adapters_give_up(PealPeer *peer, Adapter *adapter, int error)
{
    const Adapter ended = *adapter;

    adapter->round = ADAPTERS_NO_ROUND;
    adapter->lost = false;
    if (!adapters_knows(peer, adapter)) {
        adapters_remove(peer, adapter);
    }
    adapters_settle(peer, ended, ended.round, error);
}

static void adapters_on_answer(PealPeer *peer, uint64_t round, const RequestResult *result)
{
    Adapter *adapter = adapters_by_round(&peer->sip->adapters, (uint32_t)round);
    ReloadAppAttach body;
    int error = result->status;

    if (adapter == NULL) {
        return;
    }
    if (error == 0 && (reload_app_attach_decode(result->answer->message.body, &body) != 0 ||
                       body.application != ADAPTERS_APPLICATION)) {
        error = -PEAL_E_REFUSED;
    }
    if (error == 0) {
        error = adapters_learn(peer, &adapter->node, &body);
    }
    if (error != 0) {
        adapters_give_up(peer, adapter, error);
        return;
    }
    adapter->round = ADAPTERS_NO_ROUND;
    adapters_settle(peer, *adapter, (uint32_t)round, 0);
}

static int adapters_ask(PealPeer *peer, Adapter *adapter)
{
    Adapters *adapters = &peer->sip->adapters;
    uint8_t body[ATTACH_BODY_LEN];
    RequestSpec spec = {.code = RELOAD_APP_ATTACH_REQ,
                        .to = adapter->node,
                        .link = LINK_NONE,
                        .done = adapters_on_answer};
    int error;

    spec.body =
        (PealBytes){body, adapters_write(peer, &adapter->node, "passive", body, sizeof(body))};
    adapters->rounds += adapters->rounds == UINT32_MAX ? 2 : 1; /* never 0 */
    spec.arg = adapters->rounds;
    error = request_send(peer, &spec);
    if (error == 0) {
        adapter->round = adapters->rounds;
    }
    return error;
}

/* Waits for the node's AppAttach, which is begun unless it is under way. */
static int adapters_wait(PealPeer *peer, const PealId *node, AdaptersReached reached, uint64_t arg)
{
    Adapters *adapters = &peer->sip->adapters;
    Adapter *adapter;
    int error = 0;

    if (peal_id_equal(node, &peer->id)) {
        return -PEAL_E_ARG;
    }
    if (peer->state != PEAL_PEER_JOINED) {
        return -PEAL_E_STATE;
    }
    if (adapters->waits_len >= ADAPTERS_WAITING_MAX ||
        peer_grow(peer, &adapters->waits, &adapters->waits_cap, adapters->waits_len + 1,
                  sizeof(AdapterWait)) != 0) {
        return -PEAL_E_FULL;
    }
    adapter = adapters_add(peer, node);
    if (adapter == NULL) {
        error = -PEAL_E_FULL;
    } else if (adapter->round == ADAPTERS_NO_ROUND) {
        error = adapters_ask(peer, adapter);
        if (error != 0) {
            adapters_remove(peer, adapter);
        }
    }
    if (error == 0) {
        adapters->waits[adapters->waits_len++] =
            (AdapterWait){.reached = reached, .arg = arg, .round = adapter->round};
    } else if (adapters->waits_len == 0) {
        adapters_release_waits(peer);
    }
    return error;
}

void adapters_reach(PealPeer *peer, const PealId *node, AdaptersReached reached, uint64_t arg)
{
    const Adapter *known = adapters_entry(&peer->sip->adapters, node);
    int error;

    if (known != NULL && adapters_knows(peer, known)) {
        const Adapter copy = *known;

        adapters_tell(peer, &copy, reached, arg);
        return;
    }
    error = adapters_wait(peer, node, reached, arg);
    if (error != 0) {
        reached(peer, arg, error, node, NULL, (PealStr){NULL, 0});
    }
}

void adapters_failed(PealPeer *peer, const PealId *node)
{
    Adapter *adapter = adapters_entry(&peer->sip->adapters, node);

    if (adapter == NULL) {
        return;
    }
    adapter->ends_at = ADAPTERS_UNKNOWN;
    if (adapter->round == ADAPTERS_NO_ROUND) {
        adapters_remove(peer, adapter);
    }
}

void adapters_on_link_dead(PealPeer *peer, const PealId *node)
{
    Adapter *adapter;

    if (peer->sip == NULL) {
        return;
    }
    adapter = adapters_entry(&peer->sip->adapters, node);
    if (adapter == NULL) {
        return;
    }
    adapter->ends_at = ADAPTERS_UNKNOWN;
    adapter->lost = true;
    adapters_watch(peer, peer_now(peer));
}

void adapters_on_request(PealPeer *peer, const Inbound *request)
{
    uint8_t answer[ATTACH_BODY_LEN];
    ReloadAppAttach body;
    PealAddr addr;
    Adapter *adapter;

    if (peer->sip == NULL) {
        request_refuse(peer, request, RELOAD_ERROR_NOT_FOUND, (PealBytes){NULL, 0});
        return;
    }
    if (reload_app_attach_decode(request->message.body, &body) != 0) {
        request_refuse(peer, request, RELOAD_ERROR_INVALID_MESSAGE, (PealBytes){NULL, 0});
        return;
    }
    if (body.application != ADAPTERS_APPLICATION) {
        request_refuse(peer, request, RELOAD_ERROR_NOT_FOUND,
                       adapters_bytes("application is not offered"));
        return;
    }
    if (!attach_usable_address(peer, PEAL_SERVICE_SIP, body.candidates, &addr)) {
        request_refuse(peer, request, RELOAD_ERROR_INVALID_MESSAGE,
                       adapters_bytes("no usable candidate"));
        return;
    }
    request_answer(peer, request,
                   (PealBytes){answer, adapters_write(peer, &request->signer, "active", answer,
                                                      sizeof(answer))});
    if (peal_id_equal(&request->signer, &peer->id) ||
        adapters_learn(peer, &request->signer, &body) != 0) {
        return;
    }
    adapter = adapters_entry(&peer->sip->adapters, &request->signer);
    adapters_settle(peer, *adapter, adapter->round, 0);
}

/* Forgets what has ended, in one go. */
static void adapters_forget_ended(PealPeer *peer)
{
    Adapters *adapters = &peer->sip->adapters;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < adapters->list_len; i++) {
        const Adapter *adapter = &adapters->list[i];

        if (adapter->round != ADAPTERS_NO_ROUND || adapters_knows(peer, adapter)) {
            adapters->list[kept++] = *adapter;
        }
    }
    adapters->list_len = kept;
    if (kept == 0) {
        adapters_release_list(peer);
    }
}

/* Those who are told may change the table, so the walk begins anew after each. */
static void adapters_give_up_lost(PealPeer *peer)
{
    Adapters *adapters = &peer->sip->adapters;
    uint32_t i = 0;

    while (i < adapters->list_len) {
        Adapter *adapter = &adapters->list[i];

        if (adapter->lost) {
            request_cancel(peer, adapters_on_answer, adapter->round);
            adapters_give_up(peer, adapter, -PEAL_E_UNREACHABLE);
            i = 0;
        } else {
            i++;
        }
    }
}

void adapters_on_wake(PealPeer *peer, PealTime now)
{
    Adapters *adapters = &peer->sip->adapters;

    if (!peal_time_due(adapters->deadline, now)) {
        return;
    }
    adapters_forget_ended(peer);
    adapters_give_up_lost(peer);
    adapters->deadline = PEAL_TIME_NEVER;
    for (uint32_t i = 0; i < adapters->list_len; i++) {
        if (adapters_knows(peer, &adapters->list[i])) {
            adapters->deadline = peal_time_min(adapters->deadline, adapters->list[i].ends_at);
        }
    }
}
