/* SPDX-License-Identifier: GPL-3.0-or-later */
/* elements.c - the values of a message's header fields, one by one (message.h). */
#include "sip/lex.h"
#include "sip/message.h"
#include "sip/text.h"

bool sip_has(const SipMessage *message, SipHeader header)
{
    return message->first[header] >= 0;
}

PealStr sip_field(const SipMessage *message, SipHeader header)
{
    const int16_t at = message->first[header];

    if (at < 0) {
        return (PealStr){0};
    }
    return lex_sub(message->bytes, message->fields[at].value, message->fields[at].end);
}

/* The next field of this header that has a value, from `index` on; fields_len for none. */
static size_t elements_field(const SipMessage *message, SipHeader header, size_t index)
{
    while (index < message->fields_len) {
        const SipField *field = &message->fields[index];

        if (field->header == (uint8_t)header && field->end > field->value) {
            break;
        }
        index++;
    }
    return index;
}

bool sip_next(const SipMessage *message, SipHeader header, SipCursor *cursor)
{
    const SipField *field;
    bool first = false;
    size_t index;
    size_t at;
    size_t comma;
    PealStr element;

    if (!cursor->begun || cursor->last) {
        index = cursor->begun ? cursor->field + 1u : 0;
        if (!cursor->begun && message->first[header] > 0) {
            index = (size_t)message->first[header];
        }
        index = elements_field(message, header, index);
        if (index == message->fields_len || message->first[header] < 0) {
            return false;
        }
        at = message->fields[index].value;
        first = true;
    } else {
        index = cursor->field;
        at = cursor->scan;
    }
    field = &message->fields[index];
    comma = lex_comma((PealStr){message->bytes.ptr, field->end}, at);
    element = sip_trim(lex_sub(message->bytes, at, comma));
    at = (size_t)(element.ptr - message->bytes.ptr);
    *cursor = (SipCursor){.element = element,
                          .at = (uint16_t)at,
                          .end = (uint16_t)(at + element.len),
                          .field = (uint16_t)index,
                          .first = first,
                          .last = comma == field->end,
                          .scan = (uint16_t)(comma < field->end ? comma + 1 : comma),
                          .begun = true};
    return true;
}

bool sip_has_token(const SipMessage *message, SipHeader header, const char *token)
{
    for (SipCursor at = {0}; sip_next(message, header, &at);) {
        if (sip_is(at.element, token)) {
            return true;
        }
    }
    return false;
}
