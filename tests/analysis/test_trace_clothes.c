/*
 * test_trace_clothes.c - one capture on other links, in other byte orders, over the other version
 * of IP, within tunnels and in fragments: the same messages, and the same workload.
 */
#include "analysis/capture.h"

#include <analysis/history.h>
#include <peal_test.h>
#include <scratch.h>

/* What a capture holds, as text that can be compared. */
typedef struct Told {
    GString *messages;
    GString *workload;
    History *history;
    bool media; /* tell of it too */
    TraceCounts counts;
} Told;

static void told_free(Told *told)
{
    g_string_free(told->messages, TRUE);
    g_string_free(told->workload, TRUE);
    history_free(told->history);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Told, told_free)

/* fd00::a.b.c.d is a.b.c.d. */
static void tell_addr(GString *text, const PealAddr *addr)
{
    const uint8_t *ip = addr->family == 6 ? addr->ip + 12 : addr->ip;

    g_string_append_printf(text, " %u.%u.%u.%u:%u", ip[0], ip[1], ip[2], ip[3], addr->port);
}

static void on_message(void *user, const TraceMessage *message)
{
    Told *told = user;

    g_string_append_printf(told->messages, "%" G_GINT64_FORMAT " %d %d", message->at_ns,
                           message->tcp, message->scan.cut);
    tell_addr(told->messages, &message->from);
    tell_addr(told->messages, &message->to);
    g_string_append_c(told->messages, '\n');
    g_string_append_len(told->messages, message->scan.bytes.ptr, (gssize)message->scan.bytes.len);
    history_message(told->history, message);
}

static void on_datagram(void *user, const TraceDatagram *datagram)
{
    history_datagram(((Told *)user)->history, datagram);
}

static void tell_call(Told *told, const HistoryCall *call)
{
    g_string_append_printf(told->workload,
                           "call %u %u %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT
                           " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT
                           " %u %s %d %u %u %s\n",
                           call->caller, call->callee, call->at_ns, call->ringing_ns,
                           call->final_ns, call->cancel_ns, call->end_ns, call->last_ns,
                           call->status, history_outcome_name(call->outcome), call->callee_hung_up,
                           call->legs, call->forks, call->codec != NULL ? call->codec : "-");
    g_string_append_printf(told->workload, "%s\n%s\n%s\n",
                           call->headers != NULL ? call->headers : "-",
                           call->content_type != NULL ? call->content_type : "-",
                           call->body != NULL ? call->body : "-");
    if (told->media) {
        g_string_append_printf(told->workload,
                               "media %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT "\n",
                               call->media_packets, call->media_bytes);
    }
}

static void tell_workload(Told *told, const HistoryData *data)
{
    for (guint i = 0; i < data->users->len; i++) {
        const HistoryUser *user = &g_array_index(data->users, HistoryUser, i);

        g_string_append_printf(told->workload, "user %s %d", user->aor, user->registers);
        tell_addr(told->workload, &user->address);
        g_string_append_c(told->workload, '\n');
    }
    for (guint i = 0; i < data->registrations->len; i++) {
        const HistoryRegistration *one =
            &g_array_index(data->registrations, HistoryRegistration, i);

        g_string_append_printf(told->workload,
                               "registration %u %" G_GINT64_FORMAT " %" G_GINT64_FORMAT
                               " %u %u %u %d\n",
                               one->user, one->at_ns, one->answered_ns, one->status, one->expires_s,
                               one->asked_s, one->query);
    }
    for (guint i = 0; i < data->calls->len; i++) {
        tell_call(told, &g_array_index(data->calls, HistoryCall, i));
    }
}

/* media: where packets and SDP name the same addresses. */
static Told tell(const char *path, bool media)
{
    TraceConfig config = {.path = path, .from_ns = INT64_MIN, .until_ns = INT64_MAX};
    Told told = {
        .messages = g_string_new(NULL),
        .workload = g_string_new(NULL),
        .history = history_new(&(HistoryConfig){.texts = true}),
        .media = media,
    };
    TraceSink sink = {.message = on_message, .datagram = on_datagram, .user = &told};

    CU_ASSERT_TRUE(trace_read(&config, &sink, &told.counts, NULL));
    tell_workload(&told, history_finish(told.history));
    return told;
}

static void check_clothes(const char *original, const Told plain[2], const char *path,
                          const CaptureForm *form)
{
    g_auto(Told) other = {0};

    CU_ASSERT(capture_reclothe(original, path, form) > 0);
    other = tell(path, !form->ipv6);
    CU_ASSERT_STRING_EQUAL(other.messages->str, plain[0].messages->str);
    CU_ASSERT_STRING_EQUAL(other.workload->str, plain[!form->ipv6].workload->str);
    CU_ASSERT_EQUAL(other.counts.messages, plain[0].counts.messages);
    CU_ASSERT_EQUAL(other.counts.messages_tcp, plain[0].counts.messages_tcp);
    CU_ASSERT_EQUAL(other.counts.messages_cut, plain[0].counts.messages_cut);
}

/* Other clothes for the n-th of them on a link. */
static CaptureForm form_of(CaptureLink link, unsigned n)
{
    CaptureForm form = {
        .link = link,
        .tunnel = n % CAPTURE_TUNNELS,
        .ipv6 = n & 1,
        .fragment = n % 3 == 0 ? 296 : 0,
        .extensions = n % 5 == 0,
        .big_endian = n & 2,
        .microseconds = n % 7 < 4,
        .pcapng = n & 4,
        .gzip = n % 4 == 3,
    };

    if (link == CAPTURE_IPV4 || link == CAPTURE_IPV6) {
        form.tunnel = CAPTURE_NO_TUNNEL;
        form.ipv6 = link == CAPTURE_IPV6;
    }
    if (n % 2 && link <= CAPTURE_SLL2) {
        form.tags[0] = 0x88a8;
        form.tags[1] = 0x8100;
        form.tags[2] = n % 4 == 1 ? 0x8864 : 0;
    }
    return form;
}

static void check_capture(const char *name)
{
    g_autofree char *original = capture_shared(name);
    g_autofree char *dir = NULL;
    g_autofree char *path = NULL;

    if (original == NULL) {
        PEAL_SKIP("needs the captures of ../shared/data/pcap");
    }
    dir = g_dir_make_tmp("peal-clothes-XXXXXX", NULL);
    path = g_build_filename(dir, "capture", NULL);
    {
        Told plain[2] = {tell(original, false), tell(original, true)};

        CU_ASSERT(plain[0].counts.messages > 0);
        for (unsigned i = 0; i < CAPTURE_LINKS * 6U; i++) {
            CaptureForm form = form_of((CaptureLink)(i % CAPTURE_LINKS), i);

            check_clothes(original, plain, path, &form);
        }
        told_free(&plain[0]);
        told_free(&plain[1]);
    }
    remove_tree(dir);
}

static void calls_and_registers_are_the_same_in_all_clothes(void)
{
    check_capture("sip-calls-and-registers.pcap");
}

static void two_users_are_the_same_in_all_clothes(void)
{
    check_capture("sip-two-users.pcap");
}

static void messages_over_tcp_are_the_same_in_all_clothes(void)
{
    check_capture("sip-tcp.pcap");
}

/* What others converted from one capture. */
static void conversions_of_one_capture_are_the_same(void)
{
    static const char *const names[] = {"sip-vlan100.pcap", "sip-sll2.pcap", "sip-ipv6.pcap",
                                        "sip-bigendian_ns.pcap", "sip-pcapng.pcapng"};
    g_autofree char *first = capture_shared(names[0]);
    g_auto(Told) plain = {0};

    if (first == NULL) {
        PEAL_SKIP("needs the captures of ../shared/data/pcap");
    }
    plain = tell(first, false);
    CU_ASSERT_EQUAL(plain.counts.messages, 81);
    for (size_t i = 1; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = capture_shared(names[i]);
        g_auto(Told) other = tell(path, false);

        CU_ASSERT_EQUAL(other.counts.messages, 81);
        if (strstr(names[i], "ipv6") == NULL) {
            CU_ASSERT_STRING_EQUAL(other.messages->str, plain.messages->str);
            CU_ASSERT_STRING_EQUAL(other.workload->str, plain.workload->str);
        }
    }
}

PEAL_TEST_MAIN("analysis/trace/clothes", PEAL_TEST(calls_and_registers_are_the_same_in_all_clothes),
               PEAL_TEST(two_users_are_the_same_in_all_clothes),
               PEAL_TEST(messages_over_tcp_are_the_same_in_all_clothes),
               PEAL_TEST(conversions_of_one_capture_are_the_same))
