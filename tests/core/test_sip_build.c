/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_sip_build.c - answers and where they go, ACK and CANCEL. */
#include "core/sip_torture.h"
#include "peal_test.h"
#include "sip/build.h"

#define INVITE                                                                           \
    "INVITE sip:bob@p2p.test SIP/2.0\r\n"                                                \
    "Via: SIP/2.0/UDP phone.test:5070;branch=z9hG4bK1;rport , SIP/2.0/TCP 192.0.2.8\r\n" \
    "v: SIP/2.0/UDP 192.0.2.9\r\n"                                                       \
    "Record-Route: <sip:p1;lr>\r\n"                                                      \
    "Record-Route: <sip:p2;lr>, <sip:p3;lr>\r\n"                                         \
    "Route: <sip:r1;lr>\r\n"                                                             \
    "f: <sip:alice@p2p.test>;tag=1\r\n"                                                  \
    "t: \"Bob\" <sip:bob@p2p.test>\r\n"                                                  \
    "i: c1\r\n"                                                                          \
    "CSeq: 0007 INVITE\r\n"                                                              \
    "Timestamp: 54\r\n"                                                                  \
    "l: 0\r\n\r\n"

static const PealHop phone = {.addr = {.ip = {127, 0, 0, 9}, .port = 15070, .family = 4},
                              .transport = PEAL_UDP,
                              .local = 2};

static void built(SipText *text, char *bytes, size_t cap)
{
    *text = sip_text_make(bytes, cap);
}

static bool answer_is(const char *request, const PealHop *from, const SipAnswer *answer,
                      const char *expected)
{
    char bytes[2048];
    SipText text;
    SipMessage message;

    built(&text, bytes, sizeof(bytes));
    CU_ASSERT_EQUAL(sip_message_scan(sip_str(request), true, &message), 0);
    sip_build_answer(&text, &message, from, answer);
    if (!sip_equal(sip_text_view(&text), sip_str(expected))) {
        printf("# %.*s\n", (int)text.len, bytes);
        return false;
    }
    return !text.overflow;
}

static void an_answer_copies_what_rfc_3261_names(void)
{
    const SipAnswer ringing = {.status = 180, .to_tag = sip_str("x")};
    const SipAnswer trying = {.status = 100};
    const SipAnswer ok = {.status = 200,
                          .reason = sip_str("Fine"),
                          .to_tag = sip_str("x"),
                          .headers = sip_str("Contact: <sip:me>\r\n"),
                          .content_type = sip_str("text/plain"),
                          .body = sip_str("hi")};

    CU_ASSERT_TRUE(answer_is(INVITE, &phone, &ringing,
                             "SIP/2.0 180 Ringing\r\n"
                             "Via: SIP/2.0/UDP phone.test:5070;branch=z9hG4bK1"
                             ";received=127.0.0.9;rport=15070 , SIP/2.0/TCP 192.0.2.8\r\n"
                             "Via: SIP/2.0/UDP 192.0.2.9\r\n"
                             "Record-Route: <sip:p1;lr>\r\n"
                             "Record-Route: <sip:p2;lr>, <sip:p3;lr>\r\n"
                             "From: <sip:alice@p2p.test>;tag=1\r\n"
                             "To: \"Bob\" <sip:bob@p2p.test>;tag=x\r\n"
                             "Call-ID: c1\r\n"
                             "CSeq: 0007 INVITE\r\n"
                             "Content-Length: 0\r\n\r\n"));
    CU_ASSERT_TRUE(answer_is(INVITE, &phone, &trying,
                             "SIP/2.0 100 Trying\r\n"
                             "Via: SIP/2.0/UDP phone.test:5070;branch=z9hG4bK1"
                             ";received=127.0.0.9;rport=15070 , SIP/2.0/TCP 192.0.2.8\r\n"
                             "Via: SIP/2.0/UDP 192.0.2.9\r\n"
                             "From: <sip:alice@p2p.test>;tag=1\r\n"
                             "To: \"Bob\" <sip:bob@p2p.test>\r\n"
                             "Call-ID: c1\r\n"
                             "CSeq: 0007 INVITE\r\n"
                             "Timestamp: 54\r\n"
                             "Content-Length: 0\r\n\r\n"));
    CU_ASSERT_TRUE(answer_is("OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.9\r\n"
                             "Record-Route: <sip:p1;lr>\r\nt: sip:b@h;tag=y\r\n\r\n",
                             &phone, &ok,
                             "SIP/2.0 200 Fine\r\n"
                             "Via: SIP/2.0/UDP 127.0.0.9\r\n"
                             "To: sip:b@h;tag=y\r\n"
                             "Contact: <sip:me>\r\n"
                             "Content-Type: text/plain\r\n"
                             "Content-Length: 2\r\n\r\nhi"));
}

static void an_answer_has_each_field_on_one_line(void)
{
    const SipAnswer ok = {.status = 200, .to_tag = sip_str("x")};

    CU_ASSERT_TRUE(answer_is("OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/UDP\r\n 127.0.0.9;a\r\n ;b\r\n"
                             "t: B\r\n\t<sip:b@h>\r\nCSeq: 1\r\n OPTIONS\r\n\r\n",
                             &phone, &ok,
                             "SIP/2.0 200 OK\r\n"
                             "Via: SIP/2.0/UDP   127.0.0.9;a   ;b\r\n"
                             "To: B  \t<sip:b@h>;tag=x\r\n"
                             "CSeq: 1   OPTIONS\r\n"
                             "Content-Length: 0\r\n\r\n"));
}

static bool via_is(const char *element, const PealHop *from, const char *expected)
{
    char request[256];
    char bytes[256];
    SipText text = sip_text_make(bytes, sizeof(bytes));
    SipMessage message;

    (void)snprintf(request, sizeof(request), "OPTIONS sip:h SIP/2.0\r\nVia: %s\r\n\r\n", element);
    CU_ASSERT_EQUAL(sip_message_scan(sip_str(request), true, &message), 0);
    sip_build_via(&text, &message, from);
    return sip_equal(sip_text_view(&text), sip_str(expected));
}

static void a_via_tells_where_its_request_came_from(void)
{
    const PealHop six = {.addr = {.ip = {0x20, 1, 0xd, 0xb8, [15] = 1}, .port = 9, .family = 6}};

    CU_ASSERT_TRUE(
        via_is("SIP/2.0/UDP 127.0.0.9;branch=b", &phone, "SIP/2.0/UDP 127.0.0.9;branch=b"));
    CU_ASSERT_TRUE(via_is("SIP/2.0/UDP 127.0.0.9;rport;branch=b", &phone,
                          "SIP/2.0/UDP 127.0.0.9;branch=b;received=127.0.0.9;rport=15070"));
    CU_ASSERT_TRUE(via_is("SIP/2.0/UDP 10.0.0.1;branch=b", &phone,
                          "SIP/2.0/UDP 10.0.0.1;branch=b;received=127.0.0.9"));
    CU_ASSERT_TRUE(
        via_is("SIP/2.0/UDP a.b;branch=b", &six, "SIP/2.0/UDP a.b;branch=b;received=2001:db8::1"));
    CU_ASSERT_TRUE(via_is("SIP/2.0/UDP [2001:DB8:0::1]", &six, "SIP/2.0/UDP [2001:DB8:0::1]"));
    /* nobody else says where it came from */
    CU_ASSERT_TRUE(via_is("SIP/2.0/UDP 127.0.0.9;received=1.2.3.4;x ; rport=7", &phone,
                          "SIP/2.0/UDP 127.0.0.9;x"));
    CU_ASSERT_TRUE(via_is("SIP/2.0/UDP 10.0.0.1;;", &phone, "SIP/2.0/UDP 10.0.0.1;;"));
}

static uint16_t port_back(const char *via, const PealHop *from)
{
    char bytes[512];
    SipMessage message;
    PealHop hop = {0};

    (void)snprintf(bytes, sizeof(bytes), "OPTIONS sip:h SIP/2.0\r\nVia: %s\r\n\r\n", via);
    CU_ASSERT_EQUAL(sip_message_scan(sip_str(bytes), true, &message), 0);
    CU_ASSERT_EQUAL(sip_build_reply_hop(&message, from, &hop), 0);
    CU_ASSERT_EQUAL(memcmp(hop.addr.ip, from->addr.ip, 16), 0);
    CU_ASSERT_EQUAL(hop.conn, from->conn);
    CU_ASSERT_EQUAL(hop.local, from->local);
    return hop.addr.port;
}

static void answers_go_back_to_the_source(void)
{
    const PealHop tcp = {.addr = {.ip = {127, 0, 0, 9}, .port = 40000, .family = 4},
                         .transport = PEAL_TCP,
                         .conn = 7};
    SipMessage message;
    PealHop hop;

    CU_ASSERT_EQUAL(port_back("SIP/2.0/UDP a.b:5070;rport", &phone), 15070);
    CU_ASSERT_EQUAL(port_back("SIP/2.0/UDP a.b:5070", &phone), 5070);
    CU_ASSERT_EQUAL(port_back("SIP/2.0/UDP a.b", &phone), 5060);
    CU_ASSERT_EQUAL(port_back("SIP/2.0/TCP a.b:5070", &tcp), 40000);
    CU_ASSERT_EQUAL(sip_message_scan(sip_str("OPTIONS sip:h SIP/2.0\r\n\r\n"), true, &message), 0);
    CU_ASSERT_EQUAL(sip_build_reply_hop(&message, &phone, &hop), -PEAL_E_VALUE);
}

static void ack_and_cancel_follow_their_invite(void)
{
    static const char common[] = " sip:bob@p2p.test SIP/2.0\r\n"
                                 "Via: SIP/2.0/UDP phone.test:5070;branch=z9hG4bK1;rport\r\n"
                                 "Route: <sip:r1;lr>\r\n"
                                 "Max-Forwards: 70\r\n"
                                 "From: <sip:alice@p2p.test>;tag=1\r\n"
                                 "To: ";
    char bytes[1024];
    char expected[1024];
    SipText text;
    SipMessage invite;
    SipMessage answer;

    CU_ASSERT_EQUAL(sip_message_scan(sip_str(INVITE), true, &invite), 0);
    CU_ASSERT_EQUAL(sip_message_scan(sip_str("SIP/2.0 486 Busy\r\nTo: <sip:b@h>;tag=z\r\n\r\n"),
                                     true, &answer),
                    0);
    built(&text, bytes, sizeof(bytes));
    sip_build_ack(&text, &invite, &answer);
    (void)snprintf(expected, sizeof(expected),
                   "ACK%s<sip:b@h>;tag=z\r\nCall-ID: c1\r\nCSeq: 7 ACK\r\n"
                   "Content-Length: 0\r\n\r\n",
                   common);
    CU_ASSERT_TRUE(sip_equal(sip_text_view(&text), sip_str(expected)));
    built(&text, bytes, sizeof(bytes));
    sip_build_cancel(&text, &invite);
    (void)snprintf(expected, sizeof(expected),
                   "CANCEL%s\"Bob\" <sip:bob@p2p.test>\r\nCall-ID: c1\r\nCSeq: 7 CANCEL\r\n"
                   "Content-Length: 0\r\n\r\n",
                   common);
    CU_ASSERT_TRUE(sip_equal(sip_text_view(&text), sip_str(expected)));
}

/* Every torture message that can be answered gets an answer that other stacks can read. */
static void answers_to_torture_messages_can_be_read(void)
{
    static char bytes[SIP_TORTURE_MAX];
    static char reply[2 * SIP_TORTURE_MAX];
    const SipAnswer answer = {.status = 400, .to_tag = sip_str("x")};

    for (size_t i = 0; i < SIP_TORTURE_LEN; i++) {
        size_t len = sip_torture_load(&sip_torture[i], bytes, sizeof(bytes));
        SipMessage message;
        SipMessage back;
        SipText text;

        if (len == 0) {
            PEAL_SKIP("needs ../shared/data/sip-torture");
        }
        CU_ASSERT_EQUAL(sip_message_scan((PealStr){bytes, len}, true, &message),
                        sip_torture[i].scan);
        if (!sip_message_answerable(&message)) {
            continue;
        }
        built(&text, reply, sizeof(reply));
        sip_build_answer(&text, &message, &phone, &answer);
        CU_ASSERT_FALSE(text.overflow);
        CU_ASSERT_EQUAL(sip_message_scan(sip_text_view(&text), false, &back), 0);
        CU_ASSERT_EQUAL(back.status, 400);
        CU_ASSERT_TRUE(sip_has(&back, SIP_H_VIA));
    }
}

PEAL_TEST_MAIN("core/sip_build", PEAL_TEST(an_answer_copies_what_rfc_3261_names),
               PEAL_TEST(an_answer_has_each_field_on_one_line),
               PEAL_TEST(a_via_tells_where_its_request_came_from),
               PEAL_TEST(answers_go_back_to_the_source),
               PEAL_TEST(ack_and_cancel_follow_their_invite),
               PEAL_TEST(answers_to_torture_messages_can_be_read))
