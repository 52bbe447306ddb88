/* SPDX-License-Identifier: GPL-3.0-or-later */
/* state.c - what survives a restart; see state.h. */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

static const char NODE_ID_FILE[] = "node-id";

enum { SLOTS = 2 };
static const char *const SLOT_FILES[SLOTS] = {
    [PEAL_SLOT_IDENTITY] = "identity", [PEAL_SLOT_BINDINGS] = "bindings"};

struct State {
    char *path;
    int directory_fd;
    int lock_fd;
    GThread *writer; /* NULL until there is something to keep */
    GMutex mutex;    /* of what follows */
    GCond changed;
    GBytes *waiting[SLOTS]; /* to be written, or NULL */
    bool failed[SLOTS];     /* the last time */
    bool ending;
};

static bool fail(GError **error, int reason, const char *format, ...) G_GNUC_PRINTF(3, 4);

static bool fail(GError **error, int reason, const char *format, ...)
{
    va_list args;
    g_autofree char *text = NULL;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, G_FILE_ERROR, (gint)g_file_error_from_errno(reason), text);
    return false;
}

void state_close(State *state)
{
    if (state == NULL) {
        return;
    }
    if (state->writer != NULL) {
        g_mutex_lock(&state->mutex);
        state->ending = true;
        g_cond_signal(&state->changed);
        g_mutex_unlock(&state->mutex);
        g_thread_join(state->writer);
    }
    g_mutex_clear(&state->mutex);
    g_cond_clear(&state->changed);
    if (state->lock_fd >= 0) {
        close(state->lock_fd);
    }
    if (state->directory_fd >= 0) {
        close(state->directory_fd);
    }
    g_free(state->path);
    g_free(state);
}

static bool take_lock(State *state, GError **error)
{
    state->lock_fd = openat(state->directory_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (state->lock_fd < 0) {
        return fail(error, errno,
                    "cannot write to the state directory %s: %s; give the node's user the right "
                    "to, or set node.state-dir to another",
                    state->path, g_strerror(errno));
    }
    if (flock(state->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        return fail(error, errno,
                    "the state directory %s is in use by another node: end that one, or set "
                    "node.state-dir to another",
                    state->path);
    }
    return true;
}

State *state_open(const char *directory, GError **error)
{
    State *state = g_new0(State, 1);

    g_mutex_init(&state->mutex);
    g_cond_init(&state->changed);
    state->path = g_strdup(directory);
    state->lock_fd = -1;
    state->directory_fd = -1;
    if (g_mkdir_with_parents(directory, 0700) == 0) {
        state->directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (state->directory_fd < 0) {
        fail(error, errno,
             "cannot use the state directory %s: %s; make it for the node's user, or set "
             "node.state-dir to another",
             directory, g_strerror(errno));
    } else if (take_lock(state, error)) {
        return state;
    }
    state_close(state);
    return NULL;
}

/* Whether there is such a file; one that may not be looked at counts. */
static bool is_there(const State *state, const char *name)
{
    return faccessat(state->directory_fd, name, F_OK, 0) == 0 || errno != ENOENT;
}

static uint8_t *read_file(const State *state, const char *name, size_t *ret_len, GError **error)
{
    g_autofree char *path = g_build_filename(state->path, name, NULL);
    struct stat status;
    char *bytes;
    gsize len;

    if (!is_there(state, name)) {
        *ret_len = 0;
        return g_malloc0(1);
    }
    if (stat(path, &status) == 0 && status.st_size > STATE_FILE_MAX) {
        fail(error, EFBIG, "%s is larger than anything the node writes: move it away", path);
        return NULL;
    }
    if (!g_file_get_contents(path, &bytes, &len, error)) {
        g_prefix_error(error, "cannot read what the node kept: ");
        return NULL;
    }
    *ret_len = len;
    return (uint8_t *)bytes;
}

static bool write_all(int fd, PealBytes bytes)
{
    while (bytes.len > 0) {
        ssize_t written = write(fd, bytes.ptr, bytes.len);

        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        bytes.ptr += written;
        bytes.len -= (size_t)written;
    }
    return fsync(fd) == 0;
}

/* The new file takes the old one's name only when it is whole and on disk. */
static bool replace_file(State *state, const char *name, PealBytes bytes, GError **error)
{
    g_autofree char *new_name = g_strdup_printf("%s.new", name);
    int fd = openat(state->directory_fd, new_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write_all(fd, bytes);
    int reason = errno;

    if (fd >= 0 && close(fd) != 0 && good) {
        reason = errno;
        good = false;
    }
    if (good && renameat(state->directory_fd, new_name, state->directory_fd, name) != 0) {
        reason = errno;
        good = false;
    }
    if (!good) {
        (void)unlinkat(state->directory_fd, new_name, 0);
        return fail(error, reason, "cannot write %s/%s: %s; what was there before stays",
                    state->path, name, g_strerror(reason));
    }
    (void)fsync(state->directory_fd);
    return true;
}

bool state_node_id(State *state, PealId *id, GError **error)
{
    g_autofree uint8_t *bytes = NULL;
    size_t len;
    PealStr text;
    char line[PEAL_ID_TEXT_LEN + 1];

    if (!is_there(state, NODE_ID_FILE)) {
        peal_id_text(id, line);
        line[PEAL_ID_TEXT_LEN - 1] = '\n';
        return replace_file(state, NODE_ID_FILE, (PealBytes){(uint8_t *)line, PEAL_ID_TEXT_LEN},
                            error);
    }
    bytes = read_file(state, NODE_ID_FILE, &len, error);
    if (bytes == NULL) {
        return false;
    }
    text = (PealStr){(char *)bytes, len > 0 && bytes[len - 1] == '\n' ? len - 1 : len};
    if (peal_id_parse(text, id) != 0) {
        return fail(error, EINVAL,
                    "%s/%s holds no Node-ID (32 hexadecimal digits): remove it to become a new "
                    "peer",
                    state->path, NODE_ID_FILE);
    }
    return true;
}

uint8_t *state_read(State *state, PealSlot slot, size_t *ret_len, GError **error)
{
    return read_file(state, SLOT_FILES[slot], ret_len, error);
}

bool state_set_aside(State *state, PealSlot slot)
{
    g_autofree char *aside = g_strconcat(SLOT_FILES[slot], ".bad", NULL);

    return renameat(state->directory_fd, SLOT_FILES[slot], state->directory_fd, aside) == 0;
}

bool state_write(State *state, PealSlot slot, PealBytes bytes, GError **error)
{
    return replace_file(state, SLOT_FILES[slot], bytes, error);
}

/* Takes the next bytes off; NULL when the state ends and there are none. */
static GBytes *next_waiting(State *state, PealSlot *ret_slot)
{
    for (;;) {
        for (unsigned slot = 0; slot < SLOTS; slot++) {
            if (state->waiting[slot] != NULL) {
                *ret_slot = (PealSlot)slot;
                return g_steal_pointer(&state->waiting[slot]);
            }
        }
        if (state->ending) {
            return NULL;
        }
        g_cond_wait(&state->changed, &state->mutex);
    }
}

static gpointer write_waiting(gpointer data)
{
    State *state = data;
    PealSlot slot;
    GBytes *bytes;

    g_mutex_lock(&state->mutex);
    while ((bytes = next_waiting(state, &slot)) != NULL) {
        g_autoptr(GError) error = NULL;
        PealBytes content;
        bool good;

        g_mutex_unlock(&state->mutex);
        content.ptr = g_bytes_get_data(bytes, &content.len);
        good = state_write(state, slot, content, &error);
        g_bytes_unref(bytes);
        g_mutex_lock(&state->mutex);
        if (!good && !state->failed[slot]) {
            log_error("%s", error->message);
        }
        state->failed[slot] = !good;
    }
    g_mutex_unlock(&state->mutex);
    return NULL;
}

bool state_keep(State *state, PealSlot slot, PealBytes bytes)
{
    bool good;

    g_mutex_lock(&state->mutex);
    g_clear_pointer(&state->waiting[slot], g_bytes_unref);
    state->waiting[slot] = g_bytes_new(bytes.ptr, bytes.len);
    good = !state->failed[slot];
    g_cond_signal(&state->changed);
    g_mutex_unlock(&state->mutex);
    if (state->writer == NULL) {
        state->writer = g_thread_new("state", write_waiting, state);
    }
    return good;
}
