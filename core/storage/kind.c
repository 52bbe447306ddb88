/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kind.c - Kinds as the overlay's configuration defines them (RFC 6940 s.7.4.5, s.11.1). */
#include "storage/storage.h"

PealId peal_copy_resource(const PealCryptoOps *crypto, const PealId *resource, unsigned i)
{
    const uint8_t octet = (uint8_t)i;
    const PealBytes parts[] = {{resource->bytes, PEAL_ID_LEN}, {&octet, 1}};
    uint8_t digest[PEAL_DIGEST_MAX];
    PealId copy = *resource;

    if (i > 0) {
        crypto->digest(PEAL_HASH_SHA1, parts, 2, digest);
        memcpy(copy.bytes, digest, PEAL_ID_LEN);
    }
    return copy;
}

const PealKind *storage_kind(const PealOverlay *overlay, uint32_t id)
{
    for (uint32_t i = 0; i < overlay->kinds_len; i++) {
        if (overlay->kinds[i].id == id) {
            return &overlay->kinds[i];
        }
    }
    return NULL;
}
