/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_registrar_persist.c - what a registrar keeps over a restart, and what it makes of damage. */
#include "core/fake_sip.h"
#include "peal_test.h"

static void bindings_survive_a_restart(void)
{
    FakeSip *fake = fake_sip_new();
    RegistrarTarget list[4];
    PealHop tcp = fake_hop(1, 40000);
    char aor[64];

    tcp.transport = PEAL_TCP;
    tcp.conn = 9;
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A ";expires=100;q=0.7\r\nPath: <sip:p@h;lr>\r\n"),
                    200);
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.hop = tcp, .headers = FAKE_B FAKE_FLOW("1")}),
                    200);
    CU_ASSERT_EQUAL(fake_send(fake,
                              &(FakeRegister){.hop = tcp, .headers = "Contact: <sip:b@h>\r\n"}),
                    200);
    for (unsigned i = 0; i < 100; i++) {
        snprintf(aor, sizeof(aor), "<sip:u%u@example.org>", i);
        CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.to = aor, .headers = FAKE_A "\r\n"}), 200);
    }
    fake_sip_run(fake, peal_seconds(10));
    CU_ASSERT_EQUAL(fake->kept_times, 1);
    fake->peer.state = PEAL_PEER_JOINING;
    fake = fake_sip_restart(fake);
    CU_ASSERT_EQUAL(fake->sip.key[0], 0x5a); /* tokens stay good */
    CU_ASSERT(fake->sip.registrar.aors == 101 && fake->sip.registrar.bindings == 103);
    CU_ASSERT_EQUAL(fake->stores_len, 0);
    CU_ASSERT_EQUAL(fake_register(fake, ""), 200);
    CU_ASSERT(fake_has_line(fake, FAKE_A ";q=0.7;expires=90"));
    CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 3);
    CU_ASSERT_EQUAL(fake_targets(fake, list, 4), 2); /* its flow went with the connection */
    CU_ASSERT(fake_is(list[0].contact, "sip:b@h") && !list[0].by_hop && list[0].hop.conn == 0);
    CU_ASSERT(fake_is(list[1].path, "<sip:p@h;lr>"));
    registrar_joined(&fake->peer);
    fake_sip_run(fake, peal_seconds(5));
    CU_ASSERT_EQUAL(fake->stores_len, 101); /* each once */
    /* the order of a phone's REGISTERs is known, too */
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.cseq = 1, .headers = FAKE_A "\r\n"}), 500);
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
        CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.to = aor, .headers = FAKE_A "\r\n"}), 200);
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
        CU_ASSERT_EQUAL(fake_register(fake, FAKE_A "\r\n"), 200);
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
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A "\r\n"), 200);
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
    for (size_t i = fake_targets(fake, list, 4); i > 0; i--) {
        CU_ASSERT(fake_is(list[i - 1].contact, "sip:alice@192.0.2.1:5070") ||
                  fake_is(list[i - 1].contact, "sip:alice@192.0.2.2:5070"));
    }
    fake_sip_free(fake);
    return bindings;
}

static void damaged_bindings_are_left_out(void)
{
    FakeSip *fake = fake_sip_new();
    uint8_t bytes[4096];
    size_t len;

    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A FAKE_FLOW("1")), 200);
    CU_ASSERT_EQUAL(fake_register(fake, FAKE_B "\r\nPath: <sip:p@h;lr>\r\n"), 200);
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

    CU_ASSERT_EQUAL(fake_register(fake, FAKE_A FAKE_FLOW("1")), 200);
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
        (void)fake_targets(other, list, 4);
        (void)fake_register(other, FAKE_A "\r\n");
        (void)fake_register(other, "");
        fake_sip_free(other);
    }
    free(bytes);
    fake_sip_free(fake);
}

PEAL_TEST_MAIN("core/registrar_persist", PEAL_TEST(bindings_survive_a_restart),
               PEAL_TEST(rejoining_goes_on_when_requests_are_full), PEAL_TEST(writes_are_few),
               PEAL_TEST(damaged_bindings_are_left_out), PEAL_TEST(forged_records_do_no_harm))
