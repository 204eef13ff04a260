# What a project asks for and ESP-IDF's code has on chips alone: an update that nobody checks must not look like one that was.
# SPDX-License-Identifier: Apache-2.0
foreach(name SECURE_BOOT SECURE_SIGNED_APPS_NO_SECURE_BOOT SECURE_FLASH_ENC_ENABLED)
    if(CONFIG_${name})
        message(FATAL_ERROR "otter: CONFIG_${name}=y: ESP-IDF's code for signatures and flash encryption is bound to chips, and \
linux has none of it; `otter build` has both, or write CONFIG_${name}=n into sdkconfig.defaults.linux (and remove sdkconfig) \
for a build without")
    endif()
endforeach()
