/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * model.h - figures as the JSON that report.js draws.
 * Source: none.   State: none.   Time: none.
 */
#ifndef REPORT_MODEL_H
#define REPORT_MODEL_H

#include "figure/figure.h"

#include <jansson.h>

/* model_figure is a figure as a new object; what is no number is null. */
json_t *model_figure(const Figure *figure);

/* model_palette is the colours of heat maps, [[red, green, blue], ...] from least to greatest. */
json_t *model_palette(void);

#endif
