/*
 * capture.h - when SIP requests were sent, out of a capture that `peal run --pcap` wrote.
 * Source: RFC 3261 s.17.1.1.2, s.17.1.2.2: timers A and E; the header of raw IPv4 and UDP.
 * State:  none beyond a call.   Time: the capture's, in ns.
 */
#ifndef VALIDATE_CAPTURE_H
#define VALIDATE_CAPTURE_H

#include <glib.h>
#include <stdbool.h>

/* How often a request was sent; the most that one of its sends is off RFC 3261's schedule. */
#define CAPTURE_SENDS "sends of "
#define CAPTURE_OFF_NS "ns off of "

/* capture_asked says whether a question begins with one of them. */
bool capture_asked(const char *question);

/*
 * capture_answer adds what a question asks of each client transaction of a method to ret_values, an
 * array of double, if it had 32 s to its end. path: a capture of raw IP, UDP only.
 * Returns NULL, or what is wrong, to g_free.
 */
char *capture_answer(const char *path, const char *question, GArray *ret_values);

#endif
