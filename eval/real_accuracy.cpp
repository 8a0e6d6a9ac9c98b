#include "eval/real_accuracy.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cluster/error.h"
#include "eval/logit_chunks.h"
#include "eval/shard_names.h"
#include "eval/worker_threads.h"

namespace smoothlab::eval {
namespace {

constexpr int64_t most_classes = 1000;

bool is_part(const LogitFile& file) {
  const auto shard = shard_name(file.path());
  return shard && shard->ranks > 1;
}

void require_classes(const RealLabels& labels, int64_t classes, const std::string& where) {
  if (classes > most_classes)
    throw DataError(
        fmt::format("there are {} classes, and ReaL labels number ImageNet's {}", classes, most_classes),
        where, "judge logits of these classes, in the order of their synsets");
  for (int64_t image = 0; image < labels.images(); ++image)
    for (const int one : labels.of(image))
      if (one >= classes)
        throw DataError(fmt::format("class {} is not among the {} of {}", one, classes, where),
                        fmt::format("{}, item {}", labels.path(), image),
                        "judge logits of all 1000 classes of ImageNet");
}

/// Of every row; each image at most once.
std::vector<int64_t> images_of(const LogitFile& file, const RealLabels& labels) {
  std::vector<int64_t> images(static_cast<size_t>(file.rows()));
  file.read_sample_ids(0, file.rows(), images.data());
  std::vector<bool> seen(static_cast<size_t>(labels.images()));
  for (const int64_t image : images) {
    if (image < 0 || image >= labels.images())
      throw DataError(
          fmt::format("sample {} has no item among the {} of {}", image, labels.images(), labels.path()),
          file.path(), "give the ReaL labels of this very split");
    if (seen[static_cast<size_t>(image)])
      throw DataError(fmt::format("sample {} is there twice", image), file.path(),
                      "evaluate the split as it is, each image once");
    seen[static_cast<size_t>(image)] = true;
  }
  return images;
}

void count(const RealLabels& labels, int64_t image, int64_t prediction, int64_t label, RealAccuracy& result) {
  if (labels.of(image).empty()) return;
  ++result.images;
  result.correct += labels.holds(image, prediction) ? 1 : 0;
  result.agreeing += labels.holds(image, label) ? 1 : 0;
}

RealAccuracy of_logits(const LogitFile& file, const RealLabels& labels, const std::vector<int64_t>& images,
                       int threads) {
  std::vector<RealAccuracy> counted(static_cast<size_t>(threads));
  for_each_chunk(file, threads, [&](int worker, const LogitChunk& chunk) {
    for (int64_t i = 0; i < chunk.rows; ++i) {
      const float* z = chunk.logits + i * chunk.classes;
      count(labels, images[static_cast<size_t>(chunk.first_row + i)],
            std::max_element(z, z + chunk.classes) - z, chunk.labels[i],
            counted[static_cast<size_t>(worker)]);
    }
  });
  RealAccuracy all;
  for (const RealAccuracy& one : counted) {
    all.images += one.images;
    all.correct += one.correct;
    all.agreeing += one.agreeing;
  }
  return all;
}

RealAccuracy of_summary(const LogitFile& file, const RealLabels& labels, const std::vector<int64_t>& images) {
  constexpr int64_t block_rows = 4096;
  const auto kept = static_cast<size_t>(file.kept());
  RealAccuracy all;
  SummaryRows rows;
  std::vector<int64_t> own;
  for (int64_t first = 0; first < file.rows(); first += block_rows) {
    const int64_t n = std::min(block_rows, file.rows() - first);
    own.resize(static_cast<size_t>(n));
    file.read_labels(first, n, own.data());
    check_labels(file.path(), file.classes(), first, n, own.data());
    file.read_summary(first, n, rows);
    for (size_t i = 0; i < own.size(); ++i)
      count(labels, images[static_cast<size_t>(first) + i], rows.top_classes[i * kept], own[i], all);
  }
  return all;
}

}  // namespace

std::string RealAccuracy::doubt() const {
  if (2 * agreeing >= images) return "";
  return fmt::format(
      "Only {} of {} labels of the file are among the ReaL labels of their images: are samples in the order of "
      "the official validation images, and classes in that of their synsets?",
      agreeing, images);
}

void require_real_split(const RealLabels& labels, const std::string& task, const std::string& split,
                        int64_t images, int64_t classes, const std::string& where) {
  const std::string stated_task = task.empty() ? "imagenet" : task,
                    stated_split = split.empty() ? "test" : split;
  if (stated_task != "imagenet" || stated_split != "test")
    throw DataError(
        fmt::format("ReaL labels are of ImageNet's official validation images, which are split test of "
                    "imagenet, and not of split {} of {}",
                    stated_split, stated_task),
        where, "leave --real out, or evaluate with --split test");
  if (images != labels.images())
    throw DataError(
        fmt::format("there are {} images and {} items in {}", images, labels.images(), labels.path()), where,
        "give the ReaL labels of this very split");
  require_classes(labels, classes, where);
}

RealAccuracy real_accuracy(const LogitFile& file, const RealLabels& labels, int threads) {
  // How long the split of a part is, its other parts know.
  require_real_split(labels, file.attribute("task"), file.attribute("split"),
                     is_part(file) ? labels.images() : file.rows(), file.classes(), file.path());
  const auto images = images_of(file, labels);
  const RealAccuracy all = file.is_summary() ? of_summary(file, labels, images)
                                             : of_logits(file, labels, images, thread_count(threads));
  if (all.images == 0)
    throw DataError("no image of the file has ReaL labels", labels.path(), "give the published real.json");
  return all;
}

}  // namespace smoothlab::eval
