/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fetch.h - gives values out: Fetch, Stat and Find.
 * Source: RFC 6940 s.7.4.2, s.7.4.3, s.7.4.4.
 * State:  none; an answer is made in one buffer of at most three times FETCH_LIST_MAX.
 * Time:   lifetimes in answers are what is left of them.
 */
#ifndef STORAGE_FETCH_H
#define STORAGE_FETCH_H

#include "storage/slot.h"

/*
 * fetch_on_request serves a FetchReq or a StatReq.
 * A Resource-ID that holds nothing is no error: its Kinds answer with generation 0 and synthetic
 * values for what was named (s.7.4.2.2). A peer that is not responsible answers from what it holds,
 * for whoever asks it by its Node-ID wants just that.
 */
void fetch_on_request(PealPeer *peer, const Inbound *request);

/* fetch_on_find serves a FindReq. Closest is the first at or after the Resource-ID, clockwise, as
 * walking the overlay by nearest(1 + R) needs (s.7.4.4). */
void fetch_on_find(PealPeer *peer, const Inbound *request);

#endif
