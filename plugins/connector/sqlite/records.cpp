#include "records.hpp"

#include <string>

#include <stoq/error.hpp>

namespace sqlite_connector {

// SQLite reads the JSON itself (https://www.sqlite.org/json1.html), and parses a text once for all
// columns.
Records::Records(Database& database)
    : database_(database), insert_(database, R"sql(
INSERT OR REPLACE INTO record (id, root, parent, depth, path, status, type, mime, size, sha256, json)
SELECT json_extract(?1, '$.stoq.id'), json_extract(?1, '$.stoq.root'),
       json_extract(?1, '$.stoq.parent'), json_extract(?1, '$.stoq.depth'),
       json_extract(?1, '$.stoq.path'), json_extract(?1, '$.stoq.status'),
       json_extract(?1, '$.stoq.type'), json_extract(?1, '$.file.mime_type'),
       json_extract(?1, '$.file.size'), json_extract(?1, '$.file.hash.sha256'), ?1
)sql") {}

void Records::add(std::string_view line) {
  if (line.size() > database_.most_bytes()) {
    throw stoq::IoError("sqlite: a result of " + std::to_string(line.size()) +
                        " bytes is larger than SQLite takes (" +
                        std::to_string(database_.most_bytes()) + ")");
  }
  const Use insert(insert_);
  insert->bind(1, line);
  insert->step();
}

}  // namespace sqlite_connector
