/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * html.c - see html.h.
 */
#include "report/html.h"

#include <stdlib.h>
#include <string.h>

void html_text(GString *page, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text != NULL ? text : "", -1);
    g_autofree char *escaped = g_markup_escape_text(valid, -1);

    g_string_append(page, escaped);
}

void html_element(GString *page, const char *tag, const char *attributes, const char *text)
{
    g_string_append_printf(page, "<%s%s%s>", tag, attributes != NULL ? " " : "",
                           attributes != NULL ? attributes : "");
    html_text(page, text);
    g_string_append_printf(page, "</%s>", tag);
}

void html_json(GString *page, const json_t *value)
{
    /* Outside strings JSON has none of these, and inside it may have them escaped. */
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(7));

    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '<' || *at == '>' || *at == '&') {
            g_string_append_printf(page, "\\u%04x", (unsigned)*at);
        } else {
            g_string_append_c(page, *at);
        }
    }
    free(text);
}

char *html_hash(const char *text)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 digest[32];
    gsize len = sizeof(digest);
    g_autofree char *base64 = NULL;

    g_checksum_update(checksum, (const guchar *)text, (gssize)strlen(text));
    g_checksum_get_digest(checksum, digest, &len);
    base64 = g_base64_encode(digest, len);
    return g_strconcat("sha256-", base64, NULL);
}
