/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * capture_file.c - see capture_file.h.
 */
#include "analysis/capture_file.h"

#include <glib.h>

enum {
    BUFFER_LEN = 1 << 20,
    SNAPLEN_MAX = 262144,
    PCAP_HEADER_LEN = 24,
    PCAP_RECORD_LEN = 16,
    SECTION_LEN = 28,
    INTERFACE_LEN = 32,
    ENHANCED_LEN = 28, /* of a packet block before its data */
};

static const uint32_t magic_us = 0xa1b2c3d4, magic_ns = 0xa1b23c4d;

static void put_u16(const CaptureFile *file, uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(file->big_endian ? value >> 8 : value);
    at[1] = (uint8_t)(file->big_endian ? value : value >> 8);
}

void capture_file_put_u32(const CaptureFile *file, uint8_t *at, uint32_t value)
{
    put_u16(file, at, (uint16_t)(file->big_endian ? value >> 16 : value));
    put_u16(file, at + 2, (uint16_t)(file->big_endian ? value : value >> 16));
}

static void put(CaptureFile *file, const void *bytes, size_t len)
{
    bool written = file->zip != NULL ? gzwrite(file->zip, bytes, (unsigned)len) == (int)len
                                     : fwrite_unlocked(bytes, 1, len, file->file) == len;

    if (!written && len > 0) {
        g_error("cannot write a capture");
    }
}

static void put_pcap_header(CaptureFile *file, uint32_t link_type)
{
    uint8_t header[PCAP_HEADER_LEN] = {0};

    capture_file_put_u32(file, header, file->microseconds ? magic_us : magic_ns);
    put_u16(file, header + 4, 2);
    put_u16(file, header + 6, 4);
    capture_file_put_u32(file, header + 16, file->snaplen);
    capture_file_put_u32(file, header + 20, link_type);
    put(file, header, sizeof(header));
}

/* A section header and an interface description with the clock's resolution. */
static void put_pcapng_header(CaptureFile *file, uint32_t link_type)
{
    uint8_t section[SECTION_LEN], interface[INTERFACE_LEN] = {0};

    capture_file_put_u32(file, section, 0x0a0d0d0a);
    capture_file_put_u32(file, section + 4, sizeof(section));
    capture_file_put_u32(file, section + 8, 0x1a2b3c4d);
    put_u16(file, section + 12, 1);
    put_u16(file, section + 14, 0);
    memset(section + 16, 0xff, 8); /* a length that is not said */
    capture_file_put_u32(file, section + 24, sizeof(section));
    put(file, section, sizeof(section));
    capture_file_put_u32(file, interface, 1);
    capture_file_put_u32(file, interface + 4, sizeof(interface));
    put_u16(file, interface + 8, (uint16_t)link_type);
    capture_file_put_u32(file, interface + 12, file->snaplen);
    put_u16(file, interface + 16, 9); /* if_tsresol: a power of ten */
    put_u16(file, interface + 18, 1);
    interface[20] = file->microseconds ? 6 : 9;
    capture_file_put_u32(file, interface + 28, sizeof(interface));
    put(file, interface, sizeof(interface));
}

CaptureFile capture_file_open(const char *path, const CaptureForm *form, uint32_t link_type)
{
    CaptureFile file = {
        .big_endian = form->big_endian,
        .microseconds = form->microseconds,
        .pcapng = form->pcapng,
        .snaplen = form->snaplen > 0 ? form->snaplen : SNAPLEN_MAX,
    };

    if (form->gzip) {
        file.zip = gzopen(path, "wb1");
    } else {
        file.file = fopen(path, "wb");
    }
    if (file.zip == NULL && file.file == NULL) {
        g_error("cannot write %s", path);
    }
    if (file.file != NULL) {
        (void)setvbuf(file.file, NULL, _IOFBF, BUFFER_LEN);
    }
    if (form->pcapng) {
        put_pcapng_header(&file, link_type);
    } else {
        put_pcap_header(&file, link_type);
    }
    return file;
}

void capture_file_record(CaptureFile *file, int64_t at_ns, PealBytes frame, uint32_t wire)
{
    static const uint8_t padding[3];
    uint8_t header[ENHANCED_LEN];
    uint8_t trailer[4];
    uint32_t len = (uint32_t)MIN(frame.len, file->snaplen);
    uint32_t padded = (len + 3) / 4 * 4;
    uint64_t ticks = (uint64_t)at_ns / (file->microseconds ? 1000 : 1);

    if (!file->pcapng) {
        uint64_t in_second = file->microseconds ? 1000000 : 1000000000;

        capture_file_put_u32(file, header, (uint32_t)(ticks / in_second));
        capture_file_put_u32(file, header + 4, (uint32_t)(ticks % in_second));
        capture_file_put_u32(file, header + 8, len);
        capture_file_put_u32(file, header + 12, wire);
        put(file, header, PCAP_RECORD_LEN);
        put(file, frame.ptr, len);
        return;
    }
    capture_file_put_u32(file, header, 6);
    capture_file_put_u32(file, header + 4, ENHANCED_LEN + padded + 4);
    capture_file_put_u32(file, header + 8, 0);
    capture_file_put_u32(file, header + 12, (uint32_t)(ticks >> 32));
    capture_file_put_u32(file, header + 16, (uint32_t)ticks);
    capture_file_put_u32(file, header + 20, len);
    capture_file_put_u32(file, header + 24, wire);
    capture_file_put_u32(file, trailer, ENHANCED_LEN + padded + 4);
    put(file, header, ENHANCED_LEN);
    put(file, frame.ptr, len);
    put(file, padding, padded - len);
    put(file, trailer, sizeof(trailer));
}

void capture_file_close(CaptureFile *file)
{
    bool closed = file->zip != NULL ? gzclose(file->zip) == Z_OK : fclose(file->file) == 0;

    if (!closed) {
        g_error("cannot write a capture to its end");
    }
}
