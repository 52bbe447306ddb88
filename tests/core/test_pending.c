/* test_pending.c - requests end to end: tries, answers, refusals, and messages to oneself. */
#include "mini_world.h"
#include "peal_test.h"

#include "peer.h"
#include "reload/codec.h"

/* Frames from peer 0 that carry requests of one code. */
typedef struct Watch {
    MiniWorld *world;
    PealTime at[16];
    uint64_t transaction[16];
    uint32_t len;
    uint16_t code;
    uint16_t via_len; /* of the last one */
    uint8_t ttl;
    bool lose_requests;
    bool lose_answers;
} Watch;

static bool watch_requests(void *user, uint32_t from, uint32_t to, const uint8_t *bytes, size_t len)
{
    Watch *watch = user;
    ReloadMessage message;
    Frame frame;

    (void)to;
    if (frame_parse_datagram(bytes, len, FRAME_MESSAGE_MAX, &frame) != 0 || !frame.data ||
        reload_message_decode((PealBytes){frame.message, frame.message_len}, &message) != 0) {
        return false;
    }
    if (message.code == watch->code + 1) {
        return watch->lose_answers;
    }
    if (message.code != watch->code || from != 0) {
        return false;
    }
    watch->via_len = (uint16_t)message.header.via.len;
    watch->ttl = message.header.ttl;
    /* Link retransmissions of the same try do not count. */
    if (watch->len == 0 ||
        peal_time_since(watch->world->now, watch->at[watch->len - 1]).ns >= peal_seconds(2).ns) {
        CU_ASSERT_TRUE_FATAL(watch->len < 16);
        watch->at[watch->len] = watch->world->now;
        watch->transaction[watch->len++] = message.header.transaction;
    }
    return watch->lose_requests;
}

/* Two peers over streams without acknowledgement, so that only the end-to-end timers act. */
static MiniWorld *pair(Watch *watch, uint16_t code)
{
    MiniWorld *world = mini_new(1);

    world->overlay.link = PEAL_TCP;
    world->overlay.link_acks = false;
    world->overlay.update_interval = peal_seconds(100000);
    world->overlay.finger_interval = peal_seconds(100000);
    world->overlay.partition_interval = peal_seconds(100000);
    for (uint32_t i = 0; i < 2; i++) {
        mini_start(mini_peer(world, NULL));
        mini_run(world, peal_seconds(20));
    }
    CU_ASSERT_TRUE_FATAL(mini_is_one_ring(world));
    *watch = (Watch){.world = world, .code = code};
    world->hook = watch_requests;
    world->hook_user = watch;
    return world;
}

static void ping(MiniWorld *world, uint64_t token)
{
    CU_ASSERT_EQUAL(peal_peer_ping(world->peers[0].peer, peal_peer_id(world->peers[1].peer), false,
                                   token),
                    0);
}

static void pending_tries_five_times_every_three_seconds_with_one_transaction(void)
{
    Watch watch;
    MiniWorld *world = pair(&watch, RELOAD_PING_REQ);
    const MiniOutcome *outcome;
    PealTime start = world->now;

    watch.lose_requests = true;
    ping(world, 1);
    outcome = mini_await(world, 1, peal_seconds(60));
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
    CU_ASSERT_EQUAL(outcome->status, -PEAL_E_TIMEOUT);
    CU_ASSERT_EQUAL(peal_time_since(world->now, start).ns, peal_seconds(15).ns);
    CU_ASSERT_EQUAL_FATAL(watch.len, 5);
    for (uint32_t i = 0; i < 5; i++) {
        CU_ASSERT_EQUAL(watch.transaction[i], watch.transaction[0]);
        CU_ASSERT_EQUAL(peal_time_since(watch.at[i], start).ns, peal_seconds(3 * (int64_t)i).ns);
    }
    mini_free(world);
}

static void pending_lost_answer_is_answered_again(void)
{
    Watch watch;
    MiniWorld *world = pair(&watch, RELOAD_PING_REQ);
    const MiniOutcome *outcome;

    watch.lose_answers = true;
    ping(world, 1);
    mini_run(world, peal_seconds(1));
    watch.lose_answers = false;
    outcome = mini_await(world, 1, peal_seconds(10));
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
    CU_ASSERT_EQUAL(outcome->status, 0);
    CU_ASSERT_EQUAL(watch.len, 2);
    CU_ASSERT_EQUAL(world->outcomes_len, 1);
    mini_free(world);
}

static void pending_store_sent_twice_has_the_same_answer(void)
{
    static const uint8_t value[] = "v";
    static const PealKind kinds[] = {{.id = 0xF0000001,
                                      .model = PEAL_MODEL_SINGLE,
                                      .access = PEAL_ACCESS_ANY,
                                      .count_max = 1,
                                      .size_max = 100}};
    Watch watch;
    MiniWorld *world = pair(&watch, RELOAD_STORE_REQ);
    PealStoreItem item = {.resource = *peal_peer_id(world->peers[1].peer),
                          .kind = kinds[0].id,
                          .value = {value, 1},
                          .lifetime_s = 100,
                          .exists = true};
    const MiniOutcome *outcome;

    world->overlay.kinds = kinds;
    world->overlay.kinds_len = 1;
    watch.lose_answers = true;
    CU_ASSERT_EQUAL(peal_peer_store(world->peers[0].peer, &item, 1), 0);
    mini_run(world, peal_seconds(1));
    CU_ASSERT_EQUAL(peal_peer_stored(world->peers[1].peer, &item.resource, item.kind), 1);
    watch.lose_answers = false;
    outcome = mini_await(world, 1, peal_seconds(10));
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
    CU_ASSERT_EQUAL(outcome->status, 0);
    CU_ASSERT_EQUAL(peal_peer_stored(world->peers[1].peer, &item.resource, item.kind), 1);
    mini_free(world);
}

static void pending_refusal_carries_the_error_code(void)
{
    static const PealKind known[] = {{.id = 0xF0000001, .model = PEAL_MODEL_SINGLE}};
    Watch watch;
    MiniWorld *world = pair(&watch, RELOAD_FETCH_REQ);
    PealOverlay *overlay = &world->overlay;
    PealId key = *peal_peer_id(world->peers[1].peer);
    const MiniOutcome *outcome;

    /* The asker knows a Kind that the storing peer does not. */
    overlay->kinds = known;
    overlay->kinds_len = 1;
    CU_ASSERT_EQUAL(peal_peer_fetch(world->peers[0].peer, &key, known[0].id, 1), 0);
    overlay->kinds_len = 0;
    outcome = mini_await(world, 1, peal_seconds(20));
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
    CU_ASSERT_EQUAL(outcome->status, -PEAL_E_REFUSED);
    CU_ASSERT_EQUAL(outcome->error_code, RELOAD_ERROR_UNKNOWN_KIND);
    mini_free(world);
}

static void pending_request_to_itself_is_answered_in_a_later_dispatch_at_the_same_time(void)
{
    Watch watch;
    MiniWorld *world = pair(&watch, RELOAD_FETCH_REQ);
    PealId mine = *peal_peer_id(world->peers[0].peer);
    const MiniOutcome *outcome;
    PealTime start = world->now;

    CU_ASSERT_EQUAL(peal_peer_fetch(world->peers[0].peer, &mine, PEAL_KIND_SIP_REGISTRATION, 1), 0);
    CU_ASSERT_EQUAL(world->outcomes_len, 0);
    outcome = mini_await(world, 1, peal_seconds(1));
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
    CU_ASSERT_EQUAL(outcome->status, 0);
    CU_ASSERT_EQUAL(world->now.ns, start.ns);
    CU_ASSERT_EQUAL(world->peers[0].last_served.value, 0); /* hops */
    CU_ASSERT_EQUAL(watch.len, 0);
    mini_free(world);
}

/* Between the question and its dispatch somebody came to stand between the key and this peer. */
static void pending_request_to_itself_goes_on_when_the_range_shrank_meanwhile(void)
{
    Watch watch;
    MiniWorld *world = pair(&watch, RELOAD_FETCH_REQ);
    MiniPeer *asker = &world->peers[0];
    PealIdHalves self = peal_id_halves(peal_peer_id(asker->peer));
    PealId key = peal_id_from_halves(peal_halves_sub(self, (PealIdHalves){0, 9}));
    PealId newcomer = peal_id_from_halves(peal_halves_sub(self, (PealIdHalves){0, 5}));
    const PealFlow flow = {20, 1};

    CU_ASSERT_EQUAL(peal_peer_fetch(asker->peer, &key, PEAL_KIND_SIP_REGISTRATION, 1), 0);
    asker->flows[flow.index] = (MiniFlow){.used = true, .generation = 1, .other = 1};
    peal_peer_adopt(asker->peer, flow, &newcomer);
    asker->peer->topology->on_link_up(asker->peer, flow.index);
    CU_ASSERT_FALSE(peal_peer_responsible(asker->peer, &key));
    mini_run(world, peal_ms(1));
    CU_ASSERT_EQUAL(watch.len, 1);
    CU_ASSERT_EQUAL(watch.via_len, 0);
    CU_ASSERT_EQUAL(watch.ttl, 99);
    mini_free(world);
}

static void pending_has_an_end(void)
{
    Watch watch;
    MiniWorld *world = pair(&watch, RELOAD_PING_REQ);
    uint64_t token = 1;

    watch.lose_requests = true;
    while (peal_peer_ping(world->peers[0].peer, peal_peer_id(world->peers[1].peer), false, token) ==
           0) {
        CU_ASSERT_TRUE_FATAL(token <= PENDING_MAX);
        token++;
    }
    CU_ASSERT_EQUAL(token, PENDING_MAX + 1);
    mini_run(world, peal_seconds(20));
    CU_ASSERT_EQUAL(world->outcomes_len, PENDING_MAX);
    mini_free(world);
}

static void pending_request_ends_with_its_lifetime_however_often_it_was_sent(void)
{
    static const struct {
        int64_t lifetime_s;
        uint32_t sends;
    } CASES[] = {{3, 1}, {7, 3}, {40, 5}};

    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
        Watch watch;
        MiniWorld *world = pair(&watch, RELOAD_PING_REQ);
        PealTime started = world->now;
        const MiniOutcome *outcome;

        world->overlay.request_lifetime = peal_seconds(CASES[i].lifetime_s);
        watch.lose_requests = true;
        ping(world, 1);
        outcome = mini_await(world, 1, peal_seconds(60));
        CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
        CU_ASSERT_EQUAL(outcome->status, -PEAL_E_TIMEOUT);
        CU_ASSERT_EQUAL(peal_time_since(world->now, started).ns,
                        peal_seconds(CASES[i].lifetime_s).ns);
        CU_ASSERT_EQUAL(watch.len, CASES[i].sends);
        mini_free(world);
    }
}

static void pending_before_it_joined_a_peer_asks_nothing(void)
{
    MiniWorld *world = mini_new(2);
    MiniPeer *mini = mini_peer(world, NULL);
    PealId key = {{1}};

    CU_ASSERT_EQUAL(peal_peer_fetch(mini->peer, &key, PEAL_KIND_SIP_REGISTRATION, 1),
                    -PEAL_E_STATE);
    CU_ASSERT_EQUAL(peal_peer_ping(mini->peer, &key, true, 1), -PEAL_E_STATE);
    mini_free(world);
}

PEAL_TEST_MAIN(
    "core/pending", PEAL_TEST(pending_tries_five_times_every_three_seconds_with_one_transaction),
    PEAL_TEST(pending_lost_answer_is_answered_again),
    PEAL_TEST(pending_store_sent_twice_has_the_same_answer),
    PEAL_TEST(pending_refusal_carries_the_error_code),
    PEAL_TEST(pending_request_to_itself_is_answered_in_a_later_dispatch_at_the_same_time),
    PEAL_TEST(pending_request_to_itself_goes_on_when_the_range_shrank_meanwhile),
    PEAL_TEST(pending_request_ends_with_its_lifetime_however_often_it_was_sent),
    PEAL_TEST(pending_has_an_end), PEAL_TEST(pending_before_it_joined_a_peer_asks_nothing))
