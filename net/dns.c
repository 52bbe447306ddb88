/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dns.c - where a host is; see dns.h. */
#include "dns.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "address.h"

enum { SIP_PORT = 5060, HOST_MAX = 253, RECORDS_MAX = 8, TRANSPORTS = 2, TRY_MS = 2000, TRIES = 2 };

/* One place to look for addresses at: a record of a service, or the host itself. */
typedef struct Place {
    char *host;
    uint16_t port;
    uint16_t priority;
    uint16_t weight;
    PealTransport transport;
    PealAddr addrs[DNS_TARGETS_MAX];
    size_t addrs_len;
} Place;

/* c-ares calls back with this, whether or not the query still waits. */
typedef struct Query {
    Dns *dns;
    DnsDone done; /* NULL: not waited for any more */
    void *user;
    char *host;
    uint16_t port;
    uint8_t transport;
    bool answered;   /* some server said something, if only that there is no such name */
    bool disowned;   /* a service's record says that there is no such service here */
    unsigned asking; /* answers to come */
    Place places[TRANSPORTS * RECORDS_MAX];
    size_t places_len;
    LoopTimer patience;
    LoopTimer ready;
    GList link; /* in dns->queries while it waits */
} Query;

/* c-ares wants one pointer back: which of a query's questions. */
typedef struct Question {
    Query *query;
    size_t place;
    PealTransport transport;
} Question;

typedef struct Socket {
    Dns *dns;
    LoopWatch *watch;
    ares_socket_t fd;
} Socket;

struct Dns {
    Loop *loop;
    ares_channel channel;
    GHashTable *sockets; /* fd -> Socket */
    GQueue queries;
    LoopTimer timer;
    bool ending;
};

static void arm(Dns *dns)
{
    struct timeval most = {DNS_TIME_MAX.ns / PEAL_NS_PER_S, 0};
    struct timeval storage;
    const struct timeval *wait = ares_timeout(dns->channel, &most, &storage);
    PealSpan span = {wait->tv_sec * PEAL_NS_PER_S + wait->tv_usec * PEAL_NS_PER_US};

    loop_timer_set(dns->loop, &dns->timer,
                   dns->queries.length == 0 ? PEAL_TIME_NEVER
                                            : peal_time_add(loop_now(dns->loop), span));
}

static void on_timer(void *user)
{
    Dns *dns = user;

    ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    arm(dns);
}

static void on_socket(void *user, uint32_t events)
{
    const Socket *waiting = user;
    Dns *dns = waiting->dns;
    ares_socket_t fd = waiting->fd;

    ares_process_fd(dns->channel, events & (EPOLLIN | EPOLLERR | EPOLLHUP) ? fd : ARES_SOCKET_BAD,
                    events & EPOLLOUT ? fd : ARES_SOCKET_BAD);
    arm(dns);
}

static void socket_free(gpointer data)
{
    Socket *waiting = data;

    loop_unwatch(waiting->dns->loop, waiting->watch);
    g_free(waiting);
}

/* c-ares says what it waits for at a socket of its own; nothing: it closes it. */
static void on_socket_state(void *user, ares_socket_t fd, int readable, int writable)
{
    Dns *dns = user;
    uint32_t events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u);
    Socket *waiting = g_hash_table_lookup(dns->sockets, GINT_TO_POINTER(fd));

    if (events == 0) {
        g_hash_table_remove(dns->sockets, GINT_TO_POINTER(fd));
    } else if (waiting != NULL) {
        loop_change(dns->loop, waiting->watch, events);
    } else {
        waiting = g_new0(Socket, 1);
        *waiting = (Socket){.dns = dns, .fd = fd};
        waiting->watch = loop_watch(dns->loop, fd, events, on_socket, waiting);
        if (waiting->watch == NULL) {
            g_free(waiting); /* the query times out */
            return;
        }
        g_hash_table_insert(dns->sockets, GINT_TO_POINTER(fd), waiting);
    }
}

static void query_leave(Query *query)
{
    if (query->done != NULL) {
        query->done = NULL;
        g_queue_unlink(&query->dns->queries, &query->link);
        loop_timer_unset(query->dns->loop, &query->patience);
        loop_timer_unset(query->dns->loop, &query->ready);
    }
}

/* Frees a query that nobody waits for once c-ares has forgotten it too. */
static void query_free_if_over(Query *query)
{
    if (query->done != NULL || query->asking > 0) {
        return;
    }
    for (size_t i = 0; i < query->places_len; i++) {
        g_free(query->places[i].host);
    }
    g_free(query->host);
    g_free(query);
}

static void query_finish(Query *query, int status, const PealTarget *targets, size_t len)
{
    DnsDone done = query->done;
    void *user = query->user;

    query_leave(query);
    done(user, status, targets, len);
    query_free_if_over(query);
}

/* Everything that was asked for is here. */
static void on_ready(void *user)
{
    Query *query = user;
    PealTarget targets[DNS_TARGETS_MAX];
    size_t len = 0;

    /* UDP's first, whichever answer came first. */
    for (size_t i = 0; i < 2 * query->places_len; i++) {
        bool first = i < query->places_len;
        const Place *place = &query->places[first ? i : i - query->places_len];

        if (place->transport != (first ? PEAL_UDP : PEAL_TCP)) {
            continue;
        }
        for (size_t j = 0; j < place->addrs_len && len < DNS_TARGETS_MAX; j++) {
            targets[len] = (PealTarget){place->addrs[j], place->transport};
            targets[len++].addr.port = place->port;
        }
    }
    if (len > 0) {
        query_finish(query, 0, targets, len);
    } else {
        query_finish(query, query->answered ? -PEAL_E_NOT_FOUND : -PEAL_E_TIMEOUT, NULL, 0);
    }
}

static void on_impatient(void *user)
{
    query_finish(user, -PEAL_E_TIMEOUT, NULL, 0);
}

static void ready_soon(Query *query)
{
    if (query->done != NULL) {
        loop_timer_set(query->dns->loop, &query->ready, loop_now(query->dns->loop));
    }
}

static bool is_answer(int status)
{
    return status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND ||
           status == ARES_EBADNAME;
}

static void ask_places(Query *query);

/* One of c-ares's answers is here. */
static void asked(Query *query, bool services)
{
    query->asking--;
    if (query->dns->ending || query->done == NULL) {
        query_free_if_over(query);
    } else if (query->asking == 0 && services) {
        ask_places(query);
    } else if (query->asking == 0) {
        ready_soon(query);
    }
}

/* Addresses. */

static void on_addresses(void *user, int status, int timeouts, struct ares_addrinfo *result)
{
    Question *question = user;
    Query *query = question->query;
    Place *place = &query->places[question->place];

    (void)timeouts;
    g_free(question);
    query->answered = query->answered || is_answer(status);
    for (const struct ares_addrinfo_node *node = result != NULL ? result->nodes : NULL;
         node != NULL && place->addrs_len < DNS_TARGETS_MAX; node = node->ai_next) {
        struct sockaddr_storage name = {0};

        memcpy(&name, node->ai_addr, MIN(node->ai_addrlen, sizeof(name)));
        place->addrs[place->addrs_len] = address_from_system(&name);
        place->addrs_len += place->addrs[place->addrs_len].family != 0;
    }
    if (result != NULL) {
        ares_freeaddrinfo(result);
    }
    asked(query, false);
}

/* Asks for the addresses of all places. c-ares may answer at once. */
static void ask_places(Query *query)
{
    const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC};

    if (query->places_len == 0 && !query->disowned) {
        query->places[query->places_len++] = (Place){
            .host = g_strdup(query->host),
            .port = query->port != 0 ? query->port : SIP_PORT,
            .transport = query->transport == PEAL_TCP ? PEAL_TCP : PEAL_UDP,
        };
    }
    query->asking++; /* until all are asked */
    for (size_t i = 0; i < query->places_len; i++) {
        Place *place = &query->places[i];
        Question *question;

        if (address_parse_ip((PealStr){place->host, strlen(place->host)}, place->port,
                             &place->addrs[0])) {
            place->addrs_len = 1;
            continue;
        }
        question = g_new0(Question, 1);
        *question = (Question){.query = query, .place = i};
        query->asking++;
        ares_getaddrinfo(query->dns->channel, place->host, NULL, &hints, on_addresses, question);
    }
    asked(query, false);
}

/* Services. */

/* RFC 2782: by priority, and among equal ones by chance in proportion to weight. */
static void order_places(Place *places, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint32_t total = 0;
        size_t choice = i;
        uint32_t at;

        for (size_t j = i; j < len; j++) {
            choice = places[j].priority < places[choice].priority ? j : choice;
        }
        for (size_t j = i; j < len; j++) {
            total += places[j].priority == places[choice].priority ? places[j].weight + 1u : 0;
        }
        at = (uint32_t)g_random_int_range(0, (gint32)total);
        for (size_t j = i, least = places[choice].priority; j < len; j++) {
            uint32_t share = places[j].priority == least ? places[j].weight + 1u : 0;

            if (at < share) {
                choice = j;
                break;
            }
            at -= share;
        }
        Place chosen = places[choice];

        places[choice] = places[i];
        places[i] = chosen;
    }
}

static void on_service(void *user, int status, int timeouts, unsigned char *answer, int len)
{
    Question *question = user;
    Query *query = question->query;
    size_t first = query->places_len;
    struct ares_srv_reply *records = NULL;

    (void)timeouts;
    query->answered = query->answered || is_answer(status);
    if (status == ARES_SUCCESS && ares_parse_srv_reply(answer, len, &records) != ARES_SUCCESS) {
        records = NULL;
    }
    for (const struct ares_srv_reply *record = records;
         record != NULL && query->places_len < first + RECORDS_MAX; record = record->next) {
        if (record->host[0] == '\0' || strcmp(record->host, ".") == 0) {
            query->disowned = true;
            continue;
        }
        query->places[query->places_len++] = (Place){
            .host = g_strdup(record->host),
            .port = record->port,
            .priority = record->priority,
            .weight = record->weight,
            .transport = question->transport,
        };
    }
    order_places(query->places + first, query->places_len - first);
    if (records != NULL) {
        ares_free_data(records);
    }
    g_free(question);
    asked(query, true);
}

static void ask_service(Query *query, PealTransport transport)
{
    g_autofree char *name =
        g_strdup_printf("_sip._%s.%s", transport == PEAL_TCP ? "tcp" : "udp", query->host);
    Question *question = g_new0(Question, 1);

    *question = (Question){.query = query, .transport = transport};
    query->asking++;
    ares_query(query->dns->channel, name, ns_c_in, ns_t_srv, on_service, question);
}

int dns_resolve(Dns *dns, const DnsQuestion *question, DnsDone done, void *user)
{
    Query *query;
    PealAddr numeric;
    bool any = question->transport == PEAL_TRANSPORT_ANY;

    if (dns->queries.length == DNS_QUERIES_MAX) {
        return -PEAL_E_FULL;
    }
    query = g_new0(Query, 1);
    *query = (Query){.dns = dns,
                     .done = done,
                     .user = user,
                     .host = g_strndup(question->host.ptr, question->host.len),
                     .port = question->port,
                     .transport = question->transport};
    query->patience.due = on_impatient;
    query->ready.due = on_ready;
    query->patience.user = query->ready.user = query;
    query->link.data = query;
    g_queue_push_tail_link(&dns->queries, &query->link);
    loop_timer_set(dns->loop, &query->patience, peal_time_add(loop_now(dns->loop), DNS_TIME_MAX));
    if (question->host.len == 0 || question->host.len > HOST_MAX ||
        strlen(query->host) != question->host.len) {
        query->answered = true; /* there is no such name */
        ready_soon(query);
        return 0;
    }
    if (query->port != 0 || address_parse_ip(question->host, 0, &numeric)) {
        ask_places(query);
    } else {
        query->asking++; /* until all are asked */
        if (any || query->transport == PEAL_UDP) {
            ask_service(query, PEAL_UDP);
        }
        if (any || query->transport == PEAL_TCP) {
            ask_service(query, PEAL_TCP);
        }
        asked(query, true);
    }
    arm(dns);
    return 0;
}

static bool init_channel(Dns *dns, const char *servers, GError **error)
{
    struct ares_options options = {
        .timeout = TRY_MS,
        .tries = TRIES,
        .sock_state_cb = on_socket_state,
        .sock_state_cb_data = dns,
    };
    int status = ares_library_init(ARES_LIB_INIT_ALL);

    if (status == ARES_SUCCESS) {
        status = ares_init_options(&dns->channel, &options,
                                   ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
    }
    if (status == ARES_SUCCESS && servers != NULL) {
        status = ares_set_servers_ports_csv(dns->channel, servers);
    }
    if (status != ARES_SUCCESS) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot ask name servers: %s",
                    ares_strerror(status));
        return false;
    }
    return true;
}

Dns *dns_new(Loop *loop, const char *servers, GError **error)
{
    Dns *dns = g_new0(Dns, 1);

    dns->loop = loop;
    dns->sockets = g_hash_table_new_full(NULL, NULL, NULL, socket_free);
    dns->timer.due = on_timer;
    dns->timer.user = dns;
    if (!init_channel(dns, servers, error)) {
        dns_free(dns);
        return NULL;
    }
    return dns;
}

void dns_free(Dns *dns)
{
    if (dns == NULL) {
        return;
    }
    dns->ending = true;
    while (!g_queue_is_empty(&dns->queries)) {
        Query *query = g_queue_peek_head(&dns->queries);

        query_leave(query);
        query_free_if_over(query);
    }
    if (dns->channel != NULL) {
        ares_destroy(dns->channel); /* answers what is outstanding */
    }
    ares_library_cleanup();
    loop_timer_unset(dns->loop, &dns->timer);
    g_hash_table_unref(dns->sockets);
    g_free(dns);
}
