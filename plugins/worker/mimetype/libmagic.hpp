/// libmagic behind RAII. One handle serves one thread at a time.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>

#include <magic.h>

#include <stoq/bytes.hpp>

class Libmagic {
 public:
  /// `window`: how much of a payload it looks at. Throws ConfigError without memory.
  explicit Libmagic(std::size_t window);

  /// Loads a database, "" for the system's; throws ConfigError when there is none.
  void load(const std::string& database);
  /// Loads compiled databases, which must outlive this or the next load. False: see error().
  [[nodiscard]] bool load(std::initializer_list<std::span<const std::byte>> databases);

  /// The MIME type, valid until the next call; null when libmagic fails: see error(). `omitted`:
  /// checks to leave out, MAGIC_NO_CHECK_*.
  [[nodiscard]] const char* type(stoq::ByteView bytes, int omitted) const;
  [[nodiscard]] std::string error() const;

 private:
  struct Close {
    void operator()(::magic_t handle) const noexcept { ::magic_close(handle); }
  };
  void set(int parameter, std::size_t value) { ::magic_setparam(handle_.get(), parameter, &value); }

  std::unique_ptr<::magic_set, Close> handle_;
};

/// How far libmagic looks for an encoding: its own bound, written down so that another release's
/// cannot loosen it.
inline constexpr std::size_t encoding_window = 65536;
