#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cluster/file_system.h"
#include "eval/chosen_class.h"
#include "eval/distillation_report.h"
#include "eval/output_file.h"
#include "eval/report_claims.h"
#include "eval/report_page.h"
#include "eval/sweep_claims.h"
#include "launcher/each_file.h"
#include "launcher/options.h"
#include "launcher/report_gathering.h"
#include "launcher/verbs.h"

namespace smoothlab::launcher {
namespace {

const char* name_of(eval::Verdict verdict) {
  return verdict == eval::Verdict::holds ? "yes" : verdict == eval::Verdict::fails ? "no" : "open";
}

std::vector<eval::Claim> all_claims(const eval::ReportSubject& subject) {
  auto claims = eval::claims_about(subject);
  for (eval::Claim& claim : eval::sweep_claims(subject)) claims.push_back(std::move(claim));
  for (const eval::Lesson& lesson : eval::lessons_of(subject))
    for (eval::Claim& claim : eval::distillation_claims(subject, lesson)) claims.push_back(std::move(claim));
  return claims;
}

std::vector<eval::Beside> all_figures(const eval::ReportSubject& subject) {
  auto rows = eval::beside_paper(subject);
  for (const eval::Lesson& lesson : eval::lessons_of(subject))
    for (eval::Beside& row : eval::distillation_beside_paper(subject, lesson)) rows.push_back(std::move(row));
  return rows;
}

nlohmann::ordered_json to_json(const std::vector<eval::ReportRun>& runs) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const eval::ReportSubject& subject : eval::report_subjects(runs)) {
    nlohmann::ordered_json json;
    json["subject"] = subject.name;
    json["task"] = subject.task;
    json["model"] = subject.model;
    json["unfinished"] = subject.unfinished.size();
    json["claims"] = nlohmann::ordered_json::array();
    for (const eval::Claim& claim : all_claims(subject))
      json["claims"].push_back({{"where", claim.where},
                                {"paper", claim.says},
                                {"here", claim.measured},
                                {"holds", name_of(claim.verdict)}});
    json["figures"] = nlohmann::ordered_json::array();
    for (const eval::Beside& row : all_figures(subject))
      json["figures"].push_back({{"figure", row.what},
                                 {"paper", row.paper},
                                 {"here", row.here},
                                 {"verdict", row.text},
                                 {"agrees", name_of(row.verdict)}});
    all.push_back(std::move(json));
  }
  return all;
}

void print_text(const std::vector<eval::ReportRun>& runs) {
  for (const eval::ReportSubject& subject : eval::report_subjects(runs)) {
    std::cout << subject.name << '\n';
    for (const eval::Claim& claim : all_claims(subject))
      std::cout << fmt::format("  {:<4} {} ({})\n       {}\n", name_of(claim.verdict), claim.says,
                               claim.where, claim.measured);
    for (const eval::Beside& row : all_figures(subject))
      std::cout << fmt::format("  {}: paper {}, here {}: {}\n", row.what, row.paper, row.here, row.text);
    if (!subject.unfinished.empty())
      std::cout << fmt::format("  not ended, and not counted: {} of its runs\n", subject.unfinished.size());
  }
}

}  // namespace

int report_verb(const std::vector<std::string>& arguments) {
  Options options(
      "report DIR... [--page FILE] [--classes A,B,C] [--json]",
      "Sets runs beside the paper: one HTML page with figures and tables for every network on every\n"
      "data set among the runs in and below the folders, and on stdout whether what the paper says\n"
      "holds here. It needs what runs have left, no checkpoint and no data.");
  options.value("page", "FILE", "where the page goes", "report.html")
      .value("title", "TEXT", "of the page", "Label smoothing, run by run")
      .list("classes", "A,B,C", "classes to project; the paper's without it, else the first three")
      .value("examples", "N", "rows of each class that are drawn; 0: all", "100")
      .value("threads", "N", "0: as many as there are cores", "0")
      .flag("json", "print one JSON list instead of text");
  if (!options.parse(arguments, 1, -1)) return 0;
  ReportWishes wishes;
  if (options.has("classes")) wishes.classes = eval::split_classes(options.texts("classes"), 3, "--classes");
  wishes.examples = options.integer("examples", 0, INT64_C(1) << 40);
  wishes.threads = static_cast<int>(options.integer("threads", 0, 1024));
  const std::string page = options.text("page");
  eval::claim_output(page, eval::OutputKind::page);
  const auto runs = gather_runs(options.words(), wishes);
  for (const eval::ReportRun& run : runs)
    for (const std::string& problem : run.problems)
      std::cerr << "warning: " << run.name << ": " << problem << '\n';
  cluster::write_file_whole(*cluster::local_file_system(), page,
                            eval::report_page(options.text("title"), runs));
  if (options.has("json"))
    std::cout << printed(to_json(runs)) << '\n';
  else
    print_text(runs);
  std::cout << std::flush;
  std::cerr << "the page is " << page << '\n';
  return 0;
}

}  // namespace smoothlab::launcher
