/// The named steps of the graph and what travels between them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include <stoq/plugin.hpp>

#include "engine/accounts.hpp"

namespace stoq::engine {

struct Lane;
struct RootState;

/// The nodes of the scan graph, in the order in which a payload meets them.
enum class Stage : std::uint8_t {
  admit,
  load,
  dispatch,
  decode,
  extract,
  carve,
  scan,
  assemble,
  order,
  connect
};
inline constexpr std::size_t stage_count = 10;

[[nodiscard]] constexpr std::string_view to_string(Stage stage) noexcept {
  constexpr std::string_view names[] = {"admit", "load", "dispatch", "decode", "extract",
                                        "carve", "scan", "assemble", "order",  "connect"};
  return names[static_cast<std::size_t>(stage)];
}

/// The stage in which plugins of a category run.
[[nodiscard]] constexpr Stage stage_of(Category category) noexcept {
  switch (category) {
    case Category::decoder:
      return Stage::decode;
    case Category::extractor:
      return Stage::extract;
    case Category::carver:
      return Stage::carve;
    default:
      return Stage::scan;
  }
}

/// What time around calls of that category counts for.
[[nodiscard]] constexpr Activity activity_of(Category category) noexcept {
  switch (category) {
    case Category::decoder:
      return Activity::decode;
    case Category::extractor:
      return Activity::extract;
    case Category::carver:
      return Activity::carve;
    default:
      return Activity::scan;
  }
}

/// Work on one root, done by whichever thread takes it.
class Job {
 public:
  explicit Job(RootState& owner) noexcept : root(owner) {}
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  virtual ~Job() = default;
  virtual void run(Lane& lane) = 0;
  /// How many payloads travel in it.
  [[nodiscard]] virtual std::uint64_t payloads() const noexcept { return 1; }

  RootState& root;
};

/// The edges of the cycle: "send, or run it here". Implemented by the graph.
class Handover {
 public:
  Handover() = default;
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;
  virtual ~Handover() = default;

  /// Whether some thread is, or will soon be, short of work. Never with one thread.
  [[nodiscard]] virtual bool hungry() const noexcept = 0;
  /// Sends a job along an edge; takes a token of its root. Never waits.
  virtual void send(Stage from, Stage to, std::shared_ptr<Job> job) = 0;
  /// Counts `payloads` that went along an edge inline.
  virtual void note_inline(Stage from, Stage to, std::uint64_t payloads) noexcept = 0;
  /// Whether the run was told to end.
  [[nodiscard]] virtual bool interrupted() const noexcept = 0;
};

}  // namespace stoq::engine
