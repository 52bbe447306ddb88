/*
 * file.h - reads a file that the user named, whatever it turns out to be.
 * Source: none.   State: none.
 * Time:   blocks while a pipe that has a writer brings nothing.
 */
#ifndef NET_FILE_H
#define NET_FILE_H

#include <glib.h>

/*
 * file_read reads all of path, with a NUL byte behind its end.
 * max  bytes that it may have, so that a device without an end is refused, too
 * Returns the text, the caller's to free, or NULL with an error that names the path.
 */
char *file_read(const char *path, gsize max, gsize *ret_len, GError **error);

#endif
