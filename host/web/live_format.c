/* SPDX-License-Identifier: ISC */
#include "web/live_format.h"

#include "base/timefmt.h"
#include "web/lookup.h"

#include <string.h>

/* How calls name what they tell (call/calls_link.c, call/call_facts.c), and what viewers read. */
static const struct {
    const char *type;
    const char *event;
} events[] = {
    {"began", "started"},      {"changed", "updated"}, {"over", "ended"}, {"state", "updated"},
    {"message", "message"},    {"heard", "heard"},     {"turn", "turn"},  {"event", "event"},
    {"transcript", "partial"}, {"reply", "partial"},
};

bool live_understand(const struct aic_json *body, struct live_news *news)
{
    struct aic_str type = aic_json_get_text(body, "type");
    size_t i = 0;
    while (i < sizeof(events) / sizeof(events[0]) && !aic_str_equal(type, events[i].type)) {
        i++;
    }
    /* The caller's words at the end of a turn come as a message, too. */
    if (i == sizeof(events) / sizeof(events[0]) || aic_json_get_bool(body, "final", false)) {
        return false;
    }
    news->event = events[i].event;
    news->body = body;
    news->is_partial = strcmp(news->event, "partial") == 0;
    news->is_agents = aic_str_equal(type, "reply");
    return true;
}

static void put_time(struct aic_json_writer *w, const char *key, int64_t wall_us)
{
    if (wall_us > 0) {
        char text[TIME_TEXT];
        time_format(text, wall_us);
        aic_json_member_text(w, key, text);
    }
}

static void put_time_or_null(struct aic_json_writer *w, const char *key, int64_t wall_us)
{
    if (wall_us > 0) {
        put_time(w, key, wall_us);
    } else {
        aic_json_key(w, key);
        aic_json_put_null(w);
    }
}

static void put_number(struct aic_json_writer *w, const char *key, struct aic_str number,
                       bool hides_numbers)
{
    char text[256];
    (void)aic_str_copy(number, text, sizeof(text));
    if (hides_numbers) {
        lookup_hide_number(text, strlen(text));
    }
    aic_json_member_text(w, key, text);
}

/* A time in milliseconds, as microseconds; 0 where it is none. */
static int64_t time_us(const struct aic_json *call, const char *key)
{
    int64_t ms = aic_json_get_int(call, key, 0);
    return ms > 0 && ms <= INT64_MAX / 1000 ? ms * 1000 : 0;
}

/* The members of a call behind its id. */
static void put_call(struct aic_json_writer *w, const struct aic_json *call, bool hides_numbers)
{
    static const char *const texts[] = {"agent", "status", "state", "provider", "call_sid"};
    aic_json_member(w, "direction", aic_json_get_text(call, "direction"));
    put_number(w, "from", aic_json_get_text(call, "from"), hides_numbers);
    put_number(w, "to", aic_json_get_text(call, "to"), hides_numbers);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        aic_json_member(w, texts[i], aic_json_get_text(call, texts[i]));
    }
    int64_t answered_us = time_us(call, "answered_ms");
    int64_t ended_us = time_us(call, "ended_ms");
    put_time(w, "started_at", time_us(call, "since_ms"));
    put_time_or_null(w, "answered_at", answered_us);
    aic_json_member_int(w, "turns", aic_json_get_int(call, "turns", 0));
    if (aic_json_get(call, "worker")) {
        aic_json_member_int(w, "worker", aic_json_get_int(call, "worker", 0));
    }
    if (ended_us > 0) {
        put_time(w, "ended_at", ended_us);
        aic_json_member_double(w, "duration_s",
                               answered_us > 0 ? (double)(ended_us - answered_us) / 1e6 : 0);
    }
    if (aic_json_get(call, "end_reason")) {
        aic_json_member(w, "end_reason", aic_json_get_text(call, "end_reason"));
    }
}

static int put_rest(void *data, const char *key, const struct aic_json *value)
{
    struct aic_json_writer *w = data;
    if (strcmp(key, "type") != 0) {
        aic_json_key(w, key);
        aic_json_put_node(w, value);
    }
    return 0;
}

static void put_data(struct aic_json_writer *w, const struct live_news *news, bool hides_numbers)
{
    const struct aic_json *call = aic_json_get(news->body, "call");
    aic_json_open(w, '{');
    aic_json_member_text(w, "call_id", news->call_id);
    put_time(w, "at", news->at_wall_us);
    if (call) {
        put_call(w, call, hides_numbers);
    } else if (aic_str_equal(aic_json_get_text(news->body, "type"), "state")) {
        aic_json_member(w, "activity", aic_json_get_text(news->body, "state"));
    } else if (news->is_partial) {
        aic_json_member_int(w, "turn", aic_json_get_int(news->body, "turn", 0));
        aic_json_member_text(w, "role", news->is_agents ? "assistant" : "user");
        aic_json_member(w, "text", aic_json_get_text(news->body, "text"));
    } else {
        (void)aic_json_each(news->body, put_rest, w);
    }
    aic_json_close(w, '}');
}

void live_write_event(struct aic_buf *to, const struct live_news *news, bool hides_numbers)
{
    struct aic_json_writer w;
    aic_buf_printf(to, "event: %s\n", news->event);
    /* One without a number can be missed: a client that comes again is not told what is behind it
     * alone. */
    if (!news->is_partial) {
        aic_buf_printf(to, "id: %llu\n", (unsigned long long)news->number);
    }
    aic_buf_text(to, "data: ");
    size_t begin = to->len;
    aic_json_writer_init(&w, to);
    put_data(&w, news, hides_numbers);
    if (hides_numbers && !to->failed) {
        lookup_hide_numbers(to->data + begin, to->len - begin);
    }
    aic_buf_text(to, "\n\n");
}

bool live_is_call(const struct aic_json *item)
{
    return aic_json_get_text(item, "provider").len > 0 ||
           !aic_str_equal(aic_json_get_text(item, "state"), "waiting");
}

void live_write_list(struct aic_buf *to, const struct aic_json *list, const char *call_id,
                     bool hides_numbers)
{
    struct aic_json_writer w;
    aic_json_writer_init(&w, to);
    aic_json_open(&w, '{');
    aic_json_key(&w, "calls");
    aic_json_open(&w, '[');
    for (size_t i = 0; i < aic_json_count(list); i++) {
        const struct aic_json *item = aic_json_at(list, i);
        struct aic_str id = aic_json_get_text(item, "call_id");
        if (live_is_call(item) && (!call_id[0] || aic_str_equal(id, call_id))) {
            aic_json_open(&w, '{');
            aic_json_member(&w, "call_id", id);
            put_call(&w, item, hides_numbers);
            aic_json_close(&w, '}');
        }
    }
    aic_json_close(&w, ']');
    aic_json_close(&w, '}');
}
