/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * page.h - a node's status as a page for people and as metrics for Prometheus.
 * Source: HTML; the Prometheus text format 0.0.4.
 * State:  none.   Time: none.
 */
#ifndef PAGE_H
#define PAGE_H

#include <jansson.h>

/* Both take what status_json gives, and return text for g_free. Texts in it that came from outside
 * are escaped. */
char *page_html(const json_t *status);
char *page_metrics(const json_t *status);

#endif
