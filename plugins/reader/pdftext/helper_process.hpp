/// One run of the helper.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <stoq/plugin.hpp>

#include "report.hpp"

namespace pdftext {

struct Limits {
  std::uint64_t memory = 0;  ///< of the helper, bytes of addresses
  std::uint64_t text = 0;    ///< bytes
  std::uint64_t pages = 0;
  std::chrono::seconds time{0};  ///< by the clock; half as long again of processor time
};

/// How it went. What was read before a crash or the end of time stands.
struct Reading {
  Report report;
  std::string text;
  std::string failure;   ///< how the helper ended, in words; empty: as it should
  End end = End::done;   ///< when there is no failure
  bool stopped = false;  ///< the request was
};

/// Runs `helper` (a path) on the bytes of a PDF. Throws stoq::IoError when it cannot be started.
/// Thread-safe.
[[nodiscard]] Reading run_helper(const std::string& helper, stoq::ByteView pdf,
                                 const std::vector<std::string>& passwords, const Limits& limits,
                                 const stoq::Request& request);

/// The program of that name beside this library.
[[nodiscard]] std::string beside_library(const std::string& name);

}  // namespace pdftext
