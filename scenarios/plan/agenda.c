/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * agenda.c - an alternating renewal process a peer, or a trace for all.
 *
 * Span n of a peer (its n-th session or absence, the one at time 0 being number 1) is draw n of its
 * churn stream, so that neither world nor order matters.
 */
#include "plan/agenda.h"

#include <math.h>

#include "churn.h"

enum { DRAW_FIRST = 0, BISECTIONS = 64 };
#define DRAWS_LEAVES (UINT64_C(1) << 40)

static const uint32_t STATE_AWAY = UINT32_C(1) << 31; /* the span under way is an absence */

struct Agenda {
    const Scenario *scenario;
    uint64_t seed;
    uint32_t identities; /* without joiners of events */
    double availability;
    int64_t *next_us; /* per peer, end of its span; NULL with a trace */
    uint32_t *state;  /* per peer, number of that span, and STATE_AWAY */
    bool *first;      /* per peer; NULL without a trace */
    size_t line;      /* of the trace, the next */
};

static uint64_t stream_of(uint32_t peer)
{
    return peal_random_stream(peer, PEAL_DRAW_CHURN);
}

/*
 * Absences are measured by a clock that runs as fast as peers return: at 1 + a sin(2 pi t / P). So
 * the rate of whatever distribution is that many times as high at t. Returns when `span_us` of it
 * are over that began at `from_us`.
 */
static int64_t diurnal_end(const ScenarioChurn *churn, int64_t from_us, int64_t span_us)
{
    double period = (double)churn->diurnal_period.ns / PEAL_NS_PER_US;
    double angle = 2 * G_PI / period;
    double swing = (double)churn->diurnal_ppm / SCENARIO_PPM / angle;
    double target = (double)from_us - swing * cos(angle * (double)from_us) + (double)span_us;
    double low = MAX((double)from_us, target - swing);
    double high = target + swing;

    for (int i = 0; i < BISECTIONS && high - low > .5; i++) {
        double middle = low + (high - low) / 2;

        if (middle - swing * cos(angle * middle) < target) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return MAX(from_us + 1, llround(high));
}

/* Begins span `number` of a peer at an instant. residual: it began before, at a random one. */
static void begin_span(Agenda *agenda, uint32_t peer, uint32_t number, bool away, bool residual,
                       int64_t us)
{
    const ScenarioChurn *churn = &agenda->scenario->churn;
    const Dist *dist = away ? &churn->absence : &churn->session;
    PealSpan span = residual ? dist_draw_residual(dist, agenda->seed, stream_of(peer), number)
                             : dist_draw(dist, agenda->seed, stream_of(peer), number);
    int64_t span_us = MAX(1, span.ns / PEAL_NS_PER_US);

    agenda->state[peer] = number | (away ? STATE_AWAY : 0);
    agenda->next_us[peer] =
        away && churn->diurnal_ppm > 0 ? diurnal_end(churn, us, span_us) : us + span_us;
}

/* The users' peers come and go, their server does not. */
static bool is_server(const Agenda *agenda, uint32_t peer)
{
    return peer == 0 && scenario_is_central(agenda->scenario);
}

/* The lines of time 0 say who is there first. */
static void read_first_lines(Agenda *agenda, const ChurnTrace *trace)
{
    agenda->first = g_new0(bool, agenda->identities);
    while (agenda->line < trace->len && trace->lines[agenda->line].us == 0) {
        agenda->first[trace->lines[agenda->line].peer] = trace->lines[agenda->line].up;
        agenda->line++;
    }
}

Agenda *agenda_new(const Scenario *point, uint64_t seed)
{
    uint32_t all = scenario_identities(point);
    Agenda *agenda;

    if (!scenario_has_churn(point)) {
        return NULL;
    }
    agenda = g_new0(Agenda, 1);
    agenda->scenario = point;
    agenda->seed = seed;
    agenda->identities = (uint32_t)churn_identities(point);
    if (point->churn.trace != NULL) {
        read_first_lines(agenda, point->churn.trace);
        return agenda;
    }
    agenda->availability = churn_availability(point);
    agenda->next_us = g_new(int64_t, all);
    agenda->state = g_new0(uint32_t, all);
    for (uint32_t peer = 0; peer < all; peer++) {
        agenda->next_us[peer] = INT64_MAX;
        if (peer < agenda->identities && !agenda_is_first(agenda, peer)) {
            begin_span(agenda, peer, DRAW_FIRST + 1, true, true, 0);
        }
    }
    return agenda;
}

void agenda_free(Agenda *agenda)
{
    if (agenda != NULL) {
        g_free(agenda->next_us);
        g_free(agenda->state);
        g_free(agenda->first);
        g_free(agenda);
    }
}

bool agenda_is_first(const Agenda *agenda, uint32_t peer)
{
    uint64_t draw;

    if (peer >= agenda->identities) {
        return false;
    }
    if (agenda->first != NULL || is_server(agenda, peer)) {
        return agenda->first == NULL || agenda->first[peer];
    }
    draw = peal_random_at(agenda->seed, stream_of(peer), DRAW_FIRST);
    return (double)(draw >> 11) * 0x1p-53 < agenda->availability;
}

void agenda_begin(Agenda *agenda, uint32_t peer, int64_t us)
{
    if (agenda->next_us != NULL && !is_server(agenda, peer)) {
        begin_span(agenda, peer, DRAW_FIRST + 1, false, peer < agenda->identities, us);
    }
}

static bool is_graceful(const Agenda *agenda, uint32_t peer, uint64_t number)
{
    uint64_t draw =
        peal_random_at(agenda->seed, stream_of(peer), (DRAWS_LEAVES + number) * DIST_RAW_PER_DRAW);

    return peal_random_below(draw, SCENARIO_PPM) < agenda->scenario->churn.leaves_ppm;
}

int64_t agenda_next_us(const Agenda *agenda, uint32_t peer)
{
    return agenda->next_us != NULL ? agenda->next_us[peer] : INT64_MAX;
}

bool agenda_take(Agenda *agenda, uint32_t peer, int64_t end_us, AgendaTurn *ret_turn)
{
    int64_t us = agenda_next_us(agenda, peer);
    uint32_t number;
    bool up;

    if (us >= end_us) {
        return false;
    }
    number = agenda->state[peer] & ~STATE_AWAY;
    up = (agenda->state[peer] & STATE_AWAY) != 0;
    *ret_turn = (AgendaTurn){us, peer, up, !up && is_graceful(agenda, peer, number)};
    begin_span(agenda, peer, number + 1, !up, false, us);
    return true;
}

int64_t agenda_next_line_us(const Agenda *agenda)
{
    const ChurnTrace *trace = agenda->scenario->churn.trace;

    return trace != NULL && agenda->line < trace->len ? trace->lines[agenda->line].us : INT64_MAX;
}

bool agenda_take_line(Agenda *agenda, int64_t end_us, AgendaTurn *ret_turn)
{
    const ChurnTrace *trace = agenda->scenario->churn.trace;
    const ChurnLine *line;

    if (agenda_next_line_us(agenda) >= end_us) {
        return false;
    }
    line = &trace->lines[agenda->line];
    *ret_turn = (AgendaTurn){line->us, line->peer, line->up,
                             !line->up && is_graceful(agenda, line->peer, agenda->line)};
    agenda->line++;
    return true;
}
