/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_registrar_stores.c - Stores that wait or fail, and bindings that end with time. */
#include "core/fake_sip.h"
#include "peal_test.h"

/* Time. */

static void row_4_bindings_expire(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A ";expires=100\r\n" FAKE_B ";expires=200\r\n"), 200);
    fake_sip_run(fake, peal_ms(99999));
    CU_ASSERT_EQUAL(fake_targets_len(fake), 2);
    fake_sip_run(fake, peal_ms(1));
    CU_ASSERT_EQUAL(fake_targets_len(fake), 1);
    CU_ASSERT_EQUAL(fake->sip.registrar.bindings, 1);
    CU_ASSERT_EQUAL(fake->stores_len, 1); /* the overlay's ends with the longest */
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_B ";expires=150\r\n"), 200);
    CU_ASSERT_EQUAL(fake_last_store(fake)->expires_s, 150);
    fake_sip_run(fake, peal_seconds(149));
    CU_ASSERT_EQUAL(fake_targets_len(fake), 1);
    fake_sip_run(fake, peal_seconds(1));
    CU_ASSERT_EQUAL(fake_targets_len(fake), 0);
    CU_ASSERT_EQUAL(fake->sip.registrar.aors, 0);
    CU_ASSERT_EQUAL(fake->stores_len, 2); /* it has ended by itself */
    fake_sip_run(fake, peal_seconds(3));
    CU_ASSERT_EQUAL(fake->env.bytes, 0);
    fake_sip_free(fake);
}

static void many_aors_expire_in_any_order(void)
{
    FakeSip *fake = fake_sip_new();
    uint32_t left = 0;

    for (unsigned i = 0; i < 400; i++) {
        char to[64];
        char headers[128];

        snprintf(to, sizeof(to), "<sip:u%u@example.org>", i);
        snprintf(headers, sizeof(headers), FAKE_A ";expires=%u\r\n", 60 + (i * 37) % 400);
        CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.to = to, .headers = headers}), 200);
        fake->stores_len = 0;
    }
    for (unsigned i = 0; i < 400; i += 3) {
        char to[64];

        snprintf(to, sizeof(to), "<sip:u%u@example.org>", i);
        CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.to = to,
                                                        .headers = "Contact: *\r\nExpires: 0\r\n"}),
                        200);
        fake->stores_len = 0;
    }
    for (unsigned s = 60; s < 470; s += 10) {
        fake_sip_run(fake, (PealSpan){(int64_t)s * PEAL_NS_PER_S - fake->now.ns});
        left = 0;
        for (unsigned i = 0; i < 400; i++) {
            left += i % 3 != 0 && 60 + (i * 37) % 400 > s;
        }
        CU_ASSERT_EQUAL(fake->sip.registrar.aors, left);
        CU_ASSERT_EQUAL(fake->sip.registrar.bindings, left);
    }
    CU_ASSERT_EQUAL(left, 0);
    fake_sip_free(fake);
}

/* Stores. */

static void answer_waits_for_the_store(void)
{
    FakeSip *fake = fake_sip_new();

    fake->holds = true;
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A "\r\n"), 0);
    CU_ASSERT_EQUAL(fake_targets_len(fake), 0); /* not yet to be seen */
    fake_sip_run(fake, peal_seconds(2));
    fake_stored(fake, 0);
    CU_ASSERT_EQUAL(fake->status, 200);
    CU_ASSERT(fake_has_line(fake, FAKE_A ";expires=3598"));
    CU_ASSERT_EQUAL(fake_targets_len(fake), 1);
    fake_sip_free(fake);
}

static void failed_store_is_503_and_restores(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A ";expires=100\r\n"), 200);
    fake->holds = true;
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A ";expires=500,"
                                               "<sip:b@h>\r\n"),
                    0);
    fake_stored(fake, -PEAL_E_TIMEOUT);
    CU_ASSERT_EQUAL(fake->status, 503);
    CU_ASSERT_EQUAL(fake_lines(fake, "Retry-After:"), 1);
    fake->holds = false;
    CU_ASSERT_EQUAL(fake_register(fake, ""), 200);
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 1);
    CU_ASSERT(fake_has_line(fake, FAKE_A ";expires=100"));
    fake_sip_free(fake);
}

static void failed_store_of_a_new_aor_is_taken_back(void)
{
    FakeSip *fake = fake_sip_new();

    fake->holds = true;
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A "\r\n"), 0);
    fake_stored(fake, -PEAL_E_TIMEOUT);
    CU_ASSERT_EQUAL(fake->status, 503);
    CU_ASSERT_EQUAL(fake->sip.registrar.aors, 0);
    /* It may have been stored nevertheless, or will be: location tries again. */
    CU_ASSERT_EQUAL_FATAL(fake->stores_len, 2);
    CU_ASSERT_EQUAL(fake_last_store(fake)->expires_s, 0);
    fake_stored(fake, 0);
    fake_sip_free(fake);
}

static void failed_removal_keeps_the_phone_and_stores_it_again(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A "\r\n"), 200);
    fake->holds = true;
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A ";expires=0\r\n"), 0);
    fake_stored(fake, -PEAL_E_TIMEOUT);
    CU_ASSERT_EQUAL(fake->status, 503);
    CU_ASSERT_EQUAL(fake_targets_len(fake), 1);
    fake->holds = false;
    fake_sip_run(fake, peal_seconds(2));
    CU_ASSERT_EQUAL(fake->stores_len, 3);
    CU_ASSERT_EQUAL(fake_last_store(fake)->expires_s, 3599);
    fake_sip_run(fake, peal_seconds(100));
    CU_ASSERT_EQUAL(fake->stores_len, 3);
    fake_sip_free(fake);
}

/* Location goes on with what it was told last, which was not to be. */
static void failed_shortening_is_put_right(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A ";expires=1000\r\n" FAKE_B ";expires=100\r\n"), 200);
    fake->holds = true;
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A ";expires=0\r\n"), 0);
    CU_ASSERT_EQUAL(fake_last_store(fake)->expires_s, 100);
    fake_stored(fake, -PEAL_E_TIMEOUT);
    CU_ASSERT_EQUAL(fake->status, 503);
    fake->holds = false;
    fake_sip_run(fake, peal_seconds(2));
    CU_ASSERT_EQUAL(fake_last_store(fake)->expires_s, 999);
    fake_sip_free(fake);
}

static void peer_that_has_not_joined_answers_503(void)
{
    FakeSip *fake = fake_sip_new();

    fake->peer.state = PEAL_PEER_JOINING;
    fake->store_error = -PEAL_E_STATE;
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A "\r\n"), 503);
    CU_ASSERT_EQUAL(fake_lines(fake, "Retry-After:"), 1);
    CU_ASSERT_EQUAL(fake_register(fake, ""), 200); /* a query asks nobody */
    CU_ASSERT_EQUAL(fake->sip.registrar.aors, 0);
    fake->peer.state = PEAL_PEER_JOINED;
    fake->store_error = -PEAL_E_FULL;
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A "\r\n"), 503);
    CU_ASSERT_EQUAL(fake->sip.registrar.aors, 0);
    fake_sip_free(fake);
}

static void registers_for_one_aor_keep_their_order(void)
{
    FakeSip *fake = fake_sip_new();

    fake->holds = true;
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A "\r\n"), 0);
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_B "\r\n"), 0);
    CU_ASSERT_EQUAL(fake_register(fake, ""), 0);
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A ";expires=0\r\n"), 0);
    CU_ASSERT_EQUAL(fake->stores_len, 1); /* one at a time */
    fake_stored(fake, 0);
    CU_ASSERT_EQUAL(fake->answers, 1);
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 1);
    CU_ASSERT_EQUAL(fake->stores_len, 2);
    fake_stored(fake, 0);
    CU_ASSERT_EQUAL(fake->answers, 3); /* the second, and the query behind it */
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 2);
    CU_ASSERT_EQUAL(fake->stores_len, 3);
    fake_stored(fake, 0);
    CU_ASSERT_EQUAL(fake->answers, 4);
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 1);
    for (unsigned i = 0; i < 40; i++) {
        (void)fake_register(fake, FAKE_B "\r\n");
    }
    CU_ASSERT_EQUAL(fake->status, 503); /* the queue has an end */
    fake_sip_free(fake);                /* with everything under way */
}

static void expiry_waits_for_a_store_under_way(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A ";expires=60\r\n"), 200);
    fake_sip_run(fake, peal_seconds(59));
    fake->holds = true;
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A ";expires=100\r\n"), 0);
    fake_sip_run(fake, peal_seconds(3));
    CU_ASSERT_EQUAL(fake_targets_len(fake), 1);
    fake_stored(fake, 0);
    CU_ASSERT_EQUAL(fake->status, 200);
    CU_ASSERT(fake_has_line(fake, FAKE_A ";expires=97"));
    fake->holds = false;
    fake_sip_run(fake, peal_seconds(97));
    CU_ASSERT_EQUAL(fake->sip.registrar.aors, 0);
    fake_sip_free(fake);
}

static void binding_stays_a_target_while_its_refresh_is_stored(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A ";expires=60\r\n" FAKE_B ";expires=60\r\n"), 200);
    fake->holds = true;
    fake_sip_run(fake, peal_seconds(59));
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A ";expires=60\r\n"), 0);
    fake_sip_run(fake, peal_seconds(3));
    CU_ASSERT_EQUAL(fake_targets_len(fake), 1); /* the other one has expired */
    fake_stored(fake, -PEAL_E_TIMEOUT);
    CU_ASSERT_EQUAL(fake->status, 503);
    CU_ASSERT_EQUAL(fake_targets_len(fake), 0);

    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A ";expires=60\r\n"), 0);
    fake_stored(fake, 0);
    fake_sip_run(fake, peal_seconds(59));
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A ";expires=0\r\n"), 0);
    fake_sip_run(fake, peal_seconds(3));
    CU_ASSERT_EQUAL(fake_targets_len(fake), 0); /* it is to go anyway */
    fake_stored(fake, 0);
    fake_sip_free(fake);
}

/* Operators. */

static int bind_uri(FakeSip *fake, const char *aor, const char *contact, uint32_t expires_s)
{
    return peal_peer_bind(&fake->peer, sip_str(aor), sip_str(contact), expires_s, 77);
}

static void operator_binds_without_a_phone(void)
{
    FakeSip *fake = fake_sip_new();
    RegistrarTarget target;

    fake->holds = true;
    CU_ASSERT_EQUAL(bind_uri(fake, FAKE_ALICE, "sip:alice@198.51.100.1", 100), 0);
    CU_ASSERT_EQUAL(fake->outcomes, 0);
    CU_ASSERT_EQUAL(fake_last_store(fake)->expires_s, 100);
    fake_stored(fake, 0);
    CU_ASSERT(fake->outcomes == 1 && fake->token == 77 && fake->outcome == 0);
    CU_ASSERT_EQUAL_FATAL(fake_targets(fake, &target, 1), 1);
    CU_ASSERT(fake_is(target.contact, "sip:alice@198.51.100.1") && !target.by_hop);
    CU_ASSERT_EQUAL(bind_uri(fake, FAKE_ALICE, "sip:alice@198.51.100.1", 50),
                    0); /* no order of his */
    fake_stored(fake, -PEAL_E_TIMEOUT);
    CU_ASSERT(fake->outcomes == 2 && fake->outcome == -PEAL_E_TIMEOUT);
    CU_ASSERT_EQUAL(bind_uri(fake, FAKE_ALICE, "sip:alice@198.51.100.1", 0), 0);
    fake_stored(fake, 0);
    CU_ASSERT(fake->outcomes == 3 && fake->outcome == 0);
    CU_ASSERT_EQUAL(fake->sip.registrar.aors, 0);
    CU_ASSERT_EQUAL(bind_uri(fake, FAKE_ALICE, "sip:alice@198.51.100.1", 0), -PEAL_E_NOT_FOUND);
    CU_ASSERT_EQUAL(bind_uri(fake, FAKE_ALICE, "no uri", 10), -PEAL_E_ARG);
    CU_ASSERT_EQUAL(bind_uri(fake, "sip:example.org", "sip:a@b", 10), -PEAL_E_ARG);
    CU_ASSERT_EQUAL(bind_uri(fake, "sip:alice@elsewhere.org", "sip:a@b", 10), -PEAL_E_ARG);
    fake->store_error = -PEAL_E_FULL;
    CU_ASSERT_EQUAL(bind_uri(fake, FAKE_ALICE, "sip:a@b", 10), -PEAL_E_FULL);
    fake->peer.state = PEAL_PEER_JOINING;
    CU_ASSERT_EQUAL(bind_uri(fake, FAKE_ALICE, "sip:a@b", 10), -PEAL_E_STATE);
    CU_ASSERT_EQUAL(fake->outcomes, 3);
    fake_sip_free(fake);
}

static void operator_removal_that_needs_no_store_is_done_later(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A "\r\n"), 200);
    fake->store_error = -PEAL_E_NOT_FOUND; /* the overlay does not know it */
    CU_ASSERT_EQUAL(bind_uri(fake, FAKE_ALICE, "sip:alice@192.0.2.1:5070", 0), 0);
    CU_ASSERT_EQUAL(fake->outcomes, 0);
    fake_sip_run(fake, peal_ms(1));
    CU_ASSERT(fake->outcomes == 1 && fake->outcome == 0);
    CU_ASSERT_EQUAL(fake->sip.registrar.aors, 0);
    fake_sip_free(fake);
}

PEAL_TEST_MAIN("core/registrar_stores", PEAL_TEST(row_4_bindings_expire),
               PEAL_TEST(many_aors_expire_in_any_order), PEAL_TEST(answer_waits_for_the_store),
               PEAL_TEST(failed_store_is_503_and_restores),
               PEAL_TEST(failed_store_of_a_new_aor_is_taken_back),
               PEAL_TEST(failed_removal_keeps_the_phone_and_stores_it_again),
               PEAL_TEST(failed_shortening_is_put_right),
               PEAL_TEST(peer_that_has_not_joined_answers_503),
               PEAL_TEST(registers_for_one_aor_keep_their_order),
               PEAL_TEST(expiry_waits_for_a_store_under_way),
               PEAL_TEST(binding_stays_a_target_while_its_refresh_is_stored),
               PEAL_TEST(operator_binds_without_a_phone),
               PEAL_TEST(operator_removal_that_needs_no_store_is_done_later))
