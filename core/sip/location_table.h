/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * location_table.h (internal) - the AORs that this adapter has registered in the overlay: by
 *                               Resource-ID, and by when something is to be done about them.
 * Source: none.
 * State:  56 bytes an AOR in one block: a dense array, the heads of chains over it, a heap of it.
 * Time:   none.
 */
#ifndef SIP_LOCATION_TABLE_H
#define SIP_LOCATION_TABLE_H

#include "sip/location.h"

struct LocationEntry {
    PealId resource;
    PealTime act_at;  /* refresh, retry or end; PEAL_TIME_NEVER while a Store is out */
    PealTime ends_at; /* of what may be stored in the overlay */
    uint32_t expires_s;
    uint32_t next; /* in its chain */
    uint32_t heap_at;
    uint16_t call;    /* its last Store, while that is out: earlier ones are overtaken */
    uint8_t failures; /* in a row */
    bool removing : 1;
    bool refreshing : 1; /* for ever; else only until ends_at */
};
_Static_assert(sizeof(LocationEntry) == 48, "every AOR has one");

void location_table_fini(PealPeer *peer);
/* Entries move when others come or go. location_table_find: NULL for none. */
LocationEntry *location_table_find(const Location *location, const PealId *resource);
/* location_table_add makes the entry of an AOR that has none, with nothing to be done; NULL without
 * memory. */
LocationEntry *location_table_add(PealPeer *peer, const PealId *resource);
void location_table_remove(PealPeer *peer, LocationEntry *entry);
void location_table_act_at(Location *location, LocationEntry *entry, PealTime at);
/* location_table_first is the one that is to act first, or NULL. */
LocationEntry *location_table_first(const Location *location);

#endif
