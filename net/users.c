/* SPDX-License-Identifier: GPL-3.0-or-later */
/* users.c - who may register; see users.h. */
#include "users.h"

#include <sqlite3.h>

#include "file.h"

enum { NAME_MAX_LEN = 255, FILE_MAX = 256 << 20 };
static const char DATABASE_MARK[] = "SQLite format 3";

#define USERS_ERROR (g_quark_from_static_string("peal-users-error"))

struct Users {
    GHashTable *passwords; /* "user\ndomain" -> password */
};

void users_free(Users *users)
{
    if (users != NULL) {
        g_hash_table_unref(users->passwords);
        g_free(users);
    }
}

size_t users_len(const Users *users)
{
    return g_hash_table_size(users->passwords);
}

/* No name has a line break, so it keeps the two apart. */
static char *key_of(PealStr user, PealStr domain)
{
    g_autofree char *lower = g_ascii_strdown(domain.ptr, (gssize)domain.len);

    return g_strdup_printf("%.*s\n%s", (int)user.len, user.ptr, lower);
}

const char *users_password(const Users *users, PealStr user, PealStr domain)
{
    g_autofree char *key = NULL;

    if (user.len > NAME_MAX_LEN || domain.len > NAME_MAX_LEN) {
        return NULL;
    }
    key = key_of(user, domain);
    return g_hash_table_lookup(users->passwords, key);
}

/* Says what is wrong with a user, or NULL. Takes password. */
static const char *users_add_take(Users *users, const char *user, const char *domain,
                                  char *password)
{
    char *key;
    const char *wrong = NULL;

    if (*user == '\0' || strlen(user) > NAME_MAX_LEN) {
        wrong = "the user's name has 1 to 255 bytes";
    } else if (*domain == '\0' || strlen(domain) > NAME_MAX_LEN) {
        wrong = "the domain has 1 to 255 bytes";
    } else if (*password == '\0') {
        wrong = "the password is missing";
    } else if (strpbrk(user, "\r\n") != NULL || strpbrk(domain, "\r\n") != NULL) {
        wrong = "a name has a line break";
    } else if (users_len(users) == USERS_MAX) {
        wrong = "there are too many users: at most 1000000";
    }
    if (wrong != NULL) {
        g_free(password);
        return wrong;
    }
    key = key_of((PealStr){user, strlen(user)}, (PealStr){domain, strlen(domain)});
    return g_hash_table_insert(users->passwords, key, password)
               ? NULL
               : "this user of this domain stands there twice";
}

static bool read_line(Users *users, char *line, const char *path, guint number, GError **error)
{
    char *domain;
    char *password;
    const char *wrong = "write user:domain:password";

    if (line[0] == '\0' || line[0] == '#') {
        return true;
    }
    domain = strchr(line, ':');
    password = domain == NULL ? NULL : strchr(domain + 1, ':');
    if (password != NULL) {
        *domain = *password = '\0';
        wrong =
            users_add_take(users, g_strstrip(line), g_strstrip(domain + 1), g_strdup(password + 1));
    }
    if (wrong != NULL) {
        g_set_error(error, USERS_ERROR, 0, "%s:%u: %s", path, number, wrong);
        return false;
    }
    return true;
}

static bool read_lines(Users *users, char *text, gsize len, const char *path, GError **error)
{
    guint number = 1;

    if (memchr(text, '\0', len) != NULL || !g_utf8_validate_len(text, len, NULL)) {
        g_set_error(error, USERS_ERROR, 0,
                    "%s: is no user file: it is neither UTF-8 text of user:domain:password lines "
                    "nor a SQLite database",
                    path);
        return false;
    }
    for (char *line = text; line != NULL; number++) {
        char *end = strchr(line, '\n');
        size_t line_len;

        if (end != NULL) {
            *end = '\0';
        }
        line_len = strlen(line);
        if (line_len > 0 && line[line_len - 1] == '\r') {
            line[line_len - 1] = '\0';
        }
        if (!read_line(users, line, path, number, error)) {
            return false;
        }
        line = end == NULL ? NULL : end + 1;
    }
    return true;
}

static bool read_rows(Users *users, sqlite3_stmt *select, const char *path, GError **error)
{
    guint number = 0;
    int status;

    while ((status = sqlite3_step(select)) == SQLITE_ROW) {
        const char *column[3];
        const char *wrong = "a column is NULL";

        number++;
        for (int i = 0; i < 3; i++) {
            column[i] = (const char *)sqlite3_column_text(select, i);
        }
        if (column[0] != NULL && column[1] != NULL && column[2] != NULL) {
            wrong = users_add_take(users, column[0], column[1], g_strdup(column[2]));
        }
        if (wrong != NULL) {
            g_set_error(error, USERS_ERROR, 0, "%s: row %u of users: %s", path, number, wrong);
            return false;
        }
    }
    if (status != SQLITE_DONE) {
        g_set_error(error, USERS_ERROR, 0, "%s: %s", path,
                    sqlite3_errmsg(sqlite3_db_handle(select)));
        return false;
    }
    return true;
}

static bool read_database(Users *users, const char *path, GError **error)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *select = NULL;
    bool good = false;

    if (sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(database, "SELECT user, domain, password FROM users", -1, &select,
                           NULL) != SQLITE_OK) {
        /* What is missing in it is SQLite's general error; others are about the file. */
        g_set_error(error, USERS_ERROR, 0, "%s: %s%s", path, sqlite3_errmsg(database),
                    sqlite3_errcode(database) == SQLITE_ERROR
                        ? "; it needs a table users with the columns user, domain and password"
                        : "");
    } else {
        good = read_rows(users, select, path, error);
    }
    sqlite3_finalize(select);
    sqlite3_close(database);
    return good;
}

Users *users_read(const char *path, GError **error)
{
    g_autoptr(Users) users = g_new0(Users, 1);
    g_autoptr(GError) inner = NULL;
    g_autofree char *text = NULL;
    gsize len;

    users->passwords = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    text = file_read(path, FILE_MAX, &len, &inner);
    if (text == NULL) {
        g_set_error(error, USERS_ERROR, 0, "cannot read the users: %s", inner->message);
        return NULL;
    }
    if (len >= sizeof(DATABASE_MARK) && memcmp(text, DATABASE_MARK, sizeof(DATABASE_MARK)) == 0) {
        g_clear_pointer(&text, g_free);
        return read_database(users, path, error) ? g_steal_pointer(&users) : NULL;
    }
    return read_lines(users, text, len, path, error) ? g_steal_pointer(&users) : NULL;
}
