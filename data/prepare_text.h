#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cluster/file_system.h"
#include "data/corpus_manifest.h"
#include "data/parallel_text.h"
#include "data/piece_training.h"

namespace smoothlab::data {

struct PrepareTextOptions {
  std::string out;                                 ///< folder
  std::vector<TextFiles> train, validation, test;  ///< one after the other; the last two may be empty
  std::string source_language = "source", target_language = "target";
  /// Vocabularies that exist, the same path for one of both languages; both empty: train on the training
  /// pairs.
  std::string source_vocabulary, target_vocabulary;
  bool separate_vocabularies = false;  ///< where they are trained
  PieceTraining pieces;
  /// Of training pairs only: what is evaluated stays as its makers meant it. 0: no limit.
  int64_t longest = 250;                    ///< tokens a side, without begin and end
  double ratio = 0;                         ///< of the longer side to the shorter one, in tokens
  int64_t hold_out = 0, hold_out_test = 0;  ///< pairs of the training files, by source sentence
  uint64_t seed = 1;                        ///< of what is held out
  bool strict = false;                      ///< a pair that would be dropped is an error
  bool force = false;                       ///< replace a corpus that is there
};

struct PrepareProgress {
  std::string stage;  ///< "reading", "training the vocabulary", "train", …
  int64_t pairs = 0;
  int64_t bytes = 0, total = 0;  ///< of the stage's files; total 0: not known
};
using PrepareCallback = std::function<void(const PrepareProgress&)>;

struct PrepareTextResult {
  CorpusManifest manifest;
  bool already_there = false;  ///< the same corpus was there, and whole
};

/// Makes a corpus of token ids from parallel text (see prepared_corpus.h for what is in its folder). The same
/// options and files make the same bytes. The folder's corpus is replaced when all is ready, in one moment
/// (see corpus_publication.h); until then an older one stays.
///
/// Pairs with an empty side are dropped, in training also those that are too long or unequal; the summary
/// says how many and which. Throws UsageError (options that contradict each other; another corpus in the
/// folder and no `force`; a file of others, or an input, that would be overwritten), DataError (see
/// ParallelText and WordPieces; a vocabulary without begin or end; a split without pairs; with `strict` any
/// pair that would be dropped), EnvironmentError (no SentencePiece, disk).
PrepareTextResult prepare_text(cluster::FileSystem& files, const PrepareTextOptions& options,
                               const PrepareCallback& progress = {});

}  // namespace smoothlab::data
