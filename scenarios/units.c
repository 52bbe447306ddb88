/* SPDX-License-Identifier: GPL-3.0-or-later */
/* units.c - decimal numbers with units, read exactly in integers. See units.h. */
#include "units.h"

#include <inttypes.h>

typedef struct Unit {
    const char *name;
    uint64_t factor;
} Unit;

static const Unit TIME_UNITS[] = {
    {"ns", 1},
    {"us", UINT64_C(1000)},
    {"ms", UINT64_C(1000000)},
    {"s", UINT64_C(1000000000)},
    {"min", 60 * UINT64_C(1000000000)},
    {"h", 3600 * UINT64_C(1000000000)},
    {"d", 86400 * UINT64_C(1000000000)},
};

static const Unit RATE_UNITS[] = {
    {"bit/s", 1},
    {"kbit/s", UINT64_C(1000)},
    {"Mbit/s", UINT64_C(1000000)},
    {"Gbit/s", UINT64_C(1000000000)},
};

static const Unit FREQUENCY_UNITS[] = {
    {"/h", 1000},
    {"/min", UINT64_C(60000)},
    {"/s", UINT64_C(3600000)},
};

static const Unit SIZE_UNITS[] = {
    {"B", 1},
    {"KiB", UINT64_C(1) << 10},
    {"MiB", UINT64_C(1) << 20},
    {"GiB", UINT64_C(1) << 30},
    {"TiB", UINT64_C(1) << 40},
};

const char *units_decimal(const char *text, Decimal *ret_decimal)
{
    Decimal decimal = {0};
    unsigned len = 0;
    bool point = false;

    for (;; text++) {
        if (*text == '.' && !point && len > 0) {
            point = true;
            continue;
        }
        if (!g_ascii_isdigit(*text)) {
            break;
        }
        if (++len > UNITS_DIGITS_MAX) {
            return NULL;
        }
        decimal.digits = decimal.digits * 10 + (uint64_t)(*text - '0');
        decimal.decimals += point;
    }
    if (len == 0 || (point && decimal.decimals == 0)) {
        return NULL;
    }
    *ret_decimal = decimal;
    return text;
}

/* decimal_scale multiplies; false when the product is no whole number or has more than 63 bits. */
static bool decimal_scale(Decimal decimal, uint64_t factor, uint64_t *ret_product)
{
    unsigned __int128 product = (unsigned __int128)decimal.digits * factor;

    for (unsigned i = 0; i < decimal.decimals; i++) {
        if (product % 10 != 0) {
            return false;
        }
        product /= 10;
    }
    if (product > INT64_MAX) {
        return false;
    }
    *ret_product = (uint64_t)product;
    return true;
}

static bool units_fail(GError **error, const char *text, const char *what)
{
    g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE, "'%s' is no %s", text, what);
    return false;
}

static bool units_read(const char *text, const Unit *units, size_t units_len, const char *what,
                       uint64_t *ret_value, GError **error)
{
    Decimal decimal;
    const char *name = units_decimal(text, &decimal);

    if (name == NULL) {
        return units_fail(error, text, what);
    }
    while (*name == ' ') {
        name++;
    }
    for (size_t i = 0; i < units_len; i++) {
        if (strcmp(name, units[i].name) != 0) {
            continue;
        }
        if (!decimal_scale(decimal, units[i].factor, ret_value)) {
            g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                        "'%s' is too long or too fine: at most 2^63 %s, in whole %s", text,
                        units[0].name, units[0].name);
            return false;
        }
        return true;
    }
    if (*name == '\0') {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE, "'%s' lacks its unit: it is a %s",
                    text, what);
    } else {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE, "unknown unit '%s': it is a %s",
                    name, what);
    }
    return false;
}

bool units_span(const char *text, PealSpan *ret_span, GError **error)
{
    uint64_t ns;

    if (!units_read(text, TIME_UNITS, G_N_ELEMENTS(TIME_UNITS),
                    "time such as 50ms (units: ns, us, ms, s, min, h, d)", &ns, error)) {
        return false;
    }
    *ret_span = (PealSpan){(int64_t)ns};
    return true;
}

bool units_bit_rate(const char *text, uint64_t *ret_bit_per_s, GError **error)
{
    return units_read(text, RATE_UNITS, G_N_ELEMENTS(RATE_UNITS),
                      "bit rate such as 64kbit/s (units: bit/s, kbit/s, Mbit/s, Gbit/s)",
                      ret_bit_per_s, error);
}

bool units_rate(const char *text, uint64_t *ret_milli_per_hour, GError **error)
{
    return units_read(text, FREQUENCY_UNITS, G_N_ELEMENTS(FREQUENCY_UNITS),
                      "rate such as 100/s (units: /s, /min, /h)", ret_milli_per_hour, error);
}

bool units_bytes(const char *text, uint64_t *ret_bytes, GError **error)
{
    return units_read(text, SIZE_UNITS, G_N_ELEMENTS(SIZE_UNITS),
                      "size such as 64MiB (units: B, KiB, MiB, GiB, TiB)", ret_bytes, error);
}

bool units_count(const char *text, uint64_t *ret_count, GError **error)
{
    Decimal decimal;
    const char *rest = units_decimal(text, &decimal);

    if (rest == NULL || *rest != '\0' || decimal.decimals != 0) {
        return units_fail(error, text, "whole number without a unit");
    }
    *ret_count = decimal.digits;
    return true;
}

bool units_milli(const char *text, uint64_t *ret_milli, GError **error)
{
    Decimal decimal;
    const char *rest = units_decimal(text, &decimal);

    if (rest == NULL || *rest != '\0' || !decimal_scale(decimal, 1000, ret_milli)) {
        return units_fail(error, text, "plain number without a unit, with at most three decimals");
    }
    return true;
}

bool units_ppm(const char *text, uint32_t *ret_ppm, GError **error)
{
    Decimal decimal;
    const char *rest = units_decimal(text, &decimal);
    uint64_t ppm;

    if (rest == NULL || (strcmp(rest, "%") != 0 && strcmp(rest, " %") != 0)) {
        return units_fail(error, text, "percentage such as 0.5%");
    }
    if (!decimal_scale(decimal, SCENARIO_PPM / 100, &ppm) || ppm > SCENARIO_PPM) {
        return units_fail(error, text, "percentage of 0% to 100%, to at most four decimals");
    }
    *ret_ppm = (uint32_t)ppm;
    return true;
}

static char *whole_text(uint64_t value, const Unit *units, size_t units_len)
{
    const Unit *largest = &units[0];

    for (size_t i = 0; i < units_len; i++) {
        if (value % units[i].factor == 0) {
            largest = &units[i];
        }
    }
    return g_strdup_printf("%" PRIu64 "%s", value / largest->factor, largest->name);
}

char *units_span_text(PealSpan span)
{
    return span.ns == 0 ? g_strdup("0s")
                        : whole_text((uint64_t)span.ns, TIME_UNITS, G_N_ELEMENTS(TIME_UNITS));
}

char *units_bytes_text(uint64_t bytes)
{
    return bytes == 0 ? g_strdup("0B") : whole_text(bytes, SIZE_UNITS, G_N_ELEMENTS(SIZE_UNITS));
}

char *units_ppm_text(uint32_t ppm)
{
    uint32_t fraction = ppm % 10000;
    int digits = 4;

    if (fraction == 0) {
        return g_strdup_printf("%" PRIu32 "%%", ppm / 10000);
    }
    for (; fraction % 10 == 0; fraction /= 10) {
        digits--;
    }
    return g_strdup_printf("%" PRIu32 ".%0*" PRIu32 "%%", ppm / 10000, digits, fraction);
}
