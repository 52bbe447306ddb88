/* SPDX-License-Identifier: GPL-3.0-or-later */
/* registrations.c - REGISTER requests and their answers put together to attempts; see history.h
 * for what is one. */
#include "history/state.h"

enum {
    TRIES_MAX = 8,
    CONTACTS_MAX = 32,
    EXPIRES_DEFAULT_S = 3600 /* RFC 3261 s.10.2: what most registrars grant who ask for nothing */
};
#define SILENT_NS (600 * PEAL_NS_PER_S)
#define PROMPT_NS (4 * PEAL_NS_PER_S)

static OpenRegistration *open_at(History *history, uint32_t number)
{
    return &g_array_index(history->open_registrations, OpenRegistration, number);
}

static HistoryRegistration *data_of(History *history, const OpenRegistration *open)
{
    return &g_array_index(history->data.registrations, HistoryRegistration, open->number);
}

static void use(History *history, uint32_t number)
{
    expiry_remove(history->open_registrations, &history->registration_queue, number);
    expiry_add(history->open_registrations, &history->registration_queue, number, history->now_ns);
}

/* Nothing more belongs to it: where the leg seen first had no answer, that of another one counts
 * (the capture has lost it). */
static void end(History *history, uint32_t number)
{
    OpenRegistration *open = open_at(history, number);
    HistoryRegistration *registration = data_of(history, open);

    if (registration->status == 0 && open->far_status != 0) {
        registration->status = open->far_status;
        registration->answered_ns = open->far_ns;
    }
    if (table_get(&history->registrations, open->key) == number) {
        table_remove(&history->registrations, open->key);
    }
    expiry_remove(history->open_registrations, &history->registration_queue, number);
    pool_give(history->open_registrations, history->free_registrations, number);
}

void registrations_expire(History *history)
{
    uint32_t first = history->registration_queue.first;

    while (first != TABLE_NONE &&
           history->now_ns - open_at(history, first)->queued.used_ns > SILENT_NS) {
        end(history, first);
        first = history->registration_queue.first;
    }
}

void registrations_finish(History *history)
{
    while (history->registration_queue.first != TABLE_NONE) {
        end(history, history->registration_queue.first);
    }
}

static bool has_field(const PealSipScan *scan, const char *name)
{
    PealStr value;

    return peal_sip_scan_field(scan, (PealStr){name, strlen(name)}, 0, &value);
}

static bool has_credentials(const PealSipScan *scan)
{
    return has_field(scan, "Authorization") || has_field(scan, "Proxy-Authorization");
}

/* The answers that ask for another REGISTER, each a bit; 0 for those that do not. */
static uint32_t challenge_bit(uint16_t status)
{
    static const uint16_t CHALLENGES[] = {
        401, 407, /* RFC 3261 s.22 */
        423,      /* s.10.3: the interval is too brief */
        494,      /* RFC 3329 */
        420, 421, /* RFC 3261 s.8.1.3.5 */
        300, 301, 302, 305,
    };

    for (size_t i = 0; i < G_N_ELEMENTS(CHALLENGES); i++) {
        if (CHALLENGES[i] == status) {
            return UINT32_C(1) << i;
        }
    }
    return 0;
}

static bool is_repetition(const OpenRegistration *open, const HistoryRegistration *registration,
                          const Heard *heard, bool credentials)
{
    const PealSipScan *scan = heard->scan;
    uint16_t status = registration->status != 0 ? registration->status : open->far_status;
    int64_t status_ns = registration->status != 0 ? registration->answered_ns : open->far_ns;
    uint32_t bit = challenge_bit(status);

    if (scan->cseq <= open->cseq || open->tries >= TRIES_MAX) {
        return false;
    }
    if (status == 0) { /* the capture does not have the challenge */
        return credentials && !open->credentials &&
               scan->cseq - open->cseq == 1; /* RFC 3261 s.22.2 */
    }
    if (bit == 0 || ((open->answered & bit) != 0 && !open->stale &&
                     heard->message->at_ns - status_ns > PROMPT_NS)) {
        return false;
    }
    return (status != 401 && status != 407) || credentials || scan->cut;
}

static TableKey contact_key(const History *history, PealStr contact)
{
    PealSipUri uri;
    TableHash hash;

    history_hash(history, &hash);
    if (peal_sip_address(contact, &uri, NULL) == 0) {
        table_hash_text(&hash, uri.user);
        table_hash_text(&hash, uri.host);
        table_hash_number(&hash, uri.port);
    } else {
        table_hash_text(&hash, contact);
    }
    return table_hash_key(&hash);
}

static uint32_t clamp_seconds(int64_t seconds)
{
    return (uint32_t)CLAMP(seconds, 0, INT32_MAX);
}

/* What a REGISTER says, the first one of an attempt and each that repeats it. */
static void take_request(History *history, OpenRegistration *open, const Heard *heard,
                         bool credentials)
{
    const PealSipScan *scan = heard->scan;
    HistoryRegistration *registration = data_of(history, open);

    open->cseq = scan->cseq;
    open->branch = heard->branch;
    open->contact = contact_key(history, scan->contact);
    open->credentials = credentials;
    open->stale = false;
    open->far_status = 0;
    open->tries++;
    registration->status = 0;
    registration->answered_ns = HISTORY_NEVER;
    registration->query = scan->contact.len == 0 && !scan->cut;
    registration->asked_s = scan->expires_s >= 0 ? clamp_seconds(scan->expires_s) : HISTORY_UNSAID;
    registration->expires_s =
        scan->expires_s >= 0 ? clamp_seconds(scan->expires_s) : EXPIRES_DEFAULT_S;
    if (!registration->query && heard->to != HISTORY_NOBODY) {
        users_at(history, heard->to)->registers = true;
    }
}

static void begin(History *history, const Heard *heard, TableKey key, bool credentials)
{
    HistoryRegistration registration = {.user = heard->to,
                                        .at_ns = heard->message->at_ns,
                                        .answered_ns = HISTORY_NEVER};
    uint32_t number;
    OpenRegistration *open;

    if (history->open_registrations->len - history->free_registrations->len >=
        OPEN_REGISTRATIONS_MAX) {
        end(history, history->registration_queue.first);
    }
    number = pool_take(history->open_registrations, history->free_registrations);
    open = open_at(history, number);
    open->number = history->data.registrations->len;
    g_array_append_val(history->data.registrations, registration);
    open->key = key;
    open->first_cseq = heard->scan->cseq;
    take_request(history, open, heard, credentials);
    table_put(&history->registrations, key, number);
    expiry_add(history->open_registrations, &history->registration_queue, number, history->now_ns);
}

static void repeat(History *history, OpenRegistration *open, const Heard *heard, bool credentials)
{
    const HistoryRegistration *registration = data_of(history, open);
    uint16_t status = registration->status != 0 ? registration->status : open->far_status;

    open->answered |= challenge_bit(status);
    if (credentials && !open->counted && (status == 401 || status == 407 || status == 0)) {
        open->counted = true;
        history->data.challenged++;
    }
    take_request(history, open, heard, credentials);
}

static void hear_request(History *history, const Heard *heard, TableKey key, uint32_t number)
{
    const PealSipScan *scan = heard->scan;
    bool credentials;
    OpenRegistration *open;

    if (number == TABLE_NONE) {
        begin(history, heard, key, has_credentials(scan));
        return;
    }
    open = open_at(history, number);
    if (scan->cseq >= open->first_cseq && scan->cseq <= open->cseq) {
        use(history, number); /* on its way through a proxy */
        return;
    }
    credentials = has_credentials(scan);
    if (is_repetition(open, data_of(history, open), heard, credentials)) {
        repeat(history, open, heard, credentials);
        use(history, number);
        return;
    }
    end(history, number);
    begin(history, heard, key, credentials);
}

static bool read_seconds(PealStr text, int64_t *ret_seconds)
{
    int64_t seconds = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (!g_ascii_isdigit(text.ptr[i])) {
            return false;
        }
        seconds = MIN(seconds * 10 + (text.ptr[i] - '0'), INT32_MAX);
    }
    *ret_seconds = seconds;
    return text.len > 0;
}

/* What a 2xx grants the contact that was asked for: RFC 3261 s.10.3, it lists all that there are.
 * -1: it does not say. */
static int64_t granted(const History *history, const OpenRegistration *open,
                       const PealSipScan *scan)
{
    static const PealStr CONTACT = {"Contact", 7}, EXPIRES = {"Expires", 7};
    unsigned looked = 0;
    PealStr field, contact, value;
    int64_t seconds = -1;

    for (unsigned nth = 0; nth < CONTACTS_MAX && peal_sip_scan_field(scan, CONTACT, nth, &field);
         nth++) {
        while (looked++ < CONTACTS_MAX && peal_sip_element(&field, &contact)) {
            PealStr params = {NULL, 0};
            PealSipUri uri;

            if (peal_sip_address(contact, &uri, &params) == 0 &&
                table_key_equal(contact_key(history, contact), open->contact) &&
                peal_sip_param(params, "expires", &value) && read_seconds(value, &seconds)) {
                return seconds;
            }
        }
    }
    if (peal_sip_scan_field(scan, EXPIRES, 0, &value) && read_seconds(value, &seconds)) {
        return seconds;
    }
    return -1;
}

/* Whether a challenge says that credentials were right but for their nonce (RFC 7616 s.3.3). */
static bool says_stale(const PealSipScan *scan)
{
    static const PealStr FIELDS[] = {{"WWW-Authenticate", 16}, {"Proxy-Authenticate", 18}};

    for (size_t i = 0; i < G_N_ELEMENTS(FIELDS); i++) {
        PealStr value;

        if (peal_sip_scan_field(scan, FIELDS[i], 0, &value)) {
            g_autofree char *text = g_ascii_strdown(value.ptr, (gssize)value.len);

            return strstr(text, "stale=true") != NULL || strstr(text, "stale=\"true\"") != NULL;
        }
    }
    return false;
}

static void hear_response(History *history, const Heard *heard, uint32_t number)
{
    const PealSipScan *scan = heard->scan;
    OpenRegistration *open = open_at(history, number);
    HistoryRegistration *registration = data_of(history, open);

    use(history, number);
    if (scan->status < 200 || scan->cseq != open->cseq) {
        return;
    }
    if (!table_key_equal(heard->branch, open->branch)) {
        open->far_status = scan->status;
        open->far_ns = heard->message->at_ns;
    } else if (registration->status == 0) {
        registration->status = scan->status;
        registration->answered_ns = heard->message->at_ns;
    } else {
        return;
    }
    if (scan->status < 300 && registration->expires_s > 0) {
        int64_t seconds = granted(history, open, scan);

        if (seconds >= 0) {
            registration->expires_s = clamp_seconds(seconds);
        }
    } else if (scan->status == 401 || scan->status == 407) {
        open->stale = says_stale(scan);
    }
}

void registrations_hear(History *history, const Heard *heard)
{
    const PealSipScan *scan = heard->scan;
    TableHash hash;
    TableKey key;
    uint32_t number;

    history_hash(history, &hash);
    table_hash_text(&hash, scan->call_id);
    table_hash_number(&hash, heard->to);
    key = table_hash_key(&hash);
    number = table_get(&history->registrations, key);
    if (scan->status == 0) {
        hear_request(history, heard, key, number);
    } else if (number != TABLE_NONE) {
        hear_response(history, heard, number);
    } else {
        history->data.lost++;
    }
}
