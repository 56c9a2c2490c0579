/* SPDX-License-Identifier: ISC */
#include "script_load.h"

#include "buf.h"
#include "expression.h"
#include "load_rules.h"
#include "reader.h"
#include "scan.h"
#include "script_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct script_key root_keys[] = {
    {"start", SCRIPT_KEY_TEXT},    {"variables", SCRIPT_KEY_GROUP},
    {"words", SCRIPT_KEY_GROUP},   {"slots", SCRIPT_KEY_GROUP},
    {"intents", SCRIPT_KEY_GROUP}, {"states", SCRIPT_KEY_GROUP},
    {"misses", SCRIPT_KEY_GROUP},  {NULL, 0},
};

static const struct script_key entry_keys[] = {
    {"say", SCRIPT_KEY_TEXTS}, {"value", SCRIPT_KEY_TEXT}, {NULL, 0}};

static const struct script_key slot_keys[] = {
    {"from", SCRIPT_KEY_TEXT},    {"asked", SCRIPT_KEY_TEXT},     {"regex", SCRIPT_KEY_TEXT},
    {"group", SCRIPT_KEY_NUMBER}, {"examples", SCRIPT_KEY_TEXTS}, {NULL, 0},
};

static int line_of(const config_setting_t *setting)
{
    return (int)config_setting_source_line(setting);
}

static uint32_t length_of(const config_setting_t *section)
{
    return section ? (uint32_t)config_setting_length(section) : 0;
}

static void check_name(struct script_reader *r, const char *name, int line)
{
    static const char *const reserved[] = {"question", "from", "to", "direction"};
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        if (strcmp(reserved[i], name) == 0) {
            script_problem(r->problems, line, "\"%s\" has a meaning of its own: use another name",
                           name);
        }
    }
}

/* Slots and variables are names of one kind; slots come first, with the same index as slots. */
static void load_names(struct script_reader *r, const config_setting_t *variables)
{
    struct script *script = r->script;
    uint32_t slots = length_of(r->slots);
    uint32_t count = slots + length_of(variables);
    if (count > SCRIPT_MAX_NAMES) {
        script_problem(r->problems, 0, "more than %d slots and variables", SCRIPT_MAX_NAMES);
        return;
    }
    script->names = script_alloc(script, count, sizeof(*script->names));
    for (uint32_t i = 0; script->names && i < count; i++) {
        const config_setting_t *setting = i < slots ? config_setting_get_elem(r->slots, i)
                                                    : config_setting_get_elem(variables, i - slots);
        const char *name = script_copy(script, aic_str(config_setting_name(setting)));
        check_name(r, name, line_of(setting));
        if (script_name_find(script, aic_str(name)) != SCRIPT_NONE) {
            script_problem(r->problems, line_of(setting), "\"%s\" is a slot already", name);
        }
        script->names[i].name = name;
        script->names[i].initial = i < slots ? NULL : script_read_value(r, setting);
        script->name_count++;
    }
}

/* An entry that is a group: several ways to say one value. */
static void load_entry_group(struct script_reader *r, const config_setting_t *group,
                             struct script_list *list)
{
    if (!script_read_keys(r, group, "a word list's entry", entry_keys)) {
        return;
    }
    const char *value = script_read_text(r, group, "value");
    const config_setting_t *say = config_setting_get_member(group, "say");
    if (!value || !say) {
        script_problem(r->problems, line_of(group), "an entry in {} needs say and value");
        return;
    }
    if (strlen(value) > SCRIPT_MAX_VALUE) {
        script_problem(r->problems, line_of(group), "a value of more than %d bytes",
                       SCRIPT_MAX_VALUE);
    }
    for (uint32_t i = 0; i < script_read_count(say); i++) {
        int line = 0;
        const char *text = script_read_item(say, i, &line);
        struct script_entry *entry = &list->entries[list->count++];
        (void)script_read_pattern(r, text, line, &entry->say);
        entry->value = value;
    }
}

static uint32_t count_entries(const config_setting_t *setting)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < script_read_count(setting); i++) {
        const config_setting_t *item = config_setting_get_elem(setting, i);
        const config_setting_t *say = NULL;
        if (item && config_setting_is_group(item)) {
            say = config_setting_get_member(item, "say");
        }
        count += say ? script_read_count(say) : 1;
    }
    return count;
}

static void load_list(struct script_reader *r, const config_setting_t *setting,
                      struct script_list *list)
{
    list->line = line_of(setting);
    list->entries = script_alloc(r->script, count_entries(setting), sizeof(*list->entries));
    if (script_read_count(setting) == 0 || !list->entries) {
        script_problem(r->problems, list->line, "word list \"%s\" must be [ \"one\", \"two\" ]",
                       list->name);
        return;
    }
    for (uint32_t i = 0; i < script_read_count(setting); i++) {
        const config_setting_t *item = config_setting_get_elem(setting, i);
        int line = 0;
        const char *text = script_read_item(setting, i, &line);
        if (text) {
            struct script_entry *entry = &list->entries[list->count++];
            (void)script_read_pattern(r, text, line, &entry->say);
            entry->value = entry->say.text;
        } else if (item && config_setting_is_group(item)) {
            load_entry_group(r, item, list);
        } else {
            script_problem(r->problems, line,
                           "an entry of \"%s\" must be a text or "
                           "{ say = ...; value = ...; }",
                           list->name);
        }
    }
}

static void load_lists(struct script_reader *r)
{
    struct script *script = r->script;
    uint32_t count = length_of(r->words);
    if (count > SCRIPT_MAX_LISTS) {
        script_problem(r->problems, line_of(r->words), "more than %d word lists", SCRIPT_MAX_LISTS);
        return;
    }
    script->lists = script_alloc(script, count, sizeof(*script->lists));
    for (uint32_t i = 0; script->lists && i < count; i++) {
        struct script_list *list = &script->lists[i];
        const config_setting_t *setting = script_read_named(r, r->words, i, &list->name);
        load_list(r, setting, list);
        script->list_count++;
    }
}

static void load_slots(struct script_reader *r)
{
    struct script *script = r->script;
    uint32_t count = length_of(r->slots);
    script->slots = script_alloc(script, count, sizeof(*script->slots));
    for (uint32_t i = 0; script->slots && i < count; i++) {
        struct script_slot *slot = &script->slots[script->slot_count++];
        const config_setting_t *group = script_read_named(r, r->slots, i, &slot->name);
        slot->line = line_of(group);
        slot->list = slot->asked = SCRIPT_NONE;
        if (!config_setting_is_group(group) || !script_read_keys(r, group, "a slot", slot_keys)) {
            script_problem(r->problems, slot->line, "slot \"%s\" is not complete", slot->name);
            continue;
        }
        slot->list = script_read_name(r, group, "from", r->words, "word list");
        slot->asked = script_read_name(r, group, "asked", r->words, "word list");
        slot->regex = script_read_regex(r, group, "regex");
        uint32_t most = slot->regex ? (uint32_t)slot->regex->re_nsub : SCRIPT_GROUPS_MAX;
        most = most < SCRIPT_GROUPS_MAX ? most : SCRIPT_GROUPS_MAX;
        slot->group = script_read_number(r, group, "group", 0, most, most > 0);
        script_read_patterns(r, group, "examples", &slot->examples);
        if (!config_setting_get_member(group, "from") &&
            !config_setting_get_member(group, "regex")) {
            script_problem(r->problems, slot->line,
                           "slot \"%s\" needs from = a word list, or a "
                           "regex",
                           slot->name);
        }
    }
}

/* A section of the file; NULL where it is absent or, as reported before, no group. */
static const config_setting_t *section(const config_setting_t *root, const char *name)
{
    const config_setting_t *setting = config_setting_get_member(root, name);
    return setting && config_setting_is_group(setting) ? setting : NULL;
}

static void load_sections(struct script_reader *r, const config_setting_t *root)
{
    (void)script_read_keys(r, root, "the script", root_keys);
    r->words = section(root, "words");
    r->slots = section(root, "slots");
    r->intents = section(root, "intents");
    r->states = section(root, "states");
    r->texts_end = &r->script->texts;
    load_lists(r);
    load_names(r, section(root, "variables"));
    load_slots(r);
    script_load_intents(r);
    script_load_states(r);
    script_load_misses(r, root, &r->script->misses);
    r->script->start = SCRIPT_NONE;
    if (!r->states) {
        script_problem(r->problems, 0, "a script needs a group \"states\"");
    } else if (!config_setting_get_member(root, "start")) {
        script_problem(r->problems, 0, "a script needs start = \"the name of a state\"");
    } else {
        r->script->start = script_read_name(r, root, "start", r->states, "state");
    }
}

/* libconfig names a line and little more: the line itself helps. */
static void report_syntax(const config_t *config, struct aic_str text,
                          struct script_problems *problems)
{
    const char *begin = "";
    size_t length = script_scan_line(text, config_error_line(config), &begin);
    const char *what = config_error_text(config);
    script_problem(problems, config_error_line(config),
                   "%s, here or just before: %.*s (each setting is name = value; with quotation "
                   "marks around text)",
                   what ? what : "syntax error", (int)(length < 60 ? length : 60), begin);
}

static struct script *build(const config_t *config, struct script_problems *problems)
{
    struct script *script = script_create();
    if (!script) {
        script_problem(problems, 0, "out of memory");
        return NULL;
    }
    struct script_reader reader = {.script = script, .problems = problems};
    load_sections(&reader, config_root_setting(config));
    if (problems->count == 0 && !script->out_of_memory) {
        script_check(script, problems);
    }
    if (script->out_of_memory) {
        script_problem(problems, 0, "out of memory");
    }
    if (problems->count > 0) {
        script_destroy(script);
        return NULL;
    }
    return script;
}

static struct script *parse(const char *text, size_t bytes, struct script_problems *problems)
{
    struct aic_str view = {text, bytes};
    struct script *script = NULL;
    if (script_scan(view, problems)) {
        config_t config;
        config_init(&config);
        if (config_read_string(&config, text)) {
            script = build(&config, problems);
        } else {
            report_syntax(&config, view, problems);
        }
        config_destroy(&config);
    }
    script_problems_end(problems);
    return script;
}

struct script *script_load_text(struct aic_str text, struct script_problems *problems)
{
    char *copy = text.len <= SCRIPT_FILE_MAX_BYTES ? aic_str_dup(text) : NULL;
    if (!copy) {
        script_problem(problems, 0, "a script has at most 1 MiB");
        return NULL;
    }
    struct script *script = parse(copy, text.len, problems);
    free(copy);
    return script;
}

/* The whole of a regular file, terminated, to be freed; NULL with errno set. */
static char *read_file(const char *path, size_t *bytes)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return NULL;
    }
    char *text = NULL;
    if (fstat(fd, &info) == 0 && !S_ISREG(info.st_mode)) {
        errno = S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
    } else if (info.st_size > SCRIPT_FILE_MAX_BYTES) {
        errno = EFBIG;
    } else {
        text = malloc(SCRIPT_FILE_MAX_BYTES + 1);
    }
    ssize_t got = 1;
    for (*bytes = 0; text && got > 0 && *bytes < SCRIPT_FILE_MAX_BYTES; *bytes += (size_t)got) {
        got = read(fd, text + *bytes, SCRIPT_FILE_MAX_BYTES - *bytes);
        if (got < 0) {
            free(text);
            text = NULL;
            break;
        }
    }
    if (text) {
        text[*bytes] = '\0';
    }
    int error = errno;
    close(fd);
    errno = error;
    return text;
}

struct script *script_load_file(const char *path, struct script_problems *problems)
{
    size_t bytes = 0;
    char *text = read_file(path, &bytes);
    if (!text) {
        script_problem(problems, 0, "cannot read the script: %s", strerror(errno));
        return NULL;
    }
    struct script *script = parse(text, bytes, problems);
    free(text);
    return script;
}
