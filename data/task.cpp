#include "data/task.h"

#include <fmt/format.h>

#include "cluster/error.h"
#include "data/generated_text.h"
#include "data/image_dataset.h"
#include "data/image_sets.h"
#include "data/imagenet_task.h"
#include "data/piece_library.h"
#include "data/prepared_corpus.h"
#include "data/small_lexicon.h"
#include "data/text_dataset.h"
#include "data/word_pieces.h"

namespace smoothlab::data {

namespace {

/// Training needs no SentencePiece; without it the tokens stay nameless.
std::vector<std::string> names_of_pieces(const std::string& model) {
  return sentencepiece_version().empty() ? std::vector<std::string>() : WordPieces(model).pieces();
}

Task open_text(const TaskOptions& options) {
  const PreparedCorpus corpus = open_prepared_corpus(options.path);
  if (!corpus.train)
    throw DataError("there are no pairs to train on", options.path, "prepare it with --source and --target");
  Task task;
  task.name = options.data;
  const auto split = [&](const std::shared_ptr<const SentencePairs>& pairs) {
    const std::string target = corpus.target.model;
    return pairs ? std::make_shared<const TextDataset>(pairs, corpus.source.model, target,
                                                       [target] { return names_of_pieces(target); })
                 : nullptr;
  };
  task.train = split(corpus.train);
  task.validation = split(corpus.validation);
  task.test = split(corpus.test);
  return task;
}

Task generate_text(const TaskOptions& options) {
  check_held_out(options, options.train_samples);
  const auto split = [&](const std::string& name) {
    return std::make_shared<const TextDataset>(
        std::make_shared<const GeneratedText>(generated_text_options(options, name)), "source", "target",
        [] { return SmallLexicon::instance().target_words().pieces(); });
  };
  Task task;
  task.name = options.data;
  task.train = split("train");
  if (options.validation) task.validation = split("validation");
  task.test = split("test");
  return task;
}

Task open(const TaskOptions& options, uint64_t seed, Opening opening) {
  if (options.data == "text") return open_text(options);
  if (options.data == "generated_text") return generate_text(options);
  if (options.augment.seed != 0) seed = options.augment.seed;
  if (options.data == "imagenet") return open_imagenet(options, seed, opening);
  const ImageSplits splits = open_image_set(options);
  const int64_t samples = splits.train->size();
  check_held_out(options, samples);
  const auto part = [&](const std::shared_ptr<const LabelledImages>& images, int64_t first, int64_t count) {
    return std::make_shared<const ImageDataset>(images, first, count, options.augment, seed,
                                                options.channels_last);
  };
  Task task;
  task.name = options.data;
  const int64_t kept = samples - options.validation;
  task.train = part(splits.train, 0, kept);
  if (options.validation) task.validation = part(splits.train, kept, options.validation);
  task.test = part(splits.test, 0, splits.test->size());
  return task;
}

}  // namespace

bool is_text(const std::string& data) {
  return data == "text" || data == "generated_text";
}

bool TaskOptions::varies() const {
  const AugmentOptions& a = augment;
  return data == "imagenet" || a.crop > 0 || a.flip || a.shift > 0 || a.brightness > 0 ||
         a.contrast_low != 1 || a.contrast_high != 1;
}

const Dataset& described_by(const Task& task) {
  for (const auto& split : {task.train, task.test, task.validation})
    if (split) return *split;
  throw DataError("the task has no samples", task.name, "check task.path");
}

void check_held_out(const TaskOptions& options, int64_t samples) {
  if (options.validation < 0 || options.validation >= samples)
    throw UsageError(fmt::format("cannot hold out {} of {} training samples", options.validation, samples),
                     "task.validation", fmt::format("choose 0 to {}", samples - 1));
}

Task open_task(const TaskOptions& options, uint64_t seed) {
  Task task = open(options, seed, Opening::at_once);
  if (!task.train)
    throw DataError("there are no images to train on", options.path,
                    "index them too: smoothlab data prepare imagenet --train …");
  return task;
}

Task open_task_to_evaluate(const TaskOptions& options, uint64_t seed) {
  return open(options, seed, Opening::when_read);
}

Task keep_on_device(Task task, c10::Device device, int64_t most_bytes) {
  if (device.is_cpu()) return task;
  for (auto* split : {&task.train, &task.validation, &task.test}) {
    const int64_t bytes = *split ? (*split)->resident_bytes() : 0;
    if (bytes == 0 || bytes > most_bytes) continue;
    most_bytes -= bytes;
    *split = (*split)->resident(device);
  }
  return task;
}

}  // namespace smoothlab::data
