/* SPDX-License-Identifier: ISC */
#include "plugin/breaker.h"

#include "io/shm.h"

#include <stdatomic.h>
#include <string.h>

enum { SECOND_US = 1000000 };

static const int64_t window_us = 10 * (int64_t)SECOND_US;
static const int64_t open_us = 30 * (int64_t)SECOND_US;
static const int64_t permanent_us = 60 * (int64_t)SECOND_US;
static const int64_t probe_us = 5 * (int64_t)SECOND_US;
static const int64_t longest_us = 600 * (int64_t)SECOND_US;

static struct breaker_words load(const struct breaker *breaker)
{
    if (!breaker->shared) {
        return breaker->own;
    }
    return (struct breaker_words){
        .state = atomic_load(&breaker->shared->state),
        .retry_wall_us = atomic_load(&breaker->shared->retry_wall_us),
    };
}

static void store(struct breaker *breaker, struct breaker_words words)
{
    breaker->own = words;
    if (breaker->shared) {
        atomic_store(&breaker->shared->retry_wall_us, words.retry_wall_us);
        atomic_store(&breaker->shared->state, words.state);
    }
}

bool breaker_allows(struct breaker *breaker, int64_t wall_us)
{
    struct breaker_words words = load(breaker);
    if (words.state == BREAKER_CLOSED) {
        return true;
    }
    if (wall_us < words.retry_wall_us) {
        return false;
    }
    /* One worker wins the right to try; a trial that never reports back frees it by time. */
    if (breaker->shared) {
        int64_t seen = words.retry_wall_us;
        if (!atomic_compare_exchange_strong(&breaker->shared->retry_wall_us, &seen,
                                            wall_us + probe_us)) {
            return false;
        }
    }
    store(breaker,
          (struct breaker_words){.state = BREAKER_HALF_OPEN, .retry_wall_us = wall_us + probe_us});
    return true;
}

void breaker_succeeded(struct breaker *breaker)
{
    memset(breaker->failures_us, 0, sizeof(breaker->failures_us));
    if (load(breaker).state != BREAKER_CLOSED) {
        store(breaker, (struct breaker_words){.state = BREAKER_CLOSED});
    }
}

/* How long an error alone keeps a provider out; 0: it takes several. */
static int64_t penalty_us(const struct aic_error *error)
{
    if (error->retry == AIC_RETRY_AFTER && error->retry_after_ms > 0) {
        int64_t us =
            error->retry_after_ms > longest_us / 1000 ? longest_us : error->retry_after_ms * 1000;
        return us;
    }
    if (error->scope == AIC_SCOPE_REQUEST) {
        return 0;
    }
    switch (error->category) {
    case AIC_CATEGORY_AUTH:
    case AIC_CATEGORY_PERMISSION:
    case AIC_CATEGORY_NOT_FOUND:
    case AIC_CATEGORY_QUOTA:
    case AIC_CATEGORY_TLS:
        return permanent_us;
    case AIC_CATEGORY_RATE_LIMIT:
    case AIC_CATEGORY_CONCURRENCY:
        return SECOND_US;
    default:
        return 0;
    }
}

/* An error that says nothing about the provider's health. */
static bool is_harmless(const struct aic_error *error)
{
    switch (error->category) {
    case AIC_CATEGORY_CANCELLED:
    case AIC_CATEGORY_CONTENT_FILTER:
    case AIC_CATEGORY_TOOL_FORMAT:
    case AIC_CATEGORY_BAD_REQUEST:
    case AIC_CATEGORY_UNSUPPORTED:
        return true;
    default:
        return false;
    }
}

bool breaker_failed(struct breaker *breaker, const struct aic_error *error, int64_t wall_us)
{
    if (is_harmless(error)) {
        return false;
    }
    bool was_closed = load(breaker).state == BREAKER_CLOSED;
    int64_t pause_us = penalty_us(error);
    memmove(breaker->failures_us, breaker->failures_us + 1, sizeof(int64_t) * 2);
    breaker->failures_us[2] = wall_us;
    bool too_often = breaker->failures_us[0] > 0 && wall_us - breaker->failures_us[0] <= window_us;
    if (pause_us == 0 && (too_often || !was_closed)) {
        pause_us = open_us;
    }
    if (pause_us == 0) {
        return false;
    }
    store(breaker,
          (struct breaker_words){.state = BREAKER_OPEN, .retry_wall_us = wall_us + pause_us});
    return was_closed;
}

enum breaker_state breaker_state(const struct breaker *breaker)
{
    return (enum breaker_state)load(breaker).state;
}

int64_t breaker_retry_wall_us(const struct breaker *breaker)
{
    struct breaker_words words = load(breaker);
    return words.state == BREAKER_CLOSED ? 0 : words.retry_wall_us;
}

const char *breaker_state_name(enum breaker_state state)
{
    switch (state) {
    case BREAKER_CLOSED:
        return "ok";
    case BREAKER_OPEN:
        return "open";
    case BREAKER_HALF_OPEN:
        return "half_open";
    }
    return "unknown";
}

bool error_is_transient(const struct aic_error *error)
{
    if (error->retry == AIC_RETRY_NEVER || error->retry == AIC_RETRY_FALL_BACK) {
        return false;
    }
    switch (error->category) {
    case AIC_CATEGORY_OVERLOADED:
    case AIC_CATEGORY_TIMEOUT:
    case AIC_CATEGORY_NETWORK:
    case AIC_CATEGORY_SERVER:
    case AIC_CATEGORY_PROTOCOL:
    case AIC_CATEGORY_CONCURRENCY:
    case AIC_CATEGORY_TOOL_FORMAT:
        return true;
    default:
        return error->retry == AIC_RETRY_NOW || error->retry == AIC_RETRY_NEW_SESSION;
    }
}

const char *error_category_name(uint32_t category)
{
    static const char *const names[] = {
        "none",           "auth",        "permission", "bad_request", "not_found", "quota",
        "rate_limit",     "concurrency", "overloaded", "timeout",     "network",   "protocol",
        "content_filter", "tool_format", "cancelled",  "unsupported", "server",    "tls",
        "internal",
    };
    return category < sizeof(names) / sizeof(names[0]) ? names[category] : "unknown";
}
