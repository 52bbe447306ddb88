/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * message.c - finds start line, header fields and body of a SIP message (message.h).
 * Source: RFC 3261 s.7, s.18.3, s.25.1; RFC 4475 for what to do with the rest.
 *
 * A line ends with CRLF. One that ends with a LF alone, or has a CR alone, is malformed, but its
 * fields are still found, so that it can be answered.
 */
#include "sip/lex.h"
#include "sip/names.h"
#include "sip/raw.h"

/* What there is of a message being scanned. */
typedef struct Scan {
    PealStr bytes;
    SipMessage *message;
    size_t at;
    int error; /* the first found */
} Scan;

static void scan_fail(Scan *scan, int error)
{
    if (scan->error == 0) {
        scan->error = error;
    }
}

/* The line at scan->at without its end; moves behind it. False when there is no line end left. */
static bool scan_line(Scan *scan, PealStr *ret_line)
{
    const char *from = scan->bytes.ptr + scan->at;
    const size_t left = scan->bytes.len - scan->at;
    const char *feed = left > 0 ? memchr(from, '\n', left) : NULL;
    size_t len;

    if (feed == NULL) {
        return false;
    }
    len = (size_t)(feed - from);
    scan->at += len + 1;
    if (len > 0 && from[len - 1] == '\r') {
        len--;
    } else {
        scan_fail(scan, -PEAL_E_VALUE);
    }
    if (len > 0 && memchr(from, '\r', len) != NULL) {
        scan_fail(scan, -PEAL_E_VALUE);
    }
    *ret_line = (PealStr){from, len};
    return true;
}

static bool scan_is_sip(PealStr text)
{
    return text.len >= 4 && sip_is(lex_sub(text, 0, 4), "SIP/");
}

/* s.7.1: SIP/2.0 in any case; any other number is another version. */
static int scan_version(PealStr text)
{
    size_t dot;
    size_t end;

    if (text.len == 7 && memcmp(text.ptr + 4, "2.0", 3) == 0) {
        return 0;
    }
    dot = lex_span(text, 4, LEX_DIGIT);
    if (dot == 4 || dot == text.len || text.ptr[dot] != '.') {
        return -PEAL_E_VALUE;
    }
    end = lex_span(text, dot + 1, LEX_DIGIT);
    return end > dot + 1 && end == text.len ? -PEAL_E_VERSION : -PEAL_E_VALUE;
}

/* Status-Line = SIP-Version SP Status-Code SP Reason-Phrase CRLF; the second SP is forgiven where
 * nothing follows (RFC 4475 s.3.1.1.13). */
static void scan_status_line(Scan *scan, PealStr line)
{
    const char *space = memchr(line.ptr, ' ', line.len);
    size_t version_len = space != NULL ? (size_t)(space - line.ptr) : line.len;
    PealStr rest = lex_sub(line, version_len, line.len);
    int error = scan_version(lex_sub(line, 0, version_len));
    uint32_t status;

    if (error != 0) {
        scan_fail(scan, error);
        return;
    }
    if (rest.len < 4 || sip_u32(lex_sub(rest, 1, 4), 699, &status) != 0 || status < 100 ||
        (rest.len > 4 && rest.ptr[4] != ' ')) {
        scan_fail(scan, -PEAL_E_VALUE);
        return;
    }
    scan->message->status = (uint16_t)status;
    scan->message->reason = lex_sub(rest, rest.len > 4 ? 5 : 4, rest.len);
}

/* Request-Line = Method SP Request-URI SP SIP-Version CRLF, with single spaces. */
static void scan_request_line(Scan *scan, PealStr line)
{
    SipMessage *message = scan->message;
    size_t end = line.len;
    size_t version;
    size_t method = lex_span(line, 0, LEX_TOKEN);

    while (end > 0 && line.ptr[end - 1] == ' ') {
        end--;
    }
    version = end;
    while (version > 0 && line.ptr[version - 1] != ' ') {
        version--;
    }
    if (!scan_is_sip(lex_sub(line, version, end))) {
        scan_fail(scan, -PEAL_E_UNKNOWN);
        return;
    }
    if (method == 0 || method >= version || line.ptr[method] != ' ') {
        scan_fail(scan, -PEAL_E_VALUE);
        return;
    }
    message->method = lex_sub(line, 0, method);
    message->code = sip_method(message->method);
    if (end != line.len) {
        scan_fail(scan, -PEAL_E_VALUE); /* s.25.1: nothing between version and CRLF */
    }
    if (version < method + 3) {
        scan_fail(scan, -PEAL_E_VALUE);
        return;
    }
    message->uri = lex_sub(line, method + 1, version - 1);
    if (lex_span(message->uri, 0, LEX_URI) != message->uri.len) {
        scan_fail(scan, -PEAL_E_VALUE);
    }
    const int error = scan_version(lex_sub(line, version, end));

    if (error != 0) {
        scan_fail(scan, error);
    }
}

static void scan_field_add(Scan *scan, SipField field)
{
    SipMessage *message = scan->message;

    if (message->fields_len == SIP_FIELDS_MAX) {
        scan_fail(scan, -PEAL_E_VALUE);
        return;
    }
    if (field.header != SIP_HEADER_OTHER && message->first[field.header] < 0) {
        message->first[field.header] = (int16_t)message->fields_len;
    }
    message->fields[message->fields_len++] = field;
}

/* Takes the lines that continue a field; returns where its last line's text ends. */
static size_t scan_folded(Scan *scan, size_t end)
{
    while (scan->at < scan->bytes.len &&
           (scan->bytes.ptr[scan->at] == ' ' || scan->bytes.ptr[scan->at] == '\t')) {
        PealStr more;

        if (!scan_line(scan, &more)) {
            scan_fail(scan, -PEAL_E_TRUNCATED);
            return end;
        }
        end = (size_t)(more.ptr - scan->bytes.ptr) + more.len;
    }
    return end;
}

/* One header field, whose first line is `line`. */
static void scan_field(Scan *scan, PealStr line)
{
    const size_t at = (size_t)(line.ptr - scan->bytes.ptr);
    const size_t name = lex_span(line, 0, LEX_TOKEN);
    size_t colon = name;
    size_t end = scan_folded(scan, at + line.len);

    while (colon < line.len && (line.ptr[colon] == ' ' || line.ptr[colon] == '\t')) {
        colon++;
    }
    if (name == 0 || colon == line.len || line.ptr[colon] != ':') {
        scan_fail(scan, -PEAL_E_VALUE);
        return;
    }
    size_t value = at + colon + 1;

    while (value < end && lex_is(scan->bytes.ptr[value], LEX_LWS)) {
        value++;
    }
    while (end > value && lex_is(scan->bytes.ptr[end - 1], LEX_LWS)) {
        end--;
    }
    scan_field_add(scan, (SipField){.at = (uint16_t)at,
                                    .value = (uint16_t)value,
                                    .end = (uint16_t)end,
                                    .next = (uint16_t)scan->at,
                                    .header = (uint8_t)sip_header(lex_sub(line, 0, name))});
}

/* Is every NUL of a field a quoted pair within quotes? */
static bool scan_nul_is_quoted(PealStr field)
{
    bool quotes = false;

    for (size_t at = 0; at < field.len; at++) {
        char c = field.ptr[at];

        if (c == '\0') {
            return false;
        }
        if (c == '"') {
            quotes = !quotes;
        }
        at += quotes && c == '\\';
    }
    return true;
}

/* A NUL may only stand as quoted pair within quotes (RFC 4475 s.3.1.1.2); memchr finds none in
 * nearly all messages. */
static void scan_nul(Scan *scan)
{
    const SipMessage *message = scan->message;
    const PealStr bytes = scan->bytes;

    if (memchr(bytes.ptr, '\0', message->fields_end) == NULL) {
        return;
    }
    if (memchr(bytes.ptr, '\0', message->fields_at) != NULL) {
        scan_fail(scan, -PEAL_E_VALUE);
    }
    for (size_t i = 0; i < message->fields_len; i++) {
        const SipField *field = &message->fields[i];

        if (!scan_nul_is_quoted(lex_sub(bytes, field->at, field->next))) {
            scan_fail(scan, -PEAL_E_VALUE);
        }
    }
}

/* s.18.3: what of the bytes behind the empty line is the body. */
static void scan_body(Scan *scan, bool datagram)
{
    SipMessage *message = scan->message;
    const size_t left = scan->bytes.len - scan->at;
    const int16_t field = message->first[SIP_H_CONTENT_LENGTH];
    uint32_t len = (uint32_t)left;

    message->body = (PealStr){scan->bytes.ptr + scan->at, left};
    if (field < 0) {
        if (!datagram) {
            message->body.len = 0;
            scan_fail(scan, -PEAL_E_VALUE); /* s.18.3: over a stream it must be there */
        }
        return;
    }
    for (size_t i = (size_t)field + 1; i < message->fields_len; i++) {
        if (message->fields[i].header == SIP_H_CONTENT_LENGTH) {
            scan_fail(scan, -PEAL_E_VALUE); /* RFC 4475 s.3.3.9 */
            return;
        }
    }
    /* Digits only and no overflow: libosip2 takes -999 for a length. */
    if (sip_u32(sip_field(message, SIP_H_CONTENT_LENGTH), UINT32_MAX, &len) != 0) {
        scan_fail(scan, -PEAL_E_VALUE);
    } else if (len > left) {
        scan_fail(scan, -PEAL_E_TRUNCATED);
    } else {
        message->body.len = len;
        message->bytes.len = scan->at + len;
    }
}

static void scan_fields(Scan *scan, bool datagram)
{
    SipMessage *message = scan->message;
    PealStr line;

    message->fields_at = (uint16_t)scan->at;
    for (;;) { /* each turn takes a line */
        message->fields_end = (uint16_t)scan->at;
        if (!scan_line(scan, &line)) {
            scan_fail(scan, -PEAL_E_TRUNCATED);
            message->body = (PealStr){scan->bytes.ptr + scan->bytes.len, 0};
            return;
        }
        if (line.len == 0) {
            break;
        }
        scan_field(scan, line);
    }
    scan_nul(scan);
    scan_body(scan, datagram);
}

/* Everyone asks for the topmost Via: for the check, the transaction, the answer. */
static void scan_via(SipMessage *message)
{
    SipCursor top = {0};
    bool whole = false;

    if (!sip_next(message, SIP_H_VIA, &top)) {
        return;
    }
    message->via.text = top.element;
    if (raw_via(top.element, &message->via, &whole) == 0) {
        message->via_state = whole ? SIP_VIA_WHOLE : SIP_VIA_HOP;
    }
}

/* A response has its method in its CSeq. */
static void scan_response_method(SipMessage *message)
{
    SipCSeq cseq;

    if (raw_cseq(sip_field(message, SIP_H_CSEQ), &cseq) == 0) {
        message->method = cseq.method;
        message->code = sip_method(cseq.method);
    }
}

int sip_message_scan(PealStr bytes, bool datagram, SipMessage *ret_message)
{
    Scan scan = {.bytes = bytes, .message = ret_message};
    PealStr line;
    bool response;

    memset(ret_message, 0, offsetof(SipMessage, fields));
    memset(ret_message->first, 0xff, sizeof(ret_message->first));
    ret_message->bytes = bytes;
    if (bytes.len > SIP_MESSAGE_MAX || !scan_line(&scan, &line) || line.len == 0) {
        return -PEAL_E_UNKNOWN;
    }
    response = scan_is_sip(line);
    if (response) {
        scan_status_line(&scan, line);
    } else {
        scan_request_line(&scan, line);
    }
    if (scan.error == -PEAL_E_UNKNOWN) {
        return scan.error;
    }
    scan_fields(&scan, datagram);
    scan_via(ret_message);
    if (ret_message->status != 0) {
        scan_response_method(ret_message);
    }
    return scan.error;
}

/* Only the fields that there are: the struct has room for many. */
static size_t pack_head_len(const SipMessage *message)
{
    return offsetof(SipMessage, fields) + message->fields_len * sizeof(SipField);
}

size_t sip_message_packed_len(const SipMessage *message)
{
    return pack_head_len(message) + message->bytes.len;
}

static void pack_move(PealStr *part, const char *from, const char *to)
{
    if (part->ptr != NULL) {
        part->ptr = to + (part->ptr - from);
    }
}

void sip_message_pack(const SipMessage *message, uint8_t *ret_block)
{
    const size_t head_len = pack_head_len(message);
    const char *from = message->bytes.ptr;
    const char *to = (const char *)ret_block + head_len;
    SipMessage packed;
    PealStr *const parts[] = {&packed.bytes,         &packed.method,       &packed.uri,
                              &packed.reason,        &packed.body,         &packed.via.text,
                              &packed.via.version,   &packed.via.host,     &packed.via.branch,
                              &packed.via.transport, &packed.via.received, &packed.via.params};

    memcpy(&packed, message, head_len);
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        pack_move(parts[i], from, to);
    }
    memcpy(ret_block, &packed, head_len);
    memcpy(ret_block + head_len, from, message->bytes.len);
}

void sip_message_unpack(const uint8_t *block, SipMessage *ret_message)
{
    const size_t fields_at = offsetof(SipMessage, fields);

    memcpy(ret_message, block, fields_at);
    memcpy(ret_message->fields, block + fields_at, ret_message->fields_len * sizeof(SipField));
}

bool sip_has_to_tag(const SipMessage *message)
{
    SipAddress to;
    PealStr tag;

    return raw_address(sip_field(message, SIP_H_TO), &to) == 0 && sip_param(to.params, "tag", &tag);
}
