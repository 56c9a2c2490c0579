/* SPDX-License-Identifier: ISC */
#ifndef AIC_LIB_G711_H
#define AIC_LIB_G711_H
/* ITU-T G.711 (11/88): mu-law and A-law, one byte a sample, to and from linear 16 bit. */
#include <aicaller/abi.h>

uint8_t aic_mulaw_from_linear(int16_t sample);
int16_t aic_mulaw_to_linear(uint8_t code);
uint8_t aic_alaw_from_linear(int16_t sample);
int16_t aic_alaw_to_linear(uint8_t code);

/* Whole blocks. */
void aic_mulaw_decode(int16_t *to, const uint8_t *from, size_t samples);
void aic_mulaw_encode(uint8_t *to, const int16_t *from, size_t samples);
void aic_alaw_decode(int16_t *to, const uint8_t *from, size_t samples);
void aic_alaw_encode(uint8_t *to, const int16_t *from, size_t samples);

#endif
