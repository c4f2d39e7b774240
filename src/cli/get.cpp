#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <system_error>

#include <unistd.h>

#include <stoq/error.hpp>

#include "cli/commands.hpp"
#include "cli/watched_run.hpp"
#include "engine/fetch.hpp"

namespace stoq::cli {
namespace {

namespace fs = std::filesystem;

/// SHA-256 or SHA-1 in hex digits is a hash, anything else a path.
FileQuery query_of(const std::string& text) {
  const bool is_hash = (text.size() == 64 || text.size() == 40) &&
                       text.find_first_not_of("0123456789abcdefABCDEF") == text.npos;
  if (!is_hash) return {{}, text};
  FileQuery query{text, {}};
  for (auto& digit : query.hash) {
    if (digit >= 'A' && digit <= 'F') digit = static_cast<char>(digit - 'A' + 'a');
  }
  return query;
}

void write_stream(std::ostream& out, ByteView bytes, const std::string& name) {
  const auto text = as_chars(bytes);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  if (!out.flush()) throw IoError("cannot write to " + name + ": " + std::strerror(errno));
}

/// The file appears whole, or not at all; a device is written to as it is.
void write_file(const std::string& path, ByteView bytes) {
  std::error_code ignored;
  const auto status = fs::status(path, ignored);
  const bool in_place = fs::exists(status) && !fs::is_regular_file(status);
  const auto part = in_place ? path : path + ".part";
  std::ofstream file(part, std::ios::binary | std::ios::trunc);
  if (!file) throw IoError("cannot create '" + part + "': " + std::strerror(errno));
  write_stream(file, bytes, "'" + part + "'");
  file.close();
  if (!file) throw IoError("cannot write to '" + part + "': " + std::strerror(errno));
  if (in_place) return;
  std::error_code failure;
  fs::rename(part, path, failure);
  if (failure) throw IoError("cannot create '" + path + "': " + failure.message());
}

}  // namespace

int get(const Arguments& arguments) {
  check_plugin_names(arguments.config);
  const bool to_stdout = arguments.output.empty() || arguments.output == "-";
  if (to_stdout && ::isatty(STDOUT_FILENO) == 1) {
    throw UsageError("what was archived is not written to a terminal; say -o FILE, or pipe it");
  }
  engine::fetch(arguments.config, arguments.plugin, query_of(arguments.file), [&](ByteView bytes) {
    if (to_stdout) return write_stream(std::cout, bytes, "standard output");
    write_file(arguments.output, bytes);
  });
  return 0;
}

}  // namespace stoq::cli
