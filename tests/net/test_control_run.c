/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_control_run.c - what a scenario's verbs do and tell, with doubles of node and control. */
#include "control_run.h"

#include <analysis/recorder.h>
#include <peal_test.h>

#include "fake_node.h"

enum { CODE_FETCH = 9, CODE_STORE = 7 };

static json_t *answered; /* the last */
static bool refused;

void control_answer_take(ControlCall *call, json_t *answer)
{
    (void)call;
    json_decref(answered);
    answered = answer;
}

void control_refuse(ControlCall *call, const char *format, ...)
{
    (void)call;
    (void)format;
    refused = true;
}

static ControlRun *start(void)
{
    refused = false;
    return control_run_new(fake_node_init());
}

static void end(ControlRun *run)
{
    control_run_free(run);
    CU_ASSERT_PTR_NULL(fake_node.watch.trace);
    fake_node_fini();
    json_decref(answered);
    answered = NULL;
}

/* Asks, and returns the answer, borrowed until the next. */
static json_t *ask(ControlRun *run, const char *text)
{
    json_t *request = json_loads(text, 0, NULL);
    const char *verb = json_string_value(json_object_get(request, "do"));

    CU_ASSERT_PTR_NOT_NULL_FATAL(verb);
    CU_ASSERT(control_run_on_request(run, verb, request, NULL));
    json_decref(request);
    return answered;
}

static json_t *report(ControlRun *run)
{
    return ask(run, "{\"do\": \"run-report\"}");
}

static void fetch(ControlRun *run)
{
    ask(run, "{\"do\": \"run-fetch\", \"number\": 5,"
             " \"resource\": \"00112233445566778899aabbccddeeff\"}");
}

static void trace(PealTraceKind kind, uint16_t code, uint64_t transaction, uint32_t value)
{
    PealTrace record = {.kind = (uint16_t)kind,
                        .code = code,
                        .transaction = transaction,
                        .value = value};

    fake_node.watch.trace(fake_node.watch.user, &record);
}

static const char *event_name(json_t *from, size_t i)
{
    return json_string_value(json_array_get(json_array_get(json_object_get(from, "events"), i), 0));
}

static json_int_t event_number(json_t *from, size_t i, size_t place)
{
    return json_integer_value(
        json_array_get(json_array_get(json_object_get(from, "events"), i), place));
}

static json_int_t counter(json_t *from, RecorderCounter which)
{
    return json_integer_value(json_array_get(json_object_get(from, "counters"), which));
}

static void run_fetch_tells_its_outcome_as_an_event(void)
{
    ControlRun *run = start();
    json_t *said;

    fetch(run);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(report(run), "events")), 0);
    fake_node_advance(peal_ms(70));
    fake_node_answer(0, 1);
    said = report(run);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(said, "events")), 1);
    CU_ASSERT_STRING_EQUAL(event_name(said, 0), "fetched");
    CU_ASSERT_EQUAL(event_number(said, 0, 1), fake_node.now.ns);
    CU_ASSERT_EQUAL(event_number(said, 0, 4), 5);
    CU_ASSERT_EQUAL(event_number(said, 0, 5), fake_node.now.ns - 70 * PEAL_NS_PER_MS);
    CU_ASSERT_EQUAL(event_number(said, 0, 6), 2 * PEAL_NS_PER_MS);
    CU_ASSERT_EQUAL(event_number(said, 0, 9), 1);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(report(run), "events")), 0);
    end(run);
}

static void run_fetch_that_cannot_be_made_has_failed(void)
{
    ControlRun *run = start();
    json_t *said;

    fake_node.refuse = -PEAL_E_STATE;
    fetch(run);
    said = report(run);
    CU_ASSERT_STRING_EQUAL(event_name(said, 0), "fetched");
    CU_ASSERT_EQUAL(event_number(said, 0, 7), -PEAL_E_STATE);
    end(run);
}

static void run_fetch_without_a_resource_is_refused(void)
{
    ControlRun *run = start();

    ask(run, "{\"do\": \"run-fetch\", \"number\": 5}");
    CU_ASSERT(refused);
    CU_ASSERT_EQUAL(fake_node.asked, 0);
    end(run);
}

static void run_register_tells_its_outcome_as_an_event(void)
{
    ControlRun *run = start();
    json_t *said;

    ask(run, "{\"do\": \"run-register\", \"aor\": \"sip:bob@example.org\", \"expires_s\": 60}");
    fake_node_answer(-PEAL_E_TIMEOUT, 0);
    said = report(run);
    CU_ASSERT_STRING_EQUAL(event_name(said, 0), "registered");
    CU_ASSERT_EQUAL(event_number(said, 0, 2), -PEAL_E_TIMEOUT);
    ask(run, "{\"do\": \"run-register\", \"aor\": \"sip:bob@example.org\"}");
    CU_ASSERT(refused);
    end(run);
}

static void run_report_tells_of_fetches_served_and_values(void)
{
    ControlRun *run = start();
    json_t *said;

    trace(PEAL_TRACE_JOINED, 0, 0, 300);
    trace(PEAL_TRACE_REQUEST_SERVED, CODE_STORE, 76, 1);
    trace(PEAL_TRACE_REQUEST_SERVED, CODE_FETCH, UINT64_C(0xF000000000000001), 3);
    trace(PEAL_TRACE_VALUE_STORED, 0, 78, PEAL_KIND_SIP_REGISTRATION);
    trace(PEAL_TRACE_VALUE_STORED, 0, 78, PEAL_KIND_SIP_REGISTRATION + 1);
    fake_node.stored = 1;
    said = report(run);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(said, "events")), 3);
    CU_ASSERT_STRING_EQUAL(event_name(said, 0), "joined");
    CU_ASSERT_STRING_EQUAL(event_name(said, 1), "served");
    CU_ASSERT_EQUAL((uint64_t)event_number(said, 1, 3), UINT64_C(0xF000000000000001));
    CU_ASSERT_EQUAL(event_number(said, 1, 4), 3);
    CU_ASSERT_STRING_EQUAL(event_name(said, 2), "stored");
    CU_ASSERT_EQUAL(counter(said, RECORDER_VALUES_STORED), 2);
    fake_node.stored = 0; /* what is stored now says that there is none */
    trace(PEAL_TRACE_VALUE_STORED, 0, 79, PEAL_KIND_SIP_REGISTRATION);
    said = report(run);
    CU_ASSERT_STRING_EQUAL(event_name(said, 0), "removed");
    CU_ASSERT_EQUAL(json_array_size(json_object_get(said, "successors")), 0);
    fake_node_neighbours();
    said = report(run);
    CU_ASSERT_STRING_EQUAL(json_string_value(
                               json_array_get(json_object_get(said, "successors"), 0)),
                           "c0000000000000000000000000000000");
    CU_ASSERT_EQUAL(json_array_size(json_object_get(said, "predecessors")), 1);
    end(run);
}

static void run_report_counts_frames_by_their_attempt(void)
{
    ControlRun *run = start();
    PealBuf *frame = g_malloc0(sizeof(PealBuf) + 8);
    json_t *said;

    frame->len = 8;
    for (uint16_t attempt = 0; attempt < 4; attempt++) {
        frame->attempt = attempt;
        fake_node.watch.sent(fake_node.watch.user, frame, attempt == 1);
    }
    fake_node.watch.received(fake_node.watch.user, (PealBytes){frame->data, 8});
    trace(PEAL_TRACE_MESSAGE_DROPPED, PEAL_DROP_TTL, 0, 0);
    trace(PEAL_TRACE_NEIGHBOURS_CHANGED, 0, 0, 0);
    fake_node.status.sip_sent = (SipCounts){.messages = 5, .bytes = 2000, .lost = 1};
    said = report(run);
    CU_ASSERT_EQUAL(counter(said, RECORDER_SIP_MESSAGES), 5);
    CU_ASSERT_EQUAL(counter(said, RECORDER_SIP_BYTES), 2000);
    CU_ASSERT_EQUAL(counter(said, RECORDER_SIP_LOST), 1);
    CU_ASSERT_EQUAL(counter(said, RECORDER_FRAMES_SENT), 4);
    CU_ASSERT_EQUAL(counter(said, RECORDER_BYTES_SENT), 32);
    CU_ASSERT_EQUAL(counter(said, RECORDER_FRAMES_LOST), 1);
    CU_ASSERT_EQUAL(counter(said, RECORDER_LINK_ACKS), 1);
    CU_ASSERT_EQUAL(counter(said, RECORDER_MESSAGES), 1);
    CU_ASSERT_EQUAL(counter(said, RECORDER_LINK_RETRANSMISSIONS), 2);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(said, "load")), 0);
    CU_ASSERT_EQUAL(json_integer_value(
                        json_array_get(json_object_get(said, "drops"), PEAL_DROP_TTL)),
                    1);
    g_free(frame);
    end(run);
}

static void run_report_comes_in_parts_and_says_what_was_lost(void)
{
    ControlRun *run = start();
    size_t told = 0;
    json_t *said;

    for (int i = 0; i < CONTROL_RUN_EVENTS_MAX + 3; i++) {
        trace(PEAL_TRACE_JOINED, 0, 0, 0);
    }
    do {
        size_t len;

        said = report(run);
        len = json_array_size(json_object_get(said, "events"));
        CU_ASSERT_FATAL(len > 0 && len <= CONTROL_RUN_REPORT_MAX);
        told += len;
    } while (json_is_true(json_object_get(said, "more")));
    CU_ASSERT_EQUAL(told, CONTROL_RUN_EVENTS_MAX);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(said, "lost")), 3);
    end(run);
}

static void run_partition_cuts_until_healed(void)
{
    ControlRun *run = start();

    ask(run, "{\"do\": \"run-partition\", \"ppm\": 250000, \"event\": 2}");
    CU_ASSERT_EQUAL(fake_node.cut_ppm, 250000);
    CU_ASSERT_EQUAL(fake_node.cut_event, 2);
    ask(run, "{\"do\": \"run-heal\"}");
    CU_ASSERT_EQUAL(fake_node.cut_ppm, 0);
    CU_ASSERT_FALSE(refused);
    ask(run, "{\"do\": \"run-partition\", \"ppm\": 2000000, \"event\": 2}");
    CU_ASSERT(refused);
    end(run);
}

static bool is_renewed(ControlRun *run)
{
    return json_is_true(json_object_get(report(run), "renewed"));
}

static void run_renew_is_done_when_no_link_is_asked_for_any_more(void)
{
    ControlRun *run = start();

    fake_node.refuse = -PEAL_E_STATE;
    ask(run, "{\"do\": \"run-renew\"}");
    CU_ASSERT(refused);
    CU_ASSERT_FALSE(is_renewed(run));
    fake_node.refuse = 0;
    fake_node.status.attaching = 3;
    ask(run, "{\"do\": \"run-renew\"}");
    CU_ASSERT_EQUAL(fake_node.renewed, 1);
    CU_ASSERT_FALSE(is_renewed(run));
    fake_node.status.attaching = 0;
    CU_ASSERT(is_renewed(run));
    end(run);
}

static void run_verbs_end_with_requests_out(void)
{
    ControlRun *run = start();

    fetch(run);
    fetch(run);
    end(run);
    fake_node_answer(0, 1);
}

static void other_verbs_are_not_a_scenarios(void)
{
    ControlRun *run = start();

    CU_ASSERT_FALSE(control_run_on_request(run, "status", NULL, NULL));
    end(run);
}

PEAL_TEST_MAIN("net/control_run", PEAL_TEST(run_fetch_tells_its_outcome_as_an_event),
               PEAL_TEST(run_fetch_that_cannot_be_made_has_failed),
               PEAL_TEST(run_fetch_without_a_resource_is_refused),
               PEAL_TEST(run_register_tells_its_outcome_as_an_event),
               PEAL_TEST(run_report_tells_of_fetches_served_and_values),
               PEAL_TEST(run_report_counts_frames_by_their_attempt),
               PEAL_TEST(run_report_comes_in_parts_and_says_what_was_lost),
               PEAL_TEST(run_partition_cuts_until_healed),
               PEAL_TEST(run_renew_is_done_when_no_link_is_asked_for_any_more),
               PEAL_TEST(run_verbs_end_with_requests_out),
               PEAL_TEST(other_verbs_are_not_a_scenarios))
