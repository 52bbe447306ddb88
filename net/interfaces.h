/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * interfaces.h - which addresses a node tells others.
 * Source: getifaddrs(3).   State: none.   Time: none.
 */
#ifndef NET_INTERFACES_H
#define NET_INTERFACES_H

#include "config.h"
#include "environment.h"

/*
 * interfaces_choose fills in what others are told of a service.
 * advertise  what the user wrote, or none: then the addresses bound, and in place of a wildcard the
 *            host's own that others may reach, or loopback where there are none
 * bound      addresses that are listened at
 */
void interfaces_choose(const NodeHosts *advertise, const PealAddr *bound, size_t bound_len,
                       NetAddresses *ret_addresses);

/* interfaces_add_local appends what else of the host leads to a service that listens on a wildcard,
 * its loopback last: programs on the host itself use it, and are answered from it. */
void interfaces_add_local(const PealAddr *bound, size_t bound_len, NetAddresses *addresses);

#endif
