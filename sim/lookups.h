/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lookups.h - the workload's lookups under way, found again by number and by transaction.
 * Source: none.
 * State:  64 bytes a lookup under way; it ends when its asker answers, or dies.
 * Time:   the caller's.
 */
#ifndef SIM_LOOKUPS_H
#define SIM_LOOKUPS_H

#include <peal/id.h>

#include "reach.h"

#define LOOKUP_NONE 0

typedef struct Lookup {
    PealTime started;
    PealId key;
    uint64_t transaction; /* 0 until the request is sent */
    uint32_t asker;
    uint32_t next;             /* of the same asker; or in the free list */
    uint32_t server;           /* that answered; UINT32_MAX for none yet */
    uint16_t hops;             /* as that one read them */
    uint16_t keyed : 1;        /* a random key: nobody stores a value there */
    uint16_t owner_served : 1; /* the oracle's owner at that instant */
    uint16_t honest_owner : 1; /* where there are attackers: the owner at the start is none */
    uint16_t value_lives : 1;  /* a live replica held a value at that instant */
    uint16_t path_ended : 1;   /* watch.h: at the key's predecessor, or it has none */
    uint16_t path_hops;        /* so far */
    uint16_t path_dead;        /* dead peers that it was sent to */
    ReachTarget target;        /* whose AOR it is; meaningless when keyed */
} Lookup;

_Static_assert(sizeof(Lookup) <= 64, "one line a lookup");

typedef struct Lookups {
    Lookup *all;  /* by number; 0 is not used */
    uint32_t len; /* numbers given out */
    uint32_t cap;
    uint32_t free;
    uint32_t active;
    uint32_t *table; /* transaction to number, open addressing */
    uint32_t table_shift;
    uint32_t bound; /* entries in the table */
} Lookups;

void lookups_init(Lookups *lookups);
void lookups_fini(Lookups *lookups);

/* lookups_add makes a lookup and puts it in front of its asker's list. Returns its number, not
 * 0. */
uint32_t lookups_add(Lookups *lookups, uint32_t asker, uint32_t *asker_list);

/* lookups_bind: this lookup's request has that transaction. */
void lookups_bind(Lookups *lookups, uint32_t number, uint64_t transaction);

/* lookups_find returns the lookup of a transaction, or NULL; valid until the next lookups_add. */
Lookup *lookups_find(const Lookups *lookups, uint64_t transaction);

static inline Lookup *lookups_at(const Lookups *lookups, uint32_t number)
{
    return &lookups->all[number];
}

/* lookups_remove forgets a lookup that ended. */
void lookups_remove(Lookups *lookups, uint32_t number, uint32_t *asker_list);

#endif
