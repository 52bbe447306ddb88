/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * html.h - text and data put into a page so that none of it is taken for markup.
 * Source: the HTML standard, s.4.12.1.3 (what a script element may hold).
 * State:  none.   Time: none.
 */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include <glib.h>
#include <jansson.h>

/* html_text appends text as the contents of an element or of a quoted attribute. What is no UTF-8
 * becomes U+FFFD. NULL is "". */
void html_text(GString *page, const char *text);

/* html_element appends <tag>text</tag>; attributes: markup of ours, after the tag's name, or
 * NULL. */
void html_element(GString *page, const char *tag, const char *attributes, const char *text);

/* html_json appends JSON as the contents of a script element of a type that is not run. */
void html_json(GString *page, const json_t *value);

/* html_hash is the text's SHA-256 as a content security policy names it, "sha256-..."; free with
 * g_free. */
char *html_hash(const char *text);

#endif
