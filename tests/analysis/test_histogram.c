/*
 * test_histogram.c - bucket layout, error bound, exact moments, merging.
 */
#include <analysis/histogram.h>
#include <math.h>
#include <peal_test.h>

/* A deterministic spread of values over many octaves. */
static uint64_t scattered(uint64_t i)
{
    uint64_t mixed = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);

    return mixed >> (16 + mixed % 44);
}

static void histogram_buckets_tile_the_numbers_without_gap(void)
{
    static const HistogramBits all[] = {HISTOGRAM_COARSE, HISTOGRAM_FINE};

    for (size_t i = 0; i < 2; i++) {
        Histogram *histogram = histogram_new(all[i]);
        HistogramBucket bucket;
        size_t position = 0;
        uint64_t expected = 0;

        for (uint64_t value = 0; value < 20000; value++) {
            histogram_add(histogram, value, 1);
        }
        while (histogram_next(histogram, &position, &bucket)) {
            CU_ASSERT_EQUAL(bucket.low, expected);
            CU_ASSERT(bucket.high >= bucket.low);
            if (bucket.high < 20000) {
                CU_ASSERT_EQUAL(bucket.count, bucket.high - bucket.low + 1);
            }
            expected = bucket.high + 1;
        }
        CU_ASSERT(expected >= 20000);
        histogram_free(histogram);
    }
}

static void histogram_bucket_is_as_narrow_as_promised(void)
{
    for (uint64_t i = 0; i < 20000; i++) {
        Histogram *histogram = histogram_new(HISTOGRAM_FINE);
        uint64_t value = scattered(i);
        HistogramBucket bucket = {0};
        size_t position = 0;

        histogram_add(histogram, value, 1);
        CU_ASSERT_FATAL(histogram_next(histogram, &position, &bucket));
        CU_ASSERT(bucket.low <= value && value <= bucket.high);
        CU_ASSERT((double)(bucket.high - bucket.low) <= (double)value / 64);
        CU_ASSERT_FALSE(histogram_next(histogram, &position, &bucket));
        histogram_free(histogram);
    }
}

static int compare(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

    return one < other ? -1 : one > other;
}

static void histogram_quantiles_are_within_one_percent_of_the_sorted_values(void)
{
    enum { COUNT = 50000 };
    uint64_t *values = calloc(COUNT, sizeof(*values));
    Histogram *histogram = histogram_new(HISTOGRAM_FINE);
    static const double quantiles[] = {0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999};

    for (uint64_t i = 0; i < COUNT; i++) {
        values[i] = scattered(i);
        histogram_add(histogram, values[i], 1);
    }
    qsort(values, COUNT, sizeof(*values), compare);
    for (size_t i = 0; i < sizeof(quantiles) / sizeof(*quantiles); i++) {
        double exact = (double)values[(size_t)ceil(quantiles[i] * COUNT) - 1];
        double estimate = histogram_quantile(histogram, quantiles[i]);

        CU_ASSERT(fabs(estimate - exact) <= 0.01 * exact);
    }
    CU_ASSERT_EQUAL(histogram_min(histogram), values[0]);
    CU_ASSERT_EQUAL(histogram_max(histogram), values[COUNT - 1]);
    CU_ASSERT_EQUAL(histogram_quantile(histogram, 1), (double)values[COUNT - 1]);
    histogram_free(histogram);
    free(values);
}

static void histogram_of_one_constant_gives_the_constant_back(void)
{
    Histogram *histogram = histogram_new(HISTOGRAM_FINE);

    histogram_add(histogram, 350000123, 1000);
    CU_ASSERT_EQUAL(histogram_mean(histogram), 350000123.0);
    CU_ASSERT_EQUAL(histogram_deviation(histogram), 0.0);
    CU_ASSERT_EQUAL(histogram_quantile(histogram, 0.5), 350000123.0);
    CU_ASSERT_EQUAL(histogram_quantile(histogram, 0.99), 350000123.0);
    histogram_free(histogram);
}

static void histogram_small_integers_are_exact(void)
{
    Histogram *histogram = histogram_new(HISTOGRAM_EXACT);

    /* 2, 4, 4, 4, 5, 5, 7, 9: mean 5, squared deviations 32. */
    histogram_add(histogram, 2, 1);
    histogram_add(histogram, 4, 3);
    histogram_add(histogram, 5, 2);
    histogram_add(histogram, 7, 1);
    histogram_add(histogram, 9, 1);
    CU_ASSERT_EQUAL(histogram_count(histogram), 8);
    CU_ASSERT_EQUAL(histogram_mean(histogram), 5.0);
    CU_ASSERT_DOUBLE_EQUAL(histogram_deviation(histogram), sqrt(32.0 / 7), 1e-12);
    CU_ASSERT_EQUAL(histogram_quantile(histogram, 0.5), 4.0);
    CU_ASSERT_EQUAL(histogram_quantile(histogram, 0.51), 5.0);
    CU_ASSERT_EQUAL(histogram_quantile(histogram, 0), 2.0);
    histogram_free(histogram);
}

static void histogram_deviation_survives_a_large_mean(void)
{
    Histogram *histogram = histogram_new(HISTOGRAM_FINE);
    uint64_t base = UINT64_C(100000000000000);

    histogram_add(histogram, base - 1, 1000000);
    histogram_add(histogram, base + 1, 1000000);
    CU_ASSERT_DOUBLE_EQUAL(histogram_deviation(histogram), sqrt(2e6 / (2e6 - 1)), 1e-12);
    histogram_free(histogram);
}

static void histogram_merge_equals_adding_everything_to_one(void)
{
    Histogram *whole = histogram_new(HISTOGRAM_FINE);
    Histogram *parts[2] = {histogram_new(HISTOGRAM_FINE), histogram_new(HISTOGRAM_FINE)};
    HistogramBucket one, other;
    size_t position = 0, other_position = 0;

    for (uint64_t i = 0; i < 5000; i++) {
        histogram_add(whole, scattered(i), 1 + i % 3);
        histogram_add(parts[i % 7 == 0], scattered(i), 1 + i % 3);
    }
    histogram_merge(parts[1], parts[0]);
    CU_ASSERT_EQUAL(histogram_count(parts[1]), histogram_count(whole));
    CU_ASSERT_EQUAL(histogram_mean(parts[1]), histogram_mean(whole));
    CU_ASSERT_EQUAL(histogram_deviation(parts[1]), histogram_deviation(whole));
    CU_ASSERT_EQUAL(histogram_min(parts[1]), histogram_min(whole));
    CU_ASSERT_EQUAL(histogram_max(parts[1]), histogram_max(whole));
    while (histogram_next(whole, &position, &one)) {
        CU_ASSERT_FATAL(histogram_next(parts[1], &other_position, &other));
        CU_ASSERT(one.low == other.low && one.high == other.high && one.count == other.count);
    }
    histogram_free(whole);
    histogram_free(parts[0]);
    histogram_free(parts[1]);
}

static void histogram_restored_from_its_buckets_has_the_same_quantiles(void)
{
    Histogram *histogram = histogram_new(HISTOGRAM_FINE);
    Histogram *restored = histogram_new(HISTOGRAM_FINE);
    HistogramBucket bucket;
    size_t position = 0;

    for (uint64_t i = 0; i < 3000; i++) {
        histogram_add(histogram, scattered(i), 1);
    }
    while (histogram_next(histogram, &position, &bucket)) {
        histogram_restore(restored, &bucket, 1, histogram_min(histogram), histogram_max(histogram));
    }
    CU_ASSERT_EQUAL(histogram_count(restored), histogram_count(histogram));
    for (int percent = 0; percent <= 100; percent++) {
        CU_ASSERT_EQUAL(histogram_quantile(restored, percent / 100.0),
                        histogram_quantile(histogram, percent / 100.0));
    }
    histogram_free(histogram);
    histogram_free(restored);
}

static void histogram_empty_has_no_figures(void)
{
    Histogram *histogram = histogram_new(HISTOGRAM_FINE);
    HistogramBucket bucket;
    size_t position = 0;

    CU_ASSERT(isnan(histogram_mean(histogram)));
    CU_ASSERT(isnan(histogram_deviation(histogram)));
    CU_ASSERT(isnan(histogram_quantile(histogram, 0.5)));
    CU_ASSERT_FALSE(histogram_next(histogram, &position, &bucket));
    histogram_add(histogram, 7, 0);
    CU_ASSERT_EQUAL(histogram_count(histogram), 0);
    histogram_free(histogram);
}

static void histogram_counts_what_is_too_large_as_its_maximum(void)
{
    Histogram *histogram = histogram_new(HISTOGRAM_FINE);

    histogram_add(histogram, UINT64_MAX, 1);
    CU_ASSERT_EQUAL(histogram_max(histogram), HISTOGRAM_VALUE_MAX);
    histogram_free(histogram);
}

PEAL_TEST_MAIN("analysis/histogram", PEAL_TEST(histogram_buckets_tile_the_numbers_without_gap),
               PEAL_TEST(histogram_bucket_is_as_narrow_as_promised),
               PEAL_TEST(histogram_quantiles_are_within_one_percent_of_the_sorted_values),
               PEAL_TEST(histogram_of_one_constant_gives_the_constant_back),
               PEAL_TEST(histogram_small_integers_are_exact),
               PEAL_TEST(histogram_deviation_survives_a_large_mean),
               PEAL_TEST(histogram_merge_equals_adding_everything_to_one),
               PEAL_TEST(histogram_restored_from_its_buckets_has_the_same_quantiles),
               PEAL_TEST(histogram_empty_has_no_figures),
               PEAL_TEST(histogram_counts_what_is_too_large_as_its_maximum))
