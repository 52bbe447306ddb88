/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * options.h - what follows `peal run`.
 * Source: none.   State: one struct.   Time: none.
 */
#ifndef RUN_OPTIONS_H
#define RUN_OPTIONS_H

#include <scenarios/run.h>

typedef struct RunOptions {
    char **files;
    char **sets;
    char *out;
    char *on;
    char *base_port_text;
    char *pcap;
    char *pcap_peers;
    char *pcap_limit;
    char *seed;
    char *jobs_text;
    gboolean force;
    gboolean json;
    gboolean quiet;
    const RunWorld *world;
    unsigned jobs;      /* 0: not given */
    uint32_t base_port; /* likewise */
    uint64_t pcap_limit_bytes;
    GArray *pcap_peer_list; /* uint32_t */
} RunOptions;

/* What --on may name. */
typedef struct RunWorlds {
    const RunWorld *const *world;
    size_t len;
} RunWorlds;

/* options_parse returns false with an error worded for the user; options_fini either way. */
bool options_parse(int argc, char **argv, RunWorlds worlds, RunOptions *options, GError **error);
void options_fini(RunOptions *options);

#endif
