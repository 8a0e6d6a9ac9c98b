#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "eval/row_extents.h"
#include "eval/source_file.h"

namespace smoothlab::eval {

/// What rows are read as.
enum class RowType { float32, float64, int64 };

/// The rows of a dataset [N, width] or [N], in any layout, as float32, float64 or int64. Rows that are in a
/// file as they are (or as float16 or int32) are read straight from it, by any number of threads at once; a
/// virtual dataset is resolved to the datasets it refers to; everything else goes through HDF5, one thread at
/// a time.
class RowSource {
 public:
  /// Throws DataError: wrong class of type, a source of a virtual dataset missing, too small or not covering.
  RowSource(std::shared_ptr<SourceFile> file, const std::string& dataset, RowType type, SourceFiles& files);

  int rank() const { return rank_; }
  int64_t rows() const { return rows_; }
  int64_t width() const { return width_; }
  /// True when no row goes through HDF5.
  bool direct() const;
  /// [count, width] into the caller's memory; first + count ≤ rows().
  void read(int64_t first, int64_t count, void* out) const;

 private:
  struct Part {  // rows of a virtual dataset that come from one source
    int64_t first_row, rows, source_row;
    std::shared_ptr<RowSource> source;
  };
  void check_type() const;
  void resolve_virtual(hid_t creation, SourceFiles& files);
  void open_again_with_cache(hid_t creation);
  void read_parts(int64_t first, int64_t count, void* out) const;
  void read_direct(int64_t first, int64_t count, void* out) const;
  template <typename Stored, typename Value, typename Widen>
  void read_widened(int64_t first, int64_t count, Value* out, const Widen& widen) const;
  void read_through_hdf5(int64_t first, int64_t count, void* out) const;
  [[noreturn]] void fail(const std::string& problem, const std::string& remedy) const;
  int64_t value_bytes() const { return type_ == RowType::float32 ? 4 : 8; }

  std::shared_ptr<SourceFile> file_;
  std::string name_;
  RowType type_;
  Hdf5Handle dataset_;
  int rank_ = 0;
  int64_t rows_ = 0, width_ = 1;
  bool narrow_ = false;  ///< stored as float16 or int32
  std::optional<std::vector<RowExtent>> extents_;
  std::vector<Part> parts_;
};

}  // namespace smoothlab::eval
