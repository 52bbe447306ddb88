/*
 * histogram.c - see histogram.h.
 */
#include <analysis/histogram.h>

#include <glib.h>
#include <math.h>

struct Histogram {
    unsigned bits;
    uint64_t count;
    uint64_t min;
    uint64_t max;
    unsigned __int128 sum;
    unsigned __int128 sum_squares; /* values have 48 bits, so 2^32 of them fit */
    size_t buckets_len;
    uint64_t *buckets;
};

Histogram *histogram_new(HistogramBits bits)
{
    Histogram *histogram = g_new0(Histogram, 1);

    histogram->bits = (unsigned)bits;
    return histogram;
}

void histogram_free(Histogram *histogram)
{
    if (histogram != NULL) {
        g_free(histogram->buckets);
        g_free(histogram);
    }
}

/* The place of a value: 2^bits linear buckets, then 2^(bits-1) for each power of two. */
static size_t bucket_of(unsigned bits, uint64_t value)
{
    unsigned exponent, shift;

    if (value < UINT64_C(1) << bits) {
        return (size_t)value;
    }
    exponent = 63 - (unsigned)__builtin_clzll(value);
    shift = exponent - (bits - 1);
    return ((size_t)(shift - 1) << (bits - 1)) + (size_t)(value >> shift) +
           (size_t)(1U << (bits - 1));
}

static void bucket_range(unsigned bits, size_t bucket, uint64_t *ret_low, uint64_t *ret_high)
{
    size_t half = (size_t)1 << (bits - 1);
    unsigned shift;

    if (bucket < 2 * half) {
        *ret_low = *ret_high = bucket;
        return;
    }
    shift = (unsigned)((bucket - 2 * half) / half) + 1;
    *ret_low = (uint64_t)((bucket - 2 * half) % half + half) << shift;
    *ret_high = *ret_low + (UINT64_C(1) << shift) - 1;
}

static uint64_t bucket_middle(unsigned bits, size_t bucket)
{
    uint64_t low, high;

    bucket_range(bits, bucket, &low, &high);
    return low + (high - low) / 2;
}

static void grow(Histogram *histogram, size_t buckets_len)
{
    if (buckets_len > histogram->buckets_len) {
        /* Whole octaves, so that it grows rarely. */
        size_t half = (size_t)1 << (histogram->bits - 1);
        size_t rounded = (buckets_len + half - 1) / half * half;

        histogram->buckets = g_renew(uint64_t, histogram->buckets, rounded);
        memset(histogram->buckets + histogram->buckets_len, 0,
               (rounded - histogram->buckets_len) * sizeof(uint64_t));
        histogram->buckets_len = rounded;
    }
}

static void widen(Histogram *histogram, uint64_t min, uint64_t max)
{
    if (histogram->count == 0 || min < histogram->min) {
        histogram->min = min;
    }
    if (histogram->count == 0 || max > histogram->max) {
        histogram->max = max;
    }
}

void histogram_add(Histogram *histogram, uint64_t value, uint64_t times)
{
    size_t bucket;

    if (times == 0) {
        return;
    }
    value = MIN(value, HISTOGRAM_VALUE_MAX);
    bucket = bucket_of(histogram->bits, value);
    grow(histogram, bucket + 1);
    histogram->buckets[bucket] += times;
    widen(histogram, value, value);
    histogram->count += times;
    histogram->sum += (unsigned __int128)value * times;
    histogram->sum_squares += (unsigned __int128)value * value * times;
}

void histogram_merge(Histogram *histogram, const Histogram *from)
{
    PEAL_ASSERT(histogram->bits == from->bits);
    if (from->count == 0) {
        return;
    }
    grow(histogram, from->buckets_len);
    for (size_t i = 0; i < from->buckets_len; i++) {
        histogram->buckets[i] += from->buckets[i];
    }
    widen(histogram, from->min, from->max);
    histogram->count += from->count;
    histogram->sum += from->sum;
    histogram->sum_squares += from->sum_squares;
}

uint64_t histogram_count(const Histogram *histogram)
{
    return histogram->count;
}

uint64_t histogram_min(const Histogram *histogram)
{
    return histogram->min;
}

uint64_t histogram_max(const Histogram *histogram)
{
    return histogram->max;
}

double histogram_mean(const Histogram *histogram)
{
    uint64_t whole, rest;

    if (histogram->count == 0) {
        return NAN;
    }
    whole = (uint64_t)(histogram->sum / histogram->count);
    rest = (uint64_t)(histogram->sum % histogram->count);
    return (double)whole + (double)rest / (double)histogram->count;
}

double histogram_deviation(const Histogram *histogram)
{
    unsigned __int128 whole, squares;
    double rest, count = (double)histogram->count;

    if (histogram->count < 2) {
        return NAN;
    }
    /* Squares about the whole part of the mean: in integers, so that nothing cancels. */
    whole = histogram->sum / histogram->count;
    squares =
        histogram->sum_squares - 2 * whole * histogram->sum + whole * whole * histogram->count;
    rest = (double)(histogram->sum % histogram->count);
    return sqrt(((double)squares - rest * rest / count) / (count - 1));
}

double histogram_quantile(const Histogram *histogram, double q)
{
    uint64_t rank, seen = 0;

    if (histogram->count == 0) {
        return NAN;
    }
    rank = (uint64_t)ceil(q * (double)histogram->count);
    rank = CLAMP(rank, 1, histogram->count);
    if (rank == histogram->count) {
        return (double)histogram->max;
    }
    for (size_t i = 0; i < histogram->buckets_len; i++) {
        seen += histogram->buckets[i];
        if (seen >= rank) {
            return (double)CLAMP(bucket_middle(histogram->bits, i), histogram->min, histogram->max);
        }
    }
    return (double)histogram->max;
}

bool histogram_next(const Histogram *histogram, size_t *position, HistogramBucket *ret_bucket)
{
    for (size_t i = *position; i < histogram->buckets_len; i++) {
        if (histogram->buckets[i] != 0) {
            bucket_range(histogram->bits, i, &ret_bucket->low, &ret_bucket->high);
            ret_bucket->count = histogram->buckets[i];
            *position = i + 1;
            return true;
        }
    }
    *position = histogram->buckets_len;
    return false;
}

void histogram_restore(Histogram *histogram, const HistogramBucket *buckets, size_t len,
                       uint64_t min, uint64_t max)
{
    for (size_t i = 0; i < len; i++) {
        uint64_t middle = buckets[i].low + (buckets[i].high - buckets[i].low) / 2;

        histogram_add(histogram, CLAMP(middle, min, max), buckets[i].count);
    }
    if (len > 0) {
        widen(histogram, min, max);
    }
}
