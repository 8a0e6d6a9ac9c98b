#include "eval/shard_names.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <filesystem>
#include <random>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "eval/hdf5_handle.h"

namespace smoothlab::eval {
namespace {

namespace fs = std::filesystem;

std::string folder_of(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  return folder.empty() ? "." : folder.string();
}

std::string stem_of(const std::string& path) {
  const fs::path file = fs::path(path).filename();
  return file.extension() == ".h5" ? file.stem().string() : file.string();
}

bool all_of(const std::string& text, int (*is)(int)) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](unsigned char c) { return is(c) != 0; });
}

/// Whether a file's name is that of a shard, of whatever evaluation, of the logit file with this stem.
bool is_shard_of(const std::string& stem, const std::string& name) {
  if (name.rfind(stem + ".", 0) != 0) return false;
  std::string rest = name.substr(stem.size() + 1);  // "TAG.0-of-2.h5"
  if (rest.size() < 4 || rest.substr(rest.size() - 3) != ".h5") return false;
  rest.resize(rest.size() - 3);
  const size_t dot = rest.find('.'), of = rest.find("-of-");
  if (dot == std::string::npos || of == std::string::npos || of < dot) return false;
  return all_of(rest.substr(0, dot), std::isxdigit) &&
         all_of(rest.substr(dot + 1, of - dot - 1), std::isdigit) &&
         all_of(rest.substr(of + 4), std::isdigit);
}

bool holds_nothing(const std::string& path) {
  try {
    const Hdf5Lock lock;
    const Hdf5Handle file = open_hdf5(path);
    return read_attribute(file, "complete") == "0" || read_attribute(file, "rows") == "0";
  } catch (const DataError&) {
    return false;  // not ours to judge
  }
}

}  // namespace

std::string new_shard_tag() {
  std::random_device device;
  const auto now = static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
  return fmt::format("{:08x}",
                     static_cast<uint32_t>(now ^ (now >> 32)) ^ device() ^ static_cast<uint32_t>(::getpid()));
}

std::string shard_path(const std::string& path, const std::string& tag, int rank, int ranks) {
  return fmt::format("{}/{}.{}.{}-of-{}.h5", folder_of(path), stem_of(path), tag, rank, ranks);
}

std::vector<std::string> shards_referred_to(const std::string& path) {
  std::vector<std::string> names;
  const Hdf5Lock lock;
  try {
    const Hdf5Handle file = open_hdf5(path);
    if (!hdf5_has(file, "logits")) return names;
    const Hdf5Handle dataset(H5Dopen2(file, "logits", H5P_DEFAULT), H5Dclose);
    const Hdf5Handle creation(H5Dget_create_plist(dataset), H5Pclose);
    size_t count = 0;
    if (H5Pget_layout(creation) == H5D_VIRTUAL) H5Pget_virtual_count(creation, &count);
    for (size_t i = 0; i < count; ++i) {
      char name[4096] = "";
      H5Pget_virtual_filename(creation, i, name, sizeof name);
      names.emplace_back(name);
    }
  } catch (const DataError&) {
  }
  return names;
}

void remove_stale_shards(const std::string& path, const std::vector<std::string>& replaced,
                         const std::vector<std::string>& kept) {
  const auto among = [](const std::vector<std::string>& paths, const std::string& name) {
    return std::any_of(paths.begin(), paths.end(),
                       [&](const std::string& shard) { return fs::path(shard).filename().string() == name; });
  };
  auto files = cluster::local_file_system();
  const std::string folder = folder_of(path), stem = stem_of(path);
  for (const auto& name : files->list(folder)) {
    if (among(kept, name) || !is_shard_of(stem, name)) continue;
    const std::string shard = folder + "/" + name;
    if (among(replaced, name) || holds_nothing(shard)) files->remove_all(shard);
  }
}

}  // namespace smoothlab::eval
