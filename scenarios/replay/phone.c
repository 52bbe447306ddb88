/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phone.c - see <scenarios/replay_phone.h>. */
#include <scenarios/replay_phone.h>
#include <string.h>

/* A phone knows no end where the trace has none. */
static PealSpan phone_span(PealSpan span)
{
    return span.ns < 0 ? PEAL_PHONE_NO_END : span;
}

static PealStr text_of(const char *text)
{
    return (PealStr){text, text != NULL ? strlen(text) : 0};
}

/* How long the caller talks before it hangs up. Where nobody was heard to, it is for as long as
 * there was a word of the call. */
static PealSpan talk_of(const ReplayCall *call)
{
    if (call->talk.ns >= 0) {
        return call->callee_hangs_up ? PEAL_PHONE_NO_END : call->talk;
    }
    return (PealSpan){MAX(call->last.ns - MAX(call->final.ns, 0), 0)};
}

int replay_phone_call(PealPhone *phone, ReplayPlay *play, const Replay *replay, uint32_t call,
                      uint64_t token)
{
    const ReplayCall *played = replay_call(replay, call);
    const PealPhoneWish wish = {
        .aor = text_of(replay_user(replay, played->callee)->aor),
        .duration = talk_of(played),
        .patience = phone_span(replay_patience(replay, call)),
        .headers = text_of(played->headers),
        .content_type = text_of(played->content_type),
        .body = text_of(played->body),
        .token = token,
    };

    const int status = peal_phone_call_as(phone, &wish);

    if (status == 0) {
        replay_play_named(play, call, peal_phone_call_id(phone, token));
    }
    return status;
}

bool replay_phone_incoming(PealPhone *phone, ReplayPlay *play, uint32_t callee,
                           const PealPhoneEvent *event)
{
    ReplayPart part;
    PealPhonePart own;

    if (!replay_play_incoming(play, callee, event->peer, event->call_id, &part)) {
        return false;
    }
    own = (PealPhonePart){.ring = phone_span(part.ring),
                          .status = part.status,
                          .talk = phone_span(part.talk)};
    return peal_phone_play(phone, event->call, &own) == 0;
}
