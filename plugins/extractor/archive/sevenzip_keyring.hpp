/// The keys of an encrypted 7z archive, made of passwords.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <stoq/plugin.hpp>

namespace archive_plugin::sevenzip {

/// Makes keys of passwords, and keeps them: each costs half a million rounds of SHA-256.
class Keyring {
 public:
  using Key = std::vector<std::byte>;

  Keyring(const std::vector<std::string>& passwords, const stoq::Request& request)
      : request_(request),
        passwords_(passwords),
        rounds_left_((std::uint64_t{1} << 26U) + (std::uint64_t{passwords.size()} << 20U)) {}

  [[nodiscard]] std::size_t size() const noexcept { return passwords_.size(); }
  /// The password that is used from here on.
  void choose(std::size_t index) noexcept { chosen_ = index; }
  /// Throws Unsupported when that takes more rounds than any archive in good faith needs.
  [[nodiscard]] const Key& key(unsigned cycles, stoq::ByteView salt);

 private:
  const stoq::Request& request_;
  const std::vector<std::string>& passwords_;
  std::size_t chosen_ = 0;
  std::uint64_t rounds_left_;  ///< an archive may want a key of its own for each member
  std::map<std::pair<std::size_t, std::string>, Key> keys_;
};

}  // namespace archive_plugin::sevenzip
