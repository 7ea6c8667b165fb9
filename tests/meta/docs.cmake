# Every public entity of ROOT has its text: doxygen, as `./run docs` calls it, finds nothing to warn of.
# And it is strict: of a header with a function that has none it says so. What it makes goes to WORK.
cmake_minimum_required(VERSION 3.25)
if(NOT DOXYGEN)
  message(STATUS "SKIPPED: doxygen is not installed")
  return()
endif()
file(READ "${ROOT}/docs/Doxyfile" doxyfile)

function(document settings result output)
  file(WRITE "${WORK}/Doxyfile" "${doxyfile}\nOUTPUT_DIRECTORY = \"${WORK}\"\n${settings}\n")
  execute_process(COMMAND "${DOXYGEN}" "${WORK}/Doxyfile" WORKING_DIRECTORY "${ROOT}"
                  RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE said)
  set(${result} "${failed}" PARENT_SCOPE)
  set(${output} "${said}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE "${WORK}")
document("" failed said)
if(failed)
  message(SEND_ERROR "${said}")
endif()

file(WRITE "${WORK}/seeded.hpp" "/// \\file\nnamespace procpool {\n/// Has one.\nint one();\nint two();\n}\n")
document("INPUT = \"${WORK}/seeded.hpp\"\nUSE_MDFILE_AS_MAINPAGE =" failed said)
if(NOT failed OR NOT said MATCHES "two\\(\\)[^\n]* is not documented")
  message(SEND_ERROR "not found: a function without a text\n${said}")
endif()
