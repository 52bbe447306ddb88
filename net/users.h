/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * users.h - who may register, with which password.
 * Source: RFC 8760 s.2.1 for what a realm is: here the user's domain.
 * State:  one table in memory, read as a whole from a file or a SQLite database.
 * Time:   reading blocks; asking does not.
 *
 * A file has lines `user:domain:password`, empty lines and comments (# at the start of a line). A
 * user has no colon, a password may. A database has a table `users` with the columns user, domain
 * and password.
 */
#ifndef NET_USERS_H
#define NET_USERS_H

#include <glib.h>
#include <peal/base.h>

typedef struct Users Users;

enum { USERS_MAX = 1000000 };

/* users_read: NULL with an error that names file and line. */
Users *users_read(const char *path, GError **error);
void users_free(Users *users);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Users, users_free)

/* users_password returns the password of a user, or NULL. The domain's case does not matter. */
const char *users_password(const Users *users, PealStr user, PealStr domain);

size_t users_len(const Users *users);

#endif
