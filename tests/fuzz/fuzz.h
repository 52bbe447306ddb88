/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz.h - the door by which libFuzzer, or replay.c with the kept corpus, hands bytes to a target.
 * Source: LLVM's libFuzzer documentation.   State: none.   Time: none.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* A target crashes, asserts or trips a sanitizer where it finds a fault; it returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the first bytes of an input decide; 0 when there are none left. */
static inline uint8_t fuzz_take_u8(const uint8_t **data, size_t *size)
{
    if (*size == 0) {
        return 0;
    }
    (*size)--;
    return *(*data)++;
}

#endif
