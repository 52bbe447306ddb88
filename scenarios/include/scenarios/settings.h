/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * settings.h - the raw texts of a file of sections and keys, each with the place it came from.
 * Source: the desktop entry syntax that GKeyFile reads.
 * State:  one list per file, at most SETTINGS_MAX of them.   Time: none.
 */
#ifndef SCENARIOS_SETTINGS_H
#define SCENARIOS_SETTINGS_H

#include <scenarios/keys.h>

enum { SETTINGS_TEXT_MAX = 1 << 20, SETTINGS_MAX = 4096 };

typedef struct Setting {
    char *section;
    char *key;
    char *value;
    guint line; /* in the file; 0 when an option gave it */
    bool swept; /* the value is one of a sweep's list */
} Setting;

typedef struct SettingSection {
    char *name;
    guint line;
} SettingSection;

struct ScenarioSettings {
    const KeyFile *file; /* the kind */
    char *path;
    GPtrArray *list;     /* Setting, in the file's order */
    GPtrArray *sections; /* SettingSection, in the file's order */
};

/* settings_sections_with returns the names of the sections that begin with a prefix, of the file
 * and of options, each once, in their order; borrowed. */
GPtrArray *settings_sections_with(const ScenarioSettings *settings, const char *prefix);

/* settings_read scans a file's text; duplicates and lines that are nothing are errors. */
ScenarioSettings *settings_read(const KeyFile *file, const char *path, const char *text, gsize len,
                                GError **error);
ScenarioSettings *settings_copy(const ScenarioSettings *settings);
void settings_free(ScenarioSettings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenarioSettings, settings_free)

/* settings_find returns the setting of a key, or NULL. */
const Setting *settings_find(const ScenarioSettings *settings, const char *section,
                             const char *key);

/* settings_section_line returns the line a section starts at, 0 when the file has none. */
guint settings_section_line(const ScenarioSettings *settings, const char *section);

/* settings_put sets a key's value, in the place of what it had. */
void settings_put(ScenarioSettings *settings, const Setting *setting);

/* settings_remove forgets a key. */
void settings_remove(ScenarioSettings *settings, const char *section, const char *key);

/* settings_text writes the settings as a file that reads the same again; free with g_free. */
char *settings_text(const ScenarioSettings *settings);

/* settings_override applies one option text, `section.key=value`. A sweep of that key goes. */
bool settings_override(ScenarioSettings *settings, const char *option,
                       GError **error) PEAL_MUST_USE;

/* settings_prefix puts before an error's text where the setting stands and what it says. */
void settings_prefix(const ScenarioSettings *settings, const Setting *setting, GError **error);

/* settings_fail_at makes an error about a line of the file. Returns false. */
bool settings_fail_at(const ScenarioSettings *settings, guint line, ScenarioError code,
                      GError **error, const char *format, ...) G_GNUC_PRINTF(5, 6);

#endif
