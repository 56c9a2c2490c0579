/* SPDX-License-Identifier: ISC */
/* Facts in any order, any number of times, cut into any batches: always the same rows. */
#include "storage_kit.h"

#include "sqlcore/row.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CALLS = 3, FACTS = 40, ORDERS = 60, PURE_ORDERS = 20000 };

/* xorshift64*: the same numbers on every machine. */
static uint64_t random_state = 88172645463325252u;

static unsigned pick(unsigned below)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (unsigned)((random_state * UINT64_C(2685821657736338717)) >> 33) % below;
}

static const char *const statuses[] = {"queued", "ringing",   "in_progress", "completed",
                                       "busy",   "no_answer", "failed",      "canceled"};

/* Columns of a call, few enough that facts often meet in one. */
static const char *random_columns(struct kit *kit)
{
    const char *text = "{";
    const char *comma = "";
    for (int i = 0; i < 3; i++) {
        switch (pick(6)) {
        case 0:
            text = kit_text(kit, "%s%s\"status\":\"%s\"", text, comma, statuses[pick(8)]);
            break;
        case 1:
            text = kit_text(kit, "%s%s\"cost\":%u.5", text, comma, pick(3));
            break;
        case 2:
            text = kit_text(kit, "%s%s\"agent\":\"a%u\"", text, comma, pick(3));
            break;
        case 3:
            text =
                kit_text(kit, "%s%s\"started_at\":\"2026-01-05T10:00:0%uZ\"", text, comma, pick(3));
            break;
        case 4:
            text =
                kit_text(kit, "%s%s\"created_at\":\"2026-01-05T10:00:0%uZ\"", text, comma, pick(3));
            break;
        default:
            text = kit_text(kit, "%s%s\"metadata\":{\"n\":%u}", text, comma, pick(3));
        }
        comma = ",";
    }
    return kit_text(kit, "%s}", text);
}

static void make_facts(struct kit *kit, struct aic_fact *facts)
{
    for (unsigned i = 0; i < FACTS; i++) {
        const char *id = kit_id(1 + pick(CALLS));
        facts[i] = kit_fact("calls", id, id, 1 + pick(8), random_columns(kit));
        if (pick(5) == 0) {
            facts[i] = kit_fact("messages", kit_id(100 + pick(3)), id, 1 + pick(4),
                                kit_text(kit, "{\"turn\":%u,\"heard\":\"h%u\"}", pick(2), pick(4)));
        }
    }
    /* Rows of one id belong to one call. */
    for (unsigned i = 0; i < FACTS; i++) {
        if (aic_str_equal(facts[i].table, "messages")) {
            facts[i].call_id = aic_str(kit_id(1));
        }
    }
}

static void shuffle(struct aic_fact *facts, unsigned count)
{
    for (unsigned i = count; i > 1; i--) {
        unsigned k = pick(i);
        struct aic_fact swap = facts[i - 1];
        facts[i - 1] = facts[k];
        facts[k] = swap;
    }
}

/* In batches of random size, some of them twice. */
static void append_in_pieces(struct kit *kit, const struct aic_fact *facts, unsigned count)
{
    for (unsigned from = 0; from < count;) {
        unsigned size = 1 + pick(10);
        size = size < count - from ? size : count - from;
        for (unsigned times = 1 + (pick(4) == 0); times > 0; times--) {
            assert_int_equal(kit_append(kit, kit->db, facts + from, size), AIC_OK);
            assert_int_equal(kit->rejections, 0);
        }
        from += size;
    }
}

/* All rows, with the revisions that a later fact would meet. */
static char *dump(struct kit *kit)
{
    struct aic_buf all;
    aic_buf_init(&all, 1 << 20);
    for (unsigned i = 1; i <= CALLS; i++) {
        const char *params = kit_text(kit, "{\"call_id\":\"%s\"}", kit_id(i));
        aic_buf_text(&all, kit_query(kit, kit->db, "call", params));
        aic_buf_text(&all, kit_query(kit, kit->db, "messages", params));
    }
    return aic_buf_detach(&all);
}

static void random_orders_end_in_the_same_rows(struct kit *kit)
{
    struct aic_fact facts[FACTS];
    for (int set = 0; set < 3; set++) {
        make_facts(kit, facts);
        char *expected = NULL;
        for (int order = 0; order < ORDERS / 3; order++) {
            kit_start_empty(kit);
            assert_int_equal(kit->storage->migrate(kit->db, NULL, NULL, &kit->error), AIC_OK);
            append_in_pieces(kit, facts, FACTS);
            char *got = dump(kit);
            if (!expected) {
                expected = got;
                continue;
            }
            assert_string_equal(got, expected);
            free(got);
            shuffle(facts, FACTS);
        }
        free(expected);
    }
}

/* Merges as the database does, with a way through the text of the revisions in between. */
static void merge_in_order(struct sql_row *into, const struct sql_row *rows, const unsigned *order,
                           unsigned count, struct sql_arena *arena)
{
    bool failed = false;
    *into = rows[order[0]];
    for (unsigned i = 1; i < count; i++) {
        (void)sql_row_merge(into, &rows[order[i]]);
        struct sql_value text = sql_row_revisions(into, arena, &failed);
        struct sql_row again = *into;
        sql_row_set_revisions(&again, into->revision,
                              text.type == SQL_NULL ? (struct aic_str){NULL, 0} : text.text);
        for (uint32_t k = 1; k < into->table->column_count; k++) {
            if (into->values[k].type != SQL_NULL) {
                assert_int_equal(again.revisions[k], into->revisions[k]);
            }
        }
        *into = again;
    }
    assert_true(sql_row_complete(into, arena));
    assert_false(failed);
}

static void assert_rows_equal(const struct sql_row *a, const struct sql_row *b)
{
    assert_int_equal(a->revision, b->revision);
    for (uint32_t i = 0; i < a->table->column_count; i++) {
        assert_int_equal(sql_value_compare(&a->values[i], &b->values[i]), 0);
        if (i > 0 && a->values[i].type != SQL_NULL) {
            assert_int_equal(a->revisions[i], b->revisions[i]);
        }
    }
}

static void merging_rows_is_the_same_in_every_order(struct kit *kit)
{
    enum { ROWS = 8 };

    for (unsigned round = 0; round < PURE_ORDERS / 50; round++) {
        struct sql_arena arena = {0};
        struct sql_row rows[ROWS];
        struct aic_json *documents[ROWS];
        unsigned order[ROWS];
        struct sql_row expected;
        for (unsigned i = 0; i < ROWS; i++) {
            char reason[SQL_REASON];
            const char *id = kit_id(1);
            struct aic_fact fact = kit_fact("calls", id, id, pick(4), random_columns(kit));
            order[i] = i;
            assert_int_equal(sql_row_read(&rows[i], &fact, &arena, &documents[i], reason), AIC_OK);
        }
        merge_in_order(&expected, rows, order, ROWS, &arena);
        for (unsigned again = 0; again < 50; again++) {
            struct sql_row got;
            for (unsigned i = ROWS; i > 1; i--) {
                unsigned k = pick(i);
                unsigned swap = order[i - 1];
                order[i - 1] = order[k];
                order[k] = swap;
            }
            merge_in_order(&got, rows, order, ROWS, &arena);
            assert_rows_equal(&got, &expected);
        }
        for (unsigned i = 0; i < ROWS; i++) {
            aic_json_free(documents[i]);
        }
        sql_arena_finish(&arena);
    }
}

static void writing_everything_again_changes_nothing(struct kit *kit)
{
    struct aic_fact facts[FACTS];
    make_facts(kit, facts);
    append_in_pieces(kit, facts, FACTS);
    char *expected = dump(kit);
    for (int i = 0; i < 3; i++) {
        shuffle(facts, FACTS);
        append_in_pieces(kit, facts, FACTS);
        char *got = dump(kit);
        assert_string_equal(got, expected);
        free(got);
    }
    free(expected);
}

/* A host: writes all facts, in an order of its own, in small batches. */
struct host {
    const struct aic_storage *storage;
    void *db;
    struct aic_fact facts[FACTS];
    int32_t status;
    pthread_t thread;
};

static void *write_all(void *data)
{
    enum { PIECE = 7 };
    struct host *host = data;
    for (unsigned from = 0; from < FACTS && host->status == AIC_OK; from += PIECE) {
        struct aic_append_result result = {.size = sizeof(result)};
        unsigned count = FACTS - from < PIECE ? FACTS - from : PIECE;
        host->status = host->storage->append(host->db, host->facts + from, count,
                                             sizeof(host->facts[0]), &result, NULL);
    }
    return NULL;
}

static void many_hosts_that_write_at_once_agree(struct kit *kit)
{
    enum { HOSTS = 4 };
    static struct host hosts[HOSTS];
    struct aic_fact facts[FACTS];
    make_facts(kit, facts);
    append_in_pieces(kit, facts, FACTS);
    char *expected = dump(kit);
    for (int round = 0; round < 5; round++) {
        kit_start_empty(kit);
        assert_int_equal(kit->storage->migrate(kit->db, NULL, NULL, &kit->error), AIC_OK);
        for (int i = 0; i < HOSTS; i++) {
            hosts[i] = (struct host){.storage = kit->storage, .db = kit_connect(kit)};
            shuffle(facts, FACTS);
            memcpy(hosts[i].facts, facts, sizeof(facts));
        }
        for (int i = 0; i < HOSTS; i++) {
            assert_int_equal(pthread_create(&hosts[i].thread, NULL, write_all, &hosts[i]), 0);
        }
        for (int i = 0; i < HOSTS; i++) {
            assert_int_equal(pthread_join(hosts[i].thread, NULL), 0);
            assert_int_equal(hosts[i].status, AIC_OK);
        }
        char *got = dump(kit);
        assert_string_equal(got, expected);
        free(got);
    }
    free(expected);
}

static const struct kit_case cases[] = {
    {"random orders end in the same rows", random_orders_end_in_the_same_rows, NULL},
    {"merging rows is the same in every order", merging_rows_is_the_same_in_every_order, "sqlite"},
    {"many hosts that write at once agree", many_hosts_that_write_at_once_agree, NULL},
    {"writing everything again changes nothing", writing_everything_again_changes_nothing, NULL},
};

int main(void)
{
    return kit_main("storage_merge", cases, sizeof(cases) / sizeof(cases[0]));
}
