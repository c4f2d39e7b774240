// What the table cannot say of the source archive: globs, lists of archives, stopping.
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "plugins/loaded_plugin.hpp"

namespace {

using stoq::testing::LoadedPlugin;
using stoq::testing::PluginPlace;

const PluginPlace place{"source", "archive"};

/// Notes the roots; takes at most `most` of them.
class Notes : public stoq::Intake {
 public:
  explicit Notes(std::size_t most = 1000) : most_(most) {}
  bool put(stoq::Root root) override { return note(root); }
  bool produce(stoq::Root root, std::uint64_t, stoq::Children::Fill fill) override {
    stoq::testing::VectorBuffer buffer(std::size_t{1} << 20U);
    fill(buffer);
    return note(root);
  }
  void expect(std::uint64_t, std::uint64_t) override {}

  std::vector<std::string> delivered, filtered;

 private:
  bool note(const stoq::Root& root) {
    (root.status == stoq::Status::filtered ? filtered : delivered)
        .push_back(root.path.substr(root.path.rfind('!') + 1));
    return delivered.size() + filtered.size() < most_;
  }
  std::size_t most_;
};

void run(const stoq::Input& input, Notes& notes) {
  const LoadedPlugin plugin(place);
  plugin.as<stoq::Source>().ingest(input, notes);
}

std::string corpus() { return place.input("corpus.tar").string(); }

using Names = std::vector<std::string>;

TEST(SourceArchive, GlobWithoutSlashIsMatchedAgainstTheFileName) {
  Notes notes;
  run({{corpus()}, {}, {"b.*"}, {}}, notes);
  EXPECT_EQ(notes.delivered, Names{"dir/b.bin"});
  EXPECT_EQ(notes.filtered, (Names{"a.txt", "empty", "link"}));
}

TEST(SourceArchive, GlobWithSlashIsMatchedAgainstThePath) {
  Notes notes;
  run({{corpus()}, {}, {"*/b.*", "other/*"}, {}}, notes);
  EXPECT_EQ(notes.delivered, Names{"dir/b.bin"});
}

TEST(SourceArchive, ExcludeOverrulesInclude) {
  Notes notes;
  run({{corpus()}, {}, {"*"}, {"dir/*", "empty"}}, notes);
  EXPECT_EQ(notes.delivered, Names{"a.txt"});
}

TEST(SourceArchive, ReadsAListOfArchives) {
  const auto list = std::filesystem::path(testing::TempDir()) /
                    ("stoq_archive_list" + std::to_string(::getpid()));
  std::ofstream(list) << corpus() << "\n\n" << place.input("corpus.cpio").string() << "\n";
  Notes notes;
  run({{}, list.string(), {}, {}}, notes);
  std::filesystem::remove(list);
  EXPECT_EQ(notes.delivered, (Names{"a.txt", "dir/b.bin", "empty", "a.txt", "dir/b.bin", "empty"}));
}

TEST(SourceArchive, RefusesAListThatIsNotThere) {
  Notes notes;
  EXPECT_THROW(run({{}, "/nowhere/at/all", {}, {}}, notes), stoq::IoError);
}

TEST(SourceArchive, StopsWhenTheIntakeSaysSo) {
  Notes notes(1);
  run({{corpus(), corpus()}, {}, {}, {}}, notes);
  EXPECT_EQ(notes.delivered, Names{"a.txt"});
}

}  // namespace
