/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_oracle.c - the ring's truth, compared with a search through everybody. */
#include <glib.h>
#include <peal/random.h>

#include "peal_test.h"
#include <scenarios/oracle.h>

enum { PEERS = 300 };

/* Ids in clusters, so that a guess by proportion is far off. */
static PealId id_of(uint64_t number)
{
    uint64_t high = peal_random_at(1, 9, number);

    if (number % 3 == 0) {
        high >>= 20;
    } else if (number % 3 == 1) {
        high |= UINT64_C(0xFFFFF) << 44;
    }
    return peal_id_from_halves((PealIdHalves){high, peal_random_at(2, 9, number)});
}

/* The member that comes first clockwise at or after the key. */
static uint32_t owner_by_search(const PealId *ids, const bool *member, const PealId *key)
{
    uint32_t owner = ORACLE_NONE;

    for (uint32_t i = 0; i < PEERS; i++) {
        if (member[i] &&
            (owner == ORACLE_NONE || peal_halves_less(peal_id_distance(key, &ids[i]),
                                                      peal_id_distance(key, &ids[owner])))) {
            owner = i;
        }
    }
    return owner;
}

static void oracle_knows_the_owner_while_peers_come_and_go(void)
{
    PealId ids[PEERS];
    bool member[PEERS] = {false};
    Oracle oracle;

    oracle_init(&oracle);
    for (uint32_t i = 0; i < PEERS; i++) {
        ids[i] = id_of(i);
    }
    for (uint64_t step = 0; step < 3000; step++) {
        uint32_t peer = (uint32_t)peal_random_below(peal_random_at(3, 9, step), PEERS);
        PealId key = step % 4 == 0 ? ids[peer] : id_of(1000 + step);

        if (step % 3 == 0) {
            oracle_leave(&oracle, &ids[peer]);
            member[peer] = false;
        } else {
            oracle_join(&oracle, &ids[peer], peer);
            member[peer] = true;
        }
        if (oracle_owner(&oracle, &key) != owner_by_search(ids, member, &key)) {
            CU_FAIL_FATAL("another owner");
        }
    }
    oracle_fini(&oracle);
}

static void oracle_filled_at_once_is_the_same_ring(void)
{
    PealId ids[PEERS];
    Oracle one_by_one;
    Oracle at_once;

    oracle_init(&one_by_one);
    oracle_init(&at_once);
    for (uint32_t i = 0; i < PEERS; i++) {
        ids[i] = id_of(i);
        oracle_join(&one_by_one, &ids[i], i);
        oracle_join(&one_by_one, &ids[i], i); /* twice is once */
    }
    oracle_fill(&at_once, NULL, ids, PEERS);
    CU_ASSERT_EQUAL(one_by_one.len, PEERS);
    CU_ASSERT_EQUAL(at_once.len, PEERS);
    CU_ASSERT_EQUAL(memcmp(at_once.peers, one_by_one.peers, sizeof(uint32_t) * PEERS), 0);
    CU_ASSERT_EQUAL(memcmp(at_once.ids, one_by_one.ids, sizeof(PealIdHalves) * PEERS), 0);
    CU_ASSERT_EQUAL(oracle_at(&at_once, PEERS - 1, 1), at_once.peers[0]);
    oracle_fini(&one_by_one);
    oracle_fini(&at_once);
}

static void oracle_without_members_names_nobody(void)
{
    PealId id = id_of(1);
    Oracle oracle;

    oracle_init(&oracle);
    CU_ASSERT_EQUAL(oracle_owner(&oracle, &id), ORACLE_NONE);
    oracle_join(&oracle, &id, 7);
    CU_ASSERT_EQUAL(oracle_owner(&oracle, &id), 7);
    oracle_leave(&oracle, &id);
    oracle_leave(&oracle, &id);
    CU_ASSERT_EQUAL(oracle_owner(&oracle, &id), ORACLE_NONE);
    oracle_fini(&oracle);
}

static void oracle_holders_are_the_owner_and_those_behind_it(void)
{
    PealId ids[PEERS];
    uint32_t holders[PEERS + 1];
    Oracle oracle;
    uint32_t owner;

    oracle_init(&oracle);
    CU_ASSERT_EQUAL(oracle_holders(&oracle, &ids[0], 2, holders), 0);
    for (uint32_t i = 0; i < PEERS; i++) {
        ids[i] = id_of(i);
    }
    oracle_fill(&oracle, NULL, ids, PEERS);
    owner = oracle_rank_of(&oracle, &ids[3]);
    CU_ASSERT_EQUAL(oracle_holders(&oracle, &ids[3], 2, holders), 3);
    CU_ASSERT_EQUAL(holders[0], 3);
    CU_ASSERT_EQUAL(holders[1], oracle_at(&oracle, owner, 1));
    CU_ASSERT_EQUAL(holders[2], oracle_at(&oracle, owner, 2));
    CU_ASSERT_EQUAL(oracle_holders(&oracle, &ids[3], PEERS, holders), PEERS);
    oracle_fini(&oracle);
}

static void oracle_of_a_server_names_it_while_it_is_a_member(void)
{
    PealId ids[PEERS];
    uint32_t holders[3];
    Oracle oracle;

    for (uint32_t i = 0; i < PEERS; i++) {
        ids[i] = id_of(i);
    }
    oracle_init(&oracle);
    oracle_centre(&oracle);
    CU_ASSERT_EQUAL(oracle_owner(&oracle, &ids[3]), ORACLE_NONE);
    oracle_fill(&oracle, NULL, ids, PEERS);
    CU_ASSERT_EQUAL(oracle_owner(&oracle, &ids[3]), 0);
    CU_ASSERT_EQUAL(oracle_holders(&oracle, &ids[3], 2, holders), 1);
    CU_ASSERT_EQUAL(holders[0], 0);
    oracle_leave(&oracle, &ids[5]);
    CU_ASSERT_EQUAL(oracle_owner(&oracle, &ids[5]), 0);
    oracle_leave(&oracle, &ids[0]);
    CU_ASSERT_EQUAL(oracle_owner(&oracle, &ids[3]), ORACLE_NONE);
    CU_ASSERT_EQUAL(oracle_holders(&oracle, &ids[3], 2, holders), 0);
    oracle_join(&oracle, &ids[5], 5);
    CU_ASSERT_EQUAL(oracle_owner(&oracle, &ids[3]), ORACLE_NONE);
    oracle_join(&oracle, &ids[0], 0);
    CU_ASSERT_EQUAL(oracle_owner(&oracle, &ids[3]), 0);
    oracle_fini(&oracle);
}

PEAL_TEST_MAIN("scenarios/oracle", PEAL_TEST(oracle_holders_are_the_owner_and_those_behind_it),
               PEAL_TEST(oracle_of_a_server_names_it_while_it_is_a_member),
               PEAL_TEST(oracle_knows_the_owner_while_peers_come_and_go),
               PEAL_TEST(oracle_filled_at_once_is_the_same_ring),
               PEAL_TEST(oracle_without_members_names_nobody))
