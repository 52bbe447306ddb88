/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scan.c - what stands in a message that somebody else sent (<peal/sip_scan.h>). */
#include <peal/sip_scan.h>

#include "sip/lex.h"
#include "sip/names.h"
#include "sip/raw.h"
#include "sip/value.h"

enum {
    SCAN_METHOD_MAX = 64, /* in use are 9 letters at most; RFC 4475 s.3.1.1.2 tries 43 */
    SCAN_HEAD_MAX = 65535
};
static const char SCAN_VERSION[] = "SIP/2.0";
enum { SCAN_VERSION_LEN = sizeof(SCAN_VERSION) - 1 };

/* The line that begins at `*at`, without its end; moves behind it. False: it has no end yet. */
static bool scan_line(PealStr bytes, size_t *at, PealStr *ret_line)
{
    const char *from = bytes.ptr + *at;
    const char *feed = *at < bytes.len ? memchr(from, '\n', bytes.len - *at) : NULL;
    size_t len;

    if (feed == NULL) {
        return false;
    }
    len = (size_t)(feed - from);
    *at += len + 1;
    *ret_line = (PealStr){from, len > 0 && from[len - 1] == '\r' ? len - 1 : len};
    return true;
}

static bool scan_is_version(PealStr text)
{
    return text.len == SCAN_VERSION_LEN && sip_is(text, SCAN_VERSION);
}

static bool scan_status_line(PealStr line, PealSipScan *scan)
{
    uint32_t status;

    if (line.len < SCAN_VERSION_LEN + 4 || line.ptr[SCAN_VERSION_LEN] != ' ' ||
        !scan_is_version(lex_sub(line, 0, SCAN_VERSION_LEN)) ||
        (line.len > SCAN_VERSION_LEN + 4 && line.ptr[SCAN_VERSION_LEN + 4] != ' ') ||
        sip_u32(lex_sub(line, SCAN_VERSION_LEN + 1, SCAN_VERSION_LEN + 4), 699, &status) != 0 ||
        status < 100) {
        return false;
    }
    scan->status = (uint16_t)status;
    return true;
}

static bool scan_request_line(PealStr line, PealSipScan *scan)
{
    const size_t method = lex_span(line, 0, LEX_TOKEN);
    size_t end = line.len;
    size_t uri = method;

    while (end > 0 && line.ptr[end - 1] == ' ') {
        end--;
    }
    if (method == 0 || method > SCAN_METHOD_MAX || end < method + SCAN_VERSION_LEN + 2 ||
        line.ptr[method] != ' ' || line.ptr[end - SCAN_VERSION_LEN - 1] != ' ' ||
        !scan_is_version(lex_sub(line, end - SCAN_VERSION_LEN, end))) {
        return false;
    }
    while (line.ptr[uri] == ' ') {
        uri++;
    }
    scan->method = lex_sub(line, 0, method);
    scan->uri = sip_trim(lex_sub(line, uri, end - SCAN_VERSION_LEN));
    return scan->uri.len > 0 && memchr(scan->uri.ptr, ':', scan->uri.len) != NULL;
}

/* Could a start line begin like this, that has no end yet? */
static bool scan_may_start(PealStr text)
{
    const size_t head = text.len < SCAN_VERSION_LEN ? text.len : SCAN_VERSION_LEN;
    const size_t method = lex_span(text, 0, LEX_TOKEN);

    if (text.len >= PEAL_SIP_LINE_MAX) {
        return false;
    }
    if (sip_same(lex_sub(text, 0, head), (PealStr){SCAN_VERSION, head})) {
        return true;
    }
    if (method == 0 || method > SCAN_METHOD_MAX || (method < text.len && text.ptr[method] != ' ')) {
        return false;
    }
    for (size_t at = method; at < text.len; at++) {
        if ((uint8_t)text.ptr[at] < ' ' && (text.ptr[at] != '\r' || at + 1 < text.len)) {
            return false;
        }
    }
    return true;
}

/* A header field: its name, and its value with the lines that continue it. */
typedef struct ScanField {
    PealStr name;
    PealStr value;
} ScanField;

/* The field whose first line begins at `*at`, moving behind it; 1, 0 behind the empty line, or
 * -PEAL_E_TRUNCATED where the bytes end first. A line that is no field has an empty name. */
static int scan_field(PealStr bytes, size_t *at, ScanField *ret_field)
{
    const size_t from = *at;
    PealStr line;
    size_t name;
    size_t colon;
    size_t end;

    if (!scan_line(bytes, at, &line)) {
        return -PEAL_E_TRUNCATED;
    }
    if (line.len == 0) {
        return 0;
    }
    while (*at < bytes.len && (bytes.ptr[*at] == ' ' || bytes.ptr[*at] == '\t')) {
        if (!scan_line(bytes, at, &line)) {
            return -PEAL_E_TRUNCATED;
        }
    }
    end = (size_t)(line.ptr - bytes.ptr) + line.len;
    name = lex_span(bytes, from, LEX_TOKEN);
    colon = name;
    while (colon < end && (bytes.ptr[colon] == ' ' || bytes.ptr[colon] == '\t')) {
        colon++;
    }
    *ret_field = (ScanField){0};
    if (name > from && colon < end && bytes.ptr[colon] == ':') {
        *ret_field =
            (ScanField){lex_sub(bytes, from, name), sip_trim(lex_sub(bytes, colon + 1, end))};
    }
    return 1;
}

/* The parameters of a name-addr or addr-spec: behind the '>', else from the first ';' on. */
static PealStr scan_address_params(PealStr value)
{
    const size_t quoted = value.len > 0 && value.ptr[0] == '"' ? lex_quoted(value, 0) : 0;
    const char *open = memchr(value.ptr + quoted, '<', value.len - quoted);
    const char *from = value.ptr + quoted;
    const char *semicolon;

    if (open != NULL) {
        from = memchr(open, '>', value.len - (size_t)(open - value.ptr));
        if (from == NULL) {
            return (PealStr){NULL, 0};
        }
    }
    semicolon = memchr(from, ';', value.len - (size_t)(from - value.ptr));
    return semicolon == NULL ? (PealStr){NULL, 0}
                             : lex_sub(value, (size_t)(semicolon - value.ptr), value.len);
}

bool peal_sip_param(PealStr params, const char *name, PealStr *ret_value)
{
    return sip_param(params, name, ret_value);
}

static PealStr scan_tag(PealStr address)
{
    PealStr tag = {NULL, 0};

    if (address.len > 0) {
        (void)sip_param(scan_address_params(address), "tag", &tag);
    }
    return tag;
}

/* The branch of the first of a Via's elements; a comma ends it, which no branch has. */
static PealStr scan_branch(PealStr via)
{
    const char *semicolon = memchr(via.ptr, ';', via.len);
    PealStr branch = {NULL, 0};

    if (semicolon != NULL) {
        (void)sip_param(lex_sub(via, (size_t)(semicolon - via.ptr), via.len), "branch", &branch);
    }
    return branch;
}

bool peal_sip_element(PealStr *rest, PealStr *ret_element)
{
    const PealStr list = *rest;
    const size_t comma = lex_comma(list, 0);

    if (list.len == 0) {
        return false;
    }
    *ret_element = sip_trim(lex_sub(list, 0, comma));
    *rest = lex_sub(list, comma + (comma < list.len), list.len);
    return true;
}

static void scan_cseq(PealStr value, PealSipScan *scan)
{
    SipCSeq cseq;

    if (raw_cseq(value, &cseq) == 0) {
        scan->cseq = cseq.number;
        scan->cseq_method = cseq.method;
    }
}

static void scan_expires(PealStr value, PealSipScan *scan)
{
    uint32_t seconds;

    if (sip_u32(value, UINT32_MAX, &seconds) == 0) {
        scan->expires_s = seconds;
    }
}

static void scan_set_first(PealStr *text, PealStr value)
{
    if (text->ptr == NULL) {
        *text = value;
    }
}

/* What of the head is not kept itself. */
typedef struct ScanHead {
    PealStr via;
    PealStr expires;
    PealStr content_length;
} ScanHead;

static void scan_take(const ScanField *field, PealSipScan *scan, ScanHead *head)
{
    switch (sip_header(field->name)) {
    case SIP_H_VIA:
        scan_set_first(&head->via, field->value);
        break;
    case SIP_H_FROM:
        scan_set_first(&scan->from, field->value);
        break;
    case SIP_H_TO:
        scan_set_first(&scan->to, field->value);
        break;
    case SIP_H_CALL_ID:
        scan_set_first(&scan->call_id, field->value);
        break;
    case SIP_H_CSEQ:
        if (scan->cseq_method.len == 0) {
            scan_cseq(field->value, scan);
        }
        break;
    case SIP_H_CONTACT:
        if (scan->contact.ptr == NULL) {
            PealStr rest = field->value;

            (void)peal_sip_element(&rest, &scan->contact);
        }
        break;
    case SIP_H_EXPIRES:
        scan_set_first(&head->expires, field->value);
        break;
    case SIP_H_CONTENT_TYPE:
        scan_set_first(&scan->content_type, field->value);
        break;
    case SIP_H_CONTENT_LENGTH:
        scan_set_first(&head->content_length, field->value);
        break;
    default:
        break;
    }
}

/* What the fields say together. */
static void scan_conclude(PealSipScan *scan, const ScanHead *head)
{
    PealStr expires = head->expires;

    if (scan->contact.len > 0) {
        (void)sip_param(scan_address_params(scan->contact), "expires", &expires);
    }
    if (expires.len > 0) {
        scan_expires(expires, scan);
    }
    if (head->via.len > 0) {
        scan->branch = scan_branch(head->via);
    }
    if (scan->status != 0) {
        scan->method = scan->cseq_method;
    }
    scan->from_tag = scan_tag(scan->from);
    scan->to_tag = scan_tag(scan->to);
}

static void scan_body(PealStr content_length, size_t at, PealSipScan *scan)
{
    const size_t left = scan->bytes.len - at;
    uint32_t len;

    if (content_length.ptr == NULL || sip_u32(content_length, UINT32_MAX, &len) != 0) {
        scan->body = lex_sub(scan->bytes, at, scan->bytes.len);
        return;
    }
    scan->cut = len > left;
    scan->body = lex_sub(scan->bytes, at, at + (len < left ? len : left));
    scan->bytes.len = at + scan->body.len;
}

/* The start line, moving behind it; what peal_sip_scan returns. */
static int scan_start(PealStr bytes, size_t *at, PealSipScan *scan)
{
    const PealStr first = {bytes.ptr,
                           bytes.len < PEAL_SIP_LINE_MAX ? bytes.len : PEAL_SIP_LINE_MAX};
    PealStr line;

    if (!scan_line(first, at, &line)) {
        return scan_may_start(bytes) ? -PEAL_E_TRUNCATED : -PEAL_E_UNKNOWN;
    }
    return scan_status_line(line, scan) || scan_request_line(line, scan) ? 0 : -PEAL_E_UNKNOWN;
}

int peal_sip_scan(PealStr bytes, PealSipScan *ret_scan)
{
    PealSipScan scan = {.bytes = bytes, .expires_s = -1};
    ScanHead head = {0};
    ScanField field;
    size_t at = 0;
    int more = scan_start(bytes, &at, &scan);

    if (more != 0) {
        return more;
    }
    while ((more = scan_field(bytes, &at, &field)) > 0) {
        scan_take(&field, &scan, &head);
    }
    scan_conclude(&scan, &head);
    if (more < 0) {
        scan.cut = true;
    } else {
        scan_body(head.content_length, at, &scan);
    }
    *ret_scan = scan;
    return 0;
}

bool peal_sip_scan_field(const PealSipScan *scan, PealStr name, unsigned nth, PealStr *ret_value)
{
    const SipHeader wanted = sip_header(name);
    ScanField field;
    PealStr line;
    size_t at = 0;

    if (!scan_line(scan->bytes, &at, &line)) {
        return false;
    }
    while (scan_field(scan->bytes, &at, &field) > 0) {
        const bool same = wanted != SIP_HEADER_OTHER ? sip_header(field.name) == wanted
                                                     : sip_same(field.name, name);

        if (field.name.len > 0 && same && nth-- == 0) {
            *ret_value = field.value;
            return true;
        }
    }
    return false;
}

int peal_sip_frame(PealStr bytes, size_t *ret_len)
{
    PealStr content_length = {NULL, 0};
    PealSipScan start = {0};
    uint32_t len = 0;
    ScanField field;
    size_t at = 0;
    int more = scan_start(bytes, &at, &start);

    if (more != 0) {
        *ret_len = 0;
        return more == -PEAL_E_TRUNCATED ? more : -PEAL_E_VALUE;
    }
    while ((more = scan_field(bytes, &at, &field)) > 0) {
        if (field.name.len > 0 && sip_header(field.name) == SIP_H_CONTENT_LENGTH) {
            scan_set_first(&content_length, field.value);
        }
    }
    if (more < 0) {
        *ret_len = 0;
        return bytes.len < SCAN_HEAD_MAX ? -PEAL_E_TRUNCATED : -PEAL_E_VALUE;
    }
    if (content_length.ptr != NULL && sip_u32(content_length, SCAN_HEAD_MAX, &len) != 0) {
        len = 0;
    }
    *ret_len = at + len;
    return at + len > bytes.len ? -PEAL_E_TRUNCATED : 0;
}

/* Behind scheme and colon: `user:password@host:port;params?headers`. */
static int scan_uri_rest(PealStr text, PealSipUri *uri)
{
    const char *sign = memchr(text.ptr, '@', text.len);
    size_t at = 0;
    uint32_t port = 0;
    size_t digits;

    if (sign != NULL) {
        const size_t len = (size_t)(sign - text.ptr);
        const char *colon = memchr(text.ptr, ':', len);

        uri->user = (PealStr){text.ptr, colon != NULL ? (size_t)(colon - text.ptr) : len};
        at = len + 1;
    }
    if (at < text.len && text.ptr[at] == '[') {
        const char *close = memchr(text.ptr + at, ']', text.len - at);
        const size_t end = close != NULL ? (size_t)(close - text.ptr) + 1 : at;

        uri->host = lex_sub(text, at, end);
        at = end;
    } else {
        uri->host = lex_sub(text, at, lex_span(text, at, LEX_HOST));
        at += uri->host.len;
    }
    if (uri->host.len == 0) {
        return -PEAL_E_VALUE;
    }
    if (at < text.len && text.ptr[at] == ':') {
        digits = lex_span(text, at + 1, LEX_DIGIT);
        if (sip_u32(lex_sub(text, at + 1, digits), UINT16_MAX, &port) == 0) {
            uri->port = (uint16_t)port;
        }
    }
    return 0;
}

int peal_sip_uri(PealStr text, PealSipUri *ret_uri)
{
    const size_t colon = lex_span(text, 0, LEX_SCHEME);
    PealSipUri uri = {.scheme = lex_sub(text, 0, colon)};
    PealStr rest;

    if (colon == 0 || colon + 1 >= text.len || text.ptr[colon] != ':') {
        return -PEAL_E_VALUE;
    }
    for (size_t at = 0; at < text.len; at++) {
        if ((uint8_t)text.ptr[at] <= ' ' || text.ptr[at] == 0x7f) {
            return -PEAL_E_VALUE;
        }
    }
    rest = lex_sub(text, colon + 1, text.len);
    if (sip_is(uri.scheme, "tel")) {
        const char *semicolon = memchr(rest.ptr, ';', rest.len);

        uri.user = lex_sub(rest, 0, semicolon != NULL ? (size_t)(semicolon - rest.ptr) : rest.len);
        if (uri.user.len == 0) {
            return -PEAL_E_VALUE;
        }
    } else if (scan_uri_rest(rest, &uri) != 0) {
        return -PEAL_E_VALUE;
    }
    *ret_uri = uri;
    return 0;
}

int peal_sip_address(PealStr value, PealSipUri *ret_uri, PealStr *ret_params)
{
    PealStr text = sip_trim(value);
    const size_t quoted = text.len > 0 && text.ptr[0] == '"' ? lex_quoted(text, 0) : 0;
    const char *open = text.len > 0 ? memchr(text.ptr + quoted, '<', text.len - quoted) : NULL;
    const char *close;
    PealStr uri;
    int error;

    if (text.len == 0) {
        return -PEAL_E_VALUE;
    }
    if (open != NULL) {
        const size_t from = (size_t)(open - text.ptr) + 1;

        close = memchr(text.ptr + from, '>', text.len - from);
        if (close == NULL) {
            return -PEAL_E_VALUE;
        }
        uri = sip_trim(lex_sub(text, from, (size_t)(close - text.ptr)));
    } else {
        close = memchr(text.ptr, ';', text.len);
        uri = sip_trim(lex_sub(text, 0, close != NULL ? (size_t)(close - text.ptr) : text.len));
    }
    error = peal_sip_uri(uri, ret_uri);
    if (error == 0 && ret_params != NULL) {
        *ret_params = scan_address_params(text);
    }
    return error;
}
