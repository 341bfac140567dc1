# The benchmarks: bin/bench/children (static, without libc), bin/bench/peers (a program per other way), and what is
# ours: bin/bench/ours, which speaks the peers' protocol, and bin/bench/engine (Google Benchmark). Built by default only
# where NETRUNNER_BENCH is on (release). A peer whose language or library is not installed is left out, and said so.
if(NOT TARGET netrunner OR NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()
set(bench_folder "${PROJECT_SOURCE_DIR}/bench")
set(bench_bin "${PROJECT_BINARY_DIR}/bin/bench")
add_custom_target(netrunner_bench)
if(NETRUNNER_BENCH)
  set_target_properties(netrunner_bench PROPERTIES EXCLUDE_FROM_ALL OFF)
  add_custom_target(netrunner_bench_all ALL DEPENDS netrunner_bench)
endif()

function(netrunner_bench_program target folder name)
  add_executable(${target} EXCLUDE_FROM_ALL ${ARGN})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY "${bench_bin}${folder}"
    CXX_CLANG_TIDY "" C_CLANG_TIDY "")
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}")
  add_dependencies(netrunner_bench ${target})
endfunction()

file(GLOB sources CONFIGURE_DEPENDS "${bench_folder}/children/*.c")
foreach(source IN LISTS sources)
  cmake_path(GET source STEM name)
  netrunner_bench_program(bench_child_${name} /children ${name} "${source}")
  target_compile_options(bench_child_${name} PRIVATE -O2 -g0 -ffreestanding -fno-stack-protector -fno-pie
    -fno-asynchronous-unwind-tables)
  target_link_options(bench_child_${name} PRIVATE -nostdlib -static -no-pie -s -Wl,--build-id=none)
endforeach()

file(GLOB sources CONFIGURE_DEPENDS "${bench_folder}/ours*.cpp")
netrunner_bench_program(bench_ours "" ours ${sources})
target_link_libraries(bench_ours PRIVATE netrunner_options netrunner::netrunner)
add_dependencies(netrunner_bench netrunner_command)

# Peers in C and C++: what each links beside libc.
find_package(Boost 1.81 QUIET COMPONENTS filesystem)
pkg_check_modules(LIBUV QUIET IMPORTED_TARGET libuv)
set(peer_links_libuv PkgConfig::LIBUV)
set(peer_links_boost_process Boost::filesystem)
set(peer_links_ring_by_hand PkgConfig::LIBURING)
file(GLOB sources CONFIGURE_DEPENDS "${bench_folder}/peers/*.c" "${bench_folder}/peers/*.cpp")
foreach(source IN LISTS sources)
  cmake_path(GET source STEM name)
  if(peer_links_${name} AND NOT TARGET ${peer_links_${name}})
    message(STATUS "NetRunner: ${peer_links_${name}} is not installed, the peer ${name} is left out")
    continue()
  endif()
  netrunner_bench_program(bench_peer_${name} /peers ${name} "${source}")
  target_compile_definitions(bench_peer_${name} PRIVATE $<$<COMPILE_LANGUAGE:C>:_GNU_SOURCE>)
  target_link_libraries(bench_peer_${name} PRIVATE Threads::Threads ${peer_links_${name}})
endforeach()

# Go and Rust, as their own tools build them, offline.
function(netrunner_bench_command name program source)
  if(NOT ${program})
    message(STATUS "NetRunner: ${program} is not installed, the peer ${name} is left out")
    return()
  endif()
  add_custom_command(OUTPUT "${bench_bin}/peers/${name}" DEPENDS "${source}" COMMAND ${ARGN} VERBATIM
    WORKING_DIRECTORY "${bench_folder}/peers")
  add_custom_target(bench_peer_${name} DEPENDS "${bench_bin}/peers/${name}")
  add_dependencies(netrunner_bench bench_peer_${name})
endfunction()

find_program(NETRUNNER_GO NAMES go)
netrunner_bench_command(os_exec NETRUNNER_GO "${bench_folder}/peers/os_exec.go"
  "${CMAKE_COMMAND}" -E env GO111MODULE=off "${NETRUNNER_GO}" build -o "${bench_bin}/peers/os_exec" os_exec.go)

# Debian's compiler and its registry of crates: nothing is downloaded.
find_program(NETRUNNER_CARGO NAMES cargo PATHS /usr/bin NO_DEFAULT_PATH)
set(tokio_folder "${PROJECT_BINARY_DIR}/bench_tokio")
configure_file("${bench_folder}/peers/tokio.toml.in" "${tokio_folder}/Cargo.toml" @ONLY)
netrunner_bench_command(tokio_process NETRUNNER_CARGO "${bench_folder}/peers/tokio_process.rs"
  "${CMAKE_COMMAND}" -E env RUSTC=/usr/bin/rustc "CARGO_HOME=${tokio_folder}/home"
  "${NETRUNNER_CARGO}" build --quiet --offline --release --manifest-path "${tokio_folder}/Cargo.toml"
  --config "source.crates-io.replace-with=\"debian\"" --config "source.debian.directory=\"/usr/share/cargo/registry\""
  COMMAND "${CMAKE_COMMAND}" -E copy "${tokio_folder}/target/release/tokio_process" "${bench_bin}/peers/tokio_process")

# Google Benchmark: what one engine does alone.
find_package(benchmark QUIET)
file(GLOB sources CONFIGURE_DEPENDS "${bench_folder}/engine*.cpp")
if(benchmark_FOUND AND sources)
  netrunner_bench_program(bench_engine "" engine ${sources})
  target_link_libraries(bench_engine PRIVATE netrunner_options netrunner::netrunner benchmark::benchmark_main)
  target_compile_definitions(bench_engine PRIVATE NETRUNNER_BENCH_CHILDREN="${bench_bin}/children")
endif()
