/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * scenario.c - writes a scenario whose users behave as those of a trace, in any number. See
 *              <scenarios/replay_fit.h>.
 *
 * The likelihood chooses a family; its mean is then held against the sample's, since that says how
 * much happens in an hour. A family that has no such mean is passed over, however well it fits.
 */
#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <scenarios/replay_fit.h>
#include <scenarios/scenario.h>
#include <stdio.h>

#include "units.h"

/* Means that are so near each other are the same, for what a sample can tell. */
#define MEAN_NEAR 0.1
/* Beyond, the family would be another one when its mean is put right. */
#define MEAN_FAR 2.0
/* Phones register anew when so much of the lifetime is over. */
#define REFRESH 0.9

/* What a distribution of the scenario is made from. */
typedef struct Source {
    const char *what; /* `Between two calls` */
    const Fit *fit;
    double factor; /* the scenario's spans are so many times the trace's */
    bool constant; /* too few spans: their mean for all, else as of an exponential */
} Source;

static double mean_with_zeros(const Fit *fit)
{
    return fit->mean * (double)fit->n / (double)(fit->n + fit->zero);
}

static void add_table(GString *text, const Source *source)
{
    const Fit *fit = source->fit;

    g_string_append_printf(text, "# %s: %zu spans", source->what, fit->n + fit->zero);
    if (fit->zero > 0) {
        g_string_append_printf(text, ", of which %zu are 0", fit->zero);
    }
    if (fit->n > 0) {
        g_string_append_printf(text, "; mean %.6g s, median %.6g s", mean_with_zeros(fit),
                               fit->median);
    }
    g_string_append_c(text, '\n');
    if (fit->best < 0) {
        g_string_append(text,
                        fit->n >= FIT_MIN ? "#   all are equal\n" : "#   too few to be fitted\n");
        return;
    }
    for (int i = 0; i < FIT_FAMILIES; i++) {
        const FitOne *one = &fit->of[i];
        g_autofree char *dist = one->known ? fit_text((FitFamily)i, one) : NULL;

        if (dist == NULL) {
            g_string_append_printf(text, "#   %s: has no best fit, its limit being %s\n",
                                   fit_family_name((FitFamily)i), fit_family_name(FIT_EXPONENTIAL));
            continue;
        }
        g_string_append_printf(text, "# %c %-42s log-likelihood %.2f, BIC %.2f, KS %.4f\n",
                               i == fit->best ? '*' : ' ', dist, one->log_likelihood, one->bic,
                               one->ks);
    }
}

/* The family of the least BIC, but for those that were asked for already; -1: there is no more. */
static int next_family(const Fit *fit, unsigned asked)
{
    int next = -1;

    for (int i = 0; i < FIT_FAMILIES; i++) {
        if ((asked & 1U << i) == 0 && fit->of[i].known &&
            (next < 0 || fit->of[i].bic < fit->of[next].bic)) {
            next = i;
        }
    }
    return next;
}

static void add_passed_over(GString *comments, FitFamily family, double mean, double wanted)
{
    g_string_append_printf(comments, "# The %s fits better, but ", fit_family_name(family));
    if (isinf(mean)) {
        g_string_append(comments, "has no mean");
    } else {
        g_string_append_printf(comments, "has a mean of %.6g s", mean);
    }
    g_string_append_printf(comments, ", and the trace one of %.6g s:\n# the next best is taken.\n",
                           wanted);
}

/* The best family with about the trace's mean, as a scenario writes it; reasons become comments. */
static char *choose_family(const Source *source, GString *comments)
{
    const Fit *fit = source->fit;
    double wanted = mean_with_zeros(fit);
    double factor = source->factor;
    unsigned asked = 0;
    FitOne scaled;
    int family;

    for (;;) {
        double mean;

        family = next_family(fit, asked);
        PEAL_ASSERT(family >= 0); /* the exponential has been taken before */
        mean = fit_mean((FitFamily)family, &fit->of[family]);
        if (fabs(wanted / mean - 1) <= MEAN_NEAR) {
            break;
        }
        if (family == FIT_EXPONENTIAL || (wanted < MEAN_FAR * mean && mean < MEAN_FAR * wanted)) {
            g_string_append_printf(comments,
                                   "# The %s has a mean of %.6g s, the trace one of %.6g s:\n"
                                   "# it is scaled by the quotient.\n",
                                   fit_family_name((FitFamily)family), mean, wanted);
            factor *= wanted / mean;
            break;
        }
        add_passed_over(comments, (FitFamily)family, mean, wanted);
        asked |= 1U << family;
    }
    scaled = fit_times((FitFamily)family, &fit->of[family], factor);
    return fit_text((FitFamily)family, &scaled);
}

static char *constant_text(double seconds)
{
    return units_span_text((PealSpan){MAX(1, llround(seconds * PEAL_NS_PER_S))});
}

/* A distribution for what was seen; NULL where nothing was. */
static char *choose(const Source *source, GString *comments)
{
    const Fit *fit = source->fit;
    const FitOne poisson = {.known = true, .a = mean_with_zeros(fit) * source->factor};

    if (fit->n == 0) {
        return NULL;
    }
    if (fit->best >= 0) {
        return choose_family(source, comments);
    }
    if (fit->n >= FIT_MIN) {
        g_string_append(comments, "# As in the trace, all are equal.\n");
        return constant_text(fit->median * source->factor);
    }
    if (source->constant) {
        g_string_append_printf(comments, "# The mean of %zu spans: too few to fit a family.\n",
                               fit->n + fit->zero);
        return constant_text(poisson.a);
    }
    g_string_append_printf(comments,
                           "# An exponential of the mean of %zu spans: too few to fit a family.\n",
                           fit->n + fit->zero);
    return fit_text(FIT_EXPONENTIAL, &poisson);
}

/* How many users, on how many peers. */
typedef struct Size {
    uint32_t peers;
    uint32_t users_per_peer;
    double users;
    double times; /* the trace's */
    PealSpan duration;
} Size;

static bool size_of(const Replay *replay, const ReplayScale *scale, Size *ret_size, GError **error)
{
    uint32_t users = scale->users > 0 ? scale->users : MAX(2, replay->users->len);
    Size size = {.users_per_peer = MAX(1, scale->users_per_peer), .duration = scale->duration};
    uint64_t peers = ((uint64_t)users + size.users_per_peer - 1) / size.users_per_peer;

    if (replay->calls->len == 0) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                    "%s has no calls: a scenario cannot be made of it", replay->source);
        return false;
    }
    if (users < 2 || peers > SCENARIO_PEERS_MAX) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                    "a scenario of %u users is out of range: there may be 2 users to %d peers with "
                    "their users",
                    users, SCENARIO_PEERS_MAX);
        return false;
    }
    size.peers = (uint32_t)peers;
    size.users = (double)size.peers * size.users_per_peer;
    size.times = size.users / replay->users->len;
    if (size.duration.ns == 0) {
        int64_t s = replay->span.ns / PEAL_NS_PER_S + 1;

        size.duration = peal_seconds(CLAMP(s, 600, 86400));
    }
    *ret_size = size;
    return true;
}

/* A file's name on a line of its own comment. */
static char *name_text(const char *name)
{
    char *text = g_utf8_make_valid(name, -1);

    for (char *at = text; *at != '\0'; at++) {
        *at = g_ascii_iscntrl(*at) ? '?' : *at;
    }
    return text;
}

static void add_head(GString *text, const Replay *replay, const ReplayScale *scale,
                     const Size *size)
{
    uint32_t outcomes[HISTORY_UNANSWERED + 1] = {0};
    g_autofree char *source = name_text(replay->source);

    for (guint i = 0; i < replay->calls->len; i++) {
        outcomes[replay_call(replay, i)->outcome]++;
    }
    g_string_append_printf(
        text,
        "# %.0f users that behave as the %u of %s do, as far as distributions tell.\n"
        "# There: %u calls in %.6g s, of which %u were answered, %u cancelled, %u refused and %u\n"
        "# unanswered; %u registrations. Here every call is to be answered: what becomes of it is\n"
        "# the overlay's doing.\n",
        size->users, replay->users->len, source, replay->calls->len,
        (double)replay->span.ns / PEAL_NS_PER_S, outcomes[HISTORY_ANSWERED],
        outcomes[HISTORY_CANCELLED], outcomes[HISTORY_REFUSED], outcomes[HISTORY_UNANSWERED],
        replay->registrations->len);
    if (scale->workload != NULL) {
        g_autofree char *workload = name_text(scale->workload);

        g_string_append_printf(text,
                               "# The trace's own calls, as they ended, are in %s: for them set\n"
                               "# workload.trace to it, and workload.call-interval to none.\n",
                               workload);
    }
    g_string_append(text,
                    "#\n# Fits by maximum likelihood; * has the least BIC, n ln(spans) - 2 "
                    "log-likelihood with n parameters;\n# KS is the greatest distance between "
                    "the distribution functions of spans and fit.\n#\n");
}

static void add_overlay(GString *text, const Size *size)
{
    g_autofree char *duration = units_span_text(size->duration);
    g_autofree char *warmup =
        units_span_text((PealSpan){MIN(60 * PEAL_NS_PER_S, size->duration.ns / 10)});

    g_string_append_printf(text,
                           "\n[scenario]\nduration = %s\nwarmup = %s\nseed = 1\nreplications = 1\n"
                           "\n[overlay]\npeers = %u\nstart = converged\n"
                           "\n[network]\nlatency = synthetic\n"
                           "\n[workload]\nusers-per-peer = %u\nlookups-per-peer-hour = 0\n",
                           duration, warmup, size->peers, size->users_per_peer);
}

static void add_interval(GString *text, const Replay *replay, const Size *size, const Fit *fit)
{
    const Source source = {.fit = fit, .factor = 1 / size->times};
    g_autofree char *dist = NULL;

    g_string_append_printf(
        text,
        "\n# Spans between calls are divided by %.6g, the number of users over that of the trace, "
        "so\n# that a user calls as often as there. The family stays: calls follow each other as\n"
        "# unevenly as in the trace, where users who call on their own account would come near\n"
        "# an exponential as they grow in number. Who calls whom is drawn evenly.\n",
        size->times);
    dist = choose(&source, text);
    if (dist == NULL) {
        double seconds = fmax((double)replay->span.ns / PEAL_NS_PER_S, 1);
        const FitOne poisson = {.known = true, .a = seconds / replay->calls->len / size->times};

        g_string_append(text, "# No span between calls is above 0: the trace's length over their "
                              "number is the mean.\n");
        dist = fit_text(FIT_EXPONENTIAL, &poisson);
    }
    g_string_append_printf(text, "call-interval = %s\ncall-target = users\n", dist);
}

static void add_duration(GString *text, const Fit *fit)
{
    const Source source = {.fit = fit, .factor = 1};
    g_autofree char *dist = NULL;

    g_string_append(text, "\n# From the answer to the BYE.\n");
    dist = choose(&source, text);
    if (dist == NULL) {
        g_string_append(text,
                        "# No call of the trace was answered and had its BYE: the default.\n");
        return;
    }
    g_string_append_printf(text, "call-duration = %s\n", dist);
}

static int compare_ns(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void add_ring(GString *text, const Replay *replay)
{
    g_autofree int64_t *rings_ns = g_new(int64_t, replay->calls->len);
    g_autofree char *ring = NULL;
    int64_t ms;
    guint len = 0;

    for (guint i = 0; i < replay->calls->len; i++) {
        const ReplayCall *call = replay_call(replay, i);

        if (call->outcome == HISTORY_ANSWERED && call->final.ns >= 0) {
            rings_ns[len++] = call->final.ns - MAX(0, call->ringing.ns);
        }
    }
    if (len == 0) {
        g_string_append(text, "\n# No call of the trace was answered: the default ring.\n");
        return;
    }
    qsort(rings_ns, len, sizeof(*rings_ns), compare_ns);
    ms = CLAMP(rings_ns[len / 2] / PEAL_NS_PER_MS, 0, 180 * 1000);
    ring = units_span_text((PealSpan){ms * PEAL_NS_PER_MS});
    g_string_append_printf(text,
                           "\n# The median of %u calls, from ringing to the answer.\nring = %s\n",
                           len, ring);
}

static int64_t granted_median_s(const Replay *replay)
{
    g_autofree int64_t *lifetimes_s = g_new(int64_t, MAX(1, replay->registrations->len));
    guint len = 0;

    for (guint i = 0; i < replay->registrations->len; i++) {
        if (replay_registration(replay, i)->expires_s > 0) {
            lifetimes_s[len++] = replay_registration(replay, i)->expires_s;
        }
    }
    qsort(lifetimes_s, len, sizeof(*lifetimes_s), compare_ns);
    return len == 0 ? 0 : lifetimes_s[len / 2];
}

/* A lifetime of the key's range, in whole seconds. */
static char *lifetime_text(double seconds)
{
    return g_strdup_printf("%.0fs", CLAMP(seconds, (double)SCENARIO_EXPIRES_LEAST_S,
                                          (double)SCENARIO_EXPIRES_MOST_S));
}

static void add_expires(GString *text, const Replay *replay, const Fit *fit)
{
    const Source source = {.fit = fit, .factor = 1 / REFRESH, .constant = true};
    g_autofree char *dist = NULL;
    double median_s;
    Dist read;

    g_string_append(text, "\n# Spans between two registrations of a user, divided by 0.9: phones "
                          "register anew when so much\n# of the lifetime is over.\n");
    dist = choose(&source, text);
    if (dist == NULL) {
        int64_t granted_s = granted_median_s(replay);

        if (granted_s > 0) {
            dist = lifetime_text((double)granted_s);
            g_string_append_printf(text,
                                   "# Nobody registered twice: the median lifetime is taken.\n"
                                   "register-expires = %s\n",
                                   dist);
        } else {
            g_string_append(text, "# Nobody registered: the default.\n");
        }
        return;
    }
    if (!dist_parse(dist, &read, NULL)) {
        return;
    }
    median_s = dist_median_us(&read) / 1e6;
    if (read.kind == DIST_CONSTANT || median_s < SCENARIO_EXPIRES_LEAST_S ||
        median_s > SCENARIO_EXPIRES_MOST_S) {
        g_free(dist);
        dist = lifetime_text(median_s);
    }
    g_string_append_printf(text, "register-expires = %s\n", dist);
}

static char *scenario_text(const Replay *replay, const ReplayScale *scale, const Size *size)
{
    ReplayFits fits = replay_fits(replay);
    GString *text = g_string_new(NULL);

    add_head(text, replay, scale, size);
    add_table(text, &(Source){.what = "Between two calls", .fit = &fits.interarrival});
    add_table(text, &(Source){.what = "From answer to BYE", .fit = &fits.holding});
    add_table(text,
              &(Source){.what = "Between two registrations of a user", .fit = &fits.registration});
    add_overlay(text, size);
    add_expires(text, replay, &fits.registration);
    add_interval(text, replay, size, &fits.interarrival);
    add_duration(text, &fits.holding);
    add_ring(text, replay);
    return g_string_free(text, FALSE);
}

static bool write_new(const char *path, const char *text, GError **error)
{
    FILE *file = fopen(path, "wx");
    bool good;

    if (file == NULL) {
        bool exists = errno == EEXIST;

        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                    "cannot write %s: %s%s", path, g_strerror(errno),
                    exists ? "; choose another name, or replace it with --force" : "");
        return false;
    }
    good = fputs(text, file) >= 0;
    if (fclose(file) != 0 || !good) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                    "cannot write %s: %s", path, g_strerror(errno));
        (void)g_unlink(path); /* half a scenario would be taken for one */
        return false;
    }
    return true;
}

bool replay_write_scenario(const Replay *replay, const ReplayScale *scale, const char *path,
                           GError **error)
{
    g_autoptr(Scenario) scenario = NULL;
    g_autofree char *text = NULL;
    Size size;

    if (!size_of(replay, scale, &size, error)) {
        return false;
    }
    text = scenario_text(replay, scale, &size);
    scenario = scenario_load_text(path, text, strlen(text), NULL, error);
    if (scenario == NULL) {
        g_prefix_error(error, "no scenario of that size can be made of %s: ", replay->source);
        return false;
    }
    return scale->force ? g_file_set_contents(path, text, -1, error) : write_new(path, text, error);
}
