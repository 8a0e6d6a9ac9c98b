#include "launcher/stage_runs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>

#include "cluster/error.h"
#include "cluster/nearest_name.h"
#include "launcher/formula.h"
#include "launcher/run_condition.h"
#include "trainer/known_keys.h"
#include "trainer/recipe_file.h"

namespace smoothlab::launcher {
namespace {

/// Names of folders end here on most disks, less what beside them is called after them.
constexpr size_t longest_name = 200;

/// One key that a formula gives.
struct Derived {
  const StudySetting* setting;
  Formula formula;
};

/// "teachers" of "teachers.train.seed".
std::string first_part(const std::string& name) {
  return name.substr(0, name.find('.'));
}
std::string rest_of(const std::string& name) {
  return name.substr(std::min(name.size(), name.find('.') + 1));
}

class StageExpansion {
 public:
  StageExpansion(const StudyFile& study, const StudyStage& stage, StudyPlan& plan)
      : study_(study), stage_(stage), plan_(plan), recipe_(trainer::open_recipe(stage.recipe)) {
    std::vector<std::string> stages;
    for (const auto& other : study.stages) stages.push_back(other.name);
    for (const auto& setting : stage.set) {
      if (Formula::is_formula(setting.value))
        derived_.push_back(
            {&setting, Formula(setting.value, setting.key, study.place(setting.line), stages)});
      else
        plain_.push_back({setting.key, setting.value, study.path, setting.line});
    }
    check_names();
    order_formulas();
  }

  void expand() {
    const size_t first = plan_.runs.size();
    for (const Variant& variant : expand_axes(stage_.axes, place(stage_.line))) expand(variant);
    std::map<std::string, size_t> names;
    for (size_t i = first; i < plan_.runs.size(); ++i)
      if (!names.emplace(plan_.runs[i].name, i).second)
        throw UsageError(fmt::format("two runs would be called '{}'", plan_.runs[i].name), place(stage_.line),
                         "let them differ in a key of the grid");
  }

 private:
  using Choice = std::map<std::string, size_t>;  ///< by stage, the run that is referred to

  std::string place(int line) const { return study_.place(line).at("stages." + stage_.name); }

  const StudyDependence* dependence(const std::string& name) const {
    const auto found = std::find_if(stage_.after.begin(), stage_.after.end(),
                                    [&](const auto& one) { return one.stage == name; });
    return found == stage_.after.end() ? nullptr : &*found;
  }

  bool is_stage(const std::string& name) const {
    return std::any_of(study_.stages.begin(), study_.stages.end(),
                       [&](const auto& one) { return one.name == name; });
  }

  bool refers_to(const std::string& stage) const {
    return std::any_of(derived_.begin(), derived_.end(), [&](const auto& one) {
      const auto& names = one.formula.names();
      return std::any_of(names.begin(), names.end(),
                         [&](const auto& name) { return first_part(name) == stage; });
    });
  }

  /// That what formulas name is there.
  void check_names() const {
    for (const auto& one : derived_) {
      const auto where = study_.place(one.setting->line);
      for (const auto& name : one.formula.names()) {
        const std::string owner = first_part(name);
        if (dependence(owner) != nullptr) {
          if (rest_of(name) != "run") trainer::key_at(rest_of(name), where);
        } else if (is_stage(owner)) {
          throw UsageError(
              fmt::format("'{}' refers to a stage that '{}' does not come after", name, stage_.name),
              where.at(one.setting->key), fmt::format("add 'after: {}' to the stage", owner));
        } else {
          if (trainer::find_key(name) == nullptr) refuse_name(name, where.at(one.setting->key));
        }
      }
    }
    for (const auto& one : stage_.after)
      for (const auto& key : one.match)
        if (std::any_of(derived_.begin(), derived_.end(),
                        [&](const auto& d) { return d.setting->key == key; }))
          throw UsageError(fmt::format("'match' on '{}', which a formula gives", key), place(one.line),
                           "give it in the grid, or leave it out of 'match'");
  }

  [[noreturn]] void refuse_name(const std::string& name, const std::string& where) const {
    std::vector<std::string> known;
    for (const auto& key : trainer::recipe_keys()) known.push_back(key.path);
    for (const auto& one : stage_.after) {
      known.push_back(one.stage + ".run");
      for (const auto& key : trainer::recipe_keys()) known.push_back(one.stage + "." + key.path);
    }
    const std::string nearest = nearest_name(name, known);
    throw UsageError(fmt::format("a formula refers to '{}', which is no key", name), where,
                     nearest.empty() ? "name a key of the recipe, or stage.key of a stage under 'after'"
                                     : fmt::format("did you mean '{}'?", nearest));
  }

  /// Each after those whose keys it uses. By its own key it means the value that the recipe gives.
  void order_formulas() {
    std::vector<Derived> ordered;
    const auto waits = [&](const Derived& one, const std::vector<Derived>& pending) {
      const auto& names = one.formula.names();
      return std::any_of(pending.begin(), pending.end(), [&](const auto& other) {
        return other.setting != one.setting &&
               std::find(names.begin(), names.end(), other.setting->key) != names.end();
      });
    };
    while (!derived_.empty()) {
      const auto next = std::find_if(derived_.begin(), derived_.end(),
                                     [&](const auto& one) { return !waits(one, derived_); });
      if (next == derived_.end())
        throw UsageError(
            fmt::format("the formula of '{}' needs a key that needs it", derived_.front().setting->key),
            place(derived_.front().setting->line), "break the circle");
      ordered.push_back(*next);
      derived_.erase(next);
    }
    derived_ = std::move(ordered);
  }

  void expand(const Variant& variant) {
    std::vector<trainer::Override> given = plain_;
    for (const auto& [key, value] : variant.values)
      given.push_back({key, value, study_.path, stage_.key_lines.at(key)});
    // What formulas are worked out from. Without them the recipe need not be whole yet.
    const trainer::Recipe draft = recipe_.unchecked(given);
    std::vector<Choice> choices(1);
    std::vector<size_t> waits_for;
    for (const auto& after : stage_.after) {
      const std::vector<size_t> runs = passing(after, draft, variant);
      if (!refers_to(after.stage)) {
        waits_for.insert(waits_for.end(), runs.begin(), runs.end());
        continue;
      }
      std::vector<Choice> more;
      for (const Choice& choice : choices)
        for (const size_t run : runs) more.emplace_back(choice).emplace(after.stage, run);
      choices = std::move(more);
    }
    for (const Choice& choice : choices) add(variant, given, draft, choice, waits_for);
  }

  /// Runs of the other stage for which, or after which, this one is.
  std::vector<size_t> passing(const StudyDependence& after, const trainer::Recipe& draft,
                              const Variant& variant) const {
    std::vector<size_t> runs;
    for (size_t i = 0; i < plan_.runs.size(); ++i) {
      if (plan_.stages[plan_.runs[i].stage] != after.stage) continue;
      const trainer::Recipe& other = plan_.runs[i].recipe;
      const auto holds = [&](const auto& condition) { return passes(other, condition); };
      const auto same = [&](const auto& key) { return value_of(other, key) == value_of(draft, key); };
      if (std::all_of(after.where.begin(), after.where.end(), holds) &&
          std::all_of(after.match.begin(), after.match.end(), same))
        runs.push_back(i);
    }
    if (runs.empty())
      throw UsageError(fmt::format("no run of '{}' passes for {}/{}", after.stage, stage_.name,
                                   variant.name.empty() ? only_run : variant.name),
                       study_.place(after.line).at("stages." + stage_.name + ".after"),
                       "correct 'where' or 'match', or give that stage such a run");
    return runs;
  }

  void add(const Variant& variant, std::vector<trainer::Override> given, const trainer::Recipe& draft,
           const Choice& choice, const std::vector<size_t>& waits_for) {
    std::map<std::string, std::string> worked_out;
    for (const auto& one : derived_) {
      const std::string value = one.formula.value([&](const std::string& name) {
        const auto chosen = choice.find(first_part(name));
        if (chosen != choice.end()) {
          const StudyRun& other = plan_.runs[chosen->second];
          return rest_of(name) == "run" ? trainer::write_value(other.folder)
                                        : value_of(other.recipe, rest_of(name));
        }
        const auto earlier = worked_out.find(name);
        return earlier == worked_out.end() ? value_of(draft, name) : earlier->second;
      });
      const auto where = study_.place(one.setting->line);
      worked_out[one.setting->key] =
          trainer::canonical_value(trainer::key_at(one.setting->key, where), value, where);
      given.push_back({one.setting->key, value, study_.path, one.setting->line});
    }
    StudyRun run;
    run.stage = plan_.stages.size() - 1;
    run.recipe = recipe_.recipe(given);
    run.resolved = trainer::resolved_recipe(run.recipe);
    run.values = variant.values;
    run.after = waits_for;
    std::string name = variant.name;
    for (const auto& [stage, index] : choice) {
      const StudyRun& other = plan_.runs[index];
      run.after.push_back(index);
      const std::string own = rest_after_slash(other.name);
      if (own != only_run) name += (name.empty() ? "" : "-") + stage + "-" + own;
      for (const auto& [key, value] : other.values) run.values.emplace_back(stage + "." + key, value);
    }
    if (name.empty()) name = only_run;
    if (name.size() > longest_name)
      throw UsageError(fmt::format("a run would be called '{}'", name), place(stage_.line),
                       "let fewer keys vary, or use shorter values");
    run.name = stage_.name + "/" + name;
    run.folder = plan_.folder + "/" + run.name;
    std::sort(run.after.begin(), run.after.end());
    plan_.runs.push_back(std::move(run));
  }

  static std::string rest_after_slash(const std::string& name) { return name.substr(name.find('/') + 1); }

  /// What the run of a stage without a grid is called.
  static constexpr const char* only_run = "run";

  const StudyFile& study_;
  const StudyStage& stage_;
  StudyPlan& plan_;
  const trainer::RecipeFile recipe_;
  std::vector<trainer::Override> plain_;
  std::vector<Derived> derived_;
};

}  // namespace

void add_runs_of_stage(const StudyFile& study, const StudyStage& stage, StudyPlan& plan) {
  StageExpansion(study, stage, plan).expand();
}

}  // namespace smoothlab::launcher
