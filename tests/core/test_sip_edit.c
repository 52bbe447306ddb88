/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_sip_edit.c - what a proxy changes changes, and every other byte stays as it came. */
#include "core/sip_torture.h"
#include "peal_test.h"
#include "sip/edit.h"

static const char request[] = "INVITE sip:bob@p2p.test SIP/2.0\r\n"
                              "v:SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1 , SIP/2.0/UDP 192.0.2.2\r\n"
                              "Route : <sip:a;lr> ,\r\n <sip:b;lr>,<sip:c;lr>\r\n"
                              "Route: <sip:d;lr>\r\n"
                              "Max-Forwards:  070\r\n"
                              "X-Odd  :  ,;, kept  \r\n"
                              "Content-Length: 4\r\n"
                              "\r\n"
                              "a\nb\r";

/* The request with what `edit` says, compared with what it should be. */
static bool gives(const SipEdit *edit, const char *expected)
{
    uint8_t bytes[1024];
    size_t len = 0;

    return sip_edit_write(edit, bytes, sizeof(bytes), &len) == 0 && len == sip_edit_len(edit) &&
           sip_equal((PealStr){(const char *)bytes, len}, sip_str(expected));
}

static void begin(SipMessage *message, SipEdit *edit)
{
    CU_ASSERT_EQUAL_FATAL(sip_message_scan(sip_str(request), true, message), 0);
    sip_edit_init(edit, message);
}

static void without_a_splice_every_byte_stays(void)
{
    SipMessage message;
    SipEdit edit;

    begin(&message, &edit);
    CU_ASSERT_TRUE(gives(&edit, request));
}

/* What a proxy does on the way: Request-URI, Via on top, Record-Route, Max-Forwards, Route. */
static void a_forwarded_request_differs_only_in_its_splices(void)
{
    SipMessage message;
    SipEdit edit;
    SipCursor route = {0};
    const SipField *hops;

    begin(&message, &edit);
    hops = &message.fields[message.first[SIP_H_MAX_FORWARDS]];
    sip_edit_replace(&edit, hops->value, hops->end, sip_str("69"));
    sip_edit_insert(&edit, message.fields_at, sip_str("Via: SIP/2.0/UDP me\r\n"));
    sip_edit_insert(&edit, message.fields_at, sip_str("Record-Route: <sip:me;lr>\r\n"));
    sip_edit_replace(&edit, (size_t)(message.uri.ptr - message.bytes.ptr),
                     (size_t)(message.uri.ptr - message.bytes.ptr) + message.uri.len,
                     sip_str("sip:bob@192.0.2.9:5070"));
    CU_ASSERT_TRUE(sip_next(&message, SIP_H_ROUTE, &route));
    sip_edit_remove_element(&edit, &route);
    CU_ASSERT_TRUE(gives(&edit,
                         "INVITE sip:bob@192.0.2.9:5070 SIP/2.0\r\n"
                         "Via: SIP/2.0/UDP me\r\n"
                         "Record-Route: <sip:me;lr>\r\n"
                         "v:SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1 , SIP/2.0/UDP 192.0.2.2\r\n"
                         "Route : <sip:b;lr>,<sip:c;lr>\r\n"
                         "Route: <sip:d;lr>\r\n"
                         "Max-Forwards:  69\r\n"
                         "X-Odd  :  ,;, kept  \r\n"
                         "Content-Length: 4\r\n"
                         "\r\n"
                         "a\nb\r"));
}

/* Removes the elements of Route whose bits are set, in the given order, and gives what is left. */
static void remove_routes(const int *order, size_t order_len, const char *expected)
{
    SipMessage message;
    SipEdit edit;
    SipCursor routes[4];
    SipCursor at = {0};
    uint8_t bytes[1024];
    size_t len = 0;

    begin(&message, &edit);
    for (size_t i = 0; i < 4; i++) {
        CU_ASSERT_TRUE(sip_next(&message, SIP_H_ROUTE, &at));
        routes[i] = at;
    }
    CU_ASSERT_FALSE(sip_next(&message, SIP_H_ROUTE, &at));
    for (size_t i = 0; i < order_len; i++) {
        sip_edit_remove_element(&edit, &routes[order[i]]);
    }
    CU_ASSERT_EQUAL(sip_edit_write(&edit, bytes, sizeof(bytes), &len), 0);
    const char *from = strstr((const char *)bytes, "192.0.2.2\r\n") + 11;
    const char *upto = strstr((const char *)bytes, "Max-Forwards");

    CU_ASSERT_TRUE(sip_equal((PealStr){from, (size_t)(upto - from)}, sip_str(expected)));
}

static void elements_leave_from_both_ends_of_a_field(void)
{
    remove_routes((int[]){0, 1}, 2, "Route : <sip:c;lr>\r\nRoute: <sip:d;lr>\r\n");
    remove_routes((int[]){0, 1, 2}, 3, "Route: <sip:d;lr>\r\n");
    remove_routes((int[]){0, 1, 2, 3}, 4, "");
    remove_routes((int[]){2}, 1, "Route : <sip:a;lr> ,\r\n <sip:b;lr>\r\nRoute: <sip:d;lr>\r\n");
    remove_routes((int[]){2, 1}, 2, "Route : <sip:a;lr>\r\nRoute: <sip:d;lr>\r\n");
    remove_routes((int[]){2, 1, 0}, 3, "Route: <sip:d;lr>\r\n");
    remove_routes((int[]){0, 2}, 2, "Route : <sip:b;lr>\r\nRoute: <sip:d;lr>\r\n");
    remove_routes((int[]){2, 0, 1}, 3, "Route: <sip:d;lr>\r\n");
    remove_routes((int[]){1, 2}, 2, "Route : <sip:a;lr>\r\nRoute: <sip:d;lr>\r\n");
    remove_routes((int[]){1, 0}, 2, "Route : <sip:c;lr>\r\nRoute: <sip:d;lr>\r\n");
    remove_routes((int[]){1, 2, 0}, 3, "Route: <sip:d;lr>\r\n");
    remove_routes((int[]){1}, 1, "Route : <sip:a;lr> ,\r\n <sip:c;lr>\r\nRoute: <sip:d;lr>\r\n");
    remove_routes((int[]){3}, 1, "Route : <sip:a;lr> ,\r\n <sip:b;lr>,<sip:c;lr>\r\n");
}

static void an_element_before_a_comma_that_ends_its_field_leaves_the_line_end(void)
{
    SipMessage message;
    SipEdit edit;
    SipCursor route = {0};

    CU_ASSERT_EQUAL(sip_message_scan(sip_str("BYE sip:a SIP/2.0\r\nRoute: <sip:b>, \r\n\r\n"), true,
                                     &message),
                    0);
    sip_edit_init(&edit, &message);
    CU_ASSERT_TRUE(sip_next(&message, SIP_H_ROUTE, &route));
    sip_edit_remove_element(&edit, &route);
    CU_ASSERT_TRUE(gives(&edit, "BYE sip:a SIP/2.0\r\nRoute:  \r\n\r\n"));
}

static void the_topmost_via_leaves_a_response(void)
{
    static const char text[] = "SIP/2.0 200 OK\r\n"
                               "Via: SIP/2.0/UDP me\r\n"
                               "Via: SIP/2.0/UDP 192.0.2.1\r\n\r\n";
    SipMessage message;
    SipEdit edit;
    SipCursor via = {0};

    CU_ASSERT_EQUAL(sip_message_scan(sip_str(text), true, &message), 0);
    sip_edit_init(&edit, &message);
    CU_ASSERT_TRUE(sip_next(&message, SIP_H_VIA, &via));
    sip_edit_remove_element(&edit, &via);
    CU_ASSERT_TRUE(gives(&edit, "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n\r\n"));
    CU_ASSERT_EQUAL(sip_message_scan(sip_str(request), true, &message), 0);
    sip_edit_init(&edit, &message);
    sip_edit_remove_field(&edit, 1);
    sip_edit_remove_field(&edit, 2);
    CU_ASSERT_EQUAL(sip_edit_len(&edit),
                    sizeof(request) - sizeof("Route : <sip:a;lr> ,\r\n <sip:b;lr>,<sip:c;lr>\r\n"
                                             "Route: <sip:d;lr>\r\n"));
}

static void splices_at_one_place_keep_their_order(void)
{
    SipMessage message;
    SipEdit edit;
    uint8_t bytes[1024];
    size_t len;

    begin(&message, &edit);
    sip_edit_replace(&edit, 5, 8, sip_str("C"));
    sip_edit_insert(&edit, 5, sip_str("A"));
    sip_edit_insert(&edit, 5, sip_str("B"));
    sip_edit_insert(&edit, 8, sip_str("D"));
    CU_ASSERT_EQUAL(sip_edit_write(&edit, bytes, sizeof(bytes), &len), 0);
    CU_ASSERT_EQUAL(len, sizeof(request) - 1 + 1);
    CU_ASSERT_EQUAL(memcmp(bytes, "INVITCABDip:bob", 15), 0);
}

static void what_does_not_fit_is_refused(void)
{
    SipMessage message;
    SipEdit edit;
    uint8_t bytes[1024];
    size_t len;

    begin(&message, &edit);
    CU_ASSERT_EQUAL(sip_edit_write(&edit, bytes, sizeof(request) - 2, &len), -PEAL_E_FULL);
    CU_ASSERT_EQUAL(sip_edit_write(&edit, bytes, sizeof(request) - 1, &len), 0);
    sip_edit_replace(&edit, 10, 20, sip_str("x"));
    sip_edit_replace(&edit, 19, 21, sip_str("y"));
    CU_ASSERT_TRUE(edit.overflow);
    CU_ASSERT_EQUAL(sip_edit_write(&edit, bytes, sizeof(bytes), &len), -PEAL_E_FULL);
    sip_edit_init(&edit, &message);
    sip_edit_replace(&edit, 10, 20, sip_str("x"));
    sip_edit_insert(&edit, 15, sip_str("y"));
    CU_ASSERT_TRUE(edit.overflow);
    sip_edit_init(&edit, &message);
    for (int i = 0; i < SIP_SPLICES_MAX; i++) {
        sip_edit_insert(&edit, 0, sip_str("x"));
    }
    CU_ASSERT_FALSE(edit.overflow);
    sip_edit_insert(&edit, 0, sip_str("x"));
    CU_ASSERT_TRUE(edit.overflow);
    sip_edit_init(&edit, &message);
    sip_edit_replace(&edit, 0, sizeof(request), sip_str(""));
    CU_ASSERT_TRUE(edit.overflow);
}

/* One of each: undoing the splices of a forwarded message gives back what came. */
static void torture_messages_are_forwarded_byte_for_byte(void)
{
    static char came[SIP_TORTURE_MAX];
    static uint8_t went[2 * SIP_TORTURE_MAX];
    static const char added[] = "Via: SIP/2.0/UDP me\r\n";

    for (size_t i = 0; i < SIP_TORTURE_LEN; i++) {
        size_t came_len = sip_torture_load(&sip_torture[i], came, sizeof(came));
        SipMessage message;
        SipEdit edit;
        size_t len = 0;

        if (came_len == 0) {
            PEAL_SKIP("needs ../shared/data/sip-torture");
        }
        if (sip_message_scan((PealStr){came, came_len}, true, &message) != 0) {
            continue;
        }
        sip_edit_init(&edit, &message);
        CU_ASSERT_EQUAL(sip_edit_write(&edit, went, sizeof(went), &len), 0);
        CU_ASSERT_TRUE(sip_equal((PealStr){(const char *)went, len}, message.bytes));
        sip_edit_insert(&edit, message.fields_at, sip_str(added));
        CU_ASSERT_EQUAL(sip_edit_write(&edit, went, sizeof(went), &len), 0);
        CU_ASSERT_EQUAL(len, message.bytes.len + sizeof(added) - 1);
        CU_ASSERT_EQUAL(memcmp(went, came, message.fields_at), 0);
        CU_ASSERT_EQUAL(memcmp(went + message.fields_at, added, sizeof(added) - 1), 0);
        CU_ASSERT_EQUAL(memcmp(went + message.fields_at + sizeof(added) - 1,
                               came + message.fields_at, message.bytes.len - message.fields_at),
                        0);
        /* the next hop's answer takes it off again */
        SipMessage next;
        SipCursor via = {0};
        static uint8_t back[2 * SIP_TORTURE_MAX];

        CU_ASSERT_EQUAL(sip_message_scan((PealStr){(const char *)went, len}, true, &next), 0);
        CU_ASSERT_TRUE(sip_next(&next, SIP_H_VIA, &via));
        sip_edit_init(&edit, &next);
        sip_edit_remove_element(&edit, &via);
        CU_ASSERT_EQUAL(sip_edit_write(&edit, back, sizeof(back), &len), 0);
        CU_ASSERT_TRUE(sip_equal((PealStr){(const char *)back, len}, message.bytes));
    }
}

PEAL_TEST_MAIN("core/sip_edit", PEAL_TEST(without_a_splice_every_byte_stays),
               PEAL_TEST(a_forwarded_request_differs_only_in_its_splices),
               PEAL_TEST(elements_leave_from_both_ends_of_a_field),
               PEAL_TEST(an_element_before_a_comma_that_ends_its_field_leaves_the_line_end),
               PEAL_TEST(the_topmost_via_leaves_a_response),
               PEAL_TEST(splices_at_one_place_keep_their_order),
               PEAL_TEST(what_does_not_fit_is_refused),
               PEAL_TEST(torture_messages_are_forwarded_byte_for_byte))
