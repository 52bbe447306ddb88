/*
 * density.h - is a stretch of the ring more crowded than chance makes it?
 * Source: Castro, Druschel, Ganesh, Rowstron, Wallach: Secure routing for structured peer-to-peer
 *         overlay networks (OSDI 2002), s.5.2 (density test), here over every run of neighbours.
 * State:  none.   Time: none.
 *
 * Node-IDs are uniform, so that k successive gaps of a mean g between peers are together less than
 * t g long with the probability that a gamma variable of shape k is less than t. A run of gaps is
 * suspect where that probability is under 10^-5.
 */
#ifndef OVERLAY_DENSITY_H
#define OVERLAY_DENSITY_H

#include <peal/base.h>

enum { DENSITY_GAPS_MAX = 32 }; /* longer runs are not looked at */

/*
 * density_suspect looks at all runs of gaps that touch one of the places.
 * places  ascending, in units of 2^64 of the ring: the top half of a distance
 * at      index of the place that is in question
 * gap     mean gap between peers, as far as is known
 */
bool density_suspect(const uint64_t *places, size_t len, size_t at, uint64_t gap);

#endif
