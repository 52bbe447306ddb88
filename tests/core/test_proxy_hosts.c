/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_proxy_hosts.c - hosts outside the overlay: names and their targets one after the other, and
 * the transport that a message's size asks for. */
#include "core/sip_script.h"
#include "peal_test.h"

static SipWorld *world;
static SipPhone *alice;
static SipPhone *first;
static SipPhone *second;

/* example.com has two hosts, the first of them better. */
static void begin(void)
{
    world = sip_world_new(37);
    sip_world_adapters(world, 1);
    alice = sip_phone(world, "192.0.2.1", 5060);
    first = sip_phone(world, "192.0.2.81", 5060);
    second = sip_phone(world, "192.0.2.82", 5070);
    world->names[0] = (SipName){.host = "example.com",
                                .targets = {{first->addr, PEAL_UDP}, {second->addr, PEAL_UDP}},
                                .targets_len = 2};
    world->names_len = 1;
}

static void end(void)
{
    PealSipStatus status;

    sip_world_run(world, peal_seconds(100));
    peal_peer_sip_status(sip_world_peer(world, 0), &status);
    CU_ASSERT_EQUAL(status.transactions, 0);
    sip_world_free(world);
}

static const char *send_to(const char *method, const char *uri, const char *body)
{
    return script_request(alice, 0,
                          &(ScriptRequest){.method = method,
                                           .uri = uri,
                                           .from = "<sip:alice@example.org>;tag=a",
                                           .to = "<sip:carol@example.com>",
                                           .call_id = "h",
                                           .body = body});
}

static void row_23_name_is_resolved_as_its_uri_says(void)
{
    static const struct {
        const char *uri;
        uint16_t port;
        uint8_t transport;
    } cases[] = {{"sip:carol@example.com", 0, PEAL_TRANSPORT_ANY},
                 {"sip:carol@example.com:5080", 5080, PEAL_TRANSPORT_ANY},
                 {"sip:carol@EXAMPLE.com;transport=TCP", 0, PEAL_TCP},
                 {"sip:carol@elsewhere.test;maddr=example.com;transport=udp", 0, PEAL_UDP}};

    begin();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const SipReceived *got;

        send_to("MESSAGE", cases[i].uri, NULL);
        got = script_expect_request(first, "MESSAGE");
        CU_ASSERT_STRING_EQUAL(script_uri(got->text), cases[i].uri);
        CU_ASSERT_EQUAL(world->asked_port, cases[i].port);
        CU_ASSERT_EQUAL(world->asked_transport, cases[i].transport);
        script_answer(first, got, 200, NULL, NULL);
        script_expect(alice, 200);
    }
    CU_ASSERT_EQUAL(world->asks, 4);
    end();
}

static void row_23_next_target_on_503(void)
{
    const SipReceived *got;
    const char *via;

    begin();
    send_to("INVITE", "sip:carol@example.com", NULL);
    script_expect(alice, 100);
    got = script_expect_request(first, "INVITE");
    via = script_header(got->text, "Via", 0);
    script_answer(first, got, 503, NULL, NULL);
    script_expect_request(first, "ACK");
    got = script_expect_request(second, "INVITE");
    CU_ASSERT_STRING_NOT_EQUAL(script_header(got->text, "Via", 0), via);
    script_answer(second, got, 200, NULL, NULL);
    script_expect(alice, 200);
    end();
}

static void row_23_next_target_on_time_out(void)
{
    const SipReceived *got;

    begin();
    send_to("INVITE", "sip:carol@example.com", NULL);
    script_expect(alice, 100);
    script_expect_request(first, "INVITE");
    got = sip_phone_next(second, peal_seconds(33));
    CU_ASSERT_FATAL(got != NULL && script_is(got->text, "INVITE"));
    script_answer(second, got, 200, NULL, NULL);
    script_expect(alice, 200);
    end();
}

static void row_23_next_target_when_the_first_refuses(void)
{
    const SipReceived *got;

    begin();
    first->refuses = true;
    send_to("MESSAGE", "sip:carol@example.com", NULL);
    got = script_expect_request(second, "MESSAGE");
    script_answer(second, got, 202, NULL, NULL);
    script_expect(alice, 202);
    end();
}

static void row_23_no_other_target_on_a_refusal_of_another_kind(void)
{
    begin();
    send_to("MESSAGE", "sip:carol@example.com", NULL);
    script_answer(first, script_expect_request(first, "MESSAGE"), 403, NULL, NULL);
    script_expect(alice, 403);
    CU_ASSERT(sip_phone_is_quiet(second, peal_seconds(1)));
    end();
}

static void row_23_unknown_host_is_404_and_a_mute_resolver_500(void)
{
    begin();
    send_to("MESSAGE", "sip:carol@nowhere.test", NULL);
    script_expect(alice, 404);
    world->names[0].status = -PEAL_E_TIMEOUT;
    send_to("MESSAGE", "sip:carol@example.com", NULL);
    script_expect(alice, 500);
    end();
}

/* Row 24. */

static const char *long_body(void)
{
    static char body[1400];

    memset(body, 'x', sizeof(body) - 1);
    return body;
}

static void row_24_long_request_goes_by_tcp(void)
{
    const SipReceived *got;

    begin();
    first->takes_tcp = true;
    send_to("MESSAGE", "sip:carol@example.com", long_body());
    got = script_expect_request(first, "MESSAGE");
    CU_ASSERT(got->conn >= 0);
    CU_ASSERT_EQUAL(strncmp(script_header(got->text, "Via", 0), "SIP/2.0/TCP 10.1.0.0:5060;", 26),
                    0);
    CU_ASSERT_STRING_EQUAL(script_body(got->text), long_body());
    script_answer(first, got, 200, NULL, NULL);
    script_expect(alice, 200);
    end();
}

static void row_24_back_to_udp_when_tcp_is_refused(void)
{
    const SipReceived *got;

    begin();
    send_to("MESSAGE", "sip:carol@example.com", long_body());
    got = script_expect_request(first, "MESSAGE");
    CU_ASSERT_EQUAL(got->conn, -1);
    CU_ASSERT_EQUAL(strncmp(script_header(got->text, "Via", 0), "SIP/2.0/UDP 10.1.0.0:5060;", 26),
                    0);
    script_answer(first, got, 200, NULL, NULL);
    script_expect(alice, 200);
    end();
}

static void row_24_long_request_between_adapters_goes_by_tcp(void)
{
    SipPhone *bob;
    const SipReceived *got;

    world = sip_world_new(41);
    sip_world_adapters(world, 2);
    alice = sip_phone(world, "192.0.2.1", 5060);
    bob = sip_phone(world, "192.0.2.2", 5060);
    script_register(bob, 1, "bob", NULL);
    send_to("MESSAGE", "sip:bob@example.org", long_body());
    got = script_expect_request(bob, "MESSAGE");
    CU_ASSERT_EQUAL(strncmp(script_header(got->text, "Via", 1), "SIP/2.0/TCP 10.1.0.0:5060;", 26),
                    0);
    script_answer(bob, got, 200, NULL, NULL);
    script_expect(alice, 200);
    end();
}

static void row_24_tcp_is_cut_by_content_length_whatever_the_pieces(void)
{
    static const char text[] =
        "MESSAGE sip:carol@192.0.2.81 SIP/2.0\r\n"
        "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK%d\r\n"
        "From: <sip:alice@example.org>;tag=1\r\nTo: <sip:carol@example.com>\r\n"
        "Call-ID: %d\r\nCSeq: 1 MESSAGE\r\nl: 6\r\n\r\na\r\nb\r\n";
    char both[2048];
    size_t len;

    begin();
    int conn = sip_phone_connect(alice, 0);

    len = (size_t)snprintf(both, sizeof(both), text, 1, 1);
    len += (size_t)snprintf(both + len, sizeof(both) - len, "\r\n");
    len += (size_t)snprintf(both + len, sizeof(both) - len, text, 2, 2);
    for (size_t at = 0; at < len; at += 7) {
        sip_conn_send(world, conn, both + at, len - at < 7 ? len - at : 7);
    }
    for (int i = 0; i < 2; i++) {
        const SipReceived *got = script_expect_request(first, "MESSAGE");

        CU_ASSERT_STRING_EQUAL(script_body(got->text), "a\r\nb\r\n");
        script_answer(first, got, 200, NULL, NULL);
        got = script_expect(alice, 200);
        CU_ASSERT_EQUAL(got->conn, conn);
    }
    end();
}

static void row_24_stream_of_garbage_is_closed(void)
{
    const SipReceived *got;

    begin();
    int conn = sip_phone_connect(alice, 0);
    const char *no_length = "OPTIONS sip:example.org SIP/2.0\r\n"
                            "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKx\r\n"
                            "From: <sip:alice@example.org>;tag=1\r\nTo: <sip:example.org>\r\n"
                            "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n";

    sip_conn_send(world, conn, no_length, strlen(no_length));
    got = sip_phone_next(alice, peal_seconds(1));
    CU_ASSERT(got == NULL || script_status(got->text) == 400);
    CU_ASSERT_FALSE(world->conns[conn].open);
    end();
}

PEAL_TEST_MAIN("core/proxy_hosts", PEAL_TEST(row_23_name_is_resolved_as_its_uri_says),
               PEAL_TEST(row_23_next_target_on_503), PEAL_TEST(row_23_next_target_on_time_out),
               PEAL_TEST(row_23_next_target_when_the_first_refuses),
               PEAL_TEST(row_23_no_other_target_on_a_refusal_of_another_kind),
               PEAL_TEST(row_23_unknown_host_is_404_and_a_mute_resolver_500),
               PEAL_TEST(row_24_long_request_goes_by_tcp),
               PEAL_TEST(row_24_back_to_udp_when_tcp_is_refused),
               PEAL_TEST(row_24_long_request_between_adapters_goes_by_tcp),
               PEAL_TEST(row_24_tcp_is_cut_by_content_length_whatever_the_pieces),
               PEAL_TEST(row_24_stream_of_garbage_is_closed))
