/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sip_scan.h - reads SIP messages that somebody else sent and received: what a capture holds.
 * Source: RFC 3261 s.7, s.18.3, s.19.1, s.20, s.25.1.
 * State:  none: everything points into the bytes that were read.   Time: none.
 *
 * An observer takes what there is: a message that was cut off or breaks a rule is read as far as
 * it goes. Nothing is decoded or copied.
 */
#ifndef PEAL_SIP_SCAN_H
#define PEAL_SIP_SCAN_H

#include <peal/base.h>

enum { PEAL_SIP_LINE_MAX = 8192 }; /* a start line that is longer is none */

/* One message; a text that it has not is empty. */
typedef struct PealSipScan {
    PealStr bytes;   /* as given, up to the message's end */
    PealStr method;  /* of the request line; of a response's CSeq */
    PealStr uri;     /* requests: as written */
    uint16_t status; /* 100..699; 0 for a request */
    PealStr call_id; /* values of header fields, trimmed, as written */
    PealStr from;
    PealStr to;
    PealStr from_tag;
    PealStr to_tag;
    PealStr branch; /* of the topmost Via */
    uint32_t cseq;  /* meaningful where cseq_method is not empty */
    PealStr cseq_method;
    PealStr contact;   /* the first one, without what follows a comma */
    int64_t expires_s; /* of the Contact's parameter, else of Expires; -1 for none */
    PealStr content_type;
    PealStr body;
    bool cut; /* the head or the body goes on behind the bytes */
} PealSipScan;

/*
 * peal_sip_scan reads a message.
 * bytes     begins with a start line; borrowed for the result's life
 * Returns 0 when the start line is one of SIP/2.0 and whole, whatever follows; -PEAL_E_UNKNOWN when
 * it is none; -PEAL_E_TRUNCATED when it could become one.
 */
int peal_sip_scan(PealStr bytes, PealSipScan *ret_scan) PEAL_MUST_USE;

/* peal_sip_scan_field is field `nth` (0..) of a header, by its name or its compact form, in any
 * case; false when there is none. Folded lines are one value. */
bool peal_sip_scan_field(const PealSipScan *scan, PealStr name, unsigned nth, PealStr *ret_value);

/*
 * peal_sip_frame finds where the message ends that begins at a stream's byte 0, by its
 * Content-Length (0 where there is none).
 * Returns 0 and the length; -PEAL_E_TRUNCATED when more bytes are needed to tell, and then in
 * *ret_len how many there must be in all (0: its head is not whole); or -PEAL_E_VALUE when no
 * message begins there.
 */
int peal_sip_frame(PealStr bytes, size_t *ret_len) PEAL_MUST_USE;

/* The parts of a URI, as written. */
typedef struct PealSipUri {
    PealStr scheme;
    PealStr user;  /* empty for none */
    PealStr host;  /* an IPv6 reference with its brackets; of tel: the number stands in user */
    uint16_t port; /* 0 for none */
} PealSipUri;

/* peal_sip_address finds the URI and the parameters of a name-addr or addr-spec, as From, To and
 * Contact have them. Returns 0 or -PEAL_E_VALUE. ret_params may be NULL. */
int peal_sip_address(PealStr value, PealSipUri *ret_uri, PealStr *ret_params) PEAL_MUST_USE;
int peal_sip_uri(PealStr text, PealSipUri *ret_uri) PEAL_MUST_USE;

/* peal_sip_reason is a status's reason phrase by its standard, or that of its class; empty outside
 * 100..699. */
PealStr peal_sip_reason(unsigned status);

/* peal_sip_element takes the first element off a list, whose elements have commas between them
 * (s.7.3.1); false when nothing is left. */
bool peal_sip_element(PealStr *rest, PealStr *ret_element);

/* peal_sip_param finds `;name=value` or `;name` in parameters, in any case. */
bool peal_sip_param(PealStr params, const char *name, PealStr *ret_value);

#endif
