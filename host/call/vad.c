/* SPDX-License-Identifier: ISC */
#include "call/vad.h"

#include <string.h>

enum { WARM_UP_FRAMES = 15, FLOOR_PERCENT = 15 };

/* A caller who speaks from the first sample on must not become the noise floor. */
static const double loudest_floor_dbfs = -35;

struct vad_settings vad_defaults(void)
{
    return (struct vad_settings){
        .margin_db = 8,
        .least_dbfs = -50,
        .echo_margin_db = 18,
        .start_frames = 4,
        .start_window = 6,
        .stop_us = 200000,
    };
}

void vad_init(struct vad *vad, const struct vad_settings *settings)
{
    memset(vad, 0, sizeof(*vad));
    vad->settings = *settings;
    for (int i = 0; i < VAD_ECHO_FRAMES; i++) {
        vad->echo_dbfs[i] = -100;
    }
}

static uint8_t bin_of(double dbfs)
{
    double bin = (dbfs + 100) * 2;
    return (uint8_t)(bin < 0 ? 0 : bin > VAD_BINS - 1 ? VAD_BINS - 1 : bin);
}

static void remember(struct vad *vad, double level_dbfs)
{
    if (vad->count == VAD_HISTORY) {
        vad->bins[vad->history[vad->next]]--;
    } else {
        vad->count++;
    }
    uint8_t bin = bin_of(level_dbfs);
    vad->history[vad->next] = bin;
    vad->bins[bin]++;
    vad->next = (vad->next + 1) % VAD_HISTORY;
}

double vad_floor(const struct vad *vad)
{
    int rank = vad->count * FLOOR_PERCENT / 100;
    int seen = 0;
    for (int bin = 0; bin < VAD_BINS; bin++) {
        seen += vad->bins[bin];
        if (seen > rank) {
            double floor_dbfs = bin / 2.0 - 100;
            return floor_dbfs < loudest_floor_dbfs ? floor_dbfs : loudest_floor_dbfs;
        }
    }
    return -100;
}

/* The agent's loudest frame of the last 300 ms: its echo may come back that late. */
static double loudest_echo(struct vad *vad, double agent_dbfs)
{
    vad->echo_dbfs[vad->echo_next] = agent_dbfs;
    vad->echo_next = (vad->echo_next + 1) % VAD_ECHO_FRAMES;
    double loudest = -100;
    for (int i = 0; i < VAD_ECHO_FRAMES; i++) {
        loudest = vad->echo_dbfs[i] > loudest ? vad->echo_dbfs[i] : loudest;
    }
    return loudest;
}

static bool is_voiced(struct vad *vad, double level_dbfs, double agent_dbfs)
{
    double echo_dbfs = loudest_echo(vad, agent_dbfs);
    if (vad->count < WARM_UP_FRAMES && level_dbfs < loudest_floor_dbfs) {
        return false;
    }
    double threshold = vad_floor(vad) + vad->settings.margin_db;
    if (threshold < vad->settings.least_dbfs) {
        threshold = vad->settings.least_dbfs;
    }
    if (!vad->settings.has_no_echo && threshold < echo_dbfs - vad->settings.echo_margin_db) {
        threshold = echo_dbfs - vad->settings.echo_margin_db;
    }
    return level_dbfs > threshold;
}

enum vad_event vad_push(struct vad *vad, double level_dbfs, double agent_dbfs, int64_t end_us)
{
    remember(vad, level_dbfs);
    bool voiced = is_voiced(vad, level_dbfs, agent_dbfs);
    vad->voiced = vad->voiced << 1 | (voiced ? 1u : 0u);
    if (voiced) {
        vad->last_voiced_us = end_us;
    }
    if (vad->is_speech) {
        if (end_us - vad->last_voiced_us < vad->settings.stop_us) {
            return VAD_NOTHING;
        }
        vad->is_speech = false;
        return VAD_STOPPED;
    }
    uint32_t window = vad->voiced & ((1u << vad->settings.start_window) - 1);
    if (__builtin_popcount(window) < vad->settings.start_frames) {
        return VAD_NOTHING;
    }
    int oldest = 31 - __builtin_clz(window);
    vad->is_speech = true;
    vad->started_us = end_us - (oldest + 1) * (int64_t)VAD_FRAME_US;
    return VAD_STARTED;
}
