/* SPDX-License-Identifier: ISC */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H
/*
 * A group of the configuration checked against declared options (aicaller/option.h): a provider's
 * block against its plugin's table, and the host's own groups against tables of the same kind. What
 * is not declared is an error with the nearest name; defaults are filled in; values are typed.
 */
#include "config.h"

#include <aicaller/option.h>

/* A table of options with the element size its author compiled. */
struct settings_table {
    const struct aic_option *options;
    uint32_t count;
    uint32_t element_size; /* 0 = ours */
};

struct settings; /* checked values */

enum {
    SETTINGS_LENIENT = 1u << 0,   /* an unset reference or a missing required value is no error:
                                     the provider may not be used */
    SETTINGS_ONLY_UNSET = 1u << 1 /* these are the only errors: the rest was told before */
};

/*
 * Checks `group` (NULL: everything at its default) against several tables at once and adds every
 * problem found. `what` names the block in messages ("provider \"groq\""). Keys in `skip`
 * (NULL-terminated, may be NULL) are somebody else's. A result is given even with problems, so
 * that one run finds them all; NULL only without memory.
 */
struct settings *settings_check(const char *what, const struct config_node *group,
                                const struct settings_table *tables, size_t table_count,
                                const char *const *skip, uint32_t flags,
                                struct config_problems *problems);
void settings_free(struct settings *settings);
/* Values of PATH options that begin with "state:" or "data:" are meant from these folders. */
void settings_set_folders(struct settings *settings, const char *state_dir, const char *data_dir);

/* Getters; an undeclared name is a defect of the caller and yields the absent value. */
bool settings_has(const struct settings *settings, const char *name);
const char *settings_string(const struct settings *settings, const char *name);
int64_t settings_int(const struct settings *settings, const char *name);
double settings_double(const struct settings *settings, const char *name);
bool settings_bool(const struct settings *settings, const char *name);
uint32_t settings_list_count(const struct settings *settings, const char *name);
const char *settings_list_item(const struct settings *settings, const char *name, uint32_t index);
/* Where the value was written; of the group when it is a default. */
struct config_pos settings_pos(const struct settings *settings, const char *name);
/* Why a reference that was let through is unset; NULL when none is. */
const char *settings_unset(const struct settings *settings);

/* The same getters in the form a plugin sees. `provider` is borrowed. */
void settings_as_config(struct settings *settings, const char *provider, struct aic_config *config);

/* Parses "500ms", "3s", "2m", "1h", "90d" or a plain number of ms; false if it is none. */
bool settings_parse_duration(const char *text, int64_t *ms);
/* Parses "64k", "2M", "1G" or a plain number; false if it is none. */
bool settings_parse_bytes(const char *text, int64_t *bytes);

#endif
