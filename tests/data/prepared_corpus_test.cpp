#include "data/prepared_corpus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "data/corpus_manifest.h"
#include "data/digest.h"
#include "data/pair_file_writer.h"
#include "data/task.h"
#include "support/temporary_folder.h"

namespace smoothlab::data {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// A corpus made by hand: opening needs no SentencePiece, so its vocabularies may be anything.
class PreparedCorpusFolder : public testing::Test {
 protected:
  PreparedCorpusFolder() {
    manifest.source_language = "en";
    manifest.target_language = "de";
    manifest.source_vocabulary = listed_vocabulary("source.model", "pieces of English", 20);
    manifest.target_vocabulary = listed_vocabulary("target.model", "pieces of German", 30);
    add_split("train", 3);
    add_split("validation", 2);
    manifest.files.push_back(text("validation.source.txt", "a\nb\n"));
    manifest.files.push_back(text("validation.target.txt", "c\nd\n"));
    describe();
  }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder / name, std::ios::binary) << bytes;
    return folder / name;
  }
  ListedFile text(const std::string& name, const std::string& bytes) const {
    return {name, static_cast<int64_t>(bytes.size()), file_digest(write(name, bytes), "sha256")};
  }
  VocabularySummary listed_vocabulary(const std::string& name, const std::string& bytes, int64_t size) {
    manifest.files.push_back(text(name, bytes));
    return {name, size, manifest.files.back().sha256};
  }
  void add_split(const std::string& name, int64_t pairs, int32_t target_token = 6) {
    const auto& source = manifest.source_vocabulary;
    const auto& target = manifest.target_vocabulary;
    PairFileWriter writer(*cluster::local_file_system(), folder.path(), name + ".pairs",
                          {source.size, {}, source.sha256}, {target.size, target_special, target.sha256});
    for (int64_t n = 0; n < pairs; ++n) writer.add({4, 5}, {target_token});
    manifest.files.push_back(writer.finish());
    SplitSummary split;
    split.name = name;
    split.kept = pairs;
    split.fingerprint = writer.fingerprint();
    split.dropped = {{"empty source", 1, {"x, line 7"}}};
    manifest.splits.push_back(split);
  }
  void describe() const { write("corpus.json", manifest_text(manifest)); }
  std::string failure() const {
    try {
      open_prepared_corpus(folder.path());
    } catch (const DataError& error) {
      return error.what();
    }
    return "nothing failed";
  }
  std::vector<std::string> faults() const {
    std::vector<std::string> messages;
    for (const auto& file : check_corpus_files(folder.path()))
      if (!file.whole) messages.push_back(file.name + ": " + file.message);
    return messages;
  }
  test::TemporaryFolder folder;
  CorpusManifest manifest;
  SpecialTokens target_special = {-1, 0, 1, 2};
};

TEST_F(PreparedCorpusFolder, Opens) {
  const PreparedCorpus corpus = open_prepared_corpus(folder.path());
  EXPECT_EQ(corpus.source.language, "en");
  EXPECT_EQ(corpus.target.language, "de");
  EXPECT_FALSE(corpus.joint());
  EXPECT_EQ(corpus.source.vocabulary.size, 20);
  EXPECT_EQ(corpus.target.vocabulary.size, 30);
  EXPECT_EQ(corpus.target.vocabulary.special.padding, -1);
  EXPECT_EQ(corpus.target.model, folder / "target.model");
  EXPECT_EQ(corpus.train->size(), 3);
  EXPECT_EQ(corpus.validation->size(), 2);
  EXPECT_FALSE(corpus.test);
  EXPECT_EQ(corpus.target_text("validation"), folder / "validation.target.txt");
  EXPECT_TRUE(faults().empty());
}

TEST_F(PreparedCorpusFolder, ManifestIsReadAsItWasWritten) {
  manifest.request = R"({"longest": 250})";
  describe();
  EXPECT_EQ(manifest_text(read_manifest(folder.path())), manifest_text(manifest));
}

TEST_F(PreparedCorpusFolder, AnExchangedVocabularyNamesBoth) {
  const std::string other = file_digest(write("target.model", "other pieces"), "sha256");
  const std::string message = failure();
  EXPECT_THAT(message,
              HasSubstr("made with another vocabulary (sha256 " + manifest.target_vocabulary.sha256));
  EXPECT_THAT(message, HasSubstr((folder / "target.model") + " (sha256 " + other + ")"));
  EXPECT_THAT(message, HasSubstr("(" + (folder / "train.pairs") + ")"));
  EXPECT_EQ(faults(), (std::vector<std::string>{"target.model: 12 bytes, not 16"}));
}

TEST_F(PreparedCorpusFolder, MissingAndDamagedFiles) {
  for (const auto& file : manifest.files) {
    fs::rename(folder / file.name, folder / "aside");
    EXPECT_THAT(failure(), HasSubstr("no such file (" + (folder / file.name) + ")"));
    EXPECT_EQ(faults(), (std::vector<std::string>{file.name + ": missing"}));
    fs::rename(folder / "aside", folder / file.name);
  }
  fs::resize_file(folder / "validation.pairs", 300);
  EXPECT_THAT(failure(), HasSubstr((folder / "validation.pairs") + ", offset 300"));
  add_split("validation", 1);  // as that of another corpus
  EXPECT_THAT(failure(),
              HasSubstr("1 pairs, where corpus.json lists 2 (" + (folder / "validation.pairs") + ")"));
}

TEST_F(PreparedCorpusFolder, PairsOfAnotherCorpusOfTheSameVocabularyAndSize) {
  add_split("validation", 2, 7);
  EXPECT_THAT(failure(), HasSubstr("pairs of another corpus than the one of corpus.json (" +
                                   (folder / "validation.pairs") + ")"));
}

TEST_F(PreparedCorpusFolder, AManifestOfBeforeFingerprintsWereKept) {
  std::string old = manifest_text(manifest);
  const std::string key = "\"fingerprint\"";
  for (size_t at = old.find(key); at != std::string::npos; at = old.find(key))
    old.erase(at, old.find('\n', at) - at);
  write("corpus.json", old);
  EXPECT_EQ(open_prepared_corpus(folder.path()).validation->size(), 2);
}

TEST_F(PreparedCorpusFolder, EqualVocabulariesInTwoFilesAreJoint) {
  EXPECT_FALSE(manifest.joint());
  const auto source = manifest.source_vocabulary;
  manifest = {};
  manifest.source_vocabulary = source;
  manifest.target_vocabulary = listed_vocabulary("target.model", "pieces of English", 20);
  add_split("train", 3);
  describe();
  EXPECT_TRUE(manifest.joint());
  EXPECT_TRUE(open_prepared_corpus(folder.path()).joint());
}

TEST_F(PreparedCorpusFolder, ATaskNamesTheVocabularyWithoutBegin) {
  target_special.begin = -1;
  manifest.splits.clear();
  add_split("train", 3);
  describe();
  TaskOptions options;
  options.data = "text";
  options.path = folder.path();
  try {
    open_task(options, 1);
    ADD_FAILURE();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("no begin token (" + (folder / "target.model") + ")"));
  }
}

TEST_F(PreparedCorpusFolder, DamagedText) {
  write("validation.source.txt", "a\nB\n");
  const auto found = faults();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0], HasSubstr("validation.source.txt: differs (sha256 "));
  write("validation.source.txt", "a\n");
  EXPECT_THAT(failure(), HasSubstr("2 bytes, not 4 (" + (folder / "validation.source.txt") + ")"));
}

TEST_F(PreparedCorpusFolder, WithoutAManifestNothingWasPrepared) {
  fs::remove(folder / "corpus.json");
  EXPECT_THAT(failure(), HasSubstr("prepared to its end"));
  EXPECT_THROW(open_prepared_corpus(folder / "none"), DataError);
}

TEST_F(PreparedCorpusFolder, DamagedManifests) {
  const std::string whole = manifest_text(manifest);
  for (size_t bytes = 0; bytes + 2 < whole.size(); bytes += 13) {
    write("corpus.json", whole.substr(0, bytes));
    EXPECT_THAT(failure(), HasSubstr(folder / "corpus.json")) << bytes;
  }
  for (const auto& [part, other] : {std::pair("\"format\": 1", "\"format\": 2"),
                                    {"train.pairs", "../train.pairs"},
                                    {"\"pairs\": 3", "\"pairs\": \"3\""},
                                    {"\"files\"", "\"folders\""},
                                    {"\"train\": {", "\"training\": {"}}) {
    std::string changed = whole;
    changed.replace(changed.find(part), std::string(part).size(), other);
    write("corpus.json", changed);
    EXPECT_THAT(failure(), HasSubstr(folder.path())) << other;
  }
  write("corpus.json", "[]");
  EXPECT_THAT(failure(), HasSubstr("no description of a prepared corpus"));
}

}  // namespace
}  // namespace smoothlab::data
