# Runs PROGRAM, which hangs, and requires that the watchdog ends it and names every hanging place.
set(ENV{PROCPOOL_TEST_TIMEOUT} 1)
execute_process(COMMAND "${PROGRAM}" RESULT_VARIABLE result OUTPUT_VARIABLE output
                ERROR_VARIABLE output TIMEOUT 100)
if(result EQUAL 0 OR result MATCHES "timeout")
  message(FATAL_ERROR "ended with '${result}' and not by the watchdog:\n${output}")
endif()
foreach(text "Hang.OnPurpose hangs" hang_in_main_thread hang_in_other_thread hang_in_child)
  string(FIND "${output}" "${text}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "'${text}' is missing from the dump:\n${output}")
  endif()
endforeach()
