/* SPDX-License-Identifier: GPL-3.0-or-later */
/* users.c - who stands in From and To; see state.h. */
#include "history/state.h"

enum {
    AOR_MAX = 512 /* what is longer names nobody whom anybody could call */
};

/* An AOR's text while it is put together; what does not fit makes it none. */
typedef struct Canonical {
    char text[AOR_MAX];
    size_t len;
    bool bad;
} Canonical;

static void add(Canonical *canonical, char c)
{
    /* Nothing else may stand in a URI (RFC 3261 s.25.1); texts and JSON need not expect it. */
    if (canonical->len + 1 >= sizeof(canonical->text) || c <= ' ' || c == 0x7f || c == '<' ||
        c == '>' || c == '"') {
        canonical->bad = true;
        return;
    }
    canonical->text[canonical->len++] = c;
}

static void add_host(Canonical *canonical, PealStr host)
{
    for (size_t i = 0; i < host.len; i++) {
        add(canonical, g_ascii_tolower(host.ptr[i]));
    }
}

/* RFC 3261 s.19.1.4: escaping a character that need not be does not make another user of it. */
static void add_user(Canonical *canonical, PealStr user, bool decode)
{
    for (size_t i = 0; i < user.len; i++) {
        char c = user.ptr[i];

        if (c == ':') {
            return; /* a password */
        }
        if (decode && c == '%' && i + 2 < user.len && g_ascii_isxdigit(user.ptr[i + 1]) &&
            g_ascii_isxdigit(user.ptr[i + 2])) {
            char plain = (char)(g_ascii_xdigit_value(user.ptr[i + 1]) * 16 +
                                g_ascii_xdigit_value(user.ptr[i + 2]));

            if (g_ascii_isalnum(plain) || (plain != 0 && strchr("-_.!~*'()", plain) != NULL)) {
                c = plain;
                i += 2;
            }
        }
        add(canonical, c);
    }
}

static void make_canonical(const PealSipUri *uri, Canonical *ret_canonical, bool decode)
{
    ret_canonical->len = 0;
    ret_canonical->bad = false;
    add_user(ret_canonical, uri->user, decode);
    if (uri->host.len > 0) {
        if (uri->user.len > 0) {
            add(ret_canonical, '@');
        }
        add_host(ret_canonical, uri->host);
    }
}

uint32_t users_find(History *history, PealStr value, bool party)
{
    PealSipUri uri;
    Canonical canonical;
    TableKey key;
    uint32_t number;

    if (peal_sip_address(value, &uri, NULL) != 0 || (uri.user.len == 0 && !party)) {
        return HISTORY_NOBODY;
    }
    make_canonical(&uri, &canonical, true);
    if (canonical.bad || canonical.len == 0) {
        return HISTORY_NOBODY;
    }
    key = history_key(history, "user", (PealStr){canonical.text, canonical.len});
    number = table_get(&history->users, key);
    if (number != TABLE_NONE) {
        return number;
    }
    make_canonical(&uri, &canonical, false);
    if (canonical.bad) {
        return HISTORY_NOBODY;
    }
    number = history->data.users->len;
    g_array_set_size(history->data.users, number + 1); /* made to clear what it adds */
    users_at(history, number)->aor = g_strdup_printf("%s:%.*s", uri.host.len == 0 ? "tel" : "sip",
                                                     (int)canonical.len, canonical.text);
    table_put(&history->users, key, number);
    return number;
}

void users_sends(History *history, uint32_t user, const PealAddr *from)
{
    if (user != HISTORY_NOBODY && users_at(history, user)->address.family == 0) {
        users_at(history, user)->address = *from;
    }
}
