/* SPDX-License-Identifier: ISC */
#include "call/crowd.h"

#include "call/calls_private.h"
#include "call/number.h"

#include "json.h"

#include <stdlib.h>

enum { MAX_NUMBER = 32, MAX_LIST = 8 << 20 };

struct crowd {
    char number[MAX_NUMBER];
    int64_t limit;
    crowd_reply reply; /* NULL once dropped */
    void *data;
};

int64_t crowd_count(struct aic_str list, const char *number)
{
    struct aic_json *root = aic_json_parse(list, MAX_LIST);
    int64_t count = 0;
    for (size_t i = 0; i < aic_json_count(root); i++) {
        const struct aic_json *call = aic_json_at(root, i);
        bool is_outbound = aic_str_equal(aic_json_get_text(call, "direction"), "outbound");
        struct aic_str other = aic_json_get_text(call, is_outbound ? "to" : "from");
        count += aic_str_equal(other, number) && aic_json_get_bool(call, "is_admitted", true);
    }
    aic_json_free(root);
    return count;
}

static void list_came(void *data, int32_t status, struct aic_str list)
{
    struct crowd *crowd = data;
    if (crowd->reply) {
        crowd->reply(crowd->data,
                     status == AIC_OK && crowd_count(list, crowd->number) > crowd->limit);
    }
    free(crowd);
}

static bool somebody_has(const char *number)
{
    struct number parsed;
    number_parse(&parsed, aic_str(number));
    return parsed.kind == NUMBER_KNOWN;
}

struct crowd *crowd_ask(const struct calls *calls, const char *number, crowd_reply reply,
                        void *data)
{
    int64_t limit = calls->settings.max_per_caller;
    bool counts = limit > 0 && number && somebody_has(number);
    struct crowd *crowd = counts ? calloc(1, sizeof(*crowd)) : NULL;
    if (!crowd) {
        return NULL;
    }
    (void)aic_str_copy(aic_str(number), crowd->number, sizeof(crowd->number));
    crowd->limit = limit;
    crowd->reply = reply;
    crowd->data = data;
    link_list_calls(calls->settings.link, list_came, crowd);
    return crowd;
}

void crowd_drop(struct crowd *crowd)
{
    if (crowd) {
        crowd->reply = NULL;
    }
}
