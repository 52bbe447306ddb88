/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * check.h - errors about what no single key of a scenario can tell, and files that it names.
 * Source: none.   State: none.   Time: none.
 */
#ifndef SCENARIOS_CHECK_H
#define SCENARIOS_CHECK_H

#include <scenarios/scenario.h>

/* The keys an error is about, {section, key} each, the one most to blame first. */
#define KEYS_TO_BLAME(...)                   \
    ((const char *const[][2]){__VA_ARGS__}), \
        sizeof((const char *const[][2]){__VA_ARGS__}) / sizeof(const char *const[2])

/* scenario_fail makes an error about the first of some keys that the user set. Returns false. */
bool scenario_fail(const Scenario *scenario, const char *const (*keys)[2], size_t keys_len,
                   GError **error, const char *format, ...) G_GNUC_PRINTF(5, 6);

/* scenario_place names a key and where the user set it: `churn.session (x.conf:12)`. Text to
 * g_free. */
char *scenario_place(const Scenario *scenario, const char *section, const char *key);

/*
 * scenario_resolve finds a file that a key names: beside the scenario, else in the working
 * directory.
 * file    as written; replaced by where it was found
 */
bool scenario_resolve(const Scenario *scenario, const char *section, const char *key, char **file,
                      GError **error) PEAL_MUST_USE;

#endif
