/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_file.c - what a user may name by mistake. */
#include "file.h"

#include <sys/stat.h>
#include <unistd.h>

#include "peal_test.h"

enum { MAX = 100000 };

static void file_comes_whole_up_to_its_bound(void)
{
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "peal-file-XXXXXX", NULL);
    g_autofree char *bytes = g_malloc(MAX + 1);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    gsize len = 0;

    close(g_mkstemp(path));
    memset(bytes, 'x', MAX + 1);
    CU_ASSERT_TRUE(g_file_set_contents(path, bytes, MAX, NULL));
    text = file_read(path, MAX, &len, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_EQUAL(len, MAX);
    CU_ASSERT(memcmp(text, bytes, MAX) == 0 && text[MAX] == '\0');
    CU_ASSERT_TRUE(g_file_set_contents(path, bytes, MAX + 1, NULL));
    CU_ASSERT_PTR_NULL(file_read(path, MAX, &len, &error));
    CU_ASSERT(g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_FAILED));
    remove(path);
}

static void device_without_an_end_is_refused(void)
{
    g_autoptr(GError) error = NULL;
    gsize len;

    CU_ASSERT_PTR_NULL(file_read("/dev/zero", MAX, &len, &error));
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CU_ASSERT(g_str_has_prefix(error->message, "/dev/zero: has more than"));
}

static void pipe_that_nobody_writes_to_is_empty(void)
{
    g_autofree char *path = g_strdup_printf("%s/peal-pipe-%d", g_get_tmp_dir(), (int)getpid());
    g_autofree char *text = NULL;
    gsize len = 1;

    CU_ASSERT_EQUAL_FATAL(mkfifo(path, 0600), 0);
    text = file_read(path, MAX, &len, NULL);
    CU_ASSERT_PTR_NOT_NULL(text);
    CU_ASSERT_EQUAL(len, 0);
    remove(path);
}

static void directory_and_nothing_are_errors(void)
{
    g_autoptr(GError) directory = NULL;
    g_autoptr(GError) nothing = NULL;
    gsize len;

    CU_ASSERT_PTR_NULL(file_read("/", MAX, &len, &directory));
    CU_ASSERT(g_error_matches(directory, G_FILE_ERROR, G_FILE_ERROR_ISDIR));
    CU_ASSERT_PTR_NULL(file_read("/nonexistent/file", MAX, &len, &nothing));
    CU_ASSERT(g_error_matches(nothing, G_FILE_ERROR, G_FILE_ERROR_NOENT));
}

PEAL_TEST_MAIN("net/file", PEAL_TEST(file_comes_whole_up_to_its_bound),
               PEAL_TEST(device_without_an_end_is_refused),
               PEAL_TEST(pipe_that_nobody_writes_to_is_empty),
               PEAL_TEST(directory_and_nothing_are_errors))
