/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * input.c - see input.h.
 */
#include "trace/input.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum {
    BUFFER_LEN = 1 << 18,
    GZIP_MAGIC_LEN = 2,
    GZIP_WINDOW_BITS = 15 + 16 /* zlib.h: the largest window, gzip's header and trailer */
};

struct Input {
    int fd;
    InputWatch watch;
    bool zipped;
    bool stopped; /* the watch said so */
    bool eof;     /* of the file */
    bool ended;
    bool member; /* within a member of gzip's */
    int error;   /* errno */
    uint64_t bytes;
    uint64_t total;
    z_stream zip;
    const char *damage;
    size_t start; /* of what is left in the buffer */
    size_t end;
    uint8_t buffer[BUFFER_LEN];
};

/* Reads into memory; 0 at the end or on failure. */
static size_t read_file(Input *input, uint8_t *bytes, size_t cap)
{
    ssize_t len;

    if (input->eof) {
        return 0;
    }
    do {
        len = read(input->fd, bytes, cap);
    } while (len < 0 && errno == EINTR && input->watch.keep_on(input->watch.user));
    if (len <= 0) {
        input->stopped = len < 0 && errno == EINTR;
        input->error = len < 0 && errno != EINTR ? errno : 0;
        input->eof = true;
        return 0;
    }
    input->bytes += (uint64_t)len;
    return (size_t)len;
}

static void refill(Input *input)
{
    input->start = 0;
    input->end = read_file(input, input->buffer, sizeof(input->buffer));
}

static void fail_to_open(GError **error, const char *path, int reason)
{
    g_set_error(error, TRACE_ERROR, TRACE_ERROR_OPEN, "cannot open the capture %s: %s", path,
                g_strerror(reason));
}

static bool open_file(Input *input, const char *path, GError **error)
{
    struct stat about;

    if (strcmp(path, "-") == 0) {
        input->fd = STDIN_FILENO;
    } else {
        input->fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (input->fd < 0 || fstat(input->fd, &about) != 0) {
        int reason = errno;

        fail_to_open(error, path, reason);
        return false;
    }
    if (S_ISDIR(about.st_mode)) {
        g_set_error(error, TRACE_ERROR, TRACE_ERROR_OPEN,
                    "%s is a directory; name a capture file in it", path);
        return false;
    }
    input->total = S_ISREG(about.st_mode) ? (uint64_t)about.st_size : 0;
    return true;
}

/* Reads what tells gzip from a capture. */
static bool look(Input *input, const char *path, GError **error)
{
    while (input->end < GZIP_MAGIC_LEN && !input->eof) {
        input->end +=
            read_file(input, input->buffer + input->end, sizeof(input->buffer) - input->end);
    }
    if (input->error != 0) {
        g_set_error(error, TRACE_ERROR, TRACE_ERROR_READ, "cannot read the capture %s: %s", path,
                    g_strerror(input->error));
        return false;
    }
    if (input->stopped) {
        g_set_error(error, TRACE_ERROR, TRACE_ERROR_READ,
                    "interrupted before the capture %s had begun", path);
        return false;
    }
    if (input->end == 0) {
        g_set_error(error, TRACE_ERROR, TRACE_ERROR_OPEN, "the capture %s is empty: it has 0 bytes",
                    path);
        return false;
    }
    input->zipped = input->end >= GZIP_MAGIC_LEN && input->buffer[0] == 0x1f &&
                    input->buffer[1] == 0x8b; /* RFC 1952 s.2.3.1 */
    if (input->zipped) {
        PEAL_ASSERT(inflateInit2(&input->zip, GZIP_WINDOW_BITS) == Z_OK);
        input->member = true;
    }
    return true;
}

Input *input_open(const char *path, const InputWatch *watch, GError **error)
{
    Input *input = g_new0(Input, 1);

    input->fd = -1;
    input->watch = *watch;
    if (!open_file(input, path, error) || !look(input, path, error)) {
        input_close(input);
        return NULL;
    }
    return input;
}

void input_close(Input *input)
{
    if (input == NULL) {
        return;
    }
    if (input->zipped) {
        (void)inflateEnd(&input->zip);
    }
    if (input->fd > STDIN_FILENO) {
        (void)close(input->fd);
    }
    g_free(input);
}

/* A member may follow another (RFC 1952 s.2.2); what follows that is none is not looked at, as gzip
 * itself does. */
static bool next_member(Input *input)
{
    if (input->start == input->end) {
        refill(input);
    }
    if (input->start == input->end || input->buffer[input->start] != 0x1f) {
        return false;
    }
    input->member = inflateReset(&input->zip) == Z_OK;
    return input->member;
}

/* Decompresses until there is a byte at least; 0 at the end. */
static size_t inflate_some(Input *input, uint8_t *bytes, size_t cap)
{
    input->zip.next_out = bytes;
    input->zip.avail_out = (unsigned)MIN(cap, INT_MAX);
    while (input->zip.next_out == bytes && input->damage == NULL) {
        int result;

        if (!input->member && !next_member(input)) {
            break;
        }
        if (input->start == input->end) {
            refill(input);
        }
        if (input->start == input->end) {
            input->damage = "the gzip data ends in the middle";
            break;
        }
        input->zip.next_in = input->buffer + input->start;
        input->zip.avail_in = (unsigned)(input->end - input->start);
        result = inflate(&input->zip, Z_SYNC_FLUSH);
        input->start = input->end - input->zip.avail_in;
        input->member = result != Z_STREAM_END;
        if (result == Z_MEM_ERROR || result == Z_DATA_ERROR || result == Z_STREAM_ERROR ||
            result == Z_NEED_DICT) {
            input->damage = input->zip.msg != NULL ? input->zip.msg : zError(result);
        }
    }
    return (size_t)(input->zip.next_out - bytes);
}

size_t input_read(Input *input, uint8_t *ret_bytes, size_t cap)
{
    size_t len;

    if (input->ended || cap == 0) {
        return 0;
    }
    if (input->zipped) {
        len = inflate_some(input, ret_bytes, cap);
    } else if (input->start < input->end) { /* what was looked at */
        len = MIN(cap, input->end - input->start);
        memcpy(ret_bytes, input->buffer + input->start, len);
        input->start += len;
    } else {
        len = read_file(input, ret_bytes, cap);
    }
    input->ended = len == 0;
    return len;
}

bool input_ended(const Input *input)
{
    return input->ended;
}

const char *input_damage(const Input *input)
{
    return input->damage;
}

int input_errno(const Input *input)
{
    return input->error;
}

uint64_t input_bytes(const Input *input)
{
    return input->bytes;
}

uint64_t input_total(const Input *input)
{
    return input->total;
}
