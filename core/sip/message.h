/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * message.h - one SIP message where it stands in its bytes: which part is where, never a copy.
 * Source: RFC 3261 s.7, s.18.3, s.25.1; compact forms of RFC 3261 s.7.3.3 and those that usages
 *         add.
 * State:  none beyond the struct.   Time: none.
 *
 * Scanning finds the start line, the header fields (folded lines are one) and the body. Whatever
 * libosip2 could misread is checked on the raw bytes, so that a message that scans can be answered.
 */
#ifndef SIP_MESSAGE_H
#define SIP_MESSAGE_H

#include "sip/value.h"

enum { SIP_FIELDS_MAX = 128, SIP_MESSAGE_MAX = 65535 };

#define SIP_METHODS(X) \
    X(INVITE)          \
    X(ACK)             \
    X(BYE)             \
    X(CANCEL)          \
    X(REGISTER)        \
    X(OPTIONS)         \
    X(PRACK)           \
    X(UPDATE)          \
    X(INFO)            \
    X(SUBSCRIBE)       \
    X(NOTIFY)          \
    X(PUBLISH)         \
    X(REFER)           \
    X(MESSAGE)

typedef enum SipMethod {
    SIP_METHOD_OTHER,
#define X(name) SIP_##name,
    SIP_METHODS(X)
#undef X
} SipMethod;

/* Header fields that the code asks for by name: X(NAME, text, compact form or 0). */
#define SIP_HEADERS(X)                               \
    X(VIA, "Via", 'v')                               \
    X(FROM, "From", 'f')                             \
    X(TO, "To", 't')                                 \
    X(CALL_ID, "Call-ID", 'i')                       \
    X(CSEQ, "CSeq", 0)                               \
    X(CONTACT, "Contact", 'm')                       \
    X(MAX_FORWARDS, "Max-Forwards", 0)               \
    X(MAX_BREADTH, "Max-Breadth", 0)                 \
    X(ROUTE, "Route", 0)                             \
    X(RECORD_ROUTE, "Record-Route", 0)               \
    X(PATH, "Path", 0)                               \
    X(SUPPORTED, "Supported", 'k')                   \
    X(REQUIRE, "Require", 0)                         \
    X(PROXY_REQUIRE, "Proxy-Require", 0)             \
    X(UNSUPPORTED, "Unsupported", 0)                 \
    X(EXPIRES, "Expires", 0)                         \
    X(MIN_EXPIRES, "Min-Expires", 0)                 \
    X(AUTHORIZATION, "Authorization", 0)             \
    X(PROXY_AUTHORIZATION, "Proxy-Authorization", 0) \
    X(WWW_AUTHENTICATE, "WWW-Authenticate", 0)       \
    X(PROXY_AUTHENTICATE, "Proxy-Authenticate", 0)   \
    X(CONTENT_LENGTH, "Content-Length", 'l')         \
    X(CONTENT_TYPE, "Content-Type", 'c')             \
    X(RETRY_AFTER, "Retry-After", 0)                 \
    X(TIMESTAMP, "Timestamp", 0)

typedef enum SipHeader {
    SIP_HEADER_OTHER,
#define X(name, text, compact) SIP_H_##name,
    SIP_HEADERS(X)
#undef X
        SIP_HEADER_COUNT
} SipHeader;

/* One header field, as offsets into the message. */
typedef struct SipField {
    uint16_t at;    /* where its name starts */
    uint16_t value; /* first byte of the value */
    uint16_t end;   /* past the value's last byte that is not white space */
    uint16_t next;  /* past its line end, folded lines included */
    uint8_t header; /* SipHeader */
} SipField;

/* How much of the topmost Via could be read. */
typedef enum SipViaState {
    SIP_VIA_NONE,
    SIP_VIA_HOP,  /* up to its sent-by: an answer finds its way */
    SIP_VIA_WHOLE /* all of it */
} SipViaState;

typedef struct SipMessage {
    PealStr bytes;  /* the whole message, body included */
    PealStr method; /* of the request line, or of a response's CSeq */
    PealStr uri;    /* requests: as written */
    PealStr reason; /* responses */
    PealStr body;
    SipMethod code;      /* of `method` */
    uint16_t status;     /* 100..699; 0 for a request */
    uint16_t fields_at;  /* the first header field */
    uint16_t fields_end; /* the empty line */
    uint16_t fields_len;
    SipViaState via_state;
    SipVia via;                      /* the topmost; its text is there if there is one at all */
    int16_t first[SIP_HEADER_COUNT]; /* index of the first field of a header, -1 for none */
    SipField fields[SIP_FIELDS_MAX];
} SipMessage;

/*
 * sip_message_scan reads one whole message.
 * bytes     borrowed for the message's life; leading CRLFs must be skipped before
 * datagram  trailing bytes behind Content-Length are cut off (18.3); without Content-Length the
 *           body goes to the end. On a stream the caller has framed it (stream.h).
 * Returns 0; -PEAL_E_UNKNOWN when it is no SIP at all (drop it); -PEAL_E_VERSION (505);
 * -PEAL_E_VALUE or -PEAL_E_TRUNCATED (400): then as much is filled in as was understood, so that
 * sip_message_answerable can tell whether it may be answered.
 */
int sip_message_scan(PealStr bytes, bool datagram, SipMessage *ret_message) PEAL_MUST_USE;

/*
 * A message that is wanted again later is packed with its text into one block of
 * sip_message_packed_len bytes, at most SIP_MESSAGE_MAX + sizeof(SipMessage). Unpacked, it is read
 * as it was, without another scan, and its text stays in the block, which must not move meanwhile.
 */
size_t sip_message_packed_len(const SipMessage *message);
void sip_message_pack(const SipMessage *message, uint8_t *ret_block);
void sip_message_unpack(const uint8_t *block, SipMessage *ret_message);

/* sip_message_answerable: a request other than ACK with a Via by which an answer finds its way
 * back. What else it lacks its 400 lacks too. */
bool sip_message_answerable(const SipMessage *message);

/*
 * sip_message_check looks at what every element must: one each of To, From, Call-ID, CSeq and
 * Max-Forwards' range, the CSeq's method, a number that fits, Content-Length within the datagram,
 * Via's own form. Returns 0, or the status to answer with (400, 505), ret_why a few words for the
 * reason phrase. For a response: 0 or 400, which means drop.
 */
unsigned sip_message_check(const SipMessage *message, const char **ret_why);

/* sip_field is the value of a header's first field, empty (ptr NULL) when there is none. */
PealStr sip_field(const SipMessage *message, SipHeader header);
bool sip_has(const SipMessage *message, SipHeader header);
/* sip_has_to_tag: does a request belong to a dialog, by its To? It decodes nothing. */
bool sip_has_to_tag(const SipMessage *message);

/*
 * The elements of a header, whether written in one field or several: `for (SipCursor at = {0};
 * sip_next(message, SIP_H_ROUTE, &at);)`. Commas inside quotes and angle brackets do not part them.
 * Not for credentials and challenges, which have commas within: those are one a field.
 */
typedef struct SipCursor {
    PealStr element; /* trimmed */
    uint16_t at;     /* offsets of the element in the message */
    uint16_t end;
    uint16_t field; /* index of its field */
    bool first;     /* in its field */
    bool last;      /* in its field */
    uint16_t scan;  /* private */
    bool begun;     /* private */
} SipCursor;
bool sip_next(const SipMessage *message, SipHeader header, SipCursor *cursor);

/* sip_has_token: does a comma-separated header list this token (in any case)? */
bool sip_has_token(const SipMessage *message, SipHeader header, const char *token);

SipMethod sip_method(PealStr text);
PealStr sip_method_text(SipMethod method); /* of SIP_METHOD_OTHER: empty */
PealStr sip_header_text(SipHeader header);
/* sip_reason is the reason phrase that RFC 3261 s.21 and its extensions give a status. */
PealStr sip_reason(unsigned status);

#endif
