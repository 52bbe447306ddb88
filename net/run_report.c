/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_report.c - see run_report.h. */
#include "run_report.h"

#include <string.h>

static json_int_t number_at(const json_t *list, size_t i)
{
    return json_integer_value(json_array_get(list, i));
}

static bool read_id(const json_t *json, PealId *ret_id)
{
    const char *text = json_string_value(json);

    return text != NULL && peal_id_parse((PealStr){text, strlen(text)}, ret_id) == 0;
}

/* [kind, at, key, transaction, ...] */
static bool read_keyed(const json_t *json, RunEventKind kind, RunTruth *truth, uint32_t peer)
{
    RunEvent event = {.at = {number_at(json, 1)},
                      .kind = kind,
                      .peer = peer,
                      .transaction = (uint64_t)number_at(json, 3),
                      .number = (uint32_t)number_at(json, 4)};

    if (!read_id(json_array_get(json, 2), &event.key)) {
        return false;
    }
    if (kind == RUN_EVENT_FETCHED) {
        event.started.ns = number_at(json, 5);
        event.took.ns = number_at(json, 6);
        event.status = (int32_t)number_at(json, 7);
        event.error_code = (uint16_t)number_at(json, 8);
        event.values = (uint16_t)number_at(json, 9);
    }
    run_truth_add(truth, &event);
    return true;
}

static bool read_event(const json_t *json, RunPeer *peer, RunTruth *truth, RunReport *report)
{
    static const struct {
        const char *name;
        RunEventKind kind;
    } keyed[] = {{"served", RUN_EVENT_SERVED},
                 {"stored", RUN_EVENT_STORED},
                 {"removed", RUN_EVENT_REMOVED},
                 {"fetched", RUN_EVENT_FETCHED}};
    const char *what = json_string_value(json_array_get(json, 0));

    for (size_t i = 0; what != NULL && i < G_N_ELEMENTS(keyed); i++) {
        if (strcmp(what, keyed[i].name) == 0) {
            return read_keyed(json, keyed[i].kind, truth, peer->index);
        }
    }
    if (g_strcmp0(what, "joined") == 0) {
        report->joined = true;
        run_truth_add(truth, &(RunEvent){.at = {number_at(json, 1)},
                                         .kind = RUN_EVENT_JOINED,
                                         .peer = peer->index});
        return true;
    }
    if (g_strcmp0(what, "registered") == 0) {
        *(number_at(json, 2) == 0 ? &report->registered : &report->register_failed) += 1;
        return true;
    }
    return false;
}

static bool read_numbers(const json_t *list, uint64_t *ret_values, size_t len)
{
    if (json_array_size(list) != len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        ret_values[i] = (uint64_t)number_at(list, i);
    }
    return true;
}

static bool read_side(const json_t *list, RunSide *ret_side)
{
    RunSide side = {.len = (uint32_t)json_array_size(list)};

    if (!json_is_array(list) || json_array_size(list) > PEAL_NEIGHBOURS_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < side.len; i++) {
        if (!read_id(json_array_get(list, i), &side.ids[i])) {
            return false;
        }
    }
    *ret_side = side;
    return true;
}

/* What was counted before time 0 is left out. */
static void subtract(RecorderTotals *totals, const RecorderTotals *base)
{
    for (size_t i = 0; i < RECORDER_COUNTER_COUNT; i++) {
        totals->counter[i] -= base->counter[i];
    }
    for (size_t i = 0; i < PEAL_DROP_COUNT; i++) {
        totals->drops[i] -= base->drops[i];
    }
    for (size_t i = 0; i < RECORDER_CODES; i++) {
        totals->codes[i] -= base->codes[i];
    }
}

bool run_report_read(const json_t *json, RunPeer *peer, RunTruth *truth, RunReport *ret_report)
{
    RunReport report = {.now = {json_integer_value(json_object_get(json, "now_ns"))},
                        .more = json_is_true(json_object_get(json, "more"))};
    RecorderTotals totals = {0};
    const json_t *event;
    size_t i;

    if (!read_side(json_object_get(json, "successors"), &peer->successors) ||
        !read_side(json_object_get(json, "predecessors"), &peer->predecessors) ||
        !read_numbers(json_object_get(json, "counters"), totals.counter, RECORDER_COUNTER_COUNT) ||
        !read_numbers(json_object_get(json, "drops"), totals.drops, PEAL_DROP_COUNT) ||
        !read_numbers(json_object_get(json, "codes"), totals.codes, RECORDER_CODES) ||
        json_integer_value(json_object_get(json, "lost")) != 0) {
        return false;
    }
    json_array_foreach(json_object_get(json, "events"), i, event)
    {
        if (!read_event(event, peer, truth, &report)) {
            return false;
        }
    }
    subtract(&totals, &peer->totals_base);
    peer->totals = totals;
    peer->load = peer->load_before - peer->load_base +
                 (uint64_t)json_integer_value(json_object_get(json, "load"));
    peer->renewed = json_is_true(json_object_get(json, "renewed"));
    *ret_report = report;
    return true;
}
