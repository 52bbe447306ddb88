/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * random.c - Philox2x64-10: ten rounds of multiply, swap and add key.
 * Source: Salmon et al., SC 2011, section 3.3; constants and known answers as in Random123 1.14.
 */
#include <peal/random.h>

enum { ROUNDS = 10 };
#define MULTIPLIER UINT64_C(0xD2B74407B1CE6E93)
#define KEY_STEP UINT64_C(0x9E3779B97F4A7C15) /* golden ratio: the key's Weyl sequence */

PealRandomBlock peal_random_block(PealRandomBlock counter, uint64_t key)
{
    for (int round = 0; round < ROUNDS; round++) {
        unsigned __int128 product = (unsigned __int128)MULTIPLIER * counter.word[0];

        counter.word[0] = (uint64_t)(product >> 64) ^ key ^ counter.word[1];
        counter.word[1] = (uint64_t)product;
        key += KEY_STEP;
    }
    return counter;
}

uint64_t peal_random_at(uint64_t seed, uint64_t stream, uint64_t count)
{
    return peal_random_block((PealRandomBlock){{count, stream}}, seed).word[0];
}
