# parity.cmake takes an id from names and from nothing else, and tells of both kinds of mistake.
cmake_minimum_required(VERSION 3.25)

# The row P-SEED-01, and a file of tests with this text.
function(expect outcome file text)
  file(REMOVE_RECURSE "${WORK}")
  file(WRITE "${WORK}/rows.md" "- P-SEED-01 = it is done.\n")
  file(WRITE "${WORK}/tests/${file}" "${text}")
  execute_process(COMMAND "${CMAKE_COMMAND}" -D "ROWS=${WORK}/rows.md" -D "TESTS=${WORK}/tests"
                  -D "LATER=${later}" -P "${CMAKE_CURRENT_LIST_DIR}/parity.cmake"
                  OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(NOT out MATCHES "${outcome}")
    message(SEND_ERROR "${file} with '${text}' is not '${outcome}' but:\n${out}")
  endif()
endfunction()

set(later)
set(covered "rows covered: 1 of 1")
set(missing "rows without a test: P-SEED-01")
expect("${covered}" a_test.cpp "TEST(Suite, P_SEED_01_is_done) {}\n")
expect("${covered}" a_test.cpp "TEST_P(P_SEED_01, is_done) {}\n")
expect("${covered}" a_test.cpp "INSTANTIATE_TEST_SUITE_P(\n    P_SEED_01, Suite, all);\n")
expect("${covered}" P_SEED_01_is_done.cpp "int main() {}\n")
expect("${missing}" a_test.cpp "// P_SEED_01\nTEST(Suite, is_done) {}\n")
expect("${missing}" a_test.cpp "// TEST(Suite, P_SEED_01_is_done) {}\n")
expect("${missing}" a_test.cpp "TEST(Suite, is_done) {}\nint P_SEED_01;\n")
expect("carry ids that are no row: P-SEED-02" a_test.cpp
       "TEST(Suite, P_SEED_01_is_done) {}\nTEST(Suite, P_SEED_02_is_done) {}\n")

set(later P-SEED-01)
expect("rows covered: 0 of 1\n$" a_test.cpp "TEST(Suite, is_done) {}\n")
expect("P-SEED-01 is no row, or has a test" a_test.cpp "TEST(Suite, P_SEED_01_is_done) {}\n")
set(later P-SEED-03)
expect("P-SEED-03 is no row, or has a test" a_test.cpp "TEST(Suite, P_SEED_01_is_done) {}\n")
