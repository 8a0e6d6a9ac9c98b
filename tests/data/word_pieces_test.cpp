#include "data/word_pieces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "cluster/error.h"
#include "data/digest.h"
#include "data/piece_library.h"
#include "data/piece_training.h"
#include "model_piece.h"
#include "small_text.h"
#include "support/temporary_folder.h"

namespace smoothlab::data {
namespace {

using test::model_piece;
using testing::HasSubstr;
using Ids = std::vector<int32_t>;

std::string train(const std::vector<std::string>& text, const PieceTraining& options) {
  size_t next = 0;
  return train_pieces(
      [&](std::string& sentence) {
        if (next == text.size()) return false;
        sentence = text[next++];
        return true;
      },
      options);
}

std::vector<std::string> both_languages() {
  const auto source = test::small_text(400, false), target = test::small_text(400, true);
  std::vector<std::string> text;
  for (size_t i = 0; i < source.size(); ++i) text.insert(text.end(), {source[i], target[i]});
  return text;
}

PieceTraining small(const std::string& type) {
  PieceTraining options;
  options.size = 70;
  options.type = type;
  return options;
}

class WordPiecesFile : public testing::Test {
 protected:
  void SetUp() override {
    if (sentencepiece_version().empty()) GTEST_SKIP() << "no SentencePiece in this build";
  }
  std::string file(const std::string& bytes) const {
    std::ofstream(folder / "m.model", std::ios::binary) << bytes;
    return folder / "m.model";
  }
  template <typename Failure>
  std::string failure(const std::function<void()>& work) const {
    try {
      work();
    } catch (const Failure& error) {
      return error.what();
    }
    return "nothing failed";
  }
  test::TemporaryFolder folder;
};

// Expected: tests/data/reference/pieces.py, printed once by SentencePiece 0.1.97's Python module.
TEST_F(WordPiecesFile, TrainedUnigramIsWhatPythonTrains) {
  const WordPieces pieces(file(train(both_languages(), small("unigram"))));
  std::vector<std::string> names;
  for (int32_t id = 4; id < 12; ++id) names.push_back(pieces.piece(id));
  EXPECT_EQ(names,
            (std::vector<std::string>{".", "▁down", "▁hinab", "▁und", "▁and", "▁often", "▁öfter", "▁flows"}));
  EXPECT_EQ(pieces.encode("the old tree sings."), (Ids{32, 37, 19, 69, 66, 62, 67, 56, 66, 4}));
  const std::string foreign = "Die Vögel fließen  über Häuser!";
  EXPECT_EQ(pieces.encode(foreign), (Ids{69, 1,  62, 68, 24, 69, 55, 63, 62, 68, 48, 68, 67,
                                         69, 40, 51, 68, 64, 69, 43, 53, 58, 66, 68, 64, 1}));
  EXPECT_EQ(pieces.decode(pieces.encode(foreign)), " ⁇ ie Vögel fließen über Häuser ⁇ ");
  EXPECT_EQ(pieces.encode("a\u00a0\uff22 ﬂows"), (Ids{69, 61, 69, 46, 11}));
  EXPECT_EQ(pieces.encode(" "), Ids());
  EXPECT_EQ(pieces.encode(""), Ids());
}

TEST_F(WordPiecesFile, TrainedBpeIsWhatPythonTrains) {
  const WordPieces pieces(file(train(both_languages(), small("bpe"))));
  std::vector<std::string> names;
  for (int32_t id = 4; id < 12; ++id) names.push_back(pieces.piece(id));
  EXPECT_EQ(names, (std::vector<std::string>{"te", "in", "▁s", "er", "nd", "▁h", "▁a", "▁u"}));
  EXPECT_EQ(pieces.encode("the old tree sings."), (Ids{25, 29, 23, 43, 46, 25, 20, 38, 33, 40, 49}));
  EXPECT_EQ(pieces.encode("a\u00a0\uff22 ﬂows"), (Ids{10, 37, 61, 17, 14, 40}));
}

TEST_F(WordPiecesFile, SpecialTokensOfATrainedVocabulary) {
  const std::string model = train(both_languages(), small("unigram"));
  const WordPieces pieces(file(model));
  const Vocabulary& vocabulary = pieces.vocabulary();
  EXPECT_EQ(vocabulary.size, 70);
  EXPECT_EQ(vocabulary.special.padding, 0);
  EXPECT_EQ(vocabulary.special.unknown, 1);
  EXPECT_EQ(vocabulary.special.begin, 2);
  EXPECT_EQ(vocabulary.special.end, 3);
  EXPECT_EQ(vocabulary.digest, file_digest(pieces.path(), "sha256"));
  EXPECT_EQ(pieces.piece(0), "<pad>");
  EXPECT_EQ(pieces.piece(3), "</s>");
  EXPECT_EQ(pieces.decode(Ids{2, 32, 37, 3, 0, 0}), "the old");
}

TEST_F(WordPiecesFile, TheSameTextMakesTheSameBytes) {
  for (const char* type : {"unigram", "bpe"}) {
    const std::string first = train(both_languages(), small(type));
    EXPECT_EQ(first, train(both_languages(), small(type))) << type;
    EXPECT_EQ(first.find("/tmp"), std::string::npos);
    auto fewer = small(type);
    fewer.size = 60;
    EXPECT_NE(first, train(both_languages(), fewer)) << type;
  }
}

TEST_F(WordPiecesFile, ThinnedTextDependsOnTheSeedAlone) {
  auto options = small("bpe");
  options.most_sentences = 60;
  const std::string first = train(both_languages(), options);
  EXPECT_EQ(first, train(both_languages(), options));
  EXPECT_NE(first, train(both_languages(), small("bpe")));
  options.seed = 2;
  EXPECT_NE(first, train(both_languages(), options));
}

TEST_F(WordPiecesFile, WhatCannotBeTrained) {
  const auto error = [&](const PieceTraining& options, const std::vector<std::string>& text) {
    return failure<UsageError>([&] { train(text, options); });
  };
  auto options = small("unigram");
  options.size = 5000;
  EXPECT_THAT(error(options, both_languages()), HasSubstr("the text is too small for 5000 pieces"));
  EXPECT_THAT(error(options, both_languages()), HasSubstr("choose a size of at most 77"));
  options.size = 20;
  EXPECT_THAT(error(options, both_languages()),
              HasSubstr("20 pieces do not hold the characters of the text"));
  options.type = "bpe";
  EXPECT_THAT(error(options, both_languages()),
              HasSubstr("20 pieces do not hold the characters of the text"));
  EXPECT_THAT(error(small("word"), both_languages()), HasSubstr("choose unigram or bpe"));
  EXPECT_THAT(error(small("unigram"), {"дом"}), HasSubstr("the text is too small for 70 pieces"));
}

/// The number after these words; −1 where they are not there.
int64_t number_after(const std::string& words, const std::string& message) {
  const size_t at = message.find(words);
  return at == std::string::npos ? -1 : std::stoll(message.substr(at + words.size()));
}

TEST_F(WordPiecesFile, AdviceOnTheSizeCanBeFollowed) {
  for (const char* type : {"unigram", "bpe"}) {
    const auto error = [&](int64_t size, const std::vector<std::string>& text) {
      auto options = small(type);
      options.size = size;
      return failure<UsageError>([&] { train(text, options); });
    };
    const int64_t most = number_after("choose a size of at most ", error(5000, both_languages()));
    EXPECT_THAT(error(most, both_languages()), HasSubstr("nothing failed")) << type;
    EXPECT_EQ(number_after("of at most ", error(most + 1, both_languages())), most) << type;
    const int64_t least = number_after("choose a size of at least ", error(20, both_languages()));
    EXPECT_THAT(error(least, both_languages()), HasSubstr("nothing failed")) << type;
    EXPECT_EQ(number_after("of at least ", error(least - 1, both_languages())), least) << type;
  }
}

TEST_F(WordPiecesFile, NoSizeBelowTheLeastIsAdvised) {
  for (const char* type : {"unigram", "bpe"})
    for (const char* tiny : {"a", "ab", "дом", "das Haus"}) {
      auto options = small(type);
      const auto error = [&] { return failure<UsageError>([&] { train({tiny}, options); }); };
      const std::string message = error();
      EXPECT_THAT(message, HasSubstr("the text is too small for 70 pieces")) << type;
      EXPECT_THAT(message, HasSubstr("add text")) << type;
      options.size = number_after("at most ", message);
      if (options.size < 0) continue;
      EXPECT_EQ(error(), "nothing failed") << type << " " << tiny << " " << message;
    }
}

// SentencePiece ends the process where its unigram trainer finds nothing.
TEST_F(WordPiecesFile, TextOfNothingButBlanks) {
  for (const std::string blank : {"", "  ", "\u3000", "\u200b", "▁", "\ufffd", "\t", "\x01\x02"})
    for (const char* type : {"unigram", "bpe"})
      EXPECT_THAT(failure<DataError>([&] {
                    train({blank, blank}, small(type));
                  }),
                  HasSubstr("no text to train a vocabulary on"))
          << blank;
  EXPECT_THAT(failure<DataError>([&] { train({}, small("unigram")); }), HasSubstr("no text"));
  EXPECT_THAT(failure<DataError>([&] { train({std::string(5000, 'x')}, small("unigram")); }),
              HasSubstr("no text"));
}

TEST_F(WordPiecesFile, TokensOfAnotherVocabulary) {
  const WordPieces pieces(file(train(both_languages(), small("unigram"))));
  for (const int32_t id : {-1, 70, 1 << 30}) {
    EXPECT_THAT(failure<DataError>([&] { pieces.decode(Ids{4, id}); }), HasSubstr("which has 70"));
    EXPECT_THAT(failure<DataError>([&] { pieces.piece(id); }), HasSubstr(pieces.path()));
  }
}

TEST_F(WordPiecesFile, AVocabularyWithoutPadding) {
  const WordPieces pieces(file(model_piece("<unk>", 2) + model_piece("<s>", 3) + model_piece("</s>", 3) +
                               model_piece("▁", 1) + model_piece("▁ab", 1) + model_piece("a", 1)));
  EXPECT_EQ(pieces.vocabulary().size, 6);
  EXPECT_EQ(pieces.vocabulary().special.padding, -1);
  EXPECT_EQ(pieces.vocabulary().special.unknown, 0);
  EXPECT_EQ(pieces.vocabulary().special.begin, 1);
  EXPECT_EQ(pieces.vocabulary().special.end, 2);
  EXPECT_EQ(pieces.encode("ab a"), (Ids{4, 3, 5}));
}

TEST_F(WordPiecesFile, WhatIsNoModel) {
  const auto error = [&](const std::string& bytes) {
    return failure<DataError>([&] { WordPieces pieces(file(bytes)); });
  };
  EXPECT_THAT(failure<DataError>([&] { WordPieces pieces(folder / "none"); }), HasSubstr("no such file"));
  for (const std::string& bytes : {std::string(), std::string("no model\n"), std::string(1000, 'x'),
                                   model_piece("a", 1), model_piece("<unk>", 2) + model_piece("<unk>", 2)})
    EXPECT_THAT(error(bytes), HasSubstr("m.model")) << bytes;
  const std::string model = train(both_languages(), small("unigram"));
  EXPECT_THAT(error(model.substr(0, model.size() / 2)), HasSubstr("not a SentencePiece model"));
}

}  // namespace
}  // namespace smoothlab::data
