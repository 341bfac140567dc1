# find_package(NetRunner) gives netrunner::netrunner.
if(NOT TARGET netrunner)
  return()
endif()
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/netrunner" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(TARGETS netrunner EXPORT netrunner_targets ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
foreach(program IN ITEMS netrunner_command netrunner_shepherd)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  endif()
endforeach()

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/NetRunner")
install(EXPORT netrunner_targets NAMESPACE netrunner:: FILE NetRunnerTargets.cmake DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/NetRunnerConfigVersion.cmake"
  VERSION "${PROJECT_VERSION}" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_SOURCE_DIR}/cmake/NetRunnerConfig.cmake"
  "${PROJECT_BINARY_DIR}/NetRunnerConfigVersion.cmake" DESTINATION "${package_dir}")
