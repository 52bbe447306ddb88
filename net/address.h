/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * address.h - transport addresses between the peer's form, the system's and text.
 * Source: none.   State: none.   Time: none.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <glib.h>
#include <peal/base.h>
#include <sys/socket.h>

#define ADDRESS_TEXT_LEN 64

/* address_to_system fills in a sockaddr and returns its length. */
socklen_t address_to_system(const PealAddr *addr, struct sockaddr_storage *ret_system);

/* address_from_system returns family 0 for what is neither IPv4 nor IPv6. */
PealAddr address_from_system(const struct sockaddr_storage *system);

/* address_text writes `192.0.2.1:6084` or `[2001:db8::1]:6084` and returns it. */
const char *address_text(const PealAddr *addr, char ret_text[ADDRESS_TEXT_LEN]);
/* address_ip_text writes it without port and brackets. */
const char *address_ip_text(const PealAddr *addr, char ret_text[ADDRESS_TEXT_LEN]);

/* address_parse_ip reads a numeric address, an IPv6 one with or without brackets. */
bool address_parse_ip(PealStr text, uint16_t port, PealAddr *ret_addr) PEAL_MUST_USE;

bool address_equal(const PealAddr *a, const PealAddr *b);
bool address_same_ip(const PealAddr *a, const PealAddr *b);
bool address_is_any(const PealAddr *addr);
bool address_is_loopback(const PealAddr *addr);
bool address_is_multicast(const PealAddr *addr);

/* address_hash mixes ip and port under a key of this process, so that nobody can choose addresses
 * that collide. */
uint64_t address_hash(const PealAddr *addr);

#endif
