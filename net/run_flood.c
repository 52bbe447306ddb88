/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_flood.c - see run_flood.h. */
#include "run_flood.h"

#include <errno.h>
#include <netinet/in.h>
#include <peal_openssl/crypto.h>
#include <scenarios/settings.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run_config.h"
#include "run_sockets.h"

enum {
    STATUS_UNAVAILABLE = 503,
    READS_MAX = 64, /* datagrams of one phone in one turn */
    LAST_BYTE = 250,
    PER_HOUR_MILLI = 3600000
};

typedef struct Phone {
    RunFlood *flood;
    LoopWatch *watch;
    PealAddr addr;
    int fd;
} Phone;

struct RunFlood {
    RunSockets *run;
    AttackCast *cast;
    AttackAgenda *agenda;
    Phone *phones; /* by host, from the scenario's identities on */
    uint32_t phones_len;
    LoopTimer timer;
    uint64_t sent;
    uint64_t answered;
    uint64_t refused;
    uint64_t failed;
};

/* Before the run. */

static bool refuse(const Scenario *point, const ScenarioAttack *attack, const char *key,
                   const char *why, GError **error)
{
    g_autofree char *section = g_strconcat(ATTACK_PREFIX, attack->name, NULL);
    const Setting *setting = settings_find(point->settings, section, key);

    g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_UNAVAILABLE, "%s with --on sockets", why);
    if (setting != NULL) {
        settings_prefix(point->settings, setting, error);
    } else {
        g_prefix_error(error, "%s: [%s]: ", point->path, section);
    }
    return false;
}

bool run_flood_check(const Scenario *point, GError **error)
{
    uint32_t phones = 0;
    double rate = 0;

    for (guint i = 0; i < point->attacks_len; i++) {
        const ScenarioAttack *attack = &point->attacks[i];
        uint32_t hosts = attack->phones > 0 ? attack->phones : attack_members(point, attack);

        if (attack->kind != ATTACK_SIP_FLOOD && attack->kind != ATTACK_LOOKUP_FLOOD) {
            return refuse(point, attack, "kind",
                          "nodes are honest: only sip-flood and lookup-flood are to be had", error);
        }
        if (attack->kind == ATTACK_SIP_FLOOD && attack_members(point, attack) > 0) {
            return refuse(point, attack, "attackers",
                          "nodes send no SIP of others: a sip-flood comes from phones", error);
        }
        phones += attack->phones;
        rate += (double)hosts * (double)attack->rate_milli / PER_HOUR_MILLI;
        if (phones > RUN_FLOOD_PHONES_MAX) {
            return refuse(point, attack, "phones", "250 phones can flood at most", error);
        }
        if (rate > RUN_FLOOD_RATE_MAX) {
            return refuse(point, attack, "rate",
                          "floods come to 10000 requests a second at most, all together", error);
        }
    }
    return true;
}

/* Phones. */

static void on_answer(RunFlood *flood, PealBytes message)
{
    unsigned status;

    if (attack_is_answer(message, &status)) {
        flood->answered += status < 300;
        flood->refused += status == STATUS_UNAVAILABLE;
        flood->failed += status >= 300 && status != STATUS_UNAVAILABLE;
    }
}

static void on_ready(void *user, uint32_t events)
{
    Phone *phone = user;
    uint8_t bytes[4096];

    (void)events;
    for (int i = 0; i < READS_MAX; i++) {
        ssize_t len = recv(phone->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

        if (len < 0) {
            return;
        }
        on_answer(phone->flood, (PealBytes){bytes, (size_t)len});
    }
}

static bool phone_open(RunFlood *flood, uint32_t number, GError **error)
{
    Phone *phone = &flood->phones[number];
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);

    phone->flood = flood;
    phone->addr =
        (PealAddr){.ip = {127, 1, (uint8_t)(number / LAST_BYTE), (uint8_t)(number % LAST_BYTE + 1)},
                   .family = 4};
    memcpy(&address.sin_addr, phone->addr.ip, sizeof(address.sin_addr));
    phone->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (phone->fd < 0 ||
        bind(phone->fd, (const struct sockaddr *)(const void *)&address, len) != 0 ||
        getsockname(phone->fd, (struct sockaddr *)(void *)&address, &len) != 0) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                    "no socket for phone %u of a flood: %s", number, g_strerror(errno));
        return false;
    }
    phone->addr.port = ntohs(address.sin_port);
    phone->watch = loop_watch(flood->run->loop, phone->fd, EPOLLIN, on_ready, phone);
    return true;
}

/* A datagram that the system has no room for is lost, as on any full link. */
static void shoot_sip(RunFlood *flood, const AttackAction *action)
{
    const RunJob *job = flood->run->job;
    const Phone *phone = &flood->phones[action->host - scenario_identities(job->point)];
    uint32_t to = run_config_house(job->point, attack_shot_peer(flood->cast, action));
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(run_config_sip_port(job, to)),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    char text[ATTACK_SHOT_MAX];
    size_t len = attack_shot_text(flood->cast, action, &phone->addr, text, sizeof(text));

    if (sendto(phone->fd, text, len, MSG_DONTWAIT, (const struct sockaddr *)(const void *)&address,
               sizeof(address)) >= 0) {
        flood->sent++;
    }
}

static void shoot_lookup(RunFlood *flood, const AttackAction *action)
{
    RunPeer *peer = &flood->run->peers[action->host];
    PealId key = attack_shot_key(flood->cast, action);

    if (run_peer_works(peer)) {
        run_peer_fetch(peer, RUN_FLOOD_NOBODY, &key);
        flood->sent++;
    }
}

/* The agenda. */

static void mark(const RunFlood *flood, const AttackAction *action, const char *what)
{
    const ScenarioAttack *attack = &flood->run->job->point->attacks[action->attack];
    g_autofree char *text = attack_text(attack);
    g_autofree char *line = g_strdup_printf("%s %s: %s", attack->name, what, text);

    recorder_event(flood->run->job->recorder, action->at, line);
}

static void carry_out(RunFlood *flood, const AttackAction *action)
{
    switch (action->step) {
    case ATTACK_BEGINS:
        mark(flood, action, "begins");
        break;
    case ATTACK_ENDS:
        mark(flood, action, "ends");
        break;
    case ATTACK_SHOOTS:
        if (flood->run->job->point->attacks[action->attack].kind == ATTACK_SIP_FLOOD) {
            shoot_sip(flood, action);
        } else {
            shoot_lookup(flood, action);
        }
        break;
    case ATTACK_JOINS:
    case ATTACK_VANISHES:
        PEAL_ASSERT(false); /* run_flood_check refuses attacks that do */
    }
}

static void on_due(void *user)
{
    RunFlood *flood = user;
    PealTime now = {peal_time_since(loop_now(flood->run->loop), flood->run->origin).ns};
    PealTime next;

    while (!flood->run->over && attack_agenda_peek(flood->agenda).ns <= now.ns) {
        AttackAction action = attack_agenda_next(flood->agenda);

        carry_out(flood, &action);
    }
    next = attack_agenda_peek(flood->agenda);
    if (next.ns != PEAL_TIME_NEVER.ns) {
        loop_timer_set(flood->run->loop, &flood->timer,
                       peal_time_add(flood->run->origin, (PealSpan){next.ns}));
    }
}

RunFlood *run_flood_new(RunSockets *run, GError **error)
{
    AttackCast *cast = attack_cast_new(run->job->point, run->job->seed, peal_openssl_crypto());
    RunFlood *flood;

    if (cast == NULL) {
        return NULL;
    }
    flood = g_new0(RunFlood, 1);
    flood->run = run;
    flood->cast = cast;
    flood->agenda = attack_agenda_new(cast);
    flood->timer = (LoopTimer){.due = on_due, .user = flood};
    flood->phones_len = scenario_hosts(run->job->point) - scenario_identities(run->job->point);
    flood->phones = g_new0(Phone, MAX(flood->phones_len, 1));
    for (uint32_t i = 0; i < flood->phones_len; i++) {
        flood->phones[i].fd = -1;
    }
    for (uint32_t i = 0; i < flood->phones_len; i++) {
        if (!phone_open(flood, i, error)) {
            run_flood_free(flood);
            return NULL;
        }
    }
    on_due(flood);
    return flood;
}

void run_flood_free(RunFlood *flood)
{
    if (flood == NULL) {
        return;
    }
    loop_timer_unset(flood->run->loop, &flood->timer);
    for (uint32_t i = 0; i < flood->phones_len; i++) {
        loop_unwatch(flood->run->loop, flood->phones[i].watch);
        if (flood->phones[i].fd >= 0) {
            close(flood->phones[i].fd);
        }
    }
    attack_agenda_free(flood->agenda);
    attack_cast_free(flood->cast);
    g_free(flood->phones);
    g_free(flood);
}

bool run_flood_has(const RunFlood *flood, uint32_t peer)
{
    return flood != NULL && attack_cast_is(flood->cast, peer);
}

bool run_flood_concerns(const RunFlood *flood, const PlanAction *action)
{
    return run_flood_has(flood, action->peer) ||
           (!action->keyed && run_flood_has(flood, action->target_peer));
}

void run_flood_figures(const RunFlood *flood, RunOutcome *outcome)
{
    const RunSockets *run = flood->run;
    uint64_t answered = flood->answered + run_truth_nobodys(run->truth, true);
    uint64_t failed = flood->failed + run_truth_nobodys(run->truth, false);

    run_outcome_figure(outcome, "attack.sent", (double)flood->sent, RESULTS_SUM);
    run_outcome_figure(outcome, "attack.answered", (double)answered, RESULTS_SUM);
    run_outcome_figure(outcome, "attack.refused", (double)flood->refused, RESULTS_SUM);
    run_outcome_figure(outcome, "attack.failed", (double)failed, RESULTS_SUM);
}
