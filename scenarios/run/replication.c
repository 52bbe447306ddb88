/* SPDX-License-Identifier: GPL-3.0-or-later */
/* replication.c - see replication.h. */
#include "run/replication.h"

#include <scenarios/replay_results.h>
#include <string.h>

typedef struct Replication {
    const ReplicationConfig *config;
    Recorder *recorder;
} Replication;

uint64_t replication_seed(const Scenario *point, guint replication)
{
    return scenario_replication_seed(point->seed, replication);
}

char *replication_name(const Scenario *point, guint replication)
{
    GString *name = g_string_new(NULL);

    for (guint i = 0; i < point->parameters_len; i++) {
        g_string_append_printf(name, "%s = %s, ", point->parameters[i].key,
                               point->parameters[i].value);
    }
    g_string_append_printf(name, "replication %u (seed %" G_GUINT64_FORMAT ")", replication,
                           replication_seed(point, replication));
    return g_string_free(name, FALSE);
}

/* What is printed of it. */

static void say_warmup(GString *text, const RecorderFigures *figures)
{
    g_string_append_printf(text, "  warm-up   cut at %g s by MSER-5%s\n",
                           (double)figures->warmup.ns / (double)PEAL_NS_PER_S,
                           figures->cut_late
                               ? ", the latest that may be: let it run longer to be sure"
                               : "");
}

static void say_lookups(GString *text, const RecorderFigures *figures)
{
    double percent = 100.0 / (double)MAX(figures->started, 1);

    if (figures->started == 0) {
        return;
    }
    g_string_append_printf(text,
                           "  lookups   %" G_GUINT64_FORMAT ", %.2f %% succeeded, %.2f %% correct",
                           figures->started, percent * (double)figures->succeeded,
                           percent * (double)figures->correct);
    if (figures->succeeded > 0) {
        g_string_append_printf(text, ", %.2f hops, median %.0f ms, 95 %% under %.0f ms",
                               histogram_mean(figures->hops),
                               histogram_quantile(figures->latency_ns, 0.5) / 1e6,
                               histogram_quantile(figures->latency_ns, 0.95) / 1e6);
    }
    g_string_append_c(text, '\n');
}

static void say_calls(GString *text, const RecorderFigures *figures)
{
    double percent = 100.0 / (double)MAX(figures->calls_started, 1);

    if (figures->calls_started == 0) {
        return;
    }
    g_string_append_printf(text, "  calls     %" G_GUINT64_FORMAT ", %.2f %% answered",
                           figures->calls_started, percent * (double)figures->calls_answered);
    if (figures->calls_answered > 0) {
        g_string_append_printf(text, ", set-up median %.0f ms, 95 %% under %.0f ms",
                               histogram_quantile(figures->setup_ns, 0.5) / 1e6,
                               histogram_quantile(figures->setup_ns, 0.95) / 1e6);
    }
    g_string_append_c(text, '\n');
}

static void say_ring(GString *text, const RunInvariants *state)
{
    if (state->wrong_successors == 0 && state->wrong_predecessors == 0) {
        g_string_append(text, "  ring      one");
    } else {
        g_string_append_printf(text, "  ring      %u wrong %s, %u wrong %s",
                               state->wrong_successors,
                               state->wrong_successors == 1 ? "successor" : "successors",
                               state->wrong_predecessors,
                               state->wrong_predecessors == 1 ? "predecessor" : "predecessors");
    }
    g_string_append_printf(text,
                           " of %u peers, %u not joined; %" G_GUINT64_FORMAT
                           " values, %" G_GUINT64_FORMAT " lost\n",
                           state->members, state->outside, state->values, state->values_lost);
}

static void say_server(GString *text, const RunInvariants *state)
{
    g_string_append_printf(text,
                           "  server    out of reach of %u of %u peers, %u not joined; "
                           "%" G_GUINT64_FORMAT " values, %" G_GUINT64_FORMAT " lost\n",
                           state->wrong_successors, state->members, state->outside, state->values,
                           state->values_lost);
}

/* The swept keys but for the number of peers, which stands first anyway. */
static void say_parameters(GString *text, const Scenario *point)
{
    for (guint i = 0; i < point->parameters_len; i++) {
        const ScenarioParameter *parameter = &point->parameters[i];

        if (strcmp(parameter->key, "overlay.peers") != 0) {
            g_string_append_printf(text, ", %s = %s", parameter->key, parameter->value);
        }
    }
}

static char *report_text(const Replication *run, const ResultsReplication *head,
                         const RunOutcome *outcome)
{
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "%u peers", head->peers);
    say_parameters(text, run->config->point);
    g_string_append_printf(text, ", replication %u (seed %" G_GUINT64_FORMAT ")\n",
                           head->replication, head->seed);
    if (run->config->point->warmup_mser) {
        say_warmup(text, recorder_figures(run->recorder));
    }
    say_lookups(text, recorder_figures(run->recorder));
    say_calls(text, recorder_figures(run->recorder));
    if (run->config->point->workload.replay != NULL) {
        replay_report_text(text, run->config->point->workload.replay, run->recorder,
                           head->replication == 0);
    }
    g_string_append_printf(text, "  messages  %" G_GUINT64_FORMAT " in %.2f s, %.0f a second\n",
                           head->messages, head->wall_seconds,
                           (double)head->messages / MAX(head->wall_seconds, 1e-9));
    if (scenario_is_central(run->config->point)) {
        say_server(text, &outcome->invariants);
    } else {
        say_ring(text, &outcome->invariants);
    }
    if (outcome->has_fingerprint) {
        g_string_append_printf(text, "  fingerprint %016" G_GINT64_MODIFIER "x\n",
                               head->fingerprint);
    }
    return g_string_free(text, FALSE);
}

/* The run of it. */

static bool keep_on(void *user, PealTime now, uint64_t messages)
{
    Replication *run = user;
    ReplicationView view = {now, messages, recorder_lately(run->recorder)};

    return run->config->keep_on(run->config->user, &view);
}

static bool get_ready(void *user, const char *what)
{
    const ReplicationConfig *config = ((Replication *)user)->config;

    return config->get_ready(config->user, what);
}

static PcapWriter *open_capture(const RunOptions *options, GError **error)
{
    PcapWriterConfig config = {
        .path = options->pcap,
        .base_unix_ns = (int64_t)RUN_EPOCH_MS * PEAL_NS_PER_MS,
        .limit_bytes = options->pcap_limit_bytes,
        .peers = (const uint32_t *)(void *)options->pcap_peer_list->data,
        .peers_len = options->pcap_peer_list->len,
    };

    if (config.peers_len == 0) {
        config.peers = NULL;
    }
    return pcap_writer_new(&config, error);
}

static char *run_world(Replication *run, PcapWriter *capture, GError **error)
{
    const ReplicationConfig *config = run->config;
    ResultsReplication head = {
        .point = config->task.point,
        .replication = config->task.replication,
        .seed = replication_seed(config->point, config->task.replication),
        .peers = scenario_online(config->point),
    };
    RunJob job = {
        .point = config->point,
        .seed = head.seed,
        .recorder = run->recorder,
        .capture = capture,
        .dir = config->dir,
        .number = config->number,
        .base_port = config->options->base_port,
        .keep_on = keep_on,
        .get_ready = get_ready,
        .user = run,
    };
    g_autofree RunOutcome *outcome = g_new0(RunOutcome, 1);

    if (!config->options->world->run(&job, outcome, error)) {
        return NULL;
    }
    head.figures = outcome->figures;
    head.figures_len = outcome->figures_len;
    head.fingerprint = outcome->fingerprint;
    head.events = outcome->events;
    head.messages = outcome->messages;
    head.wall_seconds = outcome->wall_seconds;
    head.peak_rss_bytes = outcome->peak_rss_bytes;
    return results_write_part(config->dir, &head, run->recorder, error)
               ? report_text(run, &head, outcome)
               : NULL;
}

char *replication_run(const ReplicationConfig *config, GError **error)
{
    const Scenario *point = config->point;
    Replication run = {.config = config};
    PcapWriter *capture = NULL;
    char *text;

    if (config->options->pcap != NULL && config->number == 0) {
        capture = open_capture(config->options, error);
        if (capture == NULL) {
            return NULL;
        }
    }
    run.recorder = recorder_new(&(RecorderConfig){.duration = point->duration,
                                                  .warmup = point->warmup,
                                                  .mser = point->warmup_mser,
                                                  .watched = point->warmup_of,
                                                  .calls = scenario_has_calls(point)});
    text = run_world(&run, capture, error);
    recorder_free(run.recorder);
    if (!pcap_writer_close(capture, text != NULL ? error : NULL)) {
        g_clear_pointer(&text, g_free);
    }
    return text;
}
