/* SPDX-License-Identifier: GPL-3.0-or-later */
/* keys_text.c - the reference of all keys, made from their table: `peal help keys`, KEYS.md. */
#include <scenarios/attack.h>
#include <scenarios/keys.h>

static const char INTRODUCTION[] =
    "A scenario is a file of [sections] with lines key = value; # begins a comment. Every quantity "
    "carries its unit: 50ms, 10min, 1h (ns, us, ms, s, min, h, d), 2%, 64kbit/s. `--set "
    "section.key=value` replaces one value. Only [scenario] must be there.";

/* Sections that are no rows of the table. */
static const Key EXTRA_KEYS[] = {
    {.section = "event:NAME",
     .name = "at",
     .type = KEY_SPAN,
     .max = UINT64_C(3650) * 86400 * UINT64_C(1000000000),
     .absent = "required",
     .help = "When it happens, before the end of the scenario."},
    {.section = "event:NAME",
     .name = "do",
     .type = KEY_TEXT,
     .absent = "required",
     .help =
         "join N [over T]; leave N or P%; restart N or P%; fail N or P% [adjacent or region] "
         "peers; leave, restart, fail or start peer INDEX (from 0); partition P%; heal. Victims "
         "are "
         "drawn from the peers that are up, unless one is named; a region's are those nearest in "
         "the network to a peer drawn; a restart is a crash and a start at once under the same "
         "Node-ID, and start brings a peer back that is down; joiners start evenly within T, else "
         "one per overlay.join-interval; a partition cuts P% of the peers off from the rest until "
         "heal."},
    {.section = KEYS_SWEEP,
     .name = "section.key",
     .type = KEY_TEXT,
     .absent = "no sweep",
     .help = "A list with commas between its items: values, and ranges such as 0%..50% step 10% or "
             "100..100000 x10, whose two ends belong to it and whose end must be hit. Any key of "
             "any section but [sweep], as event:crash.do. --set on a swept key replaces its list."},
    {.section = KEYS_SWEEP,
     .name = "combine",
     .type = KEY_TEXT,
     .absent = "cross",
     .help = "cross: every combination of the swept keys' values is a point; zip: their first "
             "values, then their second ones, and so on; zip(KEY, KEY): these keys go together, "
             "crossed with the others and with further such groups."},
};

enum { INDENT = 25, WIDTH = 100 };

/* Adds words in lines of at most WIDTH, from column `indent` on; the first line has begun. */
static void append_wrapped(GString *text, const char *words, guint indent)
{
    g_auto(GStrv) parts = g_strsplit(words, " ", -1);
    size_t column = indent;

    for (guint i = 0; parts[i] != NULL; i++) {
        if (i > 0 && column + 1 + strlen(parts[i]) > WIDTH) {
            g_string_append_printf(text, "\n%*s", (int)indent, "");
            column = indent;
        } else if (i > 0) {
            g_string_append_c(text, ' ');
            column++;
        }
        g_string_append(text, parts[i]);
        column += strlen(parts[i]);
    }
    g_string_append_c(text, '\n');
}

static void append_row(GString *text, const Key *key, bool markdown)
{
    g_autofree char *range = key_range_text(key);
    const char *fallback = key->fallback != NULL ? key->fallback : key->absent;
    g_autofree char *absence = g_strdup_printf("default: %s", fallback);

    if (key->type == KEY_TEXT && strcmp(key->name, "name") != 0) {
        g_free(range);
        range = g_strdup("see the meaning");
    }
    if (markdown) {
        g_string_append_printf(text, "| `%s` | %s | %s | %s |\n", key->name, range, fallback,
                               key->help);
    } else {
        g_string_append_printf(text, "  %-*s", INDENT - 2, key->name);
        append_wrapped(text, range, INDENT);
        g_string_append_printf(text, "%*s", INDENT, "");
        append_wrapped(text, absence, INDENT);
        g_string_append_printf(text, "%*s", INDENT, "");
        append_wrapped(text, key->help, INDENT);
    }
}

void key_text_wrapped(GString *text, const char *words)
{
    append_wrapped(text, words, 0);
}

static void append_section(GString *text, const char *section, bool markdown)
{
    g_string_append_printf(text, markdown ? "\n## [%s]\n\n" : "\n[%s]\n", section);
    if (markdown) {
        g_string_append(text, "| key | values | default | meaning |\n|---|---|---|---|\n");
    }
}

void key_file_text(const KeyFile *file, bool markdown, GString *text)
{
    const char *section = "";

    for (size_t i = 0; i < file->tables_len; i++) {
        for (const Key *key = key_table_next(&file->tables[i], NULL); key != NULL;
             key = key_table_next(&file->tables[i], key)) {
            if (strcmp(section, key->section) != 0) {
                section = key->section;
                append_section(text, section, markdown);
            }
            append_row(text, key, markdown);
        }
    }
}

char *scenario_keys_text(bool markdown)
{
    const KeyTable tables[] = {{KEYS, KEYS_LEN, NULL},
                               {ATTACK_KEYS, ATTACK_KEYS_LEN, NULL},
                               {EXTRA_KEYS, G_N_ELEMENTS(EXTRA_KEYS), NULL}};
    const KeyFile file = {.tables = tables, .tables_len = G_N_ELEMENTS(tables)};
    GString *text = g_string_new(NULL);

    if (markdown) {
        g_string_append(text, "# Scenario keys\n\nGenerated by `peal help keys --markdown`.\n\n");
        g_string_append_printf(text, "%s\n", INTRODUCTION);
    } else {
        append_wrapped(text, INTRODUCTION, 0);
    }
    key_file_text(&file, markdown, text);
    return g_string_free(text, FALSE);
}
