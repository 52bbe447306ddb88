/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * page.h - a report as one HTML document that needs nothing else.
 * Source: the HTML standard; Content Security Policy Level 3.   State: none.   Time: none.
 */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include "figure/cases.h"

/* How a report begins, which is how results_open knows it for ours. */
#define PAGE_BEGIN "<!DOCTYPE html>\n<!-- peal report -->\n"

/*
 * page_text is the whole document; free with g_free.
 * figures     of Figure, thinned so that the page stays small
 * pictures    of char *: each figure as SVG for who runs no script; NULL where there is none
 * Returns NULL with RESULTS_ERROR_READ.
 */
char *page_text(const Cases *cases, const GPtrArray *figures, const GPtrArray *pictures,
                GError **error);

#endif
