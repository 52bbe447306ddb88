/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * codec.h - RELOAD structs to bytes and back. Byte order lives in bytes.h alone.
 * Source: RFC 6940 s.6.3, s.6.4.2, s.6.5, s.7.4, s.10.7 - s.10.9; RFC 7904 s.3.2.
 * State:  none.   Time: none.
 *
 * Decoders read inside their input only, allocate nothing, walk every nested list once and reject
 * what is left over: -PEAL_E_TRUNCATED, -PEAL_E_TRAILING, -PEAL_E_LENGTH, -PEAL_E_VALUE,
 * -PEAL_E_DUPLICATE, -PEAL_E_UNKNOWN, -PEAL_E_TOKEN, -PEAL_E_VERSION. The struct is untouched on
 * failure.
 */
#ifndef RELOAD_CODEC_H
#define RELOAD_CODEC_H

#include "reload/message.h"

/* A place to write to. Running past `cap` sets `overflow` and writes nothing more; check once, at
 * the end. */
typedef struct Writer {
    uint8_t *ptr;
    size_t len;
    size_t cap;
    bool overflow;
} Writer;

static inline Writer writer_make(uint8_t *ptr, size_t cap)
{
    return (Writer){ptr, 0, cap, false};
}
static inline PealBytes writer_view(const Writer *w)
{
    return (PealBytes){w->ptr, w->len};
}
void put_u8(Writer *w, uint8_t value);
void put_u16(Writer *w, uint16_t value);
void put_u24(Writer *w, uint32_t value);
void put_u32(Writer *w, uint32_t value);
void put_u64(Writer *w, uint64_t value);
void put_bytes(Writer *w, PealBytes bytes);
void put_id(Writer *w, const PealId *id);

/* Whole messages */

/* reload_header_decode reads a forwarding header with its lists checked; ret_len is where the
 * contents begin. */
int reload_header_decode(PealBytes packet, ReloadHeader *ret_header, size_t *ret_len) PEAL_MUST_USE;

/* reload_message_decode reads a whole message; -PEAL_E_STATE for a fragment of one. */
int reload_message_decode(PealBytes packet, ReloadMessage *ret_message) PEAL_MUST_USE;

/*
 * Writing a message front to back:
 *   ReloadDraft draft = reload_message_begin(&w, &header, code);
 *   put_ping_req(&w, &ping);
 *   contents = reload_message_contents(&w, &draft, extensions);   (what a signature covers)
 *   reload_message_security(&w, &draft, &security);
 * The header's length and fragment are not the caller's to set; the last call fixes the length.
 */
typedef struct ReloadDraft {
    size_t start; /* of the header in the writer */
    size_t contents;
    size_t body;
} ReloadDraft;
ReloadDraft reload_message_begin(Writer *w, const ReloadHeader *header, uint16_t code);
/* Contents end here (signature input covers them); returns the contents as a view. */
PealBytes reload_message_contents(Writer *w, const ReloadDraft *draft, PealBytes extensions);
void reload_message_security(Writer *w, const ReloadDraft *draft, const ReloadSecurity *security);

/* Lists */

/* Iterators: *list shrinks from the front; false at its end. On bytes that were not validated they
 * return false at the first fault too. */
bool reload_dest_next(PealBytes *list, ReloadDest *ret_dest);
/* reload_dest_list_check walks a list. resource_last: its last entry may be a resource, as in a
 * destination list; in a via list none may (s.6.3.2.2). */
int reload_dest_list_check(PealBytes list, bool resource_last) PEAL_MUST_USE;
bool reload_option_next(PealBytes *list, ReloadOption *ret_option);
bool reload_extension_next(PealBytes *list, ReloadExtension *ret_extension);
bool reload_id_next(PealBytes *list, PealId *ret_id);
bool reload_u32_next(PealBytes *list, uint32_t *ret_value);
bool reload_certificate_next(PealBytes *list, uint8_t *ret_type, PealBytes *ret_certificate);
bool reload_probe_info_next(PealBytes *list, ReloadProbeInfo *ret_info);
bool reload_candidate_next(PealBytes *list, ReloadCandidate *ret_candidate);
bool reload_kind_data_next(PealBytes *list, ReloadKindData *ret_kind);
bool reload_store_kind_ans_next(PealBytes *list, ReloadStoreKindAns *ret_kind);
bool reload_specifier_next(PealBytes *list, ReloadSpecifier *ret_specifier);
bool reload_range_next(PealBytes *list, ReloadRange *ret_range);
bool reload_key_next(PealBytes *list, PealBytes *ret_key);
bool reload_kind_description_next(PealBytes *list, PealBytes *ret_description);
bool reload_find_result_next(PealBytes *list, ReloadFindResult *ret_result);
/* Values need the Kind's data model, which is not on the wire, so the message decoder cannot have
 * walked them: reload_stored_check walks a values list once and names the fault. */
int reload_stored_check(PealBytes values, PealModel model) PEAL_MUST_USE;
int reload_stored_meta_check(PealBytes values, PealModel model) PEAL_MUST_USE;
bool reload_stored_next(PealBytes *list, PealModel model, ReloadStored *ret_stored);
bool reload_stored_meta_next(PealBytes *list, PealModel model, ReloadStoredMeta *ret_meta);
/* A specifier's selector against its model: ranges ordered and not overlapping, keys whole, nothing
 * for SINGLE. */
int reload_selector_check(PealBytes selector, PealModel model,
                          PealBytes *ret_elements) PEAL_MUST_USE;

void put_dest(Writer *w, const ReloadDest *dest);
void put_dest_node(Writer *w, const PealId *id);
void put_dest_resource(Writer *w, const PealId *id);
void put_option(Writer *w, const ReloadOption *option);
void put_extension(Writer *w, const ReloadExtension *extension);
void put_certificate(Writer *w, uint8_t type, PealBytes certificate);
void put_signature(Writer *w, const ReloadSignature *signature);
void put_signer(Writer *w,
                const ReloadSignature *signature); /* SignerIdentity alone, for signature inputs */
void put_probe_info(Writer *w, const ReloadProbeInfo *info);
void put_candidate(Writer *w, const ReloadCandidate *candidate);
void put_kind_data(Writer *w, const ReloadKindData *kind);
void put_store_kind_ans(Writer *w, const ReloadStoreKindAns *kind);
void put_specifier(Writer *w, const ReloadSpecifier *specifier);
void put_ranges(Writer *w, const ReloadRange *ranges, size_t ranges_len); /* selector of an ARRAY */
void put_keys(Writer *w, const PealBytes *keys, size_t keys_len); /* selector of a DICTIONARY */
void put_kind_description(Writer *w, PealBytes description);
void put_find_result(Writer *w, const ReloadFindResult *result);
void put_stored(Writer *w, PealModel model, const ReloadStored *stored);
void put_stored_value(Writer *w, PealModel model,
                      const ReloadStored *stored); /* StoredDataValue alone */
void put_stored_meta(Writer *w, PealModel model, const ReloadStoredMeta *meta);

/* Bodies */
#define RELOAD_BODIES(X)                         \
    X(probe_req, ReloadProbeReq)                 \
    X(probe_ans, ReloadProbeAns)                 \
    X(attach, ReloadAttach)                      \
    X(app_attach, ReloadAppAttach)               \
    X(join_req, ReloadJoinReq)                   \
    X(join_ans, ReloadJoinAns)                   \
    X(leave_req, ReloadLeaveReq)                 \
    X(chord_leave, ChordLeave)                   \
    X(chord_update, ChordUpdate)                 \
    X(route_query_req, ReloadRouteQueryReq)      \
    X(chord_route_query_ans, ChordRouteQueryAns) \
    X(ping_req, ReloadPingReq)                   \
    X(ping_ans, ReloadPingAns)                   \
    X(config_update_req, ReloadConfigUpdateReq)  \
    X(error, ReloadErrorRes)                     \
    X(store_req, ReloadStoreReq)                 \
    X(store_ans, ReloadStoreAns)                 \
    X(fetch_req, ReloadFetchReq)                 \
    X(fetch_ans, ReloadFetchAns)                 \
    X(find_req, ReloadFindReq)                   \
    X(find_ans, ReloadFindAns)                   \
    X(sip_registration, SipRegistration)

/* NOLINTBEGIN(bugprone-macro-parentheses): a type takes none */
#define X(name, Type)                             \
    void put_##name(Writer *w, const Type *body); \
    int reload_##name##_decode(PealBytes body, Type *ret_body) PEAL_MUST_USE;
RELOAD_BODIES(X)
#undef X
/* NOLINTEND(bugprone-macro-parentheses) */
/* StatReq and StatAns share FetchReq's and FetchAns's structs; leave_ans, update_ans and
 * config_update_ans are empty. */

/* reload_code_is_request: odd codes of the assigned range (s.6.3.3). reload_code_name: "fetch_req",
 * or NULL. */
bool reload_code_is_request(uint16_t code);
const char *reload_code_name(uint16_t code);

#endif
