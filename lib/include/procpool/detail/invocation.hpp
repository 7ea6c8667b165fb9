#pragma once

// What a task sees of the place that runs it: bytes in, bytes out, one element after the other.

#include <procpool/detail/archive.hpp>

namespace procpool::inline v0::detail {

/// A call, or a chunk of a map, while it runs. Its first element is claimed before the thunk is
/// entered. Per element the thunk decodes the arguments, runs, encodes the result, destroys both,
/// and commits; then it asks for the next. An exception leaves the thunk; who called it records
/// what happened to that element and enters the thunk again for the rest.
class Invocation {
 public:
  /// The callable's bytes. For a single call this is the archive of the arguments, read first.
  virtual SpanIn& callable() = 0;
  /// The current element's bytes. They start at a multiple of 16.
  virtual SpanIn& arguments() = 0;
  /// Where the current element's result is encoded.
  virtual SpanOut& result() = 0;
  /// Nothing of this element is alive any more: its result may be seen.
  virtual void commit() = 0;
  /// Claims the next element of the chunk. False: there is none.
  virtual bool next() = 0;

 protected:
  ~Invocation() = default;
};

}  // namespace procpool::inline v0::detail
