/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kind.c - Kinds as the overlay's configuration defines them (RFC 6940 s.7.4.5, s.11.1). */
#include "storage/storage.h"

const PealKind *storage_kind(const PealOverlay *overlay, uint32_t id)
{
    for (uint32_t i = 0; i < overlay->kinds_len; i++) {
        if (overlay->kinds[i].id == id) {
            return &overlay->kinds[i];
        }
    }
    return NULL;
}
