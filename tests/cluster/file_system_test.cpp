#include "cluster/file_system.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "cluster/error.h"
#include "support/faulty_file_system.h"
#include "support/temporary_folder.h"

namespace smoothlab::cluster {
namespace {

using test::Fault;
using test::FaultyFileSystem;
using test::TemporaryFolder;
using testing::ElementsAre;
using testing::HasSubstr;

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

void write_plainly(FileSystem& files, const std::string& path, const std::string& bytes) {
  const auto file = files.create(path);
  file->write(bytes.data(), bytes.size());
  file->close();
}

class FileSystemTest : public testing::Test {
 protected:
  TemporaryFolder folder;
  std::shared_ptr<FileSystem> files = local_file_system();
};

TEST_F(FileSystemTest, WritesAppendsReadsTruncates) {
  const std::string path = folder / "file", bytes("a\0b\n", 4);
  write_plainly(*files, path, bytes);
  EXPECT_EQ(files->read(path), bytes);
  EXPECT_EQ(files->size(path), 4u);
  const auto file = files->append(path);
  file->write("more", 4);
  file->sync();
  file->close();
  EXPECT_EQ(files->read(path), bytes + "more");
  files->truncate(path, 2);
  EXPECT_EQ(files->read(path), std::string("a\0", 2));
  write_plainly(*files, path, "");
  EXPECT_EQ(files->read(path), "");
}

TEST_F(FileSystemTest, ReadsFilesWhoseSizeIsNotKnown) {
  EXPECT_THAT(files->read("/proc/self/status"), HasSubstr("VmPeak"));
}

TEST_F(FileSystemTest, FoldersAreMadeListedAndRemoved) {
  files->make_folders(folder / "a/b/c");
  write_plainly(*files, folder / "a/z", "1");
  EXPECT_THAT(files->list(folder / "a"), ElementsAre("b", "z"));
  EXPECT_TRUE(files->exists(folder / "a/b/c"));
  files->sync_folder(folder / "a");
  files->remove_all(folder / "a");
  EXPECT_FALSE(files->exists(folder / "a"));
  files->remove_all(folder / "a");
  EXPECT_THAT(files->list(folder / "a"), ElementsAre());
}

TEST_F(FileSystemTest, ErrorsNameThePathTheReasonAndWhatToDo) {
  EXPECT_THROW(files->read(folder / "none"), DataError);
  EXPECT_THROW(files->size(folder / "none"), DataError);
  EXPECT_THAT(message_of([&] { files->read(folder / "none"); }), HasSubstr(folder / "none"));
  EXPECT_THROW(files->create(folder / "none/file"), EnvironmentError);
  EXPECT_THROW(files->sync_folder(folder / "none"), EnvironmentError);
  EXPECT_THROW(files->rename(folder / "none", folder / "other"), EnvironmentError);
  write_plainly(*files, folder / "file", "1");
  EXPECT_THROW(files->make_folders(folder / "file/below"), EnvironmentError);
  EXPECT_THAT(message_of([&] { files->create(folder.path()); }),
              testing::AllOf(HasSubstr(folder.path()), HasSubstr("Is a directory"), HasSubstr("; ")));
}

TEST_F(FileSystemTest, NoPermission) {
  // Root may write everywhere, so root becomes somebody else for the one call.
  constexpr uid_t nobody = 65534;
  const uid_t before = geteuid();
  ASSERT_EQ(chmod(folder.path().c_str(), 0555), 0);
  if (before == 0) {
    ASSERT_EQ(seteuid(nobody), 0);
  }
  const std::string message = message_of([&] { files->create(folder / "file"); });
  if (before == 0) {
    ASSERT_EQ(seteuid(before), 0);
  }
  EXPECT_THAT(message, HasSubstr("Permission denied"));
}

TEST_F(FileSystemTest, FullDevice) {
  const auto file = files->append("/dev/full");
  const std::string message = message_of([&] { file->write("x", 1); });
  EXPECT_THAT(message, testing::AllOf(HasSubstr("No space left on device"), HasSubstr("/dev/full"),
                                      HasSubstr("free space")));
}

TEST_F(FileSystemTest, FullDiskKeepsTheOldFile) {
  if (mount("smoothlab-test", folder.path().c_str(), "tmpfs", 0, "size=256k") != 0)
    GTEST_SKIP() << "no right to mount a tmpfs (needs root); FullDevice tests /dev/full without";
  const std::string path = folder / "file";
  write_file_whole(*files, path, "old");
  const std::string message = message_of([&] { write_file_whole(*files, path, std::string(1 << 20, 'x')); });
  EXPECT_THAT(message, HasSubstr("No space left on device"));
  EXPECT_EQ(files->read(path), "old");
  EXPECT_THAT(files->list(folder.path()), ElementsAre("file"));
  EXPECT_EQ(umount(folder.path().c_str()), 0);
}

/// Runs an action on a fresh folder once for every operation that it makes, with that one going wrong.
void with_each_operation_failing(Fault fault,
                                 const std::function<void(FileSystem&, const std::string&)>& before,
                                 const std::function<void(FileSystem&, const std::string&)>& action,
                                 const std::function<void(const std::string&, int)>& check) {
  for (int n = 1;; ++n) {
    const TemporaryFolder folder;
    FaultyFileSystem faulty;
    before(faulty, folder.path());
    faulty.fail_at(n, fault);
    const std::string message = message_of([&] { action(faulty, folder.path()); });
    const bool failed = faulty.has_failed();
    EXPECT_EQ(message != "no error", failed && (fault == Fault::no_space || fault == Fault::torn)) << n;
    check(folder.path(), n);
    if (!failed) {
      EXPECT_GT(n, 4);
      return;
    }
  }
}

class FileSystemFaults : public testing::TestWithParam<Fault> {};

TEST_P(FileSystemFaults, AFileIsOldOrNewWhicheverOperationFails) {
  const std::string old_bytes(1000, 'o'), new_bytes(5000, 'n');
  with_each_operation_failing(
      GetParam(),
      [&](FileSystem& files, const std::string& folder) {
        write_file_whole(files, folder + "/f", old_bytes);
      },
      [&](FileSystem& files, const std::string& folder) {
        write_file_whole(files, folder + "/f", new_bytes);
      },
      [&](const std::string& folder, int n) {
        const std::string found = local_file_system()->read(folder + "/f");
        EXPECT_TRUE(found == old_bytes || found == new_bytes) << n << ": " << found.size() << " bytes";
        if (GetParam() == Fault::no_space || GetParam() == Fault::torn) {
          EXPECT_FALSE(local_file_system()->exists(folder + "/f.part")) << n;
        }
      });
}

TEST_P(FileSystemFaults, AFolderIsWholeOrAbsentWhicheverOperationFails) {
  const std::string bytes(5000, 'n');
  with_each_operation_failing(
      GetParam(), [](FileSystem&, const std::string&) {},
      [&](FileSystem& files, const std::string& folder) {
        files.make_folders(folder + "/.new");
        const auto file = files.create(folder + "/.new/f");
        file->write(bytes.data(), bytes.size());
        file->sync();
        file->close();
        publish_folder(files, folder + "/.new", folder + "/done");
      },
      [&](const std::string& folder, int n) {
        const auto files = local_file_system();
        if (files->exists(folder + "/done")) {
          EXPECT_TRUE(files->read(folder + "/done/f") == bytes) << n;
        }
      });
}

TEST_P(FileSystemFaults, AFolderThatIsReplacedIsThereOldOrNewWhicheverOperationFails) {
  const auto publish = [](FileSystem& files, const std::string& folder, const std::string& bytes) {
    files.make_folders(folder + "/.new");
    const auto file = files.create(folder + "/.new/f");
    file->write(bytes.data(), bytes.size());
    file->sync();
    file->close();
    publish_folder(files, folder + "/.new", folder + "/done");
  };
  const std::string old_bytes(1000, 'o'), new_bytes(5000, 'n');
  with_each_operation_failing(
      GetParam(), [&](FileSystem& files, const std::string& folder) { publish(files, folder, old_bytes); },
      [&](FileSystem& files, const std::string& folder) {
        files.remove_all(folder + "/.new");
        publish(files, folder, new_bytes);
        files.make_folders(folder + "/later");  // power may be cut after the last of them too
      },
      [&](const std::string& folder, int n) {
        const auto files = local_file_system();
        const bool there = files->exists(folder + "/done");
        ASSERT_TRUE(there || files->exists(folder + "/done.old")) << n;
        const std::string found = files->read(folder + (there ? "/done/f" : "/done.old/f"));
        EXPECT_TRUE(found == old_bytes || (there && found == new_bytes)) << n;
      });
}

INSTANTIATE_TEST_SUITE_P(FileSystemFaultsOfKind, FileSystemFaults,
                         testing::Values(Fault::no_space, Fault::torn, Fault::killed, Fault::power_cut));

TEST_F(FileSystemTest, AWholeFileOutlastsAPowerCutFromWhenItsWriterReturned) {
  for (const char* content : {"first", "second"}) {
    FaultyFileSystem faulty;
    write_file_whole(faulty, folder / "f", content);
    faulty.fail_at(1, Fault::power_cut);
    faulty.make_folders(folder / "later");
    ASSERT_TRUE(files->exists(folder / "f")) << content;
    EXPECT_EQ(files->read(folder / "f"), content);
  }
}

TEST_F(FileSystemTest, APublishedFolderOutlastsAPowerCutFromWhenItsWriterReturned) {
  FaultyFileSystem faulty;
  faulty.make_folders(folder / "new");
  const auto file = faulty.create(folder / "new/f");
  file->write("whole", 5);
  file->sync();
  file->close();
  publish_folder(faulty, folder / "new", folder / "done");
  faulty.fail_at(1, Fault::power_cut);
  faulty.make_folders(folder / "later");
  ASSERT_TRUE(files->exists(folder / "done/f"));
  EXPECT_EQ(files->read(folder / "done/f"), "whole");
}

TEST_F(FileSystemTest, PublishingReplacesAnOlderFolder) {
  for (const char* content : {"one", "two"}) {
    files->make_folders(folder / "new");
    write_plainly(*files, folder / "new/f", content);
    publish_folder(*files, folder / "new", folder / "done");
    EXPECT_EQ(files->read(folder / "done/f"), content);
    EXPECT_THAT(files->list(folder.path()), ElementsAre("done"));
  }
}

TEST_F(FileSystemTest, PublishingThatFailsPutsTheOlderFolderBack) {
  files->make_folders(folder / "done");
  write_plainly(*files, folder / "done/f", "old");
  EXPECT_THROW(
      {
        FaultyFileSystem faulty;
        files->make_folders(folder / "new");
        faulty.fail_at(4, Fault::no_space);  // after sync_folder, remove_all and the first rename
        publish_folder(faulty, folder / "new", folder / "done");
      },
      EnvironmentError);
  EXPECT_EQ(files->read(folder / "done/f"), "old");
}

TEST_F(FileSystemTest, ALockHasOneHolderAndIsFreeAfterIt) {
  const std::string path = folder / ".lock";
  {
    const auto held = files->lock(path);
    try {
      files->lock(path);
      FAIL() << "two hold the lock";
    } catch (const EnvironmentError& error) {
      EXPECT_THAT(error.what(), HasSubstr("in use by process " + std::to_string(getpid()) + " on "));
    }
  }
  EXPECT_NE(files->lock(path), nullptr);
}

TEST_F(FileSystemTest, WhetherALockIsHeldCanBeAskedWithoutTakingIt) {
  const std::string path = folder / ".lock";
  EXPECT_FALSE(files->locked(path)) << "there is no file";
  {
    const auto held = files->lock(path);
    EXPECT_TRUE(files->locked(path));
  }
  EXPECT_FALSE(files->locked(path));
  EXPECT_NE(files->lock(path), nullptr);
}

TEST_F(FileSystemTest, ALockEndsWithItsProcess) {
  const std::string path = folder / ".lock";
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t holder = fork();
  if (holder == 0) {
    const auto held = files->lock(path);
    if (write(ready[1], "x", 1) != 1) _exit(1);
    for (;;) pause();
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_THROW(files->lock(path), EnvironmentError);
  kill(holder, SIGKILL);
  waitpid(holder, nullptr, 0);
  EXPECT_NE(files->lock(path), nullptr);
}

TEST_F(FileSystemTest, ChecksumIsThatOfZlib) {
  // 0xCBF43926 is the check value of CRC-32 in the catalogue of parametrised CRC algorithms.
  EXPECT_EQ(checksum("123456789", 9), 0xCBF43926u);
  EXPECT_EQ(checksum("6789", 4, checksum("12345", 5)), 0xCBF43926u);
  EXPECT_EQ(checksum("", 0), 0u);
}

// Another in a library before it, as in PyTorch's libtorch.so, crashes.
TEST_F(FileSystemTest, RemovesWithTheCxxLibraryOfTheSystem) {
  const void* remove_all =
      dlsym(RTLD_DEFAULT, "_ZNSt10filesystem10remove_allERKNS_7__cxx114pathERSt10error_code");
  Dl_info library{};
  if (!remove_all || dladdr(remove_all, &library) == 0) GTEST_SKIP() << "another C++ library than GCC's";
  EXPECT_THAT(library.dli_fname, HasSubstr("libstdc++"));
}

}  // namespace
}  // namespace smoothlab::cluster
