/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_message.c - whatever the codec accepts, it writes again, and accepts the same once more:
 *                  every message, body, stored value, selector and registration.
 * An input that starts with RELOAD's token is a whole message; else its first byte picks a decoder,
 * its second what that decoder must be told.
 */
#include "core/reencode.h"
#include "fuzz/fuzz.h"

enum { OUTPUT_MAX = 1 << 17 };

/* The decoders; those after the first also reach what no golden message leads to. */
enum {
    PICK_MESSAGE,
    PICK_BODY,
    PICK_VALUES,
    PICK_META,
    PICK_SELECTOR,
    PICK_REGISTRATION,
    PICK_FRAME_INFO,
    PICK_COUNT
};

static int rewrite_registration(PealBytes input, Writer *w)
{
    SipRegistration registration;
    int error = reload_sip_registration_decode(input, &registration);

    if (error == 0) {
        put_sip_registration(w, &registration);
    }
    return error;
}

/* What one input is decoded as. */
typedef struct Case {
    uint8_t pick;
    uint8_t detail;
} Case;

/* Decodes as the case says and writes what was understood. Returns 0 or the decoder's error. */
static int rewrite(Case what, PealBytes input, Writer *w)
{
    PealModel model = (PealModel)(what.detail % (PEAL_MODEL_DICTIONARY + 1));

    switch (what.pick) {
    case PICK_BODY:
        return reencode_body(what.detail == UINT8_MAX ? (uint16_t)RELOAD_ERROR : what.detail, input,
                             w);
    case PICK_VALUES:
    case PICK_META:
        return reencode_values(input, model, what.pick == PICK_META, w);
    case PICK_REGISTRATION:
        return rewrite_registration(input, w);
    default:
        return reencode_message(input, w);
    }
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

/* Elements of unknown types are passed over and so not written: what was written is the same for
 * ever. */
static void rewrite_twice(Case what, PealBytes input)
{
    static uint8_t first[OUTPUT_MAX];
    static uint8_t second[OUTPUT_MAX];
    Writer once = writer_make(first, sizeof(first));
    Writer twice = writer_make(second, sizeof(second));

    if (rewrite(what, input, &once) != 0) {
        return;
    }
    PEAL_ASSERT(!once.overflow && once.len <= input.len);
    PEAL_ASSERT(rewrite(what, writer_view(&once), &twice) == 0);
    PEAL_ASSERT(twice.len == once.len && memcmp(first, second, once.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Case what = {PICK_MESSAGE, 0};
    PealFrameInfo info;

    if (size > 0 && data[0] != (uint8_t)(RELOAD_TOKEN >> 24)) {
        what.pick = fuzz_take_u8(&data, &size) % PICK_COUNT;
        what.detail = fuzz_take_u8(&data, &size);
    }
    if (what.pick == PICK_SELECTOR) {
        fuzz_selector((PealBytes){data, size},
                      (PealModel)(what.detail % (PEAL_MODEL_DICTIONARY + 1)));
    } else if (what.pick == PICK_FRAME_INFO) {
        if (peal_frame_info(data, size, &info) == 0) {
            PEAL_ASSERT(info.bytes >= RELOAD_DATA_FRAME_LEN);
        }
    } else {
        rewrite_twice(what, (PealBytes){data, size});
    }
    return 0;
}
