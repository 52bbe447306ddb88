/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_replay_file.c - workload files come back as they were, or name the line that is wrong. */
#include "replay/build.h"

#include <glib/gstdio.h>
#include <scenarios/scenario.h>

#include "peal_test.h"

#define HEAD "peal-workload 1\n"
#define TWO "user sip:a@h\nuser sip:b@h\n"

static char *file_of(const char *text)
{
    char *path = NULL;
    int fd = g_file_open_tmp("peal-workload-XXXXXX", &path, NULL);

    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_FATAL(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    return path;
}

static Replay *load_text(const char *text, GError **error)
{
    g_autofree char *path = file_of(text);
    Replay *replay = replay_load(path, error);

    (void)g_unlink(path);
    return replay;
}

static void add_user(Replay *replay, const char *aor, PealAddr address, uint32_t place)
{
    ReplayUser user = {.aor = g_strdup(aor),
                       .was = g_strdup("sip:somebody@trace"),
                       .username = g_strdup("name"),
                       .password = g_strdup("secret"),
                       .address = address,
                       .place = place};

    g_array_append_val(replay->users, user);
}

static Replay *full(void)
{
    Replay *replay = replay_new("a capture, 100% of \"it\"\\.pcap");
    PealAddr six = {{0x20, 0x01, 0x0d, 0xb8, [15] = 1}, 0, 6};
    ReplayRegistration registrations[] = {{{0}, 1, 3600},
                                          {peal_us(1), 0, 0},
                                          {peal_us(86400000001), 2, UINT32_MAX}};
    ReplayCall calls[] = {{.at = {0},
                           .caller = 0,
                           .callee = 1,
                           .ringing = peal_us(123456),
                           .final = peal_us(1999999),
                           .cancel = REPLAY_NEVER,
                           .talk = peal_us(60000000),
                           .last = peal_us(62000001),
                           .status = 200,
                           .outcome = HISTORY_ANSWERED,
                           .callee_hangs_up = true,
                           .headers = g_strdup("Subject: 100% caf\xc3\xa9\tnow\r\nX-A: =\\\r\n"),
                           .content_type = g_strdup("text/plain; charset=\"utf-8\""),
                           .body = g_strdup("# no comment\n\x01 = %41\r\n")},
                          {.at = peal_us(1),
                           .caller = 2,
                           .callee = 0,
                           .ringing = REPLAY_NEVER,
                           .final = REPLAY_NEVER,
                           .cancel = peal_us(5),
                           .talk = REPLAY_NEVER,
                           .last = {0},
                           .status = 0,
                           .outcome = HISTORY_CANCELLED}};

    add_user(replay, "sip:alice@example.org", (PealAddr){{10, 0, 0, 1}, 0, 4}, UINT32_MAX);
    add_user(replay, "sip:%23b%C3%A9=$!'()*+,&~@example.org", six, 7);
    add_user(replay, "sip:2001%3Adb8%3A%3A1@example.org", (PealAddr){.family = 0}, 0);
    g_array_append_vals(replay->registrations, registrations, G_N_ELEMENTS(registrations));
    g_array_append_vals(replay->calls, calls, G_N_ELEMENTS(calls));
    replay->speed = 1.0 / 3;
    replay_settle(replay);
    return replay;
}

static void calls_are_equal(const ReplayCall *one, const ReplayCall *two)
{
    CU_ASSERT_EQUAL(one->at.ns, two->at.ns);
    CU_ASSERT_EQUAL(one->caller, two->caller);
    CU_ASSERT_EQUAL(one->callee, two->callee);
    CU_ASSERT_EQUAL(one->ringing.ns, two->ringing.ns);
    CU_ASSERT_EQUAL(one->final.ns, two->final.ns);
    CU_ASSERT_EQUAL(one->cancel.ns, two->cancel.ns);
    CU_ASSERT_EQUAL(one->talk.ns, two->talk.ns);
    CU_ASSERT_EQUAL(one->last.ns, two->last.ns);
    CU_ASSERT_EQUAL(one->status, two->status);
    CU_ASSERT_EQUAL(one->outcome, two->outcome);
    CU_ASSERT_EQUAL(one->callee_hangs_up, two->callee_hangs_up);
    CU_ASSERT_EQUAL(g_strcmp0(one->headers, two->headers), 0);
    CU_ASSERT_EQUAL(g_strcmp0(one->content_type, two->content_type), 0);
    CU_ASSERT_EQUAL(g_strcmp0(one->body, two->body), 0);
}

static void workload_comes_back_exactly(void)
{
    g_autoptr(Replay) one = full();
    g_autofree char *path = file_of("");
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Replay) two = NULL;

    CU_ASSERT_TRUE(replay_save(one, path, &error));
    CU_ASSERT_TRUE(replay_is_workload(path));
    CU_ASSERT_TRUE(g_file_get_contents(path, &first, NULL, NULL));
    two = replay_load(path, &error);
    if (error != NULL) {
        printf("# %s\n", error->message);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(two);
    CU_ASSERT_STRING_EQUAL(two->source, one->source);
    CU_ASSERT_EQUAL(two->speed, one->speed);
    CU_ASSERT_EQUAL(two->span.ns, one->span.ns);
    CU_ASSERT_EQUAL_FATAL(two->users->len, one->users->len);
    CU_ASSERT_EQUAL_FATAL(two->registrations->len, one->registrations->len);
    CU_ASSERT_EQUAL_FATAL(two->calls->len, one->calls->len);
    for (uint32_t i = 0; i < one->users->len; i++) {
        CU_ASSERT_STRING_EQUAL(replay_user(two, i)->aor, replay_user(one, i)->aor);
        CU_ASSERT_EQUAL(replay_user(two, i)->place, replay_user(one, i)->place);
        CU_ASSERT_EQUAL(replay_user(two, i)->last_called.ns, replay_user(one, i)->last_called.ns);
        CU_ASSERT_EQUAL(replay_user(two, i)->address.family, replay_user(one, i)->address.family);
        CU_ASSERT_EQUAL(memcmp(replay_user(two, i)->address.ip, replay_user(one, i)->address.ip,
                               sizeof(replay_user(one, i)->address.ip)),
                        0);
    }
    for (uint32_t i = 0; i < one->registrations->len; i++) {
        CU_ASSERT_EQUAL(replay_registration(two, i)->at.ns, replay_registration(one, i)->at.ns);
        CU_ASSERT_EQUAL(replay_registration(two, i)->user, replay_registration(one, i)->user);
        CU_ASSERT_EQUAL(replay_registration(two, i)->expires_s,
                        replay_registration(one, i)->expires_s);
    }
    for (uint32_t i = 0; i < one->calls->len; i++) {
        calls_are_equal(replay_call(one, i), replay_call(two, i));
    }
    CU_ASSERT_TRUE(replay_save(two, path, &error));
    CU_ASSERT_TRUE(g_file_get_contents(path, &second, NULL, NULL));
    CU_ASSERT_STRING_EQUAL(first, second);
    (void)g_unlink(path);
}

static void workload_holds_no_password_and_no_name_of_the_trace(void)
{
    g_autoptr(Replay) replay = full();
    g_autofree char *path = file_of("");
    g_autofree char *text = NULL;

    CU_ASSERT_TRUE(replay_save(replay, path, NULL));
    CU_ASSERT_TRUE(g_file_get_contents(path, &text, NULL, NULL));
    CU_ASSERT_PTR_NULL(strstr(text, "secret"));
    CU_ASSERT_PTR_NULL(strstr(text, "somebody"));
    (void)g_unlink(path);
}

static void workload_names_the_line_that_is_wrong(void)
{
    static const struct {
        const char *text;
        guint line;
    } files[] = {
        {HEAD "user\n", 2},
        {HEAD "user alice\n", 2},
        {HEAD "user sip:alice\n", 2},
        {HEAD "user sip:@h\n", 2},
        {HEAD "user sip:a@\n", 2},
        {HEAD "user sip:a@h;lr\n", 2},
        {HEAD "user sip:a@h..h\n", 2},
        {HEAD "user sip:a@h@h\n", 2},
        {HEAD "user sip:a;b@h\n", 2},
        {HEAD "user sip:a%3bb@h\n", 2},
        {HEAD "user sip:%61@h\n", 2},
        {HEAD "user sip:\xff@h\n", 2},
        {HEAD "user sip:a@h place=x\n", 2},
        {HEAD "user sip:a@h place=4294967295\n", 2},
        {HEAD "user sip:a@h address=10.0.0\n", 2},
        {HEAD "user sip:a@h colour=red\n", 2},
        {HEAD TWO "# a comment\n\nuser sip:a@h\n", 6},
        {HEAD TWO "register 0 0\n", 4},
        {HEAD TWO "register 0 2 60\n", 4},
        {HEAD TWO "register -1 0 60\n", 4},
        {HEAD TWO "register 1.0000001 0 60\n", 4},
        {HEAD TWO "register . 0 60\n", 4},
        {HEAD TWO "register 34560001 0 60\n", 4},
        {HEAD TWO "register 2 0 60\nregister 1 0 60\n", 5},
        {HEAD TWO "call 0 0 1 answered\n", 4},
        {HEAD TWO "call 0 0 0 answered 200 final=1\n", 4},
        {HEAD TWO "call 0 0 1 maybe 200 final=1\n", 4},
        {HEAD TWO "call 0 0 1 answered 200\n", 4},
        {HEAD TWO "call 0 0 1 answered 486 final=1\n", 4},
        {HEAD TWO "call 0 0 1 answered 700 final=1\n", 4},
        {HEAD TWO "call 0 0 1 refused 0\n", 4},
        {HEAD TWO "call 0 0 1 refused 200 final=1\n", 4},
        {HEAD TWO "call 0 0 1 refused 180 final=1\n", 4},
        {HEAD TWO "call 0 0 1 unanswered 404 final=1\n", 4},
        {HEAD TWO "call 0 0 1 cancelled 200 final=1\n", 4},
        {HEAD TWO "call 0 0 1 unanswered 0 when=1\n", 4},
        {HEAD TWO "call 0 0 1 unanswered 0 headers=Route:%20x%0D%0A\n", 4},
        {HEAD TWO "call 0 0 1 unanswered 0 headers=Subject:%20x\n", 4},
        {HEAD TWO "call 0 0 1 unanswered 0 headers=%00\n", 4},
        {HEAD TWO "call 0 0 1 unanswered 0 headers=%4\n", 4},
        {HEAD TWO "call 0 0 1 unanswered 0 type=text/plain\n", 4},
        {HEAD TWO "call 0 0 1 unanswered 0 body=x\n", 4},
        {HEAD TWO "call 0 0 1 unanswered 0 type=a/b%0D%0ARoute:x body=x\n", 4},
        {HEAD TWO "call 0 0 1 unanswered 0 type=multipart/mixed body=x\n", 4},
        {HEAD TWO "call 0 0 1 unanswered 0 type=a/b type=a/b body=x\n", 4},
        {HEAD TWO "call 1 0 1 unanswered 0\ncall 0 0 1 unanswered 0\n", 5},
        {HEAD "source name=x\n", 2},
        {HEAD "source name=x speed=0\n", 2},
        {HEAD "source name=x speed=nan\n", 2},
        {HEAD "password a b\n", 2},
        {HEAD "user sip:a@h 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15\n", 2},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Replay) replay = load_text(files[i].text, &error);
        g_autofree char *place = g_strdup_printf(":%u: ", files[i].line);

        if (replay != NULL || error == NULL || strstr(error->message, place) == NULL) {
            printf("# %s# %s\n", files[i].text, error != NULL ? error->message : "is taken");
            CU_FAIL("no such error");
        }
    }
}

static void workload_is_told_by_its_first_line(void)
{
    static const char *const others[] = {
        "", "\n", "peal-workload 2\n", "peal-workload 10\n", "\xd4\xc3\xb2\xa1", "peal-workload 1"};
    g_autoptr(GError) absent = NULL;
    g_autoptr(GError) directory = NULL;
    g_autoptr(GError) none = NULL;
    g_autoptr(Replay) empty = load_text(HEAD, &none);

    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Replay) replay = load_text(others[i], &error);

        CU_ASSERT_PTR_NULL(replay);
        CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    }
    CU_ASSERT_PTR_NULL(replay_load("/nowhere/x.calls", &absent));
    CU_ASSERT_PTR_NOT_NULL(strstr(absent->message, "/nowhere/x.calls"));
    CU_ASSERT_PTR_NULL(replay_load("/", &directory));
    CU_ASSERT_PTR_NOT_NULL(directory);
    CU_ASSERT_PTR_NOT_NULL(empty);
}

static void workload_that_cannot_be_written_says_so(void)
{
    g_autoptr(Replay) replay = full();
    g_autoptr(GError) absent = NULL;
    g_autoptr(GError) directory = NULL;

    CU_ASSERT_FALSE(replay_save(replay, "/nowhere/x.calls", &absent));
    CU_ASSERT_PTR_NOT_NULL(strstr(absent->message, "/nowhere/x.calls"));
    CU_ASSERT_FALSE(replay_save(replay, g_get_tmp_dir(), &directory));
    CU_ASSERT_PTR_NOT_NULL(directory);
}

static void workload_bodies_written_by_hand_lead_nowhere_either(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Replay) replay = load_text(HEAD TWO "call 0 0 1 unanswered 0 type=application/sdp "
                                                  "body=v=0%0D%0Ac=IN%20IP4%20192.0.2.1%0D%0A\n",
                                         &error);

    CU_ASSERT_PTR_NOT_NULL_FATAL(replay);
    CU_ASSERT_STRING_EQUAL(replay_call(replay, 0)->body, "v=0\r\nc=IN IP4 0.0.0.0\r\n");
}

PEAL_TEST_MAIN("scenarios/replay_file", PEAL_TEST(workload_comes_back_exactly),
               PEAL_TEST(workload_holds_no_password_and_no_name_of_the_trace),
               PEAL_TEST(workload_names_the_line_that_is_wrong),
               PEAL_TEST(workload_is_told_by_its_first_line),
               PEAL_TEST(workload_that_cannot_be_written_says_so),
               PEAL_TEST(workload_bodies_written_by_hand_lead_nowhere_either))
