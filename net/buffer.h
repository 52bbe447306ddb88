/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * buffer.h - bytes on their way, as the peer and the sockets hand them to each other.
 * Source: none.
 * State:  a piece of memory per buffer, the process's count of their bytes, a pool (pool.h).
 * Time:   none.
 */
#ifndef NET_BUFFER_H
#define NET_BUFFER_H

#include <peal/env.h>

/* buffer_new makes a buffer with room for at least cap bytes, everything else zero. The process
 * ends when there is no memory. */
PealBuf *buffer_new(size_t cap);
PealBuf *buffer_copy(const uint8_t *data, size_t len);
void buffer_free(PealBuf *buf);

/* buffer_total tells how many bytes all buffers hold. */
size_t buffer_total(void);

#endif
