/* SPDX-License-Identifier: GPL-3.0-or-later */
/* config.c - the adapter's configuration, its defaults and its ranges; see <peal/peer.h>. */
#include <peal/peer.h>

void peal_sip_defaults(PealSipConfig *ret_config)
{
    *ret_config = (PealSipConfig){
        .record_route = true,
        .algorithms_len = 2,
        .algorithms = {PEAL_HASH_SHA256, PEAL_HASH_MD5},
        .min_expires_s = 60,
        .default_expires_s = 3600,
        .max_expires_s = 86400,
        .aors_max = 100000,
        .contacts_max = 10,
        .transactions_max = 100000,
        .targets_max = 10,
        .nonce_lifetime = peal_seconds(300),
        .t1 = peal_ms(500),
        .t2 = peal_seconds(4),
        .t4 = peal_seconds(5),
        .timer_b = peal_seconds(32),
        .timer_c = peal_seconds(185),
        .fork_wait = peal_seconds(20),
    };
}

typedef struct Range {
    const char *field;
    int64_t value;
    int64_t least;
    int64_t most;
} Range;

/* What REGISTERs and digests are told to be: the algorithms once each. */
static bool sip_config_algorithms(const PealSipConfig *c)
{
    for (uint8_t i = 0; i < c->algorithms_len; i++) {
        if (c->algorithms[i] != PEAL_HASH_MD5 && c->algorithms[i] != PEAL_HASH_SHA256) {
            return false;
        }
    }
    return c->algorithms_len == 1 || c->algorithms[0] != c->algorithms[1];
}

int peal_sip_check(const PealSipConfig *c, const char **ret_field)
{
    const int64_t hour = 3600 * PEAL_NS_PER_S;
    const Range ranges[] = {
        {"domains_len", c->domains_len, 1, 1024},
        {"algorithms_len", c->algorithms_len, 1, 2},
        {"min_expires_s", c->min_expires_s, 1, 24 * 3600},
        {"max_expires_s", c->max_expires_s, c->min_expires_s, INT64_C(365) * 24 * 3600},
        {"default_expires_s", c->default_expires_s, c->min_expires_s, c->max_expires_s},
        {"aors_max", c->aors_max, 1, 10000000},
        {"contacts_max", c->contacts_max, 1, 100},
        {"transactions_max", c->transactions_max, 1, 10000000},
        {"targets_max", c->targets_max, 1, 32},
        {"nonce_lifetime", c->nonce_lifetime.ns, PEAL_NS_PER_S, 24 * hour},
        {"t1", c->t1.ns, PEAL_NS_PER_MS, 60 * PEAL_NS_PER_S},
        {"t2", c->t2.ns, c->t1.ns, hour},
        {"t4", c->t4.ns, PEAL_NS_PER_MS, hour},
        {"timer_b", c->timer_b.ns, c->t1.ns, hour},
        /* Over 3 min by RFC 3261 s.16.6 step 11; less is for those who test. */
        {"timer_c", c->timer_c.ns, PEAL_NS_PER_S, 24 * hour},
        {"fork_wait", c->fork_wait.ns, PEAL_NS_PER_MS, hour},
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (ranges[i].value < ranges[i].least || ranges[i].value > ranges[i].most) {
            *ret_field = ranges[i].field;
            return -PEAL_E_ARG;
        }
    }
    if (!sip_config_algorithms(c)) {
        *ret_field = "algorithms";
        return -PEAL_E_ARG;
    }
    for (uint32_t i = 0; i < c->domains_len; i++) {
        if (c->domains == NULL || c->domains[i].ptr == NULL || c->domains[i].len == 0 ||
            c->domains[i].len > PEAL_AOR_MAX) {
            *ret_field = "domains";
            return -PEAL_E_ARG;
        }
    }
    return 0;
}
