#pragma once

#include <exception>
#include <new>
#include <procpool/procpool.hpp>
#include <system_error>

#include "support/text.hpp"
#include "thumbs/decode.hpp"
#include "thumbs/outcome.hpp"

namespace thumbs {

Killed describe(const procpool::WorkerCrashed& crash);

// What becomes of one file. Its own errors are caught as themselves, though they were thrown in
// another process; errors of the pool itself are nobody's row and go on.
template <class Work>
Outcome outcome_of(Work work) {
  try {
    return Outcome(work());
  } catch (const DecodeError& error) {
    return Refused{"DecodeError", error.decoder + ": " + error.text};
  } catch (const UnknownFormat& error) {
    return Refused{"UnknownFormat", error.text};
  } catch (const procpool::WorkerCrashed& crash) {
    return describe(crash);
  } catch (const procpool::Error&) {
    throw;
  } catch (const std::system_error& error) {
    return Refused{"std::system_error", error.what()};
  } catch (const std::bad_alloc& error) {
    return Refused{"std::bad_alloc", error.what()};
  } catch (const std::exception& error) {  // whatever else the libraries below may throw
    return Refused{examples::type_name(error), error.what()};
  }
}

}  // namespace thumbs
