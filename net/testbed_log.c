/* SPDX-License-Identifier: GPL-3.0-or-later */
/* testbed_log.c - the ends of many logs, and what is added to them. */
#include "testbed_log.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { LOG_LOOK_MS = 250, LOG_LINE_MAX = 4096, LOG_LINES_A_LOOK = 1000 };

static volatile sig_atomic_t log_ended;

static void log_on_signal(int number)
{
    (void)number;
    log_ended = 1;
}

/* One log that is followed; begun anew when the file of its name is another one. */
typedef struct LogFile {
    char *path;
    FILE *file;
    ino_t inode;
    unsigned peer; /* 0: do not say */
} LogFile;

static void log_print(unsigned peer, const char *line)
{
    if (peer > 0) {
        printf("%4u | ", peer);
    }
    printf("%s\n", line);
}

static void log_print_tail(const Testbed *testbed, unsigned peer, unsigned shown, unsigned lines)
{
    g_autofree char *tail = testbed_tail(testbed, peer, lines);
    g_auto(GStrv) each = g_strsplit(g_strchomp(tail), "\n", -1);

    for (char **line = each; *line != NULL && tail[0] != '\0'; line++) {
        log_print(shown, *line);
    }
}

static void log_reopen(LogFile *log, bool at_end)
{
    struct stat now;

    if (stat(log->path, &now) != 0 || (log->file != NULL && now.st_ino == log->inode)) {
        return;
    }
    if (log->file != NULL) {
        fclose(log->file);
    }
    log->file = fopen(log->path, "re");
    log->inode = now.st_ino;
    if (log->file != NULL && at_end) {
        (void)fseek(log->file, 0, SEEK_END);
    }
}

static void log_look(LogFile *log)
{
    char line[LOG_LINE_MAX];

    for (unsigned i = 0; log->file != NULL && i < LOG_LINES_A_LOOK; i++) {
        long at = ftell(log->file);
        size_t len;

        if (fgets(line, sizeof(line), log->file) == NULL) {
            clearerr(log->file);
            break;
        }
        len = strlen(line);
        if (len > 0 && line[len - 1] != '\n' && len + 1 < sizeof(line)) {
            (void)fseek(log->file, at, SEEK_SET); /* the rest of the line is to come */
            break;
        }
        if (len > 0 && line[len - 1] == '\n') {
            line[len - 1] = '\0';
        }
        log_print(log->peer, line);
    }
    log_reopen(log, false);
}

static void log_follow(LogFile *logs, unsigned len)
{
    struct sigaction action = {.sa_handler = log_on_signal};

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    while (log_ended == 0 && fflush(stdout) == 0) {
        for (unsigned i = 0; i < len; i++) {
            log_look(&logs[i]);
        }
        g_usleep((gulong)LOG_LOOK_MS * 1000);
    }
}

void testbed_log_show(const Testbed *testbed, unsigned peer, unsigned lines, bool follow)
{
    unsigned first = peer > 0 ? peer : 1;
    unsigned len = peer > 0 ? 1 : testbed->peers;
    LogFile *logs = g_new0(LogFile, len);

    log_ended = 0;
    for (unsigned i = 0; i < len; i++) {
        logs[i].path = testbed_path(testbed, first + i, "log");
        logs[i].peer = peer > 0 ? 0 : first + i;
        if (follow) {
            log_reopen(&logs[i], true);
        }
        log_print_tail(testbed, first + i, logs[i].peer, lines);
    }
    if (follow) {
        log_follow(logs, len);
    }
    for (unsigned i = 0; i < len; i++) {
        if (logs[i].file != NULL) {
            fclose(logs[i].file);
        }
        g_free(logs[i].path);
    }
    g_free(logs);
}
