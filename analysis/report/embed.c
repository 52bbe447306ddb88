/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * embed.c - writes files as C arrays, at build time: embed OUTPUT NAME=FILE...
 * Each becomes `const char NAME[]`, ended by a NUL.
 */
#include <stdio.h>
#include <string.h>

static int embed(FILE *out, const char *name, const char *path)
{
    FILE *in = fopen(path, "rb");
    unsigned column = 0;
    int byte;

    if (in == NULL) {
        perror(path);
        return 1;
    }
    fprintf(out, "extern const char %s[];\nconst char %s[] = {", name, name);
    while ((byte = getc(in)) != EOF) {
        fprintf(out, "%s%d,", column++ % 20 == 0 ? "\n" : "", (signed char)byte);
    }
    fprintf(out, "0};\n");
    return fclose(in);
}

int main(int argc, char **argv)
{
    FILE *out = argc > 1 ? fopen(argv[1], "wb") : NULL;
    int failed = 0;

    if (out == NULL) {
        fprintf(stderr, "usage: embed OUTPUT NAME=FILE...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        char *path = strchr(argv[i], '=');

        if (path == NULL) {
            fprintf(stderr, "embed: '%s' is no NAME=FILE\n", argv[i]);
            failed = 1;
            break;
        }
        *path++ = '\0';
        failed |= embed(out, argv[i], path);
    }
    return fclose(out) != 0 || failed;
}
