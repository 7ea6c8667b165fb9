# cmake --install: headers, library, worker program, package for find_package, file for pkg-config.
if(NOT TARGET procpool)
  return()
endif()
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/procpool")
install(DIRECTORY lib/include/procpool DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.hpp")
install(TARGETS procpool procpool_headers EXPORT procpoolTargets DESTINATION "${CMAKE_INSTALL_LIBDIR}")
if(TARGET procpool-worker)
  install(TARGETS procpool-worker EXPORT procpoolTargets DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()
install(EXPORT procpoolTargets NAMESPACE procpool:: DESTINATION "${package_dir}")

configure_package_config_file(cmake/procpoolConfig.cmake.in procpoolConfig.cmake
                              INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file(procpoolConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/procpoolConfig.cmake"
              "${CMAKE_CURRENT_BINARY_DIR}/procpoolConfigVersion.cmake"
              cmake/ProcpoolModule.cmake
        DESTINATION "${package_dir}")

# pkg-config finds the prefix from where the file lies, so that an installed tree can be moved.
file(RELATIVE_PATH pc_to_prefix "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
configure_file(cmake/procpool.pc.in procpool.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/procpool.pc"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
