/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jobs.c - see jobs.h. */
#include "run/jobs.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

/* A simulated peer costs about 4 KiB without SIP (tests/bench/FIGURES.md); half as much is left for
 * its phones and the messages under way. */
enum { PEER_BYTES = 6144 };

/* What Linux says a new program could have without swapping; 0 where it does not say. */
static uint64_t free_bytes(void)
{
    static const char name[] = "MemAvailable:";
    FILE *file = fopen("/proc/meminfo", "r");
    char line[128];
    uint64_t kib = 0;

    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (g_str_has_prefix(line, name)) {
            kib = g_ascii_strtoull(line + strlen(name), NULL, 10);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return kib * 1024;
}

static uint64_t largest_point_bytes(const Scenario *scenario)
{
    uint64_t peers = 1;

    for (guint i = 0; i < scenario->points; i++) {
        g_autoptr(Scenario) point = scenario_point(scenario, i, NULL);

        peers = MAX(peers, point != NULL ? scenario_identities(point) : 1);
    }
    return peers * PEER_BYTES;
}

unsigned jobs_count(const RunOptions *options, const Scenario *scenario)
{
    uint64_t bytes = free_bytes();
    uint64_t jobs = g_get_num_processors();

    if (options->world->has_ports) {
        return 1;
    }
    if (options->jobs > 0) {
        return options->jobs;
    }
    if (bytes > 0) {
        jobs = MIN(jobs, MAX(bytes / largest_point_bytes(scenario), 1));
    }
    return (unsigned)jobs;
}
