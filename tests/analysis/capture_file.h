/*
 * capture_file.h - the file below capture.h: records of pcap and pcapng.
 * Source: draft-ietf-opsawg-pcap-05, draft-ietf-opsawg-pcapng-05.   State: one per file.
 * Time:   instants are ns since 1970.
 */
#ifndef TESTS_CAPTURE_FILE_H
#define TESTS_CAPTURE_FILE_H

#include "analysis/capture.h"

#include <stdio.h>
#include <zlib.h>

typedef struct CaptureFile {
    FILE *file; /* or */
    gzFile zip;
    bool big_endian;
    bool microseconds;
    bool pcapng;
    uint32_t snaplen;
} CaptureFile;

CaptureFile capture_file_open(const char *path, const CaptureForm *form, uint32_t link_type);
void capture_file_record(CaptureFile *file, int64_t at_ns, PealBytes frame, uint32_t wire);
void capture_file_close(CaptureFile *file);

/* A number in the file's byte order. */
void capture_file_put_u32(const CaptureFile *file, uint8_t *at, uint32_t value);

#endif
