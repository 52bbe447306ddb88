/* SPDX-License-Identifier: GPL-3.0-or-later */
/* section.c - reads [attack:NAME] sections, and checks them. See <scenarios/attack.h>. */
#include <inttypes.h>
#include <scenarios/attack.h>
#include <scenarios/keys.h>
#include <scenarios/replay.h>
#include <scenarios/settings.h>
#include <stddef.h>

#define FIELD(member) offsetof(ScenarioAttack, member), sizeof(((ScenarioAttack *)NULL)->member)
#define S UINT64_C(1000000000)
#define D (86400 * S)
#define RATE_MAX_MILLI UINT64_C(3600000000000) /* 1,000,000 a second */

static const KeyChoice KINDS[] = {{"sip-flood", ATTACK_SIP_FLOOD, NULL},
                                  {"lookup-flood", ATTACK_LOOKUP_FLOOD, NULL},
                                  {"drop", ATTACK_DROP, NULL},
                                  {"wrong-answer", ATTACK_WRONG_ANSWER, NULL},
                                  {"wrong-hop", ATTACK_WRONG_HOP, NULL},
                                  {"sybil", ATTACK_SYBIL, NULL},
                                  {"eclipse", ATTACK_ECLIPSE, NULL},
                                  {"storm", ATTACK_STORM, NULL},
                                  {NULL, 0, NULL}};
static const KeyChoice METHODS[] = {{"register", ATTACK_REGISTER, NULL},
                                    {"invite", ATTACK_INVITE, NULL},
                                    {"options", ATTACK_OPTIONS, NULL},
                                    {NULL, 0, NULL}};
static const KeyChoice ARRIVALS[] = {{"poisson", ATTACK_POISSON, NULL},
                                     {"regular", ATTACK_REGULAR, NULL},
                                     {NULL, 0, NULL}};
static const KeyChoice DROPS[] = {{"all", ATTACK_DROPS_ALL, NULL},
                                  {"requests", ATTACK_DROPS_REQUESTS, NULL},
                                  {"answers", ATTACK_DROPS_ANSWERS, NULL},
                                  {NULL, 0, NULL}};
static const KeyChoice ANSWERS[] = {{"not-found", ATTACK_ANSWER_NOT_FOUND, NULL},
                                    {"false", ATTACK_ANSWER_FALSE, NULL},
                                    {NULL, 0, NULL}};
static const KeyChoice HOPS[] = {{"away", ATTACK_HOP_AWAY, NULL},
                                 {"circle", ATTACK_HOP_CIRCLE, NULL},
                                 {NULL, 0, NULL}};
static const KeyChoice THENS[] = {{"drop", ATTACK_THEN_DROP, NULL},
                                  {"lie", ATTACK_THEN_LIE, NULL},
                                  {"nothing", ATTACK_THEN_NOTHING, NULL},
                                  {NULL, 0, NULL}};

const Key ATTACK_KEYS[] = {
    {ATTACK_SECTION, "kind", KEY_CHOICE, KINDS, FIELD(kind), 0, 0, NULL, "required",
     "sip-flood: SIP requests that nobody means, from phones or from the addresses of peers; "
     "lookup-flood: Fetches, by peers; drop: peers forward nothing of others, but serve what they "
     "own; wrong-answer: peers answer every Fetch that passes through them or is for them falsely; "
     "wrong-hop: peers send requests of others elsewhere; sybil: peers join right around a key; "
     "eclipse: identities fill a peer's neighbour table by lying Updates; storm: peers join and "
     "vanish all the time."},
    {ATTACK_SECTION, "from", KEY_SPAN, NULL, FIELD(from), 0, 3650 * D, "0s", NULL,
     "When it begins, before the end of the scenario."},
    {ATTACK_SECTION, "until", KEY_SPAN, NULL, FIELD(until), 0, 3650 * D, NULL, "end",
     "When it ends: end, or a time behind from."},
    {ATTACK_SECTION, "attackers", KEY_AMOUNT, NULL, FIELD(attackers), 0, SCENARIO_PEERS_MAX, NULL,
     "none",
     "How many of the peers that the run starts with attack: N or P%, drawn by the seed. They "
     "register, look up and call nobody, whether the attack is on or not. sip-flood, lookup-flood, "
     "drop, wrong-answer, wrong-hop."},
    {ATTACK_SECTION, "phones", KEY_COUNT, NULL, FIELD(phones), 0, 65536, NULL, "none",
     "sip-flood: addresses of their own that send it, in place of attackers."},
    {ATTACK_SECTION, "identities", KEY_COUNT, NULL, FIELD(identities), 0, 65536, NULL, "none",
     "sybil, eclipse, storm: Node-IDs that the attack brings along, each with an address of its "
     "own."},
    {ATTACK_SECTION, "rate", KEY_RATE, NULL, FIELD(rate_milli), 1, RATE_MAX_MILLI, NULL, "none",
     "Floods: requests of each attacker or phone, such as 100/s (or /min, /h); of all of them "
     "together 1000000/s at most."},
    {ATTACK_SECTION, "arrivals", KEY_CHOICE, ARRIVALS, FIELD(arrivals), 0, 0, "poisson", NULL,
     "Floods: intervals are exponential, or all the same."},
    {ATTACK_SECTION, "method", KEY_CHOICE, METHODS, FIELD(method), 0, 0, "invite", NULL,
     "sip-flood: what is sent. REGISTER binds names of the attack's own, INVITE calls users that "
     "exist and says nothing more, OPTIONS asks the domain."},
    {ATTACK_SECTION, "target", KEY_TARGET, NULL, FIELD(target), 0, 0, "everyone", NULL,
     "everyone, peer N, or user U of peer N (also: key of user U of peer N). sip-flood: the peer "
     "that is sent to, or the user that is called; lookup-flood: the key that is asked for, that "
     "of "
     "the user or the peer's Node-ID; sybil: the key to surround; eclipse: the peer."},
    {ATTACK_SECTION, "drops", KEY_CHOICE, DROPS, FIELD(drops), 0, 0, "all", NULL,
     "drop: what is not forwarded."},
    {ATTACK_SECTION, "answer", KEY_CHOICE, ANSWERS, FIELD(answer), 0, 0, "not-found", NULL,
     "wrong-answer, and what a sybil lies: not-found: there is no value; false: a registration "
     "with "
     "the attacker."},
    {ATTACK_SECTION, "hop", KEY_CHOICE, HOPS, FIELD(hop), 0, 0, "away", NULL,
     "wrong-hop: away: to the peer it knows that lies farthest from the destination; circle: to "
     "its predecessor and back, until the time to live is over."},
    {ATTACK_SECTION, "then", KEY_CHOICE, THENS, FIELD(then), 0, 0, "drop", NULL,
     "sybil, eclipse: what identities do where they are: drop: neither forward nor serve Fetch and "
     "Store; lie: as wrong-answer; nothing: serve as any peer."},
    {ATTACK_SECTION, "period", KEY_SPAN, NULL, FIELD(period), 100 * UINT64_C(1000000), D, "60s",
     NULL,
     "storm: from join to join of each identity; it vanishes without a word halfway. The "
     "identities' joins are spread over the period."},
};
const size_t ATTACK_KEYS_LEN = G_N_ELEMENTS(ATTACK_KEYS);

/* What goes with which kind, besides kind, from and until: the keys it needs, and those that it may
 * have. `a|b`: exactly one of the two. */
typedef struct Fit {
    const char *needs;
    const char *takes;
} Fit;

static const Fit FITS[] = {
    [ATTACK_SIP_FLOOD] = {"attackers|phones rate", "arrivals method target"},
    [ATTACK_LOOKUP_FLOOD] = {"attackers rate", "arrivals target"},
    [ATTACK_DROP] = {"attackers", "drops"},
    [ATTACK_WRONG_ANSWER] = {"attackers", "answer"},
    [ATTACK_WRONG_HOP] = {"attackers", "hop"},
    [ATTACK_SYBIL] = {"identities target", "then answer"},
    [ATTACK_ECLIPSE] = {"identities target", "then answer"},
    [ATTACK_STORM] = {"identities", "period"},
};

static bool attack_fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool attack_fail(GError **error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE, text);
    return false;
}

/* Fails about one key of a section, or about the section where nobody wrote the key. */
static bool fail_at(const Scenario *scenario, const char *section, const char *key, GError **error)
{
    const Setting *setting = settings_find(scenario->settings, section, key);
    guint line = settings_section_line(scenario->settings, section);

    if (setting != NULL) {
        settings_prefix(scenario->settings, setting, error);
    } else if (line > 0) {
        g_prefix_error(error, "%s:%u: [%s]: ", scenario->settings->path, line, section);
    } else {
        g_prefix_error(error, "%s: [%s]: ", scenario->settings->path, section);
    }
    return false;
}

static const char *kind_name(AttackKind kind)
{
    return KINDS[kind].name;
}

static bool has(const Scenario *scenario, const char *section, const char *key)
{
    return settings_find(scenario->settings, section, key) != NULL;
}

static bool is_word_of(const char *words, const char *word)
{
    g_auto(GStrv) list = g_strsplit_set(words, " |", -1);

    return g_strv_contains((const char *const *)list, word);
}

static bool check_needs(const Scenario *scenario, const char *section, AttackKind kind,
                        GError **error)
{
    g_auto(GStrv) needs = g_strsplit(FITS[kind].needs, " ", -1);

    for (guint i = 0; needs[i] != NULL; i++) {
        g_auto(GStrv) either = g_strsplit(needs[i], "|", 2);
        bool first = has(scenario, section, either[0]);
        bool second = either[1] != NULL && has(scenario, section, either[1]);

        if (!first && !second) {
            attack_fail(error, "%s needs the key %s%s%s", kind_name(kind), either[0],
                        either[1] != NULL ? " or " : "", either[1] != NULL ? either[1] : "");
            return fail_at(scenario, section, "", error);
        }
        if (first && second) {
            attack_fail(error, "it comes from %s or from %s, not from both: remove one", either[0],
                        either[1]);
            return fail_at(scenario, section, either[1], error);
        }
    }
    return true;
}

static bool check_fit(const Scenario *scenario, const char *section, AttackKind kind,
                      GError **error)
{
    if (!check_needs(scenario, section, kind, error)) {
        return false;
    }
    for (size_t i = 0; i < ATTACK_KEYS_LEN; i++) {
        const char *name = ATTACK_KEYS[i].name;

        if (has(scenario, section, name) && !is_word_of("kind from until", name) &&
            !is_word_of(FITS[kind].needs, name) && !is_word_of(FITS[kind].takes, name)) {
            attack_fail(error, "it does not go with kind = %s", kind_name(kind));
            return fail_at(scenario, section, name, error);
        }
    }
    return true;
}

static bool apply_keys(Scenario *scenario, const char *section, ScenarioAttack *attack,
                       GError **error)
{
    for (size_t i = 0; i < ATTACK_KEYS_LEN; i++) {
        const Key *key = &ATTACK_KEYS[i];
        const Setting *setting = settings_find(scenario->settings, section, key->name);
        const char *text = setting != NULL ? setting->value : key->fallback;

        if (text == NULL || (strcmp(key->name, "until") == 0 && strcmp(text, "end") == 0)) {
            continue;
        }
        if (!key_apply(key, text, attack, error)) {
            return fail_at(scenario, section, key->name, error);
        }
    }
    return true;
}

static bool check_times(const Scenario *scenario, const char *section, ScenarioAttack *attack,
                        GError **error)
{
    bool ends = attack->until.ns > 0 || has(scenario, section, "until");
    const Setting *until = settings_find(scenario->settings, section, "until");

    if (!ends || (until != NULL && strcmp(until->value, "end") == 0)) {
        attack->until = scenario->duration;
    }
    if (attack->from.ns >= scenario->duration.ns) {
        attack_fail(error, "the scenario ends before this attack begins: set it earlier, or "
                           "scenario.duration longer");
        return fail_at(scenario, section, "from", error);
    }
    if (attack->until.ns <= attack->from.ns) {
        attack_fail(error, "the attack would end before it has begun: set until behind from");
        return fail_at(scenario, section, "until", error);
    }
    attack->until.ns = MIN(attack->until.ns, scenario->duration.ns);
    return true;
}

static bool build(Scenario *scenario, const char *section, ScenarioAttack *attack, GError **error)
{
    if (!has(scenario, section, "kind")) {
        g_autofree char *range = key_range_text(&ATTACK_KEYS[0]);

        attack_fail(error, "it lacks its key 'kind', which takes %s", range);
        return fail_at(scenario, section, "kind", error);
    }
    attack->name = g_strdup(section + strlen(ATTACK_PREFIX));
    return apply_keys(scenario, section, attack, error) &&
           check_fit(scenario, section, attack->kind, error) &&
           check_times(scenario, section, attack, error);
}

bool attack_sections_build(Scenario *scenario, GError **error)
{
    g_autoptr(GPtrArray) names = settings_sections_with(scenario->settings, ATTACK_PREFIX);

    scenario->attacks = g_new0(ScenarioAttack, names->len);
    for (guint i = 0; i < names->len; i++) {
        scenario->attacks_len++;
        if (!build(scenario, g_ptr_array_index(names, i), &scenario->attacks[i], error)) {
            return false;
        }
    }
    return true;
}

void attack_sections_free(Scenario *scenario)
{
    for (guint i = 0; i < scenario->attacks_len; i++) {
        g_free(scenario->attacks[i].name);
    }
    g_free(scenario->attacks);
}

uint32_t attack_population(const Scenario *scenario)
{
    uint32_t identities = scenario_identities(scenario);

    for (guint i = 0; i < scenario->events_len; i++) {
        identities -= scenario->events[i].what == SCENARIO_JOIN ? scenario->events[i].count : 0;
    }
    return identities;
}

uint32_t attack_members(const Scenario *scenario, const ScenarioAttack *attack)
{
    uint64_t part = (uint64_t)attack_population(scenario) * attack->attackers.ppm;

    return attack->attackers.ppm == 0 ? attack->attackers.count
                                      : (uint32_t)((part + SCENARIO_PPM / 2) / SCENARIO_PPM);
}

uint32_t attack_extras(const ScenarioAttack *attack)
{
    return attack->phones + attack->identities;
}

uint32_t scenario_hosts(const Scenario *scenario)
{
    uint64_t hosts = scenario_identities(scenario);

    for (guint i = 0; i < scenario->attacks_len; i++) {
        hosts += attack_extras(&scenario->attacks[i]);
    }
    return (uint32_t)hosts;
}

/* A target that is not there, or attacks itself. */
static bool check_target(const Scenario *scenario, const ScenarioAttack *attack,
                         const char *section, GError **error)
{
    const AttackTarget *target = &attack->target;

    if (target->kind == ATTACK_ON_EVERYONE) {
        if (attack->kind == ATTACK_SYBIL || attack->kind == ATTACK_ECLIPSE) {
            attack_fail(error, "%s is on a single %s: name it", kind_name(attack->kind),
                        attack->kind == ATTACK_SYBIL ? "key" : "peer");
            return fail_at(scenario, section, "target", error);
        }
        return true;
    }
    if (target->peer >= attack_population(scenario)) {
        attack_fail(error, "there is no peer %u among the %u that the run starts with, from 0 on",
                    target->peer, attack_population(scenario));
        return fail_at(scenario, section, "target", error);
    }
    if (target->kind == ATTACK_ON_USER && target->user >= scenario->workload.users_per_peer) {
        attack_fail(error, "a peer has %u users, from 0 on: set workload.users-per-peer higher",
                    scenario->workload.users_per_peer);
        return fail_at(scenario, section, "target", error);
    }
    if (target->kind == ATTACK_ON_USER && scenario->workload.replay != NULL &&
        replay_user_at(scenario->workload.replay, target->peer, target->user) == HISTORY_NOBODY) {
        attack_fail(error, "peer %u has no user %u of workload.trace: name another", target->peer,
                    target->user);
        return fail_at(scenario, section, "target", error);
    }
    if (target->kind == ATTACK_ON_USER && attack->kind == ATTACK_ECLIPSE) {
        attack_fail(error, "an eclipse is of a peer: write peer N");
        return fail_at(scenario, section, "target", error);
    }
    return true;
}

/* What a flood has on its way takes memory, its rate times the delay, so that is bounded too. */
static bool check_rate(const Scenario *scenario, const ScenarioAttack *attack, const char *section,
                       GError **error)
{
    uint64_t hosts = (uint64_t)attack_members(scenario, attack) + attack->phones;

    if (hosts == 0 || attack->rate_milli <= RATE_MAX_MILLI / hosts) {
        return true;
    }
    attack_fail(error,
                "the %" PRIu64 " of them would send more than 1000000/s together: lower "
                "the rate or their number",
                hosts);
    return fail_at(scenario, section, "rate", error);
}

static bool check_attack(const Scenario *scenario, const ScenarioAttack *attack, GError **error)
{
    g_autofree char *section = g_strconcat(ATTACK_PREFIX, attack->name, NULL);
    uint32_t spared = attack->target.kind != ATTACK_ON_EVERYONE;

    if (attack_members(scenario, attack) + (uint64_t)spared > attack_population(scenario)) {
        attack_fail(error, "there are only %u peers%s: fewer can attack",
                    attack_population(scenario), spared > 0 ? ", one of which is the target" : "");
        return fail_at(scenario, section, "attackers", error);
    }
    if (!check_target(scenario, attack, section, error) ||
        !check_rate(scenario, attack, section, error)) {
        return false;
    }
    if (attack->kind == ATTACK_SIP_FLOOD && !scenario_has_calls(scenario)) {
        attack_fail(error, "no peer serves SIP in this scenario: set workload.calls-per-user-hour "
                           "above 0, or workload.call-interval");
        return fail_at(scenario, section, "kind", error);
    }
    return true;
}

bool attack_sections_check(const Scenario *scenario, GError **error)
{
    uint64_t hosts = scenario_identities(scenario);

    for (guint i = 0; i < scenario->attacks_len; i++) {
        const ScenarioAttack *attack = &scenario->attacks[i];

        hosts += attack_extras(attack);
        if (!check_attack(scenario, attack, error)) {
            return false;
        }
        if (hosts > SCENARIO_PEERS_MAX) {
            g_autofree char *section = g_strconcat(ATTACK_PREFIX, attack->name, NULL);

            attack_fail(error, "with this, peers and attackers are more than %d",
                        SCENARIO_PEERS_MAX);
            return fail_at(scenario, section, attack->phones > 0 ? "phones" : "identities", error);
        }
    }
    return true;
}

char *attack_text(const ScenarioAttack *attack)
{
    const AttackTarget *target = &attack->target;

    switch (target->kind) {
    case ATTACK_ON_PEER:
        return g_strdup_printf("%s on peer %" PRIu32, kind_name(attack->kind), target->peer);
    case ATTACK_ON_USER:
        return g_strdup_printf("%s on user %" PRIu32 " of peer %" PRIu32, kind_name(attack->kind),
                               target->user, target->peer);
    case ATTACK_ON_EVERYONE:
        break;
    }
    return g_strdup(kind_name(attack->kind));
}
