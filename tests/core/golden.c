/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * golden.c - the messages of tests/golden as calls to the codec.
 */
#include "core/golden.h"

#include <stdio.h>
#include <stdlib.h>

#include "security/sample.h"
#include "security/security.h"

const PealId GOLDEN_NODE_A = {{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa,
                               0xbb, 0xcc, 0xdd, 0xee, 0xff}};
const PealId GOLDEN_NODE_B = {{0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a,
                               0x1b, 0x1c, 0x1d, 0x1e, 0x1f}};
const PealId GOLDEN_NODE_C = {{0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a,
                               0x2b, 0x2c, 0x2d, 0x2e, 0x2f}};
const PealId GOLDEN_RESOURCE = {{0x97, 0xec, 0x78, 0xb2, 0x92, 0xab, 0x06, 0xa5, 0xb6, 0x4d, 0x5c,
                                 0xc5, 0x01, 0x40, 0xb2, 0xa3}};

#define BYTES(id) ((PealBytes){(id).bytes, PEAL_ID_LEN})
#define TEXT(text) ((PealBytes){(const uint8_t *)(text), sizeof(text) - 1})
#define NOTHING ((PealBytes){NULL, 0})

static const PealAddr host_addr = {.ip = {192, 0, 2, 1}, .port = 6084, .family = 4};

/* Parts of headers */

static void to_a(Writer *w)
{
    put_dest_node(w, &GOLDEN_NODE_A);
}

static void to_b(Writer *w)
{
    put_dest_node(w, &GOLDEN_NODE_B);
}

static void to_b_then_a(Writer *w)
{
    to_b(w);
    to_a(w);
}

static void to_wildcard(Writer *w)
{
    put_dest_node(w, &PEAL_ID_WILDCARD);
}

static void to_opaque_then_resource(Writer *w)
{
    put_dest(w, &(ReloadDest){.type = RELOAD_DEST_OPAQUE, .opaque = TEXT("\x81\x23")});
    put_dest(w, &(ReloadDest){.type = RELOAD_DEST_OPAQUE, .opaque = TEXT("\x01\x02\x03")});
    put_dest(w, &(ReloadDest){.type = RELOAD_DEST_RESOURCE, .id = GOLDEN_RESOURCE});
}

static void via_a_and_b(Writer *w)
{
    to_a(w);
    to_b(w);
}

static void via_c(Writer *w)
{
    put_dest_node(w, &GOLDEN_NODE_C);
}

static void option_names_a(Writer *w)
{
    put_option(w,
               &(ReloadOption){.type = RELOAD_OPTION_EXP_FORWARD, .value = BYTES(GOLDEN_NODE_A)});
}

static void extension_unknown(Writer *w)
{
    put_extension(w, &(ReloadExtension){.type = 0xfffe, .contents = TEXT("\x01\x02")});
}

/* Bodies of the overlay's upkeep */

static void nothing(Writer *w)
{
    (void)w;
}

static void probe_req(Writer *w)
{
    put_probe_req(w, &(ReloadProbeReq){TEXT("\x01\x02\x03")});
}

static void probe_ans(Writer *w)
{
    uint8_t bytes[64];
    Writer infos = writer_make(bytes, sizeof(bytes));

    put_probe_info(&infos, &(ReloadProbeInfo){RELOAD_PROBE_RESPONSIBLE_SET, 125000000});
    put_probe_info(&infos, &(ReloadProbeInfo){RELOAD_PROBE_NUM_RESOURCES, 42});
    put_probe_info(&infos, &(ReloadProbeInfo){RELOAD_PROBE_UPTIME, 86400});
    put_probe_ans(w, &(ReloadProbeAns){writer_view(&infos)});
}

static void join_req(Writer *w)
{
    put_join_req(w, &(ReloadJoinReq){.joining = GOLDEN_NODE_A});
}

static void join_ans(Writer *w)
{
    put_join_ans(w, &(ReloadJoinAns){NOTHING});
}

static PealBytes ids(uint8_t bytes[3 * PEAL_ID_LEN], const char *names)
{
    size_t len = 0;

    for (; *names != '\0'; names++, len += PEAL_ID_LEN) {
        const PealId *id = *names == 'A'   ? &GOLDEN_NODE_A
                           : *names == 'B' ? &GOLDEN_NODE_B
                                           : &GOLDEN_NODE_C;

        memcpy(bytes + len, id->bytes, PEAL_ID_LEN);
    }
    return (PealBytes){bytes, len};
}

static void leave_req(Writer *w)
{
    uint8_t list[3 * PEAL_ID_LEN];
    uint8_t bytes[64];
    Writer data = writer_make(bytes, sizeof(bytes));

    put_chord_leave(&data, &(ChordLeave){CHORD_LEAVE_FROM_SUCC, ids(list, "BC")});
    put_leave_req(w, &(ReloadLeaveReq){GOLDEN_NODE_A, writer_view(&data)});
}

static void update_ready(Writer *w)
{
    put_chord_update(w, &(ChordUpdate){.uptime_s = 5, .type = CHORD_UPDATE_PEER_READY});
}

static void update_neighbors(Writer *w)
{
    uint8_t before[3 * PEAL_ID_LEN];
    uint8_t after[3 * PEAL_ID_LEN];

    put_chord_update(w, &(ChordUpdate){.uptime_s = 60,
                                       .type = CHORD_UPDATE_NEIGHBORS,
                                       .predecessors = ids(before, "C"),
                                       .successors = ids(after, "BC")});
}

static void update_full(Writer *w)
{
    uint8_t before[3 * PEAL_ID_LEN];
    uint8_t after[3 * PEAL_ID_LEN];
    uint8_t fingers[3 * PEAL_ID_LEN];

    put_chord_update(w, &(ChordUpdate){.uptime_s = 61,
                                       .type = CHORD_UPDATE_FULL,
                                       .predecessors = ids(before, "C"),
                                       .successors = ids(after, "B"),
                                       .fingers = ids(fingers, "ABC")});
}

static void route_query_req(Writer *w)
{
    put_route_query_req(w, &(ReloadRouteQueryReq){.send_update = true,
                                                  .dest = {.type = RELOAD_DEST_RESOURCE,
                                                           .id = GOLDEN_RESOURCE}});
}

static void route_query_ans(Writer *w)
{
    put_chord_route_query_ans(w, &(ChordRouteQueryAns){GOLDEN_NODE_C});
}

static void ping_padded(Writer *w)
{
    static const uint8_t zeros[16];

    put_ping_req(w, &(ReloadPingReq){{zeros, sizeof(zeros)}});
}

static void ping_empty(Writer *w)
{
    put_ping_req(w, &(ReloadPingReq){NOTHING});
}

static void ping_ans(Writer *w)
{
    put_ping_ans(w, &(ReloadPingAns){UINT64_C(0xfedcba9876543210), GOLDEN_TIME_MS});
}

static void config_update(Writer *w)
{
    put_config_update_req(w,
                          &(ReloadConfigUpdateReq){
                              RELOAD_CONFIG_UPDATE_CONFIG,
                              TEXT("<overlay xmlns=\"urn:ietf:params:xml:ns:p2p:config-base\"/>")});
}

static void config_update_kind(Writer *w)
{
    uint8_t bytes[128];
    Writer kinds = writer_make(bytes, sizeof(bytes));

    put_kind_description(&kinds, TEXT("<kind name=\"SIP-REGISTRATION\"/>"));
    put_kind_description(&kinds, TEXT("<kind id=\"4026531841\"/>"));
    put_config_update_req(w,
                          &(ReloadConfigUpdateReq){RELOAD_CONFIG_UPDATE_KIND, writer_view(&kinds)});
}

static void error_not_found(Writer *w)
{
    put_error(w, &(ReloadErrorRes){RELOAD_ERROR_NOT_FOUND, TEXT("no such resource")});
}

/* Bodies that set links up */

static PealBytes host_candidate(uint8_t bytes[64])
{
    Writer w = writer_make(bytes, 64);

    put_candidate(&w, &(ReloadCandidate){.addr = host_addr,
                                         .link = RELOAD_LINK_EXP,
                                         .foundation = TEXT("1"),
                                         .priority = 0x7effffff,
                                         .type = RELOAD_CANDIDATE_HOST});
    return writer_view(&w);
}

static void attach_req(Writer *w)
{
    uint8_t list[64];

    put_attach(w, &(ReloadAttach){.role = TEXT("passive"),
                                  .candidates = host_candidate(list),
                                  .send_update = true});
}

static void attach_ans(Writer *w)
{
    uint8_t bytes[128];
    Writer list = writer_make(bytes, sizeof(bytes));
    PealAddr six = {.ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, .port = 6084, .family = 6};
    PealAddr outside = {.ip = {203, 0, 113, 7}, .port = 40000, .family = 4};

    put_candidate(&list, &(ReloadCandidate){.addr = six,
                                            .link = RELOAD_LINK_DTLS_UDP_SR,
                                            .foundation = TEXT("h1"),
                                            .priority = 0x7effffff,
                                            .type = RELOAD_CANDIDATE_HOST});
    put_candidate(&list, &(ReloadCandidate){.addr = outside,
                                            .link = RELOAD_LINK_DTLS_UDP_SR,
                                            .foundation = TEXT("s1"),
                                            .priority = 0x64ffffff,
                                            .type = RELOAD_CANDIDATE_SRFLX,
                                            .related = host_addr,
                                            .extensions = TEXT("\0\x0ageneration\0\x01"
                                                               "0")});
    put_attach(w, &(ReloadAttach){.ufrag = TEXT("4f3d"),
                                  .password = TEXT("aabbccddeeff00112233"),
                                  .role = TEXT("active"),
                                  .candidates = writer_view(&list)});
}

static void app_attach(Writer *w, PealBytes role)
{
    uint8_t list[64];

    put_app_attach(w, &(ReloadAppAttach){.application = 5060,
                                         .role = role,
                                         .candidates = host_candidate(list)});
}

static void app_attach_req(Writer *w)
{
    app_attach(w, TEXT("passive"));
}

static void app_attach_ans(Writer *w)
{
    app_attach(w, TEXT("active"));
}

/* Bodies of storage */

static void put_registration_route(Writer *w)
{
    uint8_t bytes[RELOAD_NODE_ENTRY_LEN];
    Writer list = writer_make(bytes, sizeof(bytes));

    to_b(&list);
    put_sip_registration(w, &(SipRegistration){.type = SIP_REGISTRATION_ROUTE,
                                               .dest = writer_view(&list)});
}

static void put_registration_uri(Writer *w)
{
    put_sip_registration(w, &(SipRegistration){.type = SIP_REGISTRATION_URI,
                                               .uri = TEXT("sip:bob@example.net")});
}

/* A TURN server as Kind TURN-SERVICE stores it: iteration 1, 192.0.2.9:3478. */
static void put_turn_server(Writer *w)
{
    put_bytes(w, TEXT("\x01\x01\x06\xc0\x00\x02\x09\x0d\x96"));
}

typedef struct Item {
    PealModel model;
    uint32_t index;
    const PealId *key;
    void (*put_value)(Writer *w);
    const PealId *signer; /* NULL: nobody, for a value made up by the responder */
} Item;

static void put_item(Writer *w, const Item *item)
{
    uint8_t identity[SECURITY_IDENTITY_LEN];
    uint8_t bytes[1024];
    Writer value = writer_make(bytes, sizeof(bytes));
    ReloadStored stored = {.storage_time_ms = GOLDEN_TIME_MS, .lifetime_s = 3600};

    stored.index = item->index;
    stored.key = item->key != NULL ? BYTES(*item->key) : NOTHING;
    stored.exists = item->put_value != NULL;
    stored.signature.identity = RELOAD_SIGNER_NONE;
    if (item->put_value != NULL) {
        item->put_value(&value);
        stored.value = writer_view(&value);
    }
    if (item->signer != NULL) {
        stored.signature = security_fill(PEAL_CRYPTO_NONE, item->signer, identity).signature;
    }
    put_stored(w, item->model, &stored);
}

static void put_items(Writer *w, uint32_t kind, uint64_t generation, const Item *items, size_t len)
{
    uint8_t bytes[1024];
    Writer values = writer_make(bytes, sizeof(bytes));

    for (size_t i = 0; i < len; i++) {
        put_item(&values, &items[i]);
    }
    put_kind_data(w, &(ReloadKindData){kind, generation, writer_view(&values)});
}

static void store_registration(Writer *w)
{
    uint8_t bytes[1024];
    Writer kinds = writer_make(bytes, sizeof(bytes));
    const Item item = {PEAL_MODEL_DICTIONARY, 0, &GOLDEN_NODE_B, put_registration_route,
                       &GOLDEN_NODE_B};

    put_items(&kinds, 1, 0, &item, 1);
    put_store_req(w, &(ReloadStoreReq){BYTES(GOLDEN_RESOURCE), 0, writer_view(&kinds)});
}

/* The one certificate of the sample list, without the list's framing. */
static void put_certificate_der(Writer *w)
{
    PealBytes list = SAMPLE_P256_CERTIFICATES;
    PealBytes der = NOTHING;
    uint8_t type;

    (void)reload_certificate_next(&list, &type, &der);
    put_bytes(w, der);
}

static void store_models(Writer *w)
{
    uint8_t bytes[1024];
    Writer kinds = writer_make(bytes, sizeof(bytes));
    const Item single = {PEAL_MODEL_SINGLE, 0, NULL, put_turn_server, &GOLDEN_NODE_B};
    const Item array[] = {{PEAL_MODEL_ARRAY, 0, NULL, put_certificate_der, &GOLDEN_NODE_B},
                          {PEAL_MODEL_ARRAY, 5, NULL, NULL, &GOLDEN_NODE_B}};

    put_items(&kinds, 2, 7, &single, 1);
    put_items(&kinds, 3, 9, array, 2);
    put_store_req(w, &(ReloadStoreReq){BYTES(GOLDEN_RESOURCE), 1, writer_view(&kinds)});
}

static void store_ans(Writer *w)
{
    uint8_t list[3 * PEAL_ID_LEN];
    uint8_t bytes[128];
    Writer kinds = writer_make(bytes, sizeof(bytes));

    put_store_kind_ans(&kinds, &(ReloadStoreKindAns){1, 8, ids(list, "AB")});
    put_store_ans(w, &(ReloadStoreAns){writer_view(&kinds)});
}

static void fetch_all(Writer *w)
{
    static const ReloadRange ranges[] = {{0, 3}, {8, UINT32_MAX}};
    uint8_t bytes[128];
    uint8_t keys_bytes[16];
    uint8_t ranges_bytes[32];
    Writer specifiers = writer_make(bytes, sizeof(bytes));
    Writer keys = writer_make(keys_bytes, sizeof(keys_bytes));
    Writer indices = writer_make(ranges_bytes, sizeof(ranges_bytes));

    put_keys(&keys, NULL, 0);
    put_ranges(&indices, ranges, 2);
    put_specifier(&specifiers, &(ReloadSpecifier){1, 0, writer_view(&keys)});
    put_specifier(&specifiers, &(ReloadSpecifier){2, 0, NOTHING});
    put_specifier(&specifiers, &(ReloadSpecifier){3, 4, writer_view(&indices)});
    put_fetch_req(w, &(ReloadFetchReq){BYTES(GOLDEN_RESOURCE), writer_view(&specifiers)});
}

static void fetch_keys(Writer *w)
{
    const PealBytes wanted[] = {BYTES(GOLDEN_NODE_A), BYTES(GOLDEN_NODE_B)};
    uint8_t bytes[128];
    uint8_t keys_bytes[64];
    Writer specifiers = writer_make(bytes, sizeof(bytes));
    Writer keys = writer_make(keys_bytes, sizeof(keys_bytes));

    put_keys(&keys, wanted, 2);
    put_specifier(&specifiers, &(ReloadSpecifier){1, 3, writer_view(&keys)});
    put_fetch_req(w, &(ReloadFetchReq){BYTES(GOLDEN_RESOURCE), writer_view(&specifiers)});
}

static void stat_req(Writer *w)
{
    uint8_t bytes[64];
    uint8_t keys_bytes[16];
    Writer specifiers = writer_make(bytes, sizeof(bytes));
    Writer keys = writer_make(keys_bytes, sizeof(keys_bytes));

    put_keys(&keys, NULL, 0);
    put_specifier(&specifiers, &(ReloadSpecifier){1, 0, writer_view(&keys)});
    put_fetch_req(w, &(ReloadFetchReq){BYTES(GOLDEN_RESOURCE), writer_view(&specifiers)});
}

static void fetch_ans(Writer *w)
{
    uint8_t bytes[1024];
    Writer kinds = writer_make(bytes, sizeof(bytes));
    const Item items[] = {{PEAL_MODEL_DICTIONARY, 0, &GOLDEN_NODE_A, put_registration_uri,
                           &GOLDEN_NODE_A},
                          {PEAL_MODEL_DICTIONARY, 0, &GOLDEN_NODE_B, put_registration_route,
                           &GOLDEN_NODE_B},
                          {PEAL_MODEL_DICTIONARY, 0, &GOLDEN_NODE_C, NULL, NULL}};

    put_items(&kinds, 1, 8, items, 3);
    put_fetch_ans(w, &(ReloadFetchAns){writer_view(&kinds)});
}

static void put_meta(Writer *w, uint32_t kind, uint64_t generation, PealModel model,
                     ReloadStoredMeta meta)
{
    uint8_t bytes[128];
    Writer values = writer_make(bytes, sizeof(bytes));

    meta.storage_time_ms = GOLDEN_TIME_MS;
    meta.lifetime_s = 3600;
    put_stored_meta(&values, model, &meta);
    put_kind_data(w, &(ReloadKindData){kind, generation, writer_view(&values)});
}

static void stat_ans(Writer *w)
{
    /* SHA-1 of the 4-byte length and the value: of the route above, and of the TURN server. */
    static const uint8_t route_digest[20] = {0x47, 0xa2, 0x0c, 0xdd, 0x6f, 0x19, 0xf5,
                                             0xb2, 0xf2, 0xda, 0xa6, 0x60, 0xcc, 0xf6,
                                             0x1f, 0xf5, 0x56, 0x8e, 0x04, 0x57};
    static const uint8_t turn_digest[20] = {0x6f, 0x82, 0x81, 0xfc, 0xcd, 0x20, 0xb6,
                                            0xa9, 0x41, 0x4f, 0x60, 0x89, 0x8b, 0x86,
                                            0xc0, 0xb8, 0x4e, 0xca, 0x38, 0x77};
    uint8_t bytes[512];
    Writer kinds = writer_make(bytes, sizeof(bytes));

    put_meta(&kinds, 1, 8, PEAL_MODEL_DICTIONARY,
             (ReloadStoredMeta){.key = BYTES(GOLDEN_NODE_B),
                                .exists = true,
                                .length = 25,
                                .hash = PEAL_HASH_SHA1,
                                .digest = {route_digest, sizeof(route_digest)}});
    put_meta(&kinds, 2, 1, PEAL_MODEL_SINGLE,
             (ReloadStoredMeta){.exists = true,
                                .length = 9,
                                .hash = PEAL_HASH_SHA1,
                                .digest = {turn_digest, sizeof(turn_digest)}});
    put_meta(&kinds, 3, 2, PEAL_MODEL_ARRAY, (ReloadStoredMeta){.index = 4});
    put_fetch_ans(w, &(ReloadFetchAns){writer_view(&kinds)});
}

static void find_req(Writer *w)
{
    put_find_req(w, &(ReloadFindReq){BYTES(GOLDEN_RESOURCE), TEXT("\0\0\0\x01\0\0\0\x03")});
}

static void find_ans(Writer *w)
{
    uint8_t bytes[64];
    Writer results = writer_make(bytes, sizeof(bytes));

    put_find_result(&results, &(ReloadFindResult){1, BYTES(GOLDEN_RESOURCE)});
    put_find_result(&results, &(ReloadFindResult){3, NOTHING});
    put_find_ans(w, &(ReloadFindAns){writer_view(&results)});
}

/* The table */

/* A request of A's to a Resource-ID or to B, and an answer of somebody's to A. */
#define REQUEST(name, CODE, body)                                        \
    {                                                                    \
        (name), (body), .code = RELOAD_##CODE, .signer = 'A', .ttl = 100 \
    }
#define REQUEST_TO_B(name, CODE, body)                                                     \
    {                                                                                      \
        (name), (body), .code = RELOAD_##CODE, .put_dest = to_b, .signer = 'A', .ttl = 100 \
    }
#define ANSWER(name, CODE, body, by)                                                        \
    {                                                                                       \
        (name), (body), .code = RELOAD_##CODE, .put_dest = to_a, .signer = (by), .ttl = 100 \
    }

const GoldenMessage golden_messages[] = {
    REQUEST("probe_req", PROBE_REQ, probe_req),
    ANSWER("probe_ans", PROBE_ANS, probe_ans, 'B'),
    REQUEST("attach_req", ATTACH_REQ, attach_req),
    ANSWER("attach_ans", ATTACH_ANS, attach_ans, 'B'),
    {"store_req", store_registration, .code = RELOAD_STORE_REQ, .signer = 'B', .ttl = 100},
    {"store_req_models", store_models, .code = RELOAD_STORE_REQ, .signer = 'B', .ttl = 100},
    {"store_ans", store_ans, .code = RELOAD_STORE_ANS, .put_dest = to_b, .signer = 'C', .ttl = 100},
    REQUEST("fetch_req", FETCH_REQ, fetch_all),
    REQUEST("fetch_req_keys", FETCH_REQ, fetch_keys),
    ANSWER("fetch_ans", FETCH_ANS, fetch_ans, 'C'),
    REQUEST("find_req", FIND_REQ, find_req),
    ANSWER("find_ans", FIND_ANS, find_ans, 'B'),
    REQUEST_TO_B("join_req", JOIN_REQ, join_req),
    ANSWER("join_ans", JOIN_ANS, join_ans, 'B'),
    REQUEST_TO_B("leave_req", LEAVE_REQ, leave_req),
    ANSWER("leave_ans", LEAVE_ANS, nothing, 'B'),
    REQUEST_TO_B("update_req_ready", UPDATE_REQ, update_ready),
    REQUEST_TO_B("update_req_neighbors", UPDATE_REQ, update_neighbors),
    REQUEST_TO_B("update_req_full", UPDATE_REQ, update_full),
    ANSWER("update_ans", UPDATE_ANS, nothing, 'B'),
    REQUEST_TO_B("route_query_req", ROUTE_QUERY_REQ, route_query_req),
    ANSWER("route_query_ans", ROUTE_QUERY_ANS, route_query_ans, 'B'),
    {"ping_req", ping_padded, .code = RELOAD_PING_REQ, .put_via = via_a_and_b,
     .put_dest = to_opaque_then_resource, .signer = 'A', .ttl = 98, .max_response_length = 2000},
    {"ping_req_named", ping_empty, .code = RELOAD_PING_REQ, .put_dest = to_wildcard,
     .put_options = option_names_a, .signer = 'A', .ttl = 100},
    {"ping_ans", ping_ans, .code = RELOAD_PING_ANS, .put_via = via_c, .put_dest = to_b_then_a,
     .put_extensions = extension_unknown, .signer = 'C', .ttl = 99},
    REQUEST("stat_req", STAT_REQ, stat_req),
    ANSWER("stat_ans", STAT_ANS, stat_ans, 'B'),
    REQUEST_TO_B("app_attach_req", APP_ATTACH_REQ, app_attach_req),
    ANSWER("app_attach_ans", APP_ATTACH_ANS, app_attach_ans, 'B'),
    REQUEST_TO_B("config_update_req", CONFIG_UPDATE_REQ, config_update),
    REQUEST_TO_B("config_update_req_kind", CONFIG_UPDATE_REQ, config_update_kind),
    ANSWER("config_update_ans", CONFIG_UPDATE_ANS, nothing, 'B'),
    ANSWER("error", ERROR, error_not_found, 'B'),
    {"ping_req_p256", ping_empty, .code = RELOAD_PING_REQ, .signer = 'A', .ttl = 100,
     .crypto = PEAL_CRYPTO_MODELLED_P256},
    {"ping_req_rsa2048", ping_empty, .code = RELOAD_PING_REQ, .signer = 'A', .ttl = 100,
     .crypto = PEAL_CRYPTO_MODELLED_RSA2048},
};
const size_t golden_messages_len = sizeof(golden_messages) / sizeof(golden_messages[0]);

size_t golden_build(const GoldenMessage *message, uint8_t *ret_bytes, size_t cap)
{
    uint8_t via_bytes[128];
    uint8_t dest_bytes[128];
    uint8_t options_bytes[64];
    uint8_t extensions_bytes[64];
    uint8_t identity[SECURITY_IDENTITY_LEN];
    Writer via = writer_make(via_bytes, sizeof(via_bytes));
    Writer dest = writer_make(dest_bytes, sizeof(dest_bytes));
    Writer options = writer_make(options_bytes, sizeof(options_bytes));
    Writer extensions = writer_make(extensions_bytes, sizeof(extensions_bytes));
    Writer w = writer_make(ret_bytes, cap);
    const PealId *signer = message->signer == 'A'   ? &GOLDEN_NODE_A
                           : message->signer == 'B' ? &GOLDEN_NODE_B
                                                    : &GOLDEN_NODE_C;
    ReloadSecurity security = security_fill(message->crypto, signer, identity);
    ReloadHeader header = {.overlay = GOLDEN_OVERLAY_HASH,
                           .config_sequence = 1,
                           .ttl = message->ttl,
                           .transaction = GOLDEN_TRANSACTION,
                           .max_response_length = message->max_response_length};
    ReloadDraft draft;

    (message->put_via != NULL ? message->put_via : nothing)(&via);
    (message->put_options != NULL ? message->put_options : nothing)(&options);
    (message->put_extensions != NULL ? message->put_extensions : nothing)(&extensions);
    if (message->put_dest != NULL) {
        message->put_dest(&dest);
    } else {
        put_dest_resource(&dest, &GOLDEN_RESOURCE);
    }
    header.via = writer_view(&via);
    header.dest = writer_view(&dest);
    header.options = writer_view(&options);
    draft = reload_message_begin(&w, &header, (uint16_t)message->code);
    message->put_body(&w);
    (void)reload_message_contents(&w, &draft, writer_view(&extensions));
    reload_message_security(&w, &draft, &security);
    return w.overflow ? 0 : w.len;
}

size_t golden_load(const char *name, uint8_t *ret_bytes, size_t cap)
{
    const char *root = getenv("PEAL_SOURCE_ROOT");
    char path[GOLDEN_PATH_MAX];
    char line[256];
    size_t len = 0;
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/tests/golden/%s.hex", root != NULL ? root : ".", name);
    file = fopen(path, "r");
    if (file == NULL) {
        return 0;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        size_t digits = strspn(line, "0123456789abcdef"); /* a comment follows */

        for (size_t i = 0; i + 2 <= digits && len < cap; i += 2) {
            const char pair[] = {line[i], line[i + 1], '\0'};

            ret_bytes[len++] = (uint8_t)strtoul(pair, NULL, 16);
        }
    }
    (void)fclose(file);
    return len;
}

const GoldenMessage *golden_find(const char *name)
{
    for (size_t i = 0; i < golden_messages_len; i++) {
        if (strcmp(golden_messages[i].name, name) == 0) {
            return &golden_messages[i];
        }
    }
    abort();
}
