/*
 * worker.h - a process that runs one replication, and what it tells of it.
 * Source: none.
 * State:  one per process.
 * Time:   none. A worker does not outlive the process that started it.
 */
#ifndef RUN_WORKER_H
#define RUN_WORKER_H

#include "run/replication.h"

typedef struct Worker Worker;

/* What a worker may say: its output and its errors are read, and told, by worker_read. */
typedef struct WorkerListener {
    void (*on_view)(void *user, Worker *worker, const ReplicationView *view);
    void (*on_words)(void *user, Worker *worker, const char *words); /* what it waits for */
    void (*on_stderr)(void *user, Worker *worker, const char *text, size_t len);
    void *user;
} WorkerListener;

/*
 * worker_start forks. In the new process the replication runs and its part is written.
 * config    keep_on, get_ready and user are the worker's own
 * watched   views are wanted, a few a second
 * listener  borrowed until worker_end
 * Returns NULL with an error when no process is to be had.
 */
Worker *worker_start(const ReplicationConfig *config, bool watched, const WorkerListener *listener,
                     GError **error);

/* The two pipes to be waited for; -1: it has ended. */
void worker_fds(const Worker *worker, int ret_fds[2]);

/* worker_read takes what has come; returns false when there is nothing more to come. */
bool worker_read(Worker *worker);

/* worker_stop asks it to end soon, and keep what it measured. */
void worker_stop(const Worker *worker);

Task worker_task(const Worker *worker);

/* How a worker ended. */
typedef struct WorkerEnd {
    char *text;  /* what is to be printed of a replication whose part is there; NULL: it is not */
    char *error; /* why not, in the worker's words; NULL: it said nothing */
    int signal;  /* that ended it, 0: none did */
    int status;  /* else its exit status */
} WorkerEnd;

/* worker_end waits for its end and forgets it. Both texts of ret_end are to g_free. */
void worker_end(Worker *worker, WorkerEnd *ret_end);

#endif
