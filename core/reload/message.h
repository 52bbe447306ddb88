/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * message.h - the messages of RELOAD as structs; codec.h turns them into bytes and back.
 * Source: RFC 6940 s.6.3 - s.7.4, s.10.7 - s.10.9; RFC 7904 s.3.2.
 * State:  none: a decoded message borrows from the packet it was read from and allocates nothing.
 * Time:   none.
 *
 * Lists are views of encoded elements that the decoder has already walked once, so that the
 * iterators of codec.h cannot fail on them. To build a list, put its elements one by one into a
 * Writer and take a view of that.
 */
#ifndef RELOAD_MESSAGE_H
#define RELOAD_MESSAGE_H

#include <peal/peer.h>

#define RELOAD_TOKEN UINT32_C(0xd2454c4f) /* "RELO" with the high bit of its first byte set */
#define RELOAD_FRAGMENT_WHOLE UINT32_C(0xc0000000) /* fragment field of an unfragmented message */

enum {
    RELOAD_VERSION = 0x0a,
    RELOAD_HEADER_LEN = 38,
    RELOAD_NODE_ENTRY_LEN = 18,     /* a Destination that is a Node-ID */
    RELOAD_RESOURCE_ENTRY_LEN = 19, /* one that is a 16-byte Resource-ID */
    RELOAD_DATA_FRAME_LEN = 8,      /* before a message: type, sequence, 24-bit length */
    RELOAD_ACK_FRAME_LEN = 9
};

/* Message codes (s.14.8). An answer's code is its request's plus one. */
#define RELOAD_CODES(X)                           \
    X(PROBE_REQ, 1, "probe_req")                  \
    X(PROBE_ANS, 2, "probe_ans")                  \
    X(ATTACH_REQ, 3, "attach_req")                \
    X(ATTACH_ANS, 4, "attach_ans")                \
    X(STORE_REQ, 7, "store_req")                  \
    X(STORE_ANS, 8, "store_ans")                  \
    X(FETCH_REQ, 9, "fetch_req")                  \
    X(FETCH_ANS, 10, "fetch_ans")                 \
    X(FIND_REQ, 13, "find_req")                   \
    X(FIND_ANS, 14, "find_ans")                   \
    X(JOIN_REQ, 15, "join_req")                   \
    X(JOIN_ANS, 16, "join_ans")                   \
    X(LEAVE_REQ, 17, "leave_req")                 \
    X(LEAVE_ANS, 18, "leave_ans")                 \
    X(UPDATE_REQ, 19, "update_req")               \
    X(UPDATE_ANS, 20, "update_ans")               \
    X(ROUTE_QUERY_REQ, 21, "route_query_req")     \
    X(ROUTE_QUERY_ANS, 22, "route_query_ans")     \
    X(PING_REQ, 23, "ping_req")                   \
    X(PING_ANS, 24, "ping_ans")                   \
    X(STAT_REQ, 25, "stat_req")                   \
    X(STAT_ANS, 26, "stat_ans")                   \
    X(APP_ATTACH_REQ, 29, "app_attach_req")       \
    X(APP_ATTACH_ANS, 30, "app_attach_ans")       \
    X(CONFIG_UPDATE_REQ, 33, "config_update_req") \
    X(CONFIG_UPDATE_ANS, 34, "config_update_ans") \
    X(ERROR, 0xffff, "error")

typedef enum ReloadCode {
#define X(name, code, text) RELOAD_##name = (code),
    RELOAD_CODES(X)
#undef X
} ReloadCode;

typedef enum ReloadErrorCode {
    RELOAD_ERROR_NONE = 0,
    RELOAD_ERROR_FORBIDDEN = 2,
    RELOAD_ERROR_NOT_FOUND = 3,
    RELOAD_ERROR_REQUEST_TIMEOUT = 4,
    RELOAD_ERROR_GENERATION_COUNTER_TOO_LOW = 5,
    RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY = 6,
    RELOAD_ERROR_UNSUPPORTED_FORWARDING_OPTION = 7,
    RELOAD_ERROR_DATA_TOO_LARGE = 8,
    RELOAD_ERROR_DATA_TOO_OLD = 9,
    RELOAD_ERROR_TTL_EXCEEDED = 10,
    RELOAD_ERROR_MESSAGE_TOO_LARGE = 11,
    RELOAD_ERROR_UNKNOWN_KIND = 12,
    RELOAD_ERROR_UNKNOWN_EXTENSION = 13,
    RELOAD_ERROR_RESPONSE_TOO_LARGE = 14,
    RELOAD_ERROR_CONFIG_TOO_OLD = 15,
    RELOAD_ERROR_CONFIG_TOO_NEW = 16,
    RELOAD_ERROR_IN_PROGRESS = 17,
    RELOAD_ERROR_INVALID_MESSAGE = 20
} ReloadErrorCode;

enum {
    RELOAD_LINK_DTLS_UDP_SR = 1,
    RELOAD_LINK_DTLS_UDP_SR_NO_ICE = 3,
    RELOAD_LINK_TLS_TCP_FH_NO_ICE = 4,
    RELOAD_LINK_EXP = 5
};
enum {
    RELOAD_OPTION_EXP_FORWARD = 1,
    RELOAD_OPTION_FORWARD_CRITICAL = 1,
    RELOAD_OPTION_DESTINATION_CRITICAL = 2,
    RELOAD_OPTION_RESPONSE_COPY = 4
};

typedef enum ReloadDestType {
    RELOAD_DEST_NODE = 1,
    RELOAD_DEST_RESOURCE = 2,
    RELOAD_DEST_OPAQUE = 3
} ReloadDestType;

/*
 * One entry of a via or destination list. A decoder fills in `opaque` for resources and opaque ids,
 * and `id` too when it has 16 bytes; whoever makes a resource entry may set `id` alone.
 */
typedef struct ReloadDest {
    ReloadDestType type;
    PealId id;        /* node; resource when opaque.len is 16 */
    PealBytes opaque; /* an opaque id, or a Resource-ID of any length */
} ReloadDest;

/* Header fields; the three lists are views of encoded entries. */
typedef struct ReloadHeader {
    uint32_t overlay;
    uint16_t config_sequence;
    uint8_t ttl;
    uint32_t fragment;
    uint32_t length; /* of this fragment, header included */
    uint64_t transaction;
    uint32_t max_response_length;
    PealBytes via;
    PealBytes dest;
    PealBytes options;
} ReloadHeader;

typedef struct ReloadOption {
    uint8_t type;
    uint8_t flags;
    PealBytes value;
} ReloadOption;

typedef struct ReloadExtension {
    uint16_t type;
    bool critical;
    PealBytes contents;
} ReloadExtension;

typedef enum ReloadSigner {
    RELOAD_SIGNER_CERT_HASH = 1,
    RELOAD_SIGNER_CERT_HASH_NODE_ID = 2,
    RELOAD_SIGNER_NONE = 3
} ReloadSigner;

typedef struct ReloadSignature {
    uint8_t hash; /* algorithm */
    uint8_t sign;
    ReloadSigner identity;
    uint8_t identity_hash; /* algorithm of the identity's hash */
    PealBytes identity_value;
    PealBytes value;
} ReloadSignature;

typedef struct ReloadSecurity {
    PealBytes certificates; /* list */
    ReloadSignature signature;
} ReloadSecurity;

/* A whole message, contents still encoded. */
typedef struct ReloadMessage {
    ReloadHeader header;
    uint16_t code;
    PealBytes body;
    PealBytes extensions; /* list */
    ReloadSecurity security;
} ReloadMessage;

/* Bodies. A PealBytes named `...s` is a list of encoded elements; ids are 16 bytes each. */
typedef struct ReloadProbeReq {
    PealBytes requested; /* one byte each */
} ReloadProbeReq;

enum { RELOAD_PROBE_RESPONSIBLE_SET = 1, RELOAD_PROBE_NUM_RESOURCES = 2, RELOAD_PROBE_UPTIME = 3 };
typedef struct ReloadProbeInfo {
    uint8_t type;
    uint32_t value;
} ReloadProbeInfo;
typedef struct ReloadProbeAns {
    PealBytes infos; /* of ReloadProbeInfo; unknown types are skipped by the iterator */
} ReloadProbeAns;

enum { RELOAD_CANDIDATE_HOST = 1, RELOAD_CANDIDATE_SRFLX = 2, RELOAD_CANDIDATE_RELAY = 4 };
typedef struct ReloadCandidate {
    PealAddr addr;
    uint8_t link; /* overlay link type */
    PealBytes foundation;
    uint32_t priority;
    uint8_t type;
    PealAddr related; /* srflx and relay */
    PealBytes extensions;
} ReloadCandidate;
/* AttachReq and AttachAns are one struct (s.6.5.1.1). */
typedef struct ReloadAttach {
    PealBytes ufrag;
    PealBytes password;
    PealBytes role; /* "passive" in the request, "active" in the answer */
    PealBytes candidates;
    bool send_update;
} ReloadAttach;
typedef struct ReloadAppAttach {
    PealBytes ufrag;
    PealBytes password;
    uint16_t application;
    PealBytes role;
    PealBytes candidates;
} ReloadAppAttach;

typedef struct ReloadJoinReq {
    PealId joining;
    PealBytes data;
} ReloadJoinReq;
typedef struct ReloadJoinAns {
    PealBytes data;
} ReloadJoinAns;

enum { CHORD_LEAVE_FROM_SUCC = 1, CHORD_LEAVE_FROM_PRED = 2 };
typedef struct ReloadLeaveReq {
    PealId leaving;
    PealBytes data; /* ChordLeave, encoded */
} ReloadLeaveReq;
typedef struct ChordLeave {
    uint8_t type;
    PealBytes ids;
} ChordLeave;

enum { CHORD_UPDATE_PEER_READY = 1, CHORD_UPDATE_NEIGHBORS = 2, CHORD_UPDATE_FULL = 3 };
typedef struct ChordUpdate {
    uint32_t uptime_s;
    uint8_t type;
    PealBytes predecessors;
    PealBytes successors;
    PealBytes fingers;
} ChordUpdate;

typedef struct ReloadRouteQueryReq {
    bool send_update;
    ReloadDest dest;
    PealBytes data;
} ReloadRouteQueryReq;
typedef struct ChordRouteQueryAns {
    PealId next;
} ChordRouteQueryAns;

typedef struct ReloadPingReq {
    PealBytes padding;
} ReloadPingReq;
typedef struct ReloadPingAns {
    uint64_t response_id;
    uint64_t time_ms;
} ReloadPingAns;

enum { RELOAD_CONFIG_UPDATE_CONFIG = 1, RELOAD_CONFIG_UPDATE_KIND = 2 };
typedef struct ReloadConfigUpdateReq {
    uint8_t type;
    PealBytes data; /* config: the document; kind: list of <u16> descriptions */
} ReloadConfigUpdateReq;

typedef struct ReloadErrorRes {
    uint16_t code;
    PealBytes info;
} ReloadErrorRes;

/* A stored value. Which of index and key counts is the Kind's data model's business. */
typedef struct ReloadStored {
    uint64_t storage_time_ms;
    uint32_t lifetime_s;
    uint32_t index; /* ARRAY */
    PealBytes key;  /* DICTIONARY */
    bool exists;
    PealBytes value;
    ReloadSignature signature;
} ReloadStored;

typedef struct ReloadStoreReq {
    PealBytes resource;
    uint8_t replica;
    PealBytes kinds; /* of ReloadKindData */
} ReloadStoreReq;
/* One Kind of a StoreReq or a FetchAns. The decoder cannot know the model: the caller says it to
 * the iterator. */
typedef struct ReloadKindData {
    uint32_t kind;
    uint64_t generation;
    PealBytes values; /* of ReloadStored or ReloadStoredMeta */
} ReloadKindData;
typedef struct ReloadStoreAns {
    PealBytes kinds; /* of ReloadStoreKindAns */
} ReloadStoreAns;
typedef struct ReloadStoreKindAns {
    uint32_t kind;
    uint64_t generation;
    PealBytes replicas; /* ids */
} ReloadStoreKindAns;

typedef struct ReloadFetchReq {
    PealBytes resource;
    PealBytes specifiers; /* of ReloadSpecifier */
} ReloadFetchReq;         /* StatReq is the same */
typedef struct ReloadSpecifier {
    uint32_t kind;
    uint64_t generation;
    PealBytes
        selector; /* ARRAY: list of ranges<u16>; DICTIONARY: list of keys<u16>; SINGLE: empty */
} ReloadSpecifier;
typedef struct ReloadRange {
    uint32_t first;
    uint32_t last;
} ReloadRange;
typedef struct ReloadFetchAns {
    PealBytes kinds; /* of ReloadKindData */
} ReloadFetchAns;    /* StatAns the same, with ReloadStoredMeta values */
typedef struct ReloadStoredMeta {
    uint64_t storage_time_ms;
    uint32_t lifetime_s;
    uint32_t index;
    PealBytes key;
    bool exists;
    uint32_t length; /* MetaData's */
    uint8_t hash;
    PealBytes digest;
} ReloadStoredMeta;

typedef struct ReloadFindReq {
    PealBytes resource;
    PealBytes kinds; /* 4 bytes each, no duplicates */
} ReloadFindReq;
typedef struct ReloadFindAns {
    PealBytes results; /* of ReloadFindResult */
} ReloadFindAns;
typedef struct ReloadFindResult {
    uint32_t kind;
    PealBytes closest; /* one zero byte-string (length 0) when none */
} ReloadFindResult;

enum { SIP_REGISTRATION_URI = 1, SIP_REGISTRATION_ROUTE = 2 };
typedef struct SipRegistration {
    uint8_t type;
    PealBytes uri;           /* type 1 */
    PealBytes contact_prefs; /* type 2 */
    PealBytes dest;          /* type 2: Destination list */
} SipRegistration;

#endif
