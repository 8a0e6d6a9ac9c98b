#pragma once

#include <string>
#include <vector>

namespace smoothlab::launcher {

/// What the program does, one function a verb. Arguments are those after the verb; the result is the exit
/// code. Results go to stdout, everything for people to stderr. Errors are thrown.
int train_verb(const std::vector<std::string>& arguments);
int study_verb(const std::vector<std::string>& arguments);
int evaluate_verb(const std::vector<std::string>& arguments);
int translate_verb(const std::vector<std::string>& arguments);
int calibrate_verb(const std::vector<std::string>& arguments);
int project_verb(const std::vector<std::string>& arguments);
int information_verb(const std::vector<std::string>& arguments);
int bleu_verb(const std::vector<std::string>& arguments);
int sweep_verb(const std::vector<std::string>& arguments);
int report_verb(const std::vector<std::string>& arguments);
int logits_verb(const std::vector<std::string>& arguments);
int data_verb(const std::vector<std::string>& arguments);
int doctor_verb(const std::vector<std::string>& arguments);

struct Verb {
  const char* name;
  const char* summary;
  int (*run)(const std::vector<std::string>& arguments);
};

/// All verbs in the order in which a newcomer meets them.
const std::vector<Verb>& verbs();

}  // namespace smoothlab::launcher
