/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_wire.c - messages checked and edited where they lie, against the codec's own reading.
 */
#include "core/golden.h"
#include "core/plain_env.h"
#include "peal_test.h"
#include "reload/wire.h"

enum { INITIAL_TTL = 100 };

static PealBuf *golden_buffer(PlainEnv *env, const char *name, size_t room)
{
    uint8_t bytes[RELOAD_DATA_FRAME_LEN + GOLDEN_MESSAGE_MAX];
    size_t len = golden_build(golden_find(name), bytes + RELOAD_DATA_FRAME_LEN, GOLDEN_MESSAGE_MAX);

    frame_write_data(bytes, 3, (uint32_t)len);
    return plain_buffer(env, bytes, RELOAD_DATA_FRAME_LEN + len, room);
}

/* Frame and header agree about the length, and the codec reads the message. */
static ReloadMessage decode(const PealBuf *buf)
{
    ReloadMessage message = {0};
    Frame frame = {0};

    CU_ASSERT_EQUAL_FATAL(frame_parse_datagram(buf->data, buf->len, UINT32_MAX, &frame), 0);
    CU_ASSERT_EQUAL_FATAL(reload_message_decode((PealBytes){frame.message, frame.message_len},
                                                &message),
                          0);
    return message;
}

static void every_golden_message_passes_the_check(void)
{
    for (size_t i = 0; i < golden_messages_len; i++) {
        uint8_t bytes[GOLDEN_MESSAGE_MAX];
        size_t len = golden_build(&golden_messages[i], bytes, sizeof(bytes));

        CU_ASSERT_EQUAL(wire_check(bytes, len, GOLDEN_OVERLAY_HASH, INITIAL_TTL), 0);
        CU_ASSERT_EQUAL(wire_code(bytes, len), golden_messages[i].code);
        CU_ASSERT_TRUE(wire_is_whole(bytes));
        CU_ASSERT_EQUAL(wire_ttl(bytes), golden_messages[i].ttl);
        CU_ASSERT_EQUAL(wire_config_sequence(bytes), 1);
        CU_ASSERT_EQUAL(wire_transaction(bytes), GOLDEN_TRANSACTION);
        CU_ASSERT_EQUAL(wire_length(bytes), len);
    }
}

static void the_check_names_each_fault(void)
{
    static const struct {
        size_t at;
        uint8_t value;
        int error;
    } faults[] = {
        {WIRE_AT_TOKEN, 0, -PEAL_E_TOKEN},
        {WIRE_AT_OVERLAY, 0, -PEAL_E_OVERLAY},
        {WIRE_AT_VERSION, 11, -PEAL_E_VERSION},
        {WIRE_AT_TTL, 101, -PEAL_E_TOO_LARGE},
        {WIRE_AT_FRAGMENT, 0x40, -PEAL_E_VALUE},
        {WIRE_AT_LENGTH + 3, 0, -PEAL_E_LENGTH},
        {WIRE_AT_VIA_LEN, 0xff, -PEAL_E_LENGTH},
        {WIRE_AT_DEST_LEN + 1, 0, -PEAL_E_VALUE},
        {WIRE_AT_DEST_LEN + 1, 1, -PEAL_E_TRUNCATED},
        {WIRE_AT_DEST_LEN + 1, 18, -PEAL_E_TRUNCATED},
        {WIRE_AT_DEST_LEN + 1, 20, -PEAL_E_VALUE}, /* a resource that is not last */
        {RELOAD_HEADER_LEN, 9, -PEAL_E_UNKNOWN},
        {RELOAD_HEADER_LEN, 1, -PEAL_E_LENGTH}, /* a Node-ID of 17 bytes */
        {RELOAD_HEADER_LEN + 2, 15, -PEAL_E_LENGTH},
        {RELOAD_HEADER_LEN + 1, 0, -PEAL_E_LENGTH},
    };

    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        uint8_t bytes[GOLDEN_MESSAGE_MAX];
        size_t len = golden_build(golden_find("probe_req"), bytes, sizeof(bytes));

        bytes[faults[i].at] = faults[i].value;
        CU_ASSERT_EQUAL(wire_check(bytes, len, GOLDEN_OVERLAY_HASH, INITIAL_TTL), faults[i].error);
    }
}

static void the_check_refuses_every_cut(void)
{
    uint8_t bytes[GOLDEN_MESSAGE_MAX];
    size_t len = golden_build(golden_find("ping_req"), bytes, sizeof(bytes));

    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *copy = malloc(cut + 1);

        if (copy == NULL) {
            abort();
        }
        memcpy(copy, bytes, cut);
        CU_ASSERT_EQUAL(wire_check(copy, cut, GOLDEN_OVERLAY_HASH, INITIAL_TTL),
                        cut < RELOAD_HEADER_LEN ? -PEAL_E_TRUNCATED : -PEAL_E_LENGTH);
        free(copy);
    }
}

static void entries_give_their_ids(void)
{
    uint8_t bytes[GOLDEN_MESSAGE_MAX];
    PealId id;

    (void)golden_build(golden_find("ping_req"), bytes, sizeof(bytes));
    CU_ASSERT_TRUE(wire_entry_id(wire_via(bytes), &id));
    CU_ASSERT_TRUE(peal_id_equal(&id, &GOLDEN_NODE_A));
    CU_ASSERT_EQUAL(wire_entry_type(wire_dest(bytes)), RELOAD_DEST_OPAQUE);
    CU_ASSERT_EQUAL(wire_entry_len(wire_dest(bytes)), 2);
    CU_ASSERT_FALSE(wire_entry_id(wire_dest(bytes), &id));
    (void)golden_build(golden_find("probe_req"), bytes, sizeof(bytes));
    CU_ASSERT_EQUAL(wire_entry_type(wire_dest(bytes)), RELOAD_DEST_RESOURCE);
    CU_ASSERT_TRUE(wire_entry_id(wire_dest(bytes), &id));
    CU_ASSERT_TRUE(peal_id_equal(&id, &GOLDEN_RESOURCE));
}

static void a_via_entry_is_added_in_place_until_the_room_is_used_up(void)
{
    PlainEnv env;
    PealBuf *buf;
    uint32_t before;

    plain_env_init(&env);
    buf = golden_buffer(&env, "store_req", 2 * RELOAD_NODE_ENTRY_LEN + 17);
    before = buf->len;
    wire_set_ttl(wire_message(buf), 99);
    CU_ASSERT_EQUAL(wire_push_via(buf, &GOLDEN_NODE_A), 0);
    CU_ASSERT_EQUAL(wire_push_via(buf, &GOLDEN_NODE_C), 0);
    CU_ASSERT_EQUAL(wire_push_via(buf, &GOLDEN_NODE_B), -PEAL_E_FULL);
    CU_ASSERT_EQUAL(buf->len, before + 2 * RELOAD_NODE_ENTRY_LEN);

    ReloadMessage message = decode(buf);
    ReloadDest entry;

    CU_ASSERT_EQUAL(message.code, RELOAD_STORE_REQ);
    CU_ASSERT_EQUAL(message.header.ttl, 99);
    CU_ASSERT_TRUE(reload_dest_next(&message.header.via, &entry));
    CU_ASSERT_TRUE(peal_id_equal(&entry.id, &GOLDEN_NODE_A));
    CU_ASSERT_TRUE(reload_dest_next(&message.header.via, &entry));
    CU_ASSERT_TRUE(peal_id_equal(&entry.id, &GOLDEN_NODE_C));
    CU_ASSERT_EQUAL(message.header.via.len, 0);
    env.ops.drop(&env.env, buf);
    CU_ASSERT_TRUE(plain_env_clean(&env));
}

static void a_via_list_that_is_full_takes_no_more(void)
{
    enum { ENTRIES = 65535 / RELOAD_NODE_ENTRY_LEN };
    PlainEnv env;
    PealBuf *buf;

    plain_env_init(&env);
    buf = golden_buffer(&env, "probe_req", 70000);
    for (int i = 0; i < ENTRIES; i++) {
        CU_ASSERT_EQUAL_FATAL(wire_push_via(buf, &GOLDEN_NODE_A), 0);
    }
    CU_ASSERT_EQUAL(wire_push_via(buf, &GOLDEN_NODE_A), -PEAL_E_TOO_LARGE);
    CU_ASSERT_EQUAL(decode(buf).header.via.len, ENTRIES * RELOAD_NODE_ENTRY_LEN);
    env.ops.drop(&env.env, buf);
}

static void destination_entries_are_dropped_in_place(void)
{
    static const uint32_t left[] = {6 + 19, 19};
    PlainEnv env;
    PealBuf *buf;

    plain_env_init(&env);
    buf = golden_buffer(&env, "ping_req", 0);
    for (size_t i = 0; i < 2; i++) {
        wire_drop_dest(buf);
        CU_ASSERT_EQUAL(wire_dest_len(wire_message(buf)), left[i]);
        CU_ASSERT_EQUAL(decode(buf).header.dest.len, left[i]);
    }
    CU_ASSERT_EQUAL(wire_entry_type(wire_dest(wire_message(buf))), RELOAD_DEST_RESOURCE);
    env.ops.drop(&env.env, buf);
    CU_ASSERT_TRUE(plain_env_clean(&env));
}

PEAL_TEST_MAIN("core/wire", PEAL_TEST(every_golden_message_passes_the_check),
               PEAL_TEST(the_check_names_each_fault), PEAL_TEST(the_check_refuses_every_cut),
               PEAL_TEST(entries_give_their_ids),
               PEAL_TEST(a_via_entry_is_added_in_place_until_the_room_is_used_up),
               PEAL_TEST(a_via_list_that_is_full_takes_no_more),
               PEAL_TEST(destination_entries_are_dropped_in_place))
