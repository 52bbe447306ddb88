/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * http.h - the node's small web server: GET and HEAD of a few pages, for people and monitors.
 * Source: RFC 9110; libmicrohttpd.
 * State:  one Http per node: one daemon per address, at most HTTP_CONNECTIONS_MAX connections
 *         each, of HTTP_CONNECTION_BYTES.
 * Time:   never blocks; a connection ends after HTTP_IDLE_S without a byte.
 */
#ifndef HTTP_H
#define HTTP_H

#include "loop.h"

enum {
    HTTP_CONNECTIONS_MAX = 64,
    HTTP_CONNECTIONS_EACH = 16,    /* of one address, so that one does not shut out all */
    HTTP_CONNECTION_BYTES = 16384, /* for a request's line and headers */
    HTTP_IDLE_S = 10,
};

typedef struct Http Http;

typedef struct HttpAnswer {
    unsigned status;
    const char *type; /* Content-Type, static */
    char *text;       /* from GLib's allocator */
} HttpAnswer;

typedef struct HttpConfig {
    Loop *loop;
    const PealAddr *addrs;
    size_t addrs_len;
    /* path: without query; false: there is no such page. Else the answer, taken. */
    bool (*on_get)(void *user, const char *path, HttpAnswer *ret_answer);
    void *user;
} HttpConfig;

/* http_new listens on all addresses. Errors (G_FILE_ERROR): which address, and why it cannot be
 * listened on. */
Http *http_new(const HttpConfig *config, GError **error);
void http_free(Http *http);

#endif
