/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dist_max.h - the longest span that a distribution gives.
 * Source: none.   State: none.   Time: 100 years, in us.
 */
#ifndef SCENARIOS_DIST_MAX_H
#define SCENARIOS_DIST_MAX_H

static const double DIST_MAX_US = 100.0 * 365 * 86400 * 1e6;

#endif
