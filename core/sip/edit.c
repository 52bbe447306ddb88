/* SPDX-License-Identifier: GPL-3.0-or-later */
/* edit.c - splices into a message that is passed on (edit.h). */
#include "sip/edit.h"

#include "sip/lex.h"

void sip_edit_init(SipEdit *edit, const SipMessage *message)
{
    edit->message = message;
    edit->splices_len = 0;
    edit->overflow = false;
}

static bool edit_overlap(const SipSplice *a, const SipSplice *b)
{
    if (a->at == a->end || b->at == b->end) {
        const SipSplice *point = a->at == a->end ? a : b;
        const SipSplice *span = point == a ? b : a;

        return span->at < point->at && point->at < span->end;
    }
    return a->at < b->end && b->at < a->end;
}

void sip_edit_replace(SipEdit *edit, size_t at, size_t end, PealStr text)
{
    size_t place = edit->splices_len;

    if (edit->splices_len == SIP_SPLICES_MAX || at > end || end > edit->message->bytes.len) {
        edit->overflow = true;
        return;
    }
    const SipSplice splice = {(uint16_t)at, (uint16_t)end, text};

    for (size_t i = 0; i < edit->splices_len; i++) {
        if (edit_overlap(&edit->splices[i], &splice)) {
            edit->overflow = true;
            return;
        }
    }
    while (place > 0 && edit->splices[place - 1].at > at) {
        edit->splices[place] = edit->splices[place - 1];
        place--;
    }
    edit->splices[place] = splice;
    edit->splices_len++;
}

void sip_edit_remove_field(SipEdit *edit, size_t field)
{
    const SipField *span = &edit->message->fields[field];

    sip_edit_replace(edit, span->at, span->next, (PealStr){0});
}

/* Have removals taken all of these bytes? */
static bool edit_is_gone(const SipEdit *edit, size_t at, size_t end)
{
    for (size_t i = 0; i < edit->splices_len && at < end; i++) {
        const SipSplice *splice = &edit->splices[i];

        if (splice->text.len == 0 && splice->at <= at && splice->end > at) {
            at = splice->end;
        }
    }
    return at >= end;
}

/* Forgets the removals within a span: a larger one takes their place. */
static void edit_forget(SipEdit *edit, size_t at, size_t end)
{
    size_t kept = 0;

    for (size_t i = 0; i < edit->splices_len; i++) {
        const SipSplice *splice = &edit->splices[i];

        if (splice->text.len > 0 || splice->at < at || splice->end > end) {
            edit->splices[kept++] = *splice;
        }
    }
    edit->splices_len = kept;
}

/* Where the comma that parts this place from the last element left before it begins, with the white
 * space before that. */
static size_t edit_comma_before(const SipEdit *edit, const SipField *field, size_t at)
{
    const PealStr bytes = edit->message->bytes;
    size_t kept = field->value; /* before here all is gone already */

    for (size_t i = edit->splices_len; i > 0; i--) {
        const SipSplice *splice = &edit->splices[i - 1];

        if (splice->text.len == 0 && splice->end == at && splice->at >= field->value) {
            at = splice->at;
        }
    }
    while (at > field->value && bytes.ptr[at - 1] != ',') {
        at--; /* only white space */
    }
    at = at > field->value ? at - 1 : at;
    for (size_t i = 0; i < edit->splices_len; i++) {
        const size_t end = edit->splices[i].end;

        kept = end <= at && end > kept ? end : kept;
    }
    while (at > kept && lex_is(bytes.ptr[at - 1], LEX_LWS)) {
        at--;
    }
    return at;
}

void sip_edit_remove_element(SipEdit *edit, const SipCursor *element)
{
    const SipField *field = &edit->message->fields[element->field];
    const bool head_gone = element->first || edit_is_gone(edit, field->value, element->at);
    const bool tail_gone = element->last || edit_is_gone(edit, element->end, field->end);

    if (head_gone && tail_gone) {
        edit_forget(edit, field->at, field->next);
        sip_edit_remove_field(edit, element->field);
    } else if (tail_gone) {
        size_t at = edit_comma_before(edit, field, element->at);

        edit_forget(edit, at, element->end);
        sip_edit_replace(edit, at, element->end, (PealStr){0});
    } else {
        const PealStr value = lex_sub(edit->message->bytes, 0, field->end);
        size_t end = lex_span(value, element->end, LEX_LWS); /* with the comma behind it */

        end = lex_span(value, end + 1, LEX_LWS);
        sip_edit_replace(edit, element->at, end, (PealStr){0});
    }
}

size_t sip_edit_len(const SipEdit *edit)
{
    size_t len = edit->message->bytes.len;

    for (size_t i = 0; i < edit->splices_len; i++) {
        const SipSplice *splice = &edit->splices[i];

        len = len + splice->text.len - (size_t)(splice->end - splice->at);
    }
    return len;
}

int sip_edit_write(const SipEdit *edit, uint8_t *ret_bytes, size_t cap, size_t *ret_len)
{
    const PealStr bytes = edit->message->bytes;
    SipText text = sip_text_make((char *)ret_bytes, cap);
    size_t at = 0;

    if (edit->overflow || sip_edit_len(edit) > cap) {
        return -PEAL_E_FULL;
    }
    for (size_t i = 0; i < edit->splices_len; i++) {
        const SipSplice *splice = &edit->splices[i];

        if (splice->at > at) {
            sip_put(&text, lex_sub(bytes, at, splice->at));
        }
        sip_put(&text, splice->text);
        at = splice->end > at ? splice->end : at;
    }
    sip_put(&text, lex_sub(bytes, at, bytes.len));
    *ret_len = text.len;
    return 0;
}
