/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sweep.c - see sweep.h. */
#include "sweep.h"

#include <scenarios/keys.h>

/* What all points have in common: a run has one name, and one rule for its replications. */
static bool sweep_is_possible(const char *key)
{
    static const char *const shared[] = {"scenario.name", "scenario.replications",
                                         "scenario.replications-max", "scenario.precision",
                                         "scenario.precision-of"};

    for (size_t i = 0; i < G_N_ELEMENTS(shared); i++) {
        if (strcmp(key, shared[i]) == 0) {
            return false;
        }
    }
    return true;
}

static bool is_sweep(const Setting *setting)
{
    return strcmp(setting->section, KEYS_SWEEP) == 0 && strcmp(setting->key, SWEEP_COMBINE) != 0;
}

/* A swept key, and which keys it goes together with. */
typedef struct SweepKey {
    const Setting *setting;
    GPtrArray *values;
    guint group; /* the same for keys that are zipped; groups are numbered by their first key */
} SweepKey;

static void key_clear(void *key)
{
    g_ptr_array_unref(((SweepKey *)key)->values);
}

static SweepKey *key_at(const GArray *keys, guint i)
{
    return &g_array_index(keys, SweepKey, i);
}

/* The names between parentheses of `combine`, NULL where it has none: one list for each group. */
static GPtrArray *combine_groups(const char *text)
{
    GPtrArray *groups = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);

    while (*text != '\0') {
        const char *end = strchr(text, ')');
        g_autofree char *names = NULL;
        char **list;

        if (!g_str_has_prefix(text, "zip(") || end == NULL) {
            g_ptr_array_unref(groups);
            return NULL;
        }
        names = g_strndup(text + strlen("zip("), (gsize)(end - text) - strlen("zip("));
        list = g_strsplit(names, ",", -1);
        for (char **name = list; *name != NULL; name++) {
            g_strstrip(*name);
        }
        g_ptr_array_add(groups, list);
        for (text = end + 1; *text == ' ' || *text == ','; text++) {
        }
    }
    return groups;
}

static bool key_is_of(const SweepKey *key, char **names)
{
    return g_strv_contains((const char *const *)names, key->setting->key);
}

/* Gives each key its group: its own number, or that of the first key it is zipped with. */
static bool group_keys(const ScenarioSettings *settings, GArray *keys, GError **error)
{
    const Setting *setting = settings_find(settings, KEYS_SWEEP, SWEEP_COMBINE);
    const char *text = setting != NULL ? setting->value : "cross";
    bool all = strcmp(text, "zip") == 0;
    g_autoptr(GPtrArray) groups = NULL;

    for (guint i = 0; i < keys->len; i++) {
        key_at(keys, i)->group = all ? 0 : i;
    }
    if (all || strcmp(text, "cross") == 0) {
        return true;
    }
    groups = combine_groups(text);
    if (groups == NULL || groups->len == 0) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                    "it takes cross, zip, or groups such as zip(overlay.peers, network.loss)");
        settings_prefix(settings, setting, error);
        return false;
    }
    for (guint g = 0; g < groups->len; g++) {
        guint first = keys->len;

        for (guint i = 0; i < keys->len; i++) {
            if (key_is_of(key_at(keys, i), g_ptr_array_index(groups, g))) {
                first = MIN(first, i);
                key_at(keys, i)->group = first;
            }
        }
    }
    return true;
}

/* sweep_key_check looks at the name that stands before a list. */
static bool sweep_key_check(const Setting *setting, GError **error)
{
    const char *dot = strchr(setting->key, '.');

    if (dot == NULL) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_UNKNOWN,
                    "a swept key is written section.key, as in overlay.peers; '" SWEEP_COMBINE
                    "' says how they go together");
        return false;
    }
    if (!sweep_is_possible(setting->key)) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                    "all points of a sweep share this key: set it in [scenario] instead");
        return false;
    }
    g_autofree char *section = g_strndup(setting->key, (gsize)(dot - setting->key));

    return key_check_name(section, dot + 1, error);
}

/* The swept keys in the file's order; NULL with an error. */
static GArray *sweep_keys(const ScenarioSettings *settings, GError **error)
{
    g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, sizeof(SweepKey));

    g_array_set_clear_func(keys, key_clear);
    for (guint i = 0; i < settings->list->len; i++) {
        SweepKey key = {.setting = g_ptr_array_index(settings->list, i)};

        if (!is_sweep(key.setting)) {
            continue;
        }
        if (!sweep_key_check(key.setting, error) ||
            (key.values = sweep_values(key.setting->value, error)) == NULL) {
            settings_prefix(settings, key.setting, error);
            return NULL;
        }
        g_array_append_val(keys, key);
    }
    return group_keys(settings, keys, error) ? g_steal_pointer(&keys) : NULL;
}

/* The names in zip(...): keys of the section, each in one group alone. */
static bool check_zipped(const ScenarioSettings *settings, const Setting *setting,
                         const GPtrArray *groups, GError **error)
{
    g_autoptr(GPtrArray) seen = g_ptr_array_new();

    for (guint g = 0; g < groups->len; g++) {
        for (char **name = g_ptr_array_index(groups, g); *name != NULL; name++) {
            bool known = settings_find(settings, KEYS_SWEEP, *name) != NULL &&
                         strcmp(*name, SWEEP_COMBINE) != 0;

            if (!known || g_ptr_array_find_with_equal_func(seen, *name, g_str_equal, NULL)) {
                g_set_error(error, SCENARIO_ERROR,
                            known ? SCENARIO_ERROR_VALUE : SCENARIO_ERROR_UNKNOWN,
                            known ? "'%s' is zipped twice: put all that goes with it into one zip"
                                  : "[sweep] has no key '%s' to be zipped",
                            *name);
                settings_prefix(settings, setting, error);
                return false;
            }
            g_ptr_array_add(seen, *name);
        }
    }
    return true;
}

bool sweep_check_file(const ScenarioSettings *settings, GError **error)
{
    const Setting *setting = settings_find(settings, KEYS_SWEEP, SWEEP_COMBINE);
    guint line = settings_section_line(settings, KEYS_SWEEP);
    g_autoptr(GPtrArray) groups = setting != NULL ? combine_groups(setting->value) : NULL;
    bool empty = line != 0;

    for (guint i = 0; i < settings->list->len; i++) {
        empty = empty && !is_sweep(g_ptr_array_index(settings->list, i));
    }
    if (empty) {
        return settings_fail_at(settings, line, SCENARIO_ERROR_VALUE, error,
                                "[sweep] sweeps nothing: write keys with their values, as in "
                                "overlay.peers = 100, 1000, or take the section away");
    }
    return groups == NULL || check_zipped(settings, setting, groups, error);
}

/* Zipped keys have lists of one length. */
static bool check_lengths(const ScenarioSettings *settings, const GArray *keys, GError **error)
{
    for (guint i = 0; i < keys->len; i++) {
        const SweepKey *key = key_at(keys, i);
        const SweepKey *first = key_at(keys, key->group);

        if (key->values->len != first->values->len) {
            g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                        "these are %u values, but %s, which it is zipped with, has %u",
                        key->values->len, first->setting->key, first->values->len);
            settings_prefix(settings, key->setting, error);
            return false;
        }
    }
    return true;
}

static bool is_alone(const GArray *keys, guint index)
{
    for (guint i = 0; i < keys->len; i++) {
        if (i != index && key_at(keys, i)->group == key_at(keys, index)->group) {
            return false;
        }
    }
    return true;
}

/* The same point twice has the same seeds, and would pass for two that agree. Zipped keys may say a
 * value again beside another one. */
static bool check_repetitions(const ScenarioSettings *settings, const GArray *keys, GError **error)
{
    for (guint k = 0; k < keys->len; k++) {
        const SweepKey *key = key_at(keys, k);

        for (guint i = 1; is_alone(keys, k) && i < key->values->len; i++) {
            const char *value = g_ptr_array_index(key->values, i);

            for (guint j = 0; j < i; j++) {
                if (strcmp(value, g_ptr_array_index(key->values, j)) == 0) {
                    g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                                "the list has %s twice: the two points would be one", value);
                    settings_prefix(settings, key->setting, error);
                    return false;
                }
            }
        }
    }
    return true;
}

bool sweep_points(const ScenarioSettings *settings, guint *ret_points, GError **error)
{
    g_autoptr(GArray) keys = sweep_keys(settings, error);
    guint points = 1;

    if (keys == NULL || !check_lengths(settings, keys, error) ||
        !check_repetitions(settings, keys, error)) {
        return false;
    }
    for (guint i = 0; i < keys->len; i++) {
        const SweepKey *key = key_at(keys, i);

        if (key->group != i) {
            continue;
        }
        if (key->values->len > SWEEP_POINTS_MAX / points) {
            g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                        "the sweep has more than %d points", SWEEP_POINTS_MAX);
            settings_prefix(settings, key->setting, error);
            return false;
        }
        points *= key->values->len;
    }
    *ret_points = points;
    return true;
}

/* Which value of each group a point takes; the last group of the file varies fastest. */
static void find_places(const GArray *keys, guint point, guint *ret_places)
{
    for (guint i = keys->len; i-- > 0;) {
        const SweepKey *key = key_at(keys, i);

        if (key->group == i) {
            ret_places[i] = point % key->values->len;
            point /= key->values->len;
        }
    }
}

ScenarioSettings *sweep_point(const ScenarioSettings *settings, guint point,
                              ScenarioParameter **ret_parameters, guint *ret_len)
{
    ScenarioSettings *copy = settings_copy(settings);
    g_autoptr(GArray) keys = sweep_keys(settings, NULL);
    GArray *parameters = g_array_new(FALSE, FALSE, sizeof(ScenarioParameter));
    g_autofree guint *places = NULL;

    PEAL_ASSERT(keys != NULL);
    places = g_new0(guint, keys->len);
    find_places(keys, point, places);
    settings_remove(copy, KEYS_SWEEP, SWEEP_COMBINE);
    for (guint i = 0; i < keys->len; i++) {
        const SweepKey *key = key_at(keys, i);
        const char *name = key->setting->key;
        const char *dot = strchr(name, '.');
        g_autofree char *section = g_strndup(name, (gsize)(dot - name));
        char *value = g_ptr_array_index(key->values, places[key->group]);
        ScenarioParameter parameter = {g_strdup(name), g_strdup(value)};

        settings_remove(copy, KEYS_SWEEP, name);
        settings_put(copy, &(Setting){.section = section,
                                      .key = (char *)dot + 1,
                                      .value = value,
                                      .line = key->setting->line,
                                      .swept = true});
        g_array_append_val(parameters, parameter);
    }
    *ret_len = parameters->len;
    *ret_parameters = (ScenarioParameter *)(void *)g_array_free(parameters, FALSE);
    return copy;
}

void sweep_parameters_free(ScenarioParameter *parameters, guint len)
{
    for (guint i = 0; i < len; i++) {
        g_free(parameters[i].key);
        g_free(parameters[i].value);
    }
    g_free(parameters);
}
