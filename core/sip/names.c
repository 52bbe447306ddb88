/* SPDX-License-Identifier: GPL-3.0-or-later */
/* names.c - names of methods and header fields, and reason phrases. */
#include "sip/names.h"

#include <peal/sip_scan.h>

#include "sip/lex.h"
#include "sip/text.h"

/* RFC 3261 s.21; RFC 3265/6665 (202, 489), 3329 (494), 3903 (412), 4320, 4412 (417), 4474, 4488,
 * 5360, 5393 (440), 5626 (430, 439), 5839 (204), 6228 (199), 8197 (607). */
#define SIP_REASONS(X)                         \
    X(100, "Trying")                           \
    X(180, "Ringing")                          \
    X(181, "Call Is Being Forwarded")          \
    X(182, "Queued")                           \
    X(183, "Session Progress")                 \
    X(199, "Early Dialog Terminated")          \
    X(200, "OK")                               \
    X(202, "Accepted")                         \
    X(204, "No Notification")                  \
    X(300, "Multiple Choices")                 \
    X(301, "Moved Permanently")                \
    X(302, "Moved Temporarily")                \
    X(305, "Use Proxy")                        \
    X(380, "Alternative Service")              \
    X(400, "Bad Request")                      \
    X(401, "Unauthorized")                     \
    X(402, "Payment Required")                 \
    X(403, "Forbidden")                        \
    X(404, "Not Found")                        \
    X(405, "Method Not Allowed")               \
    X(406, "Not Acceptable")                   \
    X(407, "Proxy Authentication Required")    \
    X(408, "Request Timeout")                  \
    X(410, "Gone")                             \
    X(412, "Conditional Request Failed")       \
    X(413, "Request Entity Too Large")         \
    X(414, "Request-URI Too Long")             \
    X(415, "Unsupported Media Type")           \
    X(416, "Unsupported URI Scheme")           \
    X(417, "Unknown Resource-Priority")        \
    X(420, "Bad Extension")                    \
    X(421, "Extension Required")               \
    X(422, "Session Interval Too Small")       \
    X(423, "Interval Too Brief")               \
    X(430, "Flow Failed")                      \
    X(439, "First Hop Lacks Outbound Support") \
    X(440, "Max-Breadth Exceeded")             \
    X(480, "Temporarily Unavailable")          \
    X(481, "Call/Transaction Does Not Exist")  \
    X(482, "Loop Detected")                    \
    X(483, "Too Many Hops")                    \
    X(484, "Address Incomplete")               \
    X(485, "Ambiguous")                        \
    X(486, "Busy Here")                        \
    X(487, "Request Terminated")               \
    X(488, "Not Acceptable Here")              \
    X(489, "Bad Event")                        \
    X(491, "Request Pending")                  \
    X(493, "Undecipherable")                   \
    X(494, "Security Agreement Required")      \
    X(500, "Server Internal Error")            \
    X(501, "Not Implemented")                  \
    X(502, "Bad Gateway")                      \
    X(503, "Service Unavailable")              \
    X(504, "Server Time-out")                  \
    X(505, "Version Not Supported")            \
    X(513, "Message Too Large")                \
    X(580, "Precondition Failure")             \
    X(600, "Busy Everywhere")                  \
    X(603, "Decline")                          \
    X(604, "Does Not Exist Anywhere")          \
    X(606, "Not Acceptable")                   \
    X(607, "Unwanted")

static const PealStr names_methods[] = {{"", 0},
#define X(name) {#name, sizeof(#name) - 1},
                                        SIP_METHODS(X)
#undef X
};

static const PealStr names_headers[] = {{"", 0},
#define X(name, text, compact) {text, sizeof(text) - 1},
                                        SIP_HEADERS(X)
#undef X
};

SipMethod sip_method(PealStr text)
{
    /* s.7.1: methods are case sensitive */
    for (size_t i = 1; i < sizeof(names_methods) / sizeof(*names_methods); i++) {
        if (text.len == names_methods[i].len && text.ptr[0] == names_methods[i].ptr[0] &&
            memcmp(text.ptr, names_methods[i].ptr, text.len) == 0) {
            return (SipMethod)i;
        }
    }
    return SIP_METHOD_OTHER;
}

PealStr sip_method_text(SipMethod method)
{
    return names_methods[method];
}

PealStr sip_header_text(SipHeader header)
{
    return names_headers[header];
}

static SipHeader names_compact(char c)
{
    switch (lex_lower(c)) {
#define CASES(name, compact) \
    case compact:            \
        return SIP_H_##name;
        CASES(VIA, 'v')
        CASES(FROM, 'f')
        CASES(TO, 't')
        CASES(CALL_ID, 'i')
        CASES(CONTACT, 'm')
        CASES(SUPPORTED, 'k')
        CASES(CONTENT_LENGTH, 'l')
        CASES(CONTENT_TYPE, 'c')
#undef CASES
    default:
        return SIP_HEADER_OTHER;
    }
}

static SipHeader names_either(PealStr name, SipHeader a, SipHeader b)
{
    if (sip_same(name, names_headers[a])) {
        return a;
    }
    return sip_same(name, names_headers[b]) ? b : SIP_HEADER_OTHER;
}

/* By length first: no length has more than four names, and those differ in their first letter or
 * two. */
SipHeader sip_header(PealStr name)
{
    switch (name.len) {
    case 1:
        return names_compact(name.ptr[0]);
    case 2:
        return names_either(name, SIP_H_TO, SIP_H_TO);
    case 3:
        return names_either(name, SIP_H_VIA, SIP_H_VIA);
    case 4:
        return lex_lower(name.ptr[0]) == 'p' ? names_either(name, SIP_H_PATH, SIP_H_PATH)
                                             : names_either(name, SIP_H_FROM, SIP_H_CSEQ);
    case 5:
        return names_either(name, SIP_H_ROUTE, SIP_H_ROUTE);
    case 7:
        return lex_lower(name.ptr[0]) == 'c' ? names_either(name, SIP_H_CONTACT, SIP_H_CALL_ID)
                                             : names_either(name, SIP_H_EXPIRES, SIP_H_REQUIRE);
    case 9:
        return names_either(name, SIP_H_SUPPORTED, SIP_H_TIMESTAMP);
    case 11:
        return lex_lower(name.ptr[0]) == 'm'
                   ? names_either(name, SIP_H_MIN_EXPIRES, SIP_H_MAX_BREADTH)
                   : names_either(name, SIP_H_UNSUPPORTED, SIP_H_RETRY_AFTER);
    case 12:
        return lex_lower(name.ptr[0]) == 'm'
                   ? names_either(name, SIP_H_MAX_FORWARDS, SIP_H_MAX_FORWARDS)
                   : names_either(name, SIP_H_CONTENT_TYPE, SIP_H_RECORD_ROUTE);
    case 13:
        return lex_lower(name.ptr[0]) == 'p'
                   ? names_either(name, SIP_H_PROXY_REQUIRE, SIP_H_PROXY_REQUIRE)
                   : names_either(name, SIP_H_AUTHORIZATION, SIP_H_AUTHORIZATION);
    case 14:
        return names_either(name, SIP_H_CONTENT_LENGTH, SIP_H_CONTENT_LENGTH);
    case 16:
        return names_either(name, SIP_H_WWW_AUTHENTICATE, SIP_H_WWW_AUTHENTICATE);
    case 18:
        return names_either(name, SIP_H_PROXY_AUTHENTICATE, SIP_H_PROXY_AUTHENTICATE);
    case 19:
        return names_either(name, SIP_H_PROXY_AUTHORIZATION, SIP_H_PROXY_AUTHORIZATION);
    default:
        return SIP_HEADER_OTHER;
    }
}

PealStr sip_reason(unsigned status)
{
    static const char *const classes[] = {"Progress",    "Success",      "Redirection",
                                          "Bad Request", "Server Error", "Global Failure"};

    switch (status) {
#define X(code, text) \
    case code:        \
        return (PealStr){text, sizeof(text) - 1};
        SIP_REASONS(X)
#undef X
    default:
        return status >= 100 && status < 700 ? sip_str(classes[status / 100 - 1]) : (PealStr){0};
    }
}

PealStr peal_sip_reason(unsigned status)
{
    return sip_reason(status);
}
