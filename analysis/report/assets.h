/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * assets.h - report.js and report.css, which the build puts into the program (embed.c).
 * Source: none.   State: none.   Time: none.
 */
#ifndef REPORT_ASSETS_H
#define REPORT_ASSETS_H

extern const char report_js[];
extern const char report_css[];

#endif
