/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mutate.c - sends spoiled messages to a port on loopback: bytes flipped, cut out, doubled, cut
 * short. usage: mutate DIRECTORY COUNT SEED udp|tcp PORT
 *        The files of DIRECTORY are the messages to spoil; each is sent as it is first, and counts.
 *        Over UDP one datagram each, at most RATE a second; over TCP in pieces of random length, up
 *        to a few messages a connection. Answers are read and thrown away. Exit status 1 when a TCP
 *        connection is refused: whoever listened is gone.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    FILES_MAX = 512,
    MESSAGE_MAX = 60000,
    RATE = 10000,
    COUNT_MAX = 100000000,
    PER_CONNECTION = 8
};

typedef struct Message {
    uint8_t *bytes;
    size_t len;
} Message;

static Message messages[FILES_MAX];
static size_t messages_len;
static size_t originals; /* sent as they are, before the first mutant */
static uint64_t state;

/* xorshift64*: the same mutants for the same seed. */
static uint32_t draw(uint32_t below)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * UINT64_C(0x2545F4914F6CDD1D)) >> 32) % below;
}

static void read_messages(const char *directory)
{
    DIR *dir = opendir(directory);
    struct dirent *entry;

    while (dir != NULL && messages_len < FILES_MAX && (entry = readdir(dir)) != NULL) {
        char path[4096];
        uint8_t *bytes = malloc(MESSAGE_MAX);
        FILE *file;
        size_t len = 0;

        snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        file = entry->d_name[0] == '.' || strcmp(entry->d_name, "LABELS") == 0 ? NULL
                                                                               : fopen(path, "rb");
        if (file != NULL) {
            len = bytes != NULL ? fread(bytes, 1, MESSAGE_MAX, file) : 0;
            fclose(file);
        }
        if (len > 0) {
            messages[messages_len++] = (Message){bytes, len};
        } else {
            free(bytes);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
}

static size_t mutate(uint8_t *bytes)
{
    const bool whole = originals < messages_len;
    const Message *message = &messages[whole ? originals++ : draw((uint32_t)messages_len)];
    size_t len = message->len;

    memcpy(bytes, message->bytes, len);
    if (whole) {
        return len;
    }
    for (uint32_t changes = 1 + draw(6); changes > 0 && len > 1; changes--) {
        size_t at = draw((uint32_t)len);
        size_t span = 1 + draw(16);

        span = span < len - at ? span : len - at;
        switch (draw(5)) {
        case 0:
            bytes[at] = (uint8_t)draw(256);
            break;
        case 1:
            bytes[at] ^= (uint8_t)(1 << draw(8));
            break;
        case 2:
            memmove(bytes + at, bytes + at + span, len - at - span);
            len -= span;
            break;
        case 3:
            if (len + span <= MESSAGE_MAX) {
                memmove(bytes + at + span, bytes + at, len - at);
                len += span;
            }
            break;
        default:
            len = draw(20) == 0 ? at : len;
            break;
        }
    }
    return len;
}

static int connect_to(int type, uint16_t port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct timeval patience = {.tv_sec = 2};
    int fd = socket(AF_INET, type, 0);

    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0) {
        perror("mutate: connect");
        exit(1);
    }
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    return fd;
}

static void drain(int fd)
{
    uint8_t bytes[65536];

    while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0) {
    }
}

static void pause_ns(long ns)
{
    const struct timespec span = {.tv_nsec = ns};

    nanosleep(&span, NULL);
}

static void send_datagrams(uint16_t port, long count)
{
    static uint8_t bytes[MESSAGE_MAX + 64];
    int fd = connect_to(SOCK_DGRAM, port);

    for (long i = 0; i < count; i++) {
        size_t len = mutate(bytes);

        (void)!send(fd, bytes, len, 0); /* refused or full: the next may not be */
        if (i % 64 == 63) {
            drain(fd);
            pause_ns(64 * (1000000000L / RATE));
        }
    }
    close(fd);
}

static void send_streams(uint16_t port, long count)
{
    static uint8_t bytes[MESSAGE_MAX + 64];

    for (long i = 0; i < count;) {
        int fd = connect_to(SOCK_STREAM, port);

        for (uint32_t n = 1 + draw(PER_CONNECTION); n > 0 && i < count; n--, i++) {
            size_t len = mutate(bytes);
            size_t at = 0;

            while (at < len) {
                size_t piece = draw(4) == 0 ? 1 + draw(40) : len;
                ssize_t sent;

                piece = piece < len - at ? piece : len - at;
                sent = send(fd, bytes + at, piece, MSG_NOSIGNAL);
                if (sent <= 0) {
                    break; /* the other side had enough of it */
                }
                at += (size_t)sent;
            }
            drain(fd);
        }
        close(fd);
        pause_ns(200000);
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
    long count = argc > 2 ? number(argv[2], COUNT_MAX) : 0;
    long port = argc > 5 ? number(argv[5], UINT16_MAX) : 0;

    if (argc != 6 || count == 0 || port == 0 ||
        (strcmp(argv[4], "udp") != 0 && strcmp(argv[4], "tcp") != 0)) {
        fprintf(stderr, "usage: mutate DIRECTORY COUNT SEED udp|tcp PORT\n");
        return 2;
    }
    state = strtoull(argv[3], NULL, 10) * 2 + 1;
    read_messages(argv[1]);
    if (messages_len == 0) {
        fprintf(stderr, "mutate: %s holds no messages\n", argv[1]);
        return 2;
    }
    if (strcmp(argv[4], "udp") == 0) {
        send_datagrams((uint16_t)port, count);
    } else {
        send_streams((uint16_t)port, count);
    }
    return 0;
}
