#include "engine/account.hpp"

#include <algorithm>
#include <utility>

#include "engine/payload_path.hpp"
#include "engine/root_state.hpp"

namespace stoq::engine {
namespace {

constexpr std::string_view untyped_format = "(not typed)";
constexpr std::string_view known_format = "(duplicate)";
constexpr std::string_view no_bytes_format = "(no bytes)";

std::uint64_t not_negative(std::int64_t value) noexcept {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
}

/// A root scanned again numbers its contents anew.
std::uint64_t key_of(const RootState& root, ContentId content) noexcept {
  return (root.number * 2 + (root.canonical ? 1 : 0)) << 32 | content;
}

bool slower(const SlowCall& a, const SlowCall& b) noexcept { return a.cost.cpu > b.cost.cpu; }

}  // namespace

// --- Spells -----------------------------------------------------------------------------------

Spell::Spell(Account* account, Activity activity) noexcept
    : Spell(account, account != nullptr ? &account->total(activity) : nullptr) {}

Spell::Spell(Account* account, Cost* total) noexcept : account_(account), total_(total) {
  if (account_ == nullptr) return;
  account_->accrue();
  outer_ = std::exchange(account_->current_, this);
}

void Spell::end() noexcept {
  if (account_ == nullptr) return;
  account_->accrue();
  account_->current_ = outer_;
  if (account_->payload_ != nullptr) account_->payload_->cost_ += cost_;
  *total_ += cost_;
  account_ = nullptr;
}

CallSpell::CallSpell(Account* account, std::size_t plugin, std::uint64_t bytes, Extent extent)
    : Spell(account, account != nullptr ? &account->calls_[plugin].cost : nullptr),
      plugin_(plugin),
      bytes_(bytes),
      extent_(extent) {
  if (account == nullptr) return;
  number_ = account->open_calls_.size();
  const std::uint64_t calls = extent == Extent::whole ? 1 : 0;
  account->open_calls_.push_back({plugin, {calls, calls * bytes, {}}});
  outer_call_ = std::exchange(account->call_, this);
}

void CallSpell::close() noexcept {
  auto* account = account_;
  if (account == nullptr) return;
  end();
  account->call_ = outer_call_;
  account->open_calls_[number_].share.cost = cost_;
  if (extent_ != Extent::whole) return;
  auto& calls = account->calls_[plugin_];
  calls.cpu.add(not_negative(cost_.cpu));
  calls.wall.add(not_negative(cost_.wall));
}

void CallSpell::finish() {
  auto* account = account_;
  if (account == nullptr) return;
  close();
  account->consider(*this);
}

BackInCall::BackInCall(Account* account) noexcept : account_(account) {
  if (account_ == nullptr) return;
  account_->accrue();
  outer_ = std::exchange(account_->current_, account_->call_);
}

BackInCall::~BackInCall() {
  if (account_ == nullptr) return;
  account_->accrue();
  account_->current_ = outer_;
}

PayloadSpell::PayloadSpell(Account* account, RootState& root, std::uint64_t bytes) noexcept
    : account_(account), root_(root), payloads_(1), bytes_(bytes) {
  if (account_ == nullptr) return;
  first_call_ = account_->open_calls_.size();
  outer_ = std::exchange(account_->payload_, this);
}

PayloadSpell::PayloadSpell(Account* account, RootState& root, std::uint32_t content, Part)
    : account_(account), root_(root), content_(content) {
  if (account_ == nullptr) return;
  first_call_ = account_->open_calls_.size();
  outer_ = std::exchange(account_->payload_, this);
  account_->parted();
}

PayloadSpell::~PayloadSpell() {
  if (account_ == nullptr) return;
  account_->payload_ = outer_;
  auto& calls = account_->open_calls_;
  const auto add_to = [&](PayloadSums& sums) {
    sums.payloads += payloads_;
    sums.bytes += bytes_;
    sums.out += out_;
    sums.cost += cost_;
    for (auto i = first_call_; i < calls.size(); ++i) sums.calls[calls[i].plugin] += calls[i].share;
  };
  if (part_ != nullptr) {
    add_to(*part_);
    if (format_ != nullptr && (typed_ || !part_->typed)) part_->format = &format_->first;
    part_->typed = part_->typed || typed_;
  } else if (format_ != nullptr) {
    add_to(format_->second);
    format_->second.cpu.add(not_negative(cost_.cpu));
    format_->second.wall.add(not_negative(cost_.wall));
  }
  calls.resize(first_call_);
}

// --- Account ----------------------------------------------------------------------------------

Account::Account(const Ticks& ticks, Activity base, std::size_t plugins, std::size_t slowest)
    : ticks_(ticks),
      base_(nullptr, &total(base)),
      current_(&base_),
      call_(&base_),
      calls_(plugins),
      most_slowest_(slowest) {}

void Account::arrive() noexcept {
  last_ = ticks_.now();
  settled_at_ = thread_cpu();
  unsettled_ = 0;
}

void Account::depart() noexcept {
  accrue(0);
  *base_.total_ += std::exchange(base_.cost_, {});
}

void Account::accrue(std::int64_t settle_from) noexcept {
  const auto now = ticks_.now();
  const auto wall = ticks_.nanoseconds(now - last_);
  last_ = now;
  auto cpu = wall;
  unsettled_ += wall;
  if (unsettled_ >= settle_from) {
    const auto clock = thread_cpu();
    cpu = clock - settled_at_ - (unsettled_ - wall);
    settled_at_ = clock;
    unsettled_ = 0;
  }
  current_->cost_ += {cpu, wall};
}

void Account::claimed(std::uint32_t content, bool fresh) {
  payload_->content_ = content;
  if (!fresh) payload_->format_ = &format(content == no_content ? no_bytes_format : known_format);
}

void Account::typed(std::string_view type, bool by_workers) {
  if (payload_ == nullptr) return;
  payload_->format_ = &format(type.empty() ? untyped_format : type);
  payload_->typed_ = by_workers;
  if (!payload_->among_slowest_) return;
  for (auto& call : slowest_) {
    if (call.key == key_of(payload_->root_, payload_->content_))
      call.format = payload_->format_->first;
  }
}

void Account::parted() {
  if (payload_ == nullptr || payload_->part_ != nullptr) return;
  const auto key = key_of(payload_->root_, payload_->content_);
  payload_->part_ = &parts_.try_emplace(key, calls_.size()).first->second;
}

Account::Formats::value_type& Account::format(std::string_view name) {
  auto known = formats_.find(name);
  if (known == formats_.end()) {
    known = formats_.try_emplace(std::string(name)).first;
    known->second.calls.resize(calls_.size());
  }
  return *known;
}

void Account::consider(const CallSpell& call) {
  // What came before the payload had a number has no path to be shown by.
  if (payload_ == nullptr || payload_->content_ == UINT32_MAX || most_slowest_ == 0) return;
  if (slowest_.size() == most_slowest_) {
    if (call.cost_.cpu <= slowest_.front().cost.cpu) return;
    std::pop_heap(slowest_.begin(), slowest_.end(), slower);
    slowest_.pop_back();
  }
  slowest_.push_back({key_of(payload_->root_, payload_->content_), call.plugin_, call.bytes_,
                      call.cost_, path_of(payload_->root_, payload_->content_),
                      payload_->format_ != nullptr ? payload_->format_->first : std::string()});
  std::push_heap(slowest_.begin(), slowest_.end(), slower);
  payload_->among_slowest_ = true;
}

// --- Sums -------------------------------------------------------------------------------------

void Account::add_to(Accounts& all) const {
  for (std::size_t i = 0; i < activity_count; ++i) all.activities[i] += activities_[i];
  all.calls.resize(calls_.size());
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    all.calls[i].cost += calls_[i].cost;
    all.calls[i].cpu.merge(calls_[i].cpu);
    all.calls[i].wall.merge(calls_[i].wall);
  }
  for (const auto& [name, one] : formats_) {
    // A type that the workers replaced by a better one.
    if (one.payloads == 0) continue;
    auto& sum = all.formats[name];
    sum.add(one);
    sum.cpu.merge(one.cpu);
    sum.wall.merge(one.wall);
  }
  for (const auto& call : slowest_) {
    const auto same = std::find_if(all.slowest.begin(), all.slowest.end(), [&](const auto& known) {
      return known.key == call.key && known.plugin == call.plugin;
    });
    if (same == all.slowest.end()) {
      all.slowest.push_back(call);
    } else {
      same->cost += call.cost;
      if (same->format.empty()) same->format = call.format;
    }
  }
}

void Account::join_parts(const std::vector<const Account*>& accounts, Accounts& all) {
  std::map<std::uint64_t, PayloadPart> joined;
  for (const auto* account : accounts) {
    for (const auto& [key, part] : account->parts_) {
      auto& sum = joined.try_emplace(key, part.calls.size()).first->second;
      sum.add(part);
      if (part.format != nullptr && (part.typed || !sum.typed)) sum.format = part.format;
      sum.typed = sum.typed || part.typed;
    }
  }
  for (const auto& [key, part] : joined) {
    const std::string name = part.format != nullptr ? *part.format : std::string(untyped_format);
    auto& format = all.formats[name];
    format.add(part);
    format.cpu.add(not_negative(part.cost.cpu));
    format.wall.add(not_negative(part.cost.wall));
    for (auto& call : all.slowest) {
      if (call.key == key) call.format = name;
    }
  }
  std::stable_sort(all.slowest.begin(), all.slowest.end(), slower);
}

}  // namespace stoq::engine
