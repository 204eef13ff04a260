/* otter nvs show, get, set, erase, check: the values that firmware keeps in a partition of flash. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cJSON.h>

#include "clean_text.h"
#include "cli.h"
#include "host/named_file.h"
#include "json.h"
#include "kinds.h"
#include "linux/linux_device.h"
#include "nvs_value.h"
#include "otter/bytes.h"
#include "otter/crypto.h"
#include "otter/nvs_store.h"

#define VERB        "nvs"
#define SHOWN_BYTES 24u /* of a blob, in the table */

typedef struct {
    const char *flash, *name_space, *key, *value, *type, *file;
    const char *partition; /* NULL: "nvs", or the file is one */
    const char *keys;      /* a file; NULL: the flash's own, if it has some */
    linux_device_options_t device;
    bool json;
} nvs_options_t;

#define AT(member) offsetof(nvs_options_t, member)

/** An open partition. */
typedef struct {
    linux_device_t dev;
    const esp_partition_t *partition; /* NULL: the whole file */
    otter_nvs_t *store;
    otter_nvs_cipher_t *cipher; /* NULL: not encrypted */
} opened_t;

/* ---- opening ---- */

/** A file without a table that begins as a page does is the partition itself, as generators make it. */
static bool is_partition_itself(const linux_device_t *dev)
{
    uint8_t head[4];
    return dev->device.partitions.status != ESP_OK &&
           otter_flash_read(dev->flash, 0, head, sizeof(head)) == ESP_OK && head[0] >= 0xF8 &&
           head[1] == 0xFF && head[2] == 0xFF && head[3] == 0xFF &&
           !otter_flash_reads_blank(dev->flash, 0, OTTER_NVS_ENTRY_SIZE);
}

static bool find_partition(opened_t *o, const nvs_options_t *options, otter_nvs_place_t *place)
{
    const char *label = options->partition != NULL ? options->partition : NVS_DEFAULT_PART_NAME;
    place->flash = o->dev.flash;
    if (options->partition == NULL && is_partition_itself(&o->dev)) {
        place->size = o->dev.flash->size;
        return true;
    }
    if (o->dev.device.partitions.status != ESP_OK) {
        return cli_refuse(VERB,
                          "%s has no usable partition table at 0x%" PRIx32
                          ", and does not begin as NVS does; "
                          "`otter flash info %s` says more",
                          options->flash, o->dev.device.config.table_offset, options->flash);
    }
    o->partition = otter_partition_list_find(&o->dev.device.partitions, NULL, ESP_PARTITION_TYPE_DATA,
                                             ESP_PARTITION_SUBTYPE_DATA_NVS, label);
    if (o->partition == NULL) {
        return cli_refuse(VERB, "%s has no partition '%s' of type data and subtype nvs", options->flash,
                          label);
    }
    place->offset = o->partition->address;
    place->size = o->partition->size;
    return true;
}

/** The keys, of a file or of the flash's own partition of keys, and their CRC. @return false: there are none that are right */
static bool find_keys(const opened_t *o, const nvs_options_t *options, uint8_t raw[OTTER_NVS_KEYS_CRC])
{
    const esp_partition_t *own = otter_partition_list_find(
        &o->dev.device.partitions, NULL, ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS_KEYS, NULL);
    bool found = false;
    if (options->keys != NULL) {
        size_t len;
        uint8_t *file = cli_read_file(VERB, options->keys, OTTER_NVS_PAGE_SIZE, &len);
        found = file != NULL && len >= OTTER_NVS_KEYS_CRC;
        if (found) {
            memcpy(raw, file, OTTER_NVS_KEYS_CRC);
        }
        if (file != NULL) {
            otter_wipe(file, len);
        }
        free(file);
    } else if (own != NULL) {
        found = otter_flash_read(o->dev.flash, own->address, raw, OTTER_NVS_KEYS_CRC) == ESP_OK;
    }
    return found && otter_nvs_keys_are_whole(raw);
}

/** Opens it plain; or, where it is encrypted, with keys if there are some. */
static esp_err_t open_with_keys(opened_t *o, const nvs_options_t *options, otter_nvs_place_t *place,
                                otter_fault_t *fault)
{
    esp_err_t err =
        options->keys == NULL ? otter_nvs_open(place, &o->store, fault) : ESP_ERR_NVS_WRONG_ENCRYPTION;
    uint8_t raw[OTTER_NVS_KEYS_CRC];
    if (err != ESP_ERR_NVS_WRONG_ENCRYPTION) {
        return err;
    }
    if (!find_keys(o, options, raw)) {
        otter_wipe(raw, sizeof(raw));
        return options->keys != NULL
                   ? otter_fault(fault, err, "%s: no keys of NVS: 64 bytes and their CRC", options->keys)
                   : otter_fault(
                         fault, err,
                         "its values look encrypted, and there are no keys in this flash: --keys FILE");
    }
    o->cipher = otter_nvs_cipher_new(raw);
    otter_wipe(raw, sizeof(raw));
    place->cipher = o->cipher;
    return o->cipher != NULL ? otter_nvs_open(place, &o->store, fault) : ESP_ERR_NO_MEM;
}

static void end_store(opened_t *o)
{
    otter_nvs_close(o->store);
    if (o->cipher != NULL) {
        o->cipher->end(o->cipher);
    }
}

/** Opens what the options name. @param place  filled in but for flash and place. @return false after saying why not */
static bool open_store(opened_t *o, const nvs_options_t *options, otter_nvs_place_t *place)
{
    otter_fault_t fault = {0};
    linux_device_options_t device = options->device;
    device.read_only = place->read_only;
    device.whole = device.allow_no_md5 = true;
    if (linux_device_open(&o->dev, options->flash, &device, &fault) != ESP_OK) {
        return cli_refuse(VERB, "%s: %s", options->flash, fault.why);
    }
    bool found = find_partition(o, options, place);
    esp_err_t err = found ? open_with_keys(o, options, place, &fault) : ESP_FAIL;
    if (err != ESP_OK) {
        end_store(o);
        otter_ignore(linux_device_close(&o->dev)); /* nothing was changed, or that it failed is told */
        return found ? cli_refuse(VERB, "%s: %s", options->flash, otter_fault_text(&fault, err)) : false;
    }
    return true;
}

/** @return false: what was written did not reach the medium, which is said */
static bool close_store(opened_t *o, const nvs_options_t *options)
{
    end_store(o);
    esp_err_t err = linux_device_close(&o->dev);
    return err == ESP_OK || cli_refuse(VERB, "%s: %s", options->flash, esp_err_to_name(err));
}

/* ---- names of namespaces ---- */

/** The number of a namespace; says where it is not there. */
static bool find_namespace(opened_t *o, const nvs_options_t *options, bool create, uint8_t *ns)
{
    esp_err_t err = otter_nvs_namespace(o->store, options->name_space, create, ns);
    return err == ESP_OK ||
           (err == ESP_ERR_NVS_NOT_FOUND
                ? cli_refuse(VERB, "%s has no namespace '%s'; `otter nvs show` lists what is there",
                             options->flash, options->name_space)
                : cli_refuse(VERB, "%s: namespace '%s': %s", options->flash, options->name_space,
                             esp_err_to_name(err)));
}

/** "?" for a number that has no name. */
static void name_of(otter_nvs_t *store, uint8_t ns, char name[NVS_NS_NAME_MAX_SIZE])
{
    otter_nvs_namespace_name(store, ns, name);
    if (name[0] == '\0') {
        snprintf(name, NVS_NS_NAME_MAX_SIZE, "?%u", ns);
    }
}

/* ---- show ---- */

/** The bytes of a value; the caller frees. NULL, and said: it cannot be read. */
static uint8_t *load_value(otter_nvs_t *store, uint8_t ns, const char *key, nvs_type_t type, size_t *size)
{
    *size = 0;
    esp_err_t err = otter_nvs_get(store, ns, key, type, NULL, size);
    uint8_t *bytes = err == ESP_OK ? malloc(*size + 1) : NULL;
    if (bytes != NULL) {
        err = otter_nvs_get(store, ns, key, type, bytes, size);
        bytes[*size] = '\0';
    }
    if (bytes == NULL || err != ESP_OK) {
        free(bytes);
        cli_note(VERB, "key '%s': %s", key,
                 err == ESP_ERR_NVS_NOT_FOUND ? "its bytes are damaged" : esp_err_to_name(err));
        return NULL;
    }
    return bytes;
}

static void print_value(const char *ns, const otter_nvs_item_t *item, const uint8_t *bytes, size_t size)
{
    char text[NVS_VALUE_TEXT_SIZE], clean[CLEAN_TEXT_SIZE(OTTER_NVS_STRING_MAX)];
    char clean_key[CLEAN_TEXT_SIZE(NVS_KEY_NAME_MAX_SIZE)], clean_ns[CLEAN_TEXT_SIZE(NVS_NS_NAME_MAX_SIZE)];
    clean_text(clean_ns, ns, NVS_NS_NAME_MAX_SIZE);
    clean_text(clean_key, item->key, sizeof(item->key));
    printf("%-*s  %-*s  %-4s  ", clean_width(clean_ns, 15), clean_ns, clean_width(clean_key, 15), clean_key,
           nvs_type_name(item->type));
    if (item->type == NVS_TYPE_STR) {
        printf("\"%s\"\n", clean_text(clean, (const char *)bytes, size));
    } else if (item->type == NVS_TYPE_BLOB) {
        printf("%zu bytes:%s%s\n", size,
               nvs_value_hex(bytes, size < SHOWN_BYTES ? size : SHOWN_BYTES, " ", text),
               size > SHOWN_BYTES ? " ..." : "");
    } else {
        printf("%s\n", nvs_integer_text(item->type, bytes, text));
    }
}

static cJSON *value_object(const char *ns, const otter_nvs_item_t *item, const uint8_t *bytes, size_t size)
{
    cJSON *object = cJSON_CreateObject();
    char text[NVS_VALUE_TEXT_SIZE];
    json_text(object, "namespace", ns, NVS_NS_NAME_MAX_SIZE);
    json_text(object, "key", item->key, sizeof(item->key));
    json_string(object, "type", nvs_type_name(item->type));
    json_number(object, "size", true, (double)size);
    if (item->type == NVS_TYPE_STR) {
        json_text(object, "value", (const char *)bytes, size);
    } else if (item->type == NVS_TYPE_BLOB) {
        char *hex = malloc(2 * size + 1);
        json_string(object, "value", hex != NULL ? nvs_value_hex(bytes, size, "", hex) : NULL);
        free(hex);
    } else { /* as a text: 64 bits are more than a number of JSON holds */
        json_string(object, "value", nvs_integer_text(item->type, bytes, text));
    }
    return object;
}

/** Each value, into `values` or onto the terminal. @return how many */
static uint32_t show_values(opened_t *o, cJSON *values)
{
    otter_nvs_walk_t walk = {0};
    otter_nvs_item_t item;
    uint32_t shown = 0;
    while (otter_nvs_next(o->store, &walk, &item) == ESP_OK) {
        char ns[NVS_NS_NAME_MAX_SIZE];
        size_t size;
        uint8_t *bytes =
            item.ns != OTTER_NVS_NAMES ? load_value(o->store, item.ns, item.key, item.type, &size) : NULL;
        if (bytes == NULL) {
            continue;
        }
        name_of(o->store, item.ns, ns);
        if (values != NULL) {
            cJSON_AddItemToArray(values, value_object(ns, &item, bytes, size));
        } else {
            if (shown == 0) {
                printf("%-15s  %-15s  %-4s  value\n", "namespace", "key", "type");
            }
            print_value(ns, &item, bytes, size);
        }
        free(bytes);
        shown++;
    }
    return shown;
}

static int show_store(opened_t *o, const nvs_options_t *options)
{
    nvs_stats_t stats;
    esp_err_t err = otter_nvs_stats(o->store, &stats);
    if (err != ESP_OK) {
        return cli_fail(VERB, "%s: %s", options->flash, esp_err_to_name(err));
    }
    const char *label = o->partition != NULL ? o->partition->label : options->flash;
    if (!options->json) {
        printf("%s: %zu of %zu entries used, %zu namespace%s\n", label, stats.used_entries,
               stats.total_entries, stats.namespace_count, stats.namespace_count == 1 ? "" : "s");
        show_values(o, NULL);
        return EXIT_DONE;
    }
    cJSON *object = cJSON_CreateObject(), *values = cJSON_CreateArray();
    json_string(object, "partition", o->partition != NULL ? o->partition->label : NULL);
    json_number(object, "entries_used", true, (double)stats.used_entries);
    json_number(object, "entries_total", true, (double)stats.total_entries);
    show_values(o, values);
    json_item(object, "values", values);
    return json_print(VERB, object);
}

static int show(void *options)
{
    const nvs_options_t *o = options;
    opened_t opened = {0};
    if (!open_store(&opened, o, &(otter_nvs_place_t){.read_only = true})) {
        return EXIT_FAILED;
    }
    int status = show_store(&opened, o);
    end_store(&opened);
    otter_ignore(linux_device_close(&opened.dev)); /* nothing was written */
    return status;
}

#define FLASH_ROW                                                                                            \
    {                                                                                                        \
        "FLASH", &option_argument, AT(flash), .help = NULL                                                   \
    }
#define PARTITION_ROWS                                                                                       \
    {"partition", &option_text, AT(partition), .help = "its label; default: nvs", .value = "LABEL"},         \
        {"keys", &option_file, AT(keys),                                                                     \
         .help = "of an encrypted one: a partition of keys; default: the first of FLASH"},                   \
        OPTION_TABLE_OFFSET(AT(device)), OPTION_WAIT(AT(device))
#define FLASH_HELP "FLASH is a flash file, or an NVS partition alone as generators make it."

static const option_row_t show_rows[] = {
    FLASH_ROW,
    PARTITION_ROWS,
    {"json", &option_switch, AT(json), .help = "for programs; integers are texts, blobs hexadecimal"},
    {0},
};

#define DEFAULTS (&(const nvs_options_t){.file = "-", .device = {.wait_ms = WAIT_MS}})

const cli_verb_t nvs_show_verb = {
    .name = "nvs show",
    .line = "list all values of a partition",
    .about = "Lists what firmware keeps by nvs_set_*(): namespaces, keys, types, values. " FLASH_HELP
             " Nothing is changed, also where a repair would be due.\n",
    .after = "example: otter nvs show flash.bin\n",
    .options = show_rows,
    .size = sizeof(nvs_options_t),
    .defaults = DEFAULTS,
    .run = show,
};

/* ---- get ---- */

static bool write_value(const nvs_options_t *o, nvs_type_t type, const uint8_t *bytes, size_t size)
{
    char text[NVS_VALUE_TEXT_SIZE];
    if (type == NVS_TYPE_BLOB) {
        return cli_write_file(VERB, o->file, bytes, size);
    }
    if (type == NVS_TYPE_STR) { /* without its end, and with a newline for people */
        size_t len = strnlen((const char *)bytes, size);
        char *line = malloc(len + 1);
        if (line == NULL) {
            return cli_refuse(VERB, "out of memory");
        }
        memcpy(line, bytes, len);
        line[len] = '\n';
        bool ok = cli_write_file(VERB, o->file, line, len + 1);
        free(line);
        return ok;
    }
    size_t len = strlen(nvs_integer_text(type, bytes, text));
    text[len] = '\n';
    return cli_write_file(VERB, o->file, text, len + 1);
}

static bool get_value(opened_t *opened, const nvs_options_t *o)
{
    uint8_t ns;
    nvs_type_t type;
    size_t size;
    if (!find_namespace(opened, o, false, &ns)) {
        return false;
    }
    esp_err_t err = otter_nvs_find(opened->store, ns, o->key, &type);
    if (err != ESP_OK) {
        return cli_refuse(VERB, "namespace '%s' of %s has no key '%s'; `otter nvs show` lists what is there",
                          o->name_space, o->flash, o->key);
    }
    uint8_t *bytes = load_value(opened->store, ns, o->key, type, &size);
    bool ok = bytes != NULL && write_value(o, type, bytes, size);
    free(bytes);
    return ok;
}

static int get(void *options)
{
    const nvs_options_t *o = options;
    opened_t opened = {0};
    if (!open_store(&opened, o, &(otter_nvs_place_t){.read_only = true})) {
        return EXIT_FAILED;
    }
    bool ok = get_value(&opened, o);
    end_store(&opened);
    otter_ignore(linux_device_close(&opened.dev)); /* nothing was written */
    return ok ? EXIT_DONE : EXIT_FAILED;
}

static const option_row_t get_rows[] = {
    FLASH_ROW,
    {"NAMESPACE", &option_argument, AT(name_space), .help = NULL},
    {"KEY", &option_argument, AT(key), .help = NULL},
    {"FILE", &option_argument_if_any, AT(file), .help = NULL},
    PARTITION_ROWS,
    {0},
};

const cli_verb_t nvs_get_verb = {
    .name = "nvs get",
    .line = "print one value",
    .about =
        "Prints the value of a key: integers and texts as a line, blobs as their bytes; into FILE, or to "
        "standard output. " FLASH_HELP "\n",
    .after = "example: otter nvs get flash.bin wifi ssid\n",
    .options = get_rows,
    .size = sizeof(nvs_options_t),
    .defaults = DEFAULTS,
    .run = get,
};

/* ---- set ---- */

/** The type that was asked for, or the one that the key has. Says why there is none. */
static bool choose_type(opened_t *opened, const nvs_options_t *o, uint8_t ns, nvs_type_t *type)
{
    if (o->type != NULL) {
        return nvs_type_parse(o->type, type) ||
               cli_refuse(VERB, "--type is one of " NVS_TYPE_NAMES ", not '%s'", o->type);
    }
    esp_err_t err = otter_nvs_find(opened->store, ns, o->key, type);
    return err == ESP_OK ||
           cli_refuse(VERB,
                      err == ESP_ERR_NVS_NOT_FOUND ? "key '%s' is new: --type says which of " NVS_TYPE_NAMES
                                                     " it is to be"
                                                   : "'%s' is not a key: 1 to 15 characters",
                      o->key);
}

/** What was typed, as bytes of that type; @FILE: the file's. The caller frees. NULL, and said: it is none. */
static uint8_t *take_value(const nvs_options_t *o, nvs_type_t type, size_t *size)
{
    if (o->value[0] == '@' && (type == NVS_TYPE_BLOB || type == NVS_TYPE_STR)) {
        uint8_t *bytes = cli_read_file(VERB, o->value + 1, OTTER_NVS_BLOB_MAX, size);
        *size += type == NVS_TYPE_STR ? 1 : 0; /* the end that is behind it */
        return bytes;
    }
    uint8_t *bytes = malloc(strlen(o->value) + 9);
    if (bytes == NULL || !nvs_value_parse(type, o->value, bytes, size)) {
        cli_note(VERB, bytes == NULL ? "out of memory" : "'%s' is no %s", o->value, nvs_type_wants(type));
        free(bytes);
        return NULL;
    }
    return bytes;
}

static bool set_value(opened_t *opened, const nvs_options_t *o)
{
    uint8_t ns;
    nvs_type_t type;
    size_t size;
    if (!find_namespace(opened, o, true, &ns) || !choose_type(opened, o, ns, &type)) {
        return false;
    }
    uint8_t *bytes = take_value(o, type, &size);
    if (bytes == NULL) {
        return false;
    }
    esp_err_t err = otter_nvs_set(opened->store, ns, o->key, &(otter_nvs_value_t){type, bytes, size});
    free(bytes);
    if (err == ESP_OK) {
        err = otter_nvs_commit(opened->store);
    }
    if (err != ESP_OK) {
        return cli_refuse(VERB, "%s: key '%s': %s", o->flash, o->key, nvs_error_text(err));
    }
    cli_did("%s: %s.%s is set (%s)", o->flash, o->name_space, o->key, nvs_type_name(type));
    return true;
}

static int set(void *options)
{
    const nvs_options_t *o = options;
    opened_t opened = {0};
    if (!open_store(&opened, o, &(otter_nvs_place_t){0})) {
        return EXIT_FAILED;
    }
    bool ok = set_value(&opened, o);
    return close_store(&opened, o) && ok ? EXIT_DONE : EXIT_FAILED;
}

static const option_row_t set_rows[] = {
    FLASH_ROW,
    {"NAMESPACE", &option_argument, AT(name_space), .help = NULL},
    {"KEY", &option_argument, AT(key), .help = NULL},
    {"VALUE", &option_argument, AT(value), .help = NULL},
    {"type", &option_text, AT(type), .help = NVS_TYPE_NAMES "; default: as it is", .value = "TYPE"},
    PARTITION_ROWS,
    {0},
};

const cli_verb_t nvs_set_verb = {
    .name = "nvs set",
    .line = "set one value",
    .about =
        "Sets the value of a key, as firmware does by nvs_set_*(); a namespace that is not there is made. "
        "VALUE is a "
        "number, a text, or a blob in hexadecimal; @FILE stands for a file's bytes. " FLASH_HELP "\n",
    .after = "example: otter nvs set flash.bin wifi ssid home --type str\n"
             "         otter nvs set flash.bin app cert @device.der --type blob\n",
    .options = set_rows,
    .size = sizeof(nvs_options_t),
    .defaults = DEFAULTS,
    .run = set,
};

/* ---- erase ---- */

static bool erase_value(opened_t *opened, const nvs_options_t *o)
{
    uint8_t ns;
    if (!find_namespace(opened, o, false, &ns)) {
        return false;
    }
    esp_err_t err = o->key != NULL ? otter_nvs_erase(opened->store, ns, o->key)
                                   : otter_nvs_erase_namespace(opened->store, ns);
    if (err == ESP_OK) {
        err = otter_nvs_commit(opened->store);
    }
    if (err != ESP_OK) {
        return cli_refuse(VERB, "%s: %s.%s: %s", o->flash, o->name_space, o->key != NULL ? o->key : "*",
                          nvs_error_text(err));
    }
    cli_did("%s: %s.%s is erased", o->flash, o->name_space, o->key != NULL ? o->key : "*");
    return true;
}

static int erase(void *options)
{
    const nvs_options_t *o = options;
    opened_t opened = {0};
    if (!open_store(&opened, o, &(otter_nvs_place_t){0})) {
        return EXIT_FAILED;
    }
    bool ok = erase_value(&opened, o);
    return close_store(&opened, o) && ok ? EXIT_DONE : EXIT_FAILED;
}

static const option_row_t erase_rows[] = {
    FLASH_ROW,
    {"NAMESPACE", &option_argument, AT(name_space), .help = NULL},
    {"KEY", &option_argument_if_any, AT(key), .help = NULL},
    PARTITION_ROWS,
    {0},
};

const cli_verb_t nvs_erase_verb = {
    .name = "nvs erase",
    .line = "erase one value, or all of a namespace",
    .about = "Erases a key, or all keys of a namespace. " FLASH_HELP
             "`otter flash erase FLASH nvs` erases the whole partition.\n",
    .after = "example: otter nvs erase flash.bin wifi\n",
    .options = erase_rows,
    .size = sizeof(nvs_options_t),
    .defaults = DEFAULTS,
    .run = erase,
};

/* ---- check ---- */

static void tell(void *arg, const char *line)
{
    uint32_t *lines = arg;
    char clean[CLEAN_TEXT_SIZE(OTTER_WHY_MAX)];
    printf("%s\n", clean_text(clean, line, strlen(line)));
    ++*lines;
}

static int check(void *options)
{
    const nvs_options_t *o = options;
    opened_t opened = {0};
    uint32_t repaired = 0, shown = 0, damaged = 0;
    if (!open_store(&opened, o, &(otter_nvs_place_t){.read_only = true, .tell = tell, .arg = &repaired})) {
        return EXIT_FAILED;
    }
    esp_err_t err = otter_nvs_check(opened.store, tell, &shown, &damaged);
    end_store(&opened);
    otter_ignore(linux_device_close(&opened.dev)); /* nothing was written */
    if (err != ESP_OK) {
        return cli_fail(VERB, "%s: %s", o->flash, esp_err_to_name(err));
    }
    if (damaged > 0) {
        return cli_fail(VERB, "%s: %" PRIu32 " values are damaged; `otter nvs set` or `erase` mends them",
                        o->flash, damaged);
    }
    cli_did(repaired > 0 ? "%s: whole; what is half done will be put right when firmware next opens it"
                         : "%s: whole",
            o->flash);
    return EXIT_DONE;
}

static const option_row_t check_rows[] = {
    FLASH_ROW,
    PARTITION_ROWS,
    {0},
};

const cli_verb_t nvs_check_verb = {
    .name = "nvs check",
    .line = "read all of a partition and tell what is not right",
    .about = "Reads every page and every value to its last byte. What a reset has left half done is told and "
             "no fault, since "
             "firmware puts it right when it opens the partition; damaged values are. " FLASH_HELP "\n",
    .after = "example: otter nvs check flash.bin && echo whole\n",
    .options = check_rows,
    .size = sizeof(nvs_options_t),
    .defaults = DEFAULTS,
    .run = check,
};
