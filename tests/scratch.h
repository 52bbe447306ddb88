/*
 * scratch.h - directories that a test makes and removes again.
 * Source: none.   State: none.   Time: none.
 */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <glib.h>
#include <glib/gstdio.h>

/* Removes a directory with all that is in it; links are removed, not followed. */
static inline void remove_tree(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);

        if (g_file_test(child, G_FILE_TEST_IS_DIR) && !g_file_test(child, G_FILE_TEST_IS_SYMLINK)) {
            remove_tree(child);
        } else {
            g_unlink(child);
        }
    }
    g_clear_pointer(&dir, g_dir_close);
    g_rmdir(path);
}

#endif
