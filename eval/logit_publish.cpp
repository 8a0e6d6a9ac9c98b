#include "eval/logit_publish.h"

#include <filesystem>
#include <list>
#include <memory>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "eval/hdf5_handle.h"
#include "eval/hdf5_output.h"
#include "eval/logit_file.h"
#include "eval/shard_file.h"
#include "eval/shard_layout.h"
#include "eval/shard_names.h"
#include "eval/unfinished_file.h"

namespace smoothlab::eval {
namespace {

namespace fs = std::filesystem;

/// One dataset of the virtual file: its parts one after the other.
void join(hid_t file, const std::string& name, const std::vector<std::unique_ptr<LogitFile>>& parts,
          int64_t rows, const std::string& path) {
  const Hdf5Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  Hdf5Handle type, whole;
  hsize_t first = 0;
  for (const auto& part : parts) {
    const Hdf5Handle shard = open_hdf5(part->path());
    const Hdf5Handle dataset(H5Dopen2(shard, name.c_str(), H5P_DEFAULT), H5Dclose);
    if (!dataset) throw DataError("shards do not fit together: no /" + name, part->path(), "evaluate again");
    const Hdf5Handle source(H5Dget_space(dataset), H5Sclose);
    hsize_t dimensions[2] = {0, 0};
    const int rank = H5Sget_simple_extent_dims(source, dimensions, nullptr);
    hsize_t start[2] = {first, 0};
    const hsize_t count[2] = {dimensions[0], dimensions[1]};
    dimensions[0] = static_cast<hsize_t>(rows);
    if (!type) {
      type = Hdf5Handle(H5Dget_type(dataset), H5Tclose);
      whole = Hdf5Handle(H5Screate_simple(rank, dimensions, nullptr), H5Sclose);
    }
    const std::string beside = fs::path(part->path()).filename().string();
    require_hdf5(H5Sselect_hyperslab(whole, H5S_SELECT_SET, start, nullptr, count, nullptr) >= 0 &&
                     H5Pset_virtual(creation, whole, beside.c_str(), name.c_str(), source) >= 0,
                 "refer to a shard", path);
    first += count[0];
  }
  H5Sselect_all(whole);
  const Hdf5Handle dataset(H5Dcreate2(file, name.c_str(), type, whole, H5P_DEFAULT, creation, H5P_DEFAULT),
                           H5Dclose);
  require_hdf5(bool(dataset), "create /" + name, path);
}

// A rank without samples leaves a shard without rows, which a virtual dataset cannot refer to.
bool is_empty_shard(const std::string& path) {
  const Hdf5Lock lock;
  const Hdf5Handle file = open_hdf5(path);
  return read_attribute(file, "rows") == "0" && read_attribute(file, "complete") == "1";
}

/// `made`: what is of no use to anybody where this fails.
void rename_into_place(cluster::FileSystem& files, const std::string& from, const std::string& to,
                       std::list<UnfinishedFile>& made) {
  files.rename(from, to);
  for (auto& file : made) file.finished();
  files.sync_folder(folder_of(to));
}

void write_virtual_file(const std::string& path, const std::vector<std::unique_ptr<LogitFile>>& parts,
                        const std::string& first_shard, int64_t rows, size_t ranks) {
  create_hdf5(path, [&](const Hdf5Output& output) {
    const hid_t file = output.file();
    const Hdf5Handle shard = open_hdf5(first_shard);
    write_attribute(file, "ranks", static_cast<int64_t>(ranks));
    write_attribute(file, "rows", rows);
    write_attribute(file, "complete", int64_t{0});
    copy_attributes(shard, file, path);
    for (const char* name : {"logits", "log_sum_exp", "label_logit", "top_logits", "top_classes", "labels",
                             "sample_id", "penultimate", "position"})
      if (parts.front()->has(name)) join(file, name, parts, rows, path);
    for (const char* name : {"classifier", "class_names", "temperatures"})
      if (hdf5_has(shard, name))
        require_hdf5(H5Ocopy(shard, name, file, name, H5P_DEFAULT, H5P_DEFAULT) >= 0,
                     std::string("copy /") + name, path);
  });
}

}  // namespace

void publish_logit_file(cluster::FileSystem& files, const std::string& path,
                        const std::vector<std::string>& shards, std::optional<fs::file_time_type> started) {
  if (shards.empty()) throw DataError("no shards to publish", path, "evaluate first");
  if (shards.size() == 1) {
    const LogitFile checked(shards.front(), Incomplete::refuse, Compact::refuse, Summary::accept);
    std::list<UnfinishedFile> made(shards.begin(), shards.end());
    rename_into_place(files, shards.front(), path, made);
    remove_stale_shards(files, path, started);
    return;
  }
  std::vector<std::unique_ptr<LogitFile>> parts;
  int64_t rows = 0;
  for (const auto& shard : shards) {
    if (fs::path(folder_of(shard)).lexically_normal() != fs::path(folder_of(path)).lexically_normal())
      throw DataError("a shard is not in the folder of the file", shard, "write shards beside " + path);
    if (is_empty_shard(shard)) continue;
    auto part = std::make_unique<LogitFile>(shard, Incomplete::refuse, Compact::refuse, Summary::accept);
    if (!parts.empty() &&
        (part->classes() != parts[0]->classes() || part->penultimate() != parts[0]->penultimate() ||
         part->kept() != parts[0]->kept() || part->temperatures() != parts[0]->temperatures() ||
         part->attribute("recipe_hash") != parts[0]->attribute("recipe_hash") ||
         part->attribute("step") != parts[0]->attribute("step")))
      throw DataError("shards do not fit together", shard, "evaluate again on all ranks");
    rows += part->rows();
    parts.push_back(std::move(part));
  }
  if (parts.empty()) throw DataError("no shard has any rows", path, "evaluate at least one sample");
  std::list<UnfinishedFile> made(shards.begin(), shards.end());
  const std::string temporary = made.emplace_back(half_made_path(shards.front())).path();
  write_virtual_file(temporary, parts, shards.front(), rows, shards.size());
  ShardFile(temporary).sync();
  mark_complete(temporary);
  ShardFile(temporary).sync();
  rename_into_place(files, temporary, path, made);
  remove_stale_shards(files, path, started);
}

void publish_logit_file(const std::string& path, const std::vector<std::string>& shards) {
  publish_logit_file(*cluster::local_file_system(), path, shards);
}

}  // namespace smoothlab::eval
