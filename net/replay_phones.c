/* SPDX-License-Identifier: GPL-3.0-or-later */
/* replay_phones.c - the phones of a replay into running peers. */
#include <errno.h>
#include <inttypes.h>
#include <scenarios/replay_phone.h>
#include <string.h>
#include <sys/resource.h>

#include "address.h"
#include "replay_live.h"

enum {
    PHONES_DESCRIPTORS_SPARE = 64, /* for everything else that the process has open */
    PHONES_STATUS_STRANGER = 480,
    PHONES_STATUS_NOT_SENT = 503
};

/* Descriptors. */

static bool phones_descriptors(uint32_t wanted, GError **error)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return true; /* the sockets will tell */
    }
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur == RLIM_INFINITY ||
        (uint64_t)wanted + PHONES_DESCRIPTORS_SPARE <= limit.rlim_cur) {
        return true;
    }
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_MFILE,
                "each of the trace's %u users wants a socket, and this process may have %" PRIu64
                " descriptors: %" PRIu64
                " users fit; raise the hard limit (ulimit -Hn), or replay a part of the trace",
                wanted, (uint64_t)limit.rlim_cur,
                (uint64_t)(limit.rlim_cur - MIN(limit.rlim_cur, PHONES_DESCRIPTORS_SPARE)));
    return false;
}

static void phones_no_socket(const PealAddr *target, uint32_t user, int why, GError **error)
{
    char text[ADDRESS_TEXT_LEN];

    address_text(target, text);
    if (why == EADDRINUSE || why == EAGAIN || why == EMFILE || why == ENFILE) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_MFILE,
                    "each user wants a UDP port of its own, and this machine has them for %u users "
                    "(%s); widen net.ipv4.ip_local_port_range, or replay a part of the trace",
                    user, g_strerror(why));
    } else {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(why),
                    "--to %s: no socket leads there: %s", text, g_strerror(why));
    }
}

/* Phones. */

static bool phone_make(Live *live, uint32_t i, GError **error)
{
    const ReplayUser *user = replay_user(live->replay, i);
    const LiveTarget *target = &live->targets[user->peer];
    LivePhone *phone = &live->phones[i];
    const SocketPhoneWho who = {.aor = {user->aor, strlen(user->aor)},
                                .proxy = target->addr,
                                .username = user->username,
                                .password = user->password};
    PhoneEnv *env =
        phone_env_new_kept(live->loop, &target->addr, &live->counts.sent, &live->counts.kept_in);

    if (env == NULL) {
        phones_no_socket(&target->addr, i, errno, error);
        return false;
    }
    *phone = (LivePhone){.live = live, .user = i};
    if (socket_phone_open(&phone->phone, env, &live->config, &who, phone) != 0) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "no phone can be %s: a SIP address has a user and a domain and at most %d "
                    "bytes, names and passwords have at most 255",
                    user->aor, PEAL_AOR_MAX);
        return false;
    }
    return true;
}

bool live_phones_make(Live *live, GError **error)
{
    if (!phones_descriptors(live->phones_len, error)) {
        return false;
    }
    for (uint32_t i = 0; i < live->phones_len; i++) {
        if (!phone_make(live, i, error)) {
            return false;
        }
    }
    return true;
}

void live_phones_free(Live *live)
{
    for (uint32_t i = 0; live->phones != NULL && i < live->phones_len; i++) {
        socket_phone_close(&live->phones[i].phone);
    }
    g_free(live->phones);
}

/* Registrations. */

/* What could not be sent is as good as refused. */
static void live_asks(Live *live, LivePhone *phone, int status)
{
    live->asking += phone->phone.asking;
    phone->holds |= phone->phone.asking && phone->phone.asked_s > 0;
    if (status != 0) {
        live->counts.register_failed++;
        live_registered(live, phone, PHONES_STATUS_NOT_SENT);
    }
}

void live_ask(Live *live, uint32_t user, uint32_t expires_s)
{
    LivePhone *phone = &live->phones[user];

    live->asking -= phone->phone.asking;
    live_asks(live, phone, socket_phone_ask(&phone->phone, expires_s));
}

static void on_registered(Live *live, LivePhone *phone, const PealPhoneEvent *event)
{
    bool granted = event->status / 100 == 2;
    bool refused = event->status != 408 && event->status / 100 != 5 && !granted;
    bool wants = phone->phone.asked_s > 0;

    phone->granted |= granted && wants;
    if (granted || (refused && !phone->granted)) {
        phone->holds = granted && wants;
    }
    if (event->refresh) {
        return;
    }
    *(granted ? &live->counts.registered : &live->counts.register_failed) += 1;
    live->asking--;
    live_registered(live, phone, event->status);
    live_asks(live, phone, socket_phone_asked(&phone->phone));
}

/* Calls. */

static void call_tell(Live *live, LiveCall *call)
{
    if (!call->told) {
        call->told = true;
        recorder_call(live->job->recorder, &call->record);
    }
}

static void call_heard(Live *live, LiveCall *call)
{
    live->calls_heard += !call->heard;
    call->heard = true;
}

/* What is ended by the end of the replay has come to nothing by itself: neither the play nor the
 * recorder hears of it. */
static bool is_the_traces(const Live *live, const LiveCall *call)
{
    return live->step == LIVE_PLAYING || call->told;
}

static void on_answered(Live *live, uint32_t number, const PealPhoneEvent *event)
{
    const ReplayCall *played = replay_call(live->replay, number);
    LiveCall *call = &live->calls[number];

    call_heard(live, call);
    if (is_the_traces(live, call)) {
        socket_phone_answered(&call->record, event,
                              played->final.ns > 0 ? played->final : (PealSpan){0});
        call_tell(live, call);
        replay_play_event(live->play, number, event);
    }
    call->endless = played->talk.ns < 0;
    live->calls_endless += call->endless;
    live_call_moved(live);
}

static void on_ended(Live *live, uint32_t number, const PealPhoneEvent *event)
{
    LiveCall *call = &live->calls[number];

    call_heard(live, call);
    call->ended = true;
    live->calls_ended++;
    live->calls_endless -= call->endless;
    if (is_the_traces(live, call)) {
        if (!event->answered) {
            call->record.status = event->status;
        }
        call_tell(live, call);
        replay_play_event(live->play, number, event);
    }
    live_call_moved(live);
}

void live_call_not_made(Live *live, uint32_t call)
{
    const PealPhoneEvent ended = {.kind = PEAL_PHONE_ENDED,
                                  .status = PHONES_STATUS_NOT_SENT,
                                  .token = call};

    live->counts.not_made++;
    on_ended(live, call, &ended);
}

static void on_incoming(Live *live, const LivePhone *phone, const PealPhoneEvent *event)
{
    const PealPhonePart away = {.status = PHONES_STATUS_STRANGER, .talk = PEAL_PHONE_NO_END};

    if (!replay_phone_incoming(phone->phone.core, live->play, phone->user, event)) {
        live->counts.strangers++;
        (void)!peal_phone_play(phone->phone.core, event->call, &away); /* else it is over already */
    }
}

void live_phones_on_event(void *user, PealPhone *core, const PealPhoneEvent *event)
{
    LivePhone *phone = user;
    Live *live = phone->live;
    uint32_t call = (uint32_t)event->token;

    (void)core;
    switch (event->kind) {
    case PEAL_PHONE_REGISTERED:
        on_registered(live, phone, event);
        break;
    case PEAL_PHONE_INCOMING:
        on_incoming(live, phone, event);
        break;
    case PEAL_PHONE_RINGING:
        call_heard(live, &live->calls[call]);
        if (live->step == LIVE_PLAYING) {
            replay_play_event(live->play, call, event);
        }
        live_call_moved(live);
        break;
    case PEAL_PHONE_ANSWERED:
        if (!event->incoming) {
            on_answered(live, call, event);
        }
        break;
    case PEAL_PHONE_ENDED:
        if (!event->incoming) {
            on_ended(live, call, event);
        }
        break;
    }
}
