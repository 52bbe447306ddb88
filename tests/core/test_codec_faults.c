/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_codec_faults.c - what the decoders refuse, and by which name.
 */
#include "core/golden.h"
#include "core/reencode.h"
#include "peal_test.h"
#include "reload/bytes.h"
#include "reload/wire.h"

static uint8_t scratch[131072];

/* Decodes bytes that lie in memory of exactly their size. */
static int decode_exact(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    Writer w = writer_make(scratch, sizeof(scratch));
    int error;

    if (copy == NULL) {
        abort();
    }
    memcpy(copy, bytes, len);
    error = reencode_message((PealBytes){copy, len}, &w);
    free(copy);
    return error;
}

static int decode_body_exact(ReloadCode code, const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    Writer w = writer_make(scratch, sizeof(scratch));
    int error;

    if (copy == NULL) {
        abort();
    }
    if (len > 0) {
        memcpy(copy, bytes, len);
    }
    error = reencode_body((uint16_t)code, (PealBytes){copy, len}, &w);
    free(copy);
    return error;
}

#define BODY(code, text) decode_body_exact(code, (const uint8_t *)(text), sizeof(text) - 1)

static void every_message_cut_at_any_byte_is_refused(void)
{
    for (size_t i = 0; i < golden_messages_len; i++) {
        uint8_t golden[GOLDEN_MESSAGE_MAX];
        size_t len = golden_load(golden_messages[i].name, golden, sizeof(golden));

        for (size_t cut = 0; cut < len; cut++) {
            CU_ASSERT_EQUAL(decode_exact(golden, cut), -PEAL_E_TRUNCATED);
        }
    }
}

/* The same, when the header's length agrees with the cut, so that only the inner lengths tell. */
static void every_message_cut_with_its_length_made_to_fit_is_refused(void)
{
    for (size_t i = 0; i < golden_messages_len; i++) {
        uint8_t golden[GOLDEN_MESSAGE_MAX];
        size_t len = golden_load(golden_messages[i].name, golden, sizeof(golden));

        for (size_t cut = RELOAD_HEADER_LEN; cut < len; cut++) {
            bytes_set_u32(golden + WIRE_AT_LENGTH, (uint32_t)cut);
            CU_ASSERT_NOT_EQUAL(decode_exact(golden, cut), 0);
        }
    }
}

static void every_body_cut_at_any_byte_is_refused(void)
{
    for (size_t i = 0; i < golden_messages_len; i++) {
        uint8_t golden[GOLDEN_MESSAGE_MAX];
        size_t len = golden_load(golden_messages[i].name, golden, sizeof(golden));
        ReloadMessage message;

        CU_ASSERT_EQUAL_FATAL(reload_message_decode((PealBytes){golden, len}, &message), 0);
        for (size_t cut = 0; cut < message.body.len; cut++) {
            CU_ASSERT_NOT_EQUAL(decode_body_exact(golden_messages[i].code, message.body.ptr, cut),
                                0);
        }
    }
}

static void trailing_bytes_are_refused_by_name(void)
{
    for (size_t i = 0; i < golden_messages_len; i++) {
        uint8_t golden[GOLDEN_MESSAGE_MAX + 1];
        size_t len = golden_load(golden_messages[i].name, golden, GOLDEN_MESSAGE_MAX);
        ReloadMessage message;
        uint8_t body[GOLDEN_MESSAGE_MAX];

        CU_ASSERT_EQUAL_FATAL(reload_message_decode((PealBytes){golden, len}, &message), 0);
        memcpy(body, message.body.ptr, message.body.len);
        body[message.body.len] = 0;
        CU_ASSERT_EQUAL(decode_body_exact(golden_messages[i].code, body, message.body.len + 1),
                        -PEAL_E_TRAILING);
        golden[len] = 0;
        CU_ASSERT_EQUAL(decode_exact(golden, len + 1), -PEAL_E_TRAILING);
        bytes_set_u32(golden + WIRE_AT_LENGTH, (uint32_t)len + 1);
        CU_ASSERT_EQUAL(decode_exact(golden, len + 1), -PEAL_E_TRAILING);
    }
}

/*
 * Sets every byte in turn to 0xff, which makes every length a huge claim: nothing may be read
 * outside.
 */
static void huge_lengths_never_lead_outside(void)
{
    for (size_t i = 0; i < golden_messages_len; i++) {
        uint8_t golden[GOLDEN_MESSAGE_MAX];
        size_t len = golden_load(golden_messages[i].name, golden, sizeof(golden));

        for (size_t at = 0; at < len; at++) {
            uint8_t kept = golden[at];

            golden[at] = 0xff;
            (void)decode_exact(golden, len);
            golden[at] = kept;
        }
        CU_ASSERT_EQUAL(decode_exact(golden, len), 0);
    }
}

static void a_failed_decode_leaves_the_struct_alone(void)
{
    ReloadPingAns ans = {.response_id = 77};
    ReloadMessage message;
    uint8_t golden[GOLDEN_MESSAGE_MAX];
    size_t len = golden_load("ping_ans", golden, sizeof(golden));

    memset(&message, 0xa5, sizeof(message));
    CU_ASSERT_EQUAL(reload_message_decode((PealBytes){golden, len - 1}, &message),
                    -PEAL_E_TRUNCATED);
    CU_ASSERT_EQUAL(message.code, 0xa5a5);
    CU_ASSERT_EQUAL(reload_ping_ans_decode((PealBytes){golden, 15}, &ans), -PEAL_E_TRUNCATED);
    CU_ASSERT_EQUAL(ans.response_id, 77);
}

static int decode_with(const char *name, size_t at, uint8_t value)
{
    uint8_t golden[GOLDEN_MESSAGE_MAX];
    size_t len = golden_load(name, golden, sizeof(golden));

    golden[at] = value;
    return decode_exact(golden, len);
}

static void headers_of_something_else_are_refused_by_name(void)
{
    size_t at_dest = RELOAD_HEADER_LEN;

    CU_ASSERT_EQUAL(decode_with("ping_ans", 0, 0x52), -PEAL_E_TOKEN);
    CU_ASSERT_EQUAL(decode_with("ping_ans", WIRE_AT_VERSION, 1), -PEAL_E_VERSION);
    CU_ASSERT_EQUAL(decode_with("ping_ans", WIRE_AT_FRAGMENT, 0x40), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(decode_with("ping_ans", WIRE_AT_FRAGMENT, 0x80), -PEAL_E_STATE);
    CU_ASSERT_EQUAL(decode_with("ping_ans", WIRE_AT_FRAGMENT + 3, 1), -PEAL_E_STATE);
    CU_ASSERT_EQUAL(decode_with("probe_req", at_dest, 0), -PEAL_E_UNKNOWN);
    CU_ASSERT_EQUAL(decode_with("probe_req", at_dest, 4), -PEAL_E_UNKNOWN);
    CU_ASSERT_EQUAL(decode_with("probe_req", at_dest + 2, 15), -PEAL_E_LENGTH);
    CU_ASSERT_EQUAL(decode_with("join_req", at_dest + 1, 15), -PEAL_E_LENGTH);
    CU_ASSERT_EQUAL(decode_with("ping_req_named", at_dest + 18, 0), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(decode_with("probe_req", WIRE_AT_DEST_LEN + 1, 0), -PEAL_E_VALUE);
}

static void a_resource_stands_only_at_the_end_of_a_destination_list(void)
{
    uint8_t bytes[128];
    Writer w = writer_make(bytes, sizeof(bytes));

    put_dest_resource(&w, &GOLDEN_RESOURCE);
    CU_ASSERT_EQUAL(reload_dest_list_check(writer_view(&w), true), 0);
    CU_ASSERT_EQUAL(reload_dest_list_check(writer_view(&w), false), -PEAL_E_VALUE);
    put_dest_node(&w, &GOLDEN_NODE_A);
    CU_ASSERT_EQUAL(reload_dest_list_check(writer_view(&w), true), -PEAL_E_VALUE);
}

static void an_id_without_bytes_is_refused(void)
{
    PealBytes resource = {(const uint8_t *)"\x02\x01\0", 3};
    PealBytes opaque = {(const uint8_t *)"\x03\x01\0", 3};

    CU_ASSERT_EQUAL(reload_dest_list_check(resource, true), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(reload_dest_list_check(opaque, true), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(wire_entry_check(resource.ptr, 3), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(wire_entry_check(opaque.ptr, 3), -PEAL_E_VALUE);
}

static void contents_and_security_are_checked(void)
{
    /*
     * ping_req_named: 38 header, 18 destination, 20 options; then code, body, extensions, security.
     */
    size_t code = 38 + 18 + 20;
    size_t security = code + 2 + 4 + 2 + 4;

    CU_ASSERT_EQUAL(decode_with("ping_req_named", code + 1, 0), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(decode_with("ping_req_named", security + 4, 9), -PEAL_E_UNKNOWN);
    CU_ASSERT_EQUAL(decode_with("ping_req_named", security + 4, 3), -PEAL_E_LENGTH);
    CU_ASSERT_EQUAL(decode_with("ping_req_named", security + 8, 31), -PEAL_E_LENGTH);
    CU_ASSERT_EQUAL(decode_with("ping_req_named", security + 8, 33), -PEAL_E_TRUNCATED);
    /*
     * ping_ans: 38 header, 18 via, 36 destinations, code, 4 + 16 body, then an extension's type,
     * critical.
     */
    code = 38 + 18 + 36;
    CU_ASSERT_EQUAL(decode_with("ping_ans", code + 2 + 20 + 4 + 2, 2), -PEAL_E_VALUE);
}

static void booleans_are_0_or_1(void)
{
    CU_ASSERT_EQUAL(BODY(RELOAD_ATTACH_REQ, "\0\0\0\0\0\x02"), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(BODY(RELOAD_ATTACH_REQ, "\0\0\0\0\0\x01"), 0);
    CU_ASSERT_EQUAL(BODY(RELOAD_ROUTE_QUERY_REQ, "\x02\x80\x00\0\0"), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(BODY(RELOAD_ROUTE_QUERY_REQ, "\x01\x80\x00\0\0"), 0);
}

static void selects_of_unknown_type_are_refused(void)
{
    CU_ASSERT_EQUAL(BODY(RELOAD_UPDATE_REQ, "\0\0\0\x01\x04"), -PEAL_E_UNKNOWN);
    CU_ASSERT_EQUAL(BODY(RELOAD_UPDATE_REQ, "\0\0\0\x01\x00"), -PEAL_E_UNKNOWN);
    CU_ASSERT_EQUAL(BODY(RELOAD_UPDATE_REQ, "\0\0\0\x01\x02\0\x0f"
                                            "123456789012345\0\0"),
                    -PEAL_E_LENGTH);
    /* candidate type 3 is reserved; 192.0.2.1:1, EXP-LINK, no foundation, priority 0 */
    CU_ASSERT_EQUAL(BODY(RELOAD_ATTACH_REQ, "\0\0\0\0\x11\x01\x06\xc0\0\x02\x01\0\x01\x05\0\0\0\0\0"
                                            "\x03\0\0\0"),
                    -PEAL_E_UNKNOWN);
}

static void what_may_be_extended_is_passed_over(void)
{
    ReloadProbeAns ans;
    ReloadProbeInfo info;
    ReloadAttach attach;
    ReloadCandidate candidate;
    /* probe: type 9 with 2 bytes, then uptime 7 */
    PealBytes probe = {(const uint8_t *)"\0\x0a\x09\x02\xaa\xbb\x03\x04\0\0\0\x07", 12};
    /* attach: a candidate at an address of type 7, then one at 192.0.2.1:1 */
    PealBytes body = {(const uint8_t *)"\0\0\0\0\x1f"
                                       "\x07\x03"
                                       "abc"
                                       "\x05\0\0\0\0\0\x01\0\0"
                                       "\x01\x06\xc0\0\x02\x01\0\x01\x05\0\0\0\0\0\x01\0\0"
                                       "\x01",
                      5 + 14 + 17 + 1};

    CU_ASSERT_EQUAL_FATAL(reload_probe_ans_decode(probe, &ans), 0);
    CU_ASSERT_TRUE(reload_probe_info_next(&ans.infos, &info));
    CU_ASSERT_TRUE(info.type == RELOAD_PROBE_UPTIME && info.value == 7);
    CU_ASSERT_FALSE(reload_probe_info_next(&ans.infos, &info));
    CU_ASSERT_EQUAL_FATAL(reload_attach_decode(body, &attach), 0);
    CU_ASSERT_TRUE(reload_candidate_next(&attach.candidates, &candidate));
    CU_ASSERT_TRUE(candidate.addr.family == 4 && candidate.addr.ip[3] == 1);
    CU_ASSERT_FALSE(reload_candidate_next(&attach.candidates, &candidate));
}

static void candidates_with_and_without_ice_do_not_mix(void)
{
    uint8_t list_bytes[128];
    uint8_t bytes[256];
    static const uint8_t links[][2] = {{1, 3}, {5, 1}, {4, 1}};

    for (size_t i = 0; i < 3; i++) {
        Writer list = writer_make(list_bytes, sizeof(list_bytes));
        Writer w = writer_make(bytes, sizeof(bytes));
        ReloadAttach attach;

        for (size_t k = 0; k < 2; k++) {
            put_candidate(&list, &(ReloadCandidate){.addr = {.family = 4},
                                                    .link = links[i][k],
                                                    .type = RELOAD_CANDIDATE_HOST});
        }
        put_attach(&w, &(ReloadAttach){.candidates = writer_view(&list)});
        CU_ASSERT_EQUAL(reload_attach_decode(writer_view(&w), &attach), -PEAL_E_VALUE);
    }
}

static void elements_that_must_be_unique_are_not_repeated(void)
{
    /* A Store of Kind 1 twice, without values. */
    CU_ASSERT_EQUAL(BODY(RELOAD_STORE_REQ, "\x01r\0\0\0\0\x20"
                                           "\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0"
                                           "\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0"),
                    -PEAL_E_DUPLICATE);
    CU_ASSERT_EQUAL(BODY(RELOAD_FIND_REQ, "\x01r\x08\0\0\0\x01\0\0\0\x01"), -PEAL_E_DUPLICATE);
    CU_ASSERT_EQUAL(BODY(RELOAD_FIND_REQ, "\x01r\x07\0\0\0\x01\0\0\0"), -PEAL_E_LENGTH);
}

static void selectors_fit_their_model(void)
{
    PealBytes elements;
    /* two ranges 0-3 and 8-9; overlapping 0-3 and 3-9; reversed 5-4 */
    PealBytes good = {(const uint8_t *)"\0\x10\0\0\0\x08\0\0\0\x09\0\0\0\0\0\0\0\x03", 18};
    PealBytes touching = {(const uint8_t *)"\0\x10\0\0\0\0\0\0\0\x03\0\0\0\x03\0\0\0\x09", 18};
    PealBytes reversed = {(const uint8_t *)"\0\x08\0\0\0\x05\0\0\0\x04", 10};

    CU_ASSERT_EQUAL(reload_selector_check(good, PEAL_MODEL_ARRAY, &elements), 0);
    CU_ASSERT_EQUAL(elements.len, 16);
    CU_ASSERT_EQUAL(reload_selector_check(touching, PEAL_MODEL_ARRAY, &elements), -PEAL_E_OVERLAP);
    CU_ASSERT_EQUAL(reload_selector_check(reversed, PEAL_MODEL_ARRAY, &elements), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(reload_selector_check(good, PEAL_MODEL_SINGLE, &elements), -PEAL_E_TRAILING);
    CU_ASSERT_EQUAL(reload_selector_check((PealBytes){good.ptr, 17}, PEAL_MODEL_ARRAY, &elements),
                    -PEAL_E_TRUNCATED);
    CU_ASSERT_EQUAL(reload_selector_check((PealBytes){NULL, 0}, PEAL_MODEL_SINGLE, &elements), 0);
    CU_ASSERT_EQUAL(reload_selector_check((PealBytes){NULL, 0}, PEAL_MODEL_DICTIONARY, &elements),
                    -PEAL_E_TRUNCATED);
    CU_ASSERT_EQUAL(reload_selector_check((PealBytes){(const uint8_t *)"\0\x03\0\x02k", 5},
                                          PEAL_MODEL_DICTIONARY, &elements),
                    -PEAL_E_TRUNCATED);
}

static void more_ranges_than_can_be_compared_are_refused(void)
{
    static uint8_t bytes[2 + 257 * 8];
    ReloadRange ranges[257];
    Writer w = writer_make(bytes, sizeof(bytes));
    PealBytes elements;

    for (uint32_t i = 0; i < 257; i++) {
        ranges[i] = (ReloadRange){2 * i, 2 * i};
    }
    put_ranges(&w, ranges, 256);
    CU_ASSERT_EQUAL(reload_selector_check(writer_view(&w), PEAL_MODEL_ARRAY, &elements), 0);
    w = writer_make(bytes, sizeof(bytes));
    put_ranges(&w, ranges, 257);
    CU_ASSERT_EQUAL(reload_selector_check(writer_view(&w), PEAL_MODEL_ARRAY, &elements),
                    -PEAL_E_TOO_LARGE);
}

static void stored_values_are_checked_by_their_model(void)
{
    uint8_t bytes[256];
    Writer w = writer_make(bytes, sizeof(bytes));
    ReloadStored stored = {.exists = true,
                           .value = {(const uint8_t *)"v", 1},
                           .signature = {.identity = RELOAD_SIGNER_NONE}};
    ReloadStored back;
    PealBytes list;

    put_stored(&w, PEAL_MODEL_ARRAY, &stored);
    list = writer_view(&w);
    CU_ASSERT_EQUAL(reload_stored_check(list, PEAL_MODEL_ARRAY), 0);
    CU_ASSERT_NOT_EQUAL(reload_stored_check(list, PEAL_MODEL_SINGLE), 0);
    /* length 4, time 8, lifetime 4, index 4: then `exists` */
    bytes[20] = 2;
    CU_ASSERT_EQUAL(reload_stored_check(list, PEAL_MODEL_ARRAY), -PEAL_E_VALUE);
    bytes[20] = 0; /* does not exist, but has a byte of value */
    CU_ASSERT_EQUAL(reload_stored_check(list, PEAL_MODEL_ARRAY), -PEAL_E_VALUE);
    CU_ASSERT_FALSE(reload_stored_next(&list, PEAL_MODEL_ARRAY, &back));
    bytes[20] = 1;
    bytes[3]++; /* one byte more than there is */
    CU_ASSERT_EQUAL(reload_stored_check(list, PEAL_MODEL_ARRAY), -PEAL_E_TRUNCATED);
    CU_ASSERT_EQUAL(reload_stored_meta_check(list, PEAL_MODEL_ARRAY), -PEAL_E_TRUNCATED);
}

static void registrations_are_checked(void)
{
    SipRegistration registration;
    PealBytes unknown = {(const uint8_t *)"\x03\0\0", 3};
    PealBytes no_dest = {(const uint8_t *)"\x02\0\x04\0\0\0\0", 7};
    PealBytes gap = {(const uint8_t *)"\x01\0\x04\0\x01s!", 7};

    CU_ASSERT_EQUAL(reload_sip_registration_decode(unknown, &registration), -PEAL_E_UNKNOWN);
    CU_ASSERT_EQUAL(reload_sip_registration_decode(no_dest, &registration), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(reload_sip_registration_decode(gap, &registration), -PEAL_E_LENGTH);
}

PEAL_TEST_MAIN(
    "core/codec_faults", PEAL_TEST(every_message_cut_at_any_byte_is_refused),
    PEAL_TEST(every_message_cut_with_its_length_made_to_fit_is_refused),
    PEAL_TEST(every_body_cut_at_any_byte_is_refused), PEAL_TEST(trailing_bytes_are_refused_by_name),
    PEAL_TEST(huge_lengths_never_lead_outside), PEAL_TEST(a_failed_decode_leaves_the_struct_alone),
    PEAL_TEST(headers_of_something_else_are_refused_by_name),
    PEAL_TEST(a_resource_stands_only_at_the_end_of_a_destination_list),
    PEAL_TEST(an_id_without_bytes_is_refused), PEAL_TEST(contents_and_security_are_checked),
    PEAL_TEST(booleans_are_0_or_1), PEAL_TEST(selects_of_unknown_type_are_refused),
    PEAL_TEST(what_may_be_extended_is_passed_over),
    PEAL_TEST(candidates_with_and_without_ice_do_not_mix),
    PEAL_TEST(elements_that_must_be_unique_are_not_repeated), PEAL_TEST(selectors_fit_their_model),
    PEAL_TEST(more_ranges_than_can_be_compared_are_refused),
    PEAL_TEST(stored_values_are_checked_by_their_model), PEAL_TEST(registrations_are_checked))
