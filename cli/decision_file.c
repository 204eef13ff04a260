/* A JSON file: the decision, the flash it is about, and the kernel's id of the start of the machine that it belongs to. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "decision_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/named_file.h"

#define DECISION_MAX 65536u
#define ID_SIZE      64u
#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

bool decision_name_start(char id[DECISION_START_SIZE])
{
    FILE *file = fopen(BOOT_ID_FILE, "r");
    bool ok = file != NULL && fgets(id, (int)DECISION_START_SIZE, file) != NULL;
    if (file != NULL) {
        fclose(file);
    }
    if (ok) {
        id[strcspn(id, "\n")] = '\0';
    }
    return ok && id[0] != '\0';
}

bool decision_can_be_kept(void)
{
    char id[DECISION_START_SIZE];
    return decision_name_start(id);
}

/** A device or file under whatever name: names of device nodes may change while the machine starts. */
static void name_flash(const char *flash, char name[ID_SIZE])
{
    struct stat st;
    snprintf(name, ID_SIZE, "%s", "");
    if (stat(flash, &st) == 0 && S_ISBLK(st.st_mode)) {
        snprintf(name, ID_SIZE, "device %llx", (unsigned long long)st.st_rdev);
    } else if (stat(flash, &st) == 0) {
        snprintf(name, ID_SIZE, "file %llx %llx", (unsigned long long)st.st_dev,
                 (unsigned long long)st.st_ino);
    }
}

static bool says(const cJSON *object, const char *key, const char *text)
{
    const char *said = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    return said != NULL && strcmp(said, text) == 0;
}

cJSON *decision_load(const char *path, const char *flash, otter_fault_t *fault)
{
    char id[DECISION_START_SIZE], name[ID_SIZE];
    size_t len;
    char *text = (char *)input_load(path, INPUT_ORDINARY, DECISION_MAX, &len, fault);
    if (text == NULL) {
        return NULL;
    }
    cJSON *kept = cJSON_Parse(text);
    free(text);
    name_flash(flash, name);
    const char *wrong = !decision_name_start(id)     ? BOOT_ID_FILE " cannot be read"
                        : !cJSON_IsObject(kept)      ? "it is not what `otter boot --decision` writes"
                        : !says(kept, "boot_id", id) ? "it is of an earlier start of this machine"
                        : !says(kept, "flash", name) ? "it is of another flash"
                                                     : NULL;
    if (wrong != NULL) {
        otter_fault(fault, ESP_ERR_INVALID_STATE, "%s", wrong);
        cJSON_Delete(kept);
        return NULL;
    }
    cJSON_DeleteItemFromObjectCaseSensitive(kept, "boot_id");
    cJSON_DeleteItemFromObjectCaseSensitive(kept, "flash");
    return kept;
}

bool decision_save(const char *path, const char *flash, const cJSON *decision, otter_fault_t *fault)
{
    char id[DECISION_START_SIZE], name[ID_SIZE];
    cJSON *kept = cJSON_Duplicate(decision, true);
    name_flash(flash, name);
    bool ok = kept != NULL && decision_name_start(id) &&
              cJSON_AddStringToObject(kept, "boot_id", id) != NULL &&
              cJSON_AddStringToObject(kept, "flash", name) != NULL;
    char *text = ok ? cJSON_Print(kept) : NULL;
    cJSON_Delete(kept);
    if (text == NULL) {
        return otter_fault(fault, ESP_ERR_NO_MEM, "out of memory") == ESP_OK;
    }
    ok = output_replace(path, text, strlen(text), false, fault);
    free(text);
    return ok;
}
