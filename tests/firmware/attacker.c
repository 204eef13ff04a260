/* A firmware that misbehaves towards the machine that runs it, in the way that ATTACK names; at power-on only. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "esp_log.h"
#include "esp_partition.h"
#include "esp_system.h"
#include "esp_task_wdt.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

static const char *TAG = "attacker";

static int descriptor(const char *name)
{
    return atoi(getenv(name));
}

static void stay(void)
{
    ESP_LOGI(TAG, "pid %d stays", (int)getpid());
    for (;;) {
        vTaskDelay(100);
    }
}

/* ---- processes of its own ---- */

/** Writes into the flash file for as long as it lives, by all means that it finds. */
static void write_flash_for_ever(void)
{
    const esp_partition_t *nvs =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, NULL);
    int by_path = getenv("ATTACK_BY_PATH") != NULL ? open(getenv("OTTER_FLASH_PATH"), O_RDWR) : -1;
    char zeros[16] = {0};
    ESP_LOGI(TAG, "child %d writes", (int)getpid());
    for (;;) {
        (void)!pwrite(descriptor("OTTER_FLASH_FD"), zeros, sizeof(zeros), nvs->address);
        (void)!pwrite(by_path, zeros, sizeof(zeros), nvs->address);
        (void)esp_partition_write_raw(nvs, 0, zeros, sizeof(zeros));
        (void)!write(descriptor("OTTER_CONTROL_FD"), "P", 1);
        usleep(1000);
    }
}

static void fork_child(void)
{
    if (fork() == 0) {
        write_flash_for_ever();
    }
}

/** As a daemon gets away: a session of its own, and no parent. */
static void fork_daemon(void)
{
    pid_t child = fork();
    if (child == 0) {
        setsid();
        if (fork() == 0) {
            setsid();
            write_flash_for_ever();
        }
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

/** A process that is another one every now and then: hard to catch. */
static void fork_chain(void)
{
    if (fork() == 0) {
        setsid();
        ESP_LOGI(TAG, "child %d writes", (int)getpid());
        while (fork() == 0) {
            usleep(300);
        }
        _exit(0);
    }
}

static void fork_and_restart(void)
{
    fork_daemon();
    usleep(50000);
    esp_restart();
}

static void fork_chain_and_restart(void)
{
    fork_chain();
    usleep(50000);
    esp_restart();
}

static void fork_and_stay(void)
{
    fork_child();
    fork_daemon();
    stay();
}

/* ---- the runner ---- */

static void stop_parent(void)
{
    kill(getppid(), SIGSTOP);
    usleep(100000);
    esp_restart();
}

static void kill_parent(void)
{
    kill(getppid(), SIGKILL);
    stay();
}

static void shrink_shared_memory(void)
{
    ESP_LOGI(TAG, "shared memory: %d %d", ftruncate(descriptor("OTTER_SHARED_FD"), 0),
             ftruncate(descriptor("OTTER_SHARED_FD"), 1 << 20));
    esp_restart();
}

static void fill_shared_memory(void)
{
    static uint8_t noise[4096];
    memset(noise, 0xA5, sizeof(noise));
    (void)!pwrite(descriptor("OTTER_SHARED_FD"), noise, sizeof(noise), 0);
    esp_restart();
}

static void cut_flash(void)
{
    (void)!ftruncate(descriptor("OTTER_FLASH_FD"), 0x300000);
    esp_restart();
}

static void empty_flash(void)
{
    (void)!ftruncate(descriptor("OTTER_FLASH_FD"), 0);
    esp_restart();
}

static void flood_control(void)
{
    static char dots[4096];
    memset(dots, getenv("ATTACK_WORD")[0], sizeof(dots));
    fcntl(descriptor("OTTER_CONTROL_FD"), F_SETFL, 0);
    esp_task_wdt_add(NULL); /* it blocks in each write, which is no hang by itself */
    ESP_LOGI(TAG, "pid %d stays", (int)getpid());
    for (;;) {
        (void)!write(descriptor("OTTER_CONTROL_FD"), dots, sizeof(dots));
    }
}

static void close_all(void)
{
    for (int fd = 0; fd < 1024; fd++) {
        close(fd);
    }
    for (;;) {
        usleep(100000);
    }
}

static const struct {
    const char *name;
    void (*run)(void);
} attacks[] = {
    {"fork", fork_and_restart},   {"fork-chain", fork_chain_and_restart},
    {"fork-stay", fork_and_stay}, {"stop-parent", stop_parent},
    {"kill-parent", kill_parent}, {"shrink", shrink_shared_memory},
    {"fill", fill_shared_memory}, {"cut-flash", cut_flash},
    {"empty-flash", empty_flash}, {"flood", flood_control},
    {"close-all", close_all},
};

void app_main(void)
{
    const esp_partition_t *nvs =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, NULL);
    ESP_LOGI(TAG, "reset reason %d", (int)esp_reset_reason());
    if (esp_reset_reason() == ESP_RST_POWERON) {
        for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
            if (strcmp(attacks[i].name, getenv("ATTACK")) == 0) {
                attacks[i].run();
            }
        }
        return;
    }
    esp_err_t err = esp_partition_erase_range(nvs, 0, nvs->size);
    err = err == ESP_OK ? esp_partition_write(nvs, 0, "clean", 5) : err;
    usleep(100000); /* whoever still writes has the time for it */
    char text[6] = "";
    esp_partition_read(nvs, 0, text, 5);
    ESP_LOGI(TAG, "after the reset: %s, flash is %s", esp_err_to_name(err), text);
}
