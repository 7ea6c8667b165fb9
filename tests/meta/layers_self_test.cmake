# Does layers.cmake find what it must? Each row is a file, the line in it, and a part of the
# complaint; the last column is empty where there must be none. Each is tried in a tree of its own
# under WORK.
cmake_minimum_required(VERSION 3.25)
set(checker "${CMAKE_CURRENT_LIST_DIR}/layers.cmake")

function(try file line complaint)
  file(REMOVE_RECURSE "${WORK}")
  # A clean tree around it, with a word that brings the facade in.
  file(WRITE "${WORK}/lib/src/os/fd.hpp" "#include <unistd.h>\n#include \"base/words.hpp\"\n")
  file(WRITE "${WORK}/lib/include/procpool/detail/bad.hpp" "#include <procpool/pool.hpp>\n")
  file(WRITE "${WORK}/${file}" "#pragma once\n${line}\n")
  execute_process(COMMAND "${CMAKE_COMMAND}" -D "ROOT=${WORK}" -P "${checker}"
                  RESULT_VARIABLE failed ERROR_VARIABLE errors OUTPUT_QUIET)
  string(REGEX REPLACE "[ \n]+" " " errors "${errors}")  # CMake breaks long lines
  string(FIND "${errors}" "${complaint}" at)
  if(complaint AND (NOT failed OR at EQUAL -1))
    message(SEND_ERROR "not found in ${file}: ${line}\n(wanted: ${complaint})\n${errors}")
  elseif(failed AND NOT complaint)
    message(SEND_ERROR "refused in ${file}: ${line}\n${errors}")
  endif()
endfunction()

set(src lib/src)
set(api lib/include/procpool)

try(${src}/os/a.hpp "#include \"shm/ring.hpp\"" "os must not include \"shm/ring.hpp\"")
try(${src}/shm/a.hpp "#include \"wire/frame.hpp\"" "shm must not include")
try(${src}/wire/a.hpp "#include \"shm/ring.hpp\"" "wire must not include")
try(${src}/channel/a.hpp "#include \"supervisor/ledger.hpp\"" "channel must not include")
try(${src}/supervisor/a.cpp "  #  include \"worker/loop.hpp\"  // why" "supervisor must not include")
try(worker/a.cpp "#include \"supervisor/ledger.hpp\"" "worker must not include")
try(${src}/pool/a.cpp "#include \"worker/loop.hpp\"" "pool must not include")
try(${src}/shm/a.hpp "#include \"ring.hpp\"" "does not name its folder")
try(${src}/supervisor/a.hpp "#include <procpool/future.hpp>" "supervisor must not include")
try(${src}/supervisor/a.hpp "#include <procpool/detail/bad.hpp>" "(supervisor) includes it")
try(${api}/a.hpp "#include \"os/fd.hpp\"" "public must not include")
try(${api}/detail/a.hpp "#include \"os/fd.hpp\"" "detail must not include")
try(${api}/a.hpp "#include <boost/asio.hpp>" "includes Boost")
try(${api}/a.hpp "#include <unistd.h>" "system header")
try(${src}/supervisor/a.cpp "#include <sys/wait.h>" "system header")
try(worker/a.cpp "#include <linux/futex.h>" "system header")
try(${src}/pool/a.cpp "x.load(std::memory_order_relaxed);" "memory_order")
try(examples/thumbs/a.cpp "#include \"os/fd.hpp\"" "private")
try(${src}/extra/a.hpp "" "no row in the table")

try(${src}/shm/a.hpp "x.load(std::memory_order_relaxed);" "")
try(${src}/pool/a.cpp "#include \"supervisor/ledger.hpp\"\n#include <procpool/future.hpp>" "")
try(${src}/supervisor/a.cpp "#include <procpool/errors.hpp>\n#include <boost/x.hpp>" "")
try(${src}/pool/a.cpp "// says nothing about memory_order" "")
try(${api}/asio.hpp "#include <boost/asio.hpp>\n#include <sys/types.h>" "")
try(examples/thumbs/a.cpp "#include \"thumbs/image.hpp\"\n#include <png.h>" "")
