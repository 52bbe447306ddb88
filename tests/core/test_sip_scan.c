/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_sip_scan.c - an observer takes of a message what there is, whole or not. */
#include <peal/sip_scan.h>

#include "core/sip_torture.h"
#include "peal_test.h"
#include "sip/text.h"

static PealStr str(const char *text)
{
    return (PealStr){text, strlen(text)};
}

static bool same(PealStr found, const char *wanted)
{
    return found.len == strlen(wanted) && memcmp(found.ptr, wanted, found.len) == 0;
}

static const char INVITE[] =
    "INVITE sip:bob@b.example SIP/2.0\r\n"
    "v: SIP/2.0/UDP 10.0.0.1:5060 ; rport; branch = z9hG4bK1 , SIP/2.0/UDP "
    "10.0.0.9;branch=z9hG4bK0\r\n"
    "f: \"Al; tag=no <x>\" <sip:al;tag=uri@a.example;x=y>;tag=from1\r\n"
    "To: Bob (home) <sip:bob@b.example>\r\n"
    "i: call-1\r\n"
    "CSeq: 7\r\n  INVITE\r\n"
    "m: <sip:al@10.0.0.1;a=b,c>;expires=120, <sip:al@10.0.0.2>\r\n"
    "Expires: 60\r\n"
    "Subject : a\r\n b\r\n"
    "c: application/sdp\r\n"
    "l: 4\r\n"
    "\r\n"
    "v=0\ntrailing";

static void scan_finds_the_parts_of_a_request(void)
{
    PealSipScan scan;
    PealStr value;

    CU_ASSERT_EQUAL_FATAL(peal_sip_scan(str(INVITE), &scan), 0);
    CU_ASSERT_EQUAL(scan.status, 0);
    CU_ASSERT_TRUE(same(scan.method, "INVITE"));
    CU_ASSERT_TRUE(same(scan.uri, "sip:bob@b.example"));
    CU_ASSERT_TRUE(same(scan.call_id, "call-1"));
    CU_ASSERT_TRUE(same(scan.from_tag, "from1"));
    CU_ASSERT_EQUAL(scan.to_tag.len, 0);
    CU_ASSERT_TRUE(same(scan.branch, "z9hG4bK1"));
    CU_ASSERT_EQUAL(scan.cseq, 7);
    CU_ASSERT_TRUE(same(scan.cseq_method, "INVITE"));
    CU_ASSERT_TRUE(same(scan.contact, "<sip:al@10.0.0.1;a=b,c>;expires=120"));
    CU_ASSERT_EQUAL(scan.expires_s, 120);
    CU_ASSERT_TRUE(same(scan.content_type, "application/sdp"));
    CU_ASSERT_TRUE(same(scan.body, "v=0\n"));
    CU_ASSERT_EQUAL(scan.bytes.len, strlen(INVITE) - strlen("trailing"));
    CU_ASSERT_FALSE(scan.cut);
    CU_ASSERT_TRUE(peal_sip_scan_field(&scan, str("subject"), 0, &value));
    CU_ASSERT_TRUE(same(value, "a\r\n b"));
    CU_ASSERT_TRUE(peal_sip_scan_field(&scan, str("Via"), 0, &value));
    CU_ASSERT_FALSE(peal_sip_scan_field(&scan, str("Via"), 1, &value));
    CU_ASSERT_FALSE(peal_sip_scan_field(&scan, str("X-None"), 0, &value));
}

static void scan_takes_a_response_with_bare_line_feeds(void)
{
    PealSipScan scan;

    CU_ASSERT_EQUAL_FATAL(
        peal_sip_scan(str("SIP/2.0 200\nTo: <sip:a@b>;tag=x\nCSeq: 1 REGISTER\n\nrest"), &scan), 0);
    CU_ASSERT_EQUAL(scan.status, 200);
    CU_ASSERT_TRUE(same(scan.method, "REGISTER"));
    CU_ASSERT_TRUE(same(scan.to_tag, "x"));
    CU_ASSERT_EQUAL(scan.expires_s, -1);
    CU_ASSERT_TRUE(same(scan.body, "rest"));
}

/* A line that the cut goes through is not taken for what it began to say. */
static void scan_of_a_message_that_is_cut_has_whole_lines_only(void)
{
    const char *at = strstr(INVITE, "\r\n") + 2;
    PealSipScan whole;

    CU_ASSERT_EQUAL_FATAL(peal_sip_scan(str(INVITE), &whole), 0);
    for (size_t len = 0; len < strlen(INVITE) - strlen("trailing"); len++) {
        PealSipScan scan;
        char *copy = malloc(len + 1); /* so that a read behind the end is found */
        int error;

        CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
        memcpy(copy, INVITE, len);
        error = peal_sip_scan((PealStr){copy, len}, &scan);
        if (len < (size_t)(at - INVITE)) {
            CU_ASSERT_EQUAL(error, -PEAL_E_TRUNCATED);
        } else {
            CU_ASSERT_EQUAL_FATAL(error, 0);
            CU_ASSERT_TRUE(scan.cut);
            CU_ASSERT_TRUE(scan.call_id.len == 0 || same(scan.call_id, "call-1"));
            CU_ASSERT_TRUE(scan.from_tag.len == 0 || same(scan.from_tag, "from1"));
            CU_ASSERT_TRUE(scan.branch.len == 0 || same(scan.branch, "z9hG4bK1"));
        }
        free(copy);
    }
}

static void scan_knows_what_is_no_sip(void)
{
    static const char *const others[] = {"GET / HTTP/1.1\r\n\r\n",
                                         "SIP/2.0 99 Low\r\n",
                                         "SIP/2.0 700 High\r\n",
                                         "SIP/3.0 200 OK\r\n",
                                         " INVITE sip:a@b SIP/2.0\r\n",
                                         "INVITE nowhere SIP/2.0\r\n",
                                         "INVITE  SIP/2.0\r\n",
                                         "INVITE sip:a@b SIP/2.0x\r\n",
                                         "\x80\x60\x01\x02",
                                         "\r\n"};
    PealSipScan scan;

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        CU_ASSERT_EQUAL(peal_sip_scan(str(others[i]), &scan), -PEAL_E_UNKNOWN);
    }
    CU_ASSERT_EQUAL(peal_sip_scan(str("INV"), &scan), -PEAL_E_TRUNCATED);
    CU_ASSERT_EQUAL(peal_sip_scan(str("SIP/2"), &scan), -PEAL_E_TRUNCATED);
    CU_ASSERT_EQUAL(peal_sip_scan(str("INVITE\tsip"), &scan), -PEAL_E_UNKNOWN);
}

static void frame_ends_where_content_length_says(void)
{
    size_t len = 0;

    CU_ASSERT_EQUAL(peal_sip_frame(str(INVITE), &len), 0);
    CU_ASSERT_EQUAL(len, strlen(INVITE) - strlen("trailing"));
    CU_ASSERT_EQUAL(peal_sip_frame(str("BYE sip:a@b SIP/2.0\r\n\r\nBYE"), &len), 0);
    CU_ASSERT_EQUAL(len, strlen("BYE sip:a@b SIP/2.0\r\n\r\n"));
    CU_ASSERT_EQUAL(peal_sip_frame(str("BYE sip:a@b SIP/2.0\r\nl: 3\r\n\r\nab"), &len),
                    -PEAL_E_TRUNCATED);
    CU_ASSERT_EQUAL(peal_sip_frame(str("BYE sip:a@b SIP/2.0\r\nl: "), &len), -PEAL_E_TRUNCATED);
    CU_ASSERT_EQUAL(peal_sip_frame(str("HELO me\r\n"), &len), -PEAL_E_VALUE);
}

static void uri_gives_user_host_and_port(void)
{
    PealSipUri uri;
    PealStr params;

    CU_ASSERT_EQUAL_FATAL(peal_sip_uri(str("sips:al:pw@[2001:db8::1]:5061;x=y?h=v"), &uri), 0);
    CU_ASSERT_TRUE(same(uri.scheme, "sips") && same(uri.user, "al"));
    CU_ASSERT_TRUE(same(uri.host, "[2001:db8::1]") && uri.port == 5061);
    CU_ASSERT_EQUAL_FATAL(peal_sip_uri(str("tel:+1-201-555;ext=4"), &uri), 0);
    CU_ASSERT_TRUE(same(uri.user, "+1-201-555") && uri.host.len == 0);
    CU_ASSERT_EQUAL_FATAL(peal_sip_address(str("sip:b@h;tag=1"), &uri, &params), 0);
    CU_ASSERT_TRUE(same(uri.user, "b") && same(uri.host, "h") && same(params, ";tag=1"));
    CU_ASSERT_EQUAL_FATAL(peal_sip_address(str("\"a<b\" <sip:c@d:99;x>"), &uri, &params), 0);
    CU_ASSERT_TRUE(same(uri.user, "c") && uri.port == 99 && params.len == 0);
    CU_ASSERT_EQUAL(peal_sip_address(str("<sip:c@d"), &uri, &params), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(peal_sip_address(str(""), &uri, NULL), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(peal_sip_uri(str("sip:"), &uri), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(peal_sip_uri(str("sip:a@"), &uri), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(peal_sip_uri(str("sip:a b@c"), &uri), -PEAL_E_VALUE);
}

/* RFC 4475: what a peer can read an observer reads alike, and of the rest it takes no harm. */
static void torture_messages_are_read_as_the_parser_reads_them(void)
{
    char bytes[SIP_TORTURE_MAX];

    for (size_t i = 0; i < SIP_TORTURE_LEN; i++) {
        const size_t len = sip_torture_load(&sip_torture[i], bytes, sizeof(bytes));
        const PealStr text = {bytes, len};
        SipMessage message;
        PealSipScan scan;

        if (text.len == 0) {
            PEAL_SKIP("needs the messages of ../shared/data/sip-torture");
        }
        if (sip_message_scan(text, true, &message) != 0) {
            continue;
        }
        CU_ASSERT_EQUAL_FATAL(peal_sip_scan(text, &scan), 0);
        CU_ASSERT_EQUAL(scan.status, message.status);
        CU_ASSERT_TRUE(sip_same(scan.method, message.method));
        CU_ASSERT_TRUE(sip_same(scan.uri, message.uri));
        CU_ASSERT_EQUAL(scan.body.len, message.body.len);
        CU_ASSERT_FALSE(scan.cut);
    }
}

/* Once there is a start line, more bytes never take it away. */
static void torture_messages_are_found_in_all_that_begins_like_them(void)
{
    char bytes[SIP_TORTURE_MAX];

    for (size_t i = 0; i < SIP_TORTURE_LEN; i++) {
        const size_t len = sip_torture_load(&sip_torture[i], bytes, sizeof(bytes));
        PealSipScan scan;
        const int error = peal_sip_scan((PealStr){bytes, len}, &scan);

        if (len == 0) {
            PEAL_SKIP("needs the messages of ../shared/data/sip-torture");
        }
        for (size_t cut = 0; cut < len; cut++) {
            const bool lined = memchr(bytes, '\n', cut) != NULL;
            const int cut_error = peal_sip_scan((PealStr){bytes, cut}, &scan);

            CU_ASSERT_EQUAL(cut_error == 0, lined && error == 0);
            CU_ASSERT(cut_error != -PEAL_E_UNKNOWN || error != 0);
        }
    }
}

static void lists_are_taken_apart_at_commas_that_separate(void)
{
    PealStr rest = str(" \"A, \\\" B\" <sip:a@h;x=1,2>;q=1 ,<sip:b@h>,, \"open, <sip:c@h>");
    PealStr element;

    CU_ASSERT_TRUE(peal_sip_element(&rest, &element));
    CU_ASSERT_TRUE(same(element, "\"A, \\\" B\" <sip:a@h;x=1,2>;q=1"));
    CU_ASSERT_TRUE(peal_sip_element(&rest, &element));
    CU_ASSERT_TRUE(same(element, "<sip:b@h>"));
    CU_ASSERT_TRUE(peal_sip_element(&rest, &element));
    CU_ASSERT_TRUE(same(element, ""));
    CU_ASSERT_TRUE(peal_sip_element(&rest, &element));
    CU_ASSERT_TRUE(same(element, "\"open, <sip:c@h>"));
    CU_ASSERT_FALSE(peal_sip_element(&rest, &element));
}

static void expiries_are_read_up_to_the_greatest_there_is(void)
{
    PealSipScan scan;

    CU_ASSERT_EQUAL_FATAL(
        peal_sip_scan(str("REGISTER sip:h SIP/2.0\r\nExpires: 4294967295\r\n\r\n"), &scan), 0);
    CU_ASSERT_EQUAL(scan.expires_s, UINT32_MAX);
    CU_ASSERT_EQUAL_FATAL(
        peal_sip_scan(str("REGISTER sip:h SIP/2.0\r\nExpires: 4294967296\r\n\r\n"), &scan), 0);
    CU_ASSERT_EQUAL(scan.expires_s, -1);
}

PEAL_TEST_MAIN("core/sip_scan", PEAL_TEST(scan_finds_the_parts_of_a_request),
               PEAL_TEST(scan_takes_a_response_with_bare_line_feeds),
               PEAL_TEST(scan_of_a_message_that_is_cut_has_whole_lines_only),
               PEAL_TEST(scan_knows_what_is_no_sip),
               PEAL_TEST(frame_ends_where_content_length_says),
               PEAL_TEST(uri_gives_user_host_and_port),
               PEAL_TEST(torture_messages_are_read_as_the_parser_reads_them),
               PEAL_TEST(torture_messages_are_found_in_all_that_begins_like_them),
               PEAL_TEST(lists_are_taken_apart_at_commas_that_separate),
               PEAL_TEST(expiries_are_read_up_to_the_greatest_there_is))
