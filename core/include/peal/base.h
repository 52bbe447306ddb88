/*
 * base.h - the small types that every room of Peal shares: time, spans of bytes, errors,
 * assertions.
 * Source: none.   State: none.
 * Time:   PealTime is an instant of a monotonic clock, PealSpan a difference; both count
 *         nanoseconds.
 */
#ifndef PEAL_BASE_H
#define PEAL_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PEAL_MUST_USE __attribute__((warn_unused_result))

/* A programmer's error ends the program, in release builds too; no packet may ever trip one. */
#define PEAL_ASSERT(condition) \
    ((condition) ? (void)0 : peal_assert_failed(#condition, __FILE__, __LINE__))
_Noreturn void peal_assert_failed(const char *condition, const char *file, int line);

/* Expected errors, returned as negative values; peal_error_text names them. */
#define PEAL_ERRORS(X)                                             \
    X(ARG, 1, "argument out of range")                             \
    X(FULL, 2, "no room")                                          \
    X(TIMEOUT, 3, "no answer in time")                             \
    X(MEMORY, 4, "out of memory")                                  \
    X(STATE, 5, "not possible in this state")                      \
    X(UNREACHABLE, 6, "no route or flow to the destination")       \
    X(REFUSED, 7, "refused by the other side")                     \
    X(NOT_FOUND, 8, "not found")                                   \
    X(TRUNCATED, 20, "ends before its fields do")                  \
    X(TRAILING, 21, "bytes left over after the last field")        \
    X(LENGTH, 22, "a length field contradicts its contents")       \
    X(VALUE, 23, "a field holds a value that is not allowed")      \
    X(TOKEN, 24, "is not RELOAD: wrong token")                     \
    X(VERSION, 25, "another version of RELOAD")                    \
    X(OVERLAY, 26, "belongs to another overlay")                   \
    X(OVERLAP, 27, "fragments overlap or contradict each other")   \
    X(TOO_LARGE, 28, "larger than the configured limit")           \
    X(DUPLICATE, 29, "an element that must be unique is repeated") \
    X(UNKNOWN, 30, "of an unknown kind, type or code")

enum {
#define X(name, value, text) PEAL_E_##name = (value),
    PEAL_ERRORS(X)
#undef X
};

/* peal_error_text names an error. error: 0 or -PEAL_E_*. Returns a static string, never NULL. */
const char *peal_error_text(int error);

typedef struct PealTime {
    int64_t ns;
} PealTime;

typedef struct PealSpan {
    int64_t ns;
} PealSpan;

#define PEAL_TIME_NEVER ((PealTime){INT64_MAX})
#define PEAL_NS_PER_US INT64_C(1000)
#define PEAL_NS_PER_MS INT64_C(1000000)
#define PEAL_NS_PER_S INT64_C(1000000000)

static inline PealSpan peal_us(int64_t us)
{
    return (PealSpan){us * PEAL_NS_PER_US};
}

static inline PealSpan peal_ms(int64_t ms)
{
    return (PealSpan){ms * PEAL_NS_PER_MS};
}

static inline PealSpan peal_seconds(int64_t s)
{
    return (PealSpan){s * PEAL_NS_PER_S};
}

/* peal_time_add saturates at PEAL_TIME_NEVER. */
static inline PealTime peal_time_add(PealTime at, PealSpan span)
{
    PealTime sum;

    if (__builtin_add_overflow(at.ns, span.ns, &sum.ns)) {
        return PEAL_TIME_NEVER;
    }
    return sum;
}

static inline PealSpan peal_time_since(PealTime later, PealTime earlier)
{
    return (PealSpan){later.ns - earlier.ns};
}

static inline PealTime peal_time_min(PealTime a, PealTime b)
{
    return a.ns < b.ns ? a : b;
}

static inline bool peal_time_due(PealTime deadline, PealTime now)
{
    return deadline.ns <= now.ns;
}

/* Bytes and text that belong to somebody else; `ptr` may be NULL when `len` is 0. */
typedef struct PealBytes {
    const uint8_t *ptr;
    size_t len;
} PealBytes;

typedef struct PealStr {
    const char *ptr;
    size_t len;
} PealStr;

/* An IPv4 or IPv6 transport address; `ip` is in network order, an IPv4 address in its first 4
 * bytes. */
typedef struct PealAddr {
    uint8_t ip[16];
    uint16_t port;
    uint8_t family; /* 0 none, 4 or 6 */
} PealAddr;

#endif
