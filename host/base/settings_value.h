/* SPDX-License-Identifier: ISC */
#ifndef BASE_SETTINGS_VALUE_H
#define BASE_SETTINGS_VALUE_H
/* The values behind settings.h: how one is made into the type that its option declares. */
#include "settings.h"

struct setting {
    const char *name; /* the plugin's own text */
    uint32_t type;
    bool has;
    char *text;
    int64_t integer;
    double number;
    char **items;
    uint32_t item_count;
    struct config_pos pos;
};

struct settings {
    struct setting *list;
    size_t count;
    struct config_pos group_pos;
    char *unset;
};

/* The value of that name; NULL where there is none. */
struct setting *setting_find(const struct settings *settings, const char *name);

/* What a value is made of. */
struct setting_source {
    const struct config_node *node; /* NULL for a default */
    const char *text;               /* of a text or reference; NULL for numbers and groups */
    const char *folder;             /* that relative paths are meant from; NULL: as they are */
    bool is_loose;                  /* the text may stand for any type: a reference or a default */
};

/*
 * Fills `setting` from `source`. AIC_ERROR_CONFIG: the value does not fit, and `why` says what it
 * must be ("must be a whole number, not a text"); AIC_ERROR_MEMORY.
 */
int32_t setting_read(struct setting *setting, const struct aic_option *option,
                     const struct setting_source *source, struct aic_buf *why);
/* Frees the value; the name stays. */
void setting_clear(struct setting *setting);

/* Why a text is no absolute URL that may be used: "must ..."; NULL when it is one. */
const char *setting_url_problem(const char *text);

#endif
