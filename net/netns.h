/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * netns.h - network namespaces of a testbed: one a peer, joined by a bridge in one more.
 * Source: ip-netns(8), veth(4).
 * State:  the kernel's, under names PREFIX-0 (the bridge's) and PREFIX-K, where PREFIX derives from
 *         the testbed's directory.
 * Time:   runs ip(8), some 5 ms a call.
 */
#ifndef NETNS_H
#define NETNS_H

#include "testbed.h"

/* netns_prefix names a testbed's namespaces; text to g_free. */
char *netns_prefix(const Testbed *testbed);

/* netns_make makes all namespaces, in place of what an earlier testbed of this directory left.
 * Errors: not root, no iproute2, what ip says. */
bool netns_make(const Testbed *testbed, GError **error);

/* netns_enter moves this process into a peer's namespace; false with errno. */
bool netns_enter(const Testbed *testbed, unsigned peer);

/* netns_remove removes what there is of them. */
void netns_remove(const Testbed *testbed);

#endif
