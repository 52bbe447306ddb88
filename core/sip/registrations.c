/* SPDX-License-Identifier: GPL-3.0-or-later */
/* registrations.c - what a Fetch of registrations brought (<peal/registration.h>). */
#include <peal/peer.h>
#include <peal/registration.h>

#include "sip/registration.h"

_Static_assert((int)PEAL_REGISTRATION_LEN == (int)REGISTRATION_LEN, "one destination is a node");

void peal_registration_value(const PealId *node, uint8_t ret_value[PEAL_REGISTRATION_LEN])
{
    Writer value = writer_make(ret_value, PEAL_REGISTRATION_LEN);

    registration_put_route(&value, node);
    PEAL_ASSERT(!value.overflow);
}

static bool registrations_read(const ReloadStored *stored, PealRegistration *ret_entry)
{
    SipRegistration value;

    if (!stored->exists || stored->key.len != PEAL_ID_LEN ||
        reload_sip_registration_decode(stored->value, &value) != 0) {
        return false;
    }
    *ret_entry = (PealRegistration){.lifetime_s = stored->lifetime_s};
    memcpy(ret_entry->adapter.bytes, stored->key.ptr, PEAL_ID_LEN);
    if (value.type == SIP_REGISTRATION_URI) {
        ret_entry->uri = (PealStr){(const char *)value.uri.ptr, value.uri.len};
    }
    return true;
}

size_t peal_registrations(PealBytes body, PealRegistration *ret_list, size_t max)
{
    ReloadFetchAns answer;
    ReloadKindData kind;
    ReloadStored stored;
    size_t len = 0;

    if (reload_fetch_ans_decode(body, &answer) != 0) {
        return 0;
    }
    while (reload_kind_data_next(&answer.kinds, &kind)) {
        if (kind.kind != PEAL_KIND_SIP_REGISTRATION) {
            continue;
        }
        while (len < max && reload_stored_next(&kind.values, PEAL_MODEL_DICTIONARY, &stored)) {
            len += registrations_read(&stored, &ret_list[len]);
        }
    }
    return len;
}
