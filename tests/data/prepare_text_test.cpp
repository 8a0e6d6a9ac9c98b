#include "data/prepare_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "cluster/error.h"
#include "data/corpus_publication.h"
#include "data/piece_library.h"
#include "data/prepared_corpus.h"
#include "data/word_pieces.h"
#include "model_piece.h"
#include "small_text.h"
#include "support/faulty_file_system.h"
#include "support/temporary_folder.h"

namespace smoothlab::data {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using Files = std::map<std::string, std::string>;

class PrepareTextFiles : public testing::Test {
 protected:
  void SetUp() override {
    if (sentencepiece_version().empty()) GTEST_SKIP() << "no SentencePiece in this build";
    options.out = folder / "corpus";
    options.train = {{lines("train.en", 400, false), lines("train.de", 400, true), ""}};
    options.validation = {{lines("val.en", 20, false), lines("val.de", 20, true), ""}};
    options.pieces.size = 60;
    options.pieces.type = "bpe";
  }
  std::string lines(const std::string& name, int64_t count, bool is_target) const {
    test::write_lines(folder / name, test::small_text(count, is_target));
    return folder / name;
  }
  std::string file(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder / name, std::ios::binary) << bytes;
    return folder / name;
  }
  PrepareTextResult prepare() const { return prepare_text(*cluster::local_file_system(), options); }
  template <typename Failure>
  std::string failure() const {
    try {
      prepare();
    } catch (const Failure& error) {
      return error.what();
    }
    return "nothing failed";
  }
  static std::string contents(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }
  Files corpus() const {
    Files files;
    if (fs::exists(options.out))
      for (const auto& entry : fs::directory_iterator(options.out))
        if (entry.path().filename() != ".lock") files[entry.path().filename()] = contents(entry.path());
    return files;
  }
  std::set<std::string> names() const {
    std::set<std::string> all;
    for (const auto& [name, bytes] : corpus()) all.insert(name);
    return all;
  }
  test::TemporaryFolder folder;
  PrepareTextOptions options;
};

TEST_F(PrepareTextFiles, TokensAreThoseOfTheText) {
  const auto result = prepare();
  EXPECT_FALSE(result.already_there);
  EXPECT_EQ(names(),
            (std::set<std::string>{"corpus.json", "vocabulary.model", "train.pairs", "validation.pairs",
                                   "validation.source.txt", "validation.target.txt"}));
  const auto prepared = open_prepared_corpus(options.out);
  EXPECT_TRUE(prepared.joint());
  EXPECT_EQ(prepared.source.language, "source");
  EXPECT_FALSE(prepared.test);
  const WordPieces pieces(prepared.target.model);
  EXPECT_EQ(prepared.target.vocabulary.digest, pieces.vocabulary().digest);
  EXPECT_EQ(prepared.target.vocabulary.size, 60);
  const auto source = test::small_text(400, false), target = test::small_text(400, true);
  ASSERT_EQ(prepared.train->size(), 400);
  int64_t tokens = 0;
  for (int64_t n = 0; n < 400; ++n) {
    EXPECT_EQ(pieces.decode(prepared.train->source(n)), source[static_cast<size_t>(n)]);
    EXPECT_EQ(pieces.decode(prepared.train->target(n)), target[static_cast<size_t>(n)]);
    tokens += prepared.train->source(n).count;
  }
  ASSERT_EQ(result.manifest.splits.size(), 2U);
  EXPECT_EQ(result.manifest.splits[0].kept, 400);
  EXPECT_EQ(result.manifest.splits[0].source.tokens, tokens);
  EXPECT_EQ(result.manifest.splits[0].source.unknown, 0);
  EXPECT_EQ(contents(prepared.source_text("validation")), contents(folder / "val.en"));
  EXPECT_EQ(contents(prepared.target_text("validation")), contents(folder / "val.de"));
}

TEST_F(PrepareTextFiles, TheSameTextMakesTheSameBytesAndIsNotDoneTwice) {
  prepare();
  const Files first = corpus();
  EXPECT_TRUE(prepare().already_there);
  options.force = true;
  EXPECT_FALSE(prepare().already_there);
  EXPECT_EQ(corpus(), first);
  options.force = false;
  options.out = folder / "deep/er";
  prepare();
  EXPECT_EQ(corpus(), first);
  // What files are called decides nothing.
  fs::rename(folder / "train.en", folder / "elsewhere.en");
  options.train[0].source = folder / "elsewhere.en";
  EXPECT_TRUE(prepare().already_there);
}

TEST_F(PrepareTextFiles, ADamagedCorpusIsMadeAnew) {
  prepare();
  const Files first = corpus();
  for (const char* name : {"train.pairs", "vocabulary.model", "validation.target.txt"}) {
    file(std::string("corpus/") + name, "damaged");
    EXPECT_FALSE(prepare().already_there) << name;
    EXPECT_EQ(corpus(), first);
    fs::remove(folder / (std::string("corpus/") + name));
    EXPECT_FALSE(prepare().already_there) << name;
    EXPECT_EQ(corpus(), first);
  }
}

TEST_F(PrepareTextFiles, AnotherCorpusIsOnlyReplacedByForce) {
  prepare();
  const Files first = corpus();
  options.longest = 20;
  options.pieces.size = 61;
  EXPECT_THAT(failure<UsageError>(),
              HasSubstr("another corpus is there, which differs in: longest, vocabulary"));
  lines("val.de", 20, false);
  EXPECT_THAT(failure<UsageError>(), HasSubstr("validation"));
  EXPECT_EQ(corpus(), first);
  options.force = true;
  options.separate_vocabularies = true;
  file("corpus/mine.txt", "what its owner put there");
  options.validation.clear();
  options.pieces.size = 50;
  prepare();
  EXPECT_EQ(names(), (std::set<std::string>{"corpus.json", "mine.txt", "source.model", "target.model",
                                            "train.pairs"}));
  EXPECT_FALSE(open_prepared_corpus(options.out).joint());
}

TEST_F(PrepareTextFiles, FailureLeavesTheOldCorpus) {
  prepare();
  const Files first = corpus();
  options.force = true;
  file("train.de", "too short\n");
  EXPECT_THAT(failure<DataError>(), HasSubstr("400 lines here and 1 in"));
  EXPECT_EQ(corpus(), first);
}

TEST_F(PrepareTextFiles, WhatIsDroppedAndWhy) {
  const auto source = test::small_text(400, false), target = test::small_text(400, true);
  std::string pairs;
  for (size_t i = 0; i < source.size(); ++i) pairs += source[i] + "\t" + target[i] + "\n";
  for (int i = 0; i < 12; ++i) pairs += "\tnur hier\n";
  pairs += "only here\t \n";
  pairs += "\u3000\tnichts als ein Blank\n";
  std::string many;
  for (int i = 0; i < 60; ++i) many += "the house ";
  pairs += many + "\tdas Häuschen\n" + "the house\t" + many + "\n" +
           "the house stands here under an old tree\tda\n";
  options.train = {{"", "", file("some.tsv", pairs)}};
  options.validation = {{"", "", file("other.tsv", "\tnur hier\n" + many + "\tdas\n")}};
  options.longest = 60;
  options.ratio = 5;
  const auto splits = prepare().manifest.splits;
  EXPECT_EQ(splits[0].kept, 400);
  std::map<std::string, std::pair<int64_t, std::string>> dropped;
  for (const auto& entry : splits[0].dropped) dropped[entry.reason] = {entry.count, entry.first[0]};
  const std::string path = folder / "some.tsv, line ";
  EXPECT_EQ(dropped, (std::map<std::string, std::pair<int64_t, std::string>>{
                         {"empty source", {13, path + "401"}},
                         {"empty target", {1, path + "413"}},
                         {"source too long", {1, path + "415"}},
                         {"target too long", {1, path + "416"}},
                         {"lengths too unequal", {1, path + "417"}}}));
  EXPECT_EQ(splits[0].dropped[0].first.size(), 10U);
  EXPECT_EQ(splits[0].dropped_in_all(), 17);
  // What is evaluated is not cut to what is easy.
  EXPECT_EQ(splits[1].kept, 1);
  ASSERT_EQ(splits[1].dropped.size(), 1U);
  EXPECT_EQ(splits[1].dropped[0].reason, "empty source");

  // A corpus with pairs dropped is not what --strict asked for.
  const Files first = corpus();
  options.strict = true;
  EXPECT_THAT(failure<DataError>(), HasSubstr("empty source (" + path + "401)"));
  EXPECT_EQ(corpus(), first);
}

TEST_F(PrepareTextFiles, HeldOutPairsShareNoSourceWithTraining) {
  // Every sentence has two translations, the second in another file.
  const auto source = test::small_text(300, false);
  std::string first, second;
  for (size_t i = 0; i < source.size(); ++i) {
    const std::string sentence = source[i] + " " + std::to_string(i);
    first += sentence + "\tdas " + std::to_string(i) + "\n";
    second += sentence + "\tdies " + std::to_string(i) + "\n";
  }
  options.train = {{"", "", file("first.tsv", first)}, {"", "", file("second.tsv", second)}};
  options.validation.clear();
  options.hold_out = 40;
  options.hold_out_test = 60;
  const auto splits = prepare().manifest.splits;
  ASSERT_EQ(splits.size(), 3U);
  EXPECT_EQ(splits[0].kept, 500);
  EXPECT_EQ(splits[1].kept, 40);
  EXPECT_EQ(splits[2].kept, 60);
  const auto prepared = open_prepared_corpus(options.out);
  const WordPieces pieces(prepared.source.model);
  std::vector<std::set<std::string>> sentences(3);
  for (size_t split = 0; split < 3; ++split) {
    const auto& pairs = *std::vector{prepared.train, prepared.validation, prepared.test}[split];
    for (int64_t n = 0; n < pairs.size(); ++n) sentences[split].insert(pieces.decode(pairs.source(n)));
  }
  EXPECT_EQ(sentences[0].size(), 250U);
  EXPECT_EQ(sentences[1].size(), 20U);
  EXPECT_EQ(sentences[2].size(), 30U);
  std::set<std::string> all;
  for (const auto& some : sentences) all.insert(some.begin(), some.end());
  EXPECT_EQ(all.size(), 300U);
  // The vocabulary has not seen them either: their numbers are no pieces that training lacks.
  options.seed = 2;
  options.force = true;
  const std::string model = contents(prepared.source.model);
  prepare();
  EXPECT_NE(contents(prepared.source.model), model);
}

TEST_F(PrepareTextFiles, AVocabularyThatExists) {
  prepare();
  const std::string model = folder / "given.model";
  fs::rename(folder / "corpus/vocabulary.model", model);
  const Files first = corpus();
  fs::remove_all(options.out);
  options.source_vocabulary = options.target_vocabulary = model;
  prepare();
  EXPECT_EQ(corpus()["train.pairs"], first.at("train.pairs"));
  EXPECT_EQ(corpus()["vocabulary.model"], contents(model));
  options.target_vocabulary = file("no.model", "no model");
  options.out = folder / "other";
  EXPECT_THAT(failure<DataError>(), HasSubstr("not a SentencePiece model"));
  EXPECT_EQ(names(), std::set<std::string>());
}

TEST_F(PrepareTextFiles, TheSameVocabularyGivenTwiceIsJoint) {
  prepare();
  const std::string model = contents(folder / "corpus/vocabulary.model");
  options.source_vocabulary = file("one.model", model);
  options.target_vocabulary = file("other.model", model);
  options.out = folder / "joint";
  EXPECT_TRUE(prepare().manifest.joint());
  EXPECT_TRUE(open_prepared_corpus(options.out).joint());
  EXPECT_EQ(names().count("vocabulary.model"), 1U);
  EXPECT_EQ(names().count("source.model"), 0U);
}

TEST_F(PrepareTextFiles, AVocabularyWithoutBeginOrEndIsNamed) {
  using test::model_piece;
  const std::string t5 =
      file("t5.model", model_piece("<pad>", 3) + model_piece("</s>", 3) + model_piece("<unk>", 2) +
                           model_piece("▁the", 1) + model_piece("▁", 1) + model_piece("e", 1));
  options.source_vocabulary = options.target_vocabulary = t5;
  EXPECT_THAT(failure<DataError>(), HasSubstr("the vocabulary has no begin token (" + t5 + ")"));
  EXPECT_FALSE(fs::exists(options.out));
}

TEST_F(PrepareTextFiles, FilesOfTheUsersAreNotOverwritten) {
  fs::create_directories(options.out);
  for (const std::string name : {"validation.source.txt", "train.pairs", "vocabulary.model", "corpus.json"}) {
    const std::string path = file("corpus/" + name, "mine");
    for (const bool force : {false, true}) {
      options.force = force;
      EXPECT_THAT(failure<UsageError>(), HasSubstr("would be overwritten (" + path + ")"));
      EXPECT_EQ(corpus(), (Files{{name, "mine"}}));
    }
    fs::remove(path);
  }
  const std::string path = file("corpus/test.target.txt", "mine");
  prepare();
  options.test = options.validation;
  EXPECT_THAT(failure<UsageError>(), HasSubstr("would be overwritten (" + path + ")"));
  EXPECT_EQ(contents(path), "mine");
}

TEST_F(PrepareTextFiles, InputsAreNotOverwritten) {
  prepare();
  const Files first = corpus();
  options.force = true;
  const auto validation = options.validation;
  const std::string text = folder / "corpus/validation.source.txt";
  options.validation = {{text, folder / "val.de", ""}};
  EXPECT_THAT(failure<UsageError>(), HasSubstr("it is validation.source.txt of the folder --out (" + text));
  options.validation.clear();  // The old corpus's files are removed where the new one has none of the name.
  options.train.push_back({text, folder / "val.de", ""});
  EXPECT_THAT(failure<UsageError>(), HasSubstr("an input that would be overwritten"));
  options.train.pop_back();
  fs::create_symlink(folder / "corpus/vocabulary.model", folder / "given.model");
  options.source_vocabulary = options.target_vocabulary = folder / "given.model";
  EXPECT_THAT(failure<UsageError>(), HasSubstr("it is vocabulary.model"));
  EXPECT_EQ(corpus(), first);
}

/// Another command gets the lock first, and has ended when this one gets it.
class OvertakenFileSystem : public test::FaultyFileSystem {
 public:
  explicit OvertakenFileSystem(PrepareTextOptions other) : other_(std::move(other)) {}
  std::unique_ptr<cluster::FileLock> lock(const std::string& path) override {
    prepare_text(*cluster::local_file_system(), other_);
    return test::FaultyFileSystem::lock(path);
  }

 private:
  PrepareTextOptions other_;
};

TEST_F(PrepareTextFiles, ACorpusThatCameBeforeTheLockStays) {
  auto other = options;
  other.longest = 20;
  OvertakenFileSystem overtaken(other);
  EXPECT_THROW(prepare_text(overtaken, options), UsageError);
  options.longest = 20;
  EXPECT_TRUE(prepare().already_there);
  fs::remove_all(options.out);
  OvertakenFileSystem overtaken_by_the_same(options);
  EXPECT_TRUE(prepare_text(overtaken_by_the_same, options).already_there);
}

TEST_F(PrepareTextFiles, OptionsThatContradictEachOther) {
  const auto with = [&](const auto& change) {
    const PrepareTextOptions kept = options;
    change();
    const std::string message = failure<UsageError>();
    options = kept;
    return message;
  };
  EXPECT_THAT(with([&] { options.out.clear(); }), HasSubstr("--out"));
  EXPECT_THAT(with([&] { options.train.clear(); }), HasSubstr("no text to train on"));
  EXPECT_THAT(with([&] { options.hold_out = 5; }), HasSubstr("both given and to be held out"));
  EXPECT_THAT(with([&] {
                options.hold_out_test = 5;
                options.test = options.validation;
              }),
              HasSubstr("both given and to be held out"));
  EXPECT_THAT(with([&] { options.source_vocabulary = "x"; }), HasSubstr("one side only"));
  EXPECT_THAT(with([&] {
                options.validation.clear();
                options.hold_out = 400;
              }),
              HasSubstr("cannot hold out 400 of 400 pairs"));
}

TEST_F(PrepareTextFiles, SplitsWithoutPairs) {
  options.validation = {{file("none.en", ""), file("none.de", ""), ""}};
  EXPECT_THAT(failure<DataError>(), HasSubstr("no pairs are left for the split validation"));
  options.validation.clear();
  options.longest = 1;
  EXPECT_THAT(failure<DataError>(), HasSubstr("no pairs are left for the split train"));
  EXPECT_THAT(failure<DataError>(), HasSubstr("source too long"));
}

class PrepareTextFaults : public PrepareTextFiles, public testing::WithParamInterface<test::Fault> {};

// Whichever operation on the disk goes wrong, there is the old corpus or the new one. And the next attempt
// makes it whole.
TEST_P(PrepareTextFaults, TheOldCorpusOrTheNewOneIsThere) {
  prepare();
  options.source_vocabulary = options.target_vocabulary = folder / "given.model";
  fs::rename(folder / "corpus/vocabulary.model", folder / "given.model");
  options.force = true;
  prepare();
  const Files old = corpus();
  fs::rename(options.out, folder / "old");
  options.longest = 20;
  prepare();
  const Files fresh = corpus();
  int stopped_midway = 0;
  for (int n = 1;; ++n) {
    options.force = true;
    fs::remove_all(options.out);
    fs::copy(folder / "old", options.out);
    test::FaultyFileSystem faulty;
    faulty.fail_at(n, GetParam());
    try {
      prepare_text(faulty, options);
    } catch (const Error&) {
    }
    const bool failed = faulty.has_failed();
    EXPECT_NO_THROW(open_prepared_corpus(options.out)) << n;
    const auto is = [&](const Files& wanted) {
      return std::all_of(wanted.begin(), wanted.end(), [&](const auto& file) {
        return contents(corpus_path(options.out, file.first)) == file.second;
      });
    };
    EXPECT_TRUE(is(old) || is(fresh)) << n;
    stopped_midway += is_half_published(options.out) ? 1 : 0;
    options.force = is(old);
    prepare();
    EXPECT_TRUE(corpus() == fresh) << n;
    if (failed) continue;
    EXPECT_GT(n, 30);
    EXPECT_GT(stopped_midway, 2);
    return;
  }
}

INSTANTIATE_TEST_SUITE_P(PrepareTextFaultsOfKind, PrepareTextFaults,
                         testing::Values(test::Fault::no_space, test::Fault::torn, test::Fault::killed,
                                         test::Fault::power_cut));

}  // namespace
}  // namespace smoothlab::data
