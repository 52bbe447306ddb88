/* test_link.c - links between two peers: naming, acknowledgement, retransmission, suspicion,
 * death. */
#include "mini_world.h"
#include "peal_test.h"

#include "peer.h"
#include "reload/codec.h"

/* What a hook has seen of the frames from peer 0 to peer 1. */
typedef struct Seen {
    uint32_t data;
    uint32_t acks;
    uint32_t last_sequence;
    uint32_t most_unacked;
    PealTime at[64];
    MiniWorld *world;
    bool lose_data;
    bool lose_acks;
    bool lose_everything;
} Seen;

static bool watch_frames(void *user, uint32_t from, uint32_t to, const uint8_t *bytes, size_t len)
{
    Seen *seen = user;
    Frame frame = {0};

    CU_ASSERT_EQUAL_FATAL(frame_parse_datagram(bytes, len, FRAME_MESSAGE_MAX, &frame), 0);
    if (from == 0 && to == 1 && frame.data) {
        if (seen->data < 64) {
            seen->at[seen->data] = seen->world->now;
        }
        seen->data++;
        seen->last_sequence = frame.sequence;
        if (seen->data - seen->acks > seen->most_unacked) {
            seen->most_unacked = seen->data - seen->acks;
        }
        return seen->lose_data || seen->lose_everything;
    }
    if (from == 1 && to == 0 && !frame.data) {
        seen->acks++;
        return seen->lose_acks || seen->lose_everything;
    }
    return seen->lose_everything;
}

/* Two joined peers with nothing going on between them, and a hook on what peer 0 sends from now
 * on. */
static MiniWorld *quiet_pair(Seen *seen)
{
    MiniWorld *world = mini_new(1);

    world->overlay.update_interval = peal_seconds(100000);
    world->overlay.finger_interval = peal_seconds(100000);
    world->overlay.partition_interval = peal_seconds(100000);
    for (uint32_t i = 0; i < 2; i++) {
        mini_start(mini_peer(world, NULL));
        mini_run(world, peal_seconds(20));
    }
    *seen = (Seen){.world = world};
    world->hook = watch_frames;
    world->hook_user = seen;
    return world;
}

static void ping(MiniWorld *world, uint64_t token)
{
    CU_ASSERT_EQUAL(peal_peer_ping(world->peers[0].peer, peal_peer_id(world->peers[1].peer), false,
                                   token),
                    0);
}

static void link_acknowledges_every_data_frame(void)
{
    Seen seen;
    MiniWorld *world = quiet_pair(&seen);

    ping(world, 1);
    CU_ASSERT_PTR_NOT_NULL(mini_await(world, 1, peal_seconds(1)));
    mini_run(world, peal_seconds(1));
    CU_ASSERT_EQUAL(seen.data, 1);
    CU_ASSERT_EQUAL(seen.acks, 1);
    CU_ASSERT_PTR_NULL(world->peers[0].peer->links.active);
    mini_free(world);
}

static void link_window_opens_by_acknowledgements(void)
{
    Seen seen;
    MiniWorld *world = quiet_pair(&seen);

    for (uint64_t token = 1; token <= 200; token++) {
        ping(world, token);
    }
    CU_ASSERT_EQUAL(seen.data, 4);
    mini_run(world, peal_seconds(5));
    for (uint64_t token = 1; token <= 200; token++) {
        CU_ASSERT_PTR_NOT_NULL(mini_await(world, token, peal_ms(0)));
    }
    CU_ASSERT_EQUAL(seen.data, 200);
    CU_ASSERT_TRUE(seen.most_unacked > 8 && seen.most_unacked <= 64);
    mini_free(world);
}

static void link_stop_and_wait_has_one_message_out(void)
{
    Seen seen;
    MiniWorld *world = quiet_pair(&seen);

    world->overlay.stop_and_wait = true;
    for (uint64_t token = 1; token <= 10; token++) {
        ping(world, token);
    }
    mini_run(world, peal_seconds(5));
    CU_ASSERT_EQUAL(seen.data, 10);
    CU_ASSERT_EQUAL(seen.most_unacked, 1);
    mini_free(world);
}

static void link_retransmits_with_new_sequences_and_doubling_timer(void)
{
    Seen seen;
    MiniWorld *world = quiet_pair(&seen);
    uint16_t slot = link_find(world->peers[0].peer, peal_peer_id(world->peers[1].peer));
    uint32_t first = link_at(&world->peers[0].peer->links, slot)->tx_sequence;

    seen.lose_data = true;
    ping(world, 1);
    mini_run(world, peal_ms(2500));
    /* 10 ms away: the estimate is at its floor of 100 ms, so 0, 100, 300, 700, 1500 ms. */
    CU_ASSERT_EQUAL_FATAL(seen.data, 5);
    CU_ASSERT_EQUAL(seen.last_sequence, first + 4);
    CU_ASSERT_EQUAL(peal_time_since(seen.at[1], seen.at[0]).ns, peal_ms(100).ns);
    CU_ASSERT_EQUAL(peal_time_since(seen.at[2], seen.at[0]).ns, peal_ms(300).ns);
    CU_ASSERT_EQUAL(peal_time_since(seen.at[3], seen.at[0]).ns, peal_ms(700).ns);
    CU_ASSERT_EQUAL(peal_time_since(seen.at[4], seen.at[0]).ns, peal_ms(1500).ns);
    mini_free(world);
}

static void link_silent_for_three_retransmissions_leaves_the_index_and_answers_bring_it_back(void)
{
    Seen seen;
    MiniWorld *world = quiet_pair(&seen);
    PealPeer *peer = world->peers[0].peer;
    const PealId *other = peal_peer_id(world->peers[1].peer);

    seen.lose_data = true;
    ping(world, 1);
    mini_run(world, peal_ms(650));
    CU_ASSERT_NOT_EQUAL(link_find(peer, other), LINK_NONE);
    mini_run(world, peal_ms(100));
    CU_ASSERT_EQUAL(link_find(peer, other), LINK_NONE);
    seen.lose_data = false;
    mini_run(world, peal_ms(900)); /* the fifth transmission comes through */
    CU_ASSERT_NOT_EQUAL(link_find(peer, other), LINK_NONE);
    mini_free(world);
}

static void link_unanswered_to_the_end_is_closed(void)
{
    Seen seen;
    MiniWorld *world = quiet_pair(&seen);
    PealPeer *peer = world->peers[0].peer;

    world->overlay.reactive = false;
    seen.lose_everything = true;
    ping(world, 1);
    mini_run(world, peal_seconds(4));
    CU_ASSERT_EQUAL(world->peers[0].traces[PEAL_TRACE_LINK_DOWN], 1);
    CU_ASSERT_EQUAL(peal_peer_links(peer), 0);
    mini_free(world);
}

static void link_lost_acknowledgement_makes_a_duplicate_with_one_answer(void)
{
    Seen seen;
    MiniWorld *world = quiet_pair(&seen);

    seen.lose_acks = true;
    ping(world, 1);
    mini_run(world, peal_ms(150));
    seen.lose_acks = false;
    mini_run(world, peal_seconds(3));
    CU_ASSERT_TRUE(seen.data >= 2);
    CU_ASSERT_EQUAL(world->outcomes_len, 1);
    CU_ASSERT_TRUE(world->peers[0].drops[PEAL_DROP_STALE] >= 1);
    mini_free(world);
}

static void link_before_the_naming_ping_accepts_nothing(void)
{
    static const uint8_t junk[] = {128, 0, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4};
    MiniWorld *world = mini_new(3);
    MiniPeer *mini = mini_peer(world, NULL);
    const PealFlow flow = {0, 1};

    mini_start(mini);
    mini->flows[0] = (MiniFlow){.used = true, .generation = 1, .other = 0};
    peal_peer_on_flow_up(mini->peer, flow, false, NULL);
    mini_inject(mini, flow, junk, sizeof(junk));
    CU_ASSERT_EQUAL(mini->drops[PEAL_DROP_UNIDENTIFIED], 1);
    CU_ASSERT_EQUAL(world->frames, 0); /* not even an acknowledgement */
    CU_ASSERT_EQUAL(peal_peer_links(mini->peer), 0);
    mini_free(world);
}

/* All links of a peer, found again by Node-ID, and in clockwise order. */
static void link_index_finds_every_link_in_ring_order(void)
{
    MiniWorld *world = mini_new(4);
    MiniPeer *mini = mini_peer(world, NULL);
    const Links *links;

    for (uint32_t i = 0; i < 100; i++) {
        /* Several share the top 64 bits of their distance. */
        PealId id = peal_id_from_halves(
            (PealIdHalves){peal_random_at(1, 1, i % 40), peal_random_at(1, 2, i)});
        PealFlow flow = {(uint16_t)i, 1};

        mini->flows[i] = (MiniFlow){.used = true, .generation = 1};
        peal_peer_adopt(mini->peer, flow, &id);
        CU_ASSERT_EQUAL(link_find(mini->peer, &id), i);
    }
    links = &mini->peer->links;
    CU_ASSERT_EQUAL(links->index_len, 100);
    for (uint16_t place = 1; place < links->index_len; place++) {
        PealIdHalves before =
            peal_id_distance(&mini->peer->id, &link_at(links, links->slot[place - 1])->id);
        PealIdHalves after =
            peal_id_distance(&mini->peer->id, &link_at(links, links->slot[place])->id);

        CU_ASSERT_TRUE(peal_halves_less(before, after));
    }
    for (uint16_t slot = 0; slot < 100; slot += 3) {
        PealId id = link_at(links, slot)->id;

        link_close(mini->peer, slot, PEAL_DOWN_UNUSED);
        CU_ASSERT_EQUAL(link_find(mini->peer, &id), LINK_NONE);
    }
    CU_ASSERT_EQUAL(links->index_len, 66);
    mini_free(world);
}

static void link_second_to_the_same_peer_takes_the_place_of_the_first(void)
{
    MiniWorld *world = mini_ring(5, 2);
    PealPeer *peer = world->peers[0].peer;
    PealAddr addr = mini_addr(1);
    uint16_t first = link_find(peer, peal_peer_id(world->peers[1].peer));
    uint16_t second;

    CU_ASSERT_EQUAL(link_open(peer, &addr, NULL, &second), 0);
    mini_run(world, peal_seconds(1));
    CU_ASSERT_NOT_EQUAL(first, second);
    CU_ASSERT_EQUAL(link_find(peer, peal_peer_id(world->peers[1].peer)), second);
    CU_ASSERT_EQUAL(peal_peer_links(peer), 1);
    CU_ASSERT_TRUE(mini_is_one_ring(world));
    mini_free(world);
}

static uint32_t links_in_use(const PealPeer *peer)
{
    uint32_t count = 0;

    for (uint16_t slot = 0; slot < peer->links.links_cap; slot++) {
        count += link_at(&peer->links, slot)->phase != LINK_FREE;
    }
    return count;
}

/* Takes a flow as an established link, as if its other side had opened it or this one had. */
static void adopt(MiniPeer *mini, uint16_t slot, bool opened, const PealId *id)
{
    const PealFlow flow = {slot, 1};

    mini->flows[slot] = (MiniFlow){.used = true, .generation = 1, .other = 1};
    peal_peer_adopt(mini->peer, flow, id);
    link_at(&mini->peer->links, slot)->opened = opened;
}

/* Two links by which a former life of peer 1 was known, one from each side. */
static void link_to_a_former_life_is_closed(void)
{
    MiniWorld *world = mini_ring(6, 2);
    MiniPeer *mini = &world->peers[0];
    const PealId *other = peal_peer_id(world->peers[1].peer);

    adopt(mini, 20, true, other);
    adopt(mini, 21, false, other);
    CU_ASSERT_EQUAL(links_in_use(mini->peer), 3);
    mini_run(world, peal_seconds(120));
    CU_ASSERT_EQUAL(links_in_use(mini->peer), 1);
    CU_ASSERT_EQUAL(peal_peer_links(mini->peer), 1);
    CU_ASSERT_FALSE(chord_buried(mini->peer, other));
    CU_ASSERT_TRUE(mini_is_one_ring(world));
    mini_free(world);
}

/* Peer 1 is back at once, but has not joined. */
static void link_to_another_life_is_not_routed_through_before_it_has_joined(void)
{
    MiniWorld *world = mini_ring(8, 2);
    PealPeer *peer = world->peers[0].peer;
    const PealId id = *peal_peer_id(world->peers[1].peer);
    PealAddr addr = mini_addr(0);
    MiniPeer *again;
    uint16_t slot;

    CU_ASSERT_FALSE(peal_peer_responsible(peer, &id));
    mini_kill(&world->peers[1]);
    again = mini_peer(world, &id);
    CU_ASSERT_EQUAL(link_open(again->peer, &addr, NULL, &slot), 0);
    mini_run(world, peal_ms(200));
    slot = link_find(peer, &id);
    CU_ASSERT_NOT_EQUAL_FATAL(slot, LINK_NONE);
    CU_ASSERT_EQUAL(mini_flow(&world->peers[0], 2).index, slot);
    CU_ASSERT_FALSE(link_at(&peer->links, slot)->ready);
    CU_ASSERT_TRUE(peal_peer_responsible(peer, &id));
    mini_start(again);
    mini_run(world, peal_seconds(5));
    CU_ASSERT_EQUAL(peal_peer_state(again->peer), PEAL_PEER_JOINED);
    CU_ASSERT_TRUE(mini_is_one_ring(world));
    mini_free(world);
}

/* Nobody's range changes while a live neighbour is linked a second time. */
static void link_second_to_a_live_neighbour_disturbs_nobody(void)
{
    MiniWorld *world = mini_ring(9, 6);
    PealPeer *peer = world->peers[0].peer;
    PealAddr addr = mini_addr(3);
    const PealId id = *peal_peer_id(world->peers[3].peer);
    uint32_t changes = 0;
    uint16_t slot;

    for (uint32_t i = 0; i < world->peers_len; i++) {
        changes += world->peers[i].traces[PEAL_TRACE_NEIGHBOURS_CHANGED];
    }
    CU_ASSERT_EQUAL(link_open(peer, &addr, NULL, &slot), 0);
    mini_run(world, peal_seconds(5));
    CU_ASSERT_EQUAL(link_find(peer, &id), slot);
    CU_ASSERT_TRUE(link_at(&peer->links, slot)->ready);
    for (uint32_t i = 0; i < world->peers_len; i++) {
        changes -= world->peers[i].traces[PEAL_TRACE_NEIGHBOURS_CHANGED];
    }
    CU_ASSERT_EQUAL(changes, 0);
    CU_ASSERT_TRUE(mini_is_one_ring(world));
    mini_free(world);
}

/* Both sides opened one, and each saw the other's come up last. */
static void link_of_two_that_crossed_the_one_with_an_update_serves(void)
{
    MiniWorld *world = mini_ring(10, 2);
    PealPeer *peers[] = {world->peers[0].peer, world->peers[1].peer};
    PealAddr addrs[] = {mini_addr(0), mini_addr(1)};
    uint16_t slots[2];

    CU_ASSERT_EQUAL(link_open(peers[0], &addrs[1], NULL, &slots[0]), 0);
    CU_ASSERT_EQUAL(link_open(peers[1], &addrs[0], NULL, &slots[1]), 0);
    mini_run(world, peal_seconds(1));
    for (uint32_t i = 0; i < 2; i++) {
        uint16_t slot = link_find(peers[i], peal_peer_id(peers[1 - i]));

        CU_ASSERT_NOT_EQUAL_FATAL(slot, LINK_NONE);
        CU_ASSERT_TRUE(link_at(&peers[i]->links, slot)->ready);
    }
    CU_ASSERT_TRUE(mini_is_one_ring(world));
    mini_free(world);
}

static void link_between_two_overlays_tells_both(void)
{
    MiniWorld *world = mini_new(13);
    MiniPeer *founder = mini_peer(world, NULL);
    MiniPeer *stranger = mini_peer(world, NULL);
    PealOverlay other = world->overlay;

    other.hash ^= 1;
    stranger->peer->overlay = &other;
    mini_start(founder);
    mini_start(stranger);
    mini_run(world, peal_ms(200));
    CU_ASSERT_EQUAL(founder->drops[PEAL_DROP_OVERLAY], 1);
    CU_ASSERT_EQUAL(stranger->drops[PEAL_DROP_OVERLAY], 1);
    mini_run(world, peal_seconds(5));
    CU_ASSERT_EQUAL(peal_peer_state(stranger->peer), PEAL_PEER_JOINING);
    CU_ASSERT_EQUAL(founder->traces[PEAL_TRACE_LINK_UP], 0);
    CU_ASSERT_EQUAL(stranger->traces[PEAL_TRACE_LINK_UP], 0);
    mini_free(world);
}

static void link_that_is_never_named_is_closed(void)
{
    MiniWorld *world = mini_new(7);
    MiniPeer *mini = mini_peer(world, NULL);
    const PealFlow flow = {0, 1};

    mini_start(mini);
    mini->flows[0] = (MiniFlow){.used = true, .generation = 1, .other = 0};
    peal_peer_on_flow_up(mini->peer, flow, false, NULL);
    mini_run(world, peal_seconds(100));
    CU_ASSERT_EQUAL(links_in_use(mini->peer), 0);
    CU_ASSERT_FALSE(mini->flows[0].used);
    mini_free(world);
}

PEAL_TEST_MAIN(
    "core/link", PEAL_TEST(link_acknowledges_every_data_frame),
    PEAL_TEST(link_window_opens_by_acknowledgements),
    PEAL_TEST(link_stop_and_wait_has_one_message_out),
    PEAL_TEST(link_retransmits_with_new_sequences_and_doubling_timer),
    PEAL_TEST(link_silent_for_three_retransmissions_leaves_the_index_and_answers_bring_it_back),
    PEAL_TEST(link_unanswered_to_the_end_is_closed),
    PEAL_TEST(link_lost_acknowledgement_makes_a_duplicate_with_one_answer),
    PEAL_TEST(link_before_the_naming_ping_accepts_nothing),
    PEAL_TEST(link_index_finds_every_link_in_ring_order),
    PEAL_TEST(link_second_to_the_same_peer_takes_the_place_of_the_first),
    PEAL_TEST(link_to_a_former_life_is_closed),
    PEAL_TEST(link_to_another_life_is_not_routed_through_before_it_has_joined),
    PEAL_TEST(link_second_to_a_live_neighbour_disturbs_nobody),
    PEAL_TEST(link_of_two_that_crossed_the_one_with_an_update_serves),
    PEAL_TEST(link_between_two_overlays_tells_both), PEAL_TEST(link_that_is_never_named_is_closed))
