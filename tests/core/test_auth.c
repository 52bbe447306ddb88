/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_auth.c - digest authentication (RFC 7616, RFC 2617, RFC 8760), its arithmetic done by
 * GLib. */
#include <glib.h>

#include "core/fake_sip.h"
#include "peal_test.h"

#define A "Contact: <sip:alice@192.0.2.1:5070>\r\n"

/* What a phone does with a challenge; what is left out is right. */
typedef struct Phone {
    const char *user;
    const char *realm;
    const char *password;
    const char *algorithm; /* "" for none */
    const char *uri;
    const char *nc; /* "" for the form without qop */
    const char *qop;
    const char *response;
} Phone;

static FakeSip *with_users(void)
{
    FakeSip *fake = fake_sip_new();

    fake->config.users = true;
    return fake;
}

/* A parameter of the nth WWW-Authenticate line of the last answer. */
static char *challenge_param(const FakeSip *fake, unsigned nth, const char *name)
{
    const char *at = fake->answer;
    char key[64];
    const char *end;

    for (unsigned i = 0; i <= nth; i++) {
        at = strstr(at, "\r\nWWW-Authenticate: Digest ");
        if (at == NULL) {
            return NULL;
        }
        at += 2;
    }
    end = strstr(at, "\r\n");
    snprintf(key, sizeof(key), " %s=", name);
    at = strstr(at, key);
    if (at == NULL || at > end) {
        return NULL;
    }
    at += strlen(key) + (at[strlen(key)] == '"');
    return g_strndup(at, strcspn(at, "\",\r"));
}

static char *hash(GChecksumType type, const char *format, ...)
{
    va_list args;
    char *text;
    char *digest;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    digest = g_compute_checksum_for_string(type, text, -1);
    g_free(text);
    return digest;
}

static const char *or_else(const char *text, const char *other)
{
    return text != NULL ? text : other;
}

/* The header line that answers a nonce. */
static char *credentials(const char *nonce, const Phone *p)
{
    const char *algorithm = or_else(p->algorithm, "SHA-256");
    GChecksumType type = strcmp(algorithm, "SHA-256") == 0 ? G_CHECKSUM_SHA256 : G_CHECKSUM_MD5;
    const char *user = or_else(p->user, "alice");
    const char *realm = or_else(p->realm, "example.org");
    const char *uri = or_else(p->uri, "sip:example.org");
    const char *nc = or_else(p->nc, "00000001");
    const char *qop = or_else(p->qop, "auth");
    g_autofree char *a1 = hash(type, "%s:%s:%s", user, realm, or_else(p->password, "secret"));
    g_autofree char *a2 = hash(type, "REGISTER:%s", uri);
    g_autofree char *response = *nc != '\0'
                                    ? hash(type, "%s:%s:%s:c0ffee:%s:%s", a1, nonce, nc, qop, a2)
                                    : hash(type, "%s:%s:%s", a1, nonce, a2);
    g_autofree char *counted =
        *nc != '\0' ? g_strdup_printf(", qop=%s, nc=%s, cnonce=\"c0ffee\"", qop, nc) : g_strdup("");

    return g_strdup_printf("Authorization: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", "
                           "uri=\"%s\", response=\"%s\"%s%s%s\r\n",
                           user, realm, nonce, uri, or_else(p->response, response),
                           *algorithm != '\0' ? ", algorithm=" : "", algorithm, counted);
}

static void answer(FakeSip *fake, size_t ask, int status, const char *password)
{
    const PealAnswer found = {.token = fake->asks[ask].token,
                              .status = status,
                              .password = sip_str(or_else(password, ""))};

    CU_ASSERT_TRUE(auth_on_answer(&fake->peer, &found));
    while (!fake->holds && fake_storing(fake) > 0) {
        fake_stored(fake, 0);
    }
}

/* A REGISTER with these credentials; the password is "secret". Returns the status in the end. */
static unsigned attempt(FakeSip *fake, const char *nonce, const Phone *phone)
{
    g_autofree char *line = credentials(nonce, phone);
    g_autofree char *headers = g_strconcat(A, line, NULL);
    size_t asks = fake->asks_len;

    fake->status = 0;
    if (fake_register(fake, headers) == 0 && fake->asks_len > asks) {
        answer(fake, asks, 0, "secret");
    }
    return fake->status;
}

static char *fresh_nonce(FakeSip *fake)
{
    CU_ASSERT_EQUAL(fake_register(fake, A), 401);
    return challenge_param(fake, 0, "nonce");
}

static bool is_stale(const FakeSip *fake)
{
    g_autofree char *stale = challenge_param(fake, 0, "stale");

    return g_strcmp0(stale, "true") == 0;
}

static void row_5_challenges_come_in_the_configured_order(void)
{
    FakeSip *fake = with_users();

    CU_ASSERT_EQUAL(fake_register(fake, A), 401);
    CU_ASSERT_EQUAL(fake_lines(fake, "WWW-Authenticate: Digest realm=\"example.org\""), 2);
    for (unsigned i = 0; i < 2; i++) {
        g_autofree char *algorithm = challenge_param(fake, i, "algorithm");
        g_autofree char *qop = challenge_param(fake, i, "qop");

        CU_ASSERT_STRING_EQUAL(algorithm, i == 0 ? "SHA-256" : "MD5");
        CU_ASSERT_STRING_EQUAL(qop, "auth");
    }
    CU_ASSERT_FALSE(is_stale(fake));
    fake->config.algorithms[0] = PEAL_HASH_MD5;
    fake->config.algorithms_len = 1;
    CU_ASSERT_EQUAL(fake_register(fake, A), 401);
    CU_ASSERT_EQUAL(fake_lines(fake, "WWW-Authenticate:"), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(fake->answer, "algorithm=MD5"));
    CU_ASSERT(fake->asks_len == 0 && fake->stores_len == 0);
    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.to = "<sip:bob@EXAMPLE.net>",
                                                    .uri = "sip:example.net"}),
                    401);
    CU_ASSERT_EQUAL(fake_lines(fake, "WWW-Authenticate: Digest realm=\"example.net\""), 1);
    fake_sip_free(fake);
}

static void row_5_right_password_registers(void)
{
    const Phone phones[] = {
        {.algorithm = "SHA-256"},
        {.algorithm = "MD5"},
        {.algorithm = ""}, /* which means MD5 */
        {.algorithm = "MD5", .nc = ""},
        {.user = "alice@example.org"},
        {.user = "alice@EXAMPLE.org", .algorithm = "MD5"},
        {.uri = "sip:127.0.0.1:5060"}, /* sipp's */
        {.nc = "0000000a"},
    };

    for (size_t i = 0; i < sizeof(phones) / sizeof(phones[0]); i++) {
        FakeSip *fake = with_users();
        g_autofree char *nonce = fresh_nonce(fake);

        CU_ASSERT_EQUAL(attempt(fake, nonce, &phones[i]), 200);
        CU_ASSERT_EQUAL_FATAL(fake->asks_len, 1);
        CU_ASSERT_STRING_EQUAL(fake->asks[0].user, "alice");
        CU_ASSERT_STRING_EQUAL(fake->asks[0].domain, "example.org");
        CU_ASSERT_EQUAL(fake->stores_len, 1);
        CU_ASSERT_EQUAL(fake_lines(fake, "Contact:"), 1);
        fake_sip_free(fake);
    }
}

static void row_5_wrong_is_challenged_again(void)
{
    const Phone phones[] = {
        {.password = "wrong"},
        {.password = "wrong", .algorithm = "MD5", .nc = ""},
        {.realm = "example.net"}, /* of another realm */
        {.algorithm = "SHA-512"},
        {.qop = "auth-int"},
        {.nc = "00000000"},
        {.nc = "1"},
        {.nc = ""}, /* SHA-256 has no form without qop */
        {.uri = "no uri"},
        {.response = "00"},
        {.response = ""},
        {.user = ""},
    };

    for (size_t i = 0; i < sizeof(phones) / sizeof(phones[0]); i++) {
        FakeSip *fake = with_users();
        g_autofree char *nonce = fresh_nonce(fake);

        CU_ASSERT_EQUAL(attempt(fake, nonce, &phones[i]), 401);
        CU_ASSERT_FALSE(is_stale(fake));
        CU_ASSERT_EQUAL(fake->stores_len, 0);
        CU_ASSERT_EQUAL(attempt(fake, nonce, &(Phone){0}), 200); /* nothing was counted */
        fake_sip_free(fake);
    }
}

static void row_5_stale_nonce_is_said_to_be_stale(void)
{
    FakeSip *fake = with_users();
    g_autofree char *nonce = fresh_nonce(fake);
    g_autofree char *forged = g_strdup(nonce);

    CU_ASSERT_EQUAL(attempt(fake, nonce, &(Phone){0}), 200);
    fake->now = peal_time_add(fake->now, peal_seconds(300));
    CU_ASSERT_EQUAL(attempt(fake, nonce, &(Phone){.nc = "00000002"}), 200);
    fake->now = peal_time_add(fake->now, peal_ms(1));
    CU_ASSERT_EQUAL(attempt(fake, nonce, &(Phone){.nc = "00000003"}), 401);
    CU_ASSERT_TRUE(is_stale(fake));
    for (size_t i = 0; forged[i] != '\0'; i++) {
        char was = forged[i];

        forged[i] = was == '0' ? '1' : '0';
        CU_ASSERT_EQUAL(attempt(fake, forged, &(Phone){.nc = "00000003"}), 401);
        CU_ASSERT_FALSE(is_stale(fake));
        forged[i] = was;
    }
    CU_ASSERT_EQUAL(attempt(fake, "", &(Phone){0}), 401);
    CU_ASSERT_EQUAL(attempt(fake, "00ff", &(Phone){0}), 401);
    CU_ASSERT_EQUAL(fake->asks_len, 2);
    fake_sip_free(fake);
}

static void row_5_nc_must_grow(void)
{
    FakeSip *fake = with_users();
    g_autofree char *nonce = fresh_nonce(fake);

    CU_ASSERT_EQUAL(attempt(fake, nonce, &(Phone){.nc = "00000001"}), 200);
    CU_ASSERT_EQUAL(attempt(fake, nonce, &(Phone){.nc = "00000001"}), 401);
    CU_ASSERT_TRUE(is_stale(fake)); /* its password is not in question */
    CU_ASSERT_EQUAL(attempt(fake, nonce, &(Phone){.nc = "00000010"}), 200);
    CU_ASSERT_EQUAL(attempt(fake, nonce, &(Phone){.nc = "0000000f"}), 401);
    CU_ASSERT_EQUAL(attempt(fake, nonce, &(Phone){.nc = "ffffffff"}), 401);
    CU_ASSERT_EQUAL(attempt(fake, nonce, &(Phone){.nc = "00000011"}), 200);
    fake_sip_free(fake);
}

static void row_5_nonce_without_qop_is_good_once(void)
{
    FakeSip *fake = with_users();
    g_autofree char *nonce = fresh_nonce(fake);
    const Phone old = {.algorithm = "MD5", .nc = ""};

    CU_ASSERT_EQUAL(attempt(fake, nonce, &old), 200);
    CU_ASSERT_EQUAL(attempt(fake, nonce, &old), 401);
    CU_ASSERT_TRUE(is_stale(fake));
    CU_ASSERT_EQUAL(attempt(fake, nonce, &(Phone){.nc = "00000005"}), 401);
    fake_sip_free(fake);
}

static void row_5_replay_while_the_password_is_asked_for_is_refused(void)
{
    FakeSip *fake = with_users();
    g_autofree char *nonce = fresh_nonce(fake);
    g_autofree char *line = credentials(nonce, &(Phone){0});
    g_autofree char *headers = g_strconcat(A, line, NULL);

    CU_ASSERT_EQUAL(fake_register(fake, headers), 0);
    CU_ASSERT_EQUAL(fake_register(fake, headers), 0);
    CU_ASSERT_EQUAL_FATAL(fake->asks_len, 2);
    answer(fake, 1, 0, "secret");
    CU_ASSERT_EQUAL(fake->status, 200);
    answer(fake, 0, 0, "secret");
    CU_ASSERT_EQUAL(fake->status, 401);
    CU_ASSERT_TRUE(is_stale(fake));
    fake_sip_free(fake);
}

/* A nonce whose place a later one took may have been used. */
static void row_5_forgotten_nonces_are_stale(void)
{
    FakeSip *fake = with_users();
    g_autofree char *first = fresh_nonce(fake);
    g_autofree char *second = fresh_nonce(fake);
    g_autofree char *later = NULL;

    CU_ASSERT_EQUAL(attempt(fake, first, &(Phone){0}), 200);
    fake->sip.auth.nonces_next += AUTH_NONCES_MAX - 2;
    later = fresh_nonce(fake); /* in the first one's place */
    CU_ASSERT_EQUAL(attempt(fake, first, &(Phone){.nc = "00000002"}), 200); /* while it is unused */
    CU_ASSERT_EQUAL(attempt(fake, later, &(Phone){0}), 200);
    CU_ASSERT_EQUAL(attempt(fake, first, &(Phone){.nc = "00000003"}), 401);
    CU_ASSERT_TRUE(is_stale(fake));
    CU_ASSERT_EQUAL(attempt(fake, second, &(Phone){0}), 200);
    fake_sip_free(fake);
}

static void row_5_nonce_of_before_a_restart_is_stale(void)
{
    FakeSip *fake = with_users();
    g_autofree char *nonce = fresh_nonce(fake);

    CU_ASSERT_EQUAL(attempt(fake, nonce, &(Phone){0}), 200);
    fake_sip_run(fake, peal_seconds(5));
    fake = fake_sip_restart(fake);
    fake->config.users = true;
    CU_ASSERT_EQUAL(attempt(fake, nonce, &(Phone){0}), 401);
    CU_ASSERT_TRUE(is_stale(fake)); /* the phone goes on without asking its user */
    fake_sip_free(fake);
}

static void row_6_another_ones_aor_is_403(void)
{
    FakeSip *fake = with_users();
    g_autofree char *nonce = fresh_nonce(fake);
    g_autofree char *line = credentials(nonce, &(Phone){0});
    g_autofree char *headers = g_strconcat(A, line, NULL);

    CU_ASSERT_EQUAL(fake_send(fake,
                              &(FakeRegister){.to = "<sip:bob@example.org>", .headers = headers}),
                    0);
    answer(fake, 0, 0, "secret");
    CU_ASSERT_EQUAL(fake->status, 403);
    CU_ASSERT_EQUAL(fake->stores_len, 0);
    CU_ASSERT_EQUAL(attempt(fake, nonce, &(Phone){.user = "alice@elsewhere.org"}), 403);
    fake_sip_free(fake);
}

static void row_6_own_aor_may_be_written_with_escapes(void)
{
    FakeSip *fake = with_users();
    g_autofree char *nonce = fresh_nonce(fake);
    g_autofree char *line = credentials(nonce, &(Phone){.user = "a#b"});
    g_autofree char *headers = g_strconcat(A, line, NULL);

    CU_ASSERT_EQUAL(fake_send(fake, &(FakeRegister){.to = "<sip:%61%23b@example.org>",
                                                    .headers = headers}),
                    0);
    answer(fake, 0, 0, "secret");
    CU_ASSERT_EQUAL(fake->status, 200);
    fake_sip_free(fake);
}

static void row_6_unknown_user_looks_like_a_wrong_password(void)
{
    FakeSip *fake = with_users();
    g_autofree char *nonce = fresh_nonce(fake);
    g_autofree char *line = credentials(nonce, &(Phone){.password = ""});
    g_autofree char *headers = g_strconcat(A, line, NULL);

    CU_ASSERT_EQUAL(fake_register(fake, headers), 0);
    answer(fake, 0, -PEAL_E_NOT_FOUND, NULL); /* and no empty password helps */
    CU_ASSERT_EQUAL(fake->status, 401);
    CU_ASSERT_FALSE(is_stale(fake));
    fake_sip_free(fake);
}

static void nobody_to_ask_is_503(void)
{
    FakeSip *fake = with_users();
    g_autofree char *nonce = fresh_nonce(fake);
    g_autofree char *line = credentials(nonce, &(Phone){0});
    g_autofree char *headers = g_strconcat(A, line, NULL);

    fake->ask_error = -PEAL_E_FULL;
    CU_ASSERT_EQUAL(fake_register(fake, headers), 503);
    fake->ask_error = 0;
    CU_ASSERT_EQUAL(fake_register(fake, headers), 0);
    answer(fake, 0, -PEAL_E_TIMEOUT, NULL);
    CU_ASSERT_EQUAL(fake->status, 503);
    CU_ASSERT_EQUAL(fake->stores_len, 0);
    fake_sip_free(fake);
}

static void answers_nobody_waits_for_do_nothing(void)
{
    FakeSip *fake = with_users();
    g_autofree char *nonce = fresh_nonce(fake);
    PealAnswer stray = {.token = 4, .status = 0};

    CU_ASSERT_TRUE(auth_on_answer(&fake->peer, &stray));
    stray.token = 5; /* the proxy's */
    CU_ASSERT_FALSE(auth_on_answer(&fake->peer, &stray));
    CU_ASSERT_EQUAL(attempt(fake, nonce, &(Phone){0}), 200);
    fake->status = 0;
    stray.token = fake->asks[0].token; /* once more */
    CU_ASSERT_TRUE(auth_on_answer(&fake->peer, &stray));
    CU_ASSERT_EQUAL(fake->status, 0);
    fake_sip_free(fake);
}

static void what_is_asked_for_is_given_back_at_the_end(void)
{
    FakeSip *fake = with_users();
    g_autofree char *nonce = fresh_nonce(fake);
    g_autofree char *line = credentials(nonce, &(Phone){0});
    g_autofree char *headers = g_strconcat(A, line, NULL);

    for (unsigned i = 0; i < 40; i++) {
        CU_ASSERT_EQUAL(fake_register(fake, headers), 0);
    }
    for (size_t i = 1; i < 40; i += 2) {
        answer(fake, i, -PEAL_E_TIMEOUT, NULL);
    }
    fake_sip_free(fake);
}

static void first_fitting_credentials_of_several_count(void)
{
    FakeSip *fake = with_users();
    g_autofree char *nonce = fresh_nonce(fake);
    g_autofree char *other = credentials(nonce, &(Phone){.realm = "example.net"});
    g_autofree char *unknown = credentials(nonce, &(Phone){.algorithm = "SHA-512-256"});
    g_autofree char *good = credentials(nonce, &(Phone){0});
    g_autofree char *headers =
        g_strconcat(A, "Authorization: Basic YTpi\r\n", other, unknown, good, NULL);

    CU_ASSERT_EQUAL(fake_register(fake, headers), 0);
    answer(fake, 0, 0, "secret");
    CU_ASSERT_EQUAL(fake->status, 200);
    fake_sip_free(fake);
}

PEAL_TEST_MAIN("core/auth", PEAL_TEST(row_5_challenges_come_in_the_configured_order),
               PEAL_TEST(row_5_right_password_registers),
               PEAL_TEST(row_5_wrong_is_challenged_again),
               PEAL_TEST(row_5_stale_nonce_is_said_to_be_stale), PEAL_TEST(row_5_nc_must_grow),
               PEAL_TEST(row_5_nonce_without_qop_is_good_once),
               PEAL_TEST(row_5_replay_while_the_password_is_asked_for_is_refused),
               PEAL_TEST(row_5_forgotten_nonces_are_stale),
               PEAL_TEST(row_5_nonce_of_before_a_restart_is_stale),
               PEAL_TEST(row_6_another_ones_aor_is_403),
               PEAL_TEST(row_6_own_aor_may_be_written_with_escapes),
               PEAL_TEST(row_6_unknown_user_looks_like_a_wrong_password),
               PEAL_TEST(nobody_to_ask_is_503), PEAL_TEST(answers_nobody_waits_for_do_nothing),
               PEAL_TEST(what_is_asked_for_is_given_back_at_the_end),
               PEAL_TEST(first_fitting_credentials_of_several_count))
