/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * phones.h - the phones of the users of peers that run, and the calls between them.
 * Source: <peal/phone.h>.
 * State:  none without calls in the scenario; else 64 bytes a user, a phone for each whose peer
 *         runs and who has registered, and 72 bytes a call under way.
 * Time:   a phone's deadline is an event of its peer.
 *
 * User u of a peer has the port WORLD_PHONE_PORT + u of the peer's address, and the peer for
 * registrar and outbound proxy, or the one server where there is one. The phones of a peer that
 * stops are gone with it, and their calls abandoned; when the peer is back they are made anew and
 * register again.
 */
#ifndef SIM_PHONES_H
#define SIM_PHONES_H

#include <peal/phone.h>
#include <scenarios/plan.h>
#include <scenarios/replay.h>

#include "packet.h"
#include "users.h"

struct World;
struct SimPeer;

typedef struct SimPhone SimPhone;
typedef struct SimCall SimCall;

typedef struct Phones {
    PealSipConfig sip; /* of all adapters and phones */
    PealStr domain;
    PealPhoneConfig config;
    PealEnvOps ops;
    SimPhone *all; /* by peer, then user */
    Users users;
    SimCall *calls; /* by number; 0 is not used */
    uint32_t calls_len;
    uint32_t calls_cap;
    uint32_t calls_free;
    uint64_t unanswered; /* calls that have not come to anything yet */
    ReplayPlay *play;    /* NULL without a recorded workload */
} Phones;

/* phones_new returns NULL when the scenario has no calls. */
Phones *phones_new(struct World *world);
void phones_free(Phones *phones);

/* phones_house is the peer that serves the phones of a peer: that one itself, or the server. */
uint32_t phones_house(const struct World *world, uint32_t peer);

/* phones_register makes the user's phone, unless it is there, and has it register. */
void phones_register(struct World *world, struct SimPeer *peer, uint32_t user);
/* phones_renew has a phone register again, for so long; 0: take its registration away. */
void phones_renew(struct World *world, struct SimPeer *peer, uint32_t user, uint32_t expires_s);
/* phones_call begins a call of the plan, if the caller is there. */
void phones_call(struct World *world, const PlanAction *action);
/* phones_stop ends the phones of a peer that stops. */
void phones_stop(struct World *world, struct SimPeer *peer);

/* What arrives for the phone at a port of the peer: phones_take takes buf, and returns false when
 * nobody is there; phones_end tells of a hop's end; phones_wake of its deadline. */
bool phones_take(struct World *world, struct SimPeer *peer, uint16_t port, const PealHop *from,
                 PealBuf *buf);
void phones_end(struct World *world, struct SimPeer *peer, uint16_t port, const PealHop *hop,
                int error);
void phones_wake(struct World *world, struct SimPeer *peer, const Packet *packet);

#endif
