/* SPDX-License-Identifier: GPL-3.0-or-later */
/* capture.c - a node's own traffic as a capture; see capture.h. */
#include "capture.h"

#include <sys/stat.h>

#include <analysis/pcap.h>

#include "log.h"

#define FLUSH_INTERVAL peal_seconds(1)

struct Capture {
    Loop *loop;
    PcapWriter *writer;
    LoopTimer flush;
    bool broken; /* an error was logged */
};

/* Packets wait for the next flush; without any no timer runs. */
static PealTime stamp(Capture *capture)
{
    PealTime now = loop_now(capture->loop);

    if (capture->flush.place == 0 && !capture->broken) {
        loop_timer_set(capture->loop, &capture->flush, peal_time_add(now, FLUSH_INTERVAL));
    }
    return now;
}

static void on_flush(void *user)
{
    Capture *capture = user;
    g_autoptr(GError) error = NULL;

    if (!pcap_writer_flush(capture->writer, &error)) {
        log_error("%s", error->message);
        capture->broken = true;
    } else if (pcap_writer_left_out(capture->writer) > 0) {
        log_warning("the capture has reached its limit and grows no more; set node.capture-limit "
                    "for a larger one");
        capture->broken = true;
    }
}

void capture_datagram(Capture *capture, const PealAddr *from, const PealAddr *to, PealBytes data)
{
    pcap_writer_host_udp(capture->writer, stamp(capture), from, to, data);
}

void capture_stream_open(Capture *capture, uint64_t stream, const PealAddr *opener,
                         const PealAddr *acceptor)
{
    pcap_writer_host_open(capture->writer, stamp(capture), stream, opener, acceptor);
}

void capture_stream_data(Capture *capture, uint64_t stream, const PealAddr *from,
                         const PealAddr *to, PealBytes data)
{
    pcap_writer_host_data(capture->writer, stamp(capture), stream, from, to, data);
}

void capture_stream_close(Capture *capture, uint64_t stream, const PealAddr *from)
{
    pcap_writer_host_close(capture->writer, stamp(capture), stream, from);
}

Capture *capture_open(Loop *loop, const char *path, uint64_t limit_bytes, GError **error)
{
    PcapWriterConfig config = {.path = path, .limit_bytes = limit_bytes};
    Capture *capture;
    PcapWriter *writer;
    struct stat status;

    if (stat(path, &status) == 0 && S_ISFIFO(status.st_mode)) {
        g_set_error(
            error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
            "cannot write the capture %s: it is a pipe, and the node would stand still while "
            "nobody reads it; name a file",
            path);
        return NULL;
    }
    loop_refresh(loop);
    config.base_unix_ns = g_get_real_time() * PEAL_NS_PER_US - loop_now(loop).ns;
    writer = pcap_writer_new(&config, error);
    if (writer == NULL) {
        return NULL;
    }
    capture = g_new0(Capture, 1);
    capture->loop = loop;
    capture->writer = writer;
    capture->flush.due = on_flush;
    capture->flush.user = capture;
    return capture;
}

void capture_close(Capture *capture)
{
    g_autoptr(GError) error = NULL;

    if (capture == NULL) {
        return;
    }
    loop_timer_unset(capture->loop, &capture->flush);
    if (!pcap_writer_close(capture->writer, &error) && !capture->broken) {
        log_error("%s", error->message);
    }
    g_free(capture);
}
