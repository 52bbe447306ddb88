/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_registrar.c - REGISTER by REGISTER (RFC 3261 s.10.3, RFC 3327, RFC 5626), Stores that fail,
 * time, and a restart. Rows are those of a registrar that counts as real. */
#include "core/fake_sip.h"
#include "peal_test.h"

#define A "Contact: <sip:alice@192.0.2.1:5070>"
#define B "Contact: <sip:alice@192.0.2.2:5070>"

static const char *const ALICE = "sip:alice@example.org";

static size_t targets(FakeSip *fake, RegistrarTarget *ret_targets, size_t max)
{
    const PealId resource = fake_resource(ALICE);

    return registrar_targets(&fake->peer, &resource, ret_targets, max);
}

static size_t targets_len(FakeSip *fake)
{
    RegistrarTarget list[32];

    return targets(fake, list, 32);
}

static bool is(PealStr text, const char *z)
{
    return sip_equal(text, sip_str(z));
}

static const FakeStore *last_store(const FakeSip *fake)
{
    CU_ASSERT_FATAL(fake->stores_len > 0);
    return &fake->stores[fake->stores_len - 1];
}

/* Adding, refreshing, querying. */

static void row_1_register_adds_refreshes_and_queries(void)
{
    FakeSip *fake = fake_sip_new();
    const PealId alice = fake_resource(ALICE);

    CU_ASSERT_EQUAL(fake_register(fake, ""), 200);
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 0);
    CU_ASSERT_EQUAL(fake->stores_len, 0); /* a query stores nothing */
    CU_ASSERT_EQUAL(fake_register(fake, A "\r\nExpires: 100\r\n"), 200);
    CU_ASSERT(fake_has_line(fake, A ";expires=100"));
    CU_ASSERT_EQUAL_FATAL(fake->stores_len, 1);
    CU_ASSERT(peal_id_equal(&last_store(fake)->resource, &alice));
    CU_ASSERT_EQUAL(last_store(fake)->expires_s, 100);
    fake_sip_run(fake, peal_seconds(40));
    CU_ASSERT_EQUAL(fake_register(fake, B ";expires=200;q=0.5\r\n"), 200);
    CU_ASSERT(fake_has_line(fake, A ";expires=60"));
    CU_ASSERT(fake_has_line(fake, B ";q=0.5;expires=200"));
    CU_ASSERT_EQUAL(last_store(fake)->expires_s, 200); /* the longest of both */
    CU_ASSERT_EQUAL(fake_register(fake, A "\r\nExpires: 90\r\n"), 200);
    CU_ASSERT(fake_has_line(fake, A ";expires=90"));
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

    CU_ASSERT_EQUAL(fake_register(fake, A "\r\n"), 200);
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

    CU_ASSERT_EQUAL(fake_register(fake, A ";expires=500, <sip:b@h>\r\nExpires: 300\r\n"), 200);
    CU_ASSERT(fake_has_line(fake, A ";expires=500"));
    CU_ASSERT(fake_has_line(fake, "Contact: <sip:b@h>;expires=300"));
    CU_ASSERT_EQUAL(fake_register(fake, A "\r\n"), 200);
    CU_ASSERT(fake_has_line(fake, A ";expires=3600"));
    CU_ASSERT_EQUAL(fake_register(fake, A ";expires=99999999999999999999\r\n"), 200);
    CU_ASSERT(fake_has_line(fake, A ";expires=86400")); /* the longest there is */
    CU_ASSERT_EQUAL(fake_register(fake, A ";expires=soon\r\n"), 200);
    CU_ASSERT(fake_has_line(fake, A ";expires=3600")); /* 20.10 */
    fake_sip_free(fake);
}

/* Removing. */

static void row_2_expires_zero_removes_one(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake, A "\r\n"), 200);
    CU_ASSERT_EQUAL(fake_register(fake, B "\r\nExpires: 100\r\n"), 200);
    CU_ASSERT_EQUAL(fake_register(fake, A ";expires=0\r\n"), 200);
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 1);
    CU_ASSERT(fake_has_line(fake, B ";expires=100"));
    CU_ASSERT_EQUAL(last_store(fake)->expires_s, 100);
    CU_ASSERT_EQUAL(fake_register(fake, B "\r\nExpires: 0\r\n"), 200);
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 0);
    CU_ASSERT_EQUAL(last_store(fake)->expires_s, 0); /* removed from the overlay */
    CU_ASSERT_EQUAL(fake->stores_len, 4);
    CU_ASSERT_EQUAL(fake->sip.registrar.aors, 0);
    CU_ASSERT_EQUAL(fake_register(fake, B "\r\nExpires: 0\r\n"), 200);
    CU_ASSERT_EQUAL(fake->stores_len, 4); /* there was nothing */
    CU_ASSERT_EQUAL(fake->sip.registrar.aors, 0);
    fake_sip_free(fake);
}

static void row_2_star_only_with_expires_zero(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake, A "\r\n" B "\r\n"), 200);
    CU_ASSERT_EQUAL(fake_register(fake, "Contact: *\r\n"), 400);
    CU_ASSERT_EQUAL(fake_register(fake, "Contact: *\r\nExpires: 10\r\n"), 400);
    CU_ASSERT_EQUAL(fake_register(fake, "Contact: *, <sip:a@b>\r\nExpires: 0\r\n"), 400);
    CU_ASSERT_EQUAL(fake_register(fake, "Contact: <sip:a@b>, *\r\nExpires: 0\r\n"), 400);
    CU_ASSERT_EQUAL(targets_len(fake), 2);
    CU_ASSERT_EQUAL(fake_register(fake, "Contact: *\r\nExpires: 0\r\n"), 200);
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 0);
    CU_ASSERT_EQUAL(last_store(fake)->expires_s, 0);
    CU_ASSERT_EQUAL(targets_len(fake), 0);
    CU_ASSERT_EQUAL(fake_register(fake, "Contact: *\r\nExpires: 0\r\n"), 200);
    fake_sip_free(fake);
}

static void row_2_star_out_of_order_removes_nothing(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.cseq = 5, .headers = A "\r\n"}), 200);
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.cseq = 5,
                                                    .headers = "Contact: *\r\nExpires: 0\r\n"}),
                    500);
    CU_ASSERT_EQUAL(targets_len(fake), 1);
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.cseq = 1,
                                                    .call_id = "another",
                                                    .headers = "Contact: *\r\nExpires: 0\r\n"}),
                    200);
    CU_ASSERT_EQUAL(targets_len(fake), 0);
    fake_sip_free(fake);
}

/* Refusals. */

static void row_3_only_what_is_under_an_hour_is_too_brief(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake, A ";expires=59\r\n"), 423);
    CU_ASSERT(fake_has_line(fake, "Min-Expires: 60"));
    CU_ASSERT_EQUAL(fake_register(fake, A ";expires=60\r\n"), 200);
    CU_ASSERT_EQUAL(fake_register(fake, A ";expires=0\r\n"), 200);
    fake->config.min_expires_s = 7200;
    CU_ASSERT_EQUAL(fake_register(fake, A ";expires=3599\r\n"), 423);
    CU_ASSERT(fake_has_line(fake, "Min-Expires: 7200"));
    CU_ASSERT_EQUAL(fake_register(fake, A ";expires=3600\r\n"), 200);
    CU_ASSERT(fake_has_line(fake, A ";expires=3600"));
    fake_sip_free(fake);
}

static void row_3_lower_or_equal_cseq_of_the_same_call_is_refused(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.cseq = 7, .headers = A "\r\n"}), 200);
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.cseq = 7, .headers = A ";expires=0\r\n"}),
                    500);
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.cseq = 6, .headers = A ";expires=99\r\n"}),
                    500);
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.cseq = 7, .headers = B ";expires=99\r\n"}),
                    200); /* of another binding there is no other number */
    CU_ASSERT(fake_has_line(fake, A ";expires=3600"));
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.cseq = 1,
                                                    .call_id = "another",
                                                    .headers = A ";expires=100\r\n"}),
                    200);
    CU_ASSERT(fake_has_line(fake, A ";expires=100"));
    fake_sip_free(fake);
}

static void one_bad_contact_leaves_all_as_it_was(void)
{
    static const char *const bad[] = {
        B ", <sip:c@h>;expires=1\r\n",
        A ";expires=0, "
          "<sip:c@h\r\n",
        B ", <sip:c@h>;q=1.5\r\n",
        B ", <sip:c@h>;q=0.1234\r\n",
        B ", <sip:>\r\n",
        B ", <sip:alice@192.0.2.2:5070>\r\n",
        B ", "
          "<sip:c@h>;reg-id=0;+sip.instance=\"<urn:uuid:1>\"\r\n",
    };
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake, A "\r\n"), 200);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        unsigned status = fake_register(fake, bad[i]);

        CU_ASSERT(status == 400 || status == 423);
    }
    CU_ASSERT_EQUAL(fake->stores_len, 1);
    CU_ASSERT_EQUAL(fake_register(fake, ""), 200);
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 1);
    CU_ASSERT(fake_has_line(fake, A ";expires=3600"));
    fake_sip_free(fake);
}

static void limits_are_refused_with_a_reason(void)
{
    FakeSip *fake = fake_sip_new();
    char many[2101];
    char long_one[4096];

    fake->config.contacts_max = 2;
    fake->config.aors_max = 2;
    CU_ASSERT_EQUAL(fake_register(fake, A "\r\n" B "\r\n"), 200);
    CU_ASSERT_EQUAL(fake_register(fake, "Contact: <sip:c@h>\r\n"), 403);
    CU_ASSERT_EQUAL(fake_lines(fake, "SIP/2.0 403 Too Many Contacts"), 1);
    CU_ASSERT_EQUAL(fake_register(fake, A "\r\n"), 200); /* a refresh is none more */
    CU_ASSERT_EQUAL(fake_register(fake, A ";expires=0, <sip:c@h>\r\n"), 200);
    CU_ASSERT_EQUAL(fake_send(fake,
                              &(FakeRegister){.to = "<sip:b@example.org>", .headers = A "\r\n"}),
                    200);
    CU_ASSERT_EQUAL(fake_send(fake,
                              &(FakeRegister){.to = "<sip:c@example.org>", .headers = A "\r\n"}),
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
        status = fake_register(fake, A "\r\n" B "\r\n");
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

    CU_ASSERT_EQUAL(fake_register(fake, A "\r\nRequire: path, foo\r\nRequire: bar,outbound\r\n"),
                    420);
    CU_ASSERT(fake_has_line(fake, "Unsupported: foo"));
    CU_ASSERT(fake_has_line(fake, "Unsupported: bar"));
    CU_ASSERT_EQUAL(fake_lines(fake, "Unsupported:"), 2);
    CU_ASSERT_EQUAL(fake_register(fake, A "\r\nRequire: path, outbound\r\n"), 200);
    fake_sip_free(fake);
}

/* Time. */

static void row_4_bindings_expire(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake, A ";expires=100\r\n" B ";expires=200\r\n"), 200);
    fake_sip_run(fake, peal_ms(99999));
    CU_ASSERT_EQUAL(targets_len(fake), 2);
    fake_sip_run(fake, peal_ms(1));
    CU_ASSERT_EQUAL(targets_len(fake), 1);
    CU_ASSERT_EQUAL(fake->sip.registrar.bindings, 1);
    CU_ASSERT_EQUAL(fake->stores_len, 1); /* the overlay's ends with the longest */
    CU_ASSERT_EQUAL(fake_register(fake, B ";expires=150\r\n"), 200);
    CU_ASSERT_EQUAL(last_store(fake)->expires_s, 150);
    fake_sip_run(fake, peal_seconds(149));
    CU_ASSERT_EQUAL(targets_len(fake), 1);
    fake_sip_run(fake, peal_seconds(1));
    CU_ASSERT_EQUAL(targets_len(fake), 0);
    CU_ASSERT_EQUAL(fake->sip.registrar.aors, 0);
    CU_ASSERT_EQUAL(fake->stores_len, 2); /* it has ended by itself */
    fake_sip_run(fake, peal_seconds(3));
    CU_ASSERT_EQUAL(fake->env.bytes, 0);
    fake_sip_free(fake);
}

static void many_aors_expire_in_any_order(void)
{
    FakeSip *fake = fake_sip_new();
    uint32_t left = 0;

    for (unsigned i = 0; i < 400; i++) {
        char to[64];
        char headers[128];

        snprintf(to, sizeof(to), "<sip:u%u@example.org>", i);
        snprintf(headers, sizeof(headers), A ";expires=%u\r\n", 60 + (i * 37) % 400);
        CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.to = to, .headers = headers}), 200);
        fake->stores_len = 0;
    }
    for (unsigned i = 0; i < 400; i += 3) {
        char to[64];

        snprintf(to, sizeof(to), "<sip:u%u@example.org>", i);
        CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.to = to,
                                                        .headers = "Contact: *\r\nExpires: 0\r\n"}),
                        200);
        fake->stores_len = 0;
    }
    for (unsigned s = 60; s < 470; s += 10) {
        fake_sip_run(fake, (PealSpan){(int64_t)s * PEAL_NS_PER_S - fake->now.ns});
        left = 0;
        for (unsigned i = 0; i < 400; i++) {
            left += i % 3 != 0 && 60 + (i * 37) % 400 > s;
        }
        CU_ASSERT_EQUAL(fake->sip.registrar.aors, left);
        CU_ASSERT_EQUAL(fake->sip.registrar.bindings, left);
    }
    CU_ASSERT_EQUAL(left, 0);
    fake_sip_free(fake);
}

/* Stores. */

static void answer_waits_for_the_store(void)
{
    FakeSip *fake = fake_sip_new();

    fake->holds = true;
    CU_ASSERT_EQUAL(fake_register(fake, A "\r\n"), 0);
    CU_ASSERT_EQUAL(targets_len(fake), 0); /* not yet to be seen */
    fake_sip_run(fake, peal_seconds(2));
    fake_stored(fake, 0);
    CU_ASSERT_EQUAL(fake->status, 200);
    CU_ASSERT(fake_has_line(fake, A ";expires=3598"));
    CU_ASSERT_EQUAL(targets_len(fake), 1);
    fake_sip_free(fake);
}

static void failed_store_is_503_and_restores(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake, A ";expires=100\r\n"), 200);
    fake->holds = true;
    CU_ASSERT_EQUAL(fake_register(fake, A ";expires=500,"
                                          "<sip:b@h>\r\n"),
                    0);
    fake_stored(fake, -PEAL_E_TIMEOUT);
    CU_ASSERT_EQUAL(fake->status, 503);
    CU_ASSERT_EQUAL(fake_lines(fake, "Retry-After:"), 1);
    fake->holds = false;
    CU_ASSERT_EQUAL(fake_register(fake, ""), 200);
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 1);
    CU_ASSERT(fake_has_line(fake, A ";expires=100"));
    fake_sip_free(fake);
}

static void failed_store_of_a_new_aor_is_taken_back(void)
{
    FakeSip *fake = fake_sip_new();

    fake->holds = true;
    CU_ASSERT_EQUAL(fake_register(fake, A "\r\n"), 0);
    fake_stored(fake, -PEAL_E_TIMEOUT);
    CU_ASSERT_EQUAL(fake->status, 503);
    CU_ASSERT_EQUAL(fake->sip.registrar.aors, 0);
    /* It may have been stored nevertheless, or will be: location tries again. */
    CU_ASSERT_EQUAL_FATAL(fake->stores_len, 2);
    CU_ASSERT_EQUAL(last_store(fake)->expires_s, 0);
    fake_stored(fake, 0);
    fake_sip_free(fake);
}

static void failed_removal_keeps_the_phone_and_stores_it_again(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake, A "\r\n"), 200);
    fake->holds = true;
    CU_ASSERT_EQUAL(fake_register(fake, A ";expires=0\r\n"), 0);
    fake_stored(fake, -PEAL_E_TIMEOUT);
    CU_ASSERT_EQUAL(fake->status, 503);
    CU_ASSERT_EQUAL(targets_len(fake), 1);
    fake->holds = false;
    fake_sip_run(fake, peal_seconds(2));
    CU_ASSERT_EQUAL(fake->stores_len, 3);
    CU_ASSERT_EQUAL(last_store(fake)->expires_s, 3599);
    fake_sip_run(fake, peal_seconds(100));
    CU_ASSERT_EQUAL(fake->stores_len, 3);
    fake_sip_free(fake);
}

/* Location goes on with what it was told last, which was not to be. */
static void failed_shortening_is_put_right(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake, A ";expires=1000\r\n" B ";expires=100\r\n"), 200);
    fake->holds = true;
    CU_ASSERT_EQUAL(fake_register(fake, A ";expires=0\r\n"), 0);
    CU_ASSERT_EQUAL(last_store(fake)->expires_s, 100);
    fake_stored(fake, -PEAL_E_TIMEOUT);
    CU_ASSERT_EQUAL(fake->status, 503);
    fake->holds = false;
    fake_sip_run(fake, peal_seconds(2));
    CU_ASSERT_EQUAL(last_store(fake)->expires_s, 999);
    fake_sip_free(fake);
}

static void peer_that_has_not_joined_answers_503(void)
{
    FakeSip *fake = fake_sip_new();

    fake->peer.state = PEAL_PEER_JOINING;
    fake->store_error = -PEAL_E_STATE;
    CU_ASSERT_EQUAL(fake_register(fake, A "\r\n"), 503);
    CU_ASSERT_EQUAL(fake_lines(fake, "Retry-After:"), 1);
    CU_ASSERT_EQUAL(fake_register(fake, ""), 200); /* a query asks nobody */
    CU_ASSERT_EQUAL(fake->sip.registrar.aors, 0);
    fake->peer.state = PEAL_PEER_JOINED;
    fake->store_error = -PEAL_E_FULL;
    CU_ASSERT_EQUAL(fake_register(fake, A "\r\n"), 503);
    CU_ASSERT_EQUAL(fake->sip.registrar.aors, 0);
    fake_sip_free(fake);
}

static void registers_for_one_aor_keep_their_order(void)
{
    FakeSip *fake = fake_sip_new();

    fake->holds = true;
    CU_ASSERT_EQUAL(fake_register(fake, A "\r\n"), 0);
    CU_ASSERT_EQUAL(fake_register(fake, B "\r\n"), 0);
    CU_ASSERT_EQUAL(fake_register(fake, ""), 0);
    CU_ASSERT_EQUAL(fake_register(fake, A ";expires=0\r\n"), 0);
    CU_ASSERT_EQUAL(fake->stores_len, 1); /* one at a time */
    fake_stored(fake, 0);
    CU_ASSERT_EQUAL(fake->answers, 1);
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 1);
    CU_ASSERT_EQUAL(fake->stores_len, 2);
    fake_stored(fake, 0);
    CU_ASSERT_EQUAL(fake->answers, 3); /* the second, and the query behind it */
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 2);
    CU_ASSERT_EQUAL(fake->stores_len, 3);
    fake_stored(fake, 0);
    CU_ASSERT_EQUAL(fake->answers, 4);
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 1);
    for (unsigned i = 0; i < 40; i++) {
        (void)fake_register(fake, B "\r\n");
    }
    CU_ASSERT_EQUAL(fake->status, 503); /* the queue has an end */
    fake_sip_free(fake);                /* with everything under way */
}

static void expiry_waits_for_a_store_under_way(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake, A ";expires=60\r\n"), 200);
    fake_sip_run(fake, peal_seconds(59));
    fake->holds = true;
    CU_ASSERT_EQUAL(fake_register(fake, A ";expires=100\r\n"), 0);
    fake_sip_run(fake, peal_seconds(3));
    CU_ASSERT_EQUAL(targets_len(fake), 1);
    fake_stored(fake, 0);
    CU_ASSERT_EQUAL(fake->status, 200);
    CU_ASSERT(fake_has_line(fake, A ";expires=97"));
    fake->holds = false;
    fake_sip_run(fake, peal_seconds(97));
    CU_ASSERT_EQUAL(fake->sip.registrar.aors, 0);
    fake_sip_free(fake);
}

/* Targets. */

static void binding_stays_a_target_while_its_refresh_is_stored(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake, A ";expires=60\r\n" B ";expires=60\r\n"), 200);
    fake->holds = true;
    fake_sip_run(fake, peal_seconds(59));
    CU_ASSERT_EQUAL(fake_register(fake, A ";expires=60\r\n"), 0);
    fake_sip_run(fake, peal_seconds(3));
    CU_ASSERT_EQUAL(targets_len(fake), 1); /* the other one has expired */
    fake_stored(fake, -PEAL_E_TIMEOUT);
    CU_ASSERT_EQUAL(fake->status, 503);
    CU_ASSERT_EQUAL(targets_len(fake), 0);

    CU_ASSERT_EQUAL(fake_register(fake, A ";expires=60\r\n"), 0);
    fake_stored(fake, 0);
    fake_sip_run(fake, peal_seconds(59));
    CU_ASSERT_EQUAL(fake_register(fake, A ";expires=0\r\n"), 0);
    fake_sip_run(fake, peal_seconds(3));
    CU_ASSERT_EQUAL(targets_len(fake), 0); /* it is to go anyway */
    fake_stored(fake, 0);
    fake_sip_free(fake);
}

static void targets_come_best_q_first(void)
{
    FakeSip *fake = fake_sip_new();
    RegistrarTarget list[4];

    CU_ASSERT_EQUAL(fake_register(fake, "Contact: <sip:a@h>;q=0.2, <sip:b@h>, <sip:c@h>;q=0.25, "
                                        "<sip:d@h>;q=1.0, <sip:e@h>;q=0\r\n"),
                    200);
    CU_ASSERT_EQUAL(targets(fake, list, 4), 4);
    CU_ASSERT(is(list[0].contact, "sip:b@h") && list[0].q_milli == 1000);
    CU_ASSERT(is(list[1].contact, "sip:d@h"));
    CU_ASSERT(is(list[2].contact, "sip:c@h") && list[2].q_milli == 250);
    CU_ASSERT(is(list[3].contact, "sip:a@h"));
    CU_ASSERT_EQUAL(targets(fake, list, 1), 1);
    CU_ASSERT(is(list[0].contact, "sip:b@h"));
    CU_ASSERT_EQUAL(targets(fake, list, 0), 0);
    fake_sip_free(fake);
}

static void phone_behind_nat_is_reached_where_it_came_from(void)
{
    static const struct {
        const char *via;
        const char *contact;
        bool by_hop;
    } cases[] = {
        {"SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1", "<sip:a@192.0.2.1:5070>", false},
        {"SIP/2.0/UDP 10.0.0.5:5070;branch=z9hG4bK1", "<sip:a@10.0.0.5:5070>", true},
        {"SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;rport", "<sip:a@192.0.2.1>", true},
        {"SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1", "<sip:a@192.0.2.1>", false}, /* listens there */
        {"SIP/2.0/UDP 10.0.0.5:5070;branch=z9hG4bK1", "<sip:a@198.51.100.7:5070>", false},
        {"SIP/2.0/UDP 10.0.0.5:5070;branch=z9hG4bK1", "<sip:a@phone.example.com>", false},
        {"SIP/2.0/UDP p.example.org;branch=z9hG4bK2\r\nVia: SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK1",
         "<sip:a@10.0.0.5>", false}, /* another host's phone */
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        FakeSip *fake = fake_sip_new();
        PealHop hop = fake_hop(1, 5070);
        RegistrarTarget target;
        char headers[128];

        snprintf(headers, sizeof(headers), "Contact: %s\r\n", cases[i].contact);
        CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.via = cases[i].via, .headers = headers}),
                        200);
        CU_ASSERT_EQUAL_FATAL(targets(fake, &target, 1), 1);
        CU_ASSERT_EQUAL(target.by_hop, cases[i].by_hop);
        CU_ASSERT_EQUAL(memcmp(target.hop.addr.ip, hop.addr.ip, sizeof(hop.addr.ip)), 0);
        CU_ASSERT_EQUAL(target.hop.addr.port, hop.addr.port);
        fake_sip_free(fake);
    }
}

/* Path and outbound. */

static void row_21_path_is_stored_and_returned(void)
{
    FakeSip *fake = fake_sip_new();
    RegistrarTarget target;

    CU_ASSERT_EQUAL(fake_register(fake, A "\r\nSupported: path\r\nPath: <sip:p2@h;lr>;x=1,"
                                          "<sip:p1@h;lr>\r\nPath: <sip:p0@h;lr>\r\n"),
                    200);
    CU_ASSERT(fake_has_line(fake, "Path: <sip:p2@h;lr>;x=1"));
    CU_ASSERT(fake_has_line(fake, "Path: <sip:p0@h;lr>"));
    CU_ASSERT_EQUAL(fake_lines(fake, "Path:"), 3);
    CU_ASSERT_EQUAL_FATAL(targets(fake, &target, 1), 1);
    CU_ASSERT(is(target.path, "<sip:p2@h;lr>;x=1, <sip:p1@h;lr>, <sip:p0@h;lr>"));
    CU_ASSERT_FALSE(target.by_hop);
    CU_ASSERT_EQUAL(fake_register(fake, A "\r\nPath: <sip:q@h;lr>\r\n"), 200);
    CU_ASSERT_EQUAL(fake_lines(fake, "Path:"), 0); /* it says nothing of Path */
    CU_ASSERT_EQUAL_FATAL(targets(fake, &target, 1), 1);
    CU_ASSERT(is(target.path, "<sip:q@h;lr>"));
    CU_ASSERT_EQUAL(fake_register(fake, A "\r\n"), 200);
    CU_ASSERT_EQUAL_FATAL(targets(fake, &target, 1), 1);
    CU_ASSERT_EQUAL(target.path.len, 0);
    CU_ASSERT_EQUAL(fake_register(fake, A "\r\nPath: <tel:1>\r\n"), 400);
    CU_ASSERT_EQUAL(fake_register(fake, A "\r\nPath: <sip:q@h\r\n"), 400);
    fake_sip_free(fake);
}

#define FLOW(id) \
    ";reg-id=" id ";+sip.instance=\"<urn:uuid:0000-A>\"\r\nSupported: outbound, path\r\n"

static void row_22_same_instance_and_reg_id_replace(void)
{
    FakeSip *fake = fake_sip_new();
    RegistrarTarget list[4];
    PealHop tcp = fake_hop(1, 40000);

    CU_ASSERT_EQUAL(fake_register(fake, A FLOW("1")), 200);
    CU_ASSERT(fake_has_line(fake, "Require: outbound"));
    CU_ASSERT(fake_has_line(fake, A ";reg-id=1;+sip.instance=\"<urn:uuid:0000-A>\";expires=3600"));
    /* a new flow of the same number, from another address and call */
    tcp.transport = PEAL_TCP;
    tcp.conn = 9;
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.call_id = "after-restart",
                                                    .cseq = 1,
                                                    .hop = tcp,
                                                    .headers = B FLOW("1")}),
                    200);
    CU_ASSERT_EQUAL(targets(fake, list, 4), 1);
    CU_ASSERT(is(list[0].contact, "sip:alice@192.0.2.2:5070"));
    CU_ASSERT(is(list[0].instance, "<urn:uuid:0000-A>"));
    CU_ASSERT(list[0].by_hop && list[0].hop.conn == 9);
    /* a second flow with the same URI is a second binding */
    CU_ASSERT_EQUAL(fake_register(fake, B FLOW("2")), 200);
    CU_ASSERT_EQUAL(targets(fake, list, 4), 2);
    CU_ASSERT_EQUAL(fake_register(fake, B ";expires=0" FLOW("1")), 200);
    CU_ASSERT_EQUAL(targets(fake, list, 4), 1);
    fake_sip_free(fake);
}

static void row_22_flow_that_fails_is_no_target(void)
{
    FakeSip *fake = fake_sip_new();
    RegistrarTarget list[4];
    PealHop tcp = fake_hop(1, 40000);

    tcp.transport = PEAL_TCP;
    tcp.conn = 9;
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.hop = tcp, .headers = A FLOW("1")}), 200);
    CU_ASSERT_EQUAL(fake_send(fake,
                              &(FakeRegister){.hop = tcp, .headers = "Contact: <sip:b@h>\r\n"}),
                    200);
    CU_ASSERT_EQUAL(targets(fake, list, 4), 2);
    CU_ASSERT(list[0].by_hop && list[1].by_hop);
    tcp.conn = 8;
    registrar_flow_failed(&fake->peer, &tcp);
    CU_ASSERT_EQUAL(targets(fake, list, 4), 2);
    tcp.conn = 9;
    registrar_flow_failed(&fake->peer, &tcp);
    CU_ASSERT_EQUAL(targets(fake, list, 4), 1); /* the other one's URI may still do */
    CU_ASSERT(is(list[0].contact, "sip:b@h") && !list[0].by_hop);
    tcp.conn = 10;
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.hop = tcp, .headers = A FLOW("1")}), 200);
    CU_ASSERT_EQUAL(targets(fake, list, 4), 2);
    fake_sip_free(fake);
}

static void row_22_each_connection_fails_for_its_own_phones(void)
{
    FakeSip *fake = fake_sip_new();
    char aor[64];

    for (unsigned i = 0; i < 100; i++) {
        PealHop tcp = fake_hop((uint8_t)i, 40000);

        tcp.transport = PEAL_TCP;
        tcp.conn = 1 + i / 2;
        snprintf(aor, sizeof(aor), "<sip:u%u@example.org>", i);
        CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.to = aor,
                                                        .hop = tcp,
                                                        .headers = i % 5 == 0 ? A ";expires=60\r\n"
                                                                              : A FLOW("1")}),
                        200);
    }
    fake_sip_run(fake, peal_seconds(61)); /* some are gone before their connections */
    for (unsigned conn = 1; conn <= 50; conn += 3) {
        PealHop tcp = {.transport = PEAL_TCP, .conn = conn};

        registrar_flow_failed(&fake->peer, &tcp);
    }
    for (unsigned i = 0; i < 100; i++) {
        RegistrarTarget target;
        PealId resource;

        snprintf(aor, sizeof(aor), "sip:u%u@example.org", i);
        resource = fake_resource(aor);
        CU_ASSERT_EQUAL(registrar_targets(&fake->peer, &resource, &target, 1),
                        i % 5 != 0 && (i / 2) % 3 != 0 ? 1 : 0);
    }
    fake_sip_free(fake);
}

static void row_22_outbound_needs_a_first_hop_that_knows_it(void)
{
    static const char two_vias[] =
        "SIP/2.0/UDP p.example.org;branch=z9hG4bK2\r\nVia: SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK1";
    FakeSip *fake = fake_sip_new();
    RegistrarTarget list[4];

    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.via = two_vias, .headers = A FLOW("1")}), 439);
    CU_ASSERT_EQUAL(fake_send(fake,
                              &(FakeRegister){.via = two_vias,
                                              .headers = A FLOW("1") "Path: <sip:p@h;lr>\r\n"}),
                    439);
    CU_ASSERT_EQUAL(fake_send(fake,
                              &(FakeRegister){.via = two_vias,
                                              .headers = A FLOW("1") "Path: <sip:t@h;lr;ob>\r\n"}),
                    200);
    CU_ASSERT(fake_has_line(fake, "Require: outbound"));
    CU_ASSERT_EQUAL(targets(fake, list, 4), 1);
    CU_ASSERT(list[0].instance.len > 0 && !list[0].by_hop);
    /* who does not say that he supports it, does not mean it */
    CU_ASSERT_EQUAL(fake_send(fake,
                              &(FakeRegister){.via = two_vias,
                                              .headers = B ";reg-id=1;+sip.instance=\"<i>\"\r\n"}),
                    200);
    CU_ASSERT_FALSE(fake_has_line(fake, "Require: outbound"));
    CU_ASSERT_EQUAL(targets(fake, list, 4), 2);
    CU_ASSERT_EQUAL(list[1].instance.len, 0);
    CU_ASSERT_EQUAL(fake_register(fake, A ", <sip:b@h>" FLOW("3")), 400); /* one flow at a time */
    CU_ASSERT_EQUAL(fake_register(fake, A ";expires=0, <sip:b@h>" FLOW("3")), 200);
    fake_sip_free(fake);
}

/* Operators. */

static int bind_uri(FakeSip *fake, const char *aor, const char *contact, uint32_t expires_s)
{
    return peal_peer_bind(&fake->peer, sip_str(aor), sip_str(contact), expires_s, 77);
}

static void operator_binds_without_a_phone(void)
{
    FakeSip *fake = fake_sip_new();
    RegistrarTarget target;

    fake->holds = true;
    CU_ASSERT_EQUAL(bind_uri(fake, ALICE, "sip:alice@198.51.100.1", 100), 0);
    CU_ASSERT_EQUAL(fake->outcomes, 0);
    CU_ASSERT_EQUAL(last_store(fake)->expires_s, 100);
    fake_stored(fake, 0);
    CU_ASSERT(fake->outcomes == 1 && fake->token == 77 && fake->outcome == 0);
    CU_ASSERT_EQUAL_FATAL(targets(fake, &target, 1), 1);
    CU_ASSERT(is(target.contact, "sip:alice@198.51.100.1") && !target.by_hop);
    CU_ASSERT_EQUAL(bind_uri(fake, ALICE, "sip:alice@198.51.100.1", 50), 0); /* no order of his */
    fake_stored(fake, -PEAL_E_TIMEOUT);
    CU_ASSERT(fake->outcomes == 2 && fake->outcome == -PEAL_E_TIMEOUT);
    CU_ASSERT_EQUAL(bind_uri(fake, ALICE, "sip:alice@198.51.100.1", 0), 0);
    fake_stored(fake, 0);
    CU_ASSERT(fake->outcomes == 3 && fake->outcome == 0);
    CU_ASSERT_EQUAL(fake->sip.registrar.aors, 0);
    CU_ASSERT_EQUAL(bind_uri(fake, ALICE, "sip:alice@198.51.100.1", 0), -PEAL_E_NOT_FOUND);
    CU_ASSERT_EQUAL(bind_uri(fake, ALICE, "no uri", 10), -PEAL_E_ARG);
    CU_ASSERT_EQUAL(bind_uri(fake, "sip:example.org", "sip:a@b", 10), -PEAL_E_ARG);
    CU_ASSERT_EQUAL(bind_uri(fake, "sip:alice@elsewhere.org", "sip:a@b", 10), -PEAL_E_ARG);
    fake->store_error = -PEAL_E_FULL;
    CU_ASSERT_EQUAL(bind_uri(fake, ALICE, "sip:a@b", 10), -PEAL_E_FULL);
    fake->peer.state = PEAL_PEER_JOINING;
    CU_ASSERT_EQUAL(bind_uri(fake, ALICE, "sip:a@b", 10), -PEAL_E_STATE);
    CU_ASSERT_EQUAL(fake->outcomes, 3);
    fake_sip_free(fake);
}

static void operator_removal_that_needs_no_store_is_done_later(void)
{
    FakeSip *fake = fake_sip_new();

    CU_ASSERT_EQUAL(fake_register(fake, A "\r\n"), 200);
    fake->store_error = -PEAL_E_NOT_FOUND; /* the overlay does not know it */
    CU_ASSERT_EQUAL(bind_uri(fake, ALICE, "sip:alice@192.0.2.1:5070", 0), 0);
    CU_ASSERT_EQUAL(fake->outcomes, 0);
    fake_sip_run(fake, peal_ms(1));
    CU_ASSERT(fake->outcomes == 1 && fake->outcome == 0);
    CU_ASSERT_EQUAL(fake->sip.registrar.aors, 0);
    fake_sip_free(fake);
}

/* A restart. */

static void bindings_survive_a_restart(void)
{
    FakeSip *fake = fake_sip_new();
    RegistrarTarget list[4];
    PealHop tcp = fake_hop(1, 40000);
    char aor[64];

    tcp.transport = PEAL_TCP;
    tcp.conn = 9;
    CU_ASSERT_EQUAL(fake_register(fake, A ";expires=100;q=0.7\r\nPath: <sip:p@h;lr>\r\n"), 200);
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.hop = tcp, .headers = B FLOW("1")}), 200);
    CU_ASSERT_EQUAL(fake_send(fake,
                              &(FakeRegister){.hop = tcp, .headers = "Contact: <sip:b@h>\r\n"}),
                    200);
    for (unsigned i = 0; i < 100; i++) {
        snprintf(aor, sizeof(aor), "<sip:u%u@example.org>", i);
        CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.to = aor, .headers = A "\r\n"}), 200);
    }
    fake_sip_run(fake, peal_seconds(10));
    CU_ASSERT_EQUAL(fake->kept_times, 1);
    fake->peer.state = PEAL_PEER_JOINING;
    fake = fake_sip_restart(fake);
    CU_ASSERT_EQUAL(fake->sip.key[0], 0x5a); /* tokens stay good */
    CU_ASSERT(fake->sip.registrar.aors == 101 && fake->sip.registrar.bindings == 103);
    CU_ASSERT_EQUAL(fake->stores_len, 0);
    CU_ASSERT_EQUAL(fake_register(fake, ""), 200);
    CU_ASSERT(fake_has_line(fake, A ";q=0.7;expires=90"));
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 3);
    CU_ASSERT_EQUAL(targets(fake, list, 4), 2); /* its flow went with the connection */
    CU_ASSERT(is(list[0].contact, "sip:b@h") && !list[0].by_hop && list[0].hop.conn == 0);
    CU_ASSERT(is(list[1].path, "<sip:p@h;lr>"));
    registrar_joined(&fake->peer);
    fake_sip_run(fake, peal_seconds(5));
    CU_ASSERT_EQUAL(fake->stores_len, 101); /* each once */
    /* the order of a phone's REGISTERs is known, too */
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.cseq = 1, .headers = A "\r\n"}), 500);
    fake_sip_run(fake, peal_seconds(4000));
    CU_ASSERT_EQUAL(fake->sip.registrar.aors, 0);
    fake_sip_free(fake);
}

static void rejoining_goes_on_when_requests_are_full(void)
{
    FakeSip *fake = fake_sip_new();
    char aor[64];

    for (unsigned i = 0; i < 200; i++) {
        snprintf(aor, sizeof(aor), "<sip:u%u@example.org>", i);
        CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.to = aor, .headers = A "\r\n"}), 200);
    }
    fake->stores_len = 0;
    registrar_joined(&fake->peer);
    fake->store_error = -PEAL_E_FULL;
    fake_sip_run(fake, peal_seconds(10));
    fake->store_error = 0;
    CU_ASSERT_EQUAL(fake->stores_len, 0);
    fake_sip_run(fake, peal_seconds(10));
    CU_ASSERT_EQUAL(fake->stores_len, 200);
    fake_sip_free(fake);
}

static void writes_are_few(void)
{
    FakeSip *fake = fake_sip_new();

    for (unsigned i = 0; i < 100; i++) {
        CU_ASSERT_EQUAL(fake_register(fake, A "\r\n"), 200);
        fake->stores_len = 0;
        fake_sip_run(fake, peal_ms(100));
    }
    CU_ASSERT(fake->kept_times >= 3 && fake->kept_times <= 5);
    fake_sip_run(fake, peal_seconds(3));
    fake->kept_times = 0;
    CU_ASSERT_EQUAL(fake_register(fake, ""), 200);
    fake_sip_run(fake, peal_seconds(100));
    registrar_flush(&fake->peer);
    CU_ASSERT_EQUAL(fake->kept_times, 0); /* nothing has changed */
    CU_ASSERT_EQUAL(fake_register(fake, A "\r\n"), 200);
    registrar_flush(&fake->peer);
    fake_sip_run(fake, peal_seconds(100));
    CU_ASSERT_EQUAL(fake->kept_times, 1);
    fake_sip_free(fake);
}

/* Restores bytes into a fresh adapter; returns how many bindings it took up. */
static uint32_t restored(const uint8_t *bytes, size_t len)
{
    FakeSip *fake = fake_sip_new();
    uint8_t *exact = malloc(len > 0 ? len : 1); /* so that reading past it shows */
    uint32_t bindings;
    RegistrarTarget list[4];

    memcpy(exact, bytes, len);
    registrar_restore(&fake->peer, (PealBytes){exact, len});
    free(exact);
    bindings = fake->sip.registrar.bindings;
    for (size_t i = targets(fake, list, 4); i > 0; i--) {
        CU_ASSERT(is(list[i - 1].contact, "sip:alice@192.0.2.1:5070") ||
                  is(list[i - 1].contact, "sip:alice@192.0.2.2:5070"));
    }
    fake_sip_free(fake);
    return bindings;
}

static void damaged_bindings_are_left_out(void)
{
    FakeSip *fake = fake_sip_new();
    uint8_t bytes[4096];
    size_t len;

    CU_ASSERT_EQUAL(fake_register(fake, A FLOW("1")), 200);
    CU_ASSERT_EQUAL(fake_register(fake, B "\r\nPath: <sip:p@h;lr>\r\n"), 200);
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.to = "<sip:b@example.org>",
                                                    .headers = "Contact: <sip:b@h>\r\n"}),
                    200);
    fake_sip_run(fake, peal_seconds(5));
    len = fake->kept_len;
    CU_ASSERT_FATAL(len > 100 && len <= sizeof(bytes));
    memcpy(bytes, fake->kept, len);
    CU_ASSERT_EQUAL(restored(bytes, len), 3);
    CU_ASSERT(peal_peer_bindings_whole(&fake->peer, (PealBytes){bytes, len}));
    CU_ASSERT(peal_peer_bindings_whole(&fake->peer, (PealBytes){NULL, 0}));
    for (size_t cut = 0; cut < len; cut++) {
        CU_ASSERT(restored(bytes, cut) < 3);
    }
    for (size_t bit = 0; bit < 8 * len; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CU_ASSERT(restored(bytes, len) < 3); /* no flip goes unseen */
        CU_ASSERT_FALSE(peal_peer_bindings_whole(&fake->peer, (PealBytes){bytes, len}));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CU_ASSERT_EQUAL(restored(bytes, 0), 0);
    fake_sip_free(fake);
}

/* Records whose checks are right but whose contents are not. */
static void forged_records_do_no_harm(void)
{
    FakeSip *fake = fake_sip_new();
    uint8_t *bytes;
    size_t len;

    CU_ASSERT_EQUAL(fake_register(fake, A FLOW("1")), 200);
    fake_sip_run(fake, peal_seconds(5));
    len = fake->kept_len;
    bytes = malloc(len);
    for (uint64_t i = 0; i < 20000; i++) {
        const size_t head = 48; /* with its check */
        uint64_t draw = peal_random_at(3, 9, i);
        uint8_t digest[PEAL_DIGEST_MAX];
        PealBytes record;

        memcpy(bytes, fake->kept, len);
        for (unsigned n = 0; n < 1 + draw % 3; n++, draw >>= 20) {
            bytes[head + 4 + (draw >> 8) % (len - head - 12)] = (uint8_t)draw;
        }
        record = (PealBytes){bytes + head + 4, len - head - 12};
        fake->env.ops.crypto->digest(PEAL_HASH_SHA256, &record, 1, digest);
        memcpy(bytes + len - 8, digest, 8);
        FakeSip *other = fake_sip_new();
        RegistrarTarget list[4];

        registrar_restore(&other->peer, (PealBytes){bytes, len});
        (void)targets(other, list, 4);
        (void)fake_register(other, A "\r\n");
        (void)fake_register(other, "");
        fake_sip_free(other);
    }
    free(bytes);
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

PEAL_TEST_MAIN(
    "core/registrar", PEAL_TEST(row_1_register_adds_refreshes_and_queries),
    PEAL_TEST(row_1_contacts_are_listed_as_they_came), PEAL_TEST(row_1_equal_uris_are_one_binding),
    PEAL_TEST(row_1_aors_are_keyed_by_resource_id),
    PEAL_TEST(row_1_answers_to_addresses_that_are_none_here),
    PEAL_TEST(row_1_expires_comes_from_contact_then_header_then_default),
    PEAL_TEST(row_2_expires_zero_removes_one), PEAL_TEST(row_2_star_only_with_expires_zero),
    PEAL_TEST(row_2_star_out_of_order_removes_nothing),
    PEAL_TEST(row_3_only_what_is_under_an_hour_is_too_brief),
    PEAL_TEST(row_3_lower_or_equal_cseq_of_the_same_call_is_refused),
    PEAL_TEST(one_bad_contact_leaves_all_as_it_was), PEAL_TEST(limits_are_refused_with_a_reason),
    PEAL_TEST(memory_that_is_not_there_is_503_and_changes_nothing),
    PEAL_TEST(row_28_unknown_require_is_420), PEAL_TEST(row_4_bindings_expire),
    PEAL_TEST(many_aors_expire_in_any_order), PEAL_TEST(answer_waits_for_the_store),
    PEAL_TEST(failed_store_is_503_and_restores), PEAL_TEST(failed_store_of_a_new_aor_is_taken_back),
    PEAL_TEST(failed_removal_keeps_the_phone_and_stores_it_again),
    PEAL_TEST(failed_shortening_is_put_right), PEAL_TEST(peer_that_has_not_joined_answers_503),
    PEAL_TEST(registers_for_one_aor_keep_their_order),
    PEAL_TEST(expiry_waits_for_a_store_under_way),
    PEAL_TEST(binding_stays_a_target_while_its_refresh_is_stored),
    PEAL_TEST(targets_come_best_q_first), PEAL_TEST(phone_behind_nat_is_reached_where_it_came_from),
    PEAL_TEST(row_21_path_is_stored_and_returned),
    PEAL_TEST(row_22_same_instance_and_reg_id_replace),
    PEAL_TEST(row_22_flow_that_fails_is_no_target),
    PEAL_TEST(row_22_each_connection_fails_for_its_own_phones),
    PEAL_TEST(row_22_outbound_needs_a_first_hop_that_knows_it),
    PEAL_TEST(operator_binds_without_a_phone),
    PEAL_TEST(operator_removal_that_needs_no_store_is_done_later),
    PEAL_TEST(bindings_survive_a_restart), PEAL_TEST(rejoining_goes_on_when_requests_are_full),
    PEAL_TEST(writes_are_few), PEAL_TEST(damaged_bindings_are_left_out),
    PEAL_TEST(forged_records_do_no_harm), PEAL_TEST(mutated_registers_are_answered),
    PEAL_TEST(config_ranges_are_checked))
