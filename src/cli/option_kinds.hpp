/// The kinds of options there are, and how their texts are read.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace stoq::cli {

/// What CLI11 is to be given for an argument, so that it leaves it as it is.
[[nodiscard]] std::string mark_argument(std::string text);
/// And back.
[[nodiscard]] std::string unmark_argument(std::string text);

/// An option whose text `set` understands; `set` throws CLI::ValidationError when it does not. Of
/// these and the next the last one given wins.
CLI::Option* add_text(CLI::App& app, const std::string& name, const std::string& type,
                      const std::string& help, std::function<void(const std::string&)> set);
/// Bytes, or 64K, 512M, 1.5G.
CLI::Option* add_size(CLI::App& app, const std::string& name, const std::string& help,
                      std::function<void(std::uint64_t)> set);
/// A whole number from `least` to `most`.
CLI::Option* add_count(CLI::App& app, const std::string& name, std::uint64_t least,
                       std::uint64_t most, const std::string& help,
                       std::function<void(std::uint64_t)> set);
/// Seconds, more than none; fractions too.
CLI::Option* add_seconds(CLI::App& app, const std::string& name, double& target,
                         const std::string& help);
/// An option that may be repeated, one value each time.
CLI::Option* add_list(CLI::App& app, const std::string& name, const std::string& type,
                      std::vector<std::string>& target, const std::string& help);

}  // namespace stoq::cli
