/* SPDX-License-Identifier: GPL-3.0-or-later */
/* trends.c - see trends.h. */
#include "trends.h"

#include <math.h>

static const Query MESSAGES = {
    "messages", NULL,
    "SELECT value / peers / window_s FROM figures JOIN replications ON replications.id = "
    "replication_id JOIN here USING (id) WHERE name = 'messages.delivered' ORDER BY id"};
static const Query PEERS = {"messages", NULL,
                            "SELECT peers FROM replications JOIN here USING (id) ORDER BY id"};

/* Sessions with an exponential distribution: its median is ln 2 of the mean. */
static const struct {
    double median_min;
    const char *session;
} SESSIONS[] = {
    {60, "churn.session=exponential(mean=86.56min)"},
    {30, "churn.session=exponential(mean=43.28min)"},
    {10, "churn.session=exponential(mean=14.43min)"},
    {5, "churn.session=exponential(mean=7.21min)"},
    {2, "churn.session=exponential(mean=2.885min)"},
    {1, "churn.session=exponential(mean=1.443min)"},
    {0.5, "churn.session=exponential(mean=43.28s)"},
    {0.25, "churn.session=exponential(mean=21.64s)"},
};

double trends_crossing(const double *x, const double *y, size_t len, double level)
{
    for (size_t i = 1; i < len; i++) {
        if (y[i] < level && y[i - 1] >= level) {
            double part = (y[i - 1] - level) / (y[i - 1] - y[i]);

            return exp(log(x[i - 1]) + part * (log(x[i]) - log(x[i - 1])));
        }
    }
    return NAN;
}

static bool write_messages(FILE *file, const char *results, GError **error)
{
    g_autoptr(GArray) y = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) x = g_array_new(FALSE, FALSE, sizeof(double));
    StatsFit fit;

    if (!judge_observe(results, &MESSAGES, y, error) || !judge_observe(results, &PEERS, x, error)) {
        return false;
    }
    fputs("\n## Messages of a peer against the number of peers\n\n"
          "[messages.conf](messages.conf): a lookup a minute, Updates every minute, fingers looked "
          "after every two.\n\n| n | messages a peer and second |\n|---|---|\n",
          file);
    for (guint i = 0; i < x->len; i++) {
        double *peers = &g_array_index(x, double, i);

        fprintf(file, "| %.0f | %.4g |\n", *peers, g_array_index(y, double, i));
        *peers = log2(*peers);
    }
    if (stats_fit_line((const double *)(void *)x->data, (const double *)(void *)y->data, x->len,
                       &fit)) {
        fprintf(file,
                "\nLeast squares: %.4g + %.4g log2 n (95 %% interval of the slope %.4g to %.4g, "
                "R² %.4f).\n",
                fit.intercept, fit.slope, fit.slope_ci95.low, fit.slope_ci95.high, fit.r_squared);
    }
    return true;
}

static void write_crossing(FILE *file, const char *what, const double *x, const double *y,
                           size_t len, double level)
{
    double median_min = trends_crossing(x, y, len, level);

    if (isnan(median_min)) {
        fprintf(file, "%s do not fall below %.0f %% in this range. ", what, 100 * level);
    } else {
        fprintf(file, "%s fall below %.0f %% at a median session of %.2g min. ", what, 100 * level,
                median_min);
    }
}

/* Which figures count as successes, and which as trials. */
typedef struct Share {
    const char *successes;
    const char *trials;
} Share;

static const Share SUCCEEDED = {"name = 'lookups.succeeded'", "name = 'lookups.started'"};
static const Share JOINED = {"name = 'ring.members'", "name IN ('ring.members', 'ring.outside')"};

static bool observe_share(const char *results, const char *session, const Share *share,
                          StatsMean *ret_mean, GError **error)
{
    g_autoptr(GArray) rates = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) trials = g_array_new(FALSE, FALSE, sizeof(double));
    g_autofree char *rates_sql =
        g_strdup_printf("SELECT sum(value * (%s)) * 1.0 / sum(value * (%s)) FROM figures JOIN here "
                        "ON here.id = replication_id GROUP BY here.id ORDER BY here.id",
                        share->successes, share->trials);
    g_autofree char *trials_sql =
        g_strdup_printf("SELECT sum(value * (%s)) FROM figures JOIN here "
                        "ON here.id = replication_id GROUP BY here.id ORDER BY here.id",
                        share->trials);
    const Query rate = {"churn-limit", session, rates_sql};
    const Query trial = {"churn-limit", session, trials_sql};

    if (!judge_observe(results, &rate, rates, error) ||
        !judge_observe(results, &trial, trials, error)) {
        return false;
    }
    *ret_mean = stats_rate((const double *)(void *)rates->data,
                           (const double *)(void *)trials->data, rates->len);
    return true;
}

static bool write_churn(FILE *file, const char *results, GError **error)
{
    double x[G_N_ELEMENTS(SESSIONS)];
    double y[G_N_ELEMENTS(SESSIONS)];
    double members_y[G_N_ELEMENTS(SESSIONS)];
    static const double levels[] = {0.95, 0.90};

    fputs(
        "\n## Where churn breaks the overlay\n\n"
        "[churn-limit.conf](churn-limit.conf): 1,000 peers online, sessions that end without a "
        "word, Updates every 30 s, fingers looked after every minute; absences of 10 min.\n\n"
        "| median session | lookups that succeed | 95 % interval | joined, of those online | 95 % "
        "interval |\n"
        "|---|---|---|---|---|\n",
        file);
    for (size_t i = 0; i < G_N_ELEMENTS(SESSIONS); i++) {
        StatsMean succeeded, joined;

        if (!observe_share(results, SESSIONS[i].session, &SUCCEEDED, &succeeded, error) ||
            !observe_share(results, SESSIONS[i].session, &JOINED, &joined, error)) {
            return false;
        }
        x[i] = SESSIONS[i].median_min;
        y[i] = succeeded.mean;
        members_y[i] = joined.mean;
        fprintf(file, "| %g min | %.2f %% | %.2f to %.2f | %.1f %% | %.1f to %.1f |\n", x[i],
                100 * succeeded.mean, 100 * succeeded.ci95.low, 100 * succeeded.ci95.high,
                100 * joined.mean, 100 * joined.ci95.low, 100 * joined.ci95.high);
    }
    fputs(
        "\nOnly peers that have joined look up, and a lookup whose asker ends counts nowhere: what "
        "churn takes first is joining itself. ",
        file);
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++) {
        write_crossing(file, "Peers that have joined", x, members_y, G_N_ELEMENTS(x), levels[i]);
        write_crossing(file, "Lookups that succeed", x, y, G_N_ELEMENTS(x), levels[i]);
    }
    fputs("`peal plot out/validation/churn-limit` draws the lookups against the sessions "
          "(swept-success); who has joined is not drawn.\n",
          file);
    return true;
}

bool trends_markdown(FILE *file, const char *results, GError **error)
{
    return write_messages(file, results, error) && write_churn(file, results, error);
}
