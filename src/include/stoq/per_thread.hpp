#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

namespace stoq {

/// Scratch state of a plugin (a decompressor, a scanner) that is dear to make and not thread-safe:
/// taken for one call, given back after it, nearly always to the same thread. Safe where one thread
/// re-enters the plugin (a zip in a zip): the inner call gets an object of its own. Lock-free.
template <class T>
class PerThread {
 public:
  /// `make` is called on whatever thread finds its slot empty.
  explicit PerThread(std::function<std::unique_ptr<T>()> make =
                         [] { return std::make_unique<T>(); })
      : make_(std::move(make)) {}
  PerThread(const PerThread&) = delete;
  PerThread& operator=(const PerThread&) = delete;
  ~PerThread() {
    for (auto& slot : slots_) std::unique_ptr<T>(slot.exchange(nullptr)).reset();
  }

  /// An object on loan; given back when the lease ends.
  class Lease {
   public:
    Lease(std::atomic<T*>& slot, std::unique_ptr<T> object) noexcept
        : slot_(&slot), object_(std::move(object)) {}
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() {
      if (object_) object_.reset(slot_->exchange(object_.release(), std::memory_order_acq_rel));
    }
    T& operator*() const noexcept { return *object_; }
    T* operator->() const noexcept { return object_.get(); }
    /// Throws the object away instead of giving it back (it may be in a bad state).
    void discard() noexcept { object_.reset(); }

   private:
    std::atomic<T*>* slot_;
    std::unique_ptr<T> object_;
  };

  /// Thread-safe; may call `make`, and throws what that throws.
  [[nodiscard]] Lease lease() const {
    auto& slot = slots_[std::hash<std::thread::id>{}(std::this_thread::get_id()) % slots_.size()];
    std::unique_ptr<T> object(slot.exchange(nullptr, std::memory_order_acq_rel));
    if (!object) object = make_();
    return Lease(slot, std::move(object));
  }

 private:
  std::function<std::unique_ptr<T>()> make_;
  mutable std::array<std::atomic<T*>, 64> slots_{};
};

}  // namespace stoq
