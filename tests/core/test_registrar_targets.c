/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_registrar_targets.c - where calls for an AOR go: q, NAT, Path (RFC 3327), outbound
 * (RFC 5626). */
#include "core/fake_sip.h"
#include "peal_test.h"

static void targets_come_best_q_first(void)
{
    FakeSip *fake = fake_sip_new();
    RegistrarTarget list[4];

    CU_ASSERT_EQUAL(fake_register(fake, "Contact: <sip:a@h>;q=0.2, <sip:b@h>, <sip:c@h>;q=0.25, "
                                        "<sip:d@h>;q=1.0, <sip:e@h>;q=0\r\n"),
                    200);
    CU_ASSERT_EQUAL(fake_targets(fake, list, 4), 4);
    CU_ASSERT(fake_is(list[0].contact, "sip:b@h") && list[0].q_milli == 1000);
    CU_ASSERT(fake_is(list[1].contact, "sip:d@h"));
    CU_ASSERT(fake_is(list[2].contact, "sip:c@h") && list[2].q_milli == 250);
    CU_ASSERT(fake_is(list[3].contact, "sip:a@h"));
    CU_ASSERT_EQUAL(fake_targets(fake, list, 1), 1);
    CU_ASSERT(fake_is(list[0].contact, "sip:b@h"));
    CU_ASSERT_EQUAL(fake_targets(fake, list, 0), 0);
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
        CU_ASSERT_EQUAL_FATAL(fake_targets(fake, &target, 1), 1);
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

    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A "\r\nSupported: path\r\nPath: <sip:p2@h;lr>;x=1,"
                                               "<sip:p1@h;lr>\r\nPath: <sip:p0@h;lr>\r\n"),
                    200);
    CU_ASSERT(fake_has_line(fake, "Path: <sip:p2@h;lr>;x=1"));
    CU_ASSERT(fake_has_line(fake, "Path: <sip:p0@h;lr>"));
    CU_ASSERT_EQUAL(fake_lines(fake, "Path:"), 3);
    CU_ASSERT_EQUAL_FATAL(fake_targets(fake, &target, 1), 1);
    CU_ASSERT(fake_is(target.path, "<sip:p2@h;lr>;x=1, <sip:p1@h;lr>, <sip:p0@h;lr>"));
    CU_ASSERT_FALSE(target.by_hop);
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A "\r\nPath: <sip:q@h;lr>\r\n"), 200);
    CU_ASSERT_EQUAL(fake_lines(fake, "Path:"), 0); /* it says nothing of Path */
    CU_ASSERT_EQUAL_FATAL(fake_targets(fake, &target, 1), 1);
    CU_ASSERT(fake_is(target.path, "<sip:q@h;lr>"));
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A "\r\n"), 200);
    CU_ASSERT_EQUAL_FATAL(fake_targets(fake, &target, 1), 1);
    CU_ASSERT_EQUAL(target.path.len, 0);
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A "\r\nPath: <tel:1>\r\n"), 400);
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A "\r\nPath: <sip:q@h\r\n"), 400);
    fake_sip_free(fake);
}

static void row_22_same_instance_and_reg_id_replace(void)
{
    FakeSip *fake = fake_sip_new();
    RegistrarTarget list[4];
    PealHop tcp = fake_hop(1, 40000);

    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A FAKE_FLOW("1")), 200);
    CU_ASSERT(fake_has_line(fake, "Require: outbound"));
    CU_ASSERT(
        fake_has_line(fake, FAKE_A ";reg-id=1;+sip.instance=\"<urn:uuid:0000-A>\";expires=3600"));
    /* a new flow of the same number, from another address and call */
    tcp.transport = PEAL_TCP;
    tcp.conn = 9;
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.call_id = "after-restart",
                                                    .cseq = 1,
                                                    .hop = tcp,
                                                    .headers = FAKE_B FAKE_FLOW("1")}),
                    200);
    CU_ASSERT_EQUAL(fake_targets(fake, list, 4), 1);
    CU_ASSERT(fake_is(list[0].contact, "sip:alice@192.0.2.2:5070"));
    CU_ASSERT(fake_is(list[0].instance, "<urn:uuid:0000-A>"));
    CU_ASSERT(list[0].by_hop && list[0].hop.conn == 9);
    /* a second flow with the same URI is a second binding */
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_B FAKE_FLOW("2")), 200);
    CU_ASSERT_EQUAL(fake_targets(fake, list, 4), 2);
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_B ";expires=0" FAKE_FLOW("1")), 200);
    CU_ASSERT_EQUAL(fake_targets(fake, list, 4), 1);
    fake_sip_free(fake);
}

static void row_22_flow_that_fails_is_no_target(void)
{
    FakeSip *fake = fake_sip_new();
    RegistrarTarget list[4];
    PealHop tcp = fake_hop(1, 40000);

    tcp.transport = PEAL_TCP;
    tcp.conn = 9;
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.hop = tcp, .headers = FAKE_A FAKE_FLOW("1")}),
                    200);
    CU_ASSERT_EQUAL(fake_send(fake,
                              &(FakeRegister){.hop = tcp, .headers = "Contact: <sip:b@h>\r\n"}),
                    200);
    CU_ASSERT_EQUAL(fake_targets(fake, list, 4), 2);
    CU_ASSERT(list[0].by_hop && list[1].by_hop);
    tcp.conn = 8;
    registrar_flow_failed(&fake->peer, &tcp);
    CU_ASSERT_EQUAL(fake_targets(fake, list, 4), 2);
    tcp.conn = 9;
    registrar_flow_failed(&fake->peer, &tcp);
    CU_ASSERT_EQUAL(fake_targets(fake, list, 4), 1); /* the other one's URI may still do */
    CU_ASSERT(fake_is(list[0].contact, "sip:b@h") && !list[0].by_hop);
    tcp.conn = 10;
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.hop = tcp, .headers = FAKE_A FAKE_FLOW("1")}),
                    200);
    CU_ASSERT_EQUAL(fake_targets(fake, list, 4), 2);
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
        CU_ASSERT_EQUAL(fake_send(fake,
                                  &(FakeRegister){.to = aor,
                                                  .hop = tcp,
                                                  .headers = i % 5 == 0 ? FAKE_A ";expires=60\r\n"
                                                                        : FAKE_A FAKE_FLOW("1")}),
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

    CU_ASSERT_EQUAL(fake_send(fake,
                              &(FakeRegister){.via = two_vias, .headers = FAKE_A FAKE_FLOW("1")}),
                    439);
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.via = two_vias,
                                                    .headers = FAKE_A FAKE_FLOW(
                                                        "1") "Path: <sip:p@h;lr>\r\n"}),
                    439);
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.via = two_vias,
                                                    .headers = FAKE_A FAKE_FLOW(
                                                        "1") "Path: <sip:t@h;lr;ob>\r\n"}),
                    200);
    CU_ASSERT(fake_has_line(fake, "Require: outbound"));
    CU_ASSERT_EQUAL(fake_targets(fake, list, 4), 1);
    CU_ASSERT(list[0].instance.len > 0 && !list[0].by_hop);
    /* who does not say that he supports it, does not mean it */
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.via = two_vias,
                                                    .headers = FAKE_B
                                                    ";reg-id=1;+sip.instance=\"<i>\"\r\n"}),
                    200);
    CU_ASSERT_FALSE(fake_has_line(fake, "Require: outbound"));
    CU_ASSERT_EQUAL(fake_targets(fake, list, 4), 2);
    CU_ASSERT_EQUAL(list[1].instance.len, 0);
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A ", <sip:b@h>" FAKE_FLOW("3")),
                    400); /* one flow at a time */
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A ";expires=0, <sip:b@h>" FAKE_FLOW("3")), 200);
    fake_sip_free(fake);
}

PEAL_TEST_MAIN("core/registrar_targets", PEAL_TEST(targets_come_best_q_first),
               PEAL_TEST(phone_behind_nat_is_reached_where_it_came_from),
               PEAL_TEST(row_21_path_is_stored_and_returned),
               PEAL_TEST(row_22_same_instance_and_reg_id_replace),
               PEAL_TEST(row_22_flow_that_fails_is_no_target),
               PEAL_TEST(row_22_each_connection_fails_for_its_own_phones),
               PEAL_TEST(row_22_outbound_needs_a_first_hop_that_knows_it))
