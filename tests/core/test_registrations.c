/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <peal/peer.h>
#include <peal/registration.h>

#include "peal_test.h"
#include "reload/codec.h"

enum { BODY_MAX = 1024 };

static PealId node(uint8_t last)
{
    PealId id = {{0}};

    id.bytes[PEAL_ID_LEN - 1] = last;
    return id;
}

static void put_entry(Writer *values, const PealId *adapter, PealBytes value, bool exists)
{
    const ReloadStored stored = {.lifetime_s = 60,
                                 .key = {adapter->bytes, PEAL_ID_LEN},
                                 .exists = exists,
                                 .value = value,
                                 .signature = {.identity = RELOAD_SIGNER_NONE}};

    put_stored(values, PEAL_MODEL_DICTIONARY, &stored);
}

/* An answer with these values. */
static PealBytes answer(uint32_t kind, const Writer *values, uint8_t body[BODY_MAX])
{
    uint8_t list[BODY_MAX];
    Writer kinds = writer_make(list, sizeof(list));
    Writer w = writer_make(body, BODY_MAX);
    const ReloadKindData data = {.kind = kind, .generation = 1, .values = writer_view(values)};
    ReloadFetchAns fetch;

    put_kind_data(&kinds, &data);
    fetch = (ReloadFetchAns){.kinds = writer_view(&kinds)};
    put_fetch_ans(&w, &fetch);
    CU_ASSERT_FALSE(kinds.overflow || w.overflow);
    return writer_view(&w);
}

static void live_entries_are_listed_with_their_adapters(void)
{
    static const char uri[] = "sip:carol@example.net";
    const PealId one = node(1);
    const PealId two = node(2);
    const PealId three = node(3);
    const SipRegistration alias = {.type = SIP_REGISTRATION_URI,
                                   .uri = {(const uint8_t *)uri, strlen(uri)}};
    uint8_t route[PEAL_REGISTRATION_LEN];
    uint8_t text[64];
    uint8_t list[BODY_MAX];
    uint8_t body[BODY_MAX];
    Writer encoded = writer_make(text, sizeof(text));
    Writer values = writer_make(list, sizeof(list));
    PealRegistration found[4];
    PealBytes bytes;

    peal_registration_value(&one, route);
    put_sip_registration(&encoded, &alias);
    put_entry(&values, &one, (PealBytes){route, sizeof(route)}, true);
    put_entry(&values, &two, (PealBytes){NULL, 0}, false);
    put_entry(&values, &three, writer_view(&encoded), true);
    bytes = answer(PEAL_KIND_SIP_REGISTRATION, &values, body);

    CU_ASSERT_EQUAL_FATAL(peal_registrations(bytes, found, 4), 2);
    CU_ASSERT(peal_id_equal(&found[0].adapter, &one));
    CU_ASSERT_EQUAL(found[0].uri.len, 0);
    CU_ASSERT_EQUAL(found[0].lifetime_s, 60);
    CU_ASSERT(peal_id_equal(&found[1].adapter, &three));
    CU_ASSERT_EQUAL_FATAL(found[1].uri.len, strlen(uri));
    CU_ASSERT_EQUAL(memcmp(found[1].uri.ptr, uri, strlen(uri)), 0);
    CU_ASSERT_EQUAL(peal_registrations(bytes, found, 1), 1);
    CU_ASSERT_EQUAL(peal_registrations(bytes, found, 0), 0);
}

static void values_that_are_no_registrations_are_left_out(void)
{
    static const uint8_t junk[] = {9, 0, 1, 2};
    const PealId one = node(1);
    uint8_t list[BODY_MAX];
    uint8_t body[BODY_MAX];
    Writer values = writer_make(list, sizeof(list));
    PealRegistration found[4];
    PealBytes bytes;

    put_entry(&values, &one, (PealBytes){junk, sizeof(junk)}, true);
    bytes = answer(PEAL_KIND_SIP_REGISTRATION, &values, body);
    CU_ASSERT_EQUAL(peal_registrations(bytes, found, 4), 0);
    bytes = answer(PEAL_KIND_SIP_REGISTRATION + 1, &values, body);
    CU_ASSERT_EQUAL(peal_registrations(bytes, found, 4), 0);
    CU_ASSERT_EQUAL(peal_registrations((PealBytes){junk, sizeof(junk)}, found, 4), 0);
    CU_ASSERT_EQUAL(peal_registrations((PealBytes){NULL, 0}, found, 4), 0);
}

PEAL_TEST_MAIN("core/registrations", PEAL_TEST(live_entries_are_listed_with_their_adapters),
               PEAL_TEST(values_that_are_no_registrations_are_left_out))
