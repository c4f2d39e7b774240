/// Jinja2 in an embedded CPython. All of Python lives on one thread, so that a template which does
/// not end can be interrupted, and left alone if even that fails.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <dlfcn.h>
#include <pybind11/embed.h>

#include "engine/template_renderer.hpp"
#include "render_py.hpp"

namespace py = pybind11;

namespace {

using stoq::engine::TemplateRequest;

/// What cannot be interrupted is left alone after so long.
constexpr std::chrono::seconds grace{5};

/// The interpreter, on the thread that made it. Nothing of the user's environment reaches it.
class Interpreter {
 public:
  Interpreter() {
    // Python's own libraries look for its symbols among all that are loaded.
    Dl_info about{};
    if (::dladdr(reinterpret_cast<void*>(&Py_InitializeFromConfig), &about) != 0) {
      ::dlopen(about.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
    }
    PyPreConfig before;
    PyPreConfig_InitIsolatedConfig(&before);
    before.utf8_mode = 1;
    check(Py_PreInitialize(&before));
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.write_bytecode = 0;
    // Not the first python3 along $PATH, which may be one of a virtual environment.
    check(PyConfig_SetBytesString(&config, &config.program_name, "/usr/bin/python3"));
    const auto status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    check(status);
  }
  ~Interpreter() { py::finalize_interpreter(); }
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

 private:
  static void check(PyStatus status) {
    if (PyStatus_Exception(status) == 0) return;
    throw stoq::ConfigError(std::string("Python cannot be started: ") +
                            (status.err_msg != nullptr ? status.err_msg : "it does not say why"));
  }
};

struct Answer {
  std::string text;
  std::string problem;  ///< empty: none
};

/// What both threads see.
struct Shared {
  std::mutex mutex;
  std::condition_variable changed;
  bool started = false, ending = false;
  std::exception_ptr failure;           ///< of the start
  std::optional<std::string> document;  ///< to be rendered
  std::optional<Answer> answer;
  std::atomic<std::uint64_t> job{0};  ///< odd while one is rendered
  unsigned long python = 0;           ///< Python's name of its thread
  PyObject* time_is_up = nullptr;
};

/// Has an exception raised on Python's thread, between two steps of whatever it runs. Waits until
/// Python lets go of its lock between such steps, which it may never do.
void raise_time_is_up(const Shared& shared, std::uint64_t job) {
  const py::gil_scoped_acquire lock;
  // It may have ended after all.
  if (shared.job.load() == job) PyThreadState_SetAsyncExc(shared.python, shared.time_is_up);
}

std::string one_line(const py::error_already_set& error) {
  std::string text = py::str(error.value());
  for (auto& c : text) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return text;
}

py::object make_renderer(const TemplateRequest& request, Shared& shared) {
  auto scope = py::module_::import("__main__").attr("__dict__");
  try {
    py::exec(stoq_render_py, scope);
  } catch (const py::error_already_set& error) {
    if (!error.matches(PyExc_ImportError)) throw;
    throw stoq::ConfigError("Jinja2 cannot be had (" + one_line(error) +
                            "); install the package python3-jinja2");
  }
  shared.time_is_up = scope["TimeIsUp"].ptr();
  shared.python = PyThread_get_thread_ident();
  py::list places;
  for (const auto& place : request.places) {
    places.append(py::make_tuple(place.worker, place.folder));
  }
  try {
    return scope["Renderer"](request.name, places, request.one_worker);
  } catch (const py::error_already_set& error) {
    throw stoq::MalformedInput(one_line(error));
  }
}

Answer render(const py::object& renderer, const std::string& document) {
  try {
    return {renderer.attr("render")(py::bytes(document)).cast<std::string>(), {}};
  } catch (const py::error_already_set& error) {
    return {{}, one_line(error)};
  }
}

void serve(const py::object& renderer, Shared& shared) {
  std::unique_lock lock(shared.mutex);
  for (;;) {
    shared.changed.wait(lock, [&] { return shared.ending || shared.document; });
    if (shared.ending) return;
    const auto document = *std::exchange(shared.document, std::nullopt);
    lock.unlock();
    Answer answer;
    {
      const py::gil_scoped_acquire python;
      // What came too late for the one before is not for this one.
      PyThreadState_SetAsyncExc(shared.python, nullptr);
      answer = render(renderer, document);
      ++shared.job;
    }
    lock.lock();
    shared.answer = std::move(answer);
    shared.changed.notify_all();
  }
}

/// The body of Python's thread.
void run(const TemplateRequest& request, Shared& shared) {
  const auto started = [&](std::exception_ptr failure) {
    const std::lock_guard lock(shared.mutex);
    shared.started = true;
    shared.failure = std::move(failure);
    shared.changed.notify_all();
  };
  try {
    const Interpreter python;
    std::exception_ptr failure;
    py::object renderer;
    try {
      renderer = make_renderer(request, shared);
    } catch (const py::error_already_set& error) {
      failure = std::make_exception_ptr(stoq::ConfigError(one_line(error)));
    } catch (const stoq::Error&) {
      failure = std::current_exception();
    }
    started(failure);
    if (!failure) {
      const py::gil_scoped_release others;
      serve(renderer, shared);
    }
    renderer = {};
  } catch (const stoq::Error&) {
    started(std::current_exception());
  }
}

class Renderer final : public stoq::engine::TemplateRenderer {
 public:
  explicit Renderer(const TemplateRequest& request)
      : shared_(std::make_shared<Shared>()),
        time_(std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::duration<double>(request.seconds))),
        thread_([request, shared = shared_] { run(request, *shared); }) {
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait(lock, [this] { return shared_->started; });
    if (!shared_->failure) return;
    const auto failure = shared_->failure;
    lock.unlock();
    thread_.join();
    std::rethrow_exception(failure);
  }

  ~Renderer() override {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(shared_->mutex);
      shared_->ending = true;
      shared_->changed.notify_all();
    }
    thread_.join();
  }
  Renderer(const Renderer&) = delete;
  Renderer& operator=(const Renderer&) = delete;

  [[nodiscard]] std::string render(std::string_view document) override {
    if (!thread_.joinable()) throw stoq::MalformedInput("the template still runs, and is left out");
    std::unique_lock lock(shared_->mutex);
    const auto job = ++shared_->job;
    shared_->document = std::string(document);
    shared_->changed.notify_all();
    const auto done = [this] { return shared_->answer.has_value(); };
    if (!shared_->changed.wait_for(lock, time_, done)) {
      std::thread stopper([shared = shared_, job] { raise_time_is_up(*shared, job); });
      if (!shared_->changed.wait_for(lock, grace, done)) {
        stopper.detach();
        thread_.detach();
        throw stoq::MalformedInput("does not end in time, and cannot be interrupted");
      }
      lock.unlock();
      stopper.join();
      lock.lock();
    }
    auto answer = *std::exchange(shared_->answer, std::nullopt);
    if (!answer.problem.empty()) throw stoq::MalformedInput(answer.problem);
    return std::move(answer.text);
  }

 private:
  std::shared_ptr<Shared> shared_;
  std::chrono::milliseconds time_;
  std::thread thread_;
};

}  // namespace

extern "C" {
STOQ_PUBLIC stoq::engine::TemplateRenderer* stoq_make_template_renderer(
    const TemplateRequest& request) {
  return std::make_unique<Renderer>(request).release();
}
}
