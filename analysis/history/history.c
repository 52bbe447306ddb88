/* SPDX-License-Identifier: GPL-3.0-or-later */
/* history.c - takes messages, counts them, and hands each to the part that it concerns. */
#include "history/state.h"

static void user_clear(void *user)
{
    g_free(((HistoryUser *)user)->aor);
}

static void call_clear(void *data)
{
    HistoryCall *call = data;

    g_free(call->headers);
    g_free(call->content_type);
    g_free(call->body);
}

static void method_clear(void *data)
{
    g_free((char *)(uintptr_t)((HistoryCount *)data)->name);
}

static GArray *array_of(size_t size, GDestroyNotify clear)
{
    GArray *array = g_array_new(FALSE, TRUE, (guint)size);

    g_array_set_clear_func(array, clear);
    return array;
}

History *history_new(const HistoryConfig *config)
{
    History *history = g_new0(History, 1);

    history->config = *config;
    history->data.users = array_of(sizeof(HistoryUser), user_clear);
    history->data.registrations = array_of(sizeof(HistoryRegistration), NULL);
    history->data.calls = array_of(sizeof(HistoryCall), call_clear);
    history->data.methods = array_of(sizeof(HistoryCount), method_clear);
    history->open_registrations = array_of(sizeof(OpenRegistration), NULL);
    history->free_registrations = array_of(sizeof(uint32_t), NULL);
    history->open_calls = array_of(sizeof(OpenCall), NULL);
    history->free_calls = array_of(sizeof(uint32_t), NULL);
    expiry_init(&history->registration_queue);
    for (unsigned i = 0; i < CALL_QUEUES; i++) {
        expiry_init(&history->call_queues[i]);
    }
    history->codecs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (unsigned i = 0; i < 2; i++) {
        history->secret.word[i] = (uint64_t)g_random_int() << 32 | g_random_int();
    }
    return history;
}

void history_free(History *history)
{
    if (history == NULL) {
        return;
    }
    g_array_unref(history->data.users);
    g_array_unref(history->data.registrations);
    g_array_unref(history->data.calls);
    g_array_unref(history->data.methods);
    g_array_unref(history->open_registrations);
    g_array_unref(history->free_registrations);
    g_array_unref(history->open_calls);
    g_array_unref(history->free_calls);
    g_hash_table_unref(history->codecs);
    table_fini(&history->users);
    table_fini(&history->registrations);
    table_fini(&history->calls);
    table_fini(&history->media);
    seen_fini(&history->repeats);
    seen_fini(&history->others);
    g_free(history);
}

static void count_method(History *history, PealStr method)
{
    GArray *methods = history->data.methods;
    HistoryCount *added;

    for (guint i = 0; i < methods->len; i++) {
        HistoryCount *known = &g_array_index(methods, HistoryCount, i);

        if (str_is(method, known->name)) {
            known->count++;
            return;
        }
    }
    if (methods->len >= METHODS_MAX && !str_is(method, HISTORY_METHOD_OTHER)) {
        count_method(history, (PealStr){HISTORY_METHOD_OTHER, strlen(HISTORY_METHOD_OTHER)});
        return;
    }
    g_array_set_size(methods, methods->len + 1);
    added = &g_array_index(methods, HistoryCount, methods->len - 1);
    added->name = g_strndup(method.ptr, method.len);
    added->count = 1;
}

static PealStr start_line(PealStr bytes)
{
    const char *end = bytes.len > 0 ? memchr(bytes.ptr, '\n', bytes.len) : NULL;

    return end != NULL ? (PealStr){bytes.ptr, (size_t)(end - bytes.ptr)} : bytes;
}

/*
 * RFC 3261 s.17.1.3, s.17.2.3 and, for those without the magic cookie, RFC 2543 by the same: a
 * repetition goes the same way in the same transaction and says the same. The length of its body
 * is in it because a server may send several responses of one status (RFC 3262), and the To tag
 * because each fork does.
 */
static bool is_repeated(History *history, const TraceMessage *message)
{
    const PealSipScan *scan = &message->scan;
    TableHash hash;

    history_hash(history, &hash);
    table_hash_text(&hash, start_line(scan->bytes));
    table_hash_text(&hash, scan->branch);
    table_hash_text(&hash, scan->call_id);
    table_hash_text(&hash, scan->from_tag);
    table_hash_text(&hash, scan->to_tag);
    table_hash_text(&hash, scan->cseq_method);
    table_hash_number(&hash, (uint64_t)scan->cseq << 32 | (uint32_t)scan->body.len);
    history_hash_addr(&hash, &message->from);
    history_hash_addr(&hash, &message->to);
    return seen_again(&history->repeats, table_hash_key(&hash), history->now_ns);
}

/* Requests outside calls and registrations begin for themselves; their responses belong to them. */
static void hear_other(History *history, const PealSipScan *scan)
{
    TableHash hash;
    TableKey key;

    history_hash(history, &hash);
    table_hash_text(&hash, scan->call_id);
    table_hash_text(&hash, scan->status == 0 ? scan->method : scan->cseq_method);
    table_hash_number(&hash, scan->cseq);
    key = table_hash_key(&hash);
    if (scan->status == 0) {
        seen_again(&history->others, key, history->now_ns);
    } else if (!seen_has(&history->others, key)) {
        history->data.lost++;
    }
}

static void expire(History *history, int64_t at_ns)
{
    if (history->begun && at_ns <= history->now_ns) {
        return;
    }
    history->begun = true;
    history->now_ns = at_ns;
    registrations_expire(history);
    calls_expire(history);
}

/* A response of a known call says nothing of users that its request has not said; most messages
 * are such. */
static bool hear_answer(History *history, const Heard *heard)
{
    uint64_t lost = history->data.lost;
    bool heard_all = calls_hear(history, heard);

    if (!heard_all || history->data.lost != lost) {
        users_find(history, heard->scan->from, false);
        users_find(history, heard->scan->to, false);
    }
    return heard_all;
}

static void hear(History *history, const TraceMessage *message)
{
    const PealSipScan *scan = &message->scan;
    PealStr method = scan->status == 0 ? scan->method : scan->cseq_method;
    bool registers = str_is(method, "REGISTER");
    bool party = registers || str_is(method, "INVITE");
    Heard heard = {.message = message, .scan = scan, .from = HISTORY_NOBODY, .to = HISTORY_NOBODY};

    if (party || str_is(method, "CANCEL") || str_is(method, "ACK")) {
        heard.branch = history_key(history, "branch", scan->branch);
    }
    if (!registers) {
        heard.tag = history_key(history, "tag", scan->from_tag);
    }
    if (scan->status == 0 || registers || scan->call_id.len == 0) {
        heard.from = users_find(history, scan->from, party);
        heard.to = users_find(history, scan->to, party);
    }
    if (scan->status == 0) {
        users_sends(history, heard.from, &message->from);
    }
    if (scan->call_id.len == 0) {
        history->data.lost++;
    } else if (registers) {
        registrations_hear(history, &heard);
    } else if (!(scan->status == 0 ? calls_hear(history, &heard) : hear_answer(history, &heard))) {
        hear_other(history, scan);
    }
}

void history_message(void *user, const TraceMessage *message)
{
    History *history = user;
    const PealSipScan *scan = &message->scan;

    PEAL_ASSERT(!history->finished);
    if (message->at_ns < -INSTANT_MAX || message->at_ns > INSTANT_MAX) {
        TraceMessage clamped = *message;

        clamped.at_ns = CLAMP(message->at_ns, -INSTANT_MAX, INSTANT_MAX);
        history_message(user, &clamped);
        return;
    }
    expire(history, message->at_ns);
    if (scan->status == 0) {
        count_method(history, scan->method);
    } else if (scan->status < G_N_ELEMENTS(history->data.responses)) {
        history->data.responses[scan->status]++;
    }
    if (scan->call_id.len > 0 && is_repeated(history, message)) {
        history->data.retransmissions++;
        calls_touch(history, scan->call_id, message->at_ns);
        return;
    }
    hear(history, message);
}

static int compare_methods(const void *a, const void *b)
{
    return strcmp(((const HistoryCount *)a)->name, ((const HistoryCount *)b)->name);
}

static int compare_registrations(const void *a, const void *b)
{
    int64_t one = ((const HistoryRegistration *)a)->at_ns;
    int64_t other = ((const HistoryRegistration *)b)->at_ns;

    return one < other ? -1 : one > other;
}

static int compare_calls(const void *a, const void *b)
{
    int64_t one = ((const HistoryCall *)a)->at_ns;
    int64_t other = ((const HistoryCall *)b)->at_ns;

    return one < other ? -1 : one > other;
}

const HistoryData *history_finish(History *history)
{
    if (!history->finished) {
        history->finished = true;
        registrations_finish(history);
        calls_finish(history);
        g_array_sort(history->data.methods, compare_methods);
        g_array_sort(history->data.registrations, compare_registrations);
        g_array_sort(history->data.calls, compare_calls);
    }
    return &history->data;
}
