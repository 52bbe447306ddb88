/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "peal_test.h"

enum { PORT = 22900, TURNS_MAX = 5000, ANSWER_MAX = 65536 };

static const PealAddr ADDR = {.ip = {127, 0, 0, 1}, .port = PORT, .family = 4};

static unsigned asked; /* pages since serve */

static bool on_get(void *user, const char *path, HttpAnswer *ret_answer)
{
    (void)user;
    asked++;
    if (strcmp(path, "/page") != 0) {
        return false;
    }
    *ret_answer = (HttpAnswer){503, "text/html; charset=utf-8", g_strdup("<p>unwell")};
    return true;
}

static Http *serve(Loop *loop, GError **error)
{
    const HttpConfig config = {.loop = loop, .addrs = &ADDR, .addrs_len = 1, .on_get = on_get};

    asked = 0;
    return http_new(&config, error);
}

/* A connection from 127.0.0.host. */
static int connect_from(uint8_t host)
{
    const PealAddr source = {.ip = {127, 0, 0, host}, .family = 4};
    struct sockaddr_storage system;
    socklen_t len = address_to_system(&source, &system);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&system, len), 0);
    len = address_to_system(&ADDR, &system);
    CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&system, len), 0);
    return fd;
}

/* Sends a request, and reads until the server closes. */
static char *exchange_on(int fd, const char *request)
{
    char *answer = g_malloc0(ANSWER_MAX);
    size_t at = 0;

    CU_ASSERT_EQUAL(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    for (unsigned i = 0; i < TURNS_MAX; i++) {
        ssize_t got = recv(fd, answer + at, ANSWER_MAX - 1 - at, MSG_DONTWAIT);

        if (got == 0) {
            break;
        }
        if (got > 0) {
            at += (size_t)got;
        } else {
            g_main_context_iteration(NULL, FALSE);
            g_usleep(100);
        }
    }
    close(fd);
    return answer;
}

static char *exchange_from(uint8_t host, const char *request)
{
    return exchange_on(connect_from(host), request);
}

static char *exchange(const char *request)
{
    return exchange_from(1, request);
}

static bool has(const char *answer, const char *part)
{
    return strstr(answer, part) != NULL;
}

static void a_page_comes_with_its_status_and_may_run_nothing(void)
{
    Loop *loop = loop_new(NULL, NULL);
    Http *http = serve(loop, NULL);
    g_autofree char *answer = NULL;

    CU_ASSERT_PTR_NOT_NULL_FATAL(http);
    answer = exchange("GET /page?x=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    CU_ASSERT(g_str_has_prefix(answer, "HTTP/1.1 503 "));
    CU_ASSERT(has(answer, "text/html; charset=utf-8"));
    CU_ASSERT(has(answer, "default-src 'none'"));
    CU_ASSERT(has(answer, "no-store"));
    CU_ASSERT(has(answer, "\r\n\r\n<p>unwell"));
    http_free(http);
    loop_free(loop);
}

static void head_is_get_without_a_body(void)
{
    Loop *loop = loop_new(NULL, NULL);
    Http *http = serve(loop, NULL);
    g_autofree char *answer = NULL;

    CU_ASSERT_PTR_NOT_NULL_FATAL(http);
    answer = exchange("HEAD /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    CU_ASSERT(g_str_has_prefix(answer, "HTTP/1.1 503 "));
    CU_ASSERT(has(answer, "Content-Length: 9"));
    CU_ASSERT_FALSE(has(answer, "unwell"));
    http_free(http);
    loop_free(loop);
}

static void other_methods_and_pages_are_refused(void)
{
    Loop *loop = loop_new(NULL, NULL);
    Http *http = serve(loop, NULL);
    g_autofree char *post = NULL;
    g_autofree char *put = NULL;
    g_autofree char *unknown = NULL;
    g_autofree char *nonsense = NULL;

    CU_ASSERT_PTR_NOT_NULL_FATAL(http);
    post = exchange("POST /page HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd");
    put =
        exchange("PUT /page HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    CU_ASSERT(g_str_has_prefix(post, "HTTP/1.1 405 "));
    CU_ASSERT(has(post, "Allow: GET, HEAD"));
    CU_ASSERT(g_str_has_prefix(put, "HTTP/1.1 405 "));
    CU_ASSERT_EQUAL(asked, 0);
    unknown = exchange("GET /../etc/passwd HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    CU_ASSERT(g_str_has_prefix(unknown, "HTTP/1.1 404 "));
    CU_ASSERT_EQUAL(asked, 1);
    nonsense = exchange("\x16\x03\x01 nonsense\r\n\r\n");
    CU_ASSERT_FALSE(g_str_has_prefix(nonsense, "HTTP/1.1 2"));
    http_free(http);
    loop_free(loop);
}

static void a_port_in_use_is_named(void)
{
    g_autoptr(GError) error = NULL;
    Loop *loop = loop_new(NULL, NULL);
    Http *http = serve(loop, NULL);

    CU_ASSERT_PTR_NOT_NULL_FATAL(http);
    CU_ASSERT_PTR_NULL(serve(loop, &error));
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CU_ASSERT(has(error->message, "127.0.0.1:22900"));
    http_free(http);
    loop_free(loop);
}

/* The client that came when there was no descriptor for it is served when there is one again. */
static void no_descriptor_is_no_end(void)
{
    static const char request[] = "HEAD /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    Loop *loop = loop_new(NULL, NULL);
    Http *http = serve(loop, NULL);
    int early = connect_from(1);
    int none_more;
    struct rlimit limit;
    g_autofree char *answer = NULL;

    CU_ASSERT_PTR_NOT_NULL_FATAL(http);
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none_more = dup(early);
    close(none_more);
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE,
                                    &(struct rlimit){(rlim_t)none_more, limit.rlim_max}),
                          0);
    for (unsigned i = 0; i < 10; i++) {
        g_main_context_iteration(NULL, FALSE);
    }
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
    answer = exchange_on(early, request);
    CU_ASSERT_TRUE(has(answer, "HTTP/1.1 503"));
    http_free(http);
    loop_free(loop);
}

static void slow_clients_of_one_address_do_not_shut_out_others(void)
{
    static const char request[] = "HEAD /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    Loop *loop = loop_new(NULL, NULL);
    Http *http = serve(loop, NULL);
    int slow[HTTP_CONNECTIONS_EACH];
    g_autofree char *one_more = NULL;
    g_autofree char *other = NULL;

    CU_ASSERT_PTR_NOT_NULL_FATAL(http);
    for (unsigned i = 0; i < HTTP_CONNECTIONS_EACH; i++) {
        slow[i] = connect_from(2);
        CU_ASSERT_EQUAL(send(slow[i], "GET /pa", 7, MSG_NOSIGNAL), 7);
    }
    one_more = exchange_from(2, request);
    CU_ASSERT_STRING_EQUAL(one_more, "");
    other = exchange_from(3, request);
    CU_ASSERT_TRUE(has(other, "HTTP/1.1 503"));
    for (unsigned i = 0; i < HTTP_CONNECTIONS_EACH; i++) {
        close(slow[i]);
    }
    http_free(http);
    loop_free(loop);
}

PEAL_TEST_MAIN("net/http", PEAL_TEST(a_page_comes_with_its_status_and_may_run_nothing),
               PEAL_TEST(head_is_get_without_a_body),
               PEAL_TEST(other_methods_and_pages_are_refused), PEAL_TEST(a_port_in_use_is_named),
               PEAL_TEST(no_descriptor_is_no_end),
               PEAL_TEST(slow_clients_of_one_address_do_not_shut_out_others))
