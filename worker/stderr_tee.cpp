#include "worker/stderr_tee.hpp"

#include <iostream>
#include <streambuf>

namespace procpool::inline v0::worker {

namespace {

class Tee final : public std::streambuf {
 public:
  Tee(std::streambuf& to, shm::StderrTail& tail) : to_(&to), tail_(&tail) {}

 private:
  int_type overflow(int_type c) override {
    if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
    const char byte = traits_type::to_char_type(c);
    tail_->write({&byte, 1});
    return to_->sputc(byte);
  }
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    if (size > 0) tail_->write({text, static_cast<std::size_t>(size)});
    return to_->sputn(text, size);
  }
  int sync() override { return to_->pubsync(); }
  void imbue(const std::locale& locale) override { to_->pubimbue(locale); }

  std::streambuf* to_;
  shm::StderrTail* tail_;
};

}  // namespace

/// The buffers stay for ever: streams are written to until the very end.
void keep_stderr(shm::StderrTail& tail) {
  for (std::ostream* stream : {&std::cerr, &std::clog}) {
    if (stream->rdbuf() != nullptr) stream->rdbuf(new Tee(*stream->rdbuf(), tail));
  }
}

}  // namespace procpool::inline v0::worker
