/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stream_frame.h - where a message ends that begins in a stream's bytes.
 * Source: RFC 3261 s.7, s.18.3, s.20.14.   State: none.   Time: none.
 */
#ifndef SIP_STREAM_FRAME_H
#define SIP_STREAM_FRAME_H

#include <peal/base.h>

/*
 * stream_frame finds the end of the message that begins with `bytes`.
 * line       in and out: where the line begins that was not whole when last looked at; 0 at first.
 *            Behind the head once that is whole
 * ret_total  the message's length, 0 while more is needed to know it
 * Returns 0; -PEAL_E_TOO_LARGE for more than SIP_MESSAGE_MAX; -PEAL_E_VALUE for a line that ends
 * without CR, or for a head that does not tell the length: then *ret_total is that of the head,
 * which is to be handed over by itself.
 */
int stream_frame(PealStr bytes, size_t *line, size_t *ret_total) PEAL_MUST_USE;

#endif
