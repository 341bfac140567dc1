# bin/netrunner from tools/netrunner, and each file of tools/examples as bin/examples/<name>, run by ctest.
if(NOT TARGET netrunner)
  return()
endif()

file(GLOB_RECURSE command_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tools/netrunner/*.cpp")
if(command_sources)
  find_package(CLI11 REQUIRED)
  find_package(nlohmann_json REQUIRED)
  add_executable(netrunner_command ${command_sources})
  set_target_properties(netrunner_command PROPERTIES
    OUTPUT_NAME netrunner RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
  target_include_directories(netrunner_command PRIVATE "${PROJECT_SOURCE_DIR}")
  target_compile_definitions(netrunner_command PRIVATE NETRUNNER_VERSION="${PROJECT_VERSION}")
  target_link_libraries(netrunner_command PRIVATE
    netrunner_options netrunner::netrunner CLI11::CLI11 nlohmann_json::nlohmann_json)
  if(NOT NETRUNNER_SANITIZE)  # Loading libstdc++ takes a third of its start.
    target_link_options(netrunner_command PRIVATE -static-libstdc++ -static-libgcc)
  endif()
endif()

file(GLOB example_sources CONFIGURE_DEPENDS
  "${PROJECT_SOURCE_DIR}/tools/examples/*.cpp" "${PROJECT_SOURCE_DIR}/tools/examples/*.c")
foreach(source IN LISTS example_sources)
  cmake_path(GET source STEM name)
  add_executable(example_${name} "${source}")
  set_target_properties(example_${name} PROPERTIES OUTPUT_NAME ${name} LINKER_LANGUAGE CXX
    RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin/examples")
  target_link_libraries(example_${name} PRIVATE netrunner_options netrunner::netrunner)
  if(NETRUNNER_TESTS)
    add_test(NAME examples.${name} COMMAND example_${name})
    set_tests_properties(examples.${name} PROPERTIES TIMEOUT 120 LABELS examples)
  endif()
endforeach()
