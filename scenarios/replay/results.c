/* SPDX-License-Identifier: GPL-3.0-or-later */
/* results.c - see replay_results.h: the trace in the results, and results without a scenario. */
#include <scenarios/replay_fit.h>
#include <scenarios/replay_results.h>

/* The trace. */

static void trace_call(void *user, uint32_t i, ResultsTraceCall *ret_call)
{
    const Replay *replay = user;
    const ReplayCall *call = replay_call(replay, i);

    *ret_call = (ResultsTraceCall){.at = call->at,
                                   .caller = replay_user(replay, call->caller)->aor,
                                   .callee = replay_user(replay, call->callee)->aor,
                                   .setup = replay_trace_setup(replay, i),
                                   .final = call->final,
                                   .cancel = call->cancel,
                                   .talk = call->talk,
                                   .status = call->status,
                                   .outcome = call->outcome};
}

bool replay_set_trace(Results *results, unsigned point, const Replay *replay, GError **error)
{
    const ReplayFits fits = replay_fits(replay);
    const Fit *const fit[REPLAY_SPANS] = {[REPLAY_INTERARRIVAL] = &fits.interarrival,
                                          [REPLAY_HOLDING] = &fits.holding,
                                          [REPLAY_REGISTRATION] = &fits.registration};
    GArray *spans[REPLAY_SPANS];
    ResultsTraceFit list[REPLAY_SPANS];
    ResultsTrace trace = {.source = replay->source != NULL ? replay->source : "",
                          .span = replay->span,
                          .speed = replay->speed,
                          .users = replay->users->len,
                          .registrations = replay->registrations->len,
                          .calls = replay->calls->len,
                          .call = trace_call,
                          .user = (void *)(uintptr_t)replay,
                          .fits = list,
                          .fits_len = REPLAY_SPANS};
    bool good;

    for (int i = 0; i < REPLAY_SPANS; i++) {
        spans[i] = replay_spans(replay, (ReplaySpans)i);
        list[i] = (ResultsTraceFit){replay_spans_name((ReplaySpans)i), fit[i],
                                    (const double *)(const void *)spans[i]->data, spans[i]->len};
    }
    good = results_set_trace(results, point, &trace, error);
    for (int i = 0; i < REPLAY_SPANS; i++) {
        g_array_unref(spans[i]);
    }
    return good;
}

/* Results without a scenario. */

struct ReplayResults {
    const Replay *replay;
    Results *results;
    Recorder *recorder;
};

/* What stands in a scenario's place: what the replay was told. */
static char *describe(const ReplayResultsConfig *config)
{
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "replay = %s\n", config->name);
    for (size_t i = 0; i < config->parameters_len; i++) {
        g_string_append_printf(text, "%s = %s\n", config->parameters[i].key,
                               config->parameters[i].value);
    }
    return g_string_free(text, FALSE);
}

static bool describe_point(const ReplayResultsConfig *config, Results *results, GError **error)
{
    return results_set_point(results, 0, config->parameters, config->parameters_len, error) &&
           replay_set_trace(results, 0, config->replay, error);
}

ReplayResults *replay_results_open(const ReplayResultsConfig *config, GError **error)
{
    g_autofree char *text = describe(config);
    const ResultsConfig open = {.dir = config->dir,
                                .name = config->name,
                                .version = PEAL_VERSION,
                                .crypto = "unknown",
                                .world = RESULTS_WORLD_SOCKETS,
                                .scenario = text,
                                .command = config->command,
                                .points = 1,
                                .replications = 1,
                                .force = config->force};
    ReplayResults *results = g_new0(ReplayResults, 1);

    results->replay = config->replay;
    results->results = results_open(&open, error);
    if (results->results == NULL || !describe_point(config, results->results, error)) {
        replay_results_close(results);
        return NULL;
    }
    results->recorder =
        recorder_new(&(RecorderConfig){.duration = {config->replay->span.ns +
                                                    peal_seconds(REPLAY_RESULTS_TAIL_S).ns},
                                       .calls = true,
                                       .open_ended = true});
    return results;
}

Recorder *replay_results_recorder(ReplayResults *results)
{
    return results->recorder;
}

static bool store(ReplayResults *results, const RunOutcome *outcome, bool interrupted,
                  GError **error)
{
    const ResultsReplication head = {.fingerprint = outcome->fingerprint,
                                     .peers = results->replay->peers,
                                     .figures = outcome->figures,
                                     .figures_len = outcome->figures_len,
                                     .wall_seconds = outcome->wall_seconds,
                                     .events = outcome->events,
                                     .messages = outcome->messages,
                                     .peak_rss_bytes = outcome->peak_rss_bytes};

    return results_add_replication(results->results, &head, results->recorder, error) &&
           (interrupted || results_finish(results->results, error)) &&
           results_write_summary(results->results, error);
}

bool replay_results_finish(ReplayResults *results, const RunOutcome *outcome, bool interrupted,
                           char **ret_text, GError **error)
{
    if (interrupted) {
        recorder_interrupted(results->recorder);
    }
    if (!store(results, outcome, interrupted, error)) {
        return false;
    }
    if (ret_text != NULL) {
        GString *text = g_string_new(NULL);

        replay_report_text(text, results->replay, results->recorder, true);
        *ret_text = g_string_free(text, FALSE);
    }
    return true;
}

void replay_results_close(ReplayResults *results)
{
    if (results == NULL) {
        return;
    }
    recorder_free(results->recorder);
    results_close(results->results);
    g_free(results);
}
