#include "thumbs/inputs.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <string_view>

namespace thumbs {
namespace {

namespace fs = std::filesystem;

// Also kinds of image that no decoder here knows: they are rows of the report.
constexpr std::array<std::string_view, 14> kExtensions = {".png", ".jpg",  ".jpeg", ".tga", ".ppm",
                                                          ".pnm", ".pgm",  ".gif",  ".bmp", ".webp",
                                                          ".tif", ".tiff", ".ico",  ".xpm"};

bool looks_like_an_image(const fs::path& file) {
  std::string extension = file.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

void add_images(const fs::path& path, std::set<std::string>& files) {
  if (!fs::is_directory(path)) {
    files.insert(path.string());
    return;
  }
  const auto options = fs::directory_options::skip_permission_denied;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path, options)) {
    std::error_code ignored;
    if (looks_like_an_image(entry.path()) && entry.is_regular_file(ignored)) {
      files.insert(entry.path().string());
    }
  }
}

}  // namespace

std::vector<Item> find_images(const std::vector<fs::path>& paths, std::size_t limit) {
  std::set<std::string> files;
  for (const fs::path& path : paths) add_images(path, files);
  const std::vector<std::string> all(files.begin(), files.end());
  const std::size_t wanted = limit == 0 ? all.size() : std::min(limit, all.size());
  std::vector<Item> items;
  for (std::size_t i = 0; i < wanted; ++i) {
    const std::string& file = all[i * all.size() / wanted];
    items.push_back({file, file});
  }
  return items;
}

}  // namespace thumbs
