/* SPDX-License-Identifier: GPL-3.0-or-later */
/* keys.c - the tables of a node's keys, and what is made of them; see keys.h. */
#include "keys.h"

#include <net/node.h>
#include <stddef.h>

static const char INTRODUCTION[] =
    "A node's configuration is a file of [sections] with lines key = value; # begins a comment. "
    "Every quantity carries its unit: 50ms, 10min, 1h (ns, us, ms, s, min, h, d), 64MiB (B, KiB, "
    "MiB, GiB, TiB). `--set section.key=value` replaces one value. Only [overlay] must be there. "
    "`peal node --example` prints a file with every key.";

#define FIELD(member) offsetof(NodeConfig, member), sizeof(((NodeConfig *)NULL)->member)

#define MS UINT64_C(1000000)
#define S (1000 * MS)
#define MIN_ (60 * S)
#define H (60 * MIN_)
#define D (24 * H)
#define MIB (UINT64_C(1) << 20)
#define TIB (UINT64_C(1) << 40)

static const KeyChoice YES_NO[] = {{"yes", true, NULL}, {"no", false, NULL}, {NULL, 0, NULL}};
static const KeyChoice LEVELS[] = {{"error", NODE_LOG_ERROR, NULL},
                                   {"warning", NODE_LOG_WARNING, NULL},
                                   {"notice", NODE_LOG_NOTICE, NULL},
                                   {"info", NODE_LOG_INFO, NULL},
                                   {"debug", NODE_LOG_DEBUG, NULL},
                                   {NULL, 0, NULL}};

static const Key ROWS[] = {
    {"node", "state-dir", KEY_PATH, NULL, FIELD(state_dir), 0, 0, NULL, "nothing is kept",
     "Directory of what survives a restart: the Node-ID and the registrations of phones. One node "
     "at a time uses it."},
    {"node", "log", KEY_PATH, NULL, FIELD(log), 0, 0, NULL, "standard error",
     "File of the log; SIGHUP opens it anew."},
    {"node", "log-level", KEY_CHOICE, LEVELS, FIELD(log_level), 0, 0, "notice", NULL,
     "What is written to the log: this level and those before it."},
    {"node", "control", KEY_PATH, NULL, FIELD(control), 0, 0, NULL, "none",
     "Path of the UNIX socket that peal status, lookup, register and call use."},
    {"node", "capture", KEY_PATH, NULL, FIELD(capture), 0, 0, NULL, "none",
     "File for a capture of the node's own RELOAD and SIP traffic, which Wireshark opens."},
    {"node", "capture-limit", KEY_BYTES, NULL, FIELD(capture_limit), MIB, TIB, "1GiB", NULL,
     "The capture stops growing at this size."},
    {"node", "memory", KEY_BYTES, NULL, FIELD(memory), 16 * MIB, TIB, "512MiB", NULL,
     "Most that the peer may hold: values of the overlay, registrations, transactions."},
    {"node", "dns", KEY_WORDS, NULL, FIELD(dns), 1, 8, NULL, "the system's",
     "Name servers to ask (ADDRESS[:PORT]); /etc/hosts is asked before them."},

    {"overlay", "insecure-links", KEY_CHOICE, YES_NO, FIELD(insecure_links), 0, 0, "no", NULL,
     "yes: links to other peers are neither encrypted nor authenticated. This version has no "
     "others, so it must be yes: keep the overlay in a network that you trust."},
    {"overlay", "listen", KEY_WORDS, NULL, FIELD(listen), 1, PEAL_ADDRESSES_MAX,
     "0.0.0.0:6084, [::]:6084", NULL, "Addresses (ADDRESS:PORT) at which other peers link up."},
    {"overlay", "advertise", KEY_WORDS, NULL, FIELD(advertise), 1, PEAL_ADDRESSES_MAX, NULL,
     "where the node listens; all of the host's addresses where that is a wildcard",
     "Addresses (ADDRESS[:PORT]) that other peers are told, the best first."},
    {"overlay", "bootstrap", KEY_WORDS, NULL, FIELD(bootstrap), 1, 8, NULL, "none",
     "Peers (HOST[:PORT]) through which the node joins. They are tried in turn, with growing "
     "waits, "
     "until one answers."},
    {"overlay", "first", KEY_CHOICE, YES_NO, FIELD(first), 0, 0, "no", NULL,
     "yes: the node founds the overlay: at once without bootstrap, else when no peer of the "
     "overlay "
     "answers within 5 s, so that it comes back into the one that lives on."},

    {"sip", "listen", KEY_WORDS, NULL, FIELD(sip_listen), 1, PEAL_ADDRESSES_MAX,
     "0.0.0.0:5060, [::]:5060", NULL,
     "Addresses (ADDRESS:PORT) for phones, over UDP and TCP; none: the peer serves no phones."},
    {"sip", "advertise", KEY_WORDS, NULL, FIELD(sip_advertise), 1, PEAL_ADDRESSES_MAX, NULL,
     "where the node listens; all of the host's addresses where that is a wildcard",
     "Addresses (ADDRESS[:PORT]) that phones and other peers reach the node's SIP at; as many as "
     "there are of them go into Via and Record-Route."},
    {"sip", "domain", KEY_WORDS, NULL, FIELD(sip_domains), 1, 64, NULL, "the overlay's name",
     "Domains of the AORs that the overlay serves."},
    {"sip", "users", KEY_PATH, NULL, FIELD(sip_users), 0, 0, NULL,
     "none: every user of the domains is taken, without a password",
     "File of user:domain:password lines, or SQLite database with these columns in a table users. "
     "SIGHUP reads it anew."},
    {"sip", "digest-algorithms", KEY_WORDS, NULL, FIELD(sip_algorithms), 1, 2, "SHA-256, MD5", NULL,
     "Offered in challenges, in this order."},
    {"sip", "record-route", KEY_CHOICE, YES_NO, FIELD(sip.record_route), 0, 0, "yes", NULL,
     "yes: the node stays in the way of what follows a call's first request."},
    {"sip", "min-expires", KEY_SECONDS, NULL, FIELD(sip.min_expires_s), S, H, "60s", NULL,
     "Registrations that ask for less are refused (423)."},
    {"sip", "default-expires", KEY_SECONDS, NULL, FIELD(sip.default_expires_s), S, 365 * D, "1h",
     NULL, "Of a registration that asks for no time."},
    {"sip", "max-expires", KEY_SECONDS, NULL, FIELD(sip.max_expires_s), S, 365 * D, "1d", NULL,
     "Registrations that ask for more get this."},
    {"sip", "max-aors", KEY_COUNT, NULL, FIELD(sip.aors_max), 1, 10000000, "100000", NULL,
     "AORs registered at this node at a time."},
    {"sip", "max-contacts", KEY_COUNT, NULL, FIELD(sip.contacts_max), 1, 100, "10", NULL,
     "Contacts of one AOR at this node."},
    {"sip", "max-targets", KEY_COUNT, NULL, FIELD(sip.targets_max), 1, 32, "10", NULL,
     "Places that one request is forked to."},
    {"sip", "max-transactions", KEY_COUNT, NULL, FIELD(sip.transactions_max), 100, 10000000,
     "100000", NULL, "SIP transactions at a time; more requests are answered 503."},
    {"sip", "max-connections", KEY_COUNT, NULL, FIELD(sip_connections), 1, 1000000, "4096", NULL,
     "TCP connections of phones at a time; fewer where the system allows fewer descriptors."},
    {"sip", "max-connections-per-address", KEY_COUNT, NULL, FIELD(sip_connections_each), 1, 1000000,
     "256", NULL, "Of them from one address."},
    {"sip", "nonce-lifetime", KEY_SPAN, NULL, FIELD(sip.nonce_lifetime), S, D, "5min", NULL,
     "A challenge may be answered for so long."},
    {"sip", "t1", KEY_SPAN, NULL, FIELD(sip.t1), 10 * MS, 10 * S, "500ms", NULL,
     "RFC 3261's T1: an estimate of the round trip to phones."},
    {"sip", "t2", KEY_SPAN, NULL, FIELD(sip.t2), 100 * MS, 60 * S, "4s", NULL,
     "RFC 3261's T2: the longest time between retransmissions."},
    {"sip", "t4", KEY_SPAN, NULL, FIELD(sip.t4), 100 * MS, 60 * S, "5s", NULL,
     "RFC 3261's T4: the longest life of a message in the network."},
    {"sip", "timer-b", KEY_SPAN, NULL, FIELD(sip.timer_b), S, 10 * MIN_, "32s", NULL,
     "RFC 3261's timers B and F: until a request without any answer has failed."},
    {"sip", "timer-c", KEY_SPAN, NULL, FIELD(sip.timer_c), S, H, "185s", NULL,
     "RFC 3261's timer C: until a call that rings is given up; over 3min but for tests."},
    {"sip", "fork-wait", KEY_SPAN, NULL, FIELD(sip.fork_wait), S, 3 * MIN_, "20s", NULL,
     "Contacts of lower q are tried after those before have rung for so long."},

    {"http", "listen", KEY_WORDS, NULL, FIELD(http_listen), 1, PEAL_ADDRESSES_MAX, "127.0.0.1:6301",
     NULL, "Addresses (ADDRESS:PORT) of the status page and /status.json; none: there is no page."},

    {"emulate", "scenario", KEY_PATH, NULL, FIELD(emulate.scenario), 0, 0, NULL, "none",
     "The node is a peer of this scenario: Node-ID, draws and network are the scenario's. Set by "
     "peal run --on sockets."},
    {"emulate", "seed", KEY_COUNT, NULL, FIELD(emulate.seed), 0, (UINT64_C(1) << 53) - 1, "1", NULL,
     "Of the replication."},
    {"emulate", "peer", KEY_COUNT, NULL, FIELD(emulate.peer), 0, SCENARIO_PEERS_MAX - 1, "0", NULL,
     "Which of the scenario's peers the node is, from 0."},
    {"emulate", "base-port", KEY_COUNT, NULL, FIELD(emulate.base_port), 0, 65000, "0", NULL,
     "Peer k from 0 has SIP at this port plus 10 k, RELOAD one above; 0: at 5060 and 6084 plus "
     "10 k."},
};

static bool is_first(const Key *key)
{
    return strcmp(key->section, "node") == 0 || strcmp(key->section, "overlay") == 0;
}

static bool is_last(const Key *key)
{
    return !is_first(key);
}

/* What a scenario says of its overlay's beginning means nothing to one node. */
static bool is_shared(const Key *key)
{
    static const char *const OF_SCENARIOS[] = {"peers", "routing", "start", "join-interval",
                                               "server-keeps"};

    for (size_t i = 0; i < G_N_ELEMENTS(OF_SCENARIOS); i++) {
        if (strcmp(key->name, OF_SCENARIOS[i]) == 0) {
            return false;
        }
    }
    return strcmp(key->section, "overlay") == 0 || strcmp(key->section, "defence") == 0;
}

static KeyTable tables[NODE_KEYS_TABLES] = {
    [NODE_KEYS_FIRST] = {ROWS, G_N_ELEMENTS(ROWS), is_first},
    [NODE_KEYS_OVERLAY] = {KEYS, 0, is_shared},
    [NODE_KEYS_LAST] = {ROWS, G_N_ELEMENTS(ROWS), is_last},
};

const KeyFile *node_keys(void)
{
    static const KeyFile file = {"node configuration", "a", "overlay", tables, NODE_KEYS_TABLES};

    tables[NODE_KEYS_OVERLAY].len = KEYS_LEN;
    return &file;
}

char *node_keys_text(bool markdown)
{
    GString *text = g_string_new(NULL);

    if (markdown) {
        g_string_append(text, "# Node keys\n\nGenerated by `peal help keys node --markdown`.\n\n");
    }
    if (markdown) {
        g_string_append_printf(text, "%s\n", INTRODUCTION);
    } else {
        key_text_wrapped(text, INTRODUCTION);
    }
    key_file_text(node_keys(), markdown, text);
    return g_string_free(text, FALSE);
}

/* The example of a file. */

/* What stands there in place of a default: without it the file would be refused, or there is
 * none. `live`: not a comment. */
static const struct {
    const char *section;
    const char *name;
    const char *value;
    bool live;
} EXAMPLES[] = {
    {"node", "state-dir", "/var/lib/peal", true},
    {"node", "log", "/var/log/peal/peal.log", false},
    {"node", "control", "/run/peal/control", true},
    {"node", "capture", "/var/lib/peal/traffic.pcap", false},
    {"node", "dns", "192.0.2.53", false},
    {"overlay", "insecure-links", "yes", true},
    {"overlay", "advertise", "192.0.2.1:6084", false},
    {"overlay", "bootstrap", "peal.example.org", true},
    {"overlay", "successors", "8", false},
    {"overlay", "predecessors", "8", false},
    {"sip", "advertise", "192.0.2.1:5060", false},
    {"sip", "domain", "example.org", true},
    {"sip", "users", "/etc/peal/users", false},
    {"emulate", "scenario", "lookup.conf", false},
    {"emulate", "seed", "1", false},
    {"emulate", "peer", "0", false},
    {"emulate", "base-port", "0", false},
};

/* Adds text as comments of at most 80 columns. */
static void append_comment(GString *text, const char *words)
{
    g_auto(GStrv) parts = g_strsplit(words, " ", -1);
    size_t column = 0;

    for (guint i = 0; parts[i] != NULL; i++) {
        if (column == 0 || column + 1 + strlen(parts[i]) > 80) {
            g_string_append(text, column == 0 ? "#" : "\n#");
            column = 1;
        }
        g_string_append_printf(text, " %s", parts[i]);
        column += 1 + strlen(parts[i]);
    }
    g_string_append_c(text, '\n');
}

static void append_example(GString *text, const Key *key)
{
    g_autofree char *range = key_range_text(key);
    g_autofree char *facts = g_strdup_printf("%s; default: %s.", range,
                                             key->fallback != NULL ? key->fallback : key->absent);
    const char *value = key->fallback;
    bool live = key->fallback != NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(EXAMPLES); i++) {
        if (strcmp(EXAMPLES[i].section, key->section) == 0 &&
            strcmp(EXAMPLES[i].name, key->name) == 0) {
            value = EXAMPLES[i].value;
            live = EXAMPLES[i].live;
        }
    }
    g_string_append_c(text, '\n');
    append_comment(text, key->help);
    append_comment(text, facts);
    g_string_append_printf(text, "%s%s = %s\n", live ? "" : "#", key->name, value);
}

char *node_config_example(void)
{
    GString *text =
        g_string_new("# A node's configuration: every key, with its default where it has one.\n"
                     "# `peal node --check FILE` reads it and says what it would do.\n");
    const KeyFile *file = node_keys();
    const char *section = "";

    for (size_t i = 0; i < file->tables_len; i++) {
        for (const Key *key = key_table_next(&file->tables[i], NULL); key != NULL;
             key = key_table_next(&file->tables[i], key)) {
            if (strcmp(section, key->section) != 0) {
                section = key->section;
                g_string_append_printf(text, "\n[%s]\n", section);
            }
            append_example(text, key);
        }
    }
    return g_string_free(text, FALSE);
}
