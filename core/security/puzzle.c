/* SPDX-License-Identifier: GPL-3.0-or-later */
/* puzzle.c - searching and checking nonces; see puzzle.h. */
#include "security/puzzle.h"

#include "peer.h"
#include "security/defence.h"

struct Puzzle {
    uint64_t nonce;      /* of the solution, once `epoch` is not 0 */
    uint64_t tried;      /* the nonce to try next for `next_epoch`, or the one that was found */
    PealTime work_at;    /* the last slice is over, or the next epoch begins */
    uint32_t epoch;      /* of the solution; 0: none yet */
    uint32_t next_epoch; /* that is being worked for */
    bool found;          /* by the last slice */
    bool joiner;         /* a join waits */
};

enum { CONTENTS_LEN = 12 };
static const uint8_t LABEL[] = {'p', 'e', 'a', 'l', ' ', 'p', 'u', 'z', 'z', 'l', 'e'};

bool puzzle_wanted(const PealOverlay *overlay)
{
    return overlay->defence.puzzle_bits > 0;
}

static unsigned hashed_bits(const PealOverlay *overlay)
{
    unsigned bits = overlay->defence.puzzle_bits;
    unsigned modelled = overlay->defence.puzzle_modelled;

    return modelled < bits ? bits - modelled : 0;
}

static uint32_t epoch_now(const PealPeer *peer)
{
    return (uint32_t)(peer->env->ops->unix_ms(peer->env) / PUZZLE_EPOCH_MS);
}

static bool solves(const PealPeer *peer, const PealId *id, uint32_t epoch, uint64_t nonce)
{
    uint8_t fields[4 + PEAL_ID_LEN + 4 + 8];
    uint8_t digest[PEAL_DIGEST_MAX];
    Writer w = writer_make(fields, sizeof(fields));
    const PealBytes parts[] = {{LABEL, sizeof(LABEL)}, {fields, sizeof(fields)}};

    put_u32(&w, peer->overlay->hash);
    put_id(&w, id);
    put_u32(&w, epoch);
    put_u64(&w, nonce);
    peer->env->ops->crypto->digest(PEAL_HASH_SHA256, parts, 2, digest);
    return (uint64_t)bytes_u32(digest) >> (32 - hashed_bits(peer->overlay)) == 0;
}

static Puzzle *puzzle_of(const PealPeer *peer)
{
    return peer->defence != NULL ? peer->defence->puzzle : NULL;
}

static void watch(PealPeer *peer, Puzzle *puzzle, PealTime at)
{
    puzzle->work_at = at;
    defence_watch(peer, at);
}

void puzzle_init(PealPeer *peer)
{
    Puzzle *puzzle = peer_alloc(peer, sizeof(*puzzle));

    if (puzzle == NULL) {
        return;
    }
    peer->defence->puzzle = puzzle;
    watch(peer, puzzle, peer_now(peer));
}

void puzzle_fini(PealPeer *peer)
{
    if (peer->defence->puzzle != NULL) {
        peer_release(peer, peer->defence->puzzle, sizeof(Puzzle));
        peer->defence->puzzle = NULL;
    }
}

/* Tries as many nonces as a slice has time for, one at least. Returns the time they take. */
static PealSpan work(PealPeer *peer, Puzzle *puzzle)
{
    const PealDefence *defence = &peer->overlay->defence;
    unsigned bits = defence->puzzle_bits;
    /* Hashes that each stands for, and the time that takes. */
    int64_t hashes = INT64_C(1) << (bits - hashed_bits(peer->overlay));
    int64_t try_ns = hashes * PEAL_NS_PER_S / defence->puzzle_rate;
    int64_t took_ns = 0;

    do {
        took_ns += try_ns > 0 ? try_ns : 1;
        puzzle->found = solves(peer, &peer->id, puzzle->next_epoch, puzzle->tried);
        puzzle->tried += !puzzle->found;
    } while (!puzzle->found && took_ns < PUZZLE_SLICE.ns);
    return (PealSpan){took_ns};
}

static PealTime next_epoch_at(PealPeer *peer)
{
    uint64_t into_ms = peer->env->ops->unix_ms(peer->env) % PUZZLE_EPOCH_MS;

    return peal_time_add(peer_now(peer), peal_ms((int64_t)(PUZZLE_EPOCH_MS - into_ms)));
}

static void adopt(PealPeer *peer, Puzzle *puzzle)
{
    puzzle->found = false;
    puzzle->nonce = puzzle->tried;
    puzzle->epoch = puzzle->next_epoch;
    if (puzzle->joiner) {
        puzzle->joiner = false;
        bootstrap_seek(peer);
    }
}

/* The time that a slice takes passes before what it found is used. */
void puzzle_on_wake(PealPeer *peer, PealTime now)
{
    Puzzle *puzzle = puzzle_of(peer);

    if (!peal_time_due(puzzle->work_at, now)) {
        defence_watch(peer, puzzle->work_at);
        return;
    }
    if (puzzle->found) {
        adopt(peer, puzzle);
    }
    if (puzzle->next_epoch != epoch_now(peer)) {
        puzzle->next_epoch = epoch_now(peer);
        puzzle->tried = 0;
    }
    if (puzzle->epoch == puzzle->next_epoch) {
        watch(peer, puzzle, next_epoch_at(peer));
    } else {
        watch(peer, puzzle, peal_time_add(now, work(peer, puzzle)));
    }
}

bool puzzle_join_waits(PealPeer *peer)
{
    Puzzle *puzzle = puzzle_of(peer);

    if (puzzle == NULL || puzzle->epoch != 0) {
        return false;
    }
    puzzle->joiner = true;
    return true;
}

static bool carries(uint16_t code)
{
    return code == RELOAD_ATTACH_REQ || code == RELOAD_JOIN_REQ;
}

void puzzle_put(const PealPeer *peer, uint16_t code, Writer *w)
{
    const Puzzle *puzzle = puzzle_of(peer);
    uint8_t contents[CONTENTS_LEN];
    Writer fields = writer_make(contents, sizeof(contents));

    if (puzzle == NULL || puzzle->epoch == 0 || !carries(code)) {
        return;
    }
    put_u32(&fields, puzzle->epoch);
    put_u64(&fields, puzzle->nonce);
    put_extension(w,
                  &(ReloadExtension){.type = PUZZLE_EXTENSION, .contents = writer_view(&fields)});
}

/* This epoch's and the last one's count, and the next one's, for clocks that are ahead. */
static bool is_current(uint32_t epoch, uint32_t now)
{
    return epoch + 1 >= now && epoch <= now + 1 && epoch != 0;
}

bool puzzle_passes(const PealPeer *peer, const Inbound *request)
{
    PealBytes extensions = request->message.extensions;
    ReloadExtension extension;

    if (!puzzle_wanted(peer->overlay)) {
        return true;
    }
    while (reload_extension_next(&extensions, &extension)) {
        if (extension.type == PUZZLE_EXTENSION && extension.contents.len == CONTENTS_LEN) {
            uint32_t epoch = bytes_u32(extension.contents.ptr);

            return is_current(epoch, epoch_now(peer)) &&
                   solves(peer, &request->signer, epoch, bytes_u64(extension.contents.ptr + 4));
        }
    }
    return false;
}
