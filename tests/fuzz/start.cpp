// The first packet that a worker is sent, with any bytes and any number of descriptors: it is
// understood or an error.
#include <exception>
#include <vector>

#include "channel/worker_end.hpp"
#include "fuzz.hpp"
#include "os/memory.hpp"
#include "os/socket.hpp"

namespace procpool::fuzz {

namespace {

const os::Fd& some_memory() {
  static const os::Fd memory = os::make_memory("procpool-fuzz", sizeof(shm::ResultMemory));
  return memory;
}

void check(Input input) {
  const os::SocketPair ends = os::make_socket_pair();
  const std::vector<int> fds(input.take<std::uint8_t>() % 12, some_memory().get());
  const auto packet = input.take_bytes(2 * sizeof(wire::Control));
  if (packet.empty()) return;  // that would be the end of the connection
  if (os::send_message(ends.ours.get(), packet, fds) != os::Io::ok) return;
  try {
    channel::FirstWord word = channel::receive_first_word(ends.theirs);
    const std::size_t came = word.fds.size();
    const channel::Attachment attachment =
        channel::attach(os::duplicate(ends.theirs.get()), std::move(word));
    require(came >= wire::start_fd_count, "a start brings what it takes");
    require(attachment.results.size() == sizeof(shm::ResultMemory), "the memory is mapped");
  } catch (const std::exception& error) {
    require(error.what() != nullptr, "an error has words");
  }
}

Seed packet(std::uint8_t fds, const wire::Control& control) {
  return Output().put(fds).put(control).seed();
}

}  // namespace

std::vector<Seed> seeds() {
  return {packet(wire::start_fd_count, {wire::ControlKind::start, 0, wire::protocol_version}),
          packet(wire::start_fd_count + 1, {wire::ControlKind::start, 0, wire::protocol_version}),
          packet(wire::run_fd_count, {wire::ControlKind::run, 0, wire::protocol_version}),
          packet(0, {wire::ControlKind::hello, 1, 2})};
}

}  // namespace procpool::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  procpool::fuzz::check({data, size});
  return 0;
}
