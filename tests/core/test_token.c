/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_token.c - what an adapter believes of its own when it comes back. */
#include "core/fake_sip.h"
#include "peal_test.h"

static const PealStr call = {"7@h", 3};

static PealStr flow_token(FakeSip *fake, const PealHop *hop, char bytes[TOKEN_TEXT_MAX])
{
    SipText text = sip_text_make(bytes, TOKEN_TEXT_MAX);

    token_put_flow(&fake->peer, &text, &(TokenFlow){.hop = *hop, .leads = true}, call);
    CU_ASSERT_FALSE(text.overflow);
    return sip_text_view(&text);
}

static bool same_hop(const PealHop *a, const PealHop *b)
{
    return a->addr.family == b->addr.family && a->addr.port == b->addr.port &&
           memcmp(a->addr.ip, b->addr.ip, sizeof(a->addr.ip)) == 0 && a->conn == b->conn &&
           a->transport == b->transport && a->local == b->local;
}

static void flow_comes_back_as_it_was(void)
{
    FakeSip *fake = fake_sip_new();
    const PealHop hops[] = {
        fake_hop(7, 5060),
        {.addr = {.ip = {192, 0, 2, 1}, .port = 65535, .family = 4},
         .transport = PEAL_TCP,
         .local = 3,
         .conn = 0xfedcba98},
        {.addr = {.ip = {0x20, 1, 0xd, 0xb8, [15] = 9}, .port = 1, .family = 6}, .local = 7},
    };

    for (size_t i = 0; i < sizeof(hops) / sizeof(hops[0]); i++) {
        char bytes[TOKEN_TEXT_MAX];
        PealStr token = flow_token(fake, &hops[i], bytes);
        SipText again = sip_text_make(bytes, sizeof(bytes));
        TokenFlow flow;

        for (size_t at = 0; at < token.len; at++) {
            CU_ASSERT_PTR_NOT_NULL(strchr("0123456789abcdef", token.ptr[at]));
        }
        CU_ASSERT_EQUAL(token_get_flow(&fake->peer, token, call, &flow), 0);
        CU_ASSERT(same_hop(&flow.hop, &hops[i]));
        CU_ASSERT(flow.leads && !flow.inside && !flow.gone);
        flow.leads = false;
        flow.inside = true;
        token_put_flow(&fake->peer, &again, &flow, call);
        CU_ASSERT_EQUAL(token_get_flow(&fake->peer, sip_text_view(&again), call, &flow), 0);
        CU_ASSERT(same_hop(&flow.hop, &hops[i]));
        CU_ASSERT(!flow.leads && flow.inside);
    }
    fake_sip_free(fake);
}

static void token_that_was_changed_is_none(void)
{
    FakeSip *fake = fake_sip_new();
    const PealHop phone = fake_hop(7, 5060);
    char bytes[TOKEN_TEXT_MAX];
    PealStr token = flow_token(fake, &phone, bytes);
    TokenFlow flow;

    for (size_t at = 0; at < token.len; at++) {
        char was = bytes[at];

        bytes[at] = was == '0' ? '1' : '0';
        CU_ASSERT_EQUAL(token_get_flow(&fake->peer, token, call, &flow), -PEAL_E_VALUE);
        bytes[at] = 'g';
        CU_ASSERT_EQUAL(token_get_flow(&fake->peer, token, call, &flow), -PEAL_E_VALUE);
        bytes[at] = was;
        CU_ASSERT_EQUAL(token_get_flow(&fake->peer, (PealStr){token.ptr, at}, call, &flow),
                        -PEAL_E_VALUE);
    }
    CU_ASSERT_EQUAL(token_get_flow(&fake->peer, token, call, &flow), 0);
    fake->sip.key[31] ^= 1; /* another adapter's */
    CU_ASSERT_EQUAL(token_get_flow(&fake->peer, token, call, &flow), -PEAL_E_VALUE);
    fake_sip_free(fake);
}

static void flow_of_one_call_is_none_in_another(void)
{
    static const PealStr others[] = {{"8@h", 3}, {"7@", 2}, {"7@h7", 4}, {NULL, 0}};
    FakeSip *fake = fake_sip_new();
    const PealHop phone = fake_hop(7, 5060);
    char bytes[TOKEN_TEXT_MAX];
    PealStr token = flow_token(fake, &phone, bytes);
    TokenFlow flow;

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        CU_ASSERT_EQUAL(token_get_flow(&fake->peer, token, others[i], &flow), -PEAL_E_VALUE);
    }
    CU_ASSERT_EQUAL(token_get_flow(&fake->peer, token, call, &flow), 0);
    fake_sip_free(fake);
}

static void peer_token_names_its_peer_and_is_no_flow(void)
{
    FakeSip *fake = fake_sip_new();
    const PealId node = {{1, 2, 3, [15] = 4}};
    const PealHop phone = fake_hop(7, 5060);
    char bytes[TOKEN_TEXT_MAX];
    char flow_bytes[TOKEN_TEXT_MAX];
    SipText text = sip_text_make(bytes, sizeof(bytes));
    PealStr token = flow_token(fake, &phone, flow_bytes);
    TokenFlow flow;
    PealId id = {{0}};

    token_put_peer(&fake->peer, &text, &node);
    CU_ASSERT_FALSE(text.overflow);
    CU_ASSERT_EQUAL(token_get_peer(&fake->peer, sip_text_view(&text), &id), 0);
    CU_ASSERT(peal_id_equal(&id, &node));
    CU_ASSERT_EQUAL(token_get_flow(&fake->peer, sip_text_view(&text), call, &flow), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(token_get_peer(&fake->peer, token, &id), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(token_get_peer(&fake->peer, (PealStr){NULL, 0}, &id), -PEAL_E_VALUE);
    fake_sip_free(fake);
}

/* Numbers of connections begin anew with the adapter; datagrams find their phone as before. */
static void connection_of_before_a_restart_is_gone(void)
{
    FakeSip *fake = fake_sip_new();
    PealHop hop = fake_hop(7, 5060);
    char udp_bytes[TOKEN_TEXT_MAX];
    char tcp_bytes[TOKEN_TEXT_MAX];
    TokenFlow flow;
    PealStr udp = flow_token(fake, &hop, udp_bytes);
    PealStr tcp;

    hop.transport = PEAL_TCP;
    hop.conn = 3;
    tcp = flow_token(fake, &hop, tcp_bytes);
    CU_ASSERT_EQUAL(token_get_flow(&fake->peer, tcp, call, &flow), 0);
    CU_ASSERT_EQUAL(fake_register(fake, "Contact: <sip:a@h>\r\n"), 200);
    fake_sip_run(fake, peal_seconds(5));
    fake = fake_sip_restart(fake);
    CU_ASSERT_EQUAL(token_get_flow(&fake->peer, udp, call, &flow), 0);
    CU_ASSERT_FALSE(flow.gone);
    CU_ASSERT_EQUAL(token_get_flow(&fake->peer, tcp, call, &flow), 0);
    CU_ASSERT_TRUE(flow.gone);
    fake_sip_free(fake);
}

PEAL_TEST_MAIN("core/token", PEAL_TEST(flow_comes_back_as_it_was),
               PEAL_TEST(token_that_was_changed_is_none),
               PEAL_TEST(flow_of_one_call_is_none_in_another),
               PEAL_TEST(peer_token_names_its_peer_and_is_no_flow),
               PEAL_TEST(connection_of_before_a_restart_is_gone))
