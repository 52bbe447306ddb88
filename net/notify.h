/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * notify.h - tells a service manager how far the node is.
 * Source: sd_notify(3): the protocol, spoken without the library.
 * State:  none.   Time: never blocks.
 */
#ifndef NET_NOTIFY_H
#define NET_NOTIFY_H

/* notify_manager sends lines such as `READY=1`; nothing when no manager asked for it. */
void notify_manager(const char *lines);

#endif
