/* SPDX-License-Identifier: GPL-3.0-or-later */
/* json.c - a capture's figures for programs; see analysis/SCHEMA.md. */
#include "describe/figures.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *whole(uint64_t value)
{
    return json_integer((json_int_t)MIN(value, (uint64_t)INT64_MAX));
}

static void put(json_t *object, const char *name, uint64_t value)
{
    json_object_set_new(object, name, whole(value));
}

static void put_text(json_t *object, const char *name, const char *text)
{
    g_autofree char *readable = text != NULL ? figures_readable(text) : NULL;

    json_object_set_new(object, name, readable != NULL ? json_string(readable) : json_null());
}

/* Counts by status that are not 0; status 0 stands for none. */
static json_t *by_status(const uint64_t *counts)
{
    json_t *object = json_object();

    for (unsigned status = 0; status < FIGURES_STATUSES; status++) {
        char name[8];

        g_snprintf(name, sizeof(name), "%u", status);
        if (counts[status] > 0) {
            put(object, status == 0 ? "none" : name, counts[status]);
        }
    }
    return object;
}

static json_t *by_name(const GArray *counts)
{
    json_t *object = json_object();

    for (guint i = 0; i < counts->len; i++) {
        const HistoryCount *count = &g_array_index(counts, HistoryCount, i);
        g_autofree char *name = figures_readable(count->name);

        put(object, name, count->count);
    }
    return object;
}

static json_t *of_spread(const Spread *spread, double factor)
{
    const struct {
        const char *name;
        double value;
    } parts[] = {{"mean", spread->mean},  {"min", spread->min}, {"p25", spread->p25},
                 {"p50", spread->median}, {"p75", spread->p75}, {"p90", spread->p90},
                 {"p95", spread->p95},    {"p99", spread->p99}, {"max", spread->max}};
    json_t *object = json_object();

    put(object, "count", spread->count);
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        json_object_set_new(object, parts[i].name, number(parts[i].value * factor));
    }
    return object;
}

static json_t *of_messages(const TraceCounts *counts, const HistoryData *data)
{
    json_t *object = json_object();

    put(object, "total", counts->messages);
    put(object, "udp", counts->messages - MIN(counts->messages, counts->messages_tcp));
    put(object, "tcp", counts->messages_tcp);
    put(object, "cut", counts->messages_cut);
    put(object, "retransmissions", data->retransmissions);
    put(object, "lost", data->lost);
    json_object_set_new(object, "requests", by_name(data->methods));
    json_object_set_new(object, "responses", by_status(data->responses));
    return object;
}

static json_t *of_users(const Figures *figures, const HistoryData *data)
{
    json_t *object = json_object(), *top = json_array();

    put(object, "registering", figures->users_registering);
    put(object, "calling", figures->users_calling);
    put(object, "called", figures->users_called);
    for (unsigned i = 0; i < figures->top_len; i++) {
        const Talker *talker = &figures->top[i];
        json_t *one = json_object();

        put_text(one, "aor", g_array_index(data->users, HistoryUser, talker->user).aor);
        put(one, "made", talker->made);
        put(one, "taken", talker->taken);
        json_array_append_new(top, one);
    }
    json_object_set_new(object, "top", top);
    return object;
}

static json_t *of_registrations(const Figures *figures)
{
    json_t *object = json_object();

    put(object, "registered", figures->registered);
    put(object, "refused", figures->refused);
    put(object, "left_at_challenge", figures->unfinished);
    put(object, "unanswered", figures->unanswered);
    put(object, "removals", figures->removals);
    put(object, "queries", figures->queries);
    json_object_set_new(object, "by_status", by_status(figures->registration_status));
    json_object_set_new(object, "asked_s", of_spread(&figures->asked, 1));
    json_object_set_new(object, "granted_s", of_spread(&figures->granted, 1));
    json_object_set_new(object, "interval_s", of_spread(&figures->interval, 1));
    return object;
}

static json_t *of_calls(const Figures *figures, const HistoryData *data)
{
    json_t *object = json_object();

    for (unsigned i = 0; i < FIGURES_OUTCOMES; i++) {
        put(object, history_outcome_name((HistoryOutcome)i), figures->outcomes[i]);
    }
    json_object_set_new(object, "by_status", by_status(figures->call_status));
    json_object_set_new(object, "setup_ms", of_spread(&figures->setup, 1e3));
    json_object_set_new(object, "answer_ms", of_spread(&figures->answer, 1e3));
    json_object_set_new(object, "ring_s", of_spread(&figures->ring, 1));
    json_object_set_new(object, "talk_s", of_spread(&figures->talk, 1));
    json_object_set_new(object, "arrival_s", of_spread(&figures->arrival, 1));
    json_object_set_new(object, "calls_per_hour",
                        number(data->calls->len * 3600.0 / figures->duration_s));
    json_object_set_new(object, "erlang", number(figures->talked_s / figures->duration_s));
    put(object, "peak", figures->peak);
    put(object, "legs", figures->legs);
    put(object, "on_several_legs", figures->on_legs);
    put(object, "forked", figures->forked);
    put(object, "callee_hung_up", figures->hung_up);
    put(object, "without_bye", figures->open_end);
    json_object_set_new(object, "codecs", by_name(figures->codecs));
    return object;
}

static json_t *of_media(const Figures *figures)
{
    json_t *object = json_object();
    bool any = figures->media_packets > 0;
    g_autofree char *first = any ? figures_instant(figures->media_first_ns) : NULL;
    g_autofree char *last = any ? figures_instant(figures->media_last_ns) : NULL;

    put(object, "packets", figures->media_packets);
    put(object, "bytes", figures->media_bytes);
    put(object, "calls", figures->media_calls);
    put_text(object, "first", first);
    put_text(object, "last", last);
    json_object_set_new(object, "span_s", of_spread(&figures->media, 1));
    return object;
}

static json_t *of_skipped(const TraceCounts *counts)
{
    json_t *object = json_object();

    for (unsigned i = 0; i < TRACE_SKIP_COUNT; i++) {
        if (counts->skipped[i] > 0) {
            put(object, trace_skip_name((TraceSkip)i), counts->skipped[i]);
        }
    }
    return object;
}

static void put_capture(json_t *object, const char *name, const TraceCounts *counts,
                        const Figures *figures)
{
    g_autofree char *first = counts->packets > 0 ? figures_instant(counts->first_ns) : NULL;
    g_autofree char *last = counts->packets > 0 ? figures_instant(counts->last_ns) : NULL;

    put_text(object, "file", name);
    put(object, "packets", counts->packets);
    put(object, "bytes", counts->bytes);
    put_text(object, "first", first);
    put_text(object, "last", last);
    json_object_set_new(object, "duration_s", number(figures->duration_s));
    json_object_set_new(object, "interrupted", json_boolean(counts->interrupted));
    put_text(object, "damage", counts->damage[0] != '\0' ? counts->damage : NULL);
}

json_t *describe_tree(const char *name, const TraceCounts *counts, const HistoryData *data)
{
    g_auto(Figures) figures = {.codecs = NULL};
    json_t *object = json_object();

    figures_init(&figures, counts, data);
    put_capture(object, name, counts, &figures);
    json_object_set_new(object, "messages", of_messages(counts, data));
    put(object, "users", data->users->len);
    put(object, "registrations", data->registrations->len);
    put(object, "calls", data->calls->len);
    put(object, "challenged", data->challenged);
    json_object_set_new(object, "user_figures", of_users(&figures, data));
    json_object_set_new(object, "registration_figures", of_registrations(&figures));
    json_object_set_new(object, "call_figures", of_calls(&figures, data));
    json_object_set_new(object, "media", of_media(&figures));
    json_object_set_new(object, "skipped", of_skipped(counts));
    return object;
}

char *describe_json(const char *name, const TraceCounts *counts, const HistoryData *data)
{
    json_t *tree = describe_tree(name, counts, data);
    char *dumped = json_dumps(tree, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    char *text = g_strdup(dumped);

    free(dumped);
    json_decref(tree);
    return text;
}
