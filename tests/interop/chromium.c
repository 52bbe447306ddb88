/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * chromium.c - see chromium.h.
 */
#include "chromium.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"

enum { ANSWER_MS = 60 * 1000, MESSAGE_MAX = 64 << 20 };

/* The next message of the browser, a new reference; NULL when none comes. */
static json_t *next_message(Chromium *chromium)
{
    for (;;) {
        const guint8 *end = chromium->pending->len > 0
                                ? memchr(chromium->pending->data, 0, chromium->pending->len)
                                : NULL;
        struct pollfd wait = {.fd = chromium->answers, .events = POLLIN};
        guint8 bytes[65536];
        ssize_t len;

        if (end != NULL) {
            gsize size = (gsize)(end - chromium->pending->data);
            json_t *message = json_loadb((const char *)chromium->pending->data, size, 0, NULL);

            g_byte_array_remove_range(chromium->pending, 0, (guint)size + 1);
            return message;
        }
        if (chromium->pending->len > MESSAGE_MAX || poll(&wait, 1, ANSWER_MS) <= 0 ||
            (len = read(chromium->answers, bytes, sizeof(bytes))) <= 0) {
            return NULL;
        }
        g_byte_array_append(chromium->pending, bytes, (guint)len);
    }
}

static void keep_text(GPtrArray *texts, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

    g_ptr_array_add(texts, g_strdup(text));
    free(text);
}

static void on_event(Chromium *chromium, const char *method, const json_t *parameters)
{
    if (strcmp(method, "Page.loadEventFired") == 0) {
        chromium->loads++;
    } else if (strcmp(method, "Runtime.exceptionThrown") == 0 ||
               strcmp(method, "Log.entryAdded") == 0 ||
               (strcmp(method, "Runtime.consoleAPICalled") == 0 &&
                g_strcmp0(json_string_value(json_object_get(parameters, "type")), "log") != 0)) {
        keep_text(chromium->errors, parameters);
    } else if (strcmp(method, "Network.requestWillBeSent") == 0) {
        const char *url =
            json_string_value(json_object_get(json_object_get(parameters, "request"), "url"));

        if (url != NULL && !g_str_has_prefix(url, "file:") && !g_str_has_prefix(url, "data:")) {
            g_ptr_array_add(chromium->fetched, g_strdup(url));
        }
    }
}

/* Takes messages until the answer to command `id`, or until another page is loaded with id 0. */
static json_t *wait_for(Chromium *chromium, int id)
{
    unsigned loads = chromium->loads;

    for (;;) {
        json_t *message = next_message(chromium);
        const char *method;

        if (message == NULL) {
            return NULL;
        }
        method = json_string_value(json_object_get(message, "method"));
        if (method != NULL) {
            on_event(chromium, method, json_object_get(message, "params"));
        } else if (id != 0 && json_integer_value(json_object_get(message, "id")) == id) {
            return message;
        }
        if (id == 0 && chromium->loads > loads) {
            return message;
        }
        json_decref(message);
    }
}

json_t *chromium_call(Chromium *chromium, const char *method, json_t *take_parameters)
{
    int id = ++chromium->next_id;
    json_t *command = json_pack("{s:i, s:s, s:o}", "id", id, "method", method, "params",
                                take_parameters != NULL ? take_parameters : json_object());
    json_t *answer, *result;
    char *text;
    size_t sent = 0, len;

    if (chromium->session != NULL) {
        json_object_set_new(command, "sessionId", json_string(chromium->session));
    }
    text = json_dumps(command, JSON_COMPACT);
    json_decref(command);
    len = strlen(text) + 1;
    while (sent < len) {
        ssize_t wrote = write(chromium->commands, text + sent, len - sent);

        if (wrote <= 0) {
            break;
        }
        sent += (size_t)wrote;
    }
    free(text);
    answer = sent == len ? wait_for(chromium, id) : NULL;
    result = json_incref(json_object_get(answer, "result"));
    json_decref(answer);
    return result;
}

static void command(Chromium *chromium, const char *method, json_t *take_parameters)
{
    json_decref(chromium_call(chromium, method, take_parameters));
}

static bool attach(Chromium *chromium)
{
    json_t *target =
        chromium_call(chromium, "Target.createTarget", json_pack("{s:s}", "url", "about:blank"));
    json_t *session = NULL;

    if (target != NULL) {
        session = chromium_call(chromium, "Target.attachToTarget",
                                json_pack("{s:O, s:b}", "targetId",
                                          json_object_get(target, "targetId"), "flatten", 1));
    }
    chromium->session = g_strdup(json_string_value(json_object_get(session, "sessionId")));
    json_decref(target);
    json_decref(session);
    if (chromium->session == NULL) {
        return false;
    }
    command(chromium, "Page.enable", NULL);
    command(chromium, "Runtime.enable", NULL);
    command(chromium, "Log.enable", NULL);
    command(chromium, "Network.enable", NULL);
    return true;
}

static bool spawn(Chromium *chromium)
{
    g_autofree char *profile = g_strconcat("--user-data-dir=", chromium->profile, NULL);
    const char *argv[] = {"chromium",
                          "--headless",
                          "--no-sandbox",
                          "--disable-gpu",
                          "--disable-dev-shm-usage",
                          "--no-first-run",
                          "--disable-background-networking",
                          "--window-size=1000,900",
                          "--remote-debugging-pipe",
                          profile,
                          NULL};
    static const int targets[] = {3, 4};
    int to[2], from[2], fds[2];
    bool started;

    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) {
        return false;
    }
    fds[0] = to[0];
    fds[1] = from[1];
    started = g_spawn_async_with_pipes_and_fds(NULL, argv, NULL,
                                               G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
                                                   G_SPAWN_STDOUT_TO_DEV_NULL |
                                                   G_SPAWN_STDERR_TO_DEV_NULL,
                                               NULL, NULL, -1, -1, -1, fds, targets, 2,
                                               &chromium->pid, NULL, NULL, NULL, NULL);
    close(to[0]);
    close(from[1]);
    chromium->commands = to[1];
    chromium->answers = from[0];
    return started;
}

Chromium *chromium_new(void)
{
    Chromium *chromium = g_new0(Chromium, 1);

    chromium->pending = g_byte_array_new();
    chromium->errors = g_ptr_array_new_with_free_func(g_free);
    chromium->fetched = g_ptr_array_new_with_free_func(g_free);
    chromium->profile = g_dir_make_tmp("peal-chromium-XXXXXX", NULL);
    signal(SIGPIPE, SIG_IGN);
    if (!spawn(chromium) || !attach(chromium)) {
        chromium_free(chromium);
        return NULL;
    }
    return chromium;
}

void chromium_free(Chromium *chromium)
{
    if (chromium == NULL) {
        return;
    }
    if (chromium->pid > 0) {
        /* Closing the pipe ends it, too; the signal is for one that hangs. */
        g_clear_pointer(&chromium->session, g_free);
        command(chromium, "Browser.close", NULL);
        kill(chromium->pid, SIGTERM);
        waitpid(chromium->pid, NULL, 0);
    }
    close(chromium->commands);
    close(chromium->answers);
    if (chromium->profile != NULL) {
        remove_tree(chromium->profile);
    }
    g_free(chromium->profile);
    g_free(chromium->session);
    g_byte_array_unref(chromium->pending);
    g_ptr_array_unref(chromium->errors);
    g_ptr_array_unref(chromium->fetched);
    g_free(chromium);
}

bool chromium_open(Chromium *chromium, const char *path)
{
    g_autofree char *url = g_filename_to_uri(path, NULL, NULL);
    unsigned loads = chromium->loads;

    command(chromium, "Page.navigate", json_pack("{s:s}", "url", url));
    while (chromium->loads == loads) {
        json_t *message = wait_for(chromium, 0);

        if (message == NULL) {
            return false;
        }
        json_decref(message);
    }
    return true;
}

json_t *chromium_value(Chromium *chromium, const char *expression)
{
    json_t *result =
        chromium_call(chromium, "Runtime.evaluate",
                      json_pack("{s:s, s:b}", "expression", expression, "returnByValue", 1));
    json_t *value = NULL;

    if (json_object_get(result, "exceptionDetails") != NULL) {
        keep_text(chromium->errors, result);
    } else {
        value = json_incref(json_object_get(json_object_get(result, "result"), "value"));
    }
    json_decref(result);
    return value;
}

double chromium_number(Chromium *chromium, const char *format, ...)
{
    g_autofree char *expression = NULL;
    va_list arguments;
    json_t *value;
    double number;

    va_start(arguments, format);
    expression = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    value = chromium_value(chromium, expression);
    number = json_is_number(value) ? json_number_value(value) : NAN;
    json_decref(value);
    return number;
}

void chromium_mouse(Chromium *chromium, const char *type, double x, double y, int clicks,
                    double wheel)
{
    bool moves = strcmp(type, "mouseMoved") == 0, turns = strcmp(type, "mouseWheel") == 0;

    command(chromium, "Input.dispatchMouseEvent",
            json_pack("{s:s, s:f, s:f, s:s, s:i, s:i, s:f, s:f, s:i}", "type", type, "x", x, "y", y,
                      "button", turns || (moves && clicks == 0) ? "none" : "left", "buttons",
                      clicks > 0, "clickCount", moves ? 0 : clicks, "deltaX", 0.0, "deltaY", wheel,
                      "modifiers", chromium->modifiers));
}

void chromium_key(Chromium *chromium, const char *key)
{
    static const char *const types[] = {"keyDown", "keyUp"};

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        command(chromium, "Input.dispatchKeyEvent",
                json_pack("{s:s, s:s}", "type", types[i], "key", key));
    }
}
