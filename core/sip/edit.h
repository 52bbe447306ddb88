/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * edit.h - a message that is passed on: its bytes as they came, but for the spans that a proxy may
 *          change.
 * Source: RFC 3261 s.16.6.   State: the caller's SipEdit.   Time: none.
 */
#ifndef SIP_EDIT_H
#define SIP_EDIT_H

#include "sip/message.h"
#include "sip/text.h"

enum { SIP_SPLICES_MAX = 48 };

typedef struct SipSplice {
    uint16_t at; /* bytes at..end of the message are replaced; at == end inserts */
    uint16_t end;
    PealStr text; /* lives until sip_edit_write */
} SipSplice;

typedef struct SipEdit {
    const SipMessage *message;
    SipSplice splices[SIP_SPLICES_MAX]; /* by place, then in the order of the calls */
    size_t splices_len;
    bool overflow; /* too many, or two that overlap */
} SipEdit;

void sip_edit_init(SipEdit *edit, const SipMessage *message);
void sip_edit_replace(SipEdit *edit, size_t at, size_t end, PealStr text);
static inline void sip_edit_insert(SipEdit *edit, size_t at, PealStr text)
{
    sip_edit_replace(edit, at, at, text);
}
/* sip_edit_remove_field takes a whole header field out, its line end included. */
void sip_edit_remove_field(SipEdit *edit, size_t field);
/* sip_edit_remove_element takes one element out of a comma-separated field; the last one
 * left takes the field with it. Each once. */
void sip_edit_remove_element(SipEdit *edit, const SipCursor *element);

/* sip_edit_write writes the message, or fails with -PEAL_E_FULL when `cap` is too small or the edit
 * overflowed. sip_edit_len tells how long it will be. */
size_t sip_edit_len(const SipEdit *edit);
int sip_edit_write(const SipEdit *edit, uint8_t *ret_bytes, size_t cap,
                   size_t *ret_len) PEAL_MUST_USE;

#endif
