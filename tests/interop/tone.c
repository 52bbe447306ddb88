/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tone.c - makes a tone as a WAV file, and tells how much of a WAV file is a tone.
 * usage: tone make FILE HZ SECONDS      writes 8 kHz mono, 16 bit
 *        tone heard FILE HZ             prints the seconds during which HZ is at least half of the
 *        power
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 8000, HEADER_LEN = 44, WINDOW_MS = 100, SAMPLES_MAX = 16 * 1000 * 1000 };

static void put_u32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof(value));
}

static int make(const char *path, double hz, double seconds)
{
    FILE *file = fopen(path, "wb");
    uint8_t header[HEADER_LEN] = "RIFF    WAVEfmt \x10\0\0\0\x01\0\x01\0";
    uint32_t samples = (uint32_t)(seconds * RATE);

    if (file == NULL) {
        perror(path);
        return 1;
    }
    put_u32(header + 4, HEADER_LEN - 8 + 2 * samples);
    put_u32(header + 24, RATE);
    put_u32(header + 28, 2 * RATE);
    put_u32(header + 32, 2 | 16 << 16);
    put_u32(header + 36, UINT32_C(0x61746164)); /* "data" */
    put_u32(header + 40, 2 * samples);
    fwrite(header, sizeof(header), 1, file);
    for (uint32_t i = 0; i < samples; i++) {
        int16_t sample = (int16_t)(12000 * sin(2 * M_PI * hz * i / RATE));

        fwrite(&sample, sizeof(sample), 1, file);
    }
    return fclose(file) == 0 ? 0 : 1;
}

/* Goertzel's algorithm: the share of a window's power that lies at one frequency. */
static double share(const int16_t *samples, uint32_t len, uint32_t step, double hz, double rate)
{
    double coefficient = 2 * cos(2 * M_PI * hz / rate);
    double last = 0;
    double before = 0;
    double power = 0;

    for (uint32_t i = 0; i < len; i++) {
        double sample = samples[i * step];
        double now = sample + coefficient * last - before;

        before = last;
        last = now;
        power += sample * sample;
    }
    if (power < 100.0 * len) {
        return 0; /* silence */
    }
    return (last * last + before * before - coefficient * last * before) / (power * len / 2);
}

typedef struct Wav {
    uint16_t channels;
    uint32_t rate;
    uint16_t bits;
    const uint8_t *data;
    uint32_t data_len;
} Wav;

/* A writer that was ended early leaves lengths that are too large or zero: the file's end
 * counts. */
static int find_chunks(const uint8_t *bytes, size_t len, Wav *ret_wav)
{
    size_t at = 12;

    while (at + 8 <= len) {
        uint32_t chunk_len;

        memcpy(&chunk_len, bytes + at + 4, sizeof(chunk_len));
        if (memcmp(bytes + at, "fmt ", 4) == 0 && at + 24 <= len) {
            memcpy(&ret_wav->channels, bytes + at + 10, 2);
            memcpy(&ret_wav->rate, bytes + at + 12, 4);
            memcpy(&ret_wav->bits, bytes + at + 22, 2);
        } else if (memcmp(bytes + at, "data", 4) == 0) {
            ret_wav->data = bytes + at + 8;
            ret_wav->data_len = (uint32_t)(len - at - 8);
            return ret_wav->bits == 16 && ret_wav->channels > 0 && ret_wav->rate > 0 ? 0 : 1;
        }
        at += 8 + (size_t)chunk_len + (chunk_len & 1);
    }
    return 1;
}

static int heard(const char *path, double hz)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(2 * (size_t)SAMPLES_MAX);
    size_t len = file != NULL && bytes != NULL ? fread(bytes, 1, 2 * (size_t)SAMPLES_MAX, file) : 0;
    Wav wav = {0};
    uint32_t window;
    uint32_t windows = 0;

    if (file != NULL) {
        fclose(file);
    }
    if (len < HEADER_LEN || find_chunks(bytes, len, &wav) != 0) {
        fprintf(stderr, "%s is no 16-bit WAV file\n", path);
        free(bytes);
        return 1;
    }
    window = wav.rate * WINDOW_MS / 1000;
    for (uint32_t at = 0; (at + window) * wav.channels * 2 <= wav.data_len; at += window) {
        const int16_t *samples = (const int16_t *)(const void *)wav.data;

        windows +=
            share(samples + at * wav.channels, window, wav.channels, hz, (double)wav.rate) > 0.5;
    }
    printf("%.1f\n", windows * WINDOW_MS / 1000.0);
    free(bytes);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "make") == 0) {
        return make(argv[2], strtod(argv[3], NULL), strtod(argv[4], NULL));
    }
    if (argc == 4 && strcmp(argv[1], "heard") == 0) {
        return heard(argv[2], strtod(argv[3], NULL));
    }
    fprintf(stderr, "usage: tone make FILE HZ SECONDS | tone heard FILE HZ\n");
    return 2;
}
