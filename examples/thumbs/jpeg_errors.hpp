#pragma once

#include <csetjmp>
#include <cstdio>

#include <jpeglib.h>

namespace thumbs {

// libjpeg reports errors by a call that must not return: it jumps to `back`, with the text kept.
// Whoever calls libjpeg does setjmp(errors.back) in a function without destructors, and throws only
// after that function has returned. Warnings (a file cut short, damaged data) are errors here.
struct JpegErrors {
  jpeg_error_mgr manager{};  // first: libjpeg hands back a pointer to it
  std::jmp_buf back{};
  char text[JMSG_LENGTH_MAX] = {};

  jpeg_error_mgr* install() {
    jpeg_std_error(&manager);
    manager.error_exit = &JpegErrors::leave;
    manager.emit_message = &JpegErrors::message;
    return &manager;
  }

 private:
  [[noreturn]] static void leave(j_common_ptr codec) {
    auto* self = reinterpret_cast<JpegErrors*>(codec->err);
    self->manager.format_message(codec, self->text);
    std::longjmp(self->back, 1);
  }

  static void message(j_common_ptr codec, int level) {
    if (level < 0) leave(codec);
  }
};

}  // namespace thumbs
