/* SPDX-License-Identifier: GPL-3.0-or-later */
/* build.c - answers, ACK and CANCEL (build.h). */
#include "sip/build.h"

#include "sip/lex.h"
#include "sip/raw.h"

enum { SIP_PORT = 5060, MAX_FORWARDS = 70 };

/* A value on one line: s.7.3.1 has a fold mean a space, and what is folded wrongly is not passed
 * on. */
static void build_value(SipText *text, PealStr value)
{
    if (value.ptr == NULL || value.len == 0 ||
        (memchr(value.ptr, '\n', value.len) == NULL &&
         memchr(value.ptr, '\r', value.len) == NULL)) {
        sip_put(text, value);
        return;
    }
    for (size_t at = 0; at < value.len; at++) {
        const char c = value.ptr[at];

        sip_put(text, (PealStr){c == '\r' || c == '\n' ? " " : &c, 1});
    }
}

static void build_line(SipText *text, SipHeader header, PealStr value)
{
    sip_put(text, sip_header_text(header));
    sip_put_z(text, ": ");
    build_value(text, value);
    sip_put_z(text, "\r\n");
}

static void build_copy(SipText *text, const SipMessage *message, SipHeader header)
{
    if (sip_has(message, header)) {
        build_line(text, header, sip_field(message, header));
    }
}

/* All fields of a header, each as a line of its own. */
static void build_copy_all(SipText *text, const SipMessage *message, SipHeader header)
{
    for (size_t i = 0; i < message->fields_len; i++) {
        const SipField *field = &message->fields[i];

        if (field->header == (uint8_t)header && field->end > field->value) {
            build_line(text, header, lex_sub(message->bytes, field->value, field->end));
        }
    }
}

static bool build_same_ip(PealStr host, const PealAddr *addr)
{
    PealAddr said;

    return sip_addr(host, &said) == 0 && said.family == addr->family &&
           memcmp(said.ip, addr->ip, addr->family == 6 ? 16 : 4) == 0;
}

/* The parameters but for those that only this host may set. */
static void build_via_params(SipText *text, PealStr params)
{
    RawParam param;
    size_t at = 0;

    while (raw_param_next(params, &at, &param) == 0 && param.name.len > 0) {
        if (!sip_is(param.name, "received") && !sip_is(param.name, "rport")) {
            build_value(text, lex_sub(params, param.at, param.end));
        }
    }
}

/* s.18.2.1 and RFC 3581 s.4: received where the sent-by is not the source, always with rport. */
void sip_build_via(SipText *text, const SipMessage *request, const PealHop *from)
{
    const SipVia *via = &request->via;

    if (request->via_state != SIP_VIA_WHOLE ||
        (!via->rport_asked && via->received.len == 0 && via->rport == 0 &&
         build_same_ip(via->host, &from->addr))) {
        build_value(text, via->text);
        return;
    }
    build_value(text, (PealStr){via->text.ptr, (size_t)(via->params.ptr - via->text.ptr)});
    build_via_params(text, via->params);
    if (via->rport_asked || !build_same_ip(via->host, &from->addr)) {
        PealAddr addr = from->addr;
        char bytes[64];
        SipText ip = sip_text_make(bytes, sizeof(bytes));
        PealStr view;

        sip_put_addr(&ip, &addr, 0);
        view = sip_text_view(&ip);
        if (addr.family == 6) {
            view = lex_sub(view, 1, view.len - 1); /* s.25.1: via-received has no brackets */
        }
        sip_put_z(text, ";received=");
        sip_put(text, view);
    }
    if (via->rport_asked) {
        sip_put_z(text, ";rport=");
        sip_put_u32(text, from->addr.port);
    }
}

static void build_vias(SipText *text, const SipMessage *request, const PealHop *from)
{
    bool top = true;

    for (size_t i = 0; i < request->fields_len; i++) {
        const SipField *field = &request->fields[i];
        const PealStr via = request->via.text;

        if (field->header != SIP_H_VIA || field->end == field->value) {
            continue;
        }
        if (!top) {
            build_line(text, SIP_H_VIA, lex_sub(request->bytes, field->value, field->end));
            continue;
        }
        top = false;
        sip_put_z(text, "Via: ");
        sip_build_via(text, request, from);
        build_value(text, (PealStr){via.ptr + via.len,
                                    (size_t)(request->bytes.ptr + field->end - via.ptr) - via.len});
        sip_put_z(text, "\r\n");
    }
}

static void build_to(SipText *text, const SipMessage *request, PealStr tag)
{
    const PealStr value = sip_field(request, SIP_H_TO);
    SipAddress to;
    PealStr has;

    if (value.ptr == NULL) {
        return;
    }
    sip_put_z(text, "To: ");
    build_value(text, value);
    /* what cannot be read has no place for a tag */
    if (tag.len > 0 && raw_address(value, &to) == 0 && !sip_param(to.params, "tag", &has)) {
        sip_put_z(text, ";tag=");
        sip_put(text, tag);
    }
    sip_put_z(text, "\r\n");
}

static void build_body(SipText *text, PealStr content_type, PealStr body)
{
    if (content_type.len > 0) {
        build_line(text, SIP_H_CONTENT_TYPE, content_type);
    }
    sip_put_z(text, "Content-Length: ");
    sip_put_u32(text, (uint32_t)body.len);
    sip_put_z(text, "\r\n\r\n");
    sip_put(text, body);
}

/* s.12.1.1, RFC 6665, RFC 3515: the methods whose answers carry the route of a dialog. */
static bool build_forms_dialog(SipMethod method)
{
    return method == SIP_INVITE || method == SIP_SUBSCRIBE || method == SIP_REFER;
}

void sip_build_answer(SipText *text, const SipMessage *request, const PealHop *from,
                      const SipAnswer *answer)
{
    const PealStr reason = answer->reason.len > 0 ? answer->reason : sip_reason(answer->status);

    sip_put_z(text, "SIP/2.0 ");
    sip_put_u32(text, answer->status);
    sip_put_z(text, " ");
    sip_put(text, reason);
    sip_put_z(text, "\r\n");
    build_vias(text, request, from);
    if (answer->status > 100 && answer->status < 300 && build_forms_dialog(request->code)) {
        build_copy_all(text, request, SIP_H_RECORD_ROUTE);
    }
    build_copy(text, request, SIP_H_FROM);
    build_to(text, request, answer->to_tag);
    build_copy(text, request, SIP_H_CALL_ID);
    build_copy(text, request, SIP_H_CSEQ);
    if (answer->status == 100) {
        build_copy(text, request, SIP_H_TIMESTAMP);
    }
    sip_put(text, answer->headers);
    build_body(text, answer->content_type, answer->body);
}

int sip_build_reply_hop(const SipMessage *request, const PealHop *from, PealHop *ret_hop)
{
    const SipVia *via = &request->via;
    PealHop hop = *from;

    if (request->via_state == SIP_VIA_NONE) {
        return -PEAL_E_VALUE;
    }
    if (from->transport == PEAL_UDP && !via->rport_asked) {
        hop.addr.port = via->port != 0 ? via->port : SIP_PORT;
    }
    *ret_hop = hop;
    return 0;
}

/* What ACK and CANCEL have in common with the INVITE they belong to: Request-URI, the topmost Via
 * alone, the Route, From, Call-ID and the number of CSeq. */
static void build_follow(SipText *text, const SipMessage *invite, SipMethod method, PealStr to)
{
    SipCursor via = {0};
    SipCSeq cseq = {0};

    sip_put(text, sip_method_text(method));
    sip_put_z(text, " ");
    sip_put(text, invite->uri);
    sip_put_z(text, " SIP/2.0\r\n");
    if (sip_next(invite, SIP_H_VIA, &via)) {
        build_line(text, SIP_H_VIA, via.element);
    }
    build_copy_all(text, invite, SIP_H_ROUTE);
    sip_put_z(text, "Max-Forwards: ");
    sip_put_u32(text, MAX_FORWARDS);
    sip_put_z(text, "\r\n");
    build_copy(text, invite, SIP_H_FROM);
    build_line(text, SIP_H_TO, to);
    build_copy(text, invite, SIP_H_CALL_ID);
    if (raw_cseq(sip_field(invite, SIP_H_CSEQ), &cseq) == 0) {
        sip_put_z(text, "CSeq: ");
        sip_put_u32(text, cseq.number);
        sip_put_z(text, " ");
        sip_put(text, sip_method_text(method));
        sip_put_z(text, "\r\n");
    }
    sip_put_z(text, "Content-Length: 0\r\n\r\n");
}

void sip_build_ack(SipText *text, const SipMessage *invite, const SipMessage *answer)
{
    build_follow(text, invite, SIP_ACK, sip_field(answer, SIP_H_TO));
}

void sip_build_cancel(SipText *text, const SipMessage *invite)
{
    build_follow(text, invite, SIP_CANCEL, sip_field(invite, SIP_H_TO));
}
