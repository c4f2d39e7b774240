#include "database.hpp"

#include <cerrno>
#include <cstring>

#include <sys/stat.h>

#include <stoq/error.hpp>

namespace sqlite_connector {
namespace {

constexpr std::int64_t application_id = 0x73746f71;  // "stoq"
constexpr std::int64_t schema_version = 1;

// A column is what analysts ask for first; all else is in `json`. Lines of --format stoq have no
// id: those stand one beside the other.
constexpr const char* schema = R"sql(
CREATE TABLE record (
  number  INTEGER PRIMARY KEY,
  id      TEXT UNIQUE,
  root    TEXT,
  parent  TEXT,
  depth   INTEGER,
  path    TEXT,
  status  TEXT,
  type    TEXT,
  mime    TEXT,
  size    INTEGER,
  sha256  TEXT,
  json    TEXT NOT NULL
);
CREATE INDEX record_sha256 ON record (sha256);
CREATE INDEX record_root ON record (root);
CREATE TABLE payload (
  number  INTEGER PRIMARY KEY,
  sha256  TEXT NOT NULL UNIQUE,
  size    INTEGER NOT NULL,
  content BLOB NOT NULL
);
PRAGMA application_id = 0x73746f71;
PRAGMA user_version = 1;
)sql";

/// What to do about it, where that is known.
std::string advice(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "; another program is writing to it: wait for it, or set the option wait";
    case SQLITE_FULL:
      return "; free space on its disk";
    case SQLITE_NOTADB:
      return "; it is no SQLite database: choose another file";
    case SQLITE_CORRUPT:
      return "; it is damaged: see the command .recover of sqlite3";
    case SQLITE_READONLY:
      return "; choose a file that may be written to";
    default:
      return "";
  }
}

}  // namespace

// --- Statement --------------------------------------------------------------------------------

Statement::Statement(Database& database, const char* sql) : database_(database) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(database.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  statement_.reset(statement);
  check(code);
}

void Statement::check(int code) {
  if (code != SQLITE_OK) database_.fail("use", code);
}

void Statement::bind(int number, std::string_view text) {
  check(sqlite3_bind_text64(statement_.get(), number, text.data(), text.size(), SQLITE_STATIC,
                            SQLITE_UTF8));
}
void Statement::bind(int number, stoq::ByteView bytes) {
  // A null pointer would be NULL, not an empty blob.
  const void* data = bytes.empty() ? static_cast<const void*>("") : bytes.data();
  check(sqlite3_bind_blob64(statement_.get(), number, data, bytes.size(), SQLITE_STATIC));
}
void Statement::bind(int number, std::int64_t value) {
  check(sqlite3_bind_int64(statement_.get(), number, value));
}
void Statement::bind_zeros(int number, std::uint64_t size) {
  check(sqlite3_bind_zeroblob64(statement_.get(), number, size));
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  database_.fail(sqlite3_stmt_readonly(statement_.get()) != 0 ? "read" : "write to", code);
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

void Statement::reset() noexcept {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

// --- Database ---------------------------------------------------------------------------------

Database::Database(const std::string& path, Mode mode, std::chrono::milliseconds wait, bool sync)
    : path_(path) {
  struct stat about {};
  if (mode == Mode::read && ::stat(path.c_str(), &about) != 0) {
    throw stoq::IoError("sqlite: cannot open '" + path + "': " + std::strerror(errno));
  }
  sqlite3* connection = nullptr;
  const int access =
      mode == Mode::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  // Its users hold a lock of their own.
  const int code =
      sqlite3_open_v2(path.c_str(), &connection, access | SQLITE_OPEN_NOMUTEX, nullptr);
  connection_.reset(connection);
  if (code != SQLITE_OK) fail("open", code);
  sqlite3_extended_result_codes(get(), 1);
  sqlite3_busy_timeout(get(), static_cast<int>(wait.count()));
  const auto owner = pragma("PRAGMA application_id");
  const auto version = pragma("PRAGMA user_version");
  const bool is_new =
      owner == 0 && version == 0 && pragma("SELECT count(*) FROM sqlite_schema") == 0;
  if (!(is_new && mode == Mode::write) && owner != application_id) {
    throw stoq::IoError("sqlite: '" + path +
                        "' is a database, but not one of stoq's; choose another file");
  }
  if (!is_new && version != schema_version) {
    throw stoq::IoError("sqlite: the tables in '" + path + "' are of version " +
                        std::to_string(version) + ", this stoq has " +
                        std::to_string(schema_version) + "; choose another file");
  }
  if (mode == Mode::read) return;
  if (sqlite3_db_readonly(get(), "main") == 1) {
    throw stoq::IoError("sqlite: '" + path +
                        "' is read-only; choose a file that may be written to");
  }
  set_up(sync);
}

void Database::set_up(bool sync) {
  // https://www.sqlite.org/wal.html: analysts read while a scan writes.
  run("PRAGMA journal_mode = WAL");
  run(sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  run("BEGIN IMMEDIATE");
  // Another run may have made them since.
  if (pragma("PRAGMA application_id") != application_id) run(schema);
  run("COMMIT");
}

void Database::run(const char* sql) {
  const int code = sqlite3_exec(get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail("write to", code);
}

std::int64_t Database::pragma(const char* sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.integer(0) : 0;
}

void Database::fail(const std::string& what, int code) const {
  const char* reason = get() != nullptr ? sqlite3_errmsg(get()) : sqlite3_errstr(code);
  throw stoq::IoError("sqlite: cannot " + what + " '" + path_ + "': " + reason + advice(code));
}

std::uint64_t Database::most_bytes() const noexcept {
  return static_cast<std::uint64_t>(sqlite3_limit(get(), SQLITE_LIMIT_LENGTH, -1));
}

}  // namespace sqlite_connector
