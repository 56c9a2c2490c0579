/* SPDX-License-Identifier: ISC */
#include "memory.h"

#include "json.h"
#include "utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, TOLD_MAX = 1000000 };

int32_t script_memory_init(struct script_memory *memory, const struct script *script)
{
    *memory = (struct script_memory){.state = SCRIPT_NONE, .failed = SCRIPT_NONE};
    memory->values = calloc(script->name_count + 1, sizeof(*memory->values));
    memory->told = calloc(script->site_count + 1, sizeof(*memory->told));
    if (!memory->values || !memory->told) {
        script_memory_finish(memory, script);
        return AIC_ERROR_MEMORY;
    }
    return AIC_OK;
}

/* Forgets everything. */
static void reset(struct script_memory *memory, const struct script *script)
{
    for (uint32_t i = 0; memory->values && i < script->name_count; i++) {
        free(memory->values[i]);
        memory->values[i] = NULL;
    }
    if (memory->told) {
        memset(memory->told, 0, script->site_count * sizeof(*memory->told));
    }
    free(memory->last);
    memory->last = NULL;
    memory->state = memory->failed = SCRIPT_NONE;
    memory->misses = 0;
}

void script_memory_finish(struct script_memory *memory, const struct script *script)
{
    reset(memory, script);
    free(memory->values);
    free(memory->told);
    memory->values = NULL;
    memory->told = NULL;
}

static int32_t replace(char **to, struct aic_str text)
{
    char *copy = aic_str_dup(text);
    if (!copy) {
        return AIC_ERROR_MEMORY;
    }
    free(*to);
    *to = copy;
    return AIC_OK;
}

int32_t script_memory_set(struct script_memory *memory, uint32_t name, struct aic_str value)
{
    value.len = aic_utf8_cut(value, SCRIPT_MAX_VALUE);
    return replace(&memory->values[name], value);
}

int32_t script_memory_set_last(struct script_memory *memory, struct aic_str text)
{
    return replace(&memory->last, text);
}

void script_memory_write(const struct script_memory *memory, const struct script *script,
                         struct aic_buf *to)
{
    struct aic_json_writer w;
    aic_json_writer_init(&w, to);
    aic_json_open(&w, '{');
    aic_json_member_int(&w, "v", VERSION);
    if (memory->state != SCRIPT_NONE) {
        aic_json_member_text(&w, "state", script->states[memory->state].name);
    }
    if (memory->failed != SCRIPT_NONE) {
        aic_json_member_text(&w, "failed", script->states[memory->failed].name);
    }
    aic_json_member_int(&w, "misses", memory->misses);
    aic_json_key(&w, "values");
    aic_json_open(&w, '{');
    for (uint32_t i = 0; i < script->name_count; i++) {
        if (memory->values[i]) {
            aic_json_member_text(&w, script->names[i].name, memory->values[i]);
        }
    }
    aic_json_close(&w, '}');
    aic_json_key(&w, "told");
    aic_json_open(&w, '{');
    for (uint32_t i = 0; i < script->site_count; i++) {
        char site[16];
        (void)snprintf(site, sizeof(site), "%u", i);
        if (memory->told[i] > 0) {
            aic_json_member_int(&w, site, memory->told[i]);
        }
    }
    aic_json_close(&w, '}');
    if (memory->last) {
        aic_json_member_text(&w, "last", memory->last);
    }
    aic_json_close(&w, '}');
}

/* An absent or empty name is SCRIPT_NONE; *known turns false where there is no such state. */
static uint32_t find_state(const struct script *script, struct aic_str name, bool *known)
{
    for (uint32_t i = 0; i < script->state_count && name.len > 0; i++) {
        if (aic_str_equal(name, script->states[i].name)) {
            return i;
        }
    }
    *known = *known && name.len == 0;
    return SCRIPT_NONE;
}

struct reading {
    struct script_memory *memory;
    const struct script *script;
};

/* Names that this script does not have come from another version of it, and are left out. */
static int read_value(void *data, const char *key, const struct aic_json *value)
{
    struct reading *reading = data;
    struct aic_str text = aic_json_text(value);
    uint32_t name = script_name_find(reading->script, aic_str(key));
    if (name == SCRIPT_NONE || !aic_json_is_string(value) || memchr(text.ptr, '\0', text.len)) {
        return 0;
    }
    return script_memory_set(reading->memory, name, text);
}

static int read_told(void *data, const char *key, const struct aic_json *value)
{
    struct reading *reading = data;
    int64_t times = aic_json_int(value, 0);
    char *end = NULL;
    unsigned long site = strtoul(key, &end, 10);
    if (end != key && *end == '\0' && site < reading->script->site_count && times > 0) {
        reading->memory->told[site] = (uint32_t)(times < TOLD_MAX ? times : TOLD_MAX);
    }
    return 0;
}

static int32_t read_root(struct script_memory *memory, const struct script *script,
                         const struct aic_json *root)
{
    struct reading reading = {.memory = memory, .script = script};
    bool known = true;
    memory->state = find_state(script, aic_json_get_text(root, "state"), &known);
    memory->failed = find_state(script, aic_json_get_text(root, "failed"), &known);
    if (!known || aic_json_get_int(root, "v", 0) != VERSION) {
        return AIC_ERROR_PROTOCOL;
    }
    int64_t misses = aic_json_get_int(root, "misses", 0);
    memory->misses = misses > 0 && misses <= SCRIPT_MAX_MISSES ? (uint32_t)misses : 0;
    struct aic_str last = aic_json_get_text(root, "last");
    int32_t status = AIC_OK;
    if (last.len > 0 && !memchr(last.ptr, '\0', last.len)) {
        status = script_memory_set_last(memory, last);
    }
    if (status == AIC_OK) {
        status = aic_json_each(aic_json_get(root, "values"), read_value, &reading);
    }
    return status == AIC_OK ? aic_json_each(aic_json_get(root, "told"), read_told, &reading)
                            : status;
}

int32_t script_memory_read(struct script_memory *memory, const struct script *script,
                           struct aic_str text)
{
    struct aic_json *root = aic_json_parse(text, SCRIPT_MEMORY_MAX_BYTES);
    if (!root) {
        return AIC_ERROR_PROTOCOL;
    }
    int32_t status = read_root(memory, script, root);
    aic_json_free(root);
    if (status != AIC_OK) {
        reset(memory, script);
    }
    return status;
}
