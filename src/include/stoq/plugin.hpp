/// The stoq plugin interface: everything a plugin author includes.
///
/// A plugin is one class derived from one of the seven categories below, one line of STOQ_PLUGIN,
/// and a .stoq file of the same name. The engine makes one instance, calls activate(), then calls
/// the category's method for every payload, and finally deactivate(), whatever ends the run: its
/// end, an error, SIGINT or SIGTERM. A heartbeat() runs beside the scan, on a thread of its own.
///
/// Threads. Methods marked const are called from many threads at once on the same instance, and
/// may be re-entered on one thread while they emit (a zip in a zip): keep per-call state in locals
/// or in PerThread, write members only in activate(), hold no lock while emitting. Non-const
/// methods are called one at a time, except heartbeat(), which runs beside all others and locks for
/// itself.
///
/// Bytes. A Payload is valid for the call. To keep or pass on part of it, take a Bytes slice: it
/// shares the storage and keeps it alive.
///
/// Errors. Not my format: return without output. Broken input: throw MalformedInput (Cursor and
/// slice() do). Needs a password: Encrypted. Cannot be opened here: Unsupported. What was emitted
/// before stands; every other payload is untouched.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "stoq/buffer.hpp"
#include "stoq/bytes.hpp"
#include "stoq/children.hpp"
#include "stoq/error.hpp"
#include "stoq/function_ref.hpp"
#include "stoq/options.hpp"
#include "stoq/payload.hpp"
#include "stoq/per_thread.hpp"
#include "stoq/tlp.hpp"
#include "stoq/value.hpp"

namespace stoq {

/// The seven kinds of plugin.
enum class Category : std::uint8_t {
  worker,
  connector,
  reader,
  source,
  extractor,
  carver,
  decoder
};

/// The category as .stoq files, rules and records spell it.
[[nodiscard]] constexpr std::string_view to_string(Category category) noexcept {
  constexpr std::string_view names[] = {"worker",    "connector", "reader", "source",
                                        "extractor", "carver",    "decoder"};
  return names[static_cast<std::size_t>(category)];
}

/// How much a log line matters.
enum class LogLevel : std::uint8_t { debug, info, warning, error, critical };

class Reader;

/// What the engine offers to a plugin. Thread-safe; outlives every plugin.
class Host {
 public:
  Host() = default;
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  virtual ~Host() = default;
  /// Writes one line to the run's log, under the plugin's name. Control characters are escaped.
  virtual void log(LogLevel level, std::string_view message) = 0;
  /// A reader plugin; null when there is none of that name. Ask in activate(): it is loaded then,
  /// activated before whoever asks and deactivated after, and who asks is shown no payload that is
  /// too restricted (max_tlp) for it. Later, only those that some plugin asked for. Throws
  /// ConfigError when there is one that cannot be used.
  [[nodiscard]] virtual const Reader* reader(std::string_view name) = 0;
  /// A reader that the plugin cannot do without: throws ConfigError when there is none.
  [[nodiscard]] const Reader& needed_reader(std::string_view name) {
    if (const auto* const found = reader(name); found != nullptr) return *found;
    throw ConfigError(
        "needs reader:" + std::string(name) +
        ", which is not there; build or install it ('stoq list' shows what there is)");
  }
  /// How many threads scan.
  [[nodiscard]] virtual unsigned threads() const noexcept = 0;
  /// Reads one JSON value (RFC 8259) of any origin. Throws MalformedInput, saying where;
  /// Unsupported where there is no engine, as in some tests.
  [[nodiscard]] virtual Value parse_json(std::string_view text) const {
    (void)text;
    throw Unsupported("this host reads no JSON");
  }
};

/// Base of the seven categories.
class Plugin {
 public:
  Plugin() = default;
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;
  virtual ~Plugin() = default;

  /// Called exactly once, before any payload, on the thread that starts the run. Throw
  /// (ConfigError, saying what to do) where stoQ's activate() returns False: the plugin is refused,
  /// a run that needs it does not start, and deactivate() is not called. Options and their texts
  /// are valid for the call, the host as long as the plugin.
  virtual void activate(Options& options, Host& host) { (void)options, (void)host; }
  /// Called exactly once if activate() returned, after the last payload (a connector's disconnect()
  /// included) and after heartbeat() has returned. A plugin activated later is deactivated earlier.
  virtual void deactivate() noexcept {}

  /// Whether results depend on the payload's name or depth, not on its bytes alone. False lets
  /// equal payloads of one root share results at no cost, whichever of them is met first.
  [[nodiscard]] virtual bool reads_name() const noexcept { return true; }

  /// Names a child that was brought out without a name, by the name of the payload: "a.txt" of
  /// "a.txt.gz"; empty: it has none. A pure function, const and thread-safe, so that results of
  /// equal payloads can be shared though their names differ: a plugin that reads the payload's name
  /// for nothing else can say so in reads_name().
  [[nodiscard]] virtual std::string child_name(std::string_view payload_name) const {
    (void)payload_name;
    return {};
  }

  /// True when heartbeat() is to be called; asked once, after activate(). Plugins of any category
  /// may want one.
  [[nodiscard]] virtual bool wants_heartbeat() const noexcept { return false; }
  /// Called once, on a thread of its own, from before the first payload (after a connector's
  /// connect()) on. Loops over whatever is to be done from time to time, and returns when `stop` is
  /// requested, which is after the last payload and before disconnect(): the run does not end
  /// without it. Wait with std::condition_variable_any and `stop`, not with sleep. It runs beside
  /// all other methods: what it shares with them is for the plugin to lock. What it throws is
  /// logged under the plugin's name; the run goes on.
  virtual void heartbeat(std::stop_token stop) { (void)stop; }
};

/// Says something of every payload.
class Worker : public Plugin {
 public:
  static constexpr auto category = Category::worker;
  /// What was found, as an object; null for nothing. A member `file` (an object of ECS `file.*`
  /// fields, such as `mime_type`) goes to the record's `file`; a member `error` (text) says that
  /// the answer is not whole and becomes an error of the record (status `partial`); the rest goes
  /// to `stoq.workers.<name>`.
  [[nodiscard]] virtual Value scan(const Payload& payload, const Request& request) const = 0;
};

/// Turns a payload into text or data for the workers that ask for it by Host::reader().
class Reader : public Plugin {
 public:
  static constexpr auto category = Category::reader;
  /// What it reads, as the reader's own description says; null when the payload is none of its
  /// kind. It runs within the call of who asks: what it throws is the asker's to catch, and its
  /// `request` tells it when to stop. Arguments are the asker's: see the reader's .stoq file.
  [[nodiscard]] virtual Value read(const Payload& payload, const Request& request) const = 0;
};

/// Brings out what a container holds.
class Extractor : public Plugin {
 public:
  static constexpr auto category = Category::extractor;
  virtual void extract(const Payload& payload, const Request& request,
                       Children& children) const = 0;
};

/// Cuts files out of their surroundings.
class Carver : public Plugin {
 public:
  static constexpr auto category = Category::carver;
  virtual void carve(const Payload& payload, const Request& request, Children& children) const = 0;
};

/// Undoes an encoding.
class Decoder : public Plugin {
 public:
  static constexpr auto category = Category::decoder;
  virtual void decode(const Payload& payload, const Request& request, Children& children) const = 0;
};

/// Which file to bring back. One of the two is set.
struct FileQuery {
  std::string hash;  ///< lower-case hex digits of SHA-256 (64) or of SHA-1 (40, as stoQ 0.10 names)
  std::string path;  ///< as given by a user or a source: hostile until checked
};

/// One file of a corpus, on its way from a source into the graph.
struct Root {
  std::string path;            ///< as records name it; unique within a run
  std::string file;            ///< the file to read; empty when `bytes` is the content
  Bytes bytes;                 ///< the content, when `file` is empty
  Value meta;                  ///< what the source says of it, an object; stands in the record
  Status status = Status::ok;  ///< anything else: recorded so, not opened
  std::string message;         ///< why, when status is not ok
  std::optional<Tlp> tlp;      ///< what the source knows; nothing: as the run says
  /// Name of a connector that brings the content, in place of `file` and `bytes`; one of those that
  /// the source's fetches_from() names. What cannot be had is recorded so.
  std::string archive;
  FileQuery query;  ///< what that connector is asked for
  /// Kept until the content is read; may be released on any thread. A source that opened the file,
  /// so that it can be read whatever becomes of its name, lets `file` be /proc/self/fd/N and this
  /// close it.
  std::shared_ptr<const void> hold;
};

/// What the user asked a source to deliver.
struct Input {
  std::vector<std::string> paths;    ///< as given on the command line
  std::string files_from;            ///< a file of paths, "-" for standard input; empty: none
  std::vector<std::string> include;  ///< globs, any of which a root's path must match; empty: all
  std::vector<std::string> exclude;  ///< globs, none of which it may match
  /// Several instances of a source (`multiprocess = True`) may ingest beside each other, each
  /// called with its own number: they share the work, such as the paths whose place in `paths` is
  /// `instance` modulo `instances`.
  unsigned instance = 0;
  unsigned instances = 1;  ///< how many there are
};

/// Where a source puts what it finds.
class Intake {
 public:
  Intake() = default;
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;
  virtual ~Intake() = default;
  /// Takes a root; blocks while as much is in flight as may be. False: stop ingesting.
  virtual bool put(Root root) = 0;
  /// Makes a root's bytes by calling `fill` with a charged buffer (waits for memory), and takes it.
  /// What `fill` throws becomes the root's status; what it committed before is scanned.
  virtual bool produce(Root root, std::uint64_t expected, Children::Fill fill) = 0;
  /// Says how much is to come, once known: for progress and ETA.
  virtual void expect(std::uint64_t roots, std::uint64_t bytes) = 0;
  /// Sends what was put on its way, and has its results written as soon as they are there: call it
  /// before waiting for more. Otherwise roots travel in batches, and results in large blocks.
  virtual void flush() {}
  /// Whether to stop ingesting: for sources that wait; look at it every few tenths of a second.
  [[nodiscard]] virtual bool stopping() const noexcept { return false; }
};

/// Enumerates a corpus.
class Source : public Plugin {
 public:
  static constexpr auto category = Category::source;
  /// Called once, on a thread of its own; returns when there is nothing more. The order of put() is
  /// the order of the output: deterministic for the same corpus. Of several instances, each keeps
  /// its own order; how they interleave is given by nothing.
  virtual void ingest(const Input& input, Intake& intake) = 0;
  /// Whether it goes on until it is told to stop, as one that watches a folder does. The first
  /// SIGINT or SIGTERM then ends the intake only: what is in flight is scanned to its end.
  [[nodiscard]] virtual bool is_endless() const noexcept { return false; }
  /// Names of the connectors that its roots may name in `archive`; asked once, after activate().
  /// They are loaded and connected before ingest().
  [[nodiscard]] virtual std::vector<std::string> fetches_from() const { return {}; }
};

/// What a run wants of a connector: which of its methods will be called.
struct ConnectorUse {
  bool results = false;  ///< save() and flush()
  bool archive = false;  ///< archive()
  bool fetch = false;    ///< get_file()
};

/// What is known of a payload that is to be kept, besides what the payload says itself. Views are
/// valid for the call.
struct ArchiveInfo {
  std::string_view sha256;  ///< of its bytes, 64 lower-case hex digits: the name it is kept under
  std::string_view root;    ///< path of its root as records name it: raw bytes, not to be opened
  std::string_view origin;  ///< "category:name" of who brought it out; empty: it is the root
};

/// Takes results away, keeps payloads, brings files back (stoQ 0.10's connectors: save, save with
/// archive=True, get_file). Non-const methods are called from one thread at a time; archive() and
/// get_file() are const and run beside them and each other.
class Connector : public Plugin {
 public:
  static constexpr auto category = Category::connector;
  /// Called once, before the methods that `use` names. Throw ConfigError when an option for them is
  /// missing, IoError when the place cannot be reached: the run does not start.
  virtual void connect(ConnectorUse use) { (void)use; }
  /// Saves `count` results: as many complete lines of JSON, each with its line end, valid for the
  /// call. Throw IoError when they cannot be saved: the run ends.
  virtual void save(std::string_view lines, std::size_t count) = 0;
  /// Lets others see what was saved: called when no more results may come for a while. What gains
  /// by larger blocks (compression, a post) need not be cut for it. Throw as save() does.
  virtual void flush() {}
  /// Whether save() may be given what a template made, in place of lines of JSON: texts, each with
  /// its line end. Asked before connect(); a run with a template does not start otherwise.
  [[nodiscard]] virtual bool takes_text() const noexcept { return false; }

  /// Whether archive() is there; a run that wants it does not start otherwise.
  [[nodiscard]] virtual bool archives() const noexcept { return false; }
  /// Keeps the payload's bytes under their hash. True when they are new; false when the hash is
  /// known: what is there stays as it is. Many threads may bring the same bytes. What is returned
  /// from is kept, or disconnect() throws. Throw IoError when they cannot be kept: the payload's
  /// record says so, the run goes on.
  virtual bool archive(const Payload& payload, const ArchiveInfo& info) const {
    (void)payload, (void)info;
    throw Unsupported("this connector does not archive");
  }
  /// Writes a file's bytes into `out`, which the caller bounds (LimitReached: let it pass). Throw
  /// IoError when there is no such file or it cannot be read, and for a path it may not give away.
  virtual void get_file(const FileQuery& query, Buffer& out) const {
    (void)query, (void)out;
    throw Unsupported("this connector cannot fetch files");
  }

  /// Called after the last call of the others, also when the run was interrupted: flush, finish,
  /// report. Throw IoError when something that was taken is lost.
  virtual void disconnect() {}
};

// --- How a shared library says what it is -----------------------------------------------------

/// Raised by one with every change to a public header.
inline constexpr std::uint32_t abi_version = 6;

/// Plain data, read before any code of the plugin runs.
struct PluginDescriptor {
  std::uint32_t magic;    ///< plugin_magic
  std::uint32_t abi;      ///< abi_version of the headers it was built with
  std::uint64_t layout;   ///< sizes of what crosses the boundary: catches other standard libraries
                          ///< and debug modes
  const char* toolchain;  ///< for the message when one of the above differs
  Category category;
  Plugin* (*create)();  ///< a new instance, owned by the caller
};

inline constexpr std::uint32_t plugin_magic = 0x514f5453;  // "STOQ"
inline constexpr std::uint64_t plugin_layout = sizeof(std::string) | sizeof(Value) << 8 |
                                               sizeof(Payload) << 16 | sizeof(ChildInfo) << 28 |
                                               sizeof(Options) << 40 | sizeof(Root) << 52;

/// The descriptor of the plugin class P.
template <class P>
constexpr PluginDescriptor describe() {
  static_assert(std::is_base_of_v<Plugin, P> && !std::is_abstract_v<P>,
                "STOQ_PLUGIN needs a class that implements one of the seven categories");
  return {plugin_magic,       abi_version, plugin_layout,
          "g++ " __VERSION__, P::category, []() -> Plugin* { return new P; }};
}

}  // namespace stoq

/// Makes the class this library's plugin. Write it once, outside any namespace.
#define STOQ_PLUGIN(Class)                                                          \
  extern "C" {                                                                      \
  STOQ_PUBLIC extern const ::stoq::PluginDescriptor stoq_plugin;                    \
  constinit const ::stoq::PluginDescriptor stoq_plugin = ::stoq::describe<Class>(); \
  }
