/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * report.h - `peal report`: results as one HTML page.
 * Source: none.   State: none beyond a call.   Time: none.
 */
#ifndef ANALYSIS_REPORT_H
#define ANALYSIS_REPORT_H

/*
 * report_main runs `peal report DIR... [--out FILE] [--only NAME]`. It reads DIR/results.db and
 * writes one file, DIR/report.html: scenario, figures, tables and the command that gives them
 * again. The file's name goes to standard output.
 * argv    argv[0] is "report"
 * Returns the exit status: 0, 2 for usage or unreadable input, 1 when the page cannot be written.
 */
int report_main(int argc, char **argv);

#endif
