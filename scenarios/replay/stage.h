/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stage.h - where `peal replay` plays a workload: into a scenario, or into running peers.
 * Source: none.   State: none beyond a call.   Time: none.
 */
#ifndef REPLAY_STAGE_H
#define REPLAY_STAGE_H

#include <scenarios/replay_main.h>

#include "replay/options.h"

typedef struct ReplayStage {
    const ReplayCommand *command;
    const RunWorld *const *worlds;
    size_t worlds_len;
    const ReplayLiveWorld *live;
    Replay *replay;
} ReplayStage;

/* Both return the exit status, and an error where there is something to say. */
int replay_stage_scenario(const ReplayStage *stage, GError **error);
int replay_stage_live(const ReplayStage *stage, GError **error);

/* replay_stem is the capture's name without directories and endings; "stdin" of `-`. To g_free. */
char *replay_stem(const char *path);

#endif
