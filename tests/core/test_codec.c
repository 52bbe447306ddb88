/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_codec.c - every message type: the golden bytes, and the way there and back.
 */
#include "core/golden.h"
#include "core/reencode.h"
#include "peal_test.h"

/*
 * Messages are read from memory of exactly their size, so that the address sanitizer sees one byte
 * too far.
 */
static uint8_t *exact_copy(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);

    if (copy == NULL) {
        abort();
    }
    if (len > 0) {
        memcpy(copy, bytes, len);
    }
    return copy;
}

static void every_message_encodes_to_its_golden_bytes(void)
{
    for (size_t i = 0; i < golden_messages_len; i++) {
        uint8_t built[GOLDEN_MESSAGE_MAX];
        uint8_t golden[GOLDEN_MESSAGE_MAX];
        size_t built_len = golden_build(&golden_messages[i], built, sizeof(built));
        size_t golden_len = golden_load(golden_messages[i].name, golden, sizeof(golden));
        bool same =
            golden_len > 0 && built_len == golden_len && memcmp(built, golden, golden_len) == 0;

        if (!same) {
            printf("# %s: %zu bytes, golden %zu\n", golden_messages[i].name, built_len, golden_len);
        }
        CU_ASSERT_TRUE(same);
    }
}

static void every_message_decodes_and_encodes_to_the_same_bytes(void)
{
    for (size_t i = 0; i < golden_messages_len; i++) {
        uint8_t golden[GOLDEN_MESSAGE_MAX];
        uint8_t again[GOLDEN_MESSAGE_MAX];
        Writer w = writer_make(again, sizeof(again));
        size_t len = golden_load(golden_messages[i].name, golden, sizeof(golden));
        uint8_t *packet = exact_copy(golden, len);
        int error = reencode_message((PealBytes){packet, len}, &w);

        CU_ASSERT_EQUAL(error, 0);
        CU_ASSERT_FALSE(w.overflow);
        CU_ASSERT_EQUAL(w.len, len);
        if (error != 0 || w.len != len || memcmp(again, golden, len) != 0) {
            printf("# %s: %s\n", golden_messages[i].name, peal_error_text(error));
            CU_FAIL("differs");
        }
        free(packet);
    }
}

static void every_message_code_has_a_golden_message(void)
{
    static const uint16_t codes[] = {
#define X(name, code, text) (code),
        RELOAD_CODES(X)
#undef X
    };

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        bool found = false;

        for (size_t k = 0; k < golden_messages_len; k++) {
            found = found || golden_messages[k].code == codes[i];
        }
        CU_ASSERT_TRUE(found);
        CU_ASSERT_PTR_NOT_NULL(reload_code_name(codes[i]));
    }
    CU_ASSERT_PTR_NULL(reload_code_name(5));
    CU_ASSERT_STRING_EQUAL(reload_code_name(RELOAD_PING_REQ), "ping_req");
    CU_ASSERT_TRUE(reload_code_is_request(RELOAD_PING_REQ));
    CU_ASSERT_FALSE(reload_code_is_request(RELOAD_PING_ANS));
    CU_ASSERT_FALSE(reload_code_is_request(RELOAD_ERROR));
}

static ReloadMessage decode_golden(const char *name, uint8_t bytes[GOLDEN_MESSAGE_MAX])
{
    ReloadMessage message;
    size_t len = golden_load(name, bytes, GOLDEN_MESSAGE_MAX);

    CU_ASSERT_EQUAL_FATAL(reload_message_decode((PealBytes){bytes, len}, &message), 0);
    return message;
}

static void header_fields_and_lists_are_read(void)
{
    uint8_t bytes[GOLDEN_MESSAGE_MAX];
    ReloadMessage message = decode_golden("ping_req", bytes);
    PealBytes via = message.header.via;
    PealBytes dest = message.header.dest;
    ReloadDest entry;

    CU_ASSERT_EQUAL(message.header.overlay, GOLDEN_OVERLAY_HASH);
    CU_ASSERT_EQUAL(message.header.config_sequence, 1);
    CU_ASSERT_EQUAL(message.header.ttl, 98);
    CU_ASSERT_EQUAL(message.header.fragment, RELOAD_FRAGMENT_WHOLE);
    CU_ASSERT_EQUAL(message.header.transaction, GOLDEN_TRANSACTION);
    CU_ASSERT_EQUAL(message.header.max_response_length, 2000);
    CU_ASSERT_EQUAL(message.code, RELOAD_PING_REQ);
    CU_ASSERT_TRUE(reload_dest_next(&via, &entry));
    CU_ASSERT_TRUE(entry.type == RELOAD_DEST_NODE && peal_id_equal(&entry.id, &GOLDEN_NODE_A));
    CU_ASSERT_TRUE(reload_dest_next(&via, &entry));
    CU_ASSERT_TRUE(entry.type == RELOAD_DEST_NODE && peal_id_equal(&entry.id, &GOLDEN_NODE_B));
    CU_ASSERT_FALSE(reload_dest_next(&via, &entry));
    CU_ASSERT_TRUE(reload_dest_next(&dest, &entry));
    CU_ASSERT_TRUE(entry.type == RELOAD_DEST_OPAQUE && entry.opaque.len == 2 &&
                   entry.opaque.ptr[0] == 0x81);
    CU_ASSERT_TRUE(reload_dest_next(&dest, &entry));
    CU_ASSERT_TRUE(entry.type == RELOAD_DEST_OPAQUE && entry.opaque.len == 3);
    CU_ASSERT_TRUE(reload_dest_next(&dest, &entry));
    CU_ASSERT_TRUE(entry.type == RELOAD_DEST_RESOURCE &&
                   peal_id_equal(&entry.id, &GOLDEN_RESOURCE));
    CU_ASSERT_EQUAL(dest.len, 0);
}

static void options_and_extensions_are_read(void)
{
    uint8_t bytes[GOLDEN_MESSAGE_MAX];
    ReloadMessage message = decode_golden("ping_req_named", bytes);
    ReloadOption option;
    ReloadExtension extension;

    CU_ASSERT_TRUE(reload_option_next(&message.header.options, &option));
    CU_ASSERT_EQUAL(option.type, RELOAD_OPTION_EXP_FORWARD);
    CU_ASSERT_EQUAL(option.value.len, PEAL_ID_LEN);
    message = decode_golden("ping_ans", bytes);
    CU_ASSERT_TRUE(reload_extension_next(&message.extensions, &extension));
    CU_ASSERT_EQUAL(extension.type, 0xfffe);
    CU_ASSERT_FALSE(extension.critical);
    CU_ASSERT_EQUAL(extension.contents.len, 2);
}

static void candidates_are_read(void)
{
    uint8_t bytes[GOLDEN_MESSAGE_MAX];
    ReloadMessage message = decode_golden("attach_ans", bytes);
    ReloadAttach attach;
    ReloadCandidate candidate;

    CU_ASSERT_EQUAL_FATAL(reload_attach_decode(message.body, &attach), 0);
    CU_ASSERT_EQUAL(attach.ufrag.len, 4);
    CU_ASSERT_TRUE(attach.role.len == 6 && memcmp(attach.role.ptr, "active", 6) == 0);
    CU_ASSERT_FALSE(attach.send_update);
    CU_ASSERT_TRUE(reload_candidate_next(&attach.candidates, &candidate));
    CU_ASSERT_EQUAL(candidate.addr.family, 6);
    CU_ASSERT_EQUAL(candidate.addr.ip[15], 1);
    CU_ASSERT_EQUAL(candidate.addr.port, 6084);
    CU_ASSERT_EQUAL(candidate.priority, 0x7effffff);
    CU_ASSERT_TRUE(reload_candidate_next(&attach.candidates, &candidate));
    CU_ASSERT_EQUAL(candidate.type, RELOAD_CANDIDATE_SRFLX);
    CU_ASSERT_EQUAL(candidate.related.port, 6084);
    CU_ASSERT_EQUAL(candidate.related.family, 4);
    CU_ASSERT_FALSE(reload_candidate_next(&attach.candidates, &candidate));
}

static void stored_values_of_the_three_models_are_read(void)
{
    uint8_t bytes[GOLDEN_MESSAGE_MAX];
    ReloadMessage message = decode_golden("store_req_models", bytes);
    ReloadStoreReq store;
    ReloadKindData kind;
    ReloadStored stored;

    CU_ASSERT_EQUAL_FATAL(reload_store_req_decode(message.body, &store), 0);
    CU_ASSERT_EQUAL(store.replica, 1);
    CU_ASSERT_TRUE(reload_kind_data_next(&store.kinds, &kind));
    CU_ASSERT_EQUAL(kind.kind, 2);
    CU_ASSERT_EQUAL(kind.generation, 7);
    CU_ASSERT_TRUE(reload_stored_next(&kind.values, PEAL_MODEL_SINGLE, &stored));
    CU_ASSERT_EQUAL(stored.value.len, 9);
    CU_ASSERT_EQUAL(stored.storage_time_ms, GOLDEN_TIME_MS);
    CU_ASSERT_EQUAL(stored.lifetime_s, 3600);
    CU_ASSERT_TRUE(reload_kind_data_next(&store.kinds, &kind));
    CU_ASSERT_TRUE(reload_stored_next(&kind.values, PEAL_MODEL_ARRAY, &stored));
    CU_ASSERT_TRUE(stored.index == 0 && stored.exists);
    CU_ASSERT_TRUE(reload_stored_next(&kind.values, PEAL_MODEL_ARRAY, &stored));
    CU_ASSERT_TRUE(stored.index == 5 && !stored.exists);
    CU_ASSERT_FALSE(reload_stored_next(&kind.values, PEAL_MODEL_ARRAY, &stored));
}

static void a_registration_is_read(void)
{
    uint8_t bytes[GOLDEN_MESSAGE_MAX];
    ReloadMessage message = decode_golden("fetch_ans", bytes);
    ReloadFetchAns fetched;
    ReloadKindData kind;
    ReloadStored stored;
    SipRegistration registration;
    ReloadDest dest;

    CU_ASSERT_EQUAL_FATAL(reload_fetch_ans_decode(message.body, &fetched), 0);
    CU_ASSERT_TRUE_FATAL(reload_kind_data_next(&fetched.kinds, &kind));
    CU_ASSERT_TRUE_FATAL(reload_stored_next(&kind.values, PEAL_MODEL_DICTIONARY, &stored));
    CU_ASSERT_EQUAL(reload_sip_registration_decode(stored.value, &registration), 0);
    CU_ASSERT_EQUAL(registration.type, SIP_REGISTRATION_URI);
    CU_ASSERT_EQUAL(registration.uri.len, strlen("sip:bob@example.net"));
    CU_ASSERT_TRUE_FATAL(reload_stored_next(&kind.values, PEAL_MODEL_DICTIONARY, &stored));
    CU_ASSERT_TRUE(stored.key.len == PEAL_ID_LEN &&
                   memcmp(stored.key.ptr, GOLDEN_NODE_B.bytes, PEAL_ID_LEN) == 0);
    CU_ASSERT_EQUAL(reload_sip_registration_decode(stored.value, &registration), 0);
    CU_ASSERT_EQUAL(registration.type, SIP_REGISTRATION_ROUTE);
    CU_ASSERT_TRUE(reload_dest_next(&registration.dest, &dest));
    CU_ASSERT_TRUE(peal_id_equal(&dest.id, &GOLDEN_NODE_B));
    CU_ASSERT_TRUE_FATAL(reload_stored_next(&kind.values, PEAL_MODEL_DICTIONARY, &stored));
    CU_ASSERT_FALSE(stored.exists);
    CU_ASSERT_EQUAL(stored.signature.identity, RELOAD_SIGNER_NONE);
}

static void a_writer_that_is_too_small_overflows_and_stays_within_bounds(void)
{
    for (size_t i = 0; i < golden_messages_len; i++) {
        uint8_t golden[GOLDEN_MESSAGE_MAX];
        size_t len = golden_load(golden_messages[i].name, golden, sizeof(golden));

        for (size_t cap = 0; cap < len; cap += 7) {
            uint8_t *small = exact_copy(golden, cap);

            CU_ASSERT_EQUAL(golden_build(&golden_messages[i], small, cap), 0);
            free(small);
        }
    }
}

static void a_length_that_its_field_cannot_hold_overflows(void)
{
    static const uint8_t long_bytes[70000];
    static uint8_t out[200000];
    Writer w = writer_make(out, sizeof(out));

    put_ping_req(&w, &(ReloadPingReq){{long_bytes, 65535}});
    CU_ASSERT_FALSE(w.overflow);
    put_ping_req(&w, &(ReloadPingReq){{long_bytes, 65536}});
    CU_ASSERT_TRUE(w.overflow);
    w = writer_make(out, sizeof(out));
    put_probe_req(&w, &(ReloadProbeReq){{long_bytes, 256}});
    CU_ASSERT_TRUE(w.overflow);
    w = writer_make(out, sizeof(out));
    (void)reload_message_begin(&w, &(ReloadHeader){.via = {long_bytes, 65536}}, RELOAD_PING_REQ);
    CU_ASSERT_TRUE(w.overflow);
}

PEAL_TEST_MAIN("core/codec", PEAL_TEST(every_message_encodes_to_its_golden_bytes),
               PEAL_TEST(every_message_decodes_and_encodes_to_the_same_bytes),
               PEAL_TEST(every_message_code_has_a_golden_message),
               PEAL_TEST(header_fields_and_lists_are_read),
               PEAL_TEST(options_and_extensions_are_read), PEAL_TEST(candidates_are_read),
               PEAL_TEST(stored_values_of_the_three_models_are_read),
               PEAL_TEST(a_registration_is_read),
               PEAL_TEST(a_writer_that_is_too_small_overflows_and_stays_within_bounds),
               PEAL_TEST(a_length_that_its_field_cannot_hold_overflows))
