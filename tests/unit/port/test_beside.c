/* Work beside its caller: it is done once it was waited for, one call after the other, with threads and without. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "otter/system.h"

#define KICKS 1000u

typedef struct {
    uint32_t upto, calls; /* not atomic: what a wait promises is what ThreadSanitizer sees */
    bool is_backwards;
    pthread_t thread;
} job_t;

static void work(void *arg, uint32_t upto)
{
    job_t *job = arg;
    job->is_backwards |= upto < job->upto;
    job->upto = upto;
    job->calls++;
    job->thread = pthread_self();
}

static void check_work(void)
{
    job_t job = {0};
    otter_beside_t beside;
    otter_beside_begin(&beside, work, &job);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 1; i <= KICKS; i++) {
            otter_beside_kick(&beside, round * KICKS + i);
        }
        otter_beside_wait(&beside);
        assert_int_equal(job.upto, (round + 1) * KICKS);
        otter_beside_wait(&beside);
    }
    assert_false(job.is_backwards);
    assert_in_range(job.calls, 3, 3 * KICKS);
    otter_beside_kick(&beside, 4 * KICKS);
    otter_beside_end(&beside); /* waits too */
    assert_int_equal(job.upto, 4 * KICKS);
    otter_beside_end(&beside);
}

static void what_was_asked_for_is_done_once_it_was_waited_for(void **state)
{
    (void)state;
    check_work();
}

static void where_there_is_one_processor_it_is_done_at_once(void **state)
{
    (void)state;
    cpu_set_t all, one;
    assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
    CPU_ZERO(&one);
    for (size_t cpu = 0; CPU_COUNT(&one) == 0; cpu++) {
        if (CPU_ISSET(cpu, &all)) {
            CPU_SET(cpu, &one);
        }
    }
    assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
    job_t job = {0};
    otter_beside_t beside;
    otter_beside_begin(&beside, work, &job);
    otter_beside_kick(&beside, 1);
    assert_int_equal(job.upto, 1);
    assert_true(pthread_equal(job.thread, pthread_self()));
    otter_beside_end(&beside);
    check_work();
    assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
}

static void a_forked_process_does_it_itself(void **state)
{
    (void)state;
    job_t job = {0};
    otter_beside_t beside;
    otter_beside_begin(&beside, work, &job);
    otter_beside_kick(&beside, 1);
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        otter_beside_wait(&beside); /* of a thread that is not here */
        otter_beside_kick(&beside, 2);
        bool done = job.upto == 2;
        otter_beside_end(&beside);
        _exit(done ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    otter_beside_end(&beside);
    assert_int_equal(job.upto, 1);
}

static void nothing_begun_is_nothing_to_end(void **state)
{
    (void)state;
    otter_beside_t beside = {0};
    otter_beside_wait(&beside);
    otter_beside_end(&beside);
    job_t job = {0};
    otter_beside_begin(&beside, work, &job);
    otter_beside_end(&beside);
    assert_int_equal(job.calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_asked_for_is_done_once_it_was_waited_for),
        cmocka_unit_test(where_there_is_one_processor_it_is_done_at_once),
        cmocka_unit_test(a_forked_process_does_it_itself),
        cmocka_unit_test(nothing_begun_is_nothing_to_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
