/* SPDX-License-Identifier: ISC */
/* /v2/listen: each message has the whole turn so far, and Flux itself knows when it is over. */
#include "session.h"

/* While nobody speaks nothing has to be heard again, but the begin of a word that is about to be
 * recognised. */
static const int64_t keep_us = 1000000;

static void keep_text(struct deepgram_session *session, struct aic_str text)
{
    aic_buf_clear(&session->text);
    aic_buf_str(&session->text, text);
}

static bool is_new_text(const struct deepgram_session *session, struct aic_str text)
{
    return !aic_str_equal(text, session->text.len > 0 ? session->text.data : "");
}

static void tell_text(struct deepgram_session *session, const struct deepgram_message *m,
                      uint32_t stability)
{
    if (m->text.len == 0 && session->text.len == 0) {
        deepgram_tell_no_words(session);
        return;
    }
    keep_text(session, m->text);
    deepgram_tell_words(session, m,
                        (struct aic_stt_event){.scope = AIC_STT_SCOPE_TURN,
                                               .text_mode = AIC_STT_TEXT_REPLACE,
                                               .stability = stability});
}

static void tell_turn(struct deepgram_session *session, const struct deepgram_message *m,
                      uint32_t kind)
{
    deepgram_tell(session, kind,
                  (struct aic_stt_event){.id = session->turn_id,
                                         .confidence = m->end_confidence,
                                         .start_us = deepgram_time_us(session, m->start_us),
                                         .end_us = deepgram_time_us(session, m->end_us)});
}

static void take_update(struct deepgram_session *session, const struct deepgram_message *m)
{
    if (is_new_text(session, m->text)) {
        tell_text(session, m, AIC_STT_PARTIAL);
    }
    if (m->text.len == 0 && m->end_us >= 0) {
        deepgram_line_settle(&session->line, deepgram_time_us(session, m->end_us) - keep_us);
    }
}

static void take_end(struct deepgram_session *session, const struct deepgram_message *m)
{
    tell_text(session, m, AIC_STT_FINAL);
    aic_buf_clear(&session->text);
    deepgram_line_settle(&session->line, deepgram_time_us(session, m->end_us));
    deepgram_end_turn(session, m->end_confidence);
    if (session->awaits_finalize) {
        session->awaits_finalize = false;
        deepgram_tell(
            session, AIC_STT_EVENT_FINALIZED,
            (struct aic_stt_event){
                .id = session->finalize_id, .confidence = -1, .start_us = -1, .end_us = -1});
    }
}

static void take_turn(struct deepgram_session *session, const struct deepgram_message *m)
{
    switch (m->turn) {
    case DEEPGRAM_TURN_START:
        tell_turn(session, m, AIC_STT_EVENT_SPEECH_STARTED);
        take_update(session, m);
        break;
    case DEEPGRAM_TURN_UPDATE:
        take_update(session, m);
        break;
    case DEEPGRAM_TURN_EAGER_END:
        tell_text(session, m, AIC_STT_EAGER);
        tell_turn(session, m, AIC_STT_EVENT_TURN_EAGER_END);
        break;
    case DEEPGRAM_TURN_RESUMED:
        tell_turn(session, m, AIC_STT_EVENT_TURN_RESUMED);
        take_update(session, m);
        break;
    case DEEPGRAM_TURN_END:
        take_end(session, m);
        break;
    default:
        break;
    }
}

void deepgram_flux_take(struct deepgram_session *session, const struct deepgram_message *message)
{
    if (message->kind == DEEPGRAM_TURN) {
        take_turn(session, message);
    }
}

void deepgram_flux_finish(struct deepgram_session *session)
{
    if (session->text.len == 0) {
        return;
    }
    deepgram_tell(session, AIC_STT_EVENT_TRANSCRIPT,
                  (struct aic_stt_event){.id = session->turn_id,
                                         .scope = AIC_STT_SCOPE_TURN,
                                         .text_mode = AIC_STT_TEXT_REPLACE,
                                         .stability = AIC_STT_FINAL,
                                         .flags = AIC_STT_FORMATTED,
                                         .text = aic_buf_view(&session->text),
                                         .confidence = -1,
                                         .start_us = -1,
                                         .end_us = -1});
    aic_buf_clear(&session->text);
    deepgram_end_turn(session, -1);
}
