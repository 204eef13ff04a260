/*
 * esp_https_ota: an image on its way from an HTTPS source (https_source.c) through the gate into an update session.
 *
 * The handle's states, and what moves between them:
 *   BEGIN        https_ota_begin succeeded            -> IN_PROGRESS (esp_https_ota_perform, first call)
 *   IN_PROGRESS  bytes arrive and are written         -> SUCCESS     (esp_https_ota_perform, everything delivered)
 *   SUCCESS      everything is written, nothing is judged yet
 * A failed perform leaves the state as it is, but for what is refused at the gate (IN_PROGRESS without a session); finish
 * and abort free the handle from any state.
 */
#include "ota/https_ota.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/le.h"
#include "base/text.h"
#include "boot/copy_journal.h"
#include "esp_log.h"
#include "flash/external_partitions.h"
#include "flash/partition_list.h"
#include "http/client.h"
#include "image/image.h"
#include "image/misfit.h"
#include "ota/https_source.h"
#include "ota/report_memory.h"
#include "ota/resume_record.h"
#include "ota/slot_io.h"
#include "ota/switch.h"
#include "ota/update.h"
#include "otter/system.h"

#define BUFFER_MIN     1024u /* as ESP-IDF 5: header, descriptor and some */
#define REDIRECTS_MAX  10    /* where http_config says 0 */
#define REQUEST_SIZE   65536 /* of partial download, where max_http_request_size is 0 */
#define RETRY_ATTEMPTS 6     /* defaults that suit a bad mobile link: about a minute without a byte ... */
#define RETRY_DELAY_MS 1000
#define RETRY_TIME_MS  3600000 /* ... and an hour for everything */

static const char TAG[] = "esp_https_ota";

typedef enum { STATE_BEGIN, STATE_IN_PROGRESS, STATE_SUCCESS } ota_state_t;

/** What any task may ask for while another one performs: written by show_progress(), under OTTER_LOCK_SYSTEM. */
typedef struct {
    int len_read, image_size, status; /* -1: not known */
    bool complete;
} progress_t;

typedef struct {
    otter_device_t *device;
    esp_http_client_handle_t client;
    https_source_t source;
    ota_state_t state;
    const esp_partition_t *staging, *final; /* rows of the table, or these: */
    esp_partition_t registered, meant;      /* the application's, which may be gone before the update is */
    bool finalize_with_copy, bulk_erase;

    bool resumption, resumed; /* asked for; and granted: the image goes on where an earlier update stopped */
    /* where, by the application's count alone; the end shows if it is the same image. 0: not so */
    uint32_t wished;
    resume_record_t record;

    struct {
        decrypt_cb_t cb; /* NULL: the body is the image */
        void *ctx;
        uint16_t header_size;
        uint8_t *in;            /* body bytes, of buffer_size */
        char *out;              /* what the callback gave out last, however much; NULL: all of it was taken */
        size_t out_len, out_at; /* and how much of that is taken */
        bool failed; /* for good: what it has given out may be forged, however much of it is an image */
    } decrypt;

    esp_ota_handle_t update; /* 0: no session is open */
    uint64_t written;        /* bytes of the image in flash */

    uint8_t *buffer;
    size_t buffer_size, buffered; /* image bytes read and not written yet */
    bool write_failed;            /* they are to be written again before anything more is read */

    progress_t shown;
} https_ota_t;

static void post(const otter_device_t *device, esp_https_ota_event_t id, const void *data, size_t size)
{
    if (device->on_https_ota_event != NULL) {
        device->on_https_ota_event((int32_t)id, data, size);
    }
}

#define fail(device, ...) https_report_failure(&(device)->report, __VA_ARGS__)

/* ---- begin: configuration ---- */

static esp_err_t check_config(otter_device_t *device, const esp_http_client_config_t *http)
{
    if (http->is_async) {
        return fail(device, OTTER_STAGE_CONFIG, ESP_ERR_INVALID_ARG,
                    "is_async cannot be used: this API blocks");
    }
    bool trusts = http->cert_pem != NULL || http->use_global_ca_store || http->crt_bundle_attach != NULL;
    if (!trusts && device->config.allow_http) {
        ESP_LOGW(TAG, "Continuing with insecure option because plain HTTP is allowed");
    } else if (!trusts) {
        return fail(device, OTTER_STAGE_CONFIG, ESP_ERR_INVALID_ARG,
                    "No option for server verification is enabled: give a CA certificate (cert_pem)");
    }
    return ESP_OK;
}

static esp_err_t make_client(https_ota_t *ota, const esp_https_ota_config_t *config)
{
    ota->client = esp_http_client_init(config->http_config);
    if (ota->client == NULL) {
        return fail(ota->device, OTTER_STAGE_CONFIG, ESP_FAIL,
                    "Failed to initialise HTTP client: the URL is unusable");
    }
    if (!ota->device->config.allow_http) {
        http_client_require_https(ota->client);
    }
    if (config->http_client_init_cb != NULL) {
        esp_err_t err = config->http_client_init_cb(ota->client);
        if (err != ESP_OK) {
            return fail(ota->device, OTTER_STAGE_CONFIG, err, "http_client_init_cb returned 0x%x",
                        (unsigned)err);
        }
    }
    return ESP_OK;
}

/* ---- begin ---- */

/** The record of a partition that was given; *own keeps what the application has registered. NULL: there is none. */
static const esp_partition_t *find_given(const https_ota_t *ota, const esp_partition_t *given,
                                         esp_partition_t *own)
{
    const esp_partition_t *found = ota_find_partition(ota->device, given);
    if (found == NULL || !external_partitions_contain(ota->device, found)) {
        return found;
    }
    *own = *found;
    return own;
}

static esp_err_t choose_partitions(https_ota_t *ota, const esp_https_ota_config_t *config)
{
    const esp_partition_t *staging = config->partition.staging;
    const esp_partition_t *final = config->partition.final;
    ota->staging = staging != NULL ? find_given(ota, staging, &ota->registered)
                                   : ota_get_next_update_partition(ota->device, NULL);
    if (ota->staging == NULL && staging != NULL) {
        return fail(
            ota->device, OTTER_STAGE_CONFIG, ESP_FAIL,
            "Given staging partition or another suitable Passive OTA partition could not be found: %.16s is "
            "not in the table",
            staging->label);
    }
    if (ota->staging == NULL) {
        return fail(ota->device, OTTER_STAGE_CONFIG, ESP_FAIL,
                    "Passive OTA partition not found: the table has no app slot that may be written");
    }
    ota->final = final != NULL ? find_given(ota, final, &ota->meant) : ota->staging;
    if (ota->final == NULL) {
        return fail(ota->device, OTTER_STAGE_CONFIG, ESP_FAIL,
                    "Given final partition not found: %.16s is not in the table", final->label);
    }
    if (ota->final == &ota->meant && partition_is_at_place_of(&ota->meant, ota->staging)) {
        ota->final = ota->staging;
    }
    ota->finalize_with_copy = config->partition.finalize_with_copy;
    snprintf(ota->device->report.slot, sizeof(ota->device->report.slot), "%s", ota->staging->label);
    return ESP_OK;
}

/** Bytes of the image as far as the server told, -1: it did not. What a callback makes of them may be more, or less. */
static int64_t image_size(const https_ota_t *ota)
{
    int64_t total = ota->source.total;
    return total >= ota->decrypt.header_size ? total - ota->decrypt.header_size : total;
}

/** The source asks whether bytes that come again are those it delivered before: in flash, or still in the buffer. */
static bool bytes_are_known(void *ctx, uint64_t off, const uint8_t *data, size_t len)
{
    https_ota_t *ota = ctx;
    uint8_t piece[512];
    while (len > 0 && ota->decrypt.cb == NULL) {
        size_t n = len < sizeof(piece) ? len : sizeof(piece);
        if (off < ota->written) {
            n = n < ota->written - off ? n : (size_t)(ota->written - off);
            if (ota_read_range(ota->staging->flash_chip, ota->staging, (uint32_t)off, piece, (uint32_t)n) !=
                    ESP_OK ||
                memcmp(piece, data, n) != 0) {
                return false;
            }
        } else if (off - ota->written > ota->buffered || n > ota->buffered - (size_t)(off - ota->written) ||
                   memcmp(ota->buffer + (off - ota->written), data, n) != 0) {
            return false;
        }
        off += n;
        data += n;
        len -= n;
    }
    return len == 0;
}

static bool holds_image(const esp_partition_t *partition)
{
    // A session that began has its partition: NOLINTNEXTLINE(clang-analyzer-core.NullDereference)
    return partition->type == ESP_PARTITION_TYPE_APP || partition->type == ESP_PARTITION_TYPE_BOOTLOADER;
}

/** The source asks whether the image ends where the connection was lost: by what the session has read of it in flash. */
static bool image_is_whole(void *ctx, uint64_t pos)
{
    https_ota_t *ota = ctx;
    if (ota->update == 0 || ota->buffered > 0 || ota->written != pos) {
        return false;
    }
    otter_lock(OTTER_LOCK_UPDATES);
    uint32_t len = ota_image_len(ota->device, ota->update);
    otter_unlock(OTTER_LOCK_UPDATES);
    return len == pos;
}

static bool may_wait(void *ctx, uint32_t left_ms)
{
    const otter_device_t *device = ((const https_ota_t *)ctx)->device;
    return device->on_https_ota_wait == NULL || device->on_https_ota_wait(left_ms);
}

static void free_handle(https_ota_t *ota)
{
    if (ota->client != NULL) {
        esp_http_client_cleanup(ota->client);
    }
    https_source_close(&ota->source);
    free(ota->decrypt.in);
    free(ota->decrypt.out);
    free(ota->buffer);
    free(ota);
}

static esp_err_t allocate_buffers(https_ota_t *ota, const esp_https_ota_config_t *config)
{
    size_t asked = config->http_config->buffer_size > 0 ? (size_t)config->http_config->buffer_size : 0;
    ota->buffer_size = asked > BUFFER_MIN ? asked : BUFFER_MIN;
    ota->buffer = malloc(ota->buffer_size);
    ota->decrypt.in = ota->decrypt.cb != NULL ? malloc(ota->buffer_size) : NULL;
    if (ota->buffer == NULL || (ota->decrypt.cb != NULL && ota->decrypt.in == NULL)) {
        return fail(ota->device, OTTER_STAGE_CONFIG, ESP_ERR_NO_MEM,
                    "Couldn't allocate memory to upgrade data buffer");
    }
    return ESP_OK;
}

static int or_default(int value, int otherwise)
{
    return value == 0 ? otherwise : value < 0 ? 0 : value;
}

static esp_err_t prepare_source(https_ota_t *ota, const esp_https_ota_config_t *config)
{
    const esp_http_client_config_t *http = config->http_config;
    ota->source = (https_source_t){
        .client = ota->client,
        .report = &ota->device->report,
        .retry = {.attempts = or_default(config->retry.attempts, RETRY_ATTEMPTS),
                  .delay_ms = or_default(config->retry.delay_ms, RETRY_DELAY_MS),
                  .max_time_ms = or_default(config->retry.max_time_ms, RETRY_TIME_MS),
                  .first = config->retry.attempts > 0},
        .redirects_max = http->max_redirection_count > 0 ? http->max_redirection_count : REDIRECTS_MAX,
        .checked = holds_image(ota->final) && ota->decrypt.cb == NULL,
        .decoded = ota->decrypt.cb != NULL,
        .known = bytes_are_known,
        .whole = image_is_whole,
        .may_wait = may_wait,
        .ctx = ota,
    };
    if (config->partial_http_download) {
        ota->source.request_max =
            config->max_http_request_size > 0 ? (uint32_t)config->max_http_request_size : REQUEST_SIZE;
    }
    esp_err_t err = http_home_keep(ota->client, &ota->source.home);
    return err == ESP_OK ? ESP_OK : fail(ota->device, OTTER_STAGE_CONFIG, err, "out of memory");
}

/** Progress is kept where it can be gone on with (esp_ota_resume), and where a byte of the file is one of the image. */
static bool can_remember(const https_ota_t *ota)
{
    return ota_is_slot(ota->staging) && ota->decrypt.cb == NULL;
}

/**
 * Where an application wants to go on by its own count, 0: not at all. Nothing proves it, so it is done only where the check at
 * the end covers every byte: of an application image with a SHA-256, whose head is looked at before. From whole sectors on,
 * so that nothing is programmed over what may be there.
 */
static uint32_t wished_offset(const https_ota_t *ota, size_t count)
{
    uint8_t head[IMAGE_HEADER_SIZE];
    char why[96];
    if (count < BUFFER_MIN || count > ota->staging->size || ota->final->type != ESP_PARTITION_TYPE_APP ||
        ota_read_range(ota->staging->flash_chip, ota->staging, 0, head, sizeof(head)) != ESP_OK ||
        image_check_header(head, &ota->device->chip, false, why, sizeof(why)) != ESP_OK ||
        head[offsetof(esp_image_header_t, hash_appended)] == 0) {
        return 0;
    }
    return align_down_u32((uint32_t)count, ota->device->flash->erase_size);
}

/** What an earlier update left in the slot, if this one may go on from there; `count` is what the application knows of it. */
static esp_err_t find_progress(https_ota_t *ota, size_t count, uint32_t *from)
{
    char validator[RESUME_VALIDATOR_SIZE] = "";
    *from = 0;
    if (!ota->resumption || !can_remember(ota)) {
        return ESP_OK;
    }
    *from = resume_record_load(&ota->record, ota->device, ota->staging, ota->source.home.url, validator);
    ota->source.total = *from > 0 ? (int64_t)ota->record.length : -1;
    if (*from == 0) {
        /* of a URL that was signed anew, or with marks that are gone: its validator is as good */
        resume_record_t other;
        *from = ota->wished = wished_offset(ota, count);
        ota->source.unproved = ota->wished > 0;
        (void)resume_record_load(&other, ota->device, ota->staging, NULL, validator);
    }
    bool known = *from > 0 && validator[0] != '\0';
    ota->source.validator = known ? text_copy(validator) : NULL;
    if (known && ota->source.validator == NULL) {
        return fail(ota->device, OTTER_STAGE_CONFIG, ESP_ERR_NO_MEM, "out of memory");
    }
    return ESP_OK;
}

/** The steps of begin that can fail once the handle is allocated. */
static esp_err_t open_update(https_ota_t *ota, const esp_https_ota_config_t *config)
{
    esp_err_t err = allocate_buffers(ota, config);
    if (err == ESP_OK) {
        err = make_client(ota, config);
    }
    if (err == ESP_OK) {
        err = choose_partitions(ota, config);
    }
    if (err == ESP_OK) {
        err = prepare_source(ota, config);
    }
    if (err != ESP_OK) {
        return err;
    }
    uint32_t from = 0;
    err = find_progress(ota, config->ota_image_bytes_written, &from);
    if (err == ESP_OK) {
        err = https_source_open(&ota->source, from);
    }
    if (err != ESP_OK) {
        return err;
    }
    post(ota->device, ESP_HTTPS_OTA_CONNECTED, NULL, 0);
    ESP_LOGI(TAG, "Starting OTA...");
    ESP_LOGI(TAG, "Writing to <%s> partition at offset 0x%" PRIx32, ota->staging->label,
             ota->staging->address);
    ota->device->report.image_size = image_size(ota);
    ota->resumed = ota->source.pos > 0;
    ota->wished = ota->resumed ? ota->wished : 0;
    ota->written = ota->source.pos;
    if (ota->resumed) {
        ota->device->report.bytes_resumed = ota->source.pos;
        ESP_LOGI(TAG, "going on at byte %" PRIu64 " of %" PRId64, ota->source.pos, ota->source.total);
    }
    return ESP_OK;
}

static esp_err_t check_arguments(otter_device_t *device, const esp_https_ota_config_t *config)
{
    esp_err_t err = check_config(device, config->http_config);
    if (err == ESP_OK && config->decrypt_cb != NULL && config->ota_resumption) {
        err = fail(device, OTTER_STAGE_CONFIG, ESP_ERR_NOT_SUPPORTED, "an encrypted image cannot be resumed");
    }
    return err;
}

/** What the queries answer from now on. */
static void show_progress(https_ota_t *ota)
{
    const progress_t now = {.len_read = ota->state == STATE_BEGIN ? -1 : (int)ota->written,
                            .image_size = (int)image_size(ota),
                            .status = esp_http_client_get_status_code(ota->client),
                            .complete = https_source_is_complete(&ota->source)};
    otter_lock(OTTER_LOCK_SYSTEM);
    ota->shown = now;
    otter_unlock(OTTER_LOCK_SYSTEM);
}

static esp_err_t begin(otter_device_t *device, const esp_https_ota_config_t *config,
                       esp_https_ota_handle_t *handle)
{
    memset(&device->report, 0, sizeof(device->report));
    device->report_begun = true;
    device->report.image_size = -1;
    post(device, ESP_HTTPS_OTA_START, NULL, 0);
    if (handle != NULL) {
        *handle = NULL;
    }
    if (handle == NULL || config == NULL || config->http_config == NULL) {
        return fail(device, OTTER_STAGE_CONFIG, ESP_ERR_INVALID_ARG, "esp_https_ota_begin: Invalid argument");
    }
    esp_err_t err = check_arguments(device, config);
    if (err != ESP_OK) {
        return err;
    }
    https_ota_t *ota = calloc(1, sizeof(*ota));
    if (ota == NULL) {
        return fail(device, OTTER_STAGE_CONFIG, ESP_ERR_NO_MEM, "Couldn't allocate memory to upgrade handle");
    }
    ota->device = device;
    ota->bulk_erase = config->bulk_flash_erase;
    ota->resumption = config->ota_resumption;
    ota->decrypt.cb = config->decrypt_cb;
    ota->decrypt.ctx = config->decrypt_user_ctx;
    ota->decrypt.header_size = config->decrypt_cb != NULL ? config->enc_img_header_size : 0;
    err = open_update(ota, config);
    if (err != ESP_OK) {
        free_handle(ota);
        return err;
    }
    show_progress(ota);
    *handle = ota;
    return ESP_OK;
}

esp_err_t https_ota_begin(otter_device_t *device, const esp_https_ota_config_t *config,
                          esp_https_ota_handle_t *handle)
{
    esp_err_t err = begin(device, config, handle);
    report_memory_keep(device); /* a watchdog may end what follows: then this is what is known */
    return err;
}

/* ---- perform: reading ---- */

/** The callback turns `len` body bytes into any number of image bytes, which are the library's once it has succeeded. */
static esp_err_t call_decrypt(https_ota_t *ota, size_t len)
{
    post(ota->device, ESP_HTTPS_OTA_DECRYPT_CB, NULL, 0);
    decrypt_cb_arg_t args = {.data_in = (const char *)ota->decrypt.in, .data_in_len = len};
    esp_err_t err = ota->decrypt.cb(&args, ota->decrypt.ctx);
    if (err != ESP_OK && err != ESP_ERR_NOT_FINISHED) {
        ota->decrypt.failed = true;
        return fail(ota->device, OTTER_STAGE_DOWNLOAD, ESP_FAIL, "the decrypt callback failed: %s",
                    esp_err_to_name(err));
    }
    if (args.data_out_len > 0 && args.data_out == NULL) {
        return fail(ota->device, OTTER_STAGE_DOWNLOAD, ESP_FAIL,
                    "the decrypt callback gave out a length without bytes");
    }
    if (args.data_out_len > 0) {
        ota->decrypt.out = args.data_out;
        ota->decrypt.out_len = args.data_out_len;
        ota->decrypt.out_at = 0;
    }
    return ESP_OK;
}

/** Image bytes that the callback gave out, up to `room` of them. @return how many */
static size_t take_decrypted(https_ota_t *ota, uint8_t *to, size_t room)
{
    size_t left = ota->decrypt.out_len - ota->decrypt.out_at, n = left < room ? left : room;
    if (n > 0) {
        memcpy(to, ota->decrypt.out + ota->decrypt.out_at, n);
        ota->decrypt.out_at += n;
    }
    if (n == left) {
        free(ota->decrypt.out);
        ota->decrypt.out = NULL;
        ota->decrypt.out_len = ota->decrypt.out_at = 0;
    }
    return n;
}

/** The stage between body and image: as https_source_read(), but of what the callback makes of the body. */
static esp_err_t read_decrypted(https_ota_t *ota, uint8_t *to, size_t room, size_t *got)
{
    if (ota->decrypt.out == NULL) {
        size_t len = 0;
        esp_err_t err = https_source_read(&ota->source, ota->decrypt.in, ota->buffer_size, &len);
        if (err == ESP_OK) {
            err = call_decrypt(ota, len);
        }
        if (err != ESP_OK) {
            return err;
        }
    }
    *got = take_decrypted(ota, to, room);
    return *got > 0 ? ESP_OK : ESP_ERR_NOT_FINISHED;
}

/**
 * One read into the buffer, up to `upto` bytes in it, which are more than there are.
 * @return ESP_OK (bytes came), ESP_ERR_NOT_FINISHED (none yet: call again), ESP_ERR_NOT_FOUND (that was all), or how it
 *         failed
 */
static esp_err_t read_more(https_ota_t *ota, size_t upto)
{
    if (ota->decrypt.failed) {
        return ESP_FAIL;
    }
    uint8_t *to = ota->buffer + ota->buffered;
    size_t room = upto - ota->buffered, got = 0;
    esp_err_t err = ota->decrypt.cb == NULL ? https_source_read(&ota->source, to, room, &got)
                                            : read_decrypted(ota, to, room, &got);
    ota->buffered += got;
    return err;
}

/** Makes sure that the image's header block, at least so many bytes, is in the buffer; nothing has been written then. */
static esp_err_t read_header_block(https_ota_t *ota, uint32_t least)
{
    while (ota->buffered < BUFFER_MIN) {
        esp_err_t err = read_more(ota, BUFFER_MIN);
        if (err == ESP_ERR_NOT_FOUND) {
            break; /* a small image; whether it is enough is seen below */
        }
        if (err != ESP_OK && err != ESP_ERR_NOT_FINISHED) {
            return err;
        }
        if (err == ESP_ERR_NOT_FINISHED && !may_wait(ota, 0)) {
            return fail(ota->device, OTTER_STAGE_GATE, ESP_FAIL,
                        "given up while waiting for the first bytes");
        }
    }
    if (ota->buffered < least) {
        return fail(ota->device, OTTER_STAGE_GATE, ESP_FAIL,
                    "the server sent %zu bytes, less than the header of an image (%" PRIu32 ")",
                    ota->buffered, least);
    }
    return ESP_OK;
}

/* ---- perform: writing ---- */

/** Where the image goes, and where it is copied to afterwards. Nothing is known of what a callback will make of it. */
static esp_err_t check_size(https_ota_t *ota)
{
    const bool copied = ota->finalize_with_copy && ota->final != ota->staging;
    const uint32_t journal = copied ? copy_journal_size(ota->device->flash) : 0;
    const struct {
        const esp_partition_t *partition;
        uint32_t kept;
    } places[] = {{ota->staging, journal}, {copied ? ota->final : ota->staging, 0}};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && ota->decrypt.cb == NULL; i++) {
        uint32_t size = places[i].partition->size, room = size - min_u32(size, places[i].kept);
        if (image_size(ota) > (int64_t)room) {
            return fail(ota->device, OTTER_STAGE_GATE, ESP_ERR_INVALID_SIZE,
                        "the image has %" PRId64 " bytes, partition %s only %" PRIu32 "%s", image_size(ota),
                        places[i].partition->label, room,
                        places[i].kept > 0 ? ", less the sector that the copy needs" : "");
        }
    }
    return ESP_OK;
}

/** Says as ESP-IDF does which of chip and revision does not suit. */
static void log_misfit(const https_ota_t *ota, esp_chip_id_t chip, bool bootloader)
{
    const otter_chip_t *ours = &ota->device->chip;
    if (chip != ours->id) {
        ESP_LOGE(TAG, "Mismatch chip id, expected %u, found %u", (unsigned)ours->id, (unsigned)chip);
    } else {
        esp_image_header_t header;
        image_decode_header(ota->buffer, &header);
        image_log_misfit(&header, ours, bootloader);
    }
}

/** Kind of file, chip, revision, and whatever else the header block tells. */
static esp_err_t check_head(https_ota_t *ota)
{
    otter_device_t *device = ota->device;
    esp_chip_id_t chip = (esp_chip_id_t)le16_get(ota->buffer + offsetof(esp_image_header_t, chip_id));
    uint16_t min_revision = le16_get(ota->buffer + offsetof(esp_image_header_t, min_chip_rev_full));
    post(device, ESP_HTTPS_OTA_VERIFY_CHIP_ID, &chip, sizeof(chip));
    post(device, ESP_HTTPS_OTA_VERIFY_CHIP_REVISION, &min_revision, sizeof(min_revision));
    char why[IMAGE_WHY_SIZE] = "";
    bool app = ota->final->type == ESP_PARTITION_TYPE_APP;
    esp_err_t err = image_check_header(ota->buffer, &device->chip, !app, why, sizeof(why));
    if (err == ESP_ERR_INVALID_VERSION) {
        log_misfit(ota, chip, !app);
    } else if (err == ESP_OK) {
        const image_rules_t rules = {.chip = &device->chip,
                                     .flash_offset = ota->staging->address,
                                     .size = ota->staging->size,
                                     .loading = app,
                                     .hashed = app && device->config.require_hash,
                                     .bootloader = !app};
        err = image_check_head(ota->buffer, min_u32((uint32_t)ota->buffered, IMAGE_GATE_SIZE), &rules, why,
                               sizeof(why));
    }
    return err == ESP_OK ? ESP_OK : fail(device, OTTER_STAGE_GATE, err, "%s", why);
}

/** All that can be refused before anything is erased: kind of file, chip, revision, size. */
static esp_err_t pass_gate(https_ota_t *ota, bool gated)
{
    /* What it is comes first: a factory file is large because it is none of this partition's. */
    esp_err_t err = gated ? check_head(ota) : ESP_OK;
    return err == ESP_OK ? check_size(ota) : err;
}

/** Begins the session and what goes with it: all or nothing. */
static esp_err_t begin_session(https_ota_t *ota)
{
    otter_device_t *device = ota->device;
    size_t erase = OTA_WITH_SEQUENTIAL_WRITES;
    if (ota->bulk_erase && !ota->resumed) {
        bool known = ota->decrypt.cb == NULL && image_size(ota) > 0;
        erase = known ? (size_t)image_size(ota) : OTA_SIZE_UNKNOWN;
    }
    esp_err_t err =
        !ota->resumed ? ota_begin(device, ota->staging, erase, &ota->update)
        : ota->wished ? ota_resume(device, ota->staging, erase, (size_t)ota->written, &ota->update)
                      : ota_resume_recorded(device, ota->staging, erase, (size_t)ota->written, &ota->update);
    if (err != ESP_OK) {
        return fail(device, OTTER_STAGE_DOWNLOAD, err, "esp_ota_begin failed (%s)", esp_err_to_name(err));
    }
    if (ota->final != ota->staging) {
        err = ota_set_final_partition(device, ota->update, ota->final, ota->finalize_with_copy);
    }
    if (err != ESP_OK) {
        (void)ota_abort(device, ota->update); /* is open: cannot fail */
        ota->update = 0;
        return fail(device, OTTER_STAGE_DOWNLOAD, err, "preparing %s failed (%s)", ota->staging->label,
                    esp_err_to_name(err));
    }
    /* Asked for or not: whoever is interrupted may want to go on. A download whose beginning is unproved has nothing to keep. */
    if (can_remember(ota) && !ota->resumed &&
        resume_record_start(&ota->record, device, ota->staging, ota->source.home.url, ota->source.validator,
                            ota->source.total) != ESP_OK) {
        ESP_LOGW(TAG, "progress cannot be kept in %s", ota->staging->label);
    }
    return ESP_OK;
}

static esp_err_t open_session(https_ota_t *ota)
{
    otter_lock(OTTER_LOCK_UPDATES);
    esp_err_t err = begin_session(ota);
    otter_unlock(OTTER_LOCK_UPDATES);
    return err;
}

static esp_err_t write_buffer(https_ota_t *ota)
{
    otter_device_t *device = ota->device;
    const size_t len = ota->buffered;
    otter_lock(OTTER_LOCK_UPDATES);
    esp_err_t err = ota_write(device, ota->update, ota->buffer, ota->buffered);
    otter_unlock(OTTER_LOCK_UPDATES);
    ota->write_failed = err != ESP_OK;
    if (err == ESP_OK) {
        ota->written += ota->buffered;
        device->report.bytes_written += ota->buffered;
        ota->buffered = 0;
        show_progress(ota); /* before the event that tells of it */
        if (resume_record_take(&ota->record, ota->buffer, len) != ESP_OK) {
            ESP_LOGW(TAG, "progress can no longer be kept in %s", ota->staging->label);
        }
    } else {
        (void)fail(device, OTTER_STAGE_DOWNLOAD, err, "esp_ota_write failed at byte %" PRIu64 " of %s (%s)",
                   ota->written, ota->staging->label, esp_err_to_name(err));
    }
    int total = (int)ota->written;
    post(device, ESP_HTTPS_OTA_WRITE_FLASH, &total, sizeof(total));
    return err == ESP_OK ? ESP_ERR_HTTPS_OTA_IN_PROGRESS : err;
}

static esp_err_t perform_first(https_ota_t *ota)
{
    bool gated = holds_image(ota->final) && !ota->resumed; /* a resumed image passed when it began */
    esp_err_t err = gated ? read_header_block(ota, IMAGE_HEADER_SIZE) : ESP_OK;
    if (err != ESP_OK) {
        return err;
    }
    ota->state = STATE_IN_PROGRESS;
    err = pass_gate(ota, gated);
    if (err != ESP_OK) {
        return err;
    }
    err = open_session(ota);
    if (err != ESP_OK) {
        ota->state = STATE_BEGIN; /* as in ESP-IDF: the next call tries again */
        return err;
    }
    /* A large buffer is filled up, so that the writes that follow start where sectors start. */
    if (gated && ota->buffered == BUFFER_MIN && ota->buffer_size > BUFFER_MIN) {
        err = read_more(ota, ota->buffer_size);
        if (err != ESP_OK && err != ESP_ERR_NOT_FINISHED && err != ESP_ERR_NOT_FOUND) {
            return err;
        }
    }
    return ota->buffered > 0 ? write_buffer(ota) : ESP_ERR_HTTPS_OTA_IN_PROGRESS;
}

/** What was there before byte N is not the beginning of this image: the whole of it, from the start. */
static esp_err_t begin_anew(https_ota_t *ota)
{
    ESP_LOGW(TAG, "what was in %s is not the beginning of this image: restarting download from beginning",
             ota->staging->label);
    otter_lock(OTTER_LOCK_UPDATES);
    (void)ota_abort(ota->device, ota->update); /* is open: cannot fail */
    otter_unlock(OTTER_LOCK_UPDATES);
    ota->update = 0;
    ota->state = STATE_BEGIN;
    ota->resumed = false;
    ota->wished = 0;
    ota->written = ota->device->report.bytes_written = ota->device->report.bytes_resumed = 0;
    esp_err_t err = https_source_restart(&ota->source);
    ota->device->report.image_size = image_size(ota);
    return err == ESP_OK ? perform_first(ota) : err;
}

/** The image is good, and it is one: its hash covers what was there before as well as what came behind it. */
static bool wish_came_true(https_ota_t *ota)
{
    otter_lock(OTTER_LOCK_UPDATES);
    bool good = ota_verify(ota->device, ota->update) == ESP_OK &&
                ota_image_len(ota->device, ota->update) > ota->wished;
    otter_unlock(OTTER_LOCK_UPDATES);
    return good;
}

static esp_err_t end_of_image(https_ota_t *ota)
{
    if (ota->wished > 0 && !wish_came_true(ota)) {
        return begin_anew(ota);
    }
    ESP_LOGI(TAG, "all data received: %" PRIu64 " bytes", ota->written);
    ota->state = STATE_SUCCESS;
    return ESP_OK;
}

static esp_err_t perform_next(https_ota_t *ota)
{
    if (ota->update == 0) {
        return ESP_FAIL; /* refused at the gate; there is nothing to go on with */
    }
    if (ota->write_failed) {
        return write_buffer(ota);
    }
    esp_err_t err = read_more(ota, ota->buffer_size);
    switch (err) {
    case ESP_OK:
        return ota->buffered > 0 ? write_buffer(ota) : ESP_ERR_HTTPS_OTA_IN_PROGRESS;
    case ESP_ERR_NOT_FINISHED:
        return ESP_ERR_HTTPS_OTA_IN_PROGRESS;
    case ESP_ERR_NOT_FOUND:
        return ota->buffered > 0 ? write_buffer(ota) : end_of_image(ota);
    default:
        return err;
    }
}

esp_err_t esp_https_ota_perform(esp_https_ota_handle_t https_ota_handle)
{
    https_ota_t *ota = https_ota_handle;
    if (ota == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = ESP_FAIL; /* in STATE_SUCCESS there is nothing more to do */
    if (ota->state == STATE_BEGIN) {
        err = perform_first(ota);
    } else if (ota->state == STATE_IN_PROGRESS) {
        err = perform_next(ota);
    }
    show_progress(ota);
    if (err != ESP_ERR_HTTPS_OTA_IN_PROGRESS) {
        report_memory_keep(ota->device);
    }
    return err;
}

/* ---- queries ---- */

static progress_t progress_of(const https_ota_t *ota)
{
    progress_t progress = {.len_read = -1, .image_size = -1, .status = -1};
    otter_lock(OTTER_LOCK_SYSTEM);
    if (ota != NULL) {
        progress = ota->shown;
    }
    otter_unlock(OTTER_LOCK_SYSTEM);
    return progress;
}

bool esp_https_ota_is_complete_data_received(esp_https_ota_handle_t https_ota_handle)
{
    return progress_of(https_ota_handle).complete;
}

/** The descriptor's bytes: from the buffer before the first write, from flash after it. */
static esp_err_t fetch_desc(https_ota_t *ota, uint8_t *raw, uint32_t len)
{
    if (!holds_image(ota->final)) {
        return ESP_FAIL;
    }
    if (ota->written == 0) {
        esp_err_t err = read_header_block(ota, IMAGE_GATE_SIZE);
        show_progress(ota);
        if (err == ESP_OK) {
            memcpy(raw, ota->buffer + IMAGE_DESC_OFFSET, len); /* the block is longer */
        }
        return err;
    }
    return ota_read_range(ota->staging->flash_chip, ota->staging, IMAGE_DESC_OFFSET, raw, len);
}

esp_err_t esp_https_ota_get_img_desc(esp_https_ota_handle_t https_ota_handle, esp_app_desc_t *new_app_info)
{
    https_ota_t *ota = https_ota_handle;
    if (ota == NULL || new_app_info == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    post(ota->device, ESP_HTTPS_OTA_GET_IMG_DESC, NULL, 0);
    uint8_t raw[sizeof(esp_app_desc_t)];
    if (fetch_desc(ota, raw, sizeof(raw)) != ESP_OK) {
        return ESP_FAIL;
    }
    if (image_decode_desc(raw, new_app_info) != ESP_OK) {
        return fail(ota->device, OTTER_STAGE_GATE, ESP_FAIL, "Incorrect app descriptor magic");
    }
    return ESP_OK;
}

esp_err_t esp_https_ota_get_bootloader_img_desc(esp_https_ota_handle_t https_ota_handle,
                                                esp_bootloader_desc_t *new_img_info)
{
    https_ota_t *ota = https_ota_handle;
    if (ota == NULL || new_img_info == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    post(ota->device, ESP_HTTPS_OTA_GET_IMG_DESC, NULL, 0);
    uint8_t raw[sizeof(esp_bootloader_desc_t)];
    if (fetch_desc(ota, raw, sizeof(raw)) != ESP_OK) {
        return ESP_FAIL;
    }
    if (raw[offsetof(esp_bootloader_desc_t, magic_byte)] != ESP_BOOTLOADER_DESC_MAGIC_BYTE) {
        return fail(ota->device, OTTER_STAGE_GATE, ESP_FAIL, "Incorrect bootloader descriptor magic");
    }
    memcpy(new_img_info, raw, sizeof(*new_img_info));
    new_img_info->version = le32_get(raw + offsetof(esp_bootloader_desc_t, version));
    return ESP_OK;
}

int esp_https_ota_get_image_len_read(esp_https_ota_handle_t https_ota_handle)
{
    return progress_of(https_ota_handle).len_read;
}

int esp_https_ota_get_image_size(esp_https_ota_handle_t https_ota_handle)
{
    return progress_of(https_ota_handle).image_size;
}

int esp_https_ota_get_status_code(esp_https_ota_handle_t https_ota_handle)
{
    return progress_of(https_ota_handle).status;
}

/* ---- the end ---- */

/** The verdict on what was written. */
static esp_err_t end_session(https_ota_t *ota)
{
    otter_device_t *device = ota->device;
    otter_lock(OTTER_LOCK_UPDATES);
    esp_err_t err = ota_end(device, ota->update);
    ota->update = 0;
    if (err != ESP_OK) {
        (void)fail(device, OTTER_STAGE_VERIFY, err, "%s",
                   device->last_reason[0] != '\0' ? device->last_reason : esp_err_to_name(err));
    }
    otter_unlock(OTTER_LOCK_UPDATES);
    return err;
}

/** @return ESP_OK, also if no session is open */
static esp_err_t drop_session(https_ota_t *ota)
{
    otter_lock(OTTER_LOCK_UPDATES);
    esp_err_t err = ota->update != 0 ? ota_abort(ota->device, ota->update) : ESP_OK;
    otter_unlock(OTTER_LOCK_UPDATES);
    ota->update = 0;
    return err;
}

static esp_err_t verify_and_switch(https_ota_t *ota)
{
    otter_device_t *device = ota->device;
    if (ota->decrypt.failed) {
        (void)drop_session(ota); /* the cause is what the callback said */
        return ESP_FAIL;
    }
    if (ota->state == STATE_BEGIN) {
        return ESP_OK;
    }
    if (ota->update == 0) {
        return ESP_ERR_INVALID_ARG; /* refused before the first write */
    }
    if (ota->finalize_with_copy && ota->state == STATE_SUCCESS) {
        (void)resume_record_clear(&ota->record); /* its sector is where the copy keeps its journal */
    }
    esp_err_t err = end_session(ota);
    if (err != ESP_OK) {
        if (ota->state == STATE_SUCCESS) {
            (void)resume_record_clear(
                &ota->record); /* what is complete and wrong is not to be gone on with */
        }
        return err;
    }
    bool slot = ota_is_slot(ota->final);
    if (ota->state != STATE_SUCCESS) {
        return ESP_OK;
    }
    if (!slot) {
        (void)resume_record_clear(&ota->record);
        return ESP_OK;
    }
    const esp_partition_t *boots = ota->finalize_with_copy ? ota->final : ota->staging;
    otter_lock(OTTER_LOCK_UPDATES);
    err = ota_set_boot_partition(device, boots);
    otter_unlock(OTTER_LOCK_UPDATES);
    if (err != ESP_OK) {
        return fail(device, OTTER_STAGE_SWITCH, err, "esp_ota_set_boot_partition failed (%s)",
                    esp_err_to_name(err));
    }
    /* Last, so that a reset before the switch costs no second download; one that stays is checked before it is believed. */
    (void)resume_record_clear(&ota->record);
    esp_partition_subtype_t subtype = boots->subtype;
    post(device, ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION, &subtype, sizeof(subtype));
    device->report.stage = OTTER_STAGE_DONE;
    return ESP_OK;
}

esp_err_t esp_https_ota_finish(esp_https_ota_handle_t https_ota_handle)
{
    https_ota_t *ota = https_ota_handle;
    if (ota == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = verify_and_switch(ota);
    otter_device_t *device = ota->device;
    report_memory_keep(device);
    free_handle(ota);
    post(device, ESP_HTTPS_OTA_FINISH, NULL, 0);
    return err;
}

esp_err_t esp_https_ota_abort(esp_https_ota_handle_t https_ota_handle)
{
    https_ota_t *ota = https_ota_handle;
    if (ota == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    post(ota->device, ESP_HTTPS_OTA_ABORT, NULL, 0);
    esp_err_t err = drop_session(ota);
    free_handle(ota);
    return err;
}

esp_err_t https_ota_complete(esp_https_ota_handle_t handle)
{
    esp_err_t err;
    do {
        err = esp_https_ota_perform(handle);
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    if (err != ESP_OK) {
        (void)esp_https_ota_abort(handle); /* the cause is what perform said */
        return err;
    }
    return esp_https_ota_finish(handle);
}

esp_err_t https_ota_run(otter_device_t *device, const esp_https_ota_config_t *config)
{
    esp_https_ota_handle_t handle = NULL;
    esp_err_t err = https_ota_begin(device, config, &handle);
    return err == ESP_OK ? https_ota_complete(handle) : err;
}
