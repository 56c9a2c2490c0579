/* SPDX-License-Identifier: ISC */
#include "io/shm.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

struct scene {
    int fd;
    struct shm *shm;
};

static int set_up(void **state)
{
    static struct scene scene;
    scene.fd = shm_create();
    scene.shm = shm_map(scene.fd);
    *state = &scene;
    return scene.shm ? 0 : -1;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    shm_unmap(scene->shm);
    return close(scene->fd);
}

static void two_mappings_see_the_same_numbers(void **state)
{
    struct scene *scene = *state;
    struct shm *other = shm_map(scene->fd);
    assert_non_null(other);
    atomic_store(&scene->shm->workers[5].calls, 12);
    assert_int_equal(atomic_load(&other->workers[5].calls), 12);
    shm_unmap(other);
}

static void memory_that_is_not_ours_is_refused(void **state)
{
    (void)state;
    int fd = memfd_create("other", MFD_CLOEXEC);
    assert_null(shm_map(fd));
    assert_int_equal(ftruncate(fd, sizeof(struct shm)), 0);
    assert_null(shm_map(fd));
    (void)close(fd);
    assert_null(shm_map(-1));
}

static void nobody_can_cut_the_memory_under_the_others(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(ftruncate(scene->fd, 4096), -1);
}

static void a_released_slot_is_free_and_its_counts_are_kept(void **state)
{
    struct scene *scene = *state;
    struct shm *shm = scene->shm;
    shm_take(shm, 0, 100, 1);
    shm_take(shm, 1, 101, 1);
    assert_int_equal(shm_find_free(shm), 2);
    atomic_store(&shm->workers[0].counters[4], 7);
    atomic_store(&shm->workers[0].calls, 3);
    atomic_store(&shm->workers[1].calls, 2);
    assert_int_equal(shm_calls(shm), 5);
    shm_release(shm, 0);
    assert_int_equal(shm_find_free(shm), 0);
    assert_int_equal(shm_calls(shm), 2);
    assert_int_equal(atomic_load(&shm->counters_gone[4]), 7);
    assert_int_equal(atomic_load(&shm->workers[0].counters[4]), 0);
    shm_take(shm, 0, 102, 1);
    atomic_store(&shm->workers[0].counters[4], 2);
    shm_release(shm, 0);
    assert_int_equal(atomic_load(&shm->counters_gone[4]), 9);
}

static void totals_hold_what_workers_counted_that_live_and_that_are_gone(void **state)
{
    struct scene *scene = *state;
    struct shm *shm = scene->shm;
    uint64_t *totals = calloc(SHM_COUNTERS, sizeof(*totals));
    assert_non_null(totals);
    shm_take(shm, 0, 100, 1);
    shm_take(shm, 5, 101, 2);
    atomic_store(&shm->workers[0].counters[4], 7);
    atomic_store(&shm->workers[5].counters[4], 1);
    atomic_store(&shm->workers[5].counters[SHM_COUNTERS - 1], 3);
    atomic_store(&shm->workers[0].gauges[1], 9);
    shm_totals(shm, totals);
    assert_int_equal(totals[4], 8);
    shm_release(shm, 0);
    shm_totals(shm, totals);
    assert_int_equal(totals[4], 8);
    assert_int_equal(atomic_load(&shm->workers[0].gauges[1]), 0);
    shm_take(shm, 0, 102, 2);
    atomic_store(&shm->workers[0].counters[4], 2);
    shm_totals(shm, totals);
    assert_int_equal(totals[4], 10);
    assert_int_equal(totals[SHM_COUNTERS - 1], 3);
    assert_int_equal(totals[0], 0);
    free(totals);
}

static void a_master_that_died_over_a_release_does_not_hold_up_readers(void **state)
{
    struct scene *scene = *state;
    uint64_t *totals = calloc(SHM_COUNTERS, sizeof(*totals));
    assert_non_null(totals);
    shm_take(scene->shm, 0, 100, 1);
    atomic_store(&scene->shm->workers[0].counters[1], 6);
    atomic_store(&scene->shm->releases, 1);
    shm_totals(scene->shm, totals);
    assert_int_equal(totals[1], 6);
    free(totals);
}

static void when_all_slots_are_taken_none_is_free(void **state)
{
    struct scene *scene = *state;
    for (int i = 0; i < SHM_WORKERS; i++) {
        shm_take(scene->shm, i, 1000 + i, 1);
    }
    assert_int_equal(shm_find_free(scene->shm), -1);
}

static void the_balance_compares_live_workers_of_one_generation(void **state)
{
    struct scene *scene = *state;
    struct shm *shm = scene->shm;
    assert_int_equal(shm_fewest_calls(shm, 2), 0);
    const int64_t calls[] = {9, 4, 1, 0};
    const int64_t generation[] = {2, 2, 1, 2};
    for (int i = 0; i < 4; i++) {
        shm_take(shm, i, 100 + i, generation[i]);
        atomic_store(&shm->workers[i].calls, calls[i]);
        atomic_store(&shm->workers[i].heartbeat, i == 3 ? 0 : 1);
    }
    assert_int_equal(shm_fewest_calls(shm, 2), 4);
    assert_int_equal(shm_fewest_calls(shm, 1), 1);
}

static void a_provider_has_one_slot_however_often_it_is_asked_for(void **state)
{
    struct scene *scene = *state;
    struct shm_provider *groq = shm_provider(scene->shm, "groq");
    struct shm_provider *flite = shm_provider(scene->shm, "flite");
    assert_non_null(groq);
    assert_ptr_not_equal(groq, flite);
    assert_ptr_equal(shm_provider(scene->shm, "groq"), groq);
    assert_string_equal(groq->name, "groq");
    char name[64];
    for (int i = 0; i < SHM_PROVIDERS - 2; i++) {
        (void)snprintf(name, sizeof(name), "a provider with a name longer than a slot %d", i);
        assert_non_null(shm_provider(scene->shm, name));
    }
    assert_null(shm_provider(scene->shm, "one more"));
    assert_ptr_equal(shm_provider(scene->shm, "flite"), flite);
}

struct claim {
    struct shm *shm;
    struct shm_provider *got[16];
};

static void *claim_all(void *data)
{
    struct claim *claim = data;
    char name[16];
    for (int i = 0; i < 16; i++) {
        (void)snprintf(name, sizeof(name), "p%d", i);
        claim->got[i] = shm_provider(claim->shm, name);
    }
    return NULL;
}

static void workers_that_claim_at_the_same_time_agree(void **state)
{
    struct scene *scene = *state;
    struct claim claims[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        claims[i].shm = scene->shm;
        assert_int_equal(pthread_create(&threads[i], NULL, claim_all, &claims[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    for (int i = 1; i < 4; i++) {
        assert_memory_equal(claims[i].got, claims[0].got, sizeof(claims[0].got));
    }
}

#define shm_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        shm_test(two_mappings_see_the_same_numbers),
        shm_test(memory_that_is_not_ours_is_refused),
        shm_test(nobody_can_cut_the_memory_under_the_others),
        shm_test(a_released_slot_is_free_and_its_counts_are_kept),
        shm_test(totals_hold_what_workers_counted_that_live_and_that_are_gone),
        shm_test(a_master_that_died_over_a_release_does_not_hold_up_readers),
        shm_test(when_all_slots_are_taken_none_is_free),
        shm_test(the_balance_compares_live_workers_of_one_generation),
        shm_test(a_provider_has_one_slot_however_often_it_is_asked_for),
        shm_test(workers_that_claim_at_the_same_time_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
