/* SPDX-License-Identifier: ISC */
#include "tones.h"

#include "g711.h"

#include <math.h>
#include <string.h>

enum {
    BYTES_PER_MS = 8,
    RATE_HZ = 8000,
    /* Each of the two tones; together they stay 4 dB below the loudest that there is. */
    AMPLITUDE = 10000,
    /* Tones swell and fade this long, so that they do not click. */
    RAMP_SAMPLES = 5 * BYTES_PER_MS
};

static void write_silence(struct aic_buf *to, int ms)
{
    for (int i = 0; i < ms * BYTES_PER_MS; i++) {
        aic_buf_char(to, (char)0xff);
    }
}

static void write_tone(struct aic_buf *to, double low_hz, double high_hz)
{
    static const double tau = 6.283185307179586;

    enum { SAMPLES = TWILIO_TONE_MS * BYTES_PER_MS };

    for (int i = 0; i < SAMPLES; i++) {
        int edge = i < SAMPLES - 1 - i ? i : SAMPLES - 1 - i;
        double gain = edge < RAMP_SAMPLES ? (double)edge / RAMP_SAMPLES : 1.0;
        double t = tau * i / RATE_HZ;
        double sum = sin(low_hz * t) + sin(high_hz * t);
        aic_buf_char(to, (char)aic_mulaw_from_linear((int16_t)(AMPLITUDE * gain * sum)));
    }
}

void twilio_tones_write(struct aic_buf *to, struct aic_str digits)
{
    static const char keys[] = "123A456B789C*0#D";
    static const double rows_hz[] = {697, 770, 852, 941};
    static const double columns_hz[] = {1209, 1336, 1477, 1633};
    for (size_t i = 0; i < digits.len; i++) {
        const char *key = digits.ptr[i] ? strchr(keys, digits.ptr[i]) : NULL;
        if (key) {
            write_tone(to, rows_hz[(key - keys) / 4], columns_hz[(key - keys) % 4]);
            write_silence(to, TWILIO_TONE_GAP_MS);
        } else if (digits.ptr[i] == 'w') {
            write_silence(to, TWILIO_TONE_PAUSE_MS);
        }
    }
}
