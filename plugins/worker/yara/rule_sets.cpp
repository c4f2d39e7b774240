#include "rule_sets.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <map>
#include <set>
#include <type_traits>
#include <utility>

#include "rule_parts.hpp"

namespace {

struct DestroyCompiler {
  void operator()(YR_COMPILER* compiler) const noexcept { ::yr_compiler_destroy(compiler); }
};
using Compiler = std::unique_ptr<YR_COMPILER, DestroyCompiler>;

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

struct Messages {
  std::vector<std::string> errors, warnings;
};

void collect(int level, const char* file, int line, const YR_RULE*, const char* message,
             void* context) noexcept {
  auto& messages = *static_cast<Messages*>(context);
  auto& list = level == YARA_ERROR_LEVEL_ERROR ? messages.errors : messages.warnings;
  list.push_back(std::string(file != nullptr ? file : "rules") + ":" + std::to_string(line) + ": " +
                 message);
}

void define(YR_COMPILER* compiler, const std::string& name, const External& value) {
  const auto result = std::visit(
      [&](const auto& plain) {
        using Plain = std::remove_cvref_t<decltype(plain)>;
        if constexpr (std::is_same_v<Plain, bool>) {
          return ::yr_compiler_define_boolean_variable(compiler, name.c_str(), plain ? 1 : 0);
        } else if constexpr (std::is_same_v<Plain, std::int64_t>) {
          return ::yr_compiler_define_integer_variable(compiler, name.c_str(), plain);
        } else if constexpr (std::is_same_v<Plain, double>) {
          return ::yr_compiler_define_float_variable(compiler, name.c_str(), plain);
        } else {
          return ::yr_compiler_define_string_variable(compiler, name.c_str(), plain.c_str());
        }
      },
      value);
  if (result != ERROR_SUCCESS) {
    throw stoq::ConfigError("yara: external variable '" + name +
                            "' cannot be defined (libyara error " + std::to_string(result) + ")");
  }
}

Compiler make_compiler(const Externals& externals, Messages& messages) {
  YR_COMPILER* raw = nullptr;
  if (::yr_compiler_create(&raw) != ERROR_SUCCESS) {
    throw stoq::ConfigError("yara: no compiler: out of memory");
  }
  Compiler compiler(raw);
  ::yr_compiler_set_callback(raw, &collect, &messages);
  for (const auto& [name, value] : externals) define(raw, name, value);
  return compiler;
}

/// A part of a file of rules.
struct Member {
  const RuleFile* file;
  std::size_t number;  ///< of the file
  RulePart part;
};
using Members = std::vector<Member>;

/// False when the rules have errors: the compiler is of no more use then.
bool add(YR_COMPILER* compiler, const Member& member, Messages& messages) {
  std::string text = member.part.text;
  if (text.empty()) return true;
  const auto& path = member.file->path;
  const std::unique_ptr<std::FILE, CloseFile> stream(::fmemopen(text.data(), text.size(), "r"));
  if (!stream) {
    messages.errors.push_back(path.string() + ": cannot be opened");
    return true;
  }
  return ::yr_compiler_add_file(compiler, stream.get(), member.file->space.c_str(), path.c_str()) ==
         0;
}

/// The rules of `members`, or null when `messages` has got errors, which are then those of all.
std::unique_ptr<YR_RULES, DestroyRules> compile_together(const Members& members,
                                                         const Externals& externals,
                                                         Messages& messages) {
  auto compiler = make_compiler(externals, messages);
  const auto before = messages.errors.size();
  for (const auto& member : members) {
    // After an error libyara wants a new compiler; the others' errors are still worth knowing.
    if (!add(compiler.get(), member, messages)) compiler = make_compiler(externals, messages);
  }
  if (messages.errors.size() != before) return nullptr;
  YR_RULES* rules = nullptr;
  if (const auto result = ::yr_compiler_get_rules(compiler.get(), &rules);
      result != ERROR_SUCCESS) {
    messages.errors.push_back("the rules cannot be put together (libyara error " +
                              std::to_string(result) + ")");
    return nullptr;
  }
  return std::unique_ptr<YR_RULES, DestroyRules>(rules);
}

std::string load_failure(int error) {
  switch (error) {
    case ERROR_UNSUPPORTED_FILE_VERSION:
      return "compiled by another version of YARA than " YR_VERSION "; compile it anew with yarac";
    case ERROR_CORRUPT_FILE:
      return "compiled rules, but damaged; compile them anew with yarac";
    default:
      return "compiled rules that cannot be loaded (libyara error " + std::to_string(error) + ")";
  }
}

/// Gives compiled rules the user's values; what they do not know is none of their business.
void redefine(YR_RULES* rules, const Externals& externals) {
  for (const auto& [name, value] : externals) {
    if (const auto* flag = std::get_if<bool>(&value)) {
      ::yr_rules_define_boolean_variable(rules, name.c_str(), *flag ? 1 : 0);
    } else if (const auto* whole = std::get_if<std::int64_t>(&value)) {
      ::yr_rules_define_integer_variable(rules, name.c_str(), *whole);
    } else if (const auto* fraction = std::get_if<double>(&value)) {
      ::yr_rules_define_float_variable(rules, name.c_str(), *fraction);
    } else {
      ::yr_rules_define_string_variable(rules, name.c_str(), std::get<std::string>(value).c_str());
    }
  }
}

bool may_ask_entry_point(const Members& members) {
  return std::any_of(members.begin(), members.end(), [](const Member& member) {
    const auto& text = member.part.text;
    return text.find("entrypoint") != text.npos || text.find("include") != text.npos;
  });
}

constexpr std::size_t most_rules = std::size_t{1} << 32;  // libyara counts a set's in 32 bits

/// The place of each rule among all: by file, then as it stands there.
void number_rules(RuleSet& set, const Members& members) {
  std::map<std::string, const Member*> by_space;
  for (const auto& member : members) by_space[member.file->space] = &member;
  std::map<std::string, std::size_t> seen;
  for (std::uint32_t i = 0; i < set.rules->num_rules; ++i) {
    const std::string space = set.rules->rules_table[i].ns->name;
    const auto& member = *by_space.at(space);
    const auto count = seen[space]++;
    const auto& places = member.part.places;
    set.order.push_back(member.number * most_rules + (places.empty() ? count : places.at(count)));
  }
}

/// Compiles the groups, each to a set. Errors go to `messages`, and the sets are then not all
/// there.
std::vector<RuleSet> compile_groups(std::map<std::set<std::string>, Members> groups,
                                    const Externals& externals, Messages& messages) {
  std::vector<RuleSet> sets;
  for (auto& [prefixes, members] : groups) {
    auto rules = compile_together(members, externals, messages);
    if (!rules) continue;
    auto& set = sets.emplace_back();
    set.rules = std::move(rules);
    set.prefixes.assign(prefixes.begin(), prefixes.end());
    set.asks_entry_point = may_ask_entry_point(members);
    number_rules(set, members);
  }
  return sets;
}

/// Compiles what is text, in parts. When that fails then whole: the user is told of his files'
/// errors as they stand, and of no others.
std::vector<RuleSet> compile_texts(const std::vector<RuleFile>& files, const Externals& externals,
                                   Messages& messages) {
  std::map<std::set<std::string>, Members> whole, split;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (files[i].compiled) continue;
    whole[{}].push_back({&files[i], i, {files[i].text, {}, {}}});
    for (auto& part : split_rules(files[i])) {
      auto& members = split[part.prefixes];
      members.push_back({&files[i], i, std::move(part)});
    }
  }
  Messages of_parts;
  auto sets = compile_groups(std::move(split), externals, of_parts);
  if (!of_parts.errors.empty()) return compile_groups(std::move(whole), externals, messages);
  std::move(of_parts.warnings.begin(), of_parts.warnings.end(),
            std::back_inserter(messages.warnings));
  return sets;
}

}  // namespace

YaraLibrary::YaraLibrary() {
  if (::yr_initialize() != ERROR_SUCCESS) {
    throw stoq::ConfigError("yara: libyara cannot be initialised: out of memory");
  }
}

YaraLibrary::~YaraLibrary() { ::yr_finalize(); }

std::vector<RuleSet> compile(const std::vector<RuleFile>& files, const Externals& externals,
                             stoq::Host& host) {
  Messages messages;
  auto sets = compile_texts(files, externals, messages);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto& file = files[i];
    if (!file.compiled) continue;
    YR_RULES* rules = nullptr;
    if (const auto result = ::yr_rules_load(file.path.c_str(), &rules); result != ERROR_SUCCESS) {
      messages.errors.push_back(file.path.string() + ": " + load_failure(result));
      continue;
    }
    auto& set = sets.emplace_back();
    set.rules.reset(rules);
    set.asks_entry_point = true;
    redefine(rules, externals);
    for (std::uint32_t n = 0; n < rules->num_rules; ++n) set.order.push_back(i * most_rules + n);
  }
  for (const auto& warning : messages.warnings) host.log(stoq::LogLevel::info, "yara: " + warning);
  if (messages.errors.empty()) return sets;
  std::string all = "yara: " + std::to_string(messages.errors.size()) +
                    (messages.errors.size() == 1 ? " error" : " errors") + " in the rules:";
  for (const auto& error : messages.errors) all += "\n  " + error;
  throw stoq::ConfigError(all);
}
