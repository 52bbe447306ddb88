/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * access.h - may this signer write this value here?
 * Source: RFC 6940 s.7.3, s.7.4.1.1.   State: none.   Time: none.
 * Without certificates a signer's user name is unknown, so USER-MATCH and the user's half of
 * USER-NODE-MATCH and USER-NODE-MULTIPLE, which the Resource-ID has to match, cannot be checked;
 * whatever depends on the Node-ID alone is.
 */
#ifndef STORAGE_ACCESS_H
#define STORAGE_ACCESS_H

#include "storage/store.h"

/* access_permits checks a value's signer and, for an original Store, the request's too. */
bool access_permits(const PealPeer *peer, const StoreScope *scope, const PealKind *kind,
                    const ReloadStored *stored);

#endif
