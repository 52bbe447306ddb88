/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hostfile.c - reads matrices of round-trip times and coordinates. See hostfile.h. */
#include "network/hostfile.h"

#include <math.h>

enum {
    RTT_MAX_MS = 3600 * 1000,
    COORDINATE_MAX_MS = 1000 * 1000,
    WORD_SHOWN = 24 /* bytes of a bad value that an error quotes */
};

/* One value of a line. */
typedef struct Word {
    const char *start;
    size_t len;
} Word;

typedef struct Reader {
    const char *path;
    const char *line;
    const char *end;  /* of the line */
    guint number;     /* of the line, from 1 */
    bool tabs;        /* columns are separated by single tabs, so that an empty one is seen */
    const char *next; /* of the line's values */
    GError **error;
} Reader;

static bool reader_fail(const Reader *reader, const char *at, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static bool reader_fail(const Reader *reader, const char *at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(reader->error, SCENARIO_ERROR, SCENARIO_ERROR_NETWORK, "%s:%u:%zu: %s",
                reader->path, reader->number, (size_t)(at - reader->line) + 1, text);
    return false;
}

/* Goes to the next line that says something. `rest` is where the last line ended. */
static bool reader_next_line(Reader *reader, const char **rest, const char *end)
{
    while (*rest < end) {
        const char *newline = memchr(*rest, '\n', (size_t)(end - *rest));

        reader->line = *rest;
        reader->end = newline != NULL ? newline : end;
        *rest = newline != NULL ? newline + 1 : end;
        reader->number++;
        while (reader->end > reader->line && g_ascii_isspace(reader->end[-1]) &&
               reader->end[-1] != '\t') {
            reader->end--;
        }
        reader->tabs = memchr(reader->line, '\t', (size_t)(reader->end - reader->line)) != NULL;
        reader->next = reader->line;
        for (const char *at = reader->line; at < reader->end && *reader->line != '#'; at++) {
            if (!g_ascii_isspace(*at)) {
                return true;
            }
        }
    }
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Takes the next value of the line; between tabs it may be empty. */
static bool reader_next_word(Reader *reader, Word *ret_word)
{
    const char *at = reader->next;

    if (at == NULL) {
        return false;
    }
    if (reader->tabs) {
        const char *tab = memchr(at, '\t', (size_t)(reader->end - at));
        const char *stop = tab != NULL ? tab : reader->end;

        reader->next = tab != NULL ? tab + 1 : NULL;
        while (at < stop && is_blank(*at)) {
            at++;
        }
        while (stop > at && is_blank(stop[-1])) {
            stop--;
        }
        *ret_word = (Word){at, (size_t)(stop - at)};
        return true;
    }
    while (at < reader->end && is_blank(*at)) {
        at++;
    }
    *ret_word = (Word){at, 0};
    while (at < reader->end && !is_blank(*at)) {
        at++;
    }
    reader->next = at;
    ret_word->len = (size_t)(at - ret_word->start);
    return ret_word->len > 0;
}

static guint reader_count_words(const Reader *reader)
{
    Reader copy = *reader;
    Word word;
    guint count = 0;

    while (reader_next_word(&copy, &word)) {
        count++;
    }
    return count;
}

/* The text goes on after a word, at worst with the file's NUL, so that strtod stops. */
static bool word_is_number(Word word, double *ret_value)
{
    char *end;
    double value;

    if (word.len == 0 || (!g_ascii_isdigit(*word.start) && *word.start != '-' &&
                          *word.start != '+' && *word.start != '.')) {
        return false;
    }
    for (size_t i = 0; i < word.len; i++) {
        if (!g_ascii_isdigit(word.start[i]) && strchr("+-.eE", word.start[i]) == NULL) {
            return false;
        }
    }
    value = g_ascii_strtod(word.start, &end);
    if (end != word.start + word.len || !isfinite(value)) {
        return false;
    }
    *ret_value = value;
    return true;
}

static bool matrix_row(Reader *reader, HostFile *file, uint32_t row)
{
    uint32_t *cells = file->one_way_us + (size_t)row * file->hosts;
    Word word;
    double value;

    for (uint32_t column = 0; column < file->hosts; column++) {
        if (!reader_next_word(reader, &word)) {
            return reader_fail(reader, reader->end,
                               "a hole: this row has %u values where %u are needed, one for each "
                               "host",
                               column, file->hosts);
        }
        if (!word_is_number(word, &value) || value < 0 || value > RTT_MAX_MS) {
            return reader_fail(reader, word.start,
                               "'%.*s' (host %u to host %u) is no round-trip time: a matrix has a "
                               "number of ms, 0 or more, in every place",
                               (int)MIN(word.len, WORD_SHOWN), word.start, row + 1, column + 1);
        }
        cells[column] = (uint32_t)llround(value * 500);
    }
    if (reader_next_word(reader, &word)) {
        return reader_fail(reader, word.start,
                           "this row has more than %u values: a matrix is square", file->hosts);
    }
    return true;
}

/* The first line tells how many hosts there are, and whether it and each row begin with names. */
static bool matrix_begin(Reader *reader, HostFile *file, bool *ret_header)
{
    Reader probe = *reader;
    guint words = reader_count_words(reader);
    Word word;
    double value;

    *ret_header = !reader_next_word(&probe, &word) || !word_is_number(word, &value);
    /* A headed matrix names its columns, and first the column of names. */
    file->hosts = words - *ret_header;
    if (file->hosts < 2 || file->hosts > HOSTFILE_MATRIX_MAX) {
        return reader_fail(reader, reader->line, "a matrix has 2 to %d hosts, this line has %u",
                           HOSTFILE_MATRIX_MAX, file->hosts);
    }
    return true;
}

static bool matrix_read(Reader *reader, const char *text, size_t len, HostFile *file)
{
    const char *rest = text;
    bool header;
    uint32_t rows = 0;

    if (!reader_next_line(reader, &rest, text + len)) {
        reader->number = 1;
        reader->line = text;
        return reader_fail(reader, text, "the file is empty: it should be a matrix of times in ms");
    }
    if (!matrix_begin(reader, file, &header)) {
        return false;
    }
    /* Every value takes two bytes or more, so that the text bounds what is allocated. */
    if ((size_t)file->hosts * file->hosts > len) {
        return reader_fail(reader, reader->line,
                           "the first line has %u hosts, but the file is too short for as many "
                           "rows: a matrix is square",
                           file->hosts);
    }
    file->one_way_us = g_new0(uint32_t, (size_t)file->hosts * file->hosts);
    if (header && !reader_next_line(reader, &rest, text + len)) {
        return reader_fail(reader, reader->line, "there are no rows after the header");
    }
    do {
        Word name;

        if (rows == file->hosts) {
            return reader_fail(reader, reader->line, "more than %u rows: a matrix is square",
                               file->hosts);
        }
        if (header) {
            (void)reader_next_word(reader, &name);
        }
        if (!matrix_row(reader, file, rows)) {
            return false;
        }
        rows++;
    } while (reader_next_line(reader, &rest, text + len));
    return rows == file->hosts ||
           reader_fail(reader, reader->line, "only %u rows where %u are needed: a matrix is square",
                       rows, file->hosts);
}

static bool coordinates_read(Reader *reader, const char *text, size_t len, HostFile *file)
{
    const char *rest = text;
    g_autoptr(GArray) points = g_array_new(FALSE, FALSE, sizeof(float));

    while (reader_next_line(reader, &rest, text + len)) {
        if (file->hosts == HOSTFILE_COORDINATES_MAX) {
            return reader_fail(reader, reader->line, "more than %d hosts",
                               HOSTFILE_COORDINATES_MAX);
        }
        for (guint i = 0; i < 2; i++) {
            Word word = {reader->end, 0};
            double value;
            float us;

            if (!reader_next_word(reader, &word) || !word_is_number(word, &value) ||
                fabs(value) > COORDINATE_MAX_MS) {
                return reader_fail(reader, word.start,
                                   "'%.*s' is no coordinate: a host is a line of two numbers, in "
                                   "ms one way",
                                   (int)MIN(word.len, WORD_SHOWN), word.start);
            }
            us = (float)(value * 1000);
            g_array_append_val(points, us);
        }
        if (reader_count_words(reader) > 0) {
            return reader_fail(reader, reader->next != NULL ? reader->next : reader->end,
                               "more than two coordinates: only a plane is known");
        }
        file->hosts++;
    }
    if (file->hosts == 0) {
        reader->number = 1;
        reader->line = text;
        return reader_fail(reader, text, "the file is empty: it should be lines of coordinates");
    }
    file->xy_us = (float *)(void *)g_array_free(g_steal_pointer(&points), FALSE);
    return true;
}

HostFile *hostfile_parse(const char *path, const char *text, size_t len, bool matrix,
                         GError **error)
{
    HostFile *file;
    Reader reader = {.path = path, .error = error};
    bool good;

    if (memchr(text, '\0', len) != NULL) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_NETWORK, "%s is no text file", path);
        return NULL;
    }
    file = g_new0(HostFile, 1);
    good =
        matrix ? matrix_read(&reader, text, len, file) : coordinates_read(&reader, text, len, file);
    if (!good) {
        hostfile_free(file);
        return NULL;
    }
    return file;
}

HostFile *hostfile_load(const char *path, bool matrix, GError **error)
{
    g_autoptr(GError) inner = NULL;
    g_autoptr(GMappedFile) file = NULL;
    g_autofree char *text = NULL;
    gsize len;

    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_NETWORK, "%s is no readable file", path);
        return NULL;
    }
    file = g_mapped_file_new(path, FALSE, &inner);
    if (file == NULL) {
        g_set_error_literal(error, SCENARIO_ERROR, SCENARIO_ERROR_NETWORK, inner->message);
        return NULL;
    }
    len = g_mapped_file_get_length(file);
    if (len > HOSTFILE_BYTES_MAX) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_NETWORK,
                    "%s is larger than %d MiB: no matrix of up to %d hosts is", path,
                    HOSTFILE_BYTES_MAX >> 20, HOSTFILE_MATRIX_MAX);
        return NULL;
    }
    text = g_strndup(len > 0 ? g_mapped_file_get_contents(file) : "", len);
    return hostfile_parse(path, text, len, matrix, error);
}

void hostfile_free(HostFile *file)
{
    if (file == NULL) {
        return;
    }
    g_free(file->one_way_us);
    g_free(file->xy_us);
    g_free(file);
}
