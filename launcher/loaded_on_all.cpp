#include "launcher/loaded_on_all.h"

#include <optional>
#include <utility>

#include "cluster/file_system.h"
#include "trainer/rank_agreement.h"

namespace smoothlab::launcher {

trainer::LoadedRun load_on_all(const std::string& folder, trainer::LoadOptions options,
                               cluster::Communicator& communicator, cluster::Log& log) {
  const auto files = cluster::local_file_system();
  std::optional<trainer::LoadedRun> run;
  options.step = std::stoll(trainer::text_from_root(communicator, [&] {
    run = trainer::load_run(folder, options, *files, log);
    return std::to_string(run->step);
  }));
  if (!run) run = trainer::load_run(folder, options, *files, log);
  return std::move(*run);
}

}  // namespace smoothlab::launcher
