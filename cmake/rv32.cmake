# Toolchain: a bare-metal RV32IMC with Debian's riscv64-unknown-elf-gcc and picolibc (use with -DOTTER_PORT=none).
# SPDX-License-Identifier: Apache-2.0
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR riscv32)
set(CMAKE_C_COMPILER riscv64-unknown-elf-gcc)
set(CMAKE_C_FLAGS_INIT "-march=rv32imc -mabi=ilp32 --specs=picolibc.specs")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY) # there is no start-up code to link a program with
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
