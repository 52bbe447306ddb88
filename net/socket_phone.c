/* SPDX-License-Identifier: GPL-3.0-or-later */
/* socket_phone.c - see socket_phone.h. */
#include "socket_phone.h"

#include <stdlib.h>
#include <string.h>

enum { PHONE_ALIGN = 16 };

static PealStr text_of(const char *text)
{
    return (PealStr){text, text != NULL ? strlen(text) : 0};
}

int socket_phone_open(SocketPhone *phone, PhoneEnv *env_take, const PealPhoneConfig *config,
                      const SocketPhoneWho *who, void *user)
{
    const PealPhoneIdentity identity = {.aor = who->aor,
                                        .contact = *phone_env_local(env_take),
                                        .proxy = {.addr = who->proxy, .transport = PEAL_UDP},
                                        .username = text_of(who->username),
                                        .password = text_of(who->password)};
    void *memory = aligned_alloc(PHONE_ALIGN, peal_phone_size());
    PealPhone *core;
    int status;

    PEAL_ASSERT(memory != NULL);
    memset(memory, 0, peal_phone_size());
    status = peal_phone_init(memory, phone_env_ops(env_take), config, &identity, user, &core);
    if (status != 0) {
        free(memory);
        phone_env_free(env_take);
        return status;
    }
    phone_env_serve(env_take, core);
    *phone = (SocketPhone){.env = env_take, .core = core};
    return 0;
}

void socket_phone_close(SocketPhone *phone)
{
    if (phone->core != NULL) {
        peal_phone_fini(phone->core);
        phone_env_free(phone->env);
        free(phone->core);
        *phone = (SocketPhone){0};
    }
}

int socket_phone_ask(SocketPhone *phone, uint32_t expires_s)
{
    int status;

    if (phone->asking) {
        phone->next_s = expires_s;
        phone->more = true;
        return 0;
    }
    status = expires_s > 0 ? peal_phone_register(phone->core, expires_s, 0)
                           : peal_phone_unregister(phone->core, 0);
    phone->asked_s = status == 0 ? expires_s : phone->asked_s;
    phone->asking = status == 0;
    return status;
}

int socket_phone_asked(SocketPhone *phone)
{
    bool more = phone->more;

    phone->asking = false;
    phone->more = false;
    return more ? socket_phone_ask(phone, phone->next_s) : 0;
}

void socket_phone_answered(RecorderCall *record, const PealPhoneEvent *event, PealSpan rung)
{
    int64_t answer_ns = event->to_answer.ns - rung.ns;

    record->status = event->status;
    record->setup = event->to_ringing.ns >= 0 ? event->to_ringing : event->to_answer;
    record->answer.ns = answer_ns > 0 ? answer_ns : 0;
}
