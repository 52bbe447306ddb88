/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * run.h - `peal run`: simulates a scenario.
 * Source: none.   State: none beyond a call.   Time: none.
 */
#ifndef SIM_RUN_H
#define SIM_RUN_H

/*
 * sim_run_main runs `peal run FILE [options]`: every point and replication of a scenario, one after
 * the other. Results go to files and standard output, messages and progress to standard error.
 * SIGINT and SIGTERM end the run within a second and keep what was measured.
 * argv    argv[0] is "run"
 * Returns the exit status: 0; 2 for whatever is wrong before the work starts; 1 for a run that
 * failed or was interrupted.
 */
int sim_run_main(int argc, char **argv);

#endif
