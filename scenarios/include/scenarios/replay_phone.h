/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * replay_phone.h - what a replay has phones do, in whatever world they live.
 * Source: <scenarios/replay.h>, <peal/phone.h>.
 * State:  none of its own.
 * Time:   spans of the trace are the phone's.
 */
#ifndef SCENARIOS_REPLAY_PHONE_H
#define SCENARIOS_REPLAY_PHONE_H

#include <peal/phone.h>
#include <scenarios/replay.h>

/*
 * replay_phone_call has the caller's phone make a call as it was made in the trace: it gives up
 * where that did, hangs up where that did, and says along what was kept of it. The play is told by
 * the world, before (replay_play_begin) and after (replay_play_event); from here it learns the
 * call's Call-ID.
 * token  of the phone's events
 * Returns as peal_phone_call_as.
 */
int replay_phone_call(PealPhone *phone, ReplayPlay *play, const Replay *replay, uint32_t call,
                      uint64_t token) PEAL_MUST_USE;

/*
 * replay_phone_incoming has a callee's phone do its part in a call that comes in; a call that is
 * none of the play's is answered as the phone's configuration says.
 * callee  the user whose phone it is
 * event   INCOMING, from inside it
 * Returns whether it is a call of the play.
 */
bool replay_phone_incoming(PealPhone *phone, ReplayPlay *play, uint32_t callee,
                           const PealPhoneEvent *event);

#endif
