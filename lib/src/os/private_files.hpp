#pragma once

// Files for this user only, each of which is there whole or not at all.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "os/fd.hpp"

namespace procpool::inline v0::os {

/// Opens it; makes it first, mode 0700, and what it lies in, if it is not there. Throws
/// std::system_error.
Fd open_private_folder(const std::filesystem::path& folder);

/// A new file there, mode 0600. False: that name is taken. Throws std::system_error, and then
/// nothing is left. It is not forced to the disk: it outlives this process, not the machine.
bool write_private_file(const Fd& folder, const std::string& name,
                        std::span<const std::byte> bytes);

/// The same where the file system has no nameless files: under another name first (`name`.tmp), which
/// nobody takes for a whole file. Of those who write one name at once each believes it was the first.
bool write_private_file_by_rename(const Fd& folder, const std::string& name,
                                  std::span<const std::byte> bytes);

/// What is in it, but for "." and "..". Throws std::system_error.
std::vector<std::string> names_in(const Fd& folder);
/// False: it was not there, or may not be removed.
bool remove_file(const Fd& folder, const std::string& name) noexcept;

/// All of a file. Throws std::system_error; EFBIG for more than `most` bytes.
std::vector<std::byte> read_whole(const std::filesystem::path& file, std::size_t most);

/// The file that this program was started from; empty where there is no /proc.
std::string own_program_file();

}  // namespace procpool::inline v0::os
