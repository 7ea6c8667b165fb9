# Builds the consumer beside this file under WORK and runs it. WAY: find_package and pkg_config use
# the library of the build tree BUILT, installed into a prefix of its own; fetch_content builds it
# anew from SOURCE, which stands for what CMake would have fetched.
# without_developer only configures, on a machine that has what README says and nothing else.
cmake_minimum_required(VERSION 3.25)
set(here "${CMAKE_CURRENT_LIST_DIR}")
set(prefix "${WORK}/prefix")
set(program "${WORK}/build/consumer")
file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}/build")

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

function(build_with_cmake project)
  run("${CMAKE_COMMAND}" -S "${here}/${project}" -B "${WORK}/build" -G Ninja
      -D "CMAKE_CXX_COMPILER=${COMPILER}" -D "CMAKE_CXX_COMPILER_LAUNCHER=${CCACHE}" ${ARGN})
  run("${CMAKE_COMMAND}" --build "${WORK}/build" --target consumer)
endfunction()

function(build_with_pkg_config)
  set(ENV{PKG_CONFIG_PATH} "${prefix}/${LIBDIR}/pkgconfig")
  execute_process(COMMAND pkg-config --cflags --libs procpool OUTPUT_VARIABLE flags
                  COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(flags UNIX_COMMAND "${flags}")
  run("${COMPILER}" -std=c++20 "${here}/consumer/main.cpp" -o "${program}" ${flags})
endfunction()

# The installed worker program loads the module that was built against the installed package.
function(list_tasks)
  execute_process(COMMAND "${prefix}/bin/procpool-worker" --module "${WORK}/build/tasks.so" --list
                  OUTPUT_VARIABLE tasks COMMAND_ERROR_IS_FATAL ANY)
  if(NOT tasks STREQUAL "shout std::string(std::string)\n")
    message(FATAL_ERROR "the module exports: ${tasks}")
  endif()
endfunction()

if(WAY STREQUAL without_developer)
  set(absent)
  foreach(package GTest benchmark CLI11 nlohmann_json PNG JPEG)
    list(APPEND absent -D "CMAKE_DISABLE_FIND_PACKAGE_${package}=ON")
  endforeach()
  run("${CMAKE_COMMAND}" -S "${SOURCE}" --preset release -B "${WORK}/build" -D PROCPOOL_DEVELOPER=OFF
      -D "CMAKE_CXX_COMPILER=${COMPILER}" ${absent})
  return()
endif()
if(NOT WAY STREQUAL fetch_content)
  run("${CMAKE_COMMAND}" --install "${BUILT}" --prefix "${prefix}")
endif()
if(WAY STREQUAL find_package)
  build_with_cmake(consumer -D "CMAKE_PREFIX_PATH=${prefix}")
  run("${CMAKE_COMMAND}" --build "${WORK}/build" --target tasks)
  list_tasks()
elseif(WAY STREQUAL pkg_config)
  build_with_pkg_config()
else()
  build_with_cmake(fetch_content -D "FETCHCONTENT_SOURCE_DIR_PROCPOOL=${SOURCE}")
endif()
run("${program}")
