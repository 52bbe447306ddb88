/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * options.h - what follows `peal replay`.
 * Source: none.   State: one struct.   Time: none.
 */
#ifndef REPLAY_OPTIONS_H
#define REPLAY_OPTIONS_H

#include <scenarios/replay.h>

typedef struct ReplayCommand {
    char **files;
    /* What to do */
    gboolean describe;
    char *write_workload;
    char *write_scenario;
    char *scenario;
    char **targets;
    /* What of the capture */
    char *filter;
    char *from;
    char *until;
    /* How it becomes a workload */
    char *speed_text;
    char *domain;
    char *credentials;
    char *anonymise;
    char *keep;
    char *place; /* round-robin, source, or map:FILE */
    char *users_text;
    /* Of the run; but for out, force, json and quiet they are handed on to it */
    char **sets;
    char *seed;
    char *out;
    char *on;
    char *base_port;
    char *jobs;
    char *pcap;
    gboolean force;
    gboolean json;
    gboolean quiet;

    ReplayPlacing placing;
    const char *map; /* points into place, or NULL */
    char *key;       /* of --anonymise, read from its file; NULL without it */
    double speed;
    uint32_t users; /* 0: as many as the trace has */
    bool keep_headers;
    bool keep_bodies;
} ReplayCommand;

/* replay_options_parse returns false with an error worded for the user; replay_options_fini either
 * way. */
bool replay_options_parse(int argc, char **argv, ReplayCommand *command, GError **error);
void replay_options_fini(ReplayCommand *command);

/*
 * replay_instant reads --from or --until: `2026-05-01T10:00:00Z` (or with an offset), seconds since
 * 1970 with decimals, or `+10min` behind the capture's first packet.
 * ret_relative  whether it is the last of these
 */
bool replay_instant(const char *option, const char *text, int64_t *ret_ns, bool *ret_relative,
                    GError **error);

#endif
