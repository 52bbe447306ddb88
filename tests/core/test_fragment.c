/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_fragment.c - messages cut, cut again, and put together in any order.
 */
#include "core/golden.h"
#include "core/plain_env.h"
#include "peal_test.h"
#include "reload/fragment.h"

enum { PADDING = 3000, BIG_MAX = 4096, LIMIT = 1200, FRAGMENTS_MAX = 16, MESSAGE_MAX = 5000 };

/* A Ping with so much padding that it needs several datagrams. */
static size_t big_message(uint8_t bytes[BIG_MAX], uint64_t transaction)
{
    static uint8_t padding[PADDING];
    uint8_t dest_bytes[RELOAD_NODE_ENTRY_LEN];
    Writer dest = writer_make(dest_bytes, sizeof(dest_bytes));
    Writer w = writer_make(bytes, BIG_MAX);
    ReloadHeader header = {.overlay = GOLDEN_OVERLAY_HASH, .ttl = 100, .transaction = transaction};
    ReloadSecurity security = {.signature = {.identity = RELOAD_SIGNER_NONE}};
    ReloadDraft draft;

    for (size_t i = 0; i < sizeof(padding); i++) {
        padding[i] = (uint8_t)(i * 31 + i / 256);
    }
    put_dest_node(&dest, &GOLDEN_NODE_B);
    header.dest = writer_view(&dest);
    draft = reload_message_begin(&w, &header, RELOAD_PING_REQ);
    put_ping_req(&w, &(ReloadPingReq){{padding, sizeof(padding)}});
    (void)reload_message_contents(&w, &draft, (PealBytes){NULL, 0});
    reload_message_security(&w, &draft, &security);
    CU_ASSERT_FALSE_FATAL(w.overflow);
    return w.len;
}

typedef struct Fragments {
    PealBuf *buf[FRAGMENTS_MAX];
    uint32_t len;
} Fragments;

static Fragments cut(PlainEnv *env, const uint8_t *message, size_t len, uint32_t datagram_max)
{
    FragmentPlan plan = fragment_plan(message, len, datagram_max);
    Fragments fragments = {.len = plan.count};

    CU_ASSERT_FATAL(plan.count <= FRAGMENTS_MAX);
    for (uint32_t i = 0; i < plan.count; i++) {
        fragments.buf[i] = fragment_make(&env->env, &plan, message, i);
    }
    return fragments;
}

static void drop(PlainEnv *env, Fragments *fragments)
{
    for (uint32_t i = 0; i < fragments->len; i++) {
        env->ops.drop(&env->env, fragments->buf[i]);
    }
}

static ReassemblyRules rules_at(int64_t ns)
{
    return (ReassemblyRules){.now = {ns}, .from = GOLDEN_NODE_A, .message_max = MESSAGE_MAX};
}

static int add(Reassembly *reassembly, PlainEnv *env, const PealBuf *fragment, PealBuf **ret_whole)
{
    ReassemblyRules rules = rules_at(0);

    return reassembly_add(reassembly, &env->env, &rules,
                          (PealBytes){fragment->data + RELOAD_DATA_FRAME_LEN,
                                      fragment->len - RELOAD_DATA_FRAME_LEN},
                          ret_whole);
}

static void check_whole(PlainEnv *env, PealBuf *whole, const uint8_t *message, size_t len)
{
    if (whole == NULL) {
        CU_FAIL("not whole");
        return;
    }
    CU_ASSERT_EQUAL(whole->len, len + RELOAD_DATA_FRAME_LEN);
    CU_ASSERT_EQUAL(memcmp(whole->data + RELOAD_DATA_FRAME_LEN, message, len), 0);
    env->ops.drop(&env->env, whole);
}

static void fragments_fit_and_are_equal_and_carry_the_header(void)
{
    PlainEnv env;
    uint8_t message[BIG_MAX];
    size_t len = big_message(message, 1);
    Fragments fragments;
    uint32_t offset = 0;

    plain_env_init(&env);
    fragments = cut(&env, message, len, LIMIT);
    CU_ASSERT_EQUAL(fragments.len, 3);
    for (uint32_t i = 0; i < fragments.len; i++) {
        const uint8_t *fragment = fragments.buf[i]->data + RELOAD_DATA_FRAME_LEN;
        size_t fragment_len = fragments.buf[i]->len - RELOAD_DATA_FRAME_LEN;
        bool last = i + 1 == fragments.len;

        CU_ASSERT_EQUAL(wire_check(fragment, fragment_len, GOLDEN_OVERLAY_HASH, 100), 0);
        CU_ASSERT_TRUE(fragments.buf[i]->len <= LIMIT - FRAGMENT_VIA_ROOM);
        CU_ASSERT_TRUE(fragments.buf[0]->len - fragments.buf[i]->len < 3);
        CU_ASSERT_EQUAL(wire_fragment(fragment), (last ? 0xc0000000 : 0x80000000) + offset);
        CU_ASSERT_FALSE(wire_is_whole(fragment));
        offset += (uint32_t)fragment_len - wire_header_len(fragment);
    }
    CU_ASSERT_EQUAL(offset, len - wire_header_len(message));
    drop(&env, &fragments);
    CU_ASSERT_TRUE(plain_env_clean(&env));
}

static void a_message_that_fits_or_cannot_be_cut_stays_whole(void)
{
    uint8_t message[BIG_MAX];
    size_t len = big_message(message, 1);

    CU_ASSERT_EQUAL(fragment_plan(message, len, (uint32_t)len + RELOAD_DATA_FRAME_LEN).count, 1);
    CU_ASSERT_EQUAL(fragment_plan(message, len, (uint32_t)len + RELOAD_DATA_FRAME_LEN - 1).count,
                    2);
    /* 38 + 18 header, 8 frame, 32 via room, 256 body */
    CU_ASSERT_EQUAL(fragment_plan(message, len, 351).count, 1);
    CU_ASSERT_EQUAL(fragment_plan(message, wire_header_len(message) + 512U, 352).count, 2);
    /* A body of 300 would give fragments under 256 bytes. */
    CU_ASSERT_EQUAL(fragment_plan(message, wire_header_len(message) + 300U, 352).count, 1);
}

static void fragments_in_any_order_give_the_message(void)
{
    static const uint8_t orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1},
                                        {1, 3, 0, 2}, {3, 0, 1, 2}, {0, 3, 2, 1}};
    uint8_t message[BIG_MAX];
    size_t len = big_message(message, 1);

    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        PlainEnv env;
        Reassembly reassembly = {0};
        Fragments fragments;

        plain_env_init(&env);
        fragments = cut(&env, message, len, 1000);
        CU_ASSERT_EQUAL_FATAL(fragments.len, 4);
        for (uint32_t k = 0; k < 4; k++) {
            PealBuf *whole = NULL;

            CU_ASSERT_EQUAL(add(&reassembly, &env, fragments.buf[orders[i][k]], &whole), 0);
            if (k < 3) {
                CU_ASSERT_PTR_NULL(whole);
            } else {
                check_whole(&env, whole, message, len);
            }
        }
        drop(&env, &fragments);
        CU_ASSERT_TRUE(plain_env_clean(&env));
        CU_ASSERT_EQUAL(reassembly_deadline(&reassembly).ns, PEAL_TIME_NEVER.ns);
    }
}

static void fragments_are_cut_again_on_the_way(void)
{
    PlainEnv env;
    Reassembly reassembly = {0};
    uint8_t message[BIG_MAX];
    size_t len = big_message(message, 1);
    Fragments fragments;
    PealBuf *whole = NULL;

    plain_env_init(&env);
    fragments = cut(&env, message, len, LIMIT);
    for (uint32_t i = 0; i < fragments.len; i++) {
        const uint8_t *fragment = fragments.buf[i]->data + RELOAD_DATA_FRAME_LEN;
        Fragments again = cut(&env, fragment, fragments.buf[i]->len - RELOAD_DATA_FRAME_LEN, 700);

        CU_ASSERT_EQUAL(again.len, 2);
        for (uint32_t k = 0; k < again.len; k++) {
            CU_ASSERT_EQUAL(add(&reassembly, &env, again.buf[k], &whole), 0);
        }
        drop(&env, &again);
    }
    check_whole(&env, whole, message, len);
    drop(&env, &fragments);
    CU_ASSERT_TRUE(plain_env_clean(&env));
}

static void a_retransmission_cut_differently_fills_the_gap(void)
{
    PlainEnv env;
    Reassembly reassembly = {0};
    uint8_t message[BIG_MAX];
    size_t len = big_message(message, 1);
    Fragments first;
    Fragments second;
    PealBuf *whole = NULL;

    plain_env_init(&env);
    first = cut(&env, message, len, LIMIT);
    second = cut(&env, message, len, 1000);
    CU_ASSERT_EQUAL(add(&reassembly, &env, first.buf[0], &whole), 0);
    CU_ASSERT_EQUAL(add(&reassembly, &env, first.buf[2], &whole), 0);
    CU_ASSERT_EQUAL(add(&reassembly, &env, first.buf[2], &whole), 0); /* twice: no harm */
    CU_ASSERT_PTR_NULL(whole);
    CU_ASSERT_EQUAL(add(&reassembly, &env, second.buf[1], &whole), 0);
    CU_ASSERT_PTR_NULL(whole);
    CU_ASSERT_EQUAL(add(&reassembly, &env, second.buf[2], &whole), 0);
    check_whole(&env, whole, message, len);
    drop(&env, &first);
    drop(&env, &second);
    CU_ASSERT_TRUE(plain_env_clean(&env));
}

/*
 * Spoils the second fragment in one way and expects the error and that the first is forgotten too.
 */
static void expect_refusal(void (*spoil)(PealBuf *second), int error)
{
    PlainEnv env;
    Reassembly reassembly = {0};
    uint8_t message[BIG_MAX];
    size_t len = big_message(message, 1);
    Fragments fragments;
    PealBuf *whole = NULL;

    plain_env_init(&env);
    fragments = cut(&env, message, len, LIMIT);
    CU_ASSERT_EQUAL(add(&reassembly, &env, fragments.buf[0], &whole), 0);
    CU_ASSERT_EQUAL(add(&reassembly, &env, fragments.buf[2], &whole), 0);
    spoil(fragments.buf[1]);
    CU_ASSERT_EQUAL(add(&reassembly, &env, fragments.buf[1], &whole), error);
    CU_ASSERT_PTR_NULL(whole);
    CU_ASSERT_EQUAL(env.bytes, 0);
    CU_ASSERT_EQUAL(reassembly.messages_len, 0);
    drop(&env, &fragments);
    CU_ASSERT_TRUE(plain_env_clean(&env));
}

static void set_fragment(PealBuf *buf, uint32_t fragment)
{
    bytes_set_u32(wire_message(buf) + WIRE_AT_FRAGMENT, fragment);
}

static void other_bytes_at_the_same_place(PealBuf *second)
{
    set_fragment(second, 0x80000000);
}

static void another_end(PealBuf *second)
{
    set_fragment(second, wire_fragment(wire_message(second)) | WIRE_FRAGMENT_LAST);
}

static void past_the_end(PealBuf *second)
{
    set_fragment(second, 0x80000000 + 3000);
}

static void past_the_limit(PealBuf *second)
{
    set_fragment(second, 0x80ffff00);
}

static void nothing_at_all(PealBuf *second)
{
    wire_set_len(second, (uint32_t)RELOAD_DATA_FRAME_LEN + wire_header_len(wire_message(second)));
}

static void fragments_that_contradict_each_other_drop_the_message(void)
{
    expect_refusal(other_bytes_at_the_same_place, -PEAL_E_OVERLAP);
    expect_refusal(another_end, -PEAL_E_OVERLAP);
    expect_refusal(past_the_end, -PEAL_E_OVERLAP);
    expect_refusal(past_the_limit, -PEAL_E_TOO_LARGE);
    expect_refusal(nothing_at_all, -PEAL_E_VALUE);
}

static void an_end_before_what_is_there_drops_the_message(void)
{
    PlainEnv env;
    Reassembly reassembly = {0};
    uint8_t message[BIG_MAX];
    size_t len = big_message(message, 1);
    Fragments fragments;
    PealBuf *whole = NULL;

    plain_env_init(&env);
    fragments = cut(&env, message, len, LIMIT);
    CU_ASSERT_EQUAL(add(&reassembly, &env, fragments.buf[1], &whole), 0);
    set_fragment(fragments.buf[0], 0xc0000000 + 10);
    CU_ASSERT_EQUAL(add(&reassembly, &env, fragments.buf[0], &whole), -PEAL_E_OVERLAP);
    drop(&env, &fragments);
    CU_ASSERT_TRUE(plain_env_clean(&env));
}

static void messages_of_one_transaction_from_two_senders_stay_apart(void)
{
    PlainEnv env;
    Reassembly reassembly = {0};
    uint8_t message[BIG_MAX];
    size_t len = big_message(message, 1);
    Fragments direct;
    Fragments routed;
    PealBuf *whole = NULL;

    plain_env_init(&env);
    direct = cut(&env, message, len, LIMIT);
    routed = cut(&env, message, len, LIMIT);
    for (uint32_t i = 0; i < routed.len; i++) {
        CU_ASSERT_EQUAL(wire_push_via(routed.buf[i], &GOLDEN_NODE_C), 0);
    }
    CU_ASSERT_EQUAL(add(&reassembly, &env, direct.buf[0], &whole), 0);
    CU_ASSERT_EQUAL(add(&reassembly, &env, routed.buf[1], &whole), 0);
    CU_ASSERT_EQUAL(reassembly.messages_len, 2);
    reassembly_fini(&reassembly, &env.env);
    drop(&env, &direct);
    drop(&env, &routed);
    CU_ASSERT_TRUE(plain_env_clean(&env));
}

static void incomplete_messages_end_after_15_seconds(void)
{
    PlainEnv env;
    Reassembly reassembly = {0};
    PealBuf *whole = NULL;

    plain_env_init(&env);
    for (uint64_t i = 0; i < 3; i++) {
        uint8_t message[BIG_MAX];
        size_t len = big_message(message, i);
        Fragments fragments = cut(&env, message, len, LIMIT);
        ReassemblyRules rules = rules_at((int64_t)i * PEAL_NS_PER_S);
        PealBytes bytes = {wire_message(fragments.buf[0]),
                           fragments.buf[0]->len - RELOAD_DATA_FRAME_LEN};

        CU_ASSERT_EQUAL(reassembly_add(&reassembly, &env.env, &rules, bytes, &whole), 0);
        drop(&env, &fragments);
    }
    CU_ASSERT_EQUAL(reassembly_deadline(&reassembly).ns, 15 * PEAL_NS_PER_S);
    reassembly_on_wake(&reassembly, &env.env, (PealTime){15 * PEAL_NS_PER_S - 1});
    CU_ASSERT_EQUAL(reassembly.messages_len, 3);
    reassembly_on_wake(&reassembly, &env.env, (PealTime){16 * PEAL_NS_PER_S});
    CU_ASSERT_EQUAL(reassembly.messages_len, 1);
    CU_ASSERT_EQUAL(reassembly_deadline(&reassembly).ns, 17 * PEAL_NS_PER_S);
    reassembly_on_wake(&reassembly, &env.env, (PealTime){17 * PEAL_NS_PER_S});
    CU_ASSERT_EQUAL(reassembly_deadline(&reassembly).ns, PEAL_TIME_NEVER.ns);
    CU_ASSERT_TRUE(plain_env_clean(&env));
}

static void a_flood_of_first_fragments_takes_bounded_room(void)
{
    PlainEnv env;
    Reassembly reassembly = {0};
    PealBuf *whole = NULL;
    unsigned refused = 0;

    plain_env_init(&env);
    for (uint64_t i = 0; i < 200; i++) {
        uint8_t message[BIG_MAX];
        size_t len = big_message(message, i);
        Fragments fragments = cut(&env, message, len, LIMIT);
        int error = add(&reassembly, &env, fragments.buf[i % 2], &whole);

        CU_ASSERT_TRUE(error == 0 || error == -PEAL_E_FULL || error == -PEAL_E_MEMORY);
        refused += error != 0;
        drop(&env, &fragments);
    }
    CU_ASSERT_EQUAL(refused, 200 - REASSEMBLY_MESSAGES_MAX);
    CU_ASSERT_TRUE(env.bytes_most <= REASSEMBLY_BYTES_MAX);
    CU_ASSERT_EQUAL(env.bytes, reassembly.bytes);
    reassembly_fini(&reassembly, &env.env);
    CU_ASSERT_TRUE(plain_env_clean(&env));
}

static void want_of_memory_drops_the_message_and_nothing_else(void)
{
    uint8_t message[BIG_MAX];
    size_t len = big_message(message, 1);

    for (size_t limit = 1; limit < 4000; limit += 150) {
        PlainEnv env;
        Reassembly reassembly = {0};
        Fragments fragments;
        PealBuf *whole = NULL;

        plain_env_init(&env);
        env.bytes_limit = limit;
        fragments = cut(&env, message, len, LIMIT);
        for (uint32_t i = 0; i < fragments.len; i++) {
            int error = add(&reassembly, &env, fragments.buf[i], &whole);

            CU_ASSERT_TRUE(error == 0 || error == -PEAL_E_MEMORY);
        }
        if (whole != NULL) {
            check_whole(&env, whole, message, len);
        }
        reassembly_fini(&reassembly, &env.env);
        drop(&env, &fragments);
        CU_ASSERT_TRUE(plain_env_clean(&env));
    }
}

PEAL_TEST_MAIN("core/fragment", PEAL_TEST(fragments_fit_and_are_equal_and_carry_the_header),
               PEAL_TEST(a_message_that_fits_or_cannot_be_cut_stays_whole),
               PEAL_TEST(fragments_in_any_order_give_the_message),
               PEAL_TEST(fragments_are_cut_again_on_the_way),
               PEAL_TEST(a_retransmission_cut_differently_fills_the_gap),
               PEAL_TEST(fragments_that_contradict_each_other_drop_the_message),
               PEAL_TEST(an_end_before_what_is_there_drops_the_message),
               PEAL_TEST(messages_of_one_transaction_from_two_senders_stay_apart),
               PEAL_TEST(incomplete_messages_end_after_15_seconds),
               PEAL_TEST(a_flood_of_first_fragments_takes_bounded_room),
               PEAL_TEST(want_of_memory_drops_the_message_and_nothing_else))
