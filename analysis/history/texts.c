/* SPDX-License-Identifier: GPL-3.0-or-later */
/* texts.c - what an INVITE's header and body say to the callee, kept to be said again. */
#include "history/state.h"

enum { HEADERS_MAX = 1024, BODY_MAX = 2048, TYPE_MAX = 255 };

static bool is_kept(const char *line, size_t len)
{
    static const char *const NAMES[] = {"Subject",  "User-Agent", "Organization",
                                        "Priority", "Call-Info",  "Alert-Info"};
    const char *colon = memchr(line, ':', len);
    size_t name_len;

    if (colon == NULL) {
        return false;
    }
    name_len = (size_t)(colon - line);
    while (name_len > 0 && (line[name_len - 1] == ' ' || line[name_len - 1] == '\t')) {
        name_len--;
    }
    if (name_len == 1 && (line[0] == 's' || line[0] == 'S')) {
        return true; /* Subject's compact form */
    }
    if (name_len > 2 && g_ascii_strncasecmp(line, "X-", 2) == 0) {
        return true;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(NAMES); i++) {
        if (name_len == strlen(NAMES[i]) && g_ascii_strncasecmp(line, NAMES[i], name_len) == 0) {
            return true;
        }
    }
    return false;
}

/* Appends a header field that ends before `end`, its folds as blanks. */
static void append_field(GString *headers, const char *line, const char *end)
{
    gsize before = headers->len;
    bool folds = false;

    for (const char *at = line; at < end; at++) {
        if (*at == '\r' || *at == '\n') {
            folds = true;
        } else if (folds && (*at == ' ' || *at == '\t')) {
            continue;
        } else if (folds) {
            g_string_append_c(headers, ' ');
            folds = false;
            at--;
        } else if ((uint8_t)*at < ' ' && *at != '\t') {
            g_string_truncate(headers, before); /* nothing that a header may hold */
            return;
        } else {
            g_string_append_c(headers, *at);
        }
    }
    while (headers->len > before && headers->str[headers->len - 1] == ' ') {
        g_string_truncate(headers, headers->len - 1);
    }
    g_string_append(headers, "\r\n");
    if (headers->len > HEADERS_MAX) {
        g_string_truncate(headers, before);
    }
}

/* The end of the field that begins at `at`, with the lines that continue it, without its line
 * break; *ret_next is where the next one begins. */
static const char *field_end(const char *at, const char *end, const char **ret_next)
{
    for (;;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));

        if (newline == NULL) {
            *ret_next = end;
            return NULL; /* cut off */
        }
        if (newline + 1 < end && (newline[1] == ' ' || newline[1] == '\t')) {
            at = newline + 1;
            continue;
        }
        *ret_next = newline + 1;
        return newline;
    }
}

static char *kept_headers(const PealSipScan *scan)
{
    GString *headers = g_string_new(NULL);
    const char *at = scan->bytes.ptr, *end = at + scan->bytes.len;
    const char *stop;

    field_end(at, end, &at); /* the request line */
    while (at < end && *at != '\r' && *at != '\n') {
        const char *line = at;

        stop = field_end(at, end, &at);
        if (stop == NULL) {
            break;
        }
        if (is_kept(line, (size_t)(stop - line))) {
            append_field(headers, line, stop);
        }
    }
    return g_string_free(headers, headers->len == 0);
}

void texts_keep(History *history, HistoryCall *call, const PealSipScan *scan)
{
    size_t wanted = HEADERS_MAX + MIN(scan->body.len, BODY_MAX) + TYPE_MAX;

    if (!history->config.texts) {
        return;
    }
    if (history->texts + wanted > TEXTS_MAX) {
        history->data.texts_left_out = true;
        return;
    }
    call->headers = kept_headers(scan);
    history->texts += call->headers != NULL ? strlen(call->headers) : 0;
    if (scan->cut || scan->body.len == 0 || scan->body.len > BODY_MAX ||
        scan->content_type.len == 0 || scan->content_type.len > TYPE_MAX ||
        memchr(scan->body.ptr, '\0', scan->body.len) != NULL ||
        memchr(scan->content_type.ptr, '\0', scan->content_type.len) != NULL) {
        return;
    }
    call->content_type = g_strndup(scan->content_type.ptr, scan->content_type.len);
    call->body = g_strndup(scan->body.ptr, scan->body.len);
    call->body_len = (uint32_t)scan->body.len;
    history->texts += scan->content_type.len + scan->body.len;
}
