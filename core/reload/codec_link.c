/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * codec_link.c - bodies that set links up: attach and app_attach with their candidates.
 */
#include "reload/reader.h"
#include "reload/writer.h"

enum { ADDRESS_IPV4 = 1, ADDRESS_IPV6 = 2, PORT_LEN = 2 };

/* An address of a type that is not known is read over; its family stays 0 (s.6.3.1.1). */
static void read_address(Reader *r, PealAddr *ret)
{
    uint8_t type = reader_u8(r);
    Reader value = reader_make(reader_opaque8(r));
    size_t ip_len;
    const uint8_t *ip;

    if (r->error != 0) {
        return;
    }
    if (type == 0) {
        reader_fail(r, -PEAL_E_VALUE);
    }
    if (type != ADDRESS_IPV4 && type != ADDRESS_IPV6) {
        return;
    }
    ip_len = type == ADDRESS_IPV4 ? 4 : 16;
    if (value.left != ip_len + PORT_LEN) {
        reader_fail(r, -PEAL_E_LENGTH);
        return;
    }
    ip = reader_take(&value, ip_len);
    memcpy(ret->ip, ip, ip_len);
    ret->port = reader_u16(&value);
    ret->family = type == ADDRESS_IPV4 ? 4 : 6;
}

static void put_address(Writer *w, const PealAddr *addr)
{
    size_t ip_len = addr->family == 6 ? 16 : 4;

    PEAL_ASSERT(addr->family == 4 || addr->family == 6);
    put_u8(w, addr->family == 6 ? ADDRESS_IPV6 : ADDRESS_IPV4);
    put_u8(w, (uint8_t)(ip_len + PORT_LEN));
    put_bytes(w, (PealBytes){addr->ip, ip_len});
    put_u16(w, addr->port);
}

static void read_ice_extensions(PealBytes list, Reader *r)
{
    Reader extensions = reader_make(list);

    while (extensions.left > 0 && extensions.error == 0) {
        (void)reader_opaque16(&extensions); /* name */
        (void)reader_opaque16(&extensions); /* value */
    }
    reader_fail(r, extensions.error);
}

/* Reads a candidate; one with an address of unknown type keeps addr.family 0. */
static void read_candidate_any(Reader *r, ReloadCandidate *ret)
{
    memset(ret, 0, sizeof(*ret));
    read_address(r, &ret->addr);
    ret->link = reader_u8(r);
    if (r->error == 0 && ret->link == 0) {
        reader_fail(r, -PEAL_E_VALUE);
    }
    ret->foundation = reader_opaque8(r);
    ret->priority = reader_u32(r);
    ret->type = reader_u8(r);
    switch (ret->type) {
    case RELOAD_CANDIDATE_HOST:
        break;
    case RELOAD_CANDIDATE_SRFLX:
    case RELOAD_CANDIDATE_RELAY:
        read_address(r, &ret->related);
        if (ret->related.family == 0) {
            ret->addr.family = 0;
        }
        break;
    default:
        reader_fail(r, -PEAL_E_UNKNOWN);
        break;
    }
    ret->extensions = reader_opaque16(r);
    read_ice_extensions(ret->extensions, r);
}

bool reload_candidate_next(PealBytes *list, ReloadCandidate *ret_candidate)
{
    Reader r = reader_make(*list);
    ReloadCandidate candidate;

    do {
        if (r.left == 0) {
            return false;
        }
        read_candidate_any(&r, &candidate);
    } while (r.error == 0 && candidate.addr.family == 0);
    if (r.error != 0) {
        return false;
    }
    *list = (PealBytes){r.at, r.left};
    *ret_candidate = candidate;
    return true;
}

/* s.6.5.1.1: an Attach must not mix link types that use ICE with those that do not. */
static int check_candidate_list(PealBytes list)
{
    Reader r = reader_make(list);
    bool ice = false;
    bool no_ice = false;

    while (r.left > 0 && r.error == 0) {
        ReloadCandidate candidate;

        read_candidate_any(&r, &candidate);
        switch (candidate.link) {
        case RELOAD_LINK_DTLS_UDP_SR:
            ice = true;
            break;
        case RELOAD_LINK_DTLS_UDP_SR_NO_ICE:
        case RELOAD_LINK_TLS_TCP_FH_NO_ICE:
        case RELOAD_LINK_EXP:
            no_ice = true;
            break;
        default:
            break; /* of a type to come: who knows */
        }
    }
    if (r.error == 0 && ice && no_ice) {
        return -PEAL_E_VALUE;
    }
    return r.error;
}

void put_candidate(Writer *w, const ReloadCandidate *candidate)
{
    put_address(w, &candidate->addr);
    put_u8(w, candidate->link);
    put_opaque8(w, candidate->foundation);
    put_u32(w, candidate->priority);
    put_u8(w, candidate->type);
    if (candidate->type != RELOAD_CANDIDATE_HOST) {
        put_address(w, &candidate->related);
    }
    put_opaque16(w, candidate->extensions);
}

static PealBytes read_candidates(Reader *r)
{
    PealBytes candidates = reader_opaque16(r);

    reader_fail(r, check_candidate_list(candidates));
    return candidates;
}

static void read_attach_body(Reader *r, ReloadAttach *ret)
{
    ret->ufrag = reader_opaque8(r);
    ret->password = reader_opaque8(r);
    ret->role = reader_opaque8(r);
    ret->candidates = read_candidates(r);
    ret->send_update = reader_bool(r);
}

READER_BODY(attach, ReloadAttach)

void put_attach(Writer *w, const ReloadAttach *body)
{
    put_opaque8(w, body->ufrag);
    put_opaque8(w, body->password);
    put_opaque8(w, body->role);
    put_opaque16(w, body->candidates);
    put_u8(w, body->send_update);
}

static void read_app_attach_body(Reader *r, ReloadAppAttach *ret)
{
    ret->ufrag = reader_opaque8(r);
    ret->password = reader_opaque8(r);
    ret->application = reader_u16(r);
    ret->role = reader_opaque8(r);
    ret->candidates = read_candidates(r);
}

READER_BODY(app_attach, ReloadAppAttach)

void put_app_attach(Writer *w, const ReloadAppAttach *body)
{
    put_opaque8(w, body->ufrag);
    put_opaque8(w, body->password);
    put_u16(w, body->application);
    put_opaque8(w, body->role);
    put_opaque16(w, body->candidates);
}
