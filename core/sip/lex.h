/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lex.h - classes of characters, and steps over what SIP's grammar is made of.
 * Source: RFC 3261 s.25.1.   State: none.   Time: none.
 */
#ifndef SIP_LEX_H
#define SIP_LEX_H

#include <peal/base.h>

enum {
    LEX_TOKEN = 1, /* token */
    LEX_LWS = 2,   /* SP, HTAB and, within a folded field, CR and LF */
    LEX_DIGIT = 4, /* 0-9 */
    LEX_HEX = 8,   /* 0-9 a-f A-F */
    LEX_HOST = 16, /* of a host name; an underscore too, which hosts have though they should not */
    LEX_URI = 32, /* may stand in a URI: no white space, controls, <, >, " and nothing past ASCII */
    LEX_BARE = 64, /* of an unquoted parameter value or display name: no , ; < > " = and controls */
    LEX_SCHEME = 128 /* of a URI's scheme behind its first letter */
};
extern const uint8_t lex_classes[256];

static inline bool lex_is(char c, uint8_t classes)
{
    return (lex_classes[(uint8_t)c] & classes) != 0;
}

static inline char lex_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* lex_span is the offset of the first byte from `at` on that is not of these classes, or len. */
static inline size_t lex_span(PealStr str, size_t at, uint8_t classes)
{
    while (at < str.len && lex_is(str.ptr[at], classes)) {
        at++;
    }
    return at;
}

static inline PealStr lex_sub(PealStr str, size_t at, size_t end)
{
    return (PealStr){str.ptr != NULL ? str.ptr + at : NULL, end - at};
}

/* lex_quoted: where the quoted string that starts at `at` ends, behind its closing quote; 0 when it
 * does not. */
static inline size_t lex_quoted(PealStr str, size_t at)
{
    for (at++; at < str.len; at++) {
        if (str.ptr[at] == '"') {
            return at + 1;
        }
        at += str.ptr[at] == '\\';
    }
    return 0;
}

/* lex_comma: the first comma from `at` on outside quoted strings and angle brackets, or len. */
size_t lex_comma(PealStr str, size_t at);

#endif
