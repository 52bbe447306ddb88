/*
 * claims.h - what publications and calculations say that an overlay does, each with what Peal's own
 *            runs are asked to compare with it.
 * Source: named by each claim.
 * State:  constant tables.   Time: none.
 */
#ifndef VALIDATE_CLAIMS_H
#define VALIDATE_CLAIMS_H

#include <stddef.h>

/* How far a measured mean may lie from what is expected. */
typedef enum Rule {
    RULE_EXACT,    /* every observation is what is expected */
    RULE_ABSOLUTE, /* within `tolerance` of it */
    RULE_RELATIVE, /* within `tolerance` times it */
    RULE_SIGMA,    /* within `tolerance` standard errors of the observations' mean */
    RULE_AT_MOST,  /* not above it by more than `tolerance` */
    RULE_NONE      /* context: shown, not judged */
} Rule;

/*
 * One observation a replication, or a SIP transaction, out of results. sql is a SELECT of one
 * number a row; `here` is a table of the replications concerned: id (as in replication_id) and
 * seed. CAPTURE_SENDS or CAPTURE_OFF_NS in front of a SIP method asks SCENARIO.pcap instead.
 */
typedef struct Query {
    const char *scenario; /* scenarios/validation/SCENARIO.conf */
    const char *point;    /* `key=value` texts with "; " between them; NULL: all points */
    const char *sql;
} Query;

typedef struct Check {
    unsigned row;
    const char *what; /* at which point, and which figure */
    Query measured;
    double expected;
    Query expects; /* where sql is not NULL, the mean of this is expected */
    Rule rule;
    double tolerance;
} Check;

/* What an explanation is about: figures that are less, or more, than expected. The others count as
 * failures all the same. */
typedef enum Explains { EXPLAINS_NOTHING, EXPLAINS_LESS, EXPLAINS_MORE } Explains;

typedef struct Claim {
    unsigned row;
    const char *claim;
    const char *source;
    const char *explanation; /* why it does not fit; NULL: it fits, or nobody knows */
    Explains explains;
} Claim;

extern const Claim CLAIMS[];
extern const size_t CLAIMS_LEN;
extern const Check CHECKS[];
extern const size_t CHECKS_LEN;

#endif
