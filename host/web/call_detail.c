/* SPDX-License-Identifier: ISC */
/* GET /calls/call-detail/<call_id or call_sid>/: one call with all that belongs to it. And the end
 * of a live one. */
#include "web/lookup.h"

#include "plugin/storage.h"

#include <stdlib.h>
#include <string.h>

struct detail {
    struct lookup lookup; /* first */
    size_t step;
};

static const char *const parts[] = {"messages", "events", "turns", "recordings", "usage"};

enum { PARTS = sizeof(parts) / sizeof(parts[0]), MAX_COMPONENTS = 32 };

/* What one provider cost in one role. */
struct component {
    struct aic_str role;
    struct aic_str provider;
    double cost;
    int64_t rows;
    bool is_priced;
    bool is_estimated;
};

static struct component *component_of(struct component *list, size_t *count,
                                      const struct aic_json *row)
{
    struct aic_str role = aic_json_get_text(row, "role");
    struct aic_str provider = aic_json_get_text(row, "provider");
    for (size_t i = 0; i < *count; i++) {
        if (list[i].role.len == role.len && list[i].provider.len == provider.len &&
            memcmp(list[i].role.ptr, role.ptr, role.len) == 0 &&
            memcmp(list[i].provider.ptr, provider.ptr, provider.len) == 0) {
            return &list[i];
        }
    }
    if (*count == MAX_COMPONENTS) {
        return NULL;
    }
    list[*count] = (struct component){.role = role, .provider = provider};
    return &list[(*count)++];
}

static void write_components(struct aic_json_writer *w, const struct aic_json *usage)
{
    struct component list[MAX_COMPONENTS];
    size_t count = 0;
    for (size_t i = 0; i < aic_json_count(usage); i++) {
        const struct aic_json *row = aic_json_at(usage, i);
        struct component *component = component_of(list, &count, row);
        if (component) {
            component->rows++;
            component->cost += aic_json_get_double(row, "cost", 0);
            component->is_priced |= aic_json_is_number(aic_json_get(row, "cost"));
            component->is_estimated |= aic_json_get_bool(row, "estimated", false);
        }
    }
    aic_json_key(w, "components");
    aic_json_open(w, '[');
    for (size_t i = 0; i < count; i++) {
        aic_json_open(w, '{');
        aic_json_member(w, "role", list[i].role);
        aic_json_member(w, "provider", list[i].provider);
        aic_json_member_int(w, "uses", list[i].rows);
        aic_json_key(w, "cost");
        if (list[i].is_priced) {
            aic_json_put_double(w, list[i].cost);
        } else {
            aic_json_put_null(w);
        }
        aic_json_member_bool(w, "estimated", list[i].is_estimated);
        aic_json_close(w, '}');
    }
    aic_json_close(w, ']');
}

static void write_cost(struct aic_json_writer *w, const struct aic_json *usage)
{
    double total = 0;
    aic_json_key(w, "cost");
    aic_json_open(w, '{');
    aic_json_key(w, "items");
    aic_json_open(w, '[');
    for (size_t i = 0; i < aic_json_count(usage); i++) {
        total += aic_json_get_double(aic_json_at(usage, i), "cost", 0);
        aic_json_put_node(w, aic_json_at(usage, i));
    }
    aic_json_close(w, ']');
    write_components(w, usage);
    aic_json_member_double(w, "total", total);
    aic_json_close(w, '}');
}

/* Where the file lies is the server's business. */
static int write_recording_member(void *data, const char *key, const struct aic_json *value)
{
    struct aic_json_writer *w = data;
    if (strcmp(key, "path") != 0) {
        aic_json_key(w, key);
        aic_json_put_node(w, value);
    }
    return 0;
}

static void write_recordings(struct aic_json_writer *w, const struct aic_json *rows)
{
    aic_json_key(w, "recordings");
    aic_json_open(w, '[');
    for (size_t i = 0; i < aic_json_count(rows); i++) {
        aic_json_open(w, '{');
        (void)aic_json_each(aic_json_at(rows, i), write_recording_member, w);
        aic_json_close(w, '}');
    }
    aic_json_close(w, ']');
}

static void write_part(struct detail *detail, const char *part, struct aic_str rows)
{
    struct aic_json_writer *w = &detail->lookup.w;
    bool is_usage = strcmp(part, "usage") == 0;
    if (!is_usage && strcmp(part, "recordings") != 0) {
        aic_json_member_raw(w, part, rows);
        return;
    }
    struct aic_json *root = aic_json_parse(rows, STORAGE_MAX_ROWS_BYTES);
    if (is_usage) {
        write_cost(w, root);
    } else {
        write_recordings(w, root);
    }
    aic_json_free(root);
}

static void part_came(void *data, int32_t status, struct aic_str rows,
                      const struct aic_error *error)
{
    struct detail *detail = data;
    if (!lookup_is_good(&detail->lookup, status, error)) {
        return;
    }
    write_part(detail, parts[detail->step++], rows);
    if (detail->step == PARTS) {
        lookup_succeed(&detail->lookup);
    } else {
        lookup_ask(&detail->lookup, parts[detail->step], part_came);
    }
}

static void call_came(void *data, int32_t status, struct aic_str rows,
                      const struct aic_error *error)
{
    struct detail *detail = data;
    struct lookup *lookup = &detail->lookup;
    if (!lookup_is_good(lookup, status, error)) {
        return;
    }
    struct aic_json *root = aic_json_parse(rows, STORAGE_MAX_ROWS_BYTES);
    const struct aic_json *call = aic_json_at(root, 0);
    if (!call) {
        aic_json_free(root);
        lookup_fail(lookup, 404, "no-call", "There is no such call.");
        return;
    }
    aic_json_open(&lookup->w, '{');
    aic_json_key(&lookup->w, "call");
    lookup_write_call(lookup, call);
    struct aic_json_writer w;
    aic_buf_clear(&lookup->params);
    aic_json_writer_init(&w, &lookup->params);
    aic_json_open(&w, '{');
    aic_json_member(&w, "call_id", aic_json_get_text(call, "call_id"));
    aic_json_close(&w, '}');
    aic_json_free(root);
    lookup_ask(lookup, parts[0], part_came);
}

/* The part of a path between a prefix and the next slash. */
static struct aic_str id_in(struct aic_str path, const char *prefix)
{
    size_t skip = strlen(prefix);
    struct aic_str rest = {path.ptr + skip, path.len > skip ? path.len - skip : 0};
    for (size_t i = 0; i < rest.len; i++) {
        if (rest.ptr[i] == '/') {
            rest.len = i;
        }
    }
    return rest;
}

static int32_t get_detail(struct web *web, const struct visit *visit)
{
    struct detail *detail = (struct detail *)lookup_begin(web, visit, sizeof(*detail));
    if (detail) {
        struct lookup *lookup = &detail->lookup;
        struct aic_json_writer w;
        aic_json_writer_init(&w, &lookup->params);
        aic_json_open(&w, '{');
        aic_json_member(&w, "id", id_in(visit->request->path, "/calls/call-detail/"));
        aic_json_close(&w, '}');
        lookup_ask(lookup, "call", call_came);
    }
    return AIC_OK;
}

void call_detail_routes(struct web *web)
{
    web_route(web, AIC_METHOD_GET, "/calls/call-detail/*",
              &(struct web_route){.scope = API_SCOPE_READ, .handle = get_detail});
}
