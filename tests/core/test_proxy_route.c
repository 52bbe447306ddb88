/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_proxy_route.c - Route, Record-Route, Path and flows: requests inside a dialog find their
 * way, whatever transport, address family or NAT a phone has. */
#include "core/sip_script.h"
#include "peal_openssl/crypto.h"
#include "peal_test.h"

static SipWorld *world;
static SipPhone *alice;
static SipPhone *bob;

static void begin(uint32_t adapters)
{
    world = sip_world_new(29);
    world->two_families = true;
    sip_world_adapters(world, adapters);
}

static void begin_phones(uint32_t adapters)
{
    begin(adapters);
    alice = sip_phone(world, "192.0.2.1", 5060);
    bob = sip_phone(world, "192.0.2.2", 5060);
}

static void end(void)
{
    sip_world_free(world);
}

/* Registers over a connection, and returns its number for requests. */
static int register_tcp(SipPhone *phone, uint32_t adapter, const char *name)
{
    int conn = 1 + sip_phone_connect(phone, adapter);
    char from[128];
    char to[128];
    char contact[128];

    snprintf(from, sizeof(from), "<sip:%s@example.org>;tag=r", name);
    snprintf(to, sizeof(to), "<sip:%s@example.org>", name);
    snprintf(contact, sizeof(contact), "<sip:%s@%s:%u;transport=tcp>", name, phone->host,
             phone->addr.port);
    script_request(phone, adapter,
                   &(ScriptRequest){.method = "REGISTER",
                                    .uri = "sip:example.org",
                                    .from = from,
                                    .to = to,
                                    .call_id = name,
                                    .contact = contact,
                                    .conn = conn});
    script_expect(phone, 200);
    return conn;
}

/* What follows alice's INVITE, to a BYE of either side. */
static void call(bool callee)
{
    const SipReceived *got;
    ScriptDialog caller;
    ScriptDialog called;

    script_expect(alice, 100);
    got = script_expect_request(bob, "INVITE");
    script_answer(bob, got, 200, NULL, NULL);
    script_dialog_callee(&called, bob, got);
    script_dialog_caller(&caller, alice, script_expect(alice, 200));
    script_dialog_send(&caller, "ACK", NULL, NULL);
    script_expect_request(bob, "ACK");
    script_dialog_send(&called, "INFO", NULL, NULL);
    script_answer(alice, script_expect_request(alice, "INFO"), 200, NULL, NULL);
    script_expect(bob, 200);
    script_dialog_send(&caller, "INFO", NULL, NULL);
    script_answer(bob, script_expect_request(bob, "INFO"), 200, NULL, NULL);
    script_expect(alice, 200);
    script_dialog_send(callee ? &called : &caller, "BYE", NULL, NULL);
    got = script_expect_request(callee ? alice : bob, "BYE");
    CU_ASSERT_EQUAL(script_headers(got->text, "Route"), 0);
    script_answer(callee ? alice : bob, got, 200, NULL, NULL);
    script_expect(callee ? bob : alice, 200);
}

static const char *invite_over(SipPhone *phone, uint32_t adapter, int conn)
{
    return script_request(phone, adapter,
                          &(ScriptRequest){.method = "INVITE",
                                           .uri = "sip:bob@example.org",
                                           .from = "<sip:alice@example.org>;tag=a",
                                           .to = "<sip:bob@example.org>",
                                           .call_id = "call",
                                           .conn = conn});
}

static void message_by_route(const char *uri, const char *routes)
{
    char to[128];

    snprintf(to, sizeof(to), "<%s>", uri);
    script_request(alice, 0,
                   &(ScriptRequest){.method = "MESSAGE",
                                    .uri = uri,
                                    .from = "<sip:alice@example.org>;tag=a",
                                    .to = to,
                                    .call_id = "r",
                                    .headers = routes});
}

/* alice calls bob, who answers; returns his answer as she got it. */
static const SipReceived *answered_call(ScriptDialog *ret_caller)
{
    const SipReceived *got;

    invite_over(alice, 0, 0);
    script_expect(alice, 100);
    script_answer(bob, script_expect_request(bob, "INVITE"), 200, NULL, NULL);
    got = script_expect(alice, 200);
    script_dialog_caller(ret_caller, alice, got);
    return got;
}

static void row_11_dialog_between_tcp_and_udp(void)
{
    for (uint32_t there = 0; there < 2; there++) {
        begin_phones(2);
        script_register(bob, there, "bob", NULL);
        invite_over(alice, 0, 1 + sip_phone_connect(alice, 0));
        call(false);
        end();
    }
}

static void row_11_dialog_between_udp_and_tcp(void)
{
    for (uint32_t there = 0; there < 2; there++) {
        begin_phones(2);
        register_tcp(bob, there, "bob");
        invite_over(alice, 0, 0);
        call(true);
        end();
    }
}

static void row_11_dialog_between_tcp_phones_at_two_adapters(void)
{
    begin_phones(2);
    register_tcp(bob, 1, "bob");
    invite_over(alice, 0, 1 + sip_phone_connect(alice, 0));
    call(true);
    CU_ASSERT_EQUAL(world->conns_len, 2); /* nobody opened another one */
    end();
}

static void row_11_dialog_between_ipv6_and_ipv4(void)
{
    for (uint32_t there = 0; there < 2; there++) {
        begin(2);
        alice = sip_phone(world, "2001:db8:1::1", 5060);
        bob = sip_phone(world, "192.0.2.2", 5060);
        script_register(bob, there, "bob", NULL);
        invite_over(alice, 0, 0);
        call(there == 0);
        end();
    }
}

/* Both phones are behind NATs: what they write as their address reaches nobody. */
static void row_11_dialog_between_phones_behind_nat(void)
{
    begin(2);
    alice = sip_phone(world, "192.0.2.1", 40001);
    bob = sip_phone(world, "192.0.2.2", 40002);
    strcpy(alice->host, "10.0.0.7");
    strcpy(bob->host, "10.0.0.7");
    script_register(bob, 1, "bob", NULL);
    invite_over(alice, 0, 0);
    call(true);
    end();
}

static void row_11_loose_route_is_followed(void)
{
    const SipReceived *got;

    begin_phones(1);
    SipPhone *next = sip_phone(world, "192.0.2.50", 5080);

    message_by_route("sip:carol@example.com", "Route: <sip:10.1.0.0;lr>, \"Next, hop\" "
                                              "<sip:192.0.2.50:5080;lr>;x=1\r\n"
                                              "Route: <sip:192.0.2.51;lr>\r\n");
    got = script_expect_request(next, "MESSAGE");
    CU_ASSERT_STRING_EQUAL(script_uri(got->text), "sip:carol@example.com");
    CU_ASSERT_STRING_EQUAL(script_header(got->text, "Route", 0),
                           "\"Next, hop\" <sip:192.0.2.50:5080;lr>;x=1");
    CU_ASSERT_STRING_EQUAL(script_header(got->text, "Route", 1), "<sip:192.0.2.51;lr>");
    end();
}

static void row_11_domain_as_outbound_proxy_is_this_adapter(void)
{
    const SipReceived *got;

    begin_phones(1);
    script_register(bob, 0, "bob", "<sip:bob@192.0.2.2?Subject=x>");
    message_by_route("sip:bob@example.org", "Route: <sip:example.org;lr>\r\n");
    got = script_expect_request(bob, "MESSAGE");
    CU_ASSERT_STRING_EQUAL(script_uri(got->text), "sip:bob@192.0.2.2");
    CU_ASSERT_EQUAL(script_headers(got->text, "Route"), 0);
    end();
}

/* 16.6 step 6: the next hop knows no lr. */
static void row_11_strict_router_gets_its_uri_and_the_last_route(void)
{
    const SipReceived *got;

    begin(1);
    alice = sip_phone(world, "192.0.2.1", 5060);
    SipPhone *strict = sip_phone(world, "192.0.2.50", 5080);

    message_by_route("sip:carol@example.com", "Route: <sip:10.1.0.0;lr>\r\n"
                                              "Route: <sip:old@192.0.2.50:5080>\r\n"
                                              "Route: <sip:192.0.2.51;lr>\r\n");
    got = script_expect_request(strict, "MESSAGE");
    CU_ASSERT_STRING_EQUAL(script_uri(got->text), "sip:old@192.0.2.50:5080");
    CU_ASSERT_EQUAL(script_headers(got->text, "Route"), 2);
    CU_ASSERT_STRING_EQUAL(script_header(got->text, "Route", 0), "<sip:192.0.2.51;lr>");
    CU_ASSERT_STRING_EQUAL(script_header(got->text, "Route", 1), "<sip:carol@example.com>");
    end();
}

/* 16.4: a strict router in front has put this adapter's own entry into the Request-URI. */
static void row_11_request_from_a_strict_router_is_put_right(void)
{
    ScriptDialog dialog;
    char route[512];
    char own[256];
    const SipReceived *got;

    begin_phones(1);
    script_register(bob, 0, "bob", NULL);
    got = answered_call(&dialog);
    snprintf(own, sizeof(own), "%s", script_header(got->text, "Record-Route", 0) + 1);
    *strchr(own, '>') = '\0';
    snprintf(route, sizeof(route), "Route: <%s>\r\n", dialog.target);
    strcpy(dialog.route, route);
    strcpy(dialog.target, own);
    script_dialog_send(&dialog, "BYE", NULL, NULL);
    got = script_expect_request(bob, "BYE");
    CU_ASSERT_STRING_EQUAL(script_uri(got->text), "sip:phone@192.0.2.2:5060");
    CU_ASSERT_EQUAL(script_headers(got->text, "Route"), 0);
    end();
}

static void without_record_route_the_dialog_goes_its_own_way(void)
{
    const SipReceived *got;

    world = sip_world_new(29);
    world->config.record_route = false;
    sip_world_adapters(world, 1);
    alice = sip_phone(world, "192.0.2.1", 5060);
    bob = sip_phone(world, "192.0.2.2", 5060);
    script_register(bob, 0, "bob", NULL);
    invite_over(alice, 0, 0);
    got = script_expect_request(bob, "INVITE");
    CU_ASSERT_EQUAL(script_headers(got->text, "Record-Route"), 0);
    end();
}

/* Row 21. */

static void row_21_path_is_the_way_to_the_phone(void)
{
    const SipReceived *got;

    begin_phones(1);
    SipPhone *edge = sip_phone(world, "192.0.2.60", 5060);

    script_request(edge, 0,
                   &(ScriptRequest){.method = "REGISTER",
                                    .uri = "sip:example.org",
                                    .from = "<sip:bob@example.org>;tag=r",
                                    .to = "<sip:bob@example.org>",
                                    .call_id = "p",
                                    .contact = "<sip:bob@10.0.0.9>",
                                    .headers = "Supported: path\r\n"
                                               "Path: <sip:flow7@192.0.2.60;lr>\r\n"
                                               "Path: <sip:192.0.2.61;lr>\r\n"});
    script_expect(edge, 200);
    invite_over(alice, 0, 0);
    got = script_expect_request(edge, "INVITE");
    CU_ASSERT_STRING_EQUAL(script_uri(got->text), "sip:bob@10.0.0.9");
    CU_ASSERT_PTR_NOT_NULL(
        strstr(got->text, "\r\nRoute: <sip:flow7@192.0.2.60;lr>, <sip:192.0.2.61;lr>\r\n"));
    end();
}

/* Row 22. */

static void row_22_request_for_a_lost_flow_is_430(void)
{
    ScriptDialog dialog;
    int conn;

    begin_phones(1);
    conn = register_tcp(bob, 0, "bob");
    answered_call(&dialog);
    script_dialog_send(&dialog, "ACK", NULL, NULL);
    script_expect_request(bob, "ACK");
    sip_conn_close(world, conn - 1);
    sip_world_run(world, peal_ms(100));
    script_dialog_send(&dialog, "BYE", NULL, NULL);
    script_expect(alice, 430);
    end();
}

static void row_22_crlf_and_stun_keep_flows_alive(void)
{
    static const char binding[] = "\0\1\0\0\x21\x12\xa4\x42"
                                  "abcdefghijkl";
    static const char mapped[] = "\1\1\0\x0c\x21\x12\xa4\x42"
                                 "abcdefghijkl"
                                 "\0\x20\0\x08\0\1\x32\xd6\xe1\x12\xa6\x43";
    const SipReceived *got;
    int conn;

    begin(1);
    bob = sip_phone(world, "192.0.2.1", 5060);
    conn = sip_phone_connect(bob, 0);
    sip_conn_send(world, conn, "\r\n\r\n", 4);
    got = sip_phone_next(bob, peal_seconds(1));
    CU_ASSERT_FATAL(got != NULL && strcmp(got->text, "\r\n") == 0);
    sip_phone_send_from(bob, 0, 0, binding, sizeof(binding) - 1);
    got = sip_phone_next(bob, peal_seconds(1));
    CU_ASSERT_FATAL(got != NULL && got->len == sizeof(mapped) - 1);
    CU_ASSERT_EQUAL(memcmp(got->text, mapped, sizeof(mapped) - 1), 0);
    sip_phone_send(bob, 0, "\r\n\r\n");
    CU_ASSERT(sip_phone_is_quiet(bob, peal_seconds(1)));
    end();
}

/* Calls of users with passwords. */

static void hex_md5(const char *text, char ret_hex[33])
{
    const PealBytes part = {(const uint8_t *)text, strlen(text)};
    uint8_t digest[PEAL_DIGEST_MAX];

    peal_openssl_crypto()->digest(PEAL_HASH_MD5, &part, 1, digest);
    for (int i = 0; i < 16; i++) {
        snprintf(ret_hex + 2 * i, 3, "%02x", digest[i]);
    }
}

/* alice's answer to a challenge's MD5 of her INVITE, as a header line. */
static const char *credentials(const char *challenge, const char *password)
{
    static char line[1024];
    char nonce[256];
    char text[512];
    char a1[33];
    char a2[33];
    char response[33];
    const char *at = strstr(challenge, "nonce=\"") + 7;

    snprintf(nonce, sizeof(nonce), "%.*s", (int)strcspn(at, "\""), at);
    snprintf(text, sizeof(text), "alice:example.org:%s", password);
    hex_md5(text, a1);
    hex_md5("INVITE:sip:bob@example.org", a2);
    snprintf(text, sizeof(text), "%s:%s:00000001:abc:auth:%s", a1, nonce, a2);
    hex_md5(text, response);
    snprintf(line, sizeof(line),
             "Proxy-Authorization: Digest username=\"alice\", realm=\"example.org\", nonce=\"%s\", "
             "uri=\"sip:bob@example.org\", response=\"%s\", algorithm=MD5, cnonce=\"abc\", "
             "qop=auth, nc=00000001\r\n",
             nonce, response);
    return line;
}

static void begin_users(uint32_t adapters)
{
    world = sip_world_new(31);
    world->config.algorithms[0] = PEAL_HASH_MD5;
    world->config.algorithms[1] = PEAL_HASH_SHA256;
    world->users[0] = (SipUser){"alice", "wonder"};
    world->users[1] = (SipUser){"bob", "builder"};
    world->users_len = 2;
    sip_world_adapters(world, adapters);
    alice = sip_phone(world, "192.0.2.1", 5060);
    bob = sip_phone(world, "192.0.2.2", 5060);
    script_register(bob, adapters - 1, "bob", NULL);
    world->config.users = true;
}

static const char *invite_as(const char *from, unsigned cseq, const char *headers)
{
    return script_request(alice, 0,
                          &(ScriptRequest){.method = "INVITE",
                                           .uri = "sip:bob@example.org",
                                           .from = from,
                                           .to = "<sip:bob@example.org>",
                                           .call_id = "auth",
                                           .cseq = cseq,
                                           .headers = headers});
}

static const char *challenge(const char *from)
{
    const char *invite = invite_as(from, 1, NULL);
    const SipReceived *got = script_expect(alice, 407);
    const char *question;

    script_ack(alice, 0, invite, got->text);
    CU_ASSERT_EQUAL(script_headers(got->text, "Proxy-Authenticate"), 2);
    question = script_header(got->text, "Proxy-Authenticate", 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(question, "realm=\"example.org\""));
    return question;
}

/* alice's INVITE is challenged and sent again with a password. */
static void invite_with(const char *from, const char *password)
{
    invite_as(from, 2, credentials(challenge(from), password));
}

static void row_5_caller_is_challenged_once_and_the_dialog_not_again(void)
{
    begin_users(2);
    invite_with("<sip:alice@example.org>;tag=a", "wonder");
    call(true);
    end();
}

/* Whoever is called would have a hash to try passwords on. */
static void row_5_credentials_go_no_further(void)
{
    static const char other[] = "Proxy-Authorization: Digest username=\"a\", realm=\"b\"";
    const SipReceived *got;
    char headers[2048];

    begin_users(2);
    snprintf(headers, sizeof(headers), "%s\r\n%s", other,
             credentials(challenge("<sip:alice@example.org>;tag=a"), "wonder"));
    invite_as("<sip:alice@example.org>;tag=a", 2, headers);
    got = script_expect_request(bob, "INVITE");
    CU_ASSERT_EQUAL(script_headers(got->text, "Proxy-Authorization"), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(got->text, other));
    end();
}

static void row_5_wrong_password_is_challenged_again(void)
{
    begin_users(1);
    invite_with("<sip:alice@example.org>;tag=a", "wander");
    script_expect(alice, 407);
    CU_ASSERT(sip_phone_is_quiet(bob, peal_seconds(1)));
    end();
}

static void row_6_from_of_somebody_else_is_403(void)
{
    begin_users(1);
    invite_with("<sip:bob@example.org>;tag=a", "wonder");
    script_expect(alice, 403);
    CU_ASSERT(sip_phone_is_quiet(bob, peal_seconds(1)));
    end();
}

/* Record-Routes are no passes: who was called once, or called, has nothing for later. */
static void row_6_record_route_of_one_call_opens_no_way_in_another(void)
{
    ScriptRequest request = {.method = "MESSAGE",
                             .uri = "sip:carol@192.0.2.99",
                             .from = "<sip:mallory@example.com>;tag=m",
                             .to = "<sip:bob@example.org>;tag=b"};
    const SipReceived *got;
    char headers[512];

    begin_users(1);
    invite_as("<sip:mallory@example.com>;tag=m", 1, NULL);
    script_expect(alice, 100);
    got = script_expect_request(bob, "INVITE");
    for (unsigned i = 0; i < 2; i++) {
        snprintf(headers, sizeof(headers), "Route: %s\r\n",
                 script_header(got->text, "Record-Route", i));
        request.headers = headers;
        request.call_id = i == 0 ? "another" : "one-more";
        script_request(alice, 0, &request);
        script_expect(alice, 403);
    }
    end();
}

static void caller_of_another_domain_is_not_challenged(void)
{
    begin_users(1);
    invite_as("<sip:alice@example.com>;tag=a", 1, NULL);
    script_expect(alice, 100);
    script_expect_request(bob, "INVITE");
    end();
}

PEAL_TEST_MAIN("core/proxy_route", PEAL_TEST(row_11_dialog_between_tcp_and_udp),
               PEAL_TEST(row_11_dialog_between_udp_and_tcp),
               PEAL_TEST(row_11_dialog_between_tcp_phones_at_two_adapters),
               PEAL_TEST(row_11_dialog_between_ipv6_and_ipv4),
               PEAL_TEST(row_11_dialog_between_phones_behind_nat),
               PEAL_TEST(row_11_loose_route_is_followed),
               PEAL_TEST(row_11_domain_as_outbound_proxy_is_this_adapter),
               PEAL_TEST(row_11_strict_router_gets_its_uri_and_the_last_route),
               PEAL_TEST(row_11_request_from_a_strict_router_is_put_right),
               PEAL_TEST(without_record_route_the_dialog_goes_its_own_way),
               PEAL_TEST(row_21_path_is_the_way_to_the_phone),
               PEAL_TEST(row_22_request_for_a_lost_flow_is_430),
               PEAL_TEST(row_22_crlf_and_stun_keep_flows_alive),
               PEAL_TEST(row_5_caller_is_challenged_once_and_the_dialog_not_again),
               PEAL_TEST(row_5_credentials_go_no_further),
               PEAL_TEST(row_5_wrong_password_is_challenged_again),
               PEAL_TEST(row_6_from_of_somebody_else_is_403),
               PEAL_TEST(row_6_record_route_of_one_call_opens_no_way_in_another),
               PEAL_TEST(caller_of_another_domain_is_not_challenged))
