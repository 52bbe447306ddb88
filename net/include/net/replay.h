/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * replay.h - a workload played into peers that run somewhere, for `peal replay --to`.
 * Source: <scenarios/replay.h>.
 * State:  one at a time: a phone and a UDP socket for each user, and what is under way.
 * Time:   the machine's monotonic clock. All users register first; time 0 of the trace comes when
 *         the last of them has been answered.
 *
 * A target is a numeric address, `127.0.0.1:5060`, `127.0.0.1`, `[2001:db8::1]:5060`: no name is
 * ever resolved. Each user's socket is connected to the target of its place, so that the kernel
 * itself lets nothing go elsewhere; what a phone would send elsewhere (to where a Via, a Contact or
 * a route points) is dropped and counted as the figure `replay.kept_in`.
 */
#ifndef NET_REPLAY_H
#define NET_REPLAY_H

#include <scenarios/replay_main.h>

/* `--to`: running peers, by SIP over UDP. */
extern const ReplayLiveWorld LIVE_WORLD;

#endif
