/*
 * Memory: every allocation of whole updates fails in turn, and a thousand updates fail in every way (ten thousand with
 * OTTER_LONG): the right code, nothing left behind, and the next update works. The linker hands every malloc, calloc, realloc
 * and free of the layers to the functions here; OpenSSL's come by its own hook.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/https_rig.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/long_run.h"

#define NEVER UINT32_MAX

static struct {
    uint32_t count;   /* allocations since they were counted anew */
    uint32_t fail_at; /* the one with this number fails */
    int64_t outstanding;
    bool failed;
} heap = {.fail_at = NEVER};

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);

static bool refuses(void)
{
    if (heap.count++ == heap.fail_at) {
        heap.failed = true;
        return true;
    }
    return false;
}

static void *counted(void *p)
{
    heap.outstanding += p != NULL;
    return p;
}

void *__wrap_malloc(size_t size)
{
    return refuses() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return refuses() ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *p, size_t size)
{
    if (refuses()) {
        return NULL;
    }
    void *moved = __real_realloc(p, size);
    heap.outstanding += p == NULL && moved != NULL;
    return moved;
}

void __wrap_free(void *p)
{
    heap.outstanding -= p != NULL;
    __real_free(p);
}

static void *openssl_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return __wrap_malloc(size);
}

static void *openssl_realloc(void *p, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return __wrap_realloc(p, size);
}

static void openssl_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    __wrap_free(p);
}

/** Allocations that are not freed yet; OpenSSL's memory of its last errors does not count. */
static int64_t outstanding(void)
{
    ERR_clear_error();
    return heap.outstanding;
}

static void watch_from(uint32_t fail_at)
{
    heap.count = 0;
    heap.fail_at = fail_at;
    heap.failed = false;
}

static unsigned count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    unsigned count = 0;
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

/* ---- a device that updates from one slot to the other, for ever ---- */

#define IMAGE_LEN 9000u

typedef struct {
    rig_t rig;
    uint8_t *images[2];
    unsigned next; /* image of the next update */
    web_t web;
    web_config_t config;
    char etag[8];
} fixture_t;

static int set_up(void **state)
{
    fixture_t *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    sim_clock_take();
    rig_open_running(&f->rig, "two_ota_md5", &(otter_device_config_t){.rollback = true, .allow_http = true});
    f->images[0] = web_image(IMAGE_LEN, 2);
    f->images[1] = web_image(IMAGE_LEN, 3);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;
    free(f->images[0]);
    free(f->images[1]);
    rig_close(&f->rig);
    free(f);
    return 0;
}

static esp_err_t copy_through(decrypt_cb_arg_t *args, void *user_ctx)
{
    (void)user_ctx;
    args->data_out = malloc(args->data_in_len);
    if (args->data_out == NULL) {
        return ESP_ERR_NO_MEM;
    }
    memcpy(args->data_out, args->data_in, args->data_in_len);
    args->data_out_len = args->data_in_len;
    return ESP_OK;
}

/** Ways of an update that take memory in different places. */
static const struct way {
    const char *name;
    bool resumption, partial, decrypts, drops, redirects;
    int buffer_size;
} ways[] = {
    {.name = "plain"},
    {.name = "resumable", .resumption = true},
    {.name = "in ranges", .partial = true},
    {.name = "dropped and redirected", .drops = true, .redirects = true, .resumption = true},
    {.name = "decrypted", .decrypts = true, .buffer_size = 5000},
};

/* A client that was made destroys its transport; one that could not be made leaves it to the caller. */
static otter_transport_ops_t watched_ops;
static void (*real_destroy)(otter_transport_t *t);
static bool transport_is_ours;

static void note_destruction(otter_transport_t *t)
{
    transport_is_ours = false;
    real_destroy(t);
}

static void watch_transport(fixture_t *f)
{
    otter_transport_t *transport = (otter_transport_t *)(void *)f->config.http.transport;
    real_destroy = transport->ops->destroy;
    watched_ops = *transport->ops;
    watched_ops.destroy = note_destruction;
    transport->ops = &watched_ops;
    transport_is_ours = true;
}

/** The configuration goes without the simulated transport. */
static void drop_transport(fixture_t *f)
{
    otter_transport_t *transport = (otter_transport_t *)(void *)f->config.http.transport;
    if (transport_is_ours) {
        transport->ops->destroy(transport);
    }
    f->config.http.transport = NULL;
}

static void prepare(fixture_t *f, const struct way *way)
{
    snprintf(f->etag, sizeof(f->etag), "\"%u\"", f->next);
    f->web = web_with(f->images[f->next], IMAGE_LEN);
    f->web.etag = f->etag;
    f->web.cut_at = way->drops ? 4000 : WEB_NEVER;
    f->web.canned[0] =
        way->redirects ? "HTTP/1.1 302 Found\r\nLocation: /elsewhere.bin\r\nContent-Length: 0\r\n\r\n" : NULL;
    web_configure(&f->config, &f->web);
    watch_transport(f);
    f->config.http.buffer_size = way->buffer_size;
    f->config.ota.ota_resumption = way->resumption;
    f->config.ota.partial_http_download = way->partial;
    f->config.ota.max_http_request_size = 3000;
    f->config.ota.decrypt_cb = way->decrypts ? copy_through : NULL;
}

typedef enum { IN_BEGIN, IN_PERFORM, IN_FINISH, IN_BOOT, CALL_COUNT } call_t;

/** One update to the boot of the new image. @return the code of the call that failed, which *call names */
static esp_err_t update(fixture_t *f, call_t *call)
{
    esp_https_ota_handle_t handle = NULL;
    *call = IN_BEGIN;
    esp_err_t err = https_ota_begin(&f->rig.device, &f->config.ota, NULL, &handle);
    if (err != ESP_OK) {
        drop_transport(f);
        return err;
    }
    *call = IN_PERFORM;
    err = web_perform(handle);
    if (err != ESP_OK) {
        assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
        return err;
    }
    *call = IN_FINISH;
    return esp_https_ota_finish(handle);
}

static bool boots(fixture_t *f)
{
    otter_boot_result_t result;
    return otter_boot(&f->rig.device, OTTER_BOOT_COMMIT, &result) == ESP_OK;
}

/** Boots what was selected and confirms it. */
static void must_boot(fixture_t *f, const uint8_t *image)
{
    assert_true(boots(f));
    assert_true(web_slot_holds(&f->rig, f->rig.device.running, image, IMAGE_LEN));
    assert_int_equal(otter_ota_mark_app_valid_cancel_rollback(&f->rig.device, NULL), ESP_OK);
}

static void must_update(fixture_t *f, const struct way *way)
{
    call_t call;
    prepare(f, way);
    assert_int_equal(update(f, &call), ESP_OK);
    must_boot(f, f->images[f->next]);
    f->next ^= 1;
}

/** The codes that a call may fail with for want of memory, as their headers say. */
static bool is_right(call_t call, esp_err_t err)
{
    switch (call) {
    case IN_BEGIN: /* the client cannot be made; the connection or the answer is lost for want of memory */
        return err == ESP_ERR_NO_MEM || err == ESP_FAIL || err == ESP_ERR_HTTP_CONNECT;
    default:
        return err == ESP_ERR_NO_MEM || err == ESP_FAIL;
    }
}

static void fail_every_allocation(fixture_t *f, const struct way *way)
{
    unsigned codes[CALL_COUNT][2] = {{0}}, survived = 0;
    uint32_t n = 0;
    must_update(f, way); /* what is made once is made */
    for (;; n++) {
        const int64_t before = outstanding();
        prepare(f, way);
        watch_from(n);
        call_t call;
        esp_err_t err = update(f, &call);
        heap.fail_at = NEVER;
        assert_null(f->rig.device.updates);
        if (!heap.failed) {
            assert_int_equal(err, ESP_OK);
            must_boot(f, f->images[f->next]);
            f->next ^= 1;
            assert_int_equal(outstanding(), before);
            break;
        }
        if (err == ESP_OK) {
            survived++;
            must_boot(f, f->images[f->next]);
            f->next ^= 1;
        } else {
            if (!is_right(call, err)) {
                fail_msg("%s, allocation %u, call %d: %s", way->name, n, (int)call, esp_err_to_name(err));
            }
            codes[call][err == ESP_ERR_NO_MEM ? 0 : 1]++;
            assert_int_equal(f->rig.device.report.fault.code, err);
        }
        if (outstanding() != before) {
            fail_msg("%s, allocation %u: %d left behind (call %d, %s)", way->name, n,
                     (int)(outstanding() - before), (int)call, esp_err_to_name(err));
        }
        must_update(f, way);
        assert_int_equal(outstanding(), before);
    }
    print_message("%s: %u allocations; NO_MEM in begin %u, perform %u, finish %u; another code %u, %u, %u; "
                  "done without "
                  "it: %u\n",
                  way->name, n, codes[IN_BEGIN][0], codes[IN_PERFORM][0], codes[IN_FINISH][0],
                  codes[IN_BEGIN][1], codes[IN_PERFORM][1], codes[IN_FINISH][1], survived);
    assert_true(n > 20);
}

static void an_update_without_memory_ends_well_and_the_next_one_works(void **state)
{
    for (size_t i = 0; i < COUNT(ways); i++) {
        fail_every_allocation(*state, &ways[i]);
    }
}

/** A boot that lacks memory fails or does without; it never takes the image it could not read for a bad one. */
static void a_boot_without_memory_condemns_no_image(void **state)
{
    fixture_t *f = *state;
    must_update(f, &ways[0]);
    const esp_partition_t *running = f->rig.device.running;
    for (uint32_t n = 0;; n++) {
        const int64_t before = outstanding();
        const uint32_t ops = f->rig.sim.ops;
        watch_from(n);
        bool booted = boots(f);
        heap.fail_at = NEVER;
        assert_int_equal(outstanding(), before);
        assert_int_equal(f->rig.sim.ops, ops);
        if (!heap.failed) {
            assert_true(booted && n > 0);
            break;
        }
        assert_true(boots(f));
        assert_ptr_equal(f->rig.device.running, running);
    }
}

/* ---- a thousand failures ---- */

typedef enum {
    NOT_FOUND,
    SILENT,
    CUT,
    REFUSED,
    REFUSED_BY_THE_SYSTEM,
    CORRUPT,
    OTHER_CHIP,
    TOO_LARGE,
    ENCODED,
    ABORTED,
    NO_TRUST,
    BAD_FLASH,
    CHANGED,
    FAILURES
} failure_t;

static uint16_t closed_port; /* nobody listens there */

static void find_closed_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&address, len) == 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    closed_port = ntohs(address.sin_port);
    close(fd);
}

static void change_file(web_t *web, unsigned index)
{
    web->file += index;
}

static void arrange(fixture_t *f, failure_t failure, char url[64])
{
    prepare(f, &ways[failure % 3]);
    f->config.ota.retry.attempts = 2;
    switch (failure) {
    case NOT_FOUND:
        f->web.always = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone";
        break;
    case SILENT:
        f->web.cut_kind = SIM_REQUEST;
        f->web.cut_at = f->web.cut_every = 1;
        break;
    case CUT:
        f->web.cut_at = 4000;
        f->config.ota.retry.attempts = -1;
        break;
    case REFUSED:
        f->web.refuse_count = 100;
        break;
    case REFUSED_BY_THE_SYSTEM: /* over a real socket */
        drop_transport(f);
        snprintf(url, 64, "http://127.0.0.1:%u/fw.bin", closed_port);
        f->config.http.url = url;
        break;
    case CORRUPT:
        f->images[f->next][5000] ^= 1;
        break;
    case OTHER_CHIP:
        f->images[f->next][12] ^= 9;
        break;
    case TOO_LARGE:
        f->web.canned[0] = f->web.canned[1] = "HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n\xE9";
        break;
    case ENCODED:
        f->web.always = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone";
        break;
    case NO_TRUST:
        drop_transport(f);
        f->config.http.is_async = true;
        break;
    case BAD_FLASH:
        f->rig.sim.cut_at = f->rig.sim.ops + 3;
        break;
    case CHANGED:
        f->web.cut_at = 4000;
        f->web.no_ranges = true;
        f->web.etag = NULL;
        f->web.len -= 4;
        f->web.on_request = change_file;
        break;
    case ABORTED:
    case FAILURES:
        break;
    }
}

static void fail_once(fixture_t *f, failure_t failure)
{
    char url[64];
    uint8_t *image = f->images[f->next];
    const uint8_t kept[2] = {image[12], image[5000]};
    arrange(f, failure, url);
    if (failure == ABORTED) {
        esp_https_ota_handle_t handle;
        assert_int_equal(https_ota_begin(&f->rig.device, &f->config.ota, NULL, &handle), ESP_OK);
        assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
        assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
    } else {
        call_t call;
        assert_int_not_equal(update(f, &call), ESP_OK);
        assert_int_not_equal(f->rig.device.report.fault.code, ESP_OK);
    }
    sim_flash_power_on(&f->rig.sim);
    image[12] = kept[0];
    image[5000] = kept[1];
    assert_null(f->rig.device.updates);
}

static void a_thousand_failed_updates_leave_nothing_behind(void **state)
{
    fixture_t *f = *state;
    const unsigned rounds = long_run_wanted() ? 10000 : 1000;
    find_closed_port();
    must_update(f, &ways[0]);
    const esp_partition_t *running = f->rig.device.running;
    for (int failure = 0; failure < FAILURES; failure++) {
        fail_once(f, (failure_t)failure); /* what is made once is made */
    }
    const int64_t before = outstanding();
    const unsigned descriptors = count_descriptors();
    for (unsigned i = 0; i < rounds; i++) {
        fail_once(f, (failure_t)(i % FAILURES));
        if (outstanding() != before) {
            fail_msg("failure %u: %d allocations left behind", i % FAILURES, (int)(outstanding() - before));
        }
    }
    assert_int_equal(count_descriptors(), descriptors);
    assert_true(boots(f));
    assert_ptr_equal(f->rig.device.running, running);
    must_update(f, &ways[1]);
    print_message("%u failed updates of %u kinds: allocations and descriptors as before\n", rounds, FAILURES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) != 1) {
        fprintf(stderr, "OpenSSL has allocated already\n");
        return 1;
    }
    ERR_raise(ERR_LIB_USER, 1); /* its place for errors is made once */
    const struct CMUnitTest tests[] = {
        TEST(an_update_without_memory_ends_well_and_the_next_one_works),
        TEST(a_boot_without_memory_condemns_no_image),
        TEST(a_thousand_failed_updates_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
