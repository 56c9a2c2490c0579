/* SPDX-License-Identifier: ISC */
#include "fake_vendor_private.h"

#include "buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fake_llm {
    struct fake_vendor *vendor;
    const struct aic_llm_sink *sink;
    struct aic_timer *timer;
    const struct fake_text *reply;
    const char *at; /* what is left of the reply */
    uint64_t request;
};

static int32_t llm_capabilities(void *self, struct aic_llm_caps *caps)
{
    caps->flags = ((struct fake_vendor *)self)->llm_flags | AIC_LLM_STREAMING | AIC_LLM_TOOLS;
    return AIC_OK;
}

static int32_t llm_open(void *self, const struct aic_llm_open *params,
                        const struct aic_llm_sink *sink, void **session)
{
    (void)params;
    struct fake_llm *llm = calloc(1, sizeof(*llm));
    llm->vendor = self;
    llm->sink = sink;
    llm->vendor->llm_sessions++;
    *session = llm;
    return AIC_OK;
}

static void llm_finish(struct fake_llm *llm)
{
    uint64_t id = llm->request;
    llm->request = 0;
    if (llm->reply->failure) {
        struct aic_error error = fake_failure(llm->reply->failure);
        struct aic_llm_event event = {
            .size = sizeof(event), .kind = AIC_LLM_EVENT_ERROR, .id = id, .error = &error};
        llm->sink->event(llm->sink, &event);
        return;
    }
    struct aic_llm_event event = {.size = sizeof(event), .id = id};
    if (llm->reply->tool) {
        event.kind = AIC_LLM_EVENT_TOOL_CALL;
        event.tool_id = AIC_STR("call_1");
        event.tool_name = aic_str(llm->reply->tool);
        event.tool_arguments = aic_str(llm->reply->arguments);
        llm->sink->event(llm->sink, &event);
    }
    event.kind = AIC_LLM_EVENT_FINISH;
    event.finish = llm->reply->tool ? AIC_LLM_FINISH_TOOL_CALLS : AIC_LLM_FINISH_STOP;
    llm->sink->event(llm->sink, &event);
}

static void llm_step(void *data)
{
    struct fake_llm *llm = data;
    llm->timer = NULL;
    if (!llm->at || !*llm->at) {
        llm_finish(llm);
        return;
    }
    size_t word = strcspn(llm->at + 1, " ") + 1;
    struct aic_llm_event event = {.size = sizeof(event),
                                  .kind = AIC_LLM_EVENT_TEXT_DELTA,
                                  .id = llm->request,
                                  .text = {llm->at, word}};
    llm->at += word;
    llm->timer = fake_after(llm->vendor, llm->vendor->token_us, llm_step, llm);
    llm->sink->event(llm->sink, &event);
}

static int32_t llm_start(void *session, const struct aic_llm_request *request)
{
    static const struct fake_text nothing_left = {.text = "I have nothing more to say."};
    struct fake_llm *llm = session;
    struct fake_vendor *vendor = llm->vendor;
    vendor->requests++;
    (void)aic_str_copy(request->messages, vendor->messages, sizeof(vendor->messages));
    llm->request = request->id;
    llm->reply = vendor->reply_next < vendor->reply_count ? &vendor->replies[vendor->reply_next++]
                                                          : &nothing_left;
    llm->at = llm->reply->text;
    fake_stop(vendor, llm->timer);
    llm->timer = NULL;
    if (!llm->reply->hangs) {
        llm->timer = fake_after(vendor, vendor->llm_delay_us, llm_step, llm);
    }
    return AIC_OK;
}

static int32_t llm_cancel(void *session, uint64_t id)
{
    struct fake_llm *llm = session;
    if (llm->request == id) {
        llm->vendor->cancels++;
        llm->request = 0;
        fake_stop(llm->vendor, llm->timer);
        llm->timer = NULL;
    }
    return AIC_OK;
}

static void llm_close(void *session)
{
    struct fake_llm *llm = session;
    fake_stop(llm->vendor, llm->timer);
    llm->vendor->llm_sessions--;
    free(llm);
}

static void llm_probed(void *data)
{
    struct fake_llm *llm = data;
    uint32_t category = llm->vendor->probe.failure;
    struct aic_error error = fake_failure(category);
    struct aic_llm_event event = {
        .size = sizeof(event),
        .kind = category ? AIC_LLM_EVENT_ERROR : AIC_LLM_EVENT_FINISH,
        .error = category ? &error : NULL,
    };
    llm->timer = NULL;
    llm->sink->event(llm->sink, &event);
}

static int32_t llm_probe(void *self, const struct aic_llm_sink *sink, void **session)
{
    struct fake_vendor *vendor = self;
    int32_t status = llm_open(self, NULL, sink, session);
    struct fake_llm *llm = *session;
    vendor->probes++;
    if (vendor->probe_delay_us > 0 && !vendor->probe.hangs) {
        llm->timer = fake_after(vendor, vendor->probe_delay_us, llm_probed, llm);
    } else if (!vendor->probe.hangs) {
        llm_probed(llm);
    }
    return status;
}

static const struct aic_llm llm_table = {.size = sizeof(llm_table),
                                         .capabilities = llm_capabilities,
                                         .open = llm_open,
                                         .start = llm_start,
                                         .cancel = llm_cancel,
                                         .close = llm_close,
                                         .probe = llm_probe};

const void *fake_model_table(void)
{
    return &llm_table;
}
