/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_keys.c - the table of keys holds together, and its reference is up to date. */
#include "peal_test.h"
#include <scenarios/keys.h>

static void keys_are_named_once_and_described(void)
{
    for (size_t i = 0; i < KEYS_LEN; i++) {
        g_autofree char *range = key_range_text(&KEYS[i]);

        CU_ASSERT_PTR_EQUAL(key_find(KEYS[i].section, KEYS[i].name), &KEYS[i]);
        CU_ASSERT_TRUE(strlen(KEYS[i].help) > 10);
        CU_ASSERT_TRUE(strlen(range) > 0);
        CU_ASSERT_TRUE((KEYS[i].fallback == NULL) == (KEYS[i].absent != NULL));
    }
}

static void keys_defaults_are_values_that_they_take(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Scenario) scenario = scenario_load_text("x.conf", "[scenario]", 10, NULL, NULL);

    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    for (size_t i = 0; i < KEYS_LEN; i++) {
        if (KEYS[i].fallback != NULL) {
            CU_ASSERT_TRUE(key_apply(&KEYS[i], KEYS[i].fallback, scenario, &error));
        }
        CU_ASSERT_PTR_NULL(error);
    }
}

static void keys_reference_in_the_tree_is_up_to_date(void)
{
    g_autofree char *path =
        g_build_filename(g_getenv("PEAL_SOURCE_ROOT"), "scenarios/KEYS.md", NULL);
    g_autofree char *kept = NULL;
    g_autofree char *made = scenario_keys_text(true);

    CU_ASSERT_TRUE_FATAL(g_file_get_contents(path, &kept, NULL, NULL));
    /* If not: peal help keys --markdown > scenarios/KEYS.md */
    CU_ASSERT_STRING_EQUAL(kept, made);
}

static void keys_text_fits_a_terminal_and_names_every_key(void)
{
    g_autofree char *text = scenario_keys_text(false);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (size_t i = 0; lines[i] != NULL; i++) {
        CU_ASSERT_TRUE(strlen(lines[i]) <= 100);
    }
    for (size_t i = 0; i < KEYS_LEN; i++) {
        CU_ASSERT_PTR_NOT_NULL(strstr(text, KEYS[i].name));
    }
}

static void keys_are_found_in_their_own_section_only(void)
{
    CU_ASSERT_PTR_NOT_NULL(key_find("overlay", "peers"));
    CU_ASSERT_PTR_NULL(key_find("overlay", "peer"));
    CU_ASSERT_PTR_NULL(key_find("peer", "peers"));
}

PEAL_TEST_MAIN("scenarios/keys", PEAL_TEST(keys_are_named_once_and_described),
               PEAL_TEST(keys_defaults_are_values_that_they_take),
               PEAL_TEST(keys_reference_in_the_tree_is_up_to_date),
               PEAL_TEST(keys_text_fits_a_terminal_and_names_every_key),
               PEAL_TEST(keys_are_found_in_their_own_section_only))
