/*
 * taken.h - what the reader's lower half makes of a capture, kept for comparison.
 * Source: none.   State: one list per capture.   Time: none.
 */
#ifndef TESTS_TAKEN_H
#define TESTS_TAKEN_H

#include "trace/packet.h"

#include <stdio.h>

typedef struct TakenPacket {
    int64_t at_ns;
    PealAddr from;
    PealAddr to;
    GBytes *data;
    size_t len;
    bool cut;
    bool tcp;
    uint32_t seq;
    uint32_t ack;
    uint8_t flags;
} TakenPacket;

typedef struct Taken {
    GArray *packets; /* of TakenPacket */
    TraceCounts counts;
    bool whole; /* as source_close says */
    GError *error;
} Taken;

/* Reads a capture to its end; with config NULL all of `path`. ret->error is set where it could not
 * be opened. */
Taken taken_read(const char *path, const TraceConfig *config);
void taken_free(Taken *taken);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Taken, taken_free)

static inline const TakenPacket *taken_at(const Taken *taken, guint i)
{
    return &g_array_index(taken->packets, TakenPacket, i);
}

/* A directory of a test's own, and the file in it that is the capture. */
typedef struct TakenPlace {
    char *dir;
    char *path;
} TakenPlace;

TakenPlace taken_place_new(void);
void taken_place_free(TakenPlace *place);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TakenPlace, taken_place_free)

/* Writes a file as it is to be, at once and without a sync. */
void taken_write(const char *path, const void *bytes, size_t len);

/* Skips but those of frames that carry no IP and of other protocols. */
uint64_t taken_skipped(const Taken *taken);

/* The first difference in times, addresses, bytes and what TCP's header says, as text; NULL when
 * there is none. A fd00::a.b.c.d is a.b.c.d. What is not the same number of packets differs. */
char *taken_difference(const Taken *one, const Taken *other);

#endif
