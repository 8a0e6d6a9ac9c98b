#include <fmt/format.h>

#include <iostream>

#include "cluster/error.h"
#include "data/prepared_corpus.h"
#include "launcher/corpus_summary.h"
#include "launcher/each_file.h"
#include "launcher/text_verbs.h"

namespace smoothlab::launcher {

int verify_text(const std::string& folder, bool as_json) {
  const auto manifest = data::read_manifest(folder);
  const auto files = data::check_corpus_files(folder);
  int64_t damaged = 0;
  auto json = corpus_json(folder, manifest);
  json["files"] = nlohmann::ordered_json::array();
  for (const auto& file : files) {
    damaged += file.whole ? 0 : 1;
    json["files"].push_back(
        {{"name", file.name}, {"bytes", file.bytes}, {"whole", file.whole}, {"message", file.message}});
  }
  if (as_json) {
    std::cout << printed(json) << '\n';
  } else {
    std::cout << corpus_text(folder, manifest);
    for (const auto& file : files) std::cout << "  " << file.name << ": " << file.message << '\n';
  }
  if (damaged > 0)
    throw DataError(fmt::format("{} of {} files are not as they were written", damaged, files.size()), folder,
                    "prepare the corpus again: smoothlab data prepare text --force");
  data::open_prepared_corpus(folder);
  return 0;
}

}  // namespace smoothlab::launcher
