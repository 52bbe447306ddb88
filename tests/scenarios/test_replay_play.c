/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_replay_play.c - what callees do in a replay, how long callers wait, and what it comes to. */
#include "replay/build.h"

#include <peal/phone.h>

#include "peal_test.h"

enum { ALICE, BOB, CAROL };

static Replay *cast(void)
{
    static const char *const names[] = {"alice", "bob", "carol"};
    Replay *replay = replay_new("x");

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        ReplayUser user = {.aor = g_strconcat("sip:", names[i], "@example.org", NULL),
                           .place = UINT32_MAX};

        g_array_append_val(replay->users, user);
    }
    return replay;
}

static ReplayCall *add_call(Replay *replay, uint32_t caller, uint32_t callee,
                            HistoryOutcome outcome, uint16_t status)
{
    ReplayCall call = {.at = peal_seconds(replay->calls->len),
                       .caller = caller,
                       .callee = callee,
                       .ringing = REPLAY_NEVER,
                       .final = status != 0 ? peal_seconds(3) : REPLAY_NEVER,
                       .cancel = REPLAY_NEVER,
                       .talk = REPLAY_NEVER,
                       .last = peal_seconds(20),
                       .status = status,
                       .outcome = (uint8_t)outcome};

    g_array_append_val(replay->calls, call);
    return &g_array_index(replay->calls, ReplayCall, replay->calls->len - 1);
}

static PealStr uri(const char *text)
{
    return (PealStr){text, strlen(text)};
}

static ReplayPart part_of_first(const Replay *replay)
{
    ReplayPlay *play = replay_play_new(replay);
    ReplayPart part = {.status = 0};

    replay_play_begin(play, 0, (PealTime){0});
    CU_ASSERT_TRUE(
        replay_play_incoming(play, BOB, uri("sip:alice@example.org"), uri("none"), &part));
    replay_play_free(play);
    return part;
}

static void play_callee_does_as_in_the_trace(void)
{
    static const struct {
        HistoryOutcome outcome;
        uint16_t status;
        bool callee_hangs_up;
        int64_t ring_s;
        uint16_t part;
        int64_t talk_s;
    } cases[] = {{HISTORY_ANSWERED, 200, false, 3, 200, -1},
                 {HISTORY_ANSWERED, 202, true, 3, 200, 7},
                 {HISTORY_REFUSED, 486, false, 3, 486, -1},
                 {HISTORY_CANCELLED, 487, false, -1, 200, -1},
                 {HISTORY_CANCELLED, 408, false, -1, 200, -1}, /* which came after the CANCEL */
                 {HISTORY_UNANSWERED, 408, false, 3, 408, -1},
                 {HISTORY_UNANSWERED, 0, false, -1, 200, -1}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Replay) replay = cast();
        ReplayCall *call = add_call(replay, ALICE, BOB, cases[i].outcome, cases[i].status);
        ReplayPart part;

        call->talk = cases[i].outcome == HISTORY_ANSWERED ? peal_seconds(7) : REPLAY_NEVER;
        call->callee_hangs_up = cases[i].callee_hangs_up;
        part = part_of_first(replay);
        CU_ASSERT_EQUAL(part.ring.ns, cases[i].ring_s < 0 ? -1 : peal_seconds(cases[i].ring_s).ns);
        CU_ASSERT_EQUAL(part.status, cases[i].part);
        CU_ASSERT_EQUAL(part.talk.ns, cases[i].talk_s < 0 ? -1 : peal_seconds(cases[i].talk_s).ns);
    }
}

static void play_caller_waits_as_in_the_trace(void)
{
    g_autoptr(Replay) replay = cast();

    (void)add_call(replay, ALICE, BOB, HISTORY_ANSWERED, 200);
    add_call(replay, ALICE, BOB, HISTORY_CANCELLED, 408)->cancel = peal_seconds(2);
    (void)add_call(replay, ALICE, BOB, HISTORY_CANCELLED, 487);
    (void)add_call(replay, ALICE, BOB, HISTORY_CANCELLED, 0);
    (void)add_call(replay, ALICE, BOB, HISTORY_UNANSWERED, 0);
    (void)add_call(replay, ALICE, BOB, HISTORY_UNANSWERED, 408);
    (void)add_call(replay, ALICE, BOB, HISTORY_REFUSED, 404);
    CU_ASSERT_EQUAL(replay_patience(replay, 0).ns, REPLAY_NEVER.ns);
    CU_ASSERT_EQUAL(replay_patience(replay, 1).ns, peal_seconds(2).ns);
    CU_ASSERT_EQUAL(replay_patience(replay, 2).ns, peal_seconds(3).ns);
    CU_ASSERT_EQUAL(replay_patience(replay, 3).ns, peal_seconds(20).ns);
    CU_ASSERT_EQUAL(replay_patience(replay, 4).ns, peal_seconds(20).ns);
    CU_ASSERT_EQUAL(replay_patience(replay, 5).ns, REPLAY_NEVER.ns);
    CU_ASSERT_EQUAL(replay_patience(replay, 6).ns, REPLAY_NEVER.ns);
}

static void play_finds_the_oldest_call_of_a_pair(void)
{
    g_autoptr(Replay) replay = cast();
    ReplayPlay *play;
    ReplayPart part = {.status = 0};

    (void)add_call(replay, ALICE, BOB, HISTORY_REFUSED, 486);
    (void)add_call(replay, CAROL, BOB, HISTORY_REFUSED, 480);
    (void)add_call(replay, ALICE, BOB, HISTORY_REFUSED, 603);
    (void)add_call(replay, ALICE, BOB, HISTORY_REFUSED, 404);
    play = replay_play_new(replay);
    CU_ASSERT_FALSE(
        replay_play_incoming(play, BOB, uri("sip:alice@example.org"), uri("none"), &part));
    for (uint32_t i = 0; i < 3; i++) {
        replay_play_begin(play, i, (PealTime){i});
    }
    CU_ASSERT_FALSE(
        replay_play_incoming(play, CAROL, uri("sip:alice@example.org"), uri("none"), &part));
    CU_ASSERT_FALSE(
        replay_play_incoming(play, 99, uri("sip:alice@example.org"), uri("none"), &part));
    CU_ASSERT_FALSE(
        replay_play_incoming(play, BOB, uri("sip:alice@example.or"), uri("none"), &part));
    CU_ASSERT_FALSE(replay_play_incoming(play, BOB, uri(""), uri("none"), &part));
    CU_ASSERT_TRUE(
        replay_play_incoming(play, BOB, uri("sip:carol@example.org"), uri("none"), &part));
    CU_ASSERT_EQUAL(part.status, 480);
    CU_ASSERT_TRUE(
        replay_play_incoming(play, BOB, uri("sip:alice@example.org;x=1"), uri("none"), &part));
    CU_ASSERT_EQUAL(part.status, 486);
    CU_ASSERT_TRUE(
        replay_play_incoming(play, BOB, uri("sip:alice@example.org"), uri("none"), &part));
    CU_ASSERT_EQUAL(part.status, 603);
    CU_ASSERT_FALSE(
        replay_play_incoming(play, BOB, uri("sip:alice@example.org"), uri("none"), &part));
    replay_play_begin(play, 3, (PealTime){9});
    CU_ASSERT_TRUE(
        replay_play_incoming(play, BOB, uri("sip:alice@example.org"), uri("none"), &part));
    CU_ASSERT_EQUAL(part.status, 404);
    replay_play_free(play);
}

static void play_a_call_that_has_ended_is_expected_no_more(void)
{
    const PealPhoneEvent ended = {.kind = PEAL_PHONE_ENDED, .status = 404};
    g_autoptr(Replay) replay = cast();
    ReplayPlay *play;
    ReplayPart part = {.status = 0};

    (void)add_call(replay, ALICE, BOB, HISTORY_REFUSED, 486);
    (void)add_call(replay, ALICE, BOB, HISTORY_REFUSED, 480);
    (void)add_call(replay, ALICE, BOB, HISTORY_REFUSED, 603);
    play = replay_play_new(replay);
    for (uint32_t i = 0; i < 3; i++) {
        replay_play_begin(play, i, (PealTime){i});
    }
    replay_play_event(play, 0, &ended);
    replay_play_lost(play, 1);
    CU_ASSERT_TRUE(
        replay_play_incoming(play, BOB, uri("sip:alice@example.org"), uri("none"), &part));
    CU_ASSERT_EQUAL(part.status, 603);
    replay_play_lost(play, 2); /* it is not: it came in */
    CU_ASSERT_FALSE(
        replay_play_incoming(play, BOB, uri("sip:alice@example.org"), uri("none"), &part));
    CU_ASSERT_TRUE(replay_play_end(play, 0)->ended);
    CU_ASSERT_FALSE(replay_play_end(play, 1)->ended);
    replay_play_free(play);
}

/* How a call ends that ended so in the trace, when its caller hears this status. */
static HistoryOutcome comes_to(HistoryOutcome outcome, uint16_t recorded, uint16_t heard)
{
    const PealPhoneEvent ended = {.kind = PEAL_PHONE_ENDED, .status = heard};
    g_autoptr(Replay) replay = cast();
    HistoryOutcome end;
    ReplayPlay *play;

    (void)add_call(replay, ALICE, BOB, outcome, recorded);
    play = replay_play_new(replay);
    replay_play_begin(play, 0, (PealTime){5});
    replay_play_event(play, 0, &ended);
    CU_ASSERT_EQUAL(replay_play_end(play, 0)->status, heard);
    CU_ASSERT_TRUE(replay_play_end(play, 0)->ended);
    end = (HistoryOutcome)replay_play_end(play, 0)->outcome;
    replay_play_free(play);
    return end;
}

static void play_says_what_a_call_truly_came_to(void)
{
    CU_ASSERT_EQUAL(comes_to(HISTORY_CANCELLED, 487, 487), HISTORY_CANCELLED);
    CU_ASSERT_EQUAL(comes_to(HISTORY_CANCELLED, 408, 487), HISTORY_CANCELLED);
    CU_ASSERT_EQUAL(comes_to(HISTORY_UNANSWERED, 0, 487), HISTORY_UNANSWERED);
    CU_ASSERT_EQUAL(comes_to(HISTORY_UNANSWERED, 0, 408), HISTORY_UNANSWERED);
    CU_ASSERT_EQUAL(comes_to(HISTORY_ANSWERED, 200, 408), HISTORY_UNANSWERED);
    CU_ASSERT_EQUAL(comes_to(HISTORY_ANSWERED, 200, 404), HISTORY_REFUSED);
    CU_ASSERT_EQUAL(comes_to(HISTORY_CANCELLED, 487, 503), HISTORY_REFUSED);
    CU_ASSERT_EQUAL(comes_to(HISTORY_REFUSED, 486, 486), HISTORY_REFUSED);
}

static void play_measures_setup_and_answer(void)
{
    g_autoptr(Replay) replay = cast();
    ReplayPlay *play;
    const ReplayEnd *end;

    (void)add_call(replay, ALICE, BOB, HISTORY_ANSWERED, 200);
    (void)add_call(replay, ALICE, BOB, HISTORY_ANSWERED, 200);
    play = replay_play_new(replay);
    end = replay_play_end(play, 0);
    CU_ASSERT_FALSE(end->begun);
    replay_play_begin(play, 0, (PealTime){77});
    CU_ASSERT_TRUE(end->begun);
    CU_ASSERT_EQUAL(end->started.ns, 77);
    CU_ASSERT_EQUAL(end->outcome, HISTORY_UNANSWERED);
    CU_ASSERT_EQUAL(end->setup.ns, -1);
    replay_play_event(play, 0, &(PealPhoneEvent){.kind = PEAL_PHONE_RINGING, .to_ringing = {40}});
    CU_ASSERT_EQUAL(end->setup.ns, 40);
    replay_play_event(play, 0,
                      &(PealPhoneEvent){.kind = PEAL_PHONE_ANSWERED,
                                        .status = 200,
                                        .to_ringing = {40},
                                        .to_answer = {900}});
    CU_ASSERT_EQUAL(end->outcome, HISTORY_ANSWERED);
    CU_ASSERT_EQUAL(end->answer.ns, 900);
    CU_ASSERT_FALSE(end->ended);
    replay_play_event(play, 0,
                      &(PealPhoneEvent){.kind = PEAL_PHONE_ENDED, .status = 481, .answered = true});
    CU_ASSERT_TRUE(end->ended);
    CU_ASSERT_EQUAL(end->status, 200);
    CU_ASSERT_EQUAL(end->outcome, HISTORY_ANSWERED);
    replay_play_begin(play, 1, (PealTime){78});
    replay_play_event(play, 1,
                      &(PealPhoneEvent){.kind = PEAL_PHONE_ANSWERED,
                                        .status = 200,
                                        .to_ringing = {-1},
                                        .to_answer = {900}});
    CU_ASSERT_EQUAL(replay_play_end(play, 1)->setup.ns, 900);
    replay_play_free(play);
}

/* Of two calls between the same two, the second one's INVITE comes first. */
static void play_tells_calls_of_a_pair_apart_by_call_id(void)
{
    g_autoptr(Replay) replay = cast();
    ReplayPlay *play;
    ReplayPart part = {.status = 0};

    (void)add_call(replay, ALICE, BOB, HISTORY_REFUSED, 480);
    (void)add_call(replay, ALICE, BOB, HISTORY_REFUSED, 486);
    play = replay_play_new(replay);
    replay_play_begin(play, 0, (PealTime){0});
    replay_play_named(play, 0, uri("first@a"));
    replay_play_begin(play, 1, (PealTime){1});
    replay_play_named(play, 1, uri("second@a"));
    CU_ASSERT_TRUE(
        replay_play_incoming(play, BOB, uri("sip:alice@example.org"), uri("second@a"), &part));
    CU_ASSERT_EQUAL(part.status, 486);
    /* a back-to-back user agent gave this one another */
    CU_ASSERT_TRUE(
        replay_play_incoming(play, BOB, uri("sip:alice@example.org"), uri("other@b"), &part));
    CU_ASSERT_EQUAL(part.status, 480);
    replay_play_free(play);
}

PEAL_TEST_MAIN("scenarios/replay_play", PEAL_TEST(play_tells_calls_of_a_pair_apart_by_call_id),
               PEAL_TEST(play_callee_does_as_in_the_trace),
               PEAL_TEST(play_caller_waits_as_in_the_trace),
               PEAL_TEST(play_finds_the_oldest_call_of_a_pair),
               PEAL_TEST(play_a_call_that_has_ended_is_expected_no_more),
               PEAL_TEST(play_says_what_a_call_truly_came_to),
               PEAL_TEST(play_measures_setup_and_answer))
