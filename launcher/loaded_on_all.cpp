#include "launcher/loaded_on_all.h"

#include <fmt/format.h>

#include <optional>
#include <sstream>
#include <utility>

#include "cluster/file_system.h"
#include "trainer/rank_agreement.h"

namespace smoothlab::launcher {

trainer::LoadedRun load_on_all(const std::string& folder, trainer::LoadOptions options,
                               cluster::Communicator& communicator, cluster::Log& log) {
  const auto files = cluster::local_file_system();
  std::optional<trainer::LoadedRun> run;
  std::istringstream chosen(trainer::text_from_root(communicator, [&] {
    run = trainer::load_run(folder, options, *files, log);
    return fmt::format("{} {}", run->step, run->best);
  }));
  std::string best;
  chosen >> options.step >> best;
  if (!run) run = trainer::load_run(folder, options, *files, log);
  run->best = best;
  if (!best.empty()) log.info("{}: the checkpoint of step {}, the best by {}", folder, run->step, best);
  return std::move(*run);
}

}  // namespace smoothlab::launcher
