/// Runs a plugin in a test without the engine: loads it, collects what it brings out, and checks.
/// Not for plugins themselves.
#pragma once

#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dlfcn.h>

#include "stoq/plugin.hpp"

namespace stoq::testing {

/// A Buffer on a plain vector, with a limit of its own.
class VectorBuffer : public Buffer {
 public:
  explicit VectorBuffer(std::size_t most) { most_ = most; }

 protected:
  void grow(std::size_t least) override {
    storage_.resize(std::max(least, 2 * storage_.size()));
    data_ = storage_.data();
    capacity_ = storage_.size();
  }
  void charge() override { charged_ = size_; }

 private:
  std::vector<std::byte> storage_;
};

/// One child as a plugin gave it.
struct Child {
  std::string bytes;
  ChildInfo info;
  Status status = Status::ok;
  std::string message;
};

/// Collects children in order; drops what is larger than `max_child_bytes`.
class Collector : public Children {
 public:
  explicit Collector(std::size_t max_child_bytes = std::size_t{256} << 20)
      : most_(max_child_bytes) {}

  void emit(Bytes bytes, ChildInfo info) override {
    children.push_back({std::string(as_chars(bytes.view())), std::move(info), Status::ok, {}});
  }
  bool produce(ChildInfo info, std::uint64_t, Fill fill) override {
    VectorBuffer buffer(most_);
    Child child{{}, std::move(info), Status::ok, {}};
    try {
      fill(buffer);
    } catch (const LimitReached&) {
      if (!child.info.keep_prefix) return ++dropped, false;
      child.status = Status::partial;
    } catch (const Encrypted& error) {
      fail(child, Status::encrypted, error);
    } catch (const Unsupported& error) {
      fail(child, Status::unsupported, error);
    } catch (const MalformedInput& error) {
      fail(child, Status::corrupt, error);
    }
    child.bytes = std::string(as_chars(buffer.view()));
    children.push_back(std::move(child));
    return children.back().status == Status::ok;
  }
  void each(std::size_t count, Member member) override {
    declare(count);
    for (std::size_t i = 0; i < count; ++i) member(i, *this);
  }
  void lost(ChildInfo info, Status status, std::string_view message) override {
    children.push_back({{}, std::move(info), status, std::string(message)});
  }
  void declare(std::uint64_t count) override { declared += count; }
  [[nodiscard]] std::size_t max_child_bytes() const noexcept override { return most_; }

  /// Names the children that came without a name as the engine does.
  void name_children(const Plugin& plugin, std::string_view payload_name) {
    for (auto& child : children) {
      if (child.info.name.empty()) child.info.name = plugin.child_name(payload_name);
    }
  }

  std::vector<Child> children;
  std::uint64_t declared = 0;
  std::uint64_t dropped = 0;

 private:
  static void fail(Child& child, Status status, const Error& error) {
    child.status = status;
    child.message = error.what();
  }
  std::size_t most_;
};

/// A host that keeps the log's lines, and has the readers that it is given. Plugins may log on
/// several threads at once.
class QuietHost : public Host {
 public:
  void log(LogLevel, std::string_view message) override {
    const std::lock_guard lock(mutex_);
    lines_.emplace_back(message);
  }
  /// What was logged so far, the first line first.
  [[nodiscard]] std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  [[nodiscard]] const Reader* reader(std::string_view name) override {
    const auto found = readers.find(name);
    return found == readers.end() ? nullptr : found->second;
  }
  [[nodiscard]] unsigned threads() const noexcept override { return 1; }

  std::map<std::string, const Reader*, std::less<>> readers;  ///< not owned

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

/// Collects what a source delivers, in order.
class Delivered : public Intake {
 public:
  bool put(Root root) override {
    roots.push_back(std::move(root));
    return true;
  }
  bool produce(Root root, std::uint64_t expected, Children::Fill fill) override {
    Collector collector;
    collector.produce({}, expected, fill);
    if (collector.children.empty()) return true;  // too large
    auto& made = collector.children.front();
    root.bytes = Bytes::own(std::move(made.bytes));
    root.status = made.status;
    root.message = std::move(made.message);
    return put(std::move(root));
  }
  void expect(std::uint64_t, std::uint64_t) override {}
  void flush() override { ++flushes; }

  std::vector<Root> roots;
  std::size_t flushes = 0;
};

/// A payload of these bytes.
inline Payload payload(std::string_view bytes, std::string_view name = {}) {
  Payload made;
  made.bytes = Bytes::own(std::string(bytes));
  made.name = name;
  return made;
}

/// A plugin as it was built: loaded, activated with these options, deactivated at the end. What
/// stands in its .stoq file is not read, and there are no readers but those given. Throws
/// ConfigError when the library is no plugin of these headers, and what activate() throws.
class BuiltPlugin {
 public:
  explicit BuiltPlugin(const std::string& library, const Options::Map& options = {},
                       std::map<std::string, const Reader*, std::less<>> readers = {}) {
    host.readers = std::move(readers);
    // Never unloaded, as in the engine.
    void* const handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (handle == nullptr) throw ConfigError(dlerror());
    const auto* const found = static_cast<const PluginDescriptor*>(dlsym(handle, "stoq_plugin"));
    if (found == nullptr || found->magic != plugin_magic || found->abi != abi_version) {
      throw ConfigError(library + " is no plugin of these headers");
    }
    plugin_.reset(found->create());
    Options given(library, options);
    plugin_->activate(given, host);
  }
  BuiltPlugin(const BuiltPlugin&) = delete;
  BuiltPlugin& operator=(const BuiltPlugin&) = delete;
  ~BuiltPlugin() { plugin_->deactivate(); }

  /// The plugin as its category: `as<stoq::Worker>()`. Throws std::bad_cast.
  template <class P>
  [[nodiscard]] P& as() const {
    return dynamic_cast<P&>(*plugin_);
  }

  QuietHost host;

 private:
  std::unique_ptr<Plugin> plugin_;
};

/// Says on standard error what does not hold, and where: enough for a test's main().
class Checks {
 public:
  void that(bool holds, std::string_view what,
            std::source_location where = std::source_location::current()) {
    if (holds) return;
    ++failed_;
    std::cerr << where.file_name() << ':' << where.line() << ": " << what << '\n';
  }
  /// What both are is said where they differ.
  template <class A, class B>
  void equal(const A& is, const B& wanted,
             std::source_location where = std::source_location::current()) {
    if (is == wanted) return;
    that(false, "not equal", where);
    std::cerr << "  is:     " << is << "\n  wanted: " << wanted << '\n';
  }
  /// Whether `call` throws an E.
  template <class E, class Call>
  void throws(Call call, std::source_location where = std::source_location::current()) {
    bool thrown = false;
    try {
      call();
    } catch (const E&) {
      thrown = true;
    }
    that(thrown, "it does not throw what it should", where);
  }
  /// What main() returns: 0 when everything held.
  [[nodiscard]] int exit_code() const noexcept { return failed_ == 0 ? 0 : 1; }

 private:
  int failed_ = 0;
};

}  // namespace stoq::testing
