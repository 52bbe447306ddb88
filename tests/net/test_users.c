/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_users.c - user files and databases, good and bad. */
#include "users.h"

#include <sqlite3.h>
#include <unistd.h>

#include "peal_test.h"

/* A file with these contents; path to g_free. */
static char *file_of(const char *text)
{
    char *path = g_build_filename(g_get_tmp_dir(), "peal-users-XXXXXX", NULL);

    close(g_mkstemp(path));
    CU_ASSERT_TRUE(g_file_set_contents(path, text, -1, NULL));
    return path;
}

static const char *password(const Users *users, const char *user, const char *domain)
{
    return users_password(users, (PealStr){user, strlen(user)}, (PealStr){domain, strlen(domain)});
}

static void users_of_a_file_have_their_passwords(void)
{
    g_autofree char *path = file_of("# who may\n\nalice:example.org:wonder:land\r\n"
                                    "bob:Example.org:builder\nbob:p2p.test:other");
    g_autoptr(GError) error = NULL;
    g_autoptr(Users) users = users_read(path, &error);

    CU_ASSERT_PTR_NOT_NULL_FATAL(users);
    CU_ASSERT_EQUAL(users_len(users), 3);
    CU_ASSERT_STRING_EQUAL(password(users, "alice", "example.org"), "wonder:land");
    CU_ASSERT_STRING_EQUAL(password(users, "bob", "EXAMPLE.ORG"), "builder");
    CU_ASSERT_STRING_EQUAL(password(users, "bob", "p2p.test"), "other");
    CU_ASSERT_PTR_NULL(password(users, "Bob", "p2p.test"));
    CU_ASSERT_PTR_NULL(password(users, "alice", "p2p.test"));
    remove(path);
}

static void users_file_errors_name_the_line(void)
{
    static const struct {
        const char *text;
        const char *says;
    } CASES[] = {
        {"alice:x:y\nbob\n", ":2: write user:domain:password"},
        {"bob:x\n", ":1: write user:domain:password"},
        {":x:y\n", ":1: the user's name"},
        {"bob::y\n", ":1: the domain"},
        {"bob:x:\n", ":1: the password is missing"},
        {"bob:x:1\n\nbob:X:2\n", ":3: this user of this domain stands there twice"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *path = file_of(CASES[i].text);
        g_autoptr(GError) error = NULL;

        CU_ASSERT_PTR_NULL(users_read(path, &error));
        CU_ASSERT_PTR_NOT_NULL_FATAL(error);
        CU_ASSERT_PTR_NOT_NULL(strstr(error->message, path));
        CU_ASSERT_PTR_NOT_NULL(strstr(error->message, CASES[i].says));
        remove(path);
    }
}

static void users_file_that_is_not_there_is_named(void)
{
    g_autoptr(GError) error = NULL;

    CU_ASSERT_PTR_NULL(users_read("/nonexistent/users", &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "/nonexistent/users"));
}

static char *database_of(const char *sql)
{
    char *path = file_of("");
    sqlite3 *database;

    CU_ASSERT_EQUAL(sqlite3_open(path, &database), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
    return path;
}

static void users_of_a_database_have_their_passwords(void)
{
    g_autofree char *path =
        database_of("CREATE TABLE users (id INTEGER, password TEXT, user TEXT, domain TEXT);"
                    "INSERT INTO users VALUES (1, 'secret', 'bob', 'example.org')");
    g_autoptr(Users) users = users_read(path, NULL);

    CU_ASSERT_PTR_NOT_NULL_FATAL(users);
    CU_ASSERT_STRING_EQUAL(password(users, "bob", "example.org"), "secret");
    remove(path);
}

static void users_database_errors_say_what_it_needs(void)
{
    g_autofree char *other = database_of("CREATE TABLE accounts (user TEXT)");
    g_autofree char *empty =
        database_of("CREATE TABLE users (user TEXT, domain TEXT, password TEXT);"
                    "INSERT INTO users VALUES ('bob', NULL, 'x')");
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) row = NULL;

    CU_ASSERT_PTR_NULL(users_read(other, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "a table users with the columns"));
    CU_ASSERT_PTR_NULL(users_read(empty, &row));
    CU_ASSERT_PTR_NOT_NULL(strstr(row->message, "row 1"));
    remove(other);
    remove(empty);
}

PEAL_TEST_MAIN("net/users", PEAL_TEST(users_of_a_file_have_their_passwords),
               PEAL_TEST(users_file_errors_name_the_line),
               PEAL_TEST(users_file_that_is_not_there_is_named),
               PEAL_TEST(users_of_a_database_have_their_passwords),
               PEAL_TEST(users_database_errors_say_what_it_needs))
