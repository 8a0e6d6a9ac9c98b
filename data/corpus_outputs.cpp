#include "data/corpus_outputs.h"

#include <filesystem>
#include <set>
#include <system_error>

#include "cluster/error.h"
#include "data/corpus_manifest.h"
#include "data/corpus_publication.h"

namespace smoothlab::data {
namespace {

namespace fs = std::filesystem;

/// What files of the corpus may be called.
std::set<std::string> output_names(const PrepareTextOptions& options) {
  std::set<std::string> names = {corpus_manifest_name, "train.pairs", "vocabulary.model"};
  // Two that turn out to be the same become one.
  if (options.separate_vocabularies || options.source_vocabulary != options.target_vocabulary)
    names.insert({"source.model", "target.model"});
  const auto add = [&](const std::string& split) {
    names.insert({split + ".pairs", split + ".source.txt", split + ".target.txt"});
  };
  if (options.hold_out > 0 || !options.validation.empty()) add("validation");
  if (options.hold_out_test > 0 || !options.test.empty()) add("test");
  return names;
}

std::set<std::string> input_paths(const PrepareTextOptions& options) {
  std::set<std::string> paths = {options.source_vocabulary, options.target_vocabulary};
  for (const auto* list : {&options.train, &options.validation, &options.test})
    for (const TextFiles& each : *list) paths.insert({each.source, each.target, each.pairs});
  paths.erase("");
  return paths;
}

bool is_something(const std::string& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

bool is_same_file(const std::string& one, const std::string& other) {
  std::error_code missing;
  return fs::equivalent(one, other, missing);
}

}  // namespace

void check_outputs(const PrepareTextOptions& options) {
  const auto own = names_of_corpus(options.out);
  auto touched = output_names(options);
  for (const std::string& name : touched) {
    const std::string path = options.out + "/" + name;
    if (own.count(name) == 0 && is_something(path))
      throw UsageError("a file that belongs to no prepared corpus would be overwritten", path,
                       "move it away, or name another folder with --out");
  }
  touched.insert(own.begin(), own.end());
  for (const std::string& input : input_paths(options))
    for (const std::string& name : touched)
      if (is_same_file(input, options.out + "/" + name))
        throw UsageError("an input that would be overwritten: it is " + name + " of the folder --out", input,
                         "copy it elsewhere, or name another folder with --out");
}

}  // namespace smoothlab::data
