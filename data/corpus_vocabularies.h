#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/digested_file.h"
#include "data/hold_out.h"
#include "data/prepare_text.h"
#include "data/word_pieces.h"

namespace smoothlab::data {

/// Throws DataError that names the file for a vocabulary that is given and cannot be trained with: no model,
/// or without begin or end.
void check_given_vocabularies(const PrepareTextOptions& options);

/// The vocabularies of a corpus in the making: trained on its training pairs or copied, written into a folder
/// as vocabulary.model, or source.model and target.model where they differ, and opened there.
class CorpusVocabularies {
 public:
  /// Throws as prepare_text does.
  CorpusVocabularies(cluster::FileSystem& files, const std::string& folder, const PrepareTextOptions& options,
                     const HoldOut& held_out, const PrepareCallback& progress);
  const WordPieces& source() const { return *opened_.front(); }
  const WordPieces& target() const { return *opened_.back(); }
  const std::vector<ListedFile>& files() const { return listed_; }
  VocabularySummary source_summary() const { return summary(listed_.front(), source()); }
  VocabularySummary target_summary() const { return summary(listed_.back(), target()); }

 private:
  static VocabularySummary summary(const ListedFile& file, const WordPieces& pieces) {
    return {file.name, pieces.vocabulary().size, file.sha256};
  }

  std::vector<ListedFile> listed_;
  std::vector<std::unique_ptr<WordPieces>> opened_;
};

}  // namespace smoothlab::data
