/*
 * campaign.h - all replications of all points, several at a time, into one results directory.
 * Source: none.
 * State:  a process for each replication that runs; what they printed until its turn comes.
 * Time:   the wall clock, for the live view alone.
 *
 * Each replication runs in a process of its own, so that what ends one leaves the others alone.
 * Only this process writes to results.db. What is printed is in the order of points and
 * replications, however many run at a time.
 */
#ifndef RUN_CAMPAIGN_H
#define RUN_CAMPAIGN_H

#include "run/options.h"
#include "run/schedule.h"

typedef struct CampaignConfig {
    const RunOptions *options;
    const Scenario *scenario;
    Results *results;
    const char *dir;       /* of the results */
    bool (*stopped)(void); /* somebody wants it to end */
} CampaignConfig;

/*
 * campaign_run runs whatever is missing in the results.
 * ret_failed  replications whose process died; each was reported on standard error
 * Returns false with an error when it ended before its end; what ended before it is in the results.
 */
bool campaign_run(const CampaignConfig *config, guint *ret_failed, GError **error);

#endif
