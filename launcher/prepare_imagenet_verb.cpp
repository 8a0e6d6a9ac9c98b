#include <chrono>
#include <iostream>

#include "cluster/duration.h"
#include "cluster/file_system.h"
#include "cluster/log.h"
#include "data/prepare_imagenet.h"
#include "launcher/each_file.h"
#include "launcher/image_verbs.h"
#include "launcher/index_summary.h"
#include "launcher/options.h"

namespace smoothlab::launcher {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

/// "train  412 of 1000 parts, 523000 images, 9000 images/s, 1 min left"
class ScanLine {
 public:
  explicit ScanLine(cluster::Log& log) : log_(log) {}
  void operator()(const data::ScanProgress& progress) {
    if (progress.stage != stage_) {
      stage_ = progress.stage;
      began_ = Clock::now();
      before_ = progress.parts;
    }
    const double seconds = seconds_since(began_);
    std::string line = fmt::format("{}  {} of {} parts, {} images", progress.stage, progress.parts,
                                   progress.total, progress.images);
    if (seconds > 0.2)
      line += fmt::format(", {:.0f} images/s", static_cast<double>(progress.images) / seconds);
    if (progress.parts > before_)
      line += fmt::format(
          ", {} left", cluster::duration_text(seconds * static_cast<double>(progress.total - progress.parts) /
                                              static_cast<double>(progress.parts - before_)));
    log_.progress(line);
  }

 private:
  cluster::Log& log_;
  std::string stage_;
  Clock::time_point began_;
  int64_t before_ = 0;  ///< parts that were there when the stage began
};

Options imagenet_options() {
  Options options(
      "data prepare imagenet --train PATH --validation PATH --validation-synsets FILE --out DIR [options]",
      "Makes an index of ImageNet's images where they lie: nothing is copied or unpacked.\n\n"
      "PATH is the official tar (ILSVRC2012_img_train.tar, ILSVRC2012_img_val.tar), a folder of class folders\n"
      "(n01440764/x.JPEG) or class tars, or WebDataset shards, 'train-*.tar' or 'train-{000000..001281}.tar',\n"
      "with x.jpg and x.cls for each image; which of them, is found out. Quote patterns.");
  options.value("train", "PATH", "training images")
      .value("validation", "PATH", "validation images")
      .value("validation-synsets", "FILE",
             "the synset of validation image i in line i; for the official tar, which tells no classes")
      .value("classes", "FILE",
             "the classes and their names: JSON {\"0\": [\"n01440764\", \"tench\"], …} or lines\n"
             "\"n01440764 tench\"; without it the classes of the training images")
      .value("out", "DIR", "where the index goes")
      .flag("expect-complete", "anything but the whole of ILSVRC 2012 is an error (exit code 3)")
      .flag("force", "replace an index of other images; scan anew")
      .flag("json", "print one JSON object")
      .epilogue(
          "Of tars only headers are read. A scan that is stopped goes on where it was when the same command is\n"
          "given again. Images are numbered by their files' names, classes by their sorted synsets, whatever the\n"
          "layout. The index holds for the very files that it was made of: where size or time of one differs,\n"
          "training refuses it, and this command makes it anew.\n\n"
          "For example:\n"
          "  smoothlab data prepare imagenet --train ILSVRC2012_img_train.tar --validation ILSVRC2012_img_val.tar \\\n"
          "    --validation-synsets imagenet_2012_validation_synset_labels.txt \\\n"
          "    --classes imagenet_class_index.json --out imagenet-index --expect-complete");
  return options;
}

void tell(cluster::Log& log, const data::PreparedImages& prepared, double seconds) {
  if (prepared.already_there) {
    log.info("the index was there already, and its files are as they were");
  } else {
    if (prepared.resumed_parts > 0)
      log.info("went on after a scan that was stopped: {} parts were done", prepared.resumed_parts);
    log.info("indexed in {}", cluster::duration_text(seconds));
  }
  for (const auto& split : prepared.facts.splits)
    for (const auto& skipped : split.skipped)
      log.warning("{}: skipped {}: {}, such as {}", split.name, skipped.count, skipped.reason,
                  skipped.first[0]);
  for (const auto& deviation : prepared.deviations) log.warning("{}", deviation);
}

}  // namespace

int prepare_imagenet_verb(const std::vector<std::string>& arguments) {
  Options options = imagenet_options();
  if (!options.parse(arguments, 1, 1)) return 0;
  data::PrepareImagenetOptions prepare;
  prepare.out = options.text("out");
  prepare.train = options.text("train");
  prepare.validation = options.text("validation");
  prepare.validation_synsets = options.text("validation-synsets");
  prepare.classes = options.text("classes");
  prepare.expect_complete = options.has("expect-complete");
  prepare.force = options.has("force");
  cluster::Log log(0);
  ScanLine line(log);
  const auto began = Clock::now();
  const auto prepared =
      data::prepare_imagenet(*cluster::local_file_system(), prepare,
                             [&line](const data::ScanProgress& progress) { line(progress); });
  log.progress_done();
  tell(log, prepared, seconds_since(began));
  if (options.has("json"))
    std::cout << printed(index_json(prepare.out, prepared)) << '\n';
  else
    std::cout << index_text(prepare.out, prepared);
  return 0;
}

}  // namespace smoothlab::launcher
