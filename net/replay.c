/* SPDX-License-Identifier: GPL-3.0-or-later */
/* replay.c - see <net/replay.h>. */
#include <net/replay.h>

#include <inttypes.h>
#include <scenarios/replay_results.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "address.h"
#include "replay_live.h"

enum { REPLAY_PORT = 5060, REPLAY_STRANGER_RING_S = 1 };
#define REPLAY_LOOK peal_ms(100)
#define REPLAY_LATE_NOTABLE peal_ms(50)

/* Targets. */

static bool target_fail(GError **error, const char *text, const char *why)
{
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--to %s: %s", text, why);
    return false;
}

/* `[ADDRESS]:PORT`, `ADDRESS:PORT` or `ADDRESS`; an IPv6 address has colons of its own. */
static bool target_parse(const char *text, PealAddr *ret_addr, GError **error)
{
    const char *bracket = strrchr(text, ']');
    const char *colon = strrchr(text, ':');
    size_t len = strlen(text);
    guint64 port = REPLAY_PORT;

    if (colon != NULL && (bracket == NULL ? strchr(text, ':') == colon : colon > bracket)) {
        len = (size_t)(colon - text);
        if (!g_ascii_string_to_unsigned(colon + 1, 10, 1, UINT16_MAX, &port, NULL)) {
            return target_fail(error, text, "a port is a number of 1..65535");
        }
    }
    if (!address_parse_ip((PealStr){text, len}, (uint16_t)port, ret_addr)) {
        return target_fail(error, text,
                           "write an IP address, as in 127.0.0.1:5060 or [::1]:5060; a replay asks "
                           "no name server, so that it sends to --to and nowhere else");
    }
    if (address_is_any(ret_addr) || address_is_multicast(ret_addr)) {
        return target_fail(error, text, "that is not the address of one peer");
    }
    return true;
}

static bool target_read(const char *text, PealAddr *ret_addr, GError **error)
{
    if (g_ascii_strncasecmp(text, "tcp:", 4) == 0 || g_ascii_strncasecmp(text, "tls:", 4) == 0) {
        return target_fail(error, text, "phones of a replay speak UDP; leave the word out");
    }
    if (g_ascii_strncasecmp(text, "udp:", 4) == 0) {
        text += 4;
    }
    return target_parse(text, ret_addr, error);
}

static bool target_check(const char *target, GError **error)
{
    PealAddr addr;

    return target_read(target, &addr, error);
}

static char *target_domain(const char *target)
{
    char text[ADDRESS_TEXT_LEN];
    PealAddr addr;

    if (!target_read(target, &addr, NULL)) {
        return NULL;
    }
    address_ip_text(&addr, text);
    return addr.family == 6 ? g_strdup_printf("[%s]", text) : g_strdup(text);
}

/* The replay. */

static bool targets_read(Live *live, GError **error)
{
    live->targets_len = g_strv_length(live->job->targets);
    if (live->targets_len == 0 || live->targets_len > LIVE_TARGETS_MAX) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "--to may be given 1 to %d times", LIVE_TARGETS_MAX);
        return false;
    }
    live->targets = g_new0(LiveTarget, live->targets_len);
    for (uint32_t i = 0; i < live->targets_len; i++) {
        if (!target_read(live->job->targets[i], &live->targets[i].addr, error)) {
            return false;
        }
    }
    PEAL_ASSERT(live->replay->peers <= live->targets_len);
    return true;
}

static RecorderTotals totals_of(const Live *live)
{
    RecorderTotals totals = {.online = live->targets_len, .joined = live->targets_len};

    totals.counter[RECORDER_SIP_MESSAGES] = live->counts.sent.messages;
    totals.counter[RECORDER_SIP_BYTES] = live->counts.sent.bytes;
    totals.counter[RECORDER_SIP_LOST] = live->counts.sent.lost;
    return totals;
}

static bool look_on(const Live *live)
{
    const ReplayLiveJob *job = live->job;
    g_autofree char *what = NULL;

    if (live->step != LIVE_REGISTERING) {
        return job->keep_on(job->user, live_now(live), live->calls_ended);
    }
    what = g_strdup_printf("%u of %u users are registering", live->next_user, live->phones_len);
    return job->get_ready(job->user, what);
}

/* Takes the samples that are due before an instant, all as things are now. */
static void sample(const Live *live, PealTime until)
{
    PealTime mark;

    while ((mark = recorder_next_sample(live->job->recorder)).ns < until.ns) {
        RecorderTotals totals = totals_of(live);

        recorder_sample(live->job->recorder, mark, &totals);
    }
}

static void on_look(void *user)
{
    Live *live = user;

    if (live->step == LIVE_PLAYING) {
        sample(live, live_now(live));
    }
    if (!live->interrupted && !look_on(live)) {
        live->interrupted = true;
        live->ended.ns = live->step == LIVE_REGISTERING ? 0 : live_now(live).ns;
        live_step(live, LIVE_HANGING_UP);
    }
    loop_timer_set(live->loop, &live->look, peal_time_add(loop_now(live->loop), REPLAY_LOOK));
}

static bool prepare(Live *live, GError **error)
{
    live->loop = loop_new(NULL, error);
    if (live->loop == NULL || !targets_read(live, error)) {
        return false;
    }
    peal_sip_defaults(&live->sip);
    live->config = (PealPhoneConfig){.sip = &live->sip,
                                     .ring = peal_seconds(REPLAY_STRANGER_RING_S),
                                     .calls_max = PEAL_PHONE_CALLS_MAX,
                                     .by_proxy = true,
                                     .event = live_phones_on_event};
    live->due = (LoopTimer){.due = live_on_due, .user = live};
    live->look = (LoopTimer){.due = on_look, .user = live};
    live->phones_len = live->replay->users->len;
    live->phones = g_new0(LivePhone, live->phones_len);
    live->calls = g_new0(LiveCall, live->replay->calls->len);
    live->play = replay_play_new(live->replay);
    return live_phones_make(live, error);
}

static void run(Live *live)
{
    loop_refresh(live->loop);
    live->origin = loop_now(live->loop);
    live_step(live, LIVE_REGISTERING);
    on_look(live);
    while (!live->over) {
        g_main_context_iteration(loop_context(live->loop), TRUE);
    }
}

static void clear(Live *live)
{
    live_phones_free(live);
    g_free(live->calls);
    g_free(live->targets);
    replay_play_free(live->play);
    if (live->loop != NULL) {
        loop_timer_unset(live->loop, &live->due);
        loop_timer_unset(live->loop, &live->look);
        loop_free(live->loop);
    }
}

/* Results. */

static void add_figures(const Live *live, RunOutcome *outcome)
{
    const LiveCounts *counts = &live->counts;
    const struct {
        const char *name;
        uint64_t value;
        ResultsKind kind;
    } figures[] = {
        {"registrations.stored", counts->registered, RESULTS_SUM},
        {"registrations.failed", counts->register_failed, RESULTS_SUM},
        {"replay.registrations_left", counts->left, RESULTS_SUM},
        {"replay.calls_not_made", counts->not_made, RESULTS_SUM},
        {"replay.calls_of_strangers", counts->strangers, RESULTS_SUM},
        {"replay.kept_in", counts->kept_in, RESULTS_SUM},
        {"replay.late_ms", (uint64_t)(live->late.ns / PEAL_NS_PER_MS), RESULTS_MAX},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(figures); i++) {
        run_outcome_figure(outcome, figures[i].name, (double)figures[i].value, figures[i].kind);
    }
}

static void say_notable(const Live *live)
{
    if (live->late.ns > REPLAY_LATE_NOTABLE.ns) {
        fprintf(stderr,
                "peal replay: something began up to %.0f ms after it should: this machine or the "
                "target is busy; a lower --speed may help\n",
                (double)live->late.ns / (double)PEAL_NS_PER_MS);
    }
    if (live->counts.not_made > 0) {
        fprintf(stderr,
                "peal replay: %" PRIu64 " calls were not made: a phone has at most %d at a time\n",
                live->counts.not_made, PEAL_PHONE_CALLS_MAX);
    }
    if (live->counts.kept_in > 0) {
        fprintf(stderr,
                "peal replay: %" PRIu64 " messages that would have gone elsewhere than --to were "
                "dropped\n",
                live->counts.kept_in);
    }
    if (live->counts.left > 0) {
        fprintf(stderr,
                "peal replay: nobody confirmed that %" PRIu64 " registrations were removed; they "
                "expire by themselves\n",
                live->counts.left);
    }
}

static void finish(Live *live, RunOutcome *outcome)
{
    RecorderTotals totals = totals_of(live);
    uint64_t told = 0;
    struct rusage usage;

    for (uint32_t i = 0; i < live->next_call; i++) {
        told += live->calls[i].told;
    }
    for (uint32_t i = 0; i < live->phones_len; i++) {
        live->counts.left += live->phones[i].holds;
    }
    recorder_unfinished_calls(live->job->recorder, live->calls_begun - told);
    sample(live, live->ended); /* the last look was a while ago */
    recorder_finish(live->job->recorder, live->ended, &totals);
    outcome->messages = totals.counter[RECORDER_SIP_MESSAGES];
    outcome->events = outcome->messages;
    outcome->wall_seconds = (double)live->ended.ns / (double)PEAL_NS_PER_S;
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        outcome->peak_rss_bytes = (uint64_t)usage.ru_maxrss * 1024;
    }
    add_figures(live, outcome);
    run_outcome_replay(outcome, live->job->recorder, live->replay, live->play);
    say_notable(live);
}

static bool replay_run(const ReplayLiveJob *job, RunOutcome *ret_outcome, GError **error)
{
    Live live = {.job = job, .replay = job->replay};
    bool ok = prepare(&live, error);

    if (ok) {
        run(&live);
        ok = live.error == NULL;
        if (ok) {
            finish(&live, ret_outcome);
        } else {
            g_propagate_error(error, live.error);
        }
    }
    clear(&live);
    return ok;
}

const ReplayLiveWorld LIVE_WORLD = {.check = target_check,
                                    .domain_of = target_domain,
                                    .run = replay_run};
