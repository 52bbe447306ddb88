/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_dns.c - hosts and SIP services, asked of a name server that the test plays itself. */
#include "dns.h"

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "peal_test.h"

enum { MESSAGE_MAX = 512, HEADER_LEN = 12, RCODE_NXDOMAIN = 3 };

/* One record of the zone; a name without a record of the type asked for does not exist. */
typedef struct Record {
    const char *name;
    uint16_t type;
    uint8_t ip[16];    /* A, AAAA */
    uint16_t priority; /* SRV */
    uint16_t port;
    const char *target;
} Record;

static const Record ZONE[] = {
    {"plain.test", ns_t_a, {192, 0, 2, 1}, 0, 0, NULL},
    {"both.test", ns_t_a, {192, 0, 2, 2}, 0, 0, NULL},
    {"both.test", ns_t_aaaa, {0x20, 0x01, 0x0d, 0xb8, [15] = 2}, 0, 0, NULL},
    {"_sip._udp.service.test", ns_t_srv, {0}, 20, 5062, "plain.test"},
    {"_sip._udp.service.test", ns_t_srv, {0}, 10, 5061, "other.test"},
    {"_sip._tcp.service.test", ns_t_srv, {0}, 10, 5063, "plain.test"},
    {"other.test", ns_t_a, {192, 0, 2, 3}, 0, 0, NULL},
    {"service.test", ns_t_a, {192, 0, 2, 4}, 0, 0, NULL},
    {"_sip._udp.none.test", ns_t_srv, {0}, 0, 0, ""},
    {"none.test", ns_t_a, {192, 0, 2, 5}, 0, 0, NULL},
};

typedef struct Server {
    Loop *loop;
    LoopWatch *watch;
    int fd;
    uint16_t port;
    Dns *dns;
} Server;

static size_t put_name(uint8_t *at, const char *name)
{
    g_auto(GStrv) labels = g_strsplit(name, ".", -1);
    size_t len = 0;

    for (guint i = 0; labels[i] != NULL && labels[i][0] != '\0'; i++) {
        at[len] = (uint8_t)strlen(labels[i]);
        memcpy(at + len + 1, labels[i], at[len]);
        len += 1u + at[len];
    }
    at[len] = 0;
    return len + 1;
}

static size_t put_u16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return 2;
}

static size_t put_record(uint8_t *at, const Record *record)
{
    size_t len = put_u16(at, 0xc000 | HEADER_LEN); /* the name asked for */
    uint8_t *length;

    len += put_u16(at + len, record->type);
    len += put_u16(at + len, ns_c_in);
    len += put_u16(at + len, 0);
    len += put_u16(at + len, 0);
    length = at + len;
    len += 2;
    if (record->type == ns_t_srv) {
        len += put_u16(at + len, record->priority);
        len += put_u16(at + len, 0);
        len += put_u16(at + len, record->port);
        len += put_name(at + len, record->target);
    } else {
        memcpy(at + len, record->ip, record->type == ns_t_a ? 4 : 16);
        len += record->type == ns_t_a ? 4 : 16;
    }
    put_u16(length, len - (size_t)(length - at) - 2);
    return len;
}

static void read_name(const uint8_t *at, size_t len, char *ret_name, size_t *ret_len)
{
    GString *name = g_string_new(NULL);
    size_t i = 0;

    while (i < len && at[i] != 0 && i + 1 + at[i] < len) {
        g_string_append_printf(name, "%s%.*s", i > 0 ? "." : "", at[i], (const char *)at + i + 1);
        i += 1u + at[i];
    }
    g_strlcpy(ret_name, name->str, 256);
    g_string_free(name, TRUE);
    *ret_len = i + 1;
}

/* Answers in place; a name that ends in `.silent` gets none. */
static void on_query(void *user, uint32_t events)
{
    const Server *server = user;
    uint8_t message[MESSAGE_MAX];
    struct sockaddr_storage from;
    socklen_t from_len = sizeof(from);
    ssize_t got =
        recvfrom(server->fd, message, sizeof(message), 0, (struct sockaddr *)&from, &from_len);
    char name[256];
    size_t name_len;
    size_t len;
    uint16_t answers = 0;
    bool exists = false;

    (void)events;
    CU_ASSERT_FATAL(got > HEADER_LEN + 4);
    read_name(message + HEADER_LEN, (size_t)got - HEADER_LEN - 4, name, &name_len);
    len = HEADER_LEN + name_len + 4;
    for (size_t i = 0; i < G_N_ELEMENTS(ZONE); i++) {
        if (g_ascii_strcasecmp(ZONE[i].name, name) != 0) {
            continue;
        }
        exists = true;
        if (ZONE[i].type == message[HEADER_LEN + name_len + 1]) {
            len += put_record(message + len, &ZONE[i]);
            answers++;
        }
    }
    message[2] = 0x84;
    message[3] = exists ? 0 : RCODE_NXDOMAIN;
    memset(message + 6, 0, 6);
    put_u16(message + 6, answers);
    (void)!sendto(server->fd, message, len, 0, (struct sockaddr *)&from, from_len);
}

static void server_init(Server *server)
{
    struct sockaddr_storage name;
    const PealAddr loopback = {.ip = {127, 0, 0, 1}, .family = 4};
    socklen_t len = address_to_system(&loopback, &name);
    g_autofree char *address = NULL;

    *server = (Server){.loop = loop_new(NULL, NULL), .fd = socket(AF_INET, SOCK_DGRAM, 0)};
    CU_ASSERT_EQUAL(bind(server->fd, (struct sockaddr *)&name, len), 0);
    CU_ASSERT_EQUAL(getsockname(server->fd, (struct sockaddr *)&name, &len), 0);
    address = g_strdup_printf("127.0.0.1:%u", address_from_system(&name).port);
    server->watch = loop_watch(server->loop, server->fd, EPOLLIN, on_query, server);
    server->dns = dns_new(server->loop, address, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(server->dns);
}

static void server_fini(Server *server)
{
    dns_free(server->dns);
    loop_unwatch(server->loop, server->watch);
    close(server->fd);
    loop_free(server->loop);
}

typedef struct Found {
    unsigned calls;
    int status;
    PealTarget targets[DNS_TARGETS_MAX];
    size_t len;
} Found;

static void on_found(void *user, int status, const PealTarget *targets, size_t len)
{
    Found *found = user;

    found->calls++;
    found->status = status;
    found->len = len;
    if (len > 0) {
        memcpy(found->targets, targets, len * sizeof(*targets));
    }
}

static Found find(Server *server, const char *host, uint16_t port, uint8_t transport)
{
    Found found = {0};
    const DnsQuestion question = {{host, strlen(host)}, port, transport};

    CU_ASSERT_EQUAL_FATAL(dns_resolve(server->dns, &question, on_found, &found), 0);
    CU_ASSERT_EQUAL(found.calls, 0); /* never from inside the call */
    for (unsigned i = 0; i < 10000 && found.calls == 0; i++) {
        g_main_context_iteration(NULL, TRUE);
    }
    CU_ASSERT_EQUAL(found.calls, 1);
    return found;
}

static void expect(const Found *found, size_t i, const char *ip, uint16_t port,
                   PealTransport transport)
{
    char text[ADDRESS_TEXT_LEN];

    CU_ASSERT_FATAL(i < found->len);
    CU_ASSERT_STRING_EQUAL(address_ip_text(&found->targets[i].addr, text), ip);
    CU_ASSERT_EQUAL(found->targets[i].addr.port, port);
    CU_ASSERT_EQUAL(found->targets[i].transport, transport);
}

static void dns_numeric_address_is_itself(void)
{
    Server server;
    Found found;

    server_init(&server);
    found = find(&server, "192.0.2.9", 0, PEAL_TCP);
    CU_ASSERT_EQUAL(found.len, 1);
    expect(&found, 0, "192.0.2.9", 5060, PEAL_TCP);
    found = find(&server, "[2001:db8::9]", 5070, PEAL_TRANSPORT_ANY);
    expect(&found, 0, "2001:db8::9", 5070, PEAL_UDP);
    server_fini(&server);
}

static void dns_host_with_a_port_has_its_addresses_of_both_kinds(void)
{
    Server server;
    Found found;

    server_init(&server);
    found = find(&server, "both.test", 5070, PEAL_UDP);
    CU_ASSERT_EQUAL(found.len, 2);
    CU_ASSERT_EQUAL(found.targets[0].addr.family + found.targets[1].addr.family, 10);
    CU_ASSERT_EQUAL(found.targets[0].addr.port, 5070);
    found = find(&server, "service.test", 5070, PEAL_UDP); /* no look at the service's records */
    CU_ASSERT_EQUAL(found.len, 1);
    expect(&found, 0, "192.0.2.4", 5070, PEAL_UDP);
    server_fini(&server);
}

static void dns_service_is_ordered_by_priority_udp_before_tcp(void)
{
    Server server;
    Found found;

    server_init(&server);
    found = find(&server, "service.test", 0, PEAL_TRANSPORT_ANY);
    CU_ASSERT_EQUAL(found.len, 3);
    expect(&found, 0, "192.0.2.3", 5061, PEAL_UDP);
    expect(&found, 1, "192.0.2.1", 5062, PEAL_UDP);
    expect(&found, 2, "192.0.2.1", 5063, PEAL_TCP);
    found = find(&server, "service.test", 0, PEAL_TCP);
    CU_ASSERT_EQUAL(found.len, 1);
    expect(&found, 0, "192.0.2.1", 5063, PEAL_TCP);
    server_fini(&server);
}

static void dns_host_without_service_records_is_asked_for_its_address(void)
{
    Server server;
    Found found;

    server_init(&server);
    found = find(&server, "plain.test", 0, PEAL_TRANSPORT_ANY);
    CU_ASSERT_EQUAL(found.len, 1);
    expect(&found, 0, "192.0.2.1", 5060, PEAL_UDP);
    server_fini(&server);
}

static void dns_unknown_host_and_disowned_service_are_not_found(void)
{
    g_autofree char *long_name = g_strnfill(300, 'x');
    Server server;

    server_init(&server);
    CU_ASSERT_EQUAL(find(&server, "nobody.test", 0, PEAL_TRANSPORT_ANY).status, -PEAL_E_NOT_FOUND);
    CU_ASSERT_EQUAL(find(&server, "nobody.test", 1, PEAL_UDP).status, -PEAL_E_NOT_FOUND);
    CU_ASSERT_EQUAL(find(&server, "none.test", 0, PEAL_UDP).status, -PEAL_E_NOT_FOUND);
    CU_ASSERT_EQUAL(find(&server, "", 0, PEAL_UDP).status, -PEAL_E_NOT_FOUND);
    CU_ASSERT_EQUAL(find(&server, long_name, 5060, PEAL_UDP).status, -PEAL_E_NOT_FOUND);
    server_fini(&server);
}

static void dns_hosts_file_is_looked_at_first(void)
{
    Server server;
    Found found;

    server_init(&server);
    found = find(&server, "localhost", 5060, PEAL_UDP);
    CU_ASSERT_FATAL(found.len > 0);
    CU_ASSERT_TRUE(address_is_loopback(&found.targets[0].addr));
    server_fini(&server);
}

static void dns_questions_are_bounded_and_end_with_it(void)
{
    const DnsQuestion question = {{"both.test", 9}, 5060, PEAL_UDP};
    Server server;
    Found found = {0};

    server_init(&server);
    for (unsigned i = 0; i < DNS_QUERIES_MAX; i++) {
        CU_ASSERT_EQUAL(dns_resolve(server.dns, &question, on_found, &found), 0);
    }
    CU_ASSERT_EQUAL(dns_resolve(server.dns, &question, on_found, &found), -PEAL_E_FULL);
    server_fini(&server);
    CU_ASSERT_EQUAL(found.calls, 0);
}

PEAL_TEST_MAIN("net/dns", PEAL_TEST(dns_numeric_address_is_itself),
               PEAL_TEST(dns_host_with_a_port_has_its_addresses_of_both_kinds),
               PEAL_TEST(dns_service_is_ordered_by_priority_udp_before_tcp),
               PEAL_TEST(dns_host_without_service_records_is_asked_for_its_address),
               PEAL_TEST(dns_unknown_host_and_disowned_service_are_not_found),
               PEAL_TEST(dns_hosts_file_is_looked_at_first),
               PEAL_TEST(dns_questions_are_bounded_and_end_with_it))
