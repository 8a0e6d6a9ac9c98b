#pragma once

#include <string>

namespace smoothlab::eval {

/// Runs a gnuplot script (whose `output` is left unset) and returns what it drew. Throws EnvironmentError
/// where gnuplot is not installed, RunError with its message where it fails.
std::string run_gnuplot(const std::string& script);

/// Throws what run_gnuplot would for any figure of ours: to be asked before long work whose figures need it.
void require_gnuplot();

/// A string literal of gnuplot that means exactly this text.
std::string gnuplot_quoted(const std::string& text);

}  // namespace smoothlab::eval
