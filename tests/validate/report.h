/*
 * report.h - what was found, as a table: for a terminal, and as scenarios/validation/README.md.
 * Source: none.   State: a list of findings, the caller's.   Time: none.
 */
#ifndef VALIDATE_REPORT_H
#define VALIDATE_REPORT_H

#include "judge.h"

#include <stdio.h>

typedef struct Finding {
    const Claim *claim;
    const Check *check;
    Verdict verdict; /* meaningless where error is set */
    char *error;     /* why nothing could be measured; NULL: it was */
} Finding;

/* report_claim finds a row's claim; there is one. */
const Claim *report_claim(unsigned row);

/* report_failures counts findings that are not as expected and not explained, and those that could
 * not be measured. */
size_t report_failures(const Finding *findings, size_t len);

/* report_lines prints one line a finding. */
void report_lines(FILE *file, const Finding *findings, size_t len);

/* report_markdown writes the table, one row a finding, and the explanations. */
void report_markdown(FILE *file, const Finding *findings, size_t len);

#endif
