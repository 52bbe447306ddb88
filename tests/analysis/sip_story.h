/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sip_story.h - SIP messages made up for a history, as a capture would bring them.
 * Source: RFC 3665 for how flows go.   State: one story.   Time: ms from its beginning.
 */
#ifndef TESTS_ANALYSIS_SIP_STORY_H
#define TESTS_ANALYSIS_SIP_STORY_H

#include <analysis/history.h>

#define STORY_START_NS (INT64_C(1600000000) * PEAL_NS_PER_S)

/* One message. Hosts are numbers: 10.0.0.n, port 5060. What is not given is as in an INVITE of
 * sip:alice@example.org to sip:bob@example.org with Call-ID call-1, From tag a and CSeq 1. */
typedef struct Say {
    int64_t ms;
    int from;
    int to;
    const char *line;   /* "INVITE", or "180 Ringing" */
    const char *method; /* of CSeq, in responses; INVITE */
    const char *call;
    const char *from_tag; /* "": none */
    const char *to_tag;   /* none */
    int cseq;
    const char *branch; /* without the cookie; "1"; one that begins with = is written as it is */
    const char *more;   /* header lines */
    const char *body;
    const char *type;   /* application/sdp */
    const char *caller; /* From and To as written */
    const char *callee;
} Say;

/* story_say has a history hear one message. */
void story_say(History *history, const Say *say);

#define STORY_SAY(history, at, source, target, start, ...)                               \
    do {                                                                                 \
        const Say story_said = {                                                         \
            .ms = (at), .from = (source), .to = (target), .line = (start), __VA_ARGS__}; \
        story_say((history), &story_said);                                               \
    } while (0)

/* A datagram of media between two ports of hosts. */
void story_media(History *history, int64_t ms, const int from[2], const int to[2]);

static inline int64_t story_ns(int64_t ms)
{
    return STORY_START_NS + ms * PEAL_NS_PER_MS;
}

#endif
