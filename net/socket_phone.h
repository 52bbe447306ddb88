/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * socket_phone.h - a SIP phone and its socket, as one.
 * Source: <peal/phone.h>, phone_env.h.
 * State:  one per phone.
 * Time:   runs on the loop of its environment.
 */
#ifndef SOCKET_PHONE_H
#define SOCKET_PHONE_H

#include <analysis/recorder.h>
#include <peal/phone.h>

#include "phone_env.h"

typedef struct SocketPhone {
    PhoneEnv *env;
    PealPhone *core;  /* NULL: there is none */
    uint32_t asked_s; /* the lifetime last asked for; 0: to be registered no more */
    uint32_t next_s;  /* to ask for when that is answered */
    bool asking;
    bool more; /* next_s is meant */
} SocketPhone;

/* What may be told of an identity; a NULL text is an empty one. */
typedef struct SocketPhoneWho {
    PealStr aor;
    PealAddr proxy; /* UDP */
    const char *username;
    const char *password;
} SocketPhoneWho;

/*
 * socket_phone_open makes the phone in an environment, which it takes.
 * env   not NULL
 * user  of config->event
 * Returns as peal_phone_init; without 0 there is no phone, and the environment is gone.
 */
int socket_phone_open(SocketPhone *phone, PhoneEnv *env_take, const PealPhoneConfig *config,
                      const SocketPhoneWho *who, void *user) PEAL_MUST_USE;

/* socket_phone_close ends it without a word; safe on one that is not there. */
void socket_phone_close(SocketPhone *phone);

/*
 * socket_phone_ask has the phone register for a time, 0 to unregister: at once, or when it has been
 * answered what it asked before; of several that wait the last counts.
 * Returns 0, or as peal_phone_register; then nothing is asked.
 */
int socket_phone_ask(SocketPhone *phone, uint32_t expires_s) PEAL_MUST_USE;

/* socket_phone_asked: what it asked has been answered (REGISTERED, no refresh). It asks what waits;
 * returns as socket_phone_ask. */
int socket_phone_asked(SocketPhone *phone) PEAL_MUST_USE;

/* socket_phone_answered takes the times of an ANSWERED of a call made here into its record.
 * rung  for how long the callee let it ring */
void socket_phone_answered(RecorderCall *record, const PealPhoneEvent *event, PealSpan rung);

#endif
