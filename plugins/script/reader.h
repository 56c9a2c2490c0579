/* SPDX-License-Identifier: ISC */
#ifndef SCRIPT_READER_H
#define SCRIPT_READER_H
/* Typed reading of libconfig settings into a script; what is wrong is reported with its line. */
#include "problems.h"
#include "script.h"

#include <libconfig.h>

enum {
    SCRIPT_KEY_TEXT = 1,
    SCRIPT_KEY_TEXTS = 2, /* one text or several */
    SCRIPT_KEY_GROUP = 4,
    SCRIPT_KEY_NUMBER = 8,
    SCRIPT_KEY_BOOL = 16,
    SCRIPT_KEY_ENTRIES = 32 /* of a word list: texts, and groups in round brackets */
};

struct script_key {
    const char *name; /* NULL ends a table */
    uint32_t type;
};

struct script_reader {
    struct script *script;
    struct script_problems *problems;
    /* The sections whose members are referred to by name; NULL where the file has none. */
    const config_setting_t *words;
    const config_setting_t *slots;
    const config_setting_t *intents;
    const config_setting_t *states;
    struct script_texts **texts_end;
};

/* Reports members of a group that are not in `keys`, or are of another type. `what` names the
 * group. True when all is well. */
bool script_read_keys(struct script_reader *reader, const config_setting_t *group, const char *what,
                      const struct script_key *keys);

/* A member's text, or NULL where it is absent or of another type. */
const char *script_read_text(struct script_reader *reader, const config_setting_t *group,
                             const char *key);
/* A member's number, or `fallback`; reports what lies outside of min .. max. */
uint32_t script_read_number(struct script_reader *reader, const config_setting_t *group,
                            const char *key, uint32_t min, uint32_t max, uint32_t fallback);
/* Member `index` of a section, its name copied into the script. */
const config_setting_t *script_read_named(struct script_reader *reader,
                                          const config_setting_t *section, uint32_t index,
                                          const char **name);
/* The text of a setting that is a slot's or variable's value; reports what cannot be one. */
const char *script_read_value(struct script_reader *reader, const config_setting_t *setting);
bool script_read_bool(const config_setting_t *group, const char *key);

/* How many texts a setting holds (one text, an array or a list), and each with its line; NULL where
 * element `index` is no text. */
uint32_t script_read_count(const config_setting_t *setting);
const char *script_read_item(const config_setting_t *setting, uint32_t index, int *line);

/* A member's texts as reply; reports empty ones. Absent: count 0. */
void script_read_reply(struct script_reader *reader, const config_setting_t *group, const char *key,
                       struct script_texts *texts);
/* A member's texts as patterns of words and {lists}. */
void script_read_patterns(struct script_reader *reader, const config_setting_t *group,
                          const char *key, struct script_patterns *patterns);
bool script_read_pattern(struct script_reader *reader, const char *text, int line,
                         struct script_pattern *pattern);
/* A member as extended POSIX expression, or NULL. */
regex_t *script_read_regex(struct script_reader *reader, const config_setting_t *group,
                           const char *key);

/* The index of `name` in a section; SCRIPT_NONE after reporting that it is not there. */
uint32_t script_read_reference(struct script_reader *reader, const config_setting_t *section,
                               const char *what, const char *name, int line);
/* A member that names something in a section; SCRIPT_NONE when absent or unknown. */
uint32_t script_read_name(struct script_reader *reader, const config_setting_t *group,
                          const char *key, const config_setting_t *section, const char *what);
/* A member that names several; the indices. */
uint32_t *script_read_names(struct script_reader *reader, const config_setting_t *group,
                            const char *key, const config_setting_t *section, const char *what,
                            uint32_t *count);

#endif
