#include <procpool/detail/registration.hpp>
#include <procpool/program.hpp>

#include "os/host.hpp"
#include "os/role.hpp"
#include "worker/replay.hpp"
#include "worker/serve.hpp"
#include "worker/template.hpp"

namespace procpool::inline v0 {

void init(int argc, char** argv) {
  if (os::initialised()) return;
  detail::close_registration();
  if (const auto socket = os::role_socket()) {
    if (os::role() == os::Role::worker) worker::serve(os::Fd(*socket));
    worker::serve_as_template(os::Fd(*socket), false);
  }
  worker::serve_capsule_arguments(argc, argv);
  os::set_initialised();
}

bool in_worker() noexcept { return os::role() == os::Role::worker; }

int usable_cpus() { return os::usable_cpus(); }

}  // namespace procpool::inline v0
