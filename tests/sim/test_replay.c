/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_replay.c - recorded workloads in simulated overlays: each call ends as it did. */
#include <glib/gstdio.h>
#include <scenarios/replay.h>
#include <string.h>

#include "recorder_state.h"
#include "simulation.h"

#define S PEAL_NS_PER_S

enum { USERS = 12 };

/* A call of each kind; the numbers at their ends are those of the calls. */
static const char *const EVERY_KIND =
    "call 0.5 0 1 answered 200 ringing=0.1 final=3 talk=20 last=23.5\n"                /* 0 */
    "call 1 2 3 cancelled 487 ringing=0.1 cancel=6 final=6.1 last=6.2\n"               /* 1 */
    "call 2 4 5 refused 403 final=1 last=1\n"                                          /* 2 */
    "call 3 4 6 refused 401 ringing=0.1 final=2 last=2.1\n"                            /* 3 */
    "call 4 4 7 refused 407 ringing=0.1 final=2 last=2.1\n"                            /* 4 */
    "call 5 4 8 refused 302 final=1.5 last=1.5\n"                                      /* 5 */
    "call 6 4 9 refused 503 final=1.5 last=1.5\n"                                      /* 6 */
    "call 7 4 10 refused 603 ringing=0.5 final=8 last=8\n"                             /* 7 */
    "call 8 6 7 unanswered 0 ringing=0.2 last=15\n"                                    /* 8 */
    "call 9 7 8 unanswered 408 ringing=0.2 final=12 last=12\n"                         /* 9 */
    "call 10 8 9 answered 200 final=0.5 talk=5 last=5.6 by=callee\n"                   /* 10 */
    "call 11 10 11 answered 200 ringing=0.1 final=8 talk=10 last=18.1\n"               /* 11 */
    "call 11.5 10 11 refused 486 ringing=0.1 final=1 last=1.1\n"                       /* 12 */
    "call 11.8 11 10 cancelled 487 ringing=0.1 cancel=2 final=2.1 last=2.1\n"          /* 13 */
    "call 12 9 2 answered 200 ringing=0.1 final=2 last=30\n"                           /* 14 */
    "call 13 3 1 cancelled 0 cancel=2.5 last=2.5\n"                                    /* 15 */
    "call 14 5 0 answered 200 ringing=0.1 final=300 talk=10 last=310.1\n"              /* 16 */
    "call 15 6 0 cancelled 487 ringing=0.1 cancel=280.25 final=280.4 last=280.4\n"     /* 17 */
    "call 16 1 6 answered 200 final=0 talk=2 last=2.1 headers=Subject%3A%20a%0D%0A\n"; /* 18 */

/* A workload in a file. */
typedef struct Recording {
    char *dir;
    char *path;
    char *setting; /* workload.trace=PATH */
} Recording;

static Recording recording_new(const char *domain, const char *text)
{
    Recording recording = {.dir = g_dir_make_tmp("peal-XXXXXX", NULL)};
    g_autoptr(GString) file = g_string_new("peal-workload 1\nsource name=hand.pcap speed=1\n");

    for (int i = 0; i < USERS; i++) {
        g_string_append_printf(file, "user sip:user%d@%s address=192.0.2.%d\n", i, domain,
                               i / 4 + 1);
    }
    g_string_append(file, text);
    recording.path = g_build_filename(recording.dir, "hand.calls", NULL);
    recording.setting = g_strdup_printf("workload.trace=%s", recording.path);
    CU_ASSERT_TRUE_FATAL(g_file_set_contents(recording.path, file->str, -1, NULL));
    return recording;
}

static void recording_gone(Recording *recording)
{
    if (recording->dir == NULL) {
        return;
    }
    g_unlink(recording->path);
    g_rmdir(recording->dir);
    g_free(recording->dir);
    g_free(recording->path);
    g_free(recording->setting);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Recording, recording_gone)

/* Runs the recording in the scenario of calls, with up to four more settings. */
static void play(Simulation *simulation, const Recording *recording, const char *const more[4])
{
    const char *settings[] = {recording->setting,
                              "workload.calls-per-user-hour=0",
                              "scenario.duration=8min",
                              more[0],
                              more[1],
                              more[2],
                              more[3],
                              NULL};

    simulation_run(simulation, "calls.conf", settings);
}

static const Replay *replay_of(const Simulation *simulation)
{
    return simulation->scenario->workload.replay;
}

static const ReplayEnd *end_of(const Simulation *simulation, uint32_t call)
{
    return replay_play_end(simulation->world->phones->play, call);
}

/* What a proxy passes on in place of a response: 16.7 step 6 forbids 503. */
static unsigned heard(unsigned status)
{
    return status == 503 ? 500 : status;
}

/* A call ended as it was recorded, and took as long: the overlay takes what is under `slack`. */
static void ended_as_recorded(const Simulation *simulation, uint32_t i, int64_t slack_ns)
{
    const ReplayCall *call = replay_call(replay_of(simulation), i);
    const ReplayEnd *end = end_of(simulation, i);

    if (!end->begun || !end->ended || end->outcome != call->outcome) {
        printf("# call %u: begun %d, ended %d, %s, status %u\n", i, end->begun, end->ended,
               history_outcome_name((HistoryOutcome)end->outcome), end->status);
    }
    SIM_ASSERT(simulation, end->begun);
    SIM_ASSERT(simulation, end->ended);
    SIM_ASSERT(simulation, end->outcome == call->outcome);
    if (call->outcome == HISTORY_ANSWERED || call->outcome == HISTORY_REFUSED) {
        SIM_ASSERT(simulation, end->status == heard(call->status));
    }
    if (call->outcome == HISTORY_ANSWERED) {
        SIM_ASSERT(simulation, end->answer.ns >= call->final.ns);
        SIM_ASSERT(simulation, end->answer.ns < call->final.ns + slack_ns);
        SIM_ASSERT(simulation, end->setup.ns >= 0 && end->setup.ns < slack_ns);
    } else {
        SIM_ASSERT(simulation, end->answer.ns < 0);
    }
}

static void all_ended_as_recorded(const Simulation *simulation, int64_t slack_ns)
{
    for (uint32_t i = 0; i < replay_of(simulation)->calls->len; i++) {
        ended_as_recorded(simulation, i, slack_ns);
    }
}

static void every_call_ends_as_it_was_recorded(void)
{
    g_auto(Recording) recording = recording_new("example.org", EVERY_KIND);
    const int64_t start_ns = 60 * S; /* of the trace: behind the warm-up */
    Simulation simulation;
    const struct RecorderSampledCall *sample;
    size_t len;
    unsigned answered = 0;

    play(&simulation, &recording, (const char *[4]){NULL});
    all_ended_as_recorded(&simulation, 2 * S);
    for (uint32_t i = 0; i < replay_of(&simulation)->calls->len; i++) {
        SIM_ASSERT(&simulation, end_of(&simulation, i)->started.ns ==
                                    start_ns + replay_call(replay_of(&simulation), i)->at.ns);
    }
    sample = recorder_sampled_calls(simulation.recorder, &len);
    SIM_ASSERT(&simulation, len == 19);
    for (size_t i = 0; i < len; i++) { /* ringing is the callee's, not the overlay's */
        if (sample[i].call.status / 100 == 2) {
            SIM_ASSERT(&simulation, sample[i].call.answer.ns < 2 * S);
            answered++;
        }
    }
    SIM_ASSERT(&simulation, answered == 6);
    SIM_ASSERT(&simulation, simulation.world->counts.registered == USERS);
    SIM_ASSERT(&simulation, simulation.world->counts.register_failed == 0);
    SIM_ASSERT(&simulation,
               simulation.figures->totals.counter[RECORDER_REACHABLE_CALLS] == answered);
    SIM_ASSERT(&simulation,
               simulation.figures->totals.counter[RECORDER_REACHABLE_ANSWERED] == answered);
    simulation_end(&simulation);
}

static void users_may_share_peers_and_servers(void)
{
    const char *const ways[][4] = {{"workload.trace-users=source"},
                                   {"overlay.peers=2"},
                                   {"overlay.topology=central"},
                                   {"overlay.topology=central", "workload.trace-users=source"},
                                   {"peer.cpu=constant:200us", "peer.queue=1000"}};
    g_auto(Recording) recording = recording_new("example.org", EVERY_KIND);

    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        Simulation simulation;

        play(&simulation, &recording, ways[i]);
        all_ended_as_recorded(&simulation, 2 * S);
        simulation_end(&simulation);
    }
}

static void loss_delays_recorded_calls(void)
{
    g_auto(Recording) recording = recording_new("example.org", EVERY_KIND);
    Simulation simulation;

    play(&simulation, &recording, (const char *[4]){"network.loss=1%"});
    all_ended_as_recorded(&simulation, 10 * S);
    simulation_end(&simulation);
}

static void domains_become_the_overlays(void)
{
    g_auto(Recording) recording =
        recording_new("elsewhere.test", "call 0.5 0 1 answered 200 final=1 talk=2 last=3\n");
    Simulation simulation;

    play(&simulation, &recording, (const char *[4]){NULL});
    CU_ASSERT_STRING_EQUAL(replay_user(replay_of(&simulation), 0)->aor, "sip:user0@example.org");
    all_ended_as_recorded(&simulation, 2 * S);
    simulation_end(&simulation);
}

static void same_seed_plays_the_same(void)
{
    g_auto(Recording) recording = recording_new("example.org", EVERY_KIND);
    uint64_t fingerprints[3];

    for (int i = 0; i < 3; i++) {
        const char *const more[4] = {"network.loss=1%", "network.jitter=exponential:5ms",
                                     i < 2 ? "scenario.seed=5" : "scenario.seed=6"};
        Simulation simulation;

        play(&simulation, &recording, more);
        fingerprints[i] = simulation.fingerprint;
        simulation_end(&simulation);
    }
    CU_ASSERT_EQUAL(fingerprints[0], fingerprints[1]);
    CU_ASSERT_NOT_EQUAL(fingerprints[0], fingerprints[2]);
}

/* Half of the peers die before the trace begins: whoever is there plays on. */
static void calls_of_dead_callers_have_not_begun_and_dead_callees_do_not_answer(void)
{
    const char *const more[4] = {"event:crash.at=30s", "event:crash.do=fail 50% of peers",
                                 "overlay.peers=24"};
    g_auto(Recording) recording = recording_new("example.org", EVERY_KIND);
    unsigned kinds[3] = {0};
    Simulation simulation;

    play(&simulation, &recording, more);
    for (uint32_t i = 0; i < replay_of(&simulation)->calls->len; i++) {
        const ReplayCall *call = replay_call(replay_of(&simulation), i);
        const ReplayEnd *end = end_of(&simulation, i);
        const ReplayUser *caller = replay_user(replay_of(&simulation), call->caller);
        const ReplayUser *callee = replay_user(replay_of(&simulation), call->callee);

        if (!world_peer(simulation.world, caller->peer)->up) {
            SIM_ASSERT(&simulation, !end->begun);
            kinds[0]++;
        } else if (!world_peer(simulation.world, callee->peer)->up) {
            SIM_ASSERT(&simulation, end->begun && end->outcome != HISTORY_ANSWERED);
            kinds[1]++;
        } else {
            SIM_ASSERT(&simulation, end->begun);
            kinds[2]++;
        }
    }
    CU_ASSERT(kinds[0] > 0 && kinds[1] > 0 && kinds[2] > 0);
    simulation_end(&simulation);
}

static void churn_ends_calls_and_the_others_play(void)
{
    const char *const more[4] = {"churn.session=exponential:3min", "churn.absence=exponential:1min",
                                 "scenario.duration=10min", "overlay.peers=30"};
    g_autoptr(GString) text = g_string_new(NULL);
    unsigned as_recorded = 0;
    unsigned begun = 0;
    Simulation simulation;

    for (int i = 0; i < 400; i++) {
        g_string_append_printf(text,
                               "call %d.5 %d %d answered 200 ringing=0.1 final=1 talk=5 last=7\n",
                               i, i % USERS, (i + 1 + i / USERS % (USERS - 1)) % USERS);
    }
    g_auto(Recording) recording = recording_new("example.org", text->str);
    play(&simulation, &recording, more);
    for (uint32_t i = 0; i < replay_of(&simulation)->calls->len; i++) {
        begun += end_of(&simulation, i)->begun;
        as_recorded +=
            end_of(&simulation, i)->begun && end_of(&simulation, i)->outcome == HISTORY_ANSWERED;
    }
    SIM_ASSERT(&simulation, begun > 100 && begun < 400);
    SIM_ASSERT(&simulation, as_recorded > begun / 3 && as_recorded < begun);
    simulation_end(&simulation);
}

/* A user's registration is taken away, made anew, and made for a while. */
static void registrations_are_those_of_the_recording(void)
{
    g_auto(Recording) recording =
        recording_new("example.org", "register 0 1 600\nregister 5 1 1200\nregister 40 1 0\n"
                                     "register 50 2 0\nregister 60 2 300\n"
                                     "call 2 0 1 answered 200 final=1 talk=2 last=3\n"
                                     "call 55 0 3 answered 200 final=1 talk=2 last=3\n");
    Simulation simulation;

    play(&simulation, &recording, (const char *[4]){NULL});
    all_ended_as_recorded(&simulation, 2 * S);
    SIM_ASSERT(&simulation, simulation.world->counts.register_failed == 0);
    /* Two users' registrations come at the start, and once for each recorded REGISTER. */
    SIM_ASSERT(&simulation, simulation.world->counts.registered == USERS + 5);
    SIM_ASSERT(&simulation, simulation.invariants.values == USERS - 1);
    simulation_end(&simulation);
}

/* As the one AOR of a gateway has them, and more than a datagram holds. */
static void users_take_hundreds_of_calls_at_a_time(void)
{
    g_autoptr(GString) text =
        g_string_new("call 1 1 2 refused 404 final=2 last=2 type=a%2Fb body=");
    Simulation simulation;

    for (int i = 0; i < 2000; i++) {
        g_string_append_c(text, 'x');
    }
    g_string_append_c(text, '\n');
    for (int i = 0; i < 300; i++) {
        g_string_append_printf(text, "call 30.1%02d %d 0 answered 200 final=5 talk=20 last=25\n",
                               i / 10, i % (USERS - 1) + 1);
    }
    g_auto(Recording) recording = recording_new("example.org", text->str);
    play(&simulation, &recording, (const char *[4]){NULL});
    all_ended_as_recorded(&simulation, 10 * S);
    simulation_end(&simulation);
}

/* As many as a peer may have, all behind one address; more are refused before the run. */
static void users_of_one_address_live_at_one_peer(void)
{
    static const char TEXT[] = "[scenario]\n[overlay]\n";

    for (int more = 0; more < 2; more++) {
        g_autoptr(GString) text = g_string_new(NULL);

        for (int i = USERS; i < 1000 + 8 + more; i++) { /* four of the others are there too */
            g_string_append_printf(text, "user sip:more%d@example.org address=192.0.2.1\n", i);
        }
        g_string_append(text, "call 1 4 1003 answered 200 final=2 talk=2 last=4\n"
                              "call 2 500 0 refused 486 final=2 last=2\n");
        g_auto(Recording) recording = recording_new("example.org", text->str);
        const char *const settings[] = {recording.setting, "workload.trace-users=source", NULL};
        Simulation simulation;

        if (more > 0) {
            g_autoptr(GError) error = NULL;

            CU_ASSERT_PTR_NULL(scenario_load_text("x", TEXT, strlen(TEXT), settings, &error));
            CU_ASSERT_PTR_NOT_NULL_FATAL(error);
            CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "trace-users"));
            continue;
        }
        play(&simulation, &recording, (const char *[4]){"workload.trace-users=source"});
        SIM_ASSERT(&simulation, simulation.scenario->workload.users_per_peer == 1000);
        all_ended_as_recorded(&simulation, 2 * S);
        SIM_ASSERT(&simulation, simulation.world->counts.registered == 1008);
        simulation_end(&simulation);
    }
}

/* The workload of a capture that people made, or false where it is not. */
static bool recording_of(const char *name, Recording *ret_recording)
{
    const char *root = g_getenv("PEAL_SOURCE_ROOT");
    g_autofree char *path =
        g_build_filename(root != NULL ? root : ".", "../shared/data/pcap", name, NULL);
    g_autoptr(History) history = history_new(&(HistoryConfig){.texts = true});
    const TraceSink sink = {.message = history_message,
                            .datagram = history_datagram,
                            .user = history};
    const ReplayOptions options = {.domain = PLAN_DOMAIN,
                                   .keep_headers = true,
                                   .keep_bodies = true,
                                   .speed = 1};
    TraceCounts counts;
    g_autoptr(GError) error = NULL;
    g_autoptr(Replay) replay = NULL;

    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        return false;
    }
    CU_ASSERT_TRUE_FATAL(
        trace_read(&(TraceConfig){.path = path, .from_ns = INT64_MIN, .until_ns = INT64_MAX}, &sink,
                   &counts, &error));
    replay = replay_from_history(name, history_finish(history), &options, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(replay);
    *ret_recording = recording_new("example.org", "");
    CU_ASSERT_TRUE_FATAL(replay_save(replay, ret_recording->path, &error));
    return true;
}

/* How many of a trace's calls came to this in the overlay. */
static unsigned ends_with(const Simulation *simulation, HistoryOutcome outcome, unsigned status)
{
    unsigned count = 0;

    for (uint32_t i = 0; i < replay_of(simulation)->calls->len; i++) {
        const ReplayEnd *end = end_of(simulation, i);

        count += end->begun && end->ended && end->outcome == outcome && end->status == status;
    }
    return count;
}

static void real_calls_end_among_a_hundred_peers_as_they_did(void)
{
    g_auto(Recording) one = {0};
    g_auto(Recording) four = {0};
    Simulation simulation;

    if (!recording_of("sip-two-users.pcap", &one) ||
        !recording_of("sip-calls-and-registers.pcap", &four)) {
        PEAL_SKIP("needs ../shared/data/pcap");
    }
    play(&simulation, &one, (const char *[4]){NULL});
    CU_ASSERT_EQUAL(simulation.scenario->peers, 100);
    CU_ASSERT_EQUAL(replay_of(&simulation)->calls->len, 1); /* on two legs */
    all_ended_as_recorded(&simulation, 2 * S);
    CU_ASSERT_EQUAL(ends_with(&simulation, HISTORY_ANSWERED, 200), 1);
    simulation_end(&simulation);

    play(&simulation, &four, (const char *[4]){"scenario.duration=30min"});
    CU_ASSERT_EQUAL(replay_of(&simulation)->calls->len, 4);
    all_ended_as_recorded(&simulation, 2 * S);
    CU_ASSERT_EQUAL(ends_with(&simulation, HISTORY_CANCELLED, 487), 1);
    CU_ASSERT_EQUAL(ends_with(&simulation, HISTORY_REFUSED, 403), 2);
    CU_ASSERT_EQUAL(ends_with(&simulation, HISTORY_REFUSED, 480), 1);
    simulation_end(&simulation);
}

PEAL_TEST_MAIN("sim/replay", PEAL_TEST(real_calls_end_among_a_hundred_peers_as_they_did),
               PEAL_TEST(every_call_ends_as_it_was_recorded),
               PEAL_TEST(users_may_share_peers_and_servers), PEAL_TEST(loss_delays_recorded_calls),
               PEAL_TEST(domains_become_the_overlays), PEAL_TEST(same_seed_plays_the_same),
               PEAL_TEST(calls_of_dead_callers_have_not_begun_and_dead_callees_do_not_answer),
               PEAL_TEST(churn_ends_calls_and_the_others_play),
               PEAL_TEST(users_take_hundreds_of_calls_at_a_time),
               PEAL_TEST(users_of_one_address_live_at_one_peer),
               PEAL_TEST(registrations_are_those_of_the_recording))
