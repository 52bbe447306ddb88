/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_workload.c - a workload file is refused with a reason, or is written as it was read, and
 * plays: its plan is gone through, its users have names that phones and registrars take.
 */
#include <peal/phone.h>
#include <peal_openssl/crypto.h>
#include <scenarios/plan.h>
#include <scenarios/replay.h>
#include <scenarios/scenario.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.h"

enum { PEERS = 3, HEADER_MAX = 300, PATH_LEN = 40 };

static int file_of(const void *data, size_t size, char path[PATH_LEN])
{
    int fd = memfd_create("fuzz", 0);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, data, size), ==, (ssize_t)size);
    g_snprintf(path, PATH_LEN, "/proc/self/fd/%d", fd);
    return fd;
}

/* What was read is written and read again, and is the same then. */
static void fuzz_again(const Replay *replay)
{
    g_autofree char *directory = g_dir_make_tmp("peal-fuzz-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(directory, "x.calls", NULL);
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;
    g_autoptr(Replay) again = NULL;

    g_assert_true(replay_save(replay, path, NULL));
    g_assert_true(g_file_get_contents(path, &first, NULL, NULL));
    again = replay_load(path, NULL);
    g_assert_nonnull(again);
    g_assert_true(replay_save(again, path, NULL));
    g_assert_true(g_file_get_contents(path, &second, NULL, NULL));
    g_assert_cmpstr(first, ==, second);
    g_assert_cmpint(unlink(path), ==, 0);
    g_assert_cmpint(rmdir(directory), ==, 0);
}

/* Every call comes in at its callee once, and ends. */
static void fuzz_play(const Replay *replay)
{
    const PealPhoneEvent ended = {.kind = PEAL_PHONE_ENDED, .status = 487};
    ReplayPlay *play = replay_play_new(replay);

    for (uint32_t i = 0; i < replay->calls->len; i++) {
        const char *caller = replay_user(replay, replay_call(replay, i)->caller)->aor;
        ReplayPart part;

        replay_play_begin(play, i, (PealTime){i});
        g_assert_true(replay_play_incoming(play, replay_call(replay, i)->callee,
                                           (PealStr){caller, strlen(caller)}, (PealStr){"none", 4},
                                           &part));
        g_assert_true(part.status == 200 || (part.status >= 300 && part.status <= 699));
        g_assert_cmpint(replay_patience(replay, i).ns, >=, REPLAY_NEVER.ns);
        replay_play_event(play, i, &ended);
        g_assert_true(replay_play_end(play, i)->ended);
    }
    replay_play_free(play);
}

static void fuzz_plan(const char *path, const char *placing)
{
    char text[HEADER_MAX];
    g_autoptr(GError) error = NULL;
    g_autoptr(Scenario) scenario = NULL;

    g_snprintf(text, sizeof(text),
               "[scenario]\nduration = 10min\nwarmup = 0s\n[overlay]\npeers = %d\n[workload]\n"
               "trace = %s\ntrace-users = %s\n",
               PEERS, path, placing);
    scenario = scenario_load_text("fuzz.conf", text, strlen(text), NULL, &error);
    g_assert_true((scenario == NULL) == (error != NULL));
    if (scenario != NULL) {
        g_autoptr(Plan) plan = plan_new(scenario, 1);
        PlanAction action;
        PealTime before = {0};

        while (plan_next(plan, PEAL_TIME_NEVER, &action)) {
            char own[PLAN_AOR_MAX];
            PealId key;

            g_assert_cmpuint(action.peer, <, PEERS);
            g_assert_cmpint(action.at.ns, >=, before.ns);
            before = action.at;
            if (action.kind != PLAN_LOOKUP) {
                g_assert_cmpint(
                    peal_aor_resource(peal_openssl_crypto(),
                                      scenario_aor(scenario, action.peer, action.user, own), &key),
                    ==, 0);
            }
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[PATH_LEN];
    int fd = file_of(data, size, path);
    g_autoptr(GError) error = NULL;
    g_autoptr(Replay) replay = replay_load(path, &error);

    g_assert_true((replay == NULL) == (error != NULL));
    if (replay != NULL) {
        fuzz_again(replay);
        fuzz_play(replay);
        fuzz_plan(path, "round-robin");
        fuzz_plan(path, "source");
        fuzz_plan(path, "map");
    }
    close(fd);
    return 0;
}
