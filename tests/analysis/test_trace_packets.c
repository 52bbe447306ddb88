/*
 * test_trace_packets.c - the same datagrams and segments out of all the clothes that there are.
 */
#include "analysis/capture.h"
#include "analysis/taken.h"

#include <peal_test.h>

enum { START_S = 1700000000 };

static int64_t at(int64_t us)
{
    return START_S * PEAL_NS_PER_S + us * PEAL_NS_PER_US;
}

/* Datagrams from nothing to 3,000 bytes, and a few segments. */
static void write_some(Capture *capture)
{
    static const size_t lens[] = {0, 1, 7, 8, 300, 1400, 3000};
    PealAddr one = capture_addr("192.0.2.1", 5060), other = capture_addr("198.51.100.7", 65535);
    uint8_t data[3000];

    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t)(i * 7 + i / 256);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(lens); i++) {
        CaptureSegment segment = {.at_ns = at((int64_t)i * 1000 + 1),
                                  .from = other,
                                  .to = one,
                                  .seq = UINT32_MAX - 100 + (uint32_t)i * 50,
                                  .ack = 77,
                                  .flags = i == 0 ? TCP_SYN : TCP_ACK | TCP_PSH};

        capture_udp(capture, at((int64_t)i * 1000), &one, &other, (PealBytes){data, lens[i]});
        capture_tcp(capture, &segment, (PealBytes){data, i == 0 ? 0 : lens[i]});
    }
}

static Taken read_some(const TakenPlace *place, const CaptureForm *form)
{
    Capture *capture = capture_new(place->path, form);

    write_some(capture);
    capture_close(capture);
    return taken_read(place->path, NULL);
}

/* Whether a capture in these clothes gives what one in plain clothes does, and skips nothing. */
static void check_form(const CaptureForm *form)
{
    g_auto(TakenPlace) place = taken_place_new();
    g_auto(Taken) plain = read_some(&place, &(CaptureForm){0});
    g_auto(Taken) other = read_some(&place, form);
    g_autofree char *difference = taken_difference(&plain, &other);

    CU_ASSERT_PTR_NULL_FATAL(other.error);
    CU_ASSERT_EQUAL(plain.packets->len, 14);
    CU_ASSERT_EQUAL(taken_skipped(&other), 0);
    CU_ASSERT_EQUAL(other.counts.skipped[TRACE_SKIP_NO_IP], 0);
    CU_ASSERT_STRING_EQUAL(other.counts.damage, "");
    CU_ASSERT(other.whole);
    if (difference != NULL) {
        printf("# link %d tunnel %d ipv6 %d fragment %zu: %s\n", form->link, form->tunnel,
               form->ipv6, form->fragment, difference);
        CU_FAIL("differs");
    }
}

static void plain_packets_are_what_was_written(void)
{
    g_auto(TakenPlace) place = taken_place_new();
    g_auto(Taken) taken = read_some(&place, &(CaptureForm){0});
    const TakenPacket *datagram, *segment;

    CU_ASSERT_EQUAL_FATAL(taken.packets->len, 14);
    datagram = taken_at(&taken, 8);
    segment = taken_at(&taken, 9);
    CU_ASSERT_EQUAL(datagram->at_ns, at(4000));
    CU_ASSERT_EQUAL(datagram->from.port, 5060);
    CU_ASSERT_EQUAL(datagram->from.family, 4);
    CU_ASSERT(memcmp(datagram->to.ip, (uint8_t[]){198, 51, 100, 7}, 4) == 0);
    CU_ASSERT_EQUAL(datagram->len, 300);
    CU_ASSERT_EQUAL(g_bytes_get_size(datagram->data), 300);
    CU_ASSERT_FALSE(datagram->cut);
    CU_ASSERT(segment->tcp);
    CU_ASSERT_EQUAL(segment->seq, 99); /* past 2^32 */
    CU_ASSERT_EQUAL(segment->ack, 77);
    CU_ASSERT_EQUAL(segment->flags, TCP_ACK | TCP_PSH);
    CU_ASSERT_EQUAL(taken.counts.packets, 14);
    CU_ASSERT_EQUAL(taken.counts.first_ns, at(0));
    CU_ASSERT_EQUAL(taken.counts.last_ns, at(6001));
}

static void every_link_gives_the_same(void)
{
    for (CaptureLink link = 0; link < CAPTURE_LINKS; link++) {
        for (int i = 0; i < 8; i++) {
            CaptureForm form = {.link = link,
                                .ipv6 = link == CAPTURE_IPV6 || (link != CAPTURE_IPV4 && i % 2),
                                .big_endian = i & 2,
                                .pcapng = i & 4};

            check_form(&form);
        }
    }
}

static void every_system_s_number_of_ipv6_is_known(void)
{
    static const uint32_t families[] = {10, 23, 24, 28, 30};

    for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
        for (int big = 0; big < 2; big++) {
            check_form(&(CaptureForm){
                .link = CAPTURE_NULL, .ipv6 = true, .null_af = families[i], .big_endian = big});
            check_form(&(CaptureForm){
                .link = CAPTURE_LOOP, .ipv6 = true, .null_af = families[i], .big_endian = big});
        }
    }
}

static void any_stack_of_tags_comes_off(void)
{
    static const uint16_t stacks[][CAPTURE_TAGS_MAX] = {
        {0x8100},
        {0x88a8, 0x8100},
        {0x9100, 0x9100},
        {0x8100, 0x8100, 0x8100, 0x8100, 0x8100, 0x8100, 0x8100, 0x8100},
        {0x8847},
        {0x8847, 0x8847, 0x8847},
        {0x8864},
        {0x8100, 0x8864},
        {0x88a8, 0x8100, 0x8847, 0x8847},
        {0x8864, 0x8847},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(stacks); i++) {
        for (int j = 0; j < 6; j++) {
            CaptureForm form = {.link = (CaptureLink[]){CAPTURE_ETHERNET, CAPTURE_SLL,
                                                        CAPTURE_SLL2}[j % 3],
                                .ipv6 = j >= 3};

            memcpy(form.tags, stacks[i], sizeof(form.tags));
            check_form(&form);
        }
    }
}

static void files_of_every_kind_give_the_same(void)
{
    for (int i = 0; i < 16; i++) {
        check_form(&(CaptureForm){
            .big_endian = i & 1, .microseconds = i & 2, .pcapng = i & 4, .gzip = i & 8});
    }
}

static void tunnels_come_off(void)
{
    for (CaptureTunnel tunnel = CAPTURE_IN_IPV4; tunnel < CAPTURE_TUNNELS; tunnel++) {
        for (unsigned i = 0; i < 8; i++) {
            check_form(&(CaptureForm){.tunnel = tunnel,
                                      .tunnels = 1 + i / 4 * 2,
                                      .ipv6 = i & 1,
                                      .fragment = i & 2 ? 512 : 0,
                                      .link = i % 3 ? CAPTURE_RAW : CAPTURE_ETHERNET});
        }
    }
}

static void extensions_and_options_come_off(void)
{
    for (int i = 0; i < 4; i++) {
        check_form(&(CaptureForm){.extensions = true, .ipv6 = i & 1, .fragment = i & 2 ? 64 : 0});
    }
}

static void tunnels_in_too_many_tunnels_are_counted(void)
{
    g_auto(TakenPlace) place = taken_place_new();
    g_auto(Taken) taken =
        read_some(&place, &(CaptureForm){.tunnel = CAPTURE_IN_IPV4, .tunnels = 20});

    CU_ASSERT_EQUAL(taken.packets->len, 0);
    CU_ASSERT_EQUAL(taken.counts.skipped[TRACE_SKIP_TUNNEL_DEPTH], 14);
}

static void snaplen_cuts_what_is_there(void)
{
    g_auto(TakenPlace) place = taken_place_new();
    g_auto(Taken) taken = read_some(&place, &(CaptureForm){.snaplen = 14 + 20 + 8 + 100});
    const TakenPacket *datagram, *segment;

    CU_ASSERT_EQUAL_FATAL(taken.packets->len, 14);
    datagram = taken_at(&taken, 10);
    segment = taken_at(&taken, 11);
    CU_ASSERT_EQUAL(g_bytes_get_size(datagram->data), 100);
    CU_ASSERT_EQUAL(datagram->len, 1400);
    CU_ASSERT(datagram->cut);
    CU_ASSERT_EQUAL(g_bytes_get_size(segment->data), 88);
    CU_ASSERT_EQUAL(segment->len, 1400);
    CU_ASSERT(segment->cut);
    CU_ASSERT_FALSE(taken_at(&taken, 4)->cut);
    CU_ASSERT_EQUAL(taken_skipped(&taken), 0);
}

static void headers_that_are_cut_are_counted(void)
{
    g_auto(TakenPlace) place = taken_place_new();
    g_auto(Taken) transport = read_some(&place, &(CaptureForm){.snaplen = 14 + 20 + 7});
    g_auto(Taken) network = read_some(&place, &(CaptureForm){.snaplen = 14 + 19});
    g_auto(Taken) link = read_some(&place, &(CaptureForm){.snaplen = 13});

    CU_ASSERT_EQUAL(transport.counts.skipped[TRACE_SKIP_CUT], 14);
    CU_ASSERT_EQUAL(network.counts.skipped[TRACE_SKIP_CUT], 14);
    CU_ASSERT_EQUAL(link.counts.skipped[TRACE_SKIP_CUT], 14);
    CU_ASSERT_EQUAL(transport.packets->len + network.packets->len + link.packets->len, 0);
}

/* An IPv4 packet with a UDP datagram of 8 bytes, to be spoilt. */
typedef struct Spoilt {
    uint8_t bytes[20 + 8 + 8];
} Spoilt;

static Spoilt sound(void)
{
    PealAddr one = capture_addr("192.0.2.1", 5060), other = capture_addr("192.0.2.2", 5061);
    CaptureIp ip = {.from = one, .to = other, .protocol = 17, .id = 1};
    uint8_t datagram[16];
    Spoilt spoilt;

    (void)capture_build_udp(&one, &other, (PealBytes){(const uint8_t *)"REGISTER", 8}, datagram);
    (void)capture_build_ip(&ip, (PealBytes){datagram, sizeof(datagram)}, spoilt.bytes);
    return spoilt;
}

static Taken read_spoilt(const TakenPlace *place, const Spoilt *spoilt)
{
    Capture *capture = capture_new(place->path, &(CaptureForm){.link = CAPTURE_RAW});

    capture_frame(capture, at(0), (PealBytes){spoilt->bytes, sizeof(spoilt->bytes)}, 0);
    capture_close(capture);
    return taken_read(place->path, NULL);
}

static void lengths_that_lie_are_counted_and_the_rest_used(void)
{
    static const struct {
        size_t at;
        uint8_t value;
        TraceSkip skip; /* TRACE_SKIP_COUNT: none */
        int data_len;   /* -1: no datagram */
        size_t len;
    } cases[] = {
        {0, 0x45, TRACE_SKIP_COUNT, 8, 8},
        {0, 0x44, TRACE_SKIP_BAD_IP, -1, 0},       /* a header of 16 bytes */
        {0, 0x4f, TRACE_SKIP_BAD_IP, -1, 0},       /* of 60, in a packet of 36 */
        {0, 0x95, TRACE_SKIP_BAD_IP, -1, 0},       /* of version 9 */
        {3, 0, TRACE_SKIP_COUNT, 8, 8},            /* left to the network card */
        {3, 19, TRACE_SKIP_BAD_IP, -1, 0},         /* ends within its header */
        {3, 24, TRACE_SKIP_BAD_LENGTH, -1, 0},     /* within UDP's */
        {3, 34, TRACE_SKIP_BAD_LENGTH, 6, 8},      /* UDP says more than IP */
        {2, 1, TRACE_SKIP_BAD_LENGTH, 8, 8},       /* IP more than there is */
        {20 + 5, 7, TRACE_SKIP_BAD_LENGTH, -1, 0}, /* less than UDP's own header */
        {20 + 5, 12, TRACE_SKIP_COUNT, 4, 4},      /* less than IP: the rest is padding */
        {20 + 5, 0, TRACE_SKIP_COUNT, 8, 8},       /* as a jumbogram has it */
        {20 + 4, 1, TRACE_SKIP_BAD_LENGTH, 8, 264},
        {9, 1, TRACE_SKIP_PROTOCOL, -1, 0},
        {9, 6, TRACE_SKIP_BAD_LENGTH, -1, 0}, /* 16 bytes are no header of TCP */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(TakenPlace) place = taken_place_new();
        Spoilt spoilt = sound();
        g_auto(Taken) taken = {0};

        spoilt.bytes[cases[i].at] = cases[i].value;
        taken = read_spoilt(&place, &spoilt);
        for (int skip = 0; skip < TRACE_SKIP_COUNT; skip++) {
            CU_ASSERT_EQUAL(taken.counts.skipped[skip], skip == (int)cases[i].skip);
        }
        CU_ASSERT_EQUAL_FATAL(taken.packets->len, cases[i].data_len >= 0);
        if (cases[i].data_len >= 0) {
            CU_ASSERT_EQUAL(g_bytes_get_size(taken_at(&taken, 0)->data), (size_t)cases[i].data_len);
            CU_ASSERT_EQUAL(taken_at(&taken, 0)->len, cases[i].len);
        }
    }
}

/* A frame by hand: what stands before the IP packet, on a link type of libpcap's files. */
typedef struct ByHand {
    uint8_t link_type;
    uint8_t len;
    uint8_t bytes[60];
} ByHand;

#define MACS 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1
#define IN_GRE(flags, type)                                                                        \
    0x45, 0, 0, 0, 0, 1, 0, 0, 64, 47, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, (flags) >> 8, (flags)&0xff, \
        (type) >> 8, (type)&0xff

static void headers_that_are_rare_come_off(void)
{
    static const ByHand frames[] = {
        {1, 22, {MACS, 0, 44, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0}}, /* IEEE 802.3 with SNAP */
        {1, 26, {MACS, 0x81, 0, 0, 5, 0, 44, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0}},
        {1, 18, {MACS, 0x92, 0, 0, 5, 8, 0}},
        {113, 24, {[5] = 6, [15] = 4, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0}}, /* cooked, 802.2 */
        {9, 1, {0x21}},                                               /* PPP, all compressed */
        {9, 3, {0xff, 0x03, 0x21}},
        {9, 6, {0x02, 0x81, 0, 0, 0x01, 64}}, /* a label of MPLS in PPP */
        {50, 4, {0x0f, 0, 8, 0}},             /* Cisco's HDLC where PPP might be */
        {50, 4, {0x8f, 0, 8, 0}},
        {166, 5, {1, 0xff, 0x03, 0, 0x21}}, /* with a direction */
        {204, 3, {0, 0, 0x21}},
        {12, 0, {0}}, /* raw IP by BSD's numbers */
        {14, 0, {0}},
        {101, 28, {IN_GRE(0x2000, 0x0800), 0, 0, 0, 7}},
        {101, 32, {IN_GRE(0xa000, 0x0800), 0, 0, 0, 0, 0, 0, 0, 7}},
        {101, 38, {IN_GRE(0x0000, 0x88be), MACS, 8, 0}}, /* ERSPAN without a header */
        {101, 50, {IN_GRE(0x1000, 0x88be), 0, 0, 0, 1, 0x10, 1, 0, 1, 0, 0, 0, 0, MACS, 8, 0}},
        {101, 42, {IN_GRE(0x0000, 0x6558), MACS, 0x81, 0, 0, 5, 8, 0}},
        {101, 36, {IN_GRE(0x3081, 0x880b), 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 2}}, /* PPTP */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(frames); i++) {
        const ByHand *frame = &frames[i];
        g_auto(TakenPlace) place = taken_place_new();
        Capture *capture = capture_new(place.path, &(CaptureForm){.link = CAPTURE_RAW});
        Spoilt packet = sound();
        uint8_t bytes[60 + sizeof(packet.bytes) + 4];
        size_t len = frame->len;
        g_autofree char *file = NULL;
        gsize file_len;
        g_auto(Taken) taken = {0};

        memcpy(bytes, frame->bytes, len);
        if (len == 36 && frame->link_type == 101) { /* PPP within PPTP */
            memcpy(bytes + len, (uint8_t[]){0xff, 0x03, 0, 0x21}, 4);
            len += 4;
        }
        memcpy(bytes + len, packet.bytes, sizeof(packet.bytes));
        capture_frame(capture, at(0), (PealBytes){bytes, len + sizeof(packet.bytes)}, 0);
        capture_close(capture);
        CU_ASSERT_FATAL(g_file_get_contents(place.path, &file, &file_len, NULL));
        file[20] = (char)frame->link_type;
        taken_write(place.path, file, file_len);
        taken = taken_read(place.path, NULL);
        CU_ASSERT_EQUAL_FATAL(taken.packets->len, 1);
        CU_ASSERT_EQUAL(taken_at(&taken, 0)->len, 8);
        CU_ASSERT(memcmp(g_bytes_get_data(taken_at(&taken, 0)->data, NULL), "REGISTER", 8) == 0);
        CU_ASSERT_EQUAL(taken_skipped(&taken), 0);
    }
}

/* What GRE carries besides IP, or in other ways than those that are known. */
static void tunnels_of_something_else_are_other_protocols(void)
{
    static const ByHand frames[] = {
        {101, 24, {IN_GRE(0x4000, 0x0800)}}, /* source routes, as RFC 1701 had them */
        {101, 24, {IN_GRE(0x0001, 0x0800)}}, /* version 1 without PPP */
        {101, 24, {IN_GRE(0x0007, 0x0800)}},
        {101, 24, {IN_GRE(0x0000, 0x0806)}}, /* ARP */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(frames); i++) {
        g_auto(TakenPlace) place = taken_place_new();
        Capture *capture = capture_new(place.path, &(CaptureForm){.link = CAPTURE_RAW});
        g_auto(Taken) taken = {0};

        capture_frame(capture, at(0), (PealBytes){frames[i].bytes, 60}, 0);
        capture_close(capture);
        taken = taken_read(place.path, NULL);
        CU_ASSERT_EQUAL(taken.packets->len, 0);
        CU_ASSERT_EQUAL(taken.counts.skipped[TRACE_SKIP_PROTOCOL], 1);
    }
}

/* Every byte of a packet in every clothes takes values that it should not have. */
static void spoilt_packets_do_no_harm(void)
{
    static const uint8_t values[] = {0x00, 0x01, 0x45, 0x60, 0x7f, 0x88, 0xff};

    for (CaptureLink link = 0; link < CAPTURE_LINKS; link++) {
        CaptureForm form = {.link = link,
                            .tunnel = link % CAPTURE_TUNNELS,
                            .ipv6 = link % 2,
                            .extensions = true,
                            .fragment = 64};
        g_auto(TakenPlace) place = taken_place_new();
        g_autofree char *bytes = NULL;
        gsize len;
        Capture *capture = capture_new(place.path, &form);
        PealAddr one = capture_addr("192.0.2.1", 5060), other = capture_addr("192.0.2.2", 5061);

        capture_udp(capture, at(0), &one, &other, (PealBytes){(const uint8_t *)place.path, 100});
        capture_close(capture);
        CU_ASSERT_FATAL(g_file_get_contents(place.path, &bytes, &len, NULL));
        for (gsize i = 24; i < len; i++) {
            for (size_t v = 0; v < G_N_ELEMENTS(values); v++) {
                g_auto(Taken) taken = {0};
                char before = bytes[i];

                bytes[i] = (char)values[v];
                taken_write(place.path, bytes, len);
                bytes[i] = before;
                taken = taken_read(place.path, NULL);
                CU_ASSERT(taken.packets->len <= 4);
            }
        }
    }
}

static void other_traffic_is_counted(void)
{
    static const uint8_t arp[42] = {[12] = 0x08, 0x06};
    static const uint8_t llc[60] = {[13] = 46, [14] = 0x42, 0x42, 0x03};
    g_auto(TakenPlace) place = taken_place_new();
    Capture *capture = capture_new(place.path, &(CaptureForm){0});
    g_auto(Taken) taken = {0};

    capture_frame(capture, at(0), (PealBytes){arp, sizeof(arp)}, 0);
    capture_frame(capture, at(1), (PealBytes){llc, sizeof(llc)}, 0);
    capture_close(capture);
    taken = taken_read(place.path, NULL);
    CU_ASSERT_EQUAL(taken.counts.packets, 2);
    CU_ASSERT_EQUAL(taken.counts.bytes, 102);
    CU_ASSERT_EQUAL(taken.counts.skipped[TRACE_SKIP_NO_IP], 2);
}

/* Every file kind, link, IP version, tunnel and fragment size in turn, on what people captured. */
static void a_real_capture_is_the_same_in_all_clothes(void)
{
    g_autofree char *original = capture_shared("sip-calls-and-registers.pcap");
    g_auto(TakenPlace) place = taken_place_new();
    g_auto(Taken) plain = {0};
    unsigned n = 0;

    if (original == NULL) {
        PEAL_SKIP("needs ../shared/data/pcap/sip-calls-and-registers.pcap");
    }
    plain = taken_read(original, NULL);
    CU_ASSERT(plain.packets->len > 600);
    for (CaptureLink link = 0; link < CAPTURE_LINKS; link++) {
        for (CaptureTunnel tunnel = 0; tunnel < CAPTURE_TUNNELS; tunnel++, n++) {
            CaptureForm form = {.link = link,
                                .tunnel = tunnel,
                                .ipv6 = n & 1,
                                .fragment = n % 3 ? 0 : 200,
                                .extensions = n % 5 == 0,
                                .big_endian = n & 2,
                                .pcapng = n % 7 < 3,
                                .gzip = n % 11 == 0};
            g_auto(Taken) other = {0};
            g_autofree char *difference = NULL;

            if (link == CAPTURE_IPV4 || link == CAPTURE_IPV6) {
                form.tunnel = CAPTURE_NO_TUNNEL;
                form.ipv6 = link == CAPTURE_IPV6;
            }
            CU_ASSERT_EQUAL(capture_reclothe(original, place.path, &form), plain.packets->len);
            other = taken_read(place.path, NULL);
            difference = taken_difference(&plain, &other);
            CU_ASSERT_PTR_NULL(difference);
            CU_ASSERT_EQUAL(taken_skipped(&other), 0);
        }
    }
}

PEAL_TEST_MAIN("analysis/trace/packets", PEAL_TEST(plain_packets_are_what_was_written),
               PEAL_TEST(every_link_gives_the_same),
               PEAL_TEST(every_system_s_number_of_ipv6_is_known),
               PEAL_TEST(any_stack_of_tags_comes_off), PEAL_TEST(files_of_every_kind_give_the_same),
               PEAL_TEST(tunnels_come_off), PEAL_TEST(extensions_and_options_come_off),
               PEAL_TEST(tunnels_in_too_many_tunnels_are_counted),
               PEAL_TEST(snaplen_cuts_what_is_there), PEAL_TEST(headers_that_are_cut_are_counted),
               PEAL_TEST(lengths_that_lie_are_counted_and_the_rest_used),
               PEAL_TEST(headers_that_are_rare_come_off),
               PEAL_TEST(tunnels_of_something_else_are_other_protocols),
               PEAL_TEST(spoilt_packets_do_no_harm), PEAL_TEST(other_traffic_is_counted),
               PEAL_TEST(a_real_capture_is_the_same_in_all_clothes))
