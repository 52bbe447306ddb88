/*
 * assert.c - how a programmer's error ends the program.
 * Source: none.   State: none.   Time: none.
 * The one object of core that may call fprintf and abort; tests/layer holds it to that.
 */
#include <peal/base.h>

#include <stdio.h>
#include <stdlib.h>

void peal_assert_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
    abort();
}
