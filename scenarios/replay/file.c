/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * file.c - workload files: one line a user, a registration, a call. See <scenarios/replay.h>.
 *
 *     peal-workload 1
 *     source name=trace.pcap speed=1
 *     user sip:alice@example.org address=10.0.0.1 place=3
 *     register 0.000000 0 3600
 *     call 4.532767 0 1 answered 200 ringing=0.100000 final=2.100000 talk=61.000000 last=63.300000
 *
 * Users are numbered from 0 in the order of their lines; instants and spans are seconds with six
 * decimals; what may hold any byte is written with %XX for those that are not plain.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <scenarios/replay.h>
#include <scenarios/scenario.h>
#include <stdio.h>
#include <string.h>

#include "replay/build.h"

static const char HEAD[] = "peal-workload 1";
enum {
    LINES_MAX = 100000000,
    TEXT_MAX = 8192, /* of headers or body, decoded */
    WORDS_MAX = 16
};
static const goffset BYTES_MAX = (goffset)2 << 30;

/* Writing. */

static void put_escaped(GString *text, const char *name, const char *value)
{
    if (value == NULL) {
        return;
    }
    g_string_append_printf(text, " %s=", name);
    for (const char *at = value; *at != '\0'; at++) {
        if (g_ascii_isalnum(*at) || strchr("-_.:;,/@<>\"'()*+!?[]{}|~$&", *at) != NULL) {
            g_string_append_c(text, *at);
        } else {
            g_string_append_printf(text, "%%%02X", (unsigned char)*at);
        }
    }
}

static void put_span(GString *text, const char *name, PealSpan span)
{
    int64_t us = span.ns / PEAL_NS_PER_US;

    if (span.ns >= 0) {
        g_string_append_printf(text, " %s=%" G_GINT64_FORMAT ".%06" G_GINT64_FORMAT, name,
                               us / G_USEC_PER_SEC, us % G_USEC_PER_SEC);
    }
}

static void put_instant(GString *text, PealSpan span)
{
    int64_t us = span.ns / PEAL_NS_PER_US;

    g_string_append_printf(text, " %" G_GINT64_FORMAT ".%06" G_GINT64_FORMAT, us / G_USEC_PER_SEC,
                           us % G_USEC_PER_SEC);
}

static void put_user(GString *text, const ReplayUser *user)
{
    char address[INET6_ADDRSTRLEN];

    g_string_append_printf(text, "user %s", user->aor);
    if (user->address.family != 0) {
        g_string_append_printf(text, " address=%s",
                               inet_ntop(user->address.family == 4 ? AF_INET : AF_INET6,
                                         user->address.ip, address, sizeof(address)));
    }
    if (user->place != UINT32_MAX) {
        g_string_append_printf(text, " place=%u", user->place);
    }
    g_string_append_c(text, '\n');
}

static void put_call(GString *text, const ReplayCall *call)
{
    g_string_append(text, "call");
    put_instant(text, call->at);
    g_string_append_printf(text, " %u %u %s %u", call->caller, call->callee,
                           history_outcome_name((HistoryOutcome)call->outcome), call->status);
    put_span(text, "ringing", call->ringing);
    put_span(text, "final", call->final);
    put_span(text, "cancel", call->cancel);
    put_span(text, "talk", call->talk);
    put_span(text, "last", call->last);
    if (call->callee_hangs_up) {
        g_string_append(text, " by=callee");
    }
    put_escaped(text, "headers", call->headers);
    put_escaped(text, "type", call->content_type);
    put_escaped(text, "body", call->body);
    g_string_append_c(text, '\n');
}

static bool put_out(FILE *file, GString *text)
{
    bool ok = fwrite(text->str, 1, text->len, file) == text->len;

    g_string_truncate(text, 0);
    return ok;
}

static bool put_all(FILE *file, const Replay *replay)
{
    GString *text = g_string_new(HEAD);
    char speed[G_ASCII_DTOSTR_BUF_SIZE];
    bool ok;

    g_string_append(text, "\nsource");
    put_escaped(text, "name", replay->source);
    g_string_append_printf(text, " speed=%s\n",
                           g_ascii_dtostr(speed, sizeof(speed), replay->speed));
    ok = put_out(file, text);
    for (guint i = 0; ok && i < replay->users->len; i++) {
        put_user(text, replay_user(replay, i));
        ok = put_out(file, text);
    }
    for (guint i = 0; ok && i < replay->registrations->len; i++) {
        const ReplayRegistration *registration = replay_registration(replay, i);

        g_string_append(text, "register");
        put_instant(text, registration->at);
        g_string_append_printf(text, " %u %u\n", registration->user, registration->expires_s);
        ok = put_out(file, text);
    }
    for (guint i = 0; ok && i < replay->calls->len; i++) {
        put_call(text, replay_call(replay, i));
        ok = put_out(file, text);
    }
    g_string_free(text, TRUE);
    return ok;
}

/* Whole or not at all: what was there before stays until all is written. */
bool replay_save(const Replay *replay, const char *path, GError **error)
{
    g_autofree char *unfinished = g_strconcat(path, ".unfinished", NULL);
    FILE *file = g_fopen(unfinished, "w");
    bool ok = file != NULL && put_all(file, replay);

    if (file != NULL && fclose(file) != 0) {
        ok = false;
    }
    if (ok && g_rename(unfinished, path) == 0) {
        return true;
    }
    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno), "cannot write %s: %s",
                path, g_strerror(errno));
    (void)g_unlink(unfinished);
    return false;
}

/* Reading. */

typedef struct Reader {
    const char *path;
    unsigned line;
    Replay *replay;
    GHashTable *aors; /* of users so far, theirs to own */
    GError **error;
} Reader;

/* A line's words, which lie in it. */
typedef struct Words {
    char *word[WORDS_MAX];
    size_t len;
} Words;

static bool fail(const Reader *reader, const char *what, const char *text)
{
    g_set_error(reader->error, SCENARIO_ERROR, SCENARIO_ERROR_FILE, "%s:%u: %s: '%.60s'",
                reader->path, reader->line, what, text);
    return false;
}

static bool read_number(const Reader *reader, const char *text, uint32_t max, uint32_t *ret_number)
{
    guint64 number;

    if (!g_ascii_string_to_unsigned(text, 10, 0, max, &number, NULL)) {
        return fail(reader, "no number, or one too large", text);
    }
    *ret_number = (uint32_t)number;
    return true;
}

static bool read_span(const Reader *reader, const char *text, PealSpan *ret_span)
{
    const char *at = text;
    int64_t us = 0;
    unsigned decimals = 0;

    while (g_ascii_isdigit(*at) && at - text < 9) {
        us = us * 10 + (*at++ - '0');
    }
    if (at > text && us <= REPLAY_SPAN_MAX_S) {
        if (*at == '.') {
            for (at++; g_ascii_isdigit(*at) && decimals < 6; decimals++) {
                us = us * 10 + (*at++ - '0');
            }
        }
        for (; decimals < 6; decimals++) {
            us *= 10;
        }
        if (*at == '\0') {
            ret_span->ns = us * PEAL_NS_PER_US;
            return true;
        }
    }
    return fail(reader, "no time: seconds with up to six decimals are wanted, 400 days at most",
                text);
}

static bool read_text(const Reader *reader, const char *text, char **ret_text)
{
    GString *decoded = g_string_new(NULL);

    if (*ret_text != NULL) {
        g_string_free(decoded, TRUE);
        return fail(reader, "it is there twice", text);
    }
    for (const char *at = text; *at != '\0' && decoded->len <= TEXT_MAX; at++) {
        if (*at != '%') {
            g_string_append_c(decoded, *at);
        } else if (g_ascii_isxdigit(at[1]) && g_ascii_isxdigit(at[2]) &&
                   (at[1] != '0' || at[2] != '0')) {
            g_string_append_c(decoded, (char)(g_ascii_xdigit_value(at[1]) * 16 +
                                              g_ascii_xdigit_value(at[2])));
            at += 2;
        } else {
            g_string_free(decoded, TRUE);
            return fail(reader, "no %XX of a byte other than 0", at);
        }
    }
    *ret_text = g_string_free(decoded, FALSE);
    return strlen(*ret_text) <= TEXT_MAX || fail(reader, "longer than 8192 bytes", text);
}

static bool read_user_number(const Reader *reader, const char *text, uint32_t *ret_user)
{
    const GArray *users = reader->replay->users;

    return read_number(reader, text, UINT32_MAX - 1, ret_user) &&
           (*ret_user < users->len ||
            fail(reader, "there is no user of that number above this line", text));
}

/* Whether a word is NAME=...; the value. */
static const char *value_of(const char *word, const char *name)
{
    size_t len = strlen(name);

    return strncmp(word, name, len) == 0 && word[len] == '=' ? word + len + 1 : NULL;
}

static bool read_address(const Reader *reader, const char *text, PealAddr *ret_address)
{
    if (inet_pton(AF_INET, text, ret_address->ip) == 1) {
        ret_address->family = 4;
    } else if (inet_pton(AF_INET6, text, ret_address->ip) == 1) {
        ret_address->family = 6;
    } else {
        return fail(reader, "no IP address", text);
    }
    return true;
}

/* Whether it is an AOR that phones and registrars take: as rewriting makes them. */
static bool is_aor(const char *text)
{
    const char *at = strrchr(text, '@');
    g_autofree char *name = NULL;
    g_autofree char *aor = NULL;

    if (at == NULL || strlen(text) > PEAL_AOR_MAX || !domain_is_good(at + 1)) {
        return false;
    }
    name = name_user(text);
    aor = g_strconcat("sip:", name, at, NULL);
    return strcmp(aor, text) == 0;
}

static bool read_user(Reader *reader, const Words *words)
{
    ReplayUser user = {.place = UINT32_MAX, .last_called = REPLAY_NEVER};
    GArray *users = reader->replay->users;
    ReplayUser *kept;

    if (words->len < 2 || !is_aor(words->word[1])) {
        return fail(reader, "a user is 'user sip:NAME@DOMAIN', of at most 255 bytes",
                    words->word[words->len > 1]);
    }
    if (g_hash_table_contains(reader->aors, words->word[1])) {
        return fail(reader, "a user of that name is there already", words->word[1]);
    }
    for (size_t i = 2; i < words->len; i++) {
        const char *address = value_of(words->word[i], "address");
        const char *place = value_of(words->word[i], "place");

        if (address != NULL ? !read_address(reader, address, &user.address)
            : place != NULL ? !read_number(reader, place, UINT32_MAX - 1, &user.place)
                            : !fail(reader, "neither address= nor place=", words->word[i])) {
            return false;
        }
    }
    g_array_append_val(users, user);
    kept = &g_array_index(users, ReplayUser, users->len - 1);
    kept->aor = g_strdup(words->word[1]);
    g_hash_table_add(reader->aors, kept->aor);
    return true;
}

static bool read_registration(Reader *reader, const Words *words)
{
    GArray *list = reader->replay->registrations;
    ReplayRegistration registration;

    if (words->len != 4) {
        return fail(reader, "a registration is 'register SECONDS USER LIFETIME'", words->word[0]);
    }
    if (!read_span(reader, words->word[1], &registration.at) ||
        !read_user_number(reader, words->word[2], &registration.user) ||
        !read_number(reader, words->word[3], UINT32_MAX, &registration.expires_s)) {
        return false;
    }
    if (list->len > 0 &&
        replay_registration(reader->replay, list->len - 1)->at.ns > registration.at.ns) {
        return fail(reader, "it comes before the registration above", words->word[1]);
    }
    g_array_append_val(list, registration);
    return true;
}

static bool read_outcome(const Reader *reader, const char *text, uint8_t *ret_outcome)
{
    for (int i = HISTORY_ANSWERED; i <= HISTORY_UNANSWERED; i++) {
        if (strcmp(text, history_outcome_name((HistoryOutcome)i)) == 0) {
            *ret_outcome = (uint8_t)i;
            return true;
        }
    }
    return fail(reader, "no outcome: answered, cancelled, refused or unanswered is wanted", text);
}

/* One of a call's words behind its status. */
static bool read_call_word(const Reader *reader, const char *word, ReplayCall *call)
{
    const struct {
        const char *name;
        PealSpan *span;
    } spans[] = {{"ringing", &call->ringing},
                 {"final", &call->final},
                 {"cancel", &call->cancel},
                 {"talk", &call->talk},
                 {"last", &call->last}};
    const struct {
        const char *name;
        char **text;
    } texts[] = {{"headers", &call->headers}, {"type", &call->content_type}, {"body", &call->body}};

    for (size_t i = 0; i < G_N_ELEMENTS(spans); i++) {
        if (value_of(word, spans[i].name) != NULL) {
            return read_span(reader, value_of(word, spans[i].name), spans[i].span);
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        if (value_of(word, texts[i].name) != NULL) {
            return read_text(reader, value_of(word, texts[i].name), texts[i].text);
        }
    }
    if (strcmp(word, "by=callee") == 0) {
        call->callee_hangs_up = true;
        return true;
    }
    return fail(reader, "nothing that a call has", word);
}

/* What the parts of a call must say of each other. */
static bool check_call(const Reader *reader, const ReplayCall *call)
{
    const GArray *calls = reader->replay->calls;

    if (call->caller == call->callee) {
        return fail(reader, "nobody calls himself", "call");
    }
    if (calls->len > 0 && replay_call(reader->replay, calls->len - 1)->at.ns > call->at.ns) {
        return fail(reader, "it comes before the call above", "call");
    }
    if (!call_is_playable(call)) {
        return fail(reader,
                    "a status is 0 or, with final=, one of 200..699; answered is 2xx, refused 3xx "
                    "to 6xx, unanswered 0 or 408",
                    "call");
    }
    if (call->headers != NULL && !text_headers_are_good(call->headers)) {
        return fail(reader,
                    "headers are whole lines of Subject, User-Agent, Organization, Priority, "
                    "Call-Info, Alert-Info or X-...",
                    "headers");
    }
    return (call->content_type != NULL) == (call->body != NULL) ||
           fail(reader, "type= and body= go together", "call");
}

/* A body says nothing that one made from a trace would not; no media goes where it says. */
static bool settle_body(const Reader *reader, ReplayCall *call)
{
    char *body;

    if (call->body == NULL) {
        return true;
    }
    if (strpbrk(call->content_type, "\r\n") != NULL) {
        return fail(reader, "a type is one line", "type");
    }
    body = text_body(call->content_type, call->body, (uint32_t)strlen(call->body), NULL);
    if (body == NULL) {
        return fail(reader, "a body has one part, and is not empty", "body");
    }
    g_free(call->body);
    call->body = body;
    return true;
}

static bool read_call(Reader *reader, const Words *words)
{
    ReplayCall call = {.ringing = REPLAY_NEVER,
                       .final = REPLAY_NEVER,
                       .cancel = REPLAY_NEVER,
                       .talk = REPLAY_NEVER,
                       .last = {0}};
    uint32_t status = 0;
    bool ok = words->len >= 6;

    if (!ok) {
        return fail(reader, "a call is 'call SECONDS CALLER CALLEE OUTCOME STATUS ...'",
                    words->word[0]);
    }
    ok = read_span(reader, words->word[1], &call.at) &&
         read_user_number(reader, words->word[2], &call.caller) &&
         read_user_number(reader, words->word[3], &call.callee) &&
         read_outcome(reader, words->word[4], &call.outcome) &&
         read_number(reader, words->word[5], 699, &status);
    call.status = (uint16_t)status;
    for (size_t i = 6; ok && i < words->len; i++) {
        ok = read_call_word(reader, words->word[i], &call);
    }
    if (ok && check_call(reader, &call) && settle_body(reader, &call)) {
        g_array_append_val(reader->replay->calls, call);
        return true;
    }
    g_free(call.headers);
    g_free(call.content_type);
    g_free(call.body);
    return false;
}

static bool read_source(Reader *reader, const Words *words)
{
    const char *name = words->len == 3 ? value_of(words->word[1], "name") : NULL;
    const char *speed = words->len == 3 ? value_of(words->word[2], "speed") : NULL;
    char *end = NULL;

    if (name == NULL || speed == NULL) {
        return fail(reader, "a source is 'source name=NAME speed=NUMBER'", words->word[0]);
    }
    reader->replay->speed = g_ascii_strtod(speed, &end);
    if (end == speed || *end != '\0' ||
        !(reader->replay->speed >= 1e-6 && reader->replay->speed <= 1e9)) {
        return fail(reader, "no speed, or one out of range", speed);
    }
    g_clear_pointer(&reader->replay->source, g_free);
    return read_text(reader, name, &reader->replay->source);
}

static bool read_line(Reader *reader, char *line)
{
    static const struct {
        const char *word;
        bool (*read)(Reader *reader, const Words *words);
    } kinds[] = {{"call", read_call},
                 {"register", read_registration},
                 {"user", read_user},
                 {"source", read_source}};
    Words words = {.len = 0};
    char *rest = line;

    for (char *word; (word = strtok_r(rest, " \t\r", &rest)) != NULL;) {
        if (words.len == WORDS_MAX) {
            return fail(reader, "too many words", word);
        }
        words.word[words.len++] = word;
    }
    if (words.len == 0 || words.word[0][0] == '#') {
        return true;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (strcmp(words.word[0], kinds[i].word) == 0) {
            return kinds[i].read(reader, &words);
        }
    }
    return fail(reader, "neither user, register, call nor source", words.word[0]);
}

static bool read_lines(Reader *reader, char *text, size_t len)
{
    char *line = text;

    while (line < text + len) {
        char *end = memchr(line, '\n', (size_t)(text + len - line));

        end = end != NULL ? end : text + len;
        reader->line++;
        if (memchr(line, '\0', (size_t)(end - line)) != NULL) {
            return fail(reader, "a zero byte stands in it", "");
        }
        *end = '\0';
        if (reader->line > LINES_MAX) {
            return fail(reader, "a workload file has at most 100000000 lines", "");
        }
        if (reader->line > 1 && !read_line(reader, line)) {
            return false;
        }
        line = end + 1;
    }
    return true;
}

bool replay_is_workload(const char *path)
{
    char head[sizeof(HEAD)] = "";
    FILE *file = g_file_test(path, G_FILE_TEST_IS_REGULAR) ? g_fopen(path, "r") : NULL;
    bool is = false;

    if (file != NULL) {
        is = fread(head, 1, sizeof(head), file) == sizeof(head) &&
             memcmp(head, HEAD, strlen(HEAD)) == 0 && g_ascii_isspace(head[strlen(HEAD)]);
        (void)fclose(file);
    }
    return is;
}

Replay *replay_load(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    Reader reader = {.path = path, .error = error};
    GStatBuf status;
    gsize len;
    bool ok;

    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR) || !replay_is_workload(path)) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_FILE,
                    "%s is no workload file, as peal replay CAPTURE --write-workload FILE writes "
                    "them: its first line is not '%s'",
                    path, HEAD);
        return NULL;
    }
    if (g_stat(path, &status) == 0 && status.st_size > BYTES_MAX) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_FILE, "%s is larger than %d MiB", path,
                    (int)(BYTES_MAX >> 20));
        return NULL;
    }
    if (!g_file_get_contents(path, &text, &len, error)) {
        return NULL;
    }
    reader.replay = replay_new(NULL);
    reader.aors = g_hash_table_new(g_str_hash, g_str_equal);
    ok = read_lines(&reader, text, len);
    g_hash_table_unref(reader.aors);
    if (!ok) {
        replay_free(reader.replay);
        return NULL;
    }
    replay_settle(reader.replay);
    return reader.replay;
}
