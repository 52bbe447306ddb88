/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sweep.c - lists of values crossed into points. See sweep.h. */
#include "sweep.h"

#include <scenarios/keys.h>

/* Splits at the commas that are not inside parentheses: `1, weibull(shape=1, scale=5s)` is two. */
static GPtrArray *list_split(const char *text)
{
    GPtrArray *values = g_ptr_array_new_with_free_func(g_free);
    const char *start = text;
    int depth = 0;

    for (;; text++) {
        if (*text == '(') {
            depth++;
        } else if (*text == ')') {
            depth--;
        } else if (*text == '\0' || (*text == ',' && depth <= 0)) {
            g_ptr_array_add(values, g_strstrip(g_strndup(start, (gsize)(text - start))));
            start = text + 1;
            if (*text == '\0') {
                return values;
            }
        }
    }
}

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
    return strcmp(setting->section, KEYS_SWEEP) == 0;
}

/* sweep_check looks at one line of the sweep; *ret_len is the length of its list. */
static bool sweep_check(const Setting *setting, guint *ret_len, GError **error)
{
    g_autoptr(GPtrArray) values = list_split(setting->value);
    const char *dot = strchr(setting->key, '.');

    if (dot == NULL) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_UNKNOWN,
                    "a swept key is written section.key, as in overlay.peers");
        return false;
    }
    if (!sweep_is_possible(setting->key)) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                    "all points of a sweep share this key: set it in [scenario] instead");
        return false;
    }
    g_autofree char *section = g_strndup(setting->key, (gsize)(dot - setting->key));

    for (guint i = 0; i < values->len; i++) {
        const char *value = g_ptr_array_index(values, i);

        if (value[0] == '\0') {
            g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                        "value %u of the list is empty; write values with commas between them",
                        i + 1);
            return false;
        }
        if (!key_check_name(section, dot + 1, error)) {
            return false;
        }
    }
    *ret_len = values->len;
    return true;
}

bool sweep_points(const ScenarioSettings *settings, guint *ret_points, GError **error)
{
    guint points = 1;

    for (guint i = 0; i < settings->list->len; i++) {
        const Setting *setting = g_ptr_array_index(settings->list, i);
        guint len;

        if (!is_sweep(setting)) {
            continue;
        }
        if (!sweep_check(setting, &len, error)) {
            settings_prefix(settings, setting, error);
            return false;
        }
        if (len > SWEEP_POINTS_MAX / points) {
            g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                        "the sweep has more than %d points", SWEEP_POINTS_MAX);
            settings_prefix(settings, setting, error);
            return false;
        }
        points *= len;
    }
    *ret_points = points;
    return true;
}

ScenarioSettings *sweep_point(const ScenarioSettings *settings, guint point,
                              ScenarioParameter **ret_parameters, guint *ret_len)
{
    ScenarioSettings *copy = settings_copy(settings);
    GArray *parameters = g_array_new(FALSE, FALSE, sizeof(ScenarioParameter));

    for (guint i = settings->list->len; i-- > 0;) {
        const Setting *sweep = g_ptr_array_index(settings->list, i);

        if (!is_sweep(sweep)) {
            continue;
        }
        g_autoptr(GPtrArray) values = list_split(sweep->value);
        const char *dot = strchr(sweep->key, '.');
        g_autofree char *section = g_strndup(sweep->key, (gsize)(dot - sweep->key));
        char *value = g_ptr_array_index(values, point % values->len);
        ScenarioParameter parameter = {g_strdup(sweep->key), g_strdup(value)};

        settings_remove(copy, KEYS_SWEEP, sweep->key);
        settings_put(copy, &(Setting){.section = section,
                                      .key = (char *)dot + 1,
                                      .value = value,
                                      .line = sweep->line,
                                      .swept = true});
        g_array_prepend_val(parameters, parameter);
        point /= values->len;
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
