#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/digested_file.h"

namespace smoothlab::data {

/// Why pairs were left out, how many, and the first of them as "file, line 12".
struct DroppedPairs {
  std::string reason;
  int64_t count = 0;
  std::vector<std::string> first;
};

/// Of the pairs that were kept.
struct SideSummary {
  int64_t tokens = 0, longest = 0, unknown = 0;
};

struct SplitSummary {
  std::string name;  ///< "train", "validation" or "test"
  int64_t kept = 0;
  std::string fingerprint;            ///< of its pairs; empty in manifests of before it was kept
  std::vector<DroppedPairs> dropped;  ///< in the order of their reasons
  SideSummary source, target;
  int64_t dropped_in_all() const;
};

struct VocabularySummary {
  std::string file;
  int64_t size = 0;
  std::string sha256;
};

/// What a folder of a prepared corpus says of itself: corpus.json. A folder with it is
/// complete.
struct CorpusManifest {
  std::string source_language, target_language;
  VocabularySummary source_vocabulary, target_vocabulary;
  std::string request = "{}";  ///< JSON: options and the digests of the files that it was made from
  std::vector<SplitSummary> splits;
  std::vector<ListedFile> files;
  /// Whether the sides share one vocabulary, whatever its files are called.
  bool joint() const { return source_vocabulary.sha256 == target_vocabulary.sha256; }
};

constexpr const char* corpus_manifest_name = "corpus.json";
/// A folder within the corpus's: files that are published but not yet moved to their place.
constexpr const char* corpus_publishing_name = "publishing.part";

/// Whether a file may be called so: names in a manifest stay within its folder.
bool is_name_in_corpus(const std::string& name);

/// Where a file of the folder's corpus lies now: where it is being published, or at its place.
std::string corpus_path(const std::string& folder, const std::string& name);

std::string manifest_text(const CorpusManifest& manifest);
/// Of the folder. Throws DataError for one that is missing, damaged, or of another version.
CorpusManifest read_manifest(const std::string& folder);

}  // namespace smoothlab::data
