#include "data/piece_module.h"

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

// Compiled into smoothlab_pieces.so and nowhere else.

struct smoothlab_pieces {
  sentencepiece::SentencePieceProcessor processor;
};

namespace {

char* copy(const void* bytes, size_t count) {
  auto* memory = static_cast<char*>(std::malloc(count + 1));
  if (!memory) return nullptr;
  if (count) std::memcpy(memory, bytes, count);
  memory[count] = 0;
  return memory;
}

/// Runs `work`, which returns SentencePiece's status, and makes text of whatever goes wrong.
template <typename Work>
char* guarded(const Work& work) {
  try {
    const sentencepiece::util::Status status = work();
    if (status.ok()) return nullptr;
    const std::string message = status.error_message();
    return copy(message.data(), message.size());
  } catch (const std::exception& failure) {
    return copy(failure.what(), std::strlen(failure.what()));
  } catch (...) {
    return copy("an unknown failure", 18);
  }
}

sentencepiece::util::Status out_of_memory() {
  return {sentencepiece::util::StatusCode::kResourceExhausted, "out of memory"};
}

char* load(const void* model, size_t bytes, smoothlab_pieces** pieces, smoothlab_pieces_facts* facts) {
  return guarded([&] {
    auto loaded = std::make_unique<smoothlab_pieces>();
    const auto status = loaded->processor.LoadFromSerializedProto({static_cast<const char*>(model), bytes});
    if (!status.ok()) return status;
    const auto& processor = loaded->processor;
    facts->size = processor.GetPieceSize();
    facts->padding = processor.pad_id();
    facts->unknown = processor.unk_id();
    facts->begin = processor.bos_id();
    facts->end = processor.eos_id();
    *pieces = loaded.release();
    return status;
  });
}

char* encode(const smoothlab_pieces* pieces, const char* text, size_t bytes, int32_t** ids, size_t* count) {
  return guarded([&] {
    std::vector<int> encoded;
    auto status = pieces->processor.Encode({text, bytes}, &encoded);
    if (!status.ok()) return status;
    static_assert(sizeof(int) == sizeof(int32_t));
    *ids = reinterpret_cast<int32_t*>(copy(encoded.data(), encoded.size() * sizeof(int)));
    *count = encoded.size();
    return *ids ? status : out_of_memory();
  });
}

char* decode(const smoothlab_pieces* pieces, const int32_t* ids, size_t count, char** text, size_t* bytes) {
  return guarded([&] {
    std::string decoded;
    auto status = pieces->processor.Decode(std::vector<int>(ids, ids + count), &decoded);
    if (!status.ok()) return status;
    *text = copy(decoded.data(), decoded.size());
    *bytes = decoded.size();
    return *text ? status : out_of_memory();
  });
}

const char* piece(const smoothlab_pieces* pieces, int32_t id, size_t* bytes) {
  const std::string& name = pieces->processor.IdToPiece(id);
  *bytes = name.size();
  return name.c_str();
}

class Sentences : public sentencepiece::SentenceIterator {
 public:
  explicit Sentences(const smoothlab_pieces_training& training) : training_(training) { Next(); }
  bool done() const override { return done_; }
  void Next() override {
    const char* text = nullptr;
    size_t bytes = 0;
    done_ = !training_.next(training_.context, &text, &bytes);
    if (!done_) value_.assign(text, bytes);
  }
  const std::string& value() const override { return value_; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  const smoothlab_pieces_training& training_;
  std::string value_;
  bool done_ = false;
};

char* train(const smoothlab_pieces_training* training, char** model, size_t* bytes) {
  return guarded([&] {
    Sentences sentences(*training);
    std::string trained;
    // Counts are added up a thread at a time: their number, whatever the machine has, is part of the result.
    const std::unordered_map<std::string, std::string> options = {
        {"model_type", training->type},
        {"vocab_size", std::to_string(training->size)},
        {"character_coverage", std::to_string(training->coverage)},
        {"num_threads", "16"},
        {"input_sentence_size", "0"},
        {"shuffle_input_sentence", "false"},
        {"self_test_sample_size", "0"},
        {"pad_id", "0"},
        {"unk_id", "1"},
        {"bos_id", "2"},
        {"eos_id", "3"},
        {"minloglevel", "4"},
    };
    auto status = sentencepiece::SentencePieceTrainer::Train(options, &sentences, &trained);
    if (!status.ok()) return status;
    *model = copy(trained.data(), trained.size());
    *bytes = trained.size();
    return *model ? status : out_of_memory();
  });
}

const smoothlab_pieces_entries entries = {
    SMOOTHLAB_PIECES_INTERFACE,
    SMOOTHLAB_SENTENCEPIECE_VERSION,
    [](void* memory) { std::free(memory); },
    load,
    [](smoothlab_pieces* pieces) { delete pieces; },
    encode,
    decode,
    piece,
    train,
};

}  // namespace

const smoothlab_pieces_entries* smoothlab_pieces_open() {
  return &entries;
}
