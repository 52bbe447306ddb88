/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * arena.h - where libosip2's parsers put what they read: a piece of the stack, gone with the
 *           dispatch.
 * Source: none.
 * State:  one thread-local pointer to the arena in use, the only mutable static state of core.
 * Time:   from sip_arena_enter to sip_arena_leave, within one dispatch.
 */
#ifndef SIP_ARENA_H
#define SIP_ARENA_H

#include <peal/base.h>

enum { SIP_ARENA_LEN = 24576 };

/* A text that needs more is refused: its parser says it has no memory. */
typedef struct SipArena {
    struct SipArena *outer;
    size_t used;
    _Alignas(16) uint8_t bytes[SIP_ARENA_LEN];
} SipArena;

/* Arenas nest. What value.h names so works inside one only, and what that returns may point into
 * it. A parser of libosip2 outside an arena is a programmer's error. */
void sip_arena_enter(SipArena *arena);
void sip_arena_leave(SipArena *arena);

/* sip_arena_current is the innermost arena entered; there must be one. */
SipArena *sip_arena_current(void);

/* sip_arena_alloc is a piece of it, aligned for anything; NULL when it is used up. */
void *sip_arena_alloc(size_t size);

/* sip_arena_setup hands libosip2 the arena's allocators; once before the first use, harmless
 * later. */
void sip_arena_setup(void);

#endif
