#include "launcher/prepared_run.h"

#include "trainer/run_folder.h"

namespace smoothlab::launcher {

void prepare_run(cluster::FileSystem& files, const StudyRun& run) {
  trainer::RunFolder folder(files, run.folder);
  if (folder.claim(/*resume=*/true))
    folder.reopen(run.recipe);
  else
    folder.begin(run.recipe);
}

std::string prepared_recipe(const StudyRun& run) {
  return run.folder + "/recipe.yaml";
}

}  // namespace smoothlab::launcher
