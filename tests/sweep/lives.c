/* The lives that the sweep cuts. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sweep/life.h"

static const layout_t with_factory = {.name = "factory, two slots", .factory = true, .slots = 2};
static const layout_t two_slots = {.name = "two slots", .slots = 2};
static const layout_t two_efuse = {.name = "two slots, emulated eFuses", .efuse = true, .slots = 2};
static const layout_t two_nvs = {.name = "two slots, NVS", .nvs = true, .slots = 2};
static const layout_t factory_nvs = {
    .name = "factory, two slots, NVS", .factory = true, .nvs = true, .slots = 2};
static const layout_t copies_nvs = {
    .name = "two slots, staging, NVS", .copies = true, .staging = true, .nvs = true, .slots = 2};
static const layout_t three_slots = {.name = "three slots", .slots = 3};
static const layout_t factory_three = {.name = "factory, three slots", .factory = true, .slots = 3};

static const layout_t recorded_factory = {
    .name = "factory, two slots, recorded images", .factory = true, .recorded = true, .slots = 2};
static const layout_t recorded_two = {.name = "two slots, recorded images", .recorded = true, .slots = 2};

static const layout_t copies = {.name = "two slots, staging", .copies = true, .staging = true, .slots = 2};
static const layout_t copies_factory = {
    .name = "factory, two slots, staging", .factory = true, .copies = true, .staging = true, .slots = 2};
static const layout_t copies_three = {.name = "three slots, one of them staging", .copies = true, .slots = 3};
static const layout_t copies_no_md5 = {
    .name = "two slots, staging, no MD5", .copies = true, .staging = true, .no_md5 = true, .slots = 2};

static const layout_t copies_first = {.name = "two slots, no MD5, staging in the first row",
                                      .copies = true,
                                      .staging = true,
                                      .staging_first = true,
                                      .no_md5 = true,
                                      .slots = 2};

#define PLAIN                                                                                                \
    {                                                                                                        \
        0                                                                                                    \
    }
#define ROLLBACK                                                                                             \
    {                                                                                                        \
        .rollback = true                                                                                     \
    }
#define NO_MD5                                                                                               \
    {                                                                                                        \
        .allow_no_md5 = true                                                                                 \
    }
#define EMULATED                                                                                             \
    {                                                                                                        \
        .rollback = true, .anti_rollback = true, .emulated_efuses = &otter_emulated_efuses                   \
    }
#define GUARDED                                                                                              \
    {                                                                                                        \
        .rollback = true, .anti_rollback = true                                                              \
    }

/* Secure boot: image 4 is a stranger's. Then from one key to the next; image 4 is one that the old key alone has signed. */
static const signers_t secure_boot = {OTTER_TRUST_EFUSES, 0, "a", {"a", "a", "a", "a", "c"}};
static const signers_t all_signed = {OTTER_TRUST_EFUSES, 0, "a", {"a", "a", "a", "a", "a"}};
static const signers_t rotation = {OTTER_TRUST_EFUSES, 2, "ab", {"a", "ab", "b", "b", "a"}};
static const signers_t running_app = {OTTER_TRUST_RUNNING_APP, 0, "", {"a", "a", "a", "a", "c"}};

/* clang-format off */
#define UPDATE(number, fate_, erase_) {.kind = STEP_UPDATE, .image = number, .fate = FATE_##fate_, .erase = ERASE_##erase_}
#define TWICE(number, fate_) {.kind = STEP_UPDATE, .image = number, .fate = FATE_##fate_, .downloads = 2}
#define FIRST_BOOT {.kind = STEP_FIRST_BOOT}
#define HOME(number, fate_) {.kind = STEP_SELECT, .image = number, .fate = FATE_##fate_}
#define AWAY(number, fate_) {.kind = STEP_SELECT, .image = number, .fate = FATE_##fate_, .erase = ERASE_KNOWN}

#define ORDINARY {FIRST_BOOT, UPDATE(1, CONFIRM, AHEAD), UPDATE(2, CONFIRM, KNOWN), UPDATE(3, CONFIRM, AHEAD)}
#define CRASHING {FIRST_BOOT, UPDATE(1, CRASH, AHEAD), UPDATE(2, CONFIRM, AHEAD), UPDATE(3, CRASH, KNOWN), \
                  UPDATE(1, CONFIRM, AHEAD)}
#define REJECTED {FIRST_BOOT, UPDATE(1, CONFIRM, AHEAD), UPDATE(2, REJECT, AHEAD), UPDATE(3, CONFIRM, AHEAD), \
                  {.kind = STEP_REJECT, .image = 1}}
#define AGAIN    {FIRST_BOOT, UPDATE(1, CONFIRM, AHEAD), TWICE(2, CONFIRM), TWICE(3, CRASH)}
#define RESUMED  {FIRST_BOOT, UPDATE(1, CONFIRM, RESUME), UPDATE(2, CRASH, RESUME), UPDATE(3, CONFIRM, RESUME)}
#define BULK     {FIRST_BOOT, UPDATE(1, CONFIRM, WHOLE), UPDATE(2, CONFIRM, WHOLE)}
#define GIVE_UP  {FIRST_BOOT, UPDATE(1, CONFIRM, AHEAD), UPDATE(2, CONFIRM, AHEAD), {.kind = STEP_ERASE_LAST}, \
                  UPDATE(3, CONFIRM, AHEAD)}
#define TAKE_BACK(number, fate_) {.kind = STEP_TAKE_BACK, .image = number, .fate = FATE_##fate_}
#define CONFIRM  {.kind = STEP_CONFIRM}
#define SURE     {FIRST_BOOT, UPDATE(1, CONFIRM, AHEAD), CONFIRM, UPDATE(2, CONFIRM, AHEAD), CONFIRM, UPDATE(3, CONFIRM, AHEAD)}
#define WEB(number, fate_, how) {.kind = STEP_UPDATE, .image = number, .fate = FATE_##fate_, .https = (how)}
#define DOWNLOADED(how) {FIRST_BOOT, WEB(1, CONFIRM, how), WEB(2, CONFIRM, how), WEB(3, CONFIRM, how)}
#define TRIED_OUT(how)  {FIRST_BOOT, WEB(1, CRASH, how), WEB(2, CONFIRM, how), WEB(3, REJECT, how), WEB(1, CONFIRM, how)}
#define STAGED(number, fate_, how) \
    {.kind = STEP_UPDATE, .image = number, .fate = FATE_##fate_, .https = (how), .copy = COPY_APP}
#define STAGED_APP(how) {FIRST_BOOT, STAGED(1, CONFIRM, how), STAGED(2, CRASH, how), STAGED(3, CONFIRM, how)}
#define COPIED_NEXT(number) {.kind = STEP_UPDATE, .image = number, .fate = FATE_CONFIRM, .copied_next = true}
#define COPY(number, what, how) {.kind = STEP_COPY, .image = number, .https = (how), .copy = COPY_##what}
#define COPIED(what, how) {FIRST_BOOT, COPY(1, what, how), COPY(2, what, how)}
#define SMALL(layout_, options) {&layout_, options, 1, 0, 0, false, NULL, false, false, 0}
#define WIDE_SMALL(layout_, options) {&layout_, options, 16, 0, 0, false, NULL, false, false, 0}
#define RECORDED(layout_, options) {&layout_, options, 1, 0, 0, false, NULL, false, false, 0}
#define LARGE(layout_, options) {&layout_, options, 1, 3, 0, false, NULL, false, false, 0}
#define WIDE(layout_, options)  {&layout_, options, 16, 2, 0, false, NULL, false, false, 0}
#define PAGES(layout_, options) {&layout_, options, 256, 2, 0, false, NULL, false, false, 0}
/* just so large that progress is kept */
#define MIDDLE(layout_, options) {&layout_, options, 1, 2, 0, false, NULL, false, false, 0}
/* Other sectors and write units; and where a unit is programmed once. */
#define GEOMETRY(layout_, options, erase, write, sectors) \
    {&layout_, options, write, sectors, erase, false, NULL, false, false, 0}
#define ONCE(layout_, options, erase, write, sectors) {&layout_, options, write, sectors, erase, true, NULL, false, false, 0}
/* Chips that erase blocks of two sectors at once, and let the caller go on meanwhile. */
#define BLOCKS(layout_, options) {&layout_, options, 1, 3, 0, false, NULL, false, false, 0x2000}
#define WIDE_BLOCKS(layout_, options) {&layout_, options, 16, 3, 0, false, NULL, false, false, 0x2000}
#define SIGNED(layout_, options, sectors, who) {&layout_, options, 1, sectors, 0, false, &who, false, false, 0}
#define FORGED {.kind = STEP_FORGED, .image = 4}
#define REVOKE {.kind = STEP_REVOKE}
#define OFFERED {FIRST_BOOT, FORGED, UPDATE(1, CONFIRM, AHEAD), FORGED, UPDATE(2, CRASH, AHEAD), UPDATE(3, CONFIRM, KNOWN)}
#define ROTATED {FIRST_BOOT, REVOKE, UPDATE(1, CONFIRM, AHEAD), UPDATE(2, CONFIRM, AHEAD), REVOKE, FORGED, \
                 UPDATE(3, CONFIRM, AHEAD)}
/* flash encryption */
#define ENCRYPTED(layout_, options, sectors) {&layout_, options, 1, sectors, 0, false, NULL, true, false, 0}
/* The same from plain flash on. */
#define FIRST(layout_, options, erase, sectors, who) {&layout_, options, 1, sectors, erase, false, who, true, true, 0}
#define KIB 1024u

const life_t lives[] = {
    {"update/factory", LARGE(with_factory, PLAIN), PAIRS_NONE, ORDINARY},
    {"update/factory/rollback", LARGE(with_factory, ROLLBACK), PAIRS_NONE, ORDINARY},
    {"update/two", LARGE(two_slots, PLAIN), PAIRS_NONE, ORDINARY},
    {"update/two/rollback", LARGE(two_slots, ROLLBACK), PAIRS_NONE, ORDINARY},
    {"update/three", LARGE(three_slots, PLAIN), PAIRS_NONE, ORDINARY},
    {"update/three/rollback", LARGE(three_slots, ROLLBACK), PAIRS_NONE, ORDINARY},
    {"update/factory-three/rollback", LARGE(factory_three, ROLLBACK), PAIRS_NONE, ORDINARY},
    {"update/wide-writes", WIDE(with_factory, PLAIN), PAIRS_NONE, ORDINARY},
    {"update/wide-writes/rollback", WIDE(two_slots, ROLLBACK), PAIRS_NONE, ORDINARY},
    {"crash/factory", LARGE(with_factory, ROLLBACK), PAIRS_NONE, CRASHING},
    {"crash/two", LARGE(two_slots, ROLLBACK), PAIRS_NONE, CRASHING},
    {"crash/three", LARGE(three_slots, ROLLBACK), PAIRS_NONE, CRASHING},
    {"reject/factory", LARGE(with_factory, ROLLBACK), PAIRS_NONE, REJECTED},
    {"reject/two", LARGE(two_slots, ROLLBACK), PAIRS_NONE, REJECTED},
    {"again/factory", LARGE(with_factory, PLAIN), PAIRS_NONE, AGAIN},
    {"again/two/rollback", LARGE(two_slots, ROLLBACK), PAIRS_NONE, AGAIN},
    {"taken back/factory/rollback", LARGE(with_factory, ROLLBACK), PAIRS_NONE,
     {FIRST_BOOT, TAKE_BACK(1, CRASH), TAKE_BACK(2, CONFIRM)}},
    {"taken back/three/rollback", LARGE(three_slots, ROLLBACK), PAIRS_NONE,
     {FIRST_BOOT, TAKE_BACK(1, CRASH), UPDATE(2, CONFIRM, AHEAD), TAKE_BACK(3, CRASH), TAKE_BACK(1, CONFIRM)}},
    {"taken back/three", LARGE(three_slots, PLAIN), PAIRS_NONE, {FIRST_BOOT, TAKE_BACK(1, CONFIRM), TAKE_BACK(2, CONFIRM)}},
    {"confirmed/factory", LARGE(with_factory, PLAIN), PAIRS_NONE, SURE},
    {"confirmed/wide-writes/two", WIDE(two_slots, PLAIN), PAIRS_NONE, SURE},
    {"resume/factory", LARGE(with_factory, PLAIN), PAIRS_NONE, RESUMED},
    {"resume/two/rollback", LARGE(two_slots, ROLLBACK), PAIRS_NONE, RESUMED},
    {"bulk/factory", LARGE(with_factory, PLAIN), PAIRS_NONE, BULK},
    {"bulk/two/rollback", LARGE(two_slots, ROLLBACK), PAIRS_NONE, BULK},
    {"erase-last/factory", LARGE(with_factory, PLAIN), PAIRS_NONE, GIVE_UP},
    {"erase-last/two/rollback", LARGE(two_slots, ROLLBACK), PAIRS_NONE, GIVE_UP},
    {"damaged/factory", LARGE(with_factory, PLAIN), PAIRS_NONE,
     {FIRST_BOOT, {.kind = STEP_DAMAGED, .image = 1}, UPDATE(2, CONFIRM, AHEAD), {.kind = STEP_DAMAGED, .image = 3}}},
    {"damaged/two/rollback", LARGE(two_slots, ROLLBACK), PAIRS_NONE,
     {FIRST_BOOT, {.kind = STEP_DAMAGED, .image = 1}, UPDATE(2, CONFIRM, AHEAD), {.kind = STEP_DAMAGED, .image = 3}}},
    {"rot/two", LARGE(two_slots, PLAIN), PAIRS_NONE,
     {FIRST_BOOT, UPDATE(1, CONFIRM, AHEAD), {.kind = STEP_ROT, .image = 2}, UPDATE(3, CONFIRM, AHEAD)}},
    {"back and forth/factory", LARGE(with_factory, ROLLBACK), PAIRS_NONE,
     {FIRST_BOOT, UPDATE(1, CONFIRM, AHEAD), HOME(0, CONFIRM), AWAY(1, CONFIRM), HOME(0, CONFIRM), AWAY(1, CRASH)}},
    {"back and forth/two", LARGE(two_slots, PLAIN), PAIRS_NONE,
     {FIRST_BOOT, UPDATE(1, CONFIRM, AHEAD), HOME(0, CONFIRM), AWAY(1, CONFIRM), HOME(0, CONFIRM)}},
    {"back and forth/two/rollback", LARGE(two_slots, ROLLBACK), PAIRS_NONE,
     {FIRST_BOOT, UPDATE(1, CONFIRM, AHEAD), HOME(0, CONFIRM), AWAY(1, CRASH), AWAY(1, CONFIRM), HOME(0, REJECT)}},
    {"anti-rollback/factory", LARGE(with_factory, GUARDED), PAIRS_NONE,
     {FIRST_BOOT, UPDATE(1, CONFIRM, AHEAD), UPDATE(3, CONFIRM, AHEAD), {.kind = STEP_REFUSED, .image = 2}}},
    {"anti-rollback/two", LARGE(two_slots, GUARDED), PAIRS_NONE,
     {FIRST_BOOT, UPDATE(1, CRASH, AHEAD), UPDATE(3, CONFIRM, AHEAD), {.kind = STEP_REFUSED, .image = 1}}},
    {"https/factory", MIDDLE(with_factory, PLAIN), PAIRS_NONE, DOWNLOADED(HTTPS_PLAIN)},
    {"https/two/rollback", MIDDLE(two_slots, ROLLBACK), PAIRS_NONE, TRIED_OUT(HTTPS_PLAIN)},
    {"https/wide-writes/rollback", WIDE(two_slots, ROLLBACK), PAIRS_NONE, DOWNLOADED(HTTPS_RESUMES | HTTPS_SAME)},
    {"https/bad link/factory", MIDDLE(with_factory, PLAIN), PAIRS_NONE, DOWNLOADED(HTTPS_DROPS)},
    {"https/ranges, bad link/two/rollback", LARGE(two_slots, ROLLBACK), PAIRS_NONE,
     TRIED_OUT(HTTPS_RANGES | HTTPS_DROPS | HTTPS_RESUMES | HTTPS_SAME)},
    {"https/resumed, same file/factory", LARGE(with_factory, ROLLBACK), PAIRS_NONE, DOWNLOADED(HTTPS_RESUMES | HTTPS_SAME)},
    {"https/resumed, same file/two", LARGE(two_slots, PLAIN), PAIRS_NONE, DOWNLOADED(HTTPS_RESUMES | HTTPS_SAME)},
    {"https/resumed, another file/factory", LARGE(with_factory, PLAIN), PAIRS_NONE, DOWNLOADED(HTTPS_RESUMES)},
    {"https/resumed, another file/two/rollback", LARGE(two_slots, ROLLBACK), PAIRS_NONE, TRIED_OUT(HTTPS_RESUMES)},
    {"https/broken off/two/rollback", LARGE(two_slots, ROLLBACK), PAIRS_NONE,
     DOWNLOADED(HTTPS_RESUMES | HTTPS_SAME | HTTPS_BREAKS)},
    {"https/withdrawn/factory", LARGE(with_factory, PLAIN), PAIRS_NONE, DOWNLOADED(HTTPS_RESUMES | HTTPS_WITHDRAWN)},
    {"https/withdrawn/two/rollback", LARGE(two_slots, ROLLBACK), PAIRS_NONE, DOWNLOADED(HTTPS_RESUMES | HTTPS_WITHDRAWN)},
    {"https/by-hand/two/rollback", LARGE(two_slots, ROLLBACK), PAIRS_NONE,
     DOWNLOADED(HTTPS_RESUMES | HTTPS_SAME | HTTPS_BY_HAND)},
    {"https/encrypted/factory", MIDDLE(with_factory, PLAIN), PAIRS_NONE, DOWNLOADED(HTTPS_ENCRYPTED)},
    {"https/sealed/factory", MIDDLE(with_factory, PLAIN), PAIRS_NONE, DOWNLOADED(HTTPS_SEALED)},
    {"https/sealed, bad link/two/rollback", MIDDLE(two_slots, ROLLBACK), PAIRS_NONE,
     TRIED_OUT(HTTPS_SEALED | HTTPS_DROPS | HTTPS_RANGES)},
    {"https/sealed, resumed, same file/two", LARGE(two_slots, PLAIN), PAIRS_NONE,
     DOWNLOADED(HTTPS_SEALED | HTTPS_RESUMES | HTTPS_SAME)},
    {"https/sealed, resumed, another file/two/rollback", LARGE(two_slots, ROLLBACK), PAIRS_NONE,
     TRIED_OUT(HTTPS_SEALED | HTTPS_RESUMES)},
    {"https/sealed, broken off/two/rollback", LARGE(two_slots, ROLLBACK), PAIRS_NONE,
     DOWNLOADED(HTTPS_SEALED | HTTPS_RESUMES | HTTPS_SAME | HTTPS_BREAKS)},
    {"https/sealed, withdrawn/two/rollback", LARGE(two_slots, ROLLBACK), PAIRS_NONE,
     DOWNLOADED(HTTPS_SEALED | HTTPS_RESUMES | HTTPS_WITHDRAWN)},
    {"https/encrypted, bad link/two/rollback", MIDDLE(two_slots, ROLLBACK), PAIRS_NONE,
     TRIED_OUT(HTTPS_ENCRYPTED | HTTPS_DROPS | HTTPS_RANGES)},
    {"blocks/update/factory", BLOCKS(with_factory, PLAIN), PAIRS_NONE, ORDINARY},
    {"blocks/resume/two/rollback", BLOCKS(two_slots, ROLLBACK), PAIRS_NONE, RESUMED},
    {"blocks/https/two/rollback", BLOCKS(two_slots, ROLLBACK), PAIRS_NONE, TRIED_OUT(HTTPS_PLAIN)},
    {"blocks/https/resumed, same file/two", BLOCKS(two_slots, PLAIN), PAIRS_NONE, DOWNLOADED(HTTPS_RESUMES | HTTPS_SAME)},
    {"blocks/https/ranges, bad link/wide-writes/two/rollback", WIDE_BLOCKS(two_slots, ROLLBACK), PAIRS_NONE,
     TRIED_OUT(HTTPS_RANGES | HTTPS_DROPS | HTTPS_RESUMES | HTTPS_SAME)},
    {"blocks/https/sealed, broken off/two/rollback", BLOCKS(two_slots, ROLLBACK), PAIRS_NONE,
     DOWNLOADED(HTTPS_SEALED | HTTPS_RESUMES | HTTPS_SAME | HTTPS_BREAKS)},
    {"blocks/https/encrypted, bad link/factory", BLOCKS(with_factory, PLAIN), PAIRS_NONE,
     DOWNLOADED(HTTPS_ENCRYPTED | HTTPS_DROPS)},
    {"copy/app/factory", LARGE(copies_factory, PLAIN), PAIRS_NONE, STAGED_APP(0)},
    {"copy/app/two/rollback", LARGE(copies, ROLLBACK), PAIRS_NONE, STAGED_APP(0)},
    {"copy/app/wide-writes/rollback", WIDE(copies, ROLLBACK), PAIRS_NONE, STAGED_APP(0)},
    {"copy/app/https/two/rollback", MIDDLE(copies, ROLLBACK), PAIRS_NONE, STAGED_APP(HTTPS_PLAIN)},
    {"copy/app/https, resumed/two/rollback", LARGE(copies, ROLLBACK), PAIRS_NONE, STAGED_APP(HTTPS_RESUMES | HTTPS_SAME)},
    {"copy/app/https, resumed/slot to slot", LARGE(copies_three, ROLLBACK), PAIRS_NONE,
     STAGED_APP(HTTPS_RESUMES | HTTPS_SAME)},
    {"copy/app/slot to slot", LARGE(copies_three, PLAIN), PAIRS_NONE, STAGED_APP(0)},
    {"copy/app/onto a torn download", LARGE(copies, ROLLBACK), PAIRS_NONE,
     {FIRST_BOOT, COPIED_NEXT(1), COPIED_NEXT(2), COPIED_NEXT(3)}},
    {"copy/app/damaged", LARGE(copies, ROLLBACK), PAIRS_NONE,
     {FIRST_BOOT, {.kind = STEP_DAMAGED, .image = 1, .copy = COPY_APP}, STAGED(2, CONFIRM, 0),
      {.kind = STEP_DAMAGED, .image = 3, .copy = COPY_APP}}},
    {"copy/data", LARGE(copies_factory, PLAIN), PAIRS_NONE, COPIED(DATA, 0)},
    {"copy/data/https, resumed", LARGE(copies, ROLLBACK), PAIRS_NONE, COPIED(DATA, HTTPS_RESUMES | HTTPS_SAME)},
    {"copy/data/from a slot", LARGE(copies_three, ROLLBACK), PAIRS_NONE, COPIED(DATA, HTTPS_RESUMES)},
    {"copy/data/wide-writes", WIDE(copies, PLAIN), PAIRS_NONE, COPIED(DATA, 0)},
    {"copy/data/256-byte writes", PAGES(copies_factory, PLAIN), PAIRS_NONE, COPIED(DATA, 0)},
    {"copy/bootloader", LARGE(copies, ROLLBACK), PAIRS_NONE, COPIED(BOOTLOADER, 0)},
    {"copy/bootloader/https", MIDDLE(copies_three, PLAIN), PAIRS_NONE, COPIED(BOOTLOADER, HTTPS_PLAIN)},
    {"copy/table", MIDDLE(copies, ROLLBACK), PAIRS_NONE, COPIED(TABLE, 0)},
    {"copy/table/https, from a slot", MIDDLE(copies_three, PLAIN), PAIRS_NONE, COPIED(TABLE, HTTPS_PLAIN)},
    {"copy/table/no MD5", MIDDLE(copies_no_md5, NO_MD5), PAIRS_NONE, COPIED(TABLE, 0)},
    {"copy/table/no MD5, staging first", MIDDLE(copies_first, NO_MD5), PAIRS_LONG, COPIED(TABLE, 0)},
    {"copy/table/wide-writes", WIDE(copies, PLAIN), PAIRS_NONE, COPIED(TABLE, 0)},
    {"copy/table/wide-writes/no MD5", WIDE(copies_first, NO_MD5), PAIRS_LONG, COPIED(TABLE, 0)},
    {"copy/table/256-byte writes", PAGES(copies_factory, PLAIN), PAIRS_NONE, COPIED(TABLE, 0)},
    {"copy/table/256-byte writes/no MD5", PAGES(copies_no_md5, NO_MD5), PAIRS_LONG, COPIED(TABLE, 0)},
    {"small/taken back/factory", SMALL(with_factory, ROLLBACK), PAIRS_SAMPLED,
     {FIRST_BOOT, TAKE_BACK(1, CRASH), TAKE_BACK(2, CONFIRM)}},
    {"small/taken back/three", SMALL(three_slots, ROLLBACK), PAIRS_SAMPLED,
     {FIRST_BOOT, UPDATE(2, CONFIRM, AHEAD), TAKE_BACK(3, CRASH), TAKE_BACK(1, CONFIRM)}},
    {"small/confirmed/factory", SMALL(with_factory, PLAIN), PAIRS_SAMPLED, SURE},
    {"small/confirmed/wide-writes/factory", WIDE_SMALL(with_factory, PLAIN), PAIRS_SAMPLED, SURE},
    {"small/anti-rollback/two", SMALL(two_slots, GUARDED), PAIRS_SAMPLED,
     {FIRST_BOOT, UPDATE(1, CRASH, AHEAD), UPDATE(3, CONFIRM, AHEAD), {.kind = STEP_REFUSED, .image = 1}}},
    {"small/factory/rollback", SMALL(with_factory, ROLLBACK), PAIRS_SAMPLED, ORDINARY},
    {"small/wide-writes/two/rollback", WIDE_SMALL(two_slots, ROLLBACK), PAIRS_SAMPLED, ORDINARY},
    {"small/wide-writes/crash/factory", WIDE_SMALL(with_factory, ROLLBACK), PAIRS_SAMPLED, CRASHING},
    {"small/crash/two", SMALL(two_slots, ROLLBACK), PAIRS_SAMPLED, CRASHING},
    {"small/crash/three", SMALL(three_slots, ROLLBACK), PAIRS_SAMPLED, CRASHING},
    {"small/reject/two", SMALL(two_slots, ROLLBACK), PAIRS_SAMPLED, REJECTED},
    {"small/resume/two", SMALL(two_slots, ROLLBACK), PAIRS_SAMPLED, RESUMED},
    {"small/https/two/rollback", SMALL(two_slots, ROLLBACK), PAIRS_SAMPLED, TRIED_OUT(HTTPS_PLAIN)},
    {"two sectors/https, same file/factory", MIDDLE(with_factory, ROLLBACK), PAIRS_SAMPLED,
     DOWNLOADED(HTTPS_RESUMES | HTTPS_SAME)},
    {"two sectors/https, broken off/two", MIDDLE(two_slots, PLAIN), PAIRS_SAMPLED,
     DOWNLOADED(HTTPS_RESUMES | HTTPS_SAME | HTTPS_BREAKS)},
    {"small/copy/app/two", SMALL(copies, ROLLBACK), PAIRS_SAMPLED, STAGED_APP(HTTPS_PLAIN)},
    {"small/copy/data", SMALL(copies, PLAIN), PAIRS_SAMPLED, COPIED(DATA, 0)},
    {"small/copy/table", SMALL(copies, PLAIN), PAIRS_SAMPLED, COPIED(TABLE, 0)},
    {"small/factory", SMALL(with_factory, PLAIN), PAIRS_ALL, ORDINARY},
    {"small/two", SMALL(two_slots, PLAIN), PAIRS_ALL, ORDINARY},
    {"small/wide-writes/factory", WIDE_SMALL(with_factory, PLAIN), PAIRS_ALL, ORDINARY},
    {"small/two/rollback", SMALL(two_slots, ROLLBACK), PAIRS_ALL, ORDINARY},
    {"small/https/two", SMALL(two_slots, PLAIN), PAIRS_ALL, DOWNLOADED(HTTPS_RESUMES | HTTPS_SAME)},
    {"geometry/8 KiB/1/factory", GEOMETRY(with_factory, ROLLBACK, 8 * KIB, 1, 2), PAIRS_NONE, CRASHING},
    {"geometry/2 KiB/8/two", GEOMETRY(two_slots, ROLLBACK, 2 * KIB, 8, 2), PAIRS_NONE, CRASHING},
    {"geometry/4 KiB/32/two", GEOMETRY(two_slots, ROLLBACK, 4 * KIB, 32, 2), PAIRS_NONE, CRASHING},
    {"geometry/32 KiB/4/two", GEOMETRY(two_slots, ROLLBACK, 32 * KIB, 4, 2), PAIRS_NONE, REJECTED},
    {"geometry/128 KiB/32/two", GEOMETRY(two_slots, ROLLBACK, 128 * KIB, 32, 0), PAIRS_NONE, CRASHING},
    {"geometry/128 KiB/32/https, resumed", GEOMETRY(two_slots, ROLLBACK, 128 * KIB, 32, 2), PAIRS_NONE,
     DOWNLOADED(HTTPS_RESUMES | HTTPS_SAME)},
    {"geometry/128 KiB/1/copy/app", GEOMETRY(copies, ROLLBACK, 128 * KIB, 1, 0), PAIRS_NONE, STAGED_APP(0)},
    {"geometry/128 KiB/32/copy/table", GEOMETRY(copies, ROLLBACK, 128 * KIB, 32, 0), PAIRS_NONE, COPIED(TABLE, 0)},
    {"geometry/128 KiB/32/copy/table/no MD5", GEOMETRY(copies_first, NO_MD5, 128 * KIB, 32, 0), PAIRS_LONG, COPIED(TABLE, 0)},
    {"geometry/2 KiB/8/copy/table/no MD5", GEOMETRY(copies_no_md5, NO_MD5, 2 * KIB, 8, 0), PAIRS_LONG, COPIED(TABLE, 0)},
    {"once/128 KiB/32/two", ONCE(two_slots, ROLLBACK, 128 * KIB, 32, 0), PAIRS_SAMPLED, CRASHING},
    {"once/128 KiB/32/https, resumed", ONCE(two_slots, ROLLBACK, 128 * KIB, 32, 2), PAIRS_NONE,
     DOWNLOADED(HTTPS_RESUMES | HTTPS_SAME)},
    {"once/128 KiB/32/copy/app", ONCE(copies, ROLLBACK, 128 * KIB, 32, 0), PAIRS_NONE, STAGED_APP(0)},
    {"once/128 KiB/32/copy/table", ONCE(copies, ROLLBACK, 128 * KIB, 32, 0), PAIRS_LONG, COPIED(TABLE, 0)},
    {"once/128 KiB/32/copy/table/no MD5", ONCE(copies_no_md5, NO_MD5, 128 * KIB, 32, 0), PAIRS_LONG, COPIED(TABLE, 0)},
    {"once/2 KiB/8/factory", ONCE(with_factory, PLAIN, 2 * KIB, 8, 2), PAIRS_NONE, ORDINARY},
    {"once/2 KiB/8/crash", ONCE(two_slots, ROLLBACK, 2 * KIB, 8, 0), PAIRS_SAMPLED, CRASHING},
    {"once/2 KiB/8/copy/app", ONCE(copies, ROLLBACK, 2 * KIB, 8, 0), PAIRS_LONG, STAGED_APP(HTTPS_PLAIN)},
    {"once/2 KiB/8/copy/table", ONCE(copies, ROLLBACK, 2 * KIB, 8, 0), PAIRS_LONG, COPIED(TABLE, 0)},
    {"once/2 KiB/8/copy/table/no MD5", ONCE(copies_first, NO_MD5, 2 * KIB, 8, 0), PAIRS_LONG, COPIED(TABLE, 0)},
    {"once/8 KiB/16/reject", ONCE(two_slots, ROLLBACK, 8 * KIB, 16, 2), PAIRS_LONG, REJECTED},
    {"once/8 KiB/16/taken back", ONCE(three_slots, ROLLBACK, 8 * KIB, 16, 0), PAIRS_SAMPLED,
     {FIRST_BOOT, TAKE_BACK(1, CRASH), UPDATE(2, CONFIRM, AHEAD), TAKE_BACK(3, CRASH), TAKE_BACK(1, CONFIRM)}},
    {"once/8 KiB/16/confirmed", ONCE(with_factory, PLAIN, 8 * KIB, 16, 0), PAIRS_SAMPLED, SURE},
    {"once/8 KiB/16/https, broken off", ONCE(two_slots, ROLLBACK, 8 * KIB, 16, 3), PAIRS_LONG,
     DOWNLOADED(HTTPS_RESUMES | HTTPS_SAME | HTTPS_BREAKS)},
    {"once/8 KiB/16/https, withdrawn", ONCE(with_factory, PLAIN, 8 * KIB, 16, 3), PAIRS_NONE,
     DOWNLOADED(HTTPS_RESUMES | HTTPS_WITHDRAWN)},
    {"once/8 KiB/16/copy/slot to slot", ONCE(copies_three, ROLLBACK, 8 * KIB, 16, 2), PAIRS_NONE,
     STAGED_APP(HTTPS_RESUMES | HTTPS_SAME)},
    {"once/8 KiB/16/copy/data", ONCE(copies, PLAIN, 8 * KIB, 16, 0), PAIRS_SAMPLED, COPIED(DATA, 0)},
    {"once/8 KiB/16/copy/table/no MD5", ONCE(copies_no_md5, NO_MD5, 8 * KIB, 16, 0), PAIRS_LONG, COPIED(TABLE, 0)},
    {"once/8 KiB/16/copy/bootloader", ONCE(copies_three, PLAIN, 8 * KIB, 16, 0), PAIRS_LONG, COPIED(BOOTLOADER, HTTPS_PLAIN)},
    {"once/8 KiB/16/anti-rollback", ONCE(two_slots, GUARDED, 8 * KIB, 16, 0), PAIRS_SAMPLED,
     {FIRST_BOOT, UPDATE(1, CRASH, AHEAD), UPDATE(3, CONFIRM, AHEAD), {.kind = STEP_REFUSED, .image = 1}}},
    {"once/8 KiB/16/erase-last", ONCE(two_slots, ROLLBACK, 8 * KIB, 16, 0), PAIRS_LONG, GIVE_UP},
    {"once/8 KiB/16/back and forth", ONCE(two_slots, ROLLBACK, 8 * KIB, 16, 0), PAIRS_LONG,
     {FIRST_BOOT, UPDATE(1, CONFIRM, AHEAD), HOME(0, CONFIRM), AWAY(1, CRASH), AWAY(1, CONFIRM), HOME(0, REJECT)}},
    {"once/8 KiB/16/resume", ONCE(two_slots, ROLLBACK, 8 * KIB, 16, 2), PAIRS_NONE, RESUMED},
    {"signed/factory", SIGNED(with_factory, ROLLBACK, 0, secure_boot), PAIRS_NONE, OFFERED},
    {"signed/two", SIGNED(two_slots, ROLLBACK, 2, secure_boot), PAIRS_NONE, OFFERED},
    {"signed/https, sealed, resumed/two", SIGNED(two_slots, ROLLBACK, 2, secure_boot), PAIRS_NONE,
     DOWNLOADED(HTTPS_SEALED | HTTPS_RESUMES | HTTPS_SAME)},
    {"signed/https, resumed/two", SIGNED(two_slots, ROLLBACK, 2, secure_boot), PAIRS_NONE,
     DOWNLOADED(HTTPS_RESUMES | HTTPS_SAME)},
    {"signed/anti-rollback/two", SIGNED(two_slots, GUARDED, 0, all_signed), PAIRS_NONE,
     {FIRST_BOOT, UPDATE(1, CRASH, AHEAD), UPDATE(3, CONFIRM, AHEAD), {.kind = STEP_REFUSED, .image = 1}}},
    {"signed/copy/app", SIGNED(copies, ROLLBACK, 0, secure_boot), PAIRS_NONE, STAGED_APP(0)},
    {"signed/copy/bootloader", SIGNED(copies, ROLLBACK, 0, all_signed), PAIRS_NONE, COPIED(BOOTLOADER, 0)},
    {"signed/without secure boot/two", SIGNED(two_slots, ROLLBACK, 0, running_app), PAIRS_NONE, OFFERED},
    {"signed/without secure boot/factory", SIGNED(with_factory, PLAIN, 0, running_app), PAIRS_NONE,
     {FIRST_BOOT, FORGED, UPDATE(1, CONFIRM, AHEAD), FORGED, UPDATE(2, CONFIRM, KNOWN)}},
    {"signed/keys change/factory", SIGNED(with_factory, ROLLBACK, 0, rotation), PAIRS_NONE, ROTATED},
    {"signed/keys change/two", SIGNED(two_slots, PLAIN, 0, rotation), PAIRS_LONG, ROTATED},
    {"encrypted/two/rollback", ENCRYPTED(two_slots, ROLLBACK, 3), PAIRS_NONE, ORDINARY},
    {"encrypted/crash/factory", ENCRYPTED(with_factory, ROLLBACK, 0), PAIRS_SAMPLED, CRASHING},
    {"encrypted/reject/two", ENCRYPTED(two_slots, ROLLBACK, 0), PAIRS_LONG, REJECTED},
    {"encrypted/again/factory", ENCRYPTED(with_factory, PLAIN, 2), PAIRS_NONE, AGAIN},
    {"encrypted/confirmed/factory", ENCRYPTED(with_factory, PLAIN, 0), PAIRS_LONG, SURE},
    {"encrypted/taken back/three", ENCRYPTED(three_slots, ROLLBACK, 0), PAIRS_LONG,
     {FIRST_BOOT, TAKE_BACK(1, CRASH), UPDATE(2, CONFIRM, AHEAD), TAKE_BACK(3, CRASH), TAKE_BACK(1, CONFIRM)}},
    {"encrypted/back and forth/two", ENCRYPTED(two_slots, ROLLBACK, 0), PAIRS_LONG,
     {FIRST_BOOT, UPDATE(1, CONFIRM, AHEAD), HOME(0, CONFIRM), AWAY(1, CRASH), AWAY(1, CONFIRM), HOME(0, REJECT)}},
    {"encrypted/resume/two", ENCRYPTED(two_slots, ROLLBACK, 2), PAIRS_NONE, RESUMED},
    {"encrypted/bulk/factory", ENCRYPTED(with_factory, PLAIN, 2), PAIRS_NONE, BULK},
    {"encrypted/erase-last/two", ENCRYPTED(two_slots, ROLLBACK, 0), PAIRS_LONG, GIVE_UP},
    {"encrypted/anti-rollback/two", ENCRYPTED(two_slots, GUARDED, 0), PAIRS_LONG,
     {FIRST_BOOT, UPDATE(1, CRASH, AHEAD), UPDATE(3, CONFIRM, AHEAD), {.kind = STEP_REFUSED, .image = 1}}},
    {"encrypted/https, resumed/two", ENCRYPTED(two_slots, ROLLBACK, 3), PAIRS_NONE,
     DOWNLOADED(HTTPS_RESUMES | HTTPS_SAME)},
    {"encrypted/https, broken off/factory", ENCRYPTED(with_factory, PLAIN, 3), PAIRS_LONG,
     DOWNLOADED(HTTPS_RESUMES | HTTPS_SAME | HTTPS_BREAKS)},
    {"encrypted/https, withdrawn/two", ENCRYPTED(two_slots, ROLLBACK, 3), PAIRS_NONE,
     DOWNLOADED(HTTPS_RESUMES | HTTPS_WITHDRAWN)},
    {"encrypted/https, decrypted/two", ENCRYPTED(two_slots, ROLLBACK, 2), PAIRS_NONE, TRIED_OUT(HTTPS_ENCRYPTED)},
    {"encrypted/copy/app/two", ENCRYPTED(copies, ROLLBACK, 2), PAIRS_NONE, STAGED_APP(0)},
    {"encrypted/copy/app/slot to slot", ENCRYPTED(copies_three, ROLLBACK, 3), PAIRS_NONE,
     STAGED_APP(HTTPS_RESUMES | HTTPS_SAME)},
    {"encrypted/copy/data", ENCRYPTED(copies, PLAIN, 0), PAIRS_LONG, COPIED(DATA, 0)},
    {"encrypted/copy/data/from a slot", ENCRYPTED(copies_three, ROLLBACK, 0), PAIRS_NONE, COPIED(DATA, HTTPS_RESUMES)},
    {"encrypted/copy/bootloader", ENCRYPTED(copies, ROLLBACK, 0), PAIRS_LONG, COPIED(BOOTLOADER, 0)},
    {"encrypted/copy/table", ENCRYPTED(copies, PLAIN, 0), PAIRS_LONG, COPIED(TABLE, 0)},
    {"encrypted/copy/table, from a slot", ENCRYPTED(copies_three, PLAIN, 0), PAIRS_LONG, COPIED(TABLE, HTTPS_PLAIN)},
    {"encrypted/copy/table/no MD5", ENCRYPTED(copies_no_md5, NO_MD5, 0), PAIRS_LONG, COPIED(TABLE, 0)},
    {"encrypted/once/128 KiB/32/two", {&two_slots, ROLLBACK, 32, 0, 128 * KIB, true, NULL, true, false, 0}, PAIRS_NONE, CRASHING},
    {"encrypted/once/8 KiB/16/copy/table", {&copies, ROLLBACK, 16, 0, 8 * KIB, true, NULL, true, false, 0},
     PAIRS_LONG, COPIED(TABLE, 0)},
    {"encrypted/once/8 KiB/16/copy/table/no MD5", {&copies_no_md5, NO_MD5, 16, 0, 8 * KIB, true, NULL, true, false, 0},
     PAIRS_LONG,
     COPIED(TABLE, 0)},
    {"encrypted/once/128 KiB/32/copy/table/no MD5", {&copies_first, NO_MD5, 32, 0, 128 * KIB, true, NULL, true, false, 0},
     PAIRS_LONG,
     COPIED(TABLE, 0)},
    {"encrypted/signed/two", {&two_slots, ROLLBACK, 1, 2, 0, false, &secure_boot, true, false, 0}, PAIRS_NONE, OFFERED},
    {"encrypted/signed/https, resumed/two", {&two_slots, ROLLBACK, 1, 2, 0, false, &secure_boot, true, false, 0}, PAIRS_NONE,
     DOWNLOADED(HTTPS_RESUMES | HTTPS_SAME)},
    {"recorded/factory", RECORDED(recorded_factory, PLAIN), PAIRS_IN_BOOT,
     {FIRST_BOOT, UPDATE(1, CONFIRM, AHEAD), UPDATE(2, CONFIRM, KNOWN), UPDATE(0, CONFIRM, AHEAD)}},
    {"recorded/factory/rollback", RECORDED(recorded_factory, ROLLBACK), PAIRS_IN_BOOT,
     {FIRST_BOOT, UPDATE(1, CONFIRM, AHEAD), UPDATE(2, CRASH, KNOWN), UPDATE(0, CONFIRM, AHEAD)}},
    {"recorded/two", RECORDED(recorded_two, PLAIN), PAIRS_IN_BOOT,
     {FIRST_BOOT, UPDATE(1, CONFIRM, AHEAD), TWICE(2, CONFIRM),
      {.kind = STEP_UPDATE, .image = 0, .erase = ERASE_KNOWN, .downloads = 2}}},
    {"recorded/two crashes/two", RECORDED(recorded_two, ROLLBACK), PAIRS_IN_BOOT,
     {FIRST_BOOT, UPDATE(1, CRASH, AHEAD), UPDATE(2, CRASH, KNOWN), UPDATE(2, CONFIRM, AHEAD)}},
    {"recorded/again/factory/rollback", RECORDED(recorded_factory, ROLLBACK), PAIRS_IN_BOOT,
     {FIRST_BOOT, TWICE(1, CONFIRM), TWICE(2, CRASH), {.kind = STEP_UPDATE, .image = 0, .downloads = 3}}},
    {"recorded/larger/factory", RECORDED(recorded_factory, ROLLBACK), PAIRS_IN_BOOT,
     {FIRST_BOOT, UPDATE(3, CONFIRM, AHEAD), UPDATE(1, CONFIRM, AHEAD)}},
    {"nvs/factory/rollback", LARGE(factory_nvs, ROLLBACK), PAIRS_NONE, CRASHING},
    {"nvs/two", SMALL(two_nvs, PLAIN), PAIRS_LONG, ORDINARY},
    {"nvs/resume/two/rollback", LARGE(two_nvs, ROLLBACK), PAIRS_NONE, RESUMED},
    {"nvs/https, resumed/two/rollback", MIDDLE(two_nvs, ROLLBACK), PAIRS_LONG, DOWNLOADED(HTTPS_RESUMES | HTTPS_SAME)},
    {"nvs/copy/app", SMALL(copies_nvs, ROLLBACK), PAIRS_LONG, STAGED_APP(0)},
    {"nvs/copy/table", SMALL(copies_nvs, PLAIN), PAIRS_LONG, COPIED(TABLE, 0)},
    {"encrypted/nvs/two/rollback", ENCRYPTED(two_nvs, ROLLBACK, 0), PAIRS_LONG, ORDINARY},
    {"encrypted/nvs/https, resumed/factory", ENCRYPTED(factory_nvs, PLAIN, 3), PAIRS_LONG,
     DOWNLOADED(HTTPS_RESUMES | HTTPS_SAME)},
    {"encrypted/nvs/copy/table", ENCRYPTED(copies_nvs, PLAIN, 0), PAIRS_LONG, COPIED(TABLE, 0)},
    {"anti-rollback/emulated", LARGE(two_efuse, EMULATED), PAIRS_NONE,
     {FIRST_BOOT, UPDATE(1, CRASH, AHEAD), UPDATE(2, CONFIRM, AHEAD), UPDATE(3, CONFIRM, AHEAD),
      {.kind = STEP_REFUSED, .image = 1}}},
    {"anti-rollback/emulated/8 KiB/16", GEOMETRY(two_efuse, EMULATED, 8 * KIB, 16, 0), PAIRS_NONE,
     {FIRST_BOOT, UPDATE(1, CONFIRM, AHEAD), UPDATE(3, CONFIRM, AHEAD), {.kind = STEP_REFUSED, .image = 2}}},
    {"first boot/factory/rollback", FIRST(with_factory, ROLLBACK, 0, 2, NULL), PAIRS_SAMPLED, {FIRST_BOOT}},
    {"first boot/two", FIRST(two_slots, PLAIN, 0, 0, NULL), PAIRS_LONG,
     {FIRST_BOOT, UPDATE(1, CONFIRM, AHEAD), UPDATE(2, CONFIRM, KNOWN)}},
    {"first boot/8 KiB/two/rollback", FIRST(two_slots, ROLLBACK, 8 * KIB, 2, NULL), PAIRS_LONG,
     {FIRST_BOOT, UPDATE(1, CRASH, AHEAD)}},
    {"first boot/signed/two", FIRST(two_slots, PLAIN, 0, 2, &secure_boot), PAIRS_LONG, {FIRST_BOOT, FORGED}},
    {"first boot/signed, bootloader/factory", FIRST(with_factory, PLAIN, 0, 2, &rotation), PAIRS_NONE, {FIRST_BOOT}},
};
/* clang-format on */
_Static_assert(sizeof(lives) / sizeof(lives[0]) <= LIVES_MAX, "cuts are counted by life");
const unsigned life_count = sizeof(lives) / sizeof(lives[0]);
