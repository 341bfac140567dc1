# Few executables, many ctest entries: unit_tests (all rooms), promise_tests (real children), tidy.
#   unit_tests_<room>  one room's unit tests linked with the rooms below it only; built on demand.
# A test with Crowd in its name runs alone. tests/test_properties.cmake, when present, is read by ctest after discovery
# and may say set_tests_properties(Suite.Name PROPERTIES TIMEOUT 300).
include(GoogleTest)
find_package(GTest REQUIRED)
find_package(spdlog REQUIRED)
find_package(Python3 REQUIRED COMPONENTS Interpreter)

function(netrunner_discover target label)
  set(common DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60)
  gtest_discover_tests(${target} TEST_FILTER "-*Crowd*" ${common} TEST_LIST ${target}_quiet
    PROPERTIES TIMEOUT 120 LABELS ${label})
  gtest_discover_tests(${target} TEST_FILTER "*Crowd*" ${common} TEST_LIST ${target}_crowd
    PROPERTIES TIMEOUT 120 LABELS ${label} RUN_SERIAL TRUE)
endfunction()

function(netrunner_test_objects target)
  add_library(${target} OBJECT ${ARGN})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/include")
  target_link_libraries(${target} PRIVATE netrunner_options GTest::gtest Threads::Threads)
endfunction()

# tests/children: a fault per program. Plain programs: no sanitizer, nothing of ours linked.
file(GLOB child_sources CONFIGURE_DEPENDS
  "${PROJECT_SOURCE_DIR}/tests/children/*.cpp" "${PROJECT_SOURCE_DIR}/tests/children/*.c")
set(child_targets "")
foreach(source IN LISTS child_sources)
  cmake_path(GET source STEM name)
  add_executable(child_${name} "${source}")
  set_target_properties(child_${name} PROPERTIES OUTPUT_NAME ${name} CXX_CLANG_TIDY "" C_CLANG_TIDY ""
    RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin/children")
  target_include_directories(child_${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_compile_definitions(child_${name} PRIVATE $<$<COMPILE_LANGUAGE:C>:_GNU_SOURCE>)
  target_compile_options(child_${name} PRIVATE -O1 -g0)
  target_link_libraries(child_${name} PRIVATE netrunner_warnings Threads::Threads)
  list(APPEND child_targets child_${name})
endforeach()

file(GLOB support_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/support/*.cpp")
set(support_library "")
set_source_files_properties("${PROJECT_SOURCE_DIR}/tests/support/paths.cpp" PROPERTIES
  COMPILE_DEFINITIONS NETRUNNER_BIN_DIR="${PROJECT_BINARY_DIR}/bin")
if(support_sources)
  netrunner_test_objects(netrunner_test_support_objects ${support_sources})
  # An archive: an executable takes only the helpers that it names, so a room's tests need no room above.
  add_library(netrunner_test_support STATIC EXCLUDE_FROM_ALL $<TARGET_OBJECTS:netrunner_test_support_objects>)
  set_target_properties(netrunner_test_support PROPERTIES LINKER_LANGUAGE CXX)
  set(support_library netrunner_test_support)
endif()

# tests/hosts: programs that use the library in an odd state (no stdio, signals ignored, seccomp) or die of it.
file(GLOB host_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/hosts/*.cpp")
set(host_targets "")
if(TARGET netrunner AND support_sources)
  foreach(source IN LISTS host_sources)
    cmake_path(GET source STEM name)
    netrunner_test_objects(host_${name}_objects "${source}")
    add_executable(host_${name} $<TARGET_OBJECTS:host_${name}_objects>)
    set_target_properties(host_${name} PROPERTIES OUTPUT_NAME ${name} LINKER_LANGUAGE CXX
      RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin/hosts")
    target_link_libraries(host_${name} PRIVATE netrunner_options ${support_library} netrunner::netrunner GTest::gtest)
    foreach(needed IN LISTS child_targets)
      add_dependencies(host_${name} ${needed})
    endforeach()
    list(APPEND host_targets host_${name})
  endforeach()
endif()

# The shepherd's own parts, compiled as host code, for tests/unit/shepherd.
file(GLOB shepherd_parts CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/shepherd/*.cpp")
list(FILTER shepherd_parts EXCLUDE REGEX "/shepherd/main\\.cpp$")
file(GLOB shepherd_tests CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/unit/shepherd/*.cpp")
if(shepherd_parts AND shepherd_tests)
  add_library(netrunner_shepherd_parts OBJECT EXCLUDE_FROM_ALL ${shepherd_parts})
  target_include_directories(netrunner_shepherd_parts PRIVATE "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/include")
  target_link_libraries(netrunner_shepherd_parts PRIVATE netrunner_options)
  set_property(GLOBAL PROPERTY netrunner_below_shepherd wire ring os)
endif()

set(unit_objects "")
foreach(room IN ITEMS ${NETRUNNER_ROOMS} shepherd)
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/unit/${room}/*.cpp")
  if(NOT sources OR (room STREQUAL "shepherd" AND NOT TARGET netrunner_shepherd_parts))
    continue()
  endif()
  netrunner_test_objects(unit_${room} ${sources})
  list(APPEND unit_objects $<TARGET_OBJECTS:unit_${room}>)

  get_property(below GLOBAL PROPERTY netrunner_below_${room})
  set(room_objects $<TARGET_OBJECTS:unit_${room}>)
  foreach(part IN ITEMS ${room} ${below})
    if(part STREQUAL "shepherd")
      set(part shepherd_parts)
    endif()
    if(TARGET netrunner_${part})
      list(APPEND room_objects $<TARGET_OBJECTS:netrunner_${part}>)
    endif()
  endforeach()
  add_executable(unit_tests_${room} EXCLUDE_FROM_ALL ${room_objects})
  target_link_libraries(unit_tests_${room} PRIVATE netrunner_options ${support_library} GTest::gtest_main
    PkgConfig::LIBURING Threads::Threads)
endforeach()
if(unit_objects AND TARGET netrunner)
  add_executable(unit_tests ${unit_objects})
  target_link_libraries(unit_tests PRIVATE netrunner_options ${support_library} netrunner::netrunner GTest::gtest_main)
  if(TARGET netrunner_shepherd_parts)
    target_sources(unit_tests PRIVATE $<TARGET_OBJECTS:netrunner_shepherd_parts>)
  endif()
  netrunner_discover(unit_tests unit)
endif()

file(GLOB promise_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/promises/*_test.cpp")
if(promise_sources AND TARGET netrunner)
  netrunner_test_objects(promise_objects ${promise_sources})
  add_executable(promise_tests $<TARGET_OBJECTS:promise_objects>)
  if(support_sources)
    target_sources(promise_tests PRIVATE $<TARGET_OBJECTS:netrunner_test_support_objects>)
  endif()
  # For the adapter in include/netrunner/spdlog.hpp: the library itself needs none of it.
  set_source_files_properties("${PROJECT_SOURCE_DIR}/tests/promises/log_test.cpp" PROPERTIES COMPILE_DEFINITIONS
    "$<TARGET_PROPERTY:spdlog::spdlog_header_only,INTERFACE_COMPILE_DEFINITIONS>")
  target_link_libraries(promise_tests PRIVATE netrunner_options netrunner::netrunner GTest::gtest_main
    spdlog::spdlog_header_only)
  foreach(needed IN ITEMS ${child_targets} ${host_targets} netrunner_command netrunner_shepherd)
    if(TARGET ${needed})
      add_dependencies(promise_tests ${needed})
    endif()
  endforeach()
  netrunner_discover(promise_tests promises)
endif()

add_test(NAME tidy.tree COMMAND Python3::Interpreter -B tests/tidy/check_tree.py "${PROJECT_SOURCE_DIR}"
  WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
add_test(NAME tidy.self_test COMMAND Python3::Interpreter -B tests/tidy/self_test.py
  WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
set_tests_properties(tidy.tree tidy.self_test PROPERTIES TIMEOUT 120 LABELS tidy)

set(properties_file "${PROJECT_SOURCE_DIR}/tests/test_properties.cmake")
if(EXISTS "${properties_file}")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${properties_file}")
endif()
