/*
 * histogram.h - counts of non-negative integers in buckets that are exact when small and
 * logarithmic when large.
 * Source: the bucket layout of HdrHistogram (Tene): 2^bits linear buckets, then 2^(bits-1) for each
 *         octave.
 * State:  one array of 64-bit counts, as long as the largest value needs: with 7 bits 3.9 KiB for
 *         each 8 octaves.
 * Time:   none. The result does not depend on the order of the values.
 */
#ifndef ANALYSIS_HISTOGRAM_H
#define ANALYSIS_HISTOGRAM_H

#include <peal/base.h>

/* Values under 2^bits are counted exactly; above, a bucket is 2^(1-bits) of its values wide. */
typedef enum HistogramBits {
    HISTOGRAM_COARSE = 5, /* half a bucket is 3.1 % of its value at most */
    HISTOGRAM_FINE = 7,   /* 0.8 % */
    HISTOGRAM_EXACT = 12, /* for small integers: exact under 4,096, 0.02 % above */
} HistogramBits;

typedef struct Histogram Histogram;

/* histogram_new makes an empty histogram; it ends the program when memory is out, as GLib does. */
Histogram *histogram_new(HistogramBits bits);
void histogram_free(Histogram *histogram);

/* histogram_add counts a value `times` times; one above HISTOGRAM_VALUE_MAX counts as that. */
#define HISTOGRAM_VALUE_MAX ((UINT64_C(1) << 48) - 1)
void histogram_add(Histogram *histogram, uint64_t value, uint64_t times);

/* histogram_merge adds what `from` counted; both must have the same bits. */
void histogram_merge(Histogram *histogram, const Histogram *from);

/* The mean and the standard deviation of a sample (divided by n - 1) are exact, whatever the bits;
 * NaN without values, or with fewer than two. min and max of an empty histogram are 0. */
uint64_t histogram_count(const Histogram *histogram);
double histogram_mean(const Histogram *histogram);
double histogram_deviation(const Histogram *histogram);
uint64_t histogram_min(const Histogram *histogram);
uint64_t histogram_max(const Histogram *histogram);

/*
 * histogram_quantile is the smallest value that at least a fraction q of the values do not exceed
 * (the nearest-rank quantile): exact in exact buckets, else the middle of the bucket that holds it,
 * kept between the smallest and the largest value. With q = 1 it is the largest.
 * q       0..1
 * Returns NaN when the histogram is empty.
 */
double histogram_quantile(const Histogram *histogram, double q);

/* Buckets that hold something, in ascending order: values low..high (both included) occurred
 * `count` times. */
typedef struct HistogramBucket {
    uint64_t low;
    uint64_t high;
    uint64_t count;
} HistogramBucket;

/* histogram_next finds the first bucket at or after *position that is not empty and moves
 * *position past it. Start at 0. Returns false at the end. */
bool histogram_next(const Histogram *histogram, size_t *position, HistogramBucket *ret_bucket);

/*
 * histogram_restore adds buckets that histogram_next gave, read back from a file: with their counts
 * and extremes the quantiles are those of the original; mean and deviation are approximate.
 */
void histogram_restore(Histogram *histogram, const HistogramBucket *buckets, size_t len,
                       uint64_t min, uint64_t max);

#endif
