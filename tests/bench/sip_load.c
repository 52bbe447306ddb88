/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sip_load.c - a closed loop of SIP over UDP on loopback: so many REGISTERs or calls, so many at a
 * time. usage: sip_load register|call COUNT WINDOW PORT [CALLEE-PROXY-PORT]
 *        Callers are at 127.0.0.1:15190, callees at 127.0.0.1:15090. `call` wants the users
 *        registered, at the callees' address, by a `register` before it. Prints one line: done,
 *        failed, seconds, rate, mean and largest milliseconds. Nothing is sent again: on loopback
 *        what is lost was refused.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    USERS = 10000,
    CALLER_PORT = 15190,
    CALLEE_PORT = 15090,
    MESSAGE_MAX = 8192,
    BUFFER_BYTES = 8 << 20,
    COUNT_MAX = 10000000,
    STALL_S = 10,
    STATUS_MAX = 700
};

typedef struct Load {
    bool calls;
    int caller;
    int callee;
    long count;
    long window;
    long started;
    long done;
    long failed;
    double *since; /* of each operation; negative once it has ended */
    double sum_s;
    double max_s;
    unsigned run;             /* tells this run's Call-IDs from another's */
    long refused[STATUS_MAX]; /* by status */
} Load;

static const char SDP[] =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 6000 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n";

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int open_socket(uint16_t port, uint16_t to)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    int bytes = BUFFER_BYTES;
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};

    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    if (fd < 0 || bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0) {
        perror("sip_load: bind");
        exit(2);
    }
    addr.sin_port = htons(to);
    if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0) {
        perror("sip_load: connect");
        exit(2);
    }
    return fd;
}

static void transmit(int fd, const char *text, int len)
{
    while (send(fd, text, (size_t)len, 0) < 0) {
        struct pollfd writable = {fd, POLLOUT, 0};

        poll(&writable, 1, 10);
    }
}

/* Copies every header field of that name ("Via:") to `out`, with its line end. Returns its
 * length. */
static int copy_fields(const char *message, const char *name, char *out, int cap)
{
    size_t name_len = strlen(name);
    int len = 0;

    for (const char *line = strchr(message, '\n'); line != NULL; line = strchr(line, '\n')) {
        const char *end;

        line++;
        if (*line == '\r') {
            break;
        }
        end = strchr(line, '\n');
        if (end != NULL && strncmp(line, name, name_len) == 0 && len + (end - line) + 2 < cap) {
            memcpy(out + len, line, (size_t)(end - line) + 1);
            len += (int)(end - line) + 1;
        }
    }
    out[len] = '\0';
    return len;
}

static void start(Load *load)
{
    char text[MESSAGE_MAX];
    long i = load->started++;
    long user = i * 7919 % USERS;
    int len;

    load->since[i] = now_s();
    if (load->calls) {
        len = snprintf(text, sizeof(text),
                       "INVITE sip:u%ld@p2p.test SIP/2.0\r\n"
                       "Via: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bKi%u.%ld;rport\r\n"
                       "Max-Forwards: 70\r\nFrom: <sip:c%ld@p2p.test>;tag=%ld\r\n"
                       "To: <sip:u%ld@p2p.test>\r\nCall-ID: %u-%ld\r\nCSeq: 1 INVITE\r\n"
                       "Contact: <sip:c@127.0.0.1:%d>\r\nContent-Type: application/sdp\r\n"
                       "Content-Length: %zu\r\n\r\n%s",
                       user, CALLER_PORT, load->run, i, i, i, user, load->run, i, CALLER_PORT,
                       sizeof(SDP) - 1, SDP);
    } else {
        len = snprintf(text, sizeof(text),
                       "REGISTER sip:p2p.test SIP/2.0\r\n"
                       "Via: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bKr%u.%ld;rport\r\n"
                       "Max-Forwards: 70\r\nFrom: <sip:u%ld@p2p.test>;tag=%ld\r\n"
                       "To: <sip:u%ld@p2p.test>\r\nCall-ID: %u-%ld\r\nCSeq: 1 REGISTER\r\n"
                       "Contact: <sip:u%ld@127.0.0.1:%d>;expires=3600\r\nContent-Length: 0\r\n\r\n",
                       CALLER_PORT, load->run, i, user, i, user, load->run, i, user, CALLEE_PORT);
    }
    transmit(load->caller, text, len);
}

static void finish(Load *load, long i, bool good)
{
    double took = now_s() - load->since[i];

    load->since[i] = -1;
    load->done += good;
    load->failed += !good;
    load->sum_s += took;
    load->max_s = took > load->max_s ? took : load->max_s;
}

/* The number of the operation that a message belongs to, or -1. */
static long operation(const Load *load, const char *message)
{
    const char *id = strstr(message, "Call-ID: ");
    char *end;
    unsigned long run = id == NULL ? 0 : strtoul(id + strlen("Call-ID: "), &end, 10);
    long i = id == NULL || run != load->run || *end != '-' ? -1 : strtol(end + 1, NULL, 10);

    return i >= 0 && i < load->count ? i : -1;
}

/* ACK and BYE along the route set that the 200 brought. */
static void end_call(Load *load, long i, const char *answer)
{
    char fields[4][2048];
    char text[MESSAGE_MAX];
    char route[2200] = "";
    char *uri;

    copy_fields(answer, "Record-Route:", fields[0], sizeof(fields[0]));
    copy_fields(answer, "From:", fields[1], sizeof(fields[1]));
    copy_fields(answer, "To:", fields[2], sizeof(fields[2]));
    copy_fields(answer, "Contact:", fields[3], sizeof(fields[3]));
    uri = strchr(fields[3], '<');
    if (uri == NULL || strchr(uri, '>') == NULL) {
        finish(load, i, false);
        return;
    }
    *strchr(uri, '>') = '\0';
    /* The route set is the Record-Route turned round (RFC 3261 s.12.1.2), a field at a time from
     * the last. */
    for (char *end = fields[0] + strlen(fields[0]); end > fields[0];) {
        char *line = end - 1;

        while (line > fields[0] && line[-1] != '\n') {
            line--;
        }
        strcat(route, "Route:");
        strncat(route, line + strlen("Record-Route:"),
                (size_t)(end - line) - strlen("Record-Route:"));
        end = line;
    }
    for (int bye = 0; bye < 2; bye++) {
        int len = snprintf(
            text, sizeof(text),
            "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK%c%u.%ld;rport\r\n"
            "%sMax-Forwards: 70\r\n%s%sCall-ID: %u-%ld\r\nCSeq: %d %s\r\n"
            "Content-Length: 0\r\n\r\n",
            bye ? "BYE" : "ACK", uri + 1, CALLER_PORT, bye ? 'b' : 'a', load->run, i, route,
            fields[1], fields[2], load->run, i, bye + 1, bye ? "BYE" : "ACK");

        transmit(load->caller, text, len);
    }
}

static void on_answer(Load *load, const char *message)
{
    int status = strncmp(message, "SIP/2.0 ", 8) == 0 ? (int)strtol(message + 8, NULL, 10) : 0;
    long i = operation(load, message);
    bool last = !load->calls || strstr(message, "CSeq: 2 BYE") != NULL;

    if (i < 0 || status < 200 || load->since[i] < 0) {
        return;
    }
    if (last || status >= 300) {
        load->refused[status < STATUS_MAX ? status : 0] += status != 200;
        finish(load, i, status == 200);
    } else {
        end_call(load, i, message);
    }
}

static void on_request(Load *load, const char *message)
{
    char head[MESSAGE_MAX / 2] = "";
    char text[MESSAGE_MAX];
    bool invite = strncmp(message, "INVITE ", 7) == 0;
    static const char *const names[] = {"Via:", "Record-Route:", "From:",
                                        "To:",  "Call-ID:",      "CSeq:"};
    int len = 0;

    if (!invite && strncmp(message, "BYE ", 4) != 0) {
        return;
    }
    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        len += copy_fields(message, names[n], head + len, (int)sizeof(head) - len);
        if (invite && strcmp(names[n], "To:") == 0) {
            len += snprintf(head + len - 2, sizeof(head) - (size_t)len, ";tag=callee\r\n") - 2;
        }
    }
    if (invite) {
        len = snprintf(text, sizeof(text),
                       "SIP/2.0 180 Ringing\r\n%sContact: <sip:u@127.0.0.1:%d>\r\n"
                       "Content-Length: 0\r\n\r\n",
                       head, CALLEE_PORT);
        transmit(load->callee, text, len);
        len = snprintf(text, sizeof(text),
                       "SIP/2.0 200 OK\r\n%sContact: <sip:u@127.0.0.1:%d>\r\n"
                       "Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s",
                       head, CALLEE_PORT, sizeof(SDP) - 1, SDP);
    } else {
        len = snprintf(text, sizeof(text), "SIP/2.0 200 OK\r\n%sContent-Length: 0\r\n\r\n", head);
    }
    transmit(load->callee, text, len);
}

static bool take(Load *load, int fd, void (*on_message)(Load *load, const char *message))
{
    char text[65536];
    bool any = false;

    for (int i = 0; i < 64; i++) {
        ssize_t len = recv(fd, text, sizeof(text) - 1, 0);

        if (len <= 0) {
            break;
        }
        text[len] = '\0';
        on_message(load, text);
        any = true;
    }
    return any;
}

static void run(Load *load)
{
    double heard = now_s();

    while (load->done + load->failed < load->count && now_s() - heard < STALL_S) {
        struct pollfd readable[2] = {{load->caller, POLLIN, 0}, {load->callee, POLLIN, 0}};
        bool any;

        while (load->started < load->count &&
               load->started - load->done - load->failed < load->window) {
            start(load);
        }
        poll(readable, load->calls ? 2 : 1, 1000);
        any = take(load, load->caller, on_answer);
        any = (load->calls && take(load, load->callee, on_request)) || any;
        if (any) {
            heard = now_s();
        }
    }
}

/* A whole number from 1 to `most`, or 0. */
static long number(const char *text, long most)
{
    char *end;
    long value = strtol(text, &end, 10);

    return *text != '\0' && *end == '\0' && value >= 1 && value <= most ? value : 0;
}

int main(int argc, char **argv)
{
    Load load = {0};
    double began;
    double took;
    long port = argc > 4 ? number(argv[4], UINT16_MAX) : 0;
    long callee_port = argc > 5 ? number(argv[5], UINT16_MAX) : port;

    load.calls = argc > 1 && strcmp(argv[1], "call") == 0;
    load.count = argc > 2 ? number(argv[2], COUNT_MAX) : 0;
    load.window = argc > 3 ? number(argv[3], COUNT_MAX) : 0;
    if (argc < 5 || argc > 6 || (!load.calls && strcmp(argv[1], "register") != 0) ||
        load.count == 0 || load.window == 0 || port == 0 || callee_port == 0) {
        fprintf(stderr, "usage: sip_load register|call COUNT WINDOW PORT [CALLEE-PROXY-PORT]\n");
        return 2;
    }
    load.run = (unsigned)getpid();
    load.since = calloc((size_t)load.count, sizeof(*load.since));
    load.caller = open_socket(CALLER_PORT, (uint16_t)port);
    load.callee = load.calls ? open_socket(CALLEE_PORT, (uint16_t)callee_port) : -1;
    began = now_s();
    run(&load);
    took = now_s() - began;
    printf("done %ld failed %ld seconds %.3f rate %.0f mean_ms %.3f max_ms %.1f\n", load.done,
           load.count - load.done, took, (double)load.done / took,
           1e3 * load.sum_s / (double)(load.done + load.failed > 0 ? load.done + load.failed : 1),
           1e3 * load.max_s);
    for (int status = 0; status < STATUS_MAX; status++) {
        if (load.refused[status] > 0) {
            fprintf(stderr, "sip_load: %ld were answered %d\n", load.refused[status], status);
        }
    }
    free(load.since);
    return load.done == load.count ? 0 : 1;
}
