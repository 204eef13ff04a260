/* Mounts its partitions, reads what they were flashed with, and counts its boots in a file of each. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "esp_littlefs.h"
#include "esp_partition.h"
#include "esp_spiffs.h"
#include "esp_vfs_fat.h"
#include "own.h"

static void show(const char *path)
{
    char line[80] = "";
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        printf("%s: no file, %d\n", path, errno == ENOENT);
        return;
    }
    (void)fgets(line, sizeof(line), file);
    fclose(file);
    printf("%s: %s\n", path, strtok(line, "\n"));
}

static void count_boots(const char *path)
{
    int boots = 0;
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        (void)fscanf(file, "%d", &boots);
        fclose(file);
    }
    file = fopen(path, "w");
    fprintf(file, "%d\n", boots + 1);
    fclose(file);
    printf("%s: boot %d\n", path, boots + 1);
}

static void list(const char *path)
{
    DIR *folder = opendir(path);
    int count = 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        count++;
    }
    closedir(folder);
    printf("%s: %d names\n", path, count);
}

static void ask_spiffs(void)
{
    const esp_vfs_spiffs_conf_t conf = {.base_path = "/www", .max_files = 5};
    size_t total, used;
    esp_err_t err = esp_vfs_spiffs_register(&conf);
    printf("spiffs 0x%x twice 0x%x\n", err, esp_vfs_spiffs_register(&conf));
    show("/www/index.html");
    show("/www/css/a.css");
    show("/www/none");
    show("/www/../escape");
    read_by_cpp("/www/index.html");
    list("/www");
    count_boots("/www/log/boots");
    printf("spiffs folder %d\n", mkdir("/www/new", 0777));
    err = esp_spiffs_info(NULL, &total, &used);
    printf("spiffs 0x%x %zu, some %d\n", err, total, used > 0 && used < 1000);
    const esp_vfs_spiffs_conf_t other = {.base_path = "/x", .partition_label = "nowhere"};
    const esp_vfs_spiffs_conf_t nvs = {.base_path = "/x", .partition_label = "nvs"};
    err = esp_vfs_spiffs_register(&other);
    printf("spiffs none 0x%x, nvs 0x%x\n", err, esp_vfs_spiffs_register(&nvs));
}

static void ask_fat(void)
{
    esp_vfs_fat_mount_config_t conf = {.max_files = 4};
    wl_handle_t handle;
    esp_err_t err = esp_vfs_fat_spiflash_mount_rw_wl("/fat", "fat", &conf, &handle);
    if (err != ESP_OK) {
        conf.format_if_mount_failed = true;
        esp_err_t then = esp_vfs_fat_spiflash_mount_rw_wl("/fat", "fat", &conf, &handle);
        printf("fat 0x%x, then 0x%x\n", err, then);
    }
    count_boots("/fat/BOOTS.TXT");
    printf("fat folder %d\n", mkdir("/fat/a", 0777));
    printf("fat rename %d", rename("/fat/BOOTS.TXT", "/fat/a/b"));
    printf(" across %d\n", rename("/fat/a/b", "/www/b"));
    printf("fat back %d", rename("/fat/a/b", "/fat/BOOTS.TXT"));
    printf(" folder gone %d\n", rmdir("/fat/a"));
    printf("fat end 0x%x", esp_vfs_fat_spiflash_unmount_rw_wl("/fat", handle));
    printf(" twice 0x%x\n", esp_vfs_fat_spiflash_unmount_rw_wl("/fat", handle));
    err = esp_vfs_fat_spiflash_mount_ro("/fat", "fat", &conf);
    printf("fat ro 0x%x %d %d\n", err, fopen("/fat/x", "w") == NULL, unlink("/fat/BOOTS.TXT"));
}

static void ask_littlefs(void)
{
    esp_vfs_littlefs_conf_t conf = {.base_path = "/little", .format_if_mount_failed = true};
    printf("littlefs 0x%x\n", esp_vfs_littlefs_register(&conf));
    count_boots("/little/boots");
    struct stat st;
    printf("littlefs %d", stat("/little/boots", &st));
    printf(" %d bytes", (int)st.st_size);
    printf(" %d", unlink("/little/boots"));
    printf(" %d\n", access("/little/boots", F_OK));
    printf("littlefs formatted 0x%x\n", esp_littlefs_format(NULL));
}

void app_main(void)
{
    ask_spiffs();
    ask_fat();
    ask_littlefs();
    ask_own();
    printf("all are asked\n");
}
