/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * oracle.h - the truth about the overlay: which joined, living peer owns a key.
 * Source: RFC 6940 s.10.2: a peer is responsible for the ids from behind its predecessor up to its
 *         own. With a central server that is for all of them, while it is a member.
 * State:  20 bytes a member, in the order of their ids.
 * Time:   as of the last change. It serves checkers and the set-up of a converged overlay; no
 *         protocol decision may read it.
 */
#ifndef SCENARIOS_ORACLE_H
#define SCENARIOS_ORACLE_H

#include <peal/id.h>

typedef struct Oracle {
    PealIdHalves *ids; /* ascending */
    uint32_t *peers;   /* peers[rank] */
    uint32_t len;
    uint32_t cap;
    bool central;   /* peer 0 owns everything; set by oracle_centre */
    bool has_first; /* peer 0 is a member */
} Oracle;

#define ORACLE_NONE UINT32_MAX

void oracle_init(Oracle *oracle);
void oracle_fini(Oracle *oracle);

/* oracle_centre makes peer 0 the owner of every id: overlay.topology = central. */
void oracle_centre(Oracle *oracle);

/*
 * oracle_fill makes peers the members, all at once; the oracle must be empty.
 * peers   len of them, each once, ascending; NULL: 0..len-1
 * ids     theirs, in the same order
 */
void oracle_fill(Oracle *oracle, const uint32_t *peers, const PealId *ids, uint32_t len);

/* oracle_join and oracle_leave do nothing for a peer that is there already, or not. */
void oracle_join(Oracle *oracle, const PealId *id, uint32_t peer);
void oracle_leave(Oracle *oracle, const PealId *id);

/* oracle_rank_of is the rank of the first member at or after an id, going round; len > 0. */
uint32_t oracle_rank_of(const Oracle *oracle, const PealId *id);

/* oracle_owner is the peer responsible for an id, ORACLE_NONE when there is none. */
uint32_t oracle_owner(const Oracle *oracle, const PealId *id);

/* oracle_holders writes the peers that should hold a value: the owner, and so many replicas as
 * there are members for; a central server has none. Returns how many, at most replicas + 1. */
uint32_t oracle_holders(const Oracle *oracle, const PealId *id, uint32_t replicas,
                        uint32_t *ret_peers);

/* oracle_at is the peer n places clockwise of a rank. */
static inline uint32_t oracle_at(const Oracle *oracle, uint32_t rank, uint32_t n)
{
    return oracle->peers[((uint64_t)rank + n) % oracle->len];
}

#endif
