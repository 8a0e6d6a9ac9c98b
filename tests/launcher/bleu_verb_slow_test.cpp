#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "launcher/program.h"
#include "support/temporary_folder.h"

namespace smoothlab::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::MatchesRegex;

class BleuVerbSlow : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) const {
    write_text(folder / name, text);
    return folder / name;
  }
  TemporaryFolder folder;
  const std::string hypotheses =
      write("h", "The dog bit the man.\nIt wasn't surprising.\nThe man had just bitten him.\n");
  const std::string first =
      write("r1", "The dog bit the man.\r\nIt was not unexpected.\nThe man bit him first.");
  const std::string second =
      write("r2", "The dog had bit the man.\nNo one was surprised.\nThe man had bitten the dog.\n");
};

// The figures are those of the program sacrebleu, version 2.6.0.
TEST_F(BleuVerbSlow, ScoresAsSacreBleu) {
  const auto result = smoothlab({"bleu", hypotheses, first, second});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  EXPECT_THAT(result.out, HasSubstr("BLEU|nrefs:2|case:mixed|eff:no|tok:13a|smooth:exp|version:smoothlab-"));
  EXPECT_THAT(result.out,
              HasSubstr(" = 48.5 82.4/50.0/45.5/37.5 (BP = 0.943 ratio = 0.944 hyp_len = 17 ref_len "
                        "= 18)\n"));
  EXPECT_EQ(
      smoothlab({"bleu", hypotheses, first, second, "--metrics", "chrf,bleu", "--score-only", "--width", "6"})
          .out,
      "48.530827\n59.727518\n");
}

TEST_F(BleuVerbSlow, OneSentenceALine) {
  const auto result =
      smoothlab({"bleu", hypotheses, first, second, "--sentence-level", "--score-only", "--width", "2"});
  EXPECT_EQ(result.out, "100.00\n14.79\n29.07\n");
  const auto report = json::parse(
      smoothlab({"bleu", hypotheses, first, second, "--sentence-level", "--metrics", "chrf", "--json"}).out);
  EXPECT_EQ(report["metrics"][0]["systems"][0]["sentences"].size(), 3U);
}

TEST_F(BleuVerbSlow, SystemsAreSetAgainstTheFirst) {
  const auto result =
      smoothlab({"bleu", hypotheses, first, second, "--system", first, "--system", second, "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json report = json::parse(result.out);
  EXPECT_EQ(report["references"], (std::vector<std::string>{first, second}));
  const auto& systems = report["metrics"][0]["systems"];
  ASSERT_EQ(systems.size(), 3U);
  EXPECT_EQ(systems[0]["system"], hypotheses);
  EXPECT_TRUE(systems[0]["p_value"].is_null());
  EXPECT_NEAR(systems[0]["mean"], 46.959748, 1e-6);
  EXPECT_NEAR(systems[1]["p_value"], 1 / 1001.0, 1e-12);
}

TEST_F(BleuVerbSlow, TheDocumentNamesEveryKeyOfJson) {
  const auto documented = documented_names("docs/bleu.md");
  const std::function<void(const json&)> look = [&](const json& node) {
    if (!node.is_structured()) return;
    for (const auto& [key, value] : node.items()) {
      EXPECT_TRUE(node.is_array() || documented.count(key) == 1) << key;
      look(value);
    }
  };
  for (const auto& options : std::vector<std::vector<std::string>>{{"--metrics", "bleu,chrf", "--confidence"},
                                                                   {"--sentence-level"}})
    look(json::parse(smoothlab(joined({"bleu", hypotheses, first, "--json"}, options)).out));
}

TEST_F(BleuVerbSlow, BadFiles) {
  expect_only_error(smoothlab({"bleu", folder / "none", first}), 3, "no such file");
  expect_only_error(smoothlab({"bleu", hypotheses, folder.path()}), 3, "a folder");
  expect_only_error(smoothlab({"bleu", hypotheses, write("empty", "")}), 3, "empty");
  expect_only_error(smoothlab({"bleu", hypotheses, write("latin", "a\n\xE9\nb\n")}), 3, "latin, line 2");
  expect_only_error(smoothlab({"bleu", hypotheses, write("x.gz", "a\nb\nc\n")}), 3, "not a gzip file");
  const auto longer = write("longer", "a\nb\nc\n\n");
  expect_only_error(smoothlab({"bleu", hypotheses, longer}), 3, "3 hypotheses and 4 references");
  expect_only_error(smoothlab({"bleu", hypotheses, longer}), 3, hypotheses + " and " + longer);
  expect_only_error(smoothlab({"bleu", hypotheses, first, "--system", longer}), 3,
                    "4 hypotheses and 3 references");
}

TEST_F(BleuVerbSlow, OptionsThatContradictOrNameNothing) {
  const auto error = [&](const std::vector<std::string>& options, const std::string& part) {
    expect_only_error(smoothlab(joined({"bleu", hypotheses, first}, options)), 2, part);
  };
  expect_only_error(smoothlab({"bleu", hypotheses}), 2, "too few arguments");
  error({"--tokenize", "13b"}, "did you mean '13a'?");
  error({"--smooth", "flor"}, "did you mean 'floor'?");
  error({"--metrics", "bleu,charf"}, "did you mean 'chrf'?");
  error({"--smooth-value", "1"}, "has no value");
  error({"--sentence-level", "--confidence"}, "--sentence-level");
  error({"--sentence-level", "--metrics", "bleu,chrf"}, "one metric");
  error({"--system", hypotheses}, "given twice");
  error({"--resamples", "1"}, "--resamples");
  error({"--resamples", "100"}, "give it with --confidence or --system");
  error({"--seed", "1", "--sentence-level"}, "(--seed)");
  error({"--chrf-beta", "2"}, "chrF is not among the metrics (--chrf-beta)");
  error({"--chrf-lowercase"}, "chrF is not among the metrics");
  error({"--metrics", "chrf", "--lowercase"}, "BLEU is not among the metrics (--lowercase)");
  error({"-w", "3"}, "unknown option -w");
  error({"-tok", "13a"}, "unknown option -tok");
  expect_only_error(smoothlab({"bleu", "-", "-"}), 2, "stdin");
}

TEST_F(BleuVerbSlow, NothingButScoresOfSeveralSystemsToo) {
  const std::vector<std::string> two = {"bleu", hypotheses, first, "--system", first};
  EXPECT_THAT(smoothlab(joined(two, {"--score-only"})).out, MatchesRegex("[0-9.]+\n100.0\n"));
  EXPECT_THAT(smoothlab(joined(two, {"--score-only", "--metrics", "bleu,chrf"})).out,
              MatchesRegex("[0-9.]+\t[0-9.]+\n100.0\t100.0\n"));
}

TEST_F(BleuVerbSlow, AfterTwoDashesWordsAreFiles) {
  expect_only_error(smoothlab({"bleu", "--", "-w", first}), 3, "no such file (-w)");
}

// What follows a damaged member used to be left out without a word.
TEST_F(BleuVerbSlow, DamagedGzipIsAnErrorThatNamesTheOffset) {
  const auto shell = [&](const std::string& command) { return run_process({"bash", "-c", command}); };
  const std::string packed = folder / "r.gz";
  ASSERT_EQ(shell("head -n1 " + first + " | gzip -n > " + packed + " && tail -n+2 " + first +
                  " | gzip -n > " + packed + "2 && cat " + packed + "2 >> " + packed)
                .exit_code,
            0);
  EXPECT_EQ(smoothlab({"bleu", first, packed, "--score-only"}).out, "100.0\n");
  ASSERT_EQ(shell("head -n1 " + first + " | gzip -n > " + packed + " && echo garbage >> " + packed).exit_code,
            0);
  expect_only_error(smoothlab({"bleu", write("one", "a\n"), packed}), 3, "(" + packed + ", offset ");
}

TEST_F(BleuVerbSlow, StdinAndPipes) {
  const auto shell = [&](const std::string& command) { return run_process({"bash", "-c", command}); };
  const auto piped = shell("cat " + hypotheses + " | " + program() + " bleu - " + first + " --score-only");
  EXPECT_EQ(piped.exit_code, 0) << piped.err;
  EXPECT_EQ(piped.out, smoothlab({"bleu", hypotheses, first, "--score-only"}).out);
  EXPECT_EQ(shell(program() + " bleu " + hypotheses + " <(cat " + first + ") --score-only").out, piped.out);
  expect_only_error(shell(program() + " bleu - " + first + " </dev/null"), 3, "stdin");
}

TEST_F(BleuVerbSlow, NotesAreForPeople) {
  std::string tokenized, plain;
  for (int i = 0; i < 100; ++i) {
    tokenized += "a b c d .\n";
    plain += "a b c d.\n";
  }
  const auto h = write("tokenized", tokenized), r = write("plain", plain);
  const auto result = smoothlab({"bleu", h, r, "--score-only"});
  EXPECT_EQ(result.out, "100.0\n");
  EXPECT_THAT(result.err, HasSubstr("note: " + h + " has 100 lines or more"));
  EXPECT_EQ(smoothlab({"bleu", h, r, "--force"}).err, "");
  const auto nul = write("nul", std::string("a\nb\0\nc\n", 7));
  EXPECT_THAT(smoothlab({"bleu", nul, nul}).err, HasSubstr(nul + ", line 2: a NUL"));
}

}  // namespace
}  // namespace smoothlab::test
