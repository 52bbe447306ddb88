/* SPDX-License-Identifier: GPL-3.0-or-later */
/* services.c - starts and ends what serves people about a node. */
#include "services.h"

#include "control.h"
#include "health.h"
#include "http.h"
#include "json_text.h"
#include "log.h"
#include "page.h"
#include "status.h"
#include "verbs.h"

struct Services {
    Node *node;
    Health *health;
    Verbs *verbs;
    Control *control;
    Http *http;
};

static const char TYPE_HTML[] = "text/html; charset=utf-8";
static const char TYPE_JSON[] = "application/json";
static const char TYPE_METRICS[] = "text/plain; version=0.0.4; charset=utf-8";
enum { STATUS_OK = 200, STATUS_UNHEALTHY = 503 };

static bool services_on_get(void *user, const char *path, HttpAnswer *ret_answer)
{
    const Services *services = user;
    json_t *status;

    *ret_answer = (HttpAnswer){.status = STATUS_OK};
    if (strcmp(path, "/") == 0) {
        ret_answer->type = TYPE_HTML;
    } else if (strcmp(path, "/status.json") == 0) {
        ret_answer->type = TYPE_JSON;
    } else if (strcmp(path, "/metrics") == 0) {
        ret_answer->type = TYPE_METRICS;
    } else {
        return false;
    }
    status = status_json(services->node, services->health);
    if (ret_answer->type == TYPE_HTML) {
        ret_answer->text = page_html(status);
    } else if (ret_answer->type == TYPE_METRICS) {
        ret_answer->text = page_metrics(status);
    } else {
        ret_answer->text = json_dumps(status, JSON_TEXT_LINES);
    }
    /* A monitor reads figures from a node that is not well, too. */
    if (ret_answer->type != TYPE_METRICS && !json_is_true(json_object_get(status, "healthy"))) {
        ret_answer->status = STATUS_UNHEALTHY;
    }
    json_decref(status);
    return ret_answer->text != NULL;
}

static bool services_open_http(Services *services, GError **error)
{
    const NodeHosts *listen = &node_config(services->node)->http_listen;
    g_autofree PealAddr *addrs = g_new0(PealAddr, listen->len + 1);
    HttpConfig config = {.loop = node_loop(services->node),
                         .addrs = addrs,
                         .addrs_len = listen->len,
                         .on_get = services_on_get,
                         .user = services};

    for (size_t i = 0; i < listen->len; i++) {
        addrs[i] = listen->item[i].addr;
    }
    services->http = http_new(&config, error);
    return services->http != NULL;
}

static bool services_open_control(Services *services, GError **error)
{
    ControlConfig config = {.path = node_config(services->node)->control,
                            .loop = node_loop(services->node),
                            .on_request = verbs_on_request};

    services->verbs = verbs_new(services->node, services->health);
    config.user = services->verbs;
    services->control = control_new(&config, error);
    return services->control != NULL;
}

Services *services_new(Node *node, GError **error)
{
    const NodeConfig *config = node_config(node);
    Services *services = g_new0(Services, 1);

    services->node = node;
    /* A scenario counts each message: nobody else may send any. */
    if (config->emulate.scenario == NULL) {
        services->health = health_new(node);
    }
    if ((config->control != NULL && !services_open_control(services, error)) ||
        (config->http_listen.len > 0 && !services_open_http(services, error))) {
        services_free(services);
        return NULL;
    }
    return services;
}

void services_free(Services *services)
{
    if (services == NULL) {
        return;
    }
    http_free(services->http);
    verbs_free(services->verbs);
    control_free(services->control);
    health_free(services->health);
    g_free(services);
}
