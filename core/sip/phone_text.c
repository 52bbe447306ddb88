/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phone_text.c - the requests and session descriptions that a phone writes. */
#include "sip/oc.h"
#include "sip/phone_state.h"

enum {
    TEXT_SLACK = 512, /* of a request beyond the texts it is given */
    TEXT_STREAMS_MAX = 16,
    TEXT_DISCARD_PORT = 9 /* nobody listens: streams are inactive */
};

uint64_t phone_random(PealPhone *phone)
{
    return phone->env->ops->random(phone->env, PEAL_DRAW_SIP);
}

void phone_put_id(SipText *text, uint64_t id)
{
    uint8_t bytes[PHONE_ID_LEN / 2];

    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(id >> (56 - 8 * i));
    }
    sip_put_hex(text, bytes, sizeof(bytes));
}

void phone_put_contact_uri(const PealPhone *phone, SipText *text, bool tcp)
{
    sip_put_z(text, "sip:");
    sip_put(text, phone_aor_user(phone));
    sip_put_z(text, "@");
    sip_put_addr(text, &phone->contact, phone->contact.port);
    if (tcp) {
        sip_put_z(text, ";transport=tcp");
    }
}

void phone_put_contact(const PealPhone *phone, SipText *text, bool tcp)
{
    sip_put_z(text, "Contact: <");
    phone_put_contact_uri(phone, text, tcp);
    sip_put_z(text, ">\r\n");
}

static void put_line(SipText *text, const char *name, PealStr value)
{
    sip_put_z(text, name);
    sip_put_z(text, ": ");
    sip_put(text, value);
    sip_put_z(text, "\r\n");
}

static void put_request(PealPhone *phone, SipText *text, const PhoneDraft *draft)
{
    PealStr method = sip_method_text(draft->method);

    sip_put(text, method);
    sip_put_z(text, " ");
    sip_put(text, draft->uri);
    sip_put_z(text, " SIP/2.0\r\nVia: SIP/2.0/");
    sip_put_z(text, draft->hop.transport == PEAL_TCP ? "TCP " : "UDP ");
    sip_put_addr(text, &phone->contact, phone->contact.port);
    sip_put_z(text, ";branch=z9hG4bK");
    phone_put_id(text, phone_random(phone));
    sip_put_z(text, ";rport");
    if (phone->transactions.oc != NULL) {
        oc_offer(text);
    }
    sip_put_z(text, "\r\nMax-Forwards: 70\r\n");
    put_line(text, "From", draft->from);
    put_line(text, "To", draft->to);
    put_line(text, "Call-ID", draft->call_id);
    sip_put_z(text, "CSeq: ");
    sip_put_u32(text, draft->cseq);
    sip_put_z(text, " ");
    sip_put(text, method);
    sip_put_z(text, "\r\n");
    sip_put(text, draft->lines);
    sip_put(text, draft->more);
    if (draft->body.len > 0) {
        put_line(text, "Content-Type", draft->content_type);
    }
    sip_put_z(text, "Content-Length: ");
    sip_put_u32(text, (uint32_t)draft->body.len);
    sip_put_z(text, "\r\n\r\n");
    sip_put(text, draft->body);
}

int phone_send(PealPhone *phone, PhoneDraft *draft, uint64_t arg, SipTx *ret_tx)
{
    const PealEnvOps *ops = phone->env->ops;
    size_t cap = draft->uri.len + draft->from.len + draft->to.len + draft->call_id.len +
                 draft->lines.len + draft->more.len + draft->content_type.len + draft->body.len +
                 TEXT_SLACK;
    PealBuf *buf = ops->buffer(phone->env, cap);
    SipText text = sip_text_make((char *)buf->data, cap);
    SipMessage message;
    PealHop hop;
    int error = -PEAL_E_FULL;

    put_request(phone, &text, draft);
    hop = phone->datagrams ? draft->hop : sip_hop_for_size(&draft->hop, text.len);
    if (hop.transport != draft->hop.transport) {
        draft->hop = hop;
        arg |= PHONE_TURNED;
        text = sip_text_make((char *)buf->data, cap);
        put_request(phone, &text, draft);
    }
    if (text.overflow || sip_message_scan(sip_text_view(&text), true, &message) != 0) {
        error = -PEAL_E_ARG;
    } else if (draft->method == SIP_ACK) {
        sip_send(phone->env, &hop, sip_text_view(&text));
        error = 0;
    } else {
        error = sip_tx_request(&phone->transactions, &message, &hop, arg, ret_tx);
    }
    ops->drop(phone->env, buf);
    return error;
}

static void put_session(const PealPhone *phone, SipText *text)
{
    const char *net = phone->contact.family == 6 ? "IN IP6 " : "IN IP4 ";
    char address[64];
    SipText ip = sip_text_make(address, sizeof(address));

    sip_put_addr(&ip, &phone->contact, 0);
    if (ip.len > 2 && address[0] == '[') { /* bare in SDP (RFC 4566 s.9) */
        ip = (SipText){address + 1, ip.len - 2, sizeof(address) - 1, false};
    }
    sip_put_z(text, "v=0\r\no=- 1 1 ");
    sip_put_z(text, net);
    sip_put(text, sip_text_view(&ip));
    sip_put_z(text, "\r\ns=-\r\nc=");
    sip_put_z(text, net);
    sip_put(text, sip_text_view(&ip));
    sip_put_z(text, "\r\nt=0 0\r\n");
}

static void put_audio(SipText *text, const char *format)
{
    sip_put_z(text, "m=audio ");
    sip_put_u32(text, TEXT_DISCARD_PORT);
    sip_put_z(text, " RTP/AVP ");
    sip_put_z(text, format);
    sip_put_z(text, "\r\na=inactive\r\n");
}

void phone_put_offer(const PealPhone *phone, SipText *text)
{
    put_session(phone, text);
    put_audio(text, "0 8");
}

/* The next line of a session description, without its end. */
static bool next_line(PealStr *rest, PealStr *ret_line)
{
    const char *end;

    if (rest->len == 0) {
        return false;
    }
    end = memchr(rest->ptr, '\n', rest->len);
    ret_line->ptr = rest->ptr;
    ret_line->len = end != NULL ? (size_t)(end - rest->ptr) : rest->len;
    rest->ptr += ret_line->len + (end != NULL);
    rest->len -= ret_line->len + (end != NULL);
    if (ret_line->len > 0 && ret_line->ptr[ret_line->len - 1] == '\r') {
        ret_line->len--;
    }
    return true;
}

static PealStr next_word(PealStr *rest)
{
    const char *end = rest->len > 0 ? memchr(rest->ptr, ' ', rest->len) : NULL;
    PealStr word = {rest->ptr, end != NULL ? (size_t)(end - rest->ptr) : rest->len};

    rest->ptr += word.len + (end != NULL);
    rest->len -= word.len + (end != NULL);
    return word;
}

/* A stream that is not taken has port 0, and some format of the offer. */
static bool answer_stream(SipText *text, PealStr line, bool taken)
{
    PealStr rest = {line.ptr + 2, line.len - 2};
    PealStr media = next_word(&rest);
    PealStr format;
    PealStr profile;

    (void)next_word(&rest);
    profile = next_word(&rest);
    format = next_word(&rest);
    for (PealStr other = format; !taken && sip_is(media, "audio") && sip_is(profile, "RTP/AVP");
         other = next_word(&rest)) {
        if (sip_is(other, "0") || sip_is(other, "8")) {
            put_audio(text, sip_is(other, "0") ? "0" : "8");
            return true;
        }
        if (rest.len == 0) {
            break;
        }
    }
    sip_put_z(text, "m=");
    sip_put(text, media);
    sip_put_z(text, " 0 ");
    sip_put(text, profile);
    sip_put_z(text, " ");
    sip_put(text, format);
    sip_put_z(text, "\r\n");
    return false;
}

void phone_put_answer(const PealPhone *phone, SipText *text, PealStr offer)
{
    PealStr line;
    bool taken = false;
    int streams = 0;

    put_session(phone, text);
    while (streams < TEXT_STREAMS_MAX && next_line(&offer, &line)) {
        if (line.len > 2 && line.ptr[0] == 'm' && line.ptr[1] == '=') {
            taken |= answer_stream(text, line, taken);
            streams++;
        }
    }
}
