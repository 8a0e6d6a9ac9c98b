#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "launcher/program.h"
#include "support/temporary_folder.h"

namespace smoothlab::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

class PrepareTextVerbSlow : public testing::Test {
 protected:
  void SetUp() override {
    const auto doctor = Json::parse(smoothlab({"doctor", "--json"}).out);
    if (doctor["SentencePiece"]["state"] != "present") GTEST_SKIP() << "no SentencePiece in this build";
    std::string source, target, pairs;
    for (int n = 0; n < 200; ++n) {
      const std::string number = std::to_string(n * 7919 % 1000);
      source += "the house has number " + number + "\n";
      target += "das Häuschen hat Nummer " + number + "\n";
      pairs += "the house has number " + number + "\tdas Häuschen hat Nummer " + number + "\n";
    }
    write_text(folder / "train.en", source);
    write_text(folder / "train.de", target);
    write_text(folder / "all.tsv", pairs + "\tnur hier\n");
  }
  std::vector<std::string> two_files(const std::vector<std::string>& further = {}) const {
    return joined({"data", "prepare", "text", "--source", folder / "train.en", "--target",
                   folder / "train.de", "--out", folder / "corpus", "--vocabulary-size", "50"},
                  further);
  }
  std::vector<std::string> one_file(const std::vector<std::string>& further = {}) const {
    return joined({"data", "prepare", "text", "--pairs", folder / "all.tsv", "--out", folder / "corpus",
                   "--vocabulary-size", "50"},
                  further);
  }
  const TemporaryFolder folder;
};

TEST_F(PrepareTextVerbSlow, SummaryOnStdoutAndTheRestOnStderr) {
  const auto first = smoothlab(two_files());
  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr((folder / "corpus") + ": en to de\n"));
  EXPECT_THAT(first.out, HasSubstr("  vocabulary.model: 50 pieces for both\n  train: 200 pairs\n"));
  EXPECT_THAT(first.out, HasSubstr("    de: "));
  EXPECT_THAT(first.out, HasSubstr("0.0000 % unknown"));
  for (const char* noise : {"LOG(", "trainer_interface", "sentencepiece", "preparing.part"})
    EXPECT_THAT(first.out + first.err, Not(HasSubstr(noise)));
  const auto again = smoothlab(two_files());
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_EQ(again.out, first.out);
  EXPECT_THAT(again.err, HasSubstr("the corpus was there already, and whole"));
}

TEST_F(PrepareTextVerbSlow, Json) {
  const auto result = smoothlab(one_file({"--json", "--hold-out", "20", "--languages", "English,Deutsch",
                                          "--vocabulary-type", "bpe", "--separate-vocabularies"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const Json json = Json::parse(result.out);
  EXPECT_EQ(json["source_language"], "English");
  EXPECT_EQ(json["target_vocabulary"]["file"], "target.model");
  EXPECT_EQ(json["splits"]["train"]["pairs"], 180);
  EXPECT_EQ(json["splits"]["validation"]["pairs"], 20);
  const Json& dropped = json["splits"]["train"]["dropped"];
  ASSERT_EQ(dropped.size(), 1U);
  EXPECT_EQ(dropped[0]["reason"], "empty source");
  EXPECT_EQ(dropped[0]["first"][0], (folder / "all.tsv") + ", line 201");
  EXPECT_EQ(json["already_there"], false);
  EXPECT_EQ(json["files"].size(), 6U);
}

// Progress and threads are the machine's affair, the corpus is not.
TEST_F(PrepareTextVerbSlow, ThreadsChangeNothing) {
  std::vector<std::string> corpora;
  for (const char* threads : {"1", "3"}) {
    fs::remove_all(folder / "corpus");
    const auto made = smoothlab(two_files(), {std::string("OMP_NUM_THREADS=") + threads});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    corpora.push_back(read_text(folder / "corpus/corpus.json"));
  }
  EXPECT_EQ(corpora[0], corpora[1]);
}

TEST_F(PrepareTextVerbSlow, CommandLinesThatAreWrong) {
  const std::vector<std::string> out = {"--out", folder / "corpus"};
  const auto prepare = [&](const std::vector<std::string>& arguments) {
    return smoothlab(joined(joined({"data", "prepare", "text"}, out), arguments));
  };
  const std::string en = folder / "train.en", de = folder / "train.de", tsv = folder / "all.tsv";
  expect_only_error(smoothlab({"data", "prepare"}), 2, "smoothlab data prepare text");
  expect_only_error(smoothlab({"data", "prepare", "texts"}), 2, "did you mean 'text'?");
  expect_only_error(smoothlab({"data", "prepare", "text", "--pairs", tsv}), 2, "add --out DIR");
  expect_only_error(prepare({}), 2, "add --source FILE --target FILE, or --pairs FILE");
  expect_only_error(prepare({"--source", en}), 2, "1 files for --source and 0 for --target");
  expect_only_error(prepare({"--pairs", tsv, "--test-target", de}), 2, "0 files for --test-source");
  expect_only_error(prepare({"--pairs", tsv, "--columns", "1"}), 2, "--columns");
  expect_only_error(prepare({"--pairs", tsv, "--columns", "2,2"}), 2, "--columns");
  expect_only_error(prepare({"--pairs", tsv, "--columns", "1,1.5"}), 2, "--columns");
  expect_only_error(prepare({"--pairs", tsv, "--languages", "en"}), 2, "--languages");
  expect_only_error(prepare({"--pairs", tsv, "--ratio", "0.5"}), 2,
                    "a ratio of less than 1 drops every pair");
  expect_only_error(prepare({"--pairs", tsv, "--longest", "-1"}), 2, "--longest");
  expect_only_error(prepare({"--pairs", tsv, "--seed", "x"}), 2, "--seed");
  expect_only_error(prepare({"--pairs", tsv, "--vocabulary-sise", "9"}), 2, "--vocabulary-size");
  expect_only_error(prepare({"--pairs", tsv, "--vocabulary-type", "word"}), 2, "choose unigram or bpe");
  expect_only_error(prepare({"--pairs", tsv, "--vocabulary", tsv, "--vocabulary-size", "9"}), 2,
                    "--vocabulary-size");
  expect_only_error(prepare({"--pairs", tsv, "--target-vocabulary", tsv}), 2, "name both or none");
  EXPECT_FALSE(fs::exists(folder / "corpus"));
}

TEST_F(PrepareTextVerbSlow, TextThatIsWrong) {
  expect_error(smoothlab(two_files({"--test-source", folder / "none", "--test-target", folder / "train.de"})),
               3, folder / "none");
  write_text(folder / "bad.de",
             "gut\nschl\xE4"
             "cht\n");
  write_text(folder / "bad.en", "good\nbad\n");
  expect_error(smoothlab(two_files({"--test-source", folder / "bad.en", "--test-target", folder / "bad.de"})),
               3, "byte 4 of the line (0xe4) is no UTF-8 (" + (folder / "bad.de") + ", line 2)");
  expect_error(smoothlab(two_files({"--vocabulary-type", "unigram", "--hold-out", "200"})), 2,
               "cannot hold out 200 of 200 pairs");
  expect_error(smoothlab(one_file({"--strict"})), 3, "empty source (" + (folder / "all.tsv") + ", line 201)");
  write_text(folder / "train.de", "zu kurz\n");
  expect_error(smoothlab(two_files()), 3, "200 lines here and 1 in " + (folder / "train.de"));
  EXPECT_FALSE(fs::exists(folder / "corpus/corpus.json"));
  EXPECT_FALSE(fs::exists(folder / "corpus/preparing.part"));
}

// It named a copy under preparing.part, and a line of SentencePiece's source.
TEST_F(PrepareTextVerbSlow, AVocabularyThatIsNoneIsNamedAsItWasGiven) {
  const auto made = smoothlab({"data", "prepare", "text", "--pairs", folder / "all.tsv", "--out",
                               folder / "corpus", "--vocabulary", folder / "train.en"});
  expect_only_error(made, 3, "not a SentencePiece model (" + (folder / "train.en") + ")");
  EXPECT_FALSE(fs::exists(folder / "corpus"));
}

TEST_F(PrepareTextVerbSlow, AFolderIsNoText) {
  for (const char* side : {"--source", "--target"}) {
    auto arguments = two_files();
    *(std::find(arguments.begin(), arguments.end(), side) + 1) = folder.path();
    expect_only_error(smoothlab(arguments), 3, "a folder, not a file (" + folder.path() + ")");
  }
}

// The last line of a finished preparation said that 2 % were done.
TEST_F(PrepareTextVerbSlow, TheLastWordIsThatItIsDone) {
  const auto alone = lines_of(smoothlab(two_files({"--hold-out", "20"})).err);
  ASSERT_FALSE(alone.empty());
  EXPECT_THAT(alone.back(), HasSubstr("prepared in "));
}

TEST_F(PrepareTextVerbSlow, ACorpusWithoutAnythingToEvaluateSaysSoAndSoDoesTraining) {
  const auto made = smoothlab(two_files());
  ASSERT_EQ(made.exit_code, 0);
  EXPECT_THAT(made.err, HasSubstr("warning: the corpus has nothing to evaluate on"));
  write_text(
      folder / "r.yaml",
      "task: {data: text, path: " + (folder / "corpus") +
          "}\n"
          "model: {name: transformer_tiny, form: t2t, width: 16, heads: 2, feed_forward: 32, layers: 1}\n"
          "train: {steps: 2, global_batch: 16, device: cpu}\n");
  const std::vector<std::string> train = {"train", folder / "r.yaml", "--run", folder / "run"};
  for (const auto& further : {std::vector<std::string>{}, {"--dry-run"}}) {
    const auto error = smoothlab(joined(train, further));
    expect_error(error, 2, "the task 'text' has no split 'validation', only train (");
    EXPECT_THAT(error.err, HasSubstr("r.yaml: evaluate.split"));
    EXPECT_THAT(error.err, HasSubstr("--validation-source or --hold-out"));
  }
}

TEST_F(PrepareTextVerbSlow, VerifyLooksAtEveryByte) {
  ASSERT_EQ(smoothlab(two_files()).exit_code, 0);
  const std::vector<std::string> verify = {"data", "verify", "text", "--path", folder / "corpus"};
  auto result = smoothlab(verify);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("  train.pairs: whole\n"));
  EXPECT_EQ(Json::parse(smoothlab(joined(verify, {"--json"})).out)["files"][0]["whole"], true);
  damage(folder / "corpus/train.pairs");
  result = smoothlab(verify);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.out, HasSubstr("  train.pairs: differs (sha256 "));
  EXPECT_THAT(result.err,
              HasSubstr("error: 1 of 2 files are not as they were written (" + (folder / "corpus") + ")"));
  result = smoothlab(joined(verify, {"--json"}));
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(Json::parse(result.out)["files"][1]["whole"], false);
  expect_only_error(smoothlab({"data", "verify", "text", "--path", folder.path()}), 3, "corpus.json");
}

TEST_F(PrepareTextVerbSlow, AnotherCorpusIsInTheWay) {
  ASSERT_EQ(smoothlab(two_files()).exit_code, 0);
  expect_only_error(smoothlab(two_files({"--longest", "9"})), 2, "which differs in: longest");
  EXPECT_EQ(smoothlab(two_files({"--longest", "90", "--force"})).exit_code, 0);
}

TEST_F(PrepareTextVerbSlow, HelpNamesEveryOption) {
  const auto help = smoothlab({"data", "prepare", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* option : {"--source", "--validation-pairs", "--hold-out-test", "--strict", "--coverage"})
    EXPECT_THAT(help.out, HasSubstr(option));
  EXPECT_EQ(smoothlab({"data", "prepare", "text", "--help"}).out, help.out);
  EXPECT_THAT(smoothlab({"data", "--help"}).out, HasSubstr("data prepare --help"));
}

// The program alone, as it is where it was built without SentencePiece.
TEST_F(PrepareTextVerbSlow, WithoutSentencePiece) {
  const std::string bare = folder / "smoothlab";
  fs::copy_file(program(), bare);
  auto arguments = two_files();
  arguments.insert(arguments.begin(), bare);
  expect_only_error(run_process(arguments), 4, "install libsentencepiece-dev");
  EXPECT_FALSE(fs::exists(folder / "corpus"));
  const auto doctor = Json::parse(run_process({bare, "doctor", "--json"}).out);
  EXPECT_EQ(doctor["SentencePiece"]["state"], "absent");
  EXPECT_THAT(doctor["SentencePiece"]["advice"].get<std::string>(), HasSubstr("libsentencepiece-dev"));
  write_text(folder / "smoothlab_pieces.so", "no library");
  expect_only_error(run_process(arguments), 4, "cannot open SentencePiece");
}

}  // namespace
}  // namespace smoothlab::test
