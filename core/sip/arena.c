/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * arena.c - libosip2's allocators over the arena in use.
 *
 * Each piece is preceded by its length, which realloc needs to copy it. Nothing is given back
 * before the arena is left.
 */
#include "sip/arena.h"

#include <osipparser2/osip_port.h>

enum { ARENA_ALIGN = 16 };

/* initial-exec: an address without a call into the loader. */
static _Thread_local SipArena *arena_now __attribute__((tls_model("initial-exec")));

void *sip_arena_alloc(size_t size)
{
    SipArena *arena = arena_now;
    size_t need;

    PEAL_ASSERT(arena != NULL);
    if (size > SIP_ARENA_LEN) {
        return NULL;
    }
    need = ARENA_ALIGN + ((size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1));
    if (need > SIP_ARENA_LEN - arena->used) {
        return NULL;
    }
    uint8_t *piece = arena->bytes + arena->used;

    memcpy(piece, &size, sizeof(size));
    arena->used += need;
    return piece + ARENA_ALIGN;
}

static void *arena_realloc(void *old, size_t size)
{
    void *piece = sip_arena_alloc(size);
    size_t old_size;

    if (piece != NULL && old != NULL) {
        memcpy(&old_size, (uint8_t *)old - ARENA_ALIGN, sizeof(old_size));
        memcpy(piece, old, old_size < size ? old_size : size);
    }
    return piece;
}

static void arena_free(void *ptr)
{
    (void)ptr;
}

void sip_arena_enter(SipArena *arena)
{
    arena->outer = arena_now;
    arena->used = 0;
    arena_now = arena;
}

void sip_arena_leave(SipArena *arena)
{
    PEAL_ASSERT(arena_now == arena);
    arena_now = arena->outer;
}

SipArena *sip_arena_current(void)
{
    PEAL_ASSERT(arena_now != NULL);
    return arena_now;
}

void sip_arena_setup(void)
{
    osip_set_allocators(sip_arena_alloc, arena_realloc, arena_free);
}
