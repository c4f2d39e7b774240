/// A folder of plugins that write down what is done with them (fixtures/witness_plugin.cpp).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <stoq/plugin.hpp>

#include "engine/config.hpp"

namespace stoq::fakes {

class Witnesses {
 public:
  /// With a witness `w` of each of source, worker and connector, and one for every plugin that the
  /// shipped dispatch rules name.
  Witnesses();
  ~Witnesses();
  Witnesses(const Witnesses&) = delete;
  Witnesses& operator=(const Witnesses&) = delete;

  /// Adds a plugin; `options` are lines of its [options]. Gives back its .stoq file.
  std::filesystem::path add(std::string_view category, const std::string& name,
                            const std::string& options = {}) const;
  /// Adds any file below the folder.
  std::filesystem::path write(const std::filesystem::path& file, std::string_view text) const;

  /// Runs source:w, worker:w and connector:w.
  [[nodiscard]] engine::Config config() const;
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
  /// The events so far: "worker activate".
  [[nodiscard]] std::vector<std::string> journal() const;
  /// Those of them that begin so.
  [[nodiscard]] std::vector<std::string> journal(std::string_view prefix) const;
  [[nodiscard]] std::size_t count(std::string_view event) const;

 private:
  std::filesystem::path folder_;
};

/// A .stoq file that says all it must.
[[nodiscard]] std::string stoq_file(std::string_view category, const std::string& name,
                                    const std::string& options = {});

}  // namespace stoq::fakes
