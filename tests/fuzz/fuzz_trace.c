/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_trace.c - bytes as a capture are refused with a reason, or are read as far as they go: what
 * is counted was handed over, a longer file never holds fewer messages, it can be described, and
 * the workload made of it is one that can be loaded.
 */
#include <analysis/history.h>
#include <jansson.h>
#include <scenarios/replay.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.h"

enum { PATH_LEN = 40 };

typedef struct Heard {
    History *history;
    uint64_t messages;
    uint64_t datagrams;
} Heard;

static void on_message(void *user, const TraceMessage *message)
{
    Heard *heard = user;

    heard->messages++;
    g_assert_cmpuint(message->scan.bytes.len, >, 0);
    history_message(heard->history, message);
}

static void on_datagram(void *user, const TraceDatagram *datagram)
{
    Heard *heard = user;

    heard->datagrams++;
    history_datagram(heard->history, datagram);
}

static bool read_bytes(const uint8_t *data, size_t size, Heard *heard, TraceCounts *ret_counts)
{
    const TraceSink sink = {.message = on_message, .datagram = on_datagram, .user = heard};
    char path[PATH_LEN];
    const TraceConfig config = {.path = path, .from_ns = INT64_MIN, .until_ns = INT64_MAX};
    g_autoptr(GError) error = NULL;
    int fd = memfd_create("fuzz", 0);
    bool read;

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, data, size), ==, (ssize_t)size);
    g_snprintf(path, PATH_LEN, "/proc/self/fd/%d", fd);
    read = trace_read(&config, &sink, ret_counts, &error);
    g_assert_true(read == (error == NULL));
    g_assert_cmpuint(ret_counts->messages, ==, heard->messages);
    g_assert_cmpuint(ret_counts->messages_tcp, <=, heard->messages);
    g_assert_cmpuint(ret_counts->messages_cut, <=, heard->messages);
    g_assert_cmpuint(ret_counts->skipped[TRACE_SKIP_NOT_SIP], >=, heard->datagrams);
    close(fd);
    return read;
}

/* A workload is written as one that is read again. */
static void fuzz_workload(const HistoryData *data, const char *anonymise)
{
    const ReplayOptions options = {.domain = "example.org",
                                   .anonymise = anonymise,
                                   .keep_headers = true,
                                   .keep_bodies = true,
                                   .speed = 1};
    g_autoptr(GError) error = NULL;
    g_autoptr(Replay) replay = replay_from_history("fuzz.pcap", data, &options, &error);
    g_autofree char *directory = NULL;
    g_autofree char *path = NULL;
    g_autoptr(Replay) again = NULL;

    g_assert_no_error(error);
    g_assert_nonnull(replay);
    if (replay->calls->len == 0 && replay->users->len == 0) {
        return;
    }
    directory = g_dir_make_tmp("peal-fuzz-XXXXXX", NULL);
    path = g_build_filename(directory, "x.calls", NULL);
    g_assert_true(replay_save(replay, path, NULL));
    again = replay_load(path, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(again->calls->len, ==, replay->calls->len);
    g_assert_cmpuint(again->users->len, ==, replay->users->len);
    g_assert_cmpint(unlink(path), ==, 0);
    g_assert_cmpint(rmdir(directory), ==, 0);
}

static void fuzz_description(const TraceCounts *counts, const HistoryData *data)
{
    g_autofree char *text = describe_text("fuzz.pcap", counts, data);
    g_autofree char *json = describe_json("fuzz.pcap", counts, data);
    json_t *tree = json_loads(json, 0, NULL);

    g_assert_true(g_utf8_validate(text, -1, NULL));
    g_assert_nonnull(tree);
    json_decref(tree);
}

/* Returns the number of messages. */
static uint64_t fuzz_read(const uint8_t *data, size_t size, bool further)
{
    const HistoryConfig config = {.texts = true};
    g_autoptr(History) history = history_new(&config);
    Heard heard = {.history = history};
    TraceCounts counts;

    if (read_bytes(data, size, &heard, &counts) && further) {
        const HistoryData *found = history_finish(history);

        fuzz_description(&counts, found);
        fuzz_workload(found, NULL);
        fuzz_workload(found, "key");
    }
    return heard.messages;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t messages = fuzz_read(data, size, true);

    g_assert_cmpuint(fuzz_read(data, size - size / 4, false), <=, messages);
    g_assert_cmpuint(fuzz_read(data, size - (size > 0), false), <=, messages);
    return 0;
}
