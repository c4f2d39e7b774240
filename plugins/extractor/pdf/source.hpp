/// What qpdf reads: a PDF's bytes where they are, with a table of our own making behind them, and a
/// watch on what a hostile file would have qpdf do.
#pragma once

#include <cstdint>
#include <string>

#include <qpdf/InputSource.hh>

#include <stoq/bytes.hpp>
#include <stoq/plugin.hpp>

namespace pdf {

/// How many bytes of objects (streams' contents aside) are still to be read of one PDF: each may
/// cost qpdf a hundred of memory.
class Budget {
 public:
  explicit Budget(std::uint64_t most) noexcept : left_(most) {}
  /// False, from now on, when there are not so many left.
  [[nodiscard]] bool take(std::uint64_t count) noexcept {
    spent_ = spent_ || count > left_;
    if (!spent_) left_ -= count;
    return !spent_;
  }
  [[nodiscard]] bool is_spent() const noexcept { return spent_; }
  [[nodiscard]] std::uint64_t left() const noexcept { return spent_ ? 0 : left_; }

 private:
  std::uint64_t left_;
  bool spent_ = false;
};

/// Keeps references to all but the tail. Reading throws std::runtime_error, which qpdf takes as
/// damage of the object it is about, once the budget is spent or objects refer to one another more
/// deeply than a stack allows (qpdf 11.3 follows a /Length wherever it leads); and LimitReached,
/// which qpdf lets pass, when the request is to stop.
class Source : public InputSource {
 public:
  Source(stoq::ByteView pdf, std::string tail, Budget& budget, const stoq::Request& request);

  qpdf_offset_t findAndSkipNextEOL() override;
  [[nodiscard]] const std::string& getName() const override;
  qpdf_offset_t tell() override;
  void seek(qpdf_offset_t offset, int whence) override;
  void rewind() override;
  std::size_t read(char* to, std::size_t length) override;
  void unreadCh(char ch) override;

 private:
  [[nodiscard]] std::size_t size() const noexcept { return pdf_.size() + tail_.size(); }
  [[nodiscard]] char at(std::size_t offset) const noexcept;
  void watch(std::size_t length);

  stoq::ByteView pdf_;
  std::string tail_;
  Budget& budget_;
  const stoq::Request& request_;
  std::size_t offset_ = 0;
  std::size_t reads_ = 0;
  bool free_read_ = false;  ///< qpdf looks at the beginning of a line, and makes nothing of most
  std::uintptr_t stack_;
};

}  // namespace pdf
