#include "source.hpp"

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <utility>

namespace pdf {
namespace {

/// A hundred objects deep; a sound file needs one or two.
constexpr std::uintptr_t most_stack = std::uintptr_t{256} << 10;

/// qpdf reads objects in pieces of 128 bytes, and what streams hold in large ones.
constexpr std::size_t object_read = 512;

/// Where this thread's stack has got to.
[[gnu::noinline]] std::uintptr_t stack_place() noexcept {
  return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}

}  // namespace

Source::Source(stoq::ByteView pdf, std::string tail, Budget& budget, const stoq::Request& request)
    : pdf_(pdf),
      tail_(std::move(tail)),
      budget_(budget),
      request_(request),
      stack_(stack_place()) {}

char Source::at(std::size_t offset) const noexcept {
  return offset < pdf_.size() ? stoq::as_chars(pdf_)[offset] : tail_[offset - pdf_.size()];
}

qpdf_offset_t Source::findAndSkipNextEOL() {
  free_read_ = true;
  const auto is_end = [](char c) { return c == '\r' || c == '\n'; };
  if (offset_ < pdf_.size()) {
    const auto rest = stoq::as_chars(pdf_).substr(offset_);
    offset_ +=
        static_cast<std::size_t>(std::find_if(rest.begin(), rest.end(), is_end) - rest.begin());
  }
  while (offset_ < size() && !is_end(at(offset_))) ++offset_;
  offset_ = std::min(offset_, size());
  const auto end = offset_;
  while (offset_ < size() && is_end(at(offset_))) ++offset_;
  return static_cast<qpdf_offset_t>(end);
}

const std::string& Source::getName() const {
  static const std::string name = "pdf";
  return name;
}

qpdf_offset_t Source::tell() { return static_cast<qpdf_offset_t>(offset_); }

void Source::seek(qpdf_offset_t offset, int whence) {
  qpdf_offset_t base = 0;
  if (whence == SEEK_CUR) base = tell();
  if (whence == SEEK_END) base = static_cast<qpdf_offset_t>(size());
  qpdf_offset_t target = 0;
  if (__builtin_add_overflow(base, offset, &target) || target < 0) {
    throw std::runtime_error("an offset that no file has");
  }
  offset_ = static_cast<std::size_t>(target);
}

void Source::rewind() { offset_ = 0; }

std::size_t Source::read(char* to, std::size_t length) {
  watch(length);
  if (offset_ >= size()) {
    setLastOffset(static_cast<qpdf_offset_t>(size()));
    return 0;
  }
  setLastOffset(tell());
  const auto count = std::min(length, size() - offset_);
  std::size_t done = 0;
  if (offset_ < pdf_.size()) {
    const auto part = stoq::as_chars(pdf_).substr(offset_, count);
    done = part.copy(to, part.size());
  }
  if (done < count) tail_.copy(to + done, count - done, offset_ + done - pdf_.size());
  offset_ += count;
  return count;
}

void Source::unreadCh(char /*ch*/) {
  if (offset_ > 0) --offset_;
}

void Source::watch(std::size_t length) {
  constexpr std::size_t seldom = 64;
  if ((++reads_ % seldom == 0 || length > object_read) && request_.stop_requested()) {
    throw stoq::LimitReached{"plugin_timeout"};
  }
  const auto place = stack_place();
  if (place < stack_ && stack_ - place > most_stack) {
    throw std::runtime_error("objects refer to one another too deeply");
  }
  const bool is_free = std::exchange(free_read_, false);
  if (!is_free && length <= object_read && !budget_.take(std::min(length, pdf_.size()))) {
    throw std::runtime_error("objects are larger than max_objects allows");
  }
}

}  // namespace pdf
