/* SPDX-License-Identifier: ISC */
#ifndef CALL_CALL_PRIVATE_H
#define CALL_CALL_PRIVATE_H
/*
 * Inside of a call. Its files: call.c (life), call_leg.c (the line), call_voice.c (the caller's
 * sound and whose turn it is), call_keys.c (the keys that the caller presses), call_answer.c (the
 * agent's answers), call_duties.c (what is owed to people who are called), call_filler.c (words
 * while one takes its time), call_tools.c and call_builtin.c (what the model asks for),
 * call_usage.c (what it costs), call_recording.c (its sound in a file), call_facts.c (the record,
 * and what both ends see), call_onlookers.c (what others see of the record).
 */
#include "call/call.h"
#include "call/cascade.h"
#include "call/dialog.h"
#include "call/fetch.h"
#include "call/playout.h"
#include "call/prices.h"
#include "call/recorder.h"
#include "call/trace.h"
#include "call/turn.h"
#include "call/vad.h"
#include "call/webhook_post.h"

#include "json.h"

enum {
    CALL_TOOLS = 8,
    CALL_KEYS = 32,
    CALL_REASON = 48,
    CALL_USAGE_LINES = 24,
    CALL_ROLE_LINE = 0,
    CALL_FRAME_BYTES = 8192,
    CALL_NO_MESSAGE = -1
};

enum call_state {
    CALL_WAITING = 1, /* for its sound */
    CALL_TALKING = 2,
    CALL_ENDING = 3, /* hung up, the leg has not said so yet */
    CALL_OVER = 4
};

struct tool_request {
    char *id;
    char *name;
    char *arguments;
};

/* What was used of one provider in one role. */
struct usage_line {
    int role; /* enum responder_role, or CALL_ROLE_LINE */
    const struct provider *provider;
    char id[UUID_TEXT]; /* of its fact */
    uint64_t revision;
    struct aic_usage total;
    struct aic_usage session; /* the last totals of a session, where a plugin tells totals */
    double cost;
};

/* A tool's request under way. It outlives the answer that asked for it: what it did is recorded. */
struct tool_run {
    struct tool_run *next;
    struct call *call;
    const struct tool *tool;
    uint64_t epoch; /* of the answer; 0 = nobody waits any more */
    char *id;
    void *handle;
    int64_t began_us;
    uint64_t turn_epoch; /* the same, and stays */
    uint8_t span_id[TRACE_SPAN];
};

/* One answer of the agent, from the end of the caller's turn to its last sample. */
struct answer {
    uint64_t epoch;
    uint64_t turn;
    int message;     /* index in the dialog; CALL_NO_MESSAGE */
    int64_t from_us; /* where in the playout its sound begins; -1 none yet */
    struct aic_buf text;
    struct aic_buf guess; /* the caller's words that a speculative answer goes by */
    struct tool_request tools[CALL_TOOLS];
    size_t tool_count;
    char *state; /* the model's own */
    char *state_provider;
    /* Clock times for the latency record; 0 = has not happened. */
    int64_t turn_ended_us;
    int64_t words_us; /* when the last of the words that it answers came */
    int64_t started_us;
    int64_t token_us;
    int64_t thought_us; /* the text was complete */
    int64_t audio_us;
    int64_t sent_us;
    int failovers;
    int fillers;       /* said in it */
    size_t filled_to;  /* the text up to here needs no filler */
    int tools_running; /* whose results are not here yet */
    int tool_rounds;
    bool tools_want_more; /* the model has to go on after them */
    bool is_active;
    bool is_speculative;
    bool is_fixed;   /* said by the host, no model */
    bool is_thought; /* the text is complete */
    bool ends_call;
    const char *transfer_to; /* once it was heard; NULL */
};

struct call {
    char id[UUID_TEXT];
    struct call_env env;
    struct call_hooks hooks;
    const struct agent *agent;
    enum call_state state;
    uint32_t direction;
    uint32_t status; /* AIC_CALL_... */
    uint64_t revision;
    char *from;
    char *to;
    char *provider_call_id;
    char *provider_name;
    char *prompt;
    char *context;
    char *context_url;
    char *metadata; /* JSON object; "" = none */
    struct trace_call trace;
    int64_t traced_tokens_in; /* that spans tell of */
    int64_t traced_tokens_out;
    char *llm_context; /* JSON, see llm.h */
    char *record_to;
    bool is_text;
    struct aic_format speak_in;

    struct provider *leg_provider;
    void *leg;
    struct aic_telephony_sink leg_sink;
    struct aic_format format_in;
    struct aic_format format_out;

    struct usage_line usage[CALL_USAGE_LINES];
    size_t usage_count;
    double cost; /* so far, by the price table */
    bool is_over_cost;
    struct tool_run *tool_runs;
    int tool_calls; /* so far in this call */

    struct responder *responder;
    struct playout playout;
    struct vad vad;
    struct turn turn;
    struct dialog dialog;
    struct recorder *recorder;
    struct recording *recording; /* what is known of it */
    bool asks_to_record;         /* the caller has not answered yet */
    bool recording_is_paused;
    struct answer answer;
    uint8_t frame[CALL_FRAME_BYTES]; /* the caller's sound, until it fills 20 ms */
    size_t frame_bytes;
    size_t frame_fill;

    char keys[CALL_KEYS + 1]; /* pressed so far */
    size_t key_count;
    size_t fillers; /* said so far; they take turns */

    uint64_t epoch;
    uint64_t turn_number;
    int reprompts;
    int unclear;
    int64_t created_wall_us;
    int64_t answered_wall_us;
    int64_t ended_wall_us;
    int64_t answered_us;
    int64_t last_media_us;
    int64_t words_us; /* when the recogniser last told words, of whatever turn */
    int64_t spoke_us; /* when the caller began to speak in this turn; 0 = not yet */
    char end_reason[CALL_REASON];
    bool is_end_told;
    bool was_heard;
    bool merges_user; /* the last answer was taken back: its question goes on */
    bool is_apologising;
    bool has_stt;
    bool prompt_is_recorded;

    struct sched_timer *silence_timer;
    struct sched_timer *duration_timer;
    struct sched_timer *media_timer;
    struct sched_timer *end_timer;
    struct sched_timer *key_timer;
    struct sched_timer *filler_timer;
    struct sched_timer *disclosure_timer;
    uint64_t disclosure_epoch; /* of the greeting whose first sentence must be heard */
    size_t disclosure_length;
};

/* call.c */
bool call_make_responder(struct call *call);
void call_begin_talking(struct call *call);
void call_hang_up(struct call *call, const char *reason);
void call_over(struct call *call);

/* call_leg.c */
void call_close_leg(struct call *call);

/* call_voice.c */
void call_take_audio(struct call *call, const struct aic_audio *audio);
void call_act(struct call *call, uint32_t actions);
void call_heard(void *data, const struct aic_stt_event *event);
void call_hears_with(void *data, uint32_t stt_flags);
/* The agent is silent and it is the caller's turn: begin to count the silence. */
void call_wait_for_caller(struct call *call);
void call_stop_waiting(struct call *call);

/* call_keys.c */
/* Keys come one by one; '#' or a pause makes them the caller's turn. */
void call_take_keys(struct call *call, struct aic_str digits);

/* call_answer.c */
struct responder_events call_responder_events(struct call *call);
struct playout_events call_playout_events(struct call *call);
/* The caller's turn is over, with these words. */
void call_answer(struct call *call, struct aic_str words);
/* The same, not yet for sure. */
void call_think_ahead(struct call *call);
void call_drop_thoughts(struct call *call);
/* Says fixed words; `ends_call`: the last ones. */
void call_say(struct call *call, const char *text, bool ends_call);
/* Lets the model begin. */
void call_begin(struct call *call);
/* The caller has the floor. */
void call_interrupt(struct call *call);
/* Ends the answer where it is: what was heard goes into the record. */
void call_cut_answer(struct call *call);
/* Goes on after tools have run; `more`: the model has something to add. */
void call_after_tools(struct call *call, bool more);
void call_apologise(struct call *call, const char *reason);

/* call_duties.c */
/* The greeting has just begun: whom we called hears its first sentence, whatever happens. */
void call_disclose(struct call *call);
/* Whether the words are a wish not to be called any more, which somebody with a number has. */
bool call_opts_out(const struct call *call, struct aic_str words);
/* Writes the number down and ends the call politely. */
void call_leave_alone(struct call *call);

/* call_filler.c */
/* The answer's words are being waited for, from the model or from a tool. */
void call_expect_answer(struct call *call);

/* call_usage.c */
void call_use(struct call *call, int role, const struct provider *provider,
              const struct aic_usage *usage);
/* The line's own cost, by how long it has lasted. */
void call_use_line(struct call *call);

/* call_builtin.c */
void call_builtins_json(const struct call *call, struct aic_json_writer *w);
/* False: there is none of this name. `more`: the model has to go on. */
bool call_run_builtin(struct call *call, const char *name, const struct aic_json *arguments,
                      struct aic_buf *result, bool *more);

/* call_tools.c */
void call_tool_json(struct aic_json_writer *w, const char *name, const char *description,
                    const char *parameters);
void call_tools_json(const struct call *call, struct aic_buf *to);
void call_take_tool(struct call *call, struct aic_str id, struct aic_str name,
                    struct aic_str arguments);
void call_run_tools(struct call *call);
void call_forget_tools(struct call *call);
/* The answer that waits for tools is cut off: the model gets to know. */
void call_abandon_tools(struct call *call);
/* The answer that hands the caller over was heard. */
void call_hand_over(struct call *call, const char *to);
void call_cancel_tools(struct call *call);

/* call_recording.c */
void call_recording_start(struct call *call);
void call_recording_end(struct call *call);
/* The caller's words, the first of which may answer whether the call may be recorded. */
void call_recording_hear(struct call *call, struct aic_str words);
bool call_is_recorded(const struct call *call);

/* call_webhook.c */
/* What is known of it; borrowed, without a traceparent. */
struct webhook_call call_facts_of(const struct call *call);
void call_announce(struct call *call, enum webhook_event event);
void call_announce_switch(struct call *call, const char *role, const char *from, const char *to,
                          const char *category);
void call_announce_opt_out(struct call *call, const char *number);

/* call_trace.c */
void call_trace_begin(struct call *call, const char *traceparent);
/* The spans of the answer that has just ended. */
void call_trace_turn(struct call *call, bool was_interrupted);
/* The span that a tool's request will be, and what is sent along with it. */
void call_trace_tool_begin(struct call *call, struct tool_run *run, char to[TRACE_PARENT_TEXT]);
void call_trace_tool_end(struct call *call, const struct tool_run *run, int32_t http_status,
                         const char *error);
void call_trace_end(struct call *call);

/* call_onlookers.c */
void call_show_event(struct call *call, const char *type, struct aic_str detail);
void call_show_message(struct call *call, const struct dialog_message *message,
                       bool was_interrupted);

/* call_facts.c */
/* A time of the loop's clock as one of the wall; 0 stays 0. */
int64_t call_wall(const struct call *call, int64_t at_us);
/* What of the call's sound was lost, if any. */
void call_record_losses(struct call *call);
void call_record_call(struct call *call);
void call_record_message(struct call *call, struct dialog_message *message, bool was_interrupted);
void call_record_event(struct call *call, const char *type, struct aic_str detail);
/* An event with one text and one number. */
void call_record_note(struct call *call, const char *type, const char *key, const char *text);
void call_record_turn(struct call *call, bool was_interrupted);
void call_record_usage(struct call *call, struct usage_line *line, const char *role);
void call_record_switch(struct call *call, enum responder_role role, const struct provider *from,
                        const struct provider *to, const struct aic_error *error);
/* To the page at the other end and to onlookers. */
void call_tell(struct call *call, struct aic_str json);
void call_tell_state(struct call *call, const char *state);
void call_tell_text(struct call *call, const char *type, uint64_t turn, struct aic_str text,
                    bool flag);
void call_random(struct call *call, uint8_t random[10]);

#endif
