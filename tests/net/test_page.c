/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "page.h"

#include <glib.h>
#include <stdbool.h>

#include "peal_test.h"

static const char NASTY[] = "<script>alert('x')</script>\"&";

/* A status in which every text is nasty. */
static json_t *nasty_status(bool healthy)
{
    json_t *ids = json_pack("[s, s]", NASTY, "00112233445566778899aabbccddeeff");
    json_t *rounds =
        json_pack("[{s:I, s:b, s:s, s:s}, {s:I, s:b, s:f, s:f}]", "unix_ms",
                  (json_int_t)1700000000000, "ok", 0, "failed", NASTY, "error", NASTY, "unix_ms",
                  (json_int_t)1700000000000, "ok", 1, "put_ms", 1.25, "get_ms", 0.5);

    return json_pack("{s:b, s:{s:s, s:o, s:i}, s:s, s:s, s:s, s:i, s:i, s:o, s:{s:O}, s:f, s:s,"
                     " s:[{s:s, s:s, s:s, s:i}]}",
                     "healthy", healthy, "health", "why", NASTY, "rounds", rounds, "red_within_s",
                     30, "node_id", NASTY, "state", NASTY, "overlay", NASTY, "peers", 3,
                     "registrations", 4, "successors", ids, "sip", "domains", ids, "uptime_s", 61.5,
                     "version", NASTY, "contacts", "contact", NASTY, "from", NASTY, "transport",
                     NASTY, "expires_s", 60);
}

static void text_from_outside_is_escaped(void)
{
    json_t *status = nasty_status(false);
    g_autofree char *page = page_html(status);

    CU_ASSERT_PTR_NULL(strstr(page, "<script"));
    CU_ASSERT_PTR_NULL(strstr(page, "\"&<"));
    CU_ASSERT_PTR_NOT_NULL(strstr(page, "&lt;script&gt;alert(&apos;x&apos;)&lt;/script&gt;"));
    json_decref(status);
}

static void the_page_says_whether_the_node_is_healthy(void)
{
    json_t *good = nasty_status(true);
    json_t *bad = nasty_status(false);
    g_autofree char *good_page = page_html(good);
    g_autofree char *bad_page = page_html(bad);

    CU_ASSERT_PTR_NOT_NULL(strstr(good_page, ">healthy</span>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(bad_page, ">not healthy</span>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(bad_page, "Why not"));
    CU_ASSERT_PTR_NOT_NULL(strstr(bad_page, "2023-11-14 22:13:20"));
    json_decref(good);
    json_decref(bad);
}

static void a_page_of_nothing_is_a_page(void)
{
    json_t *status = json_object();
    g_autofree char *page = page_html(status);
    g_autofree char *metrics = page_metrics(status);

    CU_ASSERT_PTR_NOT_NULL(strstr(page, "</html>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(metrics, "\npeal_healthy 0\n"));
    json_decref(status);
}

static void metrics_have_a_type_and_a_value_each(void)
{
    json_t *status = nasty_status(true);
    g_autofree char *metrics = page_metrics(status);

    CU_ASSERT_PTR_NOT_NULL(strstr(metrics, "# TYPE peal_healthy gauge\npeal_healthy 1\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(metrics, "\npeal_registrations 4\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(metrics, "\npeal_uptime_seconds 61.5\n"));
    json_decref(status);
}

PEAL_TEST_MAIN("net/page", PEAL_TEST(text_from_outside_is_escaped),
               PEAL_TEST(the_page_says_whether_the_node_is_healthy),
               PEAL_TEST(a_page_of_nothing_is_a_page),
               PEAL_TEST(metrics_have_a_type_and_a_value_each))
