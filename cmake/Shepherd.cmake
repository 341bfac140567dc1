# The shepherd: a small static program with its own compilation of os, ring and wire, never with a sanitizer. Its ELF
# image is linked into the library (netrunner_shepherd_image .. netrunner_shepherd_image_end), and the file stays at
# bin/netrunner-shepherd for hosts where vm.memfd_noexec forbids the embedded one.
file(GLOB shepherd_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/shepherd/*.cpp")
if(NOT EXISTS "${PROJECT_SOURCE_DIR}/shepherd/main.cpp")
  message(STATUS "NetRunner: shepherd/main.cpp is not there yet, the shepherd is skipped")
  return()
endif()
file(GLOB shepherd_room_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/engine/os/*.cpp"
  "${PROJECT_SOURCE_DIR}/engine/ring/*.cpp" "${PROJECT_SOURCE_DIR}/engine/wire/*.cpp")

set(NETRUNNER_SHEPHERD_FILE "${PROJECT_BINARY_DIR}/bin/netrunner-shepherd")
add_executable(netrunner_shepherd ${shepherd_sources} ${shepherd_room_sources})
set_target_properties(netrunner_shepherd PROPERTIES
  OUTPUT_NAME netrunner-shepherd RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
target_include_directories(netrunner_shepherd PRIVATE "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/include")
target_compile_definitions(netrunner_shepherd PRIVATE NETRUNNER_SHEPHERD=1)
target_compile_options(netrunner_shepherd PRIVATE -Os -g0 -fno-exceptions -fno-rtti -fno-stack-protector -fno-pie
  -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections)
target_link_options(netrunner_shepherd PRIVATE -static -s -Wl,--gc-sections -Wl,--build-id=none)
target_link_libraries(netrunner_shepherd PRIVATE netrunner_warnings -l:liburing.a)

configure_file("${PROJECT_SOURCE_DIR}/cmake/shepherd_image.S.in" "${PROJECT_BINARY_DIR}/shepherd_image.S" @ONLY)
set_source_files_properties("${PROJECT_BINARY_DIR}/shepherd_image.S" PROPERTIES
  OBJECT_DEPENDS "${NETRUNNER_SHEPHERD_FILE}")
add_library(netrunner_shepherd_image OBJECT "${PROJECT_BINARY_DIR}/shepherd_image.S")
add_dependencies(netrunner_shepherd_image netrunner_shepherd)
