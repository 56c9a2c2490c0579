/* SPDX-License-Identifier: ISC */
#include "scan.h"

#include "utf8.h"

#include <string.h>

enum { DEPTH_MAX = 16, DIGITS_MAX = 9 };

struct scan {
    const char *p;
    const char *end;
    int line;
    struct script_problems *problems;

    struct {
        char bracket;
        int line;
    } open[DEPTH_MAX];

    int depth;
    int comma_line; /* of the last sign when it was a comma; else 0 */
    bool stopped;
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '*';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char closing_of(char bracket)
{
    if (bracket == '{') {
        return '}';
    }
    if (bracket == '[') {
        return ']';
    }
    return ')';
}

static void stop(struct scan *s)
{
    s->stopped = true;
}

/* Texts end on their line, so that a forgotten quotation mark is found where it belongs; libconfig
 * joins "one" "two", which is how a long text is written. */
static void skip_string(struct scan *s)
{
    for (s->p++; s->p < s->end && *s->p != '"' && *s->p != '\n'; s->p++) {
        if (*s->p == '\\' && s->p + 1 < s->end && s->p[1] != '\n') {
            s->p++;
        }
    }
    if (s->p == s->end || *s->p == '\n') {
        script_problem(s->problems, s->line,
                       "a quotation mark is missing: a text ends on its line");
        stop(s);
        return;
    }
    s->p++;
}

static void skip_comment(struct scan *s)
{
    if (*s->p == '#' || s->p[1] == '/') {
        while (s->p < s->end && *s->p != '\n') {
            s->p++;
        }
        return;
    }
    int opened = s->line;
    for (s->p += 2; s->p < s->end; s->p++) {
        if (s->p[0] == '*' && s->p + 1 < s->end && s->p[1] == '/') {
            s->p += 2;
            return;
        }
        s->line += *s->p == '\n';
    }
    script_problem(s->problems, opened, "this comment is never closed");
    stop(s);
}

static void skip_number(struct scan *s)
{
    size_t digits = 0;
    for (; s->p < s->end && (is_digit(*s->p) || is_letter(*s->p)); s->p++) {
        digits++;
    }
    if (digits > DIGITS_MAX) {
        script_problem(s->problems, s->line, "this number is too large");
    }
}

static void open_bracket(struct scan *s)
{
    if (s->depth == DEPTH_MAX) {
        script_problem(s->problems, s->line, "more than %d brackets inside each other", DEPTH_MAX);
        stop(s);
        return;
    }
    s->open[s->depth].bracket = *s->p++;
    s->open[s->depth++].line = s->line;
}

static void close_bracket(struct scan *s, int comma_line)
{
    if (s->depth == 0) {
        script_problem(s->problems, s->line, "'%c' closes nothing", *s->p);
        stop(s);
        return;
    }
    s->depth--;
    char wanted = closing_of(s->open[s->depth].bracket);
    if (*s->p != wanted) {
        script_problem(s->problems, s->line, "'%c' where '%c' is needed for the '%c' of line %d",
                       *s->p, wanted, s->open[s->depth].bracket, s->open[s->depth].line);
        stop(s);
        return;
    }
    if (comma_line > 0 && wanted != '}') {
        script_problem(s->problems, comma_line, "a comma before '%c': take it out", wanted);
    }
    s->p++;
}

static void scan_sign(struct scan *s)
{
    int comma_line = s->comma_line;
    s->comma_line = 0;
    switch (*s->p) {
    case '"':
        skip_string(s);
        break;
    case '{':
    case '[':
    case '(':
        open_bracket(s);
        break;
    case '}':
    case ']':
    case ')':
        close_bracket(s, comma_line);
        break;
    case ',':
        s->comma_line = s->line;
        s->p++;
        break;
    default:
        s->p++;
    }
}

static void scan_next(struct scan *s)
{
    char c = *s->p;
    const char following = s->p[1]; /* the text is terminated */
    if (c == '\n' || c == ' ' || c == '\t' || c == '\r' || c == '\f') {
        s->line += c == '\n';
        s->p++;
    } else if (c == '#' || (c == '/' && (following == '/' || following == '*'))) {
        skip_comment(s);
    } else if (is_digit(c)) {
        s->comma_line = 0;
        skip_number(s);
    } else if (is_letter(c)) {
        s->comma_line = 0;
        while (s->p < s->end && (is_letter(*s->p) || is_digit(*s->p))) {
            s->p++;
        }
    } else {
        scan_sign(s);
    }
}

/* Refuses any line that begins like one, even inside a comment: what follows decides whether the
 * process lives. */
static void check_includes(struct aic_str text, struct script_problems *problems)
{
    int line = 1;
    for (const char *p = text.ptr; p < text.ptr + text.len; line++) {
        const char *end = memchr(p, '\n', (size_t)(text.ptr + text.len - p));
        end = end ? end : text.ptr + text.len;
        while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\f' || *p == '\v')) {
            p++;
        }
        if (end - p >= 8 && memcmp(p, "@include", 8) == 0) {
            script_problem(problems, line,
                           "a script cannot include files: put its text here instead");
        }
        p = end + 1;
    }
}

static int line_of(struct aic_str text, size_t offset)
{
    int line = 1;
    for (size_t i = 0; i < offset; i++) {
        line += text.ptr[i] == '\n';
    }
    return line;
}

static bool is_plain_text(struct aic_str text, struct script_problems *problems)
{
    if (text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0) {
        script_problem(problems, 1, "the file begins with a byte order mark: save it without");
        return false;
    }
    for (size_t i = 0; i < text.len;) {
        size_t length = aic_utf8_sequence(text.ptr + i, text.len - i);
        if (length == 0 || text.ptr[i] == '\0') {
            script_problem(problems, line_of(text, i), "not a text file in UTF-8");
            return false;
        }
        i += length;
    }
    return true;
}

bool script_scan(struct aic_str text, struct script_problems *problems)
{
    uint32_t before = problems->count;
    if (!is_plain_text(text, problems)) {
        return false;
    }
    check_includes(text, problems);
    struct scan s = {.p = text.ptr, .end = text.ptr + text.len, .line = 1, .problems = problems};
    while (s.p < s.end && !s.stopped) {
        scan_next(&s);
    }
    for (int i = 0; i < s.depth && !s.stopped; i++) {
        script_problem(problems, s.open[i].line, "this '%c' is never closed", s.open[i].bracket);
    }
    return problems->count == before;
}

size_t script_scan_line(struct aic_str text, int line, const char **begin)
{
    const char *p = text.ptr;
    const char *end = text.ptr + text.len;
    for (int i = 1; i < line && p; i++) {
        p = memchr(p, '\n', (size_t)(end - p));
        p = p ? p + 1 : NULL;
    }
    if (!p) {
        return 0;
    }
    const char *stop = memchr(p, '\n', (size_t)(end - p));
    stop = stop ? stop : end;
    while (p < stop && (*p == ' ' || *p == '\t')) {
        p++;
    }
    while (stop > p && (stop[-1] == ' ' || stop[-1] == '\t' || stop[-1] == '\r')) {
        stop--;
    }
    *begin = p;
    return (size_t)(stop - p);
}
