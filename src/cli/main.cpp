#include <csignal>
#include <exception>
#include <iostream>
#include <string>

#include <malloc.h>

#include <stoq/error.hpp>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"

namespace {

using stoq::cli::Arguments;
using stoq::cli::Command;

constexpr int cannot_run = 2;

/// Payload buffers come and go by the megabyte: without this every one would be a mapping of its
/// own, made and thrown away with all its page faults.
void keep_large_buffers() {
  constexpr int mebibyte = 1 << 20;
  // Half of what glibc's arenas can hold: a request just above fails there first, and leaves ENOMEM
  // in errno behind a success, which libarchive takes for the end.
  ::mallopt(M_MMAP_THRESHOLD, 32 * mebibyte);
  ::mallopt(M_TRIM_THRESHOLD, 256 * mebibyte);
  ::mallopt(M_TOP_PAD, 16 * mebibyte);
}

int run(const Arguments& arguments) {
  switch (arguments.command) {
    case Command::scan:
      return stoq::cli::scan(arguments);
    case Command::bench:
      return stoq::cli::bench(arguments);
    case Command::graph:
      return stoq::cli::graph(arguments);
    case Command::list:
      return stoq::cli::list(arguments);
    case Command::info:
      return stoq::cli::info(arguments);
    case Command::get:
      return stoq::cli::get(arguments);
    case Command::new_package:
      return stoq::cli::new_package(arguments);
    case Command::install:
      return stoq::cli::install(arguments);
    case Command::schema:
      return stoq::cli::schema(arguments);
  }
  return cannot_run;
}

int fail(const std::string& message) {
  std::cerr << "stoq: " << message << '\n';
  return cannot_run;
}

}  // namespace

int main(int argc, char** argv) {
  keep_large_buffers();
  // A reader that goes away is an error of write(), told and counted as any other.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    const auto arguments = stoq::cli::parse_arguments(argc, argv);
    if (arguments) {
      for (const auto& text : arguments->warnings) std::cerr << "stoq: warning: " << text << '\n';
    }
    const int code = arguments ? run(*arguments) : 0;
    if (!std::cout.flush()) return fail("cannot write to standard output");
    return code;
  } catch (const stoq::cli::UsageError& error) {
    return fail(error.what());
  } catch (const stoq::Error& error) {
    return fail(error.what());
  } catch (const std::exception& error) {
    return fail(std::string("unexpected failure: ") + error.what());
  }
}
