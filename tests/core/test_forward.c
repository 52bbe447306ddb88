/* test_forward.c - where messages go: destination lists, via lists, ttl, errors on the way. */
#include "mini_world.h"
#include "peal_test.h"

#include "peer.h"
#include "reload/codec.h"
#include "reload/forward.h"
#include "security/security.h"

/* The messages seen on the wire of one transaction, in order. */
typedef struct Hop {
    uint32_t from;
    uint32_t to;
    uint16_t code;
    uint8_t ttl;
    uint16_t via_len;
    uint8_t dest[1024];
    uint16_t dest_len;
} Hop;

typedef struct Trail {
    uint16_t code; /* requests of this code, and what answers them */
    Hop hops[64];
    uint32_t len;
} Trail;

static bool follow(void *user, uint32_t from, uint32_t to, const uint8_t *bytes, size_t len)
{
    Trail *trail = user;
    ReloadMessage message;
    Frame frame;
    Hop *hop = &trail->hops[trail->len];

    if (frame_parse_datagram(bytes, len, FRAME_MESSAGE_MAX, &frame) != 0 || !frame.data ||
        reload_message_decode((PealBytes){frame.message, frame.message_len}, &message) != 0 ||
        (message.code != trail->code && message.code != trail->code + 1) || trail->len == 64) {
        return false;
    }
    *hop = (Hop){.from = from,
                 .to = to,
                 .code = message.code,
                 .ttl = message.header.ttl,
                 .via_len = (uint16_t)message.header.via.len,
                 .dest_len = (uint16_t)message.header.dest.len};
    memcpy(hop->dest, message.header.dest.ptr, message.header.dest.len);
    trail->len++;
    return false;
}

/* A fetch whose request travels at least `hops` links; fills the trail. */
static uint32_t long_fetch(MiniWorld *world, Trail *trail, uint32_t hops)
{
    for (uint64_t token = 1; token <= 500; token++) {
        PealId key = peal_id_from_halves((PealIdHalves){peal_random_at(3, token, 0), 1});
        uint32_t requests = 0;

        *trail = (Trail){.code = RELOAD_FETCH_REQ};
        world->hook = follow;
        world->hook_user = trail;
        CU_ASSERT_EQUAL(peal_peer_fetch(world->peers[0].peer, &key, PEAL_KIND_SIP_REGISTRATION,
                                        token),
                        0);
        CU_ASSERT_PTR_NOT_NULL_FATAL(mini_await(world, token, peal_seconds(3)));
        world->hook = NULL;
        for (uint32_t i = 0; i < trail->len; i++) {
            requests += trail->hops[i].code == RELOAD_FETCH_REQ;
        }
        if (requests >= hops) {
            return requests;
        }
    }
    CU_FAIL_FATAL("no fetch travelled far enough");
    return 0;
}

static void forward_via_grows_by_a_node_entry_a_hop_and_ttl_falls_by_one(void)
{
    MiniWorld *world = mini_new(1);
    Trail trail;
    uint32_t requests;

    mini_free(world);
    world = mini_ring(41, 60);
    requests = long_fetch(world, &trail, 3);
    for (uint32_t i = 0; i < requests; i++) {
        CU_ASSERT_EQUAL(trail.hops[i].ttl + i + 1, 100);
        CU_ASSERT_EQUAL(trail.hops[i].via_len, i * RELOAD_NODE_ENTRY_LEN);
        CU_ASSERT_EQUAL(trail.hops[i].dest_len, RELOAD_RESOURCE_ENTRY_LEN);
    }
    mini_free(world);
}

static void forward_answer_travels_the_reversed_via_list(void)
{
    MiniWorld *world = mini_ring(41, 60);
    Trail trail;
    uint32_t requests = long_fetch(world, &trail, 3);

    CU_ASSERT_EQUAL_FATAL(trail.len, 2 * requests);
    for (uint32_t i = 0; i < requests; i++) {
        const Hop *out = &trail.hops[requests - 1 - i];
        const Hop *back = &trail.hops[requests + i];
        PealBytes dest = {back->dest, back->dest_len};
        ReloadDest entry;

        CU_ASSERT_EQUAL(back->from, out->to);
        CU_ASSERT_EQUAL(back->to, out->from);
        CU_ASSERT_EQUAL(back->dest_len, (requests - i) * RELOAD_NODE_ENTRY_LEN);
        CU_ASSERT_TRUE(reload_dest_next(&dest, &entry));
        CU_ASSERT_TRUE(peal_id_equal(&entry.id, peal_peer_id(world->peers[back->to].peer)));
    }
    mini_free(world);
}

/* A ping request from peer 1 to peer 0 with a destination list and options of the test's making. */
typedef struct Crafted {
    PealBytes dest;
    PealBytes options;
    uint8_t ttl;
    uint16_t config_sequence;
} Crafted;

static void inject(MiniWorld *world, const Crafted *crafted, uint64_t transaction)
{
    uint8_t bytes[600];
    Writer writer =
        writer_make(bytes + RELOAD_DATA_FRAME_LEN, sizeof(bytes) - RELOAD_DATA_FRAME_LEN);
    uint8_t identity[SECURITY_IDENTITY_LEN];
    const PealOverlay *overlay = &world->overlay;
    const ReloadHeader header = {.overlay = overlay->hash,
                                 .config_sequence = crafted->config_sequence,
                                 .ttl = crafted->ttl,
                                 .transaction = transaction,
                                 .dest = crafted->dest,
                                 .options = crafted->options};
    ReloadSecurity security =
        security_fill(overlay->crypto, peal_peer_id(world->peers[1].peer), identity);
    ReloadDraft draft = reload_message_begin(&writer, &header, RELOAD_PING_REQ);
    PealFlow flow = mini_flow(&world->peers[0], 1);

    put_ping_req(&writer, &(ReloadPingReq){{NULL, 0}});
    (void)reload_message_contents(&writer, &draft, (PealBytes){NULL, 0});
    reload_message_security(&writer, &draft, &security);
    CU_ASSERT_FALSE_FATAL(writer.overflow);
    frame_write_data(bytes, 7777, (uint32_t)writer.len);
    mini_inject(&world->peers[0], flow, bytes, RELOAD_DATA_FRAME_LEN + writer.len);
}

/* What peer 1 is told about the transaction that was injected at peer 0. */
typedef struct Told {
    uint64_t transaction;
    uint32_t answers;
    uint16_t error;
    uint8_t options[64];
    size_t options_len;
} Told;

static bool listen(void *user, uint32_t from, uint32_t to, const uint8_t *bytes, size_t len)
{
    Told *told = user;
    ReloadMessage message;
    ReloadErrorRes error;
    Frame frame;

    if (from != 0 || to != 1 || frame_parse_datagram(bytes, len, FRAME_MESSAGE_MAX, &frame) != 0 ||
        !frame.data ||
        reload_message_decode((PealBytes){frame.message, frame.message_len}, &message) != 0 ||
        message.header.transaction != told->transaction) {
        return false;
    }
    CU_ASSERT_TRUE_FATAL(message.header.options.len <= sizeof(told->options));
    told->options_len = message.header.options.len;
    memcpy(told->options, message.header.options.ptr, told->options_len);
    if (message.code == RELOAD_ERROR) {
        CU_ASSERT_EQUAL(reload_error_decode(message.body, &error), 0);
        told->error = error.code;
    } else {
        told->answers++;
    }
    return false;
}

static Told tell(MiniWorld *world, const Crafted *crafted)
{
    Told told = {.transaction = 4242};

    world->hook = listen;
    world->hook_user = &told;
    inject(world, crafted, told.transaction);
    mini_run(world, peal_ms(100));
    world->hook = NULL;
    return told;
}

static void forward_message_to_me_is_answered(void)
{
    MiniWorld *world = mini_ring(42, 8);
    uint8_t dest[RELOAD_NODE_ENTRY_LEN];
    Writer writer = writer_make(dest, sizeof(dest));
    Told told;

    put_dest_node(&writer, peal_peer_id(world->peers[0].peer));
    told = tell(world, &(Crafted){.dest = writer_view(&writer),
                                  .ttl = 0,
                                  .config_sequence = world->overlay.config_sequence});
    CU_ASSERT_EQUAL(told.answers, 1);
    mini_free(world);
}

static void forward_ttl_of_zero_is_refused_when_it_is_not_for_me(void)
{
    MiniWorld *world = mini_ring(42, 8);
    uint8_t dest[RELOAD_NODE_ENTRY_LEN];
    Writer writer = writer_make(dest, sizeof(dest));
    Told told;

    put_dest_node(&writer, peal_peer_id(world->peers[4].peer));
    told = tell(world, &(Crafted){.dest = writer_view(&writer),
                                  .ttl = 0,
                                  .config_sequence = world->overlay.config_sequence});
    CU_ASSERT_EQUAL(told.error, RELOAD_ERROR_TTL_EXCEEDED);
    CU_ASSERT_EQUAL(world->peers[0].drops[PEAL_DROP_TTL], 1);
    told = tell(world, &(Crafted){.dest = writer_view(&writer),
                                  .ttl = 101,
                                  .config_sequence = world->overlay.config_sequence});
    CU_ASSERT_EQUAL(told.error, RELOAD_ERROR_TTL_EXCEEDED);
    mini_free(world);
}

static void forward_node_id_in_my_range_that_nobody_has_is_dropped_in_silence(void)
{
    MiniWorld *world = mini_ring(42, 8);
    uint8_t dest[RELOAD_NODE_ENTRY_LEN];
    Writer writer = writer_make(dest, sizeof(dest));
    PealIdHalves one = {0, 1};
    PealId mine = *peal_peer_id(world->peers[0].peer);
    PealIdHalves before = peal_halves_sub(peal_id_halves(&mine), one);
    PealId nobody = peal_id_from_halves(before);
    Told told;

    put_dest_node(&writer, &nobody);
    told = tell(world, &(Crafted){.dest = writer_view(&writer),
                                  .ttl = 90,
                                  .config_sequence = world->overlay.config_sequence});
    CU_ASSERT_EQUAL(told.answers, 0);
    CU_ASSERT_EQUAL(told.error, 0);
    CU_ASSERT_EQUAL(world->peers[0].drops[PEAL_DROP_NOT_MINE], 1);
    mini_free(world);
}

static void forward_source_route_takes_my_entry_off_and_goes_on(void)
{
    MiniWorld *world = mini_ring(42, 8);
    uint8_t dest[2 * RELOAD_NODE_ENTRY_LEN];
    Writer writer = writer_make(dest, sizeof(dest));
    Trail trail = {.code = RELOAD_PING_REQ};

    put_dest_node(&writer, peal_peer_id(world->peers[0].peer));
    put_dest_node(&writer, peal_peer_id(world->peers[4].peer));
    world->hook = follow;
    world->hook_user = &trail;
    inject(world,
           &(Crafted){.dest = writer_view(&writer),
                      .ttl = 90,
                      .config_sequence = world->overlay.config_sequence},
           99);
    mini_run(world, peal_ms(100));
    CU_ASSERT_TRUE(trail.len >= 2);
    CU_ASSERT_EQUAL(trail.hops[0].from, 0);
    CU_ASSERT_EQUAL(trail.hops[0].dest_len, RELOAD_NODE_ENTRY_LEN);
    CU_ASSERT_EQUAL(trail.hops[0].ttl, 89);
    mini_free(world);
}

static void forward_resource_before_the_end_of_the_list_is_dropped(void)
{
    MiniWorld *world = mini_ring(42, 8);
    uint8_t dest[RELOAD_NODE_ENTRY_LEN + RELOAD_RESOURCE_ENTRY_LEN];
    Writer writer = writer_make(dest, sizeof(dest));
    uint32_t before = world->peers[0].drops[PEAL_DROP_MALFORMED];
    Told told;

    put_dest_resource(&writer, peal_peer_id(world->peers[0].peer));
    put_dest_node(&writer, peal_peer_id(world->peers[4].peer));
    told = tell(world, &(Crafted){.dest = writer_view(&writer),
                                  .ttl = 90,
                                  .config_sequence = world->overlay.config_sequence});
    CU_ASSERT_EQUAL(told.answers, 0);
    CU_ASSERT_EQUAL(world->peers[0].drops[PEAL_DROP_MALFORMED], before + 1);
    mini_free(world);
}

static void forward_opaque_id_never_given_out_is_dropped(void)
{
    static const uint8_t opaque[] = {0x80, 0x01};
    MiniWorld *world = mini_ring(42, 8);
    uint32_t before = world->peers[0].drops[PEAL_DROP_STALE];
    Told told = tell(world, &(Crafted){.dest = {opaque, sizeof(opaque)},
                                       .ttl = 90,
                                       .config_sequence = world->overlay.config_sequence});

    CU_ASSERT_EQUAL(told.answers, 0);
    CU_ASSERT_EQUAL(world->peers[0].drops[PEAL_DROP_STALE], before + 1);
    mini_free(world);
}

static void forward_unknown_critical_option_is_refused_where_it_matters(void)
{
    MiniWorld *world = mini_ring(42, 8);
    uint8_t dest[RELOAD_NODE_ENTRY_LEN];
    uint8_t options[8];
    ReloadOption option = {.type = 200, .flags = RELOAD_OPTION_FORWARD_CRITICAL};
    Writer to_other = writer_make(dest, sizeof(dest));
    Writer list = writer_make(options, sizeof(options));
    Told told;

    put_dest_node(&to_other, peal_peer_id(world->peers[4].peer));
    put_option(&list, &option);
    told = tell(world, &(Crafted){.dest = writer_view(&to_other),
                                  .options = writer_view(&list),
                                  .ttl = 90,
                                  .config_sequence = world->overlay.config_sequence});
    CU_ASSERT_EQUAL(told.error, RELOAD_ERROR_UNSUPPORTED_FORWARDING_OPTION);

    /* The same option is nobody's business at the destination. */
    to_other = writer_make(dest, sizeof(dest));
    put_dest_node(&to_other, peal_peer_id(world->peers[0].peer));
    told = tell(world, &(Crafted){.dest = writer_view(&to_other),
                                  .options = writer_view(&list),
                                  .ttl = 90,
                                  .config_sequence = world->overlay.config_sequence});
    CU_ASSERT_EQUAL(told.answers, 1);

    option.flags = RELOAD_OPTION_DESTINATION_CRITICAL;
    list = writer_make(options, sizeof(options));
    put_option(&list, &option);
    told = tell(world, &(Crafted){.dest = writer_view(&to_other),
                                  .options = writer_view(&list),
                                  .ttl = 90,
                                  .config_sequence = world->overlay.config_sequence});
    CU_ASSERT_EQUAL(told.error, RELOAD_ERROR_UNSUPPORTED_FORWARDING_OPTION);
    mini_free(world);
}

static void forward_option_that_asks_for_it_comes_back_without_its_flags(void)
{
    static const uint8_t value[] = {7, 8, 9};
    MiniWorld *world = mini_ring(42, 8);
    uint8_t dest[RELOAD_NODE_ENTRY_LEN];
    uint8_t options[32];
    Writer to_me = writer_make(dest, sizeof(dest));
    Writer list = writer_make(options, sizeof(options));
    PealBytes back;
    ReloadOption option;
    Told told;

    put_dest_node(&to_me, peal_peer_id(world->peers[0].peer));
    put_option(&list, &(ReloadOption){.type = 200});
    put_option(&list, &(ReloadOption){.type = 201,
                                      .flags = RELOAD_OPTION_RESPONSE_COPY |
                                               RELOAD_OPTION_FORWARD_CRITICAL,
                                      .value = {value, sizeof(value)}});
    told = tell(world, &(Crafted){.dest = writer_view(&to_me),
                                  .options = writer_view(&list),
                                  .ttl = 90,
                                  .config_sequence = world->overlay.config_sequence});
    CU_ASSERT_EQUAL(told.answers, 1);
    back = (PealBytes){told.options, told.options_len};
    CU_ASSERT_TRUE_FATAL(reload_option_next(&back, &option));
    CU_ASSERT_EQUAL(option.type, 201);
    CU_ASSERT_EQUAL(option.flags, 0);
    CU_ASSERT_EQUAL_FATAL(option.value.len, sizeof(value));
    CU_ASSERT_EQUAL(memcmp(option.value.ptr, value, sizeof(value)), 0);
    CU_ASSERT_EQUAL(back.len, 0);
    mini_free(world);
}

/* Attached, and wanted as a finger, but no Update came: it may not have joined (s.6.5.1). */
static void forward_next_hop_is_never_a_peer_that_is_not_ready(void)
{
    MiniWorld *world = mini_ring(43, 16);
    PealPeer *peer = world->peers[0].peer;
    const PealFlow flow = {40, 1};
    PealId half = peal_id_finger_point(&peer->id, 1, (PealIdHalves){0, 0});
    PealId key = peal_id_successor_point(&half);

    world->peers[0].flows[flow.index] = (MiniFlow){.used = true, .generation = 1, .other = 1};
    peal_peer_adopt(peer, flow, &half);
    link_at(&peer->links, flow.index)->ready = 0;
    chord_set_finger(peer, 1, flow.index);
    CU_ASSERT_NOT_EQUAL(peer->topology->next_hop(peer, &key, LINK_NONE), flow.index);
    link_at(&peer->links, flow.index)->ready = 1;
    chord_refresh(peer, false);
    CU_ASSERT_EQUAL(peer->topology->next_hop(peer, &key, LINK_NONE), flow.index);
    mini_free(world);
}

static void forward_other_configuration_is_refused_by_the_destination(void)
{
    MiniWorld *world = mini_ring(42, 8);
    uint8_t dest[RELOAD_NODE_ENTRY_LEN];
    Writer writer = writer_make(dest, sizeof(dest));
    uint16_t current = world->overlay.config_sequence;
    Told told;

    put_dest_node(&writer, peal_peer_id(world->peers[0].peer));
    told = tell(world, &(Crafted){.dest = writer_view(&writer),
                                  .ttl = 90,
                                  .config_sequence = (uint16_t)(current - 1)});
    CU_ASSERT_EQUAL(told.error, RELOAD_ERROR_CONFIG_TOO_OLD);
    told = tell(world, &(Crafted){.dest = writer_view(&writer),
                                  .ttl = 90,
                                  .config_sequence = (uint16_t)(current + 1)});
    CU_ASSERT_EQUAL(told.error, RELOAD_ERROR_CONFIG_TOO_NEW);
    mini_free(world);
}

/* Chord's next hop where the table ends: an id just before this peer, and one just after it. */
static void forward_next_hop_past_the_end_of_the_table_wraps(void)
{
    MiniWorld *world = mini_ring(43, 16);
    PealPeer *peer = world->peers[0].peer;
    PealId after = peal_id_successor_point(&peer->id);
    PealId successor;
    uint16_t link = peer->topology->next_hop(peer, &after, LINK_NONE);

    CU_ASSERT_EQUAL(peal_peer_successors(peer, &successor, 1), 1);
    CU_ASSERT_NOT_EQUAL_FATAL(link, LINK_NONE);
    CU_ASSERT_TRUE(peal_id_equal(&link_at(&peer->links, link)->id, &successor));

    /* Just before the predecessor: the largest id before it that is known, never past the index. */
    PealId predecessor;
    CU_ASSERT_EQUAL(peal_peer_predecessors(peer, &predecessor, 1), 1);
    PealId before =
        peal_id_from_halves(peal_halves_sub(peal_id_halves(&predecessor), (PealIdHalves){0, 1}));
    link = peer->topology->next_hop(peer, &before, LINK_NONE);
    CU_ASSERT_NOT_EQUAL_FATAL(link, LINK_NONE);
    CU_ASSERT_TRUE(peal_id_in_open(&link_at(&peer->links, link)->id, &peer->id, &before) ||
                   peal_id_equal(&link_at(&peer->links, link)->id, &predecessor));
    mini_free(world);
}

/* Between its last two predecessors a peer knows the owner; the farther one, who asks, does not. */
static void forward_next_hop_is_not_the_peer_it_came_from_while_there_is_another(void)
{
    MiniWorld *world = mini_ring(43, 16);
    PealPeer *peer = world->peers[0].peer;
    PealId before[2];
    PealId key;
    uint16_t asker;
    uint16_t link;

    CU_ASSERT_EQUAL_FATAL(peal_peer_predecessors(peer, before, 2), 2);
    key = peal_id_from_halves(peal_halves_sub(peal_id_halves(&before[0]), (PealIdHalves){0, 1}));
    asker = link_find(peer, &before[1]);
    link = peer->topology->next_hop(peer, &key, LINK_NONE);
    CU_ASSERT_EQUAL(link, asker); /* s.10.3: the largest before the key */
    link = peer->topology->next_hop(peer, &key, asker);
    CU_ASSERT_NOT_EQUAL_FATAL(link, LINK_NONE);
    CU_ASSERT_TRUE(peal_id_equal(&link_at(&peer->links, link)->id, &before[0]));
    mini_free(world);
}

/* The predecessor dies unnoticed, and with it what was sent to it: it is this peer's to answer. */
static void forward_unacknowledged_is_served_here_where_the_range_has_grown(void)
{
    MiniWorld *world = mini_ring(45, 16);
    MiniPeer *asker = &world->peers[0];
    const MiniOutcome *outcome;
    PealId key;

    CU_ASSERT_EQUAL_FATAL(peal_peer_predecessors(asker->peer, &key, 1), 1);
    mini_kill(mini_owner(world, &key));
    CU_ASSERT_EQUAL(peal_peer_fetch(asker->peer, &key, PEAL_KIND_SIP_REGISTRATION, 1), 0);
    outcome = mini_await(world, 1, peal_ms(900));
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
    CU_ASSERT_EQUAL(outcome->status, 0);
    CU_ASSERT_TRUE(peal_id_equal(&outcome->responder, peal_peer_id(asker->peer)));
    mini_free(world);
}

/* A message longer than a datagram goes in pieces and is answered once. */
static void forward_long_messages_travel_in_fragments(void)
{
    MiniWorld *world = mini_new(44);
    uint8_t value[3000];

    memset(value, 'x', sizeof(value));
    static const PealKind kinds[] = {{.id = 0xF0000001,
                                      .model = PEAL_MODEL_SINGLE,
                                      .access = PEAL_ACCESS_ANY,
                                      .count_max = 1,
                                      .size_max = 4000}};
    world->overlay.kinds = kinds;
    world->overlay.kinds_len = 1;
    for (uint32_t i = 0; i < 20; i++) {
        mini_start(mini_peer(world, NULL));
        mini_run(world, peal_ms(200));
    }
    mini_run(world, peal_seconds(30));
    for (uint64_t token = 1; token <= 10; token++) {
        PealStoreItem item = {.resource = peal_id_from_halves((PealIdHalves){token << 60, token}),
                              .kind = kinds[0].id,
                              .value = {value, sizeof(value)},
                              .lifetime_s = 600,
                              .exists = true};
        const MiniOutcome *outcome;

        CU_ASSERT_EQUAL(peal_peer_store(world->peers[3].peer, &item, token), 0);
        outcome = mini_await(world, token, peal_seconds(10));
        CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
        CU_ASSERT_EQUAL(outcome->status, 0);
        CU_ASSERT_EQUAL(peal_peer_fetch(world->peers[9].peer, &item.resource, kinds[0].id,
                                        100 + token),
                        0);
        outcome = mini_await(world, 100 + token, peal_seconds(10));
        CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
        CU_ASSERT_EQUAL(outcome->values, 1);
    }
    mini_free(world);
}

PEAL_TEST_MAIN("core/forward",
               PEAL_TEST(forward_via_grows_by_a_node_entry_a_hop_and_ttl_falls_by_one),
               PEAL_TEST(forward_answer_travels_the_reversed_via_list),
               PEAL_TEST(forward_message_to_me_is_answered),
               PEAL_TEST(forward_ttl_of_zero_is_refused_when_it_is_not_for_me),
               PEAL_TEST(forward_node_id_in_my_range_that_nobody_has_is_dropped_in_silence),
               PEAL_TEST(forward_source_route_takes_my_entry_off_and_goes_on),
               PEAL_TEST(forward_resource_before_the_end_of_the_list_is_dropped),
               PEAL_TEST(forward_opaque_id_never_given_out_is_dropped),
               PEAL_TEST(forward_unknown_critical_option_is_refused_where_it_matters),
               PEAL_TEST(forward_option_that_asks_for_it_comes_back_without_its_flags),
               PEAL_TEST(forward_next_hop_is_never_a_peer_that_is_not_ready),
               PEAL_TEST(forward_other_configuration_is_refused_by_the_destination),
               PEAL_TEST(forward_next_hop_past_the_end_of_the_table_wraps),
               PEAL_TEST(forward_next_hop_is_not_the_peer_it_came_from_while_there_is_another),
               PEAL_TEST(forward_unacknowledged_is_served_here_where_the_range_has_grown),
               PEAL_TEST(forward_long_messages_travel_in_fragments))
