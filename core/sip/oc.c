/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oc.c - see oc.h. */
#include "sip/oc.h"

#include <peal/random.h>

#include "sip/edit.h"
#include "sip/lex.h"
#include "sip/raw.h"

enum {
    OC_LOSS_MAX = 100,
    OC_MIX_WINDOW = 1000, /* requests that tell the mix of both sorts */
    OC_SEQ_UNIT = 100000, /* s.9: up to five decimals */
    OC_SEQ_DECIMALS = 5,
    OC_SEQ_DIGITS = 12,
    OC_MS_PER_S = 1000
};
/* A number so far below the last one has begun anew (s.4.4). */
static const uint64_t OC_SEQ_RESTART = UINT64_C(3600) * OC_SEQ_UNIT;

void oc_say(SipOc *oc, uint8_t loss, uint64_t unix_ms)
{
    if (loss != oc->loss || oc->seq == 0) {
        oc->loss = loss;
        oc->seq = unix_ms > oc->seq ? unix_ms : oc->seq + 1;
    }
}

static bool is_ours(PealStr name)
{
    return sip_is(name, "oc") || sip_is(name, "oc-algo") || sip_is(name, "oc-validity") ||
           sip_is(name, "oc-seq");
}

void oc_offer(SipText *text)
{
    sip_put_z(text, ";oc;oc-algo=\"loss\"");
}

/* Does a list of algorithms name the loss-based one? */
static bool has_loss(PealStr list)
{
    size_t at = 0;

    while (at < list.len) {
        size_t end = at;

        while (end < list.len && list.ptr[end] != ',') {
            end++;
        }
        if (sip_is(sip_trim(lex_sub(list, at, end)), "loss")) {
            return true;
        }
        at = end + 1;
    }
    return false;
}

bool oc_offered(const SipMessage *request)
{
    PealStr algo;
    PealStr value;

    return request->via_state == SIP_VIA_WHOLE && sip_param(request->via.params, "oc", &value) &&
           sip_param(request->via.params, "oc-algo", &algo) && has_loss(algo);
}

void oc_strip(SipText *text, PealStr via)
{
    SipVia read;
    RawParam param;
    bool whole = false;
    size_t at = 0;

    if (raw_via(via, &read, &whole) != 0 || !whole) {
        sip_put(text, via);
        return;
    }
    sip_put(text, (PealStr){via.ptr, (size_t)(read.params.ptr - via.ptr)});
    while (raw_param_next(read.params, &at, &param) == 0 && param.name.len > 0) {
        if (!is_ours(param.name)) {
            sip_put(text, lex_sub(read.params, param.at, param.end));
        }
    }
}

static void put_u64(SipText *text, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    sip_put(text, (PealStr){digits + at, sizeof(digits) - at});
}

/* s.5.7: while nothing is asked for, a validity of 0 says so. */
static void put_said(const SipOc *oc, SipText *text)
{
    uint64_t ms = oc->seq % OC_MS_PER_S;

    sip_put_z(text, ";oc=");
    sip_put_u32(text, oc->loss);
    sip_put_z(text, ";oc-algo=\"loss\";oc-validity=");
    sip_put_u32(text, oc->loss > 0 ? OC_VALIDITY_MS : 0);
    sip_put_z(text, ";oc-seq=");
    put_u64(text, oc->seq / OC_MS_PER_S);
    sip_put_z(text, ms < 10 ? ".00" : ms < 100 ? ".0" : ".");
    put_u64(text, ms);
}

PealBuf *oc_answer(const SipOc *oc, PealEnv *env, PealStr response)
{
    SipCursor top = {0};
    SipMessage message;
    PealBuf *via_buf;
    PealBuf *buf;
    SipEdit edit;
    SipText via;
    size_t cap;
    size_t len;

    if (sip_message_scan(response, true, &message) != 0 || !sip_next(&message, SIP_H_VIA, &top)) {
        return NULL;
    }
    via_buf = env->ops->buffer(env, top.element.len + OC_PARAMS_MAX);
    via = sip_text_make((char *)via_buf->data, top.element.len + OC_PARAMS_MAX);
    oc_strip(&via, top.element);
    put_said(oc, &via);
    sip_edit_init(&edit, &message);
    sip_edit_replace(&edit, top.at, top.end, sip_text_view(&via));
    cap = sip_edit_len(&edit);
    buf = env->ops->buffer(env, cap);
    if (via.overflow || sip_edit_write(&edit, buf->data, cap, &len) != 0) {
        env->ops->drop(env, buf);
        buf = NULL;
    } else {
        buf->len = (uint32_t)len;
    }
    env->ops->drop(env, via_buf);
    return buf;
}

/* What servers say. */

/* 1*12DIGIT "." 1*5DIGIT in 100,000ths. */
static bool read_seq(PealStr text, uint64_t *ret_seq)
{
    size_t dot = lex_span(text, 0, LEX_DIGIT);
    size_t end = dot < text.len ? lex_span(text, dot + 1, LEX_DIGIT) : dot;
    uint64_t seq = 0;

    if (dot == 0 || dot > OC_SEQ_DIGITS || dot == text.len || text.ptr[dot] != '.' ||
        end == dot + 1 || end - dot - 1 > OC_SEQ_DECIMALS || end != text.len) {
        return false;
    }
    for (size_t i = 0; i < dot; i++) {
        seq = seq * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    for (size_t i = 0; i < OC_SEQ_DECIMALS; i++) {
        size_t at = dot + 1 + i;

        seq = seq * 10 + (at < end ? (uint64_t)(text.ptr[at] - '0') : 0);
    }
    *ret_seq = seq;
    return true;
}

static bool same_addr(const PealAddr *a, const PealAddr *b)
{
    return a->family == b->family && a->port == b->port &&
           memcmp(a->ip, b->ip, a->family == 4 ? 4 : sizeof(a->ip)) == 0;
}

static OcServer *server_at(SipOc *oc, const PealAddr *addr)
{
    for (int i = 0; i < OC_SERVERS; i++) {
        if (oc->servers[i].addr.family != 0 && same_addr(&oc->servers[i].addr, addr)) {
            return &oc->servers[i];
        }
    }
    return NULL;
}

/* A place for another: the one whose word holds no longer, or the shortest. */
static OcServer *server_add(SipOc *oc, const PealAddr *addr)
{
    OcServer *place = &oc->servers[0];

    for (int i = 0; i < OC_SERVERS; i++) {
        OcServer *server = &oc->servers[i];

        if (server->addr.family == 0) {
            place = server;
            break;
        }
        place = server->until.ns < place->until.ns ? server : place;
    }
    *place = (OcServer){.addr = *addr, .until = {INT64_MIN}};
    return place;
}

void oc_learn(SipOc *oc, const PealAddr *server, const SipMessage *response, PealTime now)
{
    PealStr params = response->via.params;
    OcServer *known = server_at(oc, server);
    uint32_t validity_ms = OC_VALIDITY_DEFAULT_MS;
    uint32_t loss;
    uint64_t seq;
    PealStr value;

    /* Without a value it is this host's own offer, which the server did not understand. */
    if (response->via_state != SIP_VIA_WHOLE || !sip_param(params, "oc", &value) ||
        sip_u32(value, OC_LOSS_MAX, &loss) != 0 || !sip_param(params, "oc-seq", &value) ||
        !read_seq(value, &seq) || (sip_param(params, "oc-algo", &value) && !has_loss(value))) {
        return;
    }
    if (sip_param(params, "oc-validity", &value) &&
        sip_u32(value, OC_VALIDITY_MAX_MS, &validity_ms) != 0) {
        return;
    }
    if (known != NULL && seq <= known->seq && known->seq - seq < OC_SEQ_RESTART &&
        (seq < known->seq || known->until.ns > now.ns || validity_ms == 0)) {
        return; /* s.5.4: an older word, or the same again */
    }
    if (known == NULL && (loss == 0 || validity_ms == 0)) {
        return; /* nothing is asked for */
    }
    known = known != NULL ? known : server_add(oc, server);
    known->seq = seq;
    known->loss = (uint8_t)loss;
    known->until = validity_ms > 0 ? peal_time_add(now, peal_ms(validity_ms)) : now;
}

bool oc_lets_go(SipOc *oc, const PealAddr *server, const SipMessage *request, PealTime now,
                uint64_t draw)
{
    const OcServer *known = server_at(oc, server);
    bool urgent = sip_has_to_tag(request); /* the second sort */
    uint64_t all;
    uint64_t sought;
    uint64_t may;

    if (request->code == SIP_ACK || request->code == SIP_CANCEL) {
        return true;
    }
    oc->requests[urgent]++;
    if (oc->requests[0] + oc->requests[1] > OC_MIX_WINDOW) {
        oc->requests[0] /= 2;
        oc->requests[1] /= 2;
    }
    if (known == NULL || known->until.ns <= now.ns) {
        return true;
    }
    /* s.7.2: so many of all are to go, of the first sort as long as there are any. */
    all = oc->requests[0] + oc->requests[1];
    sought = all * known->loss;
    may = 100 * (uint64_t)oc->requests[urgent];
    if (urgent) {
        uint64_t first = 100 * (uint64_t)oc->requests[0];

        sought = sought > first ? sought - first : 0;
    }
    return peal_random_below(draw, may) >= sought;
}
