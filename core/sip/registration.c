/* SPDX-License-Identifier: GPL-3.0-or-later */
/* registration.c - SipRegistration values. */
#include "sip/registration.h"

void registration_put_route(Writer *w, const PealId *node)
{
    uint8_t entry[RELOAD_NODE_ENTRY_LEN];
    Writer dest = writer_make(entry, sizeof(entry));
    SipRegistration registration = {.type = SIP_REGISTRATION_ROUTE};

    put_dest_node(&dest, node);
    registration.dest = writer_view(&dest);
    put_sip_registration(w, &registration);
}

int registration_read(PealBytes value, Registration *ret_registration)
{
    SipRegistration decoded;
    ReloadDest dest;
    int error = reload_sip_registration_decode(value, &decoded);

    if (error != 0) {
        return error;
    }
    if (decoded.type == SIP_REGISTRATION_URI) {
        if (decoded.uri.len == 0) {
            return -PEAL_E_LENGTH;
        }
        *ret_registration = (Registration){.uri = {(const char *)decoded.uri.ptr, decoded.uri.len}};
        return 0;
    }
    if (!reload_dest_next(&decoded.dest, &dest) || decoded.dest.len != 0 ||
        dest.type != RELOAD_DEST_NODE) {
        return -PEAL_E_UNKNOWN;
    }
    *ret_registration = (Registration){.node = dest.id};
    return 0;
}
