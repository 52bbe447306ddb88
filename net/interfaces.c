/* SPDX-License-Identifier: GPL-3.0-or-later */
/* interfaces.c - which addresses a node tells others; see interfaces.h. */
#include "interfaces.h"

#include <ifaddrs.h>
#include <linux/if.h>

#include "address.h"

static bool is_link_local(const PealAddr *addr)
{
    return addr->family == 4 ? addr->ip[0] == 169 && addr->ip[1] == 254
                             : addr->ip[0] == 0xfe && (addr->ip[1] & 0xc0) == 0x80;
}

static void add(NetAddresses *addresses, const PealAddr *addr, bool own)
{
    for (size_t i = 0; i < addresses->len; i++) {
        if (address_equal(&addresses->addr[i], addr)) {
            return;
        }
    }
    if (addresses->len < PEAL_ADDRESSES_MAX) {
        addresses->own[addresses->len] = own;
        addresses->addr[addresses->len++] = *addr;
    }
}

/* Reads the address of an interface that is up. */
static bool read_interface(const struct ifaddrs *interface, PealAddr *ret_addr)
{
    struct sockaddr_storage name = {0};
    size_t len;

    if (interface->ifa_addr == NULL || !(interface->ifa_flags & IFF_UP)) {
        return false;
    }
    if (interface->ifa_addr->sa_family != AF_INET && interface->ifa_addr->sa_family != AF_INET6) {
        return false;
    }
    len = interface->ifa_addr->sa_family == AF_INET ? 16 : 28; /* sockaddr_in, sockaddr_in6 */
    memcpy(&name, interface->ifa_addr, len);
    *ret_addr = address_from_system(&name);
    return true;
}

static bool is_own(const struct ifaddrs *interfaces, const PealAddr *addr)
{
    PealAddr there;

    for (const struct ifaddrs *i = interfaces; i != NULL; i = i->ifa_next) {
        if (read_interface(i, &there) && address_same_ip(&there, addr)) {
            return true;
        }
    }
    return addr->family == 4 && address_is_loopback(addr);
}

static PealAddr loopback_for(const PealAddr *any)
{
    PealAddr loopback = {.port = any->port, .family = any->family};

    if (any->family == 4) {
        loopback.ip[0] = 127;
        loopback.ip[3] = 1;
    } else {
        loopback.ip[15] = 1;
    }
    return loopback;
}

/* The host's addresses of a wildcard's family, under its port. */
static void add_for_any(NetAddresses *addresses, const struct ifaddrs *interfaces,
                        const PealAddr *any)
{
    size_t before = addresses->len;
    PealAddr there;

    for (const struct ifaddrs *i = interfaces; i != NULL; i = i->ifa_next) {
        if (read_interface(i, &there) && there.family == any->family &&
            !address_is_loopback(&there) && !is_link_local(&there)) {
            there.port = any->port;
            add(addresses, &there, true);
        }
    }
    if (addresses->len == before) {
        there = loopback_for(any);
        add(addresses, &there, true);
    }
}

static bool same_loopback_only(const NetAddresses *addresses)
{
    for (size_t i = 0; i < addresses->len; i++) {
        if (!address_is_loopback(&addresses->addr[i])) {
            return false;
        }
    }
    return true;
}

/* A host with addresses of one family alone need not name the other's loopback. */
static void drop_loopback(NetAddresses *addresses, const PealAddr *bound, size_t bound_len)
{
    size_t kept = 0;

    if (same_loopback_only(addresses)) {
        return;
    }
    for (size_t i = 0; i < addresses->len; i++) {
        bool written = false;

        for (size_t j = 0; j < bound_len; j++) {
            written = written || address_equal(&bound[j], &addresses->addr[i]);
        }
        if (written || !address_is_loopback(&addresses->addr[i])) {
            addresses->own[kept] = addresses->own[i];
            addresses->addr[kept++] = addresses->addr[i];
        }
    }
    addresses->len = kept;
}

void interfaces_choose(const NodeHosts *advertise, const PealAddr *bound, size_t bound_len,
                       NetAddresses *ret_addresses)
{
    struct ifaddrs *interfaces = NULL;

    *ret_addresses = (NetAddresses){0};
    if (getifaddrs(&interfaces) != 0) {
        interfaces = NULL;
    }
    for (size_t i = 0; i < advertise->len; i++) {
        const PealAddr *addr = &advertise->item[i].addr;

        add(ret_addresses, addr, is_own(interfaces, addr));
    }
    for (size_t i = 0; advertise->len == 0 && i < bound_len; i++) {
        if (address_is_any(&bound[i])) {
            add_for_any(ret_addresses, interfaces, &bound[i]);
        } else {
            add(ret_addresses, &bound[i], true);
        }
    }
    if (advertise->len == 0) {
        drop_loopback(ret_addresses, bound, bound_len);
    }
    if (interfaces != NULL) {
        freeifaddrs(interfaces);
    }
}

static bool has_family(const NetAddresses *addresses, uint8_t family)
{
    for (size_t i = 0; i < addresses->len; i++) {
        if (addresses->addr[i].family == family) {
            return true;
        }
    }
    return false;
}

void interfaces_add_local(const PealAddr *bound, size_t bound_len, NetAddresses *addresses)
{
    struct ifaddrs *interfaces = NULL;

    if (getifaddrs(&interfaces) != 0) {
        return;
    }
    for (size_t i = 0; i < bound_len; i++) {
        /* Of a family that others are told nothing of, loopback would be the first they hear. */
        if (address_is_any(&bound[i]) && has_family(addresses, bound[i].family)) {
            PealAddr loopback = loopback_for(&bound[i]);

            add_for_any(addresses, interfaces, &bound[i]);
            add(addresses, &loopback, true);
        }
    }
    freeifaddrs(interfaces);
}
