/* SPDX-License-Identifier: ISC */
/* Groq: one streamed answer, all of whose words are there when the first one is. */
#include "load/vendors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_BYTES = 16384 };

struct thought {
    struct vendors *vendors;
    struct line *line;
    struct pump_timer timer;
    struct trace *trace;
    int call;
    int turn;
};

static void add_chunk(struct aic_buf *to, const char *delta, const char *finish)
{
    struct aic_buf event;
    aic_buf_init(&event, ANSWER_BYTES);
    aic_buf_printf(&event,
                   "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\","
                   "\"created\":1,\"model\":\"openai/gpt-oss-20b\",\"choices\":[{\"index\":0,"
                   "\"delta\":{%s},\"logprobs\":null,\"finish_reason\":%s}]}\n\n",
                   delta, finish);
    aic_buf_printf(to, "%zx\r\n%s\r\n", event.len, event.data);
    aic_buf_finish(&event);
}

static void add_words(struct aic_buf *to, const struct thought *t)
{
    static const char *const words[] = {"This", " is", " the", " answer", " to"};
    char delta[64];
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        (void)snprintf(delta, sizeof(delta), "\"content\":\"%s\"", words[i]);
        add_chunk(to, delta, "null");
    }
    (void)snprintf(delta, sizeof(delta), "\"content\":\" call %d turn %d.\"", t->call, t->turn);
    add_chunk(to, delta, "null");
}

static void on_time(void *data)
{
    struct thought *t = data;
    struct aic_buf answer;
    aic_buf_init(&answer, ANSWER_BYTES);
    aic_buf_text(&answer, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n");
    add_chunk(&answer, "\"role\":\"assistant\",\"content\":\"\"", "null");
    add_words(&answer, t);
    add_chunk(&answer, "", "\"stop\"");
    aic_buf_text(&answer, "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n");
    if (t->trace) {
        t->trace->token_us = pump_now_us();
    }
    line_send(t->line, aic_buf_view(&answer));
    aic_buf_finish(&answer);
}

static void on_closed(void *data, struct line *line)
{
    struct thought *t = data;
    (void)line;
    pump_stop(t->vendors->pump, &t->timer);
    free(t);
}

void model_begin(struct vendors *vendors, struct line *line, struct aic_str body)
{
    static const struct line_events events = {.closed = on_closed};
    int64_t now_us = pump_now_us();
    struct thought *t = line_data(line, &events);
    if (!t) {
        t = calloc(1, sizeof(*t));
        if (!t) {
            pump_die("out of memory");
        }
        *t = (struct thought){.vendors = vendors, .line = line};
        t->timer = (struct pump_timer){.fire = on_time, .data = t};
        line_own(line, &events, t);
    }
    t->trace = words_read(body, &t->call, &t->turn) ? traces_find(vendors->traces, t->call, t->turn)
                                                    : NULL;
    if (t->trace) {
        t->trace->asked_us = now_us;
    } else {
        vendors->traces->strange++;
    }
    pump_set(vendors->pump, &t->timer, now_us + vendors->traces->plan.token_us);
}
