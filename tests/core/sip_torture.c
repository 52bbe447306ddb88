/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sip_torture.c - the table of sip_torture.h, in the order of RFC 4475. */
#include "core/sip_torture.h"

#include <stdio.h>
#include <stdlib.h>

enum { PATH_LEN_MAX = 4096 };

#define BAD (-PEAL_E_VALUE)

const SipTorture sip_torture[SIP_TORTURE_LEN] = {
    {"wsinv", "3.1.1.1", 0, 0, true},
    {"intmeth", "3.1.1.2", 0, 0, true},
    {"esc01", "3.1.1.3", 0, 0, true},
    {"escnull", "3.1.1.4", 0, 0, true},
    {"esc02", "3.1.1.5", 0, 0, true},
    {"lwsdisp", "3.1.1.6", 0, 0, true},
    {"longreq", "3.1.1.7", 0, 0, true},
    {"dblreq", "3.1.1.8", 0, 0, true},
    {"semiuri", "3.1.1.9", 0, 0, true},
    {"transports", "3.1.1.10", 0, 0, true},
    {"mpart01", "3.1.1.11", 0, 0, true},
    {"unreason", "3.1.1.12", 0, 0, false}, /* responses from here to the next section */
    {"noreason", "3.1.1.13", 0, 0, false},
    {"badinv01", "3.1.2.1", 0, 400, true},
    {"clerr", "3.1.2.2", -PEAL_E_TRUNCATED, 0, true},
    {"ncl", "3.1.2.3", BAD, 0, true},
    {"scalar02", "3.1.2.4", 0, 400, true},
    {"scalarlg", "3.1.2.5", 0, 400, false}, /* a response: drop it */
    {"quotbal", "3.1.2.6", 0, 400, true},
    {"ltgtruri", "3.1.2.7", BAD, 0, true},
    {"lwsruri", "3.1.2.8", BAD, 0, true},
    {"lwsstart", "3.1.2.9", BAD, 0, true},
    {"trws", "3.1.2.10", BAD, 0, true},
    {"escruri", "3.1.2.11", 0, 400, true},
    {"baddate", "3.1.2.12", 0, 0, true},  /* nobody here reads Date */
    {"regbadct", "3.1.2.13", 0, 0, true}, /* the registrar's to refuse, when it reads the Contact */
    {"badaspec", "3.1.2.14", 0, 400, true},
    {"baddn", "3.1.2.15", 0, 400, true},
    {"badvers", "3.1.2.16", -PEAL_E_VERSION, 0, true}, /* 505 */
    {"mismatch01", "3.1.2.17", 0, 400, true},
    {"mismatch02", "3.1.2.18", 0, 400, true}, /* 501 as well */
    {"bigcode", "3.1.2.19", BAD, 0, false},   /* a response: drop it */
    {"badbranch", "3.2.1", 0, 400, true},
    {"insuf", "3.3.1", 0, 400, true},
    {"unkscm", "3.3.2", 0, 0, true},  /* 416 by the proxy */
    {"novelsc", "3.3.3", 0, 0, true}, /* 416 by the proxy */
    {"unksm2", "3.3.4", 0, 0, true},  /* 400 by a registrar */
    {"bext01", "3.3.5", 0, 0, true},  /* 420 by the proxy */
    {"invut", "3.3.6", 0, 0, true},
    {"regaut01", "3.3.7", 0, 0, true}, /* 401 by a registrar that authenticates */
    {"multi01", "3.3.8", 0, 400, true},
    {"mcl01", "3.3.9", BAD, 0, true},
    {"bcast", "3.3.10", 0, 400, false}, /* a response: drop it */
    {"zeromf", "3.3.11", 0, 0, true},   /* 483 by the proxy */
    {"cparam01", "3.3.12", 0, 0, true},
    {"cparam02", "3.3.13", 0, 0, true},
    {"regescrt", "3.3.14", 0, 0, true},
    {"sdp01", "3.3.15", 0, 0, true},
    {"inv2543", "3.4.1", 0, 0, true},
};

size_t sip_torture_load(const SipTorture *torture, char *ret_bytes, size_t cap)
{
    const char *root = getenv("PEAL_SOURCE_ROOT");
    char path[PATH_LEN_MAX];
    size_t len;
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/../shared/data/sip-torture/%s.dat",
                   root != NULL ? root : ".", torture->name);
    file = fopen(path, "rb");
    if (file == NULL) {
        return 0;
    }
    len = fread(ret_bytes, 1, cap, file);
    (void)fclose(file);
    return len;
}
