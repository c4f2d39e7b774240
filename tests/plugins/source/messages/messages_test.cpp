#include <cstddef>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <stoq/plugin.hpp>

#include "plugins/connector_test.hpp"
#include "plugins/loaded_plugin.hpp"

namespace {

using stoq::Status;
using stoq::testing::ConnectorTest;
using stoq::testing::LoadedPlugin;

const std::string sha256(64, 'a'), sha1(40, 'b');

class Messages : public ConnectorTest {
 protected:
  std::vector<stoq::Root> roots_of(std::string_view lines, stoq::Input input = {}) {
    const auto file = (folder_ / "list").string();
    std::ofstream(file, std::ios::binary) << lines;
    input.paths = {file};
    stoq::testing::Delivered delivered;
    plugin_.as<stoq::Source>().ingest(input, delivered);
    return std::move(delivered.roots);
  }
  stoq::Root root_of(std::string_view line) {
    auto roots = roots_of(line);
    EXPECT_EQ(roots.size(), 1U) << line;
    return roots.empty() ? stoq::Root{} : std::move(roots.front());
  }

  LoadedPlugin plugin_{{"source", "messages"}, {}};
};

TEST_F(Messages, NamesFiles) {
  const auto root = root_of(R"({"path": "/in/a.doc", "tlp": "amber", "case": 7, "tags": ["x"]})");
  EXPECT_EQ(root.path, "/in/a.doc");
  EXPECT_EQ(root.file, "/in/a.doc");
  EXPECT_EQ(root.tlp, stoq::Tlp::amber);
  EXPECT_EQ(root.meta.integer("case"), 7);
  const auto* const tags = root.meta["tags"].get_if<stoq::Value::Array>();
  ASSERT_NE(tags, nullptr);
  EXPECT_EQ(tags->size(), 1U);
  EXPECT_TRUE(root.archive.empty());
}

TEST_F(Messages, NameContentsOfArchives) {
  struct Case {
    std::string message, path, hash, asked;
  };
  const Case cases[] = {
      {R"({"archive": "file", "sha256": ")" + sha256 + R"("})", "file:" + sha256, sha256, ""},
      {R"({"archive": "file", "sha1": ")" + sha1 + R"("})", "file:" + sha1, sha1, ""},
      {R"({"archive": "file", "sha256": ")" + std::string(64, 'A') + R"(", "path": "x/y"})", "x/y",
       sha256, ""},
      {R"({"archive": "file", "sha1": ")" + sha1 + R"(", "sha256": ")" + sha256 + R"("})",
       "file:" + sha256, sha256, ""},
      {R"({"archive": "file", "path": "/srv/a", "sha256": null})", "/srv/a", "", "/srv/a"},
  };
  for (const auto& test : cases) {
    const auto root = root_of(test.message);
    EXPECT_EQ(root.status, Status::ok) << test.message << root.message;
    EXPECT_EQ(root.path, test.path) << test.message;
    EXPECT_EQ(root.archive, "file") << test.message;
    EXPECT_EQ(root.query.hash, test.hash) << test.message;
    EXPECT_EQ(root.query.path, test.asked) << test.message;
    EXPECT_EQ(root.meta.text("archive"), "file") << test.message;
    EXPECT_TRUE(root.file.empty()) << test.message;
  }
}

TEST_F(Messages, SayWhichOfThemAreNone) {
  struct Case {
    std::string message, reason;
  };
  const Case cases[] = {
      {"{", "no message"},
      {"[]", "no object"},
      {"{}", "names no file"},
      {R"({"case": 1})", "names no file"},
      {R"({"path": 5})", "'path' is no text"},
      {R"({"path": "a\u0000b"})", "NUL"},
      {R"({"path": "a", "tlp": "blue"})", "none of white"},
      {R"({"path": "a", "tlp": 1})", "'tlp' is no text"},
      {R"({"archive": "file"})", "neither"},
      {R"({"archive": "file", "sha256": "../../etc/passwd"})", "64 hex digits"},
      {R"({"archive": "file", "sha1": ")" + sha256 + R"("})", "40 hex digits"},
      {"{\"path\": \"" + std::string(std::size_t{1} << 20, 'a') + "\"}", "larger than 1 MiB"},
      {std::string(5000, '['), "no message"},
  };
  for (const auto& test : cases) {
    const auto roots = roots_of("\n" + test.message + "\n{\"path\": \"next\"}");
    const auto shown = test.message.substr(0, 60);
    ASSERT_EQ(roots.size(), 2U) << shown;
    EXPECT_EQ(roots[0].status, Status::corrupt) << shown;
    EXPECT_EQ(roots[0].path, (folder_ / "list").string() + ":2") << shown;
    EXPECT_TRUE(has(roots[0].message, test.reason)) << shown << ": " << roots[0].message;
    EXPECT_EQ(roots[1].path, "next") << shown;
  }
}

TEST_F(Messages, AreSharedByInstances) {
  stoq::Input input;
  for (const auto* name : {"one", "two", "three"}) {
    const auto file = (folder_ / name).string();
    std::ofstream(file) << R"({"path": ")" << name << R"("})";
    input.paths.push_back(file);
  }
  input.instances = 2;
  std::vector<std::string> paths;
  for (input.instance = 0; input.instance < 2; ++input.instance) {
    stoq::testing::Delivered delivered;
    plugin_.as<stoq::Source>().ingest(input, delivered);
    for (const auto& root : delivered.roots) paths.push_back(root.path);
  }
  EXPECT_EQ(paths, (std::vector<std::string>{"one", "three", "two"}));
}

TEST_F(Messages, LeaveOutWhatGlobsSay) {
  stoq::Input input;
  input.exclude = {"*.tmp"};
  const auto roots = roots_of("{\"path\": \"/in/a.tmp\"}\n{\"path\": \"/in/a\"}\n", input);
  ASSERT_EQ(roots.size(), 2U);
  EXPECT_EQ(roots[0].status, Status::filtered);
  EXPECT_EQ(roots[1].status, Status::ok);
}

TEST_F(Messages, RefuseWhatCannotBeRead) {
  stoq::testing::Delivered delivered;
  stoq::Input input;
  const auto refusal = [&] {
    return message([&] { plugin_.as<stoq::Source>().ingest(input, delivered); });
  };
  EXPECT_TRUE(has(refusal(), "name a file"));
  input.paths = {(folder_ / "none").string()};
  EXPECT_TRUE(has(refusal(), "No such file"));
  EXPECT_EQ(plugin_.as<stoq::Source>().fetches_from(), std::vector<std::string>{"file"});
}

}  // namespace
