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
