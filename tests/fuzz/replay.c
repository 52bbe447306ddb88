/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * replay.c - runs a fuzz target over the kept corpus, without libFuzzer, as one test.
 * usage: replay DIRECTORY
 */
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = 1 << 20, PATH_LEN_MAX = 4096 };

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int replay_file(const char *path)
{
    uint8_t *data = malloc(INPUT_MAX);
    FILE *file = fopen(path, "rb");
    size_t len;
    uint8_t *exact;

    if (data == NULL || file == NULL) {
        perror(path);
        return EXIT_FAILURE;
    }
    len = fread(data, 1, INPUT_MAX, file);
    fclose(file);
    /* In memory of its own size, so that a sanitizer or valgrind sees a read past its end. */
    exact = malloc(len > 0 ? len : 1);
    if (exact == NULL) {
        return EXIT_FAILURE;
    }
    memcpy(exact, data, len);
    free(data);
    LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct dirent **entries;
    int entries_len = argc == 2 ? scandir(argv[1], &entries, is_input, alphasort) : -1;
    int status = entries_len > 0 ? EXIT_SUCCESS : EXIT_FAILURE;

    if (entries_len < 0) {
        fprintf(stderr, "usage: replay DIRECTORY-WITH-INPUTS\n");
        return EXIT_FAILURE;
    }
    printf("1..1\n");
    for (int i = 0; i < entries_len; i++) {
        char path[PATH_LEN_MAX];

        snprintf(path, sizeof(path), "%s/%s", argv[1], entries[i]->d_name);
        printf("# %s\n", entries[i]->d_name); /* the last one named is the one that crashed */
        fflush(stdout);
        if (replay_file(path) != EXIT_SUCCESS) {
            status = EXIT_FAILURE;
        }
        free(entries[i]);
    }
    free(entries);
    printf("%s 1 - corpus_of_%d_inputs_replays\n", status == EXIT_SUCCESS ? "ok" : "not ok",
           entries_len);
    return status;
}
