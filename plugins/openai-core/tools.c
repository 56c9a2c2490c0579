/* SPDX-License-Identifier: ISC */
#include "tools.h"

enum { NAME_MAX_BYTES = 256 };

void openai_tools_finish(struct openai_tools *tools)
{
    for (uint32_t i = 0; i < tools->count; i++) {
        aic_buf_finish(&tools->calls[i].id);
        aic_buf_finish(&tools->calls[i].name);
        aic_buf_finish(&tools->calls[i].arguments);
    }
    tools->count = 0;
}

static bool is_same(const struct aic_buf *buf, struct aic_str text)
{
    struct aic_str view = aic_buf_view(buf);
    return view.len == text.len && (view.len == 0 || aic_str_equal(text, view.ptr));
}

/*
 * Fragments belong together by index. But some servers number every call 0, or not at all: there
 * another id that comes with a name begins another call.
 */
static struct openai_tool *find(struct openai_tools *tools, const struct openai_tool_part *part)
{
    for (uint32_t i = tools->count; i > 0; i--) {
        struct openai_tool *call = &tools->calls[i - 1];
        bool has_other_id = part->id.len > 0 && call->id.len > 0 && !is_same(&call->id, part->id);
        if (part->index >= 0 && call->index == part->index) {
            return has_other_id && part->name.len > 0 ? NULL : call;
        }
        if (part->index < 0 && !has_other_id) {
            /* A whole call without id or index that follows another is a new one. */
            return part->id.len == 0 && part->name.len > 0 && call->name.len > 0 ? NULL : call;
        }
    }
    return NULL;
}

static struct openai_tool *begin(struct openai_tools *tools, int64_t index)
{
    if (tools->count == OPENAI_TOOLS_MAX) {
        return NULL;
    }
    struct openai_tool *call = &tools->calls[tools->count++];
    *call = (struct openai_tool){.index = index};
    aic_buf_init(&call->id, NAME_MAX_BYTES);
    aic_buf_init(&call->name, NAME_MAX_BYTES);
    aic_buf_init(&call->arguments, OPENAI_TOOL_ARGUMENTS_MAX_BYTES);
    return call;
}

int32_t openai_tools_add(struct openai_tools *tools, const struct openai_tool_part *part)
{
    struct openai_tool *call = find(tools, part);
    if (!call) {
        call = begin(tools, part->index);
    }
    if (!call) {
        return AIC_ERROR_TOO_LARGE;
    }
    /* Id and name come with the first fragment; some servers repeat them with every one. */
    if (call->id.len == 0) {
        aic_buf_str(&call->id, part->id);
    }
    if (call->name.len == 0) {
        aic_buf_str(&call->name, part->name);
    }
    aic_buf_str(&call->arguments, part->arguments);
    return call->id.failed || call->name.failed || call->arguments.failed ? AIC_ERROR_TOO_LARGE
                                                                          : AIC_OK;
}
