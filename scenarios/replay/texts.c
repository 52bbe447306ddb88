/* SPDX-License-Identifier: GPL-3.0-or-later */
/* texts.c - what a replay sends of a trace's headers and bodies. See build.h. */
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

/* NULL where nothing remains. */
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
    return g_string_free(text, text->len == 0);
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

/* Headers that lead nobody anywhere: no Route, no Contact. */
static bool is_for_callee(const char *name, size_t len)
{
    static const char *const names[] = {"Subject",  "User-Agent", "Organization",
                                        "Priority", "Call-Info",  "Alert-Info"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (len == strlen(names[i]) && g_ascii_strncasecmp(name, names[i], len) == 0) {
            return true;
        }
    }
    return len > 2 && g_ascii_strncasecmp(name, "X-", 2) == 0;
}

bool text_headers_are_good(const char *headers)
{
    bool first = true;

    while (*headers != '\0') {
        const char *end = strstr(headers, "\r\n");
        size_t name_len = strcspn(headers, ": \t\r\n");
        size_t colon = name_len + strspn(headers + name_len, " \t");
        bool goes_on = *headers == ' ' || *headers == '\t';

        if (end == NULL || memchr(headers, '\r', (size_t)(end - headers)) != NULL ||
            memchr(headers, '\n', (size_t)(end - headers)) != NULL) {
            return false;
        }
        if (goes_on ? first : headers[colon] != ':' || !is_for_callee(headers, name_len)) {
            return false;
        }
        first = false;
        headers = end + 2;
    }
    return true;
}

/* A digest in the place of a value; one that is a URI remains one. */
static void anonymise_header(GString *text, const char *key, const char *name, size_t name_len,
                             const char *value)
{
    g_autofree char *hex = name_digest(key, "header", value);
    bool uri = name_len > 5 && g_ascii_strncasecmp(name + name_len - 5, "-Info", 5) == 0;

    g_string_append_len(text, name, (gssize)name_len);
    g_string_append_printf(text, uri ? ": <sip:%s@anonymous.invalid>\r\n" : ": %s\r\n", hex);
}

char *text_headers(const char *headers, const char *key)
{
    g_auto(GStrv) lines = NULL;
    GString *text;

    if (headers == NULL || *headers == '\0') {
        return NULL;
    }
    if (!text_headers_are_good(headers)) {
        return NULL;
    }
    if (key == NULL) {
        return g_strdup(headers);
    }
    lines = g_strsplit(headers, "\n", -1);
    text = g_string_new(NULL);
    for (char **line = lines; *line != NULL; line++) {
        size_t name_len = strcspn(*line, ": \t\r");
        const char *colon = strchr(*line, ':');

        /* A line that goes on with the one before has no name, and is gone. */
        if (name_len > 0 && colon != NULL) {
            anonymise_header(text, key, *line, name_len, g_strstrip((char *)colon + 1));
        }
    }
    return g_string_free(text, FALSE);
}
