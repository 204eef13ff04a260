/* Keys of encrypted images, from files and eFuses. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "decrypt_key.h"

#include <string.h>

#include "linux/efuse_file.h"
#include "linux/image_key.h"
#include "otter/encrypted_image.h"

/** "efuse": -1, the first that is there; "efuse3": 3. @return false: it names a file */
static bool names_block(const char *name, int *index)
{
    if (strncmp(name, "efuse", 5) != 0 ||
        (name[5] != '\0' && (name[6] != '\0' || name[5] < '0' || name[5] > '5'))) {
        return false;
    }
    *index = name[5] == '\0' ? -1 : name[5] - '0';
    return true;
}

static otter_image_key_t *key_in_efuses(const otter_efuse_t *efuse, int index, otter_fault_t *fault)
{
    otter_image_key_t *key = NULL;
    bool found = false;
    for (int i = index < 0 ? 0 : index;
         efuse->read_key_block != NULL && i < (int)OTTER_EFUSE_BLOCKS && !found; i++) {
        otter_efuse_block_t block = {0};
        found = efuse->read_key_block(efuse->dev, (uint32_t)i, &block) == ESP_OK && block.present &&
                block.purpose == OTTER_PURPOSE_HMAC_UP;
        key = found ? otter_image_key_of_hmac(block.key, fault) : NULL;
        otter_wipe(&block, sizeof(block));
        if (index >= 0) {
            break;
        }
    }
    if (!found) {
        (void)otter_fault(fault, ESP_ERR_NOT_FOUND,
                          "the eFuse file has no such key: it needs block_key%s and key_purpose_%s=HMAC_UP",
                          index < 0 ? "N" : (const char *[]){"0", "1", "2", "3", "4", "5"}[index],
                          index < 0 ? "N" : (const char *[]){"0", "1", "2", "3", "4", "5"}[index]);
    }
    return key;
}

otter_image_key_t *decrypt_key_of(const char *name, const char *passphrase_file, const otter_efuse_t *efuse,
                                  otter_fault_t *fault)
{
    int index;
    return names_block(name, &index) ? key_in_efuses(efuse, index, fault)
                                     : image_key_load(name, passphrase_file, fault);
}

otter_image_key_t *decrypt_key_load(const char *name, const char *passphrase_file, const char *efuse_path,
                                    otter_fault_t *fault)
{
    int index;
    efuse_file_t file = {.path = ""};
    if (names_block(name, &index) && efuse_path == NULL) {
        (void)otter_fault(fault, ESP_ERR_INVALID_ARG, "--efuse names the file that it is in");
        return NULL;
    }
    if (names_block(name, &index) && efuse_file_load_named(&file, efuse_path, fault) != ESP_OK) {
        return NULL;
    }
    const otter_efuse_t efuse = efuse_file_seam(&file);
    otter_image_key_t *key = decrypt_key_of(name, passphrase_file, &efuse, fault);
    otter_wipe(&file, sizeof(file));
    return key;
}
