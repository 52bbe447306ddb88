/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_transaction_oracle.c - libosip2's transaction machines as judge of ours: both act out the
 * same scripts, and send the same messages at the same times.
 *
 * What is different on purpose is kept out of the scripts or of the comparison, here and only here:
 * - RFC 6026: libosip2 ends both INVITE transactions with a 2xx. An INVITE that arrives at a server
 *   after its 2xx is not delivered, in either world; a CANCEL is told that its INVITE is known.
 * - RFC 4320 s.4.1: our server answers 100 to what is no INVITE after 3.5 s; those 100 are neither
 *   delivered nor compared. Its user never sends a provisional there.
 * - 17.2.1: our server sends a 100 of its own after 200 ms; the scripts' user sends one at once.
 * - 9.1: libosip2 leaves it to its user when a CANCEL may be sent; the user here waits, as ours
 * does.
 */
#include <sys/time.h>
#include <time.h>

#include <osip2/osip.h>
#include <osip2/osip_time.h>

#include "core/sip_env.h"
#include "peal_test.h"
#include "sip/arena.h"
#include "sip/transaction.h"

enum {
    SCRIPTS = 400,
    EVENTS_MAX = 256,
    FATES = 64,    /* messages one way */
    TICK_MS = 10,  /* all times are multiples of it */
    END_MS = 90000 /* of a script */
};

typedef enum Side { ASKING, ANSWERING } Side;

/* What happens to a message on its way. */
typedef struct Fate {
    bool lost;
    bool twice;
    int delay_ms;
} Fate;

typedef struct Script {
    bool invite;
    bool tcp;
    int ringing_ms; /* after the request's first arrival, -1 for never */
    int final_ms;
    int final_status;
    int cancel_ms; /* after the start, -1 for never */
    Fate fates[2][FATES];
} Script;

typedef struct Event {
    int at_ms;
    Side side;
    char what[16]; /* method or status */
} Event;

/* What one world did. */
typedef struct Record {
    Event events[EVENTS_MAX];
    int len;
    unsigned kept_out; /* INVITEs after a 2xx, our own 100s */
} Record;

typedef struct Flying {
    int at_ms;
    Side to;
    char *text;
} Flying;

/* One world while it acts out a script. */
typedef struct World {
    const Script *script;
    Record *record;
    Flying flying[EVENTS_MAX];
    int flying_len;
    int sent[2];
    int now_ms;
    int arrived_ms; /* the request's first arrival, -1 before */
    int answered;   /* the server's final status */
    bool rung;
    bool provisional;
    bool cancelled;
} World;

static uint64_t draw_state;

static int draw(int bound)
{
    return (int)peal_random_below(peal_random_at(77, 0, draw_state++), (uint64_t)bound);
}

static void script_draw(Script *script)
{
    static const int finals[] = {200, 486, 486, 302, 603, 500};
    int loss = draw(70);

    *script = (Script){.invite = draw(3) != 0, .tcp = draw(3) == 0, .ringing_ms = -1};
    script->final_status = finals[draw(6)];
    script->final_ms = draw(10) == 0  ? -1
                       : draw(2) == 0 ? draw(20) * TICK_MS
                                      : draw(2500) * TICK_MS;
    if (script->invite && draw(2) == 0) {
        script->ringing_ms = draw(800) * TICK_MS;
    }
    script->cancel_ms = script->invite && draw(3) == 0 ? draw(1000) * TICK_MS : -1;
    for (int way = 0; way < 2; way++) {
        for (int i = 0; i < FATES; i++) {
            script->fates[way][i] = (Fate){.lost = !script->tcp && draw(100) < loss,
                                           .twice = !script->tcp && draw(10) == 0,
                                           .delay_ms = (1 + draw(30)) * TICK_MS};
        }
    }
}

static void put_request(const Script *script, const char *method, char *text, size_t cap)
{
    snprintf(text, cap,
             "%s sip:bob@192.0.2.2:5060%s SIP/2.0\r\n"
             "Via: SIP/2.0/%s 192.0.2.1:5060;branch=z9hG4bKscript\r\n"
             "Max-Forwards: 70\r\n"
             "From: <sip:alice@example.org>;tag=a1\r\n"
             "To: <sip:bob@example.org>\r\n"
             "Call-ID: c1@192.0.2.1\r\n"
             "CSeq: 7 %s\r\n"
             "Content-Length: 0\r\n\r\n",
             method, script->tcp ? ";transport=tcp" : "", script->tcp ? "TCP" : "UDP", method);
}

static void put_response(const Script *script, const char *method, int status, char *text,
                         size_t cap)
{
    snprintf(text, cap,
             "SIP/2.0 %d Word\r\n"
             "Via: SIP/2.0/%s 192.0.2.1:5060;branch=z9hG4bKscript\r\n"
             "From: <sip:alice@example.org>;tag=a1\r\n"
             "To: <sip:bob@example.org>%s\r\n"
             "Call-ID: c1@192.0.2.1\r\n"
             "CSeq: 7 %s\r\n"
             "Content-Length: 0\r\n\r\n",
             status, script->tcp ? "TCP" : "UDP", status > 100 ? ";tag=b1" : "", method);
}

/* A message leaves: it is written down, and its fate is looked up. */
static void world_sent(World *world, Side side, const char *text)
{
    const Fate *fate;
    Event *event;
    const char *word = strncmp(text, "SIP/2.0 ", 8) == 0 ? text + 8 : text;
    size_t len = strcspn(word, " ");

    if (!world->script->invite && strncmp(word, "100 ", 4) == 0) {
        world->record->kept_out++;
        return;
    }
    if (world->record->len == EVENTS_MAX || world->sent[side] == FATES) {
        CU_FAIL("a script longer than there is room for");
        return;
    }
    event = &world->record->events[world->record->len++];
    event->at_ms = world->now_ms;
    event->side = side;
    snprintf(event->what, sizeof(event->what), "%.*s", (int)len, word);
    fate = &world->script->fates[side][world->sent[side]++];
    for (int copy = 0; !fate->lost && copy < (fate->twice ? 2 : 1); copy++) {
        world->flying[world->flying_len++] =
            (Flying){world->now_ms + (copy + 1) * fate->delay_ms,
                     side == ASKING ? ANSWERING : ASKING, strdup(text)};
    }
}

/* world_arrived takes the next message that is due off the air; NULL when there is none. The caller
 * frees it. */
static char *world_arrived(World *world, Side *ret_to)
{
    for (int i = 0; i < world->flying_len; i++) {
        if (world->flying[i].at_ms <= world->now_ms) {
            Flying flying = world->flying[i];

            world->flying_len--;
            memmove(&world->flying[i], &world->flying[i + 1],
                    (size_t)(world->flying_len - i) * sizeof(world->flying[0]));
            if (flying.to == ANSWERING && world->answered / 100 == 2 &&
                strncmp(flying.text, "INVITE ", 7) == 0) {
                world->record->kept_out++;
                free(flying.text);
                i = -1;
                continue;
            }
            *ret_to = flying.to;
            return flying.text;
        }
    }
    return NULL;
}

static void world_end(World *world)
{
    for (int i = 0; i < world->flying_len; i++) {
        free(world->flying[i].text);
    }
}

/* What the server's user does now: a status to send, or 0. */
static int world_answer(World *world)
{
    const Script *script = world->script;
    int since = world->now_ms - world->arrived_ms;

    if (world->arrived_ms < 0 || world->answered != 0) {
        return 0;
    }
    if (script->final_ms >= 0 && since >= script->final_ms) {
        world->answered = script->final_status;
        return world->answered;
    }
    if (script->ringing_ms >= 0 && since >= script->ringing_ms && !world->rung) {
        world->rung = true;
        return 180;
    }
    return 0;
}

/* Our world. */
typedef struct Ours {
    World world;
    SipEnv env;
    PealSipConfig config;
    SipTransactions sides[2];
    SipTx client;
    SipTx server;
} Ours;

static Ours ours;

static void ours_flush(Side side)
{
    for (size_t i = 0; i < ours.env.sent_len; i++) {
        world_sent(&ours.world, side, ours.env.sent[i].text.ptr);
    }
    sip_env_forget(&ours.env);
}

static void ours_answer(SipTx tx, const char *method, int status)
{
    char text[1024];

    put_response(ours.world.script, method, status, text, sizeof(text));
    (void)!sip_tx_answer(&ours.sides[ANSWERING], tx, (uint16_t)status, sip_str(text));
}

static void ours_on_request(void *user, SipTx tx, const SipMessage *request, const PealHop *from,
                            SipTx matched)
{
    (void)user;
    (void)from;
    if (request->code == SIP_CANCEL) {
        ours_answer(tx, "CANCEL", matched != 0 ? 200 : 481);
        if (matched != 0 && ours.world.answered == 0) {
            ours.world.answered = 487;
            ours_answer(ours.server, "INVITE", 487);
        }
        return;
    }
    if (ours.world.arrived_ms >= 0) {
        return; /* after its transaction: nobody answers */
    }
    ours.server = tx;
    ours.world.arrived_ms = ours.world.now_ms;
    if (ours.world.script->invite) {
        ours_answer(tx, "INVITE", 100);
    }
}

static void ours_on_ack(void *user, const SipMessage *ack, const PealHop *from)
{
    (void)user;
    (void)ack;
    (void)from;
}

static void ours_on_response(void *user, SipTx tx, uint64_t arg, const SipMessage *response,
                             const PealHop *from)
{
    (void)user;
    (void)tx;
    (void)arg;
    (void)response;
    (void)from;
}

static void ours_on_failed(void *user, SipTx tx, uint64_t arg, int error)
{
    (void)user;
    (void)tx;
    (void)arg;
    (void)error;
}

static void ours_on_ended(void *user, SipTx tx, uint64_t arg, bool server)
{
    (void)user;
    (void)tx;
    (void)arg;
    (void)server;
}

static const SipTransactionUser ours_ops = {ours_on_request, ours_on_ack, ours_on_response,
                                            ours_on_failed, ours_on_ended};

static void ours_start(void)
{
    char text[1024];
    SipMessage message;
    PealHop to = sip_env_hop(2, 5060, ours.world.script->tcp ? PEAL_TCP : PEAL_UDP, 0);

    put_request(ours.world.script, ours.world.script->invite ? "INVITE" : "OPTIONS", text,
                sizeof(text));
    CU_ASSERT_EQUAL_FATAL(sip_message_scan(sip_str(text), true, &message), 0);
    CU_ASSERT_EQUAL(sip_tx_request(&ours.sides[ASKING], &message, &to, 0, &ours.client), 0);
    ours_flush(ASKING);
}

static void ours_deliver(void)
{
    PealTransport transport = ours.world.script->tcp ? PEAL_TCP : PEAL_UDP;
    char *text;
    Side to;

    while ((text = world_arrived(&ours.world, &to)) != NULL) {
        PealHop from = sip_env_hop(to == ANSWERING ? 1 : 2, 5060, transport, to == ANSWERING);
        SipMessage message;

        CU_ASSERT_EQUAL_FATAL(sip_message_scan(sip_str(text), true, &message), 0);
        sip_tx_receive(&ours.sides[to], &message, &from);
        ours_flush(to);
        free(text);
    }
}

static void ours_act(const Script *script, Record *record)
{
    memset(&ours, 0, sizeof(ours));
    ours.world = (World){.script = script, .record = record, .arrived_ms = -1};
    sip_arena_setup();
    sip_env_init(&ours.env);
    peal_sip_defaults(&ours.config);
    for (Side side = ASKING; side <= ANSWERING; side++) {
        sip_transactions_init(&ours.sides[side], &ours.env.plain.env, &ours.config, &ours_ops,
                              &ours);
    }
    ours_start();
    for (int ms = 0; ms < END_MS; ms += TICK_MS) {
        int status;

        ours.world.now_ms = ms;
        ours.env.now = (PealTime){ms * PEAL_NS_PER_MS};
        ours_deliver();
        for (Side side = ASKING; side <= ANSWERING; side++) {
            sip_transactions_on_wake(&ours.sides[side], ours.env.now);
            ours_flush(side);
        }
        if ((status = world_answer(&ours.world)) != 0) {
            ours_answer(ours.server, script->invite ? "INVITE" : "OPTIONS", status);
            ours_flush(ANSWERING);
        }
        if (ms == script->cancel_ms) {
            sip_tx_cancel(&ours.sides[ASKING], ours.client);
            ours_flush(ASKING);
        }
    }
    for (Side side = ASKING; side <= ANSWERING; side++) {
        sip_transactions_fini(&ours.sides[side]);
    }
    world_end(&ours.world);
    CU_ASSERT(sip_env_fini(&ours.env));
}

/* libosip2's world. */
typedef struct Theirs {
    World world;
    osip_t *sides[2];
    osip_transaction_t *client;
    osip_transaction_t *server;
    osip_transaction_t *dead[EVENTS_MAX];
    int dead_len;
    int clock_us; /* beyond now_ms */
} Theirs;

static Theirs theirs;

/* libosip2 reads this program's clock. Its timers are judged late in a tick, and set early in it,
 * so that what is due is due. */
int osip_gettimeofday(struct timeval *tp, void *tz)
{
    (void)tz;
    tp->tv_sec = 1000000 + theirs.world.now_ms / 1000;
    tp->tv_usec = theirs.world.now_ms % 1000 * 1000 + theirs.clock_us;
    return 0;
}

static Side theirs_side(const osip_transaction_t *tx)
{
    return tx->config == theirs.sides[ASKING] ? ASKING : ANSWERING;
}

/* libosip2's callback gives its texts to be changed. */
static int theirs_send(osip_transaction_t *tx, osip_message_t *message,
                       char *host, /* NOLINT(readability-non-const-parameter) */
                       int port, int socket)
{
    char *text = NULL;
    size_t len = 0;

    (void)host;
    (void)port;
    (void)socket;
    CU_ASSERT_EQUAL_FATAL(osip_message_to_str(message, &text, &len), 0);
    world_sent(&theirs.world, theirs_side(tx), text);
    free(text);
    return 0;
}

static void theirs_killed(int type, osip_transaction_t *tx)
{
    (void)type;
    osip_remove_transaction(theirs.sides[theirs_side(tx)], tx);
    CU_ASSERT_FATAL(theirs.dead_len < EVENTS_MAX);
    theirs.dead[theirs.dead_len++] = tx;
    theirs.client = theirs.client == tx ? NULL : theirs.client;
    theirs.server = theirs.server == tx ? NULL : theirs.server;
}

static void theirs_told(int type, osip_transaction_t *tx, osip_message_t *message)
{
    (void)message;
    if (type == OSIP_ICT_STATUS_1XX_RECEIVED && tx == theirs.client) {
        theirs.world.provisional = true;
    }
}

static void theirs_error(int type, osip_transaction_t *tx, int error)
{
    (void)type;
    (void)tx;
    (void)error;
    CU_FAIL("libosip2 could not send");
}

static void theirs_run(Side side)
{
    osip_ict_execute(theirs.sides[side]);
    osip_nict_execute(theirs.sides[side]);
    osip_ist_execute(theirs.sides[side]);
    osip_nist_execute(theirs.sides[side]);
}

static osip_transaction_t *theirs_request(const char *method)
{
    char text[1024];
    osip_message_t *message = NULL;
    osip_transaction_t *tx = NULL;
    osip_fsm_type_t type = strcmp(method, "INVITE") == 0 ? ICT : NICT;

    put_request(theirs.world.script, method, text, sizeof(text));
    CU_ASSERT_EQUAL_FATAL(osip_message_init(&message), 0);
    CU_ASSERT_EQUAL_FATAL(osip_message_parse(message, text, strlen(text)), 0);
    CU_ASSERT_EQUAL_FATAL(osip_transaction_init(&tx, type, theirs.sides[ASKING], message), 0);
    osip_transaction_add_event(tx, osip_new_outgoing_sipmessage(message));
    theirs_run(ASKING);
    return tx;
}

static void theirs_answer(osip_transaction_t *tx, const char *method, int status)
{
    char text[1024];
    osip_message_t *message = NULL;

    if (tx == NULL) {
        return;
    }
    put_response(theirs.world.script, method, status, text, sizeof(text));
    CU_ASSERT_EQUAL_FATAL(osip_message_init(&message), 0);
    CU_ASSERT_EQUAL_FATAL(osip_message_parse(message, text, strlen(text)), 0);
    osip_transaction_add_event(tx, osip_new_outgoing_sipmessage(message));
    theirs_run(ANSWERING);
}

static void theirs_begin(osip_event_t *event)
{
    bool cancel = MSG_IS_CANCEL(event->sip);
    osip_transaction_t *tx = osip_create_transaction(theirs.sides[ANSWERING], event);

    CU_ASSERT_PTR_NOT_NULL_FATAL(tx);
    osip_transaction_add_event(tx, event);
    theirs_run(ANSWERING);
    if (cancel) {
        bool matched = theirs.server != NULL || theirs.world.answered / 100 == 2;

        theirs_answer(tx, "CANCEL", matched ? 200 : 481);
        if (matched && theirs.world.answered == 0) {
            theirs.world.answered = 487;
            theirs_answer(theirs.server, "INVITE", 487);
        }
    } else if (theirs.world.arrived_ms < 0) {
        theirs.server = tx;
        theirs.world.arrived_ms = theirs.world.now_ms;
        if (theirs.world.script->invite) {
            theirs_answer(tx, "INVITE", 100);
        }
    }
}

static void theirs_deliver(void)
{
    char *text;
    Side to;

    while ((text = world_arrived(&theirs.world, &to)) != NULL) {
        osip_event_t *event = osip_parse(text, strlen(text));

        CU_ASSERT_PTR_NOT_NULL_FATAL(event);
        if (osip_find_transaction_and_add_event(theirs.sides[to], event) == 0) {
            theirs_run(to);
        } else if (MSG_IS_REQUEST(event->sip) && !MSG_IS_ACK(event->sip)) {
            theirs_begin(event);
        } else {
            osip_event_free(event);
        }
        free(text);
    }
}

static void theirs_init(Side side)
{
    osip_t *osip = NULL;

    CU_ASSERT_EQUAL_FATAL(osip_init(&osip), 0);
    osip_set_cb_send_message(osip, theirs_send);
    for (int type = 0; type < OSIP_MESSAGE_CALLBACK_COUNT; type++) {
        osip_set_message_callback(osip, type, theirs_told);
    }
    for (int type = 0; type < OSIP_KILL_CALLBACK_COUNT; type++) {
        osip_set_kill_transaction_callback(osip, type, theirs_killed);
    }
    for (int type = 0; type < OSIP_TRANSPORT_ERROR_CALLBACK_COUNT; type++) {
        osip_set_transport_error_callback(osip, type, theirs_error);
    }
    theirs.sides[side] = osip;
}

static void theirs_timers(Side side)
{
    theirs.clock_us = 900;
    osip_timers_ict_execute(theirs.sides[side]);
    osip_timers_nict_execute(theirs.sides[side]);
    osip_timers_ist_execute(theirs.sides[side]);
    osip_timers_nist_execute(theirs.sides[side]);
    theirs.clock_us = 0;
    theirs_run(side);
}

static void theirs_fini(Side side)
{
    osip_list_t *lists[] = {&theirs.sides[side]->osip_ict_transactions,
                            &theirs.sides[side]->osip_ist_transactions,
                            &theirs.sides[side]->osip_nict_transactions,
                            &theirs.sides[side]->osip_nist_transactions};

    for (size_t i = 0; i < 4; i++) {
        while (osip_list_size(lists[i]) > 0) {
            osip_transaction_free(osip_list_get(lists[i], 0));
        }
    }
}

static void theirs_act(const Script *script, Record *record)
{
    memset(&theirs, 0, sizeof(theirs));
    theirs.world = (World){.script = script, .record = record, .arrived_ms = -1};
    osip_set_allocators(NULL, NULL, NULL);
    theirs_init(ASKING);
    theirs_init(ANSWERING);
    theirs.client = theirs_request(script->invite ? "INVITE" : "OPTIONS");
    for (int ms = 0; ms < END_MS; ms += TICK_MS) {
        int status;

        theirs.world.now_ms = ms;
        theirs_deliver();
        for (Side side = ASKING; side <= ANSWERING; side++) {
            theirs_timers(side);
        }
        if ((status = world_answer(&theirs.world)) != 0) {
            theirs_answer(theirs.server, script->invite ? "INVITE" : "OPTIONS", status);
        }
        if (script->cancel_ms >= 0 && ms >= script->cancel_ms && !theirs.world.cancelled &&
            theirs.client != NULL && theirs.client->state == ICT_PROCEEDING) {
            theirs.world.cancelled = true;
            (void)theirs_request("CANCEL");
        }
    }
    theirs_fini(ASKING);
    theirs_fini(ANSWERING);
    for (int i = 0; i < theirs.dead_len; i++) {
        osip_transaction_free2(theirs.dead[i]);
    }
    osip_release(theirs.sides[ASKING]);
    osip_release(theirs.sides[ANSWERING]);
    world_end(&theirs.world);
}

static void print_record(const char *name, const Record *record)
{
    printf("# %s:", name);
    for (int i = 0; i < record->len; i++) {
        const Event *event = &record->events[i];

        printf(" %s%s@%d", event->side == ASKING ? ">" : "<", event->what, event->at_ms);
    }
    printf("\n");
}

static bool records_agree(const Record *a, const Record *b)
{
    for (int i = 0; i < a->len && i < b->len; i++) {
        if (a->events[i].at_ms != b->events[i].at_ms || a->events[i].side != b->events[i].side ||
            strcmp(a->events[i].what, b->events[i].what) != 0) {
            return false;
        }
    }
    return a->len == b->len;
}

static void transaction_machines_send_what_libosip2s_send(void)
{
    static Record mine;
    static Record their;
    unsigned disagree = 0;
    unsigned messages = 0;
    unsigned kept_out = 0;

    draw_state = 0;
    for (int i = 0; i < SCRIPTS; i++) {
        Script script;

        script_draw(&script);
        memset(&mine, 0, sizeof(mine));
        memset(&their, 0, sizeof(their));
        ours_act(&script, &mine);
        theirs_act(&script, &their);
        messages += (unsigned)mine.len;
        kept_out += mine.kept_out;
        if (!records_agree(&mine, &their)) {
            disagree++;
            printf("# script %d: %s over %s, ringing %d, final %d at %d, cancel %d\n", i,
                   script.invite ? "INVITE" : "OPTIONS", script.tcp ? "TCP" : "UDP",
                   script.ringing_ms, script.final_status, script.final_ms, script.cancel_ms);
            print_record("ours", &mine);
            print_record("libosip2", &their);
        }
    }
    printf("# %d scripts, %u messages, %u kept out\n", SCRIPTS, messages, kept_out);
    CU_ASSERT_EQUAL(disagree, 0);
    CU_ASSERT(messages > 5 * SCRIPTS);
}

PEAL_TEST_MAIN("core/transaction_oracle", PEAL_TEST(transaction_machines_send_what_libosip2s_send))
