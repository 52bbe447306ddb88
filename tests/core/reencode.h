/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reencode.h - a message decoded down to its last element and written again from the structs.
 * Source: RFC 6940.   State: none.   Time: none.
 * Every iterator, decoder and encoder of the codec takes part, so that equal bytes show that they
 * agree.
 */
#ifndef TESTS_REENCODE_H
#define TESTS_REENCODE_H

#include "reload/codec.h"

/*
 * reencode_body reads a message body by its code and writes it again.
 * Returns 0 or the decoder's error; -PEAL_E_UNKNOWN for a code that RFC 6940 does not define.
 */
int reencode_body(uint16_t code, PealBytes body, Writer *w);

/* reencode_message does so with a whole message; a body of unknown code is copied. */
int reencode_message(PealBytes packet, Writer *w);

/*
 * reencode_values reads the values of one Kind by a data model (meta: of a StatAns), and writes
 * them again.
 */
int reencode_values(PealBytes values, PealModel model, bool meta, Writer *w);

/*
 * reencode_model is the data model of a Kind of the golden messages (RFC 6940 s.14.6, RFC 7904
 * s.7).
 */
PealModel reencode_model(uint32_t kind);

#endif
