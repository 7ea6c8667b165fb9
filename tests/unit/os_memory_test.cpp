// Shared memory: allocated, sealed, mapped, and gone from a forked child.
#include "os/memory.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "os_support.hpp"
#include "support/census.hpp"

namespace {

using namespace procpool;
using os::Access;
using os::Mapping;
using test::error_of;
using test::holds_in_child;
using test::require;

constexpr std::size_t two_pages = 8192;

void limit_file_size(rlim_t bytes) {
  require(::signal(SIGXFSZ, SIG_IGN) != SIG_ERR, "signal");
  test::limit(RLIMIT_FSIZE, bytes);
}

class OsMemory : public test::Census {};

TEST_F(OsMemory, IsAllocatedWholeAndZero) {
  const os::Fd memory = os::make_memory("procpool-test", two_pages);
  struct stat about {};
  ASSERT_EQ(::fstat(memory.get(), &about), 0);
  EXPECT_EQ(about.st_size, static_cast<off_t>(two_pages));
  EXPECT_GE(about.st_blocks, static_cast<blkcnt_t>(two_pages / 512));
  EXPECT_TRUE(::fcntl(memory.get(), F_GETFD) & FD_CLOEXEC);
  const Mapping mapping(memory, Access::read_only);
  EXPECT_EQ(mapping.size(), two_pages);
  for (std::size_t i = 0; i < two_pages; ++i) ASSERT_EQ(mapping.data()[i], std::byte{0});
}

TEST_F(OsMemory, CannotBeResized) {
  const os::Fd memory = os::make_memory("procpool-test", two_pages);
  EXPECT_EQ(::ftruncate(memory.get(), 0), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(::ftruncate(memory.get(), 2 * two_pages), -1);
  EXPECT_EQ(errno, EPERM);
}

TEST_F(OsMemory, TwoMappingsShareTheirBytes) {
  const os::Fd memory = os::make_memory("procpool-test", two_pages);
  const Mapping writer(memory, Access::read_write);
  const Mapping reader(memory, Access::read_only);
  writer.data()[5000] = std::byte{42};
  EXPECT_EQ(reader.data()[5000], std::byte{42});
}

TEST_F(OsMemory, SealedAgainstWritersNobodyElseCanWrite) {
  const os::Fd memory = os::make_memory("procpool-test", two_pages);
  const Mapping writer(memory, Access::read_write);
  os::seal_against_writers(memory);
  const Mapping reader(memory, Access::read_only);
  EXPECT_EQ(::mprotect(reader.data(), reader.size(), PROT_READ | PROT_WRITE), -1);
  EXPECT_EQ(errno, EACCES);
  EXPECT_EQ(error_of([&] { Mapping(memory, Access::read_write); }),
            "mmap: Operation not permitted");
  EXPECT_EQ(::pwrite(memory.get(), "x", 1, 0), -1);
  writer.data()[1] = std::byte{7};
  EXPECT_EQ(reader.data()[1], std::byte{7});
}

TEST_F(OsMemory, WithoutThatSealAReaderCouldMakeItselfAWriter) {
  const os::Fd memory = os::make_memory("procpool-test", two_pages);
  const Mapping reader(memory, Access::read_only);
  EXPECT_EQ(::mprotect(reader.data(), reader.size(), PROT_READ | PROT_WRITE), 0);
}

TEST_F(OsMemory, TheFinalSealRefusesFurtherOnes) {
  const os::Fd memory = os::make_memory("procpool-test", two_pages);
  os::seal_finally(memory);
  EXPECT_EQ(error_of([&] { os::seal_against_writers(memory); }),
            "fcntl(F_ADD_SEALS): Operation not permitted");
}

TEST_F(OsMemory, OutlivesItsDescriptor) {
  Mapping mapping;
  EXPECT_FALSE(mapping);
  mapping = Mapping(os::make_memory("procpool-test", two_pages), Access::read_write);
  ASSERT_TRUE(mapping);
  mapping.data()[0] = std::byte{1};
  Mapping moved = std::move(mapping);
  EXPECT_FALSE(mapping);
  EXPECT_EQ(moved.data()[0], std::byte{1});
}

TEST_F(OsMemory, AForkedChildDoesNotHaveIt) {
  const Mapping mapping(os::make_memory("procpool-test", two_pages), Access::read_write);
  EXPECT_TRUE(holds_in_child([&] {
    unsigned char resident = 0;
    require(::mincore(mapping.data(), 4096, &resident) == -1 && errno == ENOMEM, "not mapped");
  }));
}

TEST_F(OsMemory, AChildKeepsWhatItMappedAtTheSameAddress) {
  Mapping mapping(os::make_memory("procpool-test", two_pages), Access::read_write);
  EXPECT_TRUE(holds_in_child([&] {
    void* const same = ::mmap(mapping.data(), two_pages, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    require(same == mapping.data(), "mapped in its place");
    { const Mapping dies_here = std::move(mapping); }
    *static_cast<volatile char*>(same) = 1;
  }));
}

// The limit on file sizes keeps a broken check from eating the machine's memory.
TEST_F(OsMemory, MoreThanTheMachineHasIsAnErrorAndNotTheOomKiller) {
  EXPECT_TRUE(holds_in_child([] {
    limit_file_size(1 << 20);
    const std::string text = error_of([] { os::make_memory("slab", std::size_t{1} << 60); });
    require(text == "fallocate: slab: Cannot allocate memory", text.c_str());
  }));
}

TEST_F(OsMemory, AFullMachineIsAnErrorThatNamesIt) {
  EXPECT_TRUE(holds_in_child([] {
    test::refuse(SYS_fallocate, ENOSPC);
    const std::string text = error_of([] { os::make_memory("tasks", two_pages); });
    require(text == "fallocate: tasks: No space left on device", text.c_str());
  }));
}

TEST_F(OsMemory, LimitsAreErrorsThatNameTheCall) {
  EXPECT_TRUE(holds_in_child([] {
    test::limit(RLIMIT_NOFILE, 3);
    const std::string text = error_of([] { os::make_memory("tasks", two_pages); });
    require(text == "memfd_create: tasks: Too many open files", text.c_str());
  }));
  EXPECT_TRUE(holds_in_child([] {
    limit_file_size(4096);
    const std::string text = error_of([] { os::make_memory("tasks", two_pages); });
    require(text == "fallocate: tasks: File too large", text.c_str());
  }));
}

TEST_F(OsMemory, WorksOnKernelsThatKnowLess) {
  EXPECT_TRUE(holds_in_child([] {
    test::refuse(SYS_madvise, EINVAL);
    const os::Fd memory = os::make_memory("tasks", two_pages);
    const std::string text = error_of([&] { Mapping(memory, Access::read_only); });
    require(text == "madvise(MADV_DONTFORK): Invalid argument", text.c_str());
  }));
  EXPECT_TRUE(holds_in_child([] {
    test::refuse(SYS_memfd_create, EINVAL, 0xb);  // with MFD_NOEXEC_SEAL
    const Mapping mapping(os::make_memory("tasks", two_pages), Access::read_write);
    mapping.data()[0] = std::byte{1};
  }));
}

TEST_F(OsMemory, ASignalStormDoesNotStopAllocation) {
  const test::SignalStorm storm;
  for (int i = 0; i < 20; ++i) {
    const os::Fd memory = os::make_memory("procpool-test", std::size_t{4} << 20);
    const Mapping mapping(memory, Access::read_write);
    ASSERT_EQ(mapping.size(), std::size_t{4} << 20);
  }
}

}  // namespace
