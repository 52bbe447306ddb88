/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * agenda.h - when each peer comes and goes by churn.
 * Source: none.
 * State:  12 bytes per identity, or a place in the scenario's trace and a byte per identity.
 * Time:   whole us from the start of the run.
 */
#ifndef SCENARIOS_AGENDA_H
#define SCENARIOS_AGENDA_H

#include <scenarios/scenario.h>

typedef struct Agenda Agenda;

typedef struct AgendaTurn {
    int64_t us;
    uint32_t peer;
    bool up;
    bool graceful; /* where it is not up: with a Leave */
} AgendaTurn;

/* agenda_new returns NULL without churn. The scenario is borrowed for the agenda's life. */
Agenda *agenda_new(const Scenario *point, uint64_t seed);
void agenda_free(Agenda *agenda);

/* agenda_is_first: the peer is there in the steady state, or the trace's, at time 0. Joiners of
 * events are not. */
bool agenda_is_first(const Agenda *agenda, uint32_t peer);

/* agenda_begin says when the life begins of a peer that is first, or of an event's joiner: its
 * session lasts from then on. Once for each of them; nothing of it concerns a trace. */
void agenda_begin(Agenda *agenda, uint32_t peer, int64_t us);

/* agenda_take takes a peer's next turn if it comes before `end_us`. Never one of a trace. */
bool agenda_take(Agenda *agenda, uint32_t peer, int64_t end_us, AgendaTurn *ret_turn) PEAL_MUST_USE;

/* agenda_take_line takes the trace's next line if it comes before `end_us`, whichever the peer. */
bool agenda_take_line(Agenda *agenda, int64_t end_us, AgendaTurn *ret_turn) PEAL_MUST_USE;

/* agenda_next_us is the instant of a peer's next turn, and agenda_next_line_us of the trace's next
 * line; INT64_MAX for none. */
int64_t agenda_next_us(const Agenda *agenda, uint32_t peer);
int64_t agenda_next_line_us(const Agenda *agenda);

#endif
