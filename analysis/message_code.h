/*
 * message_code.h - names of RELOAD's message codes, for people who read results.
 * Source: RFC 6940 s.14.8.   State: none.   Time: none.
 */
#ifndef MESSAGE_CODE_H
#define MESSAGE_CODE_H

/* message_code_name names what recorder_code gave: "fetch_req"; "error" for its last place and
 * "unassigned" for a code that no message has. Static, never NULL. */
const char *message_code_name(unsigned place);

#endif
