/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * proxy_state.h (internal) - a request on its way through the proxy, and what its files share.
 * Source: RFC 3261 s.16 (response context, target set).   State: this.   Time: see proxy.h.
 */
#ifndef SIP_PROXY_STATE_H
#define SIP_PROXY_STATE_H

#include "sip/edit.h"
#include "sip/state.h"
#include "sip/value.h"

enum {
    PROXY_BRANCHES_MAX = 96,     /* targets, and lookups that led to them */
    PROXY_STEPS_MAX = 8,         /* from one AOR to another it stands for */
    PROXY_ALTERNATIVES_MAX = 8,  /* targets of one host name */
    PROXY_CHALLENGES_MAX = 8192, /* bytes of challenges to merge */
    PROXY_BREADTH = 60,          /* RFC 5393 s.5.3.3 */
    PROXY_FORWARDS = 70,         /* 16.6 step 3 */
    PROXY_LAST_ROUTE_MAX = 2048, /* a Request-URI that a strict router is to restore */
    PROXY_Q_REMOTE = 1000,       /* other adapters' bindings, and AORs that stand for others */
    PROXY_INSIDE_MAX = 2,        /* addresses of a dialog's sides */
    PROXY_BRANCH_NONE = 255      /* in a handle: the context itself */
};
/* How long a request that everybody else has refused waits for adapters which say nothing. */
#define PROXY_PATIENCE peal_seconds(2)
/* An adapter answers AppAttach and INVITE at once, with 100 if nothing else; one that is silent so
 * long is gone. */
#define PROXY_ADAPTER_SILENCE peal_seconds(8)

/*
 * What a request's Route said (16.4), and so who it is from.
 *
 * Whoever has been in a call with a user of the overlay has tokens of it. They let him reach the
 * user's phone inside that dialog; they must not make this adapter send what he likes to where he
 * likes. So his request goes to the phone, or by a Route to an address on the inside that a token
 * names, and nowhere else.
 */
typedef struct ProxyRoute {
    PealHop hop;                       /* flow */
    PealAddr inside[PROXY_INSIDE_MAX]; /* of the dialog's sides, those that are the overlay's own */
    uint8_t inside_len;
    uint8_t own;  /* Route values on top that name this adapter */
    bool strict;  /* the Request-URI was this adapter's Record-Route: the last Route is the URI */
    bool left;    /* there are more Route values */
    bool peer;    /* another adapter sent it to this one */
    bool dialog;  /* with a token of this adapter's: a request inside a dialog it record-routed */
    bool flow;    /* the token names a hop */
    bool dead;    /* whose connection is gone */
    bool insider; /* it came from an address on the inside */
    bool inward;  /* it goes to one, by its next Route or its URI */
    bool guarded; /* it may go to addresses on the inside only */
} ProxyRoute;

typedef enum BranchKind {
    BRANCH_AOR,  /* an AOR to be looked up: no target, but leads to some */
    BRANCH_PEER, /* another adapter */
    BRANCH_HOP,  /* a hop that is known: a phone's flow */
    BRANCH_URI   /* by its first Route or its Request-URI */
} BranchKind;

typedef enum BranchState {
    BRANCH_WAITING, /* for its group's turn */
    BRANCH_SPARE,   /* for the failure of another way to the same phone */
    BRANCH_ASKING,  /* the overlay, DNS, or for an AppAttach */
    BRANCH_CALLING, /* its client transaction is under way */
    BRANCH_DONE
} BranchState;

typedef struct ProxyBranch {
    char *text;               /* a Request-URI, then Route values; NULL while both are empty */
    PealTarget *alternatives; /* of its host name; NULL, or room for PROXY_ALTERNATIVES_MAX */
    SipTx tx;
    PealTime deadline; /* Timer C, or an adapter's silence */
    PealHop hop;
    PealId id;          /* BRANCH_PEER: Node-ID; BRANCH_AOR: Resource-ID */
    uint16_t uri_len;   /* 0: the Request-URI stays */
    uint16_t route_len; /* 0: none is pushed */
    uint16_t q_milli;
    uint8_t kind;
    uint8_t state;
    uint8_t steps;
    uint8_t breadth;      /* its share of the context's (RFC 5393) */
    uint8_t phone_number; /* branches with the same one, not 0, lead to one phone (RFC 5626) */
    uint8_t alternatives_len;
    uint8_t alternative; /* the one in use */
    bool phone;          /* the hop is a phone's own flow: its URI may lead nowhere */
    bool bound;          /* one of this adapter's bindings */
    bool guarded;        /* only an address on the inside will do */
    bool provisional;    /* one came */
    bool cancelled;
    bool grown; /* by TCP only because of its size: UDP is left (18.1.1) */
} ProxyBranch;

/* The response context (16). */
struct ProxyContext {
    PealTime deadline; /* the earliest of its own and its branches' */
    PealTime group_at; /* the group's time is over */
    PealTime patience_at;
    SipTx server; /* 0: an ACK */
    PealHop from;
    ProxyRoute route;
    uint8_t *request; /* until the final answer */
    ProxyBranch *branches;
    uint8_t *best; /* the best final response so far; NULL: best_status is this proxy's own */
    char *challenges;
    uint32_t number;
    uint32_t generation;
    uint32_t heap_at; /* UINT32_MAX: not in the heap */
    uint32_t request_len;
    uint32_t branches_cap;
    uint32_t branches_len;
    uint32_t targets; /* branches but AORs */
    uint32_t best_len;
    uint32_t challenges_len;
    uint16_t challenges_from; /* responses */
    uint16_t best_status;     /* 0: none */
    uint8_t breadth;          /* incoming Max-Breadth */
    uint16_t group_q;         /* branches of at least this q have been started */
    SipMethod method;
    bool busy;      /* proxy_advance is at work further up the stack */
    bool cancelled; /* by its sender */
    bool answered;  /* finally */
    bool asked_user;
    bool asking_user; /* the world is to say whether there is such a user */
    bool unknown;     /* the overlay has no record of its AOR */
    bool throttled;   /* a branch was not sent, for its server is overloaded */
};

/* proxy_context.c: contexts, their names and their deadlines. */
ProxyContext *proxy_context_new(PealPeer *peer, SipTx server, const SipMessage *request,
                                const PealHop *from);
void proxy_context_free(PealPeer *peer, ProxyContext *context);
/* proxy_context_settle releases what nothing needs after the final answer. */
void proxy_context_settle(PealPeer *peer, ProxyContext *context);
uint64_t proxy_handle(const ProxyContext *context, uint32_t branch);
/* proxy_context_of: NULL when it is gone. */
ProxyContext *proxy_context_of(PealPeer *peer, uint64_t handle);
ProxyBranch *proxy_branch_of(ProxyContext *context, uint64_t handle);
/* proxy_context_request scans the context's copy of the request; false when there is none any
 * more. */
bool proxy_context_request(const ProxyContext *context, SipMessage *ret_request) PEAL_MUST_USE;
/* proxy_context_time works the deadline out anew. */
void proxy_context_time(PealPeer *peer, ProxyContext *context);

/* proxy_route.c: 16.4. */
/* proxy_route_read returns 0, or the status to refuse the request with. */
unsigned proxy_route_read(PealPeer *peer, const SipMessage *request, const PealHop *from,
                          ProxyRoute *ret_route);
/* proxy_is_inside: is this an address of the dialog's inside? Port 0, here or there, is any: NATs
 * change those of who sends, and connections have theirs. */
bool proxy_is_inside(const ProxyRoute *route, const PealAddr *addr);
/* proxy_host is the host that a URI sends to: its maddr, or what it names. */
PealStr proxy_host(const SipUri *uri);
/* proxy_route_uri is the Request-URI that the request goes on with. */
PealStr proxy_route_uri(const SipMessage *request, const ProxyRoute *route);
/* proxy_route_next is the first Route value that is left, or an empty one. */
PealStr proxy_route_next(const SipMessage *request, const ProxyRoute *route);
/* proxy_route_strip takes off what was this adapter's; `first` too the first that is left. */
void proxy_route_strip(SipEdit *edit, const ProxyRoute *route, bool first);

/* proxy_check.c: 16.3. */
typedef struct ProxyRefusal {
    unsigned status; /* 0: none */
    const char *why; /* NULL: as usual */
    PealStr headers; /* whole lines */
    char text[512];
} ProxyRefusal;
void proxy_check(PealPeer *peer, const SipMessage *request, const ProxyRoute *route,
                 ProxyRefusal *ret_refusal);
/* proxy_loop_hash is the second part of a branch (RFC 5393 s.4.2.1). */
uint64_t proxy_loop_hash(const SipMessage *request, const ProxyRoute *route);
void proxy_put_hash(SipText *text, uint64_t hash); /* 16 digits */
/* proxy_from_domain: the configured domain of From; ptr NULL when it is none of the overlay's. */
PealStr proxy_from_domain(PealPeer *peer, const SipMessage *request);
/* proxy_must_authenticate: does the sender have to say who it is, and in which realm? */
bool proxy_must_authenticate(PealPeer *peer, const SipMessage *request, const ProxyRoute *route,
                             PealStr *ret_realm);
bool proxy_has_to_tag(const SipMessage *request);
/* proxy_is_trusted: by its Route alone, this request may go where it says. */
bool proxy_is_trusted(const ProxyRoute *route);
/* proxy_may_vouch: does From name a user of the overlay's, and can he be asked for his password,
 * where there are any? Nobody can challenge an ACK or a CANCEL. */
bool proxy_may_vouch(PealPeer *peer, const SipMessage *request);

/* proxy_target.c: 16.5. */
/* proxy_is_aor: does a URI name a user of the overlay's domains, or the domain? `bound`: as
 * a contact, where a numeric host with a port of its own is a host. */
bool proxy_is_aor(PealPeer *peer, const SipUri *uri, bool bound);
void proxy_targets(PealPeer *peer, ProxyContext *context, const SipMessage *request);
/* proxy_branch_text gives it its texts, copied, in place of others. Returns 0, -PEAL_E_MEMORY or
 * -PEAL_E_TOO_LARGE. */
int proxy_branch_text(PealPeer *peer, ProxyBranch *branch, PealStr uri,
                      PealStr route) PEAL_MUST_USE;
void proxy_branch_drop_text(PealPeer *peer, ProxyBranch *branch);

/* proxy_aor_start looks an AOR up, here and in the overlay. */
void proxy_aor_start(PealPeer *peer, ProxyContext *context, uint32_t index);

/* proxy_branch.c: 16.6. */
/* proxy_branch_start takes a branch from WAITING on. */
void proxy_branch_start(PealPeer *peer, ProxyContext *context, const SipMessage *request,
                        uint32_t index);
/* proxy_branch_failed: no answer from where it went; the next alternative, or the end of it. */
void proxy_branch_failed(PealPeer *peer, ProxyContext *context, const SipMessage *request,
                         uint32_t index, int error);
/* proxy_branch_next tries the next alternative, if there is one. */
bool proxy_branch_next(PealPeer *peer, ProxyContext *context, const SipMessage *request,
                       uint32_t index);
/* proxy_branch_spare lets another way to the same phone have its turn, if there is one. */
void proxy_branch_spare(ProxyContext *context, const ProxyBranch *branch);
/* proxy_branch_end ends it with this proxy's own verdict. */
void proxy_branch_end(PealPeer *peer, ProxyContext *context, ProxyBranch *branch, unsigned status);

/* proxy_ask_user asks whether the world knows the user that the request is for; false when nobody
 * can be asked. */
bool proxy_ask_user(PealPeer *peer, ProxyContext *context, const SipMessage *request);

/* proxy_forward.c: a request's bytes for one branch. */
/* proxy_first_value is the first of comma-separated Route or Path values. */
PealStr proxy_first_value(PealStr values);
/* proxy_forward sends it: returns 0 or an error of sip_tx_request. */
int proxy_forward(PealPeer *peer, ProxyContext *context, const SipMessage *request, uint32_t index);
/* proxy_put_length writes the Content-Length that a stream needs and a datagram may lack (18.3). */
void proxy_put_length(SipText *text, const SipMessage *message);

/* proxy_response.c: 16.7. */
/* proxy_candidate notes a final answer; response NULL: this proxy's own. */
void proxy_candidate(PealPeer *peer, ProxyContext *context, unsigned status,
                     const SipMessage *response);
/* proxy_finish answers with the best, once. */
void proxy_finish(PealPeer *peer, ProxyContext *context, const SipMessage *request);
/* proxy_user_is takes the world's word on the user that the overlay does not know: 0 or an
 * error. */
void proxy_user_is(PealPeer *peer, ProxyContext *context, int status);
/* proxy_reply answers with this proxy's own words, and ends the context's work. */
void proxy_reply(PealPeer *peer, ProxyContext *context, const SipMessage *request,
                 const SipAnswer *answer);

/* proxy.c. */
/* proxy_advance starts what may start, and answers when nothing is left to wait for. The context of
 * an ACK may be gone afterwards. */
void proxy_advance(PealPeer *peer, ProxyContext *context, const SipMessage *request);
/* proxy_cancel_branches asks all branches to give up. */
void proxy_cancel_branches(PealPeer *peer, ProxyContext *context);

#endif
