/* SPDX-License-Identifier: GPL-3.0-or-later */
/* campaign.c - see campaign.h. */
#include "run/campaign.h"

#include <errno.h>
#include <poll.h>
#include <scenarios/replay_results.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "run/jobs.h"
#include "run/live.h"
#include "run/report.h"
#include "run/worker.h"

enum { WAIT_MS = 100 }; /* until the view is drawn again, or a stop is seen */

typedef struct Campaign {
    const CampaignConfig *config;
    Schedule *schedule;
    Live *live;
    WorkerListener listener;
    Worker **workers; /* by job; NULL: it is free */
    unsigned jobs;
    Scenario **points; /* that were begun, until they were printed */
    double *weights;   /* of one replication of each point, in peers and seconds */
    GPtrArray **texts; /* of each point's replications, until they were printed */
    Task turn;         /* to be printed next */
    guint failed;
    bool stopping;
    GError *failure; /* the first */
} Campaign;

static unsigned job_of(const Campaign *campaign, const Worker *worker)
{
    unsigned job = 0;

    while (campaign->workers[job] != worker) {
        job++;
    }
    return job;
}

/* What workers say. */

static void on_view(void *user, Worker *worker, const ReplicationView *view)
{
    Campaign *campaign = user;

    live_view(campaign->live, job_of(campaign, worker), view);
}

static void on_words(void *user, Worker *worker, const char *words)
{
    Campaign *campaign = user;

    live_words(campaign->live, job_of(campaign, worker), words);
}

static void on_stderr(void *user, Worker *worker, const char *text, size_t len)
{
    Campaign *campaign = user;

    (void)worker;
    live_clear(campaign->live);
    fwrite(text, 1, len, stderr);
}

/* How much there is to do. */

static double work_share(const Campaign *campaign, bool ended)
{
    const Scenario *scenario = campaign->config->scenario;
    double part = 0, whole = 0;

    for (guint i = 0; i < scenario->points; i++) {
        for (guint j = 0; j < schedule_wanted(campaign->schedule, i); j++) {
            bool counts = !ended || schedule_has_ended(campaign->schedule, (Task){i, j});

            part += counts ? campaign->weights[i] : 0;
            whole += campaign->weights[i];
        }
    }
    return ended ? part / whole : whole;
}

static void count_work(Campaign *campaign)
{
    ScheduleCount count = schedule_count(campaign->schedule);

    live_count(campaign->live, count.ended, count.wanted, work_share(campaign, true));
}

/* Points. */

typedef struct Parameters {
    const Scenario *point;
    GArray *list; /* ResultsParameter */
} Parameters;

static void add_parameter(Parameters *parameters, const char *key, const char *value, bool swept)
{
    ResultsParameter parameter = {g_strdup(key), g_strdup(value), swept};

    g_array_append_val(parameters->list, parameter);
}

static void add_other_parameter(void *user, const char *key, const char *value)
{
    Parameters *parameters = user;

    for (guint i = 0; i < parameters->point->parameters_len; i++) {
        if (strcmp(parameters->point->parameters[i].key, key) == 0) {
            return;
        }
    }
    add_parameter(parameters, key, value, false);
}

static void clear_parameter(void *parameter)
{
    g_free((char *)((ResultsParameter *)parameter)->key);
    g_free((char *)((ResultsParameter *)parameter)->value);
}

static bool describe_point(const Campaign *campaign, guint number, GError **error)
{
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(ResultsParameter));
    const Scenario *point = campaign->points[number];
    Parameters parameters = {point, list};

    g_array_set_clear_func(list, clear_parameter);
    for (guint i = 0; i < point->parameters_len; i++) {
        add_parameter(&parameters, point->parameters[i].key, point->parameters[i].value, true);
    }
    scenario_each_value(point, add_other_parameter, &parameters);
    return results_set_point(campaign->config->results, number,
                             (ResultsParameter *)(void *)list->data, list->len, error) &&
           (point->workload.replay == NULL ||
            replay_set_trace(campaign->config->results, number, point->workload.replay, error));
}

static bool begin_point(Campaign *campaign, guint number, GError **error)
{
    if (campaign->points[number] != NULL) {
        return true;
    }
    campaign->points[number] = scenario_point(campaign->config->scenario, number, error);
    return campaign->points[number] != NULL && describe_point(campaign, number, error);
}

/* What is printed, in turn. */

static void print_text(Campaign *campaign, Task task)
{
    GPtrArray *texts = campaign->texts[task.point];
    char *text = texts != NULL && task.replication < texts->len
                     ? g_ptr_array_index(texts, task.replication)
                     : NULL;

    if (text != NULL && !campaign->config->options->json) {
        live_clear(campaign->live);
        fputs(text, stdout);
        fflush(stdout);
    }
}

static void end_point(Campaign *campaign, guint number)
{
    if (campaign->points[number] != NULL && !campaign->config->options->json) {
        live_clear(campaign->live);
        report_point(campaign->config->results, campaign->points[number], number,
                     schedule_wanted(campaign->schedule, number));
    }
    g_clear_pointer(&campaign->points[number], scenario_free);
    g_clear_pointer(&campaign->texts[number], g_ptr_array_unref);
}

/* all: whatever is still to come; nothing will. */
static void print_in_turn(Campaign *campaign, bool all)
{
    Task *turn = &campaign->turn;

    while (turn->point < campaign->config->scenario->points) {
        if (turn->replication < schedule_wanted(campaign->schedule, turn->point)) {
            if (!all && !schedule_has_ended(campaign->schedule, *turn)) {
                return;
            }
            print_text(campaign, *turn);
            turn->replication++;
            continue;
        }
        if (!all && !schedule_is_decided(campaign->schedule, turn->point)) {
            return;
        }
        if (schedule_is_decided(campaign->schedule, turn->point)) {
            end_point(campaign, turn->point);
        }
        *turn = (Task){turn->point + 1, 0};
    }
}

static void keep_text_take(Campaign *campaign, Task task, char *text)
{
    GPtrArray **texts = &campaign->texts[task.point];

    if (*texts == NULL) {
        *texts = g_ptr_array_new_with_free_func(g_free);
    }
    if ((*texts)->len <= task.replication) {
        g_ptr_array_set_size(*texts, (gint)task.replication + 1);
    }
    g_ptr_array_index(*texts, task.replication) = text;
}

/* Where nobody sees the view or the reports, a line tells that it goes on. */
static void log_end(const Campaign *campaign, Task task)
{
    const RunOptions *options = campaign->config->options;
    ScheduleCount count = schedule_count(campaign->schedule);

    if (options->json && !options->quiet && !live_is_shown(campaign->live)) {
        g_autofree char *name = replication_name(campaign->points[task.point], task.replication);

        fprintf(stderr, "peal run: %u of %u: %s\n", count.ended, count.wanted, name);
    }
}

/* Ends of workers. */

static void fail_take(Campaign *campaign, GError *error)
{
    if (campaign->failure == NULL) {
        campaign->failure = error;
    } else {
        g_error_free(error);
    }
}

/* The command that runs one replication again, alone. */
static char *replay_command(const Campaign *campaign, const Scenario *point, Task task)
{
    const RunOptions *options = campaign->config->options;
    GString *command = g_string_new("peal run ");
    g_autofree char *file = g_shell_quote(options->files[0]);
    g_autofree char *dir = g_strconcat(campaign->config->dir, "-replay", NULL);
    g_autofree char *out = g_shell_quote(dir);

    g_string_append(command, file);
    for (size_t i = 0; options->sets != NULL && options->sets[i] != NULL; i++) {
        g_autofree char *set = g_shell_quote(options->sets[i]);

        g_string_append_printf(command, " --set %s", set);
    }
    for (guint i = 0; i < point->parameters_len; i++) {
        g_autofree char *text =
            g_strdup_printf("%s=%s", point->parameters[i].key, point->parameters[i].value);
        g_autofree char *set = g_shell_quote(text);

        g_string_append_printf(command, " --set %s", set);
    }
    if (point->precision_ppm > 0) {
        g_string_append(command, " --set scenario.precision=0%");
    }
    if (options->on != NULL) {
        g_string_append_printf(command, " --on %s", options->on);
    }
    g_string_append_printf(command,
                           " --set scenario.replications=1 --seed %" G_GUINT64_FORMAT " --out %s",
                           replication_seed(point, task.replication), out);
    return g_string_free(command, FALSE);
}

/* A process that died without a word: the others go on. */
static void report_death(Campaign *campaign, Task task, const WorkerEnd *end)
{
    const Scenario *point = campaign->points[task.point];
    g_autofree char *name = replication_name(point, task.replication);
    g_autofree char *command = replay_command(campaign, point, task);

    live_clear(campaign->live);
    fprintf(stderr, "peal run: point %u, %s: ", task.point, name);
    if (end->signal != 0) {
        fprintf(stderr, "its process was ended by signal %d (%s)%s\n", end->signal,
                strsignal(end->signal),
                end->signal == SIGKILL ? "; where memory is short, run fewer at a time with --jobs"
                                       : "");
    } else {
        fprintf(stderr, "its process ended with status %d and left no results\n", end->status);
    }
    fprintf(stderr, "peal run: the other replications go on; this one alone: %s\n", command);
    campaign->failed++;
}

/* An interrupted replication is in the results, to be seen, but will be run again. */
static bool take_results(Campaign *campaign, Task task, GError **error)
{
    return results_take_part(campaign->config->results, task.point, task.replication, error) &&
           (!results_has(campaign->config->results, task.point, task.replication) ||
            schedule_done(campaign->schedule, task, error));
}

static void end_worker(Campaign *campaign, unsigned job)
{
    Worker *worker = campaign->workers[job];
    Task task = worker_task(worker);
    WorkerEnd end;
    GError *error = NULL;

    worker_end(worker, &end);
    campaign->workers[job] = NULL;
    live_end(campaign->live, job);
    if (end.text != NULL) {
        keep_text_take(campaign, task, end.text);
        if (!take_results(campaign, task, &error)) {
            fail_take(campaign, error);
        }
        log_end(campaign, task);
    } else {
        schedule_failed(campaign->schedule, task);
        if (end.error != NULL) {
            fail_take(campaign, g_error_new_literal(RESULTS_ERROR, RESULTS_ERROR_WRITE, end.error));
        } else {
            report_death(campaign, task, &end);
        }
    }
    g_free(end.error);
    print_in_turn(campaign, false);
    count_work(campaign);
}

/* The loop. */

static bool start(Campaign *campaign, unsigned job, Task task, GError **error)
{
    const CampaignConfig *config = campaign->config;
    ReplicationConfig replication = {.options = config->options,
                                     .dir = config->dir,
                                     .task = task,
                                     .number = task.point * config->scenario->replications +
                                               task.replication};
    g_autofree char *name = NULL;

    if (!begin_point(campaign, task.point, error)) {
        return false;
    }
    replication.point = campaign->points[task.point];
    campaign->workers[job] =
        worker_start(&replication, live_is_shown(campaign->live), &campaign->listener, error);
    if (campaign->workers[job] == NULL) {
        return false;
    }
    name = replication_name(replication.point, task.replication);
    live_begin(campaign->live, job, name, replication.point->duration,
               campaign->weights[task.point] / work_share(campaign, false));
    return true;
}

static void start_what_can(Campaign *campaign)
{
    for (unsigned job = 0; job < campaign->jobs; job++) {
        GError *error = NULL;
        Task task;

        if (campaign->workers[job] != NULL) {
            continue;
        }
        if (campaign->failure != NULL || campaign->config->stopped() ||
            !schedule_next(campaign->schedule, &task)) {
            return;
        }
        if (!start(campaign, job, task, &error)) {
            schedule_failed(campaign->schedule, task);
            fail_take(campaign, error);
        }
    }
}

static void stop_if_wanted(Campaign *campaign)
{
    if (!campaign->config->stopped() || campaign->stopping) {
        return;
    }
    campaign->stopping = true;
    for (unsigned job = 0; job < campaign->jobs; job++) {
        if (campaign->workers[job] != NULL) {
            worker_stop(campaign->workers[job]);
        }
    }
}

/* Waits for a word of a worker, a signal, or the time to draw; false when none is at work. */
static bool wait_for_workers(Campaign *campaign)
{
    g_autofree struct pollfd *fds = g_new0(struct pollfd, 2 * campaign->jobs);
    nfds_t len = 0;

    for (unsigned job = 0; job < campaign->jobs; job++) {
        int of_worker[2];

        if (campaign->workers[job] != NULL) {
            worker_fds(campaign->workers[job], of_worker);
            fds[len++] = (struct pollfd){.fd = of_worker[0], .events = POLLIN};
            fds[len++] = (struct pollfd){.fd = of_worker[1], .events = POLLIN};
        }
    }
    if (len > 0) {
        poll(fds, len, WAIT_MS);
    }
    return len > 0;
}

static void loop(Campaign *campaign)
{
    start_what_can(campaign);
    while (wait_for_workers(campaign)) {
        stop_if_wanted(campaign);
        for (unsigned job = 0; job < campaign->jobs; job++) {
            if (campaign->workers[job] != NULL && !worker_read(campaign->workers[job])) {
                end_worker(campaign, job);
            }
        }
        start_what_can(campaign);
        live_draw(campaign->live);
    }
}

/* The table of a sweep, where all of it is there. */
static void print_table(const Campaign *campaign)
{
    const Scenario *scenario = campaign->config->scenario;
    g_autofree guint *wanted = g_new0(guint, scenario->points);

    if (scenario->points == 1 || campaign->config->options->json ||
        !schedule_is_whole(campaign->schedule)) {
        return;
    }
    for (guint i = 0; i < scenario->points; i++) {
        wanted[i] = schedule_wanted(campaign->schedule, i);
    }
    report_table(campaign->config->results, scenario, wanted);
}

static bool weigh_points(Campaign *campaign, GError **error)
{
    const Scenario *scenario = campaign->config->scenario;

    for (guint i = 0; i < scenario->points; i++) {
        g_autoptr(Scenario) point = scenario_point(scenario, i, error);

        if (point == NULL) {
            return false;
        }
        campaign->weights[i] = (double)scenario_identities(point) * (double)point->duration.ns;
    }
    return true;
}

static void campaign_fini(Campaign *campaign)
{
    live_free(campaign->live);
    for (guint i = 0; i < campaign->config->scenario->points; i++) {
        scenario_free(campaign->points[i]);
        g_clear_pointer(&campaign->texts[i], g_ptr_array_unref);
    }
    g_free(campaign->points);
    g_free(campaign->texts);
    g_free(campaign->weights);
    g_free(campaign->workers);
    schedule_free(campaign->schedule);
}

bool campaign_run(const CampaignConfig *config, guint *ret_failed, GError **error)
{
    guint points = config->scenario->points;
    Campaign campaign = {.config = config,
                         .listener = {on_view, on_words, on_stderr, NULL},
                         .points = g_new0(Scenario *, points),
                         .texts = g_new0(GPtrArray *, points),
                         .weights = g_new0(double, points)};
    bool good = weigh_points(&campaign, error);

    campaign.listener.user = &campaign;
    campaign.schedule = good ? schedule_new(config->scenario, config->results, error) : NULL;
    if (campaign.schedule == NULL) {
        campaign_fini(&campaign);
        return false;
    }
    campaign.jobs = jobs_count(config->options, config->scenario);
    campaign.workers = g_new0(Worker *, campaign.jobs);
    campaign.live = live_new(config->options->quiet, campaign.jobs, work_share(&campaign, true));
    count_work(&campaign);
    loop(&campaign);
    print_in_turn(&campaign, true);
    live_clear(campaign.live);
    if (schedule_is_whole(campaign.schedule) && campaign.failure == NULL) {
        if (results_finish(config->results, &campaign.failure)) {
            print_table(&campaign);
        }
    }
    *ret_failed = campaign.failed;
    good = campaign.failure == NULL;
    if (!good) {
        g_propagate_error(error, campaign.failure);
    }
    campaign_fini(&campaign);
    return good;
}
