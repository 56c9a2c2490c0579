/* SPDX-License-Identifier: ISC */
#include "call/call_private.h"

#include "json.h"

/* What onlookers see of the record as it is written. The other end of the line does not. */

enum { MAX_SHOWN = 200 * 1024 };

static void show(struct call *call, struct aic_json_writer *w)
{
    aic_json_close(w, '}');
    if (!w->buf->failed) {
        call->hooks.notify(call->hooks.data, call, aic_buf_view(w->buf));
    }
    aic_buf_finish(w->buf);
}

static void begin(struct aic_buf *buf, struct aic_json_writer *w, const char *type)
{
    aic_buf_init(buf, MAX_SHOWN);
    aic_json_writer_init(w, buf);
    aic_json_open(w, '{');
    aic_json_member_text(w, "type", type);
}

void call_show_event(struct call *call, const char *type, struct aic_str detail)
{
    struct aic_buf buf;
    struct aic_json_writer w;
    if (!call->hooks.notify) {
        return;
    }
    begin(&buf, &w, "event");
    aic_json_member_text(&w, "event", type);
    aic_json_member_int(&w, "turn", (int64_t)call->turn_number);
    if (detail.len > 0) {
        aic_json_member_raw(&w, "detail", detail);
    }
    show(call, &w);
}

void call_show_message(struct call *call, const struct dialog_message *message,
                       bool was_interrupted)
{
    struct aic_buf buf;
    struct aic_json_writer w;
    if (!call->hooks.notify) {
        return;
    }
    begin(&buf, &w, "message");
    aic_json_member_text(&w, "message_id", message->id);
    aic_json_member_int(&w, "turn", (int64_t)message->turn);
    aic_json_member_text(&w, "role", dialog_role_name(message->role));
    aic_json_member_text(&w, "text", message->content ? message->content : "");
    if (message->role == DIALOG_ASSISTANT) {
        aic_json_member_text(&w, "heard", message->heard ? message->heard : "");
        aic_json_member_bool(&w, "interrupted", was_interrupted);
    }
    if (message->tool_name) {
        aic_json_member_text(&w, "name", message->tool_name);
    }
    show(call, &w);
}
