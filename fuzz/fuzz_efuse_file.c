/*
 * The eFuse file beside a flash file.
 * Input: the file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "linux/efuse_file.h"

/** What the lines say, read one whole line after the other. */
typedef struct {
    bool good, has_chip, has_revision;
    uint16_t chip, revision, blk_revision;
    uint32_t secure_version;
} reference_t;

static bool number(const char *text, unsigned long max, unsigned long *value)
{
    *value = 0;
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        *value = *value * 10 + (unsigned long)(*text - '0');
        if (*value > max) {
            return false;
        }
    }
    return true;
}

static bool take_line(char *line, reference_t *r)
{
    if (line[0] == '\0' || line[0] == '#') {
        return true;
    }
    char *value = strchr(line, '=');
    if (value == NULL) {
        return false;
    }
    *value++ = '\0';
    unsigned long n;
    if (strcmp(line, "chip") == 0) {
        const otter_chip_facts_t *facts = otter_chip_by_name(value);
        r->has_chip = true;
        r->chip = facts != NULL ? facts->id : 0;
        return facts != NULL;
    }
    if (strcmp(line, "revision") == 0) {
        bool ok = number(value, 65534, &n);
        r->has_revision = true;
        r->revision = (uint16_t)n;
        return ok;
    }
    if (strcmp(line, "blk_revision") == 0) {
        bool ok = number(value, 65535, &n);
        r->blk_revision = (uint16_t)n;
        return ok;
    }
    if (strcmp(line, "secure_version") == 0) {
        bool ok = number(value, 32, &n);
        r->secure_version = (uint32_t)n;
        return ok;
    }
    return true;
}

static reference_t read_reference(fuzz_input_t in)
{
    reference_t r = {.good = true, .chip = OTTER_CHIP_LINUX};
    while (r.good && in.len > 0) {
        fuzz_input_t bytes = fuzz_until(&in, '\n');
        if (bytes.len > 0 && memchr(bytes.bytes, 0, bytes.len) != NULL) {
            r.good = false; /* no text */
            break;
        }
        char *line = fuzz_text(bytes);
        line[strcspn(line, "\r")] = '\0';
        r.good = take_line(line, &r);
        free(line);
    }
    return r;
}

static void check_equal(const efuse_file_t *a, const efuse_file_t *b)
{
    FUZZ_CHECK(a->has_chip == b->has_chip && a->chip.id == b->chip.id, "another chip");
    FUZZ_CHECK(a->has_revision == b->has_revision && a->chip.revision == b->chip.revision,
               "another revision");
    FUZZ_CHECK(a->chip.blk_revision == b->chip.blk_revision, "another block revision");
    FUZZ_CHECK(a->secure_version == b->secure_version, "another secure version");
}

/** Saving keeps what was read, and saving again changes nothing. */
static void check_saving(efuse_file_t *file, const char *flash_path)
{
    static efuse_file_t again;
    char why[300];
    FUZZ_CHECK(efuse_file_save(file) == ESP_OK, "cannot save");
    FUZZ_CHECK(efuse_file_load(&again, flash_path, why, sizeof(why)) == ESP_OK, "what was saved: %s", why);
    check_equal(file, &again);
    char *first = fuzz_read_file(file->path, NULL);
    FUZZ_CHECK(efuse_file_save(&again) == ESP_OK, "cannot save");
    char *second = fuzz_read_file(file->path, NULL);
    FUZZ_CHECK(strcmp(first, second) == 0, "saving again changes the file");
    free(first);
    free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static efuse_file_t file;
    char path[128], why[300];
    snprintf(path, sizeof(path), "%s", fuzz_path("flash.bin.efuse"));
    fuzz_write_file(path, data, size);
    path[strlen(path) - strlen(".efuse")] = '\0';
    esp_err_t err = efuse_file_load(&file, path, why, sizeof(why));
    reference_t want = read_reference((fuzz_input_t){data, size});
    FUZZ_CHECK((err == ESP_OK) == want.good, "0x%x, the reference says %s", err, want.good ? "good" : "bad");
    if (err == ESP_OK) {
        FUZZ_CHECK(file.has_chip == want.has_chip && file.chip.id == want.chip, "chip 0x%x", file.chip.id);
        FUZZ_CHECK(file.has_revision == want.has_revision && file.chip.revision == want.revision, "revision");
        FUZZ_CHECK(file.chip.blk_revision == want.blk_revision, "block revision %u", file.chip.blk_revision);
        FUZZ_CHECK(file.secure_version == want.secure_version, "secure version %u", file.secure_version);
        check_saving(&file, path);
    }
    return 0;
}
