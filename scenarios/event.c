/* SPDX-License-Identifier: GPL-3.0-or-later */
/* event.c - parses and prints what an event does. See event.h. */
#include "event.h"

#include <inttypes.h>

#include "units.h"

typedef struct EventVerb {
    const char *name;
    bool takes_count;
    bool takes_fraction;
    bool takes_adjacent;
    bool takes_name; /* of one peer */
} EventVerb;

static const EventVerb VERBS[] = {
    [SCENARIO_JOIN] = {"join", true, false, false, false},
    [SCENARIO_LEAVE] = {"leave", true, true, true, true},
    [SCENARIO_RESTART] = {"restart", true, true, true, true},
    [SCENARIO_FAIL] = {"fail", true, true, true, true},
    [SCENARIO_PARTITION] = {"partition", false, true, false, false},
    [SCENARIO_HEAL] = {"heal", false, false, false, false},
    [SCENARIO_START] = {"start", false, false, false, true},
};

static bool event_fail(GError **error, const char *why)
{
    g_set_error(
        error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
        "%s; write one of: join N [over T], leave N or P%%, restart N or P%%, fail N or P%% "
        "[adjacent or region] peers, leave, restart, fail or start peer INDEX, partition P%%, heal",
        why);
    return false;
}

static bool event_parse_amount(const EventVerb *verb, const char *word, ScenarioEvent *event,
                               GError **error)
{
    uint64_t count;

    if (word == NULL) {
        return event_fail(error, "how many peers is missing");
    }
    if (g_str_has_suffix(word, "%")) {
        if (!verb->takes_fraction) {
            return event_fail(error, verb->takes_count
                                         ? "this event takes a number of peers, not a percentage"
                                         : "this event takes one peer by its index");
        }
        if (!units_ppm(word, &event->ppm, error)) {
            return false;
        }
        return event->ppm > 0 || event_fail(error, "0% of peers is nobody");
    }
    if (!verb->takes_count) {
        return event_fail(error, verb->takes_fraction ? "this event takes a percentage of peers"
                                                      : "this event takes one peer by its index");
    }
    if (!units_count(word, &count, error)) {
        return false;
    }
    if (count == 0 || count > SCENARIO_PEERS_MAX) {
        return event_fail(error, "the number of peers must be 1 to 16000000");
    }
    event->count = (uint32_t)count;
    return true;
}

/* The words after `peer`: the index of the one that is meant. */
static bool event_parse_name(char **words, ScenarioEvent *event, GError **error)
{
    uint64_t peer;

    if (words[0] == NULL || words[1] != NULL) {
        return event_fail(error, "one index, from 0 on, stands behind 'peer'");
    }
    if (!units_count(words[0], &peer, error)) {
        return false;
    }
    if (peer >= SCENARIO_PEERS_MAX) {
        return event_fail(error, "the index of a peer must be 0 to 15999999");
    }
    event->named = true;
    event->peer = (uint32_t)peer;
    return true;
}

/* The words after `over`: within which time joiners start. */
static bool event_parse_over(char **words, ScenarioEvent *event, GError **error)
{
    if (event->what != SCENARIO_JOIN) {
        return event_fail(error, "'over' does not go with this event");
    }
    if (words[0] == NULL || words[1] != NULL) {
        return event_fail(error, "one time, such as 1min, stands behind 'over'");
    }
    return units_span(words[0], &event->over, error);
}

/* The words after the amount: [of] [adjacent or region] [peers] [over T]. */
static bool event_parse_rest(const EventVerb *verb, char **words, ScenarioEvent *event,
                             GError **error)
{
    if (*words != NULL && strcmp(*words, "of") == 0) {
        words++;
    }
    if (*words != NULL && strcmp(*words, "adjacent") == 0) {
        if (!verb->takes_adjacent) {
            return event_fail(error, "'adjacent' does not go with this event");
        }
        event->adjacent = true;
        words++;
    } else if (*words != NULL && strcmp(*words, "region") == 0) {
        if (!verb->takes_adjacent) {
            return event_fail(error, "'region' does not go with this event");
        }
        event->region = true;
        words++;
    }
    if (*words != NULL && (strcmp(*words, "peers") == 0 || strcmp(*words, "peer") == 0)) {
        words++;
    }
    if (*words != NULL && strcmp(*words, "over") == 0) {
        return event_parse_over(words + 1, event, error);
    }
    return *words == NULL || event_fail(error, "there are words too many");
}

bool event_parse(const char *text, ScenarioEvent *ret_event, GError **error)
{
    g_auto(GStrv) raw = g_strsplit_set(text, " \t", -1);
    char *words[8] = {NULL};
    size_t words_len = 0;
    size_t what = 0;
    ScenarioEvent event = *ret_event;

    for (size_t i = 0; raw[i] != NULL; i++) {
        if (raw[i][0] == '\0') {
            continue;
        }
        if (words_len + 1 == G_N_ELEMENTS(words)) {
            return event_fail(error, "there are words too many");
        }
        words[words_len++] = raw[i];
    }
    while (what < G_N_ELEMENTS(VERBS) && words_len > 0 && strcmp(words[0], VERBS[what].name) != 0) {
        what++;
    }
    if (words_len == 0 || what == G_N_ELEMENTS(VERBS)) {
        return event_fail(error, "this is no event");
    }
    event.what = (ScenarioDo)what;
    event.adjacent = event.named = event.region = false;
    event.over = (PealSpan){0};
    event.count = 0;
    event.ppm = 0;
    if (event.what == SCENARIO_HEAL) {
        if (words_len > 1) {
            return event_fail(error, "heal stands alone");
        }
    } else if (VERBS[what].takes_name && words_len > 1 && strcmp(words[1], "peer") == 0) {
        if (!event_parse_name(words + 2, &event, error)) {
            return false;
        }
    } else if (!event_parse_amount(&VERBS[what], words[1], &event, error) ||
               !event_parse_rest(&VERBS[what], words + 2, &event, error)) {
        return false;
    }
    *ret_event = event;
    return true;
}

char *scenario_event_text(const ScenarioEvent *event)
{
    const char *verb = VERBS[event->what].name;
    const char *adjacent = event->adjacent ? "adjacent " : event->region ? "region " : "";

    if (event->what == SCENARIO_HEAL) {
        return g_strdup(verb);
    }
    if (event->named) {
        return g_strdup_printf("%s peer %" PRIu32, verb, event->peer);
    }
    if (event->ppm != 0) {
        g_autofree char *fraction = units_ppm_text(event->ppm);

        return g_strdup_printf("%s %s of %speers", verb, fraction, adjacent);
    }
    if (event->over.ns > 0) {
        g_autofree char *over = units_span_text(event->over);

        return g_strdup_printf("%s %" PRIu32 " peers over %s", verb, event->count, over);
    }
    return g_strdup_printf("%s %" PRIu32 " %s%s", verb, event->count, adjacent,
                           event->count == 1 ? "peer" : "peers");
}

uint32_t scenario_event_peers(const ScenarioEvent *event, uint32_t live)
{
    uint64_t count = event->named ? 1 : event->count;

    if (event->ppm != 0) {
        count = ((uint64_t)live * event->ppm + SCENARIO_PPM / 2) / SCENARIO_PPM;
    }
    return (uint32_t)MIN(count, live);
}
