/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lists.c - files with a line a user: passwords, places. See <scenarios/replay.h>. */
#include "replay/build.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <scenarios/scenario.h>
#include <stdio.h>
#include <string.h>

enum { WORDS = 3, BYTES_MAX = 64 << 20, TEXT_MAX = 255 };

/* Users by each of the names that they go by; several may share one. */
typedef struct Names {
    GHashTable *first; /* name to entry + 1 */
    GArray *entries;   /* NameEntry */
} Names;

typedef struct NameEntry {
    uint32_t user;
    uint32_t next; /* + 1; 0: none */
} NameEntry;

static void names_add_take(Names *names, char *name, uint32_t user)
{
    NameEntry entry = {user, GPOINTER_TO_UINT(g_hash_table_lookup(names->first, name))};

    if (entry.next != 0 && g_array_index(names->entries, NameEntry, entry.next - 1).user == user) {
        g_free(name); /* it is called so in the trace and here */
        return;
    }
    g_array_append_val(names->entries, entry);
    g_hash_table_replace(names->first, name, GUINT_TO_POINTER(names->entries->len));
}

static void names_init(Names *names, const Replay *replay)
{
    names->first = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    names->entries = g_array_new(FALSE, FALSE, sizeof(NameEntry));
    for (uint32_t i = 0; i < replay->users->len; i++) {
        const ReplayUser *user = replay_user(replay, i);

        names_add_take(names, g_strdup(user->aor), i);
        names_add_take(names, name_user(user->aor), i);
        if (user->was != NULL) {
            names_add_take(names, g_strdup(user->was), i);
            names_add_take(names, name_user(user->was), i);
        }
    }
}

static void names_fini(Names *names)
{
    g_hash_table_unref(names->first);
    g_array_unref(names->entries);
}

/* A file being read. */
typedef struct List {
    Replay *replay;
    const char *path;
    Names names;
    guint line;
} List;

static bool list_fail(const List *list, GError **error, const char *what)
{
    g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE, "%s:%u: %s", list->path, list->line,
                what);
    return false;
}

/* What a line says of one user. */
typedef void (*ListSet)(ReplayUser *user, char *const *words, size_t len);

static void set_for_all(List *list, char *const *words, size_t len, ListSet set)
{
    g_autofree char *name = NULL;
    guint entry = GPOINTER_TO_UINT(g_hash_table_lookup(list->names.first, words[0]));

    if (entry == 0 && strchr(words[0], ':') == NULL) {
        name = name_user(words[0]);
        entry = GPOINTER_TO_UINT(g_hash_table_lookup(list->names.first, name));
    }
    list->replay->strangers += entry == 0;
    while (entry != 0) {
        const NameEntry *found = &g_array_index(list->names.entries, NameEntry, entry - 1);

        set(&g_array_index(list->replay->users, ReplayUser, found->user), words, len);
        entry = found->next;
    }
}

static void set_password(ReplayUser *user, char *const *words, size_t len)
{
    g_free(user->username);
    g_free(user->password);
    user->username = len == 3 ? g_strdup(words[1]) : NULL;
    user->password = g_strdup(words[len - 1]);
}

static bool credentials_line(List *list, char *const *words, size_t len, GError **error)
{
    if (len != 2 && len != 3) {
        return list_fail(list, error,
                         "write USER PASSWORD or AOR USERNAME PASSWORD, without blanks in them");
    }
    for (size_t i = 1; i < len; i++) {
        if (strlen(words[i]) > TEXT_MAX) {
            return list_fail(list, error, "a username and a password have at most 255 bytes");
        }
    }
    set_for_all(list, words, len, set_password);
    return true;
}

static void set_place(ReplayUser *user, char *const *words, size_t len)
{
    (void)len;
    user->place = (uint32_t)g_ascii_strtoull(words[1], NULL, 10);
}

static bool map_line(List *list, char *const *words, size_t len, GError **error)
{
    guint64 place;

    if (len != 2 || !g_ascii_string_to_unsigned(words[1], 10, 0, UINT32_MAX - 1, &place, NULL)) {
        return list_fail(list, error, "write USER PEER or AOR PEER, peers numbered from 0");
    }
    set_for_all(list, words, len, set_place);
    return true;
}

/* Splits a line into at most WORDS words and one more that is too many; returns how many. # begins
 * a comment where a word could begin: passwords may have one within. */
static size_t split(char *line, char *words[WORDS + 1])
{
    size_t len = 0;
    char *rest = NULL;

    for (char *word = strtok_r(line, " \t\r", &rest); word != NULL && *word != '#' && len <= WORDS;
         word = strtok_r(NULL, " \t\r", &rest)) {
        words[len++] = word;
    }
    return len;
}

typedef bool (*ListLine)(List *list, char *const *words, size_t len, GError **error);

static bool list_read_text(List *list, char *text, size_t len, ListLine line, GError **error)
{
    char *end = text + len;

    while (text < end) {
        char *newline = memchr(text, '\n', (size_t)(end - text));
        char *stop = newline != NULL ? newline : end;
        char *words[WORDS + 1];
        size_t words_len;

        list->line++;
        if (memchr(text, '\0', (size_t)(stop - text)) != NULL) {
            return list_fail(list, error, "a byte of value 0: this is no text");
        }
        *stop = '\0'; /* the text ends with one itself */
        words_len = split(text, words);
        if (words_len > 0 && !line(list, words, words_len, error)) {
            return false;
        }
        text = stop + 1;
    }
    return true;
}

char *read_small(const char *path, size_t bytes_max, size_t *ret_len, GError **error)
{
    FILE *file = g_fopen(path, "r");
    GString *text = g_string_new(NULL);
    char part[4096];
    int failure = file != NULL ? 0 : errno;
    size_t len;

    while (failure == 0 && text->len <= bytes_max &&
           (len = fread(part, 1, sizeof(part), file)) > 0) {
        g_string_append_len(text, part, (gssize)len);
    }
    if (file != NULL) {
        failure = ferror(file) != 0 ? errno : 0;
        (void)fclose(file);
    }
    if (failure != 0 || text->len > bytes_max) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_FILE, "cannot read %s: %s", path,
                    failure != 0 ? g_strerror(failure) : "it is too large");
        g_string_free(text, TRUE);
        return NULL;
    }
    *ret_len = text->len;
    return g_string_free(text, FALSE);
}

static bool list_read(Replay *replay, const char *path, ListLine line, GError **error)
{
    List list = {.replay = replay, .path = path};
    g_autofree char *text = NULL;
    size_t len;
    bool ok;

    text = read_small(path, BYTES_MAX, &len, error);
    if (text == NULL) {
        return false;
    }
    names_init(&list.names, replay);
    ok = list_read_text(&list, text, len, line, error);
    names_fini(&list.names);
    return ok;
}

bool replay_read_credentials(Replay *replay, const char *path, GError **error)
{
    return list_read(replay, path, credentials_line, error);
}

bool replay_read_map(Replay *replay, const char *path, GError **error)
{
    return list_read(replay, path, map_line, error);
}
