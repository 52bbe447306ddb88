/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * build.h - what makes a recorded workload: its users' names, and what follows from its contents.
 * Source: RFC 3261 s.19.1.1, s.25.1 (users of SIP URIs); RFC 3966 (tel:); RFC 8866 (SDP).
 * State:  names: one entry a user, while they are given.
 * Time:   none.
 */
#ifndef SCENARIOS_REPLAY_BUILD_H
#define SCENARIOS_REPLAY_BUILD_H

#include <scenarios/replay.h>

/* No span of a workload is longer: 400 days. */
enum { REPLAY_SPAN_MAX_S = 400 * 86400 };

/* replay_new makes an empty workload of that source. */
Replay *replay_new(const char *source);

/* read_small reads a file that has at most `bytes_max` bytes; devices and pipes may have no end.
 * Text to g_free, NULL with the error set. */
char *read_small(const char *path, size_t bytes_max, size_t *ret_len, GError **error);

/* replay_settle sorts by time and computes what follows: the span, and of users `expires_s` and
 * `last_called`. */
void replay_settle(Replay *replay);

/* name_user is what a URI calls its user, escaped; at least one byte. Text to g_free. */
char *name_user(const char *uri);

/* name_anonymous is the name of a user under a key. Text to g_free. */
char *name_anonymous(const char *key, const char *user);

/* name_address is what a key makes of an address: one of 10.0.0.0/8, so that those who shared it
 * still do. */
PealAddr name_address(const char *key, const PealAddr *address);

/* name_digest is a digest of a text for a purpose. Text to g_free. */
char *name_digest(const char *key, const char *purpose, const char *text);

/* names_give gives each user its AOR: `names` has one name a user, as name_user makes them. */
void names_give(Replay *replay, char *const *names, const char *domain);

/* domain_is_good tells whether it is what an AOR may end in: a host's name, an IPv4 address or an
 * IPv6 address in brackets. */
bool domain_is_good(const char *domain);

/* call_is_playable tells whether a call's times and status fit its outcome. */
bool call_is_playable(const ReplayCall *call);

/* text_headers_are_good tells whether they are whole lines of the headers that a caller means for
 * the callee. */
bool text_headers_are_good(const char *headers);

/* text_headers and text_body are what remains of an INVITE's, under a key or without one (NULL).
 * Text to g_free; NULL: nothing. */
char *text_headers(const char *headers, const char *key);
char *text_body(const char *type, const char *body, uint32_t len, const char *key);

#endif
