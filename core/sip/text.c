/* SPDX-License-Identifier: GPL-3.0-or-later */
/* text.c - text of SIP (text.h), and addresses as text (RFC 3261 s.25.1, RFC 5952). */
#include "sip/text.h"

#include "sip/lex.h"

enum { U32_DIGITS_MAX = 10, IPV6_GROUPS = 8 };

void sip_put(SipText *text, PealStr str)
{
    if (text->overflow || str.len > text->cap - text->len) {
        text->overflow = true;
        return;
    }
    if (str.len > 0) {
        memcpy(text->ptr + text->len, str.ptr, str.len);
        text->len += str.len;
    }
}

void sip_put_z(SipText *text, const char *z)
{
    sip_put(text, sip_str(z));
}

void sip_put_u32(SipText *text, uint32_t value)
{
    char digits[U32_DIGITS_MAX];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    sip_put(text, (PealStr){digits + at, sizeof(digits) - at});
}

void sip_put_hex(SipText *text, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        const char pair[2] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};

        sip_put(text, (PealStr){pair, sizeof(pair)});
    }
}

static void text_put_ipv4(SipText *text, const uint8_t *ip)
{
    for (int i = 0; i < 4; i++) {
        if (i > 0) {
            sip_put_z(text, ".");
        }
        sip_put_u32(text, ip[i]);
    }
}

static void text_put_group(SipText *text, unsigned group)
{
    const uint8_t bytes[2] = {(uint8_t)(group >> 8), (uint8_t)group};
    char digits[4];
    SipText all = sip_text_make(digits, sizeof(digits));
    size_t zeros = 0;

    sip_put_hex(&all, bytes, sizeof(bytes));
    while (zeros < 3 && digits[zeros] == '0') {
        zeros++;
    }
    sip_put(text, (PealStr){digits + zeros, sizeof(digits) - zeros});
}

/* RFC 5952 s.4.2: the longest run of two or more zero groups, the first of equals. */
static int text_zero_run(const unsigned *groups, int *ret_len)
{
    int best = -1;

    *ret_len = 1;
    for (int at = 0; at < IPV6_GROUPS; at++) {
        int len = 0;

        while (at + len < IPV6_GROUPS && groups[at + len] == 0) {
            len++;
        }
        if (len > *ret_len) {
            best = at;
            *ret_len = len;
        }
        at += len;
    }
    return best;
}

static void text_put_ipv6(SipText *text, const uint8_t *ip)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    unsigned groups[IPV6_GROUPS];
    int zero_len;
    int zero_at;

    if (memcmp(ip, mapped, sizeof(mapped)) == 0) {
        sip_put_z(text, "::ffff:");
        text_put_ipv4(text, ip + sizeof(mapped));
        return;
    }
    for (size_t i = 0; i < IPV6_GROUPS; i++) {
        groups[i] = (unsigned)ip[2 * i] << 8 | ip[2 * i + 1];
    }
    zero_at = text_zero_run(groups, &zero_len);
    for (int i = 0; i < IPV6_GROUPS;) {
        if (i == zero_at) {
            sip_put_z(text, "::");
            i += zero_len;
            continue;
        }
        if (i > 0 && i != zero_at + zero_len) {
            sip_put_z(text, ":");
        }
        text_put_group(text, groups[i]);
        i++;
    }
}

void sip_put_addr(SipText *text, const PealAddr *addr, uint16_t port)
{
    if (addr->family == 6) {
        sip_put_z(text, "[");
        text_put_ipv6(text, addr->ip);
        sip_put_z(text, "]");
    } else {
        text_put_ipv4(text, addr->ip);
    }
    if (port != 0) {
        sip_put_z(text, ":");
        sip_put_u32(text, port);
    }
}

bool sip_equal(PealStr a, PealStr b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool sip_same(PealStr a, PealStr b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (a.ptr[i] != b.ptr[i] && lex_lower(a.ptr[i]) != lex_lower(b.ptr[i])) {
            return false;
        }
    }
    return true;
}

PealStr sip_trim(PealStr str)
{
    while (str.len > 0 && lex_is(str.ptr[0], LEX_LWS)) {
        str.ptr++;
        str.len--;
    }
    while (str.len > 0 && lex_is(str.ptr[str.len - 1], LEX_LWS)) {
        str.len--;
    }
    return str;
}

int sip_u32(PealStr str, uint32_t max, uint32_t *ret_value)
{
    uint64_t value = 0;

    if (str.len == 0) {
        return -PEAL_E_VALUE;
    }
    for (size_t i = 0; i < str.len; i++) {
        if (!lex_is(str.ptr[i], LEX_DIGIT)) {
            return -PEAL_E_VALUE;
        }
        value = value * 10 + (uint64_t)(str.ptr[i] - '0');
        if (value > max) {
            return -PEAL_E_VALUE;
        }
    }
    *ret_value = (uint32_t)value;
    return 0;
}

static int text_ipv4(PealStr host, uint8_t *ret_ip)
{
    size_t at = 0;

    for (int i = 0; i < 4; i++) {
        size_t end = lex_span(host, at, LEX_DIGIT);
        uint32_t value;

        if (end - at > 3 || sip_u32(lex_sub(host, at, end), 255, &value) != 0) {
            return -PEAL_E_VALUE;
        }
        ret_ip[i] = (uint8_t)value;
        if (i < 3 && (end >= host.len || host.ptr[end] != '.')) {
            return -PEAL_E_VALUE;
        }
        at = i < 3 ? end + 1 : end;
    }
    return at == host.len ? 0 : -PEAL_E_VALUE;
}

static unsigned text_hex(PealStr digits)
{
    unsigned value = 0;

    for (size_t i = 0; i < digits.len; i++) {
        char c = lex_lower(digits.ptr[i]);

        value = value << 4 | (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return value;
}

/* Reads groups up to the end of the text or up to "::", `*at` behind it; returns how many bytes of
 * address they gave, or -1. */
static int text_groups(PealStr host, size_t *at, bool *ret_gap, uint8_t ret_ip[16])
{
    int len = 0;

    *ret_gap = false;
    while (*at < host.len) {
        size_t end = lex_span(host, *at, LEX_HEX);

        if (len <= 12 && end < host.len && host.ptr[end] == '.') {
            bool good = text_ipv4(lex_sub(host, *at, host.len), ret_ip + len) == 0;

            *at = host.len;
            return good ? len + 4 : -1;
        }
        if (end == *at || end - *at > 4 || len > 14) {
            return -1;
        }
        const unsigned group = text_hex(lex_sub(host, *at, end));

        ret_ip[len++] = (uint8_t)(group >> 8);
        ret_ip[len++] = (uint8_t)group;
        *at = end;
        if (end == host.len) {
            break;
        }
        if (host.ptr[end] != ':' || end + 1 == host.len) {
            return -1;
        }
        *at = end + 1;
        if (host.ptr[end + 1] == ':') {
            *at = end + 2;
            *ret_gap = true;
            break;
        }
    }
    return len;
}

static int text_ipv6(PealStr host, uint8_t ret_ip[16])
{
    uint8_t tail[16];
    size_t at = 0;
    bool gap;
    int head_len = 0;
    int tail_len = 0;

    memset(ret_ip, 0, 16);
    if (host.len >= 2 && host.ptr[0] == ':' && host.ptr[1] == ':') {
        at = 2;
        gap = true;
    } else {
        head_len = text_groups(host, &at, &gap, ret_ip);
    }
    if (head_len < 0 || !gap) {
        return head_len == 16 ? 0 : -PEAL_E_VALUE;
    }
    tail_len = text_groups(host, &at, &gap, tail);
    if (tail_len < 0 || gap || head_len + tail_len > 14) {
        return -PEAL_E_VALUE;
    }
    memcpy(ret_ip + 16 - tail_len, tail, (size_t)tail_len);
    return 0;
}

int sip_addr(PealStr host, PealAddr *ret_addr)
{
    PealAddr addr = {.family = 4};

    if (text_ipv4(host, addr.ip) == 0) {
        *ret_addr = addr;
        return 0;
    }
    if (host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']') {
        host = lex_sub(host, 1, host.len - 1);
    }
    if (text_ipv6(host, addr.ip) != 0) {
        return -PEAL_E_VALUE;
    }
    addr.family = 6;
    *ret_addr = addr;
    return 0;
}
