/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * settings.c - reads a file's text into settings that know their lines. See settings.h.
 * GKeyFile does the parsing; it keeps no line numbers and lets the last of two duplicates win, so a
 * scan of the text comes first.
 */
#include <scenarios/settings.h>

static void setting_free(gpointer data)
{
    Setting *setting = data;

    g_free(setting->section);
    g_free(setting->key);
    g_free(setting->value);
    g_free(setting);
}

static Setting *setting_copy(const Setting *setting)
{
    Setting *copy = g_new0(Setting, 1);

    *copy = *setting;
    copy->section = g_strdup(setting->section);
    copy->key = g_strdup(setting->key);
    copy->value = g_strdup(setting->value);
    return copy;
}

static void section_free(gpointer data)
{
    SettingSection *section = data;

    g_free(section->name);
    g_free(section);
}

static void section_add(ScenarioSettings *settings, const char *name, guint line)
{
    SettingSection *section = g_new0(SettingSection, 1);

    section->name = g_strdup(name);
    section->line = line;
    g_ptr_array_add(settings->sections, section);
}

static ScenarioSettings *settings_new(const KeyFile *file, const char *path)
{
    ScenarioSettings *settings = g_new0(ScenarioSettings, 1);

    settings->file = file;
    settings->path = g_strdup(path);
    settings->list = g_ptr_array_new_with_free_func(setting_free);
    settings->sections = g_ptr_array_new_with_free_func(section_free);
    return settings;
}

void settings_free(ScenarioSettings *settings)
{
    if (settings == NULL) {
        return;
    }
    g_free(settings->path);
    g_ptr_array_unref(settings->list);
    g_ptr_array_unref(settings->sections);
    g_free(settings);
}

ScenarioSettings *settings_copy(const ScenarioSettings *settings)
{
    ScenarioSettings *copy = settings_new(settings->file, settings->path);

    for (guint i = 0; i < settings->list->len; i++) {
        g_ptr_array_add(copy->list, setting_copy(g_ptr_array_index(settings->list, i)));
    }
    for (guint i = 0; i < settings->sections->len; i++) {
        const SettingSection *section = g_ptr_array_index(settings->sections, i);

        section_add(copy, section->name, section->line);
    }
    return copy;
}

bool settings_fail_at(const ScenarioSettings *settings, guint line, ScenarioError code,
                      GError **error, const char *format, ...)
{
    va_list args;
    g_autofree char *text = NULL;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    if (line == 0) {
        g_set_error(error, SCENARIO_ERROR, (gint)code, "%s: %s", settings->path, text);
    } else {
        g_set_error(error, SCENARIO_ERROR, (gint)code, "%s:%u: %s", settings->path, line, text);
    }
    return false;
}

static gint settings_index(const ScenarioSettings *settings, const char *section, const char *key)
{
    for (guint i = 0; i < settings->list->len; i++) {
        const Setting *setting = g_ptr_array_index(settings->list, i);

        if (strcmp(setting->section, section) == 0 && strcmp(setting->key, key) == 0) {
            return (gint)i;
        }
    }
    return -1;
}

const Setting *settings_find(const ScenarioSettings *settings, const char *section, const char *key)
{
    gint i = settings_index(settings, section, key);

    return i < 0 ? NULL : g_ptr_array_index(settings->list, (guint)i);
}

guint settings_section_line(const ScenarioSettings *settings, const char *section)
{
    for (guint i = 0; i < settings->sections->len; i++) {
        const SettingSection *candidate = g_ptr_array_index(settings->sections, i);

        if (strcmp(candidate->name, section) == 0) {
            return candidate->line;
        }
    }
    return 0;
}

GPtrArray *settings_sections_with(const ScenarioSettings *settings, const char *prefix)
{
    GPtrArray *names = g_ptr_array_new();

    for (guint i = 0; i < settings->sections->len; i++) {
        const SettingSection *section = g_ptr_array_index(settings->sections, i);

        if (g_str_has_prefix(section->name, prefix)) {
            g_ptr_array_add(names, section->name);
        }
    }
    for (guint i = 0; i < settings->list->len; i++) {
        const Setting *setting = g_ptr_array_index(settings->list, i);

        if (g_str_has_prefix(setting->section, prefix) &&
            !g_ptr_array_find_with_equal_func(names, setting->section, g_str_equal, NULL)) {
            g_ptr_array_add(names, setting->section);
        }
    }
    return names;
}

char *settings_text(const ScenarioSettings *settings)
{
    g_autoptr(GPtrArray) names = settings_sections_with(settings, "");
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        gsize before = text->len;

        for (guint j = 0; j < settings->list->len; j++) {
            const Setting *setting = g_ptr_array_index(settings->list, j);

            if (strcmp(setting->section, name) == 0) {
                if (text->len == before) {
                    g_string_append_printf(text, "%s[%s]\n", before > 0 ? "\n" : "", name);
                }
                g_string_append_printf(text, "%s = %s\n", setting->key, setting->value);
            }
        }
    }
    return g_string_free(text, FALSE);
}

void settings_put(ScenarioSettings *settings, const Setting *setting)
{
    gint i = settings_index(settings, setting->section, setting->key);
    Setting *copy = setting_copy(setting);

    if (i < 0) {
        g_ptr_array_add(settings->list, copy);
    } else {
        setting_free(g_ptr_array_index(settings->list, (guint)i));
        g_ptr_array_index(settings->list, (guint)i) = copy;
    }
}

void settings_remove(ScenarioSettings *settings, const char *section, const char *key)
{
    gint i = settings_index(settings, section, key);

    if (i >= 0) {
        g_ptr_array_remove_index(settings->list, (guint)i);
    }
}

bool settings_override(ScenarioSettings *settings, const char *option, GError **error)
{
    const char *equals = strchr(option, '=');
    const char *dot = strchr(option, '.');

    if (!g_utf8_validate(option, -1, NULL)) {
        g_autofree char *shown = g_utf8_make_valid(option, -1);

        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_SYNTAX, "--set %s: this is not UTF-8",
                    shown);
        return false;
    }
    if (equals == NULL || dot == NULL || dot > equals || dot == option || dot + 1 == equals) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_SYNTAX,
                    "--set %s: write --set section.key=value, as in --set overlay.peers=100",
                    option);
        return false;
    }
    g_autofree char *section = g_strndup(option, (gsize)(dot - option));
    g_autofree char *key = g_strndup(dot + 1, (gsize)(equals - dot - 1));
    g_autofree char *value = g_strstrip(g_strdup(equals + 1));
    g_autofree char *whole = NULL;

    g_strstrip(key);
    whole = g_strdup_printf("%s.%s", section, key);
    settings_remove(settings, "sweep", whole);
    settings_put(settings, &(Setting){.section = section, .key = key, .value = value});
    return true;
}

void settings_prefix(const ScenarioSettings *settings, const Setting *setting, GError **error)
{
    if (setting->line == 0) {
        g_prefix_error(error, "--set %s.%s=%s: ", setting->section, setting->key, setting->value);
    } else if (setting->swept) {
        g_prefix_error(error, "%s:%u: sweep of %s.%s, value %s: ", settings->path, setting->line,
                       setting->section, setting->key, setting->value);
    } else {
        g_prefix_error(error, "%s:%u: %s.%s = %s: ", settings->path, setting->line,
                       setting->section, setting->key, setting->value);
    }
}

static bool name_is_good(const char *name)
{
    if (*name == '\0') {
        return false;
    }
    for (; *name != '\0'; name++) {
        if (!g_ascii_isalnum(*name) && strchr("-_:.", *name) == NULL) {
            return false;
        }
    }
    return true;
}

/* scan_section takes `[name]`; returns the section's name, or NULL with error set. */
static const char *scan_section(ScenarioSettings *settings, char *line, guint number,
                                GError **error)
{
    size_t len = strlen(line);
    guint first;

    if (line[len - 1] != ']') {
        settings_fail_at(settings, number, SCENARIO_ERROR_SYNTAX, error,
                         "'%s' is no section: write [name] on a line of its own", line);
        return NULL;
    }
    line[len - 1] = '\0';
    line++;
    if (!name_is_good(line)) {
        settings_fail_at(settings, number, SCENARIO_ERROR_SYNTAX, error,
                         "[%s] is no section name: use letters, digits, '-', '_' and ':'", line);
        return NULL;
    }
    first = settings_section_line(settings, line);
    if (first != 0) {
        settings_fail_at(settings, number, SCENARIO_ERROR_SYNTAX, error,
                         "duplicate section [%s]: it began at line %u; put its keys together", line,
                         first);
        return NULL;
    }
    if (settings->sections->len == SETTINGS_MAX) {
        settings_fail_at(settings, number, SCENARIO_ERROR_SYNTAX, error,
                         "%s %s has at most %d sections", settings->file->article,
                         settings->file->what, SETTINGS_MAX);
        return NULL;
    }
    section_add(settings, line, number);
    return ((SettingSection *)g_ptr_array_index(settings->sections, settings->sections->len - 1))
        ->name;
}

static bool scan_key(ScenarioSettings *settings, const char *section, char *line, guint number,
                     GError **error)
{
    char *equals = strchr(line, '=');
    const Setting *first;

    if (equals == NULL) {
        return settings_fail_at(
            settings, number, SCENARIO_ERROR_SYNTAX, error,
            "'%.40s' is neither [section] nor key = value nor a # comment; if this "
            "is no %s, 'peal help keys' shows what one may say",
            line, settings->file->what);
    }
    *equals = '\0';
    g_strstrip(line);
    if (!name_is_good(line)) {
        return settings_fail_at(settings, number, SCENARIO_ERROR_SYNTAX, error,
                                "'%s' is no key: use letters, digits, '-', '_', ':' and '.'", line);
    }
    if (section == NULL) {
        return settings_fail_at(settings, number, SCENARIO_ERROR_SYNTAX, error,
                                "key '%s' stands before any section: begin with [%s]", line,
                                settings->file->section);
    }
    first = settings_find(settings, section, line);
    if (first != NULL) {
        return settings_fail_at(settings, number, SCENARIO_ERROR_SYNTAX, error,
                                "duplicate key '%s' in [%s]: line %u sets it already; remove one",
                                line, section, first->line);
    }
    if (settings->list->len == SETTINGS_MAX) {
        return settings_fail_at(settings, number, SCENARIO_ERROR_SYNTAX, error,
                                "%s %s has at most %d keys", settings->file->article,
                                settings->file->what, SETTINGS_MAX);
    }
    settings_put(settings, &(Setting){.section = (char *)section,
                                      .key = line,
                                      .value = (char *)"",
                                      .line = number});
    return true;
}

/* settings_scan indexes sections, keys and their lines; the values stay empty. */
static bool settings_scan(ScenarioSettings *settings, const char *text, GError **error)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    const char *section = NULL;

    for (guint i = 0; lines[i] != NULL; i++) {
        char *line = g_strstrip(lines[i]);

        if (line[0] == '\0' || line[0] == '#') {
            continue;
        }
        if (line[0] == '[') {
            section = scan_section(settings, line, i + 1, error);
            if (section == NULL) {
                return false;
            }
        } else if (!scan_key(settings, section, line, i + 1, error)) {
            return false;
        }
    }
    return true;
}

/* A comment may follow a value after white space. */
static void value_strip_comment(char *value)
{
    for (char *at = value; *at != '\0'; at++) {
        if (*at == '#' && (at == value || g_ascii_isspace(at[-1]))) {
            *at = '\0';
            break;
        }
    }
    g_strstrip(value);
}

static bool settings_read_values(ScenarioSettings *settings, const char *text, gsize len,
                                 GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();

    if (!g_key_file_load_from_data(file, text, len, G_KEY_FILE_NONE, error)) {
        g_prefix_error(error, "%s: ", settings->path);
        return false;
    }
    for (guint i = 0; i < settings->list->len; i++) {
        Setting *setting = g_ptr_array_index(settings->list, i);
        char *value = g_key_file_get_value(file, setting->section, setting->key, error);

        if (value == NULL) {
            g_prefix_error(error, "%s:%u: ", settings->path, setting->line);
            return false;
        }
        value_strip_comment(value);
        g_free(setting->value);
        setting->value = value;
    }
    return true;
}

/* settings_read_text fills in settings from terminated text. */
static bool settings_read_text(ScenarioSettings *settings, const char *text, GError **error)
{
    const KeyFile *file = settings->file;

    if (!settings_scan(settings, text, error)) {
        return false;
    }
    if (settings_section_line(settings, file->section) == 0) {
        return settings_fail_at(settings, 0, SCENARIO_ERROR_FILE, error,
                                "is no %s: it has no [%s] section; 'peal help keys' shows what %s "
                                "%s may say",
                                file->what, file->section, file->article, file->what);
    }
    return settings_read_values(settings, text, strlen(text), error);
}

ScenarioSettings *settings_read(const KeyFile *file, const char *path, const char *text, gsize len,
                                GError **error)
{
    static const char mark[] = "\xef\xbb\xbf"; /* some editors begin UTF-8 text with it */
    g_autofree char *terminated = NULL;
    ScenarioSettings *settings;

    if (len > SETTINGS_TEXT_MAX || !g_utf8_validate_len(text, len, NULL)) {
        g_set_error(
            error, SCENARIO_ERROR, SCENARIO_ERROR_FILE,
            "%s: is no %s: it is not UTF-8 text of at most 1 MiB; 'peal help keys' shows what "
            "%s %s may say",
            path, file->what, file->article, file->what);
        return NULL;
    }
    if (len >= strlen(mark) && memcmp(text, mark, strlen(mark)) == 0) {
        text += strlen(mark);
        len -= strlen(mark);
    }
    terminated = g_strndup(text, len);
    settings = settings_new(file, path);
    if (!settings_read_text(settings, terminated, error)) {
        settings_free(settings);
        return NULL;
    }
    return settings;
}
