# create_esp_enc_img(INPUT KEY OUTPUT app): the encrypted image beside the project's own, made by `otter image encrypt`.
# SPDX-License-Identifier: Apache-2.0
function(create_esp_enc_img input_file key_file output_file app)
  get_filename_component(name ${output_file} NAME_WE)
  add_custom_command(OUTPUT ${output_file}
                     COMMAND otter::otter image encrypt ${input_file} --key ${key_file} -o ${output_file}
                     DEPENDS ${input_file} ${key_file} otter::otter
                     VERBATIM COMMENT "Encrypted image ${name}")
  add_custom_target(enc_bin_target_${name} ALL DEPENDS ${output_file})
  # The image belongs to another folder's target, which is there when the project is complete.
  cmake_language(EVAL CODE "cmake_language(DEFER DIRECTORY ${CMAKE_SOURCE_DIR} CALL
                 add_dependencies enc_bin_target_${name} ${CMAKE_PROJECT_NAME}.elf_image)")
endfunction()
