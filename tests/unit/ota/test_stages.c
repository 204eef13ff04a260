/* Updates through stages of every kind: what they make of a file arrives, in bounded pieces, however the file comes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/bytes.h"
#include "ota/slot_io.h"
#include "support/image_builder.h"
#include "support/resume_rig.h"

#define TAG_SIZE    4u  /* behind an encrypted file */
#define HEADER_SIZE 20u /* in front of it */
#define BLOCK       100u

/* ---- what all stages of this test share: the pipeline keeps its side of stage.h ---- */

typedef struct {
    ota_stage_t stage; /* begins each */
    bool filled, ended, failed;
    size_t left; /* of the input of the last call */
    esp_err_t (*feed)(void *toy, ota_flow_t *flow);
    esp_err_t (*finish)(void *toy, ota_flow_t *flow);
    unsigned *alive;
} toy_t;

static esp_err_t called(toy_t *toy, ota_flow_t *flow, esp_err_t err)
{
    assert_true(flow->used <= flow->len && flow->made <= flow->room);
    assert_true(err != ESP_OK || flow->used == flow->len || flow->made == flow->room);
    toy->filled = flow->made == flow->room;
    toy->left = flow->len - flow->used;
    toy->failed = err != ESP_OK;
    return err;
}

static esp_err_t toy_feed(ota_stage_t *stage, ota_flow_t *flow)
{
    toy_t *toy = (toy_t *)stage;
    assert_true(toy->filled ? flow->len == toy->left : flow->len > 0); /* nothing new before it gave all */
    assert_true(flow->room > 0 && flow->used == 0 && flow->made == 0);
    assert_string_equal(flow->fault->why, "");
    assert_false(toy->ended || toy->failed);
    return called(toy, flow, toy->feed(toy, flow));
}

static esp_err_t toy_finish(ota_stage_t *stage, ota_flow_t *flow)
{
    toy_t *toy = (toy_t *)stage;
    assert_true(flow->len == 0 && flow->room > 0);
    assert_true(toy->filled || !toy->ended); /* again only if there was more than room */
    assert_false(toy->failed);
    toy->ended = true;
    return called(toy, flow, toy->finish(toy, flow));
}

static esp_err_t nothing_is_left(void *toy, ota_flow_t *flow)
{
    (void)toy;
    (void)flow;
    return ESP_OK;
}

static void toy_free(ota_stage_t *stage)
{
    --*((toy_t *)stage)->alive;
    free(stage);
}

static void take_byte(ota_flow_t *flow, uint8_t *byte)
{
    *byte = flow->in[flow->used++];
}

static bool has_both(const ota_flow_t *flow)
{
    return flow->used < flow->len && flow->made < flow->room;
}

/* ---- a decoder: runs of a byte, as (times, byte) ---- */

typedef struct {
    toy_t toy;
    uint8_t times, byte;
    bool has_times;
} unpacker_t;

static esp_err_t unpack(void *toy, ota_flow_t *flow)
{
    unpacker_t *u = toy;
    while (flow->made < flow->room && (u->times > 0 || flow->used < flow->len)) {
        if (u->times > 0 && !u->has_times) {
            flow->out[flow->made++] = u->byte;
            u->times--;
        } else if (!u->has_times) {
            take_byte(flow, &u->times);
            u->has_times = true;
        } else if (flow->used < flow->len) {
            take_byte(flow, &u->byte);
            u->has_times = false;
        } else {
            break;
        }
    }
    return ESP_OK;
}

static esp_err_t unpack_end(void *toy, ota_flow_t *flow)
{
    unpacker_t *u = toy;
    if (u->has_times) {
        return otter_fault(flow->fault, ESP_ERR_INVALID_SIZE, "the packed file ends in the middle of a run");
    }
    return unpack(toy, flow);
}

/* ---- an authenticated cipher: a header of its own, bytes, and a tag over them all that is checked at the end ---- */

typedef struct {
    toy_t toy;
    uint64_t taken; /* bytes of input */
    uint32_t sum;
    uint8_t held[TAG_SIZE]; /* the last bytes so far: the tag, if nothing follows */
    uint32_t held_len;
} cipher_t;

static uint32_t add_to_tag(uint32_t sum, uint8_t byte)
{
    return sum * 16777619u + byte;
}

static esp_err_t decrypt(void *toy, ota_flow_t *flow)
{
    cipher_t *c = toy;
    while (has_both(flow)) {
        uint8_t byte;
        take_byte(flow, &byte);
        if (++c->taken <= HEADER_SIZE) {
            continue;
        }
        if (c->held_len == TAG_SIZE) {
            uint8_t plain = c->held[0] ^ 0x5C;
            c->sum = add_to_tag(c->sum, plain);
            flow->out[flow->made++] = plain;
            memmove(c->held, c->held + 1, --c->held_len);
        }
        c->held[c->held_len++] = byte;
    }
    return ESP_OK;
}

static esp_err_t check_tag(void *toy, ota_flow_t *flow)
{
    cipher_t *c = toy;
    return c->held_len == TAG_SIZE && le32_get(c->held) == c->sum
               ? ESP_OK
               : otter_fault(flow->fault, ESP_ERR_INVALID_CRC, "the tag of %u bytes does not fit",
                             (unsigned)c->taken);
}

static esp_err_t resume_cipher(ota_stage_t *stage, const ota_resume_t *from, uint64_t *used)
{
    cipher_t *c = (cipher_t *)stage;
    c->sum = c->held_len = 0;
    for (uint32_t i = 0; i < from->made; i++) {
        uint8_t byte;
        if (from->slot == NULL || ota_read_range(from->slot->flash_chip, from->slot, i, &byte, 1) != ESP_OK) {
            return ESP_FAIL;
        }
        c->sum = add_to_tag(c->sum, byte);
    }
    c->taken = from->made > 0 ? HEADER_SIZE + from->made : 0;
    *used = c->taken;
    return ESP_OK;
}

static uint32_t encrypt(const uint8_t *bytes, uint32_t len, uint8_t *file)
{
    uint32_t sum = 0;
    memset(file, 0xEE, HEADER_SIZE);
    for (uint32_t i = 0; i < len; i++) {
        sum = add_to_tag(sum, bytes[i]);
        file[HEADER_SIZE + i] = bytes[i] ^ 0x5C;
    }
    le32_put(file + HEADER_SIZE + len, sum);
    return HEADER_SIZE + len + TAG_SIZE;
}

/* ---- a patch: blocks of another partition from anywhere in it, and new ones ---- */

typedef struct {
    toy_t toy;
    const esp_partition_t *old;
    uint8_t command[5];  /* 'C' and an offset in old, or 'L' and four bytes for nothing, then a block */
    uint32_t have, left; /* bytes of the command; of the block */
} patcher_t;

static esp_err_t apply(void *toy, ota_flow_t *flow)
{
    patcher_t *p = toy;
    while (flow->made < flow->room && (flow->used < flow->len || (p->left > 0 && p->command[0] == 'C'))) {
        uint8_t *out = &flow->out[flow->made];
        if (p->left == 0) {
            take_byte(flow, &p->command[p->have++]);
            p->left = p->have == sizeof(p->command) ? BLOCK : 0;
            p->have %= sizeof(p->command);
            continue;
        }
        uint32_t offset = le32_get(p->command + 1) + (BLOCK - p->left);
        if (p->command[0] == 'L') {
            take_byte(flow, out);
        } else if (ota_read_range(p->old->flash_chip, p->old, offset, out, 1) != ESP_OK) {
            return otter_fault(flow->fault, ESP_ERR_NOT_FOUND, "the old partition has no byte %u",
                               (unsigned)offset);
        }
        flow->made++;
        p->left--;
    }
    return ESP_OK;
}

/** Two blocks of three are in the old partition, the last one first. The image consists of whole blocks. */
static uint32_t diff(const uint8_t *image, uint32_t len, uint8_t *old, uint8_t *file)
{
    uint32_t used = 0;
    for (uint32_t i = 0; i < len / BLOCK; i++) {
        bool is_old = i % 3 != 0;
        file[used] = is_old ? 'C' : 'L';
        le32_put(file + used + 1, len - (i + 1) * BLOCK);
        used += 5;
        memcpy(is_old ? old + len - (i + 1) * BLOCK : file + used, image + i * BLOCK, BLOCK);
        used += is_old ? 0 : BLOCK;
    }
    return used;
}

/* ---- one that knows the image: so many bytes of it for each of input ---- */

typedef struct {
    toy_t toy;
    const uint8_t *image;
    uint64_t made, due;
} oracle_t;

static esp_err_t foretell(void *toy, ota_flow_t *flow)
{
    oracle_t *o = toy;
    while (flow->made < flow->room && (o->made < o->due || flow->used < flow->len)) {
        if (o->made == o->due) {
            o->due += 2;
            flow->used++;
        }
        flow->out[flow->made++] = o->image[o->made++];
    }
    return ESP_OK;
}

static esp_err_t resume_oracle(ota_stage_t *stage, const ota_resume_t *from, uint64_t *used)
{
    oracle_t *o = (oracle_t *)stage;
    o->made = o->due = from->made;
    *used = from->made / 2;
    return ESP_OK;
}

/* ---- one that swallows everything, and one that fails ---- */

static esp_err_t swallow(void *toy, ota_flow_t *flow)
{
    (void)toy;
    flow->used = flow->len;
    return ESP_OK;
}

typedef struct {
    toy_t toy;
    unsigned calls_left;
    esp_err_t code;
    const char *why;
} failing_t;

static esp_err_t fail_at_last(void *toy, ota_flow_t *flow)
{
    failing_t *f = toy;
    size_t n = flow->len < flow->room ? flow->len : flow->room;
    memcpy(flow->out, flow->in, n);
    flow->used = flow->made = n;
    if (f->calls_left == 0 || --f->calls_left > 0) {
        return ESP_OK;
    }
    return f->why != NULL ? otter_fault(flow->fault, f->code, "%s", f->why) : f->code;
}

/* ---- pipelines of them ---- */

typedef enum { NONE, CIPHER, UNPACKER, PATCHER, ORACLE, SWALLOWER, FAILING } kind_t;

typedef struct {
    update_rig_t *f;
    kind_t kinds[6];
    unsigned alive;
    failing_t failing;            /* how it fails */
    otter_update_report_t report; /* of the last update, which a reset forgets */
} chain_t;

static ota_stage_t *new_toy(chain_t *chain, kind_t kind)
{
    static const ota_stage_ops_t plain = {.feed = toy_feed, .finish = toy_finish, .free = toy_free};
    static const ota_stage_ops_t resuming[] = {
        {.feed = toy_feed, .finish = toy_finish, .resume = resume_cipher, .free = toy_free},
        {.feed = toy_feed, .finish = toy_finish, .resume = resume_oracle, .free = toy_free},
    };
    union {
        toy_t toy;
        cipher_t cipher;
        unpacker_t unpacker;
        patcher_t patcher;
        oracle_t oracle;
        failing_t failing;
    } *any = calloc(1, sizeof(*any));
    assert_non_null(any);
    any->toy = (toy_t){.stage.ops = &plain, .finish = nothing_is_left};
    switch (kind) {
    case CIPHER:
        any->toy.stage.ops = &resuming[0];
        any->toy.feed = decrypt;
        any->toy.finish = check_tag;
        break;
    case UNPACKER:
        any->toy.feed = unpack;
        any->toy.finish = unpack_end;
        break;
    case PATCHER:
        any->toy.feed = apply;
        any->toy.finish = apply;
        any->patcher.old = rig_named(&chain->f->rig, "1");
        break;
    case ORACLE:
        any->toy.stage.ops = &resuming[1];
        any->toy.feed = any->toy.finish = foretell;
        any->oracle.image = chain->f->image;
        break;
    case FAILING:
        any->failing = chain->failing;
        any->toy = (toy_t){.stage.ops = &plain, .feed = fail_at_last, .finish = nothing_is_left};
        break;
    default:
        any->toy.feed = swallow;
    }
    any->toy.alive = &chain->alive;
    chain->alive++;
    return &any->toy.stage;
}

static esp_err_t add_chain(void *ctx, ota_pipeline_t *pipeline)
{
    chain_t *chain = ctx;
    esp_err_t err = ESP_OK;
    for (size_t i = 0; i < COUNT(chain->kinds) && chain->kinds[i] != NONE && err == ESP_OK; i++) {
        err = ota_pipeline_add(pipeline, new_toy(chain, chain->kinds[i]));
    }
    return err;
}

static esp_err_t begin_chain(chain_t *chain, esp_https_ota_handle_t *handle)
{
    update_rig_t *f = chain->f;
    web_use_new_transport(&f->config, &f->web);
    const https_stages_t stages = {add_chain, chain};
    return https_ota_begin(&f->rig.device, &f->config.ota, &stages, handle);
}

/** The file from which the chain makes the image: the last stage's part is done first. The caller frees. */
static uint8_t *file_for(const chain_t *chain, uint32_t *len)
{
    update_rig_t *f = chain->f;
    const size_t room = 4 * (size_t)f->len + 1000;
    uint8_t *file = malloc(room), *next = malloc(room);
    uint8_t *old = f->rig.sim.bytes + rig_named(&f->rig, "1")->address;
    assert_non_null(file);
    assert_non_null(next);
    memcpy(file, f->image, f->len);
    *len = f->len;
    for (size_t i = COUNT(chain->kinds); i-- > 0;) {
        switch (chain->kinds[i]) {
        case CIPHER:
            *len = encrypt(file, *len, next);
            break;
        case UNPACKER:
            *len = image_pack(file, *len, next);
            break;
        case PATCHER:
            *len = diff(file, *len, old, next);
            break;
        case ORACLE:
            *len = (*len + 1) / 2;
            memset(next, 0x11, *len);
            break;
        default:
            continue;
        }
        uint8_t *done = file;
        file = next;
        next = done;
    }
    free(next);
    return file;
}

/** performs to the end, each within its bounds. */
static esp_err_t perform_bounded(update_rig_t *f, esp_https_ota_handle_t handle)
{
    int before = 0, buffer = f->config.http.buffer_size > 1024 ? f->config.http.buffer_size : 1024;
    esp_err_t err;
    do {
        err = esp_https_ota_perform(handle);
        int now = esp_https_ota_get_image_len_read(handle);
        assert_true(now - before <= buffer || before == 0);
        before = now;
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    return err;
}

static void the_image_arrives(chain_t *chain)
{
    update_rig_t *f = chain->f;
    esp_https_ota_handle_t handle = NULL;
    esp_app_desc_t desc;
    memset(f->rig.sim.bytes + RIG_OTADATA, 0xFF, RIG_OTADATA_SIZE);
    memset(f->rig.sim.bytes + f->slot->address, 0, f->len); /* what is not erased stays 0 */
    assert_int_equal(begin_chain(chain, &handle), ESP_OK);
    assert_int_equal(esp_https_ota_get_img_desc(handle, &desc), ESP_OK);
    assert_string_equal(desc.version, "2.0.0");
    assert_int_equal(perform_bounded(f, handle), ESP_OK);
    assert_int_equal(esp_https_ota_get_image_len_read(handle), f->len);
    assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
    assert_int_equal(chain->alive, 0);
    assert_true(web_slot_holds(&f->rig, f->slot, f->image, f->len));
    assert_true(update_rig_boots_new(f));
    assert_int_equal(f->rig.device.report.bytes_written, f->len);
    assert_int_equal(f->rig.device.report.fault.code, ESP_OK);
}

static const struct {
    const char *name;
    kind_t kinds[6];
} chains[] = {
    {"a cipher", {CIPHER}},
    {"a decoder", {UNPACKER}},
    {"a patch", {PATCHER}},
    {"a cipher, then a decoder", {CIPHER, UNPACKER}},
    {"a decoder, then a patch", {UNPACKER, PATCHER}},
    {"all that can be", {CIPHER, CIPHER, UNPACKER, PATCHER}},
};

static int set_up(void **state)
{
    update_rig_t *f = update_rig_open(20000, &(otter_device_config_t){.rollback = false});
    update_rig_fence(f);
    *state = f;
    return 0;
}

static void an_image_arrives_through_any_stages_however_it_comes(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        const char *name;
        int buffer_size;
        uint32_t max_read, cut_every;
        bool bulk, partial, chunked;
    } ways[] = {
        {"as it is", .buffer_size = 0},
        {"a large buffer", .buffer_size = 70000},
        {"a buffer that is no sector", .buffer_size = 5000, .bulk = true},
        {"a byte at a time", .max_read = 1},
        {"a byte at a time into a large buffer", .buffer_size = 9000, .max_read = 1},
        {"in ranges", .partial = true},
        {"chunked", .chunked = true},
        {"with a drop every 777 bytes", .cut_every = 777},
        {"with a drop every 20 bytes", .cut_every = 20, .buffer_size = 3000},
    };
    for (size_t c = 0; c < COUNT(chains); c++) {
        chain_t chain = {.f = f};
        memcpy(chain.kinds, chains[c].kinds, sizeof(chain.kinds));
        uint32_t len;
        uint8_t *file = file_for(&chain, &len);
        for (size_t w = 0; w < COUNT(ways); w++) {
            print_message("%s, %s\n", chains[c].name, ways[w].name);
            f->web = web_with(file, len);
            f->web.max_read = ways[w].max_read;
            f->web.chunked = ways[w].chunked;
            f->web.cut_at = ways[w].cut_every > 0 ? ways[w].cut_every : WEB_NEVER;
            f->web.cut_every = ways[w].cut_every;
            f->config.http.buffer_size = ways[w].buffer_size;
            f->config.ota.bulk_flash_erase = ways[w].bulk;
            f->config.ota.partial_http_download = ways[w].partial;
            f->config.ota.max_http_request_size = 3000;
            the_image_arrives(&chain);
            assert_int_equal(f->rig.device.report.bytes_downloaded, len); /* no byte twice */
            assert_true(ways[w].cut_every == 0 || f->web.cuts >= (len - 1) / ways[w].cut_every);
        }
        free(file);
    }
}

static void a_decoder_makes_many_times_its_input_in_bounded_pieces(void **state)
{
    update_rig_t *f = *state;
    chain_t chain = {.f = f, .kinds = {CIPHER, UNPACKER}};
    update_rig_serve_runs(f, 600000);
    uint32_t len;
    uint8_t *file = file_for(&chain, &len);
    assert_true(len < f->len / 100);
    f->web = web_with(file, len);
    the_image_arrives(&chain);
    free(file);
}

/* ---- failures ---- */

static void what_a_stage_says_ends_the_update(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        const char *name;
        unsigned at; /* call of feed */
        esp_err_t code;
        const char *why;
        esp_err_t want;
        const char *told;
    } rows[] = {
        {"at once", 1, ESP_ERR_INVALID_CRC, "the key is wrong", ESP_ERR_INVALID_CRC, "the key is wrong"},
        {"in the middle", 9, ESP_ERR_INVALID_VERSION, "a block is wrong", ESP_ERR_INVALID_VERSION,
         "a block is wrong"},
        {"without a cause", 9, ESP_ERR_NO_MEM, NULL, ESP_ERR_NO_MEM, "ESP_ERR_NO_MEM"},
        {"as if it were the end", 9, ESP_ERR_NOT_FOUND, "no such byte", ESP_FAIL, "no such byte"},
        {"as if it went on", 9, ESP_ERR_NOT_FINISHED, NULL, ESP_FAIL, "ESP_ERR_NOT_FINISHED"},
        {"as if perform did", 9, ESP_ERR_HTTPS_OTA_IN_PROGRESS, NULL, ESP_FAIL, ""},
        {"at the last byte", 20, ESP_ERR_INVALID_CRC, "late", ESP_ERR_INVALID_CRC, "late"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int finishes = 0; finishes < 2; finishes++) {
            print_message("%s\n", rows[i].name);
            chain_t chain = {.f = f,
                             .kinds = {FAILING},
                             .failing = {.calls_left = rows[i].at, .code = rows[i].code, .why = rows[i].why}};
            f->web = web_with(f->image, f->len);
            esp_https_ota_handle_t handle = NULL;
            assert_int_equal(begin_chain(&chain, &handle), ESP_OK);
            assert_int_equal(web_perform(handle), rows[i].want);
            assert_int_equal(web_perform(handle), rows[i].want); /* and the stage is not called again */
            assert_int_equal(f->rig.device.report.fault.code, rows[i].want);
            assert_int_equal(f->rig.device.report.stage, OTTER_STAGE_DOWNLOAD);
            assert_non_null(strstr(f->rig.device.report.fault.why, rows[i].told));
            assert_int_equal(finishes ? esp_https_ota_finish(handle) : esp_https_ota_abort(handle),
                             finishes ? ESP_FAIL : ESP_OK);
            assert_int_equal(chain.alive, 0);
            assert_false(update_rig_boots_new(f));
        }
    }
}

static void a_verdict_at_the_end_of_a_stage_counts(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        const char *name;
        kind_t kinds[6];
        uint32_t flip, cut; /* of the file: the byte, from its end; bytes at its end that are missing */
        esp_err_t want;
        const char *told;
    } rows[] = {
        {"a tag that is wrong", {CIPHER}, 1, 0, ESP_ERR_INVALID_CRC, "the tag of 20024 bytes"},
        {"a byte that is wrong, whose image is refused as well", {CIPHER}, 50, 0, ESP_ERR_INVALID_CRC, "tag"},
        {"a tag that is cut off", {CIPHER}, 0, 1, ESP_ERR_INVALID_CRC, "the tag of 20023 bytes"},
        {"all of it is cut off", {CIPHER}, 0, 20024 - 3, ESP_ERR_INVALID_CRC, "the tag of 3 bytes"},
        {"in front of another stage", {CIPHER, UNPACKER}, 1, 0, ESP_ERR_INVALID_CRC, "tag"},
        {"behind another stage", {UNPACKER, CIPHER}, 0, 2, ESP_ERR_INVALID_CRC, "the tag of 20023 bytes"},
        {"a run that is cut off", {UNPACKER}, 0, 1, ESP_ERR_INVALID_SIZE, "in the middle of a run"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].name);
        chain_t chain = {.f = f};
        memcpy(chain.kinds, rows[i].kinds, sizeof(chain.kinds));
        uint32_t len;
        uint8_t *file = file_for(&chain, &len);
        file[len - (rows[i].flip > 0 ? rows[i].flip : 1)] ^= rows[i].flip > 0 ? 0x40 : 0;
        f->web = web_with(file, len - rows[i].cut);
        esp_https_ota_handle_t handle = NULL;
        assert_int_equal(begin_chain(&chain, &handle), ESP_OK);
        assert_int_equal(web_perform(handle), rows[i].want);
        assert_non_null(strstr(f->rig.device.report.fault.why, rows[i].told));
        assert_int_equal(esp_https_ota_finish(handle), ESP_FAIL); /* however good the image may be */
        assert_false(update_rig_boots_new(f));
        assert_int_equal(chain.alive, 0);
        free(file);
    }
}

static void a_stage_that_swallows_everything_leaves_no_image(void **state)
{
    update_rig_t *f = *state;
    chain_t chain = {.f = f, .kinds = {SWALLOWER}};
    const uint32_t ops = f->rig.sim.ops;
    f->web = web_with(f->image, f->len);
    esp_https_ota_handle_t handle = NULL;
    assert_int_equal(begin_chain(&chain, &handle), ESP_OK);
    assert_int_equal(web_perform(handle), ESP_FAIL);
    assert_non_null(strstr(f->rig.device.report.fault.why, "the server sent 0 bytes"));
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
    assert_int_equal(f->rig.sim.ops, ops); /* nothing was erased for it */
}

static void more_stages_than_there_is_room_for_are_refused_and_freed(void **state)
{
    update_rig_t *f = *state;
    chain_t chain = {.f = f, .kinds = {CIPHER, CIPHER, CIPHER, CIPHER, CIPHER}};
    const https_stages_t stages = {add_chain, &chain};
    esp_https_ota_handle_t handle = NULL;
    assert_int_equal(https_ota_begin(&f->rig.device, &f->config.ota, &stages, &handle), ESP_ERR_NO_MEM);
    assert_null(handle);
    assert_int_equal(chain.alive, 0);
}

static void a_file_that_is_sent_again_cannot_be_compared_behind_a_stage(void **state)
{
    update_rig_t *f = *state;
    chain_t chain = {.f = f, .kinds = {CIPHER}};
    uint32_t len;
    uint8_t *file = file_for(&chain, &len);
    f->web = web_with(file, len);
    f->web.no_ranges = true;
    f->web.cut_at = 9000;
    esp_https_ota_handle_t handle = NULL;
    assert_int_equal(begin_chain(&chain, &handle), ESP_OK);
    assert_int_equal(web_perform(handle), ESP_FAIL);
    assert_non_null(strstr(f->rig.device.report.fault.why, "from its beginning again"));
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
    free(file);
}

/* ---- going on after a reset ---- */

/** So many calls of perform, then a reset. */
static void be_cut_after(chain_t *chain, int performs)
{
    esp_https_ota_handle_t handle = NULL;
    assert_int_equal(begin_chain(chain, &handle), ESP_OK);
    for (int i = 0; i < performs; i++) {
        assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    }
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
    reset_device(chain->f);
}

static void must_complete(chain_t *chain)
{
    update_rig_t *f = chain->f;
    esp_https_ota_handle_t handle = NULL;
    assert_int_equal(begin_chain(chain, &handle), ESP_OK);
    assert_int_equal(https_ota_complete(handle), ESP_OK);
    chain->report = f->rig.device.report;
    assert_int_equal(chain->alive, 0);
    assert_true(web_slot_holds(&f->rig, f->slot, f->image, f->len));
    assert_true(new_runs(f));
}

/** A factory-fresh device and `file` on the server. */
static void start_over(update_rig_t *f, const uint8_t *file, uint32_t len)
{
    wipe(f);
    f->web = web_with(file, len);
    web_configure(&f->config, NULL);
    f->config.ota.ota_resumption = true;
}

static void a_stage_that_rebuilds_its_state_from_flash_goes_on(void **state)
{
    update_rig_t *f = *state;
    chain_t chain = {.f = f, .kinds = {CIPHER}};
    uint32_t len;
    uint8_t *file = file_for(&chain, &len);
    uint64_t most = 0;
    for (int performs = 0; performs <= (int)(f->len / 1024); performs += 5) {
        start_over(f, file, len);
        be_cut_after(&chain, performs);
        must_complete(&chain);
        const otter_update_report_t *report = &chain.report;
        assert_int_equal(report->bytes_resumed + report->bytes_written, f->len);
        char asked[40];
        snprintf(asked, sizeof(asked), "GET %u- if \"v1\"", (unsigned)report->bytes_resumed + HEADER_SIZE);
        assert_string_equal(f->web.asked[1], report->bytes_resumed > 0 ? asked : "GET");
        assert_int_equal(report->bytes_resumed > 0, performs >= 5);
        most = report->bytes_downloaded + (uint64_t)performs * 1024 > len
                   ? report->bytes_downloaded + (uint64_t)performs * 1024 - len
                   : most;
    }
    assert_true(most <= SECTOR + 1024);
    free(file);
}

static void a_stage_that_was_to_go_on_begins_anew_with_another_file(void **state)
{
    update_rig_t *f = *state;
    chain_t chain = {.f = f, .kinds = {CIPHER}};
    uint32_t len;
    uint8_t *file = file_for(&chain, &len);
    for (int no_ranges = 0; no_ranges < 2; no_ranges++) {
        start_over(f, file, len);
        be_cut_after(&chain, 30);
        f->web = web_with(file, len);
        f->web.etag = no_ranges ? "\"v1\"" : "\"v2\"";
        f->web.no_ranges = no_ranges != 0;
        must_complete(&chain);
        assert_int_equal(chain.report.bytes_resumed, 0);
        assert_int_equal(f->web.requests, 1);
    }
    free(file);
}

static void where_one_stage_cannot_go_on_nothing_is_remembered(void **state)
{
    update_rig_t *f = *state;
    static const kind_t rows[][6] = {{UNPACKER}, {CIPHER, UNPACKER}, {UNPACKER, CIPHER}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        chain_t chain = {.f = f};
        memcpy(chain.kinds, rows[i], sizeof(chain.kinds));
        uint32_t len;
        uint8_t *file = file_for(&chain, &len);
        start_over(f, file, len);
        be_cut_after(&chain, 30);
        assert_int_equal(f->rig.sim.bytes[f->slot->address + f->slot->size - RECORD_SIZE], 0xFF);
        must_complete(&chain);
        assert_int_equal(chain.report.bytes_resumed, 0);
        free(file);
    }
}

/** Two that can, of which the first gets no help from flash: both begin anew. */
static void where_one_stage_finds_no_way_on_all_begin_anew(void **state)
{
    update_rig_t *f = *state;
    chain_t chain = {.f = f, .kinds = {CIPHER, CIPHER}};
    uint32_t len;
    uint8_t *file = file_for(&chain, &len);
    start_over(f, file, len);
    be_cut_after(&chain, 30);
    must_complete(&chain);
    assert_string_equal(f->web.asked[1], "GET");
    assert_int_equal(chain.report.bytes_resumed, 0);
    free(file);
}

/** The record lies in the slot's last sector, into which an image that is longer than its file may reach. */
static void an_image_may_reach_where_its_record_was(void **state)
{
    update_rig_t *f = *state;
    update_rig_serve(f, f->slot->size, 2);
    chain_t chain = {.f = f, .kinds = {ORACLE}};
    uint32_t len;
    uint8_t *file = file_for(&chain, &len);
    static const struct {
        const char *name;
        int buffer_size, left; /* left: buffers of the image when it is cut */
        bool bulk, resumes;
    } rows[] = {
        {"half of it", 0, 512, false, true},
        {"up to the record", 0, 6, false, true},
        {"over the record", 0, 2, false, false},
        {"half of it, erased before", 0, 512, true, false},
        {"over the record, erased before", 0, 2, true, false},
        {"up to the record, in large pieces", 70000, 2, false, true},
        {"nearly nothing", 5000, 200, false, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].name);
        start_over(f, file, len);
        f->config.http.buffer_size = rows[i].buffer_size;
        f->config.ota.bulk_flash_erase = rows[i].bulk;
        const int size = rows[i].buffer_size > 1024 ? rows[i].buffer_size : 1024;
        be_cut_after(&chain, (int)f->slot->size / size - rows[i].left);
        must_complete(&chain);
        assert_int_equal(chain.report.bytes_resumed > 0, rows[i].resumes);
    }
    free(file);
}

/* ---- the application's callback, which is a stage like any other ---- */

static esp_err_t undo_the_outer_cipher(decrypt_cb_arg_t *args, void *ctx)
{
    (void)ctx;
    args->data_out = malloc(args->data_in_len);
    assert_non_null(args->data_out);
    for (size_t i = 0; i < args->data_in_len; i++) {
        args->data_out[i] = (char)(args->data_in[i] ^ 0x33);
    }
    args->data_out_len = args->data_in_len;
    return ESP_OK;
}

static void a_decrypt_callback_stands_in_front_of_stages(void **state)
{
    update_rig_t *f = *state;
    chain_t chain = {.f = f, .kinds = {CIPHER, UNPACKER}};
    uint32_t len;
    uint8_t *file = file_for(&chain, &len);
    for (uint32_t i = 0; i < len; i++) {
        file[i] ^= 0x33;
    }
    f->web = web_with(file, len);
    f->config.ota.decrypt_cb = undo_the_outer_cipher;
    the_image_arrives(&chain);
    free(file);
}

static int set_up_for_resets(void **state)
{
    update_rig_t *f = update_rig_open(IMAGE_LEN, &(otter_device_config_t){.rollback = false});
    *state = f;
    return 0;
}

#define TEST(name)       cmocka_unit_test_setup_teardown(name, set_up, update_rig_tear_down)
#define TEST_RESET(name) cmocka_unit_test_setup_teardown(name, set_up_for_resets, update_rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_image_arrives_through_any_stages_however_it_comes),
        TEST(a_decoder_makes_many_times_its_input_in_bounded_pieces),
        TEST(a_decrypt_callback_stands_in_front_of_stages),
        TEST(what_a_stage_says_ends_the_update),
        TEST(a_verdict_at_the_end_of_a_stage_counts),
        TEST(a_stage_that_swallows_everything_leaves_no_image),
        TEST(more_stages_than_there_is_room_for_are_refused_and_freed),
        TEST(a_file_that_is_sent_again_cannot_be_compared_behind_a_stage),
        TEST_RESET(a_stage_that_rebuilds_its_state_from_flash_goes_on),
        TEST_RESET(a_stage_that_was_to_go_on_begins_anew_with_another_file),
        TEST_RESET(where_one_stage_cannot_go_on_nothing_is_remembered),
        TEST_RESET(where_one_stage_finds_no_way_on_all_begin_anew),
        TEST_RESET(an_image_may_reach_where_its_record_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
