/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * raw.h - finds the parts of a value in its bytes: no copy, no arena, nothing decoded.
 * Source: RFC 3261 s.7.3.1, s.19.1, s.20, s.25.1; RFC 3581.
 * State:  none.   Time: none.
 *
 * libosip2 decodes escapes and ends at a NUL, so that what it returns cannot be written back as it
 * came and two users become one; where a part stands is therefore found here, for value.h and for
 * whatever is needed of every message. All return 0 or -PEAL_E_VALUE.
 */
#ifndef SIP_RAW_H
#define SIP_RAW_H

#include "sip/value.h"

/* One parameter, `;name` or `;name=value`; a quoted value is without its quotes. */
typedef struct RawParam {
    PealStr name;
    PealStr value;
    bool has_value;
    size_t at;  /* of its semicolon */
    size_t end; /* past its last byte */
} RawParam;

/* raw_param_next reads the parameter behind `*at` and moves on; ret_param->name is empty at the
 * end. */
int raw_param_next(PealStr params, size_t *at, RawParam *ret_param) PEAL_MUST_USE;

int raw_uri(PealStr text, SipUri *ret_uri) PEAL_MUST_USE;
int raw_address(PealStr text, SipAddress *ret_address) PEAL_MUST_USE;
int raw_cseq(PealStr text, SipCSeq *ret_cseq) PEAL_MUST_USE;

/* raw_via reads a Via as far as it goes: what is wrong behind the sent-by leaves *ret_whole false,
 * and an answer can still be sent by it. */
int raw_via(PealStr text, SipVia *ret_via, bool *ret_whole) PEAL_MUST_USE;

#endif
