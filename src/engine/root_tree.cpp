#include "engine/root_tree.hpp"

#include <algorithm>
#include <numeric>

#include "engine/entry.hpp"

namespace stoq::engine {
namespace {

enum class Mark : std::uint8_t { unseen, open, done };

}  // namespace

RootTree::RootTree(const RootResults& root, bool cut)
    : root_(root), cut_(cut), begin_(root.contents.size() + 1) {
  const auto& all = root.occurrences;
  if (all.empty()) return;
  order_.resize(all.size() - 1);
  std::iota(order_.begin(), order_.end(), 1U);
  std::sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::pair(all[a].parent, all[a].ordinal) < std::pair(all[b].parent, all[b].ordinal);
  });
  for (const auto number : order_) ++begin_[all[number].parent + 1];
  std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
}

void RootTree::walk(FunctionRef<bool(const Visit&)> visit) const {
  if (root_.occurrences.empty()) return;
  // Most roots hold nothing.
  if (order_.empty()) {
    const bool known = root_.occurrences.front().content != no_content;
    visit({known ? Visit::Kind::first : Visit::Kind::no_bytes, 0, 0, cut_});
    return;
  }
  struct Frame {
    ContentId content;
    std::uint32_t next, end;
    bool cut;
  };
  std::vector<Mark> marks(root_.contents.size(), Mark::unseen);
  std::vector<Frame> stack;
  const auto enter = [&](std::uint32_t number) {
    const auto content = root_.occurrences[number].content;
    const auto depth = static_cast<std::uint32_t>(stack.size());
    const auto status = root_.occurrences[number].status;
    const bool cut = stack.empty() ? cut_
                                   : status == Status::partial ||
                                         (status == Status::corrupt && stack.back().cut);
    auto kind = Visit::Kind::no_bytes;
    if (content != no_content) {
      kind = marks[content] == Mark::unseen ? Visit::Kind::first
             : marks[content] == Mark::open ? Visit::Kind::quine
                                            : Visit::Kind::duplicate;
    }
    if (kind == Visit::Kind::first) {
      marks[content] = Mark::open;
      stack.push_back({content, begin_[content], begin_[content + 1], cut});
    }
    return visit({kind, number, depth, cut});
  };
  bool going = enter(0);
  while (going && !stack.empty()) {
    auto& top = stack.back();
    if (top.next == top.end) {
      marks[top.content] = Mark::done;
      stack.pop_back();
    } else {
      going = enter(order_[top.next++]);
    }
  }
}

bool differs_from_canonical(const RootResults& root, const RootTree& tree, std::uint64_t max_depth,
                            bool workers_read_names, ChildNames names) {
  bool differs = false;
  Spool::Reader reader(root.spool);
  const auto entry_of = [&](std::uint32_t occurrence) {
    return unpack_occurrence(reader.read(root.occurrences[occurrence].entry));
  };
  const bool any_reads =
      workers_read_names || std::any_of(root.contents.begin(), root.contents.end(),
                                        [](const Content& one) { return one.reads_name; });
  tree.walk([&](const Visit& visit) {
    if (visit.kind != Visit::Kind::first) return true;
    OccurrenceView here;
    if (any_reads) {
      here = entry_of(visit.occurrence);
      names.give(visit.depth, here);
    }
    const auto& content = root.contents[root.occurrences[visit.occurrence].content];
    const bool deep = visit.depth >= max_depth;
    const bool was_deep = content.depth >= max_depth;
    if (content.expandable && deep != was_deep) differs = true;
    const bool read = content.reads_name || workers_read_names;
    if (visit.depth != content.depth && read) differs = true;
    if (!differs && read) differs = here.name != entry_of(content.claimed_by).name;
    return !differs;
  });
  return differs;
}

}  // namespace stoq::engine
