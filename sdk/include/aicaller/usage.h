/* SPDX-License-Identifier: ISC */
#ifndef AICALLER_USAGE_H
#define AICALLER_USAGE_H
/*
 * What a request cost in the vendor's units. The host multiplies with the operator's price table;
 * no plugin knows money.
 */
#include <aicaller/abi.h>

AIC_BEGIN_DECLS

enum {
    AIC_USAGE_CUMULATIVE = 1u << 0, /* totals of the session so far; else what came on top */
    AIC_USAGE_ESTIMATED = 1u << 1   /* counted by the plugin; else reported by the vendor */
};

/* All amounts 0 where they do not apply. */
struct aic_usage {
    uint32_t size;
    uint32_t flags;
    int64_t requests;
    int64_t audio_in_us;
    int64_t audio_out_us;
    int64_t connection_us; /* some vendors bill how long the socket was open */
    int64_t chars_in;
    int64_t chars_billed;
    int64_t credits;
    int64_t tokens_in;
    int64_t tokens_in_cached; /* part of tokens_in */
    int64_t tokens_cache_write;
    int64_t tokens_out;
    int64_t tokens_reasoning; /* part of tokens_out */
    int64_t tokens_audio_in;
    int64_t tokens_audio_out;
};

/* One bucket of a vendor's rate limit, as its headers told. */
struct aic_rate_info {
    uint32_t size;
    uint32_t reserved;     /* 0 */
    struct aic_str bucket; /* "requests", "tokens", "concurrency" ... */
    int64_t limit;         /* -1 unknown */
    int64_t remaining;     /* -1 unknown */
    int64_t reset_ms;      /* until it is full again; -1 unknown */
};

AIC_END_DECLS
#endif
