/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bootstrap.c - from the config's bootstrap hosts to addresses; see node_state.h. */
#include "address.h"
#include "log.h"
#include "node_state.h"

typedef struct Resolving {
    Node *node;
    const NodeHost *host;
    int status; /* 1: no answer yet */
    PealTarget targets[DNS_TARGETS_MAX];
    size_t targets_len;
} Resolving;

/* A node that listens at no address of a family cannot reach one either. */
static void add_target(Node *node, const PealAddr *addr)
{
    PealTarget *target = &node->bootstrap[node->bootstrap_len];

    if (!flows_reach(node->flows, addr)) {
        return;
    }
    if (node->bootstrap_len < G_N_ELEMENTS(node->bootstrap)) {
        *target = (PealTarget){*addr, node->overlay.link};
        node->bootstrap_len++;
    }
}

static void on_resolved(void *user, int status, const PealTarget *targets, size_t len)
{
    Resolving *resolving = user;

    resolving->status = status;
    resolving->targets_len = len;
    if (len > 0) {
        memcpy(resolving->targets, targets, len * sizeof(*targets));
    }
}

/* Takes over what was found, a host at a time, so that each has its first address in the list. */
static void take_targets(Node *node, const Resolving *all, size_t len)
{
    for (size_t round = 0; round < DNS_TARGETS_MAX; round++) {
        for (size_t i = 0; i < len; i++) {
            if (round < all[i].targets_len) {
                add_target(node, &all[i].targets[round].addr);
            }
        }
    }
}

static bool check_found(const Node *node, const Resolving *all, size_t len, GError **error)
{
    const Resolving *failed = NULL;

    for (size_t i = 0; i < len; i++) {
        if (all[i].targets_len == 0) {
            failed = &all[i];
            log_warning("bootstrap host %s: %s", failed->host->host,
                        failed->status == -PEAL_E_NOT_FOUND ? "there is no such name"
                                                            : "no name server answers");
        }
    }
    if (node->bootstrap_len > 0 || len == 0 || node->config->first) {
        return true;
    }
    if (failed == NULL) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                    "%s: overlay.bootstrap: %s: its address cannot be reached from any of "
                    "overlay.listen: listen at an address of the same family",
                    node->config->path, all[0].host->text);
        return false;
    }
    g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                "%s: overlay.bootstrap: %s: %s; write the name or address of a peer of the overlay",
                node->config->path, failed->host->text,
                failed->status == -PEAL_E_NOT_FOUND
                    ? "there is no such host name"
                    : "the host name cannot be looked up, since no name server answers");
    return false;
}

bool node_resolve(Node *node, GError **error)
{
    const NodeHosts *hosts = &node->config->bootstrap;
    g_autofree Resolving *all = g_new0(Resolving, hosts->len + 1);
    size_t outstanding;

    for (size_t i = 0; i < hosts->len; i++) {
        DnsQuestion question = {.host = {hosts->item[i].host, strlen(hosts->item[i].host)},
                                .port = hosts->item[i].port,
                                .transport = (uint8_t)node->overlay.link};

        all[i] = (Resolving){.node = node, .host = &hosts->item[i], .status = 1};
        loop_refresh(node->loop);
        if (dns_resolve(node->dns, &question, on_resolved, &all[i]) != 0) {
            all[i].status = -PEAL_E_FULL;
        }
    }
    do {
        outstanding = 0;
        for (size_t i = 0; i < hosts->len; i++) {
            outstanding += all[i].status == 1;
        }
        if (outstanding > 0) {
            g_main_context_iteration(loop_context(node->loop), TRUE);
        }
    } while (outstanding > 0 && !node->leaving);
    take_targets(node, all, hosts->len);
    return node->leaving || check_found(node, all, hosts->len, error);
}
