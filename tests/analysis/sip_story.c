/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sip_story.c - see sip_story.h. */
#include <analysis/sip_story.h>
#include <peal_test.h>

static const char *or_else(const char *given, const char *usual)
{
    return given != NULL ? given : usual;
}

static PealAddr address(int host, int port)
{
    return (PealAddr){.ip = {10, 0, (uint8_t)(host >> 8), (uint8_t)host},
                      .port = (uint16_t)port,
                      .family = 4};
}

static char *text_of(const Say *say)
{
    const char *from_tag = or_else(say->from_tag, "a");
    const char *branch = or_else(say->branch, "1");
    const char *body = or_else(say->body, "");
    bool response = g_ascii_isdigit(say->line[0]);
    GString *text = g_string_new(NULL);

    if (response) {
        g_string_append_printf(text, "SIP/2.0 %s\r\n", say->line);
    } else {
        g_string_append_printf(text, "%s sip:bob@example.org SIP/2.0\r\n", say->line);
    }
    g_string_append_printf(text, "Via: SIP/2.0/UDP 10.0.0.%d;branch=%s%s\r\n",
                           response ? say->to : say->from, branch[0] == '=' ? "" : "z9hG4bK",
                           branch[0] == '=' ? branch + 1 : branch);
    g_string_append_printf(text, "From: %s%s%s\r\n",
                           or_else(say->caller, "<sip:alice@example.org>"),
                           from_tag[0] != '\0' ? ";tag=" : "", from_tag);
    g_string_append_printf(text, "To: %s%s%s\r\n", or_else(say->callee, "<sip:bob@example.org>"),
                           say->to_tag != NULL ? ";tag=" : "", or_else(say->to_tag, ""));
    g_string_append_printf(text, "Call-ID: %s\r\nCSeq: %d %s\r\n", or_else(say->call, "call-1"),
                           say->cseq != 0 ? say->cseq : 1,
                           response ? or_else(say->method, "INVITE") : say->line);
    g_string_append(text, or_else(say->more, ""));
    if (body[0] != '\0') {
        g_string_append_printf(text, "Content-Type: %s\r\n", or_else(say->type, "application/sdp"));
    }
    g_string_append_printf(text, "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
    return g_string_free(text, FALSE);
}

void story_say(History *history, const Say *say)
{
    g_autofree char *text = text_of(say);
    TraceMessage message = {.at_ns = story_ns(say->ms),
                            .from = address(say->from, 5060),
                            .to = address(say->to, 5060)};

    CU_ASSERT_EQUAL_FATAL(peal_sip_scan((PealStr){text, strlen(text)}, &message.scan), 0);
    history_message(history, &message);
}

void story_media(History *history, int64_t ms, const int from[2], const int to[2])
{
    TraceDatagram datagram = {.at_ns = story_ns(ms),
                              .from = address(from[0], from[1]),
                              .to = address(to[0], to[1]),
                              .len = 172};

    history_datagram(history, &datagram);
}
