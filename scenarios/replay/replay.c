/* SPDX-License-Identifier: GPL-3.0-or-later */
/* replay.c - a recorded workload, and how a trace becomes one. See <scenarios/replay.h>. */
#include "replay/build.h"

#include <math.h>
#include <scenarios/scenario.h>

const char *replay_left_out_name(ReplayLeftOut reason)
{
    static const char *const names[] = {[REPLAY_OUT_SELF] = "calls to oneself",
                                        [REPLAY_OUT_NOBODY] = "of users that are not known",
                                        [REPLAY_OUT_QUERY] = "registrations that ask only",
                                        [REPLAY_OUT_ODD] = "calls whose end is not known"};

    return names[reason];
}

static void user_clear(gpointer data)
{
    ReplayUser *user = data;

    g_free(user->aor);
    g_free(user->was);
    g_free(user->username);
    g_free(user->password);
}

static void call_clear(gpointer data)
{
    ReplayCall *call = data;

    g_free(call->headers);
    g_free(call->content_type);
    g_free(call->body);
}

Replay *replay_new(const char *source)
{
    Replay *replay = g_new0(Replay, 1);

    replay->users = g_array_new(FALSE, FALSE, sizeof(ReplayUser));
    g_array_set_clear_func(replay->users, user_clear);
    replay->registrations = g_array_new(FALSE, FALSE, sizeof(ReplayRegistration));
    replay->calls = g_array_new(FALSE, FALSE, sizeof(ReplayCall));
    g_array_set_clear_func(replay->calls, call_clear);
    replay->source = g_strdup(source != NULL ? source : "");
    replay->speed = 1;
    return replay;
}

void replay_free(Replay *replay)
{
    if (replay != NULL) {
        g_array_unref(replay->users);
        g_array_unref(replay->registrations);
        g_array_unref(replay->calls);
        g_free(replay->source);
        g_free(replay->placed);
        g_free(replay->first);
        g_free(replay);
    }
}

static gint registration_order(gconstpointer a, gconstpointer b)
{
    const ReplayRegistration *x = a;
    const ReplayRegistration *y = b;

    return (x->at.ns > y->at.ns) - (x->at.ns < y->at.ns);
}

static gint call_order(gconstpointer a, gconstpointer b)
{
    const ReplayCall *x = a;
    const ReplayCall *y = b;

    return (x->at.ns > y->at.ns) - (x->at.ns < y->at.ns);
}

/* When a call is over, counted from its INVITE, where all goes as in the trace. */
static int64_t call_end_ns(const Replay *replay, uint32_t i)
{
    const ReplayCall *call = replay_call(replay, i);
    int64_t end_ns = MAX(call->last.ns, replay_patience(replay, i).ns);

    end_ns = MAX(end_ns, call->final.ns);
    return MAX(end_ns,
               call->final.ns >= 0 && call->talk.ns >= 0 ? call->final.ns + call->talk.ns : 0);
}

void replay_settle(Replay *replay)
{
    g_array_sort(replay->registrations, registration_order);
    g_array_sort(replay->calls, call_order);
    replay->span.ns = 0;
    for (uint32_t i = 0; i < replay->users->len; i++) {
        ReplayUser *user = &g_array_index(replay->users, ReplayUser, i);

        user->expires_s = 0;
        user->last_called = REPLAY_NEVER;
    }
    for (uint32_t i = 0; i < replay->registrations->len; i++) {
        const ReplayRegistration *registration = replay_registration(replay, i);
        ReplayUser *user = &g_array_index(replay->users, ReplayUser, registration->user);

        if (user->expires_s == 0) {
            user->expires_s = registration->expires_s;
        }
        replay->span.ns = MAX(replay->span.ns, registration->at.ns);
    }
    for (uint32_t i = 0; i < replay->calls->len; i++) {
        const ReplayCall *call = replay_call(replay, i);

        g_array_index(replay->users, ReplayUser, call->callee).last_called = call->at;
        replay->span.ns = MAX(replay->span.ns, call->at.ns + call_end_ns(replay, i));
    }
}

uint32_t replay_lifetime_s(const Replay *replay, uint32_t user, uint32_t least, uint32_t fallback)
{
    uint32_t expires_s = replay_user(replay, user)->expires_s;

    return expires_s == 0 || expires_s < least ? fallback : expires_s;
}

PealSpan replay_trace_setup(const Replay *replay, uint32_t call)
{
    const ReplayCall *played = replay_call(replay, call);

    if (played->ringing.ns >= 0 || played->outcome != HISTORY_ANSWERED || played->final.ns < 0) {
        return played->ringing;
    }
    return (PealSpan){llround((double)played->final.ns * replay->speed)};
}

bool call_is_playable(const ReplayCall *call)
{
    if (call->status != 0 && (call->status < 200 || call->status > 699 || call->final.ns < 0)) {
        return false;
    }
    switch ((HistoryOutcome)call->outcome) {
    case HISTORY_ANSWERED:
        return call->status / 100 == 2;
    case HISTORY_REFUSED:
        return call->status >= 300;
    case HISTORY_UNANSWERED:
        return call->status == 0 || call->status == 408;
    case HISTORY_CANCELLED:
        break;
    }
    return call->status / 100 != 2;
}

/* From a trace. */

typedef struct Maker {
    Replay *replay;
    const HistoryData *data;
    const ReplayOptions *options;
    int64_t begin_ns;
} Maker;

static bool is_known(const Maker *maker, uint32_t user)
{
    return user < maker->data->users->len;
}

/* The trace's own begin: its first registration that asks for something, or its first call. */
static int64_t begin_of(const HistoryData *data)
{
    int64_t begin_ns = INT64_MAX;

    for (guint i = 0; i < data->registrations->len; i++) {
        const HistoryRegistration *registration =
            &g_array_index(data->registrations, HistoryRegistration, i);

        if (!registration->query) {
            begin_ns = MIN(begin_ns, registration->at_ns);
        }
    }
    for (guint i = 0; i < data->calls->len; i++) {
        begin_ns = MIN(begin_ns, g_array_index(data->calls, HistoryCall, i).at_ns);
    }
    return begin_ns;
}

/* A span of the trace in whole us, divided by `speed`. */
static PealSpan span_of(int64_t from_ns, int64_t to_ns, double speed)
{
    int64_t ns;

    if (to_ns == HISTORY_NEVER || from_ns == HISTORY_NEVER) {
        return REPLAY_NEVER;
    }
    if (__builtin_sub_overflow(to_ns, from_ns, &ns)) {
        ns = to_ns > from_ns ? INT64_MAX : 0;
    }
    return peal_us(llround(CLAMP((double)ns / 1e3 / speed, 0, REPLAY_SPAN_MAX_S * 1e6)));
}

static void add_users(Maker *maker)
{
    const GArray *users = maker->data->users;
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < users->len; i++) {
        const HistoryUser *from = &g_array_index(users, HistoryUser, i);
        ReplayUser user = {.was = g_strdup(from->aor),
                           .address = from->address,
                           .place = UINT32_MAX};
        char *name = name_user(from->aor);

        if (maker->options->anonymise != NULL) {
            char *anonymous = name_anonymous(maker->options->anonymise, name);

            g_free(name);
            name = anonymous;
            user.address = name_address(maker->options->anonymise, &from->address);
        }
        g_ptr_array_add(names, name);
        g_array_append_val(maker->replay->users, user);
    }
    names_give(maker->replay, (char *const *)names->pdata, maker->options->domain);
}

static void add_registration(Maker *maker, const HistoryRegistration *from)
{
    Replay *replay = maker->replay;
    const ReplayRegistration registration = {.at = span_of(maker->begin_ns, from->at_ns,
                                                           maker->options->speed),
                                             .user = from->user,
                                             .expires_s = from->expires_s};

    if (from->query || !is_known(maker, from->user)) {
        replay->left_out[from->query ? REPLAY_OUT_QUERY : REPLAY_OUT_NOBODY]++;
        return;
    }
    g_array_append_val(replay->registrations, registration);
}

static void add_texts(const Maker *maker, const HistoryCall *from, ReplayCall *call)
{
    const char *key = maker->options->anonymise;

    if (maker->options->keep_headers) {
        call->headers = text_headers(from->headers, key);
    }
    if (maker->options->keep_bodies) {
        call->body = text_body(from->content_type, from->body, from->body_len, key);
        if (call->body != NULL) { /* a type that is folded becomes one line */
            call->content_type = g_strdelimit(g_strdup(from->content_type), "\r\n", ' ');
        }
    }
}

static void add_call(Maker *maker, const HistoryCall *from)
{
    Replay *replay = maker->replay;
    double speed = maker->options->speed;
    ReplayCall call = {.at = span_of(maker->begin_ns, from->at_ns, speed),
                       .caller = from->caller,
                       .callee = from->callee,
                       .ringing = span_of(from->at_ns, from->ringing_ns, 1),
                       .final = span_of(from->at_ns, from->final_ns, speed),
                       .cancel = span_of(from->at_ns, from->cancel_ns, speed),
                       .talk = REPLAY_NEVER,
                       .last = span_of(from->at_ns, MAX(from->last_ns, from->at_ns), speed),
                       .status = from->status,
                       .outcome = (uint8_t)from->outcome,
                       .callee_hangs_up = from->callee_hung_up};

    if (!is_known(maker, from->caller) || !is_known(maker, from->callee)) {
        replay->left_out[REPLAY_OUT_NOBODY]++;
        return;
    }
    if (from->caller == from->callee) {
        replay->left_out[REPLAY_OUT_SELF]++;
        return;
    }
    if (from->outcome == HISTORY_ANSWERED) {
        call.talk = span_of(from->final_ns, from->end_ns, speed);
    }
    if (!call_is_playable(&call)) {
        replay->left_out[REPLAY_OUT_ODD]++;
        return;
    }
    add_texts(maker, from, &call);
    g_array_append_val(replay->calls, call);
}

Replay *replay_from_history(const char *source, const HistoryData *data,
                            const ReplayOptions *options, GError **error)
{
    g_autoptr(Replay) replay = replay_new(source);
    Maker maker = {replay, data, options, begin_of(data)};

    PEAL_ASSERT(options->speed > 0);
    if (strlen(options->domain) == 0 || strlen(options->domain) > REPLAY_DOMAIN_MAX) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                    "the domain '%s' of a replay has 1 to %d bytes", options->domain,
                    REPLAY_DOMAIN_MAX);
        return NULL;
    }
    replay->speed = options->speed;
    add_users(&maker);
    for (guint i = 0; i < data->registrations->len; i++) {
        add_registration(&maker, &g_array_index(data->registrations, HistoryRegistration, i));
    }
    for (guint i = 0; i < data->calls->len; i++) {
        add_call(&maker, &g_array_index(data->calls, HistoryCall, i));
    }
    replay_settle(replay);
    if (options->credentials != NULL &&
        !replay_read_credentials(replay, options->credentials, error)) {
        return NULL;
    }
    return g_steal_pointer(&replay);
}
