/* SPDX-License-Identifier: ISC */
#include "cli/move_book.h"

#include "base/config_read.h"

#include "json.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BOOK_BYTES = 256 * 1024 };

void move_sum_add(struct move_sum *sum, struct aic_str row)
{
    uint64_t hash[2] = {0, 0};
    (void)crypto_generichash((unsigned char *)hash, sizeof(hash), (const unsigned char *)row.ptr,
                             row.len, NULL, 0);
    sum->rows++;
    sum->parts[0] += hash[0];
    sum->parts[1] += hash[1];
}

bool move_sum_equal(const struct move_sum *a, const struct move_sum *b)
{
    return a->rows == b->rows && a->parts[0] == b->parts[0] && a->parts[1] == b->parts[1];
}

static struct move_table *find(struct move_book *book, struct aic_str name)
{
    for (size_t i = 0; i < book->count; i++) {
        if (aic_str_equal(name, book->tables[i].name)) {
            return &book->tables[i];
        }
    }
    return NULL;
}

/* A number of 64 bits, which JSON's would not hold. */
static uint64_t hex_of(const struct aic_json *node, const char *key)
{
    char text[24];
    (void)aic_str_copy(aic_json_get_text(node, key), text, sizeof(text));
    return strtoull(text, NULL, 16);
}

static void read_table(struct move_book *book, const struct aic_json *node)
{
    struct move_table *table = find(book, aic_json_get_text(node, "table"));
    if (table) {
        (void)aic_str_copy(aic_json_get_text(node, "after"), table->after, sizeof(table->after));
        table->is_done = aic_json_get_bool(node, "done", false);
        table->sum.rows = (uint64_t)aic_json_get_int(node, "rows", 0);
        table->sum.parts[0] = hex_of(node, "low");
        table->sum.parts[1] = hex_of(node, "high");
    }
}

void move_book_read(struct move_book *book)
{
    struct aic_buf text;
    struct stat info;
    const char *why = "";
    aic_buf_init(&text, BOOK_BYTES);
    if (config_read(book->path, &text, &info, &why) == AIC_OK) {
        struct aic_json *root = aic_json_parse(aic_buf_view(&text), BOOK_BYTES);
        const struct aic_json *tables = aic_json_get(root, "tables");
        book->is_resumed = aic_str_equal(aic_json_get_text(root, "from"), book->from) &&
                           aic_str_equal(aic_json_get_text(root, "to"), book->to);
        for (size_t i = 0; book->is_resumed && i < aic_json_count(tables); i++) {
            read_table(book, aic_json_at(tables, i));
        }
        aic_json_free(root);
    }
    aic_buf_finish(&text);
}

static void write_hex(struct aic_json_writer *w, const char *key, uint64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%016" PRIx64, value);
    aic_json_member_text(w, key, text);
}

static void print(const struct move_book *book, struct aic_buf *to)
{
    struct aic_json_writer w;
    aic_json_writer_init(&w, to);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "from", book->from);
    aic_json_member_text(&w, "to", book->to);
    aic_json_key(&w, "tables");
    aic_json_open(&w, '[');
    for (size_t i = 0; i < book->count; i++) {
        const struct move_table *table = &book->tables[i];
        aic_json_open(&w, '{');
        aic_json_member_text(&w, "table", table->name);
        aic_json_member_text(&w, "after", table->after);
        aic_json_member_bool(&w, "done", table->is_done);
        aic_json_member_int(&w, "rows", (int64_t)table->sum.rows);
        write_hex(&w, "low", table->sum.parts[0]);
        write_hex(&w, "high", table->sum.parts[1]);
        aic_json_close(&w, '}');
    }
    aic_json_close(&w, ']');
    aic_json_close(&w, '}');
}

static bool write_file(const char *path, const struct aic_buf *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    bool is_good = fd >= 0 && write(fd, text->data, text->len) == (ssize_t)text->len;
    if (fd >= 0) {
        is_good = close(fd) == 0 && is_good;
    }
    return is_good;
}

bool move_book_write(const struct move_book *book)
{
    char temporary[sizeof(book->path) + 8];
    struct aic_buf text;
    aic_buf_init(&text, BOOK_BYTES);
    print(book, &text);
    (void)snprintf(temporary, sizeof(temporary), "%s.new", book->path);
    bool is_good =
        !text.failed && write_file(temporary, &text) && rename(temporary, book->path) == 0;
    aic_buf_finish(&text);
    if (!is_good) {
        (void)fprintf(stderr, "aicaller migrate: %s: %s\n", book->path, strerror(errno));
    }
    return is_good;
}

void move_book_delete(const struct move_book *book)
{
    (void)unlink(book->path);
}
