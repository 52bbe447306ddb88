/* SPDX-License-Identifier: GPL-3.0-or-later */
/* config.c - a node's configuration file; see config.h. */
#include "config.h"

#include <scenarios/settings.h>

#include "address.h"
#include "file.h"
#include "keys.h"

enum { RELOAD_PORT = 6084, SIP_PORT = 5060 };

static bool config_fail(const NodeConfig *config, const char *section, const char *key,
                        GError **error, const char *format, ...) G_GNUC_PRINTF(5, 6);

/* An error about a key, or the file where the key is not in it. Returns false. */
static bool config_fail(const NodeConfig *config, const char *section, const char *key,
                        GError **error, const char *format, ...)
{
    const Setting *setting = settings_find(config->settings, section, key);
    va_list args;
    g_autofree char *text = NULL;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    if (setting != NULL) {
        g_set_error_literal(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE, text);
        settings_prefix(config->settings, setting, error);
        return false;
    }
    return settings_fail_at(config->settings, settings_section_line(config->settings, section),
                            SCENARIO_ERROR_VALUE, error, "[%s] %s: %s", section, key, text);
}

/* Cuts `HOST:PORT`, `[ADDRESS]:PORT` or either without port. */
static bool host_split(const char *word, uint16_t port, NodeHost *ret_host)
{
    const char *colon = strrchr(word, ':');
    const char *end = word + strlen(word);
    guint64 number;

    if (*word == '[') {
        end = strchr(word, ']');
        if (end == NULL || (end[1] != '\0' && end[1] != ':')) {
            return false;
        }
        colon = end[1] == ':' ? end + 1 : NULL;
        end++;
    } else if (colon != NULL && strchr(word, ':') != colon) {
        colon = NULL; /* an IPv6 address without brackets */
    } else if (colon != NULL) {
        end = colon;
    }
    if (colon != NULL) {
        if (!g_ascii_string_to_unsigned(colon + 1, 10, 0, UINT16_MAX, &number, NULL)) {
            return false;
        }
        port = (uint16_t)number;
    }
    ret_host->text = g_strdup(word);
    ret_host->host = g_strndup(word, (gsize)(end - word));
    ret_host->port = port;
    if (!address_parse_ip((PealStr){ret_host->host, strlen(ret_host->host)}, port,
                          &ret_host->addr)) {
        ret_host->addr = (PealAddr){0};
    }
    return true;
}

static bool name_is_good(const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || len > 253 || name[0] == '-' || name[0] == '.') {
        return false;
    }
    for (; *name != '\0'; name++) {
        if (!g_ascii_isalnum(*name) && strchr("-._", *name) == NULL) {
            return false;
        }
    }
    return true;
}

typedef struct HostsRule {
    const char *section;
    const char *key;
    uint16_t port;      /* where none is written; 0: it must be */
    bool names;         /* names are allowed too */
    bool any;           /* wildcards are */
    bool port_may_be_0; /* the system chooses */
} HostsRule;

static bool host_check(const NodeConfig *config, const HostsRule *rule, const char *word,
                       NodeHost *host, GError **error)
{
    const char *what = rule->names ? "HOST or HOST:PORT" : "ADDRESS:PORT";

    if (!host_split(word, rule->port, host)) {
        return config_fail(config, rule->section, rule->key, error,
                           "'%s' is no %s, such as 192.0.2.1:%u or [2001:db8::1]:%u", word, what,
                           rule->port, rule->port);
    }
    if (host->addr.family == 0 && (!rule->names || !name_is_good(host->host))) {
        return config_fail(config, rule->section, rule->key, error, "'%s' is no %s", host->host,
                           rule->names ? "host name or numeric address" : "numeric address");
    }
    if (host->port == 0 && !rule->port_may_be_0) {
        return config_fail(config, rule->section, rule->key, error,
                           "'%s' has port 0: write a port from 1 to 65535", word);
    }
    if (host->addr.family != 0 && address_is_any(&host->addr) && !rule->any) {
        return config_fail(config, rule->section, rule->key, error,
                           "'%s' stands for all addresses: write one that others can reach", word);
    }
    if (host->addr.family != 0 && address_is_multicast(&host->addr)) {
        return config_fail(config, rule->section, rule->key, error, "'%s' is a group's address",
                           word);
    }
    return true;
}

static bool parse_hosts(const NodeConfig *config, const HostsRule *rule, NodeHosts *hosts,
                        GError **error)
{
    guint len = hosts->words == NULL ? 0 : g_strv_length(hosts->words);

    if (len == 1 && strcmp(hosts->words[0], "none") == 0) {
        len = 0;
    }
    hosts->item = g_new0(NodeHost, len + 1);
    for (guint i = 0; i < len; i++) {
        hosts->len = i + 1;
        if (!host_check(config, rule, hosts->words[i], &hosts->item[i], error)) {
            return false;
        }
        for (guint j = 0; j < i; j++) {
            if (hosts->item[i].port == hosts->item[j].port && hosts->item[i].port != 0 &&
                strcmp(hosts->item[i].host, hosts->item[j].host) == 0) {
                return config_fail(config, rule->section, rule->key, error,
                                   "'%s' stands there twice", hosts->words[i]);
            }
        }
    }
    return true;
}

static bool parse_all_hosts(NodeConfig *config, GError **error)
{
    static const HostsRule listen = {"overlay", "listen", RELOAD_PORT, false, true, true};
    static const HostsRule advertise = {"overlay", "advertise", RELOAD_PORT, false, false, false};
    static const HostsRule bootstrap = {"overlay", "bootstrap", RELOAD_PORT, true, false, false};
    static const HostsRule sip_listen = {"sip", "listen", SIP_PORT, false, true, true};
    static const HostsRule sip_advertise = {"sip", "advertise", SIP_PORT, false, false, false};
    static const HostsRule dns = {"node", "dns", 53, false, false, false};
    static const HostsRule http_listen = {"http", "listen", 6301, false, true, true};

    return parse_hosts(config, &dns, &config->dns, error) &&
           parse_hosts(config, &listen, &config->listen, error) &&
           parse_hosts(config, &advertise, &config->advertise, error) &&
           parse_hosts(config, &bootstrap, &config->bootstrap, error) &&
           parse_hosts(config, &sip_listen, &config->sip_listen, error) &&
           parse_hosts(config, &sip_advertise, &config->sip_advertise, error) &&
           parse_hosts(config, &http_listen, &config->http_listen, error);
}

static bool check_overlay(NodeConfig *config, GError **error)
{
    if (config->listen.len == 0) {
        return config_fail(config, "overlay", "listen", error,
                           "a peer must listen somewhere: write ADDRESS:PORT");
    }
    if (!config->insecure_links) {
        return config_fail(config, "overlay", "insecure-links", error,
                           "links of this version are neither encrypted nor authenticated, so that "
                           "anybody who reaches the port can pose as any peer: write "
                           "insecure-links = yes if the overlay lives in a network that you trust");
    }
    if (!config->first && config->bootstrap.len == 0) {
        return config_fail(config, "overlay", "bootstrap", error,
                           "whom shall the node join? Write bootstrap = HOST:PORT of a peer of the "
                           "overlay, or first = yes to found it");
    }
    return scenario_check_overlay(config->overlay, error);
}

static bool read_algorithms(NodeConfig *config, GError **error)
{
    for (guint i = 0; config->sip_algorithms[i] != NULL; i++) {
        const char *word = config->sip_algorithms[i];
        bool md5 = g_ascii_strcasecmp(word, "MD5") == 0;

        if (!md5 && g_ascii_strcasecmp(word, "SHA-256") != 0) {
            return config_fail(config, "sip", "digest-algorithms", error,
                               "no such algorithm '%s'; there are SHA-256 and MD5", word);
        }
        config->sip.algorithms[i] = md5 ? PEAL_HASH_MD5 : PEAL_HASH_SHA256;
        config->sip.algorithms_len = (uint8_t)(i + 1);
    }
    if (config->sip.algorithms_len == 2 && config->sip.algorithms[0] == config->sip.algorithms[1]) {
        return config_fail(config, "sip", "digest-algorithms", error,
                           "the same algorithm stands there twice");
    }
    return true;
}

static bool read_domains(NodeConfig *config, GError **error)
{
    guint len;
    PealStr *domains;

    if (config->sip_domains == NULL) {
        config->sip_domains = g_new0(char *, 2);
        config->sip_domains[0] = g_strdup(config->overlay->overlay_name);
    }
    len = g_strv_length(config->sip_domains);
    domains = g_new0(PealStr, len);
    config->sip.domains = domains;
    config->sip.domains_len = len;
    for (guint i = 0; i < len; i++) {
        char *lower = g_ascii_strdown(config->sip_domains[i], -1);
        PealAddr addr;

        g_free(config->sip_domains[i]);
        config->sip_domains[i] = lower;
        domains[i] = (PealStr){lower, strlen(lower)};
        if (!name_is_good(lower) && !address_parse_ip(domains[i], 0, &addr)) {
            return config_fail(config, "sip", "domain", error, "'%s' is no domain", lower);
        }
    }
    return true;
}

static bool check_sip(NodeConfig *config, GError **error)
{
    const PealSipConfig *sip = &config->sip;
    const char *field;

    if (sip->min_expires_s > sip->max_expires_s) {
        return config_fail(config, "sip", "max-expires", error, "it is shorter than min-expires");
    }
    if (sip->default_expires_s > sip->max_expires_s ||
        sip->default_expires_s < sip->min_expires_s) {
        if (settings_find(config->settings, "sip", "default-expires") != NULL) {
            return config_fail(config, "sip", "default-expires", error,
                               "it does not lie between min-expires and max-expires");
        }
        config->sip.default_expires_s =
            CLAMP(sip->default_expires_s, sip->min_expires_s, sip->max_expires_s);
    }
    if (sip->t2.ns < sip->t1.ns) {
        return config_fail(config, "sip", "t2", error, "it is shorter than t1");
    }
    if (sip->timer_b.ns < sip->t1.ns) {
        return config_fail(config, "sip", "timer-b", error, "it is shorter than t1");
    }
    if (peal_sip_check(sip, &field) != 0) {
        return config_fail(config, "sip", field, error,
                           "out of range, or it does not fit the other keys");
    }
    return true;
}

static bool config_build(NodeConfig *config, GError **error)
{
    const KeyFile *file = node_keys();
    const ScenarioSettings *settings = config->settings;

    if (!key_file_check(file, settings, error) ||
        !key_table_apply(&file->tables[NODE_KEYS_FIRST], settings, config, error) ||
        !key_table_apply(&file->tables[NODE_KEYS_OVERLAY], settings, config->overlay, error) ||
        !key_table_apply(&file->tables[NODE_KEYS_LAST], settings, config, error)) {
        return false;
    }
    return parse_all_hosts(config, error) && check_overlay(config, error) &&
           read_algorithms(config, error) && read_domains(config, error) &&
           check_sip(config, error);
}

NodeConfig *node_config_load_text(const char *path, const char *text, gsize len,
                                  const char *const *sets, GError **error)
{
    g_autoptr(NodeConfig) config = g_new0(NodeConfig, 1);

    config->settings = settings_read(node_keys(), path, text, len, error);
    if (config->settings == NULL) {
        return NULL;
    }
    for (; sets != NULL && *sets != NULL; sets++) {
        if (!settings_override(config->settings, *sets, error)) {
            return NULL;
        }
    }
    config->path = g_strdup(path);
    config->overlay = g_new0(Scenario, 1);
    config->overlay->settings = settings_copy(config->settings);
    peal_overlay_defaults(&config->overlay->overlay);
    peal_sip_defaults(&config->sip);
    if (!config_build(config, error)) {
        return NULL;
    }
    return g_steal_pointer(&config);
}

NodeConfig *node_config_load(const char *path, const char *const *sets, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) inner = NULL;
    gsize len;

    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_FILE,
                    "%s: no such file; `peal node --example` prints one to begin with", path);
        return NULL;
    }
    text = file_read(path, SETTINGS_TEXT_MAX, &len, &inner);
    if (text == NULL) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_FILE, "cannot read the configuration: %s",
                    inner->message);
        return NULL;
    }
    return node_config_load_text(path, text, len, sets, error);
}

static void hosts_clear(NodeHosts *hosts)
{
    for (size_t i = 0; i < hosts->len; i++) {
        g_free(hosts->item[i].text);
        g_free(hosts->item[i].host);
    }
    g_free(hosts->item);
    g_strfreev(hosts->words);
}

void node_config_free(NodeConfig *config)
{
    if (config == NULL) {
        return;
    }
    hosts_clear(&config->dns);
    hosts_clear(&config->listen);
    hosts_clear(&config->advertise);
    hosts_clear(&config->bootstrap);
    hosts_clear(&config->sip_listen);
    hosts_clear(&config->sip_advertise);
    hosts_clear(&config->http_listen);
    g_free((void *)config->sip.domains);
    g_strfreev(config->sip_domains);
    g_strfreev(config->sip_algorithms);
    g_free(config->sip_users);
    g_free(config->emulate.scenario);
    g_free(config->state_dir);
    g_free(config->log);
    g_free(config->control);
    g_free(config->capture);
    g_free(config->path);
    scenario_free(config->overlay);
    settings_free(config->settings);
    g_free(config);
}
