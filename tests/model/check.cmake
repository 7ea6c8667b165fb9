# One search: translate MODEL with DEFINES, compile, run, judge the output by EXPECT
# (holds: complete and no error; no_livelock: the same for cycles without progress; fails_soon,
# fails_late: an assertion of the model is violated, by a short trace or only by a long one).

if(NOT SPIN)
  message("SKIPPED: spin is not installed (Debian package: spin)")
  return()
endif()
if(NOT CC)
  message(FATAL_ERROR "no C compiler for the verifier that spin writes")
endif()

file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})

function(run_or_stop what)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${WORK}
    RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${what}: ${status}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

string(REPLACE "," ";" DEFINES "${DEFINES}")
list(TRANSFORM DEFINES PREPEND -D)

# Where a short trace shows the mistake, a search by breadth ends soon, and compiling is what takes
# time. The others go by depth.
set(search)
if(EXPECT STREQUAL "no_livelock")
  set(kind -O1 -DNP)
  set(search -l)
elseif(EXPECT STREQUAL "fails_soon")
  set(kind -O0 -DSAFETY -DBFS)
else()
  set(kind -O1 -DSAFETY)
endif()

run_or_stop("spin" ${SPIN} -a ${DEFINES} ${MODEL})
run_or_stop("compiler" ${CC} -w ${kind} -DMEMLIM=1024 -o pan pan.c)
# -E: what is left when nothing can move is judged by the Monitor of the model, not by end labels.
run_or_stop("pan" ./pan -E -n -m100000 ${search})
message("${output}")

foreach(cut "max search depth too small" "reached -DMEMLIM" "out of memory"
    "Search not completed" "Bitstate")
  if(output MATCHES "${cut}" AND NOT (EXPECT MATCHES "^fails" AND cut MATCHES "not completed"))
    message(FATAL_ERROR "${NAME}: the search is not complete: ${cut}")
  endif()
endforeach()

if(EXPECT MATCHES "^fails")
  if(NOT output MATCHES "pan:1: assertion violated" OR NOT output MATCHES "errors: 1")
    message(FATAL_ERROR "${NAME}: spin does not find the seeded bug")
  endif()
elseif(NOT output MATCHES "errors: 0" OR NOT output MATCHES "states, stored")
  message(FATAL_ERROR "${NAME}: the model does not hold; see ${WORK}, ./pan -r replays the trail")
endif()
