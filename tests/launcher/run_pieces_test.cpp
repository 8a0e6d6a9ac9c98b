#include "launcher/run_pieces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "data/piece_library.h"
#include "data/prepare_text.h"
#include "data/small_text.h"
#include "support/temporary_folder.h"

namespace smoothlab::launcher {
namespace {

using testing::HasSubstr;

data::TaskOptions at(const std::string& corpus) {
  data::TaskOptions task;
  task.data = "text";
  task.path = corpus;
  return task;
}

class RunPiecesOfCorpus : public testing::Test {
 protected:
  void SetUp() override {
    if (data::sentencepiece_version().empty()) GTEST_SKIP() << "built without SentencePiece";
  }
  std::string corpus(bool separate) {
    test::write_lines(folder / "text.en", test::small_text(200, false));
    test::write_lines(folder / "text.de", test::small_text(200, true));
    data::PrepareTextOptions prepare;
    prepare.out = folder / (separate ? "separate" : "joint");
    prepare.train = {{folder / "text.en", folder / "text.de", ""}};
    prepare.pieces.size = separate ? 40 : 70;
    prepare.separate_vocabularies = separate;
    data::prepare_text(*cluster::local_file_system(), prepare);
    return prepare.out;
  }
  test::TemporaryFolder folder;
};

TEST_F(RunPiecesOfCorpus, OneOrTwoVocabularies) {
  const RunPieces joint = open_run_pieces(at(corpus(false)), {});
  EXPECT_EQ(joint.source, joint.target);
  EXPECT_EQ(joint.target->decode(joint.source->encode("the small house")), "the small house");
  const RunPieces separate = open_run_pieces(at(corpus(true)), {});
  EXPECT_NE(separate.source->vocabulary().digest, separate.target->vocabulary().digest);
  EXPECT_EQ(separate.target->decode(separate.target->encode("das kleine Häuschen")), "das kleine Häuschen");
}

TEST_F(RunPiecesOfCorpus, AnotherVocabularyThanTheRunsNamesBoth) {
  const std::string folder_of_corpus = corpus(false);
  const std::string digest = open_run_pieces(at(folder_of_corpus), {}).target->vocabulary().digest;
  EXPECT_NO_THROW(open_run_pieces(at(folder_of_corpus), {{"vocabulary", digest + " " + digest}}));
  try {
    open_run_pieces(at(folder_of_corpus), {{"vocabulary", digest + " abc123"}});
    ADD_FAILURE();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr(digest));
    EXPECT_THAT(error.what(), HasSubstr("abc123"));
    EXPECT_THAT(error.what(), HasSubstr("vocabulary.model"));
  }
  EXPECT_THROW(open_run_pieces(at(folder / "none"), {}), DataError);
}

TEST(RunPieces, GeneratedTextNeedsNoFolder) {
  data::TaskOptions task;
  task.data = "generated_text";
  const RunPieces pieces = open_run_pieces(task, {});
  const std::string source = pieces.source->vocabulary().digest, target = pieces.target->vocabulary().digest;
  EXPECT_NE(source, target);
  EXPECT_EQ(pieces.source->decode(pieces.source->encode("the old dog who sees a cat")),
            "the old dog who sees a cat");
  EXPECT_NO_THROW(open_run_pieces(task, {{"vocabulary", source + " " + target}}));
  EXPECT_THROW(open_run_pieces(task, {{"vocabulary", target + " " + source}}), DataError);
}

}  // namespace
}  // namespace smoothlab::launcher
