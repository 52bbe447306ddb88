/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_proxy_trust.c - what those can do who have tokens of an adapter's, because they are in a
 * call: be in that call, and nothing else. */
#include "core/sip_script.h"
#include "peal_test.h"
#include "sip/token.h"

enum { ROUTES_MAX = 8 };

static SipWorld *world;
static SipPhone *stranger; /* carol@example.com, or her proxy */
static SipPhone *bob;
static SipPhone *victim;

static void begin(uint32_t adapters, const char *contact)
{
    world = sip_world_new(37);
    sip_world_adapters(world, adapters);
    stranger = sip_phone(world, "192.0.2.66", 5060);
    bob = sip_phone(world, "192.0.2.2", 5060);
    victim = sip_phone(world, "192.0.2.99", 5060);
    script_register(bob, adapters - 1, "bob", contact);
    world->config.users = true;
}

static void end(void)
{
    CU_ASSERT_TRUE(sip_phone_is_quiet(victim, peal_seconds(1)));
    sip_world_free(world);
}

static void carol_calls(ScriptDialog *carols, ScriptDialog *bobs, const char *headers)
{
    static const char hers[] = "Route: <sip:192.0.2.66;lr>\r\n";
    const SipReceived *got;
    char *own;

    script_request(stranger, 0,
                   &(ScriptRequest){.method = "INVITE",
                                    .uri = "sip:bob@example.org",
                                    .from = "<sip:carol@example.com>;tag=c",
                                    .to = "<sip:bob@example.org>",
                                    .call_id = "call",
                                    .headers = headers});
    script_expect(stranger, 100);
    got = script_expect_request(bob, "INVITE");
    script_dialog_callee(bobs, bob, got);
    script_answer(bob, got, 200, NULL, NULL);
    script_dialog_caller(carols, stranger, script_expect(stranger, 200));
    own = strstr(carols->route, hers);
    if (own != NULL) { /* her proxy has taken its entry off */
        memmove(own, own + strlen(hers), strlen(own + strlen(hers)) + 1);
    }
    script_dialog_send(carols, "ACK", NULL, NULL);
    script_expect_request(bob, "ACK");
}

static void info_passes(ScriptDialog *dialog, SipPhone *to)
{
    script_dialog_send(dialog, "INFO", NULL, NULL);
    script_answer(to, script_expect_request(to, "INFO"), 200, NULL, NULL);
    script_expect(dialog->phone, 200);
}

/* Not a word from the victim, and none to it; the adapter may say no, or nothing. */
static void tries(uint32_t adapter, const char *method, const char *uri, const char *from,
                  const char *call_id, const char *headers)
{
    const SipReceived *got;

    script_request(stranger, adapter,
                   &(ScriptRequest){.method = method,
                                    .uri = uri,
                                    .from = from,
                                    .to = "<sip:bob@example.org>;tag=b",
                                    .call_id = call_id,
                                    .cseq = ++world->numbers,
                                    .headers = headers});
    CU_ASSERT_TRUE(sip_phone_is_quiet(victim, peal_ms(200)));
    /* He hears that he may not, or himself by his own token. */
    while ((got = sip_phone_next(stranger, peal_ms(200))) != NULL) {
        CU_ASSERT(script_status(got->text) / 100 != 2);
    }
    while (sip_phone_next(bob, peal_ms(10)) != NULL) {
    }
}

/* Every token of the dialog's, alone and all together, at each adapter. */
static void tries_all(const char *route_lines, uint32_t adapters, const char *from)
{
    static const char *const methods[] = {"INFO", "ACK", "INVITE"};
    static const char *const uris[] = {"sip:x@192.0.2.99", "sip:x@192.0.2.2;maddr=192.0.2.99",
                                       "sip:x@192.0.2.99:5060"};
    const char *lines[ROUTES_MAX + 1] = {route_lines};
    char with_victim[4096];
    uint32_t lines_len = 1;

    for (const char *line = route_lines; *line != '\0' && lines_len <= ROUTES_MAX;
         line += strcspn(line, "\n") + 1) {
        lines[lines_len++] = line;
    }
    CU_ASSERT(lines_len > 1);
    for (uint32_t i = 0; i < lines_len * adapters; i++) {
        const char *line = lines[i / adapters];
        const size_t len = i < adapters ? strlen(line) : strcspn(line, "\n") + 1;

        for (size_t m = 0; m < 3; m++) {
            snprintf(with_victim, sizeof(with_victim), "%.*sRoute: <sip:192.0.2.99;lr>\r\n",
                     (int)len, line);
            tries(i % adapters, methods[m], "sip:bob@192.0.2.2", from, "call", with_victim);
            with_victim[len] = '\0';
            tries(i % adapters, methods[m], uris[m], from, "call", with_victim);
        }
    }
}

static void stranger_reaches_his_phone_and_nobody_else(void)
{
    static const char *const names[] = {"<sip:carol@example.com>;tag=c",
                                        "<sip:bob@example.org>;tag=c"}; /* nobody believes that */

    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t adapters = 1 + i / 2;
        ScriptDialog carols;
        ScriptDialog bobs;

        begin(adapters, NULL);
        carol_calls(&carols, &bobs, NULL);
        info_passes(&carols, bob);
        info_passes(&bobs, stranger);
        tries_all(carols.route, adapters, names[i % 2]);
        end();
    }
}

static void stranger_behind_a_proxy_stays_in_the_dialog(void)
{
    for (uint32_t adapters = 1; adapters <= 2; adapters++) {
        ScriptDialog carols;
        ScriptDialog bobs;

        begin(adapters, NULL);
        carol_calls(&carols, &bobs, "Record-Route: <sip:192.0.2.66;lr>\r\n");
        info_passes(&carols, bob);
        info_passes(&bobs, stranger);
        tries_all(carols.route, adapters, "<sip:carol@example.com>;tag=c");
        end();
    }
}

/* A phone that registered a name: it is reached by its URI, not by its flow. */
static void dialog_with_a_phone_that_only_has_a_name(void)
{
    for (uint32_t adapters = 1; adapters <= 2; adapters++) {
        ScriptDialog carols;
        ScriptDialog bobs;

        begin(adapters, "<sip:bob@desk.example.net>");
        world->names[world->names_len++] =
            (SipName){.host = "desk.example.net",
                      .targets = {{.addr = bob->addr, .transport = PEAL_UDP}},
                      .targets_len = 1};
        carol_calls(&carols, &bobs, NULL);
        strcpy(carols.target, "sip:bob@desk.example.net");
        info_passes(&carols, bob);
        info_passes(&bobs, stranger);
        tries_all(carols.route, adapters, "<sip:carol@example.com>;tag=c");
        end();
    }
}

/* Whom her adapter knows, and nobody asks for a password again. */
static void user_calls_a_phone_that_only_has_a_name(void)
{
    const SipReceived *got;
    ScriptDialog alices;
    ScriptDialog bobs;

    begin(2, "<sip:bob@desk.example.net>");
    SipPhone *alice = sip_phone(world, "192.0.2.1", 5060);

    world->names[world->names_len++] =
        (SipName){.host = "desk.example.net",
                  .targets = {{.addr = bob->addr, .transport = PEAL_UDP}},
                  .targets_len = 1};
    world->config.users = false;
    script_invite(alice, 0, "alice", "bob");
    script_expect(alice, 100);
    got = script_expect_request(bob, "INVITE");
    script_dialog_callee(&bobs, bob, got);
    script_answer(bob, got, 200, NULL, NULL);
    script_dialog_caller(&alices, alice, script_expect(alice, 200));
    world->config.users = true;
    strcpy(alices.target, "sip:bob@desk.example.net");
    script_dialog_send(&alices, "ACK", NULL, NULL);
    script_expect_request(bob, "ACK");
    info_passes(&alices, bob);
    info_passes(&bobs, alice);
    end();
}

static void token_is_nothing_outside_its_call(void)
{
    ScriptDialog carols;
    ScriptDialog bobs;

    begin(1, NULL);
    carol_calls(&carols, &bobs, NULL);
    script_request(stranger, 0,
                   &(ScriptRequest){.method = "MESSAGE",
                                    .uri = "sip:x@192.0.2.99",
                                    .from = "<sip:carol@example.com>;tag=c",
                                    .to = "<sip:x@192.0.2.99>",
                                    .call_id = "call", /* but no To tag */
                                    .headers = carols.route});
    script_expect(stranger, 403);
    tries(0, "INFO", "sip:bob@192.0.2.2", "<sip:carol@example.com>;tag=c", "another", carols.route);
    end();
}

/* Alice, of the domain, calls carol, who is outside. */
static void dialog_with_somebody_outside(void)
{
    const SipReceived *got;
    ScriptDialog alices;
    ScriptDialog carols;

    begin(1, NULL);
    SipPhone *alice = sip_phone(world, "192.0.2.1", 5060);
    SipPhone *elsewhere = sip_phone(world, "192.0.2.7", 5060);

    world->config.users = false;
    script_request(alice, 0,
                   &(ScriptRequest){.method = "INVITE",
                                    .uri = "sip:carol@192.0.2.66",
                                    .from = "<sip:alice@example.org>;tag=a",
                                    .to = "<sip:carol@192.0.2.66>",
                                    .call_id = "call"});
    script_expect(alice, 100);
    got = script_expect_request(stranger, "INVITE");
    script_dialog_callee(&carols, stranger, got);
    script_answer(stranger, got, 200, NULL, NULL);
    script_dialog_caller(&alices, alice, script_expect(alice, 200));
    world->config.users = true;
    script_dialog_send(&alices, "ACK", NULL, NULL);
    script_expect_request(stranger, "ACK");
    info_passes(&alices, stranger);
    info_passes(&carols, alice);
    tries_all(carols.route, 1, "<sip:carol@example.com>;tag=c");
    tries_all(carols.route, 1, "<sip:alice@example.org>;tag=c");
    alices.phone = elsewhere; /* she has moved, or it is somebody else */
    script_dialog_send(&alices, "INFO", NULL, NULL);
    script_expect(elsewhere, 407);
    end();
}

static void ack_or_cancel_from_nowhere_goes_nowhere(void)
{
    begin(1, NULL);
    tries(0, "ACK", "sip:x@192.0.2.99", "<sip:bob@example.org>;tag=c", "none", NULL);
    tries(0, "CANCEL", "sip:x@192.0.2.99", "<sip:bob@example.org>;tag=c", "none", NULL);
    end();
}

/* What another adapter was given is for this adapter's bindings only. */
static void adapters_token_leads_no_further(void)
{
    const PealId node = {{1, 2, 3}};
    char token[TOKEN_TEXT_MAX];
    SipText text = sip_text_make(token, sizeof(token));
    char routes[512];

    begin(1, NULL);
    token_put_peer(sip_world_peer(world, 0), &text, &node);
    snprintf(routes, sizeof(routes),
             "Route: <sip:%.*s@10.1.0.0;lr>\r\nRoute: <sip:192.0.2.99;lr>\r\n", (int)text.len,
             token);
    tries(0, "INVITE", "sip:bob@example.org", "<sip:carol@example.com>;tag=c", "x", routes);
    *strstr(routes, "Route: <sip:192.0.2.99") = '\0';
    tries(0, "INVITE", "sip:x@192.0.2.99", "<sip:carol@example.com>;tag=c", "x", routes);
    end();
}

PEAL_TEST_MAIN("core/proxy_trust", PEAL_TEST(stranger_reaches_his_phone_and_nobody_else),
               PEAL_TEST(stranger_behind_a_proxy_stays_in_the_dialog),
               PEAL_TEST(dialog_with_a_phone_that_only_has_a_name),
               PEAL_TEST(user_calls_a_phone_that_only_has_a_name),
               PEAL_TEST(token_is_nothing_outside_its_call),
               PEAL_TEST(dialog_with_somebody_outside),
               PEAL_TEST(ack_or_cancel_from_nowhere_goes_nowhere),
               PEAL_TEST(adapters_token_leads_no_further))
