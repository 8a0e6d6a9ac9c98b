#include "trainer/checkpoint_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "cluster/error.h"
#include "trainer/checkpoint_manifest.h"
#include "trainer/standing_checkpoint.h"

namespace smoothlab::trainer {
namespace {

/// The files of a checkpoint on their way to disk, noting size and checksum of each.
class Contents {
 public:
  Contents(cluster::FileSystem& files, std::string folder) : files_(files), folder_(std::move(folder)) {}

  void add(const std::string& name, const models::TensorFile& tensors) {
    const std::string path = folder_ + "/" + name;
    const uint32_t crc32 = models::write_safetensors(files_, path, tensors);
    listed_[name] = {files_.size(path), crc32};
  }
  void add(const std::string& name, const std::string& text) {
    write_text(name, text);
    listed_[name] = {text.size(), cluster::checksum(text.data(), text.size())};
  }
  void finish(int64_t step) { write_text("manifest.json", to_json(CheckpointManifest{step, listed_})); }

 private:
  void write_text(const std::string& name, const std::string& text) {
    const auto file = files_.create(folder_ + "/" + name);
    file->write(text.data(), text.size());
    file->sync();
    file->close();
  }

  cluster::FileSystem& files_;
  std::string folder_;
  std::map<std::string, CheckpointManifest::File> listed_;
};

}  // namespace

CheckpointWriter::CheckpointWriter(cluster::FileSystem& files, std::string folder, int64_t keep,
                                   std::vector<int64_t> damaged)
    : files_(files),
      folder_(std::move(folder)),
      keep_(std::max<int64_t>(keep, 1)),
      damaged_(std::move(damaged)) {}

CheckpointWriter::~CheckpointWriter() {
  if (pending_.valid()) pending_.wait();
}

void CheckpointWriter::write(Checkpoint checkpoint) {
  wait();
  pending_ =
      std::async(std::launch::async, [this, contents = std::move(checkpoint)] { write_now(contents); });
}

void CheckpointWriter::finish() {
  if (!pending_.valid()) return;
  try {
    pending_.get();
  } catch (...) {
    failure_ = std::current_exception();
  }
}

bool CheckpointWriter::has_failed() {
  if (pending_.valid() && pending_.wait_for(std::chrono::seconds(0)) == std::future_status::ready) finish();
  return failure_ != nullptr;
}

void CheckpointWriter::check() {
  if (has_failed()) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void CheckpointWriter::wait() {
  finish();
  check();
}

void CheckpointWriter::write_now(const Checkpoint& checkpoint) {
  const int64_t step = checkpoint.state.step;
  const std::string path = folder_ + "/" + checkpoint_name(step);
  const std::string temporary = fmt::format("{}/.{}.tmp", folder_, checkpoint_name(step));
  try {
    files_.remove_all(temporary);
    files_.make_folders(temporary);
    Contents contents(files_, temporary);
    contents.add("weights.safetensors", checkpoint.weights);
    contents.add("optimizer.safetensors", checkpoint.optimizer);
    if (!checkpoint.average.tensors.empty()) contents.add("average.safetensors", checkpoint.average);
    if (!checkpoint.ranks.empty()) {
      files_.make_folders(temporary + "/ranks");
      for (size_t rank = 0; rank < checkpoint.ranks.size(); ++rank)
        contents.add(fmt::format("ranks/rank-{}.safetensors", rank), checkpoint.ranks[rank]);
      files_.sync_folder(temporary + "/ranks");
    }
    contents.add("state.json", to_json(checkpoint.state));
    contents.add("recipe.yaml", checkpoint.recipe);
    contents.finish(step);
    cluster::publish_folder(files_, temporary, path);
  } catch (const Error& error) {
    try {
      files_.remove_all(temporary);
    } catch (const Error&) {
      // The reason that is being reported matters more; the next start cleans up.
    }
    throw EnvironmentError(
        fmt::format("the checkpoint of step {} could not be written ({})", step, error.problem()),
        error.where(), error.remedy() + "; then go on with --resume: the checkpoints before it are whole");
  }
  const auto& best = checkpoint.state.best;
  point_to_best(files_, folder_, best ? std::optional(best->evaluation.step) : std::nullopt);
  remove_superseded(step);
}

void CheckpointWriter::remove_superseded(int64_t newest) {
  std::vector<int64_t> kept;
  for (const int64_t step : checkpoint_steps(files_, folder_)) {
    const bool damaged = std::count(damaged_.begin(), damaged_.end(), step) > 0;
    if (step != newest && damaged)
      files_.remove_all(folder_ + "/" + checkpoint_name(step));
    else if (step <= newest)
      kept.push_back(step);
  }
  damaged_.clear();
  const int64_t superseded = std::max<int64_t>(0, static_cast<int64_t>(kept.size()) - keep_);
  const std::set<int64_t> best = best_of({kept.begin() + superseded, kept.end()});
  kept.resize(static_cast<size_t>(superseded));
  for (const int64_t step : kept)
    if (best.count(step) == 0) files_.remove_all(folder_ + "/" + checkpoint_name(step));
}

std::set<int64_t> CheckpointWriter::best_of(const std::vector<int64_t>& steps) const {
  std::set<int64_t> best;
  for (const int64_t step : steps) {
    try {
      const auto known = known_best(files_, folder_ + "/" + checkpoint_name(step));
      if (known) best.insert(known->evaluation.step);
    } catch (const Error&) {
      // It is damaged: no run goes on from it.
    }
  }
  return best;
}

}  // namespace smoothlab::trainer
