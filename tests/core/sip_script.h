/*
 * sip_script.h - what a scripted phone says: requests, answers and dialogs written as text, and
 * header
 *                fields read from text, with nothing of core's own reading and writing.
 * Source: RFC 3261 s.8, s.12.   State: the caller's.   Time: none.
 * Texts returned are in a ring of buffers: good until a thousand later calls.
 */
#ifndef SIP_SCRIPT_H
#define SIP_SCRIPT_H

#include "core/sip_world.h"

/* The value of the nth field of a name (its long form), counted from 0; NULL when there is none. */
const char *script_header(const char *text, const char *name, unsigned nth);
unsigned script_headers(const char *text, const char *name);
/* A response's status, 0 for a request; a request's method and Request-URI; what follows the
 * head. */
unsigned script_status(const char *text);
bool script_is(const char *text, const char *method);
const char *script_uri(const char *text);
const char *script_body(const char *text);
/* A parameter of a value, "" for a flag, NULL when it is not there. */
const char *script_param(const char *value, const char *name);

/* What is left out is sensible: CSeq 1, a branch of its own, Via and Contact of the phone. */
typedef struct ScriptRequest {
    const char *method;
    const char *uri;
    const char *from;
    const char *to;
    const char *call_id;
    unsigned cseq;
    const char *branch;
    const char *contact; /* the whole value; "" for none */
    const char *headers; /* whole lines */
    const char *body;
    int conn; /* 0: a datagram, else 1 + index of a connection */
} ScriptRequest;
/* script_request sends it and returns its text. */
const char *script_request(SipPhone *phone, uint32_t adapter, const ScriptRequest *request);
/* script_invite calls sip:NAME@example.org as sip:CALLER@example.org, with a body of SDP. */
const char *script_invite(SipPhone *phone, uint32_t adapter, const char *caller, const char *name);
/* script_ack acknowledges an answer to an INVITE that is not 2xx. */
void script_ack(SipPhone *phone, uint32_t adapter, const char *invite, const char *answer);
void script_cancel(SipPhone *phone, uint32_t adapter, const char *invite);
/* script_register binds the phone (`contact` NULL: its own address) and asserts a 200. */
void script_register(SipPhone *phone, uint32_t adapter, const char *name, const char *contact);

/* script_answer answers a request, the way it came; its To gets a tag that names the phone. */
void script_answer(SipPhone *phone, const SipReceived *request, unsigned status,
                   const char *headers, const char *body);

typedef struct ScriptDialog {
    SipPhone *phone;
    char call_id[128];
    char local[256]; /* with tag */
    char remote[256];
    char target[256];
    char route[2048]; /* Route lines, or empty */
    unsigned cseq;
    int conn;         /* as in ScriptRequest */
    uint32_t adapter; /* where to without a route */
} ScriptDialog;
void script_dialog_caller(ScriptDialog *dialog, SipPhone *phone, const SipReceived *answer);
void script_dialog_callee(ScriptDialog *dialog, SipPhone *phone, const SipReceived *request);
/* script_dialog_send sends a request to where the first Route says; ACK has the INVITE's number. */
const char *script_dialog_send(ScriptDialog *dialog, const char *method, const char *headers,
                               const char *body);

/* Reads the phone's next message and asserts what it is; NULL when it is not. */
const SipReceived *script_expect(SipPhone *phone, unsigned status);
const SipReceived *script_expect_request(SipPhone *phone, const char *method);

#endif
