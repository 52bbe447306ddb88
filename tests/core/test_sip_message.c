/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_sip_message.c - messages are scanned and checked: the torture messages of RFC 4475, and own
 *                      ones with their faults.
 */
#include "core/sip_torture.h"
#include "peal_test.h"
#include "sip/text.h"

#define REST                                              \
    "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n" \
    "From: <sip:alice@p2p.test>;tag=1\r\n"                \
    "To: <sip:bob@p2p.test>\r\n"                          \
    "Call-ID: c@192.0.2.1\r\n"                            \
    "CSeq: 7 OPTIONS\r\n"
#define OPTIONS "OPTIONS sip:bob@p2p.test SIP/2.0\r\n"

static PealStr of(SipMessage *message, SipHeader header)
{
    return sip_field(message, header);
}

/* What becomes of a datagram: the scan's error, or the status that the check gives, or 0. */
static int outcome(PealStr bytes, SipMessage *message)
{
    const char *why = NULL;
    int error = sip_message_scan(bytes, true, message);

    return error != 0 ? error : (int)sip_message_check(message, &why);
}

static int outcome_z(const char *z)
{
    SipMessage message;

    return outcome(sip_str(z), &message);
}

static void torture_messages_get_what_rfc_4475_says(void)
{
    static char bytes[SIP_TORTURE_MAX];
    SipMessage message;

    for (size_t i = 0; i < SIP_TORTURE_LEN; i++) {
        const SipTorture *torture = &sip_torture[i];
        size_t len = sip_torture_load(torture, bytes, sizeof(bytes));
        const char *why = "";
        int scan;
        unsigned check;

        if (len == 0) {
            PEAL_SKIP("needs ../shared/data/sip-torture");
        }
        scan = sip_message_scan((PealStr){bytes, len}, true, &message);
        check = scan == 0 ? sip_message_check(&message, &why) : 0;
        CU_ASSERT_EQUAL(scan, torture->scan);
        CU_ASSERT_EQUAL(check, torture->check);
        CU_ASSERT_EQUAL(sip_message_answerable(&message), torture->answerable);
        if (scan != torture->scan || check != torture->check ||
            sip_message_answerable(&message) != torture->answerable) {
            printf("# %s (%s): scan %d, check %u %s\n", torture->name, torture->section, scan,
                   check, why);
        }
    }
}

static void a_message_of_a_torture_collection_is_cut_off_behind_its_body(void)
{
    static char bytes[SIP_TORTURE_MAX];
    SipMessage message;
    size_t len = sip_torture_load(&sip_torture[7], bytes, sizeof(bytes));

    if (len == 0) {
        PEAL_SKIP("needs ../shared/data/sip-torture");
    }
    CU_ASSERT_EQUAL(sip_message_scan((PealStr){bytes, len}, true, &message), 0);
    CU_ASSERT_EQUAL(message.code, SIP_REGISTER);
    CU_ASSERT_TRUE(message.bytes.len < len);
    CU_ASSERT_EQUAL(message.body.len, 0);
}

static void parts_of_a_request_are_where_they_stand(void)
{
    static const char text[] = "INVITE sip:bob@p2p.test;user=phone SIP/2.0\r\n"
                               "v: SIP/2.0/UDP 192.0.2.1\r\n"
                               "VIA:SIP/2.0/UDP 192.0.2.2 , SIP/2.0/TCP 192.0.2.3\r\n"
                               "f :\r\n <sip:a@b>;tag=1 \r\n"
                               "t: sip:bob@p2p.test\r\n"
                               "i: x\r\n"
                               "CSeq: 1\r\n\tINVITE\r\n"
                               "Subject:\r\n"
                               "l: 4\r\n"
                               "\r\n"
                               "bodyTRAILING";
    SipMessage message;
    SipCursor at = {0};
    const char *why = NULL;

    CU_ASSERT_EQUAL_FATAL(sip_message_scan(sip_str(text), true, &message), 0);
    CU_ASSERT_EQUAL(sip_message_check(&message, &why), 0);
    CU_ASSERT_EQUAL(message.code, SIP_INVITE);
    CU_ASSERT_EQUAL(message.status, 0);
    CU_ASSERT_TRUE(sip_equal(message.method, sip_str("INVITE")));
    CU_ASSERT_TRUE(sip_equal(message.uri, sip_str("sip:bob@p2p.test;user=phone")));
    CU_ASSERT_TRUE(sip_equal(message.body, sip_str("body")));
    CU_ASSERT_EQUAL(message.bytes.len, sizeof(text) - 1 - 8);
    CU_ASSERT_EQUAL(message.fields_len, 8);
    CU_ASSERT_EQUAL(text[message.fields_end], '\r');
    CU_ASSERT_TRUE(sip_equal(of(&message, SIP_H_FROM), sip_str("<sip:a@b>;tag=1")));
    CU_ASSERT_TRUE(sip_equal(of(&message, SIP_H_CSEQ), sip_str("1\r\n\tINVITE")));
    CU_ASSERT_PTR_NULL(of(&message, SIP_H_ROUTE).ptr);
    CU_ASSERT_FALSE(sip_has(&message, SIP_H_ROUTE));
    CU_ASSERT_TRUE(sip_next(&message, SIP_H_VIA, &at));
    CU_ASSERT_TRUE(sip_equal(at.element, sip_str("SIP/2.0/UDP 192.0.2.1")));
    CU_ASSERT_TRUE(at.first && at.last);
    CU_ASSERT_TRUE(sip_next(&message, SIP_H_VIA, &at));
    CU_ASSERT_TRUE(sip_equal(at.element, sip_str("SIP/2.0/UDP 192.0.2.2")));
    CU_ASSERT_TRUE(at.first && !at.last);
    CU_ASSERT_TRUE(sip_next(&message, SIP_H_VIA, &at));
    CU_ASSERT_TRUE(sip_equal(at.element, sip_str("SIP/2.0/TCP 192.0.2.3")));
    CU_ASSERT_TRUE(!at.first && at.last);
    CU_ASSERT_EQUAL(memcmp(text + at.at, "SIP/2.0/TCP", 11), 0);
    CU_ASSERT_FALSE(sip_next(&message, SIP_H_VIA, &at));
}

static void parts_of_a_response_are_where_they_stand(void)
{
    static const char text[] = "SIP/2.0 480 Not here, sorry\r\n" REST "Content-Length: 0\r\n\r\n";
    SipMessage message;
    const char *why = NULL;

    CU_ASSERT_EQUAL_FATAL(sip_message_scan(sip_str(text), false, &message), 0);
    CU_ASSERT_EQUAL(sip_message_check(&message, &why), 0);
    CU_ASSERT_EQUAL(message.status, 480);
    CU_ASSERT_EQUAL(message.code, SIP_OPTIONS);
    CU_ASSERT_TRUE(sip_equal(message.reason, sip_str("Not here, sorry")));
    CU_ASSERT_FALSE(sip_message_answerable(&message));
}

static void elements_part_at_commas_outside_quotes_and_brackets(void)
{
    static const char text[] =
        OPTIONS REST "Contact: \"a, \\\" b\" <sip:a,b@c;x=y>,<sip:d@e>;q=0.1\r\n"
                     "Contact:\r\n"
                     "m: sip:f@g,,*\r\n"
                     "Route: <sip:a>, \"open <sip:b>, <sip:c>\r\n\r\n";
    static const char *const elements[] = {"\"a, \\\" b\" <sip:a,b@c;x=y>", "<sip:d@e>;q=0.1",
                                           "sip:f@g", "", "*"};
    SipMessage message;
    size_t found = 0;

    CU_ASSERT_EQUAL(sip_message_scan(sip_str(text), true, &message), 0);
    for (SipCursor at = {0}; found < 5 && sip_next(&message, SIP_H_CONTACT, &at); found++) {
        CU_ASSERT_TRUE(sip_equal(at.element, sip_str(elements[found])));
        CU_ASSERT_TRUE(sip_equal(at.element, (PealStr){text + at.at, (size_t)(at.end - at.at)}));
    }
    CU_ASSERT_EQUAL(found, 5);
    found = 0;
    for (SipCursor at = {0}; sip_next(&message, SIP_H_ROUTE, &at); found++) {
    }
    CU_ASSERT_EQUAL(found, 2); /* what an open quote begins is one */
}

static void tokens_are_found_in_any_case(void)
{
    SipMessage message;

    CU_ASSERT_EQUAL(sip_message_scan(sip_str(OPTIONS REST "Supported: path,Outbound\r\n"
                                                          "k: gruu\r\n\r\n"),
                                     true, &message),
                    0);
    CU_ASSERT_TRUE(sip_has_token(&message, SIP_H_SUPPORTED, "outbound"));
    CU_ASSERT_TRUE(sip_has_token(&message, SIP_H_SUPPORTED, "gruu"));
    CU_ASSERT_FALSE(sip_has_token(&message, SIP_H_SUPPORTED, "pat"));
    CU_ASSERT_FALSE(sip_has_token(&message, SIP_H_REQUIRE, "gruu"));
}

static void every_header_is_known_by_its_name_and_its_compact_form(void)
{
    static const struct {
        SipHeader header;
        char compact;
    } all[] = {
#define X(name, text, compact) {SIP_H_##name, compact},
        SIP_HEADERS(X)
#undef X
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        for (int form = 0; form < 3; form++) {
            char bytes[256];
            SipText text = sip_text_make(bytes, sizeof(bytes));
            SipMessage message;

            if (form == 2 && all[i].compact == 0) {
                continue;
            }
            sip_put_z(&text, OPTIONS);
            if (form == 2) {
                sip_put(&text, (PealStr){&all[i].compact, 1});
            } else {
                sip_put(&text, sip_header_text(all[i].header));
            }
            for (size_t at = sizeof(OPTIONS) - 1; form == 1 && at < text.len; at++) {
                bytes[at] =
                    (char)(bytes[at] >= 'a' && bytes[at] <= 'z' ? bytes[at] - 32 : bytes[at]);
            }
            sip_put_z(&text, ": 0\r\n\r\n");
            CU_ASSERT_EQUAL(sip_message_scan(sip_text_view(&text), true, &message), 0);
            CU_ASSERT_EQUAL(message.fields_len, 1);
            CU_ASSERT_EQUAL(message.fields[0].header, all[i].header);
            CU_ASSERT_EQUAL(message.first[all[i].header], 0);
        }
    }
    CU_ASSERT_EQUAL(sip_method(sip_str("PRACK")), SIP_PRACK);
    CU_ASSERT_EQUAL(sip_method(sip_str("prack")), SIP_METHOD_OTHER);
    CU_ASSERT_EQUAL(sip_method(sip_str("")), SIP_METHOD_OTHER);
    CU_ASSERT_TRUE(sip_equal(sip_method_text(SIP_MESSAGE), sip_str("MESSAGE")));
    CU_ASSERT_TRUE(sip_equal(sip_reason(423), sip_str("Interval Too Brief")));
    CU_ASSERT_TRUE(sip_reason(499).len > 0);
}

static void what_is_no_sip_is_told_apart_from_bad_sip(void)
{
    static const char *const others[] = {
        "",
        "\r\n\r\n",
        "hello",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\x16\x03\x01\r\n",
        "SIP/2.0\n",
        "OPTIONS sip:a@b\r\n\r\n",
    };
    SipMessage message;

    for (size_t i = 0; i < 5; i++) {
        CU_ASSERT_EQUAL(sip_message_scan(sip_str(others[i]), true, &message), -PEAL_E_UNKNOWN);
    }
    CU_ASSERT_EQUAL(sip_message_scan(sip_str(others[5]), true, &message), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(sip_message_scan(sip_str(others[6]), true, &message), -PEAL_E_UNKNOWN);
    CU_ASSERT_EQUAL(outcome_z("OPTIONS sip:a@b SIP/3.0\r\n" REST "\r\n"), -PEAL_E_VERSION);
    CU_ASSERT_EQUAL(outcome_z("OPTIONS sip:a@b SIP/2\r\n" REST "\r\n"), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(outcome_z("OPTIONS sip:a@b sip/2.0\r\n" REST "\r\n"), 0);
}

static void malformed_lines_are_refused_but_answerable(void)
{
    static const char *const bad[] = {
        OPTIONS REST "NoColon\r\n\r\n",
        OPTIONS REST "Bad Name: x\r\n\r\n",
        OPTIONS REST ": x\r\n\r\n",
        OPTIONS REST "Subject: lone\nFeed: x\r\n\r\n",
        OPTIONS REST "Subject: lone\rreturn\r\n\r\n",
        OPTIONS REST "Content-Length: 1x\r\n\r\n",
        OPTIONS REST "Content-Length: -1\r\n\r\n",
        OPTIONS REST "Content-Length: 4294967296\r\n\r\n",
        OPTIONS REST "Content-Length:\r\n\r\n",
        OPTIONS REST "Content-Length: 0\r\nl: 0\r\n\r\n",
        "OPTIONS  sip:bob@p2p.test SIP/2.0\r\n" REST "\r\n",
        "OPTIONS sip:bob@p2p.test  SIP/2.0\r\n" REST "\r\n",
        "OPTIONS sip:bob@p2p.test SIP/2.0 \r\n" REST "\r\n",
        "OPTIONS <sip:bob@p2p.test> SIP/2.0\r\n" REST "\r\n",
        "OPTIONS sip:bob@p2p.test; lr SIP/2.0\r\n" REST "\r\n",
    };
    SipMessage message;

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        CU_ASSERT_EQUAL(sip_message_scan(sip_str(bad[i]), true, &message), -PEAL_E_VALUE);
        CU_ASSERT_TRUE(sip_message_answerable(&message));
        CU_ASSERT_TRUE(sip_equal(of(&message, SIP_H_CALL_ID), sip_str("c@192.0.2.1")));
    }
    CU_ASSERT_EQUAL(sip_message_scan(sip_str(OPTIONS REST), true, &message), -PEAL_E_TRUNCATED);
    CU_ASSERT_TRUE(sip_message_answerable(&message));
    CU_ASSERT_EQUAL(sip_message_scan(sip_str(OPTIONS REST "l: 5\r\n\r\n1234"), true, &message),
                    -PEAL_E_TRUNCATED);
    CU_ASSERT_EQUAL(sip_message_scan(sip_str(OPTIONS REST "\r\n1234"), false, &message),
                    -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(sip_message_scan(sip_str("ACK sip:a@b SIP/2.0\r\n" REST "l: x\r\n\r\n"), true,
                                     &message),
                    -PEAL_E_VALUE);
    CU_ASSERT_FALSE(sip_message_answerable(&message));
}

static void nul_bytes_stand_only_as_quoted_pairs(void)
{
    static const char quoted[] = OPTIONS REST "Subject: \"a\\\0b\"\r\n\r\n";
    static const char plain[] = OPTIONS REST "Subject: \"a\0b\"\r\n\r\n";
    static const char bare[] = OPTIONS REST "Subject: \\\0\r\n\r\n";
    static const char escaped[] = OPTIONS REST "Subject: \"a\\\\\0b\"\r\n\r\n";
    static const char body[] = OPTIONS REST "Content-Length: 2\r\n\r\n\0\0";
    SipMessage message;

    CU_ASSERT_EQUAL(outcome((PealStr){quoted, sizeof(quoted) - 1}, &message), 0);
    CU_ASSERT_EQUAL(outcome((PealStr){plain, sizeof(plain) - 1}, &message), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(outcome((PealStr){bare, sizeof(bare) - 1}, &message), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(outcome((PealStr){escaped, sizeof(escaped) - 1}, &message), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(outcome((PealStr){body, sizeof(body) - 1}, &message), 0);
    CU_ASSERT_EQUAL(message.body.len, 2);
}

static void what_every_element_must_check_gives_400(void)
{
    static const char *const bad[] = {
        OPTIONS REST "Call-ID: again\r\n\r\n",
        OPTIONS REST "f: <sip:eve@p2p.test>\r\n\r\n",
        OPTIONS REST "Max-Forwards: 256\r\n\r\n",
        OPTIONS REST "Max-Forwards: -1\r\n\r\n",
        OPTIONS REST "Max-Forwards: 7\r\nMax-Forwards: 7\r\n\r\n",
        "INVITE sip:bob@p2p.test SIP/2.0\r\n" REST "\r\n",
        "OPTIONS sip:bob@p2p.test?Route=%3Csip:a%3E SIP/2.0\r\n" REST "\r\n",
        "OPTIONS sip:bob%4@p2p.test SIP/2.0\r\n" REST "\r\n",
        "OPTIONS bob SIP/2.0\r\n" REST "\r\n",
        OPTIONS "\r\n",
    };
    static const char *const start = OPTIONS "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n";
    static const char *const fields[] = {
        "f: sip:a@b\r\nt: sip:c@d\r\ni: x y\r\nCSeq: 1 OPTIONS\r\n\r\n",
        "f: sip:a@b\r\nt: sip:c@d\r\ni:\r\nCSeq: 1 OPTIONS\r\n\r\n",
        "f: sip:a@b\r\nt: sip:c@d\r\ni: x\r\nCSeq: 4294967296 OPTIONS\r\n\r\n",
        "f: sip:a@b\r\nt: sip:c@d\r\ni: x\r\nCSeq: OPTIONS\r\n\r\n",
        "f: sip:a@b\r\nt: sip:c@d\r\ni: x\r\nCSeq: 1OPTIONS\r\n\r\n",
        "f: sip:a@b\r\nt: \"c <sip:c@d>\r\ni: x\r\nCSeq: 1 OPTIONS\r\n\r\n",
        "f: a, b <sip:a@b>\r\nt: sip:c@d\r\ni: x\r\nCSeq: 1 OPTIONS\r\n\r\n",
        "f: < sip:a@b>\r\nt: sip:c@d\r\ni: x\r\nCSeq: 1 OPTIONS\r\n\r\n",
        "f: *\r\nt: sip:c@d\r\ni: x\r\nCSeq: 1 OPTIONS\r\n\r\n",
        "f: sip:a@b;;tag=1\r\nt: sip:c@d\r\ni: x\r\nCSeq: 1 OPTIONS\r\n\r\n",
        "t: sip:c@d\r\ni: x\r\nCSeq: 1 OPTIONS\r\n\r\n",
    };
    char bytes[512];

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        CU_ASSERT_EQUAL(outcome_z(bad[i]), 400);
    }
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        (void)snprintf(bytes, sizeof(bytes), "%s%s", start, fields[i]);
        CU_ASSERT_EQUAL(outcome_z(bytes), 400);
    }
    (void)snprintf(bytes, sizeof(bytes), "%s%s", start,
                   "f: sip:a@b\r\nt: sip:c@d\r\ni: x\r\nCSeq: 4294967295 OPTIONS\r\n\r\n");
    CU_ASSERT_EQUAL(outcome_z(bytes), 0);
}

static void a_via_that_leads_nowhere_gives_400(void)
{
    static const char *const bad[] = {
        "SIP/2.0/UDP 192.0.2.15;;,;,,",
        "SIP/2.0/UDP",
        "SIP/2.0 192.0.2.1",
        "SIP/2.0/UDP h:0",
        "SIP/2.0/UDP h:65536",
        "SIP/2.0/UDP h;rport=x",
        "SIP/2.0/UDP [::1",
        "SIP/2.0/UDP h;branch=z9hG4bK",
        "XIP/2.0/UDP h",
    };
    char bytes[512];

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        (void)snprintf(bytes, sizeof(bytes),
                       OPTIONS "Via: %s\r\nf: sip:a@b\r\nt: sip:c@d\r\ni: x\r\n"
                               "CSeq: 1 OPTIONS\r\n\r\n",
                       bad[i]);
        CU_ASSERT_EQUAL(outcome_z(bytes), 400);
    }
    CU_ASSERT_EQUAL(outcome_z(OPTIONS "v: SIP/3.0/UDP h;branch=z9hG4bK1\r\nf: sip:a@b\r\n"
                                      "t: sip:c@d\r\ni: x\r\nCSeq: 1 OPTIONS\r\n\r\n"),
                    505);
}

static void more_fields_than_there_is_room_for_are_refused(void)
{
    static char bytes[SIP_MESSAGE_MAX + 2];
    SipMessage message;
    SipText text = sip_text_make(bytes, sizeof(bytes));

    sip_put_z(&text, OPTIONS REST);
    for (int i = 0; i < SIP_FIELDS_MAX - 5; i++) {
        sip_put_z(&text, "X: y\r\n");
    }
    const size_t fits = text.len;

    sip_put_z(&text, "\r\n");
    CU_ASSERT_EQUAL(sip_message_scan(sip_text_view(&text), true, &message), 0);
    text.len = fits;
    sip_put_z(&text, "X: y\r\n\r\n");
    CU_ASSERT_EQUAL(sip_message_scan(sip_text_view(&text), true, &message), -PEAL_E_VALUE);
    memset(bytes + fits + 2, 'x', sizeof(bytes) - fits - 2);
    bytes[fits] = '\r';
    bytes[fits + 1] = '\n';
    CU_ASSERT_EQUAL(sip_message_scan((PealStr){bytes, SIP_MESSAGE_MAX}, true, &message), 0);
    CU_ASSERT_EQUAL(sip_message_scan((PealStr){bytes, SIP_MESSAGE_MAX + 1}, true, &message),
                    -PEAL_E_UNKNOWN);
}

static void a_packed_message_is_read_as_it_was(void)
{
    static const char text[] =
        "INVITE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP a.b:7;branch=z9hG4bK1\r\n"
        "From: <sip:a@h>;tag=1\r\nCSeq: 1 INVITE\r\nContent-Length: 4\r\n\r\n"
        "bodybeyond";
    uint8_t block[1024];
    char bytes[sizeof(text)];
    SipMessage message;
    SipMessage again;
    SipCursor at = {0};

    memcpy(bytes, text, sizeof(text));
    CU_ASSERT_EQUAL(sip_message_scan((PealStr){bytes, sizeof(text) - 1}, true, &message), 0);
    CU_ASSERT_FATAL(sip_message_packed_len(&message) <= sizeof(block));
    sip_message_pack(&message, block);
    memset(bytes, 'x', sizeof(bytes));
    memset(&message, 0xff, sizeof(message));
    sip_message_unpack(block, &again);
    CU_ASSERT_TRUE(sip_equal(again.bytes, (PealStr){text, sizeof(text) - 1 - strlen("beyond")}));
    CU_ASSERT_EQUAL(again.code, SIP_INVITE);
    CU_ASSERT_TRUE(sip_equal(again.method, sip_str("INVITE")));
    CU_ASSERT_TRUE(sip_equal(again.uri, sip_str("sip:b@h")));
    CU_ASSERT_PTR_NULL(again.reason.ptr);
    CU_ASSERT_TRUE(sip_equal(again.body, sip_str("body")));
    CU_ASSERT_EQUAL(again.via_state, SIP_VIA_WHOLE);
    CU_ASSERT_TRUE(sip_equal(again.via.text, sip_str("SIP/2.0/UDP a.b:7;branch=z9hG4bK1")));
    CU_ASSERT_TRUE(sip_equal(again.via.version, sip_str("2.0")));
    CU_ASSERT_TRUE(sip_equal(again.via.transport, sip_str("UDP")));
    CU_ASSERT_TRUE(sip_equal(again.via.host, sip_str("a.b")));
    CU_ASSERT_EQUAL(again.via.port, 7);
    CU_ASSERT_TRUE(sip_equal(again.via.branch, sip_str("z9hG4bK1")));
    CU_ASSERT_PTR_NULL(again.via.received.ptr);
    CU_ASSERT_TRUE(sip_equal(again.via.params, sip_str(";branch=z9hG4bK1")));
    CU_ASSERT_TRUE(sip_equal(sip_field(&again, SIP_H_FROM), sip_str("<sip:a@h>;tag=1")));
    CU_ASSERT_EQUAL(again.fields_len, 4);
    CU_ASSERT_TRUE(sip_next(&again, SIP_H_CSEQ, &at));
    CU_ASSERT_TRUE(sip_equal(at.element, sip_str("1 INVITE")));
}

PEAL_TEST_MAIN("core/sip_message", PEAL_TEST(torture_messages_get_what_rfc_4475_says),
               PEAL_TEST(a_message_of_a_torture_collection_is_cut_off_behind_its_body),
               PEAL_TEST(parts_of_a_request_are_where_they_stand),
               PEAL_TEST(parts_of_a_response_are_where_they_stand),
               PEAL_TEST(elements_part_at_commas_outside_quotes_and_brackets),
               PEAL_TEST(tokens_are_found_in_any_case),
               PEAL_TEST(every_header_is_known_by_its_name_and_its_compact_form),
               PEAL_TEST(what_is_no_sip_is_told_apart_from_bad_sip),
               PEAL_TEST(malformed_lines_are_refused_but_answerable),
               PEAL_TEST(nul_bytes_stand_only_as_quoted_pairs),
               PEAL_TEST(what_every_element_must_check_gives_400),
               PEAL_TEST(a_via_that_leads_nowhere_gives_400),
               PEAL_TEST(more_fields_than_there_is_room_for_are_refused),
               PEAL_TEST(a_packed_message_is_read_as_it_was))
