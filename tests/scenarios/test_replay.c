/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_replay.c - a trace becomes a workload: names, texts, times, passwords and places. */
#include "replay/build.h"

#include <glib/gstdio.h>
#include <peal/peer.h>
#include <scenarios/scenario.h>

#include "peal_test.h"

static const int64_t BEGIN_NS = INT64_C(1700000000) * PEAL_NS_PER_S;

/* A trace by hand. */
typedef struct Story {
    HistoryData data;
    ReplayOptions options;
} Story;

static void story_begin(Story *story)
{
    *story = (Story){.options = {.domain = "example.org", .speed = 1}};
    story->data.users = g_array_new(FALSE, TRUE, sizeof(HistoryUser));
    story->data.registrations = g_array_new(FALSE, TRUE, sizeof(HistoryRegistration));
    story->data.calls = g_array_new(FALSE, TRUE, sizeof(HistoryCall));
}

static void story_end(Story *story)
{
    g_array_unref(story->data.users);
    g_array_unref(story->data.registrations);
    g_array_unref(story->data.calls);
}

static void story_user(Story *story, const char *aor)
{
    HistoryUser user = {.aor = (char *)(uintptr_t)aor};

    g_array_append_val(story->data.users, user);
}

static void story_registers(Story *story, uint32_t user, int64_t at_ns, uint32_t expires_s)
{
    HistoryRegistration registration = {.user = user,
                                        .at_ns = BEGIN_NS + at_ns,
                                        .status = 200,
                                        .expires_s = expires_s};

    g_array_append_val(story->data.registrations, registration);
}

/* An answered call, to be changed. */
static HistoryCall *story_call(Story *story, uint32_t caller, uint32_t callee, int64_t at_ns)
{
    int64_t ns = BEGIN_NS + at_ns;
    HistoryCall call = {.caller = caller,
                        .callee = callee,
                        .at_ns = ns,
                        .ringing_ns = ns + 20 * PEAL_NS_PER_MS,
                        .final_ns = ns + 2 * PEAL_NS_PER_S,
                        .cancel_ns = HISTORY_NEVER,
                        .end_ns = ns + 12 * PEAL_NS_PER_S,
                        .last_ns = ns + 12 * PEAL_NS_PER_S + PEAL_NS_PER_MS,
                        .status = 200,
                        .outcome = HISTORY_ANSWERED};

    g_array_append_val(story->data.calls, call);
    return &g_array_index(story->data.calls, HistoryCall, story->data.calls->len - 1);
}

static Replay *story_replay(const Story *story)
{
    g_autoptr(GError) error = NULL;
    Replay *replay = replay_from_history("trace.pcap", &story->data, &story->options, &error);

    if (error != NULL) {
        printf("# %s\n", error->message);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(replay);
    return replay;
}

static void is_called(const Replay *replay, uint32_t user, const char *aor)
{
    if (strcmp(replay_user(replay, user)->aor, aor) != 0) {
        printf("# user %u is %s, not %s\n", user, replay_user(replay, user)->aor, aor);
        CU_FAIL("another name");
    }
}

/* A file with that text, until the test ends. */
static char *file_of(const char *text)
{
    char *path = NULL;
    int fd = g_file_open_tmp("peal-replay-XXXXXX", &path, NULL);

    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_FATAL(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    return path;
}

static void replay_users_are_called_as_in_the_trace_in_the_overlays_domain(void)
{
    static const char *const aors[][2] = {
        {"sip:alice@10.0.0.1", "sip:alice@example.org"},
        {"sips:bob@b.example", "sip:bob@example.org"},
        {"sip:10.0.0.7", "sip:10.0.0.7@example.org"},
        {"sip:[2001:db8::7]", "sip:2001%3Adb8%3A%3A7@example.org"},
        {"tel:+1-201-555.0123;phone-context=x", "sip:+12015550123@example.org"},
        {"sip:a%6Cex;x=1@h", "sip:alex%3Bx=1@example.org"},
        {"sip:carol:secret@h", "sip:carol@example.org"},
        {"sip:d\"a v\xc3\xa9@h", "sip:d%22a%20v%C3%A9@example.org"},
        {"sip:%00@h", "sip:%00@example.org"},
        {"urn:service:sos", "sip:urn%3Aservice%3Asos@example.org"},
        {"sip:@", "sip:unknown@example.org"}};
    Story story;
    g_autoptr(Replay) replay = NULL;

    story_begin(&story);
    for (size_t i = 0; i < G_N_ELEMENTS(aors); i++) {
        story_user(&story, aors[i][0]);
    }
    replay = story_replay(&story);
    for (uint32_t i = 0; i < G_N_ELEMENTS(aors); i++) {
        is_called(replay, i, aors[i][1]);
        CU_ASSERT_STRING_EQUAL(replay_user(replay, i)->was, aors[i][0]);
    }
    story_end(&story);
}

static void replay_users_of_one_name_get_suffixes_that_nobody_has(void)
{
    Story story;
    g_autoptr(Replay) replay = NULL;

    story_begin(&story);
    story_user(&story, "sip:alice@a");
    story_user(&story, "sip:alice@b");
    story_user(&story, "sip:alice@c");
    story_user(&story, "sip:alice-2@a");
    story_user(&story, "sip:alice-2@b");
    replay = story_replay(&story);
    is_called(replay, 0, "sip:alice@example.org");
    is_called(replay, 1, "sip:alice-3@example.org");
    is_called(replay, 2, "sip:alice-4@example.org");
    is_called(replay, 3, "sip:alice-2@example.org");
    is_called(replay, 4, "sip:alice-2-2@example.org");
    replay_set_domain(replay, "b.example");
    is_called(replay, 1, "sip:alice-3@b.example");
    story_end(&story);
}

static void replay_long_names_are_cut_between_characters_and_differ(void)
{
    g_autofree char *letters = g_strnfill(300, 'x');
    g_autofree char *blanks = g_strnfill(300, ' ');
    g_autofree char *one = g_strconcat("sip:", letters, "1@h", NULL);
    g_autofree char *two = g_strconcat("sip:", letters, "2@h", NULL);
    g_autofree char *three = g_strconcat("sip:", blanks, "@h", NULL);
    Story story;
    g_autoptr(Replay) replay = NULL;
    size_t escapes;

    story_begin(&story);
    story_user(&story, one);
    story_user(&story, two);
    story_user(&story, three);
    replay = story_replay(&story);
    for (uint32_t i = 0; i < 3; i++) {
        CU_ASSERT_TRUE(strlen(replay_user(replay, i)->aor) <= PEAL_AOR_MAX);
    }
    CU_ASSERT_STRING_NOT_EQUAL(replay_user(replay, 0)->aor, replay_user(replay, 1)->aor);
    CU_ASSERT_TRUE(strstr(replay_user(replay, 1)->aor, "x-2@") != NULL);
    escapes = strcspn(replay_user(replay, 2)->aor, "@") - strlen("sip:");
    CU_ASSERT_EQUAL(escapes % 3, 0);
    story_end(&story);
}

static void replay_times_count_from_the_first_deed_and_are_divided_by_the_speed(void)
{
    Story story;
    g_autoptr(Replay) replay = NULL;
    const ReplayCall *call;

    story_begin(&story);
    story_user(&story, "sip:a@h");
    story_user(&story, "sip:b@h");
    story_registers(&story, 1, 0, 600);
    story_registers(&story, 1, 30 * PEAL_NS_PER_S, 0);
    (void)story_call(&story, 0, 1, 10 * PEAL_NS_PER_S);
    story.options.speed = 10;
    replay = story_replay(&story);
    call = replay_call(replay, 0);
    CU_ASSERT_EQUAL(replay_registration(replay, 0)->at.ns, 0);
    CU_ASSERT_EQUAL(replay_registration(replay, 0)->expires_s, 600);
    CU_ASSERT_EQUAL(replay_registration(replay, 1)->at.ns, 3 * PEAL_NS_PER_S);
    CU_ASSERT_EQUAL(call->at.ns, PEAL_NS_PER_S);
    CU_ASSERT_EQUAL(call->final.ns, 200 * PEAL_NS_PER_MS);
    CU_ASSERT_EQUAL(call->talk.ns, PEAL_NS_PER_S);
    CU_ASSERT_EQUAL(call->cancel.ns, REPLAY_NEVER.ns);
    CU_ASSERT_EQUAL(call->last.ns, 1200100 * PEAL_NS_PER_US);
    CU_ASSERT_EQUAL(replay_trace_setup(replay, 0).ns, 20 * PEAL_NS_PER_MS);
    CU_ASSERT_EQUAL(replay->span.ns, 3 * PEAL_NS_PER_S);
    CU_ASSERT_EQUAL(replay_user(replay, 0)->last_called.ns, REPLAY_NEVER.ns);
    CU_ASSERT_EQUAL(replay_user(replay, 1)->last_called.ns, PEAL_NS_PER_S);
    story_end(&story);
}

static void replay_setup_of_an_answer_without_ringing_is_the_traces(void)
{
    Story story;
    g_autoptr(Replay) replay = NULL;

    story_begin(&story);
    story_user(&story, "sip:a@h");
    story_user(&story, "sip:b@h");
    story_call(&story, 0, 1, 0)->ringing_ns = HISTORY_NEVER;
    story.options.speed = 4;
    replay = story_replay(&story);
    CU_ASSERT_EQUAL(replay_call(replay, 0)->final.ns, 500 * PEAL_NS_PER_MS);
    CU_ASSERT_EQUAL(replay_trace_setup(replay, 0).ns, 2 * PEAL_NS_PER_S);
    story_end(&story);
}

static void replay_counts_what_cannot_be_played(void)
{
    Story story;
    g_autoptr(Replay) replay = NULL;
    HistoryCall *odd;

    story_begin(&story);
    story_user(&story, "sip:a@h");
    story_user(&story, "sip:b@h");
    story_registers(&story, 0, 0, 60);
    g_array_index(story.data.registrations, HistoryRegistration, 0).query = true;
    story_registers(&story, 0, PEAL_NS_PER_S, 60);
    g_array_index(story.data.registrations, HistoryRegistration, 1).status = 403;
    story_registers(&story, 7, PEAL_NS_PER_S, 60);
    (void)story_call(&story, 0, 0, PEAL_NS_PER_S);
    (void)story_call(&story, 0, HISTORY_NOBODY, 2 * PEAL_NS_PER_S);
    odd = story_call(&story, 0, 1, 3 * PEAL_NS_PER_S);
    odd->outcome = HISTORY_REFUSED;
    odd->status = 100;
    (void)story_call(&story, 0, 1, 4 * PEAL_NS_PER_S);
    replay = story_replay(&story);
    CU_ASSERT_EQUAL(replay->registrations->len, 1); /* refused there, sent all the same */
    CU_ASSERT_EQUAL(replay->calls->len, 1);
    CU_ASSERT_EQUAL(replay->left_out[REPLAY_OUT_QUERY], 1);
    CU_ASSERT_EQUAL(replay->left_out[REPLAY_OUT_NOBODY], 2);
    CU_ASSERT_EQUAL(replay->left_out[REPLAY_OUT_SELF], 1);
    CU_ASSERT_EQUAL(replay->left_out[REPLAY_OUT_ODD], 1);
    for (int i = 0; i < REPLAY_OUT_REASONS; i++) {
        CU_ASSERT_PTR_NOT_NULL(replay_left_out_name((ReplayLeftOut)i));
    }
    /* The trace begins with what asks for something. */
    CU_ASSERT_EQUAL(replay_registration(replay, 0)->at.ns, 0);
    CU_ASSERT_EQUAL(replay_call(replay, 0)->at.ns, 3 * PEAL_NS_PER_S);
    story_end(&story);
}

static void replay_first_lifetime_is_the_traces_unless_it_is_too_short(void)
{
    Story story;
    g_autoptr(Replay) replay = NULL;

    story_begin(&story);
    story_user(&story, "sip:a@h");
    story_user(&story, "sip:b@h");
    story_registers(&story, 0, 0, 0);
    story_registers(&story, 0, 1, 90);
    story_registers(&story, 0, 2, 600);
    replay = story_replay(&story);
    CU_ASSERT_EQUAL(replay_lifetime_s(replay, 0, 60, 3600), 90);
    CU_ASSERT_EQUAL(replay_lifetime_s(replay, 0, 91, 3600), 3600);
    CU_ASSERT_EQUAL(replay_lifetime_s(replay, 1, 60, 3600), 3600);
    story_end(&story);
}

static const char OFFER[] = "v=0\r\no=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\n"
                            "s=Call to John Smith\r\ni=private\r\ne=jane@jdoe.example\r\n"
                            "p=+1 617 555-6011\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n"
                            "m=audio 49170 RTP/AVP 8\r\nc=IN IP6 2001:db8::1\r\n"
                            "a=rtpmap:8 PCMA/8000\r\na=ptime:20\r\n"
                            "a=rtcp:49171 IN IP4 198.51.100.1\r\n"
                            "a=candidate:1 1 UDP 1 198.51.100.1 49170 typ host\r\n"
                            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:secret\r\na=sendrecv\r\n";

static void replay_bodies_lead_to_no_address_of_the_trace(void)
{
    g_autofree char *kept = text_body("application/sdp", OFFER, sizeof(OFFER) - 1, NULL);
    g_autofree char *again = text_body("application/sdp", kept, (uint32_t)strlen(kept), NULL);

    CU_ASSERT_PTR_NULL(strstr(kept, "198.51.100.1"));
    CU_ASSERT_PTR_NULL(strstr(kept, "2001:db8"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(kept, "o=jdoe 3724394400 3724394405 IN IP4 0.0.0.0\r\ns=Call to John Smith\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(kept, "m=audio 49170 RTP/AVP 8\r\nc=IN IP4 0.0.0.0\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(kept, "a=crypto:1"));
    CU_ASSERT_STRING_EQUAL(kept, again);
    CU_ASSERT_PTR_NULL(text_body("multipart/mixed;boundary=x", OFFER, sizeof(OFFER) - 1, NULL));
    CU_ASSERT_PTR_NULL(text_body("text/plain", "a\0b", 3, NULL));
}

static void replay_anonymous_bodies_keep_streams_and_codecs_alone(void)
{
    g_autofree char *kept = text_body("Application/SDP; x=y", OFFER, sizeof(OFFER) - 1, "key");

    CU_ASSERT_STRING_EQUAL(kept, "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\n"
                                 "t=0 0\r\nm=audio 49170 RTP/AVP 8\r\nc=IN IP4 0.0.0.0\r\n"
                                 "a=rtpmap:8 PCMA/8000\r\na=ptime:20\r\na=sendrecv\r\n");
    CU_ASSERT_PTR_NULL(text_body("text/plain", "dear John", 9, "key"));
}

static void replay_headers_are_those_meant_for_the_callee(void)
{
    CU_ASSERT_TRUE(text_headers_are_good("Subject: x\r\nX-Y: z\r\n"));
    CU_ASSERT_TRUE(text_headers_are_good("Subject: x\r\n more\r\n"));
    CU_ASSERT_FALSE(text_headers_are_good("Route: <sip:elsewhere;lr>\r\n"));
    CU_ASSERT_FALSE(text_headers_are_good("Subject: x\r\nContact: <sip:elsewhere>\r\n"));
    CU_ASSERT_FALSE(text_headers_are_good("Subject: x\r\n\r\nbody\r\n"));
    CU_ASSERT_FALSE(text_headers_are_good("Subject: x\nRoute: y\r\n"));
    CU_ASSERT_FALSE(text_headers_are_good("Subject: x"));
    CU_ASSERT_FALSE(text_headers_are_good(" more\r\n"));
    CU_ASSERT_FALSE(text_headers_are_good("Subject\r\n"));
    CU_ASSERT_FALSE(text_headers_are_good(": x\r\n"));
    CU_ASSERT_FALSE(text_headers_are_good("X-: x\r\n"));
}

/* A word that stands nowhere in a text made anonymous. */
static void hides(const char *text, const char *word)
{
    if (strstr(text, word) != NULL) {
        printf("# '%s' in %s\n", word, text);
        CU_FAIL("not anonymous");
    }
}

static void replay_anonymous_names_follow_from_name_and_key_alone(void)
{
    Story first;
    Story second;
    g_autoptr(Replay) one = NULL;
    g_autoptr(Replay) two = NULL;
    g_autoptr(Replay) other = NULL;
    HistoryCall *call;

    story_begin(&first);
    story_begin(&second);
    story_user(&first, "sip:alice@a");
    story_user(&first, "sip:bob@a");
    call = story_call(&first, 0, 1, 0);
    call->headers = (char *)(uintptr_t) "Subject: lunch\r\nCall-Info: <http://alice.example>\r\n";
    call->content_type = (char *)(uintptr_t) "application/sdp";
    call->body = (char *)(uintptr_t)OFFER;
    call->body_len = sizeof(OFFER) - 1;
    story_user(&second, "sip:bob@elsewhere");
    first.options = (ReplayOptions){"example.org", NULL, "one key", true, true, 1};
    second.options.anonymise = "one key";
    one = story_replay(&first);
    two = story_replay(&second);
    second.options.anonymise = "another";
    other = story_replay(&second);
    CU_ASSERT_STRING_EQUAL(replay_user(one, 1)->aor, replay_user(two, 0)->aor);
    CU_ASSERT_STRING_NOT_EQUAL(replay_user(one, 1)->aor, replay_user(other, 0)->aor);
    CU_ASSERT_EQUAL(strlen(replay_user(one, 0)->aor), strlen("sip:u0123456789abcdef@example.org"));
    hides(replay_user(one, 0)->aor, "alice");
    hides(replay_call(one, 0)->headers, "lunch");
    hides(replay_call(one, 0)->headers, "alice");
    hides(replay_call(one, 0)->body, "Smith");
    CU_ASSERT_TRUE(g_str_has_prefix(replay_call(one, 0)->headers, "Subject: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(replay_call(one, 0)->headers, "\r\nCall-Info: <sip:"));
    CU_ASSERT_TRUE(text_headers_are_good(replay_call(one, 0)->headers));
    story_end(&first);
    story_end(&second);
}

static void replay_anonymous_descriptions_hide_user_and_host(void)
{
    g_autofree char *one = replay_anonymise_aor("key", "sip:alice@Host.example");
    g_autofree char *same = replay_anonymise_aor("key", "sip:alice@host.example");
    g_autofree char *host = replay_anonymise_aor("key", "sip:host.example");

    CU_ASSERT_STRING_EQUAL(one, same);
    hides(one, "alice");
    hides(one, "ost");
    hides(host, "ost.");
    CU_ASSERT_TRUE(g_str_has_prefix(one, "sip:u"));
    CU_ASSERT_TRUE(g_str_has_suffix(one, ".invalid"));
}

static void replay_texts_are_left_out_unless_they_are_wanted(void)
{
    Story story;
    g_autoptr(Replay) without = NULL;
    g_autoptr(Replay) with = NULL;
    HistoryCall *call;

    story_begin(&story);
    story_user(&story, "sip:a@h");
    story_user(&story, "sip:b@h");
    call = story_call(&story, 0, 1, 0);
    call->headers = (char *)(uintptr_t) "Subject: lunch\r\n";
    call->content_type = (char *)(uintptr_t) "text/plain";
    call->body = (char *)(uintptr_t) "now?";
    call->body_len = 4;
    without = story_replay(&story);
    story.options.keep_headers = story.options.keep_bodies = true;
    with = story_replay(&story);
    CU_ASSERT_PTR_NULL(replay_call(without, 0)->headers);
    CU_ASSERT_PTR_NULL(replay_call(without, 0)->body);
    CU_ASSERT_PTR_NULL(replay_call(without, 0)->content_type);
    CU_ASSERT_STRING_EQUAL(replay_call(with, 0)->headers, "Subject: lunch\r\n");
    CU_ASSERT_STRING_EQUAL(replay_call(with, 0)->body, "now?");
    CU_ASSERT_STRING_EQUAL(replay_call(with, 0)->content_type, "text/plain");
    story_end(&story);
}

static void replay_credentials_are_found_by_user_and_by_aor(void)
{
    g_autofree char *path = file_of("# who    what\n\nalice  secret#1\r\n"
                                    "sip:bob@b  robert  pass  # the other bob has none\n"
                                    "sip:carol@example.org c word\nnobody x\n");
    Story story;
    g_autoptr(Replay) replay = NULL;

    story_begin(&story);
    story_user(&story, "sip:alice@a");
    story_user(&story, "sip:alice@b");
    story_user(&story, "sip:bob@a");
    story_user(&story, "sip:bob@b");
    story_user(&story, "sip:carol@c");
    story.options.credentials = path;
    replay = story_replay(&story);
    CU_ASSERT_STRING_EQUAL(replay_user(replay, 0)->password, "secret#1");
    CU_ASSERT_PTR_NULL(replay_user(replay, 0)->username);
    CU_ASSERT_STRING_EQUAL(replay_user(replay, 1)->password, "secret#1");
    CU_ASSERT_PTR_NULL(replay_user(replay, 2)->password);
    CU_ASSERT_STRING_EQUAL(replay_user(replay, 3)->username, "robert");
    CU_ASSERT_STRING_EQUAL(replay_user(replay, 3)->password, "pass");
    CU_ASSERT_STRING_EQUAL(replay_user(replay, 4)->username, "c");
    CU_ASSERT_EQUAL(replay->strangers, 1);
    (void)g_unlink(path);
    story_end(&story);
}

/* Each with the line that is to blame. */
static void replay_lists_name_the_line_that_is_wrong(void)
{
    static const struct {
        bool map;
        const char *text;
        const char *place;
    } lists[] = {{false, "a b\na\n", ":2: "},
                 {false, "a b c d\n", ":1: "},
                 {true, "a 1\n#\na -1\n", ":3: "},
                 {true, "a x\n", ":1: "},
                 {true, "a 1 2\n", ":1: "},
                 {true, "a 4294967295\n", ":1: "},
                 {true, "a 99999999999999\n", ":1: "},
                 {false, "a\n", ":1: "}};
    Story story;
    g_autoptr(Replay) replay = NULL;
    g_autoptr(GError) absent = NULL;

    story_begin(&story);
    story_user(&story, "sip:a@h");
    replay = story_replay(&story);
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_autofree char *path = file_of(lists[i].text);
        g_autofree char *wanted = g_strconcat(path, lists[i].place, NULL);
        g_autoptr(GError) error = NULL;

        CU_ASSERT_FALSE(lists[i].map ? replay_read_map(replay, path, &error)
                                     : replay_read_credentials(replay, path, &error));
        CU_ASSERT_PTR_NOT_NULL_FATAL(error);
        if (!g_str_has_prefix(error->message, wanted)) {
            printf("# %s\n", error->message);
            CU_FAIL("another place");
        }
        (void)g_unlink(path);
    }
    CU_ASSERT_FALSE(replay_read_map(replay, "/nowhere/map", &absent));
    CU_ASSERT_PTR_NOT_NULL(strstr(absent->message, "/nowhere/map"));
    story_end(&story);
}

static Replay *with_sources(uint32_t users)
{
    Replay *replay = replay_new("x");

    for (uint32_t i = 0; i < users; i++) {
        ReplayUser user = {.place = UINT32_MAX};

        if (i != 2) { /* addresses 1, 2, none, 1, 2, ... whatever the port */
            user.address = (PealAddr){{10, 0, 0, (uint8_t)(i % 3 % 2)}, (uint16_t)(5060 + i), 4};
        }
        user.aor = g_strdup_printf("sip:u%u@example.org", i);
        g_array_append_val(replay->users, user);
    }
    replay_settle(replay);
    return replay;
}

static void replay_places_users_in_turn_by_source_and_by_map(void)
{
    g_autoptr(Replay) replay = with_sources(7);
    g_autofree char *path = file_of("u1 3\nsip:u6@example.org 3\nu9 1\n");
    g_autoptr(GError) error = NULL;

    CU_ASSERT_TRUE(replay_place(replay, REPLAY_ROUND_ROBIN, 3, NULL));
    CU_ASSERT_EQUAL(replay->users_per_peer, 3);
    CU_ASSERT_EQUAL(replay_user_at(replay, 0, 0), 0);
    CU_ASSERT_EQUAL(replay_user_at(replay, 0, 2), 6);
    CU_ASSERT_EQUAL(replay_user_at(replay, 2, 1), 5);
    CU_ASSERT_EQUAL(replay_user_at(replay, 2, 2), HISTORY_NOBODY);
    CU_ASSERT_EQUAL(replay_user_at(replay, 3, 0), HISTORY_NOBODY);

    CU_ASSERT_TRUE(replay_place(replay, REPLAY_BY_SOURCE, 10, NULL));
    CU_ASSERT_EQUAL(replay_user(replay, 0)->peer, replay_user(replay, 3)->peer);
    CU_ASSERT_EQUAL(replay_user(replay, 1)->peer, replay_user(replay, 4)->peer);
    CU_ASSERT_NOT_EQUAL(replay_user(replay, 0)->peer, replay_user(replay, 1)->peer);
    CU_ASSERT_NOT_EQUAL(replay_user(replay, 2)->peer, replay_user(replay, 0)->peer);

    CU_ASSERT_TRUE(replay_read_map(replay, path, &error));
    CU_ASSERT_EQUAL(replay->strangers, 1);
    CU_ASSERT_TRUE(replay_place(replay, REPLAY_BY_MAP, 4, &error));
    CU_ASSERT_EQUAL(replay_user(replay, 1)->peer, 3);
    CU_ASSERT_EQUAL(replay_user(replay, 6)->peer, 3);
    CU_ASSERT_EQUAL(replay_user(replay, 2)->peer, 1); /* the second in turn */
    CU_ASSERT_FALSE(replay_place(replay, REPLAY_BY_MAP, 3, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "sip:u1@example.org at peer 3"));
    (void)g_unlink(path);
}

static void replay_every_user_is_found_where_it_lives(void)
{
    g_autoptr(Replay) replay = with_sources(1000);

    for (ReplayPlacing placing = REPLAY_ROUND_ROBIN; placing <= REPLAY_BY_MAP; placing++) {
        CU_ASSERT_TRUE(replay_place(replay, placing, 37, NULL));
        for (uint32_t i = 0; i < 1000; i++) {
            const ReplayUser *user = replay_user(replay, i);

            CU_ASSERT_EQUAL(replay_user_at(replay, user->peer, user->index), i);
        }
    }
}

PEAL_TEST_MAIN("scenarios/replay",
               PEAL_TEST(replay_users_are_called_as_in_the_trace_in_the_overlays_domain),
               PEAL_TEST(replay_users_of_one_name_get_suffixes_that_nobody_has),
               PEAL_TEST(replay_long_names_are_cut_between_characters_and_differ),
               PEAL_TEST(replay_times_count_from_the_first_deed_and_are_divided_by_the_speed),
               PEAL_TEST(replay_setup_of_an_answer_without_ringing_is_the_traces),
               PEAL_TEST(replay_counts_what_cannot_be_played),
               PEAL_TEST(replay_first_lifetime_is_the_traces_unless_it_is_too_short),
               PEAL_TEST(replay_bodies_lead_to_no_address_of_the_trace),
               PEAL_TEST(replay_anonymous_bodies_keep_streams_and_codecs_alone),
               PEAL_TEST(replay_headers_are_those_meant_for_the_callee),
               PEAL_TEST(replay_anonymous_names_follow_from_name_and_key_alone),
               PEAL_TEST(replay_anonymous_descriptions_hide_user_and_host),
               PEAL_TEST(replay_texts_are_left_out_unless_they_are_wanted),
               PEAL_TEST(replay_credentials_are_found_by_user_and_by_aor),
               PEAL_TEST(replay_lists_name_the_line_that_is_wrong),
               PEAL_TEST(replay_places_users_in_turn_by_source_and_by_map),
               PEAL_TEST(replay_every_user_is_found_where_it_lives))
