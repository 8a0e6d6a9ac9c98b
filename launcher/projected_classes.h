#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster/error.h"
#include "eval/logit_file.h"

namespace smoothlab::launcher {

/// Three classes that a report projects, as choose_classes takes them.
struct ProjectedTriple {
  std::vector<std::string> classes;
  bool similar = false;  ///< see eval::PublishedProjection
};

/// Chooses which classes a report projects of each logit file.
class ProjectedClasses {
 public:
  /// wished: three, or none.
  explicit ProjectedClasses(std::vector<std::string> wished) : wished_(std::move(wished)) {}

  /// The wished ones where the file knows them; else those of the paper's for this task and network that it
  /// knows; else, of text, the three tokens that are most often to be predicted, which fig. 7 shows; else the
  /// first three. Empty where the file has no names to choose by, or namesakes there. Throws DataError as the
  /// file does.
  std::vector<ProjectedTriple> of(const eval::LogitFile& file, const std::string& task,
                                  const std::string& model);

  /// Throws UsageError where there were wishes and every file that was asked lacks one of them.
  void check() const;

 private:
  std::vector<std::string> wished_;
  bool known_ = false;
  std::optional<UsageError> unknown_;
};

}  // namespace smoothlab::launcher
