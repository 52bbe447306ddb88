/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lure.h - a SIP registrar and stateless proxy on 127.0.0.1 that names another address wherever a
 * message can name one: Record-Route, Service-Route, Contact, Via, session description, redirect.
 * Source: RFC 3261 s.16.11.   State: one per test.   Time: runs in the default main context.
 */
#ifndef TEST_LURE_H
#define TEST_LURE_H

#include <glib.h>
#include <stdint.h>

#define LURE_ADDRESS "10.9.9.99" /* as long as 127.0.0.1: bodies keep their length */
#define LURE_MOVED "moved"       /* a call to this user is redirected there */

typedef struct Lure {
    int fd;
    uint16_t port;
    guint source;
    GHashTable *bindings; /* user to struct sockaddr_in */
    GHashTable *dialogs;  /* Call-ID to LureDialog */
    unsigned registers;
    unsigned invites;
    unsigned acks;
    unsigned byes;
    unsigned cancels;
    unsigned lured; /* requests from phones whose Request-URI or Route is the other address */
} Lure;

/* At a port that was free; NULL without a socket. */
Lure *lure_new(void);
void lure_free(Lure *lure);

#endif
