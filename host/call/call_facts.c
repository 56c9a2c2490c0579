/* SPDX-License-Identifier: ISC */
#include "call/call_private.h"

#include "base/audio.h"
#include "base/counters.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/timefmt.h"
#include "plugin/provider.h"

#include "json.h"

#include <stdio.h>
#include <string.h>

enum { MAX_COLUMNS = 2 << 20 };

const char *call_status_name(uint32_t status)
{
    static const char *const names[] = {"",     "queued",    "ringing", "in_progress", "completed",
                                        "busy", "no_answer", "failed",  "canceled"};
    return status < sizeof(names) / sizeof(names[0]) ? names[status] : "unknown";
}

/* A JSON object under construction, for one fact or one message to onlookers. */
struct draft {
    struct aic_buf buf;
    struct aic_json_writer w;
};

static void draft_begin(struct draft *draft)
{
    aic_buf_init(&draft->buf, MAX_COLUMNS);
    aic_json_writer_init(&draft->w, &draft->buf);
    aic_json_open(&draft->w, '{');
}

static void put_time(struct draft *draft, const char *key, int64_t wall_us)
{
    if (wall_us > 0) {
        char text[TIME_TEXT];
        time_format(text, wall_us);
        aic_json_member_text(&draft->w, key, text);
    }
}

static void draft_write(struct draft *draft, struct call *call, const char *table, const char *id,
                        uint64_t revision)
{
    aic_json_close(&draft->w, '}');
    struct journal *journal = call->env.journal;
    if (journal && !draft->buf.failed) {
        struct journal_fact fact = {.table = table,
                                    .id = id,
                                    .call_id = call->id,
                                    .revision = revision,
                                    .columns = aic_buf_view(&draft->buf)};
        journal->write(journal, &fact, false, NULL, NULL);
    }
    aic_buf_finish(&draft->buf);
}

static void new_id(struct call *call, char id[UUID_TEXT])
{
    uint8_t random[10];
    call_random(call, random);
    uuid7_format(id, sched_wall(call->env.sched), random);
}

int64_t call_wall(const struct call *call, int64_t at_us)
{
    struct sched *sched = call->env.sched;
    return at_us > 0 ? sched_wall(sched) - (sched_now(sched) - at_us) : 0;
}

void call_record_call(struct call *call)
{
    struct draft draft;
    draft_begin(&draft);
    struct aic_json_writer *w = &draft.w;
    if (call->provider_call_id[0]) {
        aic_json_member_text(w, "call_sid", call->provider_call_id);
    }
    aic_json_member_text(w, "provider", call->provider_name);
    aic_json_member_text(w, "direction",
                         call->direction == AIC_DIRECTION_OUTBOUND ? "outbound" : "inbound");
    aic_json_member_text(w, "from_number", call->from);
    aic_json_member_text(w, "to_number", call->to);
    aic_json_member_text(w, "agent", call->agent->name);
    aic_json_member_text(w, "language", call->agent->language);
    aic_json_member_text(w, "status", call_status_name(call->status));
    put_time(&draft, "created_at", call->created_wall_us);
    put_time(&draft, "started_at", call->created_wall_us);
    put_time(&draft, "answered_at", call->answered_wall_us);
    put_time(&draft, "ended_at", call->ended_wall_us);
    if (call->ended_wall_us > 0) {
        double seconds = call->answered_wall_us
                             ? (double)(call->ended_wall_us - call->answered_wall_us) / 1e6
                             : 0;
        aic_json_member_double(w, "duration_s", seconds);
        aic_json_member_text(w, "end_reason", call->end_reason);
        if (call->env.prices && call->env.prices->count > 0) {
            aic_json_member_double(w, "cost", call->cost);
        }
    }
    if (!call->prompt_is_recorded) {
        call->prompt_is_recorded = true;
        aic_json_member_text(w, "system_prompt", call->prompt);
        if (call->context_url[0]) {
            aic_json_member_text(w, "context_url", call->context_url);
            aic_json_member_text(w, "context_data", call->context);
        }
    }
    draft_write(&draft, call, "calls", call->id, ++call->revision);
}

static void put_message_detail(struct draft *draft, const struct dialog_message *message)
{
    if (message->began_wall_us == 0 && !message->tool_calls) {
        return;
    }
    aic_json_key(&draft->w, "detail");
    aic_json_open(&draft->w, '{');
    put_time(draft, "began_at", message->began_wall_us);
    put_time(draft, "ended_at", message->ended_wall_us);
    if (message->tool_calls) {
        aic_json_member_raw(&draft->w, "tool_calls", aic_str(message->tool_calls));
    }
    aic_json_close(&draft->w, '}');
}

void call_record_message(struct call *call, struct dialog_message *message, bool was_interrupted)
{
    struct draft draft;
    draft_begin(&draft);
    struct aic_json_writer *w = &draft.w;
    aic_json_member_text(w, "call_id", call->id);
    aic_json_member_int(w, "turn", (int64_t)message->turn);
    aic_json_member_text(w, "role", dialog_role_name(message->role));
    aic_json_member_text(w, "content", message->content);
    if (message->role == DIALOG_ASSISTANT) {
        aic_json_member_text(w, "heard", message->heard ? message->heard : "");
        aic_json_member_bool(w, "interrupted", was_interrupted);
        aic_json_member_text(w, "provider",
                             call->responder->ops->provider(call->responder, RESPONDER_LLM));
    }
    put_message_detail(&draft, message);
    if (message->tool_name) {
        aic_json_member_text(w, "name", message->tool_name);
    }
    if (message->role == DIALOG_USER && call->has_stt) {
        aic_json_member_text(w, "provider",
                             call->responder->ops->provider(call->responder, RESPONDER_STT));
    }
    put_time(&draft, "at", message->at_wall_us);
    draft_write(&draft, call, "messages", message->id, message->revision);
    call_show_message(call, message, was_interrupted);
}

void call_record_event(struct call *call, const char *type, struct aic_str detail)
{
    char id[UUID_TEXT];
    struct draft draft;
    new_id(call, id);
    draft_begin(&draft);
    aic_json_member_text(&draft.w, "call_id", call->id);
    aic_json_member_text(&draft.w, "type", type);
    aic_json_member_int(&draft.w, "turn", (int64_t)call->turn_number);
    if (detail.len > 0) {
        aic_json_member_raw(&draft.w, "detail", detail);
    }
    put_time(&draft, "at", sched_wall(call->env.sched));
    draft_write(&draft, call, "events", id, 1);
    call_show_event(call, type, detail);
}

void call_record_note(struct call *call, const char *type, const char *key, const char *text)
{
    struct draft detail;
    draft_begin(&detail);
    aic_json_member_text(&detail.w, key, text);
    aic_json_close(&detail.w, '}');
    call_record_event(call, type, aic_buf_view(&detail.buf));
    aic_buf_finish(&detail.buf);
}

void call_record_losses(struct call *call)
{
    struct responder *r = call->responder;
    uint64_t unheard = r ? r->ops->unheard_blocks(r) : 0;
    size_t unsaid = (size_t)call->playout.dropped_bytes;
    uint64_t unsaid_ms =
        unsaid > 0 ? (uint64_t)audio_duration_us(call->format_out, unsaid) / 1000 : 0;
    uint64_t marks = call->playout.lost_marks;
    counter_add(COUNTER_UNHEARD_BLOCKS, unheard);
    counter_add(COUNTER_UNSAID_MS, unsaid_ms);
    counter_add(COUNTER_LOST_MARKS, marks);
    if (unheard + unsaid_ms + marks == 0) {
        return;
    }
    struct draft detail;
    draft_begin(&detail);
    aic_json_member_int(&detail.w, "unheard_blocks", (int64_t)unheard);
    aic_json_member_int(&detail.w, "unsaid_ms", (int64_t)unsaid_ms);
    aic_json_member_int(&detail.w, "lost_marks", (int64_t)marks);
    aic_json_close(&detail.w, '}');
    call_record_event(call, "sound_lost", aic_buf_view(&detail.buf));
    aic_buf_finish(&detail.buf);
    log_warn("call", "sound was lost", LOG_S("call", call->id),
             LOG_I("unheard_blocks", (int64_t)unheard), LOG_I("unsaid_ms", (int64_t)unsaid_ms),
             LOG_I("lost_marks", (int64_t)marks));
}

/* Milliseconds from one clock time to another; -1 where one of them never came. */
static int64_t ms_between(int64_t from_us, int64_t to_us)
{
    return from_us > 0 && to_us >= from_us ? (to_us - from_us) / 1000 : -1;
}

static void put_ms(struct aic_json_writer *w, const char *key, int64_t ms)
{
    if (ms >= 0) {
        aic_json_member_int(w, key, ms);
    }
}

struct latency {
    int64_t endpointing_ms; /* end of the caller's voice to the start of the answer */
    int64_t stt_ms;         /* of it: until the last words came */
    int64_t llm_ms;         /* start to first token */
    int64_t tts_ms;         /* first token (or start) to first sound */
    int64_t playout_ms;     /* first sound to its way to the caller */
    int64_t response_ms;    /* end of the caller's voice to that */
};

static struct latency measure(const struct answer *answer)
{
    int64_t text_us = answer->token_us > 0 ? answer->token_us : answer->started_us;
    int64_t words_us = answer->words_us >= answer->turn_ended_us ? answer->words_us : 0;
    return (struct latency){
        .endpointing_ms = ms_between(answer->turn_ended_us, answer->started_us),
        .stt_ms = ms_between(answer->turn_ended_us, words_us),
        .llm_ms = ms_between(answer->started_us, answer->token_us),
        .tts_ms = ms_between(text_us, answer->audio_us),
        .playout_ms = ms_between(answer->audio_us, answer->sent_us),
        .response_ms = ms_between(answer->turn_ended_us, answer->sent_us),
    };
}

static void put_latency(struct aic_json_writer *w, const struct latency *latency)
{
    put_ms(w, "endpointing_ms", latency->endpointing_ms);
    put_ms(w, "stt_ms", latency->stt_ms);
    put_ms(w, "llm_ms", latency->llm_ms);
    put_ms(w, "tts_ms", latency->tts_ms);
    put_ms(w, "playout_ms", latency->playout_ms);
    put_ms(w, "response_ms", latency->response_ms);
}

static void count_turn(const struct call *call, const struct latency *latency, bool was_interrupted)
{
    struct responder *r = call->responder;
    const char *stt = r->ops->provider(r, RESPONDER_STT);
    const char *tts = r->ops->provider(r, RESPONDER_TTS);
    metrics_count(METRICS_TURNS + (was_interrupted ? 1 : 0), 1);
    metrics_observe(METRICS_RESPONSE, latency->response_ms);
    metrics_observe_stage(METRICS_ENDPOINTING, stt, latency->endpointing_ms);
    metrics_observe_stage(METRICS_STT, stt, latency->stt_ms);
    metrics_observe_stage(METRICS_LLM, r->ops->provider(r, RESPONDER_LLM), latency->llm_ms);
    metrics_observe_stage(METRICS_TTS, tts, latency->tts_ms);
    metrics_observe_stage(METRICS_PLAYOUT, call->provider_name, latency->playout_ms);
}

static void tell_turn(struct call *call, const struct latency *latency)
{
    struct responder *r = call->responder;
    struct draft draft;
    draft_begin(&draft);
    aic_json_member_text(&draft.w, "type", "turn");
    aic_json_member_int(&draft.w, "turn", (int64_t)call->answer.turn);
    aic_json_key(&draft.w, "latency");
    aic_json_open(&draft.w, '{');
    put_latency(&draft.w, latency);
    aic_json_close(&draft.w, '}');
    aic_json_key(&draft.w, "providers");
    aic_json_open(&draft.w, '{');
    aic_json_member_text(&draft.w, "stt", r->ops->provider(r, RESPONDER_STT));
    aic_json_member_text(&draft.w, "llm", r->ops->provider(r, RESPONDER_LLM));
    aic_json_member_text(&draft.w, "tts", r->ops->provider(r, RESPONDER_TTS));
    aic_json_close(&draft.w, '}');
    aic_json_close(&draft.w, '}');
    call_tell(call, aic_buf_view(&draft.buf));
    aic_buf_finish(&draft.buf);
}

void call_record_turn(struct call *call, bool was_interrupted)
{
    struct answer *answer = &call->answer;
    if (answer->is_fixed) {
        return;
    }
    char id[UUID_TEXT];
    struct draft draft;
    struct latency latency = measure(answer);
    struct responder *r = call->responder;
    new_id(call, id);
    draft_begin(&draft);
    aic_json_member_text(&draft.w, "call_id", call->id);
    aic_json_member_int(&draft.w, "turn", (int64_t)answer->turn);
    put_latency(&draft.w, &latency);
    aic_json_member_text(&draft.w, "stt_provider", r->ops->provider(r, RESPONDER_STT));
    aic_json_member_text(&draft.w, "llm_provider", r->ops->provider(r, RESPONDER_LLM));
    aic_json_member_text(&draft.w, "tts_provider", r->ops->provider(r, RESPONDER_TTS));
    aic_json_member_bool(&draft.w, "interrupted", was_interrupted);
    aic_json_member_int(&draft.w, "failovers", answer->failovers);
    if (answer->fillers > 0) {
        char detail[32];
        (void)snprintf(detail, sizeof(detail), "{\"fillers\":%d}", answer->fillers);
        aic_json_member_raw(&draft.w, "detail", aic_str(detail));
    }
    put_time(&draft, "at", sched_wall(call->env.sched));
    draft_write(&draft, call, "turns", id, 1);
    count_turn(call, &latency, was_interrupted);
    tell_turn(call, &latency);
    call_trace_turn(call, was_interrupted);
}

static void put_units(struct aic_json_writer *w, const struct aic_usage *usage)
{
    const struct {
        const char *name;
        int64_t amount;
    } units[] = {
        {"requests", usage->requests},
        {"audio_in_us", usage->audio_in_us},
        {"audio_out_us", usage->audio_out_us},
        {"connection_us", usage->connection_us},
        {"chars_in", usage->chars_in},
        {"chars_billed", usage->chars_billed},
        {"credits", usage->credits},
        {"tokens_in", usage->tokens_in},
        {"tokens_in_cached", usage->tokens_in_cached},
        {"tokens_cache_write", usage->tokens_cache_write},
        {"tokens_out", usage->tokens_out},
        {"tokens_reasoning", usage->tokens_reasoning},
        {"tokens_audio_in", usage->tokens_audio_in},
        {"tokens_audio_out", usage->tokens_audio_out},
    };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (units[i].amount != 0) {
            aic_json_member_int(w, units[i].name, units[i].amount);
        }
    }
}

static const char *role_name(enum responder_role role)
{
    static const char *const names[] = {"", "stt", "llm", "tts"};
    return names[role];
}

void call_record_usage(struct call *call, struct usage_line *line, const char *role)
{
    struct draft draft;
    draft_begin(&draft);
    aic_json_member_text(&draft.w, "call_id", call->id);
    aic_json_member_int(&draft.w, "turn", (int64_t)call->turn_number);
    aic_json_member_text(&draft.w, "provider", line->provider->name);
    aic_json_member_text(&draft.w, "role", role);
    aic_json_key(&draft.w, "units");
    aic_json_open(&draft.w, '{');
    put_units(&draft.w, &line->total);
    aic_json_close(&draft.w, '}');
    if (call->env.prices && prices_have(call->env.prices, line->provider->name)) {
        aic_json_member_double(&draft.w, "cost", line->cost);
    }
    aic_json_member_bool(&draft.w, "estimated", (line->total.flags & AIC_USAGE_ESTIMATED) != 0);
    put_time(&draft, "at", sched_wall(call->env.sched));
    draft_write(&draft, call, "usage", line->id, ++line->revision);
}

void call_record_switch(struct call *call, enum responder_role role, const struct provider *from,
                        const struct provider *to, const struct aic_error *error)
{
    struct draft detail;
    if (from) {
        metrics_count_failover((uint32_t)role - RESPONDER_STT, from->name);
        call_announce_switch(call, role_name(role), from->name, to ? to->name : "",
                             error ? error_category_name(error->category) : "");
    }
    draft_begin(&detail);
    aic_json_member_text(&detail.w, "role", role_name(role));
    aic_json_member_text(&detail.w, "from", from ? from->name : "");
    aic_json_member_text(&detail.w, "to", to ? to->name : "");
    if (error) {
        aic_json_member_text(&detail.w, "category", error_category_name(error->category));
        aic_json_member_int(&detail.w, "http_status", error->http_status);
        aic_json_member(&detail.w, "code", error->code.ptr ? error->code : AIC_STR(""));
    }
    aic_json_close(&detail.w, '}');
    call_record_event(call, "failover", aic_buf_view(&detail.buf));
    aic_buf_finish(&detail.buf);
}

void call_tell(struct call *call, struct aic_str json)
{
    struct provider *provider = call->leg_provider;
    if (call->leg && (provider->telephony_caps.flags & AIC_TEL_NOTIFY) &&
        provider->telephony.leg_notify) {
        (void)provider->telephony.leg_notify(call->leg, json);
    }
    if (call->hooks.notify) {
        call->hooks.notify(call->hooks.data, call, json);
    }
}

void call_tell_state(struct call *call, const char *state)
{
    struct draft draft;
    draft_begin(&draft);
    aic_json_member_text(&draft.w, "type", "state");
    aic_json_member_text(&draft.w, "state", state);
    aic_json_close(&draft.w, '}');
    call_tell(call, aic_buf_view(&draft.buf));
    aic_buf_finish(&draft.buf);
}

void call_tell_text(struct call *call, const char *type, uint64_t turn, struct aic_str text,
                    bool flag)
{
    struct draft draft;
    draft_begin(&draft);
    aic_json_member_text(&draft.w, "type", type);
    if (strcmp(type, "ended") == 0) {
        aic_json_member(&draft.w, "reason", text);
    } else {
        aic_json_member_int(&draft.w, "turn", (int64_t)turn);
        aic_json_member(&draft.w, "text", text);
    }
    if (strcmp(type, "transcript") == 0) {
        aic_json_member_text(&draft.w, "role", "user");
        aic_json_member_bool(&draft.w, "final", flag);
    } else if (strcmp(type, "heard") == 0) {
        aic_json_member_bool(&draft.w, "interrupted", flag);
    }
    aic_json_close(&draft.w, '}');
    call_tell(call, aic_buf_view(&draft.buf));
    aic_buf_finish(&draft.buf);
}
