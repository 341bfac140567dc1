# bench/*.cpp and bench/peers/*.cpp are one executable, built by default only where NETRUNNER_BENCH is on (release).
# bench/bench.cmake, when present, adds what the peers need to the target netrunner_bench.
file(GLOB bench_sources CONFIGURE_DEPENDS
  "${PROJECT_SOURCE_DIR}/bench/*.cpp" "${PROJECT_SOURCE_DIR}/bench/peers/*.cpp")
if(NOT bench_sources OR NOT TARGET netrunner OR NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()
find_package(benchmark QUIET)
if(NOT benchmark_FOUND)
  message(STATUS "NetRunner: Google Benchmark is not installed, netrunner_bench is skipped")
  return()
endif()
add_executable(netrunner_bench ${bench_sources})
target_include_directories(netrunner_bench PRIVATE "${PROJECT_SOURCE_DIR}")
target_link_libraries(netrunner_bench PRIVATE netrunner_options netrunner::netrunner benchmark::benchmark_main)
target_compile_definitions(netrunner_bench PRIVATE
  NETRUNNER_CHILDREN_DIR="${PROJECT_BINARY_DIR}/bin/children"
  NETRUNNER_COMMAND_PATH="${PROJECT_BINARY_DIR}/bin/netrunner")
foreach(needed IN LISTS child_targets)
  add_dependencies(netrunner_bench ${needed})
endforeach()
if(NOT NETRUNNER_BENCH)
  set_target_properties(netrunner_bench PROPERTIES EXCLUDE_FROM_ALL ON)
endif()
include("${PROJECT_SOURCE_DIR}/bench/bench.cmake" OPTIONAL)
