#include "launcher/stage_order.h"

#include <algorithm>

#include "cluster/error.h"

namespace smoothlab::launcher {
namespace {

class Order {
 public:
  explicit Order(const StudyFile& study) : study_(study) {}

  void visit(size_t stage) {
    if (std::find(done.begin(), done.end(), stage) != done.end()) return;
    const auto begun = std::find(path_.begin(), path_.end(), stage);
    if (begun != path_.end()) refuse(begun - path_.begin());
    path_.push_back(stage);
    for (const auto& after : study_.stages[stage].after) visit(index_of(after.stage));
    path_.pop_back();
    done.push_back(stage);
  }

  std::vector<size_t> done;

 private:
  size_t index_of(const std::string& name) const {
    const auto& all = study_.stages;
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == name; });
    return static_cast<size_t>(found - all.begin());
  }

  [[noreturn]] void refuse(std::ptrdiff_t from) const {
    std::string circle;
    for (auto one = path_.begin() + from; one != path_.end(); ++one)
      circle += study_.stages[*one].name + " after ";
    const StudyStage& first = study_.stages[path_[static_cast<size_t>(from)]];
    throw UsageError("stages in a circle: " + circle + first.name,
                     study_.place(first.after.front().line).at("stages." + first.name + ".after"),
                     "let one of them come first");
  }

  const StudyFile& study_;
  std::vector<size_t> path_;
};

}  // namespace

std::vector<size_t> stage_order(const StudyFile& study) {
  Order order(study);
  for (size_t i = 0; i < study.stages.size(); ++i) order.visit(i);
  return order.done;
}

}  // namespace smoothlab::launcher
