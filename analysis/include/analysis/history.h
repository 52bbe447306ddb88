/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * history.h - what the SIP messages of a capture amount to: users, registrations, calls.
 * Source: RFC 3261 s.8.1.1, s.12, s.17 (who belongs together), s.22 (challenges), s.10; RFC 3264,
 *         RFC 8866 and RFC 3551 for media.
 * State:  one: some hundred bytes a user, a registration and a call; what is under way is found by
 *         hash tables, and forgotten when it is over.
 * Time:   instants are ns since 1970; HISTORY_NEVER for what did not happen. Messages come in the
 *         order of the capture, which is nearly that of time.
 *
 * A retransmission has its predecessor's start line, transaction (branch, Call-ID, tags, CSeq),
 * length of body and way (from where to where) within the last 64 s. It counts in methods and
 * responses, and changes nothing else.
 *
 * A registration is an attempt: REGISTER requests of one Call-ID and To. A REGISTER with a higher
 * CSeq repeats the one before, and is the same attempt, when that one was answered by
 *   401 or 407, this one brings credentials, and no REGISTER of the attempt has answered a
 *     challenge of that status before, or the challenge said stale=true, or this one follows
 *     within 4 s: else the credentials were refused (RFC 3261 s.22.2), and trying again is another
 *     attempt;
 *   423, 494, 420, 421 or a 3xx, likewise the first time;
 * or when the capture has no answer to it, it had no credentials, this one has and its CSeq is the
 * next. From tags do not matter: there are phones that change them. It may come up to 10 minutes
 * after the last message of the attempt, whatever other traffic comes between. After any other
 * final response it is a new attempt. What has the same CSeq is the REGISTER on its way through a
 * proxy.
 *
 * A call is what has one Call-ID. An INVITE without a To tag belongs to the call that is there when
 * it has the From tag and CSeq of its INVITE (legs behind a proxy, forks, another server tried);
 * when it is the caller's with a higher CSeq and the one before was answered by a response that
 * asks for it (a challenge, 3xx, 413, 415, 416, 420 to 423, 428, 484, 488, 494, 503) or not at all;
 * or when it comes from elsewhere with a From tag of its own (a back-to-back user agent that keeps
 * the Call-ID). Else it begins a new one. The second leg of a back-to-back user agent that changes
 * the Call-ID is the same call where the INVITE says so within 32 s: X-Call-ID with the first leg's
 * Call-ID, the same Session-ID (RFC 7989) or icid-value (RFC 7315); else it is a call of its own.
 * Set-up times and status are those at the caller's end: the leg whose INVITE came first. Only
 * where it heard no final response, that of another leg counts; or else, from the caller's ACK on,
 * a 2xx, where the ACK is a transaction of its own. A call is over 64 s after its last message once
 * it has ended, after an hour of silence while it waits for its answer, and after 24 hours without
 * message or media while people talk.
 */
#ifndef ANALYSIS_HISTORY_H
#define ANALYSIS_HISTORY_H

#include <analysis/trace.h>

#define HISTORY_NEVER INT64_MIN
#define HISTORY_NOBODY UINT32_MAX
#define HISTORY_UNSAID UINT32_MAX
#define HISTORY_METHOD_OTHER "(other)" /* in methods: those beyond the 64 first */
#define HISTORY_CODEC_OTHER "(other)"  /* codecs beyond the 256 first */

/* How a call ended. */
typedef enum HistoryOutcome {
    HISTORY_ANSWERED,  /* a 2xx */
    HISTORY_CANCELLED, /* given up by a CANCEL before an answer, whatever final response came then;
                          or 487 */
    HISTORY_REFUSED,   /* another final response */
    HISTORY_UNANSWERED /* 408, or none */
} HistoryOutcome;
const char *history_outcome_name(HistoryOutcome outcome); /* "answered" ... */

/* An AOR that stands in some From or To: its user, and host in lower case; sip and sips are one.
 * One without a user counts only where it is a party to a call or a registration. */
typedef struct HistoryUser {
    char *aor;        /* sip:user@host as written first, without port and parameters; tel:number */
    PealAddr address; /* whence it sent its first request; family 0: it never did */
    bool registers;
} HistoryUser;

/* A REGISTER, with what followed on its challenges and retransmissions. */
typedef struct HistoryRegistration {
    uint32_t user; /* of the To; HISTORY_NOBODY where it cannot be read, or is over 511 bytes */
    int64_t at_ns; /* the first REGISTER */
    int64_t answered_ns;
    uint16_t status;    /* of the last final response; 0: none */
    uint32_t expires_s; /* granted where it was, else asked for; 0: to be taken away */
    uint32_t asked_s;   /* asked for; HISTORY_UNSAID: it did not say */
    bool query;         /* no Contact: it only asks */
} HistoryRegistration;

/* A call: an INVITE that makes a dialog, on all its legs and forks, with what followed on
 * challenges and retransmissions. */
typedef struct HistoryCall {
    uint32_t caller;    /* From; or HISTORY_NOBODY, as above */
    uint32_t callee;    /* To; likewise */
    int64_t at_ns;      /* the first INVITE */
    int64_t ringing_ns; /* the first 101..199 at the caller's end */
    int64_t final_ns;   /* the answer, else the final response that ended it */
    int64_t cancel_ns;  /* the first CANCEL at the caller's end; of an answered call, one that
                           crossed the answer */
    int64_t end_ns;     /* the first BYE */
    int64_t last_ns;    /* the last message of it */
    uint16_t status;    /* of the final response at the caller's end; 0: none */
    HistoryOutcome outcome;
    bool callee_hung_up;    /* the BYE was the callee's */
    uint16_t legs;          /* pairs of addresses between which its INVITE passed */
    uint16_t forks;         /* dialogs that it made: To tags in 101..299 */
    uint64_t media_packets; /* UDP datagrams from or to an address that SDP of the call names, until
                               5 s after its end; RTCP on ports of its own is not among them */
    uint64_t media_bytes;   /* of UDP payload */
    int64_t media_first_ns;
    int64_t media_last_ns;
    char *codec;   /* the first of the answer's first stream ("PCMA/8000"), else of the offer's; or
                    NULL */
    char *headers; /* of the first INVITE, those that the caller means for the callee: whole lines
                      of Subject, User-Agent, Organization, Priority, Call-Info, Alert-Info and
                      X-*, unfolded, each ending in CRLF, at most 1,024 bytes; or NULL */
    char *content_type; /* of its body, or NULL */
    char *body;         /* or NULL; left out where it has over 2,048 bytes, a NUL, or is cut */
    uint32_t body_len;
} HistoryCall;

typedef struct HistoryCount {
    const char *name; /* a method, as written */
    uint64_t count;
} HistoryCount;

typedef struct HistoryData {
    GArray *users;            /* HistoryUser, in the order in which they were first seen */
    GArray *registrations;    /* HistoryRegistration, by at_ns */
    GArray *calls;            /* HistoryCall, by at_ns */
    GArray *methods;          /* HistoryCount of requests, by name */
    uint64_t responses[700];  /* by status */
    uint64_t retransmissions; /* messages that repeat one of their transaction and leg */
    uint64_t challenged;      /* attempts that were made again with credentials */
    uint64_t lost;            /* messages that belong to nothing that was seen to begin */
    bool texts_left_out;      /* headers and bodies beyond the bound for all of them */
} HistoryData;

typedef struct HistoryConfig {
    bool texts; /* keep headers and bodies of INVITEs */
} HistoryConfig;

typedef struct History History;

History *history_new(const HistoryConfig *config);
void history_free(History *history);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(History, history_free)

/* For a TraceSink, whose user is the history. */
void history_message(void *user, const TraceMessage *message);
void history_datagram(void *user, const TraceDatagram *datagram);

/* history_finish ends it; the data live as long as the history. */
const HistoryData *history_finish(History *history);

/*
 * describe_text and describe_json say what a capture holds. name is the file's, as given. The JSON
 * has at least messages.requests, messages.responses, users, calls, registrations, skipped; see
 * analysis/SCHEMA.md. Text to g_free. describe_tree is the JSON for who adds to it: jansson's
 * json_t, to json_decref.
 */
char *describe_text(const char *name, const TraceCounts *counts, const HistoryData *data);
char *describe_json(const char *name, const TraceCounts *counts, const HistoryData *data);
struct json_t *describe_tree(const char *name, const TraceCounts *counts, const HistoryData *data);

#endif
