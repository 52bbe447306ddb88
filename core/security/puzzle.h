/*
 * puzzle.h - proof of work that a Node-ID costs: who asks for a link or for admission shows it.
 * Source: Back: Hashcash (2002) for partial preimages; Baumgart, Mies: S/Kademlia (ICPADS 2007) for
 *         binding them to Node-IDs. Carried as a message extension (RFC 6940 s.6.3.3).
 * State:  one Puzzle of 48 bytes while PealDefence.puzzle_bits > 0.
 * Time:   solved in the background in slices of PUZZLE_SLICE, at PealDefence.puzzle_rate hashes a
 *         second; a joiner begins when it has a solution. One solution serves all requests of an
 *         epoch, and is accepted until the next one ends.
 *
 * A solution is a nonce with which SHA-256 over a label, the overlay, the Node-ID, the epoch and
 * the nonce begins with puzzle_bits zero bits. It proves nothing for another Node-ID, overlay or
 * epoch. What it cannot do: epochs are numbers, so that who plans ahead can work ahead, and a
 * Node-ID of one's choice costs as much as any other; whoever assigns Node-IDs (a certificate's
 * issuer) has to see to that.
 *
 * puzzle_modelled of the bits may be left out of the work: each hash then stands for so many as
 * they would have cost, in time as well. For simulations of many peers; such an overlay's puzzles
 * are worth what is really hashed.
 */
#ifndef SECURITY_PUZZLE_H
#define SECURITY_PUZZLE_H

#include "reload/codec.h"
#include "reload/request.h"

#define PUZZLE_EPOCH_MS UINT64_C(86400000)
#define PUZZLE_SLICE peal_ms(5)

/* None is registered for this, nor is there a range for private use: an overlay's own choice. It is
 * not critical, so that peers that know nothing of it pass over it. */
enum { PUZZLE_EXTENSION = 0xff50, PUZZLE_EXTENSION_LEN = 2 + 1 + 4 + 12 };

typedef struct Puzzle Puzzle;

/* Begins to solve. puzzle_on_wake goes on; when there is a first solution, it begins to join. */
bool puzzle_wanted(const PealOverlay *overlay);
void puzzle_init(PealPeer *peer);
void puzzle_fini(PealPeer *peer);
void puzzle_on_wake(PealPeer *peer, PealTime now);

/* puzzle_join_waits tells whether there is no solution yet, and has bootstrap_seek called as soon
 * as there is. */
bool puzzle_join_waits(PealPeer *peer);

/* puzzle_put writes the extension that a request of this code carries, if any. */
void puzzle_put(const PealPeer *peer, uint16_t code, Writer *w);

/* puzzle_passes checks a request's extension for its signer; true where none is needed. */
bool puzzle_passes(const PealPeer *peer, const Inbound *request);

#endif
