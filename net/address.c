/* SPDX-License-Identifier: GPL-3.0-or-later */
/* address.c - transport addresses in three forms; see address.h. */
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <peal/random.h>
#include <stdio.h>
#include <sys/random.h>

enum { IPV4_LEN = 4, IPV6_LEN = 16 };

static size_t ip_len(const PealAddr *addr)
{
    return addr->family == 4 ? IPV4_LEN : IPV6_LEN;
}

socklen_t address_to_system(const PealAddr *addr, struct sockaddr_storage *ret_system)
{
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)ret_system;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)ret_system;

    if (addr->family == 4) {
        *in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(addr->port)};
        memcpy(&in->sin_addr, addr->ip, IPV4_LEN);
        return sizeof(*in);
    }
    *in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(addr->port)};
    memcpy(&in6->sin6_addr, addr->ip, IPV6_LEN);
    return sizeof(*in6);
}

PealAddr address_from_system(const struct sockaddr_storage *system)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)system;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)system;
    PealAddr addr = {0};

    if (system->ss_family == AF_INET) {
        addr.family = 4;
        addr.port = ntohs(in->sin_port);
        memcpy(addr.ip, &in->sin_addr, IPV4_LEN);
    } else if (system->ss_family == AF_INET6) {
        addr.family = 6;
        addr.port = ntohs(in6->sin6_port);
        memcpy(addr.ip, &in6->sin6_addr, IPV6_LEN);
    }
    return addr;
}

const char *address_ip_text(const PealAddr *addr, char ret_text[ADDRESS_TEXT_LEN])
{
    if (addr->family == 0 || inet_ntop(addr->family == 4 ? AF_INET : AF_INET6, addr->ip, ret_text,
                                       ADDRESS_TEXT_LEN) == NULL) {
        g_strlcpy(ret_text, "none", ADDRESS_TEXT_LEN);
    }
    return ret_text;
}

const char *address_text(const PealAddr *addr, char ret_text[ADDRESS_TEXT_LEN])
{
    char ip[ADDRESS_TEXT_LEN];

    address_ip_text(addr, ip);
    (void)snprintf(ret_text, ADDRESS_TEXT_LEN, addr->family == 6 ? "[%.45s]:%u" : "%.45s:%u", ip,
                   addr->port);
    return ret_text;
}

bool address_parse_ip(PealStr text, uint16_t port, PealAddr *ret_addr)
{
    static const uint8_t mapped[IPV6_LEN - IPV4_LEN] = {[10] = 0xff, [11] = 0xff};
    PealAddr addr = {.port = port};
    char ip[INET6_ADDRSTRLEN];

    if (text.len >= 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']') {
        text = (PealStr){text.ptr + 1, text.len - 2};
    }
    if (text.len == 0 || text.len >= sizeof(ip) || memchr(text.ptr, '\0', text.len) != NULL) {
        return false;
    }
    memcpy(ip, text.ptr, text.len);
    ip[text.len] = '\0';
    if (inet_pton(AF_INET, ip, addr.ip) == 1) {
        addr.family = 4;
    } else if (inet_pton(AF_INET6, ip, addr.ip) == 1) {
        addr.family = 6;
    } else {
        return false;
    }
    if (addr.family == 6 && memcmp(addr.ip, mapped, sizeof(mapped)) == 0) {
        addr.family = 4;
        memmove(addr.ip, addr.ip + sizeof(mapped), IPV4_LEN);
        memset(addr.ip + IPV4_LEN, 0, sizeof(mapped));
    }
    *ret_addr = addr;
    return true;
}

bool address_same_ip(const PealAddr *a, const PealAddr *b)
{
    return a->family == b->family && memcmp(a->ip, b->ip, ip_len(a)) == 0;
}

bool address_equal(const PealAddr *a, const PealAddr *b)
{
    return a->port == b->port && address_same_ip(a, b);
}

bool address_is_any(const PealAddr *addr)
{
    static const uint8_t any[IPV6_LEN];

    return memcmp(addr->ip, any, ip_len(addr)) == 0;
}

bool address_is_loopback(const PealAddr *addr)
{
    static const uint8_t loopback6[IPV6_LEN] = {[IPV6_LEN - 1] = 1};

    return addr->family == 4 ? addr->ip[0] == 127 : memcmp(addr->ip, loopback6, IPV6_LEN) == 0;
}

bool address_is_multicast(const PealAddr *addr)
{
    return addr->family == 4 ? addr->ip[0] >= 224 : addr->ip[0] == 0xff;
}

static uint64_t hash_key(void)
{
    static gsize drawn;
    static uint64_t key;

    if (g_once_init_enter(&drawn)) {
        if (getrandom(&key, sizeof(key), 0) != sizeof(key)) {
            key = (uint64_t)g_get_real_time();
        }
        g_once_init_leave(&drawn, 1);
    }
    return key;
}

uint64_t address_hash(const PealAddr *addr)
{
    PealRandomBlock block;

    memcpy(block.word, addr->ip, sizeof(block.word));
    block.word[0] ^= (uint64_t)addr->port << 40 | (uint64_t)addr->family << 56;
    return peal_random_block(block, hash_key()).word[0];
}
