/* SPDX-License-Identifier: GPL-3.0-or-later */
/* body.c - what a replay sends of a trace's bodies. See build.h. */
#include "replay/build.h"

#include <string.h>

#define NOWHERE "IN IP4 0.0.0.0" /* RFC 3264 s.8.4: where a stream on hold goes */

static const char *const ADDRESSED[] = {"a=candidate:", "a=remote-candidates:", "a=rtcp:",
                                        "a=end-of-candidates", NULL};
/* What tells nothing of a person: streams, times, codecs, packet times, directions. */
static const char *const PLAIN[] = {"v=",         "t=",         "m=",         "b=",
                                    "a=rtpmap:",  "a=fmtp:",    "a=ptime:",   "a=maxptime:",
                                    "a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive",
                                    NULL};

static bool begins_with(const char *line, const char *const *prefixes)
{
    for (; *prefixes != NULL; prefixes++) {
        if (g_str_has_prefix(line, *prefixes)) {
            return true;
        }
    }
    return false;
}

/* RFC 8866 s.5.2: o=<username> <sess-id> <sess-version> and then the address. */
static void append_origin(GString *text, const char *line, bool anonymous)
{
    g_auto(GStrv) words = g_strsplit(line + 2, " ", 4);

    if (anonymous || g_strv_length(words) < 4) {
        g_string_append(text, "o=- 0 0 " NOWHERE "\r\n");
    } else {
        g_string_append_printf(text, "o=%s %s %s " NOWHERE "\r\n", words[0], words[1], words[2]);
    }
}

static char *sdp_text(const char *body, bool anonymous)
{
    g_auto(GStrv) lines = g_strsplit(body, "\n", -1);
    GString *text = g_string_new(NULL);

    for (char **at = lines; *at != NULL; at++) {
        const char *line = g_strchomp(*at);

        if (g_str_has_prefix(line, "c=")) {
            g_string_append(text, "c=" NOWHERE "\r\n");
        } else if (g_str_has_prefix(line, "o=")) {
            append_origin(text, line, anonymous);
        } else if (anonymous && g_str_has_prefix(line, "s=")) {
            g_string_append(text, "s=-\r\n");
        } else if (*line != '\0' && !begins_with(line, ADDRESSED) &&
                   (!anonymous || begins_with(line, PLAIN))) {
            g_string_append_printf(text, "%s\r\n", line);
        }
    }
    return g_string_free(text, FALSE);
}

/* Whether a media type is this one, or begins so; parameters may follow. */
static bool is_type(const char *type, const char *want)
{
    return g_ascii_strncasecmp(type, want, strlen(want)) == 0;
}

char *text_body(const char *type, const char *body, uint32_t len, const char *key)
{
    if (type == NULL || body == NULL || len == 0 || memchr(body, '\0', len) != NULL) {
        return NULL;
    }
    if (is_type(type, "application/sdp")) {
        g_autofree char *text = g_strndup(body, len);

        return sdp_text(text, key != NULL);
    }
    return key != NULL || is_type(type, "multipart/") ? NULL : g_strndup(body, len);
}
