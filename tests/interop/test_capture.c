/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_capture.c - a second opinion on what peers put on the wire: a run's capture, read with
 *                  libpcap and with a decoder of its own that shares nothing with core, follows
 *                  every message from peer to peer.
 * Source: RFC 6940 s.6.1.2, s.6.3.2, s.6.6.2.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <pcap/pcap.h>
#include <stdbool.h>

#include "peal_test.h"
#include "scratch.h"

enum {
    IP_HEADER = 20,
    UDP_HEADER = 8,
    FRAME_HEADER = 8,
    ACK_LEN = 9,
    FIXED_HEADER = 38,
    NODE_ENTRY = 18, /* type, length, 16 bytes of Node-ID */
    NODE_ID = 16,
    INITIAL_TTL = 100,
    PING_REQ = 23,
    ERROR_CODE = 0xffff,
    EXP_FORWARD = 1,
};

/* One transmission of one whole message over one link. */
typedef struct Hop {
    guint32 from; /* IPv4 addresses */
    guint32 to;
    guint64 transaction;
    guint code;
    guint ttl;
    guint via_len; /* bytes */
    guint dest_len;
    const guint8 *via;
    const guint8 *dest;
    guint8 *packet; /* what via and dest point into */
} Hop;

static GArray *hops;         /* of Hop, in order of time */
static GHashTable *node_ids; /* IPv4 address: 16 bytes, as peers name themselves to each other */
static guint packets;
static guint broken; /* packets that are no frame */

static guint get16(const guint8 *at)
{
    return (guint)at[0] << 8 | at[1];
}

static guint32 get32(const guint8 *at)
{
    return (guint32)get16(at) << 16 | get16(at + 2);
}

static bool is_request(guint code)
{
    return code % 2 == 1 && code != ERROR_CODE;
}

/* A Ping with option exp-forward tells who is at the other end of a link. */
static void learn_name(const Hop *hop, const guint8 *options, guint options_len)
{
    if (hop->code == PING_REQ && options_len == 4 + NODE_ID && options[0] == EXP_FORWARD) {
        g_hash_table_insert(node_ids, GUINT_TO_POINTER(hop->from), g_memdup2(options + 4, NODE_ID));
    }
}

/* Reads one RELOAD message; false when its lengths do not add up. */
static bool read_message(Hop *hop, const guint8 *message, guint len)
{
    guint options_len;
    guint contents;

    if (len < FIXED_HEADER || get32(message) != 0xd2454c4f || get32(message + 16) != len) {
        return false;
    }
    hop->ttl = message[11];
    hop->transaction = (guint64)get32(message + 20) << 32 | get32(message + 24);
    hop->via_len = get16(message + 32);
    hop->dest_len = get16(message + 34);
    options_len = get16(message + 36);
    contents = FIXED_HEADER + hop->via_len + hop->dest_len + options_len;
    if (contents + 2 > len) {
        return false;
    }
    hop->via = message + FIXED_HEADER;
    hop->dest = hop->via + hop->via_len;
    if (get32(message + 12) != 0xc0000000) {
        return true; /* a fragment: its code is in another packet */
    }
    hop->code = get16(message + contents);
    learn_name(hop, hop->dest + hop->dest_len, options_len);
    g_array_append_val(hops, *hop);
    return true;
}

/* Reads one packet: raw IPv4, UDP between ports 6084, one frame. */
static bool read_packet(const guint8 *packet, guint len)
{
    Hop hop = {0};
    const guint8 *udp = packet + IP_HEADER;
    const guint8 *frame = udp + UDP_HEADER;
    guint frame_len;

    if (len < IP_HEADER + UDP_HEADER + 1 || packet[0] != 0x45 || packet[9] != 17 ||
        get16(udp) != 6084 || get16(udp + 2) != 6084 || get16(packet + 2) != len) {
        return false;
    }
    hop.from = get32(packet + 12);
    hop.to = get32(packet + 16);
    frame_len = len - IP_HEADER - UDP_HEADER;
    if (frame[0] == 129) {
        return frame_len == ACK_LEN;
    }
    if (frame[0] != 128 || frame_len < FRAME_HEADER ||
        frame_len - FRAME_HEADER != ((guint)frame[5] << 16 | get16(frame + 6))) {
        return false;
    }
    hop.packet = g_memdup2(frame + FRAME_HEADER, frame_len - FRAME_HEADER);
    return read_message(&hop, hop.packet, frame_len - FRAME_HEADER);
}

/* Runs peal and reads its capture. */
static bool simulate(const char *dir)
{
    static const char scenario[] = "[scenario]\nduration = 1min\nwarmup = 1s\nreplications = 1\n"
                                   "[overlay]\npeers = 64\nstart = converged\nneighbours = 3\n"
                                   "[network]\nlatency = synthetic\n"
                                   "[workload]\nusers-per-peer = 1\nlookups-per-peer-hour = 600\n"
                                   "[event:more]\nat = 20s\ndo = join 5 peers\n";
    g_autofree char *conf = g_build_filename(dir, "capture.conf", NULL);
    g_autofree char *out = g_build_filename(dir, "out", NULL);
    g_autofree char *traffic = g_build_filename(dir, "traffic.pcap", NULL);
    const char *argv[] = {g_getenv("PEAL"), "run",   conf, "--quiet", "--out", out,
                          "--pcap",         traffic, NULL};
    char error[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const guint8 *bytes;
    int status = -1;
    pcap_t *pcap;

    if (argv[0] == NULL || !g_file_set_contents(conf, scenario, -1, NULL) ||
        !g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, NULL,
                      &status, NULL) ||
        status != 0) {
        return false;
    }
    pcap = pcap_open_offline(traffic, error);
    if (pcap == NULL) {
        return false;
    }
    while (pcap_next_ex(pcap, &header, &bytes) == 1) {
        packets++;
        broken += !read_packet(bytes, header->caplen);
    }
    pcap_close(pcap);
    return true;
}

/* The capture is made once, by the first test that asks. */
static bool captured(void)
{
    if (hops == NULL) {
        g_autofree char *dir = g_dir_make_tmp("peal-capture-XXXXXX", NULL);

        hops = g_array_new(FALSE, FALSE, sizeof(Hop));
        node_ids = g_hash_table_new_full(NULL, NULL, NULL, g_free);
        if (dir == NULL || !simulate(dir)) {
            g_array_set_size(hops, 0);
        }
        remove_tree(dir);
    }
    return hops->len > 0;
}

static const Hop *hop_at(guint i)
{
    return &g_array_index(hops, Hop, i);
}

/* The hops of one message that reached a peer before hop number `before` did: its index, or -1. */
static int arrival(const Hop *of, guint32 at, guint before)
{
    for (guint i = before; i-- > 0;) {
        const Hop *hop = hop_at(i);

        if (hop->transaction == of->transaction && hop->code == of->code && hop->to == at) {
            return (int)i;
        }
    }
    return -1;
}

static void capture_every_packet_is_one_frame(void)
{
    CU_ASSERT_FATAL(captured());
    CU_ASSERT(packets > 10000);
    CU_ASSERT_EQUAL(broken, 0);
}

static void capture_via_grows_by_18_bytes_a_hop(void)
{
    guint forwarded = 0;

    CU_ASSERT_FATAL(captured());
    for (guint i = 0; i < hops->len; i++) {
        const Hop *hop = hop_at(i);
        int last = arrival(hop, hop->from, i);

        if (!is_request(hop->code)) {
            continue;
        }
        if (last < 0) {
            CU_ASSERT_EQUAL(hop->via_len, 0);
            continue;
        }
        forwarded++;
        CU_ASSERT_EQUAL(hop->via_len, hop_at((guint)last)->via_len + NODE_ENTRY);
        CU_ASSERT_EQUAL(memcmp(hop->via, hop_at((guint)last)->via, hop_at((guint)last)->via_len),
                        0);
    }
    CU_ASSERT(forwarded > 1000);
}

/* What a forwarding peer adds is the name of the peer it has the message from. */
static void capture_via_names_the_peers_on_the_way(void)
{
    guint named = 0;

    CU_ASSERT_FATAL(captured());
    for (guint i = 0; i < hops->len; i++) {
        const Hop *hop = hop_at(i);
        int last = is_request(hop->code) ? arrival(hop, hop->from, i) : -1;
        const guint8 *name;

        if (last < 0) {
            continue;
        }
        name = g_hash_table_lookup(node_ids, GUINT_TO_POINTER(hop_at((guint)last)->from));
        if (name != NULL) {
            named++;
            CU_ASSERT_EQUAL(hop->via[hop->via_len - NODE_ENTRY], 1); /* type node */
            CU_ASSERT_EQUAL(hop->via[hop->via_len - NODE_ENTRY + 1], NODE_ID);
            CU_ASSERT_EQUAL(memcmp(hop->via + hop->via_len - NODE_ID, name, NODE_ID), 0);
        }
    }
    CU_ASSERT(named > 100);
}

static void capture_ttl_and_hops_make_100(void)
{
    g_autofree guint *count = NULL; /* hops behind each message when it arrives */

    CU_ASSERT_FATAL(captured());
    count = g_new0(guint, hops->len);
    for (guint i = 0; i < hops->len; i++) {
        const Hop *hop = hop_at(i);
        int last = arrival(hop, hop->from, i);

        count[i] = last < 0 ? 1 : count[last] + 1;
        CU_ASSERT_EQUAL(hop->ttl + count[i], INITIAL_TTL);
    }
}

/* The request that a peer answers, as it came to that peer: the last one before hop number i. */
static int answered(const Hop *answer, guint i)
{
    while (i-- > 0) {
        const Hop *hop = hop_at(i);

        if (hop->transaction == answer->transaction && is_request(hop->code) &&
            hop->to == answer->from &&
            (answer->code == hop->code + 1 || answer->code == ERROR_CODE)) {
            return (int)i;
        }
    }
    return -1;
}

static void capture_answers_go_back_along_the_reversed_via(void)
{
    guint reversed = 0;

    CU_ASSERT_FATAL(captured());
    for (guint i = 0; i < hops->len; i++) {
        const Hop *answer = hop_at(i);
        const Hop *request;
        guint entries;
        int index;

        if (is_request(answer->code) || arrival(answer, answer->from, i) >= 0) {
            continue; /* not an answer, or one on its way */
        }
        index = answered(answer, i);
        CU_ASSERT_FATAL(index >= 0);
        request = hop_at((guint)index);
        /* First back to the neighbour it came from, whose name via does not hold yet, then via from
         * its end. */
        CU_ASSERT_EQUAL(answer->to, request->from);
        CU_ASSERT_EQUAL_FATAL(answer->dest_len, request->via_len + NODE_ENTRY);
        entries = request->via_len / NODE_ENTRY;
        for (guint entry = 0; entry < entries; entry++) {
            CU_ASSERT_EQUAL(memcmp(answer->dest + (entry + 1) * NODE_ENTRY,
                                   request->via + (entries - 1 - entry) * NODE_ENTRY, NODE_ENTRY),
                            0);
        }
        reversed += entries > 0;
    }
    CU_ASSERT(reversed > 200);
}

PEAL_TEST_MAIN("interop/capture", PEAL_TEST(capture_every_packet_is_one_frame),
               PEAL_TEST(capture_via_grows_by_18_bytes_a_hop),
               PEAL_TEST(capture_via_names_the_peers_on_the_way),
               PEAL_TEST(capture_ttl_and_hops_make_100),
               PEAL_TEST(capture_answers_go_back_along_the_reversed_via))
