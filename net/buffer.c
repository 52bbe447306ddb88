/* SPDX-License-Identifier: GPL-3.0-or-later */
/* buffer.c - bytes on their way; see buffer.h. */
#include "buffer.h"

#include <glib.h>

enum { SLACK = 64 }; /* a forwarded message grows by a hop's via entry in place */

static size_t total;

PealBuf *buffer_new(size_t cap)
{
    PealBuf *buf = g_malloc(sizeof(*buf) + cap + SLACK);

    *buf = (PealBuf){.cap = (uint32_t)(cap + SLACK)};
    total += sizeof(*buf) + buf->cap;
    return buf;
}

PealBuf *buffer_copy(const uint8_t *data, size_t len)
{
    PealBuf *buf = buffer_new(len);

    memcpy(buf->data, data, len);
    buf->len = (uint32_t)len;
    return buf;
}

void buffer_free(PealBuf *buf)
{
    if (buf != NULL) {
        total -= sizeof(*buf) + buf->cap;
        g_free(buf);
    }
}

size_t buffer_total(void)
{
    return total;
}
