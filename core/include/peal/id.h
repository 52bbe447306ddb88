/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * id.h - 128-bit identifiers (Node-ID, Resource-ID) and the arithmetic of their ring.
 * Source: RFC 6940 s.10.1, s.10.2.   State: none.   Time: none.
 * All arithmetic is modulo 2^128. An interval (a, b] or (a, b) runs clockwise from a to b; when a
 * == b it is the whole ring without a, to which the closed end adds b again.
 */
#ifndef PEAL_ID_H
#define PEAL_ID_H

#include <peal/base.h>

#define PEAL_ID_LEN 16
#define PEAL_ID_BITS 128
#define PEAL_ID_TEXT_LEN 33 /* 32 hexadecimal digits and a NUL */

typedef struct PealId {
    uint8_t bytes[PEAL_ID_LEN]; /* big-endian */
} PealId;

/* The same number as two halves, for arithmetic only. */
typedef struct PealIdHalves {
    uint64_t high;
    uint64_t low;
} PealIdHalves;

static inline PealIdHalves peal_id_halves(const PealId *id)
{
    PealIdHalves halves;

    memcpy(&halves, id->bytes, sizeof(halves));
    return (PealIdHalves){__builtin_bswap64(halves.high), __builtin_bswap64(halves.low)};
}

static inline PealId peal_id_from_halves(PealIdHalves halves)
{
    PealId id;

    halves = (PealIdHalves){__builtin_bswap64(halves.high), __builtin_bswap64(halves.low)};
    memcpy(id.bytes, &halves, sizeof(halves));
    return id;
}

static inline bool peal_id_equal(const PealId *a, const PealId *b)
{
    return memcmp(a->bytes, b->bytes, PEAL_ID_LEN) == 0;
}

/* peal_id_compare orders ids as unsigned integers. Returns <0, 0 or >0. */
static inline int peal_id_compare(const PealId *a, const PealId *b)
{
    PealIdHalves x = peal_id_halves(a);
    PealIdHalves y = peal_id_halves(b);

    if (x.high != y.high) {
        return x.high < y.high ? -1 : 1;
    }
    return (x.low > y.low) - (x.low < y.low);
}

static inline PealIdHalves peal_halves_sub(PealIdHalves a, PealIdHalves b)
{
    return (PealIdHalves){a.high - b.high - (a.low < b.low), a.low - b.low};
}

static inline PealIdHalves peal_halves_add(PealIdHalves a, PealIdHalves b)
{
    uint64_t low = a.low + b.low;

    return (PealIdHalves){a.high + b.high + (low < a.low), low};
}

static inline bool peal_halves_less(PealIdHalves a, PealIdHalves b)
{
    return a.high != b.high ? a.high < b.high : a.low < b.low;
}

/* peal_id_distance is the way clockwise from `from` to `to`: to - from. */
static inline PealIdHalves peal_id_distance(const PealId *from, const PealId *to)
{
    return peal_halves_sub(peal_id_halves(to), peal_id_halves(from));
}

/* peal_id_in_open_closed tells whether id lies in (from, to]. (a, a] is the whole ring. */
bool peal_id_in_open_closed(const PealId *id, const PealId *from, const PealId *to);

/* peal_id_in_open tells whether id lies in (from, to). (a, a) is the whole ring without a. */
bool peal_id_in_open(const PealId *id, const PealId *from, const PealId *to);

/* peal_id_add returns base + offset. */
PealId peal_id_add(const PealId *base, PealIdHalves offset);

/* peal_id_successor_point returns id + 1, the Resource-ID whose owner admits a joiner (s.10.5). */
PealId peal_id_successor_point(const PealId *id);

/*
 * peal_id_finger_point returns a point of finger i's range [id + 2^(128-i), id + 2^(128-i+1) - 1].
 * i       1..128; 1 is the half ring (s.10.7.4.2)
 * random  drawn uniformly; its top bits choose the point, all zero gives the range's start
 */
PealId peal_id_finger_point(const PealId *id, unsigned i, PealIdHalves random);

/* peal_id_is_wildcard tells whether id is all ones, which every node answers for (s.6.1.1). */
bool peal_id_is_wildcard(const PealId *id);
extern const PealId PEAL_ID_WILDCARD;

/* peal_id_text writes 32 hexadecimal digits and a NUL. peal_id_parse reads them; 0 or
 * -PEAL_E_VALUE. */
void peal_id_text(const PealId *id, char ret_text[PEAL_ID_TEXT_LEN]);
int peal_id_parse(PealStr text, PealId *ret_id) PEAL_MUST_USE;

#endif
