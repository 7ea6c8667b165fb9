// mandelbrot: a picture in tiles, each computed in a worker process and laid into its place as it
// comes; then the same picture in this process, to compare time and pixels.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <procpool/procpool.hpp>

#include "mandelbrot/fractal.hpp"
#include "support/interrupt.hpp"
#include "support/options.hpp"
#include "support/png.hpp"
#include "support/progress.hpp"
#include "support/text.hpp"

namespace mandelbrot {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  examples::CommonOptions common = {.out = "mandelbrot.png"};
  View view = {.x = -0.74364388704,
               .y = 0.13182590420,
               .span = 0.00022,
               .width = 1600,
               .height = 1000,
               .iterations = 5000};
};

struct Picture {
  examples::Raster image;
  std::chrono::duration<double> time{};
  int workers = 1;
};

std::optional<int> read_options(int argc, char** argv, Options& options) {
  CLI::App app("Computes a picture of the Mandelbrot set in worker processes.", "mandelbrot");
  examples::add_common_options(app, options.common);
  const auto number = [&app](const char* name, int& value, int most, const char* help) {
    app.add_option(name, value, help)
        ->check(examples::whole_number(1, most))
        ->type_name("N")
        ->capture_default_str();
  };
  number("--width", options.view.width, 20'000, "of the picture in pixels");
  number("--height", options.view.height, 20'000, "of the picture in pixels");
  number("--iterations", options.view.iterations, 1'000'000, "before a point counts as inside");
  return examples::parse(app, argc, argv);
}

void lay(const Painted& painted, examples::Raster& image) {
  const auto row_bytes = static_cast<std::ptrdiff_t>(painted.tile.width) * 3;
  auto from = painted.rgb.begin();
  for (int y = 0; y < painted.tile.height; ++y, from += row_bytes) {
    std::copy_n(from, row_bytes,
                &image.bytes[offset_of(image, painted.tile.left, painted.tile.top + y)]);
  }
}

Picture paint_in_pool(const Options& options) {
  const std::vector<Tile> tiles = tiles_of(options.view);
  Picture picture{examples::make_raster(options.view.width, options.view.height, 3)};
  const auto start = Clock::now();
  procpool::Pool pool(examples::pool_options(options.common));
  examples::Progress progress("in workers", tiles.size());
  for (const Painted& painted :
       pool.imap_unordered(procpool::partial(paint, options.view), tiles)) {
    lay(painted, picture.image);
    progress.advance();
    examples::throw_if_interrupted();
  }
  picture.time = Clock::now() - start;
  picture.workers = pool.processes();
  return picture;
}

Picture paint_serially(const Options& options) {
  const std::vector<Tile> tiles = tiles_of(options.view);
  Picture picture{examples::make_raster(options.view.width, options.view.height, 3)};
  examples::Progress progress("in one process", tiles.size());
  const auto start = Clock::now();
  for (const Tile& tile : tiles) {
    lay(paint(options.view, tile), picture.image);
    progress.advance();
    examples::throw_if_interrupted();
  }
  picture.time = Clock::now() - start;
  return picture;
}

int compare(const Picture& in_pool, const Picture& serial) {
  const bool same = in_pool.image == serial.image;
  std::cout << "  serial   " << examples::seconds(serial.time)
            << " in one process: the workers are " << examples::fixed(serial.time / in_pool.time, 2)
            << " times as fast\n"
            << "  pixels   "
            << (same ? "identical to the serial ones" : "DIFFER from the serial ones") << '\n';
  return same ? 0 : 1;
}

int make_picture(const Options& options) {
  const Picture picture = paint_in_pool(options);
  examples::write_png(options.common.out, picture.image);
  std::cout << "mandelbrot: " << options.view.width << " x " << options.view.height << " pixels, "
            << options.view.iterations << " iterations, in " << options.common.out.string() << '\n'
            << "  workers  " << examples::seconds(picture.time) << " in "
            << examples::plural(static_cast<std::size_t>(picture.workers), "worker") << '\n'
            << std::flush;
  return options.common.serial ? compare(picture, paint_serially(options)) : 0;
}

}  // namespace
}  // namespace mandelbrot

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  try {
    mandelbrot::Options options;
    if (const auto status = mandelbrot::read_options(argc, argv, options)) return *status;
    examples::watch_interrupts();
    return mandelbrot::make_picture(options);
  } catch (const std::exception& error) {
    examples::complain("mandelbrot", error.what());
    return 1;
  }
}
