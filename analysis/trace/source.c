/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * source.c - see packet.h: a capture file through libpcap, its bytes through input.h and tail.h.
 */
#include "trace/packet.h"

#include "trace/input.h"
#include "trace/link.h"
#include "trace/tail.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio_ext.h>

enum { FILE_BUFFER_LEN = 1 << 18, PROGRESS_PACKETS = 4096 };

/* Until the year 2223: what is said to be later is garbage. */
static const int64_t seconds_max = INT64_C(8000000000);

typedef enum SourceState { SOURCE_FIRST, SOURCE_GOING, SOURCE_ENDED } SourceState;

G_DEFINE_QUARK(peal - trace - error - quark, trace_error)

struct Source {
    char *path;
    Input *input;
    Tail tail;
    pcap_t *pcap; /* owns the FILE over input */
    struct bpf_program filter;
    bool filtered;
    int64_t from_ns;
    int64_t until_ns;
    const TraceSink *sink;
    TraceCounts *counts;
    SourceState state;
    uint64_t passed;  /* bytes handed to the FILE */
    uint64_t packets; /* that libpcap gave, whether or not they are let through */
    bool broken_off;  /* the last of them */
    struct pcap_pkthdr *header;
    const u_char *bytes;
    char buffer[FILE_BUFFER_LEN];
};

/* fopencookie's: libpcap reads the capture, and after its end what mends it. */
static ssize_t read_cookie(void *cookie, char *ret_bytes, size_t cap)
{
    Source *source = cookie;
    size_t len = input_read(source->input, (uint8_t *)ret_bytes, cap);

    if (len > 0) {
        tail_take(&source->tail, (uint8_t *)ret_bytes, len);
    } else {
        len = tail_mend(&source->tail, (uint8_t *)ret_bytes, cap);
    }
    source->passed += len;
    return (ssize_t)len;
}

/* Tells where it is, so that ftello can; nothing else is possible. */
static int seek_cookie(void *cookie, off64_t *offset, int whence)
{
    const Source *source = cookie;

    if (whence != SEEK_CUR || *offset != 0) {
        errno = ESPIPE;
        return -1;
    }
    *offset = (off64_t)source->passed;
    return 0;
}

static bool open_pcap(Source *source, GError **error)
{
    cookie_io_functions_t functions = {.read = read_cookie, .seek = seek_cookie};
    FILE *file = fopencookie(source, "rb", functions);
    char words[PCAP_ERRBUF_SIZE] = "";

    PEAL_ASSERT(file != NULL);
    (void)setvbuf(file, source->buffer, _IOFBF, sizeof(source->buffer));
    (void)__fsetlocking(file, FSETLOCKING_BYCALLER);
    source->pcap =
        pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, words);
    if (source->pcap == NULL) {
        const char *damage = input_damage(source->input);

        (void)fclose(file);
        g_set_error(error, TRACE_ERROR, TRACE_ERROR_OPEN,
                    "%s cannot be read as a capture: %s; pcap and pcapng files can, as they are or "
                    "compressed by gzip",
                    source->path, damage != NULL ? damage : words);
        return false;
    }
    return true;
}

static bool check_link(const Source *source, GError **error)
{
    int type = pcap_datalink(source->pcap);
    const char *name = pcap_datalink_val_to_name(type);
    const char *meaning = pcap_datalink_val_to_description(type);
    g_autofree char *names = link_names();

    if (link_known(type)) {
        return true;
    }
    g_set_error(error, TRACE_ERROR, TRACE_ERROR_OPEN,
                "%s is a capture of link type %d (%s: %s), in which no IP is looked for; the link "
                "types that are known are %s",
                source->path, type, name != NULL ? name : "no name",
                meaning != NULL ? meaning : "unknown to libpcap", names);
    return false;
}

static bool compile(Source *source, const char *expression, GError **error)
{
    if (expression == NULL) {
        return true;
    }
    if (pcap_compile(source->pcap, &source->filter, expression, 1, PCAP_NETMASK_UNKNOWN) != 0) {
        g_set_error(error, TRACE_ERROR, TRACE_ERROR_FILTER,
                    "the filter \"%s\" cannot be used: %s; pcap-filter(7) tells how one is written",
                    expression, pcap_geterr(source->pcap));
        return false;
    }
    source->filtered = true;
    return true;
}

/* Why no more can be read, and where. */
static void tell_damage(const Source *source, int result)
{
    TraceCounts *counts = source->counts;
    const char *damage = input_damage(source->input);
    int reason = input_errno(source->input);
    const Tail *tail = &source->tail;

    if (damage != NULL || reason != 0) {
        (void)g_snprintf(counts->damage, sizeof(counts->damage),
                         "%s, at byte %" G_GUINT64_FORMAT " of the file, after packet "
                         "%" G_GUINT64_FORMAT,
                         damage != NULL ? damage : g_strerror(reason), input_bytes(source->input),
                         source->packets);
    } else if (tail->mended) {
        (void)g_snprintf(counts->damage, sizeof(counts->damage),
                         "the file ends within packet %" G_GUINT64_FORMAT
                         ", of which %zu bytes of %zu are there",
                         tail->packets, tail->data_have, tail->data_len);
    } else if (result == PCAP_ERROR) {
        (void)g_snprintf(counts->damage, sizeof(counts->damage),
                         "%s, at byte %jd, after packet %" G_GUINT64_FORMAT,
                         pcap_geterr(source->pcap), (intmax_t)ftello(pcap_file(source->pcap)),
                         source->packets);
    }
}

/* The next packet of the file, whatever it is; false at its end. */
static bool advance(Source *source)
{
    int result = pcap_next_ex(source->pcap, &source->header, &source->bytes);

    if (result != 1) {
        source->state = SOURCE_ENDED;
        source->counts->skipped[TRACE_SKIP_BAD_LENGTH] += source->tail.lies;
        if (!source->counts->interrupted) {
            tell_damage(source, result);
        }
        return false;
    }
    source->packets++;
    source->broken_off = source->tail.mended && source->packets == source->tail.packets;
    if (source->broken_off) {
        source->header->caplen = MIN(source->header->caplen, (bpf_u_int32)source->tail.data_have);
    }
    return true;
}

/* Reads the first packet. That none can be read is damage where the file ends, and else means that
 * libpcap refuses all of it. */
static bool begin(Source *source, GError **error)
{
    if (advance(source)) {
        source->state = SOURCE_FIRST;
        return true;
    }
    if (input_errno(source->input) != 0 || input_ended(source->input)) {
        return true;
    }
    g_set_error(error, TRACE_ERROR, TRACE_ERROR_OPEN, "%s cannot be read as a capture: %s",
                source->path, pcap_geterr(source->pcap));
    return false;
}

/* False when the reading is to end. While the input is being opened nothing is known of it. */
static bool ask_progress(Source *source)
{
    const Input *input = source->input;

    if (source->sink == NULL || source->sink->progress == NULL) {
        return true;
    }
    source->counts->interrupted =
        !source->sink->progress(source->sink->user, input != NULL ? input_bytes(input) : 0,
                                input != NULL ? input_total(input) : 0);
    return !source->counts->interrupted;
}

static bool on_signal(void *user)
{
    return ask_progress(user);
}

Source *source_open(const TraceConfig *config, const TraceSink *sink, TraceCounts *counts,
                    GError **error)
{
    Source *source = g_new0(Source, 1);

    source->path = g_strdup(strcmp(config->path, "-") == 0 ? "standard input" : config->path);
    source->from_ns = config->from_ns;
    source->until_ns = config->until_ns;
    source->sink = sink;
    source->counts = counts;
    source->input = input_open(config->path, &(InputWatch){on_signal, source}, error);
    if (source->input == NULL || !open_pcap(source, error) || !check_link(source, error) ||
        !compile(source, config->filter, error) || !begin(source, error)) {
        (void)source_close(source, NULL);
        return NULL;
    }
    return source;
}

int source_link_type(const Source *source)
{
    return pcap_datalink(source->pcap);
}

/* A capture is in no order that could be relied on: its first and last are the earliest and the
 * latest. */
static void count(Source *source, int64_t at_ns)
{
    TraceCounts *counts = source->counts;

    if (counts->packets == 0) {
        counts->first_ns = counts->last_ns = at_ns;
    }
    counts->first_ns = MIN(counts->first_ns, at_ns);
    counts->last_ns = MAX(counts->last_ns, at_ns);
    counts->packets++;
    counts->bytes += MAX(source->header->len, source->header->caplen);
}

static bool let_through(Source *source, int64_t at_ns)
{
    if (source->filtered &&
        pcap_offline_filter(&source->filter, source->header, source->bytes) == 0) {
        return false;
    }
    if (at_ns < source->from_ns || at_ns >= source->until_ns) {
        source->counts->skipped[TRACE_SKIP_OUTSIDE]++;
        return false;
    }
    count(source, at_ns);
    return true;
}

static bool tell_progress(Source *source)
{
    return source->packets % PROGRESS_PACKETS != 0 || ask_progress(source);
}

bool source_next(Source *source, PacketFrame *ret_frame)
{
    while (source->state != SOURCE_ENDED) {
        const struct pcap_pkthdr *header;
        int64_t at_ns;

        if (source->state == SOURCE_FIRST) {
            source->state = SOURCE_GOING;
        } else if (!tell_progress(source)) {
            source->state = SOURCE_ENDED;
            return false;
        } else if (!advance(source)) {
            return false;
        }
        header = source->header;
        at_ns = CLAMP((int64_t)header->ts.tv_sec, 0, seconds_max) * PEAL_NS_PER_S +
                CLAMP((int64_t)header->ts.tv_usec, 0, seconds_max);
        if (let_through(source, at_ns)) {
            *ret_frame = (PacketFrame){
                .at_ns = at_ns,
                .span = {source->bytes, header->caplen, MAX(header->len, header->caplen)},
                .broken_off = source->broken_off,
            };
            return true;
        }
    }
    return false;
}

bool source_close(Source *source, GError **error)
{
    int reason = source->input != NULL ? input_errno(source->input) : 0;

    if (reason != 0) {
        g_set_error(error, TRACE_ERROR, TRACE_ERROR_READ, "cannot read %s further: %s",
                    source->path, g_strerror(reason));
    }
    if (source->filtered) {
        pcap_freecode(&source->filter);
    }
    g_clear_pointer(&source->pcap, pcap_close); /* closes the file over the input */
    input_close(source->input);
    g_free(source->path);
    g_free(source);
    return reason == 0;
}
