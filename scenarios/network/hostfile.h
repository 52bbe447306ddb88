/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hostfile.h - measured networks: files of round-trip times between hosts, or of their coordinates.
 * Source: the formats of public latency data sets: NetLatency's and cloudping's matrices, OverSim's
 *         coordinates.
 * State:  4 bytes per pair of hosts, or 8 per host.   Time: none.
 *
 * A matrix is a square of RTTs in ms, one row of hosts a line, columns separated by tabs or by
 * spaces. A first line that begins with no number names the columns; a row may begin with a name.
 * Coordinates are two numbers a line, whose Euclidean distance is the one-way delay in ms. Empty
 * lines and lines that begin with # are skipped in both.
 */
#ifndef SCENARIOS_HOSTFILE_H
#define SCENARIOS_HOSTFILE_H

#include <scenarios/scenario.h>

enum {
    HOSTFILE_MATRIX_MAX = 8192,         /* hosts */
    HOSTFILE_COORDINATES_MAX = 1 << 20, /* hosts */
    HOSTFILE_BYTES_MAX = 1 << 29
};

typedef struct HostFile {
    uint32_t hosts;
    uint32_t *one_way_us; /* hosts x hosts, from x to; of a matrix */
    float *xy_us;         /* hosts x 2; of coordinates */
} HostFile;

/* hostfile_load reads a file; matrix says which of the two. NULL with SCENARIO_ERROR_NETWORK. */
HostFile *hostfile_load(const char *path, bool matrix, GError **error);

/* hostfile_parse does so with text in memory, of len bytes and NUL-terminated. */
HostFile *hostfile_parse(const char *path, const char *text, size_t len, bool matrix,
                         GError **error);
void hostfile_free(HostFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HostFile, hostfile_free)

#endif
