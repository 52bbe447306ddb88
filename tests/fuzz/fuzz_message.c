/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_message.c - whatever the codec accepts, it writes again byte for byte: every message, body, stored value,
 *                  selector and registration.
 * An input that starts with RELOAD's token is a whole message; else its first byte picks a decoder, its second what
 * that decoder must be told.
 */
#include "core/reencode.h"
#include "fuzz/fuzz.h"

enum { OUTPUT_MAX = 1 << 17 };

/* Decoders that no message body leads to. */
enum {
    PICK_BODY,
    PICK_VALUES,
    PICK_META,
    PICK_SELECTOR,
    PICK_REGISTRATION,
    PICK_FRAME_INFO,
    PICK_COUNT
};

static void expect_same(PealBytes input, const Writer *w)
{
    PEAL_ASSERT(!w->overflow);
    PEAL_ASSERT(w->len == input.len);
    PEAL_ASSERT(input.len == 0 || memcmp(w->ptr, input.ptr, input.len) == 0);
}

static int fuzz_registration(PealBytes input, Writer *w)
{
    SipRegistration registration;
    int error = reload_sip_registration_decode(input, &registration);

    if (error == 0) {
        put_sip_registration(w, &registration);
    }
    return error;
}

/* A selector's elements are walked; there is nothing to write. */
static void fuzz_selector(PealBytes input, PealModel model)
{
    PealBytes elements;
    ReloadRange range;
    PealBytes key;

    if (reload_selector_check(input, model, &elements) != 0) {
        return;
    }
    switch (model) {
    case PEAL_MODEL_SINGLE:
        break;
    case PEAL_MODEL_ARRAY:
        while (reload_range_next(&elements, &range)) {
            PEAL_ASSERT(range.first <= range.last);
        }
        break;
    case PEAL_MODEL_DICTIONARY:
        while (reload_key_next(&elements, &key)) {
        }
        break;
    }
    PEAL_ASSERT(elements.len == 0);
}

static void fuzz_picked(uint8_t pick, uint8_t detail, PealBytes input, Writer *w)
{
    PealFrameInfo info;
    PealModel model = (PealModel)(detail % (PEAL_MODEL_DICTIONARY + 1));
    int error = -PEAL_E_UNKNOWN;

    switch (pick % PICK_COUNT) {
    case PICK_BODY:
        error = reencode_body(detail == UINT8_MAX ? (uint16_t)RELOAD_ERROR : detail, input, w);
        break;
    case PICK_VALUES:
    case PICK_META:
        error = reencode_values(input, model, pick % PICK_COUNT == PICK_META, w);
        break;
    case PICK_SELECTOR:
        fuzz_selector(input, model);
        break;
    case PICK_REGISTRATION:
        error = fuzz_registration(input, w);
        break;
    default:
        if (peal_frame_info(input.ptr, input.len, &info) == 0) {
            PEAL_ASSERT(info.bytes <= input.len);
        }
        break;
    }
    if (error == 0) {
        expect_same(input, w);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t output[OUTPUT_MAX];
    Writer w = writer_make(output, sizeof(output));

    if (size > 0 && data[0] == (uint8_t)(RELOAD_TOKEN >> 24)) {
        PealBytes packet = {data, size};

        if (reencode_message(packet, &w) == 0) {
            expect_same(packet, &w);
        }
    } else {
        uint8_t pick = fuzz_take_u8(&data, &size);
        uint8_t detail = fuzz_take_u8(&data, &size);

        fuzz_picked(pick, detail, (PealBytes){data, size}, &w);
    }
    return 0;
}
