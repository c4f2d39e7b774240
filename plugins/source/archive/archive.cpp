/// The members of archives as a corpus. Each archive is read front to back as a stream; a member is
/// in memory only while it is on its way.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fnmatch.h>

#include <stoq/plugin.hpp>

#include "libarchive_reader.hpp"

namespace {

using stoq::Status;
using stoq::common::ArchiveMember;
using stoq::common::ArchiveReader;

constexpr const char* formats[] = {"tar", "zip",  "7z",  "iso", "cpio", "ar",
                                   "rar", "rar5", "cab", "lha", "xar",  "warc"};
constexpr const char* filters[] = {"gzip", "bzip2", "xz",  "lzma",
                                   "lzip", "zstd",  "lz4", "compress"};

/// Whether `glob` describes the member: its path, or its file name when the glob has no slash.
bool matches(const std::string& glob, const std::string& path) {
  if (fnmatch(glob.c_str(), path.c_str(), 0) == 0) return true;
  if (glob.find('/') != std::string::npos) return false;
  return fnmatch(glob.c_str(), path.c_str() + path.rfind('/') + 1, 0) == 0;
}

/// Why a member is left out; empty when it is not.
std::string refusal(const stoq::Input& input, const std::string& path) {
  const auto hit = [&path](const std::string& glob) { return matches(glob, path); };
  const auto excluded = std::find_if(input.exclude.begin(), input.exclude.end(), hit);
  if (excluded != input.exclude.end()) return "excluded by '" + *excluded + "'";
  if (!input.include.empty() && std::none_of(input.include.begin(), input.include.end(), hit)) {
    return "matches no include glob";
  }
  return {};
}

/// One archive on its way into the graph.
class Ingest {
 public:
  Ingest(const std::string& path, const stoq::Input& input, stoq::Intake& intake)
      : path_(path), input_(input), intake_(intake) {}

  /// False: stop ingesting.
  bool run(const std::vector<std::string>& passwords) {
    try {
      open(passwords);
      return deliver_members();
    } catch (const stoq::IoError& error) {
      return fail(Status::io_error, error);
    } catch (const stoq::Encrypted& error) {
      return fail(Status::encrypted, error);
    } catch (const stoq::Unsupported& error) {
      return fail(Status::unsupported, error);
    } catch (const stoq::MalformedInput& error) {
      return fail(Status::corrupt, error);
    }
  }

 private:
  void open(const std::vector<std::string>& passwords) {
    if (path_.find('\0') != std::string::npos) throw stoq::IoError("path holds a NUL byte");
    for (const auto* format : formats) require(reader_.allow_format(format), format);
    for (const auto* filter : filters) require(reader_.allow_filter(filter), filter);
    for (const auto& password : passwords) reader_.add_password(password);
    reader_.open(path_);
  }

  static void require(bool known, const char* name) {
    if (!known) throw stoq::Unsupported("this libarchive cannot read " + std::string(name));
  }

  bool deliver_members() {
    while (true) {
      const auto step = reader_.next();
      if (step == ArchiveReader::Step::end) break;
      if (reader_.member().kind == ArchiveMember::Kind::directory) continue;
      if (!deliver(step)) return false;
    }
    if (reader_.count() > 0) return true;
    stoq::Root root;
    root.path = path_;
    root.status = Status::filtered;
    root.message = "the archive holds no members";
    return intake_.put(std::move(root));
  }

  bool deliver(ArchiveReader::Step step) {
    const auto& member = reader_.member();
    stoq::Root root;
    root.path = unique_path(member.name);
    if (!member.warning.empty()) root.meta.add("warning", member.warning);
    if (step == ArchiveReader::Step::broken) {
      root.status = stoq::common::status_of(reader_.message());
      root.message = reader_.message();
    } else if (member.kind == ArchiveMember::Kind::special) {
      root.status = Status::filtered;
      root.message = "a link, device or table of contents, no regular file";
    } else if (root.message = refusal(input_, member.name); !root.message.empty()) {
      root.status = Status::filtered;
    } else if (member.encrypted && !reader_.is_zip()) {
      root.status = Status::encrypted;
      root.message = "needs a password, and this format is not decrypted here";
    }
    if (root.status != Status::ok) return intake_.put(std::move(root));
    return intake_.produce(std::move(root), member.size.value_or(0),
                           [this](stoq::Buffer& out) { reader_.fill(out, [] { return false; }); });
  }

  /// Archives may hold a name twice; paths are unique. Names are remembered by their hash only, so
  /// that a million members cost little: at worst a name gets a number without need.
  std::string unique_path(const std::string& name) {
    auto path = path_;
    path.append("!").append(name);
    if (name.empty() || !seen_.insert(std::hash<std::string>{}(name)).second) {
      path.append("#").append(std::to_string(reader_.count()));
    }
    return path;
  }

  bool fail(Status status, const stoq::Error& error) {
    stoq::Root root;
    root.path = path_;
    root.status = status;
    root.message = error.what();
    return intake_.put(std::move(root));
  }

  const std::string& path_;
  const stoq::Input& input_;
  stoq::Intake& intake_;
  ArchiveReader reader_;
  std::unordered_set<std::size_t> seen_;
};

class Archive : public stoq::Source {
 public:
  void activate(stoq::Options& options, stoq::Host&) override {
    passwords_ = options.get_list("password_list",
                                  "passwords to try, in turn, on encrypted members (zip only)",
                                  "infected, password, malware, virus");
  }

  void ingest(const stoq::Input& input, stoq::Intake& intake) override {
    for (const auto& path : input.paths) {
      if (!Ingest(path, input, intake).run(passwords_)) return;
    }
    if (input.files_from == "-") {
      from_list(std::cin, input, intake);
    } else if (!input.files_from.empty()) {
      std::ifstream list(input.files_from);
      if (!list) {
        throw stoq::IoError(input.files_from + ": " + std::string(std::strerror(errno)));
      }
      from_list(list, input, intake);
    }
  }

 private:
  /// One path a line.
  void from_list(std::istream& list, const stoq::Input& input, stoq::Intake& intake) const {
    std::string path;
    while (std::getline(list, path)) {
      if (!path.empty() && !Ingest(path, input, intake).run(passwords_)) return;
    }
  }

  std::vector<std::string> passwords_;
};

}  // namespace

STOQ_PLUGIN(Archive)
