#pragma once

namespace smoothlab::launcher {

/// What a shell tells of a process that SIGPIPE ended.
constexpr int broken_pipe_code = 141;

/// Whether stdout is a pipe whose reader has gone, as `head` goes after its lines.
bool nobody_reads_stdout();

/// Ends this process as that ends other filters: of SIGPIPE, without a word.
[[noreturn]] void end_of_broken_pipe();

}  // namespace smoothlab::launcher
