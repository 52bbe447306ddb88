/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_config.c - a node's configuration: defaults, lists, errors, reference and example. */
#include "config.h"

#include <net/node.h>

#include "keys.h"
#include "peal_test.h"

#define BASE "[overlay]\ninsecure-links = yes\nfirst = yes\n"

static NodeConfig *load(const char *text, GError **error)
{
    return node_config_load_text("node.conf", text, strlen(text), NULL, error);
}

static void config_of_an_overlay_alone_has_the_defaults(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NodeConfig) config = load(BASE, &error);
    PealOverlay overlay;

    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    peal_overlay_defaults(&overlay);
    CU_ASSERT_EQUAL(config->overlay->overlay.message_max, overlay.message_max);
    CU_ASSERT_EQUAL(config->overlay->overlay.fingers, overlay.fingers);
    CU_ASSERT_EQUAL(config->overlay->overlay.update_interval.ns, overlay.update_interval.ns);
    CU_ASSERT_EQUAL(config->listen.len, 2);
    CU_ASSERT_EQUAL(config->listen.item[0].addr.port, 6084);
    CU_ASSERT_EQUAL(config->listen.item[1].addr.family, 6);
    CU_ASSERT_EQUAL(config->sip_listen.item[0].port, 5060);
    CU_ASSERT_EQUAL(config->http_listen.item[0].port, 6301);
    CU_ASSERT_STRING_EQUAL(config->sip_domains[0], config->overlay->overlay_name);
    CU_ASSERT_EQUAL(config->sip.min_expires_s, 60);
    CU_ASSERT_EQUAL(config->sip.algorithms[0], PEAL_HASH_SHA256);
    CU_ASSERT_EQUAL(config->log_level, NODE_LOG_NOTICE);
    CU_ASSERT_PTR_NULL(config->state_dir);
}

static void config_values_are_read_in_all_sections(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NodeConfig) config =
        load("[node]\nlog-level = debug # all of it\nmemory = 64MiB\n"
             "[overlay]\nname = test.example\ninsecure-links = yes\nlink = tcp\n"
             "successors = 4\nlisten = 127.0.0.1:7000, [::1]:7001\n"
             "bootstrap = peal.example.org, 192.0.2.1:7002, [2001:db8::1]\n"
             "[sip]\nlisten = none\ndomain = Example.ORG, p2p.test\nmin-expires = 2s\n"
             "digest-algorithms = md5\ntimer-b = 4s\nt1 = 100ms\n[http]\nlisten = none\n",
             &error);

    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    CU_ASSERT_EQUAL(config->log_level, NODE_LOG_DEBUG);
    CU_ASSERT_EQUAL(config->memory, 64 << 20);
    CU_ASSERT_EQUAL(config->overlay->overlay.link, PEAL_TCP);
    CU_ASSERT_EQUAL(config->overlay->overlay.successors, 4);
    CU_ASSERT_EQUAL(config->overlay->overlay.predecessors, 8);
    CU_ASSERT_EQUAL(config->listen.item[1].port, 7001);
    CU_ASSERT_EQUAL(config->bootstrap.len, 3);
    CU_ASSERT_STRING_EQUAL(config->bootstrap.item[0].host, "peal.example.org");
    CU_ASSERT_EQUAL(config->bootstrap.item[0].addr.family, 0);
    CU_ASSERT_EQUAL(config->bootstrap.item[0].port, 6084);
    CU_ASSERT_EQUAL(config->bootstrap.item[1].addr.port, 7002);
    CU_ASSERT_EQUAL(config->bootstrap.item[2].addr.family, 6);
    CU_ASSERT_EQUAL(config->sip_listen.len, 0);
    CU_ASSERT_EQUAL(config->http_listen.len, 0);
    CU_ASSERT_STRING_EQUAL(config->sip_domains[0], "example.org");
    CU_ASSERT_EQUAL(config->sip.domains_len, 2);
    CU_ASSERT_EQUAL(config->sip.min_expires_s, 2);
    CU_ASSERT_EQUAL(config->sip.algorithms_len, 1);
    CU_ASSERT_EQUAL(config->sip.timer_b.ns, peal_seconds(4).ns);
}

static void config_errors_name_place_key_and_remedy(void)
{
    static const struct {
        const char *text;
        const char *says;
    } CASES[] = {
        {"[sip]\n", "node.conf: is no node configuration: it has no [overlay] section"},
        {"[overlay]\nfirst = yes\n", "node.conf:1: [overlay] insecure-links: links of this"},
        {"[overlay]\ninsecure-links = yes\n", "node.conf:1: [overlay] bootstrap: whom shall"},
        {BASE "lissten = 1.2.3.4:5\n", "node.conf:4: overlay.lissten = 1.2.3.4:5: unknown key "
                                       "'lissten' in [overlay]; the nearest is 'listen'"},
        {BASE "[sipp]\n", "node.conf:4: unknown section [sipp]; the nearest is [sip]"},
        {BASE "[overlay]\n", "node.conf:4: duplicate section [overlay]"},
        {BASE "first = yes\n", "node.conf:4: duplicate key 'first'"},
        {BASE "peers = 5\n", "node.conf:4: overlay.peers = 5: unknown key 'peers'"},
        {BASE "state-dir = x\n", "it belongs to [node]"},
        {BASE "listen = here:1\n", "node.conf:4: overlay.listen = here:1: 'here' is no numeric"},
        {BASE "listen = 1.2.3.4:99999\n", "is no ADDRESS:PORT"},
        {BASE "listen = 1.2.3.4:1,,2.3.4.5:1\n", "item 2 of the list is empty"},
        {BASE "listen = 1.2.3.4:1, 1.2.3.4:1\n", "stands there twice"},
        {BASE "listen = none\n", "a peer must listen somewhere"},
        {BASE "advertise = 0.0.0.0\n", "write one that others can reach"},
        {BASE "request-lifetime = 1s\n", "a request must live at least as long as its timeout"},
        {BASE "replicas = 9\n", "replicas live on successors"},
        {BASE "crypto = openssl\n", "not available in this version"},
        {BASE "[sip]\nmin-expires = 2\n", "lacks its unit"},
        {BASE "[sip]\nmin-expires = 1500ms\n", "it takes whole seconds"},
        {BASE "[sip]\nmax-expires = 10s\n", "it is shorter than min-expires"},
        {BASE "[sip]\ndigest-algorithms = SHA-1\n", "there are SHA-256 and MD5"},
        {BASE "[sip]\ndomain = a b\n", "'a b' is no domain"},
        {BASE "[node]\nlog-level = loud\n", "it takes error or warning or notice or info or debug"},
        {BASE "[node]\nmemory = 1MiB\n", "out of range: it takes 16MiB to 1TiB"},
        {BASE "[node]\nmemory = 64MB\n", "unknown unit 'MB'"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(NodeConfig) config = load(CASES[i].text, &error);

        CU_ASSERT_PTR_NULL(config);
        if (error == NULL || strstr(error->message, CASES[i].says) == NULL) {
            printf("# %s\n# %s\n", CASES[i].says, error == NULL ? "no error" : error->message);
            CU_FAIL("an error says something else");
        }
    }
}

static void config_option_replaces_a_value(void)
{
    const char *const sets[] = {"sip.timer-b=8s", "overlay.link=tcp", NULL};
    const char *const bad[] = {"sip.timerb=8s", NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(NodeConfig) config = node_config_load_text("n", BASE, strlen(BASE), sets, &error);
    g_autoptr(NodeConfig) none = node_config_load_text("n", BASE, strlen(BASE), bad, &error);

    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    CU_ASSERT_EQUAL(config->sip.timer_b.ns, peal_seconds(8).ns);
    CU_ASSERT_EQUAL(config->overlay->overlay.link, PEAL_TCP);
    CU_ASSERT_PTR_NULL(none);
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "--set sip.timerb=8s: unknown key"));
}

static void config_keys_are_named_once_and_described(void)
{
    const KeyFile *file = node_keys();

    for (size_t i = 0; i < file->tables_len; i++) {
        for (const Key *key = key_table_next(&file->tables[i], NULL); key != NULL;
             key = key_table_next(&file->tables[i], key)) {
            CU_ASSERT_PTR_EQUAL(key_file_find(file, key->section, key->name), key);
            CU_ASSERT_TRUE(strlen(key->help) > 10);
            CU_ASSERT_TRUE((key->fallback == NULL) == (key->absent != NULL));
        }
    }
}

static void config_example_names_every_key_and_loads(void)
{
    g_autofree char *example = node_config_example();
    g_autoptr(GError) error = NULL;
    g_autoptr(NodeConfig) config = load(example, &error);
    const KeyFile *file = node_keys();

    CU_ASSERT_PTR_NOT_NULL(config);
    for (size_t i = 0; i < file->tables_len; i++) {
        for (const Key *key = key_table_next(&file->tables[i], NULL); key != NULL;
             key = key_table_next(&file->tables[i], key)) {
            g_autofree char *line = g_strdup_printf("\n%s = ", key->name);
            g_autofree char *comment = g_strdup_printf("\n#%s = ", key->name);

            CU_ASSERT(strstr(example, line) != NULL || strstr(example, comment) != NULL);
        }
    }
}

static void config_reference_in_the_tree_is_up_to_date(void)
{
    g_autofree char *path = g_build_filename(g_getenv("PEAL_SOURCE_ROOT"), "net/KEYS.md", NULL);
    g_autofree char *kept = NULL;
    g_autofree char *made = node_keys_text(true);

    CU_ASSERT_TRUE_FATAL(g_file_get_contents(path, &kept, NULL, NULL));
    /* If not: peal help keys node --markdown > net/KEYS.md */
    CU_ASSERT_STRING_EQUAL(kept, made);
}

static void config_reference_fits_a_terminal(void)
{
    g_autofree char *text = node_keys_text(false);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (size_t i = 0; lines[i] != NULL; i++) {
        CU_ASSERT(strlen(lines[i]) <= 100);
    }
}

PEAL_TEST_MAIN("net/config", PEAL_TEST(config_of_an_overlay_alone_has_the_defaults),
               PEAL_TEST(config_values_are_read_in_all_sections),
               PEAL_TEST(config_errors_name_place_key_and_remedy),
               PEAL_TEST(config_option_replaces_a_value),
               PEAL_TEST(config_keys_are_named_once_and_described),
               PEAL_TEST(config_example_names_every_key_and_loads),
               PEAL_TEST(config_reference_in_the_tree_is_up_to_date),
               PEAL_TEST(config_reference_fits_a_terminal))
