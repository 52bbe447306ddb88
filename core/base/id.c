/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * id.c - arithmetic of the identifier ring, on two 64-bit halves.
 */
#include <peal/id.h>

const PealId PEAL_ID_WILDCARD = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                  0xff, 0xff, 0xff, 0xff, 0xff}};

static const PealIdHalves ONE = {0, 1};

/*
 * Both intervals start just after `from`, so all distances are counted from from + 1: the place of
 * `from` itself becomes 2^128 - 1, the last one, and an interval that ends where it starts becomes
 * the whole ring by itself.
 */
bool peal_id_in_open_closed(const PealId *id, const PealId *from, const PealId *to)
{
    PealIdHalves place = peal_halves_sub(peal_id_distance(from, id), ONE);
    PealIdHalves last = peal_halves_sub(peal_id_distance(from, to), ONE);

    return !peal_halves_less(last, place);
}

bool peal_id_in_open(const PealId *id, const PealId *from, const PealId *to)
{
    PealIdHalves place = peal_halves_sub(peal_id_distance(from, id), ONE);
    PealIdHalves end = peal_halves_sub(peal_id_distance(from, to), ONE);

    return peal_halves_less(place, end);
}

PealId peal_id_add(const PealId *base, PealIdHalves offset)
{
    return peal_id_from_halves(peal_halves_add(peal_id_halves(base), offset));
}

PealId peal_id_successor_point(const PealId *id)
{
    return peal_id_add(id, ONE);
}

PealId peal_id_finger_point(const PealId *id, unsigned i, PealIdHalves random)
{
    unsigned __int128 offset = (unsigned __int128)random.high << 64 | random.low;

    PEAL_ASSERT(i >= 1 && i <= PEAL_ID_BITS);
    /*
     * The range is 2^(128-i) ids wide and starts 2^(128-i) away. A shift by 128 is undefined in C.
     */
    offset = offset >> (i - 1) >> 1 | (unsigned __int128)1 << (PEAL_ID_BITS - i);
    return peal_id_add(id, (PealIdHalves){(uint64_t)(offset >> 64), (uint64_t)offset});
}

bool peal_id_is_wildcard(const PealId *id)
{
    return peal_id_equal(id, &PEAL_ID_WILDCARD);
}

void peal_id_text(const PealId *id, char ret_text[PEAL_ID_TEXT_LEN])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < PEAL_ID_LEN; i++) {
        ret_text[2 * i] = digits[id->bytes[i] >> 4];
        ret_text[2 * i + 1] = digits[id->bytes[i] & 15];
    }
    ret_text[PEAL_ID_TEXT_LEN - 1] = '\0';
}

/* Returns 0..15, or -1 for what is no hexadecimal digit. */
static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    if (digit >= 'a' && digit <= 'f') {
        return digit - 'a' + 10;
    }
    if (digit >= 'A' && digit <= 'F') {
        return digit - 'A' + 10;
    }
    return -1;
}

int peal_id_parse(PealStr text, PealId *ret_id)
{
    PealId id;

    if (text.len != PEAL_ID_TEXT_LEN - 1) {
        return -PEAL_E_VALUE;
    }
    for (size_t i = 0; i < PEAL_ID_LEN; i++) {
        int high = digit_value(text.ptr[2 * i]);
        int low = digit_value(text.ptr[2 * i + 1]);

        if (high < 0 || low < 0) {
            return -PEAL_E_VALUE;
        }
        id.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *ret_id = id;
    return 0;
}
