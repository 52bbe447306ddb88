/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lifecycle.c - a node opens its sockets, begins and ends; see node_state.h. */
#include <errno.h>
#include <peal_openssl/crypto.h>
#include <scenarios/plan.h>
#include <scenarios/settings.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "address.h"
#include "interfaces.h"
#include "log.h"
#include "node_state.h"

enum {
    DESCRIPTORS_ELSE = 64, /* files, control, HTTP */
    PEER_ALIGNMENT = 64
};

/* All that the system lets this process have; what is left for the network. */
static size_t raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 1024 - DESCRIPTORS_ELSE;
    }
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
            (void)getrlimit(RLIMIT_NOFILE, &limit);
        }
    }
    return MAX(limit.rlim_cur, 2 * DESCRIPTORS_ELSE) - DESCRIPTORS_ELSE;
}

static bool fail_listen(const Node *node, const char *key, const PealAddr *addr, int reason,
                        GError **error)
{
    char text[ADDRESS_TEXT_LEN];
    const char *remedy = "set another address";

    if (reason == EADDRINUSE) {
        remedy = "another program uses it: end that one, or set another port";
    } else if (reason == EACCES || reason == EPERM) {
        remedy = "the node's user may not use this port: set one above 1023";
    } else if (reason == EADDRNOTAVAIL) {
        remedy = "this host has no such address: set one of its own";
    }
    g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE, "%s: %s: cannot listen at %s: %s; %s",
                node->config->path, key, address_text(addr, text), g_strerror(reason), remedy);
    return false;
}

/* A host without IPv6 (or IPv4) need not say so in its config. */
static bool may_lack(const Node *node, const char *section, int reason)
{
    return (reason == EAFNOSUPPORT || reason == EADDRNOTAVAIL) &&
           settings_find(node->config->settings, section, "listen") == NULL;
}

/* Listens at all addresses of a service, and says which others are told. */
static bool listen_all(Node *node, PealService service, GError **error)
{
    bool sip = service == PEAL_SERVICE_SIP;
    const char *section = sip ? "sip" : "overlay";
    const NodeHosts *hosts = sip ? &node->config->sip_listen : &node->config->listen;
    PealAddr bound[PEAL_ADDRESSES_MAX];
    size_t len = 0;
    char text[ADDRESS_TEXT_LEN];

    for (size_t i = 0; i < hosts->len; i++) {
        const PealAddr *addr = &hosts->item[i].addr;
        int reason = sip ? sip_sockets_listen(node->sip, addr, &bound[len])
                         : flows_listen(node->flows, addr, &bound[len]);

        if (reason == 0) {
            log_info("%s: listening at %s", section, address_text(&bound[len], text));
            len++;
        } else if (may_lack(node, section, reason)) {
            log_info("%s: this host has no %s", section, addr->family == 6 ? "IPv6" : "IPv4");
        } else {
            return fail_listen(node, sip ? "sip.listen" : "overlay.listen", addr, reason, error);
        }
    }
    interfaces_choose(sip ? &node->config->sip_advertise : &node->config->advertise, bound, len,
                      &node->env->addresses[service]);
    for (size_t i = 0; i < node->env->addresses[service].len; i++) {
        log_info("%s: others reach this node at %s", section,
                 address_text(&node->env->addresses[service].addr[i], text));
    }
    if (sip) {
        interfaces_add_local(bound, len, &node->env->addresses[service]);
    }
    return true;
}

static bool open_dns(Node *node, GError **error)
{
    const NodeHosts *servers = &node->config->dns;
    g_autoptr(GString) list = g_string_new(NULL);
    char text[ADDRESS_TEXT_LEN];

    for (size_t i = 0; i < servers->len; i++) {
        g_string_append_printf(list, "%s%s", i > 0 ? "," : "",
                               address_text(&servers->item[i].addr, text));
    }
    node->dns = dns_new(node->loop, servers->len > 0 ? list->str : NULL, error);
    return node->dns != NULL;
}

static bool open_files(Node *node, GError **error)
{
    const NodeConfig *config = node->config;

    if (config->state_dir != NULL) {
        node->state = state_open(config->state_dir, error);
        if (node->state == NULL) {
            return false;
        }
    }
    if (config->sip_users != NULL) {
        node->users = users_read(config->sip_users, error);
        if (node->users == NULL) {
            return false;
        }
        log_info("%zu users in %s", users_len(node->users), config->sip_users);
    }
    if (config->emulate.scenario != NULL) {
        node->shim = shim_new(node->loop, &config->emulate, error);
        if (node->shim == NULL) {
            return false;
        }
    }
    return open_dns(node, error);
}

static void open_environment(Node *node, size_t descriptors)
{
    const NodeConfig *config = node->config;
    FlowsConfig flows = {.loop = node->loop,
                         .tap = &node->tap,
                         .transport = node->overlay.link,
                         .shim = node->shim,
                         .flows_max = MIN(FLOWS_MAX, descriptors / 3),
                         .gated = peal_defence_admits(&config->overlay->overlay)};
    SipSocketsConfig sip = {.loop = node->loop,
                            .tap = &node->tap,
                            .shim = node->shim,
                            .connections_max = MIN(config->sip_connections, descriptors / 2),
                            .connections_each = config->sip_connections_each,
                            .gated = flows.gated};
    NetEnvConfig env = {.loop = node->loop,
                        .dns = node->dns,
                        .state = node->state,
                        .memory_max = config->memory,
                        .replayed = node->shim != NULL,
                        .seed = config->emulate.seed,
                        .peer = config->emulate.peer,
                        .on_done = node_on_done,
                        .on_trace = node_on_trace,
                        .user = node};

    node->flows = flows_new(&flows);
    if (config->sip_listen.len > 0) {
        node->sip = sip_sockets_new(&sip);
    }
    env.flows = node->flows;
    env.sip = node->sip;
    node->env = net_env_new(&env);
    node->env->users = node->users;
}

static void advertise_sip(Node *node)
{
    const NetAddresses *addresses = &node->env->addresses[PEAL_SERVICE_SIP];

    sip_sockets_advertise(node->sip, addresses->addr, addresses->own, addresses->len);
}

/* Last of all: a node that cannot run must not replace the capture of one that does. */
static bool open_capture(Node *node, GError **error)
{
    const NodeConfig *config = node->config;

    if (config->capture == NULL) {
        return true;
    }
    node->tap.capture = capture_open(node->loop, config->capture, config->capture_limit, error);
    return node->tap.capture != NULL;
}

bool node_open(Node *node, GError **error)
{
    const PealCryptoOps *crypto = peal_openssl_crypto();
    const char *name = node->config->overlay->overlay_name;

    node->overlay = node->config->overlay->overlay;
    node->overlay.hash = peal_overlay_hash(crypto, (PealStr){name, strlen(name)});
    node->config->sip.users = node->config->sip_users != NULL;
    requests_init(node);
    if (!open_files(node, error)) {
        return false;
    }
    open_environment(node, raise_descriptors());
    if (!listen_all(node, PEAL_SERVICE_RELOAD, error)) {
        return false;
    }
    if (node->sip != NULL) {
        if (!listen_all(node, PEAL_SERVICE_SIP, error)) {
            return false;
        }
        advertise_sip(node);
    }
    return open_capture(node, error);
}

static bool choose_id(Node *node, PealId *ret_id, GError **error)
{
    if (node->shim != NULL) {
        *ret_id = plan_node_id(node->config->emulate.seed, node->config->emulate.peer);
        return true;
    }
    if (getrandom(ret_id->bytes, sizeof(ret_id->bytes), 0) != sizeof(ret_id->bytes)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "the system gives no random bytes");
        return false;
    }
    if (node->state != NULL) {
        return state_node_id(node->state, ret_id, error);
    }
    log_notice("no node.state-dir is set: after a restart this node will be another peer, and its "
               "registrations gone");
    return true;
}

/* The next registration replaces the file, so what is not understood is put aside first. */
static void check_bindings(const Node *node, PealBytes bindings)
{
    if (!peal_peer_bindings_whole(node->peer, bindings)) {
        bool aside = state_set_aside(node->state, PEAL_SLOT_BINDINGS);

        log_warning("the registrations kept in %s are damaged or of another version%s; what cannot "
                    "be read of them is gone until the phones register again",
                    node->config->state_dir, aside ? ", and are now in bindings.bad there" : "");
    }
}

/* Makes the peer an adapter, with the bindings that it had. */
static bool begin_sip(Node *node, GError **error)
{
    g_autofree uint8_t *bindings = NULL;
    size_t len = 0;
    int status;

    if (node->sip == NULL) {
        return true;
    }
    if (node->state != NULL) {
        bindings = state_read(node->state, PEAL_SLOT_BINDINGS, &len, error);
        if (bindings == NULL) {
            return false;
        }
        check_bindings(node, (PealBytes){bindings, len});
    }
    status = peal_peer_sip(node->peer, &node->config->sip, (PealBytes){bindings, len});
    if (status != 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "the peer cannot serve SIP: %s",
                    peal_error_text(status));
        return false;
    }
    return true;
}

bool node_begin(Node *node, GError **error)
{
    char text[PEAL_ID_TEXT_LEN];
    PealId id;
    int status;

    if (!choose_id(node, &id, error)) {
        return false;
    }
    node->memory = aligned_alloc(PEER_ALIGNMENT, peal_peer_size());
    PEAL_ASSERT(node->memory != NULL);
    memset(node->memory, 0, peal_peer_size());
    loop_refresh(node->loop);
    node->peer = peal_peer_init(node->memory, &node->env->env, &node->overlay, &id);
    net_env_attach(node->env, node->peer);
    if (!begin_sip(node, error)) {
        return false;
    }
    node->services = services_new(node, error);
    if (node->services == NULL) {
        return false;
    }
    peal_id_text(&id, text);
    if (node->bootstrap_len == 0) {
        log_notice("peer %s founds the overlay %s", text, node->config->overlay->overlay_name);
    } else if (node->config->first) {
        log_notice("peer %s joins the overlay %s, or founds it when nobody answers within %d s",
                   text, node->config->overlay->overlay_name,
                   (int)(PEAL_FOUND_AFTER.ns / PEAL_NS_PER_S));
    } else {
        log_notice("peer %s joins the overlay %s", text, node->config->overlay->overlay_name);
    }
    node->started = loop_now(node->loop);
    status = node->config->first
                 ? peal_peer_start_first(node->peer, node->bootstrap, node->bootstrap_len)
                 : peal_peer_start(node->peer, node->bootstrap, node->bootstrap_len);
    if (status != 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "the peer cannot start: %s",
                    peal_error_text(status));
        return false;
    }
    return true;
}

void node_end(Node *node)
{
    if (node->services != NULL) {
        services_free(node->services);
        node->services = NULL;
    }
    loop_timer_unset(node->loop, &node->waiting);
    loop_timer_unset(node->loop, &node->leave_limit);
    if (node->env != NULL) {
        net_env_attach(node->env, NULL);
    }
    if (node->peer != NULL) {
        peal_peer_fini(node->peer);
        node->peer = NULL;
    }
    requests_fini(node);
    free(node->memory);
    flows_free(node->flows);
    sip_sockets_free(node->sip);
    dns_free(node->dns);
    net_env_free(node->env);
    shim_free(node->shim);
    capture_close(node->tap.capture);
    users_free(node->users);
    state_close(node->state);
}

static void reread_users(Node *node)
{
    g_autoptr(GError) error = NULL;
    Users *users;

    if (node->config->sip_users == NULL) {
        return;
    }
    users = users_read(node->config->sip_users, &error);
    if (users == NULL) {
        log_error("%s; the users read before stay", error->message);
        return;
    }
    users_free(node->users);
    node->users = users;
    node->env->users = users;
    log_notice("%zu users in %s", users_len(users), node->config->sip_users);
}

void node_reload(Node *node)
{
    g_autoptr(GError) error = NULL;

    if (!log_reopen(&error)) {
        log_error("%s; the log goes on where it was", error->message);
    }
    reread_users(node);
}
