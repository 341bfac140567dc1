# How everything of ours is compiled. The sanitizers live on a target and not in CMAKE_CXX_FLAGS, because the shepherd
# must never have them: it is started by raw clone3 with a tiny stack and has no libc start-up to speak of.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_C_STANDARD 17)

find_program(NETRUNNER_CCACHE ccache)
if(NETRUNNER_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER "${NETRUNNER_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${NETRUNNER_CCACHE}")
endif()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBURING REQUIRED IMPORTED_TARGET liburing)

add_library(netrunner_warnings INTERFACE)
target_compile_options(netrunner_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion
  $<$<BOOL:${NETRUNNER_WERROR}>:-Werror>
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)

add_library(netrunner_options INTERFACE)
target_link_libraries(netrunner_options INTERFACE netrunner_warnings)
if(NETRUNNER_SANITIZE)
  # vptr off: it asks by a pipe whether an address is readable; where no descriptor is left it calls the object bad.
  target_compile_options(netrunner_options INTERFACE -fsanitize=${NETRUNNER_SANITIZE} -fno-sanitize=vptr
    -fno-sanitize-recover=all -fno-omit-frame-pointer $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  target_link_options(netrunner_options INTERFACE -fsanitize=${NETRUNNER_SANITIZE})
endif()
