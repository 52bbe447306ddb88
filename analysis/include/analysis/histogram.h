/*
 * histogram.h - counts of non-negative integers in buckets that are exact when small and
 * logarithmic when large. Source: the bucket layout of HdrHistogram (Tene): 2^bits linear buckets,
 * then 2^(bits-1) for each octave.
 * State:  one array of 64-bit counts, as long as the largest value needs: with 7 bits 3.9 KiB for
 *         each 8 octaves.
 * Time:   none. The result does not depend on the order of the values.
 */
#ifndef ANALYSIS_HISTOGRAM_H
#define ANALYSIS_HISTOGRAM_H

#include <peal/base.h>

/* Values under 2^bits are counted exactly; above, a bucket is at most 2^(1-bits) of its values
 * wide. */
typedef enum HistogramBits {
    HISTOGRAM_COARSE = 5, /* half a bucket is 3.2 % of its value at most */
    HISTOGRAM_FINE = 7,   /* 0.8 % */
    HISTOGRAM_EXACT = 12, /* for small integers: exact under 4,096, 0.03 % above */
} HistogramBits;

typedef struct Histogram Histogram;

/* histogram_new makes an empty histogram; it ends the program when memory is out, as GLib does. */
Histogram *histogram_new(HistogramBits bits);
void histogram_free(Histogram *histogram);

/* histogram_add counts `times` values. value: 0..2^62. */
void histogram_add(Histogram *histogram, uint64_t value, uint64_t times);

/* histogram_merge adds what `from` counted; both must have the same bits. */
void histogram_merge(Histogram *histogram, const Histogram *from);

/* histogram_count is how many values there are; sums are exact. An empty histogram's mean is
 * NaN. */
uint64_t histogram_count(const Histogram *histogram);
double histogram_mean(const Histogram *histogram);
/* The standard deviation of a sample (divided by n - 1); NaN for fewer than two values. */
double histogram_deviation(const Histogram *histogram);
uint64_t histogram_max(const Histogram *histogram);

/*
 * histogram_quantile is the smallest value that at least a fraction q of the values do not exceed
 * (the nearest-rank quantile): exact in exact buckets, else the middle of the bucket that holds it,
 * cut to the largest value seen.
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

#endif
