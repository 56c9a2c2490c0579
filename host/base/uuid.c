/* SPDX-License-Identifier: ISC */
#include "uuid.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* The last id of this process, so that the next one is greater. */
static pthread_mutex_t last_lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t last_ms;
static unsigned last_count;

void uuid7_format(char to[UUID_TEXT], int64_t wall_us, const uint8_t random[10])
{
    static const char hex[] = "0123456789abcdef";
    uint64_t ms = wall_us > 0 ? (uint64_t)wall_us / 1000 : 0;
    uint8_t bytes[16];
    for (int i = 0; i < 6; i++) {
        bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
    }
    memcpy(bytes + 6, random, 10);
    bytes[6] = (uint8_t)(0x70u | (bytes[6] & 0x0Fu));
    bytes[8] = (uint8_t)(0x80u | (bytes[8] & 0x3Fu));
    char *p = to;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *p++ = '-';
        }
        *p++ = hex[bytes[i] >> 4];
        *p++ = hex[bytes[i] & 0x0F];
    }
    *p = '\0';
}

static void fill_random(uint8_t *to, size_t bytes)
{
    size_t have = 0;
    while (have < bytes) {
        ssize_t got = getrandom(to + have, bytes - have, 0);
        if (got < 0 && errno != EINTR) {
            /* An id that may exist already would mix up two calls. */
            abort();
        }
        have += got > 0 ? (size_t)got : 0;
    }
}

/*
 * Within a millisecond, or when the clock steps back, the 12 bits behind the version count up
 * (RFC 9562 6.2, method 1). The 62 bits after them are new each time, so that two processes that
 * share a past do not collide.
 */
void uuid7_make(char to[UUID_TEXT])
{
    uint8_t random[10];
    fill_random(random, sizeof(random));
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    int64_t ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;

    pthread_mutex_lock(&last_lock);
    if (ms > last_ms) {
        last_ms = ms;
        /* Starts in the lower half, so that there is room to count. */
        last_count = ((unsigned)random[0] << 8 | random[1]) & 0x7FFu;
    } else if (++last_count > 0xFFFu) {
        last_ms++;
        last_count = 0;
    }
    ms = last_ms;
    random[0] = (uint8_t)(last_count >> 8);
    random[1] = (uint8_t)last_count;
    pthread_mutex_unlock(&last_lock);
    uuid7_format(to, ms * 1000, random);
}

bool uuid_valid(struct aic_str text)
{
    if (text.len != UUID_TEXT - 1) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (c != '-') {
                return false;
            }
        } else if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return true;
}
