/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_attack.c - attacks as scenarios name them: read, refused, cast, and laid out in time. */
#include <peal_openssl/crypto.h>
#include <scenarios/attackers.h>
#include <scenarios/keys.h>

#include "peal_test.h"

#define HEAD "[scenario]\nduration = 10min\nwarmup = 1min\n[overlay]\npeers = 100\n"
#define CALLS "[workload]\ncalls-per-user-hour = 6\nusers-per-peer = 2\n"
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static Scenario *loaded(const char *text)
{
    g_autoptr(GError) error = NULL;
    Scenario *scenario = scenario_load_text("dir/test.conf", text, strlen(text), NULL, &error);

    if (error != NULL) {
        printf("# %s\n", error->message);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    return scenario;
}

/* Refused with every one of the words in the message. */
static void refused(const char *text, const char *const *words)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Scenario) scenario =
        scenario_load_text("dir/test.conf", text, strlen(text), NULL, &error);

    CU_ASSERT_PTR_NULL(scenario);
    if (error == NULL) {
        printf("# accepted: %s\n", text);
        CU_FAIL("there is no error");
        return;
    }
    for (; *words != NULL; words++) {
        if (strstr(error->message, *words) == NULL) {
            printf("# no '%s' in: %s\n", *words, error->message);
            CU_FAIL("a word is missing from the message");
        }
    }
}

static void attacks_are_read_with_their_defaults(void)
{
    g_autoptr(Scenario) scenario = loaded(HEAD CALLS "[attack:one]\nkind = drop\nattackers = 12%\n"
                                                     "[attack:two]\nkind = sip-flood\nphones = 7\n"
                                                     "rate = 30/min\nmethod = register\n"
                                                     "target = user 1 of peer 9\nfrom = 90s\n"
                                                     "until = 3min\narrivals = regular\n");
    const ScenarioAttack *one = &scenario->attacks[0];
    const ScenarioAttack *two = &scenario->attacks[1];

    CU_ASSERT_EQUAL_FATAL(scenario->attacks_len, 2);
    CU_ASSERT_STRING_EQUAL(one->name, "one");
    CU_ASSERT_EQUAL(one->kind, ATTACK_DROP);
    CU_ASSERT_EQUAL(one->from.ns, 0);
    CU_ASSERT_EQUAL(one->until.ns, 600 * PEAL_NS_PER_S);
    CU_ASSERT_EQUAL(attack_members(scenario, one), 12);
    CU_ASSERT_EQUAL(one->drops, ATTACK_DROPS_ALL);
    CU_ASSERT_EQUAL(two->kind, ATTACK_SIP_FLOOD);
    CU_ASSERT_EQUAL(two->phones, 7);
    CU_ASSERT_EQUAL(two->rate_milli, 30 * 60 * 1000);
    CU_ASSERT_EQUAL(two->method, ATTACK_REGISTER);
    CU_ASSERT_EQUAL(two->arrivals, ATTACK_REGULAR);
    CU_ASSERT_EQUAL(two->target.kind, ATTACK_ON_USER);
    CU_ASSERT_EQUAL(two->target.peer, 9);
    CU_ASSERT_EQUAL(two->target.user, 1);
    CU_ASSERT_EQUAL(two->from.ns, 90 * PEAL_NS_PER_S);
    CU_ASSERT_EQUAL(two->until.ns, 180 * PEAL_NS_PER_S);
    CU_ASSERT_EQUAL(scenario_identities(scenario), 100);
    CU_ASSERT_EQUAL(scenario_hosts(scenario), 107);
}

static void attacks_can_be_swept_and_set(void)
{
    static const char text[] = HEAD "[attack:x]\nkind = drop\nattackers = 1%\n"
                                    "[sweep]\nattack:x.attackers = 0%, 5, 30%\n";
    static const uint32_t members[] = {0, 5, 30};
    const char *const sets[] = {"attack:y.kind=storm", "attack:y.identities=3", NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(Scenario) scenario =
        scenario_load_text("dir/test.conf", text, strlen(text), sets, &error);

    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    CU_ASSERT_EQUAL_FATAL(scenario->points, 3);
    for (guint i = 0; i < 3; i++) {
        g_autoptr(Scenario) point = scenario_point(scenario, i, &error);

        CU_ASSERT_PTR_NOT_NULL_FATAL(point);
        CU_ASSERT_EQUAL_FATAL(point->attacks_len, 2);
        CU_ASSERT_EQUAL(attack_members(point, &point->attacks[0]), members[i]);
        CU_ASSERT_EQUAL(point->attacks[1].identities, 3);
        CU_ASSERT_EQUAL(scenario_hosts(point), 103);
    }
}

static void add_attack_value(void *user, const char *key, const char *value)
{
    if (g_str_has_prefix(key, ATTACK_PREFIX)) {
        g_string_append_printf(user, "%s = %s\n", key, value);
    }
}

/* As results keep them, so that a run can be told from another. */
static void attacks_are_among_the_keys_in_force(void)
{
    g_autoptr(Scenario) scenario = loaded(HEAD "[attack:x]\nkind = drop\nattackers = 7%\n");
    g_autoptr(GString) text = g_string_new(NULL);

    scenario_each_value(scenario, add_attack_value, text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text->str, "attack:x.kind = drop\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text->str, "attack:x.attackers = 7%\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text->str, "attack:x.drops = all\n"));
}

static void what_is_wrong_with_an_attack_is_named_with_its_place(void)
{
    refused(HEAD "[attack:x]\nattackers = 5%\n", WORDS("dir/test.conf:6", "[attack:x]", "kind"));
    refused(HEAD "[attack:x]\nkind = dropp\n", WORDS("dir/test.conf:7", "attack:x.kind", "drop"));
    refused(HEAD "[attack:x]\nkind = drop\n", WORDS("test.conf:6", "drop needs", "attackers"));
    refused(HEAD "[attack:x]\nkind = drop\nattackers = 101\n", WORDS(":8", "only 100 peers"));
    refused(HEAD "[attack:x]\nkind = drop\nattackers = 5%\nrate = 3/s\n",
            WORDS(":9", "does not go with kind = drop"));
    refused(HEAD "[attack:x]\nkind = drop\nattackers = 5%\nattacker = 3\n",
            WORDS(":9", "unknown key 'attacker'", "'attackers'"));
    refused(HEAD "[attak:x]\nkind = drop\n", WORDS(":6", "unknown section", "[attack:NAME]"));
    refused(HEAD "[attack:a.b]\nkind = drop\n", WORDS(":6", "no name for an attack"));
    refused(HEAD "[attack:x]\nkind = drop\nattackers = 5%\nfrom = 10min\n",
            WORDS(":9", "before this attack begins"));
    refused(HEAD "[attack:x]\nkind = drop\nattackers = 5%\nfrom = 5min\nuntil = 5min\n",
            WORDS(":10", "end before it has begun"));
}

static void impossible_floods_and_targets_are_refused(void)
{
    refused(HEAD "[attack]\nkind = drop\nattackers = 5\n", WORDS(":6", "[attack:NAME]"));
    refused(HEAD CALLS "[attack:x]\nkind = sip-flood\nphones = 5\nrate = 0/s\n",
            WORDS(":12", "a rate of 0 is no attack"));
    refused(HEAD CALLS "[attack:x]\nkind = sip-flood\nphones = 5\nrate = 200001/s\n",
            WORDS(":12", "the 5 of them", "1000000/s together"));
    refused(HEAD CALLS "[attack:x]\nkind = sip-flood\nphones = 5\nrate = 5\n",
            WORDS(":12", "lacks its unit"));
    refused(HEAD CALLS "[attack:x]\nkind = sip-flood\nrate = 5/s\n",
            WORDS(":9", "attackers or phones"));
    refused(HEAD CALLS "[attack:x]\nkind = sip-flood\nrate = 5/s\nphones = 5\nattackers = 5\n",
            WORDS(":12", "not from both"));
    refused(HEAD "[attack:x]\nkind = sip-flood\nrate = 5/s\nphones = 5\n",
            WORDS(":7", "no peer serves SIP", "calls-per-user-hour"));
    refused(HEAD "[attack:x]\nkind = lookup-flood\nattackers = 5\nrate = 5/s\ntarget = peer 100\n",
            WORDS(":10", "no peer 100"));
    refused(HEAD "[attack:x]\nkind = lookup-flood\nattackers = 5\nrate = 5/s\n"
                 "target = user 1 of peer 3\n",
            WORDS(":10", "users-per-peer"));
    refused(HEAD "[attack:x]\nkind = lookup-flood\nattackers = 100\nrate = 5/s\ntarget = peer 1\n",
            WORDS(":8", "one of which is the target"));
    refused(HEAD "[attack:x]\nkind = sybil\nidentities = 5\ntarget = everyone\n",
            WORDS(":9", "single key"));
    refused(HEAD "[attack:x]\nkind = eclipse\nidentities = 5\ntarget = user 0 of peer 3\n",
            WORDS(":9", "eclipse is of a peer"));
    refused(HEAD "[attack:x]\nkind = sybil\nidentities = 5\ntarget = him\n",
            WORDS(":9", "user U of peer N"));
}

static void members_are_drawn_by_the_seed_and_spare_the_target(void)
{
    g_autoptr(Scenario) scenario = loaded(HEAD "[attack:x]\nkind = lookup-flood\nattackers = 99\n"
                                               "rate = 1/s\ntarget = peer 42\n"
                                               "[attack:y]\nkind = drop\nattackers = 30%\n");
    AttackCast *cast = attack_cast_new(scenario, 5, peal_openssl_crypto());
    AttackCast *other = attack_cast_new(scenario, 6, peal_openssl_crypto());
    uint32_t len;
    uint32_t other_len;
    const uint32_t *hosts = attack_cast_hosts(cast, 0, &len);
    const uint32_t *others;

    CU_ASSERT_EQUAL(len, 99);
    CU_ASSERT_FALSE(attack_cast_is(cast, 42));
    CU_ASSERT_TRUE(attack_cast_is(cast, 41));
    hosts = attack_cast_hosts(cast, 1, &len);
    others = attack_cast_hosts(other, 1, &other_len);
    CU_ASSERT_EQUAL_FATAL(len, 30);
    CU_ASSERT_EQUAL_FATAL(other_len, 30);
    for (uint32_t i = 1; i < len; i++) {
        CU_ASSERT(hosts[i - 1] < hosts[i]);
    }
    CU_ASSERT_NOT_EQUAL(memcmp(hosts, others, len * sizeof(*hosts)), 0);
    attack_cast_free(cast);
    attack_cast_free(other);
}

/* The key itself, then one after the other on both sides of it; round a peer, not its own id. */
static void identities_lie_right_around_their_key(void)
{
    g_autoptr(Scenario) scenario = loaded(HEAD "[attack:x]\nkind = sybil\nidentities = 4\n"
                                               "target = user 0 of peer 3\n"
                                               "[attack:y]\nkind = eclipse\nidentities = 4\n"
                                               "target = peer 3\n");
    static const int64_t steps[] = {0, -1, 1, -2, -1, 1, -2, 2};
    AttackCast *cast = attack_cast_new(scenario, 1, peal_openssl_crypto());

    for (uint32_t i = 0; i < 8; i++) {
        PealId key = attack_cast_key(cast, i / 4);
        PealId id = attack_cast_node_id(cast, 100 + i);
        PealIdHalves way = peal_id_distance(&key, &id);

        CU_ASSERT_EQUAL((int64_t)way.low, steps[i]);
        CU_ASSERT_EQUAL(way.high, steps[i] < 0 ? UINT64_MAX : 0);
        CU_ASSERT_TRUE(attack_cast_is_id(cast, &id));
    }
    attack_cast_free(cast);
}

static void regular_shots_come_at_their_rate(void)
{
    g_autoptr(Scenario) scenario = loaded(HEAD CALLS "[attack:x]\nkind = sip-flood\nphones = 4\n"
                                                     "rate = 10/s\narrivals = regular\n"
                                                     "from = 60s\nuntil = 61s\n");
    AttackCast *cast = attack_cast_new(scenario, 1, peal_openssl_crypto());
    AttackAgenda *agenda = attack_agenda_new(cast);
    AttackAction action = attack_agenda_next(agenda);
    unsigned shots = 0;

    CU_ASSERT_EQUAL(action.step, ATTACK_BEGINS);
    CU_ASSERT_EQUAL(action.at.ns, 60 * PEAL_NS_PER_S);
    for (action = attack_agenda_next(agenda); action.step == ATTACK_SHOOTS;
         action = attack_agenda_next(agenda)) {
        shots++;
        CU_ASSERT_EQUAL(action.at.ns, 60 * PEAL_NS_PER_S + (int64_t)shots * 25 * PEAL_NS_PER_MS);
        CU_ASSERT_EQUAL(action.host, 100 + (shots - 1) % 4);
    }
    CU_ASSERT_EQUAL(shots, 39); /* the fortieth falls due at the end */
    CU_ASSERT_EQUAL(action.step, ATTACK_ENDS);
    CU_ASSERT_EQUAL(attack_agenda_peek(agenda).ns, PEAL_TIME_NEVER.ns);
    attack_agenda_free(agenda);
    attack_cast_free(cast);
}

static void poisson_shots_come_at_their_rate_from_all(void)
{
    g_autoptr(Scenario) scenario = loaded(HEAD CALLS "[attack:x]\nkind = sip-flood\nphones = 4\n"
                                                     "rate = 10/s\n");
    AttackCast *cast = attack_cast_new(scenario, 1, peal_openssl_crypto());
    AttackAgenda *agenda = attack_agenda_new(cast);
    unsigned shots[4] = {0};
    unsigned all = 0;

    while (attack_agenda_peek(agenda).ns != PEAL_TIME_NEVER.ns) {
        AttackAction action = attack_agenda_next(agenda);

        if (action.step == ATTACK_SHOOTS) {
            shots[action.host - 100]++;
            all++;
        }
    }
    /* 24,000 are due in 10 min, with a deviation of 155; 6,000 each with 77. */
    CU_ASSERT(all > 23400 && all < 24600);
    for (int i = 0; i < 4; i++) {
        CU_ASSERT(shots[i] > 5700 && shots[i] < 6300);
    }
    attack_agenda_free(agenda);
    attack_cast_free(cast);
}

static void a_storm_joins_and_vanishes_in_turn(void)
{
    g_autoptr(Scenario) scenario = loaded(HEAD "[attack:x]\nkind = storm\nidentities = 2\n"
                                               "period = 20s\nfrom = 100s\nuntil = 130s\n");
    static const struct {
        int64_t at_s;
        AttackStep step;
        uint32_t host;
    } due[] = {{100, ATTACK_BEGINS, 0},     {100, ATTACK_JOINS, 100}, {110, ATTACK_JOINS, 101},
               {110, ATTACK_VANISHES, 100}, {120, ATTACK_JOINS, 100}, {120, ATTACK_VANISHES, 101},
               {130, ATTACK_ENDS, 0}};
    AttackCast *cast = attack_cast_new(scenario, 1, peal_openssl_crypto());
    AttackAgenda *agenda = attack_agenda_new(cast);

    for (size_t i = 0; i < G_N_ELEMENTS(due); i++) {
        AttackAction action = attack_agenda_next(agenda);

        CU_ASSERT_EQUAL(action.at.ns, due[i].at_s * PEAL_NS_PER_S);
        CU_ASSERT_EQUAL(action.step, due[i].step);
        CU_ASSERT_EQUAL(action.host, due[i].host);
    }
    CU_ASSERT_EQUAL(attack_agenda_peek(agenda).ns, PEAL_TIME_NEVER.ns);
    attack_agenda_free(agenda);
    attack_cast_free(cast);
}

static void a_shot_is_a_request_and_its_answer_is_known(void)
{
    g_autoptr(Scenario) scenario = loaded(HEAD CALLS "[attack:x]\nkind = sip-flood\nphones = 4\n"
                                                     "rate = 10/s\ntarget = user 1 of peer 9\n");
    AttackCast *cast = attack_cast_new(scenario, 1, peal_openssl_crypto());
    const PealAddr from = {.ip = {10, 0, 0, 101}, .port = 10000, .family = 4};
    const AttackAction action = {.step = ATTACK_SHOOTS, .host = 100, .number = 17};
    static const char response[] = "SIP/2.0 486 Busy\r\nVia: SIP/2.0/UDP "
                                   "10.0.0.101:10000;branch=z9hG4bKflood0.17\r\n\r\n";
    static const char stranger[] = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\n\r\n";
    char text[ATTACK_SHOT_MAX];
    size_t len = attack_shot_text(cast, &action, &from, text, sizeof(text));
    unsigned status = 0;

    CU_ASSERT_FATAL(len > 0 && len < sizeof(text));
    CU_ASSERT_PTR_NOT_NULL(
        g_str_has_prefix(text, "INVITE sip:u1.p9@example.org SIP/2.0\r\n") ? text : NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "Via: SIP/2.0/UDP 10.0.0.101:10000;branch=z9hG4bKflood"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\n\r\nv=0\r\n"));
    CU_ASSERT_EQUAL(attack_shot_text(cast, &action, &from, text, 100), 0);
    CU_ASSERT_TRUE(
        attack_is_answer((PealBytes){(const uint8_t *)response, strlen(response)}, &status));
    CU_ASSERT_EQUAL(status, 486);
    CU_ASSERT_FALSE(
        attack_is_answer((PealBytes){(const uint8_t *)stranger, strlen(stranger)}, &status));
    CU_ASSERT_FALSE(attack_is_answer((PealBytes){(const uint8_t *)response, 10}, &status));
    attack_cast_free(cast);
}

PEAL_TEST_MAIN("scenarios/attack", PEAL_TEST(attacks_are_read_with_their_defaults),
               PEAL_TEST(attacks_can_be_swept_and_set),
               PEAL_TEST(attacks_are_among_the_keys_in_force),
               PEAL_TEST(what_is_wrong_with_an_attack_is_named_with_its_place),
               PEAL_TEST(impossible_floods_and_targets_are_refused),
               PEAL_TEST(members_are_drawn_by_the_seed_and_spare_the_target),
               PEAL_TEST(identities_lie_right_around_their_key),
               PEAL_TEST(regular_shots_come_at_their_rate),
               PEAL_TEST(poisson_shots_come_at_their_rate_from_all),
               PEAL_TEST(a_storm_joins_and_vanishes_in_turn),
               PEAL_TEST(a_shot_is_a_request_and_its_answer_is_known))
