#include "support/ini.hpp"

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include <stoq/error.hpp>

namespace {

using stoq::support::Ini;

constexpr const char* refused = nullptr;

struct IniCase {
  const char *name, *text;
  const char* dump;  ///< sections and their options, each in order; refused: ConfigError
};

std::string dump(const Ini& ini) {
  std::string out;
  for (const auto& [name, section] : ini.sections()) {
    out += "[" + name + "]\n";
    for (const auto& [key, value] : section) out += key + "=" + value + "\n";
  }
  return out;
}

// What Python 3.11's configparser.ConfigParser gives for the same text (refused:
// configparser.Error).
const IniCase ini_cases[] = {
    {"TheSeedsExample",
     "[Core]\nName = basicplugin\n# Name of the .py file\nModule = "
     "basicplugin\n\n[Documentation]\nAuthor = Joe Stoq\nVersion = 0.1\nWebsite = "
     "https://github.com/PUNCH-Cyber/stoq\nDescription = Basic Plugin "
     "Example\n\n[options]\nhashpayload = True\nmax_tlp = red\n",
     "[Core]\nmodule=basicplugin\nname=basicplugin\n[Documentation]\nauthor=Joe "
     "Stoq\ndescription=Basic Plugin "
     "Example\nversion=0.1\nwebsite=https://github.com/PUNCH-Cyber/"
     "stoq\n[options]\nhashpayload=True\nmax_tlp=red\n"},
    {"Empty", "", ""},
    {"EmptySection", "[a]\n", "[a]\n"},
    {"KeysAreLowered", "[A]\nKeY = VaLuE\n", "[A]\nkey=VaLuE\n"},
    {"ColonDelimits", "[a]\nk: v\nurl: http://x:8/\n", "[a]\nk=v\nurl=http://x:8/\n"},
    {"FirstDelimiterCounts", "[a]\nk = a:b=c\nl : a=b\n", "[a]\nk=a:b=c\nl=a=b\n"},
    {"NoSpaces", "[a]\nk=v\n", "[a]\nk=v\n"},
    {"ManySpaces", "[a]\n  k   =   v w   \n", "[a]\nk=v w\n"},
    {"EmptyValue", "[a]\nk =\nl=\n", "[a]\nk=\nl=\n"},
    {"CommentsOnTheirOwnLines", "# c\n; d\n[a]\n# k = 1\n  ; l = 1\nm = 1\n", "[a]\nm=1\n"},
    {"NoCommentsBehindValues", "[a]\nk = v # not a comment\nl = v ; nor this\n",
     "[a]\nk=v # not a comment\nl=v ; nor this\n"},
    {"Continuation", "[a]\nk = one\n  two\n\tthree\nl = x\n", "[a]\nk=one\ntwo\nthree\nl=x\n"},
    {"ContinuationOfAnEmptyValue", "[a]\nk =\n  one,\n  two\n", "[a]\nk=\none,\ntwo\n"},
    {"EmptyLineInsideAValue", "[a]\nk = one\n\n  two\n\nl = x\n", "[a]\nk=one\n\ntwo\nl=x\n"},
    {"CommentInsideAValue", "[a]\nk = one\n  # gone\n  two\n", "[a]\nk=one\ntwo\n"},
    {"ContinuationLooksLikeAKey", "[a]\nk = one\n  l = two\n", "[a]\nk=one\nl = two\n"},
    {"ContinuationLooksLikeASection", "[a]\nk = one\n  [b]\n", "[a]\nk=one\n[b]\n"},
    {"LessIndentedEndsTheValue", "[a]\n    k = one\n  l = two\n", "[a]\nk=one\nl=two\n"},
    {"SectionsMayBeIndented", "  [a]\n  k = 1\n", "[a]\nk=1\n"},
    {"TextBehindASection", "[a] ; x\nk = 1\n", "[a]\nk=1\n"},
    {"BracketsInASection", "[a]b]\nk = 1\n", "[a]b]\nk=1\n"},
    {"SpacesInASection", "[ a ]\nk = 1\n", "[ a ]\nk=1\n"},
    {"CarriageReturns", "[a]\r\nk = 1\r\nl = 2\r\n", "[a]\nk=1\nl=2\n"},
    {"NoLineEndAtTheEnd", "[a]\nk = 1", "[a]\nk=1\n"},
    {"Defaults", "[DEFAULT]\nk = 1\nl = 2\n[a]\nk = 3\n[b]\n", "[a]\nk=3\nl=2\n[b]\nk=1\nl=2\n"},
    {"Percent", "[a]\nk = 100%%\n", "[a]\nk=100%\n"},
    {"Interpolation", "[a]\nhome = /opt\nrules = %(home)s/rules/%(HOME)s\n",
     "[a]\nhome=/opt\nrules=/opt/rules//opt\n"},
    {"InterpolationOfDefaults", "[DEFAULT]\nbase = /b\n[a]\nk = %(base)s/x\n",
     "[a]\nbase=/b\nk=/b/x\n"},
    {"InterpolationTwice", "[a]\na = 1\nb = %(a)s2\nc = %(b)s3\n", "[a]\na=1\nb=12\nc=123\n"},
    {"HighBytes", "[a]\nk = \xc3\xa9\xe2\x82\xac\n", "[a]\nk=\xc3\xa9\xe2\x82\xac\n"},
    {"DuplicateSection", "[a]\n[a]\n", refused},
    {"DuplicateKey", "[a]\nk = 1\nK = 2\n", refused},
    {"NoSection", "k = 1\n", refused},
    {"NoDelimiter", "[a]\njust text\n", refused},
    {"NoKey", "[a]\n= v\n", refused},
    {"EmptySectionName", "[]\n", refused},
    {"LonePercent", "[a]\nk = 100%\n", refused},
    {"UnknownReference", "[a]\nk = %(none)s\n", refused},
    {"Circle", "[a]\nk = %(l)s\nl = %(k)s\n", refused},
};

class IniText : public testing::TestWithParam<IniCase> {};

TEST_P(IniText, IsReadAsConfigparserReadsIt) {
  const auto& c = GetParam();
  if (c.dump == refused) {
    EXPECT_THROW((void)Ini::parse(c.text, "x.stoq"), stoq::ConfigError);
  } else {
    EXPECT_EQ(dump(Ini::parse(c.text, "x.stoq")), c.dump);
  }
}

INSTANTIATE_TEST_SUITE_P(Each, IniText, testing::ValuesIn(ini_cases),
                         [](const auto& test) { return test.param.name; });

std::string refusal(const std::string& text) {
  try {
    (void)Ini::parse(text, "x.stoq");
    return {};
  } catch (const stoq::ConfigError& error) {
    return error.what();
  }
}

TEST(Ini, MessagesNameFileLineAndReason) {
  EXPECT_EQ(refusal("[a]\n\nk = 1\nk = 2\n"), "x.stoq:4: 'k' is set a second time in this section");
  EXPECT_EQ(refusal("[a]\n[b]\n[a]\n"), "x.stoq:3: section [a] stands here a second time");
  EXPECT_EQ(refusal("k = 1\n"), "x.stoq:1: a [section] is expected before 'k = 1'");
  EXPECT_EQ(refusal("[a]\r\njunk\r\n"), "x.stoq:2: 'key = value' is expected, not 'junk'");
  EXPECT_EQ(refusal("[a]\nk = 5%\n"),
            "x.stoq:2: [a] k: a '%' must be written '%%', or stand in '%(key)s'");
  EXPECT_EQ(refusal("[a]\nk = %(no)s\n"), "x.stoq:2: [a] k: '%(no)s' names no key of this section");
}

TEST(Ini, SaysWhereAKeyStands) {
  const auto ini = Ini::parse("[DEFAULT]\nd = 0\n[a]\n# c\nk = 1\n  2\nL = 3\n", "x.stoq");
  EXPECT_EQ(ini.where("a", "k"), "x.stoq:5");
  EXPECT_EQ(ini.where("a", "l"), "x.stoq:7");
  EXPECT_EQ(ini.where("a", "d"), "x.stoq:2");
  EXPECT_EQ(ini.where("a", "none"), "x.stoq");
  EXPECT_EQ(ini.where("none", "k"), "x.stoq");
}

TEST(Ini, GrowthByInterpolationIsBounded) {
  std::string text = "[a]\na0 = " + std::string(1000, 'x') + "\n";
  for (int i = 1; i < 10; ++i) {
    text += "a" + std::to_string(i) + " =";
    for (int j = 0; j < 10; ++j) text += " %(a" + std::to_string(i - 1) + ")s";
    text += "\n";
  }
  EXPECT_NE(refusal(text).find("grows too large"), std::string::npos);
}

TEST(Ini, AbsentSectionsAndKeysAreEmpty) {
  const auto ini = Ini::parse("[a]\nk = 1\n", "x");
  EXPECT_EQ(ini.get("a", "k"), "1");
  EXPECT_EQ(ini.get("a", "l"), "");
  EXPECT_EQ(ini.get("A", "k"), "") << "section names keep their case";
  EXPECT_TRUE(ini.section("none").empty());
}

TEST(Ini, SkipsAByteOrderMark) {
  EXPECT_EQ(Ini::parse("\xef\xbb\xbf[a]\nk = 1\n", "x").get("a", "k"), "1");
}

class IniFile : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    file_ = std::filesystem::path(testing::TempDir()) /
            (std::string("stoq_ini_") + test->name() + std::to_string(::getpid()));
  }
  void TearDown() override { std::filesystem::remove(file_); }
  std::filesystem::path file_;
};

TEST_F(IniFile, IsRead) {
  std::ofstream(file_) << "[a]\nk = 1\n";
  EXPECT_EQ(Ini::read(file_).get("a", "k"), "1");
}

TEST_F(IniFile, MustExist) {
  const auto refusal = [](const std::filesystem::path& file) -> std::string {
    try {
      (void)Ini::read(file);
    } catch (const stoq::IoError& error) {
      return error.what();
    }
    return "it is read";
  };
  const std::string remedy = "; make it a file that this user can read";
  EXPECT_EQ(refusal(file_),
            file_.string() + ": cannot be read: No such file or directory" + remedy);
  EXPECT_EQ(refusal("/proc"), "/proc: cannot be read: Is a directory" + remedy);
}

TEST_F(IniFile, MustNotBeHuge) {
  std::ofstream(file_) << "[a]\n" << std::string(std::size_t{5} << 20U, '#');
  EXPECT_THROW((void)Ini::read(file_), stoq::ConfigError);
  EXPECT_THROW((void)Ini::read("/dev/zero"), stoq::ConfigError);
}

}  // namespace
