#pragma once

#include <functional>
#include <string>
#include <vector>

#include "data/hold_out.h"
#include "data/parallel_text.h"
#include "data/prepare_text.h"
#include "data/word_pieces.h"

namespace smoothlab::data {

/// Pairs of several files, those of one side of what is held out.
class PairStream {
 public:
  /// `held_out` outlives the stream; pairs of which one side is empty belong to training.
  PairStream(const std::vector<TextFiles>& files, const HoldOut& held_out, HoldOut::Split split,
             std::string stage, const PrepareCallback& progress);
  bool next(TextPair& pair);
  /// The file of the last pair.
  const std::string& file() const;

 private:
  bool next_of_any(TextPair& pair);
  void tell() const;

  const std::vector<TextFiles>& files_;
  const HoldOut& held_out_;
  HoldOut::Split split_;
  PrepareProgress now_;
  const PrepareCallback& progress_;
  std::vector<ParallelText> open_;  ///< the current one, or none
  size_t opened_ = 0;
  int64_t bytes_before_ = 0;
};

/// Encodes the pairs of a stream into folder/NAME.pairs and, for what is evaluated, their text beside it.
/// `listed` gets the files. Throws as prepare_text does.
SplitSummary write_split(cluster::FileSystem& files, const std::string& folder, const std::string& name,
                         PairStream& pairs, const WordPieces& source, const WordPieces& target,
                         const PrepareTextOptions& options, std::vector<ListedFile>& listed);

}  // namespace smoothlab::data
