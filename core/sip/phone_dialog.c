/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phone_dialog.c - the texts of a dialog, and where its requests go: RFC 3261 s.12. */
#include "sip/phone_state.h"

enum { DIALOG_PORT_DEFAULT = 5060 };

int phone_dialog_set(PealPhone *phone, PhoneDialog *dialog, const PealStr parts[PHONE_PARTS])
{
    const PealEnvOps *ops = phone->env->ops;
    size_t len = 0;
    char *text;

    for (int part = 0; part < PHONE_PARTS; part++) {
        len += parts[part].len;
    }
    if (len > SIP_MESSAGE_MAX) {
        return -PEAL_E_FULL;
    }
    text = ops->alloc(phone->env, len);
    if (text == NULL) {
        return -PEAL_E_MEMORY;
    }
    uint16_t ends[PHONE_PARTS];
    size_t at = 0;

    for (int part = 0; part < PHONE_PARTS; part++) {
        if (parts[part].len > 0) {
            memcpy(text + at, parts[part].ptr, parts[part].len);
        }
        at += parts[part].len;
        ends[part] = (uint16_t)at;
    }
    phone_dialog_free(phone, dialog);
    dialog->text = text;
    memcpy(dialog->ends, ends, sizeof(ends));
    return 0;
}

void phone_dialog_free(PealPhone *phone, PhoneDialog *dialog)
{
    if (dialog->text != NULL) {
        phone->env->ops->release(phone->env, dialog->text, dialog->ends[PHONE_PARTS - 1]);
        dialog->text = NULL;
    }
}

PealStr phone_tag(PealStr address)
{
    SipAddress parsed;
    PealStr tag = {NULL, 0};

    if (sip_address_parse(address, &parsed) == 0) {
        (void)sip_param(parsed.params, "tag", &tag);
    }
    return tag;
}

/* The hop of a URI: its address where it has one. A name is left to the proxy. */
static PealHop dialog_hop(const PealPhone *phone, const SipUri *uri)
{
    PealHop hop = phone->proxy;
    PealStr transport = {NULL, 0};
    PealAddr addr;

    if (phone->config->by_proxy || sip_addr(uri->host, &addr) != 0) {
        return hop;
    }
    addr.port = uri->port != 0 ? uri->port : DIALOG_PORT_DEFAULT;
    hop.addr = addr;
    hop.conn = 0;
    (void)sip_param(uri->params, "transport", &transport);
    hop.transport = sip_is(transport, "tcp") ? PEAL_TCP : PEAL_UDP;
    return hop;
}

/* The Record-Route elements in the order of this phone's Routes: a callee's as they came, a
 * caller's turned round. Fails on a set longer than PHONE_ROUTES_MAX. */
static int dialog_routes(const SipMessage *message, PealStr ret_routes[PHONE_ROUTES_MAX],
                         size_t *ret_len)
{
    size_t len = 0;

    for (SipCursor at = {0}; sip_next(message, SIP_H_RECORD_ROUTE, &at);) {
        if (len == PHONE_ROUTES_MAX) {
            return -PEAL_E_FULL;
        }
        ret_routes[len++] = at.element;
    }
    for (size_t i = 0; message->status != 0 && i < len / 2; i++) {
        PealStr route = ret_routes[i];

        ret_routes[i] = ret_routes[len - 1 - i];
        ret_routes[len - 1 - i] = route;
    }
    *ret_len = len;
    return 0;
}

/* Writes a URI without what a Request-URI may not have: method parameter, headers (19.1.1). */
static void put_request_uri(SipText *text, const SipUri *uri)
{
    const char *end = uri->params.len > 0    ? uri->params.ptr
                      : uri->headers.len > 0 ? uri->headers.ptr - 1
                                             : uri->text.ptr + uri->text.len;
    size_t at = 0;

    sip_put(text, (PealStr){uri->text.ptr, (size_t)(end - uri->text.ptr)});
    while (at < uri->params.len) {
        PealStr param = {uri->params.ptr + at, 1};

        while (at + param.len < uri->params.len && param.ptr[param.len] != ';') {
            param.len++;
        }
        at += param.len;
        if (!sip_param(param, "method", &(PealStr){NULL, 0})) {
            sip_put(text, param);
        }
    }
}

/* Writes the Request-URI and the Route lines of a dialog's requests (12.2.1.1): a strict router
 * that comes first is the Request-URI, and the other side's Contact the last Route. */
static int put_way(SipText *uri, SipText *lines, const SipUri *target, const PealStr *routes,
                   size_t routes_len)
{
    SipAddress first = {.star = false};
    PealStr lr;
    bool strict;

    if (routes_len > 0 && (sip_address_parse(routes[0], &first) != 0 || first.star)) {
        return -PEAL_E_VALUE;
    }
    strict = routes_len > 0 && !sip_param(first.uri.params, "lr", &lr);
    if (strict) {
        put_request_uri(uri, &first.uri);
    } else {
        sip_put(uri, target->text);
    }
    for (size_t i = strict; i < routes_len; i++) {
        sip_put_z(lines, "Route: ");
        sip_put(lines, routes[i]);
        sip_put_z(lines, "\r\n");
    }
    if (strict) {
        sip_put_z(lines, "Route: <");
        sip_put(lines, target->text);
        sip_put_z(lines, ">\r\n");
    }
    return uri->overflow || lines->overflow ? -PEAL_E_VALUE : 0;
}

int phone_dialog_learn(PealPhone *phone, PhoneDialog *dialog, const SipMessage *message,
                       PealStr local, PealStr remote)
{
    char uri[PHONE_LINES_MAX];
    char lines[PHONE_LINES_MAX];
    SipText uri_text = sip_text_make(uri, sizeof(uri));
    SipText text = sip_text_make(lines, sizeof(lines));
    PealStr routes[PHONE_ROUTES_MAX];
    size_t routes_len = 0;
    PealStr credentials = {NULL, 0};
    SipCursor cursor = {0};
    SipAddress contact;
    SipAddress first;
    int error;

    if (!sip_next(message, SIP_H_CONTACT, &cursor) ||
        sip_address_parse(cursor.element, &contact) != 0 || contact.star ||
        dialog_routes(message, routes, &routes_len) != 0 ||
        put_way(&uri_text, &text, &contact.uri, routes, routes_len) != 0) {
        return -PEAL_E_VALUE;
    }
    if (dialog->text != NULL) {
        credentials = phone_dialog_part(dialog, PHONE_CREDENTIALS);
    }
    error =
        phone_dialog_set(phone, dialog,
                         (PealStr[PHONE_PARTS]){[PHONE_CALL_ID] = sip_field(message, SIP_H_CALL_ID),
                                                [PHONE_LOCAL] = local,
                                                [PHONE_REMOTE] = remote,
                                                [PHONE_TARGET] = sip_text_view(&uri_text),
                                                [PHONE_ROUTES] = sip_text_view(&text),
                                                [PHONE_CREDENTIALS] = credentials});
    if (error == 0) {
        dialog->hop = dialog_hop(phone, routes_len > 0 && sip_address_parse(routes[0], &first) == 0
                                            ? &first.uri
                                            : &contact.uri);
    }
    return error;
}

PhoneDraft phone_dialog_draft(const PhoneDialog *dialog, SipMethod method, uint32_t cseq)
{
    return (PhoneDraft){.method = method,
                        .cseq = cseq,
                        .uri = phone_dialog_part(dialog, PHONE_TARGET),
                        .from = phone_dialog_part(dialog, PHONE_LOCAL),
                        .to = phone_dialog_part(dialog, PHONE_REMOTE),
                        .call_id = phone_dialog_part(dialog, PHONE_CALL_ID),
                        .lines = phone_dialog_part(dialog, PHONE_ROUTES),
                        .hop = dialog->hop};
}
