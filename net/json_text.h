/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * json_text.h - how JSON is written to whoever reads it.
 * Source: none.   State: none.   Time: none.
 *
 * A real has six significant digits: what is measured is no better, and seventeen hide it. A
 * number that needs more is an integer.
 */
#ifndef NET_JSON_TEXT_H
#define NET_JSON_TEXT_H

#include <jansson.h>

#define JSON_TEXT_LINE (JSON_COMPACT | JSON_REAL_PRECISION(6))    /* for programs: no line break */
#define JSON_TEXT_LINES (JSON_INDENT(2) | JSON_REAL_PRECISION(6)) /* for people as well */

#endif
