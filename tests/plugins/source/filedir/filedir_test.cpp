#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <stoq/plugin.hpp>

#include "plugins/loaded_plugin.hpp"

namespace {

namespace fs = std::filesystem;
using stoq::Status;
using Paths = std::vector<std::string>;

/// What a source delivered.
struct Found {
  std::vector<stoq::Root> all;
  std::uint64_t expected = 0;

  [[nodiscard]] Paths paths(Status status = Status::ok) const {
    Paths found;
    for (const auto& root : all) {
      if (root.status == status) found.push_back(root.path);
    }
    return found;
  }
  [[nodiscard]] stoq::Root at(const std::string& path) const {
    for (const auto& root : all) {
      if (root.path == path) return root;
    }
    ADD_FAILURE() << "no record of " << path;
    return {};
  }
};

/// Keeps what it is given; says "stop" after `most`.
class Roots : public stoq::Intake {
 public:
  explicit Roots(Found& found, std::size_t most = SIZE_MAX) : found_(found), most_(most) {}
  bool put(stoq::Root root) override {
    found_.all.push_back(std::move(root));
    return found_.all.size() < most_;
  }
  bool produce(stoq::Root, std::uint64_t, stoq::Children::Fill) override {
    ADD_FAILURE() << "filedir names files, it makes no bytes";
    return false;
  }
  void expect(std::uint64_t roots, std::uint64_t) override { found_.expected = roots; }

 private:
  Found& found_;
  std::size_t most_;
};

/// A folder of its own, and the working directory, for every test.
class Filedir : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "stoq-filedir-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    before_ = fs::current_path();
    fs::current_path(folder_);
  }
  void TearDown() override {
    fs::current_path(before_);
    fs::remove_all(folder_);
  }

  static void write(const fs::path& path, std::string_view text = "x") {
    if (path.has_parent_path()) fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }

  static Found scan(const stoq::Input& input, std::size_t most = SIZE_MAX) {
    const stoq::testing::LoadedPlugin plugin({"source", "filedir"});
    Found found;
    Roots roots(found, most);
    plugin.as<stoq::Source>().ingest(input, roots);
    return found;
  }
  static Found scan_path(const std::string& path) {
    stoq::Input input;
    input.paths = {path};
    return scan(input);
  }
  /// The files left over of `files` by the globs, all of them below the folder "top".
  static Paths left(const Paths& files, const Paths& include, const Paths& exclude) {
    for (const auto& file : files) write("top/" + file);
    stoq::Input input;
    input.paths = {"top/"};
    input.include = include;
    input.exclude = exclude;
    auto found = scan(input).paths();
    for (auto& path : found) path.erase(0, std::strlen("top/"));
    fs::remove_all("top");
    return found;
  }

  fs::path folder_, before_;
};

TEST_F(Filedir, GoesThroughFoldersInBytewiseOrder) {
  // Truth: `LC_ALL=C ls` of every folder, a folder's files at the place of its name.
  for (const auto* name :
       {"c/b", "c/a", "c.txt", "c0", "B", "a", "\xff", "\xc3\xa9", "c/d/e", "Z z"}) {
    write(std::string("top/") + name);
  }
  fs::create_directories("top/empty");
  const Paths expected{"top/B",     "top/Z z",   "top/a",  "top/c/a",      "top/c/b",
                       "top/c/d/e", "top/c.txt", "top/c0", "top/\xc3\xa9", "top/\xff"};
  const auto roots = scan_path("top");
  EXPECT_EQ(roots.paths(), expected);
  EXPECT_EQ(roots.all.size(), expected.size());
  EXPECT_EQ(roots.expected, expected.size());
  for (const auto& root : roots.all) EXPECT_EQ(root.file, root.path);
}

TEST_F(Filedir, KeepsPathsAsTheUserWroteThem) {
  write("top/f");
  EXPECT_EQ(scan_path("top").paths(), Paths{"top/f"});
  EXPECT_EQ(scan_path("top/").paths(), Paths{"top/f"});
  EXPECT_EQ(scan_path("./top").paths(), Paths{"./top/f"});
  EXPECT_EQ(scan_path(".").paths(), Paths{"./top/f"});
  EXPECT_EQ(scan_path("top/f").paths(), Paths{"top/f"});
  const auto absolute = (folder_ / "top").string();
  EXPECT_EQ(scan_path(absolute).paths(), Paths{absolute + "/f"});
}

TEST_F(Filedir, KeepsTheOrderAndTheRepetitionsOfTheCommandLine) {
  write("b");
  write("a");
  stoq::Input input;
  input.paths = {"b", "a", "b"};
  EXPECT_EQ(scan(input).paths(), (Paths{"b", "a", "b"}));
}

TEST_F(Filedir, TakesAnyBytesInNames) {
  const Paths names{"top/\x01\x1b[31m", "top/\n",    "top/\"quote\"", "top/'",       "top/*",
                    "top/-rf",          "top/[a,b]", "top/\\",        "top/\xf0\x28"};
  for (const auto& name : names) write(name);
  auto sorted = names;
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
      return static_cast<unsigned char>(x) < static_cast<unsigned char>(y);
    });
  });
  EXPECT_EQ(scan_path("top").paths(), sorted);
}

TEST_F(Filedir, ReportsLinksAndSpecialFilesAndFollowsNone) {
  write("elsewhere/secret");
  fs::create_directories("top");
  fs::create_symlink("../elsewhere", "top/folder_link");
  fs::create_symlink("../elsewhere/secret", "top/file_link");
  fs::create_symlink(".", "top/loop");
  fs::create_symlink("nowhere", "top/broken");
  ASSERT_EQ(::mkfifo("top/fifo", 0600), 0);
  const int server = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, "top/socket", sizeof address.sun_path - 1);
  sockaddr generic{};
  static_assert(sizeof generic >= 16);
  std::vector<char> raw(sizeof address);
  std::memcpy(raw.data(), &address, sizeof address);
  const void* place = raw.data();
  ASSERT_EQ(::bind(server, static_cast<const sockaddr*>(place), sizeof address), 0);
  ::close(server);

  const auto roots = scan_path("top");
  EXPECT_EQ(roots.paths(), Paths{});
  EXPECT_EQ(roots.all.size(), 6U);
  for (const auto* name : {"folder_link", "file_link", "loop", "broken"}) {
    EXPECT_EQ(roots.at(std::string("top/") + name).message, "symbolic link");
  }
  EXPECT_EQ(roots.at("top/fifo").message, "fifo");
  EXPECT_EQ(roots.at("top/socket").message, "socket");
  for (const auto& root : roots.all) EXPECT_EQ(root.status, Status::filtered) << root.path;
}

TEST_F(Filedir, ReportsDevices) {
  const auto roots = scan_path("/dev/null");
  ASSERT_EQ(roots.all.size(), 1U);
  EXPECT_EQ(roots.all[0].status, Status::filtered);
  EXPECT_EQ(roots.all[0].message, "device");
}

TEST_F(Filedir, FollowsALinkThatTheUserNames) {
  write("real/f");
  fs::create_symlink("real", "folder");
  fs::create_symlink("real/f", "file");
  EXPECT_EQ(scan_path("folder").paths(), Paths{"folder/f"});
  EXPECT_EQ(scan_path("file").paths(), Paths{"file"});
}

TEST_F(Filedir, ReportsWhatIsMissing) {
  fs::create_symlink("nowhere", "broken");
  write("file");
  const std::vector<std::pair<std::string, int>> cases{{"gone", ENOENT},
                                                       {"broken", ENOENT},
                                                       {"file/below", ENOTDIR},
                                                       {"", ENOENT},
                                                       {std::string(5000, 'n'), ENAMETOOLONG}};
  for (const auto& [path, reason] : cases) {
    const auto roots = scan_path(path);
    ASSERT_EQ(roots.all.size(), 1U);
    EXPECT_EQ(roots.all[0].path, path);
    EXPECT_EQ(roots.all[0].status, Status::io_error);
    EXPECT_EQ(roots.all[0].message, std::strerror(reason));
  }
}

TEST_F(Filedir, ReportsAFolderThatCannotBeRead) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read every folder";
  write("top/closed/f");
  write("top/open/f");
  fs::permissions("top/closed", fs::perms::none);
  const auto roots = scan_path("top");
  fs::permissions("top/closed", fs::perms::owner_all);
  EXPECT_EQ(roots.paths(), Paths{"top/open/f"});
  EXPECT_EQ(roots.at("top/closed").status, Status::io_error);
  EXPECT_EQ(roots.at("top/closed").message, std::strerror(EACCES));
}

TEST_F(Filedir, ReportsFoldersItHasNoHandlesLeftFor) {
  write("top/deep/f");
  const stoq::testing::LoadedPlugin plugin({"source", "filedir"});
  stoq::Input input;
  input.paths = {"top"};
  Found roots;
  Roots intake(roots);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = ::dup(0);  // the lowest free handle
  ::close(next);
  const rlimit one_more{static_cast<rlim_t>(next) + 1, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &one_more), 0);
  plugin.as<stoq::Source>().ingest(input, intake);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_EQ(roots.all.size(), 1U);
  EXPECT_EQ(roots.all[0].path, "top/deep");
  EXPECT_EQ(roots.all[0].message, std::strerror(EMFILE));
}

TEST_F(Filedir, ReachesTheBottomOfDeepTreesOrSaysWhyNot) {
  // 300 levels of 4 bytes stay below PATH_MAX, 300 of 200 do not.
  for (const std::size_t length : {3U, 199U}) {
    fs::create_directories("top");
    const int start = ::open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ASSERT_EQ(::chdir("top"), 0);
    const std::string name(length, 'd');
    for (int level = 0; level < 300; ++level) {
      ASSERT_EQ(::mkdir(name.c_str(), 0700), 0);
      ASSERT_EQ(::chdir(name.c_str()), 0);
    }
    write("bottom");
    ASSERT_EQ(::fchdir(start), 0);
    ::close(start);
    const auto roots = scan_path("top");
    ASSERT_EQ(roots.all.size(), 1U);
    if (length == 3) {
      EXPECT_EQ(roots.all[0].status, Status::ok);
      EXPECT_TRUE(roots.all[0].path.ends_with("/ddd/bottom"));
      EXPECT_EQ(roots.all[0].path.size(), 3 + 300 * 4 + 7U);
    } else {
      EXPECT_EQ(roots.all[0].status, Status::io_error);
      EXPECT_EQ(roots.all[0].message, std::strerror(ENAMETOOLONG));
    }
    ASSERT_EQ(std::system("rm -rf top"), 0);
  }
}

TEST_F(Filedir, StopsWhenTheRunDoes) {
  for (int i = 0; i < 10; ++i) write("top/" + std::to_string(i));
  stoq::Input input;
  input.paths = {"top", "top"};
  const auto roots = scan(input, 3);
  EXPECT_EQ(roots.paths(), (Paths{"top/0", "top/1", "top/2"}));
  EXPECT_EQ(roots.expected, 0U);
}

TEST_F(Filedir, ReadsListsOfLinesAndOfNuls) {
  for (const auto* name : {"a", "b", "two\nlines", " blanks "}) write(name);
  const std::vector<std::pair<std::string, Paths>> lists{
      {"b\na\n", {"b", "a"}},
      {"b\n\n\na", {"b", "a"}},
      {" blanks \nb", {" blanks ", "b"}},
      {std::string("two\nlines\0b\0", 12), {"two\nlines", "b"}},
      {std::string("a\0b", 3), {"a", "b"}},
      {"", {}},
      {"\n\n", {}}};
  for (const auto& [text, expected] : lists) {
    write("list", text);
    stoq::Input input;
    input.files_from = "list";
    EXPECT_EQ(scan(input).paths(), expected) << text;
  }
}

TEST_F(Filedir, ReadsLongListsWhole) {
  write("f");
  std::string text;
  for (int i = 0; i < 40'000; ++i) text += "./f\n";
  write("list", text);
  stoq::Input input;
  input.files_from = "list";
  EXPECT_EQ(scan(input).paths(), Paths(40'000, "./f"));
}

TEST_F(Filedir, ReadsListsFromStandardInput) {
  write("a");
  write("top/b");
  int pipe[2] = {-1, -1};
  ASSERT_EQ(::pipe(pipe), 0);
  const int before = ::dup(STDIN_FILENO);
  ASSERT_EQ(::dup2(pipe[0], STDIN_FILENO), STDIN_FILENO);
  std::thread writer([end = pipe[1]] {
    for (const std::string_view part : {"a\nt", "op\n"}) {
      EXPECT_EQ(::write(end, part.data(), part.size()), static_cast<ssize_t>(part.size()));
    }
    ::close(end);
  });
  stoq::Input input;
  input.files_from = "-";
  const auto roots = scan(input);
  writer.join();
  ::dup2(before, STDIN_FILENO);
  ::close(before);
  ::close(pipe[0]);
  EXPECT_EQ(roots.paths(), (Paths{"a", "top/b"}));
}

TEST_F(Filedir, TakesNoHarmFromHostileLists) {
  write("a");
  fs::create_symlink("a", "link");
  // A NUL behind the first 64 KiB of a list of lines; a path of a megabyte.
  const auto filler = std::string(70'000, '\n');
  write("list", filler + std::string("x\0y\n", 4) + std::string(1'000'000, 'p') + "\nlink\na\n");
  stoq::Input input;
  input.files_from = "list";
  const auto roots = scan(input);
  ASSERT_EQ(roots.all.size(), 4U);
  EXPECT_EQ(roots.all[0].status, Status::io_error);
  EXPECT_EQ(roots.all[0].message, "path holds a NUL byte");
  EXPECT_EQ(roots.all[1].path, std::string(4096, 'p'));
  EXPECT_EQ(roots.all[1].message, std::strerror(ENAMETOOLONG));
  EXPECT_EQ(roots.all[2].message, "symbolic link");  // a list is no user who names it
  EXPECT_EQ(roots.paths(), Paths{"a"});
}

TEST_F(Filedir, RefusesAListItCannotRead) {
  stoq::Input input;
  for (const auto* list : {"gone", "."}) {
    input.files_from = list;
    EXPECT_THROW(scan(input), stoq::IoError) << list;
  }
}

// Truth of what is excluded: what `git ls-files -o --exclude-standard` (2.39) leaves with the same
// lines in .git/info/exclude; a bracket that is never closed is an ordinary byte, as for
// fnmatch(3).
TEST_F(Filedir, MatchesGlobsWithoutSlashAgainstNames) {
  const Paths files{"a.exe", "b.txt", "sub/c.exe", "sub/d.exe.txt"};
  EXPECT_EQ(left(files, {"*.exe"}, {}), (Paths{"a.exe", "sub/c.exe"}));
  EXPECT_EQ(left(files, {}, {"*.exe"}), (Paths{"b.txt", "sub/d.exe.txt"}));
  EXPECT_EQ(left(files, {"*.exe", "b*"}, {"c*"}), (Paths{"a.exe", "b.txt"}));
  EXPECT_EQ(left(files, {"?.exe"}, {}), (Paths{"a.exe", "sub/c.exe"}));
  EXPECT_EQ(left(files, {"[!a].exe"}, {}), Paths{"sub/c.exe"});
  EXPECT_EQ(left(files, {"[a-b].*"}, {}), (Paths{"a.exe", "b.txt"}));
}

TEST_F(Filedir, MatchesGlobsWithSlashAgainstPaths) {
  const Paths files{"a/b/c", "a/c", "b/a/c", "c"};
  EXPECT_EQ(left(files, {}, {"a/*"}), (Paths{"b/a/c", "c"}));
  EXPECT_EQ(left(files, {"a/*"}, {}), Paths{"a/c"});
  EXPECT_EQ(left(files, {"a/**"}, {}), (Paths{"a/b/c", "a/c"}));
  EXPECT_EQ(left(files, {"**/c"}, {}), files);
  EXPECT_EQ(left(files, {"a/**/c"}, {}), (Paths{"a/b/c", "a/c"}));
  EXPECT_EQ(left(files, {"/c"}, {}), Paths{"c"});
  EXPECT_EQ(left(files, {"**/a/c"}, {}), (Paths{"a/c", "b/a/c"}));
}

TEST_F(Filedir, LeavesOutWholeFolders) {
  const Paths files{"keep/x", "tmp/x", "sub/tmp/y", "tmp2/x", "file"};
  EXPECT_EQ(left(files, {}, {"tmp"}), (Paths{"file", "keep/x", "tmp2/x"}));
  EXPECT_EQ(left(files, {}, {"tmp/"}), (Paths{"file", "keep/x", "tmp2/x"}));
  EXPECT_EQ(left(files, {}, {"/tmp"}), (Paths{"file", "keep/x", "sub/tmp/y", "tmp2/x"}));
  EXPECT_EQ(left(files, {}, {"file/"}), (Paths{"file", "keep/x", "sub/tmp/y", "tmp/x", "tmp2/x"}));
}

TEST_F(Filedir, SaysWhatALeftOutFileWasLeftOutFor) {
  write("top/a.exe");
  write("top/b.txt");
  write("top/tmp/c");
  stoq::Input input;
  input.paths = {"top"};
  input.include = {"*.txt"};
  input.exclude = {"tmp"};
  const auto roots = scan(input);
  EXPECT_EQ(roots.paths(Status::filtered), (Paths{"top/a.exe", "top/tmp"}));
  EXPECT_EQ(roots.at("top/a.exe").message, "matches none of the globs to include");
  EXPECT_EQ(roots.at("top/tmp").message, "folder excluded by 'tmp'");
}

TEST_F(Filedir, MatchesOddGlobs) {
  const Paths files{"[x", "a*b", "aXb", "a]b", "back\\slash", "-"};
  EXPECT_EQ(left(files, {"[x"}, {}), Paths{"[x"});
  EXPECT_EQ(left(files, {"a\\*b"}, {}), Paths{"a*b"});
  EXPECT_EQ(left(files, {"a[]]b"}, {}), Paths{"a]b"});
  EXPECT_EQ(left(files, {"*\\\\*"}, {}), Paths{"back\\slash"});
  EXPECT_EQ(left(files, {"[a-]"}, {}), Paths{"-"});
  EXPECT_EQ(left(files, {""}, {}), Paths{});
}

TEST_F(Filedir, MatchesHostileGlobsInTime) {
  const std::string name(250, 'a');
  std::string stars, deep;
  for (int i = 0; i < 60; ++i) stars += "*a";
  for (int i = 0; i < 60; ++i) deep += "**/*a*/";
  write("top/" + name);
  stoq::Input input;
  input.paths = {"top"};
  input.exclude = {stars + "b", deep + "b"};
  EXPECT_EQ(scan(input).paths().size(), 1U);  // the test's time limit is the judge
}

}  // namespace
