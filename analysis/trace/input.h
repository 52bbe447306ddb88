/*
 * input.h - the bytes of a capture file, decompressed where they are gzip's.
 * Source: RFC 1952.   State: one per capture, its buffer.   Time: none. Blocks where the file does.
 */
#ifndef TRACE_INPUT_H
#define TRACE_INPUT_H

#include <analysis/trace.h>

typedef struct Input Input;

/* Who is asked when a signal breaks the waiting for more; false: what is there is all. */
typedef struct InputWatch {
    bool (*keep_on)(void *user);
    void *user;
} InputWatch;

/* input_open opens a file, or standard input for "-". Returns NULL with TRACE_ERROR_OPEN: it cannot
 * be opened, is a directory, or is empty; or with TRACE_ERROR_READ. The watch is copied. */
Input *input_open(const char *path, const InputWatch *watch, GError **error);
void input_close(Input *input);

/* input_read returns 1..cap bytes; 0 at the end, whatever the reason, and ever after. */
size_t input_read(Input *input, uint8_t *ret_bytes, size_t cap);

bool input_ended(const Input *input); /* input_read has returned 0 */

/* Why it ended before its end, in zlib's words; NULL when it did not. Its errno when that was the
 * operating system; else 0. */
const char *input_damage(const Input *input);
int input_errno(const Input *input);

/* Bytes of the file that were read, and its size; 0 where that is not known. */
uint64_t input_bytes(const Input *input);
uint64_t input_total(const Input *input);

#endif
