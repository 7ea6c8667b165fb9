# Runs COMPILER with FLAGS on SOURCE. It must fail, and the first line of its output that holds
# "error:" must contain what the source's "// expect:" line says.
cmake_minimum_required(VERSION 3.25)

function(expectation keyword result)
  file(STRINGS "${SOURCE}" line REGEX "^// ${keyword}: " LIMIT_COUNT 1)
  string(REGEX REPLACE "^// ${keyword}: *" "" line "${line}")
  string(STRIP "${line}" line)
  set(${result} "${line}" PARENT_SCOPE)
endfunction()

expectation(expect wanted)
if(COMPILER MATCHES "clang[^/]*$")
  expectation(expect-clang for_clang)
  if(for_clang)
    set(wanted "${for_clang}")
  endif()
endif()
if(NOT wanted)
  message(FATAL_ERROR "${SOURCE} has no line \"// expect: TEXT\"")
endif()

set(ENV{LC_ALL} C)
execute_process(COMMAND "${COMPILER}" ${FLAGS} "${SOURCE}"
                RESULT_VARIABLE result ERROR_VARIABLE output OUTPUT_VARIABLE output)
if(result EQUAL 0)
  message(FATAL_ERROR "${SOURCE} compiles; it must not")
endif()
string(REGEX MATCH "[^\n]*error:[^\n]*" first "${output}")
string(FIND "${first}" "${wanted}" at)
if(at EQUAL -1)
  message(FATAL_ERROR "wanted: ${wanted}\nfirst error: ${first}\nall of it:\n${output}")
endif()
