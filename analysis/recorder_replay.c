/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recorder_replay.c - the calls of a replayed trace; see recorder.h. */
#include "recorder_state.h"

static void replay_init(RecorderReplay *replay)
{
    replay->rows = g_array_new(FALSE, FALSE, sizeof(RecorderReplayed));
    replay->step = 1;
    replay->setup_ns = histogram_new(HISTOGRAM_FINE);
    replay->answer_ns = histogram_new(HISTOGRAM_FINE);
}

void recorder_replay_fini(RecorderReplay *replay)
{
    if (replay->rows != NULL) {
        g_array_unref(replay->rows);
        histogram_free(replay->setup_ns);
        histogram_free(replay->answer_ns);
    }
}

/* Which calls stay depends on their numbers alone: every replication keeps the same ones. */
static void thin_out(RecorderReplay *replay)
{
    guint kept = 0;

    replay->step *= 2;
    for (guint i = 0; i < replay->rows->len; i++) {
        RecorderReplayed row = g_array_index(replay->rows, RecorderReplayed, i);

        if (row.call % replay->step == 0) {
            g_array_index(replay->rows, RecorderReplayed, kept++) = row;
        }
    }
    g_array_set_size(replay->rows, kept);
}

void recorder_replayed(Recorder *recorder, const RecorderReplayed *replayed)
{
    RecorderReplay *replay = &recorder->replay;
    guint len;

    if (replay->rows == NULL) {
        replay_init(replay);
    }
    len = replay->rows->len;
    PEAL_ASSERT(len == 0 ||
                replayed->call > g_array_index(replay->rows, RecorderReplayed, len - 1).call);
    if (replayed->begun && replayed->setup.ns >= 0) {
        histogram_add(replay->setup_ns, (uint64_t)replayed->setup.ns, 1);
    }
    if (replayed->begun && replayed->answer.ns >= 0) {
        histogram_add(replay->answer_ns, (uint64_t)replayed->answer.ns, 1);
    }
    if (len == RECORDER_REPLAYED_MAX && replayed->call % replay->step == 0) {
        thin_out(replay);
    }
    if (replayed->call % replay->step == 0) {
        g_array_append_val(replay->rows, *replayed);
    }
}

const RecorderReplayed *recorder_replayed_rows(const Recorder *recorder, size_t *ret_len,
                                               uint32_t *ret_step)
{
    const RecorderReplay *replay = &recorder->replay;

    *ret_len = replay->rows != NULL ? replay->rows->len : 0;
    *ret_step = replay->rows != NULL ? replay->step : 1;
    return replay->rows != NULL ? (const RecorderReplayed *)(const void *)replay->rows->data : NULL;
}
