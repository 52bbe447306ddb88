/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_view.c - messages in their frames are read, sent elsewhere and made others of. */
#include <peal/message.h>

#include "peal_test.h"
#include "plain_env.h"
#include "reload/codec.h"
#include "reload/frame.h"
#include "reload/wire.h"
#include "security/security.h"

enum { FRAME_MAX = 4096, TRANSACTION = 0x1234 };

static const PealId KEY = {{0x42}};
static const PealId ASKER = {{0x11}};
static const PealId SELF = {{0x77}};

static PealOverlay overlay_of(PealCrypto crypto)
{
    PealOverlay overlay;

    peal_overlay_defaults(&overlay);
    overlay.crypto = crypto;
    return overlay;
}

/* A Fetch for KEY that ASKER made and another has passed on. */
static size_t write_fetch(const PealOverlay *overlay, uint8_t *frame)
{
    uint8_t via[2 * RELOAD_NODE_ENTRY_LEN];
    uint8_t dest[RELOAD_RESOURCE_ENTRY_LEN];
    uint8_t identity[SECURITY_IDENTITY_LEN];
    Writer via_writer = writer_make(via, sizeof(via));
    Writer dest_writer = writer_make(dest, sizeof(dest));
    Writer writer = writer_make(frame + RELOAD_DATA_FRAME_LEN, FRAME_MAX - RELOAD_DATA_FRAME_LEN);
    ReloadHeader header = {.ttl = 98, .transaction = TRANSACTION};
    ReloadSecurity security = security_fill(overlay->crypto, &ASKER, identity);
    ReloadFetchReq fetch = {.resource = {KEY.bytes, PEAL_ID_LEN}};
    ReloadDraft draft;

    put_dest_node(&via_writer, &ASKER);
    put_dest_node(&via_writer, &PEAL_ID_WILDCARD);
    put_dest_resource(&dest_writer, &KEY);
    header.via = writer_view(&via_writer);
    header.dest = writer_view(&dest_writer);
    draft = reload_message_begin(&writer, &header, PEAL_MESSAGE_FETCH_REQ);
    put_fetch_req(&writer, &fetch);
    (void)reload_message_contents(&writer, &draft, (PealBytes){NULL, 0});
    reload_message_security(&writer, &draft, &security);
    CU_ASSERT_FALSE_FATAL(writer.overflow);
    frame_write_data(frame, 7, (uint32_t)writer.len);
    return RELOAD_DATA_FRAME_LEN + writer.len;
}

static PealBytes bytes_of(const PealBuf *buf)
{
    return (PealBytes){buf->data, buf->len};
}

static void a_message_says_who_asks_whom(void)
{
    PealOverlay overlay = overlay_of(PEAL_CRYPTO_NONE);
    uint8_t frame[FRAME_MAX];
    size_t len = write_fetch(&overlay, frame);
    PealMessage message;

    CU_ASSERT_EQUAL_FATAL(peal_message_read(&overlay, (PealBytes){frame, len}, &message), 0);
    CU_ASSERT_EQUAL(message.code, PEAL_MESSAGE_FETCH_REQ);
    CU_ASSERT_EQUAL(message.ttl, 98);
    CU_ASSERT_TRUE(message.request);
    CU_ASSERT_TRUE(message.to_resource);
    CU_ASSERT_EQUAL(message.transaction, TRANSACTION);
    CU_ASSERT_TRUE(peal_id_equal(&message.to, &KEY));
    CU_ASSERT_TRUE(peal_id_equal(&message.next, &KEY));
    CU_ASSERT_TRUE(peal_id_equal(&message.first, &ASKER));
    CU_ASSERT_TRUE(peal_id_equal(&message.signer, &ASKER));
}

static void no_cut_message_is_read_or_changed(void)
{
    PealOverlay overlay = overlay_of(PEAL_CRYPTO_NONE);
    uint8_t frame[FRAME_MAX];
    size_t len = write_fetch(&overlay, frame);
    PlainEnv env;
    PealMessage message;

    plain_env_init(&env);
    for (size_t cut = 0; cut < len; cut++) {
        PealBuf *buf = plain_buffer(&env, frame, cut, 64);

        CU_ASSERT_NOT_EQUAL(peal_message_read(&overlay, bytes_of(buf), &message), 0);
        CU_ASSERT_NOT_EQUAL(peal_message_spoil(buf), 0);
        CU_ASSERT_NOT_EQUAL(peal_message_detour(buf, &SELF, 1), 0);
        CU_ASSERT_NOT_EQUAL(peal_message_divert(buf, &SELF), 0);
        CU_ASSERT_EQUAL(memcmp(buf->data, frame, cut), 0);
        env.env.ops->drop(&env.env, buf);
    }
    CU_ASSERT_TRUE(plain_env_clean(&env));
}

static void a_detour_comes_before_the_destination(void)
{
    PealOverlay overlay = overlay_of(PEAL_CRYPTO_NONE);
    const PealId nodes[2] = {{{0x55}}, SELF};
    uint8_t frame[FRAME_MAX];
    size_t len = write_fetch(&overlay, frame);
    PealMessage message;
    PealBuf *tight;
    PealBuf *buf;
    PlainEnv env;

    plain_env_init(&env);
    tight = plain_buffer(&env, frame, len, 35);
    buf = plain_buffer(&env, frame, len, 36);
    CU_ASSERT_EQUAL(peal_message_detour(tight, nodes, 2), -PEAL_E_FULL);
    CU_ASSERT_EQUAL(peal_message_detour(buf, nodes, 2), 0);
    CU_ASSERT_EQUAL(buf->len, len + 36);
    CU_ASSERT_EQUAL_FATAL(peal_message_read(&overlay, bytes_of(buf), &message), 0);
    CU_ASSERT_TRUE(peal_id_equal(&message.next, &nodes[0]));
    CU_ASSERT_TRUE(peal_id_equal(&message.to, &KEY));
    CU_ASSERT_TRUE(message.to_resource);
    env.env.ops->drop(&env.env, tight);
    env.env.ops->drop(&env.env, buf);
    CU_ASSERT_TRUE(plain_env_clean(&env));
}

static void a_diverted_message_has_one_destination(void)
{
    PealOverlay overlay = overlay_of(PEAL_CRYPTO_NONE);
    uint8_t frame[FRAME_MAX];
    size_t len = write_fetch(&overlay, frame);
    PealMessage message;
    PealBuf *buf;
    PlainEnv env;

    plain_env_init(&env);
    buf = plain_buffer(&env, frame, len, 0);
    CU_ASSERT_EQUAL(peal_message_divert(buf, &SELF), 0);
    CU_ASSERT_EQUAL(buf->len, len - 1);
    CU_ASSERT_EQUAL_FATAL(peal_message_read(&overlay, bytes_of(buf), &message), 0);
    CU_ASSERT_TRUE(peal_id_equal(&message.to, &SELF));
    CU_ASSERT_FALSE(message.to_resource);
    CU_ASSERT_TRUE(peal_id_equal(&message.first, &ASKER));
    CU_ASSERT_EQUAL(peal_message_spoil(buf), 0);
    CU_ASSERT_NOT_EQUAL(peal_message_read(&overlay, bytes_of(buf), &message), 0);
    env.env.ops->drop(&env.env, buf);
}

/* The same way, transaction and link sequence; another code, body and signer. */
static void rewrite_in(PealCrypto crypto)
{
    PealOverlay overlay = overlay_of(crypto);
    uint8_t body[PEAL_MESSAGE_FOUND_MAX];
    uint8_t frame[FRAME_MAX];
    size_t len;
    PealMessage message;
    ReloadFetchAns answer;
    ReloadKindData kind;
    ReloadStored stored;
    PlainEnv env;
    PealBuf *buf;
    PealBuf *made;
    Frame parsed;
    PealId signer;

    plain_env_init(&env);
    len = write_fetch(&overlay, frame);
    buf = plain_buffer(&env, frame, len, 0);
    buf->serial = 99;
    buf->attempt = 2;
    CU_ASSERT_EQUAL_FATAL(peal_message_read(&overlay, bytes_of(buf), &message), 0);
    message.code = PEAL_MESSAGE_FETCH_ANS;
    message.signer = SELF;
    message.body.len = peal_message_put_found(&overlay, &SELF, 1000, body, sizeof(body));
    message.body.ptr = body;
    made = peal_message_rewrite(&env.env, &overlay, buf, &message);
    CU_ASSERT_PTR_NOT_NULL_FATAL(made);
    CU_ASSERT_EQUAL(made->serial, 99);
    CU_ASSERT_EQUAL(made->attempt, 2);
    CU_ASSERT_EQUAL_FATAL(frame_parse_datagram(made->data, made->len, FRAME_MAX * 4, &parsed), 0);
    CU_ASSERT_EQUAL(parsed.sequence, 7);
    CU_ASSERT_EQUAL_FATAL(peal_message_read(&overlay, bytes_of(made), &message), 0);
    CU_ASSERT_EQUAL(message.code, PEAL_MESSAGE_FETCH_ANS);
    CU_ASSERT_EQUAL(message.transaction, TRANSACTION);
    CU_ASSERT_TRUE(peal_id_equal(&message.signer, &SELF));
    CU_ASSERT_EQUAL_FATAL(reload_fetch_ans_decode(message.body, &answer), 0);
    CU_ASSERT_TRUE_FATAL(reload_kind_data_next(&answer.kinds, &kind));
    CU_ASSERT_EQUAL(reload_stored_check(kind.values, PEAL_MODEL_DICTIONARY), 0);
    CU_ASSERT_TRUE_FATAL(reload_stored_next(&kind.values, PEAL_MODEL_DICTIONARY, &stored));
    CU_ASSERT_EQUAL(memcmp(stored.key.ptr, SELF.bytes, PEAL_ID_LEN), 0);
    CU_ASSERT_EQUAL(security_signer(crypto, &stored.signature, &signer), 0);
    env.env.ops->drop(&env.env, buf);
    env.env.ops->drop(&env.env, made);
    CU_ASSERT_TRUE(plain_env_clean(&env));
}

static void a_message_can_be_made_another(void)
{
    rewrite_in(PEAL_CRYPTO_NONE);
    rewrite_in(PEAL_CRYPTO_MODELLED_P256);
    rewrite_in(PEAL_CRYPTO_MODELLED_RSA2048);
}

static void bodies_fit_or_are_not_written(void)
{
    PealOverlay overlay = overlay_of(PEAL_CRYPTO_NONE);
    PealId many[2 * PEAL_NEIGHBOURS_MAX];
    uint8_t body[PEAL_MESSAGE_UPDATE_MAX];
    ChordUpdate update;
    size_t len;

    memset(many, 1, sizeof(many));
    CU_ASSERT_EQUAL(peal_message_put_found(&overlay, NULL, 0, body, 5), 0);
    CU_ASSERT(peal_message_put_found(&overlay, NULL, 0, body, sizeof(body)) > 0);
    len = peal_message_put_update(NULL, 0, NULL, 0, body, sizeof(body));
    CU_ASSERT_EQUAL_FATAL(reload_chord_update_decode((PealBytes){body, len}, &update), 0);
    CU_ASSERT_EQUAL(update.type, CHORD_UPDATE_PEER_READY);
    len = peal_message_put_update(many, 3, many + 3, 2, body, sizeof(body));
    CU_ASSERT_EQUAL_FATAL(reload_chord_update_decode((PealBytes){body, len}, &update), 0);
    CU_ASSERT_EQUAL(update.predecessors.len, 3 * PEAL_ID_LEN);
    CU_ASSERT_EQUAL(update.successors.len, 2 * PEAL_ID_LEN);
    CU_ASSERT_EQUAL(peal_message_put_update(many, 33, many, 32, body, sizeof(body)), 0);
}

PEAL_TEST_MAIN("core/view", PEAL_TEST(a_message_says_who_asks_whom),
               PEAL_TEST(no_cut_message_is_read_or_changed),
               PEAL_TEST(a_detour_comes_before_the_destination),
               PEAL_TEST(a_diverted_message_has_one_destination),
               PEAL_TEST(a_message_can_be_made_another), PEAL_TEST(bodies_fit_or_are_not_written))
