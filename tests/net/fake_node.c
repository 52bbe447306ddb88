/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fake_node.h"

#include "log.h"
#include "peal_test.h"

FakeNode fake_node;

static LoopTimer *set_timer; /* there is one */
static Scenario overlay;
static char overlay_name[] = "p2p.test";

static PealId id_at(uint8_t first)
{
    return (PealId){{first}};
}

Node *fake_node_init(void)
{
    const PealId self = id_at(0x80);

    overlay = (Scenario){.overlay_name = overlay_name};
    fake_node = (FakeNode){.now = {1000 * PEAL_NS_PER_S}};
    fake_node.config.overlay = &overlay;
    fake_node.config.first = true;
    fake_node.status.state = PEAL_PEER_JOINED;
    fake_node.status.version = "0";
    peal_id_text(&self, fake_node.status.id);
    set_timer = NULL;
    return (Node *)(void *)&fake_node;
}

void fake_node_fini(void)
{
    CU_ASSERT_PTR_NULL(set_timer);
}

void fake_node_neighbours(void)
{
    fake_node.status.successors[0] = id_at(0xc0);
    fake_node.status.predecessors[0] = id_at(0x40);
    fake_node.status.successors_len = 1;
    fake_node.status.predecessors_len = 1;
}

void fake_node_alone(void)
{
    fake_node.status.successors_len = 0;
    fake_node.status.predecessors_len = 0;
}

void fake_node_advance(PealSpan span)
{
    const PealTime end = peal_time_add(fake_node.now, span);

    while (set_timer != NULL && set_timer->at.ns <= end.ns) {
        LoopTimer *due = set_timer;

        set_timer = NULL;
        fake_node.now = due->at;
        due->due(due->user);
    }
    fake_node.now = end;
}

void fake_node_answer(int status, uint16_t values)
{
    const NodeOutcome outcome = {.status = status, .values = values, .took = peal_ms(2)};
    FakeRequest out[FAKE_NODE_OUT_MAX];
    size_t len = fake_node.out_len;

    memcpy(out, fake_node.out, sizeof(out));
    fake_node.out_len = 0;
    for (size_t i = 0; i < len; i++) {
        if (out[i].done != NULL) {
            out[i].done(out[i].user, &outcome);
        }
    }
}

/* The node's functions. */

static int request(bool store, const PealId *resource, NodeDone done, void *user)
{
    fake_node.asked++;
    if (fake_node.refuse != 0) {
        return fake_node.refuse;
    }
    CU_ASSERT_FATAL(fake_node.out_len < FAKE_NODE_OUT_MAX);
    fake_node.out[fake_node.out_len++] = (FakeRequest){store, *resource, done, user};
    return 0;
}

int node_store(Node *node, const PealStoreItem *item, NodeDone done, void *user)
{
    (void)node;
    CU_ASSERT_EQUAL(item->kind, PEAL_KIND_SIP_REGISTRATION);
    CU_ASSERT_EQUAL(item->key.len, PEAL_ID_LEN);
    CU_ASSERT(item->exists);
    return request(true, &item->resource, done, user);
}

int node_fetch(Node *node, const PealId *resource, uint32_t kind, NodeDone done, void *user)
{
    (void)node;
    CU_ASSERT_EQUAL(kind, PEAL_KIND_SIP_REGISTRATION);
    return request(false, resource, done, user);
}

int node_register(Node *node, PealStr aor, uint32_t expires_s, NodeDone done, void *user)
{
    const PealId nowhere = {{0}};

    (void)node;
    CU_ASSERT(aor.len > 0);
    CU_ASSERT(expires_s > 0);
    return request(true, &nowhere, done, user);
}

size_t node_stored(const Node *node, const PealId *resource, uint32_t kind)
{
    (void)node;
    (void)resource;
    CU_ASSERT_EQUAL(kind, PEAL_KIND_SIP_REGISTRATION);
    return fake_node.stored;
}

bool node_partition(Node *node, uint32_t ppm, uint32_t event)
{
    (void)node;
    fake_node.cut_ppm = ppm;
    fake_node.cut_event = event;
    return true;
}

int node_renew(Node *node)
{
    (void)node;
    if (fake_node.refuse != 0) {
        return fake_node.refuse;
    }
    fake_node.renewed++;
    return 0;
}

bool node_heal(Node *node)
{
    return node_partition(node, 0, 0);
}

void node_watch(Node *node, const NodeWatch *watch)
{
    (void)node;
    fake_node.watch = watch != NULL ? *watch : (NodeWatch){0};
}

int node_ping(Node *node, const PealId *to, bool resource, NodeDone done, void *user)
{
    (void)node;
    (void)to;
    (void)resource;
    (void)done;
    (void)user;
    fake_node.pinged++;
    return fake_node.refuse;
}

void node_forget(Node *node, void *user)
{
    (void)node;
    for (size_t i = 0; i < fake_node.out_len; i++) {
        if (fake_node.out[i].user == user) {
            fake_node.out[i].done = NULL;
        }
    }
}

void node_status(const Node *node, NodeStatus *ret_status)
{
    (void)node;
    *ret_status = fake_node.status;
}

const NodeConfig *node_config(const Node *node)
{
    (void)node;
    return &fake_node.config;
}

/* The loop's. */

Loop *node_loop(Node *node)
{
    (void)node;
    return NULL;
}

PealTime loop_now(const Loop *loop)
{
    (void)loop;
    return fake_node.now;
}

void loop_at_turn_end(Loop *loop, void (*run)(void *user), void *user)
{
    (void)loop;
    (void)run;
    (void)user;
}

void loop_not_at_turn_end(Loop *loop, void (*run)(void *user), const void *user)
{
    (void)loop;
    (void)run;
    (void)user;
}

void loop_timer_set(Loop *loop, LoopTimer *timer, PealTime at)
{
    (void)loop;
    CU_ASSERT(set_timer == NULL || set_timer == timer);
    timer->at = at;
    set_timer = timer;
}

void loop_timer_unset(Loop *loop, LoopTimer *timer)
{
    (void)loop;
    CU_ASSERT(set_timer == NULL || set_timer == timer);
    set_timer = NULL;
}

/* The log's: what a node says is not looked at here. */

void log_line(NodeLogLevel level, const char *format, ...)
{
    (void)level;
    (void)format;
}

bool log_wants(NodeLogLevel level)
{
    (void)level;
    return true;
}
