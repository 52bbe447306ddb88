/* SPDX-License-Identifier: GPL-3.0-or-later */
/* control_run.c - see control_run.h. */
#include "control_run.h"

#include <analysis/recorder.h>
#include <string.h>

enum { CODE_FETCH_REQ = 9 }; /* RFC 6940 s.14.8 */

/* A lookup or registration that is out. */
typedef struct RunTask {
    ControlRun *run;
    json_int_t number;
    PealTime started;
    uint64_t transaction;
} RunTask;

/* A Resource-ID where a value came or went, and when. */
typedef struct Touched {
    PealId resource;
    PealTime at;
} Touched;

struct ControlRun {
    Node *node;
    GArray *touched;   /* Touched, in this turn */
    GQueue events;     /* json_t arrays, oldest first */
    GPtrArray *tasks;  /* RunTask */
    RunTask *starting; /* the lookup whose request is being sent */
    json_int_t lost;   /* events, for want of room */
    uint64_t load;     /* RELOAD messages that came in */
    bool renewed;      /* the fingers, or they are being */
    RecorderTotals totals;
};

static void add_event_take(ControlRun *run, json_t *event)
{
    if (run->events.length < CONTROL_RUN_EVENTS_MAX) {
        g_queue_push_tail(&run->events, event);
    } else {
        run->lost++;
        json_decref(event);
    }
}

static json_int_t now_ns(const ControlRun *run)
{
    return loop_now(node_loop(run->node)).ns;
}

/* What the node does. */

static void add_served(ControlRun *run, const PealTrace *record)
{
    char key[PEAL_ID_TEXT_LEN];

    peal_id_text(&record->key, key);
    add_event_take(run, json_pack("[s, I, s, I, I]", "served", now_ns(run), key,
                                  (json_int_t)record->transaction, (json_int_t)record->value));
}

static void touch(ControlRun *run, const PealTrace *record)
{
    Touched touched = {record->key, loop_now(node_loop(run->node))};

    if (record->value == PEAL_KIND_SIP_REGISTRATION) {
        g_array_append_val(run->touched, touched);
    }
}

/* What is stored may say that there is no value, so the peer is asked; it cannot be from inside its
 * own dispatch. */
static void tell_touched(void *user)
{
    ControlRun *run = user;

    for (guint i = 0; i < run->touched->len; i++) {
        const Touched *touched = &g_array_index(run->touched, Touched, i);
        bool there = node_stored(run->node, &touched->resource, PEAL_KIND_SIP_REGISTRATION) > 0;
        char key[PEAL_ID_TEXT_LEN];

        peal_id_text(&touched->resource, key);
        add_event_take(run, json_pack("[s, I, s]", there ? "stored" : "removed",
                                      (json_int_t)touched->at.ns, key));
    }
    g_array_set_size(run->touched, 0);
}

/* Most records are only counted. */
static void count_record(RecorderTotals *totals, const PealTrace *record)
{
    static const int8_t counters[PEAL_TRACE_COUNT] = {
        [PEAL_TRACE_REQUEST_SENT] = RECORDER_REQUESTS_SENT,
        [PEAL_TRACE_REQUEST_RESENT] = RECORDER_REQUESTS_RESENT,
        [PEAL_TRACE_REQUEST_FAILED] = RECORDER_REQUESTS_FAILED,
        [PEAL_TRACE_LINK_UP] = RECORDER_LINKS_UP,
        [PEAL_TRACE_LINK_DOWN] = RECORDER_LINKS_DOWN,
        [PEAL_TRACE_VALUE_STORED] = RECORDER_VALUES_STORED,
        [PEAL_TRACE_VALUE_REMOVED] = RECORDER_VALUES_REMOVED,
        [PEAL_TRACE_REPLICA_SENT] = RECORDER_REPLICAS_SENT,
    };

    _Static_assert(RECORDER_MESSAGES == 0, "0 stands for what is not counted");
    if (record->kind == PEAL_TRACE_MESSAGE_DROPPED) {
        totals->drops[MIN(record->code, PEAL_DROP_COUNT - 1)]++;
    } else if (counters[record->kind] != 0) {
        totals->counter[counters[record->kind]]++;
    }
}

static void on_trace(void *user, const PealTrace *record)
{
    ControlRun *run = user;

    count_record(&run->totals, record);
    switch ((PealTraceKind)record->kind) {
    case PEAL_TRACE_REQUEST_SENT:
        if (run->starting != NULL && run->starting->transaction == 0 &&
            record->code == CODE_FETCH_REQ) {
            run->starting->transaction = record->transaction;
        }
        break;
    case PEAL_TRACE_REQUEST_SERVED:
        if (record->code == CODE_FETCH_REQ) {
            add_served(run, record);
        }
        break;
    case PEAL_TRACE_VALUE_STORED:
    case PEAL_TRACE_VALUE_REMOVED:
        touch(run, record);
        break;
    case PEAL_TRACE_JOINED:
        add_event_take(run, json_pack("[s, I]", "joined", now_ns(run)));
        break;
    default:
        break;
    }
}

/* A message is counted where it is first sent: what the network then loses is sent again. */
static void on_sent(void *user, const PealBuf *frame, bool lost)
{
    ControlRun *run = user;
    uint64_t *counter = run->totals.counter;
    PealFrameInfo info;

    counter[RECORDER_FRAMES_SENT]++;
    counter[RECORDER_BYTES_SENT] += frame->len;
    counter[RECORDER_FRAMES_LOST] += lost;
    if (frame->attempt == 0) {
        counter[RECORDER_LINK_ACKS]++;
    } else if (frame->attempt > 1) {
        counter[RECORDER_LINK_RETRANSMISSIONS]++;
    } else {
        counter[RECORDER_MESSAGES]++;
        counter[RECORDER_MESSAGE_BYTES] += frame->len;
        if (peal_frame_info(frame->data, frame->len, &info) == 0) {
            run->totals.codes[recorder_code(info.code)]++;
        }
    }
}

static void on_received(void *user, PealBytes bytes)
{
    ControlRun *run = user;
    PealFrameInfo info;

    if (peal_frame_info(bytes.ptr, bytes.len, &info) == 0 && info.data) {
        run->load++;
    }
}

/* What it is asked to do. */

static RunTask *task_new(ControlRun *run, const json_t *request)
{
    RunTask *task = g_new(RunTask, 1);

    *task = (RunTask){.run = run,
                      .number = json_integer_value(json_object_get(request, "number")),
                      .started = loop_now(node_loop(run->node))};
    g_ptr_array_add(run->tasks, task);
    return task;
}

static void task_free(RunTask *task)
{
    g_ptr_array_remove_fast(task->run->tasks, task);
    g_free(task);
}

static void on_fetched(void *user, const NodeOutcome *outcome)
{
    RunTask *task = user;
    ControlRun *run = task->run;
    char responder[PEAL_ID_TEXT_LEN];

    peal_id_text(&outcome->responder, responder);
    add_event_take(run, json_pack("[s, I, s, I, I, I, I, i, i, i]", "fetched", now_ns(run),
                                  responder, (json_int_t)task->transaction, task->number,
                                  (json_int_t)task->started.ns, (json_int_t)outcome->took.ns,
                                  outcome->status, (int)outcome->error_code, (int)outcome->values));
    task_free(task);
}

static void run_fetch(ControlRun *run, const json_t *request, ControlCall *call)
{
    const char *text = json_string_value(json_object_get(request, "resource"));
    PealId resource;
    RunTask *task;
    int status;

    if (text == NULL || peal_id_parse((PealStr){text, strlen(text)}, &resource) != 0) {
        control_refuse(call, "\"resource\" wants 32 hexadecimal digits");
        return;
    }
    task = task_new(run, request);
    run->starting = task;
    status = node_fetch(run->node, &resource, PEAL_KIND_SIP_REGISTRATION, on_fetched, task);
    run->starting = NULL;
    task->started = loop_now(node_loop(run->node)); /* read anew for the request */
    if (status != 0) {
        on_fetched(task, &(NodeOutcome){.status = status});
    }
    control_answer_take(call, json_object());
}

static void on_registered(void *user, const NodeOutcome *outcome)
{
    RunTask *task = user;

    add_event_take(task->run,
                   json_pack("[s, I, i]", "registered", now_ns(task->run), outcome->status));
    task_free(task);
}

static void run_register(ControlRun *run, const json_t *request, ControlCall *call)
{
    const char *aor = json_string_value(json_object_get(request, "aor"));
    json_int_t expires_s = json_integer_value(json_object_get(request, "expires_s"));
    RunTask *task;
    int status;

    if (aor == NULL || expires_s < 1 || expires_s > UINT32_MAX) {
        control_refuse(call, "\"aor\" and \"expires_s\" are wanted");
        return;
    }
    task = task_new(run, request);
    status = node_register(run->node, (PealStr){aor, strlen(aor)}, (uint32_t)expires_s,
                           on_registered, task);
    if (status != 0) {
        on_registered(task, &(NodeOutcome){.status = status});
    }
    control_answer_take(call, json_object());
}

static void run_partition(ControlRun *run, const json_t *request, ControlCall *call)
{
    json_int_t ppm = json_integer_value(json_object_get(request, "ppm"));
    json_int_t event = json_integer_value(json_object_get(request, "event"));

    if (ppm < 1 || ppm > SCENARIO_PPM || event < 0 || event > UINT32_MAX) {
        control_refuse(call, "\"ppm\" of the peers and the number of the \"event\" are wanted");
    } else if (!node_partition(run->node, (uint32_t)ppm, (uint32_t)event)) {
        control_refuse(call, "there is no emulated network");
    } else {
        control_answer_take(call, json_object());
    }
}

static void run_heal(ControlRun *run, const json_t *request, ControlCall *call)
{
    (void)request;
    if (!node_heal(run->node)) {
        control_refuse(call, "there is no emulated network");
    } else {
        control_answer_take(call, json_object());
    }
}

static json_t *numbers(const uint64_t *values, size_t len)
{
    json_t *list = json_array();

    for (size_t i = 0; i < len; i++) {
        json_array_append_new(list, json_integer((json_int_t)values[i]));
    }
    return list;
}

static json_t *ids_json(const PealId *ids, size_t len)
{
    json_t *list = json_array();
    char text[PEAL_ID_TEXT_LEN];

    for (size_t i = 0; i < len; i++) {
        peal_id_text(&ids[i], text);
        json_array_append_new(list, json_string(text));
    }
    return list;
}

static void run_renew(ControlRun *run, const json_t *request, ControlCall *call)
{
    (void)request;
    if (node_renew(run->node) != 0) {
        control_refuse(call, "the node has not joined");
        return;
    }
    run->renewed = true;
    control_answer_take(call, json_object());
}

static void run_report(ControlRun *run, const json_t *request, ControlCall *call)
{
    RecorderTotals *totals = &run->totals;
    json_t *events = json_array();
    NodeStatus *status = g_new(NodeStatus, 1);
    uint64_t load;

    (void)request;
    tell_touched(run);
    while (run->events.length > 0 && json_array_size(events) < CONTROL_RUN_REPORT_MAX) {
        json_array_append_new(events, g_queue_pop_head(&run->events));
    }
    node_status(run->node, status);
    load = run->load + status->sip_received;
    totals->counter[RECORDER_SIP_MESSAGES] = status->sip_sent.messages;
    totals->counter[RECORDER_SIP_BYTES] = status->sip_sent.bytes;
    totals->counter[RECORDER_SIP_LOST] = status->sip_sent.lost;
    control_answer_take(call, json_pack("{s:I, s:o, s:b, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:b}",
                                        "now_ns", now_ns(run), "events", events, "more",
                                        run->events.length > 0, "lost", run->lost, "load",
                                        (json_int_t)load, "counters",
                                        numbers(totals->counter, RECORDER_COUNTER_COUNT), "drops",
                                        numbers(totals->drops, PEAL_DROP_COUNT), "codes",
                                        numbers(totals->codes, RECORDER_CODES), "successors",
                                        ids_json(status->successors, status->successors_len),
                                        "predecessors",
                                        ids_json(status->predecessors, status->predecessors_len),
                                        "renewed", run->renewed && status->attaching == 0));
    g_free(status);
}

bool control_run_on_request(ControlRun *run, const char *verb, const json_t *request,
                            ControlCall *call)
{
    static const struct {
        const char *name;
        void (*run)(ControlRun *run, const json_t *request, ControlCall *call);
    } verbs[] = {{"run-fetch", run_fetch},         {"run-register", run_register},
                 {"run-partition", run_partition}, {"run-heal", run_heal},
                 {"run-renew", run_renew},         {"run-report", run_report}};

    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
        if (strcmp(verb, verbs[i].name) == 0) {
            verbs[i].run(run, request, call);
            return true;
        }
    }
    return false;
}

ControlRun *control_run_new(Node *node)
{
    ControlRun *run = g_new0(ControlRun, 1);

    run->node = node;
    run->tasks = g_ptr_array_new();
    run->touched = g_array_new(FALSE, FALSE, sizeof(Touched));
    g_queue_init(&run->events);
    loop_at_turn_end(node_loop(node), tell_touched, run);
    node_watch(node, &(NodeWatch){on_trace, on_sent, on_received, run});
    return run;
}

static void free_event(gpointer event)
{
    json_decref(event);
}

void control_run_free(ControlRun *run)
{
    if (run == NULL) {
        return;
    }
    node_watch(run->node, NULL);
    loop_not_at_turn_end(node_loop(run->node), tell_touched, run);
    g_array_unref(run->touched);
    while (run->tasks->len > 0) {
        RunTask *task = g_ptr_array_index(run->tasks, 0);

        node_forget(run->node, task);
        task_free(task);
    }
    g_ptr_array_unref(run->tasks);
    g_queue_clear_full(&run->events, free_event);
    g_free(run);
}
