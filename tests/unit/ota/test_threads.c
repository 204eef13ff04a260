/* Several tasks: devices share nothing, and one is safe where its callers hold the lock of updates. Under --tsan: no race. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>

#include "esp_log.h"
#include "otter/boot.h"
#include "otter/ota_ops.h"
#include "otter/system.h"
#include "otter/update.h"
#include "support/session_rig.h"

#define TASKS  3u
#define ROUNDS 4u
#define CHUNK  4096u

/** One task at work; what it does not expect it counts, since a test ends on its own thread only. */
typedef struct {
    session_rig_t *session;
    const esp_partition_t *slot; /* NULL: both in turn, and each boots */
    bool locks;
    unsigned faults;
} job_t;

static void enter(const job_t *job)
{
    if (job->locks) {
        otter_lock(OTTER_LOCK_UPDATES);
    }
}

/** Leaves what enter() began. @param good  what was expected of the call in between */
static void leave(job_t *job, bool good)
{
    if (job->locks) {
        otter_unlock(OTTER_LOCK_UPDATES);
    }
    job->faults += good ? 0 : 1;
}

static void install(job_t *job, const esp_partition_t *slot)
{
    const session_rig_t *s = job->session;
    otter_update_t update;
    enter(job);
    leave(job, otter_update_begin(&update, s->device, slot, OTA_WITH_SEQUENTIAL_WRITES, NULL) == ESP_OK);
    for (uint32_t at = 0; at < s->image_len; at += CHUNK) {
        const uint32_t len = s->image_len - at < CHUNK ? s->image_len - at : CHUNK;
        enter(job);
        leave(job, otter_update_write(&update, s->image + at, len, NULL) == ESP_OK);
    }
    enter(job);
    leave(job, otter_update_end(&update, NULL) == ESP_OK);
}

static void *work(void *arg)
{
    job_t *job = arg;
    otter_device_t *device = job->session->device;
    for (unsigned round = 0; round < ROUNDS; round++) {
        const esp_partition_t *slot = job->slot != NULL ? job->slot : job->session->slot[round % 2];
        install(job, slot);
        esp_log_level_set("boot", round % 2 == 0 ? ESP_LOG_NONE : ESP_LOG_WARN);
        if (job->slot == NULL) { /* its own device: what was installed boots */
            otter_boot_result_t result;
            leave(job, otter_ota_set_boot_partition(device, slot, NULL) == ESP_OK);
            leave(job, otter_boot(device, OTTER_BOOT_COMMIT, &result) == ESP_OK && result.partition == slot);
        }
    }
    return NULL;
}

/** Another task that only asks. */
static void *ask(void *arg)
{
    job_t *job = arg;
    for (unsigned i = 0; i < 100; i++) {
        enter(job);
        leave(job, otter_ota_get_boot_partition(job->session->device) == job->session->factory);
    }
    return NULL;
}

static void run(job_t *jobs, void *(*const *bodies)(void *))
{
    pthread_t threads[TASKS];
    for (unsigned i = 0; i < TASKS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, bodies[i], &jobs[i]), 0);
    }
    for (unsigned i = 0; i < TASKS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    for (unsigned i = 0; i < TASKS; i++) {
        assert_int_equal(jobs[i].faults, 0);
    }
}

static void devices_share_nothing(void **state)
{
    (void)state;
    static session_rig_t sessions[TASKS];
    static const otter_device_config_t config = {.rollback = false};
    void *(*const bodies[TASKS])(void *) = {work, work, work};
    job_t jobs[TASKS] = {0};
    for (unsigned i = 0; i < TASKS; i++) {
        session_open(&sessions[i], &config);
        jobs[i].session = &sessions[i];
    }
    run(jobs, bodies);
    for (unsigned i = 0; i < TASKS; i++) {
        session_close(&sessions[i]);
    }
}

static void tasks_with_the_lock_update_two_slots_of_one_device(void **state)
{
    session_rig_t *s = *state;
    void *(*const bodies[TASKS])(void *) = {work, work, ask};
    job_t jobs[TASKS] = {{.session = s, .slot = s->slot[0], .locks = true},
                         {.session = s, .slot = s->slot[1], .locks = true},
                         {.session = s, .locks = true}};
    run(jobs, bodies);
    for (unsigned i = 0; i < 2; i++) {
        assert_memory_equal(s->rig.sim.bytes + s->slot[i]->address, s->image, s->image_len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_share_nothing),
        SESSION_TEST(tasks_with_the_lock_update_two_slots_of_one_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
