/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_sip.c - whatever comes as SIP is read, forwarded and answered, or refused; what it says of
 *              overload is sense or not heard; a stream gives the same messages whatever its
 *              pieces.
 * The first byte is the size of the pieces that the rest of the input arrives in.
 */
#include "core/plain_env.h"
#include "fuzz/fuzz.h"
#include "sip/arena.h"
#include "sip/build.h"
#include "sip/edit.h"
#include "sip/oc.h"
#include "sip/stream.h"
#include "sip/value.h"

enum {
    OUT_MAX = 3 * SIP_MESSAGE_MAX,
    ANSWERED_FIELDS_MAX = SIP_FIELDS_MAX - 8,
    FNV_PRIME = 1099511
};

static const PealHop hop = {.addr = {.ip = {127, 0, 0, 1}, .port = 5070, .family = 4}};

static bool lies_in(PealStr part, PealStr whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

/* Addresses are written so that they read as the same. */
static void try_host(PealStr host)
{
    char bytes[64];
    SipText text = sip_text_make(bytes, sizeof(bytes));
    PealAddr addr;
    PealAddr again;

    if (sip_addr(host, &addr) == 0) {
        sip_put_addr(&text, &addr, 0);
        PEAL_ASSERT(!text.overflow && sip_addr(sip_text_view(&text), &again) == 0);
        PEAL_ASSERT(addr.family == again.family && memcmp(addr.ip, again.ip, sizeof(addr.ip)) == 0);
    }
}

static void try_uri(PealStr text)
{
    SipUri uri;
    PealStr value;

    if (sip_uri_parse(text, &uri) != 0) {
        return;
    }
    PEAL_ASSERT(lies_in(uri.user, text) && lies_in(uri.host, text) && lies_in(uri.params, text) &&
                lies_in(uri.headers, text));
    PEAL_ASSERT(sip_uri_same(&uri, &uri));
    PEAL_ASSERT(!sip_param(uri.params, "lr", &value) || lies_in(value, text));
    try_host(uri.host);
}

static void try_value(PealStr text)
{
    SipArena arena;
    SipAddress address;
    SipDigest digest;
    SipVia via;
    SipCSeq cseq;
    PealStr value;

    sip_arena_enter(&arena);
    if (sip_address_parse(text, &address) == 0 && !address.star) {
        PEAL_ASSERT(lies_in(address.uri.text, text) && lies_in(address.params, text));
        PEAL_ASSERT(lies_in(address.display, text));
        PEAL_ASSERT(!sip_param(address.params, "tag", &value) || lies_in(value, text));
        try_uri(address.uri.text);
    }
    try_uri(text);
    if (sip_via_parse(text, &via) == 0) {
        PEAL_ASSERT(via.host.len > 0 && lies_in(via.params, text) && lies_in(via.branch, text));
    }
    if (sip_cseq_parse(text, &cseq) == 0) {
        PEAL_ASSERT(cseq.method.len > 0 && lies_in(cseq.method, text));
    }
    (void)(sip_digest_parse(text, &digest) == 0);
    sip_arena_leave(&arena);
}

/* Every element of every header lies in its field, in order. */
static size_t walk(const SipMessage *message, SipHeader header, bool values)
{
    size_t count = 0;
    size_t at_least = 0;

    for (SipCursor at = {0}; sip_next(message, header, &at); count++) {
        const SipField *field = &message->fields[at.field];

        PEAL_ASSERT(field->header == header && at.at >= field->value && at.end <= field->end);
        PEAL_ASSERT(at.at >= at_least && at.at <= at.end);
        at_least = at.end;
        if (values) {
            try_value(at.element);
        }
    }
    return count;
}

static void try_fields(const SipMessage *message)
{
    size_t at_least = message->fields_at;

    for (size_t i = 0; i < message->fields_len; i++) {
        const SipField *field = &message->fields[i];

        PEAL_ASSERT(field->at >= at_least && field->at < field->value);
        PEAL_ASSERT(field->value <= field->end && field->end <= field->next);
        at_least = field->next;
        try_value(
            (PealStr){message->bytes.ptr + field->value, (size_t)(field->end - field->value)});
    }
    PEAL_ASSERT(at_least <= message->bytes.len);
    for (int header = 1; header < SIP_HEADER_COUNT; header++) {
        (void)walk(message, (SipHeader)header, true);
    }
}

/* Takes elements of Route out, from the front or the back of each field as `pattern` says. */
static void try_edit(const SipMessage *message, uint8_t pattern, uint8_t *out)
{
    const size_t routes = walk(message, SIP_H_ROUTE, false);
    SipMessage edited;
    SipEdit edit;
    size_t len;
    size_t removed = 0;
    bool holes = false; /* `,,`: an element that cannot be told from none */

    sip_edit_init(&edit, message);
    PEAL_ASSERT(sip_edit_write(&edit, out, OUT_MAX, &len) == 0);
    PEAL_ASSERT(len == message->bytes.len && memcmp(out, message->bytes.ptr, len) == 0);
    sip_edit_insert(&edit, message->fields_at, sip_str("Via: SIP/2.0/UDP me\r\n"));
    for (SipCursor at = {0}; sip_next(message, SIP_H_ROUTE, &at) && removed < 20; pattern ^= 0x5a) {
        holes = holes || at.element.len == 0;
        if ((pattern & 1) != 0 || (at.last && (pattern & 2) != 0)) {
            sip_edit_remove_element(&edit, &at);
            removed++;
        }
        pattern = (uint8_t)(pattern >> 1 | pattern << 7);
    }
    PEAL_ASSERT(!edit.overflow);
    PEAL_ASSERT(sip_edit_write(&edit, out, OUT_MAX, &len) == 0 && len == sip_edit_len(&edit));
    if (len > SIP_MESSAGE_MAX || message->fields_len == SIP_FIELDS_MAX) {
        return;
    }
    PEAL_ASSERT(sip_message_scan((PealStr){(const char *)out, len}, true, &edited) == 0);
    PEAL_ASSERT(walk(&edited, SIP_H_VIA, false) == walk(message, SIP_H_VIA, false) + 1);
    PEAL_ASSERT(holes || walk(&edited, SIP_H_ROUTE, false) == routes - removed);
}

/* What is answered can be read, but for a NUL that came with it. */
static void try_answer(const SipMessage *message, char *out)
{
    const SipAnswer answer = {.status = 180, .to_tag = sip_str("tag")};
    SipText text = sip_text_make(out, OUT_MAX);
    PealHop back;
    SipMessage read;

    PEAL_ASSERT(sip_build_reply_hop(message, &hop, &back) == 0);
    sip_build_answer(&text, message, &hop, &answer);
    PEAL_ASSERT(!text.overflow);
    if (memchr(out, '\0', text.len) == NULL && text.len <= SIP_MESSAGE_MAX &&
        message->fields_len < ANSWERED_FIELDS_MAX) {
        PEAL_ASSERT(sip_message_scan(sip_text_view(&text), false, &read) == 0);
        PEAL_ASSERT(read.status == 180 && sip_has(&read, SIP_H_VIA));
    }
}

/* A request that was checked can be followed by an ACK and a CANCEL that pass the same check. */
static void try_follow(const SipMessage *message, char *out)
{
    SipText text = sip_text_make(out, OUT_MAX);
    SipMessage read;
    const char *why;

    sip_build_cancel(&text, message);
    PEAL_ASSERT(!text.overflow);
    if (text.len <= SIP_MESSAGE_MAX) {
        PEAL_ASSERT(sip_message_scan(sip_text_view(&text), false, &read) == 0);
        PEAL_ASSERT(sip_message_check(&read, &why) == 0 && read.code == SIP_CANCEL);
    }
}

/* A Via is passed on without what it said of overload, and a word is put into a copy that can be
 * read, whose client then takes it. */
static void try_overload(const SipMessage *message, char *out)
{
    const PealTime now = {PEAL_NS_PER_S};
    SipText text = sip_text_make(out, OUT_MAX);
    SipOc oc = {.loss = 0};
    SipCursor top = {0};
    SipMessage read;
    PlainEnv plain;
    PealBuf *said;

    oc_learn(&oc, &hop.addr, message, now);
    PEAL_ASSERT(oc.servers[0].loss <= 100);
    PEAL_ASSERT(oc.servers[0].until.ns <= now.ns + OC_VALIDITY_MAX_MS * PEAL_NS_PER_MS);
    (void)oc_lets_go(&oc, &hop.addr, message, now, UINT64_MAX);
    if (message->via_state != SIP_VIA_WHOLE || !sip_next(message, SIP_H_VIA, &top)) {
        return;
    }
    oc_strip(&text, top.element);
    PEAL_ASSERT(text.len <= top.element.len);
    (void)oc_offered(message);
    oc_say(&oc, 40, 1);
    plain_env_init(&plain);
    said = oc_answer(&oc, &plain.env, message->bytes);
    if (said != NULL && said->len <= SIP_MESSAGE_MAX) {
        SipOc client = {.loss = 0};

        PEAL_ASSERT(sip_message_scan((PealStr){(const char *)said->data, said->len}, true, &read) ==
                    0);
        PEAL_ASSERT(read.via_state == SIP_VIA_WHOLE);
        oc_learn(&client, &hop.addr, &read, now);
        PEAL_ASSERT(client.servers[0].loss == 40);
    }
    if (said != NULL) {
        plain.env.ops->drop(&plain.env, said);
    }
    PEAL_ASSERT(plain_env_clean(&plain));
}

static void try_message(PealStr bytes, bool datagram, uint8_t pattern, char *out)
{
    SipMessage message;
    const char *why = NULL;
    int error = sip_message_scan(bytes, datagram, &message);

    if (error == -PEAL_E_UNKNOWN) {
        return;
    }
    PEAL_ASSERT(lies_in(message.body, bytes) && lies_in(message.method, bytes));
    PEAL_ASSERT(lies_in(message.uri, bytes) && lies_in(message.reason, bytes));
    try_fields(&message);
    if (sip_message_answerable(&message)) {
        try_answer(&message, out);
    }
    if (error != 0) {
        return;
    }
    try_edit(&message, pattern, (uint8_t *)out);
    try_overload(&message, out);
    const unsigned status = sip_message_check(&message, &why);

    PEAL_ASSERT((status == 0) == (why == NULL));
    if (status == 0 && message.status == 0) {
        PEAL_ASSERT(message.code == SIP_ACK || sip_message_answerable(&message));
        try_follow(&message, out);
    }
}

/* What came off a stream. */
typedef struct Sink {
    PlainEnv plain; /* first */
    uint64_t hash;
    uint32_t messages;
} Sink;

static PealTime sink_now(PealEnv *env)
{
    (void)env;
    return (PealTime){0};
}

static bool sink_message(void *user, const PealHop *from, PealStr message)
{
    Sink *sink = user;

    PEAL_ASSERT(from == &hop && message.len <= SIP_MESSAGE_MAX);
    for (size_t i = 0; i < message.len; i++) {
        sink->hash = (sink->hash ^ (uint8_t)message.ptr[i]) * FNV_PRIME;
    }
    sink->hash = (sink->hash ^ message.len) * FNV_PRIME;
    sink->messages++;
    return true;
}

static int feed(Sink *sink, const uint8_t *data, size_t size, size_t piece_max)
{
    SipStreams streams;
    int error = 0;

    *sink = (Sink){0};
    plain_env_init(&sink->plain);
    sink->plain.ops.now = sink_now;
    sip_streams_init(&streams, &sink->plain.env);
    while (size > 0 && error == 0) {
        size_t len = size < piece_max ? size : piece_max;

        error = sip_streams_take(&streams, &hop, plain_buffer(&sink->plain, data, len, 0),
                                 sink_message, sink);
        data += len;
        size -= len;
    }
    sip_streams_fini(&streams);
    PEAL_ASSERT(plain_env_clean(&sink->plain));
    return error;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char out[OUT_MAX];
    const uint8_t piece = fuzz_take_u8(&data, &size);
    const PealStr bytes = {(const char *)data, size};
    Sink cut;
    Sink whole;

    if (size == 0) {
        return 0;
    }
    sip_arena_setup();
    try_message(bytes, true, piece, out);
    try_message(bytes, false, piece, out);
    if (size <= SIP_ARENA_LEN) {
        try_value(bytes);
    }
    const int error = feed(&cut, data, size, (size_t)piece + 1);

    PEAL_ASSERT(feed(&whole, data, size, size) == error);
    PEAL_ASSERT(cut.hash == whole.hash && cut.messages == whole.messages);
    return 0;
}
