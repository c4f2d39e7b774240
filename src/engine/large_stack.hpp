/// Stacks that are deep enough for payloads in payloads.
#pragma once

#include <cstddef>

#include <stoq/function_ref.hpp>

namespace stoq::engine {

inline constexpr std::size_t stack_size = std::size_t{16} << 20;  ///< of every thread of the graph

/// Runs `body` on a thread with a stack like the workers'. oneTBB lets a thread take what others
/// spawned only if its stack is as large as thread_stack_size says, and a program's first thread
/// has what the shell gave it. Where no such thread is to be had, on this one.
void run_on_large_stack(FunctionRef<void()> body);

}  // namespace stoq::engine
