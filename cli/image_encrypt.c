/* otter image encrypt and decrypt: an image that only the device with the key can read, and the image in one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "decrypt_key.h"
#include "linux/image_key.h"
#include "linux/signing_key.h"
#include "otter/bytes.h"
#include "otter/encrypted_image.h"
#include "signing_options.h"

#define FILE_MAX  (128u << 20) /* bytes: the largest flash of a chip */
#define KEY_AT    4u           /* in the header, FORMATS.md section 13 */
#define NONCE_AT  388u
#define LENGTH_AT 404u
#define TAG_AT    408u

typedef struct {
    const char *file, *key, *output, *passphrase, *efuse;
} crypt_options_t;

/** The file in one block of memory, behind a header's room. */
static uint8_t *load_behind_header(const char *verb, const char *path, size_t *len)
{
    uint8_t *bytes = cli_read_file(verb, path, FILE_MAX, len);
    uint8_t *file = bytes != NULL ? realloc(bytes, OTTER_ENCRYPTED_HEADER + *len + 1) : NULL;
    if (file == NULL) {
        free(bytes);
        if (bytes != NULL) {
            (void)cli_refuse(verb, "out of memory");
        }
        return NULL;
    }
    memmove(file + OTTER_ENCRYPTED_HEADER, file, *len);
    memset(file, 0, OTTER_ENCRYPTED_HEADER);
    return file;
}

/* ---- encrypt ---- */

/** Header and ciphertext, in place. @return false: no memory, or no random bytes */
static bool encrypt_in_place(uint8_t *file, size_t len, const uint8_t *aes)
{
    le32_put(file, OTTER_ENCRYPTED_MAGIC);
    le32_put(file + LENGTH_AT, (uint32_t)len);
    if (!image_key_random(file + NONCE_AT, OTTER_GCM_LEN)) {
        return false;
    }
    otter_gcm_t *gcm = otter_gcm_new(aes, file + NONCE_AT, true);
    uint8_t *bytes = file + OTTER_ENCRYPTED_HEADER;
    bool good = gcm != NULL && otter_gcm_update(gcm, bytes, len, bytes) && otter_gcm_tag(gcm, file + TAG_AT);
    otter_gcm_free(gcm);
    return good;
}

static void note_kind(const crypt_options_t *o, const uint8_t *image, size_t len)
{
    if (len >= 4 && le32_get(image) == OTTER_ENCRYPTED_MAGIC) {
        cli_note("image encrypt", "%s is encrypted already; a device would have to decrypt it twice",
                 o->file);
    } else if (len == 0 || image[0] != 0xE9) {
        cli_note("image encrypt", "%s is no app image; it is encrypted as it is", o->file);
    }
}

static int encrypt(void *options)
{
    const crypt_options_t *o = options;
    otter_fault_t fault = {0};
    size_t len;
    uint8_t aes[OTTER_AES_256_LEN];
    uint8_t *file = load_behind_header("image encrypt", o->file, &len);
    int status = EXIT_FAILED;
    if (file == NULL) {
        return status;
    }
    if (!image_key_seal(o->key, o->passphrase, file + KEY_AT, aes, &fault)) {
        status = cli_fail("image encrypt", "%s: %s", o->key, fault.why);
    } else {
        note_kind(o, file + OTTER_ENCRYPTED_HEADER, len);
        if (!encrypt_in_place(file, len, aes)) {
            status = cli_fail("image encrypt", "out of memory");
        } else if (cli_write_file("image encrypt", o->output, file, OTTER_ENCRYPTED_HEADER + len)) {
            status = EXIT_DONE;
        }
    }
    otter_wipe(aes, sizeof(aes));
    free(file);
    return status;
}

#define AT(member) offsetof(crypt_options_t, member)

static const option_row_t encrypt_rows[] = {
    {"FILE", &option_argument, AT(file), .help = NULL},
    {"key", &option_file, AT(key),
     .help = "the device's public key, PEM or DER: RSA of 3072 bits, or one on P-256; or a file of 32 "
             "bytes, the HMAC key that the device derives one from",
     .value = "PUB", .needed = true},
    {"output", &option_file, AT(output), .help = "where the encrypted image goes; - is standard output",
     .letter = 'o', .needed = true},
    OPTION_PASSPHRASE(AT(passphrase)),
    {0},
};

const cli_verb_t image_encrypt_verb = {
    .name = "image encrypt",
    .line = "encrypt an image, so that only the device with the key can read it",
    .about = "Encrypts an image as ESP-IDF's esp_encrypted_img has it, byte for byte: AES-256-GCM with a new "
             "key, which is "
             "sealed for the device's public key. By the kind of that key it is the scheme RSA-3072 or ECIES "
             "(P-256). "
             "Encryption keeps an image secret and says nothing of who made it: sign first, then encrypt.\n",
    .after =
        "example: otter image sign app.bin --key signing.pem -o app.signed.bin\n"
        "         otter image encrypt app.signed.bin --key device.pub.pem -o app.enc.bin\n"
        "         otter update flash.bin https://server/app.enc.bin --ca ca.pem --decrypt-key device.pem\n"
        "\n"
        "keys:    openssl genrsa -out device.pem 3072 && openssl rsa -in device.pem -pubout -out "
        "device.pub.pem\n",
    .options = encrypt_rows,
    .size = sizeof(crypt_options_t),
    .run = encrypt,
};

/* ---- decrypt ---- */

/** In place: the image is where the ciphertext was, behind the header. @return its bytes; -1: fault says why */
static int64_t decrypt_in_place(const otter_image_key_t *key, uint8_t *file, size_t len, otter_fault_t *fault)
{
    otter_decryption_t d = {.key = key};
    const size_t head = len < OTTER_ENCRYPTED_HEADER ? len : OTTER_ENCRYPTED_HEADER;
    otter_decryption_flow_t flow = {.in = file, .len = len, .out = file + head, .room = len - head};
    esp_err_t err = otter_decryption_feed(&d, &flow, fault);
    if (err == ESP_OK && flow.used < len) {
        err = otter_fault(fault, ESP_ERR_OTA_VALIDATE_FAILED,
                          "%zu bytes follow its end, which the header announces at %zu", len - flow.used,
                          flow.used);
    }
    err = err == ESP_OK ? otter_decryption_check(&d, fault) : err;
    otter_decryption_restart(&d);
    return err == ESP_OK ? (int64_t)flow.made : -1;
}

static int decrypt(void *options)
{
    const crypt_options_t *o = options;
    otter_fault_t fault = {0};
    size_t len;
    otter_image_key_t *key = decrypt_key_load(o->key, o->passphrase, o->efuse, &fault);
    if (key == NULL) {
        return cli_fail("image decrypt", "%s: %s", o->key, fault.why);
    }
    uint8_t *file = cli_read_file("image decrypt", o->file, FILE_MAX, &len);
    int64_t made = file != NULL ? decrypt_in_place(key, file, len, &fault) : -1;
    int status = EXIT_FAILED;
    if (file != NULL && made < 0) {
        status = cli_fail("image decrypt", "%s: %s", o->file, fault.why);
    } else if (file != NULL &&
               cli_write_file("image decrypt", o->output, file + OTTER_ENCRYPTED_HEADER, (size_t)made)) {
        status = EXIT_DONE;
    }
    free(file);
    otter_image_key_free(key);
    return status;
}

static const option_row_t decrypt_rows[] = {
    {"FILE", &option_argument, AT(file), .help = NULL},
    {"key", &option_file, AT(key), .help = DECRYPT_KEY_HELP, .needed = true},
    {"output", &option_file, AT(output), .help = "where the image goes; - is standard output", .letter = 'o',
     .needed = true},
    {"efuse", &option_file, AT(efuse), .help = "the eFuse file of --key efuse"},
    OPTION_PASSPHRASE(AT(passphrase)),
    {0},
};

const cli_verb_t image_decrypt_verb = {
    .name = "image decrypt",
    .line = "the image in an encrypted one, for whoever has the device's key",
    .about = "Decrypts an image of ESP-IDF's esp_encrypted_img, and checks its tag. Nothing is written if it "
             "does not fit.\n",
    .after = "example: otter image decrypt app.enc.bin --key device.pem -o app.bin\n"
             "         otter image decrypt app.enc.bin --key device_hmac_key.bin -o app.bin\n",
    .options = decrypt_rows,
    .size = sizeof(crypt_options_t),
    .run = decrypt,
};
