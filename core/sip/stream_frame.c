/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stream_frame.c - the end of the empty line, and Content-Length (stream_frame.h). */
#include "sip/stream_frame.h"

#include "sip/lex.h"
#include "sip/names.h"
#include "sip/text.h"

/*
 * Walks the lines from `*line` on. Returns 1 when the empty line is found, `*line` behind it; 0
 * when more is needed, `*line` at the line that is not whole; -PEAL_E_VALUE for a line end without
 * CR.
 */
static int stream_head(PealStr bytes, size_t *line)
{
    while (*line < bytes.len) {
        const char *from = bytes.ptr + *line;
        const char *feed = memchr(from, '\n', bytes.len - *line);
        size_t len;

        if (feed == NULL) {
            return 0;
        }
        len = (size_t)(feed - from) + 1;
        if (len < 2 || feed[-1] != '\r') {
            return -PEAL_E_VALUE;
        }
        *line += len;
        if (len == 2) {
            return 1;
        }
    }
    return 0;
}

/* The value of the field whose first line begins at `at`, with the lines that continue it. */
static PealStr stream_value(PealStr head, size_t colon)
{
    size_t end = colon + 1;

    do {
        const char *feed = memchr(head.ptr + end, '\n', head.len - end);

        end = feed != NULL ? (size_t)(feed - head.ptr) + 1 : head.len;
    } while (end < head.len && (head.ptr[end] == ' ' || head.ptr[end] == '\t'));
    return sip_trim(lex_sub(head, colon + 1, end));
}

/* s.18.3: how long the message is. -PEAL_E_VALUE when its head does not say, or says it twice. */
static int stream_total(PealStr head, size_t *ret_total)
{
    const char *feed = memchr(head.ptr, '\n', head.len);
    bool known = false;
    uint32_t len = 0;

    while (feed != NULL) {
        const size_t at = (size_t)(feed - head.ptr) + 1;
        const size_t name = lex_span(head, at, LEX_TOKEN);
        size_t colon = name;

        while (colon < head.len && (head.ptr[colon] == ' ' || head.ptr[colon] == '\t')) {
            colon++;
        }
        if (colon < head.len && head.ptr[colon] == ':' &&
            sip_header(lex_sub(head, at, name)) == SIP_H_CONTENT_LENGTH) {
            if (known || sip_u32(stream_value(head, colon), UINT32_MAX, &len) != 0) {
                return -PEAL_E_VALUE;
            }
            known = true;
        }
        feed = memchr(head.ptr + at, '\n', head.len - at);
    }
    if (!known) {
        return -PEAL_E_VALUE;
    }
    if (len > SIP_MESSAGE_MAX - head.len) {
        return -PEAL_E_TOO_LARGE;
    }
    *ret_total = head.len + len;
    return 0;
}

int stream_frame(PealStr bytes, size_t *line, size_t *ret_total)
{
    int found;
    int error;

    bytes.len = bytes.len < SIP_MESSAGE_MAX ? bytes.len : SIP_MESSAGE_MAX;
    *ret_total = 0;
    found = stream_head(bytes, line);
    if (found < 0) {
        return found;
    }
    if (found == 0) {
        return bytes.len == SIP_MESSAGE_MAX ? -PEAL_E_TOO_LARGE : 0;
    }
    error = stream_total((PealStr){bytes.ptr, *line}, ret_total);
    if (error == -PEAL_E_VALUE) {
        *ret_total = *line;
    }
    return error;
}
