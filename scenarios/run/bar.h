/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bar.h - the bar of whatever takes its time.
 * Source: none.   State: none.   Time: none.
 */
#ifndef RUN_BAR_H
#define RUN_BAR_H

#include <glib.h>

/* bar_append appends `[####....]  42 %`. share: 0..1, what is done. */
void bar_append(GString *text, double share);

#endif
