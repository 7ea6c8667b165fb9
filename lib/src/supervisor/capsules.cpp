// Tasks that failed for good, in a pool that leaves capsules: each is settled by a chore, once its
// capsule is there, so that who hears of the failure finds the file.

#include <exception>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <procpool/detail/core.hpp>

#include "supervisor/capsule_writer.hpp"
#include "supervisor/supervisor.hpp"
#include "wire/error_record.hpp"

namespace procpool::inline v0::supervisor {

using detail::Assignment;
using wire::Failure;

namespace {

std::string line_about(const std::filesystem::path& file) { return "capsule: " + file.string(); }

/// What costs no reading of debug information: the stack of a crash by modules and offsets.
std::string text_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const WorkerCrashed& crash) {
    const CrashReport& report = crash.report();
    return report.backtrace.empty() ? report.text : report.text + "\n  stack:\n" + report.backtrace;
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return {};
  }
}

/// The same error, which now says where the capsule is.
std::exception_ptr naming(const std::filesystem::path& file, const std::exception_ptr& error) {
  if (file.empty()) return error;
  try {
    std::rethrow_exception(error);
  } catch (const WorkerCrashed& crash) {
    CrashReport report = crash.report();
    report.capsule = file;
    report.text += '\n' + line_about(file);
    // What takes long is still composed by whoever asks; copies share it.
    detail::LazyText text([crash, line = line_about(file)] { return crash.what() + ('\n' + line); });
    detail::LazyText stack([crash] { return crash.backtrace(); });
    return std::make_exception_ptr(
        WorkerCrashed(std::move(report), std::move(text), std::move(stack)));
  } catch (const TaskTimeout& timeout) {
    return std::make_exception_ptr(
        TaskTimeout(std::string(timeout.what()) + '\n' + line_about(file)));
  } catch (...) {
    return error;
  }
}

}  // namespace

/// Whether its failure is to be settled by `leave_capsule`.
bool Supervisor::wants_capsule(const Assignment& work) const {
  return settings_.capsules && !Ledger::node_of(work).done();
}

/// The element that would be settled next has failed. What is returned is settled later; null: it
/// is settled.
Assignment* Supervisor::settle_failure(Assignment& work, Failure failure,
                                       std::exception_ptr error) {
  if (!wants_capsule(work)) {
    ledger_.settle_error(work, std::move(error));
    return nullptr;
  }
  Assignment& lifted = ledger_.lift(work);
  add_chore([this, &lifted, what = failed(lifted, failure), error = std::move(error)](Lock& lock) {
    lock.unlock();
    const std::exception_ptr told = naming(settings_.capsules->write(what, text_of(error)), error);
    lock.lock();
    ledger_.settle_error(lifted, told);
    ledger_.finish(lifted);
    attention_ = true;
  });
  return &lifted;
}

/// The same for what a task threw.
void Supervisor::leave_capsule(Assignment& lifted, detail::Part::Lent record) {
  add_chore([this, &lifted, what = failed(lifted, Failure::exception),
             record = std::move(record)](Lock& lock) {
    lock.unlock();
    const auto told = with_capsule(what, record);
    lock.lock();
    ledger_.settle_lent(lifted, detail::Outcome::remote, told);
    ledger_.finish(lifted);
    attention_ = true;
  });
}

/// Leaves it, and returns the record that names it. Without the lock.
detail::Part::Lent Supervisor::with_capsule(const Failed& what,
                                            const detail::Part::Lent& record) const {
  try {
    wire::ErrorRecord error = wire::parse(record.bytes);
    const auto file = settings_.capsules->write(what, wire::whole_text(error));
    if (file.empty()) return record;
    wire::add_to_trace(error, line_about(file));
    const auto told = std::make_shared<const std::vector<std::byte>>(wire::serialise(error));
    return {*told, told};
  } catch (const DecodingError& no_record) {  // its caller will hear the same
    settings_.capsules->write(what, no_record.what());
    return record;
  }
}

}  // namespace procpool::inline v0::supervisor
