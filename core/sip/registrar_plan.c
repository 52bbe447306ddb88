/* SPDX-License-Identifier: GPL-3.0-or-later */
/* registrar_plan.c - reads a REGISTER and says what it would change, or why it must not. */
#include "sip/registrar_plan.h"

#include "sip/state.h"

enum {
    HOUR_S = 3600,
    CONTACTS_MAX = 128,     /* of one REGISTER */
    PATHS_MAX = 64,         /* proxies in the way of one REGISTER */
    CALL_ID_MAX = 512,      /* bytes */
    LISTING_MAX = 32 * 1024 /* bytes of an AOR's Contacts, so that an answer can list them */
};

static const RegistrarReply GO_ON = {0};

static RegistrarReply refuse(uint16_t status, const char *reason)
{
    return (RegistrarReply){status, reason, status == 503 ? -PEAL_E_MEMORY : -PEAL_E_ARG};
}

RegistrarReply registrar_vet(PealPeer *peer, const SipMessage *request, PealId *ret_resource,
                             PealStr *ret_realm)
{
    SipCursor required = {0};
    SipAddress to;
    PealStr asked;
    SipUri uri;

    if (registrar_next_unsupported(request, &required)) {
        return refuse(420, NULL);
    }
    if (sip_address_parse(sip_field(request, SIP_H_TO), &to) != 0 || to.star) {
        return refuse(400, "Malformed To");
    }
    if (sip_uri_parse(request->uri, &uri) != 0) {
        return refuse(400, "Malformed Request-URI");
    }
    if (to.uri.scheme > SIP_SCHEME_SIPS) {
        return refuse(404, "No SIP Address");
    }
    asked = sip_domain(peer, uri.host);
    *ret_realm = sip_domain(peer, to.uri.host);
    /* 10.3 step 5: valid for the domain that was asked, where it was asked by domain. */
    if (ret_realm->len == 0 || (asked.len > 0 && asked.ptr != ret_realm->ptr)) {
        return refuse(404, "Domain Not Served");
    }
    if (peal_aor_resource(peer->env->ops->crypto, to.uri.text, ret_resource) != 0) {
        return refuse(404, "No Address-of-Record");
    }
    return GO_ON;
}

/* What holds for all Contacts of a REGISTER. */
typedef struct Plan {
    PealPeer *peer;
    RegistrarJob *job;
    const RegistrarAor *aor;
    const SipMessage *request;
    PealTime now;
    PealStr call_id;
    uint32_t cseq;
    bool has_expires;
    uint32_t expires_s;
    bool first_hop;
    bool takes_flows;   /* RFC 5626 s.6: outbound may be applied */
    bool supports_flow; /* says the phone */
    size_t path_len;
    uint32_t contacts_len;
} Plan;

static size_t count_elements(const SipMessage *request, SipHeader header)
{
    size_t count = 0;

    for (SipCursor at = {0}; sip_next(request, header, &at);) {
        count++;
    }
    return count;
}

/* Each value an address; RFC 3327 s.5.3 keeps them in their order. */
static RegistrarReply plan_path(Plan *plan)
{
    size_t count = 0;
    bool outbound = false;

    for (SipCursor at = {0}; sip_next(plan->request, SIP_H_PATH, &at); count++) {
        SipAddress address;
        PealStr value;

        if (count == PATHS_MAX || sip_address_parse(at.element, &address) != 0 || address.star ||
            address.uri.scheme > SIP_SCHEME_SIPS) {
            return refuse(400, "Malformed Path");
        }
        /* Only the first proxy may say `ob` (RFC 5626 s.5.1), so it does not matter where. */
        outbound = outbound || sip_param(address.uri.params, "ob", &value);
        plan->path_len += at.element.len + (count > 0 ? 2 : 0);
    }
    if (plan->path_len > REGISTRAR_CONTACT_MAX) {
        return refuse(400, "Path Too Long");
    }
    plan->takes_flows = plan->first_hop || outbound;
    return GO_ON;
}

static RegistrarReply plan_begin(Plan *plan)
{
    const SipMessage *request = plan->request;
    SipCursor via = {0};
    SipCSeq cseq;

    plan->call_id = sip_field(request, SIP_H_CALL_ID);
    if (plan->call_id.len > CALL_ID_MAX) {
        return refuse(400, "Call-ID Too Long");
    }
    if (sip_cseq_parse(sip_field(request, SIP_H_CSEQ), &cseq) != 0) {
        return refuse(400, "Malformed CSeq");
    }
    plan->cseq = cseq.number;
    if (request->via_state != SIP_VIA_WHOLE || !sip_next(request, SIP_H_VIA, &via)) {
        return refuse(400, "Malformed Via");
    }
    plan->first_hop = !sip_next(request, SIP_H_VIA, &via);
    plan->has_expires = sip_has(request, SIP_H_EXPIRES);
    plan->expires_s = plan->has_expires ? contact_expires(sip_field(request, SIP_H_EXPIRES))
                                        : plan->peer->sip->config->default_expires_s;
    plan->supports_flow = sip_has_token(request, SIP_H_SUPPORTED, "outbound") ||
                          sip_has_token(request, SIP_H_REQUIRE, "outbound");
    plan->contacts_len = (uint32_t)count_elements(request, SIP_H_CONTACT);
    if (plan->contacts_len > CONTACTS_MAX) {
        return refuse(400, "Too Many Contacts");
    }
    return plan_path(plan);
}

static RegistrarReply plan_room(Plan *plan, uint32_t ops)
{
    RegistrarJob *job = plan->job;

    if (ops > 0) {
        job->ops = peer_alloc(plan->peer, ops * sizeof(RegistrarOp));
        if (job->ops == NULL) {
            return refuse(503, "Out of Memory");
        }
        job->ops_cap = ops;
    }
    return GO_ON;
}

/* 10.3 step 7: out of order is what has the Call-ID of the one before and no higher CSeq. */
static bool plan_in_order(const Plan *plan, const Binding *old)
{
    return !sip_equal(binding_call_id(old), plan->call_id) || plan->cseq > old->cseq;
}

static RegistrarReply plan_star(Plan *plan)
{
    RegistrarReply reply;

    if (plan->contacts_len != 1 || !plan->has_expires || plan->expires_s != 0) {
        return refuse(400, "Contact * Needs Expires 0");
    }
    if (plan->aor == NULL) {
        return GO_ON;
    }
    reply = plan_room(plan, plan->aor->bindings_len);
    for (Binding *old = plan->aor->bindings; old != NULL && reply.status == 0; old = old->next) {
        if (!plan_in_order(plan, old)) {
            return refuse(500, "CSeq Out of Order");
        }
        plan->job->ops[plan->job->ops_len++] = (RegistrarOp){old, NULL};
    }
    return reply;
}

/*
 * Behind NAT: the phone names the address it knows of itself in Via and Contact, and its packets
 * come from another one; or from another port, and it asks for answers there (RFC 3581). A Contact
 * that is not the phone itself is none of this.
 */
static bool plan_behind_nat(const Plan *plan, const Contact *contact)
{
    const PealHop *from = &plan->job->from;
    const SipVia *via = &plan->request->via;
    uint16_t via_port = via->port != 0 ? via->port : 5060;
    uint16_t contact_port = contact->uri.port != 0 ? contact->uri.port : 5060;
    PealAddr addr;
    size_t ip_len;

    if (!sip_same(contact->uri.host, via->host) || contact_port != via_port ||
        sip_addr(contact->uri.host, &addr) != 0) {
        return false;
    }
    ip_len = addr.family == 4 ? 4 : sizeof(addr.ip);
    if (addr.family != from->addr.family || memcmp(addr.ip, from->addr.ip, ip_len) != 0) {
        return true;
    }
    return contact_port != from->addr.port && via->rport_asked;
}

static void put_path(SipText *text, const SipMessage *request)
{
    bool first = true;

    for (SipCursor at = {0}; sip_next(request, SIP_H_PATH, &at); first = false) {
        sip_put_z(text, first ? "" : ", ");
        sip_put(text, at.element);
    }
}

/* The binding that a Contact asks for; a refusal when it cannot be. */
static RegistrarReply plan_fresh(Plan *plan, const Contact *contact, bool outbound,
                                 uint32_t expires_s, Binding **ret_fresh)
{
    char copy[REGISTRAR_CONTACT_MAX];
    SipText text = sip_text_make(copy, sizeof(copy));
    const RegistrarJob *job = plan->job;
    size_t instance_at = 0;
    Binding form = {.hop = job->from,
                    .cseq = plan->cseq,
                    .reg_id = outbound ? contact->reg_id : 0,
                    .q_milli = contact->q_milli};
    SipText texts;

    contact_put(&text, contact, &instance_at);
    if (text.overflow) {
        return refuse(400, "Contact Too Long");
    }
    form.expires_at = peal_time_add(plan->now, peal_seconds(expires_s));
    form.contact_len = (uint16_t)text.len;
    form.uri_at = (uint16_t)(contact->uri.text.ptr - contact->element.ptr);
    form.uri_len = (uint16_t)contact->uri.text.len;
    form.instance_at = (uint16_t)instance_at;
    form.instance_len = (uint16_t)contact->instance.len;
    form.path_len = (uint16_t)plan->path_len;
    form.call_id_len = (uint16_t)plan->call_id.len;
    form.flags = outbound ? BINDING_OUTBOUND : 0;
    if (plan->first_hop && plan->path_len == 0 &&
        (outbound || job->from.conn != 0 || plan_behind_nat(plan, contact))) {
        form.flags |= BINDING_BY_HOP;
    }
    *ret_fresh = binding_new(plan->peer, &form);
    if (*ret_fresh == NULL) {
        return refuse(503, "Out of Memory");
    }
    texts = sip_text_make((*ret_fresh)->texts,
                          (size_t)form.contact_len + form.path_len + form.call_id_len);
    sip_put(&texts, sip_text_view(&text));
    put_path(&texts, plan->request);
    sip_put(&texts, plan->call_id);
    PEAL_ASSERT(!texts.overflow && texts.len == texts.cap);
    return GO_ON;
}

/* Whether an earlier Contact of this REGISTER was about the same binding. */
static bool plan_repeats(const Plan *plan, const Contact *contact, const Binding *old,
                         bool outbound)
{
    for (uint32_t i = 0; i < plan->job->ops_len; i++) {
        const RegistrarOp *op = &plan->job->ops[i];

        if ((old != NULL && op->old == old) ||
            (op->fresh != NULL && bindings_same(op->fresh, contact, outbound))) {
            return true;
        }
    }
    return false;
}

static RegistrarReply plan_contact(Plan *plan, const Contact *contact)
{
    const PealSipConfig *config = plan->peer->sip->config;
    RegistrarJob *job = plan->job;
    uint32_t expires_s = contact->has_expires ? contact->expires_s : plan->expires_s;
    bool outbound = contact->reg_id != 0 && plan->takes_flows;
    RegistrarOp op = {NULL, NULL};
    RegistrarReply reply = GO_ON;

    if (contact->reg_id != 0 && !outbound && plan->supports_flow) {
        return refuse(439, "First Hop Lacks Outbound Support");
    }
    /* 10.3 step 7: only what is under an hour may be refused as too brief. */
    if (expires_s > 0 && expires_s < HOUR_S && expires_s < config->min_expires_s) {
        return refuse(423, NULL);
    }
    expires_s = expires_s < config->max_expires_s ? expires_s : config->max_expires_s;
    op.old = plan->aor != NULL ? bindings_find(plan->aor, contact, outbound) : NULL;
    if (plan_repeats(plan, contact, op.old, outbound)) {
        return refuse(400, "Contact Listed Twice");
    }
    if (op.old != NULL && !plan_in_order(plan, op.old)) {
        return refuse(500, "CSeq Out of Order");
    }
    job->flow = job->flow || (outbound && plan->supports_flow);
    if (expires_s > 0) {
        reply = plan_fresh(plan, contact, outbound, expires_s, &op.fresh);
    }
    if (reply.status == 0 && (op.old != NULL || op.fresh != NULL)) {
        job->ops[job->ops_len++] = op;
    }
    return reply;
}

/* Limits on what the AOR would have. */
static RegistrarReply plan_limits(const Plan *plan)
{
    const PealSipConfig *config = plan->peer->sip->config;
    uint32_t len = plan->aor != NULL ? plan->aor->bindings_len : 0;
    size_t bytes = 0;
    bool more = false;

    for (const Binding *b = plan->aor != NULL ? plan->aor->bindings : NULL; b != NULL;
         b = b->next) {
        bytes += b->contact_len;
    }
    for (uint32_t i = 0; i < plan->job->ops_len; i++) {
        const RegistrarOp *op = &plan->job->ops[i];

        more = more || (op->fresh != NULL && op->old == NULL);
        len += op->fresh != NULL;
        len -= op->old != NULL;
        bytes += op->fresh != NULL ? op->fresh->contact_len : 0;
        bytes -= op->old != NULL ? op->old->contact_len : 0;
    }
    if (more && len > config->contacts_max) {
        return (RegistrarReply){403, "Too Many Contacts", -PEAL_E_FULL};
    }
    if (bytes > LISTING_MAX) {
        return (RegistrarReply){403, "Contacts Too Long", -PEAL_E_FULL};
    }
    if (more && plan->aor == NULL && plan->peer->sip->registrar.aors >= config->aors_max) {
        return (RegistrarReply){503, "Too Many Registrations Here", -PEAL_E_FULL};
    }
    return GO_ON;
}

RegistrarReply registrar_plan(PealPeer *peer, RegistrarJob *job, const SipMessage *request,
                              const RegistrarAor *aor)
{
    Plan plan = {.peer = peer, .job = job, .aor = aor, .request = request, .now = peer_now(peer)};
    RegistrarReply reply = plan_begin(&plan);
    uint32_t kept = 0;
    uint32_t flows = 0;
    Contact contact;

    if (reply.status != 0) {
        return reply;
    }
    for (SipCursor at = {0}; reply.status == 0 && sip_next(request, SIP_H_CONTACT, &at);) {
        if (contact_read(at.element, &contact) != 0) {
            return refuse(400, "Malformed Contact");
        }
        if (contact.star) {
            return plan_star(&plan);
        }
        if (job->ops == NULL) {
            reply = plan_room(&plan, plan.contacts_len);
        }
        if (reply.status == 0) {
            reply = plan_contact(&plan, &contact);
        }
        kept += (contact.has_expires ? contact.expires_s : plan.expires_s) > 0;
        flows += contact.reg_id != 0 && plan.takes_flows;
    }
    if (reply.status == 0 && kept > 1 && flows > 0) {
        return refuse(400, "More Than One Flow"); /* RFC 5626 s.6 */
    }
    return reply.status != 0 ? reply : plan_limits(&plan);
}

RegistrarReply registrar_plan_operator(PealPeer *peer, RegistrarJob *job, const RegistrarAor *aor)
{
    Plan plan = {.peer = peer, .job = job, .aor = aor, .now = peer_now(peer)};
    const PealStr uri = {job->bytes + 1, (size_t)job->len - 2};
    Contact contact = {.q_milli = 1000};
    RegistrarReply reply = plan_room(&plan, 1);
    RegistrarOp op = {NULL, NULL};

    if (reply.status != 0) {
        return reply;
    }
    contact.element = (PealStr){job->bytes, job->len};
    contact.params = (PealStr){job->bytes + job->len, 0};
    if (sip_uri_parse(uri, &contact.uri) != 0) {
        return refuse(400, "Malformed URI");
    }
    op.old = aor != NULL ? bindings_find(aor, &contact, false) : NULL;
    if (job->expires_s > 0) {
        const Binding form = {
            .expires_at = peal_time_add(plan.now, peal_seconds(job->expires_s)),
            .q_milli = contact.q_milli,
            .contact_len = (uint16_t)job->len,
            .uri_at = 1,
            .uri_len = (uint16_t)uri.len,
            .flags = BINDING_OPERATOR,
        };

        op.fresh = binding_new(peer, &form);
        if (op.fresh == NULL) {
            return refuse(503, "Out of Memory");
        }
        memcpy(op.fresh->texts, job->bytes, job->len);
    }
    if (op.old == NULL && op.fresh == NULL) {
        return (RegistrarReply){404, NULL, -PEAL_E_NOT_FOUND};
    }
    job->ops[job->ops_len++] = op;
    return plan_limits(&plan);
}

void registrar_unplan(PealPeer *peer, RegistrarJob *job)
{
    for (uint32_t i = 0; i < job->ops_len; i++) {
        if (job->ops[i].fresh != NULL) {
            binding_free(peer, job->ops[i].fresh);
        }
    }
    if (job->ops != NULL) {
        peer_release(peer, job->ops, job->ops_cap * sizeof(RegistrarOp));
    }
    job->ops = NULL;
    job->ops_len = 0;
    job->ops_cap = 0;
}
