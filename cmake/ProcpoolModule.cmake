# procpool_add_module(NAME sources...)
#
# A task module, NAME.so: a shared library whose sources export tasks (procpool::export_task at
# namespace scope) to the worker that loads it, as PoolOptions::modules says. It has no copy of the
# library: it uses that of the program that loads it, procpool-worker or one with ENABLE_EXPORTS.
function(procpool_add_module name)
  add_library(${name} MODULE ${ARGN})
  target_link_libraries(${name} PRIVATE procpool::headers)
  set_target_properties(${name} PROPERTIES PREFIX "")
endfunction()
