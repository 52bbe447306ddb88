/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * testbed.h - an overlay of `peal node` processes on this machine, in one directory.
 * Source: none.
 * State:  DIR/testbed.json says what there is; DIR/peer-K/, K from 1, holds node.conf, log, state/,
 *         control (the socket) and pid.
 * Time:   everything waits, for bounded times.
 *
 * Peer k listens on 127.0.0.1 at SIP 5060, RELOAD 6084 and HTTP 6301, each plus 10 (k - 1); or,
 * with a base port B, at B, B + 1 and B + 2, each plus 10 (k - 1). With namespaces of the network
 * each peer has an address of its own, and all have peer 1's ports.
 */
#ifndef TESTBED_H
#define TESTBED_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { TESTBED_PEERS_MAX = 1000, TESTBED_NETNS_PEERS_MAX = 250 };

typedef struct Testbed {
    char *dir;          /* absolute */
    unsigned peers;     /* they are 1..peers */
    unsigned base_port; /* 0: the standard ports */
    bool netns;         /* each peer in a network namespace of its own */
    char *users;        /* absolute, or NULL */
    char **sets;        /* section.key=value for every peer, or NULL */
} Testbed;

typedef struct TestbedPorts {
    unsigned sip;
    unsigned reload;
    unsigned http;
} TestbedPorts;

/* Errors of all functions here. */
#define TESTBED_ERROR testbed_error_quark()
GQuark testbed_error_quark(void);
typedef enum TestbedError {
    TESTBED_ERROR_INPUT, /* nothing was started */
    TESTBED_ERROR_FAILED
} TestbedError;
void testbed_fail(GError **error, TestbedError code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* testbed_open reads what runs, or ran, in a directory. */
Testbed *testbed_open(const char *dir, GError **error);
bool testbed_save(const Testbed *testbed, GError **error);
void testbed_free(Testbed *testbed);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Testbed, testbed_free)

TestbedPorts testbed_ports(const Testbed *testbed, unsigned peer);
/* testbed_address is where a peer listens, text to g_free. */
char *testbed_address(const Testbed *testbed, unsigned peer);
/* testbed_path is DIR/peer-K/NAME, or DIR/peer-K for NULL. */
char *testbed_path(const Testbed *testbed, unsigned peer, const char *name);

/*
 * testbed_pidfd finds a peer's process by its pid file, and makes sure that it is one: its
 * arguments name the peer's config. Returns a descriptor of it, or -1 when it does not run.
 */
int testbed_pidfd(const Testbed *testbed, unsigned peer, pid_t *ret_pid);

/* testbed_ask gives a peer's status, or NULL when it does not say within timeout_ms. */
json_t *testbed_ask(const Testbed *testbed, unsigned peer, unsigned timeout_ms);

/* testbed_tail is the end of a peer's log, at most so many lines; text to g_free. */
char *testbed_tail(const Testbed *testbed, unsigned peer, unsigned lines);

/* testbed_start starts all peers and waits until they are one overlay, every one healthy. On
 * failure nothing is left running. fresh: they forget what they knew of an earlier time. */
bool testbed_start(const Testbed *testbed, bool fresh, bool quiet, GError **error);

/* testbed_stop ends all peers, by force those that do not end by themselves, and removes their
 * namespaces. Returns how many had to be killed, or -1 with an error. */
int testbed_stop(const Testbed *testbed, GError **error);

#endif
