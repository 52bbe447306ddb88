/* SPDX-License-Identifier: GPL-3.0-or-later */
/* churn_trace.c - reads traces of peers that come and go. See churn.h. */
#include <inttypes.h>
#include <string.h>

#include "churn.h"

enum { FRACTION_DIGITS = 6, WORDS = 3 };

static const int64_t SECONDS_MAX = INT64_C(3650) * 86400;

static bool trace_fail(const char *path, guint line, GError **error, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

static bool trace_fail(const char *path, guint line, GError **error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE, "%s:%u: %s", path, line, text);
    return false;
}

/* `12` or `12.345678`: seconds, in us. */
static bool read_seconds(const char *word, int64_t *ret_us)
{
    int64_t us = 0;
    int digits = FRACTION_DIGITS;

    if (!g_ascii_isdigit(*word)) {
        return false;
    }
    for (; g_ascii_isdigit(*word); word++) {
        us = us * 10 + (*word - '0');
        if (us > SECONDS_MAX) {
            return false;
        }
    }
    if (*word == '.') {
        for (word++; g_ascii_isdigit(*word) && digits > 0; word++, digits--) {
            us = us * 10 + (*word - '0');
        }
    }
    for (; digits > 0; digits--) {
        us *= 10;
    }
    *ret_us = us;
    return *word == '\0';
}

static bool read_peer(const char *word, uint64_t *ret_peer)
{
    uint64_t peer = 0;

    if (*word == '\0') {
        return false;
    }
    for (; *word != '\0'; word++) {
        if (!g_ascii_isdigit(*word)) {
            return false;
        }
        peer = MIN(peer * 10 + (uint64_t)(*word - '0'), UINT32_MAX);
    }
    *ret_peer = peer;
    return true;
}

/* Splits a line into at most WORDS words and one more that is too many; returns how many. */
static size_t split(char *line, char *words[WORDS + 1])
{
    size_t len = 0;
    char *rest = NULL;

    line[strcspn(line, "#")] = '\0';
    for (char *word = strtok_r(line, " \t\r", &rest); word != NULL && len <= WORDS;
         word = strtok_r(NULL, " \t\r", &rest)) {
        words[len++] = word;
    }
    return len;
}

/* What has been read so far. */
typedef struct TraceReader {
    const char *path;
    uint32_t peers;
    GArray *lines; /* ChurnLine */
    bool *up;      /* of each peer */
    guint number;  /* of this line */
    int64_t us;    /* of the line before */
} TraceReader;

static bool read_line(TraceReader *reader, char *text, GError **error)
{
    char *words[WORDS + 1] = {NULL};
    size_t len = split(text, words);
    ChurnLine line;
    uint64_t peer;

    if (len == 0) {
        return true;
    }
    if (len != WORDS || !read_seconds(words[0], &line.us) || !read_peer(words[1], &peer) ||
        (strcmp(words[2], "up") != 0 && strcmp(words[2], "down") != 0)) {
        return trace_fail(reader->path, reader->number, error,
                          "this is no line of a trace: write SECONDS PEER up or SECONDS PEER down, "
                          "such as 12.5 7 up; seconds up to ten years, with six decimals at most");
    }
    if (line.us < reader->us) {
        return trace_fail(reader->path, reader->number, error,
                          "time runs backwards: the line before is at %.15g s, this one at %s s",
                          (double)reader->us / 1e6, words[0]);
    }
    if (peer >= reader->peers) {
        return trace_fail(reader->path, reader->number, error,
                          "there is no peer %s, only 0 to %" PRIu32
                          ": set overlay.peers to as many "
                          "as the trace has",
                          words[1], reader->peers - 1);
    }
    line.peer = (uint32_t)peer;
    line.up = strcmp(words[2], "up") == 0;
    if (line.up == reader->up[peer]) {
        return trace_fail(reader->path, reader->number, error, "peer %s is %s already", words[1],
                          words[2]);
    }
    reader->up[peer] = line.up;
    reader->us = line.us;
    g_array_append_val(reader->lines, line);
    return true;
}

ChurnTrace *churn_trace_parse(const char *path, const char *text, size_t len, uint32_t peers,
                              GError **error)
{
    g_autoptr(GArray) lines = g_array_new(FALSE, FALSE, sizeof(ChurnLine));
    g_autofree bool *up = g_new0(bool, peers);
    TraceReader reader = {.path = path, .peers = peers, .lines = lines, .up = up};
    const char *end = text + len;
    ChurnTrace *trace;

    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline != NULL ? newline : end;
        g_autofree char *line = g_strndup(text, (size_t)(stop - text));

        reader.number++;
        if (memchr(text, '\0', (size_t)(stop - text)) != NULL) {
            trace_fail(path, reader.number, error, "a byte of value 0: this is no text");
            return NULL;
        }
        if (!read_line(&reader, line, error)) {
            return NULL;
        }
        text = stop + 1;
    }
    if (lines->len == 0) {
        trace_fail(path, MAX(reader.number, 1), error, "the trace ends, and no peer has come");
        return NULL;
    }
    trace = g_new(ChurnTrace, 1);
    trace->len = lines->len;
    trace->lines = (ChurnLine *)(void *)g_array_free(g_steal_pointer(&lines), FALSE);
    return trace;
}

void churn_trace_free(ChurnTrace *trace)
{
    if (trace != NULL) {
        g_free(trace->lines);
        g_free(trace);
    }
}
