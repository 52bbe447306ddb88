/* SPDX-License-Identifier: GPL-3.0-or-later */
/* calls.c - INVITEs and what belongs to them put together to calls; see history.h for what is one.
 * The caller's end is the leg whose INVITE came first. */
#include "history/state.h"

/* How long a call may be silent before what comes then belongs to another. */
static const int64_t SILENT_NS[CALL_QUEUES] = {
    [CALL_WAITS] = 3600 * PEAL_NS_PER_S,
    [CALL_TALKS] = 24 * 3600 * PEAL_NS_PER_S,
    [CALL_OVER] = TRANSACTION_NS,
};

/* A call on two legs of a back-to-back user agent: its second INVITE follows at once. */
#define LINK_NS (32 * PEAL_NS_PER_S)

static void requeue(History *history, uint32_t number, CallQueue queue)
{
    OpenCall *open = calls_open(history, number);

    expiry_remove(history->open_calls, &history->call_queues[open->queued.queue], number);
    open->queued.queue = (uint8_t)queue;
    expiry_add(history->open_calls, &history->call_queues[queue], number, history->now_ns);
}

static void use(History *history, uint32_t number)
{
    requeue(history, number, (CallQueue)calls_open(history, number)->queued.queue);
}

static HistoryOutcome outcome_of(const HistoryCall *call)
{
    bool cancelled = call->cancel_ns != HISTORY_NEVER &&
                     (call->final_ns == HISTORY_NEVER || call->cancel_ns <= call->final_ns);

    if (call->status >= 200 && call->status < 300) {
        return HISTORY_ANSWERED; /* RFC 3261 s.9.1: a 2xx that crosses the CANCEL stands */
    }
    if (cancelled || call->status == 487) {
        return HISTORY_CANCELLED;
    }
    return call->status == 0 || call->status == 408 ? HISTORY_UNANSWERED : HISTORY_REFUSED;
}

/* Nothing more belongs to it. Where the caller's end heard nothing, the capture may have lost it:
 * then what another leg heard counts. */
static void end(History *history, uint32_t number)
{
    OpenCall *open = calls_open(history, number);
    HistoryCall *call = calls_data(history, open);

    if (call->status == 0 && open->far_status != 0) {
        call->status = open->far_status;
        call->final_ns = open->far_ns;
    }
    call->outcome = outcome_of(call);
    media_forget(history, number);
    for (unsigned i = 0; i < open->names_len; i++) {
        if (table_get(&history->calls, open->names[i]) == number) {
            table_remove(&history->calls, open->names[i]);
        }
    }
    expiry_remove(history->open_calls, &history->call_queues[open->queued.queue], number);
    pool_give(history->open_calls, history->free_calls, number);
}

void calls_expire(History *history)
{
    for (unsigned queue = 0; queue < CALL_QUEUES; queue++) {
        uint32_t first = history->call_queues[queue].first;

        while (first != TABLE_NONE &&
               history->now_ns - calls_open(history, first)->queued.used_ns > SILENT_NS[queue]) {
            const HistoryCall *call = calls_data(history, calls_open(history, first));

            if (queue == CALL_TALKS && call->media_last_ns != HISTORY_NEVER &&
                history->now_ns - call->media_last_ns <= SILENT_NS[queue]) {
                use(history, first);
            } else {
                end(history, first);
            }
            first = history->call_queues[queue].first;
        }
    }
}

void calls_finish(History *history)
{
    for (unsigned queue = 0; queue < CALL_QUEUES; queue++) {
        while (history->call_queues[queue].first != TABLE_NONE) {
            end(history, history->call_queues[queue].first);
        }
    }
}

/* One more may begin. */
static void make_room(History *history)
{
    static const CallQueue ORDER[] = {CALL_OVER, CALL_WAITS, CALL_TALKS};

    if (history->open_calls->len - history->free_calls->len < OPEN_CALLS_MAX) {
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(ORDER); i++) {
        uint32_t first = history->call_queues[ORDER[i]].first;

        if (first != TABLE_NONE) {
            end(history, first);
            return;
        }
    }
}

static uint64_t pair_of(const History *history, const TraceMessage *message)
{
    TableHash from, to;

    history_hash(history, &from);
    history_hash_addr(&from, &message->from);
    history_hash(history, &to);
    history_hash_addr(&to, &message->to);
    return table_hash_key(&from).word[0] + table_hash_key(&to).word[0]; /* either way */
}

/* Counts a number that stands for something in a list of those known, unless it is there. */
static void count_new(uint64_t *known, uint8_t *len, unsigned max, uint64_t number, uint16_t *count)
{
    for (unsigned i = 0; i < *len; i++) {
        if (known[i] == number) {
            return;
        }
    }
    if (*len < max) {
        known[(*len)++] = number;
    }
    if (*count < UINT16_MAX) {
        (*count)++;
    }
}

static void add_leg(History *history, OpenCall *open, const TraceMessage *message)
{
    count_new(open->legs, &open->legs_len, LEGS_KEPT, pair_of(history, message),
              &calls_data(history, open)->legs);
}

static void add_fork(const History *history, OpenCall *open, HistoryCall *call, PealStr to_tag)
{
    if (to_tag.len > 0) {
        count_new(open->forks, &open->forks_len, FORKS_KEPT,
                  history_key(history, "tag", to_tag).word[0], &call->forks);
    }
}

static void add_name(History *history, uint32_t number, TableKey name)
{
    OpenCall *open = calls_open(history, number);

    if (open->names_len < NAMES_KEPT) {
        open->names[open->names_len++] = name;
        table_put(&history->calls, name, number);
    }
}

static bool field(const PealSipScan *scan, const char *name, PealStr *ret_value)
{
    return peal_sip_scan_field(scan, (PealStr){name, strlen(name)}, 0, ret_value);
}

static PealStr until(PealStr text, const char *ends)
{
    size_t len = 0;

    while (len < text.len && strchr(ends, text.ptr[len]) == NULL) {
        len++;
    }
    return (PealStr){text.ptr, len};
}

/* RFC 7989 s.5: a UUID of zeros stands for none. */
static bool is_nil(PealStr uuid)
{
    for (size_t i = 0; i < uuid.len; i++) {
        if (uuid.ptr[i] != '0') {
            return false;
        }
    }
    return true;
}

/*
 * The texts of an INVITE that a back-to-back user agent passes on, so that two Call-IDs are one
 * call: the identifier of the session (RFC 7989, RFC 7329) and the charging one (RFC 7315 s.5.6).
 */
static unsigned link_names(const History *history, const PealSipScan *scan, TableKey *ret_names)
{
    unsigned len = 0;
    PealStr value, param;

    if (field(scan, "Session-ID", &value)) {
        PealStr uuid = until(value, "; \t");

        if (!is_nil(uuid)) {
            ret_names[len++] = history_key(history, "session", uuid);
        }
    }
    if (field(scan, "P-Charging-Vector", &value)) {
        PealStr icid = {NULL, 0};
        PealStr first = until(value, ";");

        /* its first parameter has no semicolon in front of it */
        if (first.len > 11 && g_ascii_strncasecmp(first.ptr, "icid-value=", 11) == 0) {
            icid = until((PealStr){first.ptr + 11, first.len - 11}, " \t");
        } else if (peal_sip_param((PealStr){value.ptr + first.len, value.len - first.len},
                                  "icid-value", &param)) {
            icid = param;
        }
        if (icid.len > 0) {
            ret_names[len++] = history_key(history, "icid", icid);
        }
    }
    return len;
}

/* The call whose other leg this INVITE is, by what it says itself; TABLE_NONE for none. */
static uint32_t find_linked(History *history, const Heard *heard, const TableKey *names,
                            unsigned names_len)
{
    uint32_t found = TABLE_NONE;
    PealStr other;

    if (field(heard->scan, "X-Call-ID", &other)) {
        found = table_get(&history->calls, history_key(history, "call", other));
    }
    for (unsigned i = 0; i < names_len && found == TABLE_NONE; i++) {
        found = table_get(&history->calls, names[i]);
    }
    if (found != TABLE_NONE) {
        const OpenCall *open = calls_open(history, found);
        const HistoryCall *call = calls_data(history, open);

        /* A caller that says the same in each of its calls makes another call. */
        if (open->queued.queue == CALL_OVER || addr_equal(&open->caller, &heard->message->from) ||
            heard->message->at_ns - call->at_ns > LINK_NS) {
            found = TABLE_NONE;
        }
    }
    return found;
}

static void take_invite(OpenCall *open, const Heard *heard)
{
    open->cseq = heard->scan->cseq;
    open->tag = heard->tag;
    open->caller = heard->message->from;
    open->callee = heard->message->to;
    open->branches[0] = heard->branch;
    open->branches_len = 1;
    open->finals = 0;
    open->far_status = 0;
}

static void begin(History *history, const Heard *heard, TableKey name)
{
    const TraceMessage *message = heard->message;
    HistoryCall call = {.at_ns = message->at_ns,
                        .ringing_ns = HISTORY_NEVER,
                        .final_ns = HISTORY_NEVER,
                        .cancel_ns = HISTORY_NEVER,
                        .end_ns = HISTORY_NEVER,
                        .last_ns = message->at_ns,
                        .media_first_ns = HISTORY_NEVER,
                        .media_last_ns = HISTORY_NEVER};
    TableKey names[2];
    unsigned names_len = link_names(history, heard->scan, names);
    uint32_t number = find_linked(history, heard, names, names_len);
    OpenCall *open;

    if (number != TABLE_NONE) {
        add_name(history, number, name);
        add_leg(history, calls_open(history, number), message);
        media_session(history, number, heard);
        return;
    }
    call.caller = heard->from;
    call.callee = heard->to;
    texts_keep(history, &call, heard->scan);
    make_room(history);
    number = pool_take(history->open_calls, history->free_calls);
    open = calls_open(history, number);
    open->number = history->data.calls->len;
    g_array_append_val(history->data.calls, call);
    take_invite(open, heard);
    add_leg(history, open, message);
    open->queued.queue = CALL_WAITS;
    expiry_add(history->open_calls, &history->call_queues[CALL_WAITS], number, history->now_ns);
    add_name(history, number, name);
    for (unsigned i = 0; i < names_len; i++) {
        add_name(history, number, names[i]);
    }
    media_session(history, number, heard);
}

/* RFC 3261 s.8.1.3.4, s.8.1.3.5, s.22 and the extensions of it: the caller is asked for another
 * INVITE, of the same call. */
static bool asks_again(uint16_t status)
{
    switch (status) {
    case 401:
    case 407:
    case 413:
    case 415:
    case 416:
    case 420:
    case 421:
    case 422: /* RFC 4028 s.6 */
    case 423:
    case 428: /* RFC 8224 s.6.2.2 */
    case 484:
    case 488:
    case 494: /* RFC 3329 */
    case 503:
        return true;
    default:
        return status >= 300 && status < 400;
    }
}

static bool is_caller(const OpenCall *open, const TraceMessage *message)
{
    return message->tcp ? addr_same_host(&open->caller, &message->from)
                        : addr_equal(&open->caller, &message->from);
}

/* The caller, or a proxy of which the capture shows one side only, tries elsewhere as well. */
static void add_branch(OpenCall *open, HistoryCall *call, const Heard *heard)
{
    if (open->branches_len < BRANCHES_KEPT) {
        open->branches[open->branches_len++] = heard->branch;
    }
    if (call->status >= 300 && asks_again(call->status)) {
        call->status = 0;
        call->final_ns = HISTORY_NEVER;
    }
}

static bool is_own(const OpenCall *open, TableKey branch)
{
    for (unsigned i = 0; i < open->branches_len; i++) {
        if (table_key_equal(open->branches[i], branch)) {
            return true;
        }
    }
    return false;
}

/* The caller makes its INVITE again, as it was asked to. */
static void repeat(History *history, uint32_t number, const Heard *heard)
{
    OpenCall *open = calls_open(history, number);
    HistoryCall *call = calls_data(history, open);
    uint16_t status = call->status != 0 ? call->status : open->far_status;

    if (!open->counted && (status == 401 || status == 407)) {
        open->counted = true;
        history->data.challenged++;
    }
    take_invite(open, heard);
    call->status = 0;
    call->final_ns = HISTORY_NEVER;
    requeue(history, number, CALL_WAITS);
}

/* An INVITE outside dialogs with the Call-ID of a call that is known. Returns false when it begins
 * another one. */
static bool hear_invite(History *history, uint32_t number, const Heard *heard)
{
    OpenCall *open = calls_open(history, number);
    HistoryCall *call = calls_data(history, open);
    bool same_tag = table_key_equal(heard->tag, open->tag);
    bool caller = is_caller(open, heard->message);
    uint16_t status = call->status != 0 ? call->status : open->far_status;
    /* Not where a proxy answers for a caller who goes on waiting. */
    bool later = heard->scan->cseq > open->cseq && (caller || call->status != 0);

    if (same_tag && heard->scan->cseq == open->cseq) {
        if (caller && !is_own(open, heard->branch)) {
            add_branch(open, call, heard);
        }
    } else if (same_tag ? later : caller) {
        if (status != 0 && !asks_again(status)) {
            return false;
        }
        repeat(history, number, heard);
    }
    add_leg(history, calls_open(history, number), heard->message);
    return true;
}

static void hear_final(History *history, uint32_t number, const Heard *heard, bool own)
{
    OpenCall *open = calls_open(history, number);
    HistoryCall *call = calls_data(history, open);
    uint16_t status = heard->scan->status;

    if (!own) {
        if (open->far_status < 200 || open->far_status >= 300) {
            open->far_status = status;
            open->far_ns = heard->message->at_ns;
        }
        return;
    }
    if (status < 300) {
        if (call->status < 200 || call->status >= 300) {
            call->status = status;
            call->final_ns = heard->message->at_ns;
        }
        if (call->end_ns == HISTORY_NEVER) {
            requeue(history, number, CALL_TALKS);
        }
        return;
    }
    open->finals++;
    if (call->status == 0) {
        call->status = status;
        call->final_ns = heard->message->at_ns;
    }
    if (call->status >= 300 && open->finals >= open->branches_len && !asks_again(status)) {
        requeue(history, number, CALL_OVER);
    }
}

static void hear_response(History *history, uint32_t number, const Heard *heard)
{
    const PealSipScan *scan = heard->scan;
    OpenCall *open = calls_open(history, number);
    HistoryCall *call = calls_data(history, open);
    bool own = is_own(open, heard->branch);

    /* Of a later INVITE, the callee's too, or on a leg that has tags of its own. */
    if (!str_is(scan->cseq_method, "INVITE") || scan->cseq != open->cseq ||
        !table_key_equal(heard->tag, open->tag)) {
        return;
    }
    if (scan->status > 100 && scan->status < 300) {
        add_fork(history, open, call, scan->to_tag);
    }
    if (scan->status >= 200) {
        hear_final(history, number, heard, own);
    } else if (scan->status > 100 && own && call->ringing_ns == HISTORY_NEVER) {
        call->ringing_ns = heard->message->at_ns;
    }
}

/* The BYE is the callee's when its tags stand the other way round; on legs with tags of their own,
 * when it does not come from the caller. */
static bool is_callees(const History *history, const OpenCall *open, const Heard *heard)
{
    if (table_key_equal(heard->tag, open->tag)) {
        return false;
    }
    if (table_key_equal(history_key(history, "tag", heard->scan->to_tag), open->tag)) {
        return true;
    }
    return !addr_same_host(&open->caller, &heard->message->from) ||
           (!heard->message->tcp && !addr_equal(&open->caller, &heard->message->from));
}

static void hear_bye(History *history, uint32_t number, const Heard *heard)
{
    const OpenCall *open = calls_open(history, number);
    HistoryCall *call = calls_data(history, open);

    if (call->end_ns == HISTORY_NEVER) {
        call->end_ns = heard->message->at_ns;
        call->callee_hung_up = is_callees(history, open, heard);
    }
    requeue(history, number, CALL_OVER);
}

static void hear_cancel(History *history, const OpenCall *open, const Heard *heard)
{
    HistoryCall *call = calls_data(history, open);

    /* Not those by which a proxy ends the forks that lost. RFC 3261 s.9.1: the branch is that of
     * the INVITE. */
    if (call->cancel_ns == HISTORY_NEVER && heard->scan->cseq == open->cseq &&
        is_own(open, heard->branch)) {
        call->cancel_ns = heard->message->at_ns;
    }
}

/* RFC 3261 s.13.2.2.4, s.17.1.1.3: the ACK of a 2xx is a transaction of its own, that of another
 * response has the INVITE's branch. So the caller's tells of a 2xx that the capture lost. */
static void hear_ack(History *history, uint32_t number, const Heard *heard)
{
    static const char COOKIE[] = "z9hG4bK"; /* s.8.1.1.7; RFC 2543 had no such rule */
    const PealSipScan *scan = heard->scan;
    OpenCall *open = calls_open(history, number);
    HistoryCall *call = calls_data(history, open);
    bool heard_2xx = open->far_status >= 200 && open->far_status < 300;

    if (call->status != 0 || heard_2xx || scan->cseq != open->cseq ||
        !table_key_equal(heard->tag, open->tag) || !is_caller(open, heard->message) ||
        is_own(open, heard->branch) || scan->branch.len < sizeof(COOKIE) - 1 ||
        memcmp(scan->branch.ptr, COOKIE, sizeof(COOKIE) - 1) != 0) {
        return;
    }
    call->status = 200;
    call->final_ns = heard->message->at_ns;
    if (call->end_ns == HISTORY_NEVER) {
        requeue(history, number, CALL_TALKS);
    }
}

/* Methods that make no sense outside a call. */
static bool needs_call(PealStr method)
{
    static const char *const METHODS[] = {"INVITE", "ACK",    "BYE", "CANCEL",
                                          "PRACK",  "UPDATE", "INFO"};

    for (size_t i = 0; i < G_N_ELEMENTS(METHODS); i++) {
        if (str_is(method, METHODS[i])) {
            return true;
        }
    }
    return false;
}

void calls_touch(History *history, PealStr call_id, int64_t at_ns)
{
    uint32_t number = table_get(&history->calls, history_key(history, "call", call_id));

    if (number != TABLE_NONE) {
        HistoryCall *call = calls_data(history, calls_open(history, number));

        call->last_ns = MAX(call->last_ns, at_ns);
        use(history, number);
    }
}

bool calls_hear(History *history, const Heard *heard)
{
    const PealSipScan *scan = heard->scan;
    TableKey name = history_key(history, "call", scan->call_id);
    uint32_t number = table_get(&history->calls, name);
    bool begins = scan->status == 0 && scan->to_tag.len == 0 && str_is(scan->method, "INVITE");

    if (number == TABLE_NONE && !begins) {
        if (needs_call(scan->method)) {
            history->data.lost++;
            return true;
        }
        return false;
    }
    if (number != TABLE_NONE) {
        HistoryCall *call = calls_data(history, calls_open(history, number));

        if (begins && !hear_invite(history, number, heard)) {
            end(history, number);
            begin(history, heard, name);
            return true;
        }
        call->last_ns = MAX(call->last_ns, heard->message->at_ns);
        use(history, number);
        if (scan->status != 0) {
            hear_response(history, number, heard);
        } else if (str_is(scan->method, "ACK")) {
            hear_ack(history, number, heard);
        } else if (str_is(scan->method, "BYE")) {
            hear_bye(history, number, heard);
        } else if (str_is(scan->method, "CANCEL")) {
            hear_cancel(history, calls_open(history, number), heard);
        }
        media_session(history, number, heard);
        return true;
    }
    begin(history, heard, name);
    return true;
}
