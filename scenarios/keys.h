/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * keys.h - the table of scenario keys: one row says all about a key.
 * Source: none.   State: none.   Time: none.
 */
#ifndef SCENARIOS_KEYS_H
#define SCENARIOS_KEYS_H

#include <scenarios/scenario.h>

typedef enum KeyType {
    KEY_TEXT,      /* any text that is not empty */
    KEY_SPAN,      /* min, max in ns */
    KEY_COUNT,     /* min, max */
    KEY_MILLI,     /* a number with at most three decimals; max in thousandths */
    KEY_PPM,       /* a percentage */
    KEY_CHOICE,    /* one of `choices`, also yes and no */
    KEY_DIST,      /* see <scenarios/dist.h> */
    KEY_SERVICE,   /* a processor: infinite, constant:T, exponential:T */
    KEY_QUEUE,     /* messages or a time */
    KEY_BANDWIDTH, /* unlimited or a bit rate */
    KEY_LATENCY,   /* a network model */
    KEY_FINGERS,   /* auto or a number */
    KEY_NEIGHBOURS /* sets successors and predecessors */
} KeyType;

typedef struct KeyChoice {
    const char *name; /* NULL ends the list */
    int value;
    const char *unavailable; /* why this version cannot, or NULL */
} KeyChoice;

typedef struct Key {
    const char *section;
    const char *name;
    KeyType type;
    const KeyChoice *choices;
    size_t offset; /* of its field in Scenario */
    size_t size;
    uint64_t min;
    uint64_t max;
    const char *fallback; /* the default as one would write it; NULL: see `absent` */
    const char *absent;   /* what a missing key means */
    const char *help;
} Key;

extern const Key KEYS[];
extern const size_t KEYS_LEN;

/* key_find returns a row or NULL. */
const Key *key_find(const char *section, const char *name);

/* key_apply reads a value into the scenario's field. Returns false with SCENARIO_ERROR_VALUE or
 * SCENARIO_ERROR_UNAVAILABLE that says what is wrong with the value. */
bool key_apply(const Key *key, const char *text, Scenario *scenario, GError **error) PEAL_MUST_USE;

/* key_range_text says what values a key takes. Text to g_free. */
char *key_range_text(const Key *key);

/*
 * key_check_name tells whether a scenario may have this key. ret_ignore: it may, with this value,
 * and it means nothing. Returns false with SCENARIO_ERROR_UNKNOWN that names the nearest key there
 * is, or SCENARIO_ERROR_UNAVAILABLE.
 */
bool key_check_name(const char *section, const char *name, const char *value, bool *ret_ignore,
                    GError **error) PEAL_MUST_USE;

/* key_check_section does that for a section. */
bool key_check_section(const char *section, GError **error) PEAL_MUST_USE;

/* Sections and keys that are no fields of Scenario. */
#define KEYS_EVENT_PREFIX "event:"
#define KEYS_SWEEP "sweep"

#endif
