#include "data/pair_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <fstream>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "data/digest.h"
#include "data/pair_file_writer.h"
#include "support/temporary_folder.h"

namespace smoothlab::data {
namespace {

using testing::HasSubstr;
using Ids = std::vector<int32_t>;

const Vocabulary source_vocabulary = {100, {0, 1, 2, 3}, std::string(64, 'a')};
const Vocabulary target_vocabulary = {50, {-1, 0, 1, 2}, std::string(64, 'b')};

class PairFileBytes : public testing::Test {
 protected:
  ListedFile write(const std::vector<std::pair<Ids, Ids>>& pairs) const {
    PairFileWriter writer(*cluster::local_file_system(), folder.path(), "p", source_vocabulary,
                          target_vocabulary);
    for (const auto& [source, target] : pairs) writer.add(source, target);
    return writer.finish();
  }
  /// Three pairs, an odd number of tokens: the offsets come after padding.
  std::string small() const {
    write({{{4, 5, 6}, {7}}, {{99}, {49, 0}}, {{8, 9}, {10, 11}}});
    return contents();
  }
  std::string contents() const {
    std::ifstream in(folder / "p", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string failure(const std::string& bytes) const {
    std::ofstream(folder / "p", std::ios::binary) << bytes;
    try {
      const PairFile pairs(folder / "p");
    } catch (const DataError& error) {
      return error.what();
    }
    return "nothing failed";
  }
  /// The message names the offset.
  void expect(const std::string& bytes, const std::string& what, size_t offset) const {
    const std::string message = failure(bytes);
    EXPECT_THAT(message, HasSubstr(what));
    EXPECT_THAT(message, HasSubstr((folder / "p") + ", offset " + std::to_string(offset) + ")"));
  }
  test::TemporaryFolder folder;
};

template <typename T>
void put(std::string& bytes, size_t at, T value) {
  std::memcpy(&bytes[at], &value, sizeof value);
}

/// Makes the checksums fit what was changed, as an attacker or a wrong writer would.
void seal(std::string& bytes) {
  put(bytes, offsetof(PairFileHeader, checksum),
      cluster::checksum(bytes.data(), offsetof(PairFileHeader, checksum)));
  const size_t footer = bytes.size() - sizeof(PairFileFooter);
  put(bytes, footer + offsetof(PairFileFooter, checksum),
      cluster::checksum(bytes.data() + footer, offsetof(PairFileFooter, checksum)));
}

Ids ids(const Tokens& tokens) {
  return {tokens.begin(), tokens.end()};
}

TEST_F(PairFileBytes, WhatIsWrittenIsRead) {
  const ListedFile listed = write({{{4, 5, 6}, {7}}, {{99}, {49, 0}}, {{8, 9}, {10, 11}}});
  EXPECT_EQ(listed.name, "p");
  EXPECT_EQ(listed.sha256, file_digest(folder / "p", "sha256"));
  EXPECT_EQ(listed.bytes, static_cast<int64_t>(contents().size()));
  const PairFile pairs(folder / "p");
  ASSERT_EQ(pairs.size(), 3);
  EXPECT_EQ(ids(pairs.source(0)), (Ids{4, 5, 6}));
  EXPECT_EQ(ids(pairs.target(0)), (Ids{7}));
  EXPECT_EQ(ids(pairs.source(1)), (Ids{99}));
  EXPECT_EQ(ids(pairs.target(1)), (Ids{49, 0}));
  EXPECT_EQ(ids(pairs.target(2)), (Ids{10, 11}));
  EXPECT_EQ(pairs.source_vocabulary().size, 100);
  EXPECT_EQ(pairs.source_vocabulary().digest, std::string(64, 'a'));
  EXPECT_EQ(pairs.target_vocabulary().special.padding, -1);
  EXPECT_EQ(pairs.target_vocabulary().special.end, 2);
}

TEST_F(PairFileBytes, FingerprintIsOfDigestsTokensAndOffsets) {
  write({{{4, 5, 6}, {7}}});
  const Ids tokens = {4, 5, 6, 7};
  const std::vector<int64_t> offsets = {0, 3, 4};
  const std::string digests = std::string(64, 'a') + std::string(64, 'b');
  EXPECT_EQ(PairFile(folder / "p").fingerprint(),
            sha256({{digests.data(), 128}, {tokens.data(), 16}, {offsets.data(), 24}}));
  const std::string first = PairFile(folder / "p").fingerprint();
  write({{{4, 5}, {6, 7}}});
  EXPECT_NE(PairFile(folder / "p").fingerprint(), first);
}

TEST_F(PairFileBytes, NoPairsAndManyPairs) {
  write({});
  EXPECT_EQ(PairFile(folder / "p").size(), 0);
  std::vector<std::pair<Ids, Ids>> many;
  for (int32_t n = 0; n < 50000; ++n)
    many.push_back({Ids(static_cast<size_t>(n % 13), n % 100), Ids{n % 50}});
  write(many);
  const PairFile pairs(folder / "p");
  ASSERT_EQ(pairs.size(), 50000);
  for (int64_t n = 0; n < pairs.size(); ++n) {
    ASSERT_EQ(ids(pairs.source(n)), many[static_cast<size_t>(n)].first);
    ASSERT_EQ(ids(pairs.target(n)), many[static_cast<size_t>(n)].second);
  }
}

TEST_F(PairFileBytes, CutAnywhere) {
  const std::string whole = small();
  for (size_t bytes = 0; bytes < whole.size(); ++bytes)
    ASSERT_THAT(failure(whole.substr(0, bytes)), HasSubstr((folder / "p") + ", offset ")) << bytes;
  expect("", "the file is empty", 0);
  expect(whole.substr(0, 5), "the file is cut", 0);
  expect(whole.substr(0, 150), "cut within its header", 150);
  expect(whole.substr(0, 210), "the file is cut", 210);
  expect(whole.substr(0, whole.size() - 1), "lacks its end mark", whole.size() - 5);
  expect(whole + "x", "lacks its end mark", whole.size() - 3);
}

TEST_F(PairFileBytes, EveryBitThatFlips) {
  const std::string whole = small();
  for (size_t at = 0; at < whole.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      // Padding holds nothing that is read.
      if ((at >= 196 && at < 200) || (at >= 244 && at < 248)) continue;
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      ASSERT_THAT(failure(damaged), HasSubstr((folder / "p") + ", offset ")) << at;
    }
}

TEST_F(PairFileBytes, OtherFiles) {
  std::string bytes = small();
  expect("a text of more than two hundred bytes" + std::string(300, '.'), "not a file of sentence pairs", 0);
  put<uint32_t>(bytes, 8, 0x04030201);
  expect(bytes, "another byte order", 8);
  bytes = small();
  put<uint32_t>(bytes, 12, 2);
  seal(bytes);
  expect(bytes, "sentence pairs of version 2, where this program reads 1", 12);
}

TEST_F(PairFileBytes, NumbersThatDoNotFitTogether) {
  const std::string whole = small();
  const size_t tokens = sizeof(PairFileHeader), offsets = 248, footer = whole.size() - sizeof(PairFileFooter);
  ASSERT_EQ(footer, offsets + 7 * 8);
  const auto changed = [&](size_t at, auto value) {
    std::string bytes = whole;
    put(bytes, at, value);
    seal(bytes);
    return bytes;
  };
  expect(changed(tokens + 4 * 1, int32_t{100}), "token 100 of a vocabulary of 100", tokens + 4);
  expect(changed(tokens + 4 * 5, int32_t{50}), "token 50 of a vocabulary of 50", tokens + 20);
  expect(changed(tokens + 4 * 5, int32_t{-1}), "token -1", tokens + 20);
  expect(changed(tokens + 4 * 1, int32_t{7}), "damaged tokens", tokens);
  expect(changed(offsets, int64_t{1}), "an offset of 1", offsets);
  expect(changed(offsets + 16, int64_t{2}), "an offset of 2 after 3", offsets + 16);
  expect(changed(offsets + 16, int64_t{12}), "an offset of 12", offsets + 16);
  expect(changed(offsets + 16, int64_t{INT64_MIN}), "an offset of -9223372036854775808", offsets + 16);
  expect(changed(offsets + 16, int64_t{5}), "do not add up", offsets + 48);
  expect(changed(offsets + 48, int64_t{10}), "do not add up", offsets + 48);
  for (const int64_t wrong : {int64_t{-1}, int64_t{2}, int64_t{4}, INT64_MAX, INT64_MIN, int64_t{1} << 60}) {
    for (const size_t field : {0, 8, 16})
      EXPECT_THAT(failure(changed(footer + field, wrong)), HasSubstr((folder / "p") + ", offset ")) << wrong;
  }
  EXPECT_THAT(failure(changed(16, int64_t{-5})), HasSubstr("token 4 of a vocabulary of -5"));
}

TEST_F(PairFileBytes, FilesThatAreNone) {
  EXPECT_THROW(PairFile(folder / "none"), DataError);
  EXPECT_THROW(PairFile{folder.path()}, DataError);
}

}  // namespace
}  // namespace smoothlab::data
