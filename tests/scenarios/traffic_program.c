/* traffic_program.c - `traffic FILE [SEED]` writes a capture of traffic. See traffic.h. */
#include <stdio.h>
#include <stdlib.h>

#include "scenarios/traffic.h"

int main(int argc, char **argv)
{
    Traffic traffic = {.seed = 1, TRAFFIC_KNOWN};

    if (argc < 2 || argc > 3) {
        fputs("usage: traffic FILE [SEED]\n", stderr);
        return EXIT_FAILURE;
    }
    if (argc == 3) {
        traffic.seed = strtoul(argv[2], NULL, 10);
    }
    traffic_write(&traffic, argv[1]);
    return EXIT_SUCCESS;
}
