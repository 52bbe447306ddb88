/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * phone_state.h (internal) - the block that is one phone, and what its files share.
 * Source: RFC 3261 s.10, s.12 to s.15, s.22.   State: this.   Time: see peal/phone.h.
 */
#ifndef SIP_PHONE_STATE_H
#define SIP_PHONE_STATE_H

#include <peal/phone.h>

#include "sip/message.h"
#include "sip/stream.h"
#include "sip/text.h"
#include "sip/transaction.h"
#include "sip/value.h"

enum {
    PHONE_LINES_MAX = 4096,  /* bytes of header lines that one request is given */
    PHONE_BODY_MAX = 2048,   /* of a session description */
    PHONE_ROUTES_MAX = 32,   /* of one dialog */
    PHONE_ID_LEN = 16,       /* hexadecimal digits of a tag, a branch, a Call-ID */
    PHONE_CHALLENGES_MAX = 2 /* answered for one request: the second one, if the nonce was stale */
};

/* What a client transaction is for: the low bits of its arg, PHONE_TURNED, and a call's number
 * above. */
typedef enum PhonePurpose {
    PHONE_FOR_NOBODY,
    PHONE_FOR_REGISTER,
    PHONE_FOR_INVITE,
    PHONE_FOR_BYE
} PhonePurpose;
enum {
    PHONE_PURPOSES = 3, /* mask */
    PHONE_TURNED = 4,   /* the request went by TCP for its length alone */
    PHONE_NUMBER_SHIFT = 3
};

/* The texts of a dialog as the requests within it are written. */
typedef enum PhoneDialogPart {
    PHONE_CALL_ID,
    PHONE_LOCAL,       /* From, with its tag */
    PHONE_REMOTE,      /* To, with its tag once there is one */
    PHONE_TARGET,      /* Request-URI */
    PHONE_ROUTES,      /* Route lines */
    PHONE_CREDENTIALS, /* what answered a challenge to the INVITE, for its ACK too (22.1) */
    PHONE_HEADERS,     /* the caller's own, of the INVITE; these three until there is a dialog */
    PHONE_CONTENT_TYPE,
    PHONE_CONTENT,
    PHONE_PARTS
} PhoneDialogPart;

typedef struct PhoneDialog {
    char *text;
    uint16_t ends[PHONE_PARTS];
    PealHop hop; /* where its requests go */
} PhoneDialog;

typedef enum PhoneCallState {
    PHONE_CALLING, /* INVITE sent */
    PHONE_RINGING, /* INVITE received, 180 sent */
    PHONE_UNACKED, /* 2xx sent */
    PHONE_UP,
    PHONE_LEAVING, /* BYE sent */
    PHONE_OVER     /* told at the next wake */
} PhoneCallState;

typedef struct PhoneCall {
    struct PhoneCall *next;
    uint64_t token;
    uint64_t tag; /* its own */
    SipTx tx;     /* of its INVITE */
    uint32_t number;
    uint32_t cseq;        /* of this phone's last request, never lower than an INVITE's */
    uint32_t remote_cseq; /* the other side's last; 0 for none yet */
    uint32_t invite_cseq; /* of its INVITE, whoever sent it */
    PealSpan duration;    /* from the answer */
    PealTime started;     /* the INVITE, or the 2xx to one that came in */
    PealSpan to_ringing;
    PealSpan to_answer;
    PealTime due;      /* what comes next: CANCEL, a 180, the answer, a 2xx again, BYE, the last
                          word */
    PealTime give_up;  /* RINGING: the answer; UNACKED: no more 2xx */
    PealSpan interval; /* UNACKED: between them */
    PhoneDialog dialog;
    PealHop from;  /* an incoming INVITE's */
    uint8_t *kept; /* an incoming INVITE, then the 2xx to it until its ACK */
    uint32_t kept_len;
    uint16_t status; /* of the final response */
    uint16_t reply;  /* RINGING: what the answer will be */
    uint8_t state;   /* PhoneCallState */
    uint8_t challenges;
    bool incoming;
    bool give_in; /* to be ended as soon as the protocol allows */
    bool answered;
    bool hung_up;
    bool lost;
} PhoneCall;

typedef struct PhoneRegistration {
    uint64_t token;
    uint64_t call_id; /* one for all of a phone's REGISTERs (10.2) */
    PealTime due;     /* the next REGISTER */
    PealTime expires_at;
    uint32_t cseq;
    uint32_t expires_s; /* asked for; 0 takes the binding away */
    uint8_t failures;   /* in a row */
    uint8_t challenges;
    bool wanted;
    bool asking; /* a REGISTER is under way */
    bool owed;   /* the token's event */
    bool again;  /* what is asked for has changed meanwhile */
} PhoneRegistration;

struct PealPhone {
    PealEnv *env;
    const PealPhoneConfig *config;
    void *user;
    char *texts; /* AOR, user name, password, one behind the other */
    PhoneCall *calls;
    PealTime wake_at; /* what env->wake_at was last told */
    SipTransactions transactions;
    SipStreams streams;
    PhoneRegistration registration;
    PealHop proxy;
    PealAddr contact;
    uint32_t next_call;
    uint32_t calls_len;
    uint8_t aor_len;
    uint8_t username_len;
    uint8_t password_len;
    uint8_t at;     /* of the '@' in the AOR */
    bool datagrams; /* TCP was refused, so what is too long for a datagram goes as one (18.1.1) */
    bool dispatch;  /* inside a function that ends with phone_schedule */
};
_Static_assert(sizeof(PealPhone) <= 400, "an idle phone");

static inline PealTime phone_now(PealPhone *phone)
{
    return phone->env->ops->now(phone->env);
}
static inline PealStr phone_aor(const PealPhone *phone)
{
    return (PealStr){phone->texts, phone->aor_len};
}
static inline PealStr phone_aor_user(const PealPhone *phone)
{
    return (PealStr){phone->texts + 4, (size_t)phone->at - 4};
}
static inline PealStr phone_aor_domain(const PealPhone *phone)
{
    return (PealStr){phone->texts + phone->at + 1, (size_t)phone->aor_len - phone->at - 1};
}
static inline PealStr phone_password(const PealPhone *phone)
{
    return (PealStr){phone->texts + phone->aor_len + phone->username_len, phone->password_len};
}
PealStr phone_username(const PealPhone *phone);

/* phone.c */
void phone_schedule(PealPhone *phone);
static inline void phone_tell(PealPhone *phone, const PealPhoneEvent *event)
{
    phone->config->event(phone->user, phone, event);
}

/* phone_text.c: what a phone writes. */
typedef struct PhoneDraft {
    SipMethod method;
    uint32_t cseq;
    PealStr uri;
    PealStr from;
    PealStr to;
    PealStr call_id;
    PealStr lines; /* whole header lines */
    PealStr more;  /* likewise */
    PealStr content_type;
    PealStr body; /* or empty */
    PealHop hop;
} PhoneDraft;
uint64_t phone_random(PealPhone *phone);
void phone_put_id(SipText *text, uint64_t id);
void phone_put_contact_uri(const PealPhone *phone, SipText *text, bool tcp);
void phone_put_contact(const PealPhone *phone, SipText *text, bool tcp);
/* phone_send writes a request and sends it in a client transaction, an ACK without one. The hop
 * turns to TCP for what is too long, which adds PHONE_TURNED to arg. Returns as sip_tx_request. */
int phone_send(PealPhone *phone, PhoneDraft *draft, uint64_t arg, SipTx *ret_tx) PEAL_MUST_USE;
/* phone_put_offer describes a session of one audio stream which nobody sends on; phone_put_answer
 * the same as the answer to an offer, with a line for each of its streams (RFC 3264 s.6). */
void phone_put_offer(const PealPhone *phone, SipText *text);
void phone_put_answer(const PealPhone *phone, SipText *text, PealStr offer);

/* phone_digest.c: phone_put_credentials writes the header line that answers a 401 or 407; whether
 * it could. ret_stale: the refused credentials had only an old nonce. */
bool phone_put_credentials(PealPhone *phone, SipText *text, const SipMessage *challenge,
                           SipMethod method, PealStr uri, bool *ret_stale);

/* phone_dialog.c */
static inline PealStr phone_dialog_part(const PhoneDialog *dialog, PhoneDialogPart part)
{
    uint32_t start = part == PHONE_CALL_ID ? 0 : dialog->ends[part - 1];

    return (PealStr){dialog->text + start, dialog->ends[part] - start};
}
/* phone_dialog_set copies all parts, which may be parts of the dialog as it was. Returns 0,
 * -PEAL_E_MEMORY, or -PEAL_E_FULL where they are longer than a message may be. */
int phone_dialog_set(PealPhone *phone, PhoneDialog *dialog,
                     const PealStr parts[PHONE_PARTS]) PEAL_MUST_USE;
void phone_dialog_free(PealPhone *phone, PhoneDialog *dialog);
/* phone_dialog_learn takes the other side's Contact and the route set out of the message that makes
 * the dialog (12.1): a request, or a 2xx to one of ours. `remote` has the other side's tag. */
int phone_dialog_learn(PealPhone *phone, PhoneDialog *dialog, const SipMessage *message,
                       PealStr local, PealStr remote) PEAL_MUST_USE;
/* phone_dialog_draft begins a request within the dialog, or the one that makes it. */
PhoneDraft phone_dialog_draft(const PhoneDialog *dialog, SipMethod method, uint32_t cseq);
PealStr phone_tag(PealStr address); /* of From or To; empty */

/* phone_register.c */
void phone_registration_on_wake(PealPhone *phone, PealTime now);
void phone_registration_on_response(PealPhone *phone, const SipMessage *response);
void phone_registration_on_failed(PealPhone *phone, unsigned status);
/* phone_registration_again sends what could not be sent once more. */
void phone_registration_again(PealPhone *phone);

/* phone_call.c */
PhoneCall *phone_call_new(PealPhone *phone);
void phone_call_free(PealPhone *phone, PhoneCall *call);
PhoneCall *phone_call_numbered(const PealPhone *phone, uint32_t number);
/* phone_call_end tells the last word on a call and forgets it. From on_* only. */
void phone_call_end(PealPhone *phone, PhoneCall *call, unsigned status);
void phone_call_bye(PealPhone *phone, PhoneCall *call);
/* phone_call_send sends a request within the dialog, or the one that makes it; `more` lines with a
 * BYE. */
int phone_call_send(PealPhone *phone, PhoneCall *call, SipMethod method,
                    PealStr more) PEAL_MUST_USE;
void phone_call_on_invite_response(PealPhone *phone, PhoneCall *call, const SipMessage *response);
void phone_call_on_bye_response(PealPhone *phone, PhoneCall *call, const SipMessage *response);
void phone_call_on_wake(PealPhone *phone, PhoneCall *call);
/* phone_call_again sends an INVITE or BYE that could not be sent once more; whether it could. */
bool phone_call_again(PealPhone *phone, PhoneCall *call, SipMethod method);
/* phone_call_event fills in what all of a call's events have. */
PealPhoneEvent phone_call_event(const PhoneCall *call, PealPhoneEventKind kind);

/* phone_answer.c: what comes in. */
void phone_on_request(void *user, SipTx tx, const SipMessage *request, const PealHop *from,
                      SipTx matched);
void phone_on_ack(void *user, const SipMessage *ack, const PealHop *from);
/* phone_answer_wait lets a call ring until call->give_up; phone_answer_due says that it still
 * rings, or answers or refuses it. */
void phone_answer_wait(PealPhone *phone, PhoneCall *call);
void phone_answer_due(PealPhone *phone, PhoneCall *call);
void phone_answer_refuse(PealPhone *phone, PhoneCall *call, uint16_t status);
/* phone_answer_again sends the 2xx once more, or gives up (13.3.1.4). */
void phone_answer_again(PealPhone *phone, PhoneCall *call);

#endif
