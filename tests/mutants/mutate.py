#!/usr/bin/env python3
"""Plants a bug and checks that it is found: `mutate.py NAME SOURCE_DIR BUILD_DIR`; `mutate.py` alone prints the names.

Each row of BUGS names what is wrong, the file, the exact text that is replaced (it must occur once), what comes instead, and the
program that must fail because of it; behind a colon, where all would take long, the lives of the sweep in which it is to be
looked for, or the world's seed from which on, or of the command (otter) the test of tests/e2e. That program is linked again,
with the mutated file in the place of the right one.
"""
# SPDX-License-Identifier: Apache-2.0
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

SANITIZER = 99  # exit status of a program that a sanitizer has ended

BUGS = {
    "tells_success_before_the_image_is_confirmed": (
        "src/ddi/action.c", "        if (device.confirmed) {", "        if (device.image_len > 0) {", "test_ddi_action"),
    "forgets_the_last_word_at_a_restart": (
        "src/ddi/agent.c", "if (closing && agent->now >= agent->closing_at)",
        "if (closing && agent->closing_at > 0 && agent->now >= agent->closing_at)", "test_ddi_action"),
    "restarts_before_it_is_in_the_record": (
        "src/ddi/agent.c", "    record.tries++;\n    if (!ddi_commit(agent, &record)) {\n        return;\n    }\n",
        "    record.tries++;\n    agent->record = record;\n", "test_ddi_action"),
    "acknowledges_the_cancellation_of_what_is_selected": (
        "src/ddi/talk.c", "record->phase >= DDI_SWITCHED &&", "record->phase > DDI_VERDICT &&", "test_ddi_action"),
    "lets_the_token_go_to_another_host": (
        "src/ddi/agent.c", "order->authorize = ddi_talk_is_home(agent->config, agent->url);",
        "order->authorize = agent->url[0] != '\\0';", "test_ddi_agent"),
    "installs_outside_of_the_window": (
        "src/ddi/action.c", "return answer->update == DDI_MODE_FORCED ||", "return answer->update != DDI_MODE_NONE ||",
        "test_ddi_agent"),
    "drops_a_verdict_whose_answer_was_lost": (
        "src/ddi/reply.c", "if (class == GOOD || class == OVER || class == GONE) {", "if (class != BAD && class != OVER) {",
        "test_ddi_action"),
    "forgets_that_data_was_installed": (
        "src/ddi/action.c", "        record->stored |= !agent->held;\n", "", "test_ddi_action"),
    "puts_the_image_before_its_data": (
        "src/ddi/answer.c", "if (reader->part <= answer->next && (reader->wanted.done & bit) == 0) {",
        "if (reader->part == reader->wanted.config->part_count) {", "test_ddi_action"),
    "copies_data_that_is_not_what_was_announced": (
        "src/ddi/device.c", "    fetched->err = check_file(device, slot, file, fault);\n    if (", "    if (", "test_ddi_action"),
    "erases_the_copy_in_use": (
        "src/boot/switch_plan.c", "{0, REPLACE_OTHER},", "{0, REPLACE_ACTIVE},", "sweep"),
    "selects_before_the_image_is_verified": (
        "src/ota/switch.c", "    if (err != ESP_OK) {\n        image_log_fault(",
        "    if ((err = ESP_OK) != ESP_OK) {\n        image_log_fault(", "sweep:damaged/"),
    "boots_without_verifying": (
        "src/boot/boot.c",
        "    if (err != ESP_OK) {\n        return err;\n    }\n    /* What was looked at",
        "    if (err == ESP_ERR_NO_MEM) {\n        return err;\n    }\n    /* What was looked at",
        "sweep:rot/"),
    "keeps_the_record_of_an_overwritten_slot": (
        "src/boot/switch_plan.c", "    if (!decides &&\n        !(trial_is_over", "    if (!(trial_is_over", "sweep:again/"),
    "forgets_to_compare_the_state": (
        "src/boot/decision.c", "{ESP_OTA_IMG_PENDING_VERIFY, ESP_OTA_IMG_ABORTED, false}",
        "{ESP_OTA_IMG_PENDING_VERIFY, ESP_OTA_IMG_PENDING_VERIFY, false}", "sweep:crash/"),
    "confirms_before_the_boot": (
        "src/boot/decision.c", "{ESP_OTA_IMG_NEW, ESP_OTA_IMG_PENDING_VERIFY, true}",
        "{ESP_OTA_IMG_NEW, ESP_OTA_IMG_VALID, true}", "sweep:crash/"),
    "erases_an_nvs_value_before_the_new_one_is_safe": (
        "src/nvs/values.c", "    err = nvs_barrier(nvs);\n    if (err == ESP_OK) {\n        err = nvs_find_value(",
        "    if (err == ESP_OK) {\n        err = nvs_find_value(", "test_nvs_store"),
    "copies_nvs_values_before_their_page_is_freeing": (
        "src/nvs/store.c", "    if (err == ESP_OK) { /* nor are there copies of a page that is not FREEING */\n"
        "        err = nvs_barrier(nvs);\n    }\n", "", "test_nvs_store"),
    "erases_an_nvs_page_that_looks_alive": (
        "src/nvs/page.c", "esp_err_t err = program(medium, page, 0, worthless, sizeof(worthless));",
        "esp_err_t err = worthless[0] != 0 ? ESP_FAIL : ESP_OK;", "test_nvs_store"),
    "takes_an_nvs_value_without_its_last_entries": (
        "src/nvs/page.c", "written_from(page, i, span) == span", "written_from(page, i, span) > 0", "test_nvs_store"),
    "takes_nvs_for_encrypted": (
        "src/flash/flash_access.c", "list->items[i].encrypted;",
        "(list->items[i].encrypted || list->items[i].subtype == ESP_PARTITION_SUBTYPE_DATA_NVS);", "sweep:encrypted/nvs/"),
    "does_not_look_for_a_journal_of_the_first_boot": (
        "src/boot/first_encryption.c", "    esp_err_t err = find_plan(job);\n    err = err == ESP_OK ? go_on",
        "    esp_err_t err = ESP_ERR_NOT_FOUND;\n    err = err == ESP_OK ? go_on", "sweep:first boot/two"),
    "says_that_flash_is_encrypted_before_it_is": (
        "src/boot/first_encryption.c", "    return err == ESP_OK ? encrypt_from(job, 0, false) : err;",
        "    return err == ESP_OK ? finish(job) : err;", "sweep:first boot/two"),
    "overwrites_a_sector_before_its_copy_is_safe": (
        "src/boot/first_encryption.c",
        "    return err == ESP_OK ? otter_flash_sync(job->flash) : err;\n}\n\n/** The batch as it will lie",
        "    return err;\n}\n\n/** The batch as it will lie", "sweep:first boot/two"),
    "believes_an_encrypted_batch_that_hangs": (
        "src/boot/first_encryption.c", "err = err == ESP_OK && aside ?", "err = err == ESP_OK && aside && job->raw_len == 0 ?",
        "test_first_encryption"),
    "lets_a_newer_encrypted_batch_come_up_again": (
        "src/boot/first_encryption.c",
        "        err = otter_flash_erase(job->flash, encryption_plan_head(&job->plan, number + 1), job->plan.sector);",
        "        err = ESP_OK;", "test_first_encryption"),
    "accepts_a_torn_record": (
        "src/boot/otadata.c", "return !otadata_is_refused(entry) && otadata_crc_matches(entry);",
        "return !otadata_is_refused(entry);", "sweep"),
    "leaves_weak_bits_in_the_record_that_counts": (
        "src/ota/switch.c", "    return err == ESP_OK ? make_sure(device, &records) : err;",
        "    return err == ESP_OK && device->flash->size == 0 ? make_sure(device, &records) : err;",
        "sweep:small/crash/"),
    "forgets_the_barrier_before_a_record": (
        "src/boot/otadata_flash.c", "    esp_err_t err = otter_flash_sync(flash);", "    esp_err_t err = ESP_OK;", "sweep"),
    "erases_a_record_whose_crc_is_right": (
        "src/boot/otadata_flash.c", "    err = spoil_crc(flash, place);\n",
        "    err = flash->size == 0 ? spoil_crc(flash, place) : ESP_OK;\n",
        "sweep:crash/"),
    "erases_past_its_partition": (
        "src/ota/slot_io.c", "flash, partition->address + offset + done, step);",
        "flash, partition->address + offset + done, step + partition->size);", "sweep"),
    "forgets_to_erase": (
        "src/ota/slot_writer.c", "        if (need == NEED_ERASE) {", "        if (need == NEED_ERASE && pos != 0) {", "sweep"),
    "erases_the_record_with_the_last_block": (
        "src/ota/slot_writer.c", "slot->size - min_u32(slot->size, resume_record_size(flash));", "slot->size;", "test_blocks"),
    "takes_what_was_not_erased_for_erased": (
        "src/ota/slot_writer.c", "            end = erase_end(writer, pos + run);\n",
        "            end = erase_end(writer, pos + run);\n            writer->erased = max_u32(writer->erased, end + sector);\n",
        "sweep:blocks/"),
    "waits_for_flash_that_is_at_work": (
        "src/ota/https_ota.c", "    return !otter_flash_is_busy(ota->target.staging->flash_chip);",
        "    return otter_flash_is_busy(ota->target.staging->flash_chip) || true;", "test_blocks"),
    "takes_a_half_blank_sector_for_blank": (
        "src/ota/slot_writer.c", "return bytes_are_erased(old.raw, sector) ? NEED_PROGRAM : NEED_ERASE;",
        "return bytes_are_erased(old.raw, sector / 2) ? NEED_PROGRAM : NEED_ERASE;", "sweep"),
    "burns_the_secure_version_before_the_confirmation": (
        "src/ota/switch.c", "    if (err == ESP_OK) {\n        err = carry_out(device, &records, &plan);\n    }\n",
        "    if (err == ESP_OK && plan.count != 0 && device->config.anti_rollback) {\n"
        "        err = burn_running_version(device);\n    }\n"
        "    if (err == ESP_OK) {\n        err = carry_out(device, &records, &plan);\n    }\n", "sweep:anti-rollback"),
    "burns_the_version_of_an_unverified_image": (
        "src/boot/boot.c", "    log_decision(boot);\n    return ESP_OK;",
        "    if (boot->decision.raise_version &&\n"
        "        is_new_enough(boot, &boot->slots[boot->decision.index], &boot->app_version)) {\n"
        "        raise_version(boot);\n    }\n"
        "    log_decision(boot);\n    return ESP_OK;", "test_boot"),
    "confirms_the_only_record_in_place": (
        "src/boot/switch_plan.c", "if (in_place || otadata_next_seq(now->seq, slot, slot_count, &seq) != ESP_OK) {",
        "if (in_place || otadata_next_seq(now->seq, slot, slot_count, &seq) == ESP_OK) {", "test_switch_plan"),
    "lets_a_selection_stand_that_was_taken_back": (
        "src/boot/switch_plan.c", "{TRIAL_WANTED | NOT_RUNNING, REPLACE_ACTIVE_ALONE},",
        "{TRIAL_WANTED | NOT_RUNNING, REPLACE_OTHER},", "test_switch_plan"),
    "believes_marks_without_a_look_at_flash": (
        "src/ota/resume_record.c", "            found != mark) {\n", "            found == MARK_NONE) {\n", "sweep:https/wide"),
    "believes_marks_of_what_was_overwritten": (
        "src/ota/update.c", "otter_ota_is_slot(partition) && !keep_record) {",
        "otter_ota_is_slot(partition) && erase_len > 0 && !keep_record) {",
        "sweep:by-hand"),
    "copies_before_it_verifies": (
        "src/ota/update.c",
        "    esp_err_t err = complete_and_judge(update, fault);\n"
        "    if (err == ESP_ERR_OTA_VALIDATE_FAILED) {\n        spoil(update);\n    }\n"
        "    if (err == ESP_OK && update->copy_to_final) {\n        err = copy_to_final(update, fault);\n    }\n",
        "    esp_err_t err = update->copy_to_final ? copy_to_final(update, fault) : ESP_OK;\n"
        "    if (err == ESP_OK) {\n        err = complete_and_judge(update, fault);\n    }\n"
        "    if (err == ESP_ERR_OTA_VALIDATE_FAILED) {\n        spoil(update);\n    }\n", "sweep:copy/app/damaged"),
    "clears_the_journal_before_the_copy": (
        "src/boot/staged_copy.c",
        "    esp_err_t err = copy_job_run(job, resumed);\n"
        "    return err == ESP_OK ? copy_journal_clear(job->flash, copy_journal_end(&job->journal)) : err;",
        "    esp_err_t err = copy_journal_clear(job->flash, copy_journal_end(&job->journal));\n"
        "    return err == ESP_OK ? copy_job_run(job, resumed) : err;", "sweep:copy/"),
    "follows_a_journal_that_was_not_committed": (
        "src/boot/copy_journal.c", "return flags.committed > flags.closed ? ESP_OK",
        "return flags.closed < 0 ? ESP_OK", "sweep:copy/"),
    "leaves_weak_bits_in_a_copy": (
        "src/boot/copy_job.c", "*right = *blank = job->flash->stable_reads;", "*right = *blank = true;", "sweep:copy/"),
    "spoils_a_unit_that_is_programmed_once": (
        "src/boot/otadata_flash.c", "if (flash->write_once || flash->cipher",
        "if (flash->cipher", "sweep:once/"),
    "encrypts_by_the_address_of_the_first_piece": (
        "src/flash/flash_access.c", "cipher->crypt(cipher->ctx, false, off + done, cipher",
        "cipher->crypt(cipher->ctx, false, off, cipher", "test_flash_encryption"),
    "tweaks_by_the_block_and_not_by_the_unit": (
        "src/flash/flash_crypt.c", "le32_put(tweaks + i * BLOCK, first + i * XTS_UNIT);",
        "le32_put(tweaks + i * BLOCK, address + i * XTS_UNIT);",
        "test_flash_crypt"),
    "looks_for_a_journal_by_the_rows_of_a_torn_table": (
        "src/boot/staged_copy.c", "    device->partitions.count = 0;\n    flash->plain.len = 0;\n",
        "    flash->plain.len = 0;\n", "test_copy_journal"),
    "takes_erased_flash_for_written_behind_a_cipher": (
        "src/boot/copy_journal.c", "otter_flash_read_raw(flash, at + done, part, n)",
        "otter_flash_read(flash, at + done, part, n)", "sweep:encrypted/copy/app/slot to slot"),
    "believes_a_record_that_was_never_written": (
        "src/boot/otadata_flash.c", "return !flash->write_once || bytes_are_erased(",
        "return flash->size != 0 || bytes_are_erased(",
        "sweep:once/"),
    "marks_where_marks_cannot_be_made_sure": (
        "src/boot/copy_job.c", "const bool marks = !job->flash->write_once;", "const bool marks = job->flash->size != 0;",
        "sweep:once/8 KiB/16/copy/data"),
    "clears_by_programming_over_it": (
        "src/ota/resume_record.c", "    if (device->flash->write_once) {\n        return ota_erase_all(",
        "    if (device->flash->size == 0) {\n        return ota_erase_all(", "sweep:once/128 KiB/32/https"),
    "marks_a_version_before_it_is_written": (
        "src/boot/efuse_partition.c", "    return err == ESP_OK ? write_first(&place, dump) : err;\n}\n\nconst",
        "    return err;\n}\n\nconst", "test_efuse_partition"),
    "lets_an_old_version_past_the_gate": (
        "src/ota/gate.c", "err = err == ESP_OK ? ota_check_version(device, version, flow->fault) : err;",
        "err = ESP_OK;", "test_anti_rollback"),
    "copies_an_old_version_over_a_good_one": (
        "src/ota/update_verdict.c", "anti_rollback || !update->copy_to_final ||", "anti_rollback || update->copy_to_final ||",
        "test_anti_rollback"),
    "closes_a_journal_just_behind_the_last_flag": (
        "src/boot/copy_journal.c", "static const int steps[] = {2, 12, 13};",
        "static const int steps[] = {1, 2, 3};", "sweep:once/8 KiB/16/copy"),
    "lets_the_records_share_a_sector": (
        "src/boot/otadata_flash.c", "return max_u32(OTADATA_COPY_DISTANCE, flash->erase_size);",
        "return max_u32(OTADATA_COPY_DISTANCE, flash->write_size);", "sweep:geometry/"),
    "takes_unreadable_records_for_none": (
        "src/ota/switch.c", "        return err; /* a record that could not be read now",
        "        return ESP_OK; /* a record that could not be read now", "world:1600"),
    "takes_an_unreadable_trial_for_none": (
        "src/ota/switch.c", "return otter_flash_failed(err) ? err : ESP_OK;",
        "return ESP_OK;", "world:550"),
    "takes_erased_records_for_torn_behind_a_cipher": (
        "src/boot/otadata_flash.c", "        if (flash->cipher != NULL &&\n",
        "        if (flash->write_once && flash->cipher != NULL &&\n", "world"),
    "never_gives_up_connecting": (
        "src/ota/https_source.c", "if (s->failures >= (unsigned)s->retry.attempts) {", "if (s->retry.attempts == 0) {", "world"),
    "never_runs_out_of_time": (
        "src/ota/https_source.c", "return s->retry.max_time_ms > 0 && otter_now_us() - s->start_us >",
        "return s->retry.max_time_ms > 0 && s->start_us - otter_now_us() >", "world"),
    "reads_a_redirects_body_for_ever": (
        "src/ota/https_request.c", "if (n < (int)sizeof(scrap)) {", "if (n <= 0) {", "world"),
    "shows_the_credentials_to_another_server": (
        "src/http/client.c", "if (is_redirect ? !same_origin : strcmp(", "if (is_redirect ? client == NULL : strcmp(", "world"),
    "selects_what_has_no_hash": (
        "src/image/image.c", "if (s->rules.hashed && header->hash_appended == 0) {",
        "if (s->rules.hashed && s->rules.bootloader && header->hash_appended == 0) {", "test_session_defects"),
    "writes_what_has_no_hash": (
        "src/ota/update.c", "size <= flag - at || data[flag - at] != 0) {", "size <= flag - at || data[flag - at] != 2) {",
        "test_session_defects"),
    "copies_over_what_a_trial_falls_back_to": (
        "src/ota/update_target.c",
        "err = final->type == ESP_PARTITION_TYPE_APP ? ota_check_fallback(device, final, fault) : ESP_OK;",
        "err = ESP_OK;", "world"),
    "marks_over_an_image_that_reached_its_record": (
        "src/ota/session_stage.c", "s->record.active = false; /* the image", "(void)s; /* the image", "test_stages"),
    "goes_on_behind_a_stage_that_failed": (
        "src/ota/pipeline.c", "    if (p->failed != ESP_OK) {\n        return p->failed;\n    }\n    size_t got = 0;\n",
        "    size_t got = 0;\n", "test_stages"),
    "feeds_a_stage_that_has_more_to_give": (
        "src/ota/pipeline.c", "if (link->len > 0 || link->full || link->ended) {", "if (link->len > 0 || link->ended) {",
        "test_stages"),
    "leaves_an_abandoned_update_open": (
        "src/ota/session_stage.c", "s->begun ? otter_update_abort(&s->update) : ESP_OK;",
        "s->incomplete ? otter_update_abort(&s->update) : ESP_OK;", "world"),
    "takes_an_encrypted_image_without_its_tag": (
        "src/ota/encrypted_stage.c", "        err = otter_decryption_check(&s->d, flow->fault);\n", "        err = ESP_OK;\n",
        "otter:test_encrypted.Updates.test_what_is_wrong_leaves_the_slot_erased"),
    "trusts_a_key_area_that_does_not_open": (
        "src/image/encrypted_image.c",
        "    return err == ESP_OK ? ESP_OK\n                         : otter_fault(fault, ESP_ERR_OTA",
        "    return err != ESP_ERR_NO_MEM ? ESP_OK\n                         : otter_fault(fault, ESP_ERR_OTA",
        "test_encrypted_image"),
    "leaves_what_it_decrypted_of_a_forged_image": (
        "src/ota/session_stage.c", "ours && len > 0 ? ota_erase_all(", "ours && len == 0 ? ota_erase_all(", "test_https_decrypt"),
    "decrypts_more_than_the_slot_holds": (
        "src/ota/https_ota.c", "https_image_size(ota) : about.image;", "https_image_size(ota) : -1;",
        "otter:test_encrypted.Updates.test_what_is_wrong_leaves_the_slot_erased"),
    "believes_what_was_decrypted_before_a_reset": (
        "src/image/encrypted_image.c", "!otter_gcm_update(d->sealer, image, n, piece) ||",
        "!otter_gcm_update(d->sealer, piece, n, piece) ||", "test_https_resume"),
    "ends_an_update_without_its_signature": (
        "src/ota/update_verdict.c", "    const otter_trust_t trust = trust_to_update(device, !compared);",
        "    const otter_trust_t trust = {.error = compared ? ESP_OK : ESP_OK};", "test_trust"),
    "finishes_a_download_without_its_signature": (
        "src/ota/session_stage.c", "    esp_err_t err = otter_update_end(&s->update, flow->fault);",
        "    device->config.trust.source = OTTER_TRUST_ANYBODY;\n"
        "    esp_err_t err = otter_update_end(&s->update, flow->fault);",
        "otter:test_secure_boot.SecureBoot.test_only_what_a_trusted_key_signed_is_taken"),
    "selects_without_a_signature": (
        "src/ota/switch.c",
        "    const otter_trust_t trust = trust_to_update(device, false);", "    const otter_trust_t trust = {0};",
        "sweep:signed/factory"),
    "remembers_a_verdict_by_other_keys": (
        "src/ota/switch.c", "trust_is_same(&trust, &device->verified_by) &&", "device->verified_by.error == ESP_OK &&",
        "test_trust"),
    "boots_without_a_signature": (
        "src/boot/boot.c", "rules.trust = otter_trust_to_boot(device, false);", "rules.trust = (otter_trust_t){0};",
        "test_trust"),
    "takes_the_word_of_a_revoked_key": (
        "src/boot/trust.c", "key.present && !key.revoked) {", "key.present) {",
        "sweep:signed/keys change/factory"),
    "revokes_the_only_key_of_what_runs": (
        "src/ota/revoke_key.c", "trust_in_efuses(device, ~(1u << index));", "trust_in_efuses(device, ~(index >> 8));",
        "test_secure_boot_api"),
    "takes_data_that_nobody_signed": (
        "src/ota/update_verdict.c", "return update_is_signed_data(update) ? judge_signed_data(update, fault) : ESP_OK;",
        "return update_is_signed_data(update) && fault == NULL ? judge_signed_data(update, fault) : ESP_OK;", "test_trust"),
    "trusts_whom_the_new_image_names": (
        "src/ota/update_verdict.c", "    const otter_trust_t trust = trust_to_update(device, !compared);",
        "    const esp_partition_t *running = device->running;\n    device->running = update->staging;\n"
        "    const otter_trust_t trust = trust_to_update(device, !compared);\n    device->running = running;",
        "sweep:signed/without secure boot/two"),
    "takes_any_block_for_the_first": (
        "src/image/signature.c", "verdict->block < reader->trust.blocks) {", "verdict->block < OTTER_SIGNATURE_BLOCKS) {",
        "test_trust"),
    "leaves_what_was_refused_to_the_bootloader": (
        "src/ota/update.c", "        spoil(update);\n", "        (void)spoil;\n", "test_trust"),
    "believes_the_hash_in_a_block": (
        "src/image/signature.c", "return otter_signature_block_verify(raw, block, hash, fault);",
        "return otter_signature_block_verify(raw, block, hash != NULL ? block->hash : hash, fault);", "test_signature"),
    "fleet_never_stops": (
        "fleet/rollout.c", "(uint64_t)group->failed * 100 >= (uint64_t)plan->error_percent * group->count",
        "(uint64_t)group->failed * 100 > (uint64_t)100 * group->count", "test_fleet_server"),
    "fleet_window_never_closes": (
        "fleet/server_state.c", "if (now_ms >= order->window_until_ms) {", "if (now_ms >= order->window_until_ms * 2) {",
        "test_fleet_server"),
    "fleet_takes_an_end_twice": (
        "fleet/server_tell.c", "    if (!fleet_action_is_open(action)) {\n        return 410;",
        "    if (action->status == FLEET_CANCELED) {\n        return 410;", "test_fleet_server"),
    "sparse_flash_writes_what_others_share": (
        "fleet/sparse_flash.c", "const bool mine = old != NULL && !old->shared;",
        "const bool mine = old != NULL && old->refs > 0;", "test_sparse_flash"),
    "fleet_device_says_success_before_the_trial_is_over": (
        "src/ddi/action.c", "        if (device.confirmed) {", "        if (device.image_len > 0) {",
        "otter:test_fleet.Simulate.test_a_release_that_crashes_on_some_boards_stops_by_itself"),
    "fleet_device_polls_a_busy_server_instead": (
        "src/ddi/reply.c", "const bool again = ask != DDI_ASK_POLL && ask != DDI_TELL_CLOSING;",
        "const bool again = ask > DDI_ASK_POLL;", "test_fleet_world"),
    "forgets_the_padding": (
        "src/image/image.c", "    } else if (s->state == PART_SIGNED_PADDING) {\n        hash(s, data, n);",
        "    } else if (s->state == PART_SIGNED_PADDING) {\n        hash(s, data, n & 1u);", "test_signature"),
    "boots_a_device_without_its_signatures": (
        "cli/boot.c", "    esp_err_t err = otter_boot(&dev->device,",
        "    dev->device.config.trust.source = OTTER_TRUST_ANYBODY;\n    esp_err_t err = otter_boot(&dev->device,",
        "otter:test_secure_boot.SecureBoot.test_what_nobody_signed_is_neither_written_nor_selected_nor_booted"),
    "updates_without_the_keys_that_were_named": (
        "cli/update.c", "    o->device.trust = &o->trust;", "    o->device.trust = NULL;",
        "otter:test_secure_boot.OwnKeys.test_one_of_the_named_keys_must_have_signed"),
    "starts_what_was_not_verified": (
        "port/linux/firmware_image.c", "    if (err == ESP_OK && (rules.trust.signatures != NULL",
        "    if (err == ESP_FAIL && (rules.trust.signatures != NULL",
        "otter:test_secure_boot.Run.test_what_is_started_is_what_was_verified"),
    "trusts_a_version_that_was_not_hashed": (
        "src/boot/boot.c", "image->desc.secure_version != boot->app_version)) {", "image->segments_seen == 0)) {", "test_boot"),
    "skips_the_md5": (
        "src/flash/partition_table.c", "return memcmp(record + ESP_PARTITION_MD5_OFFSET, digest, sizeof(digest)) == 0;",
        "return record != NULL;", "test_partition_table"),
    "trusts_a_length": (
        "src/image/image.c", "} else if (len > s->rules.size - s->pos) {", "} else if (len == UINT32_MAX) {", "test_image"),
}


FINDERS = {"sweep": ("sweep", "--expect-failure"), "world": ("test_world", "--expect-failure")}


def mutate(name, source):
    """@return the text of the file with the bug in it"""
    path, old, new, _ = BUGS[name]
    try:
        text = (source / path).read_text()
    except FileNotFoundError:
        sys.exit(f"mutate: {name} is planted in {path}, which is gone: its row in tests/mutants/mutate.py names the file")
    if text.count(old) != 1:
        sys.exit(f"mutate: {path} has the text of {name} {text.count(old)} times, not once: its row in tests/mutants/mutate.py "
                 f"must follow the file. The text:\n{old}")
    return text.replace(old, new)


def compile_command(build, file):
    """As the build compiles this file. @return (command, folder)"""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if pathlib.Path(entry["file"]) == file:
            return shlex.split(entry["command"]), entry["directory"]
    sys.exit(f"mutate: this build does not compile {file}")


def path_of(program):
    """In the build."""
    return program if program == "otter" else f"tests/{program}"


def link_command(build, program):
    said = subprocess.run(["ninja", "-C", build, "-t", "commands", "-s", path_of(program)], capture_output=True, text=True,
                          check=False)
    links = [line for line in said.stdout.splitlines() if " -o " in line]
    if said.returncode != 0 or not links:
        sys.exit(f"mutate: ninja does not say how {program} is linked: {said.stdout}{said.stderr}")
    return [word for word in shlex.split(links[-1]) if word not in (":", "&&")]


def instead(command, option, value):
    at = command.index(option) + 1
    return command[:at] + [value] + command[at + 1:]


def run_or_exit(command, folder, what):
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        sys.exit(f"mutate: {what}: {shlex.join(map(str, command))}")


def make(name, program, source, build):
    """Makes the program with the bug in it, unless it is there already. @return its path"""
    text = mutate(name, source)
    folder = build / "tests" / "mutants"
    folder.mkdir(parents=True, exist_ok=True)
    mutated, made, right = folder / f"{name}.c", folder / name, build / path_of(program)
    if not mutated.exists() or mutated.read_text() != text:
        mutated.write_text(text)
    if made.exists() and made.stat().st_mtime > max(mutated.stat().st_mtime, right.stat().st_mtime):
        return made
    made.unlink(missing_ok=True)
    command, where = compile_command(build, source / BUGS[name][0])
    object_file, right_object = folder / f"{name}.o", command[command.index("-o") + 1]
    command = instead(instead(command, "-o", str(object_file)), "-c", str(mutated))
    command += ["-iquote", str((source / BUGS[name][0]).parent)]  # headers beside the file
    run_or_exit(command, where, "the mutated file does not compile")
    link = instead(link_command(build, program), "-o", str(made))
    link = [word for word in link if word != right_object]  # else it is in a library, and comes too late
    first = next(at for at, word in enumerate(link) if word.endswith(".o"))
    run_or_exit(link[:first] + [str(object_file)] + link[first:], build, "the mutated program does not link")
    return made


def test_finds_it(made, source, build, test):
    """The end-to-end test in a build that has this command in the place of the right one. One that is skipped says nothing."""
    with tempfile.TemporaryDirectory(prefix="otter-mutant-") as folder:
        for entry in build.iterdir():
            target = made if entry.name == "otter" else entry
            pathlib.Path(folder, entry.name).symlink_to(target)
        file, _, name = test.partition(".")
        done = subprocess.run([sys.executable, "-B", source / "tests" / "e2e" / f"{file}.py", name], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False,
                              env=os.environ | {"OTTER_BUILD": folder, "OTTER_SOURCE": str(source)})
    print(done.stdout, done.stderr)
    return done.returncode != 0 or "skipped=" in done.stderr


def main():
    if len(sys.argv) == 1:
        print("\n".join(BUGS))
        return
    name, source, build = sys.argv[1], *(pathlib.Path(path).resolve() for path in sys.argv[2:])
    finder, _, where = BUGS[name][3].partition(":")
    program, *options = FINDERS.get(finder, (finder,))
    if where:
        options += ["--start", where] if finder == "world" else [where]
    made = make(name, program, source, build)
    if finder == "otter":
        if not test_finds_it(made, source, build, where):
            sys.exit(f"mutate: {where} does not find {name}")
        return
    reports = {name: f"{os.environ.get(name, '')}:exitcode={SANITIZER}" for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS")}
    done = subprocess.run([made, *options], cwd=build, stdin=subprocess.DEVNULL, check=False, env=os.environ | reports)
    # Of a unit test a crash will do, and of the sweep and the world what a sanitizer says.
    found = done.returncode in (0, SANITIZER) if options else done.returncode != 0
    if not found:
        sys.exit(f"mutate: {program} does not find {name}")


if __name__ == "__main__":
    main()
