/* SPDX-License-Identifier: GPL-3.0-or-later */
/* names.c - what the users of a trace are called in an overlay. See build.h. */
#include "replay/build.h"

#include <arpa/inet.h>
#include <peal/peer.h>
#include <string.h>

enum {
    DIGEST_DIGITS = 16,
    SUFFIX_MAX = 11, /* "-4294967295" */
    ESCAPE_LEN = 3
};

#define SCHEME "sip:"

/* RFC 3261 s.25.1, user, but for what parsers of URIs take for an end: ; ? and / are escaped. */
static bool stands_for_itself(char c)
{
    return g_ascii_isalnum(c) || (c != '\0' && strchr("-_.!~*'()&=+$,", c) != NULL);
}

static void append_escaped(GString *text, char c)
{
    if (stands_for_itself(c)) {
        g_string_append_c(text, c);
    } else {
        g_string_append_printf(text, "%%%02X", (unsigned)(guchar)c);
    }
}

/* RFC 3261 s.19.1.4: what needs no escape is the same with one. */
static char *canonical_user(const char *user, size_t len)
{
    GString *text = g_string_sized_new(len);

    for (size_t i = 0; i < len; i++) {
        if (user[i] == '%' && i + 2 < len && g_ascii_isxdigit(user[i + 1]) &&
            g_ascii_isxdigit(user[i + 2])) {
            append_escaped(text, (char)(g_ascii_xdigit_value(user[i + 1]) * 16 +
                                        g_ascii_xdigit_value(user[i + 2])));
            i += 2;
        } else {
            append_escaped(text, user[i]);
        }
    }
    return g_string_free(text, FALSE);
}

/* RFC 3966 s.3: separators are for the eye only. */
static char *telephone_user(const char *number)
{
    GString *text = g_string_new(NULL);

    for (; *number != '\0' && *number != ';'; number++) {
        if (strchr("-.()", *number) == NULL) {
            append_escaped(text, *number);
        }
    }
    return g_string_free(text, FALSE);
}

/* A host without its port, brackets and parameters. */
static char *host_user(const char *host)
{
    size_t len;

    if (*host == '[') {
        host++;
        len = strcspn(host, "]");
    } else {
        len = strcspn(host, ":;?");
    }
    return canonical_user(host, len);
}

char *name_user(const char *uri)
{
    const char *rest = uri;
    const char *at;
    char *name;

    if (g_ascii_strncasecmp(uri, "tel:", 4) == 0) {
        name = telephone_user(uri + 4);
    } else {
        if (g_ascii_strncasecmp(uri, "sip:", 4) == 0) {
            rest = uri + 4;
        } else if (g_ascii_strncasecmp(uri, "sips:", 5) == 0) {
            rest = uri + 5;
        }
        at = strrchr(rest, '@');
        /* A password may follow the user. */
        name = at != NULL && at != rest
                   ? canonical_user(rest, MIN((size_t)(at - rest), strcspn(rest, ":")))
               : rest == uri ? canonical_user(rest, strlen(rest))
                             : host_user(at != NULL ? at + 1 : rest);
    }
    if (*name == '\0') {
        g_free(name);
        name = g_strdup("unknown");
    }
    return name;
}

bool domain_is_good(const char *domain)
{
    size_t len = strlen(domain);
    uint8_t ip[16];

    if (domain[0] == '[' && domain[len - 1] == ']') {
        g_autofree char *address = g_strndup(domain + 1, len - 2);

        return inet_pton(AF_INET6, address, ip) == 1;
    }
    return g_ascii_isalnum(domain[0]) && strstr(domain, "..") == NULL &&
           strspn(domain, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-.") == len;
}

char *name_digest(const char *key, const char *purpose, const char *text)
{
    g_autofree char *data = g_strdup_printf("%s:%s", purpose, text);
    char *hex =
        g_compute_hmac_for_string(G_CHECKSUM_SHA256, (const guchar *)key, strlen(key), data, -1);

    hex[DIGEST_DIGITS] = '\0';
    return hex;
}

char *name_anonymous(const char *key, const char *user)
{
    g_autofree char *hex = name_digest(key, "user", user);

    return g_strconcat("u", hex, NULL);
}

PealAddr name_address(const char *key, const PealAddr *address)
{
    char text[2 * sizeof(address->ip) + 1] = "";
    g_autofree char *hex = NULL;
    guint64 bits;

    if (address->family == 0) {
        return *address;
    }
    for (size_t i = 0; i < sizeof(address->ip); i++) {
        g_snprintf(text + 2 * i, 3, "%02x", address->ip[i]);
    }
    hex = name_digest(key, "address", text);
    bits = g_ascii_strtoull(hex, NULL, 16);
    return (PealAddr){.ip = {10, (uint8_t)(bits >> 16), (uint8_t)(bits >> 8), (uint8_t)bits},
                      .family = 4};
}

char *replay_anonymise_aor(const char *key, const char *aor)
{
    g_autofree char *user = name_user(aor);
    g_autofree char *name = name_anonymous(key, user);
    const char *at = strrchr(aor, '@');
    g_autofree char *host = g_ascii_strdown(at != NULL ? at + 1 : "", -1);
    g_autofree char *hex = name_digest(key, "host", host);

    return g_strdup_printf(SCHEME "%s@h%s.invalid", name, hex);
}

/* Cuts a name so that the AOR is not too long; not within an escape. */
static void cut(char *name, size_t most)
{
    if (strlen(name) <= most) {
        return;
    }
    for (size_t back = 1; back < ESCAPE_LEN && back <= most; back++) {
        if (name[most - back] == '%') {
            most -= back;
            break;
        }
    }
    name[most] = '\0';
}

/* Names to users: what they are called without a suffix, and the next suffix to try. */
static char *unused_name(GHashTable *taken, GHashTable *suffixes, const char *base)
{
    guint suffix = GPOINTER_TO_UINT(g_hash_table_lookup(suffixes, base));

    for (suffix = MAX(suffix, 2);; suffix++) {
        char *name = g_strdup_printf("%s-%u", base, suffix);

        if (!g_hash_table_contains(taken, name)) {
            g_hash_table_insert(suffixes, g_strdup(base), GUINT_TO_POINTER(suffix + 1));
            return name;
        }
        g_free(name);
    }
}

void names_give(Replay *replay, char *const *names, const char *domain)
{
    const size_t most = PEAL_AOR_MAX - strlen(SCHEME) - 1 - strlen(domain) - SUFFIX_MAX;
    /* Of all names that somebody has by himself, whether he was met already. */
    g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) suffixes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (uint32_t i = 0; i < replay->users->len; i++) {
        char *base = g_strdup(names[i]);

        cut(base, most);
        g_hash_table_insert(taken, base, GINT_TO_POINTER(0));
    }
    for (uint32_t i = 0; i < replay->users->len; i++) {
        ReplayUser *user = &g_array_index(replay->users, ReplayUser, i);
        char *name = g_strdup(names[i]);

        cut(name, most);
        if (g_hash_table_lookup(taken, name) != NULL) {
            char *base = name;

            name = unused_name(taken, suffixes, base);
            g_free(base);
        }
        g_free(user->aor);
        user->aor = g_strconcat(SCHEME, name, "@", domain, NULL);
        g_hash_table_insert(taken, name, GINT_TO_POINTER(1));
    }
}

void replay_set_domain(Replay *replay, const char *domain)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    bool same = true;

    for (uint32_t i = 0; i < replay->users->len; i++) {
        const char *aor = replay_user(replay, i)->aor;

        same = same && strcmp(strrchr(aor, '@') + 1, domain) == 0;
        g_ptr_array_add(names, name_user(aor));
    }
    if (!same) {
        names_give(replay, (char *const *)names->pdata, domain);
    }
}
