# procpool_test(NAME name LABEL label SOURCES files...
#               [LAYERS layers...] [LIBRARIES libraries...] [TIMEOUT seconds])
#
# One GoogleTest program, procpool_test_<NAME>; each of its cases is one ctest entry
# <NAME>.<Suite>.<Case> with a label and a time limit (default 60 s, four times that under
# sanitizers). The watchdog in tests/support fires 15 s earlier, so that a hang shows its stacks.
#
# LAYERS: link these folders of lib/src instead of the whole library. That it links proves that
# they need nothing above them; such a program cannot make a pool.
include(GoogleTest)

set(PROCPOOL_TEST_PATIENCE 1)
if(PROCPOOL_SANITIZE)
  set(PROCPOOL_TEST_PATIENCE 4)
endif()

function(procpool_test)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;LABEL;TIMEOUT" "SOURCES;LAYERS;LIBRARIES")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  math(EXPR limit "${arg_TIMEOUT} * ${PROCPOOL_TEST_PATIENCE}")
  math(EXPR alarm "${limit} - 15")
  set(target procpool_test_${arg_NAME})
  add_executable(${target} ${arg_SOURCES})
  if(arg_LAYERS)
    list(TRANSFORM arg_LAYERS PREPEND procpool_ OUTPUT_VARIABLE tested)
    target_sources(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests/support/bare_main.cpp")
    target_link_libraries(${target} PRIVATE procpool_test_support ${tested} ${arg_LIBRARIES})
    target_precompile_headers(${target} REUSE_FROM procpool_test_support)
  else()
    target_link_libraries(${target} PRIVATE procpool_test_main ${arg_LIBRARIES})
    target_precompile_headers(${target} REUSE_FROM procpool_test_main)
  endif()
  if(TARGET procpool-worker AND NOT arg_LAYERS)
    add_dependencies(${target} procpool-worker)  # tests name it: PROCPOOL_WORKER_PROGRAM
  endif()
  gtest_discover_tests(${target}
    DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 60
    TEST_PREFIX ${arg_NAME}.
    PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${limit}
               ENVIRONMENT PROCPOOL_TEST_TIMEOUT=${alarm})

  foreach(source IN LISTS arg_SOURCES)
    cmake_path(ABSOLUTE_PATH source NORMALIZE)
    set_property(GLOBAL APPEND PROPERTY PROCPOOL_TEST_SOURCES "${source}")
  endforeach()
endfunction()
