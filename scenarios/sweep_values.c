/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sweep_values.c - see sweep_values.h. */
#include "sweep_values.h"

#include "units.h"

enum { DIGITS_MAX = 15 };
#define DIGITS_GREATEST UINT64_C(999999999999999)

/* digits / 10^decimals, and a unit. */
typedef struct Number {
    int64_t digits;
    unsigned decimals;
    char unit[16];
} Number;

/* Splits at the commas that are not inside parentheses: `1, weibull(shape=1, scale=5s)` is two. */
static GPtrArray *list_split(const char *text)
{
    GPtrArray *values = g_ptr_array_new_with_free_func(g_free);
    const char *start = text;
    int depth = 0;

    for (;; text++) {
        if (*text == '(') {
            depth++;
        } else if (*text == ')') {
            depth--;
        } else if (*text == '\0' || (*text == ',' && depth <= 0)) {
            g_ptr_array_add(values, g_strstrip(g_strndup(start, (gsize)(text - start))));
            start = text + 1;
            if (*text == '\0') {
                return values;
            }
        }
    }
}

static bool fail(GError **error, const char *item, const char *why)
{
    g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                "'%s' is no range: %s; write as in 0%%..50%% step 10%%, or 100..10000 x10", item,
                why);
    return false;
}

/* Reads a number with its unit; the text is trimmed. */
static bool number_read(const char *text, Number *ret_number)
{
    Decimal decimal;
    const char *unit = units_decimal(text, &decimal);
    Number number;

    if (unit == NULL || decimal.digits > DIGITS_GREATEST || decimal.decimals > DIGITS_MAX) {
        return false;
    }
    number = (Number){.digits = (int64_t)decimal.digits, .decimals = decimal.decimals};
    while (*unit == ' ') {
        unit++;
    }
    if (g_strlcpy(number.unit, unit, sizeof(number.unit)) >= sizeof(number.unit)) {
        return false;
    }
    *ret_number = number;
    return true;
}

static char *number_text(Number number)
{
    int64_t scale = 1;

    while (number.decimals > 0 && number.digits % 10 == 0) {
        number.digits /= 10;
        number.decimals--;
    }
    for (unsigned i = 0; i < number.decimals; i++) {
        scale *= 10;
    }
    if (number.decimals == 0) {
        return g_strdup_printf("%" G_GINT64_FORMAT "%s", number.digits, number.unit);
    }
    return g_strdup_printf("%" G_GINT64_FORMAT ".%0*" G_GINT64_FORMAT "%s", number.digits / scale,
                           (int)number.decimals, number.digits % scale, number.unit);
}

/* Brings a number to so many decimals, not fewer than it has. False when it gets too long. */
static bool number_scale(Number *number, unsigned decimals)
{
    for (; number->decimals < decimals; number->decimals++) {
        if (__builtin_mul_overflow(number->digits, (int64_t)10, &number->digits)) {
            return false;
        }
    }
    return true;
}

static int number_compare(Number a, Number b)
{
    __int128 x = a.digits, y = b.digits;

    for (unsigned i = a.decimals; i < b.decimals; i++) {
        x *= 10;
    }
    for (unsigned i = b.decimals; i < a.decimals; i++) {
        y *= 10;
    }
    return (x > y) - (x < y);
}

typedef struct Range {
    const char *item;
    Number from;
    Number to;
    Number by; /* step or factor */
} Range;

static bool range_is_full(const Range *range, const GPtrArray *values, GError **error)
{
    if (values->len < SWEEP_POINTS_MAX) {
        return true;
    }
    g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE, "'%s' has more than %d values",
                range->item, SWEEP_POINTS_MAX);
    return false;
}

static bool fail_end(const Range *range, GPtrArray *values, GError **error)
{
    g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                "'%s' does not hit its end: the last value before it is %s", range->item,
                (const char *)g_ptr_array_index(values, values->len - 1));
    return false;
}

static bool add_steps(const Range *range, GPtrArray *values, GError **error)
{
    Number from = range->from, to = range->to, step = range->by;
    unsigned decimals = MAX(MAX(from.decimals, to.decimals), step.decimals);
    bool down;

    if (!number_scale(&from, decimals) || !number_scale(&to, decimals) ||
        !number_scale(&step, decimals)) {
        return fail(error, range->item, "its numbers are too long");
    }
    if (step.digits == 0) {
        return fail(error, range->item, "a step of 0 never comes to its end");
    }
    down = to.digits < from.digits;
    for (;;) {
        if (!range_is_full(range, values, error)) {
            return false;
        }
        g_ptr_array_add(values, number_text(from));
        if (from.digits == to.digits) {
            return true;
        }
        if ((down ? from.digits - to.digits : to.digits - from.digits) < step.digits) {
            return fail_end(range, values, error);
        }
        from.digits += down ? -step.digits : step.digits;
    }
}

static bool add_multiples(const Range *range, GPtrArray *values, GError **error)
{
    const Number one = {.digits = 1};
    Number from = range->from;
    int way = number_compare(range->by, one); /* up or down */
    int end = number_compare(range->to, from);

    if (range->by.digits == 0 || from.digits == 0 || way == 0) {
        return fail(error, range->item, "by that factor it never comes to its end");
    }
    if (end != 0 && end != way) {
        return fail(error, range->item, "by that factor it goes away from its end");
    }
    for (;;) {
        if (!range_is_full(range, values, error)) {
            return false;
        }
        g_ptr_array_add(values, number_text(from));
        if (number_compare(from, range->to) == 0) {
            return true;
        }
        if (__builtin_mul_overflow(from.digits, range->by.digits, &from.digits) ||
            from.decimals + range->by.decimals > DIGITS_MAX) {
            return fail(error, range->item, "its numbers are too long");
        }
        from.decimals += range->by.decimals;
        while (from.decimals > 0 && from.digits % 10 == 0) {
            from.digits /= 10;
            from.decimals--;
        }
        if (number_compare(from, range->to) == way) {
            return fail_end(range, values, error);
        }
    }
}

/* How a range goes on: `to`, then `step` or ` x`, then by how much. */
static char *cut_last(char *text, const char *word)
{
    char *at = strstr(text, word);

    if (at == NULL) {
        return NULL;
    }
    *at = '\0';
    g_strstrip(text);
    return g_strstrip(at + strlen(word));
}

static bool add_range(const char *item, GPtrArray *values, GError **error)
{
    g_autofree char *copy = g_strdup(item);
    char *to = cut_last(copy, "..");
    char *step = cut_last(to, " step ");
    char *factor = step == NULL ? cut_last(to, " x") : NULL;
    Range range = {.item = item};

    if (step == NULL && factor == NULL) {
        return fail(error, item, "it lacks its step or factor");
    }
    if (!number_read(copy, &range.from) || !number_read(to, &range.to) ||
        !number_read(step != NULL ? step : factor, &range.by)) {
        return fail(error, item, "it takes numbers of at most 15 digits, with their units");
    }
    if (strcmp(range.from.unit, range.to.unit) != 0 ||
        strcmp(range.by.unit, step != NULL ? range.to.unit : "") != 0) {
        return fail(error, item,
                    "both its ends and its step take the same unit, and a factor takes none");
    }
    return step != NULL ? add_steps(&range, values, error) : add_multiples(&range, values, error);
}

/* A path may have two dots too, but does not begin with a digit. */
static bool is_range(const char *item)
{
    return g_ascii_isdigit(item[0]) && strstr(item, "..") != NULL;
}

GPtrArray *sweep_values(const char *text, GError **error)
{
    g_autoptr(GPtrArray) items = list_split(text);
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < items->len; i++) {
        const char *item = g_ptr_array_index(items, i);

        if (item[0] == '\0') {
            g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                        "value %u of the list is empty; write values with commas between them",
                        i + 1);
            return NULL;
        }
        if (!is_range(item)) {
            g_ptr_array_add(values, g_strdup(item));
        } else if (!add_range(item, values, error)) {
            return NULL;
        }
    }
    if (values->len > SWEEP_POINTS_MAX) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE, "the list has more than %d values",
                    SWEEP_POINTS_MAX);
        return NULL;
    }
    return g_steal_pointer(&values);
}
