#include "models/safetensors.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "cluster/error.h"

namespace smoothlab::models {
namespace {

constexpr const char* kMetadata = "__metadata__";
constexpr uint64_t kLengthBytes = 8;
/// What the reference implementation accepts.
constexpr uint64_t kLongestHeader = 100'000'000;

struct NamedType {
  const char* name;
  at::ScalarType type;
};
constexpr std::array<NamedType, 10> kTypes{{{"F32", at::kFloat},
                                            {"F64", at::kDouble},
                                            {"BF16", at::kBFloat16},
                                            {"F16", at::kHalf},
                                            {"I64", at::kLong},
                                            {"I32", at::kInt},
                                            {"I16", at::kShort},
                                            {"I8", at::kChar},
                                            {"U8", at::kByte},
                                            {"BOOL", at::kBool}}};

const char* type_name(at::ScalarType type) {
  for (const NamedType& known : kTypes) {
    if (known.type == type) return known.name;
  }
  return nullptr;
}

std::array<unsigned char, kLengthBytes> little_endian(uint64_t value) {
  std::array<unsigned char, kLengthBytes> bytes{};
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(value >> (8 * i));
  return bytes;
}

std::string header_of(const TensorFile& contents, const std::string& path) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!contents.metadata.empty()) header[kMetadata] = contents.metadata;
  uint64_t offset = 0;
  for (const auto& [name, tensor] : contents.tensors) {
    const char* type = tensor.defined() ? type_name(tensor.scalar_type()) : nullptr;
    if (!type) throw UsageError("tensor \"" + name + "\" has no safetensors dtype", path, "convert it first");
    if (name == kMetadata || header.contains(name)) {
      throw UsageError("two tensors are called \"" + name + "\"", path, "give each its own name");
    }
    const uint64_t end = offset + tensor.nbytes();
    header[name] = {{"dtype", type}, {"shape", tensor.sizes().vec()}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  text.append((kLengthBytes - text.size() % kLengthBytes) % kLengthBytes, ' ');
  return text;
}

/// One file being read; every complaint names its path.
class Reader {
 public:
  Reader(std::string path, const std::string& bytes) : path_(std::move(path)), bytes_(bytes) {}

  TensorFile read() {
    read_header();
    TensorFile contents;
    // Sorted by where they stand, so that gaps and overlaps show between neighbours. Several tensors may
    // begin at one offset where all but the last of them are empty.
    std::multimap<std::pair<uint64_t, uint64_t>, Entry> entries;
    for (const auto& [name, value] : header_.items()) {
      if (name == kMetadata) {
        contents.metadata = read_metadata(value);
      } else {
        Entry entry = read_entry(name, value);
        const std::pair range(entry.begin, entry.end);
        entries.emplace(range, std::move(entry));
      }
    }
    uint64_t expected = 0;
    for (const auto& [range, entry] : entries) {
      if (entry.begin != expected) {
        fail("tensor \"" + entry.name + "\" begins at data offset " + std::to_string(entry.begin) + ", not " +
                 std::to_string(expected),
             data_begin_ + entry.begin);
      }
      expected = entry.end;
      contents.tensors.emplace_back(entry.name, read_tensor(entry));
    }
    if (data_begin_ + expected != bytes_.size()) {
      fail("the tensors end at byte " + std::to_string(data_begin_ + expected) + " but the file at " +
               std::to_string(bytes_.size()),
           data_begin_ + expected);
    }
    return contents;
  }

 private:
  struct Entry {
    std::string name;
    at::ScalarType type;
    std::vector<int64_t> shape;
    uint64_t begin, end;
  };

  [[noreturn]] void fail(const std::string& problem, uint64_t offset) const {
    throw DataError(problem, path_ + ", byte " + std::to_string(offset),
                    "the file is damaged or no safetensors file; write it again or take another");
  }

  void read_header() {
    if (bytes_.size() < kLengthBytes) {
      fail("a file of " + std::to_string(bytes_.size()) + " bytes has no header length", 0);
    }
    uint64_t length = 0;
    for (size_t i = 0; i < kLengthBytes; ++i) {
      length |= static_cast<uint64_t>(static_cast<unsigned char>(bytes_[i])) << (8 * i);
    }
    if (length > kLongestHeader || length > bytes_.size() - kLengthBytes) {
      fail("the header would be " + std::to_string(length) + " bytes long in a file of " +
               std::to_string(bytes_.size()),
           0);
    }
    data_begin_ = kLengthBytes + length;
    // The parser keeps the last of equal keys; two tensors of one name are an error here.
    std::set<std::string> names;
    std::string twice;
    const auto watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& value) {
      if (depth == 1 && event == nlohmann::json::parse_event_t::key) {
        const auto name = value.get<std::string>();
        if (!names.insert(name).second) twice = name;
      }
      return true;
    };
    try {
      header_ = nlohmann::json::parse(bytes_.begin() + kLengthBytes,
                                      bytes_.begin() + static_cast<std::ptrdiff_t>(data_begin_), watch);
    } catch (const nlohmann::json::parse_error& error) {
      fail("the header is not JSON", kLengthBytes + (error.byte > 0 ? error.byte - 1 : 0));
    } catch (const nlohmann::json::exception& error) {  // such as a number beyond double's range
      fail(std::string("the header cannot be taken: ") + error.what(), kLengthBytes);
    }
    if (!header_.is_object()) fail("the header is not a JSON object", kLengthBytes);
    if (!twice.empty()) fail("two tensors are called \"" + twice + "\"", kLengthBytes);
  }

  std::map<std::string, std::string> read_metadata(const nlohmann::json& value) const {
    if (!value.is_object()) fail("__metadata__ is not an object", kLengthBytes);
    std::map<std::string, std::string> metadata;
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) fail("metadata \"" + key + "\" is not a string", kLengthBytes);
      metadata[key] = text.get<std::string>();
    }
    return metadata;
  }

  Entry read_entry(const std::string& name, const nlohmann::json& value) const {
    const std::string tensor = "tensor \"" + name + "\"";
    if (!value.is_object() || !value.contains("dtype") || !value.contains("shape") ||
        !value.contains("data_offsets")) {
      fail(tensor + " lacks dtype, shape or data_offsets", kLengthBytes);
    }
    Entry entry{name, at::kFloat, {}, 0, 0};
    const auto& dtype = value["dtype"];
    const auto* known =
        std::find_if(kTypes.begin(), kTypes.end(), [&](const NamedType& type) { return dtype == type.name; });
    if (known == kTypes.end()) fail(tensor + " has the unknown dtype " + dtype.dump(), kLengthBytes);
    entry.type = known->type;

    uint64_t bytes = c10::elementSize(entry.type);
    if (!value["shape"].is_array()) fail(tensor + " has no list as its shape", kLengthBytes);
    for (const auto& size : value["shape"]) {
      if (!size.is_number_unsigned()) fail(tensor + " has an impossible shape", kLengthBytes);
      const auto extent = size.get<uint64_t>();
      if (extent > uint64_t{1} << 48 || (extent > 0 && bytes > (uint64_t{1} << 48) / extent)) {
        fail(tensor + " has an impossible shape", kLengthBytes);
      }
      bytes *= extent;
      entry.shape.push_back(static_cast<int64_t>(extent));
    }
    const auto& offsets = value["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
        !offsets[1].is_number_unsigned()) {
      fail(tensor + " has no pair of data_offsets", kLengthBytes);
    }
    entry.begin = offsets[0].get<uint64_t>();
    entry.end = offsets[1].get<uint64_t>();
    if (entry.begin > entry.end || entry.end > bytes_.size() - data_begin_) {
      fail(tensor + " reaches data offset " + std::to_string(entry.end) + " of " +
               std::to_string(bytes_.size() - data_begin_),
           data_begin_);
    }
    if (entry.end - entry.begin != bytes) {
      fail(tensor + " has " + std::to_string(entry.end - entry.begin) + " bytes where its shape needs " +
               std::to_string(bytes),
           data_begin_ + entry.begin);
    }
    return entry;
  }

  at::Tensor read_tensor(const Entry& entry) const {
    at::Tensor tensor = at::empty(entry.shape, entry.type);
    if (tensor.nbytes() > 0) {
      std::memcpy(tensor.data_ptr(), bytes_.data() + data_begin_ + entry.begin, tensor.nbytes());
    }
    return tensor;
  }

  std::string path_;
  const std::string& bytes_;
  uint64_t data_begin_ = 0;
  nlohmann::json header_;
};

}  // namespace

at::Tensor TensorFile::find(const std::string& name) const {
  for (const auto& [known, tensor] : tensors) {
    if (known == name) return tensor;
  }
  return {};
}

uint32_t write_safetensors(cluster::FileSystem& files, const std::string& path, const TensorFile& contents) {
  const std::string header = header_of(contents, path);
  const auto length = little_endian(header.size());
  const auto file = files.create(path);
  uint32_t crc = 0;
  const auto write = [&](const void* bytes, size_t count) {
    if (count == 0) return;
    file->write(bytes, count);
    crc = cluster::checksum(bytes, count, crc);
  };
  write(length.data(), length.size());
  write(header.data(), header.size());
  for (const auto& [name, tensor] : contents.tensors) {
    const at::Tensor dense = tensor.detach().to(at::kCPU).contiguous();
    write(dense.data_ptr(), dense.nbytes());
  }
  file->sync();
  file->close();
  return crc;
}

TensorFile read_safetensors(const cluster::FileSystem& files, const std::string& path) {
  return parse_safetensors(files.read(path), path);
}

TensorFile parse_safetensors(const std::string& bytes, const std::string& path) {
  return Reader(path, bytes).read();
}

}  // namespace smoothlab::models
