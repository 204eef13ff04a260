"""What a project's options say of signatures and encryption reaches its device, with nothing said again."""
# SPDX-License-Identifier: Apache-2.0

import shutil
import unittest

from device import in_full
from idf_project import SANITIZED, TOO_LARGE, Project, otter
from servers import HttpsServer

CMAKE = """cmake_minimum_required(VERSION 3.16)
include($ENV{IDF_PATH}/tools/cmake/project.cmake)
project(safe)
"""

# Counts its boots in NVS, and says what it finds.
COUNTING = r"""
#include <cstdio>
#include "esp_flash_encrypt.h"
#include "nvs_flash.h"
#include "nvs_handle.hpp"

enum class Mode : uint8_t { SLOW, FAST };

static int checks(void)
{
    esp_err_t err;
    auto none = nvs::open_nvs_handle("nowhere", NVS_READONLY, &err);
    int wrong = none != nullptr || err != ESP_ERR_NVS_NOT_FOUND;
    auto handle = nvs::open_nvs_handle_from_partition("nvs", "boots", NVS_READWRITE, &err);
    uint32_t boots = 0;
    wrong += err != ESP_OK || (handle->get_item("count", boots) != ESP_OK && boots != 0);
    boots++;
    std::printf("boot %u, encrypted %d\n", (unsigned)boots, (int)esp_flash_encryption_enabled());
    wrong += handle->set_item("count", boots) != ESP_OK || handle->set_string("text", "PLAINTEXT") != ESP_OK;
    wrong += handle->set_item("mode", Mode::FAST) != ESP_OK || handle->set_blob("blob", "\1\2\3", 3) != ESP_OK;
    Mode mode = Mode::SLOW;
    char text[10], small[2];
    size_t size = 0, used = 0;
    nvs_type_t type;
    wrong += handle->get_item("mode", mode) != ESP_OK || mode != Mode::FAST;
    wrong += handle->get_string("text", text, sizeof(text)) != ESP_OK || text[8] != 'T';
    wrong += handle->get_blob("blob", small, sizeof(small)) != ESP_ERR_NVS_INVALID_LENGTH;
    wrong += handle->get_item_size(nvs::ItemType::BLOB, "blob", size) != ESP_OK || size != 3;
    wrong += handle->get_item_size(nvs::ItemType::SZ, "text", size) != ESP_OK || size != 10;
    wrong += handle->find_key("count", type) != ESP_OK || type != NVS_TYPE_U32;
    wrong += handle->erase_item("mode") != ESP_OK || handle->get_item("mode", mode) != ESP_ERR_NVS_NOT_FOUND;
    wrong += handle->purge_all() != ESP_OK || handle->commit() != ESP_OK;
    wrong += handle->get_used_entry_count(used) != ESP_OK || used == 0;
    return wrong;
}

extern "C" void app_main(void)
{
    std::printf("nvs 0x%x\n", nvs_flash_init());
    std::printf("wrong %d\n", checks());
}
"""

ENCRYPTED = """CONFIG_SECURE_FLASH_ENC_ENABLED=y
CONFIG_SECURE_FLASH_ENCRYPTION_MODE_RELEASE=y
CONFIG_SECURE_BOOT=y
CONFIG_SECURE_BOOT_SIGNING_KEY="key.pem"
CONFIG_PARTITION_TABLE_OFFSET=0xC000
"""


@unittest.skipIf(SANITIZED, TOO_LARGE)
class SafeProject(unittest.TestCase):
    def made(self, example, files, *kind_of_key):
        project = Project(example, files)
        self.addCleanup(project.remove)
        done = otter("key", "new", project.path / "key.pem", *kind_of_key)
        self.assertEqual(done.returncode, 0, done.stderr)
        return project

    def test_flash_and_nvs_are_encrypted_by_keys_that_stay(self):
        made = self.made(None, {"CMakeLists.txt": CMAKE, "main/main.cpp": COUNTING,
                                "main/CMakeLists.txt": 'idf_component_register(SRCS "main.cpp" PRIV_REQUIRES freertos)\n',
                                "sdkconfig.defaults": ENCRYPTED + "CONFIG_PARTITION_TABLE_SINGLE_APP_ENCRYPTED_NVS=y\n"})
        made.build()
        flash = made.out / "flash" / "flash.bin"
        for boot in (1, 2, 3):
            run = made.run(*(["--flash"] if boot == 3 else []))
            self.assertEqual((run.returncode, run.stderr), (0, ""), run.stdout)
            for line in (f"boot {boot}, encrypted 1", "nvs 0x0", "wrong 0", "Flash encryption mode is RELEASE",
                         "secure_boot_v2: Signature verified successfully!"):
                self.assertIn(line, run.stdout)
            self.assertEqual("NVS key partition empty, generating keys" in run.stdout, boot == 1)
            eye = (made.out / "flash" / "flash.bin.efuse").read_text()
            key = key if boot > 1 else eye
            self.assertEqual(eye, key)
        raw = flash.read_bytes()
        for text in (b"PLAINTEXT", b"safe\0", b"count"):
            self.assertNotIn(text, raw)
        info = otter("flash", "info", flash, "--table-offset", "0xC000").stdout
        self.assertIn("boots next: factory", info)

    @in_full
    def test_key_partition_must_be_there(self):
        made = self.made(None, {"CMakeLists.txt": CMAKE, "main/main.cpp": COUNTING.replace("checks());", "0);"),
                                "main/CMakeLists.txt": 'idf_component_register(SRCS "main.cpp" PRIV_REQUIRES freertos)\n',
                                "sdkconfig.defaults": "CONFIG_NVS_ENCRYPTION=y\n"})
        made.build()
        run = made.run()
        self.assertIn("nvs 0xffffffff", run.stdout)
        self.assertIn("no partition with subtype nvs_keys found in the partition table", run.stdout)
        made.append("sdkconfig.defaults", "CONFIG_NVS_SEC_KEY_PROTECT_USING_HMAC=y\n")
        self.assertIn("CONFIG_NVS_SEC_KEY_PROTECT_USING_HMAC: the virtual device has no HMAC peripheral", made.refused())

    def update(self, options, *kind_of_key):
        """A project that takes one update, both signed alike. @return it, and what the console said"""
        made = self.made("simple_ota", {}, *kind_of_key)
        made.append("sdkconfig.defaults", options)
        www = made.folder / "www"
        www.mkdir()
        made.build("-D", "PROJECT_VER=2.0.0")
        shutil.copy(made.out / "simple_ota.bin", www / "app.bin")
        made.build()
        with HttpsServer(www, made.cert) as server:
            run = made.run("--expect", "2.0.0,VALID", console=server.url("app.bin") + "\n")
        self.assertEqual((run.returncode, run.stderr), (0, ""), run.stdout)
        return made, run.stdout

    @in_full
    def test_update_of_an_encrypted_device(self):
        _, told = self.update(ENCRYPTED + "CONFIG_SECURE_FLASH_ENCRYPTION_AES256=y\n"
                              "CONFIG_PARTITION_TABLE_TWO_OTA_ENCRYPTED_NVS=y\n")
        self.assertIn("secure_boot_v2: Verifying with RSA-PSS...", told)

    @in_full
    def test_update_signed_by_the_key_of_the_running_app(self):
        _, told = self.update("CONFIG_SECURE_SIGNED_APPS_NO_SECURE_BOOT=y\n"
                              'CONFIG_SECURE_BOOT_SIGNING_KEY="key.pem"\n')
        for line in ("#0 app key digest == #0 trusted key digest", "Verifying with RSA-PSS...",
                     "Signature verified successfully!"):
            self.assertIn("secure_boot_v2: " + line, told)

    @in_full
    def test_updates_signed_by_keys_on_each_curve(self):
        options = 'CONFIG_SECURE_SIGNED_APPS_NO_SECURE_BOOT=y\nCONFIG_SECURE_BOOT_SIGNING_KEY="key.pem"\n' \
                  "CONFIG_SECURE_SIGNED_APPS_ECDSA_V2_SCHEME=y\n"
        for bits, curve in ((192, "CONFIG_SECURE_BOOT_ECDSA_KEY_LEN_192_BITS=y\n"), (256, ""),
                            (384, "CONFIG_SECURE_BOOT_ECDSA_KEY_LEN_384_BITS=y\n")):
            with self.subTest(bits):
                _, told = self.update(options + curve, "--scheme", f"ecdsa{bits}")
                self.assertIn("secure_boot_v2: Signature verified successfully!", told)

    def test_key_for_another_scheme_than_the_options_say_is_told(self):
        made = self.made("simple_ota", {}, "--scheme", "ecdsa384")
        made.append("sdkconfig.defaults",
                    'CONFIG_SECURE_SIGNED_APPS_NO_SECURE_BOOT=y\nCONFIG_SECURE_BOOT_SIGNING_KEY="key.pem"\n')
        self.assertIn("key.pem is a key for ECDSA P-384, and the options want RSA-3072", made.refused())
        made.append("sdkconfig.defaults", "CONFIG_SECURE_SIGNED_APPS_ECDSA_V2_SCHEME=y\n")
        self.assertIn("a key for ECDSA P-384, and the options want ECDSA P-256", made.refused())
        (made.path / "key.pem").write_text("no key")
        self.assertRegex(made.refused(), "CONFIG_SECURE_BOOT_SIGNING_KEY: .*key.pem")

    def test_key_that_cannot_sign_is_told(self):
        made = self.made("simple_ota", {}, "--scheme", "ecdsa256")
        otter("key", "public", made.path / "key.pem", "-o", made.path / "public.pem")
        signed = "CONFIG_SECURE_SIGNED_APPS_NO_SECURE_BOOT=y\nCONFIG_SECURE_SIGNED_APPS_ECDSA_V2_SCHEME=y\n"
        made.append("sdkconfig.defaults", signed + 'CONFIG_SECURE_BOOT_SIGNING_KEY="public.pem"\n')
        self.assertRegex(made.refused(), "CONFIG_SECURE_BOOT_SIGNING_KEY: .*public.pem: this is a public key")
        made.append("sdkconfig.defaults", "CONFIG_SECURE_SIGNED_APPS_ECDSA_SCHEME=y\n")
        self.assertRegex(made.refused(), "CONFIG_SECURE_BOOT_SIGNING_KEY: .*public.pem: this is a public key")
        made.append("sdkconfig.defaults", 'CONFIG_SECURE_BOOT_SIGNING_KEY=""\n')
        self.assertIn("CONFIG_SECURE_BOOT_SIGNING_KEY is empty: name the file", made.refused())

    def small(self, options, *kind_of_key, source="#include \"esp_secure_boot.h\"\nvoid app_main(void)\n{\n}\n"):
        """A project that does nothing, built, and its first run."""
        made = self.made(None, {"CMakeLists.txt": CMAKE, "main/main.c": source, "main/CMakeLists.txt":
                                'idf_component_register(SRCS "main.c" PRIV_REQUIRES bootloader_support)\n',
                                "sdkconfig.defaults": options + 'CONFIG_SECURE_BOOT_SIGNING_KEY="key.pem"\n'}, *kind_of_key)
        made.build()
        run = made.run()
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        return made, run.stdout

    def test_secure_boot_by_ECDSA(self):
        """On P-384 with all that a chip burns, too: what the ROM revokes, and the short key of flash encryption."""
        options = "CONFIG_SECURE_BOOT=y\nCONFIG_SECURE_SIGNED_APPS_ECDSA_V2_SCHEME=y\n"
        most = ("CONFIG_SECURE_BOOT_ECDSA_KEY_LEN_384_BITS=y\nCONFIG_SECURE_BOOT_ENABLE_AGGRESSIVE_KEY_REVOKE=y\n"
                "CONFIG_SECURE_FLASH_ENC_ENABLED=y\nCONFIG_SECURE_FLASH_ENCRYPTION_AES128_DERIVED=y\n"
                "CONFIG_PARTITION_TABLE_OFFSET=0xC000\n")
        for bits, more in ((384, most), (256, "")):
            with self.subTest(bits):
                made, told = self.small(options + more, "--scheme", f"ecdsa{bits}")
                self.assertIn("secure_boot_v2: Signature verified successfully!", told)
                efuses = (made.out / "flash" / "flash.bin.efuse").read_text()
                self.assertIn(f"secure_boot_scheme=ecdsa{bits}\n", efuses)
                for burned in ("secure_boot_aggressive_revoke=1", "key_purpose_0=XTS_AES_128_KEY_DERIVED_FROM_128_EFUSE_BITS"):
                    self.assertEqual(burned in efuses, bits == 384)

    def test_first_scheme_at_boot_without_secure_boot(self):
        made, told = self.small("CONFIG_SECURE_SIGNED_APPS_NO_SECURE_BOOT=y\nCONFIG_SECURE_SIGNED_APPS_ECDSA_SCHEME=y\n"
                                "CONFIG_SECURE_SIGNED_ON_BOOT_NO_SECURE_BOOT=y\n", "--scheme", "ecdsa256")
        self.assertIn("esp_image: Verifying image signature...", told)
        flash, image = made.out / "flash" / "flash.bin", (made.out / "safe.bin").read_bytes()
        content = bytearray(flash.read_bytes())
        content[content.index(image) + len(image) - 1] ^= 1  # the last byte of its signature
        flash.write_bytes(content)
        run = made.run()
        self.assertEqual(run.returncode, 1)
        self.assertIn("is not bootable: signature does not match", run.stdout)

    @in_full
    def test_signatures_that_nothing_asks_for_are_not_made(self):
        made, told = self.small("CONFIG_SECURE_SIGNED_APPS_NO_SECURE_BOOT=y\nCONFIG_SECURE_SIGNED_ON_UPDATE_NO_SECURE_BOOT=n\n")
        self.assertNotIn("Verifying image signature", told)
        self.assertNotIn("signature", otter("image", "info", made.out / "safe.bin").stdout)
        _, told = self.update("CONFIG_SECURE_SIGNED_APPS_NO_SECURE_BOOT=y\nCONFIG_SECURE_SIGNED_ON_UPDATE_NO_SECURE_BOOT=n\n")
        self.assertNotIn("Verifying image signature", told)

    def test_first_scheme_with_and_without_secure_boot(self):
        signed = 'CONFIG_SECURE_SIGNED_APPS_ECDSA_SCHEME=y\nCONFIG_SECURE_BOOT_SIGNING_KEY="key.pem"\n'
        made, told = self.update("CONFIG_SECURE_SIGNED_APPS_NO_SECURE_BOOT=y\n" + signed, "--scheme", "ecdsa256")
        self.assertIn("esp_image: Verifying image signature...", told)
        self.assertEqual([p.name for p in made.out.glob("*.bin")], ["simple_ota.bin"])
        made.append("sdkconfig.defaults", "CONFIG_SECURE_SIGNED_APPS_NO_SECURE_BOOT=n\nCONFIG_SECURE_BOOT=y\n"
                    "CONFIG_SECURE_BOOT_V1_ENABLED=y\n")
        made.build()
        run = made.run("--until", "version 1.0.0", "--flash")
        self.assertEqual((run.returncode, run.stderr), (0, ""), run.stdout)
        self.assertIn("secure_boot_v1_key=", (made.out / "flash" / "flash.bin.efuse").read_text())


if __name__ == "__main__":
    unittest.main()
