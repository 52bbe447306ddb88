/* SPDX-License-Identifier: GPL-3.0-or-later */
/* access.c - the access control policies, as far as a Node-ID decides them. */
#include "storage/access.h"

#include "peer.h"
#include "security/security.h"

/* Does H(Node-ID), or H(Node-ID || i) with i as one byte, cut to 128 bits, give the Resource-ID? */
static bool access_node_hashes_to(const PealPeer *peer, const PealId *node, const uint8_t *i,
                                  const PealId *resource)
{
    const PealBytes parts[] = {{node->bytes, PEAL_ID_LEN}, {i, i != NULL}};
    uint8_t digest[PEAL_DIGEST_MAX];

    peer->env->ops->crypto->digest(PEAL_HASH_SHA1, parts, 2, digest);
    return memcmp(digest, resource->bytes, PEAL_ID_LEN) == 0;
}

static bool access_node_permitted(const PealPeer *peer, const PealId *resource,
                                  const PealKind *kind, const ReloadStored *stored,
                                  const PealId *node)
{
    switch (kind->access) {
    case PEAL_ACCESS_USER_MATCH:
    case PEAL_ACCESS_ANY:
        return true;
    case PEAL_ACCESS_NODE_MATCH:
        return access_node_hashes_to(peer, node, NULL, resource);
    case PEAL_ACCESS_USER_NODE_MATCH:
    case PEAL_ACCESS_USER_NODE_MULTIPLE:
        return stored->key.len == PEAL_ID_LEN &&
               memcmp(stored->key.ptr, node->bytes, PEAL_ID_LEN) == 0;
    case PEAL_ACCESS_NODE_MULTIPLE:
        for (unsigned i = 0; i <= kind->node_multiple; i++) {
            uint8_t octet = (uint8_t)i;

            if (access_node_hashes_to(peer, node, &octet, resource)) {
                return true;
            }
        }
        return false;
    }
    return false;
}

bool access_permits(const PealPeer *peer, const StoreScope *scope, const PealKind *kind,
                    const ReloadStored *stored)
{
    PealId signer;

    /* A value that names no signer is a synthetic one (s.7.4.1.1, last check). */
    if (security_signer(peer->overlay->crypto, &stored->signature, &signer) != 0) {
        return false;
    }
    if (!access_node_permitted(peer, scope->resource, kind, stored, &signer)) {
        return false;
    }
    return scope->origin != STORE_ORIGINAL ||
           access_node_permitted(peer, scope->resource, kind, stored, scope->requester);
}
