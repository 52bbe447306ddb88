/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * codec_value.c - stored values, their metadata and selectors: what only the Kind's data model can
 * read.
 */
#include "reload/reader.h"
#include "reload/writer.h"

/* Ranges that come in no order are compared pair by pair, so their number has a bound. */
enum { RANGES_MAX = 256 };

/* StoredData (s.7, s.7.2) */

/* The place within the Kind: an array's index, a dictionary's key, nothing for a single value. */
static void read_place(Reader *r, PealModel model, uint32_t *ret_index, PealBytes *ret_key)
{
    switch (model) {
    case PEAL_MODEL_SINGLE:
        break;
    case PEAL_MODEL_ARRAY:
        *ret_index = reader_u32(r);
        break;
    case PEAL_MODEL_DICTIONARY:
        *ret_key = reader_opaque16(r);
        break;
    }
}

static void put_place(Writer *w, PealModel model, uint32_t index, PealBytes key)
{
    switch (model) {
    case PEAL_MODEL_SINGLE:
        break;
    case PEAL_MODEL_ARRAY:
        put_u32(w, index);
        break;
    case PEAL_MODEL_DICTIONARY:
        put_opaque16(w, key);
        break;
    }
}

static void read_stored(Reader *r, PealModel model, ReloadStored *ret)
{
    Reader data = reader_make(reader_opaque32(r));

    memset(ret, 0, sizeof(*ret));
    ret->storage_time_ms = reader_u64(&data);
    ret->lifetime_s = reader_u32(&data);
    read_place(&data, model, &ret->index, &ret->key);
    ret->exists = reader_bool(&data);
    ret->value = reader_opaque32(&data);
    if (!ret->exists && ret->value.len > 0) {
        reader_fail(&data, -PEAL_E_VALUE); /* s.7.4.1.3: nothing has no bytes */
    }
    reload_signature_read(&data, &ret->signature);
    reader_join(r, &data);
}

bool reload_stored_next(PealBytes *list, PealModel model, ReloadStored *ret_stored)
{
    Reader r = reader_make(*list);
    ReloadStored stored;

    if (list->len == 0) {
        return false;
    }
    read_stored(&r, model, &stored);
    if (r.error != 0) {
        return false;
    }
    *list = (PealBytes){r.at, r.left};
    *ret_stored = stored;
    return true;
}

int reload_stored_check(PealBytes values, PealModel model)
{
    Reader r = reader_make(values);

    while (r.left > 0 && r.error == 0) {
        ReloadStored stored;

        read_stored(&r, model, &stored);
    }
    return r.error;
}

void put_stored_value(Writer *w, PealModel model, const ReloadStored *stored)
{
    put_place(w, model, stored->index, stored->key);
    put_u8(w, stored->exists);
    put_opaque32(w, stored->value);
}

void put_stored(Writer *w, PealModel model, const ReloadStored *stored)
{
    size_t mark = put_length_begin(w, 4);

    put_u64(w, stored->storage_time_ms);
    put_u32(w, stored->lifetime_s);
    put_stored_value(w, model, stored);
    put_signature(w, &stored->signature);
    put_length_end(w, mark, 4);
}

/* StoredMetaData (s.7.4.3.2) */

/*
 * The structure starts with a field that the RFC calls value_length and describes as StoredData's
 * `length`: the bytes that follow it. Wireshark reads it so too.
 */
static void read_stored_meta(Reader *r, PealModel model, ReloadStoredMeta *ret)
{
    Reader data = reader_make(reader_opaque32(r));

    memset(ret, 0, sizeof(*ret));
    ret->storage_time_ms = reader_u64(&data);
    ret->lifetime_s = reader_u32(&data);
    read_place(&data, model, &ret->index, &ret->key);
    ret->exists = reader_bool(&data);
    ret->length = reader_u32(&data);
    ret->hash = reader_u8(&data);
    ret->digest = reader_opaque8(&data);
    reader_join(r, &data);
}

bool reload_stored_meta_next(PealBytes *list, PealModel model, ReloadStoredMeta *ret_meta)
{
    Reader r = reader_make(*list);
    ReloadStoredMeta meta;

    if (list->len == 0) {
        return false;
    }
    read_stored_meta(&r, model, &meta);
    if (r.error != 0) {
        return false;
    }
    *list = (PealBytes){r.at, r.left};
    *ret_meta = meta;
    return true;
}

int reload_stored_meta_check(PealBytes values, PealModel model)
{
    Reader r = reader_make(values);

    while (r.left > 0 && r.error == 0) {
        ReloadStoredMeta meta;

        read_stored_meta(&r, model, &meta);
    }
    return r.error;
}

void put_stored_meta(Writer *w, PealModel model, const ReloadStoredMeta *meta)
{
    size_t mark = put_length_begin(w, 4);

    put_u64(w, meta->storage_time_ms);
    put_u32(w, meta->lifetime_s);
    put_place(w, model, meta->index, meta->key);
    put_u8(w, meta->exists);
    put_u32(w, meta->length);
    put_u8(w, meta->hash);
    put_opaque8(w, meta->digest);
    put_length_end(w, mark, 4);
}

/* Selectors (s.7.4.2.1) */

static void read_range(Reader *r, ReloadRange *ret)
{
    ret->first = reader_u32(r);
    ret->last = reader_u32(r);
    if (r->error == 0 && ret->first > ret->last) {
        reader_fail(r, -PEAL_E_VALUE);
    }
}

READER_LIST(range, ReloadRange)

static void read_key(Reader *r, PealBytes *ret)
{
    *ret = reader_opaque16(r);
}

READER_LIST(key, PealBytes)

/* Ranges may come in any order but must not overlap. */
static int check_ranges(PealBytes ranges)
{
    int error = check_range_list(ranges);
    ReloadRange range;

    if (error != 0) {
        return error;
    }
    if (ranges.len > RANGES_MAX * sizeof(ReloadRange)) {
        return -PEAL_E_TOO_LARGE;
    }
    while (reload_range_next(&ranges, &range)) {
        PealBytes later = ranges;
        ReloadRange other;

        while (reload_range_next(&later, &other)) {
            if (range.first <= other.last && other.first <= range.last) {
                return -PEAL_E_OVERLAP;
            }
        }
    }
    return 0;
}

int reload_selector_check(PealBytes selector, PealModel model, PealBytes *ret_elements)
{
    Reader r = reader_make(selector);
    PealBytes elements = {NULL, 0};
    int error;

    switch (model) {
    case PEAL_MODEL_SINGLE:
        break;
    case PEAL_MODEL_ARRAY:
        elements = reader_opaque16(&r);
        reader_fail(&r, check_ranges(elements));
        break;
    case PEAL_MODEL_DICTIONARY:
        elements = reader_opaque16(&r);
        reader_fail(&r, check_key_list(elements));
        break;
    }
    error = reader_end(&r);
    if (error == 0) {
        *ret_elements = elements;
    }
    return error;
}

void put_ranges(Writer *w, const ReloadRange *ranges, size_t ranges_len)
{
    size_t mark = put_length_begin(w, 2);

    for (size_t i = 0; i < ranges_len; i++) {
        put_u32(w, ranges[i].first);
        put_u32(w, ranges[i].last);
    }
    put_length_end(w, mark, 2);
}

void put_keys(Writer *w, const PealBytes *keys, size_t keys_len)
{
    size_t mark = put_length_begin(w, 2);

    for (size_t i = 0; i < keys_len; i++) {
        put_opaque16(w, keys[i]);
    }
    put_length_end(w, mark, 2);
}
