/*
 * test_describe.c - a capture's figures, for people and for programs.
 */
#include <analysis/history_spans.h>
#include <analysis/sip_story.h>
#include <jansson.h>
#include <math.h>
#include <peal_test.h>

static const HistoryConfig PLAIN = {.texts = false};

/* A call that is answered after `ring` ms and talked for `talk` ms. */
static void tell_call(History *history, const char *call, int64_t ms, int ring, int talk)
{
    STORY_SAY(history, ms, 1, 2, "INVITE", .call = call);
    STORY_SAY(history, ms + 50, 2, 1, "180 Ringing", .call = call, .to_tag = "b");
    STORY_SAY(history, ms + 50 + ring, 2, 1, "200 OK", .call = call, .to_tag = "b");
    STORY_SAY(history, ms + 50 + ring + talk, 1, 2, "BYE", .call = call, .to_tag = "b", .cseq = 2,
              .branch = "2");
}

static void tell_registration(History *history, const char *call, int64_t ms, const char *answer)
{
    STORY_SAY(history, ms, 1, 2, "REGISTER", .call = call, .callee = "<sip:alice@example.org>",
              .more = "Contact: <sip:alice@10.0.0.1>\r\nExpires: 600\r\n");
    STORY_SAY(history, ms + 5, 2, 1, answer, .method = "REGISTER", .call = call, .to_tag = "b",
              .callee = "<sip:alice@example.org>", .more = "Expires: 300\r\n");
}

static TraceCounts counts_of(int64_t span_ms)
{
    return (TraceCounts){.packets = 20,
                         .bytes = 12345,
                         .first_ns = story_ns(0),
                         .last_ns = story_ns(span_ms),
                         .messages = 15,
                         .messages_tcp = 1,
                         .skipped[TRACE_SKIP_NO_IP] = 4};
}

static History *tell_all(void)
{
    History *history = history_new(&PLAIN);

    tell_registration(history, "r1", 0, "200 OK");
    tell_call(history, "c1", 1000, 1000, 10000);
    tell_call(history, "c2", 2000, 2000, 30000);
    tell_registration(history, "r2", 60000, "403 Forbidden");
    tell_registration(history, "r3", 90000, "200 OK");
    STORY_SAY(history, 100000, 2, 1, "INVITE", .call = "c3", .caller = "<sip:carol@example.org>");
    STORY_SAY(history, 100100, 1, 2, "486 Busy Here", .call = "c3", .to_tag = "x",
              .caller = "<sip:carol@example.org>");
    return history;
}

static json_t *at(const json_t *root, const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    const json_t *value = root;

    for (char **part = parts; *part != NULL; part++) {
        value = json_object_get(value, *part);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(value);
    return (json_t *)(uintptr_t)value;
}

static void json_has_every_figure(void)
{
    static const struct {
        const char *path;
        double value;
    } FIGURES[] = {
        {"packets", 20},
        {"bytes", 12345},
        {"duration_s", 3600},
        {"messages/total", 15},
        {"messages/udp", 14},
        {"messages/tcp", 1},
        {"messages/requests/INVITE", 3},
        {"messages/requests/REGISTER", 3},
        {"messages/responses/200", 4},
        {"messages/responses/486", 1},
        {"users", 3},
        {"registrations", 3},
        {"calls", 3},
        {"challenged", 0},
        {"user_figures/registering", 1},
        {"user_figures/calling", 2},
        {"user_figures/called", 1},
        {"registration_figures/registered", 2},
        {"registration_figures/refused", 1},
        {"registration_figures/by_status/403", 1},
        {"registration_figures/asked_s/p50", 600},
        {"registration_figures/granted_s/max", 300},
        {"registration_figures/interval_s/mean", 90},
        {"call_figures/answered", 2},
        {"call_figures/refused", 1},
        {"call_figures/cancelled", 0},
        {"call_figures/by_status/486", 1},
        {"call_figures/setup_ms/mean", 50},
        {"call_figures/answer_ms/p50", 1050},
        {"call_figures/answer_ms/p99", 2050},
        {"call_figures/ring_s/max", 2},
        {"call_figures/talk_s/mean", 20},
        {"call_figures/arrival_s/count", 2},
        {"call_figures/arrival_s/min", 1},
        {"call_figures/calls_per_hour", 3},
        {"call_figures/erlang", 40. / 3600},
        {"call_figures/peak", 2},
        {"skipped/no_ip", 4},
    };
    g_autoptr(History) history = tell_all();
    TraceCounts counts = counts_of(3600000);
    g_autofree char *text = describe_json("some.pcap", &counts, history_finish(history));
    json_t *root = json_loads(text, 0, NULL);

    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    for (size_t i = 0; i < G_N_ELEMENTS(FIGURES); i++) {
        double value = json_number_value(at(root, FIGURES[i].path));

        if (fabs(value - FIGURES[i].value) > 1e-6) {
            printf("# %s is %g, not %g\n", FIGURES[i].path, value, FIGURES[i].value);
            CU_FAIL("figure");
        }
    }
    CU_ASSERT_STRING_EQUAL(json_string_value(at(root, "file")), "some.pcap");
    CU_ASSERT_STRING_EQUAL(json_string_value(at(root, "first")), "2020-09-13T12:26:40.000000Z");
    CU_ASSERT_TRUE(json_is_null(at(root, "damage")));
    CU_ASSERT_EQUAL(json_object_size(at(root, "skipped")), 1);
    CU_ASSERT_STRING_EQUAL(json_string_value(
                               at(json_array_get(at(root, "user_figures/top"), 0), "aor")),
                           "sip:bob@example.org");
    json_decref(root);
}

static void text_says_it_in_words(void)
{
    static const char *const PARTS[] = {
        "some.pcap: 20 packets", "2020-09-13T12:26:40", "3 in all, 2 answered, 1 refused",
        "486 Busy Here",         "sip:bob@example.org", "frames that carry no IP",
    };
    g_autoptr(History) history = tell_all();
    TraceCounts counts = counts_of(3600000);
    g_autofree char *text = describe_text("some.pcap", &counts, history_finish(history));

    for (size_t i = 0; i < G_N_ELEMENTS(PARTS); i++) {
        CU_ASSERT_PTR_NOT_NULL(strstr(text, PARTS[i]));
    }
    CU_ASSERT_PTR_NULL(strstr(text, "cancelled"));
    CU_ASSERT_PTR_NULL(strstr(text, "nan"));
}

static void nothing_is_described_too(void)
{
    g_autoptr(History) history = history_new(&PLAIN);
    const HistoryData *data = history_finish(history);
    TraceCounts counts = {.damage = "cut at \xff"};
    g_autofree char *text = describe_text("\xfe.pcap", &counts, data);
    g_autofree char *json = describe_json("\xfe.pcap", &counts, data);
    json_t *root = json_loads(json, 0, NULL);

    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    CU_ASSERT_TRUE(json_is_null(at(root, "call_figures/setup_ms/mean")));
    CU_ASSERT_TRUE(json_is_null(at(root, "call_figures/calls_per_hour")));
    CU_ASSERT_TRUE(json_is_null(at(root, "first")));
    CU_ASSERT_TRUE(json_is_string(at(root, "damage")));
    CU_ASSERT_PTR_NULL(strstr(text, "nan"));
    json_decref(root);
}

PEAL_TEST_MAIN("analysis/describe", PEAL_TEST(json_has_every_figure),
               PEAL_TEST(text_says_it_in_words), PEAL_TEST(nothing_is_described_too))
