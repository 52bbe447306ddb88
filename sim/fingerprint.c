/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fingerprint.c - 16 bytes a multiplication, two lanes.
 */
#include "fingerprint.h"

#define KEY_0 UINT64_C(0x9E3779B97F4A7C15)
#define KEY_1 UINT64_C(0xD1B54A32D192ED03)
#define KEY_2 UINT64_C(0x8CB92BA72F3D8DD7)

static uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t read_64(const uint8_t *ptr)
{
    uint64_t value;

    memcpy(&value, ptr, sizeof(value));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap64(value);
#endif
    return value;
}

uint64_t fingerprint_add(uint64_t chain, PealTime at, uint32_t source, PealBytes data)
{
    const uint8_t *ptr = data.ptr;
    size_t left = data.len;
    uint64_t a = fold(chain ^ KEY_0, (uint64_t)at.ns ^ KEY_1);
    uint64_t b = fold(a ^ source, data.len ^ KEY_2);
    uint8_t tail[16] = {0};

    for (; left >= 32; left -= 32, ptr += 32) {
        a = fold(read_64(ptr) ^ KEY_1, read_64(ptr + 8) ^ a);
        b = fold(read_64(ptr + 16) ^ KEY_2, read_64(ptr + 24) ^ b);
    }
    if (left >= 16) {
        a = fold(read_64(ptr) ^ KEY_1, read_64(ptr + 8) ^ a);
        left -= 16;
        ptr += 16;
    }
    if (left > 0) {
        memcpy(tail, ptr, left);
        b = fold(read_64(tail) ^ KEY_2, read_64(tail + 8) ^ b);
    }
    return fold(a ^ KEY_0, b ^ KEY_1) + chain;
}
