#pragma once

#include <stddef.h>
#include <stdint.h>

/// The C interface of smoothlab_pieces.so, which alone links SentencePiece: its protobuf and LibTorch's
/// cannot be in one program's symbols. No exception crosses it. Functions that can fail return nullptr, or
/// what went wrong as text to be given to smoothlab_pieces_free.
extern "C" {

#define SMOOTHLAB_PIECES_INTERFACE 1

struct smoothlab_pieces;

struct smoothlab_pieces_facts {
  int64_t size;
  int32_t padding, unknown, begin, end;  ///< −1: none
};

/// Gives the next sentence, alive until the next call; false after the last.
typedef bool (*smoothlab_pieces_source)(void* context, const char** text, size_t* bytes);

struct smoothlab_pieces_training {
  const char* type;  ///< "unigram" or "bpe"
  int64_t size;
  double coverage;
  smoothlab_pieces_source next;
  void* context;
};

/// All entries of the module; the first says whether the others are as this header has them.
struct smoothlab_pieces_entries {
  int32_t version;            ///< SMOOTHLAB_PIECES_INTERFACE
  const char* sentencepiece;  ///< its version
  void (*free)(void* memory);
  char* (*load)(const void* model, size_t bytes, smoothlab_pieces** pieces, smoothlab_pieces_facts* facts);
  void (*unload)(smoothlab_pieces* pieces);
  /// The ids of a text, to be freed; thread-safe.
  char* (*encode)(const smoothlab_pieces* pieces, const char* text, size_t bytes, int32_t** ids,
                  size_t* count);
  /// The text of ids within the vocabulary, to be freed; thread-safe.
  char* (*decode)(const smoothlab_pieces* pieces, const int32_t* ids, size_t count, char** text,
                  size_t* bytes);
  /// A piece as the vocabulary writes it, alive as long as `pieces`; `id` is within the vocabulary.
  const char* (*piece)(const smoothlab_pieces* pieces, int32_t id, size_t* bytes);
  /// The model file's bytes, to be freed.
  char* (*train)(const smoothlab_pieces_training* training, char** model, size_t* bytes);
};

/// The only symbol that is looked up by name.
__attribute__((visibility("default"))) const smoothlab_pieces_entries* smoothlab_pieces_open();
}
