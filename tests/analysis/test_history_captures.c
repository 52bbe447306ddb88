/*
 * test_history_captures.c - recorded captures, read and put together: figures that others counted.
 */
#include <analysis/history.h>
#include <peal_test.h>

/* What both of a capture's readers gave. */
typedef struct Reading {
    History *history;
    const HistoryData *data;
    TraceCounts counts;
} Reading;

static char *capture_path(const char *name)
{
    char *path = g_build_filename(g_getenv("PEAL_SOURCE_ROOT"), "../shared/data/pcap", name, NULL);

    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_clear_pointer(&path, g_free);
    }
    return path;
}

static bool read_capture(const char *name, Reading *ret_reading)
{
    static const HistoryConfig PLAIN = {.texts = false};
    g_autofree char *path = capture_path(name);
    Reading reading = {.history = NULL};
    TraceConfig config = {.path = path, .from_ns = INT64_MIN, .until_ns = INT64_MAX};
    TraceSink sink = {.message = history_message, .datagram = history_datagram};

    if (path == NULL) {
        return false;
    }
    reading.history = history_new(&PLAIN);
    sink.user = reading.history;
    CU_ASSERT_TRUE_FATAL(trace_read(&config, &sink, &reading.counts, NULL));
    reading.data = history_finish(reading.history);
    *ret_reading = reading;
    return true;
}

static const HistoryCall *the_call(const HistoryData *data, guint i)
{
    return &g_array_index(data->calls, HistoryCall, i);
}

static const HistoryRegistration *the_registration(const HistoryData *data, guint i)
{
    return &g_array_index(data->registrations, HistoryRegistration, i);
}

static const char *aor_of(const HistoryData *data, uint32_t user)
{
    return g_array_index(data->users, HistoryUser, user).aor;
}

/* Four calls, none answered; nine attempts to register of three users, who share two Call-IDs and
 * take 17 to 34 s to answer a challenge. */
static void check_calls_and_registers(const HistoryData *data)
{
    static const HistoryOutcome OUTCOMES[] = {HISTORY_CANCELLED, HISTORY_REFUSED, HISTORY_REFUSED,
                                              HISTORY_REFUSED};
    static const uint16_t STATUSES[] = {408, 403, 403, 480};
    static const uint16_t REGISTERED[] = {403, 401, 401, 200, 401, 401, 200, 401, 200};

    CU_ASSERT_EQUAL_FATAL(data->calls->len, G_N_ELEMENTS(STATUSES));
    for (guint i = 0; i < data->calls->len; i++) {
        CU_ASSERT_EQUAL(the_call(data, i)->outcome, OUTCOMES[i]);
        CU_ASSERT_EQUAL(the_call(data, i)->status, STATUSES[i]);
        CU_ASSERT_EQUAL(the_call(data, i)->legs, 1);
    }
    CU_ASSERT_EQUAL_FATAL(data->registrations->len, G_N_ELEMENTS(REGISTERED));
    for (guint i = 0; i < data->registrations->len; i++) {
        CU_ASSERT_EQUAL(the_registration(data, i)->status, REGISTERED[i]);
        CU_ASSERT_EQUAL(the_registration(data, i)->expires_s, i == 4 ? 0 : 1200);
    }
    CU_ASSERT_EQUAL(data->users->len, 7);
    CU_ASSERT_EQUAL(data->challenged, 12);
    CU_ASSERT_EQUAL(data->lost, 0);
    CU_ASSERT_EQUAL(data->responses[401], 14);
}

static void calls_and_registrations_of_a_phone(void)
{
    Reading reading;
    const HistoryCall *call;

    if (!read_capture("sip-calls-and-registers.pcap", &reading)) {
        PEAL_SKIP("needs ../shared/data/pcap");
    }
    check_calls_and_registers(reading.data);
    call = the_call(reading.data, 0);
    CU_ASSERT_EQUAL((call->cancel_ns - call->at_ns) / PEAL_NS_PER_S, 34);
    CU_ASSERT_EQUAL(call->ringing_ns, HISTORY_NEVER);
    CU_ASSERT_STRING_EQUAL(aor_of(reading.data, call->callee), "sip:97239287044@voip.brujula.net");
    call = the_call(reading.data, 3);
    CU_ASSERT_STRING_EQUAL(call->codec, "PCMA/8000");
    CU_ASSERT_TRUE(call->media_packets > 0);
    CU_ASSERT_TRUE(call->ringing_ns > call->at_ns);
    history_free(reading.history);
}

static void the_same_in_other_clothes(void)
{
    static const char *const NAMES[] = {"sip-vlan100.pcap", "sip-sll2.pcap", "sip-ipv6.pcap",
                                        "sip-bigendian_ns.pcap", "sip-pcapng.pcapng"};

    for (size_t i = 0; i < G_N_ELEMENTS(NAMES); i++) {
        Reading reading;

        if (!read_capture(NAMES[i], &reading)) {
            PEAL_SKIP("needs ../shared/data/pcap");
        }
        check_calls_and_registers(reading.data);
        history_free(reading.history);
    }
}

/* Cut to 96 bytes a packet, messages end before they name their call. */
static void messages_without_a_call_id_are_counted_and_lost(void)
{
    Reading reading;

    if (!read_capture("sip-snaplen96.pcap", &reading)) {
        PEAL_SKIP("needs ../shared/data/pcap");
    }
    CU_ASSERT_EQUAL(reading.counts.messages, 81);
    CU_ASSERT_EQUAL(reading.data->lost, 81);
    CU_ASSERT_EQUAL(reading.data->calls->len, 0);
    CU_ASSERT_EQUAL(reading.data->responses[401], 14);
    history_free(reading.history);
}

static void call_between_two_users_on_two_legs(void)
{
    Reading reading;
    const HistoryCall *call;

    if (!read_capture("sip-two-users.pcap", &reading)) {
        PEAL_SKIP("needs ../shared/data/pcap");
    }
    CU_ASSERT_EQUAL(reading.data->users->len, 2);
    CU_ASSERT_EQUAL(reading.data->registrations->len, 2);
    CU_ASSERT_EQUAL(the_registration(reading.data, 0)->expires_s, 300);
    CU_ASSERT_EQUAL(the_registration(reading.data, 1)->expires_s, 120);
    CU_ASSERT_EQUAL(reading.data->challenged, 0);
    CU_ASSERT_EQUAL_FATAL(reading.data->calls->len, 1);
    call = the_call(reading.data, 0);
    CU_ASSERT_EQUAL(call->outcome, HISTORY_ANSWERED);
    CU_ASSERT_EQUAL(call->legs, 2);
    CU_ASSERT_EQUAL(call->forks, 1);
    CU_ASSERT_FALSE(call->callee_hung_up);
    CU_ASSERT_EQUAL((call->final_ns - call->at_ns) / PEAL_NS_PER_US, 2928);
    CU_ASSERT_EQUAL((call->end_ns - call->final_ns) / PEAL_NS_PER_MS, 504);
    CU_ASSERT_STRING_EQUAL(aor_of(reading.data, call->caller), "sip:30@127.0.0.1");
    CU_ASSERT_STRING_EQUAL(aor_of(reading.data, call->callee), "sip:33@127.0.0.1");
    history_free(reading.history);
}

PEAL_TEST_MAIN("analysis/history_captures", PEAL_TEST(calls_and_registrations_of_a_phone),
               PEAL_TEST(the_same_in_other_clothes),
               PEAL_TEST(messages_without_a_call_id_are_counted_and_lost),
               PEAL_TEST(call_between_two_users_on_two_legs))
