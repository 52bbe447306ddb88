/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * codec_storage.c - bodies of store, fetch, stat and find, and the registration that SIP stores.
 */
#include "reload/reader.h"
#include "reload/writer.h"

/* A list whose elements must differ is compared pair by pair, so its length has a bound. */
enum { UNIQUE_MAX = 256 };

/* Lists of Kinds */

static void read_kind_data(Reader *r, ReloadKindData *ret)
{
    ret->kind = reader_u32(r);
    ret->generation = reader_u64(r);
    ret->values = reader_opaque32(r);
}

READER_LIST(kind_data, ReloadKindData)

void put_kind_data(Writer *w, const ReloadKindData *kind)
{
    put_u32(w, kind->kind);
    put_u64(w, kind->generation);
    put_opaque32(w, kind->values);
}

static void read_store_kind_ans(Reader *r, ReloadStoreKindAns *ret)
{
    ret->kind = reader_u32(r);
    ret->generation = reader_u64(r);
    ret->replicas = reader_ids(r);
}

READER_LIST(store_kind_ans, ReloadStoreKindAns)

void put_store_kind_ans(Writer *w, const ReloadStoreKindAns *kind)
{
    put_u32(w, kind->kind);
    put_u64(w, kind->generation);
    put_opaque16(w, kind->replicas);
}

/* s.7.4.1.1: the same Kind-ID must not be used twice in a Store. */
static int check_store_kinds(PealBytes list)
{
    uint32_t seen[UNIQUE_MAX];
    size_t seen_len = 0;
    int error = check_kind_data_list(list);
    ReloadKindData kind;

    if (error != 0) {
        return error;
    }
    while (reload_kind_data_next(&list, &kind)) {
        if (seen_len == UNIQUE_MAX) {
            return -PEAL_E_TOO_LARGE;
        }
        for (size_t i = 0; i < seen_len; i++) {
            if (seen[i] == kind.kind) {
                return -PEAL_E_DUPLICATE;
            }
        }
        seen[seen_len++] = kind.kind;
    }
    return 0;
}

/* Store (s.7.4.1) */

static void read_store_req_body(Reader *r, ReloadStoreReq *ret)
{
    ret->resource = reader_opaque8(r);
    ret->replica = reader_u8(r);
    ret->kinds = reader_opaque32(r);
    reader_fail(r, check_store_kinds(ret->kinds));
}

READER_BODY(store_req, ReloadStoreReq)

void put_store_req(Writer *w, const ReloadStoreReq *body)
{
    put_opaque8(w, body->resource);
    put_u8(w, body->replica);
    put_opaque32(w, body->kinds);
}

static void read_store_ans_body(Reader *r, ReloadStoreAns *ret)
{
    ret->kinds = reader_opaque16(r);
    reader_fail(r, check_store_kind_ans_list(ret->kinds));
}

READER_BODY(store_ans, ReloadStoreAns)

void put_store_ans(Writer *w, const ReloadStoreAns *body)
{
    put_opaque16(w, body->kinds);
}

/* Fetch and stat (s.7.4.2, s.7.4.3) */

static void read_specifier(Reader *r, ReloadSpecifier *ret)
{
    ret->kind = reader_u32(r);
    ret->generation = reader_u64(r);
    ret->selector = reader_opaque16(r);
}

READER_LIST(specifier, ReloadSpecifier)

void put_specifier(Writer *w, const ReloadSpecifier *specifier)
{
    put_u32(w, specifier->kind);
    put_u64(w, specifier->generation);
    put_opaque16(w, specifier->selector);
}

static void read_fetch_req_body(Reader *r, ReloadFetchReq *ret)
{
    ret->resource = reader_opaque8(r);
    ret->specifiers = reader_opaque16(r);
    reader_fail(r, check_specifier_list(ret->specifiers));
}

READER_BODY(fetch_req, ReloadFetchReq)

void put_fetch_req(Writer *w, const ReloadFetchReq *body)
{
    put_opaque8(w, body->resource);
    put_opaque16(w, body->specifiers);
}

static void read_fetch_ans_body(Reader *r, ReloadFetchAns *ret)
{
    ret->kinds = reader_opaque32(r);
    reader_fail(r, check_kind_data_list(ret->kinds));
}

READER_BODY(fetch_ans, ReloadFetchAns)

void put_fetch_ans(Writer *w, const ReloadFetchAns *body)
{
    put_opaque32(w, body->kinds);
}

/* Find (s.7.4.4) */

static void read_find_req_body(Reader *r, ReloadFindReq *ret)
{
    PealBytes list;
    uint32_t kind;

    ret->resource = reader_opaque8(r);
    ret->kinds = reader_opaque8(r);
    if (ret->kinds.len % sizeof(uint32_t) != 0) {
        reader_fail(r, -PEAL_E_LENGTH);
    }
    list = ret->kinds;
    while (reload_u32_next(&list, &kind)) {
        PealBytes later = list;
        uint32_t other;

        while (reload_u32_next(&later, &other)) {
            if (other == kind) {
                reader_fail(r, -PEAL_E_DUPLICATE);
            }
        }
    }
}

READER_BODY(find_req, ReloadFindReq)

void put_find_req(Writer *w, const ReloadFindReq *body)
{
    put_opaque8(w, body->resource);
    put_opaque8(w, body->kinds);
}

static void read_find_result(Reader *r, ReloadFindResult *ret)
{
    ret->kind = reader_u32(r);
    ret->closest = reader_opaque8(r);
}

READER_LIST(find_result, ReloadFindResult)

void put_find_result(Writer *w, const ReloadFindResult *result)
{
    put_u32(w, result->kind);
    put_opaque8(w, result->closest);
}

static void read_find_ans_body(Reader *r, ReloadFindAns *ret)
{
    ret->results = reader_opaque16(r);
    reader_fail(r, check_find_result_list(ret->results));
}

READER_BODY(find_ans, ReloadFindAns)

void put_find_ans(Writer *w, const ReloadFindAns *body)
{
    put_opaque16(w, body->results);
}

/* SIP registration (RFC 7904 s.3.2) */

static void read_sip_registration_body(Reader *r, SipRegistration *ret)
{
    Reader data;

    ret->type = reader_u8(r);
    data = reader_make(reader_opaque16(r));
    switch (ret->type) {
    case SIP_REGISTRATION_URI:
        ret->uri = reader_opaque16(&data);
        break;
    case SIP_REGISTRATION_ROUTE:
        ret->contact_prefs = reader_opaque16(&data);
        ret->dest = reader_opaque16(&data);
        reader_fail(&data, reload_dest_list_check(ret->dest, true));
        if (ret->dest.len == 0) {
            reader_fail(&data, -PEAL_E_VALUE);
        }
        break;
    default:
        reader_fail(r, -PEAL_E_UNKNOWN);
        break;
    }
    reader_join(r, &data);
}

READER_BODY(sip_registration, SipRegistration)

void put_sip_registration(Writer *w, const SipRegistration *body)
{
    size_t mark;

    put_u8(w, body->type);
    mark = put_length_begin(w, 2);
    if (body->type == SIP_REGISTRATION_URI) {
        put_opaque16(w, body->uri);
    } else {
        put_opaque16(w, body->contact_prefs);
        put_opaque16(w, body->dest);
    }
    put_length_end(w, mark, 2);
}
