/*
 * test_pcap.c - simulated captures: bytes of the file, and what tshark makes of them.
 */
#include <analysis/pcap.h>
#include <glib/gstdio.h>
#include <peal_test.h>

enum { SMALL = 100, LARGE = 150000 };

static uint8_t payload[LARGE];

static char *capture_path(void)
{
    g_autofree char *dir = g_dir_make_tmp("peal-pcap-XXXXXX", NULL);

    for (size_t i = 0; i < sizeof(payload); i++) {
        payload[i] = (uint8_t)(i * 31 + i / 256);
    }
    return g_build_filename(dir, "traffic.pcap", NULL);
}

static void remove_capture(const char *path)
{
    g_autofree char *dir = g_path_get_dirname(path);

    g_unlink(path);
    g_rmdir(dir);
}

static PealTime ms(int64_t n)
{
    return (PealTime){n * PEAL_NS_PER_MS};
}

static PcapWriter *writer_for(const char *path)
{
    PcapWriterConfig config = {.path = path, .base_unix_ns = INT64_C(1700000000) * PEAL_NS_PER_S};
    PcapWriter *writer = pcap_writer_new(&config, NULL);

    CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
    return writer;
}

/* Lines that tshark prints with checksums checked; NULL when there is no tshark. */
static char **tshark(const char *path, const char *arguments)
{
    g_autofree char *tool = g_find_program_in_path("tshark");
    g_autofree char *command = NULL;
    g_autofree char *output = NULL;
    g_autofree char *errors = NULL; /* says that it runs as root, at most */

    if (tool == NULL) {
        return NULL;
    }
    command = g_strdup_printf("tshark -n -r %s -o ip.check_checksum:TRUE -o "
                              "udp.check_checksum:TRUE -o tcp.check_checksum:TRUE %s",
                              path, arguments);
    if (!g_spawn_command_line_sync(command, &output, &errors, NULL, NULL)) {
        return NULL;
    }
    return g_strsplit(g_strchomp(output), "\n", -1);
}

/* A file with datagrams, and a TCP flow from handshake to close. */
static char *sample_capture(void)
{
    char *path = capture_path();
    PcapWriter *writer = writer_for(path);
    PealSpan one_way = peal_ms(10);

    pcap_writer_datagram(writer, (PealTime){1}, 0, 1, payload, SMALL);
    pcap_writer_datagram(writer, ms(1), 1, 70000, payload, SMALL + 1);
    pcap_writer_datagram(writer, ms(1), 1, 0, payload, 0);
    pcap_writer_tcp_open(writer, ms(5), one_way, 7, 2, 3);
    pcap_writer_datagram(writer, ms(6), 1, 0, payload, 1);
    pcap_writer_tcp_data(writer, ms(30), 7, 2, 3, (PealBytes){payload, LARGE});
    pcap_writer_tcp_data(writer, ms(40), 7, 3, 2, (PealBytes){payload, SMALL});
    pcap_writer_tcp_data(writer, ms(50), 9, 4, 5, (PealBytes){payload, SMALL});
    pcap_writer_tcp_close(writer, ms(60), one_way, 7, 3);
    pcap_writer_datagram(writer, ms(65), 1, 0, payload, 2);
    CU_ASSERT(pcap_writer_close(writer, NULL));
    return path;
}

static void pcap_file_has_nanoseconds_and_raw_ip(void)
{
    g_autofree char *path = sample_capture();
    g_autofree char *bytes = NULL;
    gsize len;
    uint32_t word[10];

    CU_ASSERT_FATAL(g_file_get_contents(path, &bytes, &len, NULL));
    CU_ASSERT_FATAL(len > sizeof(word));
    memcpy(word, bytes, sizeof(word));
    CU_ASSERT_EQUAL(word[0], 0xa1b23c4d); /* pcap with nanoseconds, this machine's byte order */
    CU_ASSERT_EQUAL(word[5], 101);        /* LINKTYPE_RAW */
    CU_ASSERT_EQUAL(word[6], 1700000000);
    CU_ASSERT_EQUAL(word[7], 1);
    CU_ASSERT_EQUAL(word[8], 20 + 8 + SMALL);
    remove_capture(path);
}

static void pcap_checksums_are_good_to_tshark(void)
{
    g_autofree char *path = sample_capture();
    g_auto(GStrv) lines = tshark(path, "-T fields -e ip.checksum.status -e udp.checksum.status "
                                       "-e tcp.checksum.status -e ip.src -e ip.dst");
    unsigned packets = 0;

    if (lines == NULL) {
        remove_capture(path);
        PEAL_SKIP("needs tshark");
    }
    for (char **line = lines; *line != NULL; line++) {
        bool udp = g_str_has_prefix(*line, "1\t1\t\t");
        bool tcp = g_str_has_prefix(*line, "1\t\t1\t");

        CU_ASSERT(udp || tcp);
        packets++;
    }
    CU_ASSERT_EQUAL(packets, 5 + 3 + 3 + 1 + 1 + 3);
    CU_ASSERT(g_str_has_suffix(lines[1], "10.0.0.2\t10.1.17.113")); /* 70,001 = 0x11171 */
    remove_capture(path);
}

static void pcap_packets_are_in_the_order_of_time(void)
{
    g_autofree char *path = sample_capture();
    g_auto(GStrv) lines = tshark(path, "-T fields -e frame.time_delta");

    if (lines == NULL) {
        remove_capture(path);
        PEAL_SKIP("needs tshark");
    }
    for (char **line = lines; *line != NULL; line++) {
        CU_ASSERT(**line != '-');
    }
    remove_capture(path);
}

static void pcap_tcp_flow_has_nothing_for_an_expert_to_say(void)
{
    g_autofree char *path = sample_capture();
    g_auto(GStrv) faults = tshark(path, "-Y tcp.analysis.flags");
    g_auto(GStrv) complete = tshark(path, "-Y tcp.port==6084&&ip.addr==10.0.0.3 -T fields -e "
                                          "tcp.completeness");

    if (faults == NULL) {
        remove_capture(path);
        PEAL_SKIP("needs tshark");
    }
    CU_ASSERT_EQUAL(g_strv_length(faults), 0);
    /* SYN, SYN-ACK, ACK, data, FIN */
    CU_ASSERT_STRING_EQUAL(complete[g_strv_length(complete) - 1], "31");
    remove_capture(path);
}

static void pcap_tcp_stream_carries_the_bytes(void)
{
    g_autofree char *path = sample_capture();
    g_auto(GStrv) lines = tshark(path, "-q -z follow,tcp,raw,0");
    g_autoptr(GString) hex = g_string_new(NULL);
    bool same = true;

    if (lines == NULL) {
        remove_capture(path);
        PEAL_SKIP("needs tshark");
    }
    for (char **line = lines; *line != NULL; line++) {
        /* The other side's lines begin with a tab. */
        if (strspn(*line, "0123456789abcdef") == strlen(*line)) {
            g_string_append(hex, *line);
        }
    }
    CU_ASSERT_EQUAL_FATAL(hex->len, 2 * LARGE);
    for (size_t i = 0; i < LARGE && same; i++) {
        same = g_ascii_xdigit_value(hex->str[2 * i]) * 16 +
                   g_ascii_xdigit_value(hex->str[2 * i + 1]) ==
               payload[i];
    }
    CU_ASSERT(same);
    remove_capture(path);
}

static void pcap_flows_of_a_pair_never_share_both_ports(void)
{
    g_autofree char *path = capture_path();
    PcapWriter *writer = writer_for(path);
    g_auto(GStrv) lines = NULL;

    for (uint64_t i = 0; i < 3; i++) {
        pcap_writer_tcp_data(writer, ms((int64_t)i), i, 1, 2, (PealBytes){payload, SMALL});
    }
    pcap_writer_tcp_close(writer, ms(3), peal_ms(0), 1, 1);
    pcap_writer_tcp_open(writer, ms(4), peal_ms(0), 3, 2, 1);
    pcap_writer_tcp_data(writer, ms(5), 3, 2, 1, (PealBytes){payload, SMALL});
    CU_ASSERT(pcap_writer_close(writer, NULL));
    lines = tshark(path, "-Y tcp.len>0 -T fields -e tcp.stream -e tcp.srcport -e tcp.dstport");
    if (lines == NULL) {
        remove_capture(path);
        PEAL_SKIP("needs tshark");
    }
    CU_ASSERT_EQUAL_FATAL(g_strv_length(lines), 4);
    CU_ASSERT_STRING_EQUAL(lines[0], "0\t6084\t6084");
    CU_ASSERT_STRING_EQUAL(lines[1], "1\t49152\t6084");
    CU_ASSERT_STRING_EQUAL(lines[2], "2\t49153\t6084");
    CU_ASSERT_STRING_EQUAL(lines[3], "3\t49154\t6084");
    remove_capture(path);
}

static void pcap_filter_keeps_packets_of_the_peers_named(void)
{
    g_autofree char *path = capture_path();
    uint32_t peers[] = {9, 4};
    PcapWriterConfig config = {.path = path, .peers = peers, .peers_len = 2};
    PcapWriter *writer = pcap_writer_new(&config, NULL);

    pcap_writer_datagram(writer, ms(0), 1, 2, payload, SMALL);
    pcap_writer_datagram(writer, ms(1), 1, 4, payload, SMALL);
    pcap_writer_datagram(writer, ms(2), 9, 2, payload, SMALL);
    pcap_writer_tcp_open(writer, ms(3), peal_ms(1), 5, 6, 7);
    pcap_writer_tcp_data(writer, ms(4), 5, 6, 7, (PealBytes){payload, SMALL});
    pcap_writer_tcp_close(writer, ms(5), peal_ms(1), 5, 7);
    CU_ASSERT_EQUAL(pcap_writer_packets(writer), 2);
    CU_ASSERT_EQUAL(pcap_writer_left_out(writer), 0);
    CU_ASSERT(pcap_writer_close(writer, NULL));
    remove_capture(path);
}

static void pcap_limit_bounds_the_file(void)
{
    g_autofree char *path = capture_path();
    PcapWriterConfig config = {.path = path, .limit_bytes = 1000};
    PcapWriter *writer = pcap_writer_new(&config, NULL);
    GStatBuf status;

    for (int64_t i = 0; i < 20; i++) {
        pcap_writer_datagram(writer, ms(i), 1, 2, payload, SMALL);
    }
    /* 24 + 6 (16 + 128) = 888; a seventh would end at 1,032. */
    CU_ASSERT_EQUAL(pcap_writer_packets(writer), 6);
    CU_ASSERT_EQUAL(pcap_writer_left_out(writer), 14);
    CU_ASSERT(pcap_writer_close(writer, NULL));
    CU_ASSERT_EQUAL(g_stat(path, &status), 0);
    CU_ASSERT_EQUAL(status.st_size, 888);
    remove_capture(path);
}

static void pcap_place_that_cannot_be_written_is_named(void)
{
    PcapWriterConfig config = {.path = "/nonexistent/traffic.pcap"};
    GError *error = NULL;

    CU_ASSERT_PTR_NULL(pcap_writer_new(&config, &error));
    CU_ASSERT(g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, config.path));
    g_clear_error(&error);
}

static void pcap_full_disk_is_told_when_it_is_closed(void)
{
    PcapWriterConfig config = {.path = "/dev/full"};
    PcapWriter *writer = pcap_writer_new(&config, NULL);
    GError *error = NULL;

    if (writer == NULL) {
        PEAL_SKIP("needs /dev/full");
    }
    for (int64_t i = 0; i < 1000; i++) {
        pcap_writer_datagram(writer, ms(i), 1, 2, payload, SMALL);
    }
    CU_ASSERT_FALSE(pcap_writer_close(writer, &error));
    CU_ASSERT(g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "/dev/full"));
    g_clear_error(&error);
}

static void pcap_sip_is_decoded_at_its_ports(void)
{
    static const char options[] = "OPTIONS sip:10.0.0.2 SIP/2.0\r\n"
                                  "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\n"
                                  "From: <sip:a@example.org>;tag=1\r\nTo: <sip:b@example.org>\r\n"
                                  "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    const PealBytes message = {(const uint8_t *)options, sizeof(options) - 1};
    const PcapEnd adapter = {.peer = 0, .port = 5060};
    const PcapEnd other = {.peer = 1, .port = 5060};
    const PcapEnd phone = {.peer = 0, .port = 10000};
    g_autofree char *path = capture_path();
    PcapWriter *writer = writer_for(path);
    g_auto(GStrv) lines = NULL;

    pcap_writer_udp(writer, ms(1), &adapter, &other, message);
    pcap_writer_udp(writer, ms(2), &phone, &adapter, message);
    pcap_writer_tcp_between(writer, ms(3), 7, &phone, &adapter, message);
    pcap_writer_tcp_between(writer, ms(4), 7, &adapter, &phone, message);
    CU_ASSERT(pcap_writer_close(writer, NULL));
    lines = tshark(path, "-T fields -e _ws.malformed -e udp.srcport -e tcp.srcport "
                         "-e sip.Method");
    if (lines == NULL) {
        remove_capture(path);
        PEAL_SKIP("needs tshark");
    }
    CU_ASSERT_EQUAL_FATAL(g_strv_length(lines), 4);
    CU_ASSERT_STRING_EQUAL(lines[0], "\t5060\t\tOPTIONS");
    CU_ASSERT_STRING_EQUAL(lines[1], "\t10000\t\tOPTIONS");
    CU_ASSERT_STRING_EQUAL(lines[2], "\t\t10000\tOPTIONS");
    CU_ASSERT_STRING_EQUAL(lines[3], "\t\t5060\tOPTIONS");
    remove_capture(path);
}

static void pcap_of_hosts_has_their_addresses_of_both_families(void)
{
    const PealAddr here = {.ip = {192, 0, 2, 1}, .port = 5060, .family = 4};
    const PealAddr there = {.ip = {192, 0, 2, 2}, .port = 7000, .family = 4};
    const PealAddr here6 = {.ip = {0x20, 1, 0xd, 0xb8, [15] = 1}, .port = 5060, .family = 6};
    const PealAddr there6 = {.ip = {0x20, 1, 0xd, 0xb8, [15] = 2}, .port = 7000, .family = 6};
    const PealBytes odd = {payload, SMALL + 1};
    g_autofree char *path = capture_path();
    PcapWriter *writer = writer_for(path);
    g_auto(GStrv) lines = NULL;

    pcap_writer_host_udp(writer, ms(1), &here, &there, odd);
    pcap_writer_host_udp(writer, ms(1), &there6, &here6, odd);
    pcap_writer_host_open(writer, ms(2), 1, &there6, &here6);
    pcap_writer_host_data(writer, ms(3), 1, &here6, &there6, odd);
    pcap_writer_host_data(writer, ms(4), 1, &there6, &here6, (PealBytes){payload, LARGE});
    CU_ASSERT(pcap_writer_flush(writer, NULL));
    pcap_writer_host_close(writer, ms(5), 1, &there6);
    CU_ASSERT(pcap_writer_close(writer, NULL));
    lines = tshark(path, "-T fields -e udp.checksum.status -e tcp.checksum.status -e ip.src "
                         "-e ipv6.src -e ipv6.dst -e tcp.flags.str -e tcp.analysis.flags "
                         "-e _ws.malformed");
    if (lines == NULL) {
        remove_capture(path);
        PEAL_SKIP("needs tshark");
    }
    CU_ASSERT_EQUAL_FATAL(g_strv_length(lines), 2 + 3 + 1 + 3 + 3);
    CU_ASSERT(g_str_has_prefix(lines[0], "1\t\t192.0.2.1\t"));
    CU_ASSERT(g_str_has_prefix(lines[1], "1\t\t\t2001:db8::2\t2001:db8::1\t"));
    for (guint i = 2; i < g_strv_length(lines); i++) {
        CU_ASSERT(g_str_has_prefix(lines[i], "\t1\t\t2001:db8::"));
        CU_ASSERT(!g_str_has_suffix(lines[i], "malformed"));
    }
    remove_capture(path);
}

PEAL_TEST_MAIN("analysis/pcap", PEAL_TEST(pcap_file_has_nanoseconds_and_raw_ip),
               PEAL_TEST(pcap_checksums_are_good_to_tshark),
               PEAL_TEST(pcap_packets_are_in_the_order_of_time),
               PEAL_TEST(pcap_tcp_flow_has_nothing_for_an_expert_to_say),
               PEAL_TEST(pcap_tcp_stream_carries_the_bytes),
               PEAL_TEST(pcap_flows_of_a_pair_never_share_both_ports),
               PEAL_TEST(pcap_filter_keeps_packets_of_the_peers_named),
               PEAL_TEST(pcap_limit_bounds_the_file),
               PEAL_TEST(pcap_place_that_cannot_be_written_is_named),
               PEAL_TEST(pcap_full_disk_is_told_when_it_is_closed),
               PEAL_TEST(pcap_sip_is_decoded_at_its_ports),
               PEAL_TEST(pcap_of_hosts_has_their_addresses_of_both_families))
