#include "eval/whole_logit_file.h"

#include "cluster/file_system.h"
#include "eval/shard_file.h"
#include "eval/shard_layout.h"
#include "eval/shard_names.h"
#include "eval/unfinished_file.h"

namespace smoothlab::eval {

void write_logit_file_whole(const std::string& path, const std::function<void(const Hdf5Output&)>& work) {
  UnfinishedFile temporary(path + "." + new_shard_tag() + ".tmp");  // nobody else's, whatever they are called
  create_hdf5(temporary.path(), work);
  ShardFile(temporary.path()).sync();
  mark_complete(temporary.path());
  ShardFile(temporary.path()).sync();
  auto files = cluster::local_file_system();
  files->rename(temporary.path(), path);
  temporary.finished();
  files->sync_folder(folder_of(path));
}

}  // namespace smoothlab::eval
