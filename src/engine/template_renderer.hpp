/// What the library of templates offers to the engine, which loads it only when a template is asked
/// for: it brings Python with it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <stoq/error.hpp>

namespace stoq::engine {

/// Which templates to render.
struct TemplateRequest {
  struct Place {
    std::string worker;
    std::string folder;  ///< the worker's templates; nothing outside can be included
  };
  std::string name;           ///< of the file in each of the folders
  std::vector<Place> places;  ///< one text each, in this order
  bool one_worker = true;     ///< of the run: otherwise `scan` holds an object by worker
  double seconds = 60;        ///< for one document
};

/// One thread at a time.
class STOQ_PUBLIC TemplateRenderer {
 public:
  TemplateRenderer() = default;
  TemplateRenderer(const TemplateRenderer&) = delete;
  TemplateRenderer& operator=(const TemplateRenderer&) = delete;
  virtual ~TemplateRenderer() = default;
  /// The text of one result, a JSON object in stoQ's shape; with a line end, or empty. Throws
  /// MalformedInput, naming file and line of the template.
  [[nodiscard]] virtual std::string render(std::string_view document) = 0;
};

/// Exported by the library as `stoq_make_template_renderer`. Throws ConfigError when Python or
/// Jinja2 cannot be had, MalformedInput for a template that cannot be parsed.
using MakeTemplateRenderer = TemplateRenderer* (*)(const TemplateRequest& request);

}  // namespace stoq::engine
