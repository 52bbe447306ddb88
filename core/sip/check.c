/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * check.c - what every element must look at before it handles a message (message.h).
 * Source: RFC 3261 s.8.1.1, s.16.3, s.18.2.1, s.20; RFC 4475.
 */
#include "sip/message.h"
#include "sip/raw.h"

enum { MAX_FORWARDS_MAX = 255 };

bool sip_message_answerable(const SipMessage *message)
{
    return message->status == 0 && message->method.len > 0 && message->code != SIP_ACK &&
           message->via_state != SIP_VIA_NONE;
}

/* s.7.3.1: header fields that are no lists stand at most once, in whatever form. */
static const char *check_counts(const SipMessage *message)
{
    static const bool single[SIP_HEADER_COUNT] = {
        [SIP_H_FROM] = true,         [SIP_H_TO] = true,
        [SIP_H_CALL_ID] = true,      [SIP_H_CSEQ] = true,
        [SIP_H_MAX_FORWARDS] = true, [SIP_H_EXPIRES] = true,
        [SIP_H_MIN_EXPIRES] = true,  [SIP_H_CONTENT_LENGTH] = true,
        [SIP_H_CONTENT_TYPE] = true, [SIP_H_RETRY_AFTER] = true,
        [SIP_H_TIMESTAMP] = true,
    };

    for (size_t i = 0; i < message->fields_len; i++) {
        const uint8_t header = message->fields[i].header;

        if (single[header] && message->first[header] != (int16_t)i) {
            return "Repeated Header Field";
        }
    }
    return NULL;
}

static const char *check_cseq(const SipMessage *message)
{
    SipCSeq cseq;

    if (raw_cseq(sip_field(message, SIP_H_CSEQ), &cseq) != 0) {
        return "Bad CSeq";
    }
    if (message->status == 0 && !sip_equal(cseq.method, message->method)) {
        return "CSeq Method Mismatch";
    }
    return NULL;
}

/* s.25.1: one or two words, so no white space; beyond that a Call-ID is compared, never read. */
static const char *check_call_id(const SipMessage *message)
{
    const PealStr call_id = sip_field(message, SIP_H_CALL_ID);

    for (size_t i = 0; i < call_id.len; i++) {
        if ((uint8_t)call_id.ptr[i] <= ' ' || call_id.ptr[i] == '\x7f') {
            return "Bad Call-ID";
        }
    }
    return call_id.len > 0 ? NULL : "Missing Call-ID";
}

static const char *check_addresses(const SipMessage *message)
{
    SipAddress address;

    if (!sip_has(message, SIP_H_FROM) || !sip_has(message, SIP_H_TO)) {
        return "Missing To or From";
    }
    if (raw_address(sip_field(message, SIP_H_FROM), &address) != 0 || address.star) {
        return "Bad From";
    }
    if (raw_address(sip_field(message, SIP_H_TO), &address) != 0 || address.star) {
        return "Bad To";
    }
    return NULL;
}

static const char *check_via(const SipMessage *message, unsigned *ret_status)
{
    const SipVia *via = &message->via;

    if (message->via_state != SIP_VIA_WHOLE) {
        return "Bad Via";
    }
    if (sip_is(via->branch, "z9hG4bK")) {
        return "Branch Without Identifier"; /* RFC 4475 s.3.2.1: it would be everybody's */
    }
    if (!sip_is(via->version, "2.0")) {
        *ret_status = 505;
        return "Version Not Supported";
    }
    return NULL;
}

/* RFC 4475 s.3.3.10: who follows such a Via sends to a whole network. */
static const char *check_broadcast(const SipMessage *message)
{
    for (SipCursor at = {0}; sip_next(message, SIP_H_VIA, &at);) {
        bool whole = false;
        SipVia via;

        if (raw_via(at.element, &via, &whole) != 0 || !whole) {
            return "Bad Via";
        }
        if (sip_is(via.host, "255.255.255.255") || sip_is(via.received, "255.255.255.255")) {
            return "Broadcast Via";
        }
    }
    return NULL;
}

/* s.19.1.1: a SIP Request-URI has no headers; other schemes are the concern of who routes. */
static const char *check_request(const SipMessage *message)
{
    uint32_t hops;
    SipUri uri;

    if (raw_uri(message->uri, &uri) != 0 || uri.headers.ptr != NULL) {
        return "Bad Request-URI";
    }
    if (sip_has(message, SIP_H_MAX_FORWARDS) &&
        sip_u32(sip_field(message, SIP_H_MAX_FORWARDS), MAX_FORWARDS_MAX, &hops) != 0) {
        return "Bad Max-Forwards";
    }
    return NULL;
}

unsigned sip_message_check(const SipMessage *message, const char **ret_why)
{
    unsigned status = 400;
    const char *why = check_counts(message);

    if (why == NULL) {
        why = check_via(message, &status);
    }
    if (why == NULL) {
        why = check_call_id(message);
    }
    if (why == NULL) {
        why = check_cseq(message);
    }
    if (why == NULL) {
        why = check_addresses(message);
    }
    if (why == NULL) {
        why = message->status == 0 ? check_request(message) : check_broadcast(message);
    }
    if (why == NULL) {
        return 0;
    }
    *ret_why = why;
    return status;
}
