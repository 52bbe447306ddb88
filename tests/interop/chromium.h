/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * chromium.h - a page in headless Chromium, driven and watched.
 * Source: the Chrome DevTools Protocol, over --remote-debugging-pipe.
 * State:  one browser with one page.   Time: each step waits for its answer, a minute at most.
 */
#ifndef INTEROP_CHROMIUM_H
#define INTEROP_CHROMIUM_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

typedef struct Chromium {
    GPid pid;
    int commands; /* written to */
    int answers;  /* read from */
    char *profile;
    char *session;
    int next_id;
    int modifiers; /* keys held while the mouse does something: 8 is Shift */
    GByteArray *pending;
    unsigned loads;     /* pages loaded */
    GPtrArray *errors;  /* texts of errors on the console and of exceptions, owned */
    GPtrArray *fetched; /* addresses asked for other than files and data, owned */
} Chromium;

/* chromium_new starts a browser; NULL if there is none or it does not answer. */
Chromium *chromium_new(void);
void chromium_free(Chromium *chromium);

/* chromium_open loads a file and waits until it is there. */
bool chromium_open(Chromium *chromium, const char *path);

/* chromium_value evaluates JavaScript; NULL if it throws. A new reference. */
json_t *chromium_value(Chromium *chromium, const char *expression);

/* chromium_number is the same of a number, NaN where it is none. */
double chromium_number(Chromium *chromium, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* chromium_mouse sends a real event at a place in the window: "mouseMoved", "mousePressed",
 * "mouseReleased", or "mouseWheel" with the wheel's way. clicks: 2 of a double click. */
void chromium_mouse(Chromium *chromium, const char *type, double x, double y, int clicks,
                    double wheel);

/* chromium_key presses and releases a key. */
void chromium_key(Chromium *chromium, const char *key);

/* chromium_call sends any other command of the protocol; its result, a new reference. */
json_t *chromium_call(Chromium *chromium, const char *method, json_t *take_parameters);

#endif
