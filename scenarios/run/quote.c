/* SPDX-License-Identifier: GPL-3.0-or-later */
/* quote.c - see quote.h. */
#include "run/quote.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

char *quote_where_needed(const char *name)
{
    static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_./+:,@%=";
    bool plain = name[0] != '\0' && strspn(name, PLAIN) == strlen(name);

    return plain ? g_strdup(name) : g_shell_quote(name);
}
