/* SPDX-License-Identifier: ISC */
#ifndef PLUGIN_BREAKER_H
#define PLUGIN_BREAKER_H
/*
 * A circuit breaker per provider, so that calls do not wait for what is known to be broken. Its few
 * words lie in shared memory: what one worker finds out, all know.
 *
 *   closed     all is well
 *   open       failed: not asked until a time
 *   half open  that time has come: one attempt is let through and decides: the plugin's own probe
 * in the background (revival.h), or where it has none the next call
 *
 * Three failures within ten seconds open it for 30 s; an error that waiting does not mend (a wrong
 * key, no credit) opens it at once for a minute; a rate limit for as long as the vendor said.
 */
#include <aicaller/error.h>
#include <stdbool.h>

struct shm_provider;

enum breaker_state { BREAKER_CLOSED = 0, BREAKER_OPEN = 1, BREAKER_HALF_OPEN = 2 };

struct breaker {
    struct shm_provider *shared; /* NULL: `own` is used */

    struct breaker_words {
        uint32_t state;
        int64_t retry_wall_us;
    } own;

    int64_t failures_us[3]; /* wall times of the last ones seen by this worker, oldest first */
};

/* May it be asked now? In half-open state the first caller gets yes, the others no, for 5 s. */
bool breaker_allows(struct breaker *breaker, int64_t wall_us);
void breaker_succeeded(struct breaker *breaker);
/* Returns whether this opened it. */
bool breaker_failed(struct breaker *breaker, const struct aic_error *error, int64_t wall_us);
enum breaker_state breaker_state(const struct breaker *breaker);
/* When it will be asked again; 0 when closed. */
int64_t breaker_retry_wall_us(const struct breaker *breaker);
const char *breaker_state_name(enum breaker_state state);

/* Whether the same request may be tried again at the same provider at all. */
bool error_is_transient(const struct aic_error *error);
const char *error_category_name(uint32_t category);

#endif
