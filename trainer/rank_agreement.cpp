#include "trainer/rank_agreement.h"

#include <exception>
#include <nlohmann/json.hpp>

#include "cluster/error.h"

namespace smoothlab::trainer {
namespace {

[[noreturn]] void rethrow(const nlohmann::json& error) {
  const auto problem = error.at("problem").get<std::string>(), where = error.at("where").get<std::string>(),
             remedy = error.at("remedy").get<std::string>();
  switch (static_cast<ExitCode>(error.at("code").get<int>())) {
    case ExitCode::usage:
      throw UsageError(problem, where, remedy);
    case ExitCode::data:
      throw DataError(problem, where, remedy);
    case ExitCode::environment:
      throw EnvironmentError(problem, where, remedy);
    default:
      throw RunError(problem, where, remedy);
  }
}

std::string described(ExitCode code, const std::string& problem, const std::string& where,
                      const std::string& remedy) {
  const nlohmann::json json = {
      {"code", static_cast<int>(code)}, {"problem", problem}, {"where", where}, {"remedy", remedy}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

void on_root(cluster::Communicator& communicator, const std::function<void()>& work) {
  std::string error;
  std::exception_ptr cause;
  if (communicator.is_root()) {
    try {
      work();
    } catch (const Error& e) {
      error = described(e.code(), e.problem(), e.where(), e.remedy());
      cause = std::current_exception();
    } catch (const std::exception& e) {
      error = described(ExitCode::failure, e.what(), "rank 0", "see the log");
      cause = std::current_exception();
    }
  }
  error = communicator.broadcast_text(error, 0);
  if (cause) std::rethrow_exception(cause);
  if (!error.empty()) rethrow(nlohmann::json::parse(error));
}

std::string text_from_root(cluster::Communicator& communicator, const std::function<std::string()>& work) {
  std::string result;
  on_root(communicator, [&] { result = work(); });
  return communicator.broadcast_text(result, 0);
}

}  // namespace smoothlab::trainer
