/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * thin.h - fewer points of a line, which looks the same.
 * Source: Steinarsson, "Downsampling Time Series for Visual Representation" (Iceland, 2013):
 *         largest triangle three buckets.
 * State:  none.   Time: none.
 */
#ifndef REPORT_THIN_H
#define REPORT_THIN_H

#include "figure/figure.h"

/* thin_figure leaves at most `max` points (3 at least) of each line without labels, the first and
 * last among them. Marks and bars stay. */
void thin_figure(Figure *figure, guint max);

#endif
