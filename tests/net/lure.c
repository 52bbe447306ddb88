/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lure.c - see lure.h. */
#include "net/lure.h"

#include <arpa/inet.h>
#include <glib-unix.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LURE_MESSAGE_MAX = 8192 };

typedef struct LureDialog {
    struct sockaddr_in caller;
    struct sockaddr_in callee;
} LureDialog;

static bool starts(const char *line, const char *with)
{
    return strncmp(line, with, strlen(with)) == 0;
}

static bool same_place(const struct sockaddr_in *a, const struct sockaddr_in *b)
{
    return a->sin_addr.s_addr == b->sin_addr.s_addr && a->sin_port == b->sin_port;
}

static void send_text(const Lure *lure, const struct sockaddr_in *to, const char *text)
{
    (void)!sendto(lure->fd, text, strlen(text), 0, (const struct sockaddr *)to, sizeof(*to));
}

/* The lines of a message's head, without their ends. */
static char **head_lines(const char *message, const char **ret_body)
{
    const char *end = strstr(message, "\r\n\r\n");
    g_autofree char *head = end != NULL ? g_strndup(message, (gsize)(end - message)) : NULL;

    *ret_body = end != NULL ? end + 4 : "";
    return head != NULL ? g_strsplit(head, "\r\n", -1) : NULL;
}

static const char *value_of(char **lines, const char *name)
{
    for (char **line = lines; *line != NULL; line++) {
        if (starts(*line, name)) {
            return *line + strlen(name);
        }
    }
    return "";
}

/* `bob` of the URI behind a place in a line. */
static char *user_of(const char *text)
{
    const char *start = strstr(text, "sip:");

    return start != NULL ? g_strndup(start + 4, strcspn(start + 4, "@;> ")) : g_strdup("");
}

static char *answer(char **lines, const char *status, const char *more)
{
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "SIP/2.0 %s\r\n", status);
    for (char **line = lines; *line != NULL; line++) {
        if (starts(*line, "Via:") || starts(*line, "From:") || starts(*line, "Call-ID:") ||
            starts(*line, "CSeq:")) {
            g_string_append_printf(text, "%s\r\n", *line);
        }
    }
    g_string_append_printf(text, "To:%s;tag=lure\r\n%sContent-Length: 0\r\n\r\n",
                           value_of(lines, "To:"), more);
    return g_string_free(text, FALSE);
}

/* A message passed on: with this proxy's Via on top of a request, without it on a response; Contact
 * and session lie elsewhere now. */
static char *passed_on(const Lure *lure, char **lines, const char *body)
{
    bool response = starts(lines[0], "SIP/2.0");
    bool invite = starts(lines[0], "INVITE ");
    bool first_via = true;
    GString *text = g_string_new(lines[0]);

    g_string_append(text, "\r\n");
    if (invite) {
        g_string_append(text, "Record-Route: <sip:" LURE_ADDRESS ":5070;lr>\r\n");
    }
    for (char **line = lines + 1; *line != NULL; line++) {
        bool via = starts(*line, "Via:");

        if (via && first_via && !response) {
            const char *branch = strstr(*line, "branch=z9hG4bK");

            g_string_append_printf(text,
                                   "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKlure%.16s\r\n",
                                   lure->port, branch != NULL ? branch + 14 : "");
        }
        if (starts(*line, "Contact:")) {
            g_string_append(text, "Contact: <sip:lured@" LURE_ADDRESS ":5080>\r\n");
        } else if (!(via && first_via && response)) {
            g_string_append_printf(text, "%s\r\n", *line);
        }
        first_via = first_via && !via;
    }
    g_string_append_printf(text, "\r\n%s", body);
    g_string_replace(text, "IN IP4 127.0.0.1", "IN IP4 " LURE_ADDRESS, 0);
    return g_string_free(text, FALSE);
}

/* A request whose Via says that it shall be answered elsewhere. */
static void ask_elsewhere(const Lure *lure, const struct sockaddr_in *to)
{
    send_text(
        lure, to,
        "OPTIONS sip:phone@127.0.0.1 SIP/2.0\r\n"
        "Via: SIP/2.0/UDP " LURE_ADDRESS ";maddr=" LURE_ADDRESS ";branch=z9hG4bKelse\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:lure@127.0.0.1>;tag=1\r\nTo: <sip:phone@127.0.0.1>\r\n"
        "Call-ID: elsewhere\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n");
}

static void on_register(Lure *lure, char **lines, const struct sockaddr_in *from)
{
    const char *expires = value_of(lines, "Expires: ");
    g_autofree char *user = user_of(value_of(lines, "To:"));
    g_autofree char *more = g_strdup_printf("Contact: <sip:%s@" LURE_ADDRESS ">;expires=%s\r\n"
                                            "Service-Route: <sip:" LURE_ADDRESS ";lr>\r\n"
                                            "Expires: %s\r\n",
                                            user, expires, expires);
    g_autofree char *text = answer(lines, "200 OK", more);

    if (strcmp(expires, "0") == 0) {
        g_hash_table_remove(lure->bindings, user);
    } else {
        g_hash_table_replace(lure->bindings, g_strdup(user), g_memdup2(from, sizeof(*from)));
    }
    send_text(lure, from, text);
    if (lure->registers++ == 0) {
        ask_elsewhere(lure, from);
    }
}

static void on_invite(Lure *lure, char **lines, const struct sockaddr_in *from)
{
    g_autofree char *user = user_of(lines[0]);
    const struct sockaddr_in *callee = g_hash_table_lookup(lure->bindings, user);
    const char *call_id = value_of(lines, "Call-ID:");

    lure->invites++;
    if (strcmp(user, LURE_MOVED) == 0 || callee == NULL) {
        g_autofree char *text = answer(lines, callee != NULL ? "302 Moved" : "404 Not Found",
                                       "Contact: <sip:elsewhere@" LURE_ADDRESS ">\r\n");

        send_text(lure, from, text);
    } else if (!g_hash_table_contains(lure->dialogs, call_id)) {
        const LureDialog dialog = {*from, *callee};

        g_hash_table_insert(lure->dialogs, g_strdup(call_id), g_memdup2(&dialog, sizeof(dialog)));
    }
}

static void count(Lure *lure, char **lines)
{
    lure->acks += starts(lines[0], "ACK ");
    lure->byes += starts(lines[0], "BYE ");
    lure->cancels += starts(lines[0], "CANCEL ");
    lure->lured +=
        !starts(lines[0], "SIP/2.0") && (strstr(lines[0], LURE_ADDRESS) != NULL ||
                                         strstr(value_of(lines, "Route:"), LURE_ADDRESS) != NULL);
}

static void on_message(Lure *lure, const char *message, const struct sockaddr_in *from)
{
    const char *body;
    g_auto(GStrv) lines = head_lines(message, &body);
    const LureDialog *dialog;

    if (lines == NULL) {
        return;
    }
    count(lure, lines);
    if (starts(lines[0], "REGISTER ")) {
        on_register(lure, lines, from);
        return;
    }
    if (starts(lines[0], "INVITE ")) {
        on_invite(lure, lines, from);
    }
    dialog = g_hash_table_lookup(lure->dialogs, value_of(lines, "Call-ID:"));
    if (dialog != NULL) {
        g_autofree char *text = passed_on(lure, lines, body);

        send_text(lure, same_place(from, &dialog->caller) ? &dialog->callee : &dialog->caller,
                  text);
    }
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer user)
{
    char message[LURE_MESSAGE_MAX];
    struct sockaddr_in from;
    socklen_t from_len = sizeof(from);
    ssize_t len = recvfrom(fd, message, sizeof(message) - 1, MSG_DONTWAIT, (struct sockaddr *)&from,
                           &from_len);

    (void)condition;
    if (len > 0) {
        message[len] = '\0';
        on_message(user, message, &from);
    }
    return G_SOURCE_CONTINUE;
}

Lure *lure_new(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    Lure *lure;

    if (fd < 0 || bind(fd, (const struct sockaddr *)&at, len) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) != 0) {
        close(fd);
        return NULL;
    }
    lure = g_new0(Lure, 1);
    lure->fd = fd;
    lure->port = ntohs(at.sin_port);
    lure->source = g_unix_fd_add(fd, G_IO_IN, on_readable, lure);
    lure->bindings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    lure->dialogs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return lure;
}

void lure_free(Lure *lure)
{
    g_source_remove(lure->source);
    close(lure->fd);
    g_hash_table_unref(lure->bindings);
    g_hash_table_unref(lure->dialogs);
    g_free(lure);
}
