/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * trace.c - names of trace records and of the reasons in them.
 */
#include <peal/trace.h>

const char *peal_trace_name(PealTraceKind kind)
{
    static const char *const names[] = {
#define X(name, code, value) #name,
        PEAL_TRACES(X)
#undef X
    };

    PEAL_ASSERT((unsigned)kind < PEAL_TRACE_COUNT);
    return names[kind];
}

const char *peal_drop_name(PealDrop drop)
{
    static const char *const names[] = {
#define X(name, text) #name,
        PEAL_DROPS(X)
#undef X
    };

    PEAL_ASSERT((unsigned)drop < PEAL_DROP_COUNT);
    return names[drop];
}
