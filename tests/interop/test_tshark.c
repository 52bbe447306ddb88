/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_tshark.c - Wireshark as an independent judge: it must read in each golden message what the
 * codec wrote.
 */
#include "core/golden.h"
#include "core/plain_env.h"
#include "peal_test.h"
#include "reload/fragment.h"

#include <pcap/pcap.h>
#include <unistd.h>

enum {
    PORT = 6084,
    IP_LEN = 20,
    UDP_LEN = 8,
    PACKETS_MAX = 64,
    LINE_MAX_LEN = 8192,
    FIELDS_MAX = 64
};

/* The fields asked of tshark; an expectation below names one of them. */
static const char *const fields[] = {
    "reload_framing.type",
    "reload_framing.sequence",
    "reload_framing.ack_sequence",
    "reload_framing.received",
    "reload.forwarding.overlay",
    "reload.forwarding.configuration_sequence",
    "reload.forwarding.version",
    "reload.forwarding.ttl",
    "reload.forwarding.fragment",
    "reload.forwarding.trans_id",
    "reload.forwarding.max_response_length",
    "reload.forwarding.via_list.length",
    "reload.forwarding.destination_list.length",
    "reload.forwarding.options.length",
    "reload.forwarding.destination.type",
    "reload.forwarding.destination.compressed_id",
    "reload.forwarding.option.type",
    "reload.destination.data.nodeid",
    "reload.message.code",
    "reload.message_extension.type",
    "reload.probe_information.type",
    "reload.responsible_set",
    "reload.num_resources",
    "reload.uptime",
    "reload.ipv4addr",
    "reload.ipv6addr",
    "reload.port",
    "reload.overlaylink.type",
    "reload.icecandidate.type",
    "reload.sendupdate",
    "reload.application",
    "reload.opaque.string",
    "reload.kinddata.kind",
    "reload.kindid",
    "reload.generation_counter",
    "reload.store.replica_number",
    "reload.storeddata.lifetime",
    "reload.storeddata.storage_time",
    "reload.arrayentry.index",
    "reload.datavalue.exists",
    "reload.metadata.value_length",
    "reload.nodeid",
    "reload.joinreq.joining_peer_id",
    "reload.leavereq.leaving_peer_id",
    "reload.chordleavedata.type",
    "reload.chordupdate.type",
    "reload.chordroutequeryans.nodeid",
    "reload.ping.response_id",
    "reload.ping.time",
    "reload.configupdatereq.type",
    "reload.error_response.code",
    "reload.hash_algorithm",
    "reload.signature_algorithm",
    "reload.signature.identity.type",
    "reload.certificate.type",
    "reload.sipregistration.type",
    "reload.turnserver.iteration",
    "reload.fragment.count",
    "x509sat.uTF8String",
};
enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };
_Static_assert(sizeof(fields) / sizeof(fields[0]) <= FIELDS_MAX, "room for every field");

#define ID_A "00112233445566778899aabbccddeeff"
#define ID_B "101112131415161718191a1b1c1d1e1f"
#define ID_C "202122232425262728292a2b2c2d2e2f"
#define TIME "Nov 14, 2023 22:13:20.000000000 UTC"

typedef struct Expectation {
    const char *message;
    const char *field;
    const char *value; /* several occurrences are separated by commas */
} Expectation;

static const Expectation expectations[] = {
    {"probe_req", "reload.probe_information.type", "0x01,0x02,0x03"},
    {"probe_ans", "reload.responsible_set", "0x07735940"},
    {"probe_ans", "reload.num_resources", "42"},
    {"probe_ans", "reload.uptime", "86400"},
    {"attach_req", "reload.opaque.string", "passive,1"},
    {"attach_req", "reload.ipv4addr", "192.0.2.1"},
    {"attach_req", "reload.port", "6084"},
    {"attach_req", "reload.overlaylink.type", "5"},
    {"attach_req", "reload.icecandidate.type", "1"},
    {"attach_req", "reload.sendupdate", "1"},
    {"attach_ans", "reload.opaque.string", "4f3d,aabbccddeeff00112233,active,h1,s1"},
    {"attach_ans", "reload.ipv6addr", "2001:db8::1"},
    {"attach_ans", "reload.ipv4addr", "203.0.113.7,192.0.2.1"},
    {"attach_ans", "reload.port", "6084,40000,6084"},
    {"attach_ans", "reload.overlaylink.type", "1,1"},
    {"attach_ans", "reload.icecandidate.type", "1,2"},
    {"attach_ans", "reload.sendupdate", "0"},
    {"app_attach_req", "reload.application", "5060"},
    {"app_attach_req", "reload.opaque.string", "passive,1"},
    {"app_attach_ans", "reload.application", "5060"},
    {"app_attach_ans", "reload.opaque.string", "active,1"},
    {"store_req", "reload.store.replica_number", "0"},
    {"store_req", "reload.kinddata.kind", "1"},
    {"store_req", "reload.generation_counter", "0"},
    {"store_req", "reload.storeddata.storage_time", TIME},
    {"store_req", "reload.storeddata.lifetime", "3600"},
    {"store_req", "reload.nodeid", ID_B},
    {"store_req", "reload.datavalue.exists", "1"},
    {"store_req", "reload.sipregistration.type", "2"},
    {"store_req", "reload.destination.data.nodeid", ID_B},
    {"store_req", "reload.signature.identity.type", "2,2"},
    {"store_req_models", "reload.store.replica_number", "1"},
    {"store_req_models", "reload.kinddata.kind", "2,3"},
    {"store_req_models", "reload.generation_counter", "7,9"},
    {"store_req_models", "reload.arrayentry.index", "0,5"},
    {"store_req_models", "reload.datavalue.exists", "1,1,0"},
    {"store_req_models", "reload.turnserver.iteration", "1"},
    {"store_req_models", "reload.ipv4addr", "192.0.2.9"},
    {"store_req_models", "x509sat.uTF8String", "Peal,overlay.example.org,Peal,peer"},
    {"store_ans", "reload.kinddata.kind", "1"},
    {"store_ans", "reload.generation_counter", "8"},
    {"store_ans", "reload.nodeid", ID_A "," ID_B},
    {"fetch_req", "reload.kinddata.kind", "1,2,3"},
    {"fetch_req", "reload.generation_counter", "0,0,4"},
    {"fetch_req_keys", "reload.kinddata.kind", "1"},
    {"fetch_req_keys", "reload.generation_counter", "3"},
    {"fetch_ans", "reload.kinddata.kind", "1"},
    {"fetch_ans", "reload.generation_counter", "8"},
    {"fetch_ans", "reload.nodeid", ID_A "," ID_B "," ID_C},
    {"fetch_ans", "reload.datavalue.exists", "1,1,0"},
    {"fetch_ans", "reload.sipregistration.type", "1,2"},
    {"fetch_ans", "reload.opaque.string", "sip:bob@example.net"},
    {"fetch_ans", "reload.signature.identity.type", "2,2,3,2"},
    {"stat_req", "reload.kinddata.kind", "1"},
    {"stat_ans", "reload.kinddata.kind", "1,2,3"},
    {"stat_ans", "reload.generation_counter", "8,1,2"},
    {"stat_ans", "reload.metadata.value_length", "25,9,0"},
    {"stat_ans", "reload.arrayentry.index", "4"},
    {"stat_ans", "reload.datavalue.exists", "1,1,0"},
    {"stat_ans", "reload.hash_algorithm", "2,2,0,0"},
    {"find_req", "reload.kindid", "1,3"},
    {"find_ans", "reload.kinddata.kind", "1,3"},
    {"join_req", "reload.joinreq.joining_peer_id", ID_A},
    {"leave_req", "reload.leavereq.leaving_peer_id", ID_A},
    {"leave_req", "reload.chordleavedata.type", "1"},
    {"leave_req", "reload.nodeid", ID_B "," ID_C},
    {"update_req_ready", "reload.chordupdate.type", "1"},
    {"update_req_ready", "reload.uptime", "5"},
    {"update_req_neighbors", "reload.chordupdate.type", "2"},
    {"update_req_neighbors", "reload.uptime", "60"},
    {"update_req_neighbors", "reload.nodeid", ID_C "," ID_B "," ID_C},
    {"update_req_full", "reload.chordupdate.type", "3"},
    {"update_req_full", "reload.nodeid", ID_C "," ID_B "," ID_A "," ID_B "," ID_C},
    {"route_query_req", "reload.sendupdate", "1"},
    {"route_query_req", "reload.forwarding.destination.type", "0x01,0x02"},
    {"route_query_ans", "reload.chordroutequeryans.nodeid", ID_C},
    {"ping_req", "reload.forwarding.via_list.length", "36"},
    {"ping_req", "reload.forwarding.destination_list.length", "27"},
    {"ping_req", "reload.forwarding.destination.type", "0x01,0x01,0x03,0x02"},
    {"ping_req", "reload.forwarding.destination.compressed_id", "0x8123"},
    {"ping_req", "reload.destination.data.nodeid", ID_A "," ID_B},
    {"ping_req_named", "reload.forwarding.options.length", "20"},
    {"ping_req_named", "reload.forwarding.option.type", "1"},
    {"ping_req_named", "reload.destination.data.nodeid", "ffffffffffffffffffffffffffffffff"},
    {"ping_ans", "reload.ping.response_id", "18364758544493064720"},
    {"ping_ans", "reload.ping.time", TIME},
    {"ping_ans", "reload.message_extension.type", "65534"},
    {"ping_ans", "reload.destination.data.nodeid", ID_C "," ID_B "," ID_A},
    {"config_update_req", "reload.configupdatereq.type", "1"},
    {"config_update_req_kind", "reload.configupdatereq.type", "2"},
    {"error", "reload.error_response.code", "3"},
    {"error", "reload.opaque.string", "no such resource"},
    {"ping_req_p256", "reload.certificate.type", "0"},
    {"ping_req_p256", "reload.hash_algorithm", "4"},
    {"ping_req_p256", "reload.signature_algorithm", "3"},
    {"ping_req_p256", "x509sat.uTF8String", "Peal,overlay.example.org,Peal,peer"},
    {"ping_req_rsa2048", "reload.signature_algorithm", "1"},
    {"ping_req_rsa2048", "x509sat.uTF8String", "Peal,overlay.example.org,Peal,peer"},
};

/* Capture */

typedef struct Capture {
    char path[64];
    pcap_t *pcap;
    pcap_dumper_t *dumper;
    unsigned packets;
} Capture;

static bool capture_open(Capture *capture)
{
    int file;

    *capture = (Capture){.path = "/tmp/peal-tshark-XXXXXX"};
    file = mkstemp(capture->path);
    if (file < 0) {
        return false;
    }
    close(file);
    capture->pcap = pcap_open_dead(DLT_RAW, 65535);
    capture->dumper = pcap_dump_open(capture->pcap, capture->path);
    return capture->dumper != NULL;
}

/* Writes a frame as the payload of one UDP datagram from 10.0.0.1 to 10.0.0.2. */
static void capture_frame(Capture *capture, const uint8_t *frame, size_t len)
{
    static const uint8_t ip[IP_LEN] = {0x45, 0, 0,  0, 0, 0, 0x40, 0, 64, 17,
                                       0,    0, 10, 0, 0, 1, 10,   0, 0,  2};
    uint8_t packet[IP_LEN + UDP_LEN + 65536];
    size_t total = IP_LEN + UDP_LEN + len;
    struct pcap_pkthdr header = {.caplen = (bpf_u_int32)total, .len = (bpf_u_int32)total};

    memcpy(packet, ip, IP_LEN);
    bytes_set_u16(packet + 2, (uint16_t)total);
    bytes_set_u16(packet + IP_LEN, PORT);
    bytes_set_u16(packet + IP_LEN + 2, PORT);
    bytes_set_u16(packet + IP_LEN + 4, (uint16_t)(UDP_LEN + len));
    bytes_set_u16(packet + IP_LEN + 6, 0);
    memcpy(packet + IP_LEN + UDP_LEN, frame, len);
    header.ts.tv_sec = capture->packets++;
    pcap_dump((u_char *)capture->dumper, &header, packet);
}

static void capture_close(Capture *capture)
{
    pcap_dump_close(capture->dumper);
    pcap_close(capture->pcap);
}

/* All golden messages, an ack, then a Ping in fragments: returns the number of golden messages. */
static size_t capture_golden(Capture *capture)
{
    uint8_t frame[RELOAD_DATA_FRAME_LEN + GOLDEN_MESSAGE_MAX];

    for (size_t i = 0; i < golden_messages_len; i++) {
        size_t len =
            golden_load(golden_messages[i].name, frame + RELOAD_DATA_FRAME_LEN, GOLDEN_MESSAGE_MAX);

        frame_write_data(frame, (uint32_t)i, (uint32_t)len);
        capture_frame(capture, frame, RELOAD_DATA_FRAME_LEN + len);
    }
    frame_write_ack(frame, 7, 0x5);
    capture_frame(capture, frame, RELOAD_ACK_FRAME_LEN);
    return golden_messages_len;
}

static uint32_t capture_fragments(Capture *capture)
{
    uint8_t message[GOLDEN_MESSAGE_MAX];
    size_t len = golden_load("ping_req_rsa2048", message, sizeof(message));
    FragmentPlan plan = fragment_plan(message, len, 700);
    PlainEnv env;

    plain_env_init(&env);
    bytes_set_u64(message + WIRE_AT_TRANSACTION, 99); /* Wireshark keys its reassembly by it */
    for (uint32_t i = 0; i < plan.count; i++) {
        PealBuf *buf = fragment_make(&env.env, &plan, message, i);

        capture_frame(capture, buf->data, buf->len);
        env.ops.drop(&env.env, buf);
    }
    return plan.count;
}

/* Tshark */

static bool have_tshark(void)
{
    return system("command -v tshark >/dev/null 2>&1") == 0;
}

/* One line of tshark's answer for each packet: the fields, cut apart. */
typedef struct Row {
    char line[LINE_MAX_LEN];
    const char *value[FIELDS_MAX];
} Row;

static size_t tshark_rows(const char *path, Row *rows, size_t max)
{
    char command[8192];
    size_t at = (size_t)snprintf(command, sizeof(command),
                                 "TZ=UTC tshark -n -r %s -T fields -E separator='|'", path);
    size_t len = 0;
    FILE *out;

    for (size_t i = 0; i < FIELDS; i++) {
        at += (size_t)snprintf(command + at, sizeof(command) - at, " -e %s", fields[i]);
    }
    (void)snprintf(command + at, sizeof(command) - at, " 2>/dev/null");
    out = popen(command, "r");
    while (out != NULL && len < max && fgets(rows[len].line, LINE_MAX_LEN, out) != NULL) {
        char *rest = rows[len].line;

        rest[strcspn(rest, "\n")] = '\0';
        for (size_t i = 0; i < FIELDS; i++) {
            rows[len].value[i] = strsep(&rest, "|");
        }
        len++;
    }
    if (out != NULL) {
        (void)pclose(out);
    }
    return len;
}

static const char *row_value(const Row *row, const char *field)
{
    for (size_t i = 0; i < FIELDS; i++) {
        if (strcmp(fields[i], field) == 0) {
            return row->value[i] != NULL ? row->value[i] : "";
        }
    }
    return "no such field";
}

static void expect(const char *what, const Row *row, const char *field, const char *value)
{
    const char *got = row_value(row, field);

    if (strcmp(got, value) != 0) {
        printf("# %s: %s is \"%s\", not \"%s\"\n", what, field, got, value);
        CU_FAIL("tshark reads something else");
    }
}

static void expect_number(const char *what, const Row *row, const char *field, uint64_t value)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    expect(what, row, field, text);
}

static Row rows[PACKETS_MAX];

static void tshark_reads_the_header_of_every_message(void)
{
    Capture capture;
    size_t messages;

    if (!have_tshark()) {
        PEAL_SKIP("needs tshark");
    }
    CU_ASSERT_TRUE_FATAL(capture_open(&capture));
    messages = capture_golden(&capture);
    capture_close(&capture);
    CU_ASSERT_EQUAL(tshark_rows(capture.path, rows, PACKETS_MAX), messages + 1);
    for (size_t i = 0; i < messages; i++) {
        const GoldenMessage *message = &golden_messages[i];
        uint8_t bytes[GOLDEN_MESSAGE_MAX];
        ReloadHeader header;
        size_t header_len;
        size_t len = golden_load(message->name, bytes, sizeof(bytes));

        CU_ASSERT_EQUAL_FATAL(reload_header_decode((PealBytes){bytes, len}, &header, &header_len),
                              0);
        expect(message->name, &rows[i], "reload_framing.type", "128");
        expect_number(message->name, &rows[i], "reload_framing.sequence", i);
        expect(message->name, &rows[i], "reload.forwarding.overlay", "0x9aa32b8d");
        expect_number(message->name, &rows[i], "reload.forwarding.configuration_sequence", 1);
        expect(message->name, &rows[i], "reload.forwarding.version", "0x0a");
        expect_number(message->name, &rows[i], "reload.forwarding.ttl", message->ttl);
        expect(message->name, &rows[i], "reload.forwarding.fragment", "0xc0000000");
        expect(message->name, &rows[i], "reload.forwarding.trans_id", "0x0123456789abcdef");
        expect_number(message->name, &rows[i], "reload.forwarding.max_response_length",
                      message->max_response_length);
        expect_number(message->name, &rows[i], "reload.forwarding.via_list.length", header.via.len);
        expect_number(message->name, &rows[i], "reload.forwarding.destination_list.length",
                      header.dest.len);
        expect_number(message->name, &rows[i], "reload.forwarding.options.length",
                      header.options.len);
        expect_number(message->name, &rows[i], "reload.message.code", message->code);
    }
    expect("ack", &rows[messages], "reload_framing.type", "129");
    expect("ack", &rows[messages], "reload_framing.ack_sequence", "7");
    (void)unlink(capture.path);
}

static void tshark_reads_the_named_fields_of_every_message(void)
{
    Capture capture;

    if (!have_tshark()) {
        PEAL_SKIP("needs tshark");
    }
    CU_ASSERT_TRUE_FATAL(capture_open(&capture));
    (void)capture_golden(&capture);
    capture_close(&capture);
    CU_ASSERT_TRUE(tshark_rows(capture.path, rows, PACKETS_MAX) > golden_messages_len);
    for (size_t i = 0; i < sizeof(expectations) / sizeof(expectations[0]); i++) {
        const Expectation *e = &expectations[i];
        const GoldenMessage *message = golden_find(e->message);

        expect(e->message, &rows[message - golden_messages], e->field, e->value);
    }
    (void)unlink(capture.path);
}

static void tshark_puts_fragments_together(void)
{
    Capture capture;
    uint32_t fragments;
    size_t len;

    if (!have_tshark()) {
        PEAL_SKIP("needs tshark");
    }
    CU_ASSERT_TRUE_FATAL(capture_open(&capture));
    fragments = capture_fragments(&capture);
    capture_close(&capture);
    len = tshark_rows(capture.path, rows, PACKETS_MAX);
    CU_ASSERT_EQUAL_FATAL(len, fragments);
    CU_ASSERT_TRUE(fragments >= 2);
    expect("first fragment", &rows[0], "reload.forwarding.fragment", "0x80000000");
    expect_number("last fragment", &rows[len - 1], "reload.fragment.count", fragments);
    expect("last fragment", &rows[len - 1], "reload.message.code", "23");
    (void)unlink(capture.path);
}

/*
 * tshark's complaints about the golden messages. The one allowed: a value that the responder made
 * up names no signer (RFC 6940 s.7.4.2.2), which Wireshark calls an unknown identity type.
 */
static void tshark_finds_nothing_malformed(void)
{
    Capture capture;
    char command[512];
    char line[512];
    FILE *out;
    unsigned complaints = 0;

    if (!have_tshark()) {
        PEAL_SKIP("needs tshark");
    }
    CU_ASSERT_TRUE_FATAL(capture_open(&capture));
    (void)capture_golden(&capture);
    (void)capture_fragments(&capture);
    capture_close(&capture);
    (void)snprintf(command, sizeof(command),
                   "tshark -n -r %s -Y '_ws.malformed || _ws.expert || !reload-framing' -T fields"
                   " -e frame.number -e _ws.expert.message 2>/dev/null",
                   capture.path);
    out = popen(command, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    while (fgets(line, sizeof(line), out) != NULL) {
        if (strstr(line, "\tUnknown identity type\n") == NULL) {
            printf("# tshark: frame %s", line);
            complaints++;
        }
    }
    CU_ASSERT_EQUAL(pclose(out), 0);
    CU_ASSERT_EQUAL(complaints, 0);
    (void)unlink(capture.path);
}

PEAL_TEST_MAIN("interop/tshark", PEAL_TEST(tshark_reads_the_header_of_every_message),
               PEAL_TEST(tshark_reads_the_named_fields_of_every_message),
               PEAL_TEST(tshark_puts_fragments_together), PEAL_TEST(tshark_finds_nothing_malformed))
