/// The table `payload`: bytes under their SHA-256.
#pragma once

#include <optional>
#include <string_view>

#include <stoq/buffer.hpp>
#include <stoq/bytes.hpp>

#include "database.hpp"

namespace sqlite_connector {

/// One thread at a time; add() inside a transaction of its user.
class Payloads {
 public:
  explicit Payloads(Database& database) : database_(database) {}
  /// False when it is there. Throws IoError; nothing of the payload is then in the table.
  [[nodiscard]] bool add(std::string_view sha256, stoq::ByteView bytes);
  /// Appends what is kept under a hash. Throws IoError when there is none.
  void get(std::string_view sha256, stoq::Buffer& out);

 private:
  void fill(std::int64_t row, stoq::ByteView bytes);

  Database& database_;
  std::optional<Statement> find_, insert_;
};

}  // namespace sqlite_connector
