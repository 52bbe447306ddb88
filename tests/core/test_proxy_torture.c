/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_proxy_torture.c - the messages of RFC 4475 end to end: what an adapter makes of each, for
 * users of whom those that the texts call are registered.
 */
#include <glib.h>

#include "core/sip_script.h"
#include "peal_test.h"

enum { FORWARD = 1, DROP = 2 };

/* What each deserves: a final answer, FORWARD to the phone, or DROP. */
static const struct {
    const char *name;
    unsigned outcome;
} cases[] = {
    /* s.3.1.1: valid. */
    {"wsinv", FORWARD},
    {"intmeth", 404}, /* well-formed, but no AOR has a password */
    {"esc01", FORWARD},
    {"escnull", 200},
    {"esc02", FORWARD}, /* RE%47IST%45R is no REGISTER */
    {"lwsdisp", FORWARD},
    {"longreq", FORWARD},
    {"dblreq", 200},
    {"semiuri", FORWARD},
    {"transports", FORWARD},
    {"mpart01", FORWARD},
    {"unreason", DROP}, /* responses that nobody waits for */
    {"noreason", DROP},
    /* s.3.1.2: invalid. */
    {"badinv01", 400},
    {"clerr", 400},
    {"ncl", 400},
    {"scalar02", 400},
    {"scalarlg", DROP},
    {"quotbal", 400},
    {"ltgtruri", 400},
    {"lwsruri", 400},
    {"lwsstart", 400},
    {"trws", 400},
    {"escruri", 400},
    {"baddate", FORWARD}, /* a proxy reads no Date */
    {"regbadct", 400},
    {"badaspec", 400},
    {"baddn", 400},
    {"badvers", 505},
    {"mismatch01", 400},
    {"mismatch02", 400},
    {"bigcode", DROP},
    /* s.3.2, s.3.3, s.3.4. */
    {"badbranch", 400},
    {"insuf", 400},
    {"unkscm", 416},
    {"novelsc", 416},
    {"unksm2", 404}, /* no AOR of these domains */
    {"bext01", 420},
    {"invut", FORWARD},
    {"regaut01", 200},
    {"multi01", 400},
    {"mcl01", 400},
    {"bcast", DROP},
    {"zeromf", 200}, /* an OPTIONS may be answered where it ends */
    {"cparam01", 200},
    {"cparam02", 200},
    {"regescrt", 200},
    {"sdp01", FORWARD},
    {"inv2543", FORWARD},
};

static SipPhone *phone;
static unsigned outcome;

/* Listens to what the adapter says, wherever it goes. */
static bool listen_to(void *user, const PealAddr *from, const PealAddr *to, const char *text,
                      size_t len)
{
    const PealAddr adapter = sip_world_addr(0);
    char *copy = g_strndup(text, len);
    unsigned status = script_status(copy);

    (void)user;
    (void)to;
    if (memcmp(from->ip, adapter.ip, 4) == 0 && status >= 200) {
        outcome = status;
    } else if (memcmp(from->ip, adapter.ip, 4) == 0 && status == 0) {
        outcome = FORWARD;
    }
    g_free(copy);
    return false;
}

static void bind(const char *to)
{
    char from[256];
    char uri[64];

    snprintf(uri, sizeof(uri), "sip:%.11s", strrchr(to, '@') + 1);
    snprintf(from, sizeof(from), "%s;tag=1", to);
    script_request(phone, 0,
                   &(ScriptRequest){.method = "REGISTER",
                                    .uri = uri,
                                    .from = from,
                                    .to = to,
                                    .call_id = to + 1,
                                    .contact = "<sip:user@192.0.2.2>"});
    script_expect(phone, 200);
}

static void torture_messages_get_what_they_deserve(void)
{
    static const PealStr domains[] = {{"example.com", 11},
                                      {"example.org", 11},
                                      {"example.net", 11},
                                      {"company.com", 11}};
    g_autofree char *directory =
        g_build_filename(g_getenv("PEAL_SOURCE_ROOT"), "../shared/data/sip-torture", NULL);

    if (!g_file_test(directory, G_FILE_TEST_IS_DIR)) {
        PEAL_SKIP("needs ../shared/data/sip-torture");
    }
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        g_autofree char *file = g_strconcat(directory, "/", cases[i].name, ".dat", NULL);
        g_autofree char *text = NULL;
        gsize len = 0;
        SipWorld *world = sip_world_new(43);

        world->config.domains = domains;
        world->config.domains_len = sizeof(domains) / sizeof(domains[0]);
        sip_world_adapters(world, 1);
        phone = sip_phone(world, "192.0.2.2", 5060);
        bind("<sip:user@example.com>");
        bind("<sip:UserB@example.com>");
        bind("<sip:kumiko@example.org>");
        bind("<sip:sips%3Auser%40example.com@example.net>");
        bind("<sip:user;par=u%40example.net@example.com>");
        world->names[0] = (SipName){"services.example.com", 0, {{phone->addr, PEAL_UDP}}, 1};
        world->names[1] = (SipName){"registrar.example.com", 0, {{phone->addr, PEAL_UDP}}, 1};
        world->names_len = 2;
        outcome = DROP;
        world->lose = listen_to;
        CU_ASSERT_FATAL(g_file_get_contents(file, &text, &len, NULL));
        sip_phone_send_from(phone, 0, 0, text, len);
        sip_world_run(world, peal_seconds(2));
        if (outcome != cases[i].outcome) {
            printf("# %s: %u, not %u\n", cases[i].name, outcome, cases[i].outcome);
        }
        CU_ASSERT_EQUAL(outcome, cases[i].outcome);
        sip_world_free(world);
    }
}

PEAL_TEST_MAIN("core/proxy_torture", PEAL_TEST(torture_messages_get_what_they_deserve))
