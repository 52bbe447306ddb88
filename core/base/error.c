/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * error.c - texts of the expected errors.
 */
#include <peal/base.h>

const char *peal_error_text(int error)
{
    switch (-error) {
    case 0:
        return "no error";
#define X(name, value, text) \
    case PEAL_E_##name:      \
        return text;
        PEAL_ERRORS(X)
#undef X
    default:
        return "unknown error";
    }
}
