/*
 * registration.h - SIP registrations as the overlay stores them, for whoever asks a peer for them.
 * Source: RFC 7904 s.3.2, s.7; RFC 6940 s.7.4.2.2.   State: none.   Time: none.
 */
#ifndef PEAL_REGISTRATION_H
#define PEAL_REGISTRATION_H

#include <peal/id.h>

enum { PEAL_REGISTRATION_LEN = 1 + 2 + 2 + 2 + 2 + PEAL_ID_LEN };

/* One live entry of an AOR's dictionary. */
typedef struct PealRegistration {
    PealId adapter; /* who stored it: the dictionary's key */
    PealStr uri;    /* another AOR or contact that this one stands for; empty: reach the adapter */
    uint32_t lifetime_s; /* left, by the count of the peer that answered */
} PealRegistration;

/*
 * peal_registrations reads the answer to a Fetch of PEAL_KIND_SIP_REGISTRATION.
 * body   a PealOutcome's; anything else gives 0
 * Returns how many were written, at most max, in the dictionary's order. What does not decode is
 * left out. Texts point into body.
 */
size_t peal_registrations(PealBytes body, PealRegistration *ret_list, size_t max);

/* peal_registration_value writes the value "reach this AOR at this node". */
void peal_registration_value(const PealId *node, uint8_t ret_value[PEAL_REGISTRATION_LEN]);

#endif
