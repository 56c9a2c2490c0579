/* SPDX-License-Identifier: ISC */
#ifndef AICALLER_OPTION_H
#define AICALLER_OPTION_H
/*
 * How a plugin declares its settings, and how it reads them. The host checks the operator's block
 * against the declaration before `create`: an unknown name, a wrong type or a value out of range
 * never reaches a plugin, and the operator gets file, line and column. The same table makes
 * docs/configuration.md, `aicaller plugins info` and shell completion.
 */
#include <aicaller/abi.h>

AIC_BEGIN_DECLS

enum {
    AIC_OPTION_NONE = 0,
    AIC_OPTION_STRING = 1,
    AIC_OPTION_SECRET = 2, /* a string that is never shown or logged */
    AIC_OPTION_INT = 3,    /* signed 64 bit */
    AIC_OPTION_FLOAT = 4,  /* an integer is accepted as well */
    AIC_OPTION_BOOL = 5,
    AIC_OPTION_DURATION = 6, /* "500ms", "3s", "2m", "1h", or a number of ms; read as int, in ms */
    AIC_OPTION_BYTES = 7,    /* "64k", "2M", or a number; read as int */
    AIC_OPTION_URL = 8,      /* absolute; http and ws only for loopback */
    AIC_OPTION_PATH = 9,     /* a file; relative to the file that names it */
    AIC_OPTION_ENUM = 10,    /* one of `choices` */
    AIC_OPTION_LIST = 11,    /* strings, or one string */
    AIC_OPTION_JSON = 12     /* any group or value; read as JSON text */
};

enum {
    AIC_OPTION_REQUIRED = 1u << 0, /* without it no agent can use the provider */
    AIC_OPTION_RANGE = 1u << 1     /* `min` and `max` hold (inclusive; a duration's in ms) */
};

/* Static data. Arrays of it carry count and element size, so that it may grow. */
struct aic_option {
    const char *name;
    uint32_t type;
    uint32_t flags;
    const char *fallback;       /* default, written as in the file; NULL = none */
    const char *help;           /* one sentence for operators */
    const char *const *choices; /* with AIC_OPTION_ENUM: NULL-terminated */
    double min;
    double max;
};

/*
 * The checked settings of one provider. Every pointer it gives is valid until the provider's
 * `destroy` returns. A name that the plugin did not declare yields the "absent" value.
 */
struct aic_config {
    uint32_t size;
    uint32_t reserved; /* 0 */
    void *impl;
    const char *provider; /* the instance's name in the file, such as "deepgram" */

    /* 1 if the operator or a default gave a value. [main] */
    int32_t (*has)(const struct aic_config *config, const char *name);
    /* Text of STRING, SECRET, URL, PATH (absolute), ENUM, JSON; NULL when absent. [main] */
    const char *(*get_string)(const struct aic_config *config, const char *name);
    /* INT, BOOL (0 or 1), DURATION (ms), BYTES; 0 when absent. [main] */
    int64_t (*get_int)(const struct aic_config *config, const char *name);
    /* FLOAT or INT; 0 when absent. [main] */
    double (*get_double)(const struct aic_config *config, const char *name);
    /* Number of strings of a LIST; 0 when absent. [main] */
    uint32_t (*list_count)(const struct aic_config *config, const char *name);
    /* String `index` of a LIST; NULL beyond its end. [main] */
    const char *(*list_item)(const struct aic_config *config, const char *name, uint32_t index);
};

AIC_END_DECLS
#endif
