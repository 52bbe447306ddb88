/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * run_report.h - a node's answer to `run-report`, read.
 * Source: net/CONTROL.md.   State: none.   Time: none.
 */
#ifndef RUN_REPORT_H
#define RUN_REPORT_H

#include <jansson.h>

#include "run_peer.h"
#include "run_truth.h"

/* What the events of a report say besides what goes to the truth. */
typedef struct RunReport {
    PealTime now; /* all before it has been told */
    bool more;    /* but for events that wait for the next report */
    bool joined;
    uint32_t registered;
    uint32_t register_failed;
} RunReport;

/* run_report_read fills in what the peer's fields say of its last report, and adds its events to
 * the truth. False: this is no report, or events were lost. */
bool run_report_read(const json_t *json, RunPeer *peer, RunTruth *truth, RunReport *ret_report);

#endif
