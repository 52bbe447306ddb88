/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_proxy_rules.c - what a proxy lets through, and how it comes out at the other end. */
#include "core/sip_script.h"
#include "peal_test.h"

static SipWorld *world;
static SipPhone *alice;
static SipPhone *bob;

/* One adapter; bob is registered, alice is not. */
static void begin(void)
{
    world = sip_world_new(11);
    sip_world_adapters(world, 1);
    alice = sip_phone(world, "192.0.2.1", 5060);
    bob = sip_phone(world, "192.0.2.2", 5060);
    script_register(bob, 0, "bob", NULL);
}

static void end(void)
{
    sip_world_free(world);
}

static const ScriptRequest message = {.method = "MESSAGE",
                                      .uri = "sip:bob@example.org",
                                      .from = "<sip:alice@example.org>;tag=a",
                                      .to = "<sip:bob@example.org>",
                                      .call_id = "one@192.0.2.1",
                                      .contact = ""};

static ScriptRequest to(const char *uri)
{
    ScriptRequest request = message;

    request.uri = uri;
    return request;
}

/* Sends a text of its own with the phone's Via, and CRLF for each newline. */
static void send_lines(SipPhone *phone, const char *lines)
{
    char text[4096];
    size_t len = 0;

    for (; *lines != '\0'; lines++) {
        if (*lines == '\n') {
            text[len++] = '\r';
        }
        text[len++] = *lines;
        CU_ASSERT_FATAL(len < sizeof(text) - 2);
    }
    text[len] = '\0';
    sip_phone_send(phone, 0, text);
}

/* Row 6. */

static void row_6_unknown_user_without_a_user_list_is_404(void)
{
    ScriptRequest request = to("sip:nobody@example.org");

    begin();
    script_request(alice, 0, &request);
    script_expect(alice, 404);
    end();
}

static void row_6_user_list_tells_404_from_480(void)
{
    world = sip_world_new(11);
    world->config.users = true;
    world->users[world->users_len++] = (SipUser){"bob", "secret"};
    sip_world_adapters(world, 1);
    alice = sip_phone(world, "192.0.2.1", 5060);
    ScriptRequest request = to("sip:nobody@example.org");

    request.from = "<sip:carol@example.com>;tag=c";
    script_request(alice, 0, &request);
    script_expect(alice, 404);
    request.uri = "sip:bob@example.org";
    script_request(alice, 0, &request);
    script_expect(alice, 480);
    end();
}

static void row_6_caller_from_elsewhere_may_not_call_elsewhere(void)
{
    ScriptRequest request = to("sip:carol@192.0.2.99");

    begin();
    request.from = "<sip:mallory@example.com>;tag=m";
    script_request(alice, 0, &request);
    script_expect(alice, 403);
    request.uri = "sip:bob@example.org";
    request.headers = "Route: <sip:192.0.2.99;lr>\r\n";
    script_request(alice, 0, &request);
    script_expect(alice, 403);
    end();
}

static void row_6_cancel_of_no_call_is_not_relayed_where_users_have_passwords(void)
{
    ScriptRequest request = to("sip:carol@192.0.2.99");

    begin();
    request.method = "CANCEL";
    world->config.users = true;
    script_request(alice, 0, &request);
    script_expect(alice, 403);
    request.uri = "sip:nobody@example.org";
    script_request(alice, 0, &request);
    script_expect(alice, 404);
    end();
}

static void row_2_unbound_user_is_404_without_a_user_list(void)
{
    begin();
    script_request(bob, 0,
                   &(ScriptRequest){.method = "REGISTER",
                                    .uri = "sip:example.org",
                                    .from = "<sip:bob@example.org>;tag=r",
                                    .to = "<sip:bob@example.org>",
                                    .call_id = "off@192.0.2.2",
                                    .cseq = 7,
                                    .contact = "*",
                                    .headers = "Expires: 0\r\n"});
    script_expect(bob, 200);
    script_request(alice, 0, &message);
    script_expect(alice, 404);
    end();
}

/* Row 7. */

static void row_7_malformed_requests_are_refused_by_their_fault(void)
{
    static const struct {
        unsigned status;
        const char *text;
    } cases[] = {
        {400, "MESSAGE sip:bob@example.org SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\n"
              "From: <sip:a@example.org>;tag=1\nTo: <sip:bob@example.org>\nCall-ID: 1\n"
              "CSeq: 1 INVITE\nContent-Length: 0\n\n"},
        {400, "MESSAGE sip:bob@example.org SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKb\n"
              "From: <sip:a@example.org>;tag=1\nTo: <sip:bob@example.org>\nCall-ID: 1\n"
              "CSeq: 4294967296 MESSAGE\nContent-Length: 0\n\n"},
        {400, "MESSAGE sip:bob@example.org SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKc\n"
              "From: <sip:a@example.org>;tag=1\nTo: <sip:bob@example.org>\nCall-ID: 1\n"
              "CSeq: 1 MESSAGE\nContent-Length: 50\n\nshort"},
        {505, "MESSAGE sip:bob@example.org SIP/7.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKd\n"
              "From: <sip:a@example.org>;tag=1\nTo: <sip:bob@example.org>\nCall-ID: 1\n"
              "CSeq: 1 MESSAGE\nContent-Length: 0\n\n"},
        {416, "MESSAGE nobody:bob SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKe\n"
              "From: <sip:a@example.org>;tag=1\nTo: <sip:bob@example.org>\nCall-ID: 1\n"
              "CSeq: 1 MESSAGE\nContent-Length: 0\n\n"},
        {416, "MESSAGE sips:bob@example.org SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKf\n"
              "From: <sip:a@example.org>;tag=1\nTo: <sip:bob@example.org>\nCall-ID: 1\n"
              "CSeq: 1 MESSAGE\nContent-Length: 0\n\n"},
    };
    PealSipStatus status;

    begin();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        send_lines(alice, cases[i].text);
        script_expect(alice, cases[i].status);
    }
    CU_ASSERT(sip_phone_is_quiet(bob, peal_seconds(1)));
    peal_peer_sip_status(sip_world_peer(world, 0), &status);
    CU_ASSERT_EQUAL(status.malformed, 4);
    end();
}

/* Row 8. */

static void row_8_max_forwards_is_counted(void)
{
    const SipReceived *got;

    begin();
    script_request(alice, 0, &message);
    got = script_expect_request(bob, "MESSAGE");
    CU_ASSERT_STRING_EQUAL(script_header(got->text, "Max-Forwards", 0), "69");
    send_lines(alice,
               "MESSAGE sip:bob@example.org SIP/2.0\n"
               "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\nFrom: <sip:a@example.org>;tag=1\n"
               "To: <sip:bob@example.org>\nCall-ID: 1\nCSeq: 1 MESSAGE\n"
               "Content-Length: 0\n\n");
    got = script_expect_request(bob, "MESSAGE");
    CU_ASSERT_STRING_EQUAL(script_header(got->text, "Max-Forwards", 0), "70");
    send_lines(alice,
               "MESSAGE sip:bob@example.org SIP/2.0\nMax-Forwards: 0\n"
               "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKb\nFrom: <sip:a@example.org>;tag=1\n"
               "To: <sip:bob@example.org>\nCall-ID: 1\nCSeq: 1 MESSAGE\n"
               "Content-Length: 0\n\n");
    script_expect(alice, 483);
    send_lines(alice,
               "OPTIONS sip:bob@example.org SIP/2.0\nMax-Forwards: 0\n"
               "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKc\nFrom: <sip:a@example.org>;tag=1\n"
               "To: <sip:bob@example.org>\nCall-ID: 1\nCSeq: 1 OPTIONS\n"
               "Content-Length: 0\n\n");
    script_expect(alice, 200);
    send_lines(alice,
               "REGISTER sip:example.org SIP/2.0\nMax-Forwards: 0\n"
               "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKd\nFrom: <sip:a@example.org>;tag=1\n"
               "To: <sip:a@example.org>\nCall-ID: 1\nCSeq: 1 REGISTER\n"
               "Contact: <sip:a@192.0.2.1>\nContent-Length: 0\n\n");
    script_expect(alice, 200);
    end();
}

/* Row 9. */

static void row_9_two_users_that_stand_for_each_other_are_a_loop(void)
{
    begin();
    script_register(alice, 0, "alice", "<sip:carol@example.org>");
    script_register(alice, 0, "carol", "<sip:alice@example.org>");
    ScriptRequest request = to("sip:alice@example.org");

    script_request(alice, 0, &request);
    script_expect(alice, 482);
    end();
}

static void row_9_user_that_stands_for_another_is_followed(void)
{
    ScriptRequest request = to("sip:sales@example.org");
    const SipReceived *got;

    begin();
    script_register(alice, 0, "sales", "<sip:bob@example.org>");
    script_request(alice, 0, &request);
    got = script_expect_request(bob, "MESSAGE");
    CU_ASSERT_STRING_EQUAL(script_uri(got->text), "sip:bob@192.0.2.2:5060");
    script_answer(bob, got, 200, NULL, NULL);
    script_expect(alice, 200);
    end();
}

/* What comes back is a loop if nothing has changed that decides its way, else a spiral. */
static void row_9_spiral_is_allowed_and_a_loop_is_not(void)
{
    const SipReceived *first;
    char text[4096];
    char via[512];
    size_t len;

    begin();
    SipPhone *gateway = sip_phone(world, "192.0.2.9", 5060);

    script_register(gateway, 0, "out", NULL);
    ScriptRequest request = to("sip:out@example.org");

    script_request(alice, 0, &request);
    first = script_expect_request(gateway, "MESSAGE");
    snprintf(via, sizeof(via), "Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKgw1;rport\r\n");
    len = (size_t)snprintf(text, sizeof(text), "MESSAGE sip:out@example.org SIP/2.0\r\n%s", via);
    snprintf(text + len, sizeof(text) - len, "%s", strstr(first->text, "\r\n") + 2);
    sip_phone_send(gateway, 0, text);
    script_expect(gateway, 482);
    snprintf(via, sizeof(via), "Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKgw2;rport\r\n");
    len = (size_t)snprintf(text, sizeof(text), "MESSAGE sip:bob@example.org SIP/2.0\r\n%s", via);
    snprintf(text + len, sizeof(text) - len, "%s", strstr(first->text, "\r\n") + 2);
    sip_phone_send(gateway, 0, text);
    first = script_expect_request(bob, "MESSAGE");
    CU_ASSERT_EQUAL(script_headers(first->text, "Via"), 4);
    end();
}

/* Row 10. */

static void row_10_unknown_proxy_require_is_named(void)
{
    ScriptRequest request = message;
    const SipReceived *got;

    begin();
    request.headers = "Proxy-Require: telepathy, x-more\r\nRequire: 100rel\r\n";
    script_request(alice, 0, &request);
    got = script_expect(alice, 420);
    CU_ASSERT_STRING_EQUAL(script_header(got->text, "Unsupported", 0), "telepathy, x-more");
    end();
}

/* Row 20. */

static void row_20_answers_go_where_the_request_came_from(void)
{
    const char *text = "OPTIONS sip:example.org SIP/2.0\r\n"
                       "Via: SIP/2.0/UDP 10.9.9.9:5077;branch=z9hG4bKa;rport\r\n"
                       "From: <sip:a@example.org>;tag=1\r\nTo: <sip:example.org>\r\n"
                       "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    const SipReceived *got;
    const char *via;

    begin();
    sip_phone_send(alice, 0, text);
    got = script_expect(alice, 200);
    via = script_header(got->text, "Via", 0);
    CU_ASSERT_STRING_EQUAL(script_param(via, "received"), "192.0.2.1");
    CU_ASSERT_STRING_EQUAL(script_param(via, "rport"), "5060");
    end();
}

static void row_20_forwarded_via_tells_the_source(void)
{
    const char *text = "MESSAGE sip:bob@example.org SIP/2.0\r\n"
                       "Via: SIP/2.0/UDP pc.example.com:5077;x=y;rport;branch=z9hG4bKa\r\n"
                       "From: <sip:a@example.org>;tag=1\r\nTo: <sip:bob@example.org>\r\n"
                       "Call-ID: 1\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n";
    const SipReceived *got;
    const char *via;

    begin();
    sip_phone_send(alice, 0, text);
    got = script_expect_request(bob, "MESSAGE");
    via = script_header(got->text, "Via", 1);
    CU_ASSERT_STRING_EQUAL(script_param(via, "received"), "192.0.2.1");
    CU_ASSERT_STRING_EQUAL(script_param(via, "rport"), "5060");
    CU_ASSERT_STRING_EQUAL(script_param(via, "x"), "y");
    script_answer(bob, got, 200, NULL, NULL);
    script_expect(alice, 200);
    end();
}

/* Row 25. */

/* Everything but what a proxy may touch comes out as it went in: odd spacing, folds, unknown
 * header fields and schemes, compact names, bytes that are no text. */
static void row_25_unknown_things_pass_byte_for_byte(void)
{
    static const char tail[] = "f:   \"A, B; C\" <sip:alice@example.org>;tag=1;x=\"y,z\"\r\n"
                               "t: <sip:bob@example.org>\r\n"
                               "i: 1-%2@3\r\n"
                               "CSeq: 00017   FROBNICATE\r\n"
                               "X-Odd : one,two , three\r\n"
                               "x-fold: first\r\n\tsecond\r\n  third\r\n"
                               "Proxy-Authorization: Nonsense a=\"b\", c=d\r\n"
                               "Accept:text/*;q=.5,  */*\r\n"
                               "Empty:\r\n"
                               "P-Euro: \xe2\x82\xac\r\n"
                               "Content-Type: application/x;y=z\r\n"
                               "l: 10\r\n"
                               "\r\n";
    static const char body[] = {0, 1, '\r', '\n', '\r', '\n', (char)0xff, (char)0xfe, 0, '\n'};
    char text[2048];
    size_t len;
    const SipReceived *got;

    begin();
    len = (size_t)snprintf(text, sizeof(text),
                           "FROBNICATE sip:bob@example.org SIP/2.0\r\n"
                           "v: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKodd\r\n"
                           "Max-Forwards: 12\r\n%s",
                           tail);
    memcpy(text + len, body, sizeof(body));
    sip_phone_send_from(alice, 0, 0, text, len + sizeof(body));
    got = script_expect_request(bob, "FROBNICATE");
    CU_ASSERT_FATAL(got->len > sizeof(tail) + sizeof(body));
    CU_ASSERT_EQUAL(memcmp(got->text + got->len - sizeof(body) - (sizeof(tail) - 1), tail,
                           sizeof(tail) - 1),
                    0);
    CU_ASSERT_EQUAL(memcmp(got->text + got->len - sizeof(body), body, sizeof(body)), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(got->text,
                                  "\r\nv: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKodd\r\n"
                                  "Max-Forwards: 11\r\nf:   \"A"));
    end();
}

static void row_25_responses_pass_byte_for_byte(void)
{
    static const char tail[] = "From: <sip:alice@example.org>;tag=a\r\n"
                               "To: <sip:bob@example.org>;tag=b\r\n"
                               "Call-ID: one@192.0.2.1\r\n"
                               "CSeq: 1 MESSAGE\r\n"
                               "X-Odd : one,two ,\r\n three\r\n"
                               "WWW-Authenticate: Weird a=b\r\n"
                               "Content-Length: 4\r\n\r\n\xff\r\n\x01";
    char text[2048];
    const SipReceived *got;

    begin();
    script_request(alice, 0, &message);
    got = script_expect_request(bob, "MESSAGE");
    snprintf(text, sizeof(text), "SIP/2.0 299 Quite  Fine\r\nVia: %s,\r\n %s\r\n%s",
             script_header(got->text, "Via", 0), script_header(got->text, "Via", 1), tail);
    sip_phone_send(bob, 0, text);
    got = script_expect(alice, 299);
    CU_ASSERT_FATAL(got->len > sizeof(tail));
    CU_ASSERT_EQUAL(strncmp(got->text, "SIP/2.0 299 Quite  Fine\r\nVia: SIP/2.0/UDP 192.0.2.1", 51),
                    0);
    CU_ASSERT_STRING_EQUAL(got->text + got->len - (sizeof(tail) - 1), tail);
    end();
}

/* Row 26. */

static const char *const seeds[] = {
    "INVITE sip:bob@example.org SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKflood;rport\r\n"
    "Max-Forwards: 70\r\nRoute: <sip:10.1.0.0;lr>, <sip:10.1.0.0;lr>\r\n"
    "From: \"A\" <sip:alice@example.com>;tag=1\r\nTo: <sip:bob@example.org>\r\n"
    "Call-ID: flood\r\nCSeq: 1 INVITE\r\nMax-Breadth: 9\r\n"
    "Contact: <sip:alice@192.0.2.1>\r\nContent-Length: 4\r\n\r\nbody",
    "REGISTER sip:example.org SIP/2.0\r\nv: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKr\r\n"
    "f: <sip:bob@example.org>;tag=1\r\nt: <sip:bob@example.org>\r\ni: r\r\nCSeq: 1 REGISTER\r\n"
    "m: <sip:bob@192.0.2.1>;q=0.5;expires=60, <sip:carol@example.org>\r\nPath: "
    "<sip:192.0.2.7;lr>\r\n"
    "Supported: path\r\nl: 0\r\n\r\n",
    "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.1.0.0:5060;branch=z9hG4bKx, SIP/2.0/UDP 192.0.2.1\r\n"
    "From: <sip:a@example.org>;tag=1\r\nTo: <sip:bob@example.org>;tag=2\r\nCall-ID: c\r\n"
    "CSeq: 1 INVITE\r\nContact: <sip:bob@192.0.2.2>\r\nContent-Length: 0\r\n\r\n",
    "MESSAGE sip:bob@example.org;transport=udp SIP/2.0\r\n"
    "Via: SIP/2.0/UDP host.example.com:5070;branch=z9hG4bKm;received=1.2.3.4\r\n"
    "From: <sip:alice@example.org>;tag=1\r\nTo: <sip:bob@example.org>\r\nCall-ID: m\r\n"
    "Proxy-Authorization: Digest username=\"alice\", realm=\"example.org\", nonce=\"00ff\", "
    "uri=\"sip:bob@example.org\", response=\"00\", algorithm=MD5, cnonce=\"a\", qop=auth, nc=1\r\n"
    "CSeq: 7 MESSAGE\r\nContent-Length: 2\r\n\r\nhi",
    "CANCEL sip:bob@example.org SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKflood;rport\r\n"
    "From: \"A\" <sip:alice@example.com>;tag=1\r\nTo: <sip:bob@example.org>\r\n"
    "Call-ID: flood\r\nCSeq: 1 CANCEL\r\nContent-Length: 0\r\n\r\n",
};

/* A message with a few bytes changed, sometimes cut short. */
static size_t garble(uint64_t number, char *ret_text, size_t cap)
{
    const char *seed = seeds[peal_random_at(99, 1, number) % (sizeof(seeds) / sizeof(seeds[0]))];
    size_t len = strlen(seed);
    uint64_t edits = peal_random_at(99, 2, number) % 5;

    CU_ASSERT_FATAL(len < cap);
    strcpy(ret_text, seed);
    for (uint64_t i = 0; i < edits; i++) {
        uint64_t draw = peal_random_at(99, 3 + i, number);

        ret_text[draw % len] = (char)(draw >> 32);
    }
    return peal_random_at(99, 9, number) % 4 == 0 ? peal_random_at(99, 10, number) % len : len;
}

static bool lose_answers(void *user, const PealAddr *from, const PealAddr *to, const char *text,
                         size_t len)
{
    (void)user;
    (void)to;
    (void)text;
    (void)len;
    return from->ip[0] == 10;
}

static void row_26_flood_of_garbage_leaves_nothing_behind(void)
{
    PealSipStatus status;
    char text[2048];

    world = sip_world_new(13);
    world->users[world->users_len++] = (SipUser){"bob", "builder"};
    sip_world_adapters(world, 1);
    bob = sip_phone(world, "203.0.113.1", 5060);
    script_register(bob, 0, "bob", "<sip:bob@198.51.100.1>");
    world->config.users = true;
    world->lose = lose_answers;
    for (uint64_t i = 0; i < 20000; i++) {
        size_t len = garble(i, text, sizeof(text));

        if (i % 500 == 0) {
            if (i > 0) {
                sip_conn_close(world, (int)(i / 500) - 1);
            }
            (void)sip_phone_connect(bob, 0);
        }
        if (i % 8 == 0) {
            sip_conn_send(world, (int)(i / 500), text, len);
        } else {
            sip_phone_send_from(bob, 5062, 0, text, len);
        }
        sip_world_run(world, peal_ms(1));
    }
    sip_world_run(world, peal_seconds(1000));
    peal_peer_sip_status(sip_world_peer(world, 0), &status);
    CU_ASSERT(status.malformed > 5000);
    CU_ASSERT_EQUAL(status.transactions, 0);
    CU_ASSERT_EQUAL(status.calls, 0);
    end();
}

/* Row 27. */

static void row_27_options_to_the_adapter_is_answered(void)
{
    static const char *const uris[] = {"sip:10.1.0.0", "sip:10.1.0.0:5060;transport=udp",
                                       "sip:example.org", "sip:EXAMPLE.org:5060"};
    const SipReceived *got;

    begin();
    for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
        ScriptRequest request = to(uris[i]);

        request.method = "OPTIONS";
        request.to = "<sip:10.1.0.0>";
        request.from = "<sip:nagios@example.com>;tag=n";
        script_request(alice, 0, &request);
        got = script_expect(alice, 200);
        CU_ASSERT_PTR_NOT_NULL(script_header(got->text, "Allow", 0));
        CU_ASSERT_PTR_NOT_NULL(script_header(got->text, "Accept", 0));
        CU_ASSERT_PTR_NOT_NULL(script_header(got->text, "Supported", 0));
        CU_ASSERT_PTR_NOT_NULL(script_param(script_header(got->text, "To", 0), "tag"));
    }
    end();
}

static void options_that_require_the_unknown_are_420(void)
{
    ScriptRequest request = to("sip:example.org");
    const SipReceived *got;

    begin();
    request.method = "OPTIONS";
    request.headers = "Require: path, telepathy\r\n";
    script_request(alice, 0, &request);
    got = script_expect(alice, 420);
    CU_ASSERT_EQUAL(script_headers(got->text, "Unsupported"), 1);
    CU_ASSERT_STRING_EQUAL(script_header(got->text, "Unsupported", 0), "telepathy");
    end();
}

static void other_requests_to_the_adapter_are_refused(void)
{
    ScriptRequest request = to("sip:example.org");
    const SipReceived *got;

    begin();
    script_request(alice, 0, &request);
    got = script_expect(alice, 405);
    CU_ASSERT_STRING_EQUAL(script_header(got->text, "Allow", 0), "OPTIONS, REGISTER");
    request.uri = "sip:bob@10.1.0.0";
    script_request(alice, 0, &request);
    script_expect(alice, 404);
    end();
}

PEAL_TEST_MAIN("core/proxy_rules",
               PEAL_TEST(row_6_cancel_of_no_call_is_not_relayed_where_users_have_passwords),
               PEAL_TEST(row_2_unbound_user_is_404_without_a_user_list),
               PEAL_TEST(row_6_unknown_user_without_a_user_list_is_404),
               PEAL_TEST(row_6_user_list_tells_404_from_480),
               PEAL_TEST(row_6_caller_from_elsewhere_may_not_call_elsewhere),
               PEAL_TEST(row_7_malformed_requests_are_refused_by_their_fault),
               PEAL_TEST(row_8_max_forwards_is_counted),
               PEAL_TEST(row_9_two_users_that_stand_for_each_other_are_a_loop),
               PEAL_TEST(row_9_user_that_stands_for_another_is_followed),
               PEAL_TEST(row_9_spiral_is_allowed_and_a_loop_is_not),
               PEAL_TEST(row_10_unknown_proxy_require_is_named),
               PEAL_TEST(row_20_answers_go_where_the_request_came_from),
               PEAL_TEST(row_20_forwarded_via_tells_the_source),
               PEAL_TEST(row_25_unknown_things_pass_byte_for_byte),
               PEAL_TEST(row_25_responses_pass_byte_for_byte),
               PEAL_TEST(row_26_flood_of_garbage_leaves_nothing_behind),
               PEAL_TEST(row_27_options_to_the_adapter_is_answered),
               PEAL_TEST(options_that_require_the_unknown_are_420),
               PEAL_TEST(other_requests_to_the_adapter_are_refused))
