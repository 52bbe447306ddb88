/*
 * csv.c - results.db as one CSV file a table, quoted as RFC 4180 says, lines ended by a newline.
 */
#include "database.h"

#include <analysis/results.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static void write_text(FILE *file, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, file);
        return;
    }
    putc('"', file);
    for (; *text != '\0'; text++) {
        if (*text == '"') {
            putc('"', file);
        }
        putc(*text, file);
    }
    putc('"', file);
}

static void write_cell(FILE *file, sqlite3_stmt *query, int column)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    switch (sqlite3_column_type(query, column)) {
    case SQLITE_NULL:
        break;
    case SQLITE_FLOAT:
        fputs(g_ascii_dtostr(number, sizeof(number), sqlite3_column_double(query, column)), file);
        break;
    case SQLITE_BLOB: {
        const unsigned char *bytes = sqlite3_column_blob(query, column);
        int len = sqlite3_column_bytes(query, column);

        for (int i = 0; i < len; i++) {
            fprintf(file, "%02x", bytes[i]);
        }
        break;
    }
    default:
        write_text(file, (const char *)sqlite3_column_text(query, column));
        break;
    }
}

static bool write_table(FILE *file, sqlite3 *db, const char *table, GError **error)
{
    g_autofree char *sql = g_strdup_printf("SELECT * FROM %s", table);
    g_autoptr(sqlite3_stmt) query = database_prepare(db, sql, error);
    GError *failure = NULL;
    int columns;

    if (query == NULL) {
        return false;
    }
    columns = sqlite3_column_count(query);
    for (int i = 0; i < columns; i++) {
        fprintf(file, "%s%s", i > 0 ? "," : "", sqlite3_column_name(query, i));
    }
    putc('\n', file);
    while (database_next(query, &failure)) {
        for (int i = 0; i < columns; i++) {
            if (i > 0) {
                putc(',', file);
            }
            write_cell(file, query, i);
        }
        putc('\n', file);
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
    }
    return failure == NULL;
}

static bool export_table(sqlite3 *db, const char *table, const char *path, GError **error)
{
    FILE *file = fopen(path, "w");
    bool good = true, written;

    if (file != NULL) {
        good = write_table(file, db, table, error);
        written = !ferror(file);
        written = fclose(file) == 0 && written;
    } else {
        written = false;
    }
    if (good && !written) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_WRITE, "cannot write %s: %s", path,
                    g_strerror(errno));
    }
    return good && written;
}

bool results_export_csv(const char *dir, GPtrArray *ret_files, GError **error)
{
    g_autoptr(sqlite3) db = database_open(dir, error);
    g_autofree char *csv = g_build_filename(dir, "csv", NULL);

    if (db == NULL) {
        return false;
    }
    if (g_mkdir_with_parents(csv, 0777) != 0) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_WRITE, "cannot make %s: %s", csv,
                    g_strerror(errno));
        return false;
    }
    for (const char *const *table = DATABASE_TABLES; *table != NULL; table++) {
        g_autofree char *name = g_strconcat(*table, ".csv", NULL);
        g_autofree char *path = g_build_filename(csv, name, NULL);

        if (!export_table(db, *table, path, error)) {
            return false;
        }
        if (ret_files != NULL) {
            g_ptr_array_add(ret_files, g_steal_pointer(&path));
        }
    }
    return true;
}
