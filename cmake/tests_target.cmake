# The target `tests`: every program that a test runs; and the test `build`, which makes them before the others run.
# SPDX-License-Identifier: Apache-2.0
set(programs "")
foreach(folder tests fuzz)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  list(APPEND programs ${targets})
endforeach()
add_custom_target(tests)
add_dependencies(tests ${programs})

# Quick when there is nothing to do; `./dev test` builds first, and leaves it out.
add_test(NAME build COMMAND ${CMAKE_COMMAND} --build ${CMAKE_BINARY_DIR} --target all tests)
set_tests_properties(build PROPERTIES FIXTURES_SETUP programs TIMEOUT 3000)
