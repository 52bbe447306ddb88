/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * golden.h - one message of each type, built by the codec, and the same as bytes in tests/golden.
 * Source: RFC 6940; the bytes in tests/golden/NAME.hex were laid out field by field from its text,
 * not by the codec.
 * State:  none.   Time: none.
 */
#ifndef TESTS_GOLDEN_H
#define TESTS_GOLDEN_H

#include "reload/codec.h"

enum { GOLDEN_MESSAGE_MAX = 2048, GOLDEN_PATH_MAX = 4096 };

typedef struct GoldenMessage {
    const char *name; /* of the file, without .hex */
    void (*put_body)(Writer *w);
    /* How the header and the security block differ from the usual; NULL when they do not. */
    void (*put_via)(Writer *w);
    void (*put_dest)(Writer *w); /* else the Resource-ID of bob@example.org */
    void (*put_options)(Writer *w);
    void (*put_extensions)(Writer *w);
    ReloadCode code;
    PealCrypto crypto;
    uint32_t max_response_length;
    uint8_t ttl;
    char signer; /* 'A' to 'C' */
} GoldenMessage;

extern const GoldenMessage golden_messages[];
extern const size_t golden_messages_len;

extern const PealId GOLDEN_NODE_A;
extern const PealId GOLDEN_NODE_B;
extern const PealId GOLDEN_NODE_C;
extern const PealId GOLDEN_RESOURCE; /* of sip:bob@example.org */
#define GOLDEN_OVERLAY_NAME "overlay.example.org"
#define GOLDEN_OVERLAY_HASH UINT32_C(0x9aa32b8d)
#define GOLDEN_TRANSACTION UINT64_C(0x0123456789abcdef)
#define GOLDEN_TIME_MS UINT64_C(0x18bcfe56800)

/* golden_build encodes a message; returns its length, 0 when it does not fit. */
size_t golden_build(const GoldenMessage *message, uint8_t *ret_bytes, size_t cap);

/* golden_load reads tests/golden/NAME.hex; returns its length, 0 when there is none. */
size_t golden_load(const char *name, uint8_t *ret_bytes, size_t cap);

/* golden_find: the message of that name; never NULL. */
const GoldenMessage *golden_find(const char *name);

#endif
