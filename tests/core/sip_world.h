/*
 * sip_world.h - SIP around a handful of peers: adapters joined in one overlay, phones that a test
 *               moves by hand, a network between them that loses what the test wants lost, and
 *               answers to what peers ask the world.
 * Source: none.   State: one SipWorld.   Time: mini_world's; every message takes `latency`.
 * SIP_WORLD_TRACE in the environment prints every message.
 */
#ifndef SIP_WORLD_H
#define SIP_WORLD_H

#include "core/mini_world.h"

enum { SIP_PHONES_MAX = 32, SIP_INBOX_MAX = 128, SIP_CONNS_MAX = 128, SIP_TABLE_MAX = 64 };

typedef struct SipWorld SipWorld;

/* A message as a phone got it; the text ends with a NUL that len does not count. */
typedef struct SipReceived {
    char *text;
    size_t len;
    PealAddr from;
    uint32_t adapter;
    int conn; /* -1: a datagram */
} SipReceived;

typedef struct SipPhone {
    SipWorld *world;
    PealAddr addr;
    char host[48];  /* as it is written in URIs and Via, brackets included */
    bool takes_tcp; /* TCP connections are accepted at addr */
    bool refuses;   /* datagrams are refused: what an ICMP port unreachable says */
    SipReceived inbox[SIP_INBOX_MAX];
    size_t inbox_len;
    size_t inbox_read;
} SipPhone;

/* A TCP connection; the adapter's number of it is `number`, at its second end, too, an
 * adapter's. */
typedef struct SipConn {
    bool open;
    uint32_t adapter;
    uint32_t number;
    SipPhone *phone; /* the other end, or NULL: */
    uint32_t other;  /* another adapter, */
    uint32_t other_number;
    PealAddr phone_addr; /* the phone's end */
    char *half;          /* what the phone has of a message that is not whole */
    size_t half_len;
} SipConn;

/* Returns true to lose it. `to` is where it goes, `text` not terminated. */
typedef bool (*SipLose)(void *user, const PealAddr *from, const PealAddr *to, const char *text,
                        size_t len);

typedef struct SipName {
    const char *host;
    int status; /* 0 or -PEAL_E_* */
    PealTarget targets[4];
    size_t targets_len;
} SipName;

typedef struct SipUser {
    const char *user; /* of the first domain */
    const char *password;
} SipUser;

struct SipWorld {
    MiniWorld *mini;
    MiniSip hooks;
    PealSipConfig config;
    PealSpan latency;  /* 5 ms */
    bool two_families; /* adapters have an IPv6 address besides */
    SipPhone phones[SIP_PHONES_MAX];
    size_t phones_len;
    SipConn conns[SIP_CONNS_MAX];
    size_t conns_len;
    SipName names[SIP_TABLE_MAX]; /* what DNS says */
    size_t names_len;
    SipUser users[SIP_TABLE_MAX];
    size_t users_len;
    SipLose lose;
    void *lose_user;
    uint64_t messages; /* sent by adapters */
    uint32_t numbers;
    uint32_t asks;       /* to the world */
    uint16_t asked_port; /* with the last RESOLVE */
    uint8_t asked_transport;
};

/* Domain example.org; change config before the adapters are made. */
SipWorld *sip_world_new(uint64_t seed);
/* sip_world_adapters makes `count` peers that are adapters, joined in one overlay. */
void sip_world_adapters(SipWorld *world, uint32_t count);
void sip_world_free(SipWorld *world);
void sip_world_run(SipWorld *world, PealSpan span);

PealAddr sip_world_addr(uint32_t adapter);    /* 10.1.0.x:5060 */
const char *sip_world_host(uint32_t adapter); /* its text, without the port */
PealPeer *sip_world_peer(SipWorld *world, uint32_t adapter);

/* sip_phone makes a phone at an IPv4 or IPv6 address. */
SipPhone *sip_phone(SipWorld *world, const char *ip, uint16_t port);
/* sip_phone_send sends a datagram, from `port` instead of the phone's own unless that is 0. */
void sip_phone_send(SipPhone *phone, uint32_t adapter, const char *text);
void sip_phone_send_from(SipPhone *phone, uint16_t port, uint32_t adapter, const char *text,
                         size_t len);
/* sip_phone_connect opens a TCP connection to an adapter; returns its index in world->conns. */
int sip_phone_connect(SipPhone *phone, uint32_t adapter);
void sip_conn_send(SipWorld *world, int conn, const char *text, size_t len);
void sip_conn_close(SipWorld *world, int conn);
/* sip_phone_next runs until the phone has a message that was not read, at most `span`; NULL when
 * none comes. Borrowed until the world ends. */
const SipReceived *sip_phone_next(SipPhone *phone, PealSpan span);
/* sip_phone_is_quiet: nothing new arrives within `span`. */
bool sip_phone_is_quiet(SipPhone *phone, PealSpan span);

#endif
