/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_store.c - the rules by which a Store is taken or refused (RFC 6940 s.7.4.1). */
#include "core/fake_peer.h"
#include "peal_test.h"

static const PealBytes KEY_A = {(const uint8_t *)"a", 1};
static const PealBytes KEY_B = {(const uint8_t *)"b", 1};

static char *repeat(char c, size_t len)
{
    static char text[4096];

    memset(text, c, len);
    text[len] = '\0';
    return text;
}

static void store_single_value_is_fetched_and_overwritten(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);

    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, (FakeValue){.time_ms = 1, .value = "x"}), 0);
    CU_ASSERT(fake_holds_only(fake, &r, FAKE_SINGLE, PEAL_MODEL_SINGLE, "x"));
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, (FakeValue){.time_ms = 2, .value = "y"}), 0);
    CU_ASSERT(fake_holds_only(fake, &r, FAKE_SINGLE, PEAL_MODEL_SINGLE, "y"));
    CU_ASSERT_EQUAL(peal_peer_stored(&fake->peer, &r, FAKE_SINGLE), 1);
    CU_ASSERT_EQUAL(storage_resources(&fake->peer), 1);
    fake_free(fake);
}

static void store_answer_names_generation_and_replica_set(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);
    ReloadStoreAns answer;
    ReloadStoreKindAns kind;
    PealId id;

    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, (FakeValue){.time_ms = 1, .value = "x"}), 0);
    CU_ASSERT_EQUAL_FATAL(reload_store_ans_decode(fake->body, &answer), 0);
    CU_ASSERT_TRUE_FATAL(reload_store_kind_ans_next(&answer.kinds, &kind));
    CU_ASSERT_EQUAL(kind.kind, FAKE_SINGLE);
    CU_ASSERT_EQUAL(kind.generation, 1);
    CU_ASSERT(reload_id_next(&kind.replicas, &id) && id.bytes[0] == 0x90);
    CU_ASSERT(reload_id_next(&kind.replicas, &id) && id.bytes[0] == 0xa0);
    CU_ASSERT_FALSE(reload_id_next(&kind.replicas, &id));
    fake_free(fake);
}

static void store_on_empty_neighbour_table_names_no_replicas(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);
    ReloadStoreAns answer;
    ReloadStoreKindAns kind;

    fake->set_len = 0;
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, (FakeValue){.time_ms = 1, .value = "x"}), 0);
    CU_ASSERT_EQUAL_FATAL(reload_store_ans_decode(fake->body, &answer), 0);
    CU_ASSERT_TRUE_FATAL(reload_store_kind_ans_next(&answer.kinds, &kind));
    CU_ASSERT_EQUAL(kind.replicas.len, 0);
    CU_ASSERT_EQUAL(fake->requests_len, 0);
    storage_on_neighbours(&fake->peer, true);
    fake_run(fake, peal_seconds(60));
    CU_ASSERT_EQUAL(fake->requests_len, 0);
    fake_free(fake);
}

static void store_generation_rises_only_when_data_changes(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);
    const FakeValue same = {.time_ms = 1, .value = "x"};

    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, same), 0);
    CU_ASSERT_EQUAL(fake_generation(fake, 0), 1);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, same), 0);
    CU_ASSERT_EQUAL(fake_generation(fake, 0), 1);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, (FakeValue){.time_ms = 2, .value = "x"}), 0);
    CU_ASSERT_EQUAL(fake_generation(fake, 0), 2);
    fake_free(fake);
}

static void store_with_wrong_generation_is_too_low_and_tells_all_counters(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);
    const FakeValue one = {.time_ms = 1, .value = "x"};
    const FakeValue two = {.time_ms = 2, .key = KEY_A, .value = "y"};
    const FakeKindData right[] = {{FAKE_SINGLE, 1, &two, 1}};
    const FakeKindData wrong[] = {{FAKE_SINGLE, 0, &two, 1}, {FAKE_DICTIONARY, 7, &two, 1}};

    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, one), 0);
    CU_ASSERT_EQUAL(fake_store_kinds(fake, &r, 0, wrong, 2),
                    RELOAD_ERROR_GENERATION_COUNTER_TOO_LOW);
    CU_ASSERT_EQUAL(fake_generation(fake, 0), 1);
    CU_ASSERT_EQUAL(fake_generation(fake, 1), 0);
    CU_ASSERT(fake_holds_only(fake, &r, FAKE_SINGLE, PEAL_MODEL_SINGLE, "x"));
    CU_ASSERT_EQUAL(fake_store_kinds(fake, &r, 0, right, 1), 0);
    CU_ASSERT_EQUAL(fake_generation(fake, 0), 2);
    CU_ASSERT_EQUAL(fake_store_kinds(fake, &r, 0, right, 1),
                    RELOAD_ERROR_GENERATION_COUNTER_TOO_LOW);
    CU_ASSERT_EQUAL(fake_generation(fake, 0), 2);
    fake_free(fake);
}

static void store_older_value_is_data_too_old(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);

    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, (FakeValue){.time_ms = 5, .value = "x"}), 0);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, (FakeValue){.time_ms = 4, .value = "y"}),
                    RELOAD_ERROR_DATA_TOO_OLD);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, (FakeValue){.time_ms = 5, .value = "y"}),
                    RELOAD_ERROR_DATA_TOO_OLD);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, (FakeValue){.time_ms = 5}),
                    RELOAD_ERROR_DATA_TOO_OLD);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, (FakeValue){.time_ms = 5, .value = "x"}), 0);
    CU_ASSERT(fake_holds_only(fake, &r, FAKE_SINGLE, PEAL_MODEL_SINGLE, "x"));
    fake_free(fake);
}

static void store_of_several_kinds_is_all_or_nothing(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);
    const FakeValue good = {.time_ms = 2, .value = "good"};
    const FakeValue old = {.time_ms = 1, .key = KEY_A, .value = "old"};
    const FakeKindData kinds[] = {{FAKE_SINGLE, 0, &good, 1}, {FAKE_DICTIONARY, 0, &old, 1}};

    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_DICTIONARY,
                               (FakeValue){.time_ms = 2, .key = KEY_A, .value = "new"}),
                    0);
    CU_ASSERT_EQUAL(fake_store_kinds(fake, &r, 0, kinds, 2), RELOAD_ERROR_DATA_TOO_OLD);
    CU_ASSERT_EQUAL(peal_peer_stored(&fake->peer, &r, FAKE_SINGLE), 0);
    CU_ASSERT(fake_holds_only(fake, &r, FAKE_DICTIONARY, PEAL_MODEL_DICTIONARY, "new"));
    fake_free(fake);
}

static void store_without_memory_changes_nothing(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);
    const FakeValue values[] = {{.time_ms = 1, .index = 0, .value = "one"},
                                {.time_ms = 1, .index = 1, .value = "two"}};
    const FakeKindData data = {FAKE_ARRAY, 0, values, 2};

    for (size_t limit = 1; limit < 400; limit++) {
        fake->env.bytes_limit = limit;
        if (fake_store_kinds(fake, &r, 0, &data, 1) == 0) {
            break;
        }
        CU_ASSERT_EQUAL(fake->error, RELOAD_ERROR_DATA_TOO_LARGE);
        CU_ASSERT_EQUAL(fake->peer.storage.slots_len, 0);
    }
    fake->env.bytes_limit = 0;
    CU_ASSERT_EQUAL(peal_peer_stored(&fake->peer, &r, FAKE_ARRAY), 2);
    fake_free(fake);
}

static void store_of_unknown_kinds_lists_them(void)
{
    static const uint8_t list[] = {8, 0xf0, 0, 0, 0x99, 0xf0, 0, 0, 0x9a};
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);
    const FakeValue value = {.time_ms = 1, .value = "x"};
    const FakeKindData kinds[] = {{FAKE_UNKNOWN, 0, &value, 1},
                                  {FAKE_SINGLE, 0, &value, 1},
                                  {FAKE_UNKNOWN + 1, 0, &value, 1}};

    CU_ASSERT_EQUAL(fake_store_kinds(fake, &r, 0, kinds, 3), RELOAD_ERROR_UNKNOWN_KIND);
    CU_ASSERT_EQUAL_FATAL(fake->body.len, sizeof(list));
    CU_ASSERT_EQUAL(memcmp(fake->body.ptr, list, sizeof(list)), 0);
    CU_ASSERT_EQUAL(fake->peer.storage.slots_len, 0);
    fake_free(fake);
}

static void store_naming_a_kind_twice_is_invalid(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);
    const FakeValue value = {.time_ms = 1, .value = "x"};
    const FakeKindData kinds[] = {{FAKE_SINGLE, 0, &value, 1}, {FAKE_SINGLE, 0, &value, 1}};

    CU_ASSERT_EQUAL(fake_store_kinds(fake, &r, 0, kinds, 2), RELOAD_ERROR_INVALID_MESSAGE);
    fake_free(fake);
}

static void store_of_garbage_is_invalid(void)
{
    FakePeer *fake = fake_new();
    const PealId signer = fake_id(0x77);
    const PealId r = fake_id(0x50);
    uint8_t encoded[FAKE_BODY_MAX];
    Writer w = writer_make(encoded, sizeof(encoded));
    const FakeValue value = {.time_ms = 1, .value = "x"};
    const FakeKindData data = {FAKE_SINGLE, 0, &value, 1};
    PealBytes body = fake_store_body(&w, &r, 0, &data, 1, &signer);

    for (size_t len = 0; len < body.len; len++) {
        fake_serve(fake, RELOAD_STORE_REQ, (PealBytes){body.ptr, len}, &signer);
        CU_ASSERT_EQUAL(fake->error, RELOAD_ERROR_INVALID_MESSAGE);
    }
    for (size_t at = 0; at < body.len; at++) { /* whatever a byte becomes, nothing breaks */
        for (unsigned bit = 0; bit < 8; bit++) {
            encoded[at] ^= (uint8_t)(1u << bit);
            fake_serve(fake, RELOAD_STORE_REQ, body, &signer);
            encoded[at] ^= (uint8_t)(1u << bit);
        }
    }
    fake_free(fake);
}

static void store_elsewhere_is_forbidden(void)
{
    FakePeer *fake = fake_new();
    const PealId before = fake_id(0x40);
    const PealId after = fake_id(0x81);
    const FakeValue value = {.time_ms = 1, .value = "x"};

    CU_ASSERT_EQUAL(fake_store(fake, &before, FAKE_SINGLE, value), RELOAD_ERROR_FORBIDDEN);
    CU_ASSERT_EQUAL(fake_store(fake, &after, FAKE_SINGLE, value), RELOAD_ERROR_FORBIDDEN);
    CU_ASSERT_EQUAL(fake_store(fake, &fake->peer.id, FAKE_SINGLE, value), 0);
    fake_free(fake);
}

static void store_range_wraps_at_zero(void)
{
    FakePeer *fake = fake_new_at(0x10, 0xf0);
    const PealId inside[] = {fake_id(0xf1), fake_id(0x00), fake_id(0x10)};
    const PealId outside[] = {fake_id(0xf0), fake_id(0x11), fake_id(0x80)};
    const FakeValue value = {.time_ms = 1, .value = "x"};

    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(fake_store(fake, &inside[i], FAKE_SINGLE, value), 0);
        CU_ASSERT_EQUAL(fake_store(fake, &outside[i], FAKE_SINGLE, value), RELOAD_ERROR_FORBIDDEN);
    }
    fake_free(fake);
}

static void store_replica_sets_generation_and_goes_no_further(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x30);

    CU_ASSERT_EQUAL(fake_replica(fake, &r, FAKE_SINGLE, 9, (FakeValue){.time_ms = 1, .value = "x"}),
                    0);
    CU_ASSERT_EQUAL(fake_generation(fake, 0), 9);
    CU_ASSERT_EQUAL(fake_replica(fake, &r, FAKE_SINGLE, 4, (FakeValue){.time_ms = 2, .value = "y"}),
                    0);
    CU_ASSERT_EQUAL(fake_generation(fake, 0), 4);
    CU_ASSERT(fake_holds_only(fake, &r, FAKE_SINGLE, PEAL_MODEL_SINGLE, "y"));
    CU_ASSERT_EQUAL(fake->requests_len, 0);
    fake_free(fake);
}

static void store_replica_of_generation_0_is_invalid(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x30);

    CU_ASSERT_EQUAL(fake_replica(fake, &r, FAKE_SINGLE, 0, (FakeValue){.time_ms = 1, .value = "x"}),
                    RELOAD_ERROR_INVALID_MESSAGE);
    fake_free(fake);
}

static void store_replica_from_implausible_sender_is_forbidden(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x30);

    fake->accepts = false;
    CU_ASSERT_EQUAL(fake_replica(fake, &r, FAKE_SINGLE, 1, (FakeValue){.time_ms = 1, .value = "x"}),
                    RELOAD_ERROR_FORBIDDEN);
    fake_free(fake);
}

static void store_replica_out_of_range_is_forbidden(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x08); /* three predecessors lie between */
    const FakeValue value = {.time_ms = 1, .value = "x"};

    CU_ASSERT_EQUAL(fake_replica(fake, &r, FAKE_SINGLE, 1, value), RELOAD_ERROR_FORBIDDEN);
    fake->holds_from = fake_id(0x07);
    CU_ASSERT_EQUAL(fake_replica(fake, &r, FAKE_SINGLE, 1, value), 0);
    fake_free(fake);
}

static void store_older_replica_is_data_too_old(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x30);

    CU_ASSERT_EQUAL(fake_replica(fake, &r, FAKE_SINGLE, 9, (FakeValue){.time_ms = 5, .value = "x"}),
                    0);
    CU_ASSERT_EQUAL(fake_replica(fake, &r, FAKE_SINGLE, 20,
                                 (FakeValue){.time_ms = 4, .value = "y"}),
                    RELOAD_ERROR_DATA_TOO_OLD);
    fake_free(fake);
}

static void store_signed_by_nobody_is_forbidden(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);
    const FakeValue value = {.time_ms = 1, .value = "x", .unsigned_ = true};

    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, value), RELOAD_ERROR_FORBIDDEN);
    CU_ASSERT_EQUAL(fake_replica(fake, &r, FAKE_SINGLE, 3, value), RELOAD_ERROR_FORBIDDEN);
    fake_free(fake);
}

static void store_under_another_nodes_key_is_forbidden(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);
    const PealId requester = fake_id(0x77);
    const PealId other = fake_id(0x78);
    const PealBytes own = {requester.bytes, PEAL_ID_LEN};
    const PealBytes others = {other.bytes, PEAL_ID_LEN};
    const uint32_t kind = PEAL_KIND_SIP_REGISTRATION;

    CU_ASSERT_EQUAL(fake_store(fake, &r, kind, (FakeValue){.time_ms = 1, .key = own, .value = "x"}),
                    0);
    CU_ASSERT_EQUAL(fake_store(fake, &r, kind,
                               (FakeValue){.time_ms = 1, .key = others, .value = "x"}),
                    RELOAD_ERROR_FORBIDDEN);
    /* signed by the right node, but sent by another: a replay as an original */
    CU_ASSERT_EQUAL(
        fake_store(fake, &r, kind,
                   (FakeValue){.time_ms = 1, .key = others, .value = "x", .signer = &other}),
        RELOAD_ERROR_FORBIDDEN);
    /* what is right for a replica */
    CU_ASSERT_EQUAL(
        fake_replica(fake, &r, kind, 2,
                     (FakeValue){.time_ms = 1, .key = others, .value = "x", .signer = &other}),
        0);
    CU_ASSERT_EQUAL(fake_store(fake, &r, kind,
                               (FakeValue){.time_ms = 1, .key = KEY_A, .value = "x"}),
                    RELOAD_ERROR_FORBIDDEN);
    fake_free(fake);
}

static void store_node_match_wants_the_hash_of_the_signer(void)
{
    FakePeer *fake = fake_new();
    const PealId requester = fake_id(0x77);
    const PealId elsewhere = fake_id(0x50);
    uint8_t three = 3;
    uint8_t four = 4;
    const PealBytes parts[] = {{requester.bytes, PEAL_ID_LEN}, {&three, 1}};
    const PealBytes beyond[] = {{requester.bytes, PEAL_ID_LEN}, {&four, 1}};
    const PealCryptoOps *crypto = fake->env.ops.crypto;
    uint8_t digest[PEAL_DIGEST_MAX];
    const FakeValue value = {.time_ms = 1, .value = "x"};
    PealId r;

    fake->from = fake->peer.id; /* the whole ring */
    CU_ASSERT_EQUAL(fake_store(fake, &elsewhere, FAKE_NODE, value), RELOAD_ERROR_FORBIDDEN);
    crypto->digest(PEAL_HASH_SHA1, parts, 1, digest);
    memcpy(r.bytes, digest, PEAL_ID_LEN);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_NODE, value), 0);
    CU_ASSERT_EQUAL(fake_store(fake, &elsewhere, FAKE_MULTIPLE, value), RELOAD_ERROR_FORBIDDEN);
    crypto->digest(PEAL_HASH_SHA1, parts, 2, digest);
    memcpy(r.bytes, digest, PEAL_ID_LEN);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_MULTIPLE, value), 0);
    crypto->digest(PEAL_HASH_SHA1, beyond, 2, digest);
    memcpy(r.bytes, digest, PEAL_ID_LEN);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_MULTIPLE, value), RELOAD_ERROR_FORBIDDEN);
    fake_free(fake);
}

static void store_beyond_a_kinds_limits_is_data_too_large(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);
    const PealBytes keys[] = {KEY_A, KEY_B, {(const uint8_t *)"c", 1}, {(const uint8_t *)"d", 1}};
    const PealBytes fifth = {(const uint8_t *)"e", 1};

    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE,
                               (FakeValue){.time_ms = 1, .value = repeat('x', 64)}),
                    0);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE,
                               (FakeValue){.time_ms = 2, .value = repeat('x', 65)}),
                    RELOAD_ERROR_DATA_TOO_LARGE);
    for (size_t i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_DICTIONARY,
                                   (FakeValue){.time_ms = 1, .key = keys[i], .value = "x"}),
                        0);
    }
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_DICTIONARY,
                               (FakeValue){.time_ms = 1, .key = fifth, .value = "x"}),
                    RELOAD_ERROR_DATA_TOO_LARGE);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_DICTIONARY,
                               (FakeValue){.time_ms = 2, .key = KEY_A, .value = "y"}),
                    0); /* one in place of another is no more than before */
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_ARRAY,
                               (FakeValue){.time_ms = 1, .index = 8, .value = "x"}),
                    RELOAD_ERROR_DATA_TOO_LARGE);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_ARRAY,
                               (FakeValue){.time_ms = 1, .index = 7, .value = "x"}),
                    0);
    fake_free(fake);
}

static void store_beyond_the_peers_resources_is_data_too_large(void)
{
    FakePeer *fake = fake_new();
    const FakeValue value = {.time_ms = 1, .key = KEY_A, .value = "x"};
    PealId r = fake_id(0x50);

    fake->overlay.resources_max = 3;
    for (uint8_t i = 0; i < 3; i++) {
        r.bytes[15] = i;
        CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, value), 0);
    }
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_DICTIONARY, value), 0); /* a Kind more, no resource */
    r.bytes[15] = 3;
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, value), RELOAD_ERROR_DATA_TOO_LARGE);
    CU_ASSERT_EQUAL(storage_resources(&fake->peer), 3);
    fake_free(fake);
}

static void store_appends_at_the_end_of_a_sparse_array(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);
    const uint32_t append = UINT32_MAX;
    const FakeValue two[] = {{.time_ms = 1, .index = append, .value = "fourth"},
                             {.time_ms = 1, .index = append, .value = "fifth"}};
    const FakeKindData data = {FAKE_ARRAY, 0, two, 2};
    ReloadStored stored[8];

    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_ARRAY,
                               (FakeValue){.time_ms = 1, .index = 2, .value = "third"}),
                    0);
    CU_ASSERT_EQUAL(fake_store_kinds(fake, &r, 0, &data, 1), 0);
    CU_ASSERT_EQUAL(fake_generation(fake, 0), 2);
    CU_ASSERT_EQUAL(fake_fetch_all(fake, &r, FAKE_ARRAY), 0);
    CU_ASSERT_EQUAL_FATAL(fake_values(fake, PEAL_MODEL_ARRAY, stored, 8, NULL), 5);
    CU_ASSERT(!stored[0].exists && !stored[1].exists);
    CU_ASSERT(stored[2].index == 2 && fake_value_is(&stored[2], "third"));
    CU_ASSERT(stored[3].index == 3 && fake_value_is(&stored[3], "fourth"));
    CU_ASSERT(stored[4].index == 4 && fake_value_is(&stored[4], "fifth"));
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_ARRAY, two[0]), 0);
    }
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_ARRAY, two[0]), RELOAD_ERROR_DATA_TOO_LARGE);
    CU_ASSERT_EQUAL(fake_replica(fake, &r, FAKE_ARRAY, 5, two[0]), RELOAD_ERROR_INVALID_MESSAGE);
    fake_free(fake);
}

static void store_of_one_key_twice_takes_them_in_turn(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);
    const FakeValue rising[] = {{.time_ms = 1, .key = KEY_A, .value = "x"},
                                {.time_ms = 2, .key = KEY_A, .value = "y"}};
    const FakeValue falling[] = {{.time_ms = 4, .key = KEY_A, .value = "z"},
                                 {.time_ms = 3, .key = KEY_A, .value = "w"}};
    const FakeKindData up = {FAKE_DICTIONARY, 0, rising, 2};
    const FakeKindData down = {FAKE_DICTIONARY, 0, falling, 2};

    CU_ASSERT_EQUAL(fake_store_kinds(fake, &r, 0, &up, 1), 0);
    CU_ASSERT_EQUAL(fake_store_kinds(fake, &r, 0, &down, 1), RELOAD_ERROR_DATA_TOO_OLD);
    CU_ASSERT(fake_holds_only(fake, &r, FAKE_DICTIONARY, PEAL_MODEL_DICTIONARY, "y"));
    fake_free(fake);
}

static void store_removal_outlasts_what_it_removed(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);
    ReloadStored stored;

    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE,
                               (FakeValue){.time_ms = 1, .lifetime_s = 100, .value = "x"}),
                    0);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, (FakeValue){.time_ms = 2, .lifetime_s = 100}),
                    0);
    CU_ASSERT_EQUAL(peal_peer_stored(&fake->peer, &r, FAKE_SINGLE), 0);
    CU_ASSERT_EQUAL(fake_fetch_all(fake, &r, FAKE_SINGLE), 0);
    CU_ASSERT_EQUAL_FATAL(fake_values(fake, PEAL_MODEL_SINGLE, &stored, 1, NULL), 1);
    CU_ASSERT(!stored.exists && stored.signature.identity == RELOAD_SIGNER_CERT_HASH_NODE_ID);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, (FakeValue){.time_ms = 1, .value = "x"}),
                    RELOAD_ERROR_DATA_TOO_OLD); /* nobody brings it back */
    fake_succeed_all(fake);
    fake_run(fake, peal_seconds(102));
    CU_ASSERT_EQUAL(fake->peer.storage.slots_len, 0);
    fake_free(fake);
}

static void store_value_ends_with_its_lifetime(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);
    ReloadStored stored;

    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE,
                               (FakeValue){.time_ms = 1, .lifetime_s = 60, .value = "x"}),
                    0);
    fake_succeed_all(fake);
    fake_run(fake, peal_ms(20500));
    CU_ASSERT_EQUAL(fake_fetch_all(fake, &r, FAKE_SINGLE), 0);
    CU_ASSERT_EQUAL(fake_values(fake, PEAL_MODEL_SINGLE, &stored, 1, NULL), 1);
    CU_ASSERT_EQUAL(stored.lifetime_s, 39); /* what is left, rounded down */
    fake_run(fake, peal_ms(39499));
    CU_ASSERT_EQUAL(peal_peer_stored(&fake->peer, &r, FAKE_SINGLE), 1);
    fake_run(fake, peal_ms(1));
    CU_ASSERT_EQUAL(peal_peer_stored(&fake->peer, &r, FAKE_SINGLE), 0);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, (FakeValue){.time_ms = 1, .value = "old"}),
                    0); /* what has ended hinders nothing */
    fake_free(fake);
}

static void store_gives_everything_back_when_all_has_ended(void)
{
    FakePeer *fake = fake_new();
    PealId r = fake_id(0x50);

    for (uint8_t i = 0; i < 40; i++) {
        r.bytes[1] = (uint8_t)(i * 37);
        CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE,
                                   (FakeValue){.time_ms = 1, .lifetime_s = 10u + i, .value = "x"}),
                        0);
        fake_succeed_all(fake);
    }
    fake_run(fake, peal_seconds(30));
    CU_ASSERT(storage_resources(&fake->peer) > 15 && storage_resources(&fake->peer) < 25);
    fake_run(fake, peal_seconds(30));
    CU_ASSERT_EQUAL(fake->env.bytes, 0);
    CU_ASSERT_EQUAL(fake->peer.storage.deadline.ns, PEAL_TIME_NEVER.ns);
    CU_ASSERT_EQUAL(fake->traces[PEAL_TRACE_VALUE_STORED], 40);
    CU_ASSERT_EQUAL(fake->traces[PEAL_TRACE_VALUE_REMOVED], 40);
    fake_free(fake);
}

static void store_values_that_end_together_leave_the_others_as_they_are(void)
{
    FakePeer *fake = fake_new();
    PealId r = fake_id(0x50);

    for (uint8_t i = 0; i < 80; i++) {
        r.bytes[1] = (uint8_t)(i * 37);
        CU_ASSERT_EQUAL(
            fake_store(fake, &r, FAKE_SINGLE,
                       (FakeValue){.time_ms = 1, .lifetime_s = i % 7 ? 20 : 50, .value = "x"}),
            0);
        fake_succeed_all(fake);
    }
    fake_run(fake, peal_seconds(25));
    CU_ASSERT_EQUAL(fake->traces[PEAL_TRACE_VALUE_REMOVED], 80 - 12);
    CU_ASSERT_EQUAL(fake->peer.storage.slots_len, 12);
    CU_ASSERT(fake->peer.storage.slots_cap <= 4 * 12 + 3);
    for (uint8_t i = 0; i < 80; i++) {
        r.bytes[1] = (uint8_t)(i * 37);
        CU_ASSERT_EQUAL(peal_peer_stored(&fake->peer, &r, FAKE_SINGLE), i % 7 == 0);
    }
    fake_run(fake, peal_seconds(30));
    CU_ASSERT_EQUAL(fake->env.bytes, 0);
    fake_free(fake);
}

static void store_by_this_peer_carries_rising_times(void)
{
    FakePeer *fake = fake_new();
    const PealStoreItem item = {.resource = fake_id(0x20),
                                .kind = FAKE_SINGLE,
                                .value = {(const uint8_t *)"x", 1},
                                .lifetime_s = 60,
                                .exists = true};
    PealStoreItem wrong = item;
    FakePeer *owner = fake_new_at(0x30, 0x10);

    CU_ASSERT_EQUAL(peal_peer_store(&fake->peer, &item, 7), 0);
    CU_ASSERT_EQUAL(peal_peer_store(&fake->peer, &item, 8), 0);
    CU_ASSERT(fake_request(fake, 0)->spec.to_resource);
    fake_deliver(fake, fake_request(fake, 0), owner);
    CU_ASSERT(fake->token == 7 && fake->outcome.status == 0);
    CU_ASSERT_EQUAL(fake->outcome.responder.bytes[0], 0x30);
    fake_deliver(fake, fake_request(fake, 0), owner);
    CU_ASSERT(fake->token == 8 && fake->outcome.status == 0);
    CU_ASSERT_EQUAL(fake_generation(owner, 0), 2); /* the second one was newer */
    wrong.kind = FAKE_UNKNOWN;
    CU_ASSERT_EQUAL(peal_peer_store(&fake->peer, &wrong, 9), -PEAL_E_ARG);
    wrong = item;
    wrong.exists = false;
    CU_ASSERT_EQUAL(peal_peer_store(&fake->peer, &wrong, 9), -PEAL_E_ARG);
    fake->peer.state = PEAL_PEER_JOINING;
    CU_ASSERT_EQUAL(peal_peer_store(&fake->peer, &item, 9), -PEAL_E_STATE);
    fake->requests_limit = 1;
    fake->peer.state = PEAL_PEER_JOINED;
    CU_ASSERT_EQUAL(peal_peer_store(&fake->peer, &item, 9), 0);
    CU_ASSERT_EQUAL(peal_peer_store(&fake->peer, &item, 9), -PEAL_E_FULL);
    fake_fail(fake, fake_request(fake, 0), -PEAL_E_TIMEOUT);
    CU_ASSERT_EQUAL(fake->outcome.status, -PEAL_E_TIMEOUT);
    fake_free(owner);
    fake_free(fake);
}

PEAL_TEST_MAIN("core/store", PEAL_TEST(store_single_value_is_fetched_and_overwritten),
               PEAL_TEST(store_answer_names_generation_and_replica_set),
               PEAL_TEST(store_on_empty_neighbour_table_names_no_replicas),
               PEAL_TEST(store_generation_rises_only_when_data_changes),
               PEAL_TEST(store_with_wrong_generation_is_too_low_and_tells_all_counters),
               PEAL_TEST(store_older_value_is_data_too_old),
               PEAL_TEST(store_of_several_kinds_is_all_or_nothing),
               PEAL_TEST(store_without_memory_changes_nothing),
               PEAL_TEST(store_of_unknown_kinds_lists_them),
               PEAL_TEST(store_naming_a_kind_twice_is_invalid),
               PEAL_TEST(store_of_garbage_is_invalid), PEAL_TEST(store_elsewhere_is_forbidden),
               PEAL_TEST(store_range_wraps_at_zero),
               PEAL_TEST(store_replica_sets_generation_and_goes_no_further),
               PEAL_TEST(store_replica_of_generation_0_is_invalid),
               PEAL_TEST(store_replica_from_implausible_sender_is_forbidden),
               PEAL_TEST(store_replica_out_of_range_is_forbidden),
               PEAL_TEST(store_older_replica_is_data_too_old),
               PEAL_TEST(store_signed_by_nobody_is_forbidden),
               PEAL_TEST(store_under_another_nodes_key_is_forbidden),
               PEAL_TEST(store_node_match_wants_the_hash_of_the_signer),
               PEAL_TEST(store_beyond_a_kinds_limits_is_data_too_large),
               PEAL_TEST(store_beyond_the_peers_resources_is_data_too_large),
               PEAL_TEST(store_appends_at_the_end_of_a_sparse_array),
               PEAL_TEST(store_of_one_key_twice_takes_them_in_turn),
               PEAL_TEST(store_removal_outlasts_what_it_removed),
               PEAL_TEST(store_value_ends_with_its_lifetime),
               PEAL_TEST(store_gives_everything_back_when_all_has_ended),
               PEAL_TEST(store_values_that_end_together_leave_the_others_as_they_are),
               PEAL_TEST(store_by_this_peer_carries_rising_times))
