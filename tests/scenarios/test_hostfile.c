/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_hostfile.c - measured networks are read as their publishers write them, holes are found. */
#include "network/hostfile.h"
#include "peal_test.h"

static HostFile *parse(const char *text, bool matrix, GError **error)
{
    return hostfile_parse("rtt.txt", text, strlen(text), matrix, error);
}

static void refused(const char *text, bool matrix, const char *place, const char *word)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HostFile) file = parse(text, matrix, &error);

    CU_ASSERT_PTR_NULL(file);
    if (error == NULL) {
        CU_FAIL("there is no error");
        return;
    }
    CU_ASSERT_TRUE(g_error_matches(error, SCENARIO_ERROR, SCENARIO_ERROR_NETWORK));
    if (strstr(error->message, place) == NULL || strstr(error->message, word) == NULL) {
        printf("# no '%s' or no '%s' in: %s\n", place, word, error->message);
        CU_FAIL("the message lacks a word");
    }
}

static void matrix_is_halved_to_one_way(void)
{
    g_autoptr(HostFile) file = parse("0.000 10.5 \n  21 0.000\n\n", true, NULL);

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(file->hosts, 2);
    CU_ASSERT_EQUAL(file->one_way_us[0], 0);
    CU_ASSERT_EQUAL(file->one_way_us[1], 5250);
    CU_ASSERT_EQUAL(file->one_way_us[2], 10500);
}

static void matrix_may_have_names_comments_and_tabs(void)
{
    g_autoptr(HostFile) file = parse("# clouds\n"
                                     "region\teu west\tus-1\n"
                                     "eu west\t1\t80.5\r\n"
                                     "us-1\t90\t2e0\r\n",
                                     true, NULL);

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(file->hosts, 2);
    CU_ASSERT_EQUAL(file->one_way_us[0], 500);
    CU_ASSERT_EQUAL(file->one_way_us[1], 40250);
    CU_ASSERT_EQUAL(file->one_way_us[2], 45000);
    CU_ASSERT_EQUAL(file->one_way_us[3], 1000);
}

static void matrix_with_a_hole_is_refused_by_its_place(void)
{
    refused("0 1 2\n1 0\n2 3 0\n", true, "rtt.txt:2:4:", "hole");
    refused("0 1 2\n1 nan 3\n2 3 0\n", true, "rtt.txt:2:3:", "'nan'");
    refused("0 1 2\n1 - 3\n2 3 0\n", true, "rtt.txt:2:3:", "'-'");
    refused("0 1 2\n1 0 -3\n2 3 0\n", true, "rtt.txt:2:5:", "'-3'");
    refused("0 1 2\n1 0 inf\n2 3 0\n", true, "rtt.txt:2:5:", "'inf'");
    refused("0 1 2\n1 0 1e999\n2 3 0\n", true, "rtt.txt:2:5:", "1e999");
    refused("0 1 2\n1 0 99999999\n2 3 0\n", true, "rtt.txt:2:5:", "99999999");
    refused("0\t1\t2\n1\t\t3\n2\t3\t0\n", true, "rtt.txt:2:3:", "host 2 to host 2");
}

static void matrix_that_is_no_square_is_refused(void)
{
    refused("0 1 2\n1 0 3\n", true, "rtt.txt:2:1:", "only 2 rows");
    refused("0 1\n1 0\n2 3\n", true, "rtt.txt:3:1:", "more than 2 rows");
    refused("0 1\n1 0 5\n", true, "rtt.txt:2:5:", "more than 2 values");
    refused("0\n", true, "rtt.txt:1:1:", "2 to 8192 hosts");
    refused("", true, "rtt.txt:1:1:", "empty");
    refused("# nothing\n\n", true, "rtt.txt:1:1:", "empty");
    refused("a b c\n", true, "rtt.txt:1:1:", "no rows");
    refused("region one two\n\n\n\n", true, "rtt.txt:", "no rows");
    refused("0 1 2 3 4 5 6 7 8 9\n", true, "rtt.txt:1:1:", "too short");
}

static void coordinates_are_two_numbers_a_line(void)
{
    g_autoptr(HostFile) file = parse("16.5\t-12.25\n# x\n\n-23 67\n", false, NULL);

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(file->hosts, 2);
    CU_ASSERT_EQUAL(file->xy_us[0], 16500.f);
    CU_ASSERT_EQUAL(file->xy_us[1], -12250.f);
    CU_ASSERT_EQUAL(file->xy_us[3], 67000.f);
    refused("1 2\n3\n", false, "rtt.txt:2:2:", "no coordinate");
    refused("1 2 3\n", false, "rtt.txt:1:", "more than two");
    refused("1 nan\n", false, "rtt.txt:1:3:", "'nan'");
    refused("1 1e9\n", false, "rtt.txt:1:3:", "'1e9'");
    refused("", false, "rtt.txt:1:1:", "empty");
}

static void hostfile_refuses_binary_and_missing_files(void)
{
    g_autoptr(GError) binary = NULL;
    g_autoptr(GError) missing = NULL;
    g_autoptr(GError) device = NULL;

    CU_ASSERT_PTR_NULL(hostfile_parse("rtt.txt", "1 2\0 3", 6, true, &binary));
    CU_ASSERT_TRUE(g_error_matches(binary, SCENARIO_ERROR, SCENARIO_ERROR_NETWORK));
    CU_ASSERT_PTR_NULL(hostfile_load("/nonexistent", true, &missing));
    CU_ASSERT_PTR_NOT_NULL(strstr(missing->message, "/nonexistent"));
    CU_ASSERT_PTR_NULL(hostfile_load("/dev/zero", true, &device));
    CU_ASSERT_TRUE(g_error_matches(device, SCENARIO_ERROR, SCENARIO_ERROR_NETWORK));
}

PEAL_TEST_MAIN("scenarios/hostfile", PEAL_TEST(matrix_is_halved_to_one_way),
               PEAL_TEST(matrix_may_have_names_comments_and_tabs),
               PEAL_TEST(matrix_with_a_hole_is_refused_by_its_place),
               PEAL_TEST(matrix_that_is_no_square_is_refused),
               PEAL_TEST(coordinates_are_two_numbers_a_line),
               PEAL_TEST(hostfile_refuses_binary_and_missing_files))
