/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * text.h - text of SIP: comparing it, and writing it into a bounded place.
 * Source: RFC 3261 s.7.3.1, s.25.1.   State: the caller's.   Time: none.
 */
#ifndef SIP_TEXT_H
#define SIP_TEXT_H

#include <peal/base.h>

/* A place to write to. Running past `cap` sets `overflow` and writes nothing more; check once, at
 * the end. */
typedef struct SipText {
    char *ptr;
    size_t len;
    size_t cap;
    bool overflow;
} SipText;

static inline SipText sip_text_make(char *ptr, size_t cap)
{
    return (SipText){ptr, 0, cap, false};
}
static inline PealStr sip_text_view(const SipText *text)
{
    return (PealStr){text->ptr, text->len};
}
static inline PealStr sip_str(const char *z)
{
    return (PealStr){z, strlen(z)};
}

void sip_put(SipText *text, PealStr str);
void sip_put_z(SipText *text, const char *z);
void sip_put_u32(SipText *text, uint32_t value);                   /* decimal */
void sip_put_hex(SipText *text, const uint8_t *bytes, size_t len); /* lower case */
/* `192.0.2.1`, `[2001:db8::1]`; with a port other than 0, `:5060` behind it. */
void sip_put_addr(SipText *text, const PealAddr *addr, uint16_t port);

/* sip_equal compares exactly, sip_same without regard to ASCII case. */
bool sip_equal(PealStr a, PealStr b);
bool sip_same(PealStr a, PealStr b);
static inline bool sip_is(PealStr a, const char *z)
{
    return sip_same(a, sip_str(z));
}
/* sip_trim takes linear white space off both ends. */
PealStr sip_trim(PealStr str);
/* sip_u32 reads a whole decimal number of at most `max`; 0 or -PEAL_E_VALUE. */
int sip_u32(PealStr str, uint32_t max, uint32_t *ret_value) PEAL_MUST_USE;
/* sip_addr reads an IPv4 or IPv6 address, brackets allowed; port 0. 0 or -PEAL_E_VALUE: a name. */
int sip_addr(PealStr host, PealAddr *ret_addr) PEAL_MUST_USE;

#endif
