/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stop.c - see stop.h. */
#include "run/stop.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t stop_came;

static void on_stop(int signal_number)
{
    (void)signal_number;
    stop_came = 1;
}

void stop_catch(void)
{
    struct sigaction action = {.sa_handler = on_stop, .sa_flags = (int)SA_RESETHAND};

    stop_came = 0;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool stop_requested(void)
{
    return stop_came != 0;
}
