/* SPDX-License-Identifier: GPL-3.0-or-later */
/* worker.c - see worker.h. */
#include "run/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { VIEW_US = 100000, READ_LEN = 65536 };

/* What goes through the pipe: a head, and so many bytes. */
typedef enum MessageKind { MESSAGE_VIEW, MESSAGE_WORDS, MESSAGE_TEXT, MESSAGE_ERROR } MessageKind;
typedef struct MessageHead {
    uint32_t kind;
    uint32_t len;
} MessageHead;

struct Worker {
    const WorkerListener *listener;
    Task task;
    pid_t pid;
    int messages; /* the ends to read from */
    int errors;
    GByteArray *pending; /* of messages, not yet whole */
    WorkerEnd end;
};

/* In the new process. */

typedef struct Speaker {
    int fd;
    bool watched;
    int64_t told_us;
    RecorderLately lately; /* since the last view that was told */
} Speaker;

static volatile sig_atomic_t stop_requested;

static void on_stop(int signal_number)
{
    (void)signal_number;
    stop_requested = 1;
}

static void on_interrupt(int signal_number)
{
    (void)signal_number;
}

/* A Ctrl-C of the terminal reaches both processes: here the other one's word counts. */
static void catch_signals(void)
{
    struct sigaction stop = {.sa_handler = on_stop, .sa_flags = SA_RESTART};
    struct sigaction interrupt = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};

    sigemptyset(&stop.sa_mask);
    sigemptyset(&interrupt.sa_mask);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &interrupt, NULL);
}

static void write_all(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len > 0) {
        ssize_t written = write(fd, at, len);

        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            _exit(EXIT_FAILURE); /* nobody listens any more */
        }
        at += written;
        len -= (size_t)written;
    }
}

static void tell(const Speaker *speaker, MessageKind kind, const void *bytes, size_t len)
{
    MessageHead head = {(uint32_t)kind, (uint32_t)len};

    write_all(speaker->fd, &head, sizeof(head));
    write_all(speaker->fd, bytes, len);
}

static bool is_time_to_tell(Speaker *speaker)
{
    int64_t now_us = g_get_monotonic_time();

    if (!speaker->watched || now_us - speaker->told_us < VIEW_US) {
        return false;
    }
    speaker->told_us = now_us;
    return true;
}

static void add_lately(RecorderLately *sum, const RecorderLately *more)
{
    sum->lookups += more->lookups;
    sum->succeeded += more->succeeded;
    sum->latency_ns += more->latency_ns;
    sum->calls += more->calls;
    sum->answered += more->answered;
    sum->setup_ns += more->setup_ns;
}

static bool keep_on(void *user, const ReplicationView *view)
{
    Speaker *speaker = user;

    add_lately(&speaker->lately, &view->lately);
    if (is_time_to_tell(speaker)) {
        ReplicationView told = {view->now, view->messages, speaker->lately};

        tell(speaker, MESSAGE_VIEW, &told, sizeof(told));
        speaker->lately = (RecorderLately){0};
    }
    return stop_requested == 0;
}

static bool get_ready(void *user, const char *what)
{
    Speaker *speaker = user;

    if (is_time_to_tell(speaker)) {
        tell(speaker, MESSAGE_WORDS, what, strlen(what));
    }
    return stop_requested == 0;
}

static void work(const ReplicationConfig *config, Speaker *speaker) G_GNUC_NORETURN;

static void work(const ReplicationConfig *config, Speaker *speaker)
{
    ReplicationConfig own = *config;
    GError *error = NULL;
    char *text;

    catch_signals();
    own.keep_on = keep_on;
    own.get_ready = get_ready;
    own.user = speaker;
    text = replication_run(&own, &error);
    if (text != NULL) {
        tell(speaker, MESSAGE_TEXT, text, strlen(text));
    } else {
        tell(speaker, MESSAGE_ERROR, error->message, strlen(error->message));
    }
    g_free(text);
    g_clear_error(&error);
    _exit(EXIT_SUCCESS); /* what the other process has open and unwritten is not ours */
}

/* In the old one. */

static bool make_pipes(int ret_messages[2], int ret_errors[2])
{
    if (pipe2(ret_messages, O_CLOEXEC) != 0) {
        return false;
    }
    if (pipe2(ret_errors, O_CLOEXEC) != 0) {
        close(ret_messages[0]);
        close(ret_messages[1]);
        return false;
    }
    return true;
}

static void become_worker(const ReplicationConfig *config, bool watched, int messages, int errors,
                          pid_t parent) G_GNUC_NORETURN;

static void become_worker(const ReplicationConfig *config, bool watched, int messages, int errors,
                          pid_t parent)
{
    Speaker speaker = {.fd = messages, .watched = watched};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) { /* it died before that */
        _exit(EXIT_FAILURE);
    }
    dup2(errors, STDERR_FILENO);
    work(config, &speaker);
}

Worker *worker_start(const ReplicationConfig *config, bool watched, const WorkerListener *listener,
                     GError **error)
{
    int messages[2], errors[2];
    pid_t parent = getpid(), pid;
    Worker *worker;

    fflush(NULL);
    if (!make_pipes(messages, errors)) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                    "cannot start a process: %s", g_strerror(errno));
        return NULL;
    }
    pid = fork();
    if (pid == 0) {
        become_worker(config, watched, messages[1], errors[1], parent);
    }
    if (pid < 0) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                    "cannot start a process: %s; try fewer with --jobs", g_strerror(errno));
    }
    close(messages[1]);
    close(errors[1]);
    if (pid < 0) {
        close(messages[0]);
        close(errors[0]);
        return NULL;
    }
    fcntl(messages[0], F_SETFL, O_NONBLOCK);
    fcntl(errors[0], F_SETFL, O_NONBLOCK);
    worker = g_new0(Worker, 1);
    worker->listener = listener;
    worker->task = config->task;
    worker->pid = pid;
    worker->messages = messages[0];
    worker->errors = errors[0];
    worker->pending = g_byte_array_new();
    return worker;
}

void worker_fds(const Worker *worker, int ret_fds[2])
{
    ret_fds[0] = worker->messages;
    ret_fds[1] = worker->errors;
}

static void take(Worker *worker, MessageKind kind, const guint8 *bytes, size_t len)
{
    const WorkerListener *listener = worker->listener;
    g_autofree char *text = g_strndup((const char *)bytes, len);
    ReplicationView view;

    switch (kind) {
    case MESSAGE_VIEW:
        memcpy(&view, bytes, sizeof(view));
        listener->on_view(listener->user, worker, &view);
        break;
    case MESSAGE_WORDS:
        listener->on_words(listener->user, worker, text);
        break;
    case MESSAGE_TEXT:
        worker->end.text = g_steal_pointer(&text);
        break;
    case MESSAGE_ERROR:
        worker->end.error = g_steal_pointer(&text);
        break;
    }
}

static void take_whole(Worker *worker)
{
    MessageHead head;

    while (worker->pending->len >= sizeof(head)) {
        memcpy(&head, worker->pending->data, sizeof(head));
        if (worker->pending->len < sizeof(head) + head.len) {
            return;
        }
        take(worker, (MessageKind)head.kind, worker->pending->data + sizeof(head), head.len);
        g_byte_array_remove_range(worker->pending, 0, sizeof(head) + head.len);
    }
}

/* Reads what is there; returns false at the end. */
static bool read_some(int fd, char *buffer, ssize_t *ret_len)
{
    *ret_len = read(fd, buffer, READ_LEN);
    return *ret_len > 0 || (*ret_len < 0 && (errno == EAGAIN || errno == EINTR));
}

bool worker_read(Worker *worker)
{
    g_autofree char *buffer = g_malloc(READ_LEN);
    ssize_t len = 0;

    if (worker->errors >= 0 && !read_some(worker->errors, buffer, &len)) {
        close(worker->errors);
        worker->errors = -1;
    } else if (worker->errors >= 0 && len > 0) {
        worker->listener->on_stderr(worker->listener->user, worker, buffer, (size_t)len);
    }
    if (!read_some(worker->messages, buffer, &len)) {
        return false;
    }
    if (len > 0) {
        g_byte_array_append(worker->pending, (const guint8 *)buffer, (guint)len);
        take_whole(worker);
    }
    return true;
}

void worker_stop(const Worker *worker)
{
    kill(worker->pid, SIGTERM);
}

Task worker_task(const Worker *worker)
{
    return worker->task;
}

/* Its last words on standard error may have come after those of the other pipe. */
static void read_last_words(Worker *worker)
{
    g_autofree char *buffer = g_malloc(READ_LEN);
    ssize_t len = 0;

    while (worker->errors >= 0 && read_some(worker->errors, buffer, &len) && len > 0) {
        worker->listener->on_stderr(worker->listener->user, worker, buffer, (size_t)len);
    }
}

void worker_end(Worker *worker, WorkerEnd *ret_end)
{
    int status = 0;

    while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR) {
    }
    read_last_words(worker);
    worker->end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    worker->end.status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    *ret_end = worker->end;
    close(worker->messages);
    if (worker->errors >= 0) {
        close(worker->errors);
    }
    g_byte_array_unref(worker->pending);
    g_free(worker);
}
