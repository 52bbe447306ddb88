/* SPDX-License-Identifier: GPL-3.0-or-later */
/* buffer.c - bytes on their way; see buffer.h. */
#include "buffer.h"

#include <glib.h>

#include "pool.h"

enum { SLACK = 64 }; /* a forwarded message grows by a hop's via entry in place */

static size_t total;
static Pool pool;

PealBuf *buffer_new(size_t cap)
{
    size_t size = pool_size(sizeof(PealBuf) + cap + SLACK);
    PealBuf *buf = pool_alloc(&pool, size);

    if (buf == NULL) {
        g_error("no memory for a packet of %zu bytes", cap);
    }
    *buf = (PealBuf){.cap = (uint32_t)(size - sizeof(*buf))};
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
        pool_release(&pool, buf, sizeof(*buf) + buf->cap);
    }
}

size_t buffer_total(void)
{
    return total;
}
