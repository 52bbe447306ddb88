/* SPDX-License-Identifier: GPL-3.0-or-later */
/* media.c - where the parties of a call said that they take media, and the datagrams from and to
 * there. RTCP, on ports of its own, is not looked for. */
#include <arpa/inet.h>

#include "history/state.h"

enum { LINES_MAX = 512, PORTS_MAX = 4, CODEC_MAX = 32 };

/* How long after a call's end its last datagrams may be under way. */
#define TAIL_NS (5 * PEAL_NS_PER_S)

/* Beside an open call's number: several calls named this address. */
#define SHARED UINT32_C(0x80000000)

/* What a codec is known by; a better source replaces the ones before. */
typedef enum CodecRank { CODEC_NONE, CODEC_OFFER, CODEC_EARLY, CODEC_ANSWER } CodecRank;

/* RFC 3551 s.6, tables 4 and 5. */
static const struct {
    uint8_t type;
    const char *name;
} STATIC_TYPES[] = {
    {0, "PCMU/8000"},    {3, "GSM/8000"},    {4, "G723/8000"},   {5, "DVI4/8000"},
    {6, "DVI4/16000"},   {7, "LPC/8000"},    {8, "PCMA/8000"},   {9, "G722/8000"},
    {10, "L16/44100/2"}, {11, "L16/44100"},  {12, "QCELP/8000"}, {13, "CN/8000"},
    {14, "MPA/90000"},   {15, "G728/8000"},  {16, "DVI4/11025"}, {17, "DVI4/22050"},
    {18, "G729/8000"},   {25, "CelB/90000"}, {26, "JPEG/90000"}, {28, "nv/90000"},
    {31, "H261/90000"},  {32, "MPV/90000"},  {33, "MP2T/90000"}, {34, "H263/90000"},
};

/* The first words of a line, so far as they are wanted. */
static PealStr next_word(PealStr *rest)
{
    PealStr word;
    size_t at = 0, from;

    while (at < rest->len && rest->ptr[at] == ' ') {
        at++;
    }
    from = at;
    while (at < rest->len && rest->ptr[at] != ' ') {
        at++;
    }
    word = (PealStr){rest->ptr + from, at - from};
    *rest = (PealStr){rest->ptr + at, rest->len - at};
    return word;
}

static bool next_line(PealStr *rest, PealStr *ret_line)
{
    const char *end;

    if (rest->len == 0) {
        return false;
    }
    end = memchr(rest->ptr, '\n', rest->len);
    ret_line->ptr = rest->ptr;
    ret_line->len = end != NULL ? (size_t)(end - rest->ptr) : rest->len;
    rest->ptr += ret_line->len + (end != NULL);
    rest->len -= ret_line->len + (end != NULL);
    if (ret_line->len > 0 && ret_line->ptr[ret_line->len - 1] == '\r') {
        ret_line->len--;
    }
    return true;
}

static uint32_t read_number(PealStr text, size_t *ret_len)
{
    uint32_t number = 0;
    size_t i = 0;

    while (i < text.len && g_ascii_isdigit(text.ptr[i]) && number < 1000000) {
        number = number * 10 + (uint32_t)(text.ptr[i++] - '0');
    }
    *ret_len = i;
    return number;
}

/* c=IN IP4 192.0.2.1[/127[/3]] */
static void read_connection(PealStr line, PealAddr *ret_addr)
{
    PealStr type, address;
    char text[INET6_ADDRSTRLEN + 1];
    PealAddr addr = {.family = 0};
    const char *slash;

    next_word(&line);
    type = next_word(&line);
    address = next_word(&line);
    slash = address.len > 0 ? memchr(address.ptr, '/', address.len) : NULL;
    if (slash != NULL) {
        address.len = (size_t)(slash - address.ptr);
    }
    *ret_addr = addr;
    if (address.len == 0 || address.len >= sizeof(text)) {
        return;
    }
    memcpy(text, address.ptr, address.len);
    text[address.len] = '\0';
    if (str_is(type, "IP4") && inet_pton(AF_INET, text, addr.ip) == 1) {
        static const uint8_t NOWHERE[4];

        addr.family = memcmp(addr.ip, NOWHERE, sizeof(NOWHERE)) == 0 ? 0 : 4;
    } else if (str_is(type, "IP6") && inet_pton(AF_INET6, text, addr.ip) == 1) {
        addr.family = 6;
    }
    *ret_addr = addr;
}

/* One m= with what follows it. */
typedef struct Stream {
    bool open;
    uint16_t port;
    unsigned ports;
    PealAddr addr; /* of its own c=, else of the session's */
    PealStr formats;
    bool audio;
} Stream;

typedef struct Session {
    History *history;
    uint32_t number; /* the call */
    PealAddr addr;
    Stream stream;
    bool has_codec;
    bool codec_audio;
    char codec[CODEC_MAX];
    uint32_t format; /* of the stream whose codec wants its rtpmap; UINT32_MAX for none */
} Session;

static TableKey address_key(const History *history, const PealAddr *addr)
{
    uint64_t word[2] = {0, 0};
    unsigned __int128 product;
    TableKey key;

    /* Wide multiplication mixes well enough for addresses under a secret, and every datagram of a
     * capture comes here. */
    memcpy(word, addr->ip, addr->family == 4 ? 4 : sizeof(word));
    word[0] ^= history->secret.word[0];
    word[1] ^= history->secret.word[1] ^ ((uint64_t)addr->port << 32) ^ addr->family;
    product = (unsigned __int128)(word[0] | 1) * (word[1] | 1);
    key.word[0] = (uint64_t)product ^ (uint64_t)(product >> 64);
    key.word[1] = word[0] + (word[1] << 1 | word[1] >> 63);
    product = (unsigned __int128)key.word[0] * UINT64_C(0x9e3779b97f4a7c15);
    key.word[0] = (uint64_t)product ^ (uint64_t)(product >> 64);
    return key;
}

static void add_address(History *history, uint32_t number, const PealAddr *addr)
{
    OpenCall *open = calls_open(history, number);
    TableKey key = address_key(history, addr);
    uint32_t before;

    for (unsigned i = 0; i < open->media_len; i++) {
        if (table_key_equal(open->media[i], key)) {
            return;
        }
    }
    if (open->media_len == MEDIA_KEPT) {
        return;
    }
    open->media[open->media_len++] = key;
    before = table_get(&history->media, key);
    table_put(&history->media, key, before == TABLE_NONE ? number : number | SHARED);
}

void media_forget(History *history, uint32_t number)
{
    OpenCall *open = calls_open(history, number);

    for (unsigned i = 0; i < open->media_len; i++) {
        uint32_t there = table_get(&history->media, open->media[i]);

        if (there != TABLE_NONE && (there & ~SHARED) == number) {
            table_remove(&history->media, open->media[i]);
        }
    }
    open->media_len = 0;
}

static void end_stream(Session *session)
{
    const Stream *stream = &session->stream;
    PealAddr addr = stream->addr.family != 0 ? stream->addr : session->addr;

    if (!stream->open || addr.family == 0 || stream->port == 0) {
        return;
    }
    for (unsigned i = 0; i < stream->ports; i++) {
        addr.port = (uint16_t)(stream->port + 2 * i); /* RFC 8866 s.5.14 */
        add_address(session->history, session->number, &addr);
    }
}

static void set_codec(Session *session, PealStr name)
{
    size_t len = MIN(name.len, sizeof(session->codec) - 1);

    if (len > 2 && memcmp(name.ptr + len - 2, "/1", 2) == 0 &&
        memchr(name.ptr, '/', len - 2) != NULL) {
        len -= 2; /* one channel is what there is without a word */
    }
    for (size_t i = 0; i < len; i++) {
        session->codec[i] = g_ascii_isgraph(name.ptr[i]) ? name.ptr[i] : '?';
    }
    session->codec[len] = '\0';
}

/* The first format of the first audio stream that is in use, else of another stream. */
static void choose_codec(Session *session)
{
    const Stream *stream = &session->stream;
    PealStr formats = stream->formats;
    PealStr format = next_word(&formats);
    size_t len;
    uint32_t type = read_number(format, &len);

    if (stream->port == 0 || format.len == 0 ||
        (session->has_codec && (session->codec_audio || !stream->audio))) {
        return;
    }
    session->has_codec = true;
    session->codec_audio = stream->audio;
    session->format = UINT32_MAX;
    if (len != format.len || type > 127) {
        set_codec(session, format);
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(STATIC_TYPES); i++) {
        if (STATIC_TYPES[i].type == type) {
            set_codec(session, (PealStr){STATIC_TYPES[i].name, strlen(STATIC_TYPES[i].name)});
            return;
        }
    }
    set_codec(session, format);
    session->format = type;
}

/* m=audio 49170[/2] RTP/AVP 0 8 */
static void begin_stream(Session *session, PealStr line)
{
    PealStr media = next_word(&line), port = next_word(&line);
    size_t len, ports_len;
    uint32_t number = read_number(port, &len);
    uint32_t ports = 1;

    end_stream(session);
    session->stream = (Stream){.open = true, .audio = str_is(media, "audio")};
    if (len == 0 || number > UINT16_MAX) {
        return;
    }
    if (len + 1 < port.len && port.ptr[len] == '/') {
        ports = read_number((PealStr){port.ptr + len + 1, port.len - len - 1}, &ports_len);
    }
    session->stream.port = (uint16_t)number;
    session->stream.ports = CLAMP(ports, 1, PORTS_MAX);
    next_word(&line);
    session->stream.formats = line;
    choose_codec(session);
}

/* a=rtpmap:96 opus/48000/2 */
static void read_rtpmap(Session *session, PealStr line)
{
    static const char MAP[] = "rtpmap:";
    size_t len;
    uint32_t type;

    if (session->format == UINT32_MAX || line.len < sizeof(MAP) ||
        memcmp(line.ptr, MAP, sizeof(MAP) - 1) != 0) {
        return;
    }
    line = (PealStr){line.ptr + sizeof(MAP) - 1, line.len - (sizeof(MAP) - 1)};
    type = read_number(line, &len);
    line = (PealStr){line.ptr + len, line.len - len};
    if (len > 0 && type == session->format) {
        PealStr name = next_word(&line);

        if (name.len > 0) {
            set_codec(session, name);
            session->format = UINT32_MAX;
        }
    }
}

static void read_line(Session *session, PealStr line)
{
    PealStr value = {line.ptr + 2, line.len - 2};

    switch (line.ptr[0]) {
    case 'c':
        read_connection(value, session->stream.open ? &session->stream.addr : &session->addr);
        break;
    case 'm':
        begin_stream(session, value);
        break;
    case 'a':
        read_rtpmap(session, value);
        break;
    default:
        break;
    }
}

/* One text for each codec, so that a million calls share it. */
static char *codec_name(History *history, const char *codec)
{
    char *name = g_hash_table_lookup(history->codecs, codec);

    if (name == NULL && g_hash_table_size(history->codecs) >= CODECS_MAX) {
        codec = HISTORY_CODEC_OTHER;
        name = g_hash_table_lookup(history->codecs, codec);
    }
    if (name == NULL) {
        name = g_strdup(codec);
        g_hash_table_add(history->codecs, name);
    }
    return name;
}

/* Which role a description has (RFC 3264 s.4, RFC 3261 s.13.2.1): the INVITE's is the offer; where
 * it had none the offer stands in a response, and the answer in ACK or PRACK. */
static CodecRank rank_of(const OpenCall *open, const Heard *heard)
{
    const PealSipScan *scan = heard->scan;
    bool invite = str_is(scan->status == 0 ? scan->method : scan->cseq_method, "INVITE");

    if (scan->status == 0) {
        if (invite) {
            return scan->to_tag.len == 0 ? CODEC_OFFER : CODEC_NONE;
        }
        return !open->offered && (str_is(scan->method, "ACK") || str_is(scan->method, "PRACK"))
                   ? CODEC_ANSWER
                   : CODEC_NONE;
    }
    if (!invite || scan->cseq != open->cseq || !table_key_equal(heard->tag, open->tag)) {
        return CODEC_NONE;
    }
    if (!open->offered) {
        return CODEC_OFFER;
    }
    return scan->status < 200 ? CODEC_EARLY : CODEC_ANSWER;
}

/* Where a session's description begins in a body: at once, or in one of several parts. */
static bool find_session(const PealSipScan *scan, PealStr *ret_text)
{
    static const char SDP[] = "application/sdp", PARTS[] = "multipart/";
    const char *at;

    if (scan->body.len < 4 || scan->status >= 300) {
        return false;
    }
    *ret_text = scan->body;
    if (scan->content_type.len >= sizeof(SDP) - 1 &&
        g_ascii_strncasecmp(scan->content_type.ptr, SDP, sizeof(SDP) - 1) == 0) {
        return true;
    }
    if (scan->content_type.len < sizeof(PARTS) - 1 ||
        g_ascii_strncasecmp(scan->content_type.ptr, PARTS, sizeof(PARTS) - 1) != 0) {
        return false;
    }
    at = memmem(scan->body.ptr, scan->body.len, "\nv=0", 4);
    if (at == NULL) {
        return false;
    }
    at++;
    *ret_text = (PealStr){at, scan->body.len - (size_t)(at - scan->body.ptr)};
    return true;
}

void media_session(History *history, uint32_t number, const Heard *heard)
{
    Session session = {.history = history, .number = number, .format = UINT32_MAX};
    OpenCall *open = calls_open(history, number);
    CodecRank rank;
    PealStr text, line;

    if (!find_session(heard->scan, &text)) {
        return;
    }
    rank = rank_of(open, heard);
    for (unsigned i = 0; i < LINES_MAX && next_line(&text, &line); i++) {
        if (line.len > 2 && line.ptr[0] == '-' && line.ptr[1] == '-') {
            break; /* the next part of several */
        }
        if (line.len > 2 && line.ptr[1] == '=') {
            read_line(&session, line);
        }
    }
    end_stream(&session);
    open->offered = open->offered || (rank == CODEC_OFFER && heard->scan->status == 0);
    if (rank > open->codec_rank && session.has_codec) {
        open->codec_rank = (uint8_t)rank;
        calls_data(history, open)->codec = codec_name(history, session.codec);
    }
}

/* The instant from which on datagrams are no more of the call. */
static int64_t media_end(const HistoryCall *call)
{
    if (call->end_ns != HISTORY_NEVER) {
        return call->end_ns + TAIL_NS;
    }
    return call->status >= 300 ? call->final_ns + TAIL_NS : INT64_MAX;
}

void history_datagram(void *user, const TraceDatagram *datagram)
{
    History *history = user;
    uint32_t to = table_get(&history->media, address_key(history, &datagram->to));
    uint32_t from = table_get(&history->media, address_key(history, &datagram->from));
    HistoryCall *call;

    if (to == TABLE_NONE || ((to & SHARED) != 0 && from != TABLE_NONE && (from & SHARED) == 0)) {
        to = from;
    }
    if (to == TABLE_NONE || datagram->at_ns > INSTANT_MAX) {
        return;
    }
    call = calls_data(history, calls_open(history, to & ~SHARED));
    if (datagram->at_ns < call->at_ns || datagram->at_ns > media_end(call)) {
        return;
    }
    if (call->media_first_ns == HISTORY_NEVER) {
        call->media_first_ns = datagram->at_ns;
    }
    call->media_last_ns = MAX(call->media_last_ns, datagram->at_ns);
    call->media_packets++;
    call->media_bytes += datagram->len;
}
