/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * play.c - what becomes of each call of a replay. See <scenarios/replay.h>.
 *
 * The calls that are on their way to a user are a list of its own, the oldest first: a call that
 * comes in is found among the few of its callee, by its Call-ID.
 */
#include <peal/phone.h>
#include <scenarios/replay.h>

enum { NONE = 0, STATUS_TIMEOUT = 408, STATUS_GIVEN_UP = 487 };

/* Calls are named by their number + 1 in lists, so that 0 ends them. */
typedef struct PlayCall {
    ReplayEnd end;
    uint64_t name; /* a digest of its Call-ID; 0: not known */
    uint32_t next;
    uint32_t before;
    bool expected; /* by its callee */
} PlayCall;

struct ReplayPlay {
    const Replay *replay;
    PlayCall *calls;
    uint32_t *first; /* per user: calls that are to come in at it */
    uint32_t *last;
};

ReplayPlay *replay_play_new(const Replay *replay)
{
    ReplayPlay *play = g_new0(ReplayPlay, 1);

    play->replay = replay;
    play->calls = g_new0(PlayCall, replay->calls->len);
    play->first = g_new0(uint32_t, replay->users->len);
    play->last = g_new0(uint32_t, replay->users->len);
    for (uint32_t i = 0; i < replay->calls->len; i++) {
        play->calls[i].end = (ReplayEnd){.outcome = HISTORY_UNANSWERED,
                                         .setup = REPLAY_NEVER,
                                         .answer = REPLAY_NEVER};
    }
    return play;
}

void replay_play_free(ReplayPlay *play)
{
    if (play != NULL) {
        g_free(play->calls);
        g_free(play->first);
        g_free(play->last);
        g_free(play);
    }
}

static void expect(ReplayPlay *play, uint32_t call)
{
    uint32_t callee = replay_call(play->replay, call)->callee;
    PlayCall *played = &play->calls[call];

    played->expected = true;
    played->before = play->last[callee];
    played->next = NONE;
    if (played->before != NONE) {
        play->calls[played->before - 1].next = call + 1;
    } else {
        play->first[callee] = call + 1;
    }
    play->last[callee] = call + 1;
}

static void expect_no_more(ReplayPlay *play, uint32_t call)
{
    uint32_t callee = replay_call(play->replay, call)->callee;
    PlayCall *played = &play->calls[call];

    if (!played->expected) {
        return;
    }
    played->expected = false;
    if (played->before != NONE) {
        play->calls[played->before - 1].next = played->next;
    } else {
        play->first[callee] = played->next;
    }
    if (played->next != NONE) {
        play->calls[played->next - 1].before = played->before;
    } else {
        play->last[callee] = played->before;
    }
}

void replay_play_begin(ReplayPlay *play, uint32_t call, PealTime at)
{
    PlayCall *played = &play->calls[call];

    if (!played->end.begun) {
        played->end.begun = true;
        played->end.started = at;
        expect(play, call);
    }
}

/* Whether a URI is a user's AOR, but for parameters and headers. */
static bool is_aor(PealStr uri, const char *aor)
{
    size_t len = 0;

    while (len < uri.len && uri.ptr[len] != ';' && uri.ptr[len] != '?') {
        len++;
    }
    return len == strlen(aor) && memcmp(uri.ptr, aor, len) == 0;
}

/* What the callee does so that the call ends as it did. */
static ReplayPart part_of(const ReplayCall *call)
{
    ReplayPart part = {.ring = call->final, .status = 200, .talk = REPLAY_NEVER};

    switch ((HistoryOutcome)call->outcome) {
    case HISTORY_ANSWERED:
        part.ring.ns = MAX(call->final.ns, 0);
        part.talk = call->callee_hangs_up ? call->talk : REPLAY_NEVER;
        break;
    case HISTORY_REFUSED:
        part.ring.ns = MAX(call->final.ns, 0);
        part.status = call->status;
        break;
    case HISTORY_CANCELLED: /* its caller gives up, whatever came then */
        part.ring = REPLAY_NEVER;
        break;
    case HISTORY_UNANSWERED:
        part.status = call->status == 0 ? 200 : STATUS_TIMEOUT;
        part.ring = call->status == 0 ? REPLAY_NEVER : call->final;
        break;
    }
    return part;
}

/* FNV-1a (Fowler, Noll, Vo), never 0. */
static uint64_t name_of(PealStr call_id)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < call_id.len; i++) {
        hash = (hash ^ (uint8_t)call_id.ptr[i]) * UINT64_C(0x100000001b3);
    }
    return MAX(hash, 1);
}

void replay_play_named(ReplayPlay *play, uint32_t call, PealStr call_id)
{
    play->calls[call].name = name_of(call_id);
}

bool replay_play_incoming(ReplayPlay *play, uint32_t callee, PealStr caller, PealStr call_id,
                          ReplayPart *ret_part)
{
    const Replay *replay = play->replay;
    const uint64_t name = name_of(call_id);
    uint32_t found = NONE;

    if (callee >= replay->users->len) {
        return false;
    }
    for (uint32_t i = play->first[callee]; i != NONE; i = play->calls[i - 1].next) {
        const ReplayCall *call = replay_call(replay, i - 1);

        if (is_aor(caller, replay_user(replay, call->caller)->aor)) {
            found = found == NONE ? i : found;
            if (play->calls[i - 1].name == name) {
                found = i;
                break;
            }
        }
    }
    if (found == NONE) {
        return false;
    }
    *ret_part = part_of(replay_call(replay, found - 1));
    expect_no_more(play, found - 1);
    return true;
}

/* What a call came to that was not answered. */
static HistoryOutcome outcome_of(const ReplayCall *call, uint16_t status)
{
    if (status == 0 || status == STATUS_TIMEOUT) {
        return HISTORY_UNANSWERED;
    }
    if (status == STATUS_GIVEN_UP) {
        /* The caller's patience ended where the recording did: nobody gave up there. */
        return call->outcome == HISTORY_UNANSWERED ? HISTORY_UNANSWERED : HISTORY_CANCELLED;
    }
    return HISTORY_REFUSED;
}

void replay_play_event(ReplayPlay *play, uint32_t call, const PealPhoneEvent *event)
{
    ReplayEnd *end = &play->calls[call].end;

    if (event->incoming || end->ended) {
        return;
    }
    switch (event->kind) {
    case PEAL_PHONE_RINGING:
        end->setup = event->to_ringing;
        break;
    case PEAL_PHONE_ANSWERED:
        end->outcome = HISTORY_ANSWERED;
        end->status = event->status;
        end->answer = event->to_answer;
        end->setup = event->to_ringing.ns >= 0 ? event->to_ringing : event->to_answer;
        break;
    case PEAL_PHONE_ENDED:
        end->ended = true;
        if (!event->answered) {
            end->status = event->status;
            end->outcome = (uint8_t)outcome_of(replay_call(play->replay, call), event->status);
        }
        expect_no_more(play, call);
        break;
    case PEAL_PHONE_REGISTERED:
    case PEAL_PHONE_INCOMING:
        break;
    }
}

void replay_play_lost(ReplayPlay *play, uint32_t call)
{
    expect_no_more(play, call);
}

const ReplayEnd *replay_play_end(const ReplayPlay *play, uint32_t call)
{
    return &play->calls[call].end;
}

PealSpan replay_patience(const Replay *replay, uint32_t call)
{
    const ReplayCall *played = replay_call(replay, call);

    switch ((HistoryOutcome)played->outcome) {
    case HISTORY_CANCELLED: /* a 487 alone tells of a CANCEL that was not seen */
        return played->cancel.ns >= 0  ? played->cancel
               : played->final.ns >= 0 ? played->final
                                       : played->last;
    case HISTORY_UNANSWERED:
        return played->status == 0 ? played->last : REPLAY_NEVER;
    case HISTORY_ANSWERED:
    case HISTORY_REFUSED:
        break;
    }
    return REPLAY_NEVER;
}
