/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sample.h - encoded certificate lists that stand in for real ones in the modelled crypto modes.
 * Source: RFC 6940 s.6.3.4, s.11.3.   State: none.   Time: none.
 */
#ifndef SECURITY_SAMPLE_H
#define SECURITY_SAMPLE_H

#include <peal/base.h>

extern const PealBytes SAMPLE_P256_CERTIFICATES;
extern const PealBytes SAMPLE_RSA2048_CERTIFICATES;

#endif
