/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tail.c - see tail.h.
 */
#include "trace/tail.h"

#include <string.h>

enum {
    MAGIC_LEN = 4,
    PCAP_HEADER_LEN = 24,
    PCAP_RECORD_LEN = 16,
    PCAP_DATA_MAX = 262144, /* libpcap's MAXIMUM_SNAPLEN: longer packets are none to it */
    BLOCK_HEAD_LEN = 8,
    SECTION_HEAD_LEN = 12,
    SIMPLE_HEAD_LEN = 12,
    PACKET_HEAD_LEN = 28, /* of an enhanced packet block, and of the packet block before it */
    TRAILER_LEN = 4,
    BLOCK_MAX = 16 << 20, /* libpcap's */
};

enum { BLOCK_PACKET = 2, BLOCK_SIMPLE = 3, BLOCK_ENHANCED = 6, BLOCK_SECTION = 0x0a0d0d0a };

static const uint32_t magic_us = 0xa1b2c3d4, magic_ns = 0xa1b23c4d, magic_section = 0x1a2b3c4d;

static uint32_t swap(uint32_t value)
{
    return __builtin_bswap32(value);
}

static uint32_t word(const Tail *tail, size_t at)
{
    uint32_t value;

    memcpy(&value, tail->head + at, sizeof(value));
    return tail->swapped ? swap(value) : value;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The record goes on for so many bytes behind its head. */
static void pass(Tail *tail, uint64_t left)
{
    tail->left = left;
    tail->head_len = 0;
    tail->head_want = tail->format == TAIL_PCAP ? PCAP_RECORD_LEN : BLOCK_HEAD_LEN;
}

static void begin_packet(Tail *tail, size_t data_len, uint64_t left)
{
    tail->packet = true;
    tail->packets++;
    tail->data_len = data_len;
    pass(tail, left);
}

static void begin_file(Tail *tail)
{
    uint32_t magic = word(tail, 0);

    if (magic == BLOCK_SECTION) { /* the same from either end */
        tail->format = TAIL_PCAPNG;
        tail->head_want = BLOCK_HEAD_LEN;
        return;
    }
    tail->swapped = magic == swap(magic_us) || magic == swap(magic_ns);
    tail->format = tail->swapped || magic == magic_us || magic == magic_ns ? TAIL_PCAP : TAIL_OTHER;
    pass(tail, PCAP_HEADER_LEN - MAGIC_LEN);
}

static void begin_pcap_record(Tail *tail)
{
    uint32_t data_len = word(tail, 8);

    if (data_len > PCAP_DATA_MAX) {
        tail->format = TAIL_OTHER;
        return;
    }
    begin_packet(tail, data_len, data_len);
}

/* A block's head comes in steps: its type and length, then what its type needs. */
static void begin_block(Tail *tail)
{
    uint32_t type = word(tail, 0);
    size_t want = BLOCK_HEAD_LEN;

    if (type == BLOCK_SECTION) {
        want = SECTION_HEAD_LEN;
    } else if (type == BLOCK_SIMPLE) {
        want = SIMPLE_HEAD_LEN;
    } else if (type == BLOCK_ENHANCED || type == BLOCK_PACKET) {
        want = PACKET_HEAD_LEN;
    }
    if (tail->head_len < want) {
        tail->head_want = want;
        return;
    }
    if (type == BLOCK_SECTION) {
        tail->swapped = false;
        tail->swapped = word(tail, 8) == swap(magic_section);
    }
    tail->block_len = word(tail, 4);
    if (tail->block_len > BLOCK_MAX || tail->block_len < want + TRAILER_LEN) {
        tail->format = TAIL_OTHER;
        return;
    }
    if (want == SIMPLE_HEAD_LEN && type == BLOCK_SIMPLE) {
        begin_packet(tail, least(word(tail, 8), tail->block_len - want - TRAILER_LEN),
                     tail->block_len - want);
    } else if (want == PACKET_HEAD_LEN) {
        begin_packet(tail, least(word(tail, 20), tail->block_len - want - TRAILER_LEN),
                     tail->block_len - want);
    } else {
        pass(tail, tail->block_len - want);
    }
}

static void begin_record(Tail *tail)
{
    tail->packet = false;
    switch (tail->format) {
    case TAIL_NEW:
        begin_file(tail);
        break;
    case TAIL_PCAP:
        begin_pcap_record(tail);
        break;
    case TAIL_PCAPNG:
        begin_block(tail);
        break;
    case TAIL_OTHER:
        break;
    }
}

/* A block's length stands behind it once more. libpcap drops a packet over a lie there, which it
 * would give if the file ended before it; so the lie is put right, and counted. */
static void right_trailer(Tail *tail, uint8_t *bytes, size_t len)
{
    const uint32_t value = tail->swapped ? swap(tail->block_len) : tail->block_len;
    uint8_t trailer[TRAILER_LEN];

    memcpy(trailer, &value, sizeof(trailer));
    for (size_t i = tail->left > TRAILER_LEN ? (size_t)tail->left - TRAILER_LEN : 0; i < len; i++) {
        const uint64_t left = tail->left - i;

        if (bytes[i] != trailer[TRAILER_LEN - left]) {
            bytes[i] = trailer[TRAILER_LEN - left];
            tail->lied = true;
        }
    }
    if (tail->left == len) {
        tail->lies += tail->lied;
        tail->lied = false;
    }
}

void tail_take(Tail *tail, uint8_t *bytes, size_t len)
{
    if (tail->format == TAIL_NEW && tail->head_want == 0) {
        tail->head_want = MAGIC_LEN;
    }
    while (len > 0 && tail->format != TAIL_OTHER) {
        size_t taken;

        if (tail->left > 0) {
            taken = tail->left < len ? (size_t)tail->left : len;
            if (tail->packet && tail->format == TAIL_PCAPNG) {
                right_trailer(tail, bytes, taken);
            }
            tail->left -= taken;
        } else {
            taken = least(len, tail->head_want - tail->head_len);
            memcpy(tail->head + tail->head_len, bytes, taken);
            tail->head_len += taken;
            if (tail->head_len == tail->head_want) {
                begin_record(tail);
            }
        }
        bytes += taken;
        len -= taken;
    }
}

/* How much of the packet went by, when the record's end did not. */
static size_t data_passed(const Tail *tail)
{
    uint64_t after = 0; /* the data, in its record */

    if (tail->format == TAIL_PCAPNG) {
        uint32_t head_len = word(tail, 0) == BLOCK_SIMPLE ? SIMPLE_HEAD_LEN : PACKET_HEAD_LEN;

        after = tail->block_len - head_len - tail->data_len;
    }
    return tail->left > after ? tail->data_len - (size_t)(tail->left - after) : tail->data_len;
}

size_t tail_mend(Tail *tail, uint8_t *ret_bytes, size_t cap)
{
    uint32_t trailer = tail->swapped ? swap(tail->block_len) : tail->block_len;
    uint8_t bytes[TRAILER_LEN];
    size_t len = 0;

    if (!tail->packet || tail->format == TAIL_OTHER || tail->left == 0) {
        return 0;
    }
    if (!tail->mended) {
        tail->mended = true;
        tail->data_have = data_passed(tail);
    }
    memcpy(bytes, &trailer, sizeof(bytes));
    for (; len < cap && tail->left > 0; tail->left--) {
        bool last = tail->format == TAIL_PCAPNG && tail->left <= TRAILER_LEN;

        ret_bytes[len++] = last ? bytes[TRAILER_LEN - tail->left] : 0;
    }
    return len;
}
