/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fingerprint.h - a hash chained over everything that was delivered to one peer; the run's is the
 *                 sum over peers.
 * Source: multiply and fold, as in wyhash (Wang Yi) and its relatives; the constants are primes
 *         near 2^64 / phi.
 * State:  64 bits a peer.
 * Time:   none. Reads bytes in little-endian order on any machine.
 */
#ifndef SIM_FINGERPRINT_H
#define SIM_FINGERPRINT_H

#include <peal/base.h>

/* fingerprint_add is the chain's next value after `data` came from `source` at `at`. */
uint64_t fingerprint_add(uint64_t chain, PealTime at, uint32_t source, PealBytes data);

#endif
