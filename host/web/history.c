/* SPDX-License-Identifier: ISC */
#include "web/web_private.h"

#include "plugin/storage.h"

#include <stdlib.h>
#include <string.h>

/* The calls so far, one call with all that belongs to it, and the end of a live one. */

enum { MAX_ANSWER = 48 << 20, PER_PAGE = 20 };

/* A request that takes several questions to the storage, one after the other. */
struct lookup {
    struct held held; /* first */
    struct aic_buf params;
    struct aic_buf answer;
    struct aic_json_writer w;
    int64_t page;
    int64_t per_page;
    size_t step;
};

static struct lookup *begin(struct web *web, struct aic_exchange *exchange)
{
    if (!web->settings.storage) {
        (void)reply_problem(exchange, 404, "no-storage", "No storage is configured.");
        return NULL;
    }
    struct lookup *lookup = calloc(1, sizeof(*lookup));
    if (!lookup) {
        (void)reply_problem(exchange, 503, "memory", "Out of memory; try again.");
        return NULL;
    }
    held_begin(&lookup->held, web, exchange);
    aic_buf_init(&lookup->params, 64 * 1024);
    aic_buf_init(&lookup->answer, MAX_ANSWER);
    aic_json_writer_init(&lookup->w, &lookup->answer);
    return lookup;
}

static void end(struct lookup *lookup)
{
    (void)held_end(&lookup->held);
    aic_buf_finish(&lookup->params);
    aic_buf_finish(&lookup->answer);
    free(lookup);
}

/* Whether an answer of the storage is of use; answers and frees if not. */
static bool is_good(struct lookup *lookup, int32_t status, const struct aic_error *error)
{
    bool is_late = !lookup->held.web;
    if (!is_late && status == AIC_OK) {
        return true;
    }
    if (!is_late) {
        (void)reply_storage_error(lookup->held.exchange, status, error);
    }
    end(lookup);
    return false;
}

static void succeed(struct lookup *lookup)
{
    aic_json_close(&lookup->w, '}');
    if (lookup->answer.failed) {
        (void)reply_problem(lookup->held.exchange, 503, "too-large", "The answer is too large.");
    } else {
        (void)reply_json(lookup->held.exchange, 200, aic_buf_view(&lookup->answer));
    }
    end(lookup);
}

static void ask(struct lookup *lookup, const char *query, storage_reply reply)
{
    storage_query(lookup->held.web->settings.storage, query, aic_buf_view(&lookup->params), reply,
                  lookup);
}

/* The API says "from" where the table, because of SQL, says "from_number". */
static int write_call_member(void *data, const char *key, const struct aic_json *value)
{
    struct aic_json_writer *w = data;
    const char *name = strcmp(key, "from_number") == 0 ? "from"
                       : strcmp(key, "to_number") == 0 ? "to"
                                                       : key;
    aic_json_key(w, name);
    aic_json_put_node(w, value);
    return 0;
}

static void write_call(struct aic_json_writer *w, const struct aic_json *call)
{
    aic_json_open(w, '{');
    (void)aic_json_each(call, write_call_member, w);
    aic_json_close(w, '}');
}

/* GET /calls/call-history/ */

/* Copies a parameter of the query into the storage's. */
static void pass_text(struct aic_json_writer *w, struct aic_str query, const char *name)
{
    struct aic_buf value;
    aic_buf_init(&value, 4096);
    if (query_get(query, name, &value) && value.len > 0) {
        aic_json_member(w, name, aic_buf_view(&value));
    }
    aic_buf_finish(&value);
}

/* A positive number of the query; the fallback when it is absent, -1 when it is something else. */
static int64_t number_in(struct aic_str query, const char *name, int64_t fallback)
{
    struct aic_buf value;
    int64_t number = fallback;
    aic_buf_init(&value, 64);
    if (query_get(query, name, &value) && value.len > 0) {
        char *rest = NULL;
        long long parsed = strtoll(value.data, &rest, 10);
        number = *rest == '\0' && parsed > 0 ? parsed : -1;
    } else if (value.failed) {
        number = -1;
    }
    aic_buf_finish(&value);
    return number;
}

static void write_filters(struct aic_json_writer *w, struct aic_str query)
{
    static const char *const names[] = {"status", "direction", "number", "agent",
                                        "since",  "until",     "text"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        pass_text(w, query, names[i]);
    }
}

static void page_came(void *data, int32_t status, struct aic_str rows,
                      const struct aic_error *error)
{
    struct lookup *lookup = data;
    if (!is_good(lookup, status, error)) {
        return;
    }
    struct aic_json *root = aic_json_parse(rows, STORAGE_MAX_ROWS_BYTES);
    aic_json_key(&lookup->w, "calls");
    aic_json_open(&lookup->w, '[');
    for (size_t i = 0; i < aic_json_count(root); i++) {
        write_call(&lookup->w, aic_json_at(root, i));
    }
    aic_json_close(&lookup->w, ']');
    aic_json_free(root);
    succeed(lookup);
}

static void count_came(void *data, int32_t status, struct aic_str rows,
                       const struct aic_error *error)
{
    struct lookup *lookup = data;
    if (!is_good(lookup, status, error)) {
        return;
    }
    struct aic_json *root = aic_json_parse(rows, 0);
    int64_t total = aic_json_get_int(aic_json_at(root, 0), "total", 0);
    aic_json_open(&lookup->w, '{');
    aic_json_member_int(&lookup->w, "page", lookup->page);
    aic_json_member_int(&lookup->w, "per_page", lookup->per_page);
    aic_json_member_int(&lookup->w, "total", total);
    aic_json_member_bool(&lookup->w, "total_exact",
                         aic_json_get_bool(aic_json_at(root, 0), "total_exact", true));
    aic_json_member_int(&lookup->w, "pages", (total + lookup->per_page - 1) / lookup->per_page);
    aic_json_free(root);
    ask(lookup, "calls", page_came);
}

static int32_t get_history(struct web *web, const struct visit *visit)
{
    int64_t page = number_in(visit->request->query, "page", 1);
    int64_t per_page = number_in(visit->request->query, "per_page", PER_PAGE);
    if (page < 0 || per_page < 0 || per_page > 200) {
        return reply_problem(visit->exchange, 400, "bad-parameter",
                             "page must be a number from 1, per_page one from 1 to 200.");
    }
    struct lookup *lookup = begin(web, visit->exchange);
    if (!lookup) {
        return AIC_OK;
    }
    lookup->page = page;
    lookup->per_page = per_page;
    struct aic_json_writer w;
    struct aic_buf count;
    aic_buf_init(&count, 64 * 1024);
    aic_json_writer_init(&w, &count);
    aic_json_open(&w, '{');
    write_filters(&w, visit->request->query);
    aic_json_close(&w, '}');
    aic_json_writer_init(&w, &lookup->params);
    aic_json_open(&w, '{');
    write_filters(&w, visit->request->query);
    aic_json_member_int(&w, "page", page);
    aic_json_member_int(&w, "per_page", per_page);
    aic_json_close(&w, '}');
    storage_query(web->settings.storage, "calls.count", aic_buf_view(&count), count_came, lookup);
    aic_buf_finish(&count);
    return AIC_OK;
}

/* GET /calls/call-detail/<call_id or call_sid>/ */

static const char *const parts[] = {"messages", "events", "turns", "usage"};

static void write_cost(struct lookup *lookup, const struct aic_json *usage)
{
    double total = 0;
    aic_json_key(&lookup->w, "cost");
    aic_json_open(&lookup->w, '{');
    aic_json_key(&lookup->w, "items");
    aic_json_open(&lookup->w, '[');
    for (size_t i = 0; i < aic_json_count(usage); i++) {
        total += aic_json_get_double(aic_json_at(usage, i), "cost", 0);
        aic_json_put_node(&lookup->w, aic_json_at(usage, i));
    }
    aic_json_close(&lookup->w, ']');
    aic_json_member_double(&lookup->w, "total", total);
    aic_json_close(&lookup->w, '}');
}

static void part_came(void *data, int32_t status, struct aic_str rows,
                      const struct aic_error *error)
{
    struct lookup *lookup = data;
    if (!is_good(lookup, status, error)) {
        return;
    }
    const char *part = parts[lookup->step++];
    if (strcmp(part, "usage") == 0) {
        struct aic_json *root = aic_json_parse(rows, STORAGE_MAX_ROWS_BYTES);
        write_cost(lookup, root);
        aic_json_free(root);
        succeed(lookup);
        return;
    }
    aic_json_member_raw(&lookup->w, part, rows);
    ask(lookup, parts[lookup->step], part_came);
}

static void call_came(void *data, int32_t status, struct aic_str rows,
                      const struct aic_error *error)
{
    struct lookup *lookup = data;
    if (!is_good(lookup, status, error)) {
        return;
    }
    struct aic_json *root = aic_json_parse(rows, STORAGE_MAX_ROWS_BYTES);
    const struct aic_json *call = aic_json_at(root, 0);
    if (!call) {
        aic_json_free(root);
        (void)reply_problem(lookup->held.exchange, 404, "no-call", "There is no such call.");
        end(lookup);
        return;
    }
    aic_json_open(&lookup->w, '{');
    aic_json_key(&lookup->w, "call");
    write_call(&lookup->w, call);
    struct aic_json_writer w;
    aic_buf_clear(&lookup->params);
    aic_json_writer_init(&w, &lookup->params);
    aic_json_open(&w, '{');
    aic_json_member(&w, "call_id", aic_json_get_text(call, "call_id"));
    aic_json_close(&w, '}');
    aic_json_free(root);
    ask(lookup, parts[0], part_came);
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
    struct lookup *lookup = begin(web, visit->exchange);
    if (lookup) {
        struct aic_json_writer w;
        aic_json_writer_init(&w, &lookup->params);
        aic_json_open(&w, '{');
        aic_json_member(&w, "id", id_in(visit->request->path, "/calls/call-detail/"));
        aic_json_close(&w, '}');
        ask(lookup, "call", call_came);
    }
    return AIC_OK;
}

/* POST /calls/<id>/hangup/ */

static void hang_up_came(void *data, int32_t status, struct aic_str answer)
{
    struct held *held = data;
    (void)answer;
    if (!held_end(held)) {
        free(held);
        return;
    }
    if (status == AIC_OK) {
        (void)reply_json(held->exchange, 202, AIC_STR("{\"ok\":true}"));
    } else if (status == AIC_ERROR_NOT_FOUND) {
        (void)reply_problem(held->exchange, 404, "no-live-call", "No such call is live.");
    } else {
        (void)reply_problem(held->exchange, 503, "no-answer",
                            "The call's worker does not answer now.");
    }
    free(held);
}

static bool is_hang_up(struct aic_str path)
{
    struct aic_str id = id_in(path, "/calls/");
    struct aic_str rest = {id.ptr + id.len, (size_t)(path.ptr + path.len - id.ptr) - id.len};
    return uuid_valid(id) && (aic_str_equal(rest, "/hangup/") || aic_str_equal(rest, "/hangup"));
}

static int32_t post_hang_up(struct web *web, const struct visit *visit)
{
    struct aic_str id = id_in(visit->request->path, "/calls/");
    struct held *held = malloc(sizeof(*held));
    if (!held) {
        return reply_problem(visit->exchange, 503, "memory", "Out of memory; try again.");
    }
    char text[UUID_TEXT];
    held_begin(held, web, visit->exchange);
    (void)aic_str_copy(id, text, sizeof(text));
    calls_hang_up(web->settings.calls, text, "hung_up_by_api", hang_up_came, held);
    return AIC_OK;
}

void history_routes(struct web *web)
{
    web_route(web, AIC_METHOD_GET, "/calls/call-history/",
              &(struct web_route){.scope = API_SCOPE_READ, .handle = get_history});
    web_route(web, AIC_METHOD_GET, "/calls/call-detail/*",
              &(struct web_route){.scope = API_SCOPE_READ, .handle = get_detail});
    web_route(
        web, AIC_METHOD_POST, "/calls/*",
        &(struct web_route){.scope = API_SCOPE_CALL, .handle = post_hang_up, .exists = is_hang_up});
}
