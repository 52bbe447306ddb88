/* SPDX-License-Identifier: GPL-3.0-or-later */
/* contact.c - reads Contact values for the registrar. */
#include "sip/contact.h"

#include "sip/lex.h"
#include "sip/raw.h"

enum { EXPIRES_MALFORMED_S = 3600, REG_ID_MAX = 0x7fffffff };

/* qvalue: 0 or 1 with up to three decimals, at most 1. */
static int contact_q(PealStr value, uint16_t *ret_milli)
{
    unsigned milli;
    unsigned weight = 100;

    if (value.len == 0 || value.len > 5 || (value.ptr[0] != '0' && value.ptr[0] != '1') ||
        (value.len > 1 && value.ptr[1] != '.')) {
        return -PEAL_E_VALUE;
    }
    milli = value.ptr[0] == '1' ? 1000 : 0;
    for (size_t i = 2; i < value.len; i++, weight /= 10) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9') {
            return -PEAL_E_VALUE;
        }
        milli += (unsigned)(value.ptr[i] - '0') * weight;
    }
    if (milli > 1000) {
        return -PEAL_E_VALUE;
    }
    *ret_milli = (uint16_t)milli;
    return 0;
}

uint32_t contact_expires(PealStr value)
{
    uint64_t seconds = 0;

    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9') {
            return EXPIRES_MALFORMED_S;
        }
        seconds = seconds * 10 + (uint64_t)(value.ptr[i] - '0');
        seconds = seconds > UINT32_MAX ? UINT32_MAX : seconds;
    }
    return value.len == 0 ? EXPIRES_MALFORMED_S : (uint32_t)seconds;
}

static int contact_param(Contact *contact, const RawParam *param)
{
    if (sip_is(param->name, "expires") && !contact->has_expires) {
        contact->has_expires = true;
        contact->expires_s = contact_expires(param->value);
    } else if (sip_is(param->name, "q")) {
        return contact_q(param->value, &contact->q_milli);
    } else if (sip_is(param->name, "reg-id")) {
        if (sip_u32(param->value, REG_ID_MAX, &contact->reg_id) != 0 || contact->reg_id == 0) {
            return -PEAL_E_VALUE;
        }
    } else if (sip_is(param->name, "+sip.instance")) {
        contact->instance = param->value;
    }
    return 0;
}

int contact_read(PealStr element, Contact *ret_contact)
{
    Contact contact = {.element = sip_trim(element), .q_milli = 1000};
    SipAddress address;
    RawParam param;
    size_t at = 0;
    int error = sip_address_parse(contact.element, &address);

    if (error != 0) {
        return error;
    }
    contact.star = address.star;
    contact.uri = address.uri;
    contact.params = address.params;
    while (!contact.star) {
        error = raw_param_next(contact.params, &at, &param);
        if (error != 0) {
            return error;
        }
        if (param.name.len == 0) {
            break;
        }
        if (contact_param(&contact, &param) != 0) {
            return -PEAL_E_VALUE;
        }
    }
    /* RFC 5626 s.6: a reg-id without an instance is ignored. */
    contact.reg_id = contact.instance.len > 0 ? contact.reg_id : 0;
    *ret_contact = contact;
    return 0;
}

static void put_unfolded(SipText *text, PealStr str)
{
    size_t from = 0;

    for (size_t i = 0; i < str.len; i++) {
        if (str.ptr[i] == '\r' || str.ptr[i] == '\n') {
            sip_put(text, lex_sub(str, from, i));
            sip_put_z(text, " ");
            from = i + 1;
        }
    }
    sip_put(text, lex_sub(str, from, str.len));
}

void contact_put(SipText *text, const Contact *contact, size_t *ret_instance_at)
{
    const PealStr params = contact->params;
    size_t start = text->len;
    size_t at = 0;
    size_t from = 0;
    RawParam param;

    *ret_instance_at = 0;
    put_unfolded(text, lex_sub(contact->element, 0, contact->element.len - params.len));
    for (; raw_param_next(params, &at, &param) == 0 && param.name.len > 0; from = at) {
        if (sip_is(param.name, "expires")) {
            continue;
        }
        if (contact->instance.len > 0 && param.value.ptr == contact->instance.ptr) {
            *ret_instance_at = text->len - start + (size_t)(param.value.ptr - params.ptr) - from;
        }
        put_unfolded(text, lex_sub(params, from, at));
    }
}
