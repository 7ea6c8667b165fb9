# procpool_layer(NAME DIR directory [USES layers...])
#
# One folder of the library is one target, procpool_<NAME>: an object library of the folder's
# sources, or an interface library while it has only headers. USES names the layers below that it
# may call; tests/meta holds the same table for #includes. A source under DIR named main.cpp is a
# program of its own and stays out.
function(procpool_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "DIR" "USES")
  set(target procpool_${name})
  file(GLOB sources CONFIGURE_DEPENDS "${arg_DIR}/*.cpp")
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  if(sources)
    add_library(${target} OBJECT ${sources})
    set(scope PUBLIC)
    set_property(GLOBAL APPEND PROPERTY PROCPOOL_OBJECT_LAYERS ${target})
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  if(sources AND PROCPOOL_DEVELOPER)
    procpool_precompile(${target} <algorithm> <array> <chrono> <filesystem> <functional> <memory>
                        <mutex> <optional> <span> <string> <system_error> <vector>)
  endif()
  list(TRANSFORM arg_USES PREPEND procpool_)
  target_link_libraries(${target} ${scope} procpool_private ${arg_USES})
endfunction()
