/* SPDX-License-Identifier: GPL-3.0-or-later */
/* status.c - a node's status as JSON. */
#include "status.h"

#include <unistd.h>

#include "address.h"

/* What holds many entries is cut: a page is for people. */
enum { STATUS_ROUNDS_MAX = HEALTH_HISTORY, STATUS_CONTACTS_MAX = 50 };

json_t *status_text(const char *text, size_t len)
{
    g_autofree char *valid = g_utf8_make_valid(text, (gssize)len);

    return json_string(valid);
}

json_t *status_id(const PealId *id)
{
    char text[PEAL_ID_TEXT_LEN];

    peal_id_text(id, text);
    return json_string(text);
}

static void status_put(json_t *object, const char *key, uint64_t value)
{
    json_object_set_new(object, key, json_integer((json_int_t)value));
}

/* Whole seconds where six digits (json_text.h) would not tell them any more. */
static json_t *status_seconds(PealSpan span)
{
    return span.ns < 100000 * PEAL_NS_PER_S ? json_real((double)span.ns / 1e9)
                                            : json_integer(span.ns / PEAL_NS_PER_S);
}

static json_t *status_ids(const PealId *ids, size_t len)
{
    json_t *list = json_array();

    for (size_t i = 0; i < len; i++) {
        json_array_append_new(list, status_id(&ids[i]));
    }
    return list;
}

static json_t *status_addresses(const PealAddr *addrs, size_t len)
{
    json_t *list = json_array();
    char text[ADDRESS_TEXT_LEN];

    for (size_t i = 0; i < len; i++) {
        json_array_append_new(list, json_string(address_text(&addrs[i], text)));
    }
    return list;
}

static json_t *status_hosts(const NodeHosts *hosts)
{
    json_t *list = json_array();

    for (size_t i = 0; i < hosts->len; i++) {
        json_array_append_new(list, status_text(hosts->item[i].text, strlen(hosts->item[i].text)));
    }
    return list;
}

static const char *status_state(const NodeStatus *status)
{
    if (status->leaving) {
        return "leaving";
    }
    switch (status->state) {
    case PEAL_PEER_IDLE:
        return "idle";
    case PEAL_PEER_JOINING:
        return "joining";
    case PEAL_PEER_JOINED:
        return "joined";
    case PEAL_PEER_LEFT:
        return "left";
    }
    return "unknown";
}

/* Parts. */

static void status_put_health(json_t *object, const NodeStatus *status, const Health *health)
{
    HealthRound rounds[STATUS_ROUNDS_MAX];
    json_t *list = json_array();
    const char *why = NULL;
    bool ok = status->state == PEAL_PEER_JOINED && !status->leaving;
    size_t len = 0;

    if (health != NULL) {
        ok = health_ok(health, &why);
        len = health_rounds(health, rounds, STATUS_ROUNDS_MAX);
    } else if (!ok) {
        why = "it has not joined the overlay";
    }
    for (size_t i = 0; i < len; i++) {
        json_t *round = json_pack("{s:I, s:b, s:f, s:f}", "unix_ms", (json_int_t)rounds[i].unix_ms,
                                  "ok", rounds[i].ok, "put_ms", (double)rounds[i].put.ns / 1e6,
                                  "get_ms", (double)rounds[i].get.ns / 1e6);

        if (!rounds[i].ok) {
            json_object_set_new(round, "failed", json_string(rounds[i].failed));
            json_object_set_new(round, "error", json_string(peal_error_text(rounds[i].status)));
        }
        json_array_append_new(list, round);
    }
    json_object_set_new(object, "healthy", json_boolean(ok));
    json_object_set_new(object, "health",
                        json_pack("{s:s?, s:b, s:i, s:o}", "why", why, "checked", health != NULL,
                                  "red_within_s", HEALTH_RED_S, "rounds", list));
}

static json_t *status_sip(const Node *node, const NodeStatus *status)
{
    const NodeConfig *config = node_config(node);
    json_t *sip = json_object();
    json_t *domains = json_array();

    for (size_t i = 0; config->sip_domains != NULL && config->sip_domains[i] != NULL; i++) {
        const char *domain = config->sip_domains[i];

        json_array_append_new(domains, status_text(domain, strlen(domain)));
    }
    json_object_set_new(sip, "domains", domains);
    json_object_set_new(sip, "passwords", json_boolean(config->sip_users != NULL));
    status_put(sip, "aors", status->sip.aors);
    status_put(sip, "bindings", status->sip.bindings);
    status_put(sip, "transactions", status->sip.transactions);
    status_put(sip, "calls", status->sip.calls);
    status_put(sip, "adapters", status->sip.adapters);
    status_put(sip, "requests", status->sip.requests);
    status_put(sip, "malformed", status->sip.malformed);
    status_put(sip, "connections", status->connections);
    return sip;
}

static json_t *status_gate(const NodeStatus *status)
{
    json_t *gate = json_object();

    status_put(gate, "refused", status->gate.refused);
    status_put(gate, "dropped", status->gate.dropped);
    status_put(gate, "sources", status->gate.sources);
    status_put(gate, "known", status->gate.known);
    status_put(gate, "reduction", status->gate.reduction);
    return gate;
}

static bool status_put_contact(void *user, const PealSipBinding *binding)
{
    json_t *list = user;
    char text[ADDRESS_TEXT_LEN];
    json_t *contact = json_pack("{s:o, s:o, s:I}", "resource", status_id(&binding->resource),
                                "contact", status_text(binding->contact.ptr, binding->contact.len),
                                "expires_s", (json_int_t)binding->expires_s);

    if (binding->from.addr.family != 0) {
        json_object_set_new(contact, "from", json_string(address_text(&binding->from.addr, text)));
        json_object_set_new(contact, "transport",
                            json_string(binding->from.transport == PEAL_TCP ? "TCP" : "UDP"));
    }
    json_array_append_new(list, contact);
    return json_array_size(list) < STATUS_CONTACTS_MAX;
}

static json_t *status_contacts(const Node *node)
{
    json_t *list = json_array();

    node_each_binding(node, status_put_contact, list);
    return list;
}

static json_t *status_traffic(const NodeStatus *status)
{
    json_t *traffic = json_object();

    status_put(traffic, "bytes_in", status->bytes_in);
    status_put(traffic, "bytes_out", status->bytes_out);
    status_put(traffic, "packets_in", status->packets_in);
    status_put(traffic, "packets_out", status->packets_out);
    return traffic;
}

static void status_put_peers(json_t *object, const NodeStatus *status)
{
    json_object_set_new(object, "successors",
                        status_ids(status->successors, status->successors_len));
    json_object_set_new(object, "predecessors",
                        status_ids(status->predecessors, status->predecessors_len));
    json_object_set_new(object, "fingers", status_ids(status->fingers, status->fingers_len));
    status_put(object, "flows", status->flows);
}

json_t *status_peers_json(const Node *node)
{
    NodeStatus status;
    json_t *object = json_object();

    node_status(node, &status);
    json_object_set_new(object, "node_id", json_string(status.id));
    status_put(object, "peers", status.peers);
    status_put_peers(object, &status);
    return object;
}

json_t *status_json(const Node *node, const Health *health)
{
    const NodeConfig *config = node_config(node);
    json_t *object = json_object();
    NodeStatus status;

    node_status(node, &status);
    status_put_health(object, &status, health);
    json_object_set_new(object, "node_id", json_string(status.id));
    json_object_set_new(object, "state", json_string(status_state(&status)));
    json_object_set_new(object, "overlay",
                        status_text(config->overlay->overlay_name,
                                    strlen(config->overlay->overlay_name)));
    status_put(object, "peers", status.peers);
    status_put(object, "registrations", status.sip.aors);
    status_put_peers(object, &status);
    status_put(object, "resources", status.resources);
    json_object_set_new(
        object, "addresses",
        json_pack("{s:o, s:o, s:o}", "reload",
                  status_addresses(status.reload_addresses, status.reload_addresses_len), "sip",
                  status_addresses(status.sip_addresses, status.sip_addresses_len), "http",
                  status_hosts(&config->http_listen)));
    json_object_set_new(object, "sip", status_sip(node, &status));
    json_object_set_new(object, "gate", status_gate(&status));
    json_object_set_new(object, "contacts", status_contacts(node));
    json_object_set_new(object, "traffic", status_traffic(&status));
    status_put(object, "memory", status.memory);
    json_object_set_new(object, "uptime_s", status_seconds(status.uptime));
    json_object_set_new(object, "joined_s", status_seconds(status.joined));
    status_put(object, "pid", (uint64_t)getpid());
    json_object_set_new(object, "version", json_string(status.version));
    return object;
}
