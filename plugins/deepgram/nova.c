/* SPDX-License-Identifier: ISC */
/*
 * /v1/listen: pieces of a turn that become final one by one. A turn ends with speech_final, or with
 * UtteranceEnd where noise hid the pause; never twice.
 */
#include "session.h"

static void show_partial(struct deepgram_session *session, const struct deepgram_message *m)
{
    if (m->text.len == 0 && !session->has_partial) {
        deepgram_tell_no_words(session);
    } else if (m->text.len > 0) {
        session->has_partial = true;
        deepgram_tell_words(session, m,
                            (struct aic_stt_event){.scope = AIC_STT_SCOPE_SEGMENT,
                                                   .text_mode = AIC_STT_TEXT_REPLACE,
                                                   .stability = AIC_STT_PARTIAL});
    }
}

/* An empty one takes back words that were shown before. */
static void tell_final(struct deepgram_session *session, const struct deepgram_message *m)
{
    if (m->text.len == 0 && !session->has_partial) {
        deepgram_tell_no_words(session);
        return;
    }
    session->has_partial = false;
    if (m->text.len > 0 && !session->has_words) {
        session->has_words = true;
        session->turn_began_us = deepgram_time_us(session, m->start_us);
    }
    deepgram_tell_words(session, m,
                        (struct aic_stt_event){.scope = AIC_STT_SCOPE_SEGMENT,
                                               .text_mode = AIC_STT_TEXT_APPEND,
                                               .stability = AIC_STT_FINAL});
    session->segment_id++;
}

static void tell_finalized(struct deepgram_session *session)
{
    session->awaits_finalize = false;
    deepgram_tell(session, AIC_STT_EVENT_FINALIZED,
                  (struct aic_stt_event){
                      .id = session->finalize_id, .confidence = -1, .start_us = -1, .end_us = -1});
}

static void take_results(struct deepgram_session *session, const struct deepgram_message *m)
{
    int64_t end_us = deepgram_time_us(session, m->end_us);
    if (!m->is_final) {
        show_partial(session, m);
        return;
    }
    bool is_repeated = end_us <= session->heard_us && !m->from_finalize;
    if (is_repeated) {
        return;
    }
    session->heard_us = end_us;
    tell_final(session, m);
    deepgram_line_settle(&session->line, end_us);
    if (session->awaits_finalize && (m->from_finalize || m->text.len > 0)) {
        tell_finalized(session);
    }
    if (session->has_words && (m->speech_final || m->from_finalize)) {
        deepgram_end_turn(session, -1);
    }
}

/* One that belongs to words before this turn's comes late and says nothing of it. */
static void take_utterance_end(struct deepgram_session *session, const struct deepgram_message *m)
{
    bool is_late = m->end_us >= 0 && deepgram_time_us(session, m->end_us) < session->turn_began_us;
    if (session->has_words && !is_late) {
        deepgram_end_turn(session, -1);
    }
}

void deepgram_nova_take(struct deepgram_session *session, const struct deepgram_message *message)
{
    switch (message->kind) {
    case DEEPGRAM_RESULTS:
        take_results(session, message);
        break;
    case DEEPGRAM_SPEECH_STARTED:
        deepgram_tell(
            session, AIC_STT_EVENT_SPEECH_STARTED,
            (struct aic_stt_event){.id = session->turn_id,
                                   .confidence = -1,
                                   .start_us = deepgram_time_us(session, message->start_us),
                                   .end_us = -1});
        break;
    case DEEPGRAM_UTTERANCE_END:
        take_utterance_end(session, message);
        break;
    case DEEPGRAM_METADATA:
        if (session->line.is_finishing) {
            deepgram_line_is_done(&session->line);
        }
        break;
    default:
        break;
    }
}
