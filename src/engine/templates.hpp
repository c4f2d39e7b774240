/// Makes texts of results by templates of the workers. What cannot be made into text stays JSON,
/// and the log says why: nothing is lost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/config.hpp"
#include "engine/log.hpp"
#include "engine/plugin_file.hpp"
#include "engine/template_renderer.hpp"

namespace stoq::engine {

/// One thread at a time.
class Templates {
 public:
  /// Of config.template_name, for config.workers. The log must outlive it.
  Templates(const Config& config, const std::vector<FoundPlugin>& plugins, Log& log);
  /// Says how many results were left as JSON.
  ~Templates();
  Templates(const Templates&) = delete;
  Templates& operator=(const Templates&) = delete;

  /// The texts of `lines`, each a result in stoQ's shape; valid until the next call.
  [[nodiscard]] std::string_view render(std::string_view lines);

 private:
  [[nodiscard]] TemplateRequest request_of(const Config& config,
                                           const std::vector<FoundPlugin>& plugins) const;
  void warn(const std::string& problem);

  Log& log_;
  std::unique_ptr<TemplateRenderer> renderer_;  ///< null: JSON
  std::string text_, last_problem_;
  std::uint64_t failed_ = 0, warnings_ = 0;
};

}  // namespace stoq::engine
