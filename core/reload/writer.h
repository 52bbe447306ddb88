/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * writer.h - lengths in front of what is written; for the encoders only.
 * Source: RFC 6940 s.6.3.1.   State: none.   Time: none.
 */
#ifndef RELOAD_WRITER_H
#define RELOAD_WRITER_H

#include "reload/codec.h"

/* put_opaqueN writes bytes behind a length of N bits; bytes too long for it overflow the writer. */
void put_opaque8(Writer *w, PealBytes bytes);
void put_opaque16(Writer *w, PealBytes bytes);
void put_opaque24(Writer *w, PealBytes bytes);
void put_opaque32(Writer *w, PealBytes bytes);

/*
 * A length that is known only afterwards: the mark is where the counted bytes start, behind the
 * length itself.
 *   size_t mark = put_length_begin(w, 2);
 *   ...
 *   put_length_end(w, mark, 2);
 */
size_t put_length_begin(Writer *w, size_t length_bytes);
void put_length_end(Writer *w, size_t mark, size_t length_bytes);

#endif
