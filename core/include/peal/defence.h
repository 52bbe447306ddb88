/*
 * defence.h - how a peer defends itself, and what it asks of others for that.
 * Source: each field's.   State: none: part of the overlay's configuration.   Time: none.
 */
#ifndef PEAL_DEFENCE_H
#define PEAL_DEFENCE_H

#include <peal/base.h>

enum { PEAL_REDUNDANT_MAX = 8 };

/* All off as peal_overlay_defaults leaves it. */
typedef struct PealDefence {
    uint8_t redundant_lookups; /* 1..PEAL_REDUNDANT_MAX first hops that a Fetch goes by at a time */
} PealDefence;

#endif
