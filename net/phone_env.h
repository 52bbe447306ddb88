/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * phone_env.h - the environment of one SIP phone on real sockets: a UDP socket and a timer.
 * Source: <peal/phone.h>.
 * State:  one per phone.
 * Time:   runs on the loop; the phone is called from there.
 */
#ifndef PHONE_ENV_H
#define PHONE_ENV_H

#include <peal/phone.h>

#include "loop.h"
#include "shim.h"
#include "tap.h"

typedef struct PhoneEnv PhoneEnv;

/* phone_env_new opens a socket at the address from which the proxy is reached, any port, and adds
 * what is sent to the counts, where they are not NULL. NULL with errno. */
PhoneEnv *phone_env_new(Loop *loop, const PealAddr *proxy, SipCounts *sent);

/* phone_env_new_kept does so with a socket that the kernel keeps to the proxy, both ways. What the
 * phone would send to anybody else is dropped as unreachable, and counted. */
PhoneEnv *phone_env_new_kept(Loop *loop, const PealAddr *proxy, SipCounts *sent, uint64_t *kept_in);

/* phone_env_new_in does so within an emulated network, borrowed for its life: the phone lies where
 * the shim's peer does. */
PhoneEnv *phone_env_new_in(Loop *loop, Shim *shim, SipCounts *sent);

/* phone_env_free: after peal_phone_fini. What was sent in this turn leaves. */
void phone_env_free(PhoneEnv *env);

PealEnv *phone_env_ops(PhoneEnv *env);

/* Where the phone is reached. */
const PealAddr *phone_env_local(const PhoneEnv *env);

/* phone_env_serve names the phone that bytes and deadlines are for, before it does anything. */
void phone_env_serve(PhoneEnv *env, PealPhone *phone);

#endif
