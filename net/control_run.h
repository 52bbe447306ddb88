/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * control_run.h - the verbs by which a scenario on sockets drives a node and learns what it did.
 * Source: net/CONTROL.md, "A scenario's verbs".
 * State:  one per node that has an [emulate] section: counters, and events until they are reported,
 *         at most CONTROL_RUN_EVENTS_MAX of them.
 * Time:   events carry the machine's monotonic clock.
 */
#ifndef CONTROL_RUN_H
#define CONTROL_RUN_H

#include "control.h"
#include "node.h"

enum {
    CONTROL_RUN_EVENTS_MAX = 1 << 16,
    CONTROL_RUN_REPORT_MAX = 2048 /* events in one answer */
};

typedef struct ControlRun ControlRun;

/* control_run_new watches the node from now on. */
ControlRun *control_run_new(Node *node);
void control_run_free(ControlRun *run);

/* control_run_on_request answers a request whose verb is one of a scenario's; false: it is not. */
bool control_run_on_request(ControlRun *run, const char *verb, const json_t *request,
                            ControlCall *call);

#endif
