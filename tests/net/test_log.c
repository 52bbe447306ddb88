/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_log.c - what gets into the log, and where it may go. */
#include "log.h"

#include <sys/stat.h>
#include <unistd.h>

#include "peal_test.h"

/* Others choose names and addresses that are logged: they must not write lines of their own. */
static void what_others_said_stays_in_its_line(void)
{
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "peal-log-XXXXXX", NULL);
    g_autofree char *text = NULL;
    char *newline;

    close(g_mkstemp(path));
    CU_ASSERT_TRUE_FATAL(log_open(path, NODE_LOG_NOTICE, NULL));
    log_line(NODE_LOG_NOTICE, "%s came", "sip:a@b\r\n2026-01-01 error forged\x1b[2J\x7f");
    log_line(NODE_LOG_INFO, "not wanted");
    log_close();
    CU_ASSERT_TRUE_FATAL(g_file_get_contents(path, &text, NULL, NULL));
    newline = strchr(text, '\n');
    CU_ASSERT_PTR_NOT_NULL_FATAL(newline);
    CU_ASSERT_STRING_EQUAL(newline, "\n");
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, " notice sip:a@b\\x0d\\x0a2026-01-01 error forged\\x1b[2J\\x7f came"));
    remove(path);
}

static void pipe_without_a_reader_is_an_error(void)
{
    g_autofree char *path = g_strdup_printf("%s/peal-log-%d", g_get_tmp_dir(), (int)getpid());
    g_autoptr(GError) error = NULL;

    CU_ASSERT_EQUAL_FATAL(mkfifo(path, 0600), 0);
    CU_ASSERT_FALSE(log_open(path, NODE_LOG_NOTICE, &error));
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, path));
    remove(path);
}

PEAL_TEST_MAIN("net/log", PEAL_TEST(what_others_said_stays_in_its_line),
               PEAL_TEST(pipe_without_a_reader_is_an_error))
