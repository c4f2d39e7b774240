/// Runs a plugin in a test without the engine: collects what it brings out.
#pragma once

#include <string>
#include <utility>
#include <vector>

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

/// A host that keeps the log's lines.
class QuietHost : public Host {
 public:
  void log(LogLevel, std::string_view message) override { lines.emplace_back(message); }
  [[nodiscard]] const Reader* reader(std::string_view) const noexcept override { return nullptr; }
  [[nodiscard]] unsigned threads() const noexcept override { return 1; }

  std::vector<std::string> lines;
};

}  // namespace stoq::testing
