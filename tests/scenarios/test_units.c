/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_units.c - quantities are read exactly, and refused with a reason. */
#include "peal_test.h"
#include "units.h"

static void units_span_reads_every_unit_exactly(void)
{
    static const struct {
        const char *text;
        int64_t ns;
    } good[] = {
        {"0s", 0},
        {"7ns", 7},
        {"3us", 3000},
        {"50ms", 50 * PEAL_NS_PER_MS},
        {"2.5s", 2500 * PEAL_NS_PER_MS},
        {"0.001us", 1},
        {"10min", 600 * PEAL_NS_PER_S},
        {"1h", 3600 * PEAL_NS_PER_S},
        {"1.5 h", 5400 * PEAL_NS_PER_S},
        {"1d", 86400 * PEAL_NS_PER_S},
        /* A double holds neither of these. */
        {"9007199.254740993s", INT64_C(9007199254740993)},
        {"0.1s", 100 * PEAL_NS_PER_MS},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        PealSpan span = {-1};

        CU_ASSERT_TRUE(units_span(good[i].text, &span, NULL));
        CU_ASSERT_EQUAL(span.ns, good[i].ns);
    }
}

static void units_span_refuses_what_is_no_time(void)
{
    static const char *const bad[] = {
        "",      "5",      "ms",   "-5ms",  "5 parsecs", "5msx",       "1.2.3s",
        "5.s",   ".5s",    "1e3s", "0.5ns", "5MS",       "300000000d", "1234567890123456789ns",
        "nan s", "0x10ms", " 5ms",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        PealSpan span = {-1};
        g_autoptr(GError) error = NULL;

        CU_ASSERT_FALSE(units_span(bad[i], &span, &error));
        CU_ASSERT_EQUAL(span.ns, -1);
        CU_ASSERT_TRUE(g_error_matches(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE));
    }
}

static void units_span_error_names_the_missing_unit(void)
{
    g_autoptr(GError) error = NULL;
    PealSpan span;

    CU_ASSERT_FALSE(units_span("50", &span, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "lacks its unit"));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "50ms"));
}

static void units_ppm_takes_percentages_only(void)
{
    uint32_t ppm = 1;

    CU_ASSERT_TRUE(units_ppm("0%", &ppm, NULL));
    CU_ASSERT_EQUAL(ppm, 0);
    CU_ASSERT_TRUE(units_ppm("0.5%", &ppm, NULL));
    CU_ASSERT_EQUAL(ppm, 5000);
    CU_ASSERT_TRUE(units_ppm("100%", &ppm, NULL));
    CU_ASSERT_EQUAL(ppm, SCENARIO_PPM);
    CU_ASSERT_TRUE(units_ppm("0.0001 %", &ppm, NULL));
    CU_ASSERT_EQUAL(ppm, 1);
    CU_ASSERT_FALSE(units_ppm("0.00001%", &ppm, NULL));
    CU_ASSERT_FALSE(units_ppm("100.0001%", &ppm, NULL));
    CU_ASSERT_FALSE(units_ppm("0.5", &ppm, NULL));
    CU_ASSERT_FALSE(units_ppm("-1%", &ppm, NULL));
    CU_ASSERT_EQUAL(ppm, 1);
}

static void units_count_milli_and_bit_rate(void)
{
    uint64_t value = 0;

    CU_ASSERT_TRUE(units_count("1000", &value, NULL));
    CU_ASSERT_EQUAL(value, 1000);
    CU_ASSERT_FALSE(units_count("1000.0", &value, NULL));
    CU_ASSERT_FALSE(units_count("1k", &value, NULL));
    CU_ASSERT_FALSE(units_count("99999999999999999999", &value, NULL));
    CU_ASSERT_TRUE(units_milli("0.25", &value, NULL));
    CU_ASSERT_EQUAL(value, 250);
    CU_ASSERT_FALSE(units_milli("0.0001", &value, NULL));
    CU_ASSERT_TRUE(units_bit_rate("64kbit/s", &value, NULL));
    CU_ASSERT_EQUAL(value, 64000);
    CU_ASSERT_TRUE(units_bit_rate("1.5Mbit/s", &value, NULL));
    CU_ASSERT_EQUAL(value, 1500000);
    CU_ASSERT_FALSE(units_bit_rate("64kB/s", &value, NULL));
}

static void units_texts_read_back(void)
{
    static const char *const spans[] = {"0s", "7ns", "1500us", "50ms", "90s", "10min", "36h", "2d"};
    static const char *const fractions[] = {"20%", "0.5%", "0.0001%", "12.34%", "100%"};

    for (size_t i = 0; i < G_N_ELEMENTS(spans); i++) {
        PealSpan span;

        CU_ASSERT_TRUE_FATAL(units_span(spans[i], &span, NULL));
        g_autofree char *text = units_span_text(span);

        CU_ASSERT_STRING_EQUAL(text, spans[i]);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(fractions); i++) {
        uint32_t ppm;

        CU_ASSERT_TRUE_FATAL(units_ppm(fractions[i], &ppm, NULL));
        g_autofree char *text = units_ppm_text(ppm);

        CU_ASSERT_STRING_EQUAL(text, fractions[i]);
    }
}

PEAL_TEST_MAIN("scenarios/units", PEAL_TEST(units_span_reads_every_unit_exactly),
               PEAL_TEST(units_span_refuses_what_is_no_time),
               PEAL_TEST(units_span_error_names_the_missing_unit),
               PEAL_TEST(units_ppm_takes_percentages_only),
               PEAL_TEST(units_count_milli_and_bit_rate), PEAL_TEST(units_texts_read_back))
