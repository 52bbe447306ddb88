/* traffic.c - see traffic.h. */
#include "scenarios/traffic.h"

#include <gsl/gsl_randist.h>
#include <inttypes.h>
#include <math.h>
#include <peal/base.h>
#include <stdlib.h>

#include "analysis/capture.h"

#define MS PEAL_NS_PER_MS
#define S PEAL_NS_PER_S
#define DOMAIN "voice.example.net"

typedef struct Message {
    int64_t at_ns;
    uint32_t phone;
    bool to_phone;
    char *text;
} Message;

typedef struct Flow {
    GArray *messages; /* Message */
    uint32_t phone;   /* whose messages these are, and whose they are for */
    uint32_t peer;
    uint32_t number;  /* of the call or registration: names its dialog, */
    const char *kind; /* with what it is */
} Flow;

/* A message of a flow, but for what all of the flow have. */
typedef struct Words {
    const char *line;   /* of a request without its version, of a response from the status on */
    const char *branch; /* of the request's Via */
    const char *cseq;
    const char *to_tag;
    const char *contact; /* the line, and others */
} Words;

static void add(Flow *flow, int64_t at_ns, bool response, const Words *words)
{
    Message message = {at_ns, flow->phone, response, NULL};

    message.text =
        g_strdup_printf("%s%s%s\r\n"
                        "Via: SIP/2.0/UDP phone%u." DOMAIN ":5060;branch=z9hG4bK%s%u\r\n%s"
                        "From: <sip:user%u@" DOMAIN ">;tag=f%u\r\n"
                        "To: <sip:user%u@" DOMAIN ">%s\r\n"
                        "Call-ID: %s%u@phone%u." DOMAIN "\r\n"
                        "CSeq: %s\r\n%sContent-Length: 0\r\n\r\n",
                        response ? "SIP/2.0 " : "", words->line, response ? "" : " SIP/2.0",
                        flow->phone, words->branch, flow->number,
                        response ? "" : "Max-Forwards: 70\r\n", flow->phone, flow->number,
                        flow->peer, words->to_tag, flow->kind, flow->number, flow->phone,
                        words->cseq, words->contact);
    g_array_append_val(flow->messages, message);
}

static void add_call(Flow *flow, int64_t at_ns, int64_t ring_ns, int64_t talk_ns)
{
    g_autofree char *invite = g_strdup_printf("INVITE sip:user%u@" DOMAIN, flow->peer);
    g_autofree char *ack = g_strdup_printf("ACK sip:user%u@" DOMAIN, flow->peer);
    g_autofree char *bye = g_strdup_printf("BYE sip:user%u@" DOMAIN, flow->peer);
    g_autofree char *tag = g_strdup_printf(";tag=t%u", flow->number);
    g_autofree char *contact =
        g_strdup_printf("Contact: <sip:user%u@phone%u." DOMAIN ">\r\n", flow->phone, flow->phone);
    int64_t answer_ns = at_ns + 60 * MS + ring_ns;
    int64_t bye_ns = answer_ns + talk_ns;
    Words words = {invite, "i", "1 INVITE", "", contact};

    add(flow, at_ns, false, &words);
    words.contact = "";
    words.line = "100 Trying";
    add(flow, at_ns + 2 * MS, true, &words);
    words.to_tag = tag;
    words.line = "180 Ringing";
    add(flow, at_ns + 60 * MS, true, &words);
    words.line = "200 OK";
    words.contact = "Contact: <sip:proxy." DOMAIN ">\r\n";
    add(flow, answer_ns, true, &words);
    /* A call that is over at once has its BYE right behind the ACK. */
    add(flow, answer_ns + MIN(5 * MS, talk_ns / 2), false, &(Words){ack, "a", "1 ACK", tag, ""});
    words = (Words){bye, "b", "2 BYE", tag, ""};
    add(flow, bye_ns, false, &words);
    words.line = "200 OK";
    add(flow, bye_ns + 3 * MS, true, &words);
}

static void add_registration(Flow *flow, int64_t at_ns, uint32_t cseq)
{
    g_autofree char *text = g_strdup_printf("%u REGISTER", cseq);
    g_autofree char *branch = g_strdup_printf("r%u-", cseq);
    g_autofree char *contact =
        g_strdup_printf("Contact: <sip:user%u@phone%u." DOMAIN ">\r\nExpires: 3600\r\n",
                        flow->phone, flow->phone);
    Words words = {"REGISTER sip:" DOMAIN, branch, text, "", contact};

    add(flow, at_ns, false, &words);
    words.line = "200 OK";
    words.to_tag = ";tag=r";
    add(flow, at_ns + 2 * MS, true, &words);
}

static int64_t ns_of(double seconds)
{
    return llround(seconds * (double)S);
}

static void add_registrations(const Traffic *traffic, const gsl_rng *rng, GArray *messages)
{
    for (uint32_t user = 0; user < traffic->users; user++) {
        Flow flow = {messages, user, user, user, "r"};
        int64_t at_ns = TRAFFIC_EPOCH_S * S + user * 10 * MS;

        for (uint32_t i = 0; i <= traffic->refreshes; i++) {
            add_registration(&flow, at_ns, i + 1);
            at_ns += ns_of(gsl_ran_exponential(rng, traffic->refresh_s));
        }
    }
}

static void add_calls(const Traffic *traffic, const gsl_rng *rng, GArray *messages)
{
    int64_t at_ns = TRAFFIC_EPOCH_S * S + 10 * S;

    for (uint32_t i = 0; i < traffic->calls; i++) {
        uint32_t caller = (uint32_t)gsl_rng_uniform_int(rng, traffic->users);
        uint32_t other = (uint32_t)gsl_rng_uniform_int(rng, traffic->users - 1);
        Flow flow = {messages, caller, other + (other >= caller), i, "c"};
        double talk_s = gsl_ran_lognormal(rng, log(traffic->median_s), traffic->sigma);

        add_call(&flow, at_ns, ns_of(traffic->ring_s), ns_of(talk_s));
        at_ns += ns_of(gsl_ran_weibull(rng, traffic->scale_s, traffic->shape));
    }
}

static int compare_messages(const void *a, const void *b)
{
    const Message *x = a;
    const Message *y = b;

    return (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

void traffic_write(const Traffic *traffic, const char *path)
{
    const PealAddr proxy = capture_addr("10.255.0.1", 5060);
    const CaptureForm form = {.link = CAPTURE_ETHERNET};
    GArray *messages = g_array_new(FALSE, FALSE, sizeof(Message));
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
    Capture *capture = capture_new(path, &form);

    gsl_rng_set(rng, traffic->seed);
    add_registrations(traffic, rng, messages);
    add_calls(traffic, rng, messages);
    /* g_array_sort keeps the order of what is at one instant. */
    g_array_sort(messages, compare_messages);
    for (guint i = 0; i < messages->len; i++) {
        Message *message = &g_array_index(messages, Message, i);
        g_autofree char *ip =
            g_strdup_printf("10.0.%u.%u", message->phone / 250, message->phone % 250 + 1);
        PealAddr phone = capture_addr(ip, 5060);
        PealBytes data = {(const uint8_t *)message->text, strlen(message->text)};

        capture_udp(capture, message->at_ns, message->to_phone ? &proxy : &phone,
                    message->to_phone ? &phone : &proxy, data);
        g_free(message->text);
    }
    capture_close(capture);
    gsl_rng_free(rng);
    g_array_unref(messages);
}
