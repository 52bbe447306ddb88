/* SPDX-License-Identifier: GPL-3.0-or-later */
/* agenda.c - when attacks begin, end, join and shoot. See <scenarios/attackers.h>. */
#include "attack/cast.h"

#define NS_PER_HOUR 3600e9

/* What comes next of one attack. Several things of one instant come in this order. */
typedef struct Line {
    PealTime begins;
    PealTime joins; /* of identity `joined` % hosts */
    PealTime vanishes;
    PealTime shoots;
    PealTime ends;
    uint64_t joined;
    uint64_t vanished;
    uint64_t shots;
    Dist interval; /* of a flood, all its hosts together */
} Line;

struct AttackAgenda {
    const AttackCast *cast;
    Line *lines;
    uint32_t len;
};

static const ScenarioAttack *attack_of(const AttackAgenda *agenda, uint32_t attack)
{
    return &agenda->cast->scenario->attacks[attack];
}

static PealTime before_end(const ScenarioAttack *attack, PealTime at)
{
    return at.ns < attack->until.ns ? at : PEAL_TIME_NEVER;
}

/* Poisson streams of equal rates are one of their sum, in which each shot is any host's; regular
 * ones are laid side by side, and take turns. */
static PealTime next_shot(const AttackAgenda *agenda, uint32_t attack, PealTime last)
{
    const Line *line = &agenda->lines[attack];
    const ScenarioAttack *spec = attack_of(agenda, attack);
    PealSpan span =
        dist_draw(&line->interval, agenda->cast->seed, attack_shot_stream(attack), line->shots);

    if (spec->arrivals == ATTACK_REGULAR) {
        double ns = line->interval.a * 1e3 * (double)(line->shots + 1);

        return before_end(spec, peal_time_add((PealTime){spec->from.ns}, (PealSpan){(int64_t)ns}));
    }
    return before_end(spec, peal_time_add(last, span));
}

/* Joins of a storm are spread over its period, those of others follow as joining peers do. */
static PealTime next_join(const AttackAgenda *agenda, uint32_t attack)
{
    const Line *line = &agenda->lines[attack];
    const ScenarioAttack *spec = attack_of(agenda, attack);
    uint64_t hosts = agenda->cast->hosts[attack].len;
    double step = (double)agenda->cast->scenario->join_interval.ns;

    if (spec->kind == ATTACK_STORM) {
        step = (double)spec->period.ns / (double)hosts;
    } else if (line->joined == hosts) {
        return PEAL_TIME_NEVER;
    }
    return before_end(spec, (PealTime){spec->from.ns + (int64_t)(step * (double)line->joined)});
}

static PealTime next_vanishing(const AttackAgenda *agenda, uint32_t attack)
{
    const Line *line = &agenda->lines[attack];
    const ScenarioAttack *spec = attack_of(agenda, attack);
    double step = (double)spec->period.ns / (double)MAX(agenda->cast->hosts[attack].len, 1);
    double after = (double)spec->period.ns / 2 + step * (double)line->vanished;

    if (spec->kind != ATTACK_STORM) {
        return PEAL_TIME_NEVER;
    }
    return before_end(spec, (PealTime){spec->from.ns + (int64_t)after});
}

static bool is_flood(const ScenarioAttack *attack)
{
    return attack->kind == ATTACK_SIP_FLOOD || attack->kind == ATTACK_LOOKUP_FLOOD;
}

static void begin_line(AttackAgenda *agenda, uint32_t attack)
{
    const ScenarioAttack *spec = attack_of(agenda, attack);
    uint32_t hosts = agenda->cast->hosts[attack].len;
    Line *line = &agenda->lines[attack];
    bool ends = spec->until.ns < agenda->cast->scenario->duration.ns;

    line->shoots = line->joins = line->vanishes = PEAL_TIME_NEVER;
    line->begins.ns = hosts > 0 ? spec->from.ns : PEAL_TIME_NEVER.ns;
    line->ends.ns = ends && hosts > 0 ? spec->until.ns : PEAL_TIME_NEVER.ns;
    if (hosts > 0 && is_flood(spec)) {
        double mean_ns = NS_PER_HOUR * 1e3 / (double)spec->rate_milli / (double)hosts;

        line->interval = (Dist){spec->arrivals == ATTACK_REGULAR ? DIST_CONSTANT : DIST_EXPONENTIAL,
                                mean_ns / 1e3, 0};
        line->shoots = next_shot(agenda, attack, line->begins);
    } else if (spec->identities > 0) {
        line->joins = next_join(agenda, attack);
        line->vanishes = next_vanishing(agenda, attack);
    }
}

AttackAgenda *attack_agenda_new(const AttackCast *cast)
{
    AttackAgenda *agenda = g_new0(AttackAgenda, 1);

    agenda->cast = cast;
    agenda->len = cast->scenario->attacks_len;
    agenda->lines = g_new0(Line, agenda->len);
    for (uint32_t i = 0; i < agenda->len; i++) {
        begin_line(agenda, i);
    }
    return agenda;
}

void attack_agenda_free(AttackAgenda *agenda)
{
    if (agenda != NULL) {
        g_free(agenda->lines);
        g_free(agenda);
    }
}

static PealTime line_peek(const Line *line)
{
    PealTime at = peal_time_min(peal_time_min(line->begins, line->joins),
                                peal_time_min(line->vanishes, line->shoots));

    return peal_time_min(at, line->ends);
}

static uint32_t earliest(const AttackAgenda *agenda)
{
    uint32_t first = 0;

    for (uint32_t i = 1; i < agenda->len; i++) {
        if (line_peek(&agenda->lines[i]).ns < line_peek(&agenda->lines[first]).ns) {
            first = i;
        }
    }
    return first;
}

PealTime attack_agenda_peek(const AttackAgenda *agenda)
{
    return line_peek(&agenda->lines[earliest(agenda)]);
}

/* The host of a line's thing number `n`, all taking turns. */
static uint32_t turn_of(const AttackAgenda *agenda, uint32_t attack, uint64_t n)
{
    const AttackHosts *hosts = &agenda->cast->hosts[attack];

    return hosts->list[n % hosts->len];
}

static uint32_t shooter(const AttackAgenda *agenda, uint32_t attack, uint64_t number)
{
    const AttackHosts *hosts = &agenda->cast->hosts[attack];
    uint64_t any = attack_shot_draw(agenda->cast, attack, number, ATTACK_RAW_HOST);

    if (attack_of(agenda, attack)->arrivals == ATTACK_REGULAR) {
        return turn_of(agenda, attack, number);
    }
    return hosts->list[peal_random_below(any, hosts->len)];
}

AttackAction attack_agenda_next(AttackAgenda *agenda)
{
    uint32_t attack = earliest(agenda);
    Line *line = &agenda->lines[attack];
    AttackAction action = {.at = line_peek(line), .attack = attack};

    PEAL_ASSERT(action.at.ns != PEAL_TIME_NEVER.ns);
    if (action.at.ns == line->begins.ns) {
        action.step = ATTACK_BEGINS;
        line->begins = PEAL_TIME_NEVER;
    } else if (action.at.ns == line->joins.ns) {
        action.step = ATTACK_JOINS;
        action.host = turn_of(agenda, attack, line->joined++);
        line->joins = next_join(agenda, attack);
    } else if (action.at.ns == line->vanishes.ns) {
        action.step = ATTACK_VANISHES;
        action.host = turn_of(agenda, attack, line->vanished++);
        line->vanishes = next_vanishing(agenda, attack);
    } else if (action.at.ns == line->shoots.ns) {
        action.step = ATTACK_SHOOTS;
        action.number = line->shots++;
        action.host = shooter(agenda, attack, action.number);
        line->shoots = next_shot(agenda, attack, action.at);
    } else {
        action.step = ATTACK_ENDS;
        line->ends = PEAL_TIME_NEVER;
    }
    return action;
}
