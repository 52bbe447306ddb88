/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * state.h - what survives a restart, in a directory that one node at a time uses.
 * Source: none.
 * State:  files `node-id`, `identity` and `bindings`, each replaced as a whole, and `lock`.
 * Time:   state_write returns when the bytes are on disk; state_keep at once: a thread writes.
 */
#ifndef NET_STATE_H
#define NET_STATE_H

#include <glib.h>
#include <peal/env.h>

typedef struct State State;

enum { STATE_FILE_MAX = 64 << 20 };

/* state_open makes the directory if it is not there and takes its lock. Errors name the directory
 * and the remedy: no permission, used by another node. */
State *state_open(const char *directory, GError **error);
void state_close(State *state);

/*
 * state_node_id reads the Node-ID, or keeps the one drawn.
 * id       in: what to keep where there is no file; out: what is kept
 * Errors: cannot be read or written; is no Node-ID, as an empty file is none.
 */
bool state_node_id(State *state, PealId *id, GError **error) PEAL_MUST_USE;

/* state_read returns a slot's bytes, of length 0 where there are none, to g_free; NULL with an
 * error. */
uint8_t *state_read(State *state, PealSlot slot, size_t *ret_len, GError **error);

/* state_set_aside renames a slot's file to NAME.bad, so that what cannot be used is not lost when
 * the slot is next written. Returns whether it did. */
bool state_set_aside(State *state, PealSlot slot);

/* state_write replaces a slot's bytes; on failure the old ones are still there. */
bool state_write(State *state, PealSlot slot, PealBytes bytes, GError **error) PEAL_MUST_USE;

/* state_keep does so soon, the last bytes given winning; state_close waits for it. A failure is
 * logged, and the next bytes are tried again. Returns false when the last ones failed. */
bool state_keep(State *state, PealSlot slot, PealBytes bytes);

#endif
