/* SPDX-License-Identifier: ISC */
#include "voice.h"

#include <pthread.h>
#include <string.h>

/* flite's headers leave these out. */
cst_voice *register_cmu_us_slt(const char *folder);
cst_voice *register_cmu_us_rms(const char *folder);
cst_voice *register_cmu_us_awb(const char *folder);
cst_voice *register_cmu_us_kal(const char *folder);
cst_voice *register_cmu_us_kal16(const char *folder);

const char *const flt_voice_names[FLT_VOICES + 1] = {"slt", "rms", "awb", "kal16", "kal", NULL};

static cst_voice *(*const registers[FLT_VOICES])(const char *folder) = {
    register_cmu_us_slt, register_cmu_us_rms, register_cmu_us_awb, register_cmu_us_kal16,
    register_cmu_us_kal};

/* The library keeps its voices in globals of its own and guards them by nothing. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

cst_voice *flt_voice(const char *name)
{
    cst_voice *voice = NULL;
    (void)pthread_mutex_lock(&lock);
    for (int i = 0; i < FLT_VOICES && !voice; i++) {
        if (strcmp(name, flt_voice_names[i]) == 0) {
            (void)flite_init();
            voice = registers[i](NULL);
        }
    }
    (void)pthread_mutex_unlock(&lock);
    return voice;
}

uint32_t flt_voice_rate_hz(const cst_voice *voice)
{
    return (uint32_t)flite_get_param_int(voice->features, "sample_rate", 16000);
}
