/* SPDX-License-Identifier: GPL-3.0-or-later */
/* domain.c - what a host is to this adapter: a domain of the overlay's, or itself (state.h). */
#include "sip/state.h"

static PealStr sip_without_brackets(PealStr host)
{
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']') {
        return (PealStr){host.ptr + 1, host.len - 2};
    }
    if (host.len > 1 && host.ptr[host.len - 1] == '.') {
        return (PealStr){host.ptr, host.len - 1}; /* fully qualified */
    }
    return host;
}

PealStr sip_domain(const PealPeer *peer, PealStr host)
{
    const PealSipConfig *config = peer->sip->config;

    for (uint32_t i = 0; i < config->domains_len; i++) {
        if (sip_same(sip_without_brackets(config->domains[i]), sip_without_brackets(host))) {
            return config->domains[i];
        }
    }
    return (PealStr){NULL, 0};
}

bool sip_is_ours(const PealPeer *peer, PealStr host)
{
    return sip_domain(peer, host).ptr != NULL;
}

bool sip_is_self(PealPeer *peer, PealStr host, uint16_t port)
{
    PealAddr own[PEAL_ADDRESSES_MAX];
    PealAddr addr;
    size_t len;

    if (sip_addr(host, &addr) != 0) {
        return false;
    }
    addr.port = port != 0 ? port : SIP_DEFAULT_PORT;
    len = peer->env->ops->addresses(peer->env, PEAL_SERVICE_SIP, own, PEAL_ADDRESSES_MAX);
    for (size_t i = 0; i < len; i++) {
        if (own[i].family == addr.family && own[i].port == addr.port &&
            memcmp(own[i].ip, addr.ip, addr.family == 4 ? 4 : sizeof(addr.ip)) == 0) {
            return true;
        }
    }
    return false;
}

int sip_local(PealPeer *peer, const PealAddr *to, uint8_t *ret_local)
{
    PealAddr own[PEAL_ADDRESSES_MAX];
    size_t len = peer->env->ops->addresses(peer->env, PEAL_SERVICE_SIP, own, PEAL_ADDRESSES_MAX);

    for (size_t i = 0; i < len; i++) {
        if (own[i].family == to->family) {
            *ret_local = (uint8_t)i;
            return 0;
        }
    }
    return -PEAL_E_UNREACHABLE;
}
