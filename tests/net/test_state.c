/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_state.c - what survives a restart, a full disk and a second node. */
#include "state.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peal_test.h"

static char *directory_new(void)
{
    char *path = g_build_filename(g_get_tmp_dir(), "peal-state-XXXXXX", NULL);

    CU_ASSERT_PTR_NOT_NULL(g_mkdtemp(path));
    return path;
}

static void directory_remove(char *path)
{
    static const char *const NAMES[] = {"lock",     "node-id",      "bindings",
                                        "identity", "bindings.new", "bindings.bad"};

    for (size_t i = 0; i < G_N_ELEMENTS(NAMES); i++) {
        g_autofree char *name = g_build_filename(path, NAMES[i], NULL);

        (void)g_unlink(name);
        (void)g_rmdir(name);
    }
    CU_ASSERT_EQUAL(g_rmdir(path), 0);
    g_free(path);
}

static void state_keeps_the_node_id(void)
{
    char *path = directory_new();
    PealId id = {{1, 2, 3}};
    PealId other = {{9}};
    State *state = state_open(path, NULL);

    CU_ASSERT_PTR_NOT_NULL_FATAL(state);
    CU_ASSERT_TRUE(state_node_id(state, &id, NULL));
    state_close(state);
    state = state_open(path, NULL);
    CU_ASSERT_TRUE(state_node_id(state, &other, NULL));
    CU_ASSERT_TRUE(peal_id_equal(&id, &other));
    state_close(state);
    directory_remove(path);
}

static void state_file_that_is_no_node_id_is_refused(void)
{
    static const char *const TEXTS[] = {"forty-two\n", "", "\n", "00112233445566778899aabbccddeef"};
    char *path = directory_new();
    g_autofree char *file = g_build_filename(path, "node-id", NULL);
    PealId id = {{1}};
    State *state = state_open(path, NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(TEXTS); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *left = NULL;

        CU_ASSERT_TRUE(g_file_set_contents(file, TEXTS[i], -1, NULL));
        CU_ASSERT_FALSE(state_node_id(state, &id, &error));
        CU_ASSERT_PTR_NOT_NULL(strstr(error->message, file));
        CU_ASSERT_TRUE(g_file_get_contents(file, &left, NULL, NULL));
        CU_ASSERT_STRING_EQUAL(left, TEXTS[i]);
    }
    state_close(state);
    directory_remove(path);
}

static void state_directory_serves_one_node_at_a_time(void)
{
    char *path = directory_new();
    g_autoptr(GError) error = NULL;
    State *state = state_open(path, NULL);

    CU_ASSERT_PTR_NOT_NULL_FATAL(state);
    CU_ASSERT_PTR_NULL(state_open(path, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "in use by another node"));
    state_close(state);
    state = state_open(path, NULL);
    CU_ASSERT_PTR_NOT_NULL(state);
    state_close(state);
    directory_remove(path);
}

static void state_slots_are_empty_at_first_and_hold_what_was_kept_last(void)
{
    char *path = directory_new();
    State *state = state_open(path, NULL);
    size_t len = 1;
    g_autofree uint8_t *none = state_read(state, PEAL_SLOT_BINDINGS, &len, NULL);
    g_autofree uint8_t *kept = NULL;

    CU_ASSERT_PTR_NOT_NULL(none);
    CU_ASSERT_EQUAL(len, 0);
    for (uint8_t i = 0; i < 50; i++) {
        const uint8_t bytes[] = {'v', i};

        CU_ASSERT_TRUE(state_keep(state, PEAL_SLOT_BINDINGS, (PealBytes){bytes, sizeof(bytes)}));
    }
    state_close(state);
    state = state_open(path, NULL);
    kept = state_read(state, PEAL_SLOT_BINDINGS, &len, NULL);
    CU_ASSERT_EQUAL(len, 2);
    CU_ASSERT_EQUAL(kept[1], 49);
    state_close(state);
    directory_remove(path);
}

/* Where the new file should be written stands a directory: as good as a full disk, for root too. */
static void state_that_cannot_be_written_keeps_the_old_and_says_so(void)
{
    char *path = directory_new();
    g_autofree char *obstacle = g_build_filename(path, "bindings.new", NULL);
    g_autoptr(GError) error = NULL;
    State *state = state_open(path, NULL);
    size_t len;
    g_autofree uint8_t *kept = NULL;

    CU_ASSERT_TRUE(
        state_write(state, PEAL_SLOT_BINDINGS, (PealBytes){(const uint8_t *)"old", 3}, NULL));
    CU_ASSERT_EQUAL(g_mkdir(obstacle, 0700), 0);
    CU_ASSERT_FALSE(
        state_write(state, PEAL_SLOT_BINDINGS, (PealBytes){(const uint8_t *)"new", 3}, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "what was there before stays"));
    kept = state_read(state, PEAL_SLOT_BINDINGS, &len, NULL);
    CU_ASSERT_EQUAL(len, 3);
    CU_ASSERT_EQUAL(memcmp(kept, "old", 3), 0);
    state_close(state);
    directory_remove(path);
}

static void state_set_aside_is_still_there_and_no_longer_read(void)
{
    char *path = directory_new();
    g_autofree char *aside = g_build_filename(path, "bindings.bad", NULL);
    g_autofree uint8_t *bytes = NULL;
    g_autofree char *text = NULL;
    State *state = state_open(path, NULL);
    size_t len = 1;

    CU_ASSERT_PTR_NOT_NULL_FATAL(state);
    CU_ASSERT_FALSE(state_set_aside(state, PEAL_SLOT_BINDINGS));
    CU_ASSERT_TRUE(state_write(state, PEAL_SLOT_BINDINGS, (PealBytes){(uint8_t *)"odd", 3}, NULL));
    CU_ASSERT_TRUE(state_set_aside(state, PEAL_SLOT_BINDINGS));
    bytes = state_read(state, PEAL_SLOT_BINDINGS, &len, NULL);
    CU_ASSERT_EQUAL(len, 0);
    CU_ASSERT_TRUE(g_file_get_contents(aside, &text, NULL, NULL));
    CU_ASSERT_STRING_EQUAL(text, "odd");
    state_close(state);
    directory_remove(path);
}

static void state_directory_that_cannot_be_is_named(void)
{
    g_autoptr(GError) error = NULL;

    CU_ASSERT_PTR_NULL(state_open("/dev/null/state", &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "/dev/null/state"));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "node.state-dir"));
}

PEAL_TEST_MAIN("net/state", PEAL_TEST(state_keeps_the_node_id),
               PEAL_TEST(state_file_that_is_no_node_id_is_refused),
               PEAL_TEST(state_directory_serves_one_node_at_a_time),
               PEAL_TEST(state_slots_are_empty_at_first_and_hold_what_was_kept_last),
               PEAL_TEST(state_that_cannot_be_written_keeps_the_old_and_says_so),
               PEAL_TEST(state_set_aside_is_still_there_and_no_longer_read),
               PEAL_TEST(state_directory_that_cannot_be_is_named))
