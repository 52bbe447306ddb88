/*
 * message_code.c - see message_code.h.
 */
#include "message_code.h"

#include <analysis/recorder.h>

static const char *const NAMES[RECORDER_CODES] = {
    [1] = "probe_req",          [2] = "probe_ans",          [3] = "attach_req",
    [4] = "attach_ans",         [7] = "store_req",          [8] = "store_ans",
    [9] = "fetch_req",          [10] = "fetch_ans",         [13] = "find_req",
    [14] = "find_ans",          [15] = "join_req",          [16] = "join_ans",
    [17] = "leave_req",         [18] = "leave_ans",         [19] = "update_req",
    [20] = "update_ans",        [21] = "route_query_req",   [22] = "route_query_ans",
    [23] = "ping_req",          [24] = "ping_ans",          [25] = "stat_req",
    [26] = "stat_ans",          [29] = "app_attach_req",    [30] = "app_attach_ans",
    [33] = "config_update_req", [34] = "config_update_ans", [RECORDER_CODES - 1] = "error",
};

const char *message_code_name(unsigned place)
{
    PEAL_ASSERT(place < RECORDER_CODES);
    return NAMES[place] != NULL ? NAMES[place] : "unassigned";
}
