#include "payloads.hpp"

#include <algorithm>
#include <memory>
#include <span>
#include <string>

#include <stoq/error.hpp>

namespace sqlite_connector {
namespace {

// Smaller ones are handed over whole; larger ones would be copied once more on the way.
constexpr std::size_t in_one_go = std::size_t{256} << 10;
constexpr std::size_t at_a_time = std::size_t{1} << 20;

/// Part-wise access to a blob (https://www.sqlite.org/c3ref/blob_open.html).
class Blob {
 public:
  Blob(Database& database, std::int64_t row, bool write) : database_(database) {
    sqlite3_blob* blob = nullptr;
    const int code =
        sqlite3_blob_open(database.get(), "main", "payload", "content", row, write ? 1 : 0, &blob);
    blob_.reset(blob);
    if (code != SQLITE_OK) database.fail(write ? "write to" : "read", code);
  }
  [[nodiscard]] std::size_t size() const noexcept {
    return static_cast<std::size_t>(sqlite3_blob_bytes(blob_.get()));
  }
  void write(std::size_t at, stoq::ByteView part) {
    const int code = sqlite3_blob_write(blob_.get(), part.data(), static_cast<int>(part.size()),
                                        static_cast<int>(at));
    if (code != SQLITE_OK) database_.fail("write to", code);
  }
  void read(std::size_t at, std::span<std::byte> room) {
    const int code = sqlite3_blob_read(blob_.get(), room.data(), static_cast<int>(room.size()),
                                       static_cast<int>(at));
    if (code != SQLITE_OK) database_.fail("read", code);
  }

 private:
  struct Close {
    void operator()(sqlite3_blob* blob) const noexcept { sqlite3_blob_close(blob); }
  };
  Database& database_;
  std::unique_ptr<sqlite3_blob, Close> blob_;
};

}  // namespace

bool Payloads::add(std::string_view sha256, stoq::ByteView bytes) {
  // A row holds more than the blob, in about so many bytes.
  constexpr std::uint64_t rest_of_row = 1024;
  if (bytes.size() + rest_of_row > database_.most_bytes()) {
    throw stoq::IoError(
        "sqlite: " + std::to_string(bytes.size()) + " bytes are more than SQLite keeps in a row (" +
        std::to_string(database_.most_bytes()) + "); archive such payloads with connector:file");
  }
  if (!insert_) {
    insert_.emplace(database_,
                    "INSERT INTO payload (sha256, size, content) VALUES (?1, ?2, ?3) "
                    "ON CONFLICT (sha256) DO NOTHING");
  }
  const bool whole = bytes.size() <= in_one_go;
  if (!whole) database_.run("SAVEPOINT payload");
  bool is_new = false;
  try {
    {
      const Use insert(*insert_);
      insert->bind(1, sha256);
      insert->bind(2, static_cast<std::int64_t>(bytes.size()));
      if (whole) {
        insert->bind(3, bytes);
      } else {
        insert->bind_zeros(3, bytes.size());
      }
      insert->step();
      is_new = sqlite3_changes(database_.get()) > 0;
    }
    if (!whole && is_new) fill(sqlite3_last_insert_rowid(database_.get()), bytes);
  } catch (const stoq::IoError&) {
    // A full disk may have rolled all back already; the first error is the one to tell.
    if (!whole) {
      sqlite3_exec(database_.get(), "ROLLBACK TO payload; RELEASE payload", nullptr, nullptr,
                   nullptr);
    }
    throw;
  }
  if (!whole) database_.run("RELEASE payload");
  return is_new;
}

void Payloads::fill(std::int64_t row, stoq::ByteView bytes) {
  Blob blob(database_, row, true);
  for (std::size_t at = 0; at < bytes.size(); at += at_a_time) {
    blob.write(at, bytes.subspan(at, std::min(at_a_time, bytes.size() - at)));
  }
}

void Payloads::get(std::string_view sha256, stoq::Buffer& out) {
  if (!find_) find_.emplace(database_, "SELECT number FROM payload WHERE sha256 = ?1");
  const Use find(*find_);
  find->bind(1, sha256);
  if (!find->step()) {
    throw stoq::IoError("sqlite: nothing is kept under " + std::string(sha256) + " in '" +
                        database_.path() + "'");
  }
  Blob blob(database_, find->integer(0), false);
  const auto room = out.prepare(blob.size());
  for (std::size_t at = 0; at < room.size(); at += at_a_time) {
    blob.read(at, room.subspan(at, std::min(at_a_time, room.size() - at)));
  }
  out.commit(room.size());
}

}  // namespace sqlite_connector
