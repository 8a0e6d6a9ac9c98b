#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "data/piece_library.h"
#include "data/prepare_text.h"
#include "data/prepared_corpus.h"
#include "data/word_pieces.h"
#include "support/temporary_folder.h"

// Multi30k as multi30k/{train,val,test_2016_flickr}.{en,de}, and Tatoeba's English–German pairs
// (manythings.org) as tatoeba/deu.txt, under $SMOOTHLAB_DATA.

namespace smoothlab::data {
namespace {

/// $SMOOTHLAB_DATA where it holds this file, else empty.
std::string data_folder(const std::string& needed) {
  const char* root = std::getenv("SMOOTHLAB_DATA");
  return root && std::filesystem::exists(std::string(root) + "/" + needed) ? root : "";
}

TextFiles both(const std::string& stem) {
  return {stem + ".en", stem + ".de", ""};
}

/// What a text comes back as.
std::string round_trip(const WordPieces& pieces, const std::string& text) {
  return pieces.decode(pieces.encode(text));
}

TEST(RealTextData, Multi30k) {
  const std::string root = data_folder("multi30k/train.de");
  if (root.empty()) GTEST_SKIP() << "no multi30k in $SMOOTHLAB_DATA";
  if (sentencepiece_version().empty()) GTEST_SKIP() << "built without SentencePiece";
  const test::TemporaryFolder folder;
  PrepareTextOptions options;
  options.out = folder / "corpus";
  options.train = {both(root + "/multi30k/train")};
  options.validation = {both(root + "/multi30k/val")};
  options.test = {both(root + "/multi30k/test_2016_flickr")};
  const auto splits = prepare_text(*cluster::local_file_system(), options).manifest.splits;
  const auto corpus = open_prepared_corpus(options.out);
  EXPECT_EQ(corpus.train->size(), 29000);
  EXPECT_EQ(corpus.validation->size(), 1014);
  EXPECT_EQ(corpus.test->size(), 1000);
  EXPECT_EQ(corpus.source.vocabulary.size, 8000);
  EXPECT_EQ(splits[0].source.unknown + splits[0].target.unknown, 0);
  EXPECT_TRUE(splits[0].dropped.empty());
  // By a Python of its own: SentencePiece 0.1.97 trained on the lines of both files in turn, a pair after the
  // other.
  EXPECT_EQ(splits[0].source.tokens, 424757);
  EXPECT_EQ(splits[0].target.tokens, 440765);
  EXPECT_EQ(splits[0].source.longest, 52);
  EXPECT_EQ(splits[0].target.longest, 55);
  const WordPieces pieces(corpus.target.model);
  EXPECT_EQ(round_trip(pieces, "Ein Mann schläft auf dem Sofa."), "Ein Mann schläft auf dem Sofa.");
}

TEST(RealTextData, TatoebaHeldOut) {
  const std::string root = data_folder("tatoeba/deu.txt");
  if (root.empty()) GTEST_SKIP() << "no tatoeba in $SMOOTHLAB_DATA";
  if (sentencepiece_version().empty()) GTEST_SKIP() << "built without SentencePiece";
  const test::TemporaryFolder folder;
  PrepareTextOptions options;
  options.out = folder / "corpus";
  options.train = {{"", "", root + "/tatoeba/deu.txt"}};
  options.pieces.type = "bpe";
  options.hold_out = options.hold_out_test = 2000;
  const auto splits = prepare_text(*cluster::local_file_system(), options).manifest.splits;
  const auto corpus = open_prepared_corpus(options.out);
  EXPECT_EQ(corpus.validation->size(), 2000);
  EXPECT_EQ(corpus.test->size(), 2000);
  int64_t pairs = 0;
  for (const auto& split : splits) pairs += split.kept + split.dropped_in_all();
  EXPECT_EQ(pairs, 169813);
  const auto sources = [](const SentencePairs& split) {
    std::set<std::vector<int32_t>> all;
    for (int64_t n = 0; n < split.size(); ++n) all.insert({split.source(n).begin(), split.source(n).end()});
    return all;
  };
  const auto train = sources(*corpus.train);
  for (const auto& held : {corpus.validation, corpus.test})
    for (const auto& source : sources(*held)) EXPECT_EQ(train.count(source), 0U);
}

}  // namespace
}  // namespace smoothlab::data
