/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "health.h"

#include "fake_node.h"
#include "peal_test.h"

static bool is_ok(const Health *health)
{
    const char *why;
    bool ok = health_ok(health, &why);

    CU_ASSERT_EQUAL(ok, why == NULL);
    return ok;
}

/* Lets a round begin and work. */
static void good_round(void)
{
    fake_node_advance(peal_seconds(11));
    CU_ASSERT_EQUAL(fake_node.out_len, HEALTH_PROBES);
    fake_node_answer(0, 0);
    CU_ASSERT_EQUAL(fake_node.out_len, HEALTH_PROBES);
    fake_node_answer(0, 1);
}

static void a_put_and_a_get_that_worked_make_it_healthy(void)
{
    Health *health = health_new(fake_node_init());
    HealthRound rounds[4];

    CU_ASSERT_FALSE(is_ok(health));
    fake_node_advance(peal_seconds(1));
    CU_ASSERT_EQUAL(fake_node.out_len, HEALTH_PROBES);
    CU_ASSERT(fake_node.out[0].store);
    CU_ASSERT_FALSE(is_ok(health));
    fake_node_answer(0, 0);
    CU_ASSERT_FALSE(fake_node.out[0].store);
    CU_ASSERT_FALSE(is_ok(health));
    fake_node_answer(0, 1);
    CU_ASSERT(is_ok(health));
    CU_ASSERT_EQUAL_FATAL(health_rounds(health, rounds, 4), 1);
    CU_ASSERT(rounds[0].ok);
    CU_ASSERT_EQUAL(rounds[0].put.ns, peal_ms(2).ns);
    CU_ASSERT_EQUAL(rounds[0].get.ns, peal_ms(2).ns);
    health_free(health);
    fake_node_fini();
}

static void a_node_that_has_not_joined_is_not_healthy_and_asks_nobody(void)
{
    Health *health = health_new(fake_node_init());

    fake_node.status.state = PEAL_PEER_JOINING;
    fake_node_advance(peal_seconds(60));
    CU_ASSERT_EQUAL(fake_node.asked, 0);
    CU_ASSERT_FALSE(is_ok(health));
    fake_node.status.state = PEAL_PEER_JOINED;
    fake_node_advance(peal_seconds(1));
    CU_ASSERT_EQUAL(fake_node.asked, HEALTH_PROBES);
    fake_node_answer(0, 0);
    fake_node_answer(0, 1);
    CU_ASSERT(is_ok(health));
    fake_node.status.leaving = true;
    fake_node_advance(peal_seconds(1));
    CU_ASSERT_FALSE(is_ok(health));
    health_free(health);
    fake_node_fini();
}

static void silence_shows_within_the_time_that_is_promised(void)
{
    Health *health = health_new(fake_node_init());

    fake_node_neighbours();
    good_round();
    CU_ASSERT(is_ok(health));
    fake_node_advance(peal_seconds(HEALTH_RED_S)); /* nobody answers any more */
    CU_ASSERT_FALSE(is_ok(health));
    health_free(health);
    fake_node_fini();
}

static void a_value_that_is_gone_or_an_error_shows_at_once(void)
{
    Health *health = health_new(fake_node_init());
    HealthRound round;

    good_round();
    fake_node_advance(peal_seconds(11));
    fake_node_answer(0, 0);
    fake_node_answer(0, 0); /* no values */
    CU_ASSERT_FALSE(is_ok(health));
    CU_ASSERT_EQUAL_FATAL(health_rounds(health, &round, 1), 1);
    CU_ASSERT_EQUAL(round.status, -PEAL_E_NOT_FOUND);
    good_round(); /* again, sooner than after a good one */
    CU_ASSERT(is_ok(health));
    fake_node_advance(peal_seconds(11));
    fake_node_answer(-PEAL_E_TIMEOUT, 0);
    CU_ASSERT_FALSE(is_ok(health));
    fake_node.refuse = -PEAL_E_FULL;
    fake_node_advance(peal_seconds(60));
    CU_ASSERT_FALSE(is_ok(health));
    CU_ASSERT(health_rounds(health, &round, 1) == 1 && round.status == -PEAL_E_FULL);
    health_free(health);
    fake_node_fini();
}

static void late_answers_of_an_ended_round_count_for_nothing(void)
{
    Health *health = health_new(fake_node_init());
    HealthRound rounds[8];
    size_t len;

    fake_node_advance(peal_seconds(13)); /* begun at once, ended by its bound */
    len = health_rounds(health, rounds, 8);
    CU_ASSERT_EQUAL(len, 1);
    fake_node_answer(0, 1);
    CU_ASSERT_EQUAL(health_rounds(health, rounds, 8), len);
    CU_ASSERT_FALSE(is_ok(health));
    health_free(health);
    fake_node_fini();
}

static void probes_go_to_the_neighbours_and_elsewhere_never_here(void)
{
    const PealId self = {{0x80}};
    Health *health = health_new(fake_node_init());

    fake_node_neighbours();
    fake_node_advance(peal_seconds(1));
    CU_ASSERT_EQUAL_FATAL(fake_node.out_len, HEALTH_PROBES);
    CU_ASSERT(
        peal_id_in_open_closed(&fake_node.out[0].resource, &self, &fake_node.status.successors[0]));
    for (size_t i = 0; i < HEALTH_PROBES; i++) {
        CU_ASSERT_FALSE(peal_id_in_open_closed(&fake_node.out[i].resource,
                                               &fake_node.status.predecessors[0], &self));
        CU_ASSERT_FALSE(i > 0 &&
                        peal_id_equal(&fake_node.out[i].resource, &fake_node.out[i - 1].resource));
    }
    health_free(health);
    fake_node_fini();
}

static void both_neighbours_are_pinged_again_and_again(void)
{
    Health *health = health_new(fake_node_init());

    fake_node_advance(peal_seconds(10));
    CU_ASSERT_EQUAL(fake_node.pinged, 0);
    fake_node_neighbours();
    fake_node_advance(peal_seconds(1));
    CU_ASSERT_EQUAL(fake_node.pinged, 2);
    fake_node_advance(peal_seconds(10)); /* nobody answers: then less often */
    CU_ASSERT_EQUAL(fake_node.pinged, 6);
    health_free(health);
    fake_node_fini();
}

static void who_is_left_alone_is_cut_off(void)
{
    Health *health = health_new(fake_node_init());

    good_round(); /* a founder may be alone */
    CU_ASSERT(is_ok(health));
    fake_node_neighbours();
    good_round();
    CU_ASSERT(is_ok(health));
    fake_node_alone();
    good_round();
    CU_ASSERT_FALSE(is_ok(health));
    for (unsigned i = 0; i < 60; i++) {
        good_round();
    }
    CU_ASSERT(is_ok(health)); /* it is a founder, and they are gone for long */
    fake_node.config.first = false;
    CU_ASSERT_FALSE(is_ok(health));
    health_free(health);
    fake_node_fini();
}

static void who_is_left_by_leavers_is_well(void)
{
    Health *health = health_new(fake_node_init());

    fake_node.config.first = false;
    fake_node_neighbours();
    fake_node.status.leaves = 2; /* one left before */
    good_round();
    CU_ASSERT(is_ok(health));
    fake_node.status.leaves = 3;
    fake_node_alone();
    good_round();
    CU_ASSERT(is_ok(health));
    fake_node_neighbours();
    good_round();
    fake_node_alone();
    good_round();
    CU_ASSERT_FALSE(is_ok(health));
    health_free(health);
    fake_node_fini();
}

PEAL_TEST_MAIN("net/health", PEAL_TEST(a_put_and_a_get_that_worked_make_it_healthy),
               PEAL_TEST(a_node_that_has_not_joined_is_not_healthy_and_asks_nobody),
               PEAL_TEST(silence_shows_within_the_time_that_is_promised),
               PEAL_TEST(a_value_that_is_gone_or_an_error_shows_at_once),
               PEAL_TEST(late_answers_of_an_ended_round_count_for_nothing),
               PEAL_TEST(probes_go_to_the_neighbours_and_elsewhere_never_here),
               PEAL_TEST(both_neighbours_are_pinged_again_and_again),
               PEAL_TEST(who_is_left_by_leavers_is_well), PEAL_TEST(who_is_left_alone_is_cut_off))
