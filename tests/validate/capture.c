/* SPDX-License-Identifier: GPL-3.0-or-later */
/* capture.c - see capture.h. */
#include "capture.h"

#include <pcap/pcap.h>
#include <string.h>

enum { IP_HEADER = 20, UDP_HEADER = 8, BRANCH_MAX = 64, SENDS_MAX = 16 };

#define NS_PER_MS INT64_C(1000000)
#define T1_NS (500 * NS_PER_MS)
#define T2_NS (4000 * NS_PER_MS)

typedef struct Sends {
    int64_t at[SENDS_MAX];
    guint len;
} Sends;

/* The value of the first Via's branch. Text to g_free, or NULL. */
static char *branch_of(const char *text, size_t len)
{
    static const char NAME[] = ";branch=";
    const char *start = g_strstr_len(text, (gssize)len, NAME);
    size_t rest;

    if (start == NULL) {
        return NULL;
    }
    start += strlen(NAME);
    rest = len - (size_t)(start - text);
    return g_strndup(start, MIN(strcspn(start, ";\r\n"), MIN(rest, BRANCH_MAX)));
}

static void note(GHashTable *transactions, const char *method, const struct pcap_pkthdr *header,
                 const u_char *bytes)
{
    g_autofree char *text = NULL;
    g_autofree char *branch = NULL;
    Sends *sends;

    if (header->caplen <= IP_HEADER + UDP_HEADER) {
        return;
    }
    text = g_strndup((const char *)bytes + IP_HEADER + UDP_HEADER,
                     header->caplen - IP_HEADER - UDP_HEADER);
    if (!g_str_has_prefix(text, method) || text[strlen(method)] != ' ') {
        return;
    }
    branch = branch_of(text, strlen(text));
    if (branch == NULL) {
        return;
    }
    sends = g_hash_table_lookup(transactions, branch);
    if (sends == NULL) {
        sends = g_new0(Sends, 1);
        g_hash_table_insert(transactions, g_steal_pointer(&branch), sends);
    }
    if (sends->len < SENDS_MAX) {
        /* With nanosecond precision tv_usec holds nanoseconds. */
        sends->at[sends->len++] =
            header->ts.tv_sec * INT64_C(1000000000) + (int64_t)header->ts.tv_usec;
    }
}

static double most_off(const Sends *sends, bool invite)
{
    int64_t due = sends->at[0];
    int64_t interval = T1_NS;
    int64_t most = 0;

    for (guint i = 0; i < sends->len; i++) {
        most = MAX(most, ABS(sends->at[i] - due));
        due += interval;
        interval = invite ? 2 * interval : MIN(2 * interval, T2_NS);
    }
    return (double)most;
}

bool capture_asked(const char *question)
{
    return g_str_has_prefix(question, CAPTURE_SENDS) || g_str_has_prefix(question, CAPTURE_OFF_NS);
}

char *capture_answer(const char *path, const char *question, GArray *ret_values)
{
    bool counts = g_str_has_prefix(question, CAPTURE_SENDS);
    const char *method = question + strlen(counts ? CAPTURE_SENDS : CAPTURE_OFF_NS);
    char error[PCAP_ERRBUF_SIZE];
    pcap_t *capture =
        pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, error);
    g_autoptr(GHashTable) transactions =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    struct pcap_pkthdr *header;
    const u_char *bytes;
    GHashTableIter each;
    Sends *sends;
    int64_t end = 0;

    if (capture == NULL) {
        return g_strdup(error);
    }
    while (pcap_next_ex(capture, &header, &bytes) == 1) {
        note(transactions, method, header, bytes);
        end = header->ts.tv_sec * INT64_C(1000000000) + (int64_t)header->ts.tv_usec;
    }
    pcap_close(capture);
    g_hash_table_iter_init(&each, transactions);
    while (g_hash_table_iter_next(&each, NULL, (gpointer *)&sends)) {
        double value = counts ? sends->len : most_off(sends, strcmp(method, "INVITE") == 0);

        if (end - sends->at[0] >= 64 * T1_NS) {
            g_array_append_val(ret_values, value);
        }
    }
    return ret_values->len > 0 ? NULL : g_strdup_printf("no %s had 32 s to its end", method);
}
