#include "data/fetch.h"

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "cluster/error.h"
#include "data/digest.h"
#include "local_http_server.h"
#include "support/faulty_file_system.h"
#include "support/temporary_folder.h"

namespace smoothlab::data {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

struct Entry {
  std::string path, body, link;
};

/// A .tar.gz of these entries, in memory by way of a file.
std::string tar(const std::vector<Entry>& entries) {
  const test::TemporaryFolder folder;
  archive* writer = archive_write_new();
  archive_write_add_filter_gzip(writer);
  archive_write_set_format_pax_restricted(writer);
  archive_write_open_filename(writer, (folder / "a").c_str());
  for (const Entry& entry : entries) {
    archive_entry* header = archive_entry_new();
    archive_entry_set_pathname(header, entry.path.c_str());
    archive_entry_set_perm(header, 0644);
    archive_entry_set_filetype(header, entry.link.empty() ? AE_IFREG : AE_IFLNK);
    if (!entry.link.empty()) archive_entry_set_symlink(header, entry.link.c_str());
    archive_entry_set_size(header, static_cast<la_int64_t>(entry.body.size()));
    archive_write_header(writer, header);
    archive_write_data(writer, entry.body.data(), entry.body.size());
    archive_entry_free(header);
  }
  archive_write_close(writer);
  archive_write_free(writer);
  return contents(folder / "a");
}

std::string pattern(size_t bytes) {
  std::string text(bytes, 0);
  for (size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i * 131 + i / 257);
  return text;
}

class Fetch : public testing::Test {
 protected:
  Fetch() {
    setenv("no_proxy", "127.0.0.1", 1);
    options.folder = folder.path();
    options.base_url = server.url();
    options.download.attempts = 3;
    options.download.retry_milliseconds = 1;
  }
  KnownFile known(const std::string& name, const std::string& body) {
    const test::TemporaryFolder scratch;
    write(scratch / "f", body);
    return {name, static_cast<int64_t>(body.size()), "md5", file_digest(scratch / "f", "md5")};
  }
  /// Two plain files.
  KnownSet plain() {
    KnownSet set;
    set.name = set.folder = "small";
    set.downloads = {known("one", one), known("two", "second")};
    server.put("/one", one);
    server.put("/two", "second");
    return set;
  }
  KnownSet archived(const std::string& bytes) {
    KnownSet set;
    set.name = "packed";
    set.folder = "inner";
    set.archive = true;
    set.downloads = {known("packed.tar.gz", bytes)};
    set.contents = {known("a.bin", "aaaa"), known("b.bin", "bbb")};
    server.put("/packed.tar.gz", bytes);
    return set;
  }
  template <typename Failure>
  std::string failure(const KnownSet& set) {
    try {
      fetch(*disk, set, options);
    } catch (const Failure& error) {
      return error.what();
    }
    return "nothing failed";
  }
  std::vector<std::string> listing() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(folder.path()))
      if (entry.is_regular_file()) names.push_back(fs::relative(entry.path(), folder.path()).string());
    std::sort(names.begin(), names.end());
    return names;
  }

  const std::string one = pattern(300000);
  test::LocalHttpServer server;
  test::TemporaryFolder folder;
  FetchOptions options;
  const std::shared_ptr<cluster::FileSystem> disk = cluster::local_file_system();
};

TEST_F(Fetch, Fresh) {
  const KnownSet set = plain();
  std::vector<FetchProgress> seen;
  const FetchResult result = fetch(*disk, set, options, [&](const FetchProgress& p) { seen.push_back(p); });
  EXPECT_EQ(result.folder, folder / "small");
  EXPECT_FALSE(result.already_there);
  EXPECT_EQ(result.received, 300006);
  EXPECT_EQ(contents(folder / "small/one"), one);
  EXPECT_EQ(contents(folder / "small/two"), "second");
  EXPECT_EQ(listing(), (std::vector<std::string>{"small/one", "small/two"}));
  ASSERT_FALSE(seen.empty());
  EXPECT_EQ(seen.front().file, "one");
  EXPECT_EQ(seen.front().total, 300000);
  EXPECT_EQ(seen.back().file, "two");
  EXPECT_EQ(seen.back().bytes, 6);
}

TEST_F(Fetch, WhatIsThereIsKept) {
  const KnownSet set = plain();
  fetch(*disk, set, options);
  const size_t requests = server.requests().size();
  const FetchResult again = fetch(*disk, set, options);
  EXPECT_TRUE(again.already_there);
  EXPECT_EQ(again.received, 0);
  EXPECT_EQ(server.requests().size(), requests);
  write(folder / "small/two", "damage");  // same length
  EXPECT_EQ(fetch(*disk, set, options).received, 6);
  EXPECT_EQ(contents(folder / "small/two"), "second");
}

TEST_F(Fetch, CutConnectionIsGoneOnWith) {
  const KnownSet set = plain();
  server.fail_next({100000, 0});
  server.fail_next({50000, 0});
  const FetchResult result = fetch(*disk, set, options);
  EXPECT_EQ(contents(folder / "small/one"), one);
  EXPECT_EQ(result.received, 300006);
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 4u);
  EXPECT_EQ(requests[0].start, 0u);
  EXPECT_EQ(requests[1].start, 100000u);
  EXPECT_EQ(requests[2].start, 150000u);
}

TEST_F(Fetch, AnInterruptedRunIsGoneOnWith) {
  const KnownSet set = plain();
  fs::create_directory(folder / "small");
  write(folder / "small/one.part", one.substr(0, 123456));
  const FetchResult result = fetch(*disk, set, options);
  EXPECT_EQ(contents(folder / "small/one"), one);
  EXPECT_EQ(server.requests()[0].start, 123456u);
  EXPECT_EQ(result.received, 300006 - 123456);
}

TEST_F(Fetch, APartOfAnotherFileIsThrownAway) {
  const KnownSet set = plain();
  fs::create_directory(folder / "small");
  for (const std::string& part :
       {std::string(1000, 'x'), std::string(300000, 'x'), std::string(400000, 'x')}) {
    write(folder / "small/one.part", part);
    fs::remove(folder / "small/one");
    fetch(*disk, set, options);
    EXPECT_EQ(contents(folder / "small/one"), one);
    EXPECT_FALSE(fs::exists(folder / "small/one.part"));
  }
}

TEST_F(Fetch, AServerWithoutRangesIsAskedForAll) {
  const KnownSet set = plain();
  server.ignore_ranges();
  fs::create_directory(folder / "small");
  write(folder / "small/one.part", one.substr(0, 1000));
  fetch(*disk, set, options);
  EXPECT_EQ(contents(folder / "small/one"), one);
}

TEST_F(Fetch, PassingServerErrorsAreRetried) {
  const KnownSet set = plain();
  server.fail_next({std::string::npos, 503});
  server.fail_next({std::string::npos, 500});
  fetch(*disk, set, options);
  EXPECT_EQ(contents(folder / "small/one"), one);
}

TEST_F(Fetch, AServerThatIsDownIsGivenUp) {
  const KnownSet set = plain();
  for (int i = 0; i < 3; ++i) server.fail_next({std::string::npos, 503});
  EXPECT_THAT(failure<EnvironmentError>(set), HasSubstr("503"));
  EXPECT_EQ(server.requests().size(), 3u);
}

TEST_F(Fetch, WrongDigestKeepsNothing) {
  const KnownSet set = plain();
  std::string damaged = one;
  damaged[5] ^= 1;
  server.put("/one", damaged);
  const std::string message = failure<DataError>(set);
  EXPECT_THAT(message, HasSubstr("one is not the published file: md5 "));
  EXPECT_THAT(message, HasSubstr("differs from the published " + set.downloads[0].digest));
  EXPECT_THAT(message, HasSubstr("nothing was kept"));
  EXPECT_TRUE(listing().empty());
}

TEST_F(Fetch, WrongLengthIsAFailure) {
  const KnownSet set = plain();
  server.put("/one", one.substr(0, 1000));
  EXPECT_THAT(failure<EnvironmentError>(set), HasSubstr("cannot download one"));
  EXPECT_FALSE(fs::exists(folder / "small/one"));
}

TEST_F(Fetch, MissingAddress) {
  KnownSet set = plain();
  options.base_url = server.url() + "/elsewhere/";
  const std::string message = failure<EnvironmentError>(set);
  EXPECT_THAT(message, HasSubstr("404"));
  EXPECT_THAT(message, HasSubstr(server.url() + "/elsewhere/one"));
  EXPECT_EQ(server.requests().size(), 1u);  // no use in trying again
}

TEST_F(Fetch, RefusedConnectionSaysWhatToDoByHand) {
  const KnownSet set = plain();
  {
    const test::LocalHttpServer gone;
    options.base_url = gone.url();
  }
  const std::string message = failure<EnvironmentError>(set);
  EXPECT_THAT(message, HasSubstr("cannot download one"));
  EXPECT_THAT(message, HasSubstr("download " + options.base_url + "/one elsewhere, put it at " +
                                 (folder / "small/one")));
}

TEST_F(Fetch, TheSecondAddressHelps) {
  KnownSet set = plain();
  set.addresses = {server.url() + "/nothing-here", server.url()};
  options.base_url.clear();
  fetch(*disk, set, options);
  EXPECT_EQ(contents(folder / "small/one"), one);
}

TEST_F(Fetch, ArchiveIsUnpackedAndRemoved) {
  const KnownSet set =
      archived(tar({{"inner/a.bin", "aaaa", ""}, {"./inner/b.bin", "bbb", ""}, {"README", "r", ""}}));
  const FetchResult result = fetch(*disk, set, options);
  EXPECT_EQ(listing(), (std::vector<std::string>{"inner/a.bin", "inner/b.bin"}));
  EXPECT_EQ(contents(folder / "inner/b.bin"), "bbb");
  EXPECT_EQ(result.files.size(), 2u);
  EXPECT_TRUE(fetch(*disk, set, options).already_there);
  fs::remove(folder / "inner/a.bin");
  options.keep_archive = true;
  fetch(*disk, set, options);
  EXPECT_EQ(listing(), (std::vector<std::string>{"inner/a.bin", "inner/b.bin", "packed.tar.gz"}));
}

TEST_F(Fetch, ArchivePutThereByHandIsUsed) {
  const std::string bytes = tar({{"inner/a.bin", "aaaa", ""}, {"inner/b.bin", "bbb", ""}});
  const KnownSet set = archived(bytes);
  write(folder / "packed.tar.gz", bytes);
  options.base_url = "http://127.0.0.1:1";
  EXPECT_EQ(fetch(*disk, set, options).received, 0);
  EXPECT_EQ(contents(folder / "inner/a.bin"), "aaaa");
}

TEST_F(Fetch, ArchivesCannotLeaveTheirFolder) {
  for (const Entry& bad : {Entry{"../out", "x", ""}, Entry{"inner/../../out", "x", ""},
                           Entry{"/tmp/out", "x", ""}, Entry{"inner/link", "", "/etc/passwd"}}) {
    const KnownSet set = archived(tar({{"inner/a.bin", "aaaa", ""}, bad}));
    EXPECT_THAT(failure<DataError>(set), HasSubstr("do not trust this archive")) << bad.path;
    EXPECT_FALSE(fs::exists(folder / "out"));
    EXPECT_FALSE(fs::exists(folder / "inner.unpacking"));
    EXPECT_FALSE(fs::exists(folder / "inner"));
    fs::remove(folder / "packed.tar.gz");
  }
}

TEST_F(Fetch, DamagedArchive) {
  const std::string whole = tar({{"inner/a.bin", pattern(100000), ""}});
  const KnownSet set = archived(whole.substr(0, whole.size() / 2));
  EXPECT_THAT(failure<DataError>(set), HasSubstr("damaged archive"));
  EXPECT_FALSE(fs::exists(folder / "inner"));
}

TEST_F(Fetch, ArchiveOfSomethingElse) {
  const KnownSet set = archived(tar({{"other/a.bin", "aaaa", ""}}));
  EXPECT_THAT(failure<DataError>(set), HasSubstr("the archive holds no inner"));
}

class FetchFaults : public Fetch, public testing::WithParamInterface<test::Fault> {
 protected:
  /// Fetches once for every operation on the disk, with that one going wrong: what has its name then is
  /// whole, and the next attempt brings the rest.
  void with_each_operation_failing(const KnownSet& set, const std::map<std::string, std::string>& wanted) {
    const bool is_reported = GetParam() == test::Fault::no_space || GetParam() == test::Fault::torn;
    for (int n = 1;; ++n) {
      for (const auto& entry : fs::directory_iterator(folder.path())) fs::remove_all(entry);
      test::FaultyFileSystem faulty;
      faulty.fail_at(n, GetParam());
      std::string message;
      try {
        fetch(faulty, set, options);
      } catch (const EnvironmentError& error) {
        message = error.what();
      } catch (const DataError&) {  // of what the stopped disk did not keep
        EXPECT_FALSE(is_reported) << n;
      }
      const bool failed = faulty.has_failed();
      if (is_reported && failed) {
        EXPECT_THAT(message, HasSubstr("No space left on device")) << n;
      }
      for (const std::string& name : listing())
        if (const auto whole = wanted.find(name); whole != wanted.end()) {
          EXPECT_TRUE(contents(folder / name) == whole->second) << n << ": " << name;
        }
      const bool complete = fetch(*disk, set, options).already_there;
      std::vector<std::string> names;
      for (const auto& [name, body] : wanted) {
        names.push_back(name);
        EXPECT_TRUE(contents(folder / name) == body) << n << ": " << name;
      }
      // An archive beside a set that is complete is its owner's.
      if (complete && fs::exists(folder / "packed.tar.gz")) names.emplace_back("packed.tar.gz");
      EXPECT_EQ(listing(), names) << n;
      if (failed) continue;
      EXPECT_GT(n, 8);
      return;
    }
  }
};

TEST_P(FetchFaults, NothingHalfMadeHasItsNameWhicheverOperationFails) {
  with_each_operation_failing(plain(), {{"small/one", one}, {"small/two", "second"}});
}

TEST_P(FetchFaults, AnArchiveIsUnpackedWholeWhicheverOperationFails) {
  const std::string big = pattern(600000);
  KnownSet set = archived(tar({{"inner/a.bin", big, ""}, {"inner/b.bin", "bbb", ""}, {"README", "r", ""}}));
  set.contents[0] = known("a.bin", big);
  with_each_operation_failing(set, {{"inner/a.bin", big}, {"inner/b.bin", "bbb"}});
}

INSTANTIATE_TEST_SUITE_P(FetchFaultsOfKind, FetchFaults,
                         testing::Values(test::Fault::no_space, test::Fault::torn, test::Fault::killed,
                                         test::Fault::power_cut));

TEST_F(Fetch, AnUnpackedArchiveOutlastsAPowerCut) {
  const KnownSet set = archived(tar({{"inner/a.bin", "aaaa", ""}, {"inner/b.bin", "bbb", ""}}));
  test::FaultyFileSystem faulty;
  fetch(faulty, set, options);
  faulty.fail_at(1, test::Fault::power_cut);
  faulty.make_folders(folder / "later");
  EXPECT_EQ(listing(), (std::vector<std::string>{"inner/a.bin", "inner/b.bin"}));
}

TEST_F(Fetch, ASetWithoutItsNamesIsNotComplete) {
  KnownSet set = archived(tar({{"inner/a.bin", "aaaa", ""}, {"inner/names", "x\ny\n\n", ""}}));
  set.contents = {known("a.bin", "aaaa"), {"names", 0, "", "", 2}};
  fetch(*disk, set, options);
  EXPECT_TRUE(fetch(*disk, set, options).already_there);
  fs::remove(folder / "inner/names");
  EXPECT_FALSE(fetch(*disk, set, options).already_there);
  write(folder / "inner/names", "x\n");
  EXPECT_FALSE(fetch(*disk, set, options).already_there);
  EXPECT_EQ(contents(folder / "inner/names"), "x\ny\n\n");
}

// What is complete for fetching must be what opening needs.
TEST_F(Fetch, KnownSetsHoldTheNamesOfTheirClasses) {
  EXPECT_EQ(known_set("cifar10").contents.back().name, "batches.meta.txt");
  EXPECT_EQ(known_set("cifar10").contents.front().bytes, 30730000);
  EXPECT_EQ(known_set("cifar100").contents.back().name, "fine_label_names.txt");
  EXPECT_EQ(known_set("cifar100").contents.front().bytes, 153700000);
}

TEST_F(Fetch, KnownSetsByName) {
  EXPECT_EQ(known_set("mnist").downloads.size(), 4u);
  for (const KnownSet& set : known_sets()) {
    EXPECT_FALSE(set.addresses.empty());
    for (const auto& list : {set.downloads, set.contents})
      for (const KnownFile& file : list) {
        if (file.lines > 0) continue;
        EXPECT_EQ(file.digest.size(), file.algorithm == "md5" ? 32u : 64u) << file.name;
        EXPECT_GT(file.bytes, 0);
      }
  }
  options.name = "imagenette";
  EXPECT_THROW(fetch(options), UsageError);
  options.name = "mnist";
  options.folder.clear();
  EXPECT_THROW(fetch(options), UsageError);
}

TEST_F(Fetch, DigestsOfKnownText) {
  write(folder / "abc", "abc");  // RFC 1321 and FIPS 180-2
  EXPECT_EQ(file_digest(folder / "abc", "md5"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(file_digest(folder / "abc", "sha256"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_THROW(file_digest(folder / "none", "md5"), DataError);
  EXPECT_THROW(file_digest(folder / "abc", "crc"), UsageError);
}

}  // namespace
}  // namespace smoothlab::data
