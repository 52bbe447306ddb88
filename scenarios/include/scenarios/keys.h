/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * keys.h - tables of the keys that a file may have: one row says all about a key.
 * Source: none.   State: none.   Time: none.
 *
 * A table's rows name fields of one struct. Several tables together make a kind of file: a
 * scenario has one, a node's configuration its own and a part of the scenario's.
 */
#ifndef SCENARIOS_KEYS_H
#define SCENARIOS_KEYS_H

#include <scenarios/scenario.h>

typedef enum KeyType {
    KEY_TEXT,       /* any text that is not empty */
    KEY_PATH,       /* any text that is not empty: a char * */
    KEY_WORDS,      /* a list with commas between its items, min to max of them: a char ** */
    KEY_BYTES,      /* a size in memory or on disk */
    KEY_SPAN,       /* min, max in ns */
    KEY_SECONDS,    /* min, max in ns, in whole seconds; the field counts them */
    KEY_COUNT,      /* min, max */
    KEY_MILLI,      /* a number with at most three decimals; max in thousandths */
    KEY_PPM,        /* a percentage */
    KEY_CHOICE,     /* one of `choices`, also yes and no */
    KEY_DIST,       /* see <scenarios/dist.h> */
    KEY_LIFETIME,   /* a distribution: whole seconds, min, max in ns, or one to draw from */
    KEY_SERVICE,    /* a processor: infinite, constant:T, exponential:T */
    KEY_QUEUE,      /* messages or a time */
    KEY_BANDWIDTH,  /* unlimited or a bit rate */
    KEY_LATENCY,    /* a network model */
    KEY_SESSION,    /* a distribution or trace:FILE */
    KEY_FINGERS,    /* auto or a number */
    KEY_WARMUP,     /* mser-5 or a time */
    KEY_NEIGHBOURS, /* sets successors and predecessors */
    KEY_LIMIT,      /* off or a rate, such as 20/s; min, max in thousandths an hour */
    KEY_RATE,       /* 100/s; min, max in thousandths an hour */
    KEY_AMOUNT,     /* a number of peers or a percentage: an AttackAmount */
    KEY_TARGET      /* whom an attack is on: an AttackTarget */
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
    size_t offset; /* of its field in the table's struct, a Scenario for KEYS */
    size_t size;
    uint64_t min;
    uint64_t max;
    const char *fallback; /* the default as one would write it; NULL: see `absent` */
    const char *absent;   /* what a missing key means */
    const char *help;
} Key;

extern const Key KEYS[];
extern const size_t KEYS_LEN;

/* The keys of an [attack:NAME] section, for a ScenarioAttack; their section is ATTACK_SECTION. */
#define ATTACK_SECTION "attack:NAME"
#define ATTACK_PREFIX "attack:"
extern const Key ATTACK_KEYS[];
extern const size_t ATTACK_KEYS_LEN;

/* Rows of a table, and the struct that they fill in. */
typedef struct KeyTable {
    const Key *keys;
    size_t len;
    bool (*has)(const Key *key); /* whether a row is one of them; NULL: all are */
} KeyTable;

/* A kind of file. */
typedef struct KeyFile {
    const char *what;    /* `scenario` */
    const char *article; /* `a` */
    const char *section; /* that must be there */
    const KeyTable *tables;
    size_t tables_len;
} KeyFile;

extern const KeyFile KEYS_SCENARIO;

/* key_table_next returns a table's first row after `key` (NULL: the first of all), or NULL. */
const Key *key_table_next(const KeyTable *table, const Key *key);

/* key_file_find returns a row of any of the file's tables, or NULL. */
const Key *key_file_find(const KeyFile *file, const char *section, const char *name);

/* key_file_check tells whether all sections and keys of some settings may stand in the file.
 * Returns false with SCENARIO_ERROR_UNKNOWN that names the place and the nearest name. */
bool key_file_check(const KeyFile *file, const ScenarioSettings *settings,
                    GError **error) PEAL_MUST_USE;

/* key_table_apply fills in a struct: the settings' values, else the defaults. */
bool key_table_apply(const KeyTable *table, const ScenarioSettings *settings, void *target,
                     GError **error) PEAL_MUST_USE;

/* key_file_text appends the reference of all rows, for a terminal or in markdown. */
void key_file_text(const KeyFile *file, bool markdown, GString *text);
/* Appends words in lines of at most 100 columns. */
void key_text_wrapped(GString *text, const char *words);

/* key_find returns a row of the scenario's table, or NULL. */
const Key *key_find(const char *section, const char *name);

/* key_apply reads a value into the field of target, a struct of the key's table. Returns false with
 * SCENARIO_ERROR_VALUE or SCENARIO_ERROR_UNAVAILABLE that says what is wrong with the value. */
bool key_apply(const Key *key, const char *text, void *target, GError **error) PEAL_MUST_USE;

/* key_range_text says what values a key takes. Text to g_free. */
char *key_range_text(const Key *key);

/* key_check_name tells whether a scenario may have this key. Returns false with
 * SCENARIO_ERROR_UNKNOWN that names the nearest key there is, or SCENARIO_ERROR_UNAVAILABLE. */
bool key_check_name(const char *section, const char *name, GError **error) PEAL_MUST_USE;

/* key_check_section does that for a section. */
bool key_check_section(const char *section, GError **error) PEAL_MUST_USE;

/* Sections and keys that are no fields of Scenario. */
#define KEYS_EVENT_PREFIX "event:"
#define KEYS_SWEEP "sweep"

#endif
