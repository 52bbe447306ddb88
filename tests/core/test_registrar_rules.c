/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_registrar_rules.c - REGISTER by REGISTER (RFC 3261 s.10.3): what is added, refreshed,
 * removed and refused. Rows are those of a registrar that counts as real. */
#include "core/fake_sip.h"
#include "peal_test.h"

/* Adding, refreshing, querying. */

static void row_1_register_adds_refreshes_and_queries(void)
{
    FakeSip *fake = fake_sip_new();
    const PealId alice = fake_resource(FAKE_ALICE);

    CU_ASSERT_EQUAL(fake_register(fake, ""), 200);
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 0);
    CU_ASSERT_EQUAL(fake->stores_len, 0); /* a query stores nothing */
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A "\r\nExpires: 100\r\n"), 200);
    CU_ASSERT(fake_has_line(fake, FAKE_A ";expires=100"));
    CU_ASSERT_EQUAL_FATAL(fake->stores_len, 1);
    CU_ASSERT(peal_id_equal(&fake_last_store(fake)->resource, &alice));
    CU_ASSERT_EQUAL(fake_last_store(fake)->expires_s, 100);
    fake_sip_run(fake, peal_seconds(40));
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_B ";expires=200;q=0.5\r\n"), 200);
    CU_ASSERT(fake_has_line(fake, FAKE_A ";expires=60"));
    CU_ASSERT(fake_has_line(fake, FAKE_B ";q=0.5;expires=200"));
    CU_ASSERT_EQUAL(fake_last_store(fake)->expires_s, 200); /* the longest of both */
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A "\r\nExpires: 90\r\n"), 200);
    CU_ASSERT(fake_has_line(fake, FAKE_A ";expires=90"));
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 2);
    CU_ASSERT_EQUAL(fake->stores_len, 3);
    CU_ASSERT_EQUAL(fake_register(fake, ""), 200);
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 2);
    CU_ASSERT_EQUAL(fake->stores_len, 3);
    CU_ASSERT(fake->sip.registrar.aors == 1 && fake->sip.registrar.bindings == 2);
    fake_sip_free(fake);
}

static void row_1_contacts_are_listed_as_they_came(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake,
                                  "m: \"A, <b> \\\"c\" <sip:al%69ce@192.0.2.1:5070;line=x?h=1> "
                                  "; Expires = 70 ;x=\"1;2\";methods=\"INVITE,BYE\"\r\n"),
                    200);
    CU_ASSERT(fake_has_line(fake,
                            "Contact: \"A, <b> \\\"c\" <sip:al%69ce@192.0.2.1:5070;line=x?h=1> "
                            ";x=\"1;2\";methods=\"INVITE,BYE\";expires=70"));
    CU_ASSERT_EQUAL(fake_register(fake, "Contact: sip:bare@192.0.2.1;expires=80, "
                                        "<tel:+15551234>;expires=81\r\nContact: "
                                        "<mailto:a@example.org>;expires=82\r\n"),
                    200);
    CU_ASSERT(fake_has_line(fake, "Contact: sip:bare@192.0.2.1;expires=80"));
    CU_ASSERT(fake_has_line(fake, "Contact: <tel:+15551234>;expires=81"));
    CU_ASSERT(fake_has_line(fake, "Contact: <mailto:a@example.org>;expires=82"));
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 4);
    fake_sip_free(fake);
}

static void row_1_equal_uris_are_one_binding(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake, "Contact: <sip:alice@Host.EXAMPLE.org:5070>\r\n"), 200);
    CU_ASSERT_EQUAL(fake_register(fake, "Contact: <sip:%61lice@host.example.ORG:5070>\r\n"), 200);
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 1);
    CU_ASSERT(fake_has_line(fake, "Contact: <sip:%61lice@host.example.ORG:5070>;expires=3600"));
    CU_ASSERT_EQUAL(fake_register(fake, "Contact: <sip:Alice@host.example.org:5070>\r\n"), 200);
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 2); /* a user's case counts */
    fake_sip_free(fake);
}

static void row_1_aors_are_keyed_by_resource_id(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A "\r\n"), 200);
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.to = "<sips:al%69ce@EXAMPLE.org:5061;x=y>"}),
                    200);
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 1);
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.to = "<sip:Alice@example.org>"}), 200);
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 0);
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.to = "<sip:alice%00@example.org>"}), 200);
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 0);
    fake_sip_free(fake);
}

static void row_1_answers_to_addresses_that_are_none_here(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.to = "<sip:alice@elsewhere.org>"}), 404);
    /* valid somewhere, but not in the domain that was asked */
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.to = "<sip:alice@example.net>"}), 404);
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.to = "<sip:alice@example.net>",
                                                    .uri = "sip:EXAMPLE.net"}),
                    200);
    /* asked by address, not by domain */
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.uri = "sip:192.0.2.99"}), 200);
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.uri = "sip:example.org.",
                                                    .to = "<sip:alice@Example.org.>"}),
                    200); /* fully qualified */
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.to = "<sip:example.org>"}), 404);
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.to = "<tel:+15551234>"}), 404);
    CU_ASSERT_EQUAL(fake->sip.registrar.aors, 0);
    fake_sip_free(fake);
}

static void row_1_expires_comes_from_contact_then_header_then_default(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A ";expires=500, <sip:b@h>\r\nExpires: 300\r\n"), 200);
    CU_ASSERT(fake_has_line(fake, FAKE_A ";expires=500"));
    CU_ASSERT(fake_has_line(fake, "Contact: <sip:b@h>;expires=300"));
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A "\r\n"), 200);
    CU_ASSERT(fake_has_line(fake, FAKE_A ";expires=3600"));
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A ";expires=99999999999999999999\r\n"), 200);
    CU_ASSERT(fake_has_line(fake, FAKE_A ";expires=86400")); /* the longest there is */
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A ";expires=soon\r\n"), 200);
    CU_ASSERT(fake_has_line(fake, FAKE_A ";expires=3600")); /* 20.10 */
    fake_sip_free(fake);
}

/* Removing. */

static void row_2_expires_zero_removes_one(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A "\r\n"), 200);
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_B "\r\nExpires: 100\r\n"), 200);
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A ";expires=0\r\n"), 200);
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 1);
    CU_ASSERT(fake_has_line(fake, FAKE_B ";expires=100"));
    CU_ASSERT_EQUAL(fake_last_store(fake)->expires_s, 100);
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_B "\r\nExpires: 0\r\n"), 200);
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 0);
    CU_ASSERT_EQUAL(fake_last_store(fake)->expires_s, 0); /* removed from the overlay */
    CU_ASSERT_EQUAL(fake->stores_len, 4);
    CU_ASSERT_EQUAL(fake->sip.registrar.aors, 0);
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_B "\r\nExpires: 0\r\n"), 200);
    CU_ASSERT_EQUAL(fake->stores_len, 4); /* there was nothing */
    CU_ASSERT_EQUAL(fake->sip.registrar.aors, 0);
    fake_sip_free(fake);
}

static void row_2_star_only_with_expires_zero(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A "\r\n" FAKE_B "\r\n"), 200);
    CU_ASSERT_EQUAL(fake_register(fake, "Contact: *\r\n"), 400);
    CU_ASSERT_EQUAL(fake_register(fake, "Contact: *\r\nExpires: 10\r\n"), 400);
    CU_ASSERT_EQUAL(fake_register(fake, "Contact: *, <sip:a@b>\r\nExpires: 0\r\n"), 400);
    CU_ASSERT_EQUAL(fake_register(fake, "Contact: <sip:a@b>, *\r\nExpires: 0\r\n"), 400);
    CU_ASSERT_EQUAL(fake_targets_len(fake), 2);
    CU_ASSERT_EQUAL(fake_register(fake, "Contact: *\r\nExpires: 0\r\n"), 200);
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 0);
    CU_ASSERT_EQUAL(fake_last_store(fake)->expires_s, 0);
    CU_ASSERT_EQUAL(fake_targets_len(fake), 0);
    CU_ASSERT_EQUAL(fake_register(fake, "Contact: *\r\nExpires: 0\r\n"), 200);
    fake_sip_free(fake);
}

static void row_2_star_out_of_order_removes_nothing(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.cseq = 5, .headers = FAKE_A "\r\n"}), 200);
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.cseq = 5,
                                                    .headers = "Contact: *\r\nExpires: 0\r\n"}),
                    500);
    CU_ASSERT_EQUAL(fake_targets_len(fake), 1);
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.cseq = 1,
                                                    .call_id = "another",
                                                    .headers = "Contact: *\r\nExpires: 0\r\n"}),
                    200);
    CU_ASSERT_EQUAL(fake_targets_len(fake), 0);
    fake_sip_free(fake);
}

/* Refusals. */

static void row_3_only_what_is_under_an_hour_is_too_brief(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A ";expires=59\r\n"), 423);
    CU_ASSERT(fake_has_line(fake, "Min-Expires: 60"));
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A ";expires=60\r\n"), 200);
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A ";expires=0\r\n"), 200);
    fake->config.min_expires_s = 7200;
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A ";expires=3599\r\n"), 423);
    CU_ASSERT(fake_has_line(fake, "Min-Expires: 7200"));
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A ";expires=3600\r\n"), 200);
    CU_ASSERT(fake_has_line(fake, FAKE_A ";expires=3600"));
    fake_sip_free(fake);
}

static void row_3_lower_or_equal_cseq_of_the_same_call_is_refused(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.cseq = 7, .headers = FAKE_A "\r\n"}), 200);
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.cseq = 7, .headers = FAKE_A ";expires=0\r\n"}),
                    500);
    CU_ASSERT_EQUAL(fake_send(fake,
                              &(FakeRegister){.cseq = 6, .headers = FAKE_A ";expires=99\r\n"}),
                    500);
    CU_ASSERT_EQUAL(fake_send(fake,
                              &(FakeRegister){.cseq = 7, .headers = FAKE_B ";expires=99\r\n"}),
                    200); /* of another binding there is no other number */
    CU_ASSERT(fake_has_line(fake, FAKE_A ";expires=3600"));
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.cseq = 1,
                                                    .call_id = "another",
                                                    .headers = FAKE_A ";expires=100\r\n"}),
                    200);
    CU_ASSERT(fake_has_line(fake, FAKE_A ";expires=100"));
    fake_sip_free(fake);
}

static void one_bad_contact_leaves_all_as_it_was(void)
{
    static const char *const bad[] = {
        FAKE_B ", <sip:c@h>;expires=1\r\n",
        FAKE_A ";expires=0, "
               "<sip:c@h\r\n",
        FAKE_B ", <sip:c@h>;q=1.5\r\n",
        FAKE_B ", <sip:c@h>;q=0.1234\r\n",
        FAKE_B ", <sip:>\r\n",
        FAKE_B ", <sip:alice@192.0.2.2:5070>\r\n",
        FAKE_B ", "
               "<sip:c@h>;reg-id=0;+sip.instance=\"<urn:uuid:1>\"\r\n",
    };
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A "\r\n"), 200);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        unsigned status = fake_register(fake, bad[i]);

        CU_ASSERT(status == 400 || status == 423);
    }
    CU_ASSERT_EQUAL(fake->stores_len, 1);
    CU_ASSERT_EQUAL(fake_register(fake, ""), 200);
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 1);
    CU_ASSERT(fake_has_line(fake, FAKE_A ";expires=3600"));
    fake_sip_free(fake);
}

static void limits_are_refused_with_a_reason(void)
{
    FakeSip *fake = fake_sip_new();
    char many[2101];
    char long_one[4096];

    fake->config.contacts_max = 2;
    fake->config.aors_max = 2;
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A "\r\n" FAKE_B "\r\n"), 200);
    CU_ASSERT_EQUAL(fake_register(fake, "Contact: <sip:c@h>\r\n"), 403);
    CU_ASSERT_EQUAL(fake_lines(fake, "SIP/2.0 403 Too Many Contacts"), 1);
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A "\r\n"), 200); /* a refresh is none more */
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A ";expires=0, <sip:c@h>\r\n"), 200);
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.to = "<sip:b@example.org>",
                                                    .headers = FAKE_A "\r\n"}),
                    200);
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.to = "<sip:c@example.org>",
                                                    .headers = FAKE_A "\r\n"}),
                    503);
    CU_ASSERT_EQUAL(fake_lines(fake, "SIP/2.0 503 Too Many Registrations Here"), 1);
    CU_ASSERT_EQUAL(fake_lines(fake, "Retry-After:"), 1);
    CU_ASSERT_EQUAL(fake->sip.registrar.aors, 2);
    memset(many, 'x', sizeof(many));
    many[sizeof(many) - 1] = '\0';
    snprintf(long_one, sizeof(long_one), "Contact: <sip:%s@h>\r\n", many);
    CU_ASSERT_EQUAL(fake_register(fake, long_one), 400);
    fake_sip_free(fake);
}

static void memory_that_is_not_there_is_503_and_changes_nothing(void)
{
    FakeSip *fake = fake_sip_new();
    unsigned status = 0;

    for (size_t room = 1; room < 8000 && status != 200; room += 40) {
        fake->env.bytes_limit = room;
        status = fake_register(fake, FAKE_A "\r\n" FAKE_B "\r\n");
        CU_ASSERT(status == 503 || status == 200);
        if (status == 503) {
            CU_ASSERT_EQUAL(fake->sip.registrar.aors, 0);
            CU_ASSERT_EQUAL(fake->env.bytes, 0);
        }
    }
    CU_ASSERT_EQUAL(status, 200);
    fake_sip_free(fake);
}

static void row_28_unknown_require_is_420(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake,
                                  FAKE_A "\r\nRequire: path, foo\r\nRequire: bar,outbound\r\n"),
                    420);
    CU_ASSERT(fake_has_line(fake, "Unsupported: foo"));
    CU_ASSERT(fake_has_line(fake, "Unsupported: bar"));
    CU_ASSERT_EQUAL(fake_lines(fake, "Unsupported:"), 2);
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A "\r\nRequire: path, outbound\r\n"), 200);
    fake_sip_free(fake);
}

/* Whatever a phone says, it is answered once, and nothing stays behind that should not. */
static void mutated_registers_are_answered(void)
{
    static const char origin[] =
        "REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/UDP "
        "192.0.2.1:5070;branch=z9hG4bK1;rport\r\n"
        "Via: SIP/2.0/TCP 192.0.2.2;branch=z9hG4bK2\r\nMax-Forwards: 70\r\nFrom: "
        "<sip:who@h>;tag=1\r\n"
        "To: \"A\" <sip:alice@example.org>;x=1\r\nCall-ID: call-1\r\nCSeq: 5 REGISTER\r\n"
        "Contact: \"A, \\\" B\" <sip:alice@192.0.2.1:5070;ob>;q=0.5;reg-id=1;expires=100"
        ";+sip.instance=\"<urn:uuid:1>\" , <tel:+1>;expires=0\r\n"
        "Contact: sip:b@h;expires=200\r\nExpires: 300\r\nPath: <sip:t@h;lr;ob>, <sip:p@h;lr>\r\n"
        "Supported: path,outbound\r\nRequire: path\r\nContent-Length: 0\r\n\r\n";
    static const char pieces[] = "\"<>;,=*\\ \t%09:@.-?\r\n\0";
    FakeSip *fake = fake_sip_new();
    const PealHop hop = fake_hop(1, 5070);
    size_t served = 0;

    for (uint64_t i = 0; i < 30000; i++) {
        uint64_t draw = peal_random_at(5, 1, i);
        unsigned changes = 1 + (unsigned)(draw % 4);
        char *text = malloc(sizeof(origin) - 1); /* so that reading past it shows */
        const char *why;
        SipMessage message;

        memcpy(text, origin, sizeof(origin) - 1);
        for (unsigned n = 0; n < changes; n++) {
            draw = peal_random_at(5, 2 + n, i);
            text[draw % (sizeof(origin) - 1)] = pieces[(draw >> 32) % sizeof(pieces)];
        }
        if (sip_message_scan((PealStr){text, sizeof(origin) - 1}, true, &message) == 0 &&
            sip_message_check(&message, &why) == 0 && message.code == SIP_REGISTER) {
            registrar_on_register(&fake->peer, 1 + i, &message, &hop);
            while (fake_storing(fake) > 0) {
                fake_stored(fake, 0);
            }
            fake->stores_len = 0;
            CU_ASSERT_EQUAL(fake->answers, ++served);
            CU_ASSERT(fake->status >= 200 && fake->status < 600);
        }
        free(text);
        if (i % 100 == 0) {
            fake_sip_run(fake, peal_seconds(150));
        }
    }
    CU_ASSERT(served > 5000);
    fake_sip_run(fake, peal_seconds(100000));
    CU_ASSERT_EQUAL(fake->sip.registrar.aors, 0);
    CU_ASSERT_EQUAL(fake->env.bytes, 0);
    fake_sip_free(fake);
}

/* The configuration. */

static void config_ranges_are_checked(void)
{
    PealSipConfig config;
    const PealStr domains[] = {{"example.org", 11}};
    const char *field = NULL;

    peal_sip_defaults(&config);
    CU_ASSERT_EQUAL(peal_sip_check(&config, &field), -PEAL_E_ARG);
    CU_ASSERT_STRING_EQUAL(field, "domains_len");
    config.domains = domains;
    config.domains_len = 1;
    CU_ASSERT_EQUAL(peal_sip_check(&config, &field), 0);
    config.default_expires_s = config.max_expires_s + 1;
    CU_ASSERT_EQUAL(peal_sip_check(&config, &field), -PEAL_E_ARG);
    CU_ASSERT_STRING_EQUAL(field, "default_expires_s");
    config.default_expires_s = 3600;
    config.algorithms[1] = config.algorithms[0];
    CU_ASSERT_EQUAL(peal_sip_check(&config, &field), -PEAL_E_ARG);
    CU_ASSERT_STRING_EQUAL(field, "algorithms");
    config.algorithms_len = 1;
    CU_ASSERT_EQUAL(peal_sip_check(&config, &field), 0);
    config.targets_max = 33;
    CU_ASSERT_EQUAL(peal_sip_check(&config, &field), -PEAL_E_ARG);
    CU_ASSERT_STRING_EQUAL(field, "targets_max");
}

PEAL_TEST_MAIN("core/registrar_rules", PEAL_TEST(row_1_register_adds_refreshes_and_queries),
               PEAL_TEST(row_1_contacts_are_listed_as_they_came),
               PEAL_TEST(row_1_equal_uris_are_one_binding),
               PEAL_TEST(row_1_aors_are_keyed_by_resource_id),
               PEAL_TEST(row_1_answers_to_addresses_that_are_none_here),
               PEAL_TEST(row_1_expires_comes_from_contact_then_header_then_default),
               PEAL_TEST(row_2_expires_zero_removes_one),
               PEAL_TEST(row_2_star_only_with_expires_zero),
               PEAL_TEST(row_2_star_out_of_order_removes_nothing),
               PEAL_TEST(row_3_only_what_is_under_an_hour_is_too_brief),
               PEAL_TEST(row_3_lower_or_equal_cseq_of_the_same_call_is_refused),
               PEAL_TEST(one_bad_contact_leaves_all_as_it_was),
               PEAL_TEST(limits_are_refused_with_a_reason),
               PEAL_TEST(memory_that_is_not_there_is_503_and_changes_nothing),
               PEAL_TEST(row_28_unknown_require_is_420), PEAL_TEST(mutated_registers_are_answered),
               PEAL_TEST(config_ranges_are_checked))
