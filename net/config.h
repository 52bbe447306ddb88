/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * config.h - a node's configuration file, read and checked.
 * Source: none.   State: one struct, never changed after loading.   Time: none.
 *
 * Errors are GErrors of SCENARIO_ERROR, worded as the scenario loader words them: where
 * (file:line), which key, what is wrong with it and what would be right.
 */
#ifndef NET_CONFIG_H
#define NET_CONFIG_H

#include <scenarios/scenario.h>

typedef enum NodeLogLevel {
    NODE_LOG_ERROR,
    NODE_LOG_WARNING,
    NODE_LOG_NOTICE,
    NODE_LOG_INFO,
    NODE_LOG_DEBUG
} NodeLogLevel;

/* One item of a list of addresses or hosts. */
typedef struct NodeHost {
    char *text; /* as written */
    char *host; /* without port and brackets */
    uint16_t port;
    PealAddr addr; /* family 0: host is a name */
} NodeHost;

typedef struct NodeHosts {
    char **words; /* as written, NULL-terminated; NULL: the key is not there */
    NodeHost *item;
    size_t len;
} NodeHosts;

/* The node's place in a scenario that runs on sockets. */
typedef struct NodeEmulate {
    char *scenario; /* NULL: none */
    uint64_t seed;
    uint32_t peer;      /* index of the peer, from 0 */
    uint16_t base_port; /* peer k has SIP at this plus 10 k, RELOAD one above; 0: SIP at 5060 plus
                           10 k, RELOAD at 6084 plus 10 k */
} NodeEmulate;

typedef struct NodeConfig {
    char *path; /* as given */

    char *state_dir; /* NULL: nothing is kept over a restart */
    char *log;       /* NULL: standard error */
    NodeLogLevel log_level;
    char *control;          /* NULL: none */
    char *capture;          /* NULL: none */
    uint64_t capture_limit; /* bytes */
    uint64_t memory;        /* bytes */
    NodeHosts dns;          /* none: the system's */

    Scenario *overlay; /* its `overlay` and `overlay_name` */
    bool insecure_links;
    bool first;
    NodeHosts listen;
    NodeHosts advertise;
    NodeHosts bootstrap;

    PealSipConfig sip; /* `domains` points into sip_domains' texts */
    NodeHosts sip_listen;
    NodeHosts sip_advertise;
    char **sip_domains; /* NULL-terminated */
    char *sip_users;    /* NULL: every user of the domains is taken, without a password */
    char **sip_algorithms;
    uint32_t sip_connections;
    uint32_t sip_connections_each; /* from one address */

    NodeHosts http_listen; /* none: no HTTP */

    NodeEmulate emulate;

    struct ScenarioSettings *settings;
} NodeConfig;

/* node_config_load reads a file; sets are NULL-terminated `section.key=value` texts or NULL. */
NodeConfig *node_config_load(const char *path, const char *const *sets, GError **error);
NodeConfig *node_config_load_text(const char *path, const char *text, gsize len,
                                  const char *const *sets, GError **error);
void node_config_free(NodeConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NodeConfig, node_config_free)

/* node_config_example is a commented file with every key and its default. Text to g_free. */
char *node_config_example(void);

#endif
