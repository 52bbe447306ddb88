/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report.c - see report.h. */
#include "report.h"

static const char HEAD[] =
    "# Known results, out of Peal\n"
    "\n"
    "Written by `./dev validate`, which runs every scenario of this directory and compares what "
    "comes out with what publications and calculations say. A figure is the mean over "
    "replications under different seeds; its interval is that of 95 % by Student's t. Hops "
    "count up to the peer that is responsible for the key, where a row does not say otherwise.\n"
    "\n";

static const char TABLE_HEAD[] =
    "| row | figure | expected | tolerance | measured | 95 % interval | replications | as expected "
    "|\n"
    "|---|---|---|---|---|---|---|---|\n";

const Claim *report_claim(unsigned row)
{
    for (size_t i = 0; i < CLAIMS_LEN; i++) {
        if (CLAIMS[i].row == row) {
            return &CLAIMS[i];
        }
    }
    g_error("row %u makes no claim", row);
}

static const char *verdict_word(const Finding *finding)
{
    if (finding->error != NULL) {
        return "not measured";
    }
    if (finding->check->rule == RULE_NONE) {
        return "-";
    }
    return finding->verdict.good ? "yes" : "no";
}

static bool is_explained(const Claim *claim, const Verdict *verdict)
{
    double off = verdict->measured.mean - verdict->expected;

    return (claim->explains == EXPLAINS_LESS && off < 0) ||
           (claim->explains == EXPLAINS_MORE && off > 0);
}

size_t report_failures(const Finding *findings, size_t len)
{
    size_t failures = 0;

    for (size_t i = 0; i < len; i++) {
        failures +=
            findings[i].error != NULL ||
            (!findings[i].verdict.good && !is_explained(findings[i].claim, &findings[i].verdict));
    }
    return failures;
}

/* Four significant digits tell figures apart that tolerances do. */
static char *number(double value)
{
    return g_strdup_printf("%.4g", value);
}

static char *interval(const StatsMean *mean)
{
    return mean->has_interval ? g_strdup_printf("%.4g to %.4g", mean->ci95.low, mean->ci95.high)
                              : g_strdup("-");
}

void report_lines(FILE *file, const Finding *findings, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const Finding *finding = &findings[i];
        g_autofree char *expected = number(finding->verdict.expected);
        g_autofree char *measured = number(finding->verdict.measured.mean);
        g_autofree char *range = interval(&finding->verdict.measured);
        g_autofree char *tolerance = judge_tolerance(finding->check);

        if (finding->error != NULL) {
            fprintf(file, "%2u  %-44s not measured: %s\n", finding->check->row,
                    finding->check->what, finding->error);
        } else {
            fprintf(file, "%2u  %-44s %8s expected (%s), %8s measured (%s): %s\n",
                    finding->check->row, finding->check->what, expected, tolerance, measured, range,
                    verdict_word(finding));
        }
    }
}

static void write_finding(FILE *file, const Finding *finding)
{
    const Verdict *verdict = &finding->verdict;
    g_autofree char *expected = number(verdict->expected);
    g_autofree char *measured = number(verdict->measured.mean);
    g_autofree char *range = interval(&verdict->measured);
    g_autofree char *tolerance = judge_tolerance(finding->check);

    if (finding->error != NULL) {
        fprintf(file, "| %u | %s | | %s | | | 0 | not measured |\n", finding->check->row,
                finding->check->what, tolerance);
        return;
    }
    fprintf(file, "| %u | %s | %s | %s | %s | %s | %zu | %s |\n", finding->check->row,
            finding->check->what, expected, tolerance, measured, range, verdict->measured.count,
            verdict_word(finding));
}

static void write_claims(FILE *file)
{
    fputs("## Claims\n\n| row | claim | source | scenario |\n|---|---|---|---|\n", file);
    for (size_t i = 0; i < CLAIMS_LEN; i++) {
        const char *scenario = "";

        for (size_t k = CHECKS_LEN; k-- > 0;) {
            scenario = CHECKS[k].row == CLAIMS[i].row ? CHECKS[k].measured.scenario : scenario;
        }
        fprintf(file, "| %u | %s | %s | [%s](%s.conf) |\n", CLAIMS[i].row, CLAIMS[i].claim,
                CLAIMS[i].source, scenario, scenario);
    }
}

static void write_explanations(FILE *file)
{
    bool any = false;

    for (size_t i = 0; i < CLAIMS_LEN; i++) {
        if (CLAIMS[i].explanation != NULL) {
            fputs(any ? "" : "\n## What does not fit, and why\n\n", file);
            fprintf(file, "- **Row %u.** %s\n", CLAIMS[i].row, CLAIMS[i].explanation);
            any = true;
        }
    }
}

void report_markdown(FILE *file, const Finding *findings, size_t len)
{
    fputs(HEAD, file);
    write_claims(file);
    fputs("\n## Findings\n\n", file);
    fputs(TABLE_HEAD, file);
    for (size_t i = 0; i < len; i++) {
        write_finding(file, &findings[i]);
    }
    write_explanations(file);
}
