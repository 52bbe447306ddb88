/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control_socket.h"
#include "peal_test.h"

enum { TURNS_MAX = 2000, ANSWER_MAX = 65536 };

/* A server whose verbs are `echo` (answers at once), `later` (when answer_later is called) and
 * `refuse`. */
typedef struct Served {
    Loop *loop;
    Control *control;
    char *dir;
    char *path;
    ControlCall *later; /* the last of */
    GPtrArray *all_later;
    unsigned requests;
} Served;

static void on_request(void *user, const char *verb, const json_t *request, ControlCall *call)
{
    Served *served = user;
    json_t *answer;

    served->requests++;
    if (strcmp(verb, "later") == 0) {
        served->later = call;
        g_ptr_array_add(served->all_later, call);
        return;
    }
    if (strcmp(verb, "refuse") == 0) {
        control_refuse(call, "%s", "no, \xff says no");
        return;
    }
    answer = json_object();
    json_object_set(answer, "text", json_object_get(request, "text"));
    control_answer_take(call, answer);
}

static Control *listen_at(Served *served, GError **error)
{
    const ControlConfig config = {.path = served->path,
                                  .loop = served->loop,
                                  .on_request = on_request,
                                  .user = served};

    return control_new(&config, error);
}

static void serve(Served *served)
{
    *served = (Served){.loop = loop_new(NULL, NULL), .all_later = g_ptr_array_new()};
    served->dir = g_dir_make_tmp("peal-control-XXXXXX", NULL);
    served->path = g_build_filename(served->dir, "run", "control", NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(served->loop);
    CU_ASSERT_PTR_NOT_NULL_FATAL(served->dir);
    served->control = listen_at(served, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(served->control);
}

static void end(Served *served)
{
    g_autofree char *run = g_path_get_dirname(served->path);

    control_free(served->control);
    CU_ASSERT_FALSE(g_file_test(served->path, G_FILE_TEST_EXISTS));
    loop_free(served->loop);
    g_unlink(served->path);
    g_rmdir(run);
    g_rmdir(served->dir);
    g_free(served->path);
    g_free(served->dir);
    g_ptr_array_unref(served->all_later);
}

static int client(const Served *served)
{
    int fd = control_socket_connect(served->path);

    CU_ASSERT_FATAL(fd >= 0);
    return fd;
}

static void turn(void)
{
    while (g_main_context_iteration(NULL, FALSE)) {
    }
}

static void say(int fd, const char *text)
{
    size_t len = strlen(text);

    CU_ASSERT_EQUAL(send(fd, text, len, MSG_NOSIGNAL), (ssize_t)len);
    turn();
}

/* Reads up to a newline; "" when the server has closed, or says nothing. */
static const char *hear(int fd)
{
    static char line[ANSWER_MAX];
    size_t len = 0;

    for (unsigned i = 0; i < TURNS_MAX && len + 1 < sizeof(line); i++) {
        ssize_t got = recv(fd, line + len, 1, MSG_DONTWAIT);

        if (got == 0) {
            break;
        }
        if (got < 0) {
            turn();
            g_usleep(100);
            continue;
        }
        if (line[len] == '\n') {
            break;
        }
        len++;
    }
    line[len] = '\0';
    return line;
}

static bool closed(int fd)
{
    char byte;

    for (unsigned i = 0; i < TURNS_MAX; i++) {
        ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT);

        if (got == 0 || (got < 0 && errno == ECONNRESET)) {
            return true;
        }
        turn();
        g_usleep(100);
    }
    return false;
}

static void a_line_is_answered_with_its_id(void)
{
    Served served;
    int fd;

    serve(&served);
    fd = client(&served);
    say(fd, "{\"do\":\"echo\",\"text\":\"h\\u00e4\",\"id\":7}\n");
    CU_ASSERT_STRING_EQUAL(hear(fd), "{\"text\":\"h\xc3\xa4\",\"ok\":true,\"id\":7}");
    close(fd);
    end(&served);
}

static void lines_may_come_in_any_pieces(void)
{
    static const char text[] = "{\"do\":\"echo\",\"text\":1}\r\n\n{\"do\":\"echo\",\"text\":2}\n";
    Served served;
    int fd;

    serve(&served);
    fd = client(&served);
    for (const char *at = text; *at != '\0'; at++) {
        say(fd, (const char[]){*at, '\0'});
    }
    CU_ASSERT_STRING_EQUAL(hear(fd), "{\"text\":1,\"ok\":true}");
    CU_ASSERT_STRING_EQUAL(hear(fd), "{\"text\":2,\"ok\":true}");
    say(fd, text);
    CU_ASSERT_STRING_EQUAL(hear(fd), "{\"text\":1,\"ok\":true}");
    CU_ASSERT_STRING_EQUAL(hear(fd), "{\"text\":2,\"ok\":true}");
    close(fd);
    end(&served);
}

static void reals_have_six_digits_and_integers_all(void)
{
    Served served;
    int fd;

    serve(&served);
    fd = client(&served);
    say(fd, "{\"do\":\"echo\",\"text\":[0.096022999999999997,1764103657123456789]}\n");
    CU_ASSERT_STRING_EQUAL(hear(fd), "{\"text\":[0.096023,1764103657123456789],\"ok\":true}");
    close(fd);
    end(&served);
}

static void what_is_no_request_is_refused_and_the_client_kept(void)
{
    static const char *const bad[] = {
        "nonsense\n", "[1]\n", "{\"do\":1}\n", "{}\n", "{\"do\":\"echo\",\"do\":\"echo\"}\n",
        "\"\xff\"\n"};
    Served served;
    int fd;

    serve(&served);
    fd = client(&served);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        say(fd, bad[i]);
        CU_ASSERT_PTR_NOT_NULL(strstr(hear(fd), "\"ok\":false,\"error\":"));
    }
    CU_ASSERT_EQUAL(served.requests, 0);
    say(fd, "{\"do\":\"refuse\"}\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(hear(fd), "says no"));
    close(fd);
    end(&served);
}

static void a_line_without_end_is_cut_off(void)
{
    g_autofree char *text = g_strnfill(CONTROL_LINE_MAX + 1, 'x');
    Served served;
    int fd;

    serve(&served);
    fd = client(&served);
    say(fd, text);
    CU_ASSERT_PTR_NOT_NULL(strstr(hear(fd), "too long"));
    CU_ASSERT(closed(fd));
    close(fd);
    end(&served);
}

static void an_answer_may_come_later_or_find_nobody(void)
{
    Served served;
    int fd;

    serve(&served);
    fd = client(&served);
    say(fd, "{\"do\":\"later\"}\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(served.later);
    shutdown(fd, SHUT_WR); /* as one that pipes its request in */
    turn();
    control_answer_take(served.later, json_object());
    CU_ASSERT_STRING_EQUAL(hear(fd), "{\"ok\":true}");
    CU_ASSERT(closed(fd));
    close(fd);

    fd = client(&served);
    say(fd, "{\"do\":\"later\"}\n");
    close(fd);
    turn();
    control_answer_take(served.later, json_object());

    fd = client(&served);
    say(fd, "{\"do\":\"later\"}\n");
    end(&served);
    control_refuse(served.later, "ends");
    close(fd);
}

static void requests_and_clients_are_bounded(void)
{
    Served served;
    int fds[CONTROL_CLIENTS_MAX];
    int fd;

    serve(&served);
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        fds[i] = client(&served);
        turn();
    }
    fd = client(&served);
    turn();
    CU_ASSERT_PTR_NOT_NULL(strstr(hear(fd), "too many clients"));
    CU_ASSERT(closed(fd));
    close(fd);
    for (size_t i = 0; i < CONTROL_CALLS_MAX; i++) {
        say(fds[0], "{\"do\":\"later\"}\n");
    }
    CU_ASSERT_EQUAL(served.requests, CONTROL_CALLS_MAX);
    say(fds[0], "{\"do\":\"later\"}\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(hear(fds[0]), "at a time"));
    CU_ASSERT_EQUAL(served.requests, CONTROL_CALLS_MAX);
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        close(fds[i]);
    }
    turn();
    fd = client(&served);
    say(fd, "{\"do\":\"echo\"}\n");
    CU_ASSERT_STRING_EQUAL(hear(fd), "{\"ok\":true}");
    close(fd);
    for (guint i = 0; i < served.all_later->len; i++) {
        control_refuse(g_ptr_array_index(served.all_later, i), "ends"); /* nobody hears it */
    }
    end(&served);
}

/* The client that came when there was no descriptor for it is served when there is one again;
 * until then the loop comes to rest. */
static void no_descriptor_is_no_end(void)
{
    Served served;
    struct rlimit limit;
    int early;
    int none_more;
    const char *heard = "";

    serve(&served);
    early = client(&served);
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none_more = dup(early);
    close(none_more);
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE,
                                    &(struct rlimit){(rlim_t)none_more, limit.rlim_max}),
                          0);
    say(early, "{\"do\":\"echo\",\"text\":\"a\"}\n");
    CU_ASSERT_STRING_EQUAL(hear(early), "");
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (unsigned i = 0; i < 100 && heard[0] == '\0'; i++) {
        g_main_context_iteration(NULL, TRUE);
        heard = hear(early);
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(heard, "\"text\":\"a\""));
    close(early);
    end(&served);
}

static void the_socket_is_its_owners_alone(void)
{
    Served served;
    struct stat file;
    g_autofree char *dir = NULL;

    serve(&served);
    dir = g_path_get_dirname(served.path);
    CU_ASSERT_EQUAL_FATAL(stat(served.path, &file), 0);
    CU_ASSERT_EQUAL(file.st_mode & 07777, 0600);
    CU_ASSERT_EQUAL_FATAL(stat(dir, &file), 0);
    CU_ASSERT_EQUAL(file.st_mode & 0077, 0);
    end(&served);
}

static void a_dead_socket_is_replaced_and_a_living_one_is_not(void)
{
    g_autoptr(GError) error = NULL;
    ControlSocket dead;
    Served served;

    serve(&served);
    CU_ASSERT_PTR_NULL(listen_at(&served, &error));
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "running node"));
    control_free(served.control);

    CU_ASSERT_FATAL(control_socket_listen(served.path, &dead, NULL));
    close(dead.fd); /* as one who was killed */
    g_free(dead.path);
    CU_ASSERT(g_file_test(served.path, G_FILE_TEST_EXISTS));
    served.control = listen_at(&served, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(served.control);
    end(&served);
}

static void what_is_no_socket_stays(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) too_long = NULL;
    Served served;
    char *path;

    serve(&served);
    control_free(served.control);
    CU_ASSERT_FATAL(g_file_set_contents(served.path, "precious", -1, NULL));
    CU_ASSERT_PTR_NULL(listen_at(&served, &error));
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "no socket"));
    CU_ASSERT(g_file_test(served.path, G_FILE_TEST_IS_REGULAR));
    g_unlink(served.path);

    path = served.path;
    served.path = g_strnfill(200, 'p');
    CU_ASSERT_PTR_NULL(listen_at(&served, &too_long));
    CU_ASSERT_PTR_NOT_NULL(too_long);
    g_free(served.path);
    served.path = path;
    served.control = NULL;
    end(&served);
}

PEAL_TEST_MAIN("net/control", PEAL_TEST(a_line_is_answered_with_its_id),
               PEAL_TEST(lines_may_come_in_any_pieces),
               PEAL_TEST(reals_have_six_digits_and_integers_all),
               PEAL_TEST(what_is_no_request_is_refused_and_the_client_kept),
               PEAL_TEST(a_line_without_end_is_cut_off),
               PEAL_TEST(an_answer_may_come_later_or_find_nobody),
               PEAL_TEST(requests_and_clients_are_bounded), PEAL_TEST(no_descriptor_is_no_end),
               PEAL_TEST(the_socket_is_its_owners_alone),
               PEAL_TEST(a_dead_socket_is_replaced_and_a_living_one_is_not),
               PEAL_TEST(what_is_no_socket_stays))
