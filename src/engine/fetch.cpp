#include "engine/fetch.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>

#include "engine/connections.hpp"
#include "engine/memory.hpp"
#include "engine/plugin_registry.hpp"
#include "support/digest.hpp"

namespace stoq::engine {
namespace {

constexpr std::size_t sha1_digits = 40;

constexpr std::size_t sha256_digits = 64;

}  // namespace

std::string query_problem(const FileQuery& query) {
  if (query.hash.empty()) return query.path.empty() ? "neither a hash nor a path is given" : "";
  const bool sized = query.hash.size() == sha256_digits || query.hash.size() == sha1_digits;
  const bool digits = query.hash.find_first_not_of("0123456789abcdef") == query.hash.npos;
  return sized && digits ? "" : "its hash is no SHA-256 and no SHA-1 in lower-case hex digits";
}

void check_hash(const FileQuery& query, ByteView bytes, const std::string& connector) {
  if (query.hash.empty()) return;
  const bool by_sha1 = query.hash.size() == sha1_digits;
  support::Digester digester({.sha1 = by_sha1});
  const auto digest = digester.digest(bytes);
  std::string found;
  support::append_hex(found, by_sha1 ? ByteView(digest.sha1) : ByteView(digest.sha256));
  if (found == query.hash) return;
  throw IoError(connector + ": what is kept under " + query.hash + " is damaged: its hash is " +
                found);
}

void fetch(const Config& config, const std::string& connector, const FileQuery& query,
           FunctionRef<void(ByteView)> take) {
  Log log;
  PluginRegistry registry(config, log, 1);
  auto& loaded = registry.need(Category::connector, connector);
  auto& plugin = dynamic_cast<Connector&>(*loaded.instance);
  Connections connections;
  connections.add(plugin, {.fetch = true});
  connections.connect();
  // Not on the stack: it is aligned to cache lines, which frames under AddressSanitizer are not.
  const auto memory = std::make_unique<Memory>(
      config.limits.memory != 0 ? config.limits.memory : default_memory(), 1);
  {
    const auto nothing = [](std::uint64_t) {};
    PooledBuffer buffer(*memory, memory->outside(), Prefer::shared, SIZE_MAX, nothing);
    try {
      plugin.get_file(query, buffer);
    } catch (const Unsupported& error) {
      throw ConfigError(loaded.qualified + ": " + error.what());
    } catch (const std::bad_alloc&) {
      throw IoError(loaded.qualified + ": the file does not fit into memory");
    }
    check_hash(query, buffer.view(), loaded.qualified);
    take(buffer.view());
  }
  connections.disconnect();
}

}  // namespace stoq::engine
