/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bar.c - see bar.h. */
#include "run/bar.h"

enum { BAR_LEN = 30 };

void bar_append(GString *text, double share)
{
    g_string_append_c(text, '[');
    for (int i = 0; i < BAR_LEN; i++) {
        g_string_append_c(text, i < (int)(share * BAR_LEN) ? '#' : '.');
    }
    g_string_append_printf(text, "] %3.0f %%", share * 100);
}
