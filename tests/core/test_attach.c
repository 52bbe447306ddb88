/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_attach.c - candidates of hosts with several addresses: what is offered, and which is
 * used. */
#include "core/plain_env.h"
#include "overlay/attach.h"
#include "peal_test.h"
#include "peer.h"

enum { LIST_MAX = 512 };

/* A host with addresses of its own; first the environment. */
typedef struct Host {
    PlainEnv env;
    PealPeer peer;
    PealAddr addrs[PEAL_ADDRESSES_MAX];
    size_t addrs_len;
    PealService asked;
} Host;

static size_t host_addresses(PealEnv *env, PealService service, PealAddr *ret_addrs, size_t max)
{
    Host *host = (Host *)env;
    size_t len = host->addrs_len < max ? host->addrs_len : max;

    host->asked = service;
    memcpy(ret_addrs, host->addrs, len * sizeof(PealAddr));
    return len;
}

static PealAddr address(uint8_t family, uint8_t last)
{
    PealAddr addr = {.port = 6084, .family = family};

    addr.ip[0] = family == 4 ? 192 : 0x20;
    addr.ip[family == 4 ? 3 : 15] = last;
    return addr;
}

static void host_init(Host *host, const PealAddr *addrs, size_t addrs_len)
{
    *host = (Host){.addrs_len = addrs_len};
    plain_env_init(&host->env);
    host->env.ops.addresses = host_addresses;
    host->env.env.ops = &host->env.ops;
    host->peer.env = &host->env.env;
    memcpy(host->addrs, addrs, addrs_len * sizeof(*addrs));
}

static bool same_address(const PealAddr *a, const PealAddr *b)
{
    return a->family == b->family && a->port == b->port && memcmp(a->ip, b->ip, 16) == 0;
}

static void every_address_is_offered_best_first(void)
{
    const PealAddr addrs[] = {address(6, 1), address(4, 2), address(4, 3)};
    uint8_t bytes[LIST_MAX];
    Writer w = writer_make(bytes, sizeof(bytes));
    ReloadCandidate candidate;
    PealBytes list;
    uint32_t priority = UINT32_MAX;
    Host host;

    host_init(&host, addrs, 3);
    attach_put_candidates(&host.peer, PEAL_SERVICE_SIP, &w);
    CU_ASSERT_EQUAL(host.asked, PEAL_SERVICE_SIP);
    list = writer_view(&w);
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_TRUE_FATAL(reload_candidate_next(&list, &candidate));
        CU_ASSERT(same_address(&candidate.addr, &addrs[i]));
        CU_ASSERT(candidate.link == RELOAD_LINK_EXP && candidate.type == RELOAD_CANDIDATE_HOST);
        CU_ASSERT(candidate.foundation.len == 1 && candidate.foundation.ptr[0] == '1' + i);
        CU_ASSERT(candidate.priority < priority);
        priority = candidate.priority;
    }
    CU_ASSERT_EQUAL(list.len, 0);
}

static void as_many_addresses_as_a_host_may_have_fit(void)
{
    PealAddr addrs[PEAL_ADDRESSES_MAX];
    uint8_t bytes[ATTACH_CANDIDATES_LEN];
    Writer w = writer_make(bytes, sizeof(bytes));
    Host host;

    for (uint8_t i = 0; i < PEAL_ADDRESSES_MAX; i++) {
        addrs[i] = address(6, i);
    }
    host_init(&host, addrs, PEAL_ADDRESSES_MAX);
    attach_put_candidates(&host.peer, PEAL_SERVICE_RELOAD, &w);
    CU_ASSERT_FALSE(w.overflow);
}

/* Whether a host with `own` can use one of `theirs`, and which. */
static bool usable(const PealAddr *own, size_t own_len, const PealAddr *theirs, size_t theirs_len,
                   PealAddr *ret_addr)
{
    uint8_t bytes[LIST_MAX];
    Writer w = writer_make(bytes, sizeof(bytes));
    Host host;
    Host other;

    host_init(&host, own, own_len);
    host_init(&other, theirs, theirs_len);
    attach_put_candidates(&other.peer, PEAL_SERVICE_RELOAD, &w);
    return attach_usable_address(&host.peer, PEAL_SERVICE_RELOAD, writer_view(&w), ret_addr);
}

static void first_candidate_of_a_common_family_is_used(void)
{
    const PealAddr both[] = {address(6, 1), address(4, 2), address(6, 3), address(4, 4)};
    const PealAddr four = address(4, 9);
    const PealAddr six = address(6, 9);
    PealAddr used;

    CU_ASSERT_TRUE(usable(both, 4, both, 4, &used));
    CU_ASSERT(same_address(&used, &both[0]));
    CU_ASSERT_TRUE(usable(&four, 1, both, 4, &used));
    CU_ASSERT(same_address(&used, &both[1]));
    CU_ASSERT_TRUE(usable(&six, 1, &both[1], 3, &used));
    CU_ASSERT(same_address(&used, &both[2]));
    CU_ASSERT_TRUE(usable(both, 4, &four, 1, &used));
    CU_ASSERT(same_address(&used, &four));
}

static void hosts_without_a_common_family_cannot_meet(void)
{
    const PealAddr four = address(4, 9);
    const PealAddr six = address(6, 9);
    PealAddr used = four;

    CU_ASSERT_FALSE(usable(&four, 1, &six, 1, &used));
    CU_ASSERT_FALSE(usable(&six, 1, &four, 1, &used));
    CU_ASSERT_FALSE(usable(&six, 0, &six, 1, &used)); /* nowhere to listen is nowhere to go from */
    CU_ASSERT_FALSE(usable(&six, 1, &six, 0, &used));
    CU_ASSERT(same_address(&used, &four)); /* untouched on failure */
}

static void candidates_that_lead_nowhere_are_passed_over(void)
{
    const PealAddr four = address(4, 9);
    const PealAddr theirs = address(4, 5);
    static const uint8_t foundation[] = "1";
    uint8_t bytes[LIST_MAX];
    Writer w = writer_make(bytes, sizeof(bytes));
    ReloadCandidate candidate = {.addr = four,
                                 .link = RELOAD_LINK_TLS_TCP_FH_NO_ICE,
                                 .foundation = {foundation, 1},
                                 .priority = 2,
                                 .type = RELOAD_CANDIDATE_HOST};
    PealAddr used;
    Host host;

    host_init(&host, &four, 1);
    put_candidate(&w, &candidate);
    CU_ASSERT_FALSE(attach_usable_address(&host.peer, PEAL_SERVICE_RELOAD, writer_view(&w), &used));
    candidate.link = RELOAD_LINK_EXP;
    candidate.addr.port = 0;
    put_candidate(&w, &candidate);
    CU_ASSERT_FALSE(attach_usable_address(&host.peer, PEAL_SERVICE_RELOAD, writer_view(&w), &used));
    candidate.addr = theirs;
    put_candidate(&w, &candidate);
    CU_ASSERT_TRUE_FATAL(
        attach_usable_address(&host.peer, PEAL_SERVICE_RELOAD, writer_view(&w), &used));
    CU_ASSERT(same_address(&used, &theirs));
}

PEAL_TEST_MAIN("core/attach", PEAL_TEST(every_address_is_offered_best_first),
               PEAL_TEST(as_many_addresses_as_a_host_may_have_fit),
               PEAL_TEST(first_candidate_of_a_common_family_is_used),
               PEAL_TEST(hosts_without_a_common_family_cannot_meet),
               PEAL_TEST(candidates_that_lead_nowhere_are_passed_over))
