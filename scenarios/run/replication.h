/*
 * replication.h - one replication, from its scenario to its part of the results.
 * Source: none.   State: none beyond a call.   Time: the world's.
 */
#ifndef RUN_REPLICATION_H
#define RUN_REPLICATION_H

#include "run/options.h"
#include "run/schedule.h"

/* What is seen of a replication while it runs. */
typedef struct ReplicationView {
    PealTime now; /* scenario time */
    uint64_t messages;
    RecorderLately lately; /* since the last view */
} ReplicationView;

typedef struct ReplicationConfig {
    const RunOptions *options;
    const Scenario *point;
    const char *dir; /* of the results */
    Task task;
    unsigned number; /* over all points */
    /* Both are called a few times a second; when one returns false the replication ends soon, in
     * order. */
    bool (*keep_on)(void *user, const ReplicationView *view);
    bool (*get_ready)(void *user, const char *what);
    void *user;
} ReplicationConfig;

/* replication_seed is the seed of a point's replication. */
uint64_t replication_seed(const Scenario *point, guint replication);

/* replication_name names it for people: `overlay.peers = 100, replication 2`, and the seed in
 * brackets. Text to g_free. */
char *replication_name(const Scenario *point, guint replication);

/* replication_run runs it and writes its part; returns what is to be printed of it, to g_free, or
 * NULL with an error. */
char *replication_run(const ReplicationConfig *config, GError **error);

#endif
