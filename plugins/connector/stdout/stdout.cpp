/// Results on standard output, as JSON Lines.
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include <unistd.h>

#include <stoq/plugin.hpp>

namespace {

constexpr std::size_t block_size = std::size_t{1} << 20;

class Stdout : public stoq::Connector {
 public:
  void connect(stoq::ConnectorUse) override { terminal_ = ::isatty(STDOUT_FILENO) == 1; }

  void save(std::string_view lines, std::size_t) override {
    if (waiting_.empty() && (terminal_ || lines.size() >= block_size)) return write(lines);
    waiting_ += lines;
    if (waiting_.size() >= block_size) flush();
  }

  void flush() override {
    const auto block = std::move(waiting_);
    waiting_.clear();
    write(block);
  }

  [[nodiscard]] bool takes_text() const noexcept override { return true; }
  void disconnect() override { flush(); }

 private:
  static void write(std::string_view block) {
    while (!block.empty()) {
      const auto written = ::write(STDOUT_FILENO, block.data(), block.size());
      if (written >= 0) {
        block.remove_prefix(static_cast<std::size_t>(written));
      } else if (errno == EPIPE) {
        throw stoq::IoError("standard output was closed");
      } else if (errno != EINTR) {
        throw stoq::IoError(std::string("cannot write to standard output: ") +
                            std::strerror(errno));
      }
    }
  }

  std::string waiting_;
  bool terminal_ = false;
};

}  // namespace

STOQ_PLUGIN(Stdout)
