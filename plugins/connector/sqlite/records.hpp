/// The table `record`: a row a result.
#pragma once

#include <string_view>

#include "database.hpp"

namespace sqlite_connector {

/// One thread at a time; inside a transaction of its user.
class Records {
 public:
  explicit Records(Database& database);
  /// Adds a line of JSON, without its line end. One of the same id is replaced.
  void add(std::string_view line);

 private:
  Database& database_;
  Statement insert_;
};

}  // namespace sqlite_connector
