#pragma once

#include <set>
#include <string>

#include "cluster/file_system.h"
#include "data/corpus_manifest.h"

namespace smoothlab::data {

/// Makes what lies finished and synced in `staging`, a folder within `out`, the corpus of `out`. One renaming
/// of the whole folder decides: whatever stops the command, corpus_path finds the old corpus before it and
/// the new one after it. The files are then moved to where people look for them. Throws EnvironmentError as
/// FileSystem does.
void publish_corpus(cluster::FileSystem& files, const std::string& staging, const std::string& out,
                    const CorpusManifest& manifest);

/// Whether a command was stopped while it moved the files, or is moving them.
bool is_half_published(const std::string& out);

/// Moves the files that such a command has left; call it under the folder's lock.
void finish_publication(cluster::FileSystem& files, const std::string& out);

/// Names of the files that corpus.json lists, and its own, whatever version it has: what belongs to the
/// corpus that is there. Empty where there is none, or nothing that a corpus could be known by.
std::set<std::string> names_of_corpus(const std::string& out);

}  // namespace smoothlab::data
