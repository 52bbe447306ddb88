/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verbs.c - one function a verb. */
#include "verbs.h"

#include <peal/registration.h>
#include <peal_openssl/crypto.h>

#include "control_run.h"
#include "log.h"
#include "status.h"

enum {
    VERBS_OUT_MAX = 256,     /* requests to the overlay at a time */
    VERBS_ADAPTERS_MAX = 64, /* listed of one AOR */
    VERBS_EXPIRES_S = 3600,  /* of a registration, where the client names no time */
    VERBS_EXPIRES_MAX_S = 86400,
};

/* A request to the overlay that is out. */
typedef struct VerbsTask {
    Verbs *verbs;
    ControlCall *call;
    char *aor;
    PealId resource;
} VerbsTask;

struct Verbs {
    Node *node;
    const Health *health;
    ControlRun *run;  /* NULL: the node is in no scenario */
    GPtrArray *tasks; /* VerbsTask */
};

typedef struct Verb {
    const char *name;
    void (*run)(Verbs *verbs, const json_t *request, ControlCall *call);
} Verb;

/* Requests to the overlay. */

static void verbs_task_free(VerbsTask *task)
{
    g_ptr_array_remove_fast(task->verbs->tasks, task);
    g_free(task->aor);
    g_free(task);
}

/* Reads the request's AOR. Refuses the call and returns NULL when there is none, or no room. */
static VerbsTask *verbs_task(Verbs *verbs, const json_t *request, ControlCall *call)
{
    const char *aor = json_string_value(json_object_get(request, "aor"));
    PealId resource;
    VerbsTask *task;

    if (aor == NULL || strlen(aor) > PEAL_AOR_MAX ||
        peal_aor_resource(peal_openssl_crypto(), (PealStr){aor, strlen(aor)}, &resource) != 0) {
        control_refuse(call, "\"aor\" wants a SIP address, as sip:bob@example.org");
        return NULL;
    }
    if (verbs->tasks->len >= VERBS_OUT_MAX) {
        control_refuse(call, "too many requests are waiting for the overlay; try again");
        return NULL;
    }
    task = g_new(VerbsTask, 1);
    *task = (VerbsTask){.verbs = verbs, .call = call, .aor = g_strdup(aor), .resource = resource};
    g_ptr_array_add(verbs->tasks, task);
    return task;
}

static const char *verbs_why(int status)
{
    return status == -PEAL_E_STATE ? "this node has not joined the overlay"
                                   : peal_error_text(status);
}

/* The request could not be made. */
static void verbs_give_up(VerbsTask *task, int error)
{
    control_refuse(task->call, "%s: %s", task->aor, verbs_why(error));
    verbs_task_free(task);
}

static bool verbs_failed(VerbsTask *task, const NodeOutcome *outcome)
{
    if (outcome->status == 0) {
        return false;
    }
    if (outcome->error_code != 0) {
        control_refuse(task->call, "%s: the responsible peer refused, with RELOAD error %u",
                       task->aor, outcome->error_code);
        verbs_task_free(task);
    } else {
        verbs_give_up(task, outcome->status);
    }
    return true;
}

static json_t *verbs_answer(const VerbsTask *task, const NodeOutcome *outcome)
{
    static const PealId nobody;
    json_t *answer =
        json_pack("{s:o, s:o, s:f}", "aor", status_text(task->aor, strlen(task->aor)), "resource",
                  status_id(&task->resource), "latency_ms", (double)outcome->took.ns / 1e6);

    if (!peal_id_equal(&outcome->responder, &nobody)) {
        json_object_set_new(answer, "responsible", status_id(&outcome->responder));
    }
    return answer;
}

/* lookup */

static void verbs_on_fetched(void *user, const NodeOutcome *outcome)
{
    VerbsTask *task = user;
    PealRegistration found[VERBS_ADAPTERS_MAX];
    json_t *list;
    json_t *answer;
    size_t len;

    if (verbs_failed(task, outcome)) {
        return;
    }
    len = peal_registrations(outcome->body, found, VERBS_ADAPTERS_MAX);
    list = json_array();
    for (size_t i = 0; i < len; i++) {
        json_t *entry = json_pack("{s:o, s:I}", "node_id", status_id(&found[i].adapter),
                                  "lifetime_s", (json_int_t)found[i].lifetime_s);

        if (found[i].uri.len > 0) {
            json_object_set_new(entry, "uri", status_text(found[i].uri.ptr, found[i].uri.len));
        }
        json_array_append_new(list, entry);
    }
    answer = verbs_answer(task, outcome);
    json_object_set_new(answer, "registrations", list);
    control_answer_take(task->call, answer);
    verbs_task_free(task);
}

static void verbs_lookup(Verbs *verbs, const json_t *request, ControlCall *call)
{
    VerbsTask *task = verbs_task(verbs, request, call);
    int error;

    if (task == NULL) {
        return;
    }
    error = node_fetch(verbs->node, &task->resource, PEAL_KIND_SIP_REGISTRATION, verbs_on_fetched,
                       task);
    if (error != 0) {
        verbs_give_up(task, error);
    }
}

/* register, unregister */

static void verbs_on_stored(void *user, const NodeOutcome *outcome)
{
    VerbsTask *task = user;

    if (!verbs_failed(task, outcome)) {
        control_answer_take(task->call, verbs_answer(task, outcome));
        verbs_task_free(task);
    }
}

/* What is asked for in seconds; false when that is no number of them. */
static bool verbs_expires(const json_t *request, uint32_t *ret_expires_s)
{
    const json_t *expires = json_object_get(request, "expires_s");
    json_int_t expires_s = expires != NULL ? json_integer_value(expires) : VERBS_EXPIRES_S;

    *ret_expires_s = (uint32_t)expires_s;
    return expires_s >= 1 && expires_s <= VERBS_EXPIRES_MAX_S;
}

static PealStr verbs_str(const char *text)
{
    return (PealStr){text, strlen(text)};
}

static void verbs_register(Verbs *verbs, const json_t *request, ControlCall *call)
{
    const char *contact = json_string_value(json_object_get(request, "contact"));
    uint32_t expires_s;
    VerbsTask *task;
    int error;

    if (!verbs_expires(request, &expires_s)) {
        control_refuse(call, "\"expires_s\" wants seconds, 1 to %d", VERBS_EXPIRES_MAX_S);
        return;
    }
    task = verbs_task(verbs, request, call);
    if (task == NULL) {
        return;
    }
    if (contact != NULL) {
        error = node_bind(verbs->node, verbs_str(task->aor), verbs_str(contact), expires_s,
                          verbs_on_stored, task);
    } else {
        error = node_register(verbs->node, verbs_str(task->aor), expires_s, verbs_on_stored, task);
    }
    if (error != 0) {
        verbs_give_up(task, error);
    }
}

static void verbs_unregister(Verbs *verbs, const json_t *request, ControlCall *call)
{
    const char *contact = json_string_value(json_object_get(request, "contact"));
    VerbsTask *task = verbs_task(verbs, request, call);
    int error;

    if (task == NULL) {
        return;
    }
    if (contact != NULL) {
        error = node_bind(verbs->node, verbs_str(task->aor), verbs_str(contact), 0, verbs_on_stored,
                          task);
    } else {
        error = node_unregister(verbs->node, verbs_str(task->aor), verbs_on_stored, task);
    }
    if (error == -PEAL_E_NOT_FOUND || (error == -PEAL_E_ARG && contact == NULL)) {
        control_refuse(call, "%s is not registered here", task->aor);
        verbs_task_free(task);
    } else if (error != 0) {
        verbs_give_up(task, error);
    }
}

/* What the node knows itself. */

static void verbs_status(Verbs *verbs, const json_t *request, ControlCall *call)
{
    (void)request;
    control_answer_take(call, status_json(verbs->node, verbs->health));
}

static void verbs_peers(Verbs *verbs, const json_t *request, ControlCall *call)
{
    (void)request;
    control_answer_take(call, status_peers_json(verbs->node));
}

static void verbs_stop(Verbs *verbs, const json_t *request, ControlCall *call)
{
    (void)request;
    log_notice("asked at the control socket to leave");
    control_answer_take(call, json_object());
    node_leave(verbs->node);
}

static const Verb VERBS[] = {
    {"status", verbs_status},     {"peers", verbs_peers},           {"lookup", verbs_lookup},
    {"register", verbs_register}, {"unregister", verbs_unregister}, {"stop", verbs_stop},
};

void verbs_on_request(void *user, const char *verb, const json_t *request, ControlCall *call)
{
    const Verbs *verbs = user;

    for (size_t i = 0; i < G_N_ELEMENTS(VERBS); i++) {
        if (strcmp(verb, VERBS[i].name) == 0) {
            VERBS[i].run(user, request, call);
            return;
        }
    }
    if (verbs->run != NULL && control_run_on_request(verbs->run, verb, request, call)) {
        return;
    }
    control_refuse(call, "nothing is known of \"do\": \"%.32s\"", verb);
}

Verbs *verbs_new(Node *node, const Health *health)
{
    Verbs *verbs = g_new(Verbs, 1);

    *verbs = (Verbs){.node = node, .health = health, .tasks = g_ptr_array_new()};
    if (node_config(node)->emulate.scenario != NULL) {
        verbs->run = control_run_new(node);
    }
    return verbs;
}

void verbs_free(Verbs *verbs)
{
    if (verbs == NULL) {
        return;
    }
    while (verbs->tasks->len > 0) {
        VerbsTask *task = g_ptr_array_index(verbs->tasks, 0);

        node_forget(verbs->node, task);
        control_refuse(task->call, "the node ends");
        verbs_task_free(task);
    }
    control_run_free(verbs->run);
    g_ptr_array_unref(verbs->tasks);
    g_free(verbs);
}
