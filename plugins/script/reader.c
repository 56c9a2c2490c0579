/* SPDX-License-Identifier: ISC */
#include "reader.h"

#include "buf.h"
#include "expression.h"
#include "fold.h"

#include <string.h>

static int line_of(const config_setting_t *setting)
{
    return (int)config_setting_source_line(setting);
}

static const config_setting_t *member(const config_setting_t *group, const char *key)
{
    return group ? config_setting_get_member(group, key) : NULL;
}

static bool is_text(const config_setting_t *setting)
{
    return setting && config_setting_type(setting) == CONFIG_TYPE_STRING;
}

uint32_t script_read_count(const config_setting_t *setting)
{
    if (!setting) {
        return 0;
    }
    int type = config_setting_type(setting);
    if (type == CONFIG_TYPE_ARRAY || type == CONFIG_TYPE_LIST) {
        return (uint32_t)config_setting_length(setting);
    }
    return type == CONFIG_TYPE_STRING ? 1 : 0;
}

const char *script_read_item(const config_setting_t *setting, uint32_t index, int *line)
{
    const config_setting_t *item =
        is_text(setting) ? setting : config_setting_get_elem(setting, index);
    if (line) {
        *line = line_of(item ? item : setting);
    }
    return is_text(item) ? config_setting_get_string(item) : NULL;
}

static bool are_texts(const config_setting_t *setting)
{
    uint32_t count = script_read_count(setting);
    for (uint32_t i = 0; i < count; i++) {
        if (!script_read_item(setting, i, NULL)) {
            return false;
        }
    }
    return count > 0;
}

static bool has_type(const config_setting_t *setting, uint32_t type)
{
    switch (type) {
    case SCRIPT_KEY_TEXT:
        return is_text(setting);
    case SCRIPT_KEY_TEXTS:
        return are_texts(setting);
    case SCRIPT_KEY_GROUP:
        return config_setting_is_group(setting);
    case SCRIPT_KEY_NUMBER:
        return config_setting_type(setting) == CONFIG_TYPE_INT;
    case SCRIPT_KEY_BOOL:
        return config_setting_type(setting) == CONFIG_TYPE_BOOL;
    default:
        return script_read_count(setting) > 0;
    }
}

static const char *name_of_type(uint32_t type)
{
    switch (type) {
    case SCRIPT_KEY_TEXT:
        return "a text in quotation marks";
    case SCRIPT_KEY_TEXTS:
        return "a text, or several as [ \"one\", \"two\" ]";
    case SCRIPT_KEY_GROUP:
        return "a group { ... }";
    case SCRIPT_KEY_NUMBER:
        return "a number";
    case SCRIPT_KEY_BOOL:
        return "true or false";
    default:
        return "a list of words, [ \"one\", \"two\" ]";
    }
}

static const struct script_key *find_key(const struct script_key *keys, const char *name)
{
    for (; keys->name; keys++) {
        if (strcmp(keys->name, name) == 0) {
            return keys;
        }
    }
    return NULL;
}

bool script_read_keys(struct script_reader *reader, const config_setting_t *group, const char *what,
                      const struct script_key *keys)
{
    uint32_t before = reader->problems->count;
    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
        const char *name = config_setting_name(setting);
        const struct script_key *key = find_key(keys, name);
        if (!key) {
            struct script_guess guess;
            char hint[80];
            script_guess_init(&guess, name);
            for (const struct script_key *k = keys; k->name; k++) {
                script_guess_try(&guess, k->name);
            }
            script_problem(reader->problems, line_of(setting), "unknown key \"%s\" in %s%s", name,
                           what, script_guess_text(&guess, hint, sizeof(hint)));
        } else if (!has_type(setting, key->type)) {
            script_problem(reader->problems, line_of(setting), "%s of %s must be %s", name, what,
                           name_of_type(key->type));
        }
    }
    return reader->problems->count == before;
}

const char *script_read_text(struct script_reader *reader, const config_setting_t *group,
                             const char *key)
{
    const config_setting_t *setting = member(group, key);
    return is_text(setting)
               ? script_copy(reader->script, aic_str(config_setting_get_string(setting)))
               : NULL;
}

uint32_t script_read_number(struct script_reader *reader, const config_setting_t *group,
                            const char *key, uint32_t min, uint32_t max, uint32_t fallback)
{
    const config_setting_t *setting = member(group, key);
    if (!setting || config_setting_type(setting) != CONFIG_TYPE_INT) {
        return fallback;
    }
    int value = config_setting_get_int(setting);
    if (value < (int)min || value > (int)max) {
        script_problem(reader->problems, line_of(setting), "%s must lie between %u and %u", key,
                       min, max);
        return fallback;
    }
    return (uint32_t)value;
}

const config_setting_t *script_read_named(struct script_reader *reader,
                                          const config_setting_t *section, uint32_t index,
                                          const char **name)
{
    const config_setting_t *setting = config_setting_get_elem(section, index);
    *name = script_copy(reader->script, aic_str(config_setting_name(setting)));
    return setting;
}

const char *script_read_value(struct script_reader *reader, const config_setting_t *setting)
{
    if (!is_text(setting)) {
        script_problem(reader->problems, line_of(setting), "%s must be a text in quotation marks",
                       config_setting_name(setting));
        return NULL;
    }
    struct aic_str value = aic_str(config_setting_get_string(setting));
    if (value.len > SCRIPT_MAX_VALUE) {
        script_problem(reader->problems, line_of(setting), "a value of more than %d bytes",
                       SCRIPT_MAX_VALUE);
    }
    return script_copy(reader->script, value);
}

bool script_read_bool(const config_setting_t *group, const char *key)
{
    const config_setting_t *setting = member(group, key);
    return setting && config_setting_type(setting) == CONFIG_TYPE_BOOL &&
           config_setting_get_bool(setting);
}

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

void script_read_reply(struct script_reader *reader, const config_setting_t *group, const char *key,
                       struct script_texts *texts)
{
    const config_setting_t *setting = member(group, key);
    if (!setting || !are_texts(setting)) {
        return;
    }
    uint32_t count = script_read_count(setting);
    texts->line = line_of(setting);
    texts->items = script_alloc(reader->script, count, sizeof(*texts->items));
    for (uint32_t i = 0; texts->items && i < count; i++) {
        int line = 0;
        const char *text = script_read_item(setting, i, &line);
        if (is_blank(text)) {
            script_problem(reader->problems, line, "an empty reply: %s needs words to speak", key);
        } else if (strlen(text) > SCRIPT_MAX_TEXT) {
            script_problem(reader->problems, line,
                           "a reply of more than %d bytes; nobody listens "
                           "that long",
                           SCRIPT_MAX_TEXT);
        }
        texts->items[texts->count++] = script_copy(reader->script, aic_str(text));
    }
    texts->site = reader->script->site_count++;
    *reader->texts_end = texts;
    reader->texts_end = &texts->following;
}

uint32_t script_read_reference(struct script_reader *reader, const config_setting_t *section,
                               const char *what, const char *name, int line)
{
    int count = section ? config_setting_length(section) : 0;
    for (int i = 0; i < count; i++) {
        if (strcmp(config_setting_name(config_setting_get_elem(section, (unsigned)i)), name) == 0) {
            return (uint32_t)i;
        }
    }
    struct script_guess guess;
    char hint[80];
    script_guess_init(&guess, name);
    for (int i = 0; i < count; i++) {
        script_guess_try(&guess,
                         config_setting_name(config_setting_get_elem(section, (unsigned)i)));
    }
    script_problem(reader->problems, line, "unknown %s \"%s\"%s", what, name,
                   script_guess_text(&guess, hint, sizeof(hint)));
    return SCRIPT_NONE;
}

uint32_t script_read_name(struct script_reader *reader, const config_setting_t *group,
                          const char *key, const config_setting_t *section, const char *what)
{
    const config_setting_t *setting = member(group, key);
    if (!is_text(setting)) {
        return SCRIPT_NONE;
    }
    return script_read_reference(reader, section, what, config_setting_get_string(setting),
                                 line_of(setting));
}

uint32_t *script_read_names(struct script_reader *reader, const config_setting_t *group,
                            const char *key, const config_setting_t *section, const char *what,
                            uint32_t *count)
{
    const config_setting_t *setting = member(group, key);
    *count = 0;
    if (!setting || !are_texts(setting)) {
        return NULL;
    }
    uint32_t length = script_read_count(setting);
    uint32_t *names = script_alloc(reader->script, length, sizeof(*names));
    for (uint32_t i = 0; names && i < length; i++) {
        int line = 0;
        const char *name = script_read_item(setting, i, &line);
        uint32_t index = script_read_reference(reader, section, what, name, line);
        if (index != SCRIPT_NONE) {
            names[(*count)++] = index;
        }
    }
    return names;
}

/* Adds the words of a stretch without braces. */
static bool add_words(struct script_reader *reader, struct aic_str text,
                      struct script_pattern *pattern)
{
    struct aic_buf folded;
    aic_buf_init(&folded, 4096);
    script_fold(&folded, text);
    struct aic_str rest = aic_buf_view(&folded);
    bool fits = !folded.failed;
    for (struct aic_str word = script_fold_next(&rest); word.len > 0 && fits;
         word = script_fold_next(&rest)) {
        fits = pattern->count < SCRIPT_MAX_PARTS;
        if (fits) {
            struct script_part *part = &pattern->parts[pattern->count++];
            part->word = script_word_add(reader->script, word);
            part->list = SCRIPT_NONE;
        }
    }
    aic_buf_finish(&folded);
    return fits;
}

static bool add_list(struct script_reader *reader, struct aic_str name,
                     struct script_pattern *pattern)
{
    const char *copy = script_copy(reader->script, name);
    if (!copy || pattern->count == SCRIPT_MAX_PARTS) {
        return false;
    }
    struct script_part *part = &pattern->parts[pattern->count++];
    part->word = SCRIPT_NONE;
    part->list = script_read_reference(reader, reader->words, "word list", copy, pattern->line);
    return true;
}

/* Fills pattern->parts, which has room for SCRIPT_MAX_PARTS. False when there are more. */
static bool split_pattern(struct script_reader *reader, struct script_pattern *pattern)
{
    const char *p = pattern->text;
    while (*p) {
        size_t length = strcspn(p, "{}");
        if (length > 0 && !add_words(reader, (struct aic_str){p, length}, pattern)) {
            return false;
        }
        p += length;
        if (*p == '\0') {
            return true;
        }
        const char *close = strchr(p, '}');
        if (*p == '}' || !close) {
            script_problem(reader->problems, pattern->line, "a brace without its other half");
            return true;
        }
        if (!add_list(reader, (struct aic_str){p + 1, (size_t)(close - p - 1)}, pattern)) {
            return false;
        }
        p = close + 1;
    }
    return true;
}

bool script_read_pattern(struct script_reader *reader, const char *text, int line,
                         struct script_pattern *pattern)
{
    uint32_t before = reader->problems->count;
    struct script_part parts[SCRIPT_MAX_PARTS];
    *pattern = (struct script_pattern){
        .text = script_copy(reader->script, aic_str(text)), .parts = parts, .line = line};
    if (!pattern->text) {
        return false;
    }
    if (!split_pattern(reader, pattern)) {
        script_problem(reader->problems, line, "more than %d words in one phrase",
                       SCRIPT_MAX_PARTS);
    } else if (pattern->count == 0 && reader->problems->count == before) {
        script_problem(reader->problems, line, "a phrase without a word in it");
    }
    pattern->parts = script_alloc(reader->script, pattern->count, sizeof(*parts));
    if (pattern->parts) {
        memcpy(pattern->parts, parts, pattern->count * sizeof(*parts));
    } else {
        pattern->count = 0;
    }
    return reader->problems->count == before;
}

void script_read_patterns(struct script_reader *reader, const config_setting_t *group,
                          const char *key, struct script_patterns *patterns)
{
    const config_setting_t *setting = member(group, key);
    if (!setting || !are_texts(setting)) {
        return;
    }
    uint32_t count = script_read_count(setting);
    patterns->items = script_alloc(reader->script, count, sizeof(*patterns->items));
    for (uint32_t i = 0; patterns->items && i < count; i++) {
        int line = 0;
        const char *text = script_read_item(setting, i, &line);
        script_read_pattern(reader, text, line, &patterns->items[patterns->count++]);
    }
}

regex_t *script_read_regex(struct script_reader *reader, const config_setting_t *group,
                           const char *key)
{
    const config_setting_t *setting = member(group, key);
    bool *compiled = NULL;
    regex_t *regex = is_text(setting) ? script_regex_add(reader->script, &compiled) : NULL;
    if (!regex) {
        return NULL;
    }
    char why[120];
    if (script_expression_compile(config_setting_get_string(setting), regex, why, sizeof(why)) !=
        AIC_OK) {
        script_problem(reader->problems, line_of(setting), "%s is no expression: %s", key, why);
        return NULL;
    }
    *compiled = true;
    return regex;
}
