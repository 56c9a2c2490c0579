/* SPDX-License-Identifier: ISC */
#include "web/partials.h"

#include "base/uuid.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 64 };

struct partial {
    struct partial *next;
    char call_id[UUID_TEXT];
    struct live_news news;
    struct aic_json *root;
};

struct partials {
    struct partial *buckets[BUCKETS];
};

struct partials *partials_create(void)
{
    return calloc(1, sizeof(struct partials));
}

void partials_destroy(struct partials *partials)
{
    if (partials) {
        partials_flush(partials, NULL, NULL);
        free(partials);
    }
}

static void free_partial(struct partial *partial)
{
    aic_json_free(partial->root);
    free(partial);
}

/* Where the call's is, or would be. */
static struct partial **find(struct partials *partials, const char *call_id)
{
    size_t sum = 0;
    for (const char *c = call_id; *c; c++) {
        sum = sum * 31 + (uint8_t)*c;
    }
    struct partial **at = &partials->buckets[sum % BUCKETS];
    while (*at && strcmp((*at)->call_id, call_id) != 0) {
        at = &(*at)->next;
    }
    return at;
}

void partials_keep(struct partials *partials, const struct live_news *news, struct aic_json *root,
                   partials_tell tell, void *data)
{
    struct partial **at = find(partials, news->call_id);
    struct partial *partial = *at;
    if (partial && partial->news.is_agents != news->is_agents) {
        tell(data, &partial->news);
    }
    if (!partial) {
        partial = calloc(1, sizeof(*partial));
        if (!partial) {
            aic_json_free(root);
            return;
        }
        *at = partial;
    }
    aic_json_free(partial->root);
    partial->root = root;
    partial->news = *news;
    (void)aic_str_copy(aic_str(news->call_id), partial->call_id, sizeof(partial->call_id));
    partial->news.call_id = partial->call_id;
}

static bool is_outdated(const struct live_news *partial, const struct live_news *news)
{
    struct aic_str role = aic_json_get_text(news->body, "role");
    if (strcmp(news->event, "message") == 0) {
        return aic_str_equal(role, partial->is_agents ? "assistant" : "user");
    }
    return strcmp(news->event, "ended") == 0 ||
           (strcmp(news->event, "heard") == 0 && partial->is_agents);
}

void partials_outdate(struct partials *partials, const struct live_news *news)
{
    struct partial **at = find(partials, news->call_id);
    struct partial *partial = *at;
    if (partial && is_outdated(&partial->news, news)) {
        *at = partial->next;
        free_partial(partial);
    }
}

void partials_flush(struct partials *partials, partials_tell tell, void *data)
{
    for (int i = 0; i < BUCKETS; i++) {
        while (partials->buckets[i]) {
            struct partial *partial = partials->buckets[i];
            partials->buckets[i] = partial->next;
            if (tell) {
                tell(data, &partial->news);
            }
            free_partial(partial);
        }
    }
}
