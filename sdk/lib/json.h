/* SPDX-License-Identifier: ISC */
#ifndef AIC_LIB_JSON_H
#define AIC_LIB_JSON_H
/*
 * JSON in and out. Reading goes through json-c behind caps that it does not have (size, depth,
 * strictness); writing is our own and escapes, so that no text can break out of its string.
 *
 * Getters are forgiving where vendors are careless: a number may come as a string, null counts as
 * absent. They never fail: absent or of another type gives the fallback.
 */
#include "buf.h"

#include <stdbool.h>

struct aic_json; /* a node of a parsed document */

enum { AIC_JSON_MAX_BYTES = 1 << 20, AIC_JSON_MAX_DEPTH = 32 };

/*
 * Parses one document of at most AIC_JSON_MAX_BYTES, or `max_bytes` when not 0. Refuses: invalid
 * UTF-8, NaN, single quotes, comments, trailing text, deeper than AIC_JSON_MAX_DEPTH. NULL then.
 * Of duplicate keys the last counts.
 */
struct aic_json *aic_json_parse(struct aic_str text, size_t max_bytes);
/* Frees a document by its root. Accepts NULL. */
void aic_json_free(struct aic_json *root);

/* Every node below is borrowed from the document. All accept a NULL node. */
const struct aic_json *aic_json_get(const struct aic_json *object, const char *key);
/* Follows keys: aic_json_path(root, "start", "customParameters", NULL). */
const struct aic_json *aic_json_path(const struct aic_json *object, ...) __attribute__((sentinel));
const struct aic_json *aic_json_at(const struct aic_json *array, size_t index);
/* Elements of an array, members of an object; else 0. */
size_t aic_json_count(const struct aic_json *node);
/* Calls `each` for every member of an object until it returns non-zero; returns that. */
int aic_json_each(const struct aic_json *object,
                  int (*each)(void *data, const char *key, const struct aic_json *value),
                  void *data);

bool aic_json_is_object(const struct aic_json *node);
bool aic_json_is_array(const struct aic_json *node);
bool aic_json_is_string(const struct aic_json *node);
bool aic_json_is_number(const struct aic_json *node);
bool aic_json_is_bool(const struct aic_json *node);

/* The value of a node itself. A string's bytes may hold a 0. */
struct aic_str aic_json_text(const struct aic_json *node);
int64_t aic_json_int(const struct aic_json *node, int64_t fallback);
double aic_json_double(const struct aic_json *node, double fallback);
bool aic_json_bool(const struct aic_json *node, bool fallback);

/* The value of a member. */
struct aic_str aic_json_get_text(const struct aic_json *object, const char *key);
int64_t aic_json_get_int(const struct aic_json *object, const char *key, int64_t fallback);
double aic_json_get_double(const struct aic_json *object, const char *key, double fallback);
bool aic_json_get_bool(const struct aic_json *object, const char *key, bool fallback);

/* Writes a node back as text; borrowed until the document changes or is freed. */
struct aic_str aic_json_print(const struct aic_json *node);

/*
 * Writing. Values go one after the other; commas and colons are the writer's business:
 *     aic_json_open(&w, '{'); aic_json_key(&w, "type"); aic_json_put(&w, AIC_STR("x"));
 *     aic_json_close(&w, '}');
 */
struct aic_json_writer {
    struct aic_buf *buf;
    bool comma; /* something stands before in this object or array */
};

void aic_json_writer_init(struct aic_json_writer *w, struct aic_buf *buf);
void aic_json_open(struct aic_json_writer *w, char bracket);
void aic_json_close(struct aic_json_writer *w, char bracket);
void aic_json_key(struct aic_json_writer *w, const char *key);
/* A string; invalid UTF-8 becomes U+FFFD. */
void aic_json_put(struct aic_json_writer *w, struct aic_str text);
void aic_json_put_int(struct aic_json_writer *w, int64_t value);
/* A number without needless digits; what JSON cannot say (NaN) becomes null. */
void aic_json_put_double(struct aic_json_writer *w, double value);
void aic_json_put_bool(struct aic_json_writer *w, bool value);
void aic_json_put_null(struct aic_json_writer *w);
/* JSON text as it is; empty text becomes null. */
void aic_json_put_raw(struct aic_json_writer *w, struct aic_str json);
/* A node of a parsed document. */
void aic_json_put_node(struct aic_json_writer *w, const struct aic_json *node);

/* Key and value in one. The _str form leaves out nothing; NULL text is written as null. */
void aic_json_member(struct aic_json_writer *w, const char *key, struct aic_str text);
void aic_json_member_text(struct aic_json_writer *w, const char *key, const char *text);
void aic_json_member_int(struct aic_json_writer *w, const char *key, int64_t value);
void aic_json_member_double(struct aic_json_writer *w, const char *key, double value);
void aic_json_member_bool(struct aic_json_writer *w, const char *key, bool value);
void aic_json_member_raw(struct aic_json_writer *w, const char *key, struct aic_str json);

#endif
