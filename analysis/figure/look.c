/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * look.c - see look.h.
 */
#include "figure/look.h"

#include <math.h>

/* Okabe and Ito without yellow, which is lost on white. */
static const char *const COLOURS[LOOK_COLOURS] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                  "#E69F00", "#56B4E9", "#000000"};

static const struct {
    double pattern[6];
    size_t len;
} DASHES[] = {{{0}, 0},           {{10, 5}, 2}, {{4, 4}, 2},
              {{16, 5, 4, 5}, 4}, {{22, 7}, 2}, {{16, 5, 4, 5, 4, 5}, 6}};

#define DASH_COUNT (sizeof(DASHES) / sizeof(DASHES[0]))

const char *look_colour(unsigned i)
{
    return COLOURS[i % LOOK_COLOURS];
}

const double *look_dash(unsigned i, size_t *ret_len)
{
    /* Seven colours and six patterns: a colour that comes again comes with another pattern. */
    size_t which = i % DASH_COUNT;

    *ret_len = DASHES[which].len;
    return DASHES[which].pattern;
}

unsigned look_mark(unsigned i)
{
    return i % LOOK_COLOURS;
}

/* Viridis at ten places, evenly apart. */
static const LookColour HEAT[] = {{0.267, 0.005, 0.329}, {0.282, 0.157, 0.471},
                                  {0.243, 0.288, 0.537}, {0.192, 0.408, 0.557},
                                  {0.149, 0.510, 0.557}, {0.122, 0.620, 0.537},
                                  {0.208, 0.718, 0.473}, {0.431, 0.807, 0.345},
                                  {0.710, 0.871, 0.169}, {0.993, 0.906, 0.144}};

LookColour look_heat(double share)
{
    const size_t last = sizeof(HEAT) / sizeof(HEAT[0]) - 1;
    double place = fmin(fmax(share, 0), 1) * (double)last;
    size_t i = (size_t)fmin(floor(place), (double)(last - 1));
    double part = place - (double)i;

    return (LookColour){HEAT[i].red + part * (HEAT[i + 1].red - HEAT[i].red),
                        HEAT[i].green + part * (HEAT[i + 1].green - HEAT[i].green),
                        HEAT[i].blue + part * (HEAT[i + 1].blue - HEAT[i].blue)};
}

static double linear(double channel)
{
    return channel <= 0.03928 ? channel / 12.92 : pow((channel + 0.055) / 1.055, 2.4);
}

double look_luminance(LookColour colour)
{
    return 0.2126 * linear(colour.red) + 0.7152 * linear(colour.green) +
           0.0722 * linear(colour.blue);
}
