# expect_error.cmake on sources whose fate is known, under WORK, with each of COMPILERS.
cmake_minimum_required(VERSION 3.25)

function(try compiler text accepted)
  file(WRITE "${WORK}/source.cpp" "${text}\n")
  execute_process(COMMAND "${CMAKE_COMMAND}" -D "COMPILER=${compiler}" -D FLAGS=-fsyntax-only
                  -D "SOURCE=${WORK}/source.cpp" -P "${CMAKE_CURRENT_LIST_DIR}/expect_error.cmake"
                  RESULT_VARIABLE result ERROR_VARIABLE output)
  if(accepted AND NOT result EQUAL 0)
    message(SEND_ERROR "${compiler}: refused:\n${text}\n${output}")
  elseif(NOT accepted AND result EQUAL 0)
    message(SEND_ERROR "${compiler}: accepted:\n${text}")
  endif()
endfunction()

foreach(compiler IN LISTS COMPILERS)
  set(refusal "static_assert(sizeof(int) == 1, \"write [this], that\");")
  try("${compiler}" "// expect: write [this], that\n${refusal}" TRUE)
  try("${compiler}" "// expect: write [this], that\n// expect-also: sizeof(int)\n${refusal}" TRUE)
  try("${compiler}" "// expect: write [this], that\n// expect-also: absent\n${refusal}" FALSE)
  try("${compiler}" "// expect: write something else\n${refusal}" FALSE)
  try("${compiler}" "// expect: write [this], that\nint first = \"\";\n${refusal}" FALSE)
  try("${compiler}" "// expect: write [this], that" FALSE)
  try("${compiler}" "${refusal}" FALSE)
endforeach()
