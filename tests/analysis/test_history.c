/*
 * test_history.c - who belongs together, and how it ended: flows of RFC 3665 and RFC 5359.
 */
#include <analysis/sip_story.h>
#include <peal_test.h>

static const HistoryConfig PLAIN = {.texts = false};

#define SDP(host, port, formats, more)                                      \
    "v=0\r\no=- 1 1 IN IP4 10.0.0." host "\r\ns=-\r\nc=IN IP4 10.0.0." host \
    "\r\nt=0 0\r\nm=audio " port " RTP/AVP " formats "\r\n" more

static const HistoryCall *the_call(const HistoryData *data, guint i)
{
    CU_ASSERT_FATAL(i < data->calls->len);
    return &g_array_index(data->calls, HistoryCall, i);
}

static const HistoryRegistration *the_registration(const HistoryData *data, guint i)
{
    CU_ASSERT_FATAL(i < data->registrations->len);
    return &g_array_index(data->registrations, HistoryRegistration, i);
}

static const char *aor_of(const HistoryData *data, uint32_t user)
{
    return user < data->users->len ? g_array_index(data->users, HistoryUser, user).aor : "nobody";
}

/* RFC 3665 s.3.1, between two phones. */
static void tell_call(History *history, const char *call, int64_t ms)
{
    STORY_SAY(history, ms, 1, 2, "INVITE", .call = call);
    STORY_SAY(history, ms + 10, 2, 1, "100 Trying", .call = call);
    STORY_SAY(history, ms + 100, 2, 1, "180 Ringing", .call = call, .to_tag = "b");
    STORY_SAY(history, ms + 2000, 2, 1, "200 OK", .call = call, .to_tag = "b");
    STORY_SAY(history, ms + 2010, 1, 2, "ACK", .call = call, .to_tag = "b", .branch = "2");
    STORY_SAY(history, ms + 9000, 2, 1, "BYE", .call = call, .from_tag = "b", .to_tag = "a",
              .cseq = 7, .branch = "3", .caller = "<sip:bob@example.org>",
              .callee = "<sip:alice@example.org>");
    STORY_SAY(history, ms + 9010, 1, 2, "200 OK", .method = "BYE", .call = call, .from_tag = "b",
              .to_tag = "a", .cseq = 7, .branch = "3", .caller = "<sip:bob@example.org>",
              .callee = "<sip:alice@example.org>");
}

static void call_between_two_phones(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;
    const HistoryCall *call;

    tell_call(history, "one", 0);
    data = history_finish(history);
    CU_ASSERT_EQUAL_FATAL(data->calls->len, 1);
    call = the_call(data, 0);
    CU_ASSERT_STRING_EQUAL(aor_of(data, call->caller), "sip:alice@example.org");
    CU_ASSERT_STRING_EQUAL(aor_of(data, call->callee), "sip:bob@example.org");
    CU_ASSERT_EQUAL(data->users->len, 2);
    CU_ASSERT_EQUAL(call->outcome, HISTORY_ANSWERED);
    CU_ASSERT_EQUAL(call->status, 200);
    CU_ASSERT_EQUAL(call->at_ns, story_ns(0));
    CU_ASSERT_EQUAL(call->ringing_ns, story_ns(100));
    CU_ASSERT_EQUAL(call->final_ns, story_ns(2000));
    CU_ASSERT_EQUAL(call->cancel_ns, HISTORY_NEVER);
    CU_ASSERT_EQUAL(call->end_ns, story_ns(9000));
    CU_ASSERT_EQUAL(call->last_ns, story_ns(9010));
    CU_ASSERT_TRUE(call->callee_hung_up);
    CU_ASSERT_EQUAL(call->legs, 1);
    CU_ASSERT_EQUAL(call->forks, 1);
    CU_ASSERT_EQUAL(data->responses[200], 2);
    CU_ASSERT_EQUAL(data->responses[180], 1);
    CU_ASSERT_EQUAL(data->methods->len, 3);
    CU_ASSERT_STRING_EQUAL(g_array_index(data->methods, HistoryCount, 0).name, "ACK");
    CU_ASSERT_EQUAL(data->retransmissions, 0);
    CU_ASSERT_EQUAL(data->lost, 0);
}

static void retransmissions_are_messages_and_no_calls(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;

    for (int i = 0; i < 3; i++) {
        STORY_SAY(history, 500 * i, 1, 2, "INVITE");
    }
    STORY_SAY(history, 2000, 2, 1, "486 Busy Here", .to_tag = "b");
    STORY_SAY(history, 2500, 2, 1, "486 Busy Here", .to_tag = "b");
    STORY_SAY(history, 2510, 1, 2, "ACK", .to_tag = "b");
    data = history_finish(history);
    CU_ASSERT_EQUAL(data->retransmissions, 3);
    CU_ASSERT_EQUAL(data->calls->len, 1);
    CU_ASSERT_EQUAL(data->responses[486], 2);
    CU_ASSERT_EQUAL(g_array_index(data->methods, HistoryCount, 1).count, 3);
    CU_ASSERT_EQUAL(the_call(data, 0)->outcome, HISTORY_REFUSED);
    CU_ASSERT_EQUAL(the_call(data, 0)->status, 486);
    CU_ASSERT_EQUAL(the_call(data, 0)->final_ns, story_ns(2000));
    CU_ASSERT_EQUAL(the_call(data, 0)->forks, 0);
}

/* Requests of RFC 2543 have no cookie, and all the same branch or none. */
static void retransmissions_without_cookie(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;

    STORY_SAY(history, 0, 1, 2, "INVITE", .branch = "=1", .from_tag = "");
    STORY_SAY(history, 500, 1, 2, "INVITE", .branch = "=1", .from_tag = "");
    STORY_SAY(history, 600, 1, 2, "INVITE", .branch = "=1", .from_tag = "", .call = "another");
    STORY_SAY(history, 900, 2, 1, "603 Decline", .branch = "=1", .from_tag = "", .to_tag = "b");
    data = history_finish(history);
    CU_ASSERT_EQUAL(data->retransmissions, 1);
    CU_ASSERT_EQUAL(data->calls->len, 2);
    CU_ASSERT_EQUAL(the_call(data, 0)->status, 603);
    CU_ASSERT_EQUAL(the_call(data, 1)->outcome, HISTORY_UNANSWERED);
}

/* RFC 3665 s.3.2: through a proxy that asks for credentials and then forwards. */
static void challenged_call_through_a_proxy_is_one(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;
    const HistoryCall *call;

    STORY_SAY(history, 0, 1, 9, "INVITE");
    STORY_SAY(history, 10, 9, 1, "407 Proxy Authentication Required", .to_tag = "p");
    STORY_SAY(history, 20, 1, 9, "ACK", .to_tag = "p");
    STORY_SAY(history, 51000, 1, 9, "INVITE", .cseq = 2, .branch = "2",
              .more = "Proxy-Authorization: Digest username=\"alice\"\r\n");
    STORY_SAY(history, 51010, 9, 1, "100 Trying", .cseq = 2, .branch = "2");
    STORY_SAY(history, 51020, 9, 2, "INVITE", .cseq = 2, .branch = "p1");
    STORY_SAY(history, 51050, 2, 9, "180 Ringing", .cseq = 2, .branch = "p1", .to_tag = "b");
    STORY_SAY(history, 51060, 9, 1, "180 Ringing", .cseq = 2, .branch = "2", .to_tag = "b");
    STORY_SAY(history, 54000, 2, 9, "200 OK", .cseq = 2, .branch = "p1", .to_tag = "b");
    STORY_SAY(history, 54010, 9, 1, "200 OK", .cseq = 2, .branch = "2", .to_tag = "b");
    STORY_SAY(history, 54020, 1, 9, "ACK", .cseq = 2, .branch = "3", .to_tag = "b");
    STORY_SAY(history, 54030, 9, 2, "ACK", .cseq = 2, .branch = "p2", .to_tag = "b");
    /* a re-INVITE, and the BYE */
    STORY_SAY(history, 60000, 1, 9, "INVITE", .cseq = 3, .branch = "4", .to_tag = "b");
    STORY_SAY(history, 60010, 9, 1, "488 Not Acceptable Here", .cseq = 3, .branch = "4",
              .to_tag = "b");
    STORY_SAY(history, 70000, 1, 9, "BYE", .cseq = 4, .branch = "5", .to_tag = "b");
    STORY_SAY(history, 70010, 9, 2, "BYE", .cseq = 4, .branch = "p3", .to_tag = "b");
    data = history_finish(history);
    CU_ASSERT_EQUAL_FATAL(data->calls->len, 1);
    CU_ASSERT_EQUAL(data->challenged, 1);
    CU_ASSERT_EQUAL(data->lost, 0);
    call = the_call(data, 0);
    CU_ASSERT_EQUAL(call->outcome, HISTORY_ANSWERED);
    CU_ASSERT_EQUAL(call->at_ns, story_ns(0));
    CU_ASSERT_EQUAL(call->ringing_ns, story_ns(51060));
    CU_ASSERT_EQUAL(call->final_ns, story_ns(54010));
    CU_ASSERT_EQUAL(call->end_ns, story_ns(70000));
    CU_ASSERT_FALSE(call->callee_hung_up);
    CU_ASSERT_EQUAL(call->legs, 2);
    CU_ASSERT_EQUAL(call->forks, 1);
}

static void challenge_without_another_try_is_a_refusal(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;

    STORY_SAY(history, 0, 1, 9, "INVITE");
    STORY_SAY(history, 10, 9, 1, "407 Proxy Authentication Required", .to_tag = "p");
    data = history_finish(history);
    CU_ASSERT_EQUAL(data->challenged, 0);
    CU_ASSERT_EQUAL(the_call(data, 0)->outcome, HISTORY_REFUSED);
    CU_ASSERT_EQUAL(the_call(data, 0)->status, 407);
}

/* RFC 3665 s.3.8: 487 follows the CANCEL. */
static void cancelled_call(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;

    STORY_SAY(history, 0, 1, 2, "INVITE");
    STORY_SAY(history, 100, 2, 1, "180 Ringing", .to_tag = "b");
    STORY_SAY(history, 5000, 1, 2, "CANCEL");
    STORY_SAY(history, 5010, 2, 1, "200 OK", .method = "CANCEL", .to_tag = "b");
    STORY_SAY(history, 5020, 2, 1, "487 Request Terminated", .to_tag = "b");
    STORY_SAY(history, 5030, 1, 2, "ACK", .to_tag = "b");
    data = history_finish(history);
    CU_ASSERT_EQUAL(the_call(data, 0)->outcome, HISTORY_CANCELLED);
    CU_ASSERT_EQUAL(the_call(data, 0)->status, 487);
    CU_ASSERT_EQUAL(the_call(data, 0)->cancel_ns, story_ns(5000));
    CU_ASSERT_EQUAL(the_call(data, 0)->final_ns, story_ns(5020));
}

static void late_408_after_a_cancel_is_cancelled_without_one_unanswered(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;

    STORY_SAY(history, 0, 1, 2, "INVITE");
    STORY_SAY(history, 34000, 1, 2, "CANCEL");
    STORY_SAY(history, 36000, 2, 1, "408 Request Timeout", .to_tag = "b");
    STORY_SAY(history, 100000, 1, 2, "INVITE", .call = "two");
    STORY_SAY(history, 140000, 2, 1, "408 Request Timeout", .call = "two", .to_tag = "b");
    STORY_SAY(history, 200000, 1, 2, "INVITE", .call = "three");
    STORY_SAY(history, 240000, 2, 1, "487 Request Terminated", .call = "three", .to_tag = "b");
    STORY_SAY(history, 250000, 1, 2, "INVITE", .call = "four");
    STORY_SAY(history, 251000, 1, 2, "CANCEL", .call = "four");
    data = history_finish(history);
    CU_ASSERT_EQUAL(the_call(data, 0)->outcome, HISTORY_CANCELLED);
    CU_ASSERT_EQUAL(the_call(data, 0)->status, 408);
    CU_ASSERT_EQUAL(the_call(data, 1)->outcome, HISTORY_UNANSWERED);
    CU_ASSERT_EQUAL(the_call(data, 2)->outcome, HISTORY_CANCELLED);
    CU_ASSERT_EQUAL(the_call(data, 3)->outcome, HISTORY_CANCELLED);
    CU_ASSERT_EQUAL(the_call(data, 3)->status, 0);
}

static void answer_that_crosses_the_cancel_wins(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;

    STORY_SAY(history, 0, 1, 2, "INVITE");
    STORY_SAY(history, 5000, 1, 2, "CANCEL");
    STORY_SAY(history, 5005, 2, 1, "200 OK", .to_tag = "b");
    STORY_SAY(history, 5010, 2, 1, "200 OK", .method = "CANCEL", .to_tag = "b");
    /* refused before the CANCEL came */
    STORY_SAY(history, 10000, 1, 2, "INVITE", .call = "two");
    STORY_SAY(history, 11000, 2, 1, "486 Busy Here", .call = "two", .to_tag = "b");
    STORY_SAY(history, 11001, 1, 2, "CANCEL", .call = "two");
    data = history_finish(history);
    CU_ASSERT_EQUAL(the_call(data, 0)->outcome, HISTORY_ANSWERED);
    CU_ASSERT_EQUAL(the_call(data, 0)->cancel_ns, story_ns(5000));
    CU_ASSERT_EQUAL(the_call(data, 1)->outcome, HISTORY_REFUSED);
}

/* RFC 3665 s.3.6: a redirect server. */
static void redirected_call_is_one(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;

    STORY_SAY(history, 0, 1, 9, "INVITE");
    STORY_SAY(history, 10, 9, 1, "302 Moved Temporarily", .to_tag = "r");
    STORY_SAY(history, 20, 1, 9, "ACK", .to_tag = "r");
    STORY_SAY(history, 100, 1, 2, "INVITE", .cseq = 2, .branch = "2");
    STORY_SAY(history, 200, 2, 1, "200 OK", .cseq = 2, .branch = "2", .to_tag = "b");
    data = history_finish(history);
    CU_ASSERT_EQUAL_FATAL(data->calls->len, 1);
    CU_ASSERT_EQUAL(the_call(data, 0)->outcome, HISTORY_ANSWERED);
    CU_ASSERT_EQUAL(the_call(data, 0)->legs, 2);
    CU_ASSERT_EQUAL(data->challenged, 0);
}

/* RFC 5359 s.2.8, no answer, and parallel ringing: a proxy cancels the forks that lost. */
static void forks_belong_together_and_their_cancels_are_not_the_callers(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;
    const HistoryCall *call;

    STORY_SAY(history, 0, 1, 9, "INVITE");
    STORY_SAY(history, 10, 9, 2, "INVITE", .branch = "f1");
    STORY_SAY(history, 11, 9, 3, "INVITE", .branch = "f2");
    STORY_SAY(history, 20, 9, 4, "INVITE", .branch = "f3");
    STORY_SAY(history, 30, 4, 9, "486 Busy Here", .branch = "f3", .to_tag = "d");
    STORY_SAY(history, 100, 2, 9, "180 Ringing", .branch = "f1", .to_tag = "b");
    STORY_SAY(history, 101, 9, 1, "180 Ringing", .to_tag = "b");
    STORY_SAY(history, 110, 3, 9, "180 Ringing", .branch = "f2", .to_tag = "c");
    STORY_SAY(history, 111, 9, 1, "180 Ringing", .to_tag = "c");
    STORY_SAY(history, 900, 9, 2, "CANCEL", .branch = "f1");
    STORY_SAY(history, 910, 2, 9, "487 Request Terminated", .branch = "f1", .to_tag = "b");
    STORY_SAY(history, 3000, 3, 9, "200 OK", .branch = "f2", .to_tag = "c");
    STORY_SAY(history, 3001, 9, 1, "200 OK", .to_tag = "c");
    data = history_finish(history);
    CU_ASSERT_EQUAL_FATAL(data->calls->len, 1);
    call = the_call(data, 0);
    CU_ASSERT_EQUAL(call->outcome, HISTORY_ANSWERED);
    CU_ASSERT_EQUAL(call->cancel_ns, HISTORY_NEVER);
    CU_ASSERT_EQUAL(call->legs, 4);
    CU_ASSERT_EQUAL(call->forks, 2);
    CU_ASSERT_EQUAL(call->ringing_ns, story_ns(101));
    CU_ASSERT_EQUAL(data->retransmissions, 0);
}

/* The capture stands behind the proxy, so that its forks are all that there is. */
static void forks_seen_behind_the_proxy_only(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;

    STORY_SAY(history, 0, 9, 2, "INVITE", .branch = "f1");
    STORY_SAY(history, 1, 9, 3, "INVITE", .branch = "f2");
    STORY_SAY(history, 30, 2, 9, "486 Busy Here", .branch = "f1", .to_tag = "b");
    STORY_SAY(history, 100000, 3, 9, "200 OK", .branch = "f2", .to_tag = "c");
    data = history_finish(history);
    CU_ASSERT_EQUAL_FATAL(data->calls->len, 1);
    CU_ASSERT_EQUAL(the_call(data, 0)->outcome, HISTORY_ANSWERED);
    CU_ASSERT_EQUAL(the_call(data, 0)->final_ns, story_ns(100000));
    CU_ASSERT_EQUAL(data->lost, 0);
}

/* RFC 5359 s.2.8: forwarded on busy, by a proxy that tries one after the other. */
static void call_forwarded_on_busy_is_one(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;

    STORY_SAY(history, 0, 1, 9, "INVITE");
    STORY_SAY(history, 10, 9, 2, "INVITE", .branch = "f1");
    STORY_SAY(history, 20, 2, 9, "486 Busy Here", .branch = "f1", .to_tag = "b");
    STORY_SAY(history, 30, 9, 2, "ACK", .branch = "f1", .to_tag = "b");
    STORY_SAY(history, 31, 9, 1, "181 Call Is Being Forwarded");
    STORY_SAY(history, 40, 9, 3, "INVITE", .branch = "f2");
    STORY_SAY(history, 60, 3, 9, "180 Ringing", .branch = "f2", .to_tag = "c");
    STORY_SAY(history, 70, 9, 1, "180 Ringing", .to_tag = "c");
    STORY_SAY(history, 80, 3, 9, "200 OK", .branch = "f2", .to_tag = "c");
    STORY_SAY(history, 90, 9, 1, "200 OK", .to_tag = "c");
    data = history_finish(history);
    CU_ASSERT_EQUAL_FATAL(data->calls->len, 1);
    CU_ASSERT_EQUAL(the_call(data, 0)->outcome, HISTORY_ANSWERED);
    CU_ASSERT_EQUAL(the_call(data, 0)->ringing_ns, story_ns(31));
    CU_ASSERT_EQUAL(the_call(data, 0)->legs, 3);
    CU_ASSERT_EQUAL(the_call(data, 0)->forks, 1);
}

/* RFC 5359 s.2.4: REFER brings a call of its own; holding brings none. */
static void transferred_call_is_another_and_held_call_is_not(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;

    STORY_SAY(history, 0, 1, 2, "INVITE");
    STORY_SAY(history, 10, 2, 1, "200 OK", .to_tag = "b");
    STORY_SAY(history, 1000, 2, 1, "INVITE", .from_tag = "b", .to_tag = "a", .branch = "h");
    STORY_SAY(history, 1010, 1, 2, "200 OK", .from_tag = "b", .to_tag = "a", .branch = "h");
    STORY_SAY(history, 2000, 2, 1, "REFER", .from_tag = "b", .to_tag = "a", .branch = "r",
              .cseq = 2);
    STORY_SAY(history, 2010, 1, 2, "202 Accepted", .method = "REFER", .from_tag = "b",
              .to_tag = "a", .branch = "r", .cseq = 2);
    STORY_SAY(history, 2020, 1, 3, "INVITE", .call = "call-2", .callee = "sip:carol@example.org");
    STORY_SAY(history, 2030, 3, 1, "200 OK", .call = "call-2", .to_tag = "c",
              .callee = "sip:carol@example.org");
    STORY_SAY(history, 3000, 1, 2, "BYE", .cseq = 2, .branch = "2", .to_tag = "b");
    data = history_finish(history);
    CU_ASSERT_EQUAL_FATAL(data->calls->len, 2);
    CU_ASSERT_EQUAL(the_call(data, 0)->legs, 1);
    CU_ASSERT_EQUAL(the_call(data, 0)->final_ns, story_ns(10));
    CU_ASSERT_EQUAL(the_call(data, 0)->end_ns, story_ns(3000));
    CU_ASSERT_EQUAL(the_call(data, 1)->outcome, HISTORY_ANSWERED);
    CU_ASSERT_EQUAL(data->lost, 0);
    CU_ASSERT_EQUAL(data->users->len, 3);
}

/* A proxy or a second server answers a challenge itself, the caller waits all the time. */
static void proxy_that_answers_a_challenge_is_not_the_caller(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;

    STORY_SAY(history, 0, 1, 9, "INVITE");
    STORY_SAY(history, 10, 9, 2, "INVITE", .branch = "f1");
    STORY_SAY(history, 20, 2, 9, "407 Proxy Authentication Required", .branch = "f1",
              .to_tag = "b");
    STORY_SAY(history, 30, 9, 2, "INVITE", .branch = "f2", .cseq = 2);
    STORY_SAY(history, 80, 2, 9, "200 OK", .branch = "f2", .cseq = 2, .to_tag = "c");
    STORY_SAY(history, 90, 9, 1, "200 OK", .to_tag = "c");
    data = history_finish(history);
    CU_ASSERT_EQUAL_FATAL(data->calls->len, 1);
    CU_ASSERT_EQUAL(the_call(data, 0)->outcome, HISTORY_ANSWERED);
    CU_ASSERT_EQUAL(the_call(data, 0)->final_ns, story_ns(90));
    CU_ASSERT_EQUAL(data->challenged, 0);
}

static void answer_seen_on_another_leg_only_counts(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;

    STORY_SAY(history, 0, 1, 9, "INVITE");
    STORY_SAY(history, 10, 9, 2, "INVITE", .branch = "p1");
    STORY_SAY(history, 900, 2, 9, "200 OK", .branch = "p1", .to_tag = "b");
    data = history_finish(history);
    CU_ASSERT_EQUAL(the_call(data, 0)->outcome, HISTORY_ANSWERED);
    CU_ASSERT_EQUAL(the_call(data, 0)->final_ns, story_ns(900));
}

/* As a capture has it that sees one way only: the ACK of a 2xx is known by its branch. */
static void answer_that_the_capture_lost_is_known_by_its_ack(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;

    STORY_SAY(history, 0, 1, 2, "INVITE", .call = "answered");
    STORY_SAY(history, 3000, 1, 2, "ACK", .call = "answered", .to_tag = "b", .branch = "2");
    STORY_SAY(history, 9000, 1, 2, "BYE", .call = "answered", .to_tag = "b", .cseq = 2,
              .branch = "3");
    STORY_SAY(history, 20000, 1, 2, "INVITE", .call = "refused");
    STORY_SAY(history, 21000, 1, 2, "ACK", .call = "refused", .to_tag = "b");
    STORY_SAY(history, 30000, 1, 2, "INVITE", .call = "busy");
    STORY_SAY(history, 31000, 2, 1, "486 Busy Here", .call = "busy", .to_tag = "b");
    STORY_SAY(history, 31010, 1, 2, "ACK", .call = "busy", .to_tag = "b", .branch = "2");
    data = history_finish(history);
    CU_ASSERT_EQUAL_FATAL(data->calls->len, 3);
    CU_ASSERT_EQUAL(the_call(data, 0)->outcome, HISTORY_ANSWERED);
    CU_ASSERT_EQUAL(the_call(data, 0)->status, 200);
    CU_ASSERT_EQUAL(the_call(data, 0)->final_ns, story_ns(3000));
    CU_ASSERT_EQUAL(the_call(data, 0)->end_ns, story_ns(9000));
    CU_ASSERT_EQUAL(the_call(data, 1)->outcome, HISTORY_UNANSWERED);
    CU_ASSERT_EQUAL(the_call(data, 2)->outcome, HISTORY_REFUSED);
}

static void call_id_used_again_after_a_refusal_is_another_call(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;

    STORY_SAY(history, 0, 1, 2, "INVITE");
    STORY_SAY(history, 10, 2, 1, "486 Busy Here", .to_tag = "b");
    STORY_SAY(history, 9000, 1, 2, "INVITE", .cseq = 2, .branch = "2");
    STORY_SAY(history, 9010, 2, 1, "200 OK", .cseq = 2, .branch = "2", .to_tag = "c");
    data = history_finish(history);
    CU_ASSERT_EQUAL_FATAL(data->calls->len, 2);
    CU_ASSERT_EQUAL(the_call(data, 0)->status, 486);
    CU_ASSERT_EQUAL(the_call(data, 1)->outcome, HISTORY_ANSWERED);
}

static void legs_of_a_b2bua_are_linked_by_what_they_say(void)
{
    static const char SESSION[] =
        "Session-ID: ab30317f1a784dc48ff824d0d3715d86;remote=00000000000000000000000000000000\r\n";
    static const char NIL[] =
        "Session-ID: 00000000000000000000000000000000;remote=00000000000000000000000000000000\r\n";
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;

    STORY_SAY(history, 0, 1, 9, "INVITE", .call = "a1", .more = SESSION);
    STORY_SAY(history, 5, 9, 2, "INVITE", .call = "a2", .more = SESSION, .from_tag = "z",
              .branch = "b");
    STORY_SAY(history, 900, 2, 9, "200 OK", .call = "a2", .from_tag = "z", .branch = "b",
              .to_tag = "y");
    STORY_SAY(history, 905, 9, 1, "200 OK", .call = "a1", .to_tag = "x");
    STORY_SAY(history, 4000, 2, 9, "BYE", .call = "a2", .from_tag = "y", .to_tag = "z");
    STORY_SAY(history, 10000, 1, 9, "INVITE", .call = "b1");
    STORY_SAY(history, 10005, 9, 2, "INVITE", .call = "b2", .more = "X-Call-ID: b1\r\n",
              .from_tag = "z", .branch = "b");
    STORY_SAY(history, 20000, 1, 9, "INVITE", .call = "c1",
              .more = "P-Charging-Vector: icid-value=77;icid-generated-at=10.0.0.9\r\n");
    STORY_SAY(history, 20005, 9, 2, "INVITE", .call = "c2", .from_tag = "z",
              .more = "P-Charging-Vector: icid-generated-at=10.0.0.9;icid-value=77\r\n");
    STORY_SAY(history, 30000, 1, 9, "INVITE", .call = "d1", .more = NIL);
    STORY_SAY(history, 30005, 9, 2, "INVITE", .call = "d2", .from_tag = "z", .more = NIL);
    data = history_finish(history);
    CU_ASSERT_EQUAL_FATAL(data->calls->len, 5);
    CU_ASSERT_EQUAL(the_call(data, 0)->legs, 2);
    CU_ASSERT_EQUAL(the_call(data, 0)->final_ns, story_ns(905));
    CU_ASSERT_EQUAL(the_call(data, 0)->end_ns, story_ns(4000));
    CU_ASSERT_TRUE(the_call(data, 0)->callee_hung_up);
    CU_ASSERT_EQUAL(the_call(data, 1)->legs, 2);
    CU_ASSERT_EQUAL(the_call(data, 2)->legs, 2);
    CU_ASSERT_EQUAL(the_call(data, 3)->legs, 1);
    CU_ASSERT_EQUAL(the_call(data, 4)->legs, 1);
}

static void what_began_before_the_capture_is_lost(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;

    STORY_SAY(history, 0, 2, 1, "200 OK", .to_tag = "b");
    STORY_SAY(history, 10, 1, 2, "ACK", .to_tag = "b");
    STORY_SAY(history, 20, 1, 2, "INVITE", .to_tag = "b", .cseq = 4);
    STORY_SAY(history, 30, 1, 2, "BYE", .to_tag = "b", .cseq = 5);
    STORY_SAY(history, 40, 2, 1, "200 OK", .method = "OPTIONS", .call = "o");
    STORY_SAY(history, 50, 1, 2, "OPTIONS", .call = "p");
    STORY_SAY(history, 60, 2, 1, "200 OK", .method = "OPTIONS", .call = "p");
    STORY_SAY(history, 70, 2, 1, "200 OK", .method = "REGISTER", .call = "q");
    data = history_finish(history);
    CU_ASSERT_EQUAL(data->calls->len, 0);
    CU_ASSERT_EQUAL(data->registrations->len, 0);
    CU_ASSERT_EQUAL(data->lost, 6);
}

static void capture_that_ends_early_leaves_what_was_seen(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;

    STORY_SAY(history, 0, 1, 2, "INVITE", .call = "one");
    STORY_SAY(history, 10, 2, 1, "180 Ringing", .call = "one", .to_tag = "b");
    STORY_SAY(history, 20, 1, 2, "INVITE", .call = "two");
    STORY_SAY(history, 30, 2, 1, "200 OK", .call = "two", .to_tag = "b");
    data = history_finish(history);
    CU_ASSERT_EQUAL(the_call(data, 0)->outcome, HISTORY_UNANSWERED);
    CU_ASSERT_EQUAL(the_call(data, 0)->status, 0);
    CU_ASSERT_EQUAL(the_call(data, 0)->ringing_ns, story_ns(10));
    CU_ASSERT_EQUAL(the_call(data, 1)->outcome, HISTORY_ANSWERED);
    CU_ASSERT_EQUAL(the_call(data, 1)->end_ns, HISTORY_NEVER);
}

#define REGISTERS                                                                               \
    .caller = "<sip:bob@example.org>", .callee = "<sip:bob@example.org>", .method = "REGISTER", \
    .call = "reg"
#define CONTACT "Contact: <sip:bob@10.0.0.1>;expires=600\r\n"
#define CREDENTIALS "Authorization: Digest username=\"bob\",nonce=\"1\"\r\n"

/* RFC 3665 s.2.1, by a phone that takes its time and changes its tag. */
static void challenged_registration_is_one_attempt(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;

    STORY_SAY(history, 0, 1, 9, "REGISTER", REGISTERS, .more = CONTACT);
    STORY_SAY(history, 10, 9, 1, "401 Unauthorized", REGISTERS, .to_tag = "r");
    tell_call(history, "between", 5000);
    STORY_SAY(history, 34000, 1, 9, "REGISTER", REGISTERS, .cseq = 2, .branch = "2",
              .from_tag = "a2", .more = CONTACT CREDENTIALS);
    STORY_SAY(history, 34010, 9, 1, "200 OK", REGISTERS, .cseq = 2, .branch = "2", .from_tag = "a2",
              .to_tag = "r2",
              .more = "Contact: <sip:bob@10.0.0.8>;expires=17, \"b,\" <sip:bob@10.0.0.1>;q=1;"
                      "expires=300\r\n");
    data = history_finish(history);
    CU_ASSERT_EQUAL_FATAL(data->registrations->len, 1);
    CU_ASSERT_EQUAL(data->challenged, 1);
    CU_ASSERT_EQUAL(the_registration(data, 0)->at_ns, story_ns(0));
    CU_ASSERT_EQUAL(the_registration(data, 0)->answered_ns, story_ns(34010));
    CU_ASSERT_EQUAL(the_registration(data, 0)->status, 200);
    CU_ASSERT_EQUAL(the_registration(data, 0)->asked_s, 600);
    CU_ASSERT_EQUAL(the_registration(data, 0)->expires_s, 300);
    CU_ASSERT_FALSE(the_registration(data, 0)->query);
    CU_ASSERT_STRING_EQUAL(aor_of(data, the_registration(data, 0)->user), "sip:bob@example.org");
    CU_ASSERT_EQUAL(data->users->len, 2);
}

/* Refreshes share a Call-ID, and begin with the credentials of the last time. */
static void refreshes_are_attempts_of_their_own(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;

    for (int i = 0; i < 3; i++) {
        int64_t ms = i * 30000;
        g_autofree char *one = g_strdup_printf("%d", i * 2),
                        *two = g_strdup_printf("%d", i * 2 + 1);

        STORY_SAY(history, ms, 1, 9, "REGISTER", REGISTERS, .cseq = i * 2 + 1, .branch = one,
                  .more = i == 0 ? CONTACT : CONTACT CREDENTIALS);
        STORY_SAY(history, ms + 10, 9, 1, "401 Unauthorized", REGISTERS, .cseq = i * 2 + 1,
                  .branch = one, .to_tag = "r");
        STORY_SAY(history, ms + 20, 1, 9, "REGISTER", REGISTERS, .cseq = i * 2 + 2, .branch = two,
                  .more = CONTACT CREDENTIALS);
        STORY_SAY(history, ms + 30, 9, 1, "200 OK", REGISTERS, .cseq = i * 2 + 2, .branch = two,
                  .to_tag = "r", .more = CONTACT);
    }
    data = history_finish(history);
    CU_ASSERT_EQUAL(data->registrations->len, 3);
    CU_ASSERT_EQUAL(data->challenged, 3);
}

static void credentials_refused_end_the_attempt_unless_they_were_stale(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;

    STORY_SAY(history, 0, 1, 9, "REGISTER", REGISTERS, .more = CONTACT);
    STORY_SAY(history, 10, 9, 1, "401 Unauthorized", REGISTERS, .to_tag = "r");
    STORY_SAY(history, 20, 1, 9, "REGISTER", REGISTERS, .cseq = 2, .branch = "2",
              .more = CONTACT CREDENTIALS);
    STORY_SAY(history, 30, 9, 1, "401 Unauthorized", REGISTERS, .cseq = 2, .branch = "2",
              .to_tag = "r", .more = "WWW-Authenticate: Digest nonce=\"2\", stale=TRUE\r\n");
    STORY_SAY(history, 40, 1, 9, "REGISTER", REGISTERS, .cseq = 3, .branch = "3",
              .more = CONTACT CREDENTIALS);
    STORY_SAY(history, 50, 9, 1, "401 Unauthorized", REGISTERS, .cseq = 3, .branch = "3",
              .to_tag = "r", .more = "WWW-Authenticate: Digest nonce=\"3\"\r\n");
    STORY_SAY(history, 9060, 1, 9, "REGISTER", REGISTERS, .cseq = 4, .branch = "4",
              .more = CONTACT CREDENTIALS);
    STORY_SAY(history, 9070, 9, 1, "403 Forbidden", REGISTERS, .cseq = 4, .branch = "4",
              .to_tag = "r");
    STORY_SAY(history, 9080, 1, 9, "REGISTER", REGISTERS, .cseq = 5, .branch = "5",
              .more = CONTACT);
    /* a phone that tries again by itself does so at once */
    STORY_SAY(history, 9090, 9, 1, "401 Unauthorized", REGISTERS, .cseq = 5, .branch = "5",
              .to_tag = "r");
    for (int i = 6; i < 8; i++) {
        STORY_SAY(history, 9090 + i * 10, 1, 9, "REGISTER", REGISTERS, .cseq = i, .branch = "6",
                  .more = CONTACT CREDENTIALS);
        STORY_SAY(history, 9095 + i * 10, 9, 1, "401 Unauthorized", REGISTERS, .cseq = i,
                  .branch = "6", .to_tag = "r");
    }
    data = history_finish(history);
    CU_ASSERT_EQUAL_FATAL(data->registrations->len, 3);
    CU_ASSERT_EQUAL(the_registration(data, 0)->status, 401);
    CU_ASSERT_EQUAL(the_registration(data, 1)->status, 403);
    CU_ASSERT_EQUAL(the_registration(data, 2)->status, 401);
}

static void interval_too_brief_is_asked_again(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;

    STORY_SAY(history, 0, 1, 9, "REGISTER", REGISTERS,
              .more = "Contact: <sip:bob@10.0.0.1>\r\nExpires: 5\r\n");
    STORY_SAY(history, 10, 9, 1, "423 Interval Too Brief", REGISTERS, .to_tag = "r");
    STORY_SAY(history, 20, 1, 9, "REGISTER", REGISTERS, .cseq = 2, .branch = "2",
              .more = "Contact: <sip:bob@10.0.0.1>\r\nExpires: 60\r\n");
    STORY_SAY(history, 30, 9, 1, "200 OK", REGISTERS, .cseq = 2, .branch = "2", .to_tag = "r",
              .more = "Expires: 60\r\n");
    STORY_SAY(history, 9000, 1, 9, "REGISTER", REGISTERS, .cseq = 3, .branch = "3",
              .more = "Contact: *\r\nExpires: 0\r\n");
    STORY_SAY(history, 9010, 9, 1, "200 OK", REGISTERS, .cseq = 3, .branch = "3", .to_tag = "r");
    STORY_SAY(history, 9900, 1, 9, "REGISTER", REGISTERS, .cseq = 4, .branch = "4");
    data = history_finish(history);
    CU_ASSERT_EQUAL_FATAL(data->registrations->len, 3);
    CU_ASSERT_EQUAL(the_registration(data, 0)->expires_s, 60);
    CU_ASSERT_EQUAL(data->challenged, 0);
    CU_ASSERT_EQUAL(the_registration(data, 1)->expires_s, 0);
    CU_ASSERT_FALSE(the_registration(data, 1)->query);
    CU_ASSERT_TRUE(the_registration(data, 2)->query);
}

static void users_are_told_apart_by_user_and_host(void)
{
    static const char *const SAME[] = {
        "<sip:bob@example.org>",        "\"Bob, <b>\" <sips:bob@EXAMPLE.org:5061;transport=tcp>",
        "sip:bob@example.org;tag=4",    "<sip:b%6Fb@example.org?x=1>",
        "<sip:bob:secret@example.org>",
    };
    static const char *const OTHERS[] = {"<sip:Bob@example.org>", "<sip:bob@example.com>",
                                         "<tel:+1-201-555-0123>", "<sip:bob@[2001:DB8::1]:5060>"};
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;

    for (size_t i = 0; i < G_N_ELEMENTS(SAME); i++) {
        g_autofree char *call = g_strdup_printf("s%zu", i);

        STORY_SAY(history, (int64_t)i, 1, 2, "OPTIONS", .call = call, .callee = SAME[i]);
    }
    STORY_SAY(history, 50, 1, 2, "OPTIONS", .call = "host", .callee = "<sip:10.0.0.2>");
    for (size_t i = 0; i < G_N_ELEMENTS(OTHERS); i++) {
        g_autofree char *call = g_strdup_printf("o%zu", i);

        STORY_SAY(history, 100 + (int64_t)i, 1, 2, "OPTIONS", .call = call, .callee = OTHERS[i]);
    }
    data = history_finish(history);
    CU_ASSERT_EQUAL_FATAL(data->users->len, 6);
    CU_ASSERT_STRING_EQUAL(aor_of(data, 0), "sip:alice@example.org");
    CU_ASSERT_STRING_EQUAL(aor_of(data, 1), "sip:bob@example.org");
    CU_ASSERT_STRING_EQUAL(aor_of(data, 2), "sip:Bob@example.org");
    CU_ASSERT_STRING_EQUAL(aor_of(data, 4), "tel:+1-201-555-0123");
    CU_ASSERT_STRING_EQUAL(aor_of(data, 5), "sip:bob@[2001:db8::1]");
    CU_ASSERT_EQUAL(g_array_index(data->users, HistoryUser, 0).address.ip[3], 1);
    CU_ASSERT_EQUAL(g_array_index(data->users, HistoryUser, 1).address.family, 0);
}

static void media_of_a_call_are_counted(void)
{
    static const int ALICE[2] = {1, 4000}, BOB[2] = {2, 5000}, NOBODY[2] = {3, 6000};
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;
    const HistoryCall *call;

    story_media(history, 0, ALICE, BOB);
    STORY_SAY(history, 10, 1, 9, "INVITE", .body = SDP("1", "4000", "0 8 96", ""));
    STORY_SAY(history, 100, 9, 1, "183 Session Progress", .to_tag = "b",
              .body = SDP("2", "5000", "0", ""));
    story_media(history, 150, BOB, ALICE);
    STORY_SAY(history, 200, 9, 1, "200 OK", .to_tag = "b",
              .body = SDP("2", "5000", "96 8", "a=rtpmap:8 x/1\r\na=rtpmap:96 opus/48000/2\r\n"));
    story_media(history, 250, ALICE, BOB);
    story_media(history, 251, NOBODY, BOB);
    story_media(history, 252, ALICE, NOBODY);
    story_media(history, 253, NOBODY, NOBODY);
    STORY_SAY(history, 1000, 1, 9, "BYE", .cseq = 2, .to_tag = "b", .branch = "2");
    story_media(history, 1500, ALICE, BOB);
    story_media(history, 7000, ALICE, BOB);
    data = history_finish(history);
    call = the_call(data, 0);
    CU_ASSERT_EQUAL(call->media_packets, 5);
    CU_ASSERT_EQUAL(call->media_bytes, 5 * 172);
    CU_ASSERT_EQUAL(call->media_first_ns, story_ns(150));
    CU_ASSERT_EQUAL(call->media_last_ns, story_ns(1500));
    CU_ASSERT_PTR_NOT_NULL_FATAL(call->codec);
    CU_ASSERT_STRING_EQUAL(call->codec, "opus/48000/2");
}

static void codec_is_the_answers_else_the_offers(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;

    STORY_SAY(history, 0, 1, 2, "INVITE", .call = "offered", .body = SDP("1", "4000", "8 0", ""));
    STORY_SAY(history, 10, 1, 2, "INVITE", .call = "late");
    STORY_SAY(history, 20, 2, 1, "200 OK", .call = "late", .to_tag = "b",
              .body = SDP("2", "5000", "0 18", ""));
    STORY_SAY(history, 30, 1, 2, "ACK", .call = "late", .to_tag = "b", .branch = "2",
              .body = SDP("1", "4000", "18", ""));
    STORY_SAY(history, 40, 1, 2, "INVITE", .call = "parts", .type = "multipart/mixed;boundary=x",
              .body = "--x\r\nContent-Type: application/sdp\r\n\r\n" SDP(
                  "1", "4002", "9",
                  "") "--x\r\nContent-Type: text/plain\r\n\r\nm=audio 1 x 0\r\n--x--\r\n");
    STORY_SAY(history, 50, 1, 2, "INVITE", .call = "video",
              .body = "v=0\r\nc=IN IP6 2001:db8::1\r\nm=video 4004 RTP/AVP 34\r\n"
                      "m=audio 0 RTP/AVP 0\r\nm=audio 4006 RTP/AVP 3\r\n");
    STORY_SAY(history, 60, 1, 2, "INVITE", .call = "none");
    data = history_finish(history);
    CU_ASSERT_STRING_EQUAL(the_call(data, 0)->codec, "PCMA/8000");
    CU_ASSERT_STRING_EQUAL(the_call(data, 1)->codec, "G729/8000");
    CU_ASSERT_STRING_EQUAL(the_call(data, 2)->codec, "G722/8000");
    CU_ASSERT_STRING_EQUAL(the_call(data, 3)->codec, "GSM/8000");
    CU_ASSERT_PTR_NULL(the_call(data, 4)->codec);
}

static void texts_for_the_callee_are_kept(void)
{
    static const HistoryConfig WITH_TEXTS = {.texts = true};
    g_autoptr(History) history = history_new(&WITH_TEXTS);
    const HistoryCall *call;

    STORY_SAY(history, 0, 1, 2, "INVITE",
              .more = "Subject: lunch\r\n at noon\r\nMax-Forwards: 70\r\nX-Colour: red\r\n"
                      "Route: <sip:10.0.0.9;lr>\r\nuser-agent: phone/1\r\n",
              .body = "hello\r\n", .type = "text/plain");
    call = the_call(history_finish(history), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(call->headers);
    CU_ASSERT_STRING_EQUAL(call->headers,
                           "Subject: lunch at noon\r\nX-Colour: red\r\nuser-agent: phone/1\r\n");
    CU_ASSERT_STRING_EQUAL(call->content_type, "text/plain");
    CU_ASSERT_STRING_EQUAL(call->body, "hello\r\n");
    CU_ASSERT_EQUAL(call->body_len, 7);
}

/* Many of everything: nothing grows that need not. */
static void strangers_do_not_make_it_grow(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;
    uint64_t requests = 0;

    for (int i = 0; i < 3000; i++) {
        g_autofree char *method = g_strdup_printf("M%d", i), *call = g_strdup_printf("c%d", i);
        g_autofree char *sdp = g_strdup_printf(
            "v=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 4000 RTP/AVP 99\r\na=rtpmap:99 C%d/8000\r\n", i);

        STORY_SAY(history, i, 1, 2, method, .call = call);
        STORY_SAY(history, i, 1, 2, "INVITE", .call = call, .body = sdp);
    }
    data = history_finish(history);
    CU_ASSERT_TRUE(data->methods->len <= 66);
    for (guint i = 0; i < data->methods->len; i++) {
        requests += g_array_index(data->methods, HistoryCount, i).count;
    }
    CU_ASSERT_EQUAL(requests, 6000);
    CU_ASSERT_EQUAL(data->calls->len, 3000);
    CU_ASSERT_STRING_EQUAL(the_call(data, 0)->codec, "C0/8000");
    CU_ASSERT_STRING_EQUAL(the_call(data, 2999)->codec, HISTORY_CODEC_OTHER);
}

/* Calls of a day, of which few are under way at a time. */
static void calls_are_forgotten_when_they_are_over(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data;

    for (int i = 0; i < 2000; i++) {
        g_autofree char *call = g_strdup_printf("c%d", i);

        tell_call(history, call, (int64_t)i * 43200);
    }
    /* late enough to be of nothing that is remembered */
    STORY_SAY(history, (int64_t)2000 * 43200 + 100000, 1, 2, "BYE", .call = "c1999", .to_tag = "b",
              .cseq = 9, .branch = "9");
    data = history_finish(history);
    CU_ASSERT_EQUAL(data->calls->len, 2000);
    CU_ASSERT_EQUAL(data->lost, 1);
    for (guint i = 0; i < data->calls->len; i++) {
        CU_ASSERT_EQUAL(the_call(data, i)->outcome, HISTORY_ANSWERED);
    }
}

PEAL_TEST_MAIN(
    "analysis/history", PEAL_TEST(call_between_two_phones),
    PEAL_TEST(retransmissions_are_messages_and_no_calls), PEAL_TEST(retransmissions_without_cookie),
    PEAL_TEST(challenged_call_through_a_proxy_is_one),
    PEAL_TEST(challenge_without_another_try_is_a_refusal), PEAL_TEST(cancelled_call),
    PEAL_TEST(late_408_after_a_cancel_is_cancelled_without_one_unanswered),
    PEAL_TEST(answer_that_crosses_the_cancel_wins), PEAL_TEST(redirected_call_is_one),
    PEAL_TEST(forks_belong_together_and_their_cancels_are_not_the_callers),
    PEAL_TEST(forks_seen_behind_the_proxy_only), PEAL_TEST(call_forwarded_on_busy_is_one),
    PEAL_TEST(transferred_call_is_another_and_held_call_is_not),
    PEAL_TEST(proxy_that_answers_a_challenge_is_not_the_caller),
    PEAL_TEST(answer_seen_on_another_leg_only_counts),
    PEAL_TEST(answer_that_the_capture_lost_is_known_by_its_ack),
    PEAL_TEST(call_id_used_again_after_a_refusal_is_another_call),
    PEAL_TEST(legs_of_a_b2bua_are_linked_by_what_they_say),
    PEAL_TEST(what_began_before_the_capture_is_lost),
    PEAL_TEST(capture_that_ends_early_leaves_what_was_seen),
    PEAL_TEST(challenged_registration_is_one_attempt),
    PEAL_TEST(refreshes_are_attempts_of_their_own),
    PEAL_TEST(credentials_refused_end_the_attempt_unless_they_were_stale),
    PEAL_TEST(interval_too_brief_is_asked_again), PEAL_TEST(users_are_told_apart_by_user_and_host),
    PEAL_TEST(media_of_a_call_are_counted), PEAL_TEST(codec_is_the_answers_else_the_offers),
    PEAL_TEST(texts_for_the_callee_are_kept), PEAL_TEST(strangers_do_not_make_it_grow),
    PEAL_TEST(calls_are_forgotten_when_they_are_over))
