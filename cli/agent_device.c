/* The device's side of `otter agent`: its record, what runs, and the process that runs it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "decision_file.h"
#include "host/named_file.h"
#include "linux/interrupt.h"
#include "otter/boot.h"
#include "otter/ota_ops.h"

#define LOOKS_MAX    5
#define LAST_WORD_MS 5000 /* from SIGTERM to SIGKILL */

/* ---- the record ---- */

/**
 * One agent for a flash, whatever its record is called. Not the lock of who has the flash open, which the device takes and gives
 * back as it goes on and off.
 */
static bool lock_flash(agent_t *agent)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    const char *flash = agent->options->flash;
    agent->flash_lock = open(flash, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (agent->flash_lock < 0) {
        return cli_refuse(AGENT_VERB, "%s: %s%s", flash, strerror(errno),
                          errno == ENOENT ? " (`otter flash new` makes a flash file)" : "");
    }
    return fcntl(agent->flash_lock, F_OFD_SETLK, &all) == 0 ||
           (errno != EAGAIN && errno != EACCES) || /* not every file system has locks */
           cli_refuse(AGENT_VERB, "%s: another agent is at work with this flash", flash);
}

bool agent_record_open(agent_t *agent)
{
    const agent_options_t *o = agent->options;
    char *lock = NULL;
    if (asprintf(&agent->record_path, "%s%s", o->record != NULL ? o->record : o->flash,
                 o->record != NULL ? "" : ".agent") < 0 ||
        asprintf(&lock, "%s.lock", agent->record_path) < 0) {
        return cli_refuse(AGENT_VERB, "out of memory");
    }
    agent->lock = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    const bool open = agent->lock >= 0;
    const bool mine = open && flock(agent->lock, LOCK_EX | LOCK_NB) == 0;
    const int error = errno;
    bool good = mine;
    if (open && !mine && error == EWOULDBLOCK) {
        good = cli_refuse(AGENT_VERB, "%s: another agent is at work here", agent->record_path);
    } else if (!mine) {
        good = cli_refuse(AGENT_VERB, "%s: %s; --record FILE names another place", lock, strerror(error));
    }
    free(lock);
    return good && lock_flash(agent);
}

void agent_record_close(agent_t *agent)
{
    const int locks[] = {agent->lock, agent->flash_lock};
    for (size_t i = 0; i < sizeof(locks) / sizeof(locks[0]); i++) {
        if (locks[i] >= 0) {
            close(locks[i]);
        }
    }
    free(agent->record_path);
}

esp_err_t agent_load(void *ctx, uint8_t record[OTTER_DDI_RECORD_SIZE])
{
    const agent_t *agent = ctx;
    otter_fault_t fault = {0};
    size_t len;
    if (access(agent->record_path, F_OK) != 0 && errno == ENOENT) {
        return ESP_ERR_NOT_FOUND;
    }
    uint8_t *bytes = input_load(agent->record_path, INPUT_ORDINARY, OTTER_DDI_RECORD_SIZE, &len, &fault);
    if (bytes == NULL) {
        (void)cli_fail(AGENT_VERB, "%s: %s", agent->record_path, fault.why);
        return ESP_FAIL;
    }
    memset(record, 0, OTTER_DDI_RECORD_SIZE);
    memcpy(record, bytes, len < OTTER_DDI_RECORD_SIZE ? len : OTTER_DDI_RECORD_SIZE);
    free(bytes);
    return ESP_OK;
}

esp_err_t agent_save(void *ctx, const uint8_t record[OTTER_DDI_RECORD_SIZE])
{
    const agent_t *agent = ctx;
    otter_fault_t fault = {0};
    if (output_replace(agent->record_path, record, OTTER_DDI_RECORD_SIZE, true, &fault)) {
        return ESP_OK;
    }
    (void)cli_fail(AGENT_VERB, "cannot write %s: %s", agent->record_path, fault.why);
    return ESP_FAIL;
}

/* ---- what runs ---- */

/** The slot on trial: it runs, or has run when power went. NULL: none is. */
static const esp_partition_t *find_trial(otter_device_t *device)
{
    esp_ota_img_states_t state;
    const esp_partition_t *selected = otter_ota_get_boot_partition(device);
    const bool on_trial = selected != NULL &&
                          otter_ota_get_state_partition(device, selected, &state) == ESP_OK &&
                          state == ESP_OTA_IMG_PENDING_VERIFY;
    return on_trial ? selected : NULL;
}

/** By what `otter boot` has kept; NULL: it has kept nothing of this start of the machine. */
static const esp_partition_t *find_decided(const agent_t *agent, const otter_device_t *device)
{
    otter_fault_t fault = {0};
    const agent_options_t *o = agent->options;
    cJSON *kept = o->decision != NULL ? decision_load(o->decision, o->flash, &fault) : NULL;
    const char *slot = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(kept, "slot"));
    const esp_partition_t *found =
        slot == NULL ? NULL
                     : otter_partition_list_find(&device->partitions, NULL, ESP_PARTITION_TYPE_APP,
                                                 ESP_PARTITION_SUBTYPE_ANY, slot);
    cJSON_Delete(kept);
    return found;
}

/** Opens the flash to look at it, while whoever runs it may write. */
static esp_err_t open_to_look(const agent_t *agent, linux_device_t *dev)
{
    otter_fault_t fault = {0};
    linux_device_options_t options = agent->options->device;
    otter_boot_result_t boot;
    options.read_only = options.look = true;
    esp_err_t err = linux_device_open(dev, agent->options->flash, &options, &fault);
    if (err != ESP_OK) {
        (void)cli_fail(AGENT_VERB, "%s: %s", agent->options->flash, fault.why);
        return err;
    }
    otter_device_t *device = &dev->device;
    const esp_partition_t *runs = find_decided(agent, device);
    runs = runs != NULL ? runs : find_trial(device);
    if (runs == NULL && otter_boot(device, OTTER_BOOT_DRY_RUN, &boot) == ESP_OK) {
        runs = boot.partition;
    }
    device->running = runs;
    return ESP_OK;
}

static esp_err_t look_once(const agent_t *agent, const char *wanted, otter_ddi_device_t *out)
{
    linux_device_t dev;
    esp_err_t err = open_to_look(agent, &dev);
    if (err == ESP_OK) {
        err = otter_ddi_device_look(&dev.device, wanted, out);
        otter_ignore(linux_device_close(&dev)); /* nothing was written */
    }
    return err;
}

/**
 * Who was told to restart the machine may do it later, at night: which start of the machine it was that this was ordered in
 * is kept in the file of the record's lock. Where it cannot be kept the restart is ordered again.
 */
static void keep_start(const agent_t *agent, bool ordered)
{
    char id[DECISION_START_SIZE] = "";
    const size_t len = ordered && decision_name_start(id) ? strlen(id) : 0;
    if (ftruncate(agent->lock, 0) == 0 && len > 0 && pwrite(agent->lock, id, len, 0) != (ssize_t)len) {
        (void)!ftruncate(agent->lock, 0); /* as above */
    }
}

/** No restart has come since one was ordered. */
static bool awaits_restart(const agent_t *agent)
{
    char id[DECISION_START_SIZE], kept[DECISION_START_SIZE] = "";
    return pread(agent->lock, kept, sizeof(kept) - 1, 0) > 0 && decision_name_start(id) &&
           strcmp(kept, id) == 0;
}

/** A device that is on may write meanwhile: what is seen twice is so. */
esp_err_t agent_look(void *ctx, const char *wanted, otter_ddi_device_t *out)
{
    const agent_t *agent = ctx;
    otter_ddi_device_t before;
    esp_err_t err = look_once(agent, wanted, out);
    for (int i = 0; i < LOOKS_MAX && err == ESP_OK && agent->device != 0; i++) {
        before = *out;
        err = look_once(agent, wanted, out);
        if (strcmp(before.running.slot, out->running.slot) == 0 && before.confirmed == out->confirmed &&
            before.wanted == out->wanted) {
            break;
        }
    }
    if (err == ESP_OK && out->wanted == OTTER_DDI_SLOT_SELECTED && agent->options->hook != NULL &&
        awaits_restart(agent)) {
        out->wanted = OTTER_DDI_SLOT_AWAITED;
    }
    return err;
}

esp_err_t agent_compare(void *ctx, const otter_ddi_file_t *file, bool *same)
{
    linux_device_t dev;
    esp_err_t err = open_to_look(ctx, &dev);
    if (err == ESP_OK) {
        err = otter_ddi_device_compare(&dev.device, file, same);
        otter_ignore(linux_device_close(&dev)); /* nothing was written */
    }
    return err;
}

esp_err_t agent_holds(void *ctx, const char *partition, const otter_ddi_file_t *file, bool *same)
{
    linux_device_t dev;
    esp_err_t err = open_to_look(ctx, &dev);
    if (err == ESP_OK) {
        err = otter_ddi_device_holds(&dev.device, partition, file, same);
        otter_ignore(linux_device_close(&dev)); /* nothing was written */
    }
    return err;
}

bool agent_parts_check(const agent_t *agent)
{
    const agent_parts_t *parts = &agent->options->parts;
    linux_device_t dev;
    otter_fault_t fault = {0};
    if (parts->count == 0) {
        return true;
    }
    if (open_to_look(agent, &dev) != ESP_OK) {
        return false;
    }
    bool good = true;
    for (uint32_t i = 0; i < parts->count && good; i++) {
        good = otter_ddi_device_partition(&dev.device, parts->rows[i].partition, &fault) != NULL;
    }
    otter_ignore(linux_device_close(&dev)); /* nothing was written */
    return good || cli_refuse(AGENT_VERB, "%s: %s", agent->options->flash, fault.why);
}

bool agent_device_open(const agent_t *agent, linux_device_t *dev, otter_fault_t *fault)
{
    otter_boot_result_t boot;
    if (linux_device_open(dev, agent->options->flash, &agent->options->device, fault) != ESP_OK) {
        return false;
    }
    if (find_trial(&dev->device) != NULL) {
        otter_ignore(otter_fault(fault, ESP_ERR_OTA_ROLLBACK_INVALID_STATE, "an image is on trial"));
        otter_ignore(linux_device_close(dev)); /* nothing was written */
        return false;
    }
    otter_ignore(otter_boot_finish_copies(&dev->device)); /* the boot step tries again, and tells */
    const esp_partition_t *runs = find_decided(agent, &dev->device);
    if (runs == NULL && otter_boot(&dev->device, OTTER_BOOT_DRY_RUN, &boot) == ESP_OK) {
        runs = boot.partition;
    }
    dev->device.running = runs;
    return true;
}

/* ---- the virtual device ---- */

static void become_device(const agent_t *agent)
{
    const agent_options_t *o = agent->options;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(STDERR_FILENO, STDOUT_FILENO); /* standard output is the agent's */
    const char *args[8] = {"otter", "run", o->flash};
    int count = 3;
    if (o->device.efuse_path != NULL) {
        args[count++] = "--efuse";
        args[count++] = o->device.efuse_path;
    }
    if (o->device.anti_rollback) {
        args[count++] = "--anti-rollback";
    }
    args[count] = NULL;
    execv("/proc/self/exe", (char *const *)(uintptr_t)args);
    _exit(127);
}

static void device_on(agent_t *agent)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        become_device(agent);
    }
    if (child < 0) {
        agent_say(agent, "error", "the device cannot be started");
        return;
    }
    agent->device = child;
    agent->device_ended = (int)syscall(SYS_pidfd_open, child, 0);
    agent_say(agent, "on", "the device is on");
}

/** It has ended: what is left of it is collected. */
static void collect(agent_t *agent)
{
    int status = 0;
    while (waitpid(agent->device, &status, 0) < 0 && errno == EINTR) {
    }
    close(agent->device_ended);
    agent->device = 0;
    agent->device_ended = -1;
    char text[80];
    snprintf(text, sizeof(text), "the device is off (%s %d)", WIFSIGNALED(status) ? "signal" : "status",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    agent_say(agent, "off", text);
}

static bool has_ended(const agent_t *agent, int wait_ms)
{
    struct pollfd ended = {.fd = agent->device_ended, .events = POLLIN};
    int ready;
    do {
        ready = poll(&ended, 1, wait_ms);
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

void agent_device_off(agent_t *agent)
{
    if (agent->device == 0) {
        return;
    }
    kill(agent->device, SIGTERM);
    if (!has_ended(agent, LAST_WORD_MS)) {
        kill(agent->device, SIGKILL);
    }
    collect(agent);
}

/** Does the device have to boot for what is in its flash to be known? */
bool agent_device_awaits_boot(const agent_t *agent)
{
    linux_device_t dev;
    if (open_to_look(agent, &dev) != ESP_OK) {
        return false;
    }
    const esp_partition_t *trial = find_trial(&dev.device);
    const esp_partition_t *selected = otter_ota_get_boot_partition(&dev.device);
    esp_ota_img_states_t state;
    const bool is_new = selected != NULL &&
                        otter_ota_get_state_partition(&dev.device, selected, &state) == ESP_OK &&
                        state == ESP_OTA_IMG_NEW;
    otter_ignore(linux_device_close(&dev)); /* nothing was written */
    return trial != NULL || is_new;
}

void agent_device_keep(agent_t *agent)
{
    static bool was_on;
    if (agent->options->hook != NULL) {
        return;
    }
    if (agent->device != 0 && has_ended(agent, 0)) {
        collect(agent);
    }
    const bool waits = agent_device_awaits_boot(agent);
    const int64_t now_ms = agent_now_ms();
    agent->trial_since = !waits ? 0 : agent->trial_since != 0 ? agent->trial_since : now_ms;
    if (waits && agent->device != 0 && now_ms - agent->trial_since > agent->options->trial_ms) {
        agent_say(agent, "trial", "the new firmware has not confirmed itself: the device is reset");
        agent_device_off(agent);
        agent->trial_since = 0;
    }
    if (agent->device == 0 && (!was_on || waits)) {
        was_on = true;
        device_on(agent);
    }
}

/** The hook restarts the machine, and this process with it. */
static bool run_hook(const agent_t *agent, const char *slot)
{
    fflush(NULL);
    keep_start(agent, true);
    pid_t child = fork();
    if (child == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        dup2(STDERR_FILENO, STDOUT_FILENO);
        setenv("OTTER_FLASH", agent->options->flash, 1);
        setenv("OTTER_SLOT", slot, 1);
        execl("/bin/sh", "sh", "-c", agent->options->hook, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR &&
           interrupt_came() == INTERRUPT_NONE) {
    }
    const bool done = child > 0 && status == 0;
    if (!done) {
        keep_start(agent, false);
    }
    return done;
}

void agent_restart(agent_t *agent, const otter_ddi_order_t *order)
{
    linux_device_t dev;
    otter_fault_t fault = {0};
    bool changed = false;
    char slot[OTTER_DDI_SLOT_SIZE];
    snprintf(slot, sizeof(slot), "%s", order->slot);
    agent_device_off(agent);
    bool good = agent_device_open(agent, &dev, &fault);
    if (good) {
        good = otter_ddi_device_select(&dev.device, order, &changed, &fault) == ESP_OK;
        if (linux_device_close(&dev) != ESP_OK && good) {
            otter_ignore(otter_fault(&fault, ESP_FAIL, "the flash file was not written"));
            good = false;
        }
    }
    if (!good) {
        otter_ddi_not_restarted(&agent->ddi, agent_now_ms(), changed, fault.why);
    } else if (agent->options->hook == NULL) {
        device_on(agent);
        otter_ddi_changed(&agent->ddi);
    } else if (run_hook(agent, slot)) {
        agent->handed_over = agent->options->once;
    } else {
        otter_ddi_not_restarted(&agent->ddi, agent_now_ms(), false, "the command of --hook failed");
    }
}
