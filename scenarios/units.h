/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * units.h - quantities as a user writes them: a decimal number and its unit, read exactly.
 * Source: none.   State: none.   Time: spans in ns; no floating point on the way.
 *
 * Each function reads the whole text. Returns false with an error of SCENARIO_ERROR_VALUE that says
 * what the text is not; where the text stands is for the caller to add.
 */
#ifndef SCENARIOS_UNITS_H
#define SCENARIOS_UNITS_H

#include <scenarios/scenario.h>

/* An unsigned decimal number: digits / 10^decimals. */
typedef struct Decimal {
    uint64_t digits;
    unsigned decimals;
} Decimal;

/* units_decimal reads a number without its unit. Returns what follows it, or NULL when the text
 * begins with none, or with one of more than UNITS_DIGITS_MAX digits. */
enum { UNITS_DIGITS_MAX = 18 };
const char *units_decimal(const char *text, Decimal *ret_decimal);

/* `50ms`, `2.5s`; units ns, us, ms, s, min, h, d. */
bool units_span(const char *text, PealSpan *ret_span, GError **error) PEAL_MUST_USE;

/* `1000`: a whole number without a unit. */
bool units_count(const char *text, uint64_t *ret_count, GError **error) PEAL_MUST_USE;

/* `0.5`, to thousandths: 500. */
bool units_milli(const char *text, uint64_t *ret_milli, GError **error) PEAL_MUST_USE;

/* `2%`, 0% to 100%, to parts per million. */
bool units_ppm(const char *text, uint32_t *ret_ppm, GError **error) PEAL_MUST_USE;

/* `64kbit/s`; units bit/s, kbit/s, Mbit/s, Gbit/s. */
bool units_bit_rate(const char *text, uint64_t *ret_bit_per_s, GError **error) PEAL_MUST_USE;

/* `100/s`; units /s, /min, /h; to thousandths an hour. */
bool units_rate(const char *text, uint64_t *ret_milli_per_hour, GError **error) PEAL_MUST_USE;

/* `64MiB`; units B, KiB, MiB, GiB, TiB. */
bool units_bytes(const char *text, uint64_t *ret_bytes, GError **error) PEAL_MUST_USE;

/* The same backwards, in the largest unit that needs no fraction. Text to g_free. */
char *units_span_text(PealSpan span);
char *units_ppm_text(uint32_t ppm);
char *units_bytes_text(uint64_t bytes);

#endif
