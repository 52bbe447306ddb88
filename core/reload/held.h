/*
 * held.h - an answer that is kept for later, because a better one may come.
 * Source: none.
 * State:  one block: what the answer says, and who says it; no lists of its header.
 * Time:   none.
 */
#ifndef RELOAD_HELD_H
#define RELOAD_HELD_H

#include "reload/request.h"

typedef struct Held Held;

/* held_new copies a result that has an answer; NULL without memory. */
Held *held_new(PealPeer *peer, const RequestResult *result);
void held_free(PealPeer *peer, Held *held);

const PealId *held_signer(const Held *held);

/* held_read gives the result as it was; its answer is borrowed. */
void held_read(const Held *held, RequestResult *ret_result);

#endif
