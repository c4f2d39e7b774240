#include "engine/templates.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include <dlfcn.h>

#include "support/text.hpp"

namespace stoq::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t most_warnings = 10;
constexpr const char* library_name = "stoq_template.so";

/// Beside the folder of plugins, of the build or the installation.
fs::path find_library() {
  std::error_code ignored;
  const auto program = fs::read_symlink("/proc/self/exe", ignored);
  for (const auto* relative : {"../" STOQ_LIBDIR "/stoq", "../lib/stoq"}) {
    auto file = (program.parent_path() / relative / library_name).lexically_normal();
    if (fs::exists(file, ignored)) return file;
  }
  throw ConfigError(std::string("this stoq was built without ") + library_name +
                    "; install python3-dev and pybind11-dev, and build it again");
}

MakeTemplateRenderer load_library() {
  const auto file = find_library();
  // Never unloaded, as plugins are not.
  void* const handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) {
    throw ConfigError(std::string(::dlerror()) + "; install the package libpython3-dev");
  }
  void* const made = ::dlsym(handle, "stoq_make_template_renderer");
  if (made == nullptr) throw ConfigError(file.string() + " is not of this stoq; install it again");
  return reinterpret_cast<MakeTemplateRenderer>(made);
}

/// The names of the files in a folder of templates.
std::string names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.is_regular_file(ignored)) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  std::string list;
  for (const auto& name : names) (list += list.empty() ? "" : ", ") += name;
  return list;
}

}  // namespace

Templates::Templates(const Config& config, const std::vector<FoundPlugin>& plugins, Log& log)
    : log_(log) {
  try {
    renderer_.reset(load_library()(request_of(config, plugins)));
  } catch (const Error& error) {
    log_.write(LogLevel::error, {},
               "--template " + config.template_name + ": " + support::one_line(error.what()) +
                   "; results are saved as JSON");
  }
}

Templates::~Templates() {
  if (failed_ == 0) return;
  log_.write(LogLevel::error, {},
             std::to_string(failed_) + " results were saved as JSON, because the template failed");
}

TemplateRequest Templates::request_of(const Config& config,
                                      const std::vector<FoundPlugin>& plugins) const {
  const auto& name = config.template_name;
  if (name.find('/') != name.npos || name.starts_with('.')) {
    throw ConfigError("no name of a template; give its file name, such as stdout.tpl");
  }
  TemplateRequest request{name, {}, config.workers.size() == 1, config.limits.plugin_timeout};
  std::string others, folders;
  for (const auto& worker : config.workers) {
    const auto found = std::find_if(plugins.begin(), plugins.end(), [&](const FoundPlugin& one) {
      return one.category == Category::worker && one.name == worker;
    });
    if (found == plugins.end()) continue;
    const auto folder = fs::absolute(found->folder / "templates").lexically_normal();
    std::error_code ignored;
    if (fs::is_regular_file(folder / name, ignored)) {
      request.places.push_back({worker, folder.string()});
      continue;
    }
    (folders += folders.empty() ? "" : ", ") += folder.string();
    if (const auto list = names_in(folder); !list.empty()) {
      (others += others.empty() ? "" : ", ") += list;
    }
  }
  if (!request.places.empty()) return request;
  if (folders.empty()) throw ConfigError("templates belong to workers, and none runs; name one");
  throw ConfigError("there is no such template in " + folders +
                    (others.empty() ? "; put it there" : "; there is " + others));
}

void Templates::warn(const std::string& problem) {
  ++failed_;
  if (problem == last_problem_ || warnings_ == most_warnings) return;
  last_problem_ = problem;
  ++warnings_;
  log_.write(LogLevel::error, {},
             "template " + problem + "; correct it there: until then results are saved as JSON");
}

std::string_view Templates::render(std::string_view lines) {
  if (!renderer_) return lines;
  text_.clear();
  while (!lines.empty()) {
    const auto end = std::min(lines.find('\n'), lines.size() - 1) + 1;
    const auto line = lines.substr(0, end);
    lines.remove_prefix(end);
    try {
      text_ += renderer_->render(line);
    } catch (const MalformedInput& error) {
      warn(support::one_line(error.what()));
      text_ += line;
    }
  }
  return text_;
}

}  // namespace stoq::engine
