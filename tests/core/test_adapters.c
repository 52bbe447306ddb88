/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_adapters.c - AppAttach between adapters of one overlay (RFC 6940 s.6.5.2, RFC 7904 s.5). */
#include "core/mini_world.h"
#include "peal_test.h"

#include "peer.h"
#include "reload/codec.h"
#include "reload/frame.h"
#include "sip/state.h"

enum { ADAPTERS = 8, HEARD_MAX = 16, ROUTE_MAX = 256, SIP_PORT = 5060 };

/* What adapters_reach said, in order. */
typedef struct Heard {
    uint64_t arg;
    int status;
    PealId node;
    PealHop hop;
    char route[ROUTE_MAX];
} Heard;

static Heard heard[HEARD_MAX];
static size_t heard_len;
static uint64_t cancel_on_hearing; /* arg to cancel by whoever hears first; 0 for none */

static void on_reached(PealPeer *peer, uint64_t arg, int status, const PealId *node,
                       const PealHop *hop, PealStr route)
{
    Heard *entry = &heard[heard_len];

    CU_ASSERT_FATAL(heard_len < HEARD_MAX && route.len < ROUTE_MAX);
    heard_len++;
    *entry = (Heard){.arg = arg, .status = status, .node = *node};
    if (status == 0) {
        entry->hop = *hop;
        memcpy(entry->route, route.ptr, route.len);
    } else {
        CU_ASSERT_PTR_NULL(hop);
    }
    if (cancel_on_hearing != 0) {
        adapters_cancel(peer, cancel_on_hearing);
        cancel_on_hearing = 0;
    }
}

static PealSipConfig sip_config;

static size_t sip_addresses(MiniPeer *mini, PealAddr *ret_addrs, size_t max)
{
    if (max == 0) {
        return 0;
    }
    ret_addrs[0] = mini_addr(mini->index);
    ret_addrs[0].port = SIP_PORT;
    return 1;
}

/* A ring of adapters, and at its end a peer that is none. */
static MiniWorld *adapter_ring(uint64_t seed)
{
    static const MiniSip sip = {.addresses = sip_addresses};
    const PealBytes nothing = {NULL, 0};
    MiniWorld *world = mini_new(seed);

    world->sip = &sip;
    heard_len = 0;
    peal_sip_defaults(&sip_config);
    for (uint32_t i = 0; i <= ADAPTERS; i++) {
        MiniPeer *mini = mini_peer(world, NULL);

        if (i < ADAPTERS) {
            CU_ASSERT_EQUAL(peal_peer_sip(mini->peer, &sip_config, nothing), 0);
        }
        mini_start(mini);
        mini_run(world, peal_ms(200));
    }
    mini_run(world, peal_seconds(20));
    return world;
}

static PealPeer *peer_at(MiniWorld *world, uint32_t index)
{
    return world->peers[index].peer;
}

static void reach(MiniWorld *world, uint32_t from, uint32_t to, uint64_t arg)
{
    adapters_reach(peer_at(world, from), peal_peer_id(peer_at(world, to)), on_reached, arg);
    peer_schedule(peer_at(world, from));
}

/* The token in a Route, or an empty one. */
static PealStr token_of(const char *route)
{
    const char *end = strchr(route, '@');

    CU_ASSERT_EQUAL_FATAL(strncmp(route, "<sip:", 5), 0);
    return end == NULL ? (PealStr){route, 0} : (PealStr){route + 5, (size_t)(end - route - 5)};
}

/* The first requests of a kind that one peer sent, by their transactions. */
typedef struct Count {
    uint64_t transactions[HEARD_MAX];
    uint32_t len;
    uint32_t to_lose; /* frames to and from this peer; UINT32_MAX for none */
} Count;

static bool count_app_attach(void *user, uint32_t from, uint32_t to, const uint8_t *bytes,
                             size_t len)
{
    Count *count = user;
    PealFrameInfo info;
    uint32_t i = 0;

    if (from == count->to_lose || to == count->to_lose) {
        return true;
    }
    if (peal_frame_info(bytes, len, &info) != 0 || info.code != RELOAD_APP_ATTACH_REQ) {
        return false;
    }
    while (i < count->len && count->transactions[i] != info.transaction) {
        i++;
    }
    if (i == count->len && i < HEARD_MAX) {
        count->transactions[count->len++] = info.transaction;
    }
    return false;
}

static Count *counting(MiniWorld *world)
{
    static Count count;

    count = (Count){.to_lose = UINT32_MAX};
    world->hook = count_app_attach;
    world->hook_user = &count;
    return &count;
}

static void app_attach_brings_hop_and_token_to_both_ends(void)
{
    MiniWorld *world = adapter_ring(1);
    const PealAddr there = mini_addr(3);
    PealId shown;

    reach(world, 0, 3, 7);
    CU_ASSERT_EQUAL(heard_len, 0); /* from a later dispatch */
    mini_run(world, peal_seconds(1));
    CU_ASSERT_EQUAL_FATAL(heard_len, 1);
    CU_ASSERT(heard[0].arg == 7 && heard[0].status == 0);
    CU_ASSERT(peal_id_equal(&heard[0].node, peal_peer_id(peer_at(world, 3))));
    CU_ASSERT_EQUAL(memcmp(heard[0].hop.addr.ip, there.ip, sizeof(there.ip)), 0);
    CU_ASSERT(heard[0].hop.addr.port == SIP_PORT && heard[0].hop.addr.family == 4);
    CU_ASSERT(heard[0].hop.transport == PEAL_UDP && heard[0].hop.conn == 0);
    CU_ASSERT_EQUAL(token_get_peer(peer_at(world, 3), token_of(heard[0].route), &shown), 0);
    CU_ASSERT(peal_id_equal(&shown, peal_peer_id(peer_at(world, 0))));
    CU_ASSERT_PTR_NOT_NULL(strstr(heard[0].route, ":5060;lr>"));
    /* The other way without a word */
    reach(world, 3, 0, 8);
    CU_ASSERT_EQUAL_FATAL(heard_len, 2);
    CU_ASSERT(heard[1].arg == 8 && heard[1].status == 0);
    CU_ASSERT_EQUAL(token_get_peer(peer_at(world, 0), token_of(heard[1].route), &shown), 0);
    CU_ASSERT(peal_id_equal(&shown, peal_peer_id(peer_at(world, 3))));
    mini_free(world);
}

static void known_adapter_is_reached_at_once_until_its_lifetime_is_over(void)
{
    MiniWorld *world = adapter_ring(2);
    Count *count = counting(world);

    reach(world, 0, 3, 1);
    mini_run(world, peal_seconds(1));
    mini_run(world, peal_seconds(598));
    reach(world, 0, 3, 2);
    CU_ASSERT_EQUAL(heard_len, 2);
    mini_run(world, peal_seconds(2));
    CU_ASSERT_EQUAL(peer_at(world, 0)->sip->adapters.list_len, 0);
    CU_ASSERT_EQUAL(peer_at(world, 3)->sip->adapters.list_len, 0);
    CU_ASSERT_EQUAL(count->len, 1);
    reach(world, 0, 3, 3);
    CU_ASSERT_EQUAL(heard_len, 2);
    mini_run(world, peal_seconds(1));
    CU_ASSERT_EQUAL(heard_len, 3);
    CU_ASSERT_EQUAL(count->len, 2);
    mini_free(world);
}

static void adapter_that_failed_is_asked_again(void)
{
    MiniWorld *world = adapter_ring(3);
    Count *count = counting(world);

    reach(world, 0, 3, 1);
    mini_run(world, peal_seconds(1));
    adapters_failed(peer_at(world, 0), peal_peer_id(peer_at(world, 3)));
    reach(world, 0, 3, 2);
    CU_ASSERT_EQUAL(heard_len, 1);
    adapters_failed(peer_at(world, 0), peal_peer_id(peer_at(world, 3))); /* while it is asked */
    mini_run(world, peal_seconds(1));
    CU_ASSERT(heard_len == 2 && heard[1].status == 0);
    CU_ASSERT_EQUAL(count->len, 2);
    adapters_failed(peer_at(world, 0), peal_peer_id(peer_at(world, 5))); /* never known */
    mini_free(world);
}

static void all_who_wait_share_one_app_attach(void)
{
    MiniWorld *world = adapter_ring(4);
    Count *count = counting(world);

    for (uint64_t arg = 1; arg <= 5; arg++) {
        reach(world, 0, 3, arg);
    }
    reach(world, 0, 4, 6);
    mini_run(world, peal_seconds(1));
    CU_ASSERT_EQUAL(heard_len, 6);
    CU_ASSERT_EQUAL(count->len, 2);
    CU_ASSERT_EQUAL(peer_at(world, 0)->sip->adapters.waits_len, 0);
    mini_free(world);
}

static void cancelled_wait_is_not_told(void)
{
    MiniWorld *world = adapter_ring(5);

    for (uint64_t arg = 1; arg <= 4; arg++) {
        reach(world, 0, 3, arg);
    }
    adapters_cancel(peer_at(world, 0), 2);
    cancel_on_hearing = 4;
    mini_run(world, peal_seconds(1));
    CU_ASSERT_EQUAL_FATAL(heard_len, 2);
    CU_ASSERT(heard[0].arg == 1 && heard[1].arg == 3);
    CU_ASSERT_EQUAL(peer_at(world, 0)->sip->adapters.waits_len, 0);
    mini_free(world);
}

static void crossing_app_attaches_serve_both(void)
{
    MiniWorld *world = adapter_ring(6);

    reach(world, 0, 3, 1);
    reach(world, 3, 0, 2);
    mini_run(world, peal_seconds(1));
    CU_ASSERT(heard_len == 2 && heard[0].status == 0 && heard[1].status == 0);
    mini_free(world);
}

static void node_that_does_not_exist_is_given_up(void)
{
    MiniWorld *world = adapter_ring(7);
    PealId nobody = *peal_peer_id(peer_at(world, 3));

    nobody.bytes[15] ^= 1;
    adapters_reach(peer_at(world, 0), &nobody, on_reached, 9);
    mini_run(world, world->overlay.request_lifetime);
    CU_ASSERT_EQUAL_FATAL(heard_len, 1);
    CU_ASSERT(heard[0].arg == 9 && heard[0].status == -PEAL_E_TIMEOUT);
    CU_ASSERT_EQUAL(peer_at(world, 0)->sip->adapters.list_len, 0);
    mini_free(world);
}

static void death_of_the_link_ends_the_wait_early(void)
{
    MiniWorld *world = adapter_ring(8);
    Count *count = counting(world);

    reach(world, 0, 3, 1);
    mini_run(world, peal_seconds(1));
    CU_ASSERT_EQUAL_FATAL(heard_len, 1);
    count->to_lose = 3;
    mini_kill(&world->peers[3]);
    adapters_failed(peer_at(world, 0), &heard[0].node);
    reach(world, 0, 5, 3);
    adapters_reach(peer_at(world, 0), &heard[0].node, on_reached, 2);
    mini_run(world, peal_seconds(10));
    CU_ASSERT_EQUAL_FATAL(heard_len, 3);
    CU_ASSERT(heard[1].arg == 3 && heard[1].status == 0);
    CU_ASSERT(heard[2].arg == 2 && heard[2].status == -PEAL_E_UNREACHABLE);
    mini_free(world);
}

static void known_adapter_is_forgotten_when_its_link_dies(void)
{
    MiniWorld *world = adapter_ring(9);

    reach(world, 0, 3, 1);
    mini_run(world, peal_seconds(1));
    mini_kill(&world->peers[3]);
    mini_run(world, peal_seconds(120));
    CU_ASSERT_EQUAL(peer_at(world, 0)->sip->adapters.list_len, 0);
    mini_free(world);
}

static void peer_that_is_no_adapter_refuses(void)
{
    MiniWorld *world = adapter_ring(10);

    reach(world, 0, ADAPTERS, 1);
    mini_run(world, peal_seconds(1));
    CU_ASSERT_EQUAL_FATAL(heard_len, 1);
    CU_ASSERT_EQUAL(heard[0].status, -PEAL_E_REFUSED);
    CU_ASSERT_EQUAL(peer_at(world, 0)->sip->adapters.list_len, 0);
    mini_free(world);
}

static void impossible_reaches_fail_at_once(void)
{
    MiniWorld *world = adapter_ring(11);
    PealPeer *peer = peer_at(world, 0);

    reach(world, 0, 0, 1);
    CU_ASSERT(heard_len == 1 && heard[0].status == -PEAL_E_ARG);
    peer->state = PEAL_PEER_JOINING;
    reach(world, 0, 3, 2);
    CU_ASSERT(heard_len == 2 && heard[1].status == -PEAL_E_STATE);
    peer->state = PEAL_PEER_JOINED;
    CU_ASSERT(peer->sip->adapters.list == NULL && peer->sip->adapters.waits == NULL);
    mini_free(world);
}

/* Requests as others might make them. */

static int result_status;
static uint16_t result_error;

static void on_result(PealPeer *peer, uint64_t arg, const RequestResult *result)
{
    (void)peer;
    (void)arg;
    result_status = result->status;
    result_error = result->error;
}

static PealBytes text(const char *z)
{
    return (PealBytes){(const uint8_t *)z, strlen(z)};
}

/* Sends an AppAttach from adapter 1 to adapter 3 and runs until it is answered. */
static void attach_by_hand(MiniWorld *world, const ReloadAppAttach *attach, size_t cut)
{
    uint8_t bytes[1024];
    Writer body = writer_make(bytes, sizeof(bytes));
    RequestSpec spec = {.code = RELOAD_APP_ATTACH_REQ,
                        .to = *peal_peer_id(peer_at(world, 3)),
                        .link = LINK_NONE,
                        .done = on_result};

    put_app_attach(&body, attach);
    CU_ASSERT_FALSE_FATAL(body.overflow);
    spec.body = (PealBytes){bytes, body.len - cut};
    result_status = 1;
    CU_ASSERT_EQUAL(request_send(peer_at(world, 1), &spec), 0);
    peer_schedule(peer_at(world, 1));
    mini_run(world, peal_seconds(1));
}

static void odd_requests_get_the_error_they_deserve(void)
{
    MiniWorld *world = adapter_ring(12);
    uint8_t bytes[ATTACH_CANDIDATES_LEN];
    Writer candidates = writer_make(bytes, sizeof(bytes));
    ReloadAppAttach attach = {.ufrag = text("x"),
                              .password = text("y"),
                              .application = 5061,
                              .role = text("passive")};

    attach_put_candidates(peer_at(world, 1), PEAL_SERVICE_SIP, &candidates);
    attach.candidates = writer_view(&candidates);
    attach_by_hand(world, &attach, 0);
    CU_ASSERT(result_status == -PEAL_E_REFUSED && result_error == RELOAD_ERROR_NOT_FOUND);
    attach.application = SIP_PORT;
    attach_by_hand(world, &attach, 1);
    CU_ASSERT(result_status == -PEAL_E_REFUSED && result_error == RELOAD_ERROR_INVALID_MESSAGE);
    attach.candidates.len = 0;
    attach_by_hand(world, &attach, 0);
    CU_ASSERT(result_status == -PEAL_E_REFUSED && result_error == RELOAD_ERROR_INVALID_MESSAGE);
    CU_ASSERT_EQUAL(peer_at(world, 3)->sip->adapters.list_len, 0);
    mini_free(world);
}

static void password_that_is_no_token_stays_out_of_the_route(void)
{
    static const char too_long[] =
        "anICEpasswordmaybelongerthananytokenthatanadapterwouldmakeforitspeersinthisoverlay";
    static const char *const passwords[] = {"", "with space", "sip@evil", "100%", too_long};
    MiniWorld *world = adapter_ring(13);
    uint8_t bytes[ATTACH_CANDIDATES_LEN];
    Writer candidates = writer_make(bytes, sizeof(bytes));
    ReloadAppAttach attach = {.ufrag = text("x"), .application = SIP_PORT, .role = text("passive")};

    attach_put_candidates(peer_at(world, 1), PEAL_SERVICE_SIP, &candidates);
    attach.candidates = writer_view(&candidates);
    for (size_t i = 0; i < sizeof(passwords) / sizeof(passwords[0]); i++) {
        attach.password = text(passwords[i]);
        attach_by_hand(world, &attach, 0);
        CU_ASSERT_EQUAL(result_status, 0);
        heard_len = 0;
        reach(world, 3, 1, 1);
        CU_ASSERT_EQUAL_FATAL(heard_len, 1);
        CU_ASSERT_EQUAL(token_of(heard[0].route).len, 0);
    }
    attach.password = text("Zx+/09");
    attach_by_hand(world, &attach, 0);
    reach(world, 3, 1, 2);
    CU_ASSERT_EQUAL(strncmp(heard[1].route, "<sip:Zx+/09@", 12), 0);
    mini_free(world);
}

static void table_is_bounded_and_the_oldest_give_way(void)
{
    MiniWorld *world = adapter_ring(14);
    PealPeer *peer = peer_at(world, 3);
    uint8_t list[ATTACH_CANDIDATES_LEN];
    uint8_t bytes[ATTACH_BODY_LEN];
    Writer candidates = writer_make(list, sizeof(list));
    Writer body = writer_make(bytes, sizeof(bytes));
    ReloadAppAttach attach = {.application = SIP_PORT, .role = text("passive")};
    Inbound request = {.message = {.code = RELOAD_APP_ATTACH_REQ}, .link = LINK_NONE};

    attach_put_candidates(peer_at(world, 1), PEAL_SERVICE_SIP, &candidates);
    attach.candidates = writer_view(&candidates);
    put_app_attach(&body, &attach);
    request.message.body = writer_view(&body);
    for (uint64_t i = 1; i <= ADAPTERS_MAX + 10; i++) {
        request.signer = peal_id_from_halves((PealIdHalves){i * 0x9e3779b97f4a7c15, 1});
        adapters_on_request(peer, &request);
        mini_run(world, peal_ms(1));
    }
    CU_ASSERT_EQUAL(peer->sip->adapters.list_len, ADAPTERS_MAX);
    adapters_reach(peer, &request.signer, on_reached, 1);
    CU_ASSERT(heard_len == 1 && heard[0].status == 0);
    request.signer = peal_id_from_halves((PealIdHalves){0x9e3779b97f4a7c15, 1});
    adapters_reach(peer, &request.signer, on_reached, 2);
    CU_ASSERT_EQUAL(heard_len, 1); /* not known any more */
    mini_free(world);
}

PEAL_TEST_MAIN("core/adapters", PEAL_TEST(app_attach_brings_hop_and_token_to_both_ends),
               PEAL_TEST(known_adapter_is_reached_at_once_until_its_lifetime_is_over),
               PEAL_TEST(adapter_that_failed_is_asked_again),
               PEAL_TEST(all_who_wait_share_one_app_attach), PEAL_TEST(cancelled_wait_is_not_told),
               PEAL_TEST(crossing_app_attaches_serve_both),
               PEAL_TEST(node_that_does_not_exist_is_given_up),
               PEAL_TEST(death_of_the_link_ends_the_wait_early),
               PEAL_TEST(known_adapter_is_forgotten_when_its_link_dies),
               PEAL_TEST(peer_that_is_no_adapter_refuses),
               PEAL_TEST(impossible_reaches_fail_at_once),
               PEAL_TEST(odd_requests_get_the_error_they_deserve),
               PEAL_TEST(password_that_is_no_token_stays_out_of_the_route),
               PEAL_TEST(table_is_bounded_and_the_oldest_give_way))
