# Sets what the tests need that run compilers on single files, as a user of the library would:
# PROCPOOL_COMPILERS: g++ and clang++, those that are there;
# PROCPOOL_USER_FLAGS: the flags, for syntax only, with the public include directory.
set(PROCPOOL_COMPILERS)
foreach(name g++ clang++)
  find_program(PROCPOOL_${name} ${name})
  mark_as_advanced(PROCPOOL_${name})
  if(PROCPOOL_${name})
    list(APPEND PROCPOOL_COMPILERS "${PROCPOOL_${name}}")
  endif()
endforeach()

set(PROCPOOL_USER_FLAGS -std=c++20 -fsyntax-only -Wall -Wextra -Wconversion -Wshadow
    "-I${PROJECT_SOURCE_DIR}/lib/include")
