/*
 * tail.h - what there is of a packet whose record the file's end cuts short.
 * Source: draft-ietf-opsawg-pcap-05, draft-ietf-opsawg-pcapng-05.
 * State:  one per capture: where in a record it is.   Time: none.
 *
 * libpcap drops a last packet of which a byte is missing, and all that it holds. So the bytes are
 * watched on their way to it, and at the end the record is filled up with zeros.
 */
#ifndef TRACE_TAIL_H
#define TRACE_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum TailFormat { TAIL_NEW, TAIL_PCAP, TAIL_PCAPNG, TAIL_OTHER } TailFormat;

enum { TAIL_HEAD_MAX = 28 };

/* Begins as all zeros. */
typedef struct Tail {
    TailFormat format;
    bool swapped;  /* the file's byte order is not this machine's */
    bool packet;   /* the record is a packet's */
    bool mended;   /* it was filled up: it is packet number `packets` */
    bool lied;     /* the record's length behind it is not that before it */
    uint64_t lies; /* records of which that is so */
    uint64_t packets;
    size_t data_len;  /* of the record's packet, as it says */
    size_t data_have; /* mended: of it what the file has */
    uint64_t left;    /* of the record, behind its head */
    uint32_t block_len;
    uint8_t head[TAIL_HEAD_MAX];
    size_t head_len;
    size_t head_want; /* 0: not yet known */
} Tail;

/* tail_take watches bytes go by, and puts right the length behind a packet's block. */
void tail_take(Tail *tail, uint8_t *bytes, size_t len);

/* tail_mend gives what is missing of a packet's record, some at a time; 0 when nothing is. */
size_t tail_mend(Tail *tail, uint8_t *ret_bytes, size_t cap);

#endif
