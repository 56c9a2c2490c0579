/* SPDX-License-Identifier: ISC */
#ifndef WEB_PARTIALS_H
#define WEB_PARTIALS_H
/*
 * What is being said in each call at this moment, as far as it is known, until it is time to send
 * it: the next piece of news about the same words replaces it. Pure.
 */
#include "web/live_format.h"

struct partials;

struct partials *partials_create(void);
/* Accepts NULL. */
void partials_destroy(struct partials *partials);

typedef void (*partials_tell)(void *data, const struct live_news *news);
/* Takes over `root`, which the news borrow from. What the other one was saying in the same call is
 * told before. */
void partials_keep(struct partials *partials, const struct live_news *news, struct aic_json *root,
                   partials_tell tell, void *data);
/* Whole words have come, or the call has ended: the pieces are not told any more. */
void partials_outdate(struct partials *partials, const struct live_news *news);
/* Tells all and forgets them; with `tell` NULL only the latter. */
void partials_flush(struct partials *partials, partials_tell tell, void *data);

#endif
