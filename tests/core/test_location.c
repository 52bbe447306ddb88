/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_location.c - registrations that are stored, refreshed, tried again, removed and found (RFC
 * 7904). */
#include "core/fake_peer.h"
#include "peal_test.h"
#include "security/security.h"
#include "sip/registration.h"

static const PealStr BOB = {"sip:bob@example.org", 19};
static const PealStr BOB_TOO = {"sips:bob@EXAMPLE.org;transport=tcp", 34};
static const PealStr ALICE = {"sip:alice@example.org", 21};

/* The one value of a Store of a registration. */
static ReloadStored stored_by(const FakeRequest *request)
{
    ReloadStoreReq store;
    ReloadKindData data;
    ReloadStored stored = {0};

    CU_ASSERT_EQUAL_FATAL(request->spec.code, RELOAD_STORE_REQ);
    CU_ASSERT_EQUAL_FATAL(reload_store_req_decode(request->spec.body, &store), 0);
    CU_ASSERT_EQUAL(store.replica, 0);
    CU_ASSERT_TRUE_FATAL(reload_kind_data_next(&store.kinds, &data));
    CU_ASSERT_EQUAL(data.kind, PEAL_KIND_SIP_REGISTRATION);
    CU_ASSERT_EQUAL(data.generation, 0);
    CU_ASSERT_EQUAL_FATAL(reload_stored_check(data.values, PEAL_MODEL_DICTIONARY), 0);
    CU_ASSERT_TRUE_FATAL(reload_stored_next(&data.values, PEAL_MODEL_DICTIONARY, &stored));
    CU_ASSERT_EQUAL(data.values.len, 0);
    return stored;
}

static void registration_maps_the_aor_to_this_peer(void)
{
    FakePeer *fake = fake_new();
    SipRegistration registration;
    ReloadStored stored;
    ReloadDest dest;
    PealId resource;

    CU_ASSERT_EQUAL(peal_aor_resource(fake->env.ops.crypto, BOB, &resource), 0);
    CU_ASSERT_EQUAL(peal_peer_register(&fake->peer, BOB, 3600, 5), 0);
    CU_ASSERT_EQUAL_FATAL(fake->requests_len, 1);
    CU_ASSERT(fake->requests[0].spec.to_resource);
    CU_ASSERT(peal_id_equal(&fake->requests[0].spec.to, &resource));
    stored = stored_by(&fake->requests[0]);
    CU_ASSERT(stored.exists && stored.lifetime_s == 3600);
    CU_ASSERT_EQUAL_FATAL(stored.key.len, PEAL_ID_LEN);
    CU_ASSERT_EQUAL(memcmp(stored.key.ptr, fake->peer.id.bytes, PEAL_ID_LEN), 0);
    CU_ASSERT_EQUAL(stored.value.len, REGISTRATION_LEN);
    CU_ASSERT_EQUAL_FATAL(reload_sip_registration_decode(stored.value, &registration), 0);
    CU_ASSERT_EQUAL(registration.type, SIP_REGISTRATION_ROUTE);
    CU_ASSERT_EQUAL(registration.contact_prefs.len, 0);
    CU_ASSERT_TRUE_FATAL(reload_dest_next(&registration.dest, &dest));
    CU_ASSERT(dest.type == RELOAD_DEST_NODE && peal_id_equal(&dest.id, &fake->peer.id));
    CU_ASSERT_EQUAL(registration.dest.len, 0);
    fake_succeed_all(fake);
    CU_ASSERT(fake->outcomes == 1 && fake->token == 5 && fake->outcome.status == 0);
    fake_free(fake);
}

static void registration_is_taken_by_its_owner(void)
{
    FakePeer *fake = fake_new();
    FakePeer *owner = fake_new();
    PealId resource;

    owner->from = owner->peer.id; /* the whole ring */
    owner->set_len = 0;
    CU_ASSERT_EQUAL(peal_aor_resource(fake->env.ops.crypto, BOB, &resource), 0);
    CU_ASSERT_EQUAL(peal_peer_register(&fake->peer, BOB, 3600, 5), 0);
    fake_deliver(fake, fake_request(fake, 0), owner);
    CU_ASSERT_EQUAL(owner->error, 0);
    CU_ASSERT_EQUAL(peal_peer_stored(&owner->peer, &resource, PEAL_KIND_SIP_REGISTRATION), 1);
    CU_ASSERT_EQUAL(peal_peer_unregister(&fake->peer, BOB, 6), 0);
    fake_deliver(fake, fake_request(fake, 0), owner);
    CU_ASSERT_EQUAL(owner->error, 0);
    CU_ASSERT_EQUAL(peal_peer_stored(&owner->peer, &resource, PEAL_KIND_SIP_REGISTRATION), 0);
    CU_ASSERT(fake->outcomes == 2 && fake->token == 6 && fake->outcome.status == 0);
    CU_ASSERT_EQUAL(fake->env.bytes, 0);
    fake_free(owner);
    fake_free(fake);
}

static void registration_is_refreshed_at_nine_tenths(void)
{
    FakePeer *fake = fake_new();
    uint64_t last_ms;

    CU_ASSERT_EQUAL(peal_peer_register(&fake->peer, BOB, 100, 5), 0);
    last_ms = stored_by(&fake->requests[0]).storage_time_ms;
    fake_run(fake, peal_seconds(1)); /* the answer takes a while, the lifetime does not wait */
    fake_succeed_all(fake);
    for (size_t i = 1; i < 5; i++) {
        fake_run(fake, peal_ms(i == 1 ? 88999 : 89999));
        CU_ASSERT_EQUAL(fake->requests_len, i);
        fake_run(fake, peal_ms(1));
        CU_ASSERT_EQUAL_FATAL(fake->requests_len, i + 1);
        CU_ASSERT(stored_by(&fake->requests[i]).storage_time_ms > last_ms);
        last_ms = stored_by(&fake->requests[i]).storage_time_ms;
        fake_succeed_all(fake);
    }
    CU_ASSERT_EQUAL(fake->outcomes, 1); /* only the first is told */
    fake_free(fake);
}

static void failed_registration_is_told_and_tried_again(void)
{
    static const int64_t after_s[] = {2, 4, 8, 16, 32, 64, 120, 120};
    FakePeer *fake = fake_new();

    CU_ASSERT_EQUAL(peal_peer_register(&fake->peer, BOB, 3600, 5), 0);
    for (size_t i = 0; i < sizeof(after_s) / sizeof(after_s[0]); i++) {
        CU_ASSERT_EQUAL_FATAL(fake->requests_len, i + 1);
        if (i == 0) {
            fake_refuse(fake, fake_request(fake, 0), RELOAD_ERROR_FORBIDDEN, &fake->set[0]);
        } else {
            fake_fail(fake, fake_request(fake, 0), -PEAL_E_TIMEOUT);
        }
        fake_run(fake, peal_ms(after_s[i] * 1000 - 1));
        CU_ASSERT_EQUAL(fake->requests_len, i + 1);
        fake_run(fake, peal_ms(1));
    }
    CU_ASSERT_EQUAL(fake->outcomes, 1);
    CU_ASSERT_EQUAL(fake->outcome.status, -PEAL_E_REFUSED);
    CU_ASSERT_EQUAL(fake->outcome.error_code, RELOAD_ERROR_FORBIDDEN);
    fake_succeed_all(fake);
    fake_run(fake, peal_seconds(3239));
    CU_ASSERT_EQUAL(fake_outstanding(fake), 0);
    fake_run(fake, peal_seconds(1));
    CU_ASSERT_EQUAL(fake_outstanding(fake), 1);
    fake_free(fake);
}

static void two_registrations_in_one_millisecond_have_rising_times(void)
{
    FakePeer *fake = fake_new();

    CU_ASSERT_EQUAL(peal_peer_register(&fake->peer, BOB, 100, 1), 0);
    CU_ASSERT_EQUAL(peal_peer_register(&fake->peer, BOB_TOO, 200, 2), 0); /* the same AOR */
    CU_ASSERT(stored_by(&fake->requests[0]).storage_time_ms <
              stored_by(&fake->requests[1]).storage_time_ms);
    CU_ASSERT(peal_id_equal(&fake->requests[0].spec.to, &fake->requests[1].spec.to));
    fake_succeed(fake, fake_request(fake, 1));
    CU_ASSERT(fake->outcomes == 1 && fake->token == 2);
    fake_succeed(fake, fake_request(fake, 0));
    CU_ASSERT(fake->outcomes == 2 && fake->token == 1);
    fake_run(fake, peal_seconds(179));
    CU_ASSERT_EQUAL(fake->requests_len, 2);
    fake_run(fake, peal_seconds(1));
    CU_ASSERT_EQUAL_FATAL(fake->requests_len, 3); /* once, by the last lifetime asked for */
    CU_ASSERT_EQUAL(stored_by(&fake->requests[2]).lifetime_s, 200);
    fake_free(fake);
}

static void removal_lasts_as_long_as_the_registration_would_have(void)
{
    FakePeer *fake = fake_new();
    ReloadStored stored;

    CU_ASSERT_EQUAL(peal_peer_register(&fake->peer, BOB, 100, 1), 0);
    fake_succeed_all(fake);
    fake_run(fake, peal_ms(30500));
    CU_ASSERT_EQUAL(peal_peer_unregister(&fake->peer, BOB, 2), 0);
    stored = stored_by(&fake->requests[1]);
    CU_ASSERT(!stored.exists && stored.value.len == 0);
    CU_ASSERT_EQUAL(stored.lifetime_s, 70); /* 69.5 s are left */
    fake_fail(fake, fake_request(fake, 0), -PEAL_E_TIMEOUT);
    CU_ASSERT(fake->outcomes == 2 && fake->token == 2);
    fake_run(fake, peal_seconds(2));
    CU_ASSERT_EQUAL_FATAL(fake->requests_len, 3);
    CU_ASSERT_FALSE(stored_by(&fake->requests[2]).exists);
    fake_succeed_all(fake);
    CU_ASSERT_EQUAL(fake->outcomes, 2);
    fake_run(fake, peal_seconds(1000));
    CU_ASSERT_EQUAL(fake->requests_len, 3);
    CU_ASSERT_EQUAL(fake->env.bytes, 0);
    fake_free(fake);
}

static void removal_gives_up_when_the_registration_has_ended_anyway(void)
{
    FakePeer *fake = fake_new();

    CU_ASSERT_EQUAL(peal_peer_register(&fake->peer, BOB, 10, 1), 0);
    fake_succeed_all(fake);
    CU_ASSERT_EQUAL(peal_peer_unregister(&fake->peer, BOB, 2), 0);
    for (int second = 0; second < 20; second++) {
        if (fake_outstanding(fake) > 0) {
            fake_fail(fake, fake_request(fake, 0), -PEAL_E_TIMEOUT);
        }
        fake_run(fake, peal_seconds(1));
    }
    CU_ASSERT_EQUAL(fake->requests_len, 4); /* after 2 and 6 s, and 14 s would be too late */
    CU_ASSERT_EQUAL(fake_outstanding(fake), 0);
    CU_ASSERT_EQUAL(fake->env.bytes, 0);
    fake_free(fake);
}

static void late_answer_to_a_registration_does_not_undo_its_removal(void)
{
    FakePeer *fake = fake_new();

    CU_ASSERT_EQUAL(peal_peer_register(&fake->peer, BOB, 100, 1), 0);
    CU_ASSERT_EQUAL(peal_peer_unregister(&fake->peer, BOB, 2), 0);
    fake_succeed(fake, fake_request(fake, 0));
    fake_run(fake, peal_seconds(95));
    CU_ASSERT_EQUAL(fake->requests_len, 2); /* no refresh */
    fake_fail(fake, fake_request(fake, 0), -PEAL_E_TIMEOUT);
    CU_ASSERT_EQUAL(fake->outcomes, 2);
    fake_run(fake, peal_seconds(2));
    CU_ASSERT_EQUAL_FATAL(fake->requests_len, 3); /* still to be removed */
    CU_ASSERT_FALSE(stored_by(&fake->requests[2]).exists);
    fake_succeed_all(fake);
    CU_ASSERT_EQUAL(fake->env.bytes, 0);
    fake_free(fake);
}

static void registration_while_removing_registers_again(void)
{
    FakePeer *fake = fake_new();

    CU_ASSERT_EQUAL(peal_peer_register(&fake->peer, BOB, 100, 1), 0);
    fake_succeed_all(fake);
    CU_ASSERT_EQUAL(peal_peer_unregister(&fake->peer, BOB, 2), 0);
    CU_ASSERT_EQUAL(peal_peer_register(&fake->peer, BOB, 100, 3), 0);
    fake_succeed_all(fake);
    CU_ASSERT_EQUAL(fake->outcomes, 3);
    fake_run(fake, peal_seconds(90));
    CU_ASSERT_EQUAL_FATAL(fake->requests_len, 4);
    CU_ASSERT(stored_by(&fake->requests[3]).exists);
    fake_free(fake);
}

static void registrations_of_many_users_are_kept_apart(void)
{
    FakePeer *fake = fake_new();

    for (uint32_t i = 0; i < 50; i++) {
        char aor[32];

        snprintf(aor, sizeof(aor), "sip:user%u@example.org", i);
        CU_ASSERT_EQUAL(peal_peer_register(&fake->peer, (PealStr){aor, strlen(aor)}, 100 + 10 * i,
                                           i),
                        0);
    }
    fake_succeed_all(fake);
    CU_ASSERT_EQUAL(fake->outcomes, 50);
    fake_run(fake, peal_seconds(90 + 9 * 10));
    CU_ASSERT_EQUAL(fake->requests_len, 61);
    fake_free(fake);
}

static void impossible_requests_are_refused_at_once(void)
{
    FakePeer *fake = fake_new();
    const PealStr nobody = {"sip:example.org", 15};

    CU_ASSERT_EQUAL(peal_peer_register(&fake->peer, nobody, 100, 1), -PEAL_E_ARG);
    CU_ASSERT_EQUAL(peal_peer_register(&fake->peer, BOB, 0, 1), -PEAL_E_ARG);
    CU_ASSERT_EQUAL(peal_peer_unregister(&fake->peer, BOB, 1), -PEAL_E_ARG);
    fake->peer.state = PEAL_PEER_JOINING;
    CU_ASSERT_EQUAL(peal_peer_register(&fake->peer, BOB, 100, 1), -PEAL_E_STATE);
    CU_ASSERT_EQUAL(peal_peer_unregister(&fake->peer, BOB, 1), -PEAL_E_STATE);
    fake->peer.state = PEAL_PEER_JOINED;
    fake->requests_limit = 1;
    CU_ASSERT_EQUAL(peal_peer_register(&fake->peer, BOB, 100, 1), 0);
    CU_ASSERT_EQUAL(peal_peer_register(&fake->peer, ALICE, 100, 2), -PEAL_E_FULL);
    CU_ASSERT_EQUAL(peal_peer_unregister(&fake->peer, BOB, 3), -PEAL_E_FULL);
    fake->requests_limit = 0;
    fake_succeed_all(fake);
    CU_ASSERT_EQUAL(fake->outcomes, 1);
    fake->overlay.kinds_len = 0; /* an overlay without SIP */
    CU_ASSERT_EQUAL(peal_peer_register(&fake->peer, ALICE, 100, 4), -PEAL_E_ARG);
    fake_free(fake);
}

static void peer_out_of_the_overlay_refreshes_when_it_is_back(void)
{
    FakePeer *fake = fake_new();

    CU_ASSERT_EQUAL(peal_peer_register(&fake->peer, BOB, 100, 1), 0);
    fake_succeed_all(fake);
    fake->peer.state = PEAL_PEER_JOINING;
    fake_run(fake, peal_seconds(91));
    CU_ASSERT_EQUAL(fake->requests_len, 1);
    fake->peer.state = PEAL_PEER_JOINED;
    fake_run(fake, peal_seconds(1));
    CU_ASSERT_EQUAL(fake->requests_len, 2);
    fake_free(fake);
}

static void leaving_adapter_removes_its_registrations(void)
{
    FakePeer *fake = fake_new();

    CU_ASSERT_EQUAL(peal_peer_register(&fake->peer, BOB, 100, 1), 0);
    CU_ASSERT_EQUAL(peal_peer_register(&fake->peer, ALICE, 100, 2), 0);
    fake_succeed_all(fake);
    location_leave(&fake->peer);
    CU_ASSERT_EQUAL_FATAL(fake->requests_len, 4);
    CU_ASSERT_FALSE(stored_by(&fake->requests[2]).exists);
    CU_ASSERT_FALSE(stored_by(&fake->requests[3]).exists);
    fake_free(fake);
}

/* What the registrar and the proxy were told, by the last call. */
static struct Heard {
    int times;
    uint64_t arg;
    int status;
    size_t adapters_len;
    PealId adapters[LOCATION_ADAPTERS_MAX];
    char uri[64];
} heard;

static void on_done(PealPeer *peer, uint64_t arg, int status)
{
    (void)peer;
    heard = (struct Heard){.times = heard.times + 1, .arg = arg, .status = status};
}

static void on_found(PealPeer *peer, uint64_t arg, const LocationAnswer *answer)
{
    (void)peer;
    heard = (struct Heard){.times = heard.times + 1,
                           .arg = arg,
                           .status = answer->status,
                           .adapters_len = answer->adapters_len};
    if (answer->adapters_len > 0) {
        memcpy(heard.adapters, answer->adapters, answer->adapters_len * sizeof(PealId));
    }
    if (answer->uri.len > 0) {
        memcpy(heard.uri, answer->uri.ptr, answer->uri.len);
    }
}

static FakePeer *listening_fake(void)
{
    heard = (struct Heard){0};
    return fake_new();
}

static void kept_registration_ends_when_nobody_keeps_it(void)
{
    FakePeer *fake = listening_fake();
    const PealId bob = fake_id(0x42);

    CU_ASSERT_EQUAL(location_keep(&fake->peer, &bob, 100, on_done, 7), 0);
    CU_ASSERT_EQUAL(stored_by(&fake->requests[0]).lifetime_s, 100);
    CU_ASSERT_EQUAL(heard.times, 0);
    fake_succeed_all(fake);
    CU_ASSERT(heard.times == 1 && heard.arg == 7 && heard.status == 0);
    CU_ASSERT_EQUAL(fake->outcomes, 0); /* that is for peal_peer_register */
    fake_run(fake, peal_seconds(99));
    CU_ASSERT_EQUAL(location_keep(&fake->peer, &bob, 50, on_done, 8), 0);
    CU_ASSERT_EQUAL(stored_by(&fake->requests[1]).lifetime_s, 50);
    fake_succeed_all(fake);
    fake_run(fake, peal_seconds(49));
    CU_ASSERT_NOT_EQUAL(fake->env.bytes, 0);
    fake_run(fake, peal_seconds(1));
    CU_ASSERT_EQUAL(fake->env.bytes, 0);
    fake_run(fake, peal_seconds(1000));
    CU_ASSERT_EQUAL(fake->requests_len, 2);
    fake_free(fake);
}

static void kept_registration_is_repaired_with_the_rest_of_its_lifetime(void)
{
    FakePeer *fake = listening_fake();
    const PealId bob = fake_id(0x42);

    CU_ASSERT_EQUAL(location_keep(&fake->peer, &bob, 100, on_done, 7), 0);
    fake_run(fake, peal_ms(15500));
    fake_fail(fake, fake_request(fake, 0), -PEAL_E_TIMEOUT);
    CU_ASSERT(heard.times == 1 && heard.status == -PEAL_E_TIMEOUT);
    fake_run(fake, peal_seconds(2));
    CU_ASSERT_EQUAL_FATAL(fake->requests_len, 2);
    CU_ASSERT_EQUAL(stored_by(&fake->requests[1]).lifetime_s, 82); /* 82.5 s are left */
    fake_fail(fake, fake_request(fake, 0), -PEAL_E_TIMEOUT);
    fake_run(fake, peal_seconds(4));
    CU_ASSERT_EQUAL(stored_by(&fake->requests[2]).lifetime_s, 78);
    fake_succeed_all(fake);
    fake_run(fake, peal_seconds(200));
    CU_ASSERT_EQUAL(fake->requests_len, 3);
    CU_ASSERT_EQUAL(heard.times, 1);
    CU_ASSERT_EQUAL(fake->env.bytes, 0);
    fake_free(fake);
}

static void kept_registration_that_never_got_through_is_given_up_at_its_end(void)
{
    FakePeer *fake = listening_fake();
    const PealId bob = fake_id(0x42);

    CU_ASSERT_EQUAL(location_keep(&fake->peer, &bob, 10, on_done, 7), 0);
    for (int second = 0; second < 20; second++) {
        if (fake_outstanding(fake) > 0) {
            fake_fail(fake, fake_request(fake, 0), -PEAL_E_TIMEOUT);
        }
        fake_run(fake, peal_seconds(1));
    }
    CU_ASSERT_EQUAL(fake->requests_len, 3); /* after 2 and 6 s */
    CU_ASSERT_EQUAL(fake->env.bytes, 0);
    fake_free(fake);
}

static void overtaken_answer_says_nothing_about_the_newer_store(void)
{
    FakePeer *fake = listening_fake();
    const PealId bob = fake_id(0x42);

    CU_ASSERT_EQUAL(location_keep(&fake->peer, &bob, 100, on_done, 7), 0);
    CU_ASSERT_EQUAL(location_keep(&fake->peer, &bob, 100, on_done, 8), 0);
    fake_fail(fake, fake_request(fake, 1), -PEAL_E_TIMEOUT);
    fake_succeed_all(fake);
    CU_ASSERT(heard.times == 2 && heard.arg == 7);
    fake_run(fake, peal_seconds(2));
    CU_ASSERT_EQUAL(fake->requests_len, 3); /* the second is still owed */
    fake_free(fake);
}

static void dropped_registration_is_removed(void)
{
    FakePeer *fake = listening_fake();
    const PealId bob = fake_id(0x42);

    CU_ASSERT_EQUAL(location_drop(&fake->peer, &bob, on_done, 7), -PEAL_E_NOT_FOUND);
    CU_ASSERT_EQUAL(location_keep(&fake->peer, &bob, 100, on_done, 7), 0);
    CU_ASSERT_EQUAL(location_drop(&fake->peer, &bob, on_done, 8), 0);
    CU_ASSERT_EQUAL(location_drop(&fake->peer, &bob, on_done, 9), -PEAL_E_NOT_FOUND);
    CU_ASSERT_FALSE(stored_by(&fake->requests[1]).exists);
    fake_succeed(fake, fake_request(fake, 1));
    CU_ASSERT(heard.times == 1 && heard.arg == 8 && heard.status == 0);
    fake_succeed_all(fake);
    CU_ASSERT_EQUAL(fake->env.bytes, 0);
    fake_free(fake);
}

static void registration_dropped_out_of_the_overlay_is_removed_later(void)
{
    FakePeer *fake = listening_fake();
    const PealId bob = fake_id(0x42);

    CU_ASSERT_EQUAL(location_keep(&fake->peer, &bob, 100, on_done, 7), 0);
    fake->peer.state = PEAL_PEER_JOINING;
    CU_ASSERT_EQUAL(location_keep(&fake->peer, &bob, 100, on_done, 8), -PEAL_E_STATE);
    CU_ASSERT_EQUAL(location_drop(&fake->peer, &bob, on_done, 9), -PEAL_E_STATE);
    fake_succeed_all(fake); /* the Store that was out must not look like the removal */
    fake->peer.state = PEAL_PEER_JOINED;
    fake_run(fake, peal_seconds(2));
    CU_ASSERT_EQUAL_FATAL(fake->requests_len, 2);
    CU_ASSERT_FALSE(stored_by(&fake->requests[1]).exists);
    CU_ASSERT_EQUAL(stored_by(&fake->requests[1]).lifetime_s, 98);
    fake_succeed_all(fake);
    CU_ASSERT(heard.times == 1 && heard.arg == 7);
    CU_ASSERT_EQUAL(fake->env.bytes, 0);
    fake_free(fake);
}

/* Finding. */

static void registration_is_found_where_it_was_stored(void)
{
    FakePeer *fake = listening_fake();
    FakePeer *owner = fake_new_at(0x90, 0x40);
    const PealId bob = fake_id(0x42);

    owner->set_len = 0;
    CU_ASSERT_EQUAL(location_find(&fake->peer, &bob, on_found, 5), 0);
    CU_ASSERT_EQUAL(fake->requests[0].spec.code, RELOAD_FETCH_REQ);
    CU_ASSERT(fake->requests[0].spec.to_resource);
    CU_ASSERT(peal_id_equal(&fake->requests[0].spec.to, &bob));
    CU_ASSERT_EQUAL(heard.times, 0);
    fake_deliver(fake, fake_request(fake, 0), owner);
    CU_ASSERT(heard.times == 1 && heard.arg == 5 && heard.status == -PEAL_E_NOT_FOUND);
    CU_ASSERT_EQUAL(location_keep(&fake->peer, &bob, 100, on_done, 7), 0);
    fake_deliver(fake, fake_request(fake, 0), owner);
    CU_ASSERT_EQUAL(location_find(&fake->peer, &bob, on_found, 6), 0);
    fake_deliver(fake, fake_request(fake, 0), owner);
    CU_ASSERT(heard.times == 3 && heard.arg == 6 && heard.status == 0);
    CU_ASSERT_EQUAL_FATAL(heard.adapters_len, 1);
    CU_ASSERT(peal_id_equal(&heard.adapters[0], &fake->peer.id));
    CU_ASSERT_STRING_EQUAL(heard.uri, "");
    CU_ASSERT_EQUAL(location_drop(&fake->peer, &bob, on_done, 8), 0);
    fake_deliver(fake, fake_request(fake, 0), owner);
    CU_ASSERT_EQUAL(location_find(&fake->peer, &bob, on_found, 9), 0);
    fake_deliver(fake, fake_request(fake, 0), owner);
    CU_ASSERT(heard.arg == 9 && heard.status == -PEAL_E_NOT_FOUND);
    CU_ASSERT_EQUAL(fake->env.bytes, 0);
    fake_free(owner);
    fake_free(fake);
}

/* One entry of a dictionary: key and signer are the node's. */
static void put_entry(Writer *values, PealId key, PealId signer, PealBytes value)
{
    uint8_t identity[SECURITY_IDENTITY_LEN];
    ReloadStored stored = {.storage_time_ms = 1,
                           .lifetime_s = 100,
                           .key = {key.bytes, PEAL_ID_LEN},
                           .exists = value.len > 0,
                           .value = value};

    stored.signature = security_fill(PEAL_CRYPTO_NONE, &signer, identity).signature;
    put_stored(values, PEAL_MODEL_DICTIONARY, &stored);
}

static PealBytes route_value(Writer *w, const PealId *nodes, size_t nodes_len)
{
    uint8_t list[8 * RELOAD_NODE_ENTRY_LEN];
    Writer dest = writer_make(list, sizeof(list));
    SipRegistration registration = {.type = SIP_REGISTRATION_ROUTE};

    for (size_t i = 0; i < nodes_len; i++) {
        put_dest_node(&dest, &nodes[i]);
    }
    registration.dest = writer_view(&dest);
    w->len = 0;
    put_sip_registration(w, &registration);
    CU_ASSERT_FALSE_FATAL(w->overflow);
    return writer_view(w);
}

static void answer_find(FakePeer *fake, uint32_t kind, const Writer *values)
{
    uint8_t list[FAKE_BODY_MAX];
    uint8_t encoded[FAKE_BODY_MAX];
    Writer kinds = writer_make(list, sizeof(list));
    Writer body = writer_make(encoded, sizeof(encoded));
    const ReloadKindData data = {.kind = kind, .generation = 1, .values = writer_view(values)};
    ReloadFetchAns answer;

    put_kind_data(&kinds, &data);
    answer.kinds = writer_view(&kinds);
    put_fetch_ans(&body, &answer);
    CU_ASSERT_FALSE_FATAL(body.overflow || kinds.overflow || values->overflow);
    fake_answer(fake, fake_request(fake, 0), RELOAD_FETCH_ANS, writer_view(&body));
}

static void dictionary_is_read_with_care(void)
{
    FakePeer *fake = listening_fake();
    const PealId bob = fake_id(0x42);
    const PealId nodes[] = {fake_id(1), fake_id(2), fake_id(3), fake_id(4)};
    uint8_t list[FAKE_BODY_MAX];
    uint8_t encoded[256];
    Writer values = writer_make(list, sizeof(list));
    Writer value = writer_make(encoded, sizeof(encoded));
    const SipRegistration other = {.type = SIP_REGISTRATION_URI,
                                   .uri = {(const uint8_t *)ALICE.ptr, ALICE.len}};

    CU_ASSERT_EQUAL(location_find(&fake->peer, &bob, on_found, 5), 0);
    put_entry(&values, nodes[0], nodes[0], route_value(&value, &nodes[0], 1));
    put_entry(&values, nodes[1], nodes[1], route_value(&value, &nodes[0], 1)); /* the same */
    put_entry(&values, nodes[2], nodes[1], route_value(&value, &nodes[2], 1)); /* not its own */
    put_entry(&values, nodes[2], nodes[2], route_value(&value, &nodes[1], 2)); /* by way of */
    put_entry(&values, nodes[2], nodes[2], route_value(&value, &nodes[1], 0));
    put_entry(&values, nodes[3], nodes[3], (PealBytes){NULL, 0}); /* removed */
    put_entry(&values, nodes[2], nodes[2], (PealBytes){(const uint8_t *)"rubbish", 7});
    put_entry(&values, nodes[2], nodes[2], route_value(&value, &nodes[3], 1));
    value.len = 0;
    put_sip_registration(&value, &other);
    put_entry(&values, nodes[1], nodes[1], writer_view(&value));
    answer_find(fake, PEAL_KIND_SIP_REGISTRATION, &values);
    CU_ASSERT(heard.times == 1 && heard.status == 0);
    CU_ASSERT_EQUAL_FATAL(heard.adapters_len, 2);
    CU_ASSERT(peal_id_equal(&heard.adapters[0], &nodes[0]));
    CU_ASSERT(peal_id_equal(&heard.adapters[1], &nodes[3]));
    CU_ASSERT_STRING_EQUAL(heard.uri, ALICE.ptr);
    fake_free(fake);
}

static void more_adapters_than_anybody_has_are_cut_off(void)
{
    FakePeer *fake = listening_fake();
    const PealId bob = fake_id(0x42);
    uint8_t list[FAKE_BODY_MAX];
    uint8_t encoded[64];
    Writer values = writer_make(list, sizeof(list));
    Writer value = writer_make(encoded, sizeof(encoded));

    CU_ASSERT_EQUAL(location_find(&fake->peer, &bob, on_found, 5), 0);
    for (unsigned i = 1; i <= LOCATION_ADAPTERS_MAX + 5; i++) {
        const PealId node = fake_id((uint8_t)i);

        put_entry(&values, node, node, route_value(&value, &node, 1));
    }
    answer_find(fake, PEAL_KIND_SIP_REGISTRATION, &values);
    CU_ASSERT(heard.status == 0 && heard.adapters_len == LOCATION_ADAPTERS_MAX);
    fake_free(fake);
}

static void senseless_answers_find_nothing(void)
{
    FakePeer *fake = listening_fake();
    const PealId bob = fake_id(0x42);
    uint8_t list[] = {0, 1, 2, 3};
    const Writer nothing = writer_make(list, 0);
    Writer rubbish = writer_make(list, sizeof(list));

    rubbish.len = sizeof(list);
    CU_ASSERT_EQUAL(location_find(&fake->peer, &bob, on_found, 1), 0);
    answer_find(fake, FAKE_DICTIONARY, &nothing);
    CU_ASSERT(heard.arg == 1 && heard.status == -PEAL_E_UNREACHABLE);
    CU_ASSERT_EQUAL(location_find(&fake->peer, &bob, on_found, 2), 0);
    answer_find(fake, PEAL_KIND_SIP_REGISTRATION, &rubbish);
    CU_ASSERT(heard.arg == 2 && heard.status == -PEAL_E_UNREACHABLE);
    CU_ASSERT_EQUAL(location_find(&fake->peer, &bob, on_found, 3), 0);
    fake_answer(fake, fake_request(fake, 0), RELOAD_FETCH_ANS, (PealBytes){list, sizeof(list)});
    CU_ASSERT(heard.arg == 3 && heard.status == -PEAL_E_UNREACHABLE);
    CU_ASSERT_EQUAL(location_find(&fake->peer, &bob, on_found, 4), 0);
    answer_find(fake, PEAL_KIND_SIP_REGISTRATION, &nothing);
    CU_ASSERT(heard.arg == 4 && heard.status == -PEAL_E_NOT_FOUND);
    CU_ASSERT_EQUAL(fake->env.bytes, 0);
    fake_free(fake);
}

static void find_says_why_nobody_answered(void)
{
    FakePeer *fake = listening_fake();
    const PealId bob = fake_id(0x42);

    CU_ASSERT_EQUAL(location_find(&fake->peer, &bob, on_found, 1), 0);
    fake_fail(fake, fake_request(fake, 0), -PEAL_E_TIMEOUT);
    CU_ASSERT(heard.arg == 1 && heard.status == -PEAL_E_TIMEOUT);
    CU_ASSERT_EQUAL(location_find(&fake->peer, &bob, on_found, 2), 0);
    fake_refuse(fake, fake_request(fake, 0), RELOAD_ERROR_NOT_FOUND, &fake->set[0]);
    CU_ASSERT(heard.arg == 2 && heard.status == -PEAL_E_NOT_FOUND);
    CU_ASSERT_EQUAL(location_find(&fake->peer, &bob, on_found, 3), 0);
    fake_refuse(fake, fake_request(fake, 0), RELOAD_ERROR_FORBIDDEN, &fake->set[0]);
    CU_ASSERT(heard.arg == 3 && heard.status == -PEAL_E_UNREACHABLE);
    fake->requests_limit = 1;
    CU_ASSERT_EQUAL(location_find(&fake->peer, &bob, on_found, 4), 0);
    CU_ASSERT_EQUAL(location_find(&fake->peer, &bob, on_found, 5), -PEAL_E_FULL);
    fake_fail(fake, fake_request(fake, 0), -PEAL_E_TIMEOUT);
    CU_ASSERT_EQUAL(heard.times, 4);
    CU_ASSERT_EQUAL(fake->env.bytes, 0);
    fake->peer.state = PEAL_PEER_JOINING;
    CU_ASSERT_EQUAL(location_find(&fake->peer, &bob, on_found, 6), -PEAL_E_STATE);
    fake_free(fake);
}

PEAL_TEST_MAIN("core/location", PEAL_TEST(registration_maps_the_aor_to_this_peer),
               PEAL_TEST(registration_is_taken_by_its_owner),
               PEAL_TEST(registration_is_refreshed_at_nine_tenths),
               PEAL_TEST(failed_registration_is_told_and_tried_again),
               PEAL_TEST(two_registrations_in_one_millisecond_have_rising_times),
               PEAL_TEST(removal_lasts_as_long_as_the_registration_would_have),
               PEAL_TEST(removal_gives_up_when_the_registration_has_ended_anyway),
               PEAL_TEST(late_answer_to_a_registration_does_not_undo_its_removal),
               PEAL_TEST(registration_while_removing_registers_again),
               PEAL_TEST(registrations_of_many_users_are_kept_apart),
               PEAL_TEST(impossible_requests_are_refused_at_once),
               PEAL_TEST(peer_out_of_the_overlay_refreshes_when_it_is_back),
               PEAL_TEST(leaving_adapter_removes_its_registrations),
               PEAL_TEST(kept_registration_ends_when_nobody_keeps_it),
               PEAL_TEST(kept_registration_is_repaired_with_the_rest_of_its_lifetime),
               PEAL_TEST(kept_registration_that_never_got_through_is_given_up_at_its_end),
               PEAL_TEST(overtaken_answer_says_nothing_about_the_newer_store),
               PEAL_TEST(dropped_registration_is_removed),
               PEAL_TEST(registration_dropped_out_of_the_overlay_is_removed_later),
               PEAL_TEST(registration_is_found_where_it_was_stored),
               PEAL_TEST(dictionary_is_read_with_care),
               PEAL_TEST(more_adapters_than_anybody_has_are_cut_off),
               PEAL_TEST(senseless_answers_find_nothing), PEAL_TEST(find_says_why_nobody_answered))
