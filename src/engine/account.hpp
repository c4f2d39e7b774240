/// Who used the CPU: a thread's time, split over a stack of activities. A time counts once, for the
/// innermost activity only, so all of them together are the thread's CPU time. Nothing is shared
/// between threads; a run without accounts pays for a comparison with null at each change.
///
/// Reading the CPU clock is a system call. So time is taken from a cheap clock at every change of
/// activity, and set right against the CPU clock whenever `settle_after` has gone by: a long spell
/// is measured, short ones are taken as having had the processor, and what that was wrong by goes
/// to the spell then under way. The sum is exact.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/accounts.hpp"
#include "engine/ticks.hpp"

namespace stoq::engine {

struct RootState;
class Account;

/// While it lives, its thread's time counts for one activity. With a null account it does nothing.
class Spell {
 public:
  Spell(Account* account, Activity activity) noexcept;
  ~Spell() { end(); }
  Spell(const Spell&) = delete;
  Spell& operator=(const Spell&) = delete;

 protected:
  friend class Account;
  friend class BackInCall;
  Spell(Account* account, Cost* total) noexcept;
  void begin() noexcept;
  void end() noexcept;
  Account* account_;
  Cost* total_ = nullptr;  ///< where it goes in the end
  Cost cost_;              ///< without what is nested
  Spell* outer_ = nullptr;
};

/// A call into a plugin of the scan, or a part of one that another thread took over.
class CallSpell : public Spell {
 public:
  enum class Extent : std::uint8_t { whole, part };
  /// Belongs to the payload that is open in the account.
  CallSpell(Account* account, std::size_t plugin, std::uint64_t bytes,
            Extent extent = Extent::whole);
  ~CallSpell() { close(); }
  CallSpell(const CallSpell&) = delete;
  CallSpell& operator=(const CallSpell&) = delete;
  /// Ends it, and keeps it if it is among the slowest.
  void finish();

 private:
  friend class Account;
  void close() noexcept;
  std::size_t plugin_;
  std::uint64_t bytes_;
  Extent extent_;
  Spell* outer_call_ = nullptr;
  std::size_t number_ = 0;  ///< in the account's list of calls
};

/// Time in which the engine called the plugin back, inside what it does for it.
class BackInCall {
 public:
  explicit BackInCall(Account* account) noexcept;
  ~BackInCall();
  BackInCall(const BackInCall&) = delete;
  BackInCall& operator=(const BackInCall&) = delete;

 private:
  Account* account_;
  Spell* outer_ = nullptr;
};

/// What one thread found of a payload that several work on; joined at the end.
struct PayloadPart : PayloadSums {
  explicit PayloadPart(std::size_t plugins) { calls.resize(plugins); }
  const std::string* format = nullptr;  ///< a name in the formats of the same account
  bool typed = false;                   ///< by the workers: that word stands
};

/// While it lives, spells that end on its thread count for this payload. Payloads nest as they are
/// scanned inline.
class PayloadSpell {
 public:
  /// A payload that begins here.
  PayloadSpell(Account* account, RootState& root, std::uint64_t bytes) noexcept;
  /// A part of one that began elsewhere.
  struct Part {};
  PayloadSpell(Account* account, RootState& root, std::uint32_t content, Part);
  ~PayloadSpell();
  PayloadSpell(const PayloadSpell&) = delete;
  PayloadSpell& operator=(const PayloadSpell&) = delete;

 private:
  friend class Account;
  friend class Spell;

  Account* account_;
  RootState& root_;
  std::uint64_t payloads_ = 0, bytes_ = 0, out_ = 0;
  std::uint32_t content_ = UINT32_MAX;  ///< until it is claimed
  Cost cost_;
  std::pair<const std::string, FormatAccount>* format_ = nullptr;
  PayloadPart* part_ = nullptr;
  bool typed_ = false;  ///< by the workers: the last word
  bool among_slowest_ = false;
  std::size_t first_call_ = 0;
  PayloadSpell* outer_ = nullptr;
};

class alignas(64) Account {
 public:
  /// `base`: what the thread does when nothing else is under way. `slowest`: calls to keep.
  Account(const Ticks& ticks, Activity base, std::size_t plugins, std::size_t slowest);
  Account(const Account&) = delete;
  Account& operator=(const Account&) = delete;

  /// The calling thread's time counts from here on …
  void arrive() noexcept;
  /// … until here. No spell is open.
  void depart() noexcept;

  /// The payload's bytes have this number under its root; not `fresh`: they were met before.
  void claimed(std::uint32_t content, bool fresh);
  /// The payload's type, as far as it is known. `by_workers`: the last word.
  void typed(std::string_view type, bool by_workers);
  /// The payload brought out a child.
  void produced(std::uint64_t bytes) noexcept {
    if (payload_ != nullptr) payload_->out_ += bytes;
  }
  /// Part of the work on the payload goes to another thread.
  void parted();

  /// Adds what was counted here; after the run.
  void add_to(Accounts& all) const;
  /// Adds the parts that the accounts of several threads hold.
  static void join_parts(const std::vector<const Account*>& accounts, Accounts& all);

 private:
  friend class Spell;
  friend class CallSpell;
  friend class BackInCall;
  friend class PayloadSpell;
  struct OpenCall {
    std::size_t plugin = 0;
    CallShare share;
  };
  static constexpr std::int64_t settle_after = 200'000;  // ns: the system call is under 1 % of it

  void accrue(std::int64_t settle_from = settle_after) noexcept;
  void consider(const CallSpell& call);
  [[nodiscard]] Cost& total(Activity activity) noexcept {
    return activities_[static_cast<std::size_t>(activity)];
  }
  using Formats = std::map<std::string, FormatAccount, std::less<>>;
  [[nodiscard]] Formats::value_type& format(std::string_view name);

  const Ticks& ticks_;
  std::array<Cost, activity_count> activities_{};
  Spell base_;
  Spell* current_;
  Spell* call_;
  PayloadSpell* payload_ = nullptr;
  std::int64_t last_ = 0;        // ticks at the last change
  std::int64_t settled_at_ = 0;  // the CPU clock when it was last read
  std::int64_t unsettled_ = 0;   // time given out since then
  std::vector<CallAccount> calls_;
  std::vector<OpenCall> open_calls_;  // of the payloads that are open
  Formats formats_;
  std::unordered_map<std::uint64_t, PayloadPart> parts_;
  std::size_t most_slowest_;
  std::vector<SlowCall> slowest_;  // a heap, the fastest in front
};

}  // namespace stoq::engine
