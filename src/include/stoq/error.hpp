/// What goes wrong, in the SDK's words. A plugin throws; the engine catches once, at its call into
/// the plugin, and writes status and message into the payload's record.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#define STOQ_PUBLIC __attribute__((visibility("default")))

namespace stoq {

/// How a payload ended, mildest first: when several apply, the worst (greatest) wins.
enum class Status : std::uint8_t {
  ok,
  partial,        ///< a limit cut something
  duplicate,      ///< the same bytes stand earlier under this root, and were scanned there
  known,          ///< known to be of no interest
  filtered,       ///< left out on request (size, glob), or no regular file
  limit,          ///< recorded, not opened: a limit forbids it
  encrypted,      ///< needs a password
  unsupported,    ///< recognised, but no means here to open it
  corrupt,        ///< broken input
  timeout,        ///< a time limit was spent
  out_of_memory,  ///< memory could not be had
  crash,          ///< a plugin's own fault
  io_error        ///< could not be read, or not be archived
};

/// The status as records spell it.
[[nodiscard]] constexpr std::string_view to_string(Status status) noexcept {
  constexpr std::string_view names[] = {
      "ok",          "partial", "duplicate", "known",         "filtered", "limit",   "encrypted",
      "unsupported", "corrupt", "timeout",   "out_of_memory", "crash",    "io_error"};
  return names[static_cast<std::size_t>(status)];
}

/// Base of everything the SDK throws, LimitReached excepted.
class STOQ_PUBLIC Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The payload claimed to be this format and is broken: an everyday event. Status `corrupt`.
class STOQ_PUBLIC MalformedInput : public Error {
 public:
  using Error::Error;
};

/// The payload or member needs a password. Status `encrypted`.
class STOQ_PUBLIC Encrypted : public Error {
 public:
  using Error::Error;
};

/// The format or a method in it is known and cannot be opened here. Status `unsupported`.
class STOQ_PUBLIC Unsupported : public Error {
 public:
  using Error::Error;
};

/// A file could not be read or written. Status `io_error`.
class STOQ_PUBLIC IoError : public Error {
 public:
  using Error::Error;
};

/// A .stoq option is missing or does not parse. Thrown from activate(); ends the run before it
/// starts.
class STOQ_PUBLIC ConfigError : public Error {
 public:
  using Error::Error;
};

/// A limit was reached while a plugin was emitting. Deliberately not a std::exception, so that a
/// plugin's own `catch (std::exception&)` cannot swallow it. Let it pass.
struct STOQ_PUBLIC LimitReached {
  const char* limit;  ///< the limit's name without `max_`, such as "child_bytes"; static storage
};

}  // namespace stoq
