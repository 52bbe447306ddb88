/* SPDX-License-Identifier: GPL-3.0-or-later */
/* describe.c - what a capture holds, with the distributions that its calls follow. */
#include "replay/describe.h"

#include <jansson.h>
#include <scenarios/replay_fit.h>

enum { JSON_FORM = JSON_INDENT(2) | JSON_REAL_PRECISION(9) };

/* What each of ReplaySpans is called. */
static const char *const TITLES[REPLAY_SPANS] = {[REPLAY_INTERARRIVAL] = "between two calls",
                                                 [REPLAY_HOLDING] = "from answer to BYE",
                                                 [REPLAY_REGISTRATION] =
                                                     "between a user's REGISTERs"};

static const Fit *fit_of(const ReplayFits *fits, ReplaySpans which)
{
    const Fit *const list[REPLAY_SPANS] = {[REPLAY_INTERARRIVAL] = &fits->interarrival,
                                           [REPLAY_HOLDING] = &fits->holding,
                                           [REPLAY_REGISTRATION] = &fits->registration};

    return list[which];
}

static void add_fit(GString *text, const char *title, const Fit *fit)
{
    g_autofree char *best = NULL;

    if (fit->n == 0) {
        return;
    }
    if (fit->best < 0) {
        g_string_append_printf(text, "  %-27s %zu, median %.4g s: too few to fit, or all alike\n",
                               title, fit->n, fit->median);
        return;
    }
    best = fit_text((FitFamily)fit->best, &fit->of[fit->best]);
    g_string_append_printf(text, "  %-27s %zu, median %.4g s: %s, KS distance %.3f\n", title,
                           fit->n, fit->median, best, fit->of[fit->best].ks);
}

static void add_fits(GString *text, const Replay *replay)
{
    const ReplayFits fits = replay_fits(replay);

    g_string_append(text, "distributions, the best of four families by likelihood (BIC)\n");
    for (int i = 0; i < REPLAY_SPANS; i++) {
        add_fit(text, TITLES[i], fit_of(&fits, (ReplaySpans)i));
    }
}

static json_t *fit_json(const Fit *fit)
{
    json_t *object = json_pack("{s:I, s:f, s:f}", "n", (json_int_t)fit->n, "mean_s", fit->mean,
                               "median_s", fit->median);
    json_t *families = json_object();

    for (int i = 0; i < FIT_FAMILIES; i++) {
        const FitOne *one = &fit->of[i];

        if (one->known) {
            g_autofree char *text = fit_text((FitFamily)i, one);

            json_object_set_new(families, fit_family_name((FitFamily)i),
                                json_pack("{s:s, s:f, s:f, s:f}", "text", text, "log_likelihood",
                                          one->log_likelihood, "bic", one->bic, "ks", one->ks));
        }
    }
    json_object_set_new(object, "best",
                        fit->best < 0 ? json_null()
                                      : json_string(fit_family_name((FitFamily)fit->best)));
    json_object_set_new(object, "families", families);
    return object;
}

static char *json_of(const char *name, const TraceCounts *counts, const HistoryData *data,
                     const Replay *replay)
{
    json_t *tree = describe_tree(name, counts, data);
    const ReplayFits fits = replay_fits(replay);
    json_t *object = json_object();
    g_autofree char *text = NULL;

    for (int i = 0; i < REPLAY_SPANS; i++) {
        const Fit *fit = fit_of(&fits, (ReplaySpans)i);

        if (fit->n > 0) {
            json_object_set_new(object, replay_spans_name((ReplaySpans)i), fit_json(fit));
        }
    }
    json_object_set_new(tree, "fits", object);
    text = json_dumps(tree, JSON_FORM);
    json_decref(tree);
    return g_strconcat(text, "\n", NULL);
}

/* Users are called by what the key makes of them. */
static void hide_users(const char *key, const HistoryData *data)
{
    for (guint i = 0; i < data->users->len; i++) {
        HistoryUser *user = &g_array_index(data->users, HistoryUser, i);
        char *hidden = replay_anonymise_aor(key, user->aor);

        g_free(user->aor);
        user->aor = hidden;
    }
}

char *replay_describe(const ReplayCommand *command, const TraceCounts *counts,
                      const HistoryData *data)
{
    const ReplayOptions options = {.domain = "example.org", .speed = 1};
    g_autoptr(Replay) replay = replay_from_history(command->files[0], data, &options, NULL);
    g_autofree char *plain = NULL;
    GString *text;

    if (command->key != NULL) {
        hide_users(command->key, data);
    }
    if (command->json) {
        return json_of(command->files[0], counts, data, replay);
    }
    plain = describe_text(command->files[0], counts, data);
    text = g_string_new(plain);
    if (replay->calls->len > 1) {
        add_fits(text, replay);
    }
    return g_string_free(text, FALSE);
}
