/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * taken.c - see taken.h.
 */
#include "analysis/taken.h"

#include <glib/gstdio.h>
#include <scratch.h>

static void on_udp(void *user, const UdpPacket *packet)
{
    TakenPacket taken = {
        .at_ns = packet->at_ns,
        .from = packet->from,
        .to = packet->to,
        .data = g_bytes_new(packet->data.ptr, packet->data.len),
        .len = packet->len,
        .cut = packet->cut,
    };

    g_array_append_val(((Taken *)user)->packets, taken);
}

static void on_tcp(void *user, const TcpPacket *packet)
{
    TakenPacket taken = {
        .at_ns = packet->at_ns,
        .from = packet->from,
        .to = packet->to,
        .data = g_bytes_new(packet->data.ptr, packet->data.len),
        .len = packet->len,
        .cut = packet->cut,
        .tcp = true,
        .seq = packet->seq,
        .ack = packet->ack,
        .flags = packet->flags,
    };

    g_array_append_val(((Taken *)user)->packets, taken);
}

static void clear_packet(gpointer packet)
{
    g_bytes_unref(((TakenPacket *)packet)->data);
}

Taken taken_read(const char *path, const TraceConfig *config)
{
    TraceConfig all = {.path = path, .from_ns = INT64_MIN, .until_ns = INT64_MAX};
    Taken taken = {.packets = g_array_new(FALSE, FALSE, sizeof(TakenPacket))};
    PacketSink sink = {on_udp, on_tcp, &taken};
    Source *source = source_open(config != NULL ? config : &all, NULL, &taken.counts, &taken.error);
    Packets *packets;
    PacketFrame frame;

    g_array_set_clear_func(taken.packets, clear_packet);
    if (source == NULL) {
        return taken;
    }
    packets = packets_new(source_link_type(source), &sink, taken.counts.skipped);
    while (source_next(source, &frame)) {
        packets_take(packets, &frame);
    }
    packets_free(packets);
    taken.whole = source_close(source, NULL);
    return taken;
}

void taken_free(Taken *taken)
{
    g_array_unref(taken->packets);
    g_clear_error(&taken->error);
}

TakenPlace taken_place_new(void)
{
    TakenPlace place = {.dir = g_dir_make_tmp("peal-capture-XXXXXX", NULL)};

    place.path = g_build_filename(place.dir, "capture", NULL);
    return place;
}

void taken_place_free(TakenPlace *place)
{
    remove_tree(place->dir);
    g_free(place->path);
    g_free(place->dir);
}

void taken_write(const char *path, const void *bytes, size_t len)
{
    FILE *file;

    (void)g_unlink(path); /* a file that is cut and written anew may be synced when it is closed */
    file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, len, file) != len || fclose(file) != 0) {
        g_error("cannot write %s", path);
    }
}

uint64_t taken_skipped(const Taken *taken)
{
    uint64_t sum = 0;

    for (int i = 0; i < TRACE_SKIP_COUNT; i++) {
        sum += i == TRACE_SKIP_NO_IP || i == TRACE_SKIP_PROTOCOL ? 0 : taken->counts.skipped[i];
    }
    return sum;
}

static bool same_addr(PealAddr one, PealAddr other)
{
    PealAddr *both[] = {&one, &other};

    for (size_t i = 0; i < G_N_ELEMENTS(both); i++) {
        if (both[i]->family == 6) {
            both[i]->family = 4;
            memmove(both[i]->ip, both[i]->ip + 12, 4);
        }
    }
    return one.port == other.port && memcmp(one.ip, other.ip, 4) == 0;
}

static const char *packet_difference(const TakenPacket *one, const TakenPacket *other)
{
    if (one->at_ns != other->at_ns) {
        return "time";
    }
    if (!same_addr(one->from, other->from) || !same_addr(one->to, other->to)) {
        return "addresses";
    }
    if (!g_bytes_equal(one->data, other->data) || one->len != other->len ||
        one->cut != other->cut) {
        return "payload";
    }
    if (one->tcp != other->tcp || one->seq != other->seq || one->ack != other->ack ||
        one->flags != other->flags) {
        return "TCP's header";
    }
    return NULL;
}

char *taken_difference(const Taken *one, const Taken *other)
{
    if (one->packets->len != other->packets->len) {
        return g_strdup_printf("%u packets against %u", one->packets->len, other->packets->len);
    }
    for (guint i = 0; i < one->packets->len; i++) {
        const char *difference = packet_difference(taken_at(one, i), taken_at(other, i));

        if (difference != NULL) {
            return g_strdup_printf("packet %u: %s", i, difference);
        }
    }
    return NULL;
}
