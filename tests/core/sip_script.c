/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sip_script.c - see sip_script.h. */
#include "core/sip_script.h"

#include <CUnit/CUnit.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { RING = 1024, RING_LEN = 8192 };

static char *ring(void)
{
    static char buffers[RING][RING_LEN];
    static unsigned next;

    return buffers[next++ % RING];
}

static char *format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static char *format(const char *fmt, ...)
{
    char *text = ring();
    va_list args;
    int len;

    va_start(args, fmt);
    len = vsnprintf(text, RING_LEN, fmt, args);
    va_end(args);
    CU_ASSERT_FATAL(len >= 0 && len < RING_LEN);
    return text;
}

/* Reading. */

static unsigned long number_at(const char *text)
{
    return strtoul(text, NULL, 10);
}

static const char *next_line(const char *line)
{
    const char *end = strstr(line, "\r\n");

    return end == NULL || end == line ? NULL : end + 2;
}

const char *script_header(const char *text, const char *name, unsigned nth)
{
    size_t len = strlen(name);

    for (const char *line = next_line(text); line != NULL && *line != '\0';
         line = next_line(line)) {
        if (strncasecmp(line, name, len) == 0 && line[len] == ':' && nth-- == 0) {
            line += len + 1;
            line += strspn(line, " ");
            return format("%.*s", (int)(strstr(line, "\r\n") - line), line);
        }
    }
    return NULL;
}

unsigned script_headers(const char *text, const char *name)
{
    unsigned count = 0;

    while (script_header(text, name, count) != NULL) {
        count++;
    }
    return count;
}

unsigned script_status(const char *text)
{
    return strncmp(text, "SIP/2.0 ", 8) == 0 ? (unsigned)number_at(text + 8) : 0;
}

bool script_is(const char *text, const char *method)
{
    size_t len = strlen(method);

    return strncmp(text, method, len) == 0 && text[len] == ' ';
}

const char *script_uri(const char *text)
{
    const char *at = strchr(text, ' ') + 1;

    return format("%.*s", (int)strcspn(at, " "), at);
}

const char *script_body(const char *text)
{
    const char *blank = strstr(text, "\r\n\r\n");

    return blank == NULL ? "" : blank + 4;
}

const char *script_param(const char *value, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = strchr(value, ';'); at != NULL; at = strchr(at + 1, ';')) {
        if (strncasecmp(at + 1, name, len) == 0) {
            const char *end = at + 1 + len;

            if (*end == '=') {
                return format("%.*s", (int)strcspn(end + 1, ";> ,"), end + 1);
            }
            if (strchr(";> ,", *end) != NULL) {
                return "";
            }
        }
    }
    return NULL;
}

/* Writing. */

static void deliver(SipPhone *phone, uint32_t adapter, int conn, const char *text)
{
    if (conn > 0) {
        sip_conn_send(phone->world, conn - 1, text, strlen(text));
    } else {
        sip_phone_send(phone, adapter, text);
    }
}

static const char *or_else(const char *text, const char *other)
{
    return text != NULL ? text : other;
}

const char *script_request(SipPhone *phone, uint32_t adapter, const ScriptRequest *r)
{
    const char *transport = r->conn > 0 ? "TCP" : "UDP";
    const char *body = or_else(r->body, "");
    const char *contact = r->contact != NULL
                              ? r->contact
                              : format("<sip:phone@%s:%u%s>", phone->host, phone->addr.port,
                                       r->conn > 0 ? ";transport=tcp" : "");
    const char *branch = or_else(r->branch, format("z9hG4bK-script-%u", ++phone->world->numbers));
    char *text =
        format("%s %s SIP/2.0\r\n"
               "Via: SIP/2.0/%s %s:%u;branch=%s;rport\r\n"
               "Max-Forwards: 70\r\n"
               "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n"
               "%s%s%s%s"
               "Content-Length: %zu\r\n\r\n%s",
               r->method, r->uri, transport, phone->host, phone->addr.port, branch, r->from, r->to,
               r->call_id, r->cseq == 0 ? 1 : r->cseq, r->method,
               *contact != '\0' ? "Contact: " : "", contact, *contact != '\0' ? "\r\n" : "",
               or_else(r->headers, ""), strlen(body), body);

    deliver(phone, adapter, r->conn, text);
    return text;
}

const char *script_invite(SipPhone *phone, uint32_t adapter, const char *caller, const char *name)
{
    unsigned number = ++phone->world->numbers;

    return script_request(
        phone, adapter,
        &(ScriptRequest){.method = "INVITE",
                         .uri = format("sip:%s@example.org", name),
                         .from = format("<sip:%s@example.org>;tag=from%u", caller, number),
                         .to = format("<sip:%s@example.org>", name),
                         .call_id = format("call%u@%s", number, phone->host),
                         .headers = "Content-Type: application/sdp\r\n",
                         .body = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n"
                                 "c=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"});
}

static void follow_up(SipPhone *phone, uint32_t adapter, const char *method, const char *invite,
                      const char *to)
{
    const char *route = script_header(invite, "Route", 0);

    script_request(phone, adapter,
                   &(ScriptRequest){.method = method,
                                    .uri = script_uri(invite),
                                    .from = script_header(invite, "From", 0),
                                    .to = to,
                                    .call_id = script_header(invite, "Call-ID", 0),
                                    .cseq = (unsigned)number_at(script_header(invite, "CSeq", 0)),
                                    .branch =
                                        script_param(script_header(invite, "Via", 0), "branch"),
                                    .contact = "",
                                    .headers =
                                        route != NULL ? format("Route: %s\r\n", route) : ""});
}

void script_ack(SipPhone *phone, uint32_t adapter, const char *invite, const char *answer)
{
    follow_up(phone, adapter, "ACK", invite, script_header(answer, "To", 0));
}

void script_cancel(SipPhone *phone, uint32_t adapter, const char *invite)
{
    follow_up(phone, adapter, "CANCEL", invite, script_header(invite, "To", 0));
}

void script_register(SipPhone *phone, uint32_t adapter, const char *name, const char *contact)
{
    unsigned number = ++phone->world->numbers;

    script_request(phone, adapter,
                   &(ScriptRequest){.method = "REGISTER",
                                    .uri = "sip:example.org",
                                    .from = format("<sip:%s@example.org>;tag=reg%u", name, number),
                                    .to = format("<sip:%s@example.org>", name),
                                    .call_id = format("reg%u@%s", number, phone->host),
                                    .contact = contact != NULL
                                                   ? contact
                                                   : format("<sip:%s@%s:%u>", name, phone->host,
                                                            phone->addr.port),
                                    .headers = "Expires: 600\r\n"});
    script_expect(phone, 200);
}

void script_answer(SipPhone *phone, const SipReceived *request, unsigned status,
                   const char *headers, const char *body)
{
    const char *to = script_header(request->text, "To", 0);
    char *text = ring();
    size_t len = 0;

    len += (size_t)snprintf(text, RING_LEN, "SIP/2.0 %u Because\r\n", status);
    for (unsigned i = 0; script_header(request->text, "Via", i) != NULL; i++) {
        len += (size_t)snprintf(text + len, RING_LEN - len, "Via: %s\r\n",
                                script_header(request->text, "Via", i));
    }
    for (unsigned i = 0; script_header(request->text, "Record-Route", i) != NULL; i++) {
        len += (size_t)snprintf(text + len, RING_LEN - len, "Record-Route: %s\r\n",
                                script_header(request->text, "Record-Route", i));
    }
    len += (size_t)snprintf(text + len, RING_LEN - len, "From: %s\r\nTo: %s",
                            script_header(request->text, "From", 0), to);
    if (status > 100 && script_param(to, "tag") == NULL) {
        len += (size_t)snprintf(text + len, RING_LEN - len, ";tag=phone%u-%u",
                                (unsigned)(phone - phone->world->phones), phone->addr.port);
    }
    len += (size_t)snprintf(text + len, RING_LEN - len,
                            "\r\nCall-ID: %s\r\nCSeq: %s\r\nContact: <sip:phone@%s:%u%s>\r\n"
                            "%sContent-Length: %zu\r\n\r\n%s",
                            script_header(request->text, "Call-ID", 0),
                            script_header(request->text, "CSeq", 0), phone->host, phone->addr.port,
                            request->conn >= 0 ? ";transport=tcp" : "", or_else(headers, ""),
                            strlen(or_else(body, "")), or_else(body, ""));
    CU_ASSERT_FATAL(len < RING_LEN);
    deliver(phone, request->adapter, request->conn + 1, text);
}

/* Dialogs. */

static void copy(char *to, size_t cap, const char *from)
{
    CU_ASSERT_FATAL(from != NULL && strlen(from) < cap);
    strcpy(to, from);
}

static const char *bare(const char *address)
{
    const char *open = strchr(address, '<');

    return open != NULL ? format("%.*s", (int)strcspn(open + 1, ">"), open + 1) : address;
}

static void dialog_fill(ScriptDialog *dialog, SipPhone *phone, const SipReceived *received,
                        bool caller)
{
    unsigned routes = script_headers(received->text, "Record-Route");

    *dialog =
        (ScriptDialog){.phone = phone, .adapter = received->adapter, .conn = received->conn + 1};
    copy(dialog->call_id, sizeof(dialog->call_id), script_header(received->text, "Call-ID", 0));
    copy(dialog->target, sizeof(dialog->target), bare(script_header(received->text, "Contact", 0)));
    for (unsigned i = 0; i < routes; i++) {
        unsigned nth = caller ? routes - 1 - i : i;

        strcat(strcat(strcat(dialog->route, "Route: "),
                      script_header(received->text, "Record-Route", nth)),
               "\r\n");
        CU_ASSERT_FATAL(strlen(dialog->route) < sizeof(dialog->route) - 256);
    }
    dialog->cseq = (unsigned)number_at(script_header(received->text, "CSeq", 0));
}

void script_dialog_caller(ScriptDialog *dialog, SipPhone *phone, const SipReceived *answer)
{
    dialog_fill(dialog, phone, answer, true);
    copy(dialog->local, sizeof(dialog->local), script_header(answer->text, "From", 0));
    copy(dialog->remote, sizeof(dialog->remote), script_header(answer->text, "To", 0));
}

void script_dialog_callee(ScriptDialog *dialog, SipPhone *phone, const SipReceived *request)
{
    const char *to = script_header(request->text, "To", 0);

    dialog_fill(dialog, phone, request, false);
    copy(dialog->local, sizeof(dialog->local),
         script_param(to, "tag") != NULL
             ? to
             : format("%s;tag=phone%u-%u", to, (unsigned)(phone - phone->world->phones),
                      phone->addr.port));
    copy(dialog->remote, sizeof(dialog->remote), script_header(request->text, "From", 0));
}

const char *script_dialog_send(ScriptDialog *dialog, const char *method, const char *headers,
                               const char *body)
{
    const char *host = strstr(dialog->route, "10.1.0.");
    bool ack = strcmp(method, "ACK") == 0;

    if (host != NULL) {
        dialog->adapter = (uint32_t)number_at(host + 7);
    }
    if (!ack) {
        dialog->cseq++;
    }
    return script_request(dialog->phone, dialog->adapter,
                          &(ScriptRequest){.method = method,
                                           .uri = dialog->target,
                                           .from = dialog->local,
                                           .to = dialog->remote,
                                           .call_id = dialog->call_id,
                                           .cseq = dialog->cseq,
                                           .headers =
                                               format("%s%s", dialog->route, or_else(headers, "")),
                                           .body = body,
                                           .conn = dialog->conn});
}

/* Expecting. */

const SipReceived *script_expect(SipPhone *phone, unsigned status)
{
    const SipReceived *received = sip_phone_next(phone, peal_seconds(1));

    if (received == NULL || script_status(received->text) != status) {
        printf("# expected %u, got %.40s\n", status, received != NULL ? received->text : "nothing");
        CU_FAIL_FATAL("another answer than expected");
    }
    return received;
}

const SipReceived *script_expect_request(SipPhone *phone, const char *method)
{
    const SipReceived *received = sip_phone_next(phone, peal_seconds(1));

    if (received == NULL || !script_is(received->text, method)) {
        printf("# expected %s, got %.40s\n", method, received != NULL ? received->text : "nothing");
        CU_FAIL_FATAL("another request than expected");
    }
    return received;
}
