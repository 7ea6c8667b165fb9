# Developer mode: what those who work on procpool want and its users must not get.
set(PROCPOOL_SANITIZE "" CACHE STRING "Sanitizers: empty, address,undefined or thread")

add_compile_options(-Wall -Wextra -Wconversion -Wshadow)
if(PROCPOOL_SANITIZE)
  add_compile_options(-fsanitize=${PROCPOOL_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  # g++ 12 takes what the sanitizers put in for reads of what std::optional does not hold.
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  add_link_options(-fsanitize=${PROCPOOL_SANITIZE})
endif()

option(PROCPOOL_FUZZ "Build the fuzz targets with libFuzzer (clang)" OFF)
if(PROCPOOL_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")

# ccache hits through precompiled headers need to be told that this is fine.
find_program(PROCPOOL_CCACHE ccache)
mark_as_advanced(PROCPOOL_CCACHE)
if(PROCPOOL_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros "${PROCPOOL_CCACHE}")
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endif()

# procpool_precompile(TARGET headers...): these headers, compiled once for all targets that name the same.
# (A header that a source forgets to include is found by the build without developer mode, tests/install.)
function(procpool_precompile target)
  string(MD5 key "${ARGN}")
  get_property(owner GLOBAL PROPERTY PROCPOOL_PRECOMPILED_${key})
  if(owner)
    target_precompile_headers(${target} REUSE_FROM ${owner})
  else()
    target_precompile_headers(${target} PRIVATE ${ARGN})
    set_property(GLOBAL PROPERTY PROCPOOL_PRECOMPILED_${key} ${target})
  endif()
endfunction()
